package ledger

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// DecodeLine reads one JSON object as a fact. It is strict: unknown and
// repeated members, null, wrong types, numbers with a fraction and anything
// after the object are refused; a line has at most MaxLine octets, and the
// shape bounds the depth. The error is a *Refusal. It does not Check.
func DecodeLine(line []byte) (Fact, error) {
	var d decoder
	var f Fact
	if err := d.decode(line, &f); err != nil {
		return Fact{}, err
	}
	return f, nil
}

// decoder reads facts and gives equal short texts one copy.
type decoder struct {
	line []byte
	pos  int
	seen map[string]string // interned texts
	buf  []byte            // text with escapes resolved
}

// maxInterned bounds the memory of a decoder.
const maxInterned = 1 << 16

func (d *decoder) decode(line []byte, f *Fact) error {
	if len(line) > MaxLine {
		return &Refusal{Reason: fmt.Sprintf("is %d octets long; the most are %d", len(line), MaxLine)}
	}
	if d.seen == nil {
		d.seen = make(map[string]string)
	}
	d.line, d.pos = line, 0
	*f = Fact{}
	r := decodeObject(d, factRows, f, "", f)
	if r == nil {
		if d.blank(); d.pos != len(d.line) {
			r = &Refusal{Reason: fmt.Sprintf("has something after the fact, at character %d; a line holds one JSON object", d.pos+1)}
		}
	}
	d.line = nil
	if r != nil {
		return r.at(f, 0)
	}
	normalise(f)
	return nil
}

func (d *decoder) blank() {
	for d.pos < len(d.line) {
		switch d.line[d.pos] {
		case ' ', '\t', '\r', '\n':
			d.pos++
		default:
			return
		}
	}
}

// next passes blanks and tells the octet that follows, 0 at the end.
func (d *decoder) next() byte {
	if d.pos < len(d.line) && d.line[d.pos] > ' ' {
		return d.line[d.pos]
	}
	d.blank()
	if d.pos < len(d.line) {
		return d.line[d.pos]
	}
	return 0
}

func (d *decoder) broken(field, want string) *Refusal {
	found := "the end of the line"
	if d.pos < len(d.line) {
		rest := d.line[d.pos:]
		_, n := utf8.DecodeRune(rest)
		found = fmt.Sprintf("%q at character %d", rest[:n], d.pos+1)
	}
	return &Refusal{Field: field, Reason: "found " + found + " where " + want + " should stand"}
}

func decodeObject[T any](d *decoder, rows []row[T], v *T, prefix string, f *Fact) *Refusal {
	if d.next() != '{' {
		return d.broken(strings.TrimSuffix(prefix, "."), "a JSON object, { … },")
	}
	d.pos++
	if d.next() == '}' {
		d.pos++
		return nil
	}
	var had uint64 // no table has more than 64 rows
	cursor := 0
	for {
		if d.next() != '"' {
			return d.broken(strings.TrimSuffix(prefix, "."), "a name in quotes")
		}
		key, r := d.text("")
		if r != nil {
			r.Field = strings.TrimSuffix(prefix, ".")
			return r
		}
		// Members mostly come in the order of the table.
		at := -1
		for i := range rows {
			j := cursor + i
			if j >= len(rows) {
				j -= len(rows)
			}
			if rows[j].name == string(key) {
				at = j
				break
			}
		}
		if at < 0 {
			return &Refusal{Field: prefix + clip(key), Reason: "is no field of a fact; the fields here are " + strings.Join(names(rows, ""), ", ")}
		}
		row := &rows[at]
		if had&(1<<at) != 0 {
			return &Refusal{Field: prefix + row.name, Reason: "stands twice"}
		}
		had |= 1 << at
		cursor = at + 1
		if d.next() != ':' {
			return d.broken(prefix+row.name, "a colon")
		}
		d.pos++
		d.next()
		if r := decodeValue(d, row, v, prefix, f); r != nil {
			return r
		}
		switch d.next() {
		case ',':
			d.pos++
			d.next()
		case '}':
			d.pos++
			return nil
		default:
			return d.broken(prefix+row.name, "a comma or the closing }")
		}
	}
}

