package bench

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// parties are one sender and one receiver with RSA-2048 keys.
var parties = sync.OnceValues(func() (*pki.Party, *pki.Party) {
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		panic(err)
	}
	a, err := ca.Party("AP_XX_01")
	if err != nil {
		panic(err)
	}
	b, err := ca.Party("AP_YY_01")
	if err != nil {
		panic(err)
	}
	return a, b
})

// wireMessage is an evidence request of 8 kB, compressed, as OOTS 2.0 sends it.
func wireMessage(b *testing.B) (*ebms.Header, []ebms.Part) {
	gateway := "http://sdg.europa.eu/edelivery/gateway"
	oots := "urn:oasis:names:tc:ebcore:partyid-type:unregistered:oots"
	m := &ebms.UserMessage{
		Timestamp: time.Now(), MessageID: "0c9c0b52-7f0e-4b57-8a57-3a8a1f0a6d11@ap.example.eu",
		From:    ebms.Party{ID: ebms.PartyID{Type: oots, Value: "AP_XX_01"}, Role: gateway},
		To:      ebms.Party{ID: ebms.PartyID{Type: oots, Value: "AP_YY_01"}, Role: gateway},
		Service: ebms.Service{Type: "urn:oasis:names:tc:ebcore:ebrs:ebms:binding:1.0", Value: "QueryManager"},
		Action:  "ExecuteQueryRequest", ConversationID: "6d2b3c1e-5a0f-4c0e-9c8e-1f7d6a54e001",
		Properties: []ebms.Property{
			{Name: ebms.OriginalSender, Type: "urn:cef.eu:names:identifier:EAS:0204", Value: "XX-4711"},
			{Name: ebms.FinalRecipient, Type: "urn:cef.eu:names:identifier:EAS:0204", Value: "YY-0815"},
			{Name: ebms.ExchangeID, Value: "b2a7c1d4-93f5-4f0d-8b6a-5f0f6b1c2d03"},
			{Name: ebms.SpecificationID, Value: "oots-edm:v2.0"},
		},
		Parts: []ebms.PartInfo{{ContentID: "q@ap.example.eu", Properties: []ebms.Property{{Name: ebms.MimeType, Value: "application/x-ebrs+xml"}, {Name: ebms.CompressionType, Value: ebms.Gzip}}}},
	}
	octets := make([]byte, 8<<10)
	rand.Read(octets)
	zipped, err := ebms.Compress(ebms.Bytes(octets), 0, ebms.Disk{})
	if err != nil {
		b.Fatal(err)
	}
	return &ebms.Header{User: m}, []ebms.Part{{ID: "q@ap.example.eu", Type: ebms.Gzip, Content: zipped}}
}

// Signing and building the envelope against the bare RSA signature, in turns.
func BenchmarkAS4SignAndBuild(b *testing.B) {
	a, _ := parties()
	h, parts := wireMessage(b)
	s := &wssec.Signer{Identity: a.Sign}
	sum := sha256.Sum256([]byte("x"))
	var bare, whole time.Duration
	for b.Loop() {
		t0 := time.Now()
		if _, err := a.Sign.Signer().Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
		t1 := time.Now()
		if _, err := s.Sign(h, parts); err != nil {
			b.Fatal(err)
		}
		bare += t1.Sub(t0)
		whole += time.Since(t1)
	}
	b.ReportMetric(float64(whole)/float64(bare), "x-bare")
	b.ReportMetric(float64(whole.Microseconds())/float64(b.N), "µs/message")
	b.ReportMetric(0, "ns/op")
}

