package testbed_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

const sound = "case EP-OWN-001 A title\ncites TDD 4.5.1\nrole evidence-provider\nfault accepts-anything\nsend request.xml\n-- request.xml --\nbase request\n"

// TestBrokenCasesSayWhere: line and reason, in words.
func TestBrokenCasesSayWhere(t *testing.T) {
	for _, c := range []struct{ old, with, want string }{
		{"send request.xml", "sned request.xml", ":5: no verb is called \"sned\""},
		{"send request.xml", "send nothing.xml", ":5: the case has no file \"nothing.xml\""},
		{"send request.xml", "send request.xml with wings", ":5: no deviation is called \"wings\""},
		{"send request.xml", "expect Something", ":5: no action is called"},
		{"send request.xml", "have answer //nobody:Person", ":5: the path"},
		{"send request.xml", "wait T9", ":5: \"T9\" is no time"},
		{"send request.xml", "attest \"open", ":5: a quotation mark does not close"},
		{"fault accepts-anything", "fault sleeps", ":4: no fault is called \"sleeps\""},
		{"role evidence-provider", "role king", ":3: no role is called \"king\""},
		{"case EP-OWN-001 A title", "case one A title", ":1: case wants an id"},
		{"cites TDD 4.5.1\n", "", "the line \"cites\" is missing"},
		{"send request.xml\n", "", "the case has no steps"},
		{"cites TDD 4.5.1", "cites TDD 4.5.1\ncites TDD 4.5.2", "stands there twice"},
	} {
		_, err := testbed.ParseCase("x.txt", []byte(strings.Replace(sound, c.old, c.with, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.with, err, c.want)
		}
	}
	if _, err := testbed.ParseCase("x.txt", []byte(sound)); err != nil {
		t.Error(err)
	}
	if _, err := testbed.ParseCase("x.txt", []byte(testbed.Skeleton("EP-OWN-002", "Mine"))); err != nil {
		t.Error("the skeleton:", err)
	}
}

// TestASuiteLoadsBesideABrokenCase.
func TestASuiteLoadsBesideABrokenCase(t *testing.T) {
	c, err := testbed.Load(fstest.MapFS{
		"EP-OWN/a.txt":      {Data: []byte(sound)},
		"EP-OWN/b.txt":      {Data: []byte(sound)},
		"EP-OWN/c.txt":      {Data: []byte("nonsense")},
		"EP-OWN/README.md":  {Data: []byte("# Own cases\nmore\n")},
		"base/request.xml":  {Data: []byte("<a/>")},
		"EP-OWN/d.txt":      {Data: []byte(strings.NewReplacer("EP-OWN-001", "EP-OWN-004", "base request", "base nothing").Replace(sound))},
		"EP-OWN/big.txt":    {Data: make([]byte, testbed.MaxCase+1)},
		"EP-OWN/base/b.xml": {Data: []byte("<b/>")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Suites) != 1 || len(c.Suites[0].Cases) != 1 || c.Suites[0].Title != "Own cases" || len(c.Problems) != 4 {
		t.Errorf("%+v, problems %v", c.Suites, c.Problems)
	}
}

// TestOwnSuitesStandOnOurs: a folder of own cases needs no base messages of its
// own, and what it has comes first.
func TestOwnSuitesStandOnOurs(t *testing.T) {
	own := fstest.MapFS{"EP-OWN/a.txt": {Data: []byte(strings.Replace(sound, "fault", "shows TC20\nfault", 1))}}
	if c, err := testbed.Load(own); err != nil || len(c.Problems) != 1 || c.Case("EP-OWN-001") != nil {
		t.Errorf("alone: %v, problems %v", err, c.Problems)
	}
	ours := catalogue(t)
	c, err := testbed.LoadOver(own, ours)
	if err != nil || len(c.Problems) > 0 || len(c.Suites) != 1 {
		t.Fatalf("over ours: %v, problems %v", err, c.Problems)
	}
	if run, err := lab(t, c, "", "oots-edm:v2.0").Play(t.Context(), c.Case("EP-OWN-001")); err != nil || run.Result != testbed.Pass {
		t.Error(err, run.Result, run.Why)
	}
	own["base/request.xml"] = &fstest.MapFile{Data: []byte("<own/>")}
	if c, err = testbed.LoadOver(own, ours); err != nil {
		t.Fatal(err)
	}
	if run, err := lab(t, c, "", "oots-edm:v2.0").Play(t.Context(), c.Case("EP-OWN-001")); err != nil || string(run.Messages[0].Body) != "<own/>" {
		t.Error("the base message of one's own does not come first", err)
	}
}

func FuzzParseCase(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte(testbed.Skeleton("EP-OWN-002", "Mine")))
	f.Add([]byte("case TC01 x\ncites a\nrole log\nrequester: do x=1\n-- a --\n-- a --\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := testbed.ParseCase("x.txt", text)
		if err == nil && (k.ID == "" || len(k.Steps) == 0) {
			t.Error("a case without id or steps")
		}
	})
}

// TestEveryFaultIsSought: a fault that no case looks for would go unseen.
func TestEveryFaultIsSought(t *testing.T) {
	sought := map[string]bool{}
	for _, s := range catalogue(t).Suites {
		for _, k := range s.Cases {
			sought[k.Fault] = true
		}
	}
	for _, f := range partner.AllFaults() {
		if !sought[f.Name] {
			t.Errorf("no case looks for %s: %s", f.Name, f.About)
		}
	}
}
