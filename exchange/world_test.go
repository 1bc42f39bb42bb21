package exchange_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/validator"
)

// clock is a virtual clock that all nodes share.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var countries = []string{"PT", "FI", "DE"}

func partyOf(cc string) ebms.PartyID {
	return ebms.PartyID{Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:" + cc, Value: "AP_" + cc + "_DEMO_01"}
}

var parties = sync.OnceValues(func() (map[string]*pki.Party, error) {
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		return nil, err
	}
	made := map[string]*pki.Party{}
	for _, cc := range countries {
		if made[cc], err = ca.Party("AP_"+cc+"_DEMO_01", "127.0.0.1"); err != nil {
			return nil, err
		}
	}
	return made, nil
})

// state is one country's node with its access point.
type state struct {
	*exchange.Node
	ap     *as4.AccessPoint
	server *httptest.Server
	down   bool
	world  *world
	// handler is what answers at the address now.
	handler atomic.Pointer[http.Handler]
	spool   string
	kept    kept
	// tamper changes what the node sends; see access.
	tamper func(m *ebms.UserMessage, parts []as4.Part) (*ebms.UserMessage, []as4.Part)
}

// kept is what outlives a node.
type kept struct {
	rows  exchange.Store
	queue as4.Store
	files as4.Files
}

// crossed is a message that was delivered.
type crossed struct {
	to, action     string
	body, envelope []byte
	header         ebms.UserMessage
	parts          []string // media types
}

// world is a few nodes in one process, over real AS4 on loopback.
type world struct {
	t       testing.TB
	at      *clock
	states  map[string]*state
	dir     *directory
	boot    func(cc string)
	mu      sync.Mutex
	crossed []crossed
	// deviant worlds send what does not conform, on purpose.
	deviant bool
	quiet   bool // records nothing
}

// options of a world.
type options struct {
	lines   map[string][]string // announced by a provider; 2.0 and 1.2 otherwise
	speaks  []edm.Line          // by requesters
	answers []edm.Line          // by providers
	store   func(cc string) (exchange.Store, as4.Store)
	data    exchange.DataService // of FI; the default has one diploma of Demo Alpha
	allowed func(ebms.PartyID, sdg.Identifier) bool
	models  []*exchange.Model
	clocks  exchange.Clocks
	real    bool // real clock
	files   func(cc string) as4.Files
	changed func(x *exchange.Exchange)
}

// access is a state's access point with its faults.
type access struct{ s *state }

func (a access) Submit(ctx context.Context, m *ebms.UserMessage, parts []as4.Part) (string, error) {
	if a.s.tamper != nil {
		m, parts = a.s.tamper(m, parts)
		if m == nil {
			return "", nil
		}
	}
	return a.s.ap.Submit(ctx, m, parts)
}
func (a access) Wake() { a.s.ap.Wake() }

// Deliver records what crosses.
func (s *state) Deliver(ctx context.Context, m *as4.Message) error {
	if s.world.quiet {
		return s.Node.Deliver(ctx, m)
	}
	c := crossed{to: s.Country, action: m.Header.Action, header: *m.Header, envelope: bytes.Clone(m.Envelope)}
	for i, p := range m.Parts {
		b, err := ebms.ReadAll(p.Content)
		if err != nil {
			return err
		}
		if i == 0 {
			c.body = bytes.Clone(b)
		}
		c.parts = append(c.parts, p.Type)
	}
	if err := s.Node.Deliver(ctx, m); err != nil {
		return err
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.crossed = append(s.world.crossed, c)
	return nil
}

func agent(cc, name string) sdg.Agent {
	return sdg.Agent{Identifier: sdg.Identifier{Scheme: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:" + cc, Value: cc + name},
		Names: []sdg.Text{{Lang: "EN", Value: name + " of " + cc}}, Address: &sdg.Address{AdminUnitLevel1: cc}}
}

const (
	diploma     = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/FI/6a6f1d6e-1c60-4a55-9a1e-7f54f2f3c001"
	diplomaID   = "c2f1a7f0-6f3e-4f21-b7ae-3b7f7f2a9c10"
	birth       = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/DE/9a3a4b1e-3f5b-4b0e-9f0a-5a6d7c8e9f01"
	birthID     = "7d5b4d9a-9b8e-4a53-8f0d-0b8a2f3c7e44"
	secQual     = "https://sr.oots.tech.ec.europa.eu/requirements/b0a5a9d8-8a44-4a3a-9a0b-0a1f2a3b4c01"
	birthNeed   = "https://sr.oots.tech.ec.europa.eu/requirements/b0a5a9d8-8a44-4a3a-9a0b-0a1f2a3b4c02"
	model       = "https://sr.oots.tech.ec.europa.eu/datamodels/DemoSecondaryDiploma"
	question    = "e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55"
	previewBase = "https://preview.example/p/"
)

// alpha is the student of the demo.
func alpha() exchange.Subject {
	return exchange.Subject{NaturalPerson: &sdg.Person{LevelOfAssurance: "Substantial", FamilyName: "Alpha", GivenName: "Demo", DateOfBirth: "1999-04-17",
		Identifier: &sdg.Identifier{Scheme: "eidas", Value: "FI/PT/DEMO-ALPHA-01"}}}
}

var pdf = append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("demo evidence "), 300)...)

