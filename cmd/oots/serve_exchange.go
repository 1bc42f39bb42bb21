package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/exchange/dataservice"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/web"
)

// exchangeConfig is the part of a node's configuration file that makes it more
// than an access point: country, and at least one of [requester] and [provider].
// docs/operations.md shows a whole file.
type exchangeConfig struct {
	Country   string           `toml:"country"`
	Lines     []edm.Line       `toml:"lines"` // oots-edm:v2.0 and v1.2 when empty
	Directory directoryConfig  `toml:"directory"`
	Requester *requesterConfig `toml:"requester"`
	Provider  *providerConfig  `toml:"provider"`
	Testing   *testingConfig   `toml:"testing"`
}

type directoryConfig struct {
	EB          string  `toml:"eb"`
	DSD         string  `toml:"dsd"`
	NAPTR       string  `toml:"naptr"`       // a DNS server, in place of eb and dsd
	Environment string  `toml:"environment"` // label in the DNS: testing, acc or prod
	Zone        string  `toml:"zone"`        // of the DNS; that of the Commission when empty
	Roots       string  `toml:"roots"`       // who signs the directories' answers
	Line        cs.Line `toml:"line"`
	// Repository is asked for code lists in place of the host that their addresses
	// name, where that cannot be reached.
	Repository string `toml:"repository"`
}

type agentConfig struct {
	ID     string `toml:"id"`
	Scheme string `toml:"scheme"`
	Name   string `toml:"name"`
}

func (a agentConfig) agent(country string) sdg.Agent {
	return sdg.Agent{Identifier: sdg.Identifier{Scheme: a.Scheme, Value: a.ID}, Names: []sdg.Text{{Lang: "EN", Value: a.Name}}, Address: &sdg.Address{AdminUnitLevel1: country}}
}

type requesterConfig struct {
	agentConfig
	Return string `toml:"return"` // https address below which people return
	// The API for portals.
	Addr    string            `toml:"addr"`
	TLS     string            `toml:"tls"` // key and certificates; empty: behind a proxy that ends TLS
	BaseURL string            `toml:"base_url"`
	Portals map[string]string `toml:"portals"` // name: SHA-256 of its bearer token
}

type providerConfig struct {
	Preview  string `toml:"preview"` // public https address of the preview space
	Addr     string `toml:"addr"`
	TLS      string `toml:"tls"`
	Name     string `toml:"name"`
	Contact  string `toml:"contact"`
	Identity struct {
		Issuer string `toml:"issuer"`
		ID     string `toml:"client_id"`
		Secret string `toml:"client_secret"`
	} `toml:"identity"`
	Services []serviceConfig `toml:"service"`
}

type serviceConfig struct {
	agentConfig
	Types []typeConfig `toml:"type"`
}

// typeConfig is an evidence type with exactly one register.
type typeConfig struct {
	Classification string               `toml:"classification"`
	Level          string               `toml:"level"`
	Procedures     []string             `toml:"procedures"`
	Folder         string               `toml:"folder"`
	Backend        *dataservice.Backend `toml:"backend"`
	Callback       *struct {
		URL    string `toml:"url"`
		Secret string `toml:"secret"`
	} `toml:"callback"`
}

func (t typeConfig) register(dir string) (exchange.DataService, error) {
	var all []exchange.DataService
	if t.Folder != "" {
		all = append(all, dataservice.Folder{Dir: below(dir, t.Folder)})
	}
	if t.Backend != nil {
		if err := t.Backend.Check(); err != nil {
			return nil, err
		}
		all = append(all, t.Backend)
	}
	if t.Callback != nil {
		all = append(all, dataservice.Callback{URL: t.Callback.URL, Secret: t.Callback.Secret})
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("the evidence type %s has %d registers; give it one of folder, backend, callback", t.Classification, len(all))
	}
	return all[0], nil
}

