package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/once-only/oots/network"
	"github.com/once-only/oots/network/conformance"
	pj "github.com/once-only/oots/projectathon"
)

// round is one round of the event.
type round struct {
	title string
	cases []string
}

// rounds in their order. The first is the baseline: a provider that passes none
// of it does not go on.
var rounds = []round{
	{"Baseline exchange", []string{"TC01"}},
	{"Nobody, preview, refusal", []string{"TC02", "TC06", "TC08"}},
	{"Logs of both sides", []string{"TC32"}},
	{"Registers fail", []string{"TC03"}},
	{"Previews are left", []string{"TC09", "TC23"}},
	{"Access points go down", []string{"TC04", "TC04_b"}},
}

// play is one round: every requester with every provider that is still in, as a
// batch of automatic tests that monitors grade.
func (r *running) play(ctx context.Context, number int, round round) error {
	started := time.Now()
	ids, err := r.drive(ctx, round)
	if err != nil {
		return err
	}
	if r.again && len(ids) == 0 {
		return nil // nobody is left to play it with
	}
	seen, err := r.grade(ctx, ids)
	if err != nil {
		return err
	}
	passed := 0
	for _, t := range seen {
		if t.State == pj.Verified {
			passed++
		}
	}
	r.tell("round %d of %d, %s (%s): %d of %d peer tests verified in %.1f s", number+1, len(rounds), round.title, list(round.cases), passed, len(seen), time.Since(started).Seconds())
	for _, s := range r.e.States {
		mine := slices.DeleteFunc(slices.Clone(seen), func(t pj.PeerTest) bool { return t.Sides[1].Country != s.Country })
		failed := slices.IndexFunc(mine, func(t pj.PeerTest) bool { return t.State != pj.Verified })
		if failed < 0 {
			continue
		}
		r.tell("  %s", failure(mine[failed]))
		if number == 0 && !slices.ContainsFunc(mine, func(t pj.PeerTest) bool { return t.State == pj.Verified }) {
			r.bad[s.Country] = true
		}
	}
	if r.again {
		return nil // one snapshot shows all of what is played again
	}
	return r.publish(ctx, fmt.Sprintf("Round %d of the demonstration event: %s", number+1, round.title))
}

// drive plays the tests of a round. What the platform could not play says nothing
// about anybody, so that it is played once more.
func (r *running) drive(ctx context.Context, round round) (ids []string, err error) {
	for range 2 {
		if ids, err = r.propose(ctx, round); err != nil {
			return nil, err
		}
		ready, err := r.in(ctx, ids, pj.Accepted)
		if err != nil {
			return nil, err
		}
		if err := r.events.Drive(ctx, r.driver, ready...); err != nil {
			return nil, err
		}
		if aborted, err := r.in(ctx, ids, pj.Aborted); err != nil || len(aborted) == 0 {
			return ids, err
		}
	}
	return ids, nil
}

// propose makes the tests of a round: the requester's team proposes, the
// provider's accepts. A test that was made before the platform was last ended is
// taken on where it stands.
func (r *running) propose(ctx context.Context, round round) (ids []string, err error) {
	board, err := r.events.Board(ctx, r.event)
	if err != nil {
		return nil, err
	}
	made := map[string]pj.Brief{}
	for _, t := range board.Tests() {
		old := r.again && t.State != pj.ToBeVerified && !t.Ended.IsZero() && t.Ended.Before(r.began)
		if t.State != pj.Aborted && !old {
			made[t.Case+" "+t.Countries[0]+" "+t.Countries[1]] = t
		}
	}
	for _, kase := range round.cases {
		for _, answers := range r.taking(func(n *network.Node) bool { return n.Provider != nil && !r.bad[n.Country] }) {
			for _, asks := range r.taking(func(n *network.Node) bool {
				return n.Requester != nil && n.Country != answers && !faults[r.e.Fault(n.Country)].member.Unreachable // no answer would come back
			}) {
				if r.only != "" && r.only != asks && r.only != answers {
					continue
				}
				t, ok := made[kase+" "+asks+" "+answers]
				if !ok {
					p, err := r.events.Propose(ctx, team(asks), r.event, kase, conformance.Name(asks), conformance.Name(answers))
					if err != nil {
						return nil, fmt.Errorf("demo: %s of %s and %s: %w", kase, asks, answers, err)
					}
					t.ID, t.State = p.ID, p.State
				}
				if t.State == pj.Proposed {
					if err := r.events.Accept(ctx, team(answers), t.ID); err != nil {
						return nil, fmt.Errorf("demo: %s of %s and %s: %w", kase, asks, answers, err)
					}
				}
				ids = append(ids, t.ID)
			}
		}
	}
	return ids, nil
}

// in gives those of some tests that are in a state.
func (r *running) in(ctx context.Context, ids []string, state pj.PeerState) (some []string, err error) {
	board, err := r.events.Board(ctx, r.event)
	if err != nil {
		return nil, err
	}
	for _, t := range board.Tests() {
		if t.State == state && slices.Contains(ids, t.ID) {
			some = append(some, t.ID)
		}
	}
	return some, nil
}

// grade gives each test to a monitor who is neutral in it, and returns the tests
// with their verdicts.
func (r *running) grade(ctx context.Context, ids []string) (seen []pj.PeerTest, err error) {
	queue := make([][]string, len(monitors))
	ended, err := r.in(ctx, ids, pj.ToBeVerified)
	if err != nil {
		return nil, err
	}
	for _, id := range ended {
		t, err := r.events.Test(ctx, monitors[0], id)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(monitors, func(m pj.Account) bool {
			return !slices.ContainsFunc(t.Sides, func(s pj.Side) bool { return s.Country == m.Country })
		})
		queue[at] = append(queue[at], id)
	}
	for i, mine := range queue {
		err = errors.Join(err, r.events.Review(ctx, monitors[i], mine, pj.Suggest))
	}
	for _, id := range ids {
		t, bad := r.events.Test(ctx, monitors[0], id)
		seen, err = append(seen, t), errors.Join(err, bad)
	}
	return seen, err
}

// failure says in words why a test did not pass.
func failure(t pj.PeerTest) string {
	why := "it could not be played"
	if i := slices.IndexFunc(t.Findings, func(f pj.Finding) bool { return !f.Holds }); i >= 0 {
		why = t.Findings[i].Text
	}
	return fmt.Sprintf("%s fails %s with %s: %s", t.Sides[1].Country, t.Case, t.Sides[0].Country, why)
}
