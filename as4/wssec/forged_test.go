package wssec

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
)

// insider is a partner with a valid certificate who signs whatever shape it
// likes: what a man in the middle cannot do, a broken or hostile access point
// can.
type insider struct {
	messaging, body string // as they travel, canonical
	refs            []claim
	c14n, method    string // algorithms; "" is the right one
	methodInside    string // children of SignatureMethod
	before          string // in wsse:Security before the signature
	after           string // and after it
	keyInfo         string // "" is a reference to the token
	headerBlock     string // in the SOAP Header
	parts           []ebms.Part
}

type claim struct {
	uri, transform, digest, inside string
	transforms                     string // replaces all of ds:Transforms
	octets                         string
	value                          string // replaces the digest value
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (f insider) wire(t testing.TB) *wire {
	t.Helper()
	var refs strings.Builder
	for _, c := range f.refs {
		sum := sha256.Sum256([]byte(c.octets))
		transform := orElse(c.transform, c14n)
		if c.transform == "" && strings.HasPrefix(c.uri, "cid:") {
			transform = contentSignature
		}
		transforms := orElse(c.transforms, `<ds:Transform Algorithm="`+transform+`">`+c.inside+`</ds:Transform>`)
		fmt.Fprintf(&refs, `<ds:Reference URI="%s"><ds:Transforms>%s</ds:Transforms><ds:DigestMethod Algorithm="%s"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference>`,
			c.uri, transforms, orElse(c.digest, digestURI), orElse(c.value, encode64(sum[:])))
	}
	info := `<ds:SignedInfo xmlns:ds="` + ebms.DS + `"><ds:CanonicalizationMethod Algorithm="` + orElse(f.c14n, c14n) +
		`"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="` + orElse(f.method, rsaSHA256{}.uri()) + `">` + f.methodInside + `</ds:SignatureMethod>` + refs.String() + `</ds:SignedInfo>`
	a := people().a.Sign
	value, err := rsaSHA256{}.sign(a.Signer(), []byte(info))
	if err != nil {
		t.Fatal(err)
	}
	bst, ref, err := token(BinaryToken, a.Chain, "X1")
	if err != nil {
		t.Fatal(err)
	}
	security := `<wsse:Security xmlns:wsse="` + ebms.WSSE + `" xmlns:wsu="` + ebms.WSU + `" env:mustUnderstand="true">` + f.before + bst + `<ds:Signature xmlns:ds="` + ebms.DS + `">` + info +
		`<ds:SignatureValue>` + encode64(value) + `</ds:SignatureValue><ds:KeyInfo>` + orElse(f.keyInfo, ref) + `</ds:KeyInfo></ds:Signature>` + f.after + `</wsse:Security>`
	return &wire{envelope: string(ebms.BuildEnvelope([]byte(f.messaging+f.headerBlock), []byte(security), []byte(f.body))), parts: f.parts}
}

// honest is a sound message of the insider, to be spoilt.
func honest(t testing.TB) insider {
	t.Helper()
	m, parts := usualParts(t)
	return honestly(t, m, parts)
}

func honestly(t testing.TB, m *ebms.UserMessage, parts []ebms.Part) insider {
	t.Helper()
	messaging, err := (&ebms.Header{User: m}).Encode("m1")
	if err != nil {
		t.Fatal(err)
	}
	f := insider{messaging: string(messaging), body: string(ebms.EmptyBody("b1")), parts: parts}
	f.refs = []claim{{uri: "#b1", octets: f.body}, {uri: "#m1", octets: f.messaging}}
	for _, p := range parts {
		b, err := ebms.ReadAll(p.Content)
		if err != nil {
			t.Fatal(err)
		}
		f.refs = append(f.refs, claim{uri: ebms.CID(p.ID), octets: string(b)})
	}
	return f
}

// messaging changes the header and signs the change.
func (f insider) messagingWith(t testing.TB, old, new string) insider {
	t.Helper()
	if !strings.Contains(f.messaging, old) {
		t.Fatalf("the header does not contain %q", old)
	}
	f.messaging = strings.Replace(f.messaging, old, new, 1)
	f.refs = append([]claim(nil), f.refs...)
	f.refs[1].octets = f.messaging
	return f
}

func gz(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

// The lines of the list of known attacks on AS4 stacks that belong to the wire,
// and the malformed messages of the conformance tests: each is refused with its
// code. "plain" is for messages whose parts travel in the clear.
func TestForgeriesAreRefused(t *testing.T) {
	const plain = true
	const c14n10 = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	for _, c := range []struct {
		name string
		want ebms.Code
		leg  bool // plain
		make func(t testing.TB) *wire
	}{
		// The control: what the insider builds is sound until it is spoilt.
		{"control: insider's sound message", "", plain, func(t testing.TB) *wire { return honest(t).wire(t) }},
		{"control: usual message", "", false, func(t testing.TB) *wire { return usual(t) }},
		{"control: usual message in the clear", "", plain, func(t testing.TB) *wire { return clearly(t) }},
		{"control: Messaging with a second id of another value, as Domibus writes it", "", plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, ` wsu:Id="m1"`, ` id="_m1" wsu:Id="m1"`).wire(t)
		}},

		// 1. What is used must be what is covered.
		{"1 Messaging not covered", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs = append(f.refs[:1:1], f.refs[2:]...)
			return f.wire(t)
		}},
		{"1 Body not covered", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs = f.refs[1:]
			return f.wire(t)
		}},
		{"1 nothing covered", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs = nil
			return f.wire(t)
		}},
		{"1 Body covered twice, Messaging never", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1] = f.refs[0]
			return f.wire(t)
		}},
		{"1 a child of Messaging covered instead", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.messaging = strings.Replace(f.messaging, "<eb:UserMessage>", `<eb:UserMessage wsu:Id="u1">`, 1)
			inner := f.messaging[strings.Index(f.messaging, "<eb:UserMessage"):strings.Index(f.messaging, "</eb:Messaging>")]
			inner = strings.Replace(inner, `<eb:UserMessage wsu:Id="u1">`, `<eb:UserMessage xmlns:eb="`+ebms.NS+`" xmlns:wsu="`+ebms.WSU+`" wsu:Id="u1">`, 1)
			f.refs[1] = claim{uri: "#u1", octets: inner}
			return f.wire(t)
		}},
		{"1 the whole document covered", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].uri = ""
			return f.wire(t)
		}},
		{"1 Messaging without wsu:Id", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t).messagingWith(t, `wsu:Id="m1"`, `id="m1"`)
			return f.wire(t)
		}},
		{"1 XPointer instead of an id", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].uri = "#xpointer(id('m1'))"
			return f.wire(t)
		}},

		// 2. Wrapping and doubled elements.
		{"2 second Messaging before", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			m := w.between(t, "<eb:Messaging", "</eb:Messaging>")
			w.replace(t, "<env:Header>", "<env:Header>"+strings.Replace(m, "id1", "evil", 1))
			return w
		}},
		{"2 second Messaging after", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			m := w.between(t, "<eb:Messaging", "</eb:Messaging>")
			w.replace(t, "</env:Header>", strings.Replace(m, "id1", "evil", 1)+"</env:Header>")
			return w
		}},
		{"2 second Security", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "</env:Header>", `<wsse:Security xmlns:wsse="`+ebms.WSSE+`"></wsse:Security></env:Header>`)
			return w
		}},
		{"2 second Signature", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			s := w.between(t, "<ds:Signature xmlns", "</ds:Signature>")
			w.replace(t, "</wsse:Security>", strings.Replace(s, `Id="SIG-id1"`, "", 1)+"</wsse:Security>")
			return w
		}},
		{"2 original wrapped in another header block", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			m := w.between(t, "<eb:Messaging", "</eb:Messaging>")
			forged := strings.Replace(strings.Replace(m, `wsu:Id="m-id1"`, `wsu:Id="m-evil"`, 1), "XX-4711", "XX-0666", 1)
			w.replace(t, m, forged+`<x:Wrapper xmlns:x="urn:x">`+m+`</x:Wrapper>`)
			return w
		}},
		{"2 original wrapped in the Security header", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			w := clearly(t)
			m := w.between(t, "<eb:Messaging", "</eb:Messaging>")
			forged := strings.Replace(strings.Replace(m, `wsu:Id="m-id1"`, `wsu:Id="m-evil"`, 1), "XX-4711", "XX-0666", 1)
			w.replace(t, m, forged)
			w.replace(t, "</wsse:Security>", m+"</wsse:Security>")
			return w
		}},
		{"2 original moved into ds:Object", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			w := clearly(t)
			m := w.between(t, "<eb:Messaging", "</eb:Messaging>")
			w.replace(t, m, strings.Replace(strings.Replace(m, `wsu:Id="m-id1"`, `wsu:Id="m-evil"`, 1), "XX-4711", "XX-0666", 1))
			w.replace(t, "</ds:Signature>", "<ds:Object>"+m+"</ds:Object></ds:Signature>")
			return w
		}},
		{"2 original moved into the token reference", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			m := w.between(t, "<eb:Messaging", "</eb:Messaging>")
			w.replace(t, m, strings.Replace(strings.Replace(m, `wsu:Id="m-id1"`, `wsu:Id="m-evil"`, 1), "XX-4711", "XX-0666", 1))
			w.replace(t, "</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>", m+"</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>")
			return w
		}},
		{"2 original moved into the Body", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			m := w.between(t, "<eb:Messaging", "</eb:Messaging>")
			w.replace(t, m, strings.Replace(strings.Replace(m, `wsu:Id="m-id1"`, `wsu:Id="m-evil"`, 1), "XX-4711", "XX-0666", 1))
			w.replace(t, "</env:Body>", m+"</env:Body>")
			return w
		}},
		{"2 second Body", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "</env:Body>", `</env:Body><env:Body></env:Body>`)
			return w
		}},
		{"2 forged sibling with the same wsu:Id", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<wsse:BinarySecurityToken", `<wsse:BinarySecurityToken wsu:Id="m-id1">AA==</wsse:BinarySecurityToken><wsse:BinarySecurityToken`)
			return w
		}},
		{"2 the same id as an unprefixed attribute elsewhere", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, `Id="SIG-id1"`, `Id="m-id1"`)
			return w
		}},
		{"2 the same id as xml:id elsewhere", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, `Id="SIG-id1"`, `xml:id="m-id1"`)
			return w
		}},
		{"2 two tokens of one id", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			bst := w.between(t, "<wsse:BinarySecurityToken", "</wsse:BinarySecurityToken>")
			w.replace(t, bst, bst+bst)
			return w
		}},

		// 3. The three sets.
		{"3 part exchanged in the clear", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.parts[1].Content = ebms.Bytes("another evidence")
			return w
		}},
		{"3 part not signed", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs = f.refs[:3]
			return f.wire(t)
		}},
		{"3 reference without part", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs = append(f.refs, claim{uri: "cid:nowhere@x", octets: "x"})
			return f.wire(t)
		}},
		{"3 one part referenced twice, the other not", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[3] = f.refs[2]
			return f.wire(t)
		}},
		{"3 the same part under two spellings", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[3] = f.refs[2]
			f.refs[3].uri = strings.Replace(f.refs[2].uri, "@", "%40", 1)
			return f.wire(t)
		}},
		{"3 part that the header does not name", ebms.MimeInconsistency, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.parts = append(w.parts, ebms.Part{ID: "extra@x", Type: "text/plain", Content: ebms.Bytes("x")})
			return w
		}},
		{"3 part removed", ebms.MimeInconsistency, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.parts = w.parts[:1]
			return w
		}},
		{"3 parts swapped", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.parts[0].Content, w.parts[1].Content = w.parts[1].Content, w.parts[0].Content
			return w
		}},
		{"3 encrypted parts swapped", ebms.FailedDecryption, false, func(t testing.TB) *wire {
			w := usual(t)
			w.parts[0].Content, w.parts[1].Content = w.parts[1].Content, w.parts[0].Content
			return w
		}},
		{"3 header names a part twice", ebms.MimeInconsistency, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, "cid:91e1-e@", "cid:91e1-q@").wire(t)
		}},
		{"3 two parts with one Content-ID", ebms.MimeInconsistency, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.parts = append(w.parts, w.parts[0])
			return w
		}},

		// 4. Whose signature it is.
		{"4 signed by a stranger whose certificate is in the message", ebms.FailedAuthentication, false, func(t testing.TB) *wire {
			m, parts := usualParts(t)
			return sendFrom(t, people().mallory, m, parts, true)
		}},
		{"4 certificate exchanged", ebms.FailedAuthentication, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, encode64(people().a.Sign.Cert().Raw), encode64(people().mallory.Sign.Cert().Raw))
			return w
		}},
		{"4 token of our own encryption certificate", ebms.FailedAuthentication, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, `<wsse:Reference URI="#X509-id1"`, `<wsse:Reference URI="#T-enc-id1"`)
			return w
		}},
		{"4 token outside the message", ebms.FailedAuthentication, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, `<wsse:Reference URI="#X509-id1"`, `<wsse:Reference URI="http://attacker.example/cert"`)
			return w
		}},
		{"4 bare key instead of a certificate", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.keyInfo = `<ds:KeyValue><ds:RSAKeyValue></ds:RSAKeyValue></ds:KeyValue>`
			return f.wire(t)
		}},
		{"4 signature value changed", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			v := w.between(t, "<ds:SignatureValue>", "</ds:SignatureValue>")
			w.replace(t, v, strings.Replace(v, v[30:34], "AAAA", 1))
			return w
		}},

		// 5. XML that no AS4 message needs.
		{"5 DOCTYPE", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<env:Envelope", `<!DOCTYPE env:Envelope [<!ENTITY e "x">]><env:Envelope`)
			return w
		}},
		{"5 external DTD", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<env:Envelope", `<!DOCTYPE env:Envelope SYSTEM "http://attacker.example/x.dtd"><env:Envelope`)
			return w
		}},
		{"5 entity", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "XX-4711", "&e;")
			return w
		}},
		{"5 processing instruction", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<env:Header>", "<env:Header><?x y?>")
			return w
		}},
		{"5 deep nesting", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<env:Header>", "<env:Header>"+strings.Repeat("<x>", 200)+strings.Repeat("</x>", 200))
			return w
		}},
		{"5 huge attribute count", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			var b strings.Builder
			for i := range 3000 {
				fmt.Fprintf(&b, ` a%d=""`, i)
			}
			w.replace(t, "<env:Header", "<env:Header"+b.String())
			return w
		}},
		{"5 duplicate attribute", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, `wsu:Id="m-id1"`, `wsu:Id="m-id1" wsu:Id="m-id1"`)
			return w
		}},
		{"5 duplicate attribute under two prefixes", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, `wsu:Id="m-id1"`, `wsu:Id="m-id1" xmlns:w2="`+ebms.WSU+`" w2:Id="m-id2"`)
			return w
		}},
		{"5 invalid UTF-8", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "XX-4711", "XX-\xff4711")
			return w
		}},
		{"5 NUL", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "XX-4711", "XX-\x004711")
			return w
		}},
		{"5 forbidden character reference", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "XX-4711", "XX-&#1;4711")
			return w
		}},
		{"5 unbound prefix", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<env:Header>", "<env:Header><nobody:x/>")
			return w
		}},
		{"5 not UTF-8", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, `encoding="UTF-8"`, `encoding="ISO-8859-1"`)
			return w
		}},
		{"5 CDATA changes nothing, so the digest holds; a changed value does not", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "XX-4711", "<![CDATA[XX-0666]]>")
			return w
		}},

		// 6. Digests are over the received tree.
		{"6 white space added to the header", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<eb:UserMessage>", "<eb:UserMessage> ")
			return w
		}},
		{"6 attribute added to the Body", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<env:Body", `<env:Body x="y"`)
			return w
		}},

		// 7. Limits. (Those of MIME are in package ebms.)
		{"7 envelope over 1 MiB", ebms.MimeInconsistency, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "<env:Envelope", strings.Repeat(" ", 1<<20)+"<env:Envelope")
			return w
		}},
		{"7 gzip bomb", ebms.DecompressionFailure, plain, func(t testing.TB) *wire {
			m, parts := usualParts(t)
			parts[0].Content = ebms.Bytes(gz(make([]byte, 40<<20)))
			return honestly(t, m, parts).wire(t)
		}},
		{"7 29 parts", ebms.MimeInconsistency, plain, func(t testing.TB) *wire {
			m := request()
			var parts []ebms.Part
			for i := range 29 {
				id := fmt.Sprintf("p%d@x", i)
				m.Parts = append(m.Parts, ebms.PartInfo{ContentID: id})
				parts = append(parts, ebms.Part{ID: id, Type: "application/octet-stream", Content: ebms.Bytes("x")})
			}
			f := honestly(t, m, parts)
			f.refs = f.refs[:30] // the signature alone would be acceptable
			return f.wire(t)
		}},
		{"7 31 references", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			for i := range 27 {
				f.refs = append(f.refs, claim{uri: fmt.Sprintf("cid:p%d@x", i), octets: "x"})
			}
			return f.wire(t)
		}},

		// 8. What is required is required.
		{"8 no Security header", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, w.between(t, "<wsse:Security", "</wsse:Security>"), "")
			return w
		}},
		{"8 Security header without signature", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, w.between(t, "<ds:Signature xmlns", "</ds:Signature>"), "")
			return w
		}},
		{"8 signed but not encrypted", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire { return clearly(t) }},
		{"8 one of two parts in the clear", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w, open := usual(t), clearly(t)
			w.parts[1].Content = open.parts[1].Content
			w.replace(t, w.between(t, `<xenc:DataReference URI="#ED-id1-2">`, `</xenc:DataReference>`), "")
			ed := w.between(t, `<xenc:EncryptedData xmlns:xenc="`+ebms.XENC+`" Id="ED-id1-2"`, `</xenc:EncryptedData>`)
			w.replace(t, ed, "")
			return w
		}},
		{"8 Security for another actor", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, `<wsse:Security `, `<wsse:Security env:role="urn:somebody" `)
			return w
		}},
		{"8 a Timestamp, which the policy does not have", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, "</wsse:Security>", `<wsu:Timestamp wsu:Id="t"><wsu:Created>2026-09-01T08:00:00Z</wsu:Created></wsu:Timestamp></wsse:Security>`)
			return w
		}},

		// 9. Algorithms.
		{"9 RSA-SHA1", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.method = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
			return f.wire(t)
		}},
		{"9 HMAC with a public key", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.method = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
			return f.wire(t)
		}},
		{"9 a 2.0 suite that is not enabled", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.method = eddsa{}.uri()
			return f.wire(t)
		}},
		{"9 SignatureMethod with parameters", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.methodInside = `<ds:HMACOutputLength>1</ds:HMACOutputLength>`
			return f.wire(t)
		}},
		{"9 SHA-1 digest", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].digest = "http://www.w3.org/2000/09/xmldsig#sha1"
			return f.wire(t)
		}},
		{"9 inclusive C14N of SignedInfo", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.c14n = c14n10
			return f.wire(t)
		}},
		{"9 exclusive C14N with comments", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].transform = c14n + "WithComments"
			return f.wire(t)
		}},
		{"9 XSLT transform", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].transform = "http://www.w3.org/TR/1999/REC-xslt-19991116"
			return f.wire(t)
		}},
		{"9 XPath transform", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].transform = "http://www.w3.org/TR/1999/REC-xpath-19991116"
			return f.wire(t)
		}},
		{"9 enveloped-signature transform", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].transform = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
			return f.wire(t)
		}},
		{"9 two transforms", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			one := `<ds:Transform Algorithm="` + c14n + `"></ds:Transform>`
			f.refs[1].transforms = one + one
			return f.wire(t)
		}},
		{"9 no transform", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].transforms = " "
			return f.wire(t)
		}},
		{"9 transform with a child", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[1].inside = `<ds:XPath>1</ds:XPath>`
			return f.wire(t)
		}},
		{"9 Attachment-Complete", ebms.PolicyNoncompliance, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[2].transform = swa + "Attachment-Complete-Signature-Transform"
			return f.wire(t)
		}},
		{"9 RSA PKCS#1 v1.5 key transport", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, oaepURI, "http://www.w3.org/2001/04/xmlenc#rsa-1_5")
			return w
		}},
		{"9 OAEP of XML Encryption 1.0", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, oaepURI, "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p")
			return w
		}},
		{"9 OAEP without its digest means SHA-1", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			m := w.between(t, "<xenc:EncryptionMethod", "</xenc:EncryptionMethod>")
			w.replace(t, m, strings.Replace(m, `<ds:DigestMethod xmlns:ds="`+ebms.DS+`" Algorithm="`+digestURI+`"></ds:DigestMethod>`, "", 1))
			return w
		}},
		{"9 OAEP without its mask means SHA-1", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, w.between(t, "<xenc11:MGF", "</xenc11:MGF>"), "")
			return w
		}},
		{"9 mask with SHA-1", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, mgf1SHA256, "http://www.w3.org/2009/xmlenc11#mgf1sha1")
			return w
		}},
		{"9 AES-CBC", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, aes128GCM, "http://www.w3.org/2001/04/xmlenc#aes128-cbc")
			return w
		}},
		{"9 AES-256-GCM", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, aes128GCM, "http://www.w3.org/2009/xmlenc11#aes256-gcm")
			return w
		}},
		{"9 encryption of headers too", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, contentOnly, swa+"Attachment-Complete")
			return w
		}},
		{"9 second EncryptedKey", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			ek := w.between(t, "<xenc:EncryptedKey", "</xenc:EncryptedKey>")
			w.replace(t, ek, ek+strings.Replace(ek, "EK-id1", "EK-id2", 1))
			return w
		}},
		{"9 EncryptedData with another key", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, `URI="#EK-id1"`, `URI="#EK-else"`)
			return w
		}},
		{"9 EncryptedData that is not listed", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, w.between(t, `<xenc:DataReference URI="#ED-id1-2">`, `</xenc:DataReference>`), "")
			return w
		}},
		{"9 two EncryptedData for one part", ebms.PolicyNoncompliance, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, `<xenc:CipherReference URI="cid:91e1-e@`, `<xenc:CipherReference URI="cid:91e1-q@`)
			return w
		}},
		{"9 EncryptedData in place of the header", ebms.InvalidHeader, false, func(t testing.TB) *wire {
			w := usual(t)
			w.replace(t, w.between(t, "<eb:Messaging", "</eb:Messaging>"), `<xenc:EncryptedData xmlns:xenc="`+ebms.XENC+`"></xenc:EncryptedData>`)
			return w
		}},

		// 15, 16. Addresses and names from outside.
		{"15 external payload", ebms.ExternalPayloadError, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, "cid:91e1-e@ap.example.eu", "https://attacker.example/evidence.pdf").wire(t)
		}},
		{"15 payload in the Body", ebms.ExternalPayloadError, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, ` href="cid:91e1-e@ap.example.eu"`, "").wire(t)
		}},
		{"16 content id with a line break", ebms.MimeInconsistency, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, "cid:91e1-e@", "cid:91e1-e%0D%0AX:@").wire(t)
		}},
		{"16 message id with a line break", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, "0c9c0b52-", "0c9c0b52\n").wire(t)
		}},
		{"16 message id too long", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, "0c9c0b52-", strings.Repeat("0", 256)).wire(t)
		}},

		// 19. A changed mustUnderstand breaks the digest.
		{"19 mustUnderstand rewritten in transit", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.replace(t, `env:mustUnderstand="true"><eb:UserMessage>`, `env:mustUnderstand="1"><eb:UserMessage>`)
			return w
		}},

		// Conformance: malformed headers and compression.
		{"TA03 two party ids", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, "<eb:Role>", "<eb:PartyId>AP_2</eb:PartyId><eb:Role>").wire(t)
		}},
		{"TA05 payload in the SOAP Body", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.body = strings.Replace(f.body, "></env:Body>", "><a></a></env:Body>", 1)
			f.refs[0].octets = f.body
			return f.wire(t)
		}},
		{"TA26 compressed part without MimeType", ebms.DecompressionFailure, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, `<eb:Property name="MimeType">application/x-ebrs+xml</eb:Property>`, "").wire(t)
		}},
		{"TA29 character set of nonsense", ebms.ValueInconsistent, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, `<eb:Property name="CompressionType">`, `<eb:Property name="CharacterSet">utf-nonsense</eb:Property><eb:Property name="CompressionType">`).wire(t)
		}},
		{"TA30 corrupt gzip", ebms.DecompressionFailure, plain, func(t testing.TB) *wire {
			m, parts := usualParts(t)
			z := gz(document)
			z[len(z)-5] ^= 1 // its CRC
			parts[0].Content = ebms.Bytes(z)
			return honestly(t, m, parts).wire(t)
		}},
		{"TA30 truncated gzip", ebms.DecompressionFailure, plain, func(t testing.TB) *wire {
			m, parts := usualParts(t)
			z := gz(document)
			parts[0].Content = ebms.Bytes(z[:len(z)-9])
			return honestly(t, m, parts).wire(t)
		}},
		{"TA30 garbage after gzip", ebms.DecompressionFailure, plain, func(t testing.TB) *wire {
			m, parts := usualParts(t)
			parts[0].Content = ebms.Bytes(append(gz(document), "garbage"...))
			return honestly(t, m, parts).wire(t)
		}},
		{"TA30 not gzip at all", ebms.DecompressionFailure, plain, func(t testing.TB) *wire {
			m, parts := usualParts(t)
			parts[0].Content = ebms.Bytes(document)
			return honestly(t, m, parts).wire(t)
		}},
		{"TA35 signed before compression", ebms.FailedAuthentication, plain, func(t testing.TB) *wire {
			f := honest(t)
			f.refs[2].octets = string(document)
			return f.wire(t)
		}},
		{"TA37 encrypted before compression", ebms.FailedDecryption, false, func(t testing.TB) *wire {
			w := usual(t)
			b, _ := io.ReadAll(w.parts[0].Content.NewReader())
			w.parts[0].Content = ebms.Bytes(gz(b))
			return w
		}},
		{"unknown compression", ebms.DecompressionFailure, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, ebms.Gzip, "application/zip").wire(t)
		}},
		{"two user messages", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			f := honest(t)
			um := f.messaging[strings.Index(f.messaging, "<eb:UserMessage"):strings.Index(f.messaging, "</eb:Messaging>")]
			return f.messagingWith(t, "</eb:Messaging>", um+"</eb:Messaging>").wire(t)
		}},
		{"elements out of order", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			f := honest(t)
			from := f.messaging[strings.Index(f.messaging, "<eb:From>"):strings.Index(f.messaging, "<eb:To>")]
			f = f.messagingWith(t, from, "")
			return f.messagingWith(t, "</eb:To>", "</eb:To>"+from).wire(t)
		}},
		{"a date that is none", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, "2026-09-01T", "2026-13-01T").wire(t)
		}},
		{"property not in the set of the leg", ebms.ProcessingModeMismatch, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, `name="ExchangeId"`, `name="trackingIdentifier"`).wire(t)
		}},
		{"property twice", ebms.BadProperties, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, `name="ExchangeId"`, `name="originalsender"`).wire(t)
		}},
		{"part property twice", ebms.BadProperties, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, `<eb:Property name="CompressionType">`, `<eb:Property name="MimeType">text/plain</eb:Property><eb:Property name="CompressionType">`).wire(t)
		}},
		{"pull request", ebms.FeatureNotSupported, plain, func(t testing.TB) *wire {
			f := honest(t)
			um := f.messaging[strings.Index(f.messaging, "<eb:UserMessage"):strings.Index(f.messaging, "</eb:Messaging>")]
			return f.messagingWith(t, um, `<eb:SignalMessage><eb:MessageInfo><eb:Timestamp>2026-09-01T08:15:30Z</eb:Timestamp><eb:MessageId>x@y</eb:MessageId></eb:MessageInfo><eb:PullRequest mpc="m"></eb:PullRequest></eb:SignalMessage>`).wire(t)
		}},
		{"SOAP 1.1", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			w := clearly(t)
			w.envelope = strings.ReplaceAll(w.envelope, ebms.SOAP, "http://schemas.xmlsoap.org/soap/envelope/")
			return w
		}},
		{"mustUnderstand missing", ebms.InvalidHeader, plain, func(t testing.TB) *wire {
			return honest(t).messagingWith(t, ` env:mustUnderstand="true"`, "").wire(t)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := bob()
			r.encrypted = !c.leg
			_, err := r.take(c.make(t))
			if got := ebms.CodeOf(err); got != c.want {
				t.Errorf("%v; want code %q", err, c.want)
			}
			var e *ebms.Error
			if errors.As(err, &e) && e.Warning {
				t.Error("refused with a warning:", err)
			}
		})
	}
}