func decodeValue[T any](d *decoder, row *row[T], v *T, prefix string, f *Fact) *Refusal {
	var r *Refusal
	switch p := row.at(v).(type) {
	case *string:
		*p, r = d.string(!row.form.apart)
	case *time.Time:
		*p, r = d.time()
	case *bool:
		*p, r = d.bool()
	case *int:
		var n int64
		n, r = d.int()
		*p = int(n)
	case *int64:
		*p, r = d.int()
	case *[]string:
		r = d.list(maxList, func() *Refusal {
			s, r := d.string(true)
			*p = append(*p, s)
			return r
		})
	case *map[string]int:
		r = d.totals(p)
	case *Subject:
		return decodeObject(d, subjectRows, f, "subject.", f)
	case *Body:
		return decodeObject(d, bodyRows, f, "body.", f)
	case *[]Evidence:
		n := 0
		r = d.list(maxEvidence, func() *Refusal {
			*p = append(*p, Evidence{})
			n++
			return decodeObject(d, evidenceRows, &(*p)[n-1], fmt.Sprintf("evidence[%d].", n-1), f)
		})
	}
	if r != nil && r.Field == "" {
		r.Field = prefix + row.name
	}
	return r
}

// text reads a JSON string; the result is valid until the next call.
func (d *decoder) text(want string) ([]byte, *Refusal) {
	if want == "" {
		want = "a text in quotes"
	}
	if d.next() != '"' {
		return nil, d.broken("", want)
	}
	d.pos++
	start := d.pos
	plain := true
	for d.pos < len(d.line) {
		switch c := d.line[d.pos]; {
		case c == '"':
			s := d.line[start:d.pos]
			d.pos++
			if !plain && !utf8.Valid(s) {
				return nil, &Refusal{Reason: "is not UTF-8"}
			}
			return s, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return nil, &Refusal{Reason: fmt.Sprintf("has the control character U+%04X", c)}
		case c >= utf8.RuneSelf:
			plain = false
		}
		d.pos++
	}
	return nil, d.broken("", "the closing quote")
}

// escaped reads on from the first backslash of a string.
func (d *decoder) escaped(start int) ([]byte, *Refusal) {
	d.buf = append(d.buf[:0], d.line[start:d.pos]...)
	for d.pos < len(d.line) {
		c := d.line[d.pos]
		d.pos++
		switch {
		case c == '"':
			if !utf8.Valid(d.buf) {
				return nil, &Refusal{Reason: "is not UTF-8"}
			}
			return d.buf, nil
		case c < ' ':
			return nil, &Refusal{Reason: fmt.Sprintf("has the control character U+%04X", c)}
		case c != '\\':
			d.buf = append(d.buf, c)
			continue
		}
		if d.pos >= len(d.line) {
			break
		}
		c = d.line[d.pos]
		d.pos++
		switch c {
		case '"', '\\', '/':
			d.buf = append(d.buf, c)
		case 'b':
			d.buf = append(d.buf, '\b')
		case 'f':
			d.buf = append(d.buf, '\f')
		case 'n':
			d.buf = append(d.buf, '\n')
		case 'r':
			d.buf = append(d.buf, '\r')
		case 't':
			d.buf = append(d.buf, '\t')
		case 'u':
			r, ok := d.hex4()
			if ok && utf16.IsSurrogate(r) {
				var low rune
				if ok = d.pos+1 < len(d.line) && d.line[d.pos] == '\\' && d.line[d.pos+1] == 'u'; ok {
					d.pos += 2
					if low, ok = d.hex4(); ok {
						r = utf16.DecodeRune(r, low)
						ok = r != utf8.RuneError
					}
				}
			}
			if !ok {
				return nil, &Refusal{Reason: "has a \\u escape that is no character"}
			}
			d.buf = utf8.AppendRune(d.buf, r)
		default:
			return nil, &Refusal{Reason: fmt.Sprintf("has the escape \\%c, which JSON does not know", c)}
		}
	}
	return nil, d.broken("", "the closing quote")
}

