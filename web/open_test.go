package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	am "github.com/once-only/oots/acceleratormeter"
)

// documents are every address for machines and frames, with its media type.
var documents = map[string]string{
	"/data/levels.csv": "text/csv", "/data/levels.json": "application/json", "/data/moves.csv": "text/csv", "/data/moves.json": "application/json",
	"/data/pairs.csv": "text/csv", "/data/pairs.json": "application/json", "/data/snapshots/12.csv": "text/csv", "/data/snapshots/2025-06-30.json": "application/json",
	"/data/catalog.jsonld": "application/ld+json", "/data/facts.schema.json": "application/schema+json",
	"/feed.atom": "application/atom+xml", "/feed.atom?lang=el": "application/atom+xml", "/countries/el/feed.atom": "application/atom+xml", "/news.atom": "application/atom+xml",
	"/badge/el.svg": "image/svg+xml", "/badge/no.svg?lang=de": "image/svg+xml", "/badge/at.json": "application/json",
	"/embed/board": "text/html", "/embed/board?lang=fr&theme=dark&at=2025-Q2": "text/html", "/embed/country/el?lang=el": "text/html", "/embed/country/no": "text/html", "/embed/matrix": "text/html",
	"/oembed?url=http%3A%2F%2Fmeter.example%2Fde%2F": "application/json+oembed", "/og/board.png": "image/png", "/og/el.png?lang=el": "image/png", "/og/data.png": "image/png",
	"/api/v1/meter": "application/json", "/api/v1/members/EL": "application/json", "/api/v1/milestones": "application/json", "/openapi.json": "application/openapi+json", "/docs": "text/html",
}

func TestEveryDocumentIsOpenAndKept(t *testing.T) {
	h := newSite(t)
	for path, contentType := range documents {
		r, body := get(t, h, path)
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), contentType) || body == "" {
			t.Errorf("%s: %d %s %.200s", path, r.StatusCode, r.Header.Get("Content-Type"), body)
			continue
		}
		if r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s cannot be read from another site", path)
		}
		etag := r.Header.Get("Etag")
		again := httptest.NewRequest("GET", path, nil)
		again.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, again)
		if etag == "" || strings.HasPrefix(etag, "W/") || w.Code != http.StatusNotModified {
			t.Errorf("%s: entity tag %q, then %d, want 304", path, etag, w.Code)
		}
		framed := strings.HasSuffix(r.Header.Get("Content-Security-Policy"), "frame-ancestors *")
		if framed != strings.HasPrefix(path, "/embed/") {
			t.Errorf("%s: %s", path, r.Header.Get("Content-Security-Policy"))
		}
		for _, bad := range []string{"[badge", "[feed", "[file", "[frame", "[share", "{{", "%!", "ZgotmplZ"} {
			if contentType != "image/png" && strings.Contains(body, bad) {
				t.Errorf("%s shows %s", path, bad)
			}
		}
	}
}

func TestOnlySnapshotsAreForever(t *testing.T) {
	h := newSite(t)
	for path, want := range map[string]bool{"/data/snapshots/12.csv": true, "/data/snapshots/2025-06-30.json": true, "/api/v1/meter/12": true,
		"/data/levels.csv": false, "/feed.atom": false, "/api/v1/meter": false} {
		r, _ := get(t, h, path)
		if got := strings.Contains(r.Header.Get("Cache-Control"), "immutable"); got != want {
			t.Errorf("%s: Cache-Control %q", path, r.Header.Get("Cache-Control"))
		}
	}
	r, _ := get(t, h, "/data/levels.csv")
	again := httptest.NewRequest("GET", "/data/levels.csv", nil)
	again.Header.Set("If-Modified-Since", r.Header.Get("Last-Modified"))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, again)
	if w.Code != http.StatusNotModified {
		t.Errorf("unchanged since %q: %d", r.Header.Get("Last-Modified"), w.Code)
	}
}

