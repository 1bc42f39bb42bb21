package network

import (
	"context"
	"crypto/x509"
	"errors"
	"os"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/testbed/partner"

	"golang.org/x/sync/errgroup"
)

// Outside is all that a node sees that is alone with a test platform, in the
// environment testing (onboarding.md §3).
type Outside struct {
	Platform  *as4.Partner // its only partner, which plays the registry too
	Directory exchange.Directory
}

// Alone makes the node of a plan's one country, with its keys and addresses but
// without anybody around it. Join gives it those; Stop ends it. It does what is
// due when it is told to (exchange.Node.WorkDue, as4.AccessPoint.SendDue), at
// the plan's time.
func Alone(ctx context.Context, p Plan) (*Network, *Node, error) {
	if len(p.Countries) != 1 {
		return nil, nil, errors.New("network: one country is alone")
	}
	if err := p.complete(); err != nil {
		return nil, nil, err
	}
	n := &Network{plan: p, Nodes: map[string]*Node{}, Countries: p.Countries, judge: p.Judge, models: Models(), folder: p.Data}
	var err error
	if n.plan.Data == "" {
		if n.folder, err = os.MkdirTemp("", "oots-alone-"); err != nil {
			return nil, nil, err
		}
	}
	ctx, n.cancel = context.WithCancel(ctx)
	n.group, ctx = errgroup.WithContext(ctx)
	node, err := n.alone(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, n.Stop())
	}
	return n, node, nil
}

func (n *Network) alone(ctx context.Context) (node *Node, err error) {
	if n.CA, err = pki.NewCA(pki.CAConfig{Name: "OOTS demonstration CA, testing", Now: n.plan.Now}); err != nil {
		return nil, err
	}
	n.roots = x509.NewCertPool()
	n.roots.AddCert(n.CA.Cert())
	if n.Lifecycle, err = lcm.New(ctx, lcm.Config{Store: &lcm.Memory{}, Baseline: n.dataSet(), Now: n.plan.Now, Log: n.plan.Log}); err != nil {
		return nil, err
	}
	node, err = n.prepare(ctx, n.Countries[0])
	if node != nil {
		n.Nodes[node.Country] = node
	}
	return node, err
}

// Join puts a node that is alone to work in what is around it.
func (node *Node) Join(ctx context.Context, o Outside) error {
	node.network.outside = &o
	return node.open(ctx)
}

// Peer is a node as a test platform knows it.
func (node *Node) Peer() partner.Peer {
	return partner.Peer{ID: PartyOf(node.Country), URL: node.AS4 + "/as4", Sign: []*x509.Certificate{node.party.Sign.Cert()}, Encrypt: node.party.Encrypt.Cert()}
}

// SubmitOutside sends a SubmitObjectsRequest of a node that is alone to the
// platform, and tells where the answer will come.
func (node *Node) SubmitOutside(ctx context.Context, raw []byte) (answer <-chan []byte, err error) {
	return node.submit(ctx, node.network.outside.Platform.ID, raw)
}

// PlatformPartner is a test platform as a node's P-Mode has it.
func PlatformPartner(p partner.Peer) (*as4.Partner, error) {
	sets, err := as4.PropertySets("oots-edm:v2.0", "oots-edm:v1.2")
	return &as4.Partner{Name: "platform", ID: p.ID, URL: p.URL, Sign: p.Sign, Encrypt: p.Encrypt, Properties: sets}, err
}

// sandbox is the service about test persons.
func (node *Node) sandbox(member Member) exchange.Service {
	d := partner.Sandbox(node.Country)
	return exchange.Service{Provider: d.Provider, Types: []exchange.ServedType{{Classification: d.Evidence.Classification, LevelOfAssurance: d.Evidence.LevelOfAssurance,
		Data: gate{node, member.register(Specimens(d, node.network.plan.Now))}}}}
}

// directory is what the node's requester asks in the environment of the tests;
// that of production it has beside it.
func (node *Node) directory() (exchange.Directory, error) {
	n := node.network
	if n.outside != nil {
		return n.outside.Directory, nil
	}
	tests, err := n.Acceptance.client(n.plan.Members[node.Country].Lookups)
	if err != nil {
		return nil, err
	}
	live, err := n.Production.client(nil)
	node.production = Directory(live)
	return Directory(tests), err
}
