package acceleratormeter

import (
	"slices"
	"strconv"
	"time"

	"github.com/once-only/oots/ledger"
)

// Assess tells where each country stands at an instant, and which facts carry
// it, in protocol order. It sees the facts recorded up to at, in any order, and
// judges their validity at at; it reads no clock and no store.
func Assess(c Criteria, facts []ledger.Fact, at time.Time) []Standing {
	e := NewEngine()
	for i := range facts {
		e.Add(&facts[i])
	}
	return e.Standings(&c, at)
}

// Standings assesses all countries, in protocol order.
func (e *Engine) Standings(c *Criteria, at time.Time) []Standing {
	out := make([]Standing, len(countries))
	for i := range countries {
		out[i] = e.standing(c, i, at)
	}
	return out
}

// Standing assesses one country; *Error UnknownCountry.
func (e *Engine) Standing(c *Criteria, country string, at time.Time) (Standing, error) {
	k, err := FindCountry(country)
	if err != nil {
		return Standing{}, err
	}
	return e.standing(c, place[k.Code], at), nil
}

func (e *Engine) standing(c *Criteria, cc int, at time.Time) Standing {
	d := e.dossier(&c.Policy, cc, at.UnixMicro())
	s := Standing{
		Country: countries[cc].Code, Set: c.ID, At: at.UTC(),
		Requester: d.judge(c, ledger.Requester), Provider: d.judge(c, ledger.Provider),
		Breadth: d.breadth(), Milestones: d.milestones(), Sample: d.sample,
	}
	for i := range d.blockers {
		b := &d.blockers[i]
		s.Blockers = append(s.Blockers, OpenItem{b.id, e.words.text[b.item], e.words.text[b.more.owner], instant(b.more.due)})
	}
	better, worse := &s.Requester, &s.Provider
	if worse.Level > better.Level {
		better, worse = worse, better
	}
	if c.Policy.BothRoles {
		better = worse
	}
	s.Level = better.Level
	if s.Level > 1 {
		s.Role = better.Role
	}
	for i := range better.Results {
		if r := &better.Results[i]; r.State == Grace && r.Level <= s.Level && !r.Optional {
			s.AtRisk = true
		}
	}
	return s
}

// judge runs through the table of criteria for one role. Levels are cumulative:
// a level holds when its criteria, and those of all levels below, are met.
func (d *dossier) judge(c *Criteria, role ledger.Role) RoleStanding {
	out := RoleStanding{Role: role, Results: make([]Result, 0, len(c.List))}
	j := judge{dossier: d, set: c, role: roleOf(role)}
	var lacking [8]bool
	for i := range c.List {
		j.criterion, j.carried, j.needs = &c.List[i], j.carried[:0], nil
		j.done = out.Results
		j.criterion.check(&j)
		r := j.result()
		lacking[r.Level] = lacking[r.Level] || r.State == Missing && !r.Optional
		out.Results = append(out.Results, r)
	}
	for out.Level < 6 && !lacking[out.Level+1] {
		out.Level++
	}
	return out
}

// judge is one country's dossier looked at for one criterion in one role. A
// check calls carry for every fact that the criterion rests on and need for
// everything that is missing; with no need it is met.
type judge struct {
	*dossier
	set       *Criteria
	role      uint8
	criterion *Criterion
	done      []Result // of the criteria before, same role
	carried   []slot
	needs     []Need
}

func (j *judge) carry(s ...slot) { j.carried = append(j.carried, s...) }

// need adds something missing: the key after "need.", who supplies it, and pairs
// of name and value.
func (j *judge) need(key string, by Supplier, pairs ...string) {
	n := Need{Key: "need." + key, Supplier: by}
	if len(pairs) > 0 {
		n.Values = make(map[string]string, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			n.Values[pairs[i]] = pairs[i+1]
		}
	}
	j.needs = append(j.needs, n)
}

// want carries the slot if there is one and otherwise says what is missing.
func (j *judge) want(s slot, key string, by Supplier, pairs ...string) {
	if s.ok() {
		j.carry(s)
	} else {
		j.need(key, by, pairs...)
	}
}

func (j *judge) result() Result {
	c := j.criterion
	r := Result{Criterion: c.ID, Level: c.Level, Optional: c.Optional, State: Met, Needs: j.needs}
	var lapses, lapsed, grace int64 = never, never, never
	for _, s := range j.carried {
		for _, id := range [...]string{s.id, s.by} {
			if id != "" && !slices.Contains(r.Facts, id) {
				r.Facts = append(r.Facts, id)
			}
		}
		if s.until > j.at {
			lapses = min(lapses, s.until)
			continue
		}
		lapsed, grace = min(lapsed, s.until), min(grace, s.until+s.grace)
	}
	switch {
	case len(r.Needs) > 0:
		r.State = Missing
	case lapsed != never:
		r.State, r.LapsedAt, r.GraceUntil = Grace, instant(lapsed), instant(grace)
	default:
		r.LapsesAt = instant(lapses)
	}
	return r
}

// Compare gives the countries whose standings differ, for two criteria sets or
// two instants. Both lists are in protocol order, as Assess returns them.
func Compare(a, b []Standing) []Difference {
	var out []Difference
	for i := range a {
		if i >= len(b) || a[i].Country != b[i].Country {
			break
		}
		d := Difference{Country: a[i].Country, From: a[i].Level, To: b[i].Level}
		d.Lost, d.Gained = changed(a[i].Lead(), &b[i]), changed(b[i].Lead(), &a[i])
		if d.From != d.To {
			out = append(out, d)
		}
	}
	return out
}

// changed are the criteria that r meets up to its level and other misses in the
// same role.
func changed(r *RoleStanding, other *Standing) []string {
	var out []string
	o := other.Of(r.Role)
	for i := range r.Results {
		x := &r.Results[i]
		if x.State == Missing || x.Optional || x.Level > r.Level {
			continue
		}
		for k := range o.Results {
			if y := &o.Results[k]; y.Criterion == x.Criterion && y.State == Missing {
				out = append(out, x.Criterion)
			}
		}
	}
	return out
}

func number(n int) string { return strconv.Itoa(n) }
