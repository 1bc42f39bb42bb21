package wssec

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"hash"
	"slices"
	"strings"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/xmltree"
)

// Rules say what a signature may be. They come from configuration, never from
// the message.
type Rules struct {
	// Suites are the accepted sets of algorithms; none means Common alone.
	Suites []*Suite
	// Known are certificates that a message may name without carrying them.
	Known []*x509.Certificate
}

// Verified is an envelope whose signature verified and covers exactly the
// eb:Messaging and the Body of the envelope, and parts still to be opened.
type Verified struct {
	Envelope *ebms.Envelope
	Suite    *Suite
	// Signer is the certificate whose key signed, Chain what came with it. It
	// is a claim: compare it with the configured one (SignedBy), or judge it by
	// a pki.Policy, before a header value is believed.
	Signer *x509.Certificate
	Chain  []*x509.Certificate
	// References are those of the signature, in its order: what a receipt
	// repeats.
	References []ebms.Reference

	digests map[string]string // of attachments: digest value by content id
	keys    security
	known   []*x509.Certificate
}

// security is the wsse:Security header taken apart.
type security struct {
	tokens    []*xmltree.Element
	key       *xmltree.Element
	data      []*xmltree.Element
	signature *xmltree.Element
}

// Verify judges the signature of an envelope. It touches no part. The errors
// are *ebms.Error: EBMS:0103 when the message is not signed or uses what is not
// allowed, EBMS:0101 when the signature does not verify or does not cover the
// header and the Body.
func Verify(env *ebms.Envelope, rules Rules) (*Verified, error) {
	if env.Security == nil {
		return nil, noCompliance("the message is not signed")
	}
	if err := uniqueIDs(env.Document); err != nil {
		return nil, err
	}
	v := &Verified{Envelope: env, known: rules.Known, digests: map[string]string{}}
	if err := v.keys.read(env.Security); err != nil {
		return nil, err
	}
	info, value, keyInfo, err := signatureParts(v.keys.signature)
	if err != nil {
		return nil, err
	}
	suites := rules.Suites
	if len(suites) == 0 {
		suites = commonOnly
	}
	method := info.Child(ebms.DS, "SignatureMethod")
	for _, s := range suites {
		if method.Attr("", "Algorithm") == s.signature.uri() && method.Len() == 0 {
			v.Suite = s
		}
	}
	if v.Suite == nil {
		return nil, noCompliance("the signature method is not allowed")
	}
	list, err := exclusiveC14N(info.Child(ebms.DS, "CanonicalizationMethod"))
	if err != nil {
		return nil, err
	}
	refs, err := references(info)
	if err != nil {
		return nil, err
	}
	if keyInfo.Len() != 1 {
		return nil, noAuthentication("signer: KeyInfo holds %d references", keyInfo.Len())
	}
	leaf, chain, err := resolve(keyInfo.First(), v.keys.tokens, rules.Known)
	if err != nil {
		return nil, noAuthentication("signer: %w", err)
	}
	v.Signer, v.Chain = leaf, chain
	public, err := pki.PublicKey(leaf)
	if err != nil {
		return nil, noAuthentication("signer: %w", err)
	}
	signature, err := decode64(value.Text())
	if err != nil {
		return nil, noAuthentication("the SignatureValue is not base64")
	}
	var octets bytes.Buffer
	if err := info.Canonical(&octets, list...); err != nil {
		return nil, noAuthentication("SignedInfo: %w", err)
	}
	if err := v.Suite.signature.verify(public, octets.Bytes(), signature); err != nil {
		return nil, noAuthentication("%w", err)
	}
	return v, v.cover(refs)
}

// cover compares the digests of Messaging and Body by node identity, and keeps
// those of attachments for Open.
func (v *Verified) cover(refs []reference) error {
	targets := map[string]*xmltree.Element{}
	for _, e := range []*xmltree.Element{v.Envelope.Messaging, v.Envelope.Body} {
		id := e.Attr(ebms.WSU, "Id")
		if id == "" {
			return noCompliance("%s has no wsu:Id, so it cannot be signed", e.Local())
		}
		targets[id] = e
	}
	h := sha256.New()
	for _, r := range refs {
		v.References = append(v.References, r.Reference)
		if !r.attachment {
			id := strings.TrimPrefix(r.URI, "#")
			e := targets[id]
			if e == nil {
				return noAuthentication("a reference points at something else than eb:Messaging or the Body")
			}
			delete(targets, id)
			h.Reset()
			if err := e.Canonical(h, r.prefixes...); err != nil || !equalDigest(r.Digest, h.Sum(nil)) {
				return noAuthentication("the digest of %s differs", e.Local())
			}
			continue
		}
		id, err := ebms.ParseCID(r.URI)
		if err != nil {
			return noAuthentication("a reference to a part: %w", err)
		}
		if _, twice := v.digests[id]; twice {
			return noAuthentication("two references to one part")
		}
		v.digests[id] = r.Digest
	}
	if len(targets) > 0 {
		return noCompliance("the signature does not cover eb:Messaging and the Body")
	}
	return nil
}

