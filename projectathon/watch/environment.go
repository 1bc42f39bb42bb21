package watch

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/sdg"
)

// Environment is one instance of the Common Services as the platform reaches it.
// Code, Locator and Roots are required.
type Environment struct {
	Code ledger.Environment
	// Locator finds a country's directories; one of the DNS is probed as such.
	Locator cs.Locator
	Roots   *x509.CertPool // whose signature answers must carry
	Line    cs.Line        // that is asked for; "" means 2.0
	// Transport reaches the directories; nil means one with the system's roots.
	Transport http.RoundTripper
	// TLS are the roots of servers' certificates for the probe of TLS; nil means
	// the system's.
	TLS *x509.CertPool
	// Repository stands in for the host of the Semantic Repository, as in
	// commonservices.ClientConfig.
	Repository string
	// Ping sends an AS4 test message from the platform's access point to the
	// country's, and is content with a signed receipt only. ErrUntried is no
	// failure of the country. Nil: not probed.
	Ping func(ctx context.Context, country string) error
	Now  func() time.Time // optional; time.Now
}

// directories is what is asked of the Common Services; *cs.Client answers it.
type directories interface {
	Requirements(ctx context.Context, procedure, country string) ([]sdg.Requirement, cs.Answer, error)
	EvidenceTypes(ctx context.Context, requirement, country string) (*sdg.Requirement, cs.Answer, error)
	DataServices(ctx context.Context, q cs.DataServiceQuery) (*cs.DataServices, error)
}

// instanceOf finds the instance that a country uses, also for queries that name
// no country.
type instanceOf struct {
	country string
	cs.Locator
}

func (i instanceOf) Locate(ctx context.Context, country string, s cs.Service, major int) (*url.URL, error) {
	if country == "" {
		country = i.country
	}
	return i.Locator.Locate(ctx, country, s, major)
}

// client asks the instance that a country uses, anew each time: what is seen is
// what is published now.
func (e *Environment) client(country string, through http.RoundTripper) (*cs.Client, error) {
	if e.Code == "" || e.Locator == nil || e.Roots == nil {
		return nil, errors.New("watch: an environment needs a code, a locator and the roots of its answers")
	}
	return cs.NewClient(cs.ClientConfig{Locator: instanceOf{country, e.Locator}, Verifier: &cs.Verifier{Roots: e.Roots, Now: e.Now}, Line: e.Line, Transport: through,
		Repository: e.Repository, Fresh: time.Nanosecond, Stale: -1, Retries: 1, Now: e.Now})
}

// none tells that a directory says, signed, that there is nothing.
func none(err error) bool {
	var e *cs.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case "EB:ERR:0001", "EB:ERR:0002", "DSD:ERR:0001", "DSD:ERR:0002":
		return true
	}
	return false
}
