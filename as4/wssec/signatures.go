package wssec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

var errSignature = errors.New("the signature value does not verify")

type rsaSHA256 struct{}

func (rsaSHA256) uri() string { return "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" }

func (rsaSHA256) sign(key crypto.Signer, octets []byte) ([]byte, error) {
	if _, ok := key.Public().(*rsa.PublicKey); !ok {
		return nil, fmt.Errorf("the signing key is %T, not RSA", key.Public())
	}
	sum := sha256.Sum256(octets)
	return key.Sign(rand.Reader, sum[:], crypto.SHA256)
}

func (rsaSHA256) verify(key crypto.PublicKey, octets, signature []byte) error {
	k, ok := key.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the signer's key is %T, not RSA", key)
	}
	if n := k.N.BitLen(); n < 2048 || n > 8192 {
		return fmt.Errorf("the signer's RSA key has %d bits; 2048 to 8192 are accepted", n)
	}
	sum := sha256.Sum256(octets)
	if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) != nil {
		return errSignature
	}
	return nil
}

type eddsa struct{}

func (eddsa) uri() string { return "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519" }

func (eddsa) sign(key crypto.Signer, octets []byte) ([]byte, error) {
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		return nil, fmt.Errorf("the signing key is %T, not Ed25519", key.Public())
	}
	return key.Sign(rand.Reader, octets, crypto.Hash(0))
}

func (eddsa) verify(key crypto.PublicKey, octets, signature []byte) error {
	k, ok := key.(ed25519.PublicKey)
	if !ok {
		return fmt.Errorf("the signer's key is %T, not Ed25519", key)
	}
	if !ed25519.Verify(k, octets, signature) {
		return errSignature
	}
	return nil
}

// ecdsaSHA256 writes signatures as R‖S (XML Signature 1.1 6.4.3), not as ASN.1.
type ecdsaSHA256 struct{}

func (ecdsaSHA256) uri() string { return "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" }

func (ecdsaSHA256) sign(key crypto.Signer, octets []byte) ([]byte, error) {
	if k, ok := key.Public().(*ecdsa.PublicKey); !ok || k.Curve != elliptic.P256() {
		return nil, errors.New("the signing key is not ECDSA on P-256")
	}
	sum := sha256.Sum256(octets)
	der, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	v.R.FillBytes(out[:32])
	v.S.FillBytes(out[32:])
	return out, nil
}

func (ecdsaSHA256) verify(key crypto.PublicKey, octets, signature []byte) error {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok || k.Curve != elliptic.P256() {
		return errors.New("the signer's key is not ECDSA on P-256")
	}
	sum := sha256.Sum256(octets)
	if len(signature) != 64 || !ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return errSignature
	}
	return nil
}
