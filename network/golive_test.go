package network_test

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/projectathon/watch"
)

// walk is a country's way into production over a running network: what happens
// there, and beside it what roles assert.
type walk struct {
	t       *testing.T
	clock   network.Clock
	n       *network.Network
	ledger  *ledger.Ledger
	watcher *watch.Watcher
	kit     *sample.Kit
	service *network.Service
	told    int // facts of the kit that are in the ledger
}

func newWalk(t *testing.T, country string, role ledger.Role, partners ...string) *walk {
	t.Helper()
	w := &walk{t: t, ledger: ledger.New(ledger.Config{Store: &ledger.Memory{}})}
	w.n = start(t, network.Plan{Countries: append([]string{country}, partners...), Now: w.clock.Now})
	w.clock.Forward(3 * time.Hour) // as after an event that did not wait
	var err error
	w.watcher, err = watch.New(watch.Config{Ledger: w.ledger, Environments: []watch.Environment{w.n.Acceptance.Watched(), w.n.Production.Watched()}, Private: true, Sample: true,
		Links: &tls.Config{RootCAs: w.n.Roots()}})
	if err != nil {
		t.Fatal(err)
	}
	w.kit = sample.NewKit(country, role, nil, append(partners, "ES", "PT")[:3]...)
	w.kit.Event = "event"
	return w
}

// patient gives a step of the walk more time than a message needs: a loaded
// machine under the race detector is slow, and nothing here is about time.
func patient(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// assert lets roles assert criteria that no machine shows.
func (w *walk) assert(criteria ...string) {
	w.t.Helper()
	for _, c := range criteria {
		w.kit.Show(c, time.Now().UTC())
	}
	w.append(w.kit.Facts[w.told:]...)
	w.told = len(w.kit.Facts)
}

func (w *walk) append(facts ...ledger.Fact) {
	w.t.Helper()
	for i := range facts {
		facts[i].RecordedAt = time.Time{}
	}
	if _, err := w.ledger.Append(w.t.Context(), facts...); err != nil {
		w.t.Fatal(err)
	}
}

// take puts facts of a step into the ledger.
func (w *walk) take(facts []ledger.Fact, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	w.append(facts...)
}

func (w *walk) see(env ledger.Environment) {
	w.t.Helper()
	if _, err := w.watcher.Look(w.t.Context(), env, w.kit.Country); err != nil {
		w.t.Fatal(err)
	}
}

// connect is the country's word that its authority stands so far, confirmed by
// the service desk.
func (w *walk) connect(state string) {
	w.t.Helper()
	f := w.service.Connection(state)
	f.ID, f.Verifier, f.HappenedAt = "connection-"+state, "commission:desk", time.Now().UTC()
	w.append(f)
}

// facts are everything that the ledger holds.
func (w *walk) facts() (all []ledger.Fact) {
	w.t.Helper()
	for e, err := range w.ledger.Facts(w.t.Context(), ledger.Filter{}) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, e.Fact)
	}
	return all
}

// standing is where the country stands by facts.
func standing(country string, facts []ledger.Fact) am.Standing {
	for _, s := range am.Assess(am.AM1(), facts, time.Now().Add(time.Second)) {
		if s.Country == country {
			return s
		}
	}
	return am.Standing{}
}

func (w *walk) wantLevel(level int) {
	w.t.Helper()
	if s := standing(w.kit.Country, w.facts()); s.Level != level {
		w.t.Errorf("%s stands on level %d, want %d; missing: %q", w.kit.Country, s.Level, level, missing(s, w.kit.Role))
	}
}

// missing are the criteria that are not met in a role.
func missing(s am.Standing, role ledger.Role) (all []string) {
	for _, r := range s.Of(role).Results {
		if r.State == am.Missing {
			all = append(all, r.Criterion)
		}
	}
	return all
}

// untilFour are criteria up to level 4 that no machine of this test shows: tests
// have their own, sessions and items are people's.
var untilFour = []string{"AM2.1", "AM2.2", "AM2.3", "AM2.4", "AM3.1", "AM3.2", "AM3.4", "AM4.1", "AM4.2", "AM4.3", "AM4.4", "AM4.5", "AM5.1"}