func (d *decoder) hex4() (rune, bool) {
	if d.pos+4 > len(d.line) {
		return 0, false
	}
	var r rune
	for _, c := range d.line[d.pos : d.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	d.pos += 4
	return r, true
}

func (d *decoder) string(intern bool) (string, *Refusal) {
	b, r := d.text("")
	if r != nil || len(b) == 0 {
		return "", r
	}
	if !intern || len(b) > 200 {
		return string(b), nil
	}
	return d.intern(b), nil
}

func (d *decoder) intern(b []byte) string {
	if s, ok := d.seen[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(d.seen) < maxInterned {
		d.seen[s] = s
	}
	return s
}

func (d *decoder) time() (time.Time, *Refusal) {
	b, r := d.text("a time in quotes")
	if r != nil {
		return time.Time{}, r
	}
	if t, ok := plainTime(b); ok {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, string(b))
	if err != nil || t.IsZero() {
		return time.Time{}, &Refusal{Reason: fmt.Sprintf("%q is no time; write it like \"2026-03-31T12:00:00Z\"", clip(b))}
	}
	return t.UTC(), nil
}

// plainTime reads "2026-03-31T12:00:00Z" and "2026-03-31T12:00:00.25Z"; what
// looks otherwise goes the long way.
func plainTime(b []byte) (time.Time, bool) {
	if len(b) < 20 || len(b) > 24 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[len(b)-1] != 'Z' {
		return time.Time{}, false
	}
	ok := true
	num := func(from, to int) int {
		n := 0
		for _, c := range b[from:to] {
			if c < '0' || c > '9' {
				ok = false
			}
			n = n*10 + int(c-'0')
		}
		return n
	}
	y, mo, day := num(0, 4), num(5, 7), num(8, 10)
	h, mi, s := num(11, 13), num(14, 16), num(17, 19)
	ns := 0
	if len(b) > 20 {
		if b[19] != '.' || len(b) == 21 {
			return time.Time{}, false
		}
		ns = num(20, len(b)-1)
		for i := len(b) - 21; i < 9; i++ {
			ns *= 10
		}
	}
	if !ok || y < 1900 || mo < 1 || mo > 12 || day < 1 || day > 28 && day > daysIn(y, mo) || h > 23 || mi > 59 || s > 59 {
		return time.Time{}, false
	}
	return time.Date(y, time.Month(mo), day, h, mi, s, ns, time.UTC), true
}

func daysIn(y, m int) int { return time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func (d *decoder) bool() (bool, *Refusal) {
	d.next()
	rest := d.line[d.pos:]
	switch {
	case len(rest) >= 4 && string(rest[:4]) == "true":
		d.pos += 4
		return true, nil
	case len(rest) >= 5 && string(rest[:5]) == "false":
		d.pos += 5
		return false, nil
	}
	return false, d.broken("", "true or false")
}

func (d *decoder) int() (int64, *Refusal) {
	neg := d.next() == '-'
	if neg {
		d.pos++
	}
	start := d.pos
	var n int64
	for d.pos < len(d.line) && d.line[d.pos] >= '0' && d.line[d.pos] <= '9' {
		if d.pos-start == 15 {
			return 0, &Refusal{Reason: "is too large a number"}
		}
		n = n*10 + int64(d.line[d.pos]-'0')
		d.pos++
	}
	if d.pos == start || d.line[start] == '0' && d.pos > start+1 {
		d.pos = start
		return 0, d.broken("", "a whole number")
	}
	if d.pos < len(d.line) {
		switch d.line[d.pos] {
		case '.', 'e', 'E':
			return 0, d.broken("", "a whole number")
		}
	}
	if neg {
		n = -n
	}
	return n, nil
}

func (d *decoder) list(most int, each func() *Refusal) *Refusal {
	if d.next() != '[' {
		return d.broken("", "a list, [ … ],")
	}
	d.pos++
	if d.next() == ']' {
		d.pos++
		return nil
	}
	for n := 1; ; n++ {
		if n > most {
			return &Refusal{Reason: fmt.Sprintf("has more than %d entries", most)}
		}
		d.next()
		if r := each(); r != nil {
			return r
		}
		switch d.next() {
		case ',':
			d.pos++
		case ']':
			d.pos++
			return nil
		default:
			return d.broken("", "a comma or the closing ]")
		}
	}
}

func (d *decoder) totals(p *map[string]int) *Refusal {
	if d.next() != '{' {
		return d.broken("", "a JSON object of numbers")
	}
	d.pos++
	if d.next() == '}' {
		d.pos++
		return nil
	}
	*p = map[string]int{}
	for {
		d.next()
		key, r := d.string(true)
		if r != nil {
			return r
		}
		if _, twice := (*p)[key]; twice {
			return &Refusal{Reason: fmt.Sprintf("%q stands twice", key)}
		}
		if len(*p) == maxList {
			return &Refusal{Reason: fmt.Sprintf("has more than %d entries", maxList)}
		}
		if d.next() != ':' {
			return d.broken("", "a colon")
		}
		d.pos++
		n, r := d.int()
		if r != nil {
			return r
		}
		(*p)[key] = int(n)
		switch d.next() {
		case ',':
			d.pos++
		case '}':
			d.pos++
			return nil
		default:
			return d.broken("", "a comma or the closing }")
		}
	}
}

func clip(b []byte) string {
	if len(b) > 60 {
		return string(b[:60]) + "…"
	}
	return string(b)
}
