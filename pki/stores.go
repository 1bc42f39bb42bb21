package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	keystore "github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// Entry is one thing found in a store: a key with its chain, or a certificate.
type Entry struct {
	Alias string // empty where the format has none
	Key   crypto.PrivateKey
	Chain []*x509.Certificate // at least one, unless Key stands alone (PEM)
}

// maxStore bounds a store file; the gateway trust store of a whole network is
// under 100 kB.
const maxStore = 8 << 20

// Read takes a PEM, PKCS#12 or JKS store and tells them apart itself. The
// password is not used for PEM.
func Read(data []byte, password string) ([]Entry, error) {
	switch {
	case len(data) > maxStore:
		return nil, fmt.Errorf("key store of %d bytes: larger than %d MiB", len(data), maxStore>>20)
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		return ReadJKS(data, password)
	case bytes.HasPrefix(data, []byte{0xce, 0xce, 0xce, 0xce}):
		return nil, errors.New("JCEKS key stores are not supported; convert with keytool -importkeystore -deststoretype pkcs12")
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return ReadPEM(data)
	case len(data) > 0 && data[0] == 0x30:
		if c, err := x509.ParseCertificate(data); err == nil {
			return []Entry{{Chain: []*x509.Certificate{c}}}, nil
		}
		return ReadPKCS12(data, password)
	}
	return nil, errors.New("neither PEM, PKCS#12 nor JKS")
}

// ReadFile is Read of a file.
func ReadFile(name, password string) ([]Entry, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxStore {
		return nil, fmt.Errorf("%s: larger than %d MiB", name, maxStore>>20)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	entries, err := Read(data, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return entries, nil
}

// ReadPEM takes certificates and unencrypted private keys in any order. A key
// is put together with the certificate of its public key and the certificates
// that follow that one; other certificates are entries of their own.
func ReadPEM(data []byte) ([]Entry, error) {
	if len(data) > maxStore {
		return nil, fmt.Errorf("PEM of %d bytes: larger than %d MiB", len(data), maxStore>>20)
	}
	var certs []*x509.Certificate
	var keys []crypto.PrivateKey
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			break
		}
		switch {
		case b.Type == "CERTIFICATE" || b.Type == "TRUSTED CERTIFICATE":
			c, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				return nil, fmt.Errorf("certificate: %w", err)
			}
			certs = append(certs, c)
		case b.Type == "ENCRYPTED PRIVATE KEY" || b.Headers["DEK-Info"] != "":
			return nil, errors.New("encrypted PEM key: use PKCS#12, or decrypt it with openssl pkey")
		case strings.HasSuffix(b.Type, "PRIVATE KEY"):
			k, err := parseKey(b.Bytes)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
		if len(certs) > 10000 || len(keys) > 100 {
			return nil, errors.New("more than 10000 certificates or 100 keys")
		}
	}
	if len(certs)+len(keys) == 0 {
		return nil, errors.New("no certificate and no key in it")
	}
	var out []Entry
	used := map[int]bool{}
	for _, k := range keys {
		e := Entry{Key: k}
		for i, c := range certs {
			if !matches(k, c) {
				continue
			}
			e.Chain, used[i] = append(e.Chain, c), true
			for j := i + 1; j < len(certs) && bytes.Equal(e.Chain[len(e.Chain)-1].RawIssuer, certs[j].RawSubject); j++ {
				e.Chain, used[j] = append(e.Chain, certs[j]), true
			}
			break
		}
		out = append(out, e)
	}
	for i, c := range certs {
		if !used[i] {
			out = append(out, Entry{Chain: []*x509.Certificate{c}})
		}
	}
	return out, nil
}

