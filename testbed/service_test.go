package testbed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/testbed"
)

// practice offers practice systems as registered ones.
type practice struct {
	t      *testing.T
	c      *testbed.Catalogue
	fault  string
	away   int         // how often it cannot be opened
	before func(n int) // each case, counted over all openings
	n      int
}

func (p *practice) Systems(context.Context) ([]testbed.System, error) {
	lines := []string{"oots-edm:v2.0", "oots-edm:v1.2"}
	return []testbed.System{
		{Name: "FI_node", Country: "FI", Components: []string{"AP", "DS", "PRV", "LOG"}, Lines: lines, Version: "3", Mode: "automated", Environment: ledger.Testing, Sample: true},
		{Name: "PT_node", Country: "PT", Components: []string{"AP", "ER", "PP"}, Lines: lines[:1], Version: "1", Mode: "manual", Environment: ledger.Testing},
	}, nil
}

func (p *practice) Open(_ context.Context, system, line string) (*testbed.Runner, error) {
	if p.away--; p.away >= 0 {
		return nil, errors.New("its certificate has ended")
	}
	k, err := keys()
	if err != nil {
		return nil, err
	}
	return testbed.NewLab(testbed.LabConfig{Catalogue: p.c, Keys: k, Judge: judge, Line: line, Start: noon, Fault: p.fault,
		NewID: func() string {
			p.n++
			if p.before != nil {
				p.before(p.n)
			}
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", p.n)
		}})
}

