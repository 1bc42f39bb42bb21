package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/exchange/dataservice"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/store"
)

// oneProvider is a directory with one requirement, type and provider.
type oneProvider struct{ record sdg.DataServiceEvidenceType }

func (d oneProvider) Requirements(context.Context, string, string) ([]sdg.Requirement, error) {
	return []sdg.Requirement{{ID: "https://sr.oots.tech.ec.europa.eu/requirements/b0a5a9d8-8a44-4a3a-9a0b-0a1f2a3b4c01", Names: d.record.Titles}}, nil
}

func (d oneProvider) EvidenceTypes(context.Context, string, string) ([]sdg.EvidenceTypeList, error) {
	return []sdg.EvidenceTypeList{{ID: "l", EvidenceTypes: []sdg.EvidenceType{{Classification: d.record.Classification, Titles: d.record.Titles}}}}, nil
}

func (d oneProvider) DataServices(context.Context, string, string, []sdg.ClassificationConcept) ([]sdg.DataServiceEvidenceType, error) {
	return []sdg.DataServiceEvidenceType{d.record}, nil
}

// TestLogProve lets two nodes exchange one evidence, stops them, and proves it
// from what each has kept.
func TestLogProve(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"keys", "init", filepath.Join(dir, "keys"), "--party", "AP_FI_01,AP_PT_01"}, nil, &out, &errs); code != 0 {
		t.Fatalf("keys init: %d\n%s", code, &errs)
	}
	text := func(s string) []sdg.Text { return []sdg.Text{{Lang: "EN", Value: s}} }
	agent := func(cc, name string) sdg.Agent {
		return sdg.Agent{Identifier: sdg.Identifier{Scheme: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:" + cc, Value: cc + name}, Names: text(name), Address: &sdg.Address{AdminUnitLevel1: cc}}
	}
	alpha := exchange.Subject{NaturalPerson: &sdg.Person{LevelOfAssurance: "Substantial", FamilyName: "Alpha", GivenName: "Demo", DateOfBirth: "1999-04-17"}}
	const diploma = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/FI/6a6f1d6e-1c60-4a55-9a1e-7f54f2f3c001"
	register := dataservice.Folder{Dir: filepath.Join(dir, "register")}
	if err := register.Add("1", diploma, exchange.Record{Holder: "1", Subject: alpha, Piece: exchange.Piece{Title: "Diploma", IssuedOn: "2018-06-02",
		Forms: []exchange.File{{MediaType: "application/pdf", Language: "FI", Data: []byte("%PDF-1.7 demo")}}}}); err != nil {
		t.Fatal(err)
	}
	fi := agent("FI", "REGISTER")
	record := sdg.DataServiceEvidenceType{ID: "c2f1a7f0-6f3e-4f21-b7ae-3b7f7f2a9c10", Classification: diploma, Titles: text("Diploma"), DistributedAs: []sdg.Distribution{{Formats: []string{"application/pdf"}}},
		AccessServices: []sdg.AccessService{{Identifier: sdg.Identifier{Scheme: as4.OOTSPartyType, Value: "AP_FI_01"}, ConformsTo: []string{"oots-edm:v2.0"},
			Publisher: &sdg.Publisher{Identifier: fi.Identifier, Names: fi.Names}}}}

	servers := map[string]*httptest.Server{}
	roots := x509.NewCertPool()
	for _, party := range []string{"AP_FI_01", "AP_PT_01"} {
		servers[party] = httptest.NewUnstartedServer(nil)
		keys, err := pki.LoadParty(filepath.Join(dir, "keys", party))
		if err != nil {
			t.Fatal(err)
		}
		servers[party].TLS = &tls.Config{Certificates: []tls.Certificate{keys.TLS.TLS()}}
		for _, c := range keys.TLS.Chain[1:] {
			roots.AddCert(c)
		}
	}
	configs, nodes, aps := map[string]string{}, map[string]*exchange.Node{}, map[string]*as4.AccessPoint{}
	for _, p := range [][3]string{{"AP_FI_01", "AP_PT_01", "FI"}, {"AP_PT_01", "AP_FI_01", "PT"}} {
		self, partner, cc := p[0], p[1], p[2]
		configs[self] = filepath.Join(dir, self+".toml")
		mode := filepath.Join(dir, self+"-pmode.toml")
		for file, content := range map[string]string{
			configs[self]: fmt.Sprintf("country = %q\nkeys = \"keys/%s\"\npmode = \"%s-pmode.toml\"\ndata = \"%s-data\"\n[directory]\nenvironment = \"prod\"\n", cc, self, self, self),
			mode: fmt.Sprintf("[self]\nid = %q\n[[partner]]\nname = %q\nid = %q\nurl = \"https://%s/as4\"\nsign = [\"keys/%s/sign.pem\"]\nencrypt = \"keys/%s/encrypt.pem\"\nlines = [\"oots-edm:v2.0\"]\n",
				self, map[string]string{"FI": "pt", "PT": "fi"}[cc], partner, servers[partner].Listener.Addr(), partner, partner),
		} {
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		keys := filepath.Join(dir, "keys", self)
		key, err := exchange.LoadKey(keys)
		if err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(t.Context(), filepath.Join(dir, self+"-data"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		files := as4.Folder(filepath.Join(dir, self+"-files"))
		config := exchange.Config{Country: cc, Party: ebms.PartyID{Type: as4.OOTSPartyType, Value: self}, Domain: "ap.example", Key: key, Store: db.Exchange(), Files: files}
		if cc == "FI" {
			config.Provider = &exchange.ProviderConfig{Services: []exchange.Service{{Provider: fi, Types: []exchange.ServedType{{Classification: diploma, Data: register}}}}}
		} else {
			config.Requester = &exchange.RequesterConfig{Agent: agent("PT", "PORTAL"), Directory: oneProvider{record}}
		}
		if nodes[self], err = exchange.New(config); err != nil {
			t.Fatal(err)
		}
		pmode, err := as4.ReadPMode(mode)
		if err != nil {
			t.Fatal(err)
		}
		party, err := pki.LoadParty(keys)
		if err != nil {
			t.Fatal(err)
		}
		aps[self], err = as4.New(as4.Config{PMode: pmode, Sign: party.Sign, Decrypt: []*pki.Identity{party.Encrypt}, Store: db.AS4(), Files: files,
			Handler: nodes[self], Domain: "ap.example", Client: as4.NewClient(&tls.Config{RootCAs: roots})})
		if err != nil {
			t.Fatal(err)
		}
		nodes[self].Connect(aps[self])
		servers[self].Config.Handler = aps[self]
		servers[self].StartTLS()
		defer servers[self].Close()
	}

	pt := nodes["AP_PT_01"].Requester
	plan, err := pt.Plan(t.Context(), exchange.Wish{Procedure: "T2", Country: "FI", Subject: alpha, Explicit: true})
	if err != nil {
		t.Fatal(err)
	}
	started, err := pt.Request(t.Context(), "", plan, plan.First())
	if err != nil {
		t.Fatal(err)
	}
	id := started.Exchanges[0].ID
	for _, party := range []string{"AP_PT_01", "AP_FI_01", "AP_FI_01"} {
		if _, err := nodes[party].WorkDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := aps[party].SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	x, err := pt.Exchange(t.Context(), id)
	if err != nil || x.State != exchange.Delivered {
		t.Fatalf("the exchange is %s: %+v, %v", x.State, x.Problem, err)
	}
	evidence := x.Documents[0].ID

	for party, config := range configs {
		out.Reset()
		errs.Reset()
		if code := run(t.Context(), []string{"log", "prove", evidence, "--config", config}, nil, &out, &errs); code != 0 || !strings.Contains(out.String(), "The chain holds") || strings.Contains(out.String(), "Alpha") {
			t.Errorf("%s: exit %d\n%s%s", party, code, &out, &errs)
		}
		errs.Reset()
		if code := run(t.Context(), []string{"log", "prove", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "--config", config}, nil, &out, &errs); code != 1 || !strings.Contains(errs.String(), "no exchange") {
			t.Errorf("%s: an unknown id: exit %d\n%s", party, code, &errs)
		}
	}
	attested(t, dir, configs, x)
	if err := os.Remove(filepath.Join(dir, "keys", "AP_PT_01", exchange.KeyFile)); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"log", "prove", evidence, "--config", configs["AP_PT_01"]}, nil, &out, &errs); code != 2 {
		t.Errorf("without the key: exit %d", code)
	}
}

// attested lets both teams attest an exchange, and whoever keeps the ledger hold
// the two against each other.
func attested(t *testing.T, dir string, configs map[string]string, x *exchange.Exchange) {
	t.Helper()
	command := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), append([]string{"log"}, args...), nil, &out, &errs); code != want {
			t.Errorf("oots log %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, &out, &errs)
		}
		return out.String(), errs.String()
	}
	files := map[string]string{}
	for party, id := range map[string]string{"AP_FI_01": x.Requests[0], "AP_PT_01": x.Documents[0].ID} {
		said, _ := command(0, "attest", id, "--config", configs[party], "--real-user")
		if strings.Contains(said, "Alpha") || strings.Contains(said, x.ID) || !strings.Contains(said, `"environment":"production"`) {
			t.Errorf("%s attests %s", party, said)
		}
		files[party] = filepath.Join(dir, party+".json")
		if err := os.WriteFile(files[party], []byte(said), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, config := range configs {
		facts, _ := command(0, "match", files["AP_FI_01"], files["AP_PT_01"], "--config", config)
		if n := strings.Count(facts, `"kind":"transaction_attestation"`); n != 2 {
			t.Errorf("%d facts: %s", n, facts)
		}
		for fact, err := range ledger.ReadFacts(strings.NewReader(facts)) {
			if err != nil || !fact.Body.RealUser || fact.Environment != ledger.ProductionEnv {
				t.Errorf("%+v, %v", fact, err)
			}
		}
		if _, why := command(1, "match", files["AP_FI_01"], files["AP_FI_01"], "--config", config); !strings.Contains(why, "same side") {
			t.Errorf("one side twice: %s", why)
		}
	}
	if err := os.WriteFile(files["AP_PT_01"], []byte(strings.Replace(readFile(t, files["AP_PT_01"]), `"outcome":"pass"`, `"outcome":"fail"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, why := command(1, "match", files["AP_FI_01"], files["AP_PT_01"], "--config", configs["AP_FI_01"]); !strings.Contains(why, "signature does not hold") {
		t.Errorf("a changed attestation: %s", why)
	}
	if _, why := command(1, "attest", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "--config", configs["AP_FI_01"]); !strings.Contains(why, "no answered request") {
		t.Errorf("an exchange that never was: %s", why)
	}
	month := x.CreatedAt.Format("2006-01")
	if said, _ := command(0, "month", month, "--role", "provider", "--config", configs["AP_FI_01"]); !strings.Contains(said, `"note":"fewer than 5 requests"`) {
		t.Errorf("the month is told as %s", said)
	}
	command(1, "month", "October", "--role", "provider", "--config", configs["AP_FI_01"])
	if _, why := command(2, "attest", x.Requests[0], "--config", configs["AP_FI_01"], "--environment", "prod"); !strings.Contains(why, "acceptance or production") {
		t.Errorf("an environment that does not exist: %s", why)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
