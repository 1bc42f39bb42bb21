package network

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/store"
)

// Node is a country's part of a network.
type Node struct {
	*exchange.Node
	Country string // also that of the embedded configuration
	Name    string // of the country, in English
	// AS4 is where partners send messages, Preview the https address of the
	// preview space on the wire, PreviewPage the same for browsers; all without a
	// final slash.
	AS4, Preview, PreviewPage string
	// AP is the node's access point.
	AP *as4.AccessPoint

	network *Network
	lines   []edm.Line
	party   *pki.Party
	db      *store.DB
	mux     http.ServeMux // of the AS4 address
	preview site
	down    atomic.Int32 // how many want it down
	cuts    cuts

	submissions Submissions
	production  exchange.Directory // of production; nil without a requester
	services    sync.Map           // open to the public: pages by ledger.Role
}

// Paths below the preview space and the portal, on the wire.
const (
	previewPath = "/preview/"
	returnPath  = "/return/"
)

// PartyOf is the party id of a country's gateway, as the directory announces it.
func PartyOf(country string) ebms.PartyID {
	return ebms.PartyID{Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:" + country, Value: "AP_" + country + "_DEMO_01"}
}

// prepare makes keys and store of a node and opens its addresses, so that its
// partners can be told of them.
func (n *Network) prepare(ctx context.Context, cc string) (_ *Node, err error) {
	countries := seed.Countries()
	c := countries[slices.IndexFunc(countries, func(c seed.Country) bool { return c.Code == cc })]
	node := &Node{Country: cc, Name: c.Name, network: n, lines: n.plan.Members[cc].Lines}
	if len(node.lines) == 0 {
		for _, l := range c.EDM {
			node.lines = append(node.lines, edm.Line(l))
		}
	}
	if n.plan.Members[cc].Unreachable {
		node.Down(true)
	}
	if node.party, err = n.CA.Party(PartyOf(cc).Value, "127.0.0.1", "localhost"); err != nil {
		return nil, err
	}
	if node.db, err = store.Open(ctx, n.dir(cc), store.Options{}); err != nil {
		return nil, err
	}
	if node.AS4, err = n.listen(ctx, &node.mux, node.party.TLS); err != nil {
		return node, err
	}
	err = n.listenTwice(ctx, &node.preview, node.party.TLS)
	node.Preview, node.PreviewPage = node.preview.Wire, node.preview.Page
	return node, err
}

// open joins access point, exchange and registers, and lets the node work.
func (node *Node) open(ctx context.Context) error {
	n := node.network
	files := as4.Folder(n.dir(node.Country, "files"))
	key, err := exchange.LoadKey(n.dir(node.Country))
	if err != nil {
		return err
	}
	config := exchange.Config{Country: node.Country, Party: PartyOf(node.Country), Domain: "ap." + strings.ToLower(node.Country) + ".example", Key: key,
		Store: node.db.Exchange(), Files: files, Judge: n.judge, Now: n.plan.Now, Logger: n.plan.Log.With("node", node.Country)}
	member := n.plan.Members[node.Country]
	if !member.NoRequester {
		if config.Requester, err = node.requester(); err != nil {
			return err
		}
	}
	if !member.NoProvider {
		config.Provider = node.provider(member)
	}
	if node.Node, err = exchange.New(config); err != nil {
		return err
	}
	if node.AP, err = node.accessPoint(config, files); err != nil {
		return err
	}
	node.Connect(member.outgoing(node.AP))
	node.mux.Handle("/as4", node.unlessDown(node.AP))
	if n.outside != nil {
		return nil // it works when it is told to
	}
	node.openDoor()
	n.group.Go(func() error { return node.AP.Run(ctx) })
	n.group.Go(func() error { return node.Run(ctx) })
	return nil
}

func (node *Node) requester() (*exchange.RequesterConfig, error) {
	directory, err := node.directory()
	if err != nil {
		return nil, err
	}
	return &exchange.RequesterConfig{Directory: directory, Lines: node.Speaks(), ReturnBase: node.Preview + returnPath, Agent: sdg.Agent{
		Identifier: sdg.Identifier{Scheme: PartyOf(node.Country).Type, Value: portalOf(node.Country)},
		Names:      []sdg.Text{{Lang: "EN", Value: "Demo procedure portal, " + node.Name}}, Address: &sdg.Address{AdminUnitLevel1: node.Country}}}, nil
}

// provider has a register for each evidence type that the directory announces;
// the node alone that of the sandbox.
func (node *Node) provider(member Member) *exchange.ProviderConfig {
	p := &exchange.ProviderConfig{Lines: node.lines, Models: node.network.models, PreviewBase: node.Preview + previewPath,
		PreviewText: []sdg.Text{{Lang: "EN", Value: "Look at the documents and decide whether they are sent."}}}
	if node.network.outside != nil {
		p.Services = []exchange.Service{node.sandbox(member)}
		return p
	}
	part, live := node.network.Lifecycle.Part(node.Country), node.network.Production
	issued := reissue(part, string(live.Code)).Records
	for _, published := range part.Providers {
		s := exchange.Service{Provider: sdg.Agent{Identifier: published.Identifier, Names: published.Names, Address: published.Address}}
		for i, record := range part.Records {
			if slices.Contains(published.Records, record.ID) {
				data := gate{node, member.register(newRegister(record, sdg.Name(published.Names, "EN"), node.network.plan.Now))}
				s.Types = append(s.Types, exchange.ServedType{Classification: record.Classification, LevelOfAssurance: record.LevelOfAssurance, Data: data},
					exchange.ServedType{Classification: issued[i].Classification, LevelOfAssurance: record.LevelOfAssurance, Data: onlyLive{data, live, issued[i].Classification}})
			}
		}
		p.Services = append(p.Services, s)
	}
	return p
}

func (m Member) register(r exchange.DataService) exchange.DataService {
	if m.Register == nil {
		return r
	}
	return m.Register(r)
}

func (m Member) outgoing(ap exchange.AccessPoint) exchange.AccessPoint {
	if m.Outgoing == nil {
		return ap
	}
	return m.Outgoing(ap)
}

// accessPoint knows every other node of the network.
func (node *Node) accessPoint(config exchange.Config, files as4.Files) (*as4.AccessPoint, error) {
	n := node.network
	mode := &as4.PMode{Self: as4.Partner{ID: config.Party}, Legs: as4.OOTSLegs()}
	if n.outside != nil {
		mode.Partners = append(mode.Partners, n.outside.Platform)
	}
	for _, cc := range n.Countries {
		other := n.Nodes[cc]
		if other == node {
			continue
		}
		p, err := other.partner()
		if err != nil {
			return nil, err
		}
		mode.Partners = append(mode.Partners, p)
	}
	for _, e := range n.environments() {
		registry, err := e.registry.partner()
		if err != nil {
			return nil, err
		}
		mode.Partners = append(mode.Partners, registry)
	}
	spool := n.dir(node.Country, "spool")
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return nil, err
	}
	return as4.New(as4.Config{PMode: mode, Sign: node.party.Sign, Decrypt: []*pki.Identity{node.party.Encrypt}, Store: node.db.AS4(), Files: files,
		Spool: ebms.Disk{Dir: spool}, Handler: recorder{node}, Domain: config.Domain, Client: as4.NewClient(&tls.Config{RootCAs: n.roots}),
		Pushes: 4, Now: n.plan.Now, Log: config.Logger})
}