func TestAWrongFileGetsTheValidChoices(t *testing.T) {
	h := newSite(t)
	for path, want := range map[string]string{
		"/data/levels.xls": "levels.csv", "/data/nothing.csv": "catalog.jsonld", "/data/snapshots/1999-01-01.csv": "2025-06-30.csv", "/data/snapshots/99.csv": "number",
		"/badge/gr.svg": "use EL", "/badge/el.gif": "el.svg", "/countries/xx/feed.atom": `"EL"`, "/feed.atom?lang=ja": `"fr"`, "/badge/el.svg?at=2001-01-01": "2024-03-31",
		"/badge/el.svg?at=soon": "not a date", "/og/nothing.png": "board.png", "/og/el.gif": "el.png",
		"/oembed": "/en/matrix", "/oembed?url=https%3A%2F%2Felse.example%2F": "/en/matrix", "/oembed?url=http%3A%2F%2Fmeter.example%2Fen%2F&format=xml": "json",
		"/oembed?url=http%3A%2F%2Fmeter.example%2Fen%2F&maxwidth=wide": "pixels",
	} {
		r, body := get(t, h, path)
		if r.StatusCode < 400 || r.StatusCode >= 500 && r.StatusCode != 501 || r.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s in %.300s", path, r.StatusCode, r.Header.Get("Content-Type"), want, body)
		}
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: an error may be kept", path)
		}
	}
	for _, path := range []string{"/embed/country/gr", "/embed/board?at=soon", "/embed/board?theme=pink"} {
		if r, body := get(t, h, path); r.StatusCode < 400 || r.StatusCode >= 500 || !strings.Contains(body, "<h1") {
			t.Errorf("%s: %d %.100s", path, r.StatusCode, body)
		}
	}
}

// The same record of a country on the board, in the files and in the API.
func TestFilesAPIAndBoardAgree(t *testing.T) {
	h := newSite(t)
	_, body := get(t, h, "/data/snapshots/12.csv")
	lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header := []string{"date", "country", "iso2", "name_en", "group", "level", "level_name", "since", "evidence_url", "method_version", "status"}
	if strings.Join(lines[0], ",") != strings.Join(header, ",") || len(lines) != 31 {
		t.Fatalf("%d lines, header %v", len(lines), lines[0])
	}
	_, body = get(t, h, "/api/v1/meter/12")
	var api struct{ Snapshot am.Snapshot }
	if err := json.Unmarshal([]byte(body), &api); err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		level := entry(&api.Snapshot, line[1]).Level
		if want := map[bool]string{true: itoa(level), false: ""}[level > 0]; line[5] != want {
			t.Errorf("%s: level %q in the file, %d in the API", line[1], line[5], level)
		}
		if line[10] != "sample" {
			t.Errorf("%s is not marked as invented", line[1])
		}
		u, err := url.Parse(line[8])
		if err != nil {
			t.Fatal(err)
		}
		if r, _ := get(t, h, u.RequestURI()); r.StatusCode != http.StatusFound {
			t.Errorf("the proof page %s answers %d, want the way to the reader's language", line[8], r.StatusCode)
		}
	}
	_, all := get(t, h, "/data/levels.csv")
	if n := strings.Count(all, "\r\n"); n != 12*30+1 {
		t.Errorf("levels.csv has %d lines, want 12 snapshots of 30 countries and a header", n)
	}
}

func TestCatalogueTellsTheTruthAboutItsFiles(t *testing.T) {
	h := newSite(t)
	_, body := get(t, h, "/data/catalog.jsonld")
	var c struct {
		Datasets []struct {
			ID    string `json:"@id"`
			Title []struct {
				Lang string `json:"@language"`
			} `json:"dct:title"`
			Files []struct {
				Address  string            `json:"@id"`
				Size     map[string]string `json:"dcat:byteSize"`
				Checksum struct {
					Value map[string]string `json:"spdx:checksumValue"`
				} `json:"spdx:checksum"`
			} `json:"dcat:distribution"`
		} `json:"dcat:dataset"`
	}
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, d := range c.Datasets {
		if len(d.Title) != 4 {
			t.Errorf("%s has a title in %d languages", d.ID, len(d.Title))
		}
		for _, f := range d.Files {
			files++
			r, content := get(t, h, strings.TrimPrefix(f.Address, "http://meter.example"))
			if r.StatusCode != 200 || f.Size["@value"] != itoa(len(content)) || f.Checksum.Value["@value"] != sha256hex(content) {
				t.Errorf("%s: %d, %s octets told, %d served", f.Address, r.StatusCode, f.Size["@value"], len(content))
			}
		}
	}
	if files != 2*(3+12) {
		t.Errorf("%d files in the catalogue, want three families and twelve snapshots in two forms", files)
	}
}

