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
	Prove logProve `cmd:"" help:"From an evidence id to the signed digest, link by link."`
}

type logProve struct {
	ID     string `arg:"" help:"Identifier of the evidence (UUID)."`
	Config string `required:"" type:"existingfile" help:"Configuration file of the node."`
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

// Run rebuilds the chain out of the node's log and the messages it kept. It
// changes nothing and may run beside the node.
func (c logProve) Run(w *world) error {
	config, err := readNodeConfig(c.Config)
	if err != nil {
		return err
	}
	if config.Data == "" {
		config.Data = filepath.Join(filepath.Dir(c.Config), "data")
	}
	key, err := exchange.ReadKey(config.Keys)
	if err != nil {
		return err
	}
	party, err := pki.LoadParty(config.Keys)
	if err != nil {
		return err
	}
	mode, err := as4.ReadPMode(config.PMode)
	if err != nil {
		return err
	}
	known := []*x509.Certificate{party.Sign.Cert()}
	for _, p := range mode.Partners {
		known = append(known, p.Sign...)
	}
	db, err := store.Open(w, config.Data, store.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	log, err := exchange.OpenLog(db.Exchange(), key)
	if err != nil {
		return err
	}
	proof, err := log.Prove(w, db.AS4(), c.ID, known...)
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
