// Package ebms implements the ebMS 3.0 message header (OASIS ebMS 3.0 Core,
// the AS4 profile and eDelivery AS4 1.15 with the Four Corner enhancement), the
// SOAP 1.2 envelope around it and the MIME package around that.
//
// It reads strictly and within Limits, and writes canonical XML. It signs and
// verifies nothing (see wssec): decode a header from an envelope only after
// wssec has verified it. It knows no P-Mode (see as4).
package ebms

import (
	"slices"
	"strings"
	"time"
)

// The namespaces of an AS4 message.
const (
	SOAP   = "http://www.w3.org/2003/05/soap-envelope"
	NS     = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/"
	EBBP   = "http://docs.oasis-open.org/ebxml-bp/ebbp-signals-2.0"
	WSSE   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	WSU    = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
	DS     = "http://www.w3.org/2000/09/xmldsig#"
	DSIG11 = "http://www.w3.org/2009/xmldsig11#"
	XENC   = "http://www.w3.org/2001/04/xmlenc#"
	XENC11 = "http://www.w3.org/2009/xmlenc11#"
	EC     = "http://www.w3.org/2001/10/xml-exc-c14n#"

	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
)

// Values that the core specification fixes.
const (
	DefaultMPC  = NS + "defaultMPC"
	TestService = NS + "service" // eb:Service of the test service (ping)
	TestAction  = NS + "test"    // eb:Action of the test service
	Initiator   = NS + "initiator"
	Responder   = NS + "responder"
)

// Names of message properties (Four Corner enhancement; TDD 4.7) and of part
// properties (AS4 profile 3.1).
const (
	OriginalSender  = "originalSender"
	FinalRecipient  = "finalRecipient"
	ExchangeID      = "ExchangeId"      // TDD 2.0
	SpecificationID = "SpecificationId" // TDD 2.0
	MimeType        = "MimeType"
	CompressionType = "CompressionType"
	CharacterSet    = "CharacterSet"

	Gzip = "application/gzip" // the only CompressionType
)

// Header is the content of eb:Messaging: exactly one of the two.
type Header struct {
	User   *UserMessage
	Signal *SignalMessage
}

// MessageID is the eb:MessageId of whichever message it is.
func (h *Header) MessageID() string {
	switch {
	case h.User != nil:
		return h.User.MessageID
	case h.Signal != nil:
		return h.Signal.MessageID
	}
	return ""
}

// UserMessage is an eb:UserMessage.
type UserMessage struct {
	MPC            string    // @mpc; empty means DefaultMPC
	Timestamp      time.Time // written in UTC with milliseconds
	MessageID      string    // UUID@domain, printable ASCII, at most 255 characters
	RefToMessageID string    // two-way responses only
	From, To       Party
	Agreement      *Agreement // nil in OOTS
	Service        Service
	Action         string
	ConversationID string
	Properties     []Property // eb:MessageProperties
	Parts          []PartInfo // eb:PayloadInfo, in the producer's order
}

// Party is eb:From or eb:To: an access point, never a final corner.
type Party struct {
	ID   PartyID
	Role string
}

// PartyID is an eb:PartyId; compare both fields, exactly.
type PartyID struct {
	Type  string // @type, may be empty
	Value string
}

// Agreement is eb:AgreementRef.
type Agreement struct {
	Type, PMode string // attributes, may be empty
	Value       string
}

// Service is eb:Service.
type Service struct {
	Type  string // @type, may be empty
	Value string
}

// Property is an eb:Property of a message or a part.
type Property struct {
	Name, Type, Value string
}

// PartInfo is an eb:PartInfo.
type PartInfo struct {
	ContentID  string     // @href without "cid:", percent-decoded
	Properties []Property // eb:PartProperties
}

// Value is the value of the first property of that name.
func Value(ps []Property, name string) string {
	if i := slices.IndexFunc(ps, func(p Property) bool { return p.Name == name }); i >= 0 {
		return ps[i].Value
	}
	return ""
}

// Property is the value of a part property, "" when absent.
func (p *PartInfo) Property(name string) string { return Value(p.Properties, name) }

// Compressed tells whether the sender compressed the part.
func (p *PartInfo) Compressed() bool { return p.Property(CompressionType) == Gzip }

// Property is the value of a message property, "" when absent.
func (m *UserMessage) Property(name string) string { return Value(m.Properties, name) }

// IsTest tells whether the message is for the test service (AS4 profile
// 3.1.8): to be acknowledged, never to be delivered.
func (m *UserMessage) IsTest() bool {
	return m.Service.Value == TestService && m.Action == TestAction
}

// Test turns a message into one for the test service.
func (m *UserMessage) Test() {
	m.Service, m.Action = Service{Value: TestService}, TestAction
}

// SignalMessage is an eb:SignalMessage: a receipt, errors or (not supported) a
// pull request.
type SignalMessage struct {
	Timestamp      time.Time
	MessageID      string
	RefToMessageID string // empty on errors about an unreadable message
	Receipt        *Receipt
	Errors         []*Error
}

// Receipt is an eb:Receipt.
type Receipt struct {
	// References are the ds:Reference elements of its
	// NonRepudiationInformation. None in a plain reception-awareness receipt,
	// which proves nothing.
	References []Reference
}

// Reference is a ds:Reference: what was digested, and the digest.
type Reference struct {
	URI    string // "#id" or "cid:…", as written
	Digest string // ds:DigestValue without white space
	// XML is the element in exclusive canonical form, which stands on its own
	// and can be repeated verbatim in a receipt.
	XML string
}

// twice is EBMS:0052 as Domibus uses it: of a property, and as a failure.
func twice(detail string) *Error {
	e := Errorf(BadProperties, nil, "%s", detail)
	e.Warning = false
	return e
}

// PropertyRule is one line of a property set.
type PropertyRule struct {
	Name     string
	Required bool
}

// PropertySet is what a P-Mode lets message properties be: nothing else may
// stand there, nothing twice. Names compare case-insensitively, as Domibus does.
type PropertySet []PropertyRule

// The property sets of the OOTS lines: four corners in TDD 1.x, two more in 2.0.
var (
	FourCorner    = PropertySet{{OriginalSender, true}, {FinalRecipient, true}}
	FourCornerTwo = PropertySet{{OriginalSender, true}, {FinalRecipient, true}, {ExchangeID, true}, {SpecificationID, true}}
)

// Check judges ps: EBMS:0010 for a missing or unlisted property, EBMS:0052 for
// one that occurs twice.
func (s PropertySet) Check(ps []Property) error {
	seen := make(map[string]bool, len(ps))
	for _, p := range ps {
		name := strings.ToLower(p.Name)
		if !slices.ContainsFunc(s, func(r PropertyRule) bool { return strings.EqualFold(r.Name, p.Name) }) {
			return Errorf(ProcessingModeMismatch, nil, "a message property is not in the property set of this leg")
		}
		if seen[name] {
			return twice("a message property occurs twice")
		}
		seen[name] = true
	}
	for _, r := range s {
		if r.Required && !seen[strings.ToLower(r.Name)] {
			return Errorf(ProcessingModeMismatch, nil, "the message property %s is missing", r.Name)
		}
	}
	return nil
}
