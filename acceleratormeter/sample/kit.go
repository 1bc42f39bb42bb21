package sample

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/once-only/oots/ledger"
)

// Kit writes invented facts for one country in one role. Show adds the facts
// that carry a criterion of AM-1; the sample history and the tests of the
// criteria use the same kit.
type Kit struct {
	Country  string
	Role     ledger.Role
	Version  string   // of every component
	Lines    []string // specification lines that the components speak
	Partners []string // at least three, for pairwise tests
	Event    string   // testing event of pairwise tests; empty: bilateral
	Facts    []ledger.Fact

	serial *int
}

// NewKit makes a kit with usual values. Kits of one country that shall write
// different ids share a serial number; nil starts a new one.
func NewKit(country string, role ledger.Role, serial *int, partners ...string) *Kit {
	if serial == nil {
		serial = new(int)
	}
	return &Kit{Country: country, Role: role, Version: "1.0", Lines: []string{"oots-edm:v1.2"}, Partners: partners, serial: serial}
}

// Criteria are the ids that Show knows, in order.
var Criteria = []string{
	"AM1.1", "AM2.1", "AM2.2", "AM2.3", "AM2.4", "AM3.1", "AM3.2", "AM3.3", "AM3.4", "AM3.5",
	"AM4.1", "AM4.2", "AM4.3", "AM4.4", "AM4.5", "AM4.6", "AM4.7", "AM5.1", "AM5.2", "AM5.3", "AM5.4",
	"AM6.1", "AM6.2", "AM6.3", "AM6.4", "AM6.5",
}

// Parts are the components and suites of each role, in the words of the
// catalogue.
var parts = map[ledger.Role][]struct {
	code   string
	suites []string
}{
	ledger.Requester: {
		{"AP", []string{"AS4-CONN", "AS4-PROF"}}, {"CSQ", []string{"CS-QRY-EB", "CS-QRY-DSD", "CS-DISC", "CS-SIG", "CS-VER"}},
		{"ER", []string{"EDM-MSG", "EDM-XVAL", "ER-SIM"}}, {"PP", []string{"ER-SIM"}}, {"EID-R", []string{"EID"}},
		{"MD", []string{"LCM"}}, {"LOG", []string{"LOG"}},
	},
	ledger.Provider: {
		{"AP", []string{"AS4-CONN", "AS4-PROF"}}, {"DS", []string{"EDM-MSG", "EDM-XVAL", "EP-SIM"}}, {"PRV", []string{"EP-SIM"}},
		{"EID-P", []string{"EID"}}, {"MD", []string{"LCM"}}, {"LOG", []string{"LOG"}},
	},
}

// Show adds the facts of a criterion, dated at.
func (k *Kit) Show(criterion string, at time.Time) {
	provider := k.Role == ledger.Provider
	switch criterion {
	case "AM2.1":
		for _, f := range []string{"coordinator", "technical-contact-point"} {
			k.Add(ledger.Fact{Kind: ledger.Nomination, Asserter: "ms:" + k.Country, Verifier: "commission:desk", HappenedAt: at, Body: ledger.Body{Function: f}})
		}
	case "AM2.2":
		for _, p := range parts[k.Role] {
			k.Declare(p.code, at)
		}
	case "AM2.3":
		comp := "ER"
		if provider {
			comp = "DS"
		}
		k.Test(comp, "EDM-MSG", "EDM-MSG-001", at)
	case "AM2.4":
		k.Test("CSQ", "CS-QRY-EB", "CS-QRY-EB-001", at)
	case "AM3.1":
		k.Test("AP", "AS4-CONN", "", at)
	case "AM3.2":
		for _, p := range parts[k.Role] {
			for _, s := range p.suites {
				if s != "AS4-CONN" {
					k.Test(p.code, s, "", at)
				}
			}
		}
	case "AM3.3":
		k.Observe(ledger.Acceptance, "", at)
	case "AM3.4":
		k.Peer("TC01", k.Partners[0], at)
	case "AM4.1":
		k.Declare("OPS", at)
		for item := 11; item <= 15; item++ {
			k.Check(strconv.Itoa(item), at)
		}
	case "AM4.2":
		cases := []string{"TC02", "TC05", "TC06", "TC08"}
		if provider {
			cases = []string{"TC02", "TC03", "TC06", "TC08", "TC09"}
		}
		for i, c := range cases {
			k.Peer(c, k.Partners[(i+1)%3], at)
		}
	case "AM4.3":
		k.Peer("TC04", k.Partners[0], at)
		k.Peer("TC04_b", k.Partners[0], at)
		k.Peer("TC23", k.Partners[1], at)
	case "AM4.4":
		comp, suite := "ER", "ER-SIM"
		if provider {
			comp, suite = "DS", "EP-SIM"
		}
		for _, c := range []string{"TC20", "TC21", "TC22"} {
			k.Test(comp, suite, c, at)
		}
	case "AM4.5":
		k.Peer("TC32", k.Partners[0], at)
	case "AM4.6":
		for item := 1; item <= 20; item++ {
			if item < 11 || item > 15 {
				k.Check(strconv.Itoa(item), at)
			}
		}
		k.Check("session", at)
		k.ProbeAll(at)
	case "AM5.1":
		if provider {
			k.Declare("BR", at)
		}
	case "AM5.2":
		k.Connect("connected", at)
		k.Observe(ledger.ProductionEnv, k.authority(), at)
	case "AM5.3":
		k.Exchange(k.Partners[0], false, at)
	case "AM5.4":
		k.Consent(k.Partners[0], at)
	case "AM6.2":
		k.Connect("open", at)
		k.Probe("public-link", k.link(""), at)
	case "AM6.3":
		k.Exchange(k.Partners[0], true, at)
	case "AM6.4":
		k.Add(ledger.Fact{
			Kind: ledger.TransactionAttestation, Asserter: "ms:" + k.Country, Environment: ledger.ProductionEnv, HappenedAt: at,
			Subject: ledger.Subject{Role: k.Role}, Body: ledger.Body{Period: at.AddDate(0, -1, 0).Format("2006-01"), Sent: 120, Answered: 101},
		})
	case "AM6.5":
		k.Probe("support-link", k.link("/support"), at)
	}
}

