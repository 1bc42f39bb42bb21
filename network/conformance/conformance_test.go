package conformance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/conformance"
	"github.com/once-only/oots/suites"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
)

var (
	noon      = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	judge     = validator.New(validator.Config{})
	catalogue = sync.OnceValues(func() (*testbed.Catalogue, error) { return testbed.Load(suites.Files) })
	keys      = sync.OnceValues(func() (*partner.Keys, error) {
		return partner.NewKeys(func() time.Time { return noon }, testbed.PlatformName)
	})
)

func open(t *testing.T, country, line string, m network.Member) (*testbed.Runner, *testbed.Catalogue) {
	t.Helper()
	c, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	r, err := conformance.Open(t.Context(), conformance.Config{Country: country, Member: m, Catalogue: c, Keys: k, Judge: judge, Line: line, Version: "1", Start: noon})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, c
}

// TestANodeOfOursConforms plays every case of every suite against real nodes, in
// both lines, and none may fail or go unplayed.
func TestANodeOfOursConforms(t *testing.T) {
	for _, n := range []struct {
		country, line string
		member        network.Member
	}{{"DE", "oots-edm:v2.0", network.Member{}}, {"EE", "oots-edm:v1.2", network.Member{}}, {"IE", "oots-edm:v2.0", network.Member{NoProvider: true}}} {
		t.Run(n.country+" "+n.line, func(t *testing.T) {
			r, c := open(t, n.country, n.line, n.member)
			for _, s := range c.Suites {
				for _, k := range s.Cases {
					if testing.Short() && !strings.HasSuffix(k.ID, "1") {
						continue // a tenth of them
					}
					run, err := r.Play(t.Context(), k)
					if err != nil {
						t.Fatal(err)
					}
					applies := !k.Peer() && k.Speaks(n.line) && slices.Contains(r.Target.Roles, k.Role) && !(n.member.NoProvider && k.Answers())
					switch run.Result {
					case testbed.Pass, testbed.Warnings:
					case testbed.NotApplicable:
						if applies {
							t.Errorf("%s was not played: %s", k.ID, run.Why)
						}
					default:
						t.Errorf("%s: %s: %s", k.ID, run.Result, run.Why)
					}
				}
			}
		})
	}
}

// TestFaultsOfNodesAreFound: a node with a fault fails the case that looks for it,
// and a case about something else passes.
func TestFaultsOfNodesAreFound(t *testing.T) {
	for _, f := range []struct {
		fault         string
		member        network.Member
		fails, passes string
	}{
		{"the register always fails", network.Member{Register: func(exchange.DataService) exchange.DataService { return broken{} }}, "EP-SIM-001", "EP-SIM-041"},
		{"the register knows everybody", network.Member{Register: func(d exchange.DataService) exchange.DataService { return everybody{d} }}, "EP-SIM-003", "EP-SIM-001"},
	} {
		t.Run(f.fault, func(t *testing.T) {
			r, c := open(t, "FI", "oots-edm:v2.0", f.member)
			for id, want := range map[string]testbed.Result{f.fails: testbed.Fail, f.passes: testbed.Pass} {
				run, err := r.Play(t.Context(), c.Case(id))
				if err != nil || run.Result != want {
					t.Errorf("%s: %s (%s) %v, want %s", id, run.Result, run.Why, err, want)
				}
			}
		})
	}
}

type broken struct{}

func (broken) Records(context.Context, *exchange.Query) (*exchange.Records, error) {
	return nil, errors.New("the register is out of order")
}

type everybody struct{ exchange.DataService }

func (e everybody) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	r, err := e.DataService.Records(ctx, q)
	if err != nil || len(r.All) == 0 {
		return r, err
	}
	one := r.All[0]
	one.Subject = q.Subject()
	return &exchange.Records{All: []exchange.Record{one}}, nil
}

// TestWhoOnlyAsksIsTestedAsSuch: cases for a side that a node lacks do not apply.
func TestWhoOnlyAsksIsTestedAsSuch(t *testing.T) {
	r, c := open(t, "IE", "oots-edm:v2.0", network.Member{NoProvider: true})
	for id, want := range map[string]testbed.Result{"EP-SIM-001": testbed.NotApplicable, "ER-SIM-001": testbed.Pass} {
		run, err := r.Play(t.Context(), c.Case(id))
		if err != nil || run.Result != want {
			t.Errorf("%s: %s (%s) %v, want %s", id, run.Result, run.Why, err, want)
		}
	}
}
