package ebms

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"
)

// Limits bound what a message may cost while it is read. A zero field means
// its default.
type Limits struct {
	Part    int64 // octets of one part as it travels; 2 GiB
	Message int64 // octets of all parts together; 4 GiB
	Parts   int   // parts beside the root; 28, what every known stack accepts
	Headers int   // octets of the headers of one part; 8 KiB
}

func (l Limits) withDefaults() Limits {
	if l.Part == 0 {
		l.Part = 2 << 30
	}
	if l.Message == 0 {
		l.Message = 4 << 30
	}
	if l.Parts == 0 {
		l.Parts = 28
	}
	if l.Headers == 0 {
		l.Headers = 8 << 10
	}
	return l
}

// margin is how much may stand before the first and after the last delimiter.
const margin = 4 << 10

// Reader takes the body of an HTTP request or response apart: the root first,
// so that its signature can be verified before any part is touched.
type Reader struct {
	limits Limits
	spool  Spool
	in     *bufio.Reader
	start  string // content id of the root, "" for the first part
	delim  []byte // CRLF "--" boundary; nil for a bare envelope
	opened bool   // the first delimiter was passed
	ended  bool   // the last one was
	count  int    // parts seen, root included
	octets int64
	root   []byte
	parts  []Part
	ids    map[string]bool
}

// NewReader judges the media type. contentType is the HTTP header's value. The
// errors of a Reader are *Error, most with EBMS:0007; EBMS:0202 means that the
// spool could not take a part.
func NewReader(body io.Reader, contentType string, limits Limits, spool Spool) (*Reader, error) {
	r := &Reader{limits: limits.withDefaults(), spool: spool, in: bufio.NewReaderSize(body, 64<<10), ids: map[string]bool{}}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, Errorf(MimeInconsistency, err, "the Content-Type of the message is not valid")
	}
	switch kind {
	case SOAPType:
		return r, utf8Only(params)
	case "multipart/related":
	default:
		return nil, Errorf(MimeInconsistency, nil, "the media type is neither multipart/related nor %s", SOAPType)
	}
	if t := params["type"]; t != "" && !strings.EqualFold(t, SOAPType) {
		return nil, Errorf(MimeInconsistency, nil, "the type parameter of multipart/related is not %s", SOAPType)
	}
	b := params["boundary"]
	if !boundaryValid(b) {
		return nil, Errorf(MimeInconsistency, nil, "the boundary parameter is missing or not valid")
	}
	r.delim = []byte("\r\n--" + b)
	if s, ok := params["start"]; ok {
		if r.start, err = contentID(s); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func utf8Only(params map[string]string) error {
	if c := params["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
		return Errorf(InvalidHeader, nil, "the envelope is not in UTF-8")
	}
	return nil
}

// boundaryValid is RFC 2046 5.1.1.
func boundaryValid(b string) bool {
	if b == "" || len(b) > 70 || strings.HasSuffix(b, " ") {
		return false
	}
	for i := 0; i < len(b); i++ {
		c := b[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("'()+_,-./:=? ", c) >= 0) {
			return false
		}
	}
	return true
}

// Root reads up to the SOAP envelope and returns it.
func (r *Reader) Root() ([]byte, error) {
	if r.root != nil {
		return r.root, nil
	}
	if r.delim == nil {
		b, err := io.ReadAll(io.LimitReader(r.in, MaxRoot+1))
		if err != nil {
			return nil, broken(err)
		}
		if len(b) > MaxRoot {
			return nil, Errorf(MimeInconsistency, nil, "the envelope is larger than %d KiB", MaxRoot>>10)
		}
		r.root, r.ended = b, true
		return b, nil
	}
	for r.root == nil {
		if err := r.next(); err != nil {
			if err == io.EOF {
				return nil, Errorf(MimeInconsistency, nil, "no part has the content id that start names")
			}
			return nil, err
		}
	}
	return r.root, nil
}

// Parts reads the rest and returns all parts beside the root, in their order.
// The caller closes their contents, also those of a failed message: see Close.
func (r *Reader) Parts() ([]Part, error) {
	if _, err := r.Root(); err != nil {
		return nil, err
	}
	for !r.ended {
		if err := r.next(); err != nil && err != io.EOF {
			return nil, err
		}
	}
	return r.parts, nil
}

// Close frees every part that was read.
func (r *Reader) Close() error {
	var errs []error
	for _, p := range r.parts {
		errs = append(errs, p.Content.Close())
	}
	return errors.Join(errs...)
}

func broken(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Errorf(MimeInconsistency, err, "the message ends too early or could not be read")
}

// next reads one part into r.root or r.parts; io.EOF after the last.
func (r *Reader) next() error {
	if r.ended {
		return io.EOF
	}
	if !r.opened {
		if err := r.preamble(); err != nil {
			return err
		}
		r.opened = true
		if r.ended {
			return io.EOF
		}
	}
	r.count++
	if r.count > r.limits.Parts+1 {
		return Errorf(MimeInconsistency, nil, "the message has more than %d parts", r.limits.Parts)
	}
	h, err := r.headers()
	if err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(h["content-type"])
	if err != nil {
		return Errorf(MimeInconsistency, err, "the Content-Type of a part is missing or not valid")
	}
	if strings.HasPrefix(kind, "multipart/") {
		return Errorf(MimeInconsistency, nil, "a part is a multipart itself")
	}
	id := ""
	if v, ok := h["content-id"]; ok {
		if id, err = contentID(v); err != nil {
			return err
		}
		if r.ids[id] {
			return Errorf(MimeInconsistency, nil, "two parts have the same Content-ID")
		}
		r.ids[id] = true
	}
	body := &partReader{r: r}
	decoded, err := transfer(body, h["content-transfer-encoding"])
	if err != nil {
		return err
	}
	if r.start == "" && r.count == 1 || r.start != "" && id == r.start {
		if kind != SOAPType {
			return Errorf(MimeInconsistency, nil, "the root part is not %s", SOAPType)
		}
		if err := utf8Only(params); err != nil {
			return err
		}
		b, err := io.ReadAll(io.LimitReader(decoded, MaxRoot+1))
		if err != nil {
			return broken(err)
		}
		if len(b) > MaxRoot {
			return Errorf(MimeInconsistency, nil, "the envelope is larger than %d KiB", MaxRoot>>10)
		}
		r.root = b
		return body.finish()
	}
	if id == "" {
		return Errorf(MimeInconsistency, nil, "a part has no Content-ID")
	}
	if r.count > r.limits.Parts && r.root == nil {
		return Errorf(MimeInconsistency, nil, "the message has more than %d parts", r.limits.Parts)
	}
	w, err := r.spool.Create()
	if err != nil {
		return noRoom(err)
	}
	defer w.Close()
	if err := spoolPart(w, decoded); err != nil {
		return err
	}
	if err := body.finish(); err != nil {
		return err
	}
	c, err := w.Seal()
	if err != nil {
		return noRoom(err)
	}
	r.parts = append(r.parts, Part{ID: id, Type: h["content-type"], Content: c})
	return nil
}

// spoolPart tells failures of the sender from failures of our storage.
func spoolPart(w io.Writer, from io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return noRoom(err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return broken(err)
		}
	}
}

