package peer_test

import (
	"context"
	"encoding/json"
	"fmt"
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
		b.Cleanup(func() { db.Close() })
		h := openOver(b, db.Projectathon(), db.Ledger(), everyLine(countries), countries...)
		if _, err := h.AdvanceEvent(b.Context(), manager, "ev", pj.Live); err != nil {
			b.Fatal(err)
		}
		planning := time.Now()
		plan, err := h.MakePlan(b.Context(), manager, "ev", cases, n-1, 0)
		if err != nil || len(plan.Meetings) != n*(n-1)*len(cases) {
			b.Fatalf("%d of %d tests are planned, %v", len(plan.Meetings), n*(n-1)*len(cases), err)
		}
		planned := time.Since(planning)
		b.StartTimer()
		cpu, begun := processor(), time.Now()
		played := h.play(b, 80)
		b.ReportMetric(planned.Seconds(), "s-planning")
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

// BenchmarkAmongResults plays and grades one test, and asks for what pages show,
// in an event of 30 countries that holds so many results already: one in each
// square of the matrix, and a million.
func BenchmarkAmongResults(b *testing.B) {
	for _, n := range []int{30 * 29 * 4, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db, err := store.Open(context.Background(), b.TempDir(), store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			h := openOver(b, db.Projectathon(), db.Ledger(), nil, "NL", "FI", "DE")
			if _, err := h.AdvanceEvent(b.Context(), manager, "ev", pj.Live); err != nil {
				b.Fatal(err)
			}
			fill(b, db.Projectathon(), n)
			begun := time.Now()
			board, err := h.Board(b.Context(), "ev")
			if err != nil {
				b.Fatal(err)
			}
			first := time.Since(begun)
			var one, page, queue, used time.Duration
			for b.Loop() {
				p, err := h.Propose(b.Context(), manager, "ev", "TC01", "NL_node", "FI_node")
				for _, cc := range []string{"NL", "FI"} {
					if err == nil {
						err = h.Accept(b.Context(), pj.Account{Party: "coordinator:" + cc, Post: pj.Coordinator, Country: cc}, p.ID)
					}
				}
				begun, cpu := time.Now(), processor()
				if err == nil {
					err = h.Drive(b.Context(), h.driver, p.ID)
				}
				if err == nil {
					err = h.Review(b.Context(), monitor, []string{p.ID}, pj.Suggest)
				}
				one, used = one+time.Since(begun), used+processor()-cpu
				begun = time.Now()
				if _, bad := h.Board(b.Context(), "ev"); err == nil {
					err = bad
				}
				matrix := board.Matrix("")
				page += time.Since(begun)
				begun = time.Now()
				if _, bad := h.Queue(b.Context(), monitor, "ev"); err == nil {
					err = bad
				}
				queue += time.Since(begun)
				if err != nil || len(matrix) != 870 {
					b.Fatalf("%d squares, %v", len(matrix), err)
				}
			}
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
			b.ReportMetric(first.Seconds(), "s-first-board")
			b.ReportMetric(ms(one), "ms/test")
			b.ReportMetric(ms(used), "ms-processor/test")
			b.ReportMetric(ms(page), "ms/matrix")
			b.ReportMetric(ms(queue), "ms/queue")
		})
	}
}

// fill puts n verified tests into an event, all squares of the matrix in turn.
func fill(b *testing.B, s pj.Store, n int) {
	b.Helper()
	countries := seed.Countries()
	cases := []string{"TC01", "TC02", "TC06", "TC08"}
	at := time.Now().UTC()
	var records []pj.Record
	for i := range n {
		square := i % (30 * 29 * 4)
		pair := square / 4
		asks, answers := pair/29, pair%29
		if answers >= asks {
			answers++
		}
		id := fmt.Sprintf("r%07d", i)
		t := pj.PeerTest{ID: id, Event: "ev", Case: cases[square%4], State: pj.Verified, Started: at, Ended: at, Told: 4}
		for k, cc := range []string{countries[asks].Code, countries[answers].Code} {
			role := pj.Requester
			if k > 0 {
				role = pj.Provider
			}
			t.Sides = append(t.Sides, pj.Side{System: cc + "_node", Country: cc, Role: role, Accepted: true})
			t.Verdicts = append(t.Verdicts, pj.Verdict{Monitor: "monitor:SE-1", System: cc + "_node", Outcome: pj.Verified})
		}
		doc, err := json.Marshal(t)
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, pj.Record{Kind: pj.KindTest, ID: id, Event: "ev", Version: 1, Doc: doc})
		if len(records) == 10_000 || i == n-1 {
			if err := s.Put(b.Context(), pj.Entry{At: at, Event: "ev", What: pj.Plan}, records...); err != nil {
				b.Fatal(err)
			}
			records = nil
		}
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