// shelf is a data service in memory.
type shelf struct {
	mu      sync.Mutex
	records exchange.Records
	err     error
	asked   int
	before  func(q *exchange.Query)
}

func (s *shelf) Records(_ context.Context, q *exchange.Query) (*exchange.Records, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.before != nil {
		s.before(q)
	}
	if s.err != nil {
		return nil, s.err
	}
	r := s.records
	return &r, nil
}

func diplomas(forms ...exchange.File) *shelf {
	if len(forms) == 0 {
		forms = []exchange.File{{MediaType: "application/pdf", Language: "FI", Data: pdf}}
	}
	return &shelf{records: exchange.Records{All: []exchange.Record{{Holder: "1", Subject: alpha(),
		Piece: exchange.Piece{Title: "Diploma (demo)", IssuedOn: "2018-06-02", Forms: forms}}}}}
}

// directory is the Common Services as a table.
type directory struct {
	requirements map[string][]sdg.Requirement             // by procedure
	lists        map[string][]sdg.EvidenceTypeList        // by requirement and country
	records      map[string][]sdg.DataServiceEvidenceType // by classification
	asks         map[string][]sdg.ClassificationConcept   // by classification
	lookups      int
}

func (d *directory) Requirements(_ context.Context, procedure, _ string) ([]sdg.Requirement, error) {
	d.lookups++
	return d.requirements[procedure], nil
}

func (d *directory) EvidenceTypes(_ context.Context, requirement, country string) ([]sdg.EvidenceTypeList, error) {
	d.lookups++
	l := d.lists[requirement+" "+country]
	if l == nil {
		return nil, &exchange.Problem{Code: "EB:ERR:0001"}
	}
	return l, nil
}

func (d *directory) DataServices(_ context.Context, classification, _ string, answers []sdg.ClassificationConcept) ([]sdg.DataServiceEvidenceType, error) {
	d.lookups++
	if q := d.asks[classification]; len(q) > len(answers) {
		return nil, &exchange.Asked{Questions: q[len(answers):]}
	}
	return d.records[classification], nil
}

func text(s string) []sdg.Text { return []sdg.Text{{Lang: "EN", Value: s}} }

func record(cc, id, classification, title string, lines []string, formats ...sdg.Distribution) sdg.DataServiceEvidenceType {
	a := agent(cc, "REGISTER")
	return sdg.DataServiceEvidenceType{ID: id, Classification: classification, Titles: text(title), LevelOfAssurance: "Substantial", DistributedAs: formats,
		AccessServices: []sdg.AccessService{{Identifier: sdg.Identifier{Scheme: partyOf(cc).Type, Value: partyOf(cc).Value}, Names: text("AP"), ConformsTo: lines,
			Publisher: &sdg.Publisher{Identifier: a.Identifier, Names: a.Names}}}}
}

