package network_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/validator"
)

// person's part in an exchange.
type part int

const (
	absent  part = iota // no preview
	sends               // looks and lets the documents go
	refuses             // looks and sends nothing
)

// kind is one sort of exchange that people make.
type kind struct {
	from, procedure, country string
	requirement              string // key of the seed; empty: all of the procedure
	person                   string // family name; empty: the company with its representative
	format                   string
	part                     part
	answers                  map[string]string
	readable                 bool // asks for a human-readable version too
	code                     string
}

// kinds are all sorts: people and companies, with and without preview, documents
// and data, both lines, several documents, questions, refusals.
var kinds = []kind{
	{from: "NL", procedure: "T2", country: "FI", person: "Alpha", format: "application/pdf"},
	{from: "NL", procedure: "T2", country: "FI", person: "Alpha", format: "application/xml", part: sends, readable: true},
	{from: "NL", procedure: "T2", country: "FI", person: "Alpha", format: "application/pdf", part: refuses},
	{from: "NL", procedure: "T2", country: "FI", person: network.NobodyName, code: "EDM:ERR:0004"},
	{from: "NL", procedure: "T2", country: "FI", person: network.TwinName, code: "EDM:ERR:0004"},
	{from: "NL", procedure: "T2", country: "DE", person: "Alpha"},
	{from: "FI", procedure: "T2", country: "IE", person: "Beta", format: "application/pdf", part: sends},
	{from: "EL", procedure: "W1", country: "DE", requirement: "birth", person: "Beta", answers: map[string]string{"e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55": "BERLIN"}},
	{from: "EL", procedure: "W1", country: "FR", requirement: "birth", person: "Gamma", part: sends},
	{from: "FR", procedure: "T1", country: "NL", requirement: "ter-qual", person: "Alpha", format: "application/xml"},
	{from: "FR", procedure: "T1", country: "FI", requirement: "birth", person: "Alpha", part: sends},
	{from: "DE", procedure: "V2", country: "NL", person: "Alpha"},
	{from: "DE", procedure: "V2", country: "AT", requirement: "veh-part1", person: "Gamma", part: sends},
	{from: "IE", procedure: "X1", country: "AT", format: "application/xml"},
	{from: "IE", procedure: "X1", country: "AT", format: "application/pdf", part: sends},
	{from: "IE", procedure: "X1", country: "EE", format: "application/json"},
	{from: "IE", procedure: "X1", country: "EE", format: "application/pdf", part: sends},
	{from: "AT", procedure: "X1", country: "EE", part: refuses},
	{from: "EE", procedure: "00", country: "FI", person: "Check", format: "application/pdf"},
	{from: "EE", procedure: "00", country: "DE", person: "Check", part: sends},
	{from: "FI", procedure: "00", country: "EE", person: "Check", part: sends},
	{from: "DE", procedure: "00", country: "EL", person: "Check", part: refuses},
	{from: "AT", procedure: "00", country: "FR", person: "Check"},
	{from: "FR", procedure: "00", country: "IE", person: network.NobodyName, code: "EDM:ERR:0004"},
}

