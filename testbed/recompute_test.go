package testbed_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/testbedtest"
)

// handedIn is a report as it comes out of a signed file.
func handedIn(t testing.TB, c *testbed.Catalogue, r *testbed.Report) (*testbed.Report, error) {
	t.Helper()
	k := testbedtest.Key(t)
	signed, err := r.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	return testbed.OpenReport(signed, k.Public(), c)
}

// What the platform sees in the messages of a run is what whoever played it
// saw, for an honest system and for one with a fault.
func TestRecomputedRunsComeOutAsTheyWere(t *testing.T) {
	c := catalogue(t)
	for _, s := range []struct {
		suite, fault string
		proved       int // at least
	}{{"EDM-MSG", "", 20}, {"EDM-MSG", "response-without-time", 1}, {"EP-SIM", "", 5}, {"AS4-CONN", "", 0}, {"ER-SIM", "", 1}, {"LCM", "", 1}, {"AS4-PROF", "", 0}} {
		r, err := handedIn(t, c, suiteReport(t, c, s.suite, s.fault))
		if err != nil {
			t.Fatalf("%s %s: %v", s.suite, s.fault, err)
		}
		proved, signals := 0, 0
		for _, run := range r.Runs {
			if run.Started.After(r.Made) {
				t.Errorf("the run of %s began after its report was made", run.Case)
			}
			ok, err := c.Recompute(run, judge)
			if err != nil {
				t.Error(err)
			}
			if !ok {
				continue
			}
			proved++
			for _, step := range run.Steps {
				if strings.HasPrefix(step.Step, "signal") || strings.HasPrefix(step.Step, "attest") {
					signals++
				}
			}
		}
		t.Logf("%s %s: %d of %d runs follow from their messages", s.suite, s.fault, proved, len(r.Runs))
		if proved < s.proved || signals > 0 {
			t.Errorf("%s: %d proved, %d of them by what no message shows", s.suite, proved, signals)
		}
	}
}

// TestReportsThatLie: each row is one lie in an otherwise true report.
func TestReportsThatLie(t *testing.T) {
	c := catalogue(t)
	good, bad := suiteReport(t, c, "EDM-MSG", ""), suiteReport(t, c, "EDM-MSG", "response-without-time")
	of := func(r *testbed.Report, id string) *testbed.Run {
		for _, run := range r.Runs {
			if run.Case == id {
				return run
			}
		}
		t.Fatalf("the report has no %s", id)
		return nil
	}
	copied := func(r *testbed.Report) *testbed.Report {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var out testbed.Report
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatal(err)
		}
		return &out
	}
	const first = "EDM-MSG-001" // its last step fails with the fault
	for _, lie := range []struct {
		name, want string
		tell       func(r *testbed.Report)
	}{
		{"a failure is hidden", "its messages say", func(r *testbed.Report) {
			*of(r, first) = *of(copied(bad), first)
			run := of(r, first)
			k := c.Case(first)
			run.Result, run.Why = testbed.Pass, ""
			run.Steps = run.Steps[:0]
			for _, s := range k.Steps {
				run.Steps = append(run.Steps, testbed.Played{Line: s.Line, Step: s.String(), Result: testbed.Pass})
			}
		}},
		{"the failing step is left out", "none of which decided", func(r *testbed.Report) {
			run := of(r, first)
			run.Steps = run.Steps[:len(run.Steps)-1]
		}},
		{"no step at all", "has 0 steps", func(r *testbed.Report) { of(r, first).Steps = nil }},
		{"another step in its place", "in the case", func(r *testbed.Report) {
			run := of(r, first)
			run.Steps[len(run.Steps)-1].Step = "valid answer"
		}},
		{"a step more", "steps, the case has", func(r *testbed.Report) {
			run := of(r, first)
			run.Steps = append(run.Steps, run.Steps[0])
		}},
		{"it goes on after a failure", "goes on after", func(r *testbed.Report) {
			run := of(r, first)
			run.Steps[1].Result, run.Result = testbed.Fail, testbed.Fail
		}},
		{"a result that does not exist", "does not exist", func(r *testbed.Report) { of(r, first).Steps[0].Result = "great" }},
		{"a hard case is called not applicable", "not applicable", func(r *testbed.Report) {
			run := of(r, first)
			run.Result, run.Steps, run.Messages = testbed.NotApplicable, nil, nil
		}},
		{"a message of another run", "its messages say", func(r *testbed.Report) {
			of(r, first).Messages = of(copied(bad), first).Messages
		}},
		{"the request for the answer", "it is said to be", func(r *testbed.Report) {
			m := of(r, first).Messages
			m[1].Body, m[1].SHA256, m[1].Size, m[1].Envelope = m[0].Body, m[0].SHA256, m[0].Size, m[0].Envelope
		}},
		{"an octet of a message is another", "not the one that was hashed", func(r *testbed.Report) { of(r, first).Messages[1].Body[10] ^= 1 }},
		{"an envelope that is none", "envelope", func(r *testbed.Report) { of(r, first).Messages[1].Envelope = []byte("<a/>") }},
		{"the case was another then", "not the one of the catalogue", func(r *testbed.Report) { of(r, first).CaseHash = "00" }},
		{"a run of another country", "another system", func(r *testbed.Report) { of(r, first).Country = "SE" }},
		{"a run without an id", "no id of a run", func(r *testbed.Report) { of(r, first).ID = "a b" }},
		{"an endless name", "longer than", func(r *testbed.Report) { of(r, first).Title = strings.Repeat("a", 1000) }},
		{"endless messages", "at most", func(r *testbed.Report) { of(r, first).Messages = make([]testbed.Message, 300) }},
		{"no run", "no run", func(r *testbed.Report) { r.Runs = nil }},
		{"an empty run", "empty", func(r *testbed.Report) { r.Runs[0] = nil }},
	} {
		r := copied(good)
		lie.tell(r)
		opened, err := handedIn(t, c, r)
		for i := 0; err == nil && i < len(opened.Runs); i++ {
			_, err = c.Recompute(opened.Runs[i], judge)
		}
		if err == nil || !strings.Contains(err.Error(), lie.want) {
			t.Errorf("%s: %v, not %q", lie.name, err, lie.want)
		}
	}
}

