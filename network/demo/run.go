package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/peer"
	pj "github.com/once-only/oots/projectathon"
)

// ID of the event in facts.
const ID = "demo-projectathon"

// running is one run of the event.
type running struct {
	e      *Event
	n      *network.Network
	board  Board
	driver *peer.Driver
	tell   func(format string, args ...any)
	kits   map[string]*sample.Kit
	sent   map[string]int // facts of a kit that are in the ledger
	events *pj.Service
	bad    map[string]bool // providers that cannot be reached, or never passed the baseline
}

// Run plays the event to its end and publishes a snapshot after each part of it.
// tell hears the progress, a line at a time. What an earlier Run over the same
// board has seen stays; a test that it left in the middle is played anew.
func (e *Event) Run(ctx context.Context, n *network.Network, b Board, tell func(format string, args ...any)) error {
	r := &running{e: e, n: n, board: b, driver: peer.New(n, &e.bench), tell: tell, kits: map[string]*sample.Kit{}, sent: map[string]int{}, bad: map[string]bool{}}
	serial := map[string]*int{}
	for _, s := range e.States {
		serial[s.Country] = new(int)
		k := sample.NewKit(s.Country, s.Role, serial[s.Country], partners(e, s.Country)...)
		k.Event, k.Lines = ID, []string{"oots-edm:v1.2", "oots-edm:v2.0"}
		r.kits[s.Country] = k
		if f := faults[s.Fault]; f.apply != nil {
			f.apply(n.Node(s.Country))
		}
	}
	if err := r.openEvent(ctx); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	r.register()
	if err := r.publish(ctx, "Registration for the demonstration event"); err != nil {
		return err
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
	for i, round := range rounds {
		if err := r.play(ctx, i, round); err != nil {
			return err
		}
	}
	if err := r.tally(ctx); err != nil {
		return err
	}
	r.production()
	if err := r.publish(ctx, lastly); err != nil {
		return err
	}
	return ctx.Err()
}

// partners of a country, for what its roles assert about pairs.
func partners(e *Event, country string) (all []string) {
	for i := range 2 * len(e.States) {
		if s := e.States[i%len(e.States)]; s.Country != country {
			all = append(all, s.Country)
		}
	}
	for len(all) < 3 {
		all = append(all, all...)
	}
	return all[:3]
}

// register is what countries bring: nominations, components, conformance.
func (r *running) register() {
	at := time.Now().UTC()
	for _, s := range r.e.States {
		k := r.kits[s.Country]
		if s.Shown < 2 {
			k.Add(ledger.Fact{Kind: ledger.Nomination, Asserter: "ms:" + s.Country, Verifier: "commission:desk", HappenedAt: at, Body: ledger.Body{Function: "coordinator"}})
			continue
		}
		for _, c := range []string{"AM2.1", "AM2.2", "AM2.3", "AM2.4", "AM3.2", "AM3.3", "AM4.1", "AM4.4"} {
			if int(c[2]-'0') <= s.Shown {
				k.Show(c, at)
			}
		}
	}
	r.tell("%d countries are in the network, %d take part in the event", len(r.e.States), len(r.taking(everybody)))
}

// connect is the connectivity test: a ping in every direction, and a fact for
// whoever answers.
func (r *running) connect(ctx context.Context) error {
	answers, err := r.probe(ctx)
	if err != nil {
		return err
	}
	count := 0
	for _, s := range r.e.States {
		if !r.e.takesPart(s.Country) {
			continue
		}
		outcome := "fail"
		if answers[s.Country] {
			outcome = "pass"
			count++
		} else {
			r.bad[s.Country] = true
		}
		k := r.kits[s.Country]
		k.Add(ledger.Fact{Kind: ledger.Conformance, Asserter: "platform", Environment: ledger.Testing, HappenedAt: time.Now().UTC(), Specification: k.Lines[len(k.Lines)-1],
			Subject: ledger.Subject{Role: s.Role, System: system(s), Component: "AP"},
			Body:    ledger.Body{Suite: "AS4-CONN", Outcome: outcome, Version: k.Version, Catalogue: "1.0", Mode: "automated", Event: ID}})
	}
	r.tell("connectivity: %d of %d access points answer with a signed receipt", count, len(r.taking(everybody)))
	return r.publish(ctx, "Connectivity of the demonstration event")
}

// system is the name that the kit gives to a country's system in a role.
func system(s State) string {
	if s.Role == ledger.Provider {
		return s.Country + "-registers"
	}
	return s.Country + "-portal"
}

func list(all []string) string { return strings.Join(all, ", ") }

// production is what happens after the event, for the countries that got so far.
func (r *running) production() {
	at := time.Now().UTC()
	for _, s := range r.e.States {
		for _, c := range []string{"AM4.6", "AM5.1", "AM5.2", "AM5.3", "AM5.4", "AM6.2", "AM6.3", "AM6.4", "AM6.5"} {
			if s.Shown >= 4 && int(c[2]-'0') <= s.Shown {
				r.kits[s.Country].Show(c, at)
			}
		}
	}
}

// publish appends what is new and publishes a snapshot of it, drafted, approved
// and published by three roles.
func (r *running) publish(ctx context.Context, reason string) error {
	var facts []ledger.Fact
	for _, s := range r.e.States {
		k := r.kits[s.Country]
		facts = append(facts, k.Facts[r.sent[s.Country]:]...)
		r.sent[s.Country] = len(k.Facts)
	}
	var fresh []ledger.Fact
	for _, f := range facts {
		f.ID, f.RecordedAt = ID+"/"+f.ID, time.Time{}
		if f.PointsAt != "" {
			f.PointsAt = ID + "/" + f.PointsAt
		}
		if _, err := r.board.Ledger.Fact(ctx, f.ID); errors.Is(err, ledger.ErrNotFound) {
			fresh = append(fresh, f) // the others were told by an earlier Run
		} else if err != nil {
			return err
		}
	}
	if _, err := r.board.Ledger.Append(ctx, fresh...); err != nil {
		return fmt.Errorf("demo: facts: %w", err)
	}
	m := r.board.Meter
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
const lastly = "Readiness sessions, connected authorities, first exchanges"

// Held tells whether an event has come to its end on a board; one that began and
// was ended goes on with Run.
func Held(ctx context.Context, b Board) (bool, error) {
	all, err := b.Meter.Snapshots(ctx)
	return slices.ContainsFunc(all, func(s am.Snapshot) bool { return s.Reason == lastly }), err
}
