package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/suites"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/testbedtest"
)

const labFile = `data = "data"
base_url = "http://localhost:8080"
proxies = ["10.0.0.0/8"]

[lab]
accounts = "accounts.toml"

[lab.identity]
issuer = "test"
`

const labAccountsFile = `[[account]]
identifier = "staff/1"
party = "monitor:AT-7f3a"
post = "monitor"
country = "AT"
`

// settings reads a configuration of a meter with a test platform.
func settings(t *testing.T, file, accounts string) (serveMeter, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"meter.toml": file, "accounts.toml": accounts} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := serveMeter{Config: filepath.Join(dir, "meter.toml")}
	return c, c.complete()
}

func TestSettingsOfATestPlatform(t *testing.T) {
	c, err := settings(t, labFile, labAccountsFile)
	if err != nil || c.Lab == nil || c.Lab.Passkeys != "required" || *c.Lab.SecondShare != 10 || len(c.Lab.rows) != 1 || len(c.proxies) != 1 {
		t.Fatalf("%+v, %v", c.Lab, err)
	}
	if c, err := settings(t, "data = \"data\"\n", ""); err != nil || c.Lab != nil {
		t.Errorf("without the section there is %+v, %v", c.Lab, err)
	}
	for _, w := range []struct{ was, is, want string }{
		{`issuer = "test"`, `issuer = ""`, "lab.identity.issuer is missing"},
		{`issuer = "test"`, `issuer = "https://id.example"`, "client_id is missing"},
		{`[lab]`, "[lab]\npasskeys = \"maybe\"", "required or offered"},
		{`[lab]`, "[lab]\nsecond_share = 101", "0 to 100"},
		{`[lab]`, "[lab]\naddr = \":8081\"", "lab.base_url is missing"},
		{`[lab]`, "[lab]\ncolour = \"red\"", "no setting"},
		{`accounts.toml`, `none.toml`, "none.toml"},
		{`10.0.0.0/8`, `proxy`, "proxies"},
	} {
		if _, err := settings(t, strings.Replace(labFile, w.was, w.is, 1), labAccountsFile); err == nil || !strings.Contains(err.Error(), w.want) {
			t.Errorf("%s gives %v, not %q", w.is, err, w.want)
		}
	}
	for _, w := range []struct{ list, want string }{
		{"", "empty"}, {strings.Replace(labAccountsFile, "monitor:AT", "judge:AT", 1), "begins with"}, {labAccountsFile + "name = \"somebody\"\n", "no \"account.name\""}, {"[[", "accounts.toml"},
	} {
		if _, err := settings(t, labFile, w.list); err == nil || !strings.Contains(err.Error(), w.want) {
			t.Errorf("the list %q gives %v, not %q", w.list, err, w.want)
		}
	}
}

// The platform is served beside the board from one store; a monitor signs in at
// the test provider and is still signed in after a restart.
func TestATestPlatformIsServedAndRestarted(t *testing.T) {
	c, err := settings(t, labFile, labAccountsFile)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t.Context(), nil, io.Discard, io.Discard}
	m, err := openMeter(w, ledgerFlags{Data: t.TempDir()}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer m.db.Close()
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	base := "http://localhost:" + port
	open := func() *testPlatform {
		t.Helper()
		p, err := m.openTestPlatform(t.Context(), c.Lab, base, "", true, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	board := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the board at "+r.URL.Path) })
	now := open().beside(board)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.ServeHTTP(w, r) })
	server.Start()
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	get := func(address string) (string, *url.URL) {
		t.Helper()
		r, err := browser.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		raw, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", address, r.StatusCode, err)
		}
		return string(raw), r.Request.URL
	}
	if page, _ := get(base + "/en/history"); page != "the board at /en/history" {
		t.Errorf("the board says %q", page)
	}
	_, at := get(base + "/en/lab/signin")
	r, err := browser.PostForm(base+"/identity/authorize", url.Values{"asked": {at.RawQuery}, "account": {"monitor-monitor:at-7f3a"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	for _, when := range []string{"at first", "after a restart"} {
		page, _ := get(base + "/en/lab")
		if !strings.Contains(page, "monitor:AT-7f3a") || strings.Count(page, "Tests all year") != 1 {
			t.Errorf("%s the page says\n%s", when, page)
		}
		now = open().beside(board)
	}
	// What a team's own pipeline handed in is read there; nothing can be started.
	catalogue, err := testbed.Load(suites.Files)
	if err != nil {
		t.Fatal(err)
	}
	report := testbedtest.Report(t, catalogue, "EDM-MSG-001", time.Now())
	if err := report.Keep(t.Context(), m.db.Testbed(), "team:FI/portal", true); err != nil {
		t.Fatal(err)
	}
	list, _ := get(base + "/en/lab/suites")
	found := regexp.MustCompile(`/en/lab/runs/report-[0-9a-f]+`).FindString(list)
	if found == "" || !strings.Contains(list, "no run can be started here") || strings.Contains(list, `name="what"`) {
		t.Fatalf("the page of suites says\n%s", list)
	}
	run, _ := get(base + found)
	for _, want := range []string{"FI portal", "EDM-MSG-001", "team:FI/portal", "1 of 1 checks"} {
		if !strings.Contains(run, want) {
			t.Errorf("the page of the run does not say %q", want)
		}
	}
	if strings.Contains(run, `value="again"`) {
		t.Error("the page of the run offers to play it again")
	}
	// Where a country stands is its own affair, but there is such a page.
	if r, err := browser.Get(base + "/en/lab/countries/at"); err != nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("a monitor's look at a country: %v, %v", r.StatusCode, err)
	} else {
		r.Body.Close()
	}
	for _, elsewhere := range []string{"https://lab.example", "http://127.0.0.1:8080"} {
		if _, err := m.openTestPlatform(t.Context(), c.Lab, elsewhere, "", true, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "localhost") {
			t.Errorf("the test provider at %s gives %v", elsewhere, err)
		}
	}
}
