// Package seed is the data that a demonstration of the Common Services starts
// with: real codes of procedures, countries and requirements, and evidence
// types, providers and gateways that are all invented and say "demo".
//
// Eleven countries stand in the tables of data/; the other countries of the
// European Economic Area, and a large catalogue for load tests, are generated.
// Everything is the same on every run.
package seed

import (
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"unicode"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/sdg"
)

//go:embed data/*.csv
var data embed.FS

// Environment is the code of the instance that the seed is for. Its addresses
// carry no environment label.
const Environment = "testing"

// table reads one file as rows by the names of its columns. The files are part
// of the program: one that cannot be read is a defect of it.
func table(name string) []map[string]string {
	f, err := data.Open("data/" + name + ".csv")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("seed: %s: %v", name, err))
	}
	rows := make([]map[string]string, len(all)-1)
	for i, values := range all[1:] {
		rows[i] = map[string]string{}
		for k, column := range all[0] {
			rows[i][column] = values[k]
		}
	}
	return rows
}

// texts reads "EN=Extract;FI=Ote".
func texts(s string) []sdg.Text {
	var out []sdg.Text
	for part := range strings.SplitSeq(s, ";") {
		lang, value, ok := strings.Cut(part, "=")
		if ok {
			out = append(out, sdg.Text{Lang: lang, Value: value})
		}
	}
	return out
}

func english(s string) []sdg.Text { return []sdg.Text{{Lang: "EN", Value: s}} }

// Country is one of the 30 countries of the network.
type Country struct {
	Code      string
	Name      string   // in English
	Languages []string // official ones, as codes of LanguageCode
	EDM       []string // lines that its demo gateway speaks
}

// Countries are the countries in the order in which a network of N takes them.
func Countries() []Country {
	var out []Country
	for _, row := range table("countries") {
		out = append(out, Country{row["code"], row["name"], strings.Fields(row["languages"]), strings.Fields(row["lines"])})
	}
	return out
}

func country(code string) Country {
	list := Countries()
	return list[slices.IndexFunc(list, func(c Country) bool { return c.Code == code })]
}

// Requirement is the address of a requirement by its key, such as birth.
func Requirement(key string) string {
	for _, row := range table("requirements") {
		if row["key"] == key {
			return cs.RequirementAddress(row["uuid"])
		}
	}
	panic("seed: there is no requirement " + key)
}

// EvidenceType tells the classification and the record of a country's evidence
// type by its key, such as birth-cert.
func EvidenceType(country, key string) (classification, record string) {
	for _, row := range table("evidence_types") {
		if row["country"] == country && row["key"] == key {
			return cs.ClassificationAddress(country, row["classification"]), row["record"]
		}
	}
	return cs.ClassificationAddress(country, uuid("cls/%s/%s", country, key)), uuid("dset/%s/%s", country, key)
}

// Procedures are the titles of the procedures in our words, by code.
func Procedures() map[string]string {
	out := map[string]string{}
	for _, row := range table("procedures") {
		out[row["code"]] = row["title"]
	}
	return out
}

// requirements are those of the Union, and what the tables say of them.
func requirements() (list []sdg.Requirement, byKey map[string]string) {
	byKey = map[string]string{}
	for _, row := range table("requirements") {
		address := cs.RequirementAddress(row["uuid"])
		byKey[row["key"]] = address
		list = append(list, sdg.Requirement{ID: address, Names: english(row["title"])})
	}
	return list, byKey
}

// Union is a data set with the requirements of the Union and no country's data.
func Union() *cs.DataSet {
	d := &cs.DataSet{Environment: Environment, Revision: 1, Contributions: map[string]*cs.Contribution{}}
	d.Requirements, _ = requirements()
	return d
}

// DataSet is the data set of the eleven countries of the tables.
func DataSet() *cs.DataSet {
	d := Union()
	_, byKey := requirements()
	b := builder{d, byKey}
	b.codeLists()
	b.evidenceTypes()
	b.lists()
	b.frameworks()
	b.providers()
	return d
}

