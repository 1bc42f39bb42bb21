package testbed_test

import (
	"context"
	"testing"

	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

// TestASessionOfManyCases plays every case one after the other against one
// system, as a team does: what a case leaves behind must not fail the next, and
// what a partner may vary must not fail any.
func TestASessionOfManyCases(t *testing.T) {
	c := catalogue(t)
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		line   string
		temper partner.Temper
	}{
		{"oots-edm:v2.0", partner.Temper{}},
		{"oots-edm:v2.0", partner.Temper{Indent: true, Prefix: "voc", Duplicate: 1, DelaySeconds: 60}},
		{"oots-edm:v1.2", partner.Temper{Shuffle: true, Prefix: "p", Duplicate: 2}},
	} {
		if testing.Short() && tc.temper != (partner.Temper{}) {
			continue
		}
		t.Run(tc.line, func(t *testing.T) {
			t.Parallel()
			r, err := testbed.NewLab(testbed.LabConfig{Catalogue: c, Keys: k, Judge: judge, Line: tc.line, Temper: tc.temper, Start: noon, Names: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			for _, s := range c.Suites {
				runs, err := r.PlaySuite(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				for _, run := range runs {
					switch run.Result {
					case testbed.Pass, testbed.Warnings, testbed.NotApplicable:
					default:
						show(t, run)
						t.Errorf("%s: %s with %+v", run.Case, run.Result, tc.temper)
					}
				}
			}
		})
	}
}

// TestWhoKeepsAnswersIsNotFailedForIt: a client that keeps answers and cannot be
// told to forget them is not judged by queries that it need not put.
func TestWhoKeepsAnswersIsNotFailedForIt(t *testing.T) {
	c := catalogue(t)
	for _, forgets := range []bool{true, false} {
		r := lab(t, c, "", "oots-edm:v2.0")
		practice := r.Target.Driver
		r.Target.Driver = testbed.DriverFunc(func(ctx context.Context, o testbed.Order) (testbed.Outcome, error) {
			if o.Do == "forget" && !forgets {
				return testbed.Outcome{}, testbed.ErrUnsupported
			}
			return practice.Drive(ctx, o)
		})
		for _, id := range []string{"CS-QRY-EB-001", "CS-QRY-EB-002", "CS-SIG-001"} {
			run, err := r.Play(t.Context(), c.Case(id))
			if err != nil {
				t.Fatal(err)
			}
			want := testbed.Pass
			if !forgets && id != "CS-QRY-EB-001" {
				want = testbed.Unsupported
			}
			if run.Result != want {
				show(t, run)
				t.Errorf("%s, forgets %v: %s, want %s", id, forgets, run.Result, want)
			}
		}
	}
}
