package validator

import (
	"slices"
	"strings"

	"github.com/once-only/oots/xmltree"
)

// conversationRules are the checks between messages, in the numbering X-nn of
// our own. X-17 asks nothing (another language is legitimate), X-47 and X-48
// are a provider's own business at run time, and compare a receipt
// with its message.
var conversationRules = []PairRule{
	{ID: "X-01", Cites: "TDD 4.7 §2.6", Lines: V20, Needs: hasHeader, Check: sameSpecification, Mend: "Write the same identifier into the header's SpecificationId and the message's SpecificationIdentifier."},
	{ID: "X-02", Cites: "TDD 4.7", Needs: requestWithHeader, Check: senderIs, Mend: "Copy identifier and scheme of the ER agent into originalSender."},
	{ID: "X-03", Cites: "TDD 4.7", Needs: requestWithHeader, Check: recipientIs, Mend: "Copy identifier and scheme of the EvidenceProvider into finalRecipient."},
	{ID: "X-04", Cites: "TDD 4.7", Needs: answerWithHeader, Check: swapped, Mend: "On the way back the provider is originalSender and the requester finalRecipient."},
	{ID: "X-05", Cites: "TDD 4.7", Needs: hasHeader, Check: actionMatches, Mend: "Write the action that belongs to the message."},
	{ID: "X-06", Cites: "TDD 4.7, 4.5.2", Needs: responseWithHeader, Check: partsMatch, Mend: "Send one part for each RepositoryItemRef, with the content id that it quotes."},
	{ID: "X-07", Cites: "TDD 4.7", Severity: Warning, Needs: responseWithHeader, Check: partTypes, Mend: "Announce each part with the format that the metadata name."},

	{ID: "X-10", Cites: "TDD 4.5.2, 4.10: requestId", Needs: hasRequest, Check: answersRequest, Mend: "Copy the request's id, urn:uuid: included, into requestId."},
	{ID: "X-11", Cites: "TDD 4.7 §2.6.2", Needs: hasRequest, Check: sameLine, Mend: "Answer on the line of the request."},
	{ID: "X-12", Cites: "TDD 4.7 §2.5", Needs: bothHeaders, Check: sameConversation, Mend: "Copy ConversationId and ExchangeId from the request's header."},
	{ID: "X-13", Cites: "TDD 4.5.2", Needs: hasRequest, Check: sameRequester, Mend: "Copy identifier and scheme of the request's ER agent."},
	{ID: "X-14", Cites: "TDD 4.5.2", Needs: responseToRequest, Check: sameProvider, Mend: "Copy identifier and scheme of the provider that the request names into the EP agent."},
	{ID: "X-15", Cites: "TDD 4.5.2", Needs: responseToRequest, Check: sameEvidenceType, Mend: "Send evidence of the type that was asked for."},
	{ID: "X-16", Cites: "TDD 4.5.1, 4.5.2", Severity: Warning, Needs: responseToRequest, Check: askedFormat, Mend: "Send one of the formats and data models that the request accepts."},
	{ID: "X-18", Cites: "TDD 4.5.2", Needs: responseToRequest, Check: sameKindOfSubject, Mend: "Send evidence about the subject that was asked for."},
	{ID: "X-18", Cites: "TDD 4.5.2", Severity: Warning, Needs: responseToRequest, Check: sameSubject, Mend: "Do not use the evidence before a person has looked: it may be about somebody else."},
	{ID: "X-19", Cites: "TDD 4.5.1", Severity: Warning, Lines: V20, Needs: responseToRequest, Check: askedSupplements, Mend: "Join only the kinds of documents that the request asks for."},
	{ID: "X-20", Cites: "TDD 4.9", Needs: responseToRequest, Check: noEvidenceBeforePreview, Mend: "Answer with EDM:ERR:0002 and a PreviewLocation first; deliver in reply to the second request."},
	{ID: "X-21", Cites: "TDD 4.9", Severity: Warning, Needs: hasRequest, Check: previewOnce, Mend: "Answer a second request with the evidence, an empty response or another exception."},
	{ID: "X-22", Cites: "TDD 4.5.2", Severity: Warning, Needs: hasRequest, Check: timesInOrder, Mend: "Check the clock: an answer comes after its request, and a date to ask again lies ahead."},

	{ID: "X-30", Cites: "TDD 4.9, 4.10", Needs: hasFirst, Check: newID, Mend: "Give the second request an id of its own."},
	{ID: "X-31", Cites: "TDD 4.9 §2, 4.7", Needs: firstAndHeaders, Check: sameExchange, Mend: "Copy ConversationId and ExchangeId from the first request's header."},
	{ID: "X-32", Cites: "TDD 4.9", Needs: hasException, Check: issuedPreview, Mend: "Copy the PreviewLocation of the exception, character for character."},
	{ID: "X-33", Cites: "TDD 4.9, R-EDM-REQ-S062", Lines: V20, Needs: hasFirst, Check: returnGiven, Mend: "Say with ReturnLocation where the user should come back to."},
	{ID: "X-34", Cites: "TDD 4.9 §2", Needs: hasFirst, Check: sameContent, Mend: "Build the second request from the stored first one; only id, IssueDateTime, PreviewLocation and ReturnLocation change."},
	{ID: "X-35", Cites: "TDD 4.9", Needs: hasException, Check: previewUsedOnce, Mend: "A PreviewLocation serves one second request of the requester it was issued to."},

	{ID: "X-40", Cites: "TDD 4.5.1, 3.2.4", Needs: brokered, Check: knownRequirements, Mend: "Copy the requirement from the Evidence Broker's answer for this procedure and the requester's country."},
	{ID: "X-41", Cites: "TDD 3.2.4", Needs: brokeredTypes, Check: typeOfRequirement, Mend: "Ask for an evidence type that the Evidence Broker lists for the requirement in the provider's country."},
	{ID: "X-42", Cites: "TDD 4.5.1", Needs: recorded, Check: recordMatches, Mend: "Copy identifier, classification, titles, formats and models from one record of the Data Service Directory."},
	{ID: "X-43", Cites: "TDD 4.7", Needs: recorded, Check: publisherMatches, Mend: "Copy the provider from the record's Publisher, and send to the access point of the same access service."},
	{ID: "X-44", Cites: "TDD 4.7 §2.6", Needs: recorded, Check: lineAnnounced, Mend: "Write the request on a line that the access service announces in ConformsTo."},
	{ID: "X-45", Cites: "TDD 3.5.2, 4.5.1", Needs: questioned, Check: questionsAnswered, Mend: "Answer exactly the questions of DSD:ERR:0005."},
	{ID: "X-46", Cites: "TDD 3.1.4", Needs: recorded, Check: assuranceReached, Mend: "Let the user sign in with a higher level of assurance."},

	{ID: "X-50", Cites: "ebMS 3.0 §5.2.3.3; AS4 profile", Needs: hasReceipt, Check: receiptRefers, Mend: "A receipt names the MessageId of the message it is for in RefToMessageId."},
	{ID: "X-51", Cites: "ebMS 3.0 §5.2.3.3", Severity: Warning, Needs: hasReceipt, Check: receiptAfter, Mend: "Check the clock of the access point: a receipt comes after its message."},
	{ID: "X-52", Cites: "AS4 profile §5.1.8", Needs: hasReceipt, Check: receiptProves, Mend: "Send a receipt with NonRepudiationInformation: one reference for the header, the body and each part that was signed."},
}

