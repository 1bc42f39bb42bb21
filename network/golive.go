package network

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/web"
)

// Service is one that a country runs in production together with a partner: what
// a person can use once it is open. Authority, Link and Support are what an
// authority_connection fact names.
type Service struct {
	Country string
	Role    ledger.Role
	Partner string
	// Authority is the identifier of the evidence provider as the directory shows
	// it, or of the portal.
	Authority     string
	Link, Support string // https

	network *Network
	offer   offer
}

// offer is evidence that a requester needs and a provider issues.
type offer struct {
	procedure, requirement string
	operator, authority    string // of the provider: who answers system checks, who issues the evidence
	subject                exchange.Subject
	answers                map[string]string
	titles                 [][]sdg.Text
}

// GoLive takes a country into production in a role, with a partner for the other
// one: each submits its share of data to the production registry, and one makes
// a system check (procedure 00) with the other by the production directories.
// The facts are the attestations of both sides, from their own logs; what the
// directories show is for a watcher to see.
func (n *Network) GoLive(ctx context.Context, country string, role ledger.Role, partner string) (*Service, []ledger.Fact, error) {
	s := &Service{Country: country, Role: role, Partner: partner, network: n}
	asker, answerer, err := s.sides()
	if err != nil {
		return nil, nil, err
	}
	if s.offer, err = n.offer(asker, answerer); err != nil {
		return nil, nil, err
	}
	if err := answerer.Launch(ctx, Share{Authorities: []string{s.offer.operator, s.offer.authority}}); err != nil {
		return nil, nil, err
	}
	if err := asker.Launch(ctx, Share{Procedures: []string{"00", s.offer.procedure}}); err != nil {
		return nil, nil, err
	}
	s.Authority = s.offer.authority
	if role == ledger.Requester {
		s.Authority = portalOf(country)
	}
	at := n.Nodes[country].Preview + "/service/" + string(role)
	s.Link, s.Support = at, at+"/support"
	facts, err := s.exchange(ctx, exchange.Wish{Procedure: "00", Subject: Natural("Check", ""), Requirements: []string{seed.Requirement("test-0")}})
	return s, facts, err
}

// PartnersFor are the countries of the network with which a country can go live
// in a role.
func (n *Network) PartnersFor(country string, role ledger.Role) (all []string) {
	for _, cc := range n.Countries {
		s := &Service{Country: country, Role: role, Partner: cc, network: n}
		if asker, answerer, err := s.sides(); err == nil {
			if _, err := n.offer(asker, answerer); err == nil {
				all = append(all, cc)
			}
		}
	}
	return all
}

// Open opens the service to the public: its page and its help page are there
// from now on.
func (s *Service) Open() error { return s.network.Nodes[s.Country].openService(s) }

// Close takes the pages away.
func (s *Service) Close() { s.network.Nodes[s.Country].services.Delete(s.Role) }

// Use is a person's use of the open service, the person's part played by the
// platform: asked for in the portal, looked at in the preview, sent, handed
// over. The facts are the attestations of both sides that a real user's exchange
// took place.
func (s *Service) Use(ctx context.Context) ([]ledger.Fact, error) {
	if _, open := s.network.Nodes[s.Country].services.Load(s.Role); !open {
		return nil, fmt.Errorf("network: the service of %s is not open", s.Country)
	}
	return s.exchange(ctx, exchange.Wish{Procedure: s.offer.procedure, Subject: s.offer.subject, Answers: s.offer.answers,
		Requirements: []string{s.offer.requirement}, Preview: true})
}

// Report is the country's monthly aggregate of the role, from its node's log.
func (s *Service) Report(ctx context.Context, month string) ([]ledger.Fact, error) {
	node := s.network.Nodes[s.Country]
	all, err := node.Log.AttestMonth(ctx, node.Attester(s.network.Production, false), string(s.Role), month)
	if err != nil {
		return nil, err
	}
	return s.network.Witness().Month(all)
}

// sides are who asks and who answers.
func (s *Service) sides() (asker, answerer *Node, err error) {
	asker, answerer = s.network.Nodes[s.Country], s.network.Nodes[s.Partner]
	if s.Role == ledger.Provider {
		asker, answerer = answerer, asker
	}
	if asker == nil || answerer == nil || asker.Requester == nil || answerer.Provider == nil || asker == answerer {
		err = fmt.Errorf("network: %s cannot go live as a %s with %s: one of them asks with a portal, the other answers with registers", s.Country, s.Role, s.Partner)
	}
	return asker, answerer, err
}

