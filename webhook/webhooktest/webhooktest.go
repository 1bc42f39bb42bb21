// Package webhooktest holds the promises of a webhook.Store.
package webhooktest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/webhook"
)

// Run tries every promise on a fresh, empty store each.
func Run(t *testing.T, open func(t *testing.T) webhook.Store) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	hook := func(id string, told int, due time.Duration) webhook.Hook {
		return webhook.Hook{ID: id, Owner: "operator", URL: "https://example.org/" + id, Secret: "whsec_x", CreatedAt: now.Add(due), Told: told, Due: now.Add(due)}
	}
	filled := func(t *testing.T, hooks ...webhook.Hook) webhook.Store {
		s := open(t)
		for _, h := range hooks {
			if err := s.AddHook(t.Context(), h); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	t.Run("hooks are listed and removed", func(t *testing.T) {
		a, b := hook("a", 3, 0), hook("b", 3, time.Second)
		s := filled(t, b, a)
		if err := s.AddHook(t.Context(), a); err == nil {
			t.Error("the same id was stored twice")
		}
		got, err := s.Hooks(t.Context())
		if diff := cmp.Diff([]webhook.Hook{a, b}, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if err := s.RemoveHook(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		if err := s.RemoveHook(t.Context(), "a"); !errors.Is(err, webhook.ErrUnknown) {
			t.Errorf("removed twice: %v", err)
		}
		if err := s.SettleHook(t.Context(), a); err != nil {
			t.Errorf("settle what was removed meanwhile: %v", err)
		}
	})
	t.Run("a claim takes what is due first, once until its lease ends", func(t *testing.T) {
		s := filled(t, hook("later", 3, -time.Minute), hook("first", 3, -time.Hour), hook("told", 4, -2*time.Hour), hook("waits", 3, time.Minute))
		for _, want := range []string{"first", "later", ""} {
			h, err := s.ClaimHook(t.Context(), now, now.Add(time.Minute), 4)
			if h.ID != want || (want == "") != errors.Is(err, webhook.ErrUnknown) {
				t.Fatalf("claimed %q with %v, want %q", h.ID, err, want)
			}
			if want != "" && (h.Attempt != 1 || !h.Due.Equal(now.Add(time.Minute))) {
				t.Errorf("%s: attempt %d, due %v", h.ID, h.Attempt, h.Due)
			}
		}
		if h, err := s.ClaimHook(t.Context(), now.Add(time.Minute), now.Add(2*time.Minute), 4); err != nil || h.Attempt < 1 {
			t.Errorf("after the lease: %+v, %v", h, err)
		}
	})
	t.Run("what is settled is kept", func(t *testing.T) {
		s := filled(t, hook("a", 3, 0))
		h := hook("a", 3, 0)
		h.Told, h.Attempt, h.Due, h.LastError = 4, 2, now.Add(time.Hour), "answered 500"
		if err := s.SettleHook(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		got, err := s.Hooks(t.Context())
		if diff := cmp.Diff([]webhook.Hook{h}, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if _, err := s.ClaimHook(t.Context(), now.Add(2*time.Hour), now, 4); !errors.Is(err, webhook.ErrUnknown) {
			t.Errorf("a hook that was told is claimed: %v", err)
		}
	})
}
