package validator

import "github.com/once-only/oots/codelist"

// The Data Service Directory (TDD 3.1.4): data services, and the question that
// it asks back.

func dsdResponseRules() []Rule {
	value := slotValue(answerObject, "DataServiceEvidenceType")
	record := value + "/sdg:DataServiceEvidenceType"
	service := record + "/sdg:AccessService"
	publisher := service + "/sdg:Publisher"
	return join(
		successRules("R-DSD-RESP-"),
		since2023(
			Rule{ID: "R-DSD-RESP-S009", At: answerObject, Check: hasSlot("DataServiceEvidenceType")},
			Rule{ID: "R-DSD-RESP-S010", At: answerObject, Check: AtMost(1, "rim:Slot")},
			Rule{ID: "R-DSD-RESP-S011", At: value, Check: ValueType("AnyValueType")},
			Rule{ID: "R-DSD-RESP-S012", At: value, Check: Exactly(1, "sdg:DataServiceEvidenceType")},
			Rule{ID: "R-DSD-RESP-S015", At: answerObject, Check: Must("id", urnUUID)},
			Rule{ID: "R-DSD-RESP-S016", At: answerList, Check: AtLeast(1, "rim:RegistryObject")},
		),
		gone20(Rule{ID: "R-DSD-RESP-S013", At: record, Check: When(asksQuestion, everyPublisherAnswers())}),
		always(Rule{ID: "R-DSD-RESP-S014", At: record, Check: AtLeast(1, "sdg:AccessService")}),
		recordRules(recordIDs{
			"R-DSD-RESP-C002", "R-DSD-RESP-C003", "R-DSD-RESP-C004", "R-DSD-RESP-C005", "R-DSD-RESP-C006", "R-DSD-RESP-C007", "R-DSD-RESP-C008",
		}, record),
		always(
			Rule{ID: "R-DSD-RESP-C010", At: record + "/sdg:DistributedAs/sdg:ConformsTo", Check: Norm(dataModelAddress)},
			Rule{ID: "R-DSD-RESP-C015", At: service + "/sdg:ConformsTo", Check: Norm(edmVersion)},
		),
		since2023(Rule{ID: "R-DSD-RESP-C009", At: record + "/sdg:DistributedAs/sdg:Format", Check: Raw(OneOf(codelist.OOTSMediaTypes))}),
		gone20(
			Rule{ID: "R-DSD-RESP-C038", At: record + "/sdg:DistributedAs/sdg:Transformation", Check: Norm(subsetAddress)},
			Rule{ID: "R-DSD-RESP-C039", At: record + "/sdg:DistributedAs", Check: When(offersFormat("application/xml", "application/json"), Has("sdg:ConformsTo"))},
			Rule{ID: "R-DSD-RESP-C040", At: record + "/sdg:DistributedAs", Check: When(hasChild("sdg:Transformation"), Has("sdg:ConformsTo"))},
		),
		since20(
			Rule{ID: "R-DSD-RESP-C039", At: record + "/sdg:DistributedAs", Check: When(both(offersFormat("application/xml"), not(besideUnstructured)), Has("sdg:ConformsTo"))},
			Rule{ID: "R-DSD-RESP-C041", At: record + "/sdg:DistributedAs", Check: When(both(offersFormat("application/json"), not(besideUnstructured)), Has("sdg:ConformsTo"))},
			Rule{ID: "R-DSD-RESP-C067", At: record + "/sdg:DistributedAs", Check: When(readByPeople, None("sdg:ConformsTo"))},
			Rule{ID: "R-DSD-RESP-S027", At: record, Check: AtLeast(1, "sdg:DistributedAs")},
		),
		schemeRules("R-DSD-RESP-C012", "R-DSD-RESP-C014", service+"/sdg:Identifier"),
		schemeRules("R-DSD-RESP-C016", "R-DSD-RESP-C017", publisher+"/sdg:Identifier"),
		geographyRules("R-DSD-RESP-C018", "R-DSD-RESP-C019", "", publisher+"/sdg:Address"),
		geographyRules("R-DSD-RESP-C020", "R-DSD-RESP-C021", "R-DSD-RESP-C022", publisher+"/sdg:Jurisdiction"),
		conceptRules(conceptIDs{"R-DSD-RESP-C023", "R-DSD-RESP-C024", "R-DSD-RESP-C025", "R-DSD-RESP-C026", "R-DSD-RESP-C027"}, publisher+"/sdg:ClassificationConcept"),
		since2023(Rule{ID: "R-DSD-RESP-C028", At: publisher + "/sdg:ClassificationConcept", Check: supportedValue()}),
		conceptRules(conceptIDs{"R-DSD-RESP-C029", "R-DSD-RESP-C030", "R-DSD-RESP-C031", "R-DSD-RESP-C032", "R-DSD-RESP-C033"}, record+"/sdg:EvidenceProviderClassification"),
		determinationRules("R-DSD-RESP-C034", "R-DSD-RESP-C035", "R-DSD-RESP-C036", "R-DSD-RESP-C037", record+"/sdg:EvidenceProviderJurisdictionDetermination"),
	)
}

