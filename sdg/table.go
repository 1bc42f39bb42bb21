package sdg

import (
	"fmt"
	"strings"
	"time"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/xmltree"
)

// row is one line of a type's table: an element, in which generations it
// exists and is required, whether it repeats, and how it is read and written.
type row[T any] struct {
	name  string
	in    Generation // exists
	must  Generation // at least one
	free  Generation // may stand anywhere
	many  bool
	read  func(t *T, e *xmltree.Element, g Generation) error
	write func(t *T, w *xmltree.Writer, name string, g Generation)
	count func(t *T) int
}

func (r row[T]) required() row[T]               { r.must = r.in; return r }
func (r row[T]) requiredIn(g Generation) row[T] { r.must = g; return r }
func (r row[T]) only(g Generation) row[T]       { r.in = g; r.must &= g; return r }
func (r row[T]) freeIn(g Generation) row[T]     { r.free = g; return r }

// readTable reads an element by its table.
func readTable[T any](table []row[T], t *T, e *xmltree.Element, g Generation) error {
	if err := regrep.Closed(e); err != nil {
		return err
	}
	if err := readRows(table, t, e, g); err != nil {
		return err
	}
	if c, ok := any(t).(choice); ok && c.chosen() != 1 {
		return regrep.Refuse(e, "%s holds one kind of value, not %d", e.Name(), c.chosen())
	}
	return nil
}

// choice is a type of which exactly one row may be filled.
type choice interface{ chosen() int }

func (s *Subject) chosen() int { return one(s.NaturalPerson != nil) + one(s.LegalPerson != nil) }

func (v *SupportedValue) chosen() int {
	return one(len(v.Strings) > 0) + one(len(v.Dates) > 0) + one(len(v.Booleans) > 0)
}

func readRows[T any](table []row[T], t *T, e *xmltree.Element, g Generation) error {
	at := 0
	var seen uint64
	for c := e.First(); c != nil; c = c.Next() {
		i := -1
		if c.Space() == Space {
			i = find(table, at, c.Local())
		}
		if i < 0 {
			return regrep.Refuse(c, "%s does not belong into %s", c.Name(), e.Name())
		}
		r := &table[i]
		if r.in&g == 0 {
			return regrep.Refuse(c, "%s does not exist in this version", c.Name())
		}
		if seen&(1<<i) != 0 && !r.many {
			return regrep.Refuse(c, "%s stands twice in %s", c.Name(), e.Name())
		}
		if r.free&g == 0 {
			if i < at {
				return regrep.Refuse(c, "%s stands too late in %s: it belongs before %s", c.Name(), e.Name(), table[at].name)
			}
			at = i
		}
		seen |= 1 << i
		if err := r.read(t, c, g); err != nil {
			return err
		}
	}
	for i := range table {
		if r := &table[i]; seen&(1<<i) == 0 && g&^r.must == 0 {
			return regrep.Refuse(e, "sdg:%s is missing in %s", r.name, e.Name())
		}
	}
	return nil
}

// find looks for a row by name, from the last one found onwards first.
func find[T any](table []row[T], from int, name string) int {
	for i := from; i < len(table); i++ {
		if table[i].name == name {
			return i
		}
	}
	for i := range from {
		if table[i].name == name {
			return i
		}
	}
	return -1
}

func writeRows[T any](table []row[T], t *T, w *xmltree.Writer, name string, g Generation) {
	for i := range table {
		r := &table[i]
		switch n := r.count(t); {
		case n == 0 && g&^r.must == 0:
			w.Fail(fmt.Errorf("sdg: %s needs %s", name, r.name))
		case n > 0 && r.in&g == 0:
			w.Fail(fmt.Errorf("sdg: %s cannot be said in %s in this version", r.name, name))
		case n > 0:
			r.write(t, w, "sdg:"+r.name, g)
		}
	}
}

func writeTable[T any](table []row[T], t *T, w *xmltree.Writer, name string, g Generation) {
	if c, ok := any(t).(choice); ok && c.chosen() != 1 {
		w.Fail(fmt.Errorf("sdg: %s holds one kind of value, not %d", name, c.chosen()))
	}
	w.Open(name)
	writeRows(table, t, w, name, g)
	w.Close()
}

func one(set bool) int {
	if set {
		return 1
	}
	return 0
}

func leaf(e *xmltree.Element) (string, error) {
	return xmltree.NormalizeSpace(e.Text()), regrep.Leaf(e)
}

