package validator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/xmltree"
)

// The words from which the rule tables are built. A Check sees one context
// element and answers with a Fault or nil; a Want judges one value.

// Want is what a value should be.
type Want struct {
	Words string // "one of the 31 codes of OOTS_Country"
	Mend  string
	Is    func(m *Message, v string) bool
	// Lost, when set, tells that a value cannot be judged here for want of a
	// code list.
	Lost func(m *Message, v string) bool
}

// noList is the Fault of a check that needs a code list which is not at hand.
var noList = &Fault{}

// absentWords stands as found where there is nothing.
const absentWords = "nothing"

// quote shows a value as it stands, so that white space can be seen.
func quote(v string) string {
	if v == "" {
		return "an empty value"
	}
	return "“" + clip(v) + "”"
}

// said quotes a value and adds what a person cannot see: white space around it.
func said(w *Want, m *Message, v string) string {
	if t := xmltree.NormalizeSpace(v); t != v && t != "" && w.Is(m, t) {
		return "white space around it, which the rule compares too: “" + clip(t) + "”"
	}
	return quote(v)
}

func (w *Want) judge(m *Message, v string) (ok, lost bool) {
	if w.Lost != nil && w.Lost(m, v) {
		return false, true
	}
	return w.Is(m, v), false
}

// Raw judges the text of the element exactly as it stands.
func Raw(w Want) Check {
	return Check{w.Words, w.Mend, func(m *Message, n *Node) *Fault {
		v := n.Text()
		switch ok, lost := w.judge(m, v); {
		case lost:
			return noList
		case ok:
			return nil
		}
		return &Fault{Found: said(&w, m, v)}
	}}
}

// Norm judges the text of the element after white-space normalisation.
func Norm(w Want) Check {
	return Check{w.Words, w.Mend, func(m *Message, n *Node) *Fault {
		v := n.Norm()
		switch ok, lost := w.judge(m, v); {
		case lost:
			return noList
		case ok:
			return nil
		}
		return &Fault{Found: quote(v)}
	}}
}

// Attr judges an attribute, raw, where it is present.
func Attr(name string, w Want) Check {
	return Check{w.Words + " in " + name, w.Mend, func(m *Message, n *Node) *Fault {
		v, ok := attr(n, name)
		if !ok {
			return nil
		}
		switch ok, lost := w.judge(m, v); {
		case lost:
			return noList
		case ok:
			return nil
		}
		return &Fault{Attr: name, Found: said(&w, m, v)}
	}}
}

// NormAttr judges an attribute after normalisation, where it is present.
func NormAttr(name string, w Want) Check {
	return Check{w.Words + " in " + name, w.Mend, func(m *Message, n *Node) *Fault {
		v, ok := attr(n, name)
		if !ok || w.Is(m, xmltree.NormalizeSpace(v)) {
			return nil
		}
		return &Fault{Attr: name, Found: quote(v)}
	}}
}

// Must judges an attribute, raw; absent counts as wrong.
func Must(name string, w Want) Check {
	return Check{name + " with " + w.Words, w.Mend, func(m *Message, n *Node) *Fault {
		v, ok := attr(n, name)
		if ok && w.Is(m, v) {
			return nil
		}
		if !ok {
			return &Fault{Found: "no attribute " + name}
		}
		return &Fault{Attr: name, Found: said(&w, m, v)}
	}}
}

// HasAttr wants the attribute, be it empty.
func HasAttr(name string) Check {
	return Check{"attribute " + name, "Add the attribute " + name + ".", func(m *Message, n *Node) *Fault {
		if _, ok := attr(n, name); ok {
			return nil
		}
		return &Fault{Found: "no attribute " + name}
	}}
}

// FilledAttr wants the attribute and something in it.
func FilledAttr(name string) Check {
	return Check{"attribute " + name + " with a value", "Add the attribute " + name + " and give it a value.", func(m *Message, n *Node) *Fault {
		switch v, ok := attr(n, name); {
		case !ok:
			return &Fault{Found: "no attribute " + name}
		case xmltree.TrimSpace(v) == "":
			return &Fault{Attr: name, Found: "an empty " + name}
		}
		return nil
	}}
}