func service(t *testing.T, p *practice, store testbed.Store, facts *ledger.Ledger) *testbed.Service {
	t.Helper()
	p.t, p.c = t, catalogue(t)
	n := 0
	s, err := testbed.New(testbed.Config{Catalogue: p.c, Store: store, Systems: p, Facts: facts,
		Now: func() time.Time { return noon }, NewID: func() string { n++; return fmt.Sprintf("job%d", n) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start(t *testing.T, s *testbed.Service, o testbed.JobOrder) testbed.Job {
	t.Helper()
	j, err := s.Prepare(t.Context(), o)
	if err == nil {
		err = s.Start(t.Context(), j)
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func work(t *testing.T, ctx context.Context, s *testbed.Service, id string) *testbed.Job {
	t.Helper()
	if worked, err := s.Work(ctx); err != nil || !worked {
		t.Fatalf("worked %v, %v", worked, err)
	}
	j, err := s.Store.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func suiteFacts(t *testing.T, l *ledger.Ledger) (suites []string, all int) {
	t.Helper()
	for e, err := range l.Facts(t.Context(), ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if all++; e.Fact.Body.Case == "" {
			suites = append(suites, e.Fact.Subject.Component+" "+e.Fact.Body.Suite+" "+e.Fact.Body.Outcome)
		}
	}
	slices.Sort(suites)
	return suites, all
}

// TestOnePlayingCountsForEveryComponent: EP-SIM proves the data service and the
// preview space; EDM-MSG only the side that is there.
func TestOnePlayingCountsForEveryComponent(t *testing.T) {
	facts := ledger.New(ledger.Config{Store: &ledger.Memory{}})
	s := service(t, &practice{}, &testbed.Memory{}, facts)
	j := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"EDM-MSG", "EP-SIM", "ER-SIM"}, By: "team:FI/op1"})
	done := work(t, t.Context(), s, j.ID)
	if done.State != testbed.JobDone || done.Done != len(done.Cases) || done.Counts[testbed.NotApplicable] == 0 || !done.Owed {
		t.Fatalf("%+v", done)
	}
	for range 2 { // the second time it adds nothing
		if err := s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	suites, all := suiteFacts(t, facts)
	if want := []string{"DS EDM-MSG pass", "DS EP-SIM pass", "PRV EP-SIM pass"}; !slices.Equal(suites, want) {
		t.Errorf("facts of suites: %v", suites)
	}
	const shown = 4 // TC20 to TC23, which EP-SIM shows with one system alone
	if want := done.Done - done.Counts[testbed.NotApplicable] + len(suites) + shown; all != want {
		t.Errorf("%d facts, want %d", all, want)
	}
	if again, err := s.Store.Job(t.Context(), j.ID); err != nil || again.Owed {
		t.Errorf("%v, %+v", err, again)
	}
	f, err := facts.Fact(t.Context(), "conformance/"+j.ID+".EP-SIM-001")
	if err != nil || len(f.Fact.Evidence) == 0 || f.Fact.Subject.Component != "DS" || !f.Fact.Sample {
		t.Fatalf("%v, %+v", err, f)
	}
	for _, e := range f.Fact.Evidence {
		if ids, err := s.Store.Holding(t.Context(), e.SHA256); err != nil || !slices.Equal(ids, []string{j.ID + ".EP-SIM-001"}) {
			t.Errorf("%s: %v, %v", e.SHA256, ids, err)
		}
	}
}

// TestAKilledProcessLosesNoResult: a process that ends in the middle leaves what
// is over; the next one plays what is missing and ends with the same report.
func TestAKilledProcessLosesNoResult(t *testing.T) {
	order := testbed.JobOrder{System: "FI_node", What: []string{"AS4-CONN"}, By: "team:FI/op1"}
	report := func(s *testbed.Service, j *testbed.Job) *testbed.Report {
		t.Helper()
		r, err := s.Report(t.Context(), j, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range r.Runs {
			run.Took, run.Messages = 0, nil // a late answer of the case before may be among them
		}
		return r
	}
	whole := service(t, &practice{}, &testbed.Memory{}, ledger.New(ledger.Config{Store: &ledger.Memory{}}))
	j := start(t, whole, order)
	want := report(whole, work(t, t.Context(), whole, j.ID))

	ctx, kill := context.WithCancel(t.Context())
	store, facts := &testbed.Memory{}, ledger.New(ledger.Config{Store: &ledger.Memory{}})
	p := &practice{}
	first := service(t, p, store, facts)
	ids := 0
	p.before = func(int) {
		if ids++; ids == 40 { // in the middle of a case
			kill()
		}
	}
	j = start(t, first, order)
	half := work(t, ctx, first, j.ID)
	if half.State != testbed.Playing || half.Done == 0 || half.Done >= len(half.Cases) || half.Holder != "" {
		t.Fatalf("it was not interrupted in the middle: %+v", half)
	}
	second := service(t, &practice{}, store, facts)
	over := work(t, t.Context(), second, j.ID)
	if over.State != testbed.JobDone || len(over.Notes) != 1 || over.Notes[0].What != "resumed" {
		t.Errorf("%+v", over)
	}
	if diff := cmp.Diff(want, report(second, over), cmpopts.IgnoreFields(testbed.Run{}, "Started")); diff != "" {
		t.Error("the report differs:", diff)
	}
}

// TestTheJobOfADeadProcessIsTakenOver: it saved a result, did not count it, and
// never gave the job back.
func TestTheJobOfADeadProcessIsTakenOver(t *testing.T) {
	now := noon
	s := service(t, &practice{}, &testbed.Memory{}, ledger.New(ledger.Config{Store: &ledger.Memory{}}))
	s.Now = func() time.Time { return now }
	j := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"AS4-CONN-001", "AS4-CONN-002"}, By: "team:FI/op1"})
	if _, err := s.Store.LeaseJob(t.Context(), now, now.Add(s.Lease), "the dead one"); err != nil {
		t.Fatal(err)
	}
	first := &testbed.Run{ID: j.ID + ".AS4-CONN-001", Job: j.ID, Case: "AS4-CONN-001", Suite: "AS4-CONN", System: "FI_node", Country: "FI", Result: testbed.Warnings, Took: time.Second, Started: noon}
	if err := s.Store.Save(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if worked, err := s.Work(t.Context()); worked || err != nil {
		t.Fatalf("a leased job is taken: %v", err)
	}
	now = now.Add(s.Lease)
	over := work(t, t.Context(), s, j.ID)
	if over.State != testbed.JobDone || over.Done != 2 || over.Counts[testbed.Warnings] != 1 || over.Counts[testbed.Pass] != 1 {
		t.Errorf("%+v", over)
	}
}

// TestALedgerThatIsAway delays facts and loses none, and holds up no other job.
func TestALedgerThatIsAway(t *testing.T) {
	facts := &awayLedger{Ledger: ledger.New(ledger.Config{Store: &ledger.Memory{}}), away: true}
	s := service(t, &practice{}, &testbed.Memory{}, facts.Ledger)
	s.Facts = facts
	j := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"LOG"}, By: "team:FI/op1"})
	work(t, t.Context(), s, j.ID)
	if err := s.Settle(t.Context()); err == nil {
		t.Error("nothing is said about a ledger that takes nothing")
	}
	facts.away = false
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if suites, _ := suiteFacts(t, facts.Ledger); !slices.Equal(suites, []string{"LOG LOG pass"}) {
		t.Errorf("%v", suites)
	}
}

type awayLedger struct {
	*ledger.Ledger
	away bool
}

func (l *awayLedger) Append(ctx context.Context, facts ...ledger.Fact) (ledger.Receipt, error) {
	if l.away {
		return ledger.Receipt{}, errors.New("the ledger is away")
	}
	return l.Ledger.Append(ctx, facts...)
}

func TestARunIsStopped(t *testing.T) {
	p := &practice{}
	facts := ledger.New(ledger.Config{Store: &ledger.Memory{}})
	s := service(t, p, &testbed.Memory{}, facts)
	j := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"AP"}, By: "team:FI/op1"})
	n := 0
	p.before = func(int) {
		if n++; n == 40 {
			if err := s.Stop(t.Context(), j.ID); err != nil {
				t.Error(err)
			}
		}
	}
	over := work(t, t.Context(), s, j.ID)
	if over.State != testbed.JobStopped || over.Done == 0 || over.Done >= len(over.Cases) {
		t.Fatalf("%+v", over)
	}
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if suites, all := suiteFacts(t, facts); len(suites) != 0 || all != over.Done-over.Counts[testbed.NotApplicable] {
		t.Errorf("%d facts, of suites %v", all, suites)
	}
	if err := s.Stop(t.Context(), j.ID); err == nil || !strings.Contains(err.Error(), "over") {
		t.Errorf("a run that is over is stopped: %v", err)
	}
	waits := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"AP"}, By: "team:FI/op1"})
	if err := s.Stop(t.Context(), waits.ID); err != nil {
		t.Fatal(err)
	}
	if worked, err := s.Work(t.Context()); worked || err != nil {
		t.Errorf("a stopped job is played: %v", err)
	}
}

