package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/once-only/oots/codelist"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/sdg"
)

// clerkTablePage is GET and POST /{lang}/clerk/{table}: its rows, or the form of
// one of them (?row=KEY, ?row= for a new one).
type clerkTablePage struct {
	Table    *lcm.Table
	Rows     []clerkRow
	Find     string
	Form     bool
	New      bool
	Key      string
	Based    int // revision that the clerk saw
	Fields   []clerkField
	Faults   []clerkFault
	Clean    bool // checked, and nothing is wrong
	Conflict bool
	Saved    string
	Answers  []clerkAnswer // what the directories would answer
}

func (p *clerkTablePage) refused() bool { return len(p.Faults) > 0 || p.Conflict }

type clerkRow struct {
	Key, Name, Note string
}

// clerkFault is one thing to mend; Field is the column it is in, if known.
type clerkFault struct {
	Field, Text, Rule string
	Elsewhere         string // another object
}

// clerkField is one value of the form.
type clerkField struct {
	lcm.Column
	Value   string
	Fixed   bool // it identifies the row and cannot change
	Wrong   string
	Options []clerkOption
	Texts   []clerkText
}

type clerkOption struct {
	Value, Text string
	On          bool
}

type clerkText struct {
	N           int
	Lang, Text  string
	LangOptions []clerkOption
}

// mostRowsShown bounds a list; the search narrows it.
const mostRowsShown = 300

func (d *directory) clerkTable(v *visit) (any, error) {
	t := lcm.TableNamed(v.value("table"))
	if t == nil {
		return nil, &problem{Status: http.StatusNotFound, Message: "error.404"}
	}
	m, err := d.own(v)
	if err != nil {
		return nil, err
	}
	part := m.Part(v.clerk().Country)
	p := &clerkTablePage{Table: t, Based: m.DataSet().Revision, Find: trim(v.Query.Get("find")), Saved: v.Query.Get("done")}
	if v.Query.Has("row") {
		p.Form, p.Key = true, v.Query.Get("row")
		row := t.Row(part, p.Key)
		if p.New = p.Key == ""; p.New {
			row = lcm.Row{}
		} else if row == nil {
			return nil, &problem{Status: http.StatusNotFound, Message: "error.404"}
		}
		p.Fields = d.fields(v, m, part, t, row, p.New)
		return p, nil
	}
	words := strings.Fields(fold(p.Find))
	for _, key := range t.Keys(part) {
		row := t.Row(part, key)
		r := clerkRow{Key: key, Name: rowName(v.Lang, t, row, key), Note: d.rowNote(v, m, part, t, row)}
		if len(p.Rows) < mostRowsShown && hasWords(fold(r.Name+" "+r.Note+" "+key), words) {
			p.Rows = append(p.Rows, r)
		}
	}
	return p, nil
}

// rowName is what a row is called: its first text in the reader's language, or
// its key.
func rowName(l *lang, t *lcm.Table, row lcm.Row, key string) string {
	for _, c := range t.Columns {
		if c.Form == lcm.Texts && row[c.Name] != "" {
			if list, err := lcm.ParseTexts(row[c.Name]); err == nil {
				text, _ := dataText(l, list)
				return text
			}
		}
	}
	return key
}

// rowNote says in few words what else tells a row from others.
func (d *directory) rowNote(v *visit, m *lcm.LifecycleManager, part *cs.Contribution, t *lcm.Table, row lcm.Row) string {
	switch t.Name {
	case "procedures":
		return row["procedure"]
	case "requirements":
		var out []string
		for _, address := range strings.Fields(row["requirements"]) {
			if r := m.DataSet().Requirement(address); r != nil {
				name, _ := dataText(v.Lang, r.Names)
				out = append(out, name)
			}
		}
		note := strings.Join(out, ", ")
		if row["nomatch"] != "" {
			return note + ": " + v.Lang.Text("clerk.nomatch")
		}
		var types []string
		for _, address := range strings.Fields(row["types"]) {
			types = append(types, rowName(v.Lang, lcm.TableNamed("evidence-types"), lcm.TableNamed("evidence-types").Row(part, address), address))
		}
		return note + ": " + strings.Join(types, " + ")
	case "data-services":
		return strings.Join(strings.Split(row["distributions"], "\n"), ", ")
	case "providers":
		return strings.TrimSpace(row["identifier"] + " " + row["city"])
	case "access-points":
		return strings.Join(strings.Split(row["lines"], "\n"), ", ")
	case "questions":
		return strings.TrimSpace(row["kind"] + " " + row["list"])
	case "code-lists":
		return row["version"]
	}
	return ""
}