// climb goes all the way from level 2 to 6.
func (w *walk) climb(partner string) {
	w.t.Helper()
	w.assert(untilFour...)
	w.wantLevel(2)
	w.see(ledger.Acceptance)
	w.wantLevel(3)
	for item := 1; item <= 20; item++ { // the session is people's; its probes are not
		if item < 11 || item > 15 {
			w.kit.Check(itoa(item), time.Now().UTC())
		}
	}
	w.kit.Check("session", time.Now().UTC())
	w.assert()
	w.wantLevel(3)
	w.see(ledger.ProductionEnv)
	w.wantLevel(4)
	s, facts, err := w.n.GoLive(patient(w.t), w.kit.Country, w.kit.Role, partner)
	w.take(facts, err)
	w.service = s
	w.connect("connected")
	w.wantLevel(4)
	w.see(ledger.ProductionEnv)
	w.wantLevel(5)
	if _, err := s.Use(patient(w.t)); err == nil {
		w.t.Error("a service is used before it is open")
	}
	if err := s.Open(); err != nil {
		w.t.Fatal(err)
	}
	w.connect("open")
	w.wantLevel(5)
	w.see(ledger.ProductionEnv)
	w.wantLevel(5)
	w.take(s.Use(patient(w.t)))
	w.wantLevel(5)
	w.take(s.Report(patient(w.t), time.Now().UTC().Format("2006-01")))
	w.wantLevel(6)
}

// TestTheWayThroughProduction takes a provider and a requester from level 2 to 6;
// then every ingredient is taken away by itself, and the level with it.
func TestTheWayThroughProduction(t *testing.T) {
	t.Run("requester", func(t *testing.T) { newWalk(t, "NL", ledger.Requester, "FI", "DE").climb("FI") })
	w := newWalk(t, "FI", ledger.Provider, "NL", "DE")
	w.climb("NL")
	all := w.facts()
	for _, c := range []struct {
		name  string
		level int
		gone  func(f *ledger.Fact) bool
	}{
		{"nothing", 6, func(f *ledger.Fact) bool { return false }},
		{"the observation of acceptance", 6, func(f *ledger.Fact) bool { // one of production counts there too
			return f.Kind == ledger.DirectoryObservation && f.Environment == ledger.Acceptance
		}},
		{"every observation", 2, func(f *ledger.Fact) bool { return f.Kind == ledger.DirectoryObservation }},
		{"the observation of production", 4, func(f *ledger.Fact) bool {
			return f.Kind == ledger.DirectoryObservation && f.Environment == ledger.ProductionEnv
		}},
		{"the authority in the directory", 4, func(f *ledger.Fact) bool {
			return f.Kind == ledger.DirectoryObservation && f.Environment == ledger.ProductionEnv && f.Subject.Authority == w.service.Authority
		}},
		{"the ping", 3, probe("as4-ping")},
		{"the reach of the directories", 3, probe("cs-reachability")},
		{"the signature", 3, probe("cs-signature")},
		{"the connection", 4, func(f *ledger.Fact) bool { return f.Kind == ledger.AuthorityConnection }},
		{"the opening", 5, func(f *ledger.Fact) bool { return f.Body.State == "open" }},
		{"the link", 5, probe("public-link")},
		{"the support link", 5, probe("support-link")},
		{"the user's exchange", 5, func(f *ledger.Fact) bool { return f.Body.RealUser }},
		{"the partner's side of the user's exchange", 5, func(f *ledger.Fact) bool { return f.Body.RealUser && f.Subject.Country == "NL" }},
		{"the own side of the user's exchange", 5, func(f *ledger.Fact) bool { return f.Body.RealUser && f.Subject.Country == "FI" }},
		{"every exchange", 4, func(f *ledger.Fact) bool { return f.Body.RequestHash != "" }},
		{"the partner's side of every exchange", 4, func(f *ledger.Fact) bool { return f.Body.RequestHash != "" && f.Subject.Country == "NL" }},
		{"the month", 5, func(f *ledger.Fact) bool { return f.Body.Period != "" }},
	} {
		rest := slices.DeleteFunc(slices.Clone(all), func(f ledger.Fact) bool { return c.gone(&f) })
		if c.name != "nothing" && len(rest) == len(all) {
			t.Errorf("without %s nothing is gone", c.name)
		}
		if s := standing("FI", rest); s.Level != c.level {
			t.Errorf("without %s FI stands on level %d, want %d; missing: %q", c.name, s.Level, c.level, missing(s, ledger.Provider))
		}
	}
	for _, f := range all {
		if !f.Sample {
			t.Errorf("%s is not marked as sample data", f.ID)
		}
	}
}

