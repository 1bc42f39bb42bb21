package validator

import (
	"strings"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/xmltree"
)

// Deeper places in an Evidence Request.
var (
	inRequirement    = inSlot("Requirements") + "/rim:Element/sdg:Requirement"
	inRequester      = inSlot("EvidenceRequester") + "/rim:Element/sdg:Agent"
	inProvider       = inSlot("EvidenceProvider") + "/sdg:Agent"
	inClassification = inSlot("EvidenceProviderClassification") + "/rim:Element/sdg:EvidenceProviderClassification"
	inEvidenceType   = inQuery("EvidenceRequest") + "/sdg:DataServiceEvidenceType"
	inDistributedAs  = inEvidenceType + "/sdg:DistributedAs"
)

// requestContent are the content rules R-EDM-REQ-C but those about persons.
var requestContent = Table{
	Name: "Evidence Request: values", On: EDMRequest, Cites: "TDD 4.5.1 §3",
	Rules: []Rule{
		{ID: "R-EDM-REQ-C001", At: inSlot("SpecificationIdentifier"), Check: Child("rim:Value", Raw(TheLine("oots-edm")))},
		{ID: "R-EDM-REQ-C002", At: inSlot("IssueDateTime") + "/rim:Value", Check: Norm(dateTime)},
		{ID: "R-EDM-REQ-C003", At: inSlot("Procedure") + "/rim:Value", Lines: V20, Check: Raw(OneOf(codelist.Procedures, codelist.SystemCheck))},
		{ID: "R-EDM-REQ-C003", At: inSlot("Procedure") + "/rim:Value/rim:LocalizedString", Lines: V11 | V12, Check: Attr("value", OneOf(codelist.Procedures, codelist.SystemCheck))},
		{ID: "R-EDM-REQ-C003", At: inSlot("Procedure") + "/rim:Value/rim:LocalizedString", Lines: V10, Check: Attr("value", OneOf(codelist.Procedures))},
		{ID: "R-EDM-REQ-C004", At: inSlot("Procedure") + "/rim:Value/rim:LocalizedString", Lines: V1x, Check: Attr("xml:lang", OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C005", At: inSlot("PreviewLocation"), Check: Child("rim:Value", Norm(https)), Mend: "Copy the PreviewLocation of the exception, character for character."},
		{ID: "R-EDM-REQ-C008", At: inRequirement + "/sdg:Identifier", Check: Norm(requirementURL), Mend: "Copy the requirement's address from the Evidence Broker's answer."},
		{ID: "R-EDM-REQ-C009", At: inRequirement + "/sdg:Name", Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C010", At: inRequirement + "/sdg:Name", Check: FilledAttr("lang")},
		{ID: "R-EDM-REQ-C093", At: inRequirement + "/sdg:Description", Lines: Since11, Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C094", At: inRequirement + "/sdg:Description", Lines: Since11, Check: FilledAttr("lang")},

		{ID: "R-EDM-REQ-C011", At: inRequester + "/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-REQ-C012", At: inRequester + "/sdg:Identifier", Lines: Since11, Check: organisation()},
		{ID: "R-EDM-REQ-C012", At: inRequester + "/sdg:Identifier", Lines: V10, Check: organisation10()},
		{ID: "R-EDM-REQ-C013", At: inRequester, Check: FilledChild("sdg:Classification"), Mend: "Say of each agent whether it is the requester (ER) or an intermediary platform (IP)."},
		{ID: "R-EDM-REQ-C014", At: inRequester + "/sdg:Classification", Lines: Since11, Check: Raw(Among("ER", "IP"))},
		{ID: "R-EDM-REQ-C014", At: inRequester + "/sdg:Classification", Lines: V10, Check: Raw(OneOf(codelist.AgentClassification))},
		{ID: "R-EDM-REQ-C015", At: inRequester + "/sdg:Address/sdg:AdminUnitLevel1", Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-REQ-C016", At: inRequester + "/sdg:Address/sdg:AdminUnitLevel2", Lines: V20, Advice: V1x, Check: Raw(nuts)},
		{ID: "R-EDM-REQ-C073", At: inRequester, Lines: Since11, Check: When(classified("ER"), Check{"exactly one Address/AdminUnitLevel1 with a country", "Give the requester an address with its country.", oneCountry})},
		{ID: "R-EDM-REQ-C074", At: inSlot("EvidenceRequester"), Lines: Since11, Advice: V10, Check: oneAgent("ER")},
		{ID: "R-EDM-REQ-C108", At: inRequester + "/sdg:Name", Lines: Since11, Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C109", At: inRequester + "/sdg:Name", Lines: Since11, Check: FilledAttr("lang")},
		{ID: "R-EDM-REQ-C017", At: inProvider + "/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-REQ-C018", At: inProvider + "/sdg:Identifier", Lines: Since11, Check: organisation()},
		{ID: "R-EDM-REQ-C018", At: inProvider + "/sdg:Identifier", Lines: V10, Check: organisation10()},
		{ID: "R-EDM-REQ-C110", At: inProvider + "/sdg:Name", Lines: Since11, Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C111", At: inProvider + "/sdg:Name", Lines: Since11, Check: FilledAttr("lang")},

		{ID: "R-EDM-REQ-C019", At: inClassification + "/sdg:Identifier", Check: Norm(bareUUID)},
		{ID: "R-EDM-REQ-C020", At: inClassification, Check: FilledChild("sdg:Type")},
		{ID: "R-EDM-REQ-C021", At: inClassification + "/sdg:Description", Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C022", At: inClassification + "/sdg:Description", Check: FilledAttr("lang")},
		{ID: "R-EDM-REQ-C023", At: inClassification, Check: Check{"sdg:SupportedValue with the user's answer", "Add the value that the user chose.", filledAnswers}},
		{ID: "R-EDM-REQ-C095", At: inClassification, Lines: Since11, Check: Child("sdg:Type", Raw(Among("string", "boolean", "codelist")))},
		{ID: "R-EDM-REQ-C096", At: inClassification, Lines: Since11, Check: When(typed("codelist"), Child("sdg:Identifier", FilledAttr("schemeID")))},
		{ID: "R-EDM-REQ-C097", At: inClassification + "/sdg:Identifier", Lines: Since11, Check: NormAttr("schemeID", schemeURL)},
		{ID: "R-EDM-REQ-C098", At: inClassification + "/sdg:Identifier", Lines: Since11, Check: Attr("schemeID", schemeCountry)},
		{ID: "R-EDM-REQ-C099", At: inClassification + "/sdg:Identifier", Lines: Since11, Check: Attr("schemeID", schemeName)},
		{ID: "R-EDM-REQ-C100", At: inClassification, Lines: Since11, Check: When(typed("codelist"), FilledChild("sdg:ValueExpression"))},
		{ID: "R-EDM-REQ-C101", At: inClassification, Lines: Since11, Check: When(typed("codelist"), Child("sdg:ValueExpression", Norm(anyCaseHTTPS)))},
		{ID: "R-EDM-REQ-C102", At: inClassification, Lines: Since11, Check: When(typed("string", "boolean", "codelist"), Check{"sdg:SupportedValue with the user's answer", "Add the value that the user chose.", filledAnswers})},
		{ID: "R-EDM-REQ-C103", At: inClassification + "/sdg:SupportedValue", Lines: Since11, Check: When(parentTyped("codelist", "string"), Has("sdg:StringValue"))},
		{ID: "R-EDM-REQ-C104", At: inClassification + "/sdg:SupportedValue", Lines: Since11, Check: When(parentTyped("boolean"), Has("sdg:BooleanValue"))},
		{ID: "R-EDM-REQ-C105", At: inClassification, Lines: Since11, Check: Exactly(1, "sdg:SupportedValue"), Mend: "Keep the one answer that the user chose."},

		{ID: "R-EDM-REQ-C024", At: request + "/query:ResponseOption", Check: Must("returnType", Is("LeafClassWithRepositoryItem"))},
		{ID: "R-EDM-REQ-C025", At: requestQuery, Check: Must("queryDefinition", Is("DocumentQuery"))},
		{ID: "R-EDM-REQ-C069", At: request, Lines: V1x, Check: Attr("xml:lang", OneOf(codelist.Language))},

		{ID: "R-EDM-REQ-C106", At: inEvidenceType, Lines: Since11, Check: FilledChild("sdg:Identifier")},
		{ID: "R-EDM-REQ-C026", At: inEvidenceType + "/sdg:Identifier", Check: Norm(bareUUID), Mend: "Copy the identifier of the directory's record, a UUID without urn:uuid:."},
		{ID: "R-EDM-REQ-C027", At: inEvidenceType + "/sdg:EvidenceTypeClassification", Check: Raw(evidenceTypeURL), Mend: evidenceTypeMend},
		{ID: "R-EDM-REQ-C115", At: inEvidenceType + "/sdg:EvidenceTypeClassification", Lines: Since11, Severity: Caution, Check: Raw(productionEvidenceType), Mend: environmentMend},
		{ID: "R-EDM-REQ-C028", At: inEvidenceType + "/sdg:Title", Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C029", At: inEvidenceType + "/sdg:Title", Check: FilledAttr("lang")},
		{ID: "R-EDM-REQ-C030", At: inEvidenceType + "/sdg:Description", Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C031", At: inEvidenceType + "/sdg:Description", Check: FilledAttr("lang")},
		{ID: "R-EDM-REQ-C032", At: inEvidenceType, Lines: V20, Check: AtLeast(1, "sdg:DistributedAs"), Mend: "Name at least one format in which the evidence is welcome."},
		{ID: "R-EDM-REQ-C032", At: inEvidenceType, Lines: V1x, Check: AtMost(1, "sdg:DistributedAs"), Mend: "Before line 2.0 a request names one distribution only."},
		{ID: "R-EDM-REQ-C033", At: inDistributedAs + "/sdg:Format", Check: Raw(OneOf(codelist.OOTSMediaTypes))},
		{ID: "R-EDM-REQ-C034", At: inDistributedAs + "/sdg:ConformsTo", Check: Norm(dataModelURL)},
		{ID: "R-EDM-REQ-C114", At: inDistributedAs + "/sdg:ConformsTo", Lines: Since11, Severity: Caution, Check: Norm(productionDataModel), Mend: environmentMend},
		{ID: "R-EDM-REQ-C035", At: inDistributedAs + "/sdg:Transformation", Lines: V1x, Check: Norm(transformationURL)},
		{ID: "R-EDM-REQ-C113", At: inDistributedAs + "/sdg:Transformation", Lines: V11 | V12, Severity: Caution, Check: Norm(productionDataModel), Mend: environmentMend},
		{ID: "R-EDM-REQ-C070", At: inDistributedAs, Lines: Since11, Severity: Warning, Check: When(formatted("application/xml"), Has("sdg:ConformsTo")), Mend: dataModelMend},
		{ID: "R-EDM-REQ-C070", At: inDistributedAs, Lines: V10, Check: When(formatted("application/xml", "application/json"), Has("sdg:ConformsTo")), Mend: dataModelMend},
		{ID: "R-EDM-REQ-C071", At: inDistributedAs, Lines: Since11, Severity: Warning, Check: When(formatted("application/json"), Has("sdg:ConformsTo")), Mend: dataModelMend},
		{ID: "R-EDM-REQ-C071", At: inDistributedAs, Lines: V10, Check: When(hasChild("sdg:Transformation"), Has("sdg:ConformsTo")), Mend: dataModelMend},
		{ID: "R-EDM-REQ-C072", At: inDistributedAs, Lines: V1x, Check: When(hasChild("sdg:Transformation"), Exactly(1, "sdg:ConformsTo")), Mend: dataModelMend},
		{ID: "R-EDM-REQ-C107", At: inDistributedAs, Lines: Since11, Check: When(formatted(unstructuredFormats...), None("sdg:ConformsTo")), Mend: "Only XML and JSON follow a data model: remove ConformsTo, or ask for a structured format."},
		{ID: "R-EDM-REQ-C118", At: inDistributedAs + "/sdg:Language", Lines: V20, Check: Raw(OneOf(codelist.Language))},
		{ID: "R-EDM-REQ-C119", At: inDistributedAs + "/sdg:AssociatedDocumentRequest", Lines: V20, Check: Raw(Among("Annex", "HumanReadableVersion", "Translation"))},
		{ID: "R-EDM-REQ-C120", At: inSlot("ReturnLocation"), Lines: V20, Check: Child("rim:Value", Norm(https))},

		{ID: "R-EDM-REQ-C092", At: wordings, Lines: Since11, Advice: V10, Check: wording("LocatorDesignator", "StringValue")},
	},
}

const (
	countryMend      = "Write the country in two upper-case letters of ISO 3166-1; Greece is EL."
	evidenceTypeMend = "Copy the address as the directory publishes it; white space around it counts, and so does case."
	environmentMend  = "Nothing in a test; in production use the address that names no environment."
	dataModelMend    = "Name the data model in sdg:ConformsTo."
)

// unstructuredFormats are the formats that follow no data model (list OOTSMediaTypes).
var unstructuredFormats = []string{"application/pdf", "image/jpeg", "image/png", "image/svg+xml"}

// wordings are the elements whose text must say something (R-EDM-REQ-C092 and
// its twins).
const wordings Path = "//sdg:Description | //sdg:Name | //sdg:Title | //sdg:Note | //sdg:EvidenceTypeClassification | //sdg:FullAddress | //sdg:LocatorDesignator | //sdg:PostCode | //sdg:PostCityName | //sdg:Thoroughfare | //sdg:PlaceOfBirth | //sdg:TownOfBirth | //sdg:PhoneNumber | //sdg:EmailAddress | //sdg:LegalPhoneNumber | //sdg:LegalEmailAddress | //sdg:nonLatin | //sdg:ValueExpression | //sdg:StringValue | //sdg:AttributeName | //sdg:AttributeValue | //sdg:JurisdictionContext"

// wording wants two characters, of the elements named here one.
func wording(one ...string) Check {
	return Check{"at least 2 characters", "Say it in words, or leave the element out.", func(m *Message, n *Node) *Fault {
		least := 2
		for _, name := range one {
			if n.Local() == name {
				least = 1
			}
		}
		if MinText(least).Is(m, n.Norm()) {
			return nil
		}
		return &Fault{Found: quote(n.Norm())}
	}}
}

// classified holds for agents of that classification, normalised.
func classified(code string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { return child(n, "sdg:Classification").Norm() == code }
}

// oneCountry: one non-blank AdminUnitLevel1 in all addresses of the agent.
func oneCountry(_ *Message, n *Node) *Fault {
	k := 0
	for c := range n.FindAll(nsSDG, "Address", "AdminUnitLevel1") {
		if c.Norm() != "" {
			k++
		}
	}
	if k == 1 {
		return nil
	}
	return &Fault{Found: counted(k, "AdminUnitLevel1", "AdminUnitLevel1")}
}

// oneAgent wants exactly one agent of the collection to be classified so.
func oneAgent(code string) Check {
	return Check{"exactly one agent classified " + code, "Classify exactly one agent of the collection as " + code + ".", func(_ *Message, n *Node) *Fault {
		k := 0
		for a := range n.Each(nsRIM, "Element") {
			if find(a, "sdg:Agent", "sdg:Classification").Text() == code {
				k++
			}
		}
		if k == 1 {
			return nil
		}
		return &Fault{Found: counted(k, "agent "+code, "agents "+code)}
	}}
}

// filledAnswers: at least one SupportedValue and none of them blank.
func filledAnswers(_ *Message, n *Node) *Fault {
	k := 0
	for v := range n.Each(nsSDG, "SupportedValue") {
		k++
		if xmltree.NormalizeSpace(v.StringValue()) == "" {
			return &Fault{At: v, Found: "an empty sdg:SupportedValue"}
		}
	}
	if k == 0 {
		return &Fault{Found: "no sdg:SupportedValue"}
	}
	return nil
}

// typed holds for concepts of one of these types, parentTyped for their values.
func typed(types ...string) func(*Message, *Node) bool {
	w := Among(types...)
	return func(m *Message, n *Node) bool { return w.Is(m, child(n, "sdg:Type").Text()) }
}

func parentTyped(types ...string) func(*Message, *Node) bool {
	is := typed(types...)
	return func(m *Message, n *Node) bool { return is(m, n.Parent()) }
}

// formatted holds for distributions in one of these formats.
func formatted(formats ...string) func(*Message, *Node) bool {
	w := Among(formats...)
	return func(m *Message, n *Node) bool { return w.Is(m, child(n, "sdg:Format").Norm()) }
}

func hasChild(name string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { return child(n, name) != nil }
}

// schemeCountry and schemeName look at the two last segments of the address of
// a Member State code list; an address of another shape is C097's business.
var schemeCountry = Want{
	Words: "a country of OOTS_Country in the address of the code list", Mend: "Write the two letters of the country that keeps the list.",
	Is: func(m *Message, v string) bool {
		path, ok := semanticRepository(xmltree.NormalizeSpace(v), true)
		if !ok || !schemePath(m, path) {
			return true
		}
		return ootsCountry(m, strings.Split(path, "/")[1])
	},
}

var schemeName = Like("2 to 50 letters and digits as the last part of the address", "", func(s string) bool {
	return alphanumeric(s[strings.LastIndexByte(s, '/')+1:], 2, 50)
})
