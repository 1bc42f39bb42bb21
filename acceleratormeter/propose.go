package acceleratormeter

import (
	"time"

	"github.com/once-only/oots/ledger"
)

// ruling is a decision in force about a country's level.
type ruling struct {
	fact   string
	action string
	level  int
	reason string
	from   int64
}

// rulings are the decisions in force at an instant: the latest freeze and
// override that have not ended, and the latest of hold and confirm. A decision
// of the Commission needs a second officer; the country's own confirm and hold
// do not.
func (e *Engine) rulings(cc int, at time.Time) (freeze, override, last *ruling) {
	now := at.UnixMicro()
	recs := e.groups[cc].recs[decision]
	newest := map[string]*rec{}
	for i := range recs {
		r, ok := e.resolve(&recs[i], now)
		if !ok || r.more.limit != 0 && r.more.limit <= now || r.until != 0 && r.until <= now {
			continue
		}
		action := e.words.text[r.item]
		who := e.words.who[r.asserter]
		own := who.employer == cc && (action == "confirm" || action == "hold")
		if _, ok := e.verified(r, now); !ok && !own {
			continue
		}
		if action == "hold" {
			action = "confirm" // one answers the other
		}
		if old := newest[action]; old == nil || later(r, old) {
			newest[action] = r
		}
	}
	in := func(action string) *ruling {
		r := newest[action]
		if r == nil {
			return nil
		}
		return &ruling{r.id, e.words.text[r.item], r.more.level, r.more.reason, r.from}
	}
	return in("freeze"), in("override"), in("confirm")
}

// connectedAuthority tells whether the country has any authority connected in
// production: without it, or without level 4, levels 5 and 6 may be lost.
func connectedAuthority(s *Standing) bool { return s.Breadth.Authorities > 0 }

// demotionDays are the working days that a coordinator has to answer.
const demotionDays = 15

// propose makes the row of a country from its standing, the row before (nil if
// none) and the decisions in force. used is how many snapshots already rest on
// the override. A promotion is made unless it is held; a level
// is never lost without a decision; an override ends after two snapshots.
func propose(prev *Entry, s *Standing, freeze, override, last *ruling, used int, at time.Time) (Entry, *Proposal) {
	e := Entry{
		Member: s.Country, Level: s.Level, Basis: Computed, Breadth: s.Breadth, Milestones: s.Milestones,
		Roles: RoleLevels{s.Requester.Level, s.Provider.Level},
	}
	was := 0
	if prev != nil {
		was = prev.Level
	}
	var p *Proposal
	not := func(why Why) {
		p = &Proposal{Member: s.Country, Published: was, Computed: s.Level, Why: why, Missing: missingFor(s, was)}
		e.Level = was
	}
	switch {
	case override != nil && used < 2:
		e.Level, e.Basis, e.Decision, e.Reason = override.level, ByDecision, override.fact, override.reason
		if e.Level != s.Level {
			p = &Proposal{Member: s.Country, Published: e.Level, Computed: s.Level, Why: Overridden}
		}
	case freeze != nil && prev != nil:
		e.Basis, e.Decision = Frozen, freeze.fact
		if s.Level != was {
			not(FrozenWhy)
		}
	case prev == nil || s.Level == was:
	case s.Level > was && last != nil && last.action == "hold":
		not(Held)
	case s.Level > was:
	case prev.Basis == ByDecision && prev.Level != s.Level:
		// The override has ended: the computed level is published again.
	case last != nil && last.action == "confirm" && last.level == s.Level && last.from > prev.Since.UnixMicro():
		e.Decision = last.fact // the demotion is confirmed
	case was >= Live && s.Level >= TechnicallyReady && connectedAuthority(s):
		not(Kept)
	default:
		not(Demotion)
		p.AnswerBy = workingDays(at, demotionDays)
	}
	e.Since, e.PreviousLevel = at, was
	switch {
	case prev == nil || was == 0 && e.Level > 0:
		e.Movement = Entered
	case e.Level > was:
		e.Movement = MovedUp
	case e.Level < was:
		e.Movement, e.Missing = MovedDown, missingFor(s, was)
	default:
		e.Movement, e.Since = Stayed, prev.Since
	}
	e.Proof = proof(s)
	return e, p
}

// proof names the facts of every criterion that either role meets.
func proof(s *Standing) []Proof {
	var out []Proof
	for _, role := range []*RoleStanding{&s.Requester, &s.Provider} {
		for i := range role.Results {
			if r := &role.Results[i]; r.State != Missing && len(r.Facts) > 0 && r.Level <= max(role.Level, 1) {
				out = append(out, Proof{r.Criterion, role.Role, r.Facts})
			}
		}
	}
	return out
}

// missingFor are the criteria that keep the standing from a level, in its better
// role.
func missingFor(s *Standing, level int) []string {
	var out []string
	role := &s.Requester
	if s.Provider.Level > s.Requester.Level {
		role = &s.Provider
	}
	for _, r := range role.Results {
		if r.State == Missing && !r.Optional && r.Level <= level {
			out = append(out, r.Criterion)
		}
	}
	return out
}

// workingDays adds days from Monday to Friday.
func workingDays(t time.Time, n int) time.Time {
	for n > 0 {
		t = t.AddDate(0, 0, 1)
		if d := t.Weekday(); d != time.Saturday && d != time.Sunday {
			n--
		}
	}
	return t
}

// Moves are the changes of level between two snapshots, in protocol order. A
// move up names the criteria of the levels gained and the facts that carry them,
// a move down the criteria that are missing and the decision.
func Moves(from, to Snapshot) []Move {
	set, _ := FindCriteria(to.CriteriaSet)
	before := map[string]*Entry{}
	for i := range from.Entries {
		before[from.Entries[i].Member] = &from.Entries[i]
	}
	var out []Move
	for i := range to.Entries {
		now := &to.Entries[i]
		was := before[now.Member]
		if was == nil || was.Level == now.Level {
			continue
		}
		m := Move{
			Member: now.Member, From: was.Level, To: now.Level, Sequence: to.Sequence, At: to.AsOf,
			Basis: now.Basis, Reason: now.Reason, Sample: to.Sample,
		}
		if now.Level < was.Level {
			m.Criteria = now.Missing
			if now.Decision != "" {
				m.Facts = []string{now.Decision}
			}
		} else {
			role := better(now)
			for _, p := range now.Proof {
				if c, ok := set.Criterion(p.Criterion); ok && p.Role == role && c.Level > was.Level && c.Level <= now.Level {
					m.Criteria = append(m.Criteria, p.Criterion)
					m.Facts = append(m.Facts, p.Facts...)
				}
			}
		}
		out = append(out, m)
	}
	return out
}

func better(e *Entry) ledger.Role {
	if e.Roles.Provider > e.Roles.Requester {
		return ledger.Provider
	}
	return ledger.Requester
}
