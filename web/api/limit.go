package api

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// limiter allows each caller so many requests. It remembers a bounded number of
// callers: the one unseen for longest is forgotten first, which gives it a full
// allowance again.
type limiter struct {
	rate  rate.Limit
	burst int
	most  int

	mu      sync.Mutex
	callers map[string]*list.Element
	order   *list.List // of caller, the latest seen in front
}

type caller struct {
	name string
	*rate.Limiter
}

func newLimiter(perSecond float64, burst, most int) *limiter {
	return &limiter{rate: rate.Limit(perSecond), burst: burst, most: most, callers: map[string]*list.Element{}, order: list.New()}
}

// of is the allowance of a caller.
func (l *limiter) of(name string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.callers[name]; ok {
		l.order.MoveToFront(e)
		return e.Value.(caller).Limiter
	}
	if len(l.callers) >= l.most {
		last := l.order.Back()
		delete(l.callers, last.Value.(caller).name)
		l.order.Remove(last)
	}
	c := caller{name, rate.NewLimiter(l.rate, l.burst)}
	l.callers[name] = l.order.PushFront(c)
	return c.Limiter
}

// address is the network address that a request is counted under: an IPv6
// caller has a whole /64.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	ip = ip.Unmap()
	if ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
