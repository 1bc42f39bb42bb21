package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/once-only/oots/access/passkey"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/web/limit"
)

//go:embed templates/lab/*.html
var labFiles embed.FS

// LabConfig of the test platform's pages. BaseURL, Events, Identity and Accounts
// are required.
type LabConfig struct {
	// BaseURL is where browsers reach the site, without a final slash.
	BaseURL string
	// Public is where the public site stands, without a final slash; empty: behind
	// the same address.
	Public string
	Events *projectathon.Service
	Tests  *testbed.Service // suites and runs; nil: there are no such pages
	Meter  Meter            // where countries stand; nil: there are no such pages
	// Workbench is what a demonstration lets the manager mend and break; nil: there
	// is no such page.
	Workbench Workbench
	Identity  IdentitySource
	Accounts  Accounts
	// Passkeys keeps the second factor of monitors and reviewers; nil: decisions
	// ask for none. BaseURL must then be https, or localhost.
	Passkeys passkey.Store
	// PasskeysRequired lets nobody decide without one. Otherwise only an account
	// that has registered one is asked for it.
	PasskeysRequired bool
	Sessions         scs.Store // optional; in memory
	Now              func() time.Time
	Log              *slog.Logger
}

// lab is the test platform: /{lang}/lab and below.
type lab struct {
	*place
	c         LabConfig
	base      *url.URL
	ins       signIns
	sessions  *scs.SessionManager
	desk      *passkey.Desk // nil: nobody is asked for a passkey
	templates map[string]map[string]*template.Template
	streams   chan struct{} // bounds the live pages
	judge     *judge
	writes    *limit.Limiter // of each network address: forms and sign-ins
}

// mostStreams is how many pages may be live at once; the others refresh.
const mostStreams = 500

// NewLab returns the handler of the test platform.
func NewLab(c LabConfig) (http.Handler, error) {
	s, err := newLab(c)
	if err != nil {
		return nil, err
	}
	return s.handler(), nil
}

func newLab(c LabConfig) (*lab, error) {
	if c.Events == nil || c.Identity == nil || c.Accounts == nil {
		return nil, errors.New("web: the test platform needs Events, Identity and Accounts")
	}
	p, base, err := newPlace("lab", c.BaseURL, nil, c.Now, c.Log)
	if err != nil {
		return nil, err
	}
	s := &lab{place: p, c: c, base: base, ins: signIns{now: p.now}, sessions: newSessions(c.Sessions, p.cookies+"session", p.secure),
		templates: map[string]map[string]*template.Template{}, streams: make(chan struct{}, mostStreams), judge: newJudge(), writes: limit.New(10, 100, 10_000)}
	if s.desk, err = s.newDesk(c); err != nil {
		return nil, err
	}
	files, err := fs.Glob(labFiles, "templates/lab/[a-z]*.html")
	if err != nil {
		return nil, err
	}
	for _, l := range s.langs {
		s.templates[l.Code] = map[string]*template.Template{}
		for _, f := range files {
			t, err := template.New("").Funcs(p.funcs(l)).ParseFS(labFiles, "templates/lab/_*.html", f)
			if err != nil {
				return nil, fmt.Errorf("web: template %s: %w", f, err)
			}
			s.templates[l.Code][strings.TrimSuffix(path.Base(f), ".html")] = t
		}
	}
	return s, nil
}

// handler puts the tables on one mux.
func (s *lab) handler() http.Handler {
	mux := http.NewServeMux()
	for _, l := range s.langs {
		for _, row := range s.table() {
			method, at, _ := strings.Cut(row.pattern, " ")
			mux.HandleFunc(method+" /"+l.Code+at, func(w http.ResponseWriter, r *http.Request) { row.handle(w, r, l) })
		}
	}
	for _, r := range []route{
		{"GET /lab", s.choose}, {"GET /lab/", s.choose},
		{"GET /lab/signin/callback", s.signedIn},
		{"GET /lab/events/{id}/changes", s.changes},
		{"GET /lab/runs/{id}/events", s.runEvents},
		{"GET /lab/workbench/changes", s.workbenchChanges},
		{"GET /lab/events/{id}/report.json", s.reportJSON},
		{"GET /assets/{name}", s.asset},
		{"/", s.nowhereHere},
	} {
		mux.HandleFunc(r.pattern, r.handle)
	}
	policy := contentRules() + "; connect-src 'self'"
	return s.guard(s.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		if r.Method == http.MethodPost || strings.Contains(r.URL.Path, "/lab/signin") {
			if wait := s.writes.Wait(limit.Address(r), s.now()); wait > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
				s.problem(w, r, s.language(w, r), http.StatusTooManyRequests, "lab.slow")
				return
			}
		}
		mux.ServeHTTP(w, r)
	})))
}

