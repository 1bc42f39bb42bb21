package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// What a hostile or mistaken address gets: the right status, a designed page,
// and none of its own markup.
func TestHostileAddresses(t *testing.T) {
	h := newSite(t)
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/en/nothing", 404, "There is nothing at this address"},
		{"/en/countries/xx", 404, "Greece is el"},
		{"/en/countries/%3Cscript%3E", 404, "&lt;script&gt;"},
		{"/en/countries/" + strings.Repeat("a", 5000), 404, "not on the board"},
		{"/en/?at=yesterday", 400, "2025-Q2"},
		{"/en/?at=%22%3E%3Cscript%3E", 400, "not a date"},
		{"/en/?at=2025-13-45", 400, "not a date"},
		{"/en/?at=1999-01-01", 404, "there was no snapshot yet"},
		{"/en/?at=2999-01-01", 404, "still to come"},
		{"/en/?compare=1999-Q1", 404, "there was no snapshot yet"},
		{"/en/?at=" + strings.Repeat("9", 101), 200, "technically ready"}, // too long to be a date: ignored like any foreign parameter
		{"/en/matrix?pair=DE-DE", 404, "not a pair"},
		{"/en/matrix?pair=%00", 404, "not a pair"},
		{"/en/snapshots/0", 404, "no snapshot"},
		{"/en/snapshots/-1", 404, "no snapshot"},
		{"/en/snapshots/99999999999999999999", 404, "no snapshot"},
		{"/en/facts/none", 404, "holds no fact"},
		{"/en/facts/a/b/../c", 307, ""},
		{"/en/events/none", 404, "Nothing is recorded"},
		{"/en/news/none", 404, "nothing at this address"},
		{"/en/news?page=99999999999", 200, "News"},
		{"/en/news?page=9999", 404, ""},
		{"/en/recomputed?criteria=AM-9", 404, "AM-1-strict"},
		{"/en/history?country=XX&level=77", 200, "All moves"},
		{"/assets/../web.go", 307, ""},
		{"/assets/style.css", 404, ""},
		{"/en", 307, ""},
	} {
		r, body := get(t, h, c.path)
		if r.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d, want %d and %q", c.path[:min(len(c.path), 60)], r.StatusCode, c.status, c.says)
		}
		if strings.Contains(body, "<script>") {
			t.Errorf("%s comes back as markup", c.path)
		}
		if r.StatusCode >= 400 && !strings.Contains(body, `<meta name="robots" content="noindex">`) {
			t.Errorf("%s: an error page asks to be indexed", c.path[:min(len(c.path), 60)])
		}
	}
}

func TestGreeceHasOneAddress(t *testing.T) {
	h := newSite(t)
	for path, want := range map[string]string{"/en/countries/gr": "/en/countries/el", "/de/countries/EL?at=2025-Q2": "/de/countries/el?at=2025-Q2", "/fr/countries/AT": "/fr/countries/at"} {
		r, _ := get(t, h, path)
		if r.StatusCode != http.StatusPermanentRedirect || r.Header.Get("Location") != want {
			t.Errorf("%s: %d to %s, want 308 to %s", path, r.StatusCode, r.Header.Get("Location"), want)
		}
	}
	r, _ := get(t, h, "/en/countries?find=gree")
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/en/countries/el" {
		t.Errorf("find: %d to %s", r.StatusCode, r.Header.Get("Location"))
	}
}

func TestHeaders(t *testing.T) {
	h := newSite(t)
	r, _ := get(t, h, "/en/")
	csp := r.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	r, _ = get(t, h, "/embed/board")
	if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors *") {
		t.Errorf("a widget may be framed, its policy says %q", csp)
	}
	for _, a := range addresses {
		_, body := get(t, h, "/en/"+a)
		if i := strings.Index(body, " style="); i >= 0 {
			t.Errorf("/en/%s has a style attribute, which the policy forbids: %s", a, body[i:min(len(body), i+60)])
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, " onclick=") {
			t.Errorf("/en/%s has script inside", a)
		}
	}
}

