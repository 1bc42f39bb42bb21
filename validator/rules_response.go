package validator

import (
	"github.com/once-only/oots/codelist"
)

// Places in an Evidence Response. Line 2.0 wraps each piece of evidence in a
// package, one level deeper than before (TDD 4.5.2).
const (
	response   = "query:QueryResponse"
	outerList  = response + "/rim:RegistryObjectList"
	outer      = outerList + "/rim:RegistryObject"
	inner      = outer + "/rim:RegistryObjectList/rim:RegistryObject"
	metadata   = "/rim:Slot[EvidenceMetadata]/rim:SlotValue"
	evidence1x = outer + metadata + "/sdg:Evidence"
	evidence20 = inner + metadata + "/sdg:Evidence"
)

// inAnswer is a slot value of a response.
func inAnswer(name string) Path { return Path(response + "/rim:Slot[" + name + "]/rim:SlotValue") }

// Literals of the packaging.
const (
	schemeEDM         = "urn:fdc:oots:classification:edm"
	associationPrefix = "urn:oasis:names:tc:ebxml-regrep:AssociationType:"
	statusPrefix      = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
)

var supplements = []string{"Annex", "Translation", "HumanReadableVersion"}

// responseSlots are the structure rules R-EDM-RESP-S.
var responseSlots = Table{
	Name: "Evidence Response: envelope, slots and objects", On: EDMResponse, Cites: "TDD 4.5.2 §3",
	Rules: []Rule{
		{ID: "R-EDM-RESP-S001", At: "*", Check: Local("QueryResponse")},
		{ID: "R-EDM-RESP-S002", At: "*", Check: In(nsQuery)},
		{ID: "R-EDM-RESP-S003", At: response, Lines: Since11, Check: HasAttr("requestId")},
		{ID: "R-EDM-RESP-S031", At: response, Lines: V10, Check: HasAttr("requestId")},
		{ID: "R-EDM-RESP-S004", At: response, Lines: Since11, Check: NormAttr("requestId", urnUUID), Mend: requestIDMend},
		{ID: "R-EDM-RESP-S004", At: response, Lines: V10, Check: NormAttr("requestId", bareUUID), Mend: requestIDMend},
		{ID: "R-EDM-RESP-S005", At: response, Lines: Since11, Check: HasAttr("status")},
		{ID: "R-EDM-RESP-S032", At: response, Lines: V10, Check: HasAttr("status")},
		{ID: "R-EDM-RESP-S006", At: response, Check: Must("status", Among(statusPrefix+"Success", statusPrefix+"Unavailable"))},
		{ID: "R-EDM-RESP-S007", At: response, Lines: V20, Check: Has("rim:RegistryObjectList"), Mend: "Write an empty rim:RegistryObjectList when there is nothing to give."},
		{ID: "R-EDM-RESP-S007", At: response, Lines: V11 | V12, Check: When(successful, Has("rim:RegistryObjectList")), Mend: "Write an empty rim:RegistryObjectList when there is nothing to give."},
		{ID: "R-EDM-RESP-S007", At: outerList, Lines: V10, Check: When(inSuccess, AtLeast(1, "rim:RegistryObject"))},
		{ID: "R-EDM-RESP-S008", At: response, Lines: Since11, Check: When(successful, None("rs:Exception"))},
		{ID: "R-EDM-RESP-S008", At: response, Lines: V10, Check: None("rs:Exception")},
		{ID: "R-EDM-RESP-S009", At: response, Check: OneSlot("SpecificationIdentifier")},
		{ID: "R-EDM-RESP-S010", At: response, Check: OneSlot("EvidenceResponseIdentifier")},
		{ID: "R-EDM-RESP-S011", At: response, Check: OneSlot("IssueDateTime")},
		{ID: "R-EDM-RESP-S012", At: response, Check: OneSlot("EvidenceProvider")},
		{ID: "R-EDM-RESP-S013", At: response, Check: OneSlot("EvidenceRequester")},
		{ID: "R-EDM-RESP-S014", At: response, Lines: Since11, Check: When(not(unavailable), That("no slot ResponseAvailableDateTime", "Remove the slot, or answer with the status Unavailable.", someSlot("ResponseAvailableDateTime")))},
		{ID: "R-EDM-RESP-S014", At: response, Lines: V10, Severity: Caution, Check: MostOneSlot("ResponseAvailableDateTime")},
		{ID: "R-EDM-RESP-S045", At: response, Lines: Since11, Advice: V10, Check: When(unavailable, OneSlot("ResponseAvailableDateTime"))},
		{ID: "R-EDM-RESP-S016", At: response, Lines: Since11, Check: Check{"only the slots of a response and one rim:RegistryObjectList", "Remove what does not belong into an Evidence Response.", onlyResponseChildren}},
		{ID: "R-EDM-RESP-S016", At: response, Lines: V10, Check: Has("rim:Slot")},
		{ID: "R-EDM-RESP-S017", At: inAnswer("SpecificationIdentifier"), Check: ValueType("StringValueType")},
		{ID: "R-EDM-RESP-S018", At: inAnswer("EvidenceResponseIdentifier"), Check: ValueType("StringValueType")},
		{ID: "R-EDM-RESP-S019", At: inAnswer("IssueDateTime"), Check: ValueType("DateTimeValueType")},
		{ID: "R-EDM-RESP-S020", At: inAnswer("EvidenceProvider"), Check: ValueType("CollectionValueType"), Mend: "In a response the provider is a collection of agents; only the requester stands alone."},
		{ID: "R-EDM-RESP-S021", At: inAnswer("EvidenceProvider") + "/rim:Element", Lines: Since11, Check: ValueType("AnyValueType")},
		{ID: "R-EDM-RESP-S022", At: inAnswer("EvidenceRequester"), Check: ValueType("AnyValueType"), Mend: "In a response the requester is one agent, not a collection."},
		{ID: "R-EDM-RESP-S023", At: inAnswer("ResponseAvailableDateTime"), Check: ValueType("DateTimeValueType")},
		{ID: "R-EDM-RESP-S024", At: "//rim:RegistryObject" + metadata, Check: ValueType("AnyValueType")},
		{ID: "R-EDM-RESP-S025", At: inAnswer("EvidenceProvider") + "/rim:Element", Lines: Since11, Check: Has("sdg:Agent")},
		{ID: "R-EDM-RESP-S026", At: inAnswer("EvidenceProvider") + "/rim:Element/sdg:Agent", Lines: Since11, Check: OnlyChildren("sdg:Identifier", "sdg:Name", "sdg:Address", "sdg:Classification")},
		{ID: "R-EDM-RESP-S026", At: inAnswer("EvidenceProvider") + "/sdg:Agent", Lines: V10, Check: HasAll("sdg:Identifier", "sdg:Name", "sdg:Address", "sdg:Classification")},
		{ID: "R-EDM-RESP-S027", At: inAnswer("EvidenceRequester"), Check: Has("sdg:Agent")},
		{ID: "R-EDM-RESP-S028", At: inAnswer("EvidenceRequester") + "/sdg:Agent", Lines: Since11, Check: OnlyChildren("sdg:Identifier", "sdg:Name"), Mend: "Of the requester a response carries Identifier and Name only."},
		{ID: "R-EDM-RESP-S028", At: inAnswer("EvidenceRequester") + "/sdg:Agent", Lines: V10, Check: HasAll("sdg:Identifier", "sdg:Name")},

		{ID: "R-EDM-RESP-S015", At: "//rim:RegistryObject", Lines: V10, Check: OneSlot("EvidenceMetadata")},
		{ID: "R-EDM-RESP-S015", At: outer, Lines: V11 | V12, Check: OneSlot("EvidenceMetadata")},
		{ID: "R-EDM-RESP-S015", At: inner, Lines: V20, Check: When(document, OneSlot("EvidenceMetadata"))},
		{ID: "R-EDM-RESP-S029", At: "//rim:RegistryObject" + metadata, Check: Has("sdg:Evidence")},
		{ID: "R-EDM-RESP-S030", At: response + metadata + "/sdg:Evidence/sdg:IsConformantTo", Lines: V10, Check: HasAll("sdg:EvidenceTypeClassification", "sdg:Title", "sdg:Description")},
		{ID: "R-EDM-RESP-S030", At: evidence1x + "/sdg:IsConformantTo", Lines: V11 | V12, Check: conformantChildren},
		{ID: "R-EDM-RESP-S030", At: evidence20 + "/sdg:IsConformantTo", Lines: V20, Check: conformantChildren},
		{ID: "R-EDM-RESP-S033", At: outer, Lines: V1x, Check: When(inSuccess, Has("rim:RepositoryItemRef"))},
		{ID: "R-EDM-RESP-S033", At: inner, Lines: V20, Check: When(both(inSuccess, document), Has("rim:RepositoryItemRef"))},
		{ID: "R-EDM-RESP-S034", At: outer + "/rim:RepositoryItemRef", Lines: V11 | V12, Check: When(inSuccess, HasAttr("xlink:href"))},
		{ID: "R-EDM-RESP-S034", At: inner + "/rim:RepositoryItemRef", Lines: V20, Check: When(inSuccess, HasAttr("xlink:href"))},
		{ID: "R-EDM-RESP-S035", At: outer + "/rim:RepositoryItemRef", Lines: V11 | V12, Check: When(inSuccess, HasAttr("xlink:title"))},
		{ID: "R-EDM-RESP-S035", At: inner + "/rim:RepositoryItemRef", Lines: V20, Check: When(inSuccess, HasAttr("xlink:title"))},
		{ID: "R-EDM-RESP-S036", At: outer, Lines: V1x, Check: When(inSuccess, HasAttr("id"))},
		{ID: "R-EDM-RESP-S036", At: "//rim:RegistryObject", Lines: V20, Check: When(inSuccess, HasAttr("id"))},
		{ID: "R-EDM-RESP-S037", At: "//rim:RegistryObject", Lines: Since11, Check: NormAttr("id", urnUUID)},
		{ID: "R-EDM-RESP-S041", At: evidence1x + "/sdg:IsAbout/sdg:NaturalPerson", Lines: V11 | V12, Advice: V10, Check: aboutPerson},
		{ID: "R-EDM-RESP-S041", At: evidence20 + "/sdg:IsAbout/sdg:NaturalPerson", Lines: V20, Check: aboutPerson},
		{ID: "R-EDM-RESP-S042", At: evidence1x + "/sdg:IsAbout/sdg:LegalPerson", Lines: V11 | V12, Advice: V10, Check: aboutOrganisation},
		{ID: "R-EDM-RESP-S042", At: evidence20 + "/sdg:IsAbout/sdg:LegalPerson", Lines: V20, Check: aboutOrganisation},
	},
}

