// Package accesstest holds the promises of an access.Store.
package accesstest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/once-only/oots/access"
)

// Run tries every promise on a fresh, empty store each.
func Run(t *testing.T, open func(t *testing.T) access.Store) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 123e6, time.UTC)
	one := access.Token{ID: "aaaaaaaaaaaa", Owner: "commission:1", Scopes: []access.Scope{access.WriteFacts, access.ApproveSnapshot}, Key: "team-fi+00000000+AAAA",
		CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	two := access.Token{ID: "bbbbbbbbbbbb", Owner: "ms:EL", Scopes: []access.Scope{access.WriteFacts},
		CreatedAt: now.Add(time.Second), ExpiresAt: now.Add(2 * time.Hour)}

	t.Run("what is added is found by its digest alone", func(t *testing.T) {
		s := open(t)
		if err := s.AddToken(t.Context(), one, [32]byte{1}); err != nil {
			t.Fatal(err)
		}
		got, err := s.TokenByDigest(t.Context(), [32]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(one, got); diff != "" {
			t.Error(diff)
		}
		if _, err := s.TokenByDigest(t.Context(), [32]byte{2}); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("another digest: %v, want ErrUnknown", err)
		}
	})
	t.Run("nothing is stored twice", func(t *testing.T) {
		s := open(t)
		if err := s.AddToken(t.Context(), one, [32]byte{1}); err != nil {
			t.Fatal(err)
		}
		if err := s.AddToken(t.Context(), two, [32]byte{1}); err == nil {
			t.Error("the same digest was stored twice")
		}
		if err := s.AddToken(t.Context(), one, [32]byte{2}); err == nil {
			t.Error("the same id was stored twice")
		}
		got, err := s.Tokens(t.Context())
		if err != nil || len(got) != 1 {
			t.Errorf("%d tokens, %v; want one", len(got), err)
		}
	})
	t.Run("the list is in order of creation and shows what is revoked", func(t *testing.T) {
		s := open(t)
		for i, tok := range []access.Token{two, one} {
			if err := s.AddToken(t.Context(), tok, [32]byte{byte(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.RevokeToken(t.Context(), "cccccccccccc", now); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("revoke an unknown token: %v, want ErrUnknown", err)
		}
		for _, at := range []time.Time{now.Add(time.Minute), now.Add(time.Hour)} {
			if err := s.RevokeToken(t.Context(), one.ID, at); err != nil {
				t.Fatal(err)
			}
		}
		revoked := one
		revoked.RevokedAt = now.Add(time.Minute)
		got, err := s.Tokens(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]access.Token{revoked, two}, got); diff != "" {
			t.Error(diff)
		}
	})
}
