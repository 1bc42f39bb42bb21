package commonservices

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
)

// answerDraft is a success in words of the line that was asked: requirements of
// the Evidence Broker or records of the Data Service Directory. With questions
// it is no success but DSD:ERR:0005.
type answerDraft struct {
	requirements []sdg.Requirement
	records      []sdg.DataServiceEvidenceType
	questions    []question
}

// question is one exception DSD:ERR:0005 (TDD 3.1.4): the reduced record and
// what the user must say.
type question struct {
	record   sdg.DataServiceEvidenceType
	concepts []sdg.ClassificationConcept
}

// severityInput asks the user for something; it stands with DSD:ERR:0005 only.
const (
	severityInput = "urn:sr.oots.tech.ec.europa.eu:codes:ErrorSeverity:DSDErrorResponse:AdditionalInput"
	codeQuestion  = "DSD:ERR:0005"
)

// withAll is a requirement with all its frameworks and one country's lists, or
// those of all.
func (v voice) withAll(r *requirement, country string) sdg.Requirement {
	out := v.requirement(r.Requirement)
	for _, f := range r.frameworks {
		out.Frameworks = append(out.Frameworks, v.framework(f))
	}
	for _, l := range r.lists {
		if country != "" && l.Jurisdiction.AdminUnitLevel1 != country {
			continue
		}
		if said, ok := v.list(l); ok {
			out.EvidenceTypeLists = append(out.EvidenceTypeLists, said)
		}
	}
	return out
}

// requirementsOf answers the first query of the Evidence Broker (TDD 3.2.4):
// requirements with the matching reference frameworks alone.
func (c *catalogue) requirementsOf(a *asked) (*answerDraft, *Refusal) {
	draft := &answerDraft{}
	for i := range c.requirements {
		r := &c.requirements[i]
		if len(r.lists) == 0 && a.values[paramIncomplete] != "true" && a.voice.onList {
			continue // nothing is mapped to it yet
		}
		out := a.voice.requirement(r.Requirement)
		for _, f := range r.frameworks {
			if a.matches(&f) {
				out.Frameworks = append(out.Frameworks, a.voice.framework(f))
			}
		}
		if len(out.Frameworks) > 0 {
			draft.requirements = append(draft.requirements, out)
		}
	}
	if len(draft.requirements) == 0 {
		return nil, &Refusal{"EB:ERR:0001", "EMPTY_RESULT"}
	}
	return draft, nil
}

func (a *asked) matches(f *sdg.ReferenceFramework) bool {
	procedure, ok := a.values[paramProcedure]
	return (!ok || slices.Contains(f.Procedures, procedure)) && a.inside(f.Jurisdiction)
}

// inside tells whether a jurisdiction is in the asked country and, on lines
// that can ask so, in the asked region and municipality. A jurisdiction that
// names no region is that of the whole country.
func (a *asked) inside(j *sdg.Jurisdiction) bool {
	country, ok := a.values[paramCountry]
	if ok && j.AdminUnitLevel1 != country {
		return false
	}
	l2, l3 := a.values[paramLevel2], a.values[paramLevel3]
	return (l2 == "" || j.AdminUnitLevel2 == "" || strings.HasPrefix(l2, j.AdminUnitLevel2)) &&
		(l3 == "" || j.AdminUnitLevel3 == "" || l3 == j.AdminUnitLevel3)
}

// evidenceTypesFor answers the second query of the Evidence Broker: one
// requirement with all its frameworks and the asked country's lists.
func (c *catalogue) evidenceTypesFor(a *asked) (*answerDraft, *Refusal) {
	address, ok := a.voice.plain(a.values[paramRequirement])
	i, known := c.byAddress[strings.ToLower(address)]
	if !ok || !known {
		return nil, refuse("EB:ERR:0002", "the requirement is not known here; addresses on this line begin with %srequirements/", a.voice.base())
	}
	out := a.voice.withAll(&c.requirements[i], a.values[paramCountry])
	if len(out.EvidenceTypeLists) == 0 {
		return nil, &Refusal{"EB:ERR:0001", "EMPTY_RESULT"}
	}
	return &answerDraft{requirements: []sdg.Requirement{out}}, nil
}

