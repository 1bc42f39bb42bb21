package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrUnknown says that no run, job or system has that id.
var ErrUnknown = errors.New("there is no such run or system")

// ErrKnown says that a run of that id is kept already, and is another one: a
// result is never changed.
var ErrKnown = errors.New("a run of this id is kept already")

// Filter chooses runs; its zero value lets all through.
type Filter struct {
	Country, System, Suite, Case, Job string

	Limit   int  // 0: 1000
	Outline bool // with steps, and with messages without their octets
}

// Store keeps runs with their messages, and jobs. Package testbedtest holds its
// promises.
type Store interface {
	// Save keeps a run. The same run again is no error, another one of its id is
	// ErrKnown.
	Save(ctx context.Context, r *Run) error
	// Run is a run with its messages, or ErrUnknown.
	Run(ctx context.Context, id string) (*Run, error)
	// Runs are runs without steps and messages, unless an outline is asked for,
	// the latest first.
	Runs(ctx context.Context, f Filter) ([]*Run, error)
	// Holding are ids of runs that have a message whose octets have this SHA-256
	// (64 hexadecimal digits), in their order, at most 100.
	Holding(ctx context.Context, sha256 string) ([]string, error)

	// PutJob writes a job that has Rev 1 and is new, or Rev one more than the kept
	// one; ErrChanged.
	PutJob(ctx context.Context, j Job) error
	// Job is the job of that id, or ErrUnknown.
	Job(ctx context.Context, id string) (*Job, error)
	// Jobs are jobs, the latest made first.
	Jobs(ctx context.Context, f JobFilter) ([]Job, error)
	// LeaseJob takes the oldest job that is open and due, of a system that no other
	// leased job is playing with, for a holder until an instant; nil for none. Of
	// several who ask at once each gets another one.
	LeaseJob(ctx context.Context, now, until time.Time, holder string) (*Job, error)
}

// Lease makes a job one that a holder has.
func (j *Job) Lease(now, until time.Time, holder string) {
	j.State, j.Due, j.Holder = Playing, until, holder
	if j.Started.IsZero() {
		j.Started = now
	}
	j.Rev++
}

// Outline is a run without the octets of its messages.
func (r *Run) Outline() *Run {
	out := *r
	out.Messages = make([]Message, len(r.Messages))
	for i, m := range r.Messages {
		m.Body, m.Envelope = nil, nil
		out.Messages[i] = m
	}
	return &out
}

func (f Filter) lets(r *Run) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(f.Country, r.Country) && is(f.System, r.System) && is(f.Suite, r.Suite) && is(f.Case, r.Case) && is(f.Job, r.Job)
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
