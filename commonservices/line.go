package commonservices

import (
	"slices"
	"strings"

	"github.com/once-only/oots/sdg"
)

// Line is a version of the query interface, as Accept-Version and the slot
// SpecificationIdentifier carry it (TDD 3.6.2).
type Line string

const (
	V20 Line = "oots-cs:v2.0"
	V12 Line = "oots-cs:v1.2"
	V11 Line = "oots-cs:v1.1"
	V10 Line = "oots-cs:v1.0"
)

// Lines are all lines, the newest first.
func Lines() []Line { return []Line{V20, V12, V11, V10} }

// lineSet is a set of lines, for tables of parameters.
type lineSet uint8

const (
	in20 lineSet = 1 << iota
	in12
	in11
	in10
	in1x    = in12 | in11 | in10
	inEvery = in20 | in1x
)

// dialect is one row of the table of differences between the lines. Parameters
// are in the table of queries.
type dialect struct {
	line  Line
	in    lineSet
	words sdg.Generation
	// echo tells the line in the slot SpecificationIdentifier.
	echo bool
	// labelled addresses carry the environment label, on the way in and out.
	labelled bool
	// models is the path family of data models.
	models string
	// onList: jurisdiction, NoMatch and classifications stand on evidence type
	// lists; else the jurisdiction stands on each evidence type and lists
	// without types cannot be said.
	onList bool
	// oneEDM: an access service names one line of the Exchange Data Model, so
	// one that speaks several is said several times.
	oneEDM bool
	// concepts spells the types of classification concepts.
	concepts map[string]string
}

// dialects is the table, in the order of Lines. The lines 1.1 and 1.2 answer in
// the shape of 1.0.
var dialects = []dialect{
	{V20, in20, sdg.V20, true, true, "datamodels/", true, false, map[string]string{"codelist": "codelist", "string": "string", "boolean": "boolean"}},
	{V12, in12, sdg.V10, false, false, "distributions/", false, false, capitals},
	{V11, in11, sdg.V10, false, false, "distributions/", false, true, capitals},
	{V10, in10, sdg.V10, false, false, "distributions/", false, true, capitals},
}

var capitals = map[string]string{"codelist": "Codelist", "string": "String", "boolean": "Boolean"}

func dialectOf(line Line) *dialect {
	i := slices.IndexFunc(dialects, func(d dialect) bool { return d.line == line })
	if i < 0 {
		return nil
	}
	return &dialects[i]
}

// oldest is the dialect of who names no version.
func oldest() *dialect { return &dialects[len(dialects)-1] }

// negotiate chooses the newest line of a comma-separated Accept-Version; nil
// when none is spoken here.
func negotiate(accept string) *dialect {
	if strings.TrimSpace(accept) == "" {
		return oldest()
	}
	for i := range dialects {
		for part := range strings.SplitSeq(accept, ",") {
			if strings.TrimSpace(part) == string(dialects[i].line) {
				return &dialects[i]
			}
		}
	}
	return nil
}

// voice says the model in one line and one environment.
type voice struct {
	*dialect
	label string // with a dot behind it, or ""
}

func (d *dialect) voice(label string) voice {
	if label == "" || !d.labelled {
		return voice{d, ""}
	}
	return voice{d, label + "."}
}

// base is where addresses of the Semantic Repository begin in this voice.
func (v voice) base() string { return "https://sr." + v.label + "oots.tech.ec.europa.eu/" }

// address says an address of the model.
func (v voice) address(a string) string {
	rest, ok := strings.CutPrefix(a, Repository)
	if !ok {
		return a
	}
	if name, ok := strings.CutPrefix(rest, "datamodels/"); ok {
		rest = v.models + name
	}
	return v.base() + rest
}

// plain is the model's form of an address that was said in this voice.
func (v voice) plain(a string) (string, bool) {
	rest, ok := strings.CutPrefix(a, v.base())
	if name, is := strings.CutPrefix(rest, v.models); is {
		rest = "datamodels/" + name
	}
	return Repository + rest, ok
}

func (v voice) jurisdiction(j *sdg.Jurisdiction) *sdg.Jurisdiction {
	if j == nil {
		return nil
	}
	out := *j
	if v.onList {
		out.AdminUnitLevel2, out.AdminUnitLevel3 = "", ""
		out.Classifications = nil
		for _, c := range j.Classifications {
			out.Classifications = append(out.Classifications, sdg.ListCode{List: v.address(c.List), Code: c.Code})
		}
	} else {
		out.Classifications = nil
	}
	return &out
}

