package acceleratormeter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/ledger"
	"golang.org/x/mod/sumdb/note"
)

// office is a meter with a ledger in memory and a clock that the test moves.
type office struct {
	*testing.T
	*acceleratormeter.Meter
	ledger *ledger.Ledger
	keys   note.Verifiers
	now    time.Time
	broken error // what the ledger check says
	serial int
}

func newOffice(t *testing.T) *office {
	o := &office{T: t, now: judgedAt}
	clock := func() time.Time { return o.now }
	o.ledger = ledger.New(ledger.Config{Store: &ledger.Memory{}, Now: clock})
	private, err := ledger.NewKey(bytes.NewReader(bytes.Repeat([]byte{3}, 64)), "test.example")
	o.must(err)
	key, err := ledger.ParseKey(private)
	o.must(err)
	verifier, err := note.NewVerifier(key.Public())
	o.must(err)
	o.keys = note.VerifierList(verifier)
	n := 0
	o.Meter, err = acceleratormeter.New(acceleratormeter.Config{
		Facts: o.ledger, Store: &acceleratormeter.Memory{}, Signer: key, Now: clock,
		NewID:  func() string { n++; return fmt.Sprint("draft-", n) },
		Verify: func(context.Context) error { return o.broken },
	})
	o.must(err)
	return o
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) record(facts ...ledger.Fact) {
	o.Helper()
	_, err := o.ledger.AppendHistory(o.Context(), facts...)
	o.must(err)
}

// decide records a decision about AT, taken now by two officers.
func (o *office) decide(b ledger.Body) string {
	o.serial++
	id := fmt.Sprint("decision-", o.serial)
	if b.Reason == "" {
		b.Reason = "a reason"
	}
	o.record(ledger.Fact{
		ID: id, Kind: ledger.Decision, Subject: ledger.Subject{Country: "AT"}, Asserter: "commission:o1", Verifier: "commission:o2",
		HappenedAt: o.now, Body: b,
	})
	return id
}

// publish takes all three steps and gives the row of AT.
func (o *office) publish() (acceleratormeter.Snapshot, acceleratormeter.Entry, []acceleratormeter.Proposal) {
	o.Helper()
	o.now = o.now.Add(time.Hour)
	draft, err := o.Draft(o.Context(), acceleratormeter.DraftOrder{By: "one", Reason: "test"})
	o.must(err)
	_, err = o.Approve(o.Context(), draft.ID, "two")
	o.must(err)
	s, err := o.Publish(o.Context(), draft.ID, "one")
	o.must(err)
	e, _ := s.Entry("AT")
	if len(s.Proposals) > 0 {
		o.Error("proposals are not public")
	}
	kept, err := o.Proposals(o.Context())
	o.must(err)
	if d := cmp.Diff(draft.Proposals, kept); d != "" {
		o.Errorf("after the publication other proposals stand: %s", d)
	}
	return s, e, draft.Proposals
}

func (o *office) refused(err error, code acceleratormeter.Code) {
	o.Helper()
	var e *acceleratormeter.Error
	if !errors.As(err, &e) || e.Code != code {
		o.Errorf("error %v, want %s", err, code)
	}
}

func TestTwoPersonsPublish(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	o.record(kit(req, 3).Facts...)
	_, err := o.Displayed(ctx, o.now)
	o.refused(err, acceleratormeter.BeforeFirst)
	_, err = o.Draft(ctx, acceleratormeter.DraftOrder{})
	o.refused(err, acceleratormeter.NobodyNamed)
	_, err = o.Draft(ctx, acceleratormeter.DraftOrder{By: "one"})
	o.refused(err, acceleratormeter.ReasonNeeded) // 10 March 2026 is the second Tuesday
	_, err = o.Draft(ctx, acceleratormeter.DraftOrder{By: "one", Reason: "r", AsOf: o.now.AddDate(0, 0, 1)})
	o.refused(err, acceleratormeter.BadDate)
	d, err := o.Draft(ctx, acceleratormeter.DraftOrder{By: "one", AsOf: time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)})
	o.must(err) // the first Tuesday
	_, err = o.Publish(ctx, d.ID, "two")
	o.refused(err, acceleratormeter.WrongState)
	_, err = o.Approve(ctx, d.ID, "one")
	o.refused(err, acceleratormeter.SamePerson)
	_, err = o.Approve(ctx, d.ID, "two")
	o.must(err)
	_, err = o.Publish(ctx, d.ID, "two")
	o.refused(err, acceleratormeter.SamePerson)
	o.broken = errors.New("entry 17 no longer fits")
	_, err = o.Publish(ctx, d.ID, "three")
	o.refused(err, acceleratormeter.LedgerBroken)
	if err == nil || !strings.Contains(err.Error(), "entry 17") {
		t.Errorf("%v names no entry", err)
	}
	o.broken = nil
	s, err := o.Publish(ctx, d.ID, "three")
	o.must(err)
	if s.Sequence != 1 || s.PublishedBy != "three" {
		t.Errorf("published %+v", s)
	}
	_, err = o.Publish(ctx, d.ID, "three")
	o.refused(err, acceleratormeter.WrongState)
	_, err = o.Displayed(ctx, s.PublishedAt.Add(-time.Hour))
	o.refused(err, acceleratormeter.BeforeFirst)
	if !strings.Contains(err.Error(), "2026-03-10") {
		t.Errorf("%q names no first date", err)
	}
	_, err = o.Snapshot(ctx, 7)
	o.refused(err, acceleratormeter.UnknownSnapshot)
}

