// Package web is the public site of the Acceleratormeter: pages for people,
// files and feeds for everybody's own use, and the JSON API.
//
// Every page is rendered on the server, is complete without script and carries
// its whole view in its address. The rendered bytes are kept per state of the
// ledger, language and query (see cache.go). The package computes no level (see
// acceleratormeter) and owns no table (see store); what it needs of both is
// named by the ports in ports.go.
package web

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	am "github.com/once-only/oots/acceleratormeter"
)

// Config is what a site is made of. The ports are in ports.go.
type Config struct {
	Ports

	// BaseURL is the address under which the public reaches the site, without
	// a final slash: "https://meter.example". Feeds, embeds and the data
	// catalogue need absolute addresses. Required.
	BaseURL string

	// Lab is where browsers reach the test platform (see NewLab), without a final
	// slash, so that a fact leads to the messages behind it; empty: it does not.
	Lab string

	// Operator is who runs this site, as the strip on every page names it.
	// Empty: "an independent project".
	Operator string

	// Sample marks the whole site as filled with invented data.
	Sample bool

	// Follow lets open pages of the present show the next snapshot by themselves:
	// for a demonstration, whose flags move while somebody watches.
	Follow bool

	// Board is the choice of countries drawn and counted; empty means EU.
	Board am.Board

	// Promise is the interval after which a snapshot is called stale;
	// 0 means 45 days.
	Promise time.Duration

	Now func() time.Time // optional; time.Now
	Log *slog.Logger     // optional; discards
}

// site answers every address. Its fields never change after New, apart from
// the cache.
type site struct {
	Config
	base      *url.URL
	drawn     []am.Country // in protocol order
	eea       map[string]bool
	flags     map[string]template.HTML
	keeper    keeper
	asks      *rate.Limiter // requests for correction, of everybody together
	assets    assets
	langs     []*lang
	templates map[string]map[string]*template.Template // language, page
	cache     *cache
	frames    frames
	api       http.Handler
	judge     *judge
}

// New returns the handler of the whole site.
func New(c Config) (http.Handler, error) {
	s, err := build(c)
	if err != nil {
		return nil, err
	}
	return s.handler(), nil
}

// build reads everything that never changes.
func build(c Config) (*site, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Promise == 0 {
		c.Promise = 45 * 24 * time.Hour
	}
	base, err := url.Parse(strings.TrimSuffix(c.BaseURL, "/"))
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("web: BaseURL %q is not an absolute address; give one such as https://meter.example", c.BaseURL)
	}
	if c.Board == "" {
		c.Board = am.BoardEU
	}
	if c.Lab = strings.TrimSuffix(c.Lab, "/"); c.Lab != "" && origin(c.Lab) == "" {
		return nil, fmt.Errorf("web: Lab %q is not an absolute address; give one such as https://tests.example", c.Lab)
	}
	s := &site{Config: c, base: base, cache: newCache(cacheBytes), drawn: c.Board.Drawn(), asks: rate.NewLimiter(rate.Every(2*time.Second), 20), judge: newJudge()}
	if err := c.Ports.check(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	s.eea, s.flags = map[string]bool{}, map[string]template.HTML{}
	for _, c := range am.Countries() {
		s.eea[c.Code] = c.Group == am.EEA
		s.flags[c.Code] = s.assets.flag(c.Code)
	}
	if s.langs, err = loadLanguages(); err != nil {
		return nil, err
	}
	if s.templates, err = s.parse(); err != nil {
		return nil, err
	}
	if s.frames, err = s.parseFrames(); err != nil {
		return nil, err
	}
	if s.api, err = s.newAPI(); err != nil {
		return nil, err
	}
	return s, nil
}

// absolute makes an address of the site absolute.
func (s *site) absolute(path string) string { return s.base.String() + path }

// problem is an error with its HTTP status and words for people. Message is a
// key of the catalogue; Cause is only logged.
type problem struct {
	Status  int
	Message string
	Args    []any  // pairs for the message
	Choices []link // what would have worked
	Cause   error
}

func (p *problem) Error() string {
	if p.Cause != nil {
		return p.Message + ": " + p.Cause.Error()
	}
	return p.Message
}

func (p *problem) Unwrap() error { return p.Cause }

// link is an address with its text.
type link struct{ Href, Text string }

// asProblem turns any error into one that the edge can show.
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return &problem{Status: http.StatusInternalServerError, Message: "error.500", Cause: err}
}
