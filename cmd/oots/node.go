package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
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
//	roots = "ca.pem"              # whom to trust for TLS; empty: the system
//	pmode = "pmode.toml"
//	data = "data"
type nodeConfig struct {
	Addr       string `toml:"addr"`
	Operations string `toml:"operations"`
	Domain     string `toml:"domain"`
	Keys       string `toml:"keys"`
	Roots      string `toml:"roots"`
	ClientCert bool   `toml:"client_certificate"` // show our TLS certificate to partners that ask
	PMode      string `toml:"pmode"`
	Data       string `toml:"data"`
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
	for _, path := range []*string{&c.Keys, &c.Roots, &c.PMode, &c.Data} {
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
	mode, err := as4.ReadPMode(c.PMode)
	if err != nil {
		return nil, nil, err
	}
	config := &tls.Config{}
	if c.Roots != "" {
		pem, err := os.ReadFile(c.Roots)
		if err != nil {
			return nil, nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, nil, fmt.Errorf("%s holds no certificate", c.Roots)
		}
	}
	if c.ClientCert {
		config.Certificates = []tls.Certificate{party.TLS.TLS()}
	}
	ap, err := as4.New(as4.Config{PMode: mode, Sign: party.Sign, Decrypt: []*pki.Identity{party.Encrypt}, Store: s, Files: files,
		Spool: ebms.Disk{Dir: spool}, Handler: handler, Domain: c.Domain, Client: as4.NewClient(config), Log: log, Count: count})
	return ap, party, err
}