// Levels shows every criterion from one level to another.
func (k *Kit) Levels(from, to int, at time.Time) {
	for _, c := range Criteria {
		if level := int(c[2] - '0'); level >= from && level <= to {
			k.Show(c, at)
		}
	}
}

// Add completes a fact: id, country, sample mark, time of recording.
func (k *Kit) Add(f ledger.Fact) ledger.Fact {
	*k.serial++
	f.ID = fmt.Sprintf("sample:%s-%05d", k.Country, *k.serial)
	if f.Subject.Country == "" {
		f.Subject.Country = k.Country
	}
	if f.RecordedAt.IsZero() {
		f.RecordedAt = f.HappenedAt
	}
	f.Sample = true
	k.Facts = append(k.Facts, f)
	return f
}

func (k *Kit) system() string {
	if k.Role == ledger.Provider {
		return k.Country + "-registers"
	}
	return k.Country + "-portal"
}

func (k *Kit) authority() string { return k.Country + "-authority-" + string(k.Role) }

func (k *Kit) link(path string) string {
	return "https://once-only.example/" + k.Country + "/" + string(k.Role) + path
}

// Declare is an accepted, automated component.
func (k *Kit) Declare(component string, at time.Time) {
	k.Add(ledger.Fact{
		Kind: ledger.Component, Asserter: "ms:" + k.Country, Verifier: "manager:m1", HappenedAt: at,
		Subject: ledger.Subject{Role: k.Role, System: k.system(), Component: component},
		Body:    ledger.Body{Mode: "automated", Lines: k.Lines, Version: k.Version},
	})
}

// Plan is a missing component with its date.
func (k *Kit) Plan(component string, due, at time.Time) {
	k.Add(ledger.Fact{
		Kind: ledger.Component, Asserter: "ms:" + k.Country, Verifier: "manager:m1", HappenedAt: at,
		Subject: ledger.Subject{Role: k.Role, System: k.system(), Component: component}, Body: ledger.Body{PlannedFor: due},
	})
}

// Test is a pass of a case, or of the whole suite when case is empty.
func (k *Kit) Test(component, suite, kase string, at time.Time) {
	k.Add(ledger.Fact{
		Kind: ledger.Conformance, Asserter: "platform", Environment: ledger.Testing, HappenedAt: at, Specification: k.Lines[len(k.Lines)-1],
		Subject: ledger.Subject{Role: k.Role, System: k.system(), Component: component},
		Body:    ledger.Body{Suite: suite, Case: kase, Outcome: "pass", Version: k.Version, Catalogue: "1.0", Mode: "automated"},
	})
}

// Peer is a pairwise test and a monitor's verdict on it.
func (k *Kit) Peer(kase, partner string, at time.Time) { k.PeerAs(kase, partner, "verified", at) }

