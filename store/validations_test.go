package store_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/once-only/oots/store/storetest"
)

func TestValidationsAreGoneWhenTheirTimeIsOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		db := storetest.Open(t, data(t))
		s, ctx := db.Validations(), context.Background()
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		one, two := [32]byte{1}, [32]byte{2}
		for digest, until := range map[[32]byte]time.Time{one: now.Add(time.Hour), two: now.Add(48 * time.Hour)} {
			if err := s.Keep(ctx, digest, []byte{digest[0], 9}, now, until); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Kept(ctx, one, now); err != nil || !bytes.Equal(got, []byte{1, 9}) {
			t.Errorf("kept %v, %v", got, err)
		}
		if got, err := s.Kept(ctx, [32]byte{3}, now); err != nil || got != nil {
			t.Errorf("a stranger gets %v, %v", got, err)
		}
		if got, err := s.Kept(ctx, one, now.Add(2*time.Hour)); err != nil || got != nil {
			t.Errorf("after its time %v, %v", got, err)
		}
		var rows int
		if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM validation").Scan(&rows); err != nil || rows != 1 {
			t.Errorf("%d rows are left, want the one that is still good: %v", rows, err)
		}
		if got, err := s.Kept(ctx, two, now.Add(2*time.Hour)); err != nil || !bytes.Equal(got, []byte{2, 9}) {
			t.Errorf("the other: %v, %v", got, err)
		}
	})
}
