package projectathon

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// graded tells whether a monitor has spoken.
func (s PeerState) graded() bool {
	return slices.Contains([]PeerState{Verified, Partially, Failed, Disputed, Regraded, Confirmed}, s)
}

// over tells whether nothing more is expected of a test.
func (s PeerState) over() bool {
	return slices.Contains([]PeerState{Verified, Partially, Failed, Regraded, Confirmed, Declined, NoShow, Aborted, Expired}, s)
}

// Waiting is a row of the monitors' queue.
type Waiting struct {
	Brief
	Age      time.Duration
	Level    int  // whose criteria the case feeds
	Second   bool // a second look is wanted
	Mine     bool // claimed by this monitor
	Neutral  bool // this monitor may take it
	Expert   bool // this monitor knows the field
	Disputed bool
}

// Queue lists what monitors have to do in an event: what the account has
// claimed, then what it may take, oldest and level-relevant first.
func (s *Service) Queue(ctx context.Context, who Account, event string) ([]Waiting, error) {
	if err := who.May(ReadQueue); err != nil {
		return nil, err
	}
	b, err := s.Board(ctx, event)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	var out []Waiting
	for _, t := range b.awaiting() {
		c, _ := s.Case(t.Case)
		w := Waiting{Brief: t, Level: c.Level, Second: t.Second, Mine: t.Monitor == who.Party, Disputed: t.State == Disputed,
			Neutral: who.Post == Monitor && !slices.Contains(t.Countries, who.Country) && !slices.Contains(t.Graders, who.Party),
			Expert:  c.Expertise == "" || slices.Contains(who.Expertise, c.Expertise)}
		if !t.Ended.IsZero() {
			w.Age = now.Sub(t.Ended)
		}
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b Waiting) int {
		if a.Mine != b.Mine {
			return order(a.Mine)
		}
		if a.Neutral != b.Neutral {
			return order(a.Neutral)
		}
		if a.Expert != b.Expert {
			return order(a.Expert)
		}
		if (a.Level > 0) != (b.Level > 0) {
			return order(a.Level > 0)
		}
		return int(max(-1, min(1, b.Age-a.Age)))
	})
	return out, nil
}

func order(first bool) int {
	if first {
		return -1
	}
	return 1
}

// Claim takes a test out of the queue for a monitor.
func (s *Service) Claim(ctx context.Context, who Account, id string) error {
	return s.change(ctx, who, Verify, id, "claims", func(t *PeerTest) error { return s.claim(who, t) })
}

func (s *Service) claim(who Account, t *PeerTest) error {
	if who.Country == "" {
		return errors.New("a monitor names the country of the employer, to be known as neutral")
	}
	return t.Claim(who.Party, who.Country, s.Now().UTC())
}

// GiveBack returns a claimed test to the queue.
func (s *Service) GiveBack(ctx context.Context, who Account, id string) error {
	return s.change(ctx, who, Verify, id, "gives back", func(t *PeerTest) error {
		if t.Monitor != who.Party {
			return errors.New("the test is claimed by another monitor")
		}
		if err := t.Move(ToBeVerified, s.step(who, "given back")); err != nil {
			return err
		}
		t.Monitor = ""
		return nil
	})
}

// Suggest reads verdicts off what was computed: a side with an assertion that
// does not hold failed by its own fault, and partly for its partner's sake.
// They are the monitor's to change.
func Suggest(t *PeerTest) []Verdict {
	out := make([]Verdict, len(t.Sides))
	for i, side := range t.Sides {
		out[i] = Verdict{System: side.System, Outcome: Verified}
		for _, f := range t.Findings {
			switch {
			case f.Holds:
			case f.System == side.System:
				out[i].Outcome = Failed
				out[i].Failing = append(out[i].Failing, Failing{f.Assertion, CauseOwn})
			default:
				if out[i].Outcome == Verified {
					out[i].Outcome = Partially
				}
				out[i].Failing = append(out[i].Failing, Failing{f.Assertion, CausePartner})
			}
		}
	}
	return out
}

// Grade records a monitor's verdicts, one for each side, and hands them to the
// ledger unless a second monitor must look first.
func (s *Service) Grade(ctx context.Context, who Account, id string, verdicts []Verdict) error {
	err := s.change(ctx, who, Verify, id, "grades", func(t *PeerTest) error {
		if t.Monitor != who.Party {
			return errors.New("claim the test before you grade it")
		}
		return s.grade(who, t, verdicts)
	})
	return s.told(ctx, err)
}

func (s *Service) grade(who Account, t *PeerTest, verdicts []Verdict) error {
	at := s.Now().UTC()
	if err := t.Grade(s.signed(who, verdicts, at, false), at); err != nil {
		return err
	}
	t.SecondLook = s.secondLook(who, t)
	return nil
}

// reviewedAtOnce bounds the tests of one write.
const reviewedAtOnce = 64

