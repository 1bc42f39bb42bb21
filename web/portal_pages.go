package web

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

//go:embed templates/journey/*.html
var journeyFiles embed.FS

// stage is what the pages of a person's journey share: the portal, the
// preview space and the test identity provider. It never changes once loaded.
type stage struct {
	assets    assets
	langs     []*lang
	templates map[string]map[string]*template.Template // language, page
}

// loadStage reads it once for all the sites of a process: a network has thirty
// of them.
var loadStage = sync.OnceValues(func() (*stage, error) {
	j := &stage{templates: map[string]map[string]*template.Template{}}
	var err error
	if j.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if j.langs, err = loadLanguages(); err != nil {
		return nil, err
	}
	files, err := fs.Glob(journeyFiles, "templates/journey/[a-z]*.html")
	if err != nil {
		return nil, err
	}
	for _, l := range j.langs {
		j.templates[l.Code] = map[string]*template.Template{}
		for _, f := range files {
			t, err := template.New("").Funcs(j.funcs(l)).ParseFS(journeyFiles, "templates/journey/_*.html", f)
			if err != nil {
				return nil, fmt.Errorf("web: template %s: %w", f, err)
			}
			j.templates[l.Code][strings.TrimSuffix(path.Base(f), ".html")] = t
		}
	}
	return j, nil
})

func (j *stage) funcs(l *lang) template.FuncMap {
	return template.FuncMap{
		"t":         l.T,
		"tt":        l.Text,
		"date":      l.Date,
		"country":   l.Country,
		"flag":      j.assets.flag,
		"asset":     func(name string) string { return j.assets.public[name] },
		"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"clock":     func(t time.Time) string { return t.UTC().Format("15:04") },
		"day":       l.day,
		"says":      l.says,
		"in":        l.in,
		"tongue":    l.tongue,
		"size":      l.size,
		"format":    l.format,
		"procedure": l.procedure,
		"join":      strings.Join,
		"add":       func(a, b int) int { return a + b },
		"args":      func(a ...any) []any { return a },
		"lower":     strings.ToLower,
		"dict":      dict,
	}
}

// says picks the text in this language, else in English, else the first.
func (l *lang) says(all []sdg.Text) string { return l.in(all).Text }

// worded is a text with the language that it is in.
type worded struct{ Text, Lang string }

// in is says with the language of what it says, for the attribute lang.
func (l *lang) in(all []sdg.Text) worded {
	var best sdg.Text
	rank := -1
	for _, t := range all {
		r := 0
		switch strings.ToUpper(t.Lang) {
		case strings.ToUpper(l.Code):
			r = 2
		case "EN":
			r = 1
		}
		if r > rank {
			best, rank = t, r
		}
	}
	return worded{best.Value, strings.ToLower(best.Lang)}
}

// tongue is the name of a language, by its code in upper or lower case.
func (l *lang) tongue(code string) string {
	tag, err := language.Parse(strings.ToLower(code))
	if err != nil {
		return code
	}
	return display.Languages(l.tag).Name(tag)
}

// day writes a date that a message carries, YYYY-MM-DD.
func (l *lang) day(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return l.Date(t)
}

// format is a media type as people say it.
func (l *lang) format(media string) string {
	for _, f := range []string{"pdf", "xml", "json", "image"} {
		if strings.Contains(media, f) {
			return l.Text("format." + f)
		}
	}
	return media
}

// procedure is the name of a procedure of SDGR Annex II by its code.
func (l *lang) procedure(code string) template.HTML {
	if name := l.T("procedure." + code); !strings.HasPrefix(string(name), "[") {
		return name
	}
	return borrowed(template.HTMLEscapeString(cmp.Or(seed.Procedures()[code], code)))
}

// size is a number of octets as people say it.
func (l *lang) size(n int64) string {
	if n < 1000 {
		return l.Text("journey.bytes", "n", int(n))
	}
	return l.Text("journey.kilobytes", "n", int((n+500)/1000))
}

// leaf is what every template of the journey sees. Its own part is Data.
type leaf struct {
	Lang  *lang
	Langs []*lang
	Name  string // of the template
	Brand string // whose site this is
	Where string // country of it; empty for none
	Help  string // address of help
	Step  int    // of the seven; 0 for none
	Back  string // address of the brand; empty: no link
	Quiet bool   // no language menu: the address does not open again
	Demo  bool
	Theme string
	Data  any

	r *http.Request
}

// In is the address of this page in another language.
func (v *leaf) In(l *lang) string {
	if strings.HasPrefix(v.r.URL.Path, "/"+v.Lang.Code+"/") {
		u := *v.r.URL
		u.Path = "/" + l.Code + strings.TrimPrefix(u.Path, "/"+v.Lang.Code)
		u.RawPath = ""
		return u.RequestURI()
	}
	q := v.r.URL.Query()
	q.Set("lang", l.Code)
	return v.r.URL.EscapedPath() + "?" + q.Encode()
}

// Steps are the numbers of the seven steps.
func (v *leaf) Steps() []int { return []int{1, 2, 3, 4, 5, 6, 7} }

// place is one of the three sites: its handlers' common part.
type place struct {
	*stage
	name    string // for the log
	cookies string // prefix of the names: cookies know hosts, not ports
	secure  bool   // the base address is https
	browser func(wire string) string
	now     func() time.Time
	log     *slog.Logger
}

func newPlace(name, base string, browser func(string) string, now func() time.Time, log *slog.Logger) (*place, *url.URL, error) {
	j, err := loadStage()
	if err != nil {
		return nil, nil, err
	}
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, fmt.Errorf("web: %s: BaseURL %q is not an absolute address; give one such as https://portal.example", name, base)
	}
	if browser == nil {
		browser = func(wire string) string { return wire }
	}
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &place{stage: j, name: name, cookies: "oots_" + name + "_" + u.Port() + "_", secure: u.Scheme == "https", browser: browser, now: now, log: log}, u, nil
}

