package acceleratormeter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/once-only/oots/ledger"
)

// Config says where a Meter reads and writes.
type Config struct {
	Facts  Facts  // required
	Store  Store  // required
	Signer Signer // signs snapshots, e.g. the ledger's key; required for Publish

	// Verify checks the whole ledger; Publish is refused when it fails.
	// Required for Publish.
	Verify func(context.Context) error

	Criteria  string           // id of the official set; empty: AM-1
	Catalogue string           // version of the test catalogue in force, for the snapshot's head; optional
	Now       func() time.Time // optional; time.Now
	NewID     func() string    // optional; random
	Log       *slog.Logger     // optional; discards
}

// Meter answers where countries stand, now and then, and publishes snapshots.
// It is safe for concurrent use.
type Meter struct {
	cfg      Config
	official Criteria

	mu     sync.RWMutex
	engine *Engine
	next   int64 // position of the first fact not yet read

	kept struct { // the latest answers of Standings
		sync.Mutex
		list map[asked][]Standing
	}
}

type asked struct {
	set   string
	at    int64
	facts int
}

// New makes a Meter; call Refresh before the first question. Its error is an
// unknown criteria set.
func New(cfg Config) (*Meter, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = rand.Text
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	set, err := FindCriteria(cfg.Criteria)
	if err != nil {
		return nil, err
	}
	return &Meter{cfg: cfg, official: set, engine: NewEngine()}, nil
}

// Refresh reads the facts that were appended since the last call.
func (m *Meter) Refresh(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for entry, err := range m.cfg.Facts.Facts(ctx, ledger.Filter{From: m.next}) {
		if err != nil {
			return fmt.Errorf("meter: reading facts: %w", err)
		}
		m.engine.Add(&entry.Fact)
		m.next = entry.Position + 1
	}
	return nil
}

// Official is the criteria set that snapshots are drafted with.
func (m *Meter) Official() Criteria { return m.official }

func (m *Meter) set(id string) (Criteria, error) {
	if id == "" {
		return m.official, nil
	}
	return FindCriteria(id)
}

func (m *Meter) or(at time.Time) time.Time {
	if at.IsZero() {
		return m.cfg.Now()
	}
	return at
}

// Standings computes where every country stands: the view "recomputed", never to
// be mixed with what a snapshot displays. An empty set means the official one, a
// zero instant now. The result is shared: do not change it.
func (m *Meter) Standings(set string, at time.Time) ([]Standing, error) {
	c, err := m.set(set)
	if err != nil {
		return nil, err
	}
	at = m.or(at)
	m.mu.RLock()
	defer m.mu.RUnlock()
	key := asked{c.ID, at.UnixMicro(), m.engine.Len()}
	m.kept.Lock()
	list := m.kept.list[key]
	m.kept.Unlock()
	if list != nil {
		return list, nil
	}
	list = m.engine.Standings(&c, at)
	m.kept.Lock()
	defer m.kept.Unlock()
	if len(m.kept.list) >= 32 || m.kept.list == nil {
		m.kept.list = map[asked][]Standing{}
	}
	m.kept.list[key] = list
	return list, nil
}