// A suite is verified by the platform when all of its runs are, and asserted by
// whoever handed it in.
func TestFactsOfAForeignReport(t *testing.T) {
	c := catalogue(t)
	r := suiteReport(t, c, "EDM-MSG", "")
	r.Components = []string{"DS"}
	for _, all := range []bool{true, false} {
		suites := 0
		for i, f := range r.FactsOf(c, true, "team:FI/portal", func(run *testbed.Run) bool { return all || run != r.Runs[0] }) {
			want := "platform"
			if !all && (i == 0 || f.Body.Case == "") {
				want = ""
			}
			if f.Asserter != "team:FI/portal" || f.Verifier != want {
				t.Errorf("%s %s is asserted by %q and verified by %q", f.Body.Suite, f.Body.Case, f.Asserter, f.Verifier)
			}
			if f.Body.Case == "" {
				suites++
			}
			if err := ledger.Check(f); err != nil {
				t.Error(err)
			}
		}
		if suites != len(r.Components) {
			t.Errorf("%d facts of suites", suites)
		}
	}
}

// FuzzOpenReport: whatever somebody signs and hands in, reading and judging it
// ends in an answer.
func FuzzOpenReport(f *testing.F) {
	c := catalogue(f)
	r := &testbed.Report{Schema: 1, Catalogue: c.Version}
	for _, s := range c.Suites[:1] {
		k := s.Cases[0]
		run := &testbed.Run{ID: "1", Case: k.ID, Suite: s.Name, CaseHash: k.Hash, Catalogue: c.Version, Result: testbed.Pass}
		for _, step := range k.Steps {
			run.Steps = append(run.Steps, testbed.Played{Line: step.Line, Step: step.String(), Result: testbed.Pass})
		}
		r.Runs = append(r.Runs, run)
	}
	text, err := json.Marshal(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"schema":1,"catalogue":"` + c.Version + `","runs":[null]}`)
	key := testbedtest.Key(f)
	f.Fuzz(func(t *testing.T, text string) {
		signed, err := key.Sign(strings.Map(func(r rune) rune {
			if r < ' ' {
				return -1
			}
			return r
		}, strings.ToValidUTF8(text, "")) + "\n")
		if err != nil {
			return
		}
		opened, err := testbed.OpenReport(signed, key.Public(), c)
		if err != nil {
			return
		}
		for _, run := range opened.Runs {
			_, _ = c.Recompute(run, judge) // no panic
		}
		opened.FactsOf(c, false, "team:FI/portal", func(*testbed.Run) bool { return false })
	})
}
