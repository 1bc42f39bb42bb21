package watch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/ledger"
)

// Items of probe facts.
const (
	pingItem      = "as4-ping"
	tlsItem       = "tls"
	reachItem     = "cs-reachability"
	signatureItem = "cs-signature"
	naptrItem     = "naptr"
	linkItem      = "public-link"
	supportItem   = "support-link"
)

// probeTime bounds one probe.
const probeTime = 20 * time.Second

// probe is one thing to try.
type probe struct {
	item   string
	target string
	try    func(ctx context.Context) error
}

// result is the fact of a probe; nil when it was not tried to its end.
func (p probe) result(ctx context.Context, env ledger.Environment, about ledger.Subject) (*ledger.Fact, error) {
	within, stop := context.WithTimeout(ctx, probeTime)
	defer stop()
	err := p.try(within)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f := &ledger.Fact{Kind: ledger.Probe, Environment: env, Subject: about, Body: ledger.Body{Item: p.item, Outcome: "pass", Target: p.target}}
	switch {
	case errors.Is(err, ErrUntried):
		f.Body.Outcome = "error"
	case err != nil:
		f.Body.Outcome = "fail"
	}
	return f, err
}

// ErrUntried says that the platform could not try: an error of its own, which
// says nothing about the country.
var ErrUntried = errors.New("the platform cannot try")

// probes are those of a country in the environment, without those of links.
func (e *Environment) probes(country string) []probe {
	all := []probe{
		{reachItem, "", func(ctx context.Context) error { return e.reach(ctx, country, e.Transport) }},
		{signatureItem, "", func(ctx context.Context) error { return e.signature(ctx, country) }},
		{tlsItem, "", func(ctx context.Context) error { return e.profile(ctx, country) }},
	}
	if _, dns := e.Locator.(*cs.NAPTR); dns {
		all = append(all, probe{naptrItem, "", func(ctx context.Context) error { _, err := e.located(ctx, country); return err }})
	}
	if e.Ping != nil {
		all = append(all, probe{pingItem, "", func(ctx context.Context) error { return e.Ping(ctx, country) }})
	}
	return all
}

var both = []cs.Service{cs.EvidenceBroker, cs.DataServiceDirectory}

// located finds both directories of a country.
func (e *Environment) located(ctx context.Context, country string) (all []*url.URL, err error) {
	major := 2
	if e.Line != "" && e.Line != cs.V20 {
		major = 1
	}
	for _, s := range both {
		base, err := e.Locator.Locate(ctx, country, s, major)
		if err != nil {
			return nil, err
		}
		all = append(all, base)
	}
	return all, nil
}

// nowhere is an evidence type that no country has.
const nowhere = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/oots/00000000-0000-4000-8000-000000000000"

// reach asks both directories of a country something; a signed answer is enough,
// also one that there is nothing.
func (e *Environment) reach(ctx context.Context, country string, through http.RoundTripper) error {
	c, err := e.client(country, through)
	if err != nil {
		return err
	}
	var refused *cs.Error
	if _, _, err = c.Requirements(ctx, "", country); err != nil && !(errors.As(err, &refused) && refused.Cause == cs.Refused) {
		return err
	}
	if _, err = c.DataServices(ctx, cs.DataServiceQuery{Classification: nowhere, Country: country}); err != nil && !(errors.As(err, &refused) && refused.Cause == cs.Refused) {
		return err
	}
	return nil
}

// signature holds when answers verify with the environment's roots, and the
// failure test shows that they were looked at: the same answer with one bit
// changed on the way must be refused for its signature.
func (e *Environment) signature(ctx context.Context, country string) error {
	if err := e.reach(ctx, country, e.Transport); err != nil {
		return err
	}
	err := e.reach(ctx, country, spoiler{e.Transport})
	var refused *cs.Error
	if errors.As(err, &refused) && refused.Cause == cs.BadSignature {
		return nil
	}
	return fmt.Errorf("an answer that was changed on its way is not refused for its signature: %v", err)
}

// spoiler changes one bit of every answer.
type spoiler struct{ next http.RoundTripper }

// mostSpoiled bounds the answer that is changed.
const mostSpoiled = 16 << 20

func (s spoiler) RoundTrip(r *http.Request) (*http.Response, error) {
	next := s.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostSpoiled))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		body[len(body)/2] ^= 1
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// longest is how long a server's certificate may be valid (TDD 3.7).
const longest = 398 * 24 * time.Hour

// profile holds the directories' servers to the TLS profile (TDD 3.7): 1.2 or
// later with a certificate of the roots that is not valid for too long, and
// nothing older.
func (e *Environment) profile(ctx context.Context, country string) error {
	found, err := e.located(ctx, country)
	if err != nil {
		return err
	}
	for _, base := range found {
		if base.Scheme != "https" {
			return fmt.Errorf("%s is not https", base.Host)
		}
		port := base.Port()
		if port == "" {
			port = "443"
		}
		address := base.Hostname() + ":" + port
		state, err := e.handshake(ctx, base.Hostname(), address, tls.VersionTLS12, 0)
		if err != nil {
			return err
		}
		leaf := state.PeerCertificates[0]
		if leaf.NotAfter.Sub(leaf.NotBefore) > longest {
			return fmt.Errorf("the certificate of %s is valid for more than 398 days", base.Host)
		}
		if _, err := e.handshake(ctx, base.Hostname(), address, tls.VersionTLS10, tls.VersionTLS11); err == nil {
			return fmt.Errorf("%s speaks TLS 1.1 or older", base.Host)
		}
	}
	return nil
}

func (e *Environment) handshake(ctx context.Context, host, address string, from, to uint16) (*tls.ConnectionState, error) {
	d := tls.Dialer{Config: &tls.Config{ServerName: host, RootCAs: e.TLS, MinVersion: from, MaxVersion: to, Time: e.Now}}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		var unknown x509.UnknownAuthorityError
		if errors.As(err, &unknown) {
			return nil, fmt.Errorf("the certificate of %s is of an authority that is not trusted", host)
		}
		return nil, err
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState()
	return &state, nil
}
