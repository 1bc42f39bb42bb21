package web

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/web/chart"
)

// countriesPage is GET /{lang}/countries: all journeys, and the list to find a
// country in.
type countriesPage struct {
	moment
	Sort     string
	Rows     []boardRow
	Journeys []journey
	Find     string // what was looked for and not found
}

func (s *site) countries(v *visit) (any, error) {
	m, err := s.moment(v, "at")
	if err != nil {
		return nil, err
	}
	p := &countriesPage{moment: m, Sort: v.Query.Get("sort"), Journeys: s.journeys(v, m)}
	if asked := strings.TrimSpace(v.Query.Get("find")); asked != "" {
		if found := s.find(v.Lang, asked); len(found) == 1 {
			return nil, &redirect{http.StatusSeeOther, "/" + v.Lang.Code + "/countries/" + asciiLower(found[0])}
		}
		p.Find = cut(asked, 40)
	}
	by := "protocol"
	if p.Sort == "name" {
		by = "name"
	} else {
		p.Sort = "protocol"
	}
	for _, code := range s.order(v.Lang, by, m.Snap) {
		c, err := am.FindCountry(code)
		if err != nil {
			return nil, err
		}
		e := entry(m.Snap, code)
		p.Rows = append(p.Rows, boardRow{chip: chip{Code: code, Basis: e.Basis}, Country: c, Entry: e})
	}
	return p, nil
}