// Header decodes the verified header.
func (v *Verified) Header() (*ebms.Header, error) { return v.Envelope.Decode() }

// SignedBy wants the signer to be one of certs: EBMS:0101 otherwise.
func (v *Verified) SignedBy(certs ...*x509.Certificate) error {
	if !slices.ContainsFunc(certs, v.Signer.Equal) {
		return noAuthentication("the signer is not the one configured for the sending party")
	}
	return nil
}

// Encrypted tells whether the message carries a message key.
func (v *Verified) Encrypted() bool { return v.keys.key != nil }

// Need says what a leg demands of the parts of a message.
type Need struct {
	// Encrypted refuses a message with a part that came in the clear.
	Encrypted bool
	// Keys are our encryption identities: the current one and, while rolling
	// over, the previous.
	Keys []*pki.Identity
}

// Open wants references, parts and the PartInfo of the header to be one set,
// decrypts and compares every digest. What it returns are the clear parts, in
// the order of PartInfo, still compressed where the header says so; closing
// them closes what came in. Nothing of a part is released before its
// authentication tag and its digest were checked. Their Type comes from outside
// the signature: what a part is, its MimeType property says.
//
// The errors are *ebms.Error: EBMS:0007 when parts and PartInfo differ,
// EBMS:0103 for a part that is not signed or not encrypted as needed, EBMS:0102
// whenever decryption fails in any way, EBMS:0101 for a clear part with another
// digest.
func (v *Verified) Open(m *ebms.UserMessage, parts []ebms.Part, need Need) ([]ebms.Part, error) {
	if err := sameParts(m, parts); err != nil {
		var e *ebms.Error
		if !errors.As(err, &e) {
			err = ebms.Errorf(ebms.MimeInconsistency, err, "the message has too many parts")
		}
		return nil, err
	}
	if len(v.digests) != len(parts) {
		return nil, noCompliance("the signature covers %d parts, the message has %d", len(v.digests), len(parts))
	}
	byID := make(map[string]ebms.Part, len(parts))
	for _, p := range parts {
		if _, signed := v.digests[p.ID]; !signed {
			return nil, noCompliance("a part is not signed")
		}
		byID[p.ID] = p
	}
	described, err := v.keys.descriptions()
	if err != nil {
		return nil, err
	}
	if need.Encrypted && len(described) != len(parts) || len(described) > len(parts) {
		return nil, noCompliance("%d of %d parts are encrypted", len(described), len(parts))
	}
	for id := range described {
		if _, ok := byID[id]; !ok {
			return nil, noCompliance("an EncryptedData describes no part")
		}
	}
	var key []byte
	if len(described) > 0 {
		if key, err = v.messageKey(need.Keys); err != nil {
			return nil, err
		}
	} else if v.keys.key != nil {
		return nil, noCompliance("a message key without encrypted parts")
	}
	out := make([]ebms.Part, 0, len(parts))
	if m == nil {
		return out, nil
	}
	for _, info := range m.Parts {
		p := byID[info.ContentID]
		kind, encrypted := described[p.ID]
		if encrypted {
			p, err = openPart(p, kind, key, v.digests[p.ID])
		} else {
			var sum []byte
			sum, err = digestPart(p.Type, p.Content)
			if err != nil || !equalDigest(v.digests[p.ID], sum) {
				err = noAuthentication("the digest of a part differs")
			}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func openPart(p ebms.Part, kind string, key []byte, digest string) (ebms.Part, error) {
	var plain hash.Hash
	if treat(kind) == asIs {
		plain = sha256.New()
	}
	c, err := open(p.Content, key, plain)
	if err != nil {
		return p, noDecryption()
	}
	var sum []byte
	if plain != nil {
		sum = plain.Sum(nil)
	} else if sum, err = digestPart(kind, c); err != nil {
		return p, noDecryption()
	}
	if !equalDigest(digest, sum) {
		return p, noDecryption()
	}
	return ebms.Part{ID: p.ID, Type: kind, Content: c}, nil
}

// messageKey unwraps the key of the message. If that fails, the work goes on
// with a random key and ends at the first authentication tag, so that neither
// text nor time tells the failures apart.
func (v *Verified) messageKey(ours []*pki.Identity) ([]byte, error) {
	ek := v.keys.key
	recipient, err := v.Suite.transport.accepts(ek)
	if err != nil {
		return nil, noCompliance("%w", err)
	}
	stranger := make([]byte, 16)
	rand.Read(stranger)
	known := slices.Clone(v.known)
	for _, o := range ours {
		known = append(known, o.Cert())
	}
	leaf, _, err := resolve(recipient, v.keys.tokens, known)
	if err != nil {
		return stranger, nil
	}
	i := slices.IndexFunc(ours, func(o *pki.Identity) bool { return o.Cert().Equal(leaf) })
	wrapped, err := decode64(ek.Child(ebms.XENC, "CipherData").Child(ebms.XENC, "CipherValue").Text())
	if i < 0 || err != nil {
		return stranger, nil
	}
	key, err := v.Suite.transport.unwrap(ek, wrapped, ours[i].Key)
	if err != nil || len(key) != len(stranger) {
		return stranger, nil
	}
	return key, nil
}

// read takes the header's children: tokens, at most one EncryptedKey, its
// EncryptedData and exactly one Signature. Nothing else may stand there.
func (s *security) read(e *xmltree.Element) error {
	if !e.Blank() {
		return noCompliance("text in wsse:Security")
	}
	for c := range e.Children() {
		switch {
		case c.Is(ebms.WSSE, "BinarySecurityToken"):
			s.tokens = append(s.tokens, c)
		case c.Is(ebms.XENC, "EncryptedKey") && s.key == nil:
			s.key = c
		case c.Is(ebms.XENC, "EncryptedData"):
			s.data = append(s.data, c)
		case c.Is(ebms.DS, "Signature") && s.signature == nil:
			s.signature = c
		case c.Is(ebms.DS, "Signature"):
			return noAuthentication("a second signature")
		default:
			return noCompliance("wsse:Security holds a %s", c.Local())
		}
	}
	switch {
	case s.signature == nil:
		return noCompliance("the message is not signed")
	case len(s.tokens) > 4:
		return noCompliance("%d tokens", len(s.tokens))
	case len(s.data) > 0 && s.key == nil:
		return noCompliance("EncryptedData without EncryptedKey")
	}
	return nil
}

// descriptions maps the content id of each encrypted part to the media type of
// its clear octets.
func (s *security) descriptions() (map[string]string, error) {
	if len(s.data) == 0 {
		return nil, nil
	}
	keyID := s.key.Attr("", "Id")
	list := map[string]bool{}
	for r := range s.key.Child(ebms.XENC, "ReferenceList").Children() {
		if !r.Is(ebms.XENC, "DataReference") || list[r.Attr("", "URI")] {
			return nil, noCompliance("the ReferenceList of the EncryptedKey is not sound")
		}
		list[r.Attr("", "URI")] = true
	}
	if len(list) != len(s.data) || keyID == "" {
		return nil, noCompliance("the EncryptedKey does not list each EncryptedData once")
	}
	out := make(map[string]string, len(s.data))
	for _, d := range s.data {
		ref := d.Find(ebms.XENC, "CipherData", "CipherReference")
		transforms := ref.Child(ebms.XENC, "Transforms")
		str := d.Child(ebms.DS, "KeyInfo").First()
		id, err := ebms.ParseCID(ref.Attr("", "URI"))
		switch {
		case err != nil:
			return nil, noCompliance("an EncryptedData that describes no part")
		case !list["#"+d.Attr("", "Id")]:
			return nil, noCompliance("an EncryptedData that the EncryptedKey does not list")
		case d.Attr("", "Type") != contentOnly:
			return nil, noCompliance("an EncryptedData of another type than Attachment-Content-Only")
		case d.Child(ebms.XENC, "EncryptionMethod").Attr("", "Algorithm") != aes128GCM || d.Child(ebms.XENC, "EncryptionMethod").Len() != 0:
			return nil, noCompliance("the content encryption is not AES-128-GCM")
		case transforms.Len() != 1 || !transforms.First().Is(ebms.DS, "Transform") || transforms.First().Attr("", "Algorithm") != ciphertextProcess:
			return nil, noCompliance("an EncryptedData with another transform than Attachment-Ciphertext-Transform")
		case d.Child(ebms.DS, "KeyInfo").Len() != 1 || !str.Is(ebms.WSSE, "SecurityTokenReference") || str.Len() != 1 ||
			!str.First().Is(ebms.WSSE, "Reference") || str.First().Attr("", "URI") != "#"+keyID:
			return nil, noCompliance("an EncryptedData with another key than that of the message")
		}
		if _, twice := out[id]; twice {
			return nil, noCompliance("two EncryptedData describe one part")
		}
		kind := d.Attr("", "MimeType")
		if kind == "" {
			kind = "application/octet-stream"
		}
		out[id] = kind
	}
	return out, nil
}

// signatureParts wants SignedInfo, SignatureValue and KeyInfo, and nothing else.
func signatureParts(s *xmltree.Element) (info, value, keyInfo *xmltree.Element, err error) {
	info = s.First()
	value = info.Next()
	keyInfo = value.Next()
	if s.Len() != 3 || !s.Blank() || !info.Is(ebms.DS, "SignedInfo") || !value.Is(ebms.DS, "SignatureValue") || value.Len() > 0 || !keyInfo.Is(ebms.DS, "KeyInfo") {
		return nil, nil, nil, noCompliance("the signature does not consist of SignedInfo, SignatureValue and KeyInfo")
	}
	return info, value, keyInfo, nil
}

// exclusiveC14N judges a CanonicalizationMethod or Transform and returns its
// PrefixList.
func exclusiveC14N(e *xmltree.Element) ([]string, error) {
	if e.Attr("", "Algorithm") != c14n {
		return nil, noCompliance("%s is not exclusive C14N", e.Local())
	}
	list := e.First()
	if list == nil {
		return nil, nil
	}
	if e.Len() != 1 || !list.Is(ebms.EC, "InclusiveNamespaces") || list.Len() > 0 {
		return nil, noCompliance("%s has parameters other than a PrefixList", e.Local())
	}
	prefixes := strings.Fields(list.Attr("", "PrefixList"))
	if len(prefixes) > 40 {
		return nil, noCompliance("a PrefixList with %d prefixes", len(prefixes))
	}
	return prefixes, nil
}

// reference is a ds:Reference with algorithms that are allowed.
type reference struct {
	ebms.Reference
	attachment bool
	prefixes   []string
}

// references reads SignedInfo: CanonicalizationMethod, SignatureMethod, then
// references, each with one transform and SHA-256.
func references(info *xmltree.Element) ([]reference, error) {
	c := info.First()
	m := c.Next()
	n := info.Len() - 2
	if !c.Is(ebms.DS, "CanonicalizationMethod") || !m.Is(ebms.DS, "SignatureMethod") || !info.Blank() || n < 1 || n > MaxAttachments+2 {
		return nil, noCompliance("SignedInfo has %d references, or is not in order", max(n, 0))
	}
	out := make([]reference, 0, n)
	for e := m.Next(); e != nil; e = e.Next() {
		transforms := e.First()
		method := transforms.Next()
		value := method.Next()
		if !e.Is(ebms.DS, "Reference") || e.Len() != 3 || !e.Blank() || !transforms.Is(ebms.DS, "Transforms") || transforms.Len() != 1 || !transforms.First().Is(ebms.DS, "Transform") ||
			!method.Is(ebms.DS, "DigestMethod") || !value.Is(ebms.DS, "DigestValue") || value.Len() > 0 {
			return nil, noCompliance("a reference does not have one transform, a digest method and a digest")
		}
		if method.Attr("", "Algorithm") != digestURI || method.Len() > 0 {
			return nil, noCompliance("a digest method is not SHA-256")
		}
		base, err := ebms.ReadReference(e)
		if err != nil {
			return nil, noCompliance("%w", err)
		}
		r := reference{Reference: base}
		switch t := transforms.First(); {
		case strings.HasPrefix(r.URI, "#") && len(r.URI) > 1:
			if r.prefixes, err = exclusiveC14N(t); err != nil {
				return nil, err
			}
		case len(r.URI) > 4 && strings.EqualFold(r.URI[:4], "cid:"):
			if t.Attr("", "Algorithm") != contentSignature || t.Len() > 0 {
				return nil, noCompliance("a part is signed with another transform than Attachment-Content-Signature")
			}
			r.attachment = true
		default:
			return nil, noCompliance("a reference to neither the envelope nor a part")
		}
		out = append(out, r)
	}
	return out, nil
}

// uniqueIDs refuses an id that occurs twice, whichever of the attributes that
// XML security knows carries it.
func uniqueIDs(doc *xmltree.Document) error {
	seen := map[string]bool{}
	check := func(e *xmltree.Element) error {
		for _, a := range e.Attrs() {
			switch {
			case a.Space == ebms.WSU && a.Local == "Id",
				a.Space == xmltree.XMLSpace && a.Local == "id",
				a.Space == "" && strings.EqualFold(a.Local, "id"):
				if a.Value == "" || seen[a.Value] {
					return noAuthentication("an id occurs twice")
				}
				seen[a.Value] = true
			}
		}
		return nil
	}
	if err := check(doc.Root); err != nil {
		return err
	}
	for e := range doc.Root.Descendants() {
		if err := check(e); err != nil {
			return err
		}
	}
	return nil
}

// Receipt is the receipt for a verified message: every reference, verbatim.
func (v *Verified) Receipt() *ebms.Receipt { return &ebms.Receipt{References: v.References} }
