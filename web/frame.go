package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/web/chart"
)

//go:embed templates/frames/*.html
var frameFiles embed.FS

// frame is what stands in somebody else's page, from 320 to 1200 px wide: no
// script, no cookie, with its date and its source.
type frame struct {
	*ask
	Title  string
	Page   string // the page of this site that it leads to
	Sample bool

	// board
	Meter   template.HTML
	Columns []column
	NotYet  []chip
	// country
	Country am.Country
	Entry   am.Entry
	Spark   template.HTML
	// matrix
	Matrix template.HTML
}

// frames are the templates by language and name.
type frames map[string]map[string]*template.Template

func (s *site) parseFrames() (frames, error) {
	out := frames{}
	for _, l := range s.langs {
		out[l.Code] = map[string]*template.Template{}
		for _, name := range []string{"board", "country", "matrix"} {
			t, err := template.New("").Funcs(s.funcs(l)).ParseFS(templateFiles, "templates/_parts.html")
			if err == nil {
				t, err = t.ParseFS(frameFiles, "templates/frames/frame.html", "templates/frames/"+name+".html")
			}
			if err != nil {
				return nil, fmt.Errorf("web: frame %s: %w", name, err)
			}
			out[l.Code][name] = t
		}
	}
	return out, nil
}

// frame writes a frame. page is its page of this site, without language.
func (s *site) frame(name, page string, f *frame) (*document, error) {
	f.Page = s.absolute("/" + f.Lang.Code + page)
	if f.Asked != "" {
		f.Page += "?at=" + template.URLQueryEscaper(f.Asked)
	}
	f.Sample = s.Sample || f.Snap != nil && f.Snap.Sample
	var b bytes.Buffer
	if err := s.frames[f.Lang.Code][name].ExecuteTemplate(&b, "frame", f); err != nil {
		return nil, fmt.Errorf("frame %s: %w", name, err)
	}
	return &document{"text/html; charset=utf-8", b.Bytes()}, nil
}

// boardFrame is GET /embed/board.
func (s *site) boardFrame(a *ask) (*document, error) {
	f := &frame{ask: a, Title: s.pictureWords(a, "board")}
	var counts chart.Counts
	for n := 1; n <= 6; n++ {
		c := column{Level: n, Chips: s.chips(a.Snap, nil, func(e am.Entry) bool { return e.Level == n })}
		counts[n-1] = len(c.Chips)
		f.Columns = append(f.Columns, c)
	}
	f.NotYet = s.chips(a.Snap, nil, func(e am.Entry) bool { return e.Level == 0 })
	if counts.Sum() > 0 {
		f.Meter = chart.Meter(chart.Words{ID: "meter", Title: f.Title, Desc: a.Lang.Text("board.meter", "n", counts.Sum())}, counts)
	}
	return s.frame("board", "/", f)
}

// countryFrame is GET /embed/country/{cc}.
func (s *site) countryFrame(a *ask) (*document, error) {
	c, err := s.drawnCountry(a.value("cc"))
	if err != nil {
		return nil, err
	}
	f := &frame{ask: a, Title: a.Lang.Country(c.Code), Country: c, Entry: entry(a.Snap, c.Code)}
	if a.Snap != nil {
		f.Spark = chart.Spark(chart.Span{From: a.State.snapshots[0].AsOf, To: a.Snap.AsOf}, a.State.steps(c.Code, a.Snap))
	}
	return s.frame("country", "/countries/"+asciiLower(c.Code), f)
}

// matrixFrame is GET /embed/matrix.
func (s *site) matrixFrame(a *ask) (*document, error) {
	pairs := s.pairs(a.moment)
	f := &frame{ask: a, Title: a.Lang.Text("matrix.headline", "verified", pairs.Count(am.PairVerified), "all", len(s.drawn)*(len(s.drawn)-1)),
		Matrix: s.matrixTable(a.Lang, pairs, s.byLevel(a.Snap), nil)}
	return s.frame("matrix", "/matrix", f)
}
