package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/projectathon/watch"
)

// watchConfig is the part [watch] of the file of the public site: whom the
// platform looks at, and where. Paths are relative to the file.
type watchConfig struct {
	Every        duration           `toml:"every"`     // between two looks at a country; a day
	Countries    []string           `toml:"countries"` // none: every country that has said something about itself
	Private      bool               `toml:"private"`   // may links lead to private addresses?
	Roots        string             `toml:"roots"`     // certificates of links; the system's
	Environments []watchEnvironment `toml:"environment"`
}

type watchEnvironment struct {
	Code  ledger.Environment `toml:"code"`
	EB    string             `toml:"eb"`
	DSD   string             `toml:"dsd"`
	NAPTR string             `toml:"naptr"` // a DNS server, in place of eb and dsd
	Zone  string             `toml:"zone"`  // of the DNS names; that of the Commission
	Roots string             `toml:"roots"` // who signs the directories' answers
	TLS   string             `toml:"tls"`   // certificates of the directories' servers; the system's
	Line  cs.Line            `toml:"line"`
	Node  string             `toml:"node"` // a node's file: its access point sends the test messages
}

// duration reads "24h".
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(text []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(text))
	return err
}

// watcher is the watcher of a file; nil when it names no environment.
func (c *watchConfig) watcher(dir string, l watch.Ledger, seed string, sample bool, log *slog.Logger) (*watch.Watcher, error) {
	if len(c.Environments) == 0 {
		return nil, nil
	}
	config := watch.Config{Ledger: l, Countries: c.Countries, Every: c.Every.Duration, Seed: seed, Private: c.Private, Sample: sample, Log: log}
	for _, cc := range c.Countries {
		if why := ledger.CountryError(cc); why != "" {
			return nil, fmt.Errorf("watch.countries: %s", why)
		}
	}
	if c.Roots != "" {
		pool, err := readPool(below(dir, c.Roots))
		if err != nil {
			return nil, fmt.Errorf("watch.roots: %w", err)
		}
		config.Links = &tls.Config{RootCAs: pool}
	}
	for i := range c.Environments {
		e, err := c.Environments[i].open(dir)
		if err != nil {
			return nil, fmt.Errorf("watch.environment %s: %w", c.Environments[i].Code, err)
		}
		config.Environments = append(config.Environments, *e)
	}
	return watch.New(config)
}

func (c *watchEnvironment) open(dir string) (*watch.Environment, error) {
	e := &watch.Environment{Code: c.Code, Line: c.Line}
	switch {
	case c.NAPTR != "" && (c.EB != "" || c.DSD != ""):
		return nil, errors.New("give naptr, or eb and dsd, not both")
	case c.NAPTR != "":
		for label, code := range labels {
			if code == c.Code {
				e.Locator = &cs.NAPTR{Server: c.NAPTR, Environment: label, Zone: c.Zone}
			}
		}
		if e.Locator == nil {
			return nil, errors.New("the DNS has names for testing, acceptance and production alone; give eb and dsd")
		}
	case c.EB == "" || c.DSD == "":
		return nil, errors.New("say where the directories are: eb and dsd, or naptr")
	default:
		e.Locator = cs.Static{"*/eb": c.EB, "*/dsd": c.DSD}
	}
	var err error
	if c.Roots == "" {
		return nil, errors.New("roots is missing: a file with the certificates that the directories' answers are signed under")
	}
	if e.Roots, err = readPool(below(dir, c.Roots)); err != nil {
		return nil, err
	}
	config := as4.HardenTLS(nil)
	if c.TLS != "" {
		if e.TLS, err = readPool(below(dir, c.TLS)); err != nil {
			return nil, err
		}
		config.RootCAs = e.TLS
	}
	e.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, TLSClientConfig: config, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 20 * time.Second, MaxResponseHeaderBytes: 128 << 10}
	if c.Node != "" {
		if e.Ping, err = pinger(below(dir, c.Node)); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// pinger sends test messages from the access point of a node's file to the
// partner whose short name is the country's code.
func pinger(file string) (func(ctx context.Context, country string) error, error) {
	config, err := readNodeConfig(file)
	if err != nil {
		return nil, err
	}
	memory := &as4.Memory{}
	ap, _, err := config.accessPoint(memory, memory, "", refuseAll{}, nil, nil)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, country string) error {
		partner := ap.PMode.Named(strings.ToLower(country))
		if partner == nil {
			return fmt.Errorf("%w: the P-Mode of %s has no partner called %s", watch.ErrUntried, filepath.Base(file), strings.ToLower(country))
		}
		answer, err := ap.Ping(ctx, partner, ap.PMode.Self.ID.Value, partner.ID.Value)
		if err == nil && answer.Code != "" {
			err = fmt.Errorf("%s %s", answer.Code, answer.Detail)
		}
		return err
	}, nil
}
