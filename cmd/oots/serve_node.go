package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/store"
)

type serveNode struct {
	Config string `required:"" type:"existingfile" help:"Configuration file of the node."`
}

// Run serves a node until it is told to stop: /as4 for partners, health,
// readiness and metrics on an address of their own and, with a country in the
// configuration, the exchange of evidence behind them (see exchangeConfig).
func (c serveNode) Run(w *world) error {
	config, err := readNodeConfig(c.Config)
	if err != nil {
		return err
	}
	if config.Data == "" {
		config.Data = filepath.Join(filepath.Dir(c.Config), "data")
	}
	db, err := store.Open(w, config.Data, store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	folder := db.Dir()
	if folder == "" {
		folder = filepath.Join(filepath.Dir(c.Config), "data")
	}
	log := slog.New(slog.NewJSONHandler(w.err, nil))
	metrics := newAS4Metrics()
	x, err := config.exchanging(filepath.Dir(c.Config), folder, db, log)
	if err != nil {
		return err
	}
	var behind as4.Handler = inbox{filepath.Join(folder, "inbox")}
	if x != nil {
		behind = x.corner()
	}
	ap, party, err := config.accessPoint(db.AS4(), as4.Folder(filepath.Join(folder, "outgoing")), spoolFolder(folder), behind, log, metrics.count)
	if err != nil {
		return err
	}
	if x != nil {
		x.Connect(ap)
	}
	door, err := config.serverTLS(party)
	if err != nil {
		return err
	}
	connections := cmp.Or(config.Network.Connections, maxConnections)
	mux := http.NewServeMux()
	mux.Handle("/as4", ap)
	operations := http.NewServeMux()
	operations.Handle("GET /metrics", promhttp.HandlerFor(metrics.registry, promhttp.HandlerOpts{}))
	operations.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	operations.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := db.PingContext(r.Context()); err != nil {
			http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ready\n")
	})

	group, ctx := errgroup.WithContext(w)
	group.Go(func() error { return ap.Run(ctx) })
	if err := listenAtMost(ctx, group, connections, config.Addr, mux, door, func(addr string) {
		fmt.Fprintf(w.out, "%s https://%s/as4\n", ap.PMode.Self.ID.Value, addr)
	}); err != nil {
		return err
	}
	if x != nil {
		if err := x.serve(ctx, group, ap, log, func(what, address string) { fmt.Fprintln(w.out, what, address) }); err != nil {
			return err
		}
	}
	if config.Operations != "" {
		if err := listen(ctx, group, config.Operations, operations, nil, func(addr string) { fmt.Fprintf(w.out, "operations http://%s/healthz\n", addr) }); err != nil {
			return err
		}
	}
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// maxConnections are held at once, unless the configuration says otherwise.
const maxConnections = 256

// listen serves a handler until ctx ends, then lets requests under way finish.
// config nil means plain HTTP.
func listen(ctx context.Context, group *errgroup.Group, addr string, h http.Handler, config *tls.Config, ready func(addr string)) error {
	return listenAtMost(ctx, group, maxConnections, addr, h, config, ready)
}

// listenAtMost is listen with a number of connections; more wait to be accepted.
func listenAtMost(ctx context.Context, group *errgroup.Group, connections int, addr string, h http.Handler, config *tls.Config, ready func(addr string)) error {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	ready(l.Addr().String())
	l = netutil.LimitListener(l, connections)
	if config != nil {
		l = tls.NewListener(l, config)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		grace, stop := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer stop()
		return server.Shutdown(grace)
	})
	return nil
}

// spoolFolder is where parts are while their message is worked on. What a killed
// process left there belongs to no message.
func spoolFolder(folder string) string {
	dir := filepath.Join(folder, "spool")
	os.RemoveAll(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "" // the system's folder for temporary files
	}
	return dir
}

// inbox is the corner behind a node that has no other: every message becomes a
// folder with message.json and its parts, durable before the receipt goes out.
// No text of the sender names a file.
type inbox struct{ dir string }

func (b inbox) Deliver(ctx context.Context, m *as4.Message) error {
	sum := sha256.Sum256([]byte(m.Header.From.ID.Type + "\n" + m.Header.From.ID.Value + "\n" + m.Header.MessageID))
	final := filepath.Join(b.dir, hex.EncodeToString(sum[:16]))
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.dir, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	about, err := json.MarshalIndent(m.Header, "", "  ")
	if err != nil {
		return err
	}
	if err := writeDurably(filepath.Join(dir, "message.json"), bytes.NewReader(about)); err != nil {
		return err
	}
	for i, p := range m.Parts {
		if err := writeDurably(filepath.Join(dir, fmt.Sprintf("part-%d", i+1)), p.Content.NewReader()); err != nil {
			return err
		}
	}
	// A folder of that name is from a delivery whose receipt was never kept.
	if err := os.RemoveAll(final); err != nil {
		return err
	}
	return os.Rename(dir, final)
}

func writeDurably(name string, r io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, r); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// as4Metrics count what an access point does; no label tells who.
type as4Metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newAS4Metrics() *as4Metrics {
	m := &as4Metrics{registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "oots_as4_events_total", Help: "Messages pushed, acknowledged, received, refused …, by ebMS code."}, []string{"event", "code"}),
		took:   prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "oots_as4_seconds", Help: "Duration of pushes and receptions.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 14)}, []string{"event"})}
	m.registry.MustRegister(m.events, m.took)
	return m
}

func (m *as4Metrics) count(e as4.Event) {
	m.events.WithLabelValues(e.Kind, string(e.Code)).Inc()
	if e.Took > 0 {
		m.took.WithLabelValues(e.Kind).Observe(e.Took.Seconds())
	}
}
