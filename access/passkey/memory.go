package passkey

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is a Store that forgets everything when the program ends.
type Memory struct {
	mu   sync.Mutex
	keys []Passkey
}

func (m *Memory) of(party string) (out []Passkey) {
	for _, k := range m.keys {
		if k.Party == party {
			out = append(out, k)
		}
	}
	return out
}

func (m *Memory) at(id string) int {
	return slices.IndexFunc(m.keys, func(k Passkey) bool { return k.ID == id })
}

func (m *Memory) Of(_ context.Context, party string) ([]Passkey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	own := m.of(party)
	slices.SortStableFunc(own, func(a, b Passkey) int { return a.AddedAt.Compare(b.AddedAt) })
	return own, nil
}

func (m *Memory) Add(_ context.Context, k Passkey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	own := m.of(k.Party)
	switch {
	case m.at(k.ID) >= 0 || len(own) >= Most:
		return ErrTaken
	case len(own) > 0 && !bytes.Equal(own[0].Handle, k.Handle):
		return ErrChanged
	}
	m.keys = append(m.keys, k)
	return nil
}

func (m *Memory) Used(_ context.Context, id string, was, now uint32, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.at(id)
	switch {
	case i < 0:
		return ErrUnknown
	case m.keys[i].SignCount != was:
		return ErrChanged
	}
	m.keys[i].SignCount, m.keys[i].UsedAt = now, at
	return nil
}

func (m *Memory) Rename(_ context.Context, party, id, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.at(id)
	if i < 0 || m.keys[i].Party != party {
		return ErrUnknown
	}
	m.keys[i].Name = name
	return nil
}

func (m *Memory) Remove(_ context.Context, party, id string, last bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.at(id)
	switch {
	case i < 0 || m.keys[i].Party != party:
		return ErrUnknown
	case !last && len(m.of(party)) == 1:
		return ErrLast
	}
	m.keys = slices.Delete(m.keys, i, i+1)
	return nil
}
