// Package chart draws the charts of the site as SVG on the server: the level
// meter, a country's journey and an event's burn-up.
//
// Every chart has role="img" with a title and a description; the table beside
// it is the page's. Colours come from CSS classes (l1 to l6 and those of
// chart.css), and a number or a name always says the same as the colour. Places
// along the x axis are per cent of the width, so that letters keep their size
// from 320 px to wide. The package knows no language: all words are given to it.
package chart

import (
	_ "embed"
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

// CSS styles the charts; it expects the site's colour tokens (--ink, --edge,
// --on-level …) and the classes l1 to l6 that set --c.
//
//go:embed chart.css
var CSS string

// Words are what a chart says to those who do not see it, and its id, unique
// on the page.
type Words struct {
	ID    string
	Title string // the finding
	Desc  string // how the chart is to be read, one sentence
}

// drawing writes SVG elements; attribute values and text are escaped.
type drawing struct{ strings.Builder }

// open starts an element: attributes as name, value, name, value …
func (d *drawing) open(name string, attrs ...any) {
	d.tag(name, attrs)
	d.WriteByte('>')
}

func (d *drawing) close(name string) { d.WriteString("</" + name + ">") }

// leaf is an element without content.
func (d *drawing) leaf(name string, attrs ...any) {
	d.tag(name, attrs)
	d.WriteString("/>")
}

// text is an element with text.
func (d *drawing) text(name, content string, attrs ...any) {
	d.tag(name, attrs)
	d.WriteByte('>')
	d.WriteString(template.HTMLEscapeString(content))
	d.close(name)
}

func (d *drawing) tag(name string, attrs []any) {
	d.WriteString("<" + name)
	for i := 0; i+1 < len(attrs); i += 2 {
		v := ""
		switch a := attrs[i+1].(type) {
		case float64:
			v = number(a)
		default:
			v = fmt.Sprint(a)
		}
		d.WriteString(" " + attrs[i].(string) + `="` + template.HTMLEscapeString(v) + `"`)
	}
}

// figure opens the svg with its words; end closes it.
func (d *drawing) figure(w Words, class string, height int) {
	d.open("svg", "class", "chart "+class, "width", "100%", "height", height, "role", "img",
		"aria-labelledby", w.ID+"-t "+w.ID+"-d", "focusable", "false")
	d.text("title", w.Title, "id", w.ID+"-t")
	d.text("desc", w.Desc, "id", w.ID+"-d")
}

func (d *drawing) end() template.HTML {
	d.close("svg")
	return template.HTML(d.String())
}

// percent is a place along the x axis: share 0 to 1 of the span between two
// margins, both in per cent.
func percent(share, from, to float64) string {
	return number(from+share*(to-from)) + "%"
}

// number writes at most two decimals.
func number(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 2, 64), "0"), ".")
}

func level(l int) string { return "l" + strconv.Itoa(l) }
