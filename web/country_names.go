package web

import (
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// protocol is the order of the countries in every list: by each one's name in
// its own language, EEA countries after (Interinstitutional style guide 7.1.2).
var protocol = []string{"BE", "BG", "CZ", "DK", "DE", "EE", "IE", "EL", "ES", "FR", "HR", "IT", "CY", "LV", "LT",
	"LU", "HU", "MT", "NL", "AT", "PL", "PT", "RO", "SI", "SK", "FI", "SE", "IS", "LI", "NO"}

// spoken are the official languages of each country, first the one whose name
// rules the protocol order.
var spoken = map[string][]string{
	"BE": {"nl", "fr", "de"}, "BG": {"bg"}, "CZ": {"cs"}, "DK": {"da"}, "DE": {"de"}, "EE": {"et"}, "IE": {"ga", "en"},
	"EL": {"el"}, "ES": {"es"}, "FR": {"fr"}, "HR": {"hr"}, "IT": {"it"}, "CY": {"el"}, "LV": {"lv"}, "LT": {"lt"},
	"LU": {"lb", "fr", "de"}, "HU": {"hu"}, "MT": {"mt", "en"}, "NL": {"nl"}, "AT": {"de"}, "PL": {"pl"}, "PT": {"pt-PT"},
	"RO": {"ro"}, "SI": {"sl"}, "SK": {"sk"}, "FI": {"fi", "sv"}, "SE": {"sv"}, "IS": {"is"}, "LI": {"de"}, "NO": {"nb", "nn"},
}

// renamed are names that CLDR 32, the data of golang.org/x/text, has wrong or
// too long for us, by language and country.
var renamed = map[string]map[string]string{
	"en": {"MK": "North Macedonia", "TR": "Türkiye"},
	"de": {"MK": "Nordmazedonien"},
	"fr": {"MK": "Macédoine du Nord"},
	"el": {"MK": "Βόρεια Μακεδονία"},
}

// iso2 is the ISO 3166 code of an OOTS country code: they differ for Greece.
func iso2(code string) string {
	if code == "EL" {
		return "GR"
	}
	return code
}

// countryNames are the names of the thirty countries, and of the neighbours
// that may appear in events, in one language.
func countryNames(tag language.Tag) map[string]string {
	out := map[string]string{}
	namer := display.Regions(tag)
	base, _ := tag.Base()
	for _, code := range append([]string{"CH", "MK", "TR", "UA", "MD", "RS", "ME", "AL", "BA", "GE"}, protocol...) {
		out[code] = namer.Name(language.MustParseRegion(iso2(code)))
		if own, ok := renamed[base.String()][code]; ok {
			out[code] = own
		}
	}
	return out
}

// ownName is a country's name in one of its own languages.
type ownName struct{ Lang, Name string }

// ownNames are the names of a country in its official languages, each once.
func ownNames(code string) []ownName {
	var out []ownName
	seen := map[string]bool{}
	for _, l := range spoken[code] {
		name := display.Regions(language.MustParse(l)).Name(language.MustParseRegion(iso2(code)))
		if name != "" && !seen[name] {
			seen[name] = true
			out = append(out, ownName{l, name})
		}
	}
	return out
}

// isEEA tells that a country is in the EEA and outside the EU.
func isEEA(code string) bool { return code == "IS" || code == "LI" || code == "NO" }
