// Package api is the JSON API of the Acceleratormeter under /api/v1, with its
// OpenAPI document and a page that explains it.
//
// Reading is open to everybody, from any site. Writing asks for a scoped token
// (see access); approving and publishing ask for two different owners, which
// the meter enforces. Errors are problem documents (RFC 9457). The package
// computes nothing: it asks the meter and the ledger.
package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/access"
	"github.com/once-only/oots/correction"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/web/limit"
	"github.com/once-only/oots/webhook"
)

// Meter is what the API asks of acceleratormeter.Meter.
type Meter interface {
	Refresh(context.Context) error
	Snapshots(context.Context) ([]acceleratormeter.Snapshot, error)
	Standing(set, country string, at time.Time) (acceleratormeter.Standing, error)
	Events(at time.Time) []acceleratormeter.Event
	Statistics(at time.Time) []acceleratormeter.Statistic
	Milestones(at time.Time) ([]acceleratormeter.Milestone, error)

	Draft(context.Context, acceleratormeter.DraftOrder) (acceleratormeter.Snapshot, error)
	Approve(ctx context.Context, id, by string) (acceleratormeter.Snapshot, error)
	Publish(ctx context.Context, id, by string) (acceleratormeter.Snapshot, error)
	Get(ctx context.Context, idOrSequence string) (acceleratormeter.Snapshot, error)
	Open(context.Context) ([]acceleratormeter.Snapshot, error)
}

// Ledger is what the API asks of ledger.Ledger.
type Ledger interface {
	Fact(ctx context.Context, id string) (ledger.Entry, error)
	Facts(context.Context, ledger.Filter) iter.Seq2[ledger.Entry, error]
	Head(context.Context) (ledger.Head, error)
	Checkpoint(context.Context) ([]byte, error)
	Proof(ctx context.Context, id string, size int64) (*ledger.Proof, error)
	Consistency(ctx context.Context, from, to int64) (*ledger.Consistency, error)
	Append(context.Context, ...ledger.Fact) (ledger.Receipt, error)
	AppendHistory(context.Context, ...ledger.Fact) (ledger.Receipt, error)
}

// Config is what the API is made of.
type Config struct {
	Meter    Meter         // required
	Ledger   Ledger        // required
	Tokens   access.Store  // nil: nothing can be written over HTTP
	Webhooks webhook.Store // nil: nobody is told of a publication
	// Corrections are what readers ask to have corrected; nil: not served.
	Corrections correction.Store
	// Reports takes reports of test runs; nil: none are taken.
	Reports *Reports
	// Trail is told of every writing call before it is carried out; nil: nobody is.
	Trail   Trail
	Board   acceleratormeter.Board // whose countries are counted; empty: EU
	BaseURL string                 // public address without a final slash
	Version string                 // of the program, for the OpenAPI document
	Styles  []string               // addresses of the site's style sheets, for /docs

	// Requests a second and at once, for each address that reads and each
	// token that writes; 0: 50 and 200 reading, 5 and 20 writing.
	ReadRate, WriteRate   float64
	ReadBurst, WriteBurst int

	Now func() time.Time // optional; time.Now
	Log *slog.Logger     // optional; discards
}

const (
	prefix      = "/api/v1"
	mostBody    = 16 << 20 // octets of a batch of facts
	mostFacts   = 20_000   // of a batch
	mostCallers = 10_000   // remembered by a limiter
)

type api struct {
	Config
	drawn         []acceleratormeter.Country
	reads, writes *limit.Limiter
	document      *huma.OpenAPI
}