func TestASystemThatCannotBeOpened(t *testing.T) {
	now := noon
	p := &practice{away: 99}
	s := service(t, p, &testbed.Memory{}, ledger.New(ledger.Config{Store: &ledger.Memory{}}))
	s.Now = func() time.Time { return now }
	j := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"AS4-CONN-001"}, By: "team:FI/op1"})
	for range 2 {
		if waits := work(t, t.Context(), s, j.ID); !waits.Open() || waits.Notes[len(waits.Notes)-1].What != "away" {
			t.Fatalf("%+v", waits)
		}
		if worked, err := s.Work(t.Context()); worked || err != nil {
			t.Fatalf("it is tried again at once: %v", err)
		}
		now = now.Add(2 * time.Minute)
	}
	if over := work(t, t.Context(), s, j.ID); over.State != testbed.JobFailed || !strings.Contains(over.Why, "certificate") || over.Owed {
		t.Errorf("%+v", over)
	}
}

func TestOrdersThatCannotBe(t *testing.T) {
	s := service(t, &practice{}, &testbed.Memory{}, ledger.New(ledger.Config{Store: &ledger.Memory{}}))
	s.Waiting = 1
	for name, c := range map[string]struct {
		o    testbed.JobOrder
		says string
	}{
		"unknown system":    {testbed.JobOrder{System: "SE_node", What: []string{"all"}}, "no such"},
		"foreign line":      {testbed.JobOrder{System: "PT_node", Line: "oots-edm:v1.2", What: []string{"all"}}, "oots-edm:v2.0"},
		"unknown word":      {testbed.JobOrder{System: "PT_node", What: []string{"all", "nothing"}}, `"nothing"`},
		"foreign component": {testbed.JobOrder{System: "PT_node", What: []string{"DS"}}, `"DS"`},
		"peer case":         {testbed.JobOrder{System: "PT_node", What: []string{"TC01"}}, "events"},
	} {
		if _, err := s.Prepare(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	start(t, s, testbed.JobOrder{System: "PT_node", What: []string{"all"}, By: "team:PT/op1"})
	if _, err := s.Prepare(t.Context(), testbed.JobOrder{System: "PT_node", What: []string{"all"}, By: "team:PT/op1"}); err == nil || !strings.Contains(err.Error(), "wait") {
		t.Errorf("a country may let any number wait: %v", err)
	}
}

// TestAWatcherMissesNothing: whoever comes back with the last id that it saw
// gets what came after it.
func TestAWatcherMissesNothing(t *testing.T) {
	s := service(t, &practice{}, &testbed.Memory{}, ledger.New(ledger.Config{Store: &ledger.Memory{}}))
	j := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"AS4-CONN"}, By: "team:FI/op1"})
	none, err := s.Since(t.Context(), j.ID, "")
	if err != nil || len(none) != 0 {
		t.Fatalf("%v, %+v", err, none)
	}
	work(t, t.Context(), s, j.ID)
	all, err := s.Since(t.Context(), j.ID, "")
	if err != nil || len(all) != len(j.Cases)+2 || all[len(all)-1].Name != "done" || all[len(all)-2].Name != "progress" {
		t.Fatalf("%v, %d events", err, len(all))
	}
	for i, e := range all {
		rest, err := s.Since(t.Context(), j.ID, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := all[i+1:]
		if e.Name == "progress" || e.Name == "step" && i == len(j.Cases)-1 { // the same instant
			want = all[len(all)-1:]
		}
		if len(rest) != len(want) || len(rest) > 0 && rest[0].ID != want[0].ID {
			t.Errorf("after %s: %d events, want %d", e.ID, len(rest), len(want))
		}
	}
	for _, foreign := range []string{"x", "-1.0", "0.0.done", "99.9"} {
		if _, err := s.Since(t.Context(), j.ID, foreign); err != nil {
			t.Errorf("%s: %v", foreign, err)
		}
	}
}

