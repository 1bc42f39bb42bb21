package commonservices

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
)

// The two headers of every answer (TDD 3.6.2): the digest of the body as it
// travels, and a JAdES signature over the digest header, detached.
const (
	HeaderDigest    = "Digest"
	HeaderSignature = "Oots-Response-Sig"
)

// maxSignature bounds the signature header in octets; a chain of three
// certificates needs about 8.4 kB.
const maxSignature = 64 << 10

// protected is the protected header of the JWS, in the order observed.
type protected struct {
	Alg  string   `json:"alg"` // ES256 or EdDSA
	Typ  string   `json:"typ,omitempty"`
	Kid  string   `json:"kid,omitempty"`   // base64 of a DER IssuerSerial
	X5tO *x5tO    `json:"x5t#o,omitempty"` // SHA-512 of the leaf
	X5c  []string `json:"x5c"`             // base64 DER, leaf first
	B64  *bool    `json:"b64"`             // false (RFC 7797)
	Iat  int64    `json:"iat,omitempty"`   // seconds
	SigD *sigD    `json:"sigD"`
	Crit []string `json:"crit"`
}

type x5tO struct {
	DigAlg string `json:"digAlg"`
	DigVal string `json:"digVal"` // base64url
}

type sigD struct {
	MID  string   `json:"mId"`
	Pars []string `json:"pars"`
}

// httpHeaders is the JAdES mechanism that signs named HTTP header fields
// (ETSI TS 119 182-1).
const httpHeaders = "http://uri.etsi.org/19182/HttpHeaders"

// Signer signs answers of the Common Services. Because the whole chain travels
// in the header, a key rotates by exchanging the Signer: clients trust the root.
type Signer struct {
	Key   crypto.Signer       // ECDSA P-256 (ES256) or Ed25519 (EdDSA)
	Chain []*x509.Certificate // leaf first; the root may be left out
	Now   func() time.Time    // optional; time.Now
}

// Sign returns the values of the headers Digest and Oots-Response-Sig for a
// body that will be sent unchanged.
func (s *Signer) Sign(body []byte) (digest, signature string, err error) {
	if len(s.Chain) == 0 {
		return "", "", errors.New("commonservices: a signer needs its certificate")
	}
	leaf := s.Chain[0]
	h := protected{Typ: "jose", Crit: []string{"b64", "sigD"}, B64: new(bool),
		SigD: &sigD{MID: httpHeaders, Pars: []string{"digest"}}}
	switch key := s.Key.Public().(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return "", "", errors.New("commonservices: ES256 needs a P-256 key")
		}
		h.Alg = "ES256"
	case ed25519.PublicKey:
		h.Alg = "EdDSA"
	default:
		return "", "", fmt.Errorf("commonservices: a %T cannot sign answers; use ECDSA P-256 or Ed25519", key)
	}
	if h.Kid, err = issuerSerial(leaf); err != nil {
		return "", "", err
	}
	sum := sha512.Sum512(leaf.Raw)
	h.X5tO = &x5tO{"S512", base64.RawURLEncoding.EncodeToString(sum[:])}
	for _, c := range s.Chain {
		h.X5c = append(h.X5c, base64.StdEncoding.EncodeToString(c.Raw))
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	h.Iat = now().Unix()

	head, err := json.Marshal(h)
	if err != nil {
		return "", "", err
	}
	digest = Digest(body)
	head64 := base64.RawURLEncoding.EncodeToString(head)
	sig, err := sign(s.Key, signingInput(head64, digest))
	if err != nil {
		return "", "", fmt.Errorf("commonservices: sign answer: %w", err)
	}
	return digest, head64 + ".." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// Digest is the value of the Digest header for a body (RFC 3230, SHA-256).
func Digest(body []byte) string {
	sum := sha256.Sum256(body)
	return "SHA-256=" + base64.StdEncoding.EncodeToString(sum[:])
}

// signingInput is what is signed: the header name in lower case, a colon, one
// space, the value.
func signingInput(head64, digest string) []byte {
	return []byte(head64 + ".digest: " + digest)
}

// sign makes a raw JWS signature: R‖S for ES256, not ASN.1.
func sign(key crypto.Signer, input []byte) ([]byte, error) {
	if _, ok := key.Public().(ed25519.PublicKey); ok {
		return key.Sign(rand.Reader, input, crypto.Hash(0))
	}
	sum := sha256.Sum256(input)
	der, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) > 0 {
		return nil, errors.New("the key gave a signature that is not ASN.1")
	}
	raw := make([]byte, 64)
	rs.R.FillBytes(raw[:32])
	rs.S.FillBytes(raw[32:])
	return raw, nil
}