func hasHeader(s *Step) bool          { return s.Header != nil && userOf(s.Header) != nil }
func requestWithHeader(s *Step) bool  { return hasHeader(s) && s.Message.Kind == EDMRequest }
func answerWithHeader(s *Step) bool   { return hasHeader(s) && s.Message.Kind != EDMRequest }
func responseWithHeader(s *Step) bool { return hasHeader(s) && s.Message.Kind == EDMResponse }
func hasRequest(s *Step) bool         { return s.Request != nil }
func responseToRequest(s *Step) bool  { return s.Request != nil && s.Message.Kind == EDMResponse }
func bothHeaders(s *Step) bool        { return hasHeader(s) && s.RequestHeader != nil }
func hasFirst(s *Step) bool           { return s.First != nil }
func hasException(s *Step) bool       { return s.Exception != nil }
func firstAndHeaders(s *Step) bool    { return s.First != nil && hasHeader(s) && s.FirstHeader != nil }
func hasReceipt(s *Step) bool         { return s.Receipt != nil && s.Header != nil }

// differ tells what is wrong at n when its value is not the wanted one, both
// normalised.
func differ(n *Node, wanted, of string) *Mismatch {
	if n.Norm() == wanted {
		return nil
	}
	return &Mismatch{At: n, Found: foundAt(n), Expect: of + " " + quote(wanted)}
}

