package orders

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

// Node is a node that takes orders. What it lacks, the orders about it are
// unsupported.
type Node struct {
	Exchange *exchange.Node
	AP       *as4.AccessPoint
	// Directories that the requester asks; nil for a node that asks none.
	Directories *Directories
	// Metadata is what the country submits, Submit how: it tells where the answer
	// will come. nil for a node that submits none.
	Metadata *partner.Metadata
	Submit   func(ctx context.Context, raw []byte) (answer <-chan []byte, err error)
	// Stop takes the access point off the network, or back; Cut the registers.
	// Optional.
	Stop, Cut func(bool)

	mu        sync.Mutex
	open      []string // exchanges whose preview link the person has still to follow
	submitted int
	sent      []*submission // the last mostOpen of them
}

// mostOpen bounds the orders that wait for something.
const mostOpen = 1000

// order is how one word is carried out.
type order func(n *Node, ctx context.Context, args map[string]string) (testbed.Outcome, error)

// orders are all words that the node knows.
var orders = map[string]order{
	"request": (*Node).request,
	"outcome": (*Node).outcome,
	"query":   (*Node).query,
	"forget":  (*Node).forget,
	"submit":  (*Node).submit,
	"visit":   (*Node).visit,
	"log":     (*Node).log,
	"stop": func(n *Node, _ context.Context, _ map[string]string) (testbed.Outcome, error) {
		return pull(n.Stop, true)
	},
	"start": func(n *Node, _ context.Context, _ map[string]string) (testbed.Outcome, error) {
		return pull(n.Stop, false)
	},
	"cut": func(n *Node, _ context.Context, _ map[string]string) (testbed.Outcome, error) {
		return pull(n.Cut, true)
	},
	"mend": func(n *Node, _ context.Context, _ map[string]string) (testbed.Outcome, error) {
		return pull(n.Cut, false)
	},
}

func pull(lever func(bool), to bool) (testbed.Outcome, error) {
	if lever == nil {
		return testbed.Outcome{}, testbed.ErrUnsupported
	}
	lever(to)
	return testbed.Outcome{State: "done"}, nil
}

// Drive is testbed.Driver.
func (n *Node) Drive(ctx context.Context, o testbed.Order) (testbed.Outcome, error) {
	do := orders[o.Do]
	if do == nil {
		return testbed.Outcome{}, testbed.ErrUnsupported
	}
	return do(n, ctx, o.Args)
}

// request asks for evidence about a test person.
func (n *Node) request(ctx context.Context, args map[string]string) (testbed.Outcome, error) {
	r := n.Exchange.Requester
	if r == nil || n.Directories == nil || args["invalid"] != "" {
		return testbed.Outcome{}, testbed.ErrUnsupported // an honest node sends no invalid request
	}
	w := exchange.Wish{Procedure: args["procedure"], Country: args["country"], Languages: []string{"EN"}, Explicit: true, Preview: args["preview"] == "yes", Subject: subjectOf(args)}
	if q := args["requirement"]; q != "" {
		w.Requirements = []string{q}
	}
	p, err := r.Plan(ctx, w)
	if answer := args["answer"]; err == nil && answer != "" { // to whatever the directories ask
		w.Answers = map[string]string{}
		for _, q := range p.Questions() {
			w.Answers[q.ID] = answer
		}
		p, err = r.Plan(ctx, w)
	}
	if err != nil {
		return testbed.Outcome{State: "failed", Detail: err.Error()}, nil
	}
	choices := p.First()
	if t := args["type"]; t != "" {
		choices = slices.DeleteFunc(choices, func(c exchange.Choice) bool {
			return p.Needs[c.Need].Alternatives[c.Alternative].Offers[c.Offer].Type.Classification != t
		})
	}
	if len(choices) == 0 {
		return testbed.Outcome{State: "failed", Detail: "the directories name nobody who has this"}, nil
	}
	choice := choices[:1]
	if f := args["format"]; f != "" {
		choice[0].Formats = []string{f}
	}
	c, err := r.Request(ctx, "", p, choice)
	if err != nil {
		return testbed.Outcome{State: "failed", Detail: err.Error()}, nil
	}
	x := c.Exchanges[0]
	if w.Preview {
		n.mu.Lock()
		defer n.mu.Unlock()
		if len(n.open) >= mostOpen {
			n.open = n.open[1:]
		}
		n.open = append(n.open, x.ID)
	}
	return told(x), nil
}

// subjectOf is whom a request is about: a test person, or what the order says of
// one.
func subjectOf(args map[string]string) exchange.Subject {
	assurance := cmp.Or(args["assurance"], "High")
	if name := strings.ReplaceAll(args["legal"], "_", " "); name != "" {
		return exchange.Subject{LegalPerson: &sdg.LegalPerson{LevelOfAssurance: assurance, LegalName: name,
			LegalIdentifier: &sdg.Identifier{Scheme: "eidas", Value: cmp.Or(args["identifier"], partner.SpecimenOrganisation.Identifier)}}}
	}
	s := partner.SpecimenOf(cmp.Or(args["family"], partner.UsualName))
	return exchange.Subject{NaturalPerson: &sdg.Person{LevelOfAssurance: assurance, FamilyName: s.Family, GivenName: cmp.Or(args["given"], s.Given),
		DateOfBirth: cmp.Or(args["born"], s.Born), Identifier: &sdg.Identifier{Scheme: "eidas", Value: cmp.Or(args["identifier"], s.Identifier)}}}
}