// New makes the handler of /api/v1/…, /openapi.json, /openapi-3.0.json and
// /docs.
func New(c Config) (http.Handler, error) {
	if c.Meter == nil || c.Ledger == nil {
		return nil, errors.New("api: Meter and Ledger are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Board == "" {
		c.Board = acceleratormeter.BoardEU
	}
	if c.ReadRate == 0 {
		c.ReadRate, c.ReadBurst = 50, 200
	}
	if c.WriteRate == 0 {
		c.WriteRate, c.WriteBurst = 5, 20
	}
	a := &api{Config: c, drawn: c.Board.Drawn(),
		reads: limit.New(c.ReadRate, c.ReadBurst, mostCallers), writes: limit.New(c.WriteRate, c.WriteBurst, mostCallers)}

	mux := http.NewServeMux()
	h := humago.New(mux, a.describe())
	h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	a.readMeter(h)
	a.readFacts(h)
	a.write(h)
	a.webhooks(h)
	a.corrections(h)
	a.validations(h)
	a.reports(h)
	a.document = h.OpenAPI()
	mux.HandleFunc(prefix+"/", a.nowhere)
	if err := a.documents(mux); err != nil {
		return nil, err
	}
	return a.edge(mux), nil
}

// describe is the head of the OpenAPI document. No schema links, no page from
// elsewhere: what goes out is what the handlers return.
func (a *api) describe() huma.Config {
	c := huma.DefaultConfig("Acceleratormeter", "1.0.0")
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Transformers, c.CreateHooks = nil, nil
	c.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	c.DefaultFormat = "application/json"
	c.RejectUnknownQueryParameters = true
	c.Info.Description = "Where each country stands in setting up the Once-Only Technical System: levels computed from recorded facts, with the proof of each. " +
		"The criteria are proposals of this project, not a rule of the Commission. Data: CC BY 4.0."
	c.Info.License = &huma.License{Name: "CC BY 4.0", URL: "https://creativecommons.org/licenses/by/4.0/"}
	c.Servers = []*huma.Server{{URL: a.BaseURL}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token made by \"oots token create\". Its scopes say what it may do."},
	}
	return c
}

// operation is one row: method, path below /api/v1, id, one line of what it does.
func operation(method, path, id, summary, tag string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: prefix + path, Summary: summary, Tags: []string{tag},
		Responses: map[string]*huma.Response{"default": {Description: "what went wrong, and what to do next", Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}}}}}
}

// edge is what stands before every call: allowance, cross-origin headers, and
// for reading an entity tag of the answer's content.
func (a *api) edge(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		reading := r.Method == http.MethodGet || r.Method == http.MethodHead
		if reading || r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Access-Control-Expose-Headers", "ETag, Link, Retry-After")
		}
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD")
			h.Set("Access-Control-Allow-Headers", "Accept, If-None-Match")
			h.Set("Access-Control-Max-Age", "86400")
			h.Set("Allow", "GET, HEAD, OPTIONS, POST")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if wait := a.wait(r, reading); wait > 0 {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			a.refuse(w, problem(http.StatusTooManyRequests, "too-many-requests",
				"too many requests at once; wait %d s and go on, or take the whole from /data", int(math.Ceil(wait.Seconds()))))
			return
		}
		if !reading {
			h.Set("Cache-Control", "no-store")
			r.Body = http.MaxBytesReader(w, r.Body, mostBody+1)
			next.ServeHTTP(w, r)
			return
		}
		kept := &answer{header: h, status: http.StatusOK}
		next.ServeHTTP(kept, oneSegment(r))
		kept.send(w, r)
	})
}

// oneSegment lets a fact's id be written with its slashes as they are: the mux
// wants them as %2F. An id that ends in "/proof" needs the %2F.
func oneSegment(r *http.Request) *http.Request {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix+"/facts/")
	id, proof := strings.CutSuffix(rest, "/proof")
	if !ok || !strings.Contains(id, "/") {
		return r
	}
	u := *r.URL
	u.RawPath = prefix + "/facts/" + strings.ReplaceAll(id, "/", "%2F")
	if proof {
		u.RawPath += "/proof"
	}
	other := *r
	other.URL = &u
	return &other
}

// wait is how long a caller has to wait; zero: it may go on. A token has its own
// allowance only where it is used for writing; guessing tokens costs that of
// the address.
func (a *api) wait(r *http.Request, reading bool) time.Duration {
	now := a.Now()
	of, name := a.reads, limit.Address(r)
	if !reading {
		of = a.writes
		if text, ok := bearerOf(r.Header.Get("Authorization")); ok {
			sum := sha256.Sum256([]byte(text))
			if a.reads.Of(name).AllowN(now, 1) { // every attempt also counts for the address
				name = hex.EncodeToString(sum[:8])
			}
		}
	}
	return of.Wait(name, now)
}

