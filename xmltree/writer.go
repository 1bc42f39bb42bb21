package xmltree

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// customary are the prefixes that partners and published assertions expect.
var customary = map[string]string{
	"query": "urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0",
	"rim":   "urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0",
	"rs":    "urn:oasis:names:tc:ebxml-regrep:xsd:rs:4.0",
	"lcm":   "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:4.0",
	"sdg":   "http://data.europa.eu/p4s",
	"xsi":   XSISpace,
	"xlink": "http://www.w3.org/1999/xlink",
	"xml":   XMLSpace,
	"eb":    "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/",
	"ebbp":  "http://docs.oasis-open.org/ebxml-bp/ebbp-signals-2.0",
	"env":   "http://www.w3.org/2003/05/soap-envelope",
	"wsse":  "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
	"wsu":   "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
	"ds":    "http://www.w3.org/2000/09/xmldsig#",
	"xenc":  "http://www.w3.org/2001/04/xmlenc#",
	"ec":    "http://www.w3.org/2001/10/xml-exc-c14n#",
}

// Customary gives the namespace of a customary prefix, "" for another one.
func Customary(prefix string) string { return customary[prefix] }

// Writer builds one document with the prefixes it is told. Names are given
// as they shall stand ("rim:Slot"). A misuse or a character that XML forbids
// is remembered and reported by Bytes; what follows is ignored.
type Writer struct {
	// Indent, when not empty, puts each element on a line of its own. Elements
	// with text stay on theirs. Set it before the first Open.
	Indent string

	buf   []byte
	open  []tag
	known []string // declared prefixes, innermost last
	begun bool     // a start tag waits for its '>'
	named []string // names of that tag whose prefixes are still to be checked
	err   error
}

type tag struct {
	name      string
	prefixes  int // length of known before it
	hasText   bool
	hasMarkup bool
}

// NewWriter begins a document with an XML declaration.
func NewWriter() *Writer {
	return &Writer{buf: append(make([]byte, 0, 4096), `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)}
}

// NewFragment begins an element without an XML declaration.
func NewFragment() *Writer { return &Writer{buf: make([]byte, 0, 1024)} }

// Open writes a start tag. The attributes are names and values in turn.
func (w *Writer) Open(name string, attrs ...string) {
	if w.err != nil {
		return
	}
	if len(w.open) == 0 && w.known != nil {
		w.fail("the document has a second root element %s", name)
		return
	}
	w.finish()
	if n := len(w.open); n > 0 {
		w.open[n-1].hasMarkup = true
		if !w.open[n-1].hasText {
			w.newline(n)
		}
	}
	w.open = append(w.open, tag{name: name, prefixes: len(w.known)})
	if w.known == nil {
		w.known = []string{"xml"}
	}
	w.buf = append(append(w.buf, '<'), name...)
	w.begun = true
	w.named = append(w.named[:0], name)
	w.Attr(attrs...)
}

// Declare binds customary prefixes on the element just opened.
func (w *Writer) Declare(prefixes ...string) {
	for _, p := range prefixes {
		uri := customary[p]
		if uri == "" {
			w.fail("the prefix %s is not a customary one", p)
			return
		}
		w.Bind(p, uri)
	}
}

// Bind declares a namespace on the element just opened, the default namespace
// when the prefix is empty.
func (w *Writer) Bind(prefix, uri string) {
	if prefix == "" {
		w.attr("xmlns", uri)
	} else {
		w.attr("xmlns:"+prefix, uri)
	}
	w.known = append(w.known, prefix)
}

// Attr adds attributes, names and values in turn, to the element just opened.
func (w *Writer) Attr(attrs ...string) {
	if len(attrs)%2 != 0 {
		w.fail("an attribute has no value")
		return
	}
	for i := 0; i < len(attrs); i += 2 {
		w.attr(attrs[i], attrs[i+1])
	}
}

func (w *Writer) attr(name, value string) {
	if w.err != nil {
		return
	}
	if !w.begun {
		w.fail("the attribute %s comes after the start tag", name)
		return
	}
	if !strings.HasPrefix(name, "xmlns") {
		w.named = append(w.named, name)
	}
	w.buf = append(append(append(w.buf, ' '), name...), '=', '"')
	w.escape(value, inAttribute)
	w.buf = append(w.buf, '"')
}

// Text writes character data into the open element.
func (w *Writer) Text(s string) {
	if w.err != nil || s == "" {
		return
	}
	if len(w.open) == 0 {
		w.fail("text stands outside the root element")
		return
	}
	w.finish()
	w.open[len(w.open)-1].hasText = true
	w.escape(s, inContent)
}

// Leaf writes an element that holds text only.
func (w *Writer) Leaf(name, text string, attrs ...string) {
	w.Open(name, attrs...)
	w.Text(text)
	w.Close()
}

// Raw writes markup that is well-formed already, such as the Source of an
// element whose prefixes are bound here too.
func (w *Writer) Raw(markup string) {
	if w.err != nil || len(w.open) == 0 {
		return
	}
	w.finish()
	w.open[len(w.open)-1].hasText = true
	w.buf = append(w.buf, markup...)
}

// Close writes the end tag of the element opened last.
func (w *Writer) Close() {
	if w.err != nil {
		return
	}
	n := len(w.open) - 1
	if n < 0 {
		w.fail("an end tag has no start tag")
		return
	}
	t := w.open[n]
	if w.begun {
		w.checkPrefixes()
		w.buf = append(w.buf, '/', '>')
		w.begun = false
	} else {
		if t.hasMarkup && !t.hasText {
			w.newline(n)
		}
		w.buf = append(append(append(w.buf, '<', '/'), t.name...), '>')
	}
	w.open = w.open[:n]
	if n > 0 {
		w.known = w.known[:t.prefixes]
	}
}

// Bytes returns the document; every element must be closed.
func (w *Writer) Bytes() ([]byte, error) {
	switch {
	case w.err != nil:
		return nil, w.err
	case len(w.open) > 0:
		return nil, fmt.Errorf("xmltree: %s is not closed", w.open[len(w.open)-1].name)
	case w.known == nil:
		return nil, fmt.Errorf("xmltree: the document has no element")
	}
	return w.buf, nil
}

func (w *Writer) finish() {
	if w.begun {
		w.checkPrefixes()
		w.buf = append(w.buf, '>')
		w.begun = false
	}
}

// checkPrefixes refuses names whose prefix nobody declared.
func (w *Writer) checkPrefixes() {
	for _, name := range w.named {
		if prefix, _, found := strings.Cut(name, ":"); found && !slices.Contains(w.known, prefix) {
			w.fail("the prefix of %s is not declared", name)
		}
	}
}

func (w *Writer) newline(depth int) {
	if w.Indent == "" {
		return
	}
	w.buf = append(w.buf, '\n')
	for range depth {
		w.buf = append(w.buf, w.Indent...)
	}
}

// Fail makes Bytes report an error, unless one came before.
func (w *Writer) Fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *Writer) fail(format string, args ...any) {
	w.Fail(fmt.Errorf("xmltree: "+format, args...))
}

func (w *Writer) escape(s string, table *[256]string) {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c == 0xEF && notACharacter(s[i:]) {
			w.fail("the character at byte %d of a value may not stand in XML", i)
			return
		}
		if as := table[c]; as != "" {
			w.buf = append(append(w.buf, s[from:i]...), as...)
			from = i + 1
		}
	}
	if !utf8.ValidString(s) {
		w.fail("a value is not UTF-8")
		return
	}
	w.buf = append(w.buf, s[from:]...)
}
