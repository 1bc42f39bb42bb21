package ebms

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/once-only/oots/xmltree"
)

// MaxRoot bounds the SOAP envelope: 1 MiB, with room for 28 parts.
const MaxRoot = 1 << 20

// envelopeLimits bound the tree of an envelope.
var envelopeLimits = xmltree.Limits{Size: MaxRoot, Depth: 40, Nodes: 20000, Attributes: 40, Prefixes: 60}

// Envelope is a SOAP 1.2 envelope of the one shape that AS4 needs. Its elements
// are known by their place, never found by an id.
type Envelope struct {
	Document  *xmltree.Document
	Messaging *xmltree.Element
	Security  *xmltree.Element // nil when the message carries none
	Body      *xmltree.Element
}

// ReadEnvelope reads an envelope (UTF-8, a byte order mark is accepted): one
// Header with one eb:Messaging, at most one wsse:Security and nothing else, and
// one Body. The error is an *Error with EBMS:0009.
func ReadEnvelope(raw []byte) (*Envelope, error) {
	doc, err := xmltree.Parse(raw, xmltree.Options{Limits: envelopeLimits})
	if err != nil {
		detail := "the envelope is not acceptable XML"
		var x *xmltree.Error
		if errors.As(err, &x) {
			detail = fmt.Sprintf("the envelope is not acceptable XML: %s, line %d", x.Reason, x.Line)
		}
		return nil, Errorf(InvalidHeader, err, "%s", detail)
	}
	root := doc.Root
	switch {
	case root.Is(soap11, "Envelope"):
		return nil, invalid("the envelope is SOAP 1.1; AS4 uses SOAP 1.2")
	case !root.Is(SOAP, "Envelope"):
		return nil, invalid("the root element is not a SOAP 1.2 envelope")
	case !root.Blank() || root.Len() != 2 || !root.First().Is(SOAP, "Header") || !root.First().Next().Is(SOAP, "Body"):
		return nil, invalid("the envelope does not consist of one Header and one Body")
	}
	e := &Envelope{Document: doc, Body: root.First().Next()}
	if !root.First().Blank() {
		return nil, invalid("the SOAP Header contains text")
	}
	for c := range root.First().Children() {
		switch {
		case c.Is(NS, "Messaging") && e.Messaging == nil:
			e.Messaging = c
		case c.Is(WSSE, "Security") && e.Security == nil:
			e.Security = c
		case c.Is(NS, "Messaging"), c.Is(WSSE, "Security"):
			return nil, invalid("the SOAP Header contains a second %s", c.Local())
		default:
			return nil, invalid("the SOAP Header contains a block that is neither eb:Messaging nor wsse:Security")
		}
		for _, name := range []string{"role", "relay", "actor"} {
			if c.HasAttr(SOAP, name) || c.HasAttr(soap11, name) {
				return nil, invalid("a header block is addressed to another SOAP node")
			}
		}
	}
	if e.Messaging == nil {
		return nil, invalid("the SOAP Header contains no eb:Messaging")
	}
	if m := e.Messaging.Attr(SOAP, "mustUnderstand"); m != "true" && m != "1" {
		return nil, invalid("eb:Messaging does not say mustUnderstand")
	}
	return e, nil
}

// BuildEnvelope puts a canonical eb:Messaging, a wsse:Security (may be empty)
// and an empty Body together. body is the Body element as Body writes it.
func BuildEnvelope(messaging, security, body []byte) []byte {
	const (
		start  = `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="` + SOAP + `"><env:Header>`
		middle = `</env:Header>`
		end    = `</env:Envelope>`
	)
	return bytes.Join([][]byte{[]byte(start), messaging, security, []byte(middle), body, []byte(end)}, nil)
}

// EmptyBody is the SOAP Body with the wsu:Id id, in exclusive canonical form
// and declaring what it uses.
func EmptyBody(id string) []byte {
	c := &canon{}
	c.raw(`<env:Body xmlns:env="`, SOAP, `" xmlns:wsu="`, WSU, `" wsu:Id="`)
	c.value(id)
	c.raw(`"></env:Body>`)
	return c.b
}

// BodyEmpty tells whether the Body holds nothing but white space.
func (e *Envelope) BodyEmpty() bool { return e.Body.Len() == 0 && e.Body.Blank() }

// Fault is the text of a SOAP fault in the Body, "" when there is none.
// Domibus sends one beside its eb:Error.
func (e *Envelope) Fault() string {
	f := e.Body.Child(SOAP, "Fault")
	if f == nil {
		return ""
	}
	if t := f.Find(SOAP, "Reason", "Text"); t != nil {
		return t.Norm()
	}
	return "SOAP fault"
}

func invalid(format string, args ...any) *Error {
	return Errorf(InvalidHeader, nil, format, args...)
}
