package network

import (
	"sync/atomic"
	"time"
)

// Clock is the real one, ahead by what nobody wanted to wait for: Now is for
// Plan.Now. Its zero value tells the real time.
type Clock struct{ ahead atomic.Int64 }

// Now is the time on this clock.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Forward moves the clock; whoever sleeps on it is woken by Network.Wake.
func (c *Clock) Forward(d time.Duration) { c.ahead.Add(int64(d)) }

// Wake lets every node look at once at what is due, after a clock was moved.
func (n *Network) Wake() {
	for _, node := range n.Nodes {
		node.Wake()
		node.AP.Wake()
	}
}
