package lcm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/validator"
)

const requestID = "urn:uuid:2d2f9a3e-0b1c-4d5e-8f60-718293a4b5c6"

var (
	testNow = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	finland = lcm.Author{Party: "ms:FI", How: lcm.ByAPI}
)

func manager(t testing.TB, change ...func(*lcm.Config)) *lcm.LifecycleManager {
	t.Helper()
	cfg := lcm.Config{Store: &lcm.Memory{}, Baseline: seed.DataSet(), Now: func() time.Time { return testNow }}
	for _, c := range change {
		c(&cfg)
	}
	m, err := lcm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t testing.TB, c *cs.Contribution, o lcm.EncodeOptions) []byte {
	t.Helper()
	if o.ID == "" {
		o.ID = requestID
	}
	raw, _, err := lcm.Encode(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// refusal is what the submission is refused for.
func refusal(t testing.TB, err error) *lcm.Refusal {
	t.Helper()
	var r *lcm.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("want a refusal, got %v", err)
	}
	return r
}

// TestASubmissionChangesOneAnswer is the thinnest way: Finland moves a provider
// and the next answer says so; everything else stays.
func TestASubmissionChangesOneAnswer(t *testing.T) {
	m := manager(t)
	before := m.DataSet()
	raw := encode(t, m.Part("FI"), lcm.EncodeOptions{Services: lcm.DataServiceDirectory})
	changed := strings.Replace(string(raw), "Demo Board of Education", "Demo Agency for Education", 1)
	r, err := m.Submit(t.Context(), finland, "FI", []byte(changed))
	if err != nil {
		t.Fatal(err)
	}
	if r.Number != before.Revision+1 || r.Changed != 1 || r.Added+r.Removed != 0 || r.RequestID != requestID {
		t.Errorf("the revision is %+v", r)
	}
	after := m.DataSet()
	if got := after.Contributions["FI"].Providers[0].Names[0].Value; got != "Demo Agency for Education" {
		t.Errorf("the provider is called %q", got)
	}
	for _, cc := range before.Countries() {
		if cc != "FI" && before.Contributions[cc] != after.Contributions[cc] {
			t.Errorf("%s changed too", cc)
		}
	}
	changes, err := m.Compare(t.Context(), "FI", before.Revision, r.Number)
	if err != nil || len(changes) != 1 || changes[0].Fields[0] != (lcm.Field{Path: "Names (EN)", Before: "Demo Board of Education", After: "Demo Agency for Education"}) {
		t.Errorf("the difference is %+v, %v", changes, err)
	}
	if _, err := m.Restore(t.Context(), finland, "FI", before.Revision); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Contributions["FI"], m.Part("FI")); diff != "" {
		t.Errorf("restored, and yet:\n%s", diff)
	}
}

// TestExportsImportAgain: every seeded country's export is accepted and changes
// nothing, and is as the published rules want it.
func TestExportsImportAgain(t *testing.T) {
	for _, set := range map[string]*cs.DataSet{"tables": seed.DataSet(), "network": seed.Network()} {
		m := manager(t, func(c *lcm.Config) { c.Baseline = set; c.Judge = judge })
		for _, cc := range m.DataSet().Countries() {
			c := m.Part(cc)
			raw, _, err := lcm.Encode(c, lcm.EncodeOptions{ID: requestID})
			if err != nil {
				continue // a country without data of its own
			}
			r, err := m.Submit(t.Context(), lcm.Author{Party: "ms:" + cc, How: lcm.ByAPI}, cc, raw)
			if err != nil {
				t.Errorf("%s: %v", cc, err)
				continue
			}
			if r.Added+r.Changed+r.Removed != 0 {
				changes, _ := m.Compare(t.Context(), cc, r.Number-1, r.Number)
				t.Errorf("%s: the same data are a change: %+v", cc, changes)
			}
			if diff := cmp.Diff(c, m.Part(cc)); diff != "" {
				t.Errorf("%s:\n%s", cc, diff)
			}
		}
	}
}

// judge is the published rules, as a server hands them in.
func judge(raw []byte) (out []lcm.Fault) {
	rep := validator.New(validator.Config{}).Validate(raw, validator.Options{})
	for _, f := range rep.Findings {
		if f.Refuses() {
			out = append(out, lcm.Fault{Code: lcm.BadObject, Rule: f.Rule, Line: f.Line, Column: f.Column, Text: f.Found})
		}
	}
	return out
}

