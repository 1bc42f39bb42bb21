package pki

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Use is what a certificate is for.
type Use int

const (
	Sign      Use = iota // signs messages
	Encrypt              // receives message keys
	TLSServer            // serves HTTPS
	TLSClient            // authenticates an HTTPS client
)

func (u Use) String() string { return uses[u].name }

// uses are the certificate profiles: a certificate needs one of the key usages
// and one of the extended ones, unless it carries no such extension at all
// (RFC 5280 4.2.1.3 and 4.2.1.12 then allow every use).
var uses = [...]struct {
	name  string
	usage x509.KeyUsage
	ext   []x509.ExtKeyUsage // empty: not looked at
}{
	Sign:      {"signing", x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, nil},
	Encrypt:   {"encryption", x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement, nil},
	TLSServer: {"TLS server", x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
	TLSClient: {"TLS client", x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}},
}

// maxRSABits keeps a hostile certificate from making verification slow.
const maxRSABits = 8192

// Policy decides whether a certificate may be believed. The zero Policy
// believes none.
type Policy struct {
	// Anchors are trusted certificates: authorities, or the very certificates
	// of partners (then no path is built).
	Anchors []*x509.Certificate
	// Issuers are further issuers, not trusted by themselves: they complete
	// chains and sign revocation data of partners pinned in Anchors.
	Issuers []*x509.Certificate
	// Policies, when not empty, are certificate policies of which the leaf must
	// state one (the Dynamic Receiver rule of eDelivery AS4).
	Policies []x509.OID
	// MinRSABits is the shortest RSA modulus; 0 means 2048.
	MinRSABits int
	// Revocation is the local revocation data; nil checks none.
	Revocation *Revocation
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Check says whether leaf may be used for use now. The error is an *Error.
func (p *Policy) Check(use Use, leaf *x509.Certificate, extra ...*x509.Certificate) error {
	now := time.Now()
	if p.Now != nil {
		now = p.Now()
	}
	if now.After(leaf.NotAfter) {
		return refuse(leaf, Expired, fmt.Errorf("valid until %s", leaf.NotAfter.UTC().Format(time.RFC3339)))
	}
	if now.Before(leaf.NotBefore) {
		return refuse(leaf, NotYetValid, fmt.Errorf("valid from %s", leaf.NotBefore.UTC().Format(time.RFC3339)))
	}
	if err := p.profile(use, leaf); err != nil {
		return err
	}
	chain, err := p.chain(leaf, extra, now)
	if err != nil {
		return err
	}
	if len(p.Policies) > 0 && !slices.ContainsFunc(p.Policies, func(o x509.OID) bool {
		return slices.ContainsFunc(leaf.Policies, o.Equal)
	}) {
		return refuse(leaf, PolicyMissing, nil)
	}
	if p.Revocation == nil {
		return nil
	}
	for i, c := range chain {
		var issuer *x509.Certificate
		switch {
		case i+1 < len(chain):
			issuer = chain[i+1]
		case bytes.Equal(c.RawSubject, c.RawIssuer):
			continue // a self-signed anchor cannot be revoked by itself
		case i > 0:
			continue // an anchor is trusted by decision
		default: // a pinned partner certificate
			issuer = p.issuerOf(c, extra)
		}
		if err := p.Revocation.check(c, issuer, now); err != nil {
			return err
		}
	}
	return nil
}

func (p *Policy) profile(use Use, c *x509.Certificate) error {
	u := uses[use]
	if c.IsCA && use <= Encrypt && c.KeyUsage != 0 && c.KeyUsage&u.usage == 0 {
		return refuse(c, WrongUse, errors.New("it belongs to an authority"))
	}
	if c.KeyUsage != 0 && c.KeyUsage&u.usage == 0 {
		return refuse(c, WrongUse, fmt.Errorf("its key usage does not allow %s", u.name))
	}
	if len(u.ext) > 0 && len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) &&
		!slices.ContainsFunc(u.ext, func(e x509.ExtKeyUsage) bool { return slices.Contains(c.ExtKeyUsage, e) }) {
		return refuse(c, WrongUse, fmt.Errorf("its extended key usage does not allow %s", u.name))
	}
	key, err := PublicKey(c)
	if err != nil {
		return refuse(c, WeakKey, err)
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		least := p.MinRSABits
		if least == 0 {
			least = 2048
		}
		if n := k.N.BitLen(); n < least || n > maxRSABits {
			return refuse(c, WeakKey, fmt.Errorf("RSA with %d bits, wanted %d to %d", n, least, maxRSABits))
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P224() {
			return refuse(c, WeakKey, errors.New("curve P-224"))
		}
	case ed25519.PublicKey, *ecdh.PublicKey:
	default:
		return refuse(c, WeakKey, fmt.Errorf("unsupported key type %T", key))
	}
	return nil
}

// chain is the way from leaf to an anchor, both included.
func (p *Policy) chain(leaf *x509.Certificate, extra []*x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	for _, a := range p.Anchors {
		if a.Equal(leaf) {
			return []*x509.Certificate{leaf}, nil
		}
	}
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	for _, a := range p.Anchors {
		opts.Roots.AddCert(a)
	}
	for _, c := range p.Issuers {
		opts.Intermediates.AddCert(c)
	}
	if len(extra) > 8 {
		return nil, refuse(leaf, Untrusted, errors.New("more than 8 certificates in its chain"))
	}
	for _, c := range extra {
		opts.Intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(opts)
	if err != nil {
		return nil, refuse(leaf, Untrusted, err)
	}
	return chains[0], nil
}

func (p *Policy) issuerOf(c *x509.Certificate, extra []*x509.Certificate) *x509.Certificate {
	for _, i := range slices.Concat(p.Issuers, p.Anchors, extra) {
		if i.IsCA && bytes.Equal(i.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(i) == nil {
			return i
		}
	}
	return nil
}
