package edm

import (
	"net/url"
	"strings"
	"time"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// Constant fields of the ebMS header (TDD 4.7.1).
const (
	Role                  = "http://sdg.europa.eu/edelivery/gateway"
	Service               = "QueryManager"
	ServiceType           = "urn:oasis:names:tc:ebcore:ebrs:ebms:binding:1.0"
	UnregisteredPartyOOTS = "urn:oasis:names:tc:ebcore:partyid-type:unregistered:oots"
)

// Names of the message properties. 1.x has the first two, 2.0 all four.
const (
	OriginalSender  = "originalSender"
	FinalRecipient  = "finalRecipient"
	ExchangeID      = "ExchangeId"
	SpecificationID = "SpecificationId"
)

// ebSpace is the namespace of the ebMS 3 header.
const ebSpace = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/"

// Header is what an OOTS message says in its ebMS header (TDD 4.7).
type Header struct {
	Timestamp time.Time // T1 and T3 are counted from it
	MessageID string
	RefTo     string // RefToMessageId; not to be relied on

	From, To Party

	Service, ServiceType string
	Action               Kind // or, in a header that is wrong, something else
	ConversationID       string

	Properties []Property
	Parts      []Part
}

// Party is an access point.
type Party struct{ ID, Type, Role string }

// Property is eb:Property.
type Property struct{ Name, Type, Value string }

// Part is eb:PartInfo.
type Part struct {
	ContentID  string // without "cid:"
	MimeType   string
	Properties []Property // all, MimeType included
}

// PropertyNames are the names of the message properties that a line asks for,
// no more and no fewer.
func PropertyNames(line Line) []string {
	if p := profileOf(line); p != nil {
		return append([]string(nil), p.header...)
	}
	return nil
}

// Get is the value of a message property, "" when it is absent.
func (h *Header) Get(name string) string { return h.Identifier(name).Value }

// Identifier is a message property with its type as the scheme.
func (h *Header) Identifier(name string) sdg.Identifier {
	for _, p := range h.Properties {
		if p.Name == name {
			return sdg.Identifier{Scheme: p.Type, Value: p.Value}
		}
	}
	return sdg.Identifier{}
}

// Line is the property SpecificationId, "" in a header of 1.x.
func (h *Header) Line() Line { return Line(h.Get(SpecificationID)) }

// HeaderFor makes the header of a message as far as message and line decide
// it: service, action, roles, properties and parts. The caller adds message
// id, time, conversation and the party ids. exchange is the ExchangeId, which
// 1.x leaves out; first is the content id of the RegRep document.
func HeaderFor(m Message, line Line, exchange, first string) (*Header, error) {
	p := profileOf(line)
	if p == nil {
		return nil, cannot("the line %q is not spoken here", string(line))
	}
	h := &Header{Service: Service, ServiceType: ServiceType, Action: m.Kind(),
		From: Party{Role: Role}, To: Party{Role: Role}, Parts: []Part{newPart(first, MediaType)}}
	var sender, recipient *sdg.Agent
	switch m := m.(type) {
	case *Request:
		sender, recipient = m.Requester(), &m.Provider
	case *Response:
		sender, recipient = m.Provider(), &m.Requester
		for _, d := range m.Documents() {
			h.Parts = append(h.Parts, newPart(d.ContentID, d.Evidence.Distribution.Format()))
		}
	case *ErrorResponse:
		sender, recipient = &m.Provider, m.Requester
	}
	if sender == nil || recipient == nil {
		return nil, cannot("the message does not name one requester and one provider")
	}
	values := map[string]Property{
		OriginalSender:  {OriginalSender, sender.Identifier.Scheme, sender.Identifier.Value},
		FinalRecipient:  {FinalRecipient, recipient.Identifier.Scheme, recipient.Identifier.Value},
		ExchangeID:      {ExchangeID, "", exchange},
		SpecificationID: {SpecificationID, "", string(line)},
	}
	for _, name := range p.header {
		if values[name].Value == "" {
			return nil, cannot("the message property %s has no value", name)
		}
		h.Properties = append(h.Properties, values[name])
	}
	return h, nil
}

func newPart(id, mime string) Part {
	return Part{ContentID: id, MimeType: mime, Properties: []Property{{Name: "MimeType", Value: mime}}}
}

// ReadHeader reads eb:Messaging, or an eb:UserMessage in it. It takes what it
// finds: whether the header is right is the validator's business.
func ReadHeader(root *xmltree.Element) (*Header, error) {
	um := root
	if root.Is(ebSpace, "Messaging") {
		um = root.Child(ebSpace, "UserMessage")
	}
	if !um.Is(ebSpace, "UserMessage") {
		return nil, regrep.Refuse(root, "%s holds no eb:UserMessage", root.Name())
	}
	text := func(path ...string) string { return um.Find(ebSpace, path...).Norm() }
	party := func(side string) Party {
		e := um.Find(ebSpace, "PartyInfo", side)
		id := e.Child(ebSpace, "PartyId")
		return Party{id.Norm(), id.Attr("", "type"), e.Child(ebSpace, "Role").Norm()}
	}
	h := &Header{
		MessageID: text("MessageInfo", "MessageId"), RefTo: text("MessageInfo", "RefToMessageId"),
		From: party("From"), To: party("To"),
		Service: text("CollaborationInfo", "Service"), ServiceType: um.Find(ebSpace, "CollaborationInfo", "Service").Attr("", "type"),
		Action: Kind(text("CollaborationInfo", "Action")), ConversationID: text("CollaborationInfo", "ConversationId"),
	}
	if s := text("MessageInfo", "Timestamp"); s != "" {
		t, ok := regrep.ParseDateTime(s)
		if !ok {
			return nil, regrep.Refuse(um.Find(ebSpace, "MessageInfo", "Timestamp"), "the timestamp is not a date and time")
		}
		h.Timestamp = t
	}
	properties := func(parent *xmltree.Element) (list []Property) {
		for p := range parent.Each(ebSpace, "Property") {
			list = append(list, Property{p.Attr("", "name"), p.Attr("", "type"), p.Norm()})
		}
		return list
	}
	h.Properties = properties(um.Child(ebSpace, "MessageProperties"))
	for e := range um.Child(ebSpace, "PayloadInfo").Each(ebSpace, "PartInfo") {
		part := Part{ContentID: contentID(e.Attr("", "href")), Properties: properties(e.Child(ebSpace, "PartProperties"))}
		for _, p := range part.Properties {
			if p.Name == "MimeType" {
				part.MimeType = p.Value
			}
		}
		h.Parts = append(h.Parts, part)
	}
	return h, nil
}

// contentID takes a content id out of a reference: without cid:, angle
// brackets and percent-encoding.
func contentID(href string) string {
	id := strings.Trim(strings.TrimPrefix(strings.TrimSpace(href), "cid:"), "<>")
	if plain, err := url.PathUnescape(id); err == nil {
		return plain
	}
	return id
}

// Encode writes the header as an eb:Messaging element without a declaration:
// what as4 sends carries more, this is the form of the published samples.
func (h *Header) Encode() ([]byte, error) {
	w := xmltree.NewFragment()
	w.Open("eb:Messaging")
	w.Declare("eb")
	w.Open("eb:UserMessage")
	w.Open("eb:MessageInfo")
	w.Leaf("eb:Timestamp", regrep.FormatDateTime(h.Timestamp))
	w.Leaf("eb:MessageId", h.MessageID)
	if h.RefTo != "" {
		w.Leaf("eb:RefToMessageId", h.RefTo)
	}
	w.Close()
	w.Open("eb:PartyInfo")
	for _, side := range []struct {
		name string
		Party
	}{{"eb:From", h.From}, {"eb:To", h.To}} {
		w.Open(side.name)
		w.Leaf("eb:PartyId", side.ID, "type", side.Type)
		w.Leaf("eb:Role", side.Role)
		w.Close()
	}
	w.Close()
	w.Open("eb:CollaborationInfo")
	w.Leaf("eb:Service", h.Service, "type", h.ServiceType)
	w.Leaf("eb:Action", string(h.Action))
	w.Leaf("eb:ConversationId", h.ConversationID)
	w.Close()
	writeProperties(w, "eb:MessageProperties", h.Properties)
	w.Open("eb:PayloadInfo")
	for _, p := range h.Parts {
		w.Open("eb:PartInfo", "href", "cid:"+url.PathEscape(p.ContentID))
		writeProperties(w, "eb:PartProperties", p.Properties)
		w.Close()
	}
	w.Close()
	w.Close()
	w.Close()
	return w.Bytes()
}

func writeProperties(w *xmltree.Writer, name string, list []Property) {
	w.Open(name)
	for _, p := range list {
		w.Open("eb:Property", "name", p.Name)
		if p.Type != "" {
			w.Attr("type", p.Type)
		}
		w.Text(p.Value)
		w.Close()
	}
	w.Close()
}
