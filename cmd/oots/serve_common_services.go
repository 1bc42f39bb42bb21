package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/BurntSushi/toml"
	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/web"
)

// serveCommonServices are the settings of an instance of the Common Services. A
// flag wins over the environment, the environment over the file. Paths in the
// file are relative to it.
type serveCommonServices struct {
	Config      string  `type:"path" placeholder:"FILE" help:"TOML file with these same settings (addr, data, environment, label, seed, key, root, tls, limit)." toml:"-"`
	Addr        string  `env:"OOTS_CS_ADDR" help:"Address to listen on (127.0.0.1:8085)." toml:"addr"`
	Data        string  `env:"OOTS_DATA" placeholder:"DIR" help:"Folder of the store, or a postgres:// address; without it nothing is kept and nobody can submit." toml:"data"`
	Environment string  `env:"OOTS_CS_ENVIRONMENT" help:"Code of the instance: testing, projectathon, acceptance, training, uat, production (testing)." toml:"environment"`
	Label       string  `env:"OOTS_CS_LABEL" help:"Environment label of Semantic Repository addresses on line 2.0; the environment's own (acc for acceptance) if none is given." toml:"label"`
	Seed        bool    `help:"Begin with the demonstration data of 30 countries." toml:"seed"`
	Key         string  `env:"OOTS_CS_KEY" placeholder:"FILE" help:"PEM or PKCS#12 file with the key and certificates that sign answers; exchanged without a gap when the file changes. Without it a throw-away authority is made." toml:"key"`
	Root        string  `env:"OOTS_CS_ROOT" placeholder:"FILE" help:"Where to write the root certificate that clients must trust." toml:"root"`
	TLS         string  `env:"OOTS_CS_TLS" placeholder:"FILE" help:"PEM or PKCS#12 file with the TLS key and certificates; without it plain HTTP." toml:"tls"`
	Limit       float64 `env:"OOTS_CS_LIMIT" placeholder:"N" help:"Queries a second from one network address; 0 for any number, and behind a proxy." toml:"limit"`
	Password    string  `env:"OOTS_KEY_PASSWORD" help:"Password of the key files." toml:"-"`
}

