package web

import (
	"html/template"
	"slices"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/web/chart"
	"github.com/once-only/oots/web/opendata"
)

// boardPage is GET /{lang}/: where each country stands, now or on a date.
type boardPage struct {
	moment
	Count      int // countries drawn and assessed or not
	Ready      int // at level 4 or further
	Live       int
	MovedUp    int
	Reference  time.Time // the date that gains are counted from
	Counts     chart.Counts
	Verified   int
	Possible   int
	Columns    []column
	NotYet     []chip // not assessed
	Rows       []boardRow
	Moves      []moveCard
	Time       []timeRow
	Journeys   []journey
	Matrix     template.HTML
	Against    *comparison
	Dates      []link
	Table      bool
	Stale      bool
	Correction *am.Snapshot // the snapshot that repairs this one
	Levels     []int
}

type column struct {
	Level  int
	Chips  []chip
	Ghosts []chip // who stood here on the date compared with
}

type chip struct {
	Code  string
	Gain  int // levels gained since the reference date; below 0: lost
	To    int // of a ghost: where it stands now
	Basis am.Basis
}

type boardRow struct {
	chip
	Country am.Country
	Entry   am.Entry
	Before  int
}

// timeRow is the board at the end of a quarter.
type timeRow struct {
	Quarter quarter
	Href    string
	Now     bool   // the date shown
	Counts  [7]int // not assessed, then levels 1 to 6
	Ready   int
	Count   int
}

// Bars are the levels with a country, the highest first; a count is written
// where two or more stand.
func (r timeRow) Bars() template.HTML {
	var b strings.Builder
	for l := 6; l >= 1; l-- {
		if n := r.Counts[l]; n > 0 {
			b.WriteString(`<i class="l` + itoa(l) + ` n` + itoa(n) + `">`)
			if n > 1 {
				b.WriteString(itoa(n))
			}
			b.WriteString(`</i>`)
		}
	}
	return template.HTML(b.String())
}

// Cells are the counts as table cells: levels 1 to 6, not assessed, ready.
func (r timeRow) Cells() template.HTML {
	var b strings.Builder
	for _, n := range append(append([]int{}, r.Counts[1:]...), r.Counts[0], r.Ready) {
		b.WriteString(`<td class="r num">` + itoa(n) + `</td>`)
	}
	return template.HTML(b.String())
}

// comparison is the board against an earlier or later one.
type comparison struct {
	moment
	Up, Back, Stayed int
}

// board is GET /{lang}/.
func (s *site) board(v *visit) (any, error) {
	m, err := s.moment(v, "at")
	if err != nil {
		return nil, err
	}
	p := &boardPage{moment: m, Count: len(s.drawn), Possible: len(s.drawn) * (len(s.drawn) - 1), Table: v.Query.Get("view") == "table",
		Levels: []int{1, 2, 3, 4, 5, 6}, Dates: s.dateLinks(v, "compare")}
	if m.Snap == nil {
		p.NotYet = s.chips(nil, nil, func(am.Entry) bool { return true })
		p.Columns = make([]column, 6)
		for i := range p.Columns {
			p.Columns[i].Level = i + 1
		}
		return p, nil
	}
	p.Stale = !m.Travel && v.now.Sub(m.Snap.PublishedAt) > s.Promise
	p.Correction = v.State.correctedBy(m.Snap.Sequence)
	reference := v.State.displayed(m.At.AddDate(-1, 0, 0))
	if reference == nil {
		reference = &v.State.snapshots[0]
	}
	p.Reference = reference.AsOf
	yearAgo := reference
	if v.Query.Get("compare") != "" {
		other, err := s.moment(v, "compare")
		if err != nil {
			return nil, err
		}
		p.Against = &comparison{moment: other}
		p.Reference = other.Snap.AsOf
		reference = other.Snap
	}
	for n := 1; n <= 6; n++ {
		c := column{Level: n, Chips: s.chips(m.Snap, reference, func(e am.Entry) bool { return e.Level == n })}
		p.Counts[n-1] = len(c.Chips)
		if n >= am.TechnicallyReady {
			p.Ready += len(c.Chips)
		}
		if n >= am.Live {
			p.Live += len(c.Chips)
		}
		if p.Against != nil {
			for _, g := range s.chips(reference, nil, func(e am.Entry) bool { return e.Level == n }) {
				if now := entry(m.Snap, g.Code).Level; now != n {
					g.To = now
					c.Ghosts = append(c.Ghosts, g)
				}
			}
		}
		p.Columns = append(p.Columns, c)
	}
	p.NotYet = s.chips(m.Snap, nil, func(e am.Entry) bool { return e.Level == 0 })
	for _, c := range s.drawn {
		e, before := entry(m.Snap, c.Code), entry(reference, c.Code).Level
		row := boardRow{chip: chip{Code: c.Code, Basis: e.Basis}, Country: c, Entry: e, Before: before}
		if before > 0 && e.Level > 0 {
			row.Gain = e.Level - before
		}
		if then := entry(yearAgo, c.Code).Level; then > 0 && e.Level > then {
			p.MovedUp++
		}
		if p.Against != nil {
			switch {
			case row.Gain > 0:
				p.Against.Up++
			case row.Gain < 0:
				p.Against.Back++
			default:
				p.Against.Stayed++
			}
		}
		p.Rows = append(p.Rows, row)
	}
	p.Moves = s.moveCards(v, m, 4)
	p.Time = s.throughTime(v, m)
	p.Journeys = s.journeys(v, m)
	pairs := s.pairs(m)
	p.Verified = pairs.Count(am.PairVerified)
	p.Matrix = s.matrixTable(v.Lang, pairs, s.byLevel(m.Snap), nil)
	return p, nil
}

