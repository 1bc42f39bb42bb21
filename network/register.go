package network

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// The words in the value column of forms that a document fills in.
const (
	given    = "$given"
	family   = "$family"
	born     = "$born"
	personID = "$identifier"
	title    = "$title"
	issuer   = "$issuer"
)

// row is one field of a form: its path in the document, its label, what it says.
type row struct {
	path, label, value string
	kind               exchange.FieldType
}

var holder = []row{
	{"holder/familyName", "Family name", family, exchange.TextField},
	{"holder/givenName", "Given name", given, exchange.TextField},
	{"holder/dateOfBirth", "Date of birth", born, exchange.DateField},
}

var company = []row{
	{"company/legalName", "Legal name", family, exchange.TextField},
	{"company/identifier", "Identifier", personID, exchange.TextField},
}

// plainForm is the form of documents that have no data model of their own: it is
// rendered, never sent as data.
const plainForm = "DemoCertificate"

// forms are the data models of the seed with what a document of each says, by
// name. All of it is invented.
var forms = map[string][]row{
	plainForm:              append(slices.Clone(holder), row{"statement", "Statement", "The register holds the entry that this document is named after.", exchange.TextField}),
	"DemoSecondaryDiploma": append(slices.Clone(holder), row{"school", "School", "Demo Upper Secondary School", exchange.TextField}, row{"awardedOn", "Awarded on", "2018-06-02", exchange.DateField}, row{"average", "Average grade", "4.5", exchange.NumberField}),
	"DemoTertiaryDiploma":  append(slices.Clone(holder), row{"institution", "Institution", "Demo University", exchange.TextField}, row{"degree", "Degree", "Master of Invented Science", exchange.TextField}, row{"awardedOn", "Awarded on", "2022-09-30", exchange.DateField}),
	"DemoTranscript":       append(slices.Clone(holder), row{"mathematics", "Mathematics", "12", exchange.NumberField}, row{"languages", "Languages", "14", exchange.NumberField}, row{"sciences", "Sciences", "11", exchange.NumberField}),
	"DemoResidence":        append(slices.Clone(holder), row{"address/street", "Street", "Demo Street 1", exchange.TextField}, row{"address/municipality", "Municipality", "Demo Town", exchange.TextField}, row{"residentSince", "Resident since", "2020-01-01", exchange.DateField}),
	"DemoBirth":            append(slices.Clone(holder), row{"placeOfBirth", "Place of birth", "Demo Town", exchange.TextField}, row{"parent", "Parent", "Demo Parent", exchange.TextField}),
	"DemoVehicleRegistration": append(slices.Clone(holder), row{"vehicle/registration", "Registration", "DEMO-123", exchange.TextField}, row{"vehicle/identification", "Identification number", "DEMO0000000000001", exchange.TextField},
		row{"vehicle/firstRegisteredOn", "First registered on", "2019-03-11", exchange.DateField}),
	"DemoCompany":         append(slices.Clone(company), row{"legalForm", "Legal form", "Limited liability company", exchange.TextField}, row{"registeredOn", "Registered on", "2015-02-20", exchange.DateField}),
	"DemoTaxRegistration": append(slices.Clone(company), row{"taxNumber", "Tax number", "DEMO-TAX-01", exchange.TextField}, row{"registeredOn", "Registered on", "2015-03-01", exchange.DateField}),
}

// every document begins and ends with these.
var (
	head = []row{{"title", "Document", title, exchange.TextField}, {"issuer", "Issued by", issuer, exchange.TextField}}
	foot = []row{{"notice", "Notice", "Sample document of a demonstration. It proves nothing.", exchange.TextField}}
)

func rowsOf(form string) []row { return slices.Concat(head, forms[form], foot) }

