package testbed

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Event is something that happened to a job, for whoever watches it live: a
// step (a case that has a result), progress after it, a note, or done, the last
// one. ID tells how much had happened, so that a watcher who was away asks for
// what came after the last one that it saw.
type Event struct {
	ID   string
	Name string // step, progress, note, done
	Run  *Run   // of a step
	Note *Note  // of a note
	Job  *Job   // as it stands
}

// Since are the events of a job after the one with an id; "" means all. It reads
// results only when there are new ones. A foreign id counts as none.
func (s *Service) Since(ctx context.Context, id, last string) ([]Event, error) {
	j, err := s.Store.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	steps, notes, end := seen(last)
	if end && !j.Open() {
		return nil, nil
	}
	var out []Event
	at := func() string { return fmt.Sprintf("%d.%d", steps, notes) }
	if j.Done > steps {
		runs, err := s.Results(ctx, j)
		if err != nil {
			return nil, err
		}
		for _, run := range runs[min(steps, len(runs)):] {
			steps++
			out = append(out, Event{ID: at(), Name: "step", Run: run, Job: j})
		}
		out = append(out, Event{ID: at(), Name: "progress", Job: j})
	}
	for i := notes; i < len(j.Notes); i++ {
		notes++
		out = append(out, Event{ID: at(), Name: "note", Note: &j.Notes[i], Job: j})
	}
	if !j.Open() {
		out = append(out, Event{ID: at() + ".done", Name: "done", Job: j})
	}
	return out, nil
}

// seen reads the id of an event: "12.1", or "12.1.done" of the last one. What is
// no id says that nothing was seen.
func seen(id string) (steps, notes int, end bool) {
	id, end = strings.CutSuffix(id, ".done")
	first, second, _ := strings.Cut(id, ".")
	steps, err := strconv.Atoi(first)
	notes, wrong := strconv.Atoi(second)
	if err != nil || wrong != nil || steps < 0 || notes < 0 {
		return 0, 0, false
	}
	return steps, notes, end
}

// Last are the newest results of a system in a suite: for each case at most n,
// the newest first.
func (s *Service) Last(ctx context.Context, system *System, suite *Suite, n int) (map[string][]*Run, error) {
	runs, err := s.Store.Runs(ctx, Filter{System: system.Name, Country: system.Country, Suite: suite.Name, Limit: min(5000, n*len(suite.Cases))})
	if err != nil {
		return nil, err
	}
	out := map[string][]*Run{}
	for _, r := range runs {
		if len(out[r.Case]) < n {
			out[r.Case] = append(out[r.Case], r)
		}
	}
	return out, nil
}

// Before are earlier jobs of the same system that share cases with a job, the
// newest first, at most n: what it may be compared with.
func (s *Service) Before(ctx context.Context, j *Job, n int) ([]Job, error) {
	all, err := s.Store.Jobs(ctx, JobFilter{System: j.System, Country: j.Country})
	if err != nil {
		return nil, err
	}
	var out []Job
	for _, k := range all {
		shares := slices.ContainsFunc(k.Cases, func(id string) bool { return slices.Contains(j.Cases, id) })
		if len(out) < n && k.ID != j.ID && !k.Open() && k.Done > 0 && k.Made.Before(j.Made) && shares {
			out = append(out, k)
		}
	}
	return out, nil
}
