package demo

import (
	"context"
	"fmt"

	"github.com/once-only/oots/network"
	pj "github.com/once-only/oots/projectathon"
)

// Change gives a country's system a fault, one of FaultsFor, or with "" mends
// it; then everything is played again that could come out otherwise, in the
// event that goes on all year, and a snapshot is published. The event itself
// must be over. ErrNotThere, ErrNotPlanned.
func (e *Event) Change(ctx context.Context, n *network.Network, b Board, country, fault string, tell func(format string, args ...any)) error {
	r, err := e.running(n, b, tell)
	if err != nil {
		return err
	}
	before := e.condition(country)
	if err := e.change(n, country, fault); err != nil {
		return err
	}
	if err := r.change(ctx, country, fault); err != nil {
		e.set(n, country, before) // so that it can be tried again
		return fmt.Errorf("%s: %w", country, err)
	}
	return nil
}

// change plays again what a country's new condition can change.
func (r *running) change(ctx context.Context, country, fault string) error {
	e, s := r.e, r.e.started[country]
	why := country + " mends its system"
	if fault == "" {
		_, version := e.state(country)
		r.tell("%s mends its system: version %s is tested again", country, version)
	} else {
		why = country + " has a fault"
		r.tell("%s has a fault: %s", country, What(fault))
	}
	r.again, r.only = true, country
	if err := r.permanent(ctx); err != nil {
		return err
	}
	if _, err := r.events.Interrupted(ctx, r.event); err != nil {
		return err
	}
	listed, err := r.blockers(ctx, country, fault)
	if err != nil {
		return err
	}
	if err := r.say(ctx, append(e.components(s), listed...)...); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return r.conform(ctx, country) },
		r.connect,
		r.rounds,
		func(ctx context.Context) error { return r.prepareOne(ctx, s) },
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := r.publish(ctx, "Played again: "+why); err != nil {
		return err
	}
	risks, err := r.board.Risks(ctx)
	for _, line := range risks {
		r.tell("  %s", line)
	}
	return err
}

// permanent opens the event that goes on all year, with every system in it.
func (r *running) permanent(ctx context.Context) error {
	t := r.board.Tests.Catalogue
	e, err := r.events.Host(ctx, pj.Event{Name: "Tests all year", Line: "oots-edm:v2.0", Catalogue: t.Version, DataSet: "seed", Sample: true})
	if err != nil {
		return err
	}
	r.event = e.ID
	return r.enrolAll(ctx)
}
