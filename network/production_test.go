package network_test

import (
	"errors"
	"strings"
	"testing"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
)

// check is a system check of a country's provider.
func check(country string) exchange.Wish {
	return exchange.Wish{Procedure: "00", Country: country, Subject: network.Natural("Check", ""), Languages: []string{"EN"}, Explicit: true}
}

func TestProductionBeginsEmptyAndHoldsWhatIsSubmitted(t *testing.T) {
	n := start(t, network.Plan{Countries: []string{"FI", "NL"}})
	ctx, fi, nl, live := soon(t), n.Node("FI"), n.Node("NL"), n.Production
	refused := func(why, part string) {
		t.Helper()
		if _, err := nl.AskIn(ctx, live, check("FI"), ""); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want an error with %q", why, err, part)
		}
	}
	refused("a requester that is not in production", "EB:ERR:0001")
	if err := nl.Launch(ctx, network.Share{Procedures: []string{"00"}}); err == nil {
		refused("a provider that is not in production", "EB:ERR:0001")
	} else {
		t.Fatal(err)
	}
	if err := fi.Launch(ctx, network.Share{Authorities: []string{"FIDEMO0003"}}); err != nil {
		t.Fatal(err)
	}
	c, err := nl.AskIn(ctx, live, check("FI"), "application/pdf")
	if err != nil {
		t.Fatal(err)
	}
	x, err := nl.Await(ctx, c.Exchanges[0].ID)
	if err != nil || x.State != exchange.Delivered {
		t.Fatalf("the exchange is %s %+v, %v", x.State, x.Problem, err)
	}
	// Identifiers of acceptance mean nothing in production, and the other way
	// round; neither do signatures.
	tested := n.Acceptance.Lifecycle.Part("FI")
	for _, record := range tested.Records {
		if live.Publishes(record.Classification) {
			t.Errorf("%s of acceptance is in production", record.Classification)
		}
	}
	part := live.Lifecycle.Part("FI")
	if len(part.Records) != 1 || len(part.Providers) != 1 || len(part.Frameworks) != 0 || n.Acceptance.Publishes(part.Records[0].Classification) {
		t.Errorf("production holds %d records, %d providers, %d procedures", len(part.Records), len(part.Providers), len(part.Frameworks))
	}
	if live.Roots.Equal(n.Acceptance.Roots) || live.Services == n.Acceptance.Services {
		t.Error("production shares roots or address with acceptance")
	}
	// A second authority comes beside the first.
	if err := fi.Launch(ctx, network.Share{Authorities: []string{"FIDEMO0001"}, Procedures: []string{"V1"}}); err != nil {
		t.Fatal(err)
	}
	if part := live.Lifecycle.Part("FI"); len(part.Providers) != 2 || len(part.Frameworks) != 1 || len(part.AccessServices) != 1 {
		t.Errorf("production holds %d providers, %d procedures, %d access services", len(part.Providers), len(part.Frameworks), len(part.AccessServices))
	}
	for _, s := range []network.Share{{Authorities: []string{"NLDEMO0001"}}, {Procedures: []string{"ZZ"}}} {
		if err := fi.Launch(ctx, s); err == nil {
			t.Errorf("FI launches %+v", s)
		}
	}
	// A clerk's screen is the other way in; a file over HTTP is none.
	next := *live.Lifecycle.Part("FI")
	next.Frameworks = nil
	for how, allowed := range map[lcm.How]bool{lcm.ByAPI: false, lcm.ByScreen: true} {
		if _, err := live.Lifecycle.Replace(ctx, lcm.Author{Party: "clerk:FI/7", How: how}, live.Lifecycle.DataSet().Revision, &next); (err == nil) != allowed {
			t.Errorf("a change by %s: %v", how, err)
		}
	}
	if part := live.Lifecycle.Part("FI"); len(part.Frameworks) != 0 {
		t.Error("what the clerk took out is still there")
	}
	if n.Acceptance.Lifecycle.DataSet().Revision != 1 {
		t.Error("going live changed acceptance")
	}
}

// The directories are found by name, each environment under its own label, and
// nothing under another.
func TestTheDirectoriesAreFoundByName(t *testing.T) {
	n := start(t, network.Plan{Countries: []string{"FI"}})
	for label, want := range map[string]string{"acc": n.Acceptance.Services, "prod": n.Production.Services, "testing": ""} {
		names := &cs.NAPTR{Server: n.DNS, Environment: label, Zone: "oots.example"}
		for _, service := range []cs.Service{cs.EvidenceBroker, cs.DataServiceDirectory} {
			base, err := names.Locate(soon(t), "EL", service, 2)
			switch {
			case want == "" && !errors.Is(err, cs.ErrNoRecord):
				t.Errorf("%s: %v, %v", label, base, err)
			case want != "" && (err != nil || base.String() != want+"/"+string(service)+"/"):
				t.Errorf("%s: %v, %v, want %s", label, base, err, want)
			}
		}
	}
}
