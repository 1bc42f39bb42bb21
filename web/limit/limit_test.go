package limit

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAnAddressIsBelievedOfProxiesAlone(t *testing.T) {
	proxies, err := Prefixes([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, forwarded, want string }{
		{"nobody forwards", "198.51.100.1:4000", "", "198.51.100.1"},
		{"a stranger forwards", "198.51.100.1:4000", "203.0.113.9", "198.51.100.1"},
		{"a proxy forwards", "10.1.2.3:4000", "203.0.113.9", "203.0.113.9"},
		{"a proxy named alone", "192.0.2.7:4000", "203.0.113.9", "203.0.113.9"},
		{"its neighbour is none", "192.0.2.8:4000", "203.0.113.9", "192.0.2.8"},
		{"two proxies in a row", "10.1.2.3:4000", "203.0.113.9, 192.0.2.7", "203.0.113.9"},
		{"the caller invents hops", "10.1.2.3:4000", "127.0.0.1, 203.0.113.9", "203.0.113.9"},
		{"the caller pretends to be a proxy", "10.1.2.3:4000", "10.9.9.9, 203.0.113.9", "203.0.113.9"},
		{"all are proxies", "10.1.2.3:4000", "10.9.9.9", "10.9.9.9"},
		{"the proxy forwards rubbish", "10.1.2.3:4000", "unknown", "10.1.2.3"},
		{"rubbish before the caller", "10.1.2.3:4000", "<script>, 203.0.113.9", "203.0.113.9"},
		{"with a port", "10.1.2.3:4000", "203.0.113.9:51234", "203.0.113.9"},
		{"IPv6", "[2001:db8:1::5]:4000", "[2001:db8:2:3::9]:1", "2001:db8:2:3::/64"},
		{"IPv6 without brackets", "10.1.2.3:4000", "2001:db8:2:3::9", "2001:db8:2:3::/64"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:4000", "::ffff:203.0.113.9", "203.0.113.9"},
		{"an empty header", "10.1.2.3:4000", " ", "10.1.2.3"},
		{"endless hops", "10.1.2.3:4000", "203.0.113.9" + strings.Repeat(", 10.0.0.1", 1000), "10.0.0.1"},
	} {
		var got string
		h := Behind(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Address(r) }))
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.from
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
	}
	for _, wrong := range []string{"", "10.0.0.0/40", "proxy.example", "10.0.0"} {
		if _, err := Prefixes([]string{wrong}); err == nil || !strings.Contains(err.Error(), "such as") {
			t.Errorf("the proxy %q gives %v", wrong, err)
		}
	}
}

func TestEachCallerHasAnAllowance(t *testing.T) {
	l, now := New(1, 2, 2), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		name string
		free bool
	}{{"a", true}, {"a", true}, {"a", false}, {"b", true}, {"a", false}, {"c", true}, {"a", false}, {"b", true}, {"b", true}, {"b", false}} {
		// Two are remembered: c pushes out b, whose allowance is then whole again.
		if got := l.Wait(c.name, now) == 0; got != c.free {
			t.Errorf("call %d, of %s: free %v", i, c.name, got)
		}
	}
	if l.Wait("b", now.Add(time.Second)) != 0 {
		t.Error("after a second there is no allowance")
	}
}

func FuzzBehind(f *testing.F) {
	proxies, err := Prefixes([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("203.0.113.9, 10.0.0.1")
	f.Add("[::1%eth0]:80,,")
	f.Fuzz(func(t *testing.T, header string) {
		h := Behind(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, ok := addrOf(r.RemoteAddr); !ok {
				t.Errorf("%q becomes %q", header, r.RemoteAddr)
			}
		}))
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Header = "10.1.2.3:4000", http.Header{"X-Forwarded-For": {header}}
		h.ServeHTTP(httptest.NewRecorder(), r)
	})
}

func TestALimiterForgetsTheOldestCaller(t *testing.T) {
	l := New(1, 1, 2)
	a := l.Of("a")
	l.Of("b")
	if l.Of("a") != a {
		t.Error("a caller is counted twice")
	}
	l.Of("c") // b goes
	if len(l.callers) != 2 || l.callers["b"] != nil || l.order.Len() != 2 || l.Of("a") != a {
		t.Errorf("%d callers remembered, b still there: %v", len(l.callers), l.callers["b"] != nil)
	}
	for in, want := range map[string]string{"192.0.2.1:80": "192.0.2.1", "[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64", "[::ffff:192.0.2.1]:1": "192.0.2.1", "odd": "odd"} {
		if got := Address(&http.Request{RemoteAddr: in}); got != want {
			t.Errorf("%s is counted as %s, want %s", in, got, want)
		}
	}
}
