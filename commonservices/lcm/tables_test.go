package lcm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
)

func parts() map[string]*cs.Contribution {
	out := map[string]*cs.Contribution{}
	for name, set := range map[string]*cs.DataSet{"network": seed.Network(), "large": seed.Large()} {
		for cc, c := range set.Contributions {
			if name == "network" || cc == "FR" {
				out[name+" "+cc] = c
			}
		}
	}
	return out
}

// TestTablesHoldEverything: writing back every row, and every table as a file,
// changes nothing.
func TestTablesHoldEverything(t *testing.T) {
	for name, c := range parts() {
		untouched, _ := json.Marshal(c)
		for _, table := range lcm.Tables() {
			raw, err := table.CSV(c)
			if err != nil {
				t.Fatal(err)
			}
			next, faults := table.ReplaceCSV(c, raw)
			if len(faults) > 0 {
				t.Fatalf("%s, %s: %v", name, table.Name, faults[0])
			}
			if diff := cmp.Diff(c, next, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s, %s as a file:\n%s", name, table.Name, diff)
			}
			for i, key := range table.Keys(c) {
				if i > 3 {
					break
				}
				next, err := table.Put(c, key, table.Row(c, key))
				if err != nil {
					t.Fatalf("%s, %s, %s: %v", name, table.Name, key, err)
				}
				if diff := cmp.Diff(c, next, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("%s, %s, %s:\n%s", name, table.Name, key, diff)
				}
				if next := table.Remove(c, key); table.Row(next, key) != nil {
					t.Errorf("%s, %s: %s is removed and still there", name, table.Name, key)
				}
			}
		}
		if after, _ := json.Marshal(c); string(after) != string(untouched) {
			t.Fatalf("%s: a table changed the part that others see", name)
		}
	}
}

func TestClerksAddressChangesOnlyThat(t *testing.T) {
	m := manager(t)
	table := lcm.TableNamed("providers")
	c := m.Part("FI")
	key := table.Keys(c)[0]
	row := table.Row(c, key)
	row["street"], row["city"], row["postcode"] = "Demo Street", "Helsinki", "00100"
	next, err := table.Put(c, key, row)
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Replace(t.Context(), lcm.Author{Party: "clerk:FI", How: lcm.ByScreen}, m.DataSet().Revision, next)
	if err != nil || r.Changed != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := m.Replace(t.Context(), lcm.Author{Party: "clerk:FI", How: lcm.ByScreen}, r.Number-1, next); err == nil {
		t.Error("a form that is older than the newest revision is taken")
	}
	row["scheme"] = "urn:other"
	if again, _ := table.Put(m.Part("FI"), key, row); again.Providers[0].Identifier != c.Providers[0].Identifier {
		t.Error("the identifier of a row changed")
	}
}

func TestCSVRefusesWhatItCannotRead(t *testing.T) {
	table := lcm.TableNamed("procedures")
	c := seed.DataSet().Contributions["FI"]
	for name, raw := range map[string]string{
		"empty":          "",
		"unknown column": "id,colour\n1,red\n",
		"torn line":      "id,titles\n\"1,EN: x\n",
		"no language":    "id,titles\n1,x\n",
	} {
		_, faults := table.ReplaceCSV(c, []byte(raw))
		if len(faults) == 0 || !strings.Contains(faults[0].Text, " ") {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

// TestVersionsOfCodeLists are the cases of TDD 3.5.2.
func TestVersionsOfCodeLists(t *testing.T) {
	m := manager(t)
	table := lcm.TableNamed("code-lists")
	key := "DemoRegistryTown"
	try := func(version, codes string) error {
		row := table.Row(m.Part("DE"), key)
		row["version"] = version
		row["codes"] = codes
		next, err := table.Put(m.Part("DE"), key, row)
		if err != nil {
			t.Fatal(err)
		}
		raw := encode(t, next, lcm.EncodeOptions{Services: lcm.Classifications})
		_, err = m.Submit(t.Context(), lcm.Author{Party: "ms:DE", How: lcm.ByAPI}, "DE", raw)
		return err
	}
	codes := table.Row(m.Part("DE"), key)["codes"]
	if !strings.Contains(codes, "HAMBURG") {
		t.Fatal(codes)
	}
	for name, c := range map[string]struct{ version, codes string }{
		"a used value removed":                 {"2.0.0", strings.Replace(codes, "HAMBURG", "OTHER", 1)},
		"values added under the same version":  {"1.0.0", codes + "\nDRESDEN | EN: Dresden"},
		"an older version":                     {"0.9.0", codes},
		"a version that is none":               {"next", codes},
		"an unused value without a raised one": {"1.0.0", codes + "\nX | EN: X"},
	} {
		r := refusal(t, try(c.version, c.codes))
		if r.Faults[0].Rule != lcm.RuleVersion {
			t.Errorf("%s: %v", name, r.Faults)
		}
		if r.Faults[0].Line == 0 {
			t.Errorf("%s: the fault has no place", name)
		}
	}
	if err := try("1.1.0", codes+"\nDRESDEN | EN: Dresden"); err != nil {
		t.Errorf("values added and the version raised: %v", err)
	}
	if err := try("2.0.0", codes); err != nil {
		t.Errorf("an unused value removed and the version raised: %v", err)
	}
	l := m.Part("DE").CodeLists[0]
	if l.Version != "2.0.0" || len(l.Earlier) != 2 || len(l.Earlier[1].Codes) != len(l.Codes)+1 {
		t.Errorf("the list's history is %+v", l)
	}
	if _, err := m.Restore(t.Context(), lcm.Author{Party: "clerk:DE"}, "DE", m.DataSet().Revision-1); err != nil {
		t.Fatal(err)
	}
	if l := m.Part("DE").CodeLists[0]; l.Version != "3.0.0" || !l.Has("DRESDEN") {
		t.Errorf("a restored list has a later version: %+v", l)
	}
}
