package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// IdentitySource is where a person signs in, at a portal or at a preview space.
// OIDCSource is one over OpenID Connect; a node of the eIDAS network, which
// speaks SAML, can be another: it sends the browser somewhere and reads what the
// browser brings back.
type IdentitySource interface {
	// Begin starts a sign-in that ends at the callback address. What it returns is
	// kept on the server until the browser is back.
	Begin(ctx context.Context, callback string, hint SignInHint) (*SignIn, error)
	// Finish reads what the browser brought to the callback: query or form.
	Finish(ctx context.Context, begun *SignIn, answer url.Values) (*SignedIn, error)
}

// SignInHint helps the source to ask little.
type SignInHint struct {
	Country  string // whose identity the person has; "" for the country's own
	Language string // of the page, as ui_locales
}

// SignIn is a sign-in that has begun. Its fields are secrets of this visit.
type SignIn struct {
	Location string // where the browser goes
	Callback string
	State    string
	Nonce    string
	Verifier string
}

// SignedIn is who signed in, with what a request needs beyond the comparison.
type SignedIn struct {
	exchange.Identity
	OrganisationName string // of the legal person acted for; empty for none
	Gender           string // as edm writes it; empty for unknown
	// Groups are those that the provider says a member of staff belongs to; none
	// for citizens.
	Groups []string
}

// Subject is whom a request is about: the organisation where the person acts for
// one and the procedure is for organisations, else the person.
func (s *SignedIn) Subject(organisation bool) (exchange.Subject, bool) {
	p := &sdg.Person{LevelOfAssurance: s.LevelOfAssurance, FamilyName: s.FamilyName, GivenName: s.GivenName, DateOfBirth: s.DateOfBirth, Gender: s.Gender}
	if s.Identifier != "" {
		p.Identifier = &sdg.Identifier{Scheme: "eidas", Value: s.Identifier}
	}
	if !organisation {
		return exchange.Subject{NaturalPerson: p}, true
	}
	if s.Organisation == "" {
		return exchange.Subject{}, false
	}
	return exchange.Subject{Representative: p, LegalPerson: &sdg.LegalPerson{LevelOfAssurance: s.LevelOfAssurance, LegalName: s.OrganisationName,
		LegalIdentifier: &sdg.Identifier{Scheme: "eidas", Value: s.Organisation}}}, true
}

// OIDCConfig names an OpenID Connect provider and what we are to it.
type OIDCConfig struct {
	Issuer       string // as in its discovery document; required
	ClientID     string // required
	ClientSecret string // empty for a public client; PKCE is always used
	// Staff signs in people who work here, not citizens: an identifier and groups
	// are read, no attribute of a person is asked for. Nil: citizens.
	Staff *StaffSignIn
	// Client fetches discovery document, keys and tokens; nil: ten seconds.
	Client *http.Client
	Now    func() time.Time // optional; time.Now
}

// StaffSignIn says where an id token tells what about a member of staff.
type StaffSignIn struct {
	Identifier string   // claim that names the person for good; empty: sub
	Groups     string   // claim with a list of groups; empty: groups
	Scopes     []string // asked for beside openid
	// High are values of acr that stand for level of assurance High, beside eIDAS'
	// own.
	High []string
}

// read takes an identifier and groups out of the claims of an id token.
func (s *StaffSignIn) read(claims map[string]any) (identifier string, groups []string) {
	identifier, _ = claims[cmp.Or(s.Identifier, "sub")].(string)
	list, _ := claims[cmp.Or(s.Groups, "groups")].([]any)
	for _, g := range list {
		if name, ok := g.(string); ok && len(groups) < 1000 {
			groups = append(groups, name)
		}
	}
	return identifier, groups
}

// OIDCSource signs people in over OpenID Connect Core 1.0: authorization code
// flow with state, nonce and PKCE (S256), signed id token. The discovery document
// is read at the first sign-in, so that a provider may start later than we.
type OIDCSource struct {
	c        OIDCConfig
	mu       sync.Mutex
	provider *oidc.Provider
}

// NewOIDCSource checks the configuration.
func NewOIDCSource(c OIDCConfig) (*OIDCSource, error) {
	if c.Issuer == "" || c.ClientID == "" {
		return nil, errors.New("web: an OpenID Connect source needs Issuer and ClientID")
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	return &OIDCSource{c: c}, nil
}

func (s *OIDCSource) discover(ctx context.Context) (*oidc.Provider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider != nil {
		return s.provider, nil
	}
	// The provider keeps the context for fetching keys: it must not end with
	// this visit.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), s.c.Client), s.c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("the identity provider %s does not answer: %w", s.c.Issuer, err)
	}
	s.provider = p
	return p, nil
}