func noRoom(err error) error {
	return Errorf(DeliveryFailure, err, "the message could not be stored; send it again later")
}

// preamble skips to the end of the first delimiter line.
func (r *Reader) preamble() error {
	mark := r.delim[2:] // the first delimiter may open the body
	for n := 0; ; {
		line, err := r.line(margin - n)
		if err != nil {
			return err
		}
		n += len(line) + 2
		if rest, ok := bytes.CutPrefix(line, mark); ok {
			end := bytes.HasPrefix(rest, []byte("--"))
			rest = bytes.TrimPrefix(rest, []byte("--"))
			if len(bytes.TrimRight(rest, " \t")) > 0 {
				return Errorf(MimeInconsistency, nil, "a delimiter line of the message is malformed")
			}
			r.ended = end
			return nil
		}
	}
}

// line reads a line that ends with CRLF, without it.
func (r *Reader) line(most int) ([]byte, error) {
	var out []byte
	for {
		s, err := r.in.ReadSlice('\n')
		if len(out)+len(s) > most {
			return nil, Errorf(MimeInconsistency, nil, "the headers or the preamble of the message are too long")
		}
		out = append(out, s...)
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return nil, broken(io.ErrUnexpectedEOF)
		}
		if !bytes.HasSuffix(out, []byte("\r\n")) {
			return nil, Errorf(MimeInconsistency, nil, "a line of the MIME headers does not end with CR LF")
		}
		return out[:len(out)-2], nil
	}
}

// headers reads the headers of one part. The three that matter may stand once.
func (r *Reader) headers() (map[string]string, error) {
	h := map[string]string{}
	last := ""
	for n, lines := 0, 0; ; lines++ {
		line, err := r.line(r.limits.Headers - n)
		if err != nil {
			return nil, err
		}
		n += len(line) + 2
		if len(line) == 0 {
			return h, nil
		}
		if lines > 64 {
			return nil, Errorf(MimeInconsistency, nil, "a part has more than 64 header lines")
		}
		for _, c := range line {
			if c < ' ' && c != '\t' || c == 0x7f {
				return nil, Errorf(MimeInconsistency, nil, "a MIME header contains a control character")
			}
		}
		if line[0] == ' ' || line[0] == '\t' {
			if last == "" {
				return nil, Errorf(MimeInconsistency, nil, "a MIME header begins with a continuation line")
			}
			h[last] += " " + strings.TrimSpace(string(line))
			continue
		}
		name, value, ok := strings.Cut(string(line), ":")
		name = strings.ToLower(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, Errorf(MimeInconsistency, nil, "a line of the MIME headers is malformed")
		}
		if _, twice := h[name]; twice && (name == "content-type" || name == "content-id" || name == "content-transfer-encoding") {
			return nil, Errorf(MimeInconsistency, nil, "a MIME header of a part occurs twice")
		}
		h[name] = strings.TrimSpace(value)
		last = name
	}
}

