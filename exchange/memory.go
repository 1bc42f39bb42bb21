package exchange

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// ErrKnown says that there is a row of that kind and id already.
var ErrKnown = errors.New("exchange: known already")

// ErrUnknown says that the store has no such row.
var ErrUnknown = errors.New("exchange: not in the store")

// Memory is a Store without a database, for tests. A transaction holds its only
// lock; one that fails is undone.
type Memory struct {
	mu    sync.Mutex
	rows  map[[2]string]Row
	tasks map[string]Task
}

type inside struct{ m *Memory }

// Atomically runs f alone.
func (m *Memory) Atomically(ctx context.Context, f func(ctx context.Context) error) error {
	if ctx.Value(inside{m}) != nil {
		return f(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rows, tasks := maps.Clone(m.rows), maps.Clone(m.tasks)
	if err := f(context.WithValue(ctx, inside{m}, true)); err != nil {
		m.rows, m.tasks = rows, tasks
		return err
	}
	return nil
}

func (m *Memory) Create(ctx context.Context, r Row) error {
	return m.Atomically(ctx, func(context.Context) error {
		if _, known := m.rows[[2]string{r.Kind, r.ID}]; known {
			return ErrKnown
		}
		if m.rows == nil {
			m.rows = map[[2]string]Row{}
		}
		m.rows[[2]string{r.Kind, r.ID}] = r
		return nil
	})
}

func (m *Memory) Get(ctx context.Context, kind, id string) (r Row, err error) {
	err = m.Atomically(ctx, func(context.Context) error {
		kept, ok := m.rows[[2]string{kind, id}]
		if !ok {
			return ErrUnknown
		}
		r = kept
		return nil
	})
	return r, err
}

func (m *Memory) Update(ctx context.Context, r Row) error {
	return m.Atomically(ctx, func(context.Context) error {
		kept, ok := m.rows[[2]string{r.Kind, r.ID}]
		if !ok {
			return ErrUnknown
		}
		r.MadeAt = kept.MadeAt
		m.rows[[2]string{r.Kind, r.ID}] = r
		return nil
	})
}

func (m *Memory) Find(ctx context.Context, kind, key string, n int) (found []Row, err error) {
	err = m.Atomically(ctx, func(context.Context) error {
		for _, r := range m.sorted(kind) {
			if len(found) < n && slices.Contains(r.Keys, key) {
				found = append(found, r)
			}
		}
		return nil
	})
	return found, err
}

func (m *Memory) sorted(kind string) (all []Row) {
	for _, r := range m.rows {
		if r.Kind == kind {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Row) int { return cmp.Or(a.MadeAt.Compare(b.MadeAt), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (m *Memory) Remove(ctx context.Context, kind, id string) error {
	return m.Atomically(ctx, func(context.Context) error {
		delete(m.rows, [2]string{kind, id})
		return nil
	})
}

func (m *Memory) Forget(ctx context.Context, kind string, before time.Time) (n int, err error) {
	err = m.Atomically(ctx, func(context.Context) error {
		for k, r := range m.rows {
			if r.Kind == kind && r.MadeAt.Before(before) {
				delete(m.rows, k)
				n++
			}
		}
		return nil
	})
	return n, err
}

func (m *Memory) Each(ctx context.Context, kind string, from, until time.Time, f func(Row) error) error {
	var rows []Row
	_ = m.Atomically(ctx, func(context.Context) error { rows = m.sorted(kind); return nil })
	for _, r := range rows {
		if r.MadeAt.Before(from) || !r.MadeAt.Before(until) {
			continue
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) Schedule(ctx context.Context, t Task) error {
	return m.Atomically(ctx, func(context.Context) error {
		if m.tasks == nil {
			m.tasks = map[string]Task{}
		}
		m.tasks[t.ID] = t
		return nil
	})
}

func (m *Memory) Lease(ctx context.Context, now, until time.Time, n int) (leased []Task, err error) {
	err = m.Atomically(ctx, func(context.Context) error {
		for _, t := range m.tasks {
			if !t.Due.After(now) {
				leased = append(leased, t)
			}
		}
		slices.SortFunc(leased, func(a, b Task) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
		leased = leased[:min(n, len(leased))]
		for i := range leased {
			leased[i].Due, leased[i].Attempt = until, leased[i].Attempt+1
			m.tasks[leased[i].ID] = leased[i]
		}
		return nil
	})
	return leased, err
}

func (m *Memory) Done(ctx context.Context, id string) error {
	return m.Atomically(ctx, func(context.Context) error {
		delete(m.tasks, id)
		return nil
	})
}
