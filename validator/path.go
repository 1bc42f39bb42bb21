package validator

import (
	"fmt"
	"strings"
)

// Path says which elements a rule looks at. It is a row of steps from the
// document element, each a prefix and a local name, where a slot may be told by
// its name:
//
//	query:QueryRequest/rim:Slot[Procedure]/rim:SlotValue/rim:Value
//
// A path that begins with // is looked for anywhere. Alternatives are separated
// by " | ". The prefixes are those of the specification: query, rim, rs, lcm,
// sdg and eb; they stand for namespaces, whatever prefix a message writes. The
// step "*" stands for any element.
type Path string

// Namespaces of the prefixes in rules, reports and structure tables.
const (
	nsQuery = "urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0"
	nsRIM   = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0"
	nsRS    = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:4.0"
	nsLCM   = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:4.0"
	nsSDG   = "http://data.europa.eu/p4s"
	nsEB    = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/"
	nsXSI   = "http://www.w3.org/2001/XMLSchema-instance"
	nsXLink = "http://www.w3.org/1999/xlink"
	nsXML   = "http://www.w3.org/XML/1998/namespace"
	nsSOAP  = "http://www.w3.org/2003/05/soap-envelope"
)

func namespaceOf(prefix string) string {
	switch prefix {
	case "query":
		return nsQuery
	case "rim":
		return nsRIM
	case "rs":
		return nsRS
	case "lcm":
		return nsLCM
	case "sdg":
		return nsSDG
	case "eb":
		return nsEB
	case "xsi":
		return nsXSI
	case "xlink":
		return nsXLink
	case "xml":
		return nsXML
	case "S12":
		return nsSOAP
	}
	return ""
}

// prefixOf is the customary prefix of a namespace, "" when it has none.
func prefixOf(space string) string {
	switch space {
	case nsQuery:
		return "query"
	case nsRIM:
		return "rim"
	case nsRS:
		return "rs"
	case nsLCM:
		return "lcm"
	case nsSDG:
		return "sdg"
	case nsEB:
		return "eb"
	case nsXSI:
		return "xsi"
	case nsXLink:
		return "xlink"
	case nsXML:
		return "xml"
	case nsSOAP:
		return "S12"
	}
	return ""
}

// step is one step of a path.
type step struct{ space, local, slot string }

func parseStep(s string) (step, error) {
	var slot string
	if i := strings.IndexByte(s, '['); i >= 0 {
		if !strings.HasSuffix(s, "]") {
			return step{}, fmt.Errorf("step %q: bracket not closed", s)
		}
		s, slot = s[:i], s[i+1:len(s)-1]
	}
	if s == "*" {
		return step{local: "*"}, nil
	}
	prefix, local, ok := strings.Cut(s, ":")
	space := namespaceOf(prefix)
	if !ok || space == "" || local == "" {
		return step{}, fmt.Errorf("step %q: want a known prefix and a name", s)
	}
	return step{space, local, slot}, nil
}

// matches tells whether the element is what the step asks for.
func (st *step) matches(n *Node, space, local string) bool {
	if st.local != local {
		return st.local == "*"
	}
	if st.space != space {
		return false
	}
	if st.slot == "" {
		return true
	}
	name, _ := attr(n, "name")
	return name == st.slot
}

// state is a place in the tree of all paths of one rule set: the rules whose
// context ends here, and where the next step leads.
type state struct {
	rules []int32
	next  []edge
}

type edge struct {
	step
	to *state
}

func (s *state) follow(st step) *state {
	for _, e := range s.next {
		if e.step == st {
			return e.to
		}
	}
	to := &state{}
	s.next = append(s.next, edge{st, to})
	return to
}

// dispatch finds the rules of an element in one walk over the message.
type dispatch struct {
	root     state             // paths from the document element
	anywhere map[string][]edge // first steps of paths that begin with //, by local name
}

// add enters the rule with number i under each alternative of its path.
func (d *dispatch) add(p Path, i int32) error {
	for _, alt := range strings.Split(string(p), " | ") {
		from := &d.root
		rest, anywhere := strings.CutPrefix(alt, "//")
		for j, part := range strings.Split(rest, "/") {
			st, err := parseStep(part)
			if err != nil {
				return fmt.Errorf("path %q: %w", p, err)
			}
			if j == 0 && anywhere {
				from = d.first(st)
				continue
			}
			from = from.follow(st)
		}
		from.rules = append(from.rules, i)
	}
	return nil
}

// first is the state behind the first step of a path that begins with //.
func (d *dispatch) first(st step) *state {
	if d.anywhere == nil {
		d.anywhere = map[string][]edge{}
	}
	for _, e := range d.anywhere[st.local] {
		if e.step == st {
			return e.to
		}
	}
	to := &state{}
	d.anywhere[st.local] = append(d.anywhere[st.local], edge{st, to})
	return to
}

// enter appends to stack the states in which element n stands; those of its
// parent are stack[from:to].
func (d *dispatch) enter(stack []*state, from, to int, n *Node, space, local string) []*state {
	out := stack
	for _, s := range stack[from:to] {
		for i := range s.next {
			if e := &s.next[i]; e.matches(n, space, local) {
				out = append(out, e.to)
			}
		}
	}
	for i := range d.anywhere[local] {
		if e := &d.anywhere[local][i]; e.matches(n, space, local) {
			out = append(out, e.to)
		}
	}
	for i := range d.anywhere["*"] {
		out = append(out, d.anywhere["*"][i].to)
	}
	return out
}

// below calls f for every rule at or under the state that a missing element
// would have led to.
func (s *state) below(f func(rule int32)) {
	for _, r := range s.rules {
		f(r)
	}
	for _, e := range s.next {
		e.to.below(f)
	}
}
