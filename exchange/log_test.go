package exchange_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/sdg"
)

func (w *world) delivered(asked exchange.Wish) (*exchange.Exchange, []exchange.Content) {
	w.t.Helper()
	x := w.ask(asked).Exchanges[0]
	w.run()
	return w.wantState(x.ID, exchange.Delivered, ""), w.collect(x.ID)
}

func certificates(t *testing.T) (all []*x509.Certificate) {
	t.Helper()
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range known {
		all = append(all, p.Sign.Cert())
	}
	return all
}

// messages is the AS4 store of a state.
func messages(s *state) as4.Store { return s.ap.Store }

func TestTheChainFromEvidenceToDigests(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		w := newWorld(t, o)
		_, all := w.delivered(wish())
		for cc, side := range map[string]string{"PT": "requester", "FI": "provider"} {
			p, err := w.states[cc].Log.Prove(t.Context(), messages(w.states[cc]), all[0].ID, certificates(t)...)
			if err != nil {
				t.Fatal(err)
			}
			var said bytes.Buffer
			_ = p.WriteText(&said)
			if !p.Holds() || p.Side != side || len(p.Links) != 8 {
				t.Errorf("%s:\n%s", cc, said.String())
			}
		}
		if _, err := w.states["FI"].Log.Prove(t.Context(), messages(w.states["FI"]), someUUID); !errors.Is(err, &exchange.Error{Reason: exchange.NotFound, Detail: "no exchange in the log carried this evidence id"}) && err == nil {
			t.Error("an unknown evidence is proven")
		}
		// Another signer than those we know breaks the chain.
		p, err := w.states["PT"].Log.Prove(t.Context(), messages(w.states["PT"]), all[0].ID, certificates(t)[0])
		if err != nil || p.Holds() {
			t.Errorf("a chain of unknown signers holds: %v", err)
		}
	})
}

func TestTheChainBreaksWhereTheLogIsWrong(t *testing.T) {
	w := newWorld(t, options{})
	w.deviant = true
	// The register's document is swapped after it was logged.
	w.states["FI"].tamper = only(as4.ActionResponse, 0, in(">Alpha<", ">Alfa<"))
	x := w.ask(wish()).Exchanges[0]
	w.run()
	got := w.see(x.ID)
	entries, err := w.states["FI"].Log.Find(t.Context(), got.Requests[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.states["FI"].Log.Prove(t.Context(), messages(w.states["FI"]), entries[len(entries)-1].Evidence[0].ID)
	if err != nil || p.Holds() {
		t.Errorf("the chain holds over other octets: %v", err)
	}
}

func TestTheLogIsFoundByPersonAndAudited(t *testing.T) {
	w := newWorld(t, options{})
	x, all := w.delivered(wish())
	log := w.states["FI"].Log
	who := exchange.Subject{NaturalPerson: &sdg.Person{FamilyName: "ALPHA", GivenName: "Demo", DateOfBirth: "1999-04-17"}}
	if _, err := log.Person(t.Context(), exchange.Access{}, who); err == nil {
		t.Error("the log opens without a reason")
	}
	found, err := log.Person(t.Context(), exchange.Access{Who: "auditor", Why: "case 7"}, who)
	if err != nil || len(found) != 2 {
		t.Fatalf("%d entries about the person: %v", len(found), err)
	}
	who.NaturalPerson.GivenName = "Eve"
	if found, _ := log.Person(t.Context(), exchange.Access{Who: "auditor", Why: "case 7"}, who); len(found) != 0 {
		t.Error("another person has the entries")
	}
	var out bytes.Buffer
	if err := log.Export(t.Context(), exchange.Access{Who: "authority of PT", Why: "Art. 17(5)"}, []string{x.Requests[0], all[0].ID}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var e exchange.Entry
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &e); err != nil || len(lines) != 2 {
		t.Fatalf("%d lines: %v", len(lines), err)
	}
	if bytes.Contains(out.Bytes(), pdf[:40]) || e.Evidence[0].SHA256 != all[0].SHA256 {
		t.Error("the export holds the evidence, or another digest")
	}
	looks, err := log.Accesses(t.Context(), w.at.Now().Add(-time.Hour), w.at.Now().Add(time.Hour))
	if err != nil || len(looks) != 3 {
		t.Errorf("%d looks are recorded: %v", len(looks), err)
	}
	w.at.add(364 * 24 * time.Hour)
	if n, err := log.Purge(t.Context()); n != 0 || err != nil {
		t.Errorf("%d entries purged too early: %v", n, err)
	}
	w.at.add(2 * 24 * time.Hour)
	if n, err := log.Purge(t.Context()); n != 2 || err != nil {
		t.Errorf("%d entries purged, want 2: %v", n, err)
	}
	if got := w.logged("FI", x.Requests[0]); len(got) != 0 {
		t.Errorf("after the purge there is %q", got)
	}
}

func TestNothingPersonalIsReadableAtRest(t *testing.T) {
	kept := &exchange.Memory{}
	w := newWorld(t, options{store: func(cc string) (exchange.Store, as4.Store) {
		if cc == "FI" {
			return kept, &as4.Memory{}
		}
		return &exchange.Memory{}, &as4.Memory{}
	}, files: func(string) as4.Files { return as4.Folder(t.TempDir()) }})
	w.delivered(wish())
	for _, kind := range []string{"log", "inquiry", "request"} {
		err := kept.Each(t.Context(), kind, time.Time{}, w.at.Now().Add(time.Hour), func(r exchange.Row) error {
			all := slices.Concat([]byte(strings.Join(append(r.Keys, r.ID, r.State), " ")), r.Body)
			for _, word := range []string{"Alpha", "ALPHA", "1999-04-17", "demo evidence"} {
				if bytes.Contains(all, []byte(word)) {
					t.Errorf("%s tells %q", r.Kind, word)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAttestationsOfBothSidesMatch(t *testing.T) {
	w := newWorld(t, options{})
	x, _ := w.delivered(wish())
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	var facts []ledger.Fact
	for _, cc := range []string{"PT", "FI"} {
		a, err := w.states[cc].Log.Attest(t.Context(), exchange.Attester{Party: "ms:" + cc, Environment: ledger.Testing, Identity: known[cc].Sign}, x.Requests[0])
		if err != nil {
			t.Fatal(err)
		}
		if cert, err := a.Verify(); err != nil || !cert.Equal(known[cc].Sign.Cert()) {
			t.Errorf("%s: %v", cc, err)
		}
		line, _ := json.Marshal(a)
		if strings.Contains(string(line), x.Requests[0][9:]) || strings.Contains(string(line), "Alpha") {
			t.Error("an attestation tells an id or a person")
		}
		facts = append(facts, a.Fact)
		a.Fact.Body.Outcome = "fail"
		if _, err := a.Verify(); err == nil {
			t.Error("a changed attestation verifies")
		}
	}
	if !exchange.Match(&facts[0], &facts[1]) {
		t.Errorf("they do not match:\n%s", cmp.Diff(facts[0], facts[1]))
	}
}