func (s *OIDCSource) config(p *oidc.Provider, callback string) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID, "profile", "eidas"}
	if s.c.Staff != nil {
		scopes = append([]string{oidc.ScopeOpenID}, s.c.Staff.Scopes...)
	}
	return &oauth2.Config{ClientID: s.c.ClientID, ClientSecret: s.c.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: callback, Scopes: scopes}
}

// Begin is IdentitySource.
func (s *OIDCSource) Begin(ctx context.Context, callback string, hint SignInHint) (*SignIn, error) {
	p, err := s.discover(ctx)
	if err != nil {
		return nil, err
	}
	in := &SignIn{Callback: callback, State: secret(), Nonce: secret(), Verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oidc.Nonce(in.Nonce), oauth2.S256ChallengeOption(in.Verifier)}
	for name, value := range map[string]string{"login_hint": hint.Country, "ui_locales": hint.Language} {
		if value != "" {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	in.Location = s.config(p, callback).AuthCodeURL(in.State, options...)
	return in, nil
}

// ErrNotSignedIn says that the person, or the identity provider, broke off.
var ErrNotSignedIn = errors.New("web: nobody signed in")

// claims are what we read of an id token: the standard ones, and the attributes
// of the eIDAS minimum data sets under plain names.
type claims struct {
	Nonce        string `json:"nonce"`
	ACR          string `json:"acr"` // Low, Substantial or High
	FamilyName   string `json:"family_name"`
	GivenName    string `json:"given_name"`
	Birthdate    string `json:"birthdate"`
	Gender       string `json:"gender,omitempty"`
	PersonID     string `json:"person_identifier,omitempty"`
	LegalPerson  string `json:"legal_person_identifier,omitempty"`
	LegalName    string `json:"legal_name,omitempty"`
	Subject      string `json:"sub"`
	Issuer       string `json:"iss"`
	Audience     string `json:"-"`
	AuthorizedTo string `json:"azp,omitempty"`
}

var birthdate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// levelsOfAssurance are the values of acr that count; anything else is refused.
var levelsOfAssurance = map[string]string{
	"Low": "Low", "Substantial": "Substantial", "High": "High",
	"http://eidas.europa.eu/LoA/low": "Low", "http://eidas.europa.eu/LoA/substantial": "Substantial", "http://eidas.europa.eu/LoA/high": "High",
}

// Finish is IdentitySource.
func (s *OIDCSource) Finish(ctx context.Context, begun *SignIn, answer url.Values) (*SignedIn, error) {
	if answer.Get("state") == "" || answer.Get("state") != begun.State {
		return nil, fmt.Errorf("%w: the state is not ours", ErrNotSignedIn)
	}
	if e := answer.Get("error"); e != "" {
		return nil, fmt.Errorf("%w: the identity provider says %.40q", ErrNotSignedIn, e)
	}
	p, err := s.discover(ctx)
	if err != nil {
		return nil, err
	}
	token, err := s.config(p, begun.Callback).Exchange(oidc.ClientContext(ctx, s.c.Client), answer.Get("code"), oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		return nil, fmt.Errorf("%w: the code was not accepted: %w", ErrNotSignedIn, err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: s.c.ClientID, Now: s.c.Now}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: the id token does not verify: %w", ErrNotSignedIn, err)
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		return nil, fmt.Errorf("%w: the id token cannot be read: %w", ErrNotSignedIn, err)
	}
	level := levelsOfAssurance[c.ACR]
	if staff := s.c.Staff; staff != nil {
		return s.staff(id, &c, begun, level)
	}
	switch {
	case c.Nonce != begun.Nonce:
		return nil, fmt.Errorf("%w: the nonce is not ours", ErrNotSignedIn)
	case level == "":
		return nil, fmt.Errorf("%w: the level of assurance %.40q is none of Low, Substantial, High", ErrNotSignedIn, c.ACR)
	case c.FamilyName == "" || c.GivenName == "" || !birthdate.MatchString(c.Birthdate):
		return nil, fmt.Errorf("%w: a mandatory attribute is missing: family name, given name, date of birth", ErrNotSignedIn)
	}
	return &SignedIn{Gender: c.Gender, OrganisationName: c.LegalName, Identity: exchange.Identity{Source: s.c.Issuer, LevelOfAssurance: level,
		Identifier: c.PersonID, FamilyName: c.FamilyName, GivenName: c.GivenName, DateOfBirth: c.Birthdate, Organisation: c.LegalPerson}}, nil
}

// staff is who an id token says works here. A level that is not known is Low:
// whoever decides needs High.
func (s *OIDCSource) staff(id *oidc.IDToken, c *claims, begun *SignIn, level string) (*SignedIn, error) {
	var all map[string]any
	if err := id.Claims(&all); err != nil {
		return nil, fmt.Errorf("%w: the id token cannot be read: %w", ErrNotSignedIn, err)
	}
	identifier, groups := s.c.Staff.read(all)
	switch {
	case c.Nonce != begun.Nonce:
		return nil, fmt.Errorf("%w: the nonce is not ours", ErrNotSignedIn)
	case identifier == "" || len(identifier) > 500:
		return nil, fmt.Errorf("%w: the id token does not say who it is about (claim %s)", ErrNotSignedIn, cmp.Or(s.c.Staff.Identifier, "sub"))
	case c.ACR != "" && slices.Contains(s.c.Staff.High, c.ACR):
		level = "High"
	}
	return &SignedIn{Groups: groups, Identity: exchange.Identity{Source: s.c.Issuer, LevelOfAssurance: cmp.Or(level, "Low"), Identifier: identifier}}, nil
}

// signIns are sign-ins that have begun, by the state they go with. They are few
// and short: beyond the bound the oldest goes.
type signIns struct {
	mu  sync.Mutex
	now func() time.Time
	all map[string]pendingSignIn
}

type pendingSignIn struct {
	*SignIn
	source IdentitySource
	For    string // what the person wanted: an application, a preview
	cookie string // binds the sign-in to the browser that began it
	until  time.Time
}

const (
	signInTime  = 15 * time.Minute
	mostSignIns = 10_000
)

func (s *signIns) add(p pendingSignIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.all == nil {
		s.all = map[string]pendingSignIn{}
	}
	if len(s.all) >= mostSignIns {
		oldest := ""
		for k, v := range s.all {
			if now.After(v.until) {
				delete(s.all, k)
			} else if oldest == "" || v.until.Before(s.all[oldest].until) {
				oldest = k
			}
		}
		if len(s.all) >= mostSignIns {
			delete(s.all, oldest)
		}
	}
	p.until = now.Add(signInTime)
	s.all[p.State] = p
}

// take gives a sign-in once.
func (s *signIns) take(state, cookie string) (pendingSignIn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.all[state]
	if !ok || p.cookie != cookie || cookie == "" {
		return pendingSignIn{}, false
	}
	delete(s.all, state)
	return p, s.now().Before(p.until)
}

// begin sends the browser to an identity source; the answer comes to callback.
func (p *place) begin(w http.ResponseWriter, r *http.Request, l *lang, ins *signIns, source IdentitySource, callback, forWhat, country string) {
	in, err := source.Begin(r.Context(), callback, SignInHint{Country: country, Language: l.Code})
	if err != nil {
		p.broken(w, r, l, "sign-in", err)
		return
	}
	cookie := secret()
	p.setCookie(w, "signin", "/", cookie, int(signInTime/time.Second))
	ins.add(pendingSignIn{SignIn: in, source: source, For: forWhat, cookie: cookie})
	http.Redirect(w, r, in.Location, http.StatusSeeOther)
}

// finish reads the answer of an identity source.
func (p *place) finish(w http.ResponseWriter, r *http.Request, ins *signIns) (*SignedIn, string, error) {
	if err := r.ParseForm(); err != nil {
		return nil, "", fmt.Errorf("%w: the answer cannot be read", ErrNotSignedIn)
	}
	begun, ok := ins.take(r.Form.Get("state"), p.cookie(r, "signin"))
	if !ok {
		return nil, "", fmt.Errorf("%w: no such sign-in was begun in this browser", ErrNotSignedIn)
	}
	p.setCookie(w, "signin", "/", "", -1)
	who, err := begun.source.Finish(r.Context(), begun.SignIn, r.Form)
	if err != nil {
		p.log.Warn("sign-in failed", slog.String("site", p.name), slog.Any("error", err))
	}
	return who, begun.For, err
}
