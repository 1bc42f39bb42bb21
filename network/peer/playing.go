package peer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/sdg"
)

// playing is one test under way.
type playing struct {
	*Driver
	*barrier
	test            *projectathon.PeerTest
	nodes           []*network.Node // of the sides
	asks, answers   *network.Node   // the first two
	asker, answerer string          // their systems
	conversation    string
	bent            bool // the asking side sent what the case made it send
	out             projectathon.Played
}

// blame is an assertion that does not hold, and whose fault that is.
type blame struct{ system, step, assertion, text string }

func (b *blame) Error() string { return b.assertion + ": " + b.text }

func (p *playing) holds(system, assertion string) {
	p.out.Findings = append(p.out.Findings, projectathon.Finding{Assertion: assertion, System: system, Holds: true})
}

// check is the wish of the system check, which every country has: any pair can
// test.
func (p *playing) check(person string) exchange.Wish {
	return p.wish("00", seed.Requirement("test-0"), network.Natural(person, ""))
}

func (p *playing) wish(procedure, requirement string, s exchange.Subject) exchange.Wish {
	return exchange.Wish{Procedure: procedure, Country: p.answers.Country, Requirements: []string{requirement}, Subject: s, Languages: []string{"EN"}, Explicit: true}
}

func previewed(w exchange.Wish) exchange.Wish { w.Preview = true; return w }

// plan asks the directories.
func (p *playing) plan(ctx context.Context, w exchange.Wish) (*exchange.Plan, error) {
	plan, err := p.asks.Requester.Plan(ctx, w)
	if err != nil {
		return nil, &blame{p.asker, "lookup", "A-LOOKUP", err.Error()}
	}
	p.holds(p.asker, "A-LOOKUP")
	return plan, nil
}

const pdf, structured = "application/pdf", "application/xml"

// ask plans a wish and sends the request for the plainest choice.
func (p *playing) ask(ctx context.Context, w exchange.Wish, format string) (*exchange.Exchange, error) {
	plan, err := p.plan(ctx, w)
	if err != nil {
		return nil, err
	}
	return p.request(ctx, plan, plan.First(), format)
}

// request sends the request for a choice; a further one joins the conversation.
func (p *playing) request(ctx context.Context, plan *exchange.Plan, choices []exchange.Choice, format string) (*exchange.Exchange, error) {
	if len(choices) == 0 {
		return nil, &blame{p.answerer, "lookup", "A-LOOKUP", "the directories name no service of the provider that could be asked"}
	}
	choice := choices[0]
	choice.Formats = []string{format}
	c, err := p.asks.Requester.Request(ctx, p.conversation, plan, []exchange.Choice{choice})
	if err != nil {
		return nil, &blame{p.asker, "request", "A-REQUEST", err.Error()}
	}
	return c.Exchanges[len(c.Exchanges)-1], nil
}

// end is what an exchange must come to.
type end struct {
	state     exchange.State
	documents int
	codes     []string // of the problem; none: no problem
	of        string   // system that is blamed; "": the provider
}

// delivered is the end of most cases.
func delivered(documents int) end { return end{state: exchange.Delivered, documents: documents} }

func failed(codes ...string) end { return end{state: exchange.Failed, codes: codes} }

// words say how an exchange ended.
func words(state exchange.State, code string, documents int) string {
	switch {
	case code != "":
		return fmt.Sprintf("%s with %s", state, code)
	case documents == 1:
		return fmt.Sprintf("%s with 1 document", state)
	}
	return fmt.Sprintf("%s with %d documents", state, documents)
}

// ends waits for the end of an exchange and holds it to what must be.
func (p *playing) ends(ctx context.Context, x *exchange.Exchange, want end) (*exchange.Exchange, error) {
	of := want.of
	if of == "" {
		of = p.answerer
	}
	x, err := p.asks.Await(ctx, x.ID, want.state)
	if err != nil {
		return nil, &blame{of, "answer", "A-END", "the exchange comes to no end"}
	}
	code := ""
	if x.Problem != nil {
		code = x.Problem.Code
	}
	if len(want.codes) == 0 {
		want.codes = []string{""}
	}
	if x.State != want.state || !slices.Contains(want.codes, code) || len(x.Documents) != want.documents {
		return nil, &blame{of, "answer", "A-END", fmt.Sprintf("found: %s; expected: %s", words(x.State, code, len(x.Documents)), words(want.state, strings.Join(want.codes, " or "), want.documents))}
	}
	p.holds(of, "A-END")
	if len(x.Doubts) > 0 {
		return nil, &blame{p.answerer, "use", "A-DOUBT", "the answer raises doubts: " + strings.Join(x.Doubts, ", ")}
	}
	return x, nil
}

// uses is the end of an exchange whose documents the portal takes.
func (p *playing) uses(ctx context.Context, x *exchange.Exchange, want end) ([]exchange.Content, error) {
	x, err := p.ends(ctx, x, want)
	if err != nil {
		return nil, err
	}
	all, err := p.asks.Requester.Collect(ctx, x.ID)
	if err != nil || len(all) != want.documents {
		return nil, &blame{p.asker, "use", "A-USE", fmt.Sprintf("the portal gets %d documents of %d", len(all), want.documents)}
	}
	p.holds(p.asker, "A-USE")
	return all, nil
}

