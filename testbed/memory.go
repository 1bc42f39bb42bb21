package testbed

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// Memory is a Store that forgets with the process. Its zero value is ready.
type Memory struct {
	mu    sync.Mutex
	runs  map[string][]byte
	heads []*Run // without octets, in the order in which they were saved
	jobs  map[string][]byte
}

// Save keeps a run.
func (m *Memory) Save(_ context.Context, r *Run) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, known := m.runs[r.ID]; known {
		if string(old) != string(text) {
			return ErrKnown
		}
		return nil
	}
	if m.runs == nil {
		m.runs = map[string][]byte{}
	}
	m.runs[r.ID], m.heads = text, append(m.heads, r.Outline())
	return nil
}

// Run gives a copy.
func (m *Memory) Run(_ context.Context, id string) (*Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, known := m.runs[id]
	if !known {
		return nil, ErrUnknown
	}
	var r Run
	return &r, json.Unmarshal(text, &r)
}

// Runs gives copies.
func (m *Memory) Runs(_ context.Context, f Filter) ([]*Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*Run
	for _, head := range m.heads {
		if !f.lets(head) {
			continue
		}
		r := *head
		if r.Steps, r.Messages = slices.Clone(r.Steps), slices.Clone(r.Messages); !f.Outline {
			r.Steps, r.Messages = nil, nil
		}
		out = append(out, &r)
	}
	slices.SortFunc(out, func(a, b *Run) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.ID, a.ID))
	})
	return out[:min(len(out), f.AtMost())], nil
}

// Holding looks through all runs.
func (m *Memory) Holding(_ context.Context, sha256 string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, head := range m.heads {
		if slices.ContainsFunc(head.Messages, func(msg Message) bool { return msg.SHA256 == sha256 }) {
			out = append(out, head.ID)
		}
	}
	slices.Sort(out)
	return out[:min(len(out), 100)], nil
}

// PutJob writes the next revision of a job.
func (m *Memory) PutJob(_ context.Context, j Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.put(&j)
}

func (m *Memory) put(j *Job) error {
	rev := 0
	if text, known := m.jobs[j.ID]; known {
		var old Job
		if err := json.Unmarshal(text, &old); err != nil {
			return err
		}
		rev = old.Rev
	}
	if j.Rev != rev+1 {
		return ErrChanged
	}
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	if m.jobs == nil {
		m.jobs = map[string][]byte{}
	}
	m.jobs[j.ID] = text
	return nil
}

// Job gives a copy.
func (m *Memory) Job(_ context.Context, id string) (*Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, known := m.jobs[id]
	if !known {
		return nil, ErrUnknown
	}
	var j Job
	return &j, json.Unmarshal(text, &j)
}

// Jobs gives copies.
func (m *Memory) Jobs(_ context.Context, f JobFilter) ([]Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out, err := m.all(f.lets)
	slices.Reverse(out)
	return out[:min(len(out), f.AtMost())], err
}

// all are the jobs that pass, the oldest first.
func (m *Memory) all(lets func(*Job) bool) ([]Job, error) {
	var out []Job
	for _, text := range m.jobs {
		var j Job
		if err := json.Unmarshal(text, &j); err != nil {
			return nil, err
		}
		if lets(&j) {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b Job) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// LeaseJob takes a job.
func (m *Memory) LeaseJob(_ context.Context, now, until time.Time, holder string) (*Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	open, err := m.all((*Job).Open)
	if err != nil {
		return nil, err
	}
	for i := range open {
		j := &open[i]
		busy := slices.ContainsFunc(open, func(k Job) bool {
			return k.ID != j.ID && k.System == j.System && k.State == Playing && k.Due.After(now)
		})
		if busy || j.Due.After(now) {
			continue
		}
		j.Lease(now, until, holder)
		return j, m.put(j)
	}
	return nil, nil
}
