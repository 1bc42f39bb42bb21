package xmltree

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Options choose what a kind of document may contain.
type Options struct {
	Limits Limits
	// KeepProcessing passes over processing instructions with a note (RegRep
	// and genericode documents); false refuses them (SOAP envelopes). They are
	// never among the children, but canonical XML keeps them.
	KeepProcessing bool
}

// Limits bound what a document may cost. A zero field means its default.
type Limits struct {
	Size       int // bytes; 16 MiB, and never 2 GiB or more
	Depth      int // nested elements; 100
	Nodes      int // elements, attributes, declarations, instructions; 500 000
	Attributes int // of one element, declarations included; 100
	Prefixes   int // declarations in scope at once; 200
}

func (l Limits) orDefaults() Limits {
	set := func(n *int, otherwise int) {
		if *n <= 0 {
			*n = otherwise
		}
	}
	set(&l.Size, 16<<20)
	set(&l.Depth, 100)
	set(&l.Nodes, 500_000)
	set(&l.Attributes, 100)
	set(&l.Prefixes, 200)
	l.Size = min(l.Size, 1<<31-2)
	return l
}

// Reason says in one word why a document was refused.
type Reason string

const (
	Empty      Reason = "empty"      // nothing, or white space only
	NotXML     Reason = "not-xml"    // another kind of file: ZIP, PDF, plain text …
	Encoding   Reason = "encoding"   // not UTF-8
	TooLarge   Reason = "limit"      // beyond Limits
	Doctype    Reason = "doctype"    // a DOCTYPE, or an entity that only one could declare
	Processing Reason = "processing" // a processing instruction where none may stand
	Truncated  Reason = "truncated"  // the document ends in the middle
	Malformed  Reason = "malformed"  // not well-formed
	Unbound    Reason = "namespace"  // against Namespaces in XML
)

// Error tells why and where a document was refused. It quotes names of
// elements and attributes, never values.
type Error struct {
	Position
	Reason Reason
	Text   string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Text)
}

const byteOrderMark = "\uFEFF"

// Parse reads one document. The error, if any, is an *Error.
func Parse(src []byte, opt Options) (*Document, error) {
	lim := opt.Limits.orDefaults()
	if len(src) > lim.Size {
		return nil, &Error{Position{1, 1, 0}, TooLarge,
			fmt.Sprintf("the document has %d bytes, %d are allowed", len(src), lim.Size)}
	}
	p := parser{s: string(src), lim: lim, keep: opt.KeepProcessing, doc: &Document{}}
	p.doc.src = p.s
	if err := p.document(); err != nil {
		return nil, err
	}
	return p.doc, nil
}

type parser struct {
	s     string
	i     int
	doc   *Document
	lim   Limits
	keep  bool
	cur   *Element
	depth int
	nodes int
	scope []Namespace // declarations in scope, innermost last

	run     string // character data since the last tag: one piece of the source …
	runs    []byte // … or, when there are several, their sum
	runAt   int
	running bool

	attrs []Attr // of the start tag being read
	decls []Namespace
	value []byte

	elements []Element // slabs
	attrSlab []Attr
	declSlab []Namespace
}

func (p *parser) fail(at int, why Reason, format string, args ...any) error {
	return &Error{p.doc.Position(at), why, fmt.Sprintf(format, args...)}
}

// Classes of bytes.
const (
	nameStart = 1 << iota
	namePart
	inText  // may stand in character data as it is
	inValue // may stand in an attribute value as it is, but for the quotation mark in use
	space
)

var class = func() (t [256]uint8) {
	for c := range t {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if letter {
			t[c] |= nameStart
		}
		if letter || '0' <= c && c <= '9' || c == '-' || c == '.' {
			t[c] |= namePart
		}
		if c >= 0x20 && c != 0xEF && c != '<' && c != '&' {
			if c != ']' {
				t[c] |= inText
			}
			if c != '"' && c != '\'' {
				t[c] |= inValue
			}
		}
		switch c {
		case '\t', '\n':
			t[c] |= inText | space
		case '\r', ' ':
			t[c] |= space
		}
	}
	return t
}()