// recordIDs are the numbers of the rows on a data service evidence type:
// identifier, classification, Title's language and its presence, Description's,
// and the level of assurance.
type recordIDs struct {
	identifier, classification, title, titled, description, described, assurance string
}

func recordRules(id recordIDs, record Path) []Rule {
	return join(
		since2023(
			Rule{ID: id.identifier, At: record + "/sdg:Identifier", Check: Norm(bareUUID)},
			Rule{ID: id.classification, At: record + "/sdg:EvidenceTypeClassification", Check: Norm(evidenceTypeAddress)},
			Rule{ID: id.assurance, At: record + "/sdg:AuthenticationLevelOfAssurance", Check: Norm(assuranceLevel)},
		),
		langRules(id.title, id.titled, record+"/sdg:Title"),
		langRules(id.description, id.described, record+"/sdg:Description"),
	)
}

// conceptIDs are the numbers of the rows on a question, or on a provider's
// answer to it.
type conceptIDs struct{ identifier, typ, wording, description, described string }

func conceptRules(id conceptIDs, concept Path) []Rule {
	return join(
		since2023(
			Rule{ID: id.identifier, At: below(concept, "sdg:Identifier"), Check: Norm(bareUUID)},
			Rule{ID: id.typ, At: concept, Check: FilledChild("sdg:Type")},
			Rule{ID: id.wording, At: concept, Check: Has("sdg:Description")},
		),
		langRules(id.description, id.described, below(concept, "sdg:Description")),
	)
}

func determinationRules(identifier, context, named, level string, at Path) []Rule {
	return join(
		gone20(
			Rule{ID: identifier, At: at + "/sdg:JurisdictionContextId", Check: Norm(bareUUID)},
			Rule{ID: level, At: at + "/sdg:JurisdictionLevel", Check: Norm(jurisdictionLevel)},
		),
		langRules(context, named, at+"/sdg:JurisdictionContext"),
	)
}

// supportedValue wants a value that the provider answers for.
func supportedValue() Check {
	return Check{"sdg:SupportedValue with a value", "Name the values for which this provider is the right one.", func(_ *Message, n *Node) *Fault {
		if v := child(n, "sdg:SupportedValue"); v == nil {
			return &Fault{Found: "no sdg:SupportedValue"}
		} else if v.Len() == 0 {
			return &Fault{At: v, Found: "an sdg:SupportedValue without a value"}
		}
		return nil
	}}
}

func asksQuestion(_ *Message, n *Node) bool {
	return child(n, "sdg:EvidenceProviderClassification") != nil
}

// everyPublisherAnswers looks at the publishers of a record that asks a question.
func everyPublisherAnswers() Check {
	return Check{"a publisher that states sdg:SupportedValue", "Give each publisher a ClassificationConcept with the values it answers for.", func(_ *Message, n *Node) *Fault {
		for p := range n.FindAll(nsSDG, "AccessService", "Publisher") {
			if !answers(p) {
				return &Fault{At: p, Found: "a publisher without SupportedValue"}
			}
		}
		return nil
	}}
}

func answers(publisher *Node) bool {
	for c := range publisher.Each(nsSDG, "ClassificationConcept") {
		if child(c, "sdg:SupportedValue") != nil {
			return true
		}
	}
	return false
}

// offersFormat holds for a distribution in one of these formats.
func offersFormat(formats ...string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool {
		for f := range n.Each(nsSDG, "Format") {
			for _, want := range formats {
				if f.Norm() == want {
					return true
				}
			}
		}
		return false
	}
}

// readByPeople holds for a distribution that a person reads and a machine does
// not (code list OOTSMediaTypes).
func readByPeople(m *Message, n *Node) bool {
	return offersFormat("application/pdf", "image/jpeg", "image/png", "image/svg+xml")(m, n)
}

// besideUnstructured holds when the same record also offers an unstructured
// distribution: then nobody needs the model.
func besideUnstructured(m *Message, n *Node) bool {
	for d := range n.Parent().Each(nsSDG, "DistributedAs") {
		if readByPeople(m, d) {
			return true
		}
	}
	return false
}

