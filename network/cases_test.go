package network_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/validator"
)

// clock is the real one, some way ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// world is a network of eight with everything that crosses it.
type world struct {
	t *testing.T
	*network.Network
	clock clock

	mu      sync.Mutex
	crossed []network.Crossing
}

func newWorld(t *testing.T, lines []edm.Line) *world {
	w := &world{t: t}
	members := map[string]network.Member{}
	for _, c := range seed.Countries()[:8] {
		members[c.Code] = network.Member{Lines: lines}
	}
	w.Network = start(t, network.Plan{States: 8, Members: members, Now: w.clock.Now, Record: func(c network.Crossing) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.crossed = append(w.crossed, c)
	}})
	return w
}

// in gives the messages of a conversation, in the order in which they came.
func (w *world) in(conversation string) (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.crossed {
		if c.Header.ConversationID == conversation {
			all = append(all, c.Action)
		}
	}
	return all
}

func (w *world) ask(from string, wish exchange.Wish, format string) *exchange.Conversation {
	w.t.Helper()
	if len(wish.Languages) == 0 {
		wish.Languages = []string{"EN"}
	}
	wish.Explicit = true
	c, err := w.Node(from).Ask(soon(w.t), wish, format)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) await(from, id string, state exchange.State, code string) *exchange.Exchange {
	w.t.Helper()
	x, err := w.Node(from).Await(soon(w.t), id, state)
	if err != nil {
		w.t.Fatal(err)
	}
	got := ""
	if x.Problem != nil {
		got = x.Problem.Code
	}
	if x.State != state || got != code {
		w.t.Fatalf("the exchange is %s (%+v), want %s %q", x.State, x.Problem, state, code)
	}
	return x
}

// student of Finland applies in the Netherlands.
func student() exchange.Wish {
	return exchange.Wish{Procedure: "T2", Country: "FI", Subject: network.Natural("Alpha", "NL")}
}

func previewed(w exchange.Wish) exchange.Wish { w.Preview = true; return w }

