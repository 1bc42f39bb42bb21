package ebms

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"strings"
)

// Part is one MIME part beside the root.
type Part struct {
	ID string // content id without brackets
	// Type is the media type that decides what is digested: of the MIME part,
	// or of the clear octets once the part was decrypted.
	Type    string
	Content Content
}

// Package is an AS4 message ready for HTTP: a bare envelope, or a
// multipart/related with the envelope as its root.
type Package struct {
	envelope []byte
	parts    []Part
	boundary string
	rootID   string
}

// NewPackage frames an envelope and its parts. unique is a fresh identifier,
// such as a UUID, that cannot occur in any part; it names boundary and root.
func NewPackage(envelope []byte, parts []Part, unique string) *Package {
	return &Package{envelope: envelope, parts: parts, boundary: "oots-" + unique, rootID: "root-" + unique + "@oots"}
}

// SOAPType is the media type of an envelope.
const SOAPType = "application/soap+xml"

// ContentType is the value of the HTTP header.
func (p *Package) ContentType() string {
	if len(p.parts) == 0 {
		return SOAPType + "; charset=UTF-8"
	}
	return `multipart/related; type="` + SOAPType + `"; start="<` + p.rootID + `>"; boundary="` + p.boundary + `"`
}

// Size is the number of octets, for Content-Length.
func (p *Package) Size() int64 {
	if len(p.parts) == 0 {
		return int64(len(p.envelope))
	}
	n := int64(len(p.rootHead()) + len(p.envelope) + len(p.tail()))
	for _, part := range p.parts {
		n += int64(len(p.head(part))) + part.Content.Size()
	}
	return n
}

// NewReader streams the package from the beginning.
func (p *Package) NewReader() io.Reader {
	if len(p.parts) == 0 {
		return bytes.NewReader(p.envelope)
	}
	readers := []io.Reader{strings.NewReader(p.rootHead()), bytes.NewReader(p.envelope)}
	for _, part := range p.parts {
		readers = append(readers, strings.NewReader(p.head(part)), part.Content.NewReader())
	}
	return io.MultiReader(append(readers, strings.NewReader(p.tail()))...)
}

func (p *Package) rootHead() string {
	return "--" + p.boundary + "\r\nContent-Type: " + SOAPType + "; charset=UTF-8\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <" + p.rootID + ">\r\n\r\n"
}

func (p *Package) head(part Part) string {
	return "\r\n--" + p.boundary + "\r\nContent-Type: " + part.Type + "\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <" + part.ID + ">\r\n\r\n"
}

func (p *Package) tail() string { return "\r\n--" + p.boundary + "--\r\n" }

// Check tells whether every part can be framed.
func (p *Package) Check() error {
	for _, part := range p.parts {
		if err := checkContentID(part.ID); err != nil {
			return err
		}
		if _, _, err := mime.ParseMediaType(part.Type); err != nil || strings.ContainsAny(part.Type, "\r\n") {
			return errors.New("ebms: the media type of a part is not valid")
		}
	}
	return nil
}
