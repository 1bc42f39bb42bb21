package validator

import (
	"slices"
	"strings"

	"github.com/once-only/oots/codelist"
)

// The checks: a request and the directory answers it came from.

// answersOf are the directory answers of some kinds at hand for a request.
func answersOf(s *Step, kinds Kinds) (out []*Message) {
	if s.Message.Kind != EDMRequest {
		return nil
	}
	for _, d := range s.Directory {
		if d.Kind&kinds != 0 {
			out = append(out, d)
		}
	}
	return out
}

func brokered(s *Step) bool      { return len(answersOf(s, EBRequirements|EBEvidenceTypes)) > 0 }
func brokeredTypes(s *Step) bool { return len(answersOf(s, EBEvidenceTypes)) > 0 }
func recorded(s *Step) bool      { return len(answersOf(s, DSDResponse)) > 0 && askedFor(s.Message) != nil }
func questioned(s *Step) bool    { return len(answersOf(s, DSDError)) > 0 }

// listed yields every element of a name in directory answers.
func listed(answers []*Message, name string) (out []*Node) {
	space, local := split(name)
	for _, a := range answers {
		for n := range a.Root().Descendants() {
			if n.Is(space, local) {
				out = append(out, n)
			}
		}
	}
	return out
}

// requirementsOf are the sdg:Requirement elements of a request.
func requirementsOf(m *Message) (out []*Node) {
	for e := range find(slot(m.Root(), "Requirements"), "rim:SlotValue").Each(nsRIM, "Element") {
		if r := child(e, "sdg:Requirement"); r != nil {
			out = append(out, r)
		}
	}
	return out
}

func procedureOf(m *Message) string {
	v := find(slot(m.Root(), "Procedure"), "rim:SlotValue", "rim:Value")
	if l := child(v, "rim:LocalizedString"); l != nil {
		return l.Attr("", "value")
	}
	return v.Norm()
}

func countryOf(agent *Node) string { return find(agent, "sdg:Address", "sdg:AdminUnitLevel1").Norm() }

// knownRequirements: each requirement is one of the broker's, under the
// procedure and the requester's country where the answer tells frameworks.
func knownRequirements(s *Step) *Mismatch {
	known := map[string]*Node{}
	for _, k := range listed(answersOf(s, EBRequirements|EBEvidenceTypes), "sdg:Requirement") {
		known[child(k, "sdg:Identifier").Norm()] = k
	}
	procedure, country := procedureOf(s.Message), countryOf(requesterOf(s.Message))
	for _, r := range requirementsOf(s.Message) {
		id := child(r, "sdg:Identifier")
		k := known[id.Norm()]
		if k == nil {
			return &Mismatch{At: id, Found: quote(id.Norm()), Expect: "a requirement that the Evidence Broker answered with"}
		}
		if f := nameOf(r, k); f != nil {
			return f
		}
		if procedure != codelist.SystemCheck && count(k, "sdg:ReferenceFramework") > 0 && !framed(k, procedure, country) {
			return &Mismatch{At: id, Found: "a requirement of other procedures or countries", Expect: "a requirement of procedure " + procedure + " in " + country}
		}
	}
	return nil
}

// nameOf: each name of the request's requirement is one of the broker's.
func nameOf(r, known *Node) *Mismatch {
	for n := range r.Each(nsSDG, "Name") {
		same := false
		for k := range known.Each(nsSDG, "Name") {
			same = same || k.Norm() == n.Norm() && k.Attr("", "lang") == n.Attr("", "lang")
		}
		if !same {
			return &Mismatch{At: n, Found: quote(n.Norm()), Expect: "the name that the Evidence Broker gives"}
		}
	}
	return nil
}

func framed(requirement *Node, procedure, country string) bool {
	for f := range requirement.Each(nsSDG, "ReferenceFramework") {
		if find(f, "sdg:RelatedTo", "sdg:Identifier").Norm() != procedure {
			continue
		}
		if c := find(f, "sdg:Jurisdiction", "sdg:AdminUnitLevel1").Norm(); c == "" || country == "" || c == country {
			return true
		}
	}
	return false
}

// providerCountry is told by the evidence type's address, which names it.
func providerCountry(m *Message) string {
	path, _ := semanticRepository(child(askedFor(m), "sdg:EvidenceTypeClassification").Norm(), true)
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return ""
	}
	return parts[1]
}

func typeOfRequirement(s *Step) *Mismatch {
	at := child(askedFor(s.Message), "sdg:EvidenceTypeClassification")
	if at == nil {
		return nil
	}
	for _, known := range listed(answersOf(s, EBEvidenceTypes), "sdg:Requirement") {
		if !slices.ContainsFunc(requirementsOf(s.Message), func(r *Node) bool {
			return child(r, "sdg:Identifier").Norm() == child(known, "sdg:Identifier").Norm()
		}) {
			continue
		}
		for list := range known.Each(nsSDG, "EvidenceTypeList") {
			where := find(list, "sdg:Jurisdiction", "sdg:AdminUnitLevel1").Norm()
			for t := range list.Each(nsSDG, "EvidenceType") {
				here := first(find(t, "sdg:Jurisdiction", "sdg:AdminUnitLevel1").Norm(), where)
				if child(t, "sdg:EvidenceTypeClassification").Norm() == at.Norm() && (here == "" || providerCountry(s.Message) == "oots" || here == providerCountry(s.Message)) {
					return nil
				}
			}
		}
	}
	return &Mismatch{At: at, Found: quote(at.Norm()), Expect: "an evidence type that the Evidence Broker lists for the requirement"}
}