// ReadPKCS12 takes a key with its chain, or a trust store as Java writes it.
func ReadPKCS12(data []byte, password string) ([]Entry, error) {
	if err := cheapPKCS12(data); err != nil {
		return nil, err
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, password)
	if err == nil {
		return []Entry{{Key: key, Chain: append([]*x509.Certificate{leaf}, chain...)}}, nil
	}
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, errors.New("PKCS#12: wrong password")
	}
	certs, trustErr := pkcs12.DecodeTrustStore(data, password)
	if trustErr != nil {
		return nil, fmt.Errorf("PKCS#12: %w", err)
	}
	out := make([]Entry, len(certs))
	for i, c := range certs {
		out[i].Chain = []*x509.Certificate{c}
	}
	return out, nil
}

// cheapPKCS12 refuses a store whose iteration counts would keep a processor
// busy for minutes: any INTEGER over two million in its outer structure.
func cheapPKCS12(data []byte) error {
	const most = 2_000_000
	var walk func(b []byte, depth int) error
	walk = func(b []byte, depth int) error {
		for n := 0; len(b) > 0 && n < 1000; n++ {
			var v asn1.RawValue
			rest, err := asn1.Unmarshal(b, &v)
			if err != nil {
				return nil // not ASN.1 at this level: somebody else complains
			}
			switch {
			case v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger && len(v.Bytes) <= 8:
				var i int64
				if _, err := asn1.Unmarshal(v.FullBytes, &i); err == nil && i > most {
					return fmt.Errorf("PKCS#12: %d iterations are more than %d", i, most)
				}
			case depth < 12 && (v.IsCompound || v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString):
				if err := walk(v.Bytes, depth+1); err != nil {
					return err
				}
			}
			b = rest
		}
		return nil
	}
	return walk(data, 0)
}

// ReadJKS takes a Java key store whose keys have the password of the store.
func ReadJKS(data []byte, password string) ([]Entry, error) {
	if err := soundJKS(data); err != nil {
		return nil, fmt.Errorf("JKS: %w", err)
	}
	ks := keystore.New(keystore.WithOrderedAliases(), keystore.WithCaseExactAliases())
	if err := ks.Load(bytes.NewReader(data), []byte(password)); err != nil {
		if strings.Contains(err.Error(), "digest") {
			return nil, errors.New("JKS: wrong password, or the file was changed")
		}
		return nil, fmt.Errorf("JKS: %w", err)
	}
	var out []Entry
	for _, alias := range ks.Aliases() {
		e := Entry{Alias: alias}
		var chain []keystore.Certificate
		if ks.IsPrivateKeyEntry(alias) {
			p, err := ks.GetPrivateKeyEntry(alias, []byte(password))
			if err != nil {
				return nil, fmt.Errorf("JKS: key %q: %w (its password must equal that of the store)", alias, err)
			}
			if e.Key, err = parseKey(p.PrivateKey); err != nil {
				return nil, fmt.Errorf("JKS: key %q: %w", alias, err)
			}
			chain = p.CertificateChain
		} else {
			t, err := ks.GetTrustedCertificateEntry(alias)
			if err != nil {
				return nil, fmt.Errorf("JKS: %q: %w", alias, err)
			}
			chain = []keystore.Certificate{t.Certificate}
		}
		for _, c := range chain {
			x, err := x509.ParseCertificate(c.Content)
			if err != nil {
				return nil, fmt.Errorf("JKS: certificate of %q: %w", alias, err)
			}
			e.Chain = append(e.Chain, x)
		}
		out = append(out, e)
	}
	return out, nil
}

// soundJKS walks the length fields, which the library would allocate unseen.
func soundJKS(data []byte) error {
	bad := errors.New("truncated or malformed")
	at, n := 0, uint64(0)
	take := func(size uint64) bool {
		if uint64(len(data)-at) < size {
			return false
		}
		at += int(size)
		return true
	}
	u32 := func() bool {
		if !take(4) {
			return false
		}
		n = uint64(binary.BigEndian.Uint32(data[at-4:]))
		return true
	}
	str := func() bool {
		return take(2) && take(uint64(binary.BigEndian.Uint16(data[at-2:])))
	}
	for range 2 { // the magic number, then the version
		if !u32() {
			return bad
		}
	}
	version := n
	if version != 1 && version != 2 {
		return fmt.Errorf("unknown version %d", version)
	}
	cert := func() bool { return (version == 1 || str()) && u32() && take(n) }
	if !u32() || n > 10000 {
		return bad
	}
	for entries := n; entries > 0; entries-- {
		if !u32() {
			return bad
		}
		tag := n
		if !str() || !take(8) {
			return bad
		}
		certs := uint64(1)
		if tag == 1 {
			if !u32() || !take(n) || !u32() || n > 100 {
				return bad
			}
			certs = n
		}
		for ; certs > 0; certs-- {
			if !cert() {
				return bad
			}
		}
	}
	if len(data)-at != 20 {
		return bad
	}
	return nil
}

