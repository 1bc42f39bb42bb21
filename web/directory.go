package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/regrep"
)

// DirectoryConfig is what the site of the Common Services is made of: the
// directory for everybody, and the screens of national clerks. It has a host or
// port of its own.
type DirectoryConfig struct {
	// BaseURL is the address under which the public reaches the site, without a
	// final slash. Required.
	BaseURL  string
	Operator string // as for the Acceleratormeter
	Sample   bool   // everything is invented

	// Public is the data set that visitors see. Required.
	Public *lcm.LifecycleManager
	// Own is the data set that a country's clerks change; nil: Public. Where
	// countries have sandboxes, each has its own.
	Own func(ctx context.Context, country string) (*lcm.LifecycleManager, error)
	// Clerks tells who is signed in; nil: nobody can.
	Clerks Clerks
	// Services answers every other address: the machines' door, with the
	// Semantic Repository. Optional.
	Services http.Handler

	Now func() time.Time // optional; time.Now
	Log *slog.Logger     // optional; discards
}

// directory is the site of the Common Services. It shares frame, languages and
// parts with the Acceleratormeter's, and none of its data.
type directory struct {
	*site
	cfg   DirectoryConfig
	index atomic.Pointer[directoryIndex]
}

// NewDirectory returns the handler of the whole site.
func NewDirectory(c DirectoryConfig) (http.Handler, error) {
	if c.Public == nil {
		return nil, errors.New("web: the data set Public is required")
	}
	if c.Own == nil {
		c.Own = func(context.Context, string) (*lcm.LifecycleManager, error) { return c.Public, nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	base, err := url.Parse(strings.TrimSuffix(c.BaseURL, "/"))
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("web: BaseURL %q is not an absolute address; give one such as https://directory.example", c.BaseURL)
	}
	d := &directory{cfg: c, site: &site{Config: Config{BaseURL: strings.TrimSuffix(c.BaseURL, "/"), Operator: c.Operator, Sample: c.Sample, Now: c.Now, Log: c.Log}, base: base}}
	if d.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if d.langs, err = loadLanguages(); err != nil {
		return nil, err
	}
	if d.templates, err = d.parse(); err != nil {
		return nil, err
	}
	return d.handler(), nil
}

// directoryPage is one address for people, below every language's prefix. post
// is nil where nothing is sent.
type directoryPage struct {
	path, name string
	get        func(*visit) (any, error)
	post       func(*visit) (any, error)
	clerk      bool // only for who is signed in
}

// directoryPages is the table of everything that can be opened.
func (d *directory) directoryPages() []directoryPage {
	return []directoryPage{
		{"{$}", "directory", d.front, nil, false},
		{"directory", "directory", d.search, nil, false},
		{"directory/matrix", "directory_matrix", d.matrix, nil, false},
		{"requirements", "requirements", d.requirements, nil, false},
		{"requirements/{uuid}", "requirement", d.requirement, nil, false},
		{"clerk", "clerk", d.clerkHome, d.clerkEnter, false},
		{"clerk/leave", "clerk", d.clerkHome, d.clerkLeave, false},
		{"clerk/history", "clerk_history", d.clerkHistory, d.clerkRestore, true},
		{"clerk/files", "clerk_files", d.clerkFiles, d.clerkImport, true},
		{"clerk/answers", "clerk_answers", d.clerkAnswers, nil, true},
		{"clerk/{table}", "clerk_table", d.clerkTable, d.clerkSave, true},
	}
}

// parse reads the templates of this site: the shared parts, and a frame of its
// own in place of the Acceleratormeter's.
func (d *directory) parse() (map[string]map[string]*template.Template, error) {
	out := map[string]map[string]*template.Template{}
	names := []string{"problem"}
	for _, p := range d.directoryPages() {
		if !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	for _, l := range d.langs {
		out[l.Code] = map[string]*template.Template{}
		funcs := d.funcs(l)
		funcs["say"] = func(list []regrep.Text) template.HTML { return said(l, list) }
		for _, name := range names {
			t, err := template.New("").Funcs(funcs).ParseFS(templateFiles, "templates/_*.html")
			if err == nil {
				t, err = t.ParseFS(templateFiles, "templates/directory_frame.html", "templates/"+name+".html")
			}
			if err != nil {
				return nil, fmt.Errorf("web: template %s: %w", name, err)
			}
			out[l.Code][name] = t
		}
	}
	return out, nil
}

// said is a text of the data in the reader's language, or marked with the
// language it is in.
func said(l *lang, list []regrep.Text) template.HTML {
	text, in := dataText(l, list)
	escaped := template.HTMLEscapeString(text)
	if in == "" || strings.EqualFold(in, l.Code) {
		return template.HTML(escaped)
	}
	return template.HTML(`<span lang="` + template.HTMLEscapeString(strings.ToLower(in)) + `">` + escaped + `</span>`)
}

// dataText chooses a text: the reader's language, else English, else the first.
func dataText(l *lang, list []regrep.Text) (text, lang string) {
	for _, want := range []string{l.Code, "en"} {
		for _, t := range list {
			if strings.EqualFold(t.Lang, want) {
				return t.Value, t.Lang
			}
		}
	}
	if len(list) > 0 {
		return list[0].Value, list[0].Lang
	}
	return "", ""
}

func (d *directory) handler() http.Handler {
	mux := http.NewServeMux()
	for _, p := range d.directoryPages() {
		for _, l := range d.langs {
			mux.HandleFunc("GET /"+l.Code+"/"+p.path, d.show(p, l, p.get))
			if p.post != nil {
				mux.HandleFunc("POST /"+l.Code+"/"+p.path, d.show(p, l, p.post))
			}
		}
	}
	for _, path := range []string{"{$}", "directory", "directory/matrix", "clerk", "clerk/{table}"} {
		mux.HandleFunc("GET /"+path, d.chooseLanguage)
	}
	mux.HandleFunc("GET /clerk/export/{file}", d.clerkExport)
	mux.HandleFunc("GET /assets/{name}", d.asset)
	mux.HandleFunc("GET /robots.txt", d.robots)
	mux.HandleFunc("POST /theme", d.theme)
	mux.HandleFunc("/", d.nowhere)
	guarded := d.guard(mux)
	if d.cfg.Services == nil {
		return guarded
	}
	// What the site does not know is asked of the machines' door, which has
	// headers of its own.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern == "/" {
			d.cfg.Services.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// directoryView is what the templates of this site see as Data.
type directoryView struct {
	Clerk *Clerk // nil for visitors
	Doors bool   // somebody can sign in
	Page  any
}

// fragment is page data that is shown without the frame: the checks of a form.
type fragment struct {
	name string
	data any
}

// download is page data that is a file.
type download struct {
	name, media string
	raw         []byte
}

// show makes the handler of a page in a language. Nothing is kept: the data set
// changes at any moment, and what clerks see is theirs.
func (d *directory) show(p directoryPage, l *lang, data func(*visit) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Context: r.Context(), Lang: l, Path: strings.TrimPrefix(r.URL.Path, "/"+l.Code), Query: url.Values{}, r: r, now: d.Now()}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			v.Query = shortQuery(r)
		}
		page := directoryView{Doors: d.cfg.Clerks != nil}
		if d.cfg.Clerks != nil {
			if c, ok := d.cfg.Clerks.Clerk(r); ok {
				page.Clerk = &c
				v.Context = context.WithValue(v.Context, clerkKey{}, c)
			}
		}
		private := strings.HasPrefix(p.path, "clerk")
		if private {
			w.Header().Set("Cache-Control", "no-store")
		} else {
			w.Header().Set("Cache-Control", "public, max-age=10")
			w.Header().Add("Vary", "Cookie")
		}
		if p.clerk && page.Clerk == nil {
			http.Redirect(w, r, "/"+l.Code+"/clerk", http.StatusSeeOther)
			return
		}
		if r.Method == http.MethodPost {
			v.Context = context.WithValue(v.Context, writerKey{}, w)
		}
		made, err := data(v)
		var on *redirect
		switch {
		case errors.As(err, &on):
			http.Redirect(w, r, on.To, on.Status)
			return
		case err != nil:
			d.fail(w, r, err)
			return
		}
		status := http.StatusOK
		switch f := made.(type) {
		case fragment:
			var b strings.Builder
			if err := d.templates[l.Code][p.name].ExecuteTemplate(&b, f.name, f.data); err != nil {
				d.fail(w, r, err)
				return
			}
			newBody("text/html; charset=utf-8", []byte(b.String())).send(w, r)
			return
		case download:
			w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
			newBody(f.media, f.raw).send(w, r)
			return
		case interface{ refused() bool }:
			if f.refused() {
				status = http.StatusUnprocessableEntity
			}
		}
		page.Page = made
		view := &view{visit: v, Name: p.name, Theme: themeOf(r), Data: page}
		if private {
			view.Robots = "noindex"
		}
		b, err := d.render(view)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		b.sendStatus(w, r, status)
	}
}

