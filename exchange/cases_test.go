package exchange_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// both runs a case in both lines of first class.
func both(t *testing.T, f func(t *testing.T, o options)) {
	for _, line := range []string{"oots-edm:v2.0", "oots-edm:v1.2"} {
		t.Run(line, func(t *testing.T) { f(t, options{lines: map[string][]string{"FI": {line}, "DE": {line}}}) })
	}
}

func TestTC01OnePDFWithoutPreview(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		w := newWorld(t, o)
		x := w.ask(wish()).Exchanges[0]
		w.run()
		got := w.wantState(x.ID, exchange.Delivered, "")
		all := w.collect(x.ID)
		if len(all) != 1 || !bytes.Equal(all[0].Data, pdf) || all[0].MediaType != "application/pdf" || len(got.Doubts) != 0 {
			t.Fatalf("delivered %d documents, doubts %v", len(all), got.Doubts)
		}
		if string(got.Line) != o.lines["FI"][0] {
			t.Errorf("the exchange was in %s", got.Line)
		}
		wantWords(t, "to PT", w.actions("PT"), "ExecuteQueryResponse")
		wantWords(t, "log of PT", w.logged("PT", got.Requests[0]), "requester request_sent", "requester answer_received success")
		wantWords(t, "log of FI", w.logged("FI", got.Requests[0]), "provider request_received", "provider answer_sent success")
		wantWords(t, "log of FI by evidence", w.logged("FI", all[0].ID), "provider answer_sent success")
	})
}

func TestTC02NoMatch(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		twin := diplomas()
		twin.records.All[0].Subject.NaturalPerson.Identifier = nil
		twin.records.All = append(twin.records.All, twin.records.All[0])
		twin.records.All[1].Holder = "2"
		stranger := diplomas()
		stranger.records.All[0].Subject.NaturalPerson.FamilyName = "Omega"
		var details []string
		for name, d := range map[string]*shelf{"nobody": {}, "a stranger": stranger, "two": twin} {
			o.data = d
			w := newWorld(t, o)
			x := w.ask(wish()).Exchanges[0]
			w.run()
			got := w.wantState(x.ID, exchange.Failed, "EDM:ERR:0004")
			details = append(details, got.Problem.Detail)
			if _, err := w.states["PT"].Requester.Collect(t.Context(), x.ID); err == nil {
				t.Errorf("%s: there is something to collect", name)
			}
		}
		if details[0] != details[1] || details[1] != details[2] {
			t.Errorf("nobody, a stranger and two are told apart: %q", details)
		}
	})
}

func TestTC03TheRegisterFails(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		for want, err := range map[string]error{"EDM:ERR:0008": errors.New("down"), "EDM:ERR:0005": context.DeadlineExceeded} {
			o.data = &shelf{err: err}
			w := newWorld(t, o)
			x := w.ask(wish()).Exchanges[0]
			w.run()
			got := w.wantState(x.ID, exchange.Failed, want)
			if strings.Contains(got.Problem.Detail, "down") {
				t.Error("the cause is told to the other country")
			}
		}
	})
}

func TestTC04TheAccessPointIsDown(t *testing.T) {
	w := newWorld(t, options{})
	w.states["FI"].serve(http.NotFoundHandler())
	x := w.ask(wish()).Exchanges[0]
	w.run()
	w.wantState(x.ID, exchange.Sent, "")
	// T1 of the requester is longer than no answer at all takes.
	for range 5 {
		w.wait(3 * time.Minute)
	}
	if got := w.see(x.ID); got.State != exchange.Failed {
		t.Fatalf("the exchange is %s", got.State)
	}
}

func TestTC04bTheAccessPointComesBack(t *testing.T) {
	w := newWorld(t, options{})
	w.states["FI"].serve(http.NotFoundHandler())
	x := w.ask(wish()).Exchanges[0]
	w.run()
	w.states["FI"].serve(w.states["FI"].ap)
	w.wait(3 * time.Minute)
	w.wantState(x.ID, exchange.Delivered, "")
	wantWords(t, "to FI", w.actions("FI"), "ExecuteQueryRequest")
}