// newWorld starts the three nodes: PT asks, FI and DE provide; all can both.
func newWorld(t testing.TB, o options) *world {
	t.Helper()
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, at: &clock{now: time.Now().UTC().Truncate(time.Second)}, states: map[string]*state{}}
	announced := func(cc string) []string {
		if l := o.lines[cc]; l != nil {
			return l
		}
		return []string{"oots-edm:v2.0", "oots-edm:v1.2"}
	}
	w.dir = &directory{
		requirements: map[string][]sdg.Requirement{"T2": {{ID: secQual, Names: text("Secondary diploma")}}, "R1": {{ID: birthNeed, Names: text("Birth")}},
			"T1": {{ID: secQual, Names: text("Secondary diploma")}, {ID: birthNeed, Names: text("Birth")}}},
		lists: map[string][]sdg.EvidenceTypeList{
			secQual + " FI":   {{ID: "0f8d1c02-55c1-4c1b-8d4b-1b0f6b1f7a01", EvidenceTypes: []sdg.EvidenceType{{Classification: diploma, Titles: text("Diploma")}}}},
			birthNeed + " DE": {{ID: "31154cb0-589b-5c53-bff4-631f49b6bb84", EvidenceTypes: []sdg.EvidenceType{{Classification: birth, Titles: text("Birth certificate")}}}},
		},
		records: map[string][]sdg.DataServiceEvidenceType{
			diploma: {record("FI", diplomaID, diploma, "Diploma (demo)", announced("FI"), sdg.Distribution{Formats: []string{"application/pdf"}},
				sdg.Distribution{Formats: []string{"application/xml"}, ConformsTo: model})},
			birth: {record("DE", birthID, birth, "Birth certificate (demo)", announced("DE"), sdg.Distribution{Formats: []string{"application/pdf"}})},
		},
		asks: map[string][]sdg.ClassificationConcept{},
	}
	if o.data == nil {
		o.data = diplomas()
	}
	roots := x509.NewCertPool()
	for _, cc := range countries {
		s := &state{world: w}
		w.states[cc] = s
		s.server = httptest.NewUnstartedServer(nil)
		s.server.TLS = &tls.Config{Certificates: []tls.Certificate{known[cc].TLS.TLS()}, MinVersion: tls.VersionTLS12}
		for _, c := range known[cc].TLS.Chain[1:] {
			roots.AddCert(c)
		}
	}
	sets, err := as4.PropertySets("oots-edm:v2.0", "oots-edm:v1.2")
	if err != nil {
		t.Fatal(err)
	}
	now := w.at.Now
	if o.real {
		now = time.Now
	}
	judge := validator.New(validator.Config{})
	// boot starts a state, anew after it died: what it kept is all it knows.
	w.boot = func(cc string) {
		s, kept := w.states[cc], w.states[cc].kept
		classification, data := diploma, o.data
		if cc != "FI" {
			classification, data = birth, diplomas()
		}
		register := agent(cc, "REGISTER")
		s.Node, err = exchange.New(exchange.Config{Country: cc, Party: partyOf(cc), Domain: "ap." + strings.ToLower(cc) + ".example", Key: bytes.Repeat([]byte{7}, 32),
			Store: kept.rows, Files: kept.files, Now: now, Judge: judge,
			Requester: &exchange.RequesterConfig{Agent: agent(cc, "PORTAL"), Directory: w.dir, Lines: o.speaks, ReturnBase: "https://portal.example/return/",
				Changed: func(_ context.Context, x *exchange.Exchange) error {
					if o.changed != nil {
						o.changed(x)
					}
					return nil
				}},
			Provider: &exchange.ProviderConfig{Services: []exchange.Service{{Provider: register, Types: []exchange.ServedType{{Classification: classification, LevelOfAssurance: "Substantial", Data: data}}}},
				Lines: o.answers, PreviewBase: previewBase, PreviewText: text("Look at your evidence"), Allowed: o.allowed, Models: o.models, Clocks: o.clocks}})
		if err != nil {
			t.Fatal(err)
		}
		mode := &as4.PMode{Self: as4.Partner{ID: partyOf(cc)}, Legs: as4.OOTSLegs()}
		for _, other := range countries {
			if other != cc {
				mode.Partners = append(mode.Partners, &as4.Partner{Name: strings.ToLower(other), ID: partyOf(other), URL: "https://" + w.states[other].server.Listener.Addr().String() + "/as4",
					Sign: []*x509.Certificate{known[other].Sign.Cert()}, Encrypt: known[other].Encrypt.Cert(), Properties: sets})
			}
		}
		client := as4.NewClient(&tls.Config{RootCAs: roots})
		client.Timeout = 20 * time.Second
		s.ap, err = as4.New(as4.Config{PMode: mode, Sign: known[cc].Sign, Decrypt: []*pki.Identity{known[cc].Encrypt}, Store: kept.queue, Files: kept.files,
			Spool: ebms.Disk{Dir: s.spool}, Handler: s, Domain: "ap." + strings.ToLower(cc) + ".example", Client: client, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		s.Connect(access{s})
		s.serve(s.ap)
	}
	for _, cc := range countries {
		s := w.states[cc]
		memory := &as4.Memory{}
		s.spool, s.kept = t.TempDir(), kept{&exchange.Memory{}, memory, memory}
		if o.store != nil {
			s.kept.rows, s.kept.queue = o.store(cc)
		}
		if o.files != nil {
			s.kept.files = o.files(cc)
		}
		w.boot(cc)
		s.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(rw, r) })
		s.server.StartTLS()
		t.Cleanup(s.server.Close)
	}
	t.Cleanup(func() {
		if !w.deviant && !t.Failed() {
			w.conforms()
		}
	})
	return w
}

