package projectathon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Driver plays peer tests with systems that need no hands: it drives both sides
// through their interfaces and plays the user's part.
type Driver interface {
	// Able says why a test cannot be played automatically; nil: it can.
	Able(t *PeerTest) error
	// Play plays tests side by side, bounds the time of each, and tells ended of
	// each once, perhaps of several at the same time. failed is the platform's
	// own error, never a fault of a system.
	Play(ctx context.Context, tests []PeerTest, ended func(t *PeerTest, seen Played, failed error))
}

// Played is what a driver saw.
type Played struct {
	Steps    map[string]string // step id: completed, failed or skipped
	Findings []Finding
	Evidence []Captured
}

// Captured is a message that a driver kept.
type Captured struct {
	Item
	Octets []byte
}

// Unable says that a test cannot be played automatically.
type Unable struct {
	Test, Case string
	Why        error
}

func (e *Unable) Error() string {
	return fmt.Sprintf("%s cannot be played automatically: %v; the teams play it by hand", e.Case, e.Why)
}

func (e *Unable) Unwrap() error { return e.Why }

// Platform is the platform itself as it acts in tests.
var Platform = Account{Party: "platform"}

const (
	// drivenAtOnce is how many tests a driver gets together.
	drivenAtOnce = 128
	// writtenAtOnce bounds the results of one write.
	writtenAtOnce = 32
	// driveTime bounds what is given to a driver together; a driver bounds each
	// test by itself.
	driveTime = 10 * time.Minute
)

