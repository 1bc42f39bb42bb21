package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"
	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/pki"
)

// serveCommonServices are the settings of an instance of the Common Services. A
// flag wins over the environment, the environment over the file. Paths in the
// file are relative to it.
type serveCommonServices struct {
	Config      string `type:"path" placeholder:"FILE" help:"TOML file with these same settings (addr, environment, label, seed, key, root, tls)." toml:"-"`
	Addr        string `env:"OOTS_CS_ADDR" help:"Address to listen on (127.0.0.1:8085)." toml:"addr"`
	Environment string `env:"OOTS_CS_ENVIRONMENT" help:"Code of the instance: testing, projectathon, acceptance, training, uat, production (testing)." toml:"environment"`
	Label       string `env:"OOTS_CS_LABEL" help:"Environment label of Semantic Repository addresses on line 2.0, such as acc; none in production." toml:"label"`
	Seed        bool   `help:"Serve the demonstration data of 30 countries." toml:"seed"`
	Key         string `env:"OOTS_CS_KEY" placeholder:"FILE" help:"PEM or PKCS#12 file with the key and certificates that sign answers; exchanged without a gap when the file changes. Without it a throw-away authority is made." toml:"key"`
	Root        string `env:"OOTS_CS_ROOT" placeholder:"FILE" help:"Where to write the root certificate that clients must trust." toml:"root"`
	TLS         string `env:"OOTS_CS_TLS" placeholder:"FILE" help:"PEM or PKCS#12 file with the TLS key and certificates; without it plain HTTP." toml:"tls"`
	Password    string `env:"OOTS_KEY_PASSWORD" help:"Password of the key files." toml:"-"`
}

// Run serves until it is interrupted.
func (c serveCommonServices) Run(w *world) error {
	if err := c.complete(); err != nil {
		return err
	}
	if !c.Seed {
		return errors.New("there is nothing to serve; start with --seed for the demonstration data")
	}
	set := seed.Network()
	set.Environment, set.Label = c.Environment, c.Label
	catalogue, err := commonservices.NewCatalogue(set)
	if err != nil {
		return err
	}
	signer, err := c.signer()
	if err != nil {
		return err
	}
	if c.Root != "" {
		root := signer.Chain[len(signer.Chain)-1]
		if err := os.WriteFile(c.Root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o644); err != nil {
			return err
		}
	}
	log := slog.New(slog.NewJSONHandler(w.err, nil))
	server, err := commonservices.NewServer(commonservices.ServerConfig{Catalogue: catalogue, Signer: signer, Log: log})
	if err != nil {
		return err
	}
	scheme, config := "http", (*tls.Config)(nil)
	if c.TLS != "" {
		id, err := readIdentity(c.TLS, c.Password)
		if err != nil {
			return err
		}
		scheme, config = "https", &tls.Config{Certificates: []tls.Certificate{id.TLS()}, MinVersion: tls.VersionTLS12}
	}
	group, ctx := errgroup.WithContext(w)
	if c.Key != "" {
		group.Go(func() error { return c.rotate(ctx, server, log, time.Second) })
	}
	if err := listen(ctx, group, c.Addr, server, config, func(addr string) {
		fmt.Fprintf(w.out, "%[1]s://%[2]s/eb/\n%[1]s://%[2]s/dsd/\n", scheme, addr)
		fmt.Fprintf(w.err, "The Common Services of %s answer at %s://%s/ (stop with Ctrl+C)\n", c.Environment, scheme, addr)
	}); err != nil {
		return err
	}
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// complete fills what no flag and no variable says from the file, then from the
// defaults.
func (c *serveCommonServices) complete() error {
	var file serveCommonServices
	if c.Config != "" {
		meta, err := toml.DecodeFile(c.Config, &file)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Config, err)
		}
		if unknown := meta.Undecoded(); len(unknown) > 0 {
			return fmt.Errorf("%s: there is no setting %q; known are addr, environment, label, seed, key, root, tls", c.Config, unknown[0].String())
		}
		for _, path := range []*string{&file.Key, &file.Root, &file.TLS} {
			if *path != "" && !filepath.IsAbs(*path) {
				*path = filepath.Join(filepath.Dir(c.Config), *path)
			}
		}
	}
	for _, x := range []struct {
		to             *string
		file, fallback string
	}{
		{&c.Addr, file.Addr, "127.0.0.1:8085"},
		{&c.Environment, file.Environment, seed.Environment},
		{&c.Label, file.Label, ""},
		{&c.Key, file.Key, ""},
		{&c.Root, file.Root, ""},
		{&c.TLS, file.TLS, ""},
	} {
		if *x.to == "" {
			*x.to = x.file
		}
		if *x.to == "" {
			*x.to = x.fallback
		}
	}
	c.Seed = c.Seed || file.Seed
	return nil
}

// signer reads the key file, or makes an authority for this run.
func (c serveCommonServices) signer() (*commonservices.Signer, error) {
	if c.Key != "" {
		id, err := readIdentity(c.Key, c.Password)
		if err != nil {
			return nil, err
		}
		return &commonservices.Signer{Key: id.Signer(), Chain: id.Chain}, nil
	}
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		return nil, err
	}
	id, err := ca.Issue(pki.Request{Name: "Common Services", Use: pki.Sign, Key: pki.P256})
	if err != nil {
		return nil, err
	}
	return &commonservices.Signer{Key: id.Signer(), Chain: append(id.Chain[:1:1], ca.Cert())}, nil
}

// readIdentity reads the one key of a file with its certificates.
func readIdentity(file, password string) (*pki.Identity, error) {
	entries, err := pki.ReadFile(file, password)
	if err != nil {
		return nil, err
	}
	ids := pki.Identities(entries)
	if len(ids) != 1 || ids[0].Signer() == nil || len(ids[0].Chain) == 0 {
		return nil, fmt.Errorf("%s must hold one private key with its certificates, leaf first", file)
	}
	return ids[0], nil
}

// rotate takes a changed key file into service, looking once in every pause.
// One that cannot be used is reported once, and the old key signs on.
func (c serveCommonServices) rotate(ctx context.Context, server *commonservices.Server, log *slog.Logger, pause time.Duration) error {
	var seen time.Time
	if info, err := os.Stat(c.Key); err == nil {
		seen = info.ModTime()
	}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		info, err := os.Stat(c.Key)
		if err != nil || info.ModTime().Equal(seen) {
			continue
		}
		seen = info.ModTime()
		next, err := c.signer()
		if err == nil {
			err = server.Rotate(next)
		}
		if err != nil {
			log.Error("the new signing key cannot be used, the old one signs on", "err", err)
			continue
		}
		log.Info("answers are signed with the new key")
	}
}
