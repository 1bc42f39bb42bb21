package network

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
)

// namespace of the identifiers that a country's data get in production.
const namespace = "4bfe0eaa-5983-5a89-91e2-365a7d972a0f"

// reissue is a country's part with the identifiers of another environment: one
// that was noted in acceptance is not valid in production. Authorities, access
// points, code lists and what belongs to the Union keep theirs. The same part
// gets the same identifiers each time.
func reissue(part *cs.Contribution, environment string) *cs.Contribution {
	id := func(old string) string { return cs.NameUUID(namespace, environment+"/"+old) }
	own := cs.ClassificationAddress(part.Country, "")
	address := func(old string) string {
		if uuid, ok := strings.CutPrefix(old, own); ok {
			return own + id(uuid)
		}
		return old
	}
	concepts := func(all []sdg.ClassificationConcept) []sdg.ClassificationConcept {
		all = slices.Clone(all)
		for i := range all {
			all[i].Identifier.Value = id(all[i].Identifier.Value)
		}
		return all
	}
	each := func(all []string, f func(string) string) []string {
		all = slices.Clone(all)
		for i := range all {
			all[i] = f(all[i])
		}
		return all
	}
	next := *part
	next.EvidenceTypes = slices.Clone(part.EvidenceTypes)
	for i := range next.EvidenceTypes {
		t := &next.EvidenceTypes[i]
		t.Classification = address(t.Classification)
	}
	next.Lists = slices.Clone(part.Lists)
	for i := range next.Lists {
		l := &next.Lists[i]
		l.ID, l.Types = id(l.ID), each(l.Types, address)
	}
	next.Frameworks = slices.Clone(part.Frameworks)
	for i := range next.Frameworks {
		next.Frameworks[i].ID = id(next.Frameworks[i].ID)
	}
	next.Records = slices.Clone(part.Records)
	for i := range next.Records {
		r := &next.Records[i]
		r.ID, r.Classification, r.ProviderQuestions = id(r.ID), address(r.Classification), concepts(r.ProviderQuestions)
	}
	next.Providers = slices.Clone(part.Providers)
	for i := range next.Providers {
		p := &next.Providers[i]
		p.Records, p.Concepts = each(p.Records, id), concepts(p.Concepts)
	}
	return &next
}

// Share is what of a country's data goes into production.
type Share struct {
	Authorities []string // identifiers of evidence providers, each with all that it issues
	Procedures  []string // codes
}

// of is the share of a part: authorities with their records, the lists that
// these records fulfil alone, frameworks of the procedures.
func (s Share) of(part *cs.Contribution) *cs.Contribution {
	out := &cs.Contribution{Country: part.Country, CodeLists: part.CodeLists}
	for _, f := range part.Frameworks {
		if slices.ContainsFunc(f.Procedures, func(p string) bool { return slices.Contains(s.Procedures, p) }) {
			out.Frameworks = append(out.Frameworks, f)
		}
	}
	issues := func(id string) bool {
		return slices.ContainsFunc(out.Providers, func(p cs.Provider) bool { return slices.Contains(p.Records, id) })
	}
	for _, p := range part.Providers {
		if slices.Contains(s.Authorities, p.Identifier.Value) {
			out.Providers = append(out.Providers, p)
		}
	}
	for _, r := range part.Records {
		if issues(r.ID) {
			out.Records = append(out.Records, r)
		}
	}
	for _, t := range part.EvidenceTypes {
		if slices.ContainsFunc(out.Records, func(r sdg.DataServiceEvidenceType) bool { return r.Classification == t.Classification }) {
			out.EvidenceTypes = append(out.EvidenceTypes, t)
		}
	}
	for _, l := range part.Lists {
		if len(l.Types) > 0 && !slices.ContainsFunc(l.Types, func(t string) bool { return !slices.ContainsFunc(out.EvidenceTypes, classified(t)) }) {
			out.Lists = append(out.Lists, l)
		}
	}
	if len(out.Providers) > 0 {
		out.AccessServices = part.AccessServices
	}
	return out
}

