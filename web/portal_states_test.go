package web_test

import (
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/once-only/oots/web"
)

// sound fails on a page that shows what no reader should see.
func (p *person) sound() *person {
	p.t.Helper()
	text := web.Visible(p.body)
	for _, bad := range []string{"[portal", "[preview", "[journey", "[outcome", "[event", "[loa", "[procedure", "[identity", "{{", "&lt;span", "<nil>", "%!", "ZgotmplZ", "no value"} {
		if i := strings.Index(text, bad); i >= 0 {
			p.t.Errorf("%s shows %q: …%s…", p.at, bad, text[max(0, i-40):min(len(text), i+80)])
		}
	}
	if !strings.Contains(p.body, `<html lang="`+p.lang+`"`) {
		p.t.Errorf("%s is not in %s", p.at, p.lang)
	}
	return p
}

// Every page of the journey in every language, on the way that a person takes.
func TestTheJourneyInEveryLanguage(t *testing.T) {
	w := newWorld(t, "FI", "NL")
	for _, lang := range []string{"en", "de", "fr", "el"} {
		p := newPerson(t)
		p.lang = lang
		p.get(w.portal + "/demo").sound()
		p.post("/"+lang+"/demo/apply", url.Values{"office": {"study"}}).sound()
		one := p.at.Path
		p.get(p.find(`href="([^"]*)\?with=european"`) + "?with=european").sound()
		newCopy(p).get("?with=european&find=xyz").sound()
		p.get(p.find(`href="([^"]*signin\?country=FI)"`)).sound().signInAs("demo-alpha").sound()
		p.post(p.at.Path, url.Values{}).shows(422).sound()
		p.post(p.at.Path, url.Values{"need-0": {"0.0"}}).sound()
		p.post(p.at.Path, url.Values{}).shows(422).sound()
		p.post(p.at.Path, url.Values{"explicit": {"yes"}}).sound().waits(`/go/`).sound()
		newCopy(p).get(one).sound() // leads to where the application stands
		p.post(p.find(`action="([^"]*/go/[^"]*)"`), url.Values{}).sound()
		signIn := p.find(`href="([^"]*/signin)"`)
		newCopy(p).get(signIn).get(newCopy(p).get(signIn).find(`href="([^"]*error=access_denied[^"]*)"`))
		p.get(signIn).sound().signInAs("demo-alpha").sound()
		newCopy(p).get(p.find(`href="([^"]*/document/[^"]*)"`)).sound()
		p.post(p.at.Path, url.Values{"do": {"send"}}).shows(422).sound()
		p.post(p.at.Path, url.Values{"do": {"send"}, "piece-0": {"send"}, "piece-1": {"keep"}}).sound().waits(`/return/`).sound()
		p.get(p.find(`href="([^"]*/return/[^"]*)"`)).waits(`<button class="main"`).sound()
		newCopy(p).get(p.find(`href="([^"]*/document/[^"]*)"`)).sound()
		p.post(p.at.Path, url.Values{}).sound()
		p.post(p.at.Path, url.Values{}).sound()
		p.get("/" + lang + "/demo/apply/0/step/1").shows(404).sound()
		p.get("/" + lang + "/nothing").shows(404).sound()
		p.get("/return/0000").shows(404).sound()
	}
}

// Every message that a template of the journey names exists, and every one that
// it builds from parts.
func TestEveryMessageOfTheJourneyExists(t *testing.T) {
	var english map[string]any
	if _, err := toml.DecodeFile("messages/en.toml", &english); err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(os.DirFS("templates/journey"), "*.html")
	if err != nil {
		t.Fatal(err)
	}
	named, built := regexp.MustCompile(`\btt? "([a-z0-9.]+)"`), regexp.MustCompile(`print "([a-z.]+)" `)
	found := 0
	for _, f := range files {
		raw, err := os.ReadFile("templates/journey/" + f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(raw), -1) {
			if found++; english[m[1]] == nil {
				t.Errorf("%s names the message %q, which messages/en.toml does not hold", f, m[1])
			}
		}
		for _, m := range built.FindAllStringSubmatch(string(raw), -1) {
			some := false
			for id := range english {
				some = some || strings.HasPrefix(id, m[1])
			}
			if !some {
				t.Errorf("%s builds messages from %q, of which there is none", f, m[1])
			}
		}
	}
	if found < 200 {
		t.Fatalf("only %d messages found: the pattern no longer fits", found)
	}
	for _, state := range []string{"sent", "preview_required", "preview_open", "delivered", "none", "nothing", "late", "givenup", "nobody", "failed", "deferred"} {
		if english["outcome."+state] == nil || english["outcome."+state+".text"] == nil {
			t.Errorf("no words for the outcome %s", state)
		}
	}
}

