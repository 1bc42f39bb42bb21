package web

import (
	"embed"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	am "github.com/once-only/oots/acceleratormeter"
)

//go:embed messages/*.toml
var messageFiles embed.FS

// menu is the order of the languages, as the institutions list them: by each
// one's own name. A language appears when messages/{code}.toml exists.
var menu = []string{"bg", "es", "cs", "da", "de", "et", "el", "en", "fr", "ga", "hr", "it", "lv", "lt",
	"hu", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "fi", "sv"}

// lang is one language of the site with its texts, names and number forms.
type lang struct {
	Code string // "el", also the address prefix
	Name string // its own name
	tag  language.Tag

	texts     *i18n.Localizer
	plain     map[string]template.HTML // messages without placeholder or plural, ready
	countries map[string]string
	numbers   *message.Printer
	months    [12]string // as they stand after a day
	short     [12]string // alone, abbreviated
}

// loadLanguages reads every catalogue; English must be among them.
func loadLanguages() ([]*lang, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	english := map[string]bool{}
	own := map[string]map[string]*i18n.Message{}
	files, err := fs.Glob(messageFiles, "messages/*.toml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		code := strings.TrimSuffix(path.Base(file), ".toml")
		raw, err := messageFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		parsed, err := bundle.ParseMessageFileBytes(raw, code+".toml")
		if err != nil {
			return nil, fmt.Errorf("web: catalogue %s: %w", file, err)
		}
		own[code] = map[string]*i18n.Message{}
		for _, m := range parsed.Messages {
			own[code][m.ID] = m
			if code == "en" {
				english[m.ID] = true
			}
		}
	}
	if err := addTexts(bundle, own["en"], english); err != nil {
		return nil, err
	}
	if own["en"] == nil {
		return nil, fmt.Errorf("web: messages/en.toml is missing: English is what every gap falls back to")
	}
	var out []*lang
	for _, code := range menu {
		if own[code] == nil {
			continue
		}
		tag := language.MustParse(code)
		if code == "pt" {
			tag = language.MustParse("pt-PT") // pt alone means Brazil in CLDR
		}
		l := &lang{
			Code: code, Name: display.Self.Name(language.MustParse(code)), tag: tag,
			texts: i18n.NewLocalizer(bundle, code), plain: map[string]template.HTML{},
			countries: countryNames(tag), numbers: message.NewPrinter(tag),
		}
		for id := range english {
			m := own[code][id]
			missing := m == nil
			if missing {
				m = own["en"][id]
			}
			if m.One+m.Few+m.Many+m.Two+m.Zero == "" && !strings.Contains(m.Other, "{{") {
				l.plain[id] = template.HTML(m.Other)
				if missing {
					l.plain[id] = borrowed(m.Other)
				}
			}
		}
		for i := range 12 {
			l.months[i] = l.Text(fmt.Sprintf("month.%d", i+1))
			l.short[i] = l.Text(fmt.Sprintf("month.short.%d", i+1))
		}
		out = append(out, l)
	}
	return out, nil
}

