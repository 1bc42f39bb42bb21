package commonservices

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/sdg"
)

// DataSet is everything that one instance of the Common Services holds. It is a
// value: never change one that others may see, make another with With.
//
// Addresses of the Semantic Repository stand in it without an environment
// label and with the path family of line 2.0 (Repository + "requirements/…");
// how a line says them is the affair of its answers.
type DataSet struct {
	// Environment is the code of the instance: testing, projectathon,
	// acceptance, training, uat or production.
	Environment string
	// Label is the environment label that addresses of the Semantic Repository
	// carry on line 2.0, such as acc; "" in production.
	Label string
	// Revision grows with every change.
	Revision int
	// Requirements are the requirements of the Union, without frameworks and
	// lists: those are contributed by countries.
	Requirements []sdg.Requirement
	DataModels   []DataModel
	// Contributions are what countries submitted, by the code of OOTS_Country;
	// EU holds what belongs to all.
	Contributions map[string]*Contribution
	// Assets tells of single assets of the Semantic Repository what is not the
	// rule: those without a record are published in version 1.0.0.
	Assets map[string]Asset
}

// Errors of whoever keeps data sets.
var (
	ErrNoDataSet = errors.New("there is no data set of this environment")
	ErrConflict  = errors.New("somebody else changed the data set; load it again")
)

// Contribution is one country's part of a data set; a submission of that
// country (TDD 3.6.3) and its clerks can replace it, and nothing else.
type Contribution struct {
	Country string
	// Evidence Broker (TDD 3.2).
	EvidenceTypes []sdg.EvidenceType // without jurisdictions and distributions
	Lists         []EvidenceTypeList
	Frameworks    []ReferenceFramework
	// Data Service Directory (TDD 3.1). Records stand without access services:
	// providers tell which records they provide.
	Records        []sdg.DataServiceEvidenceType
	AccessServices []sdg.AccessService // without publishers
	Providers      []Provider
	// Semantic Repository (TDD 3.3).
	CodeLists []CodeList
}

// EvidenceTypeList is an sdg.EvidenceTypeList with references in place of its
// evidence types, and the requirements it fulfils.
type EvidenceTypeList struct {
	sdg.EvidenceTypeList          // EvidenceTypes is empty
	Types                []string // EvidenceTypeClassification of own types or of EU; all are needed
	Requirements         []string // addresses
}

// ReferenceFramework is a country's declaration that a procedure of its own
// rests on requirements.
type ReferenceFramework struct {
	sdg.ReferenceFramework
	Requirements []string // addresses
}

// Provider is a publisher, what it provides and at which access services.
type Provider struct {
	sdg.Publisher
	Records        []string         // identifiers of data service evidence types
	AccessServices []sdg.Identifier // of the same contribution
}

// CodeList is a Member State's own code list, such as the towns whose
// registries answer (TDD 3.5.2).
type CodeList struct {
	Name    string // 2 to 50 ASCII letters or digits
	Version string // such as 1.0.0
	Titles  []sdg.Text
	Codes   []Code
	Earlier []CodeListEdition // oldest first
}

// Code is one entry of a code list.
type Code struct {
	Code  string
	Names []sdg.Text
}

// CodeListEdition is an earlier version of a code list.
type CodeListEdition struct {
	Version string
	Codes   []Code
}

// DataModel is a model that structured evidence conforms to.
type DataModel struct {
	Name         string
	Titles       []sdg.Text
	Descriptions []sdg.Text
}

// Asset is the record of one address of the Semantic Repository (TDD 3.3.5).
type Asset struct {
	Version  string
	Status   AssetStatus
	Modified time.Time
	History  []AssetVersion // oldest first
}

// AssetVersion is one line of an asset's history.
type AssetVersion struct {
	Version string
	Issued  time.Time
	Notes   string
}

// AssetStatus is the state of an asset. A withdrawn one is answered with 410.
type AssetStatus string

const (
	Published  AssetStatus = "published"
	Deprecated AssetStatus = "deprecated"
	Withdrawn  AssetStatus = "withdrawn"
)

// Repository is where addresses of the Semantic Repository begin.
const Repository = "https://sr.oots.tech.ec.europa.eu/"

// RequirementAddress is the address of a requirement.
func RequirementAddress(uuid string) string { return Repository + "requirements/" + uuid }

// ClassificationAddress is the EvidenceTypeClassification of a country's
// evidence type.
func ClassificationAddress(country, uuid string) string {
	return Repository + "evidencetypeclassifications/" + country + "/" + uuid
}

// DataModelAddress is the ConformsTo of a distribution.
func DataModelAddress(name string) string { return Repository + "datamodels/" + name }

// CodeListAddress is the address of a Member State's code list.
func CodeListAddress(country, name string) string {
	return Repository + "codelists/" + country + "/" + name
}

// countryOf is the country segment of a classification's or a code list's
// address, "" when it has none.
func countryOf(address string) string {
	rest, ok := strings.CutPrefix(address, Repository)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 {
		return ""
	}
	return parts[1]
}

// With is the data set with one country's part replaced, one revision on. The
// receiver stays as it is; a nil contribution is never kept.
func (d *DataSet) With(c *Contribution) *DataSet {
	next := *d
	next.Revision++
	next.Contributions = maps.Clone(d.Contributions)
	if next.Contributions == nil {
		next.Contributions = map[string]*Contribution{}
	}
	next.Contributions[c.Country] = c
	return &next
}

// Countries lists the contributing countries, sorted.
func (d *DataSet) Countries() []string { return slices.Sorted(maps.Keys(d.Contributions)) }

// each yields the contributions in the order of their countries.
func (d *DataSet) each(yield func(*Contribution) bool) {
	for _, cc := range d.Countries() {
		if !yield(d.Contributions[cc]) {
			return
		}
	}
}

// Requirement finds a requirement by its address, nil when there is none.
func (d *DataSet) Requirement(address string) *sdg.Requirement {
	i := slices.IndexFunc(d.Requirements, func(r sdg.Requirement) bool { return r.ID == address })
	if i < 0 {
		return nil
	}
	return &d.Requirements[i]
}

// CodeList finds a Member State's code list by its address.
func (d *DataSet) CodeList(address string) (*CodeList, bool) {
	c := d.Contributions[countryOf(address)]
	if c == nil {
		return nil, false
	}
	for i := range c.CodeLists {
		if CodeListAddress(c.Country, c.CodeLists[i].Name) == address {
			return &c.CodeLists[i], true
		}
	}
	return nil, false
}

// Has tells whether a code is in the list, compared exactly.
func (l *CodeList) Has(code string) bool {
	return slices.ContainsFunc(l.Codes, func(c Code) bool { return c.Code == code })
}
