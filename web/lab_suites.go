package web

import (
	"fmt"
	"html"
	"html/template"
	"slices"
	"strings"
	"time"

	pj "github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/testbed"
)

// trendLength is how many results of a case its trend shows.
const trendLength = 14

// labChoice is the registered system whose results a page of suites shows, with
// the others that the reader may choose.
type labChoice struct {
	Systems  []testbed.System
	System   *testbed.System // nil: none is registered that the reader may see
	None     bool            // no system is attached at all: nothing can be started
	MayStart bool
}

// choice is the system that the address names, else the reader's first.
func (s *lab) choice(r *reading) (labChoice, error) {
	c := labChoice{}
	if s.c.Tests == nil {
		return c, pj.ErrUnknown
	}
	all, err := s.c.Tests.Systems.Systems(r.Context())
	if err != nil {
		return c, err
	}
	c.None = len(all) == 0
	for _, x := range all {
		if r.who.MayFor(pj.ReadRuns, x.Name, x.Country) == nil {
			c.Systems = append(c.Systems, x)
		}
	}
	if len(c.Systems) == 0 {
		return c, nil
	}
	i := slices.IndexFunc(c.Systems, func(x testbed.System) bool { return x.Name == r.URL.Query().Get("system") })
	c.System = &c.Systems[max(i, 0)]
	c.MayStart = r.who.MayFor(pj.PlaySuites, c.System.Name, c.System.Country) == nil
	return c, nil
}

// labSuites is GET /{lang}/lab/suites: every suite, and where the chosen system
// stands in it.
type labSuites struct {
	labChoice
	Suites []labSuite
	Jobs   []testbed.Job // the latest of the system
	Parts  []string      // components of the system that have suites
}

// labSuite is a suite with the newest result of each of its cases.
type labSuite struct {
	*testbed.Suite
	Standing testbed.Result // "" unless it failed, or was played whole
	Counts   []labCount
	At       time.Time // of the newest result
	Of, Have int       // cases for the system, and how many of them have a result
	Peer     bool      // its cases are for several systems
}

// labCount is how many cases have a result.
type labCount struct {
	Result testbed.Result
	N      int
}

// resultOrder is the order in which counts are named.
var resultOrder = []testbed.Result{testbed.Pass, testbed.Warnings, testbed.Fail, testbed.NeedsReview, testbed.Unsupported, testbed.Broken, testbed.NotApplicable}

func counted(by map[testbed.Result]int) (out []labCount) {
	for _, r := range resultOrder {
		if by[r] > 0 {
			out = append(out, labCount{r, by[r]})
		}
	}
	return out
}

func (s *lab) suites(r *reading) (string, any, string, error) {
	c, err := s.choice(r)
	if err != nil {
		return "", nil, "", err
	}
	p := &labSuites{labChoice: c}
	for _, suite := range s.c.Tests.Catalogue.Suites {
		row := labSuite{Suite: suite, Peer: suite.Cases[0].Peer()}
		if c.System != nil && !row.Peer {
			roles := testbed.RolesOf(c.System.Components)
			last, err := s.c.Tests.Last(r.Context(), c.System, suite, 1)
			if err != nil {
				return "", nil, "", err
			}
			by, runs := map[testbed.Result]int{}, []*testbed.Run{}
			for _, k := range suite.Cases {
				if slices.Contains(roles, k.Role) {
					row.Of++
					row.Have += len(last[k.ID])
				}
				for _, run := range last[k.ID] {
					by[run.Result]++
					runs = append(runs, run)
					if run.Started.After(row.At) {
						row.At = run.Started
					}
				}
			}
			row.Counts = counted(by)
			if standing := testbed.Standing(runs); standing == testbed.Fail || row.Of > 0 && row.Have == row.Of {
				row.Standing = standing
			}
		}
		p.Suites = append(p.Suites, row)
	}
	if c.System != nil {
		for _, code := range c.System.Components {
			if part := testbed.FindComponent(code); part != nil && len(part.Suites) > 0 {
				p.Parts = append(p.Parts, code)
			}
		}
		p.Jobs, err = s.c.Tests.Store.Jobs(r.Context(), testbed.JobFilter{System: c.System.Name, Country: c.System.Country, Limit: 10})
	} else if c.None {
		p.Jobs, err = s.handedIn(r)
	}
	return "suites", p, "", err
}

// handedIn are the latest jobs that the reader may read, where all of them are
// reports that teams handed in.
func (s *lab) handedIn(r *reading) ([]testbed.Job, error) {
	if r.who.May(pj.ReadRuns) != nil {
		return nil, nil
	}
	f := testbed.JobFilter{}
	if r.who.MayFor(pj.ReadRuns, "", "") != nil { // one's own country alone
		f.Country = r.who.Country
	}
	jobs, err := s.c.Tests.Store.Jobs(r.Context(), f)
	jobs = slices.DeleteFunc(jobs, func(j testbed.Job) bool { return r.who.MayFor(pj.ReadRuns, j.System, j.Country) != nil })
	return jobs[:min(20, len(jobs))], err
}

