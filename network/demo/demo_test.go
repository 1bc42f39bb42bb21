package demo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/access"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/demo"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/suites"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/web/api"
)

// newBoard is an empty one, in memory, for an event.
func newBoard(t *testing.T, e *demo.Event) demo.Board {
	t.Helper()
	text, err := ledger.NewKey(rand.Reader, "demo")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New(ledger.Config{Store: &ledger.Memory{}, Key: key})
	m, err := am.New(am.Config{Facts: l, Store: &am.Memory{}, Signer: key, Verify: func(ctx context.Context) error { _, err := l.Verify(ctx, ledger.VerifyOptions{}); return err }})
	if err != nil {
		t.Fatal(err)
	}
	events, err := projectathon.New(projectathon.Config{Store: &projectathon.Memory{}, Facts: l, Key: make([]byte, 32), SecondShare: -1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := testbed.Load(suites.Files)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := testbed.New(testbed.Config{Catalogue: c, Store: &testbed.Memory{}, Systems: e.Systems(c, validator.New(validator.Config{})), Facts: l})
	if err != nil {
		t.Fatal(err)
	}
	tokens := &access.Memory{}
	_, token, err := access.Create(t.Context(), tokens, nil, time.Now(), "platform:demo", time.Hour, access.ImportFacts)
	if err != nil {
		t.Fatal(err)
	}
	door, err := api.New(api.Config{Meter: m, Ledger: l, Tokens: tokens, BaseURL: "http://localhost", WriteRate: 1000, WriteBurst: 1000})
	if err != nil {
		t.Fatal(err)
	}
	playing, stop := context.WithCancel(t.Context())
	var platform errgroup.Group
	platform.Go(func() error { return tests.Run(playing) })
	t.Cleanup(func() { stop(); _ = platform.Wait() })
	return demo.Board{Tests: tests, Events: events, Ledger: l, Meter: m, API: door, Token: token}
}

// run plays an event over a network of its own.
func run(ctx context.Context, t *testing.T, e *demo.Event, b demo.Board, tell func(string, ...any)) error {
	t.Helper()
	n, err := network.Start(context.WithoutCancel(ctx), e.Plan())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	return e.Run(ctx, n, b, tell)
}

func asExpected(t *testing.T, e *demo.Event, b demo.Board) {
	t.Helper()
	wrong, err := e.Unexpected(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range wrong {
		t.Error(line)
	}
}

// TestTheBoardFollowsTheFaults: every country ends where its state and fault put
// it. One that mends its fault moves up with the next snapshot; one that gets a
// fault keeps its level, is at risk, and is proposed for a lower one.
func TestTheBoardFollowsTheFaults(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 15*time.Minute)
	defer stop()
	countries := 8
	if testing.Short() {
		countries = 2
	}
	e := demo.New(countries)
	b := newBoard(t, e)
	n, err := network.Start(context.WithoutCancel(ctx), e.Plan())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	if err := e.Run(ctx, n, b, t.Logf); err != nil {
		t.Fatal(err)
	}
	asExpected(t, e, b)
	if testing.Short() {
		return
	}
	for _, c := range []struct{ country, fault string }{{"AT", ""}, {"FR", ""}, {"DE", "register broken"}} {
		if err := e.Change(ctx, n, b, c.country, c.fault, t.Logf); err != nil {
			t.Fatal(err)
		}
		asExpected(t, e, b)
	}
	for country, want := range map[string]int{"AT": 4, "FR": 3, "DE": 4} {
		if got := level(t, b, country); got != want {
			t.Errorf("%s stands on level %d, want %d", country, got, want)
		}
	}
	risks, err := b.AtRisk(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p := risks["DE"]; p == nil || p.Published != 4 || p.Computed >= 4 || len(p.Missing) == 0 || p.AnswerBy.IsZero() {
		t.Errorf("the proposal about DE: %+v", p)
	}
	if risks["AT"] != nil {
		t.Error("AT is at risk")
	}
	later := demo.New(8) // as after a restart over the same store
	if err := later.Recall(ctx, n, b); err != nil {
		t.Fatal(err)
	}
	for country, want := range map[string]string{"AT": "", "DE": "register broken", "EL": "register broken", "FI": ""} {
		if got := later.Fault(country); got != want {
			t.Errorf("after a restart %s has the fault %q, want %q", country, got, want)
		}
	}
	for _, c := range []struct {
		country, fault string
		want           error
	}{{"EE", "", demo.ErrNotThere}, {"ZZ", "", demo.ErrNotThere}, {"FI", "", demo.ErrNotPlanned}, {"FI", "no such fault", demo.ErrNotPlanned}, {"IE", "", demo.ErrNotPlanned}} {
		if err := e.Change(ctx, n, b, c.country, c.fault, t.Logf); !errors.Is(err, c.want) {
			t.Errorf("%s %q: %v, want %v", c.country, c.fault, err, c.want)
		}
	}
}

func level(t *testing.T, b demo.Board, country string) int {
	t.Helper()
	s, err := b.Meter.Displayed(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range s.Entries {
		if x.Member == country {
			return x.Level
		}
	}
	return 0
}

// TestAStepIsAttestedOnce, however often the event was taken up again.
func TestAStepIsAttestedOnce(t *testing.T) {
	b := newBoard(t, demo.New(2))
	said := func(id string, real bool, period string) ledger.Fact {
		f := ledger.Fact{ID: id, Kind: ledger.TransactionAttestation, Asserter: "ms:FI", Verifier: "platform:demo", Environment: ledger.ProductionEnv, Sample: true, HappenedAt: time.Now().UTC(),
			Subject: ledger.Subject{Country: "FI", Role: ledger.Provider, Partner: "NL"}, Body: ledger.Body{RealUser: real, Period: period}}
		if period == "" {
			f.Body.RequestHash, f.Body.MessageHash, f.Body.Outcome = strings.Repeat("a", 64), strings.Repeat("b", 64), "pass"
		}
		return f
	}
	for _, f := range []ledger.Fact{said("check", false, ""), said("check-again", false, ""), said("use", true, ""), said("month", true, "2026-11"), said("use-again", true, ""), said("next-month", true, "2026-12")} {
		if err := b.Attest(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	var kept []string
	for e, err := range b.Ledger.Facts(t.Context(), ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, e.Fact.ID)
	}
	if got := strings.Join(kept, ", "); got != "check, use, month, next-month" {
		t.Errorf("the ledger has %s", got)
	}
}

// moody cannot play the first test that it gets.
type moody struct {
	projectathon.Driver
	said *bool
}

func (m moody) Play(ctx context.Context, tests []projectathon.PeerTest, ended func(*projectathon.PeerTest, projectathon.Played, error)) {
	if !*m.said {
		*m.said = true
		ended(&tests[0], projectathon.Played{}, errors.New("no memory left"))
		tests = tests[1:]
	}
	m.Driver.Play(ctx, tests, ended)
}

// TestWhatThePlatformCouldNotPlayIsPlayedAgain, since it says nothing about the
// countries.
func TestWhatThePlatformCouldNotPlayIsPlayedAgain(t *testing.T) {
	e, failed := demo.New(2), false
	b := newBoard(t, e)
	n, err := network.Start(t.Context(), e.Plan())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	if err := e.FirstRound(t.Context(), n, b, t.Logf, func(d projectathon.Driver) projectathon.Driver { return moody{d, &failed} }); err != nil {
		t.Fatal(err)
	}
	board, err := b.Events.Board(t.Context(), demo.ID)
	if err != nil {
		t.Fatal(err)
	}
	states := map[projectathon.PeerState]int{}
	for _, x := range board.Tests() {
		states[x.State]++
	}
	if states[projectathon.Verified] != 2 || states[projectathon.Aborted] != 1 || len(states) != 2 {
		t.Errorf("the tests are %v, want two verified beside one that could not be played", states)
	}
}

// TestAnEventThatWasEndedGoesOn: whatever the platform was in the middle of, no
// result is lost and none is there twice.
func TestAnEventThatWasEndedGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("five networks, one after the other")
	}
	b := newBoard(t, demo.New(3))
	for _, after := range []string{"countries are in", "connectivity:", "round 1 of", "round 3 of"} {
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
		err := run(ctx, t, demo.New(3), b, func(format string, args ...any) {
			if strings.Contains(fmt.Sprintf(format, args...), after) {
				time.AfterFunc(100*time.Millisecond, stop) // somewhere in what follows
			}
		})
		if err == nil {
			t.Fatalf("the event ended before %q", after)
		}
		if held, err := demo.Held(t.Context(), b); err != nil || held {
			t.Fatalf("an event that goes on later was held: %v, %v", held, err)
		}
	}
	e := demo.New(3)
	if err := run(t.Context(), t, e, b, t.Logf); err != nil {
		t.Fatal(err)
	}
	asExpected(t, e, b)
	if held, err := demo.Held(t.Context(), b); err != nil || !held {
		t.Errorf("the event was held: %v, %v", held, err)
	}
	board, err := b.Events.Board(t.Context(), demo.ID)
	if err != nil {
		t.Fatal(err)
	}
	published, err := b.Meter.Snapshots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]bool{}
	for _, s := range published {
		if reasons[s.Reason] {
			t.Errorf("two snapshots are published for %q", s.Reason)
		}
		reasons[s.Reason] = true
	}
	played := map[string]int{}
	for _, x := range board.Tests() {
		switch x.State {
		case projectathon.Verified:
			played[x.Case+" "+x.Countries[0]+x.Countries[1]]++
		case projectathon.Aborted:
		default:
			t.Errorf("%s of %v is %s", x.Case, x.Countries, x.State)
		}
	}
	for what, times := range played {
		if times != 1 {
			t.Errorf("%s has %d results", what, times)
		}
	}
	if len(played) != 6*10 {
		t.Errorf("%d results; want 10 cases between 6 pairs", len(played))
	}
}