func (v voice) requirement(r sdg.Requirement) sdg.Requirement {
	r.ID = v.address(r.ID)
	if v.words == sdg.V10 {
		r.Descriptions = nil
	}
	return r
}

func (v voice) framework(f sdg.ReferenceFramework) sdg.ReferenceFramework {
	f.Jurisdiction = v.jurisdiction(f.Jurisdiction)
	return f
}

// list says an evidence type list; ok is false for one that the line cannot
// say.
func (v voice) list(l sdg.EvidenceTypeList) (_ sdg.EvidenceTypeList, ok bool) {
	j := v.jurisdiction(l.Jurisdiction)
	types := make([]sdg.EvidenceType, len(l.EvidenceTypes))
	for i, t := range l.EvidenceTypes {
		t.Classification = v.address(t.Classification)
		if !v.onList {
			t.StructuredFormats = nil
			if j != nil {
				t.Jurisdictions = []sdg.Jurisdiction{*j}
			}
		}
		types[i] = t
	}
	l.EvidenceTypes, l.Jurisdiction = types, j
	if !v.onList {
		l.Jurisdiction, l.MatchType, l.MatchDescriptions = nil, "", nil
	}
	return l, v.onList || len(types) > 0
}

func (v voice) distributions(list []sdg.Distribution) []sdg.Distribution {
	out := make([]sdg.Distribution, len(list))
	for i, d := range list {
		d.ConformsTo = v.address(d.ConformsTo)
		d.Associated, d.Transformation = nil, ""
		if !v.onList {
			d.Languages = nil
		}
		out[i] = d
	}
	return out
}

func (v voice) concepts(list []sdg.ClassificationConcept) []sdg.ClassificationConcept {
	out := make([]sdg.ClassificationConcept, len(list))
	for i, c := range list {
		c.Identifier.Scheme = v.address(c.Identifier.Scheme)
		if !v.onList {
			c.Identifier.Scheme = ""
		}
		c.ValueExpression = v.address(c.ValueExpression)
		if t, ok := v.dialect.concepts[strings.ToLower(c.Type)]; ok {
			c.Type = t
		}
		out[i] = c
	}
	return out
}

func (v voice) publisher(p *sdg.Publisher) *sdg.Publisher {
	out := *p
	out.Jurisdiction = v.jurisdiction(p.Jurisdiction)
	out.Concepts = v.concepts(p.Concepts)
	if v.words == sdg.V10 {
		out.Descriptions = nil
	}
	return &out
}

// record says a data service evidence type with its access services.
func (v voice) record(r sdg.DataServiceEvidenceType) sdg.DataServiceEvidenceType {
	services, questions := r.AccessServices, r.ProviderQuestions
	r = v.whole(r)
	for _, s := range services {
		s.Publisher = v.publisher(s.Publisher)
		if !v.onList {
			wordConcepts(s.Publisher.Concepts, questions)
		}
		if !v.oneEDM {
			r.AccessServices = append(r.AccessServices, s)
			continue
		}
		for _, line := range s.ConformsTo {
			one := s
			one.ConformsTo = []string{line}
			r.AccessServices = append(r.AccessServices, one)
		}
	}
	return r
}

// whole says a record without its access services.
func (v voice) whole(r sdg.DataServiceEvidenceType) sdg.DataServiceEvidenceType {
	return sdg.DataServiceEvidenceType{
		ID: r.ID, Classification: v.address(r.Classification), Titles: r.Titles, Descriptions: r.Descriptions,
		DistributedAs: v.distributions(r.DistributedAs), LevelOfAssurance: r.LevelOfAssurance,
	}
}

// reduced says what of a record a question shows (R-DSD-ERR-S013). Lines 1.x
// want a description (R-DSD-ERR-S021): the title stands in for one.
func (v voice) reduced(r sdg.DataServiceEvidenceType) sdg.DataServiceEvidenceType {
	r = v.whole(r)
	if !v.onList && len(r.Descriptions) == 0 {
		r.Descriptions = r.Titles
	}
	return r
}

// wordConcepts gives a provider's concepts the words of the questions that they
// answer, which lines 1.x want there (R-DSD-RESP-C025).
func wordConcepts(concepts, questions []sdg.ClassificationConcept) {
	for i := range concepts {
		for _, q := range questions {
			if len(concepts[i].Descriptions) == 0 && strings.EqualFold(q.Identifier.Value, concepts[i].Identifier.Value) {
				concepts[i].Descriptions = q.Descriptions
			}
		}
	}
}
