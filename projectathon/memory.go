package projectathon

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
)

// Memory is a Store that forgets everything when the program ends.
type Memory struct {
	mu      sync.Mutex
	seq     int64
	records map[[2]string]Record
	trail   []Entry
	octets  map[[32]byte][]byte
	holders map[[32]byte][]string
}

func (m *Memory) Get(_ context.Context, kind Kind, id string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[[2]string{string(kind), id}]
	if !ok {
		return Record{}, ErrUnknown
	}
	return r, nil
}

// find gives copies of the records that pass.
func (m *Memory) find(keep func(Record) bool, order func(a, b Record) int) []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Record
	for _, r := range m.records {
		if keep(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, order)
	return out
}

func byChange(a, b Record) int { return cmp.Compare(a.Seq, b.Seq) }

func (m *Memory) List(_ context.Context, kind Kind, event string) ([]Record, error) {
	return m.find(func(r Record) bool { return r.Kind == kind && (event == "" || r.Event == event) },
		func(a, b Record) int { return strings.Compare(a.ID, b.ID) }), nil
}

func (m *Memory) Since(_ context.Context, event string, seq int64, limit int) ([]Record, error) {
	out := m.find(func(r Record) bool { return r.Event == event && r.Seq > seq }, byChange)
	return out[:min(limit, len(out))], nil
}

func (m *Memory) Owed(_ context.Context, limit int) ([]Record, error) {
	out := m.find(func(r Record) bool { return r.Owed }, byChange)
	return out[:min(limit, len(out))], nil
}

func (m *Memory) Put(_ context.Context, audit Entry, records ...Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range records {
		if m.records[[2]string{string(r.Kind), r.ID}].Version != r.Version-1 {
			return ErrChanged
		}
	}
	if m.records == nil {
		m.records = map[[2]string]Record{}
	}
	for _, r := range records {
		m.seq++
		r.Seq, r.Doc = m.seq, bytes.Clone(r.Doc)
		m.records[[2]string{string(r.Kind), r.ID}] = r
	}
	audit.N = int64(len(m.trail)) + 1
	m.trail = append(m.trail, audit)
	return nil
}

func (m *Memory) Audit(_ context.Context, f AuditFilter) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Entry
	for _, e := range slices.Backward(m.trail) {
		if len(out) < f.AtMost() && f.lets(e) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *Memory) Keep(_ context.Context, pieces ...Sealed) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.octets == nil {
		m.octets, m.holders = map[[32]byte][]byte{}, map[[32]byte][]string{}
	}
	for _, p := range pieces {
		if !slices.Contains(m.holders[p.Digest], p.Test) {
			m.holders[p.Digest] = append(m.holders[p.Digest], p.Test)
		}
		if m.octets[p.Digest] == nil {
			m.octets[p.Digest] = bytes.Clone(p.Octets)
		}
	}
	return nil
}

// Holding are the tests that octets belong to.
func (m *Memory) Holding(_ context.Context, digest [32]byte) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tests := slices.Sorted(slices.Values(m.holders[digest]))
	return tests[:min(len(tests), 100)], nil
}

func (m *Memory) Kept(_ context.Context, digest [32]byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.octets[digest]
	if !ok {
		return nil, ErrUnknown
	}
	return bytes.Clone(b), nil
}
