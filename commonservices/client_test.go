package commonservices_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
)

// between stands between a client and a directory, and may spoil answers.
type between struct {
	next  http.Handler
	spoil atomic.Pointer[func(w http.ResponseWriter, r *http.Request, genuine *httptest.ResponseRecorder)]
	asked atomic.Int32
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.asked.Add(1)
	spoil := b.spoil.Load()
	if spoil == nil {
		b.next.ServeHTTP(w, r)
		return
	}
	genuine := httptest.NewRecorder()
	b.next.ServeHTTP(genuine, r)
	(*spoil)(w, r, genuine)
}

func (b *between) set(f func(w http.ResponseWriter, r *http.Request, genuine *httptest.ResponseRecorder)) {
	if f == nil {
		b.spoil.Store(nil)
	} else {
		b.spoil.Store(&f)
	}
}

func pass(w http.ResponseWriter, genuine *httptest.ResponseRecorder, body []byte) {
	for name, values := range genuine.Header() {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(genuine.Code)
	w.Write(body)
}

// TestClientRefuses shows a client everything that a hostile or broken directory
// may send: each is refused with its cause, and not kept.
func TestClientRefuses(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	b := &between{next: d.Server}
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	ctx := context.Background()
	stranger := newAuthority(t)
	later := noon.Add(100 * time.Hour)
	other := func(query string) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
		return func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
			r = r.Clone(r.Context())
			r.URL.RawQuery = query
			d.ServeHTTP(w, r)
		}
	}
	eb2 := "queryId=" + cs.QueryEvidenceTypes + "&requirement-id="
	for _, c := range []struct {
		name  string
		want  cs.Cause
		spoil func(w http.ResponseWriter, r *http.Request, g *httptest.ResponseRecorder)
		cfg   func(*cs.ClientConfig)
	}{
		{"wrong digest", cs.BadSignature, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			g.Header().Set(cs.HeaderDigest, cs.Digest([]byte("x")))
			pass(w, g, g.Body.Bytes())
		}, nil},
		{"changed body", cs.BadSignature, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			pass(w, g, bytes.Replace(g.Body.Bytes(), []byte("FI"), []byte("SE"), 1))
		}, nil},
		{"changed body and digest", cs.BadSignature, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			body := bytes.Replace(g.Body.Bytes(), []byte("FI"), []byte("SE"), 1)
			g.Header().Set(cs.HeaderDigest, cs.Digest(body))
			pass(w, g, body)
		}, nil},
		{"wrong signature", cs.BadSignature, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			_, signature, _ := d.authority.signer("x").Sign([]byte("another body"))
			g.Header().Set(cs.HeaderSignature, signature)
			pass(w, g, g.Body.Bytes())
		}, nil},
		{"no signature", cs.BadSignature, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			g.Header().Del(cs.HeaderSignature)
			pass(w, g, g.Body.Bytes())
		}, nil},
		{"stranger's signature", cs.BadSignature, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			_, signature, _ := stranger.signer("x").Sign(g.Body.Bytes())
			g.Header().Set(cs.HeaderSignature, signature)
			pass(w, g, g.Body.Bytes())
		}, nil},
		{"expired certificate", cs.BadSignature, nil, func(cfg *cs.ClientConfig) { cfg.Verifier.Now = func() time.Time { return later } }},
		{"truncated body", cs.Malformed, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			w.Header()["Content-Length"] = g.Header()["Content-Length"]
			pass(w, g, g.Body.Bytes()[:g.Body.Len()/2])
		}, nil},
		{"answer to another requirement", cs.OtherQuestion, other(eb2 + seed.Requirement("sec-qual") + "&country-code=FI"), nil},
		{"answer of another country", cs.OtherQuestion, other(eb2 + seed.Requirement("birth") + "&country-code=FR"), nil},
		{"answer to another query", cs.OtherQuestion, other("queryId=" + cs.QueryRequirements), nil},
		{"redirect", cs.Malformed, func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
			http.Redirect(w, r, d.http.URL+"/eb/rest/search?"+r.URL.RawQuery, http.StatusFound)
		}, nil},
		{"compressed", cs.Malformed, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			var z bytes.Buffer
			gz := gzip.NewWriter(&z)
			gz.Write(g.Body.Bytes())
			gz.Close()
			g.Header().Set("Content-Encoding", "gzip")
			pass(w, g, z.Bytes())
		}, nil},
		{"too long", cs.Malformed, nil, func(cfg *cs.ClientConfig) { cfg.MaxSize = 100 }},
		{"another line", cs.WrongVersion, func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
			r = r.Clone(r.Context())
			r.Header.Del(cs.HeaderAcceptVersion)
			d.ServeHTTP(w, r)
		}, nil},
		{"signed nonsense", cs.Malformed, func(w http.ResponseWriter, _ *http.Request, g *httptest.ResponseRecorder) {
			body := []byte("<hello/>")
			digest, signature, _ := d.authority.signer("x").Sign(body)
			g.Header().Set(cs.HeaderDigest, digest)
			g.Header().Set(cs.HeaderSignature, signature)
			pass(w, g, body)
		}, nil},
		{"outage", cs.Unreachable, func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
			w.WriteHeader(http.StatusBadGateway)
		}, nil},
		{"broken connection", cs.Unreachable, func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
			panic(http.ErrAbortHandler)
		}, nil},
		{"no such directory", cs.Unreachable, nil, func(cfg *cs.ClientConfig) { cfg.Locator = cs.Static{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := d.client(t, func(cfg *cs.ClientConfig) {
				cfg.Locator = cs.Static{"*/eb": front.URL + "/eb"}
				if c.cfg != nil {
					c.cfg(cfg)
				}
			})
			b.set(c.spoil)
			defer b.set(nil)
			for range 2 {
				before := b.asked.Load()
				_, _, err := client.EvidenceTypes(ctx, seed.Requirement("birth"), "FI")
				var e *cs.Error
				if !errors.As(err, &e) || e.Cause != c.want || e.Refusal != nil {
					t.Errorf("got %v, want %s", err, c.want)
				}
				if c.name != "no such directory" && b.asked.Load() == before {
					t.Error("something was kept")
				}
			}
			b.set(nil)
			if c.cfg == nil {
				if _, _, err := client.EvidenceTypes(ctx, seed.Requirement("birth"), "FI"); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			}
		})
	}
}

