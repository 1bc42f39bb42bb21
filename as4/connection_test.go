package as4_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

// TestAPushSaysItsLength: Domibus P-Modes forbid chunked bodies.
func TestAPushSaysItsLength(t *testing.T) {
	fi, pt, _ := pair(t)
	pt.wire = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.ContentLength != int64(len(body)) || len(r.TransferEncoding) != 0 {
				t.Errorf("Content-Length %d of %d octets, transfer encoding %v, %v", r.ContentLength, len(body), r.TransferEncoding, err)
			}
			if r.TLS == nil || r.TLS.Version < tls.VersionTLS12 {
				t.Error("not over TLS 1.2 or later")
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			h.ServeHTTP(w, r)
		})
	}
	for _, parts := range [][]as4.Part{nil, {xmlPart("<a/>")}, {{Type: "application/pdf", Content: endless(300_000)}}} {
		if _, err := fi.Submit(t.Context(), request(), parts); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := fi.SendDue(t.Context()); n != 3 || err != nil || len(pt.got) != 3 {
		t.Errorf("%d tries, %v, %d arrived", n, err, len(pt.got))
	}
}

// TestNoRedirectIsFollowed: what a partner answers never sends a message
// elsewhere.
func TestNoRedirectIsFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		fi, pt, _ := pair(t)
		calls := 0
		pt.wire = func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				http.Redirect(w, r, "/elsewhere", status)
			})
		}
		id, err := fi.Submit(t.Context(), request(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fi.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if out, tries, _ := fi.store.Sent(t.Context(), id); calls != 1 || out.State != as4.Queued || tries[0].Status != status {
			t.Errorf("%d: %d calls, %s after %+v", status, calls, out.State, tries)
		}
	}
}

// TestASenderThatStops is let go after the idle time, with its place.
func TestASenderThatStops(t *testing.T) {
	_, pt, _ := pair(t)
	c := pt.AccessPoint.Config
	c.Idle, c.Receptions = 50*time.Millisecond, 1
	ap, err := as4.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(ap)
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /as4 HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n<env", ebms.SOAPType)
	// It would wait for the rest for ever; the answer ends the test.
	said, err := io.ReadAll(conn)
	if err != nil || !bytes.Contains(said, []byte("EBMS:0007")) {
		t.Errorf("the sender that stopped is told %q, %v", said, err)
	}
	if s := answer(t, pt, forgery{}.build(t, c.Now())); code(s) != "" {
		t.Errorf("the next one is refused with %s", code(s))
	}
}

// TestTooManyAtOnce are sent away with a status that means "later".
func TestTooManyAtOnce(t *testing.T) {
	_, pt, _ := pair(t)
	c := pt.AccessPoint.Config
	c.Receptions = 1
	ap, err := as4.New(c)
	if err != nil {
		t.Fatal(err)
	}
	body, hold := io.Pipe()
	first := make(chan bool)
	go func() {
		r := httptest.NewRequest(http.MethodPost, "/as4", body)
		r.Header.Set("Content-Type", ebms.SOAPType)
		ap.ServeHTTP(httptest.NewRecorder(), r)
		close(first)
	}()
	hold.Write([]byte("<")) // it has its place now
	w := httptest.NewRecorder()
	ap.ServeHTTP(w, forgery{}.build(t, c.Now()))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("the second one is answered with %d", w.Code)
	}
	hold.Close()
	<-first
	if s := answer(t, &endpoint{AccessPoint: ap}, forgery{}.build(t, c.Now())); code(s) != "" {
		t.Errorf("afterwards it is refused with %s", code(s))
	}
}
