package commonservices

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/cert"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// testChain is a root and a leaf for key, valid around noon.
func testChain(t testing.TB, key crypto.Signer) (chain []*x509.Certificate, roots *x509.CertPool) {
	t.Helper()
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(serial int64, name string, ca bool, pub any, parent *x509.Certificate) *x509.Certificate {
		c := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
			Subject:               pkix.Name{CommonName: name, OrganizationalUnit: []string{"OOTS"}},
			BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature}
		if ca {
			c.KeyUsage = x509.KeyUsageCertSign
			parent = c
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, rootKey)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	root := certificate(1, "Test root", true, rootKey.Public(), nil)
	roots = x509.NewCertPool()
	roots.AddCert(root)
	return []*x509.Certificate{certificate(2, "Test directory", false, key.Public(), root), root}, roots
}

func signingKeys(t testing.TB) map[string]crypto.Signer {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"ES256": ec, "EdDSA": ed}
}

func TestSignatureVerifies(t *testing.T) {
	body := []byte("<query:QueryResponse/>")
	for alg, key := range signingKeys(t) {
		t.Run(alg, func(t *testing.T) {
			chain, roots := testChain(t, key)
			signer := Signer{Key: key, Chain: chain, Now: func() time.Time { return noon }}
			digest, sig, err := signer.Sign(body)
			if err != nil {
				t.Fatal(err)
			}
			v := Verifier{Roots: roots, Now: signer.Now, Subject: "OOTS", MaxAge: time.Minute}
			if err := v.Verify(body, digest, sig); err != nil {
				t.Fatalf("our own signature is refused: %v", err)
			}

			// Another implementation accepts it, too.
			a, _ := jwa.LookupSignatureAlgorithm(alg)
			_, err = jws.Verify([]byte(sig), jws.WithKey(a, key.Public()), jws.WithDetachedPayload([]byte("digest: "+digest)),
				jws.WithCritValidation(true), jws.WithCritExtension("sigD"))
			if err != nil {
				t.Errorf("jwx refuses our signature: %v", err)
			}
		})
	}
}

