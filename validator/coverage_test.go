package validator

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/rules-coverage.md anew")

// series are the published numbers of the Exchange Data Model: 413 in all.
var series = []struct {
	prefix string
	last   int
}{
	{"R-EDM-REQ-S", 62}, {"R-EDM-REQ-C", 127},
	{"R-EDM-RESP-S", 66}, {"R-EDM-RESP-C", 58},
	{"R-EDM-ERR-S", 31}, {"R-EDM-ERR-C", 31},
	{"R-EDM-ebMS-", 38},
}

// Why a number has no entry.
const (
	unseen     = "text not seen"
	unassigned = "not assigned in the published releases"
	replaced   = "a number of the 2023 workbook; another rule or the schema says it"
	shared     = "eidas2: which of the three constraints bears which number was not seen; R-EDM-REQ-C063 refuses eidas2 before"
)

var withoutEntry = func() map[string]string {
	out := map[string]string{
		"R-EDM-REQ-S017": replaced, "R-EDM-REQ-S054": unseen, "R-EDM-REQ-S057": unseen, "R-EDM-REQ-S058": unseen,
		"R-EDM-REQ-C006": replaced, "R-EDM-REQ-C007": replaced, "R-EDM-REQ-C050": unassigned, "R-EDM-REQ-C065": replaced, "R-EDM-REQ-C066": replaced,
		"R-EDM-REQ-C112": unseen, "R-EDM-REQ-C116": unseen, "R-EDM-REQ-C117": unseen,
		"R-EDM-REQ-C121": shared, "R-EDM-REQ-C122": shared, "R-EDM-REQ-C123": shared, "R-EDM-REQ-C127": shared,
		"R-EDM-RESP-S038": unseen, "R-EDM-RESP-S039": unseen, "R-EDM-RESP-S040": unseen, "R-EDM-RESP-S043": unseen, "R-EDM-RESP-S044": unseen, "R-EDM-RESP-S064": unassigned,
		"R-EDM-RESP-C001": replaced, "R-EDM-RESP-C014": replaced, "R-EDM-RESP-C024": unassigned, "R-EDM-RESP-C025": unassigned, "R-EDM-RESP-C029": replaced, "R-EDM-RESP-C034": replaced, "R-EDM-RESP-C045": unseen,
		"R-EDM-RESP-C051": unseen, "R-EDM-RESP-C052": unseen, "R-EDM-RESP-C053": unseen, "R-EDM-RESP-C054": unseen, "R-EDM-RESP-C056": unseen, "R-EDM-RESP-C057": unseen,
		"R-EDM-ERR-S005": replaced,
	}
	for i := 1; i <= 38; i++ {
		switch i {
		case 17, 18, 19, 23, 30, 32, 37, 38:
		default:
			out[fmt.Sprintf("R-EDM-ebMS-%03d", i)] = unseen
		}
	}
	return out
}()

// entries sums up the table rows of each id.
func entries(tables []Table) (certain, advice map[string]Lines) {
	certain, advice = map[string]Lines{}, map[string]Lines{}
	for _, t := range tables {
		for i := range t.Rules {
			r := &t.Rules[i]
			certain[r.ID] |= r.certain()
			advice[r.ID] |= r.Advice &^ r.certain()
		}
	}
	return certain, advice
}

// Every published number is either an entry or listed with the reason why not.
func TestEveryNumberIsAccountedFor(t *testing.T) {
	certain, advice := entries(edmTables())
	total := 0
	for _, s := range series {
		for i := 1; i <= s.last; i++ {
			total++
			id := fmt.Sprintf("%s%03d", s.prefix, i)
			_, is := certain[id]
			why, not := withoutEntry[id]
			if is == not {
				t.Errorf("%s: entry %v, reason for none %q", id, is, why)
			}
		}
	}
	if total != 413 {
		t.Errorf("%d numbers, want 413", total)
	}
	for id := range certain {
		if strings.HasPrefix(id, "R-EDM-") {
			ok := false
			for _, s := range series {
				rest, is := strings.CutPrefix(id, s.prefix)
				ok = ok || is && len(rest) == 3
			}
			if !ok {
				t.Errorf("%s is no published number", id)
			}
		}
		if certain[id] == 0 && advice[id] == 0 {
			t.Errorf("%s is entered for no line", id)
		}
	}
}

