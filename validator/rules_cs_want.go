package validator

import (
	"slices"
	"strings"

	"github.com/once-only/oots/codelist"
)

// What the rules of the Common Services have in common: where things stand,
// what values look like, on which lines a row is certain.

// In the rows of the workbook of April 2023 that nobody has confirmed for line
// 2.0, the rule is certain for 1.x and advice for 2.0. Geography and
// transformations left the vocabulary with 2.0 (TDD 3.1.4, 3.5.2).
const (
	certain1x = V1x
	maybe20   = V20
)

// Status and severity URNs of RegRep 4.0 and of OOTS.
const (
	statusSuccess    = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
	statusFailure    = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
	severityError    = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"
	severityInput    = "urn:sr.oots.tech.ec.europa.eu:codes:ErrorSeverity:DSDErrorResponse:AdditionalInput"
	associationTypes = "urn:oasis:names:tc:ebxml-regrep:AssociationType:"
)

// Places in the messages of the Common Services.
const (
	queryResponse    Path = "query:QueryResponse"
	answerList            = queryResponse + "/rim:RegistryObjectList"
	answerObject          = answerList + "/rim:RegistryObject"
	queryException        = queryResponse + "/rs:Exception"
	registryResponse Path = "rs:RegistryResponse"
	submission       Path = "lcm:SubmitObjectsRequest"
	submissionList        = submission + "/rim:RegistryObjectList"
	submittedObject       = submissionList + "/rim:RegistryObject"
)

// slotValue is the value of a slot of that name below a place.
func slotValue(at Path, name string) Path { return at + Path("/rim:Slot["+name+"]/rim:SlotValue") }

// below leads each alternative of a path further down.
func below(at Path, rest string) Path {
	alternatives := strings.Split(string(at), " | ")
	for i := range alternatives {
		alternatives[i] += "/" + rest
	}
	return Path(strings.Join(alternatives, " | "))
}

// either is one place or another.
func either(places ...Path) Path {
	var out []string
	for _, p := range places {
		out = append(out, string(p))
	}
	return Path(strings.Join(out, " | "))
}

// on gives rows their lines, where they have none of their own.
func on(certain, advice Lines, rules ...Rule) []Rule {
	for i := range rules {
		if rules[i].Lines == 0 && rules[i].Advice == 0 {
			rules[i].Lines, rules[i].Advice = certain, advice
		}
	}
	return rules
}

// since2023 are rows of the workbook; gone20 those whose subject left with
// 2.0; since20 those that came with it.
func since2023(rules ...Rule) []Rule { return on(certain1x, maybe20, rules...) }
func gone20(rules ...Rule) []Rule    { return on(V1x, 0, rules...) }
func since20(rules ...Rule) []Rule   { return on(V20, 0, rules...) }
func always(rules ...Rule) []Rule    { return on(AllLine, 0, rules...) }

// langRules are the two rows that every text with a language has: the code is
// one of the list, and there is one.
func langRules(member, present string, at Path) []Rule {
	return since2023(
		Rule{ID: member, At: at, Check: When(filled("lang"), Attr("lang", OneOf(codelist.Language)))},
		Rule{ID: present, At: at, Check: FilledAttr("lang"), Mend: "Name the language of the text in lang; write EN when it is not known."},
	)
}

// schemeRules are the two rows that every identifier of an organisation has.
func schemeRules(present, scheme string, at Path) []Rule {
	return since2023(
		Rule{ID: present, At: at, Check: FilledAttr("schemeID")},
		Rule{ID: scheme, At: at, Check: When(filled("schemeID"), Attr("schemeID", partyScheme)), Content: true},
	)
}

// geographyRules are the rows of a place in three levels; "" leaves one out.
func geographyRules(level1, level2, level3 string, at Path) []Rule {
	rules := since2023(Rule{ID: level1, At: below(at, "sdg:AdminUnitLevel1"), Check: Raw(directoryCountry)})
	if level2 != "" {
		rules = append(rules, gone20(Rule{ID: level2, At: below(at, "sdg:AdminUnitLevel2"), Check: Raw(nuts)})...)
	}
	if level3 != "" {
		rules = append(rules, gone20(Rule{ID: level3, At: below(at, "sdg:AdminUnitLevel3"), Check: Raw(lauCode)})...)
	}
	return rules
}

func filled(name string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { v, _ := attr(n, name); return v != "" }
}

func hasStatus(status string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { v, _ := attr(n, "status"); return v == status }
}

// hasCode holds for an exception with that code.
func hasCode(code string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { v, _ := attr(n, "code"); return v == code }
}

func not(cond func(*Message, *Node) bool) func(*Message, *Node) bool {
	return func(m *Message, n *Node) bool { return !cond(m, n) }
}

func both(a, b func(*Message, *Node) bool) func(*Message, *Node) bool {
	return func(m *Message, n *Node) bool { return a(m, n) && b(m, n) }
}

