// Package peer plays peer tests over a running network and probes its access
// points: it is the projectathon.Driver and projectathon.Prober of systems that
// need no hands.
//
// Both sides are driven through the interfaces that portals and preview spaces
// use; the platform plays the person. A side is blamed for what it sent or did
// not send; what the platform cannot play is its own error.
package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/validator"
)

// Driver plays the cases of its table: TC01, TC02, TC06, TC06_b, TC08 and TC32.
// Connect it to the network whose plan records into its Recorder.
type Driver struct {
	network  *network.Network
	recorder *Recorder
	judge    *validator.Validator
}

// New makes a driver for a network whose Plan.Record is r.Record.
func New(n *network.Network, r *Recorder) *Driver {
	return &Driver{n, r, validator.New(validator.Config{})}
}

// Recorder keeps what crossed a network, by conversation, until it is taken.
type Recorder struct {
	mu  sync.Mutex
	all map[string][]network.Crossing
}

// mostConversations and mostCrossings bound what nobody takes.
const (
	mostConversations = 5000
	mostCrossings     = 40
)

// Record is for network.Plan.
func (r *Recorder) Record(c network.Crossing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := c.Header.ConversationID
	if r.all == nil || len(r.all) >= mostConversations && r.all[id] == nil {
		r.all = map[string][]network.Crossing{}
	}
	if len(r.all[id]) < mostCrossings {
		r.all[id] = append(r.all[id], c)
	}
}

// take gives the messages of a conversation in the order in which they came.
func (r *Recorder) take(conversation string) []network.Crossing {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer delete(r.all, conversation)
	return r.all[conversation]
}

// ending is what a case must come to.
type ending struct {
	person  string
	preview bool
	send    bool // in the preview
	other   bool // the person identifies by another source
	logs    bool // both logs are compared

	state     exchange.State
	documents int
	codes     []string // of the problem; none: no problem
}

var endings = map[string]ending{
	"TC01":   {person: "Check", state: exchange.Delivered, documents: 1},
	"TC02":   {person: network.NobodyName, state: exchange.Failed, codes: []string{"EDM:ERR:0004"}},
	"TC06":   {person: "Check", preview: true, send: true, state: exchange.Delivered, documents: 1},
	"TC06_b": {person: "Check", preview: true, send: true, other: true, state: exchange.Delivered, documents: 1},
	"TC08":   {person: "Check", preview: true, state: exchange.Delivered},
	"TC32":   {person: "Check", logs: true, state: exchange.Delivered, documents: 1},
}

