package validator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/codelist"
)

// What Member States submit (TDD 3.6.3): objects with a classification, and
// associations between them.

const (
	schemeEB  = "urn:fdc:oots:classification:eb"
	schemeDSD = "urn:fdc:oots:classification:dsd"
)

// isAssociation tells an association from an object.
func isAssociation(_ *Message, n *Node) bool {
	v, _ := attr(n, "xsi:type")
	_, local, colon := cut(v, ':')
	return colon && local == "AssociationType"
}

func hasClassification(_ *Message, n *Node) bool { return child(n, "rim:Classification") != nil }

// of holds for what belongs to one service; in a submission to both, the other
// service's objects are none of its business.
func of(service Kinds, scheme string) func(*Message, *Node) bool {
	return func(m *Message, n *Node) bool {
		if m.Kind == service {
			return true
		}
		c := n
		if !n.Is(nsRIM, "Classification") {
			c = child(n, "rim:Classification")
		}
		other := schemeDSD
		if scheme == schemeDSD {
			other = schemeEB
		}
		return c.Attr("", "classificationScheme") != other
	}
}

// envelopeRules are the rows on the request, its objects and their
// classifications, numbered alike for both services up to S013.
func envelopeRules(prefix string, service Kinds, scheme string) []Rule {
	ours := of(service, scheme)
	classification := submittedObject + "/rim:Classification"
	return join(
		rootRules(prefix+"S001", prefix+"S002", "SubmitObjectsRequest", nsLCM),
		since2023(
			Rule{ID: prefix + "S003", At: submission, Check: HasAttr("id")},
			Rule{ID: prefix + "S004", At: submission, Check: Must("id", submissionID)},
			Rule{ID: prefix + "S005", At: submission, Check: AtLeast(1, "rim:RegistryObjectList")},
			Rule{ID: prefix + "S006", At: submittedObject, Check: FilledAttr("id")},
			Rule{ID: prefix + "S007", At: submittedObject, Check: When(both(ours, not(isAssociation)), Has("rim:Classification"))},
			Rule{ID: prefix + "S008", At: classification, Check: When(ours, FilledAttr("id"))},
			Rule{ID: prefix + "S009", At: classification, Check: When(ours, Must("id", urnUUID))},
			Rule{ID: prefix + "S010", At: classification, Check: When(ours, FilledAttr("classificationScheme"))},
			Rule{ID: prefix + "S011", At: classification, Check: When(ours, FilledAttr("classificationNode"))},
			Rule{ID: prefix + "S012", At: classification, Check: When(ours, Must("classificationScheme", Is(scheme)))},
		),
	)
}

// nodeRules are the rows on the objects of one node: the slot of that name and
// no other, typed, with one element of that name (element) inside.
func nodeRules(node, element string, exactly, typed, holds string) []Rule {
	value := slotValue(submittedObject, node)
	return since2023(
		Rule{ID: exactly, At: submittedObject, Check: When(classifiedAs(node), onlyTheSlot(node))},
		Rule{ID: typed, At: value, Check: ValueType("AnyValueType")},
		Rule{ID: holds, At: value, Check: Exactly(1, "sdg:"+element)},
	)
}

func classifiedAs(node string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { return nodeOf(n) == node }
}

// nodeOf is the classification node of an object, "" when it has none.
func nodeOf(n *Node) string { return child(n, "rim:Classification").Attr("", "classificationNode") }

func onlyTheSlot(name string) Check {
	return Check{"the slot " + name + " and no other", "Give the object one slot, named as its classification node.", func(_ *Message, n *Node) *Fault {
		if slot(n, name) == nil {
			return &Fault{Found: "no slot " + name}
		}
		if k := count(n, "rim:Slot"); k != 1 {
			return &Fault{Found: counted(k, "slot", "slots")}
		}
		return nil
	}}
}

// objectOf wants at least one object of a node, in a list that is not empty.
func objectOf(node string) Check {
	return That("an object "+node, "Submit everything at once: a submission replaces what was there.", func(_ *Message, n *Node) string {
		k := 0
		for o := range n.Each(nsRIM, "RegistryObject") {
			if k++; nodeOf(o) == node || slot(o, node) != nil {
				return ""
			}
		}
		if k == 0 {
			return "" // said by the rule that wants objects
		}
		return "no object " + node
	})
}

