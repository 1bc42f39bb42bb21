package projectathon_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/projectathon/projectathontest"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	projectathontest.Run(t, func(*testing.T) projectathon.Store { return &projectathon.Memory{} })
}

var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

var (
	manager  = projectathon.Account{Party: "manager:m1", Post: projectathon.Manager}
	austrian = projectathon.Account{Party: "monitor:AT-7f3a", Post: projectathon.Monitor, Country: "AT"}
	belgian  = projectathon.Account{Party: "monitor:BE-11aa", Post: projectathon.Monitor, Country: "BE"}
	czech    = projectathon.Account{Party: "monitor:CZ-c0de", Post: projectathon.Monitor, Country: "CZ"}
	auditor  = projectathon.Account{Party: "commission:au1", Post: projectathon.Auditor}
)

func team(cc string) projectathon.Account {
	return projectathon.Account{Party: "team:" + cc + "/op1", Post: projectathon.Contact, Country: cc, Systems: []string{cc + "_node"}}
}

func coordinator(cc string) projectathon.Account {
	return projectathon.Account{Party: "coordinator:" + cc, Post: projectathon.Coordinator, Country: cc}
}

// hall is an event under test, on virtual time.
type hall struct {
	*projectathon.Service
	t      *testing.T
	now    time.Time
	ledger *ledger.Ledger
	event  string
}

func newHall(t *testing.T, change ...func(*projectathon.Config)) *hall {
	t.Helper()
	h := &hall{t: t, now: noon}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	h.ledger = ledger.New(ledger.Config{Store: &ledger.Memory{}, Now: func() time.Time { return h.now }})
	var n atomic.Int64
	c := projectathon.Config{Store: &projectathon.Memory{}, Facts: h.ledger, Key: key, SecondShare: -1, Now: func() time.Time { return h.now },
		NewID: func() string { return fmt.Sprintf("t%03d", n.Add(1)) }}
	for _, f := range change {
		f(&c)
	}
	s, err := projectathon.New(c)
	h.ok(err)
	h.Service = s
	return h
}

func (h *hall) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

var allCapabilities = []projectathon.Capability{
	{"eIDAS", "identity requester", "notified scheme"}, {"eIDAS", "eIDAS node", ""}, {"evidence exchange", "Common Services query client", ""},
	{"evidence exchange", "evidence requester", ""}, {"evidence exchange", "data service", "with preview"}, {"metadata management", "metadata updater", ""},
}

// live opens an event in which nodes of these countries take part.
func (h *hall) live(countries ...string) *hall {
	h.t.Helper()
	ctx := h.t.Context()
	e, err := h.CreateEvent(ctx, manager, projectathon.Event{ID: "autumn", Name: "Autumn", Line: "oots-edm:v2.0", Catalogue: "1.0", DataSet: "1", Slots: 6, Sample: true})
	h.ok(err)
	h.event = e.ID
	h.to(projectathon.Announced, projectathon.RegistrationOpen)
	for _, cc := range countries {
		r, err := h.Register(ctx, team(cc), projectathon.Registration{Event: e.ID, System: cc + "_node", Country: cc, Capabilities: allCapabilities, Lines: []string{"oots-edm:v2.0"}, Mode: "automated"})
		h.ok(err)
		_, err = h.Move(ctx, coordinator(cc), r.ID, projectathon.Endorsed)
		h.ok(err)
		_, err = h.Move(ctx, manager, r.ID, projectathon.Admitted)
		h.ok(err)
	}
	h.to(projectathon.RegistrationClosed, projectathon.Preparation, projectathon.Live)
	return h
}

func (h *hall) to(states ...projectathon.EventState) {
	h.t.Helper()
	for _, s := range states {
		_, err := h.AdvanceEvent(h.t.Context(), manager, h.event, s)
		h.ok(err)
	}
}

// played is a test that both teams say is over.
func (h *hall) played(kase, asks, answers string) string {
	h.t.Helper()
	ctx := h.t.Context()
	p, err := h.Propose(ctx, team(asks), h.event, kase, asks+"_node", answers+"_node")
	h.ok(err)
	h.ok(h.Accept(ctx, team(answers), p.ID))
	h.ok(h.Advance(ctx, team(asks), p.ID, projectathon.Running, "", ""))
	h.ok(h.Advance(ctx, team(asks), p.ID, projectathon.ToBeVerified, "", ""))
	return p.ID
}

