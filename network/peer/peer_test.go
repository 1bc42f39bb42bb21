package peer_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/peer"
	pj "github.com/once-only/oots/projectathon"
)

// broken is a register that always fails.
type broken struct{ exchange.DataService }

func (broken) Records(context.Context, *exchange.Query) (*exchange.Records, error) {
	return nil, fmt.Errorf("the register is down")
}

var (
	manager = pj.Account{Party: "manager:m1", Post: pj.Manager}
	monitor = pj.Account{Party: "monitor:SE-1", Post: pj.Monitor, Country: "SE", Expertise: []string{"eID"}}
	// monitors, of whom one is neutral in every pair.
	monitors = []pj.Account{monitor, {Party: "monitor:CZ-2", Post: pj.Monitor, Country: "CZ"}, {Party: "monitor:PT-3", Post: pj.Monitor, Country: "PT"}}
)

// hall is a live event over a running network.
type hall struct {
	*pj.Service
	facts  *ledger.Ledger
	driver *peer.Driver
}

func open(t testing.TB, members map[string]network.Member, countries ...string) *hall {
	t.Helper()
	return openOver(t, &pj.Memory{}, &ledger.Memory{}, members, countries...)
}

func openOver(t testing.TB, events pj.Store, facts ledger.Store, members map[string]network.Member, countries ...string) *hall {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	h := &hall{facts: ledger.New(ledger.Config{Store: facts}), driver: table(t, members, countries...)}
	var err error
	var id atomic.Int64
	h.Service, err = pj.New(pj.Config{Store: events, Facts: h.facts, Key: make([]byte, 32), SecondShare: -1, NewID: func() string { return fmt.Sprintf("t%04d", id.Add(1)) }})
	ok(err)
	_, err = h.CreateEvent(ctx, manager, pj.Event{ID: "ev", Name: "Event", Line: "oots-edm:v2.0", Catalogue: "1.0", DataSet: "1", Slots: 80, Sample: true})
	ok(err)
	to := func(states ...pj.EventState) {
		for _, s := range states {
			_, err := h.AdvanceEvent(ctx, manager, "ev", s)
			ok(err)
		}
	}
	to(pj.Announced, pj.RegistrationOpen)
	for _, cc := range countries {
		c := pj.Account{Party: "coordinator:" + cc, Post: pj.Coordinator, Country: cc}
		reg, err := h.Register(ctx, c, pj.Registration{Event: "ev", System: cc + "_node", Country: cc, Lines: []string{"oots-edm:v2.0", "oots-edm:v1.2"}, Mode: "automated", Capacity: 4, Capabilities: []pj.Capability{
			{Profile: "eIDAS", Actor: "identity requester", Option: "notified scheme"}, {Profile: "eIDAS", Actor: "eIDAS node"}, {Profile: "evidence exchange", Actor: "Common Services query client"},
			{Profile: "evidence exchange", Actor: "evidence requester"}, {Profile: "evidence exchange", Actor: "data service", Option: "with preview"}, {Profile: "metadata management", Actor: "metadata updater"}}})
		ok(err)
		_, err = h.Move(ctx, c, reg.ID, pj.Endorsed)
		ok(err)
		_, err = h.Move(ctx, manager, reg.ID, pj.Admitted)
		ok(err)
	}
	to(pj.RegistrationClosed, pj.Preparation)
	return h
}

// play drives every scheduled test, a few at once, and lets the monitor give
// the verdicts that were computed. It returns how many were played.
func (h *hall) play(t testing.TB, slots int) (played int) {
	t.Helper()
	for slot := range slots {
		b, err := h.Board(t.Context(), "ev")
		if err != nil {
			t.Fatal(err)
		}
		due := b.Due(slot)
		var ids []string
		for _, d := range due {
			ids = append(ids, d.ID)
		}
		if err := h.Drive(t.Context(), h.driver, ids...); err != nil {
			t.Fatal(err)
		}
		for _, m := range monitors {
			var mine []string
			for _, d := range due {
				neutral := func(m pj.Account) bool { return !slices.Contains(d.Countries, m.Country) }
				if first := monitors[slices.IndexFunc(monitors, neutral)]; first.Party == m.Party {
					mine = append(mine, d.ID)
				}
			}
			if err := h.Review(t.Context(), m, mine, pj.Suggest); err != nil {
				t.Fatal(err)
			}
		}
		played += len(due)
	}
	return played
}

func TestAnEventPlaysItself(t *testing.T) {
	h := open(t, map[string]network.Member{"NL": {Register: func(d exchange.DataService) exchange.DataService { return broken{d} }}}, "FI", "NL", "DE")
	c, err := h.Connect(t.Context(), h.driver, "ev")
	if err != nil || !c.Green("FI_node", "NL_node") || len(c.Found) != 6 {
		t.Fatalf("the connectivity is %+v, %v", c, err)
	}
	for _, to := range []pj.EventState{pj.Live} {
		if _, err := h.AdvanceEvent(t.Context(), manager, "ev", to); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := h.MakePlan(t.Context(), manager, "ev", []string{"TC01", "TC02", "TC06", "TC06_b", "TC08", "TC32"}, 2, 0, monitor)
	if err != nil || len(plan.Meetings) != 36 {
		t.Fatalf("%d meetings are planned of 6 pairs and 6 cases, %v; unmet %v", len(plan.Meetings), err, plan.Unmet)
	}
	if n := h.play(t, 40); n != 36 {
		t.Fatalf("%d tests were played", n)
	}
	b, err := h.Board(t.Context(), "ev")
	if err != nil {
		t.Fatal(err)
	}
	for pair, cell := range b.Matrix("") {
		verified, failed := 6, 0
		if pair[1] == "NL" { // its register fails: nothing but a refusal works
			verified, failed = 0, 6
		}
		if cell.Verified != verified || cell.Failed != failed {
			for _, x := range b.Between(pair[0], pair[1]) {
				p, _ := h.Test(t.Context(), monitor, x.ID)
				t.Logf("%s %s: %+v", x.Case, x.State, slices.DeleteFunc(p.Findings, func(f pj.Finding) bool { return f.Holds }))
			}
			t.Errorf("%v has %d verified and %d failed tests, want %d and %d", pair, cell.Verified, cell.Failed, verified, failed)
		}
	}
	// What the ledger holds: the requesters of NL's answers are not to blame.
	kinds := map[ledger.Kind]int{}
	for e, err := range h.facts.Facts(t.Context(), ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		f := e.Fact
		kinds[f.Kind]++
		if f.Kind == ledger.Verdict && f.Subject.Partner == "NL" && f.Subject.Role == ledger.Requester && (f.Body.Outcome == "failed" || slices.Contains(f.Body.Causes, "own")) {
			t.Errorf("%s is blamed for NL: %+v", f.Subject.Country, f.Body)
		}
		if f.Kind == ledger.PeerTest && len(f.Evidence) == 0 {
			t.Errorf("%s carries no evidence", f.ID)
		}
	}
	if kinds[ledger.PeerTest] != 72 || kinds[ledger.Verdict] != 72 || kinds[ledger.Probe] != 6 {
		t.Errorf("the ledger holds %v", kinds)
	}
	report, err := h.Report(t.Context(), "ev")
	if err != nil || report.Counts.Verified != 24 || report.Counts.Fail != 12 || report.Counts.Pairs != 6 || report.Counts.Automatic != 36 {
		t.Errorf("the report counts %+v, %v", report.Counts, err)
	}
}