func someAssociation() Check {
	return That("an association", "Tie the objects together with associations.", func(m *Message, n *Node) string {
		k := 0
		for o := range n.Each(nsRIM, "RegistryObject") {
			if k++; isAssociation(m, o) {
				return ""
			}
		}
		if k == 0 {
			return ""
		}
		return "no association"
	})
}

// link is one association with its ends resolved inside the message.
type link struct {
	at             *Node
	typ            string // after …:AssociationType:
	source, target string // ids as written
	from, to       string // nodes of the objects, "" when not in the message
}

// links resolves the associations of a list in one pass.
func links(m *Message, list *Node) []link {
	nodes := map[string]string{}
	for o := range list.Each(nsRIM, "RegistryObject") {
		if !isAssociation(m, o) {
			node := nodeOf(o)
			if node == "" {
				node = child(o, "rim:Slot").Attr("", "name")
			}
			nodes[o.Attr("", "id")] = node
		}
	}
	var out []link
	for o := range list.Each(nsRIM, "RegistryObject") {
		if isAssociation(m, o) {
			l := link{at: o, source: o.Attr("", "sourceObject"), target: o.Attr("", "targetObject")}
			l.typ = strings.TrimPrefix(o.Attr("", "type"), associationTypes)
			l.from, l.to = nodes[l.source], nodes[l.target]
			out = append(out, l)
		}
	}
	return out
}

// kindOfLink is one kind of association: its type and the nodes it ties.
type kindOfLink struct {
	typ, from, to string
	lines         Lines
	service       Kinds
	// An end may be a requirement that the Evidence Broker already has, named
	// by urn:uuid.
	fromKnown, toKnown bool
}

var kindsOfLink = []kindOfLink{
	{typ: "ContainsEvidence", from: "EvidenceTypeList", to: "EvidenceType", lines: AllLine, service: EBSubmission},
	{typ: "FulfillsRequirement", from: "EvidenceTypeList", to: "Requirement", lines: AllLine, service: EBSubmission, toKnown: true},
	{typ: "DerivesFromReferenceFramework", from: "Requirement", to: "ReferenceFramework", lines: AllLine, service: EBSubmission, fromKnown: true},
	{typ: "ServesEvidenceType", from: "EvidenceProvider", to: "DataServiceEvidenceType", lines: V10, service: DSDSubmission},
	{typ: "ProvidesEvidenceType", from: "EvidenceProvider", to: "DataServiceEvidenceType", lines: Since11, service: DSDSubmission},
	{typ: "UsesAccessService", from: "EvidenceProvider", to: "AccessService", lines: Since11, service: DSDSubmission},
}

// tieOf finds the kind that ties these nodes on a line, or the kind of that name.
func tieOf(l Lines, from, to string) *kindOfLink {
	for i := range kindsOfLink {
		if k := &kindsOfLink[i]; k.lines&l != 0 && k.from == from && k.to == to {
			return k
		}
	}
	return nil
}

func kindOf(l Lines, typ string) *kindOfLink {
	for i := range kindsOfLink {
		if k := &kindsOfLink[i]; k.lines&l != 0 && k.typ == typ {
			return k
		}
	}
	return nil
}

// isLinked tells whether objects of a node are ends of associations at all.
func isLinked(node string) bool {
	return slices.ContainsFunc(kindsOfLink, func(k kindOfLink) bool { return k.from == node || k.to == node })
}

// eachLink judges the associations that belong to a service and reports the
// first that is wrong; the message is walked once however many there are.
func eachLink(service Kinds, expect, mend string, wrong func(m *Message, l *link) *Fault) Check {
	return Check{expect, mend, func(m *Message, n *Node) *Fault {
		for _, l := range links(m, n) {
			if k := kindOf(m.Line, l.typ); k != nil && k.service != service && m.Kind != service {
				continue
			}
			if f := wrong(m, &l); f != nil {
				if f.At == nil {
					f.At = l.at
				}
				return f
			}
		}
		return nil
	}}
}

