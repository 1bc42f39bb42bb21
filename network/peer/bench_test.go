package peer_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/network"
	pj "github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/store"
)

// The full matrices of 8 and of 30 countries, over SQLite: every ordered pair
// plays TC01, TC02, TC06 and TC08, a monitor grades, the ledger is told.
func BenchmarkMatrixOfEight(b *testing.B) { matrix(b, 8) }
func BenchmarkMatrixOf30(b *testing.B)    { matrix(b, 30) }

func matrix(b *testing.B, n int) {
	var countries []string
	for _, c := range seed.Countries()[:n] {
		countries = append(countries, c.Code)
	}
	cases := []string{"TC01", "TC02", "TC06", "TC08"}
	for range b.N {
		b.StopTimer()
		db, err := store.Open(context.Background(), b.TempDir(), store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		h := openOver(b, db.Projectathon(), db.Ledger(), everyLine(countries), countries...)
		if _, err := h.AdvanceEvent(b.Context(), manager, "ev", pj.Live); err != nil {
			b.Fatal(err)
		}
		planning := time.Now()
		plan, err := h.MakePlan(b.Context(), manager, "ev", cases, n-1, 0)
		if err != nil || len(plan.Meetings) != n*(n-1)*len(cases) {
			b.Fatalf("%d of %d tests are planned, %v", len(plan.Meetings), n*(n-1)*len(cases), err)
		}
		b.ReportMetric(time.Since(planning).Seconds(), "s-planning")
		b.StartTimer()
		cpu, begun := processor(), time.Now()
		played := h.play(b, 80)
		b.ReportMetric(time.Since(begun).Seconds(), "s-played")
		b.ReportMetric(float64((processor()-cpu).Milliseconds())/float64(played), "ms-processor/test")
		b.StopTimer()
		board, err := h.Board(b.Context(), "ev")
		if err != nil {
			b.Fatal(err)
		}
		verified := 0
		for _, cell := range board.Matrix("") {
			verified += cell.Verified
		}
		for _, t := range board.Tests() {
			if t.State != pj.Verified {
				p, _ := h.Test(b.Context(), monitor, t.ID)
				b.Logf("%s of %v is %s: %+v", t.Case, t.Systems, t.State, findings(pj.Played{Findings: p.Findings}))
			}
		}
		if played != len(plan.Meetings) || verified != played {
			b.Errorf("%d of %d tests were played, %d of them verified", played, len(plan.Meetings), verified)
		}
		b.ReportMetric(float64(played), "tests")
		b.StartTimer()
	}
}

// everyLine lets every country speak both lines: one that speaks only the older
// cannot ask those that announce only the newer.
func everyLine(countries []string) map[string]network.Member {
	all := map[string]network.Member{}
	for _, cc := range countries {
		all[cc] = network.Member{Lines: []edm.Line{edm.V20, edm.V12}}
	}
	return all
}

// processor is the time that this process has used.
func processor() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
