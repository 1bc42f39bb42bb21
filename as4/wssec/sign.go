package wssec

import (
	"errors"
	"fmt"
	"strings"

	"crypto/sha256"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
)

// Signer signs messages of one access point. It may be used concurrently.
type Signer struct {
	Identity *pki.Identity // required; its key is a crypto.Signer
	Suite    *Suite        // nil means Common
	Token    TokenForm
	// PrefixList adds ec:InclusiveNamespaces PrefixList="env" where WSS4J does.
	PrefixList bool
	// NewID makes unique ids; nil means random UUIDs.
	NewID func() string
}

// Signed is a signed message before encryption: what is kept for retries. The
// octets of Envelope must never change.
type Signed struct {
	Envelope []byte
	// References are what a receipt must repeat. ReadReferences finds them
	// again in the envelope.
	References []ebms.Reference
}

// Sign writes the envelope of a message with its signature over the header, the
// empty Body and every part. The parts must be those that the header names, as
// they travel before encryption: already compressed, their Type being what
// decides about the digest (application/gzip or application/octet-stream).
func (s *Signer) Sign(h *ebms.Header, parts []ebms.Part) (*Signed, error) {
	suite := s.Suite
	if suite == nil {
		suite = Common
	}
	if s.Identity == nil || s.Identity.Signer() == nil {
		return nil, errors.New("wssec: the signing identity has no key that can sign")
	}
	if err := sameParts(h.User, parts); err != nil {
		return nil, err
	}
	id := s.NewID
	if id == nil {
		id = newID
	}
	unique := id()
	messagingID, bodyID := "m-"+unique, "b-"+unique
	messaging, err := h.Encode(messagingID)
	if err != nil {
		return nil, err
	}
	body := ebms.EmptyBody(bodyID)

	list := ""
	if s.PrefixList {
		list = `<ec:InclusiveNamespaces xmlns:ec="` + ebms.EC + `" PrefixList="env"></ec:InclusiveNamespaces>`
	}
	out := &Signed{}
	var info strings.Builder
	info.Grow(1024 + 512*len(parts))
	// SignedInfo stands here exactly as it is canonicalised: it declares what
	// it uses, and the prefixes of its PrefixList.
	info.WriteString(`<ds:SignedInfo xmlns:ds="` + ebms.DS + `"`)
	if s.PrefixList {
		info.WriteString(` xmlns:env="` + ebms.SOAP + `"`)
	}
	info.WriteString(`><ds:CanonicalizationMethod Algorithm="` + c14n + `">` + list + `</ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="` + suite.signature.uri() + `"></ds:SignatureMethod>`)
	refer := func(uri, transform, list string, sum []byte) {
		digest := encode64(sum)
		content := ` URI="` + escape(uri) + `"><ds:Transforms><ds:Transform Algorithm="` + transform + `">` + list +
			`</ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="` + digestURI + `"></ds:DigestMethod><ds:DigestValue>` +
			digest + `</ds:DigestValue></ds:Reference>`
		info.WriteString(`<ds:Reference` + content)
		out.References = append(out.References, ebms.Reference{URI: uri, Digest: digest, XML: `<ds:Reference xmlns:ds="` + ebms.DS + `"` + content})
	}
	sum := sha256.Sum256(body)
	refer("#"+bodyID, c14n, list, sum[:])
	sum = sha256.Sum256(messaging)
	refer("#"+messagingID, c14n, list, sum[:])
	for _, p := range parts {
		sum, err := digestPart(p.Type, p.Content)
		if err != nil {
			return nil, fmt.Errorf("wssec: digest of part %q: %w", p.ID, err)
		}
		refer(ebms.CID(p.ID), contentSignature, "", sum)
	}
	info.WriteString(`</ds:SignedInfo>`)

	value, err := suite.signature.sign(s.Identity.Signer(), []byte(info.String()))
	if err != nil {
		return nil, fmt.Errorf("wssec: sign: %w", err)
	}
	bst, reference, err := token(s.Token, s.Identity.Chain, "X509-"+unique)
	if err != nil {
		return nil, fmt.Errorf("wssec: %w", err)
	}
	security := `<wsse:Security xmlns:wsse="` + ebms.WSSE + `" xmlns:wsu="` + ebms.WSU + `" env:mustUnderstand="true">` + bst +
		`<ds:Signature xmlns:ds="` + ebms.DS + `" Id="SIG-` + escape(unique) + `">` + info.String() +
		`<ds:SignatureValue>` + encode64(value) + `</ds:SignatureValue><ds:KeyInfo>` + reference + `</ds:KeyInfo></ds:Signature></wsse:Security>`
	out.Envelope = ebms.BuildEnvelope(messaging, []byte(security), body)
	if len(out.Envelope) > ebms.MaxRoot {
		return nil, errors.New("wssec: the envelope is larger than 1 MiB")
	}
	return out, nil
}

// sameParts wants the parts and the PartInfo of the header to be one set.
func sameParts(m *ebms.UserMessage, parts []ebms.Part) error {
	if len(parts) > MaxAttachments {
		return fmt.Errorf("wssec: %d parts; %d are the most that every access point accepts", len(parts), MaxAttachments)
	}
	have := make(map[string]bool, len(parts))
	for _, p := range parts {
		if have[p.ID] {
			return ebms.Errorf(ebms.MimeInconsistency, nil, "two parts have the same content id")
		}
		have[p.ID] = true
		if strings.ContainsAny(p.Type, "\r\n") {
			return ebms.Errorf(ebms.MimeInconsistency, nil, "the media type of a part is not valid")
		}
	}
	n := 0
	if m != nil {
		for _, p := range m.Parts {
			if !have[p.ContentID] {
				return ebms.Errorf(ebms.MimeInconsistency, nil, "the header names a part that the message does not have")
			}
			n++
		}
	}
	if n != len(parts) {
		return ebms.Errorf(ebms.MimeInconsistency, nil, "the message has %d parts, the header names %d", len(parts), n)
	}
	return nil
}

// ReadReferences takes the references out of a signed envelope of our own, as
// it was stored. It verifies nothing.
func ReadReferences(envelope []byte) ([]ebms.Reference, error) {
	env, err := ebms.ReadEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	var out []ebms.Reference
	for r := range env.Security.Find(ebms.DS, "Signature", "SignedInfo").Each(ebms.DS, "Reference") {
		ref, err := ebms.ReadReference(r)
		if err != nil {
			return nil, err
		}
		out = append(out, ref)
	}
	if len(out) == 0 {
		return nil, errors.New("wssec: the stored envelope is not signed")
	}
	return out, nil
}
