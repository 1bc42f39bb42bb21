// Package xmltree reads XML that strangers sent, keeps where everything
// stood, and writes XML as the Once-Only Technical System expects it.
//
// It implements the part of XML 1.0 (fifth edition) and Namespaces in XML 1.0
// that RegRep, ebMS and genericode documents need, Exclusive XML
// Canonicalization 1.0 (RFC 3741) with a PrefixList and without comments, and
// a small writer. Everything else is refused: a DOCTYPE and with it every
// entity but the five predefined ones, encodings other than UTF-8, and
// whatever exceeds Limits. It knows no schema and no message: see regrep, sdg
// and edm.
//
// A tree is read-only once parsed and may be used by several goroutines.
// Every method of Element accepts a nil receiver and then answers with the
// zero value, so that a path can be walked without a check at each step.
package xmltree

import (
	"iter"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Namespaces that XML itself binds.
const (
	XMLSpace   = "http://www.w3.org/XML/1998/namespace"
	XMLNSSpace = "http://www.w3.org/2000/xmlns/"
	XSISpace   = "http://www.w3.org/2001/XMLSchema-instance"
)

// Document is one parsed document.
type Document struct {
	Root *Element
	// Notes names what was passed over: processing instructions, where Options
	// allow them.
	Notes []Note

	src            string
	before, after  []*Element // processing instructions outside the root
	lines          []int32    // offset of each line's first byte
	indexLinesOnce sync.Once
}

// Note is something the reader passed over and a person may want to know.
// Document.Position tells where its Offset is.
type Note struct {
	Offset int
	Text   string
}

// Position is a place in the source. Line and Column count from 1, Column in
// characters; Offset counts bytes from 0, a byte order mark included.
type Position struct {
	Line, Column, Offset int
}

func (p Position) String() string {
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Element is one element, with the character data that follows its end tag
// (its tail) kept beside it.
type Element struct {
	doc               *Document
	parent            *Element
	first, last, next *Element
	space             string
	prefix, local     string
	attrs             []Attr
	namespaces        []Namespace
	text              string // before the first child
	tail              string // after the end tag, before the next sibling
	start, open       int32  // start tag: '<' and the byte after '>'
	close, end        int32  // end tag: '<' and the byte after '>'
	processing        bool   // a processing instruction: local is its target, text its data
	childCount        int32  // elements only
}

// Attr is one attribute; namespace declarations are not attributes here.
type Attr struct {
	Space, Prefix, Local string
	Value                string // normalised as XML 1.0 §3.3.3 asks
	owner                *Element
	start, value         int32
}

// Namespace is one declaration on an element: xmlns (Prefix empty) or
// xmlns:Prefix.
type Namespace struct {
	Prefix, URI string
}

// Source returns the bytes that were parsed.
func (d *Document) Source() string { return d.src }

// Position tells line and column of a byte offset.
func (d *Document) Position(offset int) Position {
	d.indexLinesOnce.Do(d.indexLines)
	offset = max(0, min(offset, len(d.src)))
	line := sort.Search(len(d.lines), func(i int) bool { return int(d.lines[i]) > offset })
	from := int(d.lines[line-1])
	if line == 1 && strings.HasPrefix(d.src, byteOrderMark) && offset >= len(byteOrderMark) {
		from = len(byteOrderMark)
	}
	return Position{Line: line, Column: utf8.RuneCountInString(d.src[from:offset]) + 1, Offset: offset}
}

// Line returns the text of a line of the source without its end, "" when
// there is no such line.
func (d *Document) Line(n int) string {
	d.indexLinesOnce.Do(d.indexLines)
	if n < 1 || n > len(d.lines) {
		return ""
	}
	end := len(d.src)
	if n < len(d.lines) {
		end = int(d.lines[n])
	}
	return strings.TrimRight(d.src[d.lines[n-1]:end], "\r\n")
}

func (d *Document) indexLines() {
	d.lines = append(make([]int32, 0, 1+len(d.src)/64), 0)
	for i := 0; i < len(d.src); i++ {
		switch d.src[i] {
		case '\n':
			d.lines = append(d.lines, int32(i+1))
		case '\r':
			if i+1 == len(d.src) || d.src[i+1] != '\n' {
				d.lines = append(d.lines, int32(i+1))
			}
		}
	}
}

// Document returns the document that the element stands in.
func (e *Element) Document() *Document {
	if e == nil {
		return nil
	}
	return e.doc
}

// Space is the namespace URI of the element's name, "" for none.
func (e *Element) Space() string {
	if e == nil {
		return ""
	}
	return e.space
}

// Local is the name without prefix.
func (e *Element) Local() string {
	if e == nil {
		return ""
	}
	return e.local
}

// Prefix is the prefix as written, "" for none.
func (e *Element) Prefix() string {
	if e == nil {
		return ""
	}
	return e.prefix
}

// Name is the name as written, with its prefix: good for messages, never for
// decisions.
func (e *Element) Name() string {
	if e == nil {
		return ""
	}
	return qualified(e.prefix, e.local)
}

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}

// Is tells whether the element has this namespace and local name.
func (e *Element) Is(space, local string) bool {
	return e != nil && e.local == local && e.space == space
}

// Parent is the element around this one, nil for the root.
func (e *Element) Parent() *Element {
	if e == nil {
		return nil
	}
	return e.parent
}

// First is the first child element, nil when there is none.
func (e *Element) First() *Element {
	if e == nil {
		return nil
	}
	return skipProcessing(e.first)
}

// Next is the next sibling element, nil when there is none.
func (e *Element) Next() *Element {
	if e == nil {
		return nil
	}
	return skipProcessing(e.next)
}

func skipProcessing(e *Element) *Element {
	for e != nil && e.processing {
		e = e.next
	}
	return e
}

// Len is the number of child elements.
func (e *Element) Len() int {
	if e == nil {
		return 0
	}
	return int(e.childCount)
}

// Children yields the child elements in document order.
func (e *Element) Children() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for c := e.First(); c != nil; c = c.Next() {
			if !yield(c) {
				return
			}
		}
	}
}

