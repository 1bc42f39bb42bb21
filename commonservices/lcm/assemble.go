package lcm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// Scope tells what a submission replaces (TDD 3.6.3; releases after 1.0 do not
// settle it).
type Scope string

const (
	PerService Scope = ""     // all that the country has in each service the submission speaks to
	PerKind    Scope = "kind" // the kinds of objects that stand in it
)

// linkKind is one row: an association, the nodes it leads between, and the rule
// that says so. A known end may be a requirement that is registered already.
type linkKind struct {
	name, from, to, rule string
	knownFrom, knownTo   bool
}

var linkKinds = []linkKind{
	{name: "ContainsEvidence", from: "EvidenceTypeList", to: "EvidenceType", rule: "R-EB-SUB-S036"},
	{name: "FulfillsRequirement", from: "EvidenceTypeList", to: "Requirement", rule: "R-EB-SUB-S038", knownTo: true},
	{name: "DerivesFromReferenceFramework", from: "Requirement", to: "ReferenceFramework", rule: "R-EB-SUB-S040", knownFrom: true},
	{name: "ServesEvidenceType", from: "EvidenceProvider", to: "DataServiceEvidenceType", rule: "R-DSD-SUB-S028"},
	{name: "ProvidesEvidenceType", from: "EvidenceProvider", to: "DataServiceEvidenceType", rule: "R-DSD-SUB-S028"},
	{name: "UsesAccessService", from: "EvidenceProvider", to: "AccessService", rule: "R-DSD-SUB-S028"},
}

// assembly turns a submission into a country's part of a data set.
type assembly struct {
	*Submission
	set     *cs.DataSet
	country string
	objects map[string]*Object // by id
	known   map[string]string  // urn:uuid of a requirement to its address
	linked  map[string][]Link  // by source and type
	places  map[string]*Object // by kind and identifier, for the check
	out     *cs.Contribution
}

// assemble resolves the submission against a data set and merges it with what
// the country has. Faults go to the submission's refusal.
func (s *Submission) assemble(set *cs.DataSet, country string, scope Scope) *cs.Contribution {
	a := &assembly{Submission: s, set: set, country: country, objects: make(map[string]*Object, len(s.Objects)), known: map[string]string{},
		linked: map[string][]Link{}, places: map[string]*Object{}, out: &cs.Contribution{Country: country}}
	for _, r := range set.Requirements {
		a.known["urn:uuid:"+r.ID[strings.LastIndexByte(r.ID, '/')+1:]] = r.ID
	}
	for i := range s.Objects {
		o := &s.Objects[i]
		a.objects[o.ID] = o
		a.foreign(o)
		a.localise(o)
	}
	a.links()
	for i := range s.Objects {
		a.add(&s.Objects[i])
	}
	a.merge(scope)
	if len(s.faults.Faults) == 0 {
		a.check()
	}
	return a.out
}

func (a *assembly) say(code Code, rule string, o *Object, format string, args ...any) {
	a.faults.add(at(code, rule, o.ID, o.at, format, args...))
}

var srAddress = regexp.MustCompile(`^https://sr\.(?:([a-z0-9]+)\.)?oots\.tech\.ec\.europa\.eu/(.*)$`)

// foreign looks for countries anywhere in an object: administrative units and
// the segments of addresses (X-LCM-MS-01).
func (a *assembly) foreign(o *Object) {
	report := func(e *xmltree.Element, cc string) {
		a.faults.Foreign = true
		a.faults.add(at(BadSubmission, RuleCountry, o.ID, e, "the object names the country %.10q; %s submits its own data only, so the whole submission is refused", cc, a.country))
	}
	address := func(e *xmltree.Element, s string) {
		m := srAddress.FindStringSubmatch(s)
		if m == nil {
			return
		}
		parts := strings.Split(m[2], "/")
		if len(parts) == 3 && (parts[0] == "evidencetypeclassifications" || parts[0] == "codelists") &&
			parts[1] != a.country && parts[1] != "EU" && parts[1] != "oots" {
			report(e, parts[1])
		}
	}
	for e := range o.at.Descendants() {
		if e.Space() != sdg.Space {
			continue
		}
		switch text := e.Norm(); e.Local() {
		case "AdminUnitLevel1":
			if text != a.country {
				report(e, text)
			}
		case "EvidenceTypeClassification", "ValueExpression":
			address(e, text)
		case "AdditionalJurisdictionClassification":
			address(e, e.Attr("", "listID"))
		case "Identifier":
			address(e, e.Attr("", "schemeID"))
		}
	}
}