// exchange asks in production, plays the preview where there is one, takes the
// documents and lets both sides attest. A system check is no real user's.
func (s *Service) exchange(ctx context.Context, w exchange.Wish) (facts []ledger.Fact, err error) {
	n := s.network
	asker, answerer, err := s.sides()
	if err != nil {
		return nil, err
	}
	w.Country, w.Languages, w.Explicit = answerer.Country, []string{"EN"}, true
	c, err := asker.AskIn(ctx, n.Production, w, "")
	if err != nil {
		return nil, err
	}
	for _, x := range c.Exchanges {
		if w.Preview {
			if x, err = asker.Await(ctx, x.ID, exchange.PreviewRequired); err == nil && x.State == exchange.PreviewRequired {
				err = n.Preview(ctx, asker, x.ID, Visitor(w.Subject), true)
			}
			if err != nil {
				return nil, err
			}
		}
		if x, err = asker.Await(ctx, x.ID); err != nil {
			return nil, err
		}
		if x.State != exchange.Delivered {
			return nil, fmt.Errorf("network: the exchange of %s and %s in production is %s (%v)", s.Country, s.Partner, x.State, x.Problem)
		}
		if _, err := asker.Requester.Collect(ctx, x.ID); err != nil {
			return nil, err
		}
		said, err := n.Attest(ctx, n.Production, asker, x.ID, w.Preview)
		if err != nil {
			return nil, err
		}
		facts = append(facts, said...)
		if err := asker.Requester.Erase(ctx, x.ID); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// portalOf is the identifier of a country's procedure portal.
func portalOf(country string) string { return country + "PORTAL01" }

// offer finds evidence that a procedure of one country needs and an authority of
// the other issues, by the identifiers of production; and who there answers
// system checks.
func (n *Network) offer(asker, answerer *Node) (offer, error) {
	code := string(n.Production.Code)
	needs, has := reissue(n.Acceptance.Lifecycle.Part(asker.Country), code), reissue(n.Acceptance.Lifecycle.Part(answerer.Country), code)
	o := offer{operator: issuerOf(has, seed.Requirement("test-0"))}
	if o.operator == "" {
		return o, fmt.Errorf("network: nobody in %s answers system checks", answerer.Country)
	}
	for _, f := range needs.Frameworks {
		for _, requirement := range f.Requirements {
			authority := issuerOf(has, requirement)
			if authority == "" || f.Procedures[0] == "00" {
				continue
			}
			o.procedure, o.requirement, o.authority = f.Procedures[0], requirement, authority
			o.subject, o.answers, o.titles = Natural("Alpha", asker.Country), map[string]string{}, nil
			for _, p := range has.Providers {
				if p.Identifier.Value == authority {
					o.describe(has, p, asker.Country)
				}
			}
			return o, nil
		}
	}
	return o, fmt.Errorf("network: no procedure of %s needs what %s issues; choose another partner", asker.Country, answerer.Country)
}

// describe notes what an authority issues, about whom, and what the directory
// asks to find it.
func (o *offer) describe(has *cs.Contribution, p cs.Provider, asker string) {
	for _, c := range p.Concepts {
		if c.Values != nil && len(c.Values.Strings) > 0 {
			o.answers[c.Identifier.Value] = c.Values.Strings[0]
		}
	}
	for _, r := range has.Records {
		if !slices.Contains(p.Records, r.ID) {
			continue
		}
		o.titles = append(o.titles, r.Titles)
		for _, d := range r.DistributedAs {
			if form := path.Base(d.ConformsTo); forms[form] != nil && organisations(form) {
				o.subject = Company(asker)
			}
		}
	}
}

// issuerOf is an authority that issues everything of a list that fulfils a
// requirement; "" when there is none.
func issuerOf(part *cs.Contribution, requirement string) string {
	for _, l := range part.Lists {
		if len(l.Types) == 0 || !slices.Contains(l.Requirements, requirement) {
			continue
		}
		for _, p := range part.Providers {
			issues := func(classification string) bool {
				return slices.ContainsFunc(part.Records, func(r sdg.DataServiceEvidenceType) bool {
					return r.Classification == classification && slices.Contains(p.Records, r.ID)
				})
			}
			if !slices.ContainsFunc(l.Types, func(t string) bool { return !issues(t) }) {
				return p.Identifier.Value
			}
		}
	}
	return ""
}

// openService puts the two pages of a service on the node's https address.
func (node *Node) openService(s *Service) error {
	config := web.ServiceConfig{BaseURL: node.Preview, Key: string(s.Role), Country: node.Country, Contact: "help@" + strings.ToLower(node.Country) + ".example",
		Demo: true, Log: node.network.plan.Log}
	if s.Role == ledger.Requester {
		config.Name, config.Procedure, config.Begin = "Demo procedure portal, "+node.Name, s.offer.procedure, node.network.Portal
	} else {
		config.Documents = s.offer.titles
		for _, p := range node.network.Production.Lifecycle.Part(node.Country).Providers {
			if p.Identifier.Value == s.Authority {
				config.Name = sdg.Name(p.Names, "EN")
			}
		}
	}
	pages, err := web.NewService(config)
	if err != nil {
		return err
	}
	node.services.Store(s.Role, pages)
	return nil
}

// serviceDoor serves the pages of services that are open; a node without a
// preview space has their assets from there too.
func (node *Node) serviceDoor(w http.ResponseWriter, r *http.Request) {
	role := ledger.Role(r.PathValue("role"))
	if role == "" {
		role = ledger.Requester
	}
	pages, open := node.services.Load(role)
	if !open {
		http.NotFound(w, r)
		return
	}
	pages.(http.Handler).ServeHTTP(w, r)
}

// openDoor makes the addresses of the node's services known.
func (node *Node) openDoor() {
	for _, address := range []string{"GET /service/{role}", "GET /service/{role}/support"} {
		node.preview.mux.HandleFunc(address, node.serviceDoor)
	}
	if node.Provider == nil {
		node.preview.mux.HandleFunc("GET /assets/{name}", node.serviceDoor)
	}
}

// Connection is what the country says of its authority: connected, open,
// suspended, left. Whoever asserts it adds id, time and the service desk's
// confirmation.
func (s *Service) Connection(state string) ledger.Fact {
	f := ledger.Fact{Kind: ledger.AuthorityConnection, Asserter: "ms:" + s.Country, Environment: s.network.Production.Code, Sample: true,
		Subject: ledger.Subject{Country: s.Country, Role: s.Role, Authority: s.Authority}, Body: ledger.Body{State: state}}
	if s.Role == ledger.Requester {
		f.Body.Procedures = []string{s.offer.procedure}
	}
	if state == "open" {
		f.Body.Link, f.Body.SupportLink = s.Link, s.Support
	}
	return f
}