// TestThePlatformPlaysAgain: the choice follows from the seed, and is made once.
func TestThePlatformPlaysAgain(t *testing.T) {
	s := service(t, &practice{}, &testbed.Memory{}, ledger.New(ledger.Config{Store: &ledger.Memory{}}))
	j := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"all"}, By: "team:FI/op1"})
	work(t, t.Context(), s, j.ID)
	jobs, err := s.Rerun(t.Context(), "a seed", noon.Add(-time.Hour))
	if err != nil || len(jobs) != 1 || jobs[0].By != testbed.Platform || jobs[0].Of != j.ID {
		t.Fatalf("%v, %+v", err, jobs)
	}
	if n := len(jobs[0].Cases); n < 2 || n > 20 {
		t.Errorf("%d of %d cases are played again", n, len(j.Cases))
	}
	if again, err := s.Rerun(t.Context(), "a seed", noon.Add(-time.Hour)); err != nil || len(again) != 0 {
		t.Errorf("%v, %d jobs the second time", err, len(again))
	}
	for _, secret := range []string{"one", "two"} { // each day has a seed, which does not change within it
		s.Secret = secret
		first, err := s.RerunToday(t.Context())
		if err != nil || len(first) != 1 {
			t.Fatalf("%v, %d jobs with the secret %q", err, len(first), secret)
		}
		if again, err := s.RerunToday(t.Context()); err != nil || len(again) != 0 {
			t.Errorf("%v, %d jobs the second time that day", err, len(again))
		}
	}
	picked := 0
	for n := range 10_000 {
		if testbed.Picked("a seed", fmt.Sprint(n)) {
			picked++
		}
	}
	if picked < 400 || picked > 600 {
		t.Errorf("%d of 10,000 are picked", picked)
	}
}

// TestEverySuiteProvesSomething: the table of components names every suite for
// one system, and no case of theirs is for a role that no component plays.
func TestEverySuiteProvesSomething(t *testing.T) {
	for _, s := range catalogue(t).Suites {
		if s.Name == "PEER" {
			continue
		}
		for _, k := range s.Cases {
			if !slices.ContainsFunc(testbed.Components, func(c testbed.Component) bool {
				return slices.Contains(c.Suites, s.Name) && slices.Contains(c.Roles, k.Role)
			}) {
				t.Errorf("%s proves no component", k.ID)
			}
		}
	}
}

// TestAReportOfAJobOpens: the report that a job gives is one that can be handed in.
func TestAReportOfAJobOpens(t *testing.T) {
	s := service(t, &practice{}, &testbed.Memory{}, ledger.New(ledger.Config{Store: &ledger.Memory{}}))
	j := start(t, s, testbed.JobOrder{System: "FI_node", What: []string{"LOG"}, By: "team:FI/op1"})
	over := work(t, t.Context(), s, j.ID)
	r, err := s.Report(t.Context(), over, true)
	if err != nil || len(r.Runs) != len(j.Cases) {
		t.Fatal(err, r)
	}
	var out bytes.Buffer
	if err := errors.Join(r.WriteHTML(&out), r.WriteJUnit(&out), r.WriteJSON(&out)); err != nil || !strings.Contains(out.String(), "FI_node") {
		t.Error(err)
	}
	if i := slices.IndexFunc(r.Runs, func(run *testbed.Run) bool { return len(run.Messages) > 0 && len(run.Messages[0].Body) > 0 }); i < 0 {
		t.Error("a whole report has no message")
	}
}