// fields makes the form's fields of a row.
func (d *directory) fields(v *visit, m *lcm.LifecycleManager, part *cs.Contribution, t *lcm.Table, row lcm.Row, fresh bool) []clerkField {
	var out []clerkField
	for _, c := range t.Columns {
		f := clerkField{Column: c, Value: row[c.Name], Fixed: c.Key && !fresh}
		chosen := strings.Split(f.Value, "\n")
		switch c.Form {
		case lcm.Choice, lcm.Choices:
			f.Options = d.codes(v.Lang, c)
		case lcm.Reference, lcm.References:
			f.Options = d.references(v, m, part, c)
		case lcm.Texts:
			f.Texts = textRows(v.Lang, f.Value)
		}
		for i := range f.Options {
			o := &f.Options[i]
			if o.On = slices.Contains(chosen, o.Value); o.On {
				chosen = slices.DeleteFunc(chosen, func(s string) bool { return s == o.Value })
			}
		}
		if f.Options != nil { // a value that no list has is shown, so that it can be mended
			for _, s := range chosen {
				if s != "" {
					f.Options = append(f.Options, clerkOption{s, s, true})
				}
			}
		}
		out = append(out, f)
	}
	return out
}

var builtInLists = codelist.BuiltIn()

// codes are the choices of a code list, with their names.
func (d *directory) codes(l *lang, c lcm.Column) []clerkOption {
	list := builtInLists.List(c.List)
	var out []clerkOption
	if c.List == codelist.Procedures {
		out = append(out, clerkOption{Value: codelist.SystemCheck, Text: codelist.SystemCheck})
	}
	for row := range list.Rows() {
		text := row.Code()
		if name := row.Name(l.Code); name != "" && name != text {
			text += " – " + name
		}
		out = append(out, clerkOption{Value: row.Code(), Text: text})
	}
	return out
}

// references are the rows of another table, or the requirements of the Union.
func (d *directory) references(v *visit, m *lcm.LifecycleManager, part *cs.Contribution, c lcm.Column) []clerkOption {
	out := []clerkOption{}
	if c.List == lcm.RequirementTable {
		for _, r := range m.DataSet().Requirements {
			name, _ := dataText(v.Lang, r.Names)
			out = append(out, clerkOption{Value: r.ID, Text: name})
		}
		return out
	}
	t := lcm.TableNamed(c.List)
	for _, key := range t.Keys(part) {
		row := t.Row(part, key)
		name := rowName(v.Lang, t, row, key)
		if t.Name == "data-services" {
			name += " (" + key[:min(8, len(key))] + ")"
		}
		out = append(out, clerkOption{Value: key, Text: name})
	}
	return out
}

// textRows are the texts there are, and room for one more language.
func textRows(l *lang, value string) []clerkText {
	list, _ := lcm.ParseTexts(value)
	var out []clerkText
	for i := range len(list) + 1 {
		t := clerkText{N: i}
		if i < len(list) {
			t.Lang, t.Text = list[i].Lang, list[i].Value
		} else {
			t.Lang = unusedLanguage(l, list)
		}
		for _, code := range builtInLists.List(codelist.Language).Codes() {
			t.LangOptions = append(t.LangOptions, clerkOption{code, code, code == t.Lang})
		}
		out = append(out, t)
	}
	return out
}

// unusedLanguage suggests the language of one more text: English, the reader's,
// then any.
func unusedLanguage(l *lang, list []sdg.Text) string {
	for _, code := range append([]string{"EN", strings.ToUpper(l.Code)}, builtInLists.List(codelist.Language).Codes()...) {
		if !slices.ContainsFunc(list, func(t sdg.Text) bool { return t.Lang == code }) {
			return code
		}
	}
	return "EN"
}

// mostForm bounds a form of one row.
const mostForm = 1 << 20

