package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/validator"
)

// Plan says what a network is made of. Its zero value is one of eight countries
// that is thrown away when it stops.
type Plan struct {
	// States is how many countries take part, in the order of seed.Countries; 0
	// means 8. Countries, where given, names them instead.
	States    int
	Countries []string
	// Members tells what is different about a country, by its code.
	Members map[string]Member
	// Data is a folder for the stores of the nodes; empty: a temporary one that
	// Stop removes. Keys and certificates are new at every start.
	Data string
	// Fresh is how long requesters keep answers of the directories; 0 means an
	// hour.
	Fresh time.Duration
	// Record hears every message that was delivered; it is called by several
	// nodes at once. Optional.
	Record func(Crossing)
	Judge  *validator.Validator // of messages; made when nil, which takes a moment
	Now    func() time.Time     // optional; time.Now
	Log    *slog.Logger         // optional; discards
}

// Member is a country that is not like the others.
type Member struct {
	Lines       []edm.Line // announced and spoken; none: those of the seed
	NoRequester bool       // it has no portal yet
	NoProvider  bool       // it has no register yet
	Lacks       []string   // codes of components that it has not built yet
	// Register stands between the provider and each of its registers, for faults
	// that a base register may have. Optional.
	Register func(exchange.DataService) exchange.DataService
	// Unreachable takes its access point off the network, as Node.Down does.
	Unreachable bool
	// Outgoing stands between the node and its access point, and Lookups between
	// the node and the Common Services: for what a test bench must send or show
	// that no honest node would. Optional.
	Outgoing func(exchange.AccessPoint) exchange.AccessPoint
	Lookups  func(http.RoundTripper) http.RoundTripper
}

// Network is a running one. Stop ends it.
type Network struct {
	CA *pki.CA
	// Acceptance is the environment of tests and events, Production the one that
	// counts: it begins without any country's data.
	Acceptance, Production *Environment
	// DNS is the server, host:port, where the directories are found by name.
	DNS string
	// Lifecycle is that of Acceptance.
	Lifecycle *lcm.LifecycleManager
	// Nodes by country, in the order of the plan in Countries.
	Nodes     map[string]*Node
	Countries []string
	// Services and Pages are those of Acceptance.
	Services, Pages string
	// Portal is the procedure portal for browsers, without a final slash; empty
	// when no country of the network runs a procedure of it.
	Portal string

	plan    Plan
	outside *Outside // of a node that is alone; nil in a whole network
	roots   *x509.CertPool
	judge   *validator.Validator
	models  []*exchange.Model
	folder  string
	group   *errgroup.Group
	cancel  context.CancelFunc
}

// Start brings up everything and returns when every address answers. It ends
// with ctx or Stop; Stop must be called in either case.
func Start(ctx context.Context, p Plan) (*Network, error) {
	if err := p.complete(); err != nil {
		return nil, err
	}
	n := &Network{plan: p, Nodes: map[string]*Node{}, Countries: p.Countries, judge: p.Judge, models: Models(), folder: p.Data}
	if p.Data == "" {
		dir, err := os.MkdirTemp("", "oots-network-")
		if err != nil {
			return nil, err
		}
		n.folder = dir
	}
	ctx, n.cancel = context.WithCancel(ctx)
	n.group, ctx = errgroup.WithContext(ctx)
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(err, n.Stop())
	}
	return n, nil
}

