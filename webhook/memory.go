package webhook

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Memory is a Store that forgets everything when the program ends.
type Memory struct {
	mu    sync.Mutex
	hooks []Hook
}

func (m *Memory) find(id string) int {
	return slices.IndexFunc(m.hooks, func(h Hook) bool { return h.ID == id })
}

func (m *Memory) AddHook(_ context.Context, h Hook) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.find(h.ID) >= 0 {
		return fmt.Errorf("webhook %s is stored already", h.ID)
	}
	m.hooks = append(m.hooks, h)
	return nil
}

func (m *Memory) Hooks(context.Context) ([]Hook, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Clone(m.hooks)
	slices.SortStableFunc(out, func(a, b Hook) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}

func (m *Memory) RemoveHook(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.find(id)
	if i < 0 {
		return ErrUnknown
	}
	m.hooks = slices.Delete(m.hooks, i, i+1)
	return nil
}

func (m *Memory) ClaimHook(_ context.Context, now, lease time.Time, latest int) (Hook, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	best := -1
	for i, h := range m.hooks {
		if h.Told < latest && !h.Due.After(now) && (best < 0 || h.Due.Before(m.hooks[best].Due)) {
			best = i
		}
	}
	if best < 0 {
		return Hook{}, ErrUnknown
	}
	m.hooks[best].Due = lease
	m.hooks[best].Attempt++
	return m.hooks[best], nil
}

func (m *Memory) SettleHook(_ context.Context, h Hook) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(h.ID); i >= 0 {
		o := &m.hooks[i]
		o.Told, o.Attempt, o.Due, o.LastError = h.Told, h.Attempt, h.Due, h.LastError
	}
	return nil
}
