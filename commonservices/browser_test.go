package commonservices_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
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

// axe is the source of axe-core: OOTS_AXE names the file, or an installed
// package is found.
func axe(t *testing.T) string {
	t.Helper()
	for _, p := range []string{os.Getenv("OOTS_AXE"), "../node_modules/axe-core/axe.min.js", "/usr/lib/node_modules/axe-core/axe.min.js",
		"/usr/local/lib/node_modules/axe-core/axe.min.js", "/usr/share/nodejs/axe-core/axe.min.js"} {
		if raw, err := os.ReadFile(p); p != "" && err == nil {
			return string(raw)
		}
	}
	missing(t, "axe-core (npm install axe-core, then OOTS_AXE=…/axe.min.js)")
	return ""
}

const runAxe = `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"], resultTypes: ["violations"], iframes: false, preload: false})
	.then(r => r.violations.map(v => v.id + ": " + v.nodes.slice(0,3).map(n => n.target.join(" ")).join(" | ")).join("\n"))`

// TestRepositoryIsAccessible opens the pages of the Semantic Repository in light
// and dark, wide and narrow: axe finds nothing, and nothing scrolls sideways.
func TestRepositoryIsAccessible(t *testing.T) {
	source := axe(t)
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
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)

	d := newDirectory(t, seed.DataSet())
	classification, _ := seed.EvidenceType("FI", "sec-diploma")
	pages := []string{"/search", "/search?q=birth&type=Requirement", "/search?country=GR", "/codelists/DE/DemoRegistryTown", "/codelists/procedures", "/nothing"}
	for _, address := range []string{seed.Requirement("birth"), classification} {
		pages = append(pages, "/"+strings.TrimPrefix(address, cs.Repository))
	}
	for _, scheme := range []string{"light", "dark"} {
		media := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			return err
		})
		for _, width := range []int64{1360, 820, 320} {
			if err := chromedp.Do(ctx, media, chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			for i, page := range pages {
				if err := chromedp.Do(ctx, chromedp.Navigate(d.http.URL+page)); err != nil {
					t.Fatalf("%s: %v", page, err)
				}
				if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](source+";0")); err != nil {
					t.Fatalf("%s: axe does not load: %v", page, err)
				}
				found, err := chromedp.Run(ctx, chromedp.Evaluate[string](runAxe, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatalf("%s: axe does not run: %v", page, err)
				}
				if found != "" {
					t.Errorf("%s, %s, %d: %s", page, scheme, width, found)
				}
				wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
				if err != nil || wide {
					t.Errorf("%s, %d: scrolls sideways (%v)", page, width, err)
				}
				if dir := os.Getenv("OOTS_SHOTS"); dir != "" {
					shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
					if err == nil {
						err = os.WriteFile(filepath.Join(dir, strings.Join([]string{"repository", scheme, string(rune('a' + i)), map[bool]string{true: "wide", false: "narrow"}[width > 400]}, "-")+".png"), shot, 0o644)
					}
					if err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
}
