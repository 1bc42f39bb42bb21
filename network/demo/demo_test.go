package demo_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/demo"
	"github.com/once-only/oots/projectathon"
)

func TestTheBoardFollowsTheFaults(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	text, err := ledger.NewKey(rand.Reader, "demo")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New(ledger.Config{Store: &ledger.Memory{}, Key: key})
	m, err := am.New(am.Config{Facts: l, Store: &am.Memory{}, Signer: key, Verify: func(ctx context.Context) error { _, err := l.Verify(ctx, ledger.VerifyOptions{}); return err }})
	if err != nil {
		t.Fatal(err)
	}
	events, err := projectathon.New(projectathon.Config{Store: &projectathon.Memory{}, Facts: l, Key: make([]byte, 32), SecondShare: -1})
	if err != nil {
		t.Fatal(err)
	}
	e := demo.New(8)
	n, err := network.Start(ctx, e.Plan())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	if err := e.Run(ctx, n, demo.Board{Events: events, Ledger: l, Meter: m}, t.Logf); err != nil {
		t.Fatal(err)
	}
	s, err := m.Displayed(ctx, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range e.Unexpected(s) {
		t.Error(wrong)
	}
}
