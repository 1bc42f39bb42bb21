// Package metertest holds the promises of an acceleratormeter.Store. Every
// implementation runs them.
package metertest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/acceleratormeter"
)

var begin = time.Date(2026, 1, 6, 9, 0, 0, 0, time.UTC)

// Snapshot is a draft with something in every kind of field.
func Snapshot(id string) acceleratormeter.Snapshot {
	return acceleratormeter.Snapshot{
		Schema: 1, ID: id, State: acceleratormeter.Draft, AsOf: begin, CriteriaSet: "AM-1", DraftedBy: "one", Note: "Grüße — „a“ <b>",
		Entries: []acceleratormeter.Entry{{
			Member: "EL", Group: acceleratormeter.EU, Level: 4, Since: begin, Movement: acceleratormeter.MovedUp, PreviousLevel: 3,
			Basis: acceleratormeter.Computed, Breadth: acceleratormeter.Breadth{Authorities: 2, Lines: []string{"oots-edm:v2.0"}},
			Milestones: []acceleratormeter.Milestone{{Kind: acceleratormeter.FirstExchange, Country: "EL", At: begin, Facts: []string{"a", "b"}}},
			Proof:      []acceleratormeter.Proof{{Criterion: "AM2.1", Role: "requester", Facts: []string{"x"}}},
		}},
		Proposals: []acceleratormeter.Proposal{{Member: "EL", Published: 4, Computed: 3, Why: acceleratormeter.Demotion, AnswerBy: begin}},
	}
}

// seal publishes with the next number, an hour after the one before.
func seal(s acceleratormeter.Snapshot, latest *acceleratormeter.Snapshot) (acceleratormeter.Snapshot, error) {
	s.State, s.Sequence, s.PublishedAt, s.PublishedBy = acceleratormeter.Published, 1, begin, "three"
	if latest != nil {
		s.Sequence, s.PublishedAt, s.PreviousHash = latest.Sequence+1, latest.PublishedAt.Add(time.Hour), latest.ContentHash
	}
	s.ContentHash = fmt.Sprint("hash ", s.Sequence)
	return s, nil
}

