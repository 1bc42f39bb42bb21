package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/lcm/lcmtest"
	"github.com/once-only/oots/commonservices/seed"
)

// TestDirectoryPagesAreAccessible opens every page of the directory and of a
// clerk in light and dark at three widths: axe finds nothing, and nothing
// scrolls sideways.
func TestDirectoryPagesAreAccessible(t *testing.T) {
	source := axe(t)
	ctx := browser(t)
	s := newDirectorySite(t, nil)
	s.enterBrowser(t, ctx, "DE")
	shots := os.Getenv("OOTS_SHOTS")
	pages := append(append([]string{}, directoryAddresses[:len(directoryAddresses)-1]...), clerkAddresses...)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1360, 820, 320} {
			if err := chromedp.Do(ctx, media(scheme), chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			for i, page := range pages {
				lang := []string{"en", "de", "el", "fr"}[i%4]
				if shots != "" {
					lang = "en"
				}
				address := "/" + lang + "/" + page
				if err := chromedp.Do(ctx, chromedp.Navigate(s.URL+address)); err != nil {
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
					name := strings.NewReplacer("/", "_", "?", "_", "&", "_", "=", "-", "%", "").Replace(page)
					if err := os.WriteFile(filepath.Join(shots, fmt.Sprintf("dir-%s-%d-%s.png", scheme, width, name[:min(60, len(name))])), raw, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// enterBrowser signs a clerk in with the form.
func (s *directorySite) enterBrowser(t *testing.T, ctx context.Context, country string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(s.URL+"/en/clerk"), chromedp.SendKeys("#token", s.token(country)), chromedp.Click("form.box button.main"), chromedp.WaitVisible(".tiles")); err != nil {
		t.Fatal(err)
	}
}

// TestTC11 is the test case of that number: a clerk changes a provider's
// address on the screen, and a requester's next query after the cache time
// sees it.
func TestTC11(t *testing.T) {
	ctx := browser(t)
	s := newDirectorySite(t, nil)
	now := testNow
	requester := lcmtest.Serve(t, s.manager, func() time.Time { return now }, time.Hour)
	classification, _ := seed.EvidenceType("FI", "birth-extract")
	city := func() string {
		t.Helper()
		got, err := requester.Client.DataServices(t.Context(), cs.DataServiceQuery{Classification: classification, Country: "FI"})
		if err != nil || len(got.Records) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.Records[0].AccessServices[0].Publisher.Address.PostCityName
	}
	if before := city(); before != "" {
		t.Fatalf("the provider is in %q already", before)
	}
	s.enterBrowser(t, ctx, "FI")
	if err := chromedp.Do(ctx,
		chromedp.Click(`.tiles a[href="/en/clerk/providers"]`), chromedp.WaitVisible("#find"),
		chromedp.SendKeys("#find", "Population"), chromedp.Click("form.ask button"), chromedp.WaitVisible(`#find[value="Population"]`),
		chromedp.Click("tbody a"), chromedp.WaitVisible("#f-city"),
		chromedp.SendKeys("#f-street", "Demo Street"), chromedp.SendKeys("#f-city", "Tampere"),
		chromedp.WaitVisible("#checks .done"), // checked while typing
		chromedp.Click(`button[value="save"]`), chromedp.WaitVisible(`p.done[role="status"]`)); err != nil {
		t.Fatal(err)
	}
	if got := city(); got != "" {
		t.Errorf("within the cache time the requester sees %q", got)
	}
	now = now.Add(time.Hour + time.Second)
	if got := city(); got != "Tampere" {
		t.Errorf("after the cache time the requester sees %q, want Tampere", got)
	}
	revisions, err := s.manager.Revisions(t.Context(), "FI", 0, 1)
	if err != nil || revisions[0].How != lcm.ByScreen || revisions[0].Party != "clerk:FI/7" || revisions[0].Changed != 1 {
		t.Errorf("the history says %+v, %v", revisions, err)
	}
}
