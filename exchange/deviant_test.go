package exchange_test

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// fault changes a message on its way out.
type fault func(m *ebms.UserMessage, parts []as4.Part) (*ebms.UserMessage, []as4.Part)

// in changes the document by a regular expression.
func in(old, new string) fault {
	re := regexp.MustCompile("(?s)" + old)
	return func(m *ebms.UserMessage, parts []as4.Part) (*ebms.UserMessage, []as4.Part) {
		body, _ := io.ReadAll(parts[0].Content.NewReader())
		changed := re.ReplaceAll(body, []byte(new))
		if bytes.Equal(body, changed) {
			panic("the fault " + old + " changes nothing")
		}
		parts[0].Content = ebms.Bytes(changed)
		return m, parts
	}
}

// property changes a message property.
func property(name, value string) fault {
	return func(m *ebms.UserMessage, parts []as4.Part) (*ebms.UserMessage, []as4.Part) {
		for i, p := range m.Properties {
			if p.Name == name {
				m.Properties[i].Value = value
			}
		}
		return m, parts
	}
}

func header(f func(m *ebms.UserMessage)) fault {
	return func(m *ebms.UserMessage, parts []as4.Part) (*ebms.UserMessage, []as4.Part) { f(m); return m, parts }
}

// only applies a fault to the n-th message (from 0) of an action.
func only(action string, n int, f fault) fault {
	return func(m *ebms.UserMessage, parts []as4.Part) (*ebms.UserMessage, []as4.Part) {
		if m.Action == action {
			if n--; n == -1 {
				return f(m, parts)
			}
		}
		return m, parts
	}
}

const someUUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"

// A partner that breaks one check on purpose gets the exception of TDD 4.5.3, or
// silence and a log entry.
func TestRequestsThatBreakACheck(t *testing.T) {
	request := as4.ActionRequest
	for _, c := range []struct {
		check, code string // "" means silence
		preview     bool
		fault       fault
	}{
		{"X-01", "EDM:ERR:0003", false, only(request, 0, in("oots-edm:v2.0", "oots-edm:v1.2"))},
		{"X-02", "EDM:ERR:0003", false, only(request, 0, property("originalSender", "SOMEBODY"))},
		{"X-03", "EDM:ERR:0003", false, only(request, 0, property("finalRecipient", "SOMEBODY"))},
		{"X-05", "", false, only(request, 0, header(func(m *ebms.UserMessage) { m.Action = as4.ActionResponse }))},
		{"ConversationId", "", false, only(request, 0, header(func(m *ebms.UserMessage) { m.ConversationID = "session 7" }))},
		{"ExchangeId", "", false, only(request, 0, property("ExchangeId", "seven"))},
		{"two requesters", "", false, only(request, 0, in(`(<rim:Element[^>]*>\s*<sdg:Agent>(?:[^R]|R[^"])*?<sdg:Classification>ER</sdg:Classification>\s*</sdg:Agent>\s*</rim:Element>)`, "$1$1"))},
		{"not a request", "", false, only(request, 0, func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
			p[0].Content = ebms.Bytes("<hello/>")
			return m, p
		})},
		{"no XML", "", false, only(request, 0, func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
			p[0].Content = ebms.Bytes("hello")
			return m, p
		})},
		{"id shape", "EDM:ERR:0003", false, only(request, 0, in(`id="urn:uuid:`, `id="urn:`))},
		{"unknown line", "EDM:ERR:0003", false, only(request, 0, in("oots-edm:v2.0", "oots-edm:v7.0"))},
		{"unknown line of long ago", "EDM:ERR:0003", false, only(request, 0, func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
			m.Properties = slices.DeleteFunc(m.Properties, func(p ebms.Property) bool { return p.Name == ebms.ExchangeID || p.Name == "SpecificationId" })
			return in("oots-edm:v2.0", "oots-edm:v0.9")(m, p)
		})},
		{"a missing slot", "EDM:ERR:0003", false, only(request, 0, in(`<rim:Slot name="Procedure">.*?</rim:Slot>`, ""))},
		{"X-47 type", "EDM:ERR:0006", false, only(request, 0, in("6a6f1d6e-1c60-4a55-9a1e-7f54f2f3c001", someUUID))},
		{"preview of nobody", "EDM:ERR:0003", false, only(request, 0, in(`<rim:Slot name="PossibilityForPreview">`, `<rim:Slot name="PreviewLocation"><rim:SlotValue xsi:type="rim:StringValueType"><rim:Value>https://preview.example/p/x</rim:Value></rim:SlotValue></rim:Slot><rim:Slot name="ReturnLocation"><rim:SlotValue xsi:type="rim:StringValueType"><rim:Value>https://a.example/</rim:Value></rim:SlotValue></rim:Slot><rim:Slot name="PossibilityForPreview">`))},
		{"X-31", "EDM:ERR:0003", true, only(request, 1, property("ExchangeId", someUUID))},
		{"X-32", "EDM:ERR:0003", true, only(request, 1, in("https://preview.example/p/", "https://preview.example/q/"))},
		{"X-33", "EDM:ERR:0003", true, only(request, 1, in(`<rim:Slot name="ReturnLocation">.*?</rim:Slot>`, ""))},
		{"X-34", "EDM:ERR:0003", true, only(request, 1, in("Secondary diploma", "Another diploma"))},
	} {
		t.Run(c.check, func(t *testing.T) {
			w := newWorld(t, options{})
			w.deviant = true
			w.states["PT"].tamper = c.fault
			asked := wish()
			asked.Preview = c.preview
			x := w.ask(asked).Exchanges[0]
			w.run()
			if c.preview {
				w.redirect(x.ID)
				w.run()
			}
			var code string
			for _, m := range w.crossed {
				if m.to == "PT" && m.action == as4.ActionException {
					code = string(regexp.MustCompile(`code="([^"]*)"`).FindSubmatch(m.body)[1])
				}
			}
			if code != c.code {
				t.Errorf("answered with %q, want %q", code, c.code)
			}
			if c.code == "" {
				found := slices.Concat(w.logged("FI", x.Requests[0]), w.logged("FI", x.Messages[0]))
				if !slices.Contains(found, "provider dropped") && !slices.Contains(found, "requester dropped") {
					t.Errorf("nothing in the log of FI: %q", found)
				}
			}
		})
	}
}

