package as4_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// forgery is one message to AP_PT_01, spoilt in one place. Each hook stands
// where an attacker, or a broken implementation, could put a hand in.
type forgery struct {
	parts    []ebms.Part                                  // as signed; one compressed document when nil
	header   func(m *ebms.UserMessage)                    // before signing
	sign     *pki.Identity                                // instead of FI's
	plain    bool                                         // not encrypted
	receiver *pki.Identity                                // of the message key, instead of PT
	seal     func(parts []ebms.Part) []ebms.Part          // what is encrypted instead
	envelope func(env []byte, m *ebms.UserMessage) []byte // after encryption
	sent     func(parts []ebms.Part) []ebms.Part          // what travels instead
	body     func(body []byte) []byte                     // the octets of the request
	kind     func(contentType string) string              // its Content-Type
}

func gzipped(t testing.TB, content []byte) ebms.Bytes {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(content)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// build makes the request.
func (f forgery) build(t testing.TB, at time.Time) *http.Request {
	t.Helper()
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	m := request()
	m.MessageID, m.Timestamp = as4.NewUUID()+"@forged.example", at
	m.From = ebms.Party{ID: partyID("AP_FI_01"), Role: as4.GatewayRole}
	m.To.Role = as4.GatewayRole
	parts := f.parts
	if parts == nil {
		parts = []ebms.Part{{ID: "doc@forged.example", Type: ebms.Gzip, Content: gzipped(t, []byte("<query:QueryRequest/>"))}}
	}
	for _, p := range parts {
		info := ebms.PartInfo{ContentID: p.ID, Properties: []ebms.Property{{Name: ebms.MimeType, Value: "application/x-ebrs+xml"}}}
		if p.Type == ebms.Gzip {
			info.Properties = append(info.Properties, ebms.Property{Name: ebms.CompressionType, Value: ebms.Gzip})
		}
		m.Parts = append(m.Parts, info)
	}
	if f.header != nil {
		f.header(m)
	}
	signer := wssec.Signer{Identity: known["AP_FI_01"].Sign}
	if f.sign != nil {
		signer.Identity = f.sign
	}
	signed, err := signer.Sign(&ebms.Header{User: m}, parts)
	if err != nil {
		t.Fatal(err)
	}
	envelope := signed.Envelope
	if f.seal != nil {
		parts = f.seal(parts)
	}
	if !f.plain {
		receiver := known["AP_PT_01"].Encrypt
		if f.receiver != nil {
			receiver = f.receiver
		}
		encrypter := wssec.Encrypter{Recipient: receiver.Cert()}
		if envelope, parts, err = encrypter.Encrypt(envelope, parts); err != nil {
			t.Fatal(err)
		}
	}
	if f.envelope != nil {
		envelope = f.envelope(envelope, m)
	}
	if f.sent != nil {
		parts = f.sent(parts)
	}
	pack := ebms.NewPackage(envelope, parts, "forged")
	body, err := io.ReadAll(pack.NewReader())
	if err != nil {
		t.Fatal(err)
	}
	contentType := pack.ContentType()
	if f.body != nil {
		body = f.body(body)
	}
	if f.kind != nil {
		contentType = f.kind(contentType)
	}
	r := httptest.NewRequest(http.MethodPost, "/as4", bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

// answer lets an access point take a request and reads its signal.
func answer(t testing.TB, e *endpoint, r *http.Request) *ebms.SignalMessage {
	t.Helper()
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != http.StatusOK || ebms.MediaType(w.Header().Get("Content-Type")) != ebms.SOAPType {
		t.Fatalf("HTTP %d, %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	env, err := ebms.ReadEnvelope(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	h, err := env.Decode()
	if err != nil || h.Signal == nil {
		t.Fatalf("the answer is no signal: %+v, %v", h, err)
	}
	return h.Signal
}

// code is what a signal says: "" for a receipt.
func code(s *ebms.SignalMessage) ebms.Code {
	if s.Receipt != nil {
		return ""
	}
	return s.Errors[0].Code
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// handSigned signs a header without attachments as anybody with a key could:
// nothing in it is checked first.
func handSigned(t testing.TB, id *pki.Identity, messaging, body []byte) []byte {
	t.Helper()
	const c14n = "http://www.w3.org/2001/10/xml-exc-c14n#"
	reference := func(uri string, octets []byte) string {
		sum := sha256.Sum256(octets)
		return `<ds:Reference URI="` + uri + `"><ds:Transforms><ds:Transform Algorithm="` + c14n + `"></ds:Transform></ds:Transforms>` +
			`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>` + b64(sum[:]) + `</ds:DigestValue></ds:Reference>`
	}
	info := `<ds:SignedInfo xmlns:ds="` + ebms.DS + `"><ds:CanonicalizationMethod Algorithm="` + c14n + `"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>` +
		reference("#m", messaging) + reference("#b", body) + `</ds:SignedInfo>`
	sum := sha256.Sum256([]byte(info))
	value, err := id.Signer().Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	const profile = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
	token := `<wsse:BinarySecurityToken EncodingType="` + profile + `soap-message-security-1.0#Base64Binary" ValueType="` + profile + `x509-token-profile-1.0#X509v3" wsu:Id="t">` + b64(id.Cert().Raw) + `</wsse:BinarySecurityToken>`
	security := `<wsse:Security xmlns:wsse="` + ebms.WSSE + `" xmlns:wsu="` + ebms.WSU + `" env:mustUnderstand="true">` + token +
		`<ds:Signature xmlns:ds="` + ebms.DS + `">` + info + `<ds:SignatureValue>` + b64(value) + `</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference>` +
		`<wsse:Reference URI="#t" ValueType="` + profile + `x509-token-profile-1.0#X509v3"></wsse:Reference></wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security>`
	return ebms.BuildEnvelope(messaging, []byte(security), body)
}

func soapOnly(string) string { return ebms.SOAPType + "; charset=UTF-8" }

// TestForgedMessages pushes one forged message after the other: each is refused
// with the right code, and nothing of it is delivered (as a receiving handler
// of the eDelivery conformance assertions AS4_CP, and beyond them).
func TestForgedMessages(t *testing.T) {
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	stranger := known["AP_XX_01"]
	setProperty := func(name, value string) func(m *ebms.UserMessage) {
		return func(m *ebms.UserMessage) {
			i := slices.IndexFunc(m.Parts[0].Properties, func(p ebms.Property) bool { return p.Name == name })
			if i < 0 {
				m.Parts[0].Properties = append(m.Parts[0].Properties, ebms.Property{Name: name, Value: value})
			} else if value == "" {
				m.Parts[0].Properties = slices.Delete(m.Parts[0].Properties, i, i+1)
			} else {
				m.Parts[0].Properties[i].Value = value
			}
		}
	}
	gz := func(content []byte) []ebms.Part {
		return []ebms.Part{{ID: "doc@forged.example", Type: ebms.Gzip, Content: ebms.Bytes(content)}}
	}
	whole := gzipped(t, []byte("<query:QueryRequest/>"))
	many := func(n int) []ebms.Part {
		var parts []ebms.Part
		for i := range n {
			parts = append(parts, ebms.Part{ID: fmt.Sprintf("p%d@forged.example", i), Type: "application/octet-stream", Content: ebms.Bytes("x")})
		}
		return parts
	}
	// without drops everything of the envelope between two markers, inclusive.
	without := func(from, to string) func([]byte, *ebms.UserMessage) []byte {
		return func(env []byte, _ *ebms.UserMessage) []byte {
			i, j := bytes.Index(env, []byte(from)), bytes.LastIndex(env, []byte(to))
			return slices.Concat(env[:i], env[j+len(to):])
		}
	}
	byHand := func(change func(messaging, body []byte) ([]byte, []byte)) forgery {
		return forgery{kind: soapOnly, parts: []ebms.Part{}, sent: func([]ebms.Part) []ebms.Part { return nil },
			envelope: func(_ []byte, m *ebms.UserMessage) []byte {
				m.Parts = []ebms.PartInfo{{ContentID: "doc@forged.example", Properties: []ebms.Property{{Name: ebms.MimeType, Value: "text/plain"}}}}
				messaging, err := (&ebms.Header{User: m}).Encode("m")
				if err != nil {
					t.Fatal(err)
				}
				messaging, body := change(messaging, ebms.EmptyBody("b"))
				return handSigned(t, known["AP_FI_01"].Sign, messaging, body)
			}}
	}
	replace := func(old, new string) forgery {
		return byHand(func(messaging, body []byte) ([]byte, []byte) {
			if !bytes.Contains(messaging, []byte(old)) {
				t.Fatalf("%s is not in the header", old)
			}
			return bytes.ReplaceAll(messaging, []byte(old), []byte(new)), body
		})
	}
	property := func(change func(ps []ebms.Property) []ebms.Property) forgery {
		return forgery{header: func(m *ebms.UserMessage) { m.Properties = change(m.Properties) }}
	}

	for name, c := range map[string]struct {
		forgery
		want ebms.Code
	}{
		// Who it is, and whether it is protected at all.
		"not signed":               {forgery{envelope: without("<wsse:Security", "</wsse:Security>"), parts: []ebms.Part{}, kind: soapOnly}, ebms.PolicyNoncompliance},
		"not encrypted":            {forgery{plain: true}, ebms.PolicyNoncompliance},
		"A speaks as B":            {forgery{sign: stranger.Sign}, ebms.FailedAuthentication},
		"signed by the wrong key":  {forgery{sign: known["AP_FI_01"].Encrypt}, ebms.FailedAuthentication},
		"from a stranger":          {forgery{sign: stranger.Sign, header: func(m *ebms.UserMessage) { m.From.ID.Value = "AP_YY_01" }}, ebms.ProcessingModeMismatch},
		"of another type of party": {forgery{header: func(m *ebms.UserMessage) { m.From.ID.Type = "urn:other" }}, ebms.ProcessingModeMismatch},
		"encrypted for another":    {forgery{receiver: stranger.Encrypt}, ebms.FailedDecryption},
		"header changed afterwards": {forgery{envelope: func(env []byte, _ *ebms.UserMessage) []byte {
			return bytes.Replace(env, []byte("university"), []byte("ministry!!"), 1)
		}}, ebms.FailedAuthentication},

		// The P-Mode.
		"to another party":      {forgery{header: func(m *ebms.UserMessage) { m.To.ID.Value = "AP_ES_01" }}, ebms.ValueInconsistent},
		"another role":          {forgery{header: func(m *ebms.UserMessage) { m.From.Role = ebms.Initiator }}, ebms.ValueInconsistent},
		"unknown service":       {forgery{header: func(m *ebms.UserMessage) { m.Service.Value = "Other" }}, ebms.ValueNotRecognized},
		"unknown action":        {forgery{header: func(m *ebms.UserMessage) { m.Action = "Delete" }}, ebms.ValueNotRecognized},
		"unknown channel":       {forgery{header: func(m *ebms.UserMessage) { m.MPC = "urn:mpc" }}, ebms.ValueNotRecognized},
		"unknown agreement":     {forgery{header: func(m *ebms.UserMessage) { m.Agreement = &ebms.Agreement{Value: "x"} }}, ebms.ProcessingModeMismatch},
		"a property missing":    {property(func(ps []ebms.Property) []ebms.Property { return ps[1:] }), ebms.ProcessingModeMismatch},
		"a property unlisted":   {property(func(ps []ebms.Property) []ebms.Property { return append(ps, ebms.Property{Name: "x", Value: "y"}) }), ebms.ProcessingModeMismatch},
		"a property twice":      {property(func(ps []ebms.Property) []ebms.Property { return append(ps, ps[0]) }), ebms.BadProperties},
		"half of version 2.0":   {property(func(ps []ebms.Property) []ebms.Property { return ps[:3] }), ebms.ProcessingModeMismatch},
		"from the future":       {forgery{header: func(m *ebms.UserMessage) { m.Timestamp = m.Timestamp.Add(6 * time.Minute) }}, ebms.ValueInconsistent},
		"older than the log":    {forgery{header: func(m *ebms.UserMessage) { m.Timestamp = m.Timestamp.AddDate(-2, 0, 0) }}, ebms.ValueInconsistent},
		"an endless message id": {replace("@forged.example</eb:MessageId>", "@"+strings.Repeat("a", 255)+"</eb:MessageId>"), ebms.InvalidHeader},
		"two party ids": {byHand(func(messaging, body []byte) ([]byte, []byte) {
			i := bytes.Index(messaging, []byte("<eb:PartyId"))
			j := bytes.Index(messaging, []byte("</eb:PartyId>")) + len("</eb:PartyId>")
			return slices.Concat(messaging[:j], messaging[i:j], messaging[j:]), body
		}), ebms.InvalidHeader},

		// Header and payloads.
		"hyperlink payload":   {replace("cid:doc@forged.example", "https://evil.example/payload"), ebms.ExternalPayloadError},
		"payload on the disk": {replace("cid:doc@forged.example", "file:///etc/passwd"), ebms.ExternalPayloadError},
		"a part not there":    {forgery{sent: func([]ebms.Part) []ebms.Part { return nil }}, ebms.MimeInconsistency},
		"a part not named": {forgery{sent: func(ps []ebms.Part) []ebms.Part {
			return append(ps, ebms.Part{ID: "more@forged.example", Type: "text/plain", Content: ebms.Bytes("x")})
		}}, ebms.MimeInconsistency},
		"one part twice": {forgery{sent: func(ps []ebms.Part) []ebms.Part { return append(ps, ps[0]) }}, ebms.MimeInconsistency},
		"payload in the Body": {byHand(func(messaging, body []byte) ([]byte, []byte) {
			return messaging, bytes.Replace(body, []byte("></env:Body>"), []byte("><x></x></env:Body>"), 1)
		}), ebms.InvalidHeader},
		"compressed, of no type":   {forgery{header: setProperty(ebms.MimeType, "")}, ebms.DecompressionFailure},
		"compressed otherwise":     {forgery{header: setProperty(ebms.CompressionType, "application/zip")}, ebms.DecompressionFailure},
		"impossible character set": {forgery{header: setProperty(ebms.CharacterSet, "no-such-charset")}, ebms.ValueInconsistent},

		// Compression, in the right order: compress, sign, encrypt.
		"not gzip at all":  {forgery{parts: gz([]byte("<query:QueryRequest/>"))}, ebms.DecompressionFailure},
		"gzip cut short":   {forgery{parts: gz(whole[:len(whole)-6])}, ebms.DecompressionFailure},
		"gzip with a tail": {forgery{parts: gz(append(slices.Clone(whole), "tail"...))}, ebms.DecompressionFailure},
		"gzip bomb":        {forgery{parts: gz(gzipped(t, make([]byte, 40<<20)))}, ebms.DecompressionFailure},
		"signed, then compressed": {forgery{parts: gz([]byte("<query:QueryRequest/>")), seal: func([]ebms.Part) []ebms.Part { return gz(whole) }},
			ebms.FailedDecryption},
		"encrypted, then compressed": {forgery{sent: func(ps []ebms.Part) []ebms.Part {
			sealed, err := ebms.ReadAll(ps[0].Content)
			if err != nil {
				t.Fatal(err)
			}
			ps[0].Content = gzipped(t, sealed)
			return ps
		}}, ebms.FailedDecryption},
		"another content than signed": {forgery{seal: func([]ebms.Part) []ebms.Part { return gz(gzipped(t, []byte("<evil/>"))) }}, ebms.FailedDecryption},
		"ciphertext changed": {forgery{sent: func(ps []ebms.Part) []ebms.Part {
			sealed, err := ebms.ReadAll(ps[0].Content)
			if err != nil {
				t.Fatal(err)
			}
			sealed[20] ^= 1
			ps[0].Content = ebms.Bytes(sealed)
			return ps
		}}, ebms.FailedDecryption},

		// XML and MIME.
		"a DOCTYPE": {forgery{envelope: func(env []byte, _ *ebms.UserMessage) []byte {
			return bytes.Replace(env, []byte("<env:Envelope"), []byte("<!DOCTYPE a><env:Envelope"), 1)
		}}, ebms.InvalidHeader},
		"a second Messaging": {forgery{envelope: func(env []byte, _ *ebms.UserMessage) []byte {
			return bytes.Replace(env, []byte("</env:Header>"), []byte(`<eb:Messaging xmlns:eb="`+ebms.NS+`" env:mustUnderstand="true"></eb:Messaging></env:Header>`), 1)
		}}, ebms.InvalidHeader},
		"no XML":             {forgery{envelope: func([]byte, *ebms.UserMessage) []byte { return []byte("hello") }}, ebms.InvalidHeader},
		"more than 28 parts": {forgery{sent: func(ps []ebms.Part) []ebms.Part { return append(ps, many(28)...) }}, ebms.MimeInconsistency},
		"thousands of parts": {forgery{sent: func(ps []ebms.Part) []ebms.Part { return append(ps, many(5000)...) }}, ebms.MimeInconsistency},
		"endless headers": {forgery{body: func(b []byte) []byte {
			return bytes.Replace(b, []byte("Content-ID: <doc@"), []byte(strings.Repeat("X-More: header\r\n", 1<<16)+"Content-ID: <doc@"), 1)
		}}, ebms.MimeInconsistency},
		"one endless header": {forgery{body: func(b []byte) []byte {
			return bytes.Replace(b, []byte("Content-ID: <doc@"), []byte("X-More: "+strings.Repeat("a", 1<<20)+"\r\nContent-ID: <doc@"), 1)
		}}, ebms.MimeInconsistency},
		"an endless envelope":   {forgery{envelope: func([]byte, *ebms.UserMessage) []byte { return bytes.Repeat([]byte(" "), 2<<20) }}, ebms.MimeInconsistency},
		"cut off":               {forgery{body: func(b []byte) []byte { return b[:len(b)-40] }}, ebms.MimeInconsistency},
		"start names no part":   {forgery{kind: func(s string) string { return strings.Replace(s, `start="<`, `start="<not-`, 1) }}, ebms.MimeInconsistency},
		"of another media type": {forgery{kind: func(string) string { return "text/html" }}, ebms.MimeInconsistency},
		"of no media type":      {forgery{kind: func(string) string { return "" }}, ebms.MimeInconsistency},
		"in UTF-16":             {forgery{parts: []ebms.Part{}, kind: func(string) string { return ebms.SOAPType + "; charset=utf-16" }}, ebms.InvalidHeader},
	} {
		t.Run(name, func(t *testing.T) {
			_, pt, at := pair(t)
			pt.PMode.Partners = append(pt.PMode.Partners, &as4.Partner{Name: "xx", ID: partyID("AP_XX_01"), URL: "https://xx.example/as4",
				Sign: stranger.Sign.Chain[:1], Encrypt: stranger.Encrypt.Cert(), Properties: pt.PMode.Partners[0].Properties})
			pt.AccessPoint.Inflate = ebms.Inflater{Part: 32 << 20}
			s := answer(t, pt, c.build(t, at.Now()))
			if got := code(s); got != c.want {
				t.Errorf("answered with %q (%+v), want %s", got, s.Errors, c.want)
			}
			if len(pt.got) != 0 {
				t.Error("it was delivered")
			}
			if kind := ebms.Kinds[c.want]; len(s.Errors) == 1 && kind.Origin == "security" && s.Errors[0].Detail != kind.Short {
				t.Errorf("a security failure tells more than its code: %q", s.Errors[0].Detail)
			}
		})
	}
}

// TestUnusualButSound pushes messages that other implementations write, and
// that must be taken.
func TestUnusualButSound(t *testing.T) {
	two := []ebms.Part{
		{ID: "second@forged.example", Type: ebms.Gzip, Content: gzipped(t, []byte("2"))},
		{ID: "first@forged.example", Type: "application/octet-stream", Content: ebms.Bytes("1")},
	}
	for name, c := range map[string]struct {
		forgery
		want []string
	}{
		"compressed as the leg says":  {forgery{}, []string{"<query:QueryRequest/>"}},
		"not compressed though it is": {forgery{parts: two[1:]}, []string{"1"}},
		"the header's order, not that of MIME": {forgery{parts: two, header: func(m *ebms.UserMessage) { slices.Reverse(m.Parts) }},
			[]string{"1", "2"}},
		"MIME in another order": {forgery{parts: two, sent: func(ps []ebms.Part) []ebms.Part { slices.Reverse(ps); return ps }}, []string{"2", "1"}},
		"no part at all":        {forgery{parts: []ebms.Part{}, kind: soapOnly}, nil},
		"a byte order mark":     {forgery{parts: []ebms.Part{}, kind: soapOnly, body: func(b []byte) []byte { return append([]byte("\ufeff"), b...) }}, nil},
		"a character set": {forgery{header: func(m *ebms.UserMessage) {
			m.Parts[0].Properties = append(m.Parts[0].Properties, ebms.Property{Name: ebms.CharacterSet, Value: "UTF-16"})
		}}, []string{"<query:QueryRequest/>"}},
		"two properties, as in 1.x":   {forgery{header: func(m *ebms.UserMessage) { m.Properties = m.Properties[:2] }}, []string{"<query:QueryRequest/>"}},
		"the default channel by name": {forgery{header: func(m *ebms.UserMessage) { m.MPC = ebms.DefaultMPC }}, []string{"<query:QueryRequest/>"}},
		"an empty agreement":          {forgery{header: func(m *ebms.UserMessage) { m.Agreement = &ebms.Agreement{} }}, []string{"<query:QueryRequest/>"}},
		"a clock four minutes ahead":  {forgery{header: func(m *ebms.UserMessage) { m.Timestamp = m.Timestamp.Add(4 * time.Minute) }}, []string{"<query:QueryRequest/>"}},
		"twenty-eight parts": {forgery{parts: func() (ps []ebms.Part) {
			for i := range 28 {
				ps = append(ps, ebms.Part{ID: fmt.Sprintf("p%d@forged.example", i), Type: "application/octet-stream", Content: ebms.Bytes("x")})
			}
			return ps
		}()}, slices.Repeat([]string{"x"}, 28)},
	} {
		t.Run(name, func(t *testing.T) {
			_, pt, at := pair(t)
			if s := answer(t, pt, c.build(t, at.Now())); code(s) != "" {
				t.Fatalf("refused with %s %+v", code(s), s.Errors[0])
			}
			var got []string
			for _, p := range pt.got[0].parts {
				got = append(got, string(p))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("delivered %q, want %q", got, c.want)
			}
		})
	}
}

// TestExpiredAndRevokedSigners are refused, whoever they were.
func TestExpiredAndRevokedSigners(t *testing.T) {
	_, pt, at := pair(t)
	pt.AccessPoint.Config.Now = func() time.Time { return at.Now().AddDate(2, 0, 0) }
	if s := answer(t, pt, forgery{}.build(t, at.Now().AddDate(2, 0, 0))); code(s) != ebms.FailedAuthentication || len(pt.got) != 0 {
		t.Errorf("an expired certificate is answered with %q", code(s))
	}

	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	party, err := ca.Party("AP_FI_01", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	list, err := ca.RevocationList(party.Sign.Cert())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		mode pki.Mode
		data []byte
		want ebms.Code
	}{
		{"revoked, soft", pki.Soft, list, ebms.FailedAuthentication},
		{"revoked, hard", pki.Hard, list, ebms.FailedAuthentication},
		{"nothing known, soft", pki.Soft, nil, ""},
		{"nothing known, hard", pki.Hard, nil, ebms.FailedAuthentication},
	} {
		_, pt, at := pair(t)
		revocation := &pki.Revocation{Mode: c.mode}
		if c.data != nil {
			if err := revocation.Add(c.data); err != nil {
				t.Fatal(err)
			}
		}
		policy := &pki.Policy{Anchors: party.Sign.Chain[:1], Issuers: party.Sign.Chain[1:], Revocation: revocation, Now: at.Now}
		pt.PMode.Partners[0].Sign = party.Sign.Chain[:1]
		pt.AccessPoint.Config.Trusted = policy.Check
		if s := answer(t, pt, forgery{sign: party.Sign}.build(t, at.Now())); code(s) != c.want {
			t.Errorf("%s: answered with %q, want %q", c.name, code(s), c.want)
		}
	}
}

// TestAReplayIsAnsweredAndNotDelivered pushes one request three times, at once
// and one after the other, and later than the log of duplicates.
func TestAReplayIsAnsweredAndNotDelivered(t *testing.T) {
	_, pt, at := pair(t)
	pt.PMode.Duplicates = time.Hour
	first := forgery{}.build(t, at.Now().Add(4*time.Minute)) // its clock is ahead
	octets, err := io.ReadAll(first.Body)
	if err != nil {
		t.Fatal(err)
	}
	again := func() *ebms.SignalMessage {
		r := httptest.NewRequest(http.MethodPost, "/as4", bytes.NewReader(octets))
		r.Header = first.Header
		return answer(t, pt, r)
	}
	receipt := again()
	for range 2 {
		if s := again(); code(s) != "" || s.MessageID != receipt.MessageID {
			t.Errorf("a replay is answered with %q, %s; want the receipt %s", code(s), s.MessageID, receipt.MessageID)
		}
	}
	if len(pt.got) != 1 {
		t.Errorf("delivered %d times", len(pt.got))
	}
	// However its age lies to the record of duplicates, it is never new again.
	for range 20 {
		at.add(5 * time.Minute)
		if err := pt.Forget(context.Background()); err != nil {
			t.Fatal(err)
		}
		if s := again(); code(s) != "" && code(s) != ebms.ValueInconsistent || len(pt.got) != 1 {
			t.Errorf("a later replay is answered with %q, delivered %d times", code(s), len(pt.got))
		}
	}
	if r, err := pt.store.Receipt(context.Background(), partyID("AP_FI_01"), receipt.RefToMessageID); err != nil || r != nil {
		t.Errorf("it is not forgotten after 100 minutes: %q, %v", r, err)
	}
}

// fullDisk is a spool without room, until it is emptied.
type fullDisk struct {
	ebms.Disk
	full  *bool
	after int // octets that still fit
}

var errFull = errors.New("no space left on device")

func (d fullDisk) Create() (ebms.SpoolWriter, error) {
	w, err := d.Disk.Create()
	if err != nil || !*d.full {
		return w, err
	}
	return &fullWriter{w, d.after}, nil
}

type fullWriter struct {
	ebms.SpoolWriter
	left int
}

func (w *fullWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, errFull
	}
	w.left -= len(p)
	return w.SpoolWriter.Write(p)
}

// TestADiskFullWhileSpooling refuses with a signed error that means "later";
// the sender repeats, and the message arrives once there is room.
func TestADiskFullWhileSpooling(t *testing.T) {
	for _, after := range []int{0, 10, 70_000} { // while reading, while inflating
		fi, pt, at := pair(t)
		full := true
		pt.AccessPoint.Spool = fullDisk{ebms.Disk{Dir: t.TempDir()}, &full, after}
		id, err := fi.Submit(context.Background(), request(), []as4.Part{xmlPart(strings.Repeat("<a/>", 100_000))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fi.SendDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		out, tries, _ := fi.store.Sent(context.Background(), id)
		if out.State != as4.Queued || tries[0].Code != ebms.DeliveryFailure || len(pt.got) != 0 {
			t.Errorf("room for %d octets: %s after %+v", after, out.State, tries)
		}
		full = false
		at.add(3 * time.Minute)
		if _, err := fi.SendDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		if out, _, _ := fi.store.Sent(context.Background(), id); out.State != as4.Acknowledged || len(pt.got) != 1 {
			t.Errorf("room for %d octets, then more: %s, delivered %d times", after, out.State, len(pt.got))
		}
	}
}

// TestADiskFullWhileSubmitting keeps nothing and says so.
func TestADiskFullWhileSubmitting(t *testing.T) {
	fi, _, _ := pair(t)
	full := true
	fi.AccessPoint.Spool = fullDisk{ebms.Disk{Dir: t.TempDir()}, &full, 0}
	if _, err := fi.Submit(context.Background(), request(), []as4.Part{xmlPart("<a/>")}); !errors.Is(err, errFull) {
		t.Errorf("submitting gives %v", err)
	}
	if n, err := fi.SendDue(context.Background()); n != 0 || err != nil {
		t.Errorf("%d tries, %v", n, err)
	}
	full = false
	if _, err := fi.Submit(context.Background(), request(), []as4.Part{xmlPart("<a/>")}); err != nil {
		t.Error(err)
	}
}

// FuzzReception pushes whatever comes at an access point: it answers with a
// signal, and delivers nothing but what was signed.
func FuzzReception(f *testing.F) {
	_, pt, at := pair(f)
	seed := forgery{}.build(f, at.Now())
	body, err := io.ReadAll(seed.Body)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed.Header.Get("Content-Type"), body)
	f.Add(ebms.SOAPType, []byte("<a/>"))
	f.Add("multipart/related; boundary=x", []byte("--x\r\n\r\n\r\n--x--"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		pt.got, pt.store = nil, &as4.Memory{}
		pt.AccessPoint.Store = pt.store
		r := httptest.NewRequest(http.MethodPost, "/as4", bytes.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		answer(t, pt, r)
		for _, d := range pt.got {
			if len(d.parts) != 1 || string(d.parts[0]) != "<query:QueryRequest/>" || d.header.ConversationID != request().ConversationID {
				t.Errorf("delivered %+v", d)
			}
		}
	})
}