func TestTC05TheDirectoryAsksBack(t *testing.T) {
	w := newWorld(t, options{})
	w.dir.asks[birth] = []sdg.ClassificationConcept{{Identifier: sdg.Identifier{Scheme: "https://sr.oots.tech.ec.europa.eu/codelists/DE/DemoRegistryTown", Value: question}, Type: "codelist",
		ValueExpression: "https://sr.oots.tech.ec.europa.eu/codelists/DE/DemoRegistryTown", Descriptions: text("Where were you born?"),
		Values: &sdg.SupportedValue{Strings: []string{"HAMBURG", "BERLIN"}}}}
	asked := wish()
	asked.Procedure, asked.Country = "R1", "DE"
	pt := w.states["PT"].Requester
	p, err := pt.Plan(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	open := p.Questions()
	if len(open) != 1 || open[0].ID != question || len(open[0].Options) != 2 || len(p.First()) != 0 {
		t.Fatalf("open questions %+v, choices %v", open, p.First())
	}
	asked.Answers = map[string]string{question: "HAMBURG"}
	x := w.ask(asked).Exchanges[0]
	w.run()
	w.wantState(x.ID, exchange.Delivered, "")
	if !bytes.Contains(w.crossed[0].body, []byte("HAMBURG")) {
		t.Error("the answer is not in the request")
	}
}

// identity of Demo Alpha at the preview space.
func alphaComes() exchange.Identity {
	return exchange.Identity{Source: "test", LevelOfAssurance: "Substantial", FamilyName: "ÁLPHA", GivenName: "Demo", DateOfBirth: "1999-04-17"}
}

func previewWish() exchange.Wish {
	asked := wish()
	asked.Preview = true
	return asked
}

// link follows the link of an exchange as far as the preview session.
func (w *world) link(id string) (session string) {
	w.t.Helper()
	x := w.wantState(id, exchange.PreviewRequired, "")
	session, ok := strings.CutPrefix(x.Preview.Location, previewBase)
	if !ok {
		w.t.Fatalf("the link is %s", x.Preview.Location)
	}
	return session
}

func (w *world) redirect(id string) *exchange.Redirect {
	w.t.Helper()
	to, err := w.states["PT"].Requester.Redirect(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return to
}

// enter opens the session and identifies Demo Alpha.
func (w *world) enter(cc, session string) (*exchange.PreviewSession, string) {
	w.t.Helper()
	p := w.states[cc].Provider
	if _, err := p.Open(w.t.Context(), session); err != nil {
		w.t.Fatal(err)
	}
	s, visitor, err := p.Identify(w.t.Context(), session, alphaComes())
	if err != nil {
		w.t.Fatal(err)
	}
	return s, visitor
}

func TestTC06PreviewWithReAuthentication(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		for _, order := range []string{"request first", "decision first"} {
			w := newWorld(t, o)
			fi, pt := w.states["FI"].Provider, w.states["PT"].Requester
			x := w.ask(previewWish()).Exchanges[0]
			w.run()
			session := w.link(x.ID)
			to := w.redirect(x.ID)
			if order == "request first" {
				w.run()
			}
			s, visitor := w.enter("FI", session)
			if len(s.Documents) != 1 {
				t.Fatalf("%d documents are shown", len(s.Documents))
			}
			shown, err := fi.Show(t.Context(), session, visitor, s.Documents[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			w.run()
			if n := len(w.actions("PT")); n != 1 {
				t.Fatalf("%s: %d answers before the decision", order, n)
			}
			if s, err = fi.Decide(t.Context(), session, visitor, exchange.Decision{Pieces: []int{0}}); err != nil {
				t.Fatal(err)
			}
			if _, err := fi.Decide(t.Context(), session, visitor, exchange.Decision{}); err == nil {
				t.Error("the decision was changed")
			}
			w.run()
			w.wantState(x.ID, exchange.Delivered, "")
			all := w.collect(x.ID)
			if len(all) != 1 || !bytes.Equal(all[0].Data, shown.Data) || all[0].ID != shown.ID {
				t.Error("what arrived is not what was shown")
			}
			token := s.ReturnLocation
			if o.lines["FI"][0] == "oots-edm:v1.2" {
				u, _ := url.Parse(to.Location)
				token = u.Query().Get("returnurl")
			} else if order == "decision first" {
				s, err = fi.Session(t.Context(), session, visitor)
				if err != nil {
					t.Fatal(err)
				}
				token = s.ReturnLocation
			}
			token = strings.TrimPrefix(token, "https://portal.example/return/")
			if back, err := pt.Returned(t.Context(), token); err != nil || back.ID != x.ID {
				t.Errorf("the person does not land back: %v", err)
			}
			if _, err := pt.Returned(t.Context(), token); err == nil {
				t.Error("the return address works twice")
			}
			if err := pt.Erase(t.Context(), x.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := pt.Collect(t.Context(), x.ID); err == nil {
				t.Error("erased evidence can be collected")
			}
		}
	})
}

func TestTC07TwoProviders(t *testing.T) {
	w := newWorld(t, options{})
	asked := previewWish()
	pt := w.states["PT"].Requester
	c := w.ask(asked)
	w.run()
	asked.Procedure, asked.Country = "R1", "DE"
	p, err := pt.Plan(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = pt.Request(t.Context(), c.ID, p, p.First()); err != nil {
		t.Fatal(err)
	}
	w.run()
	if len(c.Exchanges) != 2 || c.Exchanges[0].ID == c.Exchanges[1].ID {
		t.Fatalf("%d exchanges in the conversation", len(c.Exchanges))
	}
	for i, cc := range []string{"FI", "DE"} {
		x := c.Exchanges[i]
		session := w.link(x.ID)
		w.redirect(x.ID)
		w.run()
		_, visitor := w.enter(cc, session)
		pieces := []int{0}
		if cc == "FI" {
			pieces = nil // refused: the other must not be lost
		}
		if _, err := w.states[cc].Provider.Decide(t.Context(), session, visitor, exchange.Decision{Pieces: pieces}); err != nil {
			t.Fatal(err)
		}
		w.run()
		if got := w.wantState(x.ID, exchange.Delivered, ""); len(got.Documents) != len(pieces) {
			t.Errorf("%s delivered %d documents", cc, len(got.Documents))
		}
	}
	if c, _ = pt.Conversation(t.Context(), c.ID); !c.Ended() {
		t.Error("the conversation has not ended")
	}
}

func TestTC08TheUserRefuses(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		w := newWorld(t, o)
		x := w.ask(previewWish()).Exchanges[0]
		w.run()
		session := w.link(x.ID)
		w.redirect(x.ID)
		w.run()
		_, visitor := w.enter("FI", session)
		if _, err := w.states["FI"].Provider.Decide(t.Context(), session, visitor, exchange.Decision{}); err != nil {
			t.Fatal(err)
		}
		w.run()
		if got := w.wantState(x.ID, exchange.Delivered, ""); len(got.Documents) != 0 {
			t.Error("a document left")
		}
		for _, c := range w.crossed {
			if slices.Contains(c.parts, "application/pdf") {
				t.Error("the document crossed")
			}
		}
	})
}

func TestTC09ThePreviewIsLeft(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		w := newWorld(t, o)
		x := w.ask(previewWish()).Exchanges[0]
		w.run()
		session := w.link(x.ID)
		w.redirect(x.ID)
		w.run()
		_, visitor := w.enter("FI", session)
		w.wait(40 * time.Minute)
		w.wantState(x.ID, exchange.Failed, "EDM:ERR:0005")
		fi := w.states["FI"].Provider
		if _, err := fi.Open(t.Context(), session); !errors.Is(err, &exchange.Error{Reason: exchange.NotFound}) {
			t.Errorf("the link is not dead: %v", err)
		}
		if _, err := fi.Decide(t.Context(), session, visitor, exchange.Decision{Pieces: []int{0}}); err == nil {
			t.Error("a decision after the end")
		}
		w.run()
		if n := len(w.actions("PT")); n != 2 {
			t.Errorf("%d answers, want the link and the time-out", n)
		}
	})
}