// play lets the person go through a preview.
func (w *world) play(from, id string, who exchange.Identity, send bool) {
	w.t.Helper()
	w.await(from, id, exchange.PreviewRequired, "")
	if err := w.Preview(soon(w.t), w.Node(from), id, who, send); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) collect(from, id string) []exchange.Content {
	w.t.Helper()
	all, err := w.Node(from).Requester.Collect(soon(w.t), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func wantPDF(t *testing.T, all []exchange.Content) {
	t.Helper()
	if len(all) != 1 || all[0].MediaType != "application/pdf" || !bytes.HasPrefix(all[0].Data, []byte("%PDF-")) {
		t.Fatalf("%d documents came", len(all))
	}
}

const (
	request   = "ExecuteQueryRequest"
	response  = "ExecuteQueryResponse"
	exception = "ExceptionResponse"
)

func (w *world) wantMessages(conversation string, want ...string) {
	w.t.Helper()
	if got := w.in(conversation); !slices.Equal(got, want) {
		w.t.Errorf("the conversation is %v, want %v", got, want)
	}
}

// cases are TC01 to TC12 of the peer catalogue, with their variants.
var cases = []struct {
	name string
	play func(w *world)
}{
	{"TC01 one PDF, no preview", func(w *world) {
		c := w.ask("NL", student(), "application/pdf")
		x := w.await("NL", c.Exchanges[0].ID, exchange.Delivered, "")
		wantPDF(w.t, w.collect("NL", x.ID))
		w.wantMessages(c.ID, request, response)
		if x.Provider.Identifier.Value != "FIDEMO0001" || len(x.Doubts) > 0 {
			w.t.Errorf("provider %s, doubts %v", x.Provider.Identifier.Value, x.Doubts)
		}
	}},
	{"TC02 no match", func(w *world) {
		for _, name := range []string{network.NobodyName, network.TwinName} {
			wish := student()
			wish.Subject = network.Natural(name, "NL")
			c := w.ask("NL", wish, "application/pdf")
			x := w.await("NL", c.Exchanges[0].ID, exchange.Failed, "EDM:ERR:0004")
			w.wantMessages(c.ID, request, exception)
			if len(x.Documents) > 0 {
				w.t.Error("a document came")
			}
		}
	}},
	{"TC03 the register fails", func(w *world) {
		defer w.Node("FI").Cut(nil)
		for code, err := range map[string]error{"EDM:ERR:0008": errors.New("cut"), "EDM:ERR:0005": context.DeadlineExceeded} {
			w.Node("FI").Cut(err)
			c := w.ask("NL", student(), "application/pdf")
			w.await("NL", c.Exchanges[0].ID, exchange.Failed, code)
			w.wantMessages(c.ID, request, exception)
		}
	}},
	{"TC04 the access point is down", func(w *world) {
		w.Node("FI").Down(true)
		c := w.ask("NL", student(), "application/pdf")
		id := c.Exchanges[0].ID
		for tries := 1; tries <= 5; tries++ {
			w.tried(id, tries)
			w.clock.forward(3*time.Minute + time.Second)
		}
		x, err := w.Node("NL").Await(soon(w.t), id)
		if err != nil || x.State != exchange.Failed {
			w.t.Fatalf("the exchange is %s, %v", x.State, err)
		}
		m, tries, err := w.Node("NL").AP.Store.Sent(soon(w.t), x.Messages[0])
		if err != nil || m.State != as4.Undelivered || len(tries) != 5 {
			w.t.Errorf("%s after %d tries, %v; want 5", m.State, len(tries), err)
		}
		w.Node("FI").Down(false)
		w.clock.forward(10 * time.Minute)
		w.wantMessages(c.ID)
	}},
	{"TC04_b it comes back in time", func(w *world) {
		w.Node("FI").Down(true)
		c := w.ask("NL", student(), "application/pdf")
		id := c.Exchanges[0].ID
		w.tried(id, 1)
		w.Node("FI").Down(false)
		w.clock.forward(3*time.Minute + time.Second)
		w.await("NL", id, exchange.Delivered, "")
		w.wantMessages(c.ID, request, response)
	}},
	{"TC05 the directory asks back", func(w *world) {
		wish := exchange.Wish{Procedure: "W1", Country: "DE", Subject: network.Natural("Beta", "EL"), Requirements: []string{seed.Requirement("birth")}, Explicit: true, Languages: []string{"EN"}}
		p, err := w.Node("EL").Requester.Plan(soon(w.t), wish)
		if err != nil {
			w.t.Fatal(err)
		}
		open := p.Questions()
		if len(open) != 1 || !slices.Contains(open[0].Options, "HAMBURG") || len(p.First()) != 0 {
			w.t.Fatalf("the open questions are %+v", open)
		}
		wish.Answers = map[string]string{open[0].ID: "KOELN"}
		if p, err = w.Node("EL").Requester.Plan(soon(w.t), wish); err != nil || p.Needs[0].Alternatives[0].Offers[0].Problem.Code != "DSD:ERR:0001" {
			w.t.Errorf("KOELN has a provider: %+v, %v", p, err)
		}
		wish.Answers = map[string]string{open[0].ID: "HAMBURG"}
		c := w.ask("EL", wish, "application/pdf")
		x := w.await("EL", c.Exchanges[0].ID, exchange.Delivered, "")
		wantPDF(w.t, w.collect("EL", x.ID))
		if x.Provider.Identifier.Value != "DEDEMO0001" {
			w.t.Errorf("the provider is %s", x.Provider.Identifier.Value)
		}
	}},
	{"TC06 preview", func(w *world) { w.preview(network.Visitor(student().Subject)) }},
	{"TC06_b identity of another source", func(w *world) { w.preview(elsewhere(student().Subject)) }},
	{"TC07 two providers", func(w *world) { w.twoProviders(network.Visitor) }},
	{"TC07_b two providers, identity of another source", func(w *world) { w.twoProviders(elsewhere) }},
	{"TC08 the user refuses", func(w *world) { w.refusal(network.Visitor) }},
	{"TC08_b the user refuses, identity of another source", func(w *world) { w.refusal(elsewhere) }},
	{"TC09 the preview is left", func(w *world) {
		ctx := soon(w.t)
		c := w.ask("NL", previewed(student()), "application/pdf")
		id := c.Exchanges[0].ID
		x := w.await("NL", id, exchange.PreviewRequired, "")
		if _, err := w.Node("NL").Requester.Redirect(ctx, id); err != nil {
			w.t.Fatal(err)
		}
		fi, session, err := w.Link(x.Preview.Location)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := fi.Provider.Open(ctx, session); err != nil {
			w.t.Fatal(err)
		}
		w.tried(id, 1)
		w.clock.forward(40*time.Minute + 10*time.Second)
		w.await("NL", id, exchange.Failed, "EDM:ERR:0005")
		if _, err := fi.Provider.Open(ctx, session); !errors.Is(err, &exchange.Error{Reason: exchange.NotFound}) {
			w.t.Errorf("the link is not dead: %v", err)
		}
		w.wantMessages(c.ID, request, exception, request, exception)
	}},
	{"TC10 structured evidence", func(w *world) { w.structured(network.Visitor) }},
	{"TC10_b structured evidence, identity of another source", func(w *world) { w.structured(elsewhere) }},
	{"TC11 the directory changes by screen", func(w *world) {
		w.rename("Demo Board of Learning", func(next *cs.Contribution) {
			if _, err := w.Lifecycle.Replace(soon(w.t), lcm.Author{Party: "clerk", How: lcm.ByScreen}, w.Lifecycle.DataSet().Revision, next); err != nil {
				w.t.Fatal(err)
			}
		})
	}},
	{"TC12 the directory changes over AS4", func(w *world) {
		w.rename("Demo Board of Schools", func(next *cs.Contribution) {
			if answer := w.submit("FI", next); !bytes.Contains(answer, []byte("StatusType:Success")) {
				w.t.Fatalf("the submission is refused: %s", answer)
			}
		})
		// NL may not write what is of FI: nothing of it counts.
		before := w.Lifecycle.DataSet().Revision
		if answer := w.submit("NL", w.Lifecycle.Part("FI")); !bytes.Contains(answer, []byte("StatusType:Failure")) {
			w.t.Errorf("NL changed what belongs to FI: %s", answer)
		}
		if w.Lifecycle.DataSet().Revision != before {
			w.t.Error("a refused submission took effect")
		}
	}},
}

// preview is TC06.
func (w *world) preview(who exchange.Identity) {
	c := w.ask("NL", previewed(student()), "application/pdf")
	id := c.Exchanges[0].ID
	w.await("NL", id, exchange.PreviewRequired, "")
	w.wantMessages(c.ID, request, exception)
	w.play("NL", id, who, true)
	w.await("NL", id, exchange.Delivered, "")
	wantPDF(w.t, w.collect("NL", id))
	w.wantMessages(c.ID, request, exception, request, response)
}

// tried waits until the last message of an exchange of NL was tried so often or
// has come to its end, so that time may go on.
func (w *world) tried(id string, tries int) {
	w.t.Helper()
	if err := w.Node("NL").Tried(soon(w.t), id, tries); err != nil {
		w.t.Fatal(err)
	}
}

// rename changes the name of a provider in Finland: requesters see it when what
// they keep has run out, not before.
func (w *world) rename(name string, change func(next *cs.Contribution)) {
	w.t.Helper()
	sees := func() string {
		p, err := w.Node("NL").Requester.Plan(soon(w.t), student())
		if err != nil {
			w.t.Fatal(err)
		}
		return p.Needs[0].Alternatives[0].Offers[0].Providers[0].Service.Publisher.Names[0].Value
	}
	old := sees()
	next := *w.Lifecycle.Part("FI")
	next.Providers = slices.Clone(next.Providers)
	for i := range next.Providers {
		if next.Providers[i].Identifier.Value == "FIDEMO0001" {
			p := next.Providers[i]
			p.Names = slices.Clone(p.Names)
			p.Names[0].Value = name
			next.Providers[i] = p
		}
	}
	change(&next)
	if now := sees(); now != old {
		w.t.Errorf("what was kept is gone: %q", now)
	}
	w.clock.forward(61 * time.Minute)
	if now := sees(); now != name {
		w.t.Errorf("the requester still sees %q", now)
	}
}

func (w *world) submit(from string, part *cs.Contribution) []byte {
	w.t.Helper()
	raw, _, err := lcm.Encode(part, lcm.EncodeOptions{ID: "urn:uuid:" + as4.NewUUID()})
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := w.Node(from).Submit(soon(w.t), raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

func TestPeerCases(t *testing.T) {
	for _, lines := range [][]edm.Line{{edm.V20}, {edm.V12}} {
		t.Run(string(lines[0]), func(t *testing.T) {
			w := newWorld(t, lines)
			for _, c := range cases {
				if !t.Run(c.name, func(t *testing.T) { w.t = t; c.play(w) }) {
					continue
				}
			}
			w.t = t
			wantConforming(t, w.crossed)
		})
	}
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

// twoProviders is TC07: one refusal does not lose the other document.
func (w *world) twoProviders(by func(exchange.Subject) exchange.Identity) {
	fr := w.Node("FR").Requester
	wish := exchange.Wish{Procedure: "T1", Country: "NL", Subject: network.Natural("Alpha", "FR"), Preview: true, Explicit: true, Languages: []string{"EN"}, Requirements: []string{seed.Requirement("ter-qual")}}
	c := w.ask("FR", wish, "application/pdf")
	wish.Country, wish.Requirements = "FI", []string{seed.Requirement("birth")}
	p, err := fr.Plan(soon(w.t), wish)
	if err != nil {
		w.t.Fatal(err)
	}
	if c, err = fr.Request(soon(w.t), c.ID, p, p.First()); err != nil || len(c.Exchanges) != 2 {
		w.t.Fatalf("%+v, %v", c, err)
	}
	for i, x := range c.Exchanges {
		w.play("FR", x.ID, by(wish.Subject), i == 1) // the first is refused
		got := w.await("FR", x.ID, exchange.Delivered, "")
		if len(got.Documents) != i {
			w.t.Errorf("%s delivered %d documents", got.Country, len(got.Documents))
		}
	}
}

// refusal is TC08: the document never leaves the provider.
func (w *world) refusal(by func(exchange.Subject) exchange.Identity) {
	c := w.ask("NL", previewed(student()), "application/pdf")
	w.play("NL", c.Exchanges[0].ID, by(student().Subject), false)
	x := w.await("NL", c.Exchanges[0].ID, exchange.Delivered, "")
	if len(x.Documents) > 0 {
		w.t.Error("a document came")
	}
	w.wantMessages(c.ID, request, exception, request, response)
	for _, m := range w.crossed {
		if m.Header.ConversationID == c.ID && len(m.Types) > 1 {
			w.t.Errorf("a message has the parts %v", m.Types)
		}
	}
}

// structured is TC10: valid to its model, with a version for people.
func (w *world) structured(by func(exchange.Subject) exchange.Identity) {
	wish := previewed(student())
	wish.Associated = []string{"HumanReadableVersion"}
	c := w.ask("NL", wish, "application/xml")
	w.play("NL", c.Exchanges[0].ID, by(wish.Subject), true)
	x := w.await("NL", c.Exchanges[0].ID, exchange.Delivered, "")
	all := w.collect("NL", x.ID)
	for _, m := range network.Models() {
		if m.Name == "DemoSecondaryDiploma" {
			if _, err := m.Read(all[0].MediaType, all[0].Data); err != nil {
				w.t.Error(err)
			}
		}
	}
	if x.Line == edm.V20 && (len(all) != 2 || all[1].MediaType != "application/pdf") {
		w.t.Errorf("%d documents came, none for people to read", len(all))
	}
}

// elsewhere is a person whom the provider identifies by its own means: another
// source writes the name otherwise and knows no eIDAS identifier.
func elsewhere(s exchange.Subject) exchange.Identity {
	who := network.Visitor(s)
	who.Identifier, who.FamilyName = "", strings.ReplaceAll(strings.ToUpper(who.FamilyName), "A", "Á")
	return who
}
