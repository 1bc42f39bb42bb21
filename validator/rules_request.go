package validator

// Places in an Evidence Request.
const (
	request      = "query:QueryRequest"
	requestQuery = request + "/query:Query"
)

// inSlot and inQuery are the slot values of a request and of its query.
func inSlot(name string) Path  { return Path(request + "/rim:Slot[" + name + "]/rim:SlotValue") }
func inQuery(name string) Path { return Path(requestQuery + "/rim:Slot[" + name + "]/rim:SlotValue") }

// requestSlots are the structure rules R-EDM-REQ-S: the envelope and its slots.
var requestSlots = Table{
	Name: "Evidence Request: envelope and slots", On: EDMRequest, Cites: "TDD 4.5.1 §3, RegRep profile",
	Rules: []Rule{
		{ID: "R-EDM-REQ-S001", At: "*", Check: Local("QueryRequest")},
		{ID: "R-EDM-REQ-S002", At: "*", Check: In(nsQuery)},
		{ID: "R-EDM-REQ-S003", At: request, Lines: NoLine, Advice: AllLine, Check: HasAttr("id")},
		{ID: "R-EDM-REQ-S004", At: request, Lines: Since11, Check: NormAttr("id", urnUUID), Mend: "Give every request a new id: urn:uuid: and a UUID."},
		{ID: "R-EDM-REQ-S004", At: request, Lines: V10, Check: NormAttr("id", bareUUID), Mend: "Give every request a new id, a UUID without urn:uuid: on line 1.0."},
		{ID: "R-EDM-REQ-S005", At: request, Check: OneSlot("SpecificationIdentifier")},
		{ID: "R-EDM-REQ-S006", At: request, Check: OneSlot("IssueDateTime")},
		{ID: "R-EDM-REQ-S007", At: request, Lines: Since11, Check: OneSlot("Procedure")},
		{ID: "R-EDM-REQ-S007", At: request, Lines: V10, Severity: Warning, Check: OneSlot("Procedure")},
		{ID: "R-EDM-REQ-S008", At: request, Lines: Since11, Severity: Caution, Check: MostOneSlot("PreviewLocation")},
		{ID: "R-EDM-REQ-S008", At: request, Lines: V10, Severity: Caution, Check: OneSlot("PreviewLocation"), Mend: "Nothing, in a first request; a second one carries the PreviewLocation."},
		{ID: "R-EDM-REQ-S009", At: request, Check: OneSlot("PossibilityForPreview")},
		{ID: "R-EDM-REQ-S010", At: request, Check: OneSlot("ExplicitRequestGiven")},
		{ID: "R-EDM-REQ-S011", At: request, Lines: Since11, Check: OneSlot("Requirements")},
		{ID: "R-EDM-REQ-S011", At: request, Lines: V10, Severity: Warning, Check: OneSlot("Requirements")},
		{ID: "R-EDM-REQ-S012", At: request, Check: OneSlot("EvidenceRequester")},
		{ID: "R-EDM-REQ-S013", At: request, Check: OneSlot("EvidenceProvider")},
		{ID: "R-EDM-REQ-S014", At: request, Lines: Since11, Severity: Caution, Check: MostOneSlot("EvidenceProviderClassification")},
		{ID: "R-EDM-REQ-S014", At: request, Lines: V10, Severity: Caution, Check: OneSlot("EvidenceProviderClassification"), Mend: "Nothing, when the directory asked no question."},
		{ID: "R-EDM-REQ-S015", At: requestQuery, Check: OneSlot("EvidenceRequest")},
		{ID: "R-EDM-REQ-S016", At: requestQuery, Check: That("exactly one of the slots NaturalPerson and LegalPerson", "Name one subject: a natural person or a legal person.", oneSubject)},
		{ID: "R-EDM-REQ-S018", At: requestQuery, Lines: NoLine, Advice: AllLine, Severity: Caution, Check: MostOneSlot("AuthorizedRepresentative")},
		{ID: "R-EDM-REQ-S019", At: request + "/rim:Slot", Lines: V11 | V12, Check: SlotNamed(requestSlotNames...)},
		{ID: "R-EDM-REQ-S019", At: request + "/rim:Slot", Lines: V20, Check: SlotNamed(append([]string{"ReturnLocation"}, requestSlotNames...)...)},
		{ID: "R-EDM-REQ-S020", At: inSlot("SpecificationIdentifier"), Check: ValueType("StringValueType")},
		{ID: "R-EDM-REQ-S021", At: inSlot("IssueDateTime"), Check: ValueType("DateTimeValueType")},
		{ID: "R-EDM-REQ-S022", At: inSlot("Procedure"), Lines: V1x, Check: ValueType("InternationalStringValueType")},
		{ID: "R-EDM-REQ-S022", At: inSlot("Procedure"), Lines: V20, Check: ValueType("StringValueType"), Mend: `Since line 2.0 the procedure is a plain string: xsi:type="rim:StringValueType" with one rim:Value.`},
		{ID: "R-EDM-REQ-S023", At: inSlot("PreviewLocation"), Check: ValueType("StringValueType")},
		{ID: "R-EDM-REQ-S024", At: inSlot("PossibilityForPreview"), Check: ValueType("BooleanValueType")},
		{ID: "R-EDM-REQ-S025", At: inSlot("ExplicitRequestGiven"), Check: ValueType("BooleanValueType")},
		{ID: "R-EDM-REQ-S026", At: inSlot("Requirements"), Check: ValueType("CollectionValueType")},
		{ID: "R-EDM-REQ-S027", At: inSlot("Requirements") + "/rim:Element", Check: ValueType("AnyValueType")},
		{ID: "R-EDM-REQ-S028", At: inSlot("EvidenceRequester"), Check: ValueType("CollectionValueType"), Mend: "In a request the requester is a collection of agents; only the provider stands alone."},
		{ID: "R-EDM-REQ-S029", At: inSlot("EvidenceRequester") + "/rim:Element", Check: ValueType("AnyValueType")},
		{ID: "R-EDM-REQ-S030", At: inSlot("EvidenceProvider"), Check: ValueType("AnyValueType"), Mend: "In a request the provider is one agent, not a collection."},
		{ID: "R-EDM-REQ-S031", At: inSlot("EvidenceProviderClassification"), Check: ValueType("CollectionValueType")},
		{ID: "R-EDM-REQ-S032", At: inSlot("EvidenceProviderClassification") + "/rim:Element", Check: ValueType("AnyValueType")},
		{ID: "R-EDM-REQ-S033", At: inQuery("EvidenceRequest"), Check: ValueType("AnyValueType")},
		{ID: "R-EDM-REQ-S034", At: inQuery("LegalPerson"), Check: ValueType("AnyValueType")},
		{ID: "R-EDM-REQ-S035", At: inQuery("NaturalPerson"), Check: ValueType("AnyValueType")},
		{ID: "R-EDM-REQ-S036", At: inQuery("AuthorizedRepresentative"), Check: ValueType("AnyValueType")},
		{ID: "R-EDM-REQ-S037", At: inSlot("Requirements") + "/rim:Element", Check: Has("sdg:Requirement")},
		{ID: "R-EDM-REQ-S038", At: inSlot("Requirements") + "/rim:Element/sdg:Requirement", Lines: Since11, Check: OnlyChildren("sdg:Identifier", "sdg:Name", "sdg:Description"), Mend: "Copy only Identifier, Name and Description from the Evidence Broker's answer."},
		{ID: "R-EDM-REQ-S038", At: inSlot("Requirements") + "/rim:Element/sdg:Requirement", Lines: V10, Check: HasAll("sdg:Name", "sdg:Identifier")},
		{ID: "R-EDM-REQ-S039", At: inSlot("EvidenceRequester"), Check: That("an sdg:Agent in the collection", "Put each agent into a rim:Element of its own.", agentInside)},
		{ID: "R-EDM-REQ-S040", At: inSlot("EvidenceRequester") + "/rim:Element/sdg:Agent", Lines: Since11, Check: OnlyChildren("sdg:Identifier", "sdg:Name", "sdg:Address", "sdg:Classification")},
		{ID: "R-EDM-REQ-S040", At: inSlot("EvidenceRequester") + "/rim:Element/sdg:Agent", Lines: V10, Check: HasAll("sdg:Identifier", "sdg:Name", "sdg:Address", "sdg:Classification")},
		{ID: "R-EDM-REQ-S041", At: inSlot("EvidenceProviderClassification") + "/rim:Element", Check: Has("sdg:EvidenceProviderClassification")},
		{ID: "R-EDM-REQ-S042", At: inSlot("EvidenceProvider"), Check: Has("sdg:Agent")},
		{ID: "R-EDM-REQ-S043", At: inSlot("EvidenceProvider") + "/sdg:Agent", Lines: Since11, Check: OnlyChildren("sdg:Identifier", "sdg:Name"), Mend: "Of the provider a request carries Identifier and Name only."},
		{ID: "R-EDM-REQ-S043", At: inSlot("EvidenceProvider") + "/sdg:Agent", Lines: V10, Check: HasAll("sdg:Identifier", "sdg:Name")},
		{ID: "R-EDM-REQ-S044", At: inQuery("EvidenceRequest"), Check: Has("sdg:DataServiceEvidenceType")},
		{ID: "R-EDM-REQ-S045", At: inQuery("EvidenceRequest") + "/sdg:DataServiceEvidenceType", Lines: Since11, Check: OnlyChildren("sdg:Identifier", "sdg:EvidenceTypeClassification", "sdg:Title", "sdg:Description", "sdg:DistributedAs"), Mend: "Strip what the directory's record has beyond Identifier, EvidenceTypeClassification, Title, Description and DistributedAs."},
		{ID: "R-EDM-REQ-S046", At: inQuery("NaturalPerson"), Check: Has("sdg:Person"), Mend: "In a request the element is sdg:Person; sdg:NaturalPerson belongs to responses."},
		{ID: "R-EDM-REQ-S047", At: inQuery("LegalPerson"), Check: Has("sdg:LegalPerson")},
		{ID: "R-EDM-REQ-S048", At: inQuery("AuthorizedRepresentative"), Check: Has("sdg:Person")},
		{ID: "R-EDM-REQ-S049", At: requestQuery + "/rim:Slot", Lines: Since11, Advice: V10, Check: SlotNamed("EvidenceRequest", "LegalPerson", "NaturalPerson", "AuthorizedRepresentative", "AuthorizedRepresentativeLegalPerson")},
		{ID: "R-EDM-REQ-S050", At: "//rim:Slot", Lines: Since11, Advice: V10, Check: Exactly(1, "rim:SlotValue")},
		{ID: "R-EDM-REQ-S051", At: "//rim:SlotValue", Lines: Since11, Advice: V10, Check: HasElement()},
		{ID: "R-EDM-REQ-S052", At: "//rim:SlotValue", Lines: Since11, Advice: V10, Check: When(prefixedCollection, AtLeast(1, "rim:Element"))},
		{ID: "R-EDM-REQ-S053", At: "//rim:SlotValue", Lines: Since11, Advice: V10, Check: When(prefixedCollection, Must("collectionType", Is(collectionSet))), Mend: "Write the collectionType: the schema's default is Bag."},
		{ID: "R-EDM-REQ-S055", At: inQuery("AuthorizedRepresentativeLegalPerson"), Lines: Since11, Advice: V10, Check: ValueType("AnyValueType")},
		{ID: "R-EDM-REQ-S056", At: inQuery("AuthorizedRepresentativeLegalPerson"), Lines: Since11, Advice: V10, Check: Has("sdg:LegalPerson")},
		{ID: "R-EDM-REQ-S059", At: request, Lines: V20, Check: NoAttr("xml:lang"), Mend: "Name the language in each DistributedAs instead."},
		{ID: "R-EDM-REQ-S060", At: request, Lines: V20, Severity: Caution, Check: MostOneSlot("ReturnLocation")},
		{ID: "R-EDM-REQ-S061", At: inSlot("ReturnLocation"), Lines: V20, Check: ValueType("StringValueType")},
		{ID: "R-EDM-REQ-S062", At: request, Lines: V20, Check: That("PreviewLocation and ReturnLocation together, or neither", "A first request carries neither; a second one carries both.", previewPair)},
	},
}

