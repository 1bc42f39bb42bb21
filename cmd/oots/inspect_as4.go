package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"net/textproto"
	"strings"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/validator"
)

// as4Capture is one captured AS4 message: an HTTP request or response with its
// headers, a multipart body alone, or a bare envelope.
type as4Capture struct {
	name     string
	octets   int
	reader   *ebms.Reader
	root     []byte
	env      *ebms.Envelope
	header   *ebms.Header
	verified *wssec.Verified // nil when the signature is missing or wrong
	refusal  error           // why it is nil
}

// readAS4 takes a capture apart; ok is false for what is no AS4 message.
func readAS4(name string, src []byte) (c *as4Capture, ok bool, err error) {
	contentType, body := as4Body(src)
	if contentType == "" {
		return nil, false, nil
	}
	c = &as4Capture{name: name, octets: len(body)}
	if c.reader, err = ebms.NewReader(bytes.NewReader(body), contentType, ebms.Limits{}, ebms.Disk{}); err != nil {
		return c, true, err
	}
	if c.root, err = c.reader.Root(); err != nil {
		return c, true, err
	}
	if c.env, err = ebms.ReadEnvelope(c.root); err != nil {
		return c, true, err
	}
	if c.header, err = c.env.Decode(); err != nil {
		return c, true, err
	}
	return c, true, nil
}

// as4Body finds the media type and the body of a capture: "" for what is none.
func as4Body(src []byte) (contentType string, body []byte) {
	text := bytes.TrimLeft(bytes.TrimPrefix(src, []byte("\ufeff")), "\r\n\t ")
	head := text[:min(len(text), 4096)]
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		if bytes.Contains(head, []byte(":Envelope")) && bytes.Contains(head, []byte(ebms.SOAP)) {
			return ebms.SOAPType, src
		}
		return "", nil
	case bytes.HasPrefix(text, []byte("--")): // a multipart without its header
		line, _, _ := bytes.Cut(text[2:], []byte("\n"))
		if !bytes.Contains(head, []byte(ebms.SOAPType)) {
			return "", nil
		}
		return fmt.Sprintf(`multipart/related; type=%q; boundary=%q`, ebms.SOAPType, bytes.TrimSpace(line)), text
	}
	in := bufio.NewReader(bytes.NewReader(text))
	if first, _, _ := bytes.Cut(head, []byte("\n")); bytes.Contains(first, []byte("HTTP/")) {
		in.Discard(len(first) + 1) // the request line or the status line
	}
	headers, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		return "", nil
	}
	contentType = headers.Get("Content-Type")
	if kind := ebms.MediaType(contentType); kind != ebms.SOAPType && kind != "multipart/related" {
		return "", nil
	}
	if start, _ := in.Peek(1); strings.EqualFold(headers.Get("Transfer-Encoding"), "chunked") && len(start) == 1 && strings.IndexByte("0123456789abcdefABCDEF", start[0]) >= 0 {
		body, err = io.ReadAll(httputil.NewChunkedReader(in))
	} else {
		body, err = io.ReadAll(in)
	}
	if err != nil {
		return "", nil
	}
	return contentType, body
}

// explainAS4 tells about a captured AS4 message: what it is, who signed it,
// what the signature covers, which message a receipt acknowledges. With keys it
// decrypts the parts and compares their digests.
func explainAS4(w *world, c inspect, name string, src []byte) (lines []string, ok bool, err error) {
	m, ok, err := readAS4(name, src)
	if !ok {
		return nil, false, nil
	}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if m.reader != nil {
		defer m.reader.Close()
	}
	if err != nil {
		say("%s is meant as an AS4 message, but cannot be read: %s", name, refusalWords(err))
		return lines, true, no("%s is not an AS4 message that may be accepted", name)
	}
	var entries []pki.Entry
	if c.Keys != "" {
		if entries, err = pki.LoadFolder(c.Keys, ""); err != nil {
			return nil, true, fmt.Errorf("the keys in %s: %w", c.Keys, err)
		}
	}
	m.verify(entries)
	var wrong []string
	switch {
	case m.header.User != nil:
		lines = append(lines, m.describeUser()...)
	case m.header.Signal.Receipt != nil:
		lines = append(lines, m.describeReceipt()...)
	default:
		lines = append(lines, m.describeErrors()...)
	}
	signature, sound := m.describeSignature(entries)
	lines = append(lines, signature...)
	if !sound {
		wrong = append(wrong, "its signature does not verify")
	}
	switch {
	case m.header.User != nil && m.verified != nil:
		said, sound := m.describeParts(pki.Identities(entries))
		lines = append(lines, said...)
		if !sound {
			wrong = append(wrong, "its parts are not what was signed")
		}
	case m.header.Signal != nil && m.header.Signal.Receipt != nil:
		said, sound := m.matchReceipt(c, w)
		lines = append(lines, said)
		if !sound {
			wrong = append(wrong, "it is not the receipt for the message in the other file")
		}
	}
	if len(wrong) > 0 {
		return lines, true, no("%s: %s", name, strings.Join(wrong, "; "))
	}
	return lines, true, nil
}