// builder fills a data set from the tables.
type builder struct {
	*cs.DataSet
	requirement map[string]string // address by key
}

func (b builder) of(country string) *cs.Contribution {
	c := b.Contributions[country]
	if c == nil {
		c = &cs.Contribution{Country: country}
		b.Contributions[country] = c
	}
	return c
}

func (b builder) codeLists() {
	for _, row := range table("codes") {
		c := b.of(row["country"])
		i := slices.IndexFunc(c.CodeLists, func(l cs.CodeList) bool { return l.Name == row["list"] })
		if i < 0 {
			i = len(c.CodeLists)
			c.CodeLists = append(c.CodeLists, cs.CodeList{Name: row["list"], Version: row["version"], Titles: english(row["title"])})
		}
		c.CodeLists[i].Codes = append(c.CodeLists[i].Codes, cs.Code{Code: row["code"], Names: texts(row["names"])})
	}
}

func (b builder) evidenceTypes() {
	questions := table("questions")
	for _, row := range table("evidence_types") {
		c := b.of(row["country"])
		titles, languages := texts(row["titles"]), strings.Fields(row["languages"])
		address := cs.ClassificationAddress(c.Country, row["classification"])
		c.EvidenceTypes = append(c.EvidenceTypes, sdg.EvidenceType{Classification: address, Titles: titles})
		record := sdg.DataServiceEvidenceType{ID: row["record"], Classification: address, Titles: titles, LevelOfAssurance: row["loa"],
			DistributedAs: distributions(strings.Fields(row["formats"]), languages, row["model"])}
		for _, q := range questions {
			if q["country"] == c.Country && q["key"] == row["key"] {
				list := cs.CodeListAddress(c.Country, q["list"])
				record.ProviderQuestions = append(record.ProviderQuestions, sdg.ClassificationConcept{
					Identifier: sdg.Identifier{Scheme: list, Value: q["concept"]}, Type: q["type"], ValueExpression: list, Descriptions: texts(q["texts"])})
			}
		}
		c.Records = append(c.Records, record)
		b.model(row["model"])
	}
}

// distributions are one for each format; structured ones name the model.
func distributions(formats, languages []string, model string) []sdg.Distribution {
	var out []sdg.Distribution
	for _, f := range formats {
		d := sdg.Distribution{Formats: []string{f}, Languages: languages}
		if f == "application/xml" || f == "application/json" {
			d.ConformsTo = cs.DataModelAddress(model)
		}
		out = append(out, d)
	}
	return out
}

// model adds a data model once, with the words of its name as title.
func (b builder) model(name string) {
	if name == "" || slices.ContainsFunc(b.DataModels, func(m cs.DataModel) bool { return m.Name == name }) {
		return
	}
	var title strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			title.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		title.WriteRune(r)
	}
	b.DataModels = append(b.DataModels, cs.DataModel{Name: name, Titles: english(title.String())})
}

func (b builder) lists() {
	for _, row := range table("lists") {
		c := b.of(row["country"])
		j := &sdg.Jurisdiction{AdminUnitLevel1: c.Country}
		if list, code, ok := area(row["area"]); ok {
			j.Classifications = []sdg.ListCode{{List: list, Code: code}}
		}
		l := cs.EvidenceTypeList{EvidenceTypeList: sdg.EvidenceTypeList{ID: row["uuid"], Jurisdiction: j}, Requirements: []string{b.requirement[row["requirement"]]}}
		for _, key := range strings.Fields(row["types"]) {
			classification, _ := EvidenceType(c.Country, key)
			l.Types = append(l.Types, classification)
		}
		if l.Types == nil {
			l.MatchType, l.MatchDescriptions = "NoMatch", english("No own document is issued for this requirement (demo)")
		}
		c.Lists = append(c.Lists, l)
	}
}

