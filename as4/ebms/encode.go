package ebms

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// canon writes XML that already is in exclusive canonical form, so that what
// is digested and what travels are the same bytes. Every method appends.
type canon struct {
	b   []byte
	bad error
}

func (c *canon) raw(s ...string) {
	for _, s := range s {
		c.b = append(c.b, s...)
	}
}

// leaf writes <name a="v" …>text</name>; attributes are names and values in
// canonical order, those with an empty value are left out.
func (c *canon) leaf(name, text string, attrs ...string) {
	c.open(name, attrs...)
	c.text(text)
	c.raw("</", name, ">")
}

func (c *canon) open(name string, attrs ...string) {
	c.raw("<", name)
	for i := 0; i < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			c.raw(" ", attrs[i], `="`)
			c.value(attrs[i+1])
			c.raw(`"`)
		}
	}
	c.raw(">")
}

func (c *canon) text(s string) {
	c.chars(s)
	from := 0
	for i := 0; i < len(s); i++ {
		var r string
		switch s[i] {
		case '&':
			r = "&amp;"
		case '<':
			r = "&lt;"
		case '>':
			r = "&gt;"
		case '\r':
			r = "&#xD;"
		default:
			continue
		}
		c.raw(s[from:i], r)
		from = i + 1
	}
	c.raw(s[from:])
}

func (c *canon) value(s string) {
	c.chars(s)
	from := 0
	for i := 0; i < len(s); i++ {
		var r string
		switch s[i] {
		case '&':
			r = "&amp;"
		case '<':
			r = "&lt;"
		case '"':
			r = "&quot;"
		case '\t':
			r = "&#x9;"
		case '\n':
			r = "&#xA;"
		case '\r':
			r = "&#xD;"
		default:
			continue
		}
		c.raw(s[from:i], r)
		from = i + 1
	}
	c.raw(s[from:])
}

// chars remembers characters that XML 1.0 forbids.
func (c *canon) chars(s string) {
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if b < 0x20 && b != '\t' && b != '\n' && b != '\r' {
				c.bad = errors.New("a value contains a control character")
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			c.bad = errors.New("a value is not valid UTF-8")
		}
		i += n
	}
}

// stamp is xs:dateTime in UTC with milliseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Encode writes the eb:Messaging element with the wsu:Id id. The bytes are in
// exclusive canonical form and declare every namespace they use, so they can
// be digested as they are and stand in any envelope.
func (h *Header) Encode(id string) ([]byte, error) {
	if (h.User == nil) == (h.Signal == nil) {
		return nil, errors.New("ebms: a header holds one user message or one signal")
	}
	c := &canon{b: make([]byte, 0, 4096)}
	c.raw(`<eb:Messaging xmlns:eb="`, NS, `" xmlns:env="`, SOAP, `" xmlns:wsu="`, WSU, `" wsu:Id="`)
	c.value(id)
	c.raw(`" env:mustUnderstand="true">`)
	var err error
	if h.User != nil {
		err = h.User.encode(c)
	} else {
		err = h.Signal.encode(c)
	}
	if err != nil {
		return nil, err
	}
	c.raw("</eb:Messaging>")
	if c.bad != nil {
		return nil, fmt.Errorf("ebms: message %q: %w", h.MessageID(), c.bad)
	}
	return c.b, nil
}

