package partner

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
)

// Deviation is one way in which an AS4 message on the wire is unlike the
// customary one: wrong, or (Sound) unusual and still within the profile.
type Deviation struct {
	Name  string
	About string
	Sound bool

	header   func(*ebms.UserMessage)
	parts    func([]ebms.Part) []ebms.Part // before they are signed
	sealed   func([]ebms.Part) []ebms.Part // as they travel
	envelope func([]byte) []byte
	sign     func(*wssec.Signer)
	plain    bool // not encrypted
	unsigned bool
	inflated bool // not compressed
	foreign  bool // signed by somebody unknown
	astray   bool // encrypted for somebody else
	cut      bool // the connection ends in the middle
}

// Deviations are all, each under its name.
var Deviations = []Deviation{
	{Name: "usual", About: "nothing unusual", Sound: true},
	{Name: "uncompressed", About: "parts travel without gzip although the leg compresses (AS4_CP_TA04)", Sound: true, inflated: true},
	{Name: "pki-path", About: "the signing certificate comes with its chain (X509PKIPathv1)", Sound: true, sign: func(s *wssec.Signer) { s.Token = wssec.PKIPath }},
	{Name: "prefix-list", About: "canonicalisation names an inclusive prefix, as WSS4J does", Sound: true, sign: func(s *wssec.Signer) { s.PrefixList = true }},
	{Name: "ref-to", About: "RefToMessageId is given, which nobody may rely on", Sound: true, header: func(m *ebms.UserMessage) { m.RefToMessageID = "earlier@test.example" }},

	{Name: "unsigned", About: "there is no signature", unsigned: true, plain: true},
	{Name: "unencrypted", About: "parts travel in the clear", plain: true},
	{Name: "foreign-key", About: "somebody unknown signed in the sender's name", foreign: true},
	{Name: "astray", About: "encrypted for another access point", astray: true},
	{Name: "forged-header", About: "the header was changed after signing", envelope: swapText("</eb:ConversationId>", "0</eb:ConversationId>")},
	{Name: "forged-part", About: "octets of an encrypted part were changed on the way", sealed: flip},
	{Name: "broken-gzip", About: "the compressed part does not inflate", parts: each(func(b []byte) []byte { return append(b[:len(b)/2:len(b)/2], 0xff, 0xff, 0xff) })},
	{Name: "missing-part", About: "a part that the header names does not travel", sealed: func(p []ebms.Part) []ebms.Part { return p[:len(p)-1] }},
	{Name: "extra-part", About: "a part travels that the header does not name", sealed: func(p []ebms.Part) []ebms.Part {
		return append(p, ebms.Part{ID: "extra@test.example", Type: "application/octet-stream", Content: ebms.Bytes("extra")})
	}},
	{Name: "hyperlink", About: "the payload is a link to the outside", header: func(m *ebms.UserMessage) {
		m.Parts = append(m.Parts, ebms.PartInfo{ContentID: "x@test.example"})
	}, envelope: swapText("cid:x@test.example", "https://files.test.example/x")},
	{Name: "unknown-action", About: "an action that no leg has", header: func(m *ebms.UserMessage) { m.Action = "ExecuteSomethingElse" }},
	{Name: "unknown-service", About: "a service that nobody agreed on", header: func(m *ebms.UserMessage) { m.Service.Value = "WeatherManager" }},
	{Name: "wrong-service-type", About: "the service without its type", header: func(m *ebms.UserMessage) { m.Service.Type = "urn:example:other" }},
	{Name: "unknown-sender", About: "a sender that nobody knows", header: func(m *ebms.UserMessage) { m.From.ID.Value = "AP_XX_99" }},
	{Name: "wrong-addressee", About: "addressed to another access point", header: func(m *ebms.UserMessage) { m.To.ID.Value = "AP_XX_98" }},
	{Name: "wrong-role", About: "the sender's role is not the gateway's", header: func(m *ebms.UserMessage) { m.From.Role = "http://example.org/other-role" }},
	{Name: "no-final-recipient", About: "the property finalRecipient is missing", header: withoutProperty(ebms.FinalRecipient)},
	{Name: "no-original-sender", About: "the property originalSender is missing", header: withoutProperty(ebms.OriginalSender)},
	{Name: "no-exchange-id", About: "ExchangeId is missing beside SpecificationId", header: withoutProperty(ebms.ExchangeID)},
	{Name: "extra-property", About: "a property that no set has", header: func(m *ebms.UserMessage) {
		m.Properties = append(m.Properties, ebms.Property{Name: "colour", Value: "blue"})
	}},
	{Name: "double-property", About: "originalSender stands there twice", header: func(m *ebms.UserMessage) {
		m.Properties = append(m.Properties, m.Properties[0])
	}},
	{Name: "from-the-future", About: "the timestamp lies an hour ahead", header: func(m *ebms.UserMessage) { m.Timestamp = m.Timestamp.Add(time.Hour) }},
	{Name: "doctype", About: "the envelope declares a document type", envelope: func(b []byte) []byte {
		return append([]byte("<!DOCTYPE env:Envelope [<!ENTITY e \"e\">]>"), b...)
	}},
	{Name: "cut-off", About: "the message ends in the middle", cut: true},

	{Name: "no-mime-type", About: "the part property MimeType is missing", header: func(m *ebms.UserMessage) {
		for i := range m.Parts {
			m.Parts[i].Properties = slices.DeleteFunc(m.Parts[i].Properties, func(p ebms.Property) bool { return p.Name == ebms.MimeType })
		}
	}},
	{Name: "no-specification-id", About: "SpecificationId is missing beside ExchangeId", header: withoutProperty(ebms.SpecificationID)},
	{Name: "wrong-action", About: "the action does not fit the message", header: func(m *ebms.UserMessage) {
		m.Action = map[string]string{as4.ActionResponse: as4.ActionException, as4.ActionException: as4.ActionResponse, as4.ActionRequest: as4.ActionResponse,
			as4.ActionSubmit: as4.ActionSubmitDone}[m.Action]
	}},
	{Name: "new-conversation", About: "another ConversationId than the exchange has", header: func(m *ebms.UserMessage) {
		m.ConversationID = "99999999-9999-4999-8999-999999999999"
	}},
	{Name: "new-exchange", About: "another ExchangeId than the exchange has", header: func(m *ebms.UserMessage) {
		for i := range m.Properties {
			if m.Properties[i].Name == ebms.ExchangeID {
				m.Properties[i].Value = "99999999-9999-4999-8999-999999999998"
			}
		}
	}},
	{Name: "other-corners", About: "originalSender names somebody who is not in the message", header: func(m *ebms.UserMessage) { m.Properties[0].Value = "somebody-else" }},
	{Name: "unswapped-corners", About: "originalSender and finalRecipient stand as in the request", header: func(m *ebms.UserMessage) {
		a, b := m.Properties[0], m.Properties[1]
		m.Properties[0].Type, m.Properties[0].Value, m.Properties[1].Type, m.Properties[1].Value = b.Type, b.Value, a.Type, a.Value
	}},
	{Name: "other-specification", About: "SpecificationId is not the line of the message", header: func(m *ebms.UserMessage) {
		for i := range m.Properties {
			if m.Properties[i].Name == ebms.SpecificationID {
				m.Properties[i].Value = "oots-edm:v1.2"
			}
		}
	}},
	{Name: "other-party-type", About: "the party id has another type", header: func(m *ebms.UserMessage) { m.From.ID.Type = "urn:example:other-type" }},
	{Name: "old-clock", About: "the timestamp lies ten minutes back", header: func(m *ebms.UserMessage) { m.Timestamp = m.Timestamp.Add(-10 * time.Minute) }},
}

