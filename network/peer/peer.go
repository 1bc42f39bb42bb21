// Package peer plays peer tests over a running network and probes its access
// points: it is the projectathon.Driver and projectathon.Prober of systems that
// need no hands.
//
// Both sides are driven through the interfaces that portals and preview spaces
// use; the platform plays the person. Each case is one short script, a row of
// scripts. A side is blamed for what it sent or did not send; what the platform
// cannot play is its own error.
package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/validator"
)

// Driver plays the cases of the table scripts over a network that its bench
// equipped.
type Driver struct {
	network *network.Network
	bench   *Bench
	judge   *validator.Validator

	publishing sync.Mutex // one change of the directories at a time
}

// New makes a driver for a network whose plan b equipped.
func New(n *network.Network, b *Bench) *Driver {
	return &Driver{network: n, bench: b, judge: validator.New(validator.Config{})}
}

// Cases are those that the driver can play where the sides have what they need.
func Cases() []string {
	var all []string
	for id := range scripts {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// Able is projectathon.Driver.
func (d *Driver) Able(t *projectathon.PeerTest) error {
	script, ok := scripts[t.Case]
	if !ok {
		return errors.New("it takes hands, or what this network does not have")
	}
	p, err := d.begin(t)
	if err != nil {
		return err
	}
	if script.needs == nil {
		return nil
	}
	return script.needs(p)
}

// begin finds the nodes of a test.
func (d *Driver) begin(t *projectathon.PeerTest) (*playing, error) {
	p := &playing{Driver: d, test: t, conversation: as4.NewUUID(), out: projectathon.Played{Steps: map[string]string{}}}
	for i, side := range t.Sides {
		node := d.network.Node(side.Country)
		switch {
		case node == nil:
			return nil, fmt.Errorf("%s has no node in this network", side.Country)
		case i == 0 && node.Requester == nil:
			return nil, fmt.Errorf("%s has no portal in this network", side.Country)
		case i > 0 && node.Provider == nil:
			return nil, fmt.Errorf("%s has no registers in this network", side.Country)
		}
		if i > 0 {
			if _, err := edm.Negotiate(names(node.Announces()), p.nodes[0].Speaks()); err != nil {
				return nil, fmt.Errorf("%s speaks no line that %s announces", p.nodes[0].Country, node.Country)
			}
		}
		p.nodes = append(p.nodes, node)
	}
	p.asks, p.answers = p.nodes[0], p.nodes[1]
	p.asker, p.answerer = t.Sides[0].System, t.Sides[1].System
	return p, nil
}

func names(lines []edm.Line) (all []string) {
	for _, l := range lines {
		all = append(all, string(l))
	}
	return all
}

const (
	// playersAtOnce is how many tests are under way at a time, where they need not
	// wait for each other.
	playersAtOnce = 16
	// patience bounds one test: long enough that a loaded machine is never taken
	// for a silent partner.
	patience = 100 * time.Second
)

// Play is projectathon.Driver: first, a few at once, the tests that leave clock
// and network alone, then case by case and all at once those that do not.
func (d *Driver) Play(ctx context.Context, tests []projectathon.PeerTest, ended func(*projectathon.PeerTest, projectathon.Played, error)) {
	kinds := map[string][]*projectathon.PeerTest{}
	for i := range tests {
		t := &tests[i]
		kind := ""
		if scripts[t.Case].alone {
			kind = t.Case
		}
		kinds[kind] = append(kinds[kind], t)
	}
	var order []string
	for kind := range kinds {
		order = append(order, kind)
	}
	slices.Sort(order)
	for _, kind := range order {
		d.together(ctx, kinds[kind], kind != "", ended)
	}
}

// together plays tests side by side: a few at once, or all where they move the
// clock.
func (d *Driver) together(ctx context.Context, tests []*projectathon.PeerTest, all bool, ended func(*projectathon.PeerTest, projectathon.Played, error)) {
	free := make(chan struct{}, playersAtOnce)
	if all {
		free = make(chan struct{}, len(tests))
	}
	b := &barrier{clock: &d.bench.Clock, moved: d.network.Wake, present: len(tests)}
	var players sync.WaitGroup
	for _, t := range tests {
		free <- struct{}{}
		players.Go(func() {
			defer func() { b.leave(); <-free }()
			within, stop := context.WithTimeout(ctx, patience)
			defer stop()
			seen, err := d.play(within, t, b)
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			ended(t, seen, err)
		})
	}
	players.Wait()
}

func (d *Driver) play(ctx context.Context, t *projectathon.PeerTest, b *barrier) (projectathon.Played, error) {
	p, err := d.begin(t)
	if err != nil {
		return projectathon.Played{}, err
	}
	p.barrier = b
	d.bench.open(p.conversation)
	defer d.bench.take(p.conversation)
	err = scripts[t.Case].play(ctx, p)
	if ctx.Err() != nil && !errors.As(err, new(*blame)) {
		err = &blame{p.answerer, "answer", "A-TIME", "no end came within the time of the test"}
	}
	var fault *blame
	if err != nil && !errors.As(err, &fault) {
		return p.out, err
	}
	p.mark(fault)
	p.messages(ctx)
	return p.out, nil
}

// mark says how the steps went: what comes before a fault was completed, what
// comes after it was not reached.
func (p *playing) mark(fault *blame) {
	state := "completed"
	for _, s := range p.test.Steps {
		if fault != nil && s.ID == fault.step {
			p.out.Steps[s.ID], state = "failed", "skipped"
			continue
		}
		p.out.Steps[s.ID] = state
	}
	if fault != nil {
		p.out.Findings = append(p.out.Findings, projectathon.Finding{Assertion: fault.assertion, System: fault.system, Text: fault.text})
	}
}

// Probe is projectathon.Prober: a signed AS4 test message with its receipt.
func (d *Driver) Probe(ctx context.Context, from, to projectathon.Registration) error {
	a, b := d.network.Node(from.Country), d.network.Node(to.Country)
	if a == nil || b == nil {
		return errors.New("a side has no node in this network")
	}
	partner := a.AP.PMode.Partner(network.PartyOf(to.Country))
	if partner == nil {
		return fmt.Errorf("%s does not know the access point of %s", from.Country, to.Country)
	}
	answer, err := a.AP.Ping(ctx, partner, from.Country+"PORTAL01", to.Country+"REGISTER01")
	switch {
	case err != nil:
		return err
	case answer.Code != "":
		return fmt.Errorf("%s: %s", answer.Code, answer.Detail)
	}
	return nil
}
