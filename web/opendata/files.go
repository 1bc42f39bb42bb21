package opendata

import (
	"strings"
	"time"

	"github.com/once-only/oots/acceleratormeter"
)

// Pages are the addresses that records point at.
type Pages struct{ Base string } // "https://meter.example"

// Country is the page that opens the proof behind a country's level.
func (p Pages) Country(code string) string { return p.Base + "/countries/" + strings.ToLower(code) }

// LevelColumns are the fields of levels and of one snapshot.
var LevelColumns = []Column{
	{"date", Date, "the day that the position describes"},
	{"country", Text, "EU country code (EL for Greece)"},
	{"iso2", Text, "ISO 3166-1 code (GR for Greece)"},
	{"name_en", Text, "short name in English"},
	{"group", Text, "EU or EEA"},
	{"level", Integer, "1 to 6; empty where the country is not assessed"},
	{"level_name", Text, "name of the level in English; empty where not assessed"},
	{"since", Date, "the day of the snapshot in which the level began"},
	{"evidence_url", Address, "page that opens the proof behind the level"},
	{"method_version", Text, "id of the criteria set"},
	{"status", Text, "assessed, not_assessed or sample (invented data)"},
}

// Levels holds every country of every snapshot, the oldest first. Countries that
// are not among those drawn are left out.
func Levels(p Pages, snapshots []acceleratormeter.Snapshot, drawn []acceleratormeter.Country) *Table {
	t := &Table{Name: "levels", Source: p.Base + "/data", Columns: LevelColumns}
	for i := range snapshots {
		t.add(p, &snapshots[i], drawn)
	}
	return t
}

// Snapshot holds every country of one snapshot.
func Snapshot(p Pages, s *acceleratormeter.Snapshot, drawn []acceleratormeter.Country) *Table {
	t := &Table{Name: "snapshot-" + day(s.AsOf), Source: p.Base + "/?at=" + day(s.AsOf), Columns: LevelColumns}
	t.add(p, s, drawn)
	return t
}

func (t *Table) add(p Pages, s *acceleratormeter.Snapshot, drawn []acceleratormeter.Country) {
	t.Sample = t.Sample || s.Sample
	entries := map[string]acceleratormeter.Entry{}
	for _, e := range s.Entries {
		entries[e.Member] = e
	}
	for _, c := range drawn {
		e := entries[c.Code]
		var level, name, since any
		status := "not_assessed"
		if e.Level > 0 {
			level, name, since = e.Level, LevelName(e.Level), dayOrNil(e.Since)
			status = "assessed"
		}
		if s.Sample {
			status = "sample"
		}
		t.Rows = append(t.Rows, []any{day(s.AsOf), c.Code, c.ISO, c.Name, string(c.Group), level, name, since,
			p.Country(c.Code) + "?at=" + day(s.AsOf), s.CriteriaSet, status})
	}
}

// MoveColumns are the fields of moves.
var MoveColumns = []Column{
	{"date", Date, "the day of the snapshot that shows the new level first"},
	{"country", Text, "EU country code (EL for Greece)"},
	{"iso2", Text, "ISO 3166-1 code (GR for Greece)"},
	{"name_en", Text, "short name in English"},
	{"from_level", Integer, "level before; empty where the country was not assessed"},
	{"to_level", Integer, "level after; empty where the country is no longer assessed"},
	{"basis", Text, "computed, decision, frozen or documentary"},
	{"reason", Text, "of a level set by decision"},
	{"criteria", Codes, "criteria newly met, or no longer met"},
	{"snapshot", Integer, "number of the snapshot"},
	{"evidence_url", Address, "page that opens the proof behind the move"},
	{"status", Text, "assessed or sample (invented data)"},
}

// Moves holds every change of level.
func Moves(p Pages, moves []acceleratormeter.Move, drawn []acceleratormeter.Country) *Table {
	t := &Table{Name: "moves", Source: p.Base + "/history", Columns: MoveColumns}
	countries := map[string]acceleratormeter.Country{}
	for _, c := range drawn {
		countries[c.Code] = c
	}
	for _, m := range moves {
		c, ok := countries[m.Member]
		if !ok {
			continue
		}
		status := "assessed"
		if m.Sample {
			status, t.Sample = "sample", true
		}
		t.Rows = append(t.Rows, []any{day(m.At), c.Code, c.ISO, c.Name, levelOrNil(m.From), levelOrNil(m.To), string(m.Basis),
			textOrNil(m.Reason), textOrNil(strings.Join(m.Criteria, " ")), m.Sequence, p.Country(c.Code) + "?at=" + day(m.At), status})
	}
	return t
}

// PairColumns are the fields of pairs.
var PairColumns = []Column{
	{"date", Date, "the day that the state describes"},
	{"asks", Text, "EU code of the country that asks"},
	{"answers", Text, "EU code of the country that answers"},
	{"state", Text, "verified, partly, failed, tried or none"},
	{"evidence_url", Address, "page that opens the proof"},
	{"status", Text, "assessed or sample (invented data)"},
}

// Pairs holds every ordered pair of different countries. The matrix is the
// public one: see PublicPairs.
func Pairs(p Pages, at time.Time, m acceleratormeter.Matrix, sample bool) *Table {
	t := &Table{Name: "pairs", Source: p.Base + "/matrix", Sample: sample, Columns: PairColumns}
	status := "assessed"
	if sample {
		status = "sample"
	}
	for _, c := range m.Cells {
		t.Rows = append(t.Rows, []any{day(at), c.Asks, c.Answers, string(c.State),
			p.Base + "/matrix?asks=" + strings.ToLower(c.Asks) + "&answers=" + strings.ToLower(c.Answers), status})
	}
	return t
}

// PublicPairs is what the public sees of the matrix: which pairs are verified.
// Verdicts short of that belong to the two countries and the Commission, so
// they read "none", unless the data are invented.
func PublicPairs(m acceleratormeter.Matrix, sample bool) acceleratormeter.Matrix {
	if sample {
		return m
	}
	out := acceleratormeter.Matrix{Countries: m.Countries, Cells: make([]acceleratormeter.Pair, len(m.Cells))}
	for i, c := range m.Cells {
		if c.State != acceleratormeter.PairVerified {
			c.State, c.Facts = acceleratormeter.PairNone, nil
		}
		out.Cells[i] = c
	}
	return out
}

// LevelName is the English label of level 1 to 6, and "" for anything else.
func LevelName(level int) string {
	for _, l := range acceleratormeter.Levels() {
		if l.Number == level {
			return l.Label
		}
	}
	return ""
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func dayOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return day(t)
}

func levelOrNil(l int) any {
	if l == 0 {
		return nil
	}
	return l
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
