package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"testing"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/correction"
	"github.com/once-only/oots/ledger"
)

// testNow is the instant of every test.
var testNow = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// seeded is the sample history in memory; it is loaded once and only read.
var seeded = sync.OnceValues(func() (Ports, error) {
	now := func() time.Time { return testNow }
	private, err := ledger.NewKey(rand.Reader, "meter.example")
	if err != nil {
		return Ports{}, err
	}
	key, err := ledger.ParseKey(private)
	if err != nil {
		return Ports{}, err
	}
	l := ledger.New(ledger.Config{Store: &ledger.Memory{}, Key: key, Now: now})
	cfg := am.Config{Facts: l, Store: &am.Memory{}, Signer: key, Now: now,
		Verify: func(ctx context.Context) error { _, err := l.Verify(ctx, ledger.VerifyOptions{}); return err }}
	if err := sample.Load(context.Background(), l, cfg, testNow); err != nil {
		return Ports{}, err
	}
	m, err := am.New(cfg)
	if err != nil {
		return Ports{}, err
	}
	return Ports{Meter: m, Ledger: l}, m.Refresh(context.Background())
})

// newConfig is a site with the sample history: thirty countries, twelve
// quarters.
func newConfig(t testing.TB) Config {
	t.Helper()
	ports, err := seeded()
	if err != nil {
		t.Fatal(err)
	}
	ports.Corrections = &correction.Memory{}
	return Config{Ports: ports, BaseURL: "http://meter.example", Board: am.BoardEUEEA, Sample: true, Now: func() time.Time { return testNow }}
}

func newSite(t testing.TB, change ...func(*Config)) http.Handler {
	t.Helper()
	c := newConfig(t)
	for _, f := range change {
		f(&c)
	}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