func dsdErrorRules() []Rule {
	const ex = queryException
	isQuestion := hasCode(dsdQuestion)
	determination := slotValue(ex, "JurisdictionDetermination")
	concepts := slotValue(ex, "UserRequestedClassificationConcepts")
	concept := concepts + "/rim:Element/sdg:EvidenceProviderClassification"
	value := slotValue(ex, "DataServiceEvidenceType")
	record := value + "/sdg:DataServiceEvidenceType"
	return join(
		rootRules("R-DSD-ERR-S001", "R-DSD-ERR-S002", "QueryResponse", nsQuery),
		since2023(
			Rule{ID: "R-DSD-ERR-S005", At: queryResponse, Check: HasAttr("status")},
			Rule{ID: "R-DSD-ERR-S006", At: queryResponse, Check: Must("status", Is(statusFailure))},
			Rule{ID: "R-DSD-ERR-S007", At: queryResponse, Check: When(hasStatus(statusFailure), None("rim:RegistryObjectList"))},
			Rule{ID: "R-DSD-ERR-S008", At: queryResponse, Check: AtLeast(1, "rs:Exception")},
			Rule{ID: "R-DSD-ERR-S015", At: concepts, Check: ValueType("CollectionValueType")},
			Rule{ID: "R-DSD-ERR-S016", At: concepts + "/rim:Element", Check: ValueType("AnyValueType")},
			Rule{ID: "R-DSD-ERR-S017", At: value, Check: ValueType("AnyValueType")},
			Rule{ID: "R-DSD-ERR-S018", At: value, Check: Has("sdg:DataServiceEvidenceType")},
			Rule{ID: "R-DSD-ERR-C016", At: ex, Check: HasAttr("xsi:type")},
			Rule{ID: "R-DSD-ERR-C017", At: ex, Check: exceptionType(codelist.DSDErrorCodes)},
			Rule{ID: "R-DSD-ERR-C018", At: ex, Check: Must("severity", Among(severityError, severityInput))},
			Rule{ID: "R-DSD-ERR-C022", At: ex, Check: HasAttr("code")},
			Rule{ID: "R-DSD-ERR-C023", At: ex, Check: knownCode(codelist.DSDErrorCodes)},
		),
		// Line 1.0 as its published file has it: reminders, with any code.
		on(V10, 0,
			Rule{ID: "R-DSD-ERR-S011", Severity: Caution, At: ex, Check: OneSlot("JurisdictionDetermination"), Mend: "Nothing, when the directory does not ask for a place."},
			Rule{ID: "R-DSD-ERR-S012", Severity: Caution, At: ex, Check: OneSlot("UserRequestedClassificationConcepts"), Mend: "Nothing, when the directory does not ask for a classification."},
			Rule{ID: "R-DSD-ERR-S013", Severity: Caution, At: ex, Check: OneSlot("DataServiceEvidenceType"), Mend: "Nothing, when the exception is no question; a question names its evidence type."},
			Rule{ID: "R-DSD-ERR-S021", At: record, Check: HasAll("sdg:Identifier", "sdg:EvidenceTypeClassification", "sdg:Title", "sdg:Description")},
		),
		on(V11|V12, 0,
			Rule{ID: "R-DSD-ERR-S011", Severity: Caution, At: ex, Check: When(isQuestion, MostOneSlot("JurisdictionDetermination"))},
			Rule{ID: "R-DSD-ERR-S012", Severity: Caution, At: ex, Check: When(isQuestion, MostOneSlot("UserRequestedClassificationConcepts"))},
		),
		on(Since11, 0, Rule{ID: "R-DSD-ERR-S013", At: ex, Check: When(isQuestion, OneSlot("DataServiceEvidenceType"))}),
		on(V11|V12, V20, Rule{ID: "R-DSD-ERR-S021", At: record, Check: reducedRecord()}),
		gone20(
			Rule{ID: "R-DSD-ERR-S009", At: queryResponse, Check: noSlotsButInAQuestion()},
			Rule{ID: "R-DSD-ERR-S014", At: determination, Check: ValueType("AnyValueType")},
			Rule{ID: "R-DSD-ERR-S020", At: determination, Check: Exactly(1, "sdg:EvidenceProviderJurisdictionDetermination")},
			Rule{ID: "R-DSD-ERR-S022", At: ex, Check: When(isQuestion, That("a slot UserRequestedClassificationConcepts or JurisdictionDetermination", "Ask the question: name what the user is to answer.",
				func(_ *Message, n *Node) string {
					if slot(n, "UserRequestedClassificationConcepts") == nil && slot(n, "JurisdictionDetermination") == nil {
						return "neither slot"
					}
					return ""
				}))},
		),
		always(
			// 2.0 drops JurisdictionDetermination, its published samples do not.
			Rule{ID: "R-DSD-ERR-S010", At: ex, Check: When(isQuestion, OnlySlots("DataServiceEvidenceType", "UserRequestedClassificationConcepts", "JurisdictionDetermination"))},
			Rule{ID: "R-DSD-ERR-S019", At: concepts + "/rim:Element", Check: Has("sdg:EvidenceProviderClassification")},
			Rule{ID: "R-DSD-ERR-S023", At: concept, Check: When(inQuestion, None("sdg:SupportedValue"))},
			Rule{ID: "R-DSD-ERR-C019", At: ex, Check: When(both(not(isQuestion), ofDirectory), Attr("severity", Is(severityError)))},
			Rule{ID: "R-DSD-ERR-C020", At: ex, Check: HasAttr("message")},
			Rule{ID: "R-DSD-ERR-C025", At: ex, Check: When(both(isQuestion, ofDirectory), Attr("severity", Is(severityInput)))},
			Rule{ID: "R-DSD-ERR-C005", At: concept + "/sdg:Identifier", Check: Norm(bareUUID)},
			Rule{ID: "R-DSD-ERR-C006", At: concept, Check: FilledChild("sdg:Type")},
			Rule{ID: "R-DSD-ERR-C007", At: concept, Check: Has("sdg:Description")},
		),
		since20(
			Rule{ID: "R-DSD-ERR-S022", At: ex, Check: When(isQuestion, OneSlot("UserRequestedClassificationConcepts"))},
			Rule{ID: "R-DSD-ERR-S024", At: concepts, Check: AtLeast(1, "rim:Element")},
			Rule{ID: "R-DSD-ERR-S027", At: concepts, Check: Must("collectionType", Is(collectionSet))},
			Rule{ID: "R-DSD-ERR-C031", At: concept + "/sdg:Type", Check: When(notEmpty, Norm(conceptType))},
			Rule{ID: "R-DSD-ERR-C032", At: concept, Check: When(fromCodeList, Child("sdg:Identifier", FilledAttr("schemeID")))},
			Rule{ID: "R-DSD-ERR-C033", At: concept + "/sdg:Identifier", Check: When(filled("schemeID"), NormAttr("schemeID", codeListAddress))},
			Rule{ID: "R-DSD-ERR-C037", At: concept, Check: When(fromCodeList, FilledChild("sdg:ValueExpression"))},
			Rule{ID: "R-DSD-ERR-C038", At: concept, Check: When(fromCodeList, Child("sdg:ValueExpression", When(notEmpty, Norm(anyCaseHTTPS))))},
		),
		langRules("R-DSD-ERR-C008", "R-DSD-ERR-C009", concept+"/sdg:Description"),
		determinationRules("R-DSD-ERR-C001", "R-DSD-ERR-C002", "R-DSD-ERR-C003", "R-DSD-ERR-C004", determination+"/sdg:EvidenceProviderJurisdictionDetermination"),
		recordRules(recordIDs{
			"R-DSD-ERR-C010", "R-DSD-ERR-C011", "R-DSD-ERR-C012", "R-DSD-ERR-C013", "R-DSD-ERR-C014", "R-DSD-ERR-C015", "R-DSD-ERR-C024",
		}, record),
	)
}

