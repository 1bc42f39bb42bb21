package acceleratormeter

import (
	"slices"
	"strings"
	"time"
)

// Pairs is the matrix of all ordered pairs at an instant, from both sides' peer
// tests: the requester's and the provider's facts speak about the same cell.
func (e *Engine) Pairs(at time.Time) Matrix {
	now := at.UnixMicro()
	m := Matrix{Countries: codes(), Cells: make([]Pair, 0, nCountries*(nCountries-1))}
	var cells [nCountries][nCountries][]try
	for cc := range e.groups {
		recs := e.groups[cc].recs[peerTest]
		for i := range recs {
			r, ok := e.resolve(&recs[i], now)
			if !ok || r.partner == 0 || r.env < 2 || r.until != 0 && r.until <= now || r.role == noRole || int(r.partner)-1 == cc {
				continue
			}
			row, col := cc, int(r.partner)-1
			if r.role == answers {
				row, col = col, row
			}
			cells[row][col] = append(cells[row][col], e.try(r, now))
		}
	}
	for row := range cells {
		for col := range cells[row] {
			if row != col {
				m.Cells = append(m.Cells, cell(m.Countries[row], m.Countries[col], cells[row][col]))
			}
		}
	}
	return m
}

// try is one peer test of a cell.
type try struct {
	state    PairState
	happened int64
	fact, by string
}

// PairVerified needs the baseline exchange; any other verified case is "partly".
func (e *Engine) try(r *rec, at int64) try {
	t := try{PairTried, r.happened, r.id, ""}
	v := e.verdict(r, at)
	if v != nil {
		t.by = v.id
	}
	name := strings.TrimSuffix(e.words.text[r.kase], "_b")
	switch {
	case v != nil && v.outcome == wVerified && (name == "TC01" || name == "TC06"):
		t.state = PairVerified
	case v != nil && (v.outcome == wVerified || v.outcome == wPartly):
		t.state = PairPartly
	case v != nil && v.outcome == wFailed, v == nil && r.outcome == wFail:
		t.state = PairFailed
	}
	return t
}

// cell takes the best state shown; what failed or waits counts only when nothing
// is confirmed, and then the last try.
func cell(asks, answers string, tries []try) Pair {
	p := Pair{Asks: asks, Answers: answers, State: PairNone}
	slices.SortFunc(tries, func(a, b try) int {
		if x, y := confirmed(a), confirmed(b); x != y {
			return y - x
		}
		if a.happened != b.happened {
			return int(max(-1, min(1, b.happened-a.happened)))
		}
		return strings.Compare(a.fact, b.fact)
	})
	for i, t := range tries {
		if i == 0 {
			p.State = t.state
		}
		if t.state != p.State || len(p.Facts) >= 8 {
			break
		}
		p.Facts = append(p.Facts, t.fact)
		if t.by != "" {
			p.Facts = append(p.Facts, t.by)
		}
	}
	return p
}

func confirmed(t try) int {
	switch t.state {
	case PairVerified:
		return 2
	case PairPartly:
		return 1
	}
	return 0
}
