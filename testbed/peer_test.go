package testbed_test

import (
	"testing"

	"github.com/once-only/oots/testbed"
)

// TestEveryPeerCase plays each peer case between two practice systems: honest
// ones pass, or wait for a person's word; with the fault on the named side the
// case fails.
func TestEveryPeerCase(t *testing.T) {
	c := catalogue(t)
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	play := func(t *testing.T, kase *testbed.Case, fault, line string) *testbed.Run {
		l, err := testbed.NewPeerLab(testbed.LabConfig{Catalogue: c, Keys: k, Judge: judge, Fault: fault, Line: line, Start: noon}, kase.FaultOf)
		if err != nil {
			t.Fatal(err)
		}
		run, err := l.Play(t.Context(), kase)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	for _, kase := range c.Suite("PEER").Cases {
		t.Run(kase.ID, func(t *testing.T) {
			t.Parallel()
			asks := false
			for _, s := range kase.Steps {
				asks = asks || s.Verb == "attest"
			}
			for _, line := range kase.Lines {
				run := play(t, kase, "", line)
				if run.Result != testbed.Pass && run.Result != testbed.Warnings && !(asks && run.Result == testbed.NeedsReview) {
					show(t, run)
					t.Errorf("%s: honest systems get %s", line, run.Result)
				}
			}
			if kase.Fault == "" {
				if !asks {
					t.Error("the case names no fault and asks nobody: it may prove nothing")
				}
				return
			}
			if run := play(t, kase, kase.Fault, kase.Lines[0]); run.Result != testbed.Fail {
				show(t, run)
				t.Errorf("with %s on the side of the %s: %s", kase.Fault, kase.FaultOf, run.Result)
			}
		})
	}
}
