package partner

import "errors"

// ErrUnsupported says that a system cannot be told to do this.
var ErrUnsupported = errors.New("not offered")

// Platform is the testbed's own side: an access point and the directories that
// a system under test asks.
type Platform struct {
	*Party
	Directories *Directories // nil: none
	Names       *Names       // of the directories in the DNS; nil: none
}

// Reset begins a new case.
func (p *Platform) Reset() {
	if p.Party != nil {
		p.Down(false)
	}
	if p.Directories != nil {
		p.Directories.Reset()
	}
	if p.Names != nil {
		p.Names.Reset()
	}
}

// Answers are what its directories answered so far.
func (p *Platform) Answers() [][]byte {
	if p.Directories == nil {
		return nil
	}
	return p.Directories.Answers()
}