func TestDraftsAreOutdatedByAPublication(t *testing.T) {
	o := newOffice(t)
	o.record(kit(req, 3).Facts...)
	old, err := o.Draft(t.Context(), acceleratormeter.DraftOrder{By: "one", Reason: "r"})
	o.must(err)
	_, err = o.Approve(t.Context(), old.ID, "two")
	o.must(err)
	o.publish()
	_, err = o.Publish(t.Context(), old.ID, "three")
	o.refused(err, acceleratormeter.OutdatedSnapshot)
	_, err = o.Draft(t.Context(), acceleratormeter.DraftOrder{By: "one", Reason: "r", AsOf: o.now.AddDate(0, 0, -3)})
	o.refused(err, acceleratormeter.OutdatedSnapshot)
}

func TestSnapshotsAreChainedAndSigned(t *testing.T) {
	o := newOffice(t)
	o.record(kit(req, 3).Facts...)
	for range 3 {
		o.publish()
	}
	list, err := o.Snapshots(t.Context())
	o.must(err)
	o.must(acceleratormeter.VerifySnapshots(list, o.keys))
	for name, change := range map[string]func([]acceleratormeter.Snapshot){
		"a level":        func(l []acceleratormeter.Snapshot) { l[1].Entries[19].Level = 6 },
		"a note":         func(l []acceleratormeter.Snapshot) { l[1].Note = "x" },
		"one taken out":  func(l []acceleratormeter.Snapshot) { l[1] = l[2] },
		"a new hash":     func(l []acceleratormeter.Snapshot) { l[1].Note = "x"; l[1].ContentHash, _ = l[1].Hash() },
		"other's signed": func(l []acceleratormeter.Snapshot) { l[1].Signature = l[0].Signature },
	} {
		forged, err := o.Snapshots(t.Context())
		o.must(err)
		for i := range forged {
			forged[i].Entries = append([]acceleratormeter.Entry(nil), forged[i].Entries...)
		}
		change(forged)
		err = acceleratormeter.VerifySnapshots(forged, o.keys)
		o.refused(err, acceleratormeter.SignatureBroken)
		if err == nil || !strings.Contains(err.Error(), "snapshot ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPromotionAndHold(t *testing.T) {
	o := newOffice(t)
	k := kit(req, 3)
	o.record(k.Facts...)
	if _, e, _ := o.publish(); e.Level != 3 || e.Movement != acceleratormeter.Entered || e.Basis != acceleratormeter.Computed {
		t.Errorf("first: %+v", e)
	}
	n := len(k.Facts)
	k.Levels(4, 4, shownAt)
	o.record(k.Facts[n:]...)
	// The country itself may hold its promotion back.
	o.record(ledger.Fact{ID: "hold", Kind: ledger.Decision, Subject: ledger.Subject{Country: "AT"}, Asserter: "ms:AT", HappenedAt: o.now,
		Body: ledger.Body{Action: "hold", Reason: "announcement in April"}})
	if _, e, p := o.publish(); e.Level != 3 || e.Movement != acceleratormeter.Stayed || len(p) != 1 || p[0].Why != acceleratormeter.Held || p[0].Computed != 4 {
		t.Errorf("held: %+v %+v", e, p)
	}
	o.record(ledger.Fact{ID: "go", Kind: ledger.Decision, Subject: ledger.Subject{Country: "AT"}, Asserter: "ms:AT", HappenedAt: o.now,
		Body: ledger.Body{Action: "confirm", Reason: "announced"}})
	before, _ := o.Displayed(t.Context(), o.now)
	s, e, p := o.publish()
	if e.Level != 4 || e.Movement != acceleratormeter.MovedUp || e.PreviousLevel != 3 || !e.Since.Equal(s.AsOf) || len(p) != 0 {
		t.Errorf("confirmed: %+v %+v", e, p)
	}
	moves := acceleratormeter.Moves(before, s)
	if len(moves) != 1 || moves[0].Member != "AT" || moves[0].To != 4 || len(moves[0].Criteria) == 0 || len(moves[0].Facts) == 0 {
		t.Errorf("moves %+v", moves)
	}
	if h, err := o.History(t.Context(), "at"); err != nil || len(h) != 3 || h[2].Level != 4 {
		t.Errorf("history %+v %v", h, err)
	}
}

func TestALevelIsNeverLostWithoutADecision(t *testing.T) {
	o := newOffice(t)
	k := kit(req, 4)
	o.record(k.Facts...)
	o.publish()
	n := len(k.Facts)
	k.Block("blocking", "x", o.now.AddDate(0, 1, 0), o.now)
	o.record(k.Facts[n:]...)
	_, e, p := o.publish()
	if e.Level != 4 || len(p) != 1 || p[0].Why != acceleratormeter.Demotion || p[0].Computed != 3 || p[0].Missing[0] != "AM4.7" {
		t.Errorf("proposed: %+v %+v", e, p)
	}
	if want := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC); p[0].AnswerBy.Truncate(24*time.Hour) != want {
		t.Errorf("answer by %s, want 15 working days: %s", p[0].AnswerBy, want)
	}
	before, _ := o.Displayed(t.Context(), o.now)
	decision := o.decide(ledger.Body{Action: "confirm", Level: 3})
	s, e, p := o.publish()
	if e.Level != 3 || e.Movement != acceleratormeter.MovedDown || len(p) != 0 {
		t.Errorf("confirmed: %+v %+v", e, p)
	}
	moves := acceleratormeter.Moves(before, s)
	if len(moves) != 1 || moves[0].Criteria[0] != "AM4.7" || moves[0].Facts[0] != decision {
		t.Errorf("moves %+v", moves)
	}
}

func TestMilestonesLieDormant(t *testing.T) {
	o := newOffice(t)
	k := kit(req, 6)
	o.record(k.Facts...)
	_, e, _ := o.publish()
	if e.Level != 6 || len(e.Milestones) != 2 || e.Milestones[0].Dormant || e.Milestones[0].Partner != "FI" {
		t.Errorf("first: %+v", e)
	}
	// Seven months later everything is renewed but the users.
	o.now = o.now.AddDate(0, 7, 0)
	n := len(k.Facts)
	at := o.now
	k.Observe(ledger.Acceptance, "", at)
	k.Observe(ledger.ProductionEnv, "", at)
	k.ProbeAll(at)
	o.record(k.Facts[n:]...)
	_, e, p := o.publish()
	if e.Level != 6 || !e.Milestones[1].Dormant || len(p) != 1 || p[0].Why != acceleratormeter.Kept {
		t.Errorf("dormant: %+v %+v", e, p)
	}
	// The last authority leaves: now a demotion is proposed.
	n = len(k.Facts)
	k.Connect("left", at)
	o.record(k.Facts[n:]...)
	if _, e, p := o.publish(); e.Level != 6 || len(p) != 1 || p[0].Why != acceleratormeter.Demotion {
		t.Errorf("left: %+v %+v", e, p)
	}
}

func TestFreezeAndOverrideEnd(t *testing.T) {
	o := newOffice(t)
	k := kit(req, 3)
	o.record(k.Facts...)
	o.publish()
	freeze := o.decide(ledger.Body{Action: "freeze", Until: o.now.Add(90 * time.Minute), Reason: "open dispute"})
	n := len(k.Facts)
	k.Levels(4, 4, shownAt)
	o.record(k.Facts[n:]...)
	if _, e, _ := o.publish(); e.Level != 3 || e.Basis != acceleratormeter.Frozen || e.Decision != freeze || e.Reason != "" {
		t.Errorf("frozen: %+v", e)
	}
	if _, e, _ := o.publish(); e.Level != 4 || e.Basis != acceleratormeter.Computed {
		t.Errorf("thawed: %+v", e)
	}
	override := o.decide(ledger.Body{Action: "override", Level: 2, Until: o.now.AddDate(1, 0, 0), Reason: "the dispute was upheld"})
	for i, want := range []int{2, 2, 4} { // two snapshots at most
		_, e, _ := o.publish()
		if e.Level != want || (e.Basis == acceleratormeter.ByDecision) != (i < 2) {
			t.Errorf("override %d: %+v", i, e)
		}
		if i == 0 && (e.Decision != override || e.Reason == "" || e.Movement != acceleratormeter.MovedDown) {
			t.Errorf("override: %+v", e)
		}
	}
	// One officer alone decides nothing.
	o.record(ledger.Fact{ID: "alone", Kind: ledger.Decision, Subject: ledger.Subject{Country: "AT"}, Asserter: "commission:o1", HappenedAt: o.now,
		Body: ledger.Body{Action: "override", Level: 1, Until: o.now.AddDate(1, 0, 0), Reason: "r"}})
	if _, e, _ := o.publish(); e.Level != 4 {
		t.Errorf("one signature: %+v", e)
	}
}

func TestACorrectionIsANewSnapshot(t *testing.T) {
	o := newOffice(t)
	k := kit(req, 3)
	o.record(k.Facts...)
	first, _, _ := o.publish()
	o.now = o.now.Add(time.Hour)
	o.record(ledger.Fact{ID: "w", Kind: ledger.Withdrawal, Subject: ledger.Subject{Country: "AT"}, Asserter: "commission:desk", PointsAt: k.Facts[0].ID, HappenedAt: o.now})
	_, err := o.Draft(t.Context(), acceleratormeter.DraftOrder{By: "one", Corrects: 1})
	o.refused(err, acceleratormeter.ReasonNeeded)
	_, err = o.Draft(t.Context(), acceleratormeter.DraftOrder{By: "one", Corrects: 9, Reason: "r"})
	o.refused(err, acceleratormeter.UnknownSnapshot)
	d, err := o.Draft(t.Context(), acceleratormeter.DraftOrder{By: "one", Corrects: 1, Reason: "a nomination was wrong"})
	o.must(err)
	_, err = o.Approve(t.Context(), d.ID, "two")
	o.must(err)
	second, err := o.Publish(t.Context(), d.ID, "three")
	o.must(err)
	if second.Corrects != 1 || second.Sequence != 2 || second.Supersedes != 1 || second.PreviousHash != first.ContentHash {
		t.Errorf("correction %+v", second)
	}
	// "As displayed then" stays; "recomputed" at that instant stays too, because
	// the withdrawal was recorded later.
	then, err := o.Displayed(t.Context(), first.PublishedAt)
	o.must(err)
	if e, _ := then.Entry("AT"); e.Level != 3 || then.ID != first.ID {
		t.Errorf("displayed then: %+v", e)
	}
	if s, err := o.Standing("", "AT", first.AsOf); err != nil || s.Level != 3 {
		t.Errorf("recomputed then: %d %v", s.Level, err)
	}
	if s, err := o.Standing("", "AT", o.now); err != nil || s.Level != 1 {
		t.Errorf("recomputed now: %d %v", s.Level, err)
	}
}

func TestGraceIsShownAndEnds(t *testing.T) {
	k := kit(req, 3)
	year := shownAt.AddDate(1, 0, 0)       // conformance lapses
	k.Observe(ledger.Acceptance, "", year) // the one before lapsed long ago
	for _, c := range []struct {
		at    time.Time
		level int
		risk  bool
	}{{shownAt.Add(2 * time.Hour), 3, false}, {year.Add(-time.Second), 2, false}, {year, 3, true}, {year.AddDate(0, 0, 90).Add(-time.Second), 3, true}, {year.AddDate(0, 0, 90), 1, false}} {
		s := standing(t, acceleratormeter.AM1(), k.Facts, "AT", c.at)
		if s.Level != c.level || s.AtRisk != c.risk {
			t.Errorf("%s: level %d at risk %v, want %d %v", c.at, s.Level, s.AtRisk, c.level, c.risk)
		}
	}
	for _, r := range standing(t, acceleratormeter.AM1(), k.Facts, "AT", year.AddDate(0, 0, 10)).Requester.Results {
		if r.Criterion == "AM2.3" && (!r.LapsedAt.Equal(year) || !r.GraceUntil.Equal(year.AddDate(0, 0, 90))) {
			t.Errorf("lapsed %s, until %s", r.LapsedAt, r.GraceUntil)
		}
	}
}

func TestPairsComeFromEitherSide(t *testing.T) {
	a := sample.NewKit("AT", req, nil, "FI", "PT", "SI")
	a.Peer("TC01", "FI", shownAt)
	a.PeerAs("TC01", "PT", "failed", shownAt)
	a.Peer("TC02", "SI", shownAt)
	a.PeerAs("TC01", "EE", "", shownAt)
	a.PeerAs("TC01", "LV", "partially_verified", shownAt)
	b := sample.NewKit("BE", pro, nil, "AT", "PT", "SI")
	b.Peer("TC06", "AT", shownAt)
	engine := acceleratormeter.NewEngine()
	for _, f := range append(a.Facts, b.Facts...) {
		engine.Add(&f)
	}
	m := engine.Pairs(judgedAt)
	for _, c := range []struct {
		asks, answers string
		want          acceleratormeter.PairState
	}{
		{"AT", "FI", acceleratormeter.PairVerified}, {"FI", "AT", acceleratormeter.PairNone}, {"AT", "PT", acceleratormeter.PairFailed},
		{"AT", "SI", acceleratormeter.PairPartly}, {"AT", "EE", acceleratormeter.PairTried}, {"AT", "LV", acceleratormeter.PairPartly},
		{"AT", "BE", acceleratormeter.PairVerified},
	} {
		if p := m.Pair(c.asks, c.answers); p.State != c.want || p.Asks != c.asks || p.Answers != c.answers || (c.want != acceleratormeter.PairNone) != (len(p.Facts) > 0) {
			t.Errorf("%s asks %s: %+v, want %s", c.asks, c.answers, p, c.want)
		}
	}
	if n := m.Count(acceleratormeter.PairVerified); n != 2 {
		t.Errorf("%d verified", n)
	}
	small := m.Among([]string{"FI", "AT"})
	if len(small.Cells) != 2 || small.Pair("AT", "FI").State != acceleratormeter.PairVerified {
		t.Errorf("among: %+v", small)
	}
	if old := engine.Pairs(shownAt.AddDate(0, 18, 0)); old.Count(acceleratormeter.PairVerified) != 0 {
		t.Error("a pair outlives its tests")
	}
}

func TestInstants(t *testing.T) {
	for text, want := range map[string]string{
		"2025-06-30": "2025-06-30T23:59:59.999Z", "2025-Q2": "2025-06-30T23:59:59.999Z", "2024-q1": "2024-03-31T23:59:59.999Z",
		"2025-Q4": "2025-12-31T23:59:59.999Z", "2025-06-30T12:00:00+02:00": "2025-06-30T10:00:00Z",
	} {
		if got, err := acceleratormeter.ParseInstant(text); err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %s %v", text, got.Format(time.RFC3339Nano), err)
		}
	}
	for _, text := range []string{"", "2025", "2025-13-01", "2025-Q5", "2025-Q0", "30.6.2025", "2025-02-30"} {
		if got, err := acceleratormeter.ParseInstant(text); err == nil {
			t.Errorf("%q reads as %s", text, got)
		}
	}
	if got := acceleratormeter.Scheduled(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)).Format(time.DateOnly); got != "2026-12-01" {
		t.Errorf("next scheduled %s", got)
	}
}