// FindDeviation is the deviation of a name, nil when there is none.
func FindDeviation(name string) *Deviation {
	if i := slices.IndexFunc(Deviations, func(d Deviation) bool { return d.Name == name }); i >= 0 {
		return &Deviations[i]
	}
	return nil
}

func withoutProperty(name string) func(*ebms.UserMessage) {
	return func(m *ebms.UserMessage) {
		m.Properties = slices.DeleteFunc(m.Properties, func(p ebms.Property) bool { return p.Name == name })
	}
}

func swapText(old, with string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(with), 1) }
}

func each(f func([]byte) []byte) func([]ebms.Part) []ebms.Part {
	return func(parts []ebms.Part) []ebms.Part {
		for i := range parts {
			b, _ := ebms.ReadAll(parts[i].Content)
			parts[i].Content = ebms.Bytes(f(b))
		}
		return parts
	}
}

func flip(parts []ebms.Part) []ebms.Part {
	return each(func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 1
		return b
	})(parts)
}

// Signal is what came back over HTTP for a pushed message.
type Signal struct {
	Status  int // of HTTP; 0 when nobody answered
	Kind    string
	Code    ebms.Code // of an error
	Signed  bool      // by the certificate that is configured for the partner
	Matches bool      // a receipt that repeats what was sent
	Problem string    // why there is no readable signal
	Raw     []byte
}

