package web

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	pj "github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/suites"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

// labSystems are practice systems, registered for FI and PT.
type labSystems struct {
	catalogue *testbed.Catalogue
	fault     string
}

func (s *labSystems) Systems(context.Context) ([]testbed.System, error) {
	lines := []string{"oots-edm:v2.0", "oots-edm:v1.2"}
	return []testbed.System{
		{Name: "FI_node", Country: "FI", Components: []string{"AP", "DS", "PRV", "LOG"}, Lines: lines, Version: "3", Mode: "automated", Environment: ledger.Testing, Sample: true},
		{Name: "PT_node", Country: "PT", Components: []string{"AP", "ER"}, Lines: lines[:1], Version: "1", Mode: "automated", Environment: ledger.Testing, Sample: true},
	}, nil
}

var labKeys = sync.OnceValues(func() (*partner.Keys, error) {
	return partner.NewKeys(func() time.Time { return testNow }, testbed.PlatformName, testbed.PracticeName)
})

func (s *labSystems) Open(_ context.Context, _, line string) (*testbed.Runner, error) {
	keys, err := labKeys()
	if err != nil {
		return nil, err
	}
	return testbed.NewLab(testbed.LabConfig{Catalogue: s.catalogue, Keys: keys, Line: line, Start: testNow, Fault: s.fault})
}

// stagedRuns is what the platform's pages of suites show: "over", "earlier" and
// "waiting" are runs of FI; "message" is the digest of a message of "over",
// "public" of something that everybody may open.
type stagedRuns struct {
	*testbed.Service
	ids   map[string]string
	meter *am.Meter
}

// playing is what was played once for all tests.
type playing struct {
	catalogue *testbed.Catalogue
	jobs      []testbed.Job
	runs      []*testbed.Run
	ids       map[string]string
}

// played plays, once: "earlier" against an honest system, "over" against one
// that does not sign its receipts.
var played = sync.OnceValue(func() *playing {
	ok := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	ctx := context.Background()
	c, err := testbed.Load(suites.Files)
	ok(err)
	p := &playing{catalogue: c, ids: map[string]string{}}
	systems := &labSystems{catalogue: c}
	store := &testbed.Memory{}
	n := 0
	s, err := testbed.New(testbed.Config{Catalogue: c, Store: store, Systems: systems, Facts: ledger.New(ledger.Config{Store: &ledger.Memory{}}),
		Now: func() time.Time { return testNow.Add(time.Duration(n-1000) * time.Second) }, NewID: func() string { n++; return fmt.Sprintf("job%d", n) }})
	ok(err)
	for _, run := range []struct {
		name, fault string
		cases       []string
	}{
		{"earlier", "", []string{"AS4-CONN-001", "AS4-CONN-004"}},
		{"over", "unsigned-receipt", []string{"AS4-CONN-001", "AS4-CONN-004", "EP-SIM-001"}},
		{"waiting", "", []string{"AS4-CONN"}},
	} {
		j, err := s.Prepare(ctx, testbed.JobOrder{System: "FI_node", What: run.cases, By: "team:FI/op1"})
		ok(err)
		ok(s.Start(ctx, j))
		p.ids[run.name] = j.ID
		if systems.fault = run.fault; run.name != "waiting" {
			_, err = s.Work(ctx)
			ok(err)
		}
	}
	p.jobs, err = store.Jobs(ctx, testbed.JobFilter{})
	ok(err)
	heads, err := store.Runs(ctx, testbed.Filter{})
	ok(err)
	for _, h := range heads {
		run, err := store.Run(ctx, h.ID)
		ok(err)
		p.runs = append(p.runs, run)
		if h.ID == p.ids["over"]+".EP-SIM-001" {
			p.ids["message"] = run.Messages[0].SHA256
		}
	}
	sum := sha256.Sum256([]byte("for everybody"))
	p.ids["public"] = hex.EncodeToString(sum[:])
	return p
})

