// Package demo is a testing event over a running network, from the first
// nomination to the published board: countries in a realistic state of
// readiness, some with a fault, test with each other round by round, every
// message is judged, every verdict becomes a fact, levels follow.
//
// Pairwise tests and connectivity are really played over the network. What no
// exchange can show (nominations, conformance suites, sessions, production) is
// asserted and verified by demonstration roles. Every fact is sample data.
package demo

import (
	"context"
	"fmt"
	"slices"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/peer"
	pj "github.com/once-only/oots/projectathon"
)

// State is how ready a country comes to the event, and what must follow.
type State struct {
	Country string
	Role    ledger.Role // in which it takes part
	// Shown is the highest level whose criteria, as far as no exchange shows them,
	// its demonstration roles assert.
	Shown int
	Fault string // one of faults; "" for none
	Level int    // that must stand on the board in the end
}

// faults that a country may bring, each found by some case.
var faults = map[string]struct {
	what   string
	member network.Member
	apply  func(*network.Node)
}{
	"answers for anybody": {"its register gives a document about anybody who is asked for; TC02 finds it", network.Member{NoRequester: true, Register: anybody}, nil},
	"register broken":     {"its register always fails; TC01 finds it", network.Member{NoRequester: true, Register: broken}, nil},
	"not reachable":       {"its access point does not answer; the connectivity test finds it", network.Member{NoRequester: true}, func(n *network.Node) { n.Down(true) }},
	"no register yet":     {"it has a portal and no register; it is tested as a requester", network.Member{NoProvider: true}, nil},
}

// states are those of the default eight; every other country is a provider that
// has come as far as the baseline exchange.
var states = []State{
	{"FI", ledger.Provider, 6, "", 6},
	{"NL", ledger.Provider, 5, "", 5},
	{"DE", ledger.Provider, 4, "", 4},
	{"EL", ledger.Provider, 3, "register broken", 2},
	{"AT", ledger.Provider, 4, "answers for anybody", 3},
	{"IE", ledger.Requester, 3, "no register yet", 3},
	{"FR", ledger.Provider, 3, "not reachable", 2},
	{"EE", ledger.Provider, 1, "", 1},
}

// Event is the demonstration's event. Its fields do not change after New.
type Event struct {
	States  []State
	started map[string]State
	bench   peer.Bench
}

// New plans an event of the first n countries.
func New(n int) *Event {
	e := &Event{started: map[string]State{}}
	askers := 0
	for _, c := range seed.Countries()[:n] {
		i := slices.IndexFunc(states, func(s State) bool { return s.Country == c.Code })
		s := State{Country: c.Code, Role: ledger.Provider, Shown: 3, Level: 3}
		if i >= 0 {
			s = states[i]
		}
		if s.Shown >= 2 && !faults[s.Fault].member.NoRequester {
			askers++
		}
		e.States = append(e.States, s)
	}
	// Level 4 asks for three partners beside the country itself.
	for i := range e.States {
		if s := &e.States[i]; askers < 4 && s.Level > 3 {
			s.Level = 3
		}
		e.started[e.States[i].Country] = e.States[i]
	}
	return e
}

// takesPart tells whether a country has a system to register for the event.
func (e *Event) takesPart(country string) bool { return e.started[country].Shown >= 2 }

// Plan is the network that the event needs.
func (e *Event) Plan() network.Plan {
	p := network.Plan{Members: map[string]network.Member{}}
	for _, s := range e.States {
		p.Countries = append(p.Countries, s.Country)
		p.Members[s.Country] = faults[s.Fault].member
	}
	e.bench.Equip(&p)
	return p
}

// Board is where results go: what happened to Events, what it proves to Ledger,
// where countries stand to Meter.
type Board struct {
	Events *pj.Service
	Ledger *ledger.Ledger
	Meter  *am.Meter
}

// Unexpected are countries whose published level is not what their state and
// fault say, in words.
func (e *Event) Unexpected(s am.Snapshot) (all []string) {
	for _, want := range e.States {
		i := slices.IndexFunc(s.Entries, func(x am.Entry) bool { return x.Member == want.Country })
		got := 0
		if i >= 0 {
			got = s.Entries[i].Level
		}
		if got != want.Level {
			all = append(all, fmt.Sprintf("%s stands on level %d, expected %d", want.Country, got, want.Level))
		}
	}
	return all
}

// anybody is the register of a country that looks up no person.
func anybody(d exchange.DataService) exchange.DataService { return careless{d} }

type careless struct{ exchange.DataService }

func (c careless) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	r, err := c.DataService.Records(ctx, q)
	if err != nil || len(r.All) == 0 {
		return r, err
	}
	one := r.All[0]
	one.Subject = q.Subject()
	one.Subject.Representative, one.Subject.RepresentativeOrganisation = nil, nil
	return &exchange.Records{All: []exchange.Record{one}}, nil
}

func broken(exchange.DataService) exchange.DataService { return failing{} }

type failing struct{}

func (failing) Records(context.Context, *exchange.Query) (*exchange.Records, error) {
	return nil, fmt.Errorf("the register is out of order")
}
