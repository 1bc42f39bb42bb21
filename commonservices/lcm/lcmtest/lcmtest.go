// Package lcmtest holds the promises that every lcm.Store keeps.
package lcmtest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
)

var at = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// Run holds a store to its promises; open gives a fresh, empty one.
func Run(t *testing.T, open func(t *testing.T) lcm.Store) {
	for _, p := range []struct {
		name string
		test func(*testing.T, lcm.Store)
	}{
		{"a data set comes back as it was kept", comesBack},
		{"a data set that does not follow is a conflict", conflict},
		{"the newest revision of a country is its part", newestPart},
		{"environments do not see each other", apart},
		{"refusals are listed, the newest first", refusals},
	} {
		t.Run(p.name, func(t *testing.T) { p.test(t, open(t)) })
	}
}

// begin keeps the seed as revisions of number 1.
func begin(t *testing.T, s lcm.Store, environment string) *cs.DataSet {
	t.Helper()
	d := *seed.DataSet()
	d.Environment = environment
	var revisions []lcm.Revision
	for _, cc := range d.Countries() {
		revisions = append(revisions, revision(environment, d.Revision, cc, d.Contributions[cc]))
	}
	if err := s.Keep(t.Context(), &d, revisions); err != nil {
		t.Fatal(err)
	}
	return &d
}

func revision(environment string, number int, cc string, part *cs.Contribution) lcm.Revision {
	return lcm.Revision{Environment: environment, Number: number, Country: cc, Author: lcm.Author{Party: "ms:" + cc, How: lcm.ByAPI, Message: "m@example"},
		At: at, RequestID: "urn:uuid:1", Restores: 7, Added: 1, Changed: 2, Removed: 3, Part: part}
}

// step keeps a country's next part.
func step(t *testing.T, s lcm.Store, d *cs.DataSet, part *cs.Contribution) *cs.DataSet {
	t.Helper()
	next := d.With(part)
	if err := s.Keep(t.Context(), next, []lcm.Revision{revision(d.Environment, next.Revision, part.Country, part)}); err != nil {
		t.Fatal(err)
	}
	return next
}

func comesBack(t *testing.T, s lcm.Store) {
	if _, err := s.Load(t.Context(), "testing"); !errors.Is(err, cs.ErrNoDataSet) {
		t.Fatalf("an empty store gives %v", err)
	}
	if n, err := s.Newest(t.Context(), "testing"); n != 0 || err != nil {
		t.Fatalf("an empty store's newest is %d, %v", n, err)
	}
	d := begin(t, s, "testing")
	got, err := s.Load(t.Context(), "testing")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, got); diff != "" {
		t.Error(diff)
	}
	if n, err := s.Newest(t.Context(), "testing"); n != d.Revision || err != nil {
		t.Errorf("the newest is %d, %v", n, err)
	}
}

func conflict(t *testing.T, s lcm.Store) {
	d := begin(t, s, "testing")
	next := step(t, s, d, &cs.Contribution{Country: "FI"})
	other := d.With(&cs.Contribution{Country: "SE"})
	if err := s.Keep(t.Context(), other, []lcm.Revision{revision("testing", other.Revision, "SE", other.Contributions["SE"])}); !errors.Is(err, cs.ErrConflict) {
		t.Fatalf("want a conflict, got %v", err)
	}
	got, err := s.Load(t.Context(), "testing")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(next, got); diff != "" {
		t.Error(diff)
	}
	if _, err := s.At(t.Context(), "testing", "SE", 100); err == nil {
		if r, _ := s.At(t.Context(), "testing", "SE", 100); r.Number == other.Revision {
			t.Error("the refused revision is kept")
		}
	}
}

func newestPart(t *testing.T, s lcm.Store) {
	d := begin(t, s, "testing")
	first := d.Revision
	part := *d.Contributions["FI"]
	part.Providers = part.Providers[:1]
	d = step(t, s, d, &part)
	d = step(t, s, d, &cs.Contribution{Country: "DE"})
	last := *d
	last.Revision++
	last.Contributions = map[string]*cs.Contribution{"DE": d.Contributions["DE"]}
	gone := revision("testing", last.Revision, "FI", nil)
	if err := s.Keep(t.Context(), &last, []lcm.Revision{gone}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(t.Context(), "testing")
	if err != nil || got.Contributions["FI"] != nil {
		t.Fatalf("Finland's part is gone, and yet: %v, %v", got.Contributions["FI"], err)
	}
	list, err := s.Revisions(t.Context(), "testing", "FI", 0, 10)
	if err != nil || len(list) != 3 || list[0].Number != last.Revision || list[2].Number != first || list[1].Part != nil {
		t.Fatalf("the revisions are %+v, %v", list, err)
	}
	older, err := s.Revisions(t.Context(), "testing", "FI", list[0].Number, 1)
	if err != nil || len(older) != 1 || older[0].Number != list[1].Number {
		t.Errorf("one before %d is %+v, %v", list[0].Number, older, err)
	}
	r, err := s.At(t.Context(), "testing", "FI", last.Revision-1)
	if err != nil {
		t.Fatal(err)
	}
	want := revision("testing", first+1, "FI", &part)
	if diff := cmp.Diff(&want, r); diff != "" {
		t.Error(diff)
	}
	if _, err := s.At(t.Context(), "testing", "FI", first-1); !errors.Is(err, lcm.ErrNoRevision) {
		t.Errorf("before the first there is %v", err)
	}
	if r, err := s.At(t.Context(), "testing", "FI", last.Revision); err != nil || r.Part != nil {
		t.Errorf("the last revision is %+v, %v", r, err)
	}
}

func apart(t *testing.T, s lcm.Store) {
	a, b := begin(t, s, "testing"), begin(t, s, "training")
	step(t, s, a, &cs.Contribution{Country: "FI"})
	got, err := s.Load(t.Context(), "training")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, got); diff != "" {
		t.Error(diff)
	}
	if list, err := s.Revisions(t.Context(), "training", "FI", 0, 10); err != nil || len(list) != 1 {
		t.Errorf("training has %d revisions of Finland, %v", len(list), err)
	}
}

func refusals(t *testing.T, s lcm.Store) {
	var want []lcm.Attempt
	for i, foreign := range []bool{false, true} {
		a := lcm.Attempt{Environment: "testing", Country: "FI", Author: lcm.Author{Party: "ms:FI", How: lcm.ByAS4, Message: "m@example"},
			At: at.Add(time.Duration(i) * time.Second), RequestID: "urn:uuid:1", Foreign: foreign, Faults: []lcm.Fault{{Code: lcm.BadObject, Rule: "R", Object: "o", Line: 1, Column: 2, Text: "t"}}}
		if err := s.Refuse(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		want = append([]lcm.Attempt{a}, want...)
	}
	got, err := s.Attempts(t.Context(), "testing", "FI", 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := s.Attempts(t.Context(), "testing", "SE", 10); err != nil || len(got) != 0 {
		t.Errorf("Sweden's are %+v, %v", got, err)
	}
}
