package commonservices_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/validator/official"
)

// samples finds the folder of real files beside the project, or skips.
func samples(t testing.TB) string {
	t.Helper()
	found := filepath.Join("..", "..", "shared", "samples")
	if _, err := os.Stat(found); err != nil {
		t.Skip("the folder ../shared/samples is not here")
	}
	return found
}

// judged is one answer of ours with what it is.
type judged struct {
	name string
	body string
	line cs.Line
	kind validator.Kinds
	as   official.Transaction
}

// answers asks every query that the seed has an answer to, and every refusal,
// in every line.
func answers(t testing.TB, d *directory) []judged {
	t.Helper()
	var out []judged
	set := d.Catalogue().DataSet()
	for _, line := range cs.Lines() {
		ask := func(service string, kind validator.Kinds, as official.Transaction, pairs ...string) {
			q := url.Values{}
			for i := 0; i < len(pairs); i += 2 {
				value := pairs[i+1]
				if set.Label != "" && line == cs.V20 {
					value = strings.Replace(value, "https://sr.", "https://sr."+set.Label+".", 1)
				}
				q.Set(pairs[i], value)
			}
			body, resp := d.raw(t, service, string(line), q)
			if resp.StatusCode != 200 {
				t.Errorf("%v: status %d", pairs, resp.StatusCode)
			}
			if strings.Contains(body, "ResponseStatusType:Failure") {
				kind, as = validator.EBError, official.EBError
				if service == "dsd" {
					kind, as = validator.DSDError, official.DSDError
				}
			}
			out = append(out, judged{fmt.Sprint(line, pairs), body, line, kind, as})
		}
		ask("eb", validator.EBRequirements, official.EBRequirements, "queryId", cs.QueryRequirements)
		for _, cc := range append(set.Countries(), "GR", "IT") {
			ask("eb", validator.EBRequirements, official.EBRequirements, "queryId", cs.QueryRequirements, "country-code", cc)
			for _, key := range []string{"birth", "sec-qual", "test-0", "veh-part2"} {
				ask("eb", validator.EBEvidenceTypes, official.EBEvidenceTypes, "queryId", cs.QueryEvidenceTypes, "requirement-id", seed.Requirement(key), "country-code", cc)
			}
		}
		ask("eb", validator.EBRequirements, official.EBRequirements, "queryId", cs.QueryRequirements, "procedure-id", "Q9")
		ask("eb", validator.EBEvidenceTypes, official.EBEvidenceTypes, "queryId", cs.QueryEvidenceTypes)
		ask("eb", 0, "", "queryId", "urn:nothing")
		for _, cc := range set.Countries() {
			for _, r := range set.Contributions[cc].Records {
				ask("dsd", validator.DSDResponse, official.DSDResponse, "queryId", cs.QueryDataServices, "evidence-type-classification", r.Classification, "country-code", cc)
				for _, q := range r.ProviderQuestions {
					ask("dsd", validator.DSDResponse, official.DSDResponse, "queryId", cs.QueryDataServices, "evidence-type-classification", r.Classification, "country-code", cc, q.Identifier.Value, "HAMBURG")
				}
			}
		}
		ask("dsd", 0, "", "queryId", cs.QueryDataServices, "evidence-type-classification", cs.ClassificationAddress("FI", "12345678-1234-1234-1234-123456789012"), "country-code", "FI")
		ask("dsd", 0, "", "queryId", cs.QueryDataServices)
	}
	return out
}

var linesOf = map[cs.Line]validator.Lines{cs.V20: validator.V20, cs.V12: validator.V12, cs.V11: validator.V11, cs.V10: validator.V10}

// TestAnswersKeepTheRules holds every answer of the seed to the rules of its
// line; lines 1.1 and 1.2 answer in the shape of 1.0 and are held to it.
func TestAnswersKeepTheRules(t *testing.T) {
	for _, label := range []string{"", "acc"} {
		set := seed.Network()
		set.Label = label
		keepTheRules(t, newDirectory(t, set))
	}
}

func keepTheRules(t *testing.T, d *directory) {
	v := validator.New(validator.Config{})
	told := map[string]bool{}
	successes := 0
	for _, a := range answers(t, d) {
		if a.kind&(validator.EBError|validator.DSDError) == 0 {
			successes++
		}
		line := linesOf[a.line]
		if line != validator.V20 {
			line = validator.V10
		}
		r := v.Validate([]byte(a.body), validator.Options{Kind: a.kind, Line: line})
		for _, f := range r.Findings {
			if f.Refuses() && !told[string(a.line)+f.Rule] && !explained[f.Rule] {
				told[string(a.line)+f.Rule] = true
				t.Errorf("%s: %s (%s) %s: found %s, want %s", a.name, f.Rule, f.Severity, f.Path, f.Found, f.Expected)
			}
		}
	}
	if successes < 400 {
		t.Errorf("only %d answers are no refusals", successes)
	}
}

