package partner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Wire is a network inside one process: an http.RoundTripper that hands each
// request to the handler of its host. Nobody listens and no octet leaves the
// process. Hosts nobody serves refuse the connection.
type Wire struct {
	mu    sync.RWMutex
	hosts map[string]http.Handler
	// Beyond carries requests to hosts that are not of this wire; nil refuses
	// them.
	Beyond http.RoundTripper
}

// Serve answers for a host from now on; nil takes it off the wire.
func (w *Wire) Serve(host string, h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hosts == nil {
		w.hosts = map[string]http.Handler{}
	}
	if w.hosts[host] = h; h == nil {
		delete(w.hosts, host)
	}
}

var errRefused = errors.New("connection refused: nobody serves this host")

// RoundTrip runs the handler of the request's host.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.RLock()
	h := w.hosts[r.URL.Host]
	w.mu.RUnlock()
	if h == nil && w.Beyond != nil {
		return w.Beyond.RoundTrip(r)
	}
	if h == nil {
		return nil, errRefused
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	var answer recorder
	h.ServeHTTP(&answer, in)
	in.Body.Close()
	return answer.response(r), nil
}

// Client is an HTTP client on the wire that follows no redirect.
func (w *Wire) Client(timeout time.Duration) *http.Client {
	return &http.Client{Transport: w, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// recorder is an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorder) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *recorder) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *recorder) response(r *http.Request) *http.Response {
	a.WriteHeader(http.StatusOK)
	return &http.Response{Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.Header(), Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r}
}

// copyTo writes the recorded answer as an answer of w.
func (a *recorder) copyTo(w http.ResponseWriter) {
	a.WriteHeader(http.StatusOK)
	for k, v := range a.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(a.status)
	w.Write(a.body.Bytes())
}

// Clock is what everybody in a test reads the time from. Its zero value shows
// the time of the machine; Add moves it forward.
type Clock struct {
	mu     sync.Mutex
	base   func() time.Time
	offset time.Duration
}

// NewClock is a clock that stands at an instant until it is moved.
func NewClock(at time.Time) *Clock { return &Clock{base: func() time.Time { return at }} }

// Now is the time it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base == nil {
		return time.Now().Add(c.offset)
	}
	return c.base().Add(c.offset)
}

// Add moves it forward.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// readBounded reads at most n octets; more is an error.
func readBounded(ctx context.Context, r io.Reader, n int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, n+1))
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && int64(len(b)) > n {
		err = errTooLarge
	}
	return b, err
}

var errTooLarge = errors.New("the answer is larger than any sound one")
