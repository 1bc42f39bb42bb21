package official

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/validator"
)

func TestCompareNamesEveryDifference(t *testing.T) {
	theirs := &Verdict{Schema: true, Rules: []string{"R-A-1", "R-A-2", "R-A-3", "R-A-4", "DSD-SUB-S05", "R-A-6"}, Findings: []Finding{
		{Rule: "R-A-1", Severity: "FATAL", Line: 1, Message: "both"},
		{Rule: "R-A-2", Severity: "FATAL", Line: 2, Message: "theirs"},
		{Rule: "R-A-3", Severity: "CAUTION", Line: 3, Message: "graded"},
		{Rule: "DSD-SUB-S05", Severity: "FATAL", Line: 5, Message: "another spelling"},
		{Rule: "R-A-6", Severity: "FATAL", Line: 6, Message: "skipped"},
	}}
	ours := &validator.Report{Findings: []validator.Finding{
		{Rule: "R-A-1", Severity: validator.Fatal, Line: 1},
		{Rule: "R-A-3", Severity: validator.Fatal, Line: 3},
		{Rule: "R-A-4", Severity: validator.Fatal, Line: 4, Expected: "a", Found: "b"},
		{Rule: "R-A-2", Severity: validator.Fatal, Advice: true, Line: 2}, // advice is no verdict
		{Rule: "R-DSD-SUB-S005", Severity: validator.Fatal, Line: 5},
		{Rule: "R-B-9", Severity: validator.Fatal, Line: 9}, // the files do not have it
	}, NotEvaluated: []validator.NotEvaluated{{Rule: "R-A-6", Why: "the structure is broken"}}}
	var got []string
	for _, d := range Compare(ours, theirs) {
		got = append(got, d.String())
	}
	want := []string{
		"R-A-2, line 2: only the official files find it, as FATAL: theirs",
		"R-A-3, line 3: the official files grade it CAUTION, our rules FATAL: graded",
		"R-A-4, line 4: only our rules find it, as FATAL: a; found b",
		"R-A-6, line 6: only the official files find it, as FATAL; ours was not judged, for the structure is broken: skipped",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCompareTakesTheStructureAsAWhole(t *testing.T) {
	invalid := &Verdict{Schema: true, Findings: []Finding{{Rule: RuleXSD, Severity: "FATAL", Line: 7, Message: "x"}}}
	structure := &validator.Report{Findings: []validator.Finding{{Rule: "STR-01", Severity: validator.Fatal, Line: 8}}}
	rule := &validator.Report{Findings: []validator.Finding{{Rule: "R-A-1", Severity: validator.Fatal}}}
	warned := &validator.Report{Findings: []validator.Finding{{Rule: "R-A-1", Severity: validator.Warning}}}
	for _, c := range []struct {
		name   string
		ours   *validator.Report
		theirs *Verdict
		want   int
	}{
		{"both", structure, invalid, 0},
		{"a rule of ours says it", rule, invalid, 0},
		{"a warning does not", warned, invalid, 1},
		{"only theirs", &validator.Report{}, invalid, 1},
		{"only ours", structure, &Verdict{Schema: true}, 1},
		{"there is no schema", structure, &Verdict{}, 0},
	} {
		if got := Compare(c.ours, c.theirs); len(got) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

const genericode = `<gc:CodeList xmlns:gc="http://docs.oasis-open.org/codelist/ns/genericode/1.0/">
<Identification><ShortName>%</ShortName><Version>7</Version><CanonicalUri>urn:x</CanonicalUri><CanonicalVersionUri>urn:x:7</CanonicalVersionUri></Identification>
<ColumnSet><Column Id="code" Use="required"><ShortName>Code</ShortName><Data Type="string"/></Column><Key Id="k"><ShortName>K</ShortName><ColumnRef Ref="code"/></Key></ColumnSet>
<SimpleCodeList>
<Row><Value ColumnRef="code"><SimpleValue>Low</SimpleValue></Value></Row>
<Row><Value ColumnRef="code"><SimpleValue>Supreme</SimpleValue></Value></Row>
</SimpleCodeList></gc:CodeList>`

func TestListsAreReadAndCompared(t *testing.T) {
	s := load(t, folderOf(t, map[string]string{
		"codelists/LoA.gc":    strings.Replace(genericode, "%", codelist.LevelsOfAssurance, 1),
		"codelists/NUTS.gc":   strings.Replace(genericode, "%", "NUTS2024", 1),
		"codelists/broken.gc": strings.Replace(genericode, "</Row>", "</Rwo>", 1),
	}))
	if p := s.Problems(); len(p) != 1 || p[0].File != "codelists/broken.gc" || p[0].Construct != "genericode" {
		t.Errorf("problems: %v", p)
	}
	if len(s.Lists()) != 2 {
		t.Errorf("%d lists", len(s.Lists()))
	}
	got := s.CompareLists(codelist.BuiltIn())
	if len(got) != 1 || got[0].String() != "code list LevelsOfAssurance, edition 7: Supreme only in the official file, Substantial High only in ours" {
		t.Errorf("got %v", got)
	}
}

// A submission to both services is judged by the files of both.
func TestTwoTransactionsAtOnce(t *testing.T) {
	rule := func(id string) string {
		return `<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2"><sch:pattern><sch:rule context="/*"><sch:assert id="` + id + `" test="false()">x</sch:assert></sch:rule></sch:pattern></sch:schema>`
	}
	s := load(t, folderOf(t, map[string]string{"a.sch": rule("R-EB-SUB-S001"), "b.sch": rule("DSD-SUB-S001"), "c.sch": rule("R-LCM-SUC-001")}))
	kind := validator.EBSubmission | validator.DSDSubmission
	v := judge(t, s, "<a/>", Transaction(kind.String()))
	if d := cmp.Diff([]string{"R-EB-SUB-S001 FATAL 1", "DSD-SUB-S001 FATAL 1"}, rules(v)); d != "" {
		t.Error(d)
	}
}
