package validator

import (
	"strings"

	"github.com/once-only/oots/codelist"
)

// responseContent are the content rules R-EDM-RESP-C.
var responseContent = Table{
	Name: "Evidence Response: values", On: EDMResponse, Cites: "TDD 4.5.2 §3",
	Rules: append([]Rule{
		{ID: "R-EDM-RESP-C002", At: inAnswer("SpecificationIdentifier"), Check: Child("rim:Value", Raw(TheLine("oots-edm")))},
		{ID: "R-EDM-RESP-C003", At: inAnswer("EvidenceResponseIdentifier") + "/rim:Value", Check: Norm(bareUUID)},
		{ID: "R-EDM-RESP-C004", At: inAnswer("IssueDateTime") + "/rim:Value", Check: Norm(dateTime)},
		{ID: "R-EDM-RESP-C005", At: inAnswer("ResponseAvailableDateTime") + "/rim:Value", Check: Norm(dateTime)},
		{ID: "R-EDM-RESP-C006", At: inAnsweringAgent + "/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-RESP-C007", At: inAnsweringAgent + "/sdg:Identifier", Lines: Since11, Check: organisation()},
		{ID: "R-EDM-RESP-C007", At: inAnsweringAgent + "/sdg:Identifier", Lines: V10, Check: organisation10()},
		{ID: "R-EDM-RESP-C008", At: inAnsweringAgent + "/sdg:Address/sdg:AdminUnitLevel1", Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-RESP-C009", At: inAnsweringAgent + "/sdg:Address/sdg:AdminUnitLevel2", Lines: V20, Advice: V10, Check: Raw(nuts)},
		{ID: "R-EDM-RESP-C010", At: inAnsweringAgent, Check: FilledChild("sdg:Classification")},
		{ID: "R-EDM-RESP-C011", At: inAnsweringAgent + "/sdg:Classification", Check: Raw(Among("EP", "IP"))},
		{ID: "R-EDM-RESP-C012", At: inAnswer("EvidenceRequester") + "/sdg:Agent/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-RESP-C013", At: inAnswer("EvidenceRequester") + "/sdg:Agent/sdg:Identifier", Lines: Since11, Check: organisation()},
		{ID: "R-EDM-RESP-C013", At: inAnswer("EvidenceRequester") + "/sdg:Agent/sdg:Identifier", Lines: V10, Check: organisation10()},
		{ID: "R-EDM-RESP-C046", At: inAnswer("EvidenceProvider"), Lines: Since11, Advice: V10, Check: oneAgent("EP")},
		{ID: "R-EDM-RESP-C047", At: inAnsweringAgent, Lines: Since11, Advice: V10, Check: When(classified("EP"), Check{"exactly one Address/AdminUnitLevel1 with a country", "Give the provider an address with its country.", oneCountry})},
		{ID: "R-EDM-RESP-C042", At: "//rim:RepositoryItemRef", Check: Attr("xlink:href", Like("cid: and a content id with an @", "cid:main0001@evidence.sample.example", contentID))},
		{ID: "R-EDM-RESP-C042", At: "//rim:RepositoryItemRef", Lines: NoLine, Advice: AllLine, Check: Attr("xlink:href", Like("a content id of lower-case letters and digits around the @", "cid:main0001@evidence.sample.example", plainContentID)), Mend: "Use a local part without hyphens, such as the 32 digits of a UUID: a draft of the rule refuses others."},
		{ID: "R-EDM-RESP-C049", At: wordings, Lines: Since11, Advice: V10, Check: wording("LocatorDesignator", "StringValue")},
	}, evidenceRules()...),
}

const inAnsweringAgent = Path(response + "/rim:Slot[EvidenceProvider]/rim:SlotValue/rim:Element/sdg:Agent")

// evidenceRow is a rule about the metadata of evidence, written once for both
// depths: below names the place under sdg:Evidence.
type evidenceRow struct {
	below string
	rule  Rule
}

// evidenceRules spreads the rows over the depth of line 1.x and that of 2.0.
func evidenceRules() (out []Rule) {
	for _, row := range evidenceRows {
		lines := row.rule.certain()
		for _, depth := range []struct {
			lines Lines
			root  Path
		}{{V1x, evidence1x}, {V20, evidence20}} {
			r := row.rule
			r.At = depth.root + Path(row.below)
			r.Advice &= depth.lines
			if r.Lines = lines & depth.lines; r.Lines == 0 {
				r.Lines = NoLine
			}
			if r.Lines != NoLine || r.Advice != 0 {
				out = append(out, r)
			}
		}
	}
	return out
}

var evidenceRows = []evidenceRow{
	{"/sdg:Identifier", Rule{ID: "R-EDM-RESP-C015", Check: Norm(bareUUID), Mend: "Give each document a new UUID, without urn:uuid:."}},
	{"/sdg:IssuingDate", Rule{ID: "R-EDM-RESP-C016", Check: Norm(dateOnly)}},
	{"/sdg:IsConformantTo/sdg:EvidenceTypeClassification", Rule{ID: "R-EDM-RESP-C017", Check: Raw(evidenceTypeURL), Mend: evidenceTypeMend}},
	{"/sdg:IsConformantTo/sdg:Title", Rule{ID: "R-EDM-RESP-C018", Check: Attr("lang", OneOf(codelist.Language))}},
	{"/sdg:IsConformantTo/sdg:Title", Rule{ID: "R-EDM-RESP-C019", Check: HasAttr("lang")}},
	{"/sdg:IsConformantTo/sdg:Description", Rule{ID: "R-EDM-RESP-C020", Check: Attr("lang", OneOf(codelist.Language))}},
	{"/sdg:IsConformantTo/sdg:Description", Rule{ID: "R-EDM-RESP-C021", Check: HasAttr("lang")}},
	{"/sdg:Distribution/sdg:ConformsTo", Rule{ID: "R-EDM-RESP-C022", Check: Norm(dataModelURL)}},
	{"/sdg:Distribution/sdg:Format", Rule{ID: "R-EDM-RESP-C023", Check: Raw(OneOf(codelist.OOTSMediaTypes))}},
	{"/sdg:Distribution/sdg:Language", Rule{ID: "R-EDM-RESP-C026", Check: Raw(OneOf(codelist.Language))}},
	{"/sdg:IsAbout/sdg:NaturalPerson", Rule{ID: "R-EDM-RESP-C027", Severity: Warning, Check: Has("sdg:Identifier"), Mend: "Send the identifier when you have it."}},
	{"/sdg:IsAbout/sdg:NaturalPerson/sdg:Identifier", Rule{ID: "R-EDM-RESP-C028", Check: Norm(eidas)}},
	{"/sdg:IsAbout/sdg:NaturalPerson/sdg:Identifier", Rule{ID: "R-EDM-RESP-C030", Check: HasAttr("schemeID")}},
	{"/sdg:IsAbout/sdg:NaturalPerson/sdg:Identifier", Rule{ID: "R-EDM-RESP-C031", Check: Attr("schemeID", Is("eidas"))}},
	{"/sdg:IsAbout/sdg:NaturalPerson/sdg:DateOfBirth", Rule{ID: "R-EDM-RESP-C032", Check: Norm(dateOnly)}},
	{"/sdg:IsAbout/sdg:LegalPerson", Rule{ID: "R-EDM-RESP-C033", Check: FilledChild("sdg:LegalPersonIdentifier")}},
	{"/sdg:IsAbout/sdg:LegalPerson/sdg:LegalPersonIdentifier", Rule{ID: "R-EDM-RESP-C035", Check: Norm(eidas)}},
	{"/sdg:IsAbout/sdg:LegalPerson/sdg:LegalPersonIdentifier", Rule{ID: "R-EDM-RESP-C036", Check: HasAttr("schemeID")}},
	{"/sdg:IsAbout/sdg:LegalPerson/sdg:LegalPersonIdentifier", Rule{ID: "R-EDM-RESP-C037", Check: Attr("schemeID", Is("eidas"))}},
	{"/sdg:IssuingAuthority/sdg:Identifier", Rule{ID: "R-EDM-RESP-C038", Check: HasAttr("schemeID")}},
	{"/sdg:IssuingAuthority/sdg:Identifier", Rule{ID: "R-EDM-RESP-C039", Lines: Since11, Check: organisation()}},
	{"/sdg:IssuingAuthority/sdg:Identifier", Rule{ID: "R-EDM-RESP-C039", Lines: V10, Check: organisation10()}},
	{"/sdg:ValidityPeriod/sdg:StartDate", Rule{ID: "R-EDM-RESP-C040", Check: Norm(dateOnly)}},
	{"/sdg:ValidityPeriod/sdg:EndDate", Rule{ID: "R-EDM-RESP-C041", Check: Norm(dateOnly)}},
	{"/sdg:Distribution/sdg:Transformation", Rule{ID: "R-EDM-RESP-C043", Lines: V1x, Check: Norm(transformationURL)}},
	{"/sdg:Distribution", Rule{ID: "R-EDM-RESP-C044", Lines: V1x, Check: When(formatted("application/xml", "application/json"), Has("sdg:ConformsTo")), Mend: dataModelMend}},
	{"/sdg:Distribution", Rule{ID: "R-EDM-RESP-C044", Lines: NoLine, Advice: V20, Check: When(both(formatted("application/xml", "application/json"), ofMainEvidence), Has("sdg:ConformsTo")), Mend: dataModelMend}},
	{"/sdg:Distribution", Rule{ID: "R-EDM-RESP-C048", Lines: NoLine, Advice: V11 | V12, Check: When(hasChild("sdg:Transformation"), Has("sdg:ConformsTo")), Mend: dataModelMend}},
	{"/sdg:Distribution", Rule{ID: "R-EDM-RESP-C050", Lines: Since11, Check: When(formatted(unstructuredFormats...), None("sdg:ConformsTo")), Mend: "Only XML and JSON follow a data model: remove ConformsTo."}},
	{"/sdg:Distribution/sdg:Transformation", Rule{ID: "R-EDM-RESP-C055", Lines: V11 | V12, Severity: Caution, Check: Norm(productionDataModel), Mend: environmentMend}},
	{"/sdg:Distribution", Rule{ID: "R-EDM-RESP-C058", Lines: V20, Check: Exactly(1, "sdg:Format")}},
}

// ofMainEvidence: n is the sdg:Distribution of an object classified MainEvidence.
func ofMainEvidence(_ *Message, n *Node) bool {
	object := n.Parent().Parent().Parent().Parent() // Evidence, SlotValue, Slot, RegistryObject
	return isClassified(object, "MainEvidence", false)
}

func contentID(s string) bool {
	return strings.HasPrefix(s, "cid:") && strings.ContainsRune(s, '@')
}

// plainContentID: what the draft of the rule admits before the @ and right
// after it.
func plainContentID(s string) bool {
	local, domain, ok := strings.Cut(strings.TrimPrefix(s, "cid:"), "@")
	lower := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
	if !ok || !contentID(s) {
		return true // said by the certain part
	}
	for i := range len(local) {
		if !lower(local[i]) {
			return false
		}
	}
	return local != "" && domain != "" && lower(domain[0])
}