// addTexts adds the meter's own English sentences to the English catalogue,
// where it has none of its own for their keys. Their placeholders stand in
// braces: {component}.
func addTexts(bundle *i18n.Bundle, own map[string]*i18n.Message, english map[string]bool) error {
	for id, text := range am.Texts() {
		if own == nil || own[id] != nil {
			continue
		}
		m := &i18n.Message{ID: id, Other: placeholder.ReplaceAllString(html.EscapeString(text), "{{.$1}}")}
		own[id], english[id] = m, true
		if err := bundle.AddMessages(language.English, m); err != nil {
			return fmt.Errorf("web: text %s: %w", id, err)
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

// borrowed marks English text that stands in for a missing translation.
func borrowed(text string) template.HTML {
	return template.HTML(`<span lang="en" class="borrowed">` + text + `</span>`)
}

// T is the message id with its placeholders filled from pairs: name, value,
// name, value. The value of "n" chooses the plural form. Messages are our own
// and may hold markup; values are escaped unless they are template.HTML. A
// message that no catalogue holds shows as its id in brackets; a test finds it.
func (l *lang) T(id string, pairs ...any) template.HTML {
	if t, ok := l.plain[id]; ok {
		return t
	}
	data := map[string]any{}
	cfg := i18n.LocalizeConfig{MessageID: id, TemplateData: data}
	for i := 0; i+1 < len(pairs); i += 2 {
		key := fmt.Sprint(pairs[i])
		switch v := pairs[i+1].(type) {
		case template.HTML:
			data[key] = string(v)
		case int:
			data[key] = l.Number(v)
			if key == "n" {
				cfg.PluralCount = v
			}
		default:
			data[key] = html.EscapeString(fmt.Sprint(v))
		}
	}
	text, tag, err := l.texts.LocalizeWithTag(&cfg)
	if err != nil && text == "" {
		return template.HTML("[" + html.EscapeString(id) + "]")
	}
	if base, _ := tag.Base(); base.String() != l.Code {
		return borrowed(text)
	}
	return template.HTML(text)
}

// Text is T without markup, for titles, attributes and drawings.
func (l *lang) Text(id string, pairs ...any) string {
	return plainText(l.T(id, pairs...))
}

// plainText drops the markup of a message.
func plainText(m template.HTML) string {
	return html.UnescapeString(markup.ReplaceAllString(string(m), ""))
}

var markup = regexp.MustCompile(`<[^>]*>`)

// Number writes n with the language's own grouping.
func (l *lang) Number(n int) string {
	if n < 1000 && n > -1000 {
		return fmt.Sprint(n)
	}
	return l.numbers.Sprint(number.Decimal(n))
}

// Percent writes part of whole as a whole percentage.
func (l *lang) Percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return l.numbers.Sprint(number.Percent(float64(part)/float64(whole), number.MaxFractionDigits(0)))
}

// Date writes a day in the language's long form: 30 June 2025.
func (l *lang) Date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	day := fmt.Sprint(t.Day())
	if t.Day() == 1 {
		day = l.Text("date.first")
	}
	return l.fill("date.long", "day", day, "month", l.months[t.Month()-1], "year", t.Year())
}

// Month writes a month and year: June 2025.
func (l *lang) Month(t time.Time) string {
	return l.fill("date.month", "month", l.short[t.Month()-1], "year", t.Year())
}

func (l *lang) fill(id string, pairs ...any) string {
	args := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i].(string)] = fmt.Sprint(pairs[i+1])
	}
	text, _, _ := l.texts.LocalizeWithTag(&i18n.LocalizeConfig{MessageID: id, TemplateData: args})
	return text
}

// Country is the country's name in this language, by its OOTS code.
func (l *lang) Country(code string) string {
	if n, ok := l.countries[code]; ok {
		return n
	}
	return code
}

// level is the name of a level; 0 is "not assessed".
func (l *lang) level(n int) template.HTML { return l.T(fmt.Sprintf("level.%d", n)) }

// year writes a year.
func (l *lang) year(y int) string { return fmt.Sprint(y) }

// sorted orders country codes by name, by this language's collation.
func (l *lang) sorted(codes []string) []string {
	out := slices.Clone(codes)
	c := collate.New(l.tag)
	slices.SortStableFunc(out, func(a, b string) int { return c.CompareString(l.Country(a), l.Country(b)) })
	return out
}

// negotiate picks the language of a reader by Accept-Language, English at last.
func (s *site) negotiate(r *http.Request) *lang {
	tags := make([]language.Tag, 0, len(s.langs))
	order := slices.Clone(s.langs)
	slices.SortStableFunc(order, func(a, b *lang) int { // the first is the fallback
		return btoi(b.Code == "en") - btoi(a.Code == "en")
	})
	for _, l := range order {
		tags = append(tags, language.MustParse(l.Code))
	}
	header := r.Header.Get("Accept-Language")
	if len(header) > 1000 {
		header = ""
	}
	_, i := language.MatchStrings(language.NewMatcher(tags), header)
	return order[i]
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// language returns the language of an address such as /el/history, or the
// reader's own.
func (s *site) language(r *http.Request) *lang {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	for _, l := range s.langs {
		if l.Code == first {
			return l
		}
	}
	return s.negotiate(r)
}

// chooseLanguage answers / and every page address without a language: on to
// the reader's language, with the query kept.
func (s *site) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	to := "/" + s.negotiate(r).Code + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	w.Header().Set("Vary", "Accept-Language")
	w.Header().Set("Cache-Control", "private, max-age=300")
	http.Redirect(w, r, to, http.StatusFound)
}