// Each yields the child elements of one name in document order.
func (e *Element) Each(space, local string) iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for c := e.First(); c != nil; c = c.Next() {
			if c.Is(space, local) && !yield(c) {
				return
			}
		}
	}
}

// Count is the number of child elements of one name.
func (e *Element) Count(space, local string) (n int) {
	for c := e.First(); c != nil; c = c.Next() {
		if c.Is(space, local) {
			n++
		}
	}
	return n
}

// Child is the first child element of that name, nil when there is none.
func (e *Element) Child(space, local string) *Element {
	for c := e.First(); c != nil; c = c.Next() {
		if c.Is(space, local) {
			return c
		}
	}
	return nil
}

// Find walks down through the first child of each name, all names in one
// namespace; nil when a step is missing.
func (e *Element) Find(space string, locals ...string) *Element {
	for _, l := range locals {
		e = e.Child(space, l)
	}
	return e
}

// FindAll yields every element that the path of names leads to, all names in
// one namespace.
func (e *Element) FindAll(space string, locals ...string) iter.Seq[*Element] {
	return func(yield func(*Element) bool) { e.findAll(space, locals, yield) }
}

func (e *Element) findAll(space string, locals []string, yield func(*Element) bool) bool {
	if len(locals) == 0 {
		return e == nil || yield(e)
	}
	for c := e.First(); c != nil; c = c.Next() {
		if c.Is(space, locals[0]) && !c.findAll(space, locals[1:], yield) {
			return false
		}
	}
	return true
}

// Descendants yields every element below this one in document order.
func (e *Element) Descendants() iter.Seq[*Element] {
	return func(yield func(*Element) bool) { e.descendants(yield) }
}

func (e *Element) descendants(yield func(*Element) bool) bool {
	for c := e.First(); c != nil; c = c.Next() {
		if !yield(c) || !c.descendants(yield) {
			return false
		}
	}
	return true
}

// Attrs are the attributes as written, in their order. Do not change them.
func (e *Element) Attrs() []Attr {
	if e == nil {
		return nil
	}
	return e.attrs
}

// FindAttr is the attribute of that name, nil when it is absent. An attribute
// without prefix has no namespace.
func (e *Element) FindAttr(space, local string) *Attr {
	if e == nil {
		return nil
	}
	for i := range e.attrs {
		if e.attrs[i].Local == local && e.attrs[i].Space == space {
			return &e.attrs[i]
		}
	}
	return nil
}

// Attr is the value of an attribute, "" when it is absent.
func (e *Element) Attr(space, local string) string {
	if a := e.FindAttr(space, local); a != nil {
		return a.Value
	}
	return ""
}

// HasAttr tells whether the attribute is there, be it empty.
func (e *Element) HasAttr(space, local string) bool { return e.FindAttr(space, local) != nil }

// Namespaces are the declarations on this element. Do not change them.
func (e *Element) Namespaces() []Namespace {
	if e == nil {
		return nil
	}
	return e.namespaces
}

// LookupPrefix gives the namespace that a prefix is bound to here; "" asks
// for the default namespace, which is always bound, perhaps to none.
func (e *Element) LookupPrefix(prefix string) (uri string, bound bool) {
	if prefix == "xml" {
		return XMLSpace, true
	}
	for ; e != nil; e = e.parent {
		for _, n := range e.namespaces {
			if n.Prefix == prefix {
				return n.URI, true
			}
		}
	}
	return "", prefix == ""
}