// endRules want each end of an association to be an object that may stand
// there. known admits the urn:uuid of what is registered already.
func endRules(service Kinds, sourceHas, sourceIs, targetHas, targetIs string) []Rule {
	return since2023(
		Rule{ID: sourceHas, At: submittedObject, Check: When(isAssociation, FilledAttr("sourceObject"))},
		Rule{ID: targetHas, At: submittedObject, Check: When(isAssociation, FilledAttr("targetObject"))},
		Rule{ID: sourceIs, At: submissionList, Check: eachLink(service, "sourceObject naming an object that this association may start from", "Write the id of the object, as it stands in the message.", func(m *Message, l *link) *Fault {
			if l.source == "" || startsFrom(service, m.Line, l) {
				return nil
			}
			return &Fault{Attr: "sourceObject", Found: linkEnd(l.source, l.from)}
		})},
		Rule{ID: targetIs, At: submissionList, Check: eachLink(service, "targetObject naming an object that this association may lead to", "Write the id of the object, as it stands in the message.", func(m *Message, l *link) *Fault {
			if l.target == "" || leadsTo(service, m.Line, l) {
				return nil
			}
			return &Fault{Attr: "targetObject", Found: linkEnd(l.target, l.to)}
		})},
	)
}

// startsFrom and leadsTo ask whether any kind of association has such an end.
func startsFrom(service Kinds, line Lines, l *link) bool {
	for _, k := range kindsOfLink {
		if k.service == service && k.lines&line != 0 && (k.from == l.from || k.fromKnown && k.typ == l.typ && l.from == "" && isURNUUID(l.source)) {
			return true
		}
	}
	return false
}

func leadsTo(service Kinds, line Lines, l *link) bool {
	for _, k := range kindsOfLink {
		if k.service == service && k.lines&line != 0 && (k.to == l.to || k.toKnown && k.typ == l.typ && l.to == "" && isURNUUID(l.target)) {
			return true
		}
	}
	return false
}

func linkEnd(id, node string) string {
	if node == "" {
		return quote(id) + ", which no object of the message has"
	}
	return "an object " + node
}

// pairRules are the two rows of a kind of association: its type leads between
// its nodes, and what ties its nodes has its type.
func pairRules(leads, typed string, k kindOfLink) []Rule {
	words := k.typ + " leading from " + k.from + " to " + k.to
	return []Rule{
		{ID: leads, At: submissionList, Lines: k.lines &^ V20, Advice: k.lines & V20, Check: eachLink(k.service, words, "Write the type that belongs to these two objects.", func(m *Message, l *link) *Fault {
			if l.typ != k.typ || !isLinked(l.from) || !isLinked(l.to) || l.from == k.from && l.to == k.to {
				return nil
			}
			// The Evidence Broker has rows for each end beside this one.
			if k.service == EBSubmission && tieOf(m.Line, l.from, l.to) == nil {
				return nil
			}
			return &Fault{Attr: "type", Found: "one from " + l.from + " to " + l.to}
		})},
		{ID: typed, At: submissionList, Lines: k.lines &^ V20, Advice: k.lines & V20, Check: eachLink(k.service, "type "+associationTypes+k.typ, "Write the type that belongs to these two objects.", func(m *Message, l *link) *Fault {
			if l.from == k.from && l.to == k.to && l.typ != k.typ {
				return &Fault{Attr: "type", Found: quote(l.at.Attr("", "type"))}
			}
			return nil
		})},
	}
}

// endOf wants the end of one kind of association to be of its node, where the
// pair makes no sense as any other kind.
func endOf(id string, k kindOfLink, source bool) Rule {
	attribute, node, known := "targetObject", k.to, k.toKnown
	if source {
		attribute, node, known = "sourceObject", k.from, k.fromKnown
	}
	return Rule{ID: id, At: submissionList, Check: eachLink(k.service, "an object "+node+" as "+attribute+" of "+k.typ, "Name an object of that kind.", func(m *Message, l *link) *Fault {
		is, ref := l.to, l.target
		if source {
			is, ref = l.from, l.source
		}
		if l.typ != k.typ || is == node || ref == "" || tieOf(m.Line, l.from, l.to) != nil {
			return nil
		}
		if known && is == "" && isURNUUID(ref) || source && !startsFrom(k.service, m.Line, l) || !source && !leadsTo(k.service, m.Line, l) {
			return nil // registered already, or no end of any association
		}
		return &Fault{Attr: attribute, Found: linkEnd(ref, is)}
	})}
}

