package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/once-only/oots/validator"
)

func TestAMessageIsJudgedAndNothingKept(t *testing.T) {
	w := start(t)
	good := validator.Specimens()[0].XML
	spoiled := strings.Replace(good, ">T2<", ">X8<", 1)
	for _, c := range []struct {
		query, body string
		status      int
		media, want string
	}{
		{"", good, http.StatusOK, "application/json", `"refused": false`},
		{"", spoiled, http.StatusOK, "application/json", `"rule": "R-EDM-REQ-C003"`},
		{"?format=junit", spoiled, http.StatusOK, "application/xml", `<testsuites>`},
		{"?format=sarif", spoiled, http.StatusOK, "application/sarif+json", `"ruleId": "R-EDM-REQ-C003"`},
		{"?kind=EDM-RESP", good, http.StatusOK, "application/json", "R-EDM-RESP-S001"},
		{"?line=1.2", good, http.StatusOK, "application/json", "R-EDM-REQ-C001"},
		{"", "PK\x03\x04", http.StatusOK, "application/json", "XML-not-xml"},
		{"?kind=letter", good, http.StatusBadRequest, "application/problem+json", "EDM-REQ"},
		{"?line=3.0", good, http.StatusBadRequest, "application/problem+json", "1.2"},
		{"?format=pdf", good, http.StatusBadRequest, "application/problem+json", "junit"},
		{"?colour=red", good, http.StatusUnprocessableEntity, "application/problem+json", "colour"},
		{"", strings.Repeat("x", mostMessage+1), http.StatusRequestEntityTooLarge, "application/problem+json", ""},
	} {
		rec := w.call("POST", "/api/v1/validations"+c.query, c.body, "Content-Type", "application/xml")
		if rec.Code != c.status || !strings.HasPrefix(rec.Header().Get("Content-Type"), c.media) || !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s: %d %s\n%.300s", c.query, rec.Code, rec.Header().Get("Content-Type"), rec.Body)
		}
		if rec.Code == http.StatusOK && rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %q", c.query, rec.Header().Get("Cache-Control"))
		}
	}
	var got struct {
		Messages []struct{ Findings []validator.Finding }
	}
	rec := w.call("POST", "/api/v1/validations", spoiled)
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || len(got.Messages) != 1 || got.Messages[0].Findings[0].Severity != validator.Fatal || got.Messages[0].Findings[0].Line == 0 {
		t.Errorf("findings %+v: %v", got, err)
	}
}
