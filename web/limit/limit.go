// Package limit allows each caller so many requests, by network address or by
// any other name, and knows who called through which proxies.
package limit

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter allows each caller so many requests. It remembers a bounded number of
// callers: the one unseen for longest is forgotten first, which gives it a full
// allowance again.
type Limiter struct {
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

// New allows each of at most so many callers perSecond requests, and burst at
// once.
func New(perSecond float64, burst, most int) *Limiter {
	return &Limiter{rate: rate.Limit(perSecond), burst: burst, most: most, callers: map[string]*list.Element{}, order: list.New()}
}

// Of is the allowance of a caller.
func (l *Limiter) Of(name string) *rate.Limiter {
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

// Wait is how long a caller has to wait; zero: it may go on, and one request of
// its allowance is used.
func (l *Limiter) Wait(name string, now time.Time) time.Duration {
	res := l.Of(name).ReserveN(now, 1)
	d := res.DelayFrom(now)
	if d > 0 {
		res.CancelAt(now)
	}
	return d
}

// Address is the network address that a request is counted under: an IPv6
// caller has a whole /64.
func Address(r *http.Request) string {
	ip, ok := addrOf(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr
	}
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// addrOf reads an address with or without a port.
func addrOf(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	ip, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return ip.Unmap().WithZone(""), err == nil
}

// mostHops bounds how many proxies stand in a row.
const mostHops = 16

// Behind gives requests that come from these proxies the address of whoever
// called the first of them, as X-Forwarded-For says. Each proxy adds whom it saw
// at the right, so that is read from the right, as long as the one who adds is
// believed; what stands further left may be anybody's invention.
func Behind(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	believed := func(ip netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(ip) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ip, ok := addrOf(r.RemoteAddr)
		if !ok || !believed(ip) {
			next.ServeHTTP(w, r)
			return
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= max(0, len(hops)-mostHops); i-- {
			saw, ok := addrOf(hops[i])
			if !ok {
				break
			}
			if ip = saw; !believed(ip) {
				break
			}
		}
		seen := *r
		seen.RemoteAddr = netip.AddrPortFrom(ip, 0).String()
		next.ServeHTTP(w, &seen)
	})
}

// Prefixes reads proxies as a configuration names them: addresses and prefixes.
func Prefixes(names []string) (out []netip.Prefix, err error) {
	for _, name := range names {
		p, err := netip.ParsePrefix(name)
		if err != nil {
			ip, err := netip.ParseAddr(name)
			if err != nil {
				return nil, &net.ParseError{Type: "proxy: an address such as 192.0.2.1, or a prefix such as 10.0.0.0/8", Text: name}
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
