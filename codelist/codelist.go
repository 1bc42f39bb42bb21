// Package codelist holds the code lists that OOTS messages draw their values
// from, and reads newer ones.
//
// Built in are the values of TDD 2.0.1, or of the edition 2022-12 where no
// later one is known; List.Edition says which. NUTS and LAU are not built in:
// an operator loads them with ReadGenericode (OASIS genericode 1.0,
// SimpleCodeList only). Membership is an exact, case-sensitive comparison of
// the raw value. Which rule asks which list is the validator's business.
package codelist

import (
	"embed"
	"encoding/csv"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Names of the lists, as their files call them.
const (
	Procedures                         = "Procedures"                         // TDD 4.5.1; without SystemCheck
	AgentClassification                = "AgentClassification"                // ER, EP, IP, ERRP
	EDMErrorCodes                      = "EDMErrorCodes"                      // columns type, message
	EBErrorCodes                       = "EBErrorCodes"                       // columns type, message, until
	DSDErrorCodes                      = "DSDErrorCodes"                      // columns type, message, until
	LCMErrorCodes                      = "LCMErrorCodes"                      // columns type, message, until
	ErrorSeverity                      = "ErrorSeverity"                      // column used-by
	LevelsOfAssurance                  = "LevelsOfAssurance"                  // columns eidas, rank
	Gender                             = "Gender"                             // column profile: eidas or eidas2
	IdentifierSchemes                  = "IdentifierSchemes"                  // of organisations as subjects
	OOTSMediaTypes                     = "OOTSMediaTypes"                     // columns extension, structure
	EAS                                = "EAS"                                // Electronic Address Scheme
	Country                            = "OOTS_Country"                       // 30 countries and EU; EL for Greece
	WorldCountry                       = "CountryIdentificationCode"          // ISO 3166-1 with EL for Greece
	Language                           = "LanguageCode"                       // two upper-case letters
	ClassificationNode                 = "ClassificationNodeEDM"              // column association; 2.0 only
	AssociatedDocumentRequest          = "AssociatedDocumentRequest"          // 2.0 only
	EvidenceProviderClassificationType = "EvidenceProviderClassificationType" // string, boolean, codelist
	ResponseStatus                     = "ResponseStatus"                     // column action
	JurisdictionLevel                  = "JurisdictionLevel"                  // 1.x only
	NUTS                               = "NUTS"                               // not built in
	LAU                                = "LAU"                                // not built in; 1.x only
)

// SystemCheck is the procedure code of checks in production without a real
// person. It is no member of Procedures; rules admit it beside the list.
const SystemCheck = "00"

// List is one edition of one code list. A nil List has no codes.
type List struct {
	Name    string // one of the names above, or what a genericode file says
	Edition string // release of the TDD or version of the file
	URI     string // canonical URI, "" when not known
	Columns []string

	rows  [][]string
	index map[string]int
}

// Row is one entry of a list.
type Row struct {
	list  *List
	cells []string
}

// Contains tells whether a code is in the list, compared exactly.
func (l *List) Contains(code string) bool {
	if l == nil {
		return false
	}
	_, ok := l.index[code]
	return ok
}

// Lookup finds the entry of a code.
func (l *List) Lookup(code string) (Row, bool) {
	if l == nil {
		return Row{}, false
	}
	i, ok := l.index[code]
	if !ok {
		return Row{}, false
	}
	return Row{l, l.rows[i]}, true
}

// NameOf is the name of a code, "" when the list has no such code or no names.
func (l *List) NameOf(code string) string {
	r, _ := l.Lookup(code)
	return r.Get("name")
}

// Len is the number of entries.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return len(l.rows)
}

// Rows yields the entries in the order of the list.
func (l *List) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		if l == nil {
			return
		}
		for _, cells := range l.rows {
			if !yield(Row{l, cells}) {
				return
			}
		}
	}
}