func all(outcome projectathon.PeerState, systems ...string) (out []projectathon.Verdict) {
	for _, s := range systems {
		v := projectathon.Verdict{System: s, Outcome: outcome}
		if outcome != projectathon.Verified {
			v.Failing = []projectathon.Failing{{Assertion: "A-07", Cause: projectathon.CauseOwn}}
		}
		out = append(out, v)
	}
	return out
}

// level is where a country stands by its facts.
func (h *hall) level(country string) int {
	h.t.Helper()
	var facts []ledger.Fact
	for e, err := range h.ledger.Facts(h.t.Context(), ledger.Filter{}) {
		h.ok(err)
		facts = append(facts, e.Fact)
	}
	sets := am.Sets()
	for _, s := range am.Assess(sets[0], facts, h.now.Add(time.Second)) {
		if s.Country == country {
			return s.Level
		}
	}
	h.t.Fatalf("%s is not assessed", country)
	return 0
}

func (h *hall) facts(kind ledger.Kind) (out []ledger.Fact) {
	h.t.Helper()
	for e, err := range h.ledger.Facts(h.t.Context(), ledger.Filter{}) {
		h.ok(err)
		if e.Fact.Kind == kind {
			out = append(out, e.Fact)
		}
	}
	return out
}

// ready gives a country everything of level 3 but the peer test.
func (h *hall) ready(country string) {
	h.t.Helper()
	k := sample.NewKit(country, ledger.Requester, nil, "PT", "SE", "DE")
	k.Levels(1, 3, noon.AddDate(0, -1, 0))
	k.Facts = slices.DeleteFunc(k.Facts, func(f ledger.Fact) bool { return f.Kind == ledger.PeerTest || f.Kind == ledger.Verdict })
	_, err := h.ledger.AppendHistory(h.t.Context(), k.Facts...)
	h.ok(err)
}

func TestAVerdictMovesALevel(t *testing.T) {
	h := newHall(t).live("FI", "PT")
	h.ready("FI")
	if n := h.level("FI"); n != 2 {
		t.Fatalf("before any test FI stands at level %d", n)
	}
	id := h.played("TC01", "FI", "PT")
	_, err := h.Settle(t.Context())
	h.ok(err)
	if n := h.level("FI"); n != 2 {
		t.Fatalf("without a verdict FI stands at level %d", n)
	}
	h.ok(h.Claim(t.Context(), austrian, id))
	h.now = h.now.Add(time.Hour)
	h.ok(h.Grade(t.Context(), austrian, id, all(projectathon.Verified, "FI_node", "PT_node")))
	if n := h.level("FI"); n != 3 {
		t.Fatalf("with the verdict FI stands at level %d", n)
	}
	if p, v := h.facts(ledger.PeerTest), h.facts(ledger.Verdict); len(p) != 2 || len(v) != 2 || v[0].Asserter != austrian.Party {
		t.Errorf("%d reports and %d verdicts are in the ledger", len(p), len(v))
	}
	if n, err := h.Settle(t.Context()); err != nil || n != 0 {
		t.Errorf("telling again adds %d facts, %v", n, err)
	}
}

// A ledger that cannot take the facts loses none of them.
type away struct {
	*ledger.Ledger
	gone bool
}

func (a *away) Append(ctx context.Context, f ...ledger.Fact) (ledger.Receipt, error) {
	if a.gone {
		return ledger.Receipt{}, errors.New("away")
	}
	return a.Ledger.Append(ctx, f...)
}

func TestNoVerdictIsLostWhileTheLedgerIsAway(t *testing.T) {
	var door *away
	h := newHall(t, func(c *projectathon.Config) {
		door = &away{c.Facts.(*ledger.Ledger), true}
		c.Facts = door
	}).live("FI", "PT")
	id := h.played("TC01", "FI", "PT")
	h.ok(h.Claim(t.Context(), austrian, id))
	h.ok(h.Grade(t.Context(), austrian, id, all(projectathon.Verified, "FI_node", "PT_node")))
	if len(h.facts(ledger.Verdict)) != 0 {
		t.Fatal("the ledger was away")
	}
	door.gone = false
	if n, err := h.Settle(t.Context()); err != nil || n != 4 {
		t.Fatalf("%d facts were owed, %v", n, err)
	}
}

