package testbed_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestReceiptsUnderWayAreSent: a platform that ends answers what it is receiving
// just then; the system would send it again, into whatever is played next.
func TestReceiptsUnderWayAreSent(t *testing.T) {
	r := far(t, catalogue(t), "http://127.0.0.1:1/")
	at, err := url.Parse(r.Platform.Peer().URL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := strings.Repeat("no message ", 10)
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", at.Path, at.Host, len(body))
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the platform does not read: %q, %v", line, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Close() }()
	for { // until nobody new is let in
		other, err := net.Dial("tcp", at.Host)
		if err != nil {
			break
		}
		other.Close()
	}
	fmt.Fprint(conn, body)
	if _, err := in.ReadString('\n'); err != nil { // the rest of "100 Continue"
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatalf("nothing is answered: %v", err)
	}
	answer.Body.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
