package testbed_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/suites"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

var judge = validator.New(validator.Config{})

var keys = sync.OnceValues(func() (*partner.Keys, error) {
	return partner.NewKeys(func() time.Time { return noon }, testbed.PlatformName, testbed.PracticeName)
})

func catalogue(t testing.TB) *testbed.Catalogue {
	t.Helper()
	c, err := testbed.Load(suites.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Problems {
		t.Error(p)
	}
	return c
}

func lab(t testing.TB, c *testbed.Catalogue, fault, line string, names ...bool) *testbed.Runner {
	t.Helper()
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	r, err := testbed.NewLab(testbed.LabConfig{Catalogue: c, Keys: k, Judge: judge, Fault: fault, Line: line, Start: noon, Names: len(names) > 0 && names[0]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func show(t testing.TB, run *testbed.Run) {
	t.Helper()
	var b strings.Builder
	for _, s := range run.Steps {
		b.WriteString("\n  " + s.Step + ": " + string(s.Result) + " " + s.Found)
	}
	t.Log(run.Case, run.Line, run.Result, run.Why, b.String())
}

// TestEveryCase plays each case against the honest practice system, which must
// pass, and against the one with the fault that the case exists to find, which
// must fail.
func TestEveryCase(t *testing.T) {
	c := catalogue(t)
	for _, s := range c.Suites {
		for _, k := range s.Cases {
			if k.Peer() {
				continue
			}
			t.Run(k.ID, func(t *testing.T) {
				t.Parallel()
				if k.Fault == "" {
					t.Error("the case names no fault: it may prove nothing")
				}
				lines := k.Lines
				if len(lines) == 0 {
					lines = []string{"oots-edm:v2.0"}
				}
				if testing.Short() {
					lines = lines[:1]
				}
				for _, line := range lines {
					run, err := lab(t, c, "", line, k.Suite == "CS-DISC").Play(t.Context(), k)
					if err != nil {
						t.Fatal(err)
					}
					if run.Result != testbed.Pass && run.Result != testbed.Warnings {
						show(t, run)
						t.Errorf("%s: the honest practice system gets %s", line, run.Result)
					}
				}
				run, err := lab(t, c, k.Fault, lines[0], k.Suite == "CS-DISC").Play(t.Context(), k)
				if err != nil {
					t.Fatal(err)
				}
				if run.Result != testbed.Fail {
					show(t, run)
					t.Errorf("the practice system with the fault %s gets %s", k.Fault, run.Result)
				}
			})
		}
	}
}
