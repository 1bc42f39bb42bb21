package partner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/xmltree"
)

// lcmFaults are those of a system that submits metadata.
var lcmFaults = []Fault{
	{Name: "submits-nothing", About: "takes the order and submits nothing"},
	{Name: "submission-without-id", About: "the submission's id is no urn:uuid", edits: submitted("set lcm:SubmitObjectsRequest/@id submission-1")},
	{Name: "submission-unchecked", About: "checkReferences is not true", edits: submitted("set lcm:SubmitObjectsRequest/@checkReferences false")},
	{Name: "submission-without-list", About: "there are no objects", edits: submitted("remove lcm:SubmitObjectsRequest/rim:RegistryObjectList")},
	{Name: "submission-without-classification", About: "an object is not classified", edits: submitted("remove //rim:Classification")},
	{Name: "submission-other-scheme", About: "an object is classified in another scheme", edits: submitted("set //rim:Classification/@classificationScheme urn:example:other")},
	{Name: "submission-without-slot", About: "an object has no content", edits: submitted("remove //rim:RegistryObject/rim:Slot")},
	{Name: "submission-bad-link", About: "an association has a source that is not there", edits: submitted("set //rim:RegistryObject[@sourceObject]/@sourceObject urn:uuid:99999999-9999-4999-8999-999999999993")},
	{Name: "submission-other-link", About: "an association has an unknown type", edits: submitted("set //rim:RegistryObject/@type urn:example:likes")},
	{Name: "submission-other-country", About: "submits data of another country"},
	{Name: "submission-bad-object-id", About: "an object's id is no urn:uuid", edits: submitted("set //rim:RegistryObject/@id object-1")},
	{Name: "submission-same-id", About: "gives every submission the same id"},
	{Name: "submission-same-version", About: "changes a code list and leaves its version"},
	{Name: "refusal-as-acceptance", About: "reports that a refused submission was accepted"},
	{Name: "acceptance-as-refusal", About: "reports that an accepted submission was refused"},
	{Name: "takes-foreign-acceptance", About: "takes the answer to another submission for its own"},
	{Name: "refusal-without-code", About: "does not say why a submission was refused"},
}

func submitted(edit string) map[string]string { return map[string]string{submit: edit} }

// kinds are what the order "submit" may speak of.
var kinds = map[string]lcm.Services{"eb": lcm.EvidenceBroker, "dsd": lcm.DataServiceDirectory, "both": lcm.EvidenceBroker | lcm.DataServiceDirectory,
	"lists": lcm.Classifications, "all": lcm.Everything}

// submitMetadata is the order "submit": send the country's own metadata to the
// registry.
func (p *Practice) submitMetadata(ctx context.Context, args map[string]string) (Told, error) {
	id := "urn:uuid:" + p.NewID()
	if p.is("submission-same-id") {
		id = "urn:uuid:00000000-0000-4000-8000-000000000003"
	}
	raw, err := p.metadata.Submission(id, args)
	if err != nil {
		return Told{}, err
	}
	if p.is("submission-other-country") {
		raw = []byte(strings.ReplaceAll(string(raw), ">"+p.metadata.Part.Country+"<", ">SE<"))
	}
	o := &order{id: fmt.Sprint(len(p.orders) + 1), state: "sent", submission: id, to: p.Peers[0].ID}
	p.orders = append(p.orders, o)
	if p.is("submits-nothing") {
		return o.tell(), nil
	}
	return o.tell(), p.send(ctx, Letter{To: o.to, Service: as4.LifecycleMgmt, Action: submit, Sender: p.Data.Provider.Identifier,
		Recipient: sdg.Identifier{Scheme: "urn:cef.eu:names:identifier:EAS:0037", Value: "REGISTRY"}, Files: []File{{Type: regrep.MediaType, Data: raw}}})
}