func TestExportsOfOlderLinesImportAgain(t *testing.T) {
	for _, line := range []lcm.Line{lcm.V12, lcm.V11, lcm.V10} {
		m := manager(t)
		for _, cc := range []string{"FI", "NL", "DE", "EL", "FR"} {
			c := m.Part(cc)
			raw, lost, err := lcm.Encode(c, lcm.EncodeOptions{ID: requestID, Line: line})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Submit(t.Context(), lcm.Author{Party: "ms:" + cc, How: lcm.ByAPI}, cc, raw); err != nil {
				t.Errorf("%s on %s (lost %v): %v", cc, line, lost, err)
				continue
			}
			for _, change := range lcm.Diff(c, m.Part(cc)) {
				for _, f := range change.Fields {
					if !strings.Contains(f.Path, "Languages") && !strings.Contains(f.Path, "Identifier") {
						t.Errorf("%s on %s (lost %v): %s %s: %+v", cc, line, lost, change.Kind, change.ID, f)
					}
				}
			}
		}
	}
}

// TestOneBadObjectAmongAThousand: nothing changes, and each bad object is named
// with rule and position.
func TestOneBadObjectAmongAThousand(t *testing.T) {
	set := seed.Large()
	m := manager(t, func(cfg *lcm.Config) { cfg.Baseline = set })
	c := m.Part("DE")
	big := *c
	for len(big.EvidenceTypes) < 1000 {
		n := len(big.EvidenceTypes)
		e := c.EvidenceTypes[0]
		e.Classification = cs.ClassificationAddress("DE", cs.NameUUID("0d4c9b0a-5f1b-5e0e-9a5e-8f8f2f6d1c11", fmt.Sprint(n)))
		big.EvidenceTypes = append(big.EvidenceTypes, e)
	}
	good := encode(t, &big, lcm.EncodeOptions{})
	lines := strings.Split(string(good), "<sdg:EvidenceType>")
	if len(lines) < 1000 {
		t.Fatalf("only %d evidence types", len(lines))
	}
	for name, spoil := range map[string]struct{ from, to, rule string }{
		"structure": {"<sdg:Title lang=", "<sdg:Titel lang=", "R-EB-SUB-S022"},
		"language":  {"lang=\"EN\"", "lang=\"english\"", "X-LCM-ATOM-01"},
		"address":   {"/evidencetypeclassifications/DE/", "/evidencetypeclassifications/FR/", "X-LCM-MS-01"},
	} {
		bad := append([]string{}, lines...)
		bad[700] = strings.Replace(bad[700], spoil.from, spoil.to, 1)
		bad[700] = strings.Replace(bad[700], "</sdg:Title>", "</sdg:Title>", 1)
		if name == "structure" {
			bad[700] = strings.Replace(bad[700], "</sdg:Title>", "</sdg:Titel>", 1)
		}
		before := m.DataSet()
		_, err := m.Submit(t.Context(), lcm.Author{Party: "ms:DE", How: lcm.ByAPI}, "DE", []byte(strings.Join(bad, "<sdg:EvidenceType>")))
		r := refusal(t, err)
		if m.DataSet() != before {
			t.Errorf("%s: the data set changed", name)
		}
		if len(r.Faults) != 1 || r.Faults[0].Rule != spoil.rule || r.Faults[0].Line == 0 || !strings.HasPrefix(r.Faults[0].Object, "urn:uuid:") {
			t.Errorf("%s: %d faults, the first %+v", name, len(r.Faults), r.Faults[0])
		}
	}
}

