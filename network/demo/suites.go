package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/once-only/oots/network/conformance"
	"github.com/once-only/oots/testbed"
)

// conform has the platform play all suites of the components of some countries'
// systems, in their present versions, unless an earlier Run has; their facts are
// in the ledger when it returns.
func (r *running) conform(ctx context.Context, countries ...string) error {
	started := time.Now()
	var ids []string
	for _, cc := range countries {
		id, err := r.job(ctx, cc)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	cases, passed := 0, 0
	for _, id := range ids {
		j, err := r.over(ctx, id)
		if err != nil {
			return err
		}
		if j.State != testbed.JobDone {
			return fmt.Errorf("demo: the suites of %s are %s: %s", j.Country, j.State, j.Why)
		}
		good, bad := j.Counts[testbed.Pass]+j.Counts[testbed.Warnings], j.Counts[testbed.Fail]+j.Counts[testbed.Broken]
		passed, cases = passed+good, cases+good+bad
		if bad > 0 {
			r.tell("  %s fails %d of %d cases of the suites", j.Country, bad, good+bad)
		}
	}
	r.tell("conformance suites of %s: %d of %d cases passed in %.1f s", list(countries), passed, cases, time.Since(started).Seconds())
	return nil
}

// job is the run of all suites against a country's system in its present
// version and condition.
func (r *running) job(ctx context.Context, cc string) (string, error) {
	t := r.board.Tests
	j, err := t.Prepare(ctx, testbed.JobOrder{System: conformance.Name(cc), What: []string{"all"}, By: testbed.Platform})
	if err != nil {
		return "", err
	}
	if !r.again {
		known, err := t.Store.Jobs(ctx, testbed.JobFilter{System: j.System})
		if err != nil {
			return "", err
		}
		if i := slices.IndexFunc(known, func(k testbed.Job) bool {
			return k.By == testbed.Platform && k.Of == "" && k.Version == j.Version && k.Catalogue == j.Catalogue && (k.Open() || k.State == testbed.JobDone)
		}); i >= 0 {
			return known[i].ID, nil
		}
	}
	return j.ID, t.Start(ctx, j)
}

// over waits until a job is over and its facts are in the ledger.
func (r *running) over(ctx context.Context, id string) (*testbed.Job, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		j, err := r.board.Tests.Store.Job(ctx, id)
		if err != nil || !j.Open() && !j.Owed {
			return j, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
