package watch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/pki"
)

// world is an instance of the Common Services with a watcher and its ledger.
type world struct {
	*Watcher
	t         *testing.T
	ledger    *ledger.Ledger
	catalogue *cs.Catalogue
	services  *httptest.Server
	pages     *httptest.Server
	now       time.Time
	pinged    error
	status    atomic.Int32 // that the links answer with
}

// serve begins a server with a certificate of ca; change may spoil its TLS.
func serve(t *testing.T, ca *pki.CA, h http.Handler, change func(*tls.Config)) *httptest.Server {
	t.Helper()
	id, err := ca.Issue(pki.Request{Name: "server", Use: pki.TLSServer, Key: pki.P256, Hosts: []string{"127.0.0.1", "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{id.TLS()}, MinVersion: tls.VersionTLS12}
	if change != nil {
		change(s.TLS)
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the probes try what must fail
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func newWorld(t *testing.T, change func(*tls.Config)) *world {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, now: time.Now().UTC().Truncate(24 * time.Hour).Add(6 * time.Hour)}
	w.status.Store(200)
	ca, err := pki.NewCA(pki.CAConfig{})
	ok(err)
	w.catalogue, err = cs.NewCatalogue(seed.Network("FI", "NL", "DE"))
	ok(err)
	sign, err := ca.Issue(pki.Request{Name: "signer", Use: pki.Sign, Key: pki.P256})
	ok(err)
	server, err := cs.NewServer(cs.ServerConfig{Catalogue: w.catalogue, Signer: &cs.Signer{Key: sign.Signer(), Chain: sign.Chain}})
	ok(err)
	w.services = serve(t, ca, server, change)
	w.pages = serve(t, ca, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(rw, r, "http://"+r.Host+"/", http.StatusFound)
		case "/round":
			http.Redirect(rw, r, "/round", http.StatusFound)
		case "/moved":
			http.Redirect(rw, r, "/", http.StatusFound)
		default:
			rw.WriteHeader(int(w.status.Load()))
			fmt.Fprint(rw, strings.Repeat("words ", 100_000))
		}
	}), nil)
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert())
	w.ledger = ledger.New(ledger.Config{Store: &ledger.Memory{}, Now: func() time.Time { return w.now }})
	w.Watcher, err = New(Config{Ledger: w.ledger, Private: true, Sample: true, Links: &tls.Config{RootCAs: roots}, Now: func() time.Time { return w.now },
		Environments: []Environment{{Code: ledger.ProductionEnv, Roots: roots, TLS: roots, Repository: w.services.URL, Now: time.Now,
			Locator:   cs.Static{"FI/eb": w.services.URL + "/eb/", "NL/eb": w.services.URL + "/eb/", "DE/eb": w.services.URL + "/eb/", "AT/eb": w.services.URL + "/eb/", "*/dsd": w.services.URL + "/dsd/"},
			Transport: &http.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: roots}},
			Ping:      func(context.Context, string) error { return w.pinged }}}})
	ok(err)
	return w
}

func (w *world) see(country string) []ledger.Fact {
	w.t.Helper()
	facts, err := w.Look(w.t.Context(), ledger.ProductionEnv, country)
	if err != nil {
		w.t.Fatal(err)
	}
	return facts
}

// kept is how many facts the ledger holds.
func (w *world) kept() (n int) {
	for _, err := range w.ledger.Facts(w.t.Context(), ledger.Filter{}) {
		if err != nil {
			w.t.Fatal(err)
		}
		n++
	}
	return n
}

// says is a finding in short.
func says(f ledger.Fact) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s%s", f.Body.Item, f.Subject.Role, f.Subject.Authority, f.Body.Outcome, strings.Repeat("#", f.Body.Count)))
}

func find(facts []ledger.Fact, item string) (all []string) {
	for _, f := range facts {
		if f.Body.Item == item {
			all = append(all, says(f))
		}
	}
	return all
}

func TestWhatIsSeenOfACountry(t *testing.T) {
	w := newWorld(t, nil)
	facts := w.see("DE")
	for item, want := range map[string][]string{
		"procedure":       {"procedure requester  ####"},
		"data-service":    {"data-service provider DEDEMO0001 #", "data-service provider DEDEMO0002 #", "data-service provider DEDEMO0003 #", "data-service provider DEDEMO0004 #", "data-service provider DEDEMO0005 ##", "data-service provider DEDEMO0006 #"},
		"evidence-type":   {"evidence-type provider DEDEMO0001 #", "evidence-type provider DEDEMO0002 #", "evidence-type provider DEDEMO0003 #", "evidence-type provider DEDEMO0004 #", "evidence-type provider DEDEMO0005 ##", "evidence-type provider DEDEMO0006 #"},
		"revision":        nil,
		"as4-ping":        {"as4-ping   pass"},
		"cs-reachability": {"cs-reachability   pass"},
		"cs-signature":    {"cs-signature   pass"},
		"tls":             {"tls   pass"},
		"naptr":           nil,
	} {
		if got := find(facts, item); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", item, got, want)
		}
	}
	for _, f := range facts {
		f.RecordedAt = time.Time{}
		if err := ledger.Check(f); err != nil {
			t.Error(err)
		}
		if f.Asserter != "platform" || f.Verifier != "platform" || f.Environment != ledger.ProductionEnv || !f.Sample || !strings.HasSuffix(f.ID, w.now.Format(":20060102-0")) {
			t.Errorf("%+v", f)
		}
	}
	// A country whose data services are not in the directory shows none.
	if facts := w.see("AT"); len(find(facts, "data-service")) != 0 || len(find(facts, "procedure")) != 1 {
		t.Errorf("of AT is seen %q and %q", find(facts, "data-service"), find(facts, "procedure"))
	}
}

