package testbed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// errStopped ends the playing of a job that somebody stopped, errLost of one
// that another process has taken over because this one was too slow.
var (
	errStopped = errors.New("the run was stopped")
	errLost    = errors.New("another process plays this job now")
)

// mostTries is how often a system is opened before its job fails, pause the
// time between two tries.
const (
	mostTries = 3
	pause     = time.Minute
)

// Run works off jobs and tells the ledger what it is owed, until ctx ends. A job
// that is being played then is given back, and whoever works next goes on with
// the cases that are missing. With a Secret it also starts the reruns of each day.
func (s *Service) Run(ctx context.Context) error {
	var all errgroup.Group
	for range s.Workers {
		all.Go(func() error { s.worker(ctx); return nil })
	}
	if s.Secret != "" {
		all.Go(func() error { s.rerun(ctx); return nil })
	}
	return all.Wait()
}

func (s *Service) worker(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		worked, err := s.Work(ctx)
		if err == nil {
			err = s.Settle(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Error("a test run could not be worked on", "err", err)
		}
		if worked && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// Work takes one job and plays it, to its end unless ctx ends. It tells whether
// there was one.
func (s *Service) Work(ctx context.Context) (worked bool, err error) {
	now := s.now()
	j, err := s.Store.LeaseJob(ctx, now, now.Add(s.Lease), s.NewID())
	if err != nil || j == nil {
		return false, err
	}
	return true, s.work(ctx, j)
}

func (s *Service) work(ctx context.Context, j *Job) error {
	playing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.mu.Lock()
	s.stops[j.ID] = stop
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.stops, j.ID)
		s.mu.Unlock()
	}()
	var keeping errgroup.Group
	keeping.Go(func() error { s.keepLease(playing, j, stop); return nil })
	err := s.play(playing, j)
	cause := context.Cause(playing)
	stop(nil)
	_ = keeping.Wait()

	// What follows is written even when ctx has ended: it gives the job back.
	ctx = context.WithoutCancel(ctx)
	switch {
	case errors.Is(cause, errLost) || errors.Is(err, errLost):
		return nil // what was saved counts; the other one goes on
	case errors.Is(cause, errStopped) || errors.Is(err, errStopped):
		_, err = s.mine(ctx, j, func(k *Job) { s.end(k, JobStopped, "") })
	case cause != nil && err != nil:
		_, err = s.mine(ctx, j, func(k *Job) { k.Due, k.Holder = s.now(), "" })
	case err == nil:
		_, err = s.mine(ctx, j, func(k *Job) { s.end(k, JobDone, "") })
	default:
		var away *away
		if !errors.As(err, &away) {
			_, lost := s.mine(ctx, j, func(k *Job) { s.end(k, JobFailed, "the platform could not go on; its operator knows why") })
			return errors.Join(fmt.Errorf("job %s: %w", j.ID, err), lost)
		}
		s.Log.Warn("a system cannot be opened", "system", j.System, "err", away.cause)
		_, err = s.mine(ctx, j, func(k *Job) {
			if k.Tries++; k.Tries >= mostTries {
				s.end(k, JobFailed, away.Error())
				return
			}
			k.note(s.now(), "away")
			k.Due, k.Holder = s.now().Add(pause), ""
		})
	}
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// away says that a system could not be opened.
type away struct{ cause error }

func (a *away) Error() string { return "the system could not be opened: " + a.cause.Error() }

// end closes a job; what it has shown is owed to the ledger.
func (s *Service) end(j *Job, state JobState, why string) {
	j.State, j.Why, j.Ended, j.Holder, j.Owed = state, why, s.now(), "", j.Done > 0
}

// mine changes a job that this holder still has; errLost.
func (s *Service) mine(ctx context.Context, j *Job, f func(*Job)) (*Job, error) {
	return s.change(ctx, j.ID, func(k *Job) error {
		if k.Holder != j.Holder || k.State != Playing {
			return errLost
		}
		f(k)
		return nil
	})
}

// keepLease prolongs the lease while the job is played, and ends the playing
// when somebody has stopped it or taken it over.
func (s *Service) keepLease(ctx context.Context, j *Job, stop context.CancelCauseFunc) {
	tick := time.NewTicker(s.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		k, err := s.mine(ctx, j, func(k *Job) { k.Due = s.now().Add(s.Lease) })
		switch {
		case errors.Is(err, errLost):
			stop(errLost)
		case err == nil && k.Stop:
			stop(errStopped)
		}
	}
}

// play plays the cases that have no result yet, each saved before the next.
func (s *Service) play(ctx context.Context, j *Job) error {
	if j.Stop {
		return errStopped
	}
	saved, err := s.Store.Runs(ctx, Filter{Job: j.ID, Limit: len(j.Cases)})
	if err != nil {
		return err
	}
	played := map[string]bool{}
	for _, run := range saved {
		played[run.Case] = true
	}
	// What a killed process saved and did not count is counted now.
	resumed := len(saved) > 0
	if _, err := s.mine(ctx, j, func(k *Job) {
		k.Done, k.Worked, k.Counts = 0, 0, nil
		for _, run := range saved {
			k.count(run)
		}
		if resumed {
			k.note(s.now(), "resumed")
		}
	}); err != nil {
		return err
	}
	if len(saved) == len(j.Cases) {
		return nil
	}
	if j.Catalogue != s.Catalogue.Version {
		return &away{fmt.Errorf("the catalogue is %s now, the job was made for %s; start it again", s.Catalogue.Version, j.Catalogue)}
	}
	r, err := s.Systems.Open(ctx, j.System, j.Line)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &away{err}
	}
	defer r.Close()
	r.Line, r.Catalogue = j.Line, s.Catalogue
	r.Target.Name, r.Target.Country, r.Target.Version, r.Target.Mode = j.System, j.Country, j.Version, j.Mode
	r.Target.Roles = RolesOf(j.Components)
	for _, id := range j.Cases {
		if played[id] {
			continue
		}
		k := s.Catalogue.Case(id)
		if of := componentFor(j.Components, k.Role); of != nil {
			r.Target.Component = of.Code
		}
		run, err := r.Play(ctx, k)
		if err != nil {
			return err
		}
		// The id follows from job and case: two processes keep one result.
		run.ID, run.Job = j.ID+"."+k.ID, j.ID
		if err := s.Store.Save(context.WithoutCancel(ctx), run); errors.Is(err, ErrKnown) {
			return errLost
		} else if err != nil {
			return err
		}
		now, err := s.mine(ctx, j, func(k *Job) {
			k.count(run)
			k.Due = s.now().Add(s.Lease)
		})
		if err != nil {
			return err
		}
		if now.Stop {
			return errStopped
		}
	}
	return nil
}

// count adds a result.
func (j *Job) count(run *Run) {
	if j.Counts == nil {
		j.Counts = map[Result]int{}
	}
	j.Counts[run.Result]++
	j.Done++
	j.Worked += run.Took
}

// Settle appends the facts of every job that is over and owes some. It is safe
// to run at any time and by several processes: the facts' ids follow from the
// runs.
func (s *Service) Settle(ctx context.Context) error {
	owed, err := s.Store.Jobs(ctx, JobFilter{Owed: true})
	if err != nil {
		return err
	}
	var wrong []error
	for i := range owed {
		wrong = append(wrong, s.settle(ctx, &owed[i]))
	}
	return errors.Join(wrong...)
}

func (s *Service) settle(ctx context.Context, j *Job) error {
	report, err := s.Report(ctx, j, false)
	if err != nil {
		return err
	}
	if facts := report.Facts(s.Catalogue, j.Sample); len(facts) > 0 {
		if _, err := s.Facts.Append(ctx, facts...); err != nil {
			return fmt.Errorf("the facts of job %s: %w", j.ID, err)
		}
	}
	_, err = s.change(ctx, j.ID, func(k *Job) error { k.Owed = false; return nil })
	return err
}