// Rows of one id never both apply as certain on one line and kind at one place.
func TestRowsAreSound(t *testing.T) {
	for _, table := range Tables() {
		if table.Name == "" || table.On == 0 || table.Cites == "" {
			t.Errorf("table %q lacks its name, kinds or section", table.Name)
		}
		seen := map[string]Lines{}
		for i := range table.Rules {
			r := &table.Rules[i]
			if r.Check.Test == nil || r.Check.Expect == "" || first(r.Mend, r.Check.Mend) == "" {
				t.Errorf("%s: an entry without check, expectation or how to mend it", r.ID)
			}
			key := r.ID + " " + string(r.At)
			if both := seen[key] & r.certain(); both != 0 && strings.HasPrefix(r.ID, "R-EDM-") {
				t.Errorf("%s has two certain entries at %s on %v", r.ID, r.At, both)
			}
			seen[key] |= r.certain()
		}
	}
	v := New(Config{})
	for _, k := range kindNames {
		for _, l := range []Lines{V10, V11, V12, V20} {
			v.index(k.kind, l) // panics on a path or a row that cannot be read
		}
	}
}

// docs/rules-coverage.md says what is true; -update writes it anew.
func TestCoveragePage(t *testing.T) {
	want := coveragePage()
	const page = "../docs/rules-coverage.md"
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("%s is not true any more; run: go test ./validator -run CoveragePage -update (%v)", page, err)
	}
	t.Log(summaryOfCoverage())
}

func summaryOfCoverage() string {
	certain, advice := entries(edmTables())
	implemented, uncertain := 0, 0
	for id := range certain {
		switch {
		case !strings.HasPrefix(id, "R-EDM-"):
		case certain[id] == 0:
			uncertain++
		default:
			implemented++
		}
	}
	_ = advice
	return fmt.Sprintf("Of 413 published numbers %d are entered as certain on at least one line, %d only as advice, %d not: their text was not seen or nobody assigned them.", implemented, uncertain, len(withoutEntry))
}

func coveragePage() string {
	var b strings.Builder
	b.WriteString("# Rules: what is judged, what is advice, what is not\n\nWritten by `go test ./validator -run CoveragePage -update`; a test keeps it true.\n\n")
	b.WriteString(summaryOfCoverage() + "\n\n")
	b.WriteString("A rule that is certain on a line refuses by its severity; on a line where it is advice it is reported and refuses nothing.\nFor each certain or advised entry a test holds a message that passes and one that fails on exactly that rule.\n\n## Exchange Data Model\n\n| Rule | Certain on | Advice on |\n| --- | --- | --- |\n")
	certain, advice := entries(edmTables())
	for _, id := range slices.Sorted(maps.Keys(certain)) {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", id, dash(certain[id].String()), dash(advice[id].String()))
	}
	b.WriteString("\nIds beginning with H- are ours, for constraints of TDD 4.7 and 4.5 whose published number was not seen.\n\n## Numbers without an entry\n\n| Rule | Why |\n| --- | --- |\n")
	for _, id := range slices.Sorted(maps.Keys(withoutEntry)) {
		fmt.Fprintf(&b, "| %s | %s |\n", id, withoutEntry[id])
	}
	b.WriteString("\n## Between the messages\n\n| Rule | Cites | Severity |\n| --- | --- | --- |\n")
	for _, r := range conversationRules {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.ID, r.Cites, r.Severity)
	}
	b.WriteString("\nX-08 (the bytes of a part) needs the parts, which the validator does not get; X-17 asks nothing; X-47 and X-48 are a provider's own policy at run time.\n\n## Common Services\n\n| Rule | Certain on | Advice on |\n| --- | --- | --- |\n")
	certain, advice = entries(csTables())
	for _, id := range slices.Sorted(maps.Keys(certain)) {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", id, dash(certain[id].String()), dash(advice[id].String()))
	}
	b.WriteString("\nKnown and not run:\n\n| Rule | Why |\n| --- | --- |\n")
	for _, id := range slices.Sorted(maps.Keys(csNotRun)) {
		fmt.Fprintf(&b, "| %s | %s |\n", id, csNotRun[id])
	}
	return b.String()
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
