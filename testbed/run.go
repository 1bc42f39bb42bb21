package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
)

// Result is the outcome of a case or of a step of it.
type Result string

// Results, in the words of the ledger.
const (
	Pass          Result = "pass"
	Warnings      Result = "pass_with_warnings"
	Fail          Result = "fail"
	Broken        Result = "error" // the platform's fault, never the system's
	Unsupported   Result = "unsupported"
	NotApplicable Result = "not_applicable"
	NeedsReview   Result = "needs_review"
	Running       Result = "running"
	Waiting       Result = "waiting"
	Cancelled     Result = "cancelled"
)

// weight orders results: the heaviest step decides a case.
var weight = map[Result]int{Pass: 1, Warnings: 2, NeedsReview: 3, Unsupported: 4, NotApplicable: 4, Fail: 5, Broken: 6, Cancelled: 7}

// Run is one case played against one system, with all that it needs to be
// understood, repeated and compared.
type Run struct {
	ID        string    `json:"id"`
	Job       string    `json:"job,omitempty"`
	Case      string    `json:"case"`
	Title     string    `json:"title"`
	Suite     string    `json:"suite"`
	CaseHash  string    `json:"case_hash"`
	Catalogue string    `json:"catalogue"`
	DataSet   string    `json:"data_set"`
	Line      string    `json:"line"`
	System    string    `json:"system"`
	Country   string    `json:"country,omitempty"`
	Component string    `json:"component,omitempty"`
	Version   string    `json:"version,omitempty"`
	Mode      string    `json:"mode,omitempty"`
	Optional  bool      `json:"optional,omitempty"`
	Feeds     []string  `json:"feeds,omitempty"`
	Result    Result    `json:"result"`
	Why       string    `json:"why,omitempty"` // of the step that decided
	Started   time.Time `json:"started"`
	Took      Duration  `json:"took"`
	Steps     []Played  `json:"steps,omitempty"`
	Messages  []Message `json:"messages,omitempty"`
}

// Duration is written in milliseconds.
type Duration = time.Duration

// Played is a step and what came of it.
type Played struct {
	Line   int    `json:"line"`
	Step   string `json:"step"`
	Result Result `json:"result"`
	Found  string `json:"found,omitempty"`
}

// Message is one message of a run, kept whole.
type Message struct {
	Name     string   `json:"name,omitempty"` // in the case
	Sent     bool     `json:"sent"`           // by the platform
	Action   string   `json:"action"`
	SHA256   string   `json:"sha256"` // of Body
	Size     int      `json:"size"`
	Body     []byte   `json:"body,omitempty"`
	Envelope []byte   `json:"envelope,omitempty"` // of AS4, as it travelled
	Findings []string `json:"findings,omitempty"` // rule and place of what the validator found
	At       string   `json:"at"`
}

// Runner plays cases.
type Runner struct {
	Catalogue *Catalogue
	Target    Target
	Line      string // oots-edm:v2.0 when empty
	DataSet   string // version of the test data
	// Platform is the access point that the platform has for this target.
	Platform *partner.Platform
	Clock    *partner.Clock
	// Scale divides every time-out of the specification for systems that run on
	// real time with scaled clocks; 0 means 1. It has no meaning for a target with
	// Settle: there the clock is moved.
	Scale float64
	// Patience bounds every wait in real time; 0 means 30 s. Budget bounds a
	// whole case; 0 means 10 minutes.
	Patience, Budget time.Duration
	NewID            func() string
	// Progress is told each finished run; optional.
	Progress func(*Run)

	// Judge judges messages; made when nil.
	Judge *validator.Validator
	// End stops what was started for this runner; Close calls it. Optional.
	End func() error

	probed *Probe          // of the target's API; nil before
	past   map[string]bool // conversations of runs that are over
}

