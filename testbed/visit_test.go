package testbed_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/once-only/oots/testbed"
)

// received is what a system does that is told to receive the user: here the
// practice system's own preview space, visited for it.
func received(r *testbed.Runner, o testbed.Order) testbed.Outcome {
	resp, err := r.Target.Browser.PostForm(o.Args["location"], url.Values{"as": {o.Args["family"]}, "decision": {o.Args["decision"]}})
	if err != nil {
		return testbed.Outcome{State: "failed", Detail: err.Error()}
	}
	resp.Body.Close()
	return testbed.Outcome{State: "seen", Fields: map[string]string{"status": strconv.Itoa(resp.StatusCode), "returned": resp.Header.Get("Location")}}
}

// TestTheSystemReceivesTheUserItself: the step "open" is an order to a system
// that can be told to receive the user, and what it says is judged as a visit of
// the browser would be.
func TestTheSystemReceivesTheUserItself(t *testing.T) {
	c := catalogue(t)
	seen := func(status, returned string) func(*testbed.Runner, testbed.Order) testbed.Outcome {
		return func(*testbed.Runner, testbed.Order) testbed.Outcome {
			return testbed.Outcome{State: "seen", Fields: map[string]string{"status": status, "returned": returned}}
		}
	}
	for _, tc := range []struct {
		name string
		says func(*testbed.Runner, testbed.Order) testbed.Outcome
		want string // in the reason of the failure; "" for a pass
	}{
		{"receives", received, ""},
		{"knows no visits", func(*testbed.Runner, testbed.Order) testbed.Outcome { return testbed.Outcome{State: "unsupported"} }, ""},
		{"sends the user nowhere", seen("200", ""), "not sent back"},
		{"sends the user elsewhere", seen("303", "https://elsewhere.test.example/"), "sent to https://elsewhere.test.example/"},
		{"refuses", seen("410", ""), "answers 410"},
		{"has no status", seen("", ""), `the HTTP status ""`},
		{"says another word", func(*testbed.Runner, testbed.Order) testbed.Outcome { return testbed.Outcome{State: "done"} }, "done instead of seen"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := lab(t, c, "", "oots-edm:v2.0")
			practice := r.Target.Driver
			var told []testbed.Order
			r.Target.Driver = testbed.DriverFunc(func(ctx context.Context, o testbed.Order) (testbed.Outcome, error) {
				if o.Do != "visit" {
					return practice.Drive(ctx, o)
				}
				told = append(told, o)
				return tc.says(r, o), nil
			})
			run, err := r.Play(t.Context(), c.Case("EP-SIM-031"))
			if err != nil {
				t.Fatal(err)
			}
			if len(told) != 1 || told[0].Args["family"] == "" || told[0].Args["decision"] != "accept" || !strings.HasPrefix(told[0].Args["location"], "https://") {
				t.Errorf("it was told %v", told)
			}
			if tc.want == "" && run.Result != testbed.Pass || tc.want != "" && (run.Result != testbed.Fail || !strings.Contains(run.Why, tc.want)) {
				show(t, run)
				t.Errorf("%s: %s, want %q", run.Result, run.Why, tc.want)
			}
		})
	}
}

// TestNobodySignsIn: a visit as nobody names no family.
func TestNobodySignsIn(t *testing.T) {
	c := catalogue(t)
	r := lab(t, c, "", "oots-edm:v2.0")
	r.Target.Driver = testbed.DriverFunc(func(_ context.Context, o testbed.Order) (testbed.Outcome, error) {
		if o.Do != "visit" {
			return testbed.Outcome{}, testbed.ErrUnsupported
		}
		if who, has := o.Args["family"]; !has || who != "" {
			t.Errorf("it was told %v", o)
		}
		return testbed.Outcome{State: "seen", Fields: map[string]string{"status": strconv.Itoa(http.StatusUnauthorized)}}, nil
	})
	if run, err := r.Play(t.Context(), c.Case("EID-007")); err != nil || run.Result != testbed.Pass {
		t.Error(err, run.Why)
	}
}