// loose wants each object of these nodes to be an end of some association.
func loose(service Kinds, scheme string) Check {
	ours := of(service, scheme)
	return Check{"an association from or to each object", "Tie the object to what it belongs to, or leave it out.", func(m *Message, n *Node) *Fault {
		ends := map[string]bool{}
		for _, l := range links(m, n) {
			ends[l.source], ends[l.target] = true, true
		}
		if len(ends) == 0 {
			return nil // said by the rule that wants an association
		}
		for o := range n.Each(nsRIM, "RegistryObject") {
			if id := o.Attr("", "id"); !isAssociation(m, o) && hasClassification(m, o) && ours(m, o) && !ends[id] {
				return &Fault{At: o, Attr: "id", Found: "an object that nothing leads to or from"}
			}
		}
		return nil
	}}
}

// otherTypes wants an object without classification to be an association.
func otherType() Check {
	return Check{"xsi:type rim:AssociationType, or a Classification", "Classify the object, or make it an association.", func(m *Message, n *Node) *Fault {
		if v, ok := attr(n, "xsi:type"); ok && !isAssociation(m, n) && !hasClassification(m, n) {
			return &Fault{Attr: "xsi:type", Found: quote(v)}
		}
		return nil
	}}
}

func ebSubmissionRules() []Rule {
	evidenceType := slotValue(submittedObject, "EvidenceType") + "/sdg:EvidenceType"
	list := slotValue(submittedObject, "EvidenceTypeList") + "/sdg:EvidenceTypeList"
	requirement := slotValue(submittedObject, "Requirement") + "/sdg:Requirement"
	framework := slotValue(submittedObject, "ReferenceFramework") + "/sdg:ReferenceFramework"
	contains, fulfills, derives := kindsOfLink[0], kindsOfLink[1], kindsOfLink[2]
	return join(
		envelopeRules("R-EB-SUB-", EBSubmission, schemeEB),
		nodeRules("EvidenceType", "EvidenceType", "R-EB-SUB-S014", "R-EB-SUB-S018", "R-EB-SUB-S022"),
		nodeRules("EvidenceTypeList", "EvidenceTypeList", "R-EB-SUB-S015", "R-EB-SUB-S019", "R-EB-SUB-S023"),
		nodeRules("Requirement", "Requirement", "R-EB-SUB-S016", "R-EB-SUB-S020", "R-EB-SUB-S024"),
		nodeRules("ReferenceFramework", "ReferenceFramework", "R-EB-SUB-S017", "R-EB-SUB-S021", "R-EB-SUB-S025"),
		since2023(
			Rule{ID: "R-EB-SUB-S013", At: submittedObject + "/rim:Classification", Check: When(of(EBSubmission, schemeEB), Must("classificationNode", Among("EvidenceType", "EvidenceTypeList", "Requirement", "ReferenceFramework")))},
			Rule{ID: "R-EB-SUB-S026", At: evidenceType, Check: None("sdg:Distribution")},
			Rule{ID: "R-EB-SUB-S027", At: list, Check: None("sdg:EvidenceType"), Mend: "Tie the evidence types to the list with ContainsEvidence."},
			Rule{ID: "R-EB-SUB-S028", At: requirement, Check: OnlyChildren("sdg:Identifier", "sdg:Name", "sdg:Description"), Mend: "Tie lists and frameworks to the requirement with associations."},
			Rule{ID: "R-EB-SUB-S029", At: framework + "/sdg:RelatedTo", Check: OnlyIdentifier()},
			Rule{ID: "R-EB-SUB-S030", At: submittedObject, Check: When(of(EBSubmission, schemeEB), otherType())},
			Rule{ID: "R-EB-SUB-S031", At: submissionList, Check: loose(EBSubmission, schemeEB)},
		),
		endRules(EBSubmission, "R-EB-SUB-S032", "R-EB-SUB-S033", "R-EB-SUB-S034", "R-EB-SUB-S035"),
		pairRules("R-EB-SUB-S036", "R-EB-SUB-S037", contains),
		pairRules("R-EB-SUB-S038", "R-EB-SUB-S039", fulfills),
		pairRules("R-EB-SUB-S040", "R-EB-SUB-S041", derives),
		since2023(
			endOf("R-EB-SUB-S051", derives, true),
			endOf("R-EB-SUB-S052", derives, false),
			endOf("R-EB-SUB-S053", fulfills, false),
			endOf("R-EB-SUB-S054", fulfills, true),
			endOf("R-EB-SUB-S055", contains, true),
			endOf("R-EB-SUB-S056", contains, false),
			Rule{ID: "R-EB-SUB-S042", At: submission, Check: OnlySlots("SpecificationIdentifier")},
			Rule{ID: "R-EB-SUB-S043", At: submittedObject, Check: When(filled("id"), Attr("id", urnUUID)), Mend: "Give every object an id: urn:uuid: and a UUID."},
			Rule{ID: "R-EB-SUB-S044", At: submissionList, Check: objectOf("EvidenceType")},
			Rule{ID: "R-EB-SUB-S045", At: submissionList, Check: objectOf("EvidenceTypeList")},
			Rule{ID: "R-EB-SUB-S047", At: submissionList, Check: someAssociation()},
			Rule{ID: "R-EB-SUB-S048", At: submissionList, Check: objectOf("ReferenceFramework")},
			Rule{ID: "R-EB-SUB-S049", At: framework, Check: Has("sdg:RelatedTo")},
			Rule{ID: "R-EB-SUB-S050", At: framework, Check: Has("sdg:Jurisdiction")},
			Rule{ID: "R-EB-SUB-C001", At: evidenceType + "/sdg:EvidenceTypeClassification", Check: Norm(evidenceTypeAddress)},
			Rule{ID: "R-EB-SUB-C009", At: list + "/sdg:Identifier", Check: Norm(bareUUID)},
			Rule{ID: "R-EB-SUB-C012", At: requirement + "/sdg:Identifier", Check: Norm(requirementAddress)},
			Rule{ID: "R-EB-SUB-C015", At: framework + "/sdg:Identifier", Check: Norm(bareUUID)},
		),
		langRules("R-EB-SUB-C002", "R-EB-SUB-C003", evidenceType+"/sdg:Title"),
		langRules("R-EB-SUB-C004", "R-EB-SUB-C005", evidenceType+"/sdg:Description"),
		langRules("R-EB-SUB-C010", "R-EB-SUB-C011", list+"/sdg:Name"),
		langRules("R-EB-SUB-C013", "R-EB-SUB-C014", requirement+"/sdg:Name"),
		langRules("R-EB-SUB-C016", "R-EB-SUB-C017", framework+"/sdg:Title"),
		langRules("R-EB-SUB-C018", "R-EB-SUB-C019", framework+"/sdg:Description"),
		geographyRules("R-EB-SUB-C006", "R-EB-SUB-C007", "R-EB-SUB-C008", evidenceType+"/sdg:Jurisdiction"),
		geographyRules("R-EB-SUB-C020", "R-EB-SUB-C021", "R-EB-SUB-C022", framework+"/sdg:Jurisdiction"),
		always(Rule{ID: "R-EB-SUB-C023", At: framework + "/sdg:RelatedTo/sdg:Identifier", Check: Raw(procedureCode)}),
	)
}

