package exchange_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/store/storetest"
)

func TestAlternativesAndLists(t *testing.T) {
	w := newWorld(t, options{})
	other := "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/DE/c23b0262-2899-5c7a-a5dd-03ba07e9c0f7"
	w.dir.lists[secQual+" DE"] = []sdg.EvidenceTypeList{
		{ID: "one", EvidenceTypes: []sdg.EvidenceType{{Classification: other, Titles: text("Nobody issues this")}}},
		{ID: "two", EvidenceTypes: []sdg.EvidenceType{{Classification: birth, Titles: text("Certificate")}, {Classification: diploma, Titles: text("Grades")}}},
	}
	w.dir.lists[secQual+" LI"] = []sdg.EvidenceTypeList{{ID: "none", MatchType: "NoMatch", MatchDescriptions: text("Not issued")}}
	pt := w.states["PT"].Requester
	asked := wish()
	asked.Country = "DE"
	p, err := pt.Plan(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.First(); len(p.Needs[0].Alternatives) != 2 || len(got) != 2 || got[0].Alternative != 1 || got[1].Offer != 1 {
		t.Errorf("of two alternatives, one with nobody behind it and one of two types, the choice is %+v", got)
	}
	asked.Country = "LI"
	if p, err = pt.Plan(t.Context(), asked); err != nil || p.Needs[0].Problem == nil || p.Needs[0].Problem.Code != "NoMatch" || len(p.Needs[0].NoMatch) != 1 {
		t.Errorf("a country that issues nothing: %+v, %v", p, err)
	}
	asked.Country = "ES"
	if p, err = pt.Plan(t.Context(), asked); err != nil || p.Needs[0].Problem == nil || p.Needs[0].Problem.Code != "EB:ERR:0001" {
		t.Errorf("a country that says nothing: %+v, %v", p, err)
	}
	asked.Requirements = []string{birthNeed}
	if _, err = pt.Plan(t.Context(), asked); !refusedFor(err, exchange.BadWish) {
		t.Errorf("a requirement of another procedure: %v", err)
	}
}

func refusedFor(err error, reason exchange.Reason) bool {
	var e *exchange.Error
	return errors.As(err, &e) && e.Reason == reason
}

func TestWishesThatCannotBeAsked(t *testing.T) {
	w := newWorld(t, options{})
	pt := w.states["PT"].Requester
	p, err := pt.Plan(t.Context(), wish())
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(p *exchange.Plan, c *exchange.Choice)) error {
		copied, c := *p, p.First()
		person := *p.Wish.Subject.NaturalPerson
		copied.Wish.Subject.NaturalPerson = &person
		f(&copied, &c[0])
		_, err := pt.Request(t.Context(), "", &copied, c)
		return err
	}
	for name, f := range map[string]func(p *exchange.Plan, c *exchange.Choice){
		"no such need":     func(_ *exchange.Plan, c *exchange.Choice) { c.Need = 7 },
		"no such provider": func(_ *exchange.Plan, c *exchange.Choice) { c.Provider = -1 },
		"another format":   func(_ *exchange.Plan, c *exchange.Choice) { c.Formats = []string{"image/png"} },
		"too low a level":  func(p *exchange.Plan, _ *exchange.Choice) { p.Wish.Subject.NaturalPerson.LevelOfAssurance = "Low" },
		"a bad birth date": func(p *exchange.Plan, _ *exchange.Choice) { p.Wish.Subject.NaturalPerson.DateOfBirth = "yesterday" },
		"a bad procedure":  func(p *exchange.Plan, _ *exchange.Choice) { p.Wish.Procedure = "ZZ" },
		"not also proven":  func(_ *exchange.Plan, c *exchange.Choice) { c.Also = []int{3} },
	} {
		if err := change(f); !refusedFor(err, exchange.BadWish) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "Alpha") || strings.Contains(err.Error(), "yesterday") {
			t.Errorf("%s: the refusal quotes the person: %v", name, err)
		}
	}
	w.run()
	if len(w.crossed) != 0 {
		t.Error("something was sent")
	}
}

// One evidence may prove several requirements; the clocks then run longer.
func TestSeveralRequirementsMultiplyTheClocks(t *testing.T) {
	w := newWorld(t, options{})
	w.dir.lists[birthNeed+" FI"] = w.dir.lists[secQual+" FI"]
	asked := wish()
	asked.Procedure = "T1"
	w.states["FI"].down = true
	x := w.askFor(asked, func(p *exchange.Plan) []exchange.Choice {
		c := p.First()[:1]
		c[0].Also, c[0].Formats = []int{1}, []string{"application/pdf"}
		return c
	}).Exchanges[0]
	if len(x.Requirements) != 2 || x.Deadline.Sub(x.CreatedAt) != 12*time.Minute {
		t.Fatalf("%d requirements, T1 after %s", len(x.Requirements), x.Deadline.Sub(x.CreatedAt))
	}
	w.wait(9 * time.Minute)
	w.states["FI"].down = false
	w.run()
	w.wantState(x.ID, exchange.Delivered, "")
}

// The flow with preview on each store there is.
func TestPreviewOnBothStores(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		w := newWorld(t, options{store: func(string) (exchange.Store, as4.Store) {
			db := storetest.Open(t, data(t))
			return db.Exchange(), db.AS4()
		}})
		x := w.ask(previewWish()).Exchanges[0]
		w.run()
		session := w.link(x.ID)
		w.redirect(x.ID)
		w.run()
		_, visitor := w.enter("FI", session)
		if _, err := w.states["FI"].Provider.Decide(t.Context(), session, visitor, exchange.Decision{Pieces: []int{0}}); err != nil {
			t.Fatal(err)
		}
		w.run()
		w.wantState(x.ID, exchange.Delivered, "")
		if all := w.collect(x.ID); len(all) != 1 {
			t.Errorf("%d documents", len(all))
		}
		for _, cc := range []string{"PT", "FI"} {
			p, err := w.states[cc].Log.Prove(t.Context(), messages(w.states[cc]), w.collect(x.ID)[0].ID, certificates(t)...)
			if err != nil || !p.Holds() {
				t.Errorf("%s: %+v, %v", cc, p, err)
			}
		}
	})
}
