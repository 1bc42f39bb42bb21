package pki

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

// CAConfig sets up a throw-away authority. The zero value is usable.
type CAConfig struct {
	Name     string           // common name; "OOTS throw-away CA"
	Lifetime time.Duration    // of every certificate; one year
	RSABits  int              // of message keys; 2048
	Now      func() time.Time // time.Now; a frozen clock gives equal validity periods
}

// CA is an authority for tests and demonstrations. Its root key is ECDSA on
// P-256 and lives in memory; nothing outside such a network should trust it.
type CA struct {
	*Identity
	cfg CAConfig
}

// KeyType is the kind of key that Issue generates.
type KeyType int

const (
	RSA     KeyType = iota // of CAConfig.RSABits
	P256                   // ECDSA
	Ed25519                // AS4 2.0 signatures
	X25519                 // AS4 2.0 key agreement; such a key cannot sign
)

// Request asks for one certificate.
type Request struct {
	Name     string        // common name
	Use      Use           // sets the key usages
	Key      KeyType       // what to generate
	Hosts    []string      // DNS names and addresses, for TLS
	Policies []x509.OID    // certificate policies
	Lifetime time.Duration // CAConfig.Lifetime
	Age      time.Duration // how long ago it became valid; one hour
}

// NewCA makes the authority and its root certificate.
func NewCA(cfg CAConfig) (*CA, error) {
	if cfg.Name == "" {
		cfg.Name = "OOTS throw-away CA"
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = 365 * 24 * time.Hour
	}
	if cfg.RSABits == 0 {
		cfg.RSABits = 2048
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &CA{cfg: cfg}
	t := ca.template(Request{Name: cfg.Name})
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	t.NotAfter = t.NotAfter.Add(24 * time.Hour) // outlives what it signs
	t.NotBefore = t.NotBefore.Add(-20 * 365 * 24 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	ca.Identity = &Identity{Key: key, Chain: []*x509.Certificate{root}}
	return ca, nil
}

func (ca *CA) template(r Request) *x509.Certificate {
	age, life := r.Age, r.Lifetime
	if age == 0 {
		age = time.Hour
	}
	if life == 0 {
		life = ca.cfg.Lifetime
	}
	from := ca.cfg.Now().UTC().Add(-age).Truncate(time.Second)
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] = serial[0]&0x7f | 0x40 // positive, of full length
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{Organization: []string{"OOTS test network"}, CommonName: r.Name},
		NotBefore:    from,
		NotAfter:     from.Add(life),
		Policies:     r.Policies,
	}
}

// Issue generates a key and signs its certificate.
func (ca *CA) Issue(r Request) (*Identity, error) {
	key, public, err := generate(r.Key, ca.cfg.RSABits)
	if err != nil {
		return nil, fmt.Errorf("key for %s: %w", r.Name, err)
	}
	t := ca.template(r)
	t.BasicConstraintsValid = true
	switch r.Use {
	case Sign:
		t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	case Encrypt:
		t.KeyUsage = x509.KeyUsageKeyEncipherment
		if r.Key != RSA {
			t.KeyUsage = x509.KeyUsageKeyAgreement
		}
	default:
		t.KeyUsage = x509.KeyUsageDigitalSignature
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	for _, h := range r.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	if t.SubjectKeyId, err = subjectKeyID(public); err != nil {
		return nil, err
	}
	der, err := ca.create(t, public)
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", r.Name, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Identity{Key: key, Chain: []*x509.Certificate{leaf, ca.Cert()}}, nil
}

// IssueAll issues many certificates, their keys made in parallel; the answers
// stand in the order of the requests.
func (ca *CA) IssueAll(requests ...Request) ([]*Identity, error) {
	out := make([]*Identity, len(requests))
	var g errgroup.Group
	g.SetLimit(8)
	for i, r := range requests {
		g.Go(func() (err error) {
			out[i], err = ca.Issue(r)
			return err
		})
	}
	return out, g.Wait()
}

// Party issues what one access point needs: RSA certificates for signing and
// for encryption, an ECDSA one for TLS on hosts.
func (ca *CA) Party(name string, hosts ...string) (*Party, error) {
	ids, err := ca.IssueAll(
		Request{Name: name, Use: Sign},
		Request{Name: name, Use: Encrypt},
		Request{Name: name, Use: TLSServer, Key: P256, Hosts: hosts},
	)
	if err != nil {
		return nil, err
	}
	return &Party{Name: name, Sign: ids[0], Encrypt: ids[1], TLS: ids[2]}, nil
}

// RevocationList is a signed list that revokes certs, valid for a day.
func (ca *CA) RevocationList(certs ...*x509.Certificate) ([]byte, error) {
	now := ca.cfg.Now().UTC()
	t := &x509.RevocationList{Number: big.NewInt(now.Unix()), ThisUpdate: now, NextUpdate: now.Add(24 * time.Hour)}
	for _, c := range certs {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: now})
	}
	return x509.CreateRevocationList(rand.Reader, t, ca.Cert(), ca.Signer())
}

func generate(t KeyType, bits int) (crypto.PrivateKey, crypto.PublicKey, error) {
	switch t {
	case P256:
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		return k, k.Public(), nil
	case Ed25519:
		pub, k, err := ed25519.GenerateKey(rand.Reader)
		return k, pub, err
	case X25519:
		k, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		return k, k.PublicKey(), nil
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, nil, err
	}
	return k, k.Public(), nil
}

// create signs t. crypto/x509 takes no X25519 subject key, so such a
// certificate is first made over a stand-in Ed25519 key of the same length and
// its key algorithm identifier then exchanged (RFC 8410: 1.3.101.112 becomes
// 1.3.101.110) before it is signed again.
func (ca *CA) create(t *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	x, ok := public.(*ecdh.PublicKey)
	if !ok {
		return x509.CreateCertificate(rand.Reader, t, ca.Cert(), public, ca.Key)
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca.Cert(), ed25519.PublicKey(x.Bytes()), ca.Key)
	if err != nil {
		return nil, err
	}
	var outer struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, err
	}
	tbs, err := exchangeKeyAlgorithm(outer.TBS.FullBytes, x.Bytes())
	if err != nil {
		return nil, err
	}
	h := crypto.SHA256.New()
	h.Write(tbs)
	sig, err := ca.Signer().Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
	if err != nil {
		return nil, err
	}
	outer.TBS = asn1.RawValue{FullBytes: tbs}
	outer.Signature = asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}
	return asn1.Marshal(outer)
}
