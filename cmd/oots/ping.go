package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

type ping struct {
	Party  string `arg:"" help:"Short name or party id of the partner."`
	Config string `required:"" type:"existingfile" help:"Configuration file of the node."`
}

// Run sends a test message to a partner and tells in words what came of it.
func (c ping) Run(w *world) error {
	config, err := readNodeConfig(c.Config)
	if err != nil {
		return err
	}
	memory := &as4.Memory{}
	ap, _, err := config.accessPoint(memory, memory, "", refuseAll{}, nil, nil)
	if err != nil {
		return err
	}
	partner := ap.PMode.Named(c.Party)
	if partner == nil {
		var names []string
		for _, p := range ap.PMode.Partners {
			names = append(names, p.ID.Value)
		}
		return fmt.Errorf("no partner is called %s; the P-Mode knows %s", c.Party, strings.Join(names, ", "))
	}
	ctx, stop := context.WithTimeout(w, time.Minute)
	defer stop()
	p, err := ap.Ping(ctx, partner, ap.PMode.Self.ID.Value, partner.ID.Value)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "%s at %s, after %s: %s\n", partner.ID.Value, partner.URL, p.Took.Round(time.Millisecond), explainPing(p))
	if p.Code != "" {
		return no("%s does not acknowledge", partner.ID.Value)
	}
	return nil
}

// refuseAll is the corner behind an access point that only asks.
type refuseAll struct{}

func (refuseAll) Deliver(context.Context, *as4.Message) error {
	return errors.New("this access point takes no messages")
}

// pingWords say what a failed ping means and what to do about it.
var pingWords = map[ebms.Code]string{
	ebms.ConnectionFailure:      "nobody answers. Check address, firewall and TLS certificate of the partner.",
	ebms.MissingReceipt:         "something answers, but not with an AS4 signal. Is a proxy in front, or is the path wrong?",
	ebms.InvalidReceipt:         "a receipt came, but it is not the partner's receipt for what was sent. Compare the signing certificate in the P-Mode with the partner's.",
	ebms.FailedAuthentication:   "the partner does not accept our signature. Give it our current signing certificate.",
	ebms.FailedDecryption:       "the partner cannot decrypt. Ask for its current encryption certificate.",
	ebms.PolicyNoncompliance:    "the partner wants other security. Compare the algorithms.",
	ebms.ProcessingModeMismatch: "the partner has no agreement with us for the test service. Compare party ids and properties.",
	ebms.ValueInconsistent:      "the partner is called otherwise, or its clock differs. Compare party ids, roles and time.",
	ebms.ValueNotRecognized:     "the partner has no leg for the test service.",
}

func explainPing(p as4.Pinged) string {
	if p.Code == "" {
		return "acknowledged with a signed receipt that repeats what was sent. The connection works in this direction."
	}
	words := pingWords[p.Code]
	if words == "" {
		words = p.Detail + "."
	}
	who := ""
	if p.Status != 0 {
		who = fmt.Sprintf("HTTP %d, %s: ", p.Status, p.Code)
		if !p.Signed && p.Code != ebms.MissingReceipt && p.Code != ebms.InvalidReceipt {
			who = fmt.Sprintf("HTTP %d, %s without the partner's signature: ", p.Status, p.Code)
		}
	}
	return who + words
}
