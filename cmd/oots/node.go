package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
)

// nodeConfig is the configuration file of a node. Paths are relative to it.
//
//	addr = "127.0.0.1:8443"       # where partners reach /as4
//	operations = "127.0.0.1:9443" # health and metrics; keep it off the public net
//	domain = "ap.example.fi"      # ends our message ids
//	keys = "AP_FI_01"             # folder with sign.pem, encrypt.pem, tls.pem
//	previous = "AP_FI_01-2025"    # keys before a change: still decrypts with them
//	pmode = "pmode.toml"
//	data = "data"
//
//	[tls]
//	roots = "ca.pem"              # whom to trust as a server; empty: the system
//	min = "1.2"                   # or "1.3"
//	client_certificate = false    # show our certificate to partners that ask
//	clients = "none"              # certificates of clients: none, optional, required
//	client_roots = "clients.pem"  # who may issue them
//
//	[trust]
//	revocation = "soft"           # soft, hard: what to do where nothing is known
//	lists = "crl"                 # folder of revocation lists and OCSP answers
//	issuers = "issuers.pem"       # who signs them
//
//	[network]
//	connections = 256             # at once
//	from = "192.0.2.1"            # our address, as partners expect it
//	private = false               # may partners have private addresses?
type nodeConfig struct {
	exchangeConfig
	Addr       string `toml:"addr"`
	Operations string `toml:"operations"`
	Domain     string `toml:"domain"`
	Keys       string `toml:"keys"`
	Previous   string `toml:"previous"`
	PMode      string `toml:"pmode"`
	Data       string `toml:"data"`
	TLS        struct {
		Roots             string `toml:"roots"`
		Min               string `toml:"min"`
		ClientCertificate bool   `toml:"client_certificate"`
		Clients           string `toml:"clients"`
		ClientRoots       string `toml:"client_roots"`
	} `toml:"tls"`
	Trust struct {
		Revocation string `toml:"revocation"`
		Lists      string `toml:"lists"`
		Issuers    string `toml:"issuers"`
	} `toml:"trust"`
	Network struct {
		Connections int    `toml:"connections"`
		From        string `toml:"from"`
		Private     bool   `toml:"private"`
	} `toml:"network"`
}

func readNodeConfig(file string) (*nodeConfig, error) {
	var c nodeConfig
	meta, err := toml.DecodeFile(file, &c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: the key %q is not known", file, unknown[0])
	}
	for _, need := range []struct{ key, value string }{{"keys", c.Keys}, {"pmode", c.PMode}} {
		if need.value == "" {
			return nil, fmt.Errorf("%s: %s is missing", file, need.key)
		}
	}
	for _, path := range []*string{&c.Keys, &c.Previous, &c.PMode, &c.Data, &c.TLS.Roots, &c.TLS.ClientRoots, &c.Trust.Lists, &c.Trust.Issuers} {
		if *path != "" && !filepath.IsAbs(*path) && !isAddress(*path) {
			*path = filepath.Join(filepath.Dir(file), *path)
		}
	}
	return &c, nil
}

// isAddress tells a postgres:// address from a path.
func isAddress(s string) bool { return len(s) > 11 && s[:11] == "postgres://" }

// accessPoint reads keys and P-Mode and joins them with what the command has.
func (c *nodeConfig) accessPoint(s as4.Store, files as4.Files, spool string, handler as4.Handler, log *slog.Logger, count func(as4.Event)) (*as4.AccessPoint, *pki.Party, error) {
	party, err := pki.LoadParty(c.Keys)
	if err != nil {
		return nil, nil, err
	}
	decrypt := []*pki.Identity{party.Encrypt}
	if c.Previous != "" {
		previous, err := pki.LoadParty(c.Previous)
		if err != nil {
			return nil, nil, err
		}
		decrypt = append(decrypt, previous.Encrypt)
	}
	mode, err := as4.ReadPMode(c.PMode)
	if err != nil {
		return nil, nil, err
	}
	policy, err := c.policy(mode)
	if err != nil {
		return nil, nil, err
	}
	client, err := c.client(party)
	if err != nil {
		return nil, nil, err
	}
	ap, err := as4.New(as4.Config{PMode: mode, Sign: party.Sign, Decrypt: decrypt, Store: s, Files: files,
		Spool: ebms.Disk{Dir: spool}, Handler: handler, Domain: c.Domain, Client: client, Trusted: policy.Check, Log: log, Count: count})
	return ap, party, err
}

