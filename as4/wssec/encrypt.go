package wssec

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/xmltree"
)

// Encrypter encrypts the parts of messages for one partner.
type Encrypter struct {
	Recipient *x509.Certificate // required; the partner's encryption certificate
	Suite     *Suite            // nil means Common
	Token     TokenForm         // how EncryptedKey names Recipient
	NewID     func() string     // unique ids; nil means random UUIDs
}

// Encrypt puts a fresh message key for the recipient into a signed envelope and
// returns it with the parts as they travel, encrypted while they are read. The
// signed octets stay as they are, so each try may encrypt anew. The given parts
// stay the caller's to close. A message without parts is returned unchanged.
func (e *Encrypter) Encrypt(envelope []byte, parts []ebms.Part) ([]byte, []ebms.Part, error) {
	if len(parts) == 0 {
		return envelope, nil, nil
	}
	suite := e.Suite
	if suite == nil {
		suite = Common
	}
	id := e.NewID
	if id == nil {
		id = newID
	}
	env, err := ebms.ReadEnvelope(envelope)
	if err != nil {
		return nil, nil, err
	}
	if env.Security == nil {
		return nil, nil, errors.New("wssec: sign before encrypting")
	}
	key := make([]byte, 16)
	rand.Read(key)
	unique := id()
	bst, recipient, err := token(e.Token, []*x509.Certificate{e.Recipient}, "T-enc-"+unique)
	if err != nil {
		return nil, nil, fmt.Errorf("wssec: recipient: %w", err)
	}
	method, keyInfo, wrapped, err := suite.transport.wrap(key, e.Recipient, recipient)
	if err != nil {
		return nil, nil, fmt.Errorf("wssec: message key: %w", err)
	}
	var b strings.Builder
	b.WriteString(bst)
	b.WriteString(`<xenc:EncryptedKey xmlns:xenc="` + ebms.XENC + `" Id="EK-` + escape(unique) + `">` + method +
		`<ds:KeyInfo xmlns:ds="` + ebms.DS + `">` + keyInfo + `</ds:KeyInfo><xenc:CipherData><xenc:CipherValue>` + encode64(wrapped) +
		`</xenc:CipherValue></xenc:CipherData><xenc:ReferenceList>`)
	for i := range parts {
		fmt.Fprintf(&b, `<xenc:DataReference URI="#ED-%s-%d"></xenc:DataReference>`, escape(unique), i+1)
	}
	b.WriteString(`</xenc:ReferenceList></xenc:EncryptedKey>`)
	out := make([]ebms.Part, len(parts))
	for i, p := range parts {
		if p.Content.Size() > maxPlain {
			return nil, nil, fmt.Errorf("wssec: part %q is larger than AES-GCM allows", p.ID)
		}
		fmt.Fprintf(&b, `<xenc:EncryptedData xmlns:xenc="%s" Id="ED-%s-%d" MimeType="%s" Type="%s"><xenc:EncryptionMethod Algorithm="%s"></xenc:EncryptionMethod>`,
			ebms.XENC, escape(unique), i+1, escape(p.Type), contentOnly, aes128GCM)
		b.WriteString(`<ds:KeyInfo xmlns:ds="` + ebms.DS + `"><wsse:SecurityTokenReference xmlns:wsse11="` + ebms.WSSE11 + `" wsse11:TokenType="` + encryptedKey +
			`"><wsse:Reference URI="#EK-` + escape(unique) + `"></wsse:Reference></wsse:SecurityTokenReference></ds:KeyInfo><xenc:CipherData><xenc:CipherReference URI="` +
			escape(ebms.CID(p.ID)) + `"><xenc:Transforms><ds:Transform xmlns:ds="` + ebms.DS + `" Algorithm="` + ciphertextProcess +
			`"></ds:Transform></xenc:Transforms></xenc:CipherReference></xenc:CipherData></xenc:EncryptedData>`)
		s := &sealed{clear: p.Content, key: key}
		rand.Read(s.nonce[:])
		out[i] = ebms.Part{ID: p.ID, Type: "application/octet-stream", Content: s}
	}
	at, _ := env.Security.Inner()
	return bytes.Join([][]byte{envelope[:at], []byte(b.String()), envelope[at:]}, nil), out, nil
}

// keyTransport is how a message key reaches its recipient.
type keyTransport interface {
	// wrap returns xenc:EncryptionMethod, the content of ds:KeyInfo and the
	// wrapped key. recipient is the SecurityTokenReference to its certificate.
	wrap(key []byte, to *x509.Certificate, recipient string) (method, keyInfo string, wrapped []byte, err error)
	// accepts judges the algorithms of an xenc:EncryptedKey and returns the
	// SecurityTokenReference to the recipient's certificate.
	accepts(ek *xmltree.Element) (recipient *xmltree.Element, err error)
	// unwrap undoes wrap; accepts was called before.
	unwrap(ek *xmltree.Element, wrapped []byte, key crypto.PrivateKey) ([]byte, error)
}

const oaepURI = "http://www.w3.org/2009/xmlenc11#rsa-oaep"

// rsaOAEP is RSA-OAEP with SHA-256 for both digest and mask. Their elements
// must be there: without them the standard means SHA-1.
type rsaOAEP struct{}

func (rsaOAEP) wrap(key []byte, to *x509.Certificate, recipient string) (method, keyInfo string, wrapped []byte, err error) {
	public, ok := to.PublicKey.(*rsa.PublicKey)
	if !ok {
		return "", "", nil, fmt.Errorf("the recipient's key is %T, not RSA", to.PublicKey)
	}
	wrapped, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, public, key, nil)
	return `<xenc:EncryptionMethod Algorithm="` + oaepURI + `"><ds:DigestMethod xmlns:ds="` + ebms.DS + `" Algorithm="` + digestURI +
		`"></ds:DigestMethod><xenc11:MGF xmlns:xenc11="` + ebms.XENC11 + `" Algorithm="` + mgf1SHA256 + `"></xenc11:MGF></xenc:EncryptionMethod>`, recipient, wrapped, err
}

func (rsaOAEP) accepts(ek *xmltree.Element) (*xmltree.Element, error) {
	m := ek.Child(ebms.XENC, "EncryptionMethod")
	if m.Attr("", "Algorithm") != oaepURI || m.Len() != 2 ||
		m.Child(ebms.DS, "DigestMethod").Attr("", "Algorithm") != digestURI ||
		m.Child(ebms.XENC11, "MGF").Attr("", "Algorithm") != mgf1SHA256 {
		return nil, errors.New("the key transport is not RSA-OAEP with SHA-256 and MGF1-SHA256")
	}
	info := ek.Child(ebms.DS, "KeyInfo")
	if info.Len() != 1 {
		return nil, errors.New("the EncryptedKey does not name its recipient")
	}
	return info.First(), nil
}

func (rsaOAEP) unwrap(_ *xmltree.Element, wrapped []byte, key crypto.PrivateKey) ([]byte, error) {
	d, ok := key.(crypto.Decrypter)
	if !ok {
		return nil, fmt.Errorf("the key %T cannot decrypt", key)
	}
	return d.Decrypt(rand.Reader, wrapped, &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA256})
}
