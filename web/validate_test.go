package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/once-only/oots/browsertest"
	"github.com/once-only/oots/validator"
)

// keptMemory is the in-memory twin of the store of kept messages.
type keptMemory map[[32]byte]struct {
	sealed []byte
	until  time.Time
}

func (k keptMemory) Keep(_ context.Context, digest [32]byte, sealed []byte, _, until time.Time) error {
	k[digest] = struct {
		sealed []byte
		until  time.Time
	}{sealed, until}
	return nil
}

func (k keptMemory) Kept(_ context.Context, digest [32]byte, now time.Time) ([]byte, error) {
	if m, ok := k[digest]; ok && now.Before(m.until) {
		return m.sealed, nil
	}
	return nil, nil
}

func postForm(t testing.TB, h http.Handler, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	body, _ := io.ReadAll(rec.Result().Body)
	return rec.Result(), string(body)
}

// spoiledRequest is a specimen with two defects, one of them markup.
func spoiledRequest() string {
	s := strings.Replace(validator.Specimens()[0].XML, ">T2<", ">X8<", 1)
	return strings.Replace(s, "<sdg:Language>EN<", "<sdg:Language>&lt;script&gt;alert(1)&lt;/script&gt;<", 1)
}

func TestValidatorPageJudges(t *testing.T) {
	h := newSite(t)
	r, body := postForm(t, h, "/en/validate", url.Values{"text": {spoiledRequest()}, "kind": {"auto"}})
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	for _, want := range []string{"This message would be refused", "R-EDM-REQ-C003", "R-EDM-REQ-C118", `id="L10"`, `href="#L10"`, `href="#F1"`, "Nothing of it is stored", "How to mend it", "rules passed"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "<script>alert") {
		t.Error("markup of the message reached the page")
	}
	if strings.Contains(body, `name="keep"`) {
		t.Error("a link is offered although nothing can be kept")
	}
	if r, body = postForm(t, h, "/de/validate", url.Values{"sample": {"0"}}); !strings.Contains(body, "Diese Nachricht würde angenommen") {
		t.Errorf("the sample: %d", r.StatusCode)
	}
	if r, body = postForm(t, h, "/en/validate", url.Values{}); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "There is no message yet") {
		t.Errorf("no message: %d", r.StatusCode)
	}
	if r, _ = postForm(t, h, "/en/validate", url.Values{"text": {strings.Repeat("x", mostJudged+1<<20)}}); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", r.StatusCode)
	}
	if r, body = postForm(t, h, "/en/validate", url.Values{"text": {"PK\x03\x04 not a message"}}); !strings.Contains(body, "XML-not-xml") {
		t.Errorf("a ZIP: %d", r.StatusCode)
	}
}

// A file comes as multipart; its lines keep their numbers.
func TestValidatorPageTakesAFile(t *testing.T) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	f, _ := m.CreateFormFile("file", "request.xml")
	io.WriteString(f, spoiledRequest())
	m.WriteField("text", "")
	m.Close()
	r := httptest.NewRequest("POST", "/en/validate", &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	rec := httptest.NewRecorder()
	newSite(t).ServeHTTP(rec, r)
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `<a class="jump" href="#L10">line 10`) {
		t.Errorf("%d", rec.Code)
	}
}

func TestValidatorPageGivesFiles(t *testing.T) {
	h := newSite(t)
	for format, want := range map[string]string{"json": `"refused": true`, "junit": "<testsuites>"} {
		r, body := postForm(t, h, "/en/validate", url.Values{"text": {spoiledRequest()}, "format": {format}})
		if !strings.Contains(body, want) || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %v", format, r.Header)
		}
	}
}

// A link opens the message for 30 days; what is stored alone opens nothing.
func TestValidatorPageKeepsOnlyWhatIsAsked(t *testing.T) {
	kept := keptMemory{}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	c := newConfig(t)
	c.Validations, c.Now = kept, func() time.Time { return now }
	c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"text": {spoiledRequest()}}
	if _, body := postForm(t, h, "/en/validate", form); len(kept) != 0 || !strings.Contains(body, `name="keep"`) {
		t.Fatalf("%d kept without being asked", len(kept))
	}
	form.Set("keep", "1")
	_, body := postForm(t, h, "/en/validate", form)
	if len(kept) != 1 {
		t.Fatalf("%d kept", len(kept))
	}
	_, after, _ := strings.Cut(body, "/en/validate/")
	id, _, _ := strings.Cut(after, `"`)
	if len(id) < 26 {
		t.Fatalf("link %q", id)
	}
	for digest, m := range kept {
		if bytes.Contains(m.sealed, []byte("Specimen")) || strings.Contains(string(digest[:]), id) {
			t.Error("the store can read the message")
		}
	}
	r, body := get(t, h, "/en/validate/"+id)
	if r.StatusCode != http.StatusOK || !strings.Contains(body, "R-EDM-REQ-C003") || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the link answers %d", r.StatusCode)
	}
	if r, _ = get(t, h, "/en/validate/"+strings.Repeat("A", 26)); r.StatusCode != http.StatusNotFound {
		t.Errorf("a guessed link answers %d", r.StatusCode)
	}
	now = now.Add(keptFor)
	if r, _ = get(t, h, "/en/validate/"+id); r.StatusCode != http.StatusNotFound {
		t.Errorf("after 30 days the link answers %d", r.StatusCode)
	}
	if strings.Contains(log.String(), "Specimen") || strings.Contains(log.String(), id) {
		t.Errorf("the log knows too much: %s", log.String())
	}
}

// In a browser axe finds nothing, and n and p walk through the findings with
// the line of each marked.
func TestValidatorPageInABrowser(t *testing.T) {
	c := browsertest.NewCritic(t)
	server := httptest.NewServer(newSite(t))
	defer server.Close()
	run := func(script string) string {
		t.Helper()
		got, err := chromedp.Run(c.Tab, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for range c.Settings(1360, 320) {
		c.Judge("validate", chromedp.Navigate(server.URL+"/en/validate"), chromedp.SetValue("#text", spoiledRequest()), chromedp.Submit("form[data-drop]"), chromedp.WaitVisible("#F1"))
		where := `document.activeElement.id + " " + (document.querySelector(".src .here")?.id ?? "-")`
		press := func(key string) string {
			return run(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "` + key + `", bubbles: true})); ` + where)
		}
		one, two, back := press("n"), press("n"), press("p")
		if !strings.HasPrefix(one, "F1 L") || !strings.HasPrefix(two, "F2 L") || back != one {
			t.Errorf("n goes to %q, then %q; p back to %q", one, two, back)
		}
	}
}
