package as4_test

import (
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// TestEveryTokenForm exchanges a message with a partner for each way of naming
// certificates.
func TestEveryTokenForm(t *testing.T) {
	for form := wssec.BinaryToken; form <= wssec.Thumbprint; form++ {
		t.Run(fmt.Sprint(form), func(t *testing.T) {
			fi, pt, _ := pair(t)
			fi.PMode.Partners[0].Token = form
			exchangeOne(t, fi, pt)
		})
	}
}

// TestEverySuite exchanges a message with each suite of algorithms, and none
// with a partner that uses another one.
func TestEverySuite(t *testing.T) {
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		suite         *wssec.Suite
		sign, encrypt pki.KeyType
	}{{wssec.Common, pki.RSA, pki.RSA}, {wssec.Edwards, pki.Ed25519, pki.X25519}, {wssec.ECDSAP256, pki.P256, pki.P256}} {
		t.Run(c.suite.Name, func(t *testing.T) {
			fi, pt, _ := pair(t)
			ids, err := ca.IssueAll(pki.Request{Name: "AP_FI_01", Use: pki.Sign, Key: c.sign}, pki.Request{Name: "AP_FI_01", Use: pki.Encrypt, Key: c.encrypt},
				pki.Request{Name: "AP_PT_01", Use: pki.Sign, Key: c.sign}, pki.Request{Name: "AP_PT_01", Use: pki.Encrypt, Key: c.encrypt})
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range []*endpoint{fi, pt} {
				config := e.AccessPoint.Config
				config.Sign, config.Decrypt = ids[2*i], ids[2*i+1:2*i+2]
				config.PMode.Suite = c.suite
				other := config.PMode.Partners[0]
				other.Sign, other.Encrypt = []*x509.Certificate{ids[2-2*i].Cert()}, ids[3-2*i].Cert()
				if e.AccessPoint, err = as4.New(config); err != nil {
					t.Fatal(err)
				}
			}
			exchangeOne(t, fi, pt)
			if c.suite == wssec.Common {
				return
			}
			pt.PMode.Suite = nil
			id, err := fi.Submit(t.Context(), request(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fi.SendDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			if out, _, _ := fi.store.Sent(t.Context(), id); out.State == as4.Acknowledged || len(pt.got) != 1 {
				t.Errorf("a partner of the common profile leaves it %s", out.State)
			}
		})
	}
}

// exchangeOne wants one message to arrive and to be acknowledged.
func exchangeOne(t *testing.T, fi, pt *endpoint) {
	t.Helper()
	id, err := fi.Submit(t.Context(), request(), []as4.Part{xmlPart("<a/>")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fi.SendDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, tries, _ := fi.store.Sent(t.Context(), id)
	if out.State != as4.Acknowledged || len(pt.got) != 1 || string(pt.got[0].parts[0]) != "<a/>" {
		t.Fatalf("%s after %+v, %d arrived", out.State, tries, len(pt.got))
	}
}
