// Package browsertest shows pages to a real browser in tests, and to axe-core.
// Where one of them is missing the test is skipped, or fails with
// OOTS_TEST_ALL=1. OOTS_AXE names axe.min.js, OOTS_SHOTS a folder for a picture
// of every page that is judged.
package browsertest

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// longest is how long the browser of one test may be used.
const longest = 10 * time.Minute

// Open opens a tab, in a browser that ends with the test. The test runs beside
// others that have a browser: most of a browser's work is done by one core.
func Open(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes minutes; run without -short")
	}
	t.Parallel()
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
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, longest)
	t.Cleanup(cancel)
	return ctx
}

// missing skips a test whose tool is not installed, or fails it where nothing
// may be skipped.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("OOTS_TEST_ALL") == "1" {
		t.Fatalf("%s is missing, and OOTS_TEST_ALL=1 allows no skipping", what)
	}
	t.Skipf("%s is missing: install it to run this test", what)
}

// Critic judges the pages in a tab.
type Critic struct {
	Tab     context.Context
	t       *testing.T
	axe     string  // its source
	setting Setting // of the browser now
	glance  bool    // only the width is looked at in it
	judged  int
}

// NewCritic opens a tab and finds axe-core.
func NewCritic(t *testing.T) *Critic {
	t.Helper()
	for _, p := range []string{os.Getenv("OOTS_AXE"), "../node_modules/axe-core/axe.min.js", "/usr/lib/node_modules/axe-core/axe.min.js",
		"/usr/local/lib/node_modules/axe-core/axe.min.js", "/usr/share/nodejs/axe-core/axe.min.js"} {
		if raw, err := os.ReadFile(p); p != "" && err == nil {
			return &Critic{Tab: Open(t), t: t, axe: string(raw)}
		}
	}
	missing(t, "axe-core (npm install axe-core, then OOTS_AXE=…/axe.min.js)")
	return nil
}

// Setting is how a page is shown.
type Setting struct {
	Scheme string // light or dark
	Width  int    // px
}

func (s Setting) String() string { return fmt.Sprint(s.Scheme, "-", s.Width) }

// Settings sets the browser to light and dark in the widest and the narrowest of
// some windows (px), one after the other. In those between, where a page is laid
// out as in one of the two, it is judged by its width alone, in light. The reader
// wants no motion.
func (c *Critic) Settings(widths ...int) iter.Seq[Setting] {
	return func(yield func(Setting) bool) {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range widths {
				c.glance = width != slices.Min(widths) && width != slices.Max(widths)
				if c.glance && scheme == "dark" {
					continue
				}
				c.setting = Setting{scheme, width}
				if err := chromedp.Do(c.Tab, chromedp.EmulateViewport(int64(width), 900), media(scheme)); err != nil {
					c.t.Fatal(err)
				}
				if !yield(c.setting) {
					return
				}
			}
		}
	}
}

// media sets what the reader's system asks for.
func media(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	})
}

const (
	runAxe = `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"], resultTypes: ["violations"], iframes: false, preload: false})
	.then(r => r.violations.map(v => v.id + ": " + v.nodes.slice(0,3).map(n => n.target.join(" ") + " " + (n.any[0]||n.all[0]||n.none[0]||{message:""}).message).join(" | ")).join("\n"))`
	// sideways names what is wider than the page and not meant to scroll; empty
	// when the page is as wide as the window.
	sideways = `document.documentElement.scrollWidth <= document.documentElement.clientWidth ? "" :
	document.documentElement.scrollWidth - document.documentElement.clientWidth + " px: " + [...document.querySelectorAll("main *,header *,footer *")]
		.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll,pre,.nav")).slice(0,3).map(e => e.tagName + "." + e.className).join(" ")`
)

// Visit judges the page at an address.
func (c *Critic) Visit(name, address string) {
	c.t.Helper()
	c.Judge(name, chromedp.Navigate(address))
}

// Judge judges the page that some steps lead to: axe finds nothing, and it does
// not scroll sideways.
func (c *Critic) Judge(name string, steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	for _, step := range steps {
		if err := chromedp.Do(c.Tab, step); err != nil {
			c.t.Fatalf("%s, %s: %v", name, c.setting, err)
		}
	}
	if !c.glance {
		if found := c.ask(name, c.axe+";\n"+runAxe); found != "" {
			c.t.Errorf("%s, %s:\n%s", name, c.setting, found)
		}
	}
	if wide := c.ask(name, sideways); wide != "" {
		c.t.Errorf("%s, %s scrolls sideways by %s", name, c.setting, wide)
	}
	c.judged++
	dir := os.Getenv("OOTS_SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(c.Tab, chromedp.FullScreenshot(100))
	if err == nil {
		called := fmt.Sprintf("%s-%03d-%.60s-%s.png", c.t.Name(), c.judged, name, c.setting)
		plain := strings.NewReplacer("/", "_", "?", "_", "&", "_", "=", "-", "%", "", " ", "_").Replace(called)
		err = os.WriteFile(filepath.Join(dir, plain), picture, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// ask asks the page. One that just gives way to the next one cannot answer; then
// the next one is asked.
func (c *Critic) ask(name, script string) (said string) {
	c.t.Helper()
	var err error
	for range 20 {
		if said, err = chromedp.Run(c.Tab, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise)); err == nil {
			return said
		}
		time.Sleep(100 * time.Millisecond) // the browser is real
	}
	c.t.Fatalf("%s, %s: %v", name, c.setting, err)
	return ""
}
