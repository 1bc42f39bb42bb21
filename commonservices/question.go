package commonservices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/sdg"
)

// QuestionType is how a question is answered.
type QuestionType string

const (
	AskCode    QuestionType = "codelist" // with one of Choices
	AskText    QuestionType = "string"
	AskBoolean QuestionType = "boolean" // with true or false
	// AskPlace is the older question of lines 1.x for a region or municipality;
	// its answer goes into DataServiceQuery.Place.
	AskPlace QuestionType = "place"
)

// Question is a classification concept that the user must answer before the
// Data Service Directory knows the right provider (DSD:ERR:0005).
type Question struct {
	ID      string // of the concept, a UUID: the key in DataServiceQuery.Answers
	Type    QuestionType
	Texts   []sdg.Text // the wording, by language
	Choices []Code     // of AskCode
	Form    string     // a regular expression that the answer of AskText must match, or ""
	Level   string     // of AskPlace: Country, NUTS1, NUTS2, NUTS3 or LAU
	// Records are the data services that need the answer.
	Records []sdg.DataServiceEvidenceType
	// Concept is the question as the directory asked it; a request repeats it.
	Concept sdg.ClassificationConcept
}

// Accepts tells whether a value may be sent as the answer.
func (q *Question) Accepts(value string) bool {
	switch q.Type {
	case AskCode:
		return slices.ContainsFunc(q.Choices, func(c Code) bool { return c.Code == value })
	case AskBoolean:
		return value == "true" || value == "false"
	case AskPlace:
		return Place{Level: q.Level, Code: value}.want().is(value)
	}
	form, err := regexp.Compile("^(?:" + q.Form + ")$")
	return strings.TrimSpace(value) != "" && (q.Form == "" || err != nil || form.MatchString(value))
}

// Answered is the question with its answer, as an evidence request repeats it
// (TDD 4.5.1, slot EvidenceProviderClassification).
func (q *Question) Answered(value string) sdg.ClassificationConcept {
	c := q.Concept
	c.Descriptions = nil
	c.Values = &sdg.SupportedValue{Strings: []string{value}}
	if q.Type == AskBoolean {
		c.Values = &sdg.SupportedValue{Booleans: []bool{value == "true"}}
	}
	return c
}

// questions makes of everything asked back one question a concept, with the
// choices of its code list. One that cannot be put makes all fail: the user is
// asked everything or nothing.
func (c *Client) questions(ctx context.Context, asked []AskedBack) ([]Question, error) {
	var out []Question
	for _, b := range asked {
		if b.Place != nil && c.cfg.Line != V20 {
			if _, ok := levels[b.Place.Level]; !ok {
				return nil, fmt.Errorf("the directory asks for a place of the level %.40q", b.Place.Level)
			}
			out = append(out, Question{ID: strings.ToLower(b.Place.ContextID), Type: AskPlace, Texts: b.Place.Contexts, Level: b.Place.Level, Records: []sdg.DataServiceEvidenceType{b.Record}})
		} else if len(b.Concepts) == 0 {
			return nil, errors.New("the directory asks for a place, which line 2.0 does not know")
		}
		for _, concept := range b.Concepts {
			at := slices.IndexFunc(out, func(q Question) bool { return strings.EqualFold(q.ID, concept.Identifier.Value) })
			if at >= 0 {
				out[at].Records = append(out[at].Records, b.Record)
				continue
			}
			q := Question{ID: strings.ToLower(concept.Identifier.Value), Type: QuestionType(concept.Type), Texts: concept.Descriptions, Concept: concept, Records: []sdg.DataServiceEvidenceType{b.Record}}
			switch q.Type {
			case AskCode:
				choices, err := c.choices(ctx, concept.ValueExpression)
				if err != nil {
					return nil, fmt.Errorf("the choices of a question: %w", err)
				}
				q.Choices = choices
			case AskText:
				q.Form = concept.ValueExpression
			case AskBoolean:
			default:
				return nil, fmt.Errorf("the directory asks a question of the type %.40q", concept.Type)
			}
			out = append(out, q)
		}
	}
	return out, nil
}

// Place is the answer to a question for a place; lines 1.x.
type Place struct {
	Context string // the question's ID
	Level   string // the question's Level
	Code    string // NUTS or LAU
}

// levels are the parameters that carry a code of a level; that of a country is
// said already.
var levels = map[string]string{"Country": "", "NUTS1": paramLevel2, "NUTS2": paramLevel2, "NUTS3": paramLevel2, "LAU": paramLevel3}

func (p Place) want() value {
	if levels[p.Level] == paramLevel3 {
		return aLevel3
	}
	return aLevel2
}

// pairs are the place as parameters.
func (p *Place) pairs() []pair {
	if p == nil {
		return nil
	}
	out := []pair{{paramContext, p.Context}}
	if name := levels[p.Level]; name != "" {
		out = append(out, pair{name, p.Code})
	}
	return out
}

// maxList bounds a code list in octets: all municipalities of a country.
const maxList = 8 << 20

// choices loads a Member State's code list from its address, as genericode.
func (c *Client) choices(ctx context.Context, address string) ([]Code, error) {
	if c.cfg.Repository != "" {
		if at := strings.Index(address, "/codelists/"); at > 0 {
			address = strings.TrimSuffix(c.cfg.Repository, "/") + address[at:]
		}
	} else if !strings.HasPrefix(address, "https://") {
		return nil, errors.New("the code list's address does not begin with https://")
	}
	now := c.cfg.Now()
	if kept := c.cache.list(address); kept.codes != nil && now.Before(kept.at.Add(c.cfg.Fresh)) {
		return slices.Clone(kept.codes), nil
	}
	ctx, stop := context.WithTimeout(ctx, c.cfg.Timeout)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/xml")
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, withoutAddress(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the Semantic Repository answers %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxList+1))
	if err != nil || len(body) > maxList {
		return nil, errors.New("the code list breaks off or is too long")
	}
	list, err := codelist.ReadGenericode(body)
	if err != nil {
		return nil, err
	}
	var out []Code
	for row := range list.Rows() {
		out = append(out, Code{Code: row.Code(), Names: rowNames(list, row)})
	}
	c.cache.putList(address, keptList{now, out})
	return slices.Clone(out), nil
}

// rowNames are the names of an entry: columns name-EN, name-DE …, else name.
func rowNames(list *codelist.List, row codelist.Row) (out []sdg.Text) {
	for _, column := range list.Columns {
		if lang, ok := strings.CutPrefix(column, "name-"); ok && len(lang) == 2 && row.Get(column) != "" {
			out = append(out, sdg.Text{Lang: strings.ToUpper(lang), Value: row.Get(column)})
		}
	}
	if out == nil && row.Name("EN") != "" {
		out = []sdg.Text{{Lang: "EN", Value: row.Name("EN")}}
	}
	return out
}
