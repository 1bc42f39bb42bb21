package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

// visit is one request for one page: what was asked, cleaned of all that the
// page does not know.
type visit struct {
	context.Context
	Lang  *lang
	Path  string     // without language prefix: "/countries/el"
	Query url.Values // only the parameters of the page's row
	State *state
	r     *http.Request
	now   time.Time
}

// value is a path part of the address.
func (v *visit) value(name string) string { return v.r.PathValue(name) }

// search is the query of the address, with its question mark.
func (v *visit) search() string {
	if q := v.Query.Encode(); q != "" {
		return "?" + q
	}
	return ""
}

// view is what every template sees. Its own part is Data.
type view struct {
	*visit
	Name     string // of the template
	Theme    string // light, dark, or empty: as the reader's system
	Site     *site
	Langs    []*lang
	Data     any
	Problem  *problem // error pages only
	Operator string
	Sample   bool
	Robots   string
}

// Newest is the sequence of the snapshot that an open page waits to see
// replaced; 0 when it does not.
func (v *view) Newest() int {
	if !v.Site.Follow || v.visit == nil || v.State == nil || v.Query.Get("at") != "" { // a page of a problem has no state
		return 0
	}
	if n := len(v.State.snapshots); n > 0 {
		return v.State.snapshots[n-1].Sequence
	}
	return 0
}

// Href is an address of the site in this language, with the query's date kept.
func (v *view) Href(path string) string {
	to := "/" + v.Lang.Code + path
	if at := v.Query.Get("at"); at != "" && !strings.Contains(path, "?") {
		to += "?at=" + url.QueryEscape(at)
	}
	return to
}

// In is this same view in another language.
func (v *view) In(l *lang) string {
	return "/" + l.Code + v.Path + v.search()
}

// Here is the address of this view.
func (v *view) Here() string { return v.In(v.Lang) }

// Canonical is the absolute address of this view.
func (v *view) Canonical() string { return v.Site.absolute(v.Here()) }

// Absolute is an address of the site in full.
func (v *view) Absolute(path string) string { return v.Site.absolute(path) }

// parse reads every template once per language, so that t and its friends
// speak that language everywhere.
func (s *site) parse() (map[string]map[string]*template.Template, error) {
	out := map[string]map[string]*template.Template{}
	shared, err := template.New("").Funcs(s.funcs(s.langs[0])).ParseFS(templateFiles, "templates/_*.html")
	if err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	names := []string{"problem"}
	for _, p := range s.pages() {
		if !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	for _, l := range s.langs {
		out[l.Code] = map[string]*template.Template{}
		for _, name := range names {
			t, err := shared.Clone()
			if err == nil {
				t, err = t.Funcs(s.funcs(l)).ParseFS(templateFiles, "templates/"+name+".html")
			}
			if err != nil {
				return nil, fmt.Errorf("web: template %s: %w", name, err)
			}
			out[l.Code][name] = t
		}
	}
	return out, nil
}

// funcs are what templates may call, in one language.
func (s *site) funcs(l *lang) template.FuncMap {
	return template.FuncMap{
		"t":       l.T,
		"tt":      l.Text,
		"plain":   plainText,
		"date":    l.Date,
		"month":   l.Month,
		"number":  l.Number,
		"percent": l.Percent,
		"country": l.Country,
		"flag":    s.flag,
		"asset":   func(name string) string { return s.assets.public[name] },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"lower":   strings.ToLower,
		"join":    strings.Join,
		"add":     func(a, b int) int { return a + b },
		"levels":  func() []int { return []int{1, 2, 3, 4, 5, 6} },
		"level":   l.level,
		"eea":     func(code string) bool { return s.eea[code] },
		"has":     slices.Contains[[]string],
		"neg":     func(n int) int { return -n },
		"dict":    dict,
		"lines":   shortLines,
		"words":   func(key string) string { return strings.ReplaceAll(key, "_", " ") },
		"args":    func(a ...any) []any { return a },
	}
}

// serve makes the handler of a page in a language: from the cache, or read,
// rendered, kept.
func (s *site) serve(p page, l *lang) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query, key := s.narrow(p, r)
		theme := themeOf(r)
		key = l.Code + " " + theme + " " + r.URL.Path + "?" + key
		now, err := s.present(r.Context())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		h := w.Header()
		h["Cache-Control"] = []string{"public, max-age=60"}
		h["Vary"] = []string{"Cookie"}
		if b := s.cache.get(now.generation, key); b != nil {
			b.send(w, r)
			return
		}
		v := &visit{Context: r.Context(), Lang: l, Path: strings.TrimPrefix(r.URL.Path, "/"+l.Code), Query: query, r: r, now: s.Now(), State: now}
		data, err := p.data(v)
		if err == nil {
			var b *body
			if b, err = s.render(&view{visit: v, Name: p.name, Theme: theme, Data: data}); err == nil {
				s.cache.put(now.generation, key, b)
				b.send(w, r)
				return
			}
		}
		var on *redirect
		if errors.As(err, &on) {
			http.Redirect(w, r, on.To, on.Status)
			return
		}
		s.fail(w, r, err)
	}
}

// narrow keeps the parameters that the page knows, once each and short, and
// writes them as a cache key.
func (s *site) narrow(p page, r *http.Request) (url.Values, string) {
	if r.URL.RawQuery == "" || len(p.query) == 0 {
		return nil, ""
	}
	asked := r.URL.Query()
	kept := url.Values{}
	for _, name := range p.query {
		if v := asked.Get(name); v != "" && len(v) <= 100 {
			kept.Set(name, v)
		}
	}
	return kept, kept.Encode()
}

// render executes a page's template.
func (s *site) render(v *view) (*body, error) {
	v.Site, v.Langs, v.Operator, v.Sample = s, s.langs, s.Operator, s.Sample
	if v.State != nil && v.State.latest() != nil && v.State.latest().Sample {
		v.Sample = true
	}
	var out bytes.Buffer
	out.Grow(96 << 10)
	if err := s.templates[v.Lang.Code][v.Name].ExecuteTemplate(&out, "layout", v); err != nil {
		return nil, fmt.Errorf("page %s: %w", v.Name, err)
	}
	return newBody("text/html; charset=utf-8", out.Bytes()), nil
}

// plain is the page of texts alone.
func (s *site) plain(*visit) (any, error) { return nil, nil }

// On tells that the view is the page of a menu entry.
func (v *view) On(entry any) bool { return v.Path == "/"+fmt.Sprint(entry) }

// Section tells that the view belongs to a menu entry.
func (v *view) Section(entry any) bool {
	return v.On(entry) || entry != "" && strings.HasPrefix(v.Path, "/"+fmt.Sprint(entry)+"/")
}

// Words are a problem's sentence in the reader's language.
func (v *view) Words(p *problem) template.HTML { return v.Lang.T(p.Message+".text", p.Args...) }

// shortLines are specification lines as people say them: 1.2 for
// oots-edm:v1.2.
func shortLines(lines []string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		_, version, ok := strings.Cut(l, ":v")
		if out[i] = version; !ok {
			out[i] = l
		}
	}
	return strings.Join(out, ", ")
}

// dict is a value with named parts for a template that needs several.
func dict(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return out
}