// The reader who has a page already gets 304; the compressed form has its own
// tag and the same content.
func TestPagesAreSentOnce(t *testing.T) {
	h := newSite(t)
	ask := func(encoding, tag string) *http.Response {
		r := httptest.NewRequest("GET", "/en/", nil)
		r.Header.Set("Accept-Encoding", encoding)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	plain, zipped := ask("", ""), ask("br, gzip;q=0.5", "")
	raw, _ := io.ReadAll(plain.Body)
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, _ := io.ReadAll(z)
	if !bytes.Equal(raw, unzipped) {
		t.Error("the two forms differ")
	}
	if plain.Header.Get("Etag") == zipped.Header.Get("Etag") {
		t.Error("two forms share a strong tag")
	}
	if r := ask("gzip", zipped.Header.Get("Etag")); r.StatusCode != http.StatusNotModified {
		t.Errorf("known page: %d, want 304", r.StatusCode)
	}
	if r := ask("", `"other", W/`+plain.Header.Get("Etag")); r.StatusCode != http.StatusNotModified {
		t.Errorf("known page in a list: %d, want 304", r.StatusCode)
	}
	if r := ask("gzip;q=0", ""); r.Header.Get("Content-Encoding") != "" {
		t.Error("gzip was refused and sent")
	}
}

func TestThemeIsRemembered(t *testing.T) {
	h := newSite(t)
	post := func(theme, back, site string) *http.Response {
		r := httptest.NewRequest("POST", "/theme", strings.NewReader(url.Values{"theme": {theme}, "back": {back}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", site)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	r := post("dark", "/de/countries/at?at=2025-Q2", "same-origin")
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/de/countries/at?at=2025-Q2" {
		t.Fatalf("%d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	page := httptest.NewRequest("GET", "/de/", nil)
	page.AddCookie(r.Cookies()[0])
	w := httptest.NewRecorder()
	h.ServeHTTP(w, page)
	if !strings.Contains(w.Body.String(), `data-theme="dark"`) {
		t.Error("the choice is not applied")
	}
	if r := post("auto", "/", "same-origin"); r.Cookies()[0].MaxAge >= 0 {
		t.Error("the cookie is not taken back")
	}
	for _, evil := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "javascript:alert(1)", "/a\r\nSet-Cookie: x", ""} {
		if to := post("dark", evil, "same-origin").Header.Get("Location"); !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, "evil.example") && strings.ContainsAny(to, `\`) {
			t.Errorf("back to %q leads to %q", evil, to)
		}
	}
	if r := post("dark", "/", "cross-site"); r.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %d, want 403", r.StatusCode)
	}
}

func TestCorrections(t *testing.T) {
	c := newConfig(t)
	site := func() http.Handler {
		h, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	post := func(h http.Handler, form url.Values) (int, string) {
		r := httptest.NewRequest("POST", "/en/corrections", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	h := site()
	code, page := post(h, url.Values{"what": {"short"}, "email": {"no address <b>"}})
	if code != http.StatusUnprocessableEntity || !strings.Contains(page, `href="#what"`) || !strings.Contains(page, `href="#email"`) || !strings.Contains(page, "no address &lt;b&gt;") {
		t.Errorf("a wrong form: %d; the errors or the input are lost", code)
	}
	code, page = post(h, url.Values{"what": {"The level of Latvia is too low."}, "email": {"reader@mail.example"}})
	if code != http.StatusOK || !strings.Contains(page, "Your request is stored") {
		t.Fatalf("a good form: %d", code)
	}
	if strings.Contains(page, "too low") || strings.Contains(page, "reader@mail.example") {
		t.Error("the log shows what is confidential")
	}
	log, err := c.Corrections.List(t.Context())
	if err != nil || len(log) != 1 {
		t.Fatalf("the log after a restart: %v, %v", log, err)
	}
	if _, page = get(t, h, "/en/corrections"); !strings.Contains(page, log[0].ID) && !strings.Contains(page, "Under review") {
		t.Error("the public log does not list the request")
	}
	if code, _ = post(h, url.Values{"what": {strings.Repeat("x", 40<<10)}}); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 40 kB: %d, want 413", code)
	}
	last := 0
	for range 30 {
		last, _ = post(h, url.Values{"what": {"short"}})
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("thirty at once: %d, want 429", last)
	}
	c.Corrections = nil
	if code, page = post(site(), url.Values{"what": {"The level of Latvia is too low."}}); code != http.StatusServiceUnavailable || !strings.Contains(page, "cannot be stored") {
		t.Errorf("without a place: %d", code)
	}
}

// The cache keeps to its bound, whatever is asked.
func TestCacheIsBounded(t *testing.T) {
	c := newCache(100_000)
	for i := range 1000 {
		c.put("g", strings.Repeat("k", i%50)+string(rune('a'+i%26))+time.Duration(i).String(), newBody("text/plain", bytes.Repeat([]byte{byte(i)}, 2000)))
		if size := c.size + c.old; size > c.limit {
			t.Fatalf("%d bytes kept, the bound is %d", size, c.limit)
		}
	}
	if c.get("other generation", "k") != nil {
		t.Error("an older state is served")
	}
}

// The page that ux budgets bind: gzip sizes.
func TestBudgets(t *testing.T) {
	h := newSite(t)
	_, page := get(t, h, "/en/")
	b := newBody("text/html", []byte(page))
	if n := len(b.Gzip); n > 30<<10 {
		t.Errorf("the home page is %d bytes compressed, the budget is 30 kB", n)
	}
	if n := strings.Count(page, "<") - strings.Count(page, "</"); n > 3500 {
		t.Errorf("the home page has about %d nodes, the budget is 3,500", n)
	}
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	for name, most := range map[string]int{"style.css": 12 << 10, "site.js": 15 << 10} {
		if n := len(a.byName[strings.TrimPrefix(a.public[name], "/assets/")].Gzip); n > most {
			t.Errorf("%s is %d bytes compressed, the budget is %d", name, n, most)
		}
	}
}