const diplomaXML = `<Diploma><holder><name>Demo Alpha</name><born>1999-04-17</born></holder><school>Demo School</school><passed>2018-06-02</passed></Diploma>`

func diplomaModel() *exchange.Model {
	label := func(s string) map[string]string { return map[string]string{"EN": s} }
	return &exchange.Model{Name: "DemoSecondaryDiploma", Root: "Diploma", Fields: []exchange.Field{
		{Path: "holder/name", Labels: label("Name")}, {Path: "holder/born", Labels: label("Born"), Type: exchange.DateField},
		{Path: "school", Labels: map[string]string{"EN": "School", "EL": "Σχολείο"}}, {Path: "passed", Labels: label("Passed on"), Type: exchange.DateField}, {Path: "grade", Labels: label("Grade"), Type: exchange.NumberField, Optional: true}}}
}

func TestTC10StructuredEvidence(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		o.models = []*exchange.Model{diplomaModel()}
		o.data = diplomas(exchange.File{MediaType: "application/xml", Model: "DemoSecondaryDiploma", Data: []byte(diplomaXML)})
		w := newWorld(t, o)
		asked := previewWish()
		asked.Associated = []string{"HumanReadableVersion"}
		x := w.askFor(asked, func(p *exchange.Plan) []exchange.Choice {
			c := p.First()
			c[0].Formats = []string{"application/xml"}
			return c
		}).Exchanges[0]
		w.run()
		session := w.link(x.ID)
		w.redirect(x.ID)
		w.run()
		_, visitor := w.enter("FI", session)
		if _, err := w.states["FI"].Provider.Decide(t.Context(), session, visitor, exchange.Decision{Pieces: []int{0}}); err != nil {
			t.Fatal(err)
		}
		w.run()
		w.wantState(x.ID, exchange.Delivered, "")
		all := w.collect(x.ID)
		if string(all[0].Data) != diplomaXML {
			t.Error("the XML is not what the register gave")
		}
		if o.lines["FI"][0] == "oots-edm:v2.0" && (len(all) != 2 || all[1].Kind != "HumanReadableVersion" || !bytes.HasPrefix(all[1].Data, []byte("%PDF-"))) {
			t.Errorf("no human-readable version: %d documents", len(all))
		}
	})
}

