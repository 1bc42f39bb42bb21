package seed

import (
	"testing"

	cs "github.com/once-only/oots/commonservices"
)

func TestEverySetHoldsTogether(t *testing.T) {
	for name, d := range map[string]*cs.DataSet{"tables": DataSet(), "network": Network(), "a network of three": Network("FI", "NL", "DE"), "large": Large()} {
		for _, p := range d.Check() {
			t.Errorf("%s: %s", name, p)
		}
		if _, err := cs.NewCatalogue(d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSizes(t *testing.T) {
	if n := len(DataSet().Contributions); n != 11 {
		t.Errorf("the tables hold %d countries, want 11", n)
	}
	if n := len(Network().Contributions); n != 30 {
		t.Errorf("the network holds %d countries, want 30", n)
	}
	d, providers := Large(), 0
	for _, c := range d.Contributions {
		providers += len(c.Providers)
	}
	if len(d.Contributions) != LargeCountries || len(d.Requirements) != LargeRequirements || providers != LargeProviders {
		t.Errorf("the large catalogue has %d countries, %d requirements, %d providers", len(d.Contributions), len(d.Requirements), providers)
	}
	if n := len(People()); n != 6 {
		t.Errorf("there are %d people, want 6", n)
	}
}

// TestNamedIdentifiers holds the tables to the pattern by which generated
// identifiers are made: all but the few that were given before it.
func TestNamedIdentifiers(t *testing.T) {
	given := map[string]bool{"6a6f1d6e-1c60-4a55-9a1e-7f54f2f3c001": true, "c2f1a7f0-6f3e-4f21-b7ae-3b7f7f2a9c10": true,
		"9a3a4b1e-3f5b-4b0e-9f0a-5a6d7c8e9f01": true, "7d5b4d9a-9b8e-4a53-8f0d-0b8a2f3c7e44": true, "5d1c7a90-2f43-4a0e-8f57-0e6a4b7d2c31": true}
	same := func(found, format string, args ...any) {
		t.Helper()
		if want := uuid(format, args...); found != want && !given[found] {
			t.Errorf("%s is not the UUID of %q, %s", found, args, want)
		}
	}
	for _, r := range table("evidence_types") {
		same(r["classification"], "cls/%s/%s", r["country"], r["key"])
		same(r["record"], "dset/%s/%s", r["country"], r["key"])
	}
	for _, r := range table("frameworks") {
		same(r["uuid"], "rf/%s/%s/%s", r["country"], r["procedure"], r["requirement"])
	}
}

func TestCountriesOutsideTheNetworkLeaveTheDirectory(t *testing.T) {
	d := Network("FI")
	if n := len(d.Contributions["DE"].Records); n != 0 {
		t.Errorf("Germany's node is not started and has %d records", n)
	}
	if len(d.Contributions["DE"].Lists) == 0 || len(d.Contributions["FI"].Records) == 0 {
		t.Error("the Evidence Broker keeps all countries, the directory the started ones")
	}
}

func TestIdentifierFor(t *testing.T) {
	if got := People()[0].IdentifierFor("DE"); got != "FI/DE/DEMO-ALPHA-01" {
		t.Errorf("got %s", got)
	}
}