func classified(c string) func(sdg.EvidenceType) bool {
	return func(t sdg.EvidenceType) bool { return t.Classification == c }
}

// join is a part with what is new in another one.
func join(now, more *cs.Contribution) *cs.Contribution {
	out := *now
	out.EvidenceTypes = with(now.EvidenceTypes, more.EvidenceTypes, func(t sdg.EvidenceType) string { return t.Classification })
	out.Lists = with(now.Lists, more.Lists, func(l cs.EvidenceTypeList) string { return l.ID })
	out.Frameworks = with(now.Frameworks, more.Frameworks, func(f cs.ReferenceFramework) string { return f.ID })
	out.Records = with(now.Records, more.Records, func(r sdg.DataServiceEvidenceType) string { return r.ID })
	out.AccessServices = with(now.AccessServices, more.AccessServices, func(s sdg.AccessService) string { return s.Identifier.Value })
	out.Providers = with(now.Providers, more.Providers, func(p cs.Provider) string { return p.Identifier.Value })
	out.CodeLists = with(now.CodeLists, more.CodeLists, func(l cs.CodeList) string { return l.Name })
	return &out
}

func with[T any](now, more []T, key func(T) string) []T {
	out := slices.Clone(now)
	for _, m := range more {
		if !slices.ContainsFunc(out, func(n T) bool { return key(n) == key(m) }) {
			out = append(out, m)
		}
	}
	return out
}

// Launch brings a share of the country's data into production: the node submits
// it over AS4, beside what is there already, and the registry must take it.
func (node *Node) Launch(ctx context.Context, s Share) error {
	n := node.network
	share := s.of(reissue(n.Acceptance.Lifecycle.Part(node.Country), string(n.Production.Code)))
	for _, a := range s.Authorities {
		if !slices.ContainsFunc(share.Providers, func(p cs.Provider) bool { return p.Identifier.Value == a }) {
			return fmt.Errorf("network: %s has no authority %s", node.Country, a)
		}
	}
	for _, c := range s.Procedures {
		if !slices.ContainsFunc(share.Frameworks, func(f cs.ReferenceFramework) bool { return slices.Contains(f.Procedures, c) }) {
			return fmt.Errorf("network: %s declares no procedure %s", node.Country, c)
		}
	}
	return node.publish(ctx, n.Production, join(n.Production.Lifecycle.Part(node.Country), share))
}

// Revise submits what the country has in an environment anew, with one word in
// the title of every record changed: the least that directories show to whoever
// looks again.
func (node *Node) Revise(ctx context.Context, e *Environment) error {
	next := *e.Lifecycle.Part(node.Country)
	next.Records = slices.Clone(next.Records)
	for i := range next.Records {
		r := &next.Records[i]
		r.Titles = slices.Clone(r.Titles)
		for j := range r.Titles {
			r.Titles[j].Value += " (revised)"
		}
	}
	return node.publish(ctx, e, &next)
}

// publish submits a country's part to the registry of an environment; what is
// refused is an error in the registry's words.
func (node *Node) publish(ctx context.Context, e *Environment, part *cs.Contribution) error {
	raw, _, err := lcm.Encode(part, lcm.EncodeOptions{ID: "urn:uuid:" + as4.NewUUID()})
	if err != nil {
		return err
	}
	answer, err := node.SubmitTo(ctx, e, raw)
	if err != nil {
		return err
	}
	doc, err := regrep.Parse(answer)
	if err != nil {
		return fmt.Errorf("network: the registry's answer cannot be read: %w", err)
	}
	said, err := regrep.ReadRegistryResponse(doc.Root)
	switch {
	case err != nil:
		return fmt.Errorf("network: the registry's answer cannot be read: %w", err)
	case said.Status == regrep.Success:
		return nil
	case len(said.Exceptions) == 0:
		return fmt.Errorf("network: the registry of %s refuses the submission of %s without a reason", e.Code, node.Country)
	}
	x := said.Exceptions[0]
	return fmt.Errorf("network: the registry of %s refuses the submission of %s: %s %s", e.Code, node.Country, x.Code, x.Detail)
}
