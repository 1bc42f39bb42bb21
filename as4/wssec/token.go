package wssec

import (
	"bytes"
	"crypto/sha1"
	"crypto/subtle"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/xmltree"
)

// TokenForm is how a message names a certificate.
type TokenForm int

const (
	BinaryToken  TokenForm = iota // the certificate itself; what OOTS requires
	PKIPath                       // the certificate with its chain
	KeyID                         // its subject key identifier
	IssuerSerial                  // its issuer's name and its serial number
	Thumbprint                    // SHA-1 over it
)

// token writes the BinarySecurityToken, if the form has one, and what stands in
// ds:KeyInfo to point at it.
func token(form TokenForm, chain []*x509.Certificate, id string) (bst, reference string, err error) {
	leaf := chain[0]
	const str = "<wsse:SecurityTokenReference>"
	binary := func(value []byte, kind string) {
		bst = `<wsse:BinarySecurityToken EncodingType="` + base64Binary + `" ValueType="` + kind + `" wsu:Id="` + escape(id) + `">` + encode64(value) + `</wsse:BinarySecurityToken>`
		reference = str + `<wsse:Reference URI="#` + escape(id) + `" ValueType="` + kind + `"></wsse:Reference></wsse:SecurityTokenReference>`
	}
	key := func(value []byte, kind string) {
		reference = str + `<wsse:KeyIdentifier EncodingType="` + base64Binary + `" ValueType="` + kind + `">` + encode64(value) + `</wsse:KeyIdentifier></wsse:SecurityTokenReference>`
	}
	switch form {
	case BinaryToken:
		binary(leaf.Raw, x509v3)
	case PKIPath:
		var path []asn1.RawValue
		for _, c := range slices.Backward(chain) { // the leaf comes last
			path = append(path, asn1.RawValue{FullBytes: c.Raw})
		}
		der, err := asn1.Marshal(path)
		if err != nil {
			return "", "", err
		}
		binary(der, x509PKIPath)
	case KeyID:
		if len(leaf.SubjectKeyId) == 0 {
			return "", "", errors.New("the certificate has no subject key identifier; choose another token form")
		}
		key(leaf.SubjectKeyId, x509SKI)
	case IssuerSerial:
		reference = str + `<ds:X509Data xmlns:ds="` + ebms.DS + `"><ds:X509IssuerSerial><ds:X509IssuerName>` + escape(issuerName(leaf)) +
			`</ds:X509IssuerName><ds:X509SerialNumber>` + leaf.SerialNumber.String() + `</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data></wsse:SecurityTokenReference>`
	case Thumbprint:
		sum := sha1.Sum(leaf.Raw)
		key(sum[:], thumbprint)
	default:
		return "", "", fmt.Errorf("unknown token form %d", form)
	}
	return bst, reference, nil
}

func issuerName(c *x509.Certificate) string { return c.Issuer.String() }

// resolve finds the certificate that a wsse:SecurityTokenReference names: in
// one of the message's own tokens, or among known. The rest of a PKIPath comes
// as chain, nearest issuer first.
func resolve(str *xmltree.Element, tokens []*xmltree.Element, known []*x509.Certificate) (leaf *x509.Certificate, chain []*x509.Certificate, err error) {
	if !str.Is(ebms.WSSE, "SecurityTokenReference") || str.Len() != 1 {
		return nil, nil, errors.New("no SecurityTokenReference with one reference")
	}
	find := func(match func(c *x509.Certificate) bool) (*x509.Certificate, []*x509.Certificate, error) {
		if i := slices.IndexFunc(known, match); i >= 0 {
			return known[i], nil, nil
		}
		return nil, nil, errors.New("the certificate referred to is not known")
	}
	switch ref := str.First(); {
	case ref.Is(ebms.WSSE, "Reference"):
		id, ok := strings.CutPrefix(ref.Attr("", "URI"), "#")
		if !ok || id == "" {
			return nil, nil, errors.New("the token reference leaves the message")
		}
		for _, t := range tokens {
			if t.Attr(ebms.WSU, "Id") == id {
				return binaryToken(t)
			}
		}
		return nil, nil, errors.New("the token reference points at no BinarySecurityToken")
	case ref.Is(ebms.WSSE, "KeyIdentifier"):
		value, err := decode64(ref.Text())
		if err != nil || len(value) == 0 {
			return nil, nil, errors.New("the KeyIdentifier is not base64")
		}
		switch ref.Attr("", "ValueType") {
		case x509SKI:
			return find(func(c *x509.Certificate) bool { return bytes.Equal(c.SubjectKeyId, value) })
		case thumbprint:
			return find(func(c *x509.Certificate) bool {
				sum := sha1.Sum(c.Raw)
				return subtle.ConstantTimeCompare(sum[:], value) == 1
			})
		}
		return nil, nil, errors.New("the KeyIdentifier is of an unknown type")
	case ref.Is(ebms.DS, "X509Data"):
		is := ref.First()
		if ref.Len() != 1 || !is.Is(ebms.DS, "X509IssuerSerial") {
			return nil, nil, errors.New("the X509Data holds something else than one X509IssuerSerial")
		}
		serial, ok := new(big.Int).SetString(is.Child(ebms.DS, "X509SerialNumber").Norm(), 10)
		name, err := parseName(is.Child(ebms.DS, "X509IssuerName").Norm())
		if !ok || err != nil {
			return nil, nil, errors.New("the X509IssuerSerial cannot be read")
		}
		return find(func(c *x509.Certificate) bool {
			return c.SerialNumber.Cmp(serial) == 0 && sameName(c, name)
		})
	}
	return nil, nil, errors.New("the token reference is of an unknown form")
}

