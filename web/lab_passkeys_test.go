package web

import (
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/access/passkey"
	"github.com/once-only/oots/access/passkey/passkeytest"
	pj "github.com/once-only/oots/projectathon"
)

var (
	optionsIn = regexp.MustCompile(`data-passkey="([a-z]+)" data-options="([^"]*)"`)
	heldIn    = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// asked is a page that asks for a passkey: how, with which options, and the
// fields that its form keeps.
func asked(t testing.TB, page string) (how string, options []byte, form url.Values) {
	t.Helper()
	m := optionsIn.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the page asks for no passkey:\n%s", page)
	}
	form = url.Values{}
	for _, f := range heldIn.FindAllStringSubmatch(page, -1) {
		form.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	return m[1], []byte(html.UnescapeString(m[2])), form
}

// posted is what a form is answered with.
func posted(t testing.TB, c *http.Client, address string, form url.Values) (status int, page string) {
	t.Helper()
	r, err := c.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(raw)
}

// registerPasskey gives the account of a browser its first passkey, by its page.
func registerPasskey(t testing.TB, c *http.Client, base string) *passkeytest.Authenticator {
	t.Helper()
	_, options, form := asked(t, labGet(t, c, base+"/en/lab/passkeys"))
	a := passkeytest.NewAuthenticator(t, base, "localhost")
	form.Set("passkey", string(a.Create(t, options)))
	form.Set("passkey_name", "Key ring")
	if status, page := posted(t, c, base+"/en/lab/passkeys", form); status != http.StatusSeeOther {
		t.Fatalf("the passkey is refused with %d:\n%s", status, page)
	}
	return a
}

// anotherPasskey is the id of a fresh passkey of an account that has one.
func anotherPasskey(t testing.TB, s *lab, account string) string {
	t.Helper()
	party := labAccounts[account].Party
	keys, err := s.c.Passkeys.Of(t.Context(), party)
	if err != nil || len(keys) == 0 {
		t.Fatalf("%s has %v, %v", account, keys, err)
	}
	for _, k := range keys {
		if k.Name == "spare" || k.Name == "other" {
			return k.ID
		}
	}
	k := keys[0]
	k.ID, k.Name = secret(), "spare"
	if err := s.c.Passkeys.Add(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	return k.ID
}

// A monitor without a passkey, where one is required, is led to register one
// and gets on with what was begun; later decisions ask again after ten minutes.
func TestADecisionAsksForAPasskey(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	now := testNow
	_, server := labServer(t, e, func(c *LabConfig) { c.PasskeysRequired, c.Now = true, func() time.Time { return now } })
	at := signedInAs(t, server.URL, "monitor AT")
	address := server.URL + "/en/lab/verify/" + e.ids["played"]
	state := func() pj.PeerState {
		t.Helper()
		p, err := e.Test(t.Context(), labAccounts["monitor AT"], e.ids["played"])
		if err != nil {
			t.Fatal(err)
		}
		return p.State
	}

	status, page := posted(t, at, address, url.Values{"do": {"claim"}, "passkey_name": {"x"}})
	how, options, form := asked(t, page)
	if status != http.StatusForbidden || how != "create" || form.Get("do") != "claim" || state() != pj.ToBeVerified {
		t.Fatalf("claiming without a passkey: %d, %s, %v, the test is %s", status, how, form, state())
	}
	a := passkeytest.NewAuthenticator(t, server.URL, "localhost")
	form.Set("passkey", string(a.Create(t, options)))
	form.Set("passkey_name", "Key ring")
	if status, page = posted(t, at, address, form); status != http.StatusSeeOther || state() != pj.Claimed {
		t.Fatalf("after registering: %d, the test is %s\n%s", status, state(), page)
	}
	now = now.Add(provenFor - time.Second)
	if status, _ = posted(t, at, address, url.Values{"do": {"back"}}); status != http.StatusSeeOther {
		t.Fatalf("giving back decides nothing: %d", status)
	}
	if status, _ = posted(t, at, address, url.Values{"do": {"claim"}}); status != http.StatusSeeOther || state() != pj.Claimed {
		t.Fatalf("within ten minutes: %d, the test is %s", status, state())
	}

	now = now.Add(2 * time.Second)
	verdicts := url.Values{"do": {"grade"}, "system0": {"FI_node"}, "outcome0": {"verified"}, "system1": {"PT_node"}, "outcome1": {"failed"},
		"failing1": {`R-EDM-RESP-S001 "quoted" <b>`}, "cause1": {"own"}}
	status, page = posted(t, at, address, verdicts)
	how, options, form = asked(t, page)
	if status != http.StatusForbidden || how != "get" || state() != pj.Claimed {
		t.Fatalf("after ten minutes: %d, %s, the test is %s", status, how, state())
	}
	if form.Get("passkey") != "" {
		t.Error("the page holds an answer")
	}
	form.Del("passkey")
	if form.Encode() != verdicts.Encode() {
		t.Errorf("the page holds %v of %v", form, verdicts)
	}
	// An answer from another origin is refused, the form is held on, the right one goes through.
	wrong := *a
	wrong.Origin = "https://elsewhere.example"
	form.Set("passkey", string(wrong.Get(t, options)))
	status, page = posted(t, at, address, form)
	if _, options, form = asked(t, page); status != http.StatusForbidden || !strings.Contains(page, "does not fit this site") || form.Get("cause1") != "own" || state() != pj.Claimed {
		t.Fatalf("an answer from elsewhere: %d, the test is %s\n%s", status, state(), page)
	}
	form.Set("passkey", string(a.Get(t, options)))
	form.Set("failing1", "R-EDM-RESP-S001")
	if status, page = posted(t, at, address, form); status != http.StatusSeeOther || state() != pj.Failed {
		t.Fatalf("with the passkey: %d, the test is %s\n%s", status, state(), page)
	}
	// The same answer, sent again, counts for nothing: neither for the form nor after its ten minutes.
	now = now.Add(provenFor)
	if status, page = posted(t, at, address, form); status != http.StatusForbidden || !strings.Contains(page, "too old or answered already") {
		t.Errorf("a replay gives %d", status)
	}
	trail, err := e.Audit(t.Context(), labAccounts["auditor"], pj.AuditFilter{By: "monitor:AT-7f3a"})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, l := range trail {
		if strings.Contains(string(l.What), "passkey") {
			told = append([]string{string(l.What) + " as " + string(l.As)}, told...)
		}
	}
	if fmt.Sprint(told) != "[register a passkey as monitor use a passkey as monitor]" {
		t.Errorf("the trail tells %v", told)
	}
}

// Where passkeys are offered, an account without one decides as before, and one
// that has registered is asked in every session of its own.
func TestAnOfferedPasskeyIsAskedForOnceRegistered(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	be := signedInAs(t, server.URL, "monitor BE")
	address := server.URL + "/en/lab/verify/" + e.ids["played"]
	for _, do := range []string{"claim", "back"} {
		if status, _ := posted(t, be, address, url.Values{"do": {do}}); status != http.StatusSeeOther {
			t.Fatalf("%s without a passkey gives %d", do, status)
		}
	}
	a := registerPasskey(t, be, server.URL)
	if status, _ := posted(t, be, address, url.Values{"do": {"claim"}}); status != http.StatusSeeOther {
		t.Errorf("in the session of the registration: %d", status)
	}
	if status, _ := posted(t, be, address, url.Values{"do": {"back"}}); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	other := signedInAs(t, server.URL, "monitor BE")
	status, page := posted(t, other, address, url.Values{"do": {"claim"}})
	_, options, form := asked(t, page)
	if status != http.StatusForbidden {
		t.Fatalf("in another session: %d", status)
	}
	// The answer to the question of one session is worth nothing in another.
	form.Set("passkey", string(a.Get(t, options)))
	if status, _ = posted(t, be, address, form); status != http.StatusForbidden {
		t.Errorf("the answer of another session gives %d", status)
	}
	if status, _ = posted(t, other, address, form); status != http.StatusSeeOther {
		t.Errorf("in its own session it gives %d", status)
	}
	// Whoever may not decide is told so, passkeys or not.
	if status, page := posted(t, signedInAs(t, server.URL, "team FI"), address, url.Values{"do": {"claim"}}); status != http.StatusForbidden || strings.Contains(page, "data-passkey") {
		t.Errorf("a team that claims gets %d", status)
	}
}

// Nothing about passkeys changes before one is shown: a session alone must not
// be able to add its own.
func TestPasskeysAreChangedWithAPasskey(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	s, server := labServer(t, e, func(c *LabConfig) { c.PasskeysRequired = true })
	a := registerPasskey(t, signedInAs(t, server.URL, "reviewer"), server.URL)
	id := anotherPasskey(t, s, "reviewer")
	later := signedInAs(t, server.URL, "reviewer")
	address := server.URL + "/en/lab/passkeys"
	if page := labGet(t, later, address); optionsIn.MatchString(page) {
		t.Error("a session that showed nothing is offered to register")
	}
	for _, form := range []url.Values{{"do": {"add"}}, {"do": {"rename"}, "id": {id}, "name": {"mine"}}, {"do": {"remove"}, "id": {id}}} {
		status, page := posted(t, later, address, form)
		if how, _, _ := asked(t, page); status != http.StatusForbidden || how != "get" {
			t.Errorf("%v without a passkey gives %d, %s", form, status, how)
		}
	}
	_, ask := posted(t, later, address, url.Values{"do": {"remove"}, "id": {id}})
	_, options, form := asked(t, ask)
	form.Set("passkey", string(a.Get(t, options)))
	status, page := posted(t, later, address, form)
	if status != http.StatusSeeOther {
		t.Fatalf("removing with a passkey: %d\n%s", status, page)
	}
	keys, err := s.c.Passkeys.Of(t.Context(), "commission:r1")
	if err != nil || len(keys) != 1 || keys[0].ID == id {
		t.Fatalf("left: %+v, %v", keys, err)
	}
	if status, page = posted(t, later, address, url.Values{"do": {"remove"}, "id": {keys[0].ID}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "last passkey") {
		t.Errorf("removing the last one: %d", status)
	}
	// One who has shown a passkey may add another.
	_, options, form = asked(t, labGet(t, later, address))
	form.Set("passkey", string(passkeytest.NewAuthenticator(t, server.URL, "localhost").Create(t, options)))
	form.Set("passkey_name", "Telephone")
	if status, page = posted(t, later, address, form); status != http.StatusSeeOther || !strings.Contains(labGet(t, later, address), "Telephone") {
		t.Errorf("adding another: %d\n%s", status, page)
	}
}

// Every code of a refusal has its words, in every language.
func TestEveryPasskeyRefusalHasWords(t *testing.T) {
	for _, lang := range []string{"en", "de", "fr", "el"} {
		words := catalogue(t, lang)
		for _, code := range []passkey.Code{passkey.Expired, passkey.Foreign, passkey.Cloned, passkey.Known, passkey.Wrong, passkey.Last, passkey.Unnamed, "away"} {
			for _, key := range []string{"lab.passkey." + string(code), "lab.passkey." + string(code) + ".text"} {
				if words[key] == "" {
					t.Errorf("%s has no %q", lang, key)
				}
			}
		}
		for _, f := range auditFilters {
			if words["lab.audit."+f.Name] == "" {
				t.Errorf("%s has no words for the filter %s", lang, f.Name)
			}
		}
	}
	if _, err := fs.Stat(assetFiles, "assets/passkey.js"); err != nil {
		t.Error(err)
	}
}

// An auditor finds lines by their parts, and walks to older ones.
func TestTheTrailIsSearched(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	auditor := signedInAs(t, server.URL, "auditor")
	for query, want := range map[string]string{"?by=monitor:AT&what=verify+a+test": "grades", "?on=" + e.ids["graded"]: "monitor:AT-7f3a", "?what=sign+in": "commission:a1",
		"?until=2001-01-01": "No line matches", "?from=yesterday": "is no date"} {
		if page := labGet(t, auditor, server.URL+"/en/lab/audit"+query); !strings.Contains(page, want) {
			t.Errorf("%s does not show %q", query, want)
		}
	}
	if page := labGet(t, auditor, server.URL+"/en/lab/audit?by=monitor:AT"); strings.Contains(page, "team:FI/op1") {
		t.Error("the filter lets others through")
	}
	for n := range auditLines {
		if err := e.Note(t.Context(), labAccounts["manager"], "walk", fmt.Sprint("line ", n), ""); err != nil {
			t.Fatal(err)
		}
	}
	page := labGet(t, auditor, server.URL+"/en/lab/audit")
	older := regexp.MustCompile(`href="(\?before=\d+)"`).FindStringSubmatch(page)
	if older == nil || strings.Contains(page, "endorse a registration") {
		t.Fatalf("the first page has no way to older lines")
	}
	if page := labGet(t, auditor, server.URL+"/en/lab/audit"+older[1]); !strings.Contains(page, "endorse a registration") {
		t.Error("older lines are not shown")
	}
}

// An address that sends without end is slowed down, and told so.
func TestFormsAreLimited(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	team := signedInAs(t, server.URL, "team FI")
	for n := range 200 {
		status, page := posted(t, team, server.URL+"/en/lab/sessions/"+e.ids["running"], url.Values{"do": {"nothing"}})
		if status == http.StatusTooManyRequests {
			if n < 90 || !strings.Contains(page, "Too much at once") {
				t.Errorf("after %d forms: %s", n, page)
			}
			return
		}
	}
	t.Error("nobody is slowed down")
}
