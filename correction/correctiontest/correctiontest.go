// Package correctiontest holds the promises of a correction.Store.
package correctiontest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/correction"
)

// Run runs every promise on a fresh, empty store.
func Run(t *testing.T, open func(t *testing.T) correction.Store) {
	noon := time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)
	s := open(t)
	first := correction.Request{ID: "a1", At: noon, What: "The level of X is too low.", Where: "/countries/x", Evidence: "a link", Email: "reader@mail.example"}
	second := correction.Request{ID: "b2", At: noon.Add(time.Minute), What: "A date is wrong."}
	for _, r := range []correction.Request{first, second} {
		if err := s.Add(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	list := func() []correction.Request {
		t.Helper()
		l, err := s.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if diff := cmp.Diff([]correction.Request{second, first}, list()); diff != "" {
		t.Errorf("newest first, as asked (-want +got):\n%s", diff)
	}
	d := correction.Decision{At: noon.Add(time.Hour), By: "officer", Outcome: "upheld", Answer: "Snapshot 8 corrects it."}
	if err := s.Decide(t.Context(), "zz", d); !errors.Is(err, correction.ErrUnknown) {
		t.Errorf("an unknown request gives %v", err)
	}
	if err := s.Decide(t.Context(), "a1", d); err != nil {
		t.Fatal(err)
	}
	if err := s.Decide(t.Context(), "a1", d); !errors.Is(err, correction.ErrDecided) {
		t.Errorf("a second decision gives %v", err)
	}
	first.Email, first.DecidedAt, first.DecidedBy, first.Outcome, first.Answer = "", d.At, d.By, d.Outcome, d.Answer
	if diff := cmp.Diff([]correction.Request{second, first}, list()); diff != "" {
		t.Errorf("decided, the address erased (-want +got):\n%s", diff)
	}
}
