package web

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/ledger"
	pj "github.com/once-only/oots/projectathon"
)

func testClock() time.Time { return testNow }

// Somebody signs in over OpenID Connect at the built-in provider, is who the
// list says, and is nobody again after signing out.
func TestSignInWithTheBuiltInProvider(t *testing.T) {
	s, err := pj.New(pj.Config{Store: &pj.Memory{}, Facts: ledger.New(ledger.Config{Store: &ledger.Memory{}})})
	if err != nil {
		t.Fatal(err)
	}
	labServer, issuer := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	base, at := "http://"+labServer.Listener.Addr().String(), "http://"+issuer.Listener.Addr().String()
	people, accounts := DemoAccounts("FI", "AT")
	provider, err := NewTestIdentity(TestIdentityConfig{Issuer: at, People: people, Clients: []TestIdentityClient{{ID: "lab", Secret: "s", Callbacks: []string{base + "/lab/signin/callback"}}}})
	if err != nil {
		t.Fatal(err)
	}
	source, err := NewOIDCSource(OIDCConfig{Issuer: at, ClientID: "lab", ClientSecret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := NewLab(LabConfig{BaseURL: base, Events: s, Identity: source, Accounts: accounts})
	if err != nil {
		t.Fatal(err)
	}
	labServer.Config.Handler, issuer.Config.Handler = handler, provider
	labServer.Start()
	issuer.Start()
	defer labServer.Close()
	defer issuer.Close()

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	r, err := browser.Get(base + "/en/lab/signin?back=/en/lab%3Fx=1")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if !strings.HasPrefix(r.Request.URL.String(), at+"/authorize?") {
		t.Fatalf("sign-in leads to %s", r.Request.URL)
	}
	r, err = browser.PostForm(at+"/authorize", url.Values{"asked": {r.Request.URL.RawQuery}, "account": {"monitor-at"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.Request.URL.Path != "/en/lab" || r.StatusCode != http.StatusOK {
		t.Fatalf("the way back ends at %s with %d", r.Request.URL, r.StatusCode)
	}
	if page := labGet(t, browser, base+"/en/lab"); !strings.Contains(page, "monitor:AT-demo") {
		t.Error("the page does not know the monitor")
	}
	if trail, err := s.Audit(t.Context(), pj.Account{Post: pj.Auditor}, pj.AuditFilter{What: pj.SignIn}); err != nil || len(trail) != 1 || trail[0].By != "monitor:AT-demo" {
		t.Errorf("the sign-in left %+v, %v", trail, err)
	}
	stolen := jar.Cookies(mustParse(t, base))
	if r, err = browser.PostForm(base+"/en/lab/signout", nil); err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	again, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	again.SetCookies(mustParse(t, base), stolen)
	if page := labGet(t, &http.Client{Jar: again}, base+"/en/lab"); strings.Contains(page, "monitor:AT-demo") {
		t.Error("the session works after signing out")
	}
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Whoever has no account, or decides with a weak sign-in, stays outside.
func TestSignInIsRefused(t *testing.T) {
	_, server := labServerOf(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, account := range []string{"visitor", "nobody"} {
		r, err := c.Get(server.URL + "/en/lab/signin")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		r, err = c.Get(r.Header.Get("Location") + "&account=" + account)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("%s comes in with %d", account, r.StatusCode)
		}
	}
	// An answer to a sign-in that this browser did not begin.
	r, err := c.Get(server.URL + "/lab/signin/callback?state=invented&account=manager")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("an invented answer gives %d", r.StatusCode)
	}
}

func labServerOf(t *testing.T) (*lab, *httptest.Server) {
	t.Helper()
	return labServer(t, stageEvent(t, "FI", "PT"))
}
