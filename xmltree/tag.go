package xmltree

import "strings"

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