func (m *UserMessage) encode(c *canon) error {
	for _, v := range []struct{ name, value string }{
		{"From/PartyId", m.From.ID.Value}, {"From/Role", m.From.Role},
		{"To/PartyId", m.To.ID.Value}, {"To/Role", m.To.Role},
		{"Service", m.Service.Value}, {"Action", m.Action},
		{"ConversationId", m.ConversationID},
	} {
		if strings.TrimSpace(v.value) == "" {
			return fmt.Errorf("ebms: eb:%s must not be empty", v.name)
		}
	}
	c.open("eb:UserMessage", "mpc", m.MPC)
	if err := c.info(m.Timestamp, m.MessageID, m.RefToMessageID); err != nil {
		return err
	}
	c.raw("<eb:PartyInfo>")
	for i, p := range []Party{m.From, m.To} {
		name := [2]string{"eb:From", "eb:To"}[i]
		c.raw("<", name, ">")
		c.leaf("eb:PartyId", p.ID.Value, "type", p.ID.Type)
		c.leaf("eb:Role", p.Role)
		c.raw("</", name, ">")
	}
	c.raw("</eb:PartyInfo><eb:CollaborationInfo>")
	if a := m.Agreement; a != nil {
		c.leaf("eb:AgreementRef", a.Value, "pmode", a.PMode, "type", a.Type)
	}
	c.leaf("eb:Service", m.Service.Value, "type", m.Service.Type)
	c.leaf("eb:Action", m.Action)
	c.leaf("eb:ConversationId", m.ConversationID)
	c.raw("</eb:CollaborationInfo>")
	c.properties("eb:MessageProperties", m.Properties)
	if len(m.Parts) > 0 {
		c.raw("<eb:PayloadInfo>")
		for _, p := range m.Parts {
			if err := checkContentID(p.ContentID); err != nil {
				return err
			}
			c.open("eb:PartInfo", "href", CID(p.ContentID))
			c.properties("eb:PartProperties", p.Properties)
			c.raw("</eb:PartInfo>")
		}
		c.raw("</eb:PayloadInfo>")
	}
	c.raw("</eb:UserMessage>")
	return nil
}

func (c *canon) info(t time.Time, id, ref string) error {
	if t.IsZero() {
		return errors.New("ebms: a message without timestamp")
	}
	if err := checkMessageID(id); err != nil {
		return err
	}
	c.raw("<eb:MessageInfo>")
	c.leaf("eb:Timestamp", stamp(t))
	c.leaf("eb:MessageId", id)
	if ref != "" {
		c.leaf("eb:RefToMessageId", ref)
	}
	c.raw("</eb:MessageInfo>")
	return nil
}

func (c *canon) properties(name string, ps []Property) {
	if len(ps) == 0 {
		return
	}
	c.raw("<", name, ">")
	for _, p := range ps {
		if p.Name == "" {
			c.bad = errors.New("a property has no name")
		}
		c.leaf("eb:Property", p.Value, "name", p.Name, "type", p.Type)
	}
	c.raw("</", name, ">")
}

func (s *SignalMessage) encode(c *canon) error {
	if (s.Receipt == nil) == (len(s.Errors) == 0) {
		return errors.New("ebms: a signal is a receipt or errors")
	}
	c.raw("<eb:SignalMessage>")
	if err := c.info(s.Timestamp, s.MessageID, s.RefToMessageID); err != nil {
		return err
	}
	if r := s.Receipt; r != nil {
		if len(r.References) == 0 {
			return errors.New("ebms: a receipt without references proves nothing")
		}
		c.raw(`<eb:Receipt><ebbp:NonRepudiationInformation xmlns:ebbp="`, EBBP, `">`)
		for _, ref := range r.References {
			c.raw("<ebbp:MessagePartNRInformation>", ref.XML, "</ebbp:MessagePartNRInformation>")
		}
		c.raw("</ebbp:NonRepudiationInformation></eb:Receipt>")
	}
	for _, e := range s.Errors {
		k := Kinds[e.Code]
		severity := "failure"
		if e.Warning {
			severity = "warning"
		}
		c.open("eb:Error", "category", k.Category, "errorCode", string(e.Code), "origin", k.Origin,
			"refToMessageInError", e.RefToMessageID, "severity", severity, "shortDescription", k.Short)
		if k.Short != "" {
			c.leaf("eb:Description", k.Short, "xml:lang", "en")
		}
		if e.Detail != "" {
			c.leaf("eb:ErrorDetail", e.Detail)
		}
		c.raw("</eb:Error>")
	}
	c.raw("</eb:SignalMessage>")
	return nil
}

// checkMessageID wants an RFC 2822 msg-id without brackets: printable ASCII, at
// most 255 characters (the default pattern and column of Domibus).
func checkMessageID(id string) error {
	if id == "" || len(id) > 255 {
		return Errorf(InvalidHeader, nil, "a message id has %d characters; 1 to 255 are allowed", len(id))
	}
	for i := 0; i < len(id); i++ {
		if id[i] <= ' ' || id[i] > '~' || id[i] == '<' || id[i] == '>' {
			return Errorf(InvalidHeader, nil, "a message id contains a character that is not allowed")
		}
	}
	return nil
}