// partner is this node as the P-Modes of the others have it.
func (node *Node) partner() (*as4.Partner, error) {
	sets, err := as4.PropertySets(names(node.Speaks())...)
	return &as4.Partner{Name: strings.ToLower(node.Country), ID: PartyOf(node.Country), URL: node.AS4 + "/as4",
		Sign: []*x509.Certificate{node.party.Sign.Cert()}, Encrypt: node.party.Encrypt.Cert(), Properties: sets}, err
}

// Speaks are the lines in which the node asks: a country that announces the
// newest line still understands the one before; a country that does not has
// nothing newer.
func (node *Node) Speaks() []edm.Line { return speaks(node.lines) }

// Announces are the lines of its provider, as the directory has them.
func (node *Node) Announces() []edm.Line { return node.lines }

// Down takes the access point off the network, or back: while it is down, every
// connection to it is cut. It is back when everybody who took it off has said so.
func (node *Node) Down(down bool) {
	if down {
		node.down.Add(1)
	} else {
		node.down.Add(-1)
	}
}

// Cut makes every register of the node fail with err; Cut(nil) takes back one
// such err, and with the last of them the registers work again.
func (node *Node) Cut(err error) { node.cuts.cut(err) }

// cuts are the errors with which registers fail now, the latest last.
type cuts struct {
	mu  sync.Mutex
	all []error
}

func (c *cuts) cut(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.all = append(c.all, err)
	case len(c.all) > 0:
		c.all = c.all[:len(c.all)-1]
	}
}

func (c *cuts) now() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) == 0 {
		return nil
	}
	return c.all[len(c.all)-1]
}

// gate stands before a register.
type gate struct {
	node *Node
	exchange.DataService
}

func (g gate) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	if err := g.node.cuts.now(); err != nil {
		return nil, err
	}
	return g.DataService.Records(ctx, q)
}

func (node *Node) unlessDown(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if node.down.Load() > 0 {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

func (node *Node) close() error {
	if node.db == nil {
		return nil
	}
	return node.db.Close()
}

// Crossing is a message that one node took from another.
type Crossing struct {
	From, To string // countries
	Action   string
	Header   ebms.UserMessage
	Envelope []byte   // as it was signed
	Body     []byte   // the first part: a request, a response or an exception
	Types    []string // media types of the parts, in their order
}

// recorder hears what a node takes.
type recorder struct{ *Node }

func (r recorder) Deliver(ctx context.Context, m *as4.Message) error {
	if m.Header.Service.Value == as4.LifecycleMgmt {
		return r.submissions.Deliver(m)
	}
	record := r.network.plan.Record
	if record == nil || len(m.Parts) == 0 {
		return r.Node.Node.Deliver(ctx, m)
	}
	c := Crossing{From: countryOf(m.Partner.ID), To: r.Country, Action: m.Header.Action, Header: *m.Header, Envelope: bytes.Clone(m.Envelope)}
	for _, p := range m.Parts {
		c.Types = append(c.Types, p.Type)
	}
	body, err := ebms.ReadAll(m.Parts[0].Content)
	if err != nil {
		return err
	}
	c.Body = bytes.Clone(body)
	if err := r.Node.Node.Deliver(ctx, m); err != nil {
		return err
	}
	record(c)
	return nil
}
