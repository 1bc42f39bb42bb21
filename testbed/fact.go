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
	Version     string             `json:"version"`
	Mode        string             `json:"mode"`
	Line        string             `json:"line"`
	Made        time.Time          `json:"made"`
	Warnings    []string           `json:"warnings,omitempty"` // about the system as a whole
	Runs        []*Run             `json:"runs"`
}

// NewReport puts runs of one target together.
func NewReport(r *Runner, environment ledger.Environment, at time.Time, runs []*Run) *Report {
	return &Report{Schema: 1, Catalogue: r.Catalogue.Version, DataSet: r.DataSet, Environment: environment, System: r.Target.Name, Country: r.Target.Country,
		Component: r.Target.Component, Version: r.Target.Version, Mode: r.Target.Mode, Line: r.Line, Made: at.UTC().Truncate(time.Millisecond),
		Warnings: r.Warnings(), Runs: runs}
}

// roles of the ledger by component.
var sides = map[string]ledger.Role{"ER": ledger.Requester, "PP": ledger.Requester, "EID-R": ledger.Requester, "CSQ": ledger.Requester,
	"DS": ledger.Provider, "PRV": ledger.Provider, "EID-P": ledger.Provider, "BR": ledger.Provider}

// sideOf is the side of an exchange that a case puts under test; "" where it is
// neither.
func sideOf(role string) ledger.Role {
	return map[string]ledger.Role{"evidence-requester": ledger.Requester, "evidence-provider": ledger.Provider}[role]
}

// Shown is what a suite's runs say about one peer case: that of the cases which
// show it (see Case.Shows) the worst result is Result.
type Shown struct {
	Case   string // of the peer case
	Result Result // pass, pass_with_warnings or fail
	Runs   []*Run
}

// shown gives what the runs of a suite show of peer cases, in the order of the
// suite. One failure shows that a promise is not kept; that it is kept only all
// cases together do, each of them passed. A component of the other side shows
// nothing.
func (o *SuiteOutcome) shown(s *Suite, line string, side ledger.Role) (out []Shown) {
	missing := map[string]bool{}
	for _, k := range s.Cases {
		if k.Shows == "" || sideOf(k.Role) != side || !k.Speaks(line) {
			continue
		}
		i := slices.IndexFunc(out, func(x Shown) bool { return x.Case == k.Shows })
		if i < 0 {
			i, out = len(out), append(out, Shown{Case: k.Shows, Result: Pass})
		}
		at := slices.IndexFunc(o.Runs, func(r *Run) bool { return r.Case == k.ID })
		if at < 0 || !slices.Contains([]Result{Pass, Warnings, Fail}, o.Runs[at].Result) {
			missing[k.Shows] = true
			continue
		}
		if out[i].Runs = append(out[i].Runs, o.Runs[at]); weight[o.Runs[at].Result] > weight[out[i].Result] {
			out[i].Result = o.Runs[at].Result
		}
	}
	return slices.DeleteFunc(out, func(x Shown) bool { return missing[x.Case] && x.Result != Fail })
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
// played, one for each peer case that a suite's cases show with one system
// alone, and one for each suite of which every case of the catalogue was played,
// so that a part of a suite never counts as the whole. They carry no message:
// each names the SHA-256 of those it rests on.
func (r *Report) Facts(c *Catalogue, sample bool) []ledger.Fact {
	var out []ledger.Fact
	fact := func(id string) ledger.Fact {
		return ledger.Fact{ID: id, Kind: ledger.Conformance, Asserter: "platform", Verifier: "platform", Environment: r.Environment, Specification: r.Line,
			Subject:    ledger.Subject{Country: r.Country, Role: sides[r.Component], System: r.System, Component: r.Component},
			HappenedAt: r.Made, Sample: sample, Body: ledger.Body{Version: r.Version, Catalogue: r.Catalogue, Mode: r.Mode}}
	}
	for _, o := range r.Outcomes() {
		for _, run := range o.Runs {
			if run.Result == NotApplicable || !slices.Contains(ledger.Outcomes, string(run.Result)) {
				continue
			}
			f := fact("conformance/" + run.ID)
			f.Body.Suite, f.Body.Case, f.Body.Outcome, f.HappenedAt = run.Suite, run.Case, string(run.Result), r.happened(run)
			f.Evidence = evidenceOf(run)
			out = append(out, f)
		}
		s := c.Suite(o.Suite)
		if s == nil {
			continue
		}
		for _, shown := range o.shown(s, r.Line, sides[r.Component]) {
			last := shown.Runs[len(shown.Runs)-1]
			f := fact(fmt.Sprintf("conformance/%s/%s/%s/%s/%s", r.Country, r.Component, o.Suite, shown.Case, last.ID))
			f.Body.Suite, f.Body.Case, f.Body.Outcome, f.HappenedAt = o.Suite, shown.Case, string(shown.Result), r.happened(last)
			f.Evidence = evidenceOf(shown.Runs...)
			out = append(out, f)
		}
		if len(o.Runs) != len(s.Cases) || o.Result == NotApplicable || !slices.Contains(ledger.Outcomes, string(o.Result)) {
			continue
		}
		f := fact(fmt.Sprintf("conformance/%s/%s/%s/%s", r.Country, r.Component, o.Suite, o.Runs[0].ID))
		f.Body.Suite, f.Body.Outcome = o.Suite, string(o.Result)
		out = append(out, f)
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

// evidenceOf are the messages that runs rest on, at most 20.
func evidenceOf(runs ...*Run) (out []ledger.Evidence) {
	for _, run := range runs {
		for _, m := range run.Messages {
			if len(out) < 20 && m.Size > 0 && !slices.ContainsFunc(out, func(e ledger.Evidence) bool { return e.SHA256 == m.SHA256 }) {
				out = append(out, ledger.Evidence{SHA256: m.SHA256, MediaType: "application/x-ebrs+xml", Size: int64(m.Size), Confidentiality: "own"})
			}
		}
	}
	return out
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
