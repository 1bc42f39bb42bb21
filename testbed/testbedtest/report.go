package testbedtest

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/testbed"
)

// Report is an unsigned report of one case, played against the practice system
// as "FI portal".
func Report(t testing.TB, c *testbed.Catalogue, id string, made time.Time) *testbed.Report {
	t.Helper()
	r, err := testbed.NewLab(testbed.LabConfig{Catalogue: c})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Target.Name, r.Target.Component = "FI portal", "DS"
	run, err := r.Play(t.Context(), c.Case(id))
	if err != nil || run.Result != testbed.Pass {
		t.Fatalf("%s: %s %s, %v", id, run.Result, run.Why, err)
	}
	return testbed.NewReport(r, ledger.Testing, made, []*testbed.Run{run})
}

// Key is a new key of a team that signs reports.
func Key(t testing.TB) *ledger.Key {
	t.Helper()
	private, err := ledger.NewKey(rand.Reader, "team-fi")
	if err != nil {
		t.Fatal(err)
	}
	k, err := ledger.ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
