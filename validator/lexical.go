package validator

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/once-only/oots/xmltree"
)

// lexicals are the types of text that the structure tables name. Where a
// published rule judges the shape of a value (dates, identifiers), the type only
// asks whether a value of the right shape means something.
var lexicals = map[string]struct {
	words string
	is    func(string) bool
}{
	"string":   {"text", func(string) bool { return true }},
	"longtext": {"at most 256 characters", func(s string) bool { return utf8.RuneCountInString(s) <= 256 }},
	"freetext": {"at most 1024 characters", func(s string) bool { return utf8.RuneCountInString(s) <= 1024 }},
	"boolean": {"true or false", func(s string) bool {
		s = xmltree.TrimSpace(s)
		return s == "true" || s == "false" || s == "1" || s == "0"
	}},
	"realdate":     {"a date of the calendar, such as 2026-11-02", func(s string) bool { return !looksDate(s) || isDate(s) }},
	"realdatetime": {"a date and time that exist, such as 2026-11-02T09:15:00.000Z", func(s string) bool { return !looksDateTime(s) || isDateTime(s) }},
	"date":         {"a date, such as 2026-11-02", isDate},
	"datetime":     {"a date and time, such as 2026-11-02T09:15:00.000Z", isDateTime},
	"gender":       {"Male, Female or Unspecified", func(s string) bool { return s == "Male" || s == "Female" || s == "Unspecified" }},
	"integer":      {"a whole number", isInteger},
}

func knownLexical(name string) bool   { _, ok := lexicals[name]; return ok }
func isLexical(name, v string) bool   { return name == "string" || lexicals[name].is(v) }
func lexicalWords(name string) string { return lexicals[name].words }
func digits(s string, at, count int) bool {
	if len(s) < at+count {
		return false
	}
	for _, c := range []byte(s[at : at+count]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// looksDate: the normalised value is YYYY-MM-DD.
func looksDate(s string) bool {
	s = xmltree.TrimSpace(s)
	return len(s) == 10 && dateAt(s, 0)
}

func dateAt(s string, i int) bool {
	return len(s) >= i+10 && digits(s, i, 4) && s[i+4] == '-' && digits(s, i+5, 2) && s[i+7] == '-' && digits(s, i+8, 2)
}

// looksDateTime: the value contains YYYY-MM-DDThh:mm:ss, as the rules ask; the
// fraction and the zone are not looked at.
func looksDateTime(s string) bool {
	for i := 0; i+19 <= len(s); i++ {
		if s[i+10] == 'T' && dateAt(s, i) && digits(s, i+11, 2) && s[i+13] == ':' && digits(s, i+14, 2) && s[i+16] == ':' && digits(s, i+17, 2) {
			return true
		}
	}
	return false
}

// isDate reads xsd:date.
func isDate(s string) bool {
	s = xmltree.TrimSpace(s)
	if _, err := time.Parse("2006-01-02", s); err == nil {
		return true
	}
	_, err := time.Parse("2006-01-02Z07:00", s)
	return err == nil
}

// parseDateTime reads xsd:dateTime; one without a zone is taken as UTC.
func parseDateTime(s string) (time.Time, bool) {
	s = xmltree.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, true
	}
	t, err := time.Parse("2006-01-02T15:04:05.999999999", s)
	return t, err == nil
}

func isDateTime(s string) bool { _, ok := parseDateTime(s); return ok }

func isInteger(s string) bool {
	s = strings.TrimLeft(xmltree.TrimSpace(s), "+-")
	return s != "" && digits(s, 0, len(s))
}

// isUUID: 8-4-4-4-12 hexadecimal digits in any case; version and variant are
// not looked at.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < 36; i++ {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}

func isLowerUUID(s string) bool { return isUUID(s) && strings.ToLower(s) == s }

// isURNUUID: "urn:uuid:" and a UUID.
func isURNUUID(s string) bool {
	rest, ok := strings.CutPrefix(s, "urn:uuid:")
	return ok && isUUID(rest)
}

// semanticRepository cuts https://sr[.<env>].oots.tech.ec.europa.eu/ off an
// address; the environment is one label of letters.
func semanticRepository(s string, env bool) (path string, ok bool) {
	rest, ok := strings.CutPrefix(s, "https://sr.")
	if !ok {
		return "", false
	}
	if path, ok = strings.CutPrefix(rest, "oots.tech.ec.europa.eu/"); ok {
		return path, true
	}
	label, rest, ok := strings.Cut(rest, ".")
	if !ok || !env || label == "" || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz") != "" {
		return "", false
	}
	return strings.CutPrefix(rest, "oots.tech.ec.europa.eu/")
}

// alphanumeric tells whether s is between least and most letters and digits of ASCII.
func alphanumeric(s string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}