// startRun is POST /{lang}/lab/suites: it starts a run and leads to its page.
func (s *lab) startRun(r *reading) (string, error) {
	if s.c.Tests == nil {
		return "", pj.ErrUnknown
	}
	system, err := s.c.Tests.System(r.Context(), r.PostFormValue("system"))
	if err != nil {
		return "", err
	}
	return s.start(r, testbed.JobOrder{System: system.Name, Line: r.PostFormValue("line"), What: strings.Fields(cut(r.PostFormValue("what"), 4000))}, system.Country)
}

// start checks who asks, notes it in the audit trail and starts the run.
func (s *lab) start(r *reading, o testbed.JobOrder, country string) (string, error) {
	if err := r.who.MayFor(pj.PlaySuites, o.System, country); err != nil {
		return "", err
	}
	o.By = r.who.Party
	j, err := s.c.Tests.Prepare(r.Context(), o)
	if err != nil {
		return "", err
	}
	if err := s.c.Events.Note(r.Context(), r.who, pj.PlaySuites, j.ID, fmt.Sprintf("started against %s: %d cases of %s", j.System, len(j.Cases), strings.Join(j.Suites, ", "))); err != nil {
		return "", err
	}
	return "/lab/runs/" + j.ID, s.c.Tests.Start(r.Context(), j)
}

// labSuitePage is GET /{lang}/lab/suites/{id}.
type labSuitePage struct {
	labChoice
	Suite *testbed.Suite
	Cases []labCase
}

// labCase is a case with what it came to lately.
type labCase struct {
	*testbed.Case
	N     int
	Last  *testbed.Run
	Trend template.HTML
}

func (s *lab) suite(r *reading) (string, any, string, error) {
	c, err := s.choice(r)
	if err != nil {
		return "", nil, "", err
	}
	p := &labSuitePage{labChoice: c, Suite: s.c.Tests.Catalogue.Suite(r.PathValue("id"))}
	if p.Suite == nil {
		return "", nil, "", pj.ErrUnknown
	}
	p.MayStart = p.MayStart && !p.Suite.Cases[0].Peer()
	var last map[string][]*testbed.Run
	if c.System != nil {
		if last, err = s.c.Tests.Last(r.Context(), c.System, p.Suite, trendLength); err != nil {
			return "", nil, "", err
		}
	}
	for i, k := range p.Suite.Cases {
		row := labCase{Case: k, N: i + 1}
		if runs := last[k.ID]; len(runs) > 0 {
			row.Last, row.Trend = runs[0], trend(r.lang, runs)
		}
		p.Cases = append(p.Cases, row)
	}
	return "suite", p, "", nil
}

// trendHeight is how high the column of a result stands, of 16: what is better
// is higher, so that colour says nothing alone.
var trendHeight = map[testbed.Result]int{testbed.Pass: 16, testbed.Warnings: 13, testbed.NeedsReview: 10, testbed.Unsupported: 8, testbed.NotApplicable: 8, testbed.Fail: 5, testbed.Broken: 2}

// trend draws results, the newest first, as columns from left to right, with
// the same in words.
func trend(l *lang, runs []*testbed.Run) template.HTML {
	by := map[testbed.Result]int{}
	var columns strings.Builder
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i].Result
		by[r]++
		h := trendHeight[r]
		fmt.Fprintf(&columns, `<rect class="%s" x="%d" y="%d" width="4" height="%d"/>`, r, (trendLength-1-i)*6, 16-h, h)
	}
	var words []string
	for _, c := range counted(by) {
		words = append(words, itoa(c.N)+" "+l.Text("lab.result."+string(c.Result)))
	}
	text := html.EscapeString(l.Text("lab.trend.text", "n", len(runs)) + ": " + strings.Join(words, ", "))
	return template.HTML(`<svg class="trend" viewBox="0 0 84 16" width="84" height="16" role="img" aria-label="` + text + `"><title>` + text + `</title>` + columns.String() + `</svg>`)
}

// Age is how long ago something was, in the largest unit that fits.
func (v *labView) Age(at time.Time) template.HTML {
	d := max(v.now.Sub(at), 0)
	switch {
	case d < time.Minute:
		return v.Lang.T("lab.age.now")
	case d < time.Hour:
		return v.Lang.T("lab.age.minutes", "n", int(d.Minutes()))
	case d < 48*time.Hour:
		return v.Lang.T("lab.age.hours", "n", int(d.Hours()))
	}
	return v.Lang.T("lab.age.days", "n", int(d.Hours()/24))
}
