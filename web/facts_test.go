package web

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/once-only/oots/ledger"
)

// The proof of a fact names who may open the message behind it and leads there,
// where the test platform has an address.
func TestAFactLeadsToItsMessages(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	fact := func(kind ledger.Kind, id string, conf string) ledger.Fact {
		f := ledger.Fact{ID: id, Kind: kind, Asserter: "platform", Verifier: "platform", Environment: ledger.Testing, Specification: "oots-edm:v2.0",
			Subject: ledger.Subject{Country: "FI", Role: ledger.Provider, System: "FI_node", Component: "DS"}, HappenedAt: testNow, Sample: true,
			Body:     ledger.Body{Version: "1", Suite: "EP-SIM", Case: "EP-SIM-001", Outcome: "pass"},
			Evidence: []ledger.Evidence{{SHA256: digest, MediaType: "application/x-ebrs+xml", Size: 3, Confidentiality: conf}}}
		if kind == ledger.PeerTest {
			f.Asserter, f.Verifier, f.Subject, f.Body = "team:FI/op1", "", ledger.Subject{Country: "FI", Role: ledger.Provider, Partner: "PT"}, ledger.Body{Case: "TC01", Outcome: "pass"}
		}
		return f
	}
	l := ledger.New(ledger.Config{Store: &ledger.Memory{}, Now: testClock})
	if _, err := l.Append(t.Context(), fact(ledger.Conformance, "run", "own"), fact(ledger.PeerTest, "own", "own"), fact(ledger.PeerTest, "shared", "shared"), fact(ledger.PeerTest, "public", "public")); err != nil {
		t.Fatal(err)
	}
	link := `href="https://tests.example/en/lab/evidence/` + digest + `"`
	for id, who := range map[string]string{"run": "teams and coordinator of Finland, reviewers", "own": "the monitor of the test", "shared": "both countries", "public": "everybody"} {
		for _, lab := range []string{"", "https://tests.example/"} {
			site := newSite(t, func(c *Config) { c.Ledger, c.Lab = l, lab })
			w := httptest.NewRecorder()
			site.ServeHTTP(w, httptest.NewRequest("GET", "/en/facts/"+id, nil))
			page := w.Body.String()
			if !strings.Contains(page, who) {
				t.Errorf("%s does not say %q", id, who)
			}
			if strings.Contains(page, link) != (lab != "") {
				t.Errorf("%s with the test platform at %q leads to the message: %v", id, lab, lab == "")
			}
		}
	}
	c := newConfig(t)
	if c.Lab = "tests.example"; true {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "https://") {
			t.Errorf("an address of the test platform that is none: %v", err)
		}
	}
}
