package commonservices

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// zone starts a DNS server on loopback that answers from a zone text.
func zone(t *testing.T, records ...string) (addr string, asked *atomic.Int32) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked = new(atomic.Int32)
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		asked.Add(1)
		a := new(dns.Msg)
		a.SetReply(q)
		if q.Question[0].Name == "xx.eb.v2.cs.testing.oots.example." {
			a.Rcode = dns.RcodeServerFailure
		}
		for _, text := range records {
			rr, err := dns.NewRR(text)
			if err != nil {
				panic(err)
			}
			if rr.Header().Name == q.Question[0].Name {
				a.Answer = append(a.Answer, rr)
			}
		}
		if len(a.Answer) == 0 && a.Rcode == dns.RcodeSuccess {
			a.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(a)
	})}
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	return conn.LocalAddr().String(), asked
}

func TestDiscovery(t *testing.T) {
	addr, asked := zone(t,
		`fi.eb.v2.cs.testing.oots.example. 300 IN NAPTR 100 20 "U" "" "!.*!https://second.example/eb/!" .`,
		`fi.eb.v2.cs.testing.oots.example. 300 IN NAPTR 100 10 "U" "" "!.*!https://cs.demo.example/eb!" .`,
		`fi.eb.v2.cs.testing.oots.example. 300 IN NAPTR 50 1 "S" "" "" _x._tcp.example.`,
		`el.dsd.v1.cs.testing.oots.example. 300 IN NAPTR 100 10 "U" "" "!^(.*)$!https://evil.example/\\1!" .`,
		`de.eb.v2.cs.testing.oots.example. 300 IN NAPTR 100 10 "U" "" "!.*!file:///etc/passwd!" .`,
	)
	now := noon
	n := NAPTR{Server: addr, Environment: "testing", Zone: "oots.example", Now: func() time.Time { return now }}
	ctx := context.Background()

	base, err := n.Locate(ctx, "FI", EvidenceBroker, 2)
	if err != nil || base.String() != "https://cs.demo.example/eb/" {
		t.Fatalf("got %v, %v; want the record of the lowest preference", base, err)
	}
	before := asked.Load()
	if _, err := n.Locate(ctx, "FI", EvidenceBroker, 2); err != nil || asked.Load() != before {
		t.Error("an answer within its time to live is asked again")
	}
	now = now.Add(301 * time.Second)
	if _, err := n.Locate(ctx, "FI", EvidenceBroker, 2); err != nil || asked.Load() != before+1 {
		t.Error("an answer past its time to live is not asked again")
	}

	if _, err := n.Locate(ctx, "SE", EvidenceBroker, 2); !errors.Is(err, ErrNoRecord) {
		t.Errorf("an unknown name gives %v, want ErrNoRecord", err)
	}
	if _, err := n.Locate(ctx, "XX", EvidenceBroker, 2); err == nil || errors.Is(err, ErrNoRecord) {
		t.Errorf("a failing server gives %v, want a failure that may be tried again", err)
	}
	for _, country := range []string{"EL", "DE"} {
		service, major := DataServiceDirectory, 1
		if country == "DE" {
			service, major = EvidenceBroker, 2
		}
		if base, err := n.Locate(ctx, country, service, major); err == nil {
			t.Errorf("%s: a record outside the allowed shape gives %s", country, base)
		}
	}
}

func TestStatic(t *testing.T) {
	s := Static{"*/eb": "https://all.example/eb", "FI/eb": "https://fi.example/eb/"}
	for country, want := range map[string]string{"FI": "https://fi.example/eb/", "PT": "https://all.example/eb/"} {
		if base, err := s.Locate(context.Background(), country, EvidenceBroker, 2); err != nil || base.String() != want {
			t.Errorf("%s: got %v, %v; want %s", country, base, err, want)
		}
	}
	if _, err := s.Locate(context.Background(), "FI", DataServiceDirectory, 2); !errors.Is(err, ErrNoRecord) {
		t.Errorf("got %v, want ErrNoRecord", err)
	}
}
