package validator

import (
	"fmt"
	"strings"
)

// Structure describes what may stand where, in our own words, one row for each
// type of element. It stands in for the XML Schemas and is silent where a
// published rule says the same, so that one defect is one finding.
//
// A row is a list of words:
//
//	@name  @name?          an attribute that must, may be there
//	$type                  text content of that type (see lexical)
//	rim:Slot*              an element: as is once, ? at most once, + at least once, * any number
//	Address:AddressType?   an element whose row has another name than itself
//	a|b                    one of two elements
//	#sdg                   at most one element of the sdg vocabulary
//	#any                   anything at all
//	#all                   the elements may come in any order
//
// Names without a prefix are of the vocabulary of the row's own prefix. An
// element without a row holds text without attributes.
type Structure map[string]string

// typeDef is a compiled row.
type typeDef struct {
	attrs     []attrDef
	particles []particle
	text      string // lexical type of text content; "" allows none
	any       bool   // anything may stand here
	wild      bool   // at most one sdg element
	unordered bool
}

type attrDef struct {
	name     string // as in rules: "xml:lang"
	space    string
	local    string
	required bool
}

type particle struct {
	options []particleName
	min     int
	many    bool
}

type particleName struct {
	space, local string
	typ          *typeDef
}

// schema is a compiled Structure.
type schema struct {
	types map[string]*typeDef // by prefixed name
	leaf  *typeDef            // text only
}

// compileStructure turns rows into types; later maps replace rows of earlier ones.
func compileStructure(rows ...Structure) (*schema, error) {
	sc := &schema{types: map[string]*typeDef{}, leaf: &typeDef{text: "string"}}
	all := Structure{}
	for _, r := range rows {
		for k, v := range r {
			all[k] = v
		}
	}
	for name := range all {
		sc.types[name] = &typeDef{}
	}
	for name, row := range all {
		if err := sc.fill(name, row); err != nil {
			return nil, fmt.Errorf("structure of %s: %w", name, err)
		}
	}
	return sc, nil
}

func (sc *schema) fill(name, row string) error {
	own, _, _ := strings.Cut(name, ":")
	t := sc.types[name]
	for _, word := range strings.Fields(row) {
		switch {
		case word == "#any":
			t.any = true
		case word == "#sdg":
			t.wild = true
		case word == "#all":
			t.unordered = true
		case word[0] == '$':
			t.text = word[1:]
			if !knownLexical(t.text) {
				return fmt.Errorf("no lexical type %q", t.text)
			}
		case word[0] == '@':
			a := attrDef{name: strings.TrimSuffix(word[1:], "?"), required: !strings.HasSuffix(word, "?")}
			a.local = a.name
			if p, l, ok := strings.Cut(a.name, ":"); ok {
				a.space, a.local = namespaceOf(p), l
			}
			t.attrs = append(t.attrs, a)
		default:
			p := particle{min: 1}
			switch word[len(word)-1] {
			case '?':
				p.min = 0
			case '*':
				p.min, p.many = 0, true
			case '+':
				p.many = true
			}
			for _, option := range strings.Split(strings.TrimRight(word, "?*+"), "|") {
				pn, err := sc.particleName(own, option)
				if err != nil {
					return err
				}
				p.options = append(p.options, pn)
			}
			t.particles = append(t.particles, p)
		}
	}
	return nil
}

// particleName reads "Address", "rim:Slot", "Address:AddressType" or
// "rim:Value:Text"; a name whose first part is a known prefix has one.
func (sc *schema) particleName(own, s string) (particleName, error) {
	parts := strings.Split(s, ":")
	prefix := own
	if namespaceOf(parts[0]) != "" {
		prefix, parts = parts[0], parts[1:]
	}
	if len(parts) == 0 || len(parts) > 2 {
		return particleName{}, fmt.Errorf("%q is no name", s)
	}
	typeName := prefix + ":" + parts[len(parts)-1]
	typ := sc.types[typeName]
	if typ == nil {
		if len(parts) == 2 {
			return particleName{}, fmt.Errorf("no row %q", typeName)
		}
		typ = sc.leaf
	}
	return particleName{namespaceOf(prefix), parts[0], typ}, nil
}

