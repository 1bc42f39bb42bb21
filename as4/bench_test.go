package as4_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

// BenchmarkThreeRSA are the private-key operations that one exchange cannot do
// without: two signatures and one decryption with RSA-2048.
func BenchmarkThreeRSA(b *testing.B) {
	known, err := parties()
	if err != nil {
		b.Fatal(err)
	}
	key := known["AP_FI_01"].Sign.Signer()
	sum := sha256.Sum256([]byte("x"))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for range 3 {
				if _, err := key.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
					b.Error(err)
				}
			}
		}
	})
}

// BenchmarkExchange8kB is push, verify, decrypt, delivery, signed receipt and
// its verification over HTTPS, both ends in this process.
func BenchmarkExchange8kB(b *testing.B) {
	fi, _, _ := pair(b)
	part := make([]byte, 8<<10)
	rand.Read(part)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := fi.Submit(context.Background(), request(), []as4.Part{{Type: "application/x-ebrs+xml", Content: ebms.Bytes(part)}}); err != nil {
				b.Error(err)
			}
			if _, err := fi.SendDue(context.Background()); err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	if len(fi.settled) != b.N {
		b.Errorf("%d of %d messages settled", len(fi.settled), b.N)
	}
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
