package wssec

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"hash"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
)

// RFC 3394 4.1: a 128-bit key under a 128-bit key.
func TestKeyWrapVector(t *testing.T) {
	kek, _ := hex.DecodeString("000102030405060708090A0B0C0D0E0F")
	key, _ := hex.DecodeString("00112233445566778899AABBCCDDEEFF")
	want, _ := hex.DecodeString("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")
	got, err := wrapKey(kek, key)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%X %v", got, err)
	}
	back, err := unwrapKey(kek, want)
	if err != nil || !bytes.Equal(back, key) {
		t.Errorf("%X %v", back, err)
	}
}

func TestKeyWrapRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kek := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "kek")
		key := rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "key")
		key = key[:len(key)/8*8]
		w, err := wrapKey(kek, key)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := unwrapKey(kek, w); err != nil || !bytes.Equal(back, key) {
			t.Fatal(back, err)
		}
		w[rapid.IntRange(0, len(w)-1).Draw(t, "at")] ^= 1
		if _, err := unwrapKey(kek, w); err == nil {
			t.Fatal("a changed key was unwrapped")
		}
	})
}

// The experimental suites of eDelivery AS4 2.0: between ourselves, and only
// where they are configured.
func TestExperimentalSuites(t *testing.T) {
	ca := people().ca
	for _, c := range []struct {
		suite         *Suite
		sign, encrypt pki.KeyType
	}{
		{Edwards, pki.Ed25519, pki.X25519},
		{ECDSAP256, pki.P256, pki.P256},
	} {
		t.Run(c.suite.Name, func(t *testing.T) {
			if !c.suite.Experimental || SuiteByName(c.suite.Name) != c.suite {
				t.Error("the suite is not known as experimental")
			}
			ids, err := ca.IssueAll(pki.Request{Name: "A", Use: pki.Sign, Key: c.sign}, pki.Request{Name: "B", Use: pki.Encrypt, Key: c.encrypt})
			if err != nil {
				t.Fatal(err)
			}
			m, parts := usualParts(t)
			signed, err := (&Signer{Identity: ids[0], Suite: c.suite}).Sign(&ebms.Header{User: m}, parts)
			if err != nil {
				t.Fatal(err)
			}
			env, out, err := (&Encrypter{Recipient: ids[1].Cert(), Suite: c.suite}).Encrypt(signed.Envelope, parts)
			if err != nil {
				t.Fatal(err)
			}
			r := bob()
			r.rules.Suites = []*Suite{Common, c.suite}
			r.signers = []*x509.Certificate{ids[0].Cert()}
			r.keys = []*pki.Identity{ids[1]}
			got, err := r.take(&wire{envelope: string(env), parts: out})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.parts[0], document) {
				t.Error("not what was sent")
			}
			r.rules.Suites = nil
			if _, err := r.take(&wire{envelope: string(env), parts: out}); ebms.CodeOf(err) != ebms.PolicyNoncompliance {
				t.Error("accepted where it is not configured:", err)
			}
			r.rules.Suites = []*Suite{c.suite}
			r.keys = []*pki.Identity{people().b.Encrypt}
			if _, err := r.take(&wire{envelope: string(env), parts: out}); ebms.CodeOf(err) != ebms.FailedDecryption {
				t.Error("opened with another key:", err)
			}
			w := &wire{envelope: string(env), parts: out}
			w.replace(t, kwURI, "http://www.w3.org/2001/04/xmlenc#kw-tripledes")
			r.keys = []*pki.Identity{ids[1]}
			if _, err := r.take(w); ebms.CodeOf(err) != ebms.PolicyNoncompliance {
				t.Error("another key wrap:", err)
			}
		})
	}
	if SuiteByName("") != Common || SuiteByName("rot13") != nil {
		t.Error("suites by name")
	}
}

// Signed with one suite, encrypted with another: the message key does not fit.
func TestSuitesDoNotMix(t *testing.T) {
	ids, err := people().ca.IssueAll(pki.Request{Name: "B", Use: pki.Encrypt, Key: pki.X25519})
	if err != nil {
		t.Fatal(err)
	}
	m, parts := usualParts(t)
	signed, err := (&Signer{Identity: people().a.Sign}).Sign(&ebms.Header{User: m}, parts)
	if err != nil {
		t.Fatal(err)
	}
	env, out, err := (&Encrypter{Recipient: ids[0].Cert(), Suite: Edwards}).Encrypt(signed.Envelope, parts)
	if err != nil {
		t.Fatal(err)
	}
	r := bob()
	r.keys = ids
	if _, err := r.take(&wire{envelope: string(env), parts: out}); ebms.CodeOf(err) != ebms.PolicyNoncompliance {
		t.Error(err)
	}
}

