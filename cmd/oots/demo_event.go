package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/conformance"
	event "github.com/once-only/oots/network/demo"
	"github.com/once-only/oots/web"
)

// playing is the demo's event: held once, then changed by whoever asks.
type playing struct {
	world   *world
	board   event.Board
	event   *event.Event
	network *network.Network
	work    *errgroup.Group // of what is played in the background

	mu   sync.Mutex
	busy string   // country of the change under way, or wholeEvent while the event is held
	told []string // the last lines
}

// wholeEvent stands for the event itself.
const wholeEvent = "*"

// mostTold is how many lines of progress are kept.
const mostTold = 50

// tell writes a line of progress and keeps it for the page.
func (p *playing) tell(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	fmt.Fprintln(p.world.err, line)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told = append(p.told, line); len(p.told) > mostTold {
		p.told = slices.Delete(p.told, 0, 1)
	}
}

// begin takes the network for the event or for a country's change.
func (p *playing) begin(who string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy != "" {
		return web.ErrBusy
	}
	p.busy = who
	return nil
}

func (p *playing) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = ""
}

// hold holds the event, unless this store has seen its end, and then the
// changes that were asked for.
func (p *playing) hold(ctx context.Context, fix, breaks []string) error {
	if err := p.begin(wholeEvent); err != nil {
		return err
	}
	defer p.end()
	held, err := event.Held(ctx, p.board)
	if err != nil {
		return err
	}
	if held {
		if err := p.event.Recall(ctx, p.network, p.board); err != nil {
			return err
		}
		p.tell("The event of this store was held before; the network is open for your own exchanges.")
	} else if err := p.event.Run(ctx, p.network, p.board, p.tell); err != nil {
		return err
	}
	for _, cc := range fix {
		if err := p.event.Change(ctx, p.network, p.board, cc, "", p.tell); err != nil {
			return fmt.Errorf("--fix %w", err)
		}
	}
	for _, cc := range breaks {
		if err := p.event.Change(ctx, p.network, p.board, cc, p.event.Default(cc), p.tell); err != nil {
			return fmt.Errorf("--break %w", err)
		}
	}
	return nil
}

// Systems is web.Workbench.
func (p *playing) Systems() (all []web.WorkSystem) {
	p.mu.Lock()
	busy := p.busy
	p.mu.Unlock()
	levels := map[string]int{}
	if s, err := p.board.Meter.Displayed(p.world, time.Time{}); err == nil {
		for _, x := range s.Entries {
			levels[x.Member] = x.Level
		}
	}
	risks, _ := p.board.AtRisk(p.world) // nobody while the demo ends
	for _, s := range p.event.Taking() {
		fault := p.event.Fault(s)
		w := web.WorkSystem{Country: s, System: conformance.Name(s), Fault: fault, What: event.What(fault), Level: levels[s], Risk: risks[s] != nil, Busy: busy != ""}
		if fault != "" && !p.event.Mendable(s) {
			w.Fault = "" // it was built so
		} else {
			for _, f := range p.event.FaultsFor(s) {
				w.Faults = append(w.Faults, web.WorkFault{Key: f, What: event.What(f)})
			}
		}
		all = append(all, w)
	}
	return all
}

// Change is web.Workbench; what it changes is played in the background.
func (p *playing) Change(_ context.Context, country, fault string) error {
	if err := p.world.Err(); err != nil {
		return err // the demo ends
	}
	if err := p.begin(country); err != nil {
		return err
	}
	p.work.Go(func() error {
		defer p.end()
		if err := p.event.Change(p.world, p.network, p.board, country, fault, p.tell); err != nil && p.world.Err() == nil {
			p.tell("the change of %s could not be played: %v", country, err)
		}
		return nil
	})
	return nil
}

// Told is web.Workbench.
func (p *playing) Told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}
