package ledger

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sort"
	"sync"
)

// Memory is a Store that forgets with the process. Its zero value is empty and
// ready.
type Memory struct {
	updating sync.Mutex // one Update at a time

	mu     sync.RWMutex // guards what follows
	rows   []Row
	byID   map[string]int
	heads  []Head
	hashes map[int64][]byte
}

func (m *Memory) Head(context.Context) (Head, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.heads) == 0 {
		return Head{}, nil
	}
	return m.heads[len(m.heads)-1], nil
}

func (m *Memory) Heads(_ context.Context, size int64, n int) ([]Head, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	i := sort.Search(len(m.heads), func(i int) bool { return m.heads[i].Size >= size })
	return slices.Clone(m.heads[i:min(i+n, len(m.heads))]), nil
}

func (m *Memory) Leaves(_ context.Context, from int64, n int) ([]byte, error) {
	return m.lines(from, n, func(dst []byte, r *Row) []byte { return append(dst, r.Leaf...) }), nil
}

func (m *Memory) Index(_ context.Context, from int64, n int) ([]byte, error) {
	return m.lines(from, n, func(dst []byte, r *Row) []byte { return r.AppendIndex(dst) }), nil
}

// lines writes a line for each of n entries.
func (m *Memory) lines(from int64, n int, write func([]byte, *Row) []byte) []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var dst []byte
	for i := max(from, 0); i < from+int64(n) && i < int64(len(m.rows)); i++ {
		if len(dst) > 0 {
			dst = append(dst, '\n')
		}
		dst = write(dst, &m.rows[i])
	}
	return dst
}

func (m *Memory) Find(_ context.Context, ids []string) (map[string]Row, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	found := map[string]Row{}
	for _, id := range ids {
		if i, ok := m.byID[id]; ok {
			found[id] = m.rows[i]
		}
	}
	return found, nil
}

func (m *Memory) Select(_ context.Context, f Filter, n int) ([]Row, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var rows []Row
	for i := max(f.From, 0); i < int64(len(m.rows)) && len(rows) < n; i++ {
		r := m.rows[i]
		if (f.Country == "" || r.Country == f.Country) && (f.Kind == "" || r.Kind == f.Kind) &&
			(f.Since.IsZero() || r.RecordedAt >= f.Since.UnixMilli()) {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func (m *Memory) Hashes(_ context.Context, page int64) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return bytes.Clone(m.hashes[page]), nil
}

func (m *Memory) Update(ctx context.Context, f func(Tx) error) error {
	m.updating.Lock()
	defer m.updating.Unlock()
	tx := &memoryTx{m: m, byID: map[string]Row{}, hashes: map[int64][]byte{}}
	if err := f(tx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID, m.hashes = map[string]int{}, map[int64][]byte{}
	}
	for _, r := range tx.rows {
		m.byID[r.ID] = len(m.rows)
		m.rows = append(m.rows, r)
	}
	maps.Copy(m.hashes, tx.hashes)
	for _, h := range tx.heads {
		if n := len(m.heads); n > 0 && m.heads[n-1].Size == h.Size {
			m.heads[n-1] = h
			continue
		}
		m.heads = append(m.heads, h)
	}
	return nil
}

// memoryTx keeps what a transaction wrote until it succeeds.
type memoryTx struct {
	m      *Memory
	rows   []Row
	byID   map[string]Row
	heads  []Head
	hashes map[int64][]byte
}

func (tx *memoryTx) Head(ctx context.Context) (Head, error) {
	if n := len(tx.heads); n > 0 {
		return tx.heads[n-1], nil
	}
	return tx.m.Head(ctx)
}

func (tx *memoryTx) Find(ctx context.Context, ids []string) (map[string]Row, error) {
	found, err := tx.m.Find(ctx, ids)
	for _, id := range ids {
		if r, ok := tx.byID[id]; ok {
			found[id] = r
		}
	}
	return found, err
}

func (tx *memoryTx) Hashes(ctx context.Context, page int64) ([]byte, error) {
	if h, ok := tx.hashes[page]; ok {
		return bytes.Clone(h), nil
	}
	return tx.m.Hashes(ctx, page)
}

func (tx *memoryTx) Append(_ context.Context, rows []Row) error {
	for _, r := range rows {
		r.Leaf = bytes.Clone(r.Leaf)
		tx.rows = append(tx.rows, r)
		tx.byID[r.ID] = r
	}
	return nil
}

func (tx *memoryTx) PutHashes(_ context.Context, page int64, hashes []byte) error {
	tx.hashes[page] = bytes.Clone(hashes)
	return nil
}

func (tx *memoryTx) PutHead(_ context.Context, h Head) error {
	tx.heads = append(tx.heads, h)
	return nil
}