func dsdSubmissionRules() []Rule {
	record := slotValue(submittedObject, "DataServiceEvidenceType") + "/sdg:DataServiceEvidenceType"
	// Line 1.0 packs the publisher into the access service, later lines submit
	// them apart.
	packed := slotValue(submittedObject, "EvidenceProvider") + "/sdg:AccessService"
	service := either(packed, slotValue(submittedObject, "AccessService")+"/sdg:AccessService")
	publisher := either(packed+"/sdg:Publisher", slotValue(submittedObject, "EvidenceProvider")+"/sdg:Publisher")
	concept := below(publisher, "sdg:ClassificationConcept")
	serves, provides, uses := kindsOfLink[3], kindsOfLink[4], kindsOfLink[5]
	return join(
		envelopeRules("R-DSD-SUB-", DSDSubmission, schemeDSD),
		nodeRules("DataServiceEvidenceType", "DataServiceEvidenceType", "R-DSD-SUB-S015", "R-DSD-SUB-S017", "R-DSD-SUB-S019"),
		on(V10, 0,
			Rule{ID: "R-DSD-SUB-S013", At: submittedObject + "/rim:Classification", Check: When(of(DSDSubmission, schemeDSD), Must("classificationNode", Among("EvidenceProvider", "DataServiceEvidenceType")))},
			Rule{ID: "R-DSD-SUB-S018", At: slotValue(submittedObject, "EvidenceProvider"), Check: Exactly(1, "sdg:AccessService")},
		),
		on(V11|V12, V20,
			Rule{ID: "R-DSD-SUB-S013", At: submittedObject + "/rim:Classification", Check: When(of(DSDSubmission, schemeDSD), Must("classificationNode", Among("EvidenceProvider", "AccessService", "DataServiceEvidenceType")))},
		),
		since2023(
			Rule{ID: "R-DSD-SUB-S014", At: submittedObject, Check: When(classifiedAs("EvidenceProvider"), onlyTheSlot("EvidenceProvider"))},
			Rule{ID: "R-DSD-SUB-S016", At: slotValue(submittedObject, "EvidenceProvider"), Check: ValueType("AnyValueType")},
			Rule{ID: "R-DSD-SUB-S022", At: submittedObject, Check: When(of(DSDSubmission, schemeDSD), otherType())},
			Rule{ID: "R-DSD-SUB-S023", At: submissionList, Check: loose(DSDSubmission, schemeDSD)},
		),
		endRules(DSDSubmission, "R-DSD-SUB-S024", "R-DSD-SUB-S025", "R-DSD-SUB-S026", "R-DSD-SUB-S027"),
		pairRules("R-DSD-SUB-S028", "R-DSD-SUB-S029", serves),
		pairRules("R-DSD-SUB-S028", "R-DSD-SUB-S029", provides),
		pairRules("R-DSD-SUB-S028", "R-DSD-SUB-S029", uses),
		since2023(
			Rule{ID: "R-DSD-SUB-S030", At: submission, Check: OnlySlots("SpecificationIdentifier")},
			Rule{ID: "R-DSD-SUB-S031", At: submissionList, Check: askedProvidersAnswer()},
			Rule{ID: "R-DSD-SUB-S032", At: submittedObject, Check: When(filled("id"), Attr("id", urnUUID)), Mend: "Give every object an id: urn:uuid: and a UUID."},
			Rule{ID: "R-DSD-SUB-S033", At: submissionList, Check: objectOf("EvidenceProvider")},
			Rule{ID: "R-DSD-SUB-S034", At: submissionList, Check: objectOf("DataServiceEvidenceType")},
			Rule{ID: "R-DSD-SUB-S035", At: submissionList, Check: someAssociation()},
			Rule{ID: "R-DSD-SUB-S036", At: submissionList, Check: AtLeast(1, "rim:RegistryObject")},
			Rule{ID: "R-DSD-SUB-C007", At: record + "/sdg:DistributedAs/sdg:Format", Check: Raw(OneOf(codelist.OOTSMediaTypes))},
			Rule{ID: "R-DSD-SUB-C008", At: record + "/sdg:DistributedAs/sdg:ConformsTo", Check: Norm(dataModelAddress)},
			Rule{ID: "R-DSD-SUB-C023", At: below(service, "sdg:ConformsTo"), Check: Norm(edmVersion)},
			Rule{ID: "R-DSD-SUB-C036", At: concept, Check: supportedValue()},
		),
		gone20(
			Rule{ID: "R-DSD-SUB-C009", At: record + "/sdg:DistributedAs/sdg:Transformation", Check: Norm(subsetAddress)},
			Rule{ID: "R-DSD-SUB-C038", At: record + "/sdg:DistributedAs", Check: When(offersFormat("application/xml", "application/json"), Has("sdg:ConformsTo"))},
			Rule{ID: "R-DSD-SUB-C039", At: record + "/sdg:DistributedAs", Check: When(hasChild("sdg:Transformation"), Has("sdg:ConformsTo"))},
		),
		on(NoLine, V20, Rule{ID: "R-DSD-SUB-C038", At: record + "/sdg:DistributedAs", Check: When(both(offersFormat("application/xml", "application/json"), not(besideUnstructured)), Has("sdg:ConformsTo"))}),
		recordRules(recordIDs{
			"R-DSD-SUB-C001", "R-DSD-SUB-C002", "R-DSD-SUB-C003", "R-DSD-SUB-C004", "R-DSD-SUB-C005", "R-DSD-SUB-C006", "R-DSD-SUB-C037",
		}, record),
		conceptRules(conceptIDs{"R-DSD-SUB-C010", "R-DSD-SUB-C011", "R-DSD-SUB-C012", "R-DSD-SUB-C013", "R-DSD-SUB-C014"}, record+"/sdg:EvidenceProviderClassification"),
		determinationRules("R-DSD-SUB-C015", "R-DSD-SUB-C016", "R-DSD-SUB-C017", "R-DSD-SUB-C018", record+"/sdg:EvidenceProviderJurisdictionDetermination"),
		schemeRules("R-DSD-SUB-C020", "R-DSD-SUB-C022", below(service, "sdg:Identifier")),
		schemeRules("R-DSD-SUB-C024", "R-DSD-SUB-C025", below(publisher, "sdg:Identifier")),
		geographyRules("R-DSD-SUB-C026", "R-DSD-SUB-C027", "", below(publisher, "sdg:Address")),
		geographyRules("R-DSD-SUB-C028", "R-DSD-SUB-C029", "R-DSD-SUB-C030", below(publisher, "sdg:Jurisdiction")),
		conceptRules(conceptIDs{"R-DSD-SUB-C031", "R-DSD-SUB-C032", "R-DSD-SUB-C033", "R-DSD-SUB-C034", "R-DSD-SUB-C035"}, concept),
	)
}

