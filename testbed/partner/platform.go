package partner

import (
	"errors"
	"sync"
)

// ErrUnsupported says that a system cannot be told to do this.
var ErrUnsupported = errors.New("not offered")

// Platform is the testbed's own side: an access point and, where a case needs
// them, directories that a client under test asks.
type Platform struct {
	*Party

	mu      sync.Mutex
	answers [][]byte
}

// Reset forgets what directories answered: a new case begins.
func (p *Platform) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = nil
}

// Answers are what its directories answered so far.
func (p *Platform) Answers() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([][]byte(nil), p.answers...)
}