// binaryToken parses an X.509 certificate or a PKIPath.
func binaryToken(t *xmltree.Element) (*x509.Certificate, []*x509.Certificate, error) {
	if e := t.Attr("", "EncodingType"); e != "" && e != base64Binary {
		return nil, nil, errors.New("the BinarySecurityToken has an unknown encoding")
	}
	der, err := decode64(t.Text())
	if err != nil || t.Len() > 0 {
		return nil, nil, errors.New("the BinarySecurityToken is not base64")
	}
	switch t.Attr("", "ValueType") {
	case x509v3:
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, nil, fmt.Errorf("the BinarySecurityToken holds no certificate: %w", err)
		}
		return c, nil, nil
	case x509PKIPath:
		var path []asn1.RawValue
		if rest, err := asn1.Unmarshal(der, &path); err != nil || len(rest) > 0 || len(path) == 0 || len(path) > 8 {
			return nil, nil, errors.New("the PKIPath cannot be read")
		}
		var certs []*x509.Certificate
		for _, p := range slices.Backward(path) {
			c, err := x509.ParseCertificate(p.FullBytes)
			if err != nil {
				return nil, nil, fmt.Errorf("the PKIPath holds no certificates: %w", err)
			}
			certs = append(certs, c)
		}
		return certs[0], certs[1:], nil
	}
	return nil, nil, errors.New("the BinarySecurityToken is of an unknown type")
}

// attributeTypes are the keywords of RFC 4514 and those that Java writes.
var attributeTypes = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "SERIALNUMBER": {2, 5, 4, 5}, "C": {2, 5, 4, 6}, "L": {2, 5, 4, 7}, "ST": {2, 5, 4, 8}, "S": {2, 5, 4, 8},
	"STREET": {2, 5, 4, 9}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11}, "T": {2, 5, 4, 12}, "POSTALCODE": {2, 5, 4, 17},
	"SURNAME": {2, 5, 4, 4}, "GIVENNAME": {2, 5, 4, 42}, "ORGANIZATIONIDENTIFIER": {2, 5, 4, 97},
	"DC": {0, 9, 2342, 19200300, 100, 1, 25}, "UID": {0, 9, 2342, 19200300, 100, 1, 1},
	"EMAILADDRESS": {1, 2, 840, 113549, 1, 9, 1}, "E": {1, 2, 840, 113549, 1, 9, 1},
}

// nameValue is one attribute of a distinguished name.
type nameValue struct {
	oid   string
	value string
}

// parseName reads an RFC 2253 or 4514 name, most specific first, into the order
// of the certificate. Attributes of one RDN stand sorted behind each other.
func parseName(s string) ([]nameValue, error) {
	var out []nameValue
	for len(s) > 0 {
		eq := strings.IndexByte(s, '=')
		if eq < 0 || len(out) > 30 {
			return nil, errors.New("malformed name")
		}
		key := strings.ToUpper(strings.TrimSpace(s[:eq]))
		oid, ok := attributeTypes[key]
		id := oid.String()
		if !ok {
			id = strings.TrimPrefix(key, "OID.")
		}
		value, rest, err := nameText(strings.TrimLeft(s[eq+1:], " "))
		if err != nil {
			return nil, err
		}
		out = append(out, nameValue{id, value})
		s = rest
	}
	slices.Reverse(out)
	return out, nil
}

// nameText reads one value up to an unescaped separator.
func nameText(s string) (value, rest string, err error) {
	if strings.HasPrefix(s, "#") { // hexadecimal BER
		end := strings.IndexAny(s, ",;+")
		if end < 0 {
			end = len(s)
		}
		der, err := hex.DecodeString(strings.TrimSpace(s[1:end]))
		if err != nil {
			return "", "", err
		}
		var v asn1.RawValue
		if _, err := asn1.Unmarshal(der, &v); err != nil {
			return "", "", err
		}
		return fold(string(v.Bytes)), strings.TrimLeft(s[end:], ",;+ "), nil
	}
	var b []byte
	quoted := strings.HasPrefix(s, `"`)
	i := 0
	if quoted {
		i = 1
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			x, _ := hex.DecodeString(s[i+1 : i+3])
			b = append(b, x...)
			i += 2
		case c == '\\' && i+1 < len(s):
			i++
			b = append(b, s[i])
		case quoted && c == '"':
			rest := strings.TrimLeft(s[i+1:], " ")
			return fold(string(b)), strings.TrimLeft(rest, ",;+ "), nil
		case !quoted && (c == ',' || c == ';' || c == '+'):
			return fold(string(b)), strings.TrimLeft(s[i+1:], " "), nil
		default:
			b = append(b, c)
		}
	}
	if quoted {
		return "", "", errors.New("unterminated quotation")
	}
	return fold(string(b)), "", nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// fold is how RFC 5280 7.1 compares: case and runs of white space do not count.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

func sameName(c *x509.Certificate, want []nameValue) bool {
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(c.RawIssuer, &rdns); err != nil || len(rest) > 0 {
		return false
	}
	var have []nameValue
	for _, rdn := range rdns {
		for _, a := range rdn {
			have = append(have, nameValue{a.Type.String(), fold(fmt.Sprint(a.Value))})
		}
	}
	order := func(a, b nameValue) int { return strings.Compare(a.oid+a.value, b.oid+b.value) }
	// The order inside a multi-valued RDN is free and names of one issuer
	// differ in more than order, so both are compared as sets.
	slices.SortFunc(have, order)
	want = slices.Clone(want)
	slices.SortFunc(want, order)
	return slices.Equal(have, want)
}