// ofDirectory holds for a severity that the directory may use; others are for
// R-DSD-ERR-C018.
func ofDirectory(_ *Message, n *Node) bool {
	v, _ := attr(n, "severity")
	return v == severityError || v == severityInput
}

// inQuestion holds for a concept inside an exception that asks.
func inQuestion(_ *Message, n *Node) bool {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if p.Is(nsRS, "Exception") {
			return p.Attr("", "code") == dsdQuestion
		}
	}
	return false
}

func notEmpty(_ *Message, n *Node) bool { return n.Norm() != "" }

func fromCodeList(m *Message, n *Node) bool {
	v := child(n, "sdg:Type").Norm()
	return len(v) == len("codelist") && conceptType.Is(m, v)
}

// reducedRecord wants what a user needs to understand the question, and no
// more.
func reducedRecord() Check {
	least := HasAll("sdg:Identifier", "sdg:EvidenceTypeClassification", "sdg:Title", "sdg:DistributedAs")
	most := OnlyChildren("sdg:Identifier", "sdg:EvidenceTypeClassification", "sdg:Title", "sdg:Description", "sdg:DistributedAs", "sdg:AuthenticationLevelOfAssurance")
	return Check{most.Expect, "Leave out access services and questions; keep what names the evidence.", func(m *Message, n *Node) *Fault {
		if f := least.Test(m, n); f != nil {
			return f
		}
		return most.Test(m, n)
	}}
}

func noSlotsButInAQuestion() Check {
	return Check{"no slot, for no exception asks a question", "Remove the slot, or write the code " + dsdQuestion + ".", func(_ *Message, n *Node) *Fault {
		var found *Node
		for e := range n.Each(nsRS, "Exception") {
			if e.Attr("", "code") == dsdQuestion {
				return nil
			}
			if s := child(e, "rim:Slot"); s != nil && found == nil {
				found = s
			}
		}
		if s := child(n, "rim:Slot"); s != nil {
			found = s
		}
		if found == nil {
			return nil
		}
		return &Fault{At: found, Attr: "name", Found: "slot " + quote(found.Attr("", "name"))}
	}}
}