// defect is one breach of the structure.
type defect struct {
	id     string
	at     *Node
	attr   string
	found  string
	expect string
	mend   string
	// absent is the element that should have been there: rules below it cannot
	// be evaluated.
	absent *particleName
	// values tells that the content of the element itself is unsound.
	values bool
}

// Ids of the structure's own findings. They cite the XML Schemas of RegRep 4
// and of the sdg vocabulary.
const (
	strUnexpected = "STR-01" // element that may not stand here
	strMissing    = "STR-02" // element missing
	strTooMany    = "STR-03" // element repeated
	strOrder      = "STR-04" // element out of order
	strAttrExtra  = "STR-05" // attribute that may not stand here
	strAttrGone   = "STR-06" // attribute missing
	strValue      = "STR-07" // value not of its type
	strText       = "STR-08" // text where only elements may stand
	strRoot       = "STR-09" // document element unknown
)

// check reports the defects of n itself (not of its descendants) and returns
// the types of its children through typeOf.
func (t *typeDef) check(n *Node, report func(defect)) {
	if t.any {
		return
	}
	t.checkAttrs(n, report)
	if n.Len() == 0 && t.text != "" {
		if v := n.Text(); !isLexical(t.text, v) {
			report(defect{id: strValue, at: n, found: v, expect: lexicalWords(t.text), mend: "Write " + lexicalWords(t.text) + ".", values: true})
		}
		return
	}
	if t.text == "" && !n.Blank() {
		report(defect{id: strText, at: n, found: n.Norm(), expect: "elements only", mend: "Remove the text between the elements."})
	}
	if t.wild {
		if n.Len() > 1 {
			report(defect{id: strTooMany, at: n, found: fmt.Sprintf("%d elements", n.Len()), expect: "at most one element", mend: "Give each value an element of its own."})
		}
		return
	}
	if t.unordered {
		t.checkSet(n, report)
		return
	}
	t.checkSequence(n, report)
}

// checkSequence matches the children against the particles in order. Each
// misplaced child is reported once, and then set aside.
func (t *typeDef) checkSequence(n *Node, report func(defect)) {
	var countArray [40]int32
	count := countArray[:len(t.particles):len(t.particles)]
	at := 0
	for k := n.First(); k != nil; k = k.Next() {
		space, local := k.Space(), k.Local()
		i := t.find(space, local)
		switch {
		case i < 0:
			report(defect{id: strUnexpected, at: k, found: display(space, local), expect: t.words(), mend: "Remove the element, or move it to where it belongs."})
			continue
		case i < at:
			report(defect{id: strOrder, at: k, found: display(space, local) + " after " + t.particles[at].words(), expect: t.words(), mend: "Put the elements in the order " + t.words() + "."})
		case count[i] == 1 && !t.particles[i].many:
			report(defect{id: strTooMany, at: k, found: "a second " + display(space, local), expect: "at most one", mend: "Keep one " + display(space, local) + "."})
		default:
			at = i
		}
		count[i]++
	}
	t.checkMissing(n, count, report)
}

func (t *typeDef) checkSet(n *Node, report func(defect)) {
	var countArray [40]int32
	count := countArray[:len(t.particles):len(t.particles)]
	for k := n.First(); k != nil; k = k.Next() {
		space, local := k.Space(), k.Local()
		i := t.find(space, local)
		if i < 0 {
			report(defect{id: strUnexpected, at: k, found: display(space, local), expect: t.words(), mend: "Remove the element, or move it to where it belongs."})
			continue
		}
		if count[i]++; count[i] == 2 && !t.particles[i].many {
			report(defect{id: strTooMany, at: k, found: "a second " + display(space, local), expect: "at most one", mend: "Keep one " + display(space, local) + "."})
		}
	}
	t.checkMissing(n, count, report)
}

func (t *typeDef) checkMissing(n *Node, count []int32, report func(defect)) {
	for i := range t.particles {
		p := &t.particles[i]
		if int(count[i]) < p.min {
			report(defect{id: strMissing, at: n, found: "no " + p.words(), expect: p.words() + " in " + display(n.Space(), n.Local()), mend: "Add " + p.words() + ".", absent: &p.options[0]})
		}
	}
}

