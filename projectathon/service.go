package projectathon

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/once-only/oots/ledger"
)

// Facts is where verdicts go; *ledger.Ledger is one.
type Facts interface {
	Append(ctx context.Context, facts ...ledger.Fact) (ledger.Receipt, error)
}

// Config of a Service. Store and Facts are required.
type Config struct {
	Store Store
	Facts Facts
	// Key seals evidence and the vault: 32 octets. Required for either.
	Key []byte
	// Cases are the peer cases of the catalogue.
	Cases []Case
	// SecondShare is the share of level-relevant tests that get a second look
	// by chance, 0 to 100; 0 means 10, below 0 none.
	SecondShare int
	Now         func() time.Time // optional; time.Now
	NewID       func() string    // optional; random
	Log         *slog.Logger     // optional; discards
}

// Case is a peer case as an event needs it.
type Case struct {
	ID        string
	Title     string
	Providers int      // 1, or 2 for three parties
	Level     int      // the level whose criteria it feeds; 0 for none
	Expertise string   // what its monitor must know; empty: nothing special
	Steps     []Step   // without marks
	Checklist []string // what a monitor looks at beside what was computed
}

// Service runs events. It is safe for concurrent use, and several processes may
// work on one store.
type Service struct {
	Config
	mu     sync.Mutex
	boards map[string]*Board
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Facts == nil {
		return nil, errors.New("projectathon: Store and Facts are required")
	}
	if c.Key != nil && len(c.Key) != 32 {
		return nil, fmt.Errorf("projectathon: the key has %d octets; it needs 32", len(c.Key))
	}
	if c.SecondShare == 0 {
		c.SecondShare = 10
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = rand.Text
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Cases == nil {
		c.Cases = Cases()
	}
	return &Service{Config: c, boards: map[string]*Board{}}, nil
}

// Case finds a case of the catalogue; a variant such as TC07_b is its own.
func (s *Service) Case(id string) (Case, bool) {
	i := slices.IndexFunc(s.Cases, func(c Case) bool { return c.ID == id })
	if i < 0 {
		return Case{}, false
	}
	return s.Cases[i], true
}

// kept is a record with what its text says.
type kept[T any] struct {
	Record
	Value T
}

func read[T any](r Record) (kept[T], error) {
	k := kept[T]{Record: r}
	if err := json.Unmarshal(r.Doc, &k.Value); err != nil {
		return k, fmt.Errorf("projectathon: the %s %s cannot be read: %w", r.Kind, r.ID, err)
	}
	return k, nil
}

func get[T any](ctx context.Context, s *Service, kind Kind, id string) (kept[T], error) {
	r, err := s.Store.Get(ctx, kind, id)
	if err != nil {
		return kept[T]{}, err
	}
	return read[T](r)
}

func list[T any](ctx context.Context, s *Service, kind Kind, event string) ([]T, error) {
	rows, err := s.Store.List(ctx, kind, event)
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(rows))
	for _, r := range rows {
		k, err := read[T](r)
		if err != nil {
			return nil, err
		}
		out = append(out, k.Value)
	}
	return out, nil
}

// write is the record with its value as the next version.
func (k kept[T]) write() (Record, error) {
	doc, err := json.Marshal(k.Value)
	k.Doc, k.Version = doc, k.Version+1
	return k.Record, err
}

func fresh[T any](kind Kind, id, event string, v T) kept[T] {
	return kept[T]{Record: Record{Kind: kind, ID: id, Event: event}, Value: v}
}

// put writes one value with its line of the audit trail.
func put[T any](ctx context.Context, s *Service, who Account, do Action, note string, k kept[T]) error {
	r, err := k.write()
	if err != nil {
		return err
	}
	return s.Store.Put(ctx, s.entry(who, do, r, note), r)
}

func (s *Service) entry(who Account, do Action, r Record, note string) Entry {
	return Entry{At: s.Now().UTC(), By: who.Party, As: who.Post, Event: cmp.Or(r.Event, r.ID), What: do, On: r.ID, Note: note}
}

// Note writes a line of the audit trail for something that no record of an event
// holds: a sign-in, a passkey, a call of the API, a suite.
// Whoever acts writes it first, so that nothing is done without a trace.
func (s *Service) Note(ctx context.Context, who Account, what Action, on, note string) error {
	return s.Store.Put(ctx, Entry{At: s.Now().UTC(), By: who.Party, As: who.Post, What: what, On: on, Note: note})
}