func transfer(body io.Reader, encoding string) (io.Reader, error) {
	switch strings.ToLower(encoding) {
	case "", "binary", "8bit", "7bit":
		return body, nil
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, &pureBase64{r: body}), nil
	case "quoted-printable":
		return quotedprintable.NewReader(body), nil
	}
	return nil, Errorf(MimeInconsistency, nil, "the Content-Transfer-Encoding of a part is not known")
}

// pureBase64 drops white space and refuses what follows the padding, about
// which the decoder's answer would depend on how the octets arrive.
type pureBase64 struct {
	r      io.Reader
	padded bool
}

func (p *pureBase64) Read(b []byte) (int, error) {
	for {
		n, err := p.r.Read(b)
		kept := 0
		for _, c := range b[:n] {
			switch {
			case c == '\r' || c == '\n' || c == ' ' || c == '\t':
				continue
			case c == '=':
				p.padded = true
			case p.padded:
				return 0, Errorf(MimeInconsistency, nil, "something follows the encoded content of a part")
			}
			b[kept] = c
			kept++
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

// partReader gives the octets up to the next delimiter.
type partReader struct {
	r    *Reader
	n    int64
	done bool
	// first: a delimiter may follow the header's empty line at once, whose
	// CRLF then is the delimiter's.
	begun bool
}

func (p *partReader) Read(b []byte) (int, error) {
	if p.done {
		return 0, io.EOF
	}
	r := p.r
	if !p.begun {
		p.begun = true
		if got, _ := r.in.Peek(len(r.delim) - 2); bytes.Equal(got, r.delim[2:]) {
			r.in.Discard(len(got))
			return 0, p.delimiter()
		}
	}
	// Everything before a possible delimiter in the buffer is content.
	got, err := r.in.Peek(len(r.delim))
	if err != nil && len(got) < len(r.delim) {
		return 0, broken(io.ErrUnexpectedEOF)
	}
	got, _ = r.in.Peek(r.in.Buffered())
	i := bytes.Index(got, r.delim)
	switch {
	case i == 0:
		r.in.Discard(len(r.delim))
		return 0, p.delimiter()
	case i < 0:
		// The end of the buffer may hold the beginning of a delimiter.
		i = len(got) - len(r.delim) + 1
	}
	n := copy(b, got[:i])
	r.in.Discard(n)
	p.n += int64(n)
	r.octets += int64(n)
	if p.n > r.limits.Part || r.octets > r.limits.Message {
		return 0, Errorf(MimeInconsistency, nil, "the message is larger than this access point accepts")
	}
	return n, nil
}

// delimiter reads what follows a boundary: "--" ends the message, then only
// white space may follow.
func (p *partReader) delimiter() error {
	r := p.r
	p.done = true
	if two, _ := r.in.Peek(2); string(two) == "--" {
		r.in.Discard(2)
		r.ended = true
		return r.epilogue()
	}
	line, err := r.line(margin)
	if err != nil {
		return err
	}
	if len(bytes.TrimRight(line, " \t")) > 0 {
		return Errorf(MimeInconsistency, nil, "a delimiter line of the message is malformed")
	}
	return io.EOF
}

// epilogue wants the end of the body; white space may stand before it.
func (r *Reader) epilogue() error {
	rest, err := io.ReadAll(io.LimitReader(r.in, margin+1))
	if err != nil {
		return broken(err)
	}
	if len(bytes.TrimSpace(rest)) > 0 || len(rest) > margin {
		return Errorf(MimeInconsistency, nil, "something follows the last delimiter of the message")
	}
	return io.EOF
}

// finish skips what a transfer decoder left and passes the delimiter.
func (p *partReader) finish() error {
	var buf [512]byte
	for !p.done {
		n, err := p.Read(buf[:])
		if n > 0 && len(bytes.TrimSpace(buf[:n])) > 0 {
			return Errorf(MimeInconsistency, nil, "something follows the encoded content of a part")
		}
		if err != nil && err != io.EOF {
			return broken(err)
		}
	}
	return nil
}
