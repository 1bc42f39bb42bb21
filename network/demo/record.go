package demo

import (
	"context"
	"errors"
	"slices"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/conformance"
	pj "github.com/once-only/oots/projectathon"
)

// roles that act in the event.
var (
	manager = pj.Account{Party: "manager:demo-1", Post: pj.Manager}
	// monitors, of whom one is neutral in every pair.
	monitors = []pj.Account{
		{Party: "monitor:SE-demo1", Post: pj.Monitor, Country: "SE", Expertise: expertise},
		{Party: "monitor:CZ-demo2", Post: pj.Monitor, Country: "CZ", Expertise: expertise},
		{Party: "monitor:PT-demo3", Post: pj.Monitor, Country: "PT", Expertise: expertise},
	}
	expertise = []string{"eID", "eDelivery", "Common Services", "specifications"}
)

func coordinator(cc string) pj.Account {
	return pj.Account{Party: "coordinator:" + cc, Post: pj.Coordinator, Country: cc}
}

func team(cc string) pj.Account {
	return pj.Account{Party: "team:" + cc + "/operator", Post: pj.Contact, Country: cc, Systems: []string{conformance.Name(cc)}}
}

func lines(all []edm.Line) (text []string) {
	for _, l := range all {
		text = append(text, string(l))
	}
	return text
}

// openEvent creates the event, registers every country's node and prepares it,
// as far as that was not done before the platform was last ended.
func (r *running) openEvent(ctx context.Context) error {
	if _, err := r.events.Event(ctx, ID); errors.Is(err, pj.ErrUnknown) {
		if _, err := r.events.CreateEvent(ctx, manager, pj.Event{ID: ID, Name: "Demonstration Projectathon", Line: "oots-edm:v2.0", Catalogue: r.board.Tests.Catalogue.Version, DataSet: "seed", Slots: len(rounds), Sample: true}); err != nil {
			return err
		}
	}
	if err := r.phase(ctx, pj.Announced, pj.RegistrationOpen); err != nil {
		return err
	}
	if err := r.enrolAll(ctx); err != nil {
		return err
	}
	return r.phase(ctx, pj.RegistrationClosed, pj.Preparation)
}

// enrolAll registers the nodes of all countries that take part.
func (r *running) enrolAll(ctx context.Context) error {
	known, err := r.events.Registrations(ctx, r.event)
	if err != nil {
		return err
	}
	for _, s := range r.e.States {
		if !r.e.takesPart(s.Country) || slices.ContainsFunc(known, func(k pj.Registration) bool { return k.Country == s.Country && k.State == pj.Admitted }) {
			continue
		}
		if err := r.enrol(ctx, s.Country); err != nil {
			return err
		}
	}
	return nil
}

// enrol registers a country's node, endorsed and accepted.
func (r *running) enrol(ctx context.Context, cc string) error {
	reg, err := r.events.Register(ctx, team(cc), pj.Registration{Event: r.event, System: conformance.Name(cc), Country: cc, Lines: lines(r.n.Node(cc).Speaks()), Mode: "automated", Capacity: 4,
		Capabilities: []pj.Capability{{Profile: "eIDAS", Actor: "identity requester", Option: "notified scheme"}, {Profile: "eIDAS", Actor: "eIDAS node"},
			{Profile: "evidence exchange", Actor: "Common Services query client"}, {Profile: "evidence exchange", Actor: "evidence requester"},
			{Profile: "evidence exchange", Actor: "data service", Option: "with preview"}, {Profile: "metadata management", Actor: "metadata updater"}}})
	if err != nil {
		return err
	}
	if _, err := r.events.Move(ctx, coordinator(cc), reg.ID, pj.Endorsed); err != nil {
		return err
	}
	_, err = r.events.Move(ctx, manager, reg.ID, pj.Admitted)
	return err
}

// phase takes the event through phases, those that it has not seen yet.
func (r *running) phase(ctx context.Context, states ...pj.EventState) error {
	for _, s := range states {
		e, err := r.events.Event(ctx, ID)
		if err != nil {
			return err
		}
		if _, seen := e.Since[s]; seen {
			continue
		}
		if _, err := r.events.AdvanceEvent(ctx, manager, ID, s); err != nil {
			return err
		}
	}
	return nil
}

// probe tries every direction and tells who answered anybody.
func (r *running) probe(ctx context.Context) (map[string]bool, error) {
	found, err := r.events.Connect(ctx, r.driver, r.event)
	answers := map[string]bool{}
	for _, from := range r.n.Countries {
		for _, to := range r.n.Countries {
			answers[to] = answers[to] || found.Found[conformance.Name(from)+">"+conformance.Name(to)].OK
		}
	}
	return answers, err
}

// tally is a line about the event as its records tell it.
func (r *running) tally(ctx context.Context) error {
	report, err := r.events.Report(ctx, ID)
	if err != nil {
		return err
	}
	c := report.Counts
	r.tell("the event in figures: %d peer tests of %d pairs, %d verified, %d failed", c.Automatic, c.Pairs, c.Verified, c.Fail)
	return nil
}

// taking are the countries that take part and whose nodes pass.
func (r *running) taking(pass func(*network.Node) bool) (all []string) {
	for _, cc := range r.n.Countries {
		if r.e.takesPart(cc) && pass(r.n.Node(cc)) {
			all = append(all, cc)
		}
	}
	return all
}

// everybody who takes part.
func everybody(*network.Node) bool { return true }
