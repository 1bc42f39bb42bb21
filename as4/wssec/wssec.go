// Package wssec signs, verifies, encrypts and decrypts AS4 messages: WS-Security
// 1.1.1 with the X.509 token profile and the SOAP-with-Attachments profile, XML
// Signature 1.1 and XML Encryption 1.1, as far as eDelivery AS4 1.15 uses them
// (RSA-SHA256, SHA-256, RSA-OAEP with MGF1-SHA256, AES-128-GCM, exclusive C14N).
//
// It works on the bytes that travelled. Elements are known by their place in
// the envelope; an id is only compared, never looked up. Whatever is not on the
// list of the suite is refused. The suites of eDelivery AS4 2.0 stand beside
// the common one and are experimental: no other implementation confirmed them.
//
// A verified signature says that the holder of a certificate signed, not that
// the certificate may be believed: see Verified.Signer.
package wssec

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/once-only/oots/as4/ebms"
)

// Identifiers of algorithms, tokens and types.
const (
	c14n       = "http://www.w3.org/2001/10/xml-exc-c14n#"
	digestURI  = "http://www.w3.org/2001/04/xmlenc#sha256"
	mgf1SHA256 = "http://www.w3.org/2009/xmlenc11#mgf1sha256"
	aes128GCM  = "http://www.w3.org/2009/xmlenc11#aes128-gcm"

	swa               = "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#"
	contentSignature  = swa + "Attachment-Content-Signature-Transform"
	contentOnly       = swa + "Attachment-Content-Only"
	ciphertextProcess = swa + "Attachment-Ciphertext-Transform"

	x509Profile  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"
	x509v3       = x509Profile + "X509v3"
	x509PKIPath  = x509Profile + "X509PKIPathv1"
	x509SKI      = x509Profile + "X509SubjectKeyIdentifier"
	base64Binary = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
	thumbprint   = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"
	encryptedKey = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#EncryptedKey"
)

// MaxAttachments is the number of parts that a signature may cover: Domibus
// and Java's secure validation stop at 30 references.
const MaxAttachments = 28

// Suite is a set of algorithms that a P-Mode names.
type Suite struct {
	Name         string
	Experimental bool

	signature signatureMethod
	transport keyTransport
}

// The suites. Common is what OOTS uses; the others are eDelivery AS4 2.0.
var (
	Common     = &Suite{Name: "rsa", signature: rsaSHA256{}, transport: rsaOAEP{}}
	Edwards    = &Suite{Name: "ed25519-x25519", Experimental: true, signature: eddsa{}, transport: agreement{x25519URI}}
	ECDSAP256  = &Suite{Name: "ecdsa-ecdh-p256", Experimental: true, signature: ecdsaSHA256{}, transport: agreement{ecdhURI}}
	allOfThem  = []*Suite{Common, Edwards, ECDSAP256}
	commonOnly = []*Suite{Common}
)

// SuiteByName finds a suite, nil for an unknown name. "" is Common.
func SuiteByName(name string) *Suite {
	if name == "" {
		return Common
	}
	for _, s := range allOfThem {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Security failures say only their code over the wire; the cause stays here.

func noAuthentication(format string, args ...any) error {
	return &ebms.Error{Code: ebms.FailedAuthentication, Cause: fmt.Errorf(format, args...)}
}

func noCompliance(format string, args ...any) error {
	return &ebms.Error{Code: ebms.PolicyNoncompliance, Cause: fmt.Errorf(format, args...)}
}

// noDecryption is the one answer to every way in which decryption can fail.
func noDecryption() error {
	return &ebms.Error{Code: ebms.FailedDecryption, Cause: errors.New("the message cannot be decrypted")}
}

// newID is a random UUID, the default of NewID fields.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// encode64 is base64 in one line.
func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// decode64 reads base64 with any white space in it.
func decode64(s string) ([]byte, error) {
	if strings.ContainsAny(s, " \t\r\n") {
		s = strings.Join(strings.Fields(s), "")
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

// escape makes a value safe as text and as attribute in canonical XML.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;").Replace

func equalDigest(value string, sum []byte) bool {
	want, err := decode64(value)
	return err == nil && len(want) == sha256.Size && subtle.ConstantTimeCompare(want, sum) == 1
}

// signatureMethod is a row of the allow-list of ds:SignatureMethod.
type signatureMethod interface {
	uri() string
	sign(key crypto.Signer, octets []byte) ([]byte, error)
	// verify judges the key too: its type and its size.
	verify(key crypto.PublicKey, octets, signature []byte) error
}
