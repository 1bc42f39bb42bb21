package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/once-only/oots/browsertest"
	"github.com/once-only/oots/sdg"
)

// services are a portal's and a register's, each under its key.
func services(t *testing.T) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	for _, c := range []ServiceConfig{
		{Key: "requester", Name: "Demo University", Procedure: "T2", Begin: "http://portal.example/demo"},
		{Key: "provider", Name: "Demo Board of Education", Documents: [][]sdg.Text{{{Lang: "EN", Value: "Upper secondary diploma (demo)"}, {Lang: "FI", Value: "Ylioppilastutkintotodistus (demo)"}}}},
	} {
		c.BaseURL, c.Country, c.Contact, c.Demo = "https://service.example", "FI", "help@fi.example", true
		pages, err := NewService(c)
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle("/service/"+c.Key, pages)
		mux.Handle("/service/"+c.Key+"/", pages)
		if c.Key == "requester" { // both have the same assets
			mux.Handle("/assets/", pages)
		}
	}
	return mux
}

func TestServicePages(t *testing.T) {
	h := services(t)
	for path, words := range map[string][]string{
		"/service/requester?lang=en":         {"First admission", "http://portal.example/demo", "/service/requester/support"},
		"/service/requester?lang=de":         {"öffentlichen Hochschule", "Hilfe und Rückmeldung"},
		"/service/provider?lang=fr":          {"Documents que nous envoyons", `lang="en">Upper secondary diploma`},
		"/service/provider?lang=el":          {"Έγγραφα που στέλνουμε"},
		"/service/provider/support?lang=en":  {"mailto:help@fi.example", "Never send documents"},
		"/service/requester/support?lang=el": {"Βοήθεια και σχόλια"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		body := w.Body.String()
		if w.Code != 200 || strings.Contains(body, "[service.") {
			t.Errorf("%s: %d\n%s", path, w.Code, body)
		}
		for _, word := range words {
			if !strings.Contains(body, word) {
				t.Errorf("%s does not say %q", path, word)
			}
		}
	}
	for _, c := range []ServiceConfig{{}, {BaseURL: "https://a.example", Key: "k", Name: "n", Country: "FI", Contact: "c"},
		{BaseURL: "nowhere", Key: "k", Name: "n", Country: "FI", Contact: "c", Procedure: "T2"}} {
		if _, err := NewService(c); err == nil {
			t.Errorf("%+v is a service", c)
		}
	}
}

// TestServicePagesAreAccessible opens the pages in light and dark, wide and
// narrow: axe finds nothing, and nothing scrolls sideways.
func TestServicePagesAreAccessible(t *testing.T) {
	c := browsertest.NewCritic(t)
	server := httptest.NewServer(services(t))
	defer server.Close()
	for range c.Settings(1360, 320) {
		for i, path := range []string{"/service/requester", "/service/provider", "/service/provider/support"} {
			c.Visit(path, server.URL+path+"?lang="+[]string{"en", "de", "el"}[i])
		}
	}
}
