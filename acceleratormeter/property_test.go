package acceleratormeter_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/ledger"
	"pgregory.net/rapid"
)

// drawFacts draws a country's facts: everything up to a level in one or both
// roles, shown at drawn instants, some of it twice, some of it missing, with
// failures, lapses, blockers, corrections and withdrawals among it.
func drawFacts(t *rapid.T, support bool) []ledger.Fact {
	serial := 0
	var facts []ledger.Fact
	for _, role := range []ledger.Role{req, pro} {
		k := sample.NewKit("AT", role, &serial, "FI", "PT", "SI")
		days := func() time.Time { return shownAt.AddDate(0, 0, -rapid.IntRange(0, 500).Draw(t, "days before")) }
		for range rapid.IntRange(0, 2).Draw(t, "rounds") {
			at := shownAt
			if rapid.Bool().Draw(t, "earlier") {
				at = days()
			}
			k.Levels(1, rapid.IntRange(1, 6).Draw(t, "level"), at)
		}
		if !support && rapid.Bool().Draw(t, "trouble") {
			k.Block(rapid.SampledFrom([]string{"blocking", "hindering"}).Draw(t, "severity"), "x", time.Time{}, days())
			k.PeerAs("TC01", "FI", "failed", days())
			k.Version = "2.0"
			k.Declare(rapid.SampledFrom([]string{"AP", "LOG", "MD"}).Draw(t, "new version"), days())
			if len(k.Facts) > 0 {
				f := k.Facts[rapid.IntRange(0, len(k.Facts)-1).Draw(t, "failing")]
				if f.Kind == ledger.Conformance {
					f.Body.Outcome, f.HappenedAt = "fail", f.HappenedAt.Add(time.Hour)
					k.Add(f)
				}
			}
		}
		facts = append(facts, k.Facts...)
	}
	if !support && len(facts) > 0 {
		for range rapid.IntRange(0, 4).Draw(t, "taken back") {
			f := facts[rapid.IntRange(0, len(facts)-1).Draw(t, "fact")]
			serial++
			w := ledger.Fact{
				ID: fmt.Sprintf("taken:%d", serial), Kind: ledger.Withdrawal, Subject: f.Subject, Asserter: f.Asserter,
				PointsAt: f.ID, HappenedAt: f.RecordedAt.Add(time.Hour), RecordedAt: f.RecordedAt.Add(time.Hour),
			}
			if rapid.Bool().Draw(t, "corrected") {
				w.Kind, w.Body, w.Environment, w.Verifier = ledger.Correction, f.Body, f.Environment, f.Verifier
				w.Body.Version = "3.0"
			}
			facts = append(facts, w)
		}
	}
	if len(facts) > 0 {
		keep := rapid.IntRange(0, 100).Draw(t, "percent kept")
		facts = slices.DeleteFunc(facts, func(f ledger.Fact) bool { return int(digits(f.ID))%100 >= keep })
	}
	return facts
}

func digits(id string) (n uint32) {
	n = 2166136261
	for i := range len(id) {
		n = (n ^ uint32(id[i])) * 16777619
	}
	return n % 1000
}

func shuffled(t *rapid.T, facts []ledger.Fact) []ledger.Fact {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
	facts = slices.Clone(facts)
	r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
	return facts
}

func drawSet(t *rapid.T) acceleratormeter.Criteria {
	sets := acceleratormeter.Sets()
	return sets[rapid.IntRange(0, len(sets)-1).Draw(t, "set")]
}

func drawAt(t *rapid.T) time.Time {
	return judgedAt.AddDate(0, 0, rapid.IntRange(-520, 200).Draw(t, "judged at day"))
}

func TestOrderOfFactsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts, set, at := drawFacts(t, false), drawSet(t), drawAt(t)
		want := acceleratormeter.Assess(set, facts, at)
		got := acceleratormeter.Assess(set, shuffled(t, facts), at)
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("another order gives another standing:\n%s", differ(want, got))
		}
	})
}

