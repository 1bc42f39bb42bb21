package commonservices

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/sdg"
)

// Problem is one thing in a contribution that does not hold together.
type Problem struct {
	Country string
	Kind    string // EvidenceType, EvidenceTypeList, ReferenceFramework, DataServiceEvidenceType, AccessService, EvidenceProvider, CodeList
	Object  string // its identifier
	Text    string // what was found and what to do
}

func (p Problem) String() string {
	return fmt.Sprintf("%s, %s %s: %s", p.Country, p.Kind, p.Object, p.Text)
}

// Check tells what in a data set does not hold together: references that lead
// nowhere, objects of another country, identifiers used twice, values outside
// of their lists. An empty answer means that every query can be answered.
func (d *DataSet) Check() []Problem {
	var out []Problem
	for c := range d.each {
		out = append(out, d.CheckContribution(c)...)
	}
	return out
}

// CheckContribution tells what is wrong with one country's part, seen beside
// the rest of the data set, of which it need not be a part yet.
func (d *DataSet) CheckContribution(c *Contribution) []Problem {
	k := checker{d: d, c: c, seen: map[string]bool{}, types: map[string]bool{}, records: map[string]*sdg.DataServiceEvidenceType{}, services: map[sdg.Identifier]bool{}, lists: map[string]*CodeList{}}
	k.run()
	return k.found
}

type checker struct {
	d        *DataSet
	c        *Contribution
	seen     map[string]bool
	types    map[string]bool
	records  map[string]*sdg.DataServiceEvidenceType
	services map[sdg.Identifier]bool
	lists    map[string]*CodeList
	kind, id string
	found    []Problem
}

func (k *checker) say(format string, args ...any) {
	k.found = append(k.found, Problem{k.c.Country, k.kind, k.id, fmt.Sprintf(format, args...)})
}

// at begins the object of a kind and tells when its identifier is used twice.
func (k *checker) at(kind, id string) {
	k.kind, k.id = kind, id
	if key := kind + " " + strings.ToLower(id); k.seen[key] {
		k.say("the identifier is used twice; give each object its own")
	} else {
		k.seen[key] = true
	}
}

var (
	uuidForm     = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	listNameForm = regexp.MustCompile(`^[A-Za-z0-9]{2,50}$`)
	edmForm      = regexp.MustCompile(`^oots-edm:v[0-9]{1,3}\.[0-9]{1,3}$`)
)

var codes = codelist.BuiltIn()

func (k *checker) run() {
	c := k.c
	if k.kind, k.id = "Contribution", c.Country; !codes.Contains(codelist.Country, c.Country) {
		k.say("%q is no code of the list OOTS_Country (Greece is EL)", c.Country)
	}
	for i := range c.CodeLists {
		k.codeList(&c.CodeLists[i])
	}
	for i := range c.EvidenceTypes {
		t := &c.EvidenceTypes[i]
		k.at("EvidenceType", t.Classification)
		k.classification(t.Classification)
		k.texts("title", t.Titles, true)
		k.texts("description", t.Descriptions, false)
		if len(t.Jurisdictions) > 0 || len(t.Distributions) > 0 {
			k.say("an evidence type of the directory has neither jurisdiction nor distribution; the list and the data service say them")
		}
		k.types[t.Classification] = true
	}
	if eu := k.d.Contributions["EU"]; eu != nil {
		for _, t := range eu.EvidenceTypes {
			k.types[t.Classification] = true
		}
	}
	for i := range c.Lists {
		k.list(&c.Lists[i])
	}
	for i := range c.Frameworks {
		k.framework(&c.Frameworks[i])
	}
	for i := range c.Records {
		k.record(&c.Records[i])
	}
	for i := range c.AccessServices {
		k.accessService(&c.AccessServices[i])
	}
	for i := range c.Providers {
		k.provider(&c.Providers[i])
	}
}

func (k *checker) texts(what string, list []sdg.Text, must bool) {
	if must && len(list) == 0 {
		k.say("it has no %s; write one at least", what)
	}
	for _, t := range list {
		switch {
		case !codes.Contains(codelist.Language, t.Lang):
			k.say("the language %q of a %s is no code of the list LanguageCode; write two capital letters", t.Lang, what)
		case strings.TrimSpace(t.Value) == "":
			k.say("the %s in %s is empty", what, t.Lang)
		}
	}
}

func (k *checker) uuid(id string) {
	if !uuidForm.MatchString(id) {
		k.say("the identifier is not a bare UUID")
	}
}

// classification wants an own address, or one of a type of the Union.
func (k *checker) classification(address string) {
	cc := countryOf(address)
	rest, ok := strings.CutPrefix(address, Repository+"evidencetypeclassifications/"+cc+"/")
	switch {
	case !ok || cc == "" || !uuidForm.MatchString(rest) || rest != strings.ToLower(rest):
		k.say("the classification is not of the form %s", ClassificationAddress(k.c.Country, "<uuid in lower case>"))
	case cc != k.c.Country && cc != "EU" && cc != "oots":
		k.say("the classification belongs to %s; a country writes its own data only", cc)
	}
}

