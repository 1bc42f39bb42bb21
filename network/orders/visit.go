package orders

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

// visit plays the person in the preview space: follows a link, signs in as a
// test person (an empty family: does not sign in), looks, and decides. The
// status is what the preview space would answer to a browser.
func (n *Node) visit(ctx context.Context, args map[string]string) (testbed.Outcome, error) {
	p := n.Exchange.Provider
	if p == nil {
		return testbed.Outcome{}, testbed.ErrUnsupported
	}
	seen := func(status, returned string) (testbed.Outcome, error) {
		return testbed.Outcome{State: "seen", Fields: map[string]string{"status": status, "returned": returned}}, nil
	}
	location := args["location"]
	session := location[strings.LastIndexByte(location, '/')+1:]
	session, _, _ = strings.Cut(session, "?")
	s, err := p.Open(ctx, session)
	switch {
	case errors.Is(err, &exchange.Error{Reason: exchange.NotFound}), err == nil && s.State == exchange.Decided:
		return seen("410", "")
	case err != nil:
		return testbed.Outcome{}, err
	case args["family"] == "":
		return seen("401", "")
	}
	s, visitor, err := p.Identify(ctx, session, identity(args["family"]))
	var refused *exchange.Error
	switch {
	case err == nil:
	case errors.As(err, &refused) && refused.Reason == exchange.NotThisPerson:
		return seen("403", "")
	case errors.As(err, &refused):
		return seen("410", "")
	default:
		return testbed.Outcome{}, err
	}
	var d exchange.Decision
	for _, doc := range s.Documents {
		if _, err := p.Show(ctx, session, visitor, doc.ID); err != nil {
			return testbed.Outcome{}, err
		}
		if !slices.Contains(d.Pieces, doc.Piece) {
			d.Pieces = append(d.Pieces, doc.Piece)
		}
	}
	switch args["decision"] {
	case "look":
		return seen("200", "")
	case "refuse":
		d.Pieces = nil
	}
	if s, err = p.Decide(ctx, session, visitor, d); err != nil {
		return testbed.Outcome{}, err
	}
	return seen("303", s.ReturnLocation)
}

// identity is a test person as the preview space's sign-in tells of them.
func identity(family string) exchange.Identity {
	s := partner.SpecimenOf(family)
	return exchange.Identity{Source: "played by the test platform", LevelOfAssurance: "High", FamilyName: s.Family, GivenName: s.Given, DateOfBirth: s.Born, Identifier: s.Identifier}
}
