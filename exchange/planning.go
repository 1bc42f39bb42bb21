package exchange

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
)

// Plan asks the Evidence Broker and the Data Service Directory what a wish takes
// (TDD 3.2.4, 3.5): every requirement of the procedure, every alternative, every
// provider, and the questions that are still open.
func (r *Requester) Plan(ctx context.Context, w Wish) (*Plan, error) {
	if (w.Subject.NaturalPerson == nil) == (w.Subject.LegalPerson == nil) {
		return nil, &Error{Reason: BadWish, Detail: "name one subject: a natural or a legal person (R-EDM-REQ-S016)"}
	}
	requirements, err := r.c.Directory.Requirements(ctx, w.Procedure, r.Country)
	if err != nil {
		return nil, directory("requirements", err)
	}
	p := &Plan{Wish: w}
	for _, q := range requirements {
		if len(w.Requirements) == 0 || slices.Contains(w.Requirements, q.ID) {
			need, err := r.need(ctx, w, q)
			if err != nil {
				return nil, err
			}
			p.Needs = append(p.Needs, *need)
		}
	}
	for _, id := range w.Requirements {
		if !slices.ContainsFunc(requirements, func(q sdg.Requirement) bool { return q.ID == id }) {
			return nil, &Error{Reason: BadWish, Detail: "the procedure " + w.Procedure + " has no requirement " + id + " (X-40)"}
		}
	}
	return p, nil
}

// directory is an error of the directory as a caller sees it.
func directory(what string, err error) error {
	var p *Problem
	if errors.As(err, &p) {
		return &Error{Reason: BadWish, Detail: p.Error(), Cause: err}
	}
	return &Error{Reason: Unavailable, Detail: "the directory does not answer: " + what, Cause: err}
}

func (r *Requester) need(ctx context.Context, w Wish, q sdg.Requirement) (*Need, error) {
	n := &Need{Requirement: q}
	lists, err := r.c.Directory.EvidenceTypes(ctx, q.ID, w.Country)
	if errors.As(err, &n.Problem) {
		return n, nil
	} else if err != nil {
		return nil, directory("evidence types", err)
	}
	for _, l := range lists {
		if len(l.EvidenceTypes) == 0 {
			n.NoMatch = append(n.NoMatch, l.MatchDescriptions...)
			if n.Problem == nil {
				n.Problem = &Problem{Code: "NoMatch", Detail: "the country issues no evidence for this requirement"}
			}
			continue
		}
		a := Alternative{List: l.ID, Names: l.Names}
		for _, t := range l.EvidenceTypes {
			o, err := r.offer(ctx, w, t)
			if err != nil {
				return nil, err
			}
			a.Offers = append(a.Offers, *o)
		}
		n.Alternatives = append(n.Alternatives, a)
	}
	if len(n.Alternatives) > 0 {
		n.Problem = nil
	}
	return n, nil
}

// maxRounds bounds how often a directory may ask for more.
const maxRounds = 6

func (r *Requester) offer(ctx context.Context, w Wish, t sdg.EvidenceType) (*Offer, error) {
	o := &Offer{Type: t}
	var answers []sdg.ClassificationConcept
	for range maxRounds {
		records, err := r.c.Directory.DataServices(ctx, t.Classification, w.Country, answers)
		var more *Asked
		switch {
		case errors.As(err, &more):
			given, open := answer(more.Questions, w.Answers)
			if len(open) > 0 {
				o.Questions = open
				return o, nil
			}
			answers = append(answers, given...)
			continue
		case errors.As(err, &o.Problem):
			return o, nil
		case err != nil:
			return nil, directory("data services", err)
		}
		o.Providers = r.candidates(records, answers)
		return o, nil
	}
	o.Problem = &Problem{Code: "DSD:ERR:0005", Detail: "the directory asks again and again"}
	return o, nil
}

// candidates are the access services of records, each with the line to speak.
func (r *Requester) candidates(records []sdg.DataServiceEvidenceType, answers []sdg.ClassificationConcept) (all []Candidate) {
	for _, record := range records {
		for _, s := range record.AccessServices {
			if s.Publisher == nil {
				continue
			}
			c := Candidate{Record: record, Service: s, Answers: answers}
			c.Record.AccessServices = nil
			line, err := edm.Negotiate(s.ConformsTo, r.c.Lines)
			if err != nil {
				c.Problem = &Problem{Code: "no_common_line", Detail: "the provider announces " + strings.Join(s.ConformsTo, ", ")}
			}
			c.Line = line
			all = append(all, c)
		}
	}
	return all
}

// answer fills in the person's answers; what is not answered is open.
func answer(asked []sdg.ClassificationConcept, answers map[string]string) (given []sdg.ClassificationConcept, open []Question) {
	for _, q := range asked {
		value, ok := answers[q.Identifier.Value]
		if !ok {
			open = append(open, question(q))
			continue
		}
		a := sdg.ClassificationConcept{Identifier: q.Identifier, Type: q.Type, ValueExpression: q.ValueExpression, Descriptions: q.Descriptions,
			Values: &sdg.SupportedValue{Strings: []string{value}}}
		if q.Type == "boolean" {
			a.Values = &sdg.SupportedValue{Booleans: []bool{value == "true"}}
		}
		given = append(given, a)
	}
	return given, open
}

func question(q sdg.ClassificationConcept) Question {
	out := Question{ID: q.Identifier.Value, Type: q.Type, Text: q.Descriptions, ValueExpression: q.ValueExpression, Concept: q}
	if q.Values != nil {
		out.Options = q.Values.Strings
	}
	return out
}
