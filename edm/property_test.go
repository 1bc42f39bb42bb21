package edm

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// The generators make any message that a line can say; texts are normalised,
// since white space carries no meaning.

type made struct {
	t    *rapid.T
	line Line
}

func (g made) two() bool { return g.line == V20 }

func (g made) text(label string) string {
	s := rapid.StringMatching(`[A-Za-zÀ-žΑ-ωА-я0-9&<>"'\]#;. -]{2,24}`).Draw(g.t, label)
	if s = xmltree.NormalizeSpace(s); s == "" {
		return "xx"
	}
	return s
}

func (g made) maybe(label string) string {
	if rapid.Bool().Draw(g.t, label+"?") {
		return g.text(label)
	}
	return ""
}

func (g made) bool(label string) bool { return rapid.Bool().Draw(g.t, label) }

func (g made) uuid(label string) string {
	return rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}`).Draw(g.t, label)
}

func (g made) urn(label string) string { return "urn:uuid:" + g.uuid(label) }

func (g made) time(label string) time.Time {
	return time.UnixMilli(rapid.Int64Range(1_600_000_000_000, 1_900_000_000_000).Draw(g.t, label)).UTC()
}

func (g made) date(label string) string { return g.time(label).Format(time.DateOnly) }

func some[T any](g made, label string, least, most int, one func(string) T) []T {
	n := rapid.IntRange(least, most).Draw(g.t, label+" count")
	if n == 0 {
		return nil
	}
	list := make([]T, n)
	for i := range list {
		list[i] = one(label)
	}
	return list
}

func pick[T any](g made, label string, one func(string) T) *T {
	if !g.bool(label + "?") {
		return nil
	}
	v := one(label)
	return &v
}

func (g made) multi(label string) sdg.Text {
	return sdg.Text{Lang: rapid.SampledFrom([]string{"EN", "FI", "EL"}).Draw(g.t, label+" language"), Value: g.text(label)}
}

func (g made) identifier(label string) sdg.Identifier {
	return sdg.Identifier{Scheme: g.maybe(label + " scheme"), Value: g.text(label)}
}

func (g made) address(label string) sdg.Address {
	return sdg.Address{FullAddress: g.maybe(label), LocatorDesignator: g.maybe(label), PostCode: g.maybe(label), PostCityName: g.maybe(label),
		Thoroughfare: g.maybe(label), AdminUnitLevel1: "FI", AdminUnitLevel2: g.maybe(label)}
}

func (g made) bareAgent(label string) sdg.Agent {
	return sdg.Agent{Identifier: g.identifier(label), Names: some(g, label, 1, 2, g.multi)}
}

func (g made) agent(label string) sdg.Agent {
	a := g.bareAgent(label)
	a.Address, a.Classification = pick(g, label+" address", g.address), rapid.SampledFrom([]string{"", "ER", "IP", "EP", "ERRP"}).Draw(g.t, label+" class")
	return a
}

func (g made) attribute(label string) sdg.Attribute {
	return sdg.Attribute{Name: g.text(label), URI: g.text(label), Value: g.text(label)}
}

func (g made) person(label string) sdg.Person {
	p := sdg.Person{LevelOfAssurance: g.maybe(label), Identifier: pick(g, label, g.identifier), FamilyName: g.text(label), GivenName: g.text(label),
		DateOfBirth: g.date(label), BirthName: g.maybe(label), PlaceOfBirth: g.maybe(label), CurrentAddress: pick(g, label, g.address), Gender: g.maybe(label),
		Attributes: some(g, label, 0, 2, g.attribute)}
	if g.line != V10 {
		p.Nationalities, p.CountryOfBirth, p.TownOfBirth = some(g, label, 0, 2, g.text), g.maybe(label), g.maybe(label)
		p.CountryOfResidence, p.PhoneNumber, p.EmailAddress = g.maybe(label), g.maybe(label), g.maybe(label)
	}
	return p
}

func (g made) legalPerson(label string) sdg.LegalPerson {
	p := sdg.LegalPerson{LevelOfAssurance: g.maybe(label), Identifiers: some(g, label, 0, 2, g.identifier), LegalIdentifier: pick(g, label, g.identifier),
		LegalName: g.text(label), RegisteredAddress: pick(g, label, g.address), Attributes: some(g, label, 0, 1, g.attribute)}
	if g.line != V10 {
		p.PhoneNumber, p.EmailAddress = g.maybe(label), g.maybe(label)
	}
	return p
}

func (g made) requirement(label string) sdg.Requirement {
	r := sdg.Requirement{ID: g.text(label), Names: some(g, label, 1, 2, g.multi)}
	if g.line != V10 {
		r.Descriptions = some(g, label, 0, 2, g.multi)
	}
	return r
}

func (g made) answer(label string) sdg.ClassificationConcept {
	c := sdg.ClassificationConcept{Identifier: g.identifier(label), Type: g.maybe(label), ValueExpression: g.maybe(label), Descriptions: some(g, label, 0, 2, g.multi)}
	switch rapid.IntRange(0, 3).Draw(g.t, label+" kind") {
	case 1:
		c.Values = &sdg.SupportedValue{Strings: some(g, label, 1, 2, g.text)}
	case 2:
		c.Values = &sdg.SupportedValue{Dates: some(g, label, 1, 2, g.date)}
	case 3:
		c.Values = &sdg.SupportedValue{Booleans: some(g, label, 1, 2, g.bool)}
	}
	return c
}

func (g made) distribution(label string) sdg.Distribution {
	d := sdg.Distribution{Formats: []string{g.text(label)}, ConformsTo: g.maybe(label)}
	if g.two() {
		d.Languages, d.Associated = some(g, label, 0, 2, g.text), some(g, label, 0, 2, g.text)
	} else {
		d.Transformation = g.maybe(label)
	}
	return d
}

func (g made) request() *Request {
	r := &Request{Line: g.line, ID: g.urn("id"), IssuedAt: g.time("issued"), Procedure: g.text("procedure"),
		PreviewLocation: g.maybe("preview"), PossibilityForPreview: g.bool("possibility"), ExplicitRequestGiven: g.bool("explicit"),
		Requirements: some(g, "requirement", 1, 2, g.requirement), Requesters: some(g, "requester", 1, 2, g.agent),
		Provider: g.bareAgent("provider"), Answers: some(g, "answer", 0, 2, g.answer),
		Evidence: sdg.DataServiceEvidenceType{ID: g.text("evidence"), Classification: g.text("classification"),
			Titles: some(g, "title", 1, 2, g.multi), Descriptions: some(g, "description", 0, 2, g.multi)},
		Representative: pick(g, "representative", g.person)}
	if g.bool("natural") {
		p := g.person("person")
		r.NaturalPerson = &p
	} else {
		p := g.legalPerson("organisation")
		r.LegalPerson = &p
	}
	if g.line != V10 {
		r.RepresentativeOrganisation = pick(g, "representative organisation", g.legalPerson)
	}
	if g.two() {
		r.ReturnLocation = g.maybe("return")
		r.Evidence.DistributedAs = some(g, "distribution", 1, 3, g.distribution)
	} else {
		r.Lang = g.maybe("language")
		r.Evidence.DistributedAs = some(g, "distribution", 1, 1, g.distribution)
	}
	return r
}

func (g made) evidence(main bool) sdg.Evidence {
	e := sdg.Evidence{ID: g.uuid("evidence id"), Distribution: sdg.Distribution{Formats: []string{g.text("format")},
		Languages: some(g, "language", 0, 2, g.text), ConformsTo: g.maybe("model")}}
	if !main {
		return e
	}
	if !g.two() {
		e.Distribution.Transformation = g.maybe("transformation")
	}
	authority := g.bareAgent("authority")
	e.IssuingAuthority, e.IssuingDate, e.About = &authority, g.date("issued"), &sdg.Subject{}
	if g.bool("about a person") {
		p := g.person("subject")
		e.About.NaturalPerson = &p
	} else {
		p := g.legalPerson("subject")
		e.About.LegalPerson = &p
	}
	e.Type = &sdg.EvidenceType{Classification: g.text("type"), Titles: some(g, "title", 1, 2, g.multi), Descriptions: some(g, "description", 0, 1, g.multi)}
	e.Validity = pick(g, "validity", func(l string) sdg.Period { return sdg.Period{Start: g.date(l), End: g.date(l)} })
	return e
}

func (g made) document(kind DocumentKind) Document {
	return Document{ID: g.urn("document"), Kind: kind, Evidence: g.evidence(kind == MainEvidence),
		ContentID: rapid.StringMatching(`[a-zA-Z0-9%+ é._-]{1,12}@[a-z.]{1,8}`).Draw(g.t, "content id"), Title: g.maybe("document title")}
}

func (g made) pack(label string) Package {
	p := Package{Documents: []Document{g.document(MainEvidence)}}
	if !g.two() {
		return p
	}
	p.Documents = append(p.Documents, some(g, "supplement", 0, 2, func(string) Document {
		return g.document(rapid.SampledFrom([]DocumentKind{Annex, HumanReadableVersion, Translation}).Draw(g.t, "kind"))
	})...)
	return p
}

func (g made) response() *Response {
	r := &Response{Line: g.line, ID: g.uuid("id"), RequestID: g.urn("request"), IssuedAt: g.time("issued"),
		Providers: some(g, "provider", 1, 2, g.agent), Requester: g.bareAgent("requester"), Packages: some(g, "package", 0, 2, g.pack)}
	if g.bool("deferred") {
		r.AvailableAt = g.time("available")
	}
	if g.two() {
		r.AssignIDs(func() string { return g.uuid("new id") })
	}
	return r
}

func (g made) exception(label string) Exception {
	x := Exception{Code: Code(rapid.SampledFrom([]string{"EDM:ERR:0001", "EDM:ERR:0002", "EDM:ERR:0005", "EDM:ERR:0008"}).Draw(g.t, label)),
		Message: g.maybe(label), Detail: g.maybe(label), At: g.time(label), PreviewLocation: g.maybe(label), PreviewDescription: some(g, label, 0, 2, g.multi)}
	if !g.two() {
		x.PreviewMethod = g.maybe(label)
	}
	return x
}

func (g made) failure() *ErrorResponse {
	e := &ErrorResponse{Line: g.line, ID: g.uuid("id"), Provider: g.agent("provider"),
		Requester: pick(g, "requester", g.bareAgent), Exceptions: some(g, "exception", 1, 2, g.exception)}
	if g.bool("request known") {
		e.RequestID = g.urn("request")
	}
	return e
}

// Encode and then Decode is the identity on meaning, in every line.
func TestEncodeThenDecodeIsTheIdentity(t *testing.T) {
	for _, line := range Lines() {
		t.Run(string(line), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				g := made{rt, line}
				var m Message
				switch rapid.IntRange(0, 2).Draw(rt, "message") {
				case 0:
					m = g.request()
				case 1:
					m = g.response()
				default:
					m = g.failure()
				}
				b, err := Encode(m, line)
				if err != nil {
					rt.Fatal(err)
				}
				n, err := Decode(b)
				if err != nil {
					rt.Fatalf("%v\n%s", err, b)
				}
				if d := cmp.Diff(m, n); d != "" {
					rt.Fatalf("%s\n%s", d, b)
				}
				if n.Spoken() != line || n.Kind() != m.Kind() {
					rt.Fatalf("read as %s of %s", n.Kind(), n.Spoken())
				}
			})
		})
	}
}
