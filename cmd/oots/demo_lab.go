package main

import (
	"context"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/access/passkey"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/web"
)

// events is the event service over the demo's store.
func (m *meter) events(ctx context.Context) (*projectathon.Service, error) {
	return m.eventService(ctx, projectathon.Config{SecondShare: -1})
}

// openLab serves the test platform with the demonstration's accounts, of the
// event's manager, and of a team, a coordinator and a monitor for each country.
// It returns the address, without a final slash.
func openLab(ctx context.Context, group *errgroup.Group, events *projectathon.Service, meter web.Meter, countries []string) (string, error) {
	var pages, signIn http.ServeMux
	var base, issuer string
	for _, l := range []struct {
		mux *http.ServeMux
		to  *string
	}{{&pages, &base}, {&signIn, &issuer}} {
		if err := listen(ctx, group, "", l.mux, nil, func(addr string) { *l.to = "http://" + strings.Replace(addr, "127.0.0.1", "localhost", 1) }); err != nil {
			return "", err
		}
	}
	people, accounts := web.DemoAccounts(countries...)
	identity, err := web.NewTestIdentity(web.TestIdentityConfig{Issuer: issuer, People: people,
		Clients: []web.TestIdentityClient{{ID: "lab", Callbacks: []string{base + "/lab/signin/callback"}}}})
	if err != nil {
		return "", err
	}
	signIn.Handle("/", identity)
	source, err := web.NewOIDCSource(web.OIDCConfig{Issuer: issuer, ClientID: "lab"})
	if err != nil {
		return "", err
	}
	lab, err := web.NewLab(web.LabConfig{BaseURL: base, Events: events, Meter: meter, Identity: source, Accounts: accounts, Passkeys: &passkey.Memory{}})
	if err != nil {
		return "", err
	}
	pages.Handle("/", lab)
	return base, nil
}
