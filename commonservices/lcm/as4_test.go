package lcm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/lcm/lcmtest"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/regrep"
)

// corner keeps what an access point hands over.
type corner struct {
	mu  sync.Mutex
	got []string // action, then the document
}

func (c *corner) Deliver(_ context.Context, m *as4.Message) error {
	raw, err := ebms.ReadAll(m.Parts[0].Content)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, m.Header.Action, string(raw), m.Header.ConversationID, m.Header.Property(ebms.FinalRecipient))
	return nil
}

func (c *corner) take() (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, c.got = c.got, nil
	return out
}

const submitter, central = "AP_FI_DEMO_01", "AP_CS_DEMO_01"

// points are a submitter's access point and that of the Common Services, over
// HTTPS on loopback.
func points(t *testing.T, handlers map[string]as4.Handler) map[string]*as4.AccessPoint {
	t.Helper()
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	known, out, servers := map[string]*pki.Party{}, map[string]*as4.AccessPoint{}, map[string]*httptest.Server{}
	roots := x509.NewCertPool()
	for name := range handlers {
		if known[name], err = ca.Party(name, "127.0.0.1"); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { out[name].ServeHTTP(w, r) }))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{known[name].TLS.TLS()}, MinVersion: tls.VersionTLS12}
		server.StartTLS()
		t.Cleanup(server.Close)
		servers[name] = server
		for _, c := range known[name].TLS.Chain[1:] {
			roots.AddCert(c)
		}
	}
	sets, err := as4.PropertySets("oots-edm:v1.2")
	if err != nil {
		t.Fatal(err)
	}
	for name, handler := range handlers {
		mode := &as4.PMode{Self: as4.Partner{ID: party(name)}, Legs: as4.OOTSLegs()}
		for other, server := range servers {
			if other != name {
				mode.Partners = append(mode.Partners, &as4.Partner{Name: other, ID: party(other), URL: server.URL + "/as4",
					Sign: []*x509.Certificate{known[other].Sign.Cert()}, Encrypt: known[other].Encrypt.Cert(), Properties: sets})
			}
		}
		store := &as4.Memory{}
		if out[name], err = as4.New(as4.Config{PMode: mode, Sign: known[name].Sign, Decrypt: []*pki.Identity{known[name].Encrypt}, Store: store, Files: store,
			Spool: ebms.Disk{Dir: t.TempDir()}, Handler: handler, Domain: strings.ToLower(name) + ".example", Client: as4.NewClient(&tls.Config{RootCAs: roots})}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func party(name string) ebms.PartyID { return ebms.PartyID{Type: as4.OOTSPartyType, Value: name} }

// TestTC12 is the test case of that number: a provider's address changes by a
// submission over AS4, and a requester's next query after the cache time sees
// it. A refusal comes back as an ExceptionResponse and changes nothing.
func TestTC12(t *testing.T) {
	m := manager(t)
	now := testNow
	requester := lcmtest.Serve(t, m, func() time.Time { return now }, time.Hour)
	classification, _ := seed.EvidenceType("FI", "birth-extract")
	city := func() string {
		t.Helper()
		got, err := requester.Client.DataServices(t.Context(), cs.DataServiceQuery{Classification: classification, Country: "FI"})
		if err != nil || len(got.Records) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.Records[0].AccessServices[0].Publisher.Address.PostCityName
	}
	if before := city(); before != "" {
		t.Fatal(before)
	}

	ministry := &corner{}
	handler := &lcm.Handler{
		Country: func(p ebms.PartyID) string {
			if p == party(submitter) {
				return "FI"
			}
			return ""
		},
		Of: func(context.Context, string) (*lcm.LifecycleManager, error) { return m, nil },
	}
	aps := points(t, map[string]as4.Handler{submitter: ministry, central: handler})
	handler.Send = aps[central].Submit
	submit := func(raw []byte) []string {
		t.Helper()
		header := &ebms.UserMessage{To: ebms.Party{ID: party(central)}, Service: ebms.Service{Type: as4.BindingType, Value: as4.LifecycleMgmt}, Action: as4.ActionSubmit,
			ConversationID: "11111111-2222-4333-8444-555555555555", Properties: []ebms.Property{
				{Name: ebms.OriginalSender, Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:FI", Value: "ministry"},
				{Name: ebms.FinalRecipient, Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:oots", Value: "common-services"}}}
		if _, err := aps[submitter].Submit(t.Context(), header, []as4.Part{{Type: regrep.MediaType, Content: ebms.Bytes(raw)}}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{submitter, central} { // there, and the answer back
			if n, err := aps[name].SendDue(t.Context()); n != 1 || err != nil {
				t.Fatalf("%s sends %d, %v", name, n, err)
			}
		}
		got := ministry.take()
		if len(got) != 4 || got[2] != header.ConversationID || got[3] != "ministry" {
			t.Fatalf("the answer is %v", got)
		}
		return got
	}

	table := lcm.TableNamed("providers")
	part := m.Part("FI")
	key := table.Keys(part)[1]
	row := table.Row(part, key)
	row["city"] = "Tampere"
	next, err := table.Put(part, key, row)
	if err != nil {
		t.Fatal(err)
	}
	raw := encode(t, next, lcm.EncodeOptions{})
	got := submit([]byte(strings.Replace(string(raw), "AdminUnitLevel1>FI", "AdminUnitLevel1>SE", 1)))
	if got[0] != as4.ActionException || !strings.Contains(got[1], `code="LCM:ERR:0003"`) || !strings.Contains(got[1], requestID) || city() != "" {
		t.Errorf("a foreign object is answered with %s", got)
	}
	if got := submit(raw); got[0] != as4.ActionSubmitDone || !strings.Contains(got[1], "ResponseStatusType:Success") || !strings.Contains(got[1], requestID) {
		t.Errorf("the submission is answered with %s", got)
	}
	if got := city(); got != "" {
		t.Errorf("within the cache time the requester sees %q", got)
	}
	now = now.Add(time.Hour + time.Second)
	if got := city(); got != "Tampere" {
		t.Errorf("after the cache time the requester sees %q", got)
	}
	list, err := m.Revisions(t.Context(), "FI", 0, 1)
	if err != nil || list[0].How != lcm.ByAS4 || list[0].Party != submitter || list[0].Message == "" {
		t.Errorf("the history says %+v, %v", list, err)
	}
	handler.Country = func(ebms.PartyID) string { return "" }
	if got := submit(raw); got[0] != as4.ActionException || !strings.Contains(got[1], "submits for no country") {
		t.Errorf("an unregistered party is answered with %s", got)
	}
}

func TestEnvironments(t *testing.T) {
	base := func(code string) *cs.DataSet {
		d := *seed.DataSet()
		d.Environment = code
		return &d
	}
	in, err := lcm.NewInstances(t.Context(), lcm.Config{Store: &lcm.Memory{}}, base("testing"), base("projectathon"), base("acceptance"), base("production"))
	if err != nil {
		t.Fatal(err)
	}
	of := func(code, cc string) *lcm.LifecycleManager {
		t.Helper()
		m, err := in.Of(t.Context(), code, cc)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	raw := func(m *lcm.LifecycleManager) []byte {
		return []byte(strings.Replace(string(encode(t, m.Part("FI"), lcm.EncodeOptions{Label: m.DataSet().Label})), "Demo Board of Education", "Demo Agency", 1))
	}
	name := func(m *lcm.LifecycleManager) string { return m.Part("FI").Providers[0].Names[0].Value }
	for _, code := range []string{"testing", "projectathon", "acceptance"} {
		m := of(code, "FI")
		if _, err := m.Submit(t.Context(), finland, "FI", raw(m)); err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		if name(of(code, "FI")) != "Demo Agency" {
			t.Errorf("%s does not hold the change", code)
		}
	}
	if got := name(of("testing", "SE")); got != "Demo Board of Education" {
		t.Errorf("Sweden's sandbox shows Finland's change: %s", got)
	}
	if got := name(of("testing", "")); got != "Demo Board of Education" {
		t.Errorf("the baseline of the sandboxes changed: %s", got)
	}
	if got := name(of("projectathon", "SE")); got != "Demo Agency" {
		t.Errorf("the Projectathon is not one for all: %s", got)
	}
	if l := of("acceptance", "FI").DataSet().Label; l != "acc" {
		t.Errorf("acceptance carries the label %q", l)
	}
	if _, err := of("production", "FI").Submit(t.Context(), finland, "FI", raw(of("production", "FI"))); refusal(t, err).Faults[0].Rule != lcm.RuleWhole {
		t.Error("production takes submissions by HTTP")
	}
	if err := in.Reset(t.Context(), lcm.Author{Party: "operator"}, "projectathon", ""); err != nil || name(of("projectathon", "")) != "Demo Board of Education" {
		t.Errorf("the Projectathon does not go back: %v", err)
	}
	if list, err := of("projectathon", "FI").Revisions(t.Context(), "FI", 0, 10); err != nil || len(list) != 3 || list[0].How != lcm.ByBaseline || list[0].Party != "operator" {
		t.Errorf("the reset is not in the history: %+v, %v", list, err)
	}
	if err := in.Reset(t.Context(), lcm.Author{}, "production", ""); err == nil {
		t.Error("production goes back to a baseline")
	}
	for _, c := range [][2]string{{"training", "FI"}, {"nowhere", "FI"}, {"testing", "GR"}} {
		if _, err := in.Of(t.Context(), c[0], c[1]); err == nil {
			t.Errorf("%v is opened", c)
		}
	}
	if !slices.Equal(in.Codes(), []string{"acceptance", "production", "projectathon", "testing"}) {
		t.Errorf("%v", in.Codes())
	}
}
