package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	keystore "github.com/pavlo-v-chernykh/keystore-go/v4"
	"golang.org/x/crypto/ocsp"
	"software.sslmate.com/src/go-pkcs12"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// network is one authority and one party for all tests: RSA keys are slow.
var network = sync.OnceValues(func() (*CA, *Party) {
	ca, err := NewCA(CAConfig{Now: clock})
	if err != nil {
		panic(err)
	}
	p, err := ca.Party("AP_XX_01", "localhost", "127.0.0.1")
	if err != nil {
		panic(err)
	}
	return ca, p
})

func reason(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	if err != nil {
		return Reason("untyped: " + err.Error())
	}
	return ""
}

func TestPolicyJudgesEachDefect(t *testing.T) {
	ca, p := network()
	other, err := NewCA(CAConfig{Now: clock, Name: "somebody else"})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Issue(Request{Name: "AP_XX_01", Use: Sign, Key: P256})
	if err != nil {
		t.Fatal(err)
	}
	weakCA := &CA{Identity: ca.Identity, cfg: ca.cfg}
	weakCA.cfg.RSABits = 1024
	weak, err := weakCA.Issue(Request{Name: "weak", Use: Sign})
	if err != nil {
		t.Fatal(err)
	}
	oid, _ := x509.OIDFromInts([]uint64{1, 3, 130, 1})
	stated, err := ca.Issue(Request{Name: "dynamic", Use: Sign, Key: P256, Policies: []x509.OID{oid}})
	if err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) func() time.Time { return func() time.Time { return noon.Add(d) } }
	anchors := []*x509.Certificate{ca.Cert()}
	for _, c := range []struct {
		name string
		p    Policy
		use  Use
		leaf *x509.Certificate
		want Reason
	}{
		{"chain", Policy{Anchors: anchors, Now: clock}, Sign, p.Sign.Cert(), ""},
		{"encryption", Policy{Anchors: anchors, Now: clock}, Encrypt, p.Encrypt.Cert(), ""},
		{"server", Policy{Anchors: anchors, Now: clock}, TLSServer, p.TLS.Cert(), ""},
		{"client", Policy{Anchors: anchors, Now: clock}, TLSClient, p.TLS.Cert(), ""},
		{"pinned", Policy{Anchors: []*x509.Certificate{p.Sign.Cert()}, Now: clock}, Sign, p.Sign.Cert(), ""},
		{"no anchors", Policy{Now: clock}, Sign, p.Sign.Cert(), Untrusted},
		{"foreign", Policy{Anchors: anchors, Now: clock}, Sign, foreign.Cert(), Untrusted},
		{"expired", Policy{Anchors: anchors, Now: at(366 * 24 * time.Hour)}, Sign, p.Sign.Cert(), Expired},
		{"expired and pinned", Policy{Anchors: []*x509.Certificate{p.Sign.Cert()}, Now: at(366 * 24 * time.Hour)}, Sign, p.Sign.Cert(), Expired},
		{"not yet valid", Policy{Anchors: anchors, Now: at(-2 * time.Hour)}, Sign, p.Sign.Cert(), NotYetValid},
		{"signing with the encryption certificate", Policy{Anchors: anchors, Now: clock}, Sign, p.Encrypt.Cert(), WrongUse},
		{"encrypting for the signing certificate", Policy{Anchors: anchors, Now: clock}, Encrypt, p.Sign.Cert(), WrongUse},
		{"the authority itself signs", Policy{Anchors: anchors, Now: clock}, Sign, ca.Cert(), WrongUse},
		{"short key", Policy{Anchors: anchors, Now: clock}, Sign, weak.Cert(), WeakKey},
		{"policy stated", Policy{Anchors: anchors, Policies: []x509.OID{oid}, Now: clock}, Sign, stated.Cert(), ""},
		{"policy not stated", Policy{Anchors: anchors, Policies: []x509.OID{oid}, Now: clock}, Sign, p.Sign.Cert(), PolicyMissing},
	} {
		if got := reason(c.p.Check(c.use, c.leaf)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRevocationFromLocalFiles(t *testing.T) {
	ca, p := network()
	crl := func(certs ...*x509.Certificate) []byte {
		der, err := ca.RevocationList(certs...)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	answer := func(status int) []byte {
		der, err := ocsp.CreateResponse(ca.Cert(), ca.Cert(), ocsp.Response{
			Status: status, SerialNumber: p.Sign.Cert().SerialNumber,
			ThisUpdate: noon.Add(-time.Hour), NextUpdate: noon.Add(time.Hour), RevokedAt: noon.Add(-time.Minute),
		}, ca.Signer())
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	later := func(d time.Duration) func() time.Time { return func() time.Time { return noon.Add(d) } }
	leaf := p.Sign.Cert()
	for _, c := range []struct {
		name   string
		mode   Mode
		files  fstest.MapFS
		pinned bool
		now    func() time.Time
		want   Reason
	}{
		{"clean list", Hard, fstest.MapFS{"a.crl": {Data: crl()}}, false, clock, ""},
		{"nothing, soft", Soft, fstest.MapFS{"readme.txt": {Data: []byte("x")}}, false, clock, ""},
		{"nothing, hard", Hard, fstest.MapFS{}, false, clock, RevocationUnknown},
		{"revoked, soft", Soft, fstest.MapFS{"a.crl": {Data: crl(leaf)}}, false, clock, Revoked},
		{"revoked, hard", Hard, fstest.MapFS{"a.crl": {Data: crl(leaf)}}, false, clock, Revoked},
		{"revoked, pinned partner", Soft, fstest.MapFS{"a.crl": {Data: crl(leaf)}}, true, clock, Revoked},
		{"clean list, pinned partner", Hard, fstest.MapFS{"a.crl": {Data: crl()}}, true, clock, ""},
		{"list out of date, hard", Hard, fstest.MapFS{"a.crl": {Data: crl()}}, false, later(48 * time.Hour), RevocationUnknown},
		{"list out of date, soft", Soft, fstest.MapFS{"a.crl": {Data: crl()}}, false, later(48 * time.Hour), ""},
		{"list out of date still revokes", Soft, fstest.MapFS{"a.crl": {Data: crl(leaf)}}, false, later(48 * time.Hour), Revoked},
		{"OCSP good", Hard, fstest.MapFS{"a.ocsp": {Data: answer(ocsp.Good)}}, false, clock, ""},
		{"OCSP revoked", Soft, fstest.MapFS{"a.ocsp": {Data: answer(ocsp.Revoked)}}, false, clock, Revoked},
		{"OCSP unknown, hard", Hard, fstest.MapFS{"a.ocsp": {Data: answer(ocsp.Unknown)}}, false, clock, RevocationUnknown},
		{"OCSP out of date, hard", Hard, fstest.MapFS{"a.ocsp": {Data: answer(ocsp.Good)}}, false, later(2 * time.Hour), RevocationUnknown},
		{"OCSP good, list revokes", Hard, fstest.MapFS{"a.ocsp": {Data: answer(ocsp.Good)}, "b.crl": {Data: crl(leaf)}}, false, clock, Revoked},
	} {
		r, err := LoadRevocation(c.mode, c.files)
		if err != nil {
			t.Fatal(c.name, err)
		}
		pol := Policy{Anchors: []*x509.Certificate{ca.Cert()}, Revocation: r, Now: c.now}
		if c.pinned {
			pol.Anchors, pol.Issuers = []*x509.Certificate{leaf}, []*x509.Certificate{ca.Cert()}
		}
		if got := reason(pol.Check(Sign, leaf)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if _, err := LoadRevocation(Soft, fstest.MapFS{"a.crl": {Data: []byte("nonsense")}}); err == nil {
		t.Error("nonsense was taken for a revocation list")
	}
}

// A chain over an intermediate authority, which can itself be revoked.
func TestIntermediateAuthority(t *testing.T) {
	ca, _ := network()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := ca.template(Request{Name: "issuing authority", Age: time.Hour})
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	der, err := ca.create(tmpl, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	middle, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	issuing := &CA{Identity: &Identity{Key: key, Chain: []*x509.Certificate{middle, ca.Cert()}}, cfg: ca.cfg}
	leaf, err := issuing.Issue(Request{Name: "AP", Use: Sign, Key: P256})
	if err != nil {
		t.Fatal(err)
	}
	list := func(from *CA, certs ...*x509.Certificate) []byte {
		der, err := from.RevocationList(certs...)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	check := func(mode Mode, with []*x509.Certificate, lists ...[]byte) Reason {
		r := &Revocation{Mode: mode}
		for _, l := range lists {
			if err := r.Add(l); err != nil {
				t.Fatal(err)
			}
		}
		pol := Policy{Anchors: []*x509.Certificate{ca.Cert()}, Revocation: r, Now: clock}
		return reason(pol.Check(Sign, leaf.Cert(), with...))
	}
	sent := []*x509.Certificate{middle}
	for _, c := range []struct {
		name      string
		got, want Reason
	}{
		{"without the intermediate", check(Soft, nil), Untrusted},
		{"with it", check(Soft, sent), ""},
		{"both lists clean", check(Hard, sent, list(ca), list(issuing)), ""},
		{"no list of the intermediate", check(Hard, sent, list(ca)), RevocationUnknown},
		{"no list of the root", check(Hard, sent, list(issuing)), RevocationUnknown},
		{"leaf revoked", check(Soft, sent, list(ca), list(issuing, leaf.Cert())), Revoked},
		{"intermediate revoked", check(Soft, sent, list(ca, middle), list(issuing)), Revoked},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}

// A list signed by another authority with the same name says nothing.
func TestForgedRevocationListIsIgnored(t *testing.T) {
	ca, p := network()
	forger, err := NewCA(CAConfig{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	der, err := forger.RevocationList(p.Sign.Cert())
	if err != nil {
		t.Fatal(err)
	}
	r := &Revocation{Mode: Soft}
	if err := r.Add(der); err != nil {
		t.Fatal(err)
	}
	pol := Policy{Anchors: []*x509.Certificate{ca.Cert()}, Revocation: r, Now: clock}
	if err := pol.Check(Sign, p.Sign.Cert()); err != nil {
		t.Error(err)
	}
}

func TestStoresRoundTrip(t *testing.T) {
	ca, p := network()
	text, err := p.Sign.PEM()
	if err != nil {
		t.Fatal(err)
	}
	p12, err := pkcs12.Modern.Encode(p.Sign.Key, p.Sign.Cert(), p.Sign.Chain[1:], "secret")
	if err != nil {
		t.Fatal(err)
	}
	trust12, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca.Cert(), p.Encrypt.Cert()}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	key8, _ := x509.MarshalPKCS8PrivateKey(p.Sign.Key)
	ks := keystore.New()
	var chain []keystore.Certificate
	for _, c := range p.Sign.Chain {
		chain = append(chain, keystore.Certificate{Type: "X509", Content: c.Raw})
	}
	ks.SetPrivateKeyEntry("xx_rsa_sign", keystore.PrivateKeyEntry{CreationTime: noon, PrivateKey: key8, CertificateChain: chain}, []byte("secret"))
	ks.SetTrustedCertificateEntry("yy", keystore.TrustedCertificateEntry{CreationTime: noon, Certificate: keystore.Certificate{Type: "X509", Content: ca.Cert().Raw}})
	var jks bytes.Buffer
	if err := ks.Store(&jks, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		data        []byte
		keys, certs int
	}{
		{"PEM", text, 1, 1},
		{"PKCS#12", p12, 1, 1},
		{"PKCS#12 trust store", trust12, 0, 2},
		{"JKS", jks.Bytes(), 1, 2},
		{"DER certificate", ca.Cert().Raw, 0, 1},
	} {
		entries, err := Read(c.data, "secret")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		ids := Identities(entries)
		if len(ids) != c.keys || len(Certificates(entries)) != c.certs {
			t.Errorf("%s: %d keys, %d certificates; want %d, %d", c.name, len(ids), len(Certificates(entries)), c.keys, c.certs)
		}
		for _, id := range ids {
			if !id.Cert().Equal(p.Sign.Cert()) || len(id.Chain) != 2 || !matches(id.Key, p.Sign.Cert()) {
				t.Errorf("%s: not the identity that was stored", c.name)
			}
		}
	}
	for name, data := range map[string][]byte{"PKCS#12": p12, "JKS": jks.Bytes()} {
		if _, err := Read(data, "wrong"); err == nil {
			t.Errorf("%s opened with a wrong password", name)
		}
		if _, err := Read(data[:len(data)-9], "secret"); err == nil {
			t.Errorf("%s: truncated, yet read", name)
		}
	}
}

// keytool is Java's own writer of both formats.
func TestKeytoolStores(t *testing.T) {
	keytool, err := exec.LookPath("keytool")
	if err != nil {
		if os.Getenv("OOTS_TEST_ALL") == "1" {
			t.Fatal("keytool is missing")
		}
		t.Skip("keytool is not installed")
	}
	for _, kind := range []string{"JKS", "PKCS12"} {
		file := filepath.Join(t.TempDir(), "store")
		out, err := exec.Command(keytool, "-genkeypair", "-storetype", kind, "-keystore", file, "-storepass", "test123",
			"-keypass", "test123", "-alias", "ap_xx", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=AP_XX_01").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		entries, err := ReadFile(file, "test123")
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if ids := Identities(entries); len(ids) != 1 || !matches(ids[0].Key, ids[0].Cert()) {
			t.Errorf("%s: %d identities", kind, len(ids))
		}
	}
}

func TestPartyFolder(t *testing.T) {
	_, p := network()
	dir := filepath.Join(t.TempDir(), p.Name)
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := LoadParty(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != p.Name || !got.Encrypt.Cert().Equal(p.Encrypt.Cert()) || !got.TLS.Cert().Equal(p.TLS.Cert()) {
		t.Error("not the party that was saved")
	}
	if info, err := os.Stat(filepath.Join(dir, SignFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Error("the key is readable by others")
	}
	all, err := LoadFolder(filepath.Dir(dir), "")
	if err != nil || len(Identities(all)) != 3 {
		t.Errorf("folder: %d identities, %v", len(Identities(all)), err)
	}
}

// The identity serves: sign, decrypt, TLS, and X25519 agreement.
func TestKeysWork(t *testing.T) {
	ca, p := network()
	sum := sha256.Sum256([]byte("x"))
	sig, err := p.Sign.Signer().Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Sign.Cert().CheckSignature(x509.SHA256WithRSA, []byte("x"), sig); err != nil {
		t.Error(err)
	}
	ct, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, p.Encrypt.Cert().PublicKey.(*rsa.PublicKey), []byte("key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	pt, err := p.Encrypt.Decrypter().Decrypt(rand.Reader, ct, &rsa.OAEPOptions{Hash: crypto.SHA256})
	if err != nil || string(pt) != "key" {
		t.Error(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert())
	if _, err := p.TLS.Cert().Verify(x509.VerifyOptions{Roots: pool, DNSName: "localhost", CurrentTime: noon}); err != nil {
		t.Error(err)
	}
	_ = tls.Config{Certificates: []tls.Certificate{p.TLS.TLS()}}
	x, err := ca.Issue(Request{Name: "AP 2.0", Use: Encrypt, Key: X25519})
	if err != nil {
		t.Fatal(err)
	}
	public, err := PublicKey(x.Cert())
	if err != nil {
		t.Fatal(err)
	}
	if !x.Key.(*ecdh.PrivateKey).PublicKey().Equal(public) {
		t.Error("certificate holds another key")
	}
	if err := (&Policy{Anchors: []*x509.Certificate{ca.Cert()}, Now: clock}).Check(Encrypt, x.Cert()); err != nil {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	_, p := network()
	text, _ := p.Sign.PEM()
	f.Add(text, "")
	p12, _ := pkcs12.Legacy.Encode(p.Sign.Key, p.Sign.Cert(), nil, "secret")
	f.Add(p12, "secret")
	ks := keystore.New()
	ks.SetTrustedCertificateEntry("yy", keystore.TrustedCertificateEntry{CreationTime: noon, Certificate: keystore.Certificate{Type: "X509", Content: p.TLS.Cert().Raw}})
	var jks bytes.Buffer
	ks.Store(&jks, []byte("secret"))
	f.Add(jks.Bytes(), "secret")
	f.Add([]byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1}, "")
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		entries, err := Read(data, password)
		if err == nil && len(entries) == 0 && bytes.Contains(data, []byte("-----BEGIN ")) {
			t.Error("no entries and no error")
		}
		for _, e := range entries {
			if e.Key == nil && len(e.Chain) == 0 {
				t.Error("an empty entry")
			}
		}
	})
}

func FuzzRevocation(f *testing.F) {
	ca, p := network()
	der, _ := ca.RevocationList(p.Sign.Cert())
	f.Add(der)
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &Revocation{Mode: Soft}
		if r.Add(data) != nil {
			return
		}
		pol := Policy{Anchors: []*x509.Certificate{ca.Cert()}, Revocation: r, Now: clock}
		pol.Check(Sign, p.Encrypt.Cert())
	})
}