// states are those of the requester in the words of docs/cases.md.
var states = map[exchange.State]string{exchange.Sent: "sent", exchange.PreviewRequired: "preview", exchange.PreviewOpen: "preview", exchange.Delivered: "delivered",
	exchange.Deferred: "deferred", exchange.Failed: "failed"}

func told(x *exchange.Exchange) testbed.Outcome {
	o := testbed.Outcome{State: states[x.State], Fields: map[string]string{"order": x.ID, "documents": fmt.Sprint(len(x.Documents))}}
	if x.Preview != nil {
		o.Fields["preview"] = x.Preview.Location
	}
	switch {
	case x.State == exchange.Delivered && len(x.Documents) == 0:
		o.State = "nothing"
	case x.State == exchange.Delivered && len(x.Doubts) > 0:
		o.State, o.Detail = "review", strings.Join(x.Doubts, ", ")
	}
	if x.Problem != nil {
		o.Code, o.Detail = x.Problem.Code, x.Problem.Detail
		if x.State == exchange.Failed && strings.HasPrefix(o.Code, "EDM:ERR:") {
			o.State = "refused"
		}
	}
	return o
}

// Follow lets the person follow the preview links that have come, by which the
// second requests go out, and tells whether there were any.
func (n *Node) Follow(ctx context.Context) (worked bool, err error) {
	n.mu.Lock()
	open := slices.Clone(n.open)
	n.mu.Unlock()
	for _, id := range open {
		x, err := n.Exchange.Requester.Exchange(ctx, id)
		if err != nil {
			return worked, err
		}
		if x.State == exchange.Sent {
			continue
		}
		n.mu.Lock()
		n.open = slices.DeleteFunc(n.open, func(o string) bool { return o == id })
		n.mu.Unlock()
		if x.State != exchange.PreviewRequired {
			continue
		}
		worked = true
		if _, err := n.Exchange.Requester.Redirect(ctx, id); err != nil {
			return worked, err
		}
	}
	return worked, nil
}

// Settle does everything that is due at the node's time, for a node that works
// only when it is told to, and tells whether that was anything.
func (n *Node) Settle(ctx context.Context) (worked bool, err error) {
	for range 100 { // a bound on how long it may keep itself busy
		done, err := n.Exchange.WorkDue(ctx)
		if err != nil {
			return worked, err
		}
		pushed, err := n.AP.SendDue(ctx)
		if err != nil {
			return worked, err
		}
		followed, err := n.Follow(ctx)
		if err != nil {
			return worked, err
		}
		if done == 0 && pushed == 0 && !followed {
			return worked, nil
		}
		worked = true
	}
	return worked, nil
}

// outcome tells how an earlier order stands.
func (n *Node) outcome(ctx context.Context, args map[string]string) (testbed.Outcome, error) {
	id := args["order"]
	if out, ok := n.answered(id); ok {
		return out, nil
	}
	if n.Exchange.Requester == nil {
		return testbed.Outcome{}, testbed.ErrUnsupported
	}
	x, err := n.Exchange.Requester.Exchange(ctx, id)
	if err != nil {
		return testbed.Outcome{}, fmt.Errorf("there is no order %.80q", id)
	}
	return told(x), nil
}

func (n *Node) query(ctx context.Context, args map[string]string) (testbed.Outcome, error) {
	if n.Directories == nil {
		return testbed.Outcome{}, testbed.ErrUnsupported
	}
	t, err := partner.Query(ctx, n.Directories.client(), args)
	if errors.Is(err, partner.ErrUnsupported) {
		err = testbed.ErrUnsupported
	}
	return testbed.Outcome{State: t.State, Code: t.Code, Detail: t.Detail, Fields: t.Fields, Rows: t.Rows}, err
}

func (n *Node) forget(context.Context, map[string]string) (testbed.Outcome, error) {
	if n.Directories == nil {
		return testbed.Outcome{}, testbed.ErrUnsupported
	}
	return testbed.Outcome{State: "done"}, n.Directories.Forget()
}

// log tells what the log of Article 17 says about a conversation: messages, and
// nothing of whom they are about.
func (n *Node) log(ctx context.Context, args map[string]string) (testbed.Outcome, error) {
	entries, err := n.Exchange.Log.Find(ctx, args["conversation"])
	if err != nil {
		return testbed.Outcome{}, err
	}
	out := testbed.Outcome{State: "log"}
	for _, e := range entries {
		direction, answer := "", false
		switch e.Event {
		case exchange.RequestReceived:
			direction = "received"
		case exchange.AnswerReceived:
			direction, answer = "received", true
		case exchange.RequestSent:
			direction = "sent"
		case exchange.AnswerSent:
			direction, answer = "sent", true
		default:
			continue
		}
		action := as4.ActionRequest
		if answer {
			if action = as4.ActionResponse; strings.HasPrefix(e.Outcome, "EDM:ERR:") {
				action = as4.ActionException
			}
		}
		sum := sha256.Sum256(e.Document)
		row := map[string]string{"event": direction, "action": action, "message": e.Message, "conversation": e.Conversation, "party": e.Partner.Value,
			"at": e.At.UTC().Format("2006-01-02T15:04:05.000Z"), "digest": hex.EncodeToString(sum[:]), "receipt": "yes"}
		if direction == "sent" {
			if m, _, err := n.AP.Store.Sent(ctx, e.Message); err != nil || m.State != as4.Acknowledged {
				row["receipt"] = "no"
			}
		}
		out.Rows = append(out.Rows, row)
	}
	out.Fields = map[string]string{"count": fmt.Sprint(len(out.Rows))}
	return out, nil
}