// clerkSave is POST /{lang}/clerk/{table}: do is save, remove, check or typing
// (the checks of a form while somebody writes).
func (d *directory) clerkSave(v *visit) (any, error) {
	t := lcm.TableNamed(v.value("table"))
	if t == nil {
		return nil, &problem{Status: http.StatusNotFound, Message: "error.404"}
	}
	m, err := d.own(v)
	if err != nil {
		return nil, err
	}
	v.r.Body = http.MaxBytesReader(nil, v.r.Body, mostForm)
	if err := v.r.ParseForm(); err != nil {
		return nil, &problem{Status: http.StatusBadRequest, Message: "error.form", Cause: err}
	}
	part := m.Part(v.clerk().Country)
	form := v.r.PostForm
	p := &clerkTablePage{Table: t, Form: true, Key: form.Get("row")}
	p.Based, _ = strconv.Atoi(form.Get("based"))
	p.New = p.Key == ""
	row := rowOf(t, form)
	if p.New {
		for _, c := range t.Columns {
			if c.Form == lcm.UUID && row[c.Name] == "" {
				row[c.Name] = newUUID()
			}
		}
	}
	do := form.Get("do")
	var next *cs.Contribution
	var bad *lcm.CellError
	if do == "remove" {
		next = t.Remove(part, p.Key)
	} else if next, err = t.Put(part, p.Key, row); errors.As(err, &bad) {
		p.Faults = []clerkFault{{Field: bad.Column, Text: bad.Text}}
	} else if err != nil {
		return nil, err
	}
	if len(p.Faults) == 0 {
		switch do {
		case "save", "remove":
			if err = d.keep(v, m, p, next); err != nil {
				return nil, err
			}
		default:
			p.faults(t, m.Examine(next))
			if p.Clean = len(p.Faults) == 0; p.Clean && do == "answers" {
				p.Answers = d.answersOf(v, m, t, next, row)
			}
		}
	}
	if do == "typing" {
		return fragment{"checks", p}, nil
	}
	p.Fields = d.fields(v, m, part, t, row, p.New)
	for i := range p.Fields {
		for _, f := range p.Faults {
			if f.Field == p.Fields[i].Name {
				p.Fields[i].Wrong = f.Text
			}
		}
	}
	return p, nil
}

// keep takes the clerk's part into service, or fills the page with what speaks
// against it. Success is a redirect.
func (d *directory) keep(v *visit, m *lcm.LifecycleManager, p *clerkTablePage, next *cs.Contribution) error {
	_, err := m.Replace(v, v.author(lcm.ByScreen), p.Based, next)
	var refused *lcm.Refusal
	switch {
	case errors.As(err, &refused):
		p.faults(p.Table, refused)
	case errors.Is(err, cs.ErrConflict):
		p.Conflict = true
	case err != nil:
		return err
	default:
		return &redirect{To: "/" + v.Lang.Code + "/clerk/" + p.Table.Name + "?done=" + v.r.PostForm.Get("do"), Status: http.StatusSeeOther}
	}
	return nil
}

// faults lists what is wrong, with this row's own faults first.
func (p *clerkTablePage) faults(t *lcm.Table, r *lcm.Refusal) {
	if r == nil {
		return
	}
	var elsewhere []clerkFault
	for _, f := range r.Faults {
		kind, id, _ := strings.Cut(f.Object, " ")
		c := clerkFault{Text: f.Text, Rule: f.Rule}
		if kind == t.Kind && (p.Key == "" || id == p.Key || strings.HasSuffix(id, "/"+p.Key)) {
			p.Faults = append(p.Faults, c)
			continue
		}
		c.Elsewhere = f.Object
		elsewhere = append(elsewhere, c)
	}
	p.Faults = append(p.Faults, elsewhere...)
	if len(p.Faults) > 20 {
		p.Faults = p.Faults[:20]
	}
}

// rowOf reads the form's values: every column has one.
func rowOf(t *lcm.Table, form url.Values) lcm.Row {
	row := lcm.Row{}
	for _, c := range t.Columns {
		switch c.Form {
		case lcm.Texts:
			var out []string
			for n := range 40 {
				text := trim(form.Get(c.Name + "." + strconv.Itoa(n)))
				if text != "" {
					out = append(out, form.Get(c.Name+".lang."+strconv.Itoa(n))+": "+strings.Join(strings.Fields(text), " "))
				}
			}
			row[c.Name] = strings.Join(out, "\n")
		case lcm.Choices, lcm.References:
			row[c.Name] = strings.Join(form[c.Name], "\n")
		default:
			row[c.Name] = trim(form.Get(c.Name))
		}
	}
	return row
}
