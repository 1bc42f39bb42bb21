package opendata

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Texts are a title or description by language code ("el").
type Texts map[string]string

// Catalog is the DCAT-AP 3 description of all files: one dataset series with a
// dataset for each file family.
type Catalog struct {
	Base      string // address of the site
	Title     Texts
	Desc      Texts
	Publisher string
	Issued    time.Time // when the first snapshot was published
	Modified  time.Time // when the last one was
	From, To  time.Time // the time that the data describe
	Countries []string  // ISO 3166-1 alpha-3 codes of what the data cover
	Datasets  []Dataset
}

// Dataset is one file family.
type Dataset struct {
	ID       string // "levels"; part of its address
	Title    Texts
	Desc     Texts
	Page     string // the page for people
	Issued   time.Time
	Modified time.Time
	From, To time.Time
	Files    []File
}

// File is one distribution.
type File struct {
	Address   string
	Type      string // "CSV" or "JSON", as in the file-type authority table
	MediaType string // "text/csv"
	Title     string // in English, only where a family has several files
	Content   []byte // for the size and the checksum
}

const (
	authority  = "http://publications.europa.eu/resource/authority/"
	mediaTypes = "https://www.iana.org/assignments/media-types/"
)

type object map[string]any

// JSONLD is the catalogue as a JSON-LD document.
func (c *Catalog) JSONLD() []byte {
	series := c.Base + "/data#series"
	var spatial []object
	for _, code := range c.Countries {
		spatial = append(spatial, ref(authority+"country/"+code))
	}
	common := object{
		"dct:publisher":    object{"@id": c.Base + "/about#publisher", "@type": "foaf:Agent", "foaf:name": c.Publisher},
		"dct:license":      ref(authority + "licence/CC_BY_4_0"),
		"dct:accessRights": ref(authority + "access-right/PUBLIC"),
		"dcat:theme":       ref(authority + "data-theme/GOVE"),
	}
	var datasets []object
	for _, d := range c.Datasets {
		var files []object
		for _, f := range d.Files {
			sum := sha256.Sum256(f.Content)
			o := object{
				"@id": f.Address, "@type": "dcat:Distribution",
				"dcat:accessURL": ref(f.Address), "dcat:downloadURL": ref(f.Address),
				"dcat:mediaType": ref(mediaTypes + f.MediaType), "dct:format": ref(authority + "file-type/" + f.Type),
				"dcat:byteSize": object{"@type": "xsd:nonNegativeInteger", "@value": strconv.Itoa(len(f.Content))},
				"dct:license":   common["dct:license"],
				"spdx:checksum": object{"@type": "spdx:Checksum", "spdx:algorithm": ref("http://spdx.org/rdf/terms#checksumAlgorithm_sha256"),
					"spdx:checksumValue": object{"@type": "xsd:hexBinary", "@value": hex.EncodeToString(sum[:])}},
				"adms:status": ref(authority + "distribution-status/COMPLETED"),
			}
			if f.Title != "" {
				o["dct:title"] = Texts{"en": f.Title}.jsonld()
			}
			files = append(files, o)
		}
		datasets = append(datasets, with(common, object{
			"@id": c.Base + "/data#" + d.ID, "@type": "dcat:Dataset", "dct:identifier": d.ID,
			"dct:title": d.Title.jsonld(), "dct:description": d.Desc.jsonld(),
			"dct:issued": instant(d.Issued), "dct:modified": instant(d.Modified),
			"dct:temporal": period(d.From, d.To), "dct:spatial": spatial,
			"dcat:landingPage": ref(d.Page), "dcat:inSeries": ref(series), "dcat:distribution": files,
		}))
	}
	out := with(common, object{
		"@context": object{
			"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
			"spdx": "http://spdx.org/rdf/terms#", "adms": "http://www.w3.org/ns/adms#", "xsd": "http://www.w3.org/2001/XMLSchema#",
		},
		"@id": c.Base + "/data/catalog.jsonld", "@type": "dcat:Catalog",
		"dct:title": c.Title.jsonld(), "dct:description": c.Desc.jsonld(), "foaf:homepage": ref(c.Base + "/data"),
		"dct:issued": instant(c.Issued), "dct:modified": instant(c.Modified),
	})
	out["dcat:dataset"] = append(datasets, with(common, object{
		"@id": series, "@type": "dcat:DatasetSeries",
		"dct:title": c.Title.jsonld(), "dct:description": c.Desc.jsonld(),
		"dct:issued": instant(c.Issued), "dct:modified": instant(c.Modified),
		"dct:temporal": period(c.From, c.To), "dct:spatial": spatial,
		"dct:accrualPeriodicity": ref(authority + "frequency/MONTHLY"),
	}))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(out); err != nil {
		panic("opendata: a catalogue of strings did not encode: " + err.Error())
	}
	return b.Bytes()
}

func ref(address string) object { return object{"@id": address} }

func instant(t time.Time) object {
	return object{"@type": "xsd:dateTime", "@value": t.UTC().Format(time.RFC3339)}
}

func period(from, to time.Time) object {
	return object{"@type": "dct:PeriodOfTime",
		"dcat:startDate": object{"@type": "xsd:date", "@value": day(from)},
		"dcat:endDate":   object{"@type": "xsd:date", "@value": day(to)}}
}

func (t Texts) jsonld() []object {
	var out []object
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		out = append(out, object{"@language": lang, "@value": t[lang]})
	}
	return out
}

func with(common, own object) object {
	out := maps.Clone(common)
	maps.Copy(out, own)
	return out
}
