package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/web"
	"github.com/once-only/oots/web/api"
	"github.com/once-only/oots/web/limit"
	"github.com/once-only/oots/webhook"
)

type serve struct {
	Acceleratormeter serveMeter `cmd:"" help:"The public site and its API over one store."`
	Node             serveNode  `cmd:"" help:"A national node: access point, evidence exchange with its API and preview, metrics."`

	CommonServices serveCommonServices `cmd:"" help:"Evidence Broker, Data Service Directory and Semantic Repository."`
}

// serveMeter are the settings of the site. A flag wins over the environment,
// the environment over the file.
type serveMeter struct {
	Config   string   `type:"path" placeholder:"FILE" help:"TOML file with these same settings (data, key, addr, base_url, lab_url, proxies, operator, board, criteria, sample), and the sections [lab] and [watch]." toml:"-"`
	Data     string   `env:"OOTS_DATA" placeholder:"DIR" help:"Folder of the store, or a postgres:// address (data)." toml:"data"`
	Key      string   `env:"OOTS_LEDGER_KEY" placeholder:"FILE" help:"Private key for checkpoints and snapshots; without it the store keeps its own." toml:"key"`
	Addr     string   `env:"OOTS_ADDR" help:"Address to listen on (127.0.0.1:8080)." toml:"addr"`
	BaseURL  string   `env:"OOTS_BASE_URL" placeholder:"URL" help:"Address under which the public reaches the site (http:// and the address listened on)." toml:"base_url"`
	LabURL   string   `name:"lab-url" env:"OOTS_LAB_URL" placeholder:"URL" help:"Address of a test platform elsewhere, so that facts lead to the messages behind them (lab_url)." toml:"lab_url"`
	Proxies  []string `env:"OOTS_PROXIES" sep:"," placeholder:"PREFIX" help:"Proxies in front, as addresses or prefixes: their X-Forwarded-For says who calls, which limits count by. Nobody is believed otherwise." toml:"proxies"`
	Operator string   `env:"OOTS_OPERATOR" help:"Who runs this site, as every page says." toml:"operator"`
	Board    string   `env:"OOTS_BOARD" help:"Countries drawn and counted: EU (27) or EU+EEA (30)." toml:"board"`
	Criteria string   `env:"OOTS_CRITERIA" help:"Official criteria set (AM-1)." toml:"criteria"`
	Sample   bool     `help:"Mark the whole site as sample data." toml:"sample"`

	Lab     *labSettings `kong:"-" toml:"lab"` // nil: no test platform
	Watch   watchConfig  `kong:"-" toml:"watch"`
	follow  bool         // open pages show the next snapshot by themselves
	proxies []netip.Prefix
}

// Run serves until it is interrupted.
func (c serveMeter) Run(w *world) error {
	if err := c.complete(); err != nil {
		return err
	}
	collectOften()
	m, err := openMeter(w, ledgerFlags{Data: c.Data, Key: c.Key}, c.Criteria)
	if err != nil {
		return err
	}
	defer m.db.Close()
	return m.serve(w, c, nil)
}

// complete fills what no flag and no variable says from the file, then from the
// defaults.
func (c *serveMeter) complete() error {
	var file serveMeter
	if c.Config != "" {
		meta, err := toml.DecodeFile(c.Config, &file)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Config, err)
		}
		if unknown := meta.Undecoded(); len(unknown) > 0 {
			return fmt.Errorf("%s: there is no setting %q; known are data, key, addr, base_url, lab_url, proxies, operator, board, criteria, sample, and the sections lab and watch", c.Config, unknown[0].String())
		}
	}
	for _, x := range []struct {
		to             *string
		file, fallback string
	}{
		{&c.Data, file.Data, "data"},
		{&c.Key, file.Key, ""},
		{&c.Addr, file.Addr, "127.0.0.1:8080"},
		{&c.BaseURL, file.BaseURL, ""},
		{&c.LabURL, file.LabURL, ""},
		{&c.Operator, file.Operator, ""},
		{&c.Board, file.Board, string(acceleratormeter.BoardEU)},
		{&c.Criteria, file.Criteria, ""},
	} {
		if *x.to == "" {
			*x.to = x.file
		}
		if *x.to == "" {
			*x.to = x.fallback
		}
	}
	c.Sample, c.Watch = c.Sample || file.Sample, file.Watch
	if len(c.Proxies) == 0 {
		c.Proxies = file.Proxies
	}
	var err error
	if c.proxies, err = limit.Prefixes(c.Proxies); err != nil {
		return fmt.Errorf("proxies: %w", err)
	}
	if c.Lab = file.Lab; c.Lab != nil {
		if err := c.Lab.read(c.Config); err != nil {
			return fmt.Errorf("%s: %w", c.Config, err)
		}
	}
	if b := acceleratormeter.Board(c.Board); b != acceleratormeter.BoardEU && b != acceleratormeter.BoardEUEEA {
		return fmt.Errorf("there is no board %q; valid are EU and EU+EEA", c.Board)
	}
	return nil
}

// labAddress is where the test platform answers, here or elsewhere; empty when
// there is none.
func (c *serveMeter) labAddress() string {
	if c.Lab != nil {
		return cmp.Or(c.LabURL, c.Lab.BaseURL, c.BaseURL)
	}
	return c.LabURL
}

// meter is an open store with the ledger and the meter over it.
type meter struct {
	db     *store.DB
	ledger *ledger.Ledger
	key    *ledger.Key
	cfg    acceleratormeter.Config
	*acceleratormeter.Meter
}

