package network

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/miekg/dns"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
)

// zoneName ends the names of the directories in the network's DNS.
const zoneName = "oots.example"

// openZone serves the NAPTR records of every country, service and environment
// (TDD 3.4): countries share an instance here, and a client that resolves a name
// cannot tell.
func (n *Network) openZone(ctx context.Context) error {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	n.DNS = conn.LocalAddr().String()
	records := map[string]dns.RR{}
	for _, e := range n.environments() {
		names := e.naptr()
		e.Locator = names
		for _, c := range seed.Countries() {
			for _, s := range []cs.Service{cs.EvidenceBroker, cs.DataServiceDirectory} {
				name := names.Name(c.Code, s, 2)
				rr, err := dns.NewRR(fmt.Sprintf(`%s 300 IN NAPTR 100 10 "U" "" "!.*!%s/%s/!" .`, name, e.Services, s))
				if err != nil {
					return err
				}
				records[name] = rr
			}
		}
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg)
		a.SetReply(q)
		if len(q.Question) != 1 || q.Question[0].Qtype != dns.TypeNAPTR {
			a.Rcode = dns.RcodeRefused
		} else if rr := records[strings.ToLower(q.Question[0].Name)]; rr != nil {
			a.Answer = []dns.RR{rr}
		} else {
			a.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(a) // whoever asked may be gone
	})}
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	n.group.Go(server.ActivateAndServe)
	<-started
	n.group.Go(func() error {
		<-ctx.Done()
		return server.Shutdown()
	})
	return nil
}

// naptr resolves the directories of an environment in the network's DNS.
func (e *Environment) naptr() *cs.NAPTR {
	return &cs.NAPTR{Server: e.network.DNS, Environment: e.Label, Zone: zoneName, Now: e.network.plan.Now}
}