// ResolveQName resolves a qualified name that stands in a value, such as that
// of xsi:type. White space around it is ignored.
func (e *Element) ResolveQName(value string) (space, local string, ok bool) {
	value = TrimSpace(value)
	prefix, local, found := strings.Cut(value, ":")
	if !found {
		prefix, local = "", value
	}
	if local == "" || strings.Contains(local, ":") || found && prefix == "" {
		return "", "", false
	}
	space, ok = e.LookupPrefix(prefix)
	return space, local, ok
}

// Text is the character data that stands directly in the element, without
// that of its children, exactly as written.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	if e.first == nil {
		return e.text
	}
	var b strings.Builder
	b.WriteString(e.text)
	for c := e.first; c != nil; c = c.next {
		b.WriteString(c.tail)
	}
	return b.String()
}

// Norm is Text with white space normalised, as XPath's normalize-space does.
func (e *Element) Norm() string { return NormalizeSpace(e.Text()) }

// StringValue is the character data of the element and all its descendants,
// the string value of XPath.
func (e *Element) StringValue() string {
	if e == nil {
		return ""
	}
	if e.first == nil {
		return e.text
	}
	var b strings.Builder
	e.stringValue(&b)
	return b.String()
}

func (e *Element) stringValue(b *strings.Builder) {
	b.WriteString(e.text)
	for c := e.first; c != nil; c = c.next {
		if !c.processing {
			c.stringValue(b)
		}
		b.WriteString(c.tail)
	}
}

// Blank tells whether nothing but white space stands directly in the element.
func (e *Element) Blank() bool {
	if e == nil {
		return true
	}
	if TrimSpace(e.text) != "" {
		return false
	}
	for c := e.first; c != nil; c = c.next {
		if TrimSpace(c.tail) != "" {
			return false
		}
	}
	return true
}

// Pos is where the start tag begins.
func (e *Element) Pos() Position {
	if e == nil || e.doc == nil {
		return Position{}
	}
	return e.doc.Position(int(e.start))
}

// Start is the offset of the '<' of the start tag.
func (e *Element) Start() int {
	if e == nil {
		return 0
	}
	return int(e.start)
}

// End is the offset of the byte after the '>' of the end tag.
func (e *Element) End() int {
	if e == nil {
		return 0
	}
	return int(e.end)
}

// Inner gives the offsets of the content: the byte after the start tag and
// the '<' of the end tag. Both equal End for an empty-element tag.
func (e *Element) Inner() (from, to int) {
	if e == nil {
		return 0, 0
	}
	return int(e.open), int(e.close)
}

// Source is the element as it stood in the document, from '<' to '>'.
func (e *Element) Source() string {
	if e == nil {
		return ""
	}
	return e.doc.src[e.start:e.end]
}

// Path is an XPath-like address: names as written, with a position where
// siblings share a name, such as /query:QueryRequest/rim:Slot[3].
func (e *Element) Path() string {
	if e == nil {
		return ""
	}
	var steps []string
	for ; e != nil; e = e.parent {
		steps = append(steps, e.step())
	}
	var b strings.Builder
	for i := len(steps) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(steps[i])
	}
	return b.String()
}

// step is the name, with a position where siblings share it.
func (e *Element) step() string {
	place, twins := 0, 0
	for s := e.parent.First(); s != nil; s = s.Next() {
		if s.Is(e.space, e.local) {
			twins++
		}
		if s == e {
			place = twins
		}
	}
	if twins < 2 {
		return e.Name()
	}
	return e.Name() + "[" + strconv.Itoa(place) + "]"
}

// Name is the attribute's name as written.
func (a *Attr) Name() string {
	if a == nil {
		return ""
	}
	return qualified(a.Prefix, a.Local)
}

// Owner is the element that carries the attribute.
func (a *Attr) Owner() *Element {
	if a == nil {
		return nil
	}
	return a.owner
}

// Pos is where the attribute's name begins.
func (a *Attr) Pos() Position {
	if a == nil {
		return Position{}
	}
	return a.owner.doc.Position(int(a.start))
}

// ValuePos is where the value begins, after the quotation mark.
func (a *Attr) ValuePos() Position {
	if a == nil {
		return Position{}
	}
	return a.owner.doc.Position(int(a.value))
}

// Path is the address of the attribute, such as /query:QueryRequest/@id.
func (a *Attr) Path() string {
	if a == nil {
		return ""
	}
	return a.owner.Path() + "/@" + a.Name()
}

const white = " \t\r\n"

// TrimSpace cuts the white space of XML, and no other, from both ends.
func TrimSpace(s string) string { return strings.Trim(s, white) }

// NormalizeSpace trims and turns each run of white space of XML into one
// space.
func NormalizeSpace(s string) string {
	s = TrimSpace(s)
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '\t' || c == '\n' || c == '\r' || c == ' ' && s[i+1] == ' ' {
			return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
				return r == ' ' || r == '\t' || r == '\n' || r == '\r'
			}), " ")
		}
	}
	return s
}
