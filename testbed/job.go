package testbed

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
)

// Job is a list of cases that is played against one system on one line: work
// that survives. Its results are runs of their own (Run.Job), each saved when
// the case is over.
type Job struct {
	ID          string             `json:"id"`
	System      string             `json:"system"`
	Country     string             `json:"country"`
	Components  []string           `json:"components"`
	Version     string             `json:"version"` // of the components
	Mode        string             `json:"mode"`
	Line        string             `json:"line"`
	Catalogue   string             `json:"catalogue"` // its version when the job was made
	Environment ledger.Environment `json:"environment"`
	Sample      bool               `json:"sample,omitempty"`
	Suites      []string           `json:"suites"` // to which the cases belong
	Cases       []string           `json:"cases"`  // in the order in which they are played
	By          string             `json:"by"`     // who asked for it; Platform for its own checks
	Of          string             `json:"of,omitempty"`

	State   JobState       `json:"state"`
	Why     string         `json:"why,omitempty"` // of a job that could not be played
	Stop    bool           `json:"stop,omitempty"`
	Made    time.Time      `json:"made"`
	Started time.Time      `json:"started,omitzero"`
	Ended   time.Time      `json:"ended,omitzero"`
	Done    int            `json:"done"` // cases that have a result
	Counts  map[Result]int `json:"counts,omitempty"`
	Worked  Duration       `json:"worked"` // that the results took
	Notes   []Note         `json:"notes,omitempty"`

	// Due is when the job may next be taken, and while it is worked on the end of
	// its lease; Holder who has it. Tries counts openings of the system that failed.
	Due    time.Time `json:"due"`
	Holder string    `json:"holder,omitempty"`
	Tries  int       `json:"tries,omitempty"`
	Owed   bool      `json:"owed,omitempty"` // its facts are not in the ledger yet
	// Rev counts the changes; who writes gives one more than what was read.
	Rev int `json:"rev"`
}

// Platform is who asks for the jobs that nobody asked for.
const Platform = "platform"

// JobState is where a job stands.
type JobState string

// States of a job. A failed one could not be played, or not to its end, by the
// fault of the platform or because the system could not be opened.
const (
	Queued     JobState = "queued"
	Playing    JobState = "running"
	JobDone    JobState = "done"
	JobStopped JobState = "stopped"
	JobFailed  JobState = "failed"
)

// Open tells whether there is still something to be done for the job.
func (j *Job) Open() bool { return j.State == Queued || j.State == Playing }

// Left estimates how long the missing cases take, from those that are over; 0
// before the first.
func (j *Job) Left() time.Duration {
	if j.Done == 0 || !j.Open() {
		return 0
	}
	return j.Worked / time.Duration(j.Done) * time.Duration(len(j.Cases)-j.Done)
}

// Note is something that happened to a job beside its results.
type Note struct {
	At time.Time `json:"at"`
	// What is resumed, stopping, away (the system could not be opened; it is tried
	// again).
	What string `json:"what"`
}

// mostNotes bounds the notes of a job.
const mostNotes = 50

func (j *Job) note(at time.Time, what string) {
	if len(j.Notes) < mostNotes {
		j.Notes = append(j.Notes, Note{at, what})
	}
}

// ErrChanged says that somebody else changed a job meanwhile.
var ErrChanged = errors.New("somebody else changed this job meanwhile; read it again")

// JobFilter chooses jobs; its zero value lets all through.
type JobFilter struct {
	Country, System string
	Open            bool // only those that are not over
	Owed            bool // only those that owe facts
	Since           time.Time
	Limit           int // 0: 200
}

// AtMost is the number of jobs that a filter lets through at most.
func (f JobFilter) AtMost() int {
	if f.Limit <= 0 {
		return 200
	}
	return f.Limit
}

func (f JobFilter) lets(j *Job) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(f.Country, j.Country) && is(f.System, j.System) && (!f.Open || j.Open()) && (!f.Owed || j.Owed) && !j.Made.Before(f.Since)
}

// System is a registered system as the test platform needs it.
type System struct {
	Name        string
	Country     string
	Components  []string // codes of Components
	Lines       []string // of the exchange data model, the preferred one first
	Version     string
	Mode        string // manual, test-tool, automated
	Environment ledger.Environment
	Sample      bool // its results are invented data
}

// JobOrder asks for a job.
type JobOrder struct {
	System string
	Line   string   // empty: the system's preferred one
	What   []string // suites, ids of cases, codes of components, or "all"
	By     string
	Of     string // the job that is played again
}

// choose gives the cases that an order names, in the order of the catalogue,
// and their suites. Cases for several systems belong to events.
func (c *Catalogue) choose(what, components []string) (cases, suites []string, err error) {
	wanted := map[string]bool{}
	for _, word := range what {
		of := FindComponent(word)
		switch {
		case word == "all":
			for _, code := range components {
				if p := FindComponent(code); p != nil {
					for _, s := range p.Suites {
						wanted[s] = true
					}
				}
			}
		case of != nil && len(of.Suites) > 0 && slices.Contains(components, word):
			for _, s := range of.Suites {
				wanted[s] = true
			}
		case c.Suite(word) != nil:
			wanted[c.Suite(word).Name] = true
		case c.Case(word) != nil:
			wanted[c.Case(word).ID] = true
		default:
			return nil, nil, fmt.Errorf("there is no case, no suite and no component of this system called %q", cut(word))
		}
	}
	for _, s := range c.Suites {
		before := len(cases)
		for _, k := range s.Cases {
			if !k.Peer() && (wanted[s.Name] || wanted[k.ID]) {
				cases = append(cases, k.ID)
			}
		}
		if len(cases) > before {
			suites = append(suites, s.Name)
		}
	}
	if len(cases) == 0 {
		return nil, nil, errors.New("nothing is left to play: name a suite or a case for one system; those for several are played in events")
	}
	return cases, suites, nil
}

// cut shortens foreign words for a message.
func cut(s string) string {
	if s = strings.ToValidUTF8(s, "?"); len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
