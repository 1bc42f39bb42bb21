package projectathon

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// Counts are an event's figures. Completed is every test that reached a verdict
// or that its teams declared over.
type Counts struct {
	Registered, Accepted                                        int
	Tests, Started, Completed, ToVerify, Verified, Partly, Fail int
	Aborted                                                     map[Cause]int
	NoShow, Automatic, Pairs, Appeals                           int
	MedianMinutes, P90Minutes                                   float64 // from start to end
	VerdictMedianMinutes                                        float64 // from end to the first verdict
}

// CaseCount is how one case went.
type CaseCount struct {
	Case, Title                          string
	Tests, Verified, Partly, Fail, Abort int
}

// RuleCount is an assertion that did not hold, and how often.
type RuleCount struct {
	Assertion string
	Times     int
}

// Grade is how a system did in a role (evaluation at an event's end).
type Grade string

const (
	Passed        Grade = "passed"
	PassedRemarks Grade = "passed with remarks"
	NotComplete   Grade = "did not complete"
	NoPeer        Grade = "no peer" // no fault of the country
	NotGraded     Grade = "not graded"
	GradeLeft     Grade = "withdrawn"
)

// Evaluation is the grade of a system in a role.
type Evaluation struct {
	System, Country string
	Role            Role
	Grade           Grade
	Verified, Of    int // of the cases that it met a partner for
}

// Point is a day of the burn-up: tests planned, run and verified until then.
type Point struct {
	Day                    time.Time
	Planned, Run, Verified int
}

// PairCount is a pair of countries as the public report shows it.
type PairCount struct {
	Asks, Answers string
	State         string // tested or verified
}

// Report is what an event's public report says. It names no country that
// failed: grades are in each country's own report.
type Report struct {
	Event     Event
	At        time.Time
	Counts    Counts
	Countries []string
	Cases     []CaseCount
	Rules     []RuleCount
	Pairs     []PairCount
	BurnUp    []Point
}

// CountryReport is confidential to its country.
type CountryReport struct {
	Event       Event
	Country     string
	At          time.Time
	Evaluations []Evaluation
	Tests       []CountryTest
	Suggested   []string // countries it has not met yet
}

// CountryTest is one test as its country sees it.
type CountryTest struct {
	ID, Case, System string
	Partners         []string
	State            PeerState
	Verdict          Verdict
}

func median(minutes []float64, share float64) float64 {
	if len(minutes) == 0 {
		return 0
	}
	slices.Sort(minutes)
	return minutes[min(len(minutes)-1, int(share*float64(len(minutes))))]
}

