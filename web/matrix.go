package web

import (
	"html"
	"html/template"
	"net/http"
	"slices"
	"strings"

	am "github.com/once-only/oots/acceleratormeter"
)

// look is how a pair's state appears: a class for the fill and a glyph, never
// the colour alone.
var look = map[am.PairState]struct{ class, glyph string }{
	am.PairVerified: {"y", "✓"},
	am.PairPartly:   {"h", "½"},
	am.PairTried:    {"h", "½"},
	am.PairFailed:   {"x", "✕"},
	am.PairNone:     {"", "·"},
}

// matrixTable writes the matrix: rows ask, columns answer. href makes cells
// with results links; nil leaves them plain. It is written by hand because 900
// cells are most of the page.
func (s *site) matrixTable(l *lang, m am.Matrix, order []string, href func(asks, answers string) string) template.HTML {
	var b strings.Builder
	b.Grow(64 << 10)
	b.WriteString(`<table class="mx"><caption class="vh">` + string(l.T("matrix.caption")) + `</caption><thead><tr><td></td>`)
	for _, c := range order {
		b.WriteString(`<th scope="col"><span aria-hidden="true">` + string(s.flag(c)) + c + `</span><span class="vh">` + html.EscapeString(l.Country(c)) + `</span></th>`)
	}
	b.WriteString("</tr></thead><tbody>\n")
	states := make(map[[2]string]am.PairState, len(m.Cells))
	for _, p := range m.Cells {
		states[[2]string{p.Asks, p.Answers}] = p.State
	}
	for _, row := range order {
		b.WriteString(`<tr><th scope="row"><a href="/` + l.Code + `/countries/` + asciiLower(row) + `">` + string(s.flag(row)) + html.EscapeString(l.Country(row)) + `</a></th>`)
		for _, col := range order {
			if row == col {
				b.WriteString(`<td class="s"></td>`)
				continue
			}
			k := look[states[[2]string{row, col}]]
			if k.glyph == "" {
				k.glyph = "·"
			}
			b.WriteString(`<td`)
			if k.class != "" {
				b.WriteString(` class="` + k.class + `"`)
			}
			b.WriteString(`>`)
			if href != nil && k.class != "" {
				b.WriteString(`<a href="` + html.EscapeString(href(row, col)) + `" aria-label="` + row + ` – ` + col + `: ` + html.EscapeString(l.Text("pair."+string(states[[2]string{row, col}]))) + `">` + k.glyph + `</a>`)
			} else {
				b.WriteString(k.glyph)
			}
			b.WriteString(`</td>`)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString(`</tbody></table>`)
	return template.HTML(b.String())
}

// matrixPage is GET /{lang}/matrix.
type matrixPage struct {
	moment
	Sort     string
	Sorts    []string
	Table    template.HTML
	Count    map[string]int
	Possible int
	Pair     *am.Pair
	Back     *am.Pair // the other direction
}

var sorts = []string{"level", "protocol", "name", "region"}

// regions are the parts of Europe by the geographical scheme of the United
// Nations, for a matrix sorted by neighbourhood.
var regions = []string{
	"DK EE FI IE IS LT LV NO SE",
	"AT BE DE FR LI LU NL",
	"BG CZ HU PL RO SK",
	"CY EL ES HR IT MT PT SI",
}

func (s *site) matrix(v *visit) (any, error) {
	m, err := s.moment(v, "at")
	if err != nil {
		return nil, err
	}
	p := &matrixPage{moment: m, Sort: v.Query.Get("sort"), Sorts: sorts, Count: map[string]int{}, Possible: len(s.drawn) * (len(s.drawn) - 1)}
	if !slices.Contains(sorts, p.Sort) {
		p.Sort = "level"
	}
	pairs := s.pairs(m)
	for _, c := range pairs.Cells {
		p.Count[string(c.State)]++
	}
	base := "/" + v.Lang.Code + "/matrix?"
	if m.Asked != "" {
		base += "at=" + m.Asked + "&"
	}
	if p.Sort != "level" {
		base += "sort=" + p.Sort + "&"
	}
	p.Table = s.matrixTable(v.Lang, pairs, s.order(v.Lang, p.Sort, m.Snap), func(a, b string) string {
		return base + "pair=" + a + "-" + b + "#pair"
	})
	if asked := v.Query.Get("pair"); asked != "" {
		a, b, _ := strings.Cut(asked, "-")
		if !s.draws(a) || !s.draws(b) || a == b {
			return nil, &problem{Status: http.StatusNotFound, Message: "error.pair", Args: []any{"found", cut(asked, 40)}, Choices: []link{{"/" + v.Lang.Code + "/matrix", v.Lang.Text("nav.matrix")}}}
		}
		there, back := pairs.Pair(a, b), pairs.Pair(b, a)
		p.Pair, p.Back = &there, &back
	}
	return p, nil
}

// order is the order of rows and columns.
func (s *site) order(l *lang, by string, x *am.Snapshot) []string {
	codes := make([]string, len(s.drawn))
	for i, c := range s.drawn {
		codes[i] = c.Code
	}
	switch by {
	case "level":
		return s.byLevel(x)
	case "name":
		return l.sorted(codes)
	case "region":
		place := func(code string) int {
			return slices.IndexFunc(regions, func(r string) bool { return strings.Contains(r, code) })
		}
		slices.SortStableFunc(codes, func(a, b string) int { return place(a) - place(b) })
	}
	return codes
}
