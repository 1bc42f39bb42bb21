// Package testbedtest holds the promises of a testbed.Store, which every
// implementation runs, and reports for tests.
package testbedtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
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
	t.Run("an outline has no octets", func(t *testing.T) {
		s := open(t)
		r := run(1)
		r.Job = "job-1"
		if err := errors.Join(s.Save(t.Context(), r), s.Save(t.Context(), run(2))); err != nil {
			t.Fatal(err)
		}
		got, err := s.Runs(t.Context(), testbed.Filter{Job: "job-1", Outline: true})
		if err != nil || len(got) != 1 || len(got[0].Steps) != 1 || len(got[0].Messages) != 1 {
			t.Fatalf("%v, %+v", err, got)
		}
		if m := got[0].Messages[0]; m.Body != nil || m.Envelope != nil || m.SHA256 != "ab" || m.Size != 3 {
			t.Errorf("%+v", m)
		}
	})
	t.Run("a message is found by its digest", func(t *testing.T) {
		s := open(t)
		other := run(3)
		other.Messages[0].SHA256 = "cd"
		if err := errors.Join(s.Save(t.Context(), run(2)), s.Save(t.Context(), run(1)), s.Save(t.Context(), other)); err != nil {
			t.Fatal(err)
		}
		for digest, want := range map[string][]string{"ab": {"run-1", "run-2"}, "cd": {"run-3"}, "ef": nil} {
			if got, err := s.Holding(t.Context(), digest); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v", digest, got, err)
			}
		}
	})
	jobs(t, open)
}

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func job(n int, system string) testbed.Job {
	return testbed.Job{ID: fmt.Sprintf("job-%d", n), System: system, Country: system[:2], Components: []string{"DS"}, Line: "oots-edm:v2.0", Cases: []string{"EP-SIM-001"},
		Suites: []string{"EP-SIM"}, By: "team:" + system[:2], State: testbed.Queued, Made: noon.Add(time.Duration(n) * time.Minute), Due: noon, Rev: 1}
}

func jobs(t *testing.T, open func(t *testing.T) testbed.Store) {
	put := func(t *testing.T, s testbed.Store, all ...testbed.Job) {
		t.Helper()
		for _, j := range all {
			if err := s.PutJob(t.Context(), j); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("a job comes back whole", func(t *testing.T) {
		s := open(t)
		j := job(1, "FI one")
		j.Counts, j.Done, j.Notes = map[testbed.Result]int{testbed.Pass: 1}, 1, []testbed.Note{{At: noon, What: "resumed"}}
		put(t, s, j)
		got, err := s.Job(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&j, got); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Job(t.Context(), "nothing"); !errors.Is(err, testbed.ErrUnknown) {
			t.Error(err)
		}
	})
	t.Run("of two who change a job one wins", func(t *testing.T) {
		s := open(t)
		j := job(1, "FI one")
		put(t, s, j)
		if err := s.PutJob(t.Context(), j); !errors.Is(err, testbed.ErrChanged) {
			t.Error("a new job of a known id:", err)
		}
		j.Rev, j.Why = 2, "first"
		put(t, s, j)
		j.Why = "second"
		if err := s.PutJob(t.Context(), j); !errors.Is(err, testbed.ErrChanged) {
			t.Error("a change of what was read before:", err)
		}
		if got, err := s.Job(t.Context(), j.ID); err != nil || got.Why != "first" {
			t.Errorf("%v, %+v", err, got)
		}
	})
	t.Run("jobs are listed, the latest first", func(t *testing.T) {
		s := open(t)
		over := job(3, "FI one")
		over.State, over.Owed = testbed.JobDone, true
		put(t, s, job(1, "FI one"), job(2, "PT one"), over)
		for name, c := range map[string]struct {
			f    testbed.JobFilter
			want []string
		}{
			"all":     {testbed.JobFilter{}, []string{"job-3", "job-2", "job-1"}},
			"limit":   {testbed.JobFilter{Limit: 1}, []string{"job-3"}},
			"country": {testbed.JobFilter{Country: "PT"}, []string{"job-2"}},
			"system":  {testbed.JobFilter{System: "FI one"}, []string{"job-3", "job-1"}},
			"open":    {testbed.JobFilter{Open: true}, []string{"job-2", "job-1"}},
			"owed":    {testbed.JobFilter{Owed: true}, []string{"job-3"}},
			"since":   {testbed.JobFilter{Since: noon.Add(2 * time.Minute)}, []string{"job-3", "job-2"}},
		} {
			all, err := s.Jobs(t.Context(), c.f)
			var got []string
			for _, j := range all {
				got = append(got, j.ID)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	})
	t.Run("a lease is for one holder and one job of a system", func(t *testing.T) {
		s := open(t)
		later := job(4, "SE one")
		later.Due = noon.Add(time.Hour)
		over := job(0, "EE one")
		over.State = testbed.JobStopped
		put(t, s, job(1, "FI one"), job(2, "FI one"), job(3, "PT one"), later, over)
		take := func(now time.Time, want string) {
			t.Helper()
			j, err := s.LeaseJob(t.Context(), now, now.Add(time.Minute), "holder at "+now.String())
			switch {
			case err != nil:
				t.Fatal(err)
			case j == nil && want != "" || j != nil && j.ID != want:
				t.Fatalf("leased %+v, not %q", j, want)
			case j == nil:
				return
			}
			kept, err := s.Job(t.Context(), j.ID)
			if err != nil || kept.State != testbed.Playing || kept.Holder != j.Holder || !kept.Due.Equal(now.Add(time.Minute)) || kept.Started.IsZero() {
				t.Errorf("%v, %+v", err, kept)
			}
		}
		take(noon, "job-1")
		take(noon, "job-3") // the other one of FI waits
		take(noon, "")
		take(noon.Add(2*time.Minute), "job-1") // its holder is gone
		take(noon.Add(2*time.Minute), "job-3")
		take(noon.Add(2*time.Hour), "job-1")
	})
	t.Run("of many who ask each gets another job", func(t *testing.T) {
		s := open(t)
		for n := range 4 {
			put(t, s, job(n, fmt.Sprintf("FI %d", n)))
		}
		var got sync.Map
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				j, err := s.LeaseJob(t.Context(), noon, noon.Add(time.Minute), fmt.Sprint("holder ", i))
				if err != nil {
					t.Error(err)
				} else if j != nil {
					if other, twice := got.LoadOrStore(j.ID, i); twice {
						t.Errorf("%s was leased to %d and %d", j.ID, i, other)
					}
				}
			})
		}
		all.Wait()
		for n := range 4 {
			if _, ok := got.Load(fmt.Sprintf("job-%d", n)); !ok {
				t.Errorf("job-%d was leased to nobody", n)
			}
		}
	})
}