func TestFeedsAreStableAndLeadSomewhere(t *testing.T) {
	h := newSite(t)
	type feed struct {
		ID      string `xml:"id"`
		Lang    string `xml:"lang,attr"`
		Entries []struct {
			ID    string `xml:"id"`
			Title string `xml:"title"`
			Link  struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"entry"`
	}
	read := func(path string) (f feed) {
		_, body := get(t, h, path)
		if err := xml.Unmarshal([]byte(body), &f); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return f
	}
	english, greek := read("/feed.atom"), read("/feed.atom?lang=el")
	if len(english.Entries) == 0 || len(english.Entries) != len(greek.Entries) || greek.Lang != "el" {
		t.Fatalf("%d and %d entries, language %s", len(english.Entries), len(greek.Entries), greek.Lang)
	}
	ids := map[string]bool{}
	for i, e := range english.Entries {
		if e.ID != greek.Entries[i].ID {
			t.Errorf("the id %s depends on the language", e.ID)
		}
		if ids[e.ID] || !strings.HasPrefix(e.ID, "tag:meter.example,2026:move/") {
			t.Errorf("id %s", e.ID)
		}
		ids[e.ID] = true
	}
	for _, f := range []feed{english, read("/countries/el/feed.atom"), read("/news.atom")} {
		for _, e := range f.Entries {
			path, _, _ := strings.Cut(strings.TrimPrefix(e.Link.Href, "http://meter.example"), "#")
			if r, _ := get(t, h, path); r.StatusCode != 200 {
				t.Errorf("%s leads to %s, which answers %d", e.Title, e.Link.Href, r.StatusCode)
			}
		}
	}
	for _, e := range read("/countries/el/feed.atom").Entries {
		if !ids[e.ID] {
			t.Errorf("%s is in the country's feed and not in the one of all", e.ID)
		}
	}
}

func TestFramesNeedNothingOfTheReader(t *testing.T) {
	h := newSite(t)
	for path := range documents {
		if !strings.HasPrefix(path, "/embed/") {
			continue
		}
		r, body := get(t, h, path)
		for _, bad := range []string{"<script", "style=", "onclick", "<form"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %s", path, bad)
			}
		}
		if r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s sets a cookie", path)
		}
		for _, want := range []string{"<time datetime=", "CC BY 4.0", `rel="canonical"`, "<h1>"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %s", path, want)
			}
		}
	}
	_, body := get(t, h, "/embed/board?theme=dark&lang=de")
	if !strings.Contains(body, `<html lang="de" data-theme="dark">`) {
		t.Errorf("theme and language are not taken: %.80s", body)
	}
}

func TestOEmbedLeadsToAFrameThatAnswers(t *testing.T) {
	h := newSite(t)
	for page, frame := range map[string]string{
		"http://meter.example/de/": "/embed/board?lang=de", "http://meter.example/en/matrix": "/embed/matrix?lang=en",
		"http://meter.example/el/countries/el?at=2025-Q2": "/embed/country/el?at=2025-Q2&amp;lang=el",
	} {
		_, body := get(t, h, "/oembed?maxwidth=400&url="+url.QueryEscape(page))
		var o struct {
			HTML  string
			Width int
		}
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(o.HTML, `src="http://meter.example`+frame+`"`) || o.Width != 400 {
			t.Errorf("%s: %s", page, body)
		}
		if r, _ := get(t, h, strings.ReplaceAll(frame, "&amp;", "&")); r.StatusCode != 200 {
			t.Errorf("%s answers %d", frame, r.StatusCode)
		}
	}
}

func TestPicturesHaveTheSizeThatSitesExpect(t *testing.T) {
	h := newSite(t)
	_, body := get(t, h, "/og/el.png?lang=el&at=2025-Q2")
	cfg, err := png.DecodeConfig(bytes.NewReader([]byte(body)))
	if err != nil || cfg.Width != 1200 || cfg.Height != 630 {
		t.Errorf("%dx%d, %v", cfg.Width, cfg.Height, err)
	}
	_, page := get(t, h, "/el/countries/el")
	if !strings.Contains(page, `<meta property="og:image" content="http://meter.example/og/el.png?lang=el">`) {
		t.Error("the country's page does not name its picture")
	}
}

func TestABadgeKeepsItsStyleWhenOpenedAlone(t *testing.T) {
	r, _ := get(t, newSite(t), "/badge/el.svg")
	if got := r.Header.Get("Content-Security-Policy"); !strings.Contains(got, "style-src 'unsafe-inline'") || !strings.Contains(got, "default-src 'none'") {
		t.Errorf("policy %q", got)
	}
}

func FuzzDocumentQuery(f *testing.F) {
	h := newSite(f)
	for _, s := range []string{"lang=el&at=2025-Q2&theme=dark", "url=http://meter.example/de/&maxwidth=3", "at=%00", "lang=../en", "url=%zz", "at=9999999999-Q9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/embed/board", "/badge/el.svg", "/oembed", "/feed.atom", "/data/levels.csv"} {
			r := httptest.NewRequest("GET", path, nil)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code >= 500 && w.Code != 501 {
				t.Errorf("%s?%q: %d %s", path, query, w.Code, w.Body)
			}
		}
	})
}

func BenchmarkDocuments(b *testing.B) {
	h := newSite(b)
	for _, path := range []string{"/data/levels.json", "/feed.atom", "/badge/el.svg", "/embed/board"} {
		b.Run(path, func(b *testing.B) {
			r := httptest.NewRequest("GET", path, nil)
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(path, w.Code)
				}
			}
		})
	}
}

func sha256hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
