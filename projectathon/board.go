package projectathon

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Brief is what lists and the matrix need of a test.
type Brief struct {
	ID, Case  string
	Systems   []string // the requester first
	Countries []string
	State     PeerState
	Monitor   string
	Graders   []string // monitors who have given a verdict
	Second    bool
	Slot      int
	Started   time.Time
	Ended     time.Time
	Changed   time.Time
	Automatic bool
	outcome   PeerState // of the verdicts that count; empty before
}

// Board is an event's tests as pages see them: kept up to date with what the
// store has changed, never read anew. What a page looks up, it finds by an index:
// its time does not grow with the tests that are over.
type Board struct {
	Event string
	mu    sync.RWMutex
	seq   int64
	tests map[string]*Brief
	cells map[square]tally
	// pairs by the countries of requester and provider, systems by name; live are
	// those of which something is still expected.
	pairs   map[[2]string][]*Brief
	systems map[string][]*Brief
	live    map[*Brief]bool
}

// square is a case between the countries of a requester and a provider; tally
// counts its tests by the place of what they show in shows.
type (
	square struct{ asks, answers, kase string }
	tally  [7]int
)

// Board is the event's board, with everything that was written until now.
func (s *Service) Board(ctx context.Context, event string) (*Board, error) {
	s.mu.Lock()
	b := s.boards[event]
	if b == nil {
		if len(s.boards) > 100 {
			clear(s.boards)
		}
		b = &Board{Event: event, tests: map[string]*Brief{}, cells: map[square]tally{}, pairs: map[[2]string][]*Brief{}, systems: map[string][]*Brief{}, live: map[*Brief]bool{}}
		s.boards[event] = b
	}
	s.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		const page = 2000
		rows, err := s.Store.Since(ctx, event, b.seq, page)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Kind == KindTest {
				k, err := read[glance](r)
				if err != nil {
					return nil, err
				}
				b.put(k.Value.brief())
			}
			b.seq = r.Seq
		}
		if len(rows) < page {
			return b, nil
		}
	}
}

// glance is what the board reads of a PeerTest: a board is filled once from all
// tests of its event, and most of their text is evidence and steps.
type glance struct {
	ID, Case       string
	Sides          []Side
	State          PeerState
	Monitor        string
	History        []struct{ At time.Time }
	Verdicts       []Verdict
	SecondLook     bool
	Slot           int
	Started, Ended time.Time
	Findings       []struct{}
}

// brief is the same of a whole test.
func brief(t *PeerTest) Brief {
	g := glance{ID: t.ID, Case: t.Case, Sides: t.Sides, State: t.State, Monitor: t.Monitor, History: make([]struct{ At time.Time }, len(t.History)), Verdicts: t.Verdicts,
		SecondLook: t.SecondLook, Slot: t.Slot, Started: t.Started, Ended: t.Ended, Findings: make([]struct{}, len(t.Findings))}
	for i, h := range t.History {
		g.History[i].At = h.At
	}
	return g.brief()
}

func (g *glance) brief() Brief {
	t := &PeerTest{Sides: g.Sides, Verdicts: g.Verdicts}
	b := Brief{ID: g.ID, Case: g.Case, Countries: t.countries(), State: g.State, Monitor: g.Monitor, Second: g.SecondLook, Slot: g.Slot,
		Started: g.Started, Ended: g.Ended, Automatic: len(g.Findings) > 0}
	for _, s := range t.Sides {
		b.Systems = append(b.Systems, s.System)
	}
	for _, v := range t.Verdicts {
		if !slices.Contains(b.Graders, v.Monitor) {
			b.Graders = append(b.Graders, v.Monitor)
		}
	}
	if n := len(g.History); n > 0 {
		b.Changed = g.History[n-1].At
	}
	if len(t.Verdicts) > 0 {
		var current []Verdict
		for _, s := range t.Sides {
			if v, ok := t.Current(s.System); ok {
				current = append(current, v)
			}
		}
		b.outcome = worst(current)
	}
	return b
}

// put takes a test in place of what was known of it. Its sides never change.
func (b *Board) put(t Brief) {
	known := b.tests[t.ID]
	if known == nil {
		known = &t
		b.tests[t.ID] = known
		for _, p := range t.Countries[1:] {
			pair := [2]string{t.Countries[0], p}
			b.pairs[pair] = append(b.pairs[pair], known)
		}
		for _, s := range t.Systems {
			b.systems[s] = append(b.systems[s], known)
		}
	} else {
		b.count(*known, -1)
		*known = t
	}
	b.count(t, 1)
	if delete(b.live, known); !t.State.over() || t.Second {
		b.live[known] = true
	}
}

