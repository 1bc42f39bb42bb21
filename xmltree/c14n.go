package xmltree

import (
	"io"
	"slices"
	"strings"
)

// Exclusive canonicalisation (RFC 3741), without comments.
//
// The identifier of the method is C14N; the identifier "with comments" names
// another one, which this package cannot produce because it drops comments.
const C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"

// Canonical writes the whole document in exclusive canonical form. The
// prefixes are the PrefixList of ec:InclusiveNamespaces, "#default" for the
// default namespace.
func (d *Document) Canonical(w io.Writer, prefixes ...string) error {
	c := newCanon(w, prefixes)
	for _, e := range d.before {
		c.processing(e)
		c.byte('\n')
	}
	c.element(d.Root)
	for _, e := range d.after {
		c.byte('\n')
		c.processing(e)
	}
	return c.flush()
}

// Canonical writes the element, as it stands in its document, in exclusive
// canonical form: the octets that a ds:Reference to it digests.
func (e *Element) Canonical(w io.Writer, prefixes ...string) error {
	if e == nil {
		return nil
	}
	c := newCanon(w, prefixes)
	for a := e.parent; a != nil; a = a.parent {
		c.scope = append(c.scope, a.namespaces...) // inner ones first, turned around below
	}
	slices.Reverse(c.scope)
	c.element(e)
	return c.flush()
}

type canon struct {
	w         io.Writer
	buf       []byte
	err       error
	inclusive []string
	scope     []Namespace // in scope in the source, innermost last
	rendered  []Namespace // written by an ancestor, innermost last
	used      []Namespace // of the element at hand
	order     []*Attr
}

func newCanon(w io.Writer, prefixes []string) *canon {
	c := &canon{w: w, buf: make([]byte, 0, 4096), inclusive: prefixes}
	if i := slices.Index(prefixes, "#default"); i >= 0 {
		c.inclusive = slices.Clone(prefixes)
		c.inclusive[i] = ""
	}
	return c
}

func (c *canon) flush() error {
	if c.err == nil && len(c.buf) > 0 {
		_, c.err = c.w.Write(c.buf)
	}
	c.buf = c.buf[:0]
	return c.err
}

func (c *canon) string(s string) {
	if len(c.buf)+len(s) > cap(c.buf) {
		c.flush()
		if len(s) > cap(c.buf) {
			if c.err == nil {
				_, c.err = io.WriteString(c.w, s)
			}
			return
		}
	}
	c.buf = append(c.buf, s...)
}

func (c *canon) byte(b byte) {
	if len(c.buf) == cap(c.buf) {
		c.flush()
	}
	c.buf = append(c.buf, b)
}

func (c *canon) name(prefix, local string) {
	if prefix != "" {
		c.string(prefix)
		c.byte(':')
	}
	c.string(local)
}

func lookup(list []Namespace, prefix string) (string, bool) {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Prefix == prefix {
			return list[i].URI, true
		}
	}
	return "", false
}

// use notes that a prefix must be declared on the element at hand, unless an
// ancestor did so already.
func (c *canon) use(prefix string, listed bool) {
	if prefix == "xml" {
		return
	}
	uri, bound := lookup(c.scope, prefix)
	if listed && !bound {
		return
	}
	if _, twice := lookup(c.used, prefix); twice {
		return
	}
	if before, _ := lookup(c.rendered, prefix); before == uri {
		return // also the empty default namespace that nobody replaced
	}
	c.used = append(c.used, Namespace{prefix, uri})
}

func (c *canon) element(e *Element) {
	c.scope = append(c.scope, e.namespaces...)
	rendered := len(c.rendered)

	c.used, c.order = c.used[:0], c.order[:0]
	c.use(e.prefix, false)
	for i := range e.attrs {
		a := &e.attrs[i]
		c.order = append(c.order, a)
		if a.Prefix != "" {
			c.use(a.Prefix, false)
		}
	}
	for _, p := range c.inclusive {
		c.use(p, true)
	}
	if len(c.used) > 1 {
		slices.SortFunc(c.used, func(a, b Namespace) int { return strings.Compare(a.Prefix, b.Prefix) })
	}
	if len(c.order) > 1 {
		slices.SortFunc(c.order, func(a, b *Attr) int {
			if n := strings.Compare(a.Space, b.Space); n != 0 {
				return n
			}
			return strings.Compare(a.Local, b.Local)
		})
	}

	c.byte('<')
	c.name(e.prefix, e.local)
	for _, n := range c.used {
		c.string(" xmlns")
		if n.Prefix != "" {
			c.byte(':')
			c.string(n.Prefix)
		}
		c.string(`="`)
		c.escape(n.URI, inAttribute)
		c.byte('"')
	}
	c.rendered = append(c.rendered, c.used...)
	for _, a := range c.order {
		c.byte(' ')
		c.name(a.Prefix, a.Local)
		c.string(`="`)
		c.escape(a.Value, inAttribute)
		c.byte('"')
	}
	c.byte('>')

	c.escape(e.text, inContent)
	for child := e.first; child != nil; child = child.next {
		if child.processing {
			c.processing(child)
		} else {
			c.element(child)
		}
		c.escape(child.tail, inContent)
	}

	c.string("</")
	c.name(e.prefix, e.local)
	c.byte('>')
	c.scope = c.scope[:len(c.scope)-len(e.namespaces)]
	c.rendered = c.rendered[:rendered]
}

func (c *canon) processing(e *Element) {
	c.string("<?")
	c.string(e.local)
	if e.text != "" {
		c.byte(' ')
		c.string(e.text)
	}
	c.string("?>")
}

// Where a character stands decides how it is written.
var (
	inContent   = escapes(map[byte]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '\r': "&#xD;"})
	inAttribute = escapes(map[byte]string{'&': "&amp;", '<': "&lt;", '"': "&quot;", '\t': "&#x9;", '\n': "&#xA;", '\r': "&#xD;"})
)

func escapes(of map[byte]string) *[256]string {
	var t [256]string
	for b, s := range of {
		t[b] = s
	}
	return &t
}

func (c *canon) escape(s string, table *[256]string) {
	from := 0
	for i := 0; i < len(s); i++ {
		if as := table[s[i]]; as != "" {
			c.string(s[from:i])
			c.string(as)
			from = i + 1
		}
	}
	c.string(s[from:])
}