// The directory's question is put in place, and its answer finds the register.
func TestADirectoryAsksAndThePersonAnswers(t *testing.T) {
	w := newWorld(t, "DE", "EL")
	p := newPerson(t)
	p.get(w.portal + "/en/demo")
	p.post("/en/demo/apply", url.Values{"office": {"pension"}})
	p.get(p.find(`href="([^"]*)\?with=european"`) + "?with=european")
	p.get(p.find(`href="([^"]*signin\?country=DE)"`)).signInAs("demo-beta").shows(200, "One question first", "In which town was the birth registered?", "HAMBURG")
	question := p.find(`name="(q-[^"]*)"`)
	p.post(p.at.Path, url.Values{"do": {"answer"}}).shows(422, "answer every question")
	p.post(p.at.Path, url.Values{"do": {"answer"}, question: {"ATLANTIS"}}).shows(422, "answer every question")
	p.post(p.at.Path, url.Values{"do": {"answer"}, question: {"HAMBURG"}}).shows(200, "Fetch it for me", "Birth certificate")
	// What the country does not issue is brought by the person.
	form := url.Values{}
	for _, m := range regexp.MustCompile(`name="(need-\d+)"`).FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], "upload")
	}
	for _, m := range regexp.MustCompile(`name="(need-\d+)" value="(\d+\.\d+)"`).FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], m[2])
	}
	p.post(p.at.Path, form).shows(200, "Do you want us to ask")
	p.post(p.at.Path, url.Values{"explicit": {"yes"}}).waits(`/go/`)
	p.post(p.find(`action="([^"]*/go/[^"]*)"`), url.Values{"do": {"giveup"}}).shows(200, "You do without it", `type="file"`)
}

// A partner that speaks line 1.2 alone brings the return address in its link.
func TestAPartnerOfTheOlderLine(t *testing.T) {
	w := newWorld(t, "EE", "IE", "AT")
	p := newPerson(t)
	p.get(w.portal + "/en/demo")
	p.post("/en/demo/apply", url.Values{"office": {"business"}})
	p.get(p.find(`href="([^"]*)\?with=european"`) + "?with=european")
	p.get(p.find(`href="([^"]*signin\?country=AT)"`)).signInAs("demo-delta")
	p.get(p.at.Path+"?country=EE").shows(200, "Fetch it for me")
	form := url.Values{}
	for _, m := range regexp.MustCompile(`name="(need-\d+)" value="(\d+\.\d+)"`).FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], m[2])
	}
	p.post(p.at.Path, form)
	p.post(p.at.Path, url.Values{"explicit": {"yes"}})
	p.waits(`/go/`).goes("demo-delta").shows(200, "Send this one")
	if p.find(`Form</dt><dd>([^<]*)`) == "" {
		t.Error("the card does not tell what the document is")
	}
	form = url.Values{"do": {"send"}}
	for _, m := range regexp.MustCompile(`name="(piece-\d+)"`).FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], "send")
	}
	p.post(p.at.Path, form).shows(200, "This is your receipt")
	p.get(p.find(`href="([^"]*/return/[^"]*)"`)).waits(`Received`).shows(200, "oots-edm:v1.2")
}

// Who signs in without an organisation cannot apply for one.
func TestABusinessNeedsARepresentative(t *testing.T) {
	w := newWorld(t, "AT", "IE")
	p := newPerson(t)
	p.get(w.portal + "/en/demo")
	p.post("/en/demo/apply", url.Values{"office": {"business"}})
	p.get(p.find(`href="([^"]*/)step/1[^"]*with=european"`)+"signin").signInAs("demo-alpha").shows(403, "This is for companies")
}

// An application belongs to the browser that began it.
func TestAnApplicationBelongsToOneBrowser(t *testing.T) {
	w := newWorld(t, "FI", "NL")
	p := newPerson(t).applies(w, "study", "demo-alpha", "FI")
	thief := newPerson(t)
	thief.at = p.at
	for _, path := range []string{p.at.Path, strings.Replace(p.at.Path, "step/4", "step/2", 1)} {
		thief.get(path).shows(404)
	}
	thief.post(p.find(`action="([^"]*/go/[^"]*)"`), url.Values{}).shows(404)
}

