package lcmtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http/httptest"
	"testing"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
)

// Directory is a data set as the machines see it: a signing server on loopback
// and a client that trusts it, as a requester in another country has one.
type Directory struct {
	Server *cs.Server
	HTTP   *httptest.Server
	Client *cs.Client
}

// Serve starts a directory over a data set. The clock is that of server and
// client; fresh is how long the client keeps an answer.
func Serve(t testing.TB, m *lcm.LifecycleManager, now func() time.Time, fresh time.Duration) *Directory {
	t.Helper()
	certificate := func(name string, pub any, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
		c := &x509.Certificate{SerialNumber: big.NewInt(int64(len(name))), Subject: pkix.Name{CommonName: name}, NotBefore: now().Add(-time.Hour), NotAfter: now().Add(48 * time.Hour),
			BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}
		if parent == nil {
			c.IsCA, c.KeyUsage, parent = true, x509.KeyUsageCertSign, c
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, key)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	var keys [2]*ecdsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	root := certificate("Test root", keys[0].Public(), nil, keys[0])
	leaf := certificate("Test directory", keys[1].Public(), root, keys[0])
	d := &Directory{}
	var err error
	d.Server, err = cs.NewServer(cs.ServerConfig{Catalogue: m.Catalogue(), Signer: &cs.Signer{Key: keys[1], Chain: []*x509.Certificate{leaf, root}, Now: now}, MaxAge: fresh})
	if err != nil {
		t.Fatal(err)
	}
	d.HTTP = httptest.NewServer(d.Server)
	t.Cleanup(d.HTTP.Close)
	roots := x509.NewCertPool()
	roots.AddCert(root)
	d.Client, err = cs.NewClient(cs.ClientConfig{Locator: cs.Static{"*/eb": d.HTTP.URL + "/eb/", "*/dsd": d.HTTP.URL + "/dsd/"}, Verifier: &cs.Verifier{Roots: roots, Now: now},
		Repository: d.HTTP.URL, Fresh: fresh, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
