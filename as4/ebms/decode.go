package ebms

import (
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/once-only/oots/xmltree"
)

// Limits of a header, generous against the 28 parts and four properties that
// occur.
const (
	maxParts      = 100
	maxProperties = 100
	maxErrors     = 100
	maxReferences = 100
	maxValue      = 4096 // characters of one value
)

// Decode reads the header of the envelope: of a received message only after
// wssec has verified it. The errors are *Error: EBMS:0009 for a header against
// the schema, EBMS:0011 for a part outside the message, EBMS:0007 for parts
// named twice.
func (e *Envelope) Decode() (*Header, error) {
	d := &decoder{}
	m := e.Messaging
	h := &Header{}
	if !m.Blank() || m.Len() != 1 {
		return nil, invalid("eb:Messaging holds %d messages; exactly one is allowed", m.Len())
	}
	switch c := m.First(); {
	case c.Is(NS, "UserMessage"):
		h.User = d.user(c)
		if d.err == nil && !e.BodyEmpty() {
			return nil, invalid("the SOAP Body is not empty; payloads travel as MIME parts")
		}
	case c.Is(NS, "SignalMessage"):
		h.Signal = d.signal(c)
	default:
		return nil, invalid("eb:Messaging holds neither eb:UserMessage nor eb:SignalMessage")
	}
	if d.err != nil {
		return nil, d.err
	}
	return h, nil
}

// decoder walks elements in the order of the schema and keeps the first error.
type decoder struct{ err error }

func (d *decoder) fail(err *Error) {
	if d.err == nil {
		d.err = err
	}
}

// sequence hands out the children of one element in their order.
type sequence struct {
	d      *decoder
	parent *xmltree.Element
	next   *xmltree.Element
}

func (d *decoder) sequence(e *xmltree.Element) *sequence {
	if !e.Blank() {
		d.fail(invalid("text between the children of eb:%s", e.Local()))
	}
	return &sequence{d, e, e.First()}
}

// take returns the next child if it has that name, nil otherwise.
func (s *sequence) take(name string) *xmltree.Element {
	if s.next == nil || !s.next.Is(NS, name) {
		return nil
	}
	e := s.next
	s.next = e.Next()
	return e
}

func (s *sequence) need(name string) *xmltree.Element {
	e := s.take(name)
	if e == nil {
		s.d.fail(invalid("eb:%s is missing or misplaced in eb:%s", name, s.parent.Local()))
	}
	return e
}

func (s *sequence) end() {
	if s.next != nil {
		s.d.fail(invalid("an element in eb:%s that does not belong there", s.parent.Local()))
	}
}

// text is a non-empty value exactly as written.
func (d *decoder) text(e *xmltree.Element) string {
	v := e.Text()
	if e != nil && (e.Len() > 0 || strings.TrimSpace(v) == "" || len(v) > maxValue) {
		d.fail(invalid("eb:%s is empty, too long or holds elements", e.Local()))
	}
	return v
}

// token is a non-empty value with white space normalised (xs:token).
func (d *decoder) token(e *xmltree.Element) string { return xmltree.NormalizeSpace(d.text(e)) }

func (d *decoder) attr(e *xmltree.Element, name string) string {
	v := e.Attr("", name)
	if e.HasAttr("", name) && v == "" || len(v) > maxValue {
		d.fail(invalid("the attribute %s of eb:%s is empty or too long", name, e.Local()))
	}
	return v
}

func (d *decoder) info(e *xmltree.Element) (at time.Time, id, ref string) {
	s := d.sequence(e)
	at = d.time(d.token(s.need("Timestamp")))
	id = d.text(s.need("MessageId"))
	if d.err == nil {
		if err := checkMessageID(id); err != nil {
			d.fail(err.(*Error))
		}
	}
	if r := s.take("RefToMessageId"); r != nil {
		ref = d.text(r)
		if d.err == nil {
			if err := checkMessageID(ref); err != nil {
				d.fail(err.(*Error))
			}
		}
	}
	s.end()
	return at, id, ref
}

// time is an xs:dateTime with any fraction; without offset it means UTC.
func (d *decoder) time(v string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC()
		}
	}
	d.fail(invalid("eb:Timestamp is not a date and time"))
	return time.Time{}
}

func (d *decoder) user(e *xmltree.Element) *UserMessage {
	m := &UserMessage{MPC: d.attr(e, "mpc")}
	s := d.sequence(e)
	m.Timestamp, m.MessageID, m.RefToMessageID = d.info(s.need("MessageInfo"))

	parties := d.sequence(s.need("PartyInfo"))
	m.From = d.party(parties.need("From"))
	m.To = d.party(parties.need("To"))
	parties.end()

	c := d.sequence(s.need("CollaborationInfo"))
	if a := c.take("AgreementRef"); a != nil && (a.Text() != "" || len(a.Attrs()) > 0) {
		m.Agreement = &Agreement{Type: d.attr(a, "type"), PMode: d.attr(a, "pmode"), Value: d.text(a)}
	}
	v := c.need("Service")
	m.Service = Service{Type: d.attr(v, "type"), Value: d.text(v)}
	m.Action = d.token(c.need("Action"))
	m.ConversationID = d.token(c.need("ConversationId"))
	c.end()

	if ps := s.take("MessageProperties"); ps != nil {
		m.Properties = d.properties(ps)
	}
	if p := s.take("PayloadInfo"); p != nil {
		m.Parts = d.parts(p)
	}
	s.end()
	return m
}

