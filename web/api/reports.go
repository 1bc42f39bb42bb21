package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/validator"
)

// Reports is what a report of test runs is checked against and where it goes.
type Reports struct {
	Catalogue *testbed.Catalogue // in force
	Runs      testbed.Store
	Sample    bool // everything here is invented data
}

// HandedIn tells what became of a report.
type HandedIn struct {
	Schema int   `json:"schema"`
	Runs   int   `json:"runs" doc:"runs of the report"`
	Proved int   `json:"proved" doc:"runs of which every step followed from the messages, so that the platform verifies them"`
	Added  int   `json:"added" doc:"facts that are new"`
	Known  int   `json:"known" doc:"facts that were there already, with the same content"`
	Size   int64 `json:"size" doc:"entries of the ledger now"`
}

// early is how far ahead the clock of a pipeline may be.
const early = 5 * time.Minute

// reports registers POST /reports: what a team's own pipeline has tested.
func (a *api) reports(h huma.API) {
	if a.Reports == nil {
		return
	}
	judge := validator.New(validator.Config{})
	one := make(chan struct{}, 1) // a report is large and takes a while to judge
	op := protected("POST", "/reports", "handInReport", "Hand in a signed report of test runs; the same one again changes nothing", "Facts", access.HandInReports)
	op.Description += " The body is the signed report as \"oots test run --report\" writes it, signed with the key of the token and for the owner's own country and the environment testing. " +
		"Its runs are kept and become facts that the owner asserts. The platform judges every message again: a run of which all steps follow from its messages is verified by the platform; " +
		"one that rests on what only the pipeline has seen waits for a reviewer. A step that comes out otherwise refuses the whole report."
	op.MaxBodyBytes, op.BodyReadTimeout = mostBody, time.Minute
	op.DefaultStatus = http.StatusCreated
	op.SkipValidateBody = true
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string", Description: "a signed note"}}}}
	huma.Register(h, op, func(ctx context.Context, in *struct {
		Bearer
		RawBody []byte `contentType:"text/plain"`
	}) (*created[HandedIn], error) {
		t, err := a.who(ctx, in.Authorization, access.HandInReports)
		if err != nil {
			return nil, a.fail(err)
		}
		select {
		case one <- struct{}{}:
			defer func() { <-one }()
		default:
			p := problem(http.StatusServiceUnavailable, "busy", "another report is being judged; send this one again in a moment")
			p.header = http.Header{"Retry-After": {"5"}}
			return nil, p
		}
		report, proved, err := a.judgeReport(t, in.RawBody, judge)
		if err != nil {
			return nil, a.fail(err)
		}
		facts := report.FactsOf(a.Reports.Catalogue, a.Reports.Sample || report.Sample, t.Owner, func(r *testbed.Run) bool { return proved[r.ID] })
		for _, f := range facts {
			if err := ledger.Check(f); err != nil {
				return nil, a.fail(err)
			}
		}
		if err := a.note(ctx, t, op.OperationID, fmt.Sprintf("runs: %d of %s, first: %s", len(report.Runs), report.System, report.Runs[0].ID)); err != nil {
			return nil, err
		}
		switch err := report.Keep(ctx, a.Reports.Runs, t.Owner, a.Reports.Sample); {
		case errors.Is(err, testbed.ErrKnown):
			return nil, problem(http.StatusConflict, "known-run", "%v; a result is never changed: play the case again and hand in the new run", err)
		case err != nil:
			return nil, a.fail(err)
		}
		done, err := a.Ledger.Append(ctx, facts...)
		if err != nil {
			return nil, a.fail(err)
		}
		a.Log.Info("report handed in", "token", t.ID, "runs", len(report.Runs), "added", done.Added)
		out := &created[HandedIn]{http.StatusCreated, HandedIn{1, len(report.Runs), len(proved), done.Added, done.Known, done.Size}}
		if done.Added == 0 {
			out.Status = http.StatusOK
		}
		return out, nil
	})
}

// judgeReport opens a report with the token's key and judges its messages
// again. Which runs that proves is told by their ids.
func (a *api) judgeReport(t access.Token, signed []byte, judge *validator.Validator) (*testbed.Report, map[string]bool, error) {
	refused := func(format string, args ...any) error {
		return problem(http.StatusUnprocessableEntity, "refused-report", format+"; nothing was kept", args...)
	}
	report, err := testbed.OpenReport(signed, t.Key, a.Reports.Catalogue)
	switch {
	case err != nil:
		return nil, nil, refused("%v", err)
	case report.Country != ledger.PartyCountry(t.Owner):
		return nil, nil, problem(http.StatusForbidden, "foreign-country", "the report is about a system of %q, and this token belongs to %s", report.Country, t.Owner)
	case report.Environment != ledger.Testing:
		return nil, nil, refused("the report is of the environment %q; a pipeline of one's own tests in %q", report.Environment, ledger.Testing)
	case report.Made.After(a.Now().Add(early)):
		return nil, nil, refused("the report was made at %s, which is still to come; set the clock of your pipeline", report.Made.UTC().Format(time.RFC3339))
	}
	proved, ids := map[string]bool{}, map[string]bool{}
	for _, run := range report.Runs {
		if ids[run.ID] {
			return nil, nil, refused("two runs have the id %s", run.ID)
		}
		ids[run.ID] = true
		ok, err := a.Reports.Catalogue.Recompute(run, judge)
		if err != nil {
			return nil, nil, refused("%v", err)
		}
		if ok {
			proved[run.ID] = true
		}
	}
	return report, proved, nil
}
