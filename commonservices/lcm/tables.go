package lcm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/codelist"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// Table is one table of a country's part, as clerks see and edit it and as a
// CSV file holds it. Every value is a text; Column.Form says how to read it.
type Table struct {
	Name    string // in addresses: procedures, requirements …
	Kind    string // of its objects, as commonservices.Problem names it
	Columns []Column

	keys    func(*cs.Contribution) []string
	read    func(*cs.Contribution, string) Row
	write   func(*cs.Contribution, string, Row) error
	replace func(*cs.Contribution, []Row) []error
	remove  func(*cs.Contribution, string)
}

// Column is one value of a row.
type Column struct {
	Name string
	Form Form
	// List is the code list of Choice and Choices, or the table that Reference
	// and References lead to; "requirements of the Union" are RequirementTable.
	List string
	Must bool // without a value the row cannot be served
	Key  bool // part of the identifier: fixed once the row exists
}

// Form tells how a value is written.
type Form string

const (
	Line1      Form = "line"       // one line of text
	Texts      Form = "texts"      // one line a language: "EN: Extract"
	Choice     Form = "choice"     // a code of List
	Choices    Form = "choices"    // codes of List, one a line
	Reference  Form = "reference"  // a key of the table List
	References Form = "references" // keys of the table List, one a line
	Lines2     Form = "lines"      // several lines, as the column's own help says
	Yes        Form = "yes"        // "yes" or ""
	UUID       Form = "uuid"       // made when it is empty
)

// RequirementTable is the List of columns that refer to requirements.
const RequirementTable = "requirements-of-the-union"

// Row is a row by the names of its columns. A column without a value keeps what
// it has.
type Row map[string]string

// cell is a column with its way into T.
type column[T any] struct {
	Column
	get func(*T) string
	set func(*T, string, *cs.Contribution) error
}

// table makes a Table of a slice of the contribution.
func table[T any](name, kind string, load func(*cs.Contribution) []T, store func(*cs.Contribution, []T), key func(*T) string, fresh func(*cs.Contribution) T, columns ...column[T]) Table {
	t := Table{Name: name, Kind: kind}
	for _, c := range columns {
		t.Columns = append(t.Columns, c.Column)
	}
	find := func(list []T, id string) int { return slices.IndexFunc(list, func(v T) bool { return key(&v) == id }) }
	t.keys = func(c *cs.Contribution) []string {
		var out []string
		for _, v := range load(c) {
			out = append(out, key(&v))
		}
		return out
	}
	t.read = func(c *cs.Contribution, id string) Row {
		list := load(c)
		i := find(list, id)
		if i < 0 {
			return nil
		}
		row := Row{}
		for _, col := range columns {
			row[col.Name] = col.get(&list[i])
		}
		return row
	}
	// fill takes the values of a row that are there: those of the key, or the
	// others.
	fill := func(v *T, row Row, c *cs.Contribution, key bool) error {
		for _, col := range columns {
			value, given := row[col.Name]
			if !given || key != col.Key {
				continue
			}
			if err := col.set(v, strings.TrimSpace(value), c); err != nil {
				return &CellError{Column: col.Name, Text: err.Error()}
			}
		}
		return nil
	}
	t.write = func(c *cs.Contribution, id string, row Row) error {
		list := slices.Clone(load(c))
		i := find(list, id)
		v := fresh(c)
		if i >= 0 {
			v = list[i]
		}
		if i < 0 {
			if err := fill(&v, row, c, true); err != nil {
				return err
			}
		}
		if err := fill(&v, row, c, false); err != nil {
			return err
		}
		switch {
		case i >= 0:
			list[i] = v
		case find(list, key(&v)) >= 0:
			return &CellError{Column: columns[len(columns)-1].Name, Text: "a row with this identifier exists already; open it and change it"}
		default:
			list = append(list, v)
		}
		store(c, list)
		return nil
	}
	t.replace = func(c *cs.Contribution, rows []Row) []error {
		old, errs := load(c), make([]error, len(rows))
		var next []T
		for n, row := range rows {
			v := fresh(c)
			if errs[n] = fill(&v, row, c, true); errs[n] != nil {
				continue
			}
			if i := find(old, key(&v)); i >= 0 {
				v = old[i]
			}
			if errs[n] = fill(&v, row, c, false); errs[n] != nil {
				continue
			}
			next = append(next, v)
		}
		store(c, next)
		return errs
	}
	t.remove = func(c *cs.Contribution, id string) {
		list := load(c)
		if i := find(list, id); i >= 0 {
			store(c, slices.Delete(slices.Clone(list), i, i+1))
		}
	}
	return t
}