func (b *Board) count(t Brief, n int) {
	at := slices.Index(shows, t.shows())
	for _, p := range t.Countries[1:] {
		k := square{t.Countries[0], p, t.Case}
		c := b.cells[k]
		c[at] += n
		b.cells[k] = c
	}
}

// Seq is the last change that the board knows.
func (b *Board) Seq() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.seq
}

// find gives those of some tests that pass, by slot and id.
func (b *Board) find(some iter.Seq[*Brief], keep func(Brief) bool) []Brief {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []Brief
	for t := range some {
		if keep(*t) {
			out = append(out, *t)
		}
	}
	slices.SortFunc(out, func(x, y Brief) int {
		if c := x.Slot - y.Slot; c != 0 {
			return c
		}
		return compare(x.ID, y.ID)
	})
	return out
}

// alive are the tests of which something is still expected.
func (b *Board) alive(keep func(Brief) bool) []Brief { return b.find(maps.Keys(b.live), keep) }

func every(Brief) bool { return true }

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Tests are all of them, by slot and id.
func (b *Board) Tests() []Brief { return b.find(maps.Values(b.tests), every) }

// Of are the tests of an account's systems.
func (b *Board) Of(who Account) []Brief {
	return b.find(func(yield func(*Brief) bool) {
		seen := map[*Brief]bool{}
		for system, all := range b.systems {
			if !strings.HasPrefix(system, who.Country+"_") { // Registration.check
				continue
			}
			for _, t := range all {
				if i := slices.Index(t.Systems, system); !seen[t] && who.operates(system, t.Countries[i]) {
					seen[t] = true
					if !yield(t) {
						return
					}
				}
			}
		}
	}, every)
}

// Between are the tests of an ordered pair of countries.
func (b *Board) Between(asks, answers string) []Brief {
	return b.find(func(yield func(*Brief) bool) { slices.Values(b.pairs[[2]string{asks, answers}])(yield) }, every)
}

func (b *Board) awaiting() []Brief {
	return b.alive(func(t Brief) bool {
		return t.State == ToBeVerified || t.State == Claimed || t.State == Disputed || t.Second
	})
}

func (b *Board) open() int {
	return len(b.alive(func(t Brief) bool { return !t.State.over() }))
}

// paired tells whether a test that is not over joins the account with a system.
func (b *Board) paired(who Account, system string) bool {
	return len(b.alive(func(t Brief) bool {
		if !slices.Contains(t.Systems, system) || !slices.Contains([]PeerState{Accepted, Scheduled, Running, Paused}, t.State) {
			return false
		}
		for i, s := range t.Systems {
			if s != system && who.operates(s, t.Countries[i]) {
				return true
			}
		}
		return false
	})) > 0
}

// Cell is a square of the matrix: the best that an ordered pair has reached, and
// how many tests stand where.
type Cell struct {
	State                              string // "", planned, running, waiting, failed, partly or verified
	Verified, Partly, Failed, All, Run int
}

// shows is what each state adds to a cell, weakest first.
var shows = []string{"", "planned", "failed", "waiting", "running", "partly", "verified"}

func (t Brief) shows() string {
	switch t.State {
	case Declined, Expired, NoShow, Aborted:
		return ""
	case Proposed, Accepted, Scheduled:
		return "planned"
	case Running, Paused:
		return "running"
	case ToBeVerified, Claimed, Disputed:
		return "waiting"
	}
	switch t.outcome {
	case Verified:
		return "verified"
	case Partially:
		return "partly"
	}
	return "failed"
}

// Matrix is every cell with a test, by the countries of requester and provider.
// An empty kase means all cases.
func (b *Board) Matrix(kase string) map[[2]string]Cell {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[[2]string]Cell{}
	for k, counts := range b.cells {
		if kase != "" && k.kase != kase {
			continue
		}
		pair := [2]string{k.asks, k.answers}
		c := out[pair]
		best := slices.Index(shows, c.State)
		for i, n := range counts {
			c.All += n
			if n > 0 {
				best = max(best, i)
			}
		}
		c.State = shows[best]
		c.Failed += counts[2]
		c.Run += counts[4]
		c.Partly += counts[5]
		c.Verified += counts[6]
		if c.All > 0 {
			out[pair] = c
		}
	}
	return out
}