// Standing is Standings for one country.
func (m *Meter) Standing(set, country string, at time.Time) (Standing, error) {
	c, err := m.set(set)
	if err != nil {
		return Standing{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.engine.Standing(&c, country, m.or(at))
}

// Shadow computes two sets side by side and gives the countries that differ.
func (m *Meter) Shadow(set, other string, at time.Time) ([]Difference, error) {
	at = m.or(at)
	a, err := m.Standings(set, at)
	if err != nil {
		return nil, err
	}
	b, err := m.Standings(other, at)
	if err != nil {
		return nil, err
	}
	return Compare(a, b), nil
}

// Pairs is the matrix of all ordered pairs at an instant (zero: now).
func (m *Meter) Pairs(at time.Time) Matrix {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.engine.Pairs(m.or(at))
}

// Events are the public facts known at an instant (zero: now), newest first.
func (m *Meter) Events(at time.Time) []Event {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.engine.Events(m.or(at))
}

// Statistics are the published figures known at an instant, newest first.
func (m *Meter) Statistics(at time.Time) []Statistic { return Statistics(m.Events(at)) }

// Milestones are the first exchanges of all countries, newest first.
func (m *Meter) Milestones(at time.Time) ([]Milestone, error) {
	list, err := m.Standings("", at)
	if err != nil {
		return nil, err
	}
	var out []Milestone
	for i := range list {
		out = append(out, list[i].Milestones...)
	}
	slices.SortStableFunc(out, func(a, b Milestone) int { return b.At.Compare(a.At) })
	return out, nil
}

// Displayed is the snapshot that people saw at an instant (zero: now): the view
// "as displayed then". Its *Error BeforeFirst names the first date.
func (m *Meter) Displayed(ctx context.Context, at time.Time) (Snapshot, error) {
	s, err := m.cfg.Store.Latest(ctx, m.or(at))
	var e *Error
	if !errors.As(err, &e) || e.Code != BeforeFirst {
		return s, err
	}
	e = &Error{Code: BeforeFirst, Found: m.or(at).UTC().Format(time.DateOnly)}
	if first, err := m.cfg.Store.Sequence(ctx, 1); err == nil {
		e.Hint = "the first one dates from " + first.PublishedAt.UTC().Format(time.DateOnly)
		e.Valid = []string{first.PublishedAt.UTC().Format(time.DateOnly) + " and later dates"}
	} else {
		e.Hint = "none has been published yet; draft, approve and publish one (oots snapshot)"
	}
	return Snapshot{}, e
}

// Snapshot finds a published snapshot by its number; *Error UnknownSnapshot
// names the valid ones.
func (m *Meter) Snapshot(ctx context.Context, sequence int) (Snapshot, error) {
	s, err := m.cfg.Store.Sequence(ctx, sequence)
	return s, m.withNumbers(ctx, err)
}

// withNumbers adds the published numbers to an UnknownSnapshot.
func (m *Meter) withNumbers(ctx context.Context, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Code == UnknownSnapshot {
		if last, err := m.cfg.Store.Latest(ctx, farFuture); err == nil {
			e.Valid = []string{"1 to " + strconv.Itoa(last.Sequence)}
		}
	}
	return err
}

var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Snapshots are all published snapshots, oldest first.
func (m *Meter) Snapshots(ctx context.Context) ([]Snapshot, error) { return m.cfg.Store.All(ctx) }

// AllMoves are the moves between every two neighbouring snapshots, newest first.
func (m *Meter) AllMoves(ctx context.Context) ([]Move, error) {
	list, err := m.cfg.Store.All(ctx)
	if err != nil {
		return nil, err
	}
	var out []Move
	for i := len(list) - 1; i > 0; i-- {
		out = append(out, Moves(list[i-1], list[i])...)
	}
	return out, nil
}

// HistoryPoint is one country in one snapshot.
type HistoryPoint struct {
	Sequence    int       `json:"sequence"`
	AsOf        time.Time `json:"as_of"`
	PublishedAt time.Time `json:"published_at"`
	Entry
}

// History is one country through all published snapshots, oldest first.
func (m *Meter) History(ctx context.Context, country string) ([]HistoryPoint, error) {
	c, err := FindCountry(country)
	if err != nil {
		return nil, err
	}
	list, err := m.cfg.Store.All(ctx)
	if err != nil {
		return nil, err
	}
	var out []HistoryPoint
	for _, s := range list {
		for _, e := range s.Entries {
			if e.Member == c.Code {
				out = append(out, HistoryPoint{s.Sequence, s.AsOf, s.PublishedAt, e})
			}
		}
	}
	return out, nil
}