func (p *parser) document() error {
	if err := p.encoding(); err != nil {
		return err
	}
	p.i = len(p.s) - len(strings.TrimPrefix(p.s, byteOrderMark))
	if err := p.declaration(); err != nil {
		return err
	}
	begin := p.i
	for p.i < len(p.s) {
		var err error
		switch {
		case p.s[p.i] == '<':
			err = p.markup()
		case p.cur != nil:
			err = p.text()
		case class[p.s[p.i]]&space != 0:
			p.i++
		case p.doc.Root == nil && p.i == begin:
			err = p.foreign()
		case p.doc.Root == nil:
			err = p.fail(p.i, Malformed, "text stands before the root element")
		default:
			err = p.fail(p.i, Malformed, "text stands after the root element")
		}
		if err != nil {
			return err
		}
	}
	switch {
	case p.cur != nil:
		return p.fail(len(p.s), Truncated, "the document ends before %s is closed (opened on line %d)", short(p.cur.Name()), p.cur.Pos().Line)
	case p.doc.Root == nil:
		return p.fail(len(p.s), Empty, "the document has no element")
	}
	return nil
}

// encoding refuses what is not UTF-8 and names what it is instead, if known.
func (p *parser) encoding() error {
	s := p.s
	switch {
	case len(s) == 0:
		return p.fail(0, Empty, "the document is empty")
	case strings.HasPrefix(s, "PK\x03\x04"), strings.HasPrefix(s, "PK\x05\x06"):
		return p.fail(0, NotXML, "this is a ZIP archive, not an XML document; unpack it first")
	case strings.HasPrefix(s, "\x1f\x8b"):
		return p.fail(0, NotXML, "this is gzip-compressed; decompress it first")
	case strings.HasPrefix(s, "%PDF"):
		return p.fail(0, NotXML, "this is a PDF, not an XML document")
	case strings.HasPrefix(s, "\xff\xfe"), strings.HasPrefix(s, "\xfe\xff"),
		strings.HasPrefix(s, "<\x00"), strings.HasPrefix(s, "\x00<"), strings.HasPrefix(s, "\x00\x00"):
		return p.fail(0, Encoding, "this is UTF-16 or UTF-32; only UTF-8 is read")
	}
	if utf8.ValidString(s) {
		return nil
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			p.s = s[:i] // the place is counted up to here
			p.doc.src = p.s
			return p.fail(i, Encoding, "byte 0x%02X is not UTF-8; save the document as UTF-8 (perhaps it is ISO 8859-1 or Windows-1252)", s[i])
		}
		i += n
	}
	return nil
}