// TestClientKeeps follows an answer through its life: fresh, confirmed, standing
// in during an outage, given up.
func TestClientKeeps(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	b := &between{next: d.Server}
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	now := noon
	client := d.client(t, func(cfg *cs.ClientConfig) {
		cfg.Locator = cs.Static{"*/eb": front.URL + "/eb/"}
		cfg.Fresh, cfg.Stale, cfg.Now = time.Hour, 2*time.Hour, func() time.Time { return now }
	})
	ask := func(country string) (cs.Answer, error) {
		_, a, err := client.EvidenceTypes(context.Background(), seed.Requirement("birth"), country)
		return a, err
	}
	asked := func(want int32) {
		t.Helper()
		if got := b.asked.Load(); got != want {
			t.Errorf("the directory was asked %d times, want %d", got, want)
		}
	}
	outage := func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if _, err := ask("FI"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(59 * time.Minute)
	if a, err := ask("FI"); err != nil || a.Stale || !a.At.Equal(noon) {
		t.Errorf("a fresh answer: %+v, %v", a, err)
	}
	asked(1)
	now = now.Add(time.Minute)
	if a, err := ask("FI"); err != nil || a.Stale || !a.At.Equal(now) {
		t.Errorf("a confirmed answer: %+v, %v", a, err)
	}
	asked(2)
	confirmed := now
	b.set(outage)
	now = now.Add(61 * time.Minute)
	if a, err := ask("FI"); err != nil || !a.Stale || !a.At.Equal(confirmed) {
		t.Errorf("an answer during an outage: %+v, %v", a, err)
	}
	before := b.asked.Load()
	now = now.Add(20 * time.Second)
	if a, err := ask("FI"); err != nil || !a.Stale {
		t.Errorf("a moment later: %+v, %v", a, err)
	}
	asked(before) // nobody waits for the next time-out
	now = now.Add(2 * time.Hour)
	if _, err := ask("FI"); err == nil {
		t.Error("an answer stands in for ever")
	}
	b.set(nil)
	now = now.Add(time.Minute)
	if a, err := ask("FI"); err != nil || a.Stale {
		t.Errorf("after the outage: %+v, %v", a, err)
	}
	before = b.asked.Load()
	for range 2 {
		if _, err := ask("IE"); code(err) != "EB:ERR:0001" {
			t.Error(err)
		}
	}
	asked(before + 2) // refusals are never kept
	d.Rotate(d.authority.signer("next"))
	now = now.Add(2 * time.Hour)
	if a, err := ask("FI"); err != nil || a.Stale {
		t.Errorf("confirmed by another key: %+v, %v", a, err)
	}
}

// failing is a locator that stops working.
type failing struct {
	cs.Static
	err error
}

func (f *failing) Locate(ctx context.Context, country string, service cs.Service, major int) (*url.URL, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.Static.Locate(ctx, country, service, major)
}

// TestClientOutlivesTheDNS asks while the DNS fails, and when it says that the
// directory is gone.
func TestClientOutlivesTheDNS(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	where := &failing{Static: d.locator()}
	client := d.client(t, func(cfg *cs.ClientConfig) { cfg.Locator = where })
	ask := func() error {
		_, _, err := client.EvidenceTypes(context.Background(), seed.Requirement("birth"), "FI")
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	where.err = errors.New("the DNS answers SERVFAIL")
	if err := ask(); err != nil {
		t.Errorf("while the DNS fails: %v", err)
	}
	where.err = cs.ErrNoRecord
	if err := ask(); !errors.Is(err, cs.ErrNoRecord) {
		t.Errorf("without a record: %v", err)
	}
}

// TestClientIsNotHarmedByItsCallers changes what it got.
func TestClientIsNotHarmedByItsCallers(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	c := d.client(t, nil)
	for range 2 {
		list, _, err := c.Requirements(context.Background(), "T2", "FI")
		if err != nil || len(list) != 1 || list[0].ID != seed.Requirement("sec-qual") {
			t.Fatalf("%v, %v", list, err)
		}
		list[0].ID = "spoilt"
	}
}

// TestClientRetries reaches the directory at the second attempt.
func TestClientRetries(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	tries := 0
	client := d.client(t, func(cfg *cs.ClientConfig) {
		cfg.Retries, cfg.Pause = 1, time.Nanosecond
		cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if tries++; tries == 1 {
				return nil, errors.New("no connection")
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	if _, _, err := client.Requirements(context.Background(), "T2", "FI"); err != nil || tries != 2 {
		t.Errorf("%v after %d attempts", err, tries)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestErrorsKeepAnswersSecret looks for a user's answer in an error's words.
func TestErrorsKeepAnswersSecret(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	classification, _ := seed.EvidenceType("DE", "birth-cert")
	client := d.client(t, func(cfg *cs.ClientConfig) { cfg.Locator = cs.Static{"*/dsd": "http://127.0.0.1:1/dsd/"} })
	_, err := client.DataServices(context.Background(), cs.DataServiceQuery{Classification: classification, Country: "DE",
		Answers: map[string]string{"e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55": "SECRETTOWN"}})
	if err == nil || strings.Contains(fmt.Sprintf("%v", err), "SECRET") {
		t.Errorf("the error says %v", err)
	}
}

// TestPlaceOfOldLines answers a directory that asks for a region in the way of
// line 1.0.
func TestPlaceOfOldLines(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	diploma, record := seed.EvidenceType("FI", "sec-diploma")
	question := `<query:QueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0"
 xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:4.0" xmlns:sdg="http://data.europa.eu/p4s" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"><rs:Exception xsi:type="rs:ObjectNotFoundExceptionType" code="DSD:ERR:0005"
 message="The query requires the included extra attributes to be provided by the user" severity="urn:sr.oots.tech.ec.europa.eu:codes:ErrorSeverity:DSDErrorResponse:AdditionalInput">
 <rim:Slot name="JurisdictionDetermination"><rim:SlotValue xsi:type="rim:AnyValueType"><sdg:EvidenceProviderJurisdictionDetermination>
 <sdg:JurisdictionContextId>0A0A0A0A-1111-4222-8333-444444444444</sdg:JurisdictionContextId><sdg:JurisdictionContext lang="EN">Region of the school</sdg:JurisdictionContext>
 <sdg:JurisdictionLevel>NUTS2</sdg:JurisdictionLevel></sdg:EvidenceProviderJurisdictionDetermination></rim:SlotValue></rim:Slot>
 <rim:Slot name="DataServiceEvidenceType"><rim:SlotValue xsi:type="rim:AnyValueType"><sdg:DataServiceEvidenceType><sdg:Identifier>` + record + `</sdg:Identifier>
 <sdg:EvidenceTypeClassification>` + diploma + `</sdg:EvidenceTypeClassification><sdg:Title lang="EN">Diploma</sdg:Title><sdg:DistributedAs><sdg:Format>application/pdf</sdg:Format></sdg:DistributedAs>
 </sdg:DataServiceEvidenceType></rim:SlotValue></rim:Slot></rs:Exception></query:QueryResponse>`
	b := &between{next: d.Server}
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	b.set(func(w http.ResponseWriter, r *http.Request, g *httptest.ResponseRecorder) {
		q := r.URL.Query()
		if q.Get("jurisdiction-context-id") != "" {
			if q.Get("jurisdiction-admin-l2") != "FI1C" || q.Get("evidence-type-id") != record {
				t.Errorf("the answer was sent as %v", q)
			}
			pass(w, g, g.Body.Bytes())
			return
		}
		digest, signature, _ := d.authority.signer("x").Sign([]byte(question))
		w.Header().Set(cs.HeaderDigest, digest)
		w.Header().Set(cs.HeaderSignature, signature)
		w.Write([]byte(question))
	})
	client := d.client(t, func(cfg *cs.ClientConfig) {
		cfg.Locator, cfg.Line = cs.Static{"*/dsd": front.URL + "/dsd/"}, cs.V10
	})
	query := cs.DataServiceQuery{Classification: diploma, Country: "FI", Specification: "oots-edm:v1.2"}
	s, err := client.DataServices(context.Background(), query)
	if err != nil || len(s.Questions) != 1 || s.Questions[0].Type != cs.AskPlace || !s.Questions[0].Accepts("FI1C") || s.Questions[0].Accepts("Uusimaa") {
		t.Fatalf("%+v, %v", s, err)
	}
	q := s.Questions[0]
	query.Place, query.Record = &cs.Place{Context: q.ID, Level: q.Level, Code: "FI1C"}, q.Records[0].ID
	if s, err = client.DataServices(context.Background(), query); err != nil || len(s.Records) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

func FuzzDecode(f *testing.F) {
	d := newDirectory(f, seed.DataSet())
	classification, _ := seed.EvidenceType("DE", "birth-cert")
	for _, query := range []string{
		"/eb/rest/search?queryId=" + cs.QueryRequirements + "&country-code=FI",
		"/eb/rest/search?queryId=" + cs.QueryEvidenceTypes + "&country-code=LI&requirement-id=" + seed.Requirement("sec-qual"),
		"/dsd/rest/search?queryId=" + cs.QueryDataServices + "&country-code=DE&evidence-type-classification=" + classification,
		"/eb/rest/search",
	} {
		r, _ := http.NewRequest(http.MethodGet, d.http.URL+query, nil)
		r.Header.Set(cs.HeaderAcceptVersion, string(cs.V20))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			f.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := cs.Decode(body)
		if err == nil && d.Refusal == nil && len(d.Asked)+len(d.Records)+len(d.Requirements) == 0 {
			t.Error("an answer that says nothing is read")
		}
	})
}