// linked waits until a preview is offered; nothing but that may have come.
func (p *playing) linked(ctx context.Context, x *exchange.Exchange) (*exchange.Exchange, error) {
	x, err := p.asks.Await(ctx, x.ID, exchange.PreviewRequired)
	if err != nil {
		return nil, &blame{p.answerer, "exception", "A-PREVIEW", "no exception with a preview link came"}
	}
	if x.State != exchange.PreviewRequired {
		code := ""
		if x.Problem != nil {
			code = x.Problem.Code
		}
		return nil, &blame{p.answerer, "exception", "A-PREVIEW", "no preview is offered; the exchange is " + words(x.State, code, len(x.Documents))}
	}
	p.holds(p.answerer, "A-PREVIEW")
	return x, nil
}

// decides plays the person in the preview.
func (p *playing) decides(ctx context.Context, x *exchange.Exchange, who exchange.Identity, send bool) error {
	x, err := p.linked(ctx, x)
	if err != nil {
		return err
	}
	if err := p.network.Preview(ctx, p.asks, x.ID, who, send); err != nil {
		return &blame{p.answerer, "decide", "A-DECIDE", "the person cannot decide in the preview: " + err.Error()}
	}
	p.holds(p.answerer, "A-DECIDE")
	return nil
}

// follows opens the preview and leaves it there: the second request is sent, no
// decision comes. It returns the session.
func (p *playing) follows(ctx context.Context, x *exchange.Exchange) (session string, err error) {
	if x, err = p.linked(ctx, x); err != nil {
		return "", err
	}
	if _, err := p.asks.Requester.Redirect(ctx, x.ID); err != nil {
		return "", &blame{p.asker, "again", "A-AGAIN", err.Error()}
	}
	provider, session, err := p.network.Link(x.Preview.Location)
	if err != nil {
		return "", &blame{p.answerer, "exception", "A-PREVIEW", err.Error()}
	}
	if _, err := provider.Provider.Open(ctx, session); err != nil {
		return "", &blame{p.answerer, "decide", "A-DECIDE", "the preview does not open: " + err.Error()}
	}
	return session, p.tried(ctx, x, 1)
}

// tried waits until the last message of an exchange was tried so often, or needs
// no further try.
func (p *playing) tried(ctx context.Context, x *exchange.Exchange, tries int) error {
	if err := p.asks.Tried(ctx, x.ID, tries); err != nil {
		return &blame{p.asker, "request", "A-RETRY", err.Error()}
	}
	return nil
}

// came holds the messages that crossed so far to their actions.
func (p *playing) came(ctx context.Context, actions ...string) error {
	all, err := p.bench.crossed(ctx, p.conversation, len(actions))
	var got []string
	for _, c := range all {
		got = append(got, c.Action)
	}
	if err != nil || !slices.Equal(got, actions) {
		return &blame{p.answerer, "answer", "A-FLOW", fmt.Sprintf("the messages are %v; expected: %v", got, actions)}
	}
	p.holds(p.answerer, "A-FLOW")
	return nil
}

// who is the person of a wish as they come to the preview; elsewhere the same
// person whom the provider identifies by its own means, which write the name
// otherwise and know no eIDAS identifier.
func who(s exchange.Subject) exchange.Identity { return network.Visitor(s) }

func elsewhere(s exchange.Subject) exchange.Identity {
	v := network.Visitor(s)
	v.Identifier, v.FamilyName = "", strings.ReplaceAll(strings.ToUpper(v.FamilyName), "A", "Á")
	return v
}

// retryPause is just longer than the pause between two tries of an access point
// (as4.Retry: four tries in twelve minutes).
const retryPause = 3*time.Minute + time.Second

// offer is an evidence that the asking country's procedures need and the other
// country issues, as the directories announce it.
type offer struct {
	procedure, requirement string
	record                 sdg.DataServiceEvidenceType
	alternatives           int // lists that prove the requirement
}

// offers are those between the two sides that pass, in the order of the data set.
func (p *playing) offers(pass func(o offer) bool) (all []offer) {
	mine, theirs := p.network.Lifecycle.Part(p.asks.Country), p.network.Lifecycle.Part(p.answers.Country)
	if mine == nil || theirs == nil {
		return nil
	}
	for _, f := range mine.Frameworks {
		for _, requirement := range f.Requirements {
			var types []string
			lists := 0
			for _, l := range theirs.Lists {
				if slices.Contains(l.Requirements, requirement) {
					types, lists = append(types, l.Types...), lists+1
				}
			}
			for _, r := range theirs.Records {
				if o := (offer{f.Procedures[0], requirement, r, lists}); slices.Contains(types, r.Classification) && pass(o) {
					all = append(all, o)
				}
			}
		}
	}
	return all
}

// need is for a script: the sides must have an offer that passes.
func need(pass func(o offer) bool, what string) func(*playing) error {
	return func(p *playing) error {
		if len(p.offers(pass)) == 0 {
			return fmt.Errorf("the directories have %s between %s and %s", what, p.asks.Country, p.answers.Country)
		}
		return nil
	}
}
