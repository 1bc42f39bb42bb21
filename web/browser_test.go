package web

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// missing skips a test whose tool is not installed, or fails it where nothing
// may be skipped.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("OOTS_TEST_ALL") == "1" {
		t.Fatalf("%s is missing, and OOTS_TEST_ALL=1 allows no skipping", what)
	}
	t.Skipf("%s is missing: install it to run this test", what)
}

// browser opens one tab that all checks of a test share.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes minutes; run without -short")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		missing(t, "chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-default-apps", true), chromedp.Flag("disable-dev-shm-usage", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, close := chromedp.NewContext(ctx)
	t.Cleanup(close)
	ctx, cancel := context.WithTimeout(ctx, 7*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// axe is the source of axe-core: OOTS_AXE names the file, or an installed
// package is found.
func axe(t *testing.T) string {
	t.Helper()
	places := []string{os.Getenv("OOTS_AXE"), "../node_modules/axe-core/axe.min.js", "/usr/lib/node_modules/axe-core/axe.min.js",
		"/usr/local/lib/node_modules/axe-core/axe.min.js", "/usr/share/nodejs/axe-core/axe.min.js"}
	for _, p := range places {
		if raw, err := os.ReadFile(p); p != "" && err == nil {
			return string(raw)
		}
	}
	missing(t, "axe-core (npm install axe-core, then OOTS_AXE=…/axe.min.js)")
	return ""
}

// media sets what the reader's system asks for.
func media(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	})
}

const runAxe = `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"], resultTypes: ["violations"], iframes: false, preload: false})
	.then(r => r.violations.map(v => v.id + ": " + v.nodes.slice(0,3).map(n => n.target.join(" ") + " " + (n.any[0]||n.all[0]||n.none[0]||{message:""}).message).join(" | ")).join("\n"))`

// TestPagesAreAccessible opens every page in light and dark at three widths:
// axe finds nothing, and nothing scrolls sideways at 320 px.
func TestPagesAreAccessible(t *testing.T) {
	source := axe(t)
	ctx := browser(t)
	server := httptest.NewServer(newSite(t))
	defer server.Close()
	shots := os.Getenv("OOTS_SHOTS")
	// Every page stands in all six settings; other views of the same page in the
	// widest light and the narrowest dark one.
	views := append([]string{"countries/gr-no", "?at=1999-01-01"}, addresses...)
	var pages []string
	for _, a := range views {
		if !strings.Contains(a, "?") {
			pages = append(pages, a)
		}
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1360, 820, 320} {
			if err := chromedp.Do(ctx, media(scheme), chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			shown := pages
			if scheme == "light" && width == 1360 || scheme == "dark" && width == 320 {
				shown = views
			}
			begun := time.Now()
			for i, page := range shown {
				lang := []string{"en", "de", "el", "fr"}[i%4]
				if shots != "" || page == "" {
					lang = "en"
				}
				address := "/" + lang + "/" + page
				if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+address)); err != nil {
					t.Fatalf("%s: %v", address, err)
				}
				if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](source+";0")); err != nil {
					t.Fatalf("%s: axe does not load: %v", address, err)
				}
				found, err := chromedp.Run(ctx, chromedp.Evaluate[string](runAxe, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatalf("%s: axe does not run: %v", address, err)
				}
				if found != "" {
					t.Errorf("%s, %s, %d px:\n%s", address, scheme, width, found)
				}
				wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
				if err != nil {
					t.Fatal(err)
				}
				if wide > 0 {
					what, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("main *,header *,footer *")].filter(e=>e.getBoundingClientRect().right>innerWidth+1&&!e.closest(".scroll,pre,.nav")).slice(0,3).map(e=>e.tagName+"."+e.className).join(" ")`))
					t.Errorf("%s scrolls sideways by %d px at %d px: %s", address, wide, width, what)
				}
				if shots != "" {
					raw, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
					if err != nil {
						t.Fatal(err)
					}
					name := strings.NewReplacer("/", "_", "?", "_", "&", "_", "=", "-").Replace(page)
					if err := os.WriteFile(filepath.Join(shots, fmt.Sprintf("%s-%d-%s.png", scheme, width, "p"+name)), raw, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			t.Logf("%s, %d px: %d pages in %s", scheme, width, len(shown), time.Since(begun).Round(time.Second))
		}
	}
}

// TestPagesAreCompleteWithoutScript shows every page with script off: what a
// person reads then is all that is read with it; only buttons that need a script
// may come and go.
func TestPagesAreCompleteWithoutScript(t *testing.T) {
	ctx := browser(t)
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