// Kinds of a Signal.
const (
	SignalReceipt = "receipt"
	SignalError   = "error"
	SignalNone    = "none"
)

// String says it in words.
func (s Signal) String() string {
	signed := "unsigned"
	if s.Signed {
		signed = "signed"
	}
	switch {
	case s.Kind == SignalError:
		return fmt.Sprintf("HTTP %d with the %s error %s", s.Status, signed, s.Code)
	case s.Kind == SignalReceipt && !s.Matches:
		return fmt.Sprintf("HTTP %d with a %s receipt that is not for what was sent", s.Status, signed)
	case s.Kind == SignalReceipt:
		return fmt.Sprintf("HTTP %d with a %s receipt", s.Status, signed)
	case s.Status == 0:
		return "no answer: " + s.Problem
	}
	return fmt.Sprintf("HTTP %d without a readable signal: %s", s.Status, s.Problem)
}

// maxSignal bounds what an access point may answer.
const maxSignal = 1 << 20

// PushRaw sends a letter past the queue, once, with a deviation, and tells what
// came back. The error is the party's own, never the partner's.
func (p *Party) PushRaw(ctx context.Context, l Letter, d *Deviation) (*Mail, Signal, error) {
	m := p.header(&l)
	m.From = ebms.Party{ID: PartyID(p.Name), Role: as4.GatewayRole}
	if m.Timestamp = p.Clock.Now(); m.MessageID == "" {
		m.MessageID = p.NewID() + "@" + p.ap.Domain
	}
	peer := p.ap.PMode.Partner(l.To)
	if peer == nil {
		return nil, Signal{}, fmt.Errorf("%s is no peer of %s", l.To.Value, p.Name)
	}
	compress := slices.ContainsFunc(as4.OOTSLegs(), func(g as4.Leg) bool { return g.Service.Value == l.Service && g.Action == l.Action && g.Compress })
	var parts []ebms.Part
	for _, f := range l.Files {
		id := f.ID
		if id == "" {
			id = strings.ReplaceAll(p.NewID(), "-", "") + "@" + p.ap.Domain
		}
		info := ebms.PartInfo{ContentID: id, Properties: []ebms.Property{{Name: ebms.MimeType, Value: f.Type}}}
		part := ebms.Part{ID: id, Type: "application/octet-stream", Content: ebms.Bytes(f.Data)}
		if compress && !d.inflated {
			part.Type, part.Content = ebms.Gzip, ebms.Bytes(zip(f.Data))
			info.Properties = append(info.Properties, ebms.Property{Name: ebms.CompressionType, Value: ebms.Gzip})
		}
		m.Parts, parts = append(m.Parts, info), append(parts, part)
	}
	if d.header != nil {
		d.header(m)
	}
	if d.parts != nil {
		parts = d.parts(parts)
	}
	mail := &Mail{Sent: true, Header: *m, Files: l.Files, At: m.Timestamp, State: as4.Undelivered, Tries: 1}
	mail.read()
	p.mu.Lock()
	p.mail = append(p.mail, mail)
	p.mu.Unlock()

	envelope, parts, err := p.seal(m, parts, peer, d)
	if err != nil {
		return mail, Signal{}, err
	}
	mail.Envelope = envelope
	pack := ebms.NewPackage(envelope, parts, strings.ReplaceAll(p.NewID(), "-", ""))
	if mail.wire, err = io.ReadAll(pack.NewReader()); err != nil {
		return mail, Signal{}, err
	}
	if mail.kind = pack.ContentType(); d.cut {
		mail.wire = mail.wire[:len(mail.wire)*2/3]
	}
	sig := p.post(ctx, peer, mail)
	if sig.Kind == SignalReceipt {
		mail.State, mail.Receipt = as4.Acknowledged, sig.Raw
	} else {
		mail.Code = sig.Code
	}
	return mail, sig, nil
}