// PeerAs is Peer with another verdict; an empty one is still awaited.
func (k *Kit) PeerAs(kase, partner, verdict string, at time.Time) {
	subject := ledger.Subject{Country: k.Country, Role: k.Role, Partner: partner}
	outcome := "pass"
	if verdict == "failed" {
		outcome = "fail"
	}
	test := k.Add(ledger.Fact{
		Kind: ledger.PeerTest, Asserter: "team:" + k.Country + "/" + string(k.Role), Environment: ledger.Projectathon, HappenedAt: at,
		Specification: k.Lines[len(k.Lines)-1], Subject: subject,
		Body: ledger.Body{Case: kase, Outcome: outcome, Mode: "automated", Catalogue: "1.0", Event: k.Event},
	})
	if verdict == "" {
		return
	}
	var causes []string
	if verdict != "verified" {
		causes = []string{"own"}
	}
	k.Add(ledger.Fact{
		Kind: ledger.Verdict, Asserter: "monitor:neutral-1", HappenedAt: at, RecordedAt: at.Add(time.Hour), PointsAt: test.ID,
		Subject: subject, Body: ledger.Body{Outcome: verdict, Case: kase, Event: k.Event, Causes: causes},
	})
}

// Check is a checked item of the readiness list, or the session.
func (k *Kit) Check(item string, at time.Time) {
	k.Add(ledger.Fact{
		Kind: ledger.ReadinessCheck, Asserter: "ms:" + k.Country, Verifier: "expert:x1", Environment: ledger.ProductionEnv, HappenedAt: at,
		Subject: ledger.Subject{Role: k.Role}, Body: ledger.Body{Item: item, Outcome: "pass"},
	})
}

// Probe is one successful probe in production.
func (k *Kit) Probe(item, target string, at time.Time) {
	k.Add(ledger.Fact{
		Kind: ledger.Probe, Asserter: "platform", Environment: ledger.ProductionEnv, HappenedAt: at,
		Body: ledger.Body{Item: item, Outcome: "pass", Target: target},
	})
}

// ProbeAll are the three probes of the readiness check.
func (k *Kit) ProbeAll(at time.Time) {
	for _, p := range []string{"as4-ping", "cs-reachability", "cs-signature"} {
		k.Probe(p, "", at)
	}
}

// Observe is the role's entry in the directories of an environment. The sample's
// observer looks once a month.
func (k *Kit) Observe(env ledger.Environment, authority string, at time.Time) {
	item := "procedure"
	if k.Role == ledger.Provider {
		item = "data-service"
	}
	k.Add(ledger.Fact{
		Kind: ledger.DirectoryObservation, Asserter: "platform", Environment: env, HappenedAt: at, ValidUntil: at.AddDate(0, 0, 35),
		Subject: ledger.Subject{Role: k.Role, Authority: authority}, Body: ledger.Body{Item: item, Count: 1},
	})
}

// Connect is the state of the country's authority in production.
func (k *Kit) Connect(state string, at time.Time) {
	f := ledger.Fact{
		Kind: ledger.AuthorityConnection, Asserter: "ms:" + k.Country, Verifier: "commission:desk", Environment: ledger.ProductionEnv, HappenedAt: at,
		Subject: ledger.Subject{Role: k.Role, Authority: k.authority()},
		Body:    ledger.Body{State: state, Procedures: []string{"T1"}, EvidenceTypes: []string{"https://sr.example/evidencetypes/birth"}},
	}
	if state == "open" {
		f.Body.Link, f.Body.SupportLink = k.link(""), k.link("/support")
	}
	k.Add(f)
}

// Exchange is one exchange in production, attested by both sides.
func (k *Kit) Exchange(partner string, realUser bool, at time.Time) {
	far := ledger.Provider
	if k.Role == ledger.Provider {
		far = ledger.Requester
	}
	key := fmt.Sprint(k.Country, partner, k.Role, realUser, at.Unix())
	request, message := digest("request", key), digest("message", key)
	for _, side := range []ledger.Subject{
		{Country: k.Country, Role: k.Role, Partner: partner}, {Country: partner, Role: far, Partner: k.Country},
	} {
		k.Add(ledger.Fact{
			Kind: ledger.TransactionAttestation, Asserter: "ms:" + side.Country, Environment: ledger.ProductionEnv, HappenedAt: at, Subject: side,
			Body: ledger.Body{RequestHash: request, MessageHash: message, RealUser: realUser, Outcome: "pass"},
		})
	}
}

// Consent is both countries' agreement that the first exchange is shown.
func (k *Kit) Consent(partner string, at time.Time) {
	for _, side := range []ledger.Subject{{Country: k.Country, Partner: partner}, {Country: partner, Partner: k.Country}} {
		for _, item := range []string{"first-exchange", "first-user-exchange"} {
			k.Add(ledger.Fact{Kind: ledger.PublicationConsent, Asserter: "ms:" + side.Country, HappenedAt: at, Subject: side, Body: ledger.Body{Item: item}})
		}
	}
}

// Block is an open blocking item; the id is for the fact that closes it.
func (k *Kit) Block(severity, title string, due, at time.Time) (id string) {
	return k.Add(ledger.Fact{
		Kind: ledger.Blocker, Asserter: "ms:" + k.Country, HappenedAt: at,
		Body: ledger.Body{Severity: severity, Title: title, Owner: "national platform team", Due: due},
	}).ID
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}