// CellError is a value that cannot be read.
type CellError struct{ Column, Text string }

func (e *CellError) Error() string { return e.Column + ": " + e.Text }

// Keys lists the rows of a part, in its order.
func (t *Table) Keys(c *cs.Contribution) []string { return t.keys(c) }

// Row reads one row; nil when there is none.
func (t *Table) Row(c *cs.Contribution, key string) Row { return t.read(c, key) }

// Put is the part with one row changed, or added when key names none. The
// receiver's part stays as it is. The error, if any, is a *CellError.
func (t *Table) Put(c *cs.Contribution, key string, row Row) (*cs.Contribution, error) {
	next := clone(c)
	return next, t.write(next, key, row)
}

// Remove is the part without a row.
func (t *Table) Remove(c *cs.Contribution, key string) *cs.Contribution {
	next := clone(c)
	t.remove(next, key)
	return next
}

// TableNamed finds a table, nil when there is none.
func TableNamed(name string) *Table {
	list := Tables()
	i := slices.IndexFunc(list, func(t Table) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// Tables are the tables of a country, in the order in which clerks meet them.
func Tables() []Table {
	return []Table{procedures(), mapping(), evidenceTypes(), dataServices(), providers(), accessPoints(), questions(), codeLists()}
}

// Small ways into a value.

func line[T any](c Column, at func(*T) *string) column[T] {
	if c.Form == "" {
		c.Form = Line1
	}
	return column[T]{c, func(v *T) string { return *at(v) }, func(v *T, s string, _ *cs.Contribution) error {
		*at(v) = xmltree.NormalizeSpace(s)
		return nil
	}}
}

func uuid[T any](at func(*T) *string) column[T] {
	return line(Column{Name: "id", Form: UUID, Key: true, Must: true}, at)
}

func texts[T any](name string, must bool, at func(*T) *[]sdg.Text) column[T] {
	return column[T]{Column{Name: name, Form: Texts, Must: must}, func(v *T) string { return FormatTexts(*at(v)) }, func(v *T, s string, _ *cs.Contribution) (err error) {
		*at(v), err = ParseTexts(s)
		return err
	}}
}

func many[T any](c Column, at func(*T) *[]string) column[T] {
	return column[T]{c, func(v *T) string { return strings.Join(*at(v), "\n") }, func(v *T, s string, _ *cs.Contribution) error {
		*at(v) = lines(s)
		return nil
	}}
}

// lines are the lines of a text that say something; nil for none.
func lines(s string) (out []string) {
	for l := range strings.Lines(s) {
		if l = xmltree.NormalizeSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// FormatTexts writes texts one a line: "EN: Extract".
func FormatTexts(list []sdg.Text) string {
	var out []string
	for _, t := range list {
		out = append(out, t.Lang+": "+xmltree.NormalizeSpace(t.Value))
	}
	return strings.Join(out, "\n")
}

// ParseTexts reads what FormatTexts writes.
func ParseTexts(s string) (out []sdg.Text, err error) {
	for _, l := range lines(s) {
		lang, value, ok := strings.Cut(l, ":")
		if lang = strings.ToUpper(strings.TrimSpace(lang)); !ok || len(lang) != 2 {
			return nil, fmt.Errorf("the line %q does not begin with a language; write it as EN: text", shorten(l))
		}
		out = append(out, sdg.Text{Lang: lang, Value: strings.TrimSpace(value)})
	}
	return out, nil
}

// areas is a jurisdiction's part of a country: one line a code, as List=CODE.
func areas[T any](at func(*T) **sdg.Jurisdiction) column[T] {
	return column[T]{Column{Name: "areas", Form: Lines2}, func(v *T) string {
		var out []string
		if j := *at(v); j != nil {
			for _, c := range j.Classifications {
				out = append(out, c.List[strings.LastIndexByte(c.List, '/')+1:]+"="+c.Code)
			}
		}
		return strings.Join(out, "\n")
	}, func(v *T, s string, c *cs.Contribution) error {
		next := sdg.Jurisdiction{AdminUnitLevel1: c.Country}
		if j := *at(v); j != nil {
			next.AdminUnitLevel2, next.AdminUnitLevel3 = j.AdminUnitLevel2, j.AdminUnitLevel3
		}
		for _, l := range lines(s) {
			list, code, ok := strings.Cut(l, "=")
			if !ok {
				return fmt.Errorf("the line %q is not of the form List=CODE", shorten(l))
			}
			next.Classifications = append(next.Classifications, sdg.ListCode{List: cs.CodeListAddress(c.Country, strings.TrimSpace(list)), Code: strings.TrimSpace(code)})
		}
		*at(v) = &next
		return nil
	}}
}

func requirements[T any](at func(*T) *[]string) column[T] {
	return many(Column{Name: "requirements", Form: References, List: RequirementTable, Must: true}, at)
}

func procedures() Table {
	type T = cs.ReferenceFramework
	return table("procedures", "ReferenceFramework",
		func(c *cs.Contribution) []T { return c.Frameworks }, func(c *cs.Contribution, l []T) { c.Frameworks = l },
		func(v *T) string { return v.ID }, func(c *cs.Contribution) T {
			return T{ReferenceFramework: sdg.ReferenceFramework{Jurisdiction: &sdg.Jurisdiction{AdminUnitLevel1: c.Country}}}
		},
		texts("titles", true, func(v *T) *[]sdg.Text { return &v.Titles }),
		texts("descriptions", false, func(v *T) *[]sdg.Text { return &v.Descriptions }),
		column[T]{Column{Name: "procedure", Form: Choice, List: codelist.Procedures, Must: true}, func(v *T) string { return strings.Join(v.Procedures, " ") },
			func(v *T, s string, _ *cs.Contribution) error { v.Procedures = strings.Fields(s); return nil }},
		requirements(func(v *T) *[]string { return &v.Requirements }),
		areas(func(v *T) **sdg.Jurisdiction { return &v.Jurisdiction }),
		uuid(func(v *T) *string { return &v.ID }),
	)
}

func mapping() Table {
	type T = cs.EvidenceTypeList
	return table("requirements", "EvidenceTypeList",
		func(c *cs.Contribution) []T { return c.Lists }, func(c *cs.Contribution, l []T) { c.Lists = l },
		func(v *T) string { return v.ID }, func(c *cs.Contribution) T {
			return T{EvidenceTypeList: sdg.EvidenceTypeList{Jurisdiction: &sdg.Jurisdiction{AdminUnitLevel1: c.Country}}}
		},
		requirements(func(v *T) *[]string { return &v.Requirements }),
		many(Column{Name: "types", Form: References, List: "evidence-types"}, func(v *T) *[]string { return &v.Types }),
		column[T]{Column{Name: "nomatch", Form: Yes}, func(v *T) string {
			if v.MatchType != "" {
				return "yes"
			}
			return ""
		}, func(v *T, s string, _ *cs.Contribution) error {
			if v.MatchType = ""; s != "" {
				v.MatchType = "NoMatch"
			}
			return nil
		}},
		texts("reasons", false, func(v *T) *[]sdg.Text { return &v.MatchDescriptions }),
		texts("names", false, func(v *T) *[]sdg.Text { return &v.Names }),
		areas(func(v *T) **sdg.Jurisdiction { return &v.Jurisdiction }),
		uuid(func(v *T) *string { return &v.ID }),
	)
}

func evidenceTypes() Table {
	type T = sdg.EvidenceType
	return table("evidence-types", "EvidenceType",
		func(c *cs.Contribution) []T { return c.EvidenceTypes }, func(c *cs.Contribution, l []T) { c.EvidenceTypes = l },
		func(v *T) string { return v.Classification }, func(*cs.Contribution) T { return T{} },
		texts("titles", true, func(v *T) *[]sdg.Text { return &v.Titles }),
		texts("descriptions", false, func(v *T) *[]sdg.Text { return &v.Descriptions }),
		many(Column{Name: "formats", Form: Choices, List: codelist.OOTSMediaTypes}, func(v *T) *[]string { return &v.StructuredFormats }),
		column[T]{Column{Name: "id", Form: UUID, Key: true, Must: true}, func(v *T) string { return v.Classification }, func(v *T, s string, c *cs.Contribution) error {
			if v.Classification = s; !strings.Contains(s, "/") {
				v.Classification = cs.ClassificationAddress(c.Country, strings.ToLower(s))
			}
			return nil
		}},
	)
}

func dataServices() Table {
	type T = sdg.DataServiceEvidenceType
	return table("data-services", "DataServiceEvidenceType",
		func(c *cs.Contribution) []T { return c.Records }, func(c *cs.Contribution, l []T) { c.Records = l },
		func(v *T) string { return v.ID }, func(*cs.Contribution) T { return T{} },
		line(Column{Name: "type", Form: Reference, List: "evidence-types", Must: true}, func(v *T) *string { return &v.Classification }),
		texts("titles", true, func(v *T) *[]sdg.Text { return &v.Titles }),
		texts("descriptions", false, func(v *T) *[]sdg.Text { return &v.Descriptions }),
		column[T]{Column{Name: "distributions", Form: Lines2, Must: true}, func(v *T) string { return formatDistributions(v.DistributedAs) },
			func(v *T, s string, _ *cs.Contribution) (err error) {
				v.DistributedAs, err = parseDistributions(s)
				return err
			}},
		line(Column{Name: "level", Form: Choice, List: codelist.LevelsOfAssurance}, func(v *T) *string { return &v.LevelOfAssurance }),
		texts("notes", false, func(v *T) *[]sdg.Text { return &v.Notes }),
		column[T]{Column{Name: "questions", Form: References, List: "questions"}, func(v *T) string {
			var out []string
			for _, q := range v.ProviderQuestions {
				out = append(out, q.Identifier.Value)
			}
			return strings.Join(out, "\n")
		}, func(v *T, s string, c *cs.Contribution) error {
			var next []sdg.ClassificationConcept
			known := askedIn(c)
			for _, id := range lines(s) {
				i := slices.IndexFunc(known, func(q Question) bool { return strings.EqualFold(q.Identifier.Value, id) })
				if i < 0 {
					return fmt.Errorf("there is no question %q; add it in the table of questions", shorten(id))
				}
				next = append(next, known[i].ClassificationConcept)
			}
			v.ProviderQuestions = next
			return nil
		}},
		uuid(func(v *T) *string { return &v.ID }),
	)
}

// formatDistributions writes one distribution a line: its formats, joined by
// commas, its languages, and its data model after an equals sign.
func formatDistributions(list []sdg.Distribution) string {
	var out []string
	for _, d := range list {
		l := strings.Join(append([]string{strings.Join(d.Formats, ",")}, d.Languages...), " ")
		if d.ConformsTo != "" {
			name, _ := strings.CutPrefix(d.ConformsTo, cs.Repository+"datamodels/")
			l += " =" + name
		}
		out = append(out, l)
	}
	return strings.Join(out, "\n")
}

func parseDistributions(s string) (out []sdg.Distribution, err error) {
	for _, l := range lines(s) {
		var d sdg.Distribution
		for i, word := range strings.Fields(l) {
			model, is := strings.CutPrefix(word, "=")
			switch {
			case i == 0:
				d.Formats = strings.Split(word, ",")
			case is && strings.Contains(model, "/"):
				d.ConformsTo = model
			case is:
				d.ConformsTo = cs.DataModelAddress(model)
			case len(word) == 2:
				d.Languages = append(d.Languages, strings.ToUpper(word))
			default:
				return nil, fmt.Errorf("%q is neither a language nor a data model; write a line as application/pdf EN FI =DataModel", shorten(word))
			}
		}
		out = append(out, d)
	}
	return out, nil
}

func identifier[T any](key bool, at func(*T) *sdg.Identifier) []column[T] {
	return []column[T]{
		line(Column{Name: "identifier", Key: key, Must: true}, func(v *T) *string { return &at(v).Value }),
		line(Column{Name: "scheme", Key: key, Must: true}, func(v *T) *string { return &at(v).Scheme }),
	}
}

func providers() Table {
	type T = cs.Provider
	address := func(name, list string, at func(*sdg.Address) *string) column[T] {
		c := Column{Name: name, Form: Line1}
		return column[T]{c, func(v *T) string {
			if v.Address == nil {
				return ""
			}
			return *at(v.Address)
		}, func(v *T, s string, c *cs.Contribution) error {
			next := sdg.Address{AdminUnitLevel1: c.Country}
			if v.Address != nil {
				next = *v.Address // never change what others may see
			}
			*at(&next) = xmltree.NormalizeSpace(s)
			v.Address = &next
			return nil
		}}
	}
	columns := []column[T]{
		texts("names", true, func(v *T) *[]sdg.Text { return &v.Names }),
		texts("descriptions", false, func(v *T) *[]sdg.Text { return &v.Descriptions }),
		address("street", "", func(a *sdg.Address) *string { return &a.Thoroughfare }),
		address("number", "", func(a *sdg.Address) *string { return &a.LocatorDesignator }),
		address("postcode", "", func(a *sdg.Address) *string { return &a.PostCode }),
		address("city", "", func(a *sdg.Address) *string { return &a.PostCityName }),
		address("region", "", func(a *sdg.Address) *string { return &a.AdminUnitLevel2 }),
		address("address", "", func(a *sdg.Address) *string { return &a.FullAddress }),
		many(Column{Name: "services", Form: References, List: "data-services"}, func(v *T) *[]string { return &v.Records }),
		{Column{Name: "access", Form: References, List: "access-points"}, func(v *T) string {
			var out []string
			for _, s := range v.AccessServices {
				out = append(out, s.Value)
			}
			return strings.Join(out, "\n")
		}, func(v *T, s string, c *cs.Contribution) error {
			var next []sdg.Identifier
			for _, id := range lines(s) {
				i := slices.IndexFunc(c.AccessServices, func(a sdg.AccessService) bool { return a.Identifier.Value == id })
				if i < 0 {
					return fmt.Errorf("there is no access point %q; add it in the table of access points", shorten(id))
				}
				next = append(next, c.AccessServices[i].Identifier)
			}
			v.AccessServices = next
			return nil
		}},
		{Column{Name: "answers", Form: Lines2}, func(v *T) string { return formatAnswers(v.Concepts) }, func(v *T, s string, c *cs.Contribution) (err error) {
			v.Concepts, err = parseAnswers(s, v.Concepts, askedIn(c))
			return err
		}},
		areas(func(v *T) **sdg.Jurisdiction { return &v.Jurisdiction }),
	}
	return table("providers", "EvidenceProvider",
		func(c *cs.Contribution) []T { return c.Providers }, func(c *cs.Contribution, l []T) { c.Providers = l },
		func(v *T) string { return v.Identifier.Scheme + "::" + v.Identifier.Value }, func(c *cs.Contribution) T {
			return T{Publisher: sdg.Publisher{Address: &sdg.Address{AdminUnitLevel1: c.Country}, Jurisdiction: &sdg.Jurisdiction{AdminUnitLevel1: c.Country}}}
		}, append(columns, identifier(true, func(v *T) *sdg.Identifier { return &v.Identifier })...)...)
}

// bars joins values with " | "; a bar or backslash inside a value has a
// backslash before it.
func bars(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.NewReplacer(`\`, `\\`, `|`, `\|`).Replace(v)
	}
	return strings.Join(out, " | ")
}

// unbar takes apart what bars joins.
func unbar(s string) []string {
	out := []string{""}
	for i := 0; i < len(s); i++ {
		last := &out[len(out)-1]
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			*last += s[i : i+1]
		case s[i] == '|':
			out = append(out, "")
		default:
			*last += s[i : i+1]
		}
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// formatAnswers writes one question a line: its identifier, an equals sign and
// the values the provider covers, separated by " | ".
func formatAnswers(list []sdg.ClassificationConcept) string {
	var out []string
	for _, q := range list {
		var values []string
		if q.Values != nil {
			values = append(values, q.Values.Strings...)
			values = append(values, q.Values.Dates...)
			for _, b := range q.Values.Booleans {
				values = append(values, fmt.Sprint(b))
			}
		}
		out = append(out, q.Identifier.Value+" = "+bars(values))
	}
	return strings.Join(out, "\n")
}

func parseAnswers(s string, old []sdg.ClassificationConcept, known []Question) (out []sdg.ClassificationConcept, err error) {
	for _, l := range lines(s) {
		id, rest, ok := strings.Cut(l, "=")
		id = strings.TrimSpace(id)
		if !ok {
			return nil, fmt.Errorf("the line %q is not of the form question = value | value", shorten(l))
		}
		same := func(q sdg.ClassificationConcept) bool { return strings.EqualFold(q.Identifier.Value, id) }
		var q sdg.ClassificationConcept
		if i := slices.IndexFunc(old, same); i >= 0 {
			q = old[i]
		} else if i := slices.IndexFunc(known, func(k Question) bool { return same(k.ClassificationConcept) }); i >= 0 {
			q = known[i].ClassificationConcept
			q.Descriptions = nil
		} else {
			return nil, fmt.Errorf("there is no question %q; add it in the table of questions", shorten(id))
		}
		dates := q.Values != nil && len(q.Values.Dates) > 0
		q.Values = &sdg.SupportedValue{}
		for _, v := range unbar(rest) {
			switch {
			case v == "":
			case strings.EqualFold(q.Type, "boolean"):
				q.Values.Booleans = append(q.Values.Booleans, v == "true" || v == "yes")
			case dates:
				q.Values.Dates = append(q.Values.Dates, v)
			default:
				q.Values.Strings = append(q.Values.Strings, v)
			}
		}
		out = append(out, q)
	}
	return out, nil
}

func accessPoints() Table {
	type T = sdg.AccessService
	return table("access-points", "AccessService",
		func(c *cs.Contribution) []T { return c.AccessServices }, func(c *cs.Contribution, l []T) { c.AccessServices = l },
		func(v *T) string { return v.Identifier.Value }, func(*cs.Contribution) T { return T{} },
		append([]column[T]{
			texts("names", false, func(v *T) *[]sdg.Text { return &v.Names }),
			many(Column{Name: "lines", Form: Lines2, Must: true}, func(v *T) *[]string { return &v.ConformsTo }),
		}, identifier(true, func(v *T) *sdg.Identifier { return &v.Identifier })...)...)
}

// Question is a classification concept with the data services that ask it.
type Question struct {
	sdg.ClassificationConcept
	Records []string
}

// askedIn collects the questions of a part.
func askedIn(c *cs.Contribution) (out []Question) {
	for _, r := range c.Records {
		for _, q := range r.ProviderQuestions {
			i := slices.IndexFunc(out, func(k Question) bool { return strings.EqualFold(k.Identifier.Value, q.Identifier.Value) })
			if i < 0 {
				out, i = append(out, Question{ClassificationConcept: q}), len(out)
			}
			out[i].Records = append(out[i].Records, r.ID)
		}
	}
	return out
}

// ask gives every record the questions that name it.
func ask(c *cs.Contribution, list []Question) {
	c.Records = slices.Clone(c.Records)
	for i := range c.Records {
		r := &c.Records[i]
		var next []sdg.ClassificationConcept
		for _, q := range list {
			if slices.Contains(q.Records, r.ID) {
				next = append(next, q.ClassificationConcept)
			}
		}
		r.ProviderQuestions = next
	}
}

func questions() Table {
	type T = Question
	return table("questions", "DataServiceEvidenceType", askedIn, ask,
		func(v *T) string { return v.Identifier.Value }, func(*cs.Contribution) T { return T{} },
		texts("questions", true, func(v *T) *[]sdg.Text { return &v.Descriptions }),
		line(Column{Name: "kind", Form: Choice, List: codelist.EvidenceProviderClassificationType, Must: true}, func(v *T) *string { return &v.Type }),
		column[T]{Column{Name: "list", Form: Reference, List: "code-lists"}, func(v *T) string { return v.ValueExpression[strings.LastIndexByte(v.ValueExpression, '/')+1:] },
			func(v *T, s string, c *cs.Contribution) error {
				if v.ValueExpression = s; s != "" && strings.EqualFold(v.Type, "codelist") && !strings.Contains(s, "/") {
					v.ValueExpression = cs.CodeListAddress(c.Country, s)
				}
				return nil
			}},
		many(Column{Name: "services", Form: References, List: "data-services", Must: true}, func(v *T) *[]string { return &v.Records }),
		line(Column{Name: "id", Form: UUID, Key: true, Must: true}, func(v *T) *string { return &v.Identifier.Value }),
	)
}

func codeLists() Table {
	type T = cs.CodeList
	return table("code-lists", "CodeList",
		func(c *cs.Contribution) []T { return c.CodeLists }, func(c *cs.Contribution, l []T) { c.CodeLists = l },
		func(v *T) string { return v.Name }, func(*cs.Contribution) T { return T{} },
		line(Column{Name: "name", Key: true, Must: true}, func(v *T) *string { return &v.Name }),
		line(Column{Name: "version", Must: true}, func(v *T) *string { return &v.Version }),
		texts("titles", false, func(v *T) *[]sdg.Text { return &v.Titles }),
		column[T]{Column{Name: "codes", Form: Lines2, Must: true}, func(v *T) string {
			var out []string
			for _, c := range v.Codes {
				parts := []string{c.Code}
				for _, n := range c.Names {
					parts = append(parts, n.Lang+": "+n.Value)
				}
				out = append(out, bars(parts))
			}
			return strings.Join(out, "\n")
		}, func(v *T, s string, _ *cs.Contribution) error {
			var next []cs.Code
			for _, l := range lines(s) {
				parts := unbar(l)
				names, err := ParseTexts(strings.Join(parts[1:], "\n"))
				if err != nil {
					return err
				}
				next = append(next, cs.Code{Code: strings.TrimSpace(parts[0]), Names: names})
			}
			v.Codes = next
			return nil
		}},
	)
}