// find looks a country up by code, by its name in the page's language, in its
// own languages or in English; the beginning of a name is enough.
func (s *site) find(l *lang, asked string) []string {
	asked = strings.ToLower(asked)
	var exact, begins []string
	for _, c := range s.drawn {
		names := []string{l.Country(c.Code), c.Name, c.Code, c.ISO}
		for _, o := range c.Own {
			names = append(names, o.Name)
		}
		for _, n := range names {
			n = strings.ToLower(n)
			if n == asked {
				exact = append(exact, c.Code)
				break
			}
			if strings.HasPrefix(n, asked) {
				begins = append(begins, c.Code)
				break
			}
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return begins
}

// countryPage is GET /{lang}/countries/{cc}.
type countryPage struct {
	moment
	Country  am.Country
	Entry    am.Entry
	Next     int      // the level that Needs speaks about; 0 at the top or without assessment
	Needs    []needed // what carries it, and what is missing
	Role     ledger.Role
	Proofs   []proof
	Journey  template.HTML
	Points   []am.HistoryPoint
	Breadth  []breadth
	Asks     []am.Pair
	Answers  []am.Pair
	Both     int // partners verified in at least one direction
	Suites   []suite
	Moves    []moveCard
	Events   []am.Event
	Override bool
}

type needed struct {
	am.Result
	Text  template.HTML
	Needs []template.HTML
	Who   []am.Supplier
}

type proof struct {
	Criterion string
	Text      template.HTML
	Facts     []string
	More      int
}

type breadth struct {
	Key    string
	Value  string
	Change int // since twelve months before
}

type suite struct {
	Name    string
	Passed  int // facts that say so
	Failed  int
	Last    time.Time
	Example string // a fact
}

func (s *site) country(v *visit) (any, error) {
	c, err := s.need(v)
	if err != nil {
		return nil, err
	}
	m, err := s.moment(v, "at")
	if err != nil {
		return nil, err
	}
	p := &countryPage{moment: m, Country: c, Entry: entry(m.Snap, c.Code)}
	if m.Snap == nil {
		return p, nil
	}
	p.Override = p.Entry.Basis == am.ByDecision
	standing, err := s.Meter.Standing(m.Snap.CriteriaSet, c.Code, m.Snap.AsOf)
	if err != nil {
		return nil, err
	}
	lead := standing.Lead()
	p.Role = lead.Role
	set, err := am.FindCriteria(m.Snap.CriteriaSet)
	if err != nil {
		return nil, err
	}
	if p.Entry.Level > 0 && p.Entry.Level < 6 {
		p.Next = p.Entry.Level + 1
		for _, r := range lead.Results {
			if r.Level == p.Next || r.Level < p.Next && r.State == am.Missing {
				p.Needs = append(p.Needs, s.needed(v.Lang, set, r))
			}
		}
	}
	for _, pr := range p.Entry.Proof {
		q := proof{Criterion: pr.Criterion, Text: v.Lang.criterion(set, pr.Criterion), Facts: pr.Facts}
		if len(q.Facts) > 5 {
			q.Facts, q.More = q.Facts[:5], len(q.Facts)-5
		}
		p.Proofs = append(p.Proofs, q)
	}
	p.Journey = s.journeyChart(v, m, c.Code)
	for i := range v.State.snapshots {
		x := &v.State.snapshots[i]
		if x.Sequence > m.Snap.Sequence {
			break
		}
		p.Points = append(p.Points, am.HistoryPoint{Sequence: x.Sequence, AsOf: x.AsOf, PublishedAt: x.PublishedAt, Entry: entry(x, c.Code)})
	}
	slices.Reverse(p.Points)
	p.Breadth = breadths(p.Entry, entry(v.State.displayed(m.At.AddDate(-1, 0, 0)), c.Code))
	matrix := s.pairs(m)
	for _, other := range s.drawn {
		if other.Code == c.Code {
			continue
		}
		asks, answers := matrix.Pair(c.Code, other.Code), matrix.Pair(other.Code, c.Code)
		p.Asks, p.Answers = append(p.Asks, asks), append(p.Answers, answers)
		if asks.State == am.PairVerified || answers.State == am.PairVerified {
			p.Both++
		}
	}
	if p.Suites, err = s.suites(v, lead); err != nil {
		return nil, err
	}
	for _, mv := range v.State.moves {
		if mv.Member == c.Code && mv.Sequence <= m.Snap.Sequence {
			p.Moves = append(p.Moves, newMoveCard(mv))
		}
	}
	for _, e := range s.Meter.Events(m.At) {
		if e.Sort == am.TestEvent && slices.Contains(e.Countries, c.Code) {
			p.Events = append(p.Events, e)
		}
	}
	return p, nil
}

// needed is a criterion with its words: who can supply what is missing.
func (s *site) needed(l *lang, set am.Criteria, r am.Result) needed {
	if r.State == am.Grace { // at risk is for the country and the Commission
		r.State = am.Met
	}
	return l.needed(set, r)
}

func (l *lang) needed(set am.Criteria, r am.Result) needed {
	n := needed{Result: r, Text: l.criterion(set, r.Criterion)}
	for _, one := range r.Needs {
		pairs := []any{}
		for k, val := range one.Values {
			pairs = append(pairs, k, val)
		}
		n.Needs = append(n.Needs, l.T(one.Key, pairs...))
		if !slices.Contains(n.Who, one.Supplier) {
			n.Who = append(n.Who, one.Supplier)
		}
	}
	if c, ok := set.Criterion(r.Criterion); ok && len(n.Who) == 0 && r.State == am.Missing {
		n.Who = append(n.Who, c.Supplier)
	}
	return n
}

// criterion is a criterion in the reader's language.
func (l *lang) criterion(set am.Criteria, id string) template.HTML {
	if c, ok := set.Criterion(id); ok {
		return l.T(c.Key)
	}
	return template.HTML(template.HTMLEscapeString(id))
}

// journeyChart is the large step chart with moves and events.
func (s *site) journeyChart(v *visit, m moment, code string) template.HTML {
	span := chart.Span{From: v.State.snapshots[0].AsOf, To: m.Snap.AsOf}
	steps := v.State.steps(code, m.Snap)
	if len(steps) == 0 || !span.To.After(span.From) {
		return ""
	}
	var marks []chart.Mark
	for _, e := range s.Meter.Events(m.At) {
		if e.Sort == am.TestEvent && !e.At.Before(span.From) && !e.At.After(span.To) {
			marks = append(marks, chart.Mark{At: e.At, Label: e.Title})
		}
	}
	var ticks []chart.Tick
	for y := span.From.Year() + 1; y <= span.To.Year(); y++ {
		ticks = append(ticks, chart.Tick{At: time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), Label: v.Lang.year(y)})
	}
	var names [6]string
	for i := range names {
		names[i] = v.Lang.Text(fmt.Sprintf("level.%d", i+1))
	}
	last := steps[len(steps)-1]
	return chart.Journey(chart.Words{ID: "journey",
		Title: v.Lang.Text("journey.title", "country", v.Lang.Country(code), "level", last.Level),
		Desc:  v.Lang.Text("journey.desc", "n", len(steps)-1, "from", v.Lang.Date(span.From), "to", v.Lang.Date(span.To))},
		span, steps, marks, ticks, names)
}

// breadths are the counts beside the level, with the change of a year.
func breadths(now, before am.Entry) []breadth {
	n, b := now.Breadth, before.Breadth
	rows := []struct {
		key      string
		now, old int
	}{
		{"provider_authorities", n.ProviderAuthorities, b.ProviderAuthorities},
		{"requester_authorities", n.RequesterAuthorities, b.RequesterAuthorities},
		{"procedures", n.Procedures, b.Procedures},
		{"evidence_types", n.EvidenceTypes, b.EvidenceTypes},
		{"partners", n.Partners, b.Partners},
		{"test_partners", n.TestPartners, b.TestPartners},
	}
	var out []breadth
	for _, r := range rows {
		x := breadth{Key: r.key, Value: itoa(r.now)}
		if before.Level > 0 {
			x.Change = r.now - r.old
		}
		out = append(out, x)
	}
	return out
}

// suites are the test results among the facts that carry the standing, by
// suite.
func (s *site) suites(v *visit, r *am.RoleStanding) ([]suite, error) {
	var out []suite
	seen := map[string]bool{}
	for _, result := range r.Results {
		for _, id := range result.Facts {
			if seen[id] || len(seen) >= 400 {
				continue
			}
			seen[id] = true
			found, err := s.Ledger.Fact(v, id)
			if err != nil {
				return nil, err
			}
			f := found.Fact
			if f.Kind != ledger.Conformance {
				continue
			}
			i := slices.IndexFunc(out, func(x suite) bool { return x.Name == f.Body.Suite })
			if i < 0 {
				out = append(out, suite{Name: f.Body.Suite, Example: f.ID})
				i = len(out) - 1
			}
			if strings.HasPrefix(f.Body.Outcome, "pass") {
				out[i].Passed++
			} else {
				out[i].Failed++
			}
			if f.HappenedAt.After(out[i].Last) {
				out[i].Last, out[i].Example = f.HappenedAt, f.ID
			}
		}
	}
	slices.SortFunc(out, func(a, b suite) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