// policy judges the partners' certificates, which the P-Mode pins: length of
// keys, use, and revocation by local files.
func (c *nodeConfig) policy(mode *as4.PMode) (*pki.Policy, error) {
	p := &pki.Policy{}
	for _, partner := range mode.Partners {
		p.Anchors = append(append(p.Anchors, partner.Sign...), partner.Encrypt)
	}
	var err error
	if p.Issuers, err = readCertificates(c.Trust.Issuers); err != nil {
		return nil, err
	}
	var strict pki.Mode
	switch c.Trust.Revocation {
	case "", "soft":
		strict = pki.Soft
	case "hard":
		strict = pki.Hard
	default:
		return nil, fmt.Errorf("trust.revocation is %q; use soft or hard", c.Trust.Revocation)
	}
	switch {
	case c.Trust.Lists != "":
		p.Revocation, err = pki.LoadRevocation(strict, os.DirFS(c.Trust.Lists))
	case strict == pki.Hard:
		err = errors.New("trust.revocation is hard, but trust.lists names no folder with revocation data")
	}
	return p, err
}

// client pushes to partners.
func (c *nodeConfig) client(party *pki.Party) (*http.Client, error) {
	config, err := c.minTLS()
	if err != nil {
		return nil, err
	}
	if c.TLS.Roots != "" {
		if config.RootCAs, err = readPool(c.TLS.Roots); err != nil {
			return nil, err
		}
	}
	if c.TLS.ClientCertificate {
		config.Certificates = []tls.Certificate{party.TLS.TLS()}
	}
	reach := as4.Reach{Private: c.Network.Private}
	if c.Network.From != "" {
		if reach.From, err = netip.ParseAddr(c.Network.From); err != nil {
			return nil, fmt.Errorf("network.from: %w", err)
		}
	}
	return reach.NewClient(config), nil
}

// serverTLS is what partners meet at our door.
func (c *nodeConfig) serverTLS(party *pki.Party) (*tls.Config, error) {
	config, err := c.minTLS()
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{party.TLS.TLS()}
	switch c.TLS.Clients {
	case "", "none":
		return config, nil
	case "optional":
		config.ClientAuth = tls.VerifyClientCertIfGiven
	case "required":
		config.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		return nil, fmt.Errorf("tls.clients is %q; use none, optional or required", c.TLS.Clients)
	}
	if c.TLS.ClientRoots == "" {
		return nil, fmt.Errorf("tls.clients is %s, but tls.client_roots does not say who issues their certificates", c.TLS.Clients)
	}
	config.ClientCAs, err = readPool(c.TLS.ClientRoots)
	return config, err
}

func (c *nodeConfig) minTLS() (*tls.Config, error) {
	switch c.TLS.Min {
	case "", "1.2":
		return as4.HardenTLS(nil), nil
	case "1.3":
		return as4.HardenTLS(&tls.Config{MinVersion: tls.VersionTLS13}), nil
	}
	return nil, fmt.Errorf("tls.min is %q; use 1.2 or 1.3", c.TLS.Min)
}

// readCertificates reads a file of certificates; no name is no certificate.
func readCertificates(file string) ([]*x509.Certificate, error) {
	if file == "" {
		return nil, nil
	}
	entries, err := pki.ReadFile(file, "")
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for _, e := range entries {
		all = append(all, e.Chain...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return all, nil
}

func readPool(file string) (*x509.CertPool, error) {
	certs, err := readCertificates(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool, nil
}