// Comments do not count in canonical XML: what they split is one value, the
// one that was signed.
func TestCommentsDoNotSplitValues(t *testing.T) {
	w := clearly(t)
	w.replace(t, "XX-4711", "XX-<!-- 0666 -->4711")
	r := bob()
	r.encrypted = false
	got, err := r.take(w)
	if err != nil {
		t.Fatal(err)
	}
	if v := got.header.User.Property(ebms.OriginalSender); v != "XX-4711" {
		t.Errorf("originalSender is %q", v)
	}
}

// White space in base64 and line ends of other systems are accepted.
func TestWhiteSpaceInBase64(t *testing.T) {
	f := honest(t)
	sum := sha256.Sum256([]byte(f.refs[2].octets))
	f.refs[2].value = "\n  " + encode64(sum[:])[:20] + "\n" + encode64(sum[:])[20:] + "  "
	w := f.wire(t)
	v := w.between(t, "<ds:SignatureValue>", "</ds:SignatureValue>")
	w.replace(t, v, strings.Replace(v, v[40:44], v[40:44]+"&#13;\r\n\t ", 1))
	c := encode64(people().a.Sign.Cert().Raw)
	w.replace(t, c, c[:76]+"\r\n"+c[76:152]+"\n"+c[152:]+"\n")
	w.envelope = "\xef\xbb\xbf" + w.envelope
	r := bob()
	r.encrypted = false
	if _, err := r.take(w); err != nil {
		t.Error(err)
	}
}

