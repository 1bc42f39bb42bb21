package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/web"
)

// Environment is one instance of the Common Services that the nodes of a network
// use: a data set, its directories, and the access point that takes submissions.
// The nodes are the same in all environments; what one publishes is not known in
// another.
type Environment struct {
	Code  ledger.Environment
	Label string // in the names of the DNS: acc, prod
	// Lifecycle holds the data set; what it publishes is what the directories
	// answer from.
	Lifecycle *lcm.LifecycleManager
	// Services is the https address of the directories, Pages that of the same
	// server for browsers, without TLS; both without a final slash.
	Services, Pages string
	// Roots are whose signature the directories' answers carry, and nobody else's.
	Roots *x509.CertPool
	// Locator is how clients find the directories.
	Locator cs.Locator

	network  *Network
	registry *registry
}

// openAcceptance starts the environment of the tests: the seed as the plan
// changes it.
func (n *Network) openAcceptance(ctx context.Context) error {
	e := &Environment{Code: ledger.Acceptance, Label: "acc", network: n, registry: &registry{id: RegistryParty}}
	manager, err := lcm.New(ctx, lcm.Config{Store: &lcm.Memory{}, Baseline: n.dataSet(), Now: n.plan.Now, Log: n.plan.Log})
	if err != nil {
		return err
	}
	if err := e.open(ctx, manager, n.CA); err != nil {
		return err
	}
	n.Acceptance, n.Lifecycle, n.Services, n.Pages = e, e.Lifecycle, e.Services, e.Pages
	return nil
}

// openProduction starts the environment that counts. It begins with what belongs
// to all: requirements and data models, and no country's data; its signatures
// have a root of their own, and its directories are found through the DNS.
func (n *Network) openProduction(ctx context.Context) error {
	e := &Environment{Code: ledger.ProductionEnv, Label: "prod", network: n, registry: &registry{id: ProductionParty}}
	base := seed.Union()
	base.Environment, base.DataModels = string(e.Code), n.Acceptance.Lifecycle.DataSet().DataModels
	instances, err := lcm.NewInstances(ctx, lcm.Config{Store: &lcm.Memory{}, Now: n.plan.Now, Log: n.plan.Log}, base)
	if err != nil {
		return err
	}
	manager, err := instances.Of(ctx, base.Environment, "")
	if err != nil {
		return err
	}
	root, err := pki.NewCA(pki.CAConfig{Name: "OOTS demonstration CA, production", Now: n.plan.Now})
	if err != nil {
		return err
	}
	if err := e.open(ctx, manager, root); err != nil {
		return err
	}
	n.Production = e
	return nil
}

// open starts the directories: one server behind two listeners, whose answers
// are signed under a root.
func (e *Environment) open(ctx context.Context, manager *lcm.LifecycleManager, root *pki.CA) error {
	n := e.network
	e.Lifecycle, e.Roots = manager, x509.NewCertPool()
	e.Roots.AddCert(root.Cert())
	sign, err := root.Issue(pki.Request{Name: "Demo Common Services", Use: pki.Sign, Key: pki.P256})
	if err != nil {
		return err
	}
	door, err := n.CA.Issue(pki.Request{Name: "Demo Common Services", Use: pki.TLSServer, Key: pki.P256, Hosts: []string{"127.0.0.1", "localhost"}})
	if err != nil {
		return err
	}
	server, err := cs.NewServer(cs.ServerConfig{Catalogue: manager.Catalogue(), Log: n.plan.Log, Signer: &cs.Signer{Key: sign.Signer(), Chain: sign.Chain, Now: n.plan.Now}})
	if err != nil {
		return err
	}
	both := &site{}
	if err := n.listenTwice(ctx, both, door); err != nil {
		return err
	}
	e.Services, e.Pages = both.Wire, both.Page
	pages, err := web.NewDirectory(web.DirectoryConfig{BaseURL: e.Pages, Sample: true, Public: manager, Services: server, Now: n.plan.Now, Log: n.plan.Log})
	if err != nil {
		return err
	}
	for _, base := range []string{"/eb/{$}", "/dsd/{$}"} { // people who open a base address
		both.mux.Handle("GET "+base, http.RedirectHandler("/directory", http.StatusSeeOther))
	}
	both.mux.Handle("/", pages)
	return nil
}

// environments that are open; a node that is alone has none.
func (n *Network) environments() (all []*Environment) {
	for _, e := range []*Environment{n.Acceptance, n.Production} {
		if e != nil {
			all = append(all, e)
		}
	}
	return all
}

// transport reaches the directories.
func (n *Network) transport() *http.Transport {
	return &http.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: n.roots, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second}
}

// client of the directories, as each node has its own; between, where given,
// stands before the wire.
func (e *Environment) client(between func(http.RoundTripper) http.RoundTripper) (*cs.Client, error) {
	n := e.network
	var wire http.RoundTripper = n.transport()
	if between != nil {
		wire = between(wire)
	}
	return cs.NewClient(cs.ClientConfig{Locator: e.Locator, Verifier: &cs.Verifier{Roots: e.Roots, Now: n.plan.Now}, Repository: e.Services, Fresh: n.plan.Fresh,
		Now: n.plan.Now, Log: n.plan.Log, Transport: wire})
}

// Publishes tells whether an evidence type stands in the data set: identifiers
// of one environment mean nothing in another.
func (e *Environment) Publishes(classification string) bool {
	for _, part := range e.Lifecycle.DataSet().Contributions {
		if slices.ContainsFunc(part.EvidenceTypes, classified(classification)) {
			return true
		}
	}
	return false
}

// In is the node's requester in an environment; nil when it has no portal.
func (node *Node) In(e *Environment) *exchange.Requester {
	if node.Requester == nil || e == node.network.Acceptance {
		return node.Requester
	}
	return node.Requester.In(node.production)
}

// AskIn is Ask by the directories of an environment.
func (node *Node) AskIn(ctx context.Context, e *Environment, w exchange.Wish, format string) (*exchange.Conversation, error) {
	r := node.In(e)
	if r == nil {
		return nil, fmt.Errorf("network: %s has no requester", node.Country)
	}
	p, err := r.Plan(ctx, w)
	if err != nil {
		return nil, err
	}
	choices := p.First()
	if len(choices) == 0 {
		return nil, fmt.Errorf("network: %s finds nothing for %s in %s (%s)", node.Country, w.Procedure, w.Country, why(p))
	}
	if format != "" {
		for i := range choices {
			choices[i].Formats = []string{format}
		}
	}
	return r.Request(ctx, "", p, choices)
}

// onlyLive is a register in an environment: what its country does not publish
// there is not issued.
type onlyLive struct {
	exchange.DataService
	in             *Environment
	classification string
}

func (l onlyLive) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	if !l.in.Publishes(l.classification) {
		return nil, &edm.Exception{Code: edm.UnresolvedReference, Detail: "X-47: the evidence type is not in service in this environment"}
	}
	return l.DataService.Records(ctx, q)
}
