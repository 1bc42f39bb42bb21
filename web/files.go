package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/web/api"
	"github.com/once-only/oots/web/opendata"
)

// family is one of the files under /data, in two forms.
type family struct {
	name  string
	table func(*site, *state) *opendata.Table
}

// families are the files of the newest data, in the order in which the data
// page and the catalogue list them.
func families() []family {
	return []family{
		{"levels", func(s *site, st *state) *opendata.Table {
			return opendata.Levels(s.addresses(), st.snapshots, s.drawn)
		}},
		{"moves", func(s *site, st *state) *opendata.Table {
			return opendata.Moves(s.addresses(), st.moves, s.drawn)
		}},
		{"pairs", func(s *site, st *state) *opendata.Table {
			var at time.Time
			if x := st.latest(); x != nil {
				at = x.AsOf
			}
			return opendata.Pairs(s.addresses(), at, s.pairs(moment{Snap: st.latest()}), s.Sample || st.latest() != nil && st.latest().Sample)
		}},
	}
}

// form writes a table as the ending of a file name asks.
func form(t *opendata.Table, ending string) (*document, error) {
	switch ending {
	case "csv":
		return &document{"text/csv; charset=utf-8; header=present", t.CSV()}, nil
	case "json":
		return &document{"application/json", t.JSON()}, nil
	}
	return nil, &api.Problem{Status: http.StatusNotFound, Code: "unknown-form", Detail: "the file exists in two forms", Valid: []string{t.Name + ".csv", t.Name + ".json"}}
}

// dataFile is GET /data/{file}.
func (s *site) dataFile(a *ask) (*document, error) {
	asked := a.value("file")
	switch asked {
	case "catalog.jsonld":
		return &document{"application/ld+json", s.catalog(a.State).JSONLD()}, nil
	case "facts.schema.json":
		return &document{"application/schema+json", ledger.Schema()}, nil
	}
	name, ending, _ := strings.Cut(asked, ".")
	valid := []string{"catalog.jsonld", "facts.schema.json"}
	for _, f := range families() {
		if f.name == name {
			return form(f.table(s, a.State), ending)
		}
		valid = append(valid, f.name+".csv", f.name+".json")
	}
	return nil, &api.Problem{Status: http.StatusNotFound, Code: "unknown-file", Detail: fmt.Sprintf("there is no file %q under /data", cut(asked, 40)), Valid: valid}
}

// snapshotFile is GET /data/snapshots/{file}: by the day that the position
// describes, or by number. Two snapshots of one day have their numbers; the day
// leads to the first of them, so that its file never changes.
func (s *site) snapshotFile(a *ask) (*document, error) {
	name, ending, _ := strings.Cut(a.value("file"), ".")
	number, err := strconv.Atoi(name)
	var valid []string
	for i := range a.State.snapshots {
		x := &a.State.snapshots[i]
		day := x.AsOf.UTC().Format(time.DateOnly)
		if err == nil && x.Sequence == number || day == name {
			return form(opendata.Snapshot(s.addresses(), x, s.drawn), ending)
		}
		valid = append(valid, day+".csv")
	}
	return nil, &am.Error{Code: am.UnknownSnapshot, Found: cut(name, 40), Hint: "give the day of a snapshot or its number", Valid: valid}
}

// catalog describes all files for the data portals.
func (s *site) catalog(st *state) *opendata.Catalog {
	texts := func(key string) opendata.Texts {
		out := opendata.Texts{}
		for _, l := range s.langs {
			out[l.Code] = l.Text(key)
		}
		return out
	}
	c := &opendata.Catalog{Base: s.base.String(), Title: texts("site.name"), Desc: texts("board.description"), Publisher: s.publisher()}
	for _, d := range s.drawn {
		c.Countries = append(c.Countries, alpha3[d.Code])
	}
	if len(st.snapshots) == 0 {
		return c
	}
	first, last := &st.snapshots[0], st.latest()
	c.Issued, c.Modified, c.From, c.To = first.PublishedAt, last.PublishedAt, first.AsOf, last.AsOf
	add := func(id string, files ...opendata.File) {
		c.Datasets = append(c.Datasets, opendata.Dataset{ID: id, Title: texts("data." + id), Desc: texts("file." + id), Page: c.Base + "/data",
			Issued: c.Issued, Modified: c.Modified, From: c.From, To: c.To, Files: files})
	}
	both := func(name, title string, t *opendata.Table) []opendata.File {
		return []opendata.File{
			{Address: c.Base + "/data/" + name + ".csv", Type: "CSV", MediaType: "text/csv", Title: title, Content: t.CSV()},
			{Address: c.Base + "/data/" + name + ".json", Type: "JSON", MediaType: "application/json", Title: title, Content: t.JSON()},
		}
	}
	for _, f := range families() {
		add(f.name, both(f.name, "", f.table(s, st))...)
	}
	var snapshots []opendata.File
	for i := range st.snapshots {
		x := &st.snapshots[i]
		snapshots = append(snapshots, both("snapshots/"+strconv.Itoa(x.Sequence), fmt.Sprintf("Snapshot %d, %s", x.Sequence, x.AsOf.UTC().Format(time.DateOnly)),
			opendata.Snapshot(s.addresses(), x, s.drawn))...)
	}
	add("snapshots", snapshots...)
	return c
}

// publisher is who runs the site, in words for a catalogue.
func (s *site) publisher() string {
	if s.Operator != "" {
		return s.Operator
	}
	return "Acceleratormeter, an independent project"
}

// alpha3 are the ISO 3166-1 alpha-3 codes, which the EU's authority table of
// countries uses.
var alpha3 = map[string]string{
	"BE": "BEL", "BG": "BGR", "CZ": "CZE", "DK": "DNK", "DE": "DEU", "EE": "EST", "IE": "IRL", "EL": "GRC", "ES": "ESP", "FR": "FRA",
	"HR": "HRV", "IT": "ITA", "CY": "CYP", "LV": "LVA", "LT": "LTU", "LU": "LUX", "HU": "HUN", "MT": "MLT", "NL": "NLD", "AT": "AUT",
	"PL": "POL", "PT": "PRT", "RO": "ROU", "SI": "SVN", "SK": "SVK", "FI": "FIN", "SE": "SWE", "IS": "ISL", "LI": "LIE", "NO": "NOR",
}
