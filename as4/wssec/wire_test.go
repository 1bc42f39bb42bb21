package wssec

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
)

var morning = time.Date(2026, 9, 1, 8, 15, 30, 250e6, time.UTC)

// people are the access points of all tests: RSA keys are slow to make.
var people = sync.OnceValue(func() (p struct {
	ca            *pki.CA
	a, b, mallory *pki.Party
}) {
	ca, err := pki.NewCA(pki.CAConfig{Now: func() time.Time { return morning }})
	if err != nil {
		panic(err)
	}
	p.ca = ca
	var wg sync.WaitGroup
	for name, party := range map[string]**pki.Party{"AP_XX_01": &p.a, "AP_YY_01": &p.b, "AP_ZZ_66": &p.mallory} {
		wg.Go(func() {
			made, err := ca.Party(name, "localhost")
			if err != nil {
				panic(err)
			}
			*party = made
		})
	}
	wg.Wait()
	return p
})

// counted makes the ids of a test: 1, 2, 3 …
func counted() func() string {
	n := 0
	return func() string { n++; return fmt.Sprint("id", n) }
}

const gateway = "http://sdg.europa.eu/edelivery/gateway"

// request is a user message as OOTS 2.0 sends it.
func request(parts ...ebms.PartInfo) *ebms.UserMessage {
	oots := "urn:oasis:names:tc:ebcore:partyid-type:unregistered:oots"
	return &ebms.UserMessage{
		Timestamp: morning, MessageID: "0c9c0b52-7f0e-4b57-8a57-3a8a1f0a6d11@ap.example.eu",
		From:    ebms.Party{ID: ebms.PartyID{Type: oots, Value: "AP_XX_01"}, Role: gateway},
		To:      ebms.Party{ID: ebms.PartyID{Type: oots, Value: "AP_YY_01"}, Role: gateway},
		Service: ebms.Service{Type: "urn:oasis:names:tc:ebcore:ebrs:ebms:binding:1.0", Value: "QueryManager"},
		Action:  "ExecuteQueryRequest", ConversationID: "6d2b3c1e-5a0f-4c0e-9c8e-1f7d6a54e001",
		Properties: []ebms.Property{
			{Name: ebms.OriginalSender, Type: "urn:cef.eu:names:identifier:EAS:0204", Value: "XX-4711"},
			{Name: ebms.FinalRecipient, Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:YY", Value: "YY-0815"},
			{Name: ebms.ExchangeID, Value: "b2a7c1d4-93f5-4f0d-8b6a-5f0f6b1c2d03"},
			{Name: ebms.SpecificationID, Value: "oots-edm:v2.0"},
		},
		Parts: parts,
	}
}

var memory = ebms.Disk{Memory: 1 << 30}

// document and picture are the clear parts of the usual message.
var (
	document = []byte("<query:QueryRequest xmlns:query=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0\">\r\n  <a/>\n</query:QueryRequest>")
	picture  = bytes.Repeat([]byte("%PDF evidence "), 500)
)

func usualParts(t testing.TB) (*ebms.UserMessage, []ebms.Part) {
	t.Helper()
	zipped, err := ebms.Compress(ebms.Bytes(document), 0, memory)
	if err != nil {
		t.Fatal(err)
	}
	m := request(
		ebms.PartInfo{ContentID: "91e1-q@ap.example.eu", Properties: []ebms.Property{{Name: ebms.MimeType, Value: "application/x-ebrs+xml"}, {Name: ebms.CompressionType, Value: ebms.Gzip}}},
		ebms.PartInfo{ContentID: "91e1-e@ap.example.eu", Properties: []ebms.Property{{Name: ebms.MimeType, Value: "application/pdf"}}},
	)
	return m, []ebms.Part{
		{ID: "91e1-q@ap.example.eu", Type: ebms.Gzip, Content: zipped},
		{ID: "91e1-e@ap.example.eu", Type: "application/octet-stream", Content: ebms.Bytes(picture)},
	}
}

// wire is a message on its way: what a man in the middle can change.
type wire struct {
	envelope    string
	parts       []ebms.Part
	contentType string // of the whole; "" as packaged
	raw         func([]byte) []byte
}

func (w *wire) replace(t testing.TB, old, new string) {
	t.Helper()
	if !strings.Contains(w.envelope, old) {
		t.Fatalf("the envelope does not contain %q", old)
	}
	w.envelope = strings.Replace(w.envelope, old, new, 1)
}

// between is the part of the envelope from one string to the end of another.
func (w *wire) between(t testing.TB, from, to string) string {
	t.Helper()
	i := strings.Index(w.envelope, from)
	if i < 0 {
		t.Fatalf("no %q in the envelope", from)
	}
	j := strings.Index(w.envelope[i:], to)
	if j < 0 {
		t.Fatalf("no %q in the envelope", to)
	}
	return w.envelope[i : i+j+len(to)]
}

func sendFrom(t testing.TB, from *pki.Party, m *ebms.UserMessage, parts []ebms.Part, encrypt bool) *wire {
	t.Helper()
	s := &Signer{Identity: from.Sign, NewID: counted()}
	signed, err := s.Sign(&ebms.Header{User: m}, parts)
	if err != nil {
		t.Fatal(err)
	}
	if !encrypt {
		return &wire{envelope: string(signed.Envelope), parts: parts}
	}
	e := &Encrypter{Recipient: people().b.Encrypt.Cert(), NewID: counted()}
	env, out, err := e.Encrypt(signed.Envelope, parts)
	if err != nil {
		t.Fatal(err)
	}
	return &wire{envelope: string(env), parts: out}
}

// usual is the usual message from A to B, signed and encrypted.
func usual(t testing.TB) *wire {
	m, parts := usualParts(t)
	return sendFrom(t, people().a, m, parts, true)
}

// clear is the same, signed only.
func clearly(t testing.TB) *wire {
	m, parts := usualParts(t)
	return sendFrom(t, people().a, m, parts, false)
}

// receiver is B's way through the layers, in the order of an access point.
type receiver struct {
	limits    ebms.Limits
	inflate   ebms.Inflater
	encrypted bool
	rules     Rules
	signers   []*x509.Certificate
	keys      []*pki.Identity
	set       ebms.PropertySet
}

func bob() *receiver {
	p := people()
	return &receiver{encrypted: true, signers: []*x509.Certificate{p.a.Sign.Cert()}, keys: []*pki.Identity{p.b.Encrypt}, set: ebms.FourCornerTwo}
}

type received struct {
	v      *Verified
	header *ebms.Header
	parts  [][]byte
}

func (r *receiver) read(body []byte, contentType string) (*received, error) {
	in, err := ebms.NewReader(bytes.NewReader(body), contentType, r.limits, memory)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	root, err := in.Root()
	if err != nil {
		return nil, err
	}
	env, err := ebms.ReadEnvelope(root)
	if err != nil {
		return nil, err
	}
	out := &received{}
	if out.v, err = Verify(env, r.rules); err != nil {
		return nil, err
	}
	if err := out.v.SignedBy(r.signers...); err != nil {
		return nil, err
	}
	if out.header, err = out.v.Header(); err != nil {
		return nil, err
	}
	if out.header.User != nil && r.set != nil {
		if err := r.set.Check(out.header.User.Properties); err != nil {
			return nil, err
		}
	}
	parts, err := in.Parts()
	if err != nil {
		return nil, err
	}
	clear, err := out.v.Open(out.header.User, parts, Need{Encrypted: r.encrypted, Keys: r.keys})
	if err != nil {
		return nil, err
	}
	inflate := r.inflate
	for i, p := range clear {
		b, err := io.ReadAll(inflate.Open(p, &out.header.User.Parts[i]))
		if err != nil {
			return nil, err
		}
		out.parts = append(out.parts, b)
	}
	return out, nil
}

func (r *receiver) take(w *wire) (*received, error) {
	p := ebms.NewPackage([]byte(w.envelope), w.parts, "b0")
	body, err := io.ReadAll(p.NewReader())
	if err != nil {
		return nil, err
	}
	if int64(len(body)) != p.Size() {
		return nil, fmt.Errorf("the package said %d octets and had %d", p.Size(), len(body))
	}
	if w.raw != nil {
		body = w.raw(body)
	}
	if w.contentType == "" {
		w.contentType = p.ContentType()
	}
	return r.read(body, w.contentType)
}

func TestRoundTrip(t *testing.T) {
	for _, prefixes := range []bool{false, true} {
		for form := BinaryToken; form <= Thumbprint; form++ {
			for n := range 4 {
				m, parts := usualParts(t)
				m.Parts, parts = m.Parts[:min(n, 2)], parts[:min(n, 2)]
				if n == 3 {
					m.Parts[0], m.Parts[1] = m.Parts[1], m.Parts[0] // business order differs from MIME order
				}
				s := &Signer{Identity: people().a.Sign, Token: form, PrefixList: prefixes}
				signed, err := s.Sign(&ebms.Header{User: m}, parts)
				if err != nil {
					t.Fatal(err)
				}
				e := &Encrypter{Recipient: people().b.Encrypt.Cert(), Token: form}
				env, out, err := e.Encrypt(signed.Envelope, parts)
				if err != nil {
					t.Fatal(err)
				}
				r := bob()
				r.rules.Known = r.signers
				got, err := r.take(&wire{envelope: "\xef\xbb\xbf" + string(env), parts: out})
				if err != nil {
					t.Fatalf("token form %d, %d parts, PrefixList %v: %v", form, n, prefixes, err)
				}
				if form == PKIPath {
					policy := pki.Policy{Anchors: []*x509.Certificate{people().ca.Cert()}, Now: func() time.Time { return morning }}
					if err := policy.Check(pki.Sign, got.v.Signer, got.v.Chain...); err != nil || len(got.v.Chain) != 1 {
						t.Errorf("PKIPath with %d issuers: %v", len(got.v.Chain), err)
					}
				}
				if len(got.parts) != min(n, 2) {
					t.Fatalf("%d parts arrived", len(got.parts))
				}
				for i, p := range got.parts {
					want := picture
					if m.Parts[i].Compressed() {
						want = document
					}
					if !bytes.Equal(p, want) {
						t.Errorf("part %d is not what was sent", i)
					}
				}
				stored, err := ReadReferences(signed.Envelope)
				if err != nil {
					t.Fatal(err)
				}
				for i, ref := range got.v.References {
					if ref != signed.References[i] || ref != stored[i] {
						t.Errorf("reference %d differs:\n%+v\n%+v\n%+v", i, ref, signed.References[i], stored[i])
					}
				}
			}
		}
	}
}

// The parts of other stacks are labelled otherwise, and then digested otherwise.
func TestContentTransformsByMediaType(t *testing.T) {
	for _, kind := range []string{"application/xml", "text/xml; charset=utf-8", "application/x-ebrs+xml", "image/svg+xml", "APPLICATION/XML", "text/plain", "application/octet-stream"} {
		for _, encrypt := range []bool{false, true} {
			m := request(ebms.PartInfo{ContentID: "a@b"})
			w := sendFrom(t, people().a, m, []ebms.Part{{ID: "a@b", Type: kind, Content: ebms.Bytes(document)}}, encrypt)
			r := bob()
			r.encrypted = encrypt
			got, err := r.take(w)
			if err != nil {
				t.Errorf("%s: %v", kind, err)
				continue
			}
			if !bytes.Equal(got.parts[0], document) {
				t.Errorf("%s: delivered octets differ from those sent", kind)
			}
			if encrypt {
				continue
			}
			// Canonically equal XML and text with other line ends keep the
			// digest, other changes do not.
			other := bytes.ReplaceAll(document, []byte("<a/>"), []byte("<a></a>"))
			if treat(kind) == asText {
				other = bytes.ReplaceAll(document, []byte("\r\n"), []byte("\n"))
			}
			w.parts[0].Content = ebms.Bytes(other)
			_, err = r.take(w)
			if same := treat(kind) != asIs; same != (err == nil) {
				t.Errorf("%s: equivalent content: %v", kind, err)
			}
			w.parts[0].Content = ebms.Bytes(bytes.ReplaceAll(document, []byte("<a/>"), []byte("<b/>")))
			if _, err = r.take(w); ebms.CodeOf(err) != ebms.FailedAuthentication {
				t.Errorf("%s: other content: %v", kind, err)
			}
		}
	}
}
