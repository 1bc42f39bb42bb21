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
		first := line
		first.N = 1
		if trail, err := s.Audit(t.Context(), projectathon.AuditFilter{Event: "e"}); err != nil || len(trail) != 1 || trail[0] != first {
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
	t.Run("TheTrailIsFiltered", func(t *testing.T) {
		s := open(t)
		for i, l := range []projectathon.Entry{
			{By: "team:FI/a", As: projectathon.Contact, Event: "e", What: projectathon.TakePart, On: "t1"},
			{By: "team:FI/ab", As: projectathon.Contact, Event: "other", What: projectathon.TakePart, On: "t2"},
			{By: "monitor:AT-1", As: projectathon.Monitor, Event: "e", What: projectathon.Verify, On: "t1"},
			{By: "monitor:AT-1", As: projectathon.Monitor, What: projectathon.SignIn, Note: "High"},
		} {
			l.At = at.Add(time.Duration(i) * time.Minute)
			if err := s.Put(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			name string
			f    projectathon.AuditFilter
			want []int64
		}{
			{"all", projectathon.AuditFilter{}, []int64{4, 3, 2, 1}},
			{"at most", projectathon.AuditFilter{Limit: 2}, []int64{4, 3}},
			{"the next page", projectathon.AuditFilter{Limit: 2, Before: 3}, []int64{2, 1}},
			{"of an event", projectathon.AuditFilter{Event: "e"}, []int64{3, 1}},
			{"of a party", projectathon.AuditFilter{By: "team:FI/ab"}, []int64{2}},
			{"of all parties that begin so", projectathon.AuditFilter{By: "team:FI/"}, []int64{2, 1}},
			{"a sign of the pattern is a letter", projectathon.AuditFilter{By: "team:%"}, nil},
			{"of a deed", projectathon.AuditFilter{What: projectathon.Verify}, []int64{3}},
			{"on a record", projectathon.AuditFilter{On: "t1", By: "monitor:"}, []int64{3}},
			{"from an instant", projectathon.AuditFilter{From: at.Add(2 * time.Minute)}, []int64{4, 3}},
			{"until an instant", projectathon.AuditFilter{Until: at.Add(2 * time.Minute)}, []int64{2, 1}},
		} {
			lines, err := s.Audit(t.Context(), c.f)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, l := range lines {
				got = append(got, l.N)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, not %v", c.name, got, c.want)
			}
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
