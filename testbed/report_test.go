package testbed_test

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/testbedtest"
)

func suiteReport(t *testing.T, c *testbed.Catalogue, suite, fault string) *testbed.Report {
	t.Helper()
	r := lab(t, c, fault, "oots-edm:v2.0")
	r.Target.Component = "AP"
	runs, err := r.PlaySuite(t.Context(), c.Suite(suite))
	if err != nil {
		t.Fatal(err)
	}
	return testbed.NewReport(r, ledger.Testing, noon, runs)
}

// TestAReportBecomesFacts: signed, opened, and taken by a ledger.
func TestAReportBecomesFacts(t *testing.T) {
	c := catalogue(t)
	report := suiteReport(t, c, "AS4-CONN", "")
	key := testbedtest.Key(t)
	signed, err := report.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := testbed.OpenReport(signed, key.Public(), c)
	if err != nil {
		t.Fatal(err)
	}
	facts := opened.Facts(c, true)
	suites := 0
	for _, f := range facts {
		if f.Body.Case == "" {
			suites++
			if f.Body.Suite != "AS4-CONN" || f.Body.Outcome != "pass" {
				t.Errorf("the suite's fact says %s %s", f.Body.Suite, f.Body.Outcome)
			}
		}
	}
	mine := 0 // cases for an access point
	for _, k := range c.Suite("AS4-CONN").Cases {
		if k.Role == "access-point" {
			mine++
		}
	}
	if len(facts) != mine+1 || suites != 1 {
		t.Errorf("%d facts, %d of suites", len(facts), suites)
	}
	if _, err := ledger.New(ledger.Config{Store: &ledger.Memory{}}).Append(t.Context(), facts...); err != nil {
		t.Error(err)
	}

	forged := bytes.Replace(signed, []byte(`"result":"pass"`), []byte(`"result":"fail"`), 1)
	if _, err := testbed.OpenReport(forged, key.Public(), c); err == nil {
		t.Error("a report that was changed after signing is accepted")
	}
	report.Runs[0].Steps[0].Result = testbed.Fail
	signed, _ = report.Sign(key)
	if _, err := testbed.OpenReport(signed, key.Public(), c); err == nil || !strings.Contains(err.Error(), "steps") {
		t.Errorf("a run whose steps say something else: %v", err)
	}
	report.Catalogue = "000000000000"
	signed, _ = report.Sign(key)
	if _, err := testbed.OpenReport(signed, key.Public(), c); err == nil {
		t.Error("a report of another catalogue is accepted")
	}
}

// TestPartOfASuiteIsNoSuite: some cases never make the fact of the whole.
func TestPartOfASuiteIsNoSuite(t *testing.T) {
	c := catalogue(t)
	report := suiteReport(t, c, "AS4-CONN", "")
	report.Runs = report.Runs[1:]
	for _, f := range report.Facts(c, true) {
		if f.Body.Case == "" {
			t.Errorf("%s counts as a whole", f.Body.Suite)
		}
	}
}

func TestReportsAreWritten(t *testing.T) {
	c := catalogue(t)
	good, bad := suiteReport(t, c, "AS4-CONN", ""), suiteReport(t, c, "AS4-CONN", "unsigned-receipt")
	var text, junit, page, raw bytes.Buffer
	for _, err := range []error{bad.WriteText(&text), bad.WriteJUnit(&junit), bad.WriteHTML(&page), bad.WriteJSON(&raw)} {
		if err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(text.String(), "not signed") || !strings.Contains(text.String(), "AS4-CONN: failed") {
		t.Errorf("the text does not say what failed:\n%s", text.String())
	}
	var parsed struct {
		Suites []struct {
			Failures int `xml:"failures,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(junit.Bytes(), &parsed); err != nil || len(parsed.Suites) != 1 || parsed.Suites[0].Failures == 0 {
		t.Errorf("JUnit: %v, %+v", err, parsed)
	}
	if !strings.Contains(page.String(), "SHA-256") || strings.Contains(page.String(), "<query:") {
		t.Error("the page shows no message, or shows it as markup")
	}
	changes := testbed.Compare(good, bad)
	if len(changes) == 0 || changes[0].Before != testbed.Pass || changes[0].After != testbed.Fail {
		t.Errorf("compared: %+v", changes)
	}
}

// TestReplay: the same case again, and never another one under its name.
func TestReplay(t *testing.T) {
	c := catalogue(t)
	r := lab(t, c, "", "oots-edm:v1.2")
	first, err := r.Play(t.Context(), c.Case("EP-SIM-003"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := lab(t, c, "wrong-code", "oots-edm:v2.0").Replay(t.Context(), first)
	if err != nil || again.Line != first.Line || first.Result != testbed.Pass || again.Result != testbed.Fail || again.ID == first.ID {
		t.Errorf("%v: %s on %s, then %s on %s", err, first.Result, first.Line, again.Result, again.Line)
	}
	first.CaseHash = "other"
	if _, err := r.Replay(t.Context(), first); err == nil {
		t.Error("a case that has changed is replayed")
	}
}

// BenchmarkRun is one case with one exchange over AS4, both sides included.
func BenchmarkRun(b *testing.B) {
	c := catalogue(b)
	r := lab(b, c, "", "oots-edm:v2.0")
	for b.Loop() {
		if run, err := r.Play(b.Context(), c.Case("EP-SIM-001")); err != nil || run.Result != testbed.Pass {
			b.Fatal(err, run.Why)
		}
	}
}