// issuerSerial is the base64 of the DER IssuerSerial of a certificate
// (RFC 5035): the issuer as GeneralNames, and the serial number.
func issuerSerial(c *x509.Certificate) (string, error) {
	name := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: c.RawIssuer}
	der, err := asn1.Marshal(struct {
		Issuer []asn1.RawValue
		Serial *big.Int
	}{[]asn1.RawValue{name}, c.SerialNumber})
	if err != nil {
		return "", fmt.Errorf("commonservices: issuer and serial of the signing certificate: %w", err)
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// Verifier checks answers against a locally configured trust store.
type Verifier struct {
	Roots *x509.CertPool   // one store per environment; required
	Now   func() time.Time // optional; time.Now
	// Subject, where given, is the organisational unit that the leaf must name,
	// e.g. "OOTS".
	Subject string
	// MaxAge, where given, is how old the signature's own time may be.
	MaxAge time.Duration
	// Revoked, where given, is asked for every certificate of the chain, anew
	// for every answer.
	Revoked func(*x509.Certificate) error

	mu    sync.Mutex
	known map[string]*knownChain
}

// knownChain is a chain that was built to a root: its signatures hold for ever,
// its validity and revocation are looked at again for every answer.
type knownChain struct {
	certs      []*x509.Certificate // leaf first, root last
	begin, end time.Time           // within which all are valid
}

// maxChains bounds what a Verifier remembers; a directory has one chain, two
// while its key rotates.
const maxChains = 64

// SignatureError says why an answer's authenticity could not be shown. Such an
// answer is an outage of the directory, never a statement about a country.
type SignatureError struct {
	Step  string // digest, form, header, chain or signature
	Cause error
}

func (e *SignatureError) Error() string {
	return "the answer's signature fails at the step " + e.Step + ": " + e.Cause.Error()
}

func (e *SignatureError) Unwrap() error { return e.Cause }

// Verify checks, in the order of TDD 3.6.2: the digest of the body, the form of
// the JWS, its protected header, the chain to a configured root, the signature.
// The body must be the bytes as delivered, before any decoding. The error is a
// *SignatureError.
func (v *Verifier) Verify(body []byte, digest, signature string) error {
	fail := func(step, format string, args ...any) error {
		return &SignatureError{step, fmt.Errorf(format, args...)}
	}
	if digest == "" || signature == "" {
		return fail("form", "the headers %s and %s are both needed", HeaderDigest, HeaderSignature)
	}
	if subtle.ConstantTimeCompare([]byte(digest), []byte(Digest(body))) != 1 {
		return fail("digest", "the body is not the one that was digested")
	}
	if len(signature) > maxSignature {
		return fail("form", "the header is longer than %d octets", maxSignature)
	}
	parts := strings.Split(signature, ".")
	if len(parts) != 3 || parts[1] != "" {
		return fail("form", "a detached JWS has three parts with an empty middle one")
	}
	head, err := base64.RawURLEncoding.Strict().DecodeString(parts[0])
	if err != nil {
		return fail("form", "the protected header is not base64url")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return fail("form", "the signature is not base64url")
	}
	var h protected
	if err := json.Unmarshal(head, &h); err != nil {
		return fail("header", "the protected header is not readable: %v", err)
	}
	if err := h.profile(); err != nil {
		return &SignatureError{"header", err}
	}
	leaf, err := v.chain(h)
	if err != nil {
		return &SignatureError{"chain", err}
	}
	if err := verify(h.Alg, leaf.PublicKey, signingInput(parts[0], digest), raw); err != nil {
		return &SignatureError{"signature", err}
	}
	return nil
}

// profile holds the header to the narrow profile of TDD 3.6.2.
func (h *protected) profile() error {
	switch {
	case h.B64 == nil || *h.B64:
		return errors.New("b64 must be false")
	case h.SigD == nil || h.SigD.MID != httpHeaders || len(h.SigD.Pars) != 1 || h.SigD.Pars[0] != "digest":
		return errors.New("sigD must sign exactly the HTTP header digest")
	case len(h.X5c) == 0 || len(h.X5c) > 10:
		return errors.New("x5c must carry the certificate chain, 10 certificates at most")
	}
	seen := map[string]bool{}
	for _, c := range h.Crit {
		if c != "b64" && c != "sigD" {
			return fmt.Errorf("crit names %q, which is not understood", c)
		}
		seen[c] = true
	}
	if !seen["b64"] || !seen["sigD"] || len(h.Crit) != 2 {
		return errors.New("crit must name b64 and sigD, each once")
	}
	return nil
}

// chain gives the leaf of x5c, once its chain and what is said about it hold.
func (v *Verifier) chain(h protected) (*x509.Certificate, error) {
	now := time.Now()
	if v.Now != nil {
		now = v.Now()
	}
	key := strings.Join(h.X5c, " ")
	v.mu.Lock()
	known := v.known[key]
	v.mu.Unlock()
	if known == nil || now.Before(known.begin) || now.After(known.end) {
		var err error
		if known, err = v.build(h.X5c, now); err != nil {
			return nil, err
		}
		v.mu.Lock()
		if v.known == nil || len(v.known) >= maxChains {
			v.known = map[string]*knownChain{}
		}
		v.known[key] = known
		v.mu.Unlock()
	}
	leaf := known.certs[0]
	if h.X5tO != nil {
		sum := sha512.Sum512(leaf.Raw)
		want, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(h.X5tO.DigVal, "="))
		if h.X5tO.DigAlg != "S512" || err != nil || !bytes.Equal(want, sum[:]) {
			return nil, errors.New("x5t#o is not the SHA-512 of the first certificate")
		}
	}
	if v.Subject != "" && !slices.Contains(leaf.Subject.OrganizationalUnit, v.Subject) {
		return nil, fmt.Errorf("the certificate is not one of the unit %s", v.Subject)
	}
	if v.MaxAge > 0 && now.Sub(time.Unix(h.Iat, 0)) > v.MaxAge {
		return nil, fmt.Errorf("the signature is older than %s", v.MaxAge)
	}
	if v.Revoked != nil {
		for _, c := range known.certs {
			if err := v.Revoked(c); err != nil {
				return nil, err
			}
		}
	}
	return leaf, nil
}

