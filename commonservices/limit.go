package commonservices

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter holds each network address to a rate; operators may (TDD 3.7). The
// addresses of one IPv6 customer (/64) count as one.
type limiter struct {
	perSecond float64
	now       func() time.Time

	mu    sync.Mutex
	known map[netip.Prefix]*rate.Limiter
}

// maxCallers bounds the memory of a limiter; then all begin anew.
const maxCallers = 10_000

// allows takes one query from the caller's allowance, which lasts for two
// seconds when nothing is asked.
func (l *limiter) allows(r *http.Request) bool {
	if l == nil {
		return true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return true // not from the network
	}
	bits := 32
	if address = address.Unmap(); address.Is6() {
		bits = 64
	}
	caller, _ := address.WithZone("").Prefix(bits)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil || len(l.known) >= maxCallers {
		l.known = map[netip.Prefix]*rate.Limiter{}
	}
	of := l.known[caller]
	if of == nil {
		of = rate.NewLimiter(rate.Limit(l.perSecond), max(int(2*l.perSecond), 1))
		l.known[caller] = of
	}
	return of.AllowN(l.now(), 1)
}
