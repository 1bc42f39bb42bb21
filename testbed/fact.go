package testbed

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
)

// Report is what a team hands in: the runs of one component with one catalogue.
type Report struct {
	Schema      int                `json:"schema"` // 1
	Catalogue   string             `json:"catalogue"`
	DataSet     string             `json:"data_set"`
	Environment ledger.Environment `json:"environment"`
	System      string             `json:"system"`
	Country     string             `json:"country"`
	Component   string             `json:"component"`
	// Components are what the system consists of, where one playing counts for
	// several; empty: Component alone.
	Components []string  `json:"components,omitempty"`
	Version    string    `json:"version"`
	Mode       string    `json:"mode"`
	Line       string    `json:"line"`
	Made       time.Time `json:"made"`
	Warnings   []string  `json:"warnings,omitempty"` // about the system as a whole
	Runs       []*Run    `json:"runs"`
}

// NewReport puts runs of one target together.
func NewReport(r *Runner, environment ledger.Environment, at time.Time, runs []*Run) *Report {
	return &Report{Schema: 1, Catalogue: r.Catalogue.Version, DataSet: r.DataSet, Environment: environment, System: r.Target.Name, Country: r.Target.Country,
		Component: r.Target.Component, Version: r.Target.Version, Mode: r.Target.Mode, Line: r.Line, Made: at.UTC().Truncate(time.Millisecond),
		Warnings: r.Warnings(), Runs: runs}
}

// Outcomes sums a report up: the standing of each suite, in their order.
func (r *Report) Outcomes() []SuiteOutcome {
	var out []SuiteOutcome
	for _, run := range r.Runs {
		i := slices.IndexFunc(out, func(o SuiteOutcome) bool { return o.Suite == run.Suite })
		if i < 0 {
			i, out = len(out), append(out, SuiteOutcome{Suite: run.Suite})
		}
		out[i].Runs = append(out[i].Runs, run)
	}
	for i := range out {
		out[i].Result = Standing(out[i].Runs)
	}
	return out
}

// SuiteOutcome is where a component stands in a suite.
type SuiteOutcome struct {
	Suite  string
	Result Result
	Runs   []*Run
}

// Count tells how many runs of a report have a result.
func (r *Report) Count(results ...Result) (n int) {
	for _, run := range r.Runs {
		if slices.Contains(results, run.Result) {
			n++
		}
	}
	return n
}

// Facts are the conformance facts of a report: one for each case that was
// played, and for each component one for each suite that it needs, when every
// case of the catalogue that puts the component to the test is there, so that a
// part of a suite never counts as the whole, and one for each peer case that the
// suite's cases show with one system alone. A suite of which no case applies
// gives none. They carry no message: each names the SHA-256 of those it rests on.
func (r *Report) Facts(c *Catalogue, sample bool) []ledger.Fact {
	codes := r.Components
	if len(codes) == 0 {
		codes = []string{r.Component}
	}
	fact := func(id string, of *Component, suite string, outcome Result, at time.Time) ledger.Fact {
		return ledger.Fact{ID: id, Kind: ledger.Conformance, Asserter: "platform", Verifier: "platform", Environment: r.Environment, Specification: r.Line,
			Subject:    ledger.Subject{Country: r.Country, Role: of.Side, System: r.System, Component: of.Code},
			HappenedAt: at, Sample: sample, Body: ledger.Body{Version: r.Version, Catalogue: r.Catalogue, Mode: r.Mode, Suite: suite, Outcome: string(outcome)}}
	}
	var out []ledger.Fact
	for _, run := range r.Runs {
		k := c.Case(run.Case)
		if k == nil || !judged(run.Result) {
			continue
		}
		of := componentFor(codes, k.Role)
		if of == nil {
			continue
		}
		f := fact("conformance/"+run.ID, of, run.Suite, run.Result, r.happened(run))
		f.Body.Case = run.Case
		for _, m := range run.Messages {
			cite(&f, m)
		}
		out = append(out, f)
	}
	for i := range Components {
		of := &Components[i]
		if !slices.Contains(codes, of.Code) || r.Catalogue != c.Version {
			continue
		}
		for _, suite := range of.Suites {
			for _, x := range r.shown(c.Suite(suite), of, codes) {
				last := x.Runs[len(x.Runs)-1]
				f := fact(fmt.Sprintf("conformance/%s/%s/%s/%s/%s", r.Country, of.Code, suite, x.Case, last.ID), of, suite, x.Result, r.happened(last))
				f.Body.Case = x.Case
				for _, run := range x.Runs {
					for _, m := range run.Messages {
						cite(&f, m)
					}
				}
				out = append(out, f)
			}
			runs, whole := r.of(c.Suite(suite), of.Roles)
			standing := Standing(runs)
			if !whole || !judged(standing) {
				continue
			}
			f := fact(fmt.Sprintf("conformance/%s/%s/%s/%s", r.Country, of.Code, suite, runs[0].ID), of, suite, standing, r.Made)
			for _, run := range runs {
				if i := slices.IndexFunc(run.Messages, func(m Message) bool { return !m.Sent }); i >= 0 {
					cite(&f, run.Messages[i])
				}
			}
			out = append(out, f)
		}
	}
	return out
}