// retry runs a change again when somebody else was faster, a few times.
func retry(f func() error) error {
	for range 8 {
		if err := f(); !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return ErrChanged
}

// CreateEvent drafts an event.
func (s *Service) CreateEvent(ctx context.Context, who Account, e Event) (Event, error) {
	if err := who.May(ManageEvent); err != nil {
		return e, err
	}
	if e.Name == "" {
		return e, errors.New("give the event a name")
	}
	e.ID, e.State = cmp.Or(e.ID, s.NewID()), Draft
	return e, put(ctx, s, who, ManageEvent, "drafted", fresh(KindEvent, e.ID, "", e))
}

// AdvanceEvent takes an event to its next phase.
func (s *Service) AdvanceEvent(ctx context.Context, who Account, id string, to EventState) (Event, error) {
	if err := who.May(ManageEvent); err != nil {
		return Event{}, err
	}
	k, err := get[Event](ctx, s, KindEvent, id)
	if err != nil {
		return Event{}, err
	}
	if k.Value.State == Grading && to == Appeals {
		if open, err := s.ungraded(ctx, id); err != nil || open > 0 {
			return k.Value, cmp.Or(err, fmt.Errorf("%d tests are neither graded nor closed; appeals begin when none is left", open))
		}
	}
	if err := k.Value.Advance(to); err != nil {
		return k.Value, err
	}
	if k.Value.Since == nil {
		k.Value.Since = map[EventState]time.Time{}
	}
	k.Value.Since[to] = s.Now().UTC()
	if err := put(ctx, s, who, ManageEvent, string(to), k); err != nil || to != Reported {
		return k.Value, err
	}
	return k.Value, s.Publish(ctx, who, id)
}

// Event reads one event, Events all of them by id; anybody may.
func (s *Service) Event(ctx context.Context, id string) (Event, error) {
	k, err := get[Event](ctx, s, KindEvent, id)
	return k.Value, err
}

func (s *Service) Events(ctx context.Context) ([]Event, error) {
	return list[Event](ctx, s, KindEvent, "")
}

// Register submits a system for an event.
func (s *Service) Register(ctx context.Context, who Account, r Registration) (Registration, error) {
	if err := who.May(Register, r.Country); err != nil {
		return r, err
	}
	e, err := s.Event(ctx, r.Event)
	switch {
	case err != nil:
		return r, err
	case e.State != RegistrationOpen && !e.Permanent:
		return r, fmt.Errorf("the event is %s; systems are registered while it is %s", e.State, RegistrationOpen)
	}
	if problems := r.check(e); len(problems) > 0 {
		return r, &Incomplete{problems}
	}
	r.ID, r.State = r.Event+":"+r.System, Submitted
	k := fresh(KindRegistration, r.ID, r.Event, r)
	if old, err := get[Registration](ctx, s, KindRegistration, r.ID); err == nil {
		if old.Value.Country != r.Country {
			return r, fmt.Errorf("the name %s is taken", r.System)
		}
		k.Version = old.Version // a new version of the form is endorsed and accepted anew
	} else if !errors.Is(err, ErrUnknown) {
		return r, err
	}
	return r, put(ctx, s, who, Register, r.System, k)
}

// Move takes a registration on: endorsed, accepted or withdrawn.
func (s *Service) Move(ctx context.Context, who Account, id string, to RegistrationState) (Registration, error) {
	k, err := get[Registration](ctx, s, KindRegistration, id)
	if err != nil {
		return k.Value, err
	}
	do := map[RegistrationState]Action{Endorsed: Endorse, Admitted: Admit, Withdrawn: Withdraw}[to]
	if err := who.May(do, k.Value.Country); err != nil {
		return k.Value, err
	}
	if err := k.Value.advance(to); err != nil {
		return k.Value, err
	}
	return k.Value, put(ctx, s, who, do, "", k)
}

// Registrations are those of an event, by id.
func (s *Service) Registrations(ctx context.Context, event string) ([]Registration, error) {
	return list[Registration](ctx, s, KindRegistration, event)
}

// Audit reads the trail, newest first.
func (s *Service) Audit(ctx context.Context, who Account, f AuditFilter) ([]Entry, error) {
	if err := who.May(ReadAudit); err != nil {
		return nil, err
	}
	return s.Store.Audit(ctx, f)
}