// complete fills in what the plan leaves open.
func (p *Plan) complete() error {
	known := seed.Countries()
	if len(p.Countries) == 0 {
		if p.States == 0 {
			p.States = 8
		}
		if p.States < 1 || p.States > len(known) {
			return fmt.Errorf("network: %d states; there are %d", p.States, len(known))
		}
		for _, c := range known[:p.States] {
			p.Countries = append(p.Countries, c.Code)
		}
	}
	for _, cc := range slices.Concat(p.Countries, slices.Collect(maps.Keys(p.Members))) {
		if !slices.ContainsFunc(known, func(c seed.Country) bool { return c.Code == cc }) {
			return fmt.Errorf("network: %q is no country of the network; Greece is EL", cc)
		}
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Judge == nil {
		p.Judge = validator.New(validator.Config{})
	}
	return nil
}

func (n *Network) start(ctx context.Context) (err error) {
	if n.CA, err = pki.NewCA(pki.CAConfig{Name: "OOTS demonstration CA", Now: n.plan.Now}); err != nil {
		return err
	}
	n.roots = x509.NewCertPool()
	n.roots.AddCert(n.CA.Cert())
	for _, open := range []func(context.Context) error{n.openAcceptance, n.openProduction, n.openZone} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	var made errgroup.Group
	for _, e := range n.environments() {
		made.Go(func() error { return e.prepareRegistry(ctx) })
	}
	nodes := make([]*Node, len(n.Countries))
	for i, cc := range n.Countries {
		made.Go(func() (err error) {
			nodes[i], err = n.prepare(ctx, cc)
			return err
		})
	}
	err = made.Wait()
	for i, cc := range n.Countries {
		if nodes[i] != nil {
			n.Nodes[cc] = nodes[i]
		}
	}
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if err := node.open(ctx); err != nil {
			return fmt.Errorf("network: node %s: %w", node.Country, err)
		}
	}
	for _, e := range n.environments() {
		if err := e.openRegistry(ctx); err != nil {
			return err
		}
	}
	return n.openPages(ctx)
}

// dataSet is the seed as this plan changes it.
func (n *Network) dataSet() *cs.DataSet {
	d := seed.Network(n.Countries...)
	for cc, m := range n.plan.Members {
		part := *d.Contributions[cc]
		if len(m.Lines) > 0 {
			part.AccessServices = slices.Clone(part.AccessServices)
			for i := range part.AccessServices {
				part.AccessServices[i].ConformsTo = names(m.Lines)
			}
		}
		if m.NoProvider {
			part.Records, part.Providers, part.AccessServices = nil, nil, nil
		}
		d.Contributions[cc] = &part
	}
	return d
}

func names(lines []edm.Line) (all []string) {
	for _, l := range lines {
		all = append(all, string(l))
	}
	return all
}

// listen serves h on a loopback port until ctx ends, with TLS when there is an
// identity for it, and returns the address without a final slash.
func (n *Network) listen(ctx context.Context, h http.Handler, id *pki.Identity) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address = "http://" + l.Addr().String()
	if id != nil {
		address = "https://" + l.Addr().String()
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{id.TLS()}, MinVersion: tls.VersionTLS12})
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(n.plan.Log.Handler(), slog.LevelDebug)}
	n.group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	n.group.Go(func() error {
		<-ctx.Done()
		grace, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		if server.Shutdown(grace) != nil {
			return server.Close()
		}
		return nil
	})
	return address, nil
}

// listenTwice gives a site its two addresses.
func (n *Network) listenTwice(ctx context.Context, s *site, id *pki.Identity) (err error) {
	if s.Wire, err = n.listen(ctx, &s.mux, id); err != nil {
		return err
	}
	s.Page, err = n.listen(ctx, &s.mux, nil)
	return err
}

// Stop ends every node and server, lets what is under way finish, closes the
// stores and removes a temporary folder.
func (n *Network) Stop() error {
	n.cancel()
	err := n.group.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	for _, node := range n.Nodes {
		err = errors.Join(err, node.close())
	}
	if n.plan.Data == "" {
		err = errors.Join(err, os.RemoveAll(n.folder))
	}
	return err
}

// Node is a country's node, nil when the network has none.
func (n *Network) Node(country string) *Node { return n.Nodes[country] }

func (n *Network) dir(country string, more ...string) string {
	return filepath.Join(append([]string{n.folder, country}, more...)...)
}