// Report writes the public report from the event's records.
func (s *Service) Report(ctx context.Context, event string) (Report, error) {
	e, err := s.Event(ctx, event)
	if err != nil {
		return Report{}, err
	}
	tests, err := list[PeerTest](ctx, s, KindTest, event)
	if err != nil {
		return Report{}, err
	}
	regs, err := s.Registrations(ctx, event)
	if err != nil {
		return Report{}, err
	}
	out := Report{Event: e, At: s.Now().UTC(), Counts: Counts{Registered: len(regs), Tests: len(tests), Aborted: map[Cause]int{}}}
	c := &out.Counts
	for _, r := range regs {
		if r.State == Admitted {
			c.Accepted++
			if !slices.Contains(out.Countries, r.Country) {
				out.Countries = append(out.Countries, r.Country)
			}
		}
	}
	slices.Sort(out.Countries)
	cases, rules, pairs := map[string]*CaseCount{}, map[string]int{}, map[[2]string]string{}
	var lasted, waited []float64
	for i := range tests {
		t := &tests[i]
		b := brief(t)
		k := cases[t.Case]
		if k == nil {
			of, _ := s.Case(t.Case)
			k = &CaseCount{Case: t.Case, Title: of.Title}
			cases[t.Case] = k
		}
		k.Tests++
		if !t.Started.IsZero() {
			c.Started++
		}
		if b.Automatic {
			c.Automatic++
		}
		for _, h := range t.History {
			if h.To == Disputed && h.As == ByParticipant {
				c.Appeals++
			}
		}
		if t.State == NoShow {
			c.NoShow++
		}
		if t.State == Aborted {
			k.Abort++
			c.Aborted[t.History[len(t.History)-1].Cause]++
			continue
		}
		if t.Ended.IsZero() {
			continue
		}
		c.Completed++
		lasted = append(lasted, t.Ended.Sub(t.Started).Minutes())
		for _, p := range t.countries()[1:] {
			pair := [2]string{t.Sides[0].Country, p}
			if pairs[pair] == "" {
				pairs[pair] = "tested"
			}
			if b.shows() == "verified" {
				pairs[pair] = "verified"
			}
		}
		switch b.shows() {
		case "verified":
			c.Verified++
			k.Verified++
		case "partly":
			c.Partly++
			k.Partly++
		case "failed":
			c.Fail++
			k.Fail++
		default:
			c.ToVerify++
		}
		if len(t.Verdicts) > 0 {
			waited = append(waited, t.Verdicts[0].At.Sub(t.Ended).Minutes())
		}
		seen := map[string]bool{}
		for _, side := range t.Sides {
			v, _ := t.Current(side.System)
			for _, f := range v.Failing {
				if !seen[f.Assertion] {
					seen[f.Assertion] = true
					rules[f.Assertion]++
				}
			}
		}
	}
	c.Pairs = len(pairs)
	c.MedianMinutes, c.P90Minutes, c.VerdictMedianMinutes = median(lasted, 0.5), median(lasted, 0.9), median(waited, 0.5)
	for _, id := range slices.Sorted(maps.Keys(cases)) {
		out.Cases = append(out.Cases, *cases[id])
	}
	for rule, n := range rules {
		out.Rules = append(out.Rules, RuleCount{rule, n})
	}
	slices.SortFunc(out.Rules, func(a, b RuleCount) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Assertion, b.Assertion))
	})
	out.Rules = out.Rules[:min(20, len(out.Rules))]
	for pair, state := range pairs {
		out.Pairs = append(out.Pairs, PairCount{pair[0], pair[1], state})
	}
	slices.SortFunc(out.Pairs, func(a, b PairCount) int {
		return cmp.Or(cmp.Compare(a.Asks, b.Asks), cmp.Compare(a.Answers, b.Answers))
	})
	out.BurnUp = burnUp(tests)
	return out, nil
}

// burnUp sums the tests by the hour in which something happened to them.
func burnUp(tests []PeerTest) (out []Point) {
	by := map[time.Time]*Point{}
	at := func(t time.Time) *Point {
		t = t.UTC().Truncate(time.Hour)
		if by[t] == nil {
			by[t] = &Point{Day: t}
		}
		return by[t]
	}
	for i := range tests {
		t := &tests[i]
		if len(t.History) > 0 {
			at(t.History[0].At).Planned++
		}
		if !t.Ended.IsZero() && t.State != Aborted {
			at(t.Ended).Run++
		}
		if len(t.Verdicts) > 0 && brief(t).shows() == "verified" {
			at(t.Verdicts[0].At).Verified++
		}
	}
	var sum Point
	for _, day := range slices.SortedFunc(maps.Keys(by), time.Time.Compare) {
		sum.Day = day
		sum.Planned += by[day].Planned
		sum.Run += by[day].Run
		sum.Verified += by[day].Verified
		out = append(out, sum)
	}
	return out
}

// Evaluate grades every registered system in each of its roles: a case counts
// with its best verdict; repeats do no harm.
func (s *Service) Evaluate(ctx context.Context, who Account, event string) ([]Evaluation, error) {
	if err := who.May(ManageEvent); err != nil {
		return nil, err
	}
	return s.evaluate(ctx, event)
}

