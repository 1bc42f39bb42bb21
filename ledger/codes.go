package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// Countries are the codes a fact may be about, in protocol order: the 27
// Member States by the name of each country in its own language, then the EEA
// countries. Greece is EL. The list's 31st code, EU, is never a country.
var Countries = []string{
	"BE", "BG", "CZ", "DK", "DE", "EE", "IE", "EL", "ES", "FR", "HR", "IT", "CY", "LV", "LT", "LU",
	"HU", "MT", "NL", "AT", "PL", "PT", "RO", "SI", "SK", "FI", "SE",
	"IS", "LI", "NO",
}

// Environments in the order of the OOTS environments page.
var Environments = []Environment{Testing, Projectathon, Acceptance, Training, UserAccept, ProductionEnv}

// Code is a row of a short code list with its name in English.
type Code struct{ Code, Name string }

// Components are the parts that a requester or a provider is made of. Which
// role needs which is a matter of the criteria (see acceleratormeter).
var Components = []Code{
	{"AP", "eDelivery access point (AS4)"},
	{"CSQ", "Common Services client"},
	{"ER", "request builder and response consumer"},
	{"PP", "procedure portal screens"},
	{"EID-R", "eIDAS connection on the requester side"},
	{"DS", "data service"},
	{"PRV", "preview space"},
	{"EID-P", "re-authentication and identity matching"},
	{"BR", "base register link"},
	{"MD", "metadata maintenance"},
	{"LOG", "exchange log"},
	{"OPS", "support contact, monitoring, maintenance notices"},
	{"CSI", "own Common Services instance"},
	{"SMP", "dynamic discovery"},
}

// Codes that body fields may hold; Kinds narrows them per kind.
var (
	Functions       = []string{"coordinator", "technical-contact-point"}
	Modes           = []string{"manual", "test-tool", "automated"}
	Outcomes        = []string{"pass", "pass_with_warnings", "fail", "error", "unsupported", "not_applicable", "needs_review"}
	ReadinessResult = []string{"pass", "pass_with_conditions", "waived", "fail"}
	Verdicts        = []string{"verified", "partially_verified", "failed"}
	Causes          = []string{"own", "partner", "infrastructure", "specification"}
	ProbeItems      = []string{"as4-ping", "tls", "cs-reachability", "cs-signature", "naptr", "public-link", "support-link"}
	DirectoryItems  = []string{"procedure", "evidence-type", "data-service", "authority", "revision"}
	ConnectionState = []string{"identified", "invited", "assessing", "agreed", "building", "testing", "ready", "connected", "open", "suspended", "left"}
	Milestones      = []string{"first-exchange", "first-user-exchange"}
	Severities      = []string{"blocking", "hindering"}
	IncidentItems   = []string{"outage", "security", "certificate"}
	Actions         = []string{"confirm", "hold", "freeze", "override", "correct"}
	Confidentiality = []string{"public", "shared", "own"}
)

// partyClasses are the first word of a party. A country follows "ms:" and
// "team:"; the others take an own sign that names no person.
var partyClasses = []string{
	"platform", "commission", "operator", "ms", "team", "authority", "coordinator",
	"monitor", "expert", "manager", "reviewer",
}

// PartyClass is the part of a party before the colon: "ms" of "ms:AT".
func PartyClass(party string) string {
	class, _, _ := strings.Cut(party, ":")
	return class
}

// PartyCountry is the country that a party speaks for: "AT" of "ms:AT" and of
// "team:AT/portal"; empty for parties of no country.
func PartyCountry(party string) string {
	class, rest, _ := strings.Cut(party, ":")
	switch class {
	case "ms", "team", "authority", "coordinator":
		cc, _, _ := strings.Cut(rest, "/")
		return cc
	}
	return ""
}

func wrongParty(p string) string {
	class, rest, named := strings.Cut(p, ":")
	if !slices.Contains(partyClasses, class) {
		return fmt.Sprintf("%q is no party; it begins with %s", p, oneOf(partyClasses))
	}
	switch class {
	case "ms", "coordinator":
		return wrongCountry(rest)
	case "team", "authority":
		cc, sign, _ := strings.Cut(rest, "/")
		if why := wrongCountry(cc); why != "" {
			return why
		}
		if !isToken(sign, 64) {
			return fmt.Sprintf("%q lacks a sign after the country, as in \"%s:%s/portal\"", p, class, cc)
		}
	case "platform", "commission", "operator":
		if named && !isToken(rest, 64) {
			return fmt.Sprintf("%q: after the colon stands a sign of letters, digits, . _ or -", p)
		}
	default:
		if !isToken(rest, 64) {
			return fmt.Sprintf("%q lacks a sign after the colon, as in \"%s:7f3a\"", p, class)
		}
	}
	return ""
}

func wrongCountry(cc string) string {
	if slices.Contains(Countries, cc) {
		return ""
	}
	switch up := strings.ToUpper(cc); {
	case up == "GR":
		return fmt.Sprintf("%q is not an OOTS country code; use \"EL\" for Greece", cc)
	case up == "EU":
		return fmt.Sprintf("%q is not a country; use one of %s", cc, strings.Join(Countries, " "))
	case slices.Contains(Countries, up):
		return fmt.Sprintf("country codes are upper case; use %q", up)
	}
	return fmt.Sprintf("%q is not an OOTS country code; use one of %s", cc, strings.Join(Countries, " "))
}

// oneOf lists choices for people: a, b or c.
func oneOf[S ~string](choices []S) string {
	if len(choices) == 1 {
		return string(choices[0])
	}
	var b strings.Builder
	for i, c := range choices {
		switch {
		case i == 0:
		case i == len(choices)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(c))
	}
	return b.String()
}

func isToken(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

// CountryError says why a text is no country code, and what to write; empty
// for a country.
func CountryError(cc string) string { return wrongCountry(cc) }

// PartyError says why a text is no party, and what to write; empty for a party.
func PartyError(party string) string { return wrongParty(party) }