// Run serves until it is interrupted.
func (c serveCommonServices) Run(w *world) error {
	if err := c.complete(); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(w.err, nil))
	d := &directories{environment: c.Environment, log: log}
	close, err := c.open(w, d)
	if err != nil {
		return err
	}
	defer func() { _ = close() }()
	main, err := d.instances.Of(w, c.Environment, "")
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
	if d.Server, err = commonservices.NewServer(commonservices.ServerConfig{Catalogue: main.Catalogue(), Signer: signer, Limit: c.Limit, Log: log}); err != nil {
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
	d.follow = func(m *lcm.LifecycleManager) {
		group.Go(func() error { m.Follow(ctx, 500*time.Millisecond); return nil })
	}
	d.follow(main)
	if c.Key != "" {
		group.Go(func() error { return c.rotate(ctx, d.Server, log, time.Second) })
	}
	site, err := web.NewDirectory(web.DirectoryConfig{BaseURL: scheme + "://" + c.Addr, Sample: c.Seed, Public: main, Own: d.own, Clerks: d.clerks(config != nil), Services: d, Log: log})
	if err != nil {
		return err
	}
	if err := listen(ctx, group, c.Addr, site, config, func(addr string) {
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

// open finds the data: those of the store, which begin with the seed or with
// the requirements of the Union alone.
func (c serveCommonServices) open(w *world, d *directories) (close func() error, err error) {
	base := seed.Union()
	switch {
	case c.Seed && c.Environment == "production":
		return nil, errors.New("demonstration data do not belong into production; start without --seed")
	case c.Seed:
		base = seed.Network()
	case c.Data == "":
		return nil, errors.New("there is nothing to serve; start with --seed for the demonstration data, or with --data")
	}
	base.Environment, base.Label = c.Environment, c.Label
	cfg := lcm.Config{Store: &lcm.Memory{}, Judge: judgeSubmission, Log: d.log}
	close = func() error { return nil }
	if c.Data != "" {
		db, err := store.Open(w, c.Data, store.Options{})
		if err != nil {
			return nil, err
		}
		close = db.Close
		cfg.Store, d.tokens = db.LCM(), db.Tokens()
		d.submissions = &lcm.API{Tokens: db.Tokens(), Of: func(ctx context.Context, country string) (*lcm.LifecycleManager, error) {
			return d.instances.Of(ctx, c.Environment, country)
		}}
	}
	if d.instances, err = lcm.NewInstances(w, cfg, base); err != nil {
		return nil, errors.Join(err, close())
	}
	return close, nil
}

// judgeSubmission holds a submission to the published rules.
func judgeSubmission(raw []byte) (out []lcm.Fault) {
	report := validator.New(validator.Config{}).Validate(raw, validator.Options{})
	for i := range report.Findings {
		if f := &report.Findings[i]; f.Refuses() {
			out = append(out, lcm.Fault{Code: lcm.BadObject, Rule: f.Rule, Line: f.Line, Column: f.Column, Text: "found " + f.Found + ", expected " + f.Expected + ". " + f.Mend})
		}
	}
	return out
}

// directories serve an environment: its data set, each country's sandbox at
// /eb/CC/ and /dsd/CC/ where the environment has sandboxes, and submissions at
// /lcm/CC. The pages for people stand before them (web.NewDirectory).
type directories struct {
	*commonservices.Server
	environment string
	instances   *lcm.Instances
	submissions *lcm.API     // nil where nothing is kept
	tokens      access.Store // the same
	follow      func(*lcm.LifecycleManager)
	log         *slog.Logger

	mu        sync.Mutex
	sandboxes map[string]*commonservices.Server
}

func (d *directories) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.submissions != nil && strings.HasPrefix(r.URL.Path, "/lcm/") {
		d.submissions.ServeHTTP(w, r)
		return
	}
	// /eb/CC/rest/search and /dsd/CC/rest/search
	parts := strings.SplitN(r.URL.Path, "/", 4)
	if len(parts) == 4 && (parts[1] == "eb" || parts[1] == "dsd") && len(parts[2]) == 2 && strings.HasPrefix(parts[3], "rest/") {
		if s := d.sandbox(r.Context(), parts[2]); s != nil {
			inner := r.Clone(r.Context())
			inner.URL.Path = "/" + parts[1] + "/" + parts[3]
			s.ServeHTTP(w, inner)
			return
		}
	}
	d.Server.ServeHTTP(w, r)
}

// own is the data set that a country's clerks change.
func (d *directories) own(ctx context.Context, country string) (*lcm.LifecycleManager, error) {
	return d.instances.Of(ctx, d.environment, country)
}

// clerks are let in with tokens, where there are any.
func (d *directories) clerks(secure bool) web.Clerks {
	if d.tokens == nil {
		return nil
	}
	return &web.TokenClerks{Tokens: d.tokens, Secure: secure}
}

// sandbox is the server of one country's own data set; nil where countries have
// none.
func (d *directories) sandbox(ctx context.Context, country string) *commonservices.Server {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.sandboxes[country]; s != nil {
		return s
	}
	m, err := d.instances.Of(ctx, d.environment, country)
	if err != nil || m.Catalogue() == d.Server.Catalogue() {
		return nil
	}
	if d.sandboxes == nil {
		d.sandboxes = map[string]*commonservices.Server{}
	}
	d.follow(m)
	d.sandboxes[country] = d.Server.With(m.Catalogue())
	return d.sandboxes[country]
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
			return fmt.Errorf("%s: there is no setting %q; known are addr, data, environment, label, seed, key, root, tls, limit", c.Config, unknown[0].String())
		}
		for _, path := range []*string{&file.Data, &file.Key, &file.Root, &file.TLS} {
			if *path != "" && !filepath.IsAbs(*path) && !isAddress(*path) {
				*path = filepath.Join(filepath.Dir(c.Config), *path)
			}
		}
	}
	for _, x := range []struct {
		to             *string
		file, fallback string
	}{
		{&c.Addr, file.Addr, "127.0.0.1:8085"},
		{&c.Data, file.Data, ""},
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
	if c.Limit == 0 {
		c.Limit = file.Limit
	}
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
