package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
)

// fault is something that a country may bring, or get, and that some case finds.
type fault struct {
	what   string
	member network.Member
	// register is between the provider and its registers while it has the fault.
	register func(exchange.DataService) exchange.DataService
	// to are the roles that it can be given to later; none: it is part of how the
	// country was built.
	to []ledger.Role
}

var faults = map[string]fault{
	"answers for anybody": {"its register gives a document about anybody who is asked for; EP-SIM-003 and TC02 find it", network.Member{NoRequester: true}, anybody, provider},
	"register broken":     {"its register always fails; EP-SIM-001 and TC01 find it", network.Member{NoRequester: true}, broken, provider},
	"not reachable":       {"its access point does not answer; AS4-CONN and the connectivity test find it", network.Member{NoRequester: true, Unreachable: true}, nil, []ledger.Role{ledger.Provider, ledger.Requester}},
	"no register yet":     {"it has a portal and no register; it is tested as a requester", network.Member{NoProvider: true}, nil, nil},
}

var provider = []ledger.Role{ledger.Provider}

// Fault is what is wrong with a country's system now; "" for nothing.
func (e *Event) Fault(country string) string { return e.condition(country).fault }

// What describes a fault in words.
func What(name string) string { return faults[name].what }

// FaultsFor are the faults that a country can be given, in order.
func (e *Event) FaultsFor(country string) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		if slices.Contains(faults[name].to, e.started[country].Role) {
			all = append(all, name)
		}
	}
	return all
}

// Mendable tells whether a country has a fault that can be mended.
func (e *Event) Mendable(country string) bool { return len(faults[e.Fault(country)].to) > 0 }

// Errors of Change.
var (
	ErrNotThere   = errors.New("this country has no system in the event")
	ErrNotPlanned = errors.New("that cannot be changed about this system")
)

// Default is the fault that a country gets when nobody names one: of its
// register where it has one. It is empty where none can be given.
func (e *Event) Default(country string) string {
	all := e.FaultsFor(country)
	switch {
	case slices.Contains(all, "register broken"):
		return "register broken"
	case len(all) > 0:
		return all[0]
	}
	return ""
}

// May tells whether a country's system can be given a fault now, or with "" be
// mended: nil, ErrNotThere or ErrNotPlanned.
func (e *Event) May(country, name string) error {
	switch was := e.Fault(country); {
	case !e.takesPart(country):
		return fmt.Errorf("%s: %w", country, ErrNotThere)
	case name == "" && !e.Mendable(country), name != "" && !slices.Contains(e.FaultsFor(country), name), was != "" && !e.Mendable(country):
		return fmt.Errorf("%s: %w", country, ErrNotPlanned)
	}
	return nil
}

// change gives a country's system a fault, or with "" mends it, which makes a
// new version of it.
func (e *Event) change(n *network.Network, country, name string) error {
	if err := e.May(country, name); err != nil {
		return err
	}
	c := e.condition(country)
	if c.fault = name; name == "" {
		c.minor++
	}
	e.set(n, country, c)
	return nil
}

// set brings a country's system into a condition.
func (e *Event) set(n *network.Network, country string, c condition) {
	if before, after := faults[e.Fault(country)].member.Unreachable, faults[c.fault].member.Unreachable; before != after {
		n.Node(country).Down(after)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now[country] = c
}

// Recall takes over from a board's ledger which countries have mended their
// systems there, and which have listed a fault since.
func (e *Event) Recall(ctx context.Context, n *network.Network, b Board) error {
	known := func(id string) (bool, error) {
		_, err := b.Ledger.Fact(ctx, id)
		if errors.Is(err, ledger.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	for _, s := range e.States {
		c := e.condition(s.Country)
		for {
			next := condition{minor: c.minor + 1}
			mended, err := known(ID + "/" + componentID(s.Country, s.Role, "AP", next.version()))
			if err != nil {
				return err
			}
			if !mended {
				break
			}
			c = next
		}
		listed, err := b.blockers(ctx, s.Country)
		if err != nil {
			return err
		}
		for _, f := range listed {
			if mended, err := known(f.ID + "/closed"); err != nil {
				return err
			} else if !mended && len(faults[f.Body.Title].to) > 0 {
				c.fault = f.Body.Title
			}
		}
		e.set(n, s.Country, c)
	}
	return nil
}

// switched is a register with the fault that its country has at the moment.
type switched struct {
	exchange.DataService
	event   *Event
	country string
}

func (s switched) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	d := s.DataService
	if f := faults[s.event.Fault(s.country)]; f.register != nil {
		d = f.register(d)
	}
	return d.Records(ctx, q)
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
	return nil, errors.New("the register is out of order")
}