func (p *parser) foreign() error {
	c := p.s[p.i]
	if c < 0x20 {
		return p.fail(p.i, NotXML, "this is binary data, not an XML document")
	}
	return p.fail(p.i, NotXML, "an XML document begins with '<', not with %q", short(firstRune(p.s[p.i:])))
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

func (p *parser) declaration() error {
	rest := p.s[p.i:]
	if !strings.HasPrefix(rest, "<?xml") || len(rest) > 5 && class[rest[5]]&space == 0 {
		return nil
	}
	end := strings.Index(rest, "?>")
	if end < 0 {
		return p.fail(len(p.s), Truncated, "the document ends inside the XML declaration")
	}
	at := p.i
	seen := 0
	for body := strings.TrimLeft(rest[5:end], white); body != ""; {
		name, after, ok := strings.Cut(body, "=")
		name, after = strings.TrimRight(name, white), strings.TrimLeft(after, white)
		if !ok || after == "" || after[0] != '"' && after[0] != '\'' {
			return p.fail(at, Malformed, "the XML declaration is malformed")
		}
		close := strings.IndexByte(after[1:], after[0])
		if close < 0 {
			return p.fail(at, Malformed, "the XML declaration is malformed")
		}
		value := after[1 : 1+close]
		following := after[close+2:]
		body = strings.TrimLeft(following, white)
		if body != "" && len(body) == len(following) {
			return p.fail(at, Malformed, "the XML declaration is malformed")
		}
		switch {
		case name == "version" && seen == 0:
			seen = 1
			if value != "1.0" {
				return p.fail(at, Malformed, "only XML 1.0 is read, the document announces %q", short(value))
			}
		case name == "encoding" && seen == 1:
			seen = 2
			if !strings.EqualFold(value, "UTF-8") {
				return p.fail(at, Encoding, "the document announces the encoding %q; only UTF-8 is read", short(value))
			}
		case name == "standalone" && (seen == 1 || seen == 2) && (value == "yes" || value == "no"):
			seen = 3
		default:
			return p.fail(at, Malformed, "the XML declaration is malformed")
		}
	}
	if seen == 0 {
		return p.fail(at, Malformed, "the XML declaration names no version")
	}
	p.i += end + 2
	return nil
}

func (p *parser) markup() error {
	s, i := p.s, p.i
	if i+1 == len(s) {
		return p.fail(i, Truncated, "the document ends inside a tag")
	}
	switch s[i+1] {
	case '/':
		return p.endTag()
	case '?':
		return p.processing()
	case '!':
		switch rest := s[i:]; {
		case strings.HasPrefix(rest, "<!--"):
			return p.comment()
		case strings.HasPrefix(rest, "<![CDATA["):
			return p.cdata()
		case strings.HasPrefix(rest, "<!DOCTYPE"):
			return p.fail(i, Doctype, "the document carries a DOCTYPE, which is refused; remove it")
		case strings.HasPrefix("<![CDATA[", rest), strings.HasPrefix("<!--", rest), strings.HasPrefix("<!DOCTYPE", rest):
			return p.fail(i, Truncated, "the document ends inside a declaration")
		}
		return p.fail(i, Malformed, "a declaration stands where none may stand")
	}
	return p.startTag()
}

func (p *parser) comment() error {
	end := strings.Index(p.s[p.i+4:], "--")
	if end < 0 {
		return p.fail(p.i, Truncated, "the document ends inside a comment")
	}
	body := p.s[p.i+4 : p.i+4+end]
	after := p.i + 4 + end + 2
	if after >= len(p.s) {
		return p.fail(p.i, Truncated, "the document ends inside a comment")
	}
	if p.s[after] != '>' {
		return p.fail(p.i+4+end, Malformed, "two hyphens stand inside a comment")
	}
	if err := p.allowed(body, p.i+4); err != nil {
		return err
	}
	p.i = after + 1
	return nil
}

func (p *parser) processing() error {
	at := p.i
	end := strings.Index(p.s[at+2:], "?>")
	if end < 0 {
		return p.fail(at, Truncated, "the document ends inside a processing instruction")
	}
	body := p.s[at+2 : at+2+end]
	n, colon := p.name(at + 2)
	n = min(n, end)
	target := body[:n]
	data := strings.TrimLeft(body[n:], white)
	switch {
	case n == 0 || n < len(body) && len(data) == len(body)-n:
		return p.fail(at, Malformed, "a processing instruction has no name")
	case colon >= 0:
		return p.fail(at, Unbound, "the name of a processing instruction has a colon")
	case strings.EqualFold(target, "xml"):
		return p.fail(at, Malformed, "an XML declaration stands elsewhere than at the very start")
	case !p.keep:
		return p.fail(at, Processing, "the processing instruction %s is refused here; remove it", short(target))
	}
	if err := p.allowed(body, at+2); err != nil {
		return err
	}
	e, err := p.element(at)
	if err != nil {
		return err
	}
	p.doc.Notes = append(p.doc.Notes, Note{at, "the processing instruction " + short(target) + " was passed over"})
	p.i = at + 2 + end + 2
	e.processing, e.local, e.text = true, target, lineEnds(data)
	e.open, e.close, e.end = int32(p.i), int32(p.i), int32(p.i)
	switch {
	case p.cur != nil:
		p.flush()
		p.append(e)
	case p.doc.Root == nil:
		p.doc.before = append(p.doc.before, e)
	default:
		p.doc.after = append(p.doc.after, e)
	}
	return nil
}

func lineEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// allowed refuses characters that may not stand in XML at all.
func (p *parser) allowed(s string, at int) error {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && class[c]&space == 0 || c == 0xEF && notACharacter(s[i:]) {
			return p.forbidden(at + i)
		}
	}
	return nil
}

func notACharacter(s string) bool {
	return strings.HasPrefix(s, "\uFFFE") || strings.HasPrefix(s, "\uFFFF")
}

func (p *parser) forbidden(at int) error {
	r, _ := utf8.DecodeRuneInString(p.s[at:])
	return p.fail(at, Malformed, "the character U+%04X may not stand in XML", r)
}

