package store_test

import (
	"testing"
	"time"

	"github.com/once-only/oots/store/storetest"
)

func TestSessionsEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		now := time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)
		s := storetest.Open(t, data(t)).Sessions(func() time.Time { return now })
		for _, text := range []string{"first", "second"} {
			if err := s.Commit("digest", []byte(text), now.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if b, found, err := s.Find("digest"); err != nil || !found || string(b) != "second" {
			t.Errorf("found %q, %v, %v", b, found, err)
		}
		now = now.Add(time.Hour)
		if _, found, err := s.Find("digest"); err != nil || found {
			t.Errorf("a session that is over is found, %v", err)
		}
		now = now.Add(-time.Minute)
		if err := s.Delete("digest"); err != nil {
			t.Fatal(err)
		}
		if _, found, err := s.Find("digest"); err != nil || found {
			t.Errorf("a session that was ended is found, %v", err)
		}
	})
}
