package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/once-only/oots/access/passkey"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	pj "github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/web/limit"
)

// labAccounts are one account of every post, and those who differ by country.
var labAccounts = map[string]pj.Account{
	"visitor":        {},
	"team FI":        {Party: "team:FI/op1", Post: pj.Contact, Country: "FI"},
	"team PT":        {Party: "team:PT/op1", Post: pj.Contact, Country: "PT"},
	"team SE":        {Party: "team:SE/op1", Post: pj.Contact, Country: "SE"},
	"coordinator FI": {Party: "coordinator:FI", Post: pj.Coordinator, Country: "FI"},
	"coordinator SE": {Party: "coordinator:SE", Post: pj.Coordinator, Country: "SE"},
	"manager":        {Party: "manager:m1", Post: pj.Manager},
	"monitor AT":     {Party: "monitor:AT-7f3a", Post: pj.Monitor, Country: "AT"},
	"monitor BE":     {Party: "monitor:BE-11aa", Post: pj.Monitor, Country: "BE"},
	"monitor FI":     {Party: "monitor:FI-0000", Post: pj.Monitor, Country: "FI"},
	"reviewer":       {Party: "commission:r1", Post: pj.Reviewer},
	"auditor":        {Party: "commission:a1", Post: pj.Auditor},
}

// doorman signs in whoever the account parameter names, without asking.
type doorman struct{}

func (doorman) Begin(_ context.Context, callback string, _ SignInHint) (*SignIn, error) {
	in := &SignIn{Callback: callback, State: secret()}
	in.Location = callback + "?state=" + in.State
	return in, nil
}

func (doorman) Finish(_ context.Context, _ *SignIn, answer url.Values) (*SignedIn, error) {
	return &SignedIn{Identity: exchange.Identity{LevelOfAssurance: "High", Identifier: answer.Get("account")}}, nil
}

func doormansList(_ context.Context, who *SignedIn) (pj.Account, error) {
	a, ok := labAccounts[who.Identifier]
	if !ok || a.Post == "" {
		return a, ErrNoAccount
	}
	return a, nil
}

// stagedEvent is a live event of three countries with three tests of FI and PT:
// "played" waits for a monitor, "claimed" is with the one from Austria, "graded"
// has verdicts; "running" runs between them. FI has attached evidence of its own
// to "running" and "claimed", and PT keeps a secret.
type stagedEvent struct {
	*pj.Service
	ids    map[string]string
	digest string
	facts  *ledger.Ledger
	runs   *stagedRuns // with labServer
}

var labCapabilities = []pj.Capability{
	{Profile: "eIDAS", Actor: "identity requester", Option: "notified scheme"}, {Profile: "eIDAS", Actor: "eIDAS node"}, {Profile: "evidence exchange", Actor: "Common Services query client"},
	{Profile: "evidence exchange", Actor: "evidence requester"}, {Profile: "evidence exchange", Actor: "data service", Option: "with preview"}, {Profile: "metadata management", Actor: "metadata updater"},
}

