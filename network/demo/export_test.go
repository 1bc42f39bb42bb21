package demo

import (
	"context"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	pj "github.com/once-only/oots/projectathon"
)

type both struct {
	pj.Driver
	pj.Prober
}

// FirstRound plays the event up to its first round with another driver.
func (e *Event) FirstRound(ctx context.Context, n *network.Network, b Board, tell func(string, ...any), driver func(pj.Driver) pj.Driver) error {
	r, err := e.running(n, b, tell)
	if err != nil {
		return err
	}
	r.driver = both{driver(r.driver), r.driver}
	for _, step := range []func(context.Context) error{
		r.openEvent,
		r.connect,
		func(ctx context.Context) error { return r.phase(ctx, pj.Live) },
		func(ctx context.Context) error { return r.play(ctx, 0, rounds[0]) },
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Attest is what the event does with what nodes attest.
func (b Board) Attest(ctx context.Context, facts ...ledger.Fact) error {
	return (&running{board: b}).attest(ctx, facts)
}
