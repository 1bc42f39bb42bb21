package commonservices

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
)

// Cause says why a directory gave no result. Only Refused is a statement of the
// directory; all others are an outage, never "this country has nothing".
type Cause string

const (
	Unreachable   Cause = "unreachable"      // no address, no connection, no answer in time, not status 200
	BadSignature  Cause = "bad signature"    // digest, signature or certificate do not hold
	WrongVersion  Cause = "wrong version"    // another line than the one asked
	Malformed     Cause = "malformed"        // not readable, too large, a redirect
	OtherQuestion Cause = "another question" // well signed, but not the answer to this query
	Refused       Cause = "refused"          // a code of the directory
)

// Error is why a query gave no result. The cause is for logs.
type Error struct {
	Cause   Cause
	Service Service
	Country string
	Refusal *Refusal // of Refused
	Err     error
}

func (e *Error) Error() string {
	if e.Refusal != nil {
		return fmt.Sprintf("the directory %s refuses: %s (%s)", e.Service, e.Refusal.Code, e.Refusal.Detail)
	}
	return fmt.Sprintf("the directory %s: %s: %v", e.Service, e.Cause, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Code is the code of a refusal, "" for everything else.
func (e *Error) Code() string {
	if e.Refusal == nil {
		return ""
	}
	return e.Refusal.Code
}

// ClientConfig says whom a client asks and whom it trusts.
type ClientConfig struct {
	Locator  Locator   // required
	Verifier *Verifier // required
	// Line is what is asked for; "" means V20.
	Line Line
	// Transport carries the queries; nil means one with TLS 1.2 at least.
	// Whatever it does, redirects are refused and nothing is decompressed.
	Transport http.RoundTripper
	// Repository, where given, is asked for code lists in place of the host that
	// their addresses name: for networks that are not on the internet.
	Repository string
	Timeout    time.Duration // of one attempt; 0 means 10 s
	// Retries after an attempt that reached nobody; 0 means 2, less than 0 none.
	Retries int
	Pause   time.Duration // before the first retry, then twice as long; 0 means 200 ms
	MaxSize int64         // octets of an answer; 0 means 16 MiB
	Fresh   time.Duration // how long a success is kept; 0 means 1 hour
	Stale   time.Duration // how long after that it may stand in during an outage; 0 means 24 hours, less than 0 never
	Now     func() time.Time
	Log     *slog.Logger // optional; discards. Outages only, without values of parameters
}

// Client asks the directories of all countries. It verifies every answer in the
// order of TDD 3.6.2 (digest, signature, version, status) before it reads a word
// of it, and keeps verified successes only.
type Client struct {
	cfg   ClientConfig
	http  *http.Client
	cache cache
}

// NewClient fills in what the configuration leaves open.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Locator == nil || cfg.Verifier == nil {
		return nil, errors.New("commonservices: a client needs a locator and a verifier")
	}
	cfg.Line = cmp.Or(cfg.Line, V20)
	if dialectOf(cfg.Line) == nil {
		return nil, fmt.Errorf("commonservices: there is no line %q", cfg.Line)
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, 10*time.Second)
	cfg.Retries = max(cmp.Or(cfg.Retries, 2), 0)
	cfg.Pause = cmp.Or(cfg.Pause, 200*time.Millisecond)
	cfg.MaxSize = cmp.Or(cfg.MaxSize, int64(limits.Size))
	cfg.Fresh = cmp.Or(cfg.Fresh, time.Hour)
	cfg.Stale = cmp.Or(cfg.Stale, 24*time.Hour)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Transport == nil {
		cfg.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, ForceAttemptHTTP2: true,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxResponseHeaderBytes: 128 << 10,
			MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: cfg.Timeout}
	}
	return &Client{cfg: cfg, http: &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Answer is what comes with every result.
type Answer struct {
	At time.Time // when the directory gave it
	// Stale marks an answer from the cache that could not be asked anew because
	// the directory is out of reach.
	Stale bool
}

// Requirements asks the Evidence Broker of a country which requirements a
// procedure has there. An empty procedure asks for all.
func (c *Client) Requirements(ctx context.Context, procedure, country string) ([]sdg.Requirement, Answer, error) {
	q := clientQuery{EvidenceBroker, QueryRequirements, country, []pair{{paramProcedure, procedure}, {paramCountry, country}}}
	d, a, err := c.ask(ctx, q, func(d *Decoded) error {
		for _, r := range d.Requirements {
			for _, f := range r.Frameworks {
				if procedure != "" && !slices.Contains(f.Procedures, procedure) {
					return fmt.Errorf("a reference framework of the procedures %q", f.Procedures)
				}
				if err := inCountry(f.Jurisdiction, country); err != nil {
					return err
				}
			}
		}
		return wants(d, len(d.Requirements))
	})
	if err != nil {
		return nil, a, err
	}
	return d.Requirements, a, nil
}

// EvidenceTypes asks the Evidence Broker of a country which evidence types
// prove a requirement there. The requirement has all its reference frameworks,
// of every country; its lists are alternatives, the types inside one are needed
// together. A list may declare NoMatch.
func (c *Client) EvidenceTypes(ctx context.Context, requirement, country string) (*sdg.Requirement, Answer, error) {
	q := clientQuery{EvidenceBroker, QueryEvidenceTypes, country, []pair{{paramRequirement, requirement}, {paramCountry, country}}}
	d, a, err := c.ask(ctx, q, func(d *Decoded) error {
		if len(d.Requirements) != 1 {
			return fmt.Errorf("%d requirements in place of one", len(d.Requirements))
		}
		if !strings.EqualFold(d.Requirements[0].ID, requirement) {
			return errors.New("another requirement")
		}
		for _, l := range d.Requirements[0].EvidenceTypeLists {
			if l.Jurisdiction != nil {
				if err := inCountry(l.Jurisdiction, country); err != nil {
					return err
				}
			}
			for _, t := range l.EvidenceTypes {
				for i := range t.Jurisdictions {
					if err := inCountry(&t.Jurisdictions[i], country); err != nil {
						return err
					}
				}
			}
		}
		return wants(d, 1)
	})
	if err != nil {
		return nil, a, err
	}
	return &d.Requirements[0], a, nil
}

// DataServiceQuery is what the Data Service Directory is asked.
type DataServiceQuery struct {
	Classification string
	Country        string
	// Specification, such as oots-edm:v2.0, leaves out services that do not
	// speak it; line 1.0 cannot be asked so, and gives all.
	Specification string
	// Answers are what the user said to questions, by their identifiers.
	Answers map[string]string
	// Record is the identifier of the record that questions were asked for;
	// lines 1.0 and 1.1 want it repeated with the answers, others do not know it.
	Record string
	// Place answers a question of the type AskPlace; lines 1.x.
	Place *Place
}

// pairs are the query as parameters of a line; what the line does not know is
// left out.
func (q DataServiceQuery) pairs(d *dialect) []pair {
	out := []pair{{paramClassification, q.Classification}, {paramCountry, q.Country}, {paramSpecification, q.Specification}, {paramRecord, q.Record}}
	out = append(out, q.Place.pairs()...)
	out = slices.DeleteFunc(out, func(p pair) bool {
		return !slices.ContainsFunc(dataServiceDirectory.queries[0].parameters, func(row parameter) bool { return row.name == p.name && row.in&d.in != 0 })
	})
	for _, id := range sortedKeys(q.Answers) {
		out = append(out, pair{strings.ToLower(id), q.Answers[id]})
	}
	return out
}

// DataServices is a result of the Data Service Directory: records, or questions
// that the user must answer first.
type DataServices struct {
	Answer
	Records []sdg.DataServiceEvidenceType
	// Questions are empty when there are records. The same query with an answer
	// to each of them brings the records.
	Questions []Question
}

// DataServices asks the directory of a country who provides an evidence type.
func (c *Client) DataServices(ctx context.Context, query DataServiceQuery) (*DataServices, error) {
	q := clientQuery{DataServiceDirectory, QueryDataServices, query.Country, query.pairs(dialectOf(c.cfg.Line))}
	filtered := query.Specification != "" && c.cfg.Line != V10
	d, a, err := c.ask(ctx, q, func(d *Decoded) error {
		for i := range d.Records {
			r := &d.Records[i]
			if r.Classification != query.Classification {
				return errors.New("another evidence type")
			}
			for _, s := range r.AccessServices {
				if s.Publisher == nil {
					return errors.New("an access service without its publisher")
				}
				if err := inCountry(s.Publisher.Jurisdiction, query.Country); err != nil {
					return err
				}
				if filtered && !slices.Contains(s.ConformsTo, query.Specification) {
					return errors.New("an access service that does not speak the asked line")
				}
			}
		}
		for _, b := range d.Asked {
			if b.Record.Classification != query.Classification {
				return errors.New("a question about another evidence type")
			}
		}
		return wants(d, max(len(d.Records), len(d.Asked)))
	})
	if err != nil {
		return nil, err
	}
	out := &DataServices{Answer: a, Records: joinLines(d.Records)}
	if len(d.Asked) > 0 {
		if out.Questions, err = c.questions(ctx, d.Asked); err != nil {
			return nil, &Error{Cause: Refused, Service: q.service, Country: q.country, Refusal: &Refusal{codeQuestion, err.Error()}, Err: err}
		}
	}
	return out, nil
}

// joinLines makes one access service of those that differ in nothing but the
// line of the Exchange Data Model, as lines 1.0 and 1.1 say them.
func joinLines(records []sdg.DataServiceEvidenceType) []sdg.DataServiceEvidenceType {
	for i := range records {
		var out []sdg.AccessService
		for _, s := range records[i].AccessServices {
			at := slices.IndexFunc(out, func(o sdg.AccessService) bool {
				return o.Identifier == s.Identifier && o.Publisher.Identifier == s.Publisher.Identifier
			})
			if at < 0 {
				out = append(out, s)
				continue
			}
			for _, line := range s.ConformsTo {
				if !slices.Contains(out[at].ConformsTo, line) {
					out[at].ConformsTo = append(slices.Clip(out[at].ConformsTo), line)
				}
			}
		}
		records[i].AccessServices = out
	}
	return records
}

func inCountry(j *sdg.Jurisdiction, country string) error {
	switch {
	case j == nil:
		return errors.New("something without a jurisdiction")
	case country != "" && j.AdminUnitLevel1 != country:
		return fmt.Errorf("data of the country %.10q", j.AdminUnitLevel1)
	}
	return nil
}

// wants an answer with something of the asked kind and nothing of another.
func wants(d *Decoded, readable int) error {
	if readable == 0 || len(d.Requirements) > 0 && len(d.Records) > 0 {
		return errors.New("an answer without one object of the asked kind")
	}
	return nil
}

// clientQuery is one query as a client asks it.
type clientQuery struct {
	service Service
	id      string
	country string
	pairs   []pair // empty values are not sent
}

func (q clientQuery) values() url.Values {
	v := url.Values{paramQuery: {q.id}}
	for _, p := range q.pairs {
		if p.value != "" {
			v.Set(p.name, p.value)
		}
	}
	return v
}

// ask is the way of every query: cache, address, attempt, verification,
// reading, comparison with what was asked.
func (c *Client) ask(ctx context.Context, q clientQuery, fits func(*Decoded) error) (*Decoded, Answer, error) {
	fail := func(cause Cause, err error) (*Decoded, Answer, error) {
		e := &Error{Cause: cause, Service: q.service, Country: q.country, Err: err}
		if cause != Refused {
			c.cfg.Log.Warn("directory", "service", string(q.service), "country", q.country, "cause", string(cause), "err", err)
		}
		return nil, Answer{}, e
	}
	base, err := c.locate(ctx, q)
	if err != nil {
		return fail(Unreachable, err)
	}
	address := base.JoinPath(searchPath)
	address.RawQuery = q.values().Encode()
	key := string(c.cfg.Line) + " " + address.String()
	now := c.cfg.Now()
	kept := c.cache.get(key)
	if kept != nil && now.Before(kept.at.Add(c.cfg.Fresh)) {
		return kept.said.clone(), Answer{At: kept.at}, nil
	}
	standIn := kept != nil && now.Before(kept.at.Add(c.cfg.Fresh+c.cfg.Stale))
	if standIn && c.cache.isDown(base.String(), now) {
		return kept.said.clone(), Answer{At: kept.at, Stale: true}, nil
	}
	got, cause, err := c.fetch(ctx, address.String(), kept)
	if cause == Unreachable && ctx.Err() == nil {
		c.cache.outage(base.String(), now.Add(afterOutage))
	}
	switch {
	case cause == Unreachable && standIn && ctx.Err() == nil:
		c.cfg.Log.Warn("directory out of reach, an older answer stands in", "service", string(q.service), "country", q.country, "err", err)
		return kept.said.clone(), Answer{At: kept.at, Stale: true}, nil
	case err != nil:
		return fail(cause, err)
	case got.unchanged:
		c.cache.put(key, &keptAnswer{at: now, said: kept.said, body: kept.body, etag: kept.etag})
		return kept.said.clone(), Answer{At: now}, nil
	}
	d, err := Decode(got.body)
	if err != nil {
		return fail(Malformed, err)
	}
	if echo := dialectOf(c.cfg.Line).echo; echo && d.Line != c.cfg.Line || !echo && d.Line != "" && d.Line != c.cfg.Line {
		return fail(WrongVersion, fmt.Errorf("asked was %s, the answer says %.40q", c.cfg.Line, d.Line))
	}
	if d.Refusal != nil {
		return nil, Answer{}, &Error{Cause: Refused, Service: q.service, Country: q.country, Refusal: d.Refusal, Err: d.Refusal}
	}
	if err := fits(d); err != nil {
		return fail(OtherQuestion, err)
	}
	if len(d.Asked) == 0 {
		c.cache.put(key, &keptAnswer{at: now, said: d, body: got.body, etag: got.etag})
	}
	return d.clone(), Answer{At: now}, nil
}

// afterOutage is how long older answers stand in for a directory that was out of
// reach before it is asked again: nobody waits for time-outs one after another.
const afterOutage = 30 * time.Second

// locate finds a directory; when the DNS fails, where it was found last.
func (c *Client) locate(ctx context.Context, q clientQuery) (*url.URL, error) {
	key := string(q.service) + " " + q.country
	base, err := c.cfg.Locator.Locate(ctx, q.country, q.service, c.major())
	if err == nil {
		return c.cache.located(key, base), nil
	}
	if last := c.cache.located(key, nil); last != nil && !errors.Is(err, ErrNoRecord) {
		c.cfg.Log.Warn("the DNS fails, the directory's last address stands in", "service", string(q.service), "country", q.country, "err", err)
		return last, nil
	}
	return nil, err
}

// clone lets nobody change what the cache keeps: the lists of the outermost
// level are new.
func (d *Decoded) clone() *Decoded {
	out := *d
	out.Requirements, out.Records = slices.Clone(d.Requirements), slices.Clone(d.Records)
	return &out
}

func (c *Client) major() int {
	if c.cfg.Line == V20 {
		return 2
	}
	return 1
}

// fetched is an answer whose signature holds.
type fetched struct {
	body      []byte
	etag      string
	unchanged bool // the kept answer is still the directory's
}

// fetch asks until somebody answers, and verifies what came.
func (c *Client) fetch(ctx context.Context, address string, kept *keptAnswer) (got *fetched, cause Cause, err error) {
	pause := c.cfg.Pause
	for attempt := 0; ; attempt++ {
		got, cause, err = c.attempt(ctx, address, kept)
		if cause != Unreachable || attempt == c.cfg.Retries || ctx.Err() != nil {
			return got, cause, err
		}
		select {
		case <-ctx.Done():
			return nil, Unreachable, ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func (c *Client) attempt(ctx context.Context, address string, kept *keptAnswer) (*fetched, Cause, error) {
	ctx, stop := context.WithTimeout(ctx, c.cfg.Timeout)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, Unreachable, err
	}
	r.Header.Set("Accept", regrep.MediaType)
	r.Header.Set("Accept-Encoding", "identity")
	r.Header.Set(HeaderAcceptVersion, string(c.cfg.Line))
	if kept != nil && kept.etag != "" {
		r.Header.Set("If-None-Match", kept.etag)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, Unreachable, withoutAddress(err)
	}
	defer resp.Body.Close()
	digest, signature := resp.Header.Get(HeaderDigest), resp.Header.Get(HeaderSignature)
	switch {
	case resp.StatusCode == http.StatusNotModified && kept != nil:
		if err := c.cfg.Verifier.Verify(kept.body, digest, signature); err != nil {
			return nil, BadSignature, err
		}
		return &fetched{unchanged: true}, "", nil
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return nil, Malformed, fmt.Errorf("a redirect (status %d), which no directory may send", resp.StatusCode)
	case resp.StatusCode != http.StatusOK && signature == "":
		return nil, Unreachable, fmt.Errorf("status %d without a signed answer", resp.StatusCode)
	case resp.Uncompressed || !slices.Contains([]string{"", "identity"}, resp.Header.Get("Content-Encoding")):
		return nil, Malformed, errors.New("a compressed answer, though none was asked for")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxSize+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, Malformed, errors.New("the answer breaks off in the middle")
	case err != nil:
		return nil, Unreachable, withoutAddress(err)
	case int64(len(body)) > c.cfg.MaxSize:
		return nil, Malformed, fmt.Errorf("the answer is longer than %d octets", c.cfg.MaxSize)
	}
	if err := c.cfg.Verifier.Verify(body, digest, signature); err != nil {
		return nil, BadSignature, err
	}
	return &fetched{body: body, etag: resp.Header.Get("ETag")}, "", nil
}

// withoutAddress drops the address from an error: it may hold a user's answers.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