func TestASecondLookOfTheDayTellsChangesOnly(t *testing.T) {
	w := newWorld(t, nil)
	w.see("FI")
	kept := w.kept()
	w.now = w.now.Add(time.Hour)
	if w.see("FI"); w.kept() != kept {
		t.Errorf("%d facts became %d without a change", kept, w.kept())
	}
	for _, err := range []error{errors.New("gone"), fmt.Errorf("no partner: %w", ErrUntried), errors.New("gone again")} {
		kept, w.now, w.pinged = w.kept(), w.now.Add(time.Hour), err
		facts := w.see("FI")
		outcome := "pass"
		if errors.Is(err, ErrUntried) {
			outcome = "error"
		} else if err != nil {
			outcome = "fail"
		}
		if got := find(facts, "as4-ping"); w.kept() != kept+1 || !slices.Equal(got, []string{"as4-ping   " + outcome}) {
			t.Errorf("%d facts became %d, the ping says %q", kept, w.kept(), got)
		}
	}
	w.now = w.now.Add(24 * time.Hour)
	kept = w.kept()
	if facts := w.see("FI"); w.kept() != kept+len(facts) {
		t.Errorf("the next day tells %d facts of %d", w.kept()-kept, len(facts))
	}
}

// A change of what is published is a revision, and stays one the next day.
func TestARevisionIsSeen(t *testing.T) {
	w := newWorld(t, nil)
	w.see("FI")
	set := w.catalogue.DataSet()
	part := *set.Contributions["FI"]
	part.Providers = slices.Clone(part.Providers)
	part.Providers[0].Names = slices.Clone(part.Providers[0].Names)
	part.Providers[0].Names[0].Value = "Demo Board of Learning"
	if err := w.catalogue.Publish(set.With(&part)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := find(w.see("FI"), "revision"); !slices.Equal(got, []string{"revision provider  #"}) {
			t.Errorf("the revisions are %q", got)
		}
		w.now = w.now.Add(24 * time.Hour)
	}
	if got := find(w.see("NL"), "revision"); len(got) > 0 {
		t.Errorf("another country's revision is NL's: %q", got)
	}
}

// What the probes must find, each fault by its own probe and nothing else.
func TestProbesFindTheirFault(t *testing.T) {
	for _, c := range []struct {
		name   string
		tls    func(*tls.Config)
		change func(w *world)
		fails  []string
	}{
		{"nothing", nil, func(*world) {}, nil},
		{"the access point is down", nil, func(w *world) { w.pinged = errors.New("nobody answers") }, []string{"as4-ping"}},
		{"signed by somebody else", nil, func(w *world) { w.c.Environments[0].Roots = x509.NewCertPool() }, []string{"cs-reachability", "cs-signature"}},
		{"nobody answers", nil, func(w *world) { w.services.Close() }, []string{"cs-reachability", "cs-signature", "tls"}},
		{"an old TLS", func(c *tls.Config) { c.MinVersion = tls.VersionTLS10 }, func(*world) {}, []string{"tls"}},
		{"a certificate of somebody else", nil, func(w *world) { w.c.Environments[0].TLS = x509.NewCertPool() }, []string{"tls"}},
		{"no name in the DNS", nil, func(w *world) {
			w.c.Environments[0].Locator = &cs.NAPTR{Server: "127.0.0.1:1", Environment: "prod", Zone: "oots.example", Timeout: 100 * time.Millisecond}
		}, []string{"cs-reachability", "cs-signature", "naptr", "tls"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.tls)
			c.change(w)
			var failed []string
			for _, f := range w.see("FI") {
				if f.Kind == ledger.Probe && f.Body.Outcome != "pass" {
					failed = append(failed, f.Body.Item)
				}
			}
			slices.Sort(failed)
			if !slices.Equal(failed, c.fails) {
				t.Errorf("fail %q, want %q", failed, c.fails)
			}
		})
	}
}

