package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network/conformance"
	"github.com/once-only/oots/testbed"
)

// verifiers of what countries say.
const (
	desk   = "commission:desk"
	expert = "expert:demo-1"
)

// say hands facts in over the API, those that the ledger does not have yet: the
// others were told by an earlier Run. About missing parts of a fact: country,
// asserter (the country itself), time (now).
func (r *running) say(ctx context.Context, facts ...ledger.Fact) error {
	var fresh []ledger.Fact
	for _, f := range facts {
		f.ID, f.Sample, f.HappenedAt = ID+"/"+f.ID, true, time.Now().UTC().Truncate(time.Millisecond)
		if f.Asserter == "" {
			f.Asserter = "ms:" + f.Subject.Country
		}
		if _, err := r.board.Ledger.Fact(ctx, f.ID); errors.Is(err, ledger.ErrNotFound) {
			fresh = append(fresh, f)
		} else if err != nil {
			return err
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	body, err := json.Marshal(fresh)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "/api/v1/facts", bytes.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer "+r.board.Token)
	a := answer{header: http.Header{}}
	r.board.API.ServeHTTP(&a, q)
	if a.status != http.StatusCreated && a.status != http.StatusOK {
		return fmt.Errorf("demo: the facts of %s are refused: %s", fresh[0].Subject.Country, &a.text)
	}
	return nil
}

// answer of the API, which is in this process.
type answer struct {
	header http.Header
	status int
	text   bytes.Buffer
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.text.Write(b)
}

// nominations of a country: its coordinator, and with a system its technical
// contact.
func (s State) nominations() (all []ledger.Fact) {
	for i, function := range []string{"coordinator", "technical-contact-point"} {
		if i == 0 || s.Shown >= 2 {
			all = append(all, ledger.Fact{ID: "nomination/" + s.Country + "/" + function, Kind: ledger.Nomination, Verifier: desk,
				Subject: ledger.Subject{Country: s.Country}, Body: ledger.Body{Function: function}})
		}
	}
	return all
}

// components declares what a country's system consists of, in its version; with
// level 4 its operation is one, and with level 5 a provider's base register.
func (e *Event) components(s State) (all []ledger.Fact) {
	m, version := e.state(s.Country)
	declare := func(code string, role ledger.Role) {
		all = append(all, ledger.Fact{ID: componentID(s.Country, role, code, version), Kind: ledger.Component, Verifier: manager.Party,
			Subject: ledger.Subject{Country: s.Country, Role: role, System: conformance.Name(s.Country), Component: code},
			Body:    ledger.Body{Mode: "automated", Lines: lines(m.Speaks(s.Country)), Version: version}})
	}
	for _, code := range m.Components() {
		side := testbed.FindComponent(code).Side
		if side != ledger.Provider && !m.NoRequester {
			declare(code, ledger.Requester)
		}
		if side != ledger.Requester && !m.NoProvider {
			declare(code, ledger.Provider)
		}
	}
	if s.Shown >= 4 {
		declare("OPS", s.Role)
	}
	if s.Shown >= 5 && s.Role == ledger.Provider {
		declare("BR", s.Role)
	}
	return all
}

func componentID(country string, role ledger.Role, code, version string) string {
	return fmt.Sprintf("component/%s/%s/%s/%s", country, role, code, version)
}

// blockers are what a country says of its system's fault: it lists a new one as an
// item that hinders it, and closes what it has mended.
func (r *running) blockers(ctx context.Context, country, fault string) (all []ledger.Fact, err error) {
	listed, err := r.board.blockers(ctx, country)
	if err != nil {
		return nil, err
	}
	item := func(id string, b ledger.Body) ledger.Fact {
		return ledger.Fact{ID: id, Kind: ledger.Blocker, Subject: ledger.Subject{Country: country}, Body: b}
	}
	if fault != "" {
		return []ledger.Fact{item(fmt.Sprintf("blocker/%s/%d", country, len(listed)+1), ledger.Body{Severity: "hindering", Title: fault, Owner: "national platform team",
			Due: time.Now().UTC().AddDate(0, 0, 14).Truncate(24 * time.Hour)})}, nil
	}
	for _, b := range listed {
		f := item(strings.TrimPrefix(b.ID, ID+"/")+"/closed", ledger.Body{Severity: b.Body.Severity, Closed: true})
		f.PointsAt = b.ID
		all = append(all, f) // one that was closed before is known
	}
	return all, nil
}

// blockers are those that a country has listed in the event, the oldest first.
func (b Board) blockers(ctx context.Context, country string) (all []ledger.Fact, err error) {
	for e, err := range b.Ledger.Facts(ctx, ledger.Filter{Kind: ledger.Blocker, Country: country}) {
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(e.Fact.ID, ID+"/") && !e.Fact.Body.Closed {
			all = append(all, e.Fact)
		}
	}
	return all, nil
}

// readiness are the items of the readiness list, which an expert has checked,
// and the session that ends it.
func (s State) readiness() (all []ledger.Fact) {
	check := func(item string) {
		all = append(all, ledger.Fact{ID: fmt.Sprintf("readiness/%s/%s", s.Country, item), Kind: ledger.ReadinessCheck, Verifier: expert, Environment: ledger.ProductionEnv,
			Subject: ledger.Subject{Country: s.Country, Role: s.Role}, Body: ledger.Body{Item: item, Outcome: "pass"}})
	}
	for item := 1; item <= 20; item++ {
		check(strconv.Itoa(item))
	}
	check("session")
	return all
}

// consents of both countries that their first exchanges are shown.
func consents(a, b string) (all []ledger.Fact) {
	for _, side := range []ledger.Subject{{Country: a, Partner: b}, {Country: b, Partner: a}} {
		for _, item := range []string{"first-exchange", "first-user-exchange"} {
			all = append(all, ledger.Fact{ID: fmt.Sprintf("consent/%s/%s/%s", side.Country, side.Partner, item), Kind: ledger.PublicationConsent,
				Subject: side, Body: ledger.Body{Item: item}})
		}
	}
	return all
}