// dataServicesOf answers the query of the Data Service Directory (TDD 3.1.4).
func (c *catalogue) dataServicesOf(a *asked) (*answerDraft, *Refusal) {
	address, ok := a.voice.plain(a.values[paramClassification])
	of := c.records[address]
	if !ok || len(of) == 0 {
		return nil, refuse("DSD:ERR:0002", "the evidence type is not known here; addresses on this line begin with %sevidencetypeclassifications/", a.voice.base())
	}
	candidates := of[a.values[paramCountry]]
	if r := a.admissible(candidates); r != nil {
		return nil, r
	}
	draft := &answerDraft{}
	for i := range candidates {
		r := candidates[i].DataServiceEvidenceType
		if id, ok := a.values[paramRecord]; ok && !strings.EqualFold(id, r.ID) {
			continue
		}
		if r.AccessServices = a.speaking(r.AccessServices); len(r.AccessServices) == 0 {
			continue
		}
		if open := a.unanswered(r.ProviderQuestions); len(open) > 0 {
			draft.questions = append(draft.questions, question{a.voice.reduced(r), a.voice.concepts(open)})
			continue
		}
		if r.AccessServices = a.responsible(&r); len(r.AccessServices) > 0 {
			draft.records = append(draft.records, a.voice.record(r))
		}
	}
	if len(draft.questions) == 0 && len(draft.records) == 0 {
		return nil, &Refusal{"DSD:ERR:0001", "DS_NOT_FOUND"}
	}
	return draft, nil
}

// admissible judges the user's answers: each must be to a question of a
// candidate, and one that this question allows. Values are never repeated: they
// may tell where somebody was born.
func (a *asked) admissible(candidates []record) *Refusal {
	if len(candidates) == 0 {
		return nil
	}
	for _, name := range sortedKeys(a.answers) {
		value, asked := a.answers[name], false
		for i := range candidates {
			for _, q := range candidates[i].ProviderQuestions {
				if !strings.EqualFold(q.Identifier.Value, name) {
					continue
				}
				asked = true
				if want := wanted(q, candidates[i].lists[name]); !want.is(value) {
					return refuse(a.query.concepts, "the value of %s is not %s", name, want.words)
				}
			}
		}
		if !asked {
			return refuse("DSD:ERR:0003", "the parameter %s is no question of this evidence type in this country", name)
		}
	}
	return nil
}

// wanted is what a question admits.
func wanted(q sdg.ClassificationConcept, list *CodeList) value {
	switch strings.ToLower(q.Type) {
	case "codelist":
		return value{"a code of the list " + q.ValueExpression, func(s string) bool { return list != nil && list.Has(s) }}
	case "boolean":
		return aBoolean
	}
	if q.ValueExpression != "" {
		if form, err := regexp.Compile("^(?:" + q.ValueExpression + ")$"); err == nil {
			return value{"of the form that the question gives", form.MatchString}
		}
	}
	return value{"a text", func(s string) bool { return strings.TrimSpace(s) != "" }}
}

// speaking keeps the access services of the asked country and region that speak
// the asked line of the Exchange Data Model.
func (a *asked) speaking(services []sdg.AccessService) []sdg.AccessService {
	spec, filter := a.values[paramSpecification]
	var out []sdg.AccessService
	for _, s := range services {
		if filter && !slices.Contains(s.ConformsTo, spec) || !a.inside(s.Publisher.Jurisdiction) {
			continue
		}
		if filter && a.voice.oneEDM {
			s.ConformsTo = []string{spec}
		}
		out = append(out, s)
	}
	return out
}

func (a *asked) unanswered(questions []sdg.ClassificationConcept) []sdg.ClassificationConcept {
	var out []sdg.ClassificationConcept
	for _, q := range questions {
		if _, ok := a.answers[strings.ToLower(q.Identifier.Value)]; !ok {
			out = append(out, q)
		}
	}
	return out
}

// responsible keeps the providers that cover every answer.
func (a *asked) responsible(r *sdg.DataServiceEvidenceType) []sdg.AccessService {
	var out []sdg.AccessService
	for _, s := range r.AccessServices {
		if !slices.ContainsFunc(r.ProviderQuestions, func(q sdg.ClassificationConcept) bool {
			return !covers(s.Publisher, q, a.answers[strings.ToLower(q.Identifier.Value)])
		}) {
			out = append(out, s)
		}
	}
	return out
}

