package lcm_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/once-only/oots/access"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/validator"
)

func TestAPI(t *testing.T) {
	m := manager(t)
	tokens := &access.Memory{}
	_, fi, err := access.Create(t.Context(), tokens, nil, testNow, "ms:FI", time.Hour, access.SubmitFor("FI"))
	if err != nil {
		t.Fatal(err)
	}
	api := &lcm.API{Of: func(context.Context, string) (*lcm.LifecycleManager, error) { return m, nil }, Tokens: tokens, Now: func() time.Time { return testNow }}
	good := string(encode(t, m.Part("FI"), lcm.EncodeOptions{}))
	for name, c := range map[string]struct {
		method, path, token, body string
		status                    int
		want                      string
	}{
		"accepted":        {"POST", "/lcm/FI", fi, good, 200, "ResponseStatusType:Success"},
		"refused":         {"POST", "/lcm/FI", fi, strings.Replace(good, "checkReferences", "comment", 1), 422, "LCM:ERR:0003"},
		"rubbish":         {"POST", "/lcm/FI", fi, "rubbish", 422, "LCM:ERR:0003"},
		"no token":        {"POST", "/lcm/FI", "", good, 401, "Bearer"},
		"unknown token":   {"POST", "/lcm/FI", access.Prefix + strings.Repeat("A", 43), good, 401, "token"},
		"another country": {"POST", "/lcm/SE", fi, good, 403, "SE"},
		"no country":      {"POST", "/lcm/GR", fi, good, 404, "/lcm/FI"},
		"read":            {"GET", "/lcm/FI", fi, "", 405, "POST"},
		"too long":        {"POST", "/lcm/FI", fi, strings.Repeat(" ", 16<<20+1), 413, "16 MiB"},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %.300s", name, w.Code, w.Body)
		}
	}
	if attempts, err := m.Attempts(t.Context(), "FI", 10); err != nil || len(attempts) != 2 {
		t.Errorf("the audit holds %d refusals, %v", len(attempts), err)
	}
}

