package network

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// Natural is a natural person of the seed as a portal of a country knows them
// after they signed in.
func Natural(family, country string) exchange.Subject {
	p := known(family)
	s := exchange.Subject{NaturalPerson: &sdg.Person{LevelOfAssurance: "High", FamilyName: p.Family, GivenName: p.Given, DateOfBirth: p.Born, Gender: p.Gender}}
	if p.Identifier != "" {
		s.NaturalPerson.Identifier = &sdg.Identifier{Scheme: "eidas", Value: p.IdentifierFor(country)}
	}
	return s
}

// Company is the legal person of the seed with its representative, as a portal
// of a country knows them.
func Company(country string) exchange.Subject {
	all := seed.People()
	legal := all[slices.IndexFunc(all, func(p seed.Person) bool { return p.Role == "legal" })]
	return exchange.Subject{Representative: Natural("Delta", country).NaturalPerson, LegalPerson: &sdg.LegalPerson{LevelOfAssurance: "High", LegalName: legal.Family,
		LegalIdentifier: &sdg.Identifier{Scheme: "eidas", Value: legal.IdentifierFor(country)}}}
}

// known finds somebody of the seed, or invents somebody whom no register knows.
func known(family string) seed.Person {
	all := seed.People()
	if i := slices.IndexFunc(all, func(p seed.Person) bool { return p.Family == family }); i >= 0 {
		return all[i]
	}
	return seed.Person{Role: "natural", Given: "Demo", Family: family, Born: twinBorn}
}

// Visitor is the person of a subject who comes to a preview space.
func Visitor(s exchange.Subject) exchange.Identity {
	p := s.NaturalPerson
	if s.Representative != nil {
		p = s.Representative
	}
	who := exchange.Identity{Source: "played by the platform", LevelOfAssurance: p.LevelOfAssurance, FamilyName: p.FamilyName, GivenName: p.GivenName, DateOfBirth: p.DateOfBirth}
	if p.Identifier != nil {
		who.Identifier = p.Identifier.Value
	}
	return who
}

// Ask plans a wish and asks for the plainest choice in one format; an empty
// format means all that are offered. It gives the exchanges that were started.
func (node *Node) Ask(ctx context.Context, w exchange.Wish, format string) (*exchange.Conversation, error) {
	return node.AskIn(ctx, node.network.Acceptance, w, format)
}

// why a plan has nothing to choose.
func why(p *exchange.Plan) string {
	var all []string
	for _, n := range p.Needs {
		if n.Problem != nil {
			all = append(all, n.Problem.Error())
		}
		for _, a := range n.Alternatives {
			for _, o := range a.Offers {
				if o.Problem != nil {
					all = append(all, o.Problem.Error())
				}
				for _, c := range o.Providers {
					if c.Problem != nil {
						all = append(all, c.Problem.Error())
					}
				}
				if len(o.Questions) > 0 {
					all = append(all, "questions are open")
				}
			}
		}
	}
	return strings.Join(all, "; ")
}

// Await waits until an exchange has come to one of the states, or to its end.
func (node *Node) Await(ctx context.Context, id string, states ...exchange.State) (*exchange.Exchange, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		x, err := node.Requester.Exchange(ctx, id)
		if err != nil || x.State.Ended() || slices.Contains(states, x.State) {
			return x, err
		}
		select {
		case <-ctx.Done():
			return x, fmt.Errorf("network: the exchange is still %s: %w", x.State, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// Preview plays the person's part once an exchange waits for a preview: follows
// the link, identifies, looks at every document, lets all of them go or none,
// and returns to the portal.
func (n *Network) Preview(ctx context.Context, asker *Node, id string, who exchange.Identity, send bool) error {
	to, err := asker.Requester.Redirect(ctx, id)
	if err != nil {
		return err
	}
	provider, session, err := n.Link(to.Location)
	if err != nil {
		return err
	}
	// The link and the second request come on two ways; who returns needs both.
	if err := arrived(ctx, asker, id); err != nil {
		return err
	}
	p := provider.Provider
	if _, err := p.Open(ctx, session); err != nil {
		return err
	}
	s, visitor, err := p.Identify(ctx, session, who)
	if err != nil {
		return err
	}
	var d exchange.Decision
	for _, doc := range s.Documents {
		if _, err := p.Show(ctx, session, visitor, doc.ID); err != nil {
			return err
		}
		if send && !slices.Contains(d.Pieces, doc.Piece) {
			d.Pieces = append(d.Pieces, doc.Piece)
		}
	}
	if s, err = p.Decide(ctx, session, visitor, d); err != nil {
		return err
	}
	_, err = asker.Requester.Returned(ctx, token(to, s))
	return err
}

// Link tells whose preview a link leads to, and its session.
func (n *Network) Link(location string) (*Node, string, error) {
	u, err := url.Parse(location)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(n.Countries, func(cc string) bool { return n.Nodes[cc].Preview == u.Scheme+"://"+u.Host })
	session, ok := strings.CutPrefix(u.Path, previewPath)
	if i < 0 || !ok {
		return nil, "", errors.New("network: the preview link leads out of the network")
	}
	return n.Nodes[n.Countries[i]], session, nil
}

// arrived waits until the second request of an exchange has its receipt.
func arrived(ctx context.Context, asker *Node, id string) error {
	return asker.Tried(ctx, id, math.MaxInt)
}

// Tried waits until the last message of an exchange was tried so often, or needs
// no further try.
func (node *Node) Tried(ctx context.Context, id string, tries int) error {
	x, err := node.Requester.Exchange(ctx, id)
	if err != nil {
		return err
	}
	_, err = node.sent(ctx, x.Messages[len(x.Messages)-1], tries)
	return err
}

// Sent waits until a message of the node has its receipt, or is given up.
func (node *Node) Sent(ctx context.Context, messageID string) (as4.Outgoing, error) {
	return node.sent(ctx, messageID, math.MaxInt)
}

func (node *Node) sent(ctx context.Context, messageID string, tries int) (as4.Outgoing, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		m, tried, err := node.AP.Store.Sent(ctx, messageID)
		if err != nil || m.State != as4.Queued || m.Tries >= tries {
			return m, err
		}
		select {
		case <-ctx.Done():
			return m, fmt.Errorf("network: the message is still %s after %d tries %+v: %w", m.State, m.Tries, tried, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// token is that of the return address: in 2.0 the provider has it from the
// request, before that the link brings it.
func token(to *exchange.Redirect, s *exchange.PreviewSession) string {
	back := s.ReturnLocation
	if back == "" {
		back = to.Form["returnurl"]
	}
	if u, err := url.Parse(to.Location); back == "" && err == nil {
		back = u.Query().Get("returnurl")
	}
	return back[strings.LastIndex(back, "/")+1:]
}
