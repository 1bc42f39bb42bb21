package codelist

import (
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/xmltree"
)

// GenericodeSpace is the namespace of the root element of OASIS genericode
// 1.0; no other element has one.
const GenericodeSpace = "http://docs.oasis-open.org/codelist/ns/genericode/1.0/"

// Error says what in a genericode file is not as it must be, and where. Its
// cause, if any, is an *xmltree.Error.
type Error struct {
	xmltree.Position
	Text  string
	Cause error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return "genericode: " + e.Cause.Error()
	}
	return fmt.Sprintf("genericode: line %d, column %d: %s", e.Line, e.Column, e.Text)
}

func (e *Error) Unwrap() error { return e.Cause }

// genericodeLimits allow for LAU, the largest list by far.
var genericodeLimits = xmltree.Limits{Size: 64 << 20, Nodes: 4_000_000, Depth: 16, Attributes: 20}

// ReadGenericode reads a code list of the form that the TDD publishes: one
// SimpleCodeList whose key is the column "code", or a column that is declared
// as the only key. White space in values is trimmed and collapsed. What this
// reader does not know is refused by name, nothing is skipped. The error, if
// any, is an *Error.
//
// The list is named by its ShortName; of the NUTS and LAU lists, whose names
// carry a year, the year is cut off.
func ReadGenericode(src []byte) (*List, error) {
	doc, err := xmltree.Parse(src, xmltree.Options{Limits: genericodeLimits, KeepProcessing: true})
	if err != nil {
		return nil, &Error{Cause: err}
	}
	return decodeGenericode(doc)
}

func decodeGenericode(doc *xmltree.Document) (*List, error) {
	r := genericode{list: &List{}}
	root := doc.Root
	if !root.Is(GenericodeSpace, "CodeList") {
		return nil, wrong(root, "the root is %s, not CodeList of genericode 1.0", root.Name())
	}
	err := r.each(root, part{"Annotation", 0, nil}, part{"Identification", 1, r.identification},
		part{"ColumnSet", 1, r.columns}, part{"SimpleCodeList", 1, r.rows})
	if err != nil {
		return nil, err
	}
	list, err := r.list.build()
	if err != nil {
		return nil, wrong(root, "%s", strings.TrimPrefix(err.Error(), "codelist: "))
	}
	return list, nil
}

type genericode struct {
	list   *List
	ids    []string // of the columns
	needed []bool   // columns that may not be empty
	key    int
	unique bool
}

// part is one kind of child: its name, how often it must stand at least, and
// what reads it.
type part struct {
	name string
	min  int
	read func(*xmltree.Element) error
}

// each reads the children of an element, which must stand in the order of
// the parts.
func (r *genericode) each(e *xmltree.Element, parts ...part) error {
	if !e.Blank() {
		return wrong(e, "text stands in %s", e.Local())
	}
	at, seen := 0, make([]int, len(parts))
	for c := range e.Children() {
		i := slices.IndexFunc(parts, func(p part) bool { return c.Is("", p.name) })
		switch {
		case i < 0:
			return wrong(c, "%s is not understood in %s", c.Name(), e.Local())
		case i < at:
			return wrong(c, "%s stands after %s", c.Local(), parts[at].name)
		}
		at = i
		seen[i]++
		if parts[i].read != nil {
			if err := parts[i].read(c); err != nil {
				return err
			}
		}
	}
	for i, p := range parts {
		if seen[i] < p.min {
			return wrong(e, "%s lacks %s", e.Local(), p.name)
		}
	}
	return nil
}

func (r *genericode) identification(e *xmltree.Element) error {
	if r.list.Name != "" {
		return wrong(e, "Identification stands twice")
	}
	for c := range e.Children() {
		switch c.Local() {
		case "ShortName":
			r.list.Name = listName(c.Norm())
		case "Version":
			r.list.Edition = c.Norm()
		case "CanonicalUri":
			r.list.URI = c.Norm()
		case "LongName", "CanonicalVersionUri", "LocationUri", "AlternateFormatLocationUri", "Agency":
		default:
			return wrong(c, "%s is not understood in Identification", c.Name())
		}
	}
	if r.list.Name == "" || r.list.Edition == "" {
		return wrong(e, "Identification lacks ShortName or Version")
	}
	return nil
}

