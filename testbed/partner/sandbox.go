package partner

import (
	"crypto/sha256"
	"fmt"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/sdg"
)

// Sandbox is what a provider of a country serves in the environment testing: a
// diploma of the test persons (see Situations), as PDF and as XML, whatever else
// the country issues. Who is under test answers about it and names it in no
// other environment.
func Sandbox(country string) Data {
	d := DefaultData()
	title := []sdg.Text{{Lang: "EN", Value: "Diploma of a test person"}}
	d.Country = country
	d.Evidence = sdg.DataServiceEvidenceType{ID: SandboxID(country, "record"), Classification: cs.ClassificationAddress(country, SandboxID(country, "type")),
		Titles: title, LevelOfAssurance: "Substantial", DistributedAs: []sdg.Distribution{{Formats: []string{"application/pdf"}, Languages: []string{"EN"}},
			{Formats: []string{"application/xml"}, Languages: []string{"EN"}, ConformsTo: cs.DataModelAddress("DemoSecondaryDiploma")}}}
	d.Provider = sdg.Agent{Identifier: sdg.Identifier{Scheme: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:" + country, Value: country + "SANDBOX01"},
		Names: []sdg.Text{{Lang: "EN", Value: "Test register of " + country}}, Address: &sdg.Address{AdminUnitLevel1: country}}
	d.Gateway = sdg.Identifier{}
	return d
}

// SandboxPart is the metadata of a country's sandbox, as the country would submit
// it: evidence type, requirement, procedure, provider and access point.
func SandboxPart(country string, gateway sdg.Identifier, lines ...string) *cs.Contribution {
	d := Sandbox(country)
	here := &sdg.Jurisdiction{AdminUnitLevel1: country}
	record := d.Evidence
	return &cs.Contribution{Country: country,
		EvidenceTypes: []sdg.EvidenceType{{Classification: record.Classification, Titles: record.Titles}},
		Lists: []cs.EvidenceTypeList{{EvidenceTypeList: sdg.EvidenceTypeList{ID: SandboxID(country, "list"), Jurisdiction: here},
			Types: []string{record.Classification}, Requirements: []string{d.Requirement.ID}}},
		Frameworks: []cs.ReferenceFramework{{Requirements: []string{d.Requirement.ID}, ReferenceFramework: sdg.ReferenceFramework{
			ID: SandboxID(country, "framework"), Titles: []sdg.Text{{Lang: "EN", Value: "Procedure of the test platform"}}, Procedures: []string{d.Procedure}, Jurisdiction: here}}},
		Records:        []sdg.DataServiceEvidenceType{record},
		AccessServices: []sdg.AccessService{{Identifier: gateway, ConformsTo: lines}},
		Providers: []cs.Provider{{Publisher: sdg.Publisher{Identifier: d.Provider.Identifier, Names: d.Provider.Names, Address: d.Provider.Address, Jurisdiction: here},
			Records: []string{record.ID}, AccessServices: []sdg.Identifier{gateway}}}}
}

// SandboxID is a UUID that stands for something of a country's sandbox, always
// the same.
func SandboxID(country, what string) string {
	h := sha256.Sum256([]byte("oots sandbox " + country + " " + what))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80 // the rules of the EDM know versions 1 to 5 of UUIDs alone
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// Specimen is a test person, as a portal or a preview space knows them.
type Specimen struct{ Family, Given, Born, Identifier string }

// Specimens are all that an honest register of a sandbox knows, each in the
// situation of its name.
func Specimens() (all []Specimen) {
	for _, name := range []string{UsualName, TwinName, LaterName, BrokenName, SlowName, SeveralName, CompleteName} {
		all = append(all, SpecimenOf(name))
	}
	for _, p := range seed.People() {
		if p.Role == "natural" {
			all = append(all, Specimen{p.Family, p.Given, p.Born, p.Identifier})
		}
	}
	return all
}

// SpecimenOf is the test person of a family name.
func SpecimenOf(family string) Specimen {
	for _, p := range seed.People() {
		if p.Family == family && p.Role == "natural" {
			return Specimen{p.Family, p.Given, p.Born, p.Identifier}
		}
	}
	return Specimen{family, "Testa", "2001-02-03", "FI/NL/SPECIMEN-0001"}
}

// SpecimenOrganisation is the legal person of the sandbox.
var SpecimenOrganisation = Specimen{Family: "Specimen Ltd", Identifier: "FI/NL/SPECIMEN-ORG-1"}