// plain is an address as the model keeps it: without the label of its own
// environment, with the path family of line 2.0. Other texts stay.
func (a *assembly) plain(o *Object, s *string) {
	m := srAddress.FindStringSubmatch(*s)
	if m == nil {
		return
	}
	if m[1] != "" && m[1] != a.set.Label {
		a.say(BadObject, RuleWhole, o, "an address carries the label %q of another environment; addresses noted there are not valid here", m[1])
		return
	}
	rest := m[2]
	if name, ok := strings.CutPrefix(rest, "distributions/"); ok {
		rest = "datamodels/" + name
	}
	*s = cs.Repository + rest
}

// localise brings an object's addresses into the model's form and drops what
// only a line's wire form has.
func (a *assembly) localise(o *Object) {
	switch v := o.Value.(type) {
	case *sdg.EvidenceType:
		a.plain(o, &v.Classification)
		if len(v.Distributions) > 0 {
			a.say(BadObject, "R-EB-SUB-S026", o, "an evidence type has no distribution; the data service says it")
		}
	case *sdg.EvidenceTypeList:
		a.jurisdiction(o, v.Jurisdiction)
		if len(v.EvidenceTypes) > 0 {
			a.say(BadObject, "R-EB-SUB-S027", o, "a list holds no evidence type; write an association ContainsEvidence")
			v.EvidenceTypes = nil
		}
	case *sdg.Requirement:
		a.plain(o, &v.ID)
		v.ID = strings.ToLower(v.ID)
		if len(v.Frameworks)+len(v.EvidenceTypeLists) > 0 {
			a.say(BadObject, "R-EB-SUB-S028", o, "a requirement holds neither frameworks nor lists; write associations")
		}
		if a.set.Requirement(v.ID) == nil {
			a.say(BadObject, RuleReferences, o, "the requirement %.120q is not registered; requirements are the Union's, refer to one of them", v.ID)
		}
	case *sdg.ReferenceFramework:
		a.jurisdiction(o, v.Jurisdiction)
	case *sdg.DataServiceEvidenceType:
		a.record(o, v)
	case *sdg.AccessService:
		if o.Node == "EvidenceProvider" && v.Publisher == nil {
			a.say(BadObject, "R-DSD-SUB-S018", o, "the access service has no publisher, and the object is an EvidenceProvider")
		}
		if o.Node == "AccessService" && v.Publisher != nil {
			a.say(BadObject, "R-DSD-SUB-S018", o, "an AccessService object has no publisher; write an EvidenceProvider and an association UsesAccessService")
		}
		if v.Publisher != nil {
			a.publisher(o, v.Publisher)
		}
	case *sdg.Publisher:
		a.publisher(o, v)
	}
}

func (a *assembly) record(o *Object, v *sdg.DataServiceEvidenceType) {
	a.plain(o, &v.Classification)
	for i := range v.DistributedAs {
		d := &v.DistributedAs[i]
		a.plain(o, &d.ConformsTo)
		if d.Transformation != "" || len(d.Associated) > 0 {
			a.say(BadObject, "R-DSD-SUB-S021", o, "a distribution has no transformation; publish another distribution with its own data model")
		}
	}
	if len(v.AccessServices) > 0 {
		a.say(BadObject, "R-DSD-SUB-S020", o, "the record holds an access service; tie a provider to it with an association")
	}
	if v.JurisdictionAsked != nil {
		a.say(BadObject, RuleWhole, o, "the record asks for a place by level; this directory keeps the model of line 2.0, which asks by a code list of the country: write an EvidenceProviderClassification")
	}
	a.concepts(o, v.ProviderQuestions)
}

