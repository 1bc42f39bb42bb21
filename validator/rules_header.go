package validator

// Places in an ebMS header, bare or in a SOAP envelope.
const (
	userMessage = "//eb:UserMessage"
	properties  = userMessage + "/eb:MessageProperties"
	payload     = userMessage + "/eb:PayloadInfo"
	part        = payload + "/eb:PartInfo"
)

// Literals of the header (TDD 4.7).
const (
	gatewayRole   = "http://sdg.europa.eu/edelivery/gateway"
	bindingType   = "urn:oasis:names:tc:ebcore:ebrs:ebms:binding:1.0"
	partyTypeBase = "urn:oasis:names:tc:ebcore:partyid-type:unregistered:oots"
	regRepType    = "application/x-ebrs+xml"
)

// headerRules are the header rules whose text is known, under their numbers, and
// the other constraints of TDD 4.7 under ids of our own, H-nn: the text of the
// remaining published numbers was not seen.
var headerRules = Table{
	Name: "ebMS header", On: EBMSHeader, Cites: "TDD 4.7.1",
	Rules: []Rule{
		{ID: "R-EDM-ebMS-017", Content: true, At: userMessage + "/eb:CollaborationInfo/eb:ConversationId", Lines: Since11, Check: Norm(bareUUID)},
		{ID: "R-EDM-ebMS-018", At: properties, Lines: V20, Check: Exactly(4, "eb:Property"), Mend: "Send originalSender, finalRecipient, ExchangeId and SpecificationId, and nothing an access point adds of its own."},
		{ID: "R-EDM-ebMS-018", At: properties, Lines: V12, Advice: V11, Check: Exactly(2, "eb:Property"), Mend: "Send originalSender and finalRecipient, and nothing an access point adds of its own."},
		{ID: "R-EDM-ebMS-019", At: properties, Lines: V20, Check: Check{"one property each of originalSender, finalRecipient, ExchangeId, SpecificationId", "Name the four properties of line 2.0, each once.", fourProperties}},
		{ID: "R-EDM-ebMS-019", At: properties + "/eb:Property", Lines: V12, Advice: V11, Check: Must("name", Among("originalSender", "finalRecipient")), Mend: "Remove the property: line 1.2 knows originalSender and finalRecipient only."},
		{ID: "R-EDM-ebMS-023", At: payload, Lines: V12 | V20, Advice: V11, Check: When(action("ExecuteQueryRequest", "ExceptionResponse"), Exactly(1, "eb:PartInfo"))},
		{ID: "R-EDM-ebMS-030", Content: true, At: part, Lines: V12 | V20, Advice: V11, Check: When(action("ExecuteQueryRequest", "ExceptionResponse"), mimeType)},
		{ID: "R-EDM-ebMS-032", Content: true, At: payload, Lines: V12 | V20, Advice: V11, Severity: Warning, Check: When(action("ExecuteQueryResponse"), Child("eb:PartInfo", mimeType)), Mend: "Put the RegRep document first."},
		{ID: "R-EDM-ebMS-037", Content: true, At: properties + "/eb:Property", Lines: V20, Check: When(named("ExchangeId"), Norm(bareUUID))},
		{ID: "R-EDM-ebMS-038", Content: true, At: properties + "/eb:Property", Lines: V20, Check: When(named("SpecificationId"), Raw(TheLine("oots-edm")))},

		{ID: "H-01", Content: true, At: userMessage + "/eb:CollaborationInfo/eb:Service", Check: Norm(Is("QueryManager"))},
		{ID: "H-02", Content: true, At: userMessage + "/eb:CollaborationInfo/eb:Service", Check: Must("type", Is(bindingType))},
		{ID: "H-03", Content: true, At: userMessage + "/eb:CollaborationInfo/eb:Action", Check: Norm(Among("ExecuteQueryRequest", "ExecuteQueryResponse", "ExceptionResponse"))},
		{ID: "H-04", Content: true, At: userMessage + "/eb:PartyInfo/eb:From/eb:Role | " + userMessage + "/eb:PartyInfo/eb:To/eb:Role", Check: Norm(Is(gatewayRole))},
		{ID: "H-05", Content: true, At: userMessage + "/eb:PartyInfo/eb:From/eb:PartyId | " + userMessage + "/eb:PartyInfo/eb:To/eb:PartyId", Severity: Warning, Check: Must("type", Like(partyTypeBase, "", func(s string) bool { return s == partyTypeBase || s == partyTypeBase+"-simulator" }))},
		{ID: "H-06", Content: true, At: userMessage + "/eb:MessageInfo/eb:MessageId", Check: Norm(Like("a unique id with an @", "40000000-0000-4000-8000-000000000001@ap.sample.example", func(s string) bool { return contentID("cid:" + s) }))},
		{ID: "H-07", Content: true, At: userMessage + "/eb:MessageInfo/eb:Timestamp", Check: Norm(Like("a date and time", "2026-11-02T09:15:01.000Z", isDateTime))},
		{ID: "H-08", At: properties, Check: Check{"one property each of originalSender and finalRecipient", "Name the sending and the receiving authority.", sendersNamed}},
		{ID: "H-09", Content: true, At: properties + "/eb:Property", Lines: Since11, Check: When(named("originalSender", "finalRecipient"), Must("type", partyProperty)), Mend: "Write the scheme of the identifier into type, as schemeID has it in the message."},
		{ID: "H-10", Content: true, At: part, Check: Must("href", Like("cid: and a content id", "cid:70000000-0000-4000-8000-000000000001@ap.sample.example", contentID))},
		{ID: "H-11", At: part, Severity: Warning, Check: That("a part property MimeType", "Name the media type of each part.", noMimeType)},
		{ID: "H-12", At: userMessage, Check: When(action("ExecuteQueryRequest", "ExecuteQueryResponse", "ExceptionResponse"), Has("eb:PayloadInfo"))},
		{ID: "H-13", At: userMessage, Check: Has("eb:MessageProperties")},
	},
}