func TestTheSecondLookHoldsVerdictsBack(t *testing.T) {
	supplier := austrian
	supplier.Supplies = []string{"PT"}
	for _, c := range []struct {
		name   string
		second projectathon.PeerState
		state  projectathon.PeerState
		facts  int
	}{{"agrees", projectathon.Verified, projectathon.Verified, 2}, {"disagrees", projectathon.Failed, projectathon.Disputed, 0}} {
		t.Run(c.name, func(t *testing.T) {
			h := newHall(t).live("FI", "PT")
			id := h.played("TC01", "FI", "PT")
			h.ok(h.Claim(t.Context(), supplier, id))
			h.ok(h.Grade(t.Context(), supplier, id, all(projectathon.Verified, "FI_node", "PT_node")))
			if n := len(h.facts(ledger.Verdict)); n != 0 {
				t.Fatalf("%d verdicts of a supplier count before the second look", n)
			}
			if err := h.SecondLook(t.Context(), supplier, id, all(projectathon.Verified, "FI_node", "PT_node")); err == nil {
				t.Error("a monitor looks twice")
			}
			h.ok(h.SecondLook(t.Context(), belgian, id, all(c.second, "FI_node", "PT_node")))
			p, err := h.Test(t.Context(), manager, id)
			h.ok(err)
			v := h.facts(ledger.Verdict)
			if p.State != c.state || len(v) != c.facts {
				t.Fatalf("the test is %s with %d verdicts", p.State, len(v))
			}
			if c.facts > 0 {
				if v[0].Verifier != belgian.Party {
					t.Errorf("the second monitor is %q", v[0].Verifier)
				}
				return
			}
			h.ok(h.Resolve(t.Context(), czech, id, all(projectathon.Failed, "FI_node", "PT_node")))
			if v := h.facts(ledger.Verdict); len(v) != 2 || v[0].Body.Outcome != "failed" || v[0].Asserter != czech.Party {
				t.Errorf("after the third look the ledger holds %+v", v)
			}
		})
	}
}

func TestAnAppealHasItsTime(t *testing.T) {
	h := newHall(t).live("FI", "PT")
	id := h.played("TC01", "FI", "PT")
	h.ok(h.Claim(t.Context(), austrian, id))
	h.ok(h.Grade(t.Context(), austrian, id, all(projectathon.Failed, "FI_node", "PT_node")))
	reasons := "The receipt is in our log at 12:03, see the attached extract."
	if err := h.Appeal(t.Context(), coordinator("SE"), id, reasons); err == nil {
		t.Error("a stranger appeals")
	}
	h.now = noon.AddDate(0, 0, 8) // noon is a Tuesday: five working days later is the Tuesday after
	if err := h.Appeal(t.Context(), coordinator("FI"), id, reasons); err == nil || !strings.Contains(err.Error(), "2026-11-18") {
		t.Errorf("a late appeal gives %v", err)
	}
	h.now = noon.AddDate(0, 0, 7)
	h.ok(h.Appeal(t.Context(), coordinator("FI"), id, reasons))
	if err := h.Resolve(t.Context(), austrian, id, nil); err == nil {
		t.Error("the monitor decides about the own verdict")
	}
	h.ok(h.Resolve(t.Context(), belgian, id, all(projectathon.Verified, "FI_node", "PT_node")))
	v := h.facts(ledger.Verdict)
	if len(v) != 4 || v[3].Body.Outcome != "verified" {
		t.Errorf("the ledger holds %d verdicts, the last %q", len(v), v[len(v)-1].Body.Outcome)
	}
}

