package commonservices_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// authority is a root that signs certificates of directories.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	root *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t}
	a.key, a.root = a.issue("Test root", nil)
	return a
}

func (a *authority) issue(name string, parent *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<60))
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(48 * time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}
	signer := a.key
	if parent == nil {
		c.IsCA, c.KeyUsage, parent, signer = true, x509.KeyUsageCertSign, c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, parsed
}

func (a *authority) signer(name string) *cs.Signer {
	key, c := a.issue(name, a.root)
	return &cs.Signer{Key: key, Chain: []*x509.Certificate{c, a.root}, Now: clock}
}

func (a *authority) verifier() *cs.Verifier {
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	return &cs.Verifier{Roots: roots, Now: clock}
}

// directory is a running instance, and whom to trust about it.
type directory struct {
	*cs.Server
	authority *authority
	http      *httptest.Server
}

func newDirectory(t testing.TB, d *cs.DataSet) *directory {
	t.Helper()
	c, err := cs.NewCatalogue(d)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	s, err := cs.NewServer(cs.ServerConfig{Catalogue: c, Signer: a.signer("first")})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return &directory{s, a, h}
}

func (d *directory) locator() cs.Static {
	return cs.Static{"*/eb": d.http.URL + "/eb/", "*/dsd": d.http.URL + "/dsd/"}
}

// client asks the instance; change, if any, changes its settings.
func (d *directory) client(t testing.TB, change func(*cs.ClientConfig)) *cs.Client {
	t.Helper()
	cfg := cs.ClientConfig{Locator: d.locator(), Verifier: d.authority.verifier(), Now: clock, Retries: -1, Repository: d.http.URL}
	if change != nil {
		change(&cfg)
	}
	c, err := cs.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// raw asks a query by hand and verifies the answer's signature.
func (d *directory) raw(t testing.TB, service, version string, query url.Values) (string, *http.Response) {
	t.Helper()
	r, _ := http.NewRequest(http.MethodGet, d.http.URL+"/"+service+"/rest/search?"+query.Encode(), nil)
	if version != "" {
		r.Header.Set(cs.HeaderAcceptVersion, version)
	}
	return d.send(t, r)
}

func (d *directory) send(t testing.TB, r *http.Request) (string, *http.Response) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.authority.verifier().Verify(body, resp.Header.Get(cs.HeaderDigest), resp.Header.Get(cs.HeaderSignature)); err != nil {
		t.Fatalf("%s: %v\n%s", r.URL, err, body)
	}
	return string(body), resp
}

func code(err error) string {
	var e *cs.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return ""
}

// TestSeedAnswers asks what the seed promises.
func TestSeedAnswers(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	ctx := context.Background()
	for _, line := range cs.Lines() {
		t.Run(string(line), func(t *testing.T) {
			c := d.client(t, func(cfg *cs.ClientConfig) { cfg.Line = line })
			list, _, err := c.Requirements(ctx, "T2", "NL")
			if err != nil || len(list) != 1 || list[0].ID != seed.Requirement("sec-qual") || len(list[0].Frameworks) != 1 {
				t.Errorf("T2 in NL: %v, %v", list, err)
			}
			r, _, err := c.EvidenceTypes(ctx, seed.Requirement("birth"), "FI")
			if err != nil || len(r.EvidenceTypeLists) != 1 {
				t.Errorf("birth in FI: %v, %v", r, err)
			}
			if r, _, err := c.EvidenceTypes(ctx, seed.Requirement("sec-qual"), "DE"); err != nil || len(r.EvidenceTypeLists) != 1 || len(r.EvidenceTypeLists[0].EvidenceTypes) != 2 {
				t.Errorf("sec-qual in DE is no list of two types: %v, %v", r, err)
			}
			if r, _, err := c.EvidenceTypes(ctx, seed.Requirement("birth"), "FR"); err != nil || len(r.EvidenceTypeLists) != 2 {
				t.Errorf("birth in FR is no choice of two lists: %v, %v", r, err)
			}
			if _, _, err := c.EvidenceTypes(ctx, seed.Requirement("birth"), "IE"); code(err) != "EB:ERR:0001" {
				t.Errorf("birth in IE: %v", err)
			}
			if _, _, err := c.EvidenceTypes(ctx, cs.RequirementAddress("12345678-1234-1234-1234-123456789012"), "FI"); code(err) != "EB:ERR:0002" {
				t.Errorf("an unknown requirement: %v", err)
			}
			if _, _, err := c.EvidenceTypes(ctx, seed.Requirement("birth"), "GR"); code(err) != "EB:ERR:0006" {
				t.Errorf("birth in GR: %v", err)
			}
			r, _, err = c.EvidenceTypes(ctx, seed.Requirement("sec-qual"), "LI")
			if line == cs.V20 {
				if err != nil || len(r.EvidenceTypeLists) != 1 || r.EvidenceTypeLists[0].MatchType != "NoMatch" {
					t.Errorf("sec-qual in LI: %v, %v", r, err)
				}
			} else if code(err) != "EB:ERR:0001" {
				t.Errorf("sec-qual in LI on a line without NoMatch: %v", err)
			}
			classification, record := seed.EvidenceType("FI", "sec-diploma")
			services, err := c.DataServices(ctx, cs.DataServiceQuery{Classification: classification, Country: "FI"})
			if err != nil || len(services.Records) != 1 || services.Records[0].ID != record || len(services.Records[0].AccessServices) != 1 || len(services.Records[0].AccessServices[0].ConformsTo) != 2 {
				t.Errorf("sec-diploma in FI: %v, %v", services, err)
			}
		})
	}
}

// TestDialogue is the script of the German birth certificate.
func TestDialogue(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	ctx := context.Background()
	classification, _ := seed.EvidenceType("DE", "birth-cert")
	for _, line := range cs.Lines() {
		c := d.client(t, func(cfg *cs.ClientConfig) { cfg.Line = line })
		query := cs.DataServiceQuery{Classification: classification, Country: "DE"}
		s, err := c.DataServices(ctx, query)
		if err != nil || len(s.Questions) != 1 || len(s.Records) != 0 {
			t.Fatalf("%s: %v, %v", line, s, err)
		}
		q := s.Questions[0]
		if q.Type != cs.AskCode || len(q.Choices) != 4 || !q.Accepts("KOELN") || q.Accepts("PARIS") || len(q.Texts) != 2 {
			t.Errorf("%s: the question is %+v", line, q)
		}
		for answer, want := range map[string]string{"HAMBURG": "", "KOELN": "DSD:ERR:0001", "PARIS": "DSD:ERR:0006"} {
			query.Answers = map[string]string{strings.ToUpper(q.ID): answer}
			s, err := c.DataServices(ctx, query)
			switch {
			case want != "" && code(err) != want:
				t.Errorf("%s, %s: %v, want %s", line, answer, err, want)
			case want == "" && (err != nil || len(s.Records) != 1 || len(s.Records[0].AccessServices) != 1 || s.Records[0].AccessServices[0].Publisher.Identifier.Value != "DEDEMO0001"):
				t.Errorf("%s, %s: %+v, %v", line, answer, s, err)
			}
		}
	}
}