func TestTablesAreWhole(t *testing.T) {
	list := acceleratormeter.Countries()
	if len(list) != 30 || len(acceleratormeter.BoardEU.Drawn()) != 27 || len(acceleratormeter.BoardEUEEA.Drawn()) != 30 {
		t.Error("27 and 30 countries")
	}
	for i, c := range list {
		if c.Code != ledger.Countries[i] {
			t.Errorf("place %d is %s, in the ledger %s", i, c.Code, ledger.Countries[i])
		}
		if (c.Group == acceleratormeter.EU) != (i < 27) || len(c.Own) == 0 || c.Name == "" || (c.ISO == "GR") != (c.Code == "EL") {
			t.Errorf("%+v", c)
		}
	}
	_, err := acceleratormeter.FindCountry("GR")
	if err == nil || !strings.Contains(err.Error(), "use EL") {
		t.Error(err)
	}
	if c, err := acceleratormeter.FindCountry("el"); err != nil || c.Code != "EL" {
		t.Error(c, err)
	}
	texts := acceleratormeter.Texts()
	for key, text := range texts {
		if text == "" {
			t.Errorf("%s has no text", key)
		}
	}
	levels := map[int]bool{}
	for _, set := range acceleratormeter.Sets() {
		for _, c := range set.List {
			levels[c.Level] = true
			if texts[c.Key] == "" || c.Supplier == "" || int(c.ID[2]-'0') != c.Level {
				t.Errorf("%s: %+v", set.ID, c)
			}
		}
		if _, err := acceleratormeter.FindCriteria(set.ID); err != nil {
			t.Error(err)
		}
	}
	if len(levels) != 6 {
		t.Errorf("criteria for levels %v", levels)
	}
	_, err = acceleratormeter.FindCriteria("AM-9")
	if err == nil || !strings.Contains(err.Error(), "AM-1, AM-1-strict, AM-1-lenient") {
		t.Error(err)
	}
}
