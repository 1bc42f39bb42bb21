package commonservices

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// assetRecord is what the Semantic Repository says about one address (TDD
// 3.3.5): for people, as JSON, as XML, and as genericode for code lists.
type assetRecord struct {
	Identifier   string            `json:"identifier"`
	Type         string            `json:"type"`
	Title        map[string]string `json:"title"`
	Description  map[string]string `json:"description,omitempty"`
	Country      string            `json:"publisherCountry,omitempty"`
	Version      string            `json:"version"`
	Status       AssetStatus       `json:"status"`
	Modified     string            `json:"modified,omitempty"` // RFC 3339
	History      []assetEdition    `json:"versionHistory,omitempty"`
	Relations    []relation        `json:"relations,omitempty"`
	Transactions []string          `json:"transactions,omitempty"` // messages that carry it
	Codes        []codeRecord      `json:"codes,omitempty"`

	path string // below the server
}

type assetEdition struct {
	Version string `json:"version"`
	Issued  string `json:"issued,omitempty"` // RFC 3339
	Notes   string `json:"notes,omitempty"`
}

// relation leads to another asset, or to a code of the list Procedures.
type relation struct {
	Type   string `json:"type"`
	Target string `json:"target"`
	Title  string `json:"title,omitempty"`
	path   string
}

type codeRecord struct {
	Code string            `json:"code"`
	Name map[string]string `json:"name,omitempty"`
}

func byLang(texts []sdg.Text) map[string]string {
	out := map[string]string{}
	for _, t := range texts {
		out[t.Lang] = t.Value
	}
	return out
}

// assets finds things by their path below the server, as their addresses end.
type assets struct {
	*catalogue
	voice voice
}

func (c *catalogue) assets() assets { return assets{c, dialects[0].voice(c.set.Label)} }

// begin makes the record of an address of the model with what is the same for
// all kinds.
func (a assets) begin(address, kind string, titles []sdg.Text) *assetRecord {
	meta := a.set.Assets[address]
	r := &assetRecord{Identifier: a.voice.address(address), Type: kind, Title: byLang(titles), Version: cmp.Or(meta.Version, "1.0.0"),
		Status: cmp.Or(meta.Status, Published), path: strings.TrimPrefix(address, Repository), Country: cmp.Or(countryOf(address), "EU")}
	if !meta.Modified.IsZero() {
		r.Modified = meta.Modified.UTC().Format(time.RFC3339)
	}
	for _, v := range meta.History {
		r.History = append(r.History, assetEdition{v.Version, v.Issued.UTC().Format(time.RFC3339), v.Notes})
	}
	return r
}

// find resolves a path such as requirements/<uuid>; nil when nothing has it.
// version, where given, is an edition of a code list.
func (a assets) find(path, version string) *assetRecord {
	family, rest, _ := strings.Cut(path, "/")
	if family == strings.TrimSuffix(oldest().models, "/") {
		family = "datamodels" // its name until line 2.0
	}
	address := Repository + family + "/" + rest
	var r *assetRecord
	switch family {
	case "requirements":
		if i, ok := a.byAddress[strings.ToLower(address)]; ok {
			r = a.requirement(&a.requirements[i])
		}
	case "evidencetypeclassifications":
		r = a.evidenceType(address)
	case "datamodels":
		r = a.dataModel(address)
	case "codelists":
		if l, ok := a.set.CodeList(address); ok {
			return a.nationalList(address, l, version)
		}
		r = a.commonList(rest)
	}
	if r != nil && version != "" && version != r.Version {
		return nil // only code lists keep earlier editions
	}
	return r
}

func (a assets) requirement(r *requirement) *assetRecord {
	out := a.begin(r.ID, "Requirement", r.Names)
	out.Description = byLang(r.Descriptions)
	out.Transactions = []string{"EB-REQ", "EB-EVI", "EDM-REQ", "LCM"}
	procedures := codes.List(codelist.Procedures)
	seen := map[string]bool{}
	for _, f := range r.frameworks {
		for _, p := range f.Procedures {
			if !seen[p] {
				seen[p] = true
				out.Relations = append(out.Relations, relation{Type: "isRequiredBy", Target: p, Title: procedures.NameOf(p), path: "codelists/procedures"})
			}
		}
	}
	slices.SortFunc(out.Relations, func(x, y relation) int { return strings.Compare(x.Target, y.Target) })
	for _, l := range r.lists {
		for _, t := range l.EvidenceTypes {
			out.Relations = append(out.Relations, a.to("isProvenBy", t.Classification, countryOf(t.Classification)+": "+sdg.Name(t.Titles, "EN")))
		}
	}
	return out
}