// TestALineThatIsNotSpoken: who asks in another line than the provider's is
// refused in the words of that line, which are all that the asker understands.
func TestALineThatIsNotSpoken(t *testing.T) {
	for _, c := range []struct{ asks, answers edm.Line }{{edm.V12, edm.V20}, {edm.V20, edm.V12}} {
		t.Run(string(c.asks), func(t *testing.T) {
			w := newWorld(t, options{speaks: []edm.Line{c.asks}, answers: []edm.Line{c.answers}})
			x := w.ask(wish()).Exchanges[0]
			w.run()
			w.wantState(x.ID, exchange.Failed, "EDM:ERR:0003")
		})
	}
}

func TestReplayIsRefused(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		w := newWorld(t, o)
		w.deviant = true
		var twin *ebms.UserMessage
		var parts []as4.Part
		w.states["PT"].tamper = func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
			copied := *m
			copied.MessageID = ""
			twin, parts = &copied, p
			return m, p
		}
		x := w.ask(wish()).Exchanges[0]
		w.run()
		if _, err := w.states["PT"].ap.Submit(t.Context(), twin, parts); err != nil {
			t.Fatal(err)
		}
		w.run()
		wantWords(t, "to PT", w.actions("PT"), "ExecuteQueryResponse", "ExceptionResponse")
		if !bytes.Contains(w.crossed[len(w.crossed)-1].body, []byte("EDM:ERR:0003")) {
			t.Error("the replay is not refused with EDM:ERR:0003")
		}
		// The requester does not take the second answer for the first.
		w.wantState(x.ID, exchange.Delivered, "")
		wantWords(t, "log of PT", w.logged("PT", w.crossed[len(w.crossed)-1].header.MessageID), "requester dropped")
	})
}

func TestALinkServesOneSecondRequest(t *testing.T) {
	w := newWorld(t, options{})
	w.deviant = true
	x := w.ask(previewWish()).Exchanges[0]
	w.run()
	var again *ebms.UserMessage
	var parts []as4.Part
	w.states["PT"].tamper = func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
		copied := *m
		copied.MessageID = ""
		again = &copied
		fresh := slices.Clone(p)
		_, parts = in(`<query:QueryRequest([^>]*) id="urn:uuid:[^"]*"`, `<query:QueryRequest$1 id="urn:uuid:`+someUUID+`"`)(again, fresh)
		return m, p
	}
	w.redirect(x.ID)
	w.run()
	if _, err := w.states["PT"].ap.Submit(t.Context(), again, parts); err != nil {
		t.Fatal(err)
	}
	w.run()
	if last := w.crossed[len(w.crossed)-1]; !bytes.Contains(last.body, []byte("EDM:ERR:0003")) || !bytes.Contains(last.body, []byte("X-35")) {
		t.Errorf("the link serves twice: %s", last.body)
	}
	w.wantState(x.ID, exchange.PreviewOpen, "")
}

