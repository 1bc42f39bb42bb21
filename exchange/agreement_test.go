package exchange_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
)

// attester speaks for a country of a world in an environment.
func attester(t *testing.T, cc string, env ledger.Environment) exchange.Attester {
	t.Helper()
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	return exchange.Attester{Party: "ms:" + cc, Environment: env, Identity: known[cc].Sign}
}

func witness(t *testing.T) exchange.Witness {
	t.Helper()
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]*x509.Certificate{}
	for cc, p := range known {
		by[cc] = []*x509.Certificate{p.Sign.Cert()}
	}
	return exchange.Witness{SpeaksFor: exchange.Speakers(by)}
}

func (w *world) attest(cc, request string, a exchange.Attester) *exchange.Attestation {
	w.t.Helper()
	said, err := w.states[cc].Log.Attest(w.t.Context(), a, request)
	if err != nil {
		w.t.Fatal(err)
	}
	return said
}

func TestWhatAWitnessRefuses(t *testing.T) {
	w := newWorld(t, options{})
	x, _ := w.delivered(wish())
	other, _ := w.delivered(wish())
	production := func(cc string) exchange.Attester { return attester(t, cc, ledger.ProductionEnv) }
	side := func(cc string) *exchange.Attestation { return w.attest(cc, x.Requests[0], production(cc)) }
	signedBy := func(cc, by string, change func(*exchange.Attester)) *exchange.Attestation {
		a := production(cc)
		a.Identity = production(by).Identity
		change(&a)
		return w.attest(cc, x.Requests[0], a)
	}
	for _, c := range []struct {
		name   string
		pt, fi *exchange.Attestation
		why    string // "" is taken
	}{
		{"both sides", side("PT"), side("FI"), ""},
		{"one side", side("PT"), nil, "did not attest"},
		{"the same side twice", side("PT"), side("PT"), "same side"},
		{"no signature", side("PT"), func() *exchange.Attestation { a := side("FI"); a.Signature = nil; return a }(), "signature does not hold"},
		{"no certificate", side("PT"), func() *exchange.Attestation { a := side("FI"); a.Certificate = nil; return a }(), "cannot be read"},
		{"changed after it was signed", side("PT"), func() *exchange.Attestation { a := side("FI"); a.Fact.Body.RealUser = true; return a }(), "signature does not hold"},
		{"signed by the partner", side("PT"), signedBy("FI", "PT", func(*exchange.Attester) {}), "may not speak for FI"},
		{"signed by a third country", side("PT"), signedBy("FI", "DE", func(*exchange.Attester) {}), "may not speak for FI"},
		{"another exchange", side("PT"), w.attest("FI", other.Requests[0], production("FI")), "hashes of the request differ"},
		{"another environment", side("PT"), w.attest("FI", x.Requests[0], attester(t, "FI", ledger.Acceptance)), "other environments"},
		{"only one says that it was a real user", side("PT"), signedBy("FI", "FI", func(a *exchange.Attester) { a.RealUser = true }), "real user"},
	} {
		facts, err := witness(t).Exchange(c.pt, c.fi)
		switch {
		case c.why == "" && (err != nil || len(facts) != 2):
			t.Errorf("%s: %d facts, %v", c.name, len(facts), err)
		case c.why != "" && (!errors.Is(err, &exchange.Error{Reason: exchange.Unproven}) || !strings.Contains(err.Error(), c.why) || facts != nil):
			t.Errorf("%s: %d facts, error %v, want one with %q", c.name, len(facts), err, c.why)
		}
	}
}

