// Package draft turns the short texts of a test case into whole messages: a
// base message, line-oriented changes to it, and placeholders for what is only
// known when the case runs.
//
// A draft is either the message itself, or begins with a line "base NAME" and
// then has one change a line:
//
//	base    request
//	remove  //rim:Slot[IssueDateTime]
//	set     query:QueryRequest/@id urn:uuid:{{uuid}}
//	set     //sdg:Person/sdg:FamilyName Nobody
//	add     //sdg:Person <sdg:Gender>Female</sdg:Gender>
//	before  //rim:Slot[Procedure] <rim:Slot name="Extra"/>
//	copy    //rim:Slot[Procedure]
//	rename  //sdg:Person sdg:Human
//	prefix  sdg p
//	indent
//
// A path is that of package validator: steps of prefix and local name with the
// customary prefixes of the specification, "//" in front to look anywhere, in
// brackets the name of a slot, a number or @ and an attribute that must be there,
// and at its end perhaps an attribute.
package draft

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/once-only/oots/xmltree"
)

// MaxSize bounds a draft before and after its changes, in octets.
const MaxSize = 1 << 20

// Error tells what is wrong with a draft, and in which of its lines.
type Error struct {
	Line int // of the draft, from 1; 0 for the whole
	Text string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Text)
}

// Bases gives the base message of a name.
type Bases func(name string) (text string, found bool)

// Values gives the value of a placeholder.
type Values func(name string) (value string, known bool)

// Expand makes the message of a draft. Placeholders are filled in last, in the
// base message too.
func Expand(text string, bases Bases, values Values) (string, error) {
	message, err := Apply(text, bases)
	if err != nil {
		return "", err
	}
	return Fill(message, values)
}

// Apply makes the changes of a draft to its base, and leaves placeholders.
func Apply(text string, bases Bases) (string, error) { return apply(text, bases, 0) }

// maxBases bounds how many drafts may stand on each other.
const maxBases = 5

func apply(text string, bases Bases, depth int) (string, error) {
	if len(text) > MaxSize {
		return "", &Error{Text: fmt.Sprintf("the draft has more than %d octets", MaxSize)}
	}
	lines := strings.Split(text, "\n")
	message, started := "", false
	for i, line := range lines {
		line = strings.TrimSpace(line)
		verb, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !started && verb != "base":
			return text, nil // the message itself
		case !started:
			base, found := bases(rest)
			if !found {
				return "", &Error{i + 1, fmt.Sprintf("there is no base message %q", rest)}
			}
			if depth == maxBases {
				return "", &Error{i + 1, fmt.Sprintf("the draft stands on more than %d others", maxBases)}
			}
			whole, err := apply(base, bases, depth+1)
			if err != nil {
				return "", &Error{i + 1, fmt.Sprintf("base %s: %v", rest, err)}
			}
			message, started = whole, true
		default:
			changed, err := Change(message, verb, rest)
			if err != nil {
				return "", &Error{i + 1, err.Error()}
			}
			if message = changed; len(message) > MaxSize {
				return "", &Error{i + 1, fmt.Sprintf("the message grows beyond %d octets", MaxSize)}
			}
		}
	}
	return message, nil
}

// Base is the name of the base message that a draft begins with, "" when it is
// a message itself.
func Base(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if verb, rest, _ := strings.Cut(line, " "); verb == "base" {
			return strings.TrimSpace(rest)
		}
		if line != "" && !strings.HasPrefix(line, "#") {
			return ""
		}
	}
	return ""
}

// Edit makes changes, one a line, to a message.
func Edit(message, script string) (string, error) {
	return Apply("base it\n"+script, func(string) (string, bool) { return message, true })
}

var placeholder = regexp.MustCompile(`\{\{([^{}\n]*)\}\}`)

// Fill puts values in the place of {{name}}. A name that nobody knows is an
// error.
func Fill(text string, values Values) (string, error) {
	var unknown string
	out := placeholder.ReplaceAllStringFunc(text, func(m string) string {
		name := strings.TrimSpace(m[2 : len(m)-2])
		v, known := values(name)
		if !known && unknown == "" {
			unknown = name
		}
		return v
	})
	if unknown != "" {
		return "", &Error{Text: fmt.Sprintf("nothing is known as {{%s}} here", unknown)}
	}
	return out, nil
}

// change is one verb of a draft.
type change func(src string, at place, value string) (string, error)