// party takes exactly one PartyId, as the eDelivery profile demands.
func (d *decoder) party(e *xmltree.Element) Party {
	s := d.sequence(e)
	id := s.need("PartyId")
	p := Party{ID: PartyID{Type: d.attr(id, "type"), Value: d.text(id)}}
	if s.take("PartyId") != nil {
		d.fail(invalid("eb:%s names more than one eb:PartyId", e.Local()))
	}
	p.Role = d.text(s.need("Role"))
	s.end()
	return p
}

func (d *decoder) properties(e *xmltree.Element) []Property {
	s := d.sequence(e)
	if e.Len() == 0 || e.Len() > maxProperties {
		d.fail(invalid("eb:%s holds %d properties; 1 to %d are allowed", e.Local(), e.Len(), maxProperties))
		return nil
	}
	out := make([]Property, 0, e.Len())
	for p := s.take("Property"); p != nil; p = s.take("Property") {
		if !p.HasAttr("", "name") {
			d.fail(invalid("an eb:Property has no name"))
		}
		out = append(out, Property{Name: d.attr(p, "name"), Type: d.attr(p, "type"), Value: d.text(p)})
	}
	s.end()
	return out
}

func (d *decoder) parts(e *xmltree.Element) []PartInfo {
	s := d.sequence(e)
	if e.Len() == 0 || e.Len() > maxParts {
		d.fail(Errorf(MimeInconsistency, nil, "eb:PayloadInfo names %d parts; 1 to %d are allowed", e.Len(), maxParts))
		return nil
	}
	out := make([]PartInfo, 0, e.Len())
	seen := map[string]bool{}
	for p := s.take("PartInfo"); p != nil; p = s.take("PartInfo") {
		id, err := ParseCID(p.Attr("", "href"))
		if err != nil {
			d.fail(err.(*Error))
			return nil
		}
		if seen[id] {
			d.fail(Errorf(MimeInconsistency, nil, "two eb:PartInfo name the same part"))
		}
		seen[id] = true
		info := PartInfo{ContentID: id}
		ps := d.sequence(p)
		ps.take("Schema")
		ps.take("Description")
		if props := ps.take("PartProperties"); props != nil {
			info.Properties = d.properties(props)
		}
		ps.end()
		d.partProperties(&info)
		out = append(out, info)
	}
	s.end()
	return out
}

// partProperties judges the properties that this layer understands: each at
// most once, gzip the only compression.
func (d *decoder) partProperties(p *PartInfo) {
	n := map[string]int{}
	for _, v := range p.Properties {
		n[v.Name]++
	}
	if n[MimeType] > 1 || n[CompressionType] > 1 || n[CharacterSet] > 1 {
		d.fail(twice("a part property occurs twice"))
	}
	if err := p.checkCharacterSet(); err != nil {
		d.fail(err.(*Error))
	}
	if n[CompressionType] == 0 {
		return
	}
	if !p.Compressed() {
		d.fail(Errorf(DecompressionFailure, nil, "the only CompressionType is %s", Gzip))
	}
	if p.Property(MimeType) == "" {
		d.fail(Errorf(DecompressionFailure, nil, "a compressed part has no MimeType property"))
	}
}

func (d *decoder) signal(e *xmltree.Element) *SignalMessage {
	m := &SignalMessage{}
	s := d.sequence(e)
	m.Timestamp, m.MessageID, m.RefToMessageID = d.info(s.need("MessageInfo"))
	if s.take("PullRequest") != nil {
		d.fail(Errorf(FeatureNotSupported, nil, "pull is not supported"))
	}
	if r := s.take("Receipt"); r != nil {
		m.Receipt = d.receipt(r)
	}
	for x := s.take("Error"); x != nil; x = s.take("Error") {
		m.Errors = append(m.Errors, d.error(x))
		if len(m.Errors) > maxErrors {
			d.fail(invalid("more than %d eb:Error in one signal", maxErrors))
			break
		}
	}
	s.end()
	if d.err == nil && (m.Receipt == nil) == (len(m.Errors) == 0) {
		d.fail(invalid("a signal is a receipt or errors"))
	}
	return m
}

func (d *decoder) error(e *xmltree.Element) *Error {
	x := &Error{
		Code:           Code(d.attr(e, "errorCode")),
		Warning:        strings.EqualFold(e.Attr("", "severity"), "warning"),
		RefToMessageID: d.attr(e, "refToMessageInError"),
	}
	if x.Code == "" {
		d.fail(invalid("an eb:Error has no errorCode"))
	}
	s := d.sequence(e)
	description := s.take("Description")
	if detail := s.take("ErrorDetail"); detail != nil {
		x.Detail = detail.Norm()
	} else if description != nil {
		x.Detail = description.Norm()
	}
	if len(x.Detail) > maxValue {
		x.Detail = strings.ToValidUTF8(x.Detail[:maxValue], "")
	}
	s.end()
	return x
}

