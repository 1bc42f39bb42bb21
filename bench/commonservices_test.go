package bench

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
)

// largeDirectory is the large catalogue behind a server, its root, and every
// query of its Data Service Directory.
func largeDirectory(b *testing.B) (*cs.Server, *x509.CertPool, []string) {
	b.Helper()
	set := seed.Large()
	catalogue, err := cs.NewCatalogue(set)
	if err != nil {
		b.Fatal(err)
	}
	signer, roots := csSigner(b)
	server, err := cs.NewServer(cs.ServerConfig{Catalogue: catalogue, Signer: signer})
	if err != nil {
		b.Fatal(err)
	}
	var queries []string
	for _, cc := range set.Countries() {
		for _, r := range set.Contributions[cc].Records {
			queries = append(queries, "/dsd/rest/search?"+url.Values{"queryId": {cs.QueryDataServices}, "evidence-type-classification": {r.Classification}, "country-code": {cc}}.Encode())
		}
	}
	return server, roots, queries
}

// csSigner signs with a certificate, an issuing authority and a root, as the
// directories of the acceptance environment do.
func csSigner(b *testing.B) (*cs.Signer, *x509.CertPool) {
	b.Helper()
	var chain []*x509.Certificate
	var keys []*ecdsa.PrivateKey
	for i, name := range []string{"root", "issuer", "directory"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: i < 2, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
		parent, by := c, key
		if i > 0 {
			parent, by = chain[0], keys[i-1]
		}
		if i == 2 {
			c.KeyUsage = x509.KeyUsageDigitalSignature
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
		if err != nil {
			b.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			b.Fatal(err)
		}
		chain, keys = append([]*x509.Certificate{parsed}, chain...), append(keys, key)
	}
	roots := x509.NewCertPool()
	roots.AddCert(chain[2])
	return &cs.Signer{Key: keys[2], Chain: chain}, roots
}

// caller asks over one connection with as little work of its own as possible.
type caller struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(b *testing.B, server *httptest.Server) *caller {
	b.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &caller{conn, bufio.NewReaderSize(conn, 64<<10)}
}

// call asks a path and reads the whole answer.
func (c *caller) call(path string) error {
	if _, err := io.WriteString(c.conn, "GET "+path+" HTTP/1.1\r\nHost: directory\r\nAccept-Version: oots-cs:v2.0\r\n\r\n"); err != nil {
		return err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil || !strings.HasPrefix(string(line), "HTTP/1.1 200") {
		return fmt.Errorf("answer %q, %v", line, err)
	}
	length := 0
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			_, err := c.in.Discard(length)
			return err
		}
		if len(line) > 16 && strings.EqualFold(string(line[:15]), "content-length:") {
			fmt.Sscan(string(line[15:]), &length)
		}
	}
}