// record is the directory's record that the request copies, by its identifier.
func record(s *Step) *Node {
	id := child(askedFor(s.Message), "sdg:Identifier").Norm()
	for _, r := range listed(answersOf(s, DSDResponse), "sdg:DataServiceEvidenceType") {
		if strings.EqualFold(child(r, "sdg:Identifier").Norm(), id) {
			return r
		}
	}
	return nil
}

func recordMatches(s *Step) *Mismatch {
	asked, r := askedFor(s.Message), record(s)
	if r == nil {
		at := child(asked, "sdg:Identifier")
		return &Mismatch{At: first2(at, asked), Found: foundAt(at), Expect: "the identifier of a record of the directory's answer"}
	}
	if f := differ(child(asked, "sdg:EvidenceTypeClassification"), child(r, "sdg:EvidenceTypeClassification").Norm(), "the record's"); f != nil {
		return f
	}
	for t := range asked.Each(nsSDG, "Title") {
		if !slices.ContainsFunc(slices.Collect(r.Each(nsSDG, "Title")), func(k *Node) bool { return k.Norm() == t.Norm() }) {
			return &Mismatch{At: t, Found: quote(t.Norm()), Expect: "a title of the record"}
		}
	}
	for d := range asked.Each(nsSDG, "DistributedAs") {
		format, model := child(d, "sdg:Format"), child(d, "sdg:ConformsTo")
		offered := false
		for k := range r.Each(nsSDG, "DistributedAs") {
			formats := slices.ContainsFunc(slices.Collect(k.Each(nsSDG, "Format")), func(f *Node) bool { return f.Norm() == format.Norm() })
			offered = offered || formats && (model == nil || child(k, "sdg:ConformsTo").Norm() == model.Norm())
		}
		if !offered {
			return &Mismatch{At: d, Found: quote(strings.TrimSpace(format.Norm() + " " + model.Norm())), Expect: "a format and data model that the record offers"}
		}
	}
	return nil
}

// accessOf are the access services of the record with the request's provider
// as their publisher.
func accessOf(s *Step) (out []*Node) {
	id := child(providerOf(s.Message), "sdg:Identifier")
	for a := range record(s).Each(nsSDG, "AccessService") {
		for p := range a.Each(nsSDG, "Publisher") {
			if k := child(p, "sdg:Identifier"); k.Norm() == id.Norm() && k.Attr("", "schemeID") == id.Attr("", "schemeID") {
				out = append(out, a)
			}
		}
	}
	return out
}

func publisherMatches(s *Step) *Mismatch {
	if record(s) == nil {
		return nil // X-42 speaks of it
	}
	access := accessOf(s)
	if len(access) == 0 {
		at := child(providerOf(s.Message), "sdg:Identifier")
		return &Mismatch{At: at, Found: foundAt(at), Expect: "a publisher of the record"}
	}
	if s.Header == nil {
		return nil
	}
	to := find(userOf(s.Header), "eb:PartyInfo", "eb:To", "eb:PartyId")
	for _, a := range access {
		if child(a, "sdg:Identifier").Norm() == to.Norm() {
			return nil
		}
	}
	return &Mismatch{In: s.Header, At: to, Found: foundAt(to), Expect: quote(child(access[0], "sdg:Identifier").Norm()) + ", the access point of the record"}
}

func lineAnnounced(s *Step) *Mismatch {
	access := accessOf(s)
	if len(access) == 0 {
		return nil
	}
	at := find(slot(s.Message.Root(), "SpecificationIdentifier"), "rim:SlotValue", "rim:Value")
	var announced []string
	for _, a := range access {
		for c := range a.Each(nsSDG, "ConformsTo") {
			announced = append(announced, c.Norm())
		}
	}
	if slices.Contains(announced, at.Norm()) {
		return nil
	}
	return &Mismatch{At: at, Found: foundAt(at), Expect: "one of " + strings.Join(announced, ", ")}
}

func questionsAnswered(s *Step) *Mismatch {
	questions := listed(answersOf(s, DSDError), "sdg:EvidenceProviderClassification")
	slotNode := slot(s.Message.Root(), "EvidenceProviderClassification")
	answered := map[string]bool{}
	for e := range find(slotNode, "rim:SlotValue").Each(nsRIM, "Element") {
		id := find(e, "sdg:EvidenceProviderClassification", "sdg:Identifier")
		answered[strings.ToLower(id.Norm())] = true
		if !slices.ContainsFunc(questions, func(q *Node) bool { return strings.EqualFold(child(q, "sdg:Identifier").Norm(), id.Norm()) }) {
			return &Mismatch{At: first2(id, e), Found: foundAt(id), Expect: "the identifier of a question that the directory asked"}
		}
	}
	for _, q := range questions {
		if id := child(q, "sdg:Identifier").Norm(); !answered[strings.ToLower(id)] {
			return &Mismatch{At: first2(slotNode, s.Message.Root()), Found: "no answer to the question " + quote(id), Expect: "an answer to each question"}
		}
	}
	return nil
}

func assuranceReached(s *Step) *Mismatch {
	wanted := child(record(s), "sdg:AuthenticationLevelOfAssurance").Norm()
	subject, _ := subjectOf(s.Message)
	at := child(subject, "sdg:LevelOfAssurance")
	if wanted == "" || at == nil || assurance(s.Message, at.Norm()) >= assurance(s.Message, wanted) {
		return nil
	}
	return &Mismatch{At: at, Found: foundAt(at), Expect: wanted + " or higher"}
}

// assurance ranks a level of assurance; -1 for one that nobody knows.
func assurance(m *Message, level string) int {
	row, ok := m.lists.List(codelist.LevelsOfAssurance).Lookup(level)
	if !ok {
		return -1
	}
	return strings.IndexByte("0123456789", (row.Get("rank") + "0")[0])
}