// Codes are the codes in the order of the list, each once.
func (l *List) Codes() []string {
	var codes []string
	for r := range l.Rows() {
		if len(codes) == 0 || codes[len(codes)-1] != r.Code() {
			codes = append(codes, r.Code())
		}
	}
	return codes
}

// Code is the key of the entry.
func (r Row) Code() string { return r.Get("code") }

// Get is the value of a column, "" when the entry or the column is absent.
func (r Row) Get(column string) string {
	if r.list == nil {
		return ""
	}
	if i := slices.Index(r.list.Columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// Name is the entry's name in a language (two letters, any case), else its
// name without a language.
func (r Row) Name(language string) string {
	if s := r.Get("name-" + strings.ToUpper(language)); s != "" {
		return s
	}
	return r.Get("name")
}

// build checks the rows and indexes them. The first row of a code that
// stands more than once is the one that Lookup finds.
func (l *List) build() (*List, error) {
	key := slices.Index(l.Columns, "code")
	if key < 0 {
		return nil, fmt.Errorf("codelist: %s has no column code", l.Name)
	}
	l.index = make(map[string]int, len(l.rows))
	for i, row := range l.rows {
		code := row[key]
		if code == "" {
			return nil, fmt.Errorf("codelist: %s has an entry without a code", l.Name)
		}
		if _, twice := l.index[code]; !twice {
			l.index[code] = i
		}
	}
	return l, nil
}

// Set is a collection of lists by name. It never changes; With makes another.
type Set struct{ lists map[string]*List }

// BuiltIn is the set that this package carries.
func BuiltIn() *Set { return builtIn() }

// List gives the list of that name, nil when the set has none: then
// membership cannot be judged.
func (s *Set) List(name string) *List { return s.lists[name] }

// Contains tells whether a code is in the list of that name.
func (s *Set) Contains(name, code string) bool { return s.lists[name].Contains(code) }

// Names lists what the set holds, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.lists)) }

// With is the set with some lists added, each in place of one of its name.
func (s *Set) With(lists ...*List) *Set {
	all := maps.Clone(s.lists)
	for _, l := range lists {
		all[l.Name] = l
	}
	return &Set{all}
}

// Edition2022 is the set as it was in the edition of December 2022, which
// line 1.0 was published with: fewer procedures, other EAS codes.
func Edition2022() *Set { return edition2022() }

//go:embed lists/*.csv
var files embed.FS

var builtIn = sync.OnceValue(func() *Set {
	entries, err := files.ReadDir("lists")
	if err != nil {
		panic(err)
	}
	s := &Set{map[string]*List{}}
	for _, e := range entries {
		if l := embedded(e.Name()); e.Name() != easOf2022 {
			s.lists[l.Name] = l
		}
	}
	return s
})

const easOf2022 = "eas-2022.csv"

var edition2022 = sync.OnceValue(func() *Set {
	now := BuiltIn().List(Procedures)
	then := &List{Name: now.Name, Edition: "2022-12", URI: now.URI, Columns: now.Columns}
	for r := range now.Rows() {
		if r.Get("since") == then.Edition {
			then.rows = append(then.rows, r.cells)
		}
	}
	then, err := then.build()
	if err != nil {
		panic(err)
	}
	return BuiltIn().With(then, embedded(easOf2022))
})

// embedded reads one of our own files; a test reads them all.
func embedded(file string) *List {
	raw, err := files.ReadFile("lists/" + file)
	if err != nil {
		panic(err)
	}
	head, body, _ := strings.Cut(string(raw), "\n")
	about := strings.Split(strings.TrimPrefix(head, "# "), ", ")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(about) != 3 || len(rows) < 2 {
		panic(fmt.Sprintf("codelist: %s: %v", file, err))
	}
	l, err := (&List{Name: about[0], Edition: about[1], URI: about[2], Columns: rows[0], rows: rows[1:]}).build()
	if err != nil {
		panic(err)
	}
	return l
}
