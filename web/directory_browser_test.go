package web

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/once-only/oots/browsertest"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/lcm/lcmtest"
	"github.com/once-only/oots/commonservices/seed"
)

// TestDirectoryPagesAreAccessible opens every page of the directory and of a
// clerk in light and dark wide and narrow: axe finds nothing, and nothing
// scrolls sideways.
func TestDirectoryPagesAreAccessible(t *testing.T) {
	c := browsertest.NewCritic(t)
	s := newDirectorySite(t, nil)
	s.enterBrowser(t, c.Tab, "DE")
	pages := append(append([]string{}, directoryAddresses[:len(directoryAddresses)-1]...), clerkAddresses...)
	for range c.Settings(1360, 820, 320) {
		for i, page := range pages {
			c.Visit(page, s.URL+"/"+[]string{"en", "de", "el", "fr"}[i%4]+"/"+page)
		}
	}
}

// TestDirectoryStatesAreAccessible shows axe what only happens on the way: the
// door, a form with faults, checks while typing, a preview, a tried file, a
// difference.
func TestDirectoryStatesAreAccessible(t *testing.T) {
	c := browsertest.NewCritic(t)
	s := newDirectorySite(t, nil)
	part := s.manager.Part("DE")
	table := lcm.TableNamed("providers")
	row := table.Row(part, table.Keys(part)[0])
	row["city"] = "Hamburg"
	next, err := table.Put(part, table.Keys(part)[0], row)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.manager.Replace(t.Context(), lcm.Author{Party: "clerk:DE/7", How: lcm.ByScreen}, s.manager.DataSet().Revision, next)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.manager.Submit(t.Context(), lcm.Author{Party: "AP_DE_DEMO_01", How: lcm.ByAS4}, "DE", []byte("<x/>")); err == nil {
		t.Fatal("rubbish is accepted")
	}
	entered := false
	for range c.Settings(1360, 820, 320) {
		if !entered {
			c.Judge("the door", chromedp.Navigate(s.URL+"/en/clerk"))
			c.Judge("the door, closed", chromedp.SendKeys("#token", "oots_x"), chromedp.Click("form.box button.main"), chromedp.WaitVisible("#wrong"))
			s.enterBrowser(t, c.Tab, "DE")
			entered = true
		}
		c.Judge("the country's tables", chromedp.Navigate(s.URL+"/en/clerk"))
		c.Judge("a form with faults", chromedp.Navigate(s.URL+"/en/clerk/procedures?row="), chromedp.Click(`button[value="save"]`), chromedp.WaitVisible("#wrong"))
		c.Judge("a value that cannot be read", chromedp.Navigate(s.URL+"/en/clerk/data-services?row="), chromedp.SendKeys("#f-distributions", "application/pdf English"), chromedp.Click(`button[value="save"]`), chromedp.WaitVisible("#f-distributions-w"))
		c.Judge("a preview", chromedp.Navigate(s.URL+"/en/clerk/procedures"), chromedp.Click("tbody a"), chromedp.WaitVisible(`button[value="answers"]`), chromedp.Click(`button[value="answers"]`), chromedp.WaitVisible("pre.xml"))
		c.Judge("a difference", chromedp.Navigate(s.URL+"/en/clerk/history?n="+itoa(r.Number)), chromedp.WaitVisible("ins"))
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
	ctx := browsertest.Open(t)
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
