package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/correction"
)

// Every writing operation of the document is walked here, leaves its line, and
// does nothing when the line cannot be written. An operation that is missing
// from the table fails the test.
func TestEveryWritingCallLeavesALine(t *testing.T) {
	var lines []Deed
	var mute error
	reports, signed, key := reportsOf(t)
	corrections := &correction.Memory{}
	w := start(t, func(c *Config) {
		c.Trail = func(_ context.Context, d Deed) error {
			if mute == nil {
				lines = append(lines, d)
			}
			return mute
		}
		c.Reports, c.Corrections, c.WriteRate, c.WriteBurst = reports, corrections, 1000, 1000
	})
	request := correction.Request{ID: "c1", At: now, What: "this is wrong"}
	if err := corrections.Add(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	hook := ""
	for _, row := range []struct {
		operation, method, path, body, owner string
		scope                                access.Scope
	}{
		{"appendFacts", "POST", "/facts", "[" + nomination + "]", "ms:EL", access.WriteFacts},
		{"draftSnapshot", "POST", "/snapshots", `{}`, "commission:1", access.DraftSnapshot},
		{"approveSnapshot", "POST", "/snapshots/d1/approve", "", "commission:2", access.ApproveSnapshot},
		{"publishSnapshot", "POST", "/snapshots/d1/publish", "", "commission:1", access.PublishSnapshot},
		{"correctSnapshot", "POST", "/snapshots/3/correct", `{"reason":"it was wrong"}`, "commission:1", access.DraftSnapshot},
		{"addWebhook", "POST", "/webhooks", `{"url":"https://else.example/hook"}`, "ms:AT", access.ManageWebhooks},
		{"removeWebhook", "DELETE", "/webhooks/{hook}", "", "ms:AT", access.ManageWebhooks},
		{"decideCorrection", "POST", "/corrections/c1/decision", `{"outcome":"upheld","answer":"It is mended."}`, "commission:1", access.DecideCorrections},
		{"handInReport", "POST", "/reports", signed, "team:FI/portal", access.HandInReports},
	} {
		var token string
		if row.scope == access.HandInReports {
			_, text, err := access.CreateFor(t.Context(), w.tokens, nil, now, row.owner, key, access.Longest, row.scope)
			if err != nil {
				t.Fatal(err)
			}
			token = text
		} else {
			token = w.token(row.owner, row.scope)
		}
		mime := "application/json"
		if row.operation == "handInReport" {
			mime = "text/plain"
		}
		path := "/api/v1" + strings.ReplaceAll(row.path, "{hook}", hook)
		for _, mute = range []error{errors.New("the trail is away"), nil} {
			before := len(lines)
			head, err := w.ledger.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rec := w.call(row.method, path, row.body, "Authorization", "Bearer "+token, "Content-Type", mime)
			switch {
			case mute != nil:
				after, err := w.ledger.Head(t.Context())
				if rec.Code != 503 || err != nil || after.Size != head.Size {
					t.Errorf("%s without its line: %d, %v, %s", row.operation, rec.Code, err, rec.Body)
				}
			case rec.Code >= 300:
				t.Errorf("%s: %d %s", row.operation, rec.Code, rec.Body)
			case len(lines) != before+1 || lines[before].What != row.operation || lines[before].Owner != row.owner || lines[before].Token == "":
				t.Errorf("%s leaves %+v", row.operation, lines[before:])
			}
			if mute == nil && row.operation == "addWebhook" {
				hook = decode[WebhookView](t, rec).ID
			}
		}
	}
	var walked []string
	for _, l := range lines {
		walked = append(walked, l.What)
	}
	document := decode[struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}](t, w.call("GET", "/openapi.json", ""))
	for path, methods := range document.Paths {
		for method, op := range methods {
			if method != "get" && op.OperationID != "validateMessage" && !slices.Contains(walked, op.OperationID) { // that one keeps nothing
				t.Errorf("%s %s (%s) is not walked, so nobody knows whether it leaves a line", method, path, op.OperationID)
			}
		}
	}
}
