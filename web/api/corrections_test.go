package api

import (
	"strings"
	"testing"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/correction"
)

func TestCorrectionsAreDecidedByWhoMay(t *testing.T) {
	kept := &correction.Memory{}
	w := start(t, func(c *Config) { c.Corrections = kept })
	if err := kept.Add(t.Context(), correction.Request{ID: "a1", At: now, What: "The level is wrong.", Email: "reader@mail.example"}); err != nil {
		t.Fatal(err)
	}
	officer, other := "Bearer "+w.token("officer", access.DecideCorrections), "Bearer "+w.token("ms:EL", access.WriteFacts)
	for _, c := range []struct {
		name, method, path, body, auth string
		status                         int
		want, not                      string
	}{
		{"without a token", "GET", "/corrections", "", "", 401, "token", "reader@"},
		{"without the scope", "GET", "/corrections", "", other, 403, "corrections:decide", "reader@"},
		{"the officer reads", "GET", "/corrections", "", officer, 200, "reader@mail.example", ""},
		{"no outcome", "POST", "/corrections/a1/decision", `{"outcome":"maybe","answer":"Snapshot 8 corrects it."}`, officer, 422, "", ""},
		{"no answer", "POST", "/corrections/a1/decision", `{"outcome":"upheld","answer":"ok"}`, officer, 422, "10 to 2000", ""},
		{"an unknown one", "POST", "/corrections/zz/decision", `{"outcome":"upheld","answer":"Snapshot 8 corrects it."}`, officer, 404, "unknown-correction", ""},
		{"the decision", "POST", "/corrections/a1/decision", `{"outcome":"upheld","answer":"Snapshot 8 corrects it."}`, officer, 204, "", ""},
		{"a second one", "POST", "/corrections/a1/decision", `{"outcome":"rejected","answer":"It was right all along."}`, officer, 409, "decided", ""},
		{"the address is gone", "GET", "/corrections", "", officer, 200, "Snapshot 8", "reader@mail.example"},
	} {
		rec := w.call(c.method, "/api/v1"+c.path, c.body, "Authorization", c.auth, "Content-Type", "application/json")
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) || c.not != "" && strings.Contains(rec.Body.String(), c.not) {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
}
