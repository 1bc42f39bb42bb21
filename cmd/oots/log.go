package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"path/filepath"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/store"
)

type exchangeLog struct {
	Prove  logProve  `cmd:"" help:"From an evidence id to the signed digest, link by link."`
	Attest logAttest `cmd:"" help:"State the end of an exchange, signed: one side of a fact for the Acceleratormeter."`
	Month  logMonth  `cmd:"" help:"State how many requests a month had, signed: the monthly aggregate."`
	Match  logMatch  `cmd:"" help:"Hold both sides' attestations of an exchange against each other, and print the facts."`
}

type logProve struct {
	ID     string `arg:"" help:"Identifier of the evidence (UUID)."`
	Config string `required:"" type:"existingfile" help:"Configuration file of the node."`
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

// nodeLog is the log of a node that may run elsewhere, with its keys and
// partners. Close its store.
type nodeLog struct {
	*exchange.Log
	config *nodeConfig
	party  *pki.Party
	mode   *as4.PMode
	db     *store.DB
}

func openNodeLog(w *world, file string) (*nodeLog, error) {
	config, err := readNodeConfig(file)
	if err != nil {
		return nil, err
	}
	if config.Data == "" {
		config.Data = filepath.Join(filepath.Dir(file), "data")
	}
	key, err := exchange.ReadKey(config.Keys)
	if err != nil {
		return nil, err
	}
	l := &nodeLog{config: config}
	if l.party, err = pki.LoadParty(config.Keys); err != nil {
		return nil, err
	}
	if l.mode, err = as4.ReadPMode(config.PMode); err != nil {
		return nil, err
	}
	if l.db, err = store.Open(w, config.Data, store.Options{MustExist: true}); err != nil {
		return nil, err
	}
	if l.Log, err = exchange.OpenLog(l.db.Exchange(), key); err != nil {
		l.db.Close()
		return nil, err
	}
	return l, nil
}

// Run rebuilds the chain out of the node's log and the messages it kept. It
// changes nothing and may run beside the node.
func (c logProve) Run(w *world) error {
	l, err := openNodeLog(w, c.Config)
	if err != nil {
		return err
	}
	defer l.db.Close()
	known := []*x509.Certificate{l.party.Sign.Cert()}
	for _, p := range l.mode.Partners {
		known = append(known, p.Sign...)
	}
	proof, err := l.Prove(w, l.db.AS4(), c.ID, known...)
	var refused *exchange.Error
	if errors.As(err, &refused) && refused.Reason == exchange.NotFound {
		return no("%s: no exchange in this node's log carried that evidence. Give the evidence Identifier as it stands in the response, a bare UUID; entries are kept for twelve months.", c.ID)
	} else if err != nil {
		return err
	}
	if c.Format == "json" {
		err = json.NewEncoder(w.out).Encode(proof)
	} else {
		err = proof.WriteText(w.out)
	}
	if err == nil && !proof.Holds() {
		return no("the chain does not hold")
	}
	return err
}