func stageEvent(t testing.TB, countries ...string) *stagedEvent {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	var n atomic.Int64
	now := func() time.Time { return testNow }
	facts := ledger.New(ledger.Config{Store: &ledger.Memory{}, Now: now})
	s, err := pj.New(pj.Config{Store: &pj.Memory{}, Facts: facts, Key: make([]byte, 32), SecondShare: -1, Now: now, NewID: func() string { return fmt.Sprintf("t%d", n.Add(1)) }})
	ok(err)
	manager := labAccounts["manager"]
	_, err = s.CreateEvent(ctx, manager, pj.Event{ID: "ev", Name: "Autumn Projectathon", Line: "oots-edm:v2.0", Catalogue: "1.0", DataSet: "1", Slots: 4, Sample: true})
	ok(err)
	to := func(states ...pj.EventState) {
		for _, state := range states {
			_, err := s.AdvanceEvent(ctx, manager, "ev", state)
			ok(err)
		}
	}
	to(pj.Announced, pj.RegistrationOpen)
	for _, cc := range countries {
		c := pj.Account{Party: "coordinator:" + cc, Post: pj.Coordinator, Country: cc}
		r, err := s.Register(ctx, c, pj.Registration{Event: "ev", System: cc + "_node", Country: cc, Capabilities: labCapabilities, Lines: []string{"oots-edm:v2.0"}, Mode: "automated"})
		ok(err)
		_, err = s.Move(ctx, c, r.ID, pj.Endorsed)
		ok(err)
		if cc != "SE" { // its registration waits for the manager
			_, err = s.Move(ctx, manager, r.ID, pj.Admitted)
			ok(err)
		}
	}
	to(pj.RegistrationClosed, pj.Preparation, pj.Live)
	e := &stagedEvent{Service: s, ids: map[string]string{}, facts: facts}
	fi, pt, at := labAccounts["team FI"], labAccounts["team PT"], labAccounts["monitor AT"]
	for i, name := range []string{"proposed", "running", "played", "claimed", "graded"} {
		p, err := s.Propose(ctx, fi, "ev", "TC01", "FI_node", "PT_node")
		ok(err)
		e.ids[name] = p.ID
		if i == 0 {
			continue
		}
		ok(s.Accept(ctx, pt, p.ID))
		ok(s.Advance(ctx, fi, p.ID, pj.Running, "", ""))
		ok(s.Attach(ctx, fi, p.ID, pj.Item{Kind: "log", MediaType: "text/plain", Confidentiality: "own"}, []byte("own log of FI")))
		if i == 1 {
			continue
		}
		ok(s.Advance(ctx, fi, p.ID, pj.ToBeVerified, "", ""))
		if i >= 3 {
			ok(s.Claim(ctx, at, p.ID))
		}
		if i == 4 {
			ok(s.Grade(ctx, at, p.ID, []pj.Verdict{{System: "FI_node", Outcome: pj.Verified}, {System: "PT_node", Outcome: pj.Verified}}))
		}
	}
	p, err := s.Test(ctx, fi, e.ids["claimed"])
	ok(err)
	e.digest = p.Evidence[0].SHA256
	ok(s.Attach(ctx, fi, e.ids["running"], pj.Item{Kind: "note", MediaType: "text/plain", Confidentiality: "public"}, []byte("for everybody")))
	ok(s.KeepSecret(ctx, pt, "ev", "PT_node", "open sesame", testNow.AddDate(0, 0, 7)))
	return e
}

// signedInAs is a browser with a session of the account.
func signedInAs(t testing.TB, base, account string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if account == "visitor" {
		return c
	}
	r, err := c.Get(base + "/en/lab/signin")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	r, err = c.Get(r.Header.Get("Location") + "&account=" + url.QueryEscape(account))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s is not signed in: %d", account, r.StatusCode)
	}
	return c
}

// labServer serves the lab at localhost; passkeys are offered. change bends the
// configuration.
func labServer(t testing.TB, e *stagedEvent, change ...func(*LabConfig)) (*lab, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	e.runs = stageRuns(t, e)
	c := LabConfig{BaseURL: "http://localhost:" + port, Events: e.Service, Tests: e.runs.Service, Meter: e.runs.meter, Identity: doorman{}, Accounts: doormansList, Passkeys: &passkey.Memory{}, Workbench: stageBench(), Now: func() time.Time { return testNow }}
	for _, f := range change {
		f(&c)
	}
	s, err := newLab(c)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s.handler()
	server.Start()
	server.URL = c.BaseURL
	t.Cleanup(server.Close)
	return s, server
}

