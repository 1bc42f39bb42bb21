package commonservices

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Service is one of the two directories that are found by country (TDD 3.4).
type Service string

const (
	EvidenceBroker       Service = "eb"
	DataServiceDirectory Service = "dsd"
)

// ErrNoRecord says that the country publishes no such directory: an answer of
// the DNS, not a failure of it.
var ErrNoRecord = errors.New("no NAPTR record for this directory")

// Locator tells the base address of a country's directory, ending in a slash.
type Locator interface {
	Locate(ctx context.Context, country string, service Service, major int) (*url.URL, error)
}

// Static is a Locator with fixed addresses, for tests, demonstrations and
// countries that share one instance: keys are "FI/eb", or "*/eb" for all others.
type Static map[string]string

// Locate looks for the country's own entry, then for the one of all countries.
func (s Static) Locate(_ context.Context, country string, service Service, _ int) (*url.URL, error) {
	for _, key := range []string{country + "/" + string(service), "*/" + string(service)} {
		if base, ok := s[key]; ok {
			return parseBase(base)
		}
	}
	return nil, fmt.Errorf("%s of %s: %w", service, country, ErrNoRecord)
}

// NAPTR finds directories by their DNS records (TDD 3.4.3): the name is
// <country>.<service>.v<major>.cs.<environment>.<zone>, and the record, never
// the name, tells the address.
type NAPTR struct {
	Server      string        // DNS server, host:port; required
	Environment string        // testing, acc or prod: labels of the DNS
	Zone        string        // default oots.tech.ec.europa.eu
	Timeout     time.Duration // of one look-up; 0 means 5 s
	Now         func() time.Time

	mu     sync.Mutex
	cached map[string]located
}

type located struct {
	base  *url.URL
	until time.Time
}

// maxLocated bounds the cache: 31 countries, two services, a few versions.
const maxLocated = 512

// Name is the DNS name asked for a directory, in lower case with a final dot.
func (n *NAPTR) Name(country string, service Service, major int) string {
	zone := n.Zone
	if zone == "" {
		zone = "oots.tech.ec.europa.eu"
	}
	return dns.Fqdn(strings.ToLower(fmt.Sprintf("%s.%s.v%d.cs.%s.%s", country, service, major, n.Environment, zone)))
}

// Locate asks the DNS, and keeps the answer for the record's time to live. A
// name without a usable record is ErrNoRecord; anything else is a failure of
// the DNS and may be tried again.
func (n *NAPTR) Locate(ctx context.Context, country string, service Service, major int) (*url.URL, error) {
	name := n.Name(country, service, major)
	now := time.Now
	if n.Now != nil {
		now = n.Now
	}
	n.mu.Lock()
	hit, ok := n.cached[name]
	n.mu.Unlock()
	if ok && now().Before(hit.until) {
		return hit.base, nil
	}
	records, err := n.ask(ctx, name)
	if err != nil {
		return nil, err
	}
	base, ttl, err := choose(records)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n.mu.Lock()
	if n.cached == nil || len(n.cached) >= maxLocated {
		n.cached = map[string]located{}
	}
	n.cached[name] = located{base, now().Add(ttl)}
	n.mu.Unlock()
	return base, nil
}

func (n *NAPTR) ask(ctx context.Context, name string) ([]*dns.NAPTR, error) {
	timeout := n.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	q := new(dns.Msg)
	q.SetQuestion(name, dns.TypeNAPTR)
	q.SetEdns0(1232, true)
	client := dns.Client{Timeout: timeout}
	answer, _, err := client.ExchangeContext(ctx, q, n.Server)
	if err == nil && answer.Truncated {
		client.Net = "tcp"
		answer, _, err = client.ExchangeContext(ctx, q, n.Server)
	}
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	switch answer.Rcode {
	case dns.RcodeSuccess:
	case dns.RcodeNameError:
		return nil, fmt.Errorf("%s: %w", name, ErrNoRecord)
	default:
		return nil, fmt.Errorf("look up %s: the DNS answers %s", name, dns.RcodeToString[answer.Rcode])
	}
	var records []*dns.NAPTR
	for _, rr := range answer.Answer {
		if r, ok := rr.(*dns.NAPTR); ok && strings.EqualFold(r.Hdr.Name, name) {
			records = append(records, r)
		}
	}
	return records, nil
}

// choose takes, among the terminal U records, the lowest order, then the lowest
// preference (RFC 3403), and reads the address out of its fixed shape.
func choose(records []*dns.NAPTR) (*url.URL, time.Duration, error) {
	records = slices.DeleteFunc(slices.Clone(records), func(r *dns.NAPTR) bool {
		return !strings.EqualFold(r.Flags, "U")
	})
	if len(records) == 0 {
		return nil, 0, ErrNoRecord
	}
	best := slices.MinFunc(records, func(a, b *dns.NAPTR) int {
		if a.Order != b.Order {
			return int(a.Order) - int(b.Order)
		}
		return int(a.Preference) - int(b.Preference)
	})
	// Only the pattern !.*!<address>! is allowed, no other expression.
	address, ok := strings.CutPrefix(best.Regexp, "!.*!")
	address, closed := strings.CutSuffix(address, "!")
	if !ok || !closed || strings.Contains(address, "!") {
		return nil, 0, fmt.Errorf("the record's expression %q is not of the form !.*!address!", best.Regexp)
	}
	base, err := parseBase(address)
	return base, time.Duration(best.Hdr.Ttl) * time.Second, err
}

// parseBase accepts an absolute http or https address and gives it a final slash.
func parseBase(address string) (*url.URL, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		return nil, fmt.Errorf("%q is not the base address of a directory", address)
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	return base, nil
}