// contentRules let a page load and send to its own site alone; more names what
// else a form may lead to.
func contentRules(more ...string) string {
	return "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; frame-src 'self'; object-src 'none'; " +
		"base-uri 'none'; frame-ancestors 'none'; form-action " + strings.Join(append([]string{"'self'"}, more...), " ")
}

// origin of an address, for contentRules; empty for what has none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, ";, '\"") || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// guard puts the headers of private pages on every answer and refuses forms of
// other sites. Nothing here is kept by a cache or found by a search engine.
func (p *place) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.refuse(w, r, p.language(w, r), http.StatusForbidden, "journey.foreign")
	}))
	guarded := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, value := range map[string]string{
			"Content-Security-Policy": contentRules(), "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
			"X-Robots-Tag": "noindex, nofollow", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), browsing-topics=()",
		} {
			h.Set(name, value)
		}
		r.Body = http.MaxBytesReader(w, r.Body, 4<<20)
		guarded.ServeHTTP(w, r)
	})
}

// language is the reader's: the address's, the one chosen before, or the
// browser's.
func (p *place) language(w http.ResponseWriter, r *http.Request) *lang {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	asked := r.URL.Query().Get("lang")
	kept := ""
	if c, err := r.Cookie(p.cookies + "lang"); err == nil {
		kept = c.Value
	}
	for i, code := range []string{first, asked, kept} {
		at := slices.IndexFunc(p.langs, func(l *lang) bool { return l.Code == code })
		if at < 0 {
			continue
		}
		if i == 1 {
			p.setCookie(w, "lang", "/", code, 0)
		}
		return p.langs[at]
	}
	return (&site{langs: p.langs}).negotiate(r)
}

// show renders a page.
func (p *place) show(w http.ResponseWriter, r *http.Request, status int, v *leaf) {
	v.Langs, v.Theme, v.r = p.langs, themeOf(r), r
	var out bytes.Buffer
	if err := p.templates[v.Lang.Code][v.Name].ExecuteTemplate(&out, "layout", v); err != nil {
		p.log.Error("page failed", "site", p.name, "page", v.Name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the reader may be gone
}

// refuse shows why there is nothing here; key names the message, and its
// ".text" what to do.
func (p *place) refuse(w http.ResponseWriter, r *http.Request, l *lang, status int, key string) {
	p.show(w, r, status, &leaf{Lang: l, Name: "refused", Brand: l.Text("journey.brand"), Quiet: true, Data: key})
}

// broken logs what is our own fault and says so.
func (p *place) broken(w http.ResponseWriter, r *http.Request, l *lang, doing string, err error) {
	p.log.Error("page failed", "site", p.name, "doing", doing, "error", err)
	p.refuse(w, r, l, http.StatusServiceUnavailable, "journey.broken")
}

// setCookie keeps a value in the browser for this site; 0 seconds: until the
// browser is closed; less: forget it.
func (p *place) setCookie(w http.ResponseWriter, name, path, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{Name: p.cookies + name, Value: value, Path: path, MaxAge: seconds, HttpOnly: true, Secure: p.secure,
		SameSite: http.SameSiteLaxMode})
}

func (p *place) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(p.cookies + name)
	if err != nil {
		return ""
	}
	return c.Value
}

// asset answers GET /assets/{name}, as the public site does.
func (p *place) asset(w http.ResponseWriter, r *http.Request) {
	b, ok := p.assets.byName[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	b.send(w, r)
}

// robots keeps search engines out altogether.
func (p *place) robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("User-agent: *\nDisallow: /\n"))
}

// nowhere answers what no row of a table names.
func (p *place) nowhere(w http.ResponseWriter, r *http.Request) {
	p.refuse(w, r, p.language(w, r), http.StatusNotFound, "journey.nowhere")
}

// secret is 128 random bits.
func secret() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// sendDocument writes the octets of a document so that nothing in them can run:
// a page of its own without origin, script, form or frame.
func sendDocument(w http.ResponseWriter, c *exchange.Content, download bool) {
	media, inline := c.MediaType, false
	switch media {
	case "application/pdf", "image/png", "image/jpeg", "text/plain":
		inline = true
	default: // XML and JSON would be rendered, HTML would run
		media = "application/octet-stream"
	}
	h := w.Header()
	h.Set("Content-Type", media)
	// The sandbox is put on by the answer itself: the same on an own tab as in a
	// frame, and browsers that show PDF in frames refuse to under the attribute.
	// Only a page of this site may frame it.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; object-src 'self'; frame-ancestors 'self'; form-action 'none'; base-uri 'none'; sandbox")
	disposition := "inline"
	if download || !inline {
		disposition = "attachment"
	}
	h.Set("Content-Disposition", disposition+`; filename="`+fileName(&c.Document)+`"`)
	h.Set("Content-Length", fmt.Sprint(len(c.Data)))
	_, _ = w.Write(c.Data)
}

// fileName is a plain name for a document: its title in ASCII, and the ending of
// its format.
func fileName(d *exchange.Document) string {
	var b strings.Builder
	for _, r := range strings.ToLower(d.Title) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-")
	if name == "" {
		name = "document"
	}
	if len(name) > 60 {
		name = name[:60]
	}
	return name + ending(d.MediaType)
}

func ending(media string) string {
	switch media {
	case "application/pdf":
		return ".pdf"
	case "application/xml", "text/xml":
		return ".xml"
	case "application/json":
		return ".json"
	case "image/png":
		return ".png"
	case "image/jpeg":
		return ".jpg"
	case "text/plain":
		return ".txt"
	}
	return ".bin"
}