func TestPolicyOfTheProvider(t *testing.T) {
	w := newWorld(t, options{allowed: func(ebms.PartyID, sdg.Identifier) bool { return false }})
	x := w.ask(wish()).Exchanges[0]
	w.run()
	w.wantState(x.ID, exchange.Failed, "EDM:ERR:0001")

	w = newWorld(t, options{})
	w.deviant = true
	w.states["PT"].tamper = in(">Substantial<", ">Low<")
	x = w.ask(wish()).Exchanges[0]
	w.run()
	w.wantState(x.ID, exchange.Failed, "EDM:ERR:0001")
}

func TestFormatsThatCannotBeServed(t *testing.T) {
	for name, c := range map[string]struct {
		file exchange.File
		code string
	}{
		"another format":         {exchange.File{MediaType: "image/png", Data: []byte("\x89PNG")}, "EDM:ERR:0007"},
		"no PDF in truth":        {exchange.File{MediaType: "application/pdf", Data: []byte("<html>")}, "EDM:ERR:0008"},
		"nothing at all":         {exchange.File{MediaType: "application/pdf"}, "EDM:ERR:0008"},
		"XML, but PDF was asked": {exchange.File{MediaType: "application/xml", Data: []byte("<a/>")}, "EDM:ERR:0007"},
	} {
		w := newWorld(t, options{data: diplomas(c.file)})
		x := w.ask(wish()).Exchanges[0]
		w.run()
		if got := w.see(x.ID); got.Problem == nil || got.Problem.Code != c.code {
			t.Errorf("%s: %+v, want %s", name, got.Problem, c.code)
		}
	}
	for name, data := range map[string]string{"a field is missing": strings.Replace(diplomaXML, "<school>Demo School</school>", "", 1), "no date": strings.Replace(diplomaXML, "2018-06-02", "June", 1), "not XML": "{"} {
		w := newWorld(t, options{models: []*exchange.Model{diplomaModel()}, data: diplomas(exchange.File{MediaType: "application/xml", Model: "DemoSecondaryDiploma", Data: []byte(data)})})
		x := w.askFor(wish(), func(p *exchange.Plan) []exchange.Choice {
			c := p.First()
			c[0].Formats = []string{"application/xml"}
			return c
		}).Exchanges[0]
		w.run()
		if got := w.see(x.ID); got.Problem == nil || got.Problem.Code != "EDM:ERR:0008" {
			t.Errorf("%s: %+v", name, got.Problem)
		}
	}
}