// askedProvidersAnswer: the providers of a record that asks a question state
// the values they answer for.
func askedProvidersAnswer() Check {
	return Check{"sdg:SupportedValue of each provider of a record that asks a question", "Give the provider a ClassificationConcept with the values it answers for.", func(m *Message, n *Node) *Fault {
		asks, publishers := map[string]bool{}, map[string]*Node{}
		for o := range n.Each(nsRIM, "RegistryObject") {
			id := o.Attr("", "id")
			if record := find(slot(o, "DataServiceEvidenceType"), "rim:SlotValue", "sdg:DataServiceEvidenceType"); asksQuestion(m, record) {
				asks[id] = true
			}
			value := find(slot(o, "EvidenceProvider"), "rim:SlotValue")
			if p := find(value, "sdg:AccessService", "sdg:Publisher"); p != nil {
				publishers[id] = p
			} else if p := child(value, "sdg:Publisher"); p != nil {
				publishers[id] = p
			}
		}
		for _, l := range links(m, n) {
			if p := publishers[l.source]; p != nil && asks[l.target] && !answers(p) {
				return &Fault{At: p, Found: "a publisher without SupportedValue"}
			}
		}
		return nil
	}}
}

// submissionRules are checks of our own on any submission.
func submissionRules() []Rule {
	return []Rule{
		{ID: "X-LCM-CHK-01", At: submission, Lines: AllLine, Check: Must("checkReferences", Is("true")), Mend: `Write checkReferences="true": unresolved references are refused in any case.`},
		{ID: "X-LCM-MS-01", At: submissionList, Lines: AllLine, Content: true, Check: Check{"one Member State in the whole submission", "Submit only the data of the Member State that sends.", oneCountryOnly}},
	}
}

