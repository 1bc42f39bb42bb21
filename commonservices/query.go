package commonservices

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/once-only/oots/codelist"
)

// Query definitions (TDD 3.1.4, 3.2.4).
const (
	QueryRequirements  = "urn:fdc:oots:eb:ebxml-regrep:queries:requirements-by-procedure-and-jurisdiction"
	QueryEvidenceTypes = "urn:fdc:oots:eb:ebxml-regrep:queries:evidence-types-by-requirement-and-jurisdiction"
	QueryDataServices  = "urn:fdc:oots:dsd:ebxml-regrep:queries:dataservices-by-evidencetype-and-jurisdiction"
)

// Names of the parameters.
const (
	paramQuery          = "queryId"
	paramProcedure      = "procedure-id"
	paramCountry        = "country-code"
	paramLevel2         = "jurisdiction-admin-l2"
	paramLevel3         = "jurisdiction-admin-l3"
	paramIncomplete     = "return-incomplete"
	paramRequirement    = "requirement-id"
	paramClassification = "evidence-type-classification"
	paramSpecification  = "specification"
	paramRecord         = "evidence-type-id"
	paramContext        = "jurisdiction-context-id"
)

// Bounds of a query: characters of the whole, of a value, and parameters.
const (
	maxQuery      = 8 << 10
	maxValue      = 512
	maxParameters = 40
)

// Refusal is a code of EBErrorCodes or DSDErrorCodes and what exactly was found.
type Refusal struct {
	Code   string // such as EB:ERR:0001
	Detail string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Detail }

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}

// parameter is one row: a parameter of a query, on which lines it is known and
// must be there, what its value must be and which codes say that it is not.
type parameter struct {
	name    string
	in      lineSet
	must    lineSet
	missing string
	want    value
	wrong   string
}

// value says in words what a parameter's value must be and judges it.
type value struct {
	words string
	is    func(string) bool
}

var (
	aProcedure = value{"a code of the list Procedures, or 00", func(s string) bool {
		return s == codelist.SystemCheck || codes.Contains(codelist.Procedures, s)
	}}
	aCountry = value{"a code of the list OOTS_Country (Greece is EL)", func(s string) bool { return codes.Contains(codelist.Country, s) }}
	aBoolean = value{"true or false", func(s string) bool { return s == "true" || s == "false" }}
	anEDM    = value{"a line such as oots-edm:v2.0", edmForm.MatchString}
	aUUID    = value{"a UUID", uuidForm.MatchString}
	aLevel2  = value{"a NUTS code: a country and up to three letters or digits", regexp.MustCompile(`^[A-Z]{2}[A-Z0-9]{0,3}$`).MatchString}
	aLevel3  = value{"a LAU code: up to 20 letters, digits, - or _", regexp.MustCompile(`^[A-Za-z0-9_-]{1,20}$`).MatchString}

	aRequirement = value{"the address of a requirement in the Semantic Repository",
		regexp.MustCompile(`^https://sr\.([a-z]+\.)?oots\.tech\.ec\.europa\.eu/requirements/[0-9a-fA-F-]{36}$`).MatchString}
	aClassification = value{"the address of an evidence type classification in the Semantic Repository",
		regexp.MustCompile(`^https://sr\.([a-z]+\.)?oots\.tech\.ec\.europa\.eu/evidencetypeclassifications/([A-Z]{2}|oots)/[0-9a-fA-F-]{36}$`).MatchString}
)

// query is one row: a query, its directory, its parameters, and what answers.
type query struct {
	id         string
	parameters []parameter
	concepts   string // the code for a bad classification concept; "" when the query knows none
	answer     func(*catalogue, *asked) (*answerDraft, *Refusal)
}

// directory is what one path serves: its queries and its codes for a query
// that does not exist and one that is asked wrongly.
type directory struct {
	service          Service
	list             string // of error codes
	unknown, invalid string
	queries          []query
}

// directories is the table of everything that can be asked.
func directories() []*directory { return []*directory{&evidenceBroker, &dataServiceDirectory} }

var evidenceBroker = directory{EvidenceBroker, codelist.EBErrorCodes, "EB:ERR:0007", "EB:ERR:0003", []query{
	{QueryRequirements, []parameter{
		{name: paramProcedure, in: inEvery, want: aProcedure, wrong: "EB:ERR:0005"},
		{name: paramCountry, in: inEvery, want: aCountry, wrong: "EB:ERR:0006"},
		{name: paramLevel2, in: in1x, want: aLevel2, wrong: "EB:ERR:0004"},
		{name: paramLevel3, in: in1x, want: aLevel3, wrong: "EB:ERR:0004"},
		{name: paramIncomplete, in: in20, want: aBoolean, wrong: "EB:ERR:0003"},
	}, "", (*catalogue).requirementsOf},
	{QueryEvidenceTypes, []parameter{
		{name: paramRequirement, in: inEvery, must: inEvery, missing: "EB:ERR:0002", want: aRequirement, wrong: "EB:ERR:0003"},
		{name: paramCountry, in: inEvery, want: aCountry, wrong: "EB:ERR:0006"},
		{name: paramLevel2, in: in10 | in11, want: aLevel2, wrong: "EB:ERR:0004"},
		{name: paramLevel3, in: in10 | in11, want: aLevel3, wrong: "EB:ERR:0004"},
	}, "", (*catalogue).evidenceTypesFor},
}}