// Wants of the Common Services.
var (
	// directoryCountry: the directories know the countries of the system and
	// EU, where addresses of the exchange know every country of the world.
	directoryCountry = OneOf(codelist.Country)
	// procedureCode: 00 is admitted beside the list since release 1.1.2.
	procedureCode = Want{Words: "a code of Procedures, or 00 since line 1.1", Mend: "Write the code of the procedure as the list has it, such as T2.", Is: func(m *Message, v string) bool {
		return m.lists.Contains(codelist.Procedures, v) || v == codelist.SystemCheck && m.Line != V10
	}}
	// lauCode: which municipalities there are only a loaded list can tell.
	lauCode = Want{Words: "a LAU code", Mend: "Write the code of the municipality as the LAU list has it.",
		Is:   func(m *Message, v string) bool { return m.lists.Contains(codelist.LAU, v) },
		Lost: func(m *Message, v string) bool { return m.lists.List(codelist.LAU) == nil && alphanumeric(v, 1, 20) },
	}
	partyScheme = Want{
		Words: schemeEAS + " and a code of the list EAS, or urn:oasis:names:tc:ebcore:partyid-type:unregistered",
		Mend:  "Write the scheme as the operator of the access point registered it, such as " + schemeUnregistered + "FI.",
		Is: func(m *Message, v string) bool {
			if code, ok := strings.CutPrefix(v, schemeEAS); ok {
				return m.lists.Contains(codelist.EAS, code)
			}
			return strings.HasPrefix(v, strings.TrimSuffix(schemeUnregistered, ":"))
		},
	}
	requirementAddress = repositoryAddress("requirements/ and a UUID", "requirements/8c72f89b-86bc-4960-b684-80a2c5dda00b",
		func(_ *Message, path string) bool {
			id, ok := strings.CutPrefix(path, "requirements/")
			return ok && isUUID(id)
		})
	evidenceTypeAddress = repositoryAddress("evidencetypeclassifications/, a country, EU or oots, and a UUID", "evidencetypeclassifications/FI/6a6f1d6e-1c60-4a55-9a1e-7f54f2f3c001",
		func(m *Message, path string) bool {
			rest, ok := strings.CutPrefix(path, "evidencetypeclassifications/")
			country, id, two := strings.Cut(rest, "/")
			return ok && two && isUUID(id) && (country == "oots" || ootsCountry(m, country))
		})
	// The family of data models was renamed with line 2.0 (TDD 3.3).
	dataModelAddress = repositoryAddress("distributions/ (from line 2.0 datamodels/) and the data model", "datamodels/BirthCertificate",
		func(m *Message, path string) bool {
			family := "distributions/"
			if m.Line == V20 {
				family = "datamodels/"
			}
			model, ok := strings.CutPrefix(path, family)
			return ok && model != ""
		})
	subsetAddress = repositoryAddress("distributions/, a data model, / and a subset", "distributions/BirthCertificate/Short",
		func(_ *Message, path string) bool {
			rest, ok := strings.CutPrefix(path, "distributions/")
			model, subset, two := strings.Cut(rest, "/")
			return ok && two && model != "" && subset != ""
		})
	codeListAddress = Like("https://sr[.<environment>].oots.tech.ec.europa.eu/codelists/, two capitals, / and 2 to 50 letters or digits",
		"https://sr.oots.tech.ec.europa.eu/codelists/BE/Community", func(s string) bool {
			path, ok := semanticRepository(s, true)
			rest, family := strings.CutPrefix(path, "codelists/")
			country, name, two := strings.Cut(rest, "/")
			return ok && family && two && len(country) == 2 && strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && alphanumeric(name, 2, 50)
		})
	edmVersion = Like("oots-edm:v<major>.<minor>", "oots-edm:v2.0", func(s string) bool {
		major, minor, ok := strings.Cut(strings.TrimPrefix(s, "oots-edm:v"), ".")
		return strings.HasPrefix(s, "oots-edm:v") && ok && isNumber(major) && isNumber(minor)
	})
	jurisdictionLevel = Among("Country", "NUTS1", "NUTS2", "NUTS3", "LAU")
	assuranceLevel    = Among("Low", "Substantial", "High")
	conceptType       = Like("string, boolean or codelist", "", func(s string) bool {
		return slices.Contains([]string{"string", "boolean", "codelist"}, strings.ToLower(s))
	})
	// submissionUUID: in answers the published file of line 1.0 takes a UUID with
	// or without urn:uuid:.
	submissionUUID = submissionID
	// submissionID: on line 1.0 the published file asks for a bare UUID, the
	// chapter for a URN; both are in use.
	submissionID = Want{Words: urnUUID.Words, Mend: urnUUID.Mend, Is: func(m *Message, v string) bool {
		return isURNUUID(v) || m.Line == V10 && isUUID(v)
	}}
)

func isNumber(s string) bool { return s != "" && len(s) < 6 && strings.Trim(s, "0123456789") == "" }

// repositoryAddress wants an address of the Semantic Repository; line 2.0 has
// a label for the environment in its host.
func repositoryAddress(words, example string, is func(m *Message, path string) bool) Want {
	return Want{
		Words: "https://sr[.<environment>].oots.tech.ec.europa.eu/" + words,
		Mend:  "Write the address that the Semantic Repository gave, such as https://sr.oots.tech.ec.europa.eu/" + example + ".",
		Is: func(m *Message, v string) bool {
			path, ok := semanticRepository(v, m.Line == V20)
			return ok && is(m, path)
		},
	}
}
