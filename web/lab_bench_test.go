package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/once-only/oots/ledger"
	pj "github.com/once-only/oots/projectathon"
)

// BenchmarkLabMatrix renders the live matrix of 30 countries: 870 ordered pairs
// with 40 results each. One result changes before every rendering.
func BenchmarkLabMatrix(b *testing.B) {
	store := &pj.Memory{}
	s, err := pj.New(pj.Config{Store: store, Facts: ledger.New(ledger.Config{Store: &ledger.Memory{}}), Now: testClock})
	if err != nil {
		b.Fatal(err)
	}
	var records []pj.Record
	add := func(kind pj.Kind, id, event string, v any) {
		doc, err := json.Marshal(v)
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, pj.Record{Kind: kind, ID: id, Event: event, Version: 1, Doc: doc})
	}
	add(pj.KindEvent, "ev", "", pj.Event{ID: "ev", Name: "Large", State: pj.Live, Line: "oots-edm:v2.0"})
	countries := ledger.Countries[:30]
	for _, cc := range countries {
		add(pj.KindRegistration, "ev:"+cc+"_node", "ev", pj.Registration{ID: "ev:" + cc + "_node", Event: "ev", System: cc + "_node", Country: cc, State: pj.Admitted})
	}
	states := []pj.PeerState{pj.Verified, pj.Failed, pj.Running, pj.ToBeVerified, pj.Scheduled}
	test := func(id, a, c string, n int) pj.PeerTest {
		t := pj.PeerTest{ID: id, Event: "ev", Case: fmt.Sprintf("TC%02d", n%12+1), State: states[n%len(states)],
			Sides: []pj.Side{{System: a + "_node", Country: a, Role: pj.Requester}, {System: c + "_node", Country: c, Role: pj.Provider}}}
		if t.State == pj.Verified || t.State == pj.Failed {
			t.Verdicts = []pj.Verdict{{System: a + "_node", Outcome: t.State}, {System: c + "_node", Outcome: t.State}}
		}
		return t
	}
	for _, a := range countries {
		for _, c := range countries {
			for n := range 40 {
				if a != c {
					id := fmt.Sprintf("%s-%s-%d", a, c, n)
					add(pj.KindTest, id, "ev", test(id, a, c, n))
				}
			}
		}
	}
	if err := store.Put(context.Background(), pj.Entry{}, records...); err != nil {
		b.Fatal(err)
	}
	l, err := newLab(LabConfig{BaseURL: "http://lab.example", Events: s, Identity: doorman{}, Accounts: doormansList, Now: testClock})
	if err != nil {
		b.Fatal(err)
	}
	h := l.handler()
	cookie := benchSession(b, h)
	get := func() int {
		r := httptest.NewRequest("GET", "/en/lab/events/ev/matrix", nil)
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), []byte(`class="y"`)) {
			b.Fatalf("the page answers %d", w.Code)
		}
		return w.Body.Len()
	}
	size := get()
	version := 1
	for b.Loop() {
		version++
		id := "AT-BE-0"
		doc, err := json.Marshal(test(id, "AT", "BE", version))
		if err != nil {
			b.Fatal(err)
		}
		if err := store.Put(context.Background(), pj.Entry{}, pj.Record{Kind: pj.KindTest, ID: id, Event: "ev", Version: version, Doc: doc}); err != nil {
			b.Fatal(err)
		}
		get()
	}
	b.ReportMetric(float64(size), "B/page")
}

// benchSession signs the auditor in and gives the session's cookie.
func benchSession(b *testing.B, h http.Handler) *http.Cookie {
	b.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://lab.example/en/lab/signin", nil))
	r := httptest.NewRequest("GET", w.Header().Get("Location")+"&account=auditor", nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "oots_lab__session" {
			return c
		}
	}
	b.Fatalf("no session: %d %v", w.Code, w.Result().Cookies())
	return nil
}
