package network

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/web"
)

// site is one handler behind two listeners: https, which is what messages name,
// and plain http on loopback, so that a visitor's browser meets no certificate
// of a throw-away authority.
type site struct {
	Wire, Page string // addresses without a final slash
	mux        http.ServeMux
}

// offices of the portal, each a procedure of a country of the network.
var offices = []web.Office{
	{Key: "study", Name: "Demo University", Country: "NL", Procedure: "T2"},
	{Key: "business", Name: "Demo Business Desk", Country: "IE", Procedure: "X1", Organisation: true},
	{Key: "pension", Name: "Demo Pension Fund", Country: "EL", Procedure: "W1"},
}

// openPages fills portal, preview spaces and identity provider with their pages,
// once the nodes behind them stand.
func (n *Network) openPages(ctx context.Context) error {
	var issuer, portal http.ServeMux
	identity, err := n.listen(ctx, &issuer, nil)
	if err != nil {
		return err
	}
	if n.Portal, err = n.listen(ctx, &portal, nil); err != nil {
		return err
	}
	var clients []web.TestIdentityClient
	source := func(id, country, callback string) (web.IdentitySource, error) {
		clients = append(clients, web.TestIdentityClient{ID: id, Country: country, Callbacks: []string{callback}})
		return web.NewOIDCSource(web.OIDCConfig{Issuer: identity, ClientID: id, Now: n.plan.Now})
	}
	var open []web.Office
	var providing []string
	for _, cc := range n.Countries {
		node := n.Nodes[cc]
		node.preview.mux.HandleFunc("GET "+returnPath+"{token}", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, n.Portal+r.URL.Path, http.StatusSeeOther)
		})
		if node.Provider != nil {
			providing = append(providing, cc)
			if err := node.openPreview(source); err != nil {
				return fmt.Errorf("network: preview space of %s: %w", cc, err)
			}
		}
	}
	for _, o := range offices {
		node := n.Nodes[o.Country]
		if node == nil || node.Requester == nil {
			continue
		}
		o.Requester = node.Requester
		o.Messages = func(ctx context.Context, conversation string) ([]exchange.Entry, error) {
			return node.Log.Find(ctx, conversation)
		}
		if o.Identity, err = source("portal-"+o.Country, o.Country, n.Portal+"/demo/signin/callback"); err != nil {
			return err
		}
		open = append(open, o)
	}
	if len(clients) == 0 {
		return nil
	}
	accounts, err := web.NewTestIdentity(web.TestIdentityConfig{Issuer: identity, Clients: clients, Now: n.plan.Now, Log: n.plan.Log})
	if err != nil {
		return err
	}
	issuer.Handle("/", accounts)
	if len(open) == 0 {
		n.Portal = ""
		return nil
	}
	pages, err := web.NewPortal(web.PortalConfig{BaseURL: n.Portal, Offices: open, Countries: providing, Model: n.model, Browser: n.Browser, Now: n.plan.Now, Log: n.plan.Log})
	if err != nil {
		return err
	}
	portal.Handle("/", pages)
	return nil
}

func (node *Node) openPreview(source func(id, country, callback string) (web.IdentitySource, error)) error {
	n, lower := node.network, strings.ToLower(node.Country)
	who, err := source("preview-"+node.Country, node.Country, node.preview.Page+"/signin/callback")
	if err != nil {
		return err
	}
	pages, err := web.NewPreview(web.PreviewConfig{BaseURL: node.preview.Page, Space: node.Provider, Identity: who, Name: "Demo preview space, " + node.Name, Country: node.Country,
		Contact: "help@preview." + lower + ".example", Demo: true, Browser: n.Browser, Now: n.plan.Now, Log: n.plan.Log})
	if err != nil {
		return err
	}
	node.preview.mux.Handle("/", pages)
	return nil
}

// model finds a data model of the registers by name.
func (n *Network) model(name string) *exchange.Model {
	if i := slices.IndexFunc(n.models, func(m *exchange.Model) bool { return m.Name == name }); i >= 0 {
		return n.models[i]
	}
	return nil
}

// Browser turns an https address of the network into the plain one of the same
// server. Return addresses stand below their country's server and lead to the
// portal, which all countries of the network share.
func (n *Network) Browser(wire string) string {
	for _, cc := range n.Countries {
		node := n.Nodes[cc]
		rest, ok := strings.CutPrefix(wire, node.Preview)
		switch {
		case !ok || rest != "" && rest[0] != '/':
		case strings.HasPrefix(rest, returnPath):
			return n.Portal + rest
		default:
			return node.PreviewPage + rest
		}
	}
	return wire
}