// responsePackages are the rules about packages, classifications and
// associations, new in line 2.0.
var responsePackages = Table{
	Name: "Evidence Response: packages", On: EDMResponse, Cites: "TDD 4.5.2 §3.3",
	Rules: on(V20, 0,
		Rule{ID: "R-EDM-RESP-S066", At: outer, Check: Must("xsi:type", Is("rim:RegistryPackageType")), Mend: "Wrap each piece of evidence in a package; documents directly in the outer list are the shape of line 1.x."},
		Rule{ID: "R-EDM-RESP-S046", At: outer, Check: When(ofType("rim:RegistryPackageType"), Exactly(1, "rim:RegistryObjectList"))},
		Rule{ID: "R-EDM-RESP-S047", At: outer + "/rim:RegistryObjectList", Check: That("an object classified MainEvidence", "Classify the evidence itself as MainEvidence, exactly one in a package.", mainMissing)},
		Rule{ID: "R-EDM-RESP-S048", At: inner, Check: When(not(ofType("rim:AssociationType")), Check{"exactly one Classification of " + schemeEDM, "Classify each document once.", oneEDMClassification})},
		Rule{ID: "R-EDM-RESP-S049", At: inner + "/rim:Classification", Check: When(edmScheme, Must("classificationNode", OneOf(codelist.ClassificationNode)))},
		Rule{ID: "R-EDM-RESP-S050", At: inner + "/rim:Classification", Check: When(supplement, That("an association whose source is this document", "Tie each supplement to the main evidence with an association; the supplement is its sourceObject.", notAssociated))},
		Rule{ID: "R-EDM-RESP-S051", At: inner, Check: When(ofType("rim:AssociationType"), HasAttr("sourceObject"))},
		Rule{ID: "R-EDM-RESP-S055", At: inner, Check: When(ofType("rim:AssociationType"), HasAttr("targetObject"))},
		Rule{ID: "R-EDM-RESP-S052", At: inner, Check: When(associates("Annex"), end("sourceObject", "Annex"))},
		Rule{ID: "R-EDM-RESP-S053", At: inner, Check: When(associates("HumanReadableVersion"), end("sourceObject", "HumanReadableVersion"))},
		Rule{ID: "R-EDM-RESP-S054", At: inner, Check: When(associates("Translation"), end("sourceObject", "Translation"))},
		Rule{ID: "R-EDM-RESP-S056", At: inner, Check: When(associates("Annex"), end("targetObject", "MainEvidence"))},
		Rule{ID: "R-EDM-RESP-S057", At: inner, Check: When(associates("HumanReadableVersion"), end("targetObject", "MainEvidence"))},
		Rule{ID: "R-EDM-RESP-S058", At: inner, Check: When(associates("Translation"), end("targetObject", "MainEvidence"))},
		Rule{ID: "R-EDM-RESP-S059", At: inner, Check: When(ties("Annex"), Must("type", Is(associationPrefix+"Annex")))},
		Rule{ID: "R-EDM-RESP-S060", At: inner, Check: When(ties("Translation"), Must("type", Is(associationPrefix+"Translation")))},
		Rule{ID: "R-EDM-RESP-S061", At: inner, Check: When(ties("HumanReadableVersion"), Must("type", Is(associationPrefix+"HumanReadableVersion")))},
		Rule{ID: "R-EDM-RESP-S062", At: inner + "/rim:Classification", Check: When(node("MainEvidence"), Check{"Identifier, IssuingDate, IsAbout, IssuingAuthority, IsConformantTo and Distribution in the metadata of the main evidence", "Describe the main evidence in full; the schema of line 2.0 no longer asks for it.", mainIncomplete})},
		Rule{ID: "R-EDM-RESP-S063", At: inner + "/rim:Classification", Check: When(supplement, Check{"only Identifier and Distribution, without ConformsTo, in the metadata of a supplement", "Strip the supplement's metadata; what it is about is said by the main evidence.", supplementExtra})},
		Rule{ID: "R-EDM-RESP-S065", At: inner + "/rim:Classification", Check: NormAttr("id", urnUUID)},
		Rule{ID: "H-20", Cites: "TDD 4.5.2 prose", Severity: Warning, At: outer + "/rim:RegistryObjectList", Check: That("one object classified MainEvidence", "Send one package for each piece of evidence; annexes, translations and human-readable versions are supplements.", mainTwice)},
		Rule{ID: "H-21", Cites: "TDD 4.5.2 prose", Severity: Warning, At: outer + "/rim:RegistryObjectList", Check: That("a human-readable version beside structured evidence without a data model", "Join a HumanReadableVersion, or name the data model in ConformsTo.", unreadableEvidence)},
	),
}