// Review is what a monitor does with many automatic tests: each is claimed,
// looked at and graded with the verdicts that judge gives, which sees all of its
// evidence named. The ledger is told when they are written.
func (s *Service) Review(ctx context.Context, who Account, ids []string, judge func(t *PeerTest) []Verdict) error {
	for some := range slices.Chunk(ids, reviewedAtOnce) {
		err := s.changeAll(ctx, who, Verify, "claims and grades", some, func(t *PeerTest) error {
			if err := who.May(Verify, t.countries()...); err != nil {
				return err
			}
			if err := s.claim(who, t); err != nil {
				return fmt.Errorf("test %s: %w", t.ID, err)
			}
			if err := s.grade(who, t, judge(t)); err != nil {
				return fmt.Errorf("test %s: %w", t.ID, err)
			}
			return nil
		})
		if err := s.told(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

// signed puts a monitor's sign under verdicts.
func (s *Service) signed(who Account, verdicts []Verdict, at time.Time, second bool) []Verdict {
	out := slices.Clone(verdicts)
	for i := range out {
		out[i].At, out[i].Monitor, out[i].Country, out[i].Second = at, who.Party, who.Country, second
	}
	return out
}

// secondLook tells whether another monitor must agree: always when the first is
// from a supplier of a side's country, and for a random share of tests that a
// level hangs on. The chance is drawn from the test's id, so that nobody can
// draw again.
func (s *Service) secondLook(who Account, t *PeerTest) bool {
	if slices.ContainsFunc(t.countries(), func(cc string) bool { return slices.Contains(who.Supplies, cc) }) {
		return true
	}
	c, _ := s.Case(t.Case)
	if c.Level == 0 || s.SecondShare < 0 {
		return false
	}
	sum := sha256.Sum256([]byte("second look " + t.ID))
	return binary.BigEndian.Uint32(sum[:])%100 < uint32(s.SecondShare)
}

// SecondLook is another monitor's own verdicts on a graded test. When they
// agree the first ones count; when not, the test is disputed and a third
// monitor resolves it.
func (s *Service) SecondLook(ctx context.Context, who Account, id string, verdicts []Verdict) error {
	err := s.change(ctx, who, Verify, id, "second look", func(t *PeerTest) error {
		if !t.SecondLook || !slices.Contains([]PeerState{Verified, Partially, Failed}, t.State) {
			return errors.New("no second look is wanted for this test")
		}
		if slices.ContainsFunc(t.Verdicts, func(v Verdict) bool { return v.Monitor == who.Party }) {
			return errors.New("the second look is another monitor's")
		}
		if slices.ContainsFunc(t.countries(), func(cc string) bool { return slices.Contains(who.Supplies, cc) }) {
			return errors.New("the second look is not for a supplier of a side")
		}
		at := s.Now().UTC()
		mine := s.signed(who, verdicts, at, true)
		if err := t.neutral(who.Country); err != nil {
			return err
		}
		if err := t.check(mine); err != nil {
			return err
		}
		agree := !slices.ContainsFunc(mine, func(v Verdict) bool {
			first, _ := t.Current(v.System)
			return first.Outcome != v.Outcome
		})
		t.Verdicts, t.SecondLook = append(t.Verdicts, mine...), false
		if agree {
			return nil
		}
		return t.Move(Disputed, PeerStep{At: at, By: Platform.Party, As: ByPlatform, Note: "the second look disagrees"})
	})
	return s.told(ctx, err)
}

// Appeal disputes the verdict on a side of the account's country, within the
// event's time and with reasons.
func (s *Service) Appeal(ctx context.Context, who Account, id, reasons string) error {
	if n := len([]rune(strings.TrimSpace(reasons))); n < 20 || n > 4000 {
		return errors.New("an appeal gives its evidence: 20 to 4000 characters")
	}
	k, err := get[PeerTest](ctx, s, KindTest, id)
	if err != nil {
		return err
	}
	e, err := s.Event(ctx, k.Event)
	if err != nil {
		return err
	}
	return s.change(ctx, who, Appeal, id, "appeals", func(t *PeerTest) error {
		if len(t.Verdicts) == 0 {
			return errors.New("there is no verdict to appeal against")
		}
		last := t.Verdicts[len(t.Verdicts)-1].At
		if began, ok := e.Since[Appeals]; ok && began.After(last) {
			last = began
		}
		if until := e.AppealsUntil(last); s.Now().After(until) {
			return fmt.Errorf("appeals ended on %s", until.Format(time.DateOnly))
		}
		return t.Move(Disputed, s.step(who, reasons))
	})
}

// AppealsUntil is the end of the last working day on which a verdict given, or
// a phase begun, at that time can be appealed.
func (e Event) AppealsUntil(from time.Time) time.Time {
	days := e.AppealDays
	if days == 0 {
		days = 5
	}
	day := from.UTC().Truncate(24 * time.Hour)
	for days > 0 {
		day = day.AddDate(0, 0, 1)
		if wd := day.Weekday(); wd != time.Saturday && wd != time.Sunday {
			days--
		}
	}
	return day.AddDate(0, 0, 1)
}

// Resolve ends a dispute by somebody who has not graded the test: no verdicts
// confirm, new ones replace.
func (s *Service) Resolve(ctx context.Context, who Account, id string, verdicts []Verdict) error {
	err := s.change(ctx, who, Verify, id, "resolves", func(t *PeerTest) error {
		at := s.Now().UTC()
		if t.SecondLook {
			t.SecondLook = false // the third monitor is the other look
		}
		return t.Resolve(who.Party, who.Country, s.signed(who, verdicts, at, false), at)
	})
	return s.told(ctx, err)
}

// ungraded counts the tests of an event that are neither graded nor closed.
func (s *Service) ungraded(ctx context.Context, event string) (int, error) {
	b, err := s.Board(ctx, event)
	if err != nil {
		return 0, err
	}
	return b.open(), nil
}