func TestTC28MixedLinesNegotiate(t *testing.T) {
	for _, c := range []struct {
		speaks []edm.Line
		lines  []string
		want   edm.Line
	}{
		{nil, []string{"oots-edm:v1.2"}, edm.V12},
		{[]edm.Line{edm.V12}, []string{"oots-edm:v2.0", "oots-edm:v1.2"}, edm.V12},
		{nil, []string{"oots-edm:v1.0", "oots-edm:v1.2", "oots-edm:v2.0"}, edm.V20},
	} {
		w := newWorld(t, options{speaks: c.speaks, lines: map[string][]string{"FI": c.lines}})
		x := w.ask(wish()).Exchanges[0]
		w.run()
		if got := w.wantState(x.ID, exchange.Delivered, ""); got.Line != c.want {
			t.Errorf("%v with %v is %s", c.speaks, c.lines, got.Line)
		}
	}
	w := newWorld(t, options{lines: map[string][]string{"FI": {"oots-edm:v1.0"}}})
	p, err := w.states["PT"].Requester.Plan(t.Context(), wish())
	if err != nil {
		t.Fatal(err)
	}
	if c := p.Needs[0].Alternatives[0].Offers[0].Providers[0]; c.Line != "" || c.Problem == nil {
		t.Error("a line that is not common was negotiated")
	}
}

func TestTC25DeferredAnswer(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		d := diplomas()
		o.data = d
		w := newWorld(t, o)
		ready := w.at.Now().Add(3 * time.Hour)
		d.records.AvailableAt = ready
		x := w.ask(wish()).Exchanges[0]
		w.run()
		if got := w.wantState(x.ID, exchange.Deferred, ""); !got.AvailableAt.Equal(ready) {
			t.Fatalf("to be asked again at %s, want %s", got.AvailableAt, ready)
		}
		w.wait(2 * time.Hour)
		if n := len(w.actions("FI")); n != 1 {
			t.Fatalf("%d requests before the time", n)
		}
		w.wait(time.Hour)
		got := w.see(x.ID)
		next := w.wantState(got.Next, exchange.Delivered, "")
		if next.Conversation != x.Conversation || next.ID == x.ID || len(w.collect(next.ID)) != 1 {
			t.Error("the second exchange is not what was promised")
		}
	})
}