// receipt reads an eb:Receipt. The schema lets elements of other namespaces
// stand beside the NonRepudiationInformation, and phase4 writes one (since 3.2);
// they are signed, and say nothing to us.
func (d *decoder) receipt(e *xmltree.Element) *Receipt {
	r := &Receipt{}
	nri := e.Child(EBBP, "NonRepudiationInformation")
	if nri == nil {
		return r // reception awareness only: no digests in it
	}
	for c := range e.Children() {
		if c != nri && (c.Is(EBBP, c.Local()) || c.Is(NS, c.Local()) || c.Is(DS, c.Local())) {
			d.fail(invalid("the receipt does not hold one NonRepudiationInformation with its parts"))
			return r
		}
	}
	if !e.Blank() || !nri.Blank() || nri.Len() == 0 || nri.Len() > maxReferences {
		d.fail(invalid("the receipt does not hold one NonRepudiationInformation with its parts"))
		return r
	}
	seen := map[string]bool{}
	for part := range nri.Children() {
		ref := part.First()
		if !part.Is(EBBP, "MessagePartNRInformation") || part.Len() != 1 || !part.Blank() || !ref.Is(DS, "Reference") {
			d.fail(invalid("the receipt holds something else than ds:Reference elements"))
			return r
		}
		x, err := ReadReference(ref)
		if err != nil {
			d.fail(err.(*Error))
			return r
		}
		if seen[x.URI] {
			d.fail(invalid("the receipt names one part twice"))
		}
		seen[x.URI] = true
		r.References = append(r.References, x)
	}
	return r
}

// ReadReference takes URI, digest value and canonical form from a ds:Reference.
// It judges no algorithm.
func ReadReference(e *xmltree.Element) (Reference, error) {
	var b strings.Builder
	if err := e.Canonical(&b); err != nil {
		return Reference{}, Errorf(InvalidHeader, err, "a ds:Reference cannot be canonicalised")
	}
	digest := strings.Join(strings.Fields(e.Child(DS, "DigestValue").Text()), "")
	if digest == "" || !e.HasAttr("", "URI") {
		return Reference{}, invalid("a ds:Reference lacks its URI or its digest value")
	}
	return Reference{URI: e.Attr("", "URI"), Digest: digest, XML: b.String()}, nil
}

// MatchReceipt compares a receipt with the references of the message that was
// sent, as Domibus does: the sets of (URI, digest value) must be equal, order
// ignored. The error is EBMS:0302.
func MatchReceipt(sent []Reference, s *SignalMessage, messageID string) error {
	switch {
	case s == nil || s.Receipt == nil:
		return Errorf(InvalidReceipt, nil, "the answer is not a receipt")
	case s.RefToMessageID != messageID:
		return Errorf(InvalidReceipt, nil, "the receipt is for another message")
	case len(s.Receipt.References) != len(sent):
		return Errorf(InvalidReceipt, nil, "the receipt has %d references, the message %d", len(s.Receipt.References), len(sent))
	}
	want := make(map[string]string, len(sent))
	for _, r := range sent {
		want[r.URI] = r.Digest
	}
	for _, r := range s.Receipt.References {
		if d, ok := want[r.URI]; !ok || d != r.Digest {
			return Errorf(InvalidReceipt, nil, "a reference in the receipt is not one of the message")
		}
		delete(want, r.URI)
	}
	return nil
}

// CID is the cid: URI of a content id (RFC 2392).
func CID(id string) string {
	var b strings.Builder
	io.WriteString(&b, "cid:")
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte(`%"<>\^{|}#[]`+"`", c) >= 0:
			const hex = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// ParseCID takes the content id from a cid: URI: EBMS:0011 for another URI.
func ParseCID(href string) (string, error) {
	href = strings.TrimSpace(href)
	if len(href) < 4 || !strings.EqualFold(href[:4], "cid:") {
		return "", Errorf(ExternalPayloadError, nil, "a part is not inside the message: its href is no cid: URI")
	}
	return contentID(href[4:])
}

// contentID brings a content id into the form that is compared: without
// brackets, white space and percent-encoding.
func contentID(s string) (string, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	s, err := url.PathUnescape(s)
	if err != nil {
		return "", Errorf(MimeInconsistency, err, "a content id is wrongly percent-encoded")
	}
	return s, checkContentID(s)
}

func checkContentID(s string) error {
	if s == "" || len(s) > 255 {
		return Errorf(MimeInconsistency, nil, "a content id has %d characters; 1 to 255 are allowed", len(s))
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '<' || s[i] == '>' || s[i] == '"' {
			return Errorf(MimeInconsistency, nil, "a content id contains a character that is not allowed")
		}
	}
	return nil
}
