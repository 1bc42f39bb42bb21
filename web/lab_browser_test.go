package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/once-only/oots/browsertest"
)

// TestLabIsAccessible opens the lab's pages in light and dark, wide and narrow:
// axe finds nothing, and nothing scrolls sideways.
func TestLabIsAccessible(t *testing.T) {
	c := browsertest.NewCritic(t)
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	// The browser of the test is whoever the page is for.
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	who := map[string]*http.Client{}
	for _, name := range []string{"coordinator FI", "manager", "monitor AT", "auditor", "visitor"} {
		who[name] = signedInAs(t, server.URL, name)
	}
	as := ""
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Cookie") // of whoever was there before
		for _, c := range who[as].Jar.Cookies(base) {
			r.AddCookie(c)
		}
		server.Config.Handler.ServeHTTP(w, r)
	}))
	defer front.Close()
	defer func() { _ = chromedp.Do(c.Tab, chromedp.Navigate("about:blank")) }() // ends the live pages
	for range c.Settings(1360, 320) {
		for _, page := range []struct{ as, path string }{
			{"visitor", ""}, {"coordinator FI", ""}, {"manager", "/events/ev"}, {"coordinator FI", "/events/ev/matrix?pair=FI-PT"}, {"monitor AT", "/events/ev/verify"},
			{"monitor AT", "/verify/" + e.ids["claimed"]}, {"coordinator FI", "/sessions/" + e.ids["running"]}, {"coordinator FI", "/sessions/" + e.ids["graded"]},
			{"manager", "/events/ev/report"}, {"coordinator FI", "/events/ev/report/fi"}, {"coordinator FI", "/events/ev/vault/PT_node"}, {"auditor", "/audit"}, {"visitor", "/audit"}, {"monitor AT", "/passkeys"},
			{"visitor", "/suites"}, {"coordinator FI", "/suites"}, {"coordinator FI", "/suites/AS4-CONN"}, {"coordinator FI", "/runs/" + e.runs.ids["over"] + "?with=" + e.runs.ids["earlier"]},
			{"monitor AT", "/runs/" + e.runs.ids["over"]}, {"coordinator FI", "/runs/" + e.runs.ids["waiting"]}, {"coordinator FI", "/evidence/" + e.runs.ids["message"]}, {"visitor", "/evidence/" + e.runs.ids["message"]},
			{"visitor", "/evidence/" + e.runs.ids["public"]}, {"coordinator FI", "/countries/fi"}, {"manager", "/workbench"},
		} {
			as = page.as
			// What can be folded out is looked at unfolded.
			c.Judge(page.path+" "+page.as, chromedp.Navigate(front.URL+"/en/lab"+page.path), chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("main details").forEach(d => d.open = true)`))
		}
	}
}

// TestARunIsFollowedLive watches a run in a browser: its bar and its results
// come by themselves, what was opened stays open, and the keys walk through what
// failed.
func TestARunIsFollowedLive(t *testing.T) {
	ctx := browsertest.Open(t)
	e := stageEvent(t, "FI", "PT")
	s, server := labServer(t, e)
	systems := s.c.Tests.Systems.(*labSystems)
	systems.fault = "unsigned-receipt"
	cases := len(systems.catalogue.Suite("AS4-CONN").Cases)
	team := signedInAs(t, server.URL, "team FI")
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Cookie")
		for _, c := range team.Jar.Cookies(base) {
			r.AddCookie(c)
		}
		server.Config.Handler.ServeHTTP(w, r)
	}))
	defer front.Close()
	defer func() { _ = chromedp.Do(ctx, chromedp.Navigate("about:blank")) }() // ends the live page
	if err := chromedp.Do(ctx, chromedp.Navigate(front.URL+"/en/lab/runs/"+e.runs.ids["waiting"])); err != nil {
		t.Fatal(err)
	}
	ask := func(script string) string {
		t.Helper()
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// until waits in the page itself, for a change of it.
	until := func(condition string) string {
		t.Helper()
		return ask(`new Promise(done => {
			const look = () => (` + condition + `) && (done("yes"), true);
			if (look()) return;
			const watch = new MutationObserver(() => look() && watch.disconnect());
			watch.observe(document.documentElement, {subtree: true, childList: true, attributes: true, characterData: true});
			setTimeout(() => done("no: " + document.querySelector("main").innerText), 60000);
		})`)
	}
	if got := ask(`String(document.querySelector("progress")?.value) + " " + document.querySelectorAll(".run-log > li").length`); got != "0 0" {
		t.Fatalf("before it is played the page shows %s", got)
	}
	working := make(chan error, 1)
	go func() { _, err := s.c.Tests.Work(context.Background()); working <- err }()
	if got := until(fmt.Sprintf(`document.querySelectorAll(".run-log > li").length == %d && !document.querySelector("progress")`, cases)); got != "yes" {
		t.Fatal(got)
	}
	if err := <-working; err != nil {
		t.Fatal(err)
	}
	if got := ask(`document.querySelector("[data-status]").textContent`); !strings.Contains(got, fmt.Sprintf("%d of %d", cases, cases)) {
		t.Errorf("the end is announced as %q", got)
	}
	press := func(key string) {
		t.Helper()
		ask(`(document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "` + key + `", bubbles: true})), "")`)
	}
	here := func() string { return ask(`document.activeElement.closest("li[id]")?.id || ""`) }
	failed := strings.Fields(ask(`[...document.querySelectorAll("li[data-failed]")].map(l => l.id).join(" ")`))
	if len(failed) < 2 {
		t.Fatalf("only %v failed", failed)
	}
	ask(`(document.querySelector("#` + failed[0] + ` summary").focus(), "")`)
	press("j")
	if got := here(); got != failed[1] {
		t.Errorf("j goes to %s, not %s", got, failed[1])
	}
	press("k")
	press("e")
	if got := here() + " " + ask(`String(document.querySelector("#`+failed[0]+` details").open)`); got != failed[0]+" true" {
		t.Errorf("after k and e: %s", got)
	}
}