func (p *parser) cdata() error {
	at := p.i
	if p.cur == nil {
		return p.fail(at, Malformed, "a CDATA section stands outside the root element")
	}
	end := strings.Index(p.s[at+9:], "]]>")
	if end < 0 {
		return p.fail(at, Truncated, "the document ends inside a CDATA section")
	}
	body := p.s[at+9 : at+9+end]
	if err := p.allowed(body, at+9); err != nil {
		return err
	}
	p.i = at + 9
	p.piece(lineEnds(body))
	p.i = at + 9 + end + 3
	return nil
}

// piece adds to the character data since the last tag.
func (p *parser) piece(s string) {
	if s == "" {
		return
	}
	if !p.running {
		p.run, p.runAt, p.running = s, p.i, true
		return
	}
	if p.run != "" {
		p.runs = append(p.runs[:0], p.run...)
		p.run = ""
	}
	p.runs = append(p.runs, s...)
}

// flush hands the character data over to the tree.
func (p *parser) flush() {
	if !p.running {
		return
	}
	text := p.run
	if text == "" {
		text = string(p.runs)
	}
	if p.cur.last == nil {
		p.cur.text, p.cur.textOff = text, int32(p.runAt)
	} else {
		p.cur.last.tail = text
	}
	p.running, p.run = false, ""
}

func (p *parser) text() error {
	s, i := p.s, p.i
	from := i
	for i < len(s) {
		c := s[i]
		if class[c]&inText != 0 {
			i++
			continue
		}
		switch c {
		case '<':
			p.i = from
			p.piece(s[from:i])
			p.i = i
			return nil
		case ']':
			if strings.HasPrefix(s[i:], "]]>") {
				return p.fail(i, Malformed, "the characters ]]> stand in text; write ]]&gt;")
			}
			i++
		case 0xEF:
			if notACharacter(s[i:]) {
				return p.forbidden(i)
			}
			i += 3
		case '\r':
			p.i = from
			p.piece(s[from:i])
			p.i = i
			p.piece("\n")
			i++
			if i < len(s) && s[i] == '\n' {
				i++
			}
			from = i
		case '&':
			p.i = from
			p.piece(s[from:i])
			p.i = i
			r, n, err := p.reference(i)
			if err != nil {
				return err
			}
			p.piece(r)
			i += n
			from = i
		default:
			return p.forbidden(i)
		}
	}
	p.i = from
	p.piece(s[from:i])
	p.i = i
	return nil
}

var predefined = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

// reference reads &name; or &#n; and gives what it stands for and its length.
func (p *parser) reference(at int) (string, int, error) {
	window := p.s[at+1 : min(at+65, len(p.s))]
	end := strings.IndexByte(window, ';')
	if end < 0 {
		if at+65 > len(p.s) && strings.IndexAny(window, "<\"' \t\r\n&") < 0 {
			return "", 0, p.fail(at, Truncated, "the document ends inside a reference")
		}
		return "", 0, p.fail(at, Malformed, "an ampersand stands alone; write &amp;")
	}
	name := window[:end]
	if s, ok := predefined[name]; ok {
		return s, end + 2, nil
	}
	if !strings.HasPrefix(name, "#") {
		if n, _ := p.name(at + 1); n == 0 || n != end {
			return "", 0, p.fail(at, Malformed, "an ampersand stands alone; write &amp;")
		}
		return "", 0, p.fail(at, Doctype, "the entity &%s; is not one of the five that XML predefines", short(name))
	}
	r, ok := number(name[1:])
	if !ok {
		return "", 0, p.fail(at, Malformed, "the character reference &%s; names no character that XML allows", short(name))
	}
	return string(r), end + 2, nil
}

func number(s string) (r rune, ok bool) {
	base := rune(10)
	if strings.HasPrefix(s, "x") {
		s, base = s[1:], 16
	}
	if s == "" {
		return 0, false
	}
	for _, c := range []byte(s) {
		var d rune
		switch {
		case '0' <= c && c <= '9':
			d = rune(c - '0')
		case base == 16 && 'a' <= c && c <= 'f':
			d = rune(c-'a') + 10
		case base == 16 && 'A' <= c && c <= 'F':
			d = rune(c-'A') + 10
		default:
			return 0, false
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, false
		}
	}
	ok = r == '\t' || r == '\n' || r == '\r' || 0x20 <= r && r <= 0xD7FF || 0xE000 <= r && r <= 0xFFFD || 0x10000 <= r
	return r, ok
}

