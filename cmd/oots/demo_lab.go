package main

import (
	"context"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/access/passkey"
	"github.com/once-only/oots/web"
)

// demoLab is the test platform of the demo, at an address of its own.
type demoLab struct {
	base  string // without a final slash
	pages http.ServeMux
	open  func(public string) error
}

// openLab serves the test platform with the demonstration's accounts: of the
// event's manager, and of a team, a coordinator and a monitor for each country.
// Its pages are there when the address of the public site is known.
func openLab(ctx context.Context, group *errgroup.Group, m *meter, p *playing) (*demoLab, error) {
	lab := &demoLab{}
	var signIn http.ServeMux
	var issuer string
	for _, l := range []struct {
		mux *http.ServeMux
		to  *string
	}{{&lab.pages, &lab.base}, {&signIn, &issuer}} {
		if err := listen(ctx, group, "", l.mux, nil, func(addr string) { *l.to = "http://" + strings.Replace(addr, "127.0.0.1", "localhost", 1) }); err != nil {
			return nil, err
		}
	}
	people, accounts := web.DemoAccounts(p.network.Countries...)
	identity, err := web.NewTestIdentity(web.TestIdentityConfig{Issuer: issuer, People: people,
		Clients: []web.TestIdentityClient{{ID: "lab", Callbacks: []string{lab.base + "/lab/signin/callback"}}}})
	if err != nil {
		return nil, err
	}
	signIn.Handle("/", identity)
	source, err := web.NewOIDCSource(web.OIDCConfig{Issuer: issuer, ClientID: "lab"})
	if err != nil {
		return nil, err
	}
	lab.open = func(public string) error {
		pages, err := web.NewLab(web.LabConfig{BaseURL: lab.base, Public: strings.TrimSuffix(public, "/"), Events: p.board.Events, Tests: p.board.Tests, Meter: m.Meter,
			Identity: source, Accounts: accounts, Passkeys: &passkey.Memory{}, Workbench: p})
		if err == nil {
			lab.pages.Handle("/", until(ctx, pages))
		}
		return err
	}
	return lab, nil
}

// until ends what a handler is doing when ctx ends: pages that stay open would
// keep a server from stopping.
func until(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		within, stop := context.WithCancel(r.Context())
		defer stop()
		defer context.AfterFunc(ctx, stop)()
		h.ServeHTTP(w, r.WithContext(within))
	})
}