// IsLab tells whether an address belongs to the test platform, for whoever puts
// it and the public site behind one address.
func IsLab(path string) bool {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 3)
	return parts[0] == "lab" || len(parts) > 1 && len(parts[0]) == 2 && parts[1] == "lab"
}

// labRow is one address for people, below the language.
type labRow struct {
	pattern string
	handle  func(w http.ResponseWriter, r *http.Request, l *lang)
}

// table is every page and form. What each account may do with it is the
// service's to say.
func (s *lab) table() []labRow {
	return []labRow{
		{"GET /lab", s.page(s.home)},
		{"GET /lab/signin", s.signIn},
		{"POST /lab/signout", s.signOut},
		{"GET /lab/events/{id}", s.page(s.event)},
		{"POST /lab/events/{id}", s.form(s.manage)},
		{"GET /lab/events/{id}/matrix", s.page(s.matrix)},
		{"GET /lab/events/{id}/report", s.page(s.report)},
		{"GET /lab/events/{id}/report/{cc}", s.page(s.countryReport)},
		{"GET /lab/events/{id}/verify", s.page(s.queue)},
		{"GET /lab/events/{id}/vault/{system}", s.page(s.vault)},
		{"POST /lab/events/{id}/vault/{system}", s.form(s.keepSecret)},
		{"GET /lab/sessions/{id}", s.page(s.session)},
		{"POST /lab/sessions/{id}", s.form(s.act)},
		{"GET /lab/sessions/{id}/evidence/{digest}", s.evidence},
		{"GET /lab/verify/{id}", s.page(s.verification)},
		{"GET /lab/suites", s.page(s.suites)},
		{"POST /lab/suites", s.form(s.startRun)},
		{"GET /lab/suites/{id}", s.page(s.suite)},
		{"GET /lab/runs/{id}", s.page(s.run)},
		{"POST /lab/runs/{id}", s.form(s.steer)},
		{"GET /lab/runs/{id}/{file}", s.runFile},
		{"GET /lab/evidence/{sha256}", s.message},
		{"GET /lab/countries/{cc}", s.page(s.standing)},
		{"POST /lab/verify/{id}", s.form(s.deciding(s.verify, "claim", "grade", "second", "resolve", "confirm"))},
		{"GET /lab/passkeys", s.page(s.passkeys)},
		{"POST /lab/passkeys", s.form(s.keepPasskey)},
		{"GET /lab/audit", s.page(s.audit)},
		{"GET /lab/workbench", s.page(s.workbench)},
		{"POST /lab/workbench", s.form(s.changeSystem)},
	}
}

// labView is what every template of the lab sees.
type labView struct {
	Lang   *lang
	Langs  []*lang
	Name   string
	Theme  string
	Who    projectathon.Account
	Path   string // without language
	Data   any
	Live   string // address of the event stream; empty for none
	Suites bool   // there are pages of suites and runs
	Bench  bool   // there is a workbench
	Public string // address of the public site, without a final slash
	Keeps  bool   // passkeys
	r      *http.Request
	now    time.Time
}

// In is this page in another language.
func (v *labView) In(l *lang) string { return "/" + l.Code + v.Path }

// Known tells whether somebody has signed in.
func (v *labView) Known() bool { return v.Who.Party != "" }

// Is tells whether the reader has one of the posts.
func (v *labView) Is(posts ...string) bool {
	for _, p := range posts {
		if string(v.Who.Post) == p {
			return true
		}
	}
	return false
}

// SignIn leads to the identity provider and back here.
func (v *labView) SignIn() string {
	return "/" + v.Lang.Code + "/lab/signin?back=" + url.QueryEscape(v.r.URL.RequestURI())
}

// reading is one visit of a page.
type reading struct {
	*http.Request
	lang *lang
	who  projectathon.Account
}

// page makes a handler of a reader: the template's name, its data, and the
// address of its event stream.
func (s *lab) page(read func(*reading) (name string, data any, live string, err error)) func(http.ResponseWriter, *http.Request, *lang) {
	return func(w http.ResponseWriter, r *http.Request, l *lang) {
		name, data, live, err := read(&reading{r, l, s.account(r)})
		if err != nil {
			s.failed(w, r, l, err)
			return
		}
		s.render(w, r, http.StatusOK, &labView{Lang: l, Name: name, Data: data, Live: live})
	}
}

