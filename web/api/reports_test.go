package api

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/suites"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/testbedtest"
)

// reportsOf is a place for reports, a signed one for it, and its public key.
func reportsOf(t testing.TB) (*Reports, string, string) {
	t.Helper()
	c, err := testbed.Load(suites.Files)
	if err != nil {
		t.Fatal(err)
	}
	k := testbedtest.Key(t)
	signed, err := testbedtest.Report(t, c, "EDM-MSG-001", now).Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	return &Reports{Catalogue: c, Runs: &testbed.Memory{}}, string(signed), k.Public()
}

// A report becomes runs and facts, once: asserted by the team, verified by the
// platform where the messages prove it.
func TestAReportIsHandedIn(t *testing.T) {
	reports, signed, key := reportsOf(t)
	w := start(t, func(c *Config) { c.Reports = reports })
	_, token, err := access.CreateFor(t.Context(), w.tokens, nil, now, "team:FI/portal", key, time.Hour, access.HandInReports)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ status, added int }{{201, 1}, {200, 0}} {
		rec := w.call("POST", "/api/v1/reports", signed, "Authorization", "Bearer "+token, "Content-Type", "text/plain")
		if rec.Code != want.status {
			t.Fatalf("time %d: %d %s", i, rec.Code, rec.Body)
		}
		if got := decode[HandedIn](t, rec); got.Added != want.added || got.Runs != 1 || got.Proved != 1 || got.Size != 1 {
			t.Errorf("time %d: %+v", i, got)
		}
	}
	runs, err := reports.Runs.Runs(t.Context(), testbed.Filter{Country: "FI"})
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	if j, err := reports.Runs.Job(t.Context(), runs[0].Job); err != nil || j.By != "team:FI/portal" || j.State != testbed.JobDone || j.Done != 1 || j.Rev != 1 || !slices.Equal(j.Cases, []string{"EDM-MSG-001"}) {
		t.Errorf("its runs are %+v, %v", j, err)
	}
	f, err := w.ledger.Fact(t.Context(), "conformance/"+runs[0].ID)
	if err != nil || f.Fact.Asserter != "team:FI/portal" || f.Fact.Verifier != "platform" || f.Fact.Environment != ledger.Testing || f.Fact.Body.Case != "EDM-MSG-001" {
		t.Errorf("%+v, %v", f.Fact, err)
	}
}

// What only the pipeline has seen is asserted and not verified.
func TestWhatNoMessageProvesWaitsForAReviewer(t *testing.T) {
	reports, _, _ := reportsOf(t)
	k := testbedtest.Key(t)
	w := start(t, func(c *Config) { c.Reports = reports })
	_, token, err := access.CreateFor(t.Context(), w.tokens, nil, now, "team:FI/portal", k.Public(), time.Hour, access.HandInReports)
	if err != nil {
		t.Fatal(err)
	}
	report := testbedtest.Report(t, reports.Catalogue, "EP-SIM-001", now) // counts documents, which a report does not carry
	signed, err := report.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	rec := w.call("POST", "/api/v1/reports", string(signed), "Authorization", "Bearer "+token, "Content-Type", "text/plain")
	if got := decode[HandedIn](t, rec); rec.Code != 201 || got.Proved != 0 || got.Added != 1 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	f, err := w.ledger.Fact(t.Context(), "conformance/"+report.Runs[0].ID)
	if err != nil || f.Fact.Verifier != "" || f.Fact.Asserter != "team:FI/portal" {
		t.Errorf("%+v, %v", f.Fact, err)
	}
}

func TestReportsAreRefused(t *testing.T) {
	reports, _, _ := reportsOf(t)
	k, other := testbedtest.Key(t), testbedtest.Key(t)
	w := start(t, func(c *Config) { c.Reports, c.WriteRate, c.WriteBurst = reports, 1000, 1000 })
	_, token, err := access.CreateFor(t.Context(), w.tokens, nil, now, "team:FI/portal", k.Public(), time.Hour, access.HandInReports)
	if err != nil {
		t.Fatal(err)
	}
	whole := testbedtest.Report(t, reports.Catalogue, "EDM-MSG-001", now)
	for _, c := range []struct {
		name   string
		key    *ledger.Key
		token  string
		status int
		want   string
		bend   func(r *testbed.Report, run *testbed.Run)
	}{
		{"another key", other, token, 422, "not signed with this key", nil},
		{"no token", k, "", 401, "no token of ours", nil},
		{"a token without the scope", k, w.token("team:FI/portal", access.WriteFacts), 403, "does not carry the scope", nil},
		{"another country", k, token, 403, `a system of "SE"`, func(r *testbed.Report, run *testbed.Run) { r.Country, run.Country = "SE", "SE" }},
		{"another environment", k, token, 422, `in "testing"`, func(r *testbed.Report, _ *testbed.Run) { r.Environment = ledger.ProductionEnv }},
		{"of the future", k, token, 422, "still to come", func(r *testbed.Report, _ *testbed.Run) { r.Made = now.Add(time.Hour) }},
		{"another catalogue", k, token, 422, "Run the suites again", func(r *testbed.Report, run *testbed.Run) { r.Catalogue = "000" }},
		{"a component that does not exist", k, token, 422, "component", func(r *testbed.Report, run *testbed.Run) { r.Component, run.Component = "XX", "XX" }},
		{"a step claimed", k, token, 422, "its messages say", func(r *testbed.Report, run *testbed.Run) {
			run.Steps[len(run.Steps)-1].Result, run.Result = testbed.Fail, testbed.Fail
		}},
	} {
		r, run := *whole, *whole.Runs[0]
		run.Steps = append([]testbed.Played{}, run.Steps...)
		r.Runs = []*testbed.Run{&run}
		if c.bend != nil {
			c.bend(&r, &run)
		}
		signed, err := r.Sign(c.key)
		if err != nil {
			t.Fatal(err)
		}
		rec := w.call("POST", "/api/v1/reports", string(signed), "Authorization", "Bearer "+c.token, "Content-Type", "text/plain")
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), strings.ReplaceAll(c.want, `"`, `\"`)) {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
	// A run whose id is taken by another one is refused, whosever it is.
	taken := *whole.Runs[0]
	taken.Why = "another"
	if err := reports.Runs.Save(t.Context(), &taken); err != nil {
		t.Fatal(err)
	}
	signed, err := whole.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	rec := w.call("POST", "/api/v1/reports", string(signed), "Authorization", "Bearer "+token, "Content-Type", "text/plain")
	if rec.Code != 409 {
		t.Errorf("a taken id: %d %s", rec.Code, rec.Body)
	}
	if head, err := w.ledger.Head(t.Context()); err != nil || head.Size != 0 {
		t.Errorf("the ledger holds %d facts, %v", head.Size, err)
	}
}