// walk is every address with every form, and who gets through. Everybody who is
// not named is refused with 403.
func walk() []struct {
	route, path, form string
	may               []string
} {
	everybody := slices.Collect(func(yield func(string) bool) {
		for who := range labAccounts {
			if !yield(who) {
				return
			}
		}
	})
	known := slices.DeleteFunc(slices.Clone(everybody), func(w string) bool { return w == "visitor" })
	sides := []string{"team FI", "team PT", "coordinator FI"}
	readers := append([]string{"manager", "monitor AT", "monitor BE", "monitor FI", "reviewer", "auditor"}, sides...)
	resultReaders := []string{"team FI", "coordinator FI", "manager", "monitor AT", "monitor BE", "monitor FI", "reviewer", "auditor"}
	verdicts := "&system0=FI_node&outcome0=verified&system1=PT_node&outcome1=verified"
	return []struct {
		route, path, form string
		may               []string
	}{
		{"GET /lab", "", "", everybody},
		{"GET /lab/signin", "/signin", "", everybody},
		{"POST /lab/signout", "/signout", "x=", everybody},
		{"GET /lab/events/{id}", "/events/ev", "", everybody},
		{"POST /lab/events/{id}", "/events/ev", "do=advance&to=grading", []string{"manager"}},
		{"POST /lab/events/{id}", "/events/ev", "do=move&system=SE_node&to=accepted", []string{"manager"}},
		{"POST /lab/events/{id}", "/events/ev", "do=move&system=SE_node&to=withdrawn", []string{"manager", "team SE", "coordinator SE"}},
		{"POST /lab/events/{id}", "/events/ev", "do=plan&cases=TC02&partners=1", []string{"manager"}},
		{"POST /lab/events/{id}", "/events/ev", "do=propose&case=TC02&systems=PT_node+FI_node", append([]string{"manager"}, sides...)},
		{"GET /lab/events/{id}/matrix", "/events/ev/matrix?pair=FI-PT", "", known},
		{"GET /lab/events/{id}/report", "/events/ev/report", "", []string{"manager", "reviewer", "auditor"}},
		{"GET /lab/events/{id}/report/{cc}", "/events/ev/report/fi", "", []string{"team FI", "coordinator FI", "reviewer", "auditor"}},
		{"GET /lab/events/{id}/verify", "/events/ev/verify", "", []string{"manager", "monitor AT", "monitor BE", "monitor FI", "auditor"}},
		{"GET /lab/events/{id}/vault/{system}", "/events/ev/vault/PT_node", "", sides},
		{"POST /lab/events/{id}/vault/{system}", "/events/ev/vault/PT_node", "text=new&days=3", []string{"team PT"}},
		{"GET /lab/sessions/{id}", "/sessions/{running}", "", readers},
		{"POST /lab/sessions/{id}", "/sessions/{proposed}", "do=accept", []string{"team PT"}}, // FI has accepted by proposing
		{"POST /lab/sessions/{id}", "/sessions/{running}", "do=advance&to=to_be_verified", sides},
		{"POST /lab/sessions/{id}", "/sessions/{running}", "do=mark&step=request&state=completed", sides},
		{"POST /lab/sessions/{id}", "/sessions/{running}", "do=say&text=hello", append([]string{"monitor AT", "monitor BE", "monitor FI"}, sides...)},
		{"POST /lab/sessions/{id}", "/sessions/{graded}", "do=appeal&reasons=The+receipt+is+in+our+log+at+noon.", []string{"coordinator FI"}},
		{"GET /lab/sessions/{id}/evidence/{digest}", "/sessions/{claimed}/evidence/{digest}", "", []string{"team FI", "coordinator FI", "monitor AT", "auditor"}},
		{"GET /lab/verify/{id}", "/verify/{played}", "", []string{"manager", "monitor AT", "monitor BE", "monitor FI", "auditor"}},
		{"POST /lab/verify/{id}", "/verify/{played}", "do=claim", []string{"monitor AT", "monitor BE"}},
		{"POST /lab/verify/{id}", "/verify/{claimed}", "do=back", []string{"monitor AT"}},
		{"POST /lab/verify/{id}", "/verify/{claimed}", "do=grade" + verdicts, []string{"monitor AT"}},
		{"POST /lab/verify/{id}", "/verify/{graded}", "do=grade" + verdicts, nil}, // nothing graded can be edited
		{"POST /lab/verify/{id}", "/verify/{graded}", "do=second" + verdicts, nil},
		{"POST /lab/verify/{id}", "/verify/{graded}", "do=resolve" + verdicts, nil},
		{"GET /lab/suites", "/suites", "", everybody},
		{"POST /lab/suites", "/suites", "system=FI_node&what=AS4-CONN&line=oots-edm:v2.0", []string{"team FI", "coordinator FI"}},
		{"GET /lab/suites/{id}", "/suites/EP-SIM?system=FI_node", "", everybody},
		{"GET /lab/runs/{id}", "/runs/{over}?with={earlier}", "", resultReaders},
		{"POST /lab/runs/{id}", "/runs/{waiting}", "do=stop", []string{"team FI", "coordinator FI"}},
		{"POST /lab/runs/{id}", "/runs/{over}", "do=again", []string{"team FI", "coordinator FI"}},
		{"POST /lab/runs/{id}", "/runs/{over}", "do=stop", nil}, // what is over cannot be stopped
		{"GET /lab/runs/{id}/{file}", "/runs/{over}/report.json", "", resultReaders},
		{"GET /lab/evidence/{sha256}", "/evidence/{message}", "", []string{"team FI", "coordinator FI", "reviewer", "auditor"}},
		{"GET /lab/evidence/{sha256}", "/evidence/{digest}", "", []string{"team FI", "coordinator FI", "monitor AT", "auditor"}},
		{"GET /lab/evidence/{sha256}", "/evidence/{public}", "", everybody},
		{"GET /lab/countries/{cc}", "/countries/fi", "", []string{"team FI", "coordinator FI", "reviewer", "auditor"}},
		{"GET /lab/passkeys", "/passkeys", "", []string{"monitor AT", "monitor BE", "monitor FI", "reviewer"}},
		{"POST /lab/passkeys", "/passkeys", "do=rename&name=other&id={passkey}", []string{"monitor AT"}}, // it is this monitor's
		{"POST /lab/passkeys", "/passkeys", "do=remove&id={passkey}", []string{"monitor AT"}},
		{"GET /lab/audit", "/audit", "", []string{"auditor"}},
		{"GET /lab/workbench", "/workbench", "", []string{"manager"}},
		{"POST /lab/workbench", "/workbench", "country=FI&fault=", []string{"manager"}},
		{"POST /lab/workbench", "/workbench", "country=PT&fault=unsigned-receipt", []string{"manager"}},
		{"POST /lab/workbench", "/workbench", "country=SE&fault=", nil}, // it is being changed already
	}
}

