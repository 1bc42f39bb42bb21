package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/web/api"
	"github.com/once-only/oots/web/opendata"
)

// document is what others build upon: a file, a feed, a badge, a frame.
type document struct {
	Type  string
	Bytes []byte
}

// ask is a request for a document: what its query says, checked.
type ask struct {
	*visit
	Theme string // light, dark or empty
	moment
}

// open makes the handler of a document: readable from any site, with a strong
// entity tag, kept like pages are. Parameters that query does not name are
// ignored.
func (s *site) open(query string, write func(*ask) (*document, error)) http.HandlerFunc {
	return s.openFor("public, max-age=60", query, write)
}

// forever is open for what never changes.
func (s *site) forever(query string, write func(*ask) (*document, error)) http.HandlerFunc {
	return s.openFor("public, max-age=31536000, immutable", query, write)
}

func (s *site) openFor(lifetime, query string, write func(*ask) (*document, error)) http.HandlerFunc {
	row := page{query: strings.Fields(query)}
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Access-Control-Allow-Origin"] = []string{"*"}
		h["Cross-Origin-Resource-Policy"] = []string{"cross-origin"}
		st, err := s.present(r.Context())
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		asked, key := s.narrow(row, r)
		key = "open " + r.URL.Path + "?" + key
		kept := s.cache.get(st.generation, key)
		if kept == nil {
			a := &ask{visit: &visit{Context: r.Context(), Lang: s.english(), Path: r.URL.Path, Query: asked, State: st, r: r, now: s.Now()}}
			d, err := s.answer(a, write)
			if err != nil {
				s.refuse(w, r, err)
				return
			}
			kept = newBody(d.Type, d.Bytes)
			s.cache.put(st.generation, key, kept)
		}
		h["Cache-Control"] = []string{lifetime}
		if x := st.latest(); x != nil {
			changed := x.PublishedAt.UTC().Format(http.TimeFormat)
			h["Last-Modified"] = []string{changed}
			if r.Header.Get("If-None-Match") == "" && r.Header.Get("If-Modified-Since") == changed {
				h["Etag"] = []string{kept.ETag}
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		kept.send(w, r)
	}
}

// answer reads the common parameters, then writes the document.
func (s *site) answer(a *ask, write func(*ask) (*document, error)) (*document, error) {
	if code := a.Query.Get("lang"); code != "" {
		i := slices.IndexFunc(s.langs, func(l *lang) bool { return l.Code == code })
		if i < 0 {
			return nil, &api.Problem{Status: http.StatusBadRequest, Code: "unknown-language", Detail: "there are no texts in this language yet", Valid: s.languageCodes()}
		}
		a.Lang = s.langs[i]
	}
	switch a.Theme = a.Query.Get("theme"); a.Theme {
	case "light", "dark", "":
	case "auto":
		a.Theme = ""
	default:
		return nil, &api.Problem{Status: http.StatusBadRequest, Code: "unknown-theme", Detail: "there is no such theme", Valid: []string{"auto", "light", "dark"}}
	}
	a.moment = moment{At: a.now, Snap: a.State.latest()}
	if asked := a.Query.Get("at"); asked != "" {
		at, err := am.ParseInstant(asked)
		if err != nil {
			return nil, err
		}
		a.moment = moment{At: at, Asked: asked, Travel: true, Snap: a.State.displayed(at)}
		if a.Snap == nil {
			return nil, &am.Error{Code: am.BeforeFirst, Found: asked, Hint: "choose a later date", Valid: a.State.dates()}
		}
	}
	return write(a)
}

// refuse is an error on an address for machines: a problem document. Frames
// are for people and get the page.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if strings.HasPrefix(r.URL.Path, "/embed/") {
		s.fail(w, r, pageProblem(err))
		return
	}
	api.Refuse(w, s.Log, s.Now(), err)
}

// pageProblem gives an error of the meter the words of a page.
func pageProblem(err error) error {
	p := api.AsProblem(err)
	if p == nil {
		return err
	}
	key := map[int]string{http.StatusBadRequest: "error.date"}[p.Status]
	if key == "" || p.Code != string(am.BadDate) {
		return &problem{Status: p.Status, Message: "error.404", Cause: err}
	}
	return &problem{Status: p.Status, Message: key, Args: []any{"found", ""}, Cause: err}
}

// english is the language that everything exists in.
func (s *site) english() *lang {
	for _, l := range s.langs {
		if l.Code == "en" {
			return l
		}
	}
	return s.langs[0]
}

func (s *site) languageCodes() []string {
	var out []string
	for _, l := range s.langs {
		out = append(out, l.Code)
	}
	return out
}

// dates are the days on which snapshots were published.
func (st *state) dates() []string {
	var out []string
	for _, x := range st.snapshots {
		out = append(out, x.PublishedAt.UTC().Format(time.DateOnly))
	}
	return out
}

// drawnCountry is one of the countries drawn, by a code in either case.
func (s *site) drawnCountry(code string) (am.Country, error) {
	c, err := am.FindCountry(code)
	if err != nil {
		return c, err
	}
	if !s.draws(c.Code) {
		e := &am.Error{Code: am.UnknownCountry, Found: code}
		for _, d := range s.drawn {
			e.Valid = append(e.Valid, d.Code)
		}
		return c, e
	}
	return c, nil
}

// addresses are where records point.
func (s *site) addresses() opendata.Pages { return opendata.Pages{Base: s.base.String()} }

// newAPI is the JSON API over the same meter and ledger. It reads the snapshots
// that the pages are rendered from.
func (s *site) newAPI() (http.Handler, error) {
	return api.New(api.Config{Meter: presentMeter{s.Meter, s}, Ledger: s.Ledger, Tokens: s.Tokens, Webhooks: s.Webhooks, Trail: s.Trail, Reports: s.Reports, Corrections: s.Corrections, Board: s.Board,
		BaseURL: s.base.String(), Styles: []string{s.assets.public["style.css"], s.assets.public["docs.css"]}, Now: s.Now, Log: s.Log})
}

// presentMeter answers for the published snapshots from the site's state.
type presentMeter struct {
	*am.Meter
	site *site
}

func (m presentMeter) Snapshots(ctx context.Context) ([]am.Snapshot, error) {
	st, err := m.site.present(ctx)
	if err != nil {
		return nil, err
	}
	return st.snapshots, nil
}

// Publish shows what was published at once.
func (m presentMeter) Publish(ctx context.Context, id, by string) (am.Snapshot, error) {
	s, err := m.Meter.Publish(ctx, id, by)
	m.site.keeper.forget()
	return s, err
}