// happened is when a run was: by its own clock, but not after the report was
// made, since the clock of a lab runs ahead.
func (r *Report) happened(run *Run) time.Time {
	if run.Started.After(r.Made) {
		return r.Made
	}
	return run.Started
}

// judged tells whether a result can stand in the ledger.
func judged(r Result) bool {
	return r != NotApplicable && slices.Contains(ledger.Outcomes, string(r))
}

// cite names a message as evidence of a fact; a fact has at most twenty.
func cite(f *ledger.Fact, m Message) {
	if len(f.Evidence) < 20 && m.Size > 0 && !slices.ContainsFunc(f.Evidence, func(e ledger.Evidence) bool { return e.SHA256 == m.SHA256 }) {
		f.Evidence = append(f.Evidence, ledger.Evidence{SHA256: m.SHA256, MediaType: "application/x-ebrs+xml", Size: int64(m.Size), Confidentiality: "own"})
	}
}

// of are the runs of the cases of a suite that put one of the roles to the test,
// and whether that is every such case.
func (r *Report) of(s *Suite, roles []string) (runs []*Run, whole bool) {
	if s == nil {
		return nil, false
	}
	wanted := 0
	for _, k := range s.Cases {
		if !slices.Contains(roles, k.Role) {
			continue
		}
		wanted++
		if i := slices.IndexFunc(r.Runs, func(run *Run) bool { return run.Case == k.ID }); i >= 0 {
			runs = append(runs, r.Runs[i])
		}
	}
	return runs, wanted > 0 && len(runs) == wanted
}

// Sign makes the report a signed one: its JSON on one line, as the text of a
// note.
func (r *Report) Sign(k *ledger.Key) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return k.Sign(string(text) + "\n")
}

// MaxReport bounds a signed report, in octets.
const MaxReport = 64 << 20

// OpenReport checks a signed report with the public key of whoever may hand it
// in, against the catalogue in force, and reads it. Outcomes are recomputed from
// the runs, never believed.
func OpenReport(signed []byte, public string, c *Catalogue) (*Report, error) {
	if len(signed) > MaxReport {
		return nil, fmt.Errorf("a report has at most %d octets", MaxReport)
	}
	text, err := openNote(signed, public)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal([]byte(strings.TrimSpace(text)), &r); err != nil {
		return nil, errors.New("the report cannot be read")
	}
	switch {
	case r.Schema != 1:
		return nil, fmt.Errorf("a report of schema %d is not known here; make it with this version of oots", r.Schema)
	case r.Catalogue != c.Version:
		return nil, fmt.Errorf("the report is for catalogue %s; the one in force is %s. Run the suites again", r.Catalogue, c.Version)
	}
	seen := map[string]bool{}
	for _, run := range r.Runs {
		k := c.Case(run.Case)
		switch {
		case k == nil || k.Suite != run.Suite || k.Hash != run.CaseHash:
			return nil, fmt.Errorf("the case %s of the report is not the one of the catalogue", run.Case)
		case seen[run.Case]:
			return nil, fmt.Errorf("the case %s stands in the report twice", run.Case)
		case run.System != r.System || run.Line != r.Line || run.Version != r.Version:
			return nil, fmt.Errorf("the run of %s is of another system, line or version than the report", run.Case)
		}
		seen[run.Case] = true
		run.Optional, run.Feeds = k.Optional, k.Feeds
		if worst := worstOf(run.Steps); len(run.Steps) > 0 && worst != run.Result {
			return nil, fmt.Errorf("the steps of %s say %s, the run says %s", run.Case, worst, run.Result)
		}
		for _, m := range run.Messages {
			if digest(m.Body) != m.SHA256 {
				return nil, fmt.Errorf("a message of %s is not the one that was hashed", run.Case)
			}
		}
	}
	return &r, nil
}

func worstOf(steps []Played) Result {
	worst := Pass
	for _, s := range steps {
		if weight[s.Result] > weight[worst] {
			worst = s.Result
		}
	}
	return worst
}

// Change is a case whose result differs between two reports.
type Change struct {
	Case          string
	Before, After Result // "" where it was not played
}

// Compare tells what changed since an earlier report.
func Compare(before, after *Report) []Change {
	var out []Change
	was := map[string]Result{}
	for _, run := range before.Runs {
		was[run.Case] = run.Result
	}
	for _, run := range after.Runs {
		if was[run.Case] != run.Result {
			out = append(out, Change{run.Case, was[run.Case], run.Result})
		}
		delete(was, run.Case)
	}
	for _, run := range before.Runs {
		if r, gone := was[run.Case]; gone {
			out = append(out, Change{run.Case, r, ""})
		}
	}
	return out
}
