package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/validator"
)

// test is one peer test of a pair.
type test struct {
	kase                string
	requester, provider *network.Node

	conversation string
	err          error // why it did not pass
	evidence     []network.Crossing
	at           time.Time
}

// patience is how long a step of a test may take: long enough that a loaded
// machine is never taken for a silent partner.
const patience = 100 * time.Second

// wish is for the system check, which every country has: any pair can test.
func wish(provider, person string, preview bool) exchange.Wish {
	return exchange.Wish{Procedure: "00", Country: provider, Requirements: []string{seed.Requirement("test-0")},
		Subject: network.Natural(person, ""), Languages: []string{"EN"}, Explicit: true, Preview: preview}
}

// ask begins a test.
func (t *test) ask(ctx context.Context, person string, preview bool) (*exchange.Exchange, error) {
	c, err := t.requester.Ask(ctx, wish(t.provider.Country, person, preview), "application/pdf")
	if err != nil {
		return nil, err
	}
	t.conversation = c.ID
	return c.Exchanges[0], nil
}

// outcome says in words how an exchange ended.
func outcome(state exchange.State, code string, documents int) string {
	switch {
	case code != "":
		return fmt.Sprintf("%s with %s", state, code)
	case documents == 1:
		return fmt.Sprintf("%s with 1 document", state)
	}
	return fmt.Sprintf("%s with %d documents", state, documents)
}

// ends waits for the end of an exchange and holds it to what must be.
func (t *test) ends(ctx context.Context, id string, state exchange.State, documents int, codes ...string) error {
	x, err := t.requester.Await(ctx, id)
	if err != nil {
		return err
	}
	code := ""
	if x.Problem != nil {
		code = x.Problem.Code
	}
	if len(codes) == 0 {
		codes = []string{""}
	}
	if x.State != state || !slices.Contains(codes, code) || len(x.Documents) != documents {
		return fmt.Errorf("the exchange is %s; expected %s", outcome(x.State, code, len(x.Documents)), outcome(state, strings.Join(codes, " or "), documents))
	}
	if len(x.Doubts) > 0 {
		return fmt.Errorf("the answer raises doubts: %s", strings.Join(x.Doubts, ", "))
	}
	return nil
}

// decide is a preview to its end.
func (t *test) decide(ctx context.Context, n *network.Network, send bool, documents int) error {
	x, err := t.ask(ctx, "Check", true)
	if err != nil {
		return err
	}
	if x, err = t.requester.Await(ctx, x.ID, exchange.PreviewRequired); err != nil {
		return err
	}
	if x.State != exchange.PreviewRequired {
		return fmt.Errorf("no preview is offered; the exchange is %s", x.State)
	}
	if err := n.Preview(ctx, t.requester, x.ID, network.Visitor(network.Natural("Check", "")), send); err != nil {
		return err
	}
	return t.ends(ctx, x.ID, exchange.Delivered, documents)
}

// left begins a preview and leaves it before or after the link is followed.
func (t *test) left(ctx context.Context, n *network.Network, follow bool) (id string, err error) {
	x, err := t.ask(ctx, "Check", true)
	if err != nil {
		return "", err
	}
	if x, err = t.requester.Await(ctx, x.ID, exchange.PreviewRequired); err != nil {
		return "", err
	}
	if x.State != exchange.PreviewRequired {
		return "", fmt.Errorf("no preview is offered; the exchange is %s", x.State)
	}
	if !follow {
		return x.ID, nil
	}
	if _, err := t.requester.Requester.Redirect(ctx, x.ID); err != nil {
		return "", err
	}
	provider, session, err := n.Link(x.Preview.Location)
	if err != nil {
		return "", err
	}
	_, err = provider.Provider.Open(ctx, session)
	return x.ID, err
}

// logs compares both sides' extracts about one exchange (TC32).
func (t *test) logs(ctx context.Context) error {
	x, err := t.ask(ctx, "Check", false)
	if err != nil {
		return err
	}
	if err := t.ends(ctx, x.ID, exchange.Delivered, 1); err != nil {
		return err
	}
	var said [2]string
	for i, n := range []*network.Node{t.requester, t.provider} {
		entries, err := n.Log.Find(ctx, x.Requests[0])
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Event == exchange.AnswerSent || e.Event == exchange.AnswerReceived {
				said[i] = fmt.Sprint(e.Request, e.Conversation, e.Procedure, e.EvidenceType, e.Outcome, digests(e.Evidence))
			}
		}
	}
	if said[0] == "" || said[0] != said[1] {
		return errors.New("the two extracts of the exchange log differ")
	}
	return nil
}

func digests(all []exchange.LoggedPart) (list []string) {
	for _, p := range all {
		list = append(list, p.SHA256)
	}
	return list
}

// round is one round of the event: its cases, and what is done to the network
// meanwhile.
type round struct {
	title string
	cases []string
	play  func(ctx context.Context, r *running, tests []*test)
}