func below(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// exchanging is a node that exchanges evidence, with its two doors for people
// and portals.
type exchanging struct {
	*exchange.Node
	hooks *web.NodeHooks
	doors []door
	under *under // nil for a node that no platform tests
}

// door is an address for people or portals; tls is empty behind a proxy.
type door struct {
	what, addr, tls string
	handler         http.Handler
}

// exchanging makes the node behind the access point; nil when the file has no
// country.
func (c *nodeConfig) exchanging(dir, folder string, db *store.DB, log *slog.Logger) (*exchanging, error) {
	if c.Country == "" {
		if c.Requester != nil || c.Provider != nil {
			return nil, errors.New("the configuration has [requester] or [provider] and no country")
		}
		if c.Testing != nil {
			return nil, errors.New("the configuration has [testing] and no country: there is nothing that a test platform could order")
		}
		return nil, nil
	}
	mode, err := as4.ReadPMode(c.PMode)
	if err != nil {
		return nil, err
	}
	key, err := exchange.LoadKey(c.Keys)
	if err != nil {
		return nil, fmt.Errorf("the key that seals personal data: %w", err)
	}
	x := &exchanging{}
	if x.under, err = c.testing(dir, log); err != nil {
		return nil, err
	}
	config := exchange.Config{Country: c.Country, Party: mode.Self.ID, Domain: c.Domain, Key: key, Store: db.Exchange(),
		Files: as4.Folder(filepath.Join(folder, "evidence")), Logger: log}
	if c.Requester != nil {
		// The webhooks' key follows from the sealing key, under a name of its own.
		seed := sha256.Sum256(append([]byte("oots webhooks of a node\n"), key...))
		if x.hooks, err = web.NewNodeHooks(web.NodeHooksConfig{Store: config.Store, Key: ed25519.NewKeyFromSeed(seed[:]), Log: log}); err != nil {
			return nil, err
		}
		if config.Requester, err = c.requester(dir, x, log); err != nil {
			return nil, err
		}
	}
	if c.Provider != nil {
		if config.Provider, err = c.provider(dir); err != nil {
			return nil, err
		}
	}
	if x.under != nil {
		x.under.fit(&config)
	}
	if x.Node, err = exchange.New(config); err != nil {
		return nil, err
	}
	return x, x.open(c, dir, log)
}

func (c *nodeConfig) requester(dir string, x *exchanging, log *slog.Logger) (*exchange.RequesterConfig, error) {
	roots, err := readPool(below(dir, c.Directory.Roots))
	if err != nil {
		return nil, fmt.Errorf("directory.roots: %w", err)
	}
	config, err := c.minTLS()
	if err != nil {
		return nil, err
	}
	if c.TLS.Roots != "" {
		if config.RootCAs, err = readPool(c.TLS.Roots); err != nil {
			return nil, err
		}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, TLSClientConfig: config, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second}
	newClient := func() (*cs.Client, error) {
		var locator cs.Locator = cs.Static{"*/eb": c.Directory.EB, "*/dsd": c.Directory.DSD}
		if c.Directory.NAPTR != "" {
			locator = &cs.NAPTR{Server: c.Directory.NAPTR, Environment: c.Directory.Environment, Zone: c.Directory.Zone}
		}
		config := cs.ClientConfig{Locator: locator, Verifier: &cs.Verifier{Roots: roots}, Line: c.Directory.Line, Repository: c.Directory.Repository, Log: log, Transport: transport}
		if x.under != nil {
			x.under.quick(&config)
		}
		return cs.NewClient(config)
	}
	var directory exchange.Directory
	if x.under != nil {
		directory, err = x.under.directories(newClient)
	} else {
		var client *cs.Client
		client, err = newClient()
		directory = network.Directory(client)
	}
	if err != nil {
		return nil, err
	}
	return &exchange.RequesterConfig{Agent: c.Requester.agent(c.Country), Directory: directory, Lines: c.Lines, ReturnBase: c.Requester.Return, Changed: x.hooks.Changed}, nil
}

func (c *nodeConfig) provider(dir string) (*exchange.ProviderConfig, error) {
	p := &exchange.ProviderConfig{Lines: c.Lines, PreviewText: []sdg.Text{{Lang: "EN", Value: "Look at the documents and decide whether they are sent."}}}
	if c.Provider.Preview != "" {
		p.PreviewBase = strings.TrimSuffix(c.Provider.Preview, "/") + "/preview/"
	}
	for _, s := range c.Provider.Services {
		service := exchange.Service{Provider: s.agent(c.Country)}
		for _, t := range s.Types {
			register, err := t.register(dir)
			if err != nil {
				return nil, err
			}
			service.Types = append(service.Types, exchange.ServedType{Classification: t.Classification, Procedures: t.Procedures, LevelOfAssurance: t.Level, Data: register})
		}
		p.Services = append(p.Services, service)
	}
	return p, nil
}

// open makes the API for portals and the preview space.
func (x *exchanging) open(c *nodeConfig, dir string, log *slog.Logger) error {
	if r := c.Requester; r != nil && r.Addr != "" {
		portals := map[string]string{} // by the digest of the token
		for name, digest := range r.Portals {
			portals[strings.ToLower(digest)] = name
		}
		api, err := web.NewNodeAPI(web.NodeAPIConfig{Requester: x.Requester, Store: x.Store, Portals: portals, Hooks: x.hooks, BaseURL: r.BaseURL, Log: log})
		if err != nil {
			return err
		}
		x.doors = append(x.doors, door{"portal API", r.Addr, below(dir, r.TLS), api})
	}
	p := c.Provider
	if p == nil || p.Preview == "" {
		return nil
	}
	if u, err := url.Parse(p.Preview); err != nil || u.Scheme != "https" {
		return fmt.Errorf("provider.preview is %q; messages may name https addresses alone (TDD 4.9)", p.Preview)
	}
	who, err := web.NewOIDCSource(web.OIDCConfig{Issuer: p.Identity.Issuer, ClientID: p.Identity.ID, ClientSecret: p.Identity.Secret})
	if err != nil {
		return fmt.Errorf("provider.identity: %w", err)
	}
	pages, err := web.NewPreview(web.PreviewConfig{BaseURL: strings.TrimSuffix(p.Preview, "/"), Space: x.Provider, Identity: who, Name: p.Name, Country: c.Country, Contact: p.Contact, Log: log})
	x.doors = append(x.doors, door{"preview space", p.Addr, below(dir, p.TLS), pages})
	return err
}

// open listens at the door until ctx ends.
func (d door) open(ctx context.Context, group *errgroup.Group, ready func(address string)) error {
	var config *tls.Config
	scheme := "http://"
	if d.tls != "" {
		id, err := readIdentity(d.tls, "")
		if err != nil {
			return err
		}
		config, scheme = as4.HardenTLS(&tls.Config{Certificates: []tls.Certificate{id.TLS()}}), "https://"
	}
	return listen(ctx, group, d.addr, d.handler, config, func(addr string) { ready(scheme + addr + "/") })
}

// serve opens the doors and works until ctx ends.
func (x *exchanging) serve(ctx context.Context, group *errgroup.Group, ap *as4.AccessPoint, log *slog.Logger, ready func(what, address string)) error {
	for _, d := range x.doors {
		if err := d.open(ctx, group, func(address string) { ready(d.what, address) }); err != nil {
			return err
		}
	}
	if x.under != nil {
		if err := x.under.open(ctx, group, x.Node, ap, ready); err != nil {
			return err
		}
	}
	group.Go(func() error { return x.Run(ctx) })
	if x.hooks != nil {
		group.Go(func() error { return x.hooks.Run(ctx) })
	}
	group.Go(func() error { return x.purge(ctx, log) })
	return nil
}

// purge drops entries of the exchange log whose time is over, once a day.
func (x *exchanging) purge(ctx context.Context, log *slog.Logger) error {
	for {
		if _, err := x.Log.Purge(ctx); err != nil && ctx.Err() == nil {
			log.Error("the exchange log was not purged", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(24 * time.Hour):
		}
	}
}
