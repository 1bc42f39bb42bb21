package partner

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/sdg"
)

// directoryFaults are those of a system that asks directories.
var directoryFaults = []Fault{
	{Name: "ignores-signature", About: "believes answers of directories whatever their signature"},
	{Name: "ignores-line", About: "does not look at the line of an answer"},
	{Name: "ignores-question", About: "takes an answer to another question for its own"},
	{Name: "outage-as-empty", About: "says that there is nothing when a directory is out of reach"},
	{Name: "refusal-as-empty", About: "says that there is nothing when a directory refuses"},
	{Name: "refusal-as-outage", About: "says that a directory is out of reach when it refuses"},
	{Name: "questions-as-refusal", About: "does not ask the user what the directory asks"},
	{Name: "forgets-answers", About: "does not send the user's answers to the directory"},
	{Name: "no-accept-version", About: "does not say which line it asks for"},
	{Name: "old-accept-version", About: "asks for a line of long ago"},
	{Name: "no-country", About: "leaves the country out of queries"},
	{Name: "no-procedure", About: "leaves the procedure out of queries"},
	{Name: "small-letters", About: "writes country codes in small letters"},
	{Name: "wrong-query", About: "names a query that does not exist"},
	{Name: "no-specification", About: "does not filter by the line of the exchange data model"},
	{Name: "asks-by-post", About: "asks with POST"},
	{Name: "follows-redirects", About: "follows a directory elsewhere"},
	{Name: "first-only", About: "takes the first of several results for all"},
	{Name: "keeps-for-ever", About: "never asks again what it asked once"},
	{Name: "fixed-address", About: "has the address of the directories built in"},
	{Name: "address-from-name", About: "derives the address from the DNS name"},
	{Name: "first-record", About: "takes the first DNS record, whatever its order and flag"},
	{Name: "any-expression", About: "takes whatever stands in a DNS record for an address"},
	{Name: "absent-as-outage", About: "does not tell a missing DNS record from a failure"},
	{Name: "failure-as-absent", About: "takes a failure of the DNS for a missing record"},
	{Name: "one-name", About: "asks one DNS name for both directories"},
	{Name: "hides-stale", About: "bridges an outage with what it knows and does not say that it is old"},
}

// DirectoryAccess is what a system needs to ask directories.
type DirectoryAccess struct {
	Base  string // of a directory that serves all countries
	Root  *x509.Certificate
	HTTP  http.RoundTripper
	Names *Names // where set, directories are found by the DNS
}

// newClient is the directory client of the practice system with its fault.
func (p *Practice) newClient(a *DirectoryAccess) (*cs.Client, error) {
	roots := x509.NewCertPool()
	roots.AddCert(a.Root)
	bent := &bentTransport{p: p, next: a.HTTP}
	var err error
	if p.is("ignores-signature") || p.is("ignores-line") || p.is("follows-redirects") {
		var root *x509.Certificate
		if bent.signer, root, err = newSigner(p.Clock.Now, 0); err != nil {
			return nil, err
		}
		roots.AddCert(root)
	}
	cfg := cs.ClientConfig{Verifier: &cs.Verifier{Roots: roots, Now: p.Clock.Now}, Transport: bent, Repository: a.Base, Retries: -1, Now: p.Clock.Now,
		Locator: cs.Static{"*/eb": a.Base + "eb/", "*/dsd": a.Base + "dsd/"}}
	if a.Names != nil {
		cfg.Locator = p.locator(a)
	}
	if p.is("keeps-for-ever") {
		cfg.Fresh = 10000 * time.Hour
	}
	return cs.NewClient(cfg)
}

// bentTransport carries queries as a faulty client would put them, and answers
// as it would take them.
type bentTransport struct {
	p      *Practice
	next   http.RoundTripper
	signer *cs.Signer
}

