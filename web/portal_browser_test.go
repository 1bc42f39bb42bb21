package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/once-only/oots/browsertest"
)

// walker walks through the pages in a real browser, with the keyboard alone.
type walker struct {
	t      *testing.T
	critic *browsertest.Critic
}

// eval asks the page. A page that just gives way to the next one cannot answer;
// then the next one is asked.
func (w *walker) eval(script string) string {
	w.t.Helper()
	var s string
	var err error
	for range 20 {
		if s, err = chromedp.Run(w.critic.Tab, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise)); err == nil {
			return s
		}
		time.Sleep(100 * time.Millisecond) // the browser is real
	}
	w.t.Fatalf("%.80s: %v", script, err)
	return ""
}

// tab presses Tab until the focus is on what the selector names.
func (w *walker) tab(selector string) {
	w.t.Helper()
	for range 120 {
		if w.eval(fmt.Sprintf(`String(!!document.activeElement && document.activeElement.matches(%q))`, selector)) == "true" {
			return
		}
		if err := chromedp.Do(w.critic.Tab, chromedp.KeyEvent(kb.Tab)); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatalf("%s: the keyboard never reaches %s:\n%s", w.where(), selector, w.eval(`document.querySelector("main").innerText`))
}

func (w *walker) where() string { w.t.Helper(); return w.eval(`location.href`) }

// press goes to a control and presses a key there.
func (w *walker) press(selector, key string) {
	w.t.Helper()
	w.tab(selector)
	if err := chromedp.Do(w.critic.Tab, chromedp.KeyEvent(key)); err != nil {
		w.t.Fatal(err)
	}
}

// follow presses Enter on a control and waits for the page that it leads to.
func (w *walker) follow(selector, heading string) {
	w.t.Helper()
	w.press(selector, kb.Enter)
	w.arrive(heading)
}

// arrive waits for a page with these words in its heading.
func (w *walker) arrive(heading string) {
	w.t.Helper()
	last := ""
	for range 300 {
		// In between two pages there is no document to ask.
		last, _ = chromedp.Run(w.critic.Tab, chromedp.Evaluate[string](`document.readyState === "complete" ? (document.querySelector("h1")||{}).innerText || "" : ""`))
		if strings.Contains(last, heading) {
			return
		}
		time.Sleep(30 * time.Millisecond) // the nodes are real
	}
	w.t.Fatalf("%s: the heading is %q, want %q:\n%s", w.where(), last, heading, w.eval(`document.body.innerText`))
}

// look judges the page in light and dark, wide and narrow.
func (w *walker) look(name string) {
	w.t.Helper()
	for range w.critic.Settings(320, 820, 1360) {
		w.critic.Judge(name)
	}
}

// The seven steps in Chromium, with the keyboard alone; on every page axe finds
// nothing, and the PDF arrives.
func TestTheSevenStepsInABrowser(t *testing.T) {
	c := browsertest.NewCritic(t)
	n := newWorld(t, "FI", "NL", "AT", "IE", "DE", "EL")
	w := &walker{t, c}
	if err := chromedp.Do(c.Tab, chromedp.Navigate(n.portal+"/en/demo")); err != nil {
		t.Fatal(err)
	}
	w.arrive("documents that travel")
	w.look("home")
	w.follow(`button[value=study]`, "Sign in")
	w.look("1-sign-in")
	w.press(`a[href*="with=european"]`, kb.Enter)
	w.tab(`#find`)
	w.look("1-countries")
	w.follow(`a[href*="country=FI"]`, "Who are you")
	w.look("identity")
	w.follow(`button[value=demo-alpha]`, "What is needed")
	w.look("2-locate")
	w.press(`input[name=need-0]`, " ")
	w.look("2-chosen")
	w.follow(`form button.main`, "Do you want us")
	w.look("3-request")
	w.follow(`button.main`, "Do you want us") // without the tick: told why
	w.look("3-not-ticked")
	w.press(`input[name=explicit]`, " ")
	w.press(`button.main`, kb.Enter)
	w.arrive("You are leaving")
	w.look("4-leaving")
	w.follow(`button.main`, "Sign in once more")
	w.look("5-second-sign-in")
	w.press(`a.main`, kb.Enter)
	w.arrive("Who are you")
	w.follow(`button[value=demo-alpha]`, "Your documents")
	w.look("5-preview")
	w.follow(`article a[href*="/document/"]`, "")
	w.arrive("iploma")
	time.Sleep(700 * time.Millisecond) // the browser draws the document in its own process
	w.look("5-document")
	w.follow(`a[href*="/preview/"]`, "Your documents")
	w.press(`button[value=send]`, kb.Enter)
	w.arrive("Your documents")
	w.tab(`input[value=send]`)
	w.look("5-nothing-chosen")
	w.press(`input[value=send]`, " ")
	if got := w.eval(`document.querySelector("button[value=send]").textContent`); got != "Send 1 document and go back" {
		t.Errorf("the button says %q", got)
	}
	w.look("5-chosen")
	w.follow(`button[value=send]`, "Sent")
	w.arrive("Sent")
	w.look("5-receipt")
	sent := w.eval(`document.querySelector(".receipt code").textContent`)
	w.press(`a.main`, kb.Enter)
	w.arrive("What arrived")
	for range 200 {
		if w.eval(`String(!!document.querySelector("form button.main"))`) == "true" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.press(`.hood summary`, kb.Enter)
	w.look("6-arrived")
	if got := w.eval(`document.querySelector(".outcomes").innerText`); !strings.Contains(got, "PDF document") {
		t.Errorf("what arrived is %q", got)
	}
	w.follow(`form button.main`, "Check and submit")
	w.look("7-check")
	w.follow(`form button.main`, "Submitted")
	w.look("7-receipt")
	if got := w.eval(`document.querySelector(".receipt code").textContent`); got != sent || len(sent) != 64 {
		t.Errorf("the digest of what arrived is %q, of what was sent %q", got, sent)
	}
}