func TestAReportedEventIsPublic(t *testing.T) {
	h := newHall(t).live("FI", "PT", "SE")
	id := h.played("TC01", "FI", "PT")
	h.to(projectathon.Grading)
	if _, err := h.AdvanceEvent(t.Context(), manager, h.event, projectathon.Appeals); err == nil || !strings.Contains(err.Error(), "1 tests") {
		t.Errorf("appeals begin with an open test: %v", err)
	}
	h.ok(h.Claim(t.Context(), austrian, id))
	h.ok(h.Grade(t.Context(), austrian, id, []projectathon.Verdict{{System: "FI_node", Outcome: projectathon.Partially, Failing: []projectathon.Failing{{Assertion: "A-07", Cause: projectathon.CausePartner}}},
		{System: "PT_node", Outcome: projectathon.Failed, Failing: []projectathon.Failing{{Assertion: "A-07", Cause: projectathon.CauseOwn}}}}))
	h.to(projectathon.Appeals, projectathon.Closed, projectathon.Reported)
	e := h.facts(ledger.PublicEvent)
	if len(e) != 1 || e[0].Body.Totals["tests_failed"] != 1 || !slices.Equal(e[0].Body.Taking, []string{"FI", "PT", "SE"}) {
		t.Errorf("the public learns %+v", e)
	}
	all, err := h.Evaluate(t.Context(), manager, h.event)
	h.ok(err)
	got := map[string]projectathon.Grade{}
	for _, ev := range all {
		got[ev.Country+" "+string(ev.Role)] = ev.Grade
	}
	for who, want := range map[string]projectathon.Grade{"FI requester": projectathon.PassedRemarks, "PT provider": projectathon.NotComplete, "SE provider": projectathon.NoPeer, "FI provider": projectathon.NoPeer} {
		if got[who] != want {
			t.Errorf("%s: %s, want %s", who, got[who], want)
		}
	}
	r, err := h.ReportFor(t.Context(), coordinator("FI"), h.event, "FI")
	if err != nil || len(r.Tests) != 1 || !slices.Equal(r.Suggested, []string{"PT", "SE"}) {
		t.Errorf("FI's report is %+v, %v", r, err)
	}
}

func TestUploadsAreScreened(t *testing.T) {
	for text, says := range map[string]string{
		"-----BEGIN RSA PRIVATE KEY-----\nabc":                 "private key",
		"user=a password: hunter22":                            "password",
		"Authorization: Bearer abcdefghijklmnopqrstuvwxyz":     "log-in",
		"<sdg:FamilyName>Somebody</sdg:FamilyName>":            "invented",
		"id DE/FI/010190-123X end":                             "identifier",
		"<!-- synthetic --><FamilyName>Alpha</FamilyName>":     "",
		"2026-11-10 12:00 receipt for 1234 from AP_FI_01 came": "",
	} {
		err := projectathon.Screen([]byte(text))
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q gives %v, want %q", text, err, says)
		}
	}
}

func TestANoShowChangesOnlyWhatIsAhead(t *testing.T) {
	h := newHall(t).live("FI", "PT", "SE", "DE")
	plan, err := h.MakePlan(t.Context(), manager, h.event, []string{"TC01", "TC02"}, 3, 0)
	h.ok(err)
	b, err := h.Board(t.Context(), h.event)
	h.ok(err)
	if len(b.Tests()) != len(plan.Meetings) || len(plan.Meetings) < 6 {
		t.Fatalf("%d tests of %d meetings", len(b.Tests()), len(plan.Meetings))
	}
	first := b.Due(0)
	h.ok(h.NoShow(t.Context(), manager, first[0].ID, first[0].Systems[0]))
	again, err := h.MakePlan(t.Context(), manager, h.event, []string{"TC01", "TC02"}, 3, 1)
	h.ok(err)
	kept := 0
	for _, m := range plan.Meetings {
		if slices.ContainsFunc(again.Meetings, func(n projectathon.Meeting) bool {
			return n.Slot == m.Slot && n.Case == m.Case && n.Requester == m.Requester && n.Provider == m.Provider
		}) {
			kept++
		}
	}
	if kept*10 < len(plan.Meetings)*9 {
		t.Errorf("%d of %d meetings are kept", kept, len(plan.Meetings))
	}
	if p, err := h.Test(t.Context(), manager, first[0].ID); err != nil || p.State != projectathon.NoShow {
		t.Errorf("the no-show is %s, %v", p.State, err)
	}
}

// mortal is a store that stops writing after some changes, as with a killed
// platform.
type mortal struct {
	projectathon.Store
	left *atomic.Int64
}

