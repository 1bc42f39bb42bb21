package web

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// BenchmarkHomeFirst renders the home page anew each time, in each language in
// turn, and compresses it. It also tells the least time of one rendering, which
// says more than the mean on a machine that does other work too.
func BenchmarkHomeFirst(b *testing.B) {
	s, err := build(newConfig(b))
	if err != nil {
		b.Fatal(err)
	}
	h := s.handler()
	least := time.Hour
	for i := 0; b.Loop(); i++ {
		s.cache.put("emptied", "", &body{})
		begun := time.Now()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/"+s.langs[i%len(s.langs)].Code+"/", nil))
		least = min(least, time.Since(begun))
	}
	b.ReportMetric(float64(least.Microseconds()), "µs/least")
}

// BenchmarkServed compares, over loopback in one run, a bare net/http handler
// that writes the same bytes with the site that serves the home page.
func BenchmarkServed(b *testing.B) {
	site, err := New(newConfig(b))
	if err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/en/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	site.ServeHTTP(w, r)
	bytes := w.Body.Bytes()
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bytes)
	})
	for _, c := range []struct {
		name string
		h    http.Handler
	}{{"bare", bare}, {"site", site}} {
		b.Run(c.name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			server := &http.Server{Handler: c.h}
			go server.Serve(l)
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					r, _ := http.NewRequest("GET", "http://"+l.Addr().String()+"/en/", nil)
					r.Header.Set("Accept-Encoding", "gzip")
					res, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}
