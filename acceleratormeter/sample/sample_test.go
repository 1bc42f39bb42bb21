package sample_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/ledger"
	"golang.org/x/mod/sumdb/note"
)

var today = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func TestHistoryIsTheSameEachTime(t *testing.T) {
	a, at := sample.History(today)
	b, bt := sample.History(today)
	if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(at, bt) {
		t.Fatal("two runs differ")
	}
	if len(at) != sample.Quarters || !at[len(at)-1].Equal(today) {
		t.Errorf("snapshots at %v", at)
	}
	for _, f := range a {
		if !f.Sample {
			t.Fatalf("%s is not marked as sample data", f.ID)
		}
		f.RecordedAt = time.Time{}
		if err := ledger.Check(f); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d facts", len(a))
}

// The board's shape follows from the facts alone.
func TestHistoryEndsOnTheWantedBoard(t *testing.T) {
	for _, now := range []time.Time{today, time.Date(2027, 1, 1, 0, 30, 0, 0, time.UTC), time.Date(2026, 9, 30, 23, 59, 0, 0, time.UTC)} {
		facts, at := sample.History(now)
		engine := acceleratormeter.NewEngine()
		for i := range facts {
			engine.Add(&facts[i])
		}
		set := acceleratormeter.AM1()
		var counts [7]int
		risk := 0
		for _, s := range engine.Standings(&set, now) {
			counts[s.Level]++
			if s.AtRisk {
				risk++
			}
		}
		if counts != [7]int{0, 1, 3, 6, 9, 7, 4} || risk != 1 {
			t.Errorf("%s: levels %v, at risk %d", now, counts, risk)
		}
		m := engine.Pairs(now)
		if n := m.Count(acceleratormeter.PairVerified); n != sample.VerifiedPairs || len(m.Cells) != 870 {
			t.Errorf("%s: %d of %d pairs verified", now, n, len(m.Cells))
		}
		for _, s := range []acceleratormeter.PairState{acceleratormeter.PairPartly, acceleratormeter.PairFailed, acceleratormeter.PairTried} {
			if m.Count(s) == 0 {
				t.Errorf("no pair is %s", s)
			}
		}
		if first := engine.Standings(&set, at[0]); first[0].At != at[0] {
			t.Error("wrong instant")
		}
	}
}

func TestLoadPublishesTwelveSnapshots(t *testing.T) {
	ctx := context.Background()
	l := ledger.New(ledger.Config{Store: &ledger.Memory{}, Now: func() time.Time { return today }})
	private, err := ledger.NewKey(bytes.NewReader(bytes.Repeat([]byte{7}, 64)), "sample.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	cfg := acceleratormeter.Config{Facts: l, Store: &acceleratormeter.Memory{}, Signer: signer, Now: func() time.Time { return today },
		Verify: func(ctx context.Context) error { _, err := l.Verify(ctx, ledger.VerifyOptions{}); return err }}
	for range 2 { // the second finds the store filled
		if err := sample.Load(ctx, l, cfg, today); err != nil {
			t.Fatal(err)
		}
	}
	meter, err := acceleratormeter.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := meter.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	list, err := meter.Snapshots(ctx)
	if err != nil || len(list) != 12 {
		t.Fatalf("%d snapshots, %v", len(list), err)
	}
	if err := acceleratormeter.VerifySnapshots(list, note.VerifierList(verifier)); err != nil {
		t.Error(err)
	}
	moves, err := meter.AllMoves(ctx)
	if err != nil {
		t.Fatal(err)
	}
	down := 0
	for _, m := range moves {
		if m.To < m.From {
			down++
		} else if m.From > 0 && len(m.Facts) == 0 {
			t.Errorf("move %+v names no fact", m)
		}
		if len(m.Criteria) == 0 && m.From > 0 {
			t.Errorf("move of %s %d to %d names no criterion", m.Member, m.From, m.To)
		}
	}
	if down != 1 {
		t.Errorf("%d countries moved back", down)
	}
	zero := 0
	for _, e := range list[0].Entries {
		if e.Level == 0 {
			zero++
		}
	}
	if zero != 1 {
		t.Errorf("%d countries not assessed at first", zero)
	}
	// The board as published is what the facts give today.
	now, err := meter.Standings("", today)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range list[11].Entries {
		if e.Level != now[i].Level {
			t.Errorf("%s is published on %d and computed on %d", e.Member, e.Level, now[i].Level)
		}
	}
	if s, err := meter.Displayed(ctx, time.Date(2025, 6, 30, 23, 59, 0, 0, time.UTC)); err != nil || s.AsOf.Format(time.DateOnly) != "2025-06-30" {
		t.Errorf("displayed on 30 June 2025: %s, %v", s.AsOf, err)
	}
	if got := len(meter.Events(today)); got != 10+17 {
		t.Errorf("%d events", got)
	}
}

func TestPublicFactsCarryNoLevel(t *testing.T) {
	n := 0
	var facts []ledger.Fact
	for f, err := range ledger.ReadFacts(bytes.NewReader(sample.PublicFacts())) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Kind != ledger.PublicEvent || f.Sample || f.Body.Source == "" {
			t.Errorf("%s: %s", f.ID, f.Kind)
		}
		facts = append(facts, f)
		n++
	}
	if n != 17 {
		t.Errorf("%d facts", n)
	}
	for _, s := range acceleratormeter.Assess(acceleratormeter.AM1(), facts, today) {
		if s.Level != 0 {
			t.Errorf("%s has level %d from public facts", s.Country, s.Level)
		}
	}
}