func TestAForeignObjectRefusesTheWholeSubmission(t *testing.T) {
	m := manager(t)
	raw := encode(t, m.Part("FI"), lcm.EncodeOptions{})
	for name, spoil := range map[string][2]string{
		"jurisdiction":   {"<sdg:AdminUnitLevel1>FI<", "<sdg:AdminUnitLevel1>SE<"},
		"classification": {"/evidencetypeclassifications/FI/", "/evidencetypeclassifications/SE/"},
	} {
		_, err := m.Submit(t.Context(), finland, "FI", []byte(strings.Replace(string(raw), spoil[0], spoil[1], 1)))
		r := refusal(t, err)
		if !r.Foreign || r.Faults[0].Rule != lcm.RuleCountry || r.Faults[0].Code != lcm.BadSubmission {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, err := m.Submit(t.Context(), lcm.Author{Party: "ms:SE", How: lcm.ByAPI}, "SE", raw); !refusal(t, err).Foreign {
		t.Error("Sweden submits Finland's data")
	}
	attempts, err := m.Attempts(t.Context(), "FI", 10)
	if err != nil || len(attempts) != 2 || !attempts[0].Foreign || attempts[0].Party != "ms:FI" {
		t.Errorf("the audit holds %+v, %v", attempts, err)
	}
	if m.DataSet().Revision != seed.DataSet().Revision {
		t.Error("something changed")
	}
}

func TestReferencesResolve(t *testing.T) {
	m := manager(t)
	raw := string(encode(t, m.Part("FI"), lcm.EncodeOptions{}))
	for name, c := range map[string]struct {
		from, to string
		code     lcm.Code
		rule     string
	}{
		"unknown requirement":   {"targetObject=\"urn:uuid:" + seedUUID("birth"), "targetObject=\"urn:uuid:11111111-2222-4333-8444-555555555555", lcm.BadSubmission, lcm.RuleReferences},
		"no check":              {`checkReferences="true"`, `checkReferences="false"`, lcm.BadSubmission, lcm.RuleReferences},
		"wrong type":            {"AssociationType:ContainsEvidence", "AssociationType:ProvidesEvidenceType", lcm.BadAssociation, "R-DSD-SUB-S028"},
		"unknown type":          {"AssociationType:ContainsEvidence", "AssociationType:Likes", lcm.BadAssociation, "R-EB-SUB-S030"},
		"unknown specification": {"oots-lcm:v2.0", "oots-lcm:v9.0", lcm.BadSubmission, lcm.RuleReadable},
		"truncated":             {"</lcm:SubmitObjectsRequest>", "", lcm.BadSubmission, lcm.RuleReadable},
	} {
		if !strings.Contains(raw, c.from) {
			t.Fatalf("%s: nothing to spoil", name)
		}
		_, err := m.Submit(t.Context(), finland, "FI", []byte(strings.Replace(raw, c.from, c.to, 1)))
		f := refusal(t, err).Faults[0]
		if f.Code != c.code || f.Rule != c.rule {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func seedUUID(key string) string {
	return strings.TrimPrefix(seed.Requirement(key), cs.Repository+"requirements/")
}

// TestCountriesSubmitAtOnce: submissions of several countries at the same time
// all take effect, one after the other.
func TestCountriesSubmitAtOnce(t *testing.T) {
	m := manager(t)
	before := m.DataSet()
	var wait sync.WaitGroup
	countries := []string{"FI", "NL", "DE", "EL", "FR", "ES", "BE"}
	for _, cc := range countries {
		part := m.Part(cc)
		if len(part.Providers) == 0 {
			t.Fatalf("%s has no provider", cc)
		}
		raw := strings.Replace(string(encode(t, part, lcm.EncodeOptions{})), part.Providers[0].Names[0].Value, "Demo Office", 1)
		wait.Go(func() {
			if _, err := m.Submit(context.Background(), lcm.Author{Party: "ms:" + cc, How: lcm.ByAPI}, cc, []byte(raw)); err != nil {
				t.Errorf("%s: %v", cc, err)
			}
		})
	}
	wait.Wait()
	if got := m.DataSet().Revision; got != before.Revision+len(countries) {
		t.Errorf("the revision is %d, want %d", got, before.Revision+len(countries))
	}
	for _, cc := range countries {
		if got := m.Part(cc).Providers[0].Names[0].Value; got != "Demo Office" {
			t.Errorf("%s: the provider is %q", cc, got)
		}
	}
}

// lost is a store whose transactions do not end well when fail says so: what
// was kept inside one is gone again.
type lost struct {
	lcm.Memory
	fail bool
}

func (s *lost) Keep(ctx context.Context, next *cs.DataSet, revisions []lcm.Revision) error {
	if s.fail {
		return nil // kept, and rolled back with the transaction around it
	}
	return s.Memory.Keep(ctx, next, revisions)
}

// TestWhatWasRolledBackIsNotServedForLong: the change that an outer transaction
// lost disappears with the next look at the store.
func TestWhatWasRolledBackIsNotServedForLong(t *testing.T) {
	s := &lost{}
	m := manager(t, func(c *lcm.Config) { c.Store = s })
	before := m.DataSet()
	s.fail = true
	raw := strings.Replace(string(encode(t, m.Part("FI"), lcm.EncodeOptions{})), "Demo Board of Education", "Demo Agency", 1)
	if _, err := m.Submit(t.Context(), finland, "FI", []byte(raw)); err != nil {
		t.Fatal(err)
	}
	s.fail = false
	if err := m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m.DataSet().Revision != before.Revision || m.Part("FI").Providers[0].Names[0].Value != "Demo Board of Education" {
		t.Error("the lost change is still served")
	}
	if _, err := m.Submit(t.Context(), finland, "FI", []byte(raw)); err != nil || m.Part("FI").Providers[0].Names[0].Value != "Demo Agency" {
		t.Errorf("submitted again: %v", err)
	}
}
