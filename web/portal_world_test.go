package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/network"
	"github.com/once-only/oots/web"
)

// world is a network of real nodes with the pages of the journey before it.
type world struct {
	*network.Network
	portal string
}

// newWorld starts it.
func newWorld(t testing.TB, countries ...string) *world {
	t.Helper()
	n, err := network.Start(context.Background(), network.Plan{Countries: countries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &world{n, n.Portal}
}

// later is a server whose address is known before its handler.
type later struct {
	handler http.Handler
	server  *httptest.Server
}

func listen(t testing.TB) *later {
	l := &later{}
	l.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.handler.ServeHTTP(w, r) }))
	t.Cleanup(l.server.Close)
	return l
}

func (l *later) is(t testing.TB) func(h http.Handler, err error) {
	return func(h http.Handler, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		l.handler = h
	}
}

// person is a browser without a screen: cookies, links and forms.
type person struct {
	t      testing.TB
	client *http.Client
	at     *url.URL
	body   string
	status int
	header http.Header
	lang   string
}

func newPerson(t testing.TB) *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, lang: "en", client: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

func (p *person) do(method, address string, form url.Values) *person {
	p.t.Helper()
	if p.at != nil {
		u, err := p.at.Parse(address)
		if err != nil {
			p.t.Fatal(err)
		}
		address = u.String()
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", p.lang)
	a, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	p.at, p.body, p.status, p.header = a.Request.URL, string(b), a.StatusCode, a.Header
	return p
}

func (p *person) get(address string) *person { p.t.Helper(); return p.do("GET", address, nil) }
func (p *person) post(address string, form url.Values) *person {
	p.t.Helper()
	return p.do("POST", address, form)
}

// find gives the first group of a pattern in the page.
func (p *person) find(pattern string) string {
	p.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(p.body)
	if m == nil {
		p.t.Fatalf("%s (%d) shows nothing like %s:\n%s", p.at, p.status, pattern, web.Visible(p.body))
	}
	return html.UnescapeString(m[1])
}

// shows fails unless the page does.
func (p *person) shows(status int, words ...string) *person {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s answers %d, want %d:\n%s", p.at, p.status, status, web.Visible(p.body))
	}
	for _, w := range words {
		if !strings.Contains(p.body, w) {
			p.t.Errorf("%s does not show %q:\n%s", p.at, w, web.Visible(p.body))
		}
	}
	return p
}

// signInAs is the page of the test identity provider.
func (p *person) signInAs(account string) *person {
	p.t.Helper()
	return p.post("authorize", url.Values{"asked": {p.find(`name="asked" value="([^"]*)"`)}, "account": {account}})
}

// waits looks again until the page says so.
func (p *person) waits(pattern string) *person {
	p.t.Helper()
	for range 200 {
		if regexp.MustCompile(pattern).MatchString(p.body) {
			return p
		}
		time.Sleep(25 * time.Millisecond) // the nodes are real
		p.get(p.at.String())
	}
	p.t.Fatalf("%s never shows %s:\n%s", p.at, pattern, web.Visible(p.body))
	return p
}

// applies walks steps 1 to 4, up to the page before the preview.
func (p *person) applies(w *world, office, account, country string) *person {
	p.t.Helper()
	p.get(w.portal + "/" + p.lang + "/demo").shows(200)
	p.post("/"+p.lang+"/demo/apply", url.Values{"office": {office}}).shows(200)
	p.get(p.find(`href="([^"]*)\?with=european"`) + "?with=european").shows(200)
	p.get(p.find(`href="([^"]*signin\?country=` + country + `)"`)).shows(200)
	p.signInAs(account).shows(200)
	form := url.Values{}
	for _, m := range regexp.MustCompile(`name="(need-\d+)" value="(\d+\.\d+)"`).FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], m[2])
	}
	p.post(p.at.Path, form).shows(200)
	p.post(p.at.Path, url.Values{"explicit": {"yes"}}).shows(200)
	return p.waits(`/go/`)
}

// goes to the preview space and signs in there.
func (p *person) goes(account string) *person {
	p.t.Helper()
	p.post(p.find(`action="([^"]*/go/[^"]*)"`), url.Values{}).shows(200)
	return p.get(p.find(`href="([^"]*/signin)"`)).shows(200).signInAs(account)
}

// foreign sends what a browser sends along with a form of another site.
type foreign struct{}

func (foreign) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://evil.example")
	return http.DefaultTransport.RoundTrip(r)
}

func answer(h http.Handler, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// challengeOf is the S256 challenge of a verifier (RFC 7636 §4.2).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