// build reads the certificates of x5c and finds their way to a configured root.
func (v *Verifier) build(x5c []string, now time.Time) (*knownChain, error) {
	var leaf *x509.Certificate
	between := x509.NewCertPool()
	for i, text := range x5c {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of x5c is not base64", i+1)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of x5c: %w", i+1, err)
		}
		if i == 0 {
			leaf = c
		} else {
			between.AddCert(c)
		}
	}
	if v.Roots == nil {
		return nil, errors.New("no trusted root is configured")
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: v.Roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil, err
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return nil, errors.New("the certificate's key usage does not allow signatures")
	}
	k := &knownChain{certs: chains[0], begin: leaf.NotBefore, end: leaf.NotAfter}
	for _, c := range k.certs {
		if c.NotBefore.After(k.begin) {
			k.begin = c.NotBefore
		}
		if c.NotAfter.Before(k.end) {
			k.end = c.NotAfter
		}
	}
	return k, nil
}

// verify checks a raw JWS signature with the algorithm that the key demands.
func verify(alg string, key any, input, sig []byte) error {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if alg != "ES256" || k.Curve != elliptic.P256() || len(sig) != 64 {
			break
		}
		sum := sha256.Sum256(input)
		if !ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
			return errors.New("it does not fit the digest header and the certificate's key")
		}
		return nil
	case ed25519.PublicKey:
		if alg != "EdDSA" {
			break
		}
		if !ed25519.Verify(k, input, sig) {
			return errors.New("it does not fit the digest header and the certificate's key")
		}
		return nil
	}
	return fmt.Errorf("the algorithm %q does not fit the certificate's key; ES256 with P-256 and EdDSA with Ed25519 are accepted", alg)
}
