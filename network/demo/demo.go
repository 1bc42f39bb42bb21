// Package demo is a testing event over a running network, from the first
// nomination to the published board: countries in a realistic state of
// readiness, some with a fault, play the conformance suites, test with each
// other round by round and go into production; every message is judged, every
// result becomes a fact, levels follow. Afterwards a fault can be mended, or a
// country given one, and what it changes is played again.
//
// What a test, a watcher or an exchange can show is shown by them. What none can
// (nominations, components, readiness checks, consents) is handed in over the
// API by demonstration roles. Every fact is sample data.
package demo

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/conformance"
	"github.com/once-only/oots/network/peer"
	pj "github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/validator"
)

// State is how ready a country comes to the event, and what must follow.
type State struct {
	Country string
	Role    ledger.Role // in which it takes part
	// Shown is the highest level for which its roles hand in what no test shows.
	Shown int
	Fault string // one of Faults; "" for none
	Level int    // that must stand on the board in the end
	// Mended is the level that must stand there once the fault is mended.
	Mended int
}

// states are those of the default eight; every other country is a provider that
// has come as far as the baseline exchange.
var states = []State{
	{"FI", ledger.Provider, 6, "", 6, 6},
	{"NL", ledger.Provider, 5, "", 5, 5},
	{"DE", ledger.Provider, 4, "", 4, 4},
	{"EL", ledger.Provider, 3, "register broken", 2, 3},
	{"AT", ledger.Provider, 4, "answers for anybody", 2, 4},
	{"IE", ledger.Requester, 3, "no register yet", 3, 3},
	{"FR", ledger.Provider, 3, "not reachable", 1, 3},
	{"EE", ledger.Provider, 1, "", 1, 1},
}

// Event is the demonstration's event with the countries' present faults.
type Event struct {
	States  []State // as they come to the event
	started map[string]State
	bench   peer.Bench

	mu  sync.Mutex
	now map[string]condition
}

// condition is what a country's system is like now.
type condition struct {
	fault string
	minor int // of its version, which every mending raises
}

func (c condition) version() string { return fmt.Sprint("1.", c.minor) }

// New plans an event of the first n countries.
func New(n int) *Event {
	e := &Event{started: map[string]State{}, now: map[string]condition{}}
	askers := 0
	for _, c := range seed.Countries()[:n] {
		i := slices.IndexFunc(states, func(s State) bool { return s.Country == c.Code })
		s := State{Country: c.Code, Role: ledger.Provider, Shown: 3, Level: 3, Mended: 3}
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
		if s := &e.States[i]; askers < 4 {
			s.Level, s.Mended = min(s.Level, 3), min(s.Mended, 3)
		}
		s := e.States[i]
		e.started[s.Country], e.now[s.Country] = s, condition{fault: s.Fault}
	}
	return e
}

// takesPart tells whether a country has a system to register for the event.
func (e *Event) takesPart(country string) bool { return e.started[country].Shown >= 2 }

// Plan is the network that the event needs.
func (e *Event) Plan() network.Plan {
	p := network.Plan{Members: map[string]network.Member{}}
	for _, s := range e.States {
		m := faults[s.Fault].member
		m.Register = func(d exchange.DataService) exchange.DataService { return switched{d, e, s.Country} }
		p.Countries = append(p.Countries, s.Country)
		p.Members[s.Country] = m
	}
	e.bench.Equip(&p)
	return p
}

// Systems are the event's nodes as the test platform finds them, in the
// condition in which they are when a run begins.
func (e *Event) Systems(c *testbed.Catalogue, judge *validator.Validator) *conformance.Systems {
	return &conformance.Systems{State: e.state, Countries: e.Taking(), Catalogue: c, Judge: judge}
}

// Taking are the countries that take part, in the order of the event.
func (e *Event) Taking() (all []string) {
	for _, s := range e.States {
		if e.takesPart(s.Country) {
			all = append(all, s.Country)
		}
	}
	return all
}

// state is what is different about a country's node now, and its version.
func (e *Event) state(country string) (network.Member, string) {
	was := faults[e.started[country].Fault].member
	c := e.condition(country)
	now := faults[c.fault]
	return network.Member{NoRequester: was.NoRequester, NoProvider: was.NoProvider, Unreachable: now.member.Unreachable, Register: now.register}, c.version()
}

func (e *Event) condition(country string) condition {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now[country]
}

// Board is where results go: suites are played by Tests, which must be running
// (its Run); what happened in the event goes to Events, what it proves to Ledger, where countries stand to
// Meter. API is the site's, for those who hand in what no test shows with Token,
// which may import facts.
type Board struct {
	Tests  *testbed.Service
	Events *pj.Service
	Ledger *ledger.Ledger
	Meter  *am.Meter
	API    http.Handler
	Token  string
}

// Unexpected are countries whose published level is not what their state and
// fault say, in words. One that was given a fault keeps its level and is
// proposed for a lower one.
func (e *Event) Unexpected(ctx context.Context, b Board) (all []string, err error) {
	s, err := b.Meter.Displayed(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	risks, err := b.AtRisk(ctx)
	if err != nil {
		return nil, err
	}
	for _, want := range e.States {
		got, _ := s.Entry(want.Country)
		level, now := want.Level, e.condition(want.Country)
		if want.Fault != "" && now.minor > 0 {
			level = want.Mended
		}
		if got.Level != level {
			all = append(all, fmt.Sprintf("%s stands on level %d, expected %d", want.Country, got.Level, level))
		}
		if broken := now.fault != "" && (now.fault != want.Fault || now.minor > 0); broken && level > 2 && risks[want.Country] == nil {
			all = append(all, fmt.Sprintf("%s has a fault (%s) and is not at risk", want.Country, now.fault))
		}
	}
	return all, nil
}

// AtRisk are the proposals of the last snapshot to demote a country: nobody loses
// a level without a decision.
func (b Board) AtRisk(ctx context.Context) (map[string]*am.Proposal, error) {
	proposals, err := b.Meter.Proposals(ctx)
	all := map[string]*am.Proposal{}
	for i, p := range proposals {
		if p.Why == am.Demotion {
			all[p.Member] = &proposals[i]
		}
	}
	return all, err
}

// Risks are sentences about countries that are at risk.
func (b Board) Risks(ctx context.Context) (all []string, err error) {
	risks, err := b.AtRisk(ctx)
	for _, country := range slices.Sorted(maps.Keys(risks)) {
		p := risks[country]
		all = append(all, fmt.Sprintf("%s keeps level %d and is at risk: level %d is proposed, since %s no longer hold; its coordinator answers by %s",
			country, p.Published, p.Computed, strings.Join(p.Missing, ", "), p.AnswerBy.Format(time.DateOnly)))
	}
	return all, err
}