func (k *checker) jurisdiction(what string, j *sdg.Jurisdiction) {
	switch {
	case j == nil:
		k.say("it has no %s", what)
	case j.AdminUnitLevel1 != k.c.Country:
		k.say("the %s names %q; a country writes its own data only (%s)", what, j.AdminUnitLevel1, k.c.Country)
	default:
		for _, code := range j.Classifications {
			k.code(code.List, code.Code)
		}
	}
}

// code wants a code of a list of one's own.
func (k *checker) code(address, code string) {
	l := k.lists[address]
	switch {
	case l == nil:
		k.say("the code list %s is not among the country's own; submit it", address)
	case !l.Has(code):
		k.say("%q is no code of the list %s", code, address)
	}
}

func (k *checker) requirements(list []string) {
	if len(list) == 0 {
		k.say("it names no requirement")
	}
	for _, r := range list {
		if k.d.Requirement(r) == nil {
			k.say("the requirement %s does not exist", r)
		}
	}
}

func (k *checker) codeList(l *CodeList) {
	address := CodeListAddress(k.c.Country, l.Name)
	k.at("CodeList", address)
	k.lists[address] = l
	if !listNameForm.MatchString(l.Name) {
		k.say("the name %q is not 2 to 50 letters or digits", l.Name)
	}
	if l.Version == "" {
		k.say("the list has no version; write one such as 1.0.0")
	}
	if len(l.Codes) == 0 {
		k.say("the list has no code")
	}
	seen := map[string]bool{}
	for _, c := range l.Codes {
		if c.Code == "" || seen[c.Code] {
			k.say("the code %q is empty or stands twice", c.Code)
		}
		seen[c.Code] = true
		k.texts("name", c.Names, false)
	}
}

func (k *checker) list(l *EvidenceTypeList) {
	k.at("EvidenceTypeList", l.ID)
	k.uuid(l.ID)
	k.texts("name", l.Names, false)
	k.texts("reason", l.MatchDescriptions, false)
	k.jurisdiction("jurisdiction", l.Jurisdiction)
	k.requirements(l.Requirements)
	switch {
	case l.MatchType != "" && l.MatchType != "NoMatch":
		k.say("MatchType is %q; NoMatch is the only value (R-EB-EVI-C043)", l.MatchType)
	case l.MatchType == "" && len(l.Types) == 0:
		k.say("the list is empty; name evidence types or declare NoMatch (R-EB-EVI-S015)")
	case l.MatchType != "" && len(l.Types) > 0:
		k.say("the list declares NoMatch and yet names evidence types")
	}
	for _, t := range l.Types {
		if !k.types[t] {
			k.say("the evidence type %s does not exist", t)
		}
	}
}

func (k *checker) framework(f *ReferenceFramework) {
	k.at("ReferenceFramework", f.ID)
	k.uuid(f.ID)
	k.texts("title", f.Titles, true)
	k.texts("description", f.Descriptions, false)
	k.jurisdiction("jurisdiction", f.Jurisdiction)
	k.requirements(f.Requirements)
	if len(f.Procedures) != 1 {
		k.say("it relates to %d procedures; name one", len(f.Procedures))
	}
	for _, p := range f.Procedures {
		if p != codelist.SystemCheck && !codes.Contains(codelist.Procedures, p) {
			k.say("%q is no code of the list Procedures", p)
		}
	}
}

func (k *checker) record(r *sdg.DataServiceEvidenceType) {
	k.at("DataServiceEvidenceType", r.ID)
	k.records[r.ID] = r
	k.uuid(r.ID)
	k.classification(r.Classification)
	k.texts("title", r.Titles, true)
	k.texts("description", r.Descriptions, false)
	if len(r.AccessServices) > 0 || r.JurisdictionAsked != nil {
		k.say("a record stands without access services and jurisdiction determination")
	}
	if r.LevelOfAssurance != "" && !codes.Contains(codelist.LevelsOfAssurance, r.LevelOfAssurance) {
		k.say("the level of assurance %q is none of Low, Substantial, High", r.LevelOfAssurance)
	}
	k.distributions(r.DistributedAs)
	asked := map[string]bool{}
	for _, q := range r.ProviderQuestions {
		k.question(q)
		if id := strings.ToLower(q.Identifier.Value); asked[id] {
			k.say("the question %s is asked twice", q.Identifier.Value)
		} else {
			asked[id] = true
		}
	}
}

