// Package testbedtest holds the promises of a testbed.Store; every
// implementation runs them.
package testbedtest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/testbed"
)

// Run runs every promise on a fresh, empty store.
func Run(t *testing.T, open func(t *testing.T) testbed.Store) {
	run := func(n int) *testbed.Run {
		return &testbed.Run{ID: fmt.Sprintf("run-%d", n), Case: fmt.Sprintf("EP-SIM-%03d", n%3), Suite: "EP-SIM", System: "FI one", Country: "FI",
			Line: "oots-edm:v2.0", Result: testbed.Pass, Started: time.Date(2026, 11, 2, 12, n, 0, 0, time.UTC), Took: time.Second,
			Steps:    []testbed.Played{{Line: 6, Step: "send request.xml", Result: testbed.Pass}},
			Messages: []testbed.Message{{Name: "request", Sent: true, Action: "ExecuteQueryRequest", SHA256: "ab", Size: 3, Body: []byte{0, 1, 0xff}}}}
	}
	t.Run("a run comes back whole", func(t *testing.T) {
		s := open(t)
		if err := s.Save(t.Context(), run(1)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Run(t.Context(), "run-1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(run(1), got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an unknown run is told", func(t *testing.T) {
		if _, err := open(t).Run(t.Context(), "nothing"); !errors.Is(err, testbed.ErrUnknown) {
			t.Error(err)
		}
	})
	t.Run("a result is never changed", func(t *testing.T) {
		s := open(t)
		if err := errors.Join(s.Save(t.Context(), run(1)), s.Save(t.Context(), run(1))); err != nil {
			t.Error("the same run again:", err)
		}
		other := run(1)
		other.Result = testbed.Fail
		if err := s.Save(t.Context(), other); !errors.Is(err, testbed.ErrKnown) {
			t.Error("another run of that id:", err)
		}
		if got, err := s.Run(t.Context(), "run-1"); err != nil || got.Result != testbed.Pass {
			t.Error("it was changed", err)
		}
	})
	t.Run("runs are listed, the latest first", func(t *testing.T) {
		s := open(t)
		for n := range 9 {
			if err := s.Save(t.Context(), run(n)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Runs(t.Context(), testbed.Filter{Case: "EP-SIM-001", Country: "FI", Limit: 2})
		if err != nil || len(got) != 2 || got[0].ID != "run-7" || got[1].ID != "run-4" || got[0].Messages != nil {
			t.Errorf("%v, %+v", err, got)
		}
		if none, err := s.Runs(t.Context(), testbed.Filter{Country: "SE"}); err != nil || len(none) != 0 {
			t.Errorf("%v, %d runs of another country", err, len(none))
		}
	})
}
