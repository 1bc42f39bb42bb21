package xmltree

import (
	"strings"
	"unicode/utf8"
)

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
		p.run, p.running = s, true
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
		p.cur.text = text
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
		if at+65 > len(p.s) && !strings.ContainsAny(window, "<\"' \t\r\n&") {
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