func (k *checker) distributions(list []sdg.Distribution) {
	if len(list) == 0 {
		k.say("it has no distribution (R-DSD-RESP-S027)")
	}
	media := codes.List(codelist.OOTSMediaTypes)
	unstructured := false
	for _, d := range list {
		for _, f := range d.Formats {
			row, ok := media.Lookup(f)
			if !ok {
				k.say("the format %q is no code of the list OOTSMediaTypes", f)
			}
			unstructured = unstructured || row.Get("structure") == "unstructured"
		}
	}
	for _, d := range list {
		for _, l := range d.Languages {
			if !codes.Contains(codelist.Language, l) {
				k.say("the language %q of a distribution is no code of the list LanguageCode", l)
			}
		}
		row, _ := media.Lookup(d.Format())
		switch structured := row.Get("structure") == "structured"; {
		case structured && d.ConformsTo == "" && !unstructured:
			k.say("the distribution as %s names no data model (R-DSD-RESP-C039, C041)", d.Format())
		case !structured && d.ConformsTo != "":
			k.say("the distribution as %s names a data model; only structured ones may (R-DSD-RESP-C067)", d.Format())
		case d.ConformsTo != "" && !strings.HasPrefix(d.ConformsTo, Repository+"datamodels/"):
			k.say("the data model %s is not of the form %s (R-DSD-RESP-C010)", d.ConformsTo, DataModelAddress("<name>"))
		}
	}
}

// question wants what a user needs to answer (R-DSD-ERR-C005 to C009).
func (k *checker) question(q sdg.ClassificationConcept) {
	if !uuidForm.MatchString(q.Identifier.Value) {
		k.say("the question's identifier %q is not a UUID", q.Identifier.Value)
	}
	k.texts("question", q.Descriptions, true)
	if q.Values != nil {
		k.say("a question carries no supported value; its providers do")
	}
	switch strings.ToLower(q.Type) {
	case "codelist":
		if k.lists[q.ValueExpression] == nil {
			k.say("the question's code list %q is not among the country's own; submit it", q.ValueExpression)
		}
	case "string":
		if _, err := regexp.Compile(q.ValueExpression); err != nil {
			k.say("the question's expression cannot be read as a regular expression")
		}
	case "boolean":
	default:
		k.say("the question's type %q is none of codelist, string, boolean", q.Type)
	}
}

func (k *checker) scheme(id sdg.Identifier) {
	eas, isEAS := strings.CutPrefix(id.Scheme, "urn:cef.eu:names:identifier:EAS:")
	cc, isUnregistered := strings.CutPrefix(id.Scheme, "urn:oasis:names:tc:ebcore:partyid-type:unregistered:")
	switch {
	case id.Value == "":
		k.say("the identifier is empty")
	case isEAS && codes.Contains(codelist.EAS, eas):
	case isUnregistered && (codes.Contains(codelist.Country, cc) || cc == "oots"):
	default:
		k.say("the scheme %q is neither EAS nor an unregistered party of a country", id.Scheme)
	}
}

func (k *checker) accessService(s *sdg.AccessService) {
	k.at("AccessService", s.Identifier.Value)
	k.services[s.Identifier] = true
	k.scheme(s.Identifier)
	k.texts("name", s.Names, false)
	if s.Publisher != nil {
		k.say("an access service stands without its publisher; providers name their access services")
	}
	if len(s.ConformsTo) == 0 {
		k.say("it names no line of the Exchange Data Model")
	}
	for _, line := range s.ConformsTo {
		if !edmForm.MatchString(line) {
			k.say("%q is no line such as oots-edm:v2.0 (R-DSD-RESP-C015)", line)
		}
	}
}

func (k *checker) provider(p *Provider) {
	k.at("EvidenceProvider", p.Identifier.Scheme+"::"+p.Identifier.Value)
	k.scheme(p.Identifier)
	k.texts("name", p.Names, true)
	k.texts("description", p.Descriptions, false)
	k.jurisdiction("jurisdiction", p.Jurisdiction)
	switch {
	case p.Address == nil:
		k.say("it has no address; the country is enough")
	case p.Address.AdminUnitLevel1 == "":
		k.say("the address names no country")
	}
	if len(p.AccessServices) == 0 && len(p.Records) > 0 {
		k.say("it provides evidence but uses no access service")
	}
	for _, s := range p.AccessServices {
		if !k.services[s] {
			k.say("the access service %s does not exist", s.Value)
		}
	}
	for _, id := range p.Records {
		r := k.records[id]
		if r == nil {
			k.say("the data service evidence type %s does not exist", id)
			continue
		}
		for _, q := range r.ProviderQuestions {
			if !answersQuestion(&p.Publisher, q) {
				k.say("the record %s asks the question %s and the provider names no value for it (R-DSD-SUB-S031)", id, q.Identifier.Value)
			}
		}
	}
	for _, v := range p.Concepts {
		if v.Values == nil {
			k.say("the concept %s has no supported value (R-DSD-SUB-S031)", v.Identifier.Value)
			continue
		}
		if strings.EqualFold(v.Type, "codelist") {
			for _, s := range v.Values.Strings {
				k.code(v.ValueExpression, s)
			}
		}
	}
}

// answersQuestion tells whether a provider says at all for which answers it is
// responsible: by a value, or by the classification of its jurisdiction.
func answersQuestion(p *sdg.Publisher, q sdg.ClassificationConcept) bool {
	for _, v := range p.Concepts {
		if strings.EqualFold(v.Identifier.Value, q.Identifier.Value) {
			return true
		}
	}
	if p.Jurisdiction != nil {
		for _, c := range p.Jurisdiction.Classifications {
			if c.List == q.ValueExpression {
				return true
			}
		}
	}
	return false
}
