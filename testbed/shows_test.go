package testbed_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/testbed"
)

// shownBy plays the cases of a suite that show a peer case, as a component, and
// gives the outcomes of the facts that carry the id of one.
func shownBy(t *testing.T, c *testbed.Catalogue, suite, component, fault string, keep func(*testbed.Case) bool) map[string]string {
	t.Helper()
	r := lab(t, c, fault, "oots-edm:v2.0")
	r.Target.Component = component
	var runs []*testbed.Run
	for _, k := range c.Suite(suite).Cases {
		if k.Shows == "" || !keep(k) {
			continue
		}
		run, err := r.Play(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
	}
	facts := testbed.NewReport(r, ledger.Testing, noon, runs).Facts(c, true)
	if _, err := ledger.New(ledger.Config{Store: &ledger.Memory{}}).Append(t.Context(), facts...); err != nil {
		t.Error(err)
	}
	out := map[string]string{}
	for _, f := range facts {
		if !strings.HasPrefix(f.Body.Case, "TC") {
			continue
		}
		if _, twice := out[f.Body.Case]; twice || f.Body.Suite != suite || len(f.Evidence) == 0 {
			t.Errorf("fact %s: twice, or of the suite %s, or without evidence", f.ID, f.Body.Suite)
		}
		out[f.Body.Case] = f.Body.Outcome
	}
	return out
}

// TestSuiteCasesShowPeerCases: one fact for each peer case that a component's
// own suite proves, the worst of its cases.
func TestSuiteCasesShowPeerCases(t *testing.T) {
	c := catalogue(t)
	all := func(*testbed.Case) bool { return true }
	for _, tc := range []struct {
		suite, component, fault string
		keep                    func(*testbed.Case) bool
		want                    string
	}{
		{"EP-SIM", "DS", "", all, "TC20 pass, TC21 pass, TC22 pass, TC23 pass"},
		{"ER-SIM", "ER", "", all, "TC20 pass, TC21 pass, TC22 pass, TC23 pass"},
		{"EP-SIM", "DS", "no-detail", all, "TC20 fail, TC21 pass, TC22 pass, TC23 pass"},
		{"EP-SIM", "DS", "accepts-replays", all, "TC20 pass, TC21 fail, TC22 pass, TC23 pass"},
		{"ER-SIM", "ER", "waits-for-ever", all, "TC20 pass, TC21 pass, TC22 pass, TC23 fail"},
		// The access point's or the other side's report says nothing about it.
		{"EP-SIM", "AP", "", all, ""},
		{"EP-SIM", "ER", "", all, ""},
		// One of three cases is not the whole promise, unless it was broken.
		{"EP-SIM", "DS", "", func(k *testbed.Case) bool { return k.ID == "EP-SIM-041" }, ""},
		{"EP-SIM", "DS", "accepts-anything", func(k *testbed.Case) bool { return k.ID == "EP-SIM-041" }, "TC20 fail"},
	} {
		got := shownBy(t, c, tc.suite, tc.component, tc.fault, tc.keep)
		var words []string
		for id, outcome := range got {
			words = append(words, id+" "+outcome)
		}
		slices.Sort(words)
		if s := strings.Join(words, ", "); s != tc.want {
			t.Errorf("%s as %s with %q: %s, want %s", tc.suite, tc.component, tc.fault, s, tc.want)
		}
	}
}

// TestACaseShowsAPeerCaseThatIsThere.
func TestACaseShowsAPeerCaseThatIsThere(t *testing.T) {
	for shows, want := range map[string]string{"TC20": "", "TC21": "no peer case of that id", "EP-OWN-001": "id of one peer case"} {
		c, err := testbed.Load(fstest.MapFS{
			"EP-OWN/a.txt":     {Data: []byte(strings.Replace(sound, "fault", "shows "+shows+"\nfault", 1))},
			"base/request.xml": {Data: []byte("<a/>")},
			"PEER/b.txt":       {Data: []byte("case TC20 x\ncites y\nrole evidence-requester evidence-provider\nrequester: do request\n")},
		})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(c.Problems) > 0 || want != "" && (len(c.Problems) != 1 || !strings.Contains(c.Problems[0].Text, want) || c.Case("EP-OWN-001") != nil) {
			t.Errorf("shows %s: %v", shows, c.Problems)
		}
	}
}
