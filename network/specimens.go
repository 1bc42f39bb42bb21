package network

import (
	"context"
	"errors"
	"slices"
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
	r := newRegister(d.Evidence, sdg.Name(d.Provider.Names, "EN"), now)
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
	return specimens{r}
}

type specimens struct{ register *Register }

// Records is exchange.DataService.
func (s specimens) Records(_ context.Context, q *exchange.Query) (*exchange.Records, error) {
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
	found, err := s.register.all(q)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found.All, func(r exchange.Record) bool { return r.Holder == name })
	if i < 0 {
		return found, nil
	}
	switch name {
	case partner.SeveralName:
		found.All = append(found.All, found.All[i])
	case partner.CompleteName: // its version for people stands beside every form
		piece := &found.All[i].Piece
		readable := piece.Forms[slices.IndexFunc(piece.Forms, func(f exchange.File) bool { return f.MediaType == "application/pdf" })]
		readable.Kind, readable.Title = edm.HumanReadableVersion, "Version for people"
		piece.Supplements = append(piece.Supplements, readable)
	}
	return found, nil
}