// chips are the drawn countries whose entry is wanted, in protocol order.
func (s *site) chips(x, reference *am.Snapshot, want func(am.Entry) bool) []chip {
	var out []chip
	for _, c := range s.drawn {
		e := entry(x, c.Code)
		if !want(e) {
			continue
		}
		out = append(out, chip{Code: c.Code, Basis: e.Basis})
		if before := entry(reference, c.Code).Level; before > 0 && e.Level > 0 {
			out[len(out)-1].Gain = e.Level - before
		}
	}
	return out
}

// counts are the countries drawn at each level of a snapshot; [0] is not
// assessed.
func (s *site) counts(x *am.Snapshot) (n [7]int) {
	for _, c := range s.drawn {
		n[entry(x, c.Code).Level]++
	}
	return n
}

// throughTime is the board at the ends of the last twelve quarters: chart and
// time machine.
func (s *site) throughTime(v *visit, m moment) []timeRow {
	var out []timeRow
	quarters := v.State.quarters(v.now, 12)
	for i, q := range quarters {
		x := v.State.displayed(q.end())
		n := s.counts(x)
		row := timeRow{Quarter: q, Counts: n, Ready: n[4] + n[5] + n[6], Count: len(s.drawn), Href: "/" + v.Lang.Code + "/?at=" + q.String()}
		last := i == len(quarters)-1
		if last {
			row.Href = "/" + v.Lang.Code + "/"
		}
		row.Now = m.Travel && quarterOf(m.At) == q || !m.Travel && last
		out = append(out, row)
	}
	return out
}

// journey is the small card of one country.
type journey struct {
	Code  string
	Level int
	First int
	Spark template.HTML
}

// journeys are the level of every country through all snapshots up to a moment.
func (s *site) journeys(v *visit, m moment) []journey {
	var out []journey
	if m.Snap == nil {
		return nil
	}
	span := chart.Span{From: v.State.snapshots[0].AsOf, To: m.Snap.AsOf}
	for _, c := range s.drawn {
		steps := v.State.steps(c.Code, m.Snap)
		j := journey{Code: c.Code, Level: entry(m.Snap, c.Code).Level, Spark: chart.Spark(span, steps)}
		if len(steps) > 0 {
			j.First = steps[0].Level
		}
		out = append(out, j)
	}
	return out
}

// steps are the changes of a country's level up to a snapshot, its first level
// included.
func (st *state) steps(code string, until *am.Snapshot) []chart.Step {
	var out []chart.Step
	for i := range st.snapshots {
		x := &st.snapshots[i]
		if until != nil && x.Sequence > until.Sequence {
			break
		}
		level := entry(x, code).Level
		if len(out) == 0 || out[len(out)-1].Level != level {
			out = append(out, chart.Step{At: x.AsOf, Level: level})
		}
	}
	return out
}

// byLevel are the drawn countries, highest level first, protocol order inside.
func (s *site) byLevel(x *am.Snapshot) []string {
	out := make([]string, len(s.drawn))
	for i, c := range s.drawn {
		out[i] = c.Code
	}
	slices.SortStableFunc(out, func(a, b string) int { return entry(x, b).Level - entry(x, a).Level })
	return out
}

// pairs is the matrix of the countries drawn, from the facts that the snapshot
// of the moment saw.
func (s *site) pairs(m moment) am.Matrix {
	codes := make([]string, len(s.drawn))
	for i, c := range s.drawn {
		codes[i] = c.Code
	}
	if m.Snap == nil {
		return am.Matrix{}
	}
	all := opendata.PublicPairs(s.Meter.Pairs(m.Snap.AsOf), s.Sample || m.Snap.Sample)
	return all.Among(codes)
}

// moveCard is a change of level with the proof behind it.
type moveCard struct {
	am.Move
	Country string
	Shown   []string // the first facts
	More    int
}

// moveCards are the newest moves up to a moment; most 0 means all.
func (s *site) moveCards(v *visit, m moment, most int) []moveCard {
	var out []moveCard
	for _, mv := range v.State.moves {
		if m.Snap == nil || mv.Sequence > m.Snap.Sequence {
			continue
		}
		out = append(out, newMoveCard(mv))
		if len(out) == most {
			break
		}
	}
	return out
}

func newMoveCard(mv am.Move) moveCard {
	c := moveCard{Move: mv, Country: mv.Member, Shown: mv.Facts}
	if len(c.Shown) > 6 {
		c.Shown, c.More = c.Shown[:6], len(c.Shown)-6
	}
	return c
}

// Up tells the direction of the move.
func (m moveCard) Up() bool { return m.To > m.From }
