package acceleratormeter

import (
	"slices"
	"strings"
)

// Group says in which capacity a country takes part.
type Group string

const (
	EU  Group = "EU"
	EEA Group = "EEA" // Iceland, Liechtenstein, Norway
)

// Board is the choice of groups that the operator draws; headline counts are
// over the countries drawn.
type Board string

const (
	BoardEU    Board = "EU"     // 27 countries, the default
	BoardEUEEA Board = "EU+EEA" // 30 countries
)

// Country is one possible entry of the board. A bridge (EMREX, EUCARIS, BRIS)
// is no country and never has a level.
type Country struct {
	Code  string    `json:"code"`    // OOTS code, upper case: EL, never GR
	ISO   string    `json:"iso2"`    // ISO 3166-1: GR
	Group Group     `json:"group"`   //
	Name  string    `json:"name_en"` // English
	Own   []OwnName `json:"own"`     // in the country's official EU or national languages
}

// OwnName is a country's name in one of its own languages.
type OwnName struct {
	Lang string `json:"lang"` // BCP 47
	Name string `json:"name"`
}

// Countries are the 27 Member States in protocol order, then the three EEA
// countries. The order carries no rank.
func Countries() []Country { return slices.Clone(countries) }

// Drawn are the countries of a board, in protocol order.
func (b Board) Drawn() []Country {
	if b == BoardEUEEA {
		return Countries()
	}
	return slices.Clone(countries[:27])
}

// FindCountry looks a code up, in either case. Its error names the valid codes,
// and for the ISO code of Greece the one to use.
func FindCountry(code string) (Country, error) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if i, ok := place[code]; ok {
		return countries[i], nil
	}
	e := &Error{Code: UnknownCountry, Found: code, Valid: codes()}
	if code == "GR" {
		e.Hint = "use EL"
	}
	return Country{}, e
}

func codes() []string {
	out := make([]string, len(countries))
	for i, c := range countries {
		out[i] = c.Code
	}
	return out
}

var countries = []Country{
	{"BE", "BE", EU, "Belgium", []OwnName{{"nl", "België"}, {"fr", "Belgique"}, {"de", "Belgien"}}},
	{"BG", "BG", EU, "Bulgaria", []OwnName{{"bg", "България"}}},
	{"CZ", "CZ", EU, "Czechia", []OwnName{{"cs", "Česko"}}},
	{"DK", "DK", EU, "Denmark", []OwnName{{"da", "Danmark"}}},
	{"DE", "DE", EU, "Germany", []OwnName{{"de", "Deutschland"}}},
	{"EE", "EE", EU, "Estonia", []OwnName{{"et", "Eesti"}}},
	{"IE", "IE", EU, "Ireland", []OwnName{{"ga", "Éire"}, {"en", "Ireland"}}},
	{"EL", "GR", EU, "Greece", []OwnName{{"el", "Ελλάδα"}}},
	{"ES", "ES", EU, "Spain", []OwnName{{"es", "España"}}},
	{"FR", "FR", EU, "France", []OwnName{{"fr", "France"}}},
	{"HR", "HR", EU, "Croatia", []OwnName{{"hr", "Hrvatska"}}},
	{"IT", "IT", EU, "Italy", []OwnName{{"it", "Italia"}}},
	{"CY", "CY", EU, "Cyprus", []OwnName{{"el", "Κύπρος"}, {"tr", "Kıbrıs"}}},
	{"LV", "LV", EU, "Latvia", []OwnName{{"lv", "Latvija"}}},
	{"LT", "LT", EU, "Lithuania", []OwnName{{"lt", "Lietuva"}}},
	{"LU", "LU", EU, "Luxembourg", []OwnName{{"lb", "Lëtzebuerg"}, {"fr", "Luxembourg"}, {"de", "Luxemburg"}}},
	{"HU", "HU", EU, "Hungary", []OwnName{{"hu", "Magyarország"}}},
	{"MT", "MT", EU, "Malta", []OwnName{{"mt", "Malta"}, {"en", "Malta"}}},
	{"NL", "NL", EU, "Netherlands", []OwnName{{"nl", "Nederland"}}},
	{"AT", "AT", EU, "Austria", []OwnName{{"de", "Österreich"}}},
	{"PL", "PL", EU, "Poland", []OwnName{{"pl", "Polska"}}},
	{"PT", "PT", EU, "Portugal", []OwnName{{"pt", "Portugal"}}},
	{"RO", "RO", EU, "Romania", []OwnName{{"ro", "România"}}},
	{"SI", "SI", EU, "Slovenia", []OwnName{{"sl", "Slovenija"}}},
	{"SK", "SK", EU, "Slovakia", []OwnName{{"sk", "Slovensko"}}},
	{"FI", "FI", EU, "Finland", []OwnName{{"fi", "Suomi"}, {"sv", "Finland"}}},
	{"SE", "SE", EU, "Sweden", []OwnName{{"sv", "Sverige"}}},
	{"IS", "IS", EEA, "Iceland", []OwnName{{"is", "Ísland"}}},
	{"LI", "LI", EEA, "Liechtenstein", []OwnName{{"de", "Liechtenstein"}}},
	{"NO", "NO", EEA, "Norway", []OwnName{{"nb", "Norge"}, {"nn", "Noreg"}}},
}

// place is the position of a code in protocol order.
var place = func() map[string]int {
	m := make(map[string]int, len(countries))
	for i, c := range countries {
		m[c.Code] = i
	}
	return m
}()
