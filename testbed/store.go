package testbed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
)

// ErrUnknown says that no run has that id.
var ErrUnknown = errors.New("there is no such run")

// ErrKnown says that a run of that id is kept already, and is another one: a
// result is never changed.
var ErrKnown = errors.New("a run of this id is kept already")

// Filter chooses runs; its zero value lets all through.
type Filter struct {
	Country, System, Suite, Case string
	Limit                        int // 0: 1000
}

// Store keeps runs with their messages. Package testbedtest holds its promises.
type Store interface {
	// Save keeps a run. The same run again is no error, another one of its id is
	// ErrKnown.
	Save(ctx context.Context, r *Run) error
	// Run is a run with its messages, or ErrUnknown.
	Run(ctx context.Context, id string) (*Run, error)
	// Runs are runs without steps and messages, the latest first.
	Runs(ctx context.Context, f Filter) ([]*Run, error)
}

// Memory is a Store that forgets with the process. Its zero value is ready.
type Memory struct {
	mu   sync.Mutex
	runs map[string][]byte
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
	m.runs[r.ID] = text
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
	for _, text := range m.runs {
		var r Run
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, err
		}
		if f.lets(&r) {
			r.Steps, r.Messages = nil, nil
			out = append(out, &r)
		}
	}
	slices.SortFunc(out, func(a, b *Run) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.ID, a.ID))
	})
	return out[:min(len(out), f.AtMost())], nil
}

func (f Filter) lets(r *Run) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(f.Country, r.Country) && is(f.System, r.System) && is(f.Suite, r.Suite) && is(f.Case, r.Case)
}

// AtMost is the number of runs that a filter lets through at most.
func (f Filter) AtMost() int {
	if f.Limit <= 0 {
		return 1000
	}
	return f.Limit
}

// ReadReport reads a report that WriteJSON wrote.
func ReadReport(file string) (*Report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s is no report: %w", file, err)
	}
	return &r, nil
}

// Skeleton is a case to start from.
func Skeleton(id, title string) string {
	return fmt.Sprintf(`# Every line is explained in docs/cases.md.
case    %s %s
cites   TDD 4.5.1
lines   oots-edm:v2.0 oots-edm:v1.2
role    evidence-provider
fault   accepts-anything   # a system with this defect must fail, or the case proves nothing

# The platform sends a message; then it waits for what comes back.
send    request.xml
expect  ExceptionResponse EDM:ERR:0003 within T1
valid   answer

-- request.xml --
base    request
remove  //rim:Slot[Procedure]
`, id, title)
}