// stageRuns is a service over a copy of what was played.
func stageRuns(t testing.TB, e *stagedEvent) *stagedRuns {
	t.Helper()
	p, store, n := played(), &testbed.Memory{}, 100
	for _, j := range p.jobs {
		j.Rev = 1
		if err := store.PutJob(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range p.runs {
		if err := store.Save(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	s, err := testbed.New(testbed.Config{Catalogue: p.catalogue, Store: store, Systems: &labSystems{catalogue: p.catalogue}, Facts: e.facts,
		Now: testClock, NewID: func() string { n++; return fmt.Sprintf("job%d", n) }})
	if err != nil {
		t.Fatal(err)
	}
	meter, err := am.New(am.Config{Facts: e.facts, Store: &am.Memory{}, Now: testClock})
	if err == nil {
		err = meter.Refresh(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return &stagedRuns{s, p.ids, meter}
}

// A run on its page: who may look inside sees what was expected and received and
// opens the message; who sees results only does not.
func TestARunShowsWhatTheReaderMaySee(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	s, server := labServer(t, e)
	over := server.URL + "/en/lab/runs/" + e.runs.ids["over"]
	inside := labGet(t, signedInAs(t, server.URL, "team FI"), over+"?with="+e.runs.ids["earlier"])
	for _, want := range []string{"AS4-CONN-004", "Received", "/en/lab/evidence/", "What changed since then", "Play again"} {
		if !strings.Contains(inside, want) {
			t.Errorf("the team does not read %q", want)
		}
	}
	outside := labGet(t, signedInAs(t, server.URL, "monitor AT"), over)
	for _, secret := range []string{"/en/lab/evidence/", "Received", "Play again"} {
		if strings.Contains(outside, secret) {
			t.Errorf("a monitor reads %q", secret)
		}
	}
	if !strings.Contains(outside, "AS4-CONN-004") {
		t.Error("a monitor does not read the results")
	}
	// Why a system could not be opened may name its address.
	j, err := s.c.Tests.Store.Job(t.Context(), e.runs.ids["waiting"])
	if err != nil {
		t.Fatal(err)
	}
	j.State, j.Why, j.Rev = testbed.JobFailed, "dial tcp 192.0.2.7:443", 2
	if err := s.c.Tests.Store.PutJob(t.Context(), *j); err != nil {
		t.Fatal(err)
	}
	for who, sees := range map[string]bool{"team FI": true, "manager": false} {
		if page := labGet(t, signedInAs(t, server.URL, who), server.URL+"/en/lab/runs/"+j.ID); strings.Contains(page, "192.0.2.7") != sees {
			t.Errorf("%s reads the system's address: %v", who, !sees)
		}
	}
	for who, sees := range map[string]bool{"reviewer": true, "manager": false} {
		report := labGet(t, signedInAs(t, server.URL, who), over+"/report.json")
		if strings.Contains(report, `"body"`) != sees || strings.Contains(report, `"found"`) != sees {
			t.Errorf("%s gets messages in the report: %v", who, !sees)
		}
	}
	j, err = s.c.Tests.Store.Job(t.Context(), e.runs.ids["over"])
	if err != nil || j.Counts[testbed.Fail] == 0 {
		t.Errorf("%v, %+v", err, j)
	}
}

// The very message behind a fact is opened by its digest, as text.
func TestEvidenceIsOpenedByItsDigest(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	_, server := labServer(t, e)
	team := signedInAs(t, server.URL, "team FI")
	page := labGet(t, team, server.URL+"/en/lab/evidence/"+e.runs.ids["message"])
	if !strings.Contains(page, "query:QueryRequest") || !strings.Contains(page, `id="L1"`) || strings.Contains(page, "<query:") {
		t.Error("the message is not shown as text with lines")
	}
	r, err := team.Get(server.URL + "/en/lab/evidence/" + e.runs.ids["message"] + "?download=1")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(r.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the download is not inert: %v", r.Header)
	}
	// Of a test in an event, too.
	if page := labGet(t, team, server.URL+"/en/lab/evidence/"+e.digest); !strings.Contains(page, "own log of FI") {
		t.Error("evidence of a peer test is not found by its digest")
	}
	for _, nothing := range []string{strings.Repeat("0", 64), "short", strings.Repeat("z", 64)} {
		if r, err := team.Get(server.URL + "/en/lab/evidence/" + nothing); err != nil || r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %v, %v", nothing, r.StatusCode, err)
		} else {
			r.Body.Close()
		}
	}
}

// The stream of a run tells each step once, also to a reader who was away, and
// ends with it.
func TestTheStreamOfARun(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	s, server := labServer(t, e)
	id := e.runs.ids["waiting"]
	address := server.URL + "/lab/runs/" + id + "/events?lang=de"
	for who, status := range map[string]int{"visitor": http.StatusForbidden, "team PT": http.StatusForbidden} {
		if r, err := signedInAs(t, server.URL, who).Get(address); err != nil || r.StatusCode != status {
			t.Errorf("%s: %v, %v", who, r.StatusCode, err)
		} else {
			r.Body.Close()
		}
	}
	team := signedInAs(t, server.URL, "team FI")
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	read := func(last string) (events []string, end string) {
		t.Helper()
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			q.Header.Set("Last-Event-ID", last)
		}
		r, err := team.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if r.StatusCode == http.StatusNoContent {
			return nil, last
		}
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				end = id
			}
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				events = append(events, name)
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && events[len(events)-1] == "done" && !strings.Contains(data, "Prüfungen") {
				t.Errorf("the end is not told in the reader's language: %s", data)
			}
		}
		return events, end
	}
	done := make(chan error, 1)
	go func() { _, err := s.c.Tests.Work(ctx); done <- err }()
	events, end := read("")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, e := range events {
		if e == "step" {
			steps++
		}
	}
	j, err := s.c.Tests.Store.Job(t.Context(), id)
	if err != nil || steps != len(j.Cases) || events[len(events)-1] != "done" || !slices.Contains(events, "progress") {
		t.Fatalf("%v, %d steps of %d, %v", err, steps, len(j.Cases), events)
	}
	if rest, _ := read("4.0"); len(rest) != steps-4+2 {
		t.Errorf("a reader who saw four gets %v", rest)
	}
	if rest, _ := read(end); rest != nil {
		t.Errorf("a reader who saw the end gets %v", rest)
	}
}

// A run that is started on a page is played, noted in the trail, and counts for
// each component.
func TestARunStartedOnThePage(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	s, server := labServer(t, e)
	team := signedInAs(t, server.URL, "team PT")
	r, err := team.PostForm(server.URL+"/en/lab/suites", url.Values{"system": {"PT_node"}, "what": {"AS4-CONN"}, "line": {"oots-edm:v2.0"}})
	if err != nil || r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%v, %v", r.StatusCode, err)
	}
	r.Body.Close()
	trail, err := e.Audit(t.Context(), labAccounts["auditor"], pj.AuditFilter{What: pj.PlaySuites, Limit: 1})
	if err != nil || len(trail) != 1 || trail[0].What != pj.PlaySuites || trail[0].By != "team:PT/op1" || !strings.Contains(trail[0].Note, "PT_node") {
		t.Errorf("%v, %+v", err, trail)
	}
	if page := labGet(t, team, server.URL+r.Header.Get("Location")); !strings.Contains(page, `http-equiv="refresh" content="5"`) || !strings.Contains(page, "/events?lang=en&amp;after=0.0") {
		t.Error("a run that waits is not live, or not without a script")
	}
	for range 2 { // the other one waits
		if _, err := s.c.Tests.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.c.Tests.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	proven := false
	for f, err := range e.facts.Facts(t.Context(), ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		b := f.Fact.Body
		proven = proven || f.Fact.Subject.Country == "PT" && f.Fact.Subject.Component == "AP" && b.Suite == "AS4-CONN" && b.Case == "" && b.Outcome == "pass"
	}
	if !proven {
		t.Error("the suite is no fact of the component")
	}
}