func listName(short string) string {
	for _, n := range []string{NUTS, LAU} {
		if rest, ok := strings.CutPrefix(short, n); ok && strings.Trim(rest, "0123456789-_ ") == "" {
			return n
		}
	}
	return short
}

func (r *genericode) columns(e *xmltree.Element) error {
	if r.ids != nil {
		return wrong(e, "ColumnSet stands twice")
	}
	var key string
	keys := 0
	err := r.each(e,
		part{"Column", 1, func(c *xmltree.Element) error {
			id := c.Attr("", "Id")
			if id == "" || slices.Contains(r.ids, id) {
				return wrong(c, "the Id of a Column is missing or stands twice")
			}
			use := c.Attr("", "Use")
			if use != "required" && use != "optional" {
				return wrong(c, "the Use of the Column %s is neither required nor optional", id)
			}
			r.ids = append(r.ids, id)
			r.needed = append(r.needed, use == "required")
			return nil
		}},
		part{"Key", 0, func(c *xmltree.Element) error {
			keys++
			refs := 0
			for ref := range c.Each("", "ColumnRef") {
				refs++
				key = ref.Attr("", "Ref")
				if !slices.Contains(r.ids, key) {
					return wrong(ref, "the key names an unknown Column")
				}
			}
			if refs != 1 {
				keys++ // a key of several columns is none that identifies a code
			}
			return nil
		}})
	if err != nil {
		return err
	}
	code := slices.Index(r.ids, "code")
	switch {
	case code >= 0:
		r.unique = keys == 1 && key == "code"
	case keys == 1:
		code, r.unique = slices.Index(r.ids, key), true
	default:
		return wrong(e, "no Column has the Id code, and no single one is the key")
	}
	r.key = code
	r.list.Columns = slices.Clone(r.ids)
	r.list.Columns[code] = "code"
	return nil
}

func (r *genericode) rows(e *xmltree.Element) error {
	if r.list.rows != nil {
		return wrong(e, "SimpleCodeList stands twice")
	}
	r.list.rows = make([][]string, 0, e.Len())
	seen := make(map[string]bool, e.Len())
	return r.each(e, part{"Annotation", 0, nil}, part{"Row", 0, func(row *xmltree.Element) error {
		cells, err := r.row(row)
		if err != nil {
			return err
		}
		if code := cells[r.key]; code == "" {
			return wrong(row, "a Row has no code")
		} else if r.unique && seen[code] {
			return wrong(row, "the code %.40q stands twice", code)
		} else {
			seen[code] = true
		}
		r.list.rows = append(r.list.rows, cells)
		return nil
	}})
}

func (r *genericode) row(row *xmltree.Element) ([]string, error) {
	cells := make([]string, len(r.ids))
	given := make([]bool, len(r.ids))
	at := -1
	err := r.each(row, part{"Annotation", 0, nil}, part{"Value", 0, func(v *xmltree.Element) error {
		at++ // a Value without ColumnRef belongs to the column after the last
		if ref := v.FindAttr("", "ColumnRef"); ref != nil {
			at = slices.Index(r.ids, ref.Value)
		}
		if at < 0 || at >= len(r.ids) {
			return wrong(v, "a Value belongs to no Column")
		}
		if given[at] {
			return wrong(v, "the Column %.40q has two Values in one Row", r.ids[at])
		}
		given[at] = true
		return r.each(v, part{"Annotation", 0, nil}, part{"SimpleValue", 0, func(s *xmltree.Element) error {
			if s.Len() > 0 {
				return wrong(s, "a SimpleValue has elements")
			}
			cells[at] = s.Norm()
			return nil
		}})
	}})
	if err != nil {
		return nil, err
	}
	for i, need := range r.needed {
		if need && !given[i] {
			return nil, wrong(row, "a Row lacks the required Column %.40q", r.ids[i])
		}
	}
	return cells, nil
}

func wrong(e *xmltree.Element, format string, args ...any) error {
	return &Error{Position: e.Pos(), Text: fmt.Sprintf(format, args...)}
}
