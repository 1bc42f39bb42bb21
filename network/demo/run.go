package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/peer"
	pj "github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/projectathon/watch"
)

// ID of the event in facts.
const ID = "demo-projectathon"

// running is one run of the event, or of what is played again after it.
type running struct {
	e      *Event
	n      *network.Network
	board  Board
	driver driver
	watch  *watch.Watcher
	tell   func(format string, args ...any)
	events *pj.Service
	event  string          // in which tests are proposed
	bad    map[string]bool // providers that cannot be reached, or never passed the baseline

	again bool      // what was played before is played once more,
	only  string    // of this country,
	began time.Time // unless it was since then
}

// driver plays tests and probes.
type driver interface {
	pj.Driver
	pj.Prober
}

func (e *Event) running(n *network.Network, b Board, tell func(format string, args ...any)) (*running, error) {
	r := &running{e: e, n: n, board: b, driver: peer.New(n, &e.bench), tell: tell, events: b.Events, event: ID, bad: map[string]bool{}, began: time.Now()}
	var err error
	r.watch, err = r.watcher()
	return r, err
}

// Run plays the event to its end and publishes a snapshot after each part of it.
// tell hears the progress, a line at a time. What an earlier Run over the same
// board has seen stays; a test that it left in the middle is played anew.
func (e *Event) Run(ctx context.Context, n *network.Network, b Board, tell func(format string, args ...any)) error {
	r, err := e.running(n, b, tell)
	if err != nil {
		return err
	}
	if err := e.Recall(ctx, n, b); err != nil {
		return err
	}
	if err := r.openEvent(ctx); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := r.register(ctx); err != nil {
		return err
	}
	// The suites play beside the event: each system in a place of its own.
	var suites errgroup.Group
	within, stop := context.WithCancel(ctx)
	defer func() { stop(); _ = suites.Wait() }()
	suites.Go(func() error {
		err := r.conform(within, r.taking(everybody)...)
		if err != nil {
			stop() // the event does not go on without them
		}
		return err
	})
	if err := r.exchange(within); err != nil {
		stop()
		if failed := suites.Wait(); failed != nil && ctx.Err() == nil {
			return failed
		}
		return err
	}
	if err := suites.Wait(); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{r.prepare, r.close, r.goLive} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// register is what countries bring: nominations and systems.
func (r *running) register(ctx context.Context) error {
	for _, s := range r.e.States {
		facts := s.nominations()
		if r.e.takesPart(s.Country) {
			facts = append(facts, r.e.components(s)...)
		}
		if err := r.say(ctx, facts...); err != nil {
			return err
		}
	}
	r.tell("%d countries are in the network, %d take part in the event", len(r.e.States), len(r.taking(everybody)))
	return r.publish(ctx, "Registration for the demonstration event")
}

// exchange is the event itself: connectivity, then round by round.
func (r *running) exchange(ctx context.Context) error {
	if e, err := r.events.Event(ctx, ID); err != nil || !e.Since[pj.Grading].IsZero() {
		return err // an earlier Run has seen all of it
	}
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.phase(ctx, pj.Live); err != nil {
		return err
	}
	if _, err := r.events.Interrupted(ctx, ID); err != nil {
		return err
	}
	return r.rounds(ctx)
}

func (r *running) rounds(ctx context.Context) error {
	for i, round := range rounds {
		if err := r.play(ctx, i, round); err != nil {
			return err
		}
	}
	return nil
}

// connect is the connectivity test: a ping in every direction.
func (r *running) connect(ctx context.Context) error {
	answers, err := r.probe(ctx)
	if err != nil {
		return err
	}
	all, count := r.taking(everybody), 0
	for _, cc := range all {
		r.bad[cc] = !answers[cc]
		if answers[cc] {
			count++
		}
	}
	r.tell("connectivity: %d of %d access points answer with a signed receipt", count, len(all))
	return nil
}

// close ends the event: all is graded, nobody appeals, the public is told.
func (r *running) close(ctx context.Context) error {
	if err := r.tally(ctx); err != nil {
		return err
	}
	if err := r.phase(ctx, pj.Grading, pj.Appeals, pj.Closed, pj.Reported); err != nil {
		return err
	}
	return r.events.Publish(ctx, manager, ID) // once, however often it is called
}

func list(all []string) string { return strings.Join(all, ", ") }

// publish publishes a snapshot of what the ledger holds, drafted, approved and
// published by three roles.
func (r *running) publish(ctx context.Context, reason string) error {
	if _, err := r.events.Settle(ctx); err != nil {
		return err
	}
	m := r.board.Meter
	if all, err := m.Snapshots(ctx); err != nil || !r.again && slices.ContainsFunc(all, func(s am.Snapshot) bool { return s.Reason == reason }) {
		return err // an earlier Run has published it
	}
	if err := m.Refresh(ctx); err != nil {
		return err
	}
	s, err := m.Draft(ctx, am.DraftOrder{By: "demo-drafter", Reason: reason, Note: reason + ". Sample data: nothing on this board is a statement about a country."})
	if err != nil {
		return err
	}
	if _, err = m.Approve(ctx, s.ID, "demo-approver"); err != nil {
		return err
	}
	if s, err = m.Publish(ctx, s.ID, "demo-publisher"); err != nil {
		return err
	}
	r.tell("snapshot %d published: %s", s.Sequence, reason)
	return nil
}

// lastly is the reason of the last snapshot of an event.
const lastly = "Services open to the public"

// Held tells whether an event has come to its end on a board; one that began and
// was ended goes on with Run.
func Held(ctx context.Context, b Board) (bool, error) {
	all, err := b.Meter.Snapshots(ctx)
	return slices.ContainsFunc(all, func(s am.Snapshot) bool { return s.Reason == lastly }), err
}