func TestEveryRouteWithEveryRole(t *testing.T) {
	s, server := labServer(t, stageEvent(t, "FI", "PT", "SE"))
	s.writes = limit.New(1, 1<<20, 10) // all walk from one address, on a clock that stands
	rows := walk()
	for _, r := range s.table() {
		if !slices.ContainsFunc(rows, func(w struct {
			route, path, form string
			may               []string
		}) bool {
			return w.route == r.pattern
		}) {
			t.Errorf("no row of this test walks %s", r.pattern)
		}
	}
	browsers := map[string]*http.Client{}
	for who := range labAccounts {
		browsers[who] = signedInAs(t, server.URL, who)
		if a := labAccounts[who]; a.May(pj.KeepPasskey) == nil { // who has shown a passkey is let through to what the role may do
			registerPasskey(t, browsers[who], server.URL)
		}
	}
	for _, row := range rows {
		for who := range labAccounts {
			e := s.c.Events
			staged := stageEvent(t, "FI", "PT", "SE")
			tests := s.c.Tests
			s.c.Events, s.c.Tests = staged.Service, stageRuns(t, staged).Service
			path := row.path
			for name, id := range played().ids {
				path = strings.ReplaceAll(path, "{"+name+"}", id)
			}
			for name, id := range staged.ids {
				path = strings.ReplaceAll(path, "{"+name+"}", id)
			}
			path = server.URL + "/en/lab" + strings.ReplaceAll(path, "{digest}", staged.digest)
			form := row.form
			if strings.Contains(form, "{passkey}") {
				form = strings.ReplaceAll(form, "{passkey}", anotherPasskey(t, s, "monitor AT"))
			}
			browser := browsers[who]
			if row.route == "POST /lab/signout" {
				browser = signedInAs(t, server.URL, who)
			}
			before, err := staged.Audit(t.Context(), labAccounts["auditor"], pj.AuditFilter{})
			if err != nil {
				t.Fatal(err)
			}
			var answer *http.Response
			if row.form == "" {
				answer, err = browser.Get(path)
			} else {
				answer, err = browser.Post(path, "application/x-www-form-urlencoded", strings.NewReader(form))
			}
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			after, err := staged.Audit(t.Context(), labAccounts["auditor"], pj.AuditFilter{})
			if err != nil {
				t.Fatal(err)
			}
			through := answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusSeeOther
			if may := slices.Contains(row.may, who); may != through {
				t.Errorf("%s %s %s by %s: %d, may %v", row.route, path[len(server.URL):], row.form, who, answer.StatusCode, may)
			}
			written := len(after) > len(before)
			if through && row.form != "" && who != "visitor" && !written { // a visitor who signs out changes nothing
				t.Errorf("%s %s by %s leaves no trace in the audit trail", row.route, row.form, who)
			}
			if !through && written {
				t.Errorf("%s %s by %s is refused and writes", row.route, row.form, who)
			}
			s.c.Events, s.c.Tests = e, tests
		}
	}
}

// What a page shows is what the reader may see, not only what can be opened.
func TestASessionShowsNoForeignEvidence(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	for who, sees := range map[string]bool{"team FI": true, "team PT": false, "monitor AT": true, "monitor BE": false, "auditor": true} {
		page := labGet(t, signedInAs(t, server.URL, who), server.URL+"/en/lab/sessions/"+e.ids["claimed"])
		if got := strings.Contains(page, e.digest); got != sees {
			t.Errorf("%s sees the evidence of FI: %v", who, got)
		}
	}
}

func labGet(t testing.TB, c *http.Client, address string) string {
	t.Helper()
	r, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d, %v", address, r.StatusCode, err)
	}
	return string(raw)
}

