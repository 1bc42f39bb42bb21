package web

import (
	"slices"
	"strconv"

	am "github.com/once-only/oots/acceleratormeter"
)

// historyPage is GET /{lang}/history.
type historyPage struct {
	moment
	Time      []timeRow
	Moves     []moveCard
	Country   string // filter
	To        int    // filter: the level reached
	All       int
	Countries []string
	Snapshots []am.Snapshot // newest first
	Events    []am.Event
	Levels    []int
}

func (s *site) history(v *visit) (any, error) {
	m, err := s.moment(v, "at")
	if err != nil {
		return nil, err
	}
	p := &historyPage{moment: m, Countries: s.order(v.Lang, "name", nil), Levels: []int{1, 2, 3, 4, 5, 6}}
	if c := v.Query.Get("country"); s.draws(c) {
		p.Country = c
	}
	if n, err := strconv.Atoi(v.Query.Get("level")); err == nil && n >= 1 && n <= 6 {
		p.To = n
	}
	p.Time = s.throughTime(v, m)
	all := s.moveCards(v, m, 0)
	p.All = len(all)
	for _, mv := range all {
		if (p.Country == "" || mv.Member == p.Country) && (p.To == 0 || mv.To == p.To) {
			p.Moves = append(p.Moves, mv)
		}
	}
	for _, x := range v.State.snapshots {
		if m.Snap != nil && x.Sequence <= m.Snap.Sequence {
			p.Snapshots = append(p.Snapshots, x)
		}
	}
	slices.Reverse(p.Snapshots)
	for _, e := range s.Meter.Events(m.At) {
		if e.Sort == am.TestEvent {
			p.Events = append(p.Events, e)
		}
	}
	return p, nil
}

// snapshotPage is GET /{lang}/snapshots/{n}: what was displayed then, with its
// proofs.
type snapshotPage struct {
	Snap        *am.Snapshot
	Rows        []boardRow
	Correction  *am.Snapshot
	Before      *am.Snapshot
	After       *am.Snapshot
	Moves       []moveCard
	CriteriaSet string
}

func (s *site) snapshot(v *visit) (any, error) {
	n, err := strconv.Atoi(v.value("n"))
	x := v.State.number(n)
	if err != nil || x == nil {
		p := &problem{Status: 404, Message: "error.snapshot", Args: []any{"found", cut(v.value("n"), 20), "n", len(v.State.snapshots)}}
		for i := len(v.State.snapshots) - 1; i >= 0 && len(p.Choices) < 12; i-- {
			one := v.State.snapshots[i]
			p.Choices = append(p.Choices, link{"/" + v.Lang.Code + "/snapshots/" + itoa(one.Sequence), "№ " + itoa(one.Sequence) + ", " + v.Lang.Date(one.AsOf)})
		}
		return nil, p
	}
	p := &snapshotPage{Snap: x, Correction: v.State.correctedBy(n), Before: v.State.number(n - 1), After: v.State.number(n + 1)}
	for _, c := range s.drawn {
		p.Rows = append(p.Rows, boardRow{Country: c, chip: chip{Code: c.Code}, Entry: entry(x, c.Code)})
	}
	for _, mv := range v.State.moves {
		if mv.Sequence == n {
			p.Moves = append(p.Moves, newMoveCard(mv))
		}
	}
	return p, nil
}

// recomputedPage is GET /{lang}/recomputed: what the facts known at a date
// amount to by a criteria set of today. It never mixes with what was displayed.
type recomputedPage struct {
	moment
	Set       am.Criteria
	Sets      []am.Criteria
	Rows      []recomputedRow
	Different int
	Dates     []link
}

type recomputedRow struct {
	Country             am.Country
	Displayed, Computed int
	Requester, Provider int
}

func (s *site) recomputed(v *visit) (any, error) {
	m, err := s.moment(v, "at")
	if err != nil {
		return nil, err
	}
	set, err := am.FindCriteria(v.Query.Get("criteria"))
	if err != nil {
		p := &problem{Status: 404, Message: "error.criteria", Args: []any{"found", cut(v.Query.Get("criteria"), 40)}, Cause: err}
		for _, one := range am.Sets() {
			p.Choices = append(p.Choices, link{"/" + v.Lang.Code + "/recomputed?criteria=" + one.ID, one.ID})
		}
		return nil, p
	}
	p := &recomputedPage{moment: m, Set: set, Sets: am.Sets(), Dates: s.dateLinks(v, "at")}
	if m.Snap == nil {
		return p, nil
	}
	standings, err := s.Meter.Standings(set.ID, m.Snap.AsOf)
	if err != nil {
		return nil, err
	}
	for _, c := range s.drawn {
		row := recomputedRow{Country: c, Displayed: entry(m.Snap, c.Code).Level}
		for _, st := range standings {
			if st.Country == c.Code {
				row.Computed, row.Requester, row.Provider = st.Level, st.Requester.Level, st.Provider.Level
			}
		}
		if row.Computed != row.Displayed {
			p.Different++
		}
		p.Rows = append(p.Rows, row)
	}
	return p, nil
}