func foundAt(n *Node) string {
	if n == nil {
		return absentWords
	}
	return quote(n.Norm())
}

// agents of a message.
func agentOf(collection *Node, classification string) *Node {
	for e := range find(collection, "rim:SlotValue").Each(nsRIM, "Element") {
		if a := child(e, "sdg:Agent"); child(a, "sdg:Classification").Norm() == classification {
			return a
		}
	}
	return nil
}

func requesterOf(request *Message) *Node {
	return agentOf(slot(request.Root(), "EvidenceRequester"), "ER")
}
func providerOf(request *Message) *Node {
	return find(slot(request.Root(), "EvidenceProvider"), "rim:SlotValue", "sdg:Agent")
}
func answeredTo(answer *Message) *Node {
	return find(slot(answer.Root(), "EvidenceRequester"), "rim:SlotValue", "sdg:Agent")
}
func answering(answer *Message) *Node {
	if answer.Kind == EDMError {
		return find(slot(answer.Root(), "ErrorProvider"), "rim:SlotValue", "sdg:Agent")
	}
	return agentOf(slot(answer.Root(), "EvidenceProvider"), "EP")
}

// senderAndRecipient are the identifiers that the header of a message repeats.
func senderAndRecipient(m *Message) (sender, recipient *Node) {
	if m.Kind == EDMRequest {
		return child(requesterOf(m), "sdg:Identifier"), child(providerOf(m), "sdg:Identifier")
	}
	return child(answering(m), "sdg:Identifier"), child(answeredTo(m), "sdg:Identifier")
}

func propertyOf(h *Message, name string) *Node {
	return property(child(userOf(h), "eb:MessageProperties"), name)
}

// sameParty compares a header property with an identifier of the message.
func sameParty(h *Message, name string, id *Node) *Mismatch {
	p := propertyOf(h, name)
	if p == nil || id == nil {
		return nil // said by other rules
	}
	if p.Norm() != id.Norm() || p.Attr("", "type") != "" && p.Attr("", "type") != id.Attr("", "schemeID") {
		return &Mismatch{In: h, At: p, Found: name + " " + quote(p.Norm()) + " of " + quote(p.Attr("", "type")), Expect: quote(id.Norm()) + " of " + quote(id.Attr("", "schemeID")) + ", as the message has it"}
	}
	return nil
}

func senderIs(s *Step) *Mismatch {
	id, _ := senderAndRecipient(s.Message)
	return sameParty(s.Header, "originalSender", id)
}

func recipientIs(s *Step) *Mismatch {
	_, id := senderAndRecipient(s.Message)
	return sameParty(s.Header, "finalRecipient", id)
}

func swapped(s *Step) *Mismatch {
	sender, recipient := senderAndRecipient(s.Message)
	if s.Message.Kind == EDMError && sender != nil && s.Request != nil {
		// Who answers with an error may be an intermediary; the property names the provider asked.
		sender = child(providerOf(s.Request), "sdg:Identifier")
	} else if s.Message.Kind == EDMError {
		sender = nil
	}
	if f := sameParty(s.Header, "originalSender", sender); f != nil {
		return f
	}
	return sameParty(s.Header, "finalRecipient", recipient)
}

func sameSpecification(s *Step) *Mismatch {
	p := propertyOf(s.Header, "SpecificationId")
	if p == nil {
		return nil
	}
	f := differ(p, xmltree.NormalizeSpace(slotText(s.Message.Root(), "SpecificationIdentifier")), "the message's")
	if f != nil {
		f.In = s.Header
	}
	return f
}

