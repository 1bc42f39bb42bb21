package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/once-only/oots/web"
)

// A student walks the seven steps over real nodes, and the document arrives.
func TestAStudentAppliesAbroad(t *testing.T) {
	w := newWorld(t, "FI", "NL")
	p := newPerson(t).applies(w, "study", "demo-alpha", "FI")
	p.goes("demo-alpha").shows(200, "Send this one", "Demo procedure portal")
	preview := p.at
	if strings.Contains(p.body, "checked") {
		t.Error("a choice is made beforehand")
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	file := p.find(`href="([^"]*/file/[^"?]*)\?download"`)
	pdf := newCopy(p).get(file)
	if !strings.HasPrefix(pdf.body, "%PDF-") || !strings.Contains(pdf.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the document is shown as %.20q under %q", pdf.body, pdf.header.Get("Content-Security-Policy"))
	}
	p.post(preview.Path, url.Values{"do": {"send"}}).shows(422, "Please choose first")
	p.get(preview.Path)
	form := url.Values{"do": {"send"}}
	for _, m := range regexp.MustCompile(`name="(piece-\d+)"`).FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], "send")
	}
	p.post(preview.Path, url.Values{"do": {"more"}, "piece-0": {"send"}}).shows(200, `value="send" checked`)
	p.post(preview.Path, form).shows(200, "This is your receipt", "SHA-256")
	p.waits(`href="[^"]*/return/[^"]*"`)
	p.get(p.find(`href="([^"]*/return/[^"]*)"`)).waits(`Received`).shows(200, "Under the hood", "Request sent", "loopback")
	link := p.find(`href="([^"]*/document/[^"]*)"`)
	shown := newCopy(p).get(link).shows(200)
	arrived := shown.get(shown.find(`href="([^"]*/file/[^"?]*)\?download"`))
	if arrived.body != pdf.body {
		t.Errorf("%d octets arrived, %d were shown", len(arrived.body), len(pdf.body))
	}
	p.post(p.at.Path, url.Values{}).shows(200, "Submit the application")
	p.post(p.at.Path, url.Values{}).shows(200, "This is your receipt", "SHA-256")
	newCopy(p).get(link).shows(404)
	// The link is used up, for its own person too.
	newPerson(t).get(preview.String()).shows(200, "Sign in once more")
}

// newCopy looks at something in another tab.
func newCopy(p *person) *person { q := *p; return &q }

// A company's representative walks, and sends nothing: nothing arrives.
func TestABusinessDecidesToSendNothing(t *testing.T) {
	w := newWorld(t, "AT", "IE")
	p := newPerson(t)
	p.lang = "de"
	p.applies(w, "business", "demo-delta", "AT").goes("demo-delta").shows(200, "Nicht senden")
	p.post(p.at.Path, url.Values{"do": {"nothing"}}).shows(200, "Es wurde nichts gesendet")
	p.waits(`href="[^"]*/return/[^"]*"`)
	p.get(p.find(`href="([^"]*/return/[^"]*)"`)).waits(`Sie wollten nichts senden`)
	if strings.Contains(p.body, "/document/") {
		t.Error("a document arrived")
	}
}

// Links that are guessed, used, or opened by somebody else show the same pages,
// byte for byte, and never a name.
func TestHostileLinksLookAlike(t *testing.T) {
	w := newWorld(t, "FI", "NL")
	victim := newPerson(t).applies(w, "study", "demo-alpha", "FI")
	link := victim.post(victim.find(`action="([^"]*/go/[^"]*)"`), url.Values{}).shows(200).at
	guessed := *link
	guessed.Path = "/preview/00000000-0000-4000-8000-000000000000"
	same := func(what string, a, b *person, linkA, linkB *url.URL) {
		t.Helper()
		x, y := strings.ReplaceAll(a.body, linkA.Path, "LINK"), strings.ReplaceAll(b.body, linkB.Path, "LINK")
		if a.status != b.status || x != y {
			t.Errorf("%s: %d and %d, pages differ:\n%s\n---\n%s", what, a.status, b.status, web.Visible(x), web.Visible(y))
		}
		for _, name := range []string{"Alpha", "University", "diploma", "procedure portal"} {
			if strings.Contains(a.body, name) {
				t.Errorf("%s: the page tells %q", what, name)
			}
		}
	}
	first := func(u *url.URL) *person { return newPerson(t).get(u.String()) }
	same("before the sign-in", first(link), first(&guessed), link, &guessed)

	signs := func(u *url.URL, account string) *person {
		p := first(u)
		p.get(p.find(`href="([^"]*/signin)"`))
		if all := regexp.MustCompile(`href="(authorize\?[^"]*)"`).FindStringSubmatch(p.body); all != nil {
			p.get(p.find(`href="(authorize\?[^"]*)"`))
		}
		return p.signInAs(account)
	}
	other, nobody := signs(link, "demo-beta"), signs(&guessed, "demo-alpha")
	other.shows(404)
	same("another person, and a guess", other, nobody, link, &guessed)

	// Without the cookie of who signed in, nothing of the session opens.
	victim.get(victim.find(`href="([^"]*/signin)"`)).signInAs("demo-alpha").shows(200)
	file := victim.find(`href="([^"]*/file/[^"?]*)\?download"`)
	thief := newPerson(t)
	thief.at = victim.at
	thief.get(file).shows(404)
	thief.post(victim.at.Path, url.Values{"do": {"nothing"}}).shows(404)

	victim.post(victim.at.Path, url.Values{"do": {"nothing"}}).shows(200)
	same("used up", signs(link, "demo-alpha"), nobody, link, &guessed)
	// A form of another site is refused.
	forged := newCopy(victim)
	forged.client.Transport = foreign{}
	forged.post(link.Path, url.Values{"do": {"send"}, "piece-0": {"send"}}).shows(403)
}