// TestAnswersKeepThePublishedRules holds answers of line 1.0 to the published
// Schematron of that time.
func TestAnswersKeepThePublishedRules(t *testing.T) {
	set, err := official.Load(filepath.Join(samples(t), "edm-1.0"))
	if err != nil {
		t.Fatal(err)
	}
	d := newDirectory(t, seed.DataSet())
	told := map[string]bool{}
	judged := 0
	for _, a := range answers(t, d) {
		if a.line != cs.V10 || a.as == "" {
			continue
		}
		verdict, err := set.Judge(context.Background(), []byte(a.body), a.as)
		if err != nil {
			t.Fatal(err)
		}
		judged++
		for _, f := range verdict.Findings {
			if key := string(a.as) + f.Rule; f.Severity == "FATAL" && !told[key] && !explained[official.CanonicalID(f.Rule)] {
				told[key] = true
				t.Errorf("%s, %s: %s %s: %s", a.name, a.as, f.Rule, f.Node, f.Message)
			}
		}
	}
	if judged < 50 {
		t.Errorf("only %d answers were judged", judged)
	}
}

// explained are differences from rules of 1.0 that docs/divergences.md tells.
var explained = map[string]bool{
	"R-EB-REQ-C012": true, "R-EB-EVI-C012": true, // procedures that came after line 1.0
	"R-DSD-ERR-S021": true, "R-EDM-REQ-S021": true, // DistributedAs, which the schema wants and the rule forbids
}

// TestSamplesDecode reads every published answer of a directory, and every
// other sample with a response's root, or refuses it for what it breaks.
func TestSamplesDecode(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(samples(t), "edm-1.0/messages/*_*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{ // how it begins
		"DSD_DSD-exception-2.xml":                     "asked",
		"DSD_DSDClassificationScheme.xml":             "records",
		"DSD_DSDDataService.xml":                      "records",
		"DSD_DSDEvidenceRequesterQuery.xml":           "refusal DSD:ERR:0005", // a question without its record: all or nothing
		"DSD_DSDQueryErrorResponse.xml":               "refusal DSD:ERR:0001",
		"DSD_DSDQueryResponse.xml":                    "records",
		"DSD_DSDQueryResponseEPClassification.xml":    "asked",
		"DSD_DSDQueryResponseJurisdiction.xml":        "asked",
		"DSD_DSDQueryTest.xml":                        "records",
		"DSD_DSDRegistrationDSandEP.xml":              "records",
		"DSD_DSDRegistrationMS.xml":                   "records",
		"DSD_DSDRegistrationOfDataServices.xml":       "records",
		"DSD_Regrep-DSD-dataservice_evidencetype.xml": "records",
		// It breaks its own schema: a collection without rim:Element.
		"DSD_Regrep-DSD-exception_more_provider_attributes.xml":                   "line 17, column 9: sdg:DataServiceEvidenceType stands where rim:Element must stand",
		"DSD_Regrep-DSD-exception_two_evidence_types_two_provider_attributes.xml": "asked",
		"DSD_Regrep-DSD-extension.xml":                                            "asked",
		"EB_Query_Error_Response.xml":                                             "refusal EB:ERR:0001",
		"EB_Response_for_Get_Evidence_Type_for_Requirement_Query.xml":             "requirements",
		"EB_Response_for_Get_List_of_Requirements_Query.xml":                      "requirements",
	}
	read := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if !strings.HasPrefix(name, "DSD_") && !strings.HasPrefix(name, "EB_") || !strings.Contains(string(body), "query:QueryResponse") {
			continue
		}
		read++
		d, err := cs.Decode(body)
		got := "nothing"
		switch {
		case err != nil:
			got = err.Error()
		case len(d.Asked) > 0:
			got = "asked"
		case d.Refusal != nil:
			got = "refusal " + d.Refusal.Code
		case len(d.Records) > 0:
			got = "records"
		case len(d.Requirements) > 0:
			got = "requirements"
		}
		if !strings.HasPrefix(got, want[name]) || want[name] == "" {
			t.Errorf("%s: %s, want %s", name, got, want[name])
		}
	}
	if read < 10 {
		t.Errorf("only %d samples were read", read)
	}
}