// verify judges the signature by the common profile; certificates of the folder
// may be named in the message without being in it.
func (m *as4Capture) verify(entries []pki.Entry) {
	m.verified, m.refusal = wssec.Verify(m.env, wssec.Rules{Known: pki.Certificates(entries),
		Suites: []*wssec.Suite{wssec.Common, wssec.Edwards, wssec.ECDSAP256}})
	if m.refusal != nil {
		m.verified = nil
	}
}

func (m *as4Capture) describeUser() (lines []string) {
	u := m.header.User
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	kind := "an AS4 user message"
	if u.IsTest() {
		kind = "an AS4 test message (ping: to be acknowledged, not delivered)"
	}
	say("%s is %s with %s, %d octets.", m.name, kind, count(len(u.Parts), "part"), m.octets)
	say("  From %s to %s, sent %s.", u.From.ID.Value, u.To.ID.Value, u.Timestamp.UTC().Format(time.RFC3339))
	say("  Service %s, action %s.", u.Service.Value, u.Action)
	say("  Message %s, conversation %s.", u.MessageID, u.ConversationID)
	if u.RefToMessageID != "" {
		say("  It answers the message %s.", u.RefToMessageID)
	}
	for _, p := range u.Properties {
		if p.Type != "" {
			say("  %s: %s (%s)", p.Name, p.Value, p.Type)
		} else {
			say("  %s: %s", p.Name, p.Value)
		}
	}
	for i, p := range u.Parts {
		compressed := ""
		if p.Compressed() {
			compressed = ", compressed"
		}
		say("  Part %d: %s, %s%s.", i+1, p.ContentID, orElse(p.Property(ebms.MimeType), "of no stated type"), compressed)
	}
	return lines
}

func (m *as4Capture) describeReceipt() (lines []string) {
	s := m.header.Signal
	lines = append(lines, fmt.Sprintf("%s is an AS4 receipt for the message %s, given %s.", m.name, s.RefToMessageID, s.Timestamp.UTC().Format(time.RFC3339)))
	if len(s.Receipt.References) == 0 {
		return append(lines, "  It repeats no digest: it says that something arrived, and proves nothing about what.")
	}
	for _, r := range s.Receipt.References {
		lines = append(lines, fmt.Sprintf("  It repeats the digest of %s: %s", r.URI, r.Digest))
	}
	return lines
}

func (m *as4Capture) describeErrors() (lines []string) {
	s := m.header.Signal
	about := "a message that it does not name"
	if s.RefToMessageID != "" {
		about = "the message " + s.RefToMessageID
	}
	lines = append(lines, fmt.Sprintf("%s is an AS4 error signal about %s, given %s.", m.name, about, s.Timestamp.UTC().Format(time.RFC3339)))
	for _, e := range s.Errors {
		severity := "failure"
		if e.Warning {
			severity = "warning"
		}
		line := fmt.Sprintf("  %s %s, %s", e.Code, orElse(ebms.Kinds[e.Code].Short, "of no known name"), severity)
		if e.Detail != "" {
			line += ": " + e.Detail
		}
		lines = append(lines, line+".")
	}
	if fault := m.env.Fault(); fault != "" {
		lines = append(lines, "  The Body carries a SOAP fault beside it: "+fault)
	}
	return lines
}

// describeSignature says whether the signature holds, what it covers and whose
// certificate it names. Only a missing signature of an error signal is sound.
func (m *as4Capture) describeSignature(entries []pki.Entry) (lines []string, sound bool) {
	if m.env.Security == nil && m.header.Signal != nil && len(m.header.Signal.Errors) > 0 {
		return []string{"  It is not signed: anybody on the way could have written it, so it settles nothing by itself."}, true
	}
	if m.verified == nil {
		return []string{"  Signature: refused. " + refusalWords(m.refusal)}, false
	}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	suite := m.verified.Suite.Name
	if m.verified.Suite.Experimental {
		suite += ", experimental"
	}
	say("  Signature: verifies (%s). It covers:", suite)
	for _, r := range m.verified.References {
		say("    %s: %s", r.URI, m.covered(r.URI))
	}
	cert := m.verified.Signer
	say("  Signed by %s, issued by %s, serial %x.", cert.Subject, cert.Issuer, cert.SerialNumber)
	say("  SHA-256 of that certificate: %x", sha256.Sum256(cert.Raw))
	at := m.at()
	switch {
	case at.Before(cert.NotBefore) || at.After(cert.NotAfter):
		say("  The certificate was not valid when the message was made: it runs from %s to %s.", cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly))
	default:
		say("  The certificate runs from %s to %s.", cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly))
	}
	for _, e := range entries {
		for _, known := range e.Chain {
			if known.Equal(cert) {
				say("  The certificate is among the keys at hand.")
				return lines, true
			}
		}
	}
	say("  Whether it belongs to the party in the header, only the P-Mode of the receiver can tell.")
	return lines, true
}

