package commonservices

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/once-only/oots/regrep"
)

// Headers of the query interface beside the two of the signature.
const (
	HeaderAcceptVersion = "Accept-Version"
	searchPath          = "rest/search"
)

// ServerConfig says what a server answers from and how.
type ServerConfig struct {
	Catalogue *Catalogue    // required
	Signer    *Signer       // required; Rotate exchanges it
	MaxAge    time.Duration // how long a success may be kept; 0 means 5 minutes
	// Limit is how many queries a second one network address may ask; 0 means
	// any number. More are answered with status 429, which is no answer of a
	// directory. Leave it 0 behind a proxy, which is one address.
	Limit float64
	Now   func() time.Time // optional; time.Now
	Log   *slog.Logger     // optional; discards. One line an answer, at level debug, without values of parameters
}

// Server is one instance of the Common Services: /eb/rest/search and
// /dsd/rest/search (TDD 3.1.4, 3.2.4, 3.6.2), and the Semantic Repository at
// /requirements/, /evidencetypeclassifications/, /datamodels/, /codelists/ and
// /search (TDD 3.3). Mount further instances below a prefix with
// http.StripPrefix.
//
// Every answer of a directory is signed, refusals too, and has status 200 as
// TDD 3.6.2 asks; another method than GET or HEAD has 405.
type Server struct {
	cfg    ServerConfig
	signer *atomic.Pointer[Signer]
	limit  *limiter
	fresh  []string
}

// NewServer checks that the signer can sign.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.Catalogue == nil || cfg.Signer == nil {
		return nil, errors.New("commonservices: a server needs a catalogue and a signer")
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = 5 * time.Minute
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, signer: new(atomic.Pointer[Signer]), fresh: []string{fmt.Sprintf("public, max-age=%d", int(cfg.MaxAge.Seconds()))}}
	if cfg.Limit > 0 {
		if cfg.Now == nil {
			cfg.Now = time.Now
		}
		s.limit = &limiter{perSecond: cfg.Limit, now: cfg.Now}
	}
	return s, s.Rotate(cfg.Signer)
}

// Rotate signs with another key from now on. Queries under way finish with the
// old one; clients trust the root of both, so no answer is lost.
func (s *Server) Rotate(next *Signer) error {
	if _, _, err := next.Sign([]byte("rotate")); err != nil {
		return err
	}
	s.signer.Store(next)
	return nil
}

// With is a server that answers from another catalogue and signs with whatever
// key this one signs with: one country's sandbox, for instance.
func (s *Server) With(c *Catalogue) *Server {
	other := *s
	other.cfg.Catalogue = c
	return &other
}

// Catalogue is what the server answers from.
func (s *Server) Catalogue() *Catalogue { return s.cfg.Catalogue }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.limit.allows(r) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Too many queries from this network address. Ask again in a second, and keep answers as long as Cache-Control says.", http.StatusTooManyRequests)
		return
	}
	for _, d := range directories() {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/"+string(d.service)+"/"); ok && rest == searchPath {
			s.search(w, r, d)
			return
		}
	}
	s.repository(w, r)
}

// search answers one query.
func (s *Server) search(w http.ResponseWriter, r *http.Request, d *directory) {
	now := s.cfg.Catalogue.now.Load()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		v := dialects[0].voice(now.set.Label)
		s.send(w, r, now.refusal(v, refuse(d.invalid, "queries are asked with GET, not with %.10q", r.Method)), http.StatusMethodNotAllowed)
		return
	}
	s.send(w, r, now.ask(d, strings.Join(r.Header.Values(HeaderAcceptVersion), ","), r.URL.RawQuery), http.StatusOK)
}

// ask is the whole way from a query to its answer; nil when it cannot be
// written, which Publish has excluded.
func (c *catalogue) ask(d *directory, accept, raw string) *answer {
	dialect := negotiate(accept)
	if dialect == nil {
		v := dialects[0].voice(c.set.Label)
		return c.refusal(v, refuse(d.invalid, "no version of %s is spoken here; spoken are %s, %s, %s and %s", HeaderAcceptVersion, V20, V12, V11, V10))
	}
	v := dialect.voice(c.set.Label)
	a, refused := d.understand(raw, v)
	if refused != nil {
		return c.refusal(v, refused)
	}
	key := a.key()
	if known := c.answers.get(key); known != nil {
		return known
	}
	draft, refused := a.query.answer(c, a)
	switch {
	case refused != nil:
		return c.refusal(v, refused)
	case len(draft.questions) > 0:
		body, err := v.encodeQuestions(draft.questions)
		if err != nil {
			return nil
		}
		return c.answers.put(key, newAnswer(body, codeQuestion))
	}
	body, err := v.encodeSuccess(draft)
	if err != nil {
		return nil
	}
	return c.answers.put(key, newAnswer(body, ""))
}

func (c *catalogue) refusal(v voice, r *Refusal) *answer {
	key := string(v.line) + r.Code + r.Detail
	if known := c.refusals.get(key); known != nil {
		return known
	}
	body, err := v.encodeRefusal(r)
	if err != nil {
		return nil
	}
	return c.refusals.put(key, newAnswer(body, r.Code))
}

var (
	ebrs       = []string{regrep.MediaType}
	varies     = []string{HeaderAcceptVersion}
	notKept    = []string{"no-store"}
	notSniffed = []string{"nosniff"}
)

// send writes an answer with its signature.
func (s *Server) send(w http.ResponseWriter, r *http.Request, a *answer, status int) {
	var sig *signed
	var err error
	if a != nil {
		sig, err = a.signedBy(s.signer.Load())
	}
	if a == nil || err != nil {
		s.cfg.Log.Error("an answer could not be made", "err", err)
		w.Header().Set("Retry-After", "60")
		http.Error(w, "The directory cannot answer now. Try again in a minute.", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h["Digest"] = sig.digest
	h["Oots-Response-Sig"] = sig.signature
	h["X-Content-Type-Options"] = notSniffed
	h["Vary"] = varies
	if a.code != "" {
		h["Cache-Control"] = notKept
	} else {
		h["Cache-Control"] = s.fresh
		h["Etag"] = a.etag
	}
	s.cfg.Log.Debug("answered", "path", r.URL.Path, "code", a.code, "octets", len(a.body))
	if a.code == "" && status == http.StatusOK && matchesTag(r.Header.Values("If-None-Match"), a.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = ebrs
	h["Content-Length"] = a.length
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}

// matchesTag is the weak comparison of If-None-Match (RFC 9110 §13.1.2).
func matchesTag(values []string, etag string) bool {
	for _, v := range values {
		for tag := range strings.SplitSeq(v, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
				return true
			}
		}
	}
	return false
}
