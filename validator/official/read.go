package official

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/lestrrat-go/helium"
)

// maxMessage bounds a message; the largest directory answer seen has 3.6 MB.
const maxMessage = 64 << 20

var encodingDecl = regexp.MustCompile(`^<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// parse reads foreign XML into a tree. What could make the tree differ from
// what the bytes say is refused before: a DOCTYPE (the library reads an
// external entity as empty text, without an error) and any encoding but UTF-8
// (in which a DOCTYPE could hide).
func parse(ctx context.Context, raw []byte) (*helium.Document, error) {
	if len(raw) > maxMessage {
		return nil, fmt.Errorf("has %d bytes, more than the %d that are read", len(raw), maxMessage)
	}
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return nil, errors.New("is not UTF-8 text")
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if m := encodingDecl.FindSubmatch(raw); m != nil {
		if e := strings.ToUpper(string(m[1])); e != "UTF-8" && e != "US-ASCII" {
			return nil, fmt.Errorf("declares the encoding %s; only UTF-8 is read", m[1])
		}
	}
	if hasDoctype(raw) {
		return nil, errors.New("has a DOCTYPE, which no OOTS message may have")
	}
	return helium.NewParser().Parse(ctx, raw)
}

// hasDoctype skims what stands before the root element.
func hasDoctype(raw []byte) bool {
	for {
		raw = bytes.TrimLeft(raw, " \t\r\n")
		var end string
		switch {
		case bytes.HasPrefix(raw, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(raw, []byte("<!--")):
			end = "-->"
		default:
			return bytes.HasPrefix(raw, []byte("<!"))
		}
		i := bytes.Index(raw, []byte(end))
		if i < 0 {
			return false // not well-formed: the parser says so
		}
		raw = raw[i+len(end):]
	}
}

// line is the line of a node; an attribute or a text has that of its element.
func line(n helium.Node) int {
	for ; n != nil; n = n.Parent() {
		if n.Line() > 0 {
			return n.Line()
		}
	}
	return 0
}