func TestTC27OrganisationWithRepresentative(t *testing.T) {
	company := exchange.Subject{LegalPerson: &sdg.LegalPerson{LevelOfAssurance: "Substantial", LegalName: "Demo Trading Ltd (fictitious)",
		LegalIdentifier: &sdg.Identifier{Scheme: "eidas", Value: "FI/PT/DEMO-TRADING-01"}}}
	d := diplomas()
	d.records.All[0].Subject = company
	w := newWorld(t, options{data: d})
	asked := wish()
	asked.Subject = company
	asked.Subject.Representative = &sdg.Person{LevelOfAssurance: "Substantial", FamilyName: "Delta", GivenName: "Demo", DateOfBirth: "1978-06-11", Gender: "Unspecified",
		Identifier: &sdg.Identifier{Scheme: "eidas", Value: "FI/PT/DEMO-DELTA-01"}}
	x := w.ask(asked).Exchanges[0]
	w.run()
	w.wantState(x.ID, exchange.Delivered, "")
}

func TestClocksOfTheRequester(t *testing.T) {
	w := newWorld(t, options{})
	w.deviant = true
	w.states["FI"].down = true
	x := w.ask(wish()).Exchanges[0]
	w.states["PT"].tamper = nil
	w.run()
	w.wait(5*time.Minute + 59*time.Second)
	w.wantState(x.ID, exchange.Sent, "")
	w.wait(2 * time.Second)
	w.wantState(x.ID, exchange.Failed, exchange.TimedOutT1)
	// The answer that comes now is late: logged, and dropped.
	w.states["FI"].down = false
	w.run()
	w.wantState(x.ID, exchange.Failed, exchange.TimedOutT1)

	y := w.ask(previewWish()).Exchanges[0]
	w.run()
	w.wait(16*time.Minute + time.Second)
	w.wantState(y.ID, exchange.Failed, exchange.TimedOutT2)
	if _, err := w.states["PT"].Requester.Redirect(t.Context(), y.ID); !errors.Is(err, err.(*exchange.Error)) {
		t.Error("a redirect after T2")
	}
}

func TestClocksOfTheProvider(t *testing.T) {
	d := diplomas()
	w := newWorld(t, options{data: d})
	d.before = func(*exchange.Query) { w.at.add(5 * time.Minute) }
	x := w.ask(wish()).Exchanges[0]
	w.run()
	w.wantState(x.ID, exchange.Failed, "EDM:ERR:0005")

	// T2: the link dies unvisited, and a second request then gets 0005.
	d.before = nil
	y := w.ask(previewWish()).Exchanges[0]
	w.run()
	session := w.link(y.ID)
	w.wait(15*time.Minute + time.Second)
	if _, err := w.states["FI"].Provider.Open(t.Context(), session); err == nil {
		t.Error("the link lives longer than T2")
	}
	w.redirect(y.ID)
	w.run()
	w.wantState(y.ID, exchange.Failed, "EDM:ERR:0005")
}

func TestAPreviewIsForOnePersonOnly(t *testing.T) {
	w := newWorld(t, options{})
	x := w.ask(previewWish()).Exchanges[0]
	w.run()
	session := w.link(x.ID)
	w.redirect(x.ID)
	w.run()
	fi := w.states["FI"].Provider
	if _, err := fi.Open(t.Context(), "0b332e2c-35af-4311-9aa7-553b4f276480"); !errors.Is(err, &exchange.Error{Reason: exchange.NotFound}) {
		t.Errorf("a guessed link: %v", err)
	}
	if s, err := fi.Open(t.Context(), session); err != nil || s.Subject.NaturalPerson != nil {
		t.Errorf("before the identification the session tells its subject, or nothing: %v", err)
	}
	if _, err := fi.Decide(t.Context(), session, "", exchange.Decision{}); err == nil {
		t.Error("a decision without a visitor")
	}
	wrong := alphaComes()
	wrong.GivenName = "Eve"
	for range 5 {
		if _, _, err := fi.Identify(t.Context(), session, wrong); !errors.Is(err, &exchange.Error{Reason: exchange.NotThisPerson}) {
			t.Fatalf("a stranger: %v", err)
		}
	}
	if _, _, err := fi.Identify(t.Context(), session, alphaComes()); !errors.Is(err, &exchange.Error{Reason: exchange.NotFound}) {
		t.Errorf("the session outlives five strangers: %v", err)
	}
	w.run()
	w.wantState(x.ID, exchange.Failed, "EDM:ERR:0001")
}

