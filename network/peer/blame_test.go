package peer_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	pj "github.com/once-only/oots/projectathon"
)

// anybody is a register that knows everybody.
type anybody struct{ exchange.DataService }

func (a anybody) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	r, err := a.DataService.Records(ctx, q)
	if err == nil && len(r.All) > 0 {
		r = &exchange.Records{All: r.All[:1]}
		r.All[0].Subject = q.Subject()
	}
	return r, err
}

func with(register func(exchange.DataService) exchange.DataService) network.Member {
	return network.Member{Register: register}
}

// TestBlameGoesToTheSideAtFault plays cases between a country with a fault and
// honest ones: nobody is blamed for its partner.
func TestBlameGoesToTheSideAtFault(t *testing.T) {
	d := table(t, map[string]network.Member{
		"FI": with(func(d exchange.DataService) exchange.DataService { return broken{d} }),
		"DE": with(func(d exchange.DataService) exchange.DataService { return anybody{d} }),
	}, "NL", "FI", "DE", "FR")
	want := map[string]string{ // assertion that fails
		"TC01[NL FI]": "A-END", "TC06[NL FI]": "A-PREVIEW", "TC32[NL FI]": "A-END", "TC04_b[NL FI]": "A-END", "TC09[NL FI]": "A-PREVIEW", "TC03[NL FI]": "",
		"TC02[NL DE]": "A-END", "TC25[NL DE]": "A-END", "TC01[NL DE]": "", "TC08[NL DE]": "", "TC01[FI NL]": "", "TC06[DE NL]": "", "TC07[FR NL FI]": "A-PREVIEW",
	}
	var tests []pj.PeerTest
	for id := range want {
		kase, sides := id[:len(id)-len("[NL FI]")], []string{id[len(id)-6 : len(id)-4], id[len(id)-3 : len(id)-1]}
		if id == "TC07[FR NL FI]" {
			kase, sides = "TC07", []string{"FR", "NL", "FI"}
		}
		tests = append(tests, test(kase, sides...))
	}
	for id, seen := range all(t, d, tests) {
		bad := findings(seen)
		if want[id] == "" {
			if len(bad) > 0 {
				t.Errorf("%s is blamed: %+v", id, bad)
			}
			continue
		}
		at := id[len(id)-3 : len(id)-1]
		if len(bad) != 1 || bad[0].Assertion != want[id] || bad[0].System != at+"_node" {
			t.Errorf("%s: %+v; want %s of %s", id, bad, want[id], at)
		}
		if !slices.Contains(slices.Collect(maps.Values(seen.Steps)), "failed") {
			t.Errorf("%s has the steps %v", id, seen.Steps)
		}
	}
}

// TestWhatCannotBePlayedIsRefusedBefore: with the reason in words.
func TestWhatCannotBePlayedIsRefusedBefore(t *testing.T) {
	d := table(t, map[string]network.Member{"FI": {NoProvider: true}, "DE": {NoRequester: true}}, "NL", "FI", "DE", "EE")
	for id, p := range map[string]pj.PeerTest{
		"TC30 takes hands":            test("TC30", "NL", "DE"),
		"FI has no registers":         test("TC01", "NL", "FI"),
		"DE has no portal":            test("TC01", "DE", "NL"),
		"SE has no node":              test("TC01", "NL", "SE"),
		"EE speaks no line of NL":     test("TC01", "EE", "NL"),
		"NL never asks DE for births": test("TC05", "NL", "DE"),
	} {
		if d.Able(&p) == nil {
			t.Errorf("%s, and is not refused", id)
		}
	}
	if p := test("TC01", "FI", "NL"); d.Able(&p) != nil {
		t.Error("FI may ask NL")
	}
}

// TestATestThatIsToldToStopIsThePlatforms: no side is blamed for it.
func TestATestThatIsToldToStopIsThePlatforms(t *testing.T) {
	d := table(t, nil, "NL", "FI")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	d.Play(ctx, []pj.PeerTest{test("TC01", "NL", "FI")}, func(_ *pj.PeerTest, _ pj.Played, failed error) {
		if !errors.Is(failed, context.Canceled) {
			t.Errorf("it ends with %v", failed)
		}
	})
}
