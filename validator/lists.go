package validator

import (
	"slices"
	"strings"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/xmltree"
)

// eidas wants what rules ask of eIDAS identifiers: the value ends with the
// issuing and the receiving country, a slash after each, and 6 to 256
// characters without white space; case does not count, and nothing is asked of
// what stands before.
var eidas = Want{
	Words: "CC/CC/ and 6 to 256 characters, both countries of OOTS_Country",
	Mend:  "Write the issuing country, a slash, the receiving country, a slash and the identifier, such as FI/NL/SPECIMEN-0001.",
	Is:    func(m *Message, v string) bool { return isEIDAS(m, v) },
}

// isEIDAS looks for the pattern from the right: the tail after the last two
// countries may itself contain slashes.
func isEIDAS(m *Message, v string) bool {
	for i := 0; i+6 <= len(v); i++ {
		if v[i+2] != '/' || v[i+5] != '/' || !ootsCountry(m, strings.ToUpper(v[i:i+2])) || !ootsCountry(m, strings.ToUpper(v[i+3:i+5])) {
			continue
		}
		tail := v[i+6:]
		if n := len([]rune(tail)); n >= 6 && n <= 256 && !strings.ContainsAny(tail, " \t\r\n") {
			return true
		}
	}
	return false
}

// Prefixes of the identifiers of organisations (TDD 4.5, codelists EAS and
// OOTS_Country).
const (
	schemeEAS          = "urn:cef.eu:names:identifier:EAS:"
	schemeUnregistered = "urn:oasis:names:tc:ebcore:partyid-type:unregistered:"
)

// organisation wants an EAS or unregistered scheme and an identifier below 256
// characters.
func organisation() Check { return organisationScheme(false) }

// organisation10 is the form of line 1.0, where any suffix was unregistered.
func organisation10() Check { return organisationScheme(true) }

func organisationScheme(anySuffix bool) Check {
	words := "schemeID " + schemeEAS + "<EAS code> or " + schemeUnregistered + "<OOTS_Country code or oots>, and an identifier below 256 characters"
	return Check{words, "Copy scheme and identifier as the Data Service Directory publishes them.", func(m *Message, n *Node) *Fault {
		v, ok := attr(n, "schemeID")
		if !ok {
			return nil // said by the rule that asks for the attribute
		}
		if !organisationSchemeOK(m, v, anySuffix) {
			return &Fault{Attr: "schemeID", Found: quote(v)}
		}
		if len([]rune(n.Norm())) > 255 {
			return &Fault{Found: "an identifier of more than 255 characters"}
		}
		return nil
	}}
}

func organisationSchemeOK(m *Message, v string, anySuffix bool) bool {
	if code, is := strings.CutPrefix(v, schemeEAS); is {
		return m.lists.Contains(codelist.EAS, code)
	}
	code, is := strings.CutPrefix(v, schemeUnregistered)
	return is && (anySuffix || code == "oots" || ootsCountry(m, code))
}

// OneOf wants an exact, case-sensitive member of a code list, or one of the codes
// admitted beside it. A list that is not at hand leaves the rule unevaluated.
func OneOf(list string, beside ...string) Want {
	words := "a code of " + list
	if len(beside) > 0 {
		words += " or " + strings.Join(beside, " or ")
	}
	return Want{
		Words: words, Mend: "Write the code exactly as the list has it, in its case and without anything around it.",
		Is: func(m *Message, v string) bool {
			return slices.Contains(beside, v) || m.lists.Contains(list, v)
		},
		Lost: func(m *Message, v string) bool { return m.lists.List(list) == nil },
	}
}

// nuts wants a NUTS code. Without the list only the shape can be judged: two
// letters of a listed country and up to three letters or digits.
var nuts = Want{
	Words: "a NUTS code, such as FI1B1",
	Mend:  "Write a NUTS code: the two letters of the country and up to three letters or digits.",
	Is: func(m *Message, v string) bool {
		if l := m.lists.List(codelist.NUTS); l != nil {
			return l.Contains(v)
		}
		return nutsShape(m, v)
	},
	Lost: func(m *Message, v string) bool {
		return m.lists.List(codelist.NUTS) == nil && nutsShape(m, v)
	},
}

func nutsShape(m *Message, v string) bool {
	return len(v) >= 2 && len(v) <= 5 && m.lists.Contains(codelist.WorldCountry, v[:2]) && alphanumeric(v[2:], 0, 3)
}

// Addresses in the Semantic Repository. env admits one label of letters for an
// environment, such as sr.acc.oots….
func repository(words, example string, env bool, is func(m *Message, path string) bool) Want {
	return Want{
		Words: words, Mend: "Write " + words + ", such as https://sr.oots.tech.ec.europa.eu/" + example + ".",
		Is: func(m *Message, v string) bool {
			path, ok := semanticRepository(v, env)
			return ok && is(m, path)
		},
	}
}

func ootsCountry(m *Message, code string) bool { return m.lists.Contains(codelist.Country, code) }

func requirementPath(_ *Message, p string) bool {
	id, ok := strings.CutPrefix(p, "requirements/")
	return ok && isLowerUUID(id)
}

func evidenceTypePath(m *Message, p string) bool {
	rest, ok := strings.CutPrefix(p, "evidencetypeclassifications/")
	country, id, slash := strings.Cut(rest, "/")
	return ok && slash && (country == "oots" || ootsCountry(m, country)) && isLowerUUID(id)
}

// dataModelPath: datamodels/, or distributions/ as line 1.0 wrote it.
func dataModelPath(p string) bool {
	name, ok := strings.CutPrefix(p, "datamodels/")
	if !ok {
		name, ok = strings.CutPrefix(p, "distributions/")
	}
	return ok && name != "" && !strings.ContainsAny(name, " \t\r\n")
}

func schemePath(_ *Message, p string) bool {
	rest, ok := strings.CutPrefix(p, "codelists/")
	country, name, slash := strings.Cut(rest, "/")
	return ok && slash && len(country) == 2 && country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' && country[1] <= 'Z' && alphanumeric(name, 2, 50)
}

var (
	requirementURL  = repository("the address of a requirement in the Semantic Repository", "requirements/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", true, requirementPath)
	evidenceTypeURL = repository("the address of an evidence type in the Semantic Repository", "evidencetypeclassifications/FI/1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f9", true, evidenceTypePath)
	dataModelURL    = repository("the address of a data model in the Semantic Repository", "datamodels/sample-secondary-education-1.0.0", true, func(_ *Message, p string) bool { return dataModelPath(p) })
	schemeURL       = repository("the address of a Member State code list in the Semantic Repository", "codelists/FI/schoolRegions", true, schemePath)

	productionEvidenceType = repository("an address without an environment", "evidencetypeclassifications/FI/1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f9", false, evidenceTypePath)
	productionDataModel    = Like("an address without an environment", "https://sr.oots.tech.ec.europa.eu/datamodels/sample-1.0.0", func(s string) bool {
		s = xmltree.NormalizeSpace(s)
		if _, ok := semanticRepository(s, true); !ok {
			return true
		}
		_, ok := semanticRepository(s, false)
		return ok
	})
	// transformationURL: the published expression admits a data model address,
	// or anything that contains distributions/.
	transformationURL = Like("the address of a data model in the Semantic Repository", "https://sr.oots.tech.ec.europa.eu/datamodels/sample-1.0.0/passed", func(s string) bool {
		path, ok := semanticRepository(s, true)
		return ok && dataModelPath(path) || strings.Contains(s, "distributions/")
	})
)