func parseKey(der []byte) (crypto.PrivateKey, error) {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	k, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return nil, errors.New("private key in no known form (PKCS#8, PKCS#1, SEC 1)")
	}
	return k, nil
}

func matches(key crypto.PrivateKey, c *x509.Certificate) bool {
	public, err := PublicKey(c)
	if err != nil {
		return false
	}
	if x, ok := key.(*ecdh.PrivateKey); ok {
		return x.PublicKey().Equal(public)
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return false
	}
	e, ok := s.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && e.Equal(public)
}

// Certificates are the leaf certificates of entries, in their order.
func Certificates(entries []Entry) []*x509.Certificate {
	var out []*x509.Certificate
	for _, e := range entries {
		if len(e.Chain) > 0 {
			out = append(out, e.Chain[0])
		}
	}
	return out
}

// Identities are the entries that have a key and its certificate.
func Identities(entries []Entry) []*Identity {
	var out []*Identity
	for _, e := range entries {
		if e.Key != nil && len(e.Chain) > 0 {
			out = append(out, &Identity{Key: e.Key, Chain: e.Chain})
		}
	}
	return out
}

// PEM is the identity as text: chain first, then the key as PKCS#8.
func (i *Identity) PEM() ([]byte, error) {
	var b bytes.Buffer
	for _, c := range i.Chain {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	der, err := x509.MarshalPKCS8PrivateKey(i.Key)
	if err != nil {
		return nil, err
	}
	pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return b.Bytes(), nil
}

// The files of a party's folder, as Save writes and LoadParty reads them.
const (
	SignFile    = "sign.pem"
	EncryptFile = "encrypt.pem"
	TLSFile     = "tls.pem"
)

// Save writes the party's three identities to dir, readable by its owner only.
func (p *Party) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, id := range map[string]*Identity{SignFile: p.Sign, EncryptFile: p.Encrypt, TLSFile: p.TLS} {
		text, err := id.PEM()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// LoadParty reads what Save wrote. The party's name is that of the folder.
func LoadParty(dir string) (*Party, error) {
	p := &Party{Name: filepath.Base(dir)}
	for name, id := range map[string]**Identity{SignFile: &p.Sign, EncryptFile: &p.Encrypt, TLSFile: &p.TLS} {
		entries, err := ReadFile(filepath.Join(dir, name), "")
		if err != nil {
			return nil, err
		}
		ids := Identities(entries)
		if len(ids) != 1 {
			return nil, fmt.Errorf("%s: wanted one key with its certificate, found %d", filepath.Join(dir, name), len(ids))
		}
		*id = ids[0]
	}
	return p, nil
}

// LoadFolder reads every store below dir (.pem, .crt, .cer, .key, .p12, .pfx,
// .jks) with one password: everything a command may use to open messages.
func LoadFolder(dir, password string) ([]Entry, error) {
	var out []Entry
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".pem", ".crt", ".cer", ".key", ".p12", ".pfx", ".jks"}, strings.ToLower(filepath.Ext(name))) {
			return err
		}
		entries, err := ReadFile(name, password)
		if err != nil {
			return err
		}
		out = append(out, entries...)
		if len(out) > 10000 {
			return fmt.Errorf("%s: more than 10000 entries", dir)
		}
		return nil
	})
	return out, err
}
