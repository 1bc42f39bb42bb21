package seed

import (
	"fmt"
	"slices"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/sdg"
)

// namespace is that of all identifiers that are made from names.
const namespace = "4bfe0eaa-5983-5a89-91e2-365a7d972a0f"

func uuid(format string, args ...any) string {
	return cs.NameUUID(namespace, fmt.Sprintf(format, args...))
}

// Network is the data set of a network: the tables and generated data for every
// other of the 30 countries. Data services of countries whose node is not among
// the started ones are left out of the directory; without any all are in.
func Network(started ...string) *cs.DataSet {
	d := DataSet()
	for _, c := range Countries() {
		if part := d.Contributions[c.Code]; part == nil || len(part.Providers) == 0 {
			d.Contributions[c.Code] = merge(part, generated(c))
		}
		if len(started) > 0 && !slices.Contains(started, c.Code) {
			part := *d.Contributions[c.Code]
			part.Records, part.Providers, part.AccessServices = nil, nil, nil
			d.Contributions[c.Code] = &part
		}
	}
	return d
}

// merge lays what tables say about a country over what is generated for it.
func merge(own, made *cs.Contribution) *cs.Contribution {
	if own == nil {
		return made
	}
	made.Lists = append(made.Lists, own.Lists...)
	for _, f := range own.Frameworks {
		if !slices.ContainsFunc(made.Frameworks, func(g cs.ReferenceFramework) bool { return g.ID == f.ID }) {
			made.Frameworks = append(made.Frameworks, f)
		}
	}
	made.CodeLists = append(made.CodeLists, own.CodeLists...)
	return made
}

// generated is the data of a country without a table: one gateway, one
// provider, the system check under procedure 00, and one evidence type for
// birth.
func generated(c Country) *cs.Contribution {
	part := &cs.Contribution{Country: c.Code, AccessServices: []sdg.AccessService{gateway(c)}}
	p := cs.Provider{Publisher: publisher(c.Code, unregistered+c.Code, c.Code+"DEMO0001", "Demo Citizens Registry "+c.Name), AccessServices: []sdg.Identifier{part.AccessServices[0].Identifier}}
	for _, t := range []struct{ key, title, requirement, procedure, level, lang string }{
		{"birth-extract", "Birth record extract (demo)", "birth", "R1", "Substantial", c.Languages[0]},
		{"syscheck", "System check evidence (demo)", "test-0", "00", "Low", "EN"},
	} {
		classification, record := cs.ClassificationAddress(c.Code, uuid("cls/%s/%s", c.Code, t.key)), uuid("dset/%s/%s", c.Code, t.key)
		part.EvidenceTypes = append(part.EvidenceTypes, sdg.EvidenceType{Classification: classification, Titles: english(t.title)})
		part.Records = append(part.Records, sdg.DataServiceEvidenceType{ID: record, Classification: classification, Titles: english(t.title), LevelOfAssurance: t.level,
			DistributedAs: distributions([]string{"application/pdf"}, []string{t.lang}, "")})
		part.Lists = append(part.Lists, list(c.Code, t.requirement, 1, []string{Requirement(t.requirement)}, classification))
		part.Frameworks = append(part.Frameworks, framework(c.Code, t.procedure, t.requirement, Requirement(t.requirement), fmt.Sprintf("Procedure %s in %s (demo)", t.procedure, c.Name)))
		p.Records = append(p.Records, record)
	}
	part.Providers = []cs.Provider{p}
	return part
}

func list(country, key string, n int, requirements []string, types ...string) cs.EvidenceTypeList {
	return cs.EvidenceTypeList{
		EvidenceTypeList: sdg.EvidenceTypeList{ID: uuid("list/%s/%s/%d", country, key, n), Jurisdiction: &sdg.Jurisdiction{AdminUnitLevel1: country}},
		Types:            types, Requirements: requirements}
}

func framework(country, procedure, key, requirement, title string) cs.ReferenceFramework {
	return cs.ReferenceFramework{
		ReferenceFramework: sdg.ReferenceFramework{ID: uuid("rf/%s/%s/%s", country, procedure, key), Titles: english(title),
			Procedures: []string{procedure}, Jurisdiction: &sdg.Jurisdiction{AdminUnitLevel1: country}},
		Requirements: []string{requirement}}
}

// Sizes of the large catalogue.
const (
	LargeCountries    = 27
	LargeRequirements = 60
	LargeProviders    = 1500 // in all countries together
)

// Large is a catalogue for load tests: 27 countries, 60 requirements, each with
// an evidence type and a procedure in every country, and 1,500 providers.
func Large() *cs.DataSet {
	d := Union()
	for n := len(d.Requirements); n < LargeRequirements; n++ {
		d.Requirements = append(d.Requirements, sdg.Requirement{ID: cs.RequirementAddress(uuid("requirement/%d", n)), Names: english(fmt.Sprintf("Invented requirement %d", n))})
	}
	procedures := []string{"R1", "S1", "T1", "T2", "T3", "U1", "V1", "V2", "W1", "X1"}
	countries := Countries()[:LargeCountries]
	for i, c := range countries {
		part := &cs.Contribution{Country: c.Code, AccessServices: []sdg.AccessService{gateway(c)}}
		for n, r := range d.Requirements {
			key := fmt.Sprintf("large-%d", n)
			classification, record := EvidenceType(c.Code, key)
			title := fmt.Sprintf("Document %d of %s (demo)", n, c.Name)
			titles := append(english(title), sdg.Text{Lang: c.Languages[0], Value: title})
			part.EvidenceTypes = append(part.EvidenceTypes, sdg.EvidenceType{Classification: classification, Titles: titles})
			part.Records = append(part.Records, sdg.DataServiceEvidenceType{ID: record, Classification: classification, Titles: titles, LevelOfAssurance: "Substantial",
				DistributedAs: distributions([]string{"application/pdf", "application/xml"}, c.Languages, "DemoLarge")})
			part.Lists = append(part.Lists, list(c.Code, key, 1, []string{r.ID}, classification))
			part.Frameworks = append(part.Frameworks, framework(c.Code, procedures[n%len(procedures)], key, r.ID, title))
		}
		n := LargeProviders / LargeCountries
		if i < LargeProviders%LargeCountries {
			n++
		}
		for k := range n { // each provides five documents
			p := cs.Provider{Publisher: publisher(c.Code, unregistered+c.Code, fmt.Sprintf("%sLARGE%04d", c.Code, k), fmt.Sprintf("Demo Authority %d of %s", k, c.Name)),
				AccessServices: []sdg.Identifier{part.AccessServices[0].Identifier}}
			for m := range 5 {
				p.Records = append(p.Records, part.Records[(5*k+m)%len(part.Records)].ID)
			}
			part.Providers = append(part.Providers, p)
		}
		d.Contributions[c.Code] = part
	}
	d.DataModels = []cs.DataModel{{Name: "DemoLarge", Titles: english("Demo large")}}
	return d
}
