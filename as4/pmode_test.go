package as4

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

var exchange = ebms.Service{Type: BindingType, Value: QueryManager}

// agreed is a P-Mode of FI with one partner, PT, that speaks both lines.
func agreed() *PMode {
	cert := &x509.Certificate{Raw: []byte{1}}
	sets, _ := PropertySets("oots-edm:v2.0", "oots-edm:v1.2")
	return &PMode{
		Self: Partner{ID: ebms.PartyID{Type: OOTSPartyType, Value: "AP_FI_01"}},
		Partners: []*Partner{{Name: "pt", ID: ebms.PartyID{Type: OOTSPartyType, Value: "AP_PT_01"}, URL: "https://ap.example.pt/as4",
			Sign: []*x509.Certificate{cert}, Encrypt: cert, Properties: sets}},
		Legs: OOTSLegs(),
	}
}

func incoming() *ebms.UserMessage {
	return &ebms.UserMessage{
		From:    ebms.Party{ID: ebms.PartyID{Type: OOTSPartyType, Value: "AP_PT_01"}, Role: GatewayRole},
		To:      ebms.Party{ID: ebms.PartyID{Type: OOTSPartyType, Value: "AP_FI_01"}, Role: GatewayRole},
		Service: exchange, Action: ActionRequest,
		Properties: []ebms.Property{{Name: ebms.OriginalSender, Value: "a"}, {Name: ebms.FinalRecipient, Value: "b"}},
	}
}

func TestIncomingIsHeldToTheAgreement(t *testing.T) {
	p := agreed()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	four := append(incoming().Properties, ebms.Property{Name: ebms.ExchangeID, Value: "x"}, ebms.Property{Name: ebms.SpecificationID, Value: "oots-edm:v2.0"})
	for _, c := range []struct {
		name   string
		change func(m *ebms.UserMessage)
		want   ebms.Code
	}{
		{"line 1.2", func(*ebms.UserMessage) {}, ""},
		{"line 2.0", func(m *ebms.UserMessage) { m.Properties = four }, ""},
		{"test service", func(m *ebms.UserMessage) { m.Test() }, ""},
		{"default channel named", func(m *ebms.UserMessage) { m.MPC = ebms.DefaultMPC }, ""},
		{"unknown sender", func(m *ebms.UserMessage) { m.From.ID.Value = "AP_XX_01" }, ebms.ProcessingModeMismatch},
		{"sender in another case", func(m *ebms.UserMessage) { m.From.ID.Value = "ap_pt_01" }, ebms.ProcessingModeMismatch},
		{"sender of another type", func(m *ebms.UserMessage) { m.From.ID.Type = "" }, ebms.ProcessingModeMismatch},
		{"another addressee", func(m *ebms.UserMessage) { m.To.ID.Value = "AP_SE_01" }, ebms.ValueInconsistent},
		{"another role", func(m *ebms.UserMessage) { m.From.Role = ebms.Initiator }, ebms.ValueInconsistent},
		{"unknown action", func(m *ebms.UserMessage) { m.Action = "Delete" }, ebms.ValueNotRecognized},
		{"service without its type", func(m *ebms.UserMessage) { m.Service.Type = "" }, ebms.ValueNotRecognized},
		{"unknown channel", func(m *ebms.UserMessage) { m.MPC = "urn:other" }, ebms.ValueNotRecognized},
		{"an agreement", func(m *ebms.UserMessage) { m.Agreement = &ebms.Agreement{Value: "a1"} }, ebms.ProcessingModeMismatch},
		{"one property missing", func(m *ebms.UserMessage) { m.Properties = four[:3] }, ebms.ProcessingModeMismatch},
		{"no property", func(m *ebms.UserMessage) { m.Properties = nil }, ebms.ProcessingModeMismatch},
	} {
		m := incoming()
		c.change(m)
		partner, leg, err := p.MatchIncoming(m)
		if got := ebms.CodeOf(err); got != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.want)
		}
		if err == nil && (partner.Name != "pt" || leg == nil) {
			t.Errorf("%s: matched %v, %v", c.name, partner, leg)
		}
	}
}

func TestCheckNamesTheFault(t *testing.T) {
	for says, change := range map[string]func(p *PMode){
		"own party":          func(p *PMode) { p.Self.ID.Value = "" },
		"not an https":       func(p *PMode) { p.Partners[0].URL = "http://ap.example.pt/as4" },
		"verify":             func(p *PMode) { p.Partners[0].Sign = nil },
		"encrypt":            func(p *PMode) { p.Partners[0].Encrypt = nil },
		"lines":              func(p *PMode) { p.Partners[0].Properties = nil },
		"two partners":       func(p *PMode) { twin := *p.Partners[0]; p.Partners = append(p.Partners, &twin) },
		"stands there twice": func(p *PMode) { p.Legs = append(p.Legs, p.Legs[0]) },
		"no legs":            func(p *PMode) { p.Legs = nil },
	} {
		p := agreed()
		change(p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want an error that says %q", err, says)
		}
	}
	p := agreed()
	p.Partners[0].URL = "http://127.0.0.1:8081/as4"
	if err := p.Check(); err != nil {
		t.Errorf("a plain address on loopback is refused: %v", err)
	}
}

