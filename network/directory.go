package network

import (
	"context"
	"errors"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// Directory is what a requester asks, answered by a client of the Common
// Services.
func Directory(c *cs.Client) exchange.Directory { return directory{c} }

type directory struct{ c *cs.Client }

func (d directory) Requirements(ctx context.Context, procedure, country string) ([]sdg.Requirement, error) {
	list, _, err := d.c.Requirements(ctx, procedure, country)
	return list, refused(err)
}

func (d directory) EvidenceTypes(ctx context.Context, requirement, country string) ([]sdg.EvidenceTypeList, error) {
	r, _, err := d.c.EvidenceTypes(ctx, requirement, country)
	if err != nil {
		return nil, refused(err)
	}
	return r.EvidenceTypeLists, nil
}

func (d directory) DataServices(ctx context.Context, classification, country string, answers []sdg.ClassificationConcept) ([]sdg.DataServiceEvidenceType, error) {
	query := cs.DataServiceQuery{Classification: classification, Country: country, Answers: map[string]string{}}
	for _, a := range answers {
		query.Answers[a.Identifier.Value] = said(a.Values)
	}
	found, err := d.c.DataServices(ctx, query)
	if err != nil {
		return nil, refused(err)
	}
	if len(found.Questions) == 0 {
		return found.Records, nil
	}
	asked := &exchange.Asked{}
	for _, q := range found.Questions {
		concept := q.Concept
		if q.Type == cs.AskCode {
			concept.Values = &sdg.SupportedValue{}
			for _, c := range q.Choices {
				concept.Values.Strings = append(concept.Values.Strings, c.Code)
			}
		}
		asked.Questions = append(asked.Questions, concept)
	}
	return nil, asked
}

// said is an answer as a parameter of a query.
func said(v *sdg.SupportedValue) string {
	switch {
	case v == nil:
	case len(v.Strings) > 0:
		return v.Strings[0]
	case len(v.Booleans) > 0 && v.Booleans[0]:
		return "true"
	case len(v.Booleans) > 0:
		return "false"
	}
	return ""
}

// refused tells a statement of the directory from an outage.
func refused(err error) error {
	var e *cs.Error
	if errors.As(err, &e) && e.Refusal != nil {
		return &exchange.Problem{Code: e.Refusal.Code, Detail: e.Refusal.Detail}
	}
	return err
}
