package as4

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// HardenTLS is a copy of a TLS configuration as eDelivery AS4 1.15 wants it,
// for clients and servers: version 1.2 at least, and there only suites with an
// ephemeral key exchange and authenticated encryption. nil is a configuration
// of nothing.
func HardenTLS(c *tls.Config) *tls.Config {
	if c == nil {
		c = &tls.Config{}
	}
	c = c.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.CipherSuites = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	return c
}

// Reach is where pushes may go, and from where. The zero value reaches public
// addresses, and this machine where the P-Mode names it as such (localhost,
// 127.0.0.1, ::1): a name of a partner that resolves to a private address, by
// mistake or by somebody's hand in the DNS, is not called.
type Reach struct {
	Private bool       // private and local addresses may be called
	From    netip.Addr // the source address partners expect; the zero Addr leaves it to the system
}

// NewClient is the client of a Reach without exceptions.
func NewClient(config *tls.Config) *http.Client { return Reach{}.NewClient(config) }

// NewClient is an HTTP client for pushing: TLS 1.2 or 1.3, no redirects, no
// proxy, no compression of its own, bounded in connections and time. config may
// carry roots and a client certificate; nil means the system's roots.
func (r Reach) NewClient(config *tls.Config) *http.Client {
	return &http.Client{
		Timeout:       10 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: HardenTLS(config), DisableCompression: true, DialContext: r.dial,
			TLSHandshakeTimeout: 20 * time.Second, ResponseHeaderTimeout: 3 * time.Minute,
			MaxIdleConnsPerHost: 16, MaxConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// dial judges an address after its name was resolved, so that no second look at
// the DNS can exchange it.
func (r Reach) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second,
		Control: func(_, resolved string, _ syscall.RawConn) error { return r.allow(host, resolved) }}
	if r.From.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(r.From, 0))
	}
	return d.DialContext(ctx, network, address)
}

// sharedSpace is RFC 6598, between a provider and its customers.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func (r Reach) allow(host, resolved string) error {
	to, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return err
	}
	ip := to.Addr().Unmap()
	switch {
	case r.Private:
	case ip.IsLoopback() && loopback(host):
	case !ip.IsGlobalUnicast(), ip.IsPrivate(), sharedSpace.Contains(ip):
		return fmt.Errorf("as4: %s resolves to the private address %s, which the configuration does not allow", host, ip)
	}
	return nil
}