// Metadata are what a country submits when it is told to: its part, with a code
// list of towns that the order may change. Its zero value submits nothing.
type Metadata struct {
	Part *cs.Contribution

	mu          sync.Mutex // of what follows
	towns       *cs.CodeList
	editions    int
	sameVersion bool // a fault: changes go under the old version
}

// Submission is what the order "submit" sends, under an id: of=eb, dsd, both,
// lists or all; add and remove change a value of the code list first, and
// invalid=yes spoils it. ErrUnsupported says that there is nothing of the kind.
func (m *Metadata) Submission(id string, args map[string]string) (raw []byte, err error) {
	services, known := kinds[args["of"]]
	if m == nil || m.Part == nil || !known {
		return nil, ErrUnsupported
	}
	part := m.Part
	if services&lcm.Classifications != 0 {
		m.mu.Lock()
		defer m.mu.Unlock()
		part = m.withTowns(args["add"], args["remove"])
	}
	if raw, _, err = lcm.Encode(part, lcm.EncodeOptions{ID: id, Services: services}); err != nil || args["invalid"] != "yes" {
		return raw, err
	}
	spoiled, err := draft.Edit(string(raw), "remove //rim:Classification")
	return []byte(spoiled), err
}

// withTowns is the country's part with a code list of its own, of which the
// value NORTH is used by its first provider too and SOUTH by nobody.
func (m *Metadata) withTowns(add, remove string) *cs.Contribution {
	const name = "TestTown"
	if m.towns == nil {
		m.towns = &cs.CodeList{Name: name, Version: "1.0.0", Titles: english("Town of the test"), Codes: []cs.Code{{Code: "NORTH"}, {Code: "SOUTH"}}}
	}
	next := *m.towns
	next.Codes = slices.DeleteFunc(slices.Clone(next.Codes), func(c cs.Code) bool { return c.Code == remove })
	if add != "" {
		next.Codes = append(next.Codes, cs.Code{Code: add})
	}
	if add+remove != "" && !m.sameVersion {
		m.editions++
		next.Version = fmt.Sprintf("%d.0.0", m.editions+1)
	}
	m.towns = &next
	part := *m.Part
	part.CodeLists = append(slices.Clone(part.CodeLists), next)
	if len(part.Providers) > 0 {
		list := cs.CodeListAddress(part.Country, name)
		part.Providers = slices.Clone(part.Providers)
		part.Providers[0].Concepts = append(slices.Clone(part.Providers[0].Concepts), sdg.ClassificationConcept{Identifier: sdg.Identifier{Scheme: list, Value: "e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c99"},
			Type: "codelist", ValueExpression: list, Descriptions: english("In which town?"), Values: &sdg.SupportedValue{Strings: []string{"NORTH"}}})
	}
	return &part
}

func english(text string) []sdg.Text { return []sdg.Text{{Lang: "EN", Value: text}} }

// submissionAnswered takes the answer of a registry.
func (p *Practice) submissionAnswered(m *Mail) {
	doc, err := xmltree.Parse(m.Body(), xmltree.Options{})
	if err != nil {
		return
	}
	id := doc.Root.Attr("", "requestId")
	i := slices.IndexFunc(p.orders, func(o *order) bool { return o.submission != "" && o.submission == id })
	if i < 0 && p.is("takes-foreign-acceptance") {
		i = len(p.orders) - 1
	}
	if i < 0 {
		return
	}
	o := p.orders[i]
	o.answered = true
	if strings.HasSuffix(doc.Root.Attr("", "status"), ":Success") {
		if o.state = "accepted"; p.is("acceptance-as-refusal") {
			o.state = "refused"
		}
		return
	}
	if x := doc.Root.Child(xmltree.Customary("rs"), "Exception"); x != nil && !p.is("refusal-without-code") {
		o.code, o.detail = x.Attr("", "code"), x.Attr("", "detail")
	}
	if o.state = "refused"; p.is("refusal-as-acceptance") {
		o.state, o.code = "accepted", ""
	}
}
