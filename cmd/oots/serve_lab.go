package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/web"
	"github.com/once-only/oots/web/limit"
)

// labSettings are the section [lab] of the acceleratormeter's file: the test
// platform beside the board. Without the section there is none.
//
//	[lab]
//	addr = ""                  # an address of its own; empty: the board's, below /lab
//	base_url = ""              # how browsers reach it; empty: the board's
//	passkeys = "required"      # or "offered": of monitors and reviewers, for decisions
//	second_share = 10          # percent of level-relevant tests that get a second look; 0 none
//	permanent = "Tests all year"  # name of the event that is always live
//	accounts = "accounts.toml" # who may do what; rows [[account]]
//
//	[lab.identity]
//	issuer = "https://id.example"   # "test" is the built-in provider, on localhost alone
//	client_id = "oots-lab"
//	client_secret = "…"             # empty for a public client
//	identifier = "sub"              # claim that names a person for good
//	groups = "groups"               # claim with the groups of a person
//	scopes = ["groups"]             # asked for beside openid
//	high = ["…/strong"]             # values of acr that stand for High
type labSettings struct {
	Addr        string `toml:"addr"`
	BaseURL     string `toml:"base_url"`
	Passkeys    string `toml:"passkeys"`
	SecondShare *int   `toml:"second_share"`
	Permanent   string `toml:"permanent"`
	Accounts    string `toml:"accounts"`
	Identity    struct {
		Issuer       string   `toml:"issuer"`
		ClientID     string   `toml:"client_id"`
		ClientSecret string   `toml:"client_secret"`
		Identifier   string   `toml:"identifier"`
		Groups       string   `toml:"groups"`
		Scopes       []string `toml:"scopes"`
		High         []string `toml:"high"`
	} `toml:"identity"`

	rows []web.LabAccount
}

// read fills what the file leaves out, and reads the list of accounts, whose
// path is relative to the file.
func (c *labSettings) read(file string) error {
	if c.Passkeys == "" {
		c.Passkeys = "required"
	}
	if c.Permanent == "" {
		c.Permanent = "Tests all year"
	}
	if c.SecondShare == nil {
		ten := 10
		c.SecondShare = &ten
	}
	switch {
	case c.Passkeys != "required" && c.Passkeys != "offered":
		return fmt.Errorf("lab.passkeys is %q; it is required or offered", c.Passkeys)
	case *c.SecondShare < 0 || *c.SecondShare > 100:
		return fmt.Errorf("lab.second_share is %d; it is a share of 0 to 100 percent", *c.SecondShare)
	case c.Addr != "" && c.BaseURL == "":
		return errors.New("lab.base_url is missing: how browsers reach the address lab.addr")
	case c.Accounts == "":
		return errors.New("lab.accounts is missing: the file that says who may do what")
	case c.Identity.Issuer == "":
		return errors.New("lab.identity.issuer is missing: the OpenID Connect provider at which people sign in")
	case c.Identity.ClientID == "" && c.Identity.Issuer != testIssuer:
		return errors.New("lab.identity.client_id is missing: what this platform is called at the provider")
	}
	if !filepath.IsAbs(c.Accounts) {
		c.Accounts = filepath.Join(filepath.Dir(file), c.Accounts)
	}
	var list struct {
		Account []web.LabAccount `toml:"account"`
	}
	meta, err := toml.DecodeFile(c.Accounts, &list)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Accounts, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return fmt.Errorf("%s: an account has no %q", c.Accounts, unknown[0].String())
	}
	if _, err := web.NewLabAccounts(list.Account, nil); err != nil {
		return fmt.Errorf("%s: %w", c.Accounts, err)
	}
	c.rows = list.Account
	return nil
}

// testIssuer in place of an address is the built-in identity provider, which
// signs in anybody; testPath is where it stands on this site.
const (
	testIssuer = "test"
	testPath   = "/identity"
)

// testPlatform is the test platform over the meter's store.
type testPlatform struct {
	base   string // how browsers reach it, without a final slash
	log    *slog.Logger
	events *projectathon.Service
	pages  http.Handler
	// identity is the built-in provider, nil for another one.
	identity http.Handler
}

