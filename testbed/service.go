package testbed

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/once-only/oots/ledger"
)

// Systems is where the platform finds what to test.
type Systems interface {
	// Systems are the registered ones, in a steady order.
	Systems(ctx context.Context) ([]System, error)
	// Open connects the platform with a system; who opens closes the runner. The
	// runner works until ctx ends.
	Open(ctx context.Context, system, line string) (*Runner, error)
}

// Facts is where results go; *ledger.Ledger is one.
type Facts interface {
	Append(ctx context.Context, facts ...ledger.Fact) (ledger.Receipt, error)
}

// Config of a Service. The first four are required.
type Config struct {
	Catalogue *Catalogue
	Store     Store
	Systems   Systems
	Facts     Facts

	// Secret, which no team knows, decides which passed results Run plays again;
	// empty: none.
	Secret  string
	Workers int           // jobs of this process at once; 0: 2
	Lease   time.Duration // after which the job of a killed process is taken over; 0: 1 minute
	Waiting int           // jobs of a country that may wait at once; 0: 20
	Now     func() time.Time
	NewID   func() string // random
	Log     *slog.Logger
}

// Service plays suites as work that survives. It is safe for concurrent use,
// and several processes may work on one store.
type Service struct {
	Config
	wake chan struct{}

	mu    sync.Mutex
	stops map[string]context.CancelCauseFunc // of the jobs that this process plays
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Catalogue == nil || c.Store == nil || c.Systems == nil || c.Facts == nil {
		return nil, errors.New("testbed: Catalogue, Store, Systems and Facts are required")
	}
	c.Workers, c.Lease, c.Waiting = cmp.Or(c.Workers, 2), cmp.Or(c.Lease, time.Minute), cmp.Or(c.Waiting, 20)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = rand.Text
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: c, wake: make(chan struct{}, 1), stops: map[string]context.CancelCauseFunc{}}, nil
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// System finds a registered system; ErrUnknown.
func (s *Service) System(ctx context.Context, name string) (System, error) {
	all, err := s.Systems.Systems(ctx)
	if err != nil {
		return System{}, err
	}
	i := slices.IndexFunc(all, func(x System) bool { return x.Name == name })
	if i < 0 {
		return System{}, ErrUnknown
	}
	return all[i], nil
}

// Prepare makes the job of an order and checks that it can be started. Nothing
// is written.
func (s *Service) Prepare(ctx context.Context, o JobOrder) (Job, error) {
	system, err := s.System(ctx, o.System)
	if err != nil {
		return Job{}, err
	}
	if o.Line == "" && len(system.Lines) > 0 {
		o.Line = system.Lines[0]
	}
	if !slices.Contains(system.Lines, o.Line) {
		return Job{}, fmt.Errorf("the system %s does not speak %q; it speaks %s", system.Name, cut(o.Line), strings.Join(system.Lines, ", "))
	}
	cases, suites, err := s.Catalogue.choose(o.What, system.Components)
	if err != nil {
		return Job{}, err
	}
	if o.By != Platform {
		waiting, err := s.Store.Jobs(ctx, JobFilter{Country: system.Country, Open: true, Limit: s.Waiting})
		if err != nil {
			return Job{}, err
		}
		if len(waiting) >= s.Waiting {
			return Job{}, fmt.Errorf("%d runs of your country wait or run already; stop one or wait until one is over", len(waiting))
		}
	}
	now := s.now()
	return Job{ID: s.NewID(), System: system.Name, Country: system.Country, Components: system.Components, Version: system.Version, Mode: system.Mode,
		Line: o.Line, Catalogue: s.Catalogue.Version, Environment: system.Environment, Sample: system.Sample, Suites: suites, Cases: cases,
		By: o.By, Of: o.Of, State: Queued, Made: now, Due: now, Rev: 1}, nil
}

// Start keeps a prepared job; from then on it is worked off.
func (s *Service) Start(ctx context.Context, j Job) error {
	if err := s.Store.PutJob(ctx, j); err != nil {
		return err
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// Stop ends a job, with the results that it has: at once when it waits or is
// played by this process, else when the process that plays it looks again.
func (s *Service) Stop(ctx context.Context, id string) error {
	j, err := s.change(ctx, id, func(j *Job) error {
		if !j.Open() {
			return fmt.Errorf("this run is over already: %s", j.State)
		}
		j.Stop = true
		if j.State == Queued {
			j.State, j.Ended, j.Owed = JobStopped, s.now(), j.Done > 0
		} else {
			j.note(s.now(), "stopping")
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stop := s.stops[j.ID]; stop != nil {
		stop(errStopped)
	}
	return nil
}

// change writes what f makes of a job, as often as somebody else was faster.
func (s *Service) change(ctx context.Context, id string, f func(*Job) error) (*Job, error) {
	for {
		j, err := s.Store.Job(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := f(j); err != nil {
			return nil, err
		}
		j.Rev++
		if err = s.Store.PutJob(ctx, *j); !errors.Is(err, ErrChanged) {
			return j, err
		}
	}
}

// Results are the runs of a job in the order of its cases, with their steps and
// the outlines of their messages.
func (s *Service) Results(ctx context.Context, j *Job) ([]*Run, error) {
	runs, err := s.Store.Runs(ctx, Filter{Job: j.ID, Outline: true, Limit: len(j.Cases)})
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(j.Cases))
	for i, k := range j.Cases {
		place[k] = i
	}
	slices.SortFunc(runs, func(a, b *Run) int { return cmp.Compare(place[a.Case], place[b.Case]) })
	return runs, nil
}

// Report is the report of a job as it stands. whole brings the messages
// themselves.
func (s *Service) Report(ctx context.Context, j *Job, whole bool) (*Report, error) {
	runs, err := s.Results(ctx, j)
	if err != nil {
		return nil, err
	}
	for i := range runs {
		if whole {
			if runs[i], err = s.Store.Run(ctx, runs[i].ID); err != nil {
				return nil, err
			}
		}
	}
	made := j.Ended
	if made.IsZero() {
		made = s.now()
	}
	r := &Report{Schema: 1, Catalogue: j.Catalogue, Environment: j.Environment, System: j.System, Country: j.Country, Components: j.Components,
		Version: j.Version, Mode: j.Mode, Line: j.Line, Made: made, Runs: runs}
	if len(runs) > 0 {
		r.DataSet = runs[0].DataSet
	}
	if len(j.Components) > 0 {
		r.Component = j.Components[0]
	}
	return r, nil
}