// An answer that breaks a check is seen by nobody.
func TestAnswersThatBreakACheck(t *testing.T) {
	response, failed := as4.ActionResponse, as4.ActionException
	party := func(cc string) string { return cc + "REGISTER" }
	both := func(f, g fault) fault {
		return func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) { return g(f(m, p)) }
	}
	// Some checks are reached by no message: a rule on the message alone speaks
	// first.
	earlier := map[string]string{"X-05": "R-EDM-ebMS-023", "X-01": "R-EDM-ebMS-038", "X-11": "R-EDM-RESP-S015"}
	for _, c := range []struct {
		check string
		want  exchange.State
		doubt string
		fault fault
	}{
		{"X-01", exchange.Failed, "", only(response, 0, property("SpecificationId", "oots-edm:v1.2"))},
		{"X-04", exchange.Failed, "", only(response, 0, property("originalSender", "SOMEBODY"))},
		{"X-05", exchange.Failed, "", only(response, 0, header(func(m *ebms.UserMessage) { m.Action = failed }))},
		{"X-06 missing", exchange.Failed, "", only(response, 0, func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) { return m, p[:1] })},
		{"X-06 more", exchange.Failed, "", only(response, 0, func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
			return m, append(p, as4.Part{ID: "more@x.example", Type: "application/pdf", Content: ebms.Bytes(pdf)})
		})},
		{"X-07", exchange.Delivered, "X-07", only(response, 0, func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
			p[1].Type = "image/png"
			return m, p
		})},
		{"X-08", exchange.Delivered, "X-08", only(response, 0, func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
			p[1].Content = ebms.Bytes("<html>")
			return m, p
		})},
		{"X-10", exchange.Sent, "", only(response, 0, in(`requestId="urn:uuid:[^"]*"`, `requestId="urn:uuid:`+someUUID+`"`))},
		{"X-11", exchange.Failed, "", only(response, 0, in("oots-edm:v2.0", "oots-edm:v1.2"))},
		{"X-12 conversation", exchange.Failed, "", only(response, 0, header(func(m *ebms.UserMessage) { m.ConversationID = someUUID }))},
		{"X-12 exchange", exchange.Failed, "", only(response, 0, property("ExchangeId", someUUID))},
		{"X-13", exchange.Failed, "", only(response, 0, both(in(">PTPORTAL<", ">PTOTHER<"), property("finalRecipient", "PTOTHER")))},
		{"X-14", exchange.Failed, "", only(response, 0, both(in(">"+party("FI")+"<", ">FIOTHER<"), property("originalSender", "FIOTHER")))},
		{"X-15", exchange.Failed, "", only(response, 0, in("6a6f1d6e-1c60-4a55-9a1e-7f54f2f3c001", someUUID))},
		{"X-18", exchange.Delivered, "X-18", only(response, 0, in(">Alpha<", ">Omega<"))},
		{"X-20", exchange.Failed, "", nil}, // below: preview was asked
		{"X-22", exchange.Delivered, "X-22", only(response, 0, in(`(name="IssueDateTime">.*?<rim:Value>)[0-9]{4}`, "${1}2019"))},
		{"no XML", exchange.Sent, "", only(response, 0, func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
			p[0].Content = ebms.Bytes("hello")
			return m, p
		})},
	} {
		t.Run(c.check, func(t *testing.T) {
			w := newWorld(t, options{})
			w.deviant = true
			w.states["FI"].tamper = c.fault
			asked := wish()
			if c.check == "X-20" {
				asked.Preview = true
				w.states["PT"].tamper = in(`(name="PossibilityForPreview">.*?<rim:Value>)true`, "${1}false")
			}
			x := w.ask(asked).Exchanges[0]
			w.run()
			got := w.see(x.ID)
			if got.State != c.want || c.doubt != "" && !slices.Contains(got.Doubts, c.doubt) {
				t.Fatalf("the exchange is %s (%+v), doubts %v; want %s", got.State, got.Problem, got.Doubts, c.want)
			}
			if c.want == exchange.Failed && !strings.HasPrefix(got.Problem.Detail, cmp.Or(earlier[c.check], c.check[:4])) {
				t.Errorf("refused for another reason than %s: %s", c.check, got.Problem.Detail)
			}
			if c.want != exchange.Delivered {
				if _, err := w.states["PT"].Requester.Collect(context.Background(), x.ID); err == nil {
					t.Error("the evidence can be collected")
				}
				if got := w.logged("PT", w.crossed[len(w.crossed)-1].header.MessageID); len(got) != 1 {
					t.Errorf("log entries of the answer: %q", got)
				}
			}
		})
	}
}

// Another access point cannot answer for the one that was asked.
func TestAnswerOfAnotherAccessPoint(t *testing.T) {
	w := newWorld(t, options{})
	w.deviant = true
	w.states["FI"].tamper = func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
		if _, err := w.states["DE"].ap.Submit(t.Context(), m, p); err != nil {
			t.Error(err)
		}
		return nil, nil
	}
	x := w.ask(wish()).Exchanges[0]
	w.run()
	w.wantState(x.ID, exchange.Sent, "")
	wantWords(t, "log of PT", w.logged("PT", w.crossed[1].header.MessageID), "requester dropped")
}

func TestASecondAnswerIsDropped(t *testing.T) {
	w := newWorld(t, options{})
	w.deviant = true
	w.states["FI"].tamper = func(m *ebms.UserMessage, p []as4.Part) (*ebms.UserMessage, []as4.Part) {
		twin := *m
		twin.MessageID = ""
		if _, err := w.states["FI"].ap.Submit(t.Context(), &twin, p); err != nil {
			t.Error(err)
		}
		return m, p
	}
	x := w.ask(wish()).Exchanges[0]
	w.run()
	got := w.wantState(x.ID, exchange.Delivered, "")
	if len(w.actions("PT")) != 2 || len(got.Documents) != 1 {
		t.Errorf("%d answers, %d documents", len(w.actions("PT")), len(got.Documents))
	}
	w.wait(time.Minute)
}