// Issuer names are compared structurally: order, case, escapes and the dialect
// of keywords do not matter.
func TestIssuerNames(t *testing.T) {
	cert := people().a.Sign.Cert() // CN=OOTS throw-away CA, O=OOTS test network
	for name, want := range map[string]bool{
		"CN=OOTS throw-away CA,O=OOTS test network":                        true,
		"cn=oots  throw-away ca, o = oots test network":                    true,
		"O=OOTS test network, CN=OOTS throw-away CA":                       true,
		`CN="OOTS throw-away CA",O=OOTS test network`:                      true,
		`2.5.4.3=OOTS throw-away CA,OID.2.5.4.10=OOTS test network`:        true,
		`CN=OOTS throw\-away CA,O=#0c114f4f54532074657374206e6574776f726b`: true,
		"CN=OOTS throw-away CA":                                            false,
		"CN=OOTS throw-away CA,O=OOTS test network,C=EU":                   false,
		"CN=somebody,O=OOTS test network":                                  false,
	} {
		parsed, err := parseName(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := sameName(cert, parsed); got != want {
			t.Errorf("%s: %v, want %v (%v)", name, got, want, parsed)
		}
	}
	for _, bad := range []string{"nonsense", `CN="open`, "CN=#zz"} {
		if _, err := parseName(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// A hostile envelope never panics, and what verifies is what we signed.
func FuzzVerify(f *testing.F) {
	w, c := usual(f), clearly(f)
	f.Add([]byte(w.envelope))
	f.Add([]byte(c.envelope))
	for _, form := range []TokenForm{PKIPath, KeyID, IssuerSerial, Thumbprint} {
		m := request()
		s, err := (&Signer{Identity: people().a.Sign, Token: form, PrefixList: true}).Sign(&ebms.Header{User: m}, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.Envelope)
	}
	known := []*x509.Certificate{people().a.Sign.Cert()}
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, err := ebms.ReadEnvelope(raw)
		if err != nil {
			return
		}
		v, err := Verify(env, Rules{Suites: allOfThem, Known: known})
		if err != nil {
			return
		}
		if v.SignedBy(known...) != nil {
			return
		}
		h, err := v.Header()
		if err != nil || h.User == nil || h.User.MessageID != request().MessageID || h.User.Action != "ExecuteQueryRequest" {
			t.Fatalf("something else than we signed: %v %+v", err, h)
		}
		parts := c.parts[:min(len(h.User.Parts), 2)]
		if _, err := v.Open(h.User, parts, Need{Keys: []*pki.Identity{people().b.Encrypt}}); ebms.CodeOf(err) == ebms.Other {
			t.Fatal(err)
		}
	})
}

// Whatever arrives as an encrypted part, both ways to open it agree, and
// nothing but what was sealed comes out.
func FuzzOpen(f *testing.F) {
	key := make([]byte, 16)
	rand.Read(key)
	s := &sealed{clear: ebms.Bytes(document), key: key}
	good := standard(f, key, s.nonce[:], document)
	block, err := aes.NewCipher(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:overhead])
	f.Fuzz(func(t *testing.T, in []byte) {
		_, openErr := open(ebms.Bytes(in), key, nil)
		if len(in) < overhead {
			if openErr == nil {
				t.Fatal("opened less than nonce and tag")
			}
			return
		}
		for name, way := range map[string]func(ebms.Content, cipher.Block, hash.Hash) (ebms.Content, error){"whole": openWhole, "stream": openStream} {
			c, err := way(ebms.Bytes(in), block, nil)
			if (err == nil) != (openErr == nil) {
				t.Fatalf("%s: %v, open: %v", name, err, openErr)
			}
			if err != nil {
				continue
			}
			clear, err := io.ReadAll(c.NewReader())
			if err != nil || !bytes.Equal(in, good) || !bytes.Equal(clear, document) {
				t.Fatalf("%s: opened what was never sealed", name)
			}
		}
	})
}
