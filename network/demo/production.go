package demo

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/projectathon/watch"
)

// watcher looks at the network's two environments from outside.
func (r *running) watcher() (*watch.Watcher, error) {
	return watch.New(watch.Config{Ledger: r.board.Ledger, Environments: []watch.Environment{r.n.Acceptance.Watched(), r.n.Production.Watched()},
		Private: true, Sample: true, Links: &tls.Config{RootCAs: r.n.Roots()}})
}

// prepare is what countries do for production: their data are in the
// directories of acceptance, their operation is checked.
func (r *running) prepare(ctx context.Context) error {
	for _, s := range r.e.States {
		if err := r.prepareOne(ctx, s); err != nil {
			return err
		}
	}
	return r.publish(ctx, "Conformance suites, metadata in acceptance, readiness sessions")
}

func (r *running) prepareOne(ctx context.Context, s State) error {
	if !r.e.takesPart(s.Country) {
		return nil
	}
	if _, err := r.watch.Look(ctx, ledger.Acceptance, s.Country); err != nil {
		return err
	}
	// A country that asks no directory shows by a revision that it keeps its data.
	m, _ := r.e.state(s.Country)
	if m.NoRequester && !m.Unreachable {
		if err := r.n.Node(s.Country).Revise(ctx, r.n.Acceptance); err != nil {
			return err
		}
		if _, err := r.watch.Look(ctx, ledger.Acceptance, s.Country); err != nil {
			return err
		}
	}
	if s.Shown < 4 {
		return nil
	}
	if err := r.say(ctx, s.readiness()...); err != nil {
		return err
	}
	_, err := r.watch.Look(ctx, ledger.ProductionEnv, s.Country)
	return err
}

// live is a country with its service in production.
type live struct {
	State
	service *network.Service
}

// goLive connects the authorities of countries that got so far, which make a
// first exchange; those that get further open their service, and a person uses
// it.
func (r *running) goLive(ctx context.Context) error {
	var all []live
	for _, s := range r.e.States {
		if s.Level < 5 {
			continue
		}
		service, err := r.first(ctx, s)
		if err != nil {
			return err
		}
		all = append(all, live{s, service})
	}
	if len(all) > 0 {
		if err := r.publish(ctx, "Connected authorities, first exchanges"); err != nil {
			return err
		}
	}
	for _, l := range all {
		if l.Level == 6 {
			if err := r.open(ctx, l); err != nil {
				return err
			}
		}
	}
	return r.publish(ctx, lastly)
}

// first connects a country's authority and makes its first exchange in
// production, with the first country without a fault that can.
func (r *running) first(ctx context.Context, s State) (*network.Service, error) {
	partners := slices.DeleteFunc(r.n.PartnersFor(s.Country, s.Role), func(cc string) bool { return r.e.started[cc].Fault != "" || !r.e.takesPart(cc) })
	if len(partners) == 0 {
		return nil, fmt.Errorf("demo: nobody can go live with %s", s.Country)
	}
	service, facts, err := r.n.GoLive(ctx, s.Country, s.Role, partners[0])
	if err != nil {
		return nil, err
	}
	if err := r.attest(ctx, facts); err != nil {
		return nil, err
	}
	if err := r.say(ctx, append(consents(s.Country, partners[0]), connection(service, "connected"))...); err != nil {
		return nil, err
	}
	r.tell("%s is live in production: %s answered a system check of its partner %s", s.Country, service.Authority, partners[0])
	_, err = r.watch.Look(ctx, ledger.ProductionEnv, s.Country)
	return service, err
}

// open opens a country's service, which a person uses, and reports the month.
func (r *running) open(ctx context.Context, l live) error {
	if err := l.service.Open(); err != nil {
		return err
	}
	if err := r.say(ctx, connection(l.service, "open")); err != nil {
		return err
	}
	if _, err := r.watch.Look(ctx, ledger.ProductionEnv, l.Country); err != nil {
		return err
	}
	for _, step := range []func() ([]ledger.Fact, error){
		func() ([]ledger.Fact, error) { return l.service.Use(ctx) },
		func() ([]ledger.Fact, error) { return l.service.Report(ctx, time.Now().UTC().Format("2006-01")) },
	} {
		facts, err := step()
		if err != nil {
			return err
		}
		if err := r.attest(ctx, facts); err != nil {
			return err
		}
	}
	r.tell("%s is open to the public: a person of the demonstration got a document with %s", l.Country, l.service.Partner)
	return nil
}

// attest puts the attestations of nodes into the ledger, unless an earlier Run has
// put there what the same node said of the same step.
func (r *running) attest(ctx context.Context, facts []ledger.Fact) error {
	for _, f := range facts {
		known := false
		for e, err := range r.board.Ledger.Facts(ctx, ledger.Filter{Kind: f.Kind, Country: f.Subject.Country}) {
			if err != nil {
				return err
			}
			k := e.Fact
			known = known || k.Subject == f.Subject && k.Body.RealUser == f.Body.RealUser && k.Body.Period == f.Body.Period
		}
		if known {
			continue
		}
		f.RecordedAt = time.Time{}
		if _, err := r.board.Ledger.Append(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// connection is what a country says of its authority, confirmed by the service
// desk.
func connection(s *network.Service, state string) ledger.Fact {
	f := s.Connection(state)
	f.ID, f.Verifier = fmt.Sprintf("connection/%s/%s/%s", s.Country, s.Role, state), desk
	if f.Body.Link != "" { // a network that was started anew has other addresses
		sum := sha256.Sum256([]byte(f.Body.Link))
		f.ID += "/" + hex.EncodeToString(sum[:4])
	}
	return f
}