// text is an element with text alone.
func text[T any](name string, at func(*T) *string) row[T] {
	return row[T]{name: name, in: All,
		read: func(t *T, e *xmltree.Element, _ Generation) (err error) {
			*at(t), err = leaf(e)
			return err
		},
		write: func(t *T, w *xmltree.Writer, name string, _ Generation) { w.Leaf(name, *at(t)) },
		count: func(t *T) int { return one(*at(t) != "") },
	}
}

// list is a repeated element with text alone.
func list[T any](name string, at func(*T) *[]string) row[T] {
	return row[T]{name: name, in: All, many: true,
		read: func(t *T, e *xmltree.Element, _ Generation) error {
			s, err := leaf(e)
			*at(t) = append(*at(t), s)
			return err
		},
		write: func(t *T, w *xmltree.Writer, name string, _ Generation) {
			for _, s := range *at(t) {
				w.Leaf(name, s)
			}
		},
		count: func(t *T) int { return len(*at(t)) },
	}
}

// checked adds a check of the text to a row.
func (r row[T]) checked(ok func(string) bool, what string) row[T] {
	read := r.read
	r.read = func(t *T, e *xmltree.Element, g Generation) error {
		if !ok(xmltree.NormalizeSpace(e.Text())) {
			return regrep.Refuse(e, "%s is not %s", e.Name(), what)
		}
		return read(t, e, g)
	}
	return r
}

func date[T any](name string, at func(*T) *string) row[T] {
	return text(name, at).checked(isDate, "a date such as 2001-02-03")
}

// isDate tells whether a text is an xsd:date; a zone is allowed.
func isDate(s string) bool {
	if len(s) < 10 {
		return false
	}
	if _, err := time.Parse(time.DateOnly, s[:10]); err != nil {
		return false
	}
	if s[10:] == "" || s[10:] == "Z" {
		return true
	}
	_, err := time.Parse("Z07:00", s[10:])
	return err == nil
}

func booleans[T any](name string, at func(*T) *[]bool) row[T] {
	return row[T]{name: name, in: All, many: true,
		read: func(t *T, e *xmltree.Element, _ Generation) error {
			s, err := leaf(e)
			if err != nil {
				return err
			}
			if s != "true" && s != "false" && s != "1" && s != "0" {
				return regrep.Refuse(e, "%s is neither true nor false", e.Name())
			}
			*at(t) = append(*at(t), s == "true" || s == "1")
			return nil
		},
		write: func(t *T, w *xmltree.Writer, name string, _ Generation) {
			for _, b := range *at(t) {
				w.Leaf(name, fmt.Sprint(b))
			}
		},
		count: func(t *T) int { return len(*at(t)) },
	}
}

// texts is a repeated element with a text and the attribute lang.
func texts[T any](name string, at func(*T) *[]Text) row[T] {
	return row[T]{name: name, in: All, many: true,
		read: func(t *T, e *xmltree.Element, _ Generation) error {
			*at(t) = append(*at(t), Text{Lang: e.Attr("", "lang"), Value: xmltree.NormalizeSpace(e.Text())})
			return regrep.Leaf(e, "lang")
		},
		write: func(t *T, w *xmltree.Writer, name string, _ Generation) {
			for _, s := range *at(t) {
				writeLeaf(w, name, s.Value, "lang", s.Lang)
			}
		},
		count: func(t *T) int { return len(*at(t)) },
	}
}

func writeLeaf(w *xmltree.Writer, name, value, attr, attrValue string) {
	if attrValue == "" {
		w.Leaf(name, value)
	} else {
		w.Leaf(name, value, attr, attrValue)
	}
}

func readIdentifier(e *xmltree.Element) (Identifier, error) {
	return Identifier{e.Attr("", "schemeID"), xmltree.NormalizeSpace(e.Text())}, regrep.Leaf(e, "schemeID")
}

// identifier is an element with a value and the attribute schemeID.
func identifier[T any](name string, at func(*T) *Identifier) row[T] {
	return row[T]{name: name, in: All,
		read: func(t *T, e *xmltree.Element, _ Generation) (err error) {
			*at(t), err = readIdentifier(e)
			return err
		},
		write: func(t *T, w *xmltree.Writer, name string, _ Generation) {
			writeLeaf(w, name, at(t).Value, "schemeID", at(t).Scheme)
		},
		count: func(t *T) int { return one(at(t).Value != "") },
	}
}

