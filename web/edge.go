package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// contentPolicy lets a page load from this site alone, and run or style
// nothing that stands inside the page.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "

// guard puts the security headers on every answer and refuses forms that
// another site sends. Only addresses under /embed/ may be framed.
func (s *site) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &problem{Status: http.StatusForbidden, Message: "error.403"})
	}))
	cross.AddInsecureBypassPattern("/api/") // bearer tokens, no cookie
	guarded := cross.Handler(next)
	strict := []string{contentPolicy + "'none'"}
	framed := []string{contentPolicy + "*"}
	one := func(v string) []string { return []string{v} }
	fixed := map[string][]string{
		"X-Content-Type-Options":            one("nosniff"),
		"Referrer-Policy":                   one("strict-origin-when-cross-origin"),
		"Permissions-Policy":                one("camera=(), geolocation=(), microphone=(), payment=(), browsing-topics=()"),
		"Cross-Origin-Opener-Policy":        one("same-origin"),
		"X-Permitted-Cross-Domain-Policies": one("none"),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, value := range fixed {
			h[name] = value
		}
		if strings.HasPrefix(r.URL.Path, "/embed/") {
			h["Content-Security-Policy"] = framed
		} else {
			h["Content-Security-Policy"] = strict
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			r.Body = http.MaxBytesReader(w, r.Body, 64<<20)
		}
		guarded.ServeHTTP(w, r)
	})
}

// fail shows an error as a designed page, or as a problem document to the API.
// What is our own fault is logged with a reference that the page shows.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Del("Etag")
	if p.Status >= 500 {
		ref := fmt.Sprintf("%x", s.Now().UnixNano())
		s.Log.Error("page failed", "reference", ref, "path", r.URL.Path, "err", p)
		p = &problem{Status: p.Status, Message: p.Message, Args: []any{"ref", ref}, Choices: p.Choices}
	}
	l := s.language(r)
	v := &view{visit: &visit{Context: r.Context(), Lang: l, Path: "/", r: r, now: s.Now(), Query: url.Values{}},
		Name: "problem", Theme: themeOf(r), Problem: p, Robots: "noindex"}
	b, rerr := s.render(v)
	if rerr != nil {
		s.Log.Error("error page failed", "err", rerr)
		http.Error(w, http.StatusText(p.Status), p.Status)
		return
	}
	b.sendStatus(w, r, p.Status)
}

// nowhere answers every address that no row of the tables names.
func (s *site) nowhere(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.fail(w, r, &problem{Status: http.StatusNotFound, Message: "error.404"})
	default:
		w.Header().Set("Allow", "GET, HEAD")
		s.fail(w, r, &problem{Status: http.StatusMethodNotAllowed, Message: "error.405"})
	}
}

// robots welcomes search engines to everything but views of a query.
func (s *site) robots(w http.ResponseWriter, r *http.Request) {
	newBody("text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /*?\nAllow: /\n")).send(w, r)
}

// themeOf reads the reader's choice of theme: light, dark or none.
func themeOf(r *http.Request) string {
	c, err := r.Cookie("theme")
	if err != nil || c.Value != "light" && c.Value != "dark" {
		return ""
	}
	return c.Value
}

// theme stores the choice in a cookie of this site, which is the only one the
// public pages ever set, and goes back to where the reader was.
func (s *site) theme(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	choice := r.PostFormValue("theme")
	c := &http.Cookie{Name: "theme", Value: choice, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode,
		HttpOnly: true, Secure: s.base.Scheme == "https"}
	if choice != "light" && choice != "dark" {
		c.Value, c.MaxAge = "", -1
	}
	http.SetCookie(w, c)
	http.Redirect(w, r, localPath(r.PostFormValue("back")), http.StatusSeeOther)
}

// localPath returns an address of this site, or its front page for anything
// that could lead elsewhere.
func localPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") ||
		strings.HasPrefix(u.Path, "//") || strings.ContainsAny(to, "\\\r\n\t") || len(to) > 2000 {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}