var changes = map[string]change{
	"remove": func(src string, at place, _ string) (string, error) {
		if at.attribute == "" {
			return splice(src, at.e.Start(), at.e.End(), ""), nil
		}
		from, to, ok := at.span()
		if !ok {
			return "", fmt.Errorf("there is no attribute %s to remove", at.attribute)
		}
		return splice(src, from, to, ""), nil
	},
	"set": func(src string, at place, value string) (string, error) {
		if at.attribute != "" {
			if from, to, ok := at.span(); ok {
				return splice(src, from, to, " "+at.attribute+`="`+value+`"`), nil
			}
			end := at.e.Start() + 1 + len(at.e.Name())
			return splice(src, end, end, " "+at.attribute+`="`+value+`"`), nil
		}
		from, to := at.e.Inner()
		if from == at.e.End() { // <a/>
			tag := strings.TrimSuffix(src[at.e.Start():at.e.End()], "/>")
			return splice(src, at.e.Start(), at.e.End(), tag+">"+value+"</"+at.e.Name()+">"), nil
		}
		return splice(src, from, to, value), nil
	},
	"add": func(src string, at place, value string) (string, error) {
		from, to := at.e.Inner()
		if from == at.e.End() {
			tag := strings.TrimSuffix(src[at.e.Start():at.e.End()], "/>")
			return splice(src, at.e.Start(), at.e.End(), tag+">"+value+"</"+at.e.Name()+">"), nil
		}
		return splice(src, to, to, value), nil
	},
	"before": func(src string, at place, value string) (string, error) {
		return splice(src, at.e.Start(), at.e.Start(), value), nil
	},
	"copy": func(src string, at place, _ string) (string, error) {
		return splice(src, at.e.End(), at.e.End(), at.e.Source()), nil
	},
	"rename": func(src string, at place, value string) (string, error) {
		old := at.e.Name()
		whole := at.e.Source()
		whole = "<" + value + whole[1+len(old):]
		if strings.HasSuffix(whole, "</"+old+">") {
			whole = strings.TrimSuffix(whole, "</"+old+">") + "</" + value + ">"
		}
		return splice(src, at.e.Start(), at.e.End(), whole), nil
	},
}

// Change makes one change to a message.
func Change(message, verb, rest string) (string, error) {
	switch verb {
	case "prefix":
		old, with, ok := strings.Cut(rest, " ")
		if !ok {
			return "", fmt.Errorf("prefix wants the old prefix and the new one")
		}
		return renamePrefix(message, old, strings.TrimSpace(with)), nil
	case "indent":
		return indent(message), nil
	}
	do := changes[verb]
	if do == nil {
		return "", fmt.Errorf("no change is called %q; there are add, before, copy, indent, prefix, remove, rename, set", verb)
	}
	path, value, _ := strings.Cut(rest, " ")
	doc, err := xmltree.Parse([]byte(message), xmltree.Options{KeepProcessing: true})
	if err != nil {
		return "", fmt.Errorf("the message cannot be read: %w", err)
	}
	at, err := find(doc.Root, path)
	if err != nil {
		return "", err
	}
	return do(message, at, strings.TrimSpace(value))
}

func splice(src string, from, to int, with string) string { return src[:from] + with + src[to:] }

var (
	tagStart = regexp.MustCompile(`<(/?)([A-Za-z0-9_.-]+):`)
	xsiType  = regexp.MustCompile(`(xsi:type=["'])([A-Za-z0-9_.-]+):`)
)

// renamePrefix writes another prefix for a namespace, which means the same.
func renamePrefix(message, old, with string) string {
	message = strings.ReplaceAll(message, "xmlns:"+old+"=", "xmlns:"+with+"=")
	message = tagStart.ReplaceAllStringFunc(message, func(m string) string {
		slash := strings.TrimPrefix(strings.TrimSuffix(m, ":"), "<")
		name := strings.TrimPrefix(slash, "/")
		if name != old {
			return m
		}
		return "<" + slash[:len(slash)-len(name)] + with + ":"
	})
	return xsiType.ReplaceAllStringFunc(message, func(m string) string {
		if strings.HasSuffix(m, old+":") && (strings.HasSuffix(m, `"`+old+":") || strings.HasSuffix(m, "'"+old+":")) {
			return strings.TrimSuffix(m, old+":") + with + ":"
		}
		return m
	})
}

// indent puts a line break between any two tags that touch.
func indent(message string) string {
	return regexp.MustCompile(`>\s*<`).ReplaceAllString(message, ">\n  <")
}

// place is an element, or an attribute of it that need not be there.
type place struct {
	e         *xmltree.Element
	attribute string // as written in the path
}

