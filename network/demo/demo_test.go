package demo_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/demo"
	"github.com/once-only/oots/projectathon"
)

// newBoard is an empty one, in memory.
func newBoard(t *testing.T) demo.Board {
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
	return demo.Board{Events: events, Ledger: l, Meter: m}
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
	s, err := b.Meter.Displayed(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range e.Unexpected(s) {
		t.Error(wrong)
	}
}

func TestTheBoardFollowsTheFaults(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	e, b := demo.New(8), newBoard(t)
	if err := run(ctx, t, e, b, t.Logf); err != nil {
		t.Fatal(err)
	}
	asExpected(t, e, b)
}

// TestAnEventThatWasEndedGoesOn: whatever the platform was in the middle of, no
// result is lost and none is there twice.
func TestAnEventThatWasEndedGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("five networks, one after the other")
	}
	b := newBoard(t)
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