// play makes one exchange, or several in one conversation, and returns how many.
func (k *kind) play(ctx context.Context, n *network.Network) (int, error) {
	asker := n.Node(k.from)
	w := exchange.Wish{Procedure: k.procedure, Country: k.country, Languages: []string{"EN"}, Explicit: true, Preview: k.part != absent, Answers: k.answers, Subject: network.Company(k.from)}
	if k.person != "" {
		w.Subject = network.Natural(k.person, k.from)
	}
	if k.requirement != "" {
		w.Requirements = []string{seed.Requirement(k.requirement)}
	}
	if k.readable {
		w.Associated = []string{"HumanReadableVersion"}
	}
	c, err := asker.Ask(ctx, w, k.format)
	if err != nil {
		return 0, err
	}
	for _, x := range c.Exchanges {
		if k.part != absent {
			if _, err := asker.Await(ctx, x.ID, exchange.PreviewRequired); err != nil {
				return 0, err
			}
			if err := n.Preview(ctx, asker, x.ID, network.Visitor(w.Subject), k.part == sends); err != nil {
				return 0, err
			}
		}
		if x, err = asker.Await(ctx, x.ID); err != nil {
			return 0, err
		}
		code := ""
		if x.Problem != nil {
			code = x.Problem.Code
		}
		if code != k.code || len(x.Documents) > 0 != (code == "" && k.part != refuses) {
			return 0, fmt.Errorf("the exchange is %s %+v with %d documents", x.State, x.Problem, len(x.Documents))
		}
		if len(x.Documents) > 0 {
			if _, err := asker.Requester.Collect(ctx, x.ID); err != nil {
				return 0, err
			}
			if err := asker.Requester.Erase(ctx, x.ID); err != nil {
				return 0, err
			}
		}
	}
	return len(c.Exchanges), nil
}

var exchanges = flag.Int("exchanges", 500, "how many TestEveryMessageConforms makes at least")

// TestEveryMessageConforms makes exchanges of all kinds and judges every message
// that crossed, alone and in its conversation.
func TestEveryMessageConforms(t *testing.T) {
	want, atOnce := *exchanges, 12
	if testing.Short() || raced {
		want, atOnce = 30, 4
	}
	var mu sync.Mutex
	var crossed []network.Crossing
	n := start(t, network.Plan{Record: func(c network.Crossing) {
		mu.Lock()
		defer mu.Unlock()
		crossed = append(crossed, c)
	}})
	done, started := 0, time.Now()
	free := make(chan struct{}, atOnce)
	var people sync.WaitGroup
	for i := 0; ; i++ {
		free <- struct{}{}
		mu.Lock()
		enough := done >= want || t.Failed()
		mu.Unlock()
		if enough {
			break
		}
		people.Go(func() {
			defer func() { <-free }()
			ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute) // a bound, no aim
			defer stop()
			k := &kinds[i%len(kinds)]
			made, err := k.play(ctx, n)
			if err != nil {
				t.Errorf("%s in %s for %s of %s: %v", k.procedure, k.from, k.person, k.country, err)
			}
			mu.Lock()
			defer mu.Unlock()
			done += made
		})
	}
	people.Wait()
	t.Logf("%d exchanges in %.1f s", done, time.Since(started).Seconds())
	wantConforming(t, crossed)
}

// wantConforming judges everything that crossed, message by message and as
// conversations.
func wantConforming(t *testing.T, crossed []network.Crossing) {
	t.Helper()
	v := validator.New(validator.Config{})
	bad := 0
	refused := func(r *validator.Report) {
		if !r.Refused() {
			return
		}
		if bad++; bad <= 3 {
			var b strings.Builder
			_ = r.WriteText(&b)
			t.Errorf("what crossed does not conform:\n%s", b.String())
		}
	}
	byConversation := map[string][2][]*validator.Message{}
	for i, c := range crossed {
		body := v.Validate(c.Body, validator.Options{Name: fmt.Sprintf("message %d, %s to %s", i, c.From, c.To)})
		header := v.Validate(c.Envelope, validator.Options{Name: fmt.Sprintf("header %d", i), Kind: validator.EBMSHeader, Line: body.Lines})
		refused(body)
		refused(header)
		m := byConversation[c.Header.ConversationID]
		byConversation[c.Header.ConversationID] = [2][]*validator.Message{append(m[0], body.Message), append(m[1], header.Message)}
	}
	for _, m := range byConversation {
		for _, c := range validator.Assemble(m[0], validator.Related{Headers: m[1]}) {
			refused(v.Compare(c))
		}
	}
	if bad > 3 {
		t.Errorf("%d reports in all refuse", bad)
	}
	t.Logf("%d messages in %d conversations conform", len(crossed), len(byConversation))
}