// Play plays one case. The answer always says what happened; the error is that
// of a context that ended.
func (r *Runner) Play(ctx context.Context, k *Case) (*Run, error) {
	r.defaults()
	started := r.Clock.Now()
	run := &Run{ID: r.NewID(), Case: k.ID, Title: k.Title, Suite: k.Suite, CaseHash: k.Hash, Catalogue: r.Catalogue.Version, DataSet: r.DataSet,
		Line: r.Line, System: r.Target.Name, Country: r.Target.Country, Component: r.Target.Component, Version: r.Target.Version, Mode: r.Target.Mode,
		Optional: k.Optional, Feeds: k.Feeds, Result: Running, Started: started.UTC()}
	at := time.Now()
	switch {
	case !k.Speaks(r.Line):
		run.Result, run.Why = NotApplicable, "the case is for "+strings.Join(k.Lines, ", ")
	case k.Peer():
		run.Result, run.Why = NotApplicable, "the case is played by several systems: see the events"
	case len(r.Target.Lines) > 0 && !slices.Contains(r.Target.Lines, r.Line):
		run.Result, run.Why = NotApplicable, "the system does not speak "+r.Line
	case !r.Target.plays(k.Role):
		run.Result, run.Why = NotApplicable, "the system does not play "+k.Role
	case k.Answers() && !r.Target.plays("evidence-provider"):
		run.Result, run.Why = NotApplicable, "the case is for a system that answers requests too"
	default:
		limited, cancel := context.WithTimeout(ctx, r.Budget)
		r.probe(limited)
		mine := *r
		mine.Target.Data = r.Target.data(k.Role)
		p := newPlayer(&mine, k, run)
		p.forget(limited)
		p.play(limited)
		p.close()
		cancel()
		if ctx.Err() != nil {
			run.Result, run.Why = Cancelled, "the run was stopped"
		}
	}
	run.Took = time.Since(at)
	if r.Progress != nil {
		r.Progress(run)
	}
	return run, ctx.Err()
}

// Replay plays the case of an earlier run again, on its line. A case that has
// changed since is an error: its result could not be compared.
func (r *Runner) Replay(ctx context.Context, earlier *Run) (*Run, error) {
	k := r.Catalogue.Case(earlier.Case)
	switch {
	case k == nil:
		return nil, fmt.Errorf("testbed: the catalogue has no case %s any more", earlier.Case)
	case k.Hash != earlier.CaseHash:
		return nil, fmt.Errorf("testbed: the case %s has changed since that run", earlier.Case)
	}
	again := *r
	again.Line = earlier.Line
	return again.Play(ctx, k)
}

// PlaySuite plays every case of a suite, in their order.
func (r *Runner) PlaySuite(ctx context.Context, s *Suite) ([]*Run, error) {
	var out []*Run
	for _, k := range s.Cases {
		run, err := r.Play(ctx, k)
		if err != nil {
			return out, err
		}
		out = append(out, run)
	}
	return out, nil
}

func (r *Runner) defaults() {
	if r.Line == "" {
		r.Line = defaultLine
	}
	if r.DataSet == "" {
		r.DataSet = "seed"
	}
	if r.Clock == nil {
		r.Clock = &partner.Clock{}
	}
	if r.Scale <= 0 {
		r.Scale = 1
	}
	if r.Patience == 0 {
		r.Patience = 30 * time.Second
	}
	if r.Budget == 0 {
		r.Budget = 10 * time.Minute
	}
	if r.NewID == nil {
		r.NewID = as4.NewUUID
	}
	if r.Judge == nil {
		r.Judge = validator.New(validator.Config{})
	}
	if r.past == nil {
		r.past = map[string]bool{}
	}
	if r.Target.Browser == nil {
		r.Target.Browser = &http.Client{Timeout: r.Patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
}

// keep notes a message of the run with its findings.
func (p *player) keep(name string, m *partner.Mail) {
	body := m.Body()
	kept := Message{Name: name, Sent: m.Sent, Action: m.Header.Action, SHA256: digest(body), Size: len(body), Body: body, Envelope: m.Envelope, At: stamp(m.At)}
	kept.Findings = findings(p.Judge.Validate(body, validator.Options{Name: name}))
	p.run.Messages = append(p.run.Messages, kept)
}

func findings(r *validator.Report) (out []string) {
	for _, f := range r.Findings {
		if f.Severity == validator.Caution || f.Advice {
			continue
		}
		out = append(out, fmt.Sprintf("%s (%s) line %d: expected %s", f.Rule, f.Severity, f.Line, f.Expected))
	}
	return out
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Standing sums up the results of the cases of a suite: it passes when every
// mandatory one did.
func Standing(runs []*Run) Result {
	out, played := Pass, false
	for _, r := range runs {
		if r.Result == NotApplicable || r.Optional && (r.Result == Unsupported || r.Result == NeedsReview) {
			continue
		}
		played = true
		if weight[r.Result] > weight[out] {
			out = r.Result
		}
	}
	if !played {
		return NotApplicable
	}
	return out
}