func (a *assembly) concepts(o *Object, list []sdg.ClassificationConcept) {
	for i := range list {
		a.plain(o, &list[i].Identifier.Scheme)
		a.plain(o, &list[i].ValueExpression)
		list[i].Type = strings.ToLower(list[i].Type)
	}
}

func (a *assembly) publisher(o *Object, p *sdg.Publisher) {
	a.jurisdiction(o, p.Jurisdiction)
	a.concepts(o, p.Concepts)
}

func (a *assembly) jurisdiction(o *Object, j *sdg.Jurisdiction) {
	if j != nil {
		for i := range j.Classifications {
			a.plain(o, &j.Classifications[i].List)
		}
	}
}

// links judges the associations and files them under source and target.
func (a *assembly) links() {
	for _, l := range a.Links {
		bad := func(code Code, rule, format string, args ...any) {
			a.faults.add(at(code, rule, l.ID, l.at, format, args...))
		}
		i := slices.IndexFunc(linkKinds, func(k linkKind) bool { return k.name == l.Type })
		if i < 0 {
			bad(BadAssociation, "R-EB-SUB-S030", "the association type %.80q is not known", l.Type)
			continue
		}
		k := &linkKinds[i]
		ok := true
		for _, end := range []struct {
			name, id, node string
			known          bool
		}{{"sourceObject", l.Source, k.from, k.knownFrom}, {"targetObject", l.Target, k.to, k.knownTo}} {
			o := a.objects[end.id]
			_, registered := a.known[end.id]
			switch {
			case o != nil && o.Node == end.node || o == nil && end.known && registered:
				continue
			case o != nil:
				bad(BadAssociation, k.rule, "the %s of %s is an object %s; name an object %s", end.name, k.name, o.Node, end.node)
			case end.known:
				bad(BadSubmission, RuleReferences, "the %s %.60q is neither an object of the submission nor a registered requirement", end.name, end.id)
			default:
				bad(BadSubmission, RuleReferences, "the %s %.60q is no object of the submission", end.name, end.id)
			}
			ok = false
		}
		if ok {
			a.linked[l.Source+" "+l.Type] = append(a.linked[l.Source+" "+l.Type], l)
			a.linked[l.Target+" "+l.Type] = append(a.linked[l.Target+" "+l.Type], l)
		}
	}
}

// requirement is the address behind an end that is a requirement.
func (a *assembly) requirement(id string) string {
	if o := a.objects[id]; o != nil {
		return keyOf(o.Value)
	}
	return a.known[id]
}

