package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
)

// recheck is how long the state may be used before the ledger and the
// snapshots are asked whether they have changed.
const recheck = time.Second

// state is what pages are rendered from. It never changes; a new publication
// or a new fact makes a new one.
type state struct {
	generation string
	size       int64         // facts in the ledger
	snapshots  []am.Snapshot // published, oldest first
	moves      []am.Move     // newest first
}

// keeper holds the present state and renews it.
type keeper struct {
	mu      sync.Mutex
	checked time.Time
	now     *state
}

// forget lets the next visit look again.
func (k *keeper) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.checked = time.Time{}
}

// present returns the state, renewed at most once in recheck.
func (s *site) present(ctx context.Context) (*state, error) {
	k := &s.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	t := s.Now()
	if since := t.Sub(k.checked); k.now != nil && since >= 0 && since < recheck {
		return k.now, nil
	}
	head, err := s.Ledger.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("head of the ledger: %w", err)
	}
	size := head.Size
	if k.now == nil || size != k.now.size {
		if err := s.Meter.Refresh(ctx); err != nil {
			return nil, fmt.Errorf("refresh: %w", err)
		}
	}
	snapshots, err := s.Meter.Snapshots(ctx)
	if err != nil {
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	snapshots = slices.DeleteFunc(slices.Clone(snapshots), func(x am.Snapshot) bool { return x.PublishedAt.After(t) })
	last := ""
	if n := len(snapshots); n > 0 {
		last = snapshots[n-1].ContentHash
	}
	generation := fmt.Sprintf("%d/%d/%s/%s", size, len(snapshots), last, t.UTC().Format(time.DateOnly))
	k.checked = t
	if k.now != nil && k.now.generation == generation {
		return k.now, nil
	}
	st := &state{generation: generation, size: size, snapshots: snapshots}
	for i := len(snapshots) - 1; i > 0; i-- {
		for _, m := range am.Moves(snapshots[i-1], snapshots[i]) {
			if m.From > 0 && s.draws(m.Member) {
				st.moves = append(st.moves, m)
			}
		}
	}
	k.now = st
	return st, nil
}

// draws tells whether a country is on this site's board.
func (s *site) draws(code string) bool {
	return slices.ContainsFunc(s.drawn, func(c am.Country) bool { return c.Code == code })
}

// latest is the newest snapshot, or nil.
func (st *state) latest() *am.Snapshot {
	if len(st.snapshots) == 0 {
		return nil
	}
	return &st.snapshots[len(st.snapshots)-1]
}

// displayed is the snapshot that people saw at an instant, or nil.
func (st *state) displayed(at time.Time) *am.Snapshot {
	for i := len(st.snapshots) - 1; i >= 0; i-- {
		if !st.snapshots[i].PublishedAt.After(at) {
			return &st.snapshots[i]
		}
	}
	return nil
}

// number finds a published snapshot by its sequence, or nil.
func (st *state) number(n int) *am.Snapshot {
	for i := range st.snapshots {
		if st.snapshots[i].Sequence == n {
			return &st.snapshots[i]
		}
	}
	return nil
}

// correctedBy is the snapshot that repairs another one, or nil.
func (st *state) correctedBy(n int) *am.Snapshot {
	for i := range st.snapshots {
		if st.snapshots[i].Corrects == n && n > 0 {
			return &st.snapshots[i]
		}
	}
	return nil
}

// entry is the row of a country in a snapshot; level 0 if it has none.
func entry(x *am.Snapshot, code string) am.Entry {
	if x != nil {
		for i := range x.Entries {
			if x.Entries[i].Member == code {
				return x.Entries[i]
			}
		}
	}
	return am.Entry{Member: code}
}

// moment is the date that a page is asked for, and the snapshot that people
// saw then.
type moment struct {
	At     time.Time    // the end of the day asked for, or now
	Asked  string       // as the address says it; empty for today
	Travel bool         // a date is asked for
	Snap   *am.Snapshot // nil: nothing has been published at all
}

// moment reads the parameter at. A date that cannot be shown is a problem page
// with the dates that can.
func (s *site) moment(v *visit, name string) (moment, error) {
	asked := v.Query.Get(name)
	if asked == "" {
		return moment{At: v.now, Snap: v.State.latest()}, nil
	}
	at, err := am.ParseInstant(asked)
	choices := s.dateLinks(v, name)
	if err != nil {
		return moment{}, &problem{Status: http.StatusBadRequest, Message: "error.date", Args: []any{"found", asked}, Choices: choices, Cause: err}
	}
	first := v.State.displayed(at)
	switch {
	case at.Truncate(24 * time.Hour).After(v.now):
		return moment{}, &problem{Status: http.StatusNotFound, Message: "error.future", Args: []any{"found", v.Lang.Date(at)}, Choices: choices}
	case first == nil:
		since := "–"
		if len(v.State.snapshots) > 0 {
			since = v.Lang.Date(v.State.snapshots[0].PublishedAt)
		}
		return moment{}, &problem{Status: http.StatusNotFound, Message: "error.before", Args: []any{"found", v.Lang.Date(at), "first", since}, Choices: choices}
	}
	return moment{At: at, Asked: asked, Travel: true, Snap: first}, nil
}

// quarters are the last n quarters that end after the first snapshot, oldest
// first; the last one is the present quarter.
func (st *state) quarters(now time.Time, n int) []quarter {
	if len(st.snapshots) == 0 {
		return nil
	}
	var out []quarter
	q := quarterOf(now)
	for range n {
		if st.displayed(q.end()) == nil {
			break
		}
		out = append(out, q)
		q = q.before()
	}
	slices.Reverse(out)
	return out
}

// quarter is a quarter of a year: 2025-Q2.
type quarter struct{ Year, Q int }

func quarterOf(t time.Time) quarter {
	t = t.UTC()
	return quarter{t.Year(), (int(t.Month())-1)/3 + 1}
}

func (q quarter) String() string { return fmt.Sprintf("%d-Q%d", q.Year, q.Q) }

func (q quarter) before() quarter {
	if q.Q == 1 {
		return quarter{q.Year - 1, 4}
	}
	return quarter{q.Year, q.Q - 1}
}

// end is the last instant of the quarter.
func (q quarter) end() time.Time {
	return time.Date(q.Year, time.Month(q.Q*3)+1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Nanosecond)
}

// dateLinks are the views of the last quarters, as choices.
func (s *site) dateLinks(v *visit, name string) []link {
	var out []link
	for _, q := range v.State.quarters(v.now, 12) {
		out = append(out, link{"/" + v.Lang.Code + v.Path + "?" + name + "=" + q.String(), q.String()})
	}
	return out
}

// need is a country named by the address. Greece's ISO code and capital
// letters lead on to the right address; anything else shows the choices.
func (s *site) need(v *visit) (am.Country, error) {
	asked := v.value("cc")
	lower := asciiLower(asked)
	if lower == "gr" {
		lower = "el"
	}
	for _, c := range s.drawn {
		if asciiLower(c.Code) == lower {
			if asked != lower {
				return c, &redirect{http.StatusPermanentRedirect, "/" + v.Lang.Code + "/countries/" + lower + v.search()}
			}
			return c, nil
		}
	}
	p := &problem{Status: http.StatusNotFound, Message: "error.country", Args: []any{"found", cut(asked, 40)}}
	for _, c := range s.drawn {
		p.Choices = append(p.Choices, link{"/" + v.Lang.Code + "/countries/" + asciiLower(c.Code), v.Lang.Country(c.Code)})
	}
	return am.Country{}, p
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// cut shortens foreign text that a page repeats.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