// seal signs and encrypts as the deviation wants it.
func (p *Party) seal(m *ebms.UserMessage, parts []ebms.Part, peer *as4.Partner, d *Deviation) ([]byte, []ebms.Part, error) {
	header := &ebms.Header{User: m}
	var envelope []byte
	if d.unsigned {
		messaging, err := header.Encode("messaging")
		if err != nil {
			return nil, nil, err
		}
		envelope = ebms.BuildEnvelope(messaging, nil, ebms.EmptyBody("body"))
	} else {
		signer := wssec.Signer{Identity: p.Keys.Sign, NewID: p.NewID}
		if d.foreign {
			signer.Identity = p.Keys.Encrypt // a certificate that is not known for signing
		}
		if d.sign != nil {
			d.sign(&signer)
		}
		named := *header
		if d.Name == "hyperlink" { // sign what travels only
			parts = append(parts, ebms.Part{ID: "x@test.example", Type: "application/octet-stream", Content: ebms.Bytes("x")})
		}
		signed, err := signer.Sign(&named, parts)
		if err != nil {
			return nil, nil, fmt.Errorf("sign: %w", err)
		}
		envelope = signed.Envelope
	}
	if !d.plain {
		to := peer.Encrypt
		if d.astray {
			to = p.Keys.Encrypt.Cert()
		}
		encrypter := wssec.Encrypter{Recipient: to, NewID: p.NewID}
		var err error
		if envelope, parts, err = encrypter.Encrypt(envelope, parts); err != nil {
			return nil, nil, fmt.Errorf("encrypt: %w", err)
		}
	}
	if d.sealed != nil {
		parts = d.sealed(parts)
	}
	if d.envelope != nil {
		envelope = d.envelope(envelope)
	}
	return envelope, parts, nil
}

// Repeat sends a raw message again, octet for octet.
func (p *Party) Repeat(ctx context.Context, m *Mail) (Signal, error) {
	peer := p.ap.PMode.Partner(m.Header.To.ID)
	if peer == nil || m.wire == nil {
		return Signal{}, fmt.Errorf("message %s cannot be repeated", m.Header.MessageID)
	}
	return p.post(ctx, peer, m), nil
}

func (p *Party) post(ctx context.Context, peer *as4.Partner, m *Mail) Signal {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, peer.URL, bytes.NewReader(m.wire))
	if err != nil {
		return Signal{Kind: SignalNone, Problem: "the address cannot be used"}
	}
	req.Header.Set("Content-Type", m.kind)
	resp, err := p.HTTP.Do(req)
	if err != nil {
		return Signal{Kind: SignalNone, Problem: "no connection, or no answer in time"}
	}
	defer resp.Body.Close()
	s := Signal{Status: resp.StatusCode, Kind: SignalNone}
	raw, err := readBounded(ctx, resp.Body, maxSignal)
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.read(raw, resp.Header.Get("Content-Type"), m.Envelope, peer.Sign)
	return s
}

// read judges an answer: what it is, who signed it, and what it is for.
func (s *Signal) read(raw []byte, contentType string, sent []byte, known []*x509.Certificate) {
	s.Raw = raw
	reader, err := ebms.NewReader(bytes.NewReader(raw), contentType, ebms.Limits{Parts: 1, Part: 1, Message: 1}, ebms.Disk{})
	if err == nil {
		defer reader.Close()
		s.Raw, err = reader.Root()
	}
	var env *ebms.Envelope
	if err == nil {
		env, err = ebms.ReadEnvelope(s.Raw)
	}
	var h *ebms.Header
	if err == nil {
		h, err = env.Decode()
	}
	if err != nil || h.Signal == nil {
		s.Problem = "what came is not an ebMS signal"
		return
	}
	if env.Security != nil {
		verified, err := wssec.Verify(env, wssec.Rules{Known: known})
		s.Signed = err == nil && verified.SignedBy(known...) == nil
	}
	switch {
	case h.Signal.Receipt != nil:
		s.Kind = SignalReceipt
		if refs, err := wssec.ReadReferences(sent); err == nil {
			if e, err := ebms.ReadEnvelope(sent); err == nil {
				if own, err := e.Decode(); err == nil {
					s.Matches = ebms.MatchReceipt(refs, h.Signal, own.MessageID()) == nil
				}
			}
		}
	case len(h.Signal.Errors) > 0:
		s.Kind, s.Code = SignalError, h.Signal.Errors[0].Code
	default:
		s.Problem = "an empty signal"
	}
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}