// add puts an object into the contribution.
func (a *assembly) add(o *Object) {
	c := a.out
	kind := o.Node
	switch v := o.Value.(type) {
	case *sdg.EvidenceType:
		t := *v
		t.Jurisdictions = nil
		c.EvidenceTypes = append(c.EvidenceTypes, t)
	case *sdg.EvidenceTypeList:
		l := cs.EvidenceTypeList{EvidenceTypeList: *v}
		for _, k := range a.linked[o.ID+" ContainsEvidence"] {
			t := a.objects[k.Target].Value.(*sdg.EvidenceType)
			l.Types = append(l.Types, t.Classification)
			if l.Jurisdiction == nil && len(t.Jurisdictions) > 0 { // lines 1.x say it on the type
				j := t.Jurisdictions[0]
				l.Jurisdiction = &j
			}
		}
		if l.Jurisdiction == nil {
			l.Jurisdiction = &sdg.Jurisdiction{AdminUnitLevel1: a.country}
		}
		for _, k := range a.linked[o.ID+" FulfillsRequirement"] {
			l.Requirements = append(l.Requirements, a.requirement(k.Target))
		}
		c.Lists = append(c.Lists, l)
	case *sdg.ReferenceFramework:
		f := cs.ReferenceFramework{ReferenceFramework: *v}
		for _, k := range a.linked[o.ID+" DerivesFromReferenceFramework"] {
			f.Requirements = append(f.Requirements, a.requirement(k.Source))
		}
		c.Frameworks = append(c.Frameworks, f)
	case *sdg.DataServiceEvidenceType:
		c.Records = append(c.Records, *v)
	case *sdg.Publisher:
		a.provider(o, *v, nil)
	case *sdg.AccessService:
		s := *v
		s.Publisher = nil
		if kind == "EvidenceProvider" {
			if v.Publisher == nil {
				return
			}
			a.service(o, s)
			a.provider(o, *v.Publisher, &s.Identifier)
			a.places["EvidenceProvider "+keyOf(v.Publisher)] = o
		} else {
			c.AccessServices = append(c.AccessServices, s)
		}
		a.places["AccessService "+s.Identifier.Value] = o
		return
	case *cs.CodeList:
		c.CodeLists = append(c.CodeLists, *v)
		a.places["CodeList "+cs.CodeListAddress(a.country, v.Name)] = o
		return
	}
	a.places[kind+" "+keyOf(o.Value)] = o
}

// service adds an access service of line 1.0, where each of its publishers
// repeats it, once with one line of the Exchange Data Model.
func (a *assembly) service(o *Object, s sdg.AccessService) {
	for i := range a.out.AccessServices {
		known := &a.out.AccessServices[i]
		if known.Identifier != s.Identifier {
			continue
		}
		if !slices.Equal(known.Names, s.Names) {
			a.say(BadObject, "R-DSD-SUB-S018", o, "the access service stands elsewhere in the submission under another name")
		}
		for _, line := range s.ConformsTo {
			if !slices.Contains(known.ConformsTo, line) {
				known.ConformsTo = append(known.ConformsTo, line)
			}
		}
		return
	}
	s.ConformsTo = slices.Clone(s.ConformsTo)
	a.out.AccessServices = append(a.out.AccessServices, s)
}

// provider adds a publisher with what it provides; service is its access
// service where line 1.0 says it in the same object.
func (a *assembly) provider(o *Object, pub sdg.Publisher, service *sdg.Identifier) {
	p := cs.Provider{Publisher: pub}
	if service != nil {
		p.AccessServices = append(p.AccessServices, *service)
	}
	for _, typ := range []string{"ServesEvidenceType", "ProvidesEvidenceType"} {
		for _, k := range a.linked[o.ID+" "+typ] {
			p.Records = append(p.Records, keyOf(a.objects[k.Target].Value))
		}
	}
	for _, k := range a.linked[o.ID+" UsesAccessService"] {
		p.AccessServices = append(p.AccessServices, a.objects[k.Target].Value.(*sdg.AccessService).Identifier)
	}
	for i := range a.out.Providers {
		known := &a.out.Providers[i]
		if service == nil || known.Identifier != p.Identifier {
			continue
		}
		if len(changed(flatten(known.Publisher), flatten(p.Publisher))) > 0 {
			a.say(BadObject, "R-DSD-SUB-S018", o, "the publisher stands elsewhere in the submission with other words")
		}
		known.AccessServices = union(known.AccessServices, p.AccessServices)
		known.Records = union(known.Records, p.Records)
		return
	}
	a.out.Providers = append(a.out.Providers, p)
}

