package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/orders"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/testbed/partner"
)

// testingConfig opens a node of the environment testing to the orders of a test
// platform. A node of production has none: the door opens where [directory] names
// an environment, and one that is not production.
//
//	[testing]
//	addr = "127.0.0.1:8446"   # where orders are taken, at /orders
//	token = "9f86…"           # SHA-256 of the platform's bearer token
//	scale = 60                # how many times faster the clocks T1 to T3 run
//	sandbox = true            # serve the diplomas of the platform's test persons, submit their metadata
//	platform = "AP_NL_TEST_01" # to whose access point; a partner of the P-Mode
type testingConfig struct {
	Addr     string  `toml:"addr"`
	TLS      string  `toml:"tls"`
	Token    string  `toml:"token"`
	Scale    float64 `toml:"scale"`
	Sandbox  bool    `toml:"sandbox"`
	Platform string  `toml:"platform"`
}

// mostScale is how many times faster clocks may run.
const mostScale = 10_000

// under is a node under test.
type under struct {
	orders.Node
	c           *testingConfig
	tls         string
	token       [32]byte
	log         *slog.Logger
	submissions network.Submissions
}

// testing reads the section, whose paths begin at dir; nil when there is none.
func (c *nodeConfig) testing(dir string, log *slog.Logger) (*under, error) {
	t := c.Testing
	if t == nil {
		return nil, nil
	}
	if e := labels[c.Directory.Environment]; e == "" || e == ledger.ProductionEnv {
		return nil, fmt.Errorf(`[testing] lets a test platform ask in anybody's name: the environment of [directory] must be "testing" or "acc", and is %q`, c.Directory.Environment)
	}
	if t.Scale == 0 {
		t.Scale = 1
	}
	if t.Scale < 1 || t.Scale > mostScale {
		return nil, fmt.Errorf("testing.scale is a number from 1 to %d: how many times faster the clocks run", mostScale)
	}
	u := &under{c: t, tls: below(dir, t.TLS), log: log}
	var err error
	if u.token, err = orders.ParseToken(t.Token); err != nil {
		return nil, errors.Join(errors.New("testing.token"), err)
	}
	return u, nil
}

// directories are what the requester asks, with a memory that can be emptied.
func (u *under) directories(client func() (*cs.Client, error)) (exchange.Directory, error) {
	d, err := orders.NewDirectories(client)
	u.Directories = d
	return d, err
}

// fit changes the configuration of a node to what it is under test.
func (u *under) fit(c *exchange.Config) {
	faster := func(clocks exchange.Clocks) exchange.Clocks {
		by := func(d time.Duration) time.Duration { return time.Duration(float64(d) / u.c.Scale) }
		return exchange.Clocks{T1: by(clocks.T1), T2: by(clocks.T2), T3: by(clocks.T3)}
	}
	if c.Requester != nil {
		c.Requester.Clocks = faster(exchange.RequesterClocks)
	}
	if c.Provider == nil {
		return
	}
	c.Provider.Clocks = faster(exchange.ProviderClocks)
	if u.c.Sandbox {
		d := partner.Sandbox(c.Country)
		c.Provider.Models = append(c.Provider.Models, network.Models()...)
		c.Provider.Services = append(c.Provider.Services, exchange.Service{Provider: d.Provider, Types: []exchange.ServedType{{
			Classification: d.Evidence.Classification, LevelOfAssurance: d.Evidence.LevelOfAssurance, Data: network.Specimens(d, time.Now)}}})
	}
}

// quick are the times of a directory client: as much faster as the clocks are.
func (u *under) quick(c *cs.ClientConfig) {
	c.Fresh, c.Stale = time.Duration(float64(time.Hour)/u.c.Scale), time.Duration(float64(24*time.Hour)/u.c.Scale)
}

// corner is what stands behind the access point: answers to submissions, and
// the exchange of evidence.
type corner struct {
	*exchange.Node
	submissions *network.Submissions
}

// corner of a node: that of its exchange alone, unless a platform tests it.
func (x *exchanging) corner() as4.Handler {
	if x.under == nil {
		return x.Node
	}
	return corner{x.Node, &x.under.submissions}
}

// Deliver is as4.Handler.
func (c corner) Deliver(ctx context.Context, m *as4.Message) error {
	if m.Header.Service.Value == as4.LifecycleMgmt {
		return c.submissions.Deliver(m)
	}
	return c.Node.Deliver(ctx, m)
}

// updates lets the node submit the sandbox's metadata to the platform.
func (u *under) updates() error {
	partners := u.AP.PMode.Partners
	i := slices.IndexFunc(partners, func(p *as4.Partner) bool { return p.ID.Value == u.c.Platform })
	if i < 0 {
		return fmt.Errorf("testing.platform is %q, which is no partner of the P-Mode", u.c.Platform)
	}
	self, country := u.AP.PMode.Self.ID, u.Exchange.Country
	u.Metadata = &partner.Metadata{Part: partner.SandboxPart(country, sdg.Identifier{Scheme: self.Type, Value: self.Value}, "oots-edm:v2.0", "oots-edm:v1.2")}
	u.Submit = func(ctx context.Context, raw []byte) (<-chan []byte, error) {
		return u.submissions.Send(ctx, u.AP, country, partners[i].ID, raw)
	}
	return nil
}

// open takes orders until ctx ends.
func (u *under) open(ctx context.Context, group *errgroup.Group, x *exchange.Node, ap *as4.AccessPoint, ready func(what, address string)) error {
	u.Exchange, u.AP = x, ap
	if u.c.Sandbox && u.c.Platform != "" {
		if err := u.updates(); err != nil {
			return err
		}
	}
	group.Go(func() error { return u.follow(ctx) })
	door := door{"orders of the test platform", u.c.Addr, u.tls, orders.Door(&u.Node, u.token, u.log)}
	return door.open(ctx, group, func(address string) { ready(door.what, address+"orders") })
}

// follow lets the person follow preview links as they come.
func (u *under) follow(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if _, err := u.Follow(ctx); err != nil && ctx.Err() == nil {
			u.log.Error("a preview link was not followed", "err", err)
		}
	}
}