func probe(item string) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool { return f.Kind == ledger.Probe && f.Body.Item == item }
}

func itoa(n int) string {
	return strings.TrimLeft(string([]byte{'0' + byte(n/10), '0' + byte(n%10)}), "0")
}

// Who cannot go live together, and what a closed service and a node that is down
// look like from outside.
func TestWhatDoesNotGoLive(t *testing.T) {
	w := newWalk(t, "FI", ledger.Provider, "NL", "EE")
	ctx := patient(t)
	for _, c := range []struct {
		country string
		role    ledger.Role
		partner string
		why     string
	}{
		{"FI", ledger.Provider, "FI", "cannot go live"},
		{"FI", ledger.Provider, "PT", "cannot go live"},
		{"FI", ledger.Requester, "EE", "choose another partner"}, // V1, T2: not what EE issues
	} {
		if _, _, err := w.n.GoLive(ctx, c.country, c.role, c.partner); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s as %s with %s: %v", c.country, c.role, c.partner, err)
		}
	}
	if got := w.n.Production.Lifecycle.DataSet().Countries(); len(got) > 0 {
		t.Errorf("%v are in production", got)
	}
	s, _, err := w.n.GoLive(ctx, "FI", ledger.Provider, "NL")
	if err != nil {
		t.Fatal(err)
	}
	w.service = s
	w.connect("open") // says the country; nothing is there
	outcome := func(item string) string {
		facts, err := w.watcher.Look(ctx, ledger.ProductionEnv, "FI")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			if f.Body.Item == item {
				return f.Body.Outcome
			}
		}
		return "none"
	}
	if got := outcome("public-link"); got != "fail" {
		t.Errorf("the link of a closed service: %s", got)
	}
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	if got := outcome("public-link"); got != "pass" {
		t.Errorf("the link of an open service: %s", got)
	}
	w.n.Node("FI").Down(true)
	if got := outcome("as4-ping"); got != "fail" {
		t.Errorf("the ping of a node that is down: %s", got)
	}
	s.Close()
	if got := outcome("support-link"); got != "fail" {
		t.Errorf("the support link of a service that was closed: %s", got)
	}
}

// Services of every kind: about a company, behind a question of the directory,
// of two documents that are needed together, of countries without a table.
func TestServicesOfAllKinds(t *testing.T) {
	n := start(t, network.Plan{Countries: []string{"DE", "EL", "NL", "AT", "IE", "PT", "SE"}})
	for _, c := range []struct {
		provider, requester, authority string
		facts                          int // of one use
	}{
		{"AT", "IE", "ATDEMO0001", 2},
		{"DE", "EL", "DEDEMO0001", 2},
		{"DE", "NL", "DEDEMO0005", 4},
		{"PT", "SE", "PTDEMO0001", 2},
	} {
		s, checked, err := n.GoLive(patient(t), c.provider, ledger.Provider, c.requester)
		if err != nil {
			t.Fatalf("%s with %s: %v", c.provider, c.requester, err)
		}
		if len(checked) != 2 || checked[0].Body.RealUser || s.Authority != c.authority {
			t.Errorf("%s with %s: authority %s, %d facts", c.provider, c.requester, s.Authority, len(checked))
		}
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		used, err := s.Use(patient(t))
		if err != nil || len(used) != c.facts || !used[0].Body.RealUser {
			t.Errorf("%s with %s: %d facts, %v", c.provider, c.requester, len(used), err)
		}
	}
	if got := n.PartnersFor("AT", ledger.Provider); !slices.Equal(got, []string{"DE", "IE"}) {
		t.Errorf("AT can go live with %v", got)
	}
	if got := n.PartnersFor("FI", ledger.Provider); len(got) > 0 {
		t.Errorf("a country without a node can go live with %v", got)
	}
}