func (a assets) to(kind, address, title string) relation {
	return relation{kind, a.voice.address(address), title, strings.TrimPrefix(address, Repository)}
}

func (a assets) evidenceType(address string) *assetRecord {
	c := a.set.Contributions[countryOf(address)]
	if c == nil {
		return nil
	}
	i := slices.IndexFunc(c.EvidenceTypes, func(t sdg.EvidenceType) bool { return t.Classification == address })
	if i < 0 {
		return nil
	}
	t := &c.EvidenceTypes[i]
	out := a.begin(address, "EvidenceTypeClassification", t.Titles)
	out.Description = byLang(t.Descriptions)
	out.Transactions = []string{"EB-EVI", "DSD-RESP", "DSD-ERR", "EDM-REQ", "EDM-RESP", "LCM"}
	for _, l := range c.Lists {
		if slices.Contains(l.Types, address) {
			for _, r := range l.Requirements {
				out.Relations = append(out.Relations, a.to("proves", r, sdg.Name(a.requirements[a.byAddress[r]].Names, "EN")))
			}
		}
	}
	for _, r := range c.Records {
		for _, d := range r.DistributedAs {
			if r.Classification == address && d.ConformsTo != "" {
				out.Relations = append(out.Relations, a.to("conformsTo", d.ConformsTo, ""))
			}
		}
	}
	return out
}

func (a assets) dataModel(address string) *assetRecord {
	for _, m := range a.set.DataModels {
		if DataModelAddress(m.Name) == address {
			out := a.begin(address, "DataModel", m.Titles)
			out.Description = byLang(m.Descriptions)
			out.Transactions = []string{"DSD-RESP", "EDM-REQ", "EDM-RESP"}
			return out
		}
	}
	return nil
}

func (a assets) nationalList(address string, l *CodeList, version string) *assetRecord {
	out := a.begin(address, "CodeList", l.Titles)
	out.Transactions = []string{"DSD-RESP", "DSD-ERR", "EDM-REQ", "LCM"}
	entries := l.Codes
	out.Version = l.Version
	for _, e := range l.Earlier {
		out.History = append(out.History, assetEdition{Version: e.Version})
	}
	if version != "" && version != l.Version {
		i := slices.IndexFunc(l.Earlier, func(e CodeListEdition) bool { return e.Version == version })
		if i < 0 {
			return nil
		}
		entries, out.Version = l.Earlier[i].Codes, version
	}
	for _, c := range entries {
		out.Codes = append(out.Codes, codeRecord{c.Code, byLang(c.Names)})
	}
	return out
}

// commonList is a list of all of OOTS, by the last part of its canonical URI
// or its name in lower case.
func (a assets) commonList(last string) *assetRecord {
	for _, name := range codes.Names() {
		list := codes.List(name)
		short := strings.ToLower(name)
		if at := strings.LastIndex(list.URI, ":"); at >= 0 {
			short = list.URI[at+1:]
		}
		if last == short || last == strings.ToLower(name) {
			return a.common(list, short)
		}
	}
	return nil
}

func (a assets) common(list *codelist.List, short string) *assetRecord {
	out := a.begin(Repository+"codelists/"+short, "CodeList", []sdg.Text{{Lang: "EN", Value: list.Name}})
	out.Version = list.Edition
	for _, code := range list.Codes() { // a code with two extensions has two rows
		c := codeRecord{Code: code}
		if name := list.NameOf(code); name != "" {
			c.Name = map[string]string{"EN": name}
		}
		out.Codes = append(out.Codes, c)
	}
	return out
}

// all yields every asset's record, requirements first.
func (a assets) all(yield func(*assetRecord) bool) {
	for i := range a.requirements {
		if !yield(a.requirement(&a.requirements[i])) {
			return
		}
	}
	for c := range a.set.each {
		for _, t := range c.EvidenceTypes {
			if !yield(a.evidenceType(t.Classification)) {
				return
			}
		}
		for i := range c.CodeLists {
			address := CodeListAddress(c.Country, c.CodeLists[i].Name)
			if !yield(a.nationalList(address, &c.CodeLists[i], "")) {
				return
			}
		}
	}
	for _, m := range a.set.DataModels {
		if !yield(a.dataModel(DataModelAddress(m.Name))) {
			return
		}
	}
	for _, name := range codes.Names() {
		if !yield(a.commonList(strings.ToLower(name))) {
			return
		}
	}
}

