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