// area reads "BE/Community=VL".
func area(s string) (list, code string, ok bool) {
	name, code, ok := strings.Cut(s, "=")
	country, name, found := strings.Cut(name, "/")
	return cs.CodeListAddress(country, name), code, ok && found
}

func (b builder) frameworks() {
	for _, row := range table("frameworks") {
		c := b.of(row["country"])
		c.Frameworks = append(c.Frameworks, cs.ReferenceFramework{
			ReferenceFramework: sdg.ReferenceFramework{ID: row["uuid"], Titles: english(row["title"]), Procedures: []string{row["procedure"]}, Jurisdiction: &sdg.Jurisdiction{AdminUnitLevel1: c.Country}},
			Requirements:       []string{b.requirement[row["requirement"]]}})
	}
}

func (b builder) providers() {
	for _, row := range table("providers") {
		c := b.of(row["country"])
		gateway := gateway(country(c.Country))
		if len(c.AccessServices) == 0 {
			c.AccessServices = []sdg.AccessService{gateway}
		}
		p := cs.Provider{Publisher: publisher(c.Country, row["scheme"], row["identifier"], row["name"]), AccessServices: []sdg.Identifier{gateway.Identifier}}
		for _, key := range strings.Fields(row["serves"]) {
			_, record := EvidenceType(c.Country, key)
			p.Records = append(p.Records, record)
		}
		if list, code, ok := area(row["covers"]); ok {
			cover(&p, c, list, code)
		}
		c.Providers = append(c.Providers, p)
	}
}

// cover makes a provider responsible for a code: the answer to a question of a
// record it provides, or else a classification of its jurisdiction.
func cover(p *cs.Provider, c *cs.Contribution, list, code string) {
	for _, r := range c.Records {
		for _, q := range r.ProviderQuestions {
			if q.ValueExpression == list && slices.Contains(p.Records, r.ID) {
				q.Descriptions, q.Values = nil, &sdg.SupportedValue{Strings: []string{code}}
				p.Concepts = append(p.Concepts, q)
				return
			}
		}
	}
	p.Jurisdiction.Classifications = []sdg.ListCode{{List: list, Code: code}}
}

// gateway is the one demo access service of a country.
func gateway(c Country) sdg.AccessService {
	return sdg.AccessService{
		Identifier: sdg.Identifier{Scheme: unregistered + c.Code, Value: "AP_" + c.Code + "_DEMO_01"},
		Names:      english(c.Name + " demo gateway"), ConformsTo: c.EDM}
}

const unregistered = "urn:oasis:names:tc:ebcore:partyid-type:unregistered:"

func publisher(country, scheme, id, name string) sdg.Publisher {
	return sdg.Publisher{Identifier: sdg.Identifier{Scheme: scheme, Value: id}, Names: english(name),
		Address: &sdg.Address{AdminUnitLevel1: country}, Jurisdiction: &sdg.Jurisdiction{AdminUnitLevel1: country}}
}

// Person is a fictitious user: a natural person, a legal person, or a
// representative of one.
type Person struct {
	Role       string // natural, legal or representative
	Given      string // "" for a legal person
	Family     string // legal name of a legal person
	Born       string // YYYY-MM-DD
	Level      string // of assurance
	Identifier string // scheme eidas; "" for none. The second country is the asking one
	Gender     string
	Country    string // whose identity; "" for any
	Use        string
}

// People are the fictitious users that the identity provider knows.
func People() []Person {
	var out []Person
	for _, r := range table("people") {
		out = append(out, Person{r["role"], r["given"], r["family"], r["born"], r["level"], r["identifier"], r["gender"], r["country"], r["use"]})
	}
	return out
}

// IdentifierFor is a person's identifier as a portal of another country gets it.
func (p Person) IdentifierFor(country string) string {
	parts := strings.Split(p.Identifier, "/")
	if len(parts) != 3 {
		return p.Identifier
	}
	return parts[0] + "/" + country + "/" + parts[2]
}