func TestLabPagesInEveryLanguage(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	monitor, manager, team := signedInAs(t, server.URL, "monitor AT"), signedInAs(t, server.URL, "manager"), signedInAs(t, server.URL, "coordinator FI")
	auditor := signedInAs(t, server.URL, "auditor")
	for _, lang := range []string{"en", "de", "fr", "el"} {
		for path, c := range map[string]*http.Client{"": team, "/events/ev": manager, "/events/ev/matrix?pair=FI-PT": team, "/events/ev/verify": monitor, "/verify/" + e.ids["claimed"]: monitor,
			"/sessions/" + e.ids["running"]: team, "/sessions/" + e.ids["graded"]: team, "/sessions/" + e.ids["proposed"]: team, "/events/ev/report": manager, "/events/ev/report/fi": team,
			"/events/ev/vault/PT_node": team, "/audit": auditor, "/audit?by=team&from=x": auditor, "/workbench": manager, "/passkeys": monitor,
			"/suites": team, "/suites/AS4-CONN": team, "/runs/" + e.runs.ids["over"] + "?with=" + e.runs.ids["earlier"]: team, "/runs/" + e.runs.ids["waiting"]: team, "/evidence/" + e.runs.ids["message"]: team,
			"/evidence/" + e.runs.ids["public"]: team, "/countries/fi": team} {
			page := labGet(t, c, server.URL+"/"+lang+"/lab"+path)
			for _, bad := range []string{"[lab.", "{{", "<nil>", "%!", "ZgotmplZ", "no value"} {
				if i := strings.Index(page, bad); i >= 0 {
					t.Errorf("/%s/lab%s shows %q: …%s…", lang, path, bad, page[max(0, i-60):min(len(page), i+80)])
				}
			}
			if strings.Count(page, "<h1") != 1 {
				t.Errorf("/%s/lab%s has %d main headings", lang, path, strings.Count(page, "<h1"))
			}
		}
	}
}

func TestEveryLabMessageExists(t *testing.T) {
	english := catalogue(t, "en")
	named := regexp.MustCompile(`\btt? "([a-z0-9_.]+)"`)
	files, err := fs.Glob(labFiles, "templates/lab/*.html")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := labFiles.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(raw), -1) {
			if english[m[1]] == "" {
				t.Errorf("%s names the message %q, which messages/en.toml does not hold", file, m[1])
			}
		}
	}
}

// A verdict given on the page is a fact, and the matrix shows it.
func TestAVerdictOnThePageBecomesAFact(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	at := signedInAs(t, server.URL, "monitor AT")
	r, err := at.PostForm(server.URL+"/en/lab/verify/"+e.ids["claimed"], url.Values{"do": {"grade"}, "system0": {"FI_node"}, "outcome0": {"verified"},
		"system1": {"PT_node"}, "outcome1": {"failed"}, "failing1": {"R-EDM-RESP-S001"}, "cause1": {"own"}})
	if err != nil || r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the verdict is refused: %v, %v", r.StatusCode, err)
	}
	r.Body.Close()
	verdicts := map[string]int{}
	for f, err := range e.facts.Facts(t.Context(), ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Fact.Kind == ledger.Verdict && f.Fact.PointsAt == "peer:"+e.ids["claimed"]+":PT_node" && f.Fact.Body.Outcome == "failed" && slices.Contains(f.Fact.Body.Causes, "own") {
			verdicts["PT"]++
		}
		if f.Fact.Kind == ledger.Verdict && f.Fact.PointsAt == "peer:"+e.ids["claimed"]+":FI_node" && f.Fact.Body.Outcome == "verified" {
			verdicts["FI"]++
		}
	}
	if verdicts["PT"] != 1 || verdicts["FI"] != 1 {
		t.Errorf("the ledger holds %v", verdicts)
	}
	if page := labGet(t, at, server.URL+"/en/lab/events/ev/matrix"); !strings.Contains(page, `aria-label="FI – PT: verified 1/5"`) {
		t.Error("the matrix does not show the pair's best test")
	}
}

// A live page hears of a change, and whoever has not signed in hears nothing.
func TestTheStreamTellsOfChanges(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	if r, err := http.Get(server.URL + "/lab/events/ev/changes"); err != nil || r.StatusCode != http.StatusForbidden {
		t.Fatalf("a visitor gets %v, %v", r, err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/lab/events/ev/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := signedInAs(t, server.URL, "manager").Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	next := func() string {
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				return id
			}
		}
		t.Fatalf("the stream ends: %v", lines.Err())
		return ""
	}
	first := next()
	if err := e.Accept(ctx, labAccounts["team PT"], e.ids["proposed"]); err != nil {
		t.Fatal(err)
	}
	if second := next(); second == first {
		t.Errorf("the change has the number of the one before: %s", second)
	}
}
