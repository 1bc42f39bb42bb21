package web

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestFramesAreAccessible opens every frame and the API's page in both themes,
// from 320 to 1200 px: axe finds nothing, and nothing scrolls sideways.
func TestFramesAreAccessible(t *testing.T) {
	source := axe(t)
	ctx := browser(t)
	server := httptest.NewServer(newSite(t))
	defer server.Close()
	for _, width := range []int64{320, 800, 1200} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 600)); err != nil {
			t.Fatal(err)
		}
		for _, theme := range []string{"light", "dark"} {
			for _, frame := range []string{"/embed/board?", "/embed/board?lang=el&", "/embed/country/el?lang=de&", "/embed/country/no?", "/embed/matrix?lang=fr&", "/docs?"} {
				address := frame + "theme=" + theme
				if strings.HasPrefix(frame, "/docs") {
					if err := chromedp.Do(ctx, media(theme)); err != nil {
						t.Fatal(err)
					}
				}
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
					t.Errorf("%s, %d px:\n%s", address, width, found)
				}
				wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
				if err != nil {
					t.Fatal(err)
				}
				if wide > 0 {
					t.Errorf("%s scrolls sideways by %d px at %d px", address, wide, width)
				}
			}
		}
	}
}
