package validator

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// csDefect is one message of the Common Services with one defect: a fixture in
// testdata/cs, judged on the line of its name or the one behind "@", in which
// old becomes new every time it occurs. Where old begins with "@" it is a row of
// edits: "@cut:sdg:Title 2" removes the second sdg:Title, "@cut:rim:Slot[Name]"
// the slot of that name, "@twice:" repeats instead; new is then "old=>new".
type csDefect struct {
	rule, fixture, old, new string
	// also are other rules that say the same of this defect.
	also string
}

func csKind(fixture string) Kinds {
	k, _ := ParseKind(map[string]string{
		"eb-req": "EB-REQ", "eb-evi": "EB-EVI", "eb-err": "EB-ERR", "eb-sub": "EB-SUB", "dsd-resp": "DSD-RESP", "dsd-err": "DSD-ERR", "dsd-err-none": "DSD-ERR",
		"dsd-sub": "DSD-SUB", "lcm-suc": "LCM-SUC", "lcm-err": "LCM-ERR",
	}[fixture[:strings.LastIndexByte(fixture, '-')]])
	return k
}

func csFixture(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/cs/" + name[:strings.LastIndexByte(name, '@')] + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// judgeCS judges a fixture; "@1.2" behind its name says on which other line.
func judgeCS(t testing.TB, v *Validator, fixture, old, new string) *Report {
	t.Helper()
	if !strings.Contains(fixture, "@") {
		fixture += "@" + fixture[strings.LastIndexByte(fixture, '-')+1:]
	}
	raw := csFixture(t, fixture)
	if old != "" || new != "" {
		mutated := edit(t, raw, old, new)
		if mutated == raw {
			t.Fatalf("%s: %q is not in it", fixture, old)
		}
		raw = mutated
	}
	return v.Validate([]byte(raw), Options{Kind: csKind(fixture), Line: ParseLine(fixture[strings.IndexByte(fixture, '@')+1:])})
}

func edit(t testing.TB, raw, old, new string) string {
	if !strings.HasPrefix(old, "@") {
		return strings.ReplaceAll(raw, old, new)
	}
	for _, op := range strings.Split(old[1:], " @") {
		verb, what, _ := strings.Cut(op, ":")
		name, nth, _ := strings.Cut(what, " ")
		k := max(1, int(strings.TrimSpace(nth + "0")[0]-'0'))
		from, to := element(t, raw, name, k)
		switch verb {
		case "cut":
			raw = raw[:from] + raw[to:]
		case "twice":
			raw = raw[:to] + raw[from:to] + raw[to:]
		default:
			t.Fatalf("no edit is called %q", verb)
		}
	}
	if a, b, ok := strings.Cut(new, "=>"); ok {
		raw = strings.ReplaceAll(raw, a, b)
	}
	return raw
}

// element finds the k-th element of a name, such as sdg:Title or rim:Slot[Name].
func element(t testing.TB, raw, name string, k int) (from, to int) {
	name, slot, _ := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	open := regexp.MustCompile("<" + name + `(\s[^>]*)?/?>`)
	for _, at := range open.FindAllStringIndex(raw, -1) {
		tag := raw[at[0]:at[1]]
		if slot != "" && !strings.Contains(tag, `name="`+slot+`"`) {
			continue
		}
		if k--; k > 0 {
			continue
		}
		if strings.HasSuffix(tag, "/>") {
			return at[0], at[1]
		}
		return at[0], at[0] + strings.Index(raw[at[0]:], "</"+name+">") + len(name) + 3
	}
	t.Fatalf("no %s in the fixture", name)
	return
}

func foundIDs(r *Report) []string {
	var ids []string
	for _, f := range r.Findings {
		if !slices.Contains(ids, f.Rule) {
			ids = append(ids, f.Rule)
		}
	}
	return ids
}

func TestCSFixturesAreSound(t *testing.T) {
	v := New(Config{})
	files, err := os.ReadDir("testdata/cs")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".xml")
		r := judgeCS(t, v, name, "", "")
		for _, x := range r.Findings {
			t.Errorf("%s:%d:%d: %s: found %s, expected %s", f.Name(), x.Line, x.Column, x.Rule, x.Found, x.Expected)
		}
		raw := csFixture(t, name+"@")
		if got := v.Validate([]byte(raw), Options{}); got.Kind != csKind(name) || got.Lines.String() != name[strings.LastIndexByte(name, '-')+1:] {
			t.Errorf("%s is taken for %v of line %v", f.Name(), got.Kind, got.Lines)
		}
	}
}

// Every rule has a message that fails on it, and on nothing else but what the
// table names.
func TestCSRulesFailOnTheirDefect(t *testing.T) {
	v := New(Config{})
	type entry struct {
		id    string
		lines Lines
	}
	missing := map[entry]bool{}
	var all []Rule
	for _, table := range csTables() {
		all = append(all, table.Rules...)
		for _, r := range table.Rules {
			missing[entry{r.ID, r.certain() | r.Advice}] = true
		}
	}
	for _, d := range csDefects {
		r := judgeCS(t, v, d.fixture, d.old, d.new)
		got, want := foundIDs(r), append(strings.Fields(d.also), d.rule)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s in %s (%q → %q):\n  found %v\n  want  %v", d.rule, d.fixture, d.old, d.new, got, want)
		}
		if slices.Contains(r.Passed, d.rule) {
			t.Errorf("%s in %s is listed as passed too", d.rule, d.fixture)
		}
		for _, f := range r.Findings {
			if f.Found == "" || f.Expected == "" || f.Mend == "" || f.Cites == "" || f.Line == 0 {
				t.Errorf("%s in %s does not say enough: %+v", f.Rule, d.fixture, f)
			}
		}
		for e := range missing {
			if e.id == d.rule && e.lines&r.Lines != 0 {
				delete(missing, e)
			}
		}
	}
	for e := range missing {
		t.Errorf("%s on lines %v has no message that fails on it", e.id, e.lines)
	}
	if len(all) < 300 {
		t.Errorf("only %d rules", len(all))
	}
}

// Of the 395 rows known of the Common Services each is run or said not to be.
func TestCSRowsAreAllAccountedFor(t *testing.T) {
	ids := map[string]bool{}
	for _, table := range csTables() {
		for _, r := range table.Rules {
			ids[r.ID] = true
		}
	}
	run := len(ids)
	for id, why := range csNotRun {
		if ids[id] || why == "" {
			t.Errorf("%s is run, or has no reason not to be", id)
		}
		ids[id] = true
	}
	if run != 373 || len(ids) != 395 {
		t.Errorf("%d rows are run and %d known, not 373 of 395", run, len(ids))
	}
}

// What is certain for 1.x and unconfirmed for 2.0 is advice there.
func TestCSUnconfirmedRulesAreAdvice(t *testing.T) {
	v := New(Config{})
	for _, c := range []struct {
		fixture string
		advice  bool
	}{{"eb-req-1.0", false}, {"eb-req-2.0", true}} {
		r := judgeCS(t, v, c.fixture, ` lang="EN">Proof`, `>Proof`)
		if len(r.Findings) != 1 || r.Findings[0].Rule != "R-EB-REQ-C003" || r.Findings[0].Advice != c.advice || r.Refused() == c.advice {
			t.Errorf("%s: %+v", c.fixture, r.Findings)
		}
	}
}
