package partner

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/pki"
)

// Directories are the platform's Evidence Broker and Data Service Directory.
// They answer from a data set, and misbehave when told to.
type Directories struct {
	Base string // their address, ending in a slash
	Root *x509.Certificate
	now  func() time.Time

	server    *cs.Server
	signer    *cs.Signer
	foreign   *cs.Signer // of a root that nobody trusts
	old       *cs.Signer // whose certificate has expired
	catalogue *cs.Catalogue
	first     *cs.DataSet
	registry  *lcm.LifecycleManager // of this case; nil before the first submission

	mu       sync.Mutex
	mode     *Misbehaviour
	asked    []Asked
	answered [][]byte
}

// Asked is one query that a client put.
type Asked struct {
	Path   string
	Params url.Values
	Header http.Header
}

// Value is a parameter of a query by its name, "path", or a header by
// "header:NAME".
func (a *Asked) Value(name string) string {
	if name == "path" {
		return a.Path
	}
	if header, ok := strings.CutPrefix(name, "header:"); ok {
		return a.Header.Get(header)
	}
	return a.Params.Get(name)
}

// Misbehaviour is one way in which a directory fails its client.
type Misbehaviour struct {
	Name, About string
	// Sound ones are within the specification: a client must bear them.
	Sound  bool
	change func(d *Directories, a *recorder)
}

// Misbehaviours are all, each under its name.
var Misbehaviours = []Misbehaviour{
	{Name: "usual", About: "answers as it should", Sound: true, change: func(*Directories, *recorder) {}},
	{Name: "no-signature", About: "the answer carries no signature", change: func(_ *Directories, a *recorder) { a.Header().Del(cs.HeaderSignature) }},
	{Name: "no-digest", About: "the answer carries no digest", change: func(_ *Directories, a *recorder) { a.Header().Del(cs.HeaderDigest) }},
	{Name: "tampered-body", About: "the body was changed after signing", change: func(_ *Directories, a *recorder) {
		a.setBody(strings.Replace(a.body.String(), "demo", "DEMO", 1))
	}},
	{Name: "tampered-digest", About: "body and digest were changed after signing", change: func(_ *Directories, a *recorder) {
		a.setBody(strings.Replace(a.body.String(), "demo", "DEMO", 1))
		a.Header().Set(cs.HeaderDigest, cs.Digest(a.body.Bytes()))
	}},
	{Name: "foreign-root", About: "signed under a root that nobody trusts", change: func(d *Directories, a *recorder) { a.sign(d.foreign) }},
	{Name: "expired-certificate", About: "signed with a certificate that has expired", change: func(d *Directories, a *recorder) { a.sign(d.old) }},
	{Name: "other-signature", About: "the signature of another answer", change: func(d *Directories, a *recorder) {
		_, sig, err := d.signer.Sign([]byte("another answer"))
		if err == nil {
			a.Header().Set(cs.HeaderSignature, sig)
		}
	}},
	{Name: "attached-payload", About: "the JWS carries a payload", change: func(_ *Directories, a *recorder) {
		a.Header().Set(cs.HeaderSignature, strings.Replace(a.Header().Get(cs.HeaderSignature), "..", "."+base64.RawURLEncoding.EncodeToString([]byte("{}"))+".", 1))
	}},
	{Name: "unsigned-algorithm", About: "the JWS says alg none", change: func(_ *Directories, a *recorder) {
		head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","b64":false,"crit":["b64","sigD"],"sigD":{"mId":"http://uri.etsi.org/19182/HttpHeaders","pars":["digest"]}}`))
		a.Header().Set(cs.HeaderSignature, head+"..")
	}},
	{Name: "other-line", About: "answers in another line than was asked", change: func(d *Directories, a *recorder) {
		a.setBody(strings.NewReplacer("oots-cs:v2.0", "oots-cs:v1.2", "oots-cs:v1.2", "oots-cs:v2.0").Replace(a.body.String()))
		a.sign(d.signer)
	}},
	{Name: "unknown-line", About: "answers in a line that does not exist", change: func(d *Directories, a *recorder) {
		a.setBody(strings.NewReplacer("oots-cs:v2.0", "oots-cs:v9.9", "oots-cs:v1.2", "oots-cs:v9.9").Replace(a.body.String()))
		a.sign(d.signer)
	}},
	{Name: "other-answer", About: "a well signed answer to another question", change: func(d *Directories, a *recorder) {
		a.setBody(strings.NewReplacer("/requirements/", "/requirements/9", "evidencetypeclassifications/FI/", "evidencetypeclassifications/FI/9").Replace(a.body.String()))
		a.sign(d.signer)
	}},
	{Name: "server-error", About: "status 500", change: func(_ *Directories, a *recorder) {
		a.header, a.status = http.Header{"Content-Type": {"text/plain"}}, http.StatusInternalServerError
		a.setBody("out of order")
	}},
	{Name: "page", About: "a proxy's page", change: func(_ *Directories, a *recorder) {
		a.header = http.Header{"Content-Type": {"text/html"}}
		a.setBody("<html><body>Welcome to the proxy</body></html>")
	}},
	{Name: "signed-garbage", About: "something well signed that is no answer", change: func(d *Directories, a *recorder) {
		a.setBody("<answer/>")
		a.sign(d.signer)
	}},
	{Name: "redirect", About: "sends the client elsewhere", change: func(d *Directories, a *recorder) {
		a.status = http.StatusFound
		a.Header().Set("Location", d.Base+"elsewhere")
	}},
	{Name: "endless", About: "an answer far larger than any sound one", change: func(d *Directories, a *recorder) {
		a.setBody(a.body.String() + strings.Repeat("<!-- -->", 4<<20))
		a.sign(d.signer)
	}},
}