// span is where the attribute stands, with the white space before it.
func (p place) span() (from, to int, ok bool) {
	i := slices.IndexFunc(p.e.Attrs(), func(a xmltree.Attr) bool { return isCalled(&a, p.attribute) })
	if i < 0 {
		return 0, 0, false
	}
	a := &p.e.Attrs()[i]
	src := p.e.Document().Source()
	from, value := a.Pos().Offset, a.ValuePos().Offset
	to = value + strings.IndexByte(src[value:], src[value-1]) + 1
	for from > 0 && strings.IndexByte(" \t\r\n", src[from-1]) >= 0 {
		from--
	}
	return from, to, true
}

// isCalled tells whether an attribute has a name as a path writes it: without
// prefix it is in no namespace.
func isCalled(a *xmltree.Attr, name string) bool {
	prefix, local := names(name)
	return a.Local == local && a.Space == xmltree.Customary(prefix)
}

func names(qname string) (prefix, local string) {
	if before, after, ok := strings.Cut(qname, ":"); ok {
		return before, after
	}
	return "", qname
}

// find is the first place that a path leads to.
func find(root *xmltree.Element, path string) (place, error) {
	all, attribute, err := walk(root, path)
	if err != nil {
		return place{}, err
	}
	if len(all) == 0 {
		return place{}, fmt.Errorf("the message has no %s", path)
	}
	return place{all[0], attribute}, nil
}

// Find gives the values at a path: the text of elements with white space
// normalised, or of the attribute where they have it.
func Find(root *xmltree.Element, path string) ([]string, error) {
	all, attribute, err := walk(root, path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range all {
		if attribute == "" {
			out = append(out, xmltree.NormalizeSpace(e.StringValue()))
			continue
		}
		for _, a := range e.Attrs() {
			if isCalled(&a, attribute) {
				out = append(out, xmltree.NormalizeSpace(a.Value))
			}
		}
	}
	return out, nil
}

// CheckPath tells what is wrong with a path, nil when it can be followed.
func CheckPath(path string) error {
	_, _, err := steps(path)
	return err
}

type step struct {
	space, local, slot string
	number             int
}

// named tells whether an element has what stands in the brackets.
func (s *step) named(e *xmltree.Element) bool {
	if attribute, ok := strings.CutPrefix(s.slot, "@"); ok {
		return e.HasAttr("", attribute)
	}
	return s.slot == "" || e.Attr("", "name") == s.slot
}

func steps(path string) (out []step, attribute string, err error) {
	rest := strings.TrimPrefix(path, "//")
	if i := strings.LastIndex(rest, "@"); i == 0 || i > 0 && rest[i-1] == '/' {
		rest, attribute = strings.TrimSuffix(rest[:i], "/"), rest[i+1:]
		if attribute == "" {
			return nil, "", fmt.Errorf("the path %q names no attribute", path)
		}
	}
	if rest == "" {
		return nil, "", fmt.Errorf("the path %q names no element", path)
	}
	for _, text := range strings.Split(rest, "/") {
		var s step
		name, bracket, has := strings.Cut(text, "[")
		if has {
			bracket, has = strings.CutSuffix(bracket, "]")
			if !has {
				return nil, "", fmt.Errorf("the path %q has a bracket that does not close", path)
			}
			if n, err := strconv.Atoi(bracket); err == nil {
				s.number = n
			} else {
				s.slot = bracket
			}
		}
		prefix, local := names(name)
		if s.space, s.local = xmltree.Customary(prefix), local; s.space == "" || local == "" {
			return nil, "", fmt.Errorf("the path %q has a step %q whose prefix is not customary", path, text)
		}
		out = append(out, s)
	}
	return out, attribute, nil
}

func walk(root *xmltree.Element, path string) ([]*xmltree.Element, string, error) {
	list, attribute, err := steps(path)
	if err != nil {
		return nil, "", err
	}
	at := []*xmltree.Element{}
	if strings.HasPrefix(path, "//") {
		at = append(at, root)
		for e := range root.Descendants() {
			at = append(at, e)
		}
	} else {
		at = append(at, root)
	}
	for i, s := range list {
		var next []*xmltree.Element
		n := 0
		keep := func(e *xmltree.Element) {
			if !e.Is(s.space, s.local) || !s.named(e) {
				return
			}
			if n++; s.number == 0 || s.number == n {
				next = append(next, e)
			}
		}
		for _, e := range at {
			if i == 0 {
				keep(e)
				continue
			}
			n = 0
			for c := range e.Children() {
				keep(c)
			}
		}
		at = next
	}
	return at, attribute, nil
}