// TestAnswersFollowTheRules holds both answers to the published rules on them.
func TestAnswersFollowTheRules(t *testing.T) {
	m := manager(t)
	good := encode(t, m.Part("FI"), lcm.EncodeOptions{})
	bad := []byte(strings.ReplaceAll(string(good), "lang=\"EN\"", "lang=\"english\""))
	for name, raw := range map[string][]byte{"success": good, "failure": bad, "unreadable": []byte("<x>")} {
		answer, _, _ := m.Answer(t.Context(), finland, "FI", raw)
		rep := validator.New(validator.Config{}).Validate(answer, validator.Options{})
		for _, f := range rep.Findings {
			// The rules of 1.0 want the request's id even where there was none to read.
			if f.Refuses() && !(name == "unreadable" && f.Rule == "R-LCM-ERR-003") {
				t.Errorf("%s: %s %s: %s\n%.600s", name, f.Rule, f.Expected, f.Found, answer)
			}
		}
		doc, err := regrep.Parse(answer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := regrep.ReadRegistryResponse(doc.Root); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// samples finds the folder of published messages; a test without it skips.
func samples(t testing.TB, pattern string) []string {
	t.Helper()
	for dir := "."; len(dir) < 40; dir = filepath.Join("..", dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			files, _ := filepath.Glob(filepath.Join(dir, "..", "shared", "samples", pattern))
			if len(files) == 0 {
				t.Skip("../shared/samples is not there")
			}
			return files
		}
	}
	t.Skip("the root of the module is not found")
	return nil
}

// TestPublishedSubmissionsAreReadOrRefusedWithReason: the published submissions
// are drafts with bare ids, lower-case languages and invented addresses. Each
// is refused, and every reason names its place; nothing is taken by accident.
func TestPublishedSubmissionsAreReadOrRefusedWithReason(t *testing.T) {
	m := manager(t)
	seen := 0
	for _, file := range samples(t, "*/messages/LCM_*.xml") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if strings.Contains(name, "Registry") && !strings.Contains(string(raw), "SubmitObjectsRequest") {
			if doc, err := regrep.Parse(raw); err == nil {
				_, err = regrep.ReadRegistryResponse(doc.Root)
				if err != nil && strings.Contains(name, "Bulk") {
					t.Errorf("%s: %v", name, err)
				}
			}
			continue
		}
		seen++
		_, err = m.Submit(t.Context(), finland, "FI", raw)
		r := refusal(t, err)
		if r.Faults[0].Text == "" || r.Faults[0].Rule == "" || r.Faults[0].Line == 0 {
			t.Errorf("%s: %+v", name, r.Faults[0])
		}
	}
	if seen == 0 {
		t.Error("no submission among the samples")
	}
}

// drawn is a country's part as rapid draws it: any number of objects that hold
// together.
func drawn(t *rapid.T, requirements []sdg.Requirement) *cs.Contribution {
	uuid := func(kind string, i int) string {
		return cs.NameUUID("0d4c9b0a-5f1b-5e0e-9a5e-8f8f2f6d1c11", kind+string(rune('a'+i)))
	}
	text := rapid.StringMatching(`[A-Za-z0-9äöüßΑ-Ωа-я<>&"'():;,.|=-]{1,12}( [A-Za-z0-9&<>"]{1,8}){0,2}`)
	texts := func(label string, least int) (out []sdg.Text) {
		for _, lang := range []string{"EN", "FI", "SV"}[:rapid.IntRange(least, 3).Draw(t, label)] {
			out = append(out, sdg.Text{Lang: lang, Value: text.Draw(t, label)})
		}
		return out
	}
	number := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
	some := func(label string, n int) (out []int) {
		for i := range n {
			if i == 0 || rapid.Bool().Draw(t, label) {
				out = append(out, i)
			}
		}
		return out
	}
	c := &cs.Contribution{Country: "FI"}
	country := func() *sdg.Jurisdiction { return &sdg.Jurisdiction{AdminUnitLevel1: "FI"} }
	for i := range number("lists of codes", 2) {
		c.CodeLists = append(c.CodeLists, cs.CodeList{Name: "Towns" + string(rune('A'+i)), Version: "1.0.0", Titles: texts("list title", 0),
			Codes: []cs.Code{{Code: "A", Names: texts("code name", 0)}, {Code: "B"}}})
	}
	area := func() *sdg.Jurisdiction {
		j := country()
		if len(c.CodeLists) > 0 && rapid.Bool().Draw(t, "area") {
			j.Classifications = []sdg.ListCode{{List: cs.CodeListAddress("FI", c.CodeLists[0].Name), Code: "A"}}
		}
		return j
	}
	for i := range number("types", 4) {
		c.EvidenceTypes = append(c.EvidenceTypes, sdg.EvidenceType{Classification: cs.ClassificationAddress("FI", uuid("type", i)), Titles: texts("title", 1), Descriptions: texts("description", 0)})
	}
	asks := func() (out []string) {
		for _, i := range some("requirement", min(4, len(requirements))) {
			out = append(out, requirements[i].ID)
		}
		return out
	}
	for i := range number("lists", 4) {
		l := cs.EvidenceTypeList{EvidenceTypeList: sdg.EvidenceTypeList{ID: uuid("list", i), Names: texts("name", 0), Jurisdiction: area()}, Requirements: asks()}
		for _, k := range some("type", len(c.EvidenceTypes)) {
			l.Types = append(l.Types, c.EvidenceTypes[k].Classification)
		}
		if l.Types == nil {
			l.MatchType, l.MatchDescriptions = "NoMatch", texts("reason", 1)
		}
		c.Lists = append(c.Lists, l)
	}
	for i := range number("frameworks", 3) {
		c.Frameworks = append(c.Frameworks, cs.ReferenceFramework{ReferenceFramework: sdg.ReferenceFramework{ID: uuid("framework", i), Titles: texts("title", 1), Descriptions: texts("description", 0),
			Procedures: []string{rapid.SampledFrom([]string{"T2", "R1", "00"}).Draw(t, "procedure")}, Jurisdiction: area()}, Requirements: asks()})
	}
	for i := range len(c.EvidenceTypes) {
		r := sdg.DataServiceEvidenceType{ID: uuid("record", i), Classification: c.EvidenceTypes[i].Classification, Titles: texts("title", 1), Descriptions: texts("description", 0),
			DistributedAs:    []sdg.Distribution{{Formats: []string{"application/pdf"}, Languages: []string{"EN", "FI"}}, {Formats: []string{"application/xml"}, ConformsTo: cs.DataModelAddress("Demo")}},
			LevelOfAssurance: rapid.SampledFrom([]string{"", "Low", "High"}).Draw(t, "level")}
		if len(c.CodeLists) > 0 && rapid.Bool().Draw(t, "asks") {
			r.ProviderQuestions = []sdg.ClassificationConcept{{Identifier: sdg.Identifier{Value: uuid("question", 0)}, Type: "codelist", ValueExpression: cs.CodeListAddress("FI", c.CodeLists[0].Name), Descriptions: []sdg.Text{{Lang: "EN", Value: "Where?"}}}}
		}
		c.Records = append(c.Records, r)
	}
	for i := range number("access points", 2) {
		c.AccessServices = append(c.AccessServices, sdg.AccessService{Identifier: sdg.Identifier{Scheme: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:FI", Value: "AP" + string(rune('A'+i))},
			Names: texts("name", 0), ConformsTo: []string{"oots-edm:v2.0", "oots-edm:v1.2"}[:rapid.IntRange(1, 2).Draw(t, "lines")]})
	}
	for i := range number("providers", 4) {
		p := cs.Provider{Publisher: sdg.Publisher{Identifier: sdg.Identifier{Scheme: "urn:cef.eu:names:identifier:EAS:0037", Value: "P" + string(rune('A'+i))}, Names: texts("name", 1), Descriptions: texts("description", 0),
			Address: &sdg.Address{PostCityName: text.Draw(t, "city"), AdminUnitLevel1: "FI"}, Jurisdiction: area()}}
		if len(c.AccessServices) > 0 {
			for _, k := range some("provides", len(c.Records)) {
				p.Records = append(p.Records, c.Records[k].ID)
			}
			for _, k := range some("uses", len(c.AccessServices)) {
				p.AccessServices = append(p.AccessServices, c.AccessServices[k].Identifier)
			}
			if len(c.CodeLists) > 0 {
				p.Concepts = []sdg.ClassificationConcept{{Identifier: sdg.Identifier{Value: uuid("question", 0)}, Type: "codelist", ValueExpression: cs.CodeListAddress("FI", c.CodeLists[0].Name),
					Values: &sdg.SupportedValue{Strings: []string{"A", "B"}[:rapid.IntRange(1, 2).Draw(t, "values")]}}}
			}
		}
		c.Providers = append(c.Providers, p)
	}
	return c
}

// TestWhatIsExportedIsImported: any part that holds together, as a submission
// or as files, comes back as it was.
func TestWhatIsExportedIsImported(t *testing.T) {
	base := seed.DataSet()
	base.Contributions = map[string]*cs.Contribution{}
	m := manager(t, func(c *lcm.Config) { c.Baseline = base; c.Judge = nil })
	rapid.Check(t, func(rt *rapid.T) {
		part := drawn(rt, base.Requirements)
		if r := m.Examine(part); r != nil {
			rt.Fatalf("the drawn part does not hold together: %v", r)
		}
		raw, _, err := lcm.Encode(part, lcm.EncodeOptions{ID: requestID})
		if err != nil {
			return // nothing in it
		}
		got, err := m.Try("FI", raw)
		if err != nil {
			rt.Fatalf("%v\n%s", err, raw)
		}
		if diff := cmp.Diff(part, got, cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("as a submission:\n%s", diff)
		}
		for _, table := range lcm.Tables() {
			file, err := table.CSV(part)
			if err != nil {
				rt.Fatal(err)
			}
			got, faults := table.ReplaceCSV(part, file)
			if len(faults) > 0 {
				rt.Fatalf("%s: %v\n%s", table.Name, faults, file)
			}
			if diff := cmp.Diff(part, got, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("%s as a file:\n%s", table.Name, diff)
			}
		}
	})
}

// FuzzSubmission: no bytes make the decoder panic, and what is accepted is
// accepted again as we would write it.
func FuzzSubmission(f *testing.F) {
	m := manager(f)
	for _, cc := range []string{"FI", "DE"} {
		for _, line := range []lcm.Line{lcm.V20, lcm.V12, lcm.V10} {
			raw, _, err := lcm.Encode(m.Part(cc), lcm.EncodeOptions{ID: requestID, Line: line})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
	f.Add([]byte("<lcm:SubmitObjectsRequest xmlns:lcm=\"urn:oasis:names:tc:ebxml-regrep:xsd:lcm:4.0\"/>"))
	f.Add([]byte("<x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		part, err := m.Try("FI", raw)
		if err != nil {
			r := refusal(t, err)
			if len(r.Faults) == 0 {
				t.Fatal("refused without a reason")
			}
			if _, err := lcm.Failure(r); err != nil {
				t.Fatalf("the refusal cannot be said: %v", err)
			}
			return
		}
		again, _, err := lcm.Encode(part, lcm.EncodeOptions{ID: requestID})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Try("FI", again); err != nil {
			t.Fatalf("our own form of what was accepted is refused: %v", err)
		}
	})
}

// FuzzCSV: no file makes a table panic.
func FuzzCSV(f *testing.F) {
	c := seed.DataSet().Contributions["DE"]
	for i, table := range lcm.Tables() {
		raw, err := table.CSV(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), raw)
	}
	f.Fuzz(func(t *testing.T, n uint8, raw []byte) {
		tables := lcm.Tables()
		table := tables[int(n)%len(tables)]
		next, faults := table.ReplaceCSV(c, raw)
		if len(faults) > 0 {
			return
		}
		file, err := table.CSV(next)
		if err != nil {
			t.Fatal(err)
		}
		again, faults := table.ReplaceCSV(next, file)
		if len(faults) > 0 {
			t.Fatalf("our own file is refused: %v", faults[0])
		}
		if diff := cmp.Diff(table.Keys(next), table.Keys(again), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}
