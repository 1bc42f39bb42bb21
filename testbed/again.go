package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

// Share is the part of passed results that the platform plays again by itself
// (testing-events.md §8.4).
const Share = 0.05

// Picked tells whether a result is among those that are played again. It hangs
// on the seed and the run's id alone: whoever knows the seed can check the
// choice, whoever does not cannot foresee it.
func Picked(seed, run string) bool {
	sum := sha256.Sum256([]byte(seed + "\x00" + run))
	return float64(binary.BigEndian.Uint64(sum[:8])) < Share*(1<<64)
}

// RerunToday is Rerun of the last 24 hours, with the seed of the day: a digest of
// Secret and date.
func (s *Service) RerunToday(ctx context.Context) ([]Job, error) {
	now := s.now()
	seed := sha256.Sum256([]byte(s.Secret + "\x00" + now.Format(time.DateOnly)))
	return s.Rerun(ctx, hex.EncodeToString(seed[:]), now.Add(-24*time.Hour))
}

// rerun looks for results to be played again once an hour, until ctx ends.
func (s *Service) rerun(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if _, err := s.RerunToday(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("results cannot be played again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Rerun starts a job of the platform's own for every job made since an instant
// that is over and has passed results among those picked, and gives those that
// are new. Its id follows from seed and job: called again, it starts nothing
// twice. A system that is gone or no longer speaks the line is passed over.
func (s *Service) Rerun(ctx context.Context, seed string, since time.Time) (started []Job, err error) {
	jobs, err := s.Store.Jobs(ctx, JobFilter{Since: since, Limit: 1000})
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if j.Open() || j.By == Platform {
			continue
		}
		runs, err := s.Store.Runs(ctx, Filter{Job: j.ID, Limit: len(j.Cases)})
		if err != nil {
			return started, err
		}
		var again []string
		for _, run := range runs {
			if k := s.Catalogue.Case(run.Case); (run.Result == Pass || run.Result == Warnings) && k != nil && k.Hash == run.CaseHash && Picked(seed, run.ID) {
				again = append(again, k.ID)
			}
		}
		if len(again) == 0 {
			continue
		}
		next, err := s.Prepare(ctx, JobOrder{System: j.System, Line: j.Line, What: again, By: Platform, Of: j.ID})
		if err == nil && next.Country != j.Country { // a report names its system as it likes
			err = ErrUnknown
		}
		if err != nil {
			s.Log.Info("a result is not played again", "job", j.ID, "err", err)
			continue
		}
		sum := sha256.Sum256([]byte(seed + "\x00" + j.ID))
		next.ID = "again-" + hex.EncodeToString(sum[:10])
		switch err := s.Start(ctx, next); {
		case errors.Is(err, ErrChanged): // it was started before
		case err != nil:
			return started, err
		default:
			started = append(started, next)
		}
	}
	return started, nil
}
