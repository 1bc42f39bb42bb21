package acceleratormeter

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Memory is a Store in memory, for tests and for the demo without a folder. Its
// zero value is empty and ready.
type Memory struct {
	mu   sync.Mutex
	list []Snapshot // in order of creation
}

var _ Store = (*Memory)(nil)

func (m *Memory) find(id string) int {
	return slices.IndexFunc(m.list, func(s Snapshot) bool { return s.ID == id })
}

func (m *Memory) Create(_ context.Context, s Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.find(s.ID) >= 0 {
		return &Error{Code: WrongState, Found: "there is a snapshot " + s.ID + " already"}
	}
	m.list = append(m.list, s)
	return nil
}

func (m *Memory) Get(_ context.Context, id string) (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(id); i >= 0 {
		return m.list[i], nil
	}
	return Snapshot{}, &Error{Code: UnknownSnapshot, Found: id}
}

func (m *Memory) Approve(_ context.Context, id, by string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.find(id)
	if i < 0 {
		return &Error{Code: UnknownSnapshot, Found: id}
	}
	if m.list[i].State != Draft {
		return NotA(Draft, m.list[i])
	}
	m.list[i].State, m.list[i].ApprovedBy = Approved, by
	return nil
}

func (m *Memory) Publish(_ context.Context, id string, seal func(Snapshot, *Snapshot) (Snapshot, error)) (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.find(id)
	if i < 0 {
		return Snapshot{}, &Error{Code: UnknownSnapshot, Found: id}
	}
	if m.list[i].State != Approved {
		return Snapshot{}, NotA(Approved, m.list[i])
	}
	var latest *Snapshot
	if all := m.published(); len(all) > 0 {
		latest = &all[len(all)-1]
	}
	s, err := seal(m.list[i], latest)
	if err != nil {
		return Snapshot{}, err
	}
	m.list[i] = s
	return s, nil
}

func (m *Memory) published() []Snapshot {
	var out []Snapshot
	for _, s := range m.list {
		if s.State == Published {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Snapshot) int { return a.Sequence - b.Sequence })
	return out
}

func (m *Memory) Latest(_ context.Context, at time.Time) (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.published()
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].PublishedAt.After(at) {
			return all[i], nil
		}
	}
	return Snapshot{}, &Error{Code: BeforeFirst, Found: at.UTC().Format(time.DateOnly)}
}

func (m *Memory) Sequence(_ context.Context, n int) (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.list {
		if s.State == Published && s.Sequence == n {
			return s, nil
		}
	}
	return Snapshot{}, &Error{Code: UnknownSnapshot, Found: strconv.Itoa(n)}
}

func (m *Memory) All(context.Context) ([]Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.published(), nil
}

func (m *Memory) Open(context.Context) ([]Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Snapshot
	for _, s := range m.list {
		if s.State != Published {
			out = append(out, s)
		}
	}
	return out, nil
}

// NotA is the refusal of a step that asks for another state; for Stores.
func NotA(want SnapshotState, s Snapshot) error {
	e := &Error{Code: WrongState, Found: "snapshot " + s.ID + " is " + string(s.State) + ", not " + string(want)}
	switch {
	case want == Approved && s.State == Draft:
		e.Hint = "a second person approves it first"
	case s.State == Published:
		e.Hint = "a published snapshot is never changed; correct it with a new one"
	}
	return e
}