// Drive plays accepted tests automatically, to the state in which a monitor
// takes them over. When one of them cannot be played none begins (*Unable).
func (s *Service) Drive(ctx context.Context, d Driver, ids ...string) error {
	for _, id := range ids {
		k, err := get[PeerTest](ctx, s, KindTest, id)
		if err != nil {
			return err
		}
		if err := d.Able(&k.Value); err != nil {
			return &Unable{id, k.Value.Case, err}
		}
	}
	for some := range slices.Chunk(ids, drivenAtOnce) {
		if err := s.drive(ctx, d, some); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) drive(ctx context.Context, d Driver, ids []string) error {
	var tests []PeerTest
	err := s.changeAll(ctx, Platform, TakePart, "starts", ids, func(t *PeerTest) error {
		if err := t.advance(Running, s.own("played by the platform")); err != nil {
			return err
		}
		tests = append(slices.DeleteFunc(tests, func(old PeerTest) bool { return old.ID == t.ID }), *t)
		return nil
	})
	if err != nil {
		return err
	}
	within, stop := context.WithTimeout(ctx, driveTime)
	defer stop()
	came := make(chan result, writtenAtOnce)
	go func() {
		defer close(came)
		d.Play(within, tests, func(t *PeerTest, seen Played, failed error) { came <- result{t.ID, seen, failed} })
	}()
	// What a driver has seen is written even when the platform is told to end;
	// what it was kept from seeing stays running, for Interrupted.
	safe := context.WithoutCancel(ctx)
	open := map[string]bool{}
	for _, t := range tests {
		open[t.ID] = true
	}
	var lost error
	write := func(some []result) {
		some = slices.DeleteFunc(some, func(r result) bool {
			first := open[r.id]
			delete(open, r.id)
			return !first || r.failed != nil && ctx.Err() != nil
		})
		if len(some) > 0 {
			lost = errors.Join(lost, s.played(safe, some))
		}
	}
	for first := range came {
		some := []result{first}
		for len(some) < writtenAtOnce && len(came) > 0 {
			some = append(some, <-came)
		}
		write(some)
	}
	var never []result
	for id := range open {
		never = append(never, result{id: id, failed: errors.New("the driver tells nothing of it")})
	}
	write(never)
	return errors.Join(lost, ctx.Err())
}

// own is a step of the platform itself.
func (s *Service) own(note string) PeerStep {
	return PeerStep{At: s.Now().UTC(), By: Platform.Party, As: ByPlatform, Note: note}
}

// result is what came of one test.
type result struct {
	id     string
	seen   Played
	failed error
}

// played writes results together; a test that somebody took elsewhere meanwhile
// keeps the others from nothing.
func (s *Service) played(ctx context.Context, all []result) error {
	var pieces []Sealed
	items := map[string][]Item{}
	for _, r := range all {
		for _, c := range r.seen.Evidence {
			if len(c.Octets) == 0 || len(c.Octets) > mostEvidence || len(items[r.id]) >= mostItems {
				continue
			}
			it, piece, err := s.sealed(r.id, c.Item, c.Octets)
			if err != nil {
				return err
			}
			items[r.id], pieces = append(items[r.id], it), append(pieces, piece)
		}
	}
	if err := s.Store.Keep(ctx, pieces...); err != nil {
		return err
	}
	write := func(some []result) error {
		ids := make([]string, len(some))
		for i, r := range some {
			ids[i] = r.id
		}
		return s.changeAll(ctx, Platform, TakePart, "played", ids, func(t *PeerTest) error {
			r := some[slices.Index(ids, t.ID)]
			return s.ended(t, r, items[r.id])
		})
	}
	if len(all) == 1 {
		return write(all)
	}
	if write(all) == nil {
		return nil
	}
	var lost error
	for i := range all {
		lost = errors.Join(lost, write(all[i:i+1]))
	}
	return lost
}

// ended brings a result into its test.
func (s *Service) ended(t *PeerTest, r result, items []Item) error {
	if r.failed != nil {
		s.Log.Warn("a test could not be played", "case", t.Case, "test", t.ID, "err", r.failed)
		end := s.own("the platform could not play it")
		end.Cause = CauseInfrastructure
		return t.advance(Aborted, end)
	}
	for _, side := range t.Sides {
		for name, state := range r.seen.Steps {
			if err := t.mark(side.System, name, Mark{state, s.Now().UTC(), Platform.Party}); err != nil {
				return err
			}
		}
	}
	t.Findings = r.seen.Findings
	for _, it := range items {
		if err := t.hold(it); err != nil {
			return err
		}
	}
	return t.advance(ToBeVerified, s.own(""))
}

// Interrupted ends the tests that a killed platform left running and puts a new
// one of the same sides, accepted as the old one was, in place of each. It
// returns the ids of the new ones, for Drive.
func (s *Service) Interrupted(ctx context.Context, event string) (again []string, err error) {
	b, err := s.Board(ctx, event)
	if err != nil {
		return nil, err
	}
	for _, left := range b.alive(func(t Brief) bool { return t.State == Running }) {
		id := ""
		err := retry(func() error {
			k, err := get[PeerTest](ctx, s, KindTest, left.ID)
			if err != nil {
				return err
			}
			t := &k.Value
			if last := len(t.History) - 1; t.State != Running || t.History[last].As != ByPlatform {
				id = ""
				return nil
			}
			next := s.again(t)
			end := s.own("the platform was interrupted")
			end.Cause = CauseInfrastructure
			if err := t.advance(Aborted, end); err != nil {
				return err
			}
			old, err := k.write()
			if err != nil {
				return err
			}
			new, err := fresh(KindTest, next.ID, event, next).write()
			if err != nil {
				return err
			}
			id = next.ID
			return s.Store.Put(ctx, s.entry(Platform, TakePart, old, "interrupted"), old, new)
		})
		if err != nil {
			return again, err
		}
		if id != "" {
			again = append(again, id)
		}
	}
	return again, nil
}

// again is a test that nobody has played yet, in place of t.
func (s *Service) again(t *PeerTest) PeerTest {
	next := PeerTest{ID: s.NewID(), Event: t.Event, Case: t.Case, Variant: t.Variant, Line: t.Line, Sides: slices.Clone(t.Sides), State: Accepted,
		Catalogue: t.Catalogue, Mode: t.Mode, Slot: t.Slot, Why: append(slices.Clone(t.Why), "played again after the platform was interrupted")}
	next.History = []PeerStep{{At: s.Now().UTC(), To: Accepted, By: Platform.Party, As: ByPlatform, Note: "in place of " + t.ID}}
	for _, step := range t.Steps {
		step.Marks = nil
		next.Steps = append(next.Steps, step)
	}
	return next
}
