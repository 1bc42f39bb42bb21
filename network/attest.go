package network

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/projectathon/watch"
)

// Attester speaks for a node's country about what it exchanged in an
// environment. Everything in a network is sample data, and dated by the real
// clock, of which the network's may run ahead.
func (node *Node) Attester(e *Environment, realUser bool) exchange.Attester {
	return exchange.Attester{Party: "team:" + node.Country + "/node", Environment: e.Code, Identity: node.party.Sign, RealUser: realUser, Sample: true, Of: e.Publishes,
		Ahead: node.network.ahead()}
}

// ahead is how far the network's clock runs ahead of the real one.
func (n *Network) ahead() time.Duration { return time.Until(n.plan.Now()).Round(time.Second) }

// Witness knows whose certificates the nodes sign with.
func (n *Network) Witness() exchange.Witness {
	known := map[string][]*x509.Certificate{}
	for cc, node := range n.Nodes {
		known[cc] = []*x509.Certificate{node.party.Sign.Cert()}
	}
	return exchange.Witness{SpeaksFor: exchange.Speakers(known)}
}

// Attest lets both sides of an exchange attest its end, each from its own log,
// and gives the facts when a witness takes them.
func (n *Network) Attest(ctx context.Context, e *Environment, asker *Node, id string, realUser bool) ([]ledger.Fact, error) {
	x, err := asker.Requester.Exchange(ctx, id)
	if err != nil {
		return nil, err
	}
	answerer := n.Nodes[x.Country]
	if answerer == nil {
		return nil, fmt.Errorf("network: %s has no node here", x.Country)
	}
	request := x.Requests[len(x.Requests)-1]
	var said [2]*exchange.Attestation
	ahead := n.ahead()
	for i, node := range []*Node{asker, answerer} {
		a := node.Attester(e, realUser)
		a.Ahead = ahead
		if said[i], err = node.Log.Attest(ctx, a, request); err != nil {
			return nil, fmt.Errorf("network: %s does not attest: %w", node.Country, err)
		}
	}
	return n.Witness().Exchange(said[0], said[1])
}

// Watched is the environment as the platform watches it: from outside, over the
// network.
func (e *Environment) Watched() watch.Environment {
	n := e.network
	return watch.Environment{Code: e.Code, Locator: e.naptr(), Roots: e.Roots, Transport: n.transport(), TLS: n.roots, Repository: e.Services, Ping: e.ping, Now: n.plan.Now}
}

// Roots are those of every server's certificate in the network.
func (n *Network) Roots() *x509.CertPool { return n.roots }

// ping sends a test message from the access point of the Common Services to a
// country's, and one back.
func (e *Environment) ping(ctx context.Context, country string) error {
	node := e.network.Nodes[country]
	if node == nil {
		return fmt.Errorf("network: %s has no node here", country)
	}
	for _, way := range []struct {
		from *as4.AccessPoint
		to   ebms.PartyID
	}{{e.registry.ap, PartyOf(country)}, {node.AP, e.registry.id}} {
		at := slices.IndexFunc(way.from.PMode.Partners, func(p *as4.Partner) bool { return p.ID == way.to })
		if at < 0 {
			return fmt.Errorf("network: %s is no partner", way.to.Value)
		}
		answer, err := way.from.Ping(ctx, way.from.PMode.Partners[at], way.from.PMode.Self.ID.Value, way.to.Value)
		if err != nil {
			return err
		}
		if answer.Code != "" {
			return errors.New(string(answer.Code) + ": " + answer.Detail)
		}
	}
	return nil
}
