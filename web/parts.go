package web

import (
	"html"
	"html/template"
	"strings"

	am "github.com/once-only/oots/acceleratormeter"
)

// The three parts of the board that stand there thirty times are written by
// hand: they are most of the page, and a template takes three times as long.

// named is a flag with the country's name in a span of class nm.
func (s *site) named(b *strings.Builder, l *lang, code, note string) {
	b.WriteString(string(s.flag(code)))
	b.WriteString(`<span class="nm">`)
	b.WriteString(html.EscapeString(l.Country(code)))
	b.WriteString(note)
	b.WriteString(`</span>`)
}

// toCountry begins a link to a country, on the date of the view.
func (v *view) toCountry(b *strings.Builder, class, code string) {
	b.WriteString(`<a class="` + class + `" href="`)
	b.WriteString(html.EscapeString(v.Href("/countries/" + asciiLower(code))))
	b.WriteString(`">`)
}

// Chip is a country on the board.
func (v *view) Chip(c chip) template.HTML {
	var b strings.Builder
	l := v.Lang
	class, note := "chip", ""
	if v.Site.eea[c.Code] {
		class, note = "chip eea", `<span class="vh"> (`+string(l.T("eea.note"))+`)</span>`
	}
	v.toCountry(&b, class, c.Code)
	v.Site.named(&b, l, c.Code, note)
	if c.Basis == am.ByDecision {
		b.WriteString(`<span class="by">` + string(l.T("basis.short")) + `</span>`)
	}
	switch {
	case c.Gain > 0:
		b.WriteString(`<span class="gain num"><span aria-hidden="true">▲ ` + itoa(c.Gain) + `</span><span class="vh"> ` + string(l.T("gain.up", "n", c.Gain)) + `</span></span>`)
	case c.Gain < 0:
		b.WriteString(`<span class="gain num"><span aria-hidden="true">▼ ` + itoa(-c.Gain) + `</span><span class="vh"> ` + string(l.T("gain.down", "n", -c.Gain)) + `</span></span>`)
	}
	b.WriteString(`</a>`)
	return template.HTML(b.String())
}

// Card is the small journey of a country.
func (v *view) Card(j journey) template.HTML {
	var b strings.Builder
	level := "–"
	if j.Level > 0 {
		level = itoa(j.Level)
	}
	v.toCountry(&b, "mult l"+itoa(j.Level), j.Code)
	b.WriteString(`<span class="hd">`)
	v.Site.named(&b, v.Lang, j.Code, "")
	b.WriteString(`<b class="num"><span class="vh">` + string(v.Lang.T("mult.now")) + ` </span>` + level + `</b></span>`)
	b.WriteString(string(j.Spark))
	b.WriteString(`</a>`)
	return template.HTML(b.String())
}

// square is the numbered square of a level with its name.
func square(l *lang, level int) string {
	if level == 0 {
		return `<span class="lv l0">–</span><span class="nm">` + string(l.level(0)) + `</span>`
	}
	return `<span class="lv l` + itoa(level) + `">` + itoa(level) + `</span><span class="nm">` + string(l.level(level)) + `</span>`
}

// Row is a country in the table of levels.
func (v *view) Row(r boardRow) template.HTML {
	var b strings.Builder
	l := v.Lang
	b.WriteString(`<tr><th scope="row">` + string(v.Site.flag(r.Code)) + ` `)
	v.toCountry(&b, "", r.Code)
	b.WriteString(html.EscapeString(l.Country(r.Code)) + `</a></th><td>`)
	if len(r.Country.Own) > 0 {
		b.WriteString(`<span lang="` + r.Country.Own[0].Lang + `">` + html.EscapeString(r.Country.Own[0].Name) + `</span>`)
	}
	b.WriteString(`</td><td>` + square(l, r.Entry.Level))
	if r.Basis == am.ByDecision {
		b.WriteString(` <span class="tag">` + string(l.T("basis.decision")) + `</span>`)
	}
	since, before := "–", "–"
	if r.Entry.Level > 0 {
		since = html.EscapeString(l.Date(r.Entry.Since))
	}
	if r.Before > 0 {
		before = string(l.T("level.which", "number", r.Before))
	}
	b.WriteString(`</td><td class="num">` + since + `</td><td class="num">` + before + `</td></tr>`)
	return template.HTML(b.String())
}