const requestIDMend = "Copy the request's id into requestId, just as the request has it."

var (
	conformantChildren = OnlyChildren("sdg:EvidenceTypeClassification", "sdg:Title", "sdg:Description")
	aboutPerson        = OnlyChildren("sdg:Identifier", "sdg:FamilyName", "sdg:GivenName", "sdg:DateOfBirth", "sdg:PlaceOfBirth")
	aboutOrganisation  = OnlyChildren("sdg:LegalPersonIdentifier", "sdg:LegalName")
)

func status(n *Node, want string) bool { return n.Attr("", "status") == statusPrefix+want }

func successful(_ *Message, n *Node) bool  { return status(n, "Success") }
func unavailable(_ *Message, n *Node) bool { return status(n, "Unavailable") }
func inSuccess(m *Message, _ *Node) bool   { return status(m.Root(), "Success") }

func someSlot(name string) func(*Message, *Node) string {
	return func(_ *Message, n *Node) string {
		if k := slotCount(n, name); k > 0 {
			return counted(k, "slot "+name, "slots "+name)
		}
		return ""
	}
}

// onlyResponseChildren: the six slots and one list of objects.
func onlyResponseChildren(_ *Message, n *Node) *Fault {
	lists := 0
	for c := n.First(); c != nil; c = c.Next() {
		switch {
		case c.Is(nsRIM, "Slot"):
			switch name := c.Attr("", "name"); name {
			case "SpecificationIdentifier", "EvidenceResponseIdentifier", "IssueDateTime", "EvidenceProvider", "EvidenceRequester", "ResponseAvailableDateTime":
			default:
				return &Fault{At: c, Attr: "name", Found: "slot " + quote(name)}
			}
		case c.Is(nsRIM, "RegistryObjectList"):
			if lists++; lists > 1 {
				return &Fault{At: c, Found: "a second rim:RegistryObjectList"}
			}
		case c.Is(nsRS, "Exception"):
			// R-EDM-RESP-S008 speaks of it.
		default:
			return &Fault{At: c, Found: display(c.Space(), c.Local())}
		}
	}
	return nil
}