// NoAttr forbids the attribute.
func NoAttr(name string) Check {
	return Check{"no attribute " + name, "Remove the attribute " + name + ".", func(m *Message, n *Node) *Fault {
		if v, ok := attr(n, name); ok {
			return &Fault{Attr: name, Found: name + "=" + quote(v)}
		}
		return nil
	}}
}

// OneSlot wants exactly one slot of that name.
func OneSlot(name string) Check {
	return Check{"exactly one slot " + name, "Add the slot " + name + ", once.", func(m *Message, n *Node) *Fault {
		if k := slotCount(n, name); k != 1 {
			return &Fault{Found: counted(k, "slot "+name, "slots "+name)}
		}
		return nil
	}}
}

// MostOneSlot wants the slot at most once.
func MostOneSlot(name string) Check {
	return Check{"at most one slot " + name, "Keep one slot " + name + ".", func(m *Message, n *Node) *Fault {
		if k := slotCount(n, name); k > 1 {
			return &Fault{Found: counted(k, "slot "+name, "slots "+name)}
		}
		return nil
	}}
}

func counted(k int, one, many string) string {
	switch k {
	case 0:
		return "no " + one
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", k, many)
}

// OnlySlots closes the list of slot names below the context element.
func OnlySlots(names ...string) Check {
	words := "only the slots " + strings.Join(names, ", ")
	return Check{words, "Remove the slot, or correct its name.", func(m *Message, n *Node) *Fault {
		for c := n.First(); c != nil; c = c.Next() {
			if c.Is(nsRIM, "Slot") && !slices.Contains(names, c.Attr("", "name")) {
				return &Fault{At: c, Attr: "name", Found: "slot " + quote(c.Attr("", "name"))}
			}
		}
		return nil
	}}
}

// SlotNamed closes the list of names for one slot.
func SlotNamed(names ...string) Check {
	words := "one of the slots " + strings.Join(names, ", ")
	return Check{words, "Remove the slot, or correct its name.", func(m *Message, n *Node) *Fault {
		if v := n.Attr("", "name"); !slices.Contains(names, v) {
			return &Fault{Attr: "name", Found: "slot " + quote(v)}
		}
		return nil
	}}
}

// ValueType wants xsi:type to be of that local name, whatever its prefix.
func ValueType(local string) Check {
	return Check{"xsi:type rim:" + local, `Write xsi:type="rim:` + local + `".`, func(m *Message, n *Node) *Fault {
		v, ok := attr(n, "xsi:type")
		if !ok {
			return &Fault{Found: "no xsi:type"}
		}
		if _, l, colon := cut(v, ':'); !colon || l != local {
			return &Fault{Attr: "xsi:type", Found: quote(v)}
		}
		return nil
	}}
}

// Has wants at least one child of that name.
func Has(name string) Check {
	return Check{name, "Put " + name + " here.", func(m *Message, n *Node) *Fault {
		if child(n, name) == nil {
			return &Fault{Found: "no " + name}
		}
		return nil
	}}
}

// HasAll wants at least one child of each name.
func HasAll(names ...string) Check {
	return Check{strings.Join(names, ", "), "Add what is missing.", func(m *Message, n *Node) *Fault {
		for _, name := range names {
			if child(n, name) == nil {
				return &Fault{Found: "no " + name}
			}
		}
		return nil
	}}
}

// Exactly wants a number of children of that name.
func Exactly(k int, name string) Check {
	return Check{fmt.Sprintf("exactly %d %s", k, name), fmt.Sprintf("Give %s exactly %s.", name, times(k)), func(m *Message, n *Node) *Fault {
		if got := count(n, name); got != k {
			return &Fault{Found: counted(got, name, name)}
		}
		return nil
	}}
}

func times(k int) string {
	switch k {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", k)
}

// AtLeast and AtMost bound the number of children of that name.
func AtLeast(k int, name string) Check {
	return Check{fmt.Sprintf("at least %d %s", k, name), "Add " + name + ".", func(m *Message, n *Node) *Fault {
		if got := count(n, name); got < k {
			return &Fault{Found: counted(got, name, name)}
		}
		return nil
	}}
}

func AtMost(k int, name string) Check {
	return Check{fmt.Sprintf("at most %d %s", k, name), fmt.Sprintf("Keep %d %s.", k, name), func(m *Message, n *Node) *Fault {
		if got := count(n, name); got > k {
			return &Fault{Found: counted(got, name, name)}
		}
		return nil
	}}
}

// None forbids children of that name.
func None(name string) Check {
	return Check{"no " + name, "Remove " + name + ".", func(m *Message, n *Node) *Fault {
		if c := child(n, name); c != nil {
			return &Fault{At: c, Found: name}
		}
		return nil
	}}
}

// HasElement wants at least one child element, whatever its name.
func HasElement() Check {
	return Check{"an element with the value", "Put the value into an element; text alone counts as empty.", func(m *Message, n *Node) *Fault {
		if n.Len() == 0 {
			return &Fault{Found: "no element"}
		}
		return nil
	}}
}

// OnlyChildren closes the list of child elements.
func OnlyChildren(names ...string) Check {
	words := "only " + strings.Join(names, ", ")
	if len(names) == 0 {
		words = "no elements"
	}
	closed := make([]step, len(names))
	for i, name := range names {
		closed[i].space, closed[i].local = split(name)
	}
	return Check{words, "Remove the element.", func(m *Message, n *Node) *Fault {
	children:
		for c := n.First(); c != nil; c = c.Next() {
			for i := range closed {
				if c.Is(closed[i].space, closed[i].local) {
					continue children
				}
			}
			return &Fault{At: c, Found: display(c.Space(), c.Local())}
		}
		return nil
	}}
}

// FilledChild wants a child of that name with something in it.
func FilledChild(name string) Check {
	return Check{name + " with a value", "Add " + name + " and give it a value.", func(m *Message, n *Node) *Fault {
		c := child(n, name)
		if c == nil {
			return &Fault{Found: "no " + name}
		}
		if c.Norm() == "" {
			return &Fault{At: c, Found: "an empty " + name}
		}
		return nil
	}}
}

// Child judges the first child of that name, where there is one.
func Child(name string, c Check) Check {
	return Check{c.Expect, c.Mend, func(m *Message, n *Node) *Fault {
		k := child(n, name)
		if k == nil {
			return nil
		}
		f := c.Test(m, k)
		if f != nil && f != noList && f.At == nil {
			f.At = k
		}
		return f
	}}
}

// When applies a check where cond holds.
func When(cond func(m *Message, n *Node) bool, c Check) Check {
	return Check{c.Expect, c.Mend, func(m *Message, n *Node) *Fault {
		if !cond(m, n) {
			return nil
		}
		return c.Test(m, n)
	}}
}

// That is a check in words of its own: found tells what is wrong, "" nothing.
func That(expect, mend string, found func(m *Message, n *Node) string) Check {
	return Check{expect, mend, func(m *Message, n *Node) *Fault {
		if s := found(m, n); s != "" {
			return &Fault{Found: s}
		}
		return nil
	}}
}

// Local wants the document element to have that local name, In to stand in that
// namespace.
func Local(name string) Check {
	return That("document element "+name, "Check which message this should be.", func(m *Message, n *Node) string {
		if n.Local() == name {
			return ""
		}
		return n.Local()
	})
}

func In(space string) Check {
	return That("namespace "+space, "Declare the namespace "+space+".", func(m *Message, n *Node) string {
		if n.Space() == space {
			return ""
		}
		return first(n.Space(), "no namespace")
	})
}