// actionFits tells whether an action belongs to a message.
func actionFits(action string, m *Message) bool { return action == actionOf(m) }

func actionOf(m *Message) string {
	switch m.Kind {
	case EDMRequest:
		return "ExecuteQueryRequest"
	case EDMError:
		return "ExceptionResponse"
	}
	return "ExecuteQueryResponse"
}

func actionMatches(s *Step) *Mismatch {
	a := find(userOf(s.Header), "eb:CollaborationInfo", "eb:Action")
	if actionFits(a.Norm(), s.Message) {
		return nil
	}
	return &Mismatch{In: s.Header, At: a, Found: foundAt(a), Expect: actionOf(s.Message) + " for an " + s.Message.Kind.Words()}
}

// contentIDOf removes what may surround a content id (TDD 4.7; RFC 2392).
func contentIDOf(s string) string {
	s = strings.TrimPrefix(xmltree.TrimSpace(s), "cid:")
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	return percentDecode(s)
}

func percentDecode(s string) string {
	hex := func(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hex(s[i+1]) >= 0 && hex(s[i+2]) >= 0 {
			b.WriteByte(byte(hex(s[i+1])<<4 | hex(s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// items are the RepositoryItemRefs of a response in document order.
func items(m *Message) (out []*Node) {
	for n := range m.Root().Descendants() {
		if n.Is(nsRIM, "RepositoryItemRef") {
			out = append(out, n)
		}
	}
	return out
}

func partsMatch(s *Step) *Mismatch {
	parts := map[string]int{}
	var order []*Node
	for p := range child(userOf(s.Header), "eb:PayloadInfo").Each(nsEB, "PartInfo") {
		if mediaType(p) == regRepType {
			continue
		}
		parts[contentIDOf(p.Attr("", "href"))]++
		order = append(order, p)
	}
	quoted := map[string]bool{}
	for _, ref := range items(s.Message) {
		id := contentIDOf(ref.Attr(nsXLink, "href"))
		quoted[id] = true
		if parts[id] != 1 {
			return &Mismatch{At: ref, Attr: "xlink:href", Found: counted(parts[id], "part", "parts") + " with the content id " + quote(id), Expect: "exactly one part with that content id"}
		}
	}
	for _, p := range order {
		if id := contentIDOf(p.Attr("", "href")); !quoted[id] {
			return &Mismatch{In: s.Header, At: p, Attr: "href", Found: "a part " + quote(id) + " that no RepositoryItemRef quotes", Expect: "every part after the first to be quoted"}
		}
	}
	return nil
}

func partTypes(s *Step) *Mismatch {
	announced := map[string]*Node{}
	for p := range child(userOf(s.Header), "eb:PayloadInfo").Each(nsEB, "PartInfo") {
		announced[contentIDOf(p.Attr("", "href"))] = p
	}
	for _, ref := range items(s.Message) {
		p := announced[contentIDOf(ref.Attr(nsXLink, "href"))]
		format := find(evidenceOf(ref.Parent()), "sdg:Distribution", "sdg:Format").Norm()
		if p != nil && format != "" && mediaType(p) != format {
			return &Mismatch{In: s.Header, At: p, Found: quote(mediaType(p)), Expect: quote(format) + ", the format in the metadata"}
		}
	}
	return nil
}

func answersRequest(s *Step) *Mismatch {
	id := s.Message.Root().FindAttr("", "requestId")
	if id == nil {
		return nil // said by other rules, and excused by an invalid request
	}
	if requestID(s.Message) == requestID(s.Request) {
		return nil
	}
	return &Mismatch{Attr: "requestId", Found: quote(id.Value), Expect: quote(requestID(s.Request)) + ", the id of the request"}
}

func sameLine(s *Step) *Mismatch {
	return differ(find(slot(s.Message.Root(), "SpecificationIdentifier"), "rim:SlotValue", "rim:Value"), xmltree.NormalizeSpace(slotText(s.Request.Root(), "SpecificationIdentifier")), "the request's")
}

// sameIDs compares ConversationId and, where line 2.0 has it, ExchangeId.
func sameIDs(h, of *Message) *Mismatch {
	c := find(userOf(h), "eb:CollaborationInfo", "eb:ConversationId")
	if f := differ(c, find(userOf(of), "eb:CollaborationInfo", "eb:ConversationId").Norm(), "ConversationId"); f != nil {
		f.In = h
		return f
	}
	x, was := propertyOf(h, "ExchangeId"), propertyOf(of, "ExchangeId")
	if was == nil && x == nil {
		return nil
	}
	f := differ(x, was.Norm(), "ExchangeId")
	if f != nil {
		f.In = h
	}
	return f
}

func sameConversation(s *Step) *Mismatch { return sameIDs(s.Header, s.RequestHeader) }
func sameExchange(s *Step) *Mismatch     { return sameIDs(s.Header, s.FirstHeader) }

// sameAgent compares identifier and scheme.
func sameAgent(got, want *Node, whose string) *Mismatch {
	g, w := child(got, "sdg:Identifier"), child(want, "sdg:Identifier")
	if g == nil || w == nil {
		return nil // said by other rules
	}
	if g.Norm() != w.Norm() || g.Attr("", "schemeID") != w.Attr("", "schemeID") {
		return &Mismatch{At: g, Found: quote(g.Norm()) + " of " + quote(g.Attr("", "schemeID")), Expect: quote(w.Norm()) + " of " + quote(w.Attr("", "schemeID")) + ", " + whose}
	}
	return nil
}

func sameRequester(s *Step) *Mismatch {
	return sameAgent(answeredTo(s.Message), requesterOf(s.Request), "the request's requester")
}

func sameProvider(s *Step) *Mismatch {
	return sameAgent(answering(s.Message), providerOf(s.Request), "the provider that was asked")
}

// evidences are the sdg:Evidence elements of a response that describe main
// evidence, with the object they stand in.
func evidences(m *Message) (out []*Node) {
	for n := range m.Root().Descendants() {
		if n.Is(nsSDG, "Evidence") {
			if object := n.Parent().Parent().Parent(); m.Line != V20 || isClassified(object, "MainEvidence", true) {
				out = append(out, n)
			}
		}
	}
	return out
}

func askedFor(m *Message) *Node {
	return find(slot(child(m.Root(), "query:Query"), "EvidenceRequest"), "rim:SlotValue", "sdg:DataServiceEvidenceType")
}

func sameEvidenceType(s *Step) *Mismatch {
	asked := child(askedFor(s.Request), "sdg:EvidenceTypeClassification").Norm()
	for _, e := range evidences(s.Message) {
		if t := find(e, "sdg:IsConformantTo", "sdg:EvidenceTypeClassification"); t != nil {
			if f := differ(t, asked, "the type asked for,"); f != nil {
				return f
			}
		}
	}
	return nil
}

func askedFormat(s *Step) *Mismatch {
	for _, e := range evidences(s.Message) {
		d := child(e, "sdg:Distribution")
		format, model := child(d, "sdg:Format").Norm(), child(d, "sdg:ConformsTo").Norm()
		ok := d == nil
		var wanted []string
		for a := range askedFor(s.Request).Each(nsSDG, "DistributedAs") {
			f, c := child(a, "sdg:Format").Norm(), child(a, "sdg:ConformsTo").Norm()
			ok = ok || f == format && (c == "" || c == model)
			wanted = append(wanted, strings.TrimSpace(f+" "+c))
		}
		if !ok && len(wanted) > 0 {
			return &Mismatch{At: d, Found: quote(strings.TrimSpace(format + " " + model)), Expect: "one of " + strings.Join(wanted, ", ")}
		}
	}
	return nil
}

// subjectOf is the person of a request.
func subjectOf(request *Message) (n *Node, natural bool) {
	q := child(request.Root(), "query:Query")
	if p := find(slot(q, "NaturalPerson"), "rim:SlotValue", "sdg:Person"); p != nil {
		return p, true
	}
	return find(slot(q, "LegalPerson"), "rim:SlotValue", "sdg:LegalPerson"), false
}

func sameKindOfSubject(s *Step) *Mismatch {
	asked, natural := subjectOf(s.Request)
	if asked == nil {
		return nil
	}
	for _, e := range evidences(s.Message) {
		about := child(e, "sdg:IsAbout")
		if wrong := child(about, "sdg:LegalPerson"); natural && wrong != nil {
			return &Mismatch{At: wrong, Found: "evidence about an organisation", Expect: "evidence about a natural person"}
		}
		if wrong := child(about, "sdg:NaturalPerson"); !natural && wrong != nil {
			return &Mismatch{At: wrong, Found: "evidence about a natural person", Expect: "evidence about an organisation"}
		}
	}
	return nil
}

// sameSubject compares the eIDAS identifiers when both have one (their part
// after the two countries), else names and date of birth.
func sameSubject(s *Step) *Mismatch {
	asked, natural := subjectOf(s.Request)
	names := []string{"sdg:FamilyName", "sdg:GivenName", "sdg:DateOfBirth"}
	id, kind := "sdg:Identifier", "sdg:NaturalPerson"
	if !natural {
		names, id, kind = []string{"sdg:LegalName"}, "sdg:LegalPersonIdentifier", "sdg:LegalPerson"
	}
	for _, e := range evidences(s.Message) {
		about := find(e, "sdg:IsAbout", kind)
		if asked == nil || about == nil {
			continue
		}
		if w, g := child(asked, id), child(about, id); w != nil && g != nil && !strings.EqualFold(w.Norm(), g.Norm()) {
			return &Mismatch{At: g, Found: "another identifier", Expect: "the identifier of the subject asked for"}
		}
		for _, name := range names {
			if w, g := child(asked, name), child(about, name); w != nil && g != nil && !strings.EqualFold(w.Norm(), g.Norm()) {
				return &Mismatch{At: g, Found: "another " + name, Expect: name + " of the subject asked for"}
			}
		}
	}
	return nil
}

func askedSupplements(s *Step) *Mismatch {
	var wanted []string
	for r := range askedFor(s.Request).FindAll(nsSDG, "DistributedAs", "AssociatedDocumentRequest") {
		wanted = append(wanted, r.Norm())
	}
	for n := range s.Message.Root().Descendants() {
		if n.Is(nsRIM, "Classification") && supplement(nil, n) && !slices.Contains(wanted, n.Attr("", "classificationNode")) {
			return &Mismatch{At: n, Attr: "classificationNode", Found: n.Attr("", "classificationNode"), Expect: first(strings.Join(wanted, ", "), "no supplements")}
		}
	}
	return nil
}

func truth(s string) bool { s = xmltree.TrimSpace(s); return s == "true" || s == "1" }

func noEvidenceBeforePreview(s *Step) *Mismatch {
	if !truth(slotText(s.Request.Root(), "PossibilityForPreview")) || previewOf(s.Request) != "" || !status(s.Message.Root(), "Success") {
		return nil
	}
	if list := child(s.Message.Root(), "rim:RegistryObjectList"); list.Len() > 0 {
		return &Mismatch{At: list, Found: "evidence in reply to a first request with PossibilityForPreview true", Expect: "EDM:ERR:0002 with a PreviewLocation"}
	}
	return nil
}

func previewOnce(s *Step) *Mismatch {
	if previewOf(s.Request) == "" {
		return nil
	}
	for e := range s.Message.Root().Each(nsRS, "Exception") {
		if e.Attr("", "code") == previewCode {
			return &Mismatch{At: e, Attr: "code", Found: previewCode + " in reply to a second request", Expect: "the outcome of the preview"}
		}
	}
	return nil
}

func timesInOrder(s *Step) *Mismatch {
	asked, ok := parseDateTime(slotText(s.Request.Root(), "IssueDateTime"))
	at := find(slot(s.Message.Root(), "IssueDateTime"), "rim:SlotValue", "rim:Value")
	answered, ok2 := parseDateTime(at.Text())
	if ok && ok2 && answered.Before(asked) {
		return &Mismatch{At: at, Found: quote(at.Norm()), Expect: "a time not before that of the request, " + xmltree.NormalizeSpace(slotText(s.Request.Root(), "IssueDateTime"))}
	}
	again := find(slot(s.Message.Root(), "ResponseAvailableDateTime"), "rim:SlotValue", "rim:Value")
	if later, ok := parseDateTime(again.Text()); ok && ok2 && !later.After(answered) {
		return &Mismatch{At: again, Found: quote(again.Norm()), Expect: "a time after that of the response"}
	}
	return nil
}

func newID(s *Step) *Mismatch {
	if requestID(s.Message) != requestID(s.First) {
		return nil
	}
	return &Mismatch{Attr: "id", Found: "the id of the first request", Expect: "a new id"}
}

func issuedPreview(s *Step) *Mismatch {
	at := find(slot(s.Message.Root(), "PreviewLocation"), "rim:SlotValue", "rim:Value")
	return differ(at, previewOf(s.Exception), "the PreviewLocation issued,")
}

func returnGiven(s *Step) *Mismatch {
	if slot(s.Message.Root(), "ReturnLocation") != nil {
		return nil
	}
	return &Mismatch{Found: "no slot ReturnLocation", Expect: "a slot ReturnLocation"}
}

func previewUsedOnce(s *Step) *Mismatch {
	if len(s.Rivals) > 0 {
		return &Mismatch{At: slot(s.Message.Root(), "PreviewLocation"), Found: "a PreviewLocation that another second request uses too", Expect: "one second request for each PreviewLocation"}
	}
	if s.First == nil {
		return sameAgent(requesterOf(s.Message), answeredTo(s.Exception), "the requester to whom the preview was issued")
	}
	return sameAgent(requesterOf(s.Message), requesterOf(s.First), "the requester of the first request")
}

// sameContent compares slot by slot what both requests ask, by their parsed
// content: order of slots, white space around values and prefixes do not count.
func sameContent(s *Step) *Mismatch {
	for _, at := range [][2]*Node{{s.Message.Root(), s.First.Root()}, {child(s.Message.Root(), "query:Query"), child(s.First.Root(), "query:Query")}} {
		if f := sameSlots(at[0], at[1]); f != nil {
			return f
		}
	}
	return nil
}

func sameSlots(now, before *Node) *Mismatch {
	changes := func(name string) bool {
		return name == "IssueDateTime" || name == "PreviewLocation" || name == "ReturnLocation"
	}
	for a := range now.Each(nsRIM, "Slot") {
		name := a.Attr("", "name")
		if changes(name) {
			continue
		}
		b := slot(before, name)
		if b == nil {
			return &Mismatch{At: a, Found: "slot " + name, Expect: "no such slot, as in the first request"}
		}
		if at := difference(a, b); at != nil {
			return &Mismatch{At: at, Found: "another content of the slot " + name, Expect: "the content of the first request"}
		}
	}
	for b := range before.Each(nsRIM, "Slot") {
		if name := b.Attr("", "name"); !changes(name) && slot(now, name) == nil {
			return &Mismatch{At: now, Found: "no slot " + name, Expect: "the slot " + name + " of the first request"}
		}
	}
	return nil
}

// difference is the element of a where its content departs from that of b.
func difference(a, b *Node) *Node {
	if a.Local() != b.Local() || a.Space() != b.Space() || len(a.Attrs()) != len(b.Attrs()) || a.Len() != b.Len() {
		return a
	}
	for i := range a.Attrs() {
		at := &a.Attrs()[i]
		other := b.FindAttr(at.Space, at.Local)
		if other == nil || xmltree.NormalizeSpace(other.Value) != xmltree.NormalizeSpace(at.Value) {
			return a
		}
	}
	if a.Len() == 0 {
		if a.Norm() != b.Norm() {
			return a
		}
		return nil
	}
	for x, y := a.First(), b.First(); x != nil; x, y = x.Next(), y.Next() {
		if at := difference(x, y); at != nil {
			return at
		}
	}
	return nil
}

func first2(a, b *Node) *Node {
	if a != nil {
		return a
	}
	return b
}
