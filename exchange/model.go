package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/once-only/oots/xmltree"
)

// Model is a data model of structured evidence: a flat description of what an
// XML or JSON document must hold, enough to check it and to make it readable.
type Model struct {
	Name   string // last step of its address in the Semantic Repository
	Root   string // local name of the XML root element
	Space  string // namespace of the XML elements; may be empty
	Fields []Field
}

// Field is one value of a model.
type Field struct {
	Path     string            // names from the root, separated by "/"
	Labels   map[string]string // by language, upper case; EN at least
	Type     FieldType
	Optional bool
	Repeated bool
}

// FieldType is what a value looks like.
type FieldType string

const (
	TextField   FieldType = "text"
	DateField   FieldType = "date" // YYYY-MM-DD
	NumberField FieldType = "number"
)

// Value is one field of a document, readable.
type Value struct {
	Field *Field
	Text  string
}

// Label in a language, else in English.
func (v Value) Label(lang string) string {
	if l := v.Field.Labels[lang]; l != "" {
		return l
	}
	return v.Field.Labels["EN"]
}

// maxValues bounds what one document may hold.
const maxValues = 2000

// Read checks a document against the model and gives its values in the model's
// order. The errors name the field, never its value.
func (m *Model) Read(mediaType string, data []byte) (all []Value, err error) {
	var get func(path string) []string
	switch {
	case strings.HasSuffix(mediaType, "json"):
		get, err = jsonValues(data)
	case strings.HasSuffix(mediaType, "xml"):
		get, err = m.xmlValues(data)
	default:
		err = fmt.Errorf("a %s has no data model", mediaType)
	}
	if err != nil {
		return nil, err
	}
	for i := range m.Fields {
		f := &m.Fields[i]
		values := get(f.Path)
		switch {
		case len(values) == 0 && !f.Optional:
			return nil, fmt.Errorf("model %s: %s is missing", m.Name, f.Path)
		case len(values) > 1 && !f.Repeated:
			return nil, fmt.Errorf("model %s: %s stands %d times", m.Name, f.Path, len(values))
		}
		for _, v := range values {
			if err := f.Type.check(v); err != nil {
				return nil, fmt.Errorf("model %s: %s %w", m.Name, f.Path, err)
			}
			if all = append(all, Value{f, v}); len(all) > maxValues {
				return nil, fmt.Errorf("model %s: more than %d values", m.Name, maxValues)
			}
		}
	}
	return all, nil
}

func (t FieldType) check(v string) error {
	switch t {
	case DateField:
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			return errors.New("is no date (YYYY-MM-DD)")
		}
	case NumberField:
		if err := json.Unmarshal([]byte(v), new(float64)); err != nil {
			return errors.New("is no number")
		}
	default:
		if v == "" {
			return errors.New("is empty")
		}
	}
	return nil
}

func (m *Model) xmlValues(data []byte) (func(string) []string, error) {
	doc, err := xmltree.Parse(data, xmltree.Options{})
	if err != nil {
		return nil, err
	}
	if !doc.Root.Is(m.Space, m.Root) {
		return nil, fmt.Errorf("model %s: the root is not %s", m.Name, m.Root)
	}
	return func(path string) (values []string) {
		at := []*xmltree.Element{doc.Root}
		for step := range strings.SplitSeq(path, "/") {
			var next []*xmltree.Element
			for _, e := range at {
				for c := range e.Each(m.Space, step) {
					next = append(next, c)
				}
			}
			at = next
		}
		for _, e := range at {
			values = append(values, e.Norm())
		}
		return values
	}, nil
}

func jsonValues(data []byte) (func(string) []string, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		return nil, errors.New("the octets are no JSON")
	}
	return func(path string) (values []string) {
		at := []any{root}
		for step := range strings.SplitSeq(path, "/") {
			var next []any
			for _, v := range at {
				switch v := v.(type) {
				case map[string]any:
					if child, ok := v[step]; ok {
						next = append(next, flatten(child)...)
					}
				}
			}
			at = next
		}
		for _, v := range at {
			switch v := v.(type) {
			case string:
				values = append(values, v)
			case json.Number:
				values = append(values, v.String())
			case bool:
				values = append(values, fmt.Sprint(v))
			}
		}
		return values
	}, nil
}

func flatten(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// Render makes a human-readable version of a document: a PDF of labels and
// values in a language, with the fonts that Go brings (Latin, Greek, Cyrillic).
func (m *Model) Render(mediaType string, data []byte, title, lang string) ([]byte, error) {
	values, err := m.Read(mediaType, data)
	if err != nil {
		return nil, err
	}
	pdf := fpdf.New("P", "mm", "A4", "")
	// The same document gives the same octets.
	pdf.SetCreationDate(time.Unix(0, 0).UTC())
	pdf.SetModificationDate(time.Unix(0, 0).UTC())
	pdf.SetCatalogSort(true)
	pdf.SetTitle(title, true)
	pdf.SetLang(strings.ToLower(lang))
	pdf.AddUTF8FontFromBytes("go", "", goregular.TTF)
	pdf.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	pdf.SetMargins(20, 20, 20)
	pdf.SetAutoPageBreak(true, 20)
	pdf.AddPage()
	pdf.SetFont("go", "B", 16)
	pdf.MultiCell(0, 8, title, "", "L", false)
	pdf.Ln(6)
	for _, v := range values {
		pdf.SetFont("go", "B", 9)
		pdf.MultiCell(0, 5, v.Label(lang), "", "L", false)
		pdf.SetFont("go", "", 11)
		pdf.MultiCell(0, 6, v.Text, "", "L", false)
		pdf.Ln(2)
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
