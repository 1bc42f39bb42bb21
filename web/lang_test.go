package web

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
)

// catalogue reads one file of messages: plural forms joined.
func catalogue(t *testing.T, code string) map[string]string {
	t.Helper()
	var raw map[string]any
	if _, err := toml.DecodeFS(messageFiles, "messages/"+code+".toml", &raw); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for id, v := range raw {
		switch v := v.(type) {
		case string:
			out[id] = v
		case map[string]any:
			for _, form := range v {
				out[id] += form.(string) + "\n"
			}
		}
	}
	return out
}

var placeholders = regexp.MustCompile(`\{\{\.[a-z_]+\}\}`)

// distinct are the placeholders of a message, each once.
func distinct(s string) []string {
	found := placeholders.FindAllString(s, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// Every language says everything that English says, with the same placeholders
// and the same markup.
func TestCataloguesAreComplete(t *testing.T) {
	english := catalogue(t, "en")
	for id, text := range am.Texts() {
		if english[id] == "" {
			english[id] = placeholder.ReplaceAllString(text, "{{.$1}}")
		}
	}
	for _, code := range []string{"de", "fr", "el"} {
		own := catalogue(t, code)
		for id, text := range english {
			if own[id] == "" {
				t.Errorf("%s.toml has no %q (English: %s)", code, id, strings.TrimSpace(text))
				continue
			}
			if a, b := distinct(text), distinct(own[id]); !slices.Equal(a, b) {
				t.Errorf("%s.toml, %q: placeholders %v, English has %v", code, id, b, a)
			}
			if a, b := markup.FindAllString(text, -1), markup.FindAllString(own[id], -1); len(a) != len(b) {
				t.Errorf("%s.toml, %q: %d tags, English has %d", code, id, len(b), len(a))
			}
		}
		for id := range own {
			if english[id] == "" {
				t.Errorf("%s.toml says %q, which English does not know", code, id)
			}
		}
	}
}

// Every message that a template or a page names exists.
func TestEveryMessageExists(t *testing.T) {
	english := catalogue(t, "en")
	for id, text := range am.Texts() {
		english[id] += text
	}
	named := regexp.MustCompile(`\{?\(?\btt? "([a-z0-9.]+)"`)
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		raw, err := templateFiles.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(raw), -1) {
			found++
			if english[m[1]] == "" {
				t.Errorf("%s names the message %q, which messages/en.toml does not hold", file, m[1])
			}
		}
	}
	if found < 300 {
		t.Fatalf("only %d messages found in the templates: the pattern no longer fits", found)
	}
	for _, k := range ledger.Kinds {
		if english["kind."+string(k.Kind)] == "" {
			t.Errorf("no message for the kind %s", k.Kind)
		}
	}
	for _, set := range am.Sets() {
		for _, c := range set.List {
			if english[c.Key] == "" {
				t.Errorf("no message for the criterion %s", c.ID)
			}
			if english["supplier."+string(c.Supplier)] == "" {
				t.Errorf("no message for the supplier %s", c.Supplier)
			}
		}
	}
}

func languages(t *testing.T) map[string]*lang {
	t.Helper()
	list, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*lang{}
	for _, l := range list {
		out[l.Code] = l
	}
	return out
}

func TestNamesDatesAndNumbers(t *testing.T) {
	l := languages(t)
	first := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{l["en"].Country("EL"), "Greece"},
		{l["de"].Country("EL"), "Griechenland"},
		{l["el"].Country("EL"), "Ελλάδα"},
		{l["fr"].Country("CZ"), "Tchéquie"},
		{l["en"].Country("CZ"), "Czechia"},
		{l["en"].Country("MK"), "North Macedonia"},
		{l["en"].Country("TR"), "Türkiye"},
		{l["en"].Date(first), "1 May 2025"},
		{l["de"].Date(first), "1. Mai 2025"},
		{l["fr"].Date(first), "1er mai 2025"},
		{l["el"].Date(first), "1 Μαΐου 2025"},
		{l["el"].Name, "Ελληνικά"},
		{l["en"].Number(12345), "12,345"},
		{l["de"].Number(12345), "12.345"},
		{l["en"].Percent(264, 870), "30%"},
		{string(l["en"].T("news.moved", "n", 1)), "1 country moved up"},
		{string(l["en"].T("news.moved", "n", 3)), "3 countries moved up"},
		{string(l["fr"].T("news.moved", "n", 0)), "0 pays a progressé"}, // French counts 0 as singular
		{string(l["en"].T("country.decision", "reason", `<script>"x"`)), "This level was set by decision: &lt;script&gt;&#34;x&#34;"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// A text that a language lacks is English, marked as such.
func TestMissingTextIsBorrowed(t *testing.T) {
	if got := string(borrowed("Hello")); got != `<span lang="en" class="borrowed">Hello</span>` {
		t.Errorf("got %s", got)
	}
	if got := languages(t)["de"].Text("no.such.message"); got != "[no.such.message]" {
		t.Errorf("got %s", got)
	}
}
