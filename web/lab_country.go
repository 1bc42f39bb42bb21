package web

import (
	"context"
	"errors"
	"html/template"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	pj "github.com/once-only/oots/projectathon"
)

// Meter tells the lab where countries stand; *acceleratormeter.Meter is one.
type Meter interface {
	Standing(set, country string, at time.Time) (am.Standing, error)
	Displayed(ctx context.Context, at time.Time) (am.Snapshot, error)
	Open(ctx context.Context) ([]am.Snapshot, error)      // drafts
	Proposals(ctx context.Context) ([]am.Proposal, error) // of the last published snapshot
	Official() am.Criteria
}

// labStanding is GET /{lang}/lab/countries/{cc}: where a country stands now,
// for itself and its reviewers (acceleratormeter.md §7). What was published is
// for everybody; this is the candidate for the next snapshot.
type labStanding struct {
	Country   am.Country
	Standing  am.Standing
	Published *am.Entry // nil before the first snapshot
	Roles     []labRole
	Proposals []labProposal
	Next      []needed // what the leading role lacks for its next level
}

// labRole is a role with every criterion of the set.
type labRole struct {
	Role     ledger.Role
	Level    int
	Criteria []needed
	AtRisk   []needed // lapsed, and counting until their grace ends
}

// labProposal is a change of level that waits for a decision.
type labProposal struct {
	am.Proposal
	AsOf  time.Time       // of the snapshot that makes it, published or a draft
	Texts []template.HTML // of what is missing
}

func (s *lab) standing(r *reading) (string, any, string, error) {
	if s.c.Meter == nil {
		return "", nil, "", pj.ErrUnknown
	}
	c, err := am.FindCountry(r.PathValue("cc"))
	if err != nil {
		return "", nil, "", pj.ErrUnknown
	}
	if err := r.who.May(pj.ReadStanding, c.Code); err != nil {
		return "", nil, "", err
	}
	p := &labStanding{Country: c}
	if p.Standing, err = s.c.Meter.Standing("", c.Code, time.Time{}); err != nil {
		return "", nil, "", err
	}
	shown, err := s.c.Meter.Displayed(r.Context(), time.Time{})
	var none *am.Error
	switch {
	case errors.As(err, &none) && none.Code == am.BeforeFirst:
	case err != nil:
		return "", nil, "", err
	default:
		if e, ok := shown.Entry(c.Code); ok {
			p.Published = &e
		}
	}
	set := s.c.Meter.Official()
	for _, role := range []ledger.Role{ledger.Requester, ledger.Provider} {
		of := p.Standing.Of(role)
		row := labRole{Role: role, Level: of.Level}
		for _, result := range of.Results {
			n := r.lang.needed(set, result)
			row.Criteria = append(row.Criteria, n)
			if result.State == am.Grace {
				row.AtRisk = append(row.AtRisk, n)
			}
		}
		p.Roles = append(p.Roles, row)
	}
	for _, result := range p.Standing.Lead().StillNeeds() {
		p.Next = append(p.Next, r.lang.needed(set, result))
	}
	proposals, err := s.c.Meter.Proposals(r.Context())
	if err != nil {
		return "", nil, "", err
	}
	shown.Proposals = proposals
	drafts, err := s.c.Meter.Open(r.Context())
	if err != nil {
		return "", nil, "", err
	}
	for _, d := range append([]am.Snapshot{shown}, drafts...) {
		for _, one := range d.Proposals {
			if one.Member != c.Code {
				continue
			}
			q := labProposal{Proposal: one, AsOf: d.AsOf}
			for _, id := range one.Missing {
				q.Texts = append(q.Texts, r.lang.criterion(set, id))
			}
			p.Proposals = append(p.Proposals, q)
		}
	}
	return "standing", p, "", nil
}
