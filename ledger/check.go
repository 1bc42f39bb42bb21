package ledger

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Refusal says which field of which fact the ledger refuses, and why. Line is
// the number in a facts file, from 1; zero elsewhere.
type Refusal struct {
	Line   int
	ID     string
	Field  string // as in a facts file: "subject.country"
	Reason string // what was found and what to write instead
}

func (r *Refusal) Error() string {
	var b strings.Builder
	if r.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", r.Line)
	}
	if r.ID != "" {
		fmt.Fprintf(&b, "fact %s: ", r.ID)
	}
	if r.Field != "" {
		fmt.Fprintf(&b, "%s: ", r.Field)
	}
	return b.String() + r.Reason
}

// at adds the fact's id and line to a refusal.
func (r *Refusal) at(f *Fact, line int) *Refusal {
	r.Line = line
	if wrongID(f.ID) == "" {
		r.ID = f.ID
	}
	return r
}

// clockSkew is how far ahead of the ledger's clock an asserter's may be.
const clockSkew = 5 * time.Minute

// Check judges a fact by itself against the table of its kind. The error is a
// *Refusal that names the first wrong field. What needs other facts (does
// points_at exist, may this party speak about it) is judged when it is
// appended.
func Check(f Fact) error {
	if r := check(&f, RuleOf(f.Kind)); r != nil {
		return r.at(&f, 0)
	}
	return nil
}

// check judges f by a rule, which is the one of its own kind, or for a
// correction that of the fact it points at.
func check(f *Fact, rule *Rule) *Refusal {
	if f.ID == "" {
		return &Refusal{Field: "id", Reason: "is missing; the asserter chooses it, so that the same fact is never counted twice"}
	}
	if rule == nil {
		if f.Kind == "" {
			return &Refusal{Field: "kind", Reason: "is missing; it is " + oneOf(kindCodes())}
		}
		return &Refusal{Field: "kind", Reason: fmt.Sprintf("%q is no kind of fact; it is %s", f.Kind, oneOf(kindCodes()))}
	}
	if r := checkRows(f, factRows, "", rule); r != nil {
		return r
	}
	if r := checkRows(f, subjectRows, "subject.", rule); r != nil {
		return r
	}
	if r := checkRows(f, bodyRows, "body.", rule); r != nil {
		return r
	}
	if r := checkEvidence(f.Evidence); r != nil {
		return r
	}
	if r := checkParties(f, rule); r != nil {
		return r
	}
	if r := checkTimes(f); r != nil {
		return r
	}
	if f.Subject.Partner != "" && f.Subject.Partner == f.Subject.Country {
		return &Refusal{Field: "subject.partner", Reason: "is the country itself; a pair has two countries"}
	}
	if f.PointsAt != "" && f.PointsAt == f.ID {
		return &Refusal{Field: "points_at", Reason: "a fact cannot point at itself"}
	}
	if rule.more != nil {
		return rule.more(f)
	}
	return nil
}

func checkRows(f *Fact, rows []row[Fact], prefix string, rule *Rule) *Refusal {
	uses := usesOf(rule, prefix)
	for i := range rows {
		r := &rows[i]
		p := r.at(f)
		empty := unset(p)
		switch use := uses[i]; {
		case empty && use == needed:
			return &Refusal{Field: prefix + r.name, Reason: "is missing; every " + string(rule.Kind) + " has it" + choicesFor(r, prefix, rule)}
		case empty:
			continue
		case use == refused && !(r.name == "points_at" && f.Kind == Correction):
			return &Refusal{Field: prefix + r.name, Reason: "does not belong to a " + string(rule.Kind) + "; that has " + allowed(rule, prefix)}
		}
		if why := wrongValue(p, r, prefix, rule); why != "" {
			return &Refusal{Field: prefix + r.name, Reason: why}
		}
	}
	return nil
}

func choicesFor(r *row[Fact], prefix string, rule *Rule) string {
	codes := r.form.codes
	if c := rule.Codes[prefix+r.name]; c != nil {
		codes = c
	}
	if len(codes) == 0 || len(codes) > 20 {
		return ""
	}
	return ": " + oneOf(codes)
}

