package ledger_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
)

func TestGeneratedFactsPass(t *testing.T) {
	kinds := map[ledger.Kind]int{}
	for f := range ledgertest.Facts(20_000, 2) {
		if err := ledger.Check(f); err != nil {
			t.Fatal(err)
		}
		kinds[f.Kind]++
	}
	if len(kinds) < 11 {
		t.Errorf("only these kinds were generated: %v", kinds)
	}
}

func TestEveryKindHasARow(t *testing.T) {
	listed := map[ledger.Kind]bool{}
	for _, r := range ledger.Kinds {
		if listed[r.Kind] || r.About == "" || r.Lasts == "" {
			t.Errorf("row of %q: twice, or without About or Lasts", r.Kind)
		}
		listed[r.Kind] = true
	}
	if len(listed) != 17 {
		t.Errorf("%d kinds, the specification has 17", len(listed))
	}
}

var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func fact(k ledger.Kind, asserter string, s ledger.Subject, b ledger.Body, more ...func(*ledger.Fact)) ledger.Fact {
	f := ledger.Fact{ID: "x", Kind: k, Asserter: asserter, Subject: s, Body: b, HappenedAt: at}
	if r := ledger.RuleOf(k); r != nil && r.Environment {
		f.Environment = ledger.ProductionEnv
	}
	for _, m := range more {
		m(&f)
	}
	return f
}