// ofType compares xsi:type with its customary prefix, as the published rules do.
func ofType(name string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool {
		v, _ := attr(n, "xsi:type")
		return v == name
	}
}

// document holds for objects that are neither packages nor associations.
func document(_ *Message, n *Node) bool {
	v, _ := attr(n, "xsi:type")
	return v != "rim:RegistryPackageType" && v != "rim:AssociationType"
}

func edmScheme(_ *Message, n *Node) bool { return n.Attr("", "classificationScheme") == schemeEDM }

// node holds for classifications of that node, of any scheme; supplement for
// those of a supplement.
func node(name string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { return n.Attr("", "classificationNode") == name }
}

func supplement(_ *Message, n *Node) bool {
	v := n.Attr("", "classificationNode")
	for _, s := range supplements {
		if v == s {
			return true
		}
	}
	return false
}

// isClassified tells whether an object carries the node, under the EDM scheme or
// any.
func isClassified(object *Node, name string, anyScheme bool) bool {
	for c := range object.Each(nsRIM, "Classification") {
		if c.Attr("", "classificationNode") == name && (anyScheme || c.Attr("", "classificationScheme") == schemeEDM) {
			return true
		}
	}
	return false
}

func countMain(list *Node) (k int) {
	for o := range list.Each(nsRIM, "RegistryObject") {
		if isClassified(o, "MainEvidence", false) {
			k++
		}
	}
	return k
}