func (m mortal) Put(ctx context.Context, audit projectathon.Entry, records ...projectathon.Record) error {
	if m.left.Add(-1) < 0 {
		return errors.New("killed")
	}
	return m.Store.Put(ctx, audit, records...)
}

func TestAKilledPlatformResumes(t *testing.T) {
	var left atomic.Int64
	left.Store(1 << 40)
	h := newHall(t, func(c *projectathon.Config) { c.Store = mortal{c.Store, &left} }).live("FI", "PT")
	p, err := h.Propose(t.Context(), team("FI"), h.event, "TC01", "FI_node", "PT_node")
	h.ok(err)
	h.ok(h.Accept(t.Context(), team("PT"), p.ID))
	left.Store(1) // it starts the test and dies
	if err := h.Drive(t.Context(), driver{}, p.ID); err == nil {
		t.Fatal("the platform was not killed")
	}
	left.Store(1 << 40)
	again, err := h.Interrupted(t.Context(), h.event)
	if err != nil || len(again) != 1 {
		t.Fatalf("%v are to be played again, %v", again, err)
	}
	got, err := h.Test(t.Context(), manager, p.ID)
	h.ok(err)
	if last := got.History[len(got.History)-1]; got.State != projectathon.Aborted || last.Cause != projectathon.CauseInfrastructure {
		t.Errorf("the test is %s by %s", got.State, last.Cause)
	}
	if more, err := h.Interrupted(t.Context(), h.event); err != nil || len(more) != 0 {
		t.Errorf("a second look finds %v, %v", more, err)
	}
	h.ok(h.Drive(t.Context(), driver{}, again...))
	if got, err = h.Test(t.Context(), manager, again[0]); err != nil || got.State != projectathon.ToBeVerified || len(got.Findings) != 1 || len(got.Evidence) != 0 {
		t.Errorf("played again it is %+v, %v", got, err)
	}
}

func TestNothingBeginsThatCannotBePlayed(t *testing.T) {
	h := newHall(t).live("FI", "PT")
	var ids []string
	for _, kase := range []string{"TC01", "TC33"} {
		p, err := h.Propose(t.Context(), team("FI"), h.event, kase, "FI_node", "PT_node")
		h.ok(err)
		h.ok(h.Accept(t.Context(), team("PT"), p.ID))
		ids = append(ids, p.ID)
	}
	var unable *projectathon.Unable
	if err := h.Drive(t.Context(), driver{cases: []string{"TC01"}}, ids...); !errors.As(err, &unable) || unable.Test != ids[1] {
		t.Errorf("driving TC33 gives %v", err)
	}
	for _, id := range ids {
		if p, err := h.Test(t.Context(), manager, id); err != nil || p.State != projectathon.Accepted {
			t.Errorf("%s is %s, %v", p.Case, p.State, err)
		}
	}
}

func TestADriverThatTellsNothingIsThePlatformsFault(t *testing.T) {
	h := newHall(t).live("FI", "PT")
	var ids []string
	for range 40 {
		p, err := h.Propose(t.Context(), team("FI"), h.event, "TC01", "FI_node", "PT_node")
		h.ok(err)
		h.ok(h.Accept(t.Context(), team("PT"), p.ID))
		ids = append(ids, p.ID)
	}
	h.ok(h.Drive(t.Context(), driver{plays: func(t *projectathon.PeerTest) bool { return t.ID != ids[7] }}, ids...))
	for i, id := range ids {
		want := projectathon.ToBeVerified
		if i == 7 {
			want = projectathon.Aborted
		}
		if p, err := h.Test(t.Context(), manager, id); err != nil || p.State != want {
			t.Errorf("test %d is %s, %v; want %s", i, p.State, err, want)
		}
	}
}

