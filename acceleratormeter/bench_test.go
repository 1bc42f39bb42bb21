package acceleratormeter_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/ledger"
)

var today = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// manyFacts repeats the sample history under other ids until there are n facts;
// what points at a fact points at its twin.
func manyFacts(n int) []ledger.Fact {
	history, _ := sample.History(today)
	out := make([]ledger.Fact, 0, n)
	for round := 0; len(out) < n; round++ {
		for _, f := range history[:min(len(history), n-len(out))] {
			f.ID = fmt.Sprintf("%s/%d", f.ID, round)
			if f.PointsAt != "" {
				f.PointsAt = fmt.Sprintf("%s/%d", f.PointsAt, round)
			}
			out = append(out, f)
		}
	}
	return out
}

// BenchmarkAssess judges all countries from 100,000 facts as they come: grouping
// included.
func BenchmarkAssess100k(b *testing.B) {
	facts, set := manyFacts(100_000), acceleratormeter.AM1()
	b.ReportAllocs()
	for b.Loop() {
		acceleratormeter.Assess(set, facts, today)
	}
}

// BenchmarkStandings judges all countries from 100,000 facts that are grouped.
func BenchmarkStandings100k(b *testing.B) {
	engine, set := loaded(100_000), acceleratormeter.AM1()
	b.ReportAllocs()
	for b.Loop() {
		engine.Standings(&set, today)
	}
}

// BenchmarkNewFact adds one fact to 100,000 and judges its country again.
func BenchmarkNewFact100k(b *testing.B) {
	engine, set := loaded(100_000), acceleratormeter.AM1()
	k := sample.NewKit("AT", ledger.Provider, nil, "FI", "PT", "SI")
	k.Probe("as4-ping", "", today)
	n := 0
	for b.Loop() {
		f := k.Facts[0]
		n++
		f.ID = fmt.Sprint("new:", n)
		country, _ := engine.Add(&f)
		if _, err := engine.Standing(&set, country, today); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPairs fills the matrix of 870 cells.
func BenchmarkPairs100k(b *testing.B) {
	engine := loaded(100_000)
	for b.Loop() {
		engine.Pairs(today)
	}
}

// BenchmarkEngineMemory reports what 1,000,000 facts occupy.
func BenchmarkEngineMemory1M(b *testing.B) {
	for b.Loop() {
		engine := acceleratormeter.NewEngine()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		facts := manyFacts(100_000)
		for round := range 10 {
			for i := range facts {
				f := facts[i]
				f.ID = fmt.Sprint(f.ID, "/", round)
				if f.PointsAt != "" {
					f.PointsAt = fmt.Sprint(f.PointsAt, "/", round)
				}
				engine.Add(&f)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		runtime.KeepAlive(engine)
	}
}

func loaded(n int) *acceleratormeter.Engine {
	engine := acceleratormeter.NewEngine()
	facts := manyFacts(n)
	for i := range facts {
		engine.Add(&facts[i])
	}
	return engine
}