func TestForeignSignatureVerifies(t *testing.T) {
	body := []byte("<query:QueryResponse/>")
	digest := Digest(body)
	for alg, key := range signingKeys(t) {
		chain, roots := testChain(t, key)
		head := jws.NewHeaders()
		for name, value := range map[string]any{
			"b64": false, "crit": []string{"b64", "sigD"}, "iat": noon.Unix(),
			"sigD": map[string]any{"mId": httpHeaders, "pars": []string{"digest"}},
		} {
			if err := head.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
		var x5c cert.Chain
		for _, c := range chain {
			if err := x5c.AddString(base64.StdEncoding.EncodeToString(c.Raw)); err != nil {
				t.Fatal(err)
			}
		}
		if err := head.Set("x5c", &x5c); err != nil {
			t.Fatal(err)
		}
		a, _ := jwa.LookupSignatureAlgorithm(alg)
		sig, err := jws.Sign(nil, jws.WithKey(a, key, jws.WithProtectedHeaders(head)), jws.WithDetachedPayload([]byte("digest: "+digest)))
		if err != nil {
			t.Fatal(err)
		}
		v := Verifier{Roots: roots, Now: func() time.Time { return noon }}
		if err := v.Verify(body, digest, string(sig)); err != nil {
			t.Errorf("%s: a signature by jwx is refused: %v", alg, err)
		}
	}
}

// TestEveryFlippedBitFails flips each bit of the body, the digest and the
// signature header in turn.
func TestEveryFlippedBitFails(t *testing.T) {
	key := signingKeys(t)["ES256"]
	chain, roots := testChain(t, key)
	signer := Signer{Key: key, Chain: chain[:1], Now: func() time.Time { return noon }}
	body := []byte("<a/>")
	digest, sig, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	v := Verifier{Roots: roots, Now: signer.Now}
	if err := v.Verify(body, digest, sig); err != nil {
		t.Fatal(err)
	}
	for which, good := range []string{string(body), digest, sig} {
		for i := range len(good) * 8 {
			bad := []byte(good)
			bad[i/8] ^= 1 << (i % 8)
			b, d, s := body, digest, sig
			switch which {
			case 0:
				b = bad
			case 1:
				d = string(bad)
			case 2:
				s = string(bad)
			}
			var se *SignatureError
			if err := v.Verify(b, d, s); !errors.As(err, &se) {
				t.Fatalf("part %d, bit %d flipped: accepted (%v)", which, i, err)
			}
		}
	}
}

func TestSignatureRefusals(t *testing.T) {
	key := signingKeys(t)["ES256"]
	chain, roots := testChain(t, key)
	signer := Signer{Key: key, Chain: chain, Now: func() time.Time { return noon }}
	body := []byte("<a/>")
	digest, sig, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	_, strangers := testChain(t, key)
	head, tail, _ := strings.Cut(sig, "..")
	change := func(old, new string) string {
		raw, _ := base64.RawURLEncoding.DecodeString(head)
		s := strings.Replace(string(raw), old, new, 1)
		if s == string(raw) {
			t.Fatalf("%q is not in the header", old)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(s)) + ".." + tail
	}
	for _, c := range []struct {
		name, step string
		v          *Verifier
		sig        string
	}{
		{"unknown root", "chain", &Verifier{Roots: strangers, Now: signer.Now}, sig},
		{"no root configured", "chain", &Verifier{Now: signer.Now}, sig},
		{"expired certificate", "chain", &Verifier{Roots: roots, Now: func() time.Time { return noon.Add(2 * time.Hour) }}, sig},
		{"another unit", "chain", &Verifier{Roots: roots, Now: signer.Now, Subject: "OTHER"}, sig},
		{"too old", "chain", &Verifier{Roots: roots, Now: func() time.Time { return noon.Add(30 * time.Minute) }, MaxAge: time.Minute}, sig},
		{"revoked", "chain", &Verifier{Roots: roots, Now: signer.Now, Revoked: func(*x509.Certificate) error { return errors.New("revoked") }}, sig},
		{"payload inside", "form", &Verifier{Roots: roots, Now: signer.Now}, head + ".eA." + tail},
		{"two parts", "form", &Verifier{Roots: roots, Now: signer.Now}, head + "." + tail},
		{"empty", "form", &Verifier{Roots: roots, Now: signer.Now}, ""},
		{"over-long", "form", &Verifier{Roots: roots, Now: signer.Now}, strings.Repeat("a", maxSignature+1)},
		{"b64 true", "header", &Verifier{Roots: roots, Now: signer.Now}, change(`"b64":false`, `"b64":true`)},
		{"unknown crit", "header", &Verifier{Roots: roots, Now: signer.Now}, change(`["b64","sigD"]`, `["b64","sigD","exp"]`)},
		{"sigD not critical", "header", &Verifier{Roots: roots, Now: signer.Now}, change(`["b64","sigD"]`, `["b64"]`)},
		{"another header signed", "header", &Verifier{Roots: roots, Now: signer.Now}, change(`"digest"]`, `"date"]`)},
		{"alg none", "signature", &Verifier{Roots: roots, Now: signer.Now}, change(`"ES256"`, `"none"`)},
		{"alg of another key", "signature", &Verifier{Roots: roots, Now: signer.Now}, change(`"ES256"`, `"EdDSA"`)},
	} {
		var se *SignatureError
		if err := c.v.Verify(body, digest, c.sig); !errors.As(err, &se) || se.Step != c.step {
			t.Errorf("%s: got %v, want a failure at the step %s", c.name, err, c.step)
		}
	}
}

// TestKnownChainsExpire verifies once and then looks again: a chain
// that was found good expires and is revoked all the same.
func TestKnownChainsExpire(t *testing.T) {
	key := signingKeys(t)["ES256"]
	chain, roots := testChain(t, key)
	now, revoked := noon, false
	signer := Signer{Key: key, Chain: chain, Now: func() time.Time { return noon }}
	digest, sig, err := signer.Sign([]byte("<a/>"))
	if err != nil {
		t.Fatal(err)
	}
	v := Verifier{Roots: roots, Now: func() time.Time { return now }, Revoked: func(*x509.Certificate) error {
		if revoked {
			return errors.New("revoked")
		}
		return nil
	}}
	try := func(want bool, when string) {
		t.Helper()
		if err := v.Verify([]byte("<a/>"), digest, sig); (err == nil) != want {
			t.Errorf("%s: %v", when, err)
		}
	}
	try(true, "at first")
	try(true, "known")
	revoked = true
	try(false, "revoked")
	revoked = false
	now = noon.Add(2 * time.Hour)
	try(false, "expired")
	now = noon.Add(-2 * time.Hour)
	try(false, "not yet valid")
	now = noon
	try(true, "at last")
}

func FuzzVerify(f *testing.F) {
	key := signingKeys(f)["ES256"]
	chain, roots := testChain(f, key)
	signer := Signer{Key: key, Chain: chain[:1], Now: func() time.Time { return noon }}
	digest, sig, err := signer.Sign([]byte("<a/>"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("<a/>"), digest, sig)
	v := Verifier{Roots: roots, Now: signer.Now}
	f.Fuzz(func(t *testing.T, body []byte, d, s string) {
		if v.Verify(body, d, s) == nil && string(body) != "<a/>" {
			t.Errorf("a body nobody signed is accepted: %q", body)
		}
	})
}

func BenchmarkVerify8kB(b *testing.B) {
	key := signingKeys(b)["ES256"]
	chain, roots := testChain(b, key)
	signer := Signer{Key: key, Chain: chain, Now: func() time.Time { return noon }}
	body := make([]byte, 8<<10)
	digest, sig, err := signer.Sign(body)
	if err != nil {
		b.Fatal(err)
	}
	v := Verifier{Roots: roots, Now: signer.Now}
	for b.Loop() {
		if err := v.Verify(body, digest, sig); err != nil {
			b.Fatal(err)
		}
	}
}