func union[T comparable](a, b []T) []T {
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

// merge keeps of the country's old part what the submission does not replace.
func (a *assembly) merge(scope Scope) {
	old := a.set.Contributions[a.country]
	if old == nil {
		old = &cs.Contribution{Country: a.country}
	}
	spoken := map[string]bool{}
	for _, o := range a.Objects {
		kind := o.Node
		if scope == PerService {
			i := slices.IndexFunc(nodes, func(n node) bool { return n.name == o.Node })
			kind = nodes[i].scheme
		}
		spoken[kind] = true
	}
	kept := func(kind, scheme string) bool {
		if scope == PerService {
			return !spoken[scheme]
		}
		return !spoken[kind]
	}
	if kept("EvidenceType", SchemeEB) {
		a.out.EvidenceTypes = old.EvidenceTypes
	}
	if kept("EvidenceTypeList", SchemeEB) {
		a.out.Lists = old.Lists
	}
	if kept("ReferenceFramework", SchemeEB) {
		a.out.Frameworks = old.Frameworks
	}
	if kept("DataServiceEvidenceType", SchemeDSD) {
		a.out.Records = old.Records
	}
	providers := kept("EvidenceProvider", SchemeDSD)
	if kept("AccessService", SchemeDSD) && (scope == PerService || providers) || len(a.out.AccessServices) == 0 && scope == PerKind {
		a.out.AccessServices = old.AccessServices
	}
	if providers {
		a.out.Providers = old.Providers
	}
	if kept("CodeList", SchemeList) {
		a.out.CodeLists = old.CodeLists
	}
}

var ruleInText = regexp.MustCompile(`\b(?:R|X)-[A-Z0-9-]+[A-Z]?[0-9]{2,3}`)

// check holds the merged part together and tells each problem at the object
// that brought it.
func (a *assembly) check() {
	for _, f := range examine(a.set, a.out) {
		kind, id, _ := strings.Cut(f.Object, " ")
		f.Object = id
		if o := a.places[kind+" "+id]; o != nil {
			p := o.at.Pos()
			f.Object, f.Line, f.Column = o.ID, p.Line, p.Column
		}
		a.faults.add(f)
	}
}

// examine tells what is wrong with a country's next part; each fault's Object
// is the kind and the identifier, and it gives code lists their history.
func examine(set *cs.DataSet, next *cs.Contribution) []Fault {
	var out []Fault
	for _, f := range follow(set.Contributions[next.Country], next) {
		f.Object = "CodeList " + f.Object
		out = append(out, f)
	}
	for _, p := range set.CheckContribution(next) {
		rule := ruleInText.FindString(p.Text)
		if rule == "" {
			rule = RuleWhole
		}
		out = append(out, Fault{Code: BadObject, Rule: rule, Object: p.Kind + " " + p.Object, Text: p.Text})
	}
	out = append(out, foreignPart(next)...)
	return out
}

// foreignPart finds another country where the model's check looks for none:
// in the addresses of providers.
func foreignPart(c *cs.Contribution) (out []Fault) {
	for i := range c.Providers {
		p := &c.Providers[i]
		if p.Address != nil && p.Address.AdminUnitLevel1 != "" && p.Address.AdminUnitLevel1 != c.Country {
			out = append(out, Fault{Code: BadSubmission, Rule: RuleCountry, Object: "EvidenceProvider " + keyOf(&p.Publisher),
				Text: fmt.Sprintf("the address is in %q; a country writes its own data only (%s)", p.Address.AdminUnitLevel1, c.Country)})
		}
	}
	return out
}

// clone copies a contribution so deep that lists can be changed in place of the
// old ones.
func clone(c *cs.Contribution) *cs.Contribution {
	next := *c
	next.EvidenceTypes = slices.Clone(c.EvidenceTypes)
	next.Lists = slices.Clone(c.Lists)
	next.Frameworks = slices.Clone(c.Frameworks)
	next.Records = slices.Clone(c.Records)
	next.AccessServices = slices.Clone(c.AccessServices)
	next.Providers = slices.Clone(c.Providers)
	next.CodeLists = slices.Clone(c.CodeLists)
	return &next
}
