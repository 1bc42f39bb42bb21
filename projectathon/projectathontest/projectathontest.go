// Package projectathontest holds the promises of projectathon.Store.
package projectathontest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/projectathon"
)

// Run holds a store to its promises; open gives a fresh, empty one each time.
func Run(t *testing.T, open func(*testing.T) projectathon.Store) {
	record := func(id, event string, version int) projectathon.Record {
		return projectathon.Record{Kind: projectathon.KindTest, ID: id, Event: event, Version: version, Doc: []byte(`{"ID":"` + id + `"}`)}
	}
	at := time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)
	line := projectathon.Entry{At: at, By: "team:FI/a", As: projectathon.Contact, Event: "e", What: projectathon.TakePart, On: "a", Note: "n"}

	t.Run("WhoReadAnOldVersionWritesNothing", func(t *testing.T) {
		s := open(t)
		if _, err := s.Get(t.Context(), projectathon.KindTest, "a"); !errors.Is(err, projectathon.ErrUnknown) {
			t.Fatalf("what is not there gives %v", err)
		}
		if err := s.Put(t.Context(), line, record("a", "e", 1)); err != nil {
			t.Fatal(err)
		}
		for _, r := range []projectathon.Record{record("a", "e", 1), record("a", "e", 3), record("b", "e", 2)} {
			if err := s.Put(t.Context(), line, record("c", "e", 1), r); !errors.Is(err, projectathon.ErrChanged) {
				t.Errorf("version %d of %s gives %v", r.Version, r.ID, err)
			}
		}
		if _, err := s.Get(t.Context(), projectathon.KindTest, "c"); !errors.Is(err, projectathon.ErrUnknown) {
			t.Error("half of a refused write was kept")
		}
		if trail, err := s.Audit(t.Context(), "e", 9); err != nil || len(trail) != 1 || trail[0] != line {
			t.Errorf("the trail is %+v, %v", trail, err)
		}
	})
	t.Run("ChangesAreReadInTheirOrder", func(t *testing.T) {
		s := open(t)
		for _, r := range []projectathon.Record{record("a", "e", 1), record("b", "e", 1), record("x", "other", 1), record("a", "e", 2)} {
			r.Owed = r.Version == 2
			if err := s.Put(t.Context(), line, r); err != nil {
				t.Fatal(err)
			}
		}
		all, err := s.Since(t.Context(), "e", 0, 9)
		if err != nil || len(all) != 2 || all[0].ID != "b" || all[1].ID != "a" || all[1].Version != 2 || all[0].Seq >= all[1].Seq {
			t.Fatalf("the changes are %+v, %v", all, err)
		}
		if rest, err := s.Since(t.Context(), "e", all[0].Seq, 9); err != nil || len(rest) != 1 || rest[0].ID != "a" {
			t.Errorf("after the first: %+v, %v", rest, err)
		}
		if first, err := s.Since(t.Context(), "e", 0, 1); err != nil || len(first) != 1 {
			t.Errorf("at most one: %+v, %v", first, err)
		}
		if owed, err := s.Owed(t.Context(), 9); err != nil || len(owed) != 1 || owed[0].ID != "a" {
			t.Errorf("owed: %+v, %v", owed, err)
		}
		if l, err := s.List(t.Context(), projectathon.KindTest, ""); err != nil || len(l) != 3 || l[0].ID != "a" || l[2].ID != "x" {
			t.Errorf("the list is %+v, %v", l, err)
		}
	})
	t.Run("OfManyWritersOneWins", func(t *testing.T) {
		s := open(t)
		if err := s.Put(t.Context(), line, record("a", "e", 1)); err != nil {
			t.Fatal(err)
		}
		var won sync.Map
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if err := s.Put(t.Context(), line, record("a", "e", 2)); err == nil {
					won.Store(i, true)
				} else if !errors.Is(err, projectathon.ErrChanged) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("%d writers won", n)
		}
	})
	t.Run("OctetsStayWhatTheyWere", func(t *testing.T) {
		s := open(t)
		for _, b := range []string{"first", "second"} {
			if err := s.Keep(t.Context(), projectathon.Sealed{Digest: [32]byte{1}, Octets: []byte(b), Test: "t1"}, projectathon.Sealed{Digest: [32]byte{3}, Octets: []byte("beside " + b), Test: "t1"}); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := s.Kept(t.Context(), [32]byte{1}); err != nil || string(b) != "first" {
			t.Errorf("kept %q, %v", b, err)
		}
		if b, err := s.Kept(t.Context(), [32]byte{3}); err != nil || string(b) != "beside first" {
			t.Errorf("beside it: %q, %v", b, err)
		}
		if _, err := s.Kept(t.Context(), [32]byte{2}); !errors.Is(err, projectathon.ErrUnknown) {
			t.Errorf("what is not there gives %v", err)
		}
	})
	t.Run("OctetsBelongToTests", func(t *testing.T) {
		s := open(t)
		for _, test := range []string{"t2", "t1", "t2"} {
			if err := s.Keep(t.Context(), projectathon.Sealed{Digest: [32]byte{1}, Octets: []byte("octets"), Test: test}); err != nil {
				t.Fatal(err)
			}
		}
		if tests, err := s.Holding(t.Context(), [32]byte{1}); err != nil || !slices.Equal(tests, []string{"t1", "t2"}) {
			t.Errorf("held by %v, %v", tests, err)
		}
		if tests, err := s.Holding(t.Context(), [32]byte{2}); err != nil || len(tests) != 0 {
			t.Errorf("what nobody holds is held by %v, %v", tests, err)
		}
	})
}
