package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/network/conformance"
	"github.com/once-only/oots/testbed"
)

// players of suites at once.
const players = 2

// conform plays all suites of the components of some countries' systems, in
// their present versions, unless an earlier Run has; their facts are in the
// ledger when it returns.
func (r *running) conform(ctx context.Context, countries ...string) error {
	t, started := r.board.Tests, time.Now()
	var ids []string
	for _, cc := range countries {
		id, err := r.job(ctx, cc)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	var all errgroup.Group
	for range players {
		all.Go(func() error {
			for ctx.Err() == nil {
				if worked, err := t.Work(ctx); err != nil || !worked {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := all.Wait(); err != nil {
		return err
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
	if err := t.Settle(ctx); err != nil {
		return err
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

// over waits until a job that others may play is over.
func (r *running) over(ctx context.Context, id string) (*testbed.Job, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		j, err := r.board.Tests.Store.Job(ctx, id)
		if err != nil || !j.Open() {
			return j, err
		}
		if _, err := r.board.Tests.Work(ctx); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