// requestSlotNames is the closed list of slots below a request, without the
// ReturnLocation of line 2.0.
var requestSlotNames = []string{"SpecificationIdentifier", "IssueDateTime", "Procedure", "PreviewLocation", "PossibilityForPreview", "ExplicitRequestGiven", "Requirements", "EvidenceRequester", "EvidenceProvider", "EvidenceProviderClassification"}

const collectionSet = "urn:oasis:names:tc:ebxml-regrep:CollectionType:Set"

func oneSubject(_ *Message, n *Node) string {
	p, l := slotCount(n, "NaturalPerson"), slotCount(n, "LegalPerson")
	if p+l == 1 {
		return ""
	}
	return counted(p, "slot NaturalPerson", "slots NaturalPerson") + " and " + counted(l, "slot LegalPerson", "slots LegalPerson")
}

func agentInside(_ *Message, n *Node) string {
	for e := range n.Each(nsRIM, "Element") {
		if child(e, "sdg:Agent") != nil {
			return ""
		}
	}
	return "no sdg:Agent"
}

// prefixedCollection compares xsi:type with its customary prefix, as the
// published rules do.
func prefixedCollection(_ *Message, n *Node) bool {
	v, _ := attr(n, "xsi:type")
	return v == "rim:CollectionValueType"
}

func previewPair(_ *Message, n *Node) string {
	p, r := slotCount(n, "PreviewLocation") > 0, slotCount(n, "ReturnLocation") > 0
	switch {
	case p == r:
		return ""
	case p:
		return "PreviewLocation without ReturnLocation"
	}
	return "ReturnLocation without PreviewLocation"
}