// A second sign-in fetches anew; what the first visitor saw is gone with the
// first token, and what is sent is what the last one saw.
func TestSigningInTwice(t *testing.T) {
	d := diplomas()
	w := newWorld(t, options{data: d})
	x := w.ask(previewWish()).Exchanges[0]
	w.run()
	session := w.link(x.ID)
	w.redirect(x.ID)
	w.run()
	fi := w.states["FI"].Provider
	first, visitor := w.enter("FI", session)
	other := append(bytes.Clone(pdf), "second edition"...)
	d.records.All[0].Piece.Forms = []exchange.File{{MediaType: "application/pdf", Language: "FI", Data: other}}
	second, again := w.enter("FI", session)
	if _, err := fi.Show(t.Context(), session, visitor, first.Documents[0].ID); err == nil {
		t.Error("the first visitor still sees")
	}
	shown, err := fi.Show(t.Context(), session, again, second.Documents[0].ID)
	if err != nil || !bytes.Equal(shown.Data, other) {
		t.Fatalf("the second visitor does not see the second edition: %v", err)
	}
	if _, err := fi.Decide(t.Context(), session, again, exchange.Decision{Pieces: []int{0}}); err != nil {
		t.Fatal(err)
	}
	w.run()
	if all := w.collect(x.ID); !bytes.Equal(all[0].Data, other) {
		t.Error("what was sent is not what was shown")
	}
}

// A register that hangs, panics or lies holds up its own request only.
func TestARegisterThatMisbehaves(t *testing.T) {
	for name, c := range map[string]struct {
		data exchange.DataService
		code string
	}{
		"panics": {broken(func() { panic("no") }), "EDM:ERR:0008"},
		"hangs":  {broken(func() { select {} }), "EDM:ERR:0005"},
	} {
		w := newWorld(t, options{data: c.data, clocks: exchange.Clocks{T1: 300 * time.Millisecond}})
		x := w.ask(wish()).Exchanges[0]
		w.run()
		if got := w.see(x.ID); got.Problem == nil || got.Problem.Code != c.code {
			t.Errorf("%s: the exchange is %s %+v", name, got.State, got.Problem)
		}
	}
}

type broken func()

func (b broken) Records(context.Context, *exchange.Query) (*exchange.Records, error) {
	b()
	return nil, nil
}

// ownSpace is a register with a preview space of its own.
type ownSpace struct{ *shelf }

func (ownSpace) PreviewLocation(_ context.Context, s *exchange.PreviewSession) (string, error) {
	if s.Subject.NaturalPerson == nil || s.Requester.Identifier.Value == "" {
		return "", errors.New("a preview space must know whom to expect, and for whom")
	}
	return "https://own.example/see?it=" + s.ID, nil
}

func TestARegisterWithItsOwnPreviewSpace(t *testing.T) {
	w := newWorld(t, options{data: ownSpace{diplomas()}})
	x := w.ask(previewWish()).Exchanges[0]
	w.run()
	got := w.wantState(x.ID, exchange.PreviewRequired, "")
	session, ok := strings.CutPrefix(got.Preview.Location, "https://own.example/see?it=")
	if !ok {
		t.Fatalf("the link is %s", got.Preview.Location)
	}
	w.redirect(x.ID)
	w.run()
	_, visitor := w.enter("FI", session)
	if _, err := w.states["FI"].Provider.Decide(t.Context(), session, visitor, exchange.Decision{Pieces: []int{0}}); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.wantState(x.ID, exchange.Delivered, "")
}

func TestMoreTimeInThePreview(t *testing.T) {
	w := newWorld(t, options{})
	x := w.ask(previewWish()).Exchanges[0]
	w.run()
	session := w.link(x.ID)
	w.redirect(x.ID)
	w.run()
	fi := w.states["FI"].Provider
	s, visitor := w.enter("FI", session)
	began := w.at.Now()
	for s.Expires.Before(s.Until) {
		w.wait(10 * time.Minute)
		before := s.Expires
		var err error
		if s, err = fi.Extend(t.Context(), session, visitor); err != nil {
			t.Fatal(err)
		}
		if !s.Expires.After(before) {
			t.Fatalf("no more time: %s, %s", before, s.Expires)
		}
	}
	if got := s.Until.Sub(began); got != 40*time.Minute {
		t.Errorf("the preview can last %s, want T3", got)
	}
	w.wait(s.Until.Sub(w.at.Now()) - time.Second)
	w.wantState(x.ID, exchange.PreviewOpen, "")
	w.wait(2 * time.Second)
	w.wantState(x.ID, exchange.Failed, "EDM:ERR:0005")
}