// Every way in which decryption can fail looks the same.
func TestDecryptionFailuresAreOne(t *testing.T) {
	base := usual(t)
	octets := func(w *wire, i int) []byte {
		b, err := io.ReadAll(w.parts[i].Content.NewReader())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	copyOf := func() *wire { w := *base; w.parts = append([]ebms.Part(nil), base.parts...); return &w }
	flip := func(i, at int) *wire {
		w := copyOf()
		b := octets(w, i)
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 1
		w.parts[i].Content = ebms.Bytes(b)
		return w
	}
	wrongKey := copyOf()
	cv := wrongKey.between(t, "<xenc:CipherValue>", "</xenc:CipherValue>")
	wrongKey.replace(t, cv, strings.Replace(cv, cv[30:34], "AAAA", 1))
	noKey := copyOf()
	noKey.replace(t, cv, "<xenc:CipherValue></xenc:CipherValue>")
	notBase64 := copyOf()
	notBase64.replace(t, cv, "<xenc:CipherValue>%%%</xenc:CipherValue>")
	stranger := copyOf()
	stranger.replace(t, encode64(people().b.Encrypt.Cert().Raw), encode64(people().mallory.Encrypt.Cert().Raw))
	short := copyOf()
	short.parts[1].Content = ebms.Bytes("short")

	// A sender whose signature is over other octets than it encrypts.
	m, parts := usualParts(t)
	signed, err := (&Signer{Identity: people().a.Sign}).Sign(&ebms.Header{User: m}, parts)
	if err != nil {
		t.Fatal(err)
	}
	parts[1].Content = ebms.Bytes("other evidence")
	env, out, err := (&Encrypter{Recipient: people().b.Encrypt.Cert()}).Encrypt(signed.Envelope, parts)
	if err != nil {
		t.Fatal(err)
	}
	mismatch := &wire{envelope: string(env), parts: out}

	want := ""
	for name, w := range map[string]*wire{
		"nonce": flip(1, 0), "ciphertext": flip(1, 20), "tag": flip(0, -1), "wrapped key": wrongKey, "no key": noKey,
		"key not base64": notBase64, "for somebody else": stranger, "short part": short, "digest": mismatch,
	} {
		_, err := bob().take(w)
		if ebms.CodeOf(err) != ebms.FailedDecryption {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want == "" {
			want = err.Error()
		}
		if err.Error() != want {
			t.Errorf("%s: %q differs from %q", name, err, want)
		}
	}
}

// Security failures say nothing over the wire but their code.
func TestSecurityErrorsSayOnlyTheCode(t *testing.T) {
	for _, err := range []error{noAuthentication("secret"), noCompliance("secret"), noDecryption()} {
		e := err.(*ebms.Error)
		b, encodeErr := (&ebms.Header{Signal: &ebms.SignalMessage{Timestamp: morning, MessageID: "x@y", Errors: []*ebms.Error{e}}}).Encode("m")
		if encodeErr != nil {
			t.Fatal(encodeErr)
		}
		if bytes.Contains(b, []byte("secret")) || bytes.Contains(b, []byte("ErrorDetail")) {
			t.Errorf("%s tells more than its code", e.Code)
		}
	}
}

// A message key and a nonce are never used twice.
func TestEveryEncryptionIsFresh(t *testing.T) {
	m, parts := usualParts(t)
	signed, err := (&Signer{Identity: people().a.Sign}).Sign(&ebms.Header{User: m}, parts)
	if err != nil {
		t.Fatal(err)
	}
	keys, nonces := map[string]bool{}, map[string]bool{}
	for range 5 {
		_, out, err := (&Encrypter{Recipient: people().b.Encrypt.Cert()}).Encrypt(signed.Envelope, parts)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range out {
			s := p.Content.(*sealed)
			keys[string(s.key)] = true
			nonces[string(s.nonce[:])] = true
		}
	}
	if len(keys) != 5 || len(nonces) != 10 {
		t.Errorf("%d keys and %d nonces in 5 messages of 2 parts", len(keys), len(nonces))
	}
}

// While keys roll over, both identities open; a retired one does not.
func TestKeyRollOver(t *testing.T) {
	p := people()
	m, parts := usualParts(t)
	w := sendFrom(t, p.a, m, parts, true)
	r := bob()
	r.keys = []*pki.Identity{p.mallory.Encrypt, p.b.Encrypt}
	r.signers = []*x509.Certificate{p.mallory.Sign.Cert(), p.a.Sign.Cert()}
	if _, err := r.take(w); err != nil {
		t.Error(err)
	}
	r.keys = r.keys[:1]
	if _, err := r.take(w); ebms.CodeOf(err) != ebms.FailedDecryption {
		t.Errorf("retired key: %v", err)
	}
}

func TestSignerAndEncrypterRefuseBadInput(t *testing.T) {
	p := people()
	m, parts := usualParts(t)
	h := &ebms.Header{User: m}
	if _, err := (&Signer{}).Sign(h, parts); err == nil {
		t.Error("signed without a key")
	}
	if _, err := (&Signer{Identity: p.a.TLS}).Sign(h, parts); err == nil {
		t.Error("RSA-SHA256 with an ECDSA key")
	}
	if _, err := (&Signer{Identity: p.a.Sign}).Sign(h, parts[:1]); ebms.CodeOf(err) != ebms.MimeInconsistency {
		t.Error("signed a message that lacks a part:", err)
	}
	if _, _, err := (&Encrypter{Recipient: p.a.TLS.Cert()}).Encrypt([]byte("<x/>"), parts); err == nil {
		t.Error("encrypted a message that is none")
	}
	bad := *m
	bad.Action = "\x01"
	if _, err := (&Signer{Identity: p.a.Sign}).Sign(&ebms.Header{User: &bad}, parts); err == nil {
		t.Error("signed a control character")
	}
}
