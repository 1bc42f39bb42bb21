package web

import (
	"context"
	"strings"
	"testing"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
)

// published is a meter whose last snapshot keeps FI on a level that its facts no
// longer show.
type published struct{ *am.Meter }

func (published) Displayed(context.Context, time.Time) (am.Snapshot, error) {
	return am.Snapshot{Sequence: 7, AsOf: testNow, Entries: []am.Entry{{Member: "FI", Level: 4}}}, nil
}

func (published) Proposals(context.Context) ([]am.Proposal, error) {
	return []am.Proposal{{Member: "FI", Published: 4, Computed: 2, Why: am.Demotion, Missing: []string{"AM3.2"}, AnswerBy: testNow.AddDate(0, 0, 21)},
		{Member: "PT", Published: 6, Computed: 5, Why: am.Demotion}}, nil
}

// TestACountryReadsThatItIsAtRisk also after the snapshot was published.
func TestACountryReadsThatItIsAtRisk(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e, func(c *LabConfig) { c.Meter = published{e.runs.meter} })
	page := labGet(t, signedInAs(t, server.URL, "coordinator FI"), server.URL+"/en/lab/countries/fi")
	for _, want := range []string{"From level 4 to level 2", "waits for a confirmation", "answer by", "AM3.2"} {
		if !strings.Contains(page, want) {
			t.Errorf("the coordinator does not read %q", want)
		}
	}
	if strings.Contains(page, "From level 6") {
		t.Error("the coordinator reads what is proposed about another country")
	}
}