func TestAMonitorReviewsManyTests(t *testing.T) {
	h := newHall(t).live("FI", "PT")
	var ids []string
	for range 70 {
		p, err := h.Propose(t.Context(), team("FI"), h.event, "TC01", "FI_node", "PT_node")
		h.ok(err)
		h.ok(h.Accept(t.Context(), team("PT"), p.ID))
		ids = append(ids, p.ID)
	}
	h.ok(h.Drive(t.Context(), driver{}, ids...))
	if err := h.Review(t.Context(), team("FI"), ids, projectathon.Suggest); !errors.As(err, new(*projectathon.Denied)) {
		t.Errorf("a team grades: %v", err)
	}
	h.ok(h.Review(t.Context(), austrian, ids, projectathon.Suggest))
	verdicts := 0
	for e, err := range h.ledger.Facts(t.Context(), ledger.Filter{}) {
		h.ok(err)
		if e.Fact.Kind == ledger.Verdict {
			verdicts++
		}
	}
	b, err := h.Board(t.Context(), h.event)
	h.ok(err)
	if cell := b.Matrix("")[[2]string{"FI", "PT"}]; cell.Verified != 70 || verdicts != 140 {
		t.Errorf("the cell is %+v with %d verdicts in the ledger", cell, verdicts)
	}
}

// driver sees a holding assertion in every test that it plays.
type driver struct {
	plays func(*projectathon.PeerTest) bool // nil: all
	cases []string                          // that it can play; none: all
}

func (d driver) Able(t *projectathon.PeerTest) error {
	if len(d.cases) > 0 && !slices.Contains(d.cases, t.Case) {
		return errors.New("it takes hands")
	}
	return nil
}

func (d driver) Play(_ context.Context, tests []projectathon.PeerTest, ended func(*projectathon.PeerTest, projectathon.Played, error)) {
	for i := range tests {
		t := &tests[i]
		if d.plays != nil && !d.plays(t) {
			continue
		}
		ended(t, projectathon.Played{Findings: []projectathon.Finding{{Assertion: "A-END", System: t.Sides[1].System, Holds: true}}}, nil)
	}
}

// The permanent event is hosted once, however often and by however many it is
// asked for.
func TestThePermanentEventIsHostedOnce(t *testing.T) {
	h := newHall(t)
	asked := projectathon.Event{Name: "Tests all year", Line: "oots-edm:v2.0", Catalogue: "c1", DataSet: "seed"}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if e, err := h.Host(t.Context(), asked); err != nil || e.State != projectathon.Live {
				t.Errorf("hosted: %s, %v", e.State, err)
			}
		})
	}
	wg.Wait()
	asked.Catalogue = "c2"
	e, err := h.Host(t.Context(), asked)
	if err != nil || e.State != projectathon.Live || !e.Permanent || e.Catalogue != "c1" {
		t.Errorf("hosted again: %+v, %v", e, err)
	}
	if all, err := h.Events(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%d events, %v", len(all), err)
	}
	// Teams register for it at any time.
	r, err := h.Register(t.Context(), coordinator("FI"), projectathon.Registration{Event: e.ID, System: "FI_node", Country: "FI", Capabilities: allCapabilities, Lines: []string{"oots-edm:v2.0"}, Mode: "automated"})
	if err != nil || r.State != projectathon.Submitted {
		t.Errorf("registered: %+v, %v", r, err)
	}
}

func TestWhatExpires(t *testing.T) {
	h := newHall(t)
	h.live("FI", "PT")
	p, err := h.Propose(t.Context(), team("FI"), h.event, "TC01", "FI_node", "PT_node")
	h.ok(err)
	h.ok(h.KeepSecret(t.Context(), team("FI"), h.event, "FI_node", "open sesame", h.now.AddDate(0, 0, 7)))
	h.now = h.now.AddDate(0, 0, 6)
	if n, err := h.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("after six days %d expired, %v", n, err)
	}
	h.now = h.now.AddDate(0, 0, 8)
	if n, err := h.Expire(t.Context()); n != 2 || err != nil {
		t.Errorf("after fourteen days %d expired, %v", n, err)
	}
	if n, err := h.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("and again %d, %v", n, err)
	}
	got, err := h.Test(t.Context(), team("FI"), p.ID)
	if err != nil || got.State != projectathon.Expired {
		t.Errorf("the proposal is %s, %v", got.State, err)
	}
	r, err := h.Store.Get(t.Context(), projectathon.KindSecret, h.event+":FI_node")
	if err != nil || !strings.Contains(string(r.Doc), `"Sealed":null`) {
		t.Errorf("the secret is %s, %v", r.Doc, err)
	}
}
