package pki

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"errors"
)

// subjectKeyID is method (1) of RFC 5280 4.2.1.2: SHA-1 over the key's bits.
func subjectKeyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, err
	}
	id := sha1.Sum(info.Key.Bytes)
	return id[:], nil
}

// exchangeKeyAlgorithm turns the Ed25519 key of a to-be-signed certificate into
// an X25519 one; both encodings have one length.
func exchangeKeyAlgorithm(tbs, key []byte) ([]byte, error) {
	prefix := []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}
	at := bytes.Index(tbs, append(bytes.Clone(prefix), key...))
	if at < 0 {
		return nil, errors.New("subject key not found")
	}
	out := bytes.Clone(tbs)
	out[at+8] = 0x6e
	return out, nil
}