func (w *world) open(link, support string) {
	w.t.Helper()
	if _, err := w.ledger.Append(w.t.Context(), ledger.Fact{ID: "open-" + w.now.Format("20060102"), Kind: ledger.AuthorityConnection, Asserter: "ms:FI", Verifier: "commission:desk", Environment: ledger.ProductionEnv,
		HappenedAt: w.now, Subject: ledger.Subject{Country: "FI", Role: ledger.Provider, Authority: "FIDEMO0001"}, Body: ledger.Body{State: "open", Link: link, SupportLink: support}}); err != nil {
		w.t.Fatal(err)
	}
}

func TestLinksOfOpenServicesAreOpened(t *testing.T) {
	w := newWorld(t, nil)
	if facts := w.see("FI"); len(find(facts, "public-link"))+len(find(facts, "support-link")) > 0 {
		t.Error("links are probed before a service is open")
	}
	for _, c := range []struct {
		name, path    string
		status        int
		private       bool
		link, support string
	}{
		{"both answer", "/", 200, true, "pass", "pass"},
		{"moved within the site", "/moved", 200, true, "pass", "pass"},
		{"the service is away", "/", 503, true, "fail", "fail"},
		{"leads to plain http", "/elsewhere", 200, true, "fail", "pass"},
		{"leads nowhere", "/round", 200, true, "fail", "pass"},
		{"leads to this machine", "/", 200, false, "fail", "fail"},
	} {
		w.now = w.now.Add(24 * time.Hour)
		w.status.Store(int32(c.status))
		w.links = newLinkClient(c.private, w.c.Links)
		w.open(w.pages.URL+c.path, w.pages.URL+"/support")
		facts := w.see("FI")
		if got, want := append(find(facts, "public-link"), find(facts, "support-link")...), []string{"public-link provider FIDEMO0001 " + c.link, "support-link provider FIDEMO0001 " + c.support}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
}

func TestWhereNoLinkMayLead(t *testing.T) {
	l := newLinkClient(false, nil)
	for _, link := range []string{"http://once-only.example/", "https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://127.0.0.1/", "https://127.8.8.8/", "https://[::1]/",
		"https://[::ffff:127.0.0.1]/", "https://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/", "https://[fd00::1]/", "https://user:secret@once-only.example/", "https:///x", "ftp://once-only.example/", "://", "https://0.0.0.0/"} {
		if err := l.opens(t.Context(), link); err == nil {
			t.Errorf("%s is opened", link)
		}
	}
}

// TestTheLoop runs on virtual time: first at the start, then about once a day,
// never twice for one period, and a restart goes on where it was.
func TestTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledger.New(ledger.Config{Store: &ledger.Memory{}})
		lost := 0
		for _, cc := range []string{"FI", "PT", "SE"} {
			if _, err := l.Append(t.Context(), ledger.Fact{ID: "n-" + cc, Kind: ledger.Nomination, Asserter: "ms:" + cc, Subject: ledger.Subject{Country: cc}, HappenedAt: time.Now(), Body: ledger.Body{Function: "coordinator"}}); err != nil {
				t.Fatal(err)
			}
		}
		var looks []string
		begin := time.Now()
		run := func(days int) {
			w, err := New(Config{Ledger: l, Seed: "test", Environments: []Environment{{Code: ledger.Acceptance, Roots: x509.NewCertPool(), Locator: cs.Static{}}}})
			if err != nil {
				t.Fatal(err)
			}
			w.look = func(ctx context.Context, code ledger.Environment, cc string) ([]ledger.Fact, error) {
				if cc == "SE" {
					lost++
					return nil, errors.New("the ledger is away")
				}
				looks = append(looks, fmt.Sprintf("%s %.1f", cc, time.Since(begin).Hours()/24))
				f := ledger.Fact{Kind: ledger.Probe, Environment: code, Subject: ledger.Subject{Country: cc}, Body: ledger.Body{Item: reachItem, Outcome: "pass"}}
				before, _, err := w.known(ctx, code, cc)
				if err != nil {
					return nil, err
				}
				return w.tell(ctx, []ledger.Fact{f}, before, time.Now())
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { w.Run(ctx); close(ended) }()
			time.Sleep(time.Duration(days) * 24 * time.Hour)
			synctest.Wait()
			stop()
			<-ended
		}
		run(2)
		if len(looks) != 6 || looks[0] != "PT 0.0" || looks[1] != "FI 0.0" {
			t.Fatalf("in two days: %q", looks)
		}
		if want := int(2 * 24 * time.Hour / afterFailure); lost < want/2 || lost > want+want/10 {
			t.Errorf("a look that fails is tried %d times in two days, want about %d", lost, want)
		}
		before := len(looks)
		run(1) // a new process
		if again := looks[before:]; len(again) == 0 || len(again) > 4 || again[0] == looks[before-1] {
			t.Errorf("after a restart: %q then %q", looks[:before], again)
		}
	})
}