// covers tells whether a provider is responsible for an answer: by a value it
// supports, or because its jurisdiction is classified so in the question's list.
func covers(p *sdg.Publisher, q sdg.ClassificationConcept, answer string) bool {
	for _, c := range p.Concepts {
		if v := c.Values; v != nil && strings.EqualFold(c.Identifier.Value, q.Identifier.Value) &&
			(slices.Contains(v.Strings, answer) || slices.Contains(v.Dates, answer) || slices.Contains(v.Booleans, answer == "true") && strings.EqualFold(q.Type, "boolean")) {
			return true
		}
	}
	return q.ValueExpression != "" && slices.Contains(p.Jurisdiction.Classifications, sdg.ListCode{List: q.ValueExpression, Code: answer})
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// objectSpace is the namespace of the identifiers of registry objects: they
// wrap a record in one answer and mean nothing beyond it.
const objectSpace = "6d0f3a52-94f1-5d8a-8b3c-0b7a5c9e2f41"

// encodeSuccess writes a draft without questions.
func (v voice) encodeSuccess(d *answerDraft) ([]byte, error) {
	objects := make(regrep.Objects, 0, len(d.requirements)+len(d.records))
	add := func(slot, id string, value regrep.Value) {
		objects = append(objects, regrep.Object{ID: "urn:uuid:" + NameUUID(objectSpace, string(v.line)+slot+id), Slots: regrep.Slots{{Name: slot, Value: value}}})
	}
	for i := range d.requirements {
		add("Requirement", d.requirements[i].ID, sdg.Value(&d.requirements[i], v.words))
	}
	for i := range d.records {
		add("DataServiceEvidenceType", d.records[i].ID, sdg.Value(&d.records[i], v.words))
	}
	return v.encode(&regrep.QueryResponse{Status: regrep.Success, Objects: &objects})
}

// encodeQuestions writes DSD:ERR:0005, one exception a record.
func (v voice) encodeQuestions(list []question) ([]byte, error) {
	r := &regrep.QueryResponse{Status: regrep.Failure}
	for i := range list {
		x := exceptionOf(&Refusal{Code: codeQuestion})
		x.Severity = severityInput
		x.Slots = regrep.Slots{
			{Name: "DataServiceEvidenceType", Value: sdg.Value(&list[i].record, v.words)},
			{Name: "UserRequestedClassificationConcepts", Value: sdg.Values(list[i].concepts, v.words)},
		}
		r.Exceptions = append(r.Exceptions, x)
	}
	return v.encode(r)
}

func (v voice) encodeRefusal(r *Refusal) ([]byte, error) {
	return v.encode(&regrep.QueryResponse{Status: regrep.Failure, Exceptions: []regrep.Exception{exceptionOf(r)}})
}

func (v voice) encode(r *regrep.QueryResponse) ([]byte, error) {
	if v.echo {
		r.Slots = regrep.Slots{{Name: "SpecificationIdentifier", Value: regrep.String(v.line)}}
	}
	return r.Encode()
}

// exceptionOf gives a refusal the type and message of its code list.
func exceptionOf(r *Refusal) regrep.Exception {
	list := codelist.DSDErrorCodes
	if strings.HasPrefix(r.Code, "EB:") {
		list = codelist.EBErrorCodes
	}
	row, _ := codes.List(list).Lookup(r.Code)
	return regrep.Exception{Type: row.Get("type"), Severity: regrep.SeverityError, Message: row.Get("message"), Code: r.Code, Detail: r.Detail}
}

// answer is an answer as it travels, with what a client needs to trust it. The
// signature is made once for each signer.
type answer struct {
	body   []byte
	code   string // "" for a success
	etag   []string
	length []string
	signed atomic.Pointer[signed]
}

type signed struct {
	by                *Signer
	digest, signature []string
}

func newAnswer(body []byte, code string) *answer {
	digest := Digest(body)
	return &answer{body: body, code: code, length: []string{fmt.Sprint(len(body))},
		etag: []string{`"` + digest[len("SHA-256="):] + `"`}}
}

// signedBy gives the two header values of a signer.
func (a *answer) signedBy(s *Signer) (*signed, error) {
	if old := a.signed.Load(); old != nil && old.by == s {
		return old, nil
	}
	digest, signature, err := s.Sign(a.body)
	if err != nil {
		return nil, err
	}
	made := &signed{s, []string{digest}, []string{signature}}
	a.signed.Store(made)
	return made, nil
}
