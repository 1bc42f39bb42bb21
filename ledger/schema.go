package ledger

import (
	"bytes"
	"encoding/json"
	"time"
)

// SchemaID is where the schema of a facts file is published.
const SchemaID = "https://once-only.github.io/oots/facts.schema.json"

type object = map[string]any

// Schema is the JSON Schema (2020-12) of one line of a facts file, made from
// the tables that the reader and Check work by. A line that it refuses is
// refused by the ledger; what needs other facts or compares two fields (times in
// order, parties of the right country) the ledger judges beyond it.
func Schema() []byte {
	var perKind []any
	for i := range Kinds {
		perKind = append(perKind, kindSchema(&Kinds[i]))
	}
	top := properties(factRows)
	top["subject"] = object{"type": "object", "additionalProperties": false, "properties": properties(subjectRows), "description": "what the fact is about"}
	top["body"] = object{"type": "object", "additionalProperties": false, "properties": properties(bodyRows), "description": "the fields of the kind"}
	s := object{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"$id":                  SchemaID,
		"title":                "OOTS fact",
		"description":          "One line of a facts file (JSON Lines, UTF-8, at most 65536 octets a line).",
		"type":                 "object",
		"additionalProperties": false,
		"required":             []string{"id", "kind", "asserter", "happened_at"},
		"properties":           top,
		"allOf":                perKind,
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		panic(err) // maps and texts always encode
	}
	return b.Bytes()
}

func kindSchema(r *Rule) object {
	then := object{"description": r.About}
	required := []string{}
	names, subject, body := object{}, object{}, object{}
	for i, u := range usesOf(r, "") {
		name := factRows[i].name
		if u == refused {
			names[name] = false
		}
		if u == needed {
			required = append(required, name)
		}
	}
	part := func(prefix string, rows []row[Fact], into object) {
		in, need := object{}, []string{}
		for i, u := range usesOf(r, prefix) {
			name := rows[i].name
			switch {
			case u == refused:
				in[name] = false
			case u == needed:
				need = append(need, name)
			}
			if codes := r.Codes[prefix+name]; codes != nil && u != refused {
				in[name] = object{"enum": codes}
			}
		}
		if len(in) > 0 {
			into["properties"] = in
		}
		if len(need) > 0 {
			into["required"] = need
			required = append(required, prefix[:len(prefix)-1])
		}
	}
	part("subject.", subjectRows, subject)
	part("body.", bodyRows, body)
	if len(subject) > 0 {
		names["subject"] = subject
	}
	if len(body) > 0 {
		names["body"] = body
	}
	then["properties"], then["required"] = names, required
	return object{
		"if":   object{"properties": object{"kind": object{"const": r.Kind}}, "required": []string{"kind"}},
		"then": then,
	}
}

func properties[T any](rows []row[T]) object {
	var zero T
	props := object{}
	for i := range rows {
		r := &rows[i]
		p := object{"description": r.about}
		switch r.at(&zero).(type) {
		case *string:
			text(p, &r.form)
		case *[]string:
			item := object{}
			text(item, &r.form)
			p["type"], p["items"], p["maxItems"] = "array", item, maxList
		case *time.Time:
			p["type"], p["format"] = "string", "date-time"
		case *int, *int64:
			number(p, &r.form)
		case *bool:
			p["type"] = "boolean"
		case *map[string]int:
			value := object{}
			number(value, &r.form)
			p["type"], p["additionalProperties"], p["maxProperties"] = "object", value, maxList
			p["propertyNames"] = object{"pattern": r.form.regex}
		case *[]Evidence:
			p["type"], p["maxItems"] = "array", maxEvidence
			p["items"] = object{
				"type": "object", "additionalProperties": false,
				"required": []string{"sha256", "media_type"}, "properties": properties(evidenceRows),
			}
		}
		props[r.name] = p
	}
	return props
}

func text(p object, f *form) {
	p["type"] = "string"
	if f.codes != nil {
		p["enum"] = f.codes
		return
	}
	if f.regex != "" {
		p["pattern"] = f.regex
	}
	if f.uri {
		p["format"] = "uri"
	}
	p["maxLength"] = f.longest()
}

func number(p object, f *form) {
	p["type"], p["minimum"], p["maximum"] = "integer", f.least, f.greatest()
}

// longest and greatest give the bounds, with what zero stands for.
func (f *form) longest() int {
	if f.most == 0 {
		return 200
	}
	return f.most
}

func (f *form) greatest() int {
	if f.top == 0 {
		return 1_000_000_000
	}
	return f.top
}
