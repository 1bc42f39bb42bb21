package network

import (
	"context"
	"errors"
	"time"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/testbed/partner"
)

// Specimens is the base register of a sandbox: it knows the test persons of the
// platform, each in the situation of the name (docs/cases.md).
func Specimens(d partner.Data, now func() time.Time) exchange.DataService {
	r := newRegister(d.Evidence, sdg.Name(d.Provider.Names, "EN"))
	r.people = nil
	add := func(s partner.Specimen, role, holder string) {
		r.people = append(r.people, &person{seed.Person{Role: role, Given: s.Given, Family: s.Family, Born: s.Born, Identifier: s.Identifier}, holder})
	}
	for _, s := range partner.Specimens() {
		add(s, "natural", s.Family)
	}
	twin := partner.SpecimenOf(partner.TwinName)
	add(twin, "natural", "the other twin")
	add(partner.SpecimenOrganisation, "legal", partner.SpecimenOrganisation.Family)
	return &specimens{r, now}
}

type specimens struct {
	register *Register
	now      func() time.Time
}

// Records is exchange.DataService.
func (s *specimens) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	name := ""
	if p := q.Subject().NaturalPerson; p != nil {
		name = p.FamilyName
	}
	switch name {
	case partner.BrokenName:
		return nil, errors.New("the test register fails")
	case partner.SlowName:
		return nil, context.DeadlineExceeded
	}
	found, err := s.register.all(q.Subject().LegalPerson != nil)
	if err != nil {
		return nil, err
	}
	switch name {
	case partner.LaterName:
		found.AvailableAt = s.now().Add(48 * time.Hour)
	case partner.SeveralName:
		for _, r := range found.All {
			if r.Holder == name {
				found.All = append(found.All, r)
				break
			}
		}
	case partner.CompleteName:
		for i := range found.All {
			if r := &found.All[i]; r.Holder == name {
				r.Piece.Supplements = supplements(&r.Piece)
			}
		}
	}
	return found, nil
}

// supplements are an annex and a translation; a version for people is made of
// the structured form.
func supplements(p *exchange.Piece) (all []exchange.File) {
	for _, f := range p.Forms {
		if f.MediaType != "application/pdf" {
			continue
		}
		for _, kind := range []edm.DocumentKind{edm.Translation, edm.Annex, edm.HumanReadableVersion} {
			g := f
			g.Kind, g.Title = kind, string(kind)
			all = append(all, g)
		}
		break
	}
	return all
}