func wrongValue[T any](p any, r *row[T], prefix string, rule *Rule) string {
	fm := &r.form
	codes := fm.codes
	if rule != nil && len(rule.Codes) > 0 && prefix != "" {
		if c := rule.Codes[prefix+r.name]; c != nil {
			codes = c
		}
	}
	switch v := p.(type) {
	case *string:
		return wrongText(*v, codes, fm)
	case *[]string:
		if len(*v) > maxList {
			return fmt.Sprintf("has %d entries; the most are %d", len(*v), maxList)
		}
		for _, s := range *v {
			if s == "" {
				return "has an empty entry"
			}
			if why := wrongText(s, codes, fm); why != "" {
				return why
			}
		}
	case *map[string]int:
		if len(*v) > maxList {
			return fmt.Sprintf("has %d entries; the most are %d", len(*v), maxList)
		}
		for k, n := range *v {
			if why := wrongText(k, nil, fm); why != "" {
				return why
			}
			if why := wrongNumber(int64(n), fm); why != "" {
				return why
			}
		}
	case *int:
		return wrongNumber(int64(*v), fm)
	case *int64:
		return wrongNumber(*v, fm)
	case *time.Time:
		if y := v.UTC().Year(); y < 1900 || y > 9000 {
			return fmt.Sprintf("the year %d is out of range", y)
		}
	}
	return ""
}

func wrongNumber(n int64, fm *form) string {
	if n < int64(fm.least) || n > int64(fm.greatest()) {
		return fmt.Sprintf("%d is out of range; it is a whole number from %d to %d", n, fm.least, fm.greatest())
	}
	return ""
}

func wrongText(s string, codes []string, fm *form) string {
	if len(s) > fm.longest() {
		return fmt.Sprintf("is %d octets long; the most are %d", len(s), fm.longest())
	}
	if codes != nil {
		if slices.Contains(codes, s) {
			return ""
		}
		if fm.wrong != nil {
			if why := fm.wrong(s); why != "" {
				return why
			}
		}
		return fmt.Sprintf("%q is not known; it is %s", s, oneOf(codes))
	}
	if fm.wrong != nil {
		return fm.wrong(s)
	}
	if !utf8.ValidString(s) {
		return "is not UTF-8"
	}
	for _, c := range s {
		if unicode.IsControl(c) && c != '\n' || c == utf8.RuneError || c == '\u2028' || c == '\u2029' {
			return fmt.Sprintf("has the control character U+%04X", c)
		}
	}
	if i := strings.IndexByte(s, '@'); i > 0 && isToken(s[i-1:i], 1) && strings.Contains(s[i:], ".") {
		return "looks like it holds an e-mail address; the ledger holds no personal data"
	}
	return ""
}

// use is how a kind treats a field.
type use uint8

const (
	refused use = iota
	may
	needed
)

// uses are worked out once for each kind: per table, one use a row.
var uses = func() map[Kind]map[string][]use {
	all := map[Kind]map[string][]use{}
	for i := range Kinds {
		r := &Kinds[i]
		all[r.Kind] = map[string][]use{"": useOf(r, factRows, ""), "subject.": useOf(r, subjectRows, "subject."), "body.": useOf(r, bodyRows, "body.")}
	}
	return all
}()

// everyFact are the fields of all kinds beside those that the table names.
var everyFact = []string{"subject", "body", "specification", "recorded_at", "valid_from", "valid_until", "evidence", "sample", "body.note"}

func usesOf(r *Rule, prefix string) []use { return uses[r.Kind][prefix] }

func useOf(r *Rule, rows []row[Fact], prefix string) []use {
	us := make([]use, len(rows))
	for i := range rows {
		switch name := prefix + rows[i].name; {
		case has(r.Needs, name), name == "id", name == "kind", name == "asserter", name == "happened_at",
			name == "environment" && r.Environment:
			us[i] = needed
		case has(r.May, name), has(everyFact, name), name == "environment", name == "verifier" && r.Verifiers != nil:
			us[i] = may
		}
	}
	return us
}

// allowed lists the fields of one table that a kind has, for people.
func allowed(r *Rule, prefix string) string {
	rows := map[string][]row[Fact]{"": factRows, "subject.": subjectRows, "body.": bodyRows}[prefix]
	var fields []string
	for i, u := range usesOf(r, prefix) {
		if u != refused {
			fields = append(fields, rows[i].name)
		}
	}
	return strings.Join(fields, ", ")
}

func checkEvidence(es []Evidence) *Refusal {
	if len(es) > maxEvidence {
		return &Refusal{Field: "evidence", Reason: fmt.Sprintf("has %d documents; the most are %d", len(es), maxEvidence)}
	}
	for i := range es {
		for j := range evidenceRows {
			r := &evidenceRows[j]
			p := r.at(&es[i])
			field := "evidence[" + strconv.Itoa(i) + "]." + r.name
			if unset(p) {
				if j < 2 { // sha256 and media_type
					return &Refusal{Field: field, Reason: "is missing"}
				}
				continue
			}
			if why := wrongValue(p, r, "", nil); why != "" {
				return &Refusal{Field: field, Reason: why}
			}
		}
	}
	return nil
}

