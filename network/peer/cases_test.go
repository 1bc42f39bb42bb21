package peer_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/peer"
	pj "github.com/once-only/oots/projectathon"
)

var eight = []string{"NL", "FI", "DE", "EL", "AT", "IE", "FR", "EE"}

// table is a network with a driver, without an event around it.
func table(t testing.TB, members map[string]network.Member, countries ...string) *peer.Driver {
	t.Helper()
	var bench peer.Bench
	plan := network.Plan{Countries: countries, Members: members}
	bench.Equip(&plan)
	n, err := network.Start(context.Background(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return peer.New(n, &bench)
}

// test is an accepted one of a case, between the nodes of countries.
func test(kase string, countries ...string) pj.PeerTest {
	i := slices.IndexFunc(pj.Cases(), func(c pj.Case) bool { return c.ID == kase })
	t := pj.PeerTest{ID: kase + fmt.Sprint(countries), Case: kase, State: pj.Accepted, Steps: pj.Cases()[i].Steps}
	for i, cc := range countries {
		role := pj.Provider
		if i == 0 {
			role = pj.Requester
		}
		t.Sides = append(t.Sides, pj.Side{System: cc + "_node", Country: cc, Role: role, Accepted: true})
	}
	return t
}

// findings are those that do not hold.
func findings(p pj.Played) []pj.Finding {
	return slices.DeleteFunc(slices.Clone(p.Findings), func(f pj.Finding) bool { return f.Holds })
}

// all plays tests in one batch and gives what was seen, by test.
func all(t testing.TB, d *peer.Driver, tests []pj.PeerTest) map[string]pj.Played {
	t.Helper()
	var mu sync.Mutex
	out := map[string]pj.Played{}
	d.Play(t.Context(), tests, func(p *pj.PeerTest, seen pj.Played, failed error) {
		mu.Lock()
		defer mu.Unlock()
		if _, twice := out[p.ID]; twice {
			t.Errorf("%s ended twice", p.ID)
		}
		out[p.ID] = seen
		if failed != nil {
			t.Errorf("%s: the platform failed: %v", p.ID, failed)
		}
	})
	if len(out) != len(tests) {
		t.Errorf("%d tests of %d ended", len(out), len(tests))
	}
	return out
}

// TestEveryCasePassesBetweenHonestNodes plays every case between every pair, or
// three, that can, in both lines: one batch, in which those that move the clock
// and take access points away must not disturb each other.
func TestEveryCasePassesBetweenHonestNodes(t *testing.T) {
	most, lines := 4, []edm.Line{edm.V20, edm.V12} // pairs of a case
	if testing.Short() {
		most, lines = 1, lines[:1]
	}
	for _, line := range lines {
		t.Run(string(line), func(t *testing.T) {
			members := map[string]network.Member{}
			for _, cc := range eight {
				members[cc] = network.Member{Lines: []edm.Line{line}}
			}
			d := table(t, members, eight...)
			var tests []pj.PeerTest
			played := map[string]int{}
			for _, kase := range peer.Cases() {
				for i, a := range eight {
					for j, b := range eight {
						sides := []string{a, b}
						if kase == "TC07" || kase == "TC07_b" {
							sides = append(sides, eight[(j+1)%len(eight)])
						}
						p := test(kase, sides...)
						if i == j || sides[len(sides)-1] == a || played[kase] == most || d.Able(&p) != nil {
							continue
						}
						played[kase]++
						tests = append(tests, p)
					}
				}
			}
			for _, kase := range peer.Cases() {
				if newest := kase == "TC24"; played[kase] == 0 && !(newest && line == edm.V12) && !(kase == "TC28" && line == edm.V20) {
					t.Errorf("nobody can play %s", kase)
				}
			}
			for id, seen := range all(t, d, tests) {
				for _, f := range findings(seen) {
					t.Errorf("%s: %s of %s: %s", id, f.Assertion, f.System, f.Text)
				}
				if len(seen.Findings) == 0 {
					t.Errorf("%s has no finding", id)
				}
			}
		})
	}
}