// Run checks the promises; open gives a fresh, empty store each time.
func Run(t *testing.T, open func(*testing.T) acceleratormeter.Store) {
	publish := func(t *testing.T, s acceleratormeter.Store, id string) acceleratormeter.Snapshot {
		t.Helper()
		must(t, s.Create(t.Context(), Snapshot(id)))
		must(t, s.Approve(t.Context(), id, "two"))
		out, err := s.Publish(t.Context(), id, seal)
		must(t, err)
		return out
	}

	t.Run("what is kept comes back the same", func(t *testing.T) {
		s := open(t)
		must(t, s.Create(t.Context(), Snapshot("a")))
		got, err := s.Get(t.Context(), "a")
		must(t, err)
		if want := Snapshot("a"); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	})
	t.Run("an id is taken once", func(t *testing.T) {
		s := open(t)
		must(t, s.Create(t.Context(), Snapshot("a")))
		refused(t, s.Create(t.Context(), Snapshot("a")), acceleratormeter.WrongState)
	})
	t.Run("what is not there", func(t *testing.T) {
		s := open(t)
		_, err := s.Get(t.Context(), "a")
		refused(t, err, acceleratormeter.UnknownSnapshot)
		_, err = s.Sequence(t.Context(), 1)
		refused(t, err, acceleratormeter.UnknownSnapshot)
		_, err = s.Latest(t.Context(), begin)
		refused(t, err, acceleratormeter.BeforeFirst)
		refused(t, s.Approve(t.Context(), "a", "two"), acceleratormeter.UnknownSnapshot)
		_, err = s.Publish(t.Context(), "a", seal)
		refused(t, err, acceleratormeter.UnknownSnapshot)
		all, err := s.All(t.Context())
		must(t, err)
		waiting, err := s.Open(t.Context())
		must(t, err)
		if len(all)+len(waiting) != 0 {
			t.Error("an empty store is not empty")
		}
	})
	t.Run("draft, approved, published, and no way back", func(t *testing.T) {
		s := open(t)
		must(t, s.Create(t.Context(), Snapshot("a")))
		_, err := s.Publish(t.Context(), "a", seal)
		refused(t, err, acceleratormeter.WrongState)
		must(t, s.Approve(t.Context(), "a", "two"))
		refused(t, s.Approve(t.Context(), "a", "four"), acceleratormeter.WrongState)
		got, err := s.Publish(t.Context(), "a", seal)
		must(t, err)
		if got.ApprovedBy != "two" || got.PublishedBy != "three" || got.Sequence != 1 {
			t.Errorf("published %+v", got)
		}
		again, err := s.Get(t.Context(), "a")
		must(t, err)
		if !reflect.DeepEqual(got, again) {
			t.Errorf("kept %+v\nsealed %+v", again, got)
		}
		refused(t, s.Approve(t.Context(), "a", "four"), acceleratormeter.WrongState)
		_, err = s.Publish(t.Context(), "a", seal)
		refused(t, err, acceleratormeter.WrongState)
	})
	t.Run("a seal that fails changes nothing", func(t *testing.T) {
		s := open(t)
		must(t, s.Create(t.Context(), Snapshot("a")))
		must(t, s.Approve(t.Context(), "a", "two"))
		no := errors.New("no")
		if _, err := s.Publish(t.Context(), "a", func(acceleratormeter.Snapshot, *acceleratormeter.Snapshot) (acceleratormeter.Snapshot, error) {
			return acceleratormeter.Snapshot{}, no
		}); !errors.Is(err, no) {
			t.Errorf("error %v", err)
		}
		got, err := s.Get(t.Context(), "a")
		must(t, err)
		if got.State != acceleratormeter.Approved {
			t.Errorf("state %s", got.State)
		}
	})
	t.Run("numbers without gaps, found by number and by time", func(t *testing.T) {
		s := open(t)
		for _, id := range []string{"c", "a", "b"} {
			publish(t, s, id)
		}
		must(t, s.Create(t.Context(), Snapshot("z")))
		must(t, s.Create(t.Context(), Snapshot("y")))
		all, err := s.All(t.Context())
		must(t, err)
		if len(all) != 3 || all[0].ID != "c" || all[1].ID != "a" || all[2].ID != "b" || all[2].PreviousHash != "hash 2" {
			t.Errorf("all: %+v", all)
		}
		two, err := s.Sequence(t.Context(), 2)
		must(t, err)
		if two.ID != "a" {
			t.Errorf("number 2 is %s", two.ID)
		}
		for _, c := range []struct {
			at   time.Time
			want int
		}{{begin, 1}, {begin.Add(time.Hour - time.Millisecond), 1}, {begin.Add(time.Hour), 2}, {begin.AddDate(9, 0, 0), 3}} {
			got, err := s.Latest(t.Context(), c.at)
			must(t, err)
			if got.Sequence != c.want {
				t.Errorf("at %s number %d, want %d", c.at, got.Sequence, c.want)
			}
		}
		_, err = s.Latest(t.Context(), begin.Add(-time.Millisecond))
		refused(t, err, acceleratormeter.BeforeFirst)
		waiting, err := s.Open(t.Context())
		must(t, err)
		if len(waiting) != 2 || waiting[0].ID != "z" || waiting[1].ID != "y" {
			t.Errorf("open: %+v", waiting)
		}
	})
	t.Run("many publish at once", func(t *testing.T) {
		s := open(t)
		const n = 8
		for i := range n {
			must(t, s.Create(t.Context(), Snapshot(fmt.Sprint(i))))
			must(t, s.Approve(t.Context(), fmt.Sprint(i), "two"))
		}
		var wg sync.WaitGroup
		for i := range n {
			for range 2 { // each twice: one of the two is refused
				wg.Go(func() {
					_, err := s.Publish(context.WithoutCancel(t.Context()), fmt.Sprint(i), seal)
					var e *acceleratormeter.Error
					if err != nil && !(errors.As(err, &e) && e.Code == acceleratormeter.WrongState) {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		all, err := s.All(t.Context())
		must(t, err)
		for i, one := range all {
			if one.Sequence != i+1 || i > 0 && one.PreviousHash != all[i-1].ContentHash {
				t.Errorf("place %d has number %d after %q", i, one.Sequence, one.PreviousHash)
			}
		}
		if len(all) != n {
			t.Errorf("%d published", len(all))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, code acceleratormeter.Code) {
	t.Helper()
	var e *acceleratormeter.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want %s", err, code)
	}
}
