package lcm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	cs "github.com/once-only/oots/commonservices"
)

// How a change came.
type How string

const (
	ByAS4      How = "as4"      // a submission over eDelivery
	ByAPI      How = "api"      // a submission over HTTP, for tests
	ByScreen   How = "screen"   // a clerk's form
	ByImport   How = "import"   // a file that a clerk gave
	ByRestore  How = "restore"  // an earlier state, brought back
	ByBaseline How = "baseline" // what the environment begins with
)

// Author is who changes something and how: a party and never a person's name.
type Author struct {
	Party   string // owner of the token, or party id of the access point
	How     How
	Message string // eb:MessageId of a submission over AS4, "" otherwise
}

// Revision is one accepted change of one country's part.
type Revision struct {
	Environment string
	Number      int // of the data set that it made
	Country     string
	Author
	At                      time.Time
	RequestID               string           // of the submission, "" when it was none
	Restores                int              // the number of the revision it brought back, 0 for none
	Added, Changed, Removed int              // objects
	Part                    *cs.Contribution // the country's part from then on; nil when it has none. Left out of lists
}

// Attempt is one refused change, kept for the audit.
type Attempt struct {
	Environment string
	Country     string // of the author
	Author
	At        time.Time
	RequestID string
	Foreign   bool    // it touched another country's data
	Faults    []Fault // the first ones, at most 20
}

// Store keeps data sets with their history: a data set is the newest part of
// each country together with what belongs to none.
type Store interface {
	// Load gives the newest data set of an environment;
	// commonservices.ErrNoDataSet when there is none. Nobody may change it.
	Load(ctx context.Context, environment string) (*cs.DataSet, error)
	// Newest is the revision that Load would give; 0 when there is none.
	Newest(ctx context.Context, environment string) (int, error)
	// Keep makes next the newest data set, together with the revisions that led
	// to it, all of its number: both or neither. It follows the stored one by
	// one; any other is commonservices.ErrConflict. The first may have any.
	Keep(ctx context.Context, next *cs.DataSet, revisions []Revision) error
	// Revisions lists a country's revisions, the newest first, without parts:
	// at most limit, all older than before unless that is 0.
	Revisions(ctx context.Context, environment, country string, before, limit int) ([]Revision, error)
	// At is the newest revision of a country up to a number, with its part;
	// ErrNoRevision when there is none.
	At(ctx context.Context, environment, country string, number int) (*Revision, error)
	// Refuse keeps a refused change.
	Refuse(ctx context.Context, a Attempt) error
	// Attempts lists what was refused to a country, the newest first, at most
	// limit.
	Attempts(ctx context.Context, environment, country string, limit int) ([]Attempt, error)
}

// ErrNoRevision says that a country has no revision of that number.
var ErrNoRevision = errors.New("there is no such revision")

// Memory is a Store that forgets when the process ends.
type Memory struct {
	mu        sync.Mutex
	sets      map[string]*cs.DataSet
	revisions []Revision
	attempts  []Attempt
}

func (m *Memory) Load(_ context.Context, environment string) (*cs.DataSet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.sets[environment]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("%s: %w", environment, cs.ErrNoDataSet)
}

func (m *Memory) Newest(_ context.Context, environment string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.sets[environment]; d != nil {
		return d.Revision, nil
	}
	return 0, nil
}

func (m *Memory) Keep(_ context.Context, next *cs.DataSet, revisions []Revision) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.sets[next.Environment]; old != nil && next.Revision != old.Revision+1 {
		return fmt.Errorf("%s, revision %d after %d: %w", next.Environment, next.Revision, old.Revision, cs.ErrConflict)
	}
	if m.sets == nil {
		m.sets = map[string]*cs.DataSet{}
	}
	m.sets[next.Environment] = next
	m.revisions = append(m.revisions, revisions...)
	return nil
}

func (m *Memory) Revisions(_ context.Context, environment, country string, before, limit int) ([]Revision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Revision
	for _, r := range m.revisions {
		if r.Environment == environment && r.Country == country && (before == 0 || r.Number < before) {
			r.Part = nil
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Revision) int { return cmp.Compare(b.Number, a.Number) })
	return out[:min(limit, len(out))], nil
}

func (m *Memory) At(_ context.Context, environment, country string, number int) (*Revision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var best *Revision
	for i := range m.revisions {
		r := &m.revisions[i]
		if r.Environment == environment && r.Country == country && r.Number <= number && (best == nil || r.Number > best.Number) {
			best = r
		}
	}
	if best == nil {
		return nil, ErrNoRevision
	}
	out := *best
	return &out, nil
}

func (m *Memory) Refuse(_ context.Context, a Attempt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts = append(m.attempts, a)
	return nil
}

func (m *Memory) Attempts(_ context.Context, environment, country string, limit int) ([]Attempt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Attempt
	for i := len(m.attempts) - 1; i >= 0 && len(out) < limit; i-- {
		if a := m.attempts[i]; a.Environment == environment && a.Country == country {
			out = append(out, a)
		}
	}
	return out, nil
}