func TestRetryIsSpreadEvenly(t *testing.T) {
	if got := (Retry{}).Pause(); got != 3*time.Minute {
		t.Errorf("four tries in twelve minutes pause %s, want 3m", got)
	}
}

func TestReadPMode(t *testing.T) {
	dir := t.TempDir()
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	party, err := ca.Party("AP_PT_01")
	if err != nil {
		t.Fatal(err)
	}
	if err := party.Save(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pmode.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := `
[self]
id = "AP_FI_01"

[[partner]]
name = "pt"
id = "AP_PT_01"
url = "https://ap.example.pt/as4"
sign = ["sign.pem"]
encrypt = "encrypt.pem"
lines = ["oots-edm:v2.0", "oots-edm:v1.2"]

[retry]
attempts = 2
within = "1m"
`
	write(good)
	p, err := ReadPMode(file)
	if err != nil {
		t.Fatal(err)
	}
	pt := p.Named("AP_PT_01")
	if pt == nil || !pt.Encrypt.Equal(party.Encrypt.Cert()) || len(pt.Properties) != 2 || p.Retry.Pause() != 30*time.Second || len(p.Legs) != 7 {
		t.Errorf("read as %+v, partner %+v", p, pt)
	}
	write("suite = \"ed25519-x25519\"\n" + strings.Replace(good, "lines =", "token = \"key-id\"\nlines =", 1))
	if p, err := ReadPMode(file); err != nil || p.Suite != wssec.Edwards || p.Partners[0].Token != wssec.KeyID {
		t.Errorf("suite and token read as %+v, %v", p, err)
	}
	for says, text := range map[string]string{
		"is not known":           strings.Replace(good, "encrypt =", "encryption =", 1),
		"no certificate":         strings.Replace(good, `encrypt = "encrypt.pem"`, "", 1),
		"use oots-edm":           strings.Replace(good, `"oots-edm:v1.2"`, `"oots-cs:v1.2"`, 1),
		"the suite":              "suite = \"md5\"\n" + good,
		"use certificate, chain": strings.Replace(good, "lines =", "token = \"name\"\nlines =", 1),
		"no such file":           strings.Replace(good, "sign.pem", "gone.pem", 1),
	} {
		write(text)
		if _, err := ReadPMode(file); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want an error that says %q", err, says)
		}
	}
}

func TestImportDomibus(t *testing.T) {
	raw, err := os.ReadFile("testdata/domibus.xml")
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{Raw: []byte{1}}
	p, notes, err := ImportDomibus(raw, []pki.Entry{{Alias: "AP_Pt", Chain: []*x509.Certificate{cert}}})
	if err != nil {
		t.Fatal(err)
	}
	pt := p.Named("ap_pt")
	if p.Self.ID != (ebms.PartyID{Type: OOTSPartyType, Value: "AP_FI_01"}) || pt == nil || pt.URL != "https://ap.example.pt/as4" || pt.Role != GatewayRole {
		t.Fatalf("parties read as %+v, %+v", p.Self, pt)
	}
	if p.Retry != (Retry{4, 12 * time.Minute}) {
		t.Errorf("retry read as %+v", p.Retry)
	}
	if leg := p.Leg(exchange, ActionRequest); leg == nil || !leg.Compress {
		t.Errorf("the request leg is %+v", leg)
	}
	if leg := p.Leg(exchange, ActionResponse); leg == nil || leg.Compress {
		t.Errorf("the response leg is %+v", leg)
	}
	all := strings.Join(notes, "\n")
	for _, says := range []string{"surprise", "ap_se has no certificate"} {
		if !strings.Contains(all, says) {
			t.Errorf("the notes do not mention %q:\n%s", says, all)
		}
	}
	if _, _, err := p.MatchIncoming(incoming()); err != nil {
		t.Errorf("a message of the partner does not match: %v", err)
	}
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "ap_se") {
		t.Errorf("a partner without certificate passes the check: %v", err)
	}
	var coded *ebms.Error
	if _, _, err := p.MatchOutgoing(&ebms.UserMessage{}); !errors.As(err, &coded) {
		t.Errorf("a message to nobody gives %v", err)
	}
}

func FuzzImportDomibus(f *testing.F) {
	raw, err := os.ReadFile("testdata/domibus.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, file []byte) {
		if p, _, err := ImportDomibus(file, nil); err == nil {
			_ = p.Check()
		}
	})
}