func mainMissing(_ *Message, n *Node) string {
	if countMain(n) == 0 {
		return "no object classified MainEvidence"
	}
	return ""
}

func mainTwice(_ *Message, n *Node) string {
	if k := countMain(n); k > 1 {
		return counted(k, "", "objects classified MainEvidence")
	}
	return ""
}

func oneEDMClassification(_ *Message, n *Node) *Fault {
	k := 0
	for c := range n.Each(nsRIM, "Classification") {
		if c.Attr("", "classificationScheme") == schemeEDM {
			k++
		}
	}
	if k == 1 {
		return nil
	}
	return &Fault{Found: counted(k, "Classification of the EDM scheme", "Classifications of the EDM scheme")}
}

// sibling finds an object of the same list by its id.
func sibling(m *Message, n *Node, id string) *Node { return m.objectsOf(n.Parent()).byID[id] }

// notAssociated: n is a classification of a supplement.
func notAssociated(m *Message, n *Node) string {
	object := n.Parent()
	if m.objectsOf(object.Parent()).sources[object.Attr("", "id")] {
		return ""
	}
	return "no association from this document"
}

// associates holds for associations of that kind.
func associates(kind string) func(*Message, *Node) bool {
	return func(m *Message, n *Node) bool {
		return ofType("rim:AssociationType")(m, n) && n.Attr("", "type") == associationPrefix+kind
	}
}

