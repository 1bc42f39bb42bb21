package demo

import (
	"context"
	"fmt"
	"slices"

	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/peer"
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
	return pj.Account{Party: "team:" + cc + "/operator", Post: pj.Contact, Country: cc, Systems: []string{node(cc)}}
}

// node is the name of a country's system in the event.
func node(cc string) string { return cc + "_node" }

// openEvent creates the event, registers every country's node and goes live.
func (r *running) openEvent(ctx context.Context) error {
	r.events = r.board.Events
	if _, err := r.events.CreateEvent(ctx, manager, pj.Event{ID: ID, Name: "Demonstration Projectathon", Line: "oots-edm:v2.0", Catalogue: "1.0", DataSet: "1", Slots: len(rounds), Sample: true}); err != nil {
		return err
	}
	if err := r.phase(ctx, pj.Announced, pj.RegistrationOpen); err != nil {
		return err
	}
	for _, s := range r.e.States {
		if !r.e.takesPart(s.Country) {
			continue
		}
		var lines []string
		for _, l := range r.n.Node(s.Country).Speaks() {
			lines = append(lines, string(l))
		}
		reg, err := r.events.Register(ctx, team(s.Country), pj.Registration{Event: ID, System: node(s.Country), Country: s.Country, Lines: lines, Mode: "automated", Capacity: 4,
			Capabilities: []pj.Capability{{Profile: "eIDAS", Actor: "identity requester", Option: "notified scheme"}, {Profile: "eIDAS", Actor: "eIDAS node"},
				{Profile: "evidence exchange", Actor: "Common Services query client"}, {Profile: "evidence exchange", Actor: "evidence requester"},
				{Profile: "evidence exchange", Actor: "data service", Option: "with preview"}, {Profile: "metadata management", Actor: "metadata updater"}}})
		if err != nil {
			return err
		}
		if _, err := r.events.Move(ctx, coordinator(s.Country), reg.ID, pj.Endorsed); err != nil {
			return err
		}
		if _, err := r.events.Move(ctx, manager, reg.ID, pj.Admitted); err != nil {
			return err
		}
	}
	return r.phase(ctx, pj.RegistrationClosed, pj.Preparation)
}

func (r *running) phase(ctx context.Context, states ...pj.EventState) error {
	for _, s := range states {
		if _, err := r.events.AdvanceEvent(ctx, manager, ID, s); err != nil {
			return err
		}
	}
	return nil
}

// probe tries every direction and tells who answered anybody.
func (r *running) probe(ctx context.Context) (map[string]bool, error) {
	found, err := r.events.Connect(ctx, peer.New(r.n, &peer.Recorder{}), ID)
	answers := map[string]bool{}
	for _, from := range r.n.Countries {
		for _, to := range r.n.Countries {
			answers[to] = answers[to] || found.Found[node(from)+">"+node(to)].OK
		}
	}
	return answers, err
}

// record brings a test that was played into the event: proposed and accepted by
// both teams, what was seen, and a monitor's verdict, from where it becomes
// facts.
func (r *running) record(ctx context.Context, t *test) error {
	asks, answers := t.requester.Country, t.provider.Country
	p, err := r.events.Propose(ctx, team(asks), ID, t.kase, node(asks), node(answers))
	if err != nil {
		return err
	}
	if err := r.events.Accept(ctx, team(answers), p.ID); err != nil {
		return err
	}
	if err := r.events.Drive(ctx, t, p.ID); err != nil {
		return err
	}
	monitor := monitors[slices.IndexFunc(monitors, func(m pj.Account) bool { return m.Country != asks && m.Country != answers })]
	if err := r.events.Claim(ctx, monitor, p.ID); err != nil {
		return err
	}
	if p, err = r.events.Test(ctx, monitor, p.ID); err != nil {
		return err
	}
	return r.events.Grade(ctx, monitor, p.ID, pj.Suggest(&p))
}

// Play is projectathon.Driver: it gives what was seen when the round was played.
// A failure is the provider's, whose faults the cases of this event look for.
func (t *test) Play(_ context.Context, p pj.PeerTest) (pj.Played, error) {
	out := pj.Played{Steps: map[string]string{}, Findings: []pj.Finding{{Assertion: "A-END", System: node(t.provider.Country), Holds: t.err == nil}}}
	outcome := "completed"
	if t.err != nil {
		outcome, out.Findings[0].Text = "failed", t.err.Error()
	}
	for _, s := range p.Steps {
		out.Steps[s.ID] = outcome
	}
	for _, c := range t.evidence {
		for kind, octets := range map[string][]byte{"envelope": c.Envelope, "regrep": c.Body} {
			out.Evidence = append(out.Evidence, pj.Captured{Octets: octets, Item: pj.Item{Kind: kind, MediaType: "application/xml", Producer: node(c.From), Country: c.From,
				Direction: direction(c, t.requester), Confidentiality: "shared"}})
		}
	}
	return out, nil
}

func direction(c network.Crossing, asker *network.Node) string {
	if c.From == asker.Country {
		return "sent"
	}
	return "received"
}

// tally is a line about the event as its records tell it.
func (r *running) tally(ctx context.Context) error {
	report, err := r.events.Report(ctx, ID)
	if err != nil {
		return err
	}
	c := report.Counts
	r.tell("%s", fmt.Sprintf("the event in figures: %d peer tests of %d pairs, %d verified, %d failed", c.Automatic, c.Pairs, c.Verified, c.Fail))
	return nil
}

// taking is how many countries take part.
func (r *running) taking() (n int) {
	for _, s := range r.e.States {
		if r.e.takesPart(s.Country) {
			n++
		}
	}
	return n
}