// openMeter opens the store, or begins one.
func openMeter(w *world, flags ledgerFlags, criteria string) (*meter, error) {
	db, l, key, err := flags.open(w, false)
	if err != nil {
		return nil, err
	}
	m := &meter{db: db, ledger: l, key: key, cfg: acceleratormeter.Config{Facts: l, Store: db.Snapshots(), Signer: key, Criteria: criteria,
		Verify: verified(db, l, key)}}
	if m.Meter, err = acceleratormeter.New(m.cfg); err != nil {
		db.Close()
		return nil, err
	}
	return m, nil
}

// serve opens the site and works until the context ends. opened, if any, is
// called with the site's address once it answers.
func (m *meter) serve(w *world, c serveMeter, opened func(address string)) error {
	if err := m.Refresh(w); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --addr", err)
	}
	defer listener.Close()
	if c.BaseURL == "" {
		c.BaseURL = "http://" + listener.Addr().String()
	}
	log := slog.New(slog.NewTextHandler(w.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	check := &checker{verify: m.cfg.Verify, log: log}
	ports := web.Ports{Meter: m.Meter, Ledger: m.ledger, Verified: check.found}
	ports.Tokens, ports.Webhooks = m.db.Tokens(), m.db.Webhooks()
	ports.Validations = m.db.Validations()
	ports.Corrections = m.db.Corrections()
	ports.Trail = m.trail
	catalogue, err := cases(w, "")
	if err != nil {
		return err
	}
	ports.Reports = &api.Reports{Catalogue: catalogue, Runs: m.db.Testbed(), Sample: c.Sample}
	site, err := web.New(web.Config{Ports: ports, BaseURL: c.BaseURL, Operator: c.Operator, Board: acceleratormeter.Board(c.Board), Sample: c.Sample, Follow: c.follow, Lab: c.labAddress(), Log: log})
	if err != nil {
		return err
	}
	handler := site
	var lab *testPlatform
	if c.Lab != nil {
		if lab, err = m.openTestPlatform(w, c.Lab, strings.TrimSuffix(cmp.Or(c.Lab.BaseURL, c.BaseURL), "/"), c.BaseURL, c.Sample, log); err != nil {
			return err
		}
		if c.Lab.Addr == "" {
			handler = lab.beside(site)
		}
	}
	server := &http.Server{Handler: limit.Behind(c.proxies, handler), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}

	watcher, err := c.Watch.watcher(filepath.Dir(c.Config), m.ledger, c.BaseURL, c.Sample, log)
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	ctx, stop := context.WithCancel(w)
	if watcher != nil {
		work.Go(func() { watcher.Run(ctx) })
	}
	work.Go(func() { check.run(ctx) })
	tell := webhook.NewSender(webhook.Config{Store: ports.Webhooks, Log: log, Published: func(ctx context.Context) ([]webhook.Publication, error) {
		return m.publications(ctx, strings.TrimSuffix(c.BaseURL, "/"))
	}})
	work.Go(func() { tell.Run(ctx) })
	work.Go(func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		server.Shutdown(last)
	})
	defer work.Wait()
	defer stop()
	if lab != nil {
		work.Go(func() { _ = lab.events.Run(ctx, 0) }) // ends with ctx
		if err := lab.alone(ctx, &work, c); err != nil {
			return err
		}
	}
	address := "http://" + strings.Replace(listener.Addr().String(), "[::]", "localhost", 1) + "/"
	fmt.Fprintf(w.err, "The Acceleratormeter answers at %s (stop with Ctrl+C)\n", address)
	if lab != nil {
		fmt.Fprintf(w.err, "The test platform answers at %s/lab\n", lab.base)
	}
	if opened != nil {
		opened(address)
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// trail keeps a call of the API as a line of the audit trail.
func (m *meter) trail(ctx context.Context, d api.Deed) error {
	return m.db.Projectathon().Put(ctx, projectathon.Entry{At: time.Now().UTC(), By: d.Owner, As: projectathon.Machine, What: projectathon.Action(d.What), On: d.On, Note: "token " + d.Token})
}

// publications are the published snapshots as webhooks tell them.
func (m *meter) publications(ctx context.Context, base string) ([]webhook.Publication, error) {
	list, err := m.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]webhook.Publication, len(list))
	for i, s := range list {
		out[i] = webhook.Publication{Sequence: s.Sequence, AsOf: s.AsOf, PublishedAt: s.PublishedAt, ContentHash: s.ContentHash,
			Corrects: s.Corrects, URL: fmt.Sprintf("%s/api/v1/meter/%d", base, s.Sequence), Sample: s.Sample}
	}
	return out, nil
}

// checker verifies all facts and published snapshots when it starts and once a
// day; pages tell what it found.
type checker struct {
	verify func(context.Context) error
	log    *slog.Logger
	mu     sync.Mutex
	at     time.Time
	err    error
}

func (c *checker) run(ctx context.Context) {
	for {
		err := c.verify(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.log.Error("the ledger does not verify", "err", err)
		}
		c.mu.Lock()
		c.at, c.err = time.Now(), err
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(24 * time.Hour):
		}
	}
}

func (c *checker) found() (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at, c.err
}

// collectOften lets memory grow by half between collections, not to the double:
// a meter keeps most of what it reads, and with a million facts it stays under
// 600 MB that way (bench/ledger.md). GOGC in the environment has its way.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
