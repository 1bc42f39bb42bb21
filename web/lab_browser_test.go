package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestLabIsAccessible opens the lab's pages in light and dark, wide and narrow:
// axe finds nothing, and nothing scrolls sideways.
func TestLabIsAccessible(t *testing.T) {
	source := axe(t)
	ctx := browser(t)
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
		for _, c := range who[as].Jar.Cookies(base) {
			r.AddCookie(c)
		}
		server.Config.Handler.ServeHTTP(w, r)
	}))
	defer front.Close()
	defer func() { _ = chromedp.Do(ctx, chromedp.Navigate("about:blank")) }() // ends the live pages
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1360, 320} {
			if err := chromedp.Do(ctx, media(scheme), chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			for _, page := range []struct{ as, path string }{
				{"visitor", ""}, {"coordinator FI", ""}, {"manager", "/events/ev"}, {"coordinator FI", "/events/ev/matrix?pair=FI-PT"}, {"monitor AT", "/events/ev/verify"},
				{"monitor AT", "/verify/" + e.ids["claimed"]}, {"coordinator FI", "/sessions/" + e.ids["running"]}, {"coordinator FI", "/sessions/" + e.ids["graded"]},
				{"manager", "/events/ev/report"}, {"coordinator FI", "/events/ev/report/fi"}, {"coordinator FI", "/events/ev/vault/PT_node"}, {"auditor", "/audit"}, {"visitor", "/audit"}, {"monitor AT", "/passkeys"},
			} {
				as = page.as
				if err := chromedp.Do(ctx, chromedp.Navigate(front.URL+"/en/lab"+page.path)); err != nil {
					t.Fatalf("%s: %v", page.path, err)
				}
				if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](source+";0")); err != nil {
					t.Fatalf("%s: axe does not load: %v", page.path, err)
				}
				found, err := chromedp.Run(ctx, chromedp.Evaluate[string](runAxe, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatalf("%s: axe does not run: %v", page.path, err)
				}
				if found != "" {
					t.Errorf("%q, %s, %d px:\n%s", page.path, scheme, width, found)
				}
				wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
				if err != nil {
					t.Fatal(err)
				}
				if wide > 0 {
					t.Errorf("%q scrolls sideways by %d px at %d px", page.path, wide, width)
				}
			}
		}
	}
}
