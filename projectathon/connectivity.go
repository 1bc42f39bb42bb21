package projectathon

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/ledger"
)

// Connectivity is what probes found between the systems of an event. Keys are
// two systems, the sender first.
type Connectivity struct {
	Found map[string]Contacted // "FI_node>PT_node"
}

// Contacted is the last probe of one direction.
type Contacted struct {
	At    time.Time
	OK    bool
	Since time.Time // of this result
	Text  string
}

func direction(from, to string) string { return from + ">" + to }

// Green tells whether both directions answered at their last probe.
func (c Connectivity) Green(a, b string) bool {
	return c.Found[direction(a, b)].OK && c.Found[direction(b, a)].OK
}

// Prober tries one direction: an AS4 test message with its signed receipt.
type Prober interface {
	Probe(ctx context.Context, from, to Registration) error
}

// probes at a time, and the bound of one.
const (
	probesAtOnce = 4
	probeTime    = 20 * time.Second
)

// Connect probes every ordered pair of accepted systems of different countries,
// keeps the matrix and tells the ledger: one fact for each direction and day.
func (s *Service) Connect(ctx context.Context, p Prober, event string) (Connectivity, error) {
	regs, err := s.Registrations(ctx, event)
	if err != nil {
		return Connectivity{}, err
	}
	e, err := s.Event(ctx, event)
	if err != nil {
		return Connectivity{}, err
	}
	type try struct {
		from, to Registration
		err      error
	}
	var tries []*try
	for _, a := range regs {
		for _, b := range regs {
			if a.State == Admitted && b.State == Admitted && a.Country != b.Country {
				tries = append(tries, &try{from: a, to: b})
			}
		}
	}
	var g errgroup.Group
	g.SetLimit(probesAtOnce)
	for _, t := range tries {
		g.Go(func() error {
			within, stop := context.WithTimeout(ctx, probeTime)
			defer stop()
			t.err = p.Probe(within, t.from, t.to)
			return nil
		})
	}
	_ = g.Wait()
	if ctx.Err() != nil {
		return Connectivity{}, ctx.Err()
	}
	at := s.Now().UTC()
	var c Connectivity
	err = retry(func() error {
		k, err := get[Connectivity](ctx, s, KindConnectivity, event)
		if err != nil {
			if err != ErrUnknown {
				return err
			}
			k = fresh(KindConnectivity, event, event, Connectivity{})
		}
		if k.Value.Found == nil {
			k.Value.Found = map[string]Contacted{}
		}
		for _, t := range tries {
			key := direction(t.from.System, t.to.System)
			found := Contacted{At: at, OK: t.err == nil, Since: at}
			if t.err != nil {
				found.Text = short(t.err.Error(), 300)
			}
			if old, ok := k.Value.Found[key]; ok && old.OK == found.OK {
				found.Since = old.Since
			}
			k.Value.Found[key] = found
		}
		c = k.Value
		return put(ctx, s, Platform, TakePart, fmt.Sprintf("%d probes", len(tries)), k)
	})
	if err != nil {
		return c, err
	}
	var facts []ledger.Fact
	for _, t := range tries {
		outcome := "pass"
		if t.err != nil {
			outcome = "fail"
		}
		facts = append(facts, ledger.Fact{ID: idOf("probe", event, t.from.System, t.to.System, at.Format("20060102T150405")), Kind: ledger.Probe, Asserter: "platform", Verifier: "platform",
			Environment: ledger.Projectathon, HappenedAt: at, Sample: e.Sample, Subject: ledger.Subject{Country: t.from.Country, System: t.from.System, Partner: t.to.Country},
			Body: ledger.Body{Item: "as4-ping", Outcome: outcome}})
	}
	if len(facts) > 0 {
		_, err = s.Facts.Append(ctx, facts...)
	}
	return c, err
}

func short(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// Connectivity reads the matrix of an event; anybody who takes part may.
func (s *Service) Connectivity(ctx context.Context, event string) (Connectivity, error) {
	k, err := get[Connectivity](ctx, s, KindConnectivity, event)
	if err == ErrUnknown {
		return Connectivity{}, nil
	}
	return k.Value, err
}
