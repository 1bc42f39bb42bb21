package web

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/once-only/oots/browsertest"
)

// TestPagesAreAccessible opens every page in light and dark, wide and narrow: axe
// finds nothing, and nothing scrolls sideways.
func TestPagesAreAccessible(t *testing.T) {
	views := append([]string{"countries/gr-no", "?at=1999-01-01"}, addresses...)
	for part := range slices.Chunk(views, len(views)/2+1) { // two browsers are faster than one
		t.Run("from "+part[0], func(t *testing.T) { judgeViews(t, part) })
	}
}

func judgeViews(t *testing.T, views []string) {
	c := browsertest.NewCritic(t)
	server := httptest.NewServer(newSite(t))
	defer server.Close()
	// Every page stands in all settings; other views of the same page in the widest
	// light and the narrowest dark one.
	pages := slices.DeleteFunc(slices.Clone(views), func(a string) bool { return strings.Contains(a, "?") })
	for s := range c.Settings(1360, 820, 320) {
		shown := pages
		if s == (browsertest.Setting{Scheme: "light", Width: 1360}) || s == (browsertest.Setting{Scheme: "dark", Width: 320}) {
			shown = views
		}
		for i, page := range shown {
			lang := []string{"en", "de", "el", "fr"}[i%4]
			if page == "" {
				lang = "en"
			}
			c.Visit(page, server.URL+"/"+lang+"/"+page)
		}
	}
}

// TestPagesAreCompleteWithoutScript shows every page with script off: what a
// person reads then is all that is read with it; only buttons that need a script
// may come and go.
func TestPagesAreCompleteWithoutScript(t *testing.T) {
	ctx := browsertest.Open(t)
	server := httptest.NewServer(newSite(t))
	defer server.Close()
	read := func(page string, off bool) string {
		t.Helper()
		disable := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
			return err
		})
		if err := chromedp.Do(ctx, disable, chromedp.Navigate(server.URL+"/en/"+page)); err != nil {
			t.Fatalf("%s: %v", page, err)
		}
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelectorAll("main button").forEach(b => b.remove()), document.querySelector("main").innerText`))
		if err != nil {
			t.Fatalf("%s: %v", page, err)
		}
		return text
	}
	for _, page := range []string{"", "history", "countries", "countries/el", "matrix", "events", "methodology", "data", "validate", "facts/sample:AT-00001"} {
		with, without := read(page, false), read(page, true)
		if len(without) < 200 {
			t.Errorf("/en/%s says only %q without script", page, without)
		}
		for line := range strings.Lines(with) {
			if line = strings.TrimSpace(line); line != "" && !strings.Contains(without, line) {
				t.Errorf("/en/%s: %q is read only with script", page, line)
				break
			}
		}
	}
}
