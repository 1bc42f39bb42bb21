package lcm

import (
	"fmt"
	"slices"
	"strings"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// Services are the parts of a country's data that a submission may speak to.
type Services uint8

const (
	EvidenceBroker Services = 1 << iota
	DataServiceDirectory
	Classifications
	Everything = EvidenceBroker | DataServiceDirectory | Classifications
)

// EncodeOptions choose the form of a submission.
type EncodeOptions struct {
	ID       string   // of the request, urn:uuid: and a UUID; required
	Line     Line     // V20 when empty
	Label    string   // environment label of addresses on line 2.0
	Services Services // Everything when 0
	Lists    Lists    // Genericode when nil
}

// writer writes one contribution. The ids of its objects follow from their
// identifiers, so that two exports of the same data are the same bytes.
type writer struct {
	EncodeOptions
	c     *cs.Contribution
	words sdg.Generation
	list  regrep.Objects
	lost  []string
}

// Encode writes a country's part, or some services of it, as a submission. The
// words in lost name what the line cannot say: on 2.0, areas by NUTS and LAU.
func Encode(c *cs.Contribution, o EncodeOptions) (raw []byte, lost []string, err error) {
	w := &writer{EncodeOptions: o, c: c, words: sdg.V20}
	if w.Line == "" {
		w.Line = V20
	}
	if w.Services == 0 {
		w.Services = Everything
	}
	if w.Lists == nil {
		w.Lists = Genericode{}
	}
	if w.Line != V20 {
		w.words = sdg.V10
		w.Label = ""
	}
	if !urnUUID.MatchString(o.ID) {
		return nil, nil, fmt.Errorf("lcm: the id %.60q of a submission is not urn:uuid: and a UUID", o.ID)
	}
	if w.Services&Classifications != 0 {
		w.codeLists()
	}
	if w.Services&EvidenceBroker != 0 {
		w.evidenceBroker()
	}
	if w.Services&DataServiceDirectory != 0 {
		w.directory()
	}
	if len(w.list) == 0 {
		return nil, nil, fmt.Errorf("lcm: %s has nothing to submit to these services", c.Country)
	}
	req := regrep.SubmitObjectsRequest{ID: o.ID, CheckReferences: true, Objects: w.list,
		Slots: regrep.Slots{{Name: "SpecificationIdentifier", Value: regrep.String(w.Line)}}}
	raw, err = req.Encode()
	return raw, w.lost, err
}

// exports is the namespace of the ids that this package gives to objects.
const exports = "0d4c9b0a-5f1b-5e0e-9a5e-8f8f2f6d1c11"

func (w *writer) id(kind, key string) string {
	return "urn:uuid:" + cs.NameUUID(exports, w.c.Country+" "+kind+" "+key)
}

func (w *writer) object(scheme, node, key string, value regrep.Value) string {
	id := w.id(node, key)
	w.list = append(w.list, regrep.Object{ID: id, Slots: regrep.Slots{{Name: node, Value: value}},
		Classifications: []regrep.Classification{{ID: w.id("classification of "+node, key), Scheme: scheme, Node: node}}})
	return id
}

func (w *writer) link(typ, source, target string) {
	w.list = append(w.list, regrep.Object{Kind: regrep.Association, ID: w.id(typ, source+" "+target),
		Type: regrep.AssociationType + typ, Source: source, Target: target})
}

// address says an address of the model on this line.
func (w *writer) address(a string) string {
	rest, ok := strings.CutPrefix(a, cs.Repository)
	if !ok {
		return a
	}
	if name, is := strings.CutPrefix(rest, "datamodels/"); is && w.Line != V20 {
		rest = "distributions/" + name
	}
	if w.Label == "" {
		return cs.Repository + rest
	}
	return "https://sr." + w.Label + ".oots.tech.ec.europa.eu/" + rest
}

// loses notes what the line cannot say.
func (w *writer) loses(what string, any bool) bool {
	if any && w.Line != V20 && !slices.Contains(w.lost, what) {
		w.lost = append(w.lost, what)
	}
	return any && w.Line != V20
}

func (w *writer) codeLists() {
	for i := range w.c.CodeLists {
		l := &w.c.CodeLists[i]
		w.object(SchemeList, "CodeList", l.Name, regrep.Any{Write: func(x *xmltree.Writer) { w.Lists.Write(x, w.c.Country, l) }})
	}
}

func (w *writer) evidenceBroker() {
	types := map[string]string{}
	of := map[string]*sdg.Jurisdiction{} // lines 1.x say the jurisdiction on the type
	for i := range w.c.Lists {
		for _, t := range w.c.Lists[i].Types {
			if j := w.c.Lists[i].Jurisdiction; of[t] == nil || j != nil && j.AdminUnitLevel2 != "" {
				of[t] = j
			}
		}
	}
	for _, t := range w.c.EvidenceTypes {
		key := t.Classification
		t.Classification = w.address(key)
		if w.Line != V20 {
			t.StructuredFormats = nil
			t.Jurisdictions = []sdg.Jurisdiction{{AdminUnitLevel1: w.c.Country}}
			if j := of[key]; j != nil {
				t.Jurisdictions = []sdg.Jurisdiction{*w.jurisdiction(j)}
			}
		}
		types[key] = w.object(SchemeEB, "EvidenceType", key, sdg.Value(&t, w.words))
	}
	for i := range w.c.Lists {
		l := &w.c.Lists[i]
		if w.loses("lists that declare NoMatch", l.MatchType != "") {
			continue
		}
		v := l.EvidenceTypeList
		if v.Jurisdiction = w.jurisdiction(l.Jurisdiction); w.Line != V20 {
			v.Jurisdiction = nil
		}
		id := w.object(SchemeEB, "EvidenceTypeList", l.ID, sdg.Value(&v, w.words))
		for _, t := range l.Types {
			if target, own := types[t]; own {
				w.link("ContainsEvidence", id, target)
			} else {
				w.lost = append(w.lost, "the evidence type "+t+", which is not the country's own")
			}
		}
		for _, r := range l.Requirements {
			w.link("FulfillsRequirement", id, requirementURN(r))
		}
	}
	for i := range w.c.Frameworks {
		f := w.c.Frameworks[i].ReferenceFramework
		f.Jurisdiction = w.jurisdiction(f.Jurisdiction)
		id := w.object(SchemeEB, "ReferenceFramework", f.ID, sdg.Value(&f, w.words))
		for _, r := range w.c.Frameworks[i].Requirements {
			w.link("DerivesFromReferenceFramework", requirementURN(r), id)
		}
	}
}

// requirementURN refers to a registered requirement.
func requirementURN(address string) string {
	return "urn:uuid:" + address[strings.LastIndexByte(address, '/')+1:]
}

func (w *writer) jurisdiction(j *sdg.Jurisdiction) *sdg.Jurisdiction {
	if j == nil {
		return nil
	}
	out := *j
	out.Classifications = nil
	if w.loses("areas of code lists", len(j.Classifications) > 0) {
		return &out
	}
	if w.Line == V20 && out.AdminUnitLevel2+out.AdminUnitLevel3 != "" {
		out.AdminUnitLevel2, out.AdminUnitLevel3 = "", ""
		w.lost = union(w.lost, []string{"NUTS and LAU areas"})
	}
	for _, c := range j.Classifications {
		out.Classifications = append(out.Classifications, sdg.ListCode{List: w.address(c.List), Code: c.Code})
	}
	return &out
}

func (w *writer) concepts(list []sdg.ClassificationConcept) []sdg.ClassificationConcept {
	out := slices.Clone(list)
	for i := range out {
		out[i].Identifier.Scheme = w.address(out[i].Identifier.Scheme)
		out[i].ValueExpression = w.address(out[i].ValueExpression)
		if w.Line != V20 {
			out[i].Identifier.Scheme = ""
		}
	}
	return out
}

func (w *writer) directory() {
	records := map[string]string{}
	for _, r := range w.c.Records {
		r.Classification = w.address(r.Classification)
		r.ProviderQuestions = w.concepts(r.ProviderQuestions)
		r.DistributedAs = slices.Clone(r.DistributedAs)
		for i := range r.DistributedAs {
			d := &r.DistributedAs[i]
			d.ConformsTo = w.address(d.ConformsTo)
			if w.loses("languages of distributions", len(d.Languages) > 0) {
				d.Languages = nil
			}
		}
		records[r.ID] = w.object(SchemeDSD, "DataServiceEvidenceType", r.ID, sdg.Value(&r, w.words))
	}
	if w.Line == V10 {
		w.mergedProviders(records)
		return
	}
	services := map[sdg.Identifier]string{}
	for _, s := range w.c.AccessServices {
		g := w.words
		if g == sdg.V10 {
			g = sdg.V12 // several lines of the Exchange Data Model
		}
		services[s.Identifier] = w.object(SchemeDSD, "AccessService", s.Identifier.Scheme+" "+s.Identifier.Value, sdg.Value(&s, g))
	}
	for i := range w.c.Providers {
		p := &w.c.Providers[i]
		pub := w.publisher(&p.Publisher)
		id := w.object(SchemeDSD, "EvidenceProvider", p.Identifier.Scheme+" "+p.Identifier.Value, sdg.Value(&pub, w.words))
		for _, r := range p.Records {
			w.link("ProvidesEvidenceType", id, records[r])
		}
		for _, s := range p.AccessServices {
			w.link("UsesAccessService", id, services[s])
		}
	}
}

func (w *writer) publisher(p *sdg.Publisher) sdg.Publisher {
	out := *p
	out.Jurisdiction = w.jurisdiction(p.Jurisdiction)
	out.Concepts = w.concepts(p.Concepts)
	if w.loses("descriptions of providers", len(p.Descriptions) > 0) {
		out.Descriptions = nil
	}
	return out
}

// mergedProviders writes the objects of line 1.0: an access service with its
// publisher, once for each pair and each line of the Exchange Data Model.
func (w *writer) mergedProviders(records map[string]string) {
	for i := range w.c.Providers {
		p := &w.c.Providers[i]
		pub := w.publisher(&p.Publisher)
		w.loses("providers without access service", len(p.AccessServices) == 0)
		for _, at := range p.AccessServices {
			k := slices.IndexFunc(w.c.AccessServices, func(s sdg.AccessService) bool { return s.Identifier == at })
			if k < 0 {
				continue
			}
			for _, line := range w.c.AccessServices[k].ConformsTo {
				s := w.c.AccessServices[k]
				s.ConformsTo, s.Publisher = []string{line}, &pub
				id := w.object(SchemeDSD, "EvidenceProvider", fmt.Sprintf("%s %s %s %s", p.Identifier.Scheme, p.Identifier.Value, at.Value, line), sdg.Value(&s, w.words))
				for _, r := range p.Records {
					w.link("ServesEvidenceType", id, records[r])
				}
			}
		}
	}
}