// run lets everything that is due happen, until nothing is.
func (w *world) run() {
	w.t.Helper()
	for range 100 {
		n := 0
		for _, cc := range countries {
			s := w.states[cc]
			if s.down {
				continue
			}
			sent, err := s.ap.SendDue(w.t.Context())
			if err != nil {
				w.t.Fatal(err)
			}
			done, err := s.WorkDue(w.t.Context())
			if err != nil {
				w.t.Fatal(err)
			}
			n += sent + done
		}
		if n == 0 {
			return
		}
	}
	w.t.Fatal("the nodes do not come to rest")
}

// wait lets time pass.
func (w *world) wait(d time.Duration) { w.at.add(d); w.run() }

// wish for the diploma of Demo Alpha.
func wish() exchange.Wish {
	return exchange.Wish{Procedure: "T2", Country: "FI", Subject: alpha(), Languages: []string{"EN"}, Explicit: true}
}

// ask plans and requests the plainest choice, in PT.
func (w *world) ask(wish exchange.Wish) *exchange.Conversation {
	w.t.Helper()
	return w.askFor(wish, func(p *exchange.Plan) []exchange.Choice {
		choices := p.First()
		for i := range choices {
			choices[i].Formats = []string{"application/pdf"}
		}
		return choices
	})
}

func (w *world) askFor(wish exchange.Wish, choose func(*exchange.Plan) []exchange.Choice) *exchange.Conversation {
	w.t.Helper()
	pt := w.states["PT"].Requester
	p, err := pt.Plan(w.t.Context(), wish)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := pt.Request(w.t.Context(), "", p, choose(p))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// see reads an exchange of PT again.
func (w *world) see(id string) *exchange.Exchange {
	w.t.Helper()
	x, err := w.states["PT"].Requester.Exchange(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// wantState fails unless the exchange stands there, with that problem code.
func (w *world) wantState(id string, s exchange.State, code string) *exchange.Exchange {
	w.t.Helper()
	x := w.see(id)
	got := ""
	if x.Problem != nil {
		got = x.Problem.Code
	}
	if x.State != s || got != code {
		w.t.Fatalf("the exchange is %s (%+v), want %s %q", x.State, x.Problem, s, code)
	}
	return x
}

// collect is what the portal gets.
func (w *world) collect(id string) []exchange.Content {
	w.t.Helper()
	all, err := w.states["PT"].Requester.Collect(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// answers that crossed to PT, by action.
func (w *world) actions(to string) (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.crossed {
		if c.to == to {
			all = append(all, c.action)
		}
	}
	return all
}

// logged are the events in a node's log with an identifier.
func (w *world) logged(cc, id string) (all []string) {
	w.t.Helper()
	entries, err := w.states[cc].Log.Find(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Side, e.Event, e.Outcome)))
	}
	return all
}

// conforms judges everything that crossed, as conversations.
func (w *world) conforms() {
	w.t.Helper()
	v := validator.New(validator.Config{})
	var messages, headers []*validator.Message
	refused := func(r *validator.Report) {
		if r.Refused() {
			var b bytes.Buffer
			_ = r.WriteText(&b)
			w.t.Errorf("a message that crossed does not conform:\n%s", b.String())
		}
	}
	for i, c := range w.crossed {
		body := v.Validate(c.body, validator.Options{Name: fmt.Sprintf("message %d to %s", i, c.to)})
		header := v.Validate(c.envelope, validator.Options{Name: fmt.Sprintf("header %d", i), Kind: validator.EBMSHeader, Line: body.Lines})
		refused(body)
		refused(header)
		messages, headers = append(messages, body.Message), append(headers, header.Message)
	}
	for _, c := range validator.Assemble(messages, validator.Related{Headers: headers}) {
		refused(v.Compare(c))
	}
}

func wantWords(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func (s *state) serve(h http.Handler) { s.handler.Store(&h) }
