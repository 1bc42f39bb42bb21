package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/once-only/oots/web/chart"
	"github.com/once-only/oots/web/flag"
)

//go:embed assets
var assetFiles embed.FS

// body is bytes ready to be sent: compressed once, with a strong entity tag.
type body struct {
	Type string // Content-Type
	Raw  []byte
	Gzip []byte // nil where compression does not pay
	ETag string // quoted, of Raw

	Changed string // Last-Modified; empty: not told
	Forever bool   // the bytes of this address never change

	zipTag string // a strong tag names the bytes that travel, so Gzip has its own
}

// zippers are used again: a new one costs more than most pages.
var zippers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, 4) // within 5 % of the default in size, in two thirds of its time
	return w
}}

// newBody compresses b and takes its digest.
func newBody(contentType string, b []byte) *body {
	sum := sha256.Sum256(b)
	out := &body{Type: contentType, Raw: b, ETag: `"` + hex.EncodeToString(sum[:12]) + `"`}
	out.zipTag = strings.TrimSuffix(out.ETag, `"`) + `-gzip"`
	var z bytes.Buffer
	w := zippers.Get().(*gzip.Writer)
	w.Reset(&z)
	w.Write(b)
	w.Close()
	zippers.Put(w)
	if z.Len() < len(b)*9/10 {
		out.Gzip = z.Bytes()
	}
	return out
}

// assets are the static files by their public, content-hashed name.
type assets struct {
	byName map[string]*body
	public map[string]string // "style.css" → "/assets/style.0a1b2c3d4e.css"
}

func loadAssets() (assets, error) {
	a := assets{byName: map[string]*body{}, public: map[string]string{}}
	files, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return a, fmt.Errorf("web: assets: %w", err)
	}
	for _, f := range files {
		raw, err := assetFiles.ReadFile("assets/" + f.Name())
		if err != nil {
			return a, fmt.Errorf("web: asset %s: %w", f.Name(), err)
		}
		if f.Name() == "style.css" { // one sheet, one request
			raw = append(raw, chart.CSS...)
		}
		a.add(f.Name(), raw)
	}
	a.add("flags.svg", flag.Sprite())
	return a, nil
}

// add gives the file its public name.
func (a *assets) add(name string, raw []byte) {
	ext := path.Ext(name)
	b := newBody(contentType(ext), raw)
	hashed := strings.TrimSuffix(name, ext) + "." + strings.Trim(b.ETag, `"`)[:10] + ext
	a.byName[hashed] = b
	a.public[name] = "/assets/" + hashed
}

// flag is the small picture of a country's flag, decorative: the name always
// stands beside it.
func (s *site) flag(code string) template.HTML {
	if f, ok := s.flags[code]; ok {
		return f
	}
	return s.assets.flag(code) // of a neighbour: an empty frame
}

func (a assets) flag(code string) template.HTML {
	return template.HTML(`<span class="flag" aria-hidden="true"><svg focusable="false"><use href="` +
		a.public["flags.svg"] + `#f-` + html.EscapeString(asciiLower(code)) + `"/></svg></span>`)
}

func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(ext)
}

// asset answers GET /assets/{name}; the name carries the hash, so the answer
// never changes.
func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	b, ok := s.assets.byName[r.PathValue("name")]
	if !ok {
		s.fail(w, r, &problem{Status: http.StatusNotFound, Message: "error.404"})
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	b.send(w, r)
}

// send writes the body, or 304 when the reader has it already.
func (b *body) send(w http.ResponseWriter, r *http.Request) { b.sendStatus(w, r, http.StatusOK) }

func (b *body) sendStatus(w http.ResponseWriter, r *http.Request, status int) {
	h := w.Header()
	h["Content-Type"] = []string{b.Type}
	h.Add("Vary", "Accept-Encoding")
	out, etag := b.Raw, b.ETag
	if b.Gzip != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h["Content-Encoding"] = []string{"gzip"}
		out, etag = b.Gzip, b.zipTag
	}
	h["Etag"] = []string{etag}
	if status == http.StatusOK && matches(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(len(out))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(out)
	}
}

// matches is If-None-Match of RFC 9110 §13.1.2, by weak comparison.
func matches(header, etag string) bool {
	for len(header) > 0 {
		var one string
		one, header, _ = strings.Cut(header, ",")
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == etag || one == "*" {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding; "gzip;q=0" is a refusal.
func acceptsGzip(header string) bool {
	for len(header) > 0 {
		var one string
		one, header, _ = strings.Cut(header, ",")
		name, q, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
