package lcm

import (
	"fmt"
	"reflect"
	"slices"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/sdg"
)

// Change is what happened to one object between two states of a country's part.
type Change struct {
	Kind   string // as commonservices.Problem names it
	ID     string
	Name   string // in English or the first language, "" for none
	What   What
	Fields []Field // in the order of the object; of an added or removed one all that it says
}

// What happened to an object.
type What string

const (
	Added   What = "added"
	Removed What = "removed"
	Changed What = "changed"
)

// Field is one value of an object before and after; "" where there was none.
type Field struct{ Path, Before, After string }

// item is one object of a contribution as the diff sees it.
type item struct {
	kind, id, name string
	value          any
}

// items lists the objects of a part in the order of its tables.
func items(c *cs.Contribution) []item {
	if c == nil {
		return nil
	}
	var out []item
	put := func(kind, id string, names []sdg.Text, v any) {
		out = append(out, item{kind, id, sdg.Name(names, "EN"), v})
	}
	for _, v := range c.Frameworks {
		put("ReferenceFramework", v.ID, v.Titles, v)
	}
	for _, v := range c.Lists {
		put("EvidenceTypeList", v.ID, v.Names, v)
	}
	for _, v := range c.EvidenceTypes {
		put("EvidenceType", v.Classification, v.Titles, v)
	}
	for _, v := range c.Records {
		put("DataServiceEvidenceType", v.ID, v.Titles, v)
	}
	for _, v := range c.Providers {
		put("EvidenceProvider", v.Identifier.Scheme+"::"+v.Identifier.Value, v.Names, v)
	}
	for _, v := range c.AccessServices {
		put("AccessService", v.Identifier.Value, v.Names, v)
	}
	for _, v := range c.CodeLists {
		v.Earlier = nil // history is no content
		put("CodeList", cs.CodeListAddress(c.Country, v.Name), v.Titles, v)
	}
	return out
}

// Diff tells what leads from one state of a country's part to another; nil is
// the empty one.
func Diff(before, after *cs.Contribution) []Change {
	var out []Change
	old := items(before)
	were := make(map[string]item, len(old))
	for _, i := range old {
		were[i.kind+" "+i.id] = i
	}
	for _, i := range items(after) {
		key := i.kind + " " + i.id
		was, ok := were[key]
		delete(were, key)
		what := Changed
		var from []Field
		if ok {
			from = flatten(was.value)
		} else {
			what = Added
		}
		if fields := changed(from, flatten(i.value)); len(fields) > 0 {
			out = append(out, Change{i.kind, i.id, i.name, what, fields})
		}
	}
	for _, i := range old {
		if _, gone := were[i.kind+" "+i.id]; gone {
			out = append(out, Change{i.kind, i.id, i.name, Removed, changed(flatten(i.value), nil)})
		}
	}
	return out
}

// changed lists the fields that differ. A field's After is its new value.
func changed(before, after []Field) []Field {
	was := make(map[string]string, len(before))
	for _, f := range before {
		was[f.Path] = f.After
	}
	var out []Field
	for _, f := range after {
		if was[f.Path] != f.After {
			out = append(out, Field{f.Path, was[f.Path], f.After})
		}
		delete(was, f.Path)
	}
	for _, f := range before {
		if v, gone := was[f.Path]; gone && v != "" {
			out = append(out, Field{f.Path, v, ""})
		}
	}
	return out
}

// flatten lists what an object says: one field a value, texts by language,
// lists by position. Empty values are left out.
func flatten(v any) []Field {
	var out []Field
	walk("", reflect.ValueOf(v), &out)
	return out
}

func walk(path string, v reflect.Value, out *[]Field) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(path, v.Elem(), out)
		}
	case reflect.Struct:
		if t, ok := v.Interface().(sdg.Text); ok {
			*out = append(*out, Field{Path: path + " (" + t.Lang + ")", After: t.Value})
			return
		}
		if id, ok := v.Interface().(sdg.Identifier); ok {
			if id != (sdg.Identifier{}) {
				*out = append(*out, Field{Path: path, After: id.Value + schemeWords(id.Scheme)})
			}
			return
		}
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Type().Field(i).Anonymous {
				name = path
			} else if path != "" {
				name = path + " " + name
			}
			walk(name, v.Field(i), out)
		}
	case reflect.Slice:
		texts := v.Type().Elem() == reflect.TypeFor[sdg.Text]()
		var seen []string
		for i := range v.Len() {
			here := fmt.Sprintf("%s %d", path, i+1)
			if texts {
				if here = path; slices.Contains(seen, v.Index(i).Interface().(sdg.Text).Lang) {
					here = fmt.Sprintf("%s %d", path, i+1)
				}
				seen = append(seen, v.Index(i).Interface().(sdg.Text).Lang)
			}
			walk(here, v.Index(i), out)
		}
	case reflect.String:
		if v.Len() > 0 {
			*out = append(*out, Field{Path: path, After: v.String()})
		}
	case reflect.Bool:
		*out = append(*out, Field{Path: path, After: fmt.Sprint(v.Bool())})
	}
}

func schemeWords(scheme string) string {
	if scheme == "" {
		return ""
	}
	return " (" + scheme + ")"
}