// end wants an end of an association to be a sibling of that node. An end that
// is not there at all is the business of S051 and S055.
func end(attribute, wanted string) Check {
	return Check{attribute + " of a document classified " + wanted, "Let " + attribute + " name the id of the document classified " + wanted + " in the same package.", func(m *Message, n *Node) *Fault {
		id, ok := attr(n, attribute)
		if !ok {
			return nil
		}
		o := sibling(m, n, id)
		switch {
		case o == nil:
			return &Fault{Attr: attribute, Found: "no document " + quote(id) + " in this package"}
		case !isClassified(o, wanted, false):
			return &Fault{Attr: attribute, Found: "a document that is not classified " + wanted}
		}
		return nil
	}}
}

// ties holds for associations from a supplement of that node to the main
// evidence, of any scheme.
func ties(kind string) func(*Message, *Node) bool {
	return func(m *Message, n *Node) bool {
		return ofType("rim:AssociationType")(m, n) &&
			isClassified(sibling(m, n, n.Attr("", "sourceObject")), kind, true) &&
			isClassified(sibling(m, n, n.Attr("", "targetObject")), "MainEvidence", true)
	}
}

// evidenceOf is the sdg:Evidence of an object.
func evidenceOf(object *Node) *Node {
	return find(slot(object, "EvidenceMetadata"), "rim:SlotValue", "sdg:Evidence")
}

// mainIncomplete: n is a classification MainEvidence.
func mainIncomplete(_ *Message, n *Node) *Fault {
	e := evidenceOf(n.Parent())
	if e == nil {
		return nil // S015 and S029 speak of it
	}
	for _, name := range []string{"sdg:Identifier", "sdg:IssuingDate", "sdg:IsAbout", "sdg:IssuingAuthority", "sdg:IsConformantTo", "sdg:Distribution"} {
		if child(e, name) == nil {
			return &Fault{At: e, Found: "no " + name}
		}
	}
	return nil
}

func supplementExtra(_ *Message, n *Node) *Fault {
	e := evidenceOf(n.Parent())
	for _, name := range []string{"sdg:IsAbout", "sdg:IssuingAuthority", "sdg:IsConformantTo", "sdg:ValidityPeriod", "sdg:IssuingDate"} {
		if c := child(e, name); c != nil {
			return &Fault{At: c, Found: name}
		}
	}
	if c := find(e, "sdg:Distribution", "sdg:ConformsTo"); c != nil {
		return &Fault{At: c, Found: "sdg:ConformsTo"}
	}
	return nil
}

// unreadableEvidence: structured main evidence without a data model needs a
// human-readable version beside it.
func unreadableEvidence(_ *Message, n *Node) string {
	bare, human := false, false
	for o := range n.Each(nsRIM, "RegistryObject") {
		d := child(evidenceOf(o), "sdg:Distribution")
		format := child(d, "sdg:Format").Norm()
		if isClassified(o, "MainEvidence", false) && (format == "application/xml" || format == "application/json") && child(d, "sdg:ConformsTo") == nil {
			bare = true
		}
		human = human || isClassified(o, "HumanReadableVersion", false)
	}
	if bare && !human {
		return "structured evidence without a data model, alone"
	}
	return ""
}