// rounds in their order.
var rounds = []round{
	{"Baseline exchange", []string{"TC01"}, each(func(ctx context.Context, _ *running, t *test) error {
		x, err := t.ask(ctx, "Check", false)
		if err != nil {
			return err
		}
		return t.ends(ctx, x.ID, exchange.Delivered, 1)
	})},
	{"Nobody, preview, refusal", []string{"TC02", "TC06", "TC08"}, each(func(ctx context.Context, r *running, t *test) error {
		switch t.kase {
		case "TC06":
			return t.decide(ctx, r.n, true, 1)
		case "TC08":
			return t.decide(ctx, r.n, false, 0)
		}
		x, err := t.ask(ctx, network.NobodyName, false)
		if err != nil {
			return err
		}
		return t.ends(ctx, x.ID, exchange.Failed, 0, "EDM:ERR:0004")
	})},
	{"Logs of both sides", []string{"TC32"}, each(func(ctx context.Context, _ *running, t *test) error { return t.logs(ctx) })},
	{"Registers fail", []string{"TC03"}, func(ctx context.Context, r *running, tests []*test) {
		for _, t := range tests {
			t.provider.Cut(errors.New("cut by the event"))
			defer t.provider.Cut(nil)
		}
		each(func(ctx context.Context, _ *running, t *test) error {
			x, err := t.ask(ctx, "Check", false)
			if err != nil {
				return err
			}
			return t.ends(ctx, x.ID, exchange.Failed, 0, "EDM:ERR:0008")
		})(ctx, r, tests)
	}},
	{"Previews are left", []string{"TC09", "TC23"}, leftAlone},
	{"Access points go down", []string{"TC04", "TC04_b"}, outage},
}

// each plays tests side by side.
func each(play func(ctx context.Context, r *running, t *test) error) func(context.Context, *running, []*test) {
	return func(ctx context.Context, r *running, tests []*test) {
		parallel(tests, func(t *test) {
			if t.err != nil {
				return
			}
			ctx, stop := context.WithTimeout(ctx, patience)
			defer stop()
			t.err = play(ctx, r, t)
		})
	}
}

// parallel calls f for every test, a few at once.
func parallel(tests []*test, f func(t *test)) {
	var group sync.WaitGroup
	free := make(chan struct{}, 16)
	for _, t := range tests {
		free <- struct{}{}
		group.Go(func() { defer func() { <-free }(); f(t) })
	}
	group.Wait()
}

// leftAlone is TC09 and TC23: the person does not come (T2), or comes and does
// not decide (T3).
func leftAlone(ctx context.Context, r *running, tests []*test) {
	ids := make([][2]string, len(tests))
	begin := each(func(ctx context.Context, r *running, t *test) (err error) {
		i := slices.Index(tests, t)
		if ids[i][1], err = t.left(ctx, r.n, true); err == nil && t.kase == "TC23" {
			ids[i][0], err = t.left(ctx, r.n, false)
		}
		return err
	})
	begin(ctx, r, tests)
	r.e.clock.forward(17 * time.Minute)
	each(func(ctx context.Context, _ *running, t *test) error {
		if id := ids[slices.Index(tests, t)][0]; id != "" {
			return t.ends(ctx, id, exchange.Failed, 0, exchange.TimedOutT2)
		}
		return nil
	})(ctx, r, tests)
	r.e.clock.forward(25 * time.Minute)
	each(func(ctx context.Context, _ *running, t *test) error {
		return t.ends(ctx, ids[slices.Index(tests, t)][1], exchange.Failed, 0, "EDM:ERR:0005", exchange.TimedOutT3)
	})(ctx, r, tests)
}

// outage is TC04 and TC04_b: all providers of the round are down; those of
// TC04_b come back while there are tries left.
func outage(ctx context.Context, r *running, tests []*test) {
	ids := make([]string, len(tests))
	for _, kase := range []string{"TC04", "TC04_b"} {
		var mine []*test
		for _, t := range tests {
			if t.kase == kase && t.err == nil {
				mine = append(mine, t)
				t.provider.Down(true)
			}
		}
		each(func(ctx context.Context, _ *running, t *test) error {
			x, err := t.ask(ctx, "Check", false)
			if err != nil {
				return err
			}
			ids[slices.Index(tests, t)] = x.ID
			return t.requester.Tried(ctx, x.ID, 1)
		})(ctx, r, mine)
		if kase == "TC04" {
			for tries := 2; tries <= 5; tries++ {
				r.e.clock.forward(3*time.Minute + time.Second)
				each(func(ctx context.Context, _ *running, t *test) error {
					return t.requester.Tried(ctx, ids[slices.Index(tests, t)], tries)
				})(ctx, r, mine)
			}
		}
		for _, t := range mine {
			t.provider.Down(false)
		}
		r.e.clock.forward(3*time.Minute + time.Second)
		each(func(ctx context.Context, _ *running, t *test) error {
			id := ids[slices.Index(tests, t)]
			if kase == "TC04_b" {
				return t.ends(ctx, id, exchange.Delivered, 1)
			}
			x, err := t.requester.Await(ctx, id)
			if err == nil && (x.State != exchange.Failed || x.Problem == nil) {
				err = fmt.Errorf("the exchange is %s although nobody could be reached", x.State)
			}
			return err
		})(ctx, r, mine)
	}
}

// conforming judges the messages of a test, one by one and together.
func conforming(v *validator.Validator, crossed []network.Crossing) error {
	var bodies, headers []*validator.Message
	for _, c := range crossed {
		body := v.Validate(c.Body, validator.Options{Name: c.Action})
		header := v.Validate(c.Envelope, validator.Options{Name: "header of " + c.Action, Kind: validator.EBMSHeader, Line: body.Lines})
		if body.Refused() || header.Refused() {
			return fmt.Errorf("the message %s from %s does not conform", c.Action, c.From)
		}
		bodies, headers = append(bodies, body.Message), append(headers, header.Message)
	}
	for _, c := range validator.Assemble(bodies, validator.Related{Headers: headers}) {
		if v.Compare(c).Refused() {
			return errors.New("the messages of the conversation do not fit together")
		}
	}
	return nil
}