type (
	clerkKey  struct{}
	writerKey struct{}
)

// shortQuery keeps parameters that are short, once each.
func shortQuery(r *http.Request) url.Values {
	out := url.Values{}
	for name, values := range r.URL.Query() {
		if len(values) > 0 && len(values[0]) <= 300 && len(out) < 20 {
			out.Set(name, values[0])
		}
	}
	return out
}

// front leads to the search.
func (d *directory) front(v *visit) (any, error) {
	return nil, &redirect{To: "/" + v.Lang.Code + "/directory", Status: http.StatusSeeOther}
}

// searchPage is GET /{lang}/directory.
type searchPage struct {
	Find    string
	Country string
	// Countries that have anything in the directory, in the reader's order.
	Countries []string
	Results   []found
	More      int // results that are not shown
	Total     int // requirements in the directory
}

// mostFound bounds the requirements shown.
const mostFound = 25

func (d *directory) search(v *visit) (any, error) {
	ix := d.indexed()
	p := &searchPage{Find: trim(v.Query.Get("find")), Country: strings.ToUpper(v.Query.Get("country")), Total: len(ix.set.Requirements)}
	for _, cc := range ix.set.Countries() {
		if cc != "EU" {
			p.Countries = append(p.Countries, cc)
		}
	}
	p.Countries = v.Lang.sorted(p.Countries)
	if !slices.Contains(p.Countries, p.Country) {
		p.Country = ""
	}
	if p.Find == "" && p.Country == "" {
		return p, nil
	}
	p.Results = ix.find(v.Lang, p.Find, p.Country)
	if len(p.Results) > mostFound {
		p.More = len(p.Results) - mostFound
		p.Results = p.Results[:mostFound]
	}
	return p, nil
}