// rate is how many answers a second four connections get within a while.
func rate(b *testing.B, server *httptest.Server, path string, while time.Duration) float64 {
	b.Helper()
	var done atomic.Int64
	var work sync.WaitGroup
	start := time.Now()
	for range 4 {
		c := dial(b, server)
		work.Go(func() {
			for time.Since(start) < while {
				if err := c.call(path); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	work.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}

// BenchmarkCommonServicesAnswer lays a signed answer of the Data Service Directory
// beside a bare handler that writes the same headers and octets, in turn.
func BenchmarkCommonServicesAnswer(b *testing.B) {
	server, _, queries := largeDirectory(b)
	path := queries[len(queries)/2]
	first := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set(cs.HeaderAcceptVersion, string(cs.V20))
	server.ServeHTTP(first, r)
	header, body := first.Header(), first.Body.Bytes()
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, values := range header {
			h[name] = values
		}
		w.Write(body)
	}))
	b.Cleanup(bare.Close)
	ours := httptest.NewServer(server)
	b.Cleanup(ours.Close)
	for b.Loop() {
		var a, c []float64
		for range 5 {
			a = append(a, rate(b, ours, path, 200*time.Millisecond))
			c = append(c, rate(b, bare, path, 200*time.Millisecond))
		}
		slices.Sort(a)
		slices.Sort(c)
		b.ReportMetric(a[2], "ours/s")
		b.ReportMetric(c[2], "bare/s")
		b.ReportMetric(a[2]/c[2], "ratio")
		b.ReportMetric(float64(len(body)), "octets")
	}
}

// BenchmarkCommonServicesLatency asks all data services of the large catalogue at
// half the rate that it can serve, each at its appointed time.
func BenchmarkCommonServicesLatency(b *testing.B) {
	server, _, queries := largeDirectory(b)
	ours := httptest.NewServer(server)
	b.Cleanup(ours.Close)
	full := rate(b, ours, queries[0], time.Second)
	const callers = 16
	pause := time.Duration(float64(time.Second) * callers / (full / 2))
	for b.Loop() {
		var mu sync.Mutex
		var took []time.Duration
		var work sync.WaitGroup
		start := time.Now()
		for k := range callers {
			c := dial(b, ours)
			work.Go(func() {
				var mine []time.Duration
				for n := 0; ; n++ {
					due := start.Add(time.Duration(n)*pause + time.Duration(k)*pause/callers)
					if due.Sub(start) > 3*time.Second {
						break
					}
					time.Sleep(time.Until(due))
					if err := c.call(queries[(n*callers+k)*7919%len(queries)]); err != nil {
						b.Error(err)
						return
					}
					mine = append(mine, time.Since(due))
				}
				mu.Lock()
				took = append(took, mine...)
				mu.Unlock()
			})
		}
		work.Wait()
		slices.Sort(took)
		b.ReportMetric(full/2, "load/s")
		b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
		b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
	}
}

// BenchmarkCommonServicesLoad takes the large catalogue into service and answers
// every query of its Data Service Directory once.
func BenchmarkCommonServicesLoad(b *testing.B) {
	for b.Loop() {
		start := time.Now()
		server, _, queries := largeDirectory(b)
		loaded := time.Since(start)
		for _, path := range queries {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set(cs.HeaderAcceptVersion, string(cs.V20))
			server.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				b.Fatal(w.Code)
			}
		}
		b.ReportMetric(loaded.Seconds(), "load-s")
		b.ReportMetric(time.Since(start).Seconds()-loaded.Seconds(), "answers-s")
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
		b.ReportMetric(float64(m.Sys)/1e6, "from-system-MB")
		runtime.KeepAlive(server)
	}
}

// BenchmarkCommonServicesVerify is what a client spends on an answer of 8 kB before
// it reads it, with a chain of three certificates; then with the reading.
func BenchmarkCommonServicesVerify(b *testing.B) {
	server, roots, queries := largeDirectory(b)
	var body []byte
	var digest, signature string
	for _, cc := range seed.Countries()[:seed.LargeCountries] {
		queries = append(queries, "/eb/rest/search?"+url.Values{"queryId": {cs.QueryEvidenceTypes}, "requirement-id": {seed.Requirement("birth")}, "country-code": {cc.Code}}.Encode(),
			"/eb/rest/search?"+url.Values{"queryId": {cs.QueryRequirements}, "country-code": {cc.Code}, "procedure-id": {"T2"}}.Encode())
	}
	for _, path := range queries {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set(cs.HeaderAcceptVersion, string(cs.V20))
		server.ServeHTTP(w, r)
		if abs(w.Body.Len()-8192) < abs(len(body)-8192) {
			body, digest, signature = w.Body.Bytes(), w.Header().Get(cs.HeaderDigest), w.Header().Get(cs.HeaderSignature)
		}
	}
	verifier := &cs.Verifier{Roots: roots}
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if err := verifier.Verify(body, digest, signature); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(body)), "octets")
	})
	b.Run("verify and read", func(b *testing.B) {
		for b.Loop() {
			if err := verifier.Verify(body, digest, signature); err != nil {
				b.Fatal(err)
			}
			if _, err := cs.Decode(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