func TestCheck(t *testing.T) {
	AT := ledger.Subject{Country: "AT"}
	pair := ledger.Subject{Country: "AT", Role: ledger.Provider, Partner: "FI"}
	hash := strings.Repeat("0a", 32)
	coordinator := ledger.Body{Function: "coordinator"}
	for _, c := range []struct {
		name  string
		fact  ledger.Fact
		field string // empty: it passes
		says  string
	}{
		{"nomination", fact(ledger.Nomination, "ms:AT", AT, coordinator), "", ""},
		{"no id", fact(ledger.Nomination, "ms:AT", AT, coordinator, func(f *ledger.Fact) { f.ID = "" }), "id", "is missing"},
		{"id with a blank", fact(ledger.Nomination, "ms:AT", AT, coordinator, func(f *ledger.Fact) { f.ID = "a b" }), "id", "A–Z"},
		{"no kind", fact("", "ms:AT", AT, coordinator), "kind", "nomination, component"},
		{"no time", fact(ledger.Nomination, "ms:AT", AT, coordinator, func(f *ledger.Fact) { f.HappenedAt = time.Time{} }), "happened_at", "is missing"},
		{"Greece", fact(ledger.Nomination, "ms:EL", ledger.Subject{Country: "GR"}, coordinator), "subject.country", `use "EL"`},
		{"lower case", fact(ledger.Nomination, "ms:AT", ledger.Subject{Country: "at"}, coordinator), "subject.country", `use "AT"`},
		{"the Union", fact(ledger.Nomination, "ms:AT", ledger.Subject{Country: "EU"}, coordinator), "subject.country", "not a country"},
		{"elsewhere", fact(ledger.Nomination, "ms:AT", ledger.Subject{Country: "US"}, coordinator), "subject.country", "BE BG"},
		{"Greece asserts", fact(ledger.Nomination, "ms:GR", ledger.Subject{Country: "EL"}, coordinator), "asserter", `use "EL"`},
		{"another country asserts", fact(ledger.Nomination, "ms:DE", AT, coordinator), "asserter", "speaks for DE"},
		{"the wrong class asserts", fact(ledger.Nomination, "platform", AT, coordinator), "asserter", "ms or coordinator may"},
		{"no party", fact(ledger.Nomination, "Austria", AT, coordinator), "asserter", "is no party"},
		{"a person as party", fact(ledger.Nomination, "monitor:Jane Doe", AT, coordinator), "asserter", "lacks a sign"},
		{"verified by oneself", fact(ledger.Decision, "commission:1", AT, ledger.Body{Action: "confirm", Reason: "r"}, func(f *ledger.Fact) { f.Verifier = "commission:1" }), "verifier", "nobody verifies"},
		{"verified by the wrong class", fact(ledger.Nomination, "ms:AT", AT, coordinator, func(f *ledger.Fact) { f.Verifier = "monitor:1" }), "verifier", "commission may"},
		{"unknown function", fact(ledger.Nomination, "ms:AT", AT, ledger.Body{Function: "king"}), "body.function", "coordinator or technical-contact-point"},
		{"strange field", fact(ledger.Nomination, "ms:AT", AT, ledger.Body{Function: "coordinator", Level: 3}), "body.level", "does not belong"},
		{"strange subject", fact(ledger.Nomination, "ms:AT", ledger.Subject{Country: "AT", Component: "AP"}, coordinator), "subject.component", "does not belong"},
		{"unknown component", fact(ledger.Component, "ms:AT", ledger.Subject{Country: "AT", Role: ledger.Provider, System: "s", Component: "XX"}, ledger.Body{Mode: "manual"}), "subject.component", "AP, CSQ"},
		{"component ready and planned", fact(ledger.Component, "ms:AT", ledger.Subject{Country: "AT", Role: ledger.Provider, System: "s", Component: "AP"}, ledger.Body{Mode: "manual", PlannedFor: at}), "body.mode", "exactly one"},
		{"component planned", fact(ledger.Component, "ms:AT", ledger.Subject{Country: "AT", Role: ledger.Provider, System: "s", Component: "AP"}, ledger.Body{PlannedFor: at}), "", ""},
		{"unknown environment", fact(ledger.Probe, "platform", AT, ledger.Body{Item: "naptr", Outcome: "pass"}, func(f *ledger.Fact) { f.Environment = "prod" }), "environment", "testing, projectathon"},
		{"no environment", fact(ledger.Probe, "platform", AT, ledger.Body{Item: "naptr", Outcome: "pass"}, func(f *ledger.Fact) { f.Environment = "" }), "environment", "is missing"},
		{"unknown probe", fact(ledger.Probe, "platform", AT, ledger.Body{Item: "ping", Outcome: "pass"}), "body.item", "as4-ping"},
		{"readiness item 27", fact(ledger.ReadinessCheck, "ms:AT", AT, ledger.Body{Item: "27", Outcome: "pass"}), "body.item", "session"},
		{"peer test with oneself", fact(ledger.PeerTest, "team:AT/portal", ledger.Subject{Country: "AT", Role: ledger.Provider, Partner: "AT"}, ledger.Body{Case: "TC01", Outcome: "pass"}), "subject.partner", "the country itself"},
		{"peer test", fact(ledger.PeerTest, "team:AT/portal", pair, ledger.Body{Case: "TC04_b", Outcome: "pass"}), "", ""},
		{"specification", fact(ledger.PeerTest, "team:AT/portal", pair, ledger.Body{Case: "TC01", Outcome: "pass"}, func(f *ledger.Fact) { f.Specification = "2.0" }), "specification", "oots-edm:v2.0"},
		{"exchange", fact(ledger.TransactionAttestation, "ms:AT", pair, ledger.Body{RequestHash: hash, MessageHash: hash}), "", ""},
		{"exchange without message", fact(ledger.TransactionAttestation, "ms:AT", pair, ledger.Body{RequestHash: hash}), "body.message_hash", "both hashes"},
		{"exchange in the clear", fact(ledger.TransactionAttestation, "ms:AT", pair, ledger.Body{RequestHash: "urn:uuid:1", MessageHash: hash}), "body.request_hash", "64 lower-case"},
		{"exchange of a month", fact(ledger.TransactionAttestation, "ms:AT", pair, ledger.Body{RequestHash: hash, MessageHash: hash, Period: "2026-03"}), "body.period", "not both"},
		{"neither", fact(ledger.TransactionAttestation, "ms:AT", pair, ledger.Body{Sent: 3}), "body.request_hash", "aggregate"},
		{"aggregate", fact(ledger.TransactionAttestation, "ms:AT", pair, ledger.Body{Period: "2026-03", Sent: 3, Answered: 2}), "", ""},
		{"more answers than requests", fact(ledger.TransactionAttestation, "ms:AT", pair, ledger.Body{Period: "2026-03", Sent: 3, Answered: 4}), "body.answered", "more than"},
		{"month 13", fact(ledger.TransactionAttestation, "ms:AT", pair, ledger.Body{Period: "2026-13"}), "body.period", "is no month"},
		{"a coordinator overrides", fact(ledger.Decision, "coordinator:AT", AT, ledger.Body{Action: "override", Level: 6, Reason: "r", Until: at}), "body.action", "the Commission decides"},
		{"a coordinator holds", fact(ledger.Decision, "coordinator:AT", AT, ledger.Body{Action: "hold", Reason: "announcement"}), "", ""},
		{"freeze for ever", fact(ledger.Decision, "commission", AT, ledger.Body{Action: "freeze", Reason: "r"}), "body.until", "ends on a date"},
		{"level 7", fact(ledger.Decision, "commission", AT, ledger.Body{Action: "override", Reason: "r", Level: 7, Until: at}), "body.level", "1 to 6"},
		{"event of no country", fact(ledger.PublicEvent, "operator", ledger.Subject{}, ledger.Body{Title: "Projectathon 5", Source: "news", Totals: map[string]int{"tests": 494}}), "", ""},
		{"event's link", fact(ledger.PublicEvent, "operator", ledger.Subject{}, ledger.Body{Title: "t", Source: "s", URL: "javascript:alert(1)"}), "body.url", "https://"},
		{"link with a password", fact(ledger.PublicEvent, "operator", ledger.Subject{}, ledger.Body{Title: "t", Source: "s", URL: "https://me:secret@example.eu/"}), "body.url", "password"},
		{"event with GR", fact(ledger.PublicEvent, "operator", ledger.Subject{}, ledger.Body{Title: "t", Source: "s", Taking: []string{"AT", "GR"}}), "body.countries", `use "EL"`},
		{"e-mail", fact(ledger.PublicEvent, "operator", ledger.Subject{}, ledger.Body{Title: "t", Source: "s", Note: "write to a.b@c.eu"}), "body.note", "e-mail"},
		{"control character", fact(ledger.PublicEvent, "operator", ledger.Subject{}, ledger.Body{Title: "t\x00", Source: "s"}), "body.title", "U+0000"},
		{"long text", fact(ledger.PublicEvent, "operator", ledger.Subject{}, ledger.Body{Title: strings.Repeat("t", 501), Source: "s"}), "body.title", "the most are 500"},
		{"evidence", fact(ledger.Nomination, "ms:AT", AT, coordinator, func(f *ledger.Fact) { f.Evidence = []ledger.Evidence{{SHA256: hash, MediaType: "application/pdf"}} }), "", ""},
		{"evidence without digest", fact(ledger.Nomination, "ms:AT", AT, coordinator, func(f *ledger.Fact) { f.Evidence = []ledger.Evidence{{MediaType: "application/pdf"}} }), "evidence[0].sha256", "is missing"},
		{"ends before it begins", fact(ledger.Nomination, "ms:AT", AT, coordinator, func(f *ledger.Fact) { f.ValidUntil = at }), "valid_until", "not after the beginning"},
		{"points at itself", fact(ledger.Withdrawal, "ms:AT", AT, ledger.Body{}, func(f *ledger.Fact) { f.PointsAt = "x" }), "points_at", "itself"},
		{"withdraws nothing", fact(ledger.Withdrawal, "ms:AT", AT, ledger.Body{}), "points_at", "is missing"},
	} {
		err := ledger.Check(c.fact)
		if c.field == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var r *ledger.Refusal
		if !errors.As(err, &r) || r.Field != c.field || !strings.Contains(r.Reason, c.says) {
			t.Errorf("%s: %v\nwant %s: …%s…", c.name, err, c.field, c.says)
		}
	}
}

