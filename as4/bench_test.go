package as4_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/store"
)

// BenchmarkExchange8kB is push, verify, decrypt, delivery, signed receipt and
// its verification over HTTPS, both ends in this process, on all cores. It works
// in rounds, each followed by the private-key operations that its messages
// cannot do without, so that whatever else the machine does slows both down:
// "x-RSA" is the median of the rounds' ratios, "worst-x-RSA" the largest.
func BenchmarkExchange8kB(b *testing.B) {
	known, err := parties()
	if err != nil {
		b.Fatal(err)
	}
	key, sum := known["AP_FI_01"].Sign.Signer(), sha256.Sum256([]byte("x"))
	fi, _, _ := pair(b)
	part := make([]byte, 8<<10)
	rand.Read(part)
	const round = 8 // messages of a worker
	onAllCores := func(work func() error) time.Duration {
		started := time.Now()
		var workers sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			workers.Go(func() {
				for range round {
					if err := work(); err != nil {
						b.Error(err)
					}
				}
			})
		}
		workers.Wait()
		return time.Since(started)
	}
	exchange := func() error {
		if _, err := fi.Submit(context.Background(), request(), []as4.Part{{Type: "application/x-ebrs+xml", Content: ebms.Bytes(part)}}); err != nil {
			return err
		}
		_, err := fi.SendDue(context.Background())
		return err
	}
	onAllCores(exchange) // connections, and what is made once
	done := len(fi.settled)
	var ratios []float64
	var spent time.Duration
	for b.Loop() {
		whole := onAllCores(exchange)
		bare := onAllCores(func() error {
			for range 3 {
				if _, err := key.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
					return err
				}
			}
			return nil
		})
		spent += whole
		ratios = append(ratios, whole.Seconds()/bare.Seconds())
	}
	slices.Sort(ratios)
	sent := len(ratios) * round * runtime.GOMAXPROCS(0)
	b.ReportMetric(ratios[len(ratios)/2], "x-RSA")
	b.ReportMetric(ratios[len(ratios)-1], "worst-x-RSA")
	b.ReportMetric(float64(sent)/spent.Seconds(), "messages/s")
	b.ReportMetric(0, "ns/op")
	if got := len(fi.settled) - done; got != sent {
		b.Errorf("%d of %d messages settled", got, sent)
	}
}

// tally is a corner that keeps nothing but numbers.
type tally struct{ delivered, acknowledged atomic.Int64 }

func (c *tally) Deliver(_ context.Context, m *as4.Message) error {
	c.delivered.Add(1)
	return nil
}

func (c *tally) Settled(_ context.Context, m as4.Outgoing) error {
	if m.State == as4.Acknowledged {
		c.acknowledged.Add(1)
	}
	return nil
}

// heap is what is in use after a collection, in MB.
func heap() float64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64()) / 1e6
}

// BenchmarkDrain works off a queue of 10,000 messages that wait for a partner,
// with a SQLite store at both ends, and compares the heap after the first
// thousand with the heap after the last.
func BenchmarkDrain(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		fi, pt, _ := pair(b)
		count := &tally{}
		for _, e := range []*endpoint{fi, pt} {
			dir := b.TempDir()
			db, err := store.Open(context.Background(), dir, store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			c := e.AccessPoint.Config
			c.Store, c.Files, c.Handler = db.AS4(), as4.Folder(dir), count
			if e.AccessPoint, err = as4.New(c); err != nil {
				b.Fatal(err)
			}
		}
		for range n {
			if _, err := fi.Submit(context.Background(), request(), []as4.Part{xmlPart("<query:QueryRequest/>")}); err != nil {
				b.Fatal(err)
			}
		}
		before := heap()
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error)
		b.StartTimer()
		go func() { ended <- fi.Run(ctx) }()
		until := func(want int64) float64 {
			for count.acknowledged.Load() < want {
				time.Sleep(5 * time.Millisecond)
			}
			return heap()
		}
		early := until(n / 10)
		late := until(n)
		b.StopTimer()
		stop()
		<-ended
		if count.delivered.Load() != n {
			b.Errorf("%d messages delivered, want %d", count.delivered.Load(), n)
		}
		b.ReportMetric(before, "MB-queued")
		b.ReportMetric(early, "MB-after-1000")
		b.ReportMetric(late, "MB-after-10000")
		b.StartTimer()
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// endless is content of a size without storage.
type endless int64

func (e endless) Size() int64          { return int64(e) }
func (e endless) NewReader() io.Reader { return io.LimitReader(pattern{}, int64(e)) }
func (e endless) Close() error         { return nil }

type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i * 7)
	}
	return len(p), nil
}

// BenchmarkLarge200MB sends one part of 200 MB end to end and reports the
// largest Go heap of both sides together.
func BenchmarkLarge200MB(b *testing.B) {
	fi, pt, _ := pair(b)
	fi.Files, pt.Files = as4.Folder(b.TempDir()), as4.Folder(b.TempDir())
	pt.consume = func(c ebms.Content) error { _, err := io.Copy(io.Discard, c.NewReader()); return err }
	stop, peak := make(chan bool), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		var most uint64
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(5 * time.Millisecond):
				metrics.Read(sample)
				most = max(most, sample[0].Value.Uint64())
			}
		}
	}()
	runtime.GC()
	b.SetBytes(200 << 20)
	for b.Loop() {
		if _, err := fi.Submit(context.Background(), request(), []as4.Part{{Type: "application/octet-stream", Content: endless(200 << 20)}}); err != nil {
			b.Fatal(err)
		}
		if _, err := fi.SendDue(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	stop <- true
	b.ReportMetric(float64(<-peak)/1e6, "MB-heap")
	if n := len(fi.settled); n == 0 || fi.settled[n-1].State != as4.Acknowledged {
		b.Errorf("not acknowledged: %+v", fi.settled)
	}
}