func (s *Service) evaluate(ctx context.Context, event string) ([]Evaluation, error) {
	tests, err := list[PeerTest](ctx, s, KindTest, event)
	if err != nil {
		return nil, err
	}
	regs, err := s.Registrations(ctx, event)
	if err != nil {
		return nil, err
	}
	var out []Evaluation
	for _, r := range regs {
		for _, role := range r.Roles() {
			out = append(out, evaluation(r, role, tests))
		}
	}
	return out, nil
}

func evaluation(r Registration, role Role, tests []PeerTest) Evaluation {
	ev := Evaluation{System: r.System, Country: r.Country, Role: role}
	best := map[string]PeerState{} // by case: "" while it waits
	blameless := true              // nothing of its own stood in the way
	for i := range tests {
		t := &tests[i]
		side := slices.IndexFunc(t.Sides, func(s Side) bool { return s.System == r.System && s.Role == role })
		if side < 0 {
			continue
		}
		v, graded := t.Current(r.System)
		switch {
		case graded && t.State != Disputed && !t.SecondLook:
			rank := []PeerState{"", Failed, Partially, Verified}
			if slices.Index(rank, v.Outcome) > slices.Index(rank, best[t.Case]) {
				best[t.Case] = v.Outcome
			}
		case t.State == Aborted && t.History[len(t.History)-1].Cause == CauseOwn:
			blameless = false
		case t.State == ToBeVerified, t.State == Claimed, t.State == Disputed, t.SecondLook:
			best[t.Case] += ""
		}
	}
	remarks, failed, waits := false, false, false
	for _, outcome := range best {
		switch outcome {
		case Verified:
			ev.Verified++
		case Partially:
			remarks = true
		case Failed:
			failed = true
		default:
			waits = true
		}
	}
	ev.Of = len(best)
	switch {
	case r.State == Withdrawn:
		ev.Grade = GradeLeft
	case len(best) == 0 && blameless:
		ev.Grade = NoPeer
	case waits:
		ev.Grade = NotGraded
	case failed || len(best) == 0:
		ev.Grade = NotComplete
	case remarks:
		ev.Grade = PassedRemarks
	default:
		ev.Grade = Passed
	}
	return ev
}

// ReportFor writes a country's confidential report.
func (s *Service) ReportFor(ctx context.Context, who Account, event, country string) (CountryReport, error) {
	if err := who.May(ReadCountry, country); err != nil {
		return CountryReport{}, err
	}
	e, err := s.Event(ctx, event)
	if err != nil {
		return CountryReport{}, err
	}
	out := CountryReport{Event: e, Country: country, At: s.Now().UTC()}
	all, err := s.evaluate(ctx, event)
	if err != nil {
		return out, err
	}
	for _, ev := range all {
		if ev.Country == country {
			out.Evaluations = append(out.Evaluations, ev)
		}
	}
	tests, err := list[PeerTest](ctx, s, KindTest, event)
	if err != nil {
		return out, err
	}
	met := map[string]bool{country: true}
	for i := range tests {
		t := &tests[i]
		at := slices.IndexFunc(t.Sides, func(s Side) bool { return s.Country == country })
		if at < 0 {
			continue
		}
		v, _ := t.Current(t.Sides[at].System)
		row := CountryTest{ID: t.ID, Case: t.Case, System: t.Sides[at].System, State: t.State, Verdict: v}
		for j, side := range t.Sides {
			if j != at {
				row.Partners = append(row.Partners, side.Country)
				met[side.Country] = met[side.Country] || v.Outcome == Verified
			}
		}
		out.Tests = append(out.Tests, row)
	}
	regs, err := s.Registrations(ctx, event)
	for _, r := range regs {
		if r.State == Admitted && !met[r.Country] && !slices.Contains(out.Suggested, r.Country) {
			out.Suggested = append(out.Suggested, r.Country)
		}
	}
	return out, err
}