// oneCountryOnly compares every AdminUnitLevel1 with the first.
func oneCountryOnly(_ *Message, list *Node) (f *Fault) {
	country := ""
	var walk func(n *Node)
	walk = func(n *Node) {
		if f != nil {
			return
		}
		if n.Is(nsSDG, "AdminUnitLevel1") {
			switch v := n.Norm(); {
			case country == "":
				country = v
			case v != country:
				f = &Fault{At: n, Found: fmt.Sprintf("%s beside %s", quote(v), quote(country))}
			}
		}
		for c := n.First(); c != nil; c = c.Next() {
			walk(c)
		}
	}
	walk(list)
	return f
}

// requestIDRules are the rows on the reference to the submission.
func requestIDRules(present, uuid string) []Rule {
	return join(
		since2023(Rule{ID: uuid, At: registryResponse, Check: NormAttr("requestId", submissionUUID), Mend: "Copy the id of the submission, urn:uuid: included."}),
		on(V10, 0, Rule{ID: present, At: registryResponse, Check: HasAttr("requestId")}),
	)
}

func lcmSuccessRules() []Rule {
	return join(
		rootRules("R-LCM-SUC-001", "R-LCM-SUC-002", "RegistryResponse", nsRS),
		requestIDRules("R-LCM-SUC-003", "R-LCM-SUC-004"),
		on(V11|V12, V20, Rule{ID: "R-LCM-SUC-003", At: registryResponse, Check: HasAttr("requestId")}),
		since2023(
			Rule{ID: "R-LCM-SUC-005", At: registryResponse, Check: HasAttr("status")},
			Rule{ID: "R-LCM-SUC-006", At: registryResponse, Check: Must("status", Is(statusSuccess))},
			Rule{ID: "R-LCM-SUC-007", At: registryResponse, Check: None("rim:RegistryObjectList")},
			Rule{ID: "R-LCM-SUC-008", At: registryResponse, Check: None("rim:Slot")},
		),
	)
}