func TestSupportingFactNeverLowersALevel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts, set, at := drawFacts(t, true), drawSet(t), drawAt(t)
		n := rapid.IntRange(0, len(facts)).Draw(t, "some")
		facts = shuffled(t, facts)
		before := acceleratormeter.Assess(set, facts[:n], at)
		after := acceleratormeter.Assess(set, facts, at)
		for i := range before {
			for _, role := range []ledger.Role{req, pro} {
				b, a := before[i].Of(role), after[i].Of(role)
				if a.Level < b.Level {
					t.Fatalf("%s as %s falls from %d to %d", before[i].Country, role, b.Level, a.Level)
				}
			}
			if after[i].Level < before[i].Level {
				t.Fatalf("%s falls from %d to %d", before[i].Country, before[i].Level, after[i].Level)
			}
		}
	})
}

// What is recorded later never changes what an instant in the past gave: an
// engine that has seen everything answers as one that had seen only that much.
func TestPastInstantsAreRecomputedTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts, set, at := drawFacts(t, false), drawSet(t), drawAt(t)
		var known []ledger.Fact
		for _, f := range facts {
			if !f.RecordedAt.After(at) {
				known = append(known, f)
			}
		}
		then := acceleratormeter.Assess(set, known, at)
		engine := acceleratormeter.NewEngine()
		for i := range facts {
			engine.Add(&facts[i])
		}
		engine.Standings(&set, judgedAt.AddDate(1, 0, 0)) // another question in between
		if now := engine.Standings(&set, at); !reflect.DeepEqual(then, now) {
			t.Fatalf("the past changed:\n%s", differ(then, now))
		}
	})
}

// A withdrawn fact leaves the standings exactly as if it, and the verdicts on
// it, had never been there; and a criterion that it did not carry is not lost.
func TestWithdrawalMovesExactlyWhatTheFactCarried(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts, set, at := drawFacts(t, true), drawSet(t), drawAt(t)
		if len(facts) == 0 {
			return
		}
		gone := facts[rapid.IntRange(0, len(facts)-1).Draw(t, "withdrawn")]
		if gone.Kind == ledger.Verdict || gone.RecordedAt.After(at) {
			return
		}
		withdrawal := ledger.Fact{
			ID: "withdrawal", Kind: ledger.Withdrawal, Subject: gone.Subject, Asserter: gone.Asserter, PointsAt: gone.ID,
			HappenedAt: gone.HappenedAt, RecordedAt: gone.RecordedAt,
		}
		without := slices.DeleteFunc(slices.Clone(facts), func(f ledger.Fact) bool { return f.ID == gone.ID })
		before := acceleratormeter.Assess(set, facts, at)
		want := acceleratormeter.Assess(set, without, at)
		got := acceleratormeter.Assess(set, append(slices.Clone(facts), withdrawal), at)
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("withdrawing is not the same as never asserting:\n%s", differ(want, got))
		}
		for i := range before {
			for _, role := range []ledger.Role{req, pro} {
				b, a := before[i].Of(role), got[i].Of(role)
				for k := range b.Results {
					r := &b.Results[k]
					if r.State != acceleratormeter.Missing && !slices.Contains(r.Facts, gone.ID) && !restsOnLevels(r.Criterion) && a.Results[k].State == acceleratormeter.Missing {
						t.Fatalf("%s of %s as %s rested on %v, not on %s, and changed to %+v", r.Criterion, before[i].Country, role, r.Facts, gone.ID, a.Results[k])
					}
				}
			}
		}
	})
}

// restsOnLevels names the criteria that ask for the levels below, and so change
// with them.
func restsOnLevels(id string) bool { return id == "AM5.1" || id == "AM6.1" }

func differ(a, b []acceleratormeter.Standing) string {
	for i := range a {
		for _, role := range []ledger.Role{req, pro} {
			x, y := a[i].Of(role), b[i].Of(role)
			for k := range x.Results {
				if !reflect.DeepEqual(x.Results[k], y.Results[k]) {
					return fmt.Sprintf("%s %s\n%+v\n%+v", a[i].Country, role, x.Results[k], y.Results[k])
				}
			}
		}
		if !reflect.DeepEqual(a[i], b[i]) {
			return fmt.Sprintf("%+v\n%+v", a[i], b[i])
		}
	}
	return "nothing"
}
