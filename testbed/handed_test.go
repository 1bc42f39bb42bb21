package testbed_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/once-only/oots/testbed"
)

// A run stays with the report that brought it, whatever job it says it is of.
func TestReportsAreKeptAsJobs(t *testing.T) {
	run := func(id, k string) *testbed.Run {
		return &testbed.Run{ID: id, Job: "somebody-else", Case: k, Suite: k[:strings.LastIndex(k, "-")], System: "FI portal", Country: "FI", Line: "oots-edm:v2.0", Result: testbed.Pass}
	}
	report := func(runs ...*testbed.Run) *testbed.Report {
		return &testbed.Report{System: "FI portal", Country: "FI", Component: "DS", Line: "oots-edm:v2.0", Runs: runs}
	}
	store := &testbed.Memory{}
	for _, r := range []*testbed.Report{
		report(run("a", "EDM-MSG-001"), run("b", "AS4-CONN-001")),
		report(run("a", "EDM-MSG-001"), run("b", "AS4-CONN-001")), // again
		report(run("b", "AS4-CONN-001")),                          // all known
		report(run("b", "AS4-CONN-001"), run("c", "AS4-CONN-004")),
	} {
		if err := r.Keep(t.Context(), store, "team:FI/portal", false); err != nil {
			t.Fatal(err)
		}
	}
	jobs, err := store.Jobs(t.Context(), testbed.JobFilter{Country: "FI"})
	if err != nil || len(jobs) != 2 {
		t.Fatalf("%+v, %v", jobs, err)
	}
	var sizes []string
	for _, j := range jobs {
		runs, err := store.Runs(t.Context(), testbed.Filter{Job: j.ID})
		if err != nil || len(runs) != j.Done || len(runs) != len(j.Cases) || j.Open() || j.By != "team:FI/portal" {
			t.Errorf("%d runs of %+v, %v", len(runs), j, err)
		}
		sizes = append(sizes, strings.Join(j.Cases, " "))
	}
	if all := strings.Join(sizes, ", "); all != "EDM-MSG-001 AS4-CONN-001, AS4-CONN-004" && all != "AS4-CONN-004, EDM-MSG-001 AS4-CONN-001" {
		t.Error(all)
	}
	other := run("a", "EDM-MSG-001")
	other.Result = testbed.Fail
	if err := report(other).Keep(t.Context(), store, "team:FI/portal", false); !errors.Is(err, testbed.ErrKnown) || !strings.Contains(err.Error(), "a: ") {
		t.Errorf("another run of a known id gives %v", err)
	}
}
