package conformance_test

import (
	"cmp"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/network/conformance"
	"github.com/once-only/oots/suites"
	"github.com/once-only/oots/testbed"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func TestNode(t *testing.T) {
	c, err := testbed.Load(suites.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(cmp.Or(os.Getenv("LINE"), "oots-edm:v2.0")) {
		r, err := conformance.Open(t.Context(), conformance.Config{Country: cmp.Or(os.Getenv("COUNTRY"), "FI"), Catalogue: c, Line: line, Version: "1", Start: noon})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		n := map[testbed.Result]int{}
		at := time.Now()
		for _, s := range c.Suites {
			for _, k := range s.Cases {
				if f := os.Getenv("CASE"); f != "" && !strings.HasPrefix(k.ID, f) {
					continue
				}
				run, err := r.Play(t.Context(), k)
				if err != nil {
					t.Fatal(err)
				}
				n[run.Result]++
				if run.Result == testbed.Fail || run.Result == testbed.Broken || run.Result == testbed.Unsupported || os.Getenv("CASE") != "" {
					t.Log(run.Case, run.Result, run.Took, run.Why)
					if os.Getenv("CASE") != "" {
						for _, s := range run.Steps {
							t.Log("   ", s.Step, s.Result, s.Found)
						}
						for _, m := range run.Messages {
							t.Log(m.Sent, m.Action, m.Findings, string(m.Body))
						}
					}
				}
			}
		}
		t.Log(line, n, time.Since(at))
	}
}
