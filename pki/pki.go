// Package pki holds what an access point knows about certificates: trust
// stores, the profile a certificate must meet for its use, revocation from
// local files, and a throw-away certification authority for test networks.
//
// It implements the certificate side of eDelivery AS4 1.15 (X.509 v3, RSA of
// at least 2048 bits, separate signing and encryption certificates) on top of
// RFC 5280 path validation by crypto/x509. It never opens a network
// connection: certificate lists and OCSP answers are files.
package pki

import (
	"crypto"
	"crypto/ecdh"
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// Reason says why a certificate was refused. The words are stable: they appear
// in logs and in what people read.
type Reason string

const (
	Expired           Reason = "expired"
	NotYetValid       Reason = "not yet valid"
	WrongUse          Reason = "not made for this use"
	WeakKey           Reason = "key too weak"
	Untrusted         Reason = "not issued by a trusted authority"
	PolicyMissing     Reason = "without the required certificate policy"
	Revoked           Reason = "revoked"
	RevocationUnknown Reason = "of unknown revocation status"
)

// Error tells why a certificate was refused. It names the serial number, never
// the subject, so that it can be logged.
type Error struct {
	Reason Reason
	Serial string // hexadecimal
	Cause  error  // may be nil
}

func (e *Error) Error() string {
	s := "certificate " + e.Serial + " is " + string(e.Reason)
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

func refuse(c *x509.Certificate, r Reason, cause error) error {
	return &Error{Reason: r, Serial: fmt.Sprintf("%x", c.SerialNumber), Cause: cause}
}

// Identity is a private key with its certificate chain, leaf first.
type Identity struct {
	// Key is a crypto.Signer, a crypto.Decrypter or an *ecdh.PrivateKey.
	Key crypto.PrivateKey
	// Chain starts with the certificate of Key. Its issuers may follow.
	Chain []*x509.Certificate
}

// Cert is the certificate of the key.
func (i *Identity) Cert() *x509.Certificate { return i.Chain[0] }

// Signer is the key as a crypto.Signer, or nil when it cannot sign.
func (i *Identity) Signer() crypto.Signer {
	s, _ := i.Key.(crypto.Signer)
	return s
}

// Decrypter is the key as a crypto.Decrypter, or nil when it cannot decrypt.
func (i *Identity) Decrypter() crypto.Decrypter {
	d, _ := i.Key.(crypto.Decrypter)
	return d
}

// TLS is the identity in the form that crypto/tls takes.
func (i *Identity) TLS() tls.Certificate {
	t := tls.Certificate{PrivateKey: i.Key, Leaf: i.Chain[0]}
	for _, c := range i.Chain {
		t.Certificate = append(t.Certificate, c.Raw)
	}
	return t
}

// Party is what one access point needs: two certificates for messages and one
// for the connection (they have nothing to do with each other).
type Party struct {
	Name               string
	Sign, Encrypt, TLS *Identity
}

// PublicKey is the key of a certificate, also where crypto/x509 leaves it out:
// X25519 (RFC 8410) keys come as *ecdh.PublicKey.
func PublicKey(c *x509.Certificate) (crypto.PublicKey, error) {
	if c.PublicKey != nil {
		return c.PublicKey, nil
	}
	k, err := x509.ParsePKIXPublicKey(c.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, fmt.Errorf("public key of certificate %x: %w", c.SerialNumber, err)
	}
	if _, ok := k.(*ecdh.PublicKey); !ok {
		return nil, fmt.Errorf("public key of certificate %x: unsupported type %T", c.SerialNumber, k)
	}
	return k, nil
}