func (t *bentTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	q := r.URL.Query()
	switch t.p.fault.Name {
	case "no-accept-version":
		r.Header.Del(cs.HeaderAcceptVersion)
	case "old-accept-version":
		r.Header.Set(cs.HeaderAcceptVersion, string(cs.V10))
	case "no-country":
		q.Del("country-code")
	case "no-procedure":
		q.Del("procedure-id")
	case "small-letters":
		q.Set("country-code", strings.ToLower(q.Get("country-code")))
	case "wrong-query":
		q.Set("queryId", q.Get("queryId")+"-all")
	case "no-specification":
		q.Del("specification")
	case "asks-by-post":
		r.Method = http.MethodPost
	case "forgets-answers":
		for name := range q {
			if len(name) == 36 {
				q.Del(name)
			}
		}
	}
	if r.URL.RawQuery != "" {
		r.URL.RawQuery = q.Encode()
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil || t.signer == nil {
		return resp, err
	}
	if resp.StatusCode == http.StatusFound && t.p.is("follows-redirects") {
		// Wherever it leads, this client takes what it gets for the answer.
		resp.StatusCode = http.StatusOK
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<24))
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if t.p.is("ignores-line") {
		for _, line := range []string{"oots-cs:v1.2", "oots-cs:v9.9"} {
			body = bytes.Replace(body, []byte(line), []byte("oots-cs:v2.0"), 1)
		}
	}
	digest, sig, err := t.signer.Sign(body)
	if err != nil {
		return nil, err
	}
	resp.Header.Set(cs.HeaderDigest, digest)
	resp.Header.Set(cs.HeaderSignature, sig)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// locator finds directories by the DNS, as a faulty client would.
func (p *Practice) locator(a *DirectoryAccess) cs.Locator {
	right := &cs.NAPTR{Server: a.Names.Address, Environment: "testing", Zone: a.Names.Zone, Timeout: 2 * time.Second, Now: p.Clock.Now}
	return locatorFunc(func(ctx context.Context, country string, service cs.Service, major int) (*url.URL, error) {
		asked := service
		if p.is("one-name") {
			asked = cs.EvidenceBroker
		}
		switch p.fault.Name {
		case "fixed-address":
			return url.Parse(a.Base + string(service) + "/")
		case "address-from-name":
			_, _ = right.Locate(ctx, country, service, major)
			return url.Parse("https://" + strings.TrimSuffix(right.Name(country, service, major), ".") + "/" + string(service) + "/")
		case "first-record", "any-expression":
			return naiveLocate(ctx, a.Names.Address, right.Name(country, service, major), p.is("any-expression"), a.Base+string(service)+"/")
		}
		u, err := right.Locate(ctx, country, asked, major)
		if p.is("one-name") && u != nil {
			u.Path = strings.Replace(u.Path, "/eb/", "/"+string(service)+"/", 1)
		}
		if p.is("failure-as-absent") && err != nil {
			return u, cs.ErrNoRecord
		}
		if p.is("absent-as-outage") && errors.Is(err, cs.ErrNoRecord) {
			return u, errors.New("the DNS fails")
		}
		return u, err
	})
}

type locatorFunc func(context.Context, string, cs.Service, int) (*url.URL, error)

func (f locatorFunc) Locate(ctx context.Context, country string, s cs.Service, major int) (*url.URL, error) {
	return f(ctx, country, s, major)
}

// naiveLocate takes the first record for the right one.
func naiveLocate(ctx context.Context, server, name string, lenient bool, fallback string) (*url.URL, error) {
	q := new(dns.Msg)
	q.SetQuestion(name, dns.TypeNAPTR)
	answer, _, err := new(dns.Client).ExchangeContext(ctx, q, server)
	if err != nil || len(answer.Answer) == 0 {
		return nil, cs.ErrNoRecord
	}
	r, ok := answer.Answer[0].(*dns.NAPTR)
	if !ok {
		return nil, cs.ErrNoRecord
	}
	if parts := strings.Split(r.Regexp, "!"); len(parts) == 4 && parts[1] == ".*" {
		return url.Parse(parts[2])
	}
	if lenient {
		return url.Parse(fallback)
	}
	return nil, cs.ErrNoRecord
}

// query is the order "query": one question to a directory.
func (p *Practice) query(ctx context.Context, args map[string]string) (Told, error) {
	if p.client == nil {
		return Told{}, ErrUnsupported
	}
	return query(ctx, p.client, args, p.tell)
}

// Query carries out the order "query" with a client of the directories, as an
// honest system does.
func Query(ctx context.Context, c *cs.Client, args map[string]string) (Told, error) {
	return query(ctx, c, args, found)
}

func query(ctx context.Context, client *cs.Client, args map[string]string, tell func([]string, cs.Answer, []cs.Question, error) Told) (Told, error) {
	country := args["country"]
	switch args["of"] {
	case "requirements":
		list, a, err := client.Requirements(ctx, args["procedure"], country)
		var ids []string
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		return tell(ids, a, nil, err), nil
	case "evidence-types":
		r, a, err := client.EvidenceTypes(ctx, args["requirement"], country)
		var ids []string
		if r != nil {
			for _, l := range r.EvidenceTypeLists {
				for _, t := range l.EvidenceTypes {
					ids = append(ids, t.Classification)
				}
			}
		}
		return tell(ids, a, nil, err), nil
	case "data-services":
		q := cs.DataServiceQuery{Classification: args["type"], Country: country, Specification: args["specification"]}
		var asked []cs.Question
		if args["answer"] != "" {
			first, err := client.DataServices(ctx, q)
			if err != nil {
				return tell(nil, cs.Answer{}, nil, err), nil
			}
			asked, q.Answers = first.Questions, map[string]string{}
			for _, question := range asked {
				q.Answers[question.ID] = args["answer"]
			}
		}
		got, err := client.DataServices(ctx, q)
		if err != nil {
			return tell(nil, cs.Answer{}, nil, err), nil
		}
		var ids []string
		for _, r := range got.Records {
			for _, s := range r.AccessServices {
				if s.Publisher != nil {
					ids = append(ids, s.Publisher.Identifier.Value)
				}
			}
		}
		return tell(ids, got.Answer, got.Questions, nil), nil
	}
	return Told{}, ErrUnsupported
}

// Told is what a system says came of an order. Package testbed calls it an
// Outcome.
type Told struct {
	State, Code, Detail string
	Fields              map[string]string
	Rows                []map[string]string
}

// tell puts the result of a query into words, with the faults of the system.
func (p *Practice) tell(ids []string, a cs.Answer, questions []cs.Question, err error) Told {
	var e *cs.Error
	refused := errors.As(err, &e) && e.Cause == cs.Refused
	switch {
	case e != nil && e.Cause == cs.OtherQuestion && p.is("ignores-question"):
		return Told{State: "success", Fields: map[string]string{"count": "1"}}
	case refused && p.is("refusal-as-empty"), err != nil && !refused && p.is("outage-as-empty"):
		return Told{State: "success", Fields: map[string]string{"count": "0"}}
	case refused && p.is("refusal-as-outage"):
		return Told{State: "outage", Code: "unreachable"}
	case len(questions) > 0 && p.is("questions-as-refusal"):
		return Told{State: "refused", Code: "DSD:ERR:0005"}
	case len(ids) > 1 && p.is("first-only"):
		slices.Sort(ids)
		ids = ids[:1]
	}
	a.Stale = a.Stale && !p.is("hides-stale")
	return found(ids, a, questions, err)
}

// found puts the result of a query into words: success, questions, refused,
// absent or outage.
func found(ids []string, a cs.Answer, questions []cs.Question, err error) Told {
	var e *cs.Error
	switch {
	case errors.As(err, &e) && e.Cause == cs.Refused:
		return Told{State: "refused", Code: e.Code(), Detail: err.Error()}
	case errors.Is(err, cs.ErrNoRecord):
		return Told{State: "absent", Detail: err.Error()}
	case errors.As(err, &e):
		return Told{State: "outage", Code: strings.ReplaceAll(string(e.Cause), " ", "-"), Detail: err.Error()}
	case err != nil:
		return Told{State: "outage", Detail: err.Error()}
	case len(questions) > 0:
		return Told{State: "questions", Fields: map[string]string{"count": strconv.Itoa(len(questions)), "text": sdg.Name(questions[0].Texts, "EN"),
			"choices": strconv.Itoa(len(questions[0].Choices))}}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	f := map[string]string{"count": strconv.Itoa(len(ids)), "stale": fmt.Sprint(a.Stale)}
	if len(ids) > 0 {
		f["first"] = ids[0]
	}
	return Told{State: "success", Fields: f}
}