// An exchange that never was is in nobody's log; whose partner knows it alone
// finds nothing to attest.
func TestOnlyAnExchangeThatWasIsAttested(t *testing.T) {
	w := newWorld(t, options{})
	x, _ := w.delivered(wish())
	for name, try := range map[string]func() error{
		"an invented id": func() error {
			_, err := w.states["PT"].Log.Attest(t.Context(), attester(t, "PT", ledger.ProductionEnv), someUUID)
			return err
		},
		"a country that took no part": func() error {
			_, err := w.states["DE"].Log.Attest(t.Context(), attester(t, "DE", ledger.ProductionEnv), x.Requests[0])
			return err
		},
		"an exchange of another environment": func() error {
			a := attester(t, "PT", ledger.ProductionEnv)
			a.Of = func(string) bool { return false }
			_, err := w.states["PT"].Log.Attest(t.Context(), a, x.Requests[0])
			return err
		},
	} {
		if err := try(); !errors.Is(err, &exchange.Error{Reason: exchange.NotFound}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The answer that asks for a preview ends nothing: whoever stops there has
// exchanged nothing.
func TestAnUnfinishedPreviewIsNoExchange(t *testing.T) {
	w := newWorld(t, options{})
	asked := wish()
	asked.Preview = true
	x := w.ask(asked).Exchanges[0]
	w.run()
	w.wantState(x.ID, exchange.PreviewRequired, "")
	for _, cc := range []string{"PT", "FI"} {
		if _, err := w.states[cc].Log.Attest(t.Context(), attester(t, cc, ledger.ProductionEnv), x.Requests[0]); !errors.Is(err, &exchange.Error{Reason: exchange.WrongState}) {
			t.Errorf("%s attests an exchange that only asked for a preview: %v", cc, err)
		}
	}
}

// The provider holds that it answered well, the requester that the answer does
// not conform: nothing is recorded, whoever is right.
func TestAPartnersDenialLeavesNothing(t *testing.T) {
	w := newWorld(t, options{})
	w.deviant = true
	w.states["FI"].tamper = only(as4.ActionResponse, 0, property("originalSender", "SOMEBODY"))
	x := w.ask(wish()).Exchanges[0]
	w.run()
	x = w.see(x.ID)
	pt, err := w.states["PT"].Log.Attest(t.Context(), attester(t, "PT", ledger.ProductionEnv), x.Requests[0])
	if err != nil {
		t.Fatal(err)
	}
	fi := w.attest("FI", x.Requests[0], attester(t, "FI", ledger.ProductionEnv))
	if pt.Fact.Body.Outcome != "fail" || fi.Fact.Body.Outcome != "pass" {
		t.Fatalf("the sides say %s and %s", pt.Fact.Body.Outcome, fi.Fact.Body.Outcome)
	}
	if facts, err := witness(t).Exchange(pt, fi); err == nil || !strings.Contains(err.Error(), "one says fail, the other pass") {
		t.Errorf("%d facts, %v", len(facts), err)
	}
}

func TestASystemCheckIsNoRealUser(t *testing.T) {
	w := newWorld(t, options{})
	asked := wish()
	w.dir.requirements["00"], asked.Procedure = w.dir.requirements[asked.Procedure], "00"
	x, _ := w.delivered(asked)
	a := attester(t, "PT", ledger.ProductionEnv)
	a.RealUser = true
	if said := w.attest("PT", x.Requests[0], a); said.Fact.Body.RealUser {
		t.Error("a system check is attested as a real user's exchange")
	}
	all, err := w.states["PT"].Log.AttestMonth(t.Context(), a, "requester", w.at.Now().Format("2006-01"))
	if err != nil || len(all) != 1 || all[0].Fact.Body.Sent != 0 || all[0].Fact.Body.Note != "" {
		t.Errorf("it counts among real users: %+v, %v", all, err)
	}
}

func TestTheMonthHidesSmallNumbers(t *testing.T) {
	w := newWorld(t, options{})
	month := func() []*exchange.Attestation {
		t.Helper()
		all, err := w.states["FI"].Log.AttestMonth(t.Context(), attester(t, "FI", ledger.ProductionEnv), "provider", w.at.Now().Format("2006-01"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := witness(t).Month(all); err != nil {
			t.Error(err)
		}
		return all
	}
	if all := month(); len(all) != 1 || all[0].Fact.Body.Sent != 0 || all[0].Fact.Body.Note != "" {
		t.Errorf("a month of nothing is %+v", all[0].Fact)
	}
	w.delivered(wish())
	if all := month(); len(all) != 1 || all[0].Fact.Body.Sent != 0 || all[0].Fact.Subject.Partner != "" || all[0].Fact.Body.Note != "fewer than 5 requests" {
		t.Errorf("one exchange is told as %+v", all[0].Fact)
	}
	for range exchange.SmallNumber - 1 {
		w.delivered(wish())
	}
	all := month()
	if len(all) != 1 || all[0].Fact.Body.Sent != 5 || all[0].Fact.Body.Answered != 5 || all[0].Fact.Subject.Partner != "PT" {
		t.Errorf("five exchanges are told as %+v", all[0].Fact)
	}
	if _, err := witness(t).Exchange(all[0], all[0]); err == nil {
		t.Error("a month is taken for an exchange")
	}
	all[0].Fact.Body.Sent = 5000
	if _, err := witness(t).Month(all); err == nil {
		t.Error("a changed month is taken")
	}
}

// A request of the last minute of a month is answered in the next one.
func TestAnAnswerCountsForTheMonthOfItsRequest(t *testing.T) {
	w := newWorld(t, options{})
	now := w.at.Now()
	w.at.add(time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Minute).Sub(now))
	month := w.at.Now().Format("2006-01")
	for range exchange.SmallNumber {
		w.ask(wish())
	}
	w.wait(time.Minute + time.Second)
	all, err := w.states["PT"].Log.AttestMonth(t.Context(), attester(t, "PT", ledger.ProductionEnv), "requester", month)
	if err != nil || len(all) != 1 || all[0].Fact.Body.Sent != 5 || all[0].Fact.Body.Answered != 5 {
		t.Errorf("%+v, %v", all[0].Fact, err)
	}
}

func FuzzReadAttestation(f *testing.F) {
	a := exchange.Attestation{Fact: ledger.Fact{ID: "attestation:x", Kind: ledger.TransactionAttestation}, Signature: []byte{1}, Certificate: []byte{2}}
	good, err := json.Marshal(a)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"fact":{"id":`))
	f.Add(bytes.Repeat([]byte("["), 70000))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := exchange.ReadAttestation(bytes.NewReader(raw))
		if err != nil {
			return
		}
		if _, err := (exchange.Witness{SpeaksFor: func(*x509.Certificate) string { return "" }}).Exchange(a, a); err == nil {
			t.Error("a witness who knows nobody takes something")
		}
	})
}