// openTestPlatform makes the platform for browsers at base, with the public site
// at another address or, when that is empty, the same, and its permanent event.
func (m *meter) openTestPlatform(ctx context.Context, c *labSettings, base, public string, sample bool, log *slog.Logger) (*testPlatform, error) {
	share := *c.SecondShare
	if share == 0 {
		share = -1 // none
	}
	events, err := m.eventService(ctx, projectathon.Config{SecondShare: share, Log: log})
	if err != nil {
		return nil, err
	}
	catalogue, err := cases(&world{ctx, nil, nil, logWriter{log}}, "")
	if err != nil {
		return nil, err
	}
	if _, err := events.Host(ctx, projectathon.Event{Name: c.Permanent, Line: string(edm.V20), Catalogue: catalogue.Version, DataSet: "seed", Sample: sample}); err != nil {
		return nil, err
	}
	key, err := m.db.Secret(ctx, "account signs", store.RandomSecret)
	if err != nil {
		return nil, err
	}
	accounts, err := web.NewLabAccounts(c.rows, []byte(key))
	if err != nil {
		return nil, err
	}
	p := &testPlatform{base: base, log: log, events: events}
	oidc := web.OIDCConfig{Issuer: c.Identity.Issuer, ClientID: c.Identity.ClientID, ClientSecret: c.Identity.ClientSecret,
		Staff: &web.StaffSignIn{Identifier: c.Identity.Identifier, Groups: c.Identity.Groups, Scopes: c.Identity.Scopes, High: c.Identity.High}}
	if oidc.Issuer == testIssuer {
		if !isLocal(base) {
			return nil, fmt.Errorf("lab.identity.issuer: the test provider signs in anybody, so it works for a base_url on localhost alone, not for %s", base)
		}
		oidc.Issuer, oidc.ClientID, oidc.Staff.Identifier, oidc.Staff.Scopes = base+testPath, "lab", "person_identifier", []string{"profile", "eidas"}
		if p.identity, err = web.NewTestIdentity(web.TestIdentityConfig{Issuer: oidc.Issuer, People: web.TestPeople(c.rows), Log: log,
			Clients: []web.TestIdentityClient{{ID: oidc.ClientID, Callbacks: []string{base + "/lab/signin/callback"}}}}); err != nil {
			return nil, err
		}
	}
	source, err := web.NewOIDCSource(oidc)
	if err != nil {
		return nil, err
	}
	tests, err := testbed.New(testbed.Config{Catalogue: catalogue, Store: m.db.Testbed(), Systems: detached{}, Facts: m.ledger, Log: log})
	if err != nil {
		return nil, err
	}
	p.pages, err = web.NewLab(web.LabConfig{BaseURL: base, Public: public, Events: events, Tests: tests, Meter: m.Meter, Identity: source, Accounts: accounts, Passkeys: m.db.Passkeys(), PasskeysRequired: c.Passkeys == "required",
		Sessions: m.db.Sessions(nil), Log: log})
	return p, err
}

// detached are the systems of a platform without a network: none. What teams
// hand in is read there, and nothing is started.
type detached struct{}

// Systems is testbed.Systems.
func (detached) Systems(context.Context) ([]testbed.System, error) { return nil, nil }

// Open is testbed.Systems.
func (detached) Open(context.Context, string, string) (*testbed.Runner, error) {
	return nil, testbed.ErrUnknown
}

// eventService is the event service over the meter's store and ledger, with the
// store's own key for evidence.
func (m *meter) eventService(ctx context.Context, c projectathon.Config) (*projectathon.Service, error) {
	text, err := m.db.Secret(ctx, "event key", store.RandomSecret)
	if err != nil {
		return nil, err
	}
	if c.Key, err = hex.DecodeString(text); err != nil {
		return nil, err
	}
	c.Store, c.Facts = m.db.Projectathon(), m.ledger
	return projectathon.New(c)
}

// beside serves the platform at its own addresses and all else as before.
func (p *testPlatform) beside(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case web.IsLab(r.URL.Path):
			p.pages.ServeHTTP(w, r)
		case p.identity != nil && strings.HasPrefix(r.URL.Path, testPath+"/"):
			p.identity.ServeHTTP(w, r)
		default:
			site.ServeHTTP(w, r)
		}
	})
}

// alone serves the platform at an address of its own, where it has one.
func (p *testPlatform) alone(ctx context.Context, work *sync.WaitGroup, c serveMeter) error {
	if c.Lab.Addr == "" {
		return nil
	}
	var group errgroup.Group
	if err := listen(ctx, &group, c.Lab.Addr, limit.Behind(c.proxies, until(ctx, p.beside(p.pages))), nil, func(string) {}); err != nil {
		return fmt.Errorf("lab.addr: %w", err)
	}
	work.Go(func() {
		if err := group.Wait(); err != nil {
			p.log.Error("the test platform has stopped", "err", err)
		}
	})
	return nil
}

// isLocal tells whether an address is this machine's own name.
func isLocal(base string) bool {
	u, err := url.Parse(base)
	return err == nil && u.Hostname() == "localhost"
}

// logWriter is a log as a stream of lines.
type logWriter struct{ log *slog.Logger }

func (l logWriter) Write(line []byte) (int, error) {
	l.log.Warn(strings.TrimSpace(string(line)))
	return len(line), nil
}
