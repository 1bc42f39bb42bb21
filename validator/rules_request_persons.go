package validator

import "github.com/once-only/oots/codelist"

// The persons of a request.
var (
	inPerson          = inQuery("NaturalPerson") + "/sdg:Person"
	inOrganisation    = inQuery("LegalPerson") + "/sdg:LegalPerson"
	inRepresentative  = inQuery("AuthorizedRepresentative") + "/sdg:Person"
	inRepresentingOrg = inQuery("AuthorizedRepresentativeLegalPerson") + "/sdg:LegalPerson"
)

// requestPersons are the content rules about the subject and who acts for it.
var requestPersons = Table{
	Name: "Evidence Request: persons", On: EDMRequest, Cites: "TDD 4.5.1 §3.6",
	Rules: []Rule{
		{ID: "R-EDM-REQ-C036", At: inPerson, Check: FilledChild("sdg:LevelOfAssurance")},
		{ID: "R-EDM-REQ-C037", At: inPerson + "/sdg:LevelOfAssurance", Check: Raw(OneOf(codelist.LevelsOfAssurance))},
		{ID: "R-EDM-REQ-C038", At: inPerson, Lines: V1x, Severity: Warning, Check: Has("sdg:Identifier"), Mend: "Send the eIDAS identifier when the user signed in with eIDAS."},
		{ID: "R-EDM-REQ-C038", At: inPerson + "/sdg:Identifier", Lines: V20, Severity: Warning, Check: When(scheme("eidas"), hasText())},
		{ID: "R-EDM-REQ-C039", At: inPerson + "/sdg:Identifier", Lines: NoLine, Advice: V10, Check: Norm(Like("XX/YY/ and the identifier", "FI/NL/SPECIMEN-0001", twoCountries))},
		{ID: "R-EDM-REQ-C040", At: inPerson + "/sdg:Identifier", Lines: V1x, Check: Norm(eidas)},
		{ID: "R-EDM-REQ-C040", At: inPerson + "/sdg:Identifier", Lines: V20, Check: When(scheme("eidas"), Norm(eidas))},
		{ID: "R-EDM-REQ-C041", At: inPerson + "/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-REQ-C042", At: inPerson + "/sdg:Identifier", Check: Attr("schemeID", Is("eidas")), Mend: eidasMend},
		{ID: "R-EDM-REQ-C043", At: inPerson + "/sdg:DateOfBirth", Check: Norm(dateOnly)},
		{ID: "R-EDM-REQ-C044", At: inPerson + "/sdg:Gender", Lines: NoLine, Advice: V10, Check: Raw(OneOf(codelist.Gender))},
		{ID: "R-EDM-REQ-C045", At: inPerson + "/sdg:CurrentAddress/sdg:AdminUnitLevel1", Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C046", At: inPerson + "/sdg:CurrentAddress/sdg:AdminUnitLevel2", Lines: V10, Advice: Since11, Severity: Warning, Check: Raw(nuts)},
		{ID: "R-EDM-REQ-C075", At: inPerson + "/sdg:Nationality", Lines: Since11, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C076", At: inPerson + "/sdg:CountryOfBirth", Lines: Since11, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C077", At: inPerson + "/sdg:CountryOfResidence", Lines: Since11, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},

		{ID: "R-EDM-REQ-C047", At: inOrganisation, Check: FilledChild("sdg:LevelOfAssurance")},
		{ID: "R-EDM-REQ-C048", At: inOrganisation + "/sdg:LevelOfAssurance", Check: Raw(OneOf(codelist.LevelsOfAssurance))},
		{ID: "R-EDM-REQ-C049", At: inOrganisation, Lines: Since11, Check: FilledChild("sdg:LegalPersonIdentifier")},
		{ID: "R-EDM-REQ-C049", At: inOrganisation, Lines: V10, Severity: Warning, Check: FilledChild("sdg:LegalPersonIdentifier")},
		{ID: "R-EDM-REQ-C051", At: inOrganisation + "/sdg:LegalPersonIdentifier", Check: Norm(eidas)},
		{ID: "R-EDM-REQ-C052", At: inOrganisation + "/sdg:LegalPersonIdentifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-REQ-C053", At: inOrganisation + "/sdg:LegalPersonIdentifier", Check: Attr("schemeID", Is("eidas")), Mend: eidasMend},
		{ID: "R-EDM-REQ-C054", At: inOrganisation + "/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-REQ-C055", At: inOrganisation + "/sdg:Identifier", Check: Attr("schemeID", OneOf(codelist.IdentifierSchemes))},
		{ID: "R-EDM-REQ-C056", At: inOrganisation + "/sdg:RegisteredAddress/sdg:AdminUnitLevel1", Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C057", At: inOrganisation + "/sdg:RegisteredAddress/sdg:AdminUnitLevel2", Lines: V10, Advice: Since11, Severity: Warning, Check: Raw(nuts)},

		{ID: "R-EDM-REQ-C058", At: inRepresentative, Check: FilledChild("sdg:LevelOfAssurance")},
		{ID: "R-EDM-REQ-C059", At: inRepresentative + "/sdg:LevelOfAssurance", Check: Raw(OneOf(codelist.LevelsOfAssurance))},
		{ID: "R-EDM-REQ-C060", At: inRepresentative, Lines: V1x, Severity: Warning, Check: Has("sdg:Identifier"), Mend: "Send the eIDAS identifier when the representative signed in with eIDAS."},
		{ID: "R-EDM-REQ-C060", At: inRepresentative + "/sdg:Identifier", Lines: V20, Severity: Warning, Check: When(scheme("eidas"), hasText())},
		{ID: "R-EDM-REQ-C061", At: inRepresentative + "/sdg:Identifier", Check: When(scheme("eidas"), Norm(eidas))},
		{ID: "R-EDM-REQ-C062", At: inRepresentative + "/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-REQ-C063", At: inRepresentative + "/sdg:Identifier", Check: Attr("schemeID", Is("eidas")), Mend: eidasMend},
		{ID: "R-EDM-REQ-C064", At: inRepresentative + "/sdg:DateOfBirth", Check: Norm(dateOnly)},
		{ID: "R-EDM-REQ-C067", At: inRepresentative + "/sdg:CurrentAddress/sdg:AdminUnitLevel1", Lines: Since11, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C067", At: inRepresentative + "/sdg:CurrentAddress/sdg:AdminUnitLevel1", Lines: V10, Severity: Warning, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C068", At: inRepresentative + "/sdg:CurrentAddress/sdg:AdminUnitLevel2", Lines: V10, Advice: Since11, Severity: Warning, Check: Raw(nuts)},
		{ID: "R-EDM-REQ-C078", At: inRepresentative + "/sdg:Nationality", Lines: Since11, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C079", At: inRepresentative + "/sdg:CountryOfBirth", Lines: Since11, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C080", At: inRepresentative + "/sdg:CountryOfResidence", Lines: Since11, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C081", At: inRepresentative + "/sdg:SectorSpecificAttribute/sdg:AttributeValue", Lines: Since11, Check: Raw(OneOf(codelist.Procedures, codelist.SystemCheck)), Mend: "Name one procedure as the scope of the power; the published rule refuses a list."},
		{ID: "R-EDM-REQ-C124", At: inRepresentative + "/sdg:Gender", Lines: V20, Check: Raw(OneOf(codelist.Gender))},
		{ID: "R-EDM-REQ-C125", At: inRepresentative, Lines: V20, Check: When(identified("eidas2"), Child("sdg:Gender", Raw(Like("a numeric code of the list Gender", "", allDigits))))},
		{ID: "R-EDM-REQ-C126", At: inRepresentative, Lines: V20, Check: When(identified("eidas"), That("Gender: Male, Female or Unspecified", "Send Gender with one of Male, Female, Unspecified: the published rule asks for it beside an eIDAS identifier.", eidasGender))},

		{ID: "R-EDM-REQ-C082", At: inRepresentingOrg, Lines: Since11, Advice: V10, Check: FilledChild("sdg:LevelOfAssurance")},
		{ID: "R-EDM-REQ-C083", At: inRepresentingOrg + "/sdg:LevelOfAssurance", Lines: Since11, Advice: V10, Check: Raw(OneOf(codelist.LevelsOfAssurance))},
		{ID: "R-EDM-REQ-C084", At: inRepresentingOrg, Lines: Since11, Advice: V10, Check: FilledChild("sdg:LegalPersonIdentifier")},
		{ID: "R-EDM-REQ-C085", At: inRepresentingOrg + "/sdg:LegalPersonIdentifier", Lines: Since11, Advice: V10, Check: Norm(eidas)},
		{ID: "R-EDM-REQ-C086", At: inRepresentingOrg + "/sdg:LegalPersonIdentifier", Lines: Since11, Advice: V10, Check: HasAttr("schemeID")},
		{ID: "R-EDM-REQ-C087", At: inRepresentingOrg + "/sdg:LegalPersonIdentifier", Lines: Since11, Advice: V10, Check: Attr("schemeID", Is("eidas")), Mend: eidasMend},
		{ID: "R-EDM-REQ-C088", At: inRepresentingOrg + "/sdg:Identifier", Lines: Since11, Advice: V10, Check: HasAttr("schemeID")},
		{ID: "R-EDM-REQ-C089", At: inRepresentingOrg + "/sdg:Identifier", Lines: Since11, Advice: V10, Check: Attr("schemeID", OneOf(codelist.IdentifierSchemes))},
		{ID: "R-EDM-REQ-C090", At: inRepresentingOrg + "/sdg:CurrentAddress/sdg:AdminUnitLevel1", Lines: Since11, Advice: V10, Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C091", At: inRepresentingOrg, Lines: Since11, Advice: V10, Check: Check{"at most one SectorSpecificAttribute, its value procedure codes separated by commas", "Send one attribute with the procedure codes of the power, separated by commas.", powerScope}},
	},
}

const eidasMend = "Write eidas. The published rule refuses eidas2, though the prose mentions it for tests."

// scheme holds for identifiers of that schemeID, identified for persons with
// such an identifier.
func scheme(id string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { return n.Attr("", "schemeID") == id }
}

func identified(id string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool {
		for i := range n.Each(nsSDG, "Identifier") {
			if i.Attr("", "schemeID") == id {
				return true
			}
		}
		return false
	}
}

// hasText wants text in the element.
func hasText() Check {
	return That("a value", "Write the identifier, or leave the element out.", func(_ *Message, n *Node) string {
		if n.Norm() == "" {
			return "an empty element"
		}
		return ""
	})
}

func twoCountries(s string) bool {
	return len(s) > 6 && s[2] == '/' && s[5] == '/' && alphanumeric(s[:2], 2, 2) && alphanumeric(s[3:5], 2, 2)
}

func allDigits(s string) bool { return s != "" && digits(s, 0, len(s)) }

func eidasGender(_ *Message, n *Node) string {
	g := child(n, "sdg:Gender")
	switch v := g.Text(); {
	case g == nil:
		return "no sdg:Gender"
	case v == "Male" || v == "Female" || v == "Unspecified":
		return ""
	default:
		return quote(v)
	}
}

// powerScope: the published assertion errs on two attributes.
func powerScope(m *Message, n *Node) *Fault {
	k := 0
	for a := range n.Each(nsSDG, "SectorSpecificAttribute") {
		if k++; k > 1 {
			return &Fault{At: a, Found: "a second sdg:SectorSpecificAttribute"}
		}
		v := child(a, "sdg:AttributeValue")
		if v == nil {
			continue
		}
		for code := range splitComma(v.Norm()) {
			if code != codelist.SystemCheck && !m.lists.Contains(codelist.Procedures, code) {
				return &Fault{At: v, Found: quote(v.Norm())}
			}
		}
	}
	return nil
}
