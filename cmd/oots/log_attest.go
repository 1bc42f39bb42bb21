package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/pki"
)

// speaker are the flags of whoever attests.
type speaker struct {
	Config      string `required:"" type:"existingfile" help:"Configuration file of the node; it must name the country."`
	Environment string `placeholder:"CODE" help:"testing, acceptance or production; otherwise by [directory] environment of the file."`
	RealUser    bool   `help:"The exchanges were real users' and no tests. A system check (procedure 00) never is."`
}

// labels are the environments by their names in the DNS.
var labels = map[string]ledger.Environment{"testing": ledger.Testing, "acc": ledger.Acceptance, "prod": ledger.ProductionEnv}

// open opens the node's log for whoever speaks; who opens closes it.
func (s speaker) open(w *world) (*nodeLog, exchange.Attester, error) {
	l, err := openNodeLog(w, s.Config)
	if err != nil {
		return nil, exchange.Attester{}, err
	}
	a, err := s.attester(l)
	if err != nil {
		l.db.Close()
	}
	return l, a, err
}

// attester is who speaks: the node's team, with the key that signs its messages.
func (s speaker) attester(l *nodeLog) (exchange.Attester, error) {
	a := exchange.Attester{Party: "team:" + l.config.Country + "/" + l.mode.Self.ID.Value, Environment: ledger.Environment(s.Environment), Identity: l.party.Sign, RealUser: s.RealUser}
	if a.Environment == "" {
		a.Environment = labels[l.config.Directory.Environment]
	}
	switch {
	case l.config.Country == "":
		return a, fmt.Errorf("%s names no country; write country = \"FI\", or whose the node is", s.Config)
	case !slices.Contains(ledger.Environments, a.Environment):
		return a, errors.New("in which environment was that? Say --environment testing, acceptance or production, or write environment = \"prod\" into [directory]")
	}
	return a, nil
}

type logAttest struct {
	ID string `arg:"" help:"Identifier of the exchange: of its request, conversation, exchange, message or evidence."`
	speaker
}

// Run prints one attestation as JSON: the fact, the signature, the certificate.
// It tells salted hashes in place of identifiers, and nothing about a person.
func (c logAttest) Run(w *world) error {
	l, a, err := c.open(w)
	if err != nil {
		return err
	}
	defer l.db.Close()
	request, err := l.answered(w, c.ID)
	if err != nil {
		return err
	}
	said, err := l.Attest(w, a, request)
	if err != nil {
		return refusal(c.ID, err)
	}
	return json.NewEncoder(w.out).Encode(said)
}

// answered is the last request that was answered in the one exchange with an
// identifier.
func (l *nodeLog) answered(w *world, id string) (request string, err error) {
	entries, err := l.Find(w, id)
	if err != nil {
		return "", err
	}
	exchanges := map[string]bool{}
	for _, e := range entries {
		if e.Event == exchange.AnswerSent || e.Event == exchange.AnswerReceived {
			request, exchanges[e.Exchange] = e.Request, true
		}
	}
	switch {
	case request == "":
		return "", no("%s: this node's log knows no answered request of that identifier. Entries are kept for twelve months.", id)
	case len(exchanges) > 1:
		return "", no("%s names %d exchanges; give the identifier of one request", id, len(exchanges))
	}
	return request, nil
}

// refusal is what the log does not attest, as an answer of no.
func refusal(what string, err error) error {
	var refused *exchange.Error
	if errors.As(err, &refused) && refused.Reason != exchange.Unavailable {
		return no("%s: %s", what, refused.Error())
	}
	return err
}

type logMonth struct {
	Month string `arg:"" help:"The month, such as 2026-10."`
	Role  string `required:"" enum:"requester,provider" help:"requester or provider."`
	speaker
}

// Run prints the attestations of a month, one a line. Partners with few requests
// are told together.
func (c logMonth) Run(w *world) error {
	l, a, err := c.open(w)
	if err != nil {
		return err
	}
	defer l.db.Close()
	all, err := l.AttestMonth(w, a, c.Role, c.Month)
	if err != nil {
		return refusal(c.Month, err)
	}
	out := json.NewEncoder(w.out)
	for _, said := range all {
		if err := out.Encode(said); err != nil {
			return err
		}
	}
	return nil
}

type logMatch struct {
	Ours   string `arg:"" type:"existingfile" help:"Attestation of one side."`
	Theirs string `arg:"" type:"existingfile" help:"Attestation of the other side."`
	Config string `required:"" type:"existingfile" help:"Configuration file of a node: its own certificate and those of its P-Mode are believed, each for its country."`
}

// Run prints the two facts, ready for oots facts import, when both signatures
// hold and both sides speak of the same exchange; otherwise the answer is no.
func (c logMatch) Run(w *world) error {
	config, err := readNodeConfig(c.Config)
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
	known := map[string][]*x509.Certificate{config.Country: {party.Sign.Cert()}}
	for _, p := range mode.Partners {
		known[strings.ToUpper(p.Name)] = append(known[strings.ToUpper(p.Name)], p.Sign...)
	}
	var said [2]*exchange.Attestation
	for i, file := range []string{c.Ours, c.Theirs} {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		said[i], err = exchange.ReadAttestation(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	facts, err := exchange.Witness{SpeaksFor: exchange.Speakers(known)}.Exchange(said[0], said[1])
	if err != nil {
		return refusal("nothing to record", err)
	}
	for i := range facts {
		if _, err := fmt.Fprintf(w.out, "%s\n", ledger.AppendLine(nil, &facts[i])); err != nil {
			return err
		}
	}
	return nil
}
