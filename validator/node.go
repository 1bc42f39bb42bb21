package validator

import (
	"iter"
	"strings"

	"github.com/once-only/oots/xmltree"
)

// Node is an element of the message under judgement.
type Node = xmltree.Element

// attr is the value of an attribute named as in rules: "id", "xsi:type",
// "xml:lang", "xlink:href".
func attr(n *Node, name string) (value string, ok bool) {
	space, local := "", name
	if i := strings.IndexByte(name, ':'); i >= 0 {
		space, local = namespaceOf(name[:i]), name[i+1:]
	}
	a := n.FindAttr(space, local)
	if a == nil {
		return "", false
	}
	return a.Value, true
}

// split resolves a name such as "sdg:Agent".
func split(name string) (space, local string) {
	prefix, local, _ := strings.Cut(name, ":")
	return namespaceOf(prefix), local
}

// child is the first child of a name such as "sdg:Agent", nil when there is none.
func child(n *Node, name string) *Node { return n.Child(split(name)) }

// count is the number of children of that name.
func count(n *Node, name string) int { return n.Count(split(name)) }

// find walks down names such as "rim:SlotValue", "sdg:Agent".
func find(n *Node, names ...string) *Node {
	for _, name := range names {
		n = child(n, name)
	}
	return n
}

// slot is the first slot of that name, nil when there is none.
func slot(n *Node, name string) *Node {
	for c := n.First(); c != nil; c = c.Next() {
		if c.Is(nsRIM, "Slot") && c.Attr("", "name") == name {
			return c
		}
	}
	return nil
}

// slotCount is the number of slots of that name.
func slotCount(n *Node, name string) (k int) {
	for c := n.First(); c != nil; c = c.Next() {
		if c.Is(nsRIM, "Slot") && c.Attr("", "name") == name {
			k++
		}
	}
	return k
}

// slotText is the raw text of a slot's rim:Value, "" when there is none.
func slotText(n *Node, name string) string {
	return find(slot(n, name), "rim:SlotValue", "rim:Value").Text()
}

// clip shortens what was found to what a line can carry.
func clip(s string) string {
	s = xmltree.NormalizeSpace(s)
	const most = 120
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}

// splitComma yields the parts of a list, trimmed.
func splitComma(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for part := range strings.SplitSeq(s, ",") {
			if !yield(xmltree.TrimSpace(part)) {
				return
			}
		}
	}
}