// entry is an asset as the search finds it.
type entry struct {
	*assetRecord
	text string // in lower case: everything that words are looked for in
}

// index lists everything that can be found, made once a revision.
func (c *catalogue) index() (out []entry) {
	for r := range c.assets().all {
		if r.Status == Withdrawn {
			continue
		}
		var text strings.Builder
		text.WriteString(strings.ToLower(r.Identifier + " " + r.Country))
		for _, m := range []map[string]string{r.Title, r.Description} {
			for _, lang := range sortedKeys(m) {
				text.WriteString(" " + strings.ToLower(m[lang]))
			}
		}
		r.Codes = nil
		out = append(out, entry{r, text.String()})
	}
	return out
}

// search finds assets by words, kind and country; every word must stand in a
// title, a description, the identifier or the country.
func (c *catalogue) search(words, kind, country string, most int) (found []*assetRecord, more bool) {
	wanted := strings.Fields(strings.ToLower(words))
	for _, e := range c.searchable() {
		if kind != "" && e.Type != kind || country != "" && e.Country != country {
			continue
		}
		if slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(e.text, w) }) {
			continue
		}
		if len(found) == most {
			return found, true
		}
		found = append(found, e.assetRecord)
	}
	return found, false
}

// genericode writes a code list as OASIS genericode 1.0, the form in which the
// lists of OOTS are published.
func (r *assetRecord) genericode() ([]byte, error) {
	name := r.Identifier[strings.LastIndex(r.Identifier, "/")+1:]
	w := xmltree.NewWriter()
	w.Indent = "  "
	w.Open("gc:CodeList")
	w.Bind("gc", codelist.GenericodeSpace)
	w.Open("Identification")
	w.Leaf("ShortName", name)
	w.Leaf("Version", r.Version)
	w.Leaf("CanonicalUri", r.Identifier)
	w.Leaf("CanonicalVersionUri", r.Identifier+"?version="+r.Version)
	w.Close()
	var languages []string
	for _, c := range r.Codes {
		for lang := range c.Name {
			if !slices.Contains(languages, lang) {
				languages = append(languages, lang)
			}
		}
	}
	slices.Sort(languages)
	w.Open("ColumnSet")
	column := func(id, use string) {
		w.Open("Column", "Id", id, "Use", use)
		w.Leaf("ShortName", id)
		w.Open("Data", "Type", "string")
		w.Close()
		w.Close()
	}
	column("code", "required")
	for _, lang := range languages {
		column("name-"+lang, "optional")
	}
	w.Open("Key", "Id", "codeKey")
	w.Leaf("ShortName", "codeKey")
	w.Open("ColumnRef", "Ref", "code")
	w.Close()
	w.Close()
	w.Close()
	w.Open("SimpleCodeList")
	for _, c := range r.Codes {
		w.Open("Row")
		cell(w, "code", c.Code)
		for _, lang := range languages {
			if c.Name[lang] != "" {
				cell(w, "name-"+lang, c.Name[lang])
			}
		}
		w.Close()
	}
	w.Close()
	w.Close()
	return w.Bytes()
}

func cell(w *xmltree.Writer, column, value string) {
	w.Open("Value", "ColumnRef", column)
	w.Leaf("SimpleValue", value)
	w.Close()
}

// xml writes the record with the names of its JSON form; a code list is
// genericode.
func (r *assetRecord) xml() ([]byte, error) {
	if r.Type == "CodeList" {
		return r.genericode()
	}
	w := xmltree.NewWriter()
	w.Indent = "  "
	w.Open("Asset")
	w.Leaf("identifier", r.Identifier)
	w.Leaf("type", r.Type)
	for _, lang := range sortedKeys(r.Title) {
		w.Leaf("title", r.Title[lang], "lang", lang)
	}
	for _, lang := range sortedKeys(r.Description) {
		w.Leaf("description", r.Description[lang], "lang", lang)
	}
	for _, f := range []struct{ name, value string }{{"publisherCountry", r.Country}, {"version", r.Version}, {"status", string(r.Status)}, {"modified", r.Modified}} {
		if f.value != "" {
			w.Leaf(f.name, f.value)
		}
	}
	for _, v := range r.History {
		w.Leaf("versionHistory", v.Notes, "version", v.Version, "issued", v.Issued)
	}
	for _, x := range r.Relations {
		w.Leaf("relation", x.Title, "type", x.Type, "target", x.Target)
	}
	for _, t := range r.Transactions {
		w.Leaf("transaction", t)
	}
	w.Close()
	return w.Bytes()
}