// form makes a handler of a writer, which returns where to go.
func (s *lab) form(write writer) func(http.ResponseWriter, *http.Request, *lang) {
	return func(w http.ResponseWriter, r *http.Request, l *lang) {
		if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			s.problem(w, r, l, http.StatusBadRequest, "lab.form")
			return
		}
		to, err := write(&reading{r, l, s.account(r)})
		if err == nil {
			http.Redirect(w, r, "/"+l.Code+to, http.StatusSeeOther)
			return
		}
		s.failed(w, r, l, err)
	}
}

func (s *lab) render(w http.ResponseWriter, r *http.Request, status int, v *labView) {
	v.Keeps = s.keeps(&reading{r, v.Lang, s.account(r)}) == nil
	v.Langs, v.Theme, v.r, v.Who, v.Path = s.langs, themeOf(r), r, s.account(r), strings.TrimPrefix(r.URL.Path, "/"+v.Lang.Code)
	v.Suites, v.Bench, v.Public, v.now = s.c.Tests != nil, s.c.Workbench != nil, strings.TrimSuffix(s.c.Public, "/"), s.now()
	var out bytes.Buffer
	if err := s.templates[v.Lang.Code][v.Name].ExecuteTemplate(&out, "layout", v); err != nil {
		s.log.Error("page failed", "page", v.Name, "err", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the reader may be gone
}

// trouble is what the page of a refusal says.
type trouble struct{ Key, Text string }

func (s *lab) problem(w http.ResponseWriter, r *http.Request, l *lang, status int, key string) {
	s.render(w, r, status, &labView{Lang: l, Name: "refused", Data: &trouble{Key: key}})
}

// failed turns an error of the service into a page.
func (s *lab) failed(w http.ResponseWriter, r *http.Request, l *lang, err error) {
	var up *stepUp
	if errors.As(err, &up) {
		s.askPasskey(w, r, l, up)
		return
	}
	var denied *projectathon.Denied
	var refused *passkey.Refusal
	t := &trouble{Key: "lab.refused", Text: err.Error()}
	status := http.StatusUnprocessableEntity
	switch {
	case errors.As(err, &denied):
		status, t.Key = http.StatusForbidden, "lab.denied"
	case errors.As(err, &refused):
		t = &trouble{Key: "lab.passkey." + string(refused.Code)}
	case errors.Is(err, projectathon.ErrUnknown), errors.Is(err, testbed.ErrUnknown):
		status, t = http.StatusNotFound, &trouble{Key: "lab.nothing"}
	case errors.Is(err, projectathon.ErrChanged):
		status = http.StatusConflict
	case errors.Is(err, ErrBusy):
		status, t = http.StatusConflict, &trouble{Key: "lab.busy"}
	}
	s.render(w, r, status, &labView{Lang: l, Name: "refused", Data: t})
}

func (s *lab) nowhereHere(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, s.language(w, r), http.StatusNotFound, "lab.nothing")
}

func (s *lab) choose(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/"+s.language(w, r).Code+r.URL.Path, http.StatusSeeOther)
}

// changes is the event stream of an event: a "change" with the number of the
// last change whenever there is a newer one, a comment every 15 seconds.
func (s *lab) changes(w http.ResponseWriter, r *http.Request) {
	if s.account(r).May(projectathon.ReadEvent) != nil {
		http.Error(w, "sign in first", http.StatusForbidden)
		return
	}
	if _, err := s.c.Events.Event(r.Context(), r.PathValue("id")); err != nil {
		http.NotFound(w, r)
		return
	}
	last := r.Header.Get("Last-Event-ID")
	s.stream(w, r, func() (string, bool) {
		b, err := s.c.Events.Board(r.Context(), r.PathValue("id"))
		if err != nil {
			return "", false
		}
		seq := fmt.Sprint(b.Seq())
		if seq == last {
			return "", true
		}
		last = seq
		return "id: " + seq + "\nevent: change\ndata: " + seq + "\n\n", true
	})
}

// stream writes what next gives, twice a second, until there is no more or the
// reader is gone; a comment every 15 seconds. mostStreams bounds all streams.
func (s *lab) stream(w http.ResponseWriter, r *http.Request, next func() (text string, more bool)) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		http.Error(w, "too many live pages; this one refreshes by itself", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	write := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(20 * time.Second)) // of the connection, which knows no other clock
		_, err := fmt.Fprint(w, text)
		return err == nil && out.Flush() == nil
	}
	if !write("retry: 3000\n\n") {
		return
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		text, more := next()
		if text == "" && n%30 == 29 {
			text = ": still here\n\n"
		}
		if text != "" && !write(text) || !more {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// reportJSON is the public report for machines.
func (s *lab) reportJSON(w http.ResponseWriter, r *http.Request) {
	report, err := s.publicReport(r)
	if err != nil {
		s.failed(w, r, s.language(w, r), err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(report) // the reader may be gone
}
