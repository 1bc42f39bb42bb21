package watch

import (
	"context"
	"fmt"
	"strings"
	"testing"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/sdg"
)

// odd is a directory that answers well signed nonsense.
type odd struct {
	requirements int
	// services answers a query for a data service.
	services func(q cs.DataServiceQuery) *cs.DataServices
	asked    int
}

func (o *odd) Requirements(context.Context, string, string) (all []sdg.Requirement, _ cs.Answer, _ error) {
	for i := range o.requirements {
		all = append(all, sdg.Requirement{ID: fmt.Sprint("r", i)})
	}
	return all, cs.Answer{}, nil
}

func (o *odd) EvidenceTypes(_ context.Context, requirement, _ string) (*sdg.Requirement, cs.Answer, error) {
	return &sdg.Requirement{ID: requirement, EvidenceTypeLists: []sdg.EvidenceTypeList{{EvidenceTypes: []sdg.EvidenceType{{Classification: "type"}}}}}, cs.Answer{}, nil
}

func (o *odd) DataServices(_ context.Context, q cs.DataServiceQuery) (*cs.DataServices, error) {
	o.asked++
	return o.services(q), nil
}

func offered(id string) sdg.DataServiceEvidenceType {
	return sdg.DataServiceEvidenceType{ID: "record", AccessServices: []sdg.AccessService{{}, {Publisher: &sdg.Publisher{Identifier: sdg.Identifier{Value: id}}}}}
}

func question(id string, t cs.QuestionType, choices int) *cs.DataServices {
	q := cs.Question{ID: id, Type: t}
	for i := range choices {
		q.Choices = append(q.Choices, cs.Code{Code: fmt.Sprint(i)})
	}
	return &cs.DataServices{Questions: []cs.Question{q}}
}

// A directory may be odd; a look stays bounded and tells no more than it saw.
func TestOddDirectories(t *testing.T) {
	for _, c := range []struct {
		name         string
		requirements int
		services     func(q cs.DataServiceQuery) *cs.DataServices
		want, why    string
		most         int // queries
	}{
		{"one authority", 1, func(cs.DataServiceQuery) *cs.DataServices {
			return &cs.DataServices{Records: []sdg.DataServiceEvidenceType{offered("A")}}
		}, "evidence-type provider A #, data-service provider A #", "", 1},
		{"behind yes or no", 1, func(q cs.DataServiceQuery) *cs.DataServices {
			if a := q.Answers["q"]; a != "" {
				return &cs.DataServices{Records: []sdg.DataServiceEvidenceType{offered("A" + a)}}
			}
			return question("q", cs.AskBoolean, 0)
		}, "evidence-type provider Afalse #, data-service provider Afalse #, evidence-type provider Atrue #, data-service provider Atrue #", "", 3},
		{"behind free text", 1, func(cs.DataServiceQuery) *cs.DataServices { return question("q", cs.AskText, 0) }, "", "", 1},
		{"asks what it was told", 1, func(cs.DataServiceQuery) *cs.DataServices { return question("q", cs.AskCode, 3) }, "", "", 4},
		{"asks on and on", 1, func(q cs.DataServiceQuery) *cs.DataServices {
			return question(fmt.Sprint("q", len(q.Answers)), cs.AskCode, 2)
		}, "", "more than 400 times", mostAnswers},
		{"offers a list as long as a country", 1, func(cs.DataServiceQuery) *cs.DataServices { return question("q", cs.AskCode, 100_000) }, "", "more than 400 times", mostAnswers},
		{"lists requirements without end", mostRequirements + 1, nil, "", "501 requirements", 0},
	} {
		o := &odd{requirements: c.requirements, services: c.services}
		facts, err := observe(t.Context(), o, ledger.ProductionEnv, "FI")
		var said []string
		for _, f := range facts {
			said = append(said, says(f))
		}
		if got := strings.Join(said, ", "); got != c.want || o.asked > c.most || (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %q after %d queries, %v; want %q, at most %d queries, an error with %q", c.name, got, o.asked, err, c.want, c.most, c.why)
		}
	}
}
