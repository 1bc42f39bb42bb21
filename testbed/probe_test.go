package testbed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/testbed"
)

// TestAnAPIThatSaysDoneToEverything: its word counts for nothing until a person
// looked, and the report says why. One that cannot say "unsupported" otherwise
// is warned, and judged.
func TestAnAPIThatSaysDoneToEverything(t *testing.T) {
	c := catalogue(t)
	for _, tc := range []struct {
		name    string
		answer  func(w http.ResponseWriter) // to what it cannot know
		result  testbed.Result              // of a case that rests on its word
		warning string
	}{
		{"404", func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, testbed.Pass, ""},
		{"501", func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotImplemented) }, testbed.Pass, ""},
		{"the state unsupported", func(w http.ResponseWriter) { io.WriteString(w, `{"state":"unsupported"}`) }, testbed.Pass, ""},
		{"done", func(w http.ResponseWriter) { io.WriteString(w, `{"state":"done"}`) }, testbed.NeedsReview, "accepts orders it cannot know"},
		{"no state at all", func(w http.ResponseWriter) { io.WriteString(w, `{}`) }, testbed.NeedsReview, "accepts orders it cannot know"},
		{"500", func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }, testbed.Pass, "HTTP 500"},
		{"garbage", func(w http.ResponseWriter) { io.WriteString(w, "<html>") }, testbed.Pass, "no outcome"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := lab(t, c, "", "oots-edm:v2.0")
			practice := r.Target.Driver
			unknown := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				var o testbed.Order
				if err := json.NewDecoder(q.Body).Decode(&o); err != nil {
					t.Error(err)
				}
				if strings.HasPrefix(o.Do, "unknown-") {
					unknown++
					tc.answer(w)
					return
				}
				out, err := practice.Drive(context.WithoutCancel(q.Context()), o)
				if err != nil {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				_ = json.NewEncoder(w).Encode(out)
			}))
			defer server.Close()
			r.Target.Driver = &testbed.HTTPDriver{URL: server.URL}
			var runs []*testbed.Run
			for _, id := range []string{"ER-SIM-001", "ER-SIM-030"} {
				run, err := r.Play(t.Context(), c.Case(id))
				if err != nil {
					t.Fatal(err)
				}
				runs = append(runs, run)
			}
			// What the platform saw itself needs nobody's word.
			if runs[0].Result != tc.result || runs[1].Result != testbed.Pass {
				show(t, runs[0])
				t.Errorf("%s and %s, want %s and pass", runs[0].Result, runs[1].Result, tc.result)
			}
			if unknown != 1 {
				t.Errorf("it was probed %d times", unknown)
			}
			var text, page, junit bytes.Buffer
			report := testbed.NewReport(r, ledger.Testing, noon, runs)
			for _, err := range []error{report.WriteText(&text), report.WriteHTML(&page), report.WriteJUnit(&junit)} {
				if err != nil {
					t.Error(err)
				}
			}
			for form, s := range map[string]string{"text": text.String(), "page": page.String(), "JUnit": junit.String()} {
				if said := strings.Contains(s, "arning: ") || strings.Contains(s, "system-err"); said != (tc.warning != "") || !strings.Contains(s, tc.warning) {
					t.Errorf("the %s says\n%s\nwant %q", form, s, tc.warning)
				}
			}
		})
	}
}
