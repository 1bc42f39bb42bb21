package wssec

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/xmltree"
)

// Key agreement of eDelivery AS4 2.0: ephemeral-static X25519 or ECDH on P-256,
// HKDF with HMAC-SHA-256, AES-128 key wrap. Experimental.
const (
	more      = "http://www.w3.org/2021/04/xmldsig-more#"
	x25519URI = more + "x25519"
	ecdhURI   = "http://www.w3.org/2009/xmlenc11#ECDH-ES"
	hkdfURI   = more + "hkdf"
	hmacURI   = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
	kwURI     = "http://www.w3.org/2001/04/xmlenc#kw-aes128"
	keyLength = 16
)

// Agreer is a private key that agrees, such as *ecdh.PrivateKey.
type Agreer interface {
	ECDH(remote *ecdh.PublicKey) ([]byte, error)
}

type agreement struct{ uri string }

func (a agreement) curve() ecdh.Curve {
	if a.uri == x25519URI {
		return ecdh.X25519()
	}
	return ecdh.P256()
}

func (a agreement) wrap(key []byte, to *x509.Certificate, recipient string) (method, keyInfo string, wrapped []byte, err error) {
	fail := func(err error) (string, string, []byte, error) { return "", "", nil, err }
	public, err := pki.PublicKey(to)
	if err != nil {
		return fail(err)
	}
	if e, ok := public.(*ecdsa.PublicKey); ok {
		if public, err = e.ECDH(); err != nil {
			return fail(err)
		}
	}
	static, ok := public.(*ecdh.PublicKey)
	if !ok || static.Curve() != a.curve() {
		return fail(fmt.Errorf("the recipient's key %T does not agree with this suite", public))
	}
	ephemeral, err := a.curve().GenerateKey(rand.Reader)
	if err != nil {
		return fail(err)
	}
	secret, err := ephemeral.ECDH(static)
	if err != nil {
		return fail(err)
	}
	salt := make([]byte, 32)
	rand.Read(salt)
	kek, err := hkdf.Key(sha256.New, secret, salt, "", keyLength)
	if err != nil {
		return fail(err)
	}
	if wrapped, err = wrapKey(kek, key); err != nil {
		return fail(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(ephemeral.PublicKey())
	if err != nil {
		return fail(err)
	}
	return `<xenc:EncryptionMethod Algorithm="` + kwURI + `"></xenc:EncryptionMethod>`,
		`<xenc:AgreementMethod Algorithm="` + a.uri + `"><xenc11:KeyDerivationMethod xmlns:xenc11="` + ebms.XENC11 + `" Algorithm="` + hkdfURI +
			`"><dsigm:HKDFParams xmlns:dsigm="` + more + `"><dsigm:PRF Algorithm="` + hmacURI + `"></dsigm:PRF><dsigm:Salt>` + encode64(salt) +
			`</dsigm:Salt><dsigm:KeyLength>16</dsigm:KeyLength></dsigm:HKDFParams></xenc11:KeyDerivationMethod><xenc:OriginatorKeyInfo><ds:KeyValue>` +
			`<dsig11:DEREncodedKeyValue xmlns:dsig11="` + ebms.DSIG11 + `">` + encode64(spki) + `</dsig11:DEREncodedKeyValue></ds:KeyValue></xenc:OriginatorKeyInfo>` +
			`<xenc:RecipientKeyInfo>` + recipient + `</xenc:RecipientKeyInfo></xenc:AgreementMethod>`, wrapped, nil
}

func (a agreement) accepts(ek *xmltree.Element) (*xmltree.Element, error) {
	m := ek.Child(ebms.XENC, "EncryptionMethod")
	info := ek.Child(ebms.DS, "KeyInfo")
	agree := info.First()
	derive := agree.Child(ebms.XENC11, "KeyDerivationMethod")
	params := derive.Child(more, "HKDFParams")
	switch {
	case m.Attr("", "Algorithm") != kwURI || m.Len() != 0:
		return nil, errors.New("the key wrap is not AES-128")
	case info.Len() != 1 || !agree.Is(ebms.XENC, "AgreementMethod") || agree.Attr("", "Algorithm") != a.uri:
		return nil, errors.New("the key agreement is not that of the suite")
	case derive.Attr("", "Algorithm") != hkdfURI || params.Child(more, "PRF").Attr("", "Algorithm") != hmacURI || params.Child(more, "KeyLength").Norm() != "16":
		return nil, errors.New("the key derivation is not HKDF with HMAC-SHA-256 and 16 octets")
	}
	return agree.Child(ebms.XENC, "RecipientKeyInfo").First(), nil
}

func (a agreement) unwrap(ek *xmltree.Element, wrapped []byte, key crypto.PrivateKey) ([]byte, error) {
	if e, ok := key.(*ecdsa.PrivateKey); ok {
		k, err := e.ECDH()
		if err != nil {
			return nil, err
		}
		key = k
	}
	private, ok := key.(Agreer)
	if !ok {
		return nil, fmt.Errorf("the key %T cannot agree", key)
	}
	agree := ek.Child(ebms.DS, "KeyInfo").First()
	params := agree.Find(ebms.XENC11, "KeyDerivationMethod").Child(more, "HKDFParams")
	salt, err := decode64(params.Child(more, "Salt").Text())
	if err != nil || len(salt) > 1024 {
		return nil, errors.New("salt")
	}
	info, err := decode64(params.Child(more, "Info").Text())
	if err != nil || len(info) > 1024 {
		return nil, errors.New("info")
	}
	spki, err := decode64(agree.Child(ebms.XENC, "OriginatorKeyInfo").Child(ebms.DS, "KeyValue").Child(ebms.DSIG11, "DEREncodedKeyValue").Text())
	if err != nil {
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, err
	}
	if e, ok := public.(*ecdsa.PublicKey); ok {
		if public, err = e.ECDH(); err != nil {
			return nil, err
		}
	}
	ephemeral, ok := public.(*ecdh.PublicKey)
	if !ok || ephemeral.Curve() != a.curve() {
		return nil, errors.New("the originator's key is on another curve")
	}
	secret, err := private.ECDH(ephemeral)
	if err != nil {
		return nil, err
	}
	kek, err := hkdf.Key(sha256.New, secret, salt, string(info), keyLength)
	if err != nil {
		return nil, err
	}
	return unwrapKey(kek, wrapped)
}

// AES key wrap (RFC 3394) with the default initial value.
var wrapIV = [8]byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}

func wrapKey(kek, key []byte) ([]byte, error) {
	if len(key)%8 != 0 || len(key) < 16 {
		return nil, errors.New("a wrapped key is a multiple of 8 octets, at least 16")
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	n := len(key) / 8
	out := append(wrapIV[:len(wrapIV):len(wrapIV)], key...)
	var b [16]byte
	for j := range 6 {
		for i := 1; i <= n; i++ {
			copy(b[:8], out)
			copy(b[8:], out[8*i:])
			block.Encrypt(b[:], b[:])
			binary.BigEndian.PutUint64(out, binary.BigEndian.Uint64(b[:])^uint64(n*j+i))
			copy(out[8*i:], b[8:])
		}
	}
	return out, nil
}

func unwrapKey(kek, wrapped []byte) ([]byte, error) {
	if len(wrapped)%8 != 0 || len(wrapped) < 24 || len(wrapped) > 72 {
		return nil, errors.New("length of the wrapped key")
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	n := len(wrapped)/8 - 1
	out := append([]byte(nil), wrapped...)
	var b [16]byte
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(out)^uint64(n*j+i))
			copy(b[8:], out[8*i:8*i+8])
			block.Decrypt(b[:], b[:])
			copy(out, b[:8])
			copy(out[8*i:], b[8:])
		}
	}
	if subtle.ConstantTimeCompare(out[:8], wrapIV[:]) != 1 {
		return nil, errors.New("integrity of the wrapped key")
	}
	return out[8:], nil
}
