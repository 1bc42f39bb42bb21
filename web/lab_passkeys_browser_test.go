package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/once-only/oots/browsertest"
	pj "github.com/once-only/oots/projectathon"
)

// TestAPasskeyInARealBrowser: a monitor signs in, claims a test, is asked for a
// passkey, registers one in Chromium's virtual authenticator and shows it for
// the verdict, all by keyboard.
func TestAPasskeyInARealBrowser(t *testing.T) {
	c := browsertest.NewCritic(t)
	ctx := c.Tab
	e := stageEvent(t, "FI", "PT")
	now := testNow
	_, server := labServer(t, e, func(c *LabConfig) { c.PasskeysRequired, c.Now = true, func() time.Time { return now } })
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		for _, a := range actions {
			if err := chromedp.Do(ctx, a); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	eval := func(script string) string {
		t.Helper()
		var s string
		var err error
		for range 50 {
			if s, err = chromedp.Run(ctx, chromedp.Evaluate[string](script)); err == nil {
				return s
			}
			time.Sleep(100 * time.Millisecond) // the page gives way to the next one in a real browser
		}
		t.Fatalf("%s: %v", script, err)
		return ""
	}
	until := func(what, script string) {
		t.Helper()
		for range 100 {
			if eval(script) == "true" {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatalf("%s never comes:\n%s", what, eval(`document.querySelector("main").innerText`))
	}
	press := func(selector, key string) {
		t.Helper()
		for range 80 {
			if eval(`String(!!document.activeElement && document.activeElement.matches("`+selector+`"))`) == "true" {
				do(selector, chromedp.KeyEvent(key))
				return
			}
			do("tab", chromedp.KeyEvent(kb.Tab))
		}
		t.Fatalf("the keyboard never reaches %s:\n%s", selector, eval(`document.querySelector("main").innerText`))
	}
	judge := func(name string) {
		t.Helper()
		for range c.Settings(320, 1360) {
			c.Judge(name)
		}
	}
	defer func() { _ = chromedp.Do(ctx, chromedp.Navigate("about:blank")) }()

	var id webauthn.AuthenticatorID
	do("authenticator", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		made, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
			IsUserVerified: true, AutomaticPresenceSimulation: true}})
		id = made.AuthenticatorID
		return err
	}))
	signIn := func(path string) {
		t.Helper()
		c := signedInAs(t, server.URL, "monitor AT")
		for _, cookie := range c.Jar.Cookies(mustParse(t, server.URL)) {
			do("cookie", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: server.URL})
				return err
			}))
		}
		do(path, chromedp.Navigate(server.URL+path))
	}
	path := "/en/lab/verify/" + e.ids["played"]
	signIn(path)
	press("button[value=claim]", kb.Enter)
	until("the question for a first passkey", `String(!!document.querySelector("form[data-passkey=create]"))`)
	judge("stepup-first")
	press("#passkey-name", "Telephone")
	press("form[data-passkey] button", kb.Enter)
	until("the claimed test", `String(!!document.querySelector("button[value=grade]"))`)

	now = now.Add(time.Hour / 2)
	press("button[value=grade]", kb.Enter)
	until("the question for the passkey", `String(!!document.querySelector("form[data-passkey=get]"))`)
	judge("stepup")
	// A user who is not verified gets no further, and is told.
	do("not verified", verified(&id, false))
	press("form[data-passkey] button", kb.Enter)
	until("what went wrong", `String(document.querySelector("[data-said]").textContent !== "")`)
	do("verified", verified(&id, true))
	press("form[data-passkey] button", kb.Enter)
	until("the verdict", `String(!document.querySelector("form[data-passkey]") && !document.querySelector("button[value=grade]"))`)
	p, err := e.Test(t.Context(), labAccounts["monitor AT"], e.ids["played"])
	if err != nil || p.State != pj.Verified {
		t.Fatalf("the test is %s, %v\n%s", p.State, err, eval(`document.querySelector("main").innerText`))
	}
	do("passkeys", chromedp.Navigate(server.URL+"/en/lab/passkeys"))
	if text := eval(`document.querySelector("main").innerText`); !strings.Contains(text, "Telephone") || !strings.Contains(text, "last used") {
		t.Errorf("the list says:\n%s", text)
	}
	judge("passkeys")
	// The same authenticator twice is refused by the browser; the page says what to do.
	press("#passkey-name", "Again")
	press("form[data-passkey] button", kb.Enter)
	until("what went wrong", `String(document.querySelector("[data-said]").textContent !== "")`)
}

func verified(id *webauthn.AuthenticatorID, is bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: *id, IsUserVerified: is})
		return err
	})
}
