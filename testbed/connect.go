package testbed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/testbed/partner"
)

// Connection is how the platform and a system under test reach each other over
// the network.
type Connection struct {
	Catalogue *Catalogue
	Target    Target // with Peer, and Driver where it can be driven
	// Own are the platform's certificates, Name its party id. Listen is where its
	// access point and directories stand (host:port), URL how others reach them;
	// "" is http on Listen, which must then be a loopback address.
	Own    *pki.Party
	Name   string
	Listen string
	URL    string
	TLS    *tls.Config // trusts the target's TLS certificate; nil: the system's roots
	Line   string
	Scale  float64
	// Clock is the platform's, for a target in this process that lives by it;
	// nil: the machine's.
	Clock *partner.Clock
	// Names is where the platform's DNS server stands, which leads to its
	// directories (host:port); empty for none.
	Names string
	// Signer signs the answers of its directories, under the last certificate of
	// its chain; made when nil.
	Signer *pki.Identity
	// Patience bounds every single wait; 0 means 30 s.
	Patience time.Duration
	NewID    func() string
}

// Connect starts the platform's own side and gives the runner for a system
// somewhere else. It ends with the runner's Close, or with ctx.
func Connect(ctx context.Context, c Connection) (*Runner, error) {
	if c.Own == nil || c.Own.Sign == nil || c.Own.Encrypt == nil {
		return nil, errors.New("testbed: the platform needs certificates of its own (oots keys init)")
	}
	if c.NewID == nil {
		c.NewID = as4.NewUUID
	}
	if c.Patience == 0 {
		c.Patience = 30 * time.Second
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	secure := strings.HasPrefix(c.URL, "https://")
	if c.URL == "" {
		c.URL = "http://" + listener.Addr().String()
	}
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" {
		listener.Close()
		return nil, fmt.Errorf("testbed: %q is no address of the platform", c.URL)
	}
	root := strings.TrimSuffix(c.URL, "/") + "/"
	client := as4.NewClient(c.TLS)
	client.Timeout = c.Patience
	clock := c.Clock
	if clock == nil {
		clock = &partner.Clock{}
	}
	party := partner.PartyConfig{Name: c.Name, Host: root + "as4", Keys: c.Own, HTTP: client, Clock: clock, NewID: c.NewID}
	if c.Target.Peer.URL != "" {
		party.Peers = []partner.Peer{c.Target.Peer}
	}
	me, err := partner.NewParty(party)
	if err != nil {
		listener.Close()
		return nil, err
	}
	directories, err := partner.NewDirectories(root, withProcedure(platformSet(c.Target.data("directory-client"), me.Peer(), c.Line), &c.Target), clock.Now)
	if err != nil {
		listener.Close()
		return nil, err
	}
	if c.Signer != nil {
		if err := directories.SignWith(c.Signer); err != nil {
			listener.Close()
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/as4", me)
	mux.Handle("/", directories)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10}
	if secure {
		if c.Own.TLS == nil {
			listener.Close()
			return nil, errors.New("testbed: the platform has no TLS certificate for its https address")
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{c.Own.TLS.TLS()}, MinVersion: tls.VersionTLS12})
	}
	go func() { _ = server.Serve(listener) }() // ends with the server
	stop := context.AfterFunc(ctx, func() { server.Close() })
	end := func() error { return finish(server) }
	if c.Target.Browser == nil {
		browser := *client
		c.Target.Browser = &browser
	}
	platform := &partner.Platform{Party: me, Directories: directories}
	if c.Names != "" {
		if platform.Names, err = partner.NewNames(c.Names, directories.Base); err != nil {
			server.Close()
			return nil, err
		}
		end = func() error { return errors.Join(finish(server), platform.Names.Close()) }
	}
	return &Runner{End: func() error { stop(); return end() }, Catalogue: c.Catalogue, Target: c.Target, Line: c.Line, Platform: platform,
		Clock: clock, Scale: c.Scale, Patience: c.Patience, NewID: c.NewID}, nil
}

// lastAnswers is how long what comes in while the platform ends may take.
const lastAnswers = 2 * time.Second

// finish ends a server when it has answered what it is receiving: a message whose
// receipt were cut off would be sent again, to whoever listens there next.
func finish(server *http.Server) error {
	ctx, stop := context.WithTimeout(context.Background(), lastAnswers)
	defer stop()
	if server.Shutdown(ctx) == nil {
		return nil
	}
	return server.Close()
}

// withProcedure lets the target's country have the procedure that the platform's
// offer is for, as a country whose portal asks has.
func withProcedure(set *cs.DataSet, t *Target) *cs.DataSet {
	d := t.data("directory-client")
	if t.Country == "" {
		return set
	}
	own := set.Contributions[t.Country]
	if own == nil {
		own = &cs.Contribution{Country: t.Country}
	}
	if slices.ContainsFunc(own.Frameworks, func(f cs.ReferenceFramework) bool {
		return slices.Contains(f.Procedures, d.Procedure) && slices.Contains(f.Requirements, d.Requirement.ID)
	}) {
		return set
	}
	part := *own
	part.Frameworks = append(slices.Clone(part.Frameworks), partner.SandboxPart(t.Country, sdg.Identifier{}).Frameworks...)
	return set.With(&part)
}
