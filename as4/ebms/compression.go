package ebms

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"strings"
	"sync"

	"golang.org/x/text/encoding/ianaindex"
)

// Compress gzips content into the spool (AS4 profile 3.1: per part, before
// signing). level is one of compress/gzip; 0 means gzip.BestSpeed.
func Compress(c Content, level int, s Spool) (Content, error) {
	if level == 0 {
		level = gzip.BestSpeed
	}
	w, err := s.Create()
	if err != nil {
		return nil, noRoom(err)
	}
	defer w.Close()
	if level < gzip.HuffmanOnly || level > gzip.BestCompression {
		return nil, errors.New("ebms: no such compression level")
	}
	pool := &deflaters[level-gzip.HuffmanOnly]
	z, _ := pool.Get().(*gzip.Writer)
	if z == nil {
		z, _ = gzip.NewWriterLevel(w, level)
	}
	to := &spoolErrors{w: w}
	z.Reset(to)
	defer pool.Put(z)
	_, err = io.Copy(z, c.NewReader())
	if err == nil {
		err = z.Close()
	}
	if to.err != nil {
		return nil, noRoom(to.err)
	}
	if err != nil {
		return nil, err
	}
	sealed, err := w.Seal()
	if err != nil {
		return nil, noRoom(err)
	}
	return sealed, nil
}

// Inflater undoes compression for the parts of one message, within limits on
// each part, on the message and on the ratio. A zero field means its default.
type Inflater struct {
	Part    int64 // octets of one inflated part; 4 GiB
	Message int64 // octets of all of them; 8 GiB
	// Ratio is how many times larger than its compressed form a part may be,
	// beyond the first 16 MiB; 200.
	Ratio int64

	used int64
}

// deflaters are gzip writers to be used again, by level: each is a megabyte.
var deflaters [gzip.BestCompression - gzip.HuffmanOnly + 1]sync.Pool

const freeInflation = 16 << 20

// NewReader inflates one part. Whatever is wrong with it is EBMS:0303.
func (f *Inflater) NewReader(c Content) io.Reader {
	most := f.Part
	if most == 0 {
		most = 4 << 30
	}
	ratio := f.Ratio
	if ratio == 0 {
		ratio = 200
	}
	most = min(most, max(freeInflation, ratio*c.Size()))
	return &inflating{f: f, in: bufio.NewReaderSize(c.NewReader(), 64<<10), most: most}
}

// Open reads a part as the producer gave it: inflated if the header says so.
func (f *Inflater) Open(p Part, info *PartInfo) io.Reader {
	if info.Compressed() {
		return f.NewReader(p.Content)
	}
	return p.Content.NewReader()
}

type inflating struct {
	f    *Inflater
	in   *bufio.Reader
	z    *gzip.Reader
	n    int64
	most int64
	err  error
}

func (r *inflating) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.z == nil {
		if r.z, r.err = gzip.NewReader(r.in); r.err != nil {
			return 0, r.fail(r.err)
		}
	}
	n, err := r.z.Read(p)
	r.n += int64(n)
	r.f.used += int64(n)
	total := r.f.Message
	if total == 0 {
		total = 8 << 30
	}
	if r.n > r.most || r.f.used > total {
		return 0, r.fail(errors.New("the inflated part is larger than allowed"))
	}
	if err == io.EOF {
		r.err = io.EOF
	} else if err != nil {
		return n, r.fail(err)
	}
	return n, err
}

func (r *inflating) fail(cause error) error {
	r.err = Errorf(DecompressionFailure, cause, "a compressed part cannot be inflated")
	return r.err
}

// checkCharacterSet judges the CharacterSet property of a part: it must be
// absent or name a character set that IANA knows (EBMS:0003 otherwise).
func (p *PartInfo) checkCharacterSet() error {
	name := p.Property(CharacterSet)
	if name == "" {
		return nil
	}
	if _, err := ianaindex.MIME.Encoding(name); err != nil {
		return Errorf(ValueInconsistent, err, "the CharacterSet of a part is not known")
	}
	return nil
}

// MediaType is the bare, lower-case media type of a Content-Type value.
func MediaType(contentType string) string {
	if t, _, err := mime.ParseMediaType(contentType); err == nil {
		return t
	}
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}