func TestValidity(t *testing.T) {
	from := at.AddDate(0, 0, 3)
	for _, c := range []struct {
		kind        ledger.Kind
		from, until time.Time
		wantFrom    time.Time
		wantUntil   time.Time
	}{
		{ledger.Conformance, time.Time{}, time.Time{}, at, at.AddDate(1, 0, 0)},
		{ledger.PeerTest, time.Time{}, time.Time{}, at, at.AddDate(0, 18, 0)},
		{ledger.ReadinessCheck, from, time.Time{}, from, from.AddDate(1, 0, 0)},
		{ledger.Probe, time.Time{}, time.Time{}, at, at.AddDate(0, 0, 30)},
		{ledger.DirectoryObservation, time.Time{}, time.Time{}, at, at.AddDate(0, 0, 7)},
		{ledger.Nomination, time.Time{}, time.Time{}, at, time.Time{}},
		{ledger.TransactionAttestation, time.Time{}, time.Time{}, at, time.Time{}},
		{ledger.Probe, from, from.Add(time.Hour), from, from.Add(time.Hour)},
	} {
		f := ledger.Fact{Kind: c.kind, HappenedAt: at, ValidFrom: c.from, ValidUntil: c.until}
		if !f.From().Equal(c.wantFrom) || !f.Until().Equal(c.wantUntil) {
			t.Errorf("%s: %v to %v, want %v to %v", c.kind, f.From(), f.Until(), c.wantFrom, c.wantUntil)
		}
		if f.HoldsAt(c.wantFrom.Add(-time.Nanosecond)) || !f.HoldsAt(c.wantFrom) {
			t.Errorf("%s: does not begin when it begins", c.kind)
		}
		if !c.wantUntil.IsZero() && (f.HoldsAt(c.wantUntil) || !f.HoldsAt(c.wantUntil.Add(-time.Nanosecond))) {
			t.Errorf("%s: does not end when it ends", c.kind)
		}
	}
}

// TestEveryFieldTravels compares names and order; this one finds a field that
// neither encoding/json nor the tables would write.
func TestNoFieldIsForgotten(t *testing.T) {
	fact, subject, body := ledger.TableSizes()
	if fact != reflect.TypeFor[ledger.Fact]().NumField() || subject != reflect.TypeFor[ledger.Subject]().NumField() || body != reflect.TypeFor[ledger.Body]().NumField() {
		t.Errorf("the tables have %d, %d and %d rows, the structs other numbers of fields", fact, subject, body)
	}
}