// directoryMatrix is GET /{lang}/directory/matrix.
type directoryMatrix struct {
	Countries []string
	Rows      []directoryRow
	Gaps      int
	Procedure string
	// Procedures that rest on any requirement, by code.
	Procedures []string
}

type directoryRow struct {
	requirementRef
	Cells []cell
	Gaps  int
}

// cell tells where a country stands with a requirement: proven (by evidence
// that a provider issues), listed (evidence without a provider), nomatch, gap.
type cell struct {
	Country, State string
	N              int // evidence type lists
}

func (d *directory) matrix(v *visit) (any, error) {
	ix := d.indexed()
	p := &directoryMatrix{Procedure: v.Query.Get("procedure"), Procedures: ix.procedures}
	for _, cc := range ix.set.Countries() {
		if cc != "EU" {
			p.Countries = append(p.Countries, cc)
		}
	}
	if !slices.Contains(p.Procedures, p.Procedure) {
		p.Procedure = ""
	}
	for i := range ix.requirements {
		r := &ix.requirements[i]
		if p.Procedure != "" && !slices.Contains(r.procedures, p.Procedure) {
			continue
		}
		row := directoryRow{requirementRef: r.ref()}
		for _, cc := range p.Countries {
			c := r.cell(cc)
			row.Cells = append(row.Cells, c)
			if c.State == "gap" {
				row.Gaps++
			}
		}
		p.Gaps += row.Gaps
		p.Rows = append(p.Rows, row)
	}
	return p, nil
}

// indexed is the index of the data set in service.
func (d *directory) indexed() *directoryIndex {
	set := d.cfg.Public.DataSet()
	if ix := d.index.Load(); ix != nil && ix.set == set {
		return ix
	}
	ix := newDirectoryIndex(set)
	d.index.Store(ix)
	return ix
}

// repositoryAddress is the address of an asset on this site's own Semantic
// Repository.
func (d *directory) repositoryAddress(address string) string {
	return "/" + strings.TrimPrefix(address, cs.Repository)
}