// name gives the length of the name at an offset, 0 for none, and where its
// colon is, counted from there: -1 for none, -2 for more than one.
func (p *parser) name(at int) (n, colon int) {
	s, i := p.s, at
	colon = -1
	for i < len(s) {
		c := s[i]
		if class[c]&namePart != 0 {
			if class[c]&nameStart == 0 && (i == at || colon >= 0 && i == at+colon+1) {
				break
			}
			i++
			continue
		}
		if c == ':' {
			if i == at {
				break
			}
			if colon != -1 {
				colon = -2
			} else {
				colon = i - at
			}
			i++
			continue
		}
		if c < utf8.RuneSelf {
			break
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		start := wideNameStart(r)
		if !start && (i == at || colon >= 0 && i == at+colon+1 || !wideNamePart(r)) {
			break
		}
		i += size
	}
	return i - at, colon
}

func wideNameStart(r rune) bool {
	switch {
	case r < 0xC0, r == 0xD7, r == 0xF7:
		return false
	case r <= 0x2FF, 0x370 <= r && r <= 0x37D, 0x37F <= r && r <= 0x1FFF, r == 0x200C, r == 0x200D,
		0x2070 <= r && r <= 0x218F, 0x2C00 <= r && r <= 0x2FEF, 0x3001 <= r && r <= 0xD7FF,
		0xF900 <= r && r <= 0xFDCF, 0xFDF0 <= r && r <= 0xFFFD, 0x10000 <= r && r <= 0xEFFFF:
		return true
	}
	return false
}

func wideNamePart(r rune) bool {
	return r == 0xB7 || 0x300 <= r && r <= 0x36F || r == 0x203F || r == 0x2040
}

// qname reads a qualified name and moves behind it.
func (p *parser) qname(what string) (prefix, local string, err error) {
	n, colon := p.name(p.i)
	name := p.s[p.i : p.i+n]
	switch {
	case n == 0 && p.i == len(p.s):
		return "", "", p.fail(p.i, Truncated, "the document ends inside a tag")
	case n == 0:
		return "", "", p.fail(p.i, Malformed, "%s has no name", what)
	case colon == -2 || colon == n-1:
		return "", "", p.fail(p.i, Unbound, "the name %s is not a qualified name", short(name))
	}
	p.i += n
	if colon < 0 {
		return "", name, nil
	}
	return name[:colon], name[colon+1:], nil
}

func (p *parser) spaces() (any bool) {
	for p.i < len(p.s) && class[p.s[p.i]]&space != 0 {
		p.i++
		any = true
	}
	return any
}

// count books nodes against the limit.
func (p *parser) count(at int) error {
	if p.nodes++; p.nodes > p.lim.Nodes {
		return p.fail(at, TooLarge, "the document has more than %d elements and attributes", p.lim.Nodes)
	}
	return nil
}

// element takes a fresh element from the slab.
func (p *parser) element(at int) (*Element, error) {
	if err := p.count(at); err != nil {
		return nil, err
	}
	if len(p.elements) == 0 {
		// A RegRep document has an element per 60 to 100 bytes.
		p.elements = make([]Element, max(4, min(512, (len(p.s)-at)/72+1)))
	}
	e := &p.elements[0]
	p.elements = p.elements[1:]
	e.doc, e.parent, e.start = p.doc, p.cur, int32(at)
	return e, nil
}

// append hangs an element under the current one.
func (p *parser) append(e *Element) {
	if p.cur.last == nil {
		p.cur.first = e
	} else {
		p.cur.last.next = e
	}
	p.cur.last = e
	if e.processing {
		return
	}
	p.cur.childCount++
}

func (p *parser) startTag() error {
	at := p.i
	if p.cur == nil && p.doc.Root != nil {
		return p.fail(at, Malformed, "a second root element begins")
	}
	if p.depth++; p.depth > p.lim.Depth {
		return p.fail(at, TooLarge, "elements are nested more than %d deep", p.lim.Depth)
	}
	p.i++
	prefix, local, err := p.qname("an element")
	if err != nil {
		return err
	}
	e, err := p.element(at)
	if err != nil {
		return err
	}
	e.prefix, e.local = prefix, local
	empty, err := p.attributes(e)
	if err != nil {
		return err
	}
	if err := p.names(e); err != nil {
		return err
	}
	e.open = int32(p.i)
	e.textOff = e.open
	if p.cur == nil {
		p.doc.Root = e
	} else {
		p.flush()
		p.append(e)
	}
	p.cur = e
	if empty {
		p.closed(p.i)
	}
	return nil
}

// attributes reads the rest of a start tag.
func (p *parser) attributes(e *Element) (empty bool, err error) {
	p.attrs, p.decls = p.attrs[:0], p.decls[:0]
	for {
		spaced := p.spaces()
		if p.i == len(p.s) {
			return false, p.fail(p.i, Truncated, "the document ends inside the tag %s", short(e.Name()))
		}
		switch p.s[p.i] {
		case '>':
			p.i++
			return false, nil
		case '/':
			if p.i+1 == len(p.s) {
				return false, p.fail(p.i, Truncated, "the document ends inside the tag %s", short(e.Name()))
			}
			if p.s[p.i+1] != '>' {
				return false, p.fail(p.i, Malformed, "a slash stands inside the tag %s", short(e.Name()))
			}
			p.i += 2
			return true, nil
		}
		if !spaced {
			return false, p.fail(p.i, Malformed, "white space is missing before an attribute of %s", short(e.Name()))
		}
		if err := p.attribute(e); err != nil {
			return false, err
		}
	}
}

func (p *parser) attribute(e *Element) error {
	at := p.i
	if err := p.count(at); err != nil {
		return err
	}
	if len(p.attrs)+len(p.decls) == p.lim.Attributes {
		return p.fail(at, TooLarge, "the element %s has more than %d attributes", short(e.Name()), p.lim.Attributes)
	}
	prefix, local, err := p.qname("an attribute of " + e.local)
	if err != nil {
		return err
	}
	p.spaces()
	if p.i == len(p.s) {
		return p.fail(p.i, Truncated, "the document ends inside the tag %s", short(e.Name()))
	}
	if p.s[p.i] != '=' {
		return p.fail(p.i, Malformed, "the attribute %s has no value", short(qualified(prefix, local)))
	}
	p.i++
	p.spaces()
	from := p.i + 1
	value, err := p.attrValue(prefix, local)
	if err != nil {
		return err
	}
	if prefix == "xmlns" || prefix == "" && local == "xmlns" {
		return p.declare(at, prefix, local, value)
	}
	p.attrs = append(p.attrs, Attr{Prefix: prefix, Local: local, Value: value, owner: e, start: int32(at), value: int32(from)})
	return nil
}

// declare takes a namespace declaration.
func (p *parser) declare(at int, prefix, local, uri string) error {
	n := Namespace{URI: uri}
	if prefix != "" {
		n.Prefix = local
	}
	switch {
	case n.Prefix == "xmlns" || uri == XMLNSSpace:
		return p.fail(at, Unbound, "the prefix xmlns and its namespace may not be declared")
	case (n.Prefix == "xml") != (uri == XMLSpace):
		return p.fail(at, Unbound, "the prefix xml and its namespace belong together")
	case n.Prefix != "" && uri == "":
		return p.fail(at, Unbound, "the prefix %s is bound to no namespace", short(n.Prefix))
	}
	for _, d := range p.decls {
		if d.Prefix == n.Prefix {
			return p.fail(at, Malformed, "the namespace declaration %s stands twice", short(qualified(prefix, local)))
		}
	}
	p.decls = append(p.decls, n)
	return nil
}

func (p *parser) attrValue(prefix, local string) (string, error) {
	s, i := p.s, p.i
	if i == len(s) {
		return "", p.fail(i, Truncated, "the document ends before the value of the attribute %s", short(qualified(prefix, local)))
	}
	quote := s[i]
	if quote != '"' && quote != '\'' {
		return "", p.fail(i, Malformed, "the value of the attribute %s stands without quotation marks", short(qualified(prefix, local)))
	}
	i++
	from := i
	p.value = p.value[:0]
	for i < len(s) {
		c := s[i]
		if class[c]&inValue != 0 {
			i++
			continue
		}
		switch c {
		case quote:
			p.i = i + 1
			if len(p.value) == 0 {
				return s[from:i], nil
			}
			return string(append(p.value, s[from:i]...)), nil
		case '"', '\'':
			i++
		case '\t', '\n', '\r':
			p.value = append(append(p.value, s[from:i]...), ' ')
			if c == '\r' && i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
			i++
			from = i
		case '&':
			r, n, err := p.reference(i)
			if err != nil {
				return "", err
			}
			p.value = append(append(p.value, s[from:i]...), r...)
			i += n
			from = i
		case '<':
			return "", p.fail(i, Malformed, "the character < stands in the value of the attribute %s; write &lt;", short(qualified(prefix, local)))
		case 0xEF:
			if notACharacter(s[i:]) {
				return "", p.forbidden(i)
			}
			i += 3
		default:
			return "", p.forbidden(i)
		}
	}
	return "", p.fail(len(s), Truncated, "the document ends inside the value of the attribute %s", short(qualified(prefix, local)))
}

// names resolves the prefixes of an element and its attributes.
func (p *parser) names(e *Element) error {
	if n := len(p.decls); n > 0 {
		if len(p.scope)+n > p.lim.Prefixes {
			return p.fail(int(e.start), TooLarge, "more than %d namespace declarations are in scope", p.lim.Prefixes)
		}
		p.scope = append(p.scope, p.decls...)
		if len(p.declSlab) < n {
			p.declSlab = make([]Namespace, max(8, n))
		}
		e.namespaces = p.declSlab[:n:n]
		p.declSlab = p.declSlab[n:]
		copy(e.namespaces, p.decls)
	}
	uri, ok := p.lookup(e.prefix)
	if !ok {
		return p.fail(int(e.start), Unbound, "the prefix of %s is not declared", short(e.Name()))
	}
	e.space = uri
	n := len(p.attrs)
	if n == 0 {
		return nil
	}
	if len(p.attrSlab) < n {
		p.attrSlab = make([]Attr, max(n, min(256, 8+(len(p.s)-int(e.start))/256)))
	}
	e.attrs = p.attrSlab[:n:n]
	p.attrSlab = p.attrSlab[n:]
	copy(e.attrs, p.attrs)
	for i := range e.attrs {
		a := &e.attrs[i]
		if a.Prefix != "" {
			if a.Space, ok = p.lookup(a.Prefix); !ok {
				return p.fail(int(a.start), Unbound, "the prefix of the attribute %s is not declared", short(a.Name()))
			}
		}
		for j := range i {
			if b := &e.attrs[j]; b.Local == a.Local && b.Space == a.Space {
				return p.fail(int(a.start), Malformed, "the attribute %s stands twice", short(a.Name()))
			}
		}
	}
	return nil
}

func (p *parser) lookup(prefix string) (string, bool) {
	for i := len(p.scope) - 1; i >= 0; i-- {
		if p.scope[i].Prefix == prefix {
			return p.scope[i].URI, true
		}
	}
	if prefix == "xml" {
		return XMLSpace, true
	}
	return "", prefix == ""
}

func (p *parser) endTag() error {
	at := p.i
	if p.cur == nil {
		return p.fail(at, Malformed, "an end tag stands where nothing is open")
	}
	p.i += 2
	name := p.cur.written()
	if !strings.HasPrefix(p.s[p.i:], name) {
		return p.wrongEnd(at, name)
	}
	p.i += len(name)
	p.spaces()
	if p.i == len(p.s) {
		return p.fail(p.i, Truncated, "the document ends inside an end tag")
	}
	if p.s[p.i] != '>' {
		return p.wrongEnd(at, name)
	}
	p.i++
	p.flush()
	p.closed(at)
	return nil
}

func (p *parser) wrongEnd(at int, want string) error {
	if strings.HasPrefix(want, p.s[at+2:]) {
		return p.fail(len(p.s), Truncated, "the document ends inside an end tag")
	}
	n, _ := p.name(at + 2)
	return p.fail(at, Malformed, "the end tag %s closes %s of line %d", short(p.s[at+2:at+2+n]), short(want), p.cur.Pos().Line)
}

// written is the qualified name as it stands in the source, without a copy.
func (e *Element) written() string {
	n := len(e.local)
	if e.prefix != "" {
		n += len(e.prefix) + 1
	}
	return e.doc.src[e.start+1 : int(e.start)+1+n]
}

// closed ends the current element, whose end tag begins at an offset.
func (p *parser) closed(at int) {
	e := p.cur
	e.close, e.end = int32(at), int32(p.i)
	p.scope = p.scope[:len(p.scope)-len(e.namespaces)]
	p.cur = e.parent
	p.depth--
}

// short cuts what is quoted in a message.
func short(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
