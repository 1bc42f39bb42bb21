package official

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/once-only/oots/validator"
)

// Difference is one thing on which our rules and the official files do not
// agree about a message.
type Difference struct {
	Rule string // id; RuleXSD for the structure as a whole
	// Ours and Theirs tell who found something.
	Ours, Theirs bool
	// The gravest severity on either side, "" where nothing was found.
	OurSeverity, TheirSeverity string
	Line                       int    // in the message, of the first finding
	Text                       string // of the side that found it
	// NotEvaluated is why our rule was not judged, "" when it was.
	NotEvaluated string
}

// String says the difference in words: rule, line, who found it, what.
func (d Difference) String() string {
	who := "only the official files find it, as " + d.TheirSeverity
	switch {
	case d.Ours && d.Theirs:
		who = "the official files grade it " + d.TheirSeverity + ", our rules " + d.OurSeverity
	case d.Ours:
		who = "only our rules find it, as " + d.OurSeverity
	case d.NotEvaluated != "":
		who += "; ours was not judged, for " + d.NotEvaluated
	}
	return fmt.Sprintf("%s, line %d: %s: %s", d.Rule, d.Line, who, d.Text)
}

// Compare lays our report beside the official verdict, rule by rule. A rule
// that the official files do not have says nothing: they may be of another
// release. Our advice is no verdict. The structure is compared as a whole:
// whether XML Schema refuses, and whether anything of ours does.
func Compare(ours *validator.Report, theirs *Verdict) []Difference {
	sides := map[string]*Difference{}
	side := func(rule string) *Difference {
		if sides[rule] == nil {
			sides[rule] = &Difference{Rule: rule}
		}
		return sides[rule]
	}
	invalid := false
	for _, f := range theirs.Findings {
		if f.Rule == RuleXSD {
			invalid = true
			if d := side(RuleXSD); !d.Theirs {
				d.Theirs, d.Line, d.Text, d.TheirSeverity = true, f.Line, f.Message, f.Severity
			}
			continue
		}
		d := side(CanonicalID(f.Rule))
		if !d.Theirs {
			d.Theirs, d.Line, d.Text = true, f.Line, f.Message
		}
		d.TheirSeverity = gravest(d.TheirSeverity, f.Severity)
	}
	judged := map[string]bool{}
	for _, id := range theirs.Rules {
		judged[CanonicalID(id)] = true
	}
	for _, f := range ours.Findings {
		if f.Advice {
			continue
		}
		rule := f.Rule
		switch {
		case strings.HasPrefix(rule, "STR-"):
			if !theirs.Schema {
				continue
			}
			rule = RuleXSD
		case invalid && f.Refuses():
			side(RuleXSD).Ours = true // a rule of ours says what the schema says
			fallthrough
		default:
			if !judged[rule] {
				continue
			}
		}
		d := side(rule)
		if !d.Ours || d.OurSeverity == "" {
			d.Ours = true
			d.Line, d.Text = cmp.Or(d.Line, f.Line), cmp.Or(d.Text, f.Expected+"; found "+f.Found)
		}
		d.OurSeverity = gravest(d.OurSeverity, f.Severity.String())
	}
	for _, n := range ours.NotEvaluated {
		if d := sides[n.Rule]; d != nil && !d.Ours {
			d.NotEvaluated = n.Why
		}
	}
	var out []Difference
	for _, d := range sides {
		if d.Ours != d.Theirs || d.Rule != RuleXSD && d.OurSeverity != d.TheirSeverity {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Difference) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule)) })
	return out
}

var shortNumber = regexp.MustCompile(`-([SC]?)(\d\d)$`)

// CanonicalID writes a rule id as the tables do: some published files leave
// out R-, or the first nought of the number.
func CanonicalID(id string) string {
	if ruleID.MatchString(id) && !strings.HasPrefix(id, "R-") {
		id = "R-" + id
	}
	return shortNumber.ReplaceAllString(id, "-${1}0$2")
}

func gravest(a, b string) string {
	for _, s := range []string{"FATAL", "WARNING", "CAUTION"} {
		if a == s || b == s {
			return s
		}
	}
	return ""
}