// The test identity provider gives a code once, to its client, at its address,
// for its verifier.
func TestTheIdentityProviderRefuses(t *testing.T) {
	h, err := web.NewTestIdentity(web.TestIdentityConfig{Issuer: "http://id.example", Clients: []web.TestIdentityClient{
		{ID: "one", Secret: "secret one", Country: "FI", Callbacks: []string{"http://one.example/callback"}}, {ID: "two", Secret: "secret two"}}})
	if err != nil {
		t.Fatal(err)
	}
	const verifier = "0123456789012345678901234567890123456789abc"
	good := url.Values{"client_id": {"one"}, "redirect_uri": {"http://one.example/callback"}, "response_type": {"code"}, "scope": {"openid"},
		"code_challenge_method": {"S256"}, "code_challenge": {challengeOf(verifier)}, "state": {"s"}, "nonce": {"n"}}
	but := func(from url.Values, name, value string) url.Values {
		c := url.Values{}
		for k, v := range from {
			c[k] = v
		}
		c.Set(name, value)
		return c
	}
	for _, bad := range []url.Values{but(good, "client_id", "three"), but(good, "redirect_uri", "http://evil.example/"), but(good, "redirect_uri", "http://one.example/callback?x"),
		but(good, "response_type", "token"), but(good, "code_challenge_method", "plain"), but(good, "code_challenge", "short"), but(good, "scope", "profile")} {
		if r := answer(h, http.MethodGet, "/authorize?"+bad.Encode(), nil); r.Code != 400 || r.Header().Get("Location") != "" {
			t.Errorf("%v is answered with %d, %q", bad, r.Code, r.Header().Get("Location"))
		}
	}
	code := func() string {
		r := answer(h, http.MethodPost, "/authorize", url.Values{"asked": {good.Encode()}, "account": {"demo-alpha"}})
		u, err := url.Parse(r.Header().Get("Location"))
		if err != nil || u.Query().Get("state") != "s" {
			t.Fatalf("%d to %v", r.Code, u)
		}
		return u.Query().Get("code")
	}
	ask := func(code string) url.Values {
		return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"http://one.example/callback"}, "client_id": {"one"},
			"client_secret": {"secret one"}, "code_verifier": {verifier}}
	}
	for _, c := range []struct {
		name string
		form url.Values
		want int
	}{
		{"another client", but(but(ask(code()), "client_id", "two"), "client_secret", "secret two"), 400},
		{"a wrong secret", but(ask(code()), "client_secret", "x"), 401},
		{"another address", but(ask(code()), "redirect_uri", "http://evil.example/"), 400},
		{"another verifier", but(ask(code()), "code_verifier", strings.Repeat("x", 43)), 400},
		{"no such code", ask("0"), 400},
		{"another grant", but(ask(code()), "grant_type", "password"), 400},
	} {
		if r := answer(h, http.MethodPost, "/token", c.form); r.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, r.Code, c.want)
		}
	}
	once := ask(code())
	if r := answer(h, http.MethodPost, "/token", once); r.Code != 200 || !strings.Contains(r.Body.String(), "id_token") {
		t.Fatalf("the right call is answered with %d: %s", r.Code, r.Body)
	}
	if r := answer(h, http.MethodPost, "/token", once); r.Code != 400 {
		t.Errorf("a code is good twice: %d", r.Code)
	}
	if r := answer(h, http.MethodGet, "/userinfo", nil); r.Code != 401 {
		t.Errorf("userinfo without a token: %d", r.Code)
	}
}

// A sign-in that is forged, swapped or of another browser signs nobody in.
func TestSignInsAreBoundToTheirBrowser(t *testing.T) {
	w := newWorld(t, "FI", "NL")
	p := newPerson(t)
	p.get(w.portal + "/en/demo")
	p.post("/en/demo/apply", url.Values{"office": {"study"}})
	p.get(p.find(`href="([^"]*/)step/1[^"]*with=european"`) + "signin?country=FI")
	asked, err := url.ParseQuery(p.find(`name="asked" value="([^"]*)"`))
	if err != nil {
		t.Fatal(err)
	}
	callback := asked.Get("redirect_uri")
	other := newPerson(t)
	for _, q := range []url.Values{{"state": asked["state"], "code": {"x"}}, {"state": {"x"}, "code": {"x"}}, {}} {
		other.get(callback+"?"+q.Encode()).shows(403, "You are not signed in")
	}
	// Its own browser with a code that was never given.
	p.get(callback + "?" + url.Values{"state": asked["state"], "code": {"x"}}.Encode()).shows(403)
	// The state was good once.
	p.get(callback+"?"+url.Values{"state": asked["state"], "code": {"x"}}.Encode()).shows(403, "You are not signed in")
}

func TestConfigurationsAreRefusedWithReasons(t *testing.T) {
	for _, err := range []error{
		second(web.NewPortal(web.PortalConfig{BaseURL: "http://portal.example"})),
		second(web.NewPortal(web.PortalConfig{BaseURL: "portal", Offices: []web.Office{{Key: "study"}}})),
		second(web.NewPreview(web.PreviewConfig{BaseURL: "http://preview.example"})),
		second(web.NewTestIdentity(web.TestIdentityConfig{Issuer: "http://id.example"})),
		second(web.NewNodeAPI(web.NodeAPIConfig{BaseURL: "http://node.example"})),
		second(web.NewOIDCSource(web.OIDCConfig{})),
		second(web.NewNodeHooks(web.NodeHooksConfig{})),
	} {
		if err == nil || len(err.Error()) < 30 {
			t.Errorf("refused with %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