func (t *typeDef) checkAttrs(n *Node, report func(defect)) {
	attrs := n.Attrs()
	for i := range attrs {
		space, local := attrs[i].Space, attrs[i].Local
		if space == nsXSI && (local == "type" || local == "nil" || local == "schemaLocation" || local == "noNamespaceSchemaLocation") {
			if prefix, _, ok := cut(attrs[i].Value, ':'); ok && local == "type" {
				if _, bound := n.LookupPrefix(strings.TrimSpace(prefix)); !bound {
					report(defect{id: strValue, at: n, attr: "xsi:type", found: quote(attrs[i].Value), expect: "a type whose prefix is declared", mend: "Declare the prefix with xmlns:, or write rim: or rs:.", values: true})
				}
			}
			continue
		}
		if !t.hasAttr(space, local) {
			name := display(space, local)
			mend := "Remove the attribute."
			if space == nsXSI && local == "lang" {
				mend = "Write xml:lang; the prefix xsi names another namespace."
			}
			report(defect{id: strAttrExtra, at: n, attr: name, found: "attribute " + name, expect: t.attrWords(), mend: mend, values: true})
		}
	}
	for i := range t.attrs {
		if a := &t.attrs[i]; a.required {
			if !n.HasAttr(a.space, a.local) {
				report(defect{id: strAttrGone, at: n, found: "no attribute " + a.name, expect: "attribute " + a.name, mend: "Add the attribute " + a.name + ".", values: true})
			}
		}
	}
}

func (t *typeDef) hasAttr(space, local string) bool {
	for i := range t.attrs {
		if t.attrs[i].local == local && t.attrs[i].space == space {
			return true
		}
	}
	return false
}

func (t *typeDef) find(space, local string) int {
	for i := range t.particles {
		for j := range t.particles[i].options {
			if o := &t.particles[i].options[j]; o.local == local && o.space == space {
				return i
			}
		}
	}
	return -1
}

// child is the type of a child element; nil when it may not stand here, and
// then nothing below it is described.
func (t *typeDef) child(sc *schema, n *Node, space, local string) *typeDef {
	if t == nil || t.any {
		return nil
	}
	if t.wild {
		if space != nsSDG {
			return nil
		}
		return sc.types["sdg:"+local]
	}
	if i := t.find(space, local); i >= 0 {
		for j := range t.particles[i].options {
			if o := &t.particles[i].options[j]; o.local == local && o.space == space {
				return sc.variant(o.typ, n, space, local)
			}
		}
	}
	return nil
}

// variant applies xsi:type: slot values, collection elements and registry
// objects have a row for each.
func (sc *schema) variant(t *typeDef, n *Node, space, local string) *typeDef {
	if space == nsRIM && (local == "SlotValue" || local == "Element" || local == "RegistryObject") {
		if typ, ok := attr(n, "xsi:type"); ok {
			typ = typ[strings.IndexByte(typ, ':')+1:]
			if v := sc.types["rim:"+typ]; v != nil {
				return v
			}
		}
	}
	return t
}

func (p *particle) words() string {
	var names []string
	for _, o := range p.options {
		names = append(names, display(o.space, o.local))
	}
	return strings.Join(names, " or ")
}

// words lists what may stand in the type, for people.
func (t *typeDef) words() string {
	if len(t.particles) == 0 {
		return "no elements"
	}
	var out []string
	for i := range t.particles {
		out = append(out, t.particles[i].words())
	}
	return strings.Join(out, ", ")
}

func (t *typeDef) attrWords() string {
	if len(t.attrs) == 0 {
		return "no attributes"
	}
	var out []string
	for _, a := range t.attrs {
		out = append(out, a.name)
	}
	return "only the attributes " + strings.Join(out, ", ")
}

// display writes a name with its customary prefix.
func display(space, local string) string {
	if p := prefixOf(space); p != "" {
		return p + ":" + local
	}
	if space == "" {
		return local
	}
	return "{" + space + "}" + local
}