// FindMisbehaviour is that of a name, nil when there is none.
func FindMisbehaviour(name string) *Misbehaviour {
	if i := slices.IndexFunc(Misbehaviours, func(m Misbehaviour) bool { return m.Name == name }); i >= 0 {
		return &Misbehaviours[i]
	}
	return nil
}

func (a *recorder) setBody(s string) {
	a.body.Reset()
	a.body.WriteString(s)
	a.Header().Del("Content-Length")
}

func (a *recorder) sign(s *cs.Signer) {
	digest, sig, err := s.Sign(a.body.Bytes())
	if err != nil {
		return
	}
	a.Header().Set(cs.HeaderDigest, digest)
	a.Header().Set(cs.HeaderSignature, sig)
}

// NewDirectories makes the directories of a data set. Their signing
// certificates come from an authority of their own.
func NewDirectories(base string, set *cs.DataSet, now func() time.Time) (*Directories, error) {
	d := &Directories{Base: base, now: now, first: set, mode: FindMisbehaviour("usual")}
	var err error
	if d.signer, d.Root, err = newSigner(now, 0); err != nil {
		return nil, err
	}
	if d.foreign, _, err = newSigner(now, 0); err != nil {
		return nil, err
	}
	if d.catalogue, err = cs.NewCatalogue(set); err != nil {
		return nil, err
	}
	d.server, err = cs.NewServer(cs.ServerConfig{Catalogue: d.catalogue, Signer: d.signer})
	return d, err
}

// SignWith lets an identity sign what the directories answer from now on, under
// the last certificate of its chain.
func (d *Directories) SignWith(id *pki.Identity) (err error) {
	d.signer = &cs.Signer{Key: id.Signer(), Chain: id.Chain, Now: d.now}
	d.Root = id.Chain[len(id.Chain)-1]
	d.server, err = cs.NewServer(cs.ServerConfig{Catalogue: d.catalogue, Signer: d.signer})
	return err
}

// newSigner makes a signing key under a root of its own.
func newSigner(now func() time.Time, age time.Duration) (*cs.Signer, *x509.Certificate, error) {
	ca, err := pki.NewCA(pki.CAConfig{Name: "OOTS testbed directory root", Now: now})
	if err != nil {
		return nil, nil, err
	}
	s, err := issueSigner(ca, now, age)
	return s, ca.Cert(), err
}

func issueSigner(ca *pki.CA, now func() time.Time, age time.Duration) (*cs.Signer, error) {
	id, err := ca.Issue(pki.Request{Name: "OOTS testbed directory", Use: pki.Sign, Key: pki.P256, Age: age})
	if err != nil {
		return nil, err
	}
	key, ok := id.Key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("partner: the key of the directory cannot sign")
	}
	return &cs.Signer{Key: key, Chain: id.Chain, Now: now}, nil
}

// Reset begins a new case: nothing asked, nothing wrong, the first data set.
func (d *Directories) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mode, d.asked, d.answered, d.registry = FindMisbehaviour("usual"), nil, nil, nil
	if d.catalogue.DataSet() != d.first {
		_ = d.catalogue.Publish(d.first)
	}
}

// Behave sets how it answers from now on.
func (d *Directories) Behave(m *Misbehaviour) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mode = m
	if m.Name == "expired-certificate" && d.old == nil {
		d.old, _, _ = newSigner(func() time.Time { return d.now().AddDate(-3, 0, 0) }, 0)
	}
}

// Change publishes another data set, made from the one in service.
func (d *Directories) Change(f func(*cs.DataSet) *cs.DataSet) error {
	return d.catalogue.Publish(f(d.catalogue.DataSet()))
}

// Take judges a country's submission as a registry does; what it accepts is
// served from then on.
func (d *Directories) Take(ctx context.Context, party, country string, raw []byte) (action string, answer []byte, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.registry == nil {
		if d.registry, err = lcm.New(ctx, lcm.Config{Store: &lcm.Memory{}, Baseline: d.first, Now: d.now}); err != nil {
			return "", nil, err
		}
	}
	answer, revision, err := d.registry.Answer(ctx, lcm.Author{Party: party, How: lcm.ByAS4}, country, raw)
	switch {
	case revision != nil:
		return as4.ActionSubmitDone, answer, d.catalogue.Publish(d.registry.DataSet())
	case answer != nil:
		return as4.ActionException, answer, nil
	}
	return "", nil, err
}

// Asked are the queries so far.
func (d *Directories) Asked() []Asked {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

// Answers are what was answered so far.
func (d *Directories) Answers() [][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.answered)
}

// ServeHTTP answers a query.
func (d *Directories) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	mode := d.mode
	query := strings.HasSuffix(r.URL.Path, "/rest/search")
	if query && len(d.asked) < 1000 {
		d.asked = append(d.asked, Asked{r.URL.Path, r.URL.Query(), r.Header.Clone()})
	}
	d.mu.Unlock()
	var a recorder
	d.server.ServeHTTP(&a, r)
	if query {
		mode.change(d, &a)
		d.mu.Lock()
		if a.status == http.StatusOK && len(d.answered) < 1000 {
			d.answered = append(d.answered, slices.Clone(a.body.Bytes()))
		}
		d.mu.Unlock()
	}
	a.copyTo(w)
}
