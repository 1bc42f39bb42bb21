// Package conformance puts a node of a network to the test: alone with the test
// platform, in the environment testing, on a clock that the cases move. Nothing
// waits, and what a case finds is what a partner would have met.
package conformance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/orders"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
)

// Config says which node is tested, and with what.
type Config struct {
	Country   string
	Member    network.Member // what is different about it
	Catalogue *testbed.Catalogue
	Keys      *partner.Keys        // of testbed.PlatformName; made when nil, which takes a moment
	Judge     *validator.Validator // made when nil; share one
	Line      string               // oots-edm:v2.0 when empty
	Version   string               // of the node's components
	Start     time.Time            // of the clock; now when zero
}

// Open starts the node and the platform around it. The runner's Close ends both.
func Open(ctx context.Context, c Config) (*testbed.Runner, error) {
	if c.Start.IsZero() {
		c.Start = time.Now()
	}
	if c.Judge == nil {
		c.Judge = validator.New(validator.Config{})
	}
	clock := partner.NewClock(c.Start.UTC().Truncate(time.Millisecond))
	if c.Keys == nil {
		var err error
		if c.Keys, err = partner.NewKeys(clock.Now, testbed.PlatformName); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	n, node, err := network.Alone(ctx, network.Plan{Countries: []string{c.Country}, Members: map[string]network.Member{c.Country: c.Member}, Judge: c.Judge, Now: clock.Now})
	if err != nil {
		cancel()
		return nil, err
	}
	r, err := join(ctx, c, clock, n, node)
	end := func() error { cancel(); return n.Stop() }
	if err != nil {
		return nil, errors.Join(err, end())
	}
	platform := r.End
	r.End = func() error { return errors.Join(platform(), end()) }
	return r, nil
}

// join connects the platform with the node and the node with the platform.
func join(ctx context.Context, c Config, clock *partner.Clock, n *network.Network, node *network.Node) (*testbed.Runner, error) {
	asks := partner.DefaultData()
	r, err := testbed.Connect(ctx, testbed.Connection{Catalogue: c.Catalogue, Own: c.Keys.Parties[testbed.PlatformName], Name: testbed.PlatformName, Listen: "127.0.0.1:0",
		TLS: &tls.Config{RootCAs: n.Roots(), MinVersion: tls.VersionTLS12}, Line: c.Line, Clock: clock, Names: "127.0.0.1:0",
		Target: testbed.Target{Name: Name(c.Country), Country: c.Country, Version: c.Version, Mode: "automated", Peer: node.Peer(), Data: partner.Sandbox(c.Country), Asks: &asks}})
	if err != nil {
		return nil, err
	}
	r.Judge = c.Judge
	platform, err := network.PlatformPartner(r.Platform.Peer())
	if err != nil {
		return nil, err
	}
	directories, err := orders.NewDirectories(func() (*cs.Client, error) { return client(r, clock) })
	if err != nil {
		return nil, err
	}
	if err := node.Join(ctx, network.Outside{Platform: platform, Directory: directories}); err != nil {
		return nil, err
	}
	if node.Requester != nil {
		asks.Requester = node.Requester.Agent()
	}
	under := &orders.Node{Exchange: node.Node, AP: node.AP, Stop: node.Down, Cut: func(cut bool) { node.Cut(cutting(cut)) }}
	if node.Requester != nil {
		under.Directories = directories
	}
	if part := n.Lifecycle.Part(c.Country); part != nil {
		under.Metadata, under.Submit = &partner.Metadata{Part: part}, node.SubmitOutside
	}
	for _, line := range node.Speaks() {
		r.Target.Lines = append(r.Target.Lines, string(line))
	}
	r.Target.Roles, r.Target.Driver, r.Target.Settle = testbed.RolesOf(c.Member.Components()), under, under.Settle
	return r, nil
}

func cutting(cut bool) error {
	if cut {
		return errors.New("cut by the test platform")
	}
	return nil
}

// client of the platform's directories, which are found by the DNS.
func client(r *testbed.Runner, clock *partner.Clock) (*cs.Client, error) {
	d := r.Platform.Directories
	roots := x509.NewCertPool()
	roots.AddCert(d.Root)
	return cs.NewClient(cs.ClientConfig{Verifier: &cs.Verifier{Roots: roots, Now: clock.Now}, Repository: d.Base, Retries: -1, Now: clock.Now,
		Locator:   &cs.NAPTR{Server: r.Platform.Names.Address, Zone: r.Platform.Names.Zone, Environment: "testing", Timeout: 2 * time.Second, Now: clock.Now},
		Transport: &http.Transport{DisableCompression: true}})
}

// Name is that of a country's system.
func Name(country string) string { return country + "_node" }
