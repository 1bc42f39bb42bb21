package validator_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/validator/official"
)

// What the published XML Schema of line 1.0 refuses, a rule or the structure of
// ours refuses; what it accepts, our structure accepts. (Published rules are
// stricter than the schema, so only structure findings count the second time.)
func TestStructureEqualsThePublishedSchemaOnMutations(t *testing.T) {
	dir := samples(t)
	set, err := official.Load(filepath.Join(dir, "schemas"))
	if err != nil {
		t.Fatal(err)
	}
	v := validator.New(validator.Config{})
	var wg sync.WaitGroup
	type job struct {
		b base
		m mutation
	}
	next := make(chan job)
	for range 4 {
		wg.Go(func() {
			for j := range next {
				theirs, err := set.Judge(t.Context(), []byte(j.m.raw), "")
				if err != nil || !theirs.Schema {
					continue // no XML, or of a namespace without a schema
				}
				ours := v.Validate([]byte(j.m.raw), validator.Options{Kind: j.b.kind, Line: validator.V10})
				for _, d := range official.Compare(ours, theirs) {
					if d.Rule == official.RuleXSD {
						t.Errorf("%s %s: schema refuses: %v, we refuse: %v: %s", j.b.name, j.m.name, d.Theirs, d.Ours, d.Text)
					}
				}
			}
		})
	}
	count, seen := 0, map[string]bool{}
	for _, b := range bases(t, dir) {
		sound, err := set.Judge(t.Context(), []byte(b.raw), "")
		if err != nil {
			t.Fatal(err)
		}
		if len(sound.Findings) > 0 {
			// Two samples break their own schema: a mutation of them shows nothing.
			if !strings.HasPrefix(b.name, "DSD_Regrep-DSD-exception_more") && !strings.HasPrefix(b.name, "LCM_DSD-LCM-Bulk") {
				t.Errorf("%s breaks its schema: %s", b.name, sound.Findings[0].Message)
			}
			continue
		}
		for _, m := range append(mutate(t, b.raw), mutation{"", b.raw}) {
			if key := b.kind.String() + m.name; !seen[key] || m.name == "" {
				seen[key] = true
				if taken(key) {
					count++
					next <- job{b, m}
				}
			}
		}
	}
	close(next)
	wg.Wait()
	if count < 1000 {
		t.Errorf("only %d messages were compared", count)
	}
	t.Logf("%d messages compared", count)
}
