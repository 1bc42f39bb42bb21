package web

import (
	"crypto/rand"
	"strings"
)

// newID is a short random reference: no order, nothing to guess.
func newID() string { return strings.ToLower(rand.Text()[:10]) }

// trim drops control characters, which no form field needs.
func trim(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "")))
}

// looksLikeEmail is lenient: something before and after one @.
func looksLikeEmail(s string) bool {
	before, after, ok := strings.Cut(s, "@")
	return ok && before != "" && strings.Contains(after, ".") && !strings.ContainsAny(s, " \t\n<>,;") && !strings.Contains(after, "@")
}
