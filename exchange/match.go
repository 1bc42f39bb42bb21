package exchange

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/once-only/oots/sdg"
)

// Matching is the policy by which a record belongs to a subject. Exactly one
// holder must match; none and several are the same to the outside
// (EDM:ERR:0004).
type Matching struct {
	// IdentifierAlone lets an equal person identifier stand for names that
	// differ, for instance after a marriage. The date of birth must still agree.
	IdentifierAlone bool
}

// same tells whether a record's holder is the subject asked for.
func (p Matching) same(wanted, holder Subject) bool {
	if (wanted.LegalPerson == nil) != (holder.LegalPerson == nil) || (wanted.NaturalPerson == nil) != (holder.NaturalPerson == nil) {
		return false
	}
	if w, h := wanted.LegalPerson, holder.LegalPerson; w != nil {
		if w.LegalIdentifier != nil && h.LegalIdentifier != nil {
			return eidasPerson(w.LegalIdentifier.Value) == eidasPerson(h.LegalIdentifier.Value) &&
				(p.IdentifierAlone || plain(w.LegalName) == plain(h.LegalName))
		}
		return plain(w.LegalName) == plain(h.LegalName) && plain(w.LegalName) != ""
	}
	if wanted.NaturalPerson == nil {
		return false
	}
	return p.samePerson(wanted.NaturalPerson, holder.NaturalPerson)
}

func (p Matching) samePerson(w, h *sdg.Person) bool {
	if w == nil || h == nil || w.DateOfBirth != h.DateOfBirth || w.DateOfBirth == "" {
		return false
	}
	names := plain(w.FamilyName) == plain(h.FamilyName) && plain(w.GivenName) == plain(h.GivenName) && plain(w.FamilyName) != ""
	if w.Identifier != nil && h.Identifier != nil && w.Identifier.Value != "" && h.Identifier.Value != "" {
		return eidasPerson(w.Identifier.Value) == eidasPerson(h.Identifier.Value) && (names || p.IdentifierAlone)
	}
	return names
}

// unique picks the records of the one holder that matches; none when nobody
// does, or several do.
func (p Matching) unique(wanted Subject, all []Record) []Record {
	var found []Record
	holder := ""
	for _, r := range all {
		if !p.same(wanted, r.Subject) {
			continue
		}
		if len(found) > 0 && r.Holder != holder {
			return nil
		}
		holder = r.Holder
		found = append(found, r)
	}
	return found
}

// visitor tells whether who came to a preview may see what is about a subject:
// the subject, or their representative.
func (p Matching) visitor(i Identity, s Subject) bool {
	came := &sdg.Person{FamilyName: i.FamilyName, GivenName: i.GivenName, DateOfBirth: i.DateOfBirth}
	if i.Identifier != "" {
		came.Identifier = &sdg.Identifier{Value: i.Identifier}
	}
	if s.Representative != nil {
		return p.samePerson(s.Representative, came)
	}
	if s.NaturalPerson != nil {
		return p.samePerson(s.NaturalPerson, came)
	}
	return s.LegalPerson != nil && s.LegalPerson.LegalIdentifier != nil && i.Organisation != "" &&
		eidasPerson(i.Organisation) == eidasPerson(s.LegalPerson.LegalIdentifier.Value)
}

// plain is a name as it is compared: without accents, case and punctuation, so
// that two spellings of two registers meet.
func plain(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(cases.Fold().String(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// eidasPerson is the part of an eIDAS identifier that stays the same wherever
// the person is: issuing country and number, without the receiving country
// (FI/NL/123 becomes FI/123).
func eidasPerson(id string) string {
	id = strings.ToUpper(strings.TrimSpace(id))
	parts := strings.SplitN(id, "/", 3)
	if len(parts) != 3 {
		return id
	}
	return parts[0] + "/" + parts[2]
}

// levels of assurance, by rank.
var levels = map[string]int{"Low": 1, "Substantial": 2, "High": 3}

// reaches tells whether a level of assurance is at least the needed one.
func reaches(level, needed string) bool { return levels[level] >= levels[needed] }

// level of assurance with which the user was identified.
func (s Subject) level() string {
	switch {
	case s.Representative != nil:
		return s.Representative.LevelOfAssurance
	case s.RepresentativeOrganisation != nil:
		return s.RepresentativeOrganisation.LevelOfAssurance
	case s.NaturalPerson != nil:
		return s.NaturalPerson.LevelOfAssurance
	case s.LegalPerson != nil:
		return s.LegalPerson.LevelOfAssurance
	}
	return ""
}
