package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestLanguageIsChosenOnce(t *testing.T) {
	h := newSite(t)
	for _, c := range []struct{ accept, want string }{
		{"fr-BE,fr;q=0.9,en;q=0.5", "fr"}, {"de-AT", "de"}, {"el", "el"}, {"ja", "en"}, {"", "en"}, {"*;q=0.1", "en"},
	} {
		r := httptest.NewRequest("GET", "/?at=2025-Q2", nil)
		r.Header.Set("Accept-Language", c.accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got, want := w.Header().Get("Location"), "/"+c.want+"/?at=2025-Q2"; w.Code != http.StatusFound || got != want {
			t.Errorf("Accept-Language %q: %d to %q, want 302 to %q", c.accept, w.Code, got, want)
		}
		if w.Header().Get("Vary") != "Accept-Language" {
			t.Errorf("the choice varies by Accept-Language, the answer says %q", w.Header().Get("Vary"))
		}
	}
}

func get(t *testing.T, h http.Handler, path string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(b)
}

// addresses are every page once, with the views of it that matter.
var addresses = []string{"", "?at=2025-Q2", "?compare=2025-Q4", "?view=table", "history", "history?country=DE&level=3", "countries", "countries?sort=name",
	"countries/at", "countries/el", "countries/no", "countries/fi?at=2025-Q1", "matrix", "matrix?sort=region&pair=DE-FR", "events", "news", "news?page=1",
	"news/snapshot-12", "methodology", "recomputed", "recomputed?at=2025-Q2&criteria=AM-1-strict", "snapshots/12", "facts/sample:AT-00001",
	"data", "embed", "embed?what=country&country=EL&lang=el&theme=dark", "corrections", "validate", "accessibility", "privacy", "status", "about"}

func TestEveryPageInEveryLanguage(t *testing.T) {
	h := newSite(t)
	for _, lang := range []string{"en", "de", "fr", "el"} {
		for _, a := range addresses {
			r, body := get(t, h, "/"+lang+"/"+a)
			if r.StatusCode != http.StatusOK {
				t.Errorf("/%s/%s answers %d", lang, a, r.StatusCode)
				continue
			}
			for _, bad := range []string{"[", "{{", "&lt;span", "&lt;b&gt;", "<nil>", "%!", "ZgotmplZ", "no value"} {
				if i := strings.Index(visible(body), bad); i >= 0 {
					t.Errorf("/%s/%s shows %q: …%s…", lang, a, bad, visible(body)[max(0, i-40):min(len(visible(body)), i+80)])
				}
			}
			if strings.Count(body, "<h1") != 1 {
				t.Errorf("/%s/%s has %d main headings", lang, a, strings.Count(body, "<h1"))
			}
		}
	}
}

// visible is a page without the code samples, which may hold anything.
func visible(page string) string { return samples.ReplaceAllString(page, "") }

var samples = regexp.MustCompile(`(?s)<pre.*?</pre>|<script.*?</script>`)

// A comparison changes what is compared, not what moved in twelve months.
func TestComparisonLeavesTheYearAlone(t *testing.T) {
	h := newSite(t)
	moved := regexp.MustCompile(`<dt>Moved up in 12 months</dt><dd>(\d+)</dd>`)
	_, plain := get(t, h, "/en/")
	_, compared := get(t, h, "/en/?compare=2026-Q3")
	a, b := moved.FindStringSubmatch(plain), moved.FindStringSubmatch(compared)
	if a == nil || b == nil || a[1] != b[1] {
		t.Errorf("moved up in 12 months: %v alone, %v compared", a, b)
	}
	if !strings.Contains(compared, `class="ghost"`) || strings.Contains(plain, `class="ghost"`) {
		t.Error("ghosts belong to a comparison alone")
	}
}