func lcmErrorRules() []Rule {
	ex := registryResponse + "/rs:Exception"
	return join(
		rootRules("R-LCM-ERR-001", "R-LCM-ERR-002", "RegistryResponse", nsRS),
		requestIDRules("R-LCM-ERR-003", "R-LCM-ERR-004"),
		on(V11|V12, V20, Rule{ID: "R-LCM-ERR-003", At: registryResponse, Check: When(not(unreadableRequest), HasAttr("requestId"))}),
		since2023(
			Rule{ID: "R-LCM-ERR-005", At: registryResponse, Check: HasAttr("status")},
			Rule{ID: "R-LCM-ERR-006", At: registryResponse, Check: Must("status", Is(statusFailure))},
			Rule{ID: "R-LCM-ERR-007", At: registryResponse, Check: None("rim:RegistryObjectList")},
			Rule{ID: "R-LCM-ERR-008", At: registryResponse, Check: AtLeast(1, "rs:Exception")},
			Rule{ID: "R-LCM-ERR-009", At: ex, Check: HasAttr("xsi:type")},
			Rule{ID: "R-LCM-ERR-010", At: ex, Check: exceptionType(codelist.LCMErrorCodes)},
			Rule{ID: "R-LCM-ERR-013", At: ex, Check: HasAttr("message")},
			Rule{ID: "R-LCM-ERR-015", At: ex, Check: HasAttr("code")},
			Rule{ID: "R-LCM-ERR-016", At: ex, Check: knownCode(codelist.LCMErrorCodes)},
			Rule{ID: "R-LCM-ERR-017", At: registryResponse, Check: noSlotAnywhere()},
		),
		severityRules("R-LCM-ERR-011", "R-LCM-ERR-012", ex),
	)
}

// unreadableRequest: a submission that could not be read has no id to refer to.
func unreadableRequest(_ *Message, n *Node) bool {
	for e := range n.Each(nsRS, "Exception") {
		if e.Attr("", "code") == "LCM:ERR:0003" {
			return true
		}
	}
	return false
}

func noSlotAnywhere() Check {
	return Check{"no slot", "Remove the slot.", func(_ *Message, n *Node) *Fault {
		if s := child(n, "rim:Slot"); s != nil {
			return &Fault{At: s, Found: "rim:Slot"}
		}
		for e := range n.Each(nsRS, "Exception") {
			if s := child(e, "rim:Slot"); s != nil {
				return &Fault{At: s, Found: "rim:Slot"}
			}
		}
		return nil
	}}
}
