package web

import (
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	am "github.com/once-only/oots/acceleratormeter"
)

// renamed are names that CLDR 32, the data of golang.org/x/text, has wrong or
// too long for us, by language and country.
var renamed = map[string]map[string]string{
	"en": {"MK": "North Macedonia", "TR": "Türkiye"},
	"de": {"MK": "Nordmazedonien"},
	"fr": {"MK": "Macédoine du Nord"},
	"el": {"MK": "Βόρεια Μακεδονία"},
}

// countryNames are the names of the thirty countries, and of the neighbours
// that may appear in events, in one language.
func countryNames(tag language.Tag) map[string]string {
	out := map[string]string{}
	namer := display.Regions(tag)
	base, _ := tag.Base()
	name := func(code, iso string) {
		out[code] = namer.Name(language.MustParseRegion(iso))
		if own, ok := renamed[base.String()][code]; ok {
			out[code] = own
		}
	}
	for _, c := range am.Countries() {
		name(c.Code, c.ISO) // EL is GR to CLDR, which panics at EL
	}
	for _, code := range []string{"CH", "MK", "TR", "UA", "MD", "RS", "ME", "AL", "BA", "GE"} {
		name(code, code)
	}
	return out
}
