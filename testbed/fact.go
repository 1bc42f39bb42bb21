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
	Sample     bool      `json:"sample,omitempty"`   // invented data
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

// codes are the components that a report is about.
func (r *Report) codes() []string {
	if len(r.Components) == 0 {
		return []string{r.Component}
	}
	return r.Components
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
	return r.FactsOf(c, sample, "platform", func(*Run) bool { return true })
}

// FactsOf are the facts of a report that somebody asserts. Only what was proved
// is verified by the platform: a case by its run, a suite by all of its runs.
func (r *Report) FactsOf(c *Catalogue, sample bool, asserter string, proved func(*Run) bool) []ledger.Fact {
	codes := r.codes()
	fact := func(id string, of *Component, suite string, outcome Result, at time.Time, runs ...*Run) ledger.Fact {
		verifier := "platform"
		if slices.ContainsFunc(runs, func(run *Run) bool { return run.Result != NotApplicable && !proved(run) }) {
			verifier = ""
		}
		return ledger.Fact{ID: id, Kind: ledger.Conformance, Asserter: asserter, Verifier: verifier, Environment: r.Environment, Specification: r.Line,
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
		f := fact("conformance/"+run.ID, of, run.Suite, run.Result, r.happened(run), run)
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
				f := fact(fmt.Sprintf("conformance/%s/%s/%s/%s/%s", r.Country, of.Code, suite, x.Case, last.ID), of, suite, x.Result, r.happened(last), x.Runs...)
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
			f := fact(fmt.Sprintf("conformance/%s/%s/%s/%s", r.Country, of.Code, suite, runs[0].ID), of, suite, standing, r.Made, runs...)
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

// Bounds of a report that somebody hands in.
const (
	mostMessages = 200      // of a run
	mostWords    = 400      // octets of a name, a version, an id
	mostFound    = 64 << 10 // octets of what a step found
)

// OpenReport checks a signed report with the public key of whoever may hand it
// in, against the catalogue in force, and reads it. Outcomes are recomputed from
// the steps, and the steps are those of the cases: they are never believed.
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
	if err := r.bounded(); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, run := range r.Runs {
		k := c.Case(run.Case)
		switch {
		case k == nil || k.Suite != run.Suite || k.Hash != run.CaseHash:
			return nil, fmt.Errorf("the case %s of the report is not the one of the catalogue", run.Case)
		case seen[run.Case]:
			return nil, fmt.Errorf("the case %s stands in the report twice", run.Case)
		case run.System != r.System || run.Line != r.Line || run.Version != r.Version || run.Country != r.Country || run.Component != r.Component ||
			run.Mode != r.Mode || run.Catalogue != r.Catalogue:
			return nil, fmt.Errorf("the run of %s is of another system, line, version or catalogue than the report", run.Case)
		}
		seen[run.Case] = true
		run.Optional, run.Feeds = k.Optional, k.Feeds
		if err := run.follows(k); err != nil {
			return nil, err
		}
		for _, m := range run.Messages {
			if digest(m.Body) != m.SHA256 {
				return nil, fmt.Errorf("a message of %s is not the one that was hashed", run.Case)
			}
		}
	}
	return &r, r.appliesWhole(c)
}

// bounded refuses what no pipeline of ours writes.
func (r *Report) bounded() error {
	if len(r.Runs) == 0 {
		return errors.New("the report holds no run")
	}
	for _, code := range r.codes() {
		if FindComponent(code) == nil {
			return fmt.Errorf("there is no component %.40q; valid are %s", code, strings.Join(Codes(), ", "))
		}
	}
	for _, run := range r.Runs {
		if run == nil {
			return errors.New("a run of the report is empty")
		}
		for _, word := range []string{r.System, r.Component, r.Version, r.Mode, r.Line, r.DataSet, run.ID, run.Title, run.DataSet} {
			if len(word) > mostWords {
				return fmt.Errorf("a name of %d octets is longer than %d", len(word), mostWords)
			}
		}
		if run.ID == "" || strings.ContainsFunc(run.ID, func(c rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", c)
		}) {
			return fmt.Errorf("%.40q is no id of a run: letters, digits and hyphens", run.ID)
		}
		if len(run.Messages) > mostMessages {
			return fmt.Errorf("the run of %s has %d messages; at most %d are read", run.Case, len(run.Messages), mostMessages)
		}
		if run.Started.After(r.Made) { // on a clock that its cases moved ahead
			run.Started = r.Made
		}
		for _, s := range run.Steps {
			if len(s.Found) > mostFound {
				return fmt.Errorf("a step of %s found %d octets; at most %d are read", run.Case, len(s.Found), mostFound)
			}
		}
	}
	return nil
}

// follows tells whether a run went as its case says: its steps in their order,
// to the end or to the first that decides, and its result is theirs.
func (run *Run) follows(k *Case) error {
	if run.Result == NotApplicable && len(run.Steps) == 0 {
		return nil // appliesWhole looks at why
	}
	if len(run.Steps) == 0 || len(run.Steps) > len(k.Steps) {
		return fmt.Errorf("the run of %s has %d steps, the case has %d", run.Case, len(run.Steps), len(k.Steps))
	}
	for i, played := range run.Steps {
		last := i == len(run.Steps)-1
		switch s := k.Steps[i]; {
		case played.Line != s.Line || played.Step != s.String():
			return fmt.Errorf("step %d of %s is %.80q in the report and %q in the case", i+1, run.Case, played.Step, s)
		case weight[played.Result] == 0:
			return fmt.Errorf("step %d of %s has the result %.20q, which does not exist", i+1, run.Case, played.Result)
		case weight[played.Result] >= weight[Unsupported] && !last:
			return fmt.Errorf("the run of %s goes on after step %d decided", run.Case, i+1)
		case last && weight[played.Result] < weight[Unsupported] && len(run.Steps) < len(k.Steps):
			return fmt.Errorf("the run of %s ends after %d of %d steps, none of which decided", run.Case, len(run.Steps), len(k.Steps))
		}
	}
	if worst := worstOf(run.Steps); worst != run.Result {
		return fmt.Errorf("the steps of %s say %s, the run says %s", run.Case, worst, run.Result)
	}
	return nil
}

// appliesWhole refuses a report in which cases are called not applicable that
// the system plays elsewhere: a role is played in all cases or in none.
func (r *Report) appliesWhole(c *Catalogue) error {
	plays := map[string]bool{}
	for _, run := range r.Runs {
		if run.Result != NotApplicable {
			plays[c.Case(run.Case).Role] = true
		}
	}
	for _, run := range r.Runs {
		if k := c.Case(run.Case); run.Result == NotApplicable && len(run.Steps) == 0 && k.Speaks(r.Line) && !k.Peer() && plays[k.Role] && !(k.Answers() && !plays["evidence-provider"]) {
			return fmt.Errorf("%s is called not applicable, while other cases of the role %s were played", run.Case, k.Role)
		}
	}
	return nil
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