// Reading the envelope, verifying the signature, comparing the signer and
// decoding the header, on one core.
func BenchmarkAS4Verify(b *testing.B) {
	a, _ := parties()
	h, parts := wireMessage(b)
	signed, err := (&wssec.Signer{Identity: a.Sign}).Sign(h, parts)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		env, err := ebms.ReadEnvelope(signed.Envelope)
		if err != nil {
			b.Fatal(err)
		}
		v, err := wssec.Verify(env, wssec.Rules{})
		if err != nil {
			b.Fatal(err)
		}
		if err := v.SignedBy(a.Sign.Cert()); err != nil {
			b.Fatal(err)
		}
		if _, err := v.Header(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// The whole way of a received message but the network: MIME, verification,
// unwrapping the key (one RSA private-key operation), decryption, inflation.
func BenchmarkAS4Receive(b *testing.B) {
	a, z := parties()
	h, parts := wireMessage(b)
	signed, err := (&wssec.Signer{Identity: a.Sign}).Sign(h, parts)
	if err != nil {
		b.Fatal(err)
	}
	env, out, err := (&wssec.Encrypter{Recipient: z.Encrypt.Cert()}).Encrypt(signed.Envelope, parts)
	if err != nil {
		b.Fatal(err)
	}
	p := ebms.NewPackage(env, out, "1")
	body, _ := io.ReadAll(p.NewReader())
	for b.Loop() {
		if err := receive(bytes.NewReader(body), p.ContentType(), z, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func receive(body io.Reader, contentType string, z *pki.Party, to io.Writer) error {
	in, err := ebms.NewReader(body, contentType, ebms.Limits{}, ebms.Disk{})
	if err != nil {
		return err
	}
	defer in.Close()
	root, err := in.Root()
	if err != nil {
		return err
	}
	env, err := ebms.ReadEnvelope(root)
	if err != nil {
		return err
	}
	v, err := wssec.Verify(env, wssec.Rules{})
	if err != nil {
		return err
	}
	h, err := v.Header()
	if err != nil {
		return err
	}
	parts, err := in.Parts()
	if err != nil {
		return err
	}
	clear, err := v.Open(h.User, parts, wssec.Need{Encrypted: true, Keys: []*pki.Identity{z.Encrypt}})
	if err != nil {
		return err
	}
	var inflate ebms.Inflater
	for i, p := range clear {
		if _, err := io.Copy(to, inflate.Open(p, &h.User.Parts[i])); err != nil {
			return err
		}
	}
	return nil
}

// peak watches the heap while f runs.
func peak(f func()) uint64 {
	var most uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var s runtime.MemStats
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			runtime.ReadMemStats(&s)
			most = max(most, s.HeapAlloc)
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	f()
	close(stop)
	<-done
	return most
}

// A part of a gigabyte, signed, encrypted, framed, read, spooled, decrypted,
// its digest compared, and read by the consumer; sender and receiver together.
func BenchmarkAS4LargePart(b *testing.B) {
	a, z := parties()
	const size = 1 << 30
	h, _ := wireMessage(b)
	h.User.Parts[0].Properties = h.User.Parts[0].Properties[:1] // a response leg: not compressed
	clear, err := ebms.Store(ebms.Disk{Dir: b.TempDir()}, io.LimitReader(&noise{}, size))
	if err != nil {
		b.Fatal(err)
	}
	defer clear.Close()
	parts := []ebms.Part{{ID: "q@ap.example.eu", Type: "application/octet-stream", Content: clear}}
	b.SetBytes(size)
	var heap uint64
	for b.Loop() {
		runtime.GC()
		heap = max(heap, peak(func() {
			signed, err := (&wssec.Signer{Identity: a.Sign}).Sign(h, parts)
			if err != nil {
				b.Fatal(err)
			}
			env, out, err := (&wssec.Encrypter{Recipient: z.Encrypt.Cert()}).Encrypt(signed.Envelope, parts)
			if err != nil {
				b.Fatal(err)
			}
			p := ebms.NewPackage(env, out, "1")
			n := &counter{}
			if err := receive(p.NewReader(), p.ContentType(), z, n); err != nil || n.n != size {
				b.Fatal(n.n, err)
			}
		}))
	}
	b.ReportMetric(float64(heap)/(1<<20), "MiB-heap")
}

// noise is cheap content that differs from block to block.
type noise struct{ n uint64 }

func (r *noise) Read(p []byte) (int, error) {
	for i := 0; i+8 <= len(p); i += 8 {
		r.n = r.n*6364136223846793005 + 1442695040888963407
		p[i], p[i+1], p[i+2], p[i+3] = byte(r.n>>32), byte(r.n>>40), byte(r.n>>48), byte(r.n>>56)
	}
	return len(p), nil
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }
