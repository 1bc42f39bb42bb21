package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Keep keeps the runs of a report that somebody hands in, and a job of theirs
// that is over, so that they can be read and compared like those the platform
// played. A run that is kept already stays with the job of the report that
// brought it; another run of its id is ErrKnown. The same report again changes
// nothing. Call it before the facts are told: the runs get their jobs.
func (r *Report) Keep(ctx context.Context, store Store, by string, sample bool) error {
	of := sha256.New()
	for _, word := range []string{r.Country, r.System, r.Line} {
		fmt.Fprintf(of, "%s\x00", word)
	}
	for _, run := range r.Runs {
		fmt.Fprintf(of, "%s\x00", run.ID)
	}
	made := r.Made.UTC().Truncate(time.Millisecond)
	j := Job{ID: "report-" + hex.EncodeToString(of.Sum(nil)[:10]), System: r.System, Country: r.Country, Components: r.codes(), Version: r.Version, Mode: r.Mode,
		Line: r.Line, Catalogue: r.Catalogue, Environment: r.Environment, Sample: sample || r.Sample, By: by,
		State: JobDone, Made: made, Started: made, Ended: made, Due: made, Rev: 1}
	for _, run := range r.Runs {
		switch kept, err := store.Run(ctx, run.ID); {
		case err == nil:
			run.Job = kept.Job
		case errors.Is(err, ErrUnknown):
			run.Job = j.ID
		default:
			return err
		}
		if err := store.Save(ctx, run); err != nil {
			return fmt.Errorf("%s: %w", run.ID, err)
		}
		if run.Job != j.ID {
			continue
		}
		j.Cases = append(j.Cases, run.Case)
		if !slices.Contains(j.Suites, run.Suite) {
			j.Suites = append(j.Suites, run.Suite)
		}
		if run.Started.Before(j.Started) {
			j.Started = run.Started
		}
		j.count(run)
	}
	if len(j.Cases) == 0 {
		return nil
	}
	slices.SortFunc(j.Suites, strings.Compare)
	if err := store.PutJob(ctx, j); !errors.Is(err, ErrChanged) { // it is there
		return err
	}
	return nil
}