var dataServiceDirectory = directory{DataServiceDirectory, codelist.DSDErrorCodes, "DSD:ERR:0004", "DSD:ERR:0003", []query{
	{QueryDataServices, []parameter{
		{name: paramClassification, in: inEvery, must: inEvery, missing: "DSD:ERR:0003", want: aClassification, wrong: "DSD:ERR:0003"},
		{name: paramCountry, in: inEvery, must: inEvery, missing: "DSD:ERR:0003", want: aCountry, wrong: "DSD:ERR:0006"},
		{name: paramSpecification, in: in20 | in12 | in11, want: anEDM, wrong: "DSD:ERR:0003"},
		{name: paramRecord, in: in10 | in11, want: aUUID, wrong: "DSD:ERR:0003"},
		{name: paramContext, in: in1x, want: aUUID, wrong: "DSD:ERR:0003"},
		{name: paramLevel2, in: in1x, want: aLevel2, wrong: "DSD:ERR:0006"},
		{name: paramLevel3, in: in1x, want: aLevel3, wrong: "DSD:ERR:0006"},
	}, "DSD:ERR:0006", (*catalogue).dataServicesOf},
}}

// asked is a query that follows the tables.
type asked struct {
	query   *query
	voice   voice
	values  map[string]string // by parameter
	answers map[string]string // by classification concept, in lower case
}

// pair is one parameter as it stands in an address.
type pair struct{ name, value string }

// parsePairs takes an address's query apart: strict about escapes, characters
// and bounds, blind to meaning. The error is for people.
func parsePairs(raw string) ([]pair, error) {
	if len(raw) > maxQuery {
		return nil, fmt.Errorf("the query is longer than %d characters", maxQuery)
	}
	var out []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		if len(out) == maxParameters {
			return nil, fmt.Errorf("the query has more than %d parameters", maxParameters)
		}
		n, v, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(n)
		if err != nil {
			return nil, fmt.Errorf("a parameter's name is escaped wrongly")
		}
		val, err := url.QueryUnescape(v)
		if err != nil {
			return nil, fmt.Errorf("the value of %s is escaped wrongly", shown(name))
		}
		switch {
		case !clean(name) || !clean(val):
			return nil, fmt.Errorf("the parameter %s holds characters that are no text in UTF-8", shown(name))
		case utf8.RuneCountInString(val) > maxValue:
			return nil, fmt.Errorf("the value of %s is longer than %d characters", shown(name), maxValue)
		case slices.ContainsFunc(out, func(p pair) bool { return p.name == name }):
			return nil, fmt.Errorf("the parameter %s stands more than once", shown(name))
		}
		out = append(out, pair{name, val})
	}
	return out, nil
}

func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) && !strings.ContainsAny(s, "\uFFFE\uFFFF")
}

// shown is a foreign name as a detail may repeat it.
func shown(name string) string { return fmt.Sprintf("%.40q", name) }

// understand holds an address's query against the tables. The error, if any, is
// a refusal with its code.
func (d *directory) understand(raw string, v voice) (*asked, *Refusal) {
	pairs, err := parsePairs(raw)
	if err != nil {
		return nil, refuse(d.invalid, "%s", err)
	}
	id := slices.IndexFunc(pairs, func(p pair) bool { return p.name == paramQuery })
	if id < 0 {
		return nil, refuse(d.unknown, "the parameter queryId is missing; this directory knows %s", d.names())
	}
	q := slices.IndexFunc(d.queries, func(q query) bool { return q.id == pairs[id].value })
	if q < 0 {
		return nil, refuse(d.unknown, "queryId names no query of this directory; it knows %s", d.names())
	}
	a := &asked{query: &d.queries[q], voice: v, values: make(map[string]string, len(pairs))}
	for _, p := range pairs {
		if p.name == paramQuery {
			continue
		}
		if r := a.take(d, p); r != nil {
			return nil, r
		}
	}
	for i := range a.query.parameters {
		p := &a.query.parameters[i]
		if _, ok := a.values[p.name]; !ok && p.must&v.in != 0 {
			return nil, refuse(p.missing, "the parameter %s is missing; write %s", p.name, p.want.words)
		}
	}
	return a, nil
}

// take judges one parameter.
func (a *asked) take(d *directory, p pair) *Refusal {
	i := slices.IndexFunc(a.query.parameters, func(row parameter) bool { return row.name == p.name && row.in&a.voice.in != 0 })
	switch {
	case i >= 0 && a.query.parameters[i].want.is(p.value):
		a.values[p.name] = p.value
	case i >= 0:
		row := &a.query.parameters[i]
		return refuse(row.wrong, "the value of %s is not %s", row.name, row.want.words)
	case a.query.concepts != "" && uuidForm.MatchString(p.name):
		name := strings.ToLower(p.name)
		if _, twice := a.answers[name]; twice {
			return refuse(d.invalid, "the parameter %s stands more than once", name)
		}
		if a.answers == nil {
			a.answers = map[string]string{}
		}
		a.answers[name] = p.value
	default:
		return refuse(d.invalid, "the parameter %s is not known to this query on the line %s", shown(p.name), a.voice.line)
	}
	return nil
}

func (d *directory) names() string {
	var out []string
	for _, q := range d.queries {
		out = append(out, q.id)
	}
	return strings.Join(out, " and ")
}

// key names the answer to a query: two queries with one key have one answer.
func (a *asked) key() string {
	var b strings.Builder
	b.WriteString(string(a.voice.line))
	b.WriteString(a.query.id)
	for i := range a.query.parameters {
		name := a.query.parameters[i].name
		if v, ok := a.values[name]; ok && name != paramContext {
			b.WriteString("\n")
			b.WriteString(name)
			b.WriteString("=")
			b.WriteString(v)
		}
	}
	if len(a.answers) > 0 {
		names := make([]string, 0, len(a.answers))
		for n := range a.answers {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			b.WriteString("\n" + n + "=" + a.answers[n])
		}
	}
	return b.String()
}