// partyProperty is the scheme of an organisation, as in agents.
var partyProperty = Want{
	Words: schemeEAS + "<EAS code> or " + schemeUnregistered + "<OOTS_Country code or oots>",
	Mend:  "Copy the scheme of the agent.",
	Is:    func(m *Message, v string) bool { return organisationSchemeOK(m, v, false) },
}

// inMessage climbs to the eb:UserMessage around an element.
func inMessage(n *Node) *Node {
	for n != nil && !n.Is(nsEB, "UserMessage") {
		n = n.Parent()
	}
	return n
}

// action holds in messages with one of these actions.
func action(names ...string) func(*Message, *Node) bool {
	w := Among(names...)
	return func(m *Message, n *Node) bool {
		return w.Is(m, find(inMessage(n), "eb:CollaborationInfo", "eb:Action").Norm())
	}
}

// named holds for properties of one of these names.
func named(names ...string) func(*Message, *Node) bool {
	w := Among(names...)
	return func(m *Message, n *Node) bool { return w.Is(m, n.Attr("", "name")) }
}

// property is the message property of that name, nil when there is none.
func property(messageProperties *Node, name string) *Node {
	for p := range messageProperties.Each(nsEB, "Property") {
		if p.Attr("", "name") == name {
			return p
		}
	}
	return nil
}

func propertyCount(messageProperties *Node, name string) (k int) {
	for p := range messageProperties.Each(nsEB, "Property") {
		if p.Attr("", "name") == name {
			k++
		}
	}
	return k
}

func onceEach(n *Node, names ...string) *Fault {
	for _, name := range names {
		if k := propertyCount(n, name); k != 1 {
			return &Fault{Found: counted(k, "property "+name, "properties "+name)}
		}
	}
	return nil
}

func fourProperties(_ *Message, n *Node) *Fault {
	return onceEach(n, "originalSender", "finalRecipient", "ExchangeId", "SpecificationId")
}

func sendersNamed(m *Message, n *Node) *Fault {
	if m.Line == V20 {
		return nil // R-EDM-ebMS-019 speaks of all four
	}
	return onceEach(n, "originalSender", "finalRecipient")
}

// mediaType is the part property MimeType of an eb:PartInfo.
func mediaType(part *Node) string {
	for p := range part.FindAll(nsEB, "PartProperties", "Property") {
		if p.Attr("", "name") == "MimeType" {
			return p.Norm()
		}
	}
	return ""
}

// mimeType wants the RegRep document in a part.
var mimeType = Check{"part property MimeType " + regRepType, "Write " + regRepType + " as MimeType of the part with the message.", func(_ *Message, n *Node) *Fault {
	if v := mediaType(n); v != regRepType {
		return &Fault{Found: quote(v)}
	}
	return nil
}}

func noMimeType(_ *Message, n *Node) string {
	if mediaType(n) == "" {
		return "no MimeType"
	}
	return ""
}
