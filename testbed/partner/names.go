package partner

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// Names answers for the DNS names of directories (TDD 3.4), on a loopback
// address.
type Names struct {
	Zone    string
	Address string // of the DNS server, host:port

	base   string
	server *dns.Server
	mu     sync.Mutex
	mode   string
	asked  []string
}

// NameModes are the ways in which the DNS may answer.
var NameModes = []struct{ Name, About string }{
	{"usual", "one record with the address"},
	{"absent", "the name does not exist"},
	{"failing", "the DNS server fails"},
	{"preferred", "two records, the better one last"},
	{"other-flag", "a record that is not terminal beside the right one"},
	{"odd-expression", "a regular expression that is not of the fixed shape"},
	{"moved", "another address than the usual one"},
}

// NewNames starts a DNS server at an address, whose records lead to base.
func NewNames(address, base string) (*Names, error) {
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	n := &Names{Zone: "oots.test.example", Address: conn.LocalAddr().String(), base: base, mode: "usual"}
	ready := make(chan struct{})
	n.server = &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(n.answer), NotifyStartedFunc: func() { close(ready) }}
	go func() { _ = n.server.ActivateAndServe() }() // ends with the server
	<-ready
	return n, nil
}

// Close stops it.
func (n *Names) Close() error { return n.server.Shutdown() }

// Reset begins a new case.
func (n *Names) Reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mode, n.asked = "usual", nil
}

// Behave sets how it answers from now on; false for an unknown way.
func (n *Names) Behave(mode string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mode = mode
	return slices.ContainsFunc(NameModes, func(m struct{ Name, About string }) bool { return m.Name == mode })
}

// Asked are the names asked for so far.
func (n *Names) Asked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.asked)
}

func (n *Names) answer(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	defer func() { _ = w.WriteMsg(m) }()
	if len(q.Question) != 1 || q.Question[0].Qtype != dns.TypeNAPTR {
		return
	}
	name := q.Question[0].Name
	n.mu.Lock()
	mode := n.mode
	if len(n.asked) < 1000 {
		n.asked = append(n.asked, name)
	}
	n.mu.Unlock()
	service := "eb"
	if strings.Contains(name, ".dsd.") {
		service = "dsd"
	}
	record := func(order, preference uint16, flag, expression string) {
		m.Answer = append(m.Answer, &dns.NAPTR{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeNAPTR, Class: dns.ClassINET, Ttl: 60},
			Order: order, Preference: preference, Flags: flag, Regexp: expression, Replacement: "."})
	}
	right := fmt.Sprintf("!.*!%s%s/!", n.base, service)
	wrong := fmt.Sprintf("!.*!%swrong/%s/!", n.base, service)
	switch mode {
	case "absent":
		m.Rcode = dns.RcodeNameError
	case "failing":
		m.Rcode = dns.RcodeServerFailure
	case "preferred":
		record(200, 10, "U", wrong)
		record(100, 20, "U", wrong)
		record(100, 10, "U", right)
	case "other-flag":
		record(10, 10, "S", wrong)
		record(100, 10, "U", right)
	case "odd-expression":
		record(100, 10, "U", "!^(.*)$!"+n.base+`\\1!i`)
	case "moved":
		record(100, 10, "U", fmt.Sprintf("!.*!%smoved/%s/!", n.base, service))
	default:
		record(100, 10, "U", right)
	}
}
