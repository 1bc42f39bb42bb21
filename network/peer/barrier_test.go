package peer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/network"
)

// TestTheClockMovesWhenEverybodyWaits: whatever the order in which the tests of
// a batch come to their waits, they see the same times.
func TestTheClockMovesWhenEverybodyWaits(t *testing.T) {
	for range 50 {
		var clock network.Clock
		moves := 0
		b := &barrier{clock: &clock, moved: func() { moves++ }, present: 4}
		var mu sync.Mutex
		var seen []time.Duration
		var tests sync.WaitGroup
		for _, waits := range [][]time.Duration{{3 * time.Minute, 4 * time.Minute}, {5 * time.Minute}, {0, 7 * time.Minute}, nil} {
			tests.Go(func() {
				defer b.leave()
				for _, d := range waits {
					if err := b.forward(t.Context(), d); err != nil {
						t.Error(err)
					}
					mu.Lock()
					seen = append(seen, b.at)
					mu.Unlock()
				}
			})
		}
		tests.Wait()
		slices.Sort(seen)
		if want := []time.Duration{0, 3 * time.Minute, 5 * time.Minute, 7 * time.Minute, 7 * time.Minute}; !slices.Equal(seen, want) || moves != 3 {
			t.Fatalf("the tests see %v in %d moves; want %v in 3", seen, moves, want)
		}
		if ahead := time.Until(clock.Now()); ahead < 6*time.Minute || ahead > 7*time.Minute {
			t.Fatalf("the clock is %s ahead", ahead)
		}
	}
}

// TestAHangingTestHoldsNobodyForEver: who waits for one that never comes is
// released by its own time.
func TestAHangingTestHoldsNobodyForEver(t *testing.T) {
	b := &barrier{clock: &network.Clock{}, moved: func() {}, present: 2}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := b.forward(ctx, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("the wait ends with %v", err)
	}
	if len(b.waiting) != 0 || b.at != 0 {
		t.Errorf("it leaves %d waits behind, at %s", len(b.waiting), b.at)
	}
}