// Cases are those that the driver can play.
func Cases() []string {
	var all []string
	for id := range endings {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// playing is one test under way.
type playing struct {
	*Driver
	test             projectathon.PeerTest
	asks, answers    *network.Node
	asker, answerer  string // systems
	conversation, id string
	out              projectathon.Played
}

// Play is projectathon.Driver.
func (d *Driver) Play(ctx context.Context, t projectathon.PeerTest) (projectathon.Played, error) {
	want, ok := endings[t.Case]
	if !ok {
		return projectathon.Played{}, fmt.Errorf("%s cannot be played automatically; these can: %s", t.Case, strings.Join(Cases(), " "))
	}
	p := &playing{Driver: d, test: t, asks: d.network.Node(t.Sides[0].Country), answers: d.network.Node(t.Sides[1].Country),
		asker: t.Sides[0].System, answerer: t.Sides[1].System, out: projectathon.Played{Steps: map[string]string{}}}
	if p.asks == nil || p.answers == nil {
		return p.out, errors.New("a side of the test has no node in this network")
	}
	err := p.play(ctx, want)
	if ctx.Err() != nil && !errors.As(err, new(*blame)) {
		err = &blame{p.answerer, "answer", "A-TIME", "no end came within the time of the test"}
	}
	var b *blame
	switch {
	case errors.As(err, &b):
		p.out.Steps[b.step] = "failed"
		p.out.Findings = append(p.out.Findings, projectathon.Finding{Assertion: b.assertion, System: b.system, Text: b.text})
	case err != nil:
		return p.out, err
	}
	p.messages()
	for _, s := range t.Steps {
		if p.out.Steps[s.ID] == "" {
			p.out.Steps[s.ID] = map[bool]string{true: "completed", false: "skipped"}[err == nil]
		}
	}
	return p.out, nil
}

// blame is an assertion that does not hold, and whose fault that is.
type blame struct{ system, step, assertion, text string }

func (b *blame) Error() string { return b.assertion + ": " + b.text }

func (p *playing) holds(system, assertion string) {
	p.out.Findings = append(p.out.Findings, projectathon.Finding{Assertion: assertion, System: system, Holds: true})
}

func (p *playing) play(ctx context.Context, want ending) error {
	c, err := p.asks.Ask(ctx, exchange.Wish{Procedure: "00", Country: p.answers.Country, Requirements: []string{seed.Requirement("test-0")},
		Subject: network.Natural(want.person, ""), Languages: []string{"EN"}, Explicit: true, Preview: want.preview}, "application/pdf")
	if err != nil {
		return &blame{p.asker, "lookup", "A-LOOKUP", err.Error()}
	}
	p.holds(p.asker, "A-LOOKUP")
	p.conversation, p.id = c.ID, c.Exchanges[0].ID
	if want.preview {
		x, err := p.asks.Await(ctx, p.id, exchange.PreviewRequired)
		if err != nil {
			return &blame{p.answerer, "exception", "A-PREVIEW", "no exception with a preview link came"}
		}
		if x.State != exchange.PreviewRequired {
			return &blame{p.answerer, "exception", "A-PREVIEW", fmt.Sprintf("no preview is offered; the exchange is %s", x.State)}
		}
		p.holds(p.answerer, "A-PREVIEW")
		who := network.Visitor(network.Natural(want.person, ""))
		if want.other {
			who.Identifier = ""
		}
		if err := p.network.Preview(ctx, p.asks, p.id, who, want.send); err != nil {
			return &blame{p.answerer, "decide", "A-DECIDE", "the person cannot decide in the preview: " + err.Error()}
		}
		p.holds(p.answerer, "A-DECIDE")
	}
	x, err := p.asks.Await(ctx, p.id)
	if err != nil {
		return &blame{p.answerer, "answer", "A-END", "the exchange comes to no end"}
	}
	if err := p.end(x, want); err != nil {
		return err
	}
	p.holds(p.answerer, "A-END")
	if len(x.Doubts) > 0 {
		return &blame{p.answerer, "use", "A-DOUBT", "the answer raises doubts: " + strings.Join(x.Doubts, ", ")}
	}
	if want.documents > 0 {
		all, err := p.asks.Requester.Collect(ctx, p.id)
		if err != nil || len(all) != want.documents {
			return &blame{p.asker, "use", "A-USE", fmt.Sprintf("the portal gets %d documents of %d", len(all), want.documents)}
		}
		p.holds(p.asker, "A-USE")
	}
	if want.logs {
		return p.logs(ctx, x)
	}
	return nil
}

// end holds an exchange to what the case must come to.
func (p *playing) end(x *exchange.Exchange, want ending) error {
	code := ""
	if x.Problem != nil {
		code = x.Problem.Code
	}
	fine := x.State == want.state && len(x.Documents) == want.documents && (len(want.codes) == 0 && code == "" || slices.Contains(want.codes, code))
	if fine {
		return nil
	}
	expected := strings.TrimSpace(string(want.state) + " " + strings.Join(want.codes, " or "))
	return &blame{p.answerer, "answer", "A-END", fmt.Sprintf("found: %s %s with %d documents; expected: %s with %d", x.State, code, len(x.Documents), expected, want.documents)}
}

// logs compares what both sides say about the exchange (TDD 4.8).
func (p *playing) logs(ctx context.Context, x *exchange.Exchange) error {
	var said [2]string
	for i, n := range []*network.Node{p.asks, p.answers} {
		entries, err := n.Log.Find(ctx, x.Requests[0])
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Event == exchange.AnswerSent || e.Event == exchange.AnswerReceived {
				var sums []string
				for _, part := range e.Evidence {
					sums = append(sums, part.SHA256)
				}
				said[i] = fmt.Sprint(e.Request, e.Conversation, e.Procedure, e.EvidenceType, e.Outcome, sums)
			}
		}
	}
	switch {
	case said[0] == "":
		return &blame{p.asker, "use", "A-LOG", "its log knows no answer"}
	case said[1] == "":
		return &blame{p.answerer, "use", "A-LOG", "its log knows no answer"}
	case said[0] != said[1]:
		return &blame{p.answerer, "use", "A-LOG", "the two extracts differ"}
	}
	p.holds(p.asker, "A-LOG")
	p.holds(p.answerer, "A-LOG")
	return nil
}

// messages judges every message that crossed and keeps it as evidence that both
// sides may open.
func (p *playing) messages() {
	for _, c := range p.recorder.take(p.conversation) {
		sender, country, direction := p.asker, p.asks.Country, "sent"
		if c.From == p.answers.Country {
			sender, country, direction = p.answerer, p.answers.Country, "received"
		}
		item := projectathon.Item{Producer: sender, Country: country, Direction: direction, Confidentiality: "shared", MediaType: "application/xml"}
		item.Kind = "envelope"
		p.out.Evidence = append(p.out.Evidence, projectathon.Captured{Item: item, Octets: c.Envelope})
		item.Kind = "regrep"
		p.out.Evidence = append(p.out.Evidence, projectathon.Captured{Item: item, Octets: c.Body})
		report := p.judge.Validate(c.Body, validator.Options{})
		if !report.Refused() {
			p.holds(sender, "EDM-MSG:"+c.Action)
			continue
		}
		text := "the message is refused"
		if len(report.Findings) > 0 {
			f := report.Findings[0]
			text = f.Rule + ": " + f.Mend
		}
		p.out.Findings = append(p.out.Findings, projectathon.Finding{Assertion: "EDM-MSG:" + c.Action, System: sender, Text: text})
	}
}

// Probe is projectathon.Prober: a signed AS4 test message with its receipt.
func (d *Driver) Probe(ctx context.Context, from, to projectathon.Registration) error {
	a, b := d.network.Node(from.Country), d.network.Node(to.Country)
	if a == nil || b == nil {
		return errors.New("a side has no node in this network")
	}
	partner := a.AP.PMode.Partner(network.PartyOf(to.Country))
	if partner == nil {
		return fmt.Errorf("%s does not know the access point of %s", from.Country, to.Country)
	}
	answer, err := a.AP.Ping(ctx, partner, from.Country+"PORTAL01", to.Country+"REGISTER01")
	switch {
	case err != nil:
		return err
	case answer.Code != "":
		return fmt.Errorf("%s: %s", answer.Code, answer.Detail)
	}
	return nil
}