func (m *as4Capture) at() time.Time {
	if m.header.User != nil {
		return m.header.User.Timestamp
	}
	return m.header.Signal.Timestamp
}

// covered names what a reference points at.
func (m *as4Capture) covered(uri string) string {
	switch id := strings.TrimPrefix(uri, "#"); {
	case uri == id:
		return "a part, as it was before encryption"
	case m.env.Messaging.Attr(ebms.WSU, "Id") == id:
		return "the header, eb:Messaging"
	default:
		return "the empty Body"
	}
}

// describeParts opens the parts where that is possible, and tells what the
// first one is.
func (m *as4Capture) describeParts(keys []*pki.Identity) (lines []string, sound bool) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	u := m.header.User
	travelling, err := m.reader.Parts()
	if err != nil {
		say("  Parts: %s", refusalWords(err))
		return lines, false
	}
	switch {
	case len(u.Parts) == 0 && len(travelling) == 0:
		return nil, true
	case len(travelling) == 0:
		say("  Parts: this file holds the envelope alone, so their digests cannot be compared.")
		return lines, true
	case m.verified.Encrypted() && len(keys) == 0:
		say("  Parts: encrypted. Give the receiver's key with --keys DIR to open them and compare their digests.")
		return lines, true
	}
	clear, err := m.verified.Open(u, travelling, wssec.Need{Keys: keys})
	if err != nil {
		say("  Parts: %s", refusalWords(err))
		return lines, false
	}
	how := "not encrypted"
	if m.verified.Encrypted() {
		how = "decrypted"
	}
	say("  Parts: %s, and each has the digest that was signed.", how)
	var inflate ebms.Inflater
	for i, p := range clear {
		content, err := io.ReadAll(inflate.Open(p, &u.Parts[i]))
		p.Content.Close()
		if err != nil {
			say("  Part %d: %s", i+1, refusalWords(err))
			return lines, false
		}
		say("  Part %d: %d octets, SHA-256 %x", i+1, len(content), sha256.Sum256(content))
		if i > 0 {
			continue
		}
		rep := validator.New(validator.Config{}).Validate(content, validator.Options{Name: "part 1"})
		if rep.Message != nil && rep.Kind != validator.Unknown {
			for _, l := range validator.Describe(rep.Message) {
				say("    %s", l)
			}
		}
	}
	return lines, true
}

// matchReceipt looks among the other files for the message that a receipt
// acknowledges, and compares the digests of both.
func (m *as4Capture) matchReceipt(c inspect, w *world) (line string, sound bool) {
	files, err := messageFiles(c.Files)
	if err != nil {
		return "  " + err.Error(), false
	}
	for _, name := range files {
		if name == m.name || name == "-" {
			continue
		}
		src, err := readMessage(name, w.in)
		if err != nil {
			continue
		}
		other, ok, err := readAS4(name, src)
		if !ok || err != nil || other.header.User == nil || other.header.User.MessageID != m.header.Signal.RefToMessageID {
			continue
		}
		other.reader.Close()
		sent, err := wssec.ReadReferences(other.root)
		if err == nil {
			err = ebms.MatchReceipt(sent, m.header.Signal, other.header.User.MessageID)
		}
		if err != nil {
			return fmt.Sprintf("  It does not fit the message in %s: %s", name, refusalWords(err)), false
		}
		return fmt.Sprintf("  It repeats exactly what was signed in %s: %s.", name, count(len(sent), "digest")), true
	}
	return "  The message that it acknowledges is not among these files, so the digests were not compared.", true
}

// refusalWords are the code of an error with its reason, without the prefix of
// the package that found it.
func refusalWords(err error) string {
	var e *ebms.Error
	if !errors.As(err, &e) {
		return err.Error() + "."
	}
	words := fmt.Sprintf("%s %s", e.Code, ebms.Kinds[e.Code].Short)
	if e.Detail != "" {
		words += ": " + e.Detail
	}
	var invalid x509.CertificateInvalidError
	if e.Cause != nil && !errors.As(e.Cause, &invalid) {
		words += " (" + e.Cause.Error() + ")"
	}
	return words + "."
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func orElse(s, or string) string {
	if s == "" {
		return or
	}
	return s
}