func optionalIdentifier[T any](name string, at func(*T) **Identifier) row[T] {
	return row[T]{name: name, in: All,
		read: func(t *T, e *xmltree.Element, _ Generation) error {
			id, err := readIdentifier(e)
			*at(t) = &id
			return err
		},
		write: func(t *T, w *xmltree.Writer, name string, _ Generation) {
			writeLeaf(w, name, (*at(t)).Value, "schemeID", (*at(t)).Scheme)
		},
		count: func(t *T) int { return one(*at(t) != nil) },
	}
}

func identifiers[T any](name string, at func(*T) *[]Identifier) row[T] {
	return row[T]{name: name, in: All, many: true,
		read: func(t *T, e *xmltree.Element, _ Generation) error {
			id, err := readIdentifier(e)
			*at(t) = append(*at(t), id)
			return err
		},
		write: func(t *T, w *xmltree.Writer, name string, _ Generation) {
			for _, id := range *at(t) {
				writeLeaf(w, name, id.Value, "schemeID", id.Scheme)
			}
		},
		count: func(t *T) int { return len(*at(t)) },
	}
}

// listCodes is a repeated element with a code and the attribute listID.
func listCodes[T any](name string, at func(*T) *[]ListCode) row[T] {
	return row[T]{name: name, in: All, many: true,
		read: func(t *T, e *xmltree.Element, _ Generation) error {
			*at(t) = append(*at(t), ListCode{e.Attr("", "listID"), xmltree.NormalizeSpace(e.Text())})
			return regrep.Leaf(e, "listID")
		},
		write: func(t *T, w *xmltree.Writer, name string, _ Generation) {
			for _, c := range *at(t) {
				writeLeaf(w, name, c.Code, "listID", c.List)
			}
		},
		count: func(t *T) int { return len(*at(t)) },
	}
}

// optional is an element with a table of its own that may be absent.
func optional[T, R any](name string, table []row[R], at func(*T) **R) row[T] {
	return row[T]{name: name, in: All,
		read: func(t *T, e *xmltree.Element, g Generation) error {
			r := new(R)
			*at(t) = r
			return readTable(table, r, e, g)
		},
		write: func(t *T, w *xmltree.Writer, name string, g Generation) { writeTable(table, *at(t), w, name, g) },
		count: func(t *T) int { return one(*at(t) != nil) },
	}
}

// always is an element with a table of its own that is always there.
func always[T, R any](name string, table []row[R], at func(*T) *R) row[T] {
	return row[T]{name: name, in: All, must: All,
		read:  func(t *T, e *xmltree.Element, g Generation) error { return readTable(table, at(t), e, g) },
		write: func(t *T, w *xmltree.Writer, name string, g Generation) { writeTable(table, at(t), w, name, g) },
		count: func(*T) int { return 1 },
	}
}

// records is a repeated element with a table of its own.
func records[T, R any](name string, table []row[R], at func(*T) *[]R) row[T] {
	return row[T]{name: name, in: All, many: true,
		read: func(t *T, e *xmltree.Element, g Generation) error {
			*at(t) = append(*at(t), *new(R))
			all := *at(t)
			return readTable(table, &all[len(all)-1], e, g)
		},
		write: func(t *T, w *xmltree.Writer, name string, g Generation) {
			all := *at(t)
			for i := range all {
				writeTable(table, &all[i], w, name, g)
			}
		},
		count: func(t *T) int { return len(*at(t)) },
	}
}

// wrapped is a repeated element that holds one element with text.
func wrapped[T any](name, inner string, at func(*T) *[]string) row[T] {
	r := list(name, at)
	r.read = func(t *T, e *xmltree.Element, _ Generation) error {
		if err := regrep.Closed(e); err != nil {
			return err
		}
		c := e.First()
		if !c.Is(Space, inner) || c.Next() != nil {
			return regrep.Refuse(e, "%s holds one sdg:%s and nothing else", e.Name(), inner)
		}
		s, err := leaf(c)
		*at(t) = append(*at(t), s)
		return err
	}
	r.write = func(t *T, w *xmltree.Writer, name string, _ Generation) {
		for _, s := range *at(t) {
			w.Open(name)
			w.Leaf("sdg:"+inner, s)
			w.Close()
		}
	}
	return r
}

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }
