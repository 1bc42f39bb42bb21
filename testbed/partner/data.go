package partner

import (
	"slices"
	"strings"
	"sync"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
)

// Data is what a provider offers and what a requester asks for: one evidence
// type of one country. Its zero value is useless; see DataOf.
type Data struct {
	Country     string
	Procedure   string
	Requirement sdg.Requirement
	Evidence    sdg.DataServiceEvidenceType // as the directory publishes it, without access services
	Provider    sdg.Agent                   // identifier and names
	Gateway     sdg.Identifier              // of its access point
	Requester   sdg.Agent                   // who asks, with address and classification
	Lines       []string
}

// DataOf takes the first evidence type of a country that comes as PDF and as
// XML, with the requirement it fulfils and a procedure that needs it, from a
// data set of the directories.
func DataOf(set *cs.DataSet, country string) Data {
	d := Data{Country: country, Procedure: "T2", Requester: sdg.Agent{
		Identifier: sdg.Identifier{Scheme: "urn:cef.eu:names:identifier:EAS:0106", Value: "NLDEMO0091"},
		Names:      []sdg.Text{{Lang: "EN", Value: "Demo University"}},
		Address:    &sdg.Address{FullAddress: "Example quay 7, Testerdam", AdminUnitLevel1: "NL"}, Classification: "ER"}}
	c := set.Contributions[country]
	if c == nil {
		return d
	}
	for _, r := range c.Records {
		if len(r.DistributedAs) < 2 || len(r.ProviderQuestions) > 0 {
			continue
		}
		d.Evidence = r
		break
	}
	for _, p := range c.Providers {
		if slices.Contains(p.Records, d.Evidence.ID) {
			d.Provider = sdg.Agent{Identifier: p.Identifier, Names: p.Names}
			break
		}
	}
	for _, l := range c.Lists {
		if !slices.Contains(l.Types, d.Evidence.Classification) || len(l.Requirements) == 0 {
			continue
		}
		if r := set.Requirement(l.Requirements[0]); r != nil {
			d.Requirement = sdg.Requirement{ID: r.ID, Names: r.Names}
		}
		for _, code := range set.Countries() {
			for _, f := range set.Contributions[code].Frameworks {
				if slices.Contains(f.Requirements, l.Requirements[0]) && len(f.Procedures) > 0 && d.Procedure == "" {
					d.Procedure = f.Procedures[0]
				}
			}
		}
		break
	}
	for _, s := range c.AccessServices {
		d.Gateway, d.Lines = s.Identifier, s.ConformsTo
		break
	}
	return d
}

// Demo is the data set of the demonstration seed, read once: nobody may change
// it (see commonservices.DataSet).
var Demo = sync.OnceValue(seed.DataSet)

// DefaultData is the Finnish diploma of the demonstration seed.
func DefaultData() Data { return DataOf(Demo(), "FI") }

// supplements are the kinds of documents that a request may ask for beside the
// evidence (TDD 4.5.1, line 2.0).
var supplements = []string{string(edm.HumanReadableVersion), string(edm.Translation), string(edm.Annex)}

// asked is the evidence part of a request: one distribution a format.
func (d *Data) asked(formats ...string) sdg.DataServiceEvidenceType {
	e := d.Evidence
	e.AccessServices, e.LevelOfAssurance, e.Notes, e.JurisdictionAsked, e.ProviderQuestions, e.DistributedAs = nil, "", nil, nil, nil, nil
	for _, f := range formats {
		var model string
		for _, x := range d.Evidence.DistributedAs {
			if slices.Contains(x.Formats, f) {
				model = x.ConformsTo
			}
		}
		e.DistributedAs = append(e.DistributedAs, sdg.Distribution{Formats: []string{f}, ConformsTo: model, Associated: supplements})
	}
	return e
}

// Situations of the test persons, by their family name (or legal name): what a
// provider finds about them. Everybody else has one piece of evidence.
const (
	NobodyName   = "Nobody"   // is known, holds no such evidence
	TwinName     = "Twin"     // matches two people
	LaterName    = "Later"    // evidence that needs time
	BrokenName   = "Broken"   // the base register fails
	SlowName     = "Slow"     // the base register does not answer in time
	SeveralName  = "Several"  // two pieces of evidence
	CompleteName = "Complete" // evidence with annex, translation and human-readable version
	UsualName    = "Specimen"
)

// Values are the placeholders of a data set that drafts of messages may use.
func (d *Data) Values() map[string]string {
	first := func(texts []sdg.Text) string { return sdg.Name(texts, "EN") }
	model := ""
	for _, x := range d.Evidence.DistributedAs {
		if x.ConformsTo != "" {
			model = x.ConformsTo
		}
	}
	return map[string]string{
		"country": d.Country, "procedure": d.Procedure,
		"requirement": d.Requirement.ID, "requirement.uuid": d.Requirement.ID[strings.LastIndexByte(d.Requirement.ID, '/')+1:], "requirement.name": first(d.Requirement.Names),
		"evidence.record": d.Evidence.ID, "evidence.type": d.Evidence.Classification, "evidence.title": first(d.Evidence.Titles), "evidence.model": model,
		"provider.scheme": d.Provider.Identifier.Scheme, "provider.id": d.Provider.Identifier.Value, "provider.name": first(d.Provider.Names),
		"requester.scheme": d.Requester.Identifier.Scheme, "requester.id": d.Requester.Identifier.Value, "requester.name": first(d.Requester.Names),
		"requester.country": d.Requester.Address.AdminUnitLevel1,
		"gateway.type":      d.Gateway.Scheme, "gateway": d.Gateway.Value,
		"usual": UsualName, "nobody": NobodyName, "twin": TwinName, "later": LaterName, "broken": BrokenName, "slow": SlowName,
		"several": SeveralName, "complete": CompleteName,
	}
}

// ask is a first request for a person with that family name.
func (d *Data) ask(id string, c *Clock) *edm.Request {
	return &edm.Request{ID: "urn:uuid:" + id, IssuedAt: c.Now(), Procedure: d.Procedure, ExplicitRequestGiven: true,
		Requirements: []sdg.Requirement{d.Requirement}, Requesters: []sdg.Agent{d.Requester}, Provider: d.Provider,
		Evidence: d.asked("application/pdf", "application/xml")}
}

// Question of Asking, and the answer that finds the provider of Data.
const (
	QuestionID  = "e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c98"
	RightAnswer = "north"
)

// Asking makes the directory ask the user where to look (DSD:ERR:0005) before
// it names the provider.
func (d *Data) Asking() func(*cs.DataSet) *cs.DataSet {
	return func(set *cs.DataSet) *cs.DataSet {
		part := *set.Contributions[d.Country]
		question := sdg.ClassificationConcept{Identifier: sdg.Identifier{Scheme: cs.CodeListAddress(d.Country, "TestTown"), Value: QuestionID}, Type: "string",
			Descriptions: english("In which part of the country? Write north or south.")}
		part.Records = slices.Clone(part.Records)
		for i := range part.Records {
			if part.Records[i].ID == d.Evidence.ID {
				part.Records[i].ProviderQuestions = []sdg.ClassificationConcept{question}
			}
		}
		part.Providers = slices.Clone(part.Providers)
		for i := range part.Providers {
			if part.Providers[i].Identifier == d.Provider.Identifier {
				covers := question
				covers.Values = &sdg.SupportedValue{Strings: []string{RightAnswer}}
				part.Providers[i].Concepts = []sdg.ClassificationConcept{covers}
			}
		}
		part.CodeLists = append(slices.Clone(part.CodeLists), cs.CodeList{Name: "TestTown", Version: "1.0.0", Titles: english("Part of the country"),
			Codes: []cs.Code{{Code: "north"}, {Code: "south"}}})
		return set.With(&part)
	}
}
