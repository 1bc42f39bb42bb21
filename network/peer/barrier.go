package peer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/once-only/oots/network"
)

// barrier moves the network's clock for tests that are played together: only
// when every one of them waits for a time or has ended, to the earliest time
// waited for. Nobody sleeps, and the same tests see the same times.
type barrier struct {
	clock *network.Clock
	moved func() // told when the clock was moved

	mu      sync.Mutex
	present int           // tests that have not ended
	at      time.Duration // how far the clock was moved for them
	waiting map[chan struct{}]time.Duration
}

// forward returns when the clock was moved by d; forward(0) when every other
// test has come to a forward or to its end.
func (b *barrier) forward(ctx context.Context, d time.Duration) error {
	reached := make(chan struct{})
	b.mu.Lock()
	if b.waiting == nil {
		b.waiting = map[chan struct{}]time.Duration{}
	}
	b.waiting[reached] = b.at + d
	b.move()
	b.mu.Unlock()
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.waiting, reached)
		return fmt.Errorf("other tests of the batch do not come to their next wait: %w", ctx.Err())
	}
}

// leave says that a test has ended.
func (b *barrier) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.present--
	b.move()
}

// move moves the clock to the earliest time that is waited for, when all wait.
func (b *barrier) move() {
	if len(b.waiting) == 0 || len(b.waiting) < b.present {
		return
	}
	first := time.Duration(-1)
	for _, due := range b.waiting {
		if first < 0 || due < first {
			first = due
		}
	}
	if first > b.at {
		b.clock.Forward(first - b.at)
		b.at = first
		b.moved()
	}
	for reached, due := range b.waiting {
		if due <= b.at {
			delete(b.waiting, reached)
			close(reached)
		}
	}
}