// answer keeps what a reading call writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *answer) Header() http.Header         { return k.header }
func (k *answer) WriteHeader(status int)      { k.status = status }
func (k *answer) Write(b []byte) (int, error) { return k.body.Write(b) }

// send writes the kept answer with its entity tag, or 304. A strong tag names
// the octets that travel, so the compressed ones have their own.
func (k *answer) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	out := k.body.Bytes()
	sum := sha256.Sum256(out)
	etag := hex.EncodeToString(sum[:16])
	if len(out) > 1400 && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		var z bytes.Buffer
		g, _ := gzip.NewWriterLevel(&z, gzip.BestSpeed)
		g.Write(out)
		g.Close()
		h.Set("Content-Encoding", "gzip")
		out = z.Bytes()
		etag += "-gzip"
	}
	etag = `"` + etag + `"`
	h.Add("Vary", "Accept-Encoding")
	switch {
	case k.status == http.StatusOK:
		h.Set("Etag", etag)
		if h.Get("Cache-Control") == "" {
			h.Set("Cache-Control", "public, max-age=60")
		}
		if matches(r.Header.Get("If-None-Match"), etag) {
			h.Del("Content-Type")
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	case k.status >= 400:
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(k.status)
	if r.Method != http.MethodHead {
		w.Write(out)
	}
}

// acceptsGzip reads Accept-Encoding; "gzip;q=0" is a refusal.
func acceptsGzip(header string) bool {
	for one := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(strings.ReplaceAll(one, " ", ""), ";")
		if strings.EqualFold(name, "gzip") {
			return strings.Trim(strings.TrimPrefix(q, "q="), "0.") != "" || q == ""
		}
	}
	return false
}

// matches is If-None-Match of RFC 9110 §13.1.2, by weak comparison.
func matches(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == etag || one == "*" {
			return true
		}
	}
	return false
}

// refuse writes a problem outside huma.
func (a *api) refuse(w http.ResponseWriter, p *Problem) { Refuse(w, a.Log, a.Now(), p) }

// nowhere answers what no operation names.
func (a *api) nowhere(w http.ResponseWriter, r *http.Request) {
	for _, item := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if item == r.Method {
			a.refuse(w, problem(http.StatusNotFound, "unknown-address", "the API has no %s %s; %s/openapi.json lists what there is", r.Method, r.URL.Path, a.BaseURL))
			return
		}
	}
	a.refuse(w, problem(http.StatusMethodNotAllowed, "method", "the API knows GET, POST and DELETE, not %s", r.Method))
}

// who returns the token of a call, which must carry one of the scopes.
func (a *api) who(ctx context.Context, authorization string, scopes ...access.Scope) (access.Token, error) {
	if a.Tokens == nil {
		return access.Token{}, problem(http.StatusForbidden, "read-only", "this site takes nothing in over HTTP; use \"oots facts import\" or \"oots snapshot\" beside it")
	}
	text, ok := bearerOf(authorization)
	if !ok {
		p := problem(http.StatusUnauthorized, "token", "this call needs a token: send \"Authorization: Bearer %s…\"; \"oots token create\" makes one", access.Prefix)
		p.header = http.Header{"Www-Authenticate": {`Bearer realm="oots"`}}
		return access.Token{}, p
	}
	t, err := access.Who(ctx, a.Tokens, a.Now(), text)
	if err != nil {
		return t, err
	}
	for _, s := range scopes {
		if t.May(s) {
			return t, nil
		}
	}
	p := problem(http.StatusForbidden, "scope", "token %s does not carry the scope %s; it has %s", t.ID, words(scopes), strings.ReplaceAll(words(t.Scopes), " or ", ", "))
	p.header = http.Header{"Www-Authenticate": {fmt.Sprintf(`Bearer realm="oots", error="insufficient_scope", scope="%s"`, scopes[0])}}
	return t, p
}

func bearerOf(header string) (string, bool) {
	scheme, text, ok := strings.Cut(header, " ")
	return strings.TrimSpace(text), ok && strings.EqualFold(scheme, "Bearer")
}

func words(scopes []access.Scope) string {
	var s []string
	for _, x := range scopes {
		s = append(s, string(x))
	}
	return strings.Join(s, " or ")
}
