package wssec

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/xmltree"
)

// maxXMLPart is the largest part that is canonicalised, since that needs a
// tree. We never send such a part: ours are gzip or octet-stream.
const maxXMLPart = 16 << 20

type treatment int

const (
	asIs treatment = iota
	asText
	asXML
)

// treat tells what the Attachment-Content-Signature transform does with a part
// of that media type (SwA profile 1.1, 5.4.2, as WSS4J reads it).
func treat(contentType string) treatment {
	switch t := ebms.MediaType(contentType); {
	case t == "text/xml", t == "application/xml",
		(strings.HasPrefix(t, "application/") || strings.HasPrefix(t, "image/")) && strings.HasSuffix(t, "+xml"):
		return asXML
	case strings.HasPrefix(t, "text/"):
		return asText
	}
	return asIs
}

// digestPart is the SHA-256 of a clear part under the content transform.
func digestPart(contentType string, c ebms.Content) ([]byte, error) {
	h := sha256.New()
	switch treat(contentType) {
	case asXML:
		if c.Size() > maxXMLPart {
			return nil, errors.New("an XML part is too large to be canonicalised")
		}
		raw, err := ebms.ReadAll(c)
		if err != nil {
			return nil, err
		}
		doc, err := xmltree.Parse(raw, xmltree.Options{KeepProcessing: true})
		if err != nil {
			return nil, err
		}
		if err := doc.Canonical(h); err != nil {
			return nil, err
		}
	case asText:
		w := bufio.NewWriter(h)
		if _, err := io.Copy(&crlf{w: w}, c.NewReader()); err != nil {
			return nil, err
		}
		w.Flush()
	default:
		if _, err := io.Copy(h, c.NewReader()); err != nil {
			return nil, err
		}
	}
	return h.Sum(nil), nil
}

// crlf turns every CR, LF and CR LF into CR LF.
type crlf struct {
	w    *bufio.Writer
	last byte
}

func (c *crlf) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if p[0] == '\n' && c.last == '\r' {
			c.last, p = '\n', p[1:] // the second half of a CR LF
			continue
		}
		i := bytes.IndexAny(p, "\r\n")
		if i < 0 {
			c.last = p[len(p)-1]
			_, err := c.w.Write(p)
			return n, err
		}
		c.w.Write(p[:i])
		c.w.WriteString("\r\n")
		c.last, p = p[i], p[i+1:]
	}
	return n, nil
}