func checkParties(f *Fact, rule *Rule) *Refusal {
	class := PartyClass(f.Asserter)
	if f.Kind == rule.Kind && rule.Asserters != nil && !slices.Contains(rule.Asserters, class) {
		return &Refusal{Field: "asserter", Reason: fmt.Sprintf("%q may not assert a %s; %s may", f.Asserter, rule.Kind, oneOf(rule.Asserters))}
	}
	if cc := PartyCountry(f.Asserter); cc != "" && f.Subject.Country != "" && cc != f.Subject.Country && rule.Kind != Incident {
		return &Refusal{Field: "asserter", Reason: fmt.Sprintf("%q speaks for %s and not for %s, which the fact is about", f.Asserter, cc, f.Subject.Country)}
	}
	if f.Verifier == "" {
		return nil
	}
	if rule.Verifiers != nil && !slices.Contains(rule.Verifiers, PartyClass(f.Verifier)) {
		return &Refusal{Field: "verifier", Reason: fmt.Sprintf("%q may not verify a %s; %s may", f.Verifier, rule.Kind, oneOf(rule.Verifiers))}
	}
	if f.Verifier == f.Asserter && f.Verifier != "platform" {
		return &Refusal{Field: "verifier", Reason: "is the asserter; nobody verifies what they said themselves"}
	}
	return nil
}

func checkTimes(f *Fact) *Refusal {
	switch {
	case !f.ValidUntil.IsZero() && !f.From().Before(f.ValidUntil):
		return &Refusal{Field: "valid_until", Reason: "is not after the beginning, " + stamp(f.From())}
	case !f.RecordedAt.IsZero() && f.Kind != PublicEvent && f.HappenedAt.After(f.RecordedAt.Add(clockSkew)):
		return &Refusal{Field: "happened_at", Reason: "lies after recorded_at, " + stamp(f.RecordedAt) + ": what has not happened yet is no fact (a date to come goes into valid_from, planned_for or due)"}
	}
	return nil
}

func stamp(t time.Time) string { return string(appendTime(nil, t)) }

func wrongID(s string) string {
	if len(s) > 128 {
		return fmt.Sprintf("is %d characters long; the most are 128", len(s))
	}
	if s == "" {
		return "is empty"
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' || c == ':' || c == '/') {
			return fmt.Sprintf("has the character %q; an id is made of A–Z a–z 0–9 . _ : / and -", string([]rune(s[i:])[:1]))
		}
	}
	return ""
}

func wrongToken(s string) string {
	if !isToken(s, 100) {
		return fmt.Sprintf("%q is no code; a code is at most 100 letters, digits, . _ and -", s)
	}
	return ""
}

// wrongLine refuses what is no specification line, such as oots-edm:v2.0.
func wrongLine(s string) string {
	name, version, ok := strings.Cut(s, ":v")
	major, minor, dot := strings.Cut(version, ".")
	rest, oots := strings.CutPrefix(name, "oots-")
	lower := strings.IndexFunc(rest, func(c rune) bool { return c < 'a' || c > 'z' }) < 0
	if !ok || !dot || !oots || rest == "" || !lower || !isDigits(major) || !isDigits(minor) {
		return fmt.Sprintf("%q is no specification line; one reads like \"oots-edm:v2.0\"", s)
	}
	return ""
}

func isDigits(s string) bool {
	return s != "" && len(s) <= 3 && strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

func wrongDigest(s string) string {
	ok := len(s) == 64
	for i := 0; ok && i < len(s); i++ {
		ok = s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'f'
	}
	if !ok {
		return fmt.Sprintf("%q is no SHA-256; write 64 lower-case hexadecimal digits", s)
	}
	return ""
}

func wrongPeriod(s string) string {
	if t, err := time.Parse("2006-01", s); err != nil || t.Year() < 1900 {
		return fmt.Sprintf("%q is no month; write it like \"2026-03\"", s)
	}
	return ""
}

func wrongLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Sprintf("%q is no web address; it begins with https://", s)
	}
	if u.User != nil {
		return "an address in the ledger carries no user name or password"
	}
	return wrongText(s, nil, &form{most: 500})
}

// refusalOf returns the refusal in err, or nil.
func refusalOf(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
