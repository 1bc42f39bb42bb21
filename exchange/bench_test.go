package exchange_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/store/storetest"
)

// racing are two nodes that run by themselves, each with its SQLite file.
type racing struct {
	*world
	plan *exchange.Plan
	mu   sync.Mutex
	wait map[string]chan exchange.State // by conversation
}

func race(b *testing.B) *racing {
	big := slices.Concat([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("0123456789abcdef"), 200<<10/16))
	r := &racing{wait: map[string]chan exchange.State{}}
	dirs := map[string]string{}
	r.world = newWorld(b, options{real: true,
		store: func(cc string) (exchange.Store, as4.Store) {
			dirs[cc] = b.TempDir()
			db := storetest.Open(b, dirs[cc])
			return db.Exchange(), db.AS4()
		},
		files: func(cc string) as4.Files { return as4.Folder(b.TempDir()) },
		data:  diplomas(exchange.File{MediaType: "application/pdf", Language: "FI", Data: big}),
		changed: func(x *exchange.Exchange) {
			if x.State.Ended() {
				r.mu.Lock()
				defer r.mu.Unlock()
				if c := r.wait[x.Conversation]; c != nil {
					c <- x.State
				}
			}
		}})
	r.quiet = true
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, s := range r.states {
		running.Go(func() { _ = s.ap.Run(ctx) })
		running.Go(func() { _ = s.Run(ctx) })
	}
	b.Cleanup(func() { stop(); running.Wait() })
	var err error
	if r.plan, err = r.states["PT"].Requester.Plan(b.Context(), wish()); err != nil {
		b.Fatal(err)
	}
	return r
}

// exchange makes one, from the request to the evidence.
func (r *racing) exchange(b *testing.B) {
	id, done := as4.NewUUID(), make(chan exchange.State, 1)
	r.mu.Lock()
	r.wait[id] = done
	r.mu.Unlock()
	c := r.plan.First()
	c[0].Formats = []string{"application/pdf"}
	if _, err := r.states["PT"].Requester.Request(context.Background(), id, r.plan, c); err != nil {
		b.Error(err)
		return
	}
	select {
	case s := <-done:
		if s != exchange.Delivered {
			b.Errorf("the exchange is %s", s)
		}
	case <-time.After(time.Minute):
		b.Error("no answer within a minute")
	}
	r.mu.Lock()
	delete(r.wait, id)
	r.mu.Unlock()
}

// BenchmarkExchanges makes as many at once as the machine can: 200 kB PDF, both
// nodes with SQLite in this process, everything on disk.
func BenchmarkExchanges(b *testing.B) {
	r := race(b)
	b.SetParallelism(12)
	b.ResetTimer()
	used := cpu()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.exchange(b)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "exchanges/s")
	b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// BenchmarkAtThirtyPerSecond starts one every 33 ms, whatever became of the
// others.
func BenchmarkAtThirtyPerSecond(b *testing.B) {
	r := race(b)
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	b.ResetTimer()
	for range b.N {
		<-tick.C
		all.Go(func() {
			started := time.Now()
			r.exchange(b)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(started))
		})
	}
	all.Wait()
	slices.Sort(took)
	for _, q := range []struct {
		name string
		at   float64
	}{{"p50-ms", 0.5}, {"p95-ms", 0.95}} {
		b.ReportMetric(float64(took[int(float64(len(took)-1)*q.at)].Microseconds())/1000, q.name)
	}
}

// BenchmarkAmongStored makes one exchange after the other in stores that hold so
// many already.
func BenchmarkAmongStored(b *testing.B) {
	for _, n := range []int{0, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := race(b)
			made := time.Now().Add(-24 * time.Hour).UTC()
			for cc, kind := range map[string]string{"PT": "exchange", "FI": "inquiry"} {
				err := r.states[cc].kept.rows.Atomically(b.Context(), func(ctx context.Context) error {
					for i := range n {
						row := exchange.Row{Kind: kind, ID: as4.NewUUID(), State: "delivered", MadeAt: made.Add(time.Duration(i) * time.Millisecond),
							Keys: []string{as4.NewUUID()}, Body: make([]byte, 200)}
						if err := r.states[cc].kept.rows.Create(ctx, row); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			used := cpu()
			for range b.N {
				r.exchange(b)
			}
			b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