// Models are the data models that the registers of a network use.
func Models() []*exchange.Model {
	var all []*exchange.Model
	for name := range forms {
		all = append(all, modelOf(name))
	}
	slices.SortFunc(all, func(a, b *exchange.Model) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func modelOf(form string) *exchange.Model {
	m := &exchange.Model{Name: form, Root: form, Space: cs.DataModelAddress(form)}
	for _, r := range rowsOf(form) {
		m.Fields = append(m.Fields, exchange.Field{Path: r.path, Labels: map[string]string{"EN": r.label}, Type: r.kind})
	}
	return m
}

// person is somebody a register knows.
type person struct {
	seed.Person
	holder string // tells people of the same name apart
}

func (p *person) subject() exchange.Subject {
	var id *sdg.Identifier
	if p.Identifier != "" {
		id = &sdg.Identifier{Scheme: "eidas", Value: p.Identifier}
	}
	if p.Role == "legal" {
		return exchange.Subject{LegalPerson: &sdg.LegalPerson{LegalName: p.Family, LegalIdentifier: id}}
	}
	return exchange.Subject{NaturalPerson: &sdg.Person{FamilyName: p.Family, GivenName: p.Given, DateOfBirth: p.Born, Identifier: id}}
}

// TwinName is the family name of two people in every register: whoever is called
// so cannot be told from the other. Nobody is called NobodyName.
const (
	TwinName   = "Twin"
	NobodyName = "Nobody"
	// LaterName is somebody whose documents are still being made: registers give
	// them a day later.
	LaterName = "Later"
	twinBorn  = "1990-01-01"
)

// people of a register: those of the seed, the twins, and who must wait.
func people() (all []*person) {
	for _, p := range seed.People() {
		if p.Role != "representative" {
			all = append(all, &person{p, p.Role + " " + p.Family})
		}
	}
	for _, h := range []string{"twin 1", "twin 2"} {
		all = append(all, &person{seed.Person{Role: "natural", Given: "Demo", Family: TwinName, Born: twinBorn}, h})
	}
	return append(all, &person{seed.Person{Role: "natural", Given: "Demo", Family: LaterName, Born: twinBorn}, "later"})
}

// Register is a base register in memory: it issues one evidence type about
// everybody it knows, in the formats and languages that the directory announces.
// Documents are made when they are first asked for, and kept.
type Register struct {
	record sdg.DataServiceEvidenceType
	issuer string
	people []*person
	now    func() time.Time

	mu   sync.Mutex
	made map[string]*exchange.Piece // by holder
}

func newRegister(record sdg.DataServiceEvidenceType, issuer string, now func() time.Time) *Register {
	return &Register{record: record, issuer: issuer, people: people(), now: now, made: map[string]*exchange.Piece{}}
}

// form is the data model that the directory announces.
func (r *Register) form() string {
	for _, d := range r.record.DistributedAs {
		if d.ConformsTo != "" {
			return path.Base(d.ConformsTo)
		}
	}
	return plainForm
}

// organisations tells whom the evidence is about.
func organisations(form string) bool { return forms[form][0].path == company[0].path }

// Records is exchange.DataService: everybody of the kind asked for, where the
// evidence is about such.
func (r *Register) Records(_ context.Context, q *exchange.Query) (*exchange.Records, error) {
	if form := r.form(); form != plainForm && (q.Subject().LegalPerson != nil) != organisations(form) {
		return &exchange.Records{}, nil
	}
	return r.all(q)
}

// all are the records of every organisation, or of every person.
func (r *Register) all(q *exchange.Query) (*exchange.Records, error) {
	form, wanted, out := r.form(), q.Subject(), &exchange.Records{}
	if wanted.NaturalPerson != nil && wanted.NaturalPerson.FamilyName == LaterName {
		out.AvailableAt = r.now().Add(24 * time.Hour)
	}
	for _, p := range r.people {
		if (p.Role == "legal") != (wanted.LegalPerson != nil) {
			continue
		}
		piece, err := r.piece(form, p)
		if err != nil {
			return nil, err
		}
		whole := *piece
		if whole.Supplements, err = r.supplements(form, p, q.Request); err != nil {
			return nil, err
		}
		out.All = append(out.All, exchange.Record{Holder: p.holder, Subject: p.subject(), Piece: whole})
	}
	return out, nil
}

// supplements are an annex and a translation, made for who asks for them.
func (r *Register) supplements(form string, p *person, request *edm.Request) (out []exchange.File, err error) {
	model := modelOf(form)
	for _, one := range []struct {
		kind            edm.DocumentKind
		language, title string
	}{{edm.Annex, "EN", "Annex"}, {edm.Translation, "FR", "Traduction"}} {
		if !slices.ContainsFunc(request.Evidence.DistributedAs, func(d sdg.Distribution) bool { return slices.Contains(d.Associated, string(one.kind)) }) {
			continue
		}
		f := exchange.File{Kind: one.kind, Title: one.title, MediaType: "application/pdf", Language: one.language}
		if f.Data, err = model.Render("application/xml", writeXML(model, r.values(form, one.title, p)), one.title, one.language); err != nil {
			return nil, fmt.Errorf("network: evidence type %s: %w", r.record.ID, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func (r *Register) piece(form string, p *person) (*exchange.Piece, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if piece := r.made[p.holder]; piece != nil {
		return piece, nil
	}
	model := modelOf(form)
	piece := &exchange.Piece{Title: sdg.Name(r.record.Titles, "EN"), IssuedOn: "2026-01-15"}
	for _, d := range r.record.DistributedAs {
		languages := d.Languages
		if len(languages) == 0 {
			languages = []string{"EN"}
		}
		for _, format := range d.Formats {
			for _, lang := range languages {
				name := sdg.Name(r.record.Titles, lang)
				f := exchange.File{Title: name, MediaType: format, Language: lang}
				values := r.values(form, name, p)
				var err error
				switch format {
				case "application/xml":
					f.Model, f.Data = form, writeXML(model, values)
				case "application/json":
					f.Model = form
					f.Data, err = writeJSON(model, values)
				case "application/pdf":
					f.Data, err = model.Render("application/xml", writeXML(model, values), name, lang)
				default:
					err = fmt.Errorf("no document can be made as %s", format)
				}
				if err != nil {
					return nil, fmt.Errorf("network: evidence type %s: %w", r.record.ID, err)
				}
				piece.Forms = append(piece.Forms, f)
			}
		}
	}
	r.made[p.holder] = piece
	return piece, nil
}

// values are what a document about a person says, in the order of the form.
func (r *Register) values(form, name string, p *person) (out []string) {
	id := p.Identifier
	if id == "" {
		id = "none"
	}
	fill := map[string]string{given: p.Given, family: p.Family, born: p.Born, personID: id, title: name, issuer: r.issuer}
	for _, row := range rowsOf(form) {
		v := row.value
		if w, ok := fill[v]; ok {
			v = w
		}
		switch {
		case v == "" && row.kind == exchange.DateField: // an organisation's date of birth
			v = "1900-01-01"
		case v == "":
			v = "–"
		}
		out = append(out, v)
	}
	return out
}

// writeXML writes values at the paths of a model; fields of the same parent stand
// side by side.
func writeXML(m *exchange.Model, values []string) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, "<%s xmlns=%q>", m.Root, m.Space)
	open := ""
	for i, f := range m.Fields {
		parent, name, nested := strings.Cut(f.Path, "/")
		if !nested {
			parent, name = "", f.Path
		}
		if parent != open {
			if open != "" {
				fmt.Fprintf(&b, "</%s>", open)
			}
			if parent != "" {
				fmt.Fprintf(&b, "<%s>", parent)
			}
			open = parent
		}
		fmt.Fprintf(&b, "<%s>", name)
		_ = xml.EscapeText(&b, []byte(values[i])) // a buffer takes everything
		fmt.Fprintf(&b, "</%s>", name)
	}
	if open != "" {
		fmt.Fprintf(&b, "</%s>", open)
	}
	fmt.Fprintf(&b, "</%s>\n", m.Root)
	return b.Bytes()
}

func writeJSON(m *exchange.Model, values []string) ([]byte, error) {
	root := map[string]any{}
	for i, f := range m.Fields {
		at := root
		parent, name, nested := strings.Cut(f.Path, "/")
		if !nested {
			name = f.Path
		} else {
			child, _ := root[parent].(map[string]any)
			if child == nil {
				child = map[string]any{}
				root[parent] = child
			}
			at = child
		}
		at[name] = values[i]
		if f.Type == exchange.NumberField {
			at[name] = json.Number(values[i])
		}
	}
	return json.Marshal(root)
}
