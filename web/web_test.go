package web

import (
	"io"
	"net/http"
	"net/http/httptest"
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

func newSite(t *testing.T) http.Handler {
	t.Helper()
	h, err := New(Config{BaseURL: "http://meter.example"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
