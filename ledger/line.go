package ledger

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Bounds of a fact on the wire.
const (
	MaxLine     = 64 << 10 // octets of a line
	maxList     = 1000     // entries of a list
	maxEvidence = 100      // documents
)

// AppendLine appends the canonical form of a fact to dst: one JSON object
// without blanks, members in the order of the tables, what is unset left out,
// times in UTC to the millisecond, texts escaped no more than JSON asks for.
// These octets are the leaf of the Merkle tree.
func AppendLine(dst []byte, f *Fact) []byte {
	return appendObject(dst, factRows, f, f)
}

// normalise brings times to what the canonical form can say.
func normalise(f *Fact) {
	f.HappenedAt = Milli(f.HappenedAt)
	f.RecordedAt = Milli(f.RecordedAt)
	f.ValidFrom = Milli(f.ValidFrom)
	f.ValidUntil = Milli(f.ValidUntil)
	f.Body.PlannedFor = Milli(f.Body.PlannedFor)
	f.Body.Due = Milli(f.Body.Due)
	f.Body.Until = Milli(f.Body.Until)
	f.Body.Ends = Milli(f.Body.Ends)
}

// Milli is the instant as the ledger keeps it: in UTC, cut to the millisecond.
func Milli(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

func appendObject[T any](dst []byte, rows []row[T], v *T, f *Fact) []byte {
	dst = append(dst, '{')
	first := true
	for i := range rows {
		p := rows[i].at(v)
		if unset(p) && !rows[i].form.always {
			continue
		}
		mark := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, rows[i].name...)
		dst = append(dst, '"', ':')
		switch p := p.(type) {
		case *string:
			dst = appendText(dst, *p)
		case *[]string:
			dst = append(dst, '[')
			for j, s := range *p {
				if j > 0 {
					dst = append(dst, ',')
				}
				dst = appendText(dst, s)
			}
			dst = append(dst, ']')
		case *time.Time:
			dst = append(dst, '"')
			dst = appendTime(dst, *p)
			dst = append(dst, '"')
		case *int:
			dst = appendInt(dst, int64(*p))
		case *int64:
			dst = appendInt(dst, *p)
		case *bool:
			dst = append(dst, "true"...)
		case *map[string]int:
			dst = appendTotals(dst, *p)
		case *Subject:
			dst = appendObject(dst, subjectRows, f, f)
			if *p == (Subject{}) {
				dst = dst[:mark]
				continue
			}
		case *Body:
			before := len(dst)
			if dst = appendObject(dst, bodyRows, f, f); len(dst) == before+2 { // {}
				dst = dst[:mark]
				continue
			}
		case *[]Evidence:
			dst = append(dst, '[')
			for j := range *p {
				if j > 0 {
					dst = append(dst, ',')
				}
				dst = appendObject(dst, evidenceRows, &(*p)[j], f)
			}
			dst = append(dst, ']')
		}
		first = false
	}
	return append(dst, '}')
}

func appendTotals(dst []byte, m map[string]int) []byte {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, k)
		dst = append(dst, ':')
		dst = appendInt(dst, int64(m[k]))
	}
	return append(dst, '}')
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// appendText writes a JSON string as encoding/json does without HTML escaping.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\b':
				dst = append(dst, '\\', 'b')
			case '\f':
				dst = append(dst, '\\', 'f')
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\\ufffd"...)
			start = i + n
		case r == '\u2028' || r == '\u2029':
			dst = append(dst, s[start:i]...)
			dst = append(dst, '\\', 'u', '2', '0', '2', hex[r&15])
			start = i + n
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// appendTime writes RFC 3339 in UTC with no needless zeros, as encoding/json
// does.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	y, mo, d := t.Date()
	h, mi, s := t.Clock()
	dst = appendDigits(dst, y, 4)
	dst = append(dst, '-')
	dst = appendDigits(dst, int(mo), 2)
	dst = append(dst, '-')
	dst = appendDigits(dst, d, 2)
	dst = append(dst, 'T')
	dst = appendDigits(dst, h, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, mi, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, s, 2)
	if ns := t.Nanosecond(); ns != 0 {
		dst = append(dst, '.')
		dst = appendDigits(dst, ns, 9)
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	return append(dst, 'Z')
}

func appendDigits(dst []byte, n, width int) []byte {
	var b [9]byte
	for i := width - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, b[:width]...)
}
