// Package passkeytest holds the promises of a passkey.Store.
package passkeytest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/access/passkey"
)

// Run tries every promise on a fresh, empty store each.
func Run(t *testing.T, open func(t *testing.T) passkey.Store) {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	key := func(id, party string, n int) passkey.Passkey {
		return passkey.Passkey{ID: id, Party: party, Handle: []byte("handle of " + party), Name: "key " + id, PublicKey: []byte{1, 2, 3}, Flags: 0x5d,
			SignCount: 4_000_000_000, Transports: []string{"internal", "hybrid"}, AddedAt: noon.Add(time.Duration(n) * time.Second)}
	}
	add := func(t *testing.T, s passkey.Store, keys ...passkey.Passkey) {
		t.Helper()
		for _, k := range keys {
			if err := s.Add(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
	}
	is := func(t *testing.T, what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s gives %v, not %v", what, err, want)
		}
	}

	t.Run("an account sees its own, the oldest first", func(t *testing.T) {
		s := open(t)
		bare := key("c", "monitor:AT-1", 3)
		bare.Transports = nil
		add(t, s, key("b", "monitor:AT-1", 2), key("x", "monitor:BE-1", 1), key("a", "monitor:AT-1", 1), bare)
		got, err := s.Of(t.Context(), "monitor:AT-1")
		if err != nil {
			t.Fatal(err)
		}
		want := []passkey.Passkey{key("a", "monitor:AT-1", 1), key("b", "monitor:AT-1", 2), bare}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if none, err := s.Of(t.Context(), "monitor:FI-1"); err != nil || len(none) != 0 {
			t.Errorf("an account without passkeys has %v, %v", none, err)
		}
	})
	t.Run("an id is registered once, an account has one handle and so many keys", func(t *testing.T) {
		s := open(t)
		add(t, s, key("a", "monitor:AT-1", 1))
		is(t, "the same id of another account", s.Add(t.Context(), key("a", "monitor:BE-1", 2)), passkey.ErrTaken)
		other := key("b", "monitor:AT-1", 2)
		other.Handle = []byte("another")
		is(t, "another handle", s.Add(t.Context(), other), passkey.ErrChanged)
		for n := 1; n < passkey.Most; n++ {
			add(t, s, key(fmt.Sprint("k", n), "monitor:AT-1", n))
		}
		is(t, "one too many", s.Add(t.Context(), key("z", "monitor:AT-1", 99)), passkey.ErrTaken)
	})
	t.Run("of many uses at one count one is noted", func(t *testing.T) {
		s := open(t)
		add(t, s, key("a", "monitor:AT-1", 1))
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				switch err := s.Used(t.Context(), "a", 4_000_000_000, 4_000_000_001, noon); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, passkey.ErrChanged):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := s.Of(t.Context(), "monitor:AT-1")
		if err != nil || won.Load() != 1 || got[0].SignCount != 4_000_000_001 || !got[0].UsedAt.Equal(noon) {
			t.Errorf("%d uses were noted, %+v, %v", won.Load(), got, err)
		}
		is(t, "a key that is not there", s.Used(t.Context(), "b", 0, 1, noon), passkey.ErrUnknown)
	})
	t.Run("only its owner renames and removes, and the last one stays", func(t *testing.T) {
		s := open(t)
		add(t, s, key("a", "monitor:AT-1", 1), key("b", "monitor:AT-1", 2))
		is(t, "renaming a foreign one", s.Rename(t.Context(), "monitor:BE-1", "a", "mine"), passkey.ErrUnknown)
		is(t, "removing a foreign one", s.Remove(t.Context(), "monitor:BE-1", "a", true), passkey.ErrUnknown)
		is(t, "renaming", s.Rename(t.Context(), "monitor:AT-1", "b", "other"), nil)
		is(t, "removing one of two", s.Remove(t.Context(), "monitor:AT-1", "a", false), nil)
		is(t, "removing it again", s.Remove(t.Context(), "monitor:AT-1", "a", false), passkey.ErrUnknown)
		is(t, "removing the last one", s.Remove(t.Context(), "monitor:AT-1", "b", false), passkey.ErrLast)
		if got, err := s.Of(t.Context(), "monitor:AT-1"); err != nil || len(got) != 1 || got[0].Name != "other" {
			t.Errorf("left: %+v, %v", got, err)
		}
		is(t, "removing the last one where that is allowed", s.Remove(t.Context(), "monitor:AT-1", "b", true), nil)
	})
	t.Run("of two last ones removed at once one stays", func(t *testing.T) {
		s := open(t)
		add(t, s, key("a", "monitor:AT-1", 1), key("b", "monitor:AT-1", 2))
		var wg sync.WaitGroup
		for _, id := range []string{"a", "b"} {
			wg.Go(func() { _ = s.Remove(t.Context(), "monitor:AT-1", id, false) })
		}
		wg.Wait()
		if got, err := s.Of(t.Context(), "monitor:AT-1"); err != nil || len(got) != 1 {
			t.Errorf("left: %+v, %v", got, err)
		}
	})
}
