package projectathon

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// PermanentID is the id of the event that hosts tests all year.
const PermanentID = "permanent"

// host is the platform as the manager of its own permanent event.
var host = Account{Party: Platform.Party, Post: Manager}

// Host makes sure that the permanent event is there and live. It may be called
// at every start, by several processes at once; an event that is there keeps
// what was frozen when it was announced.
func (s *Service) Host(ctx context.Context, e Event) (Event, error) {
	e.ID, e.Permanent = PermanentID, true
	return e, retry(func() error {
		now, err := s.Event(ctx, PermanentID)
		if errors.Is(err, ErrUnknown) {
			now, err = s.CreateEvent(ctx, host, e)
		}
		for err == nil && now.State != Live {
			if !now.Permanent || now.State == Cancelled {
				return fmt.Errorf("the event %q of this store is %s and hosts nothing", PermanentID, now.State)
			}
			before := now.State
			if now, err = s.AdvanceEvent(ctx, host, PermanentID, now.Next()); err != nil && now.State != before {
				return ErrChanged // somebody else has just advanced it
			}
		}
		e = now
		return err
	})
}

// proposalTime is how long a proposal waits for an answer.
const proposalTime = 14 * 24 * time.Hour

// Expire ends what its time is over for: proposals that nobody answered, and
// secrets of the vault, whose text is erased. It returns how many.
func (s *Service) Expire(ctx context.Context) (n int, err error) {
	now := s.Now().UTC()
	events, err := s.Events(ctx)
	if err != nil {
		return 0, err
	}
	for _, e := range events {
		b, err := s.Board(ctx, e.ID)
		if err != nil {
			return n, err
		}
		for _, t := range b.alive(func(t Brief) bool {
			return t.State == Proposed && !t.Changed.IsZero() && now.Sub(t.Changed) >= proposalTime
		}) {
			err := s.changeAll(ctx, Platform, TakePart, "expires", []string{t.ID}, func(p *PeerTest) error {
				return p.Move(Expired, PeerStep{At: now, By: Platform.Party, As: ByPlatform, Note: "nobody answered the proposal"})
			})
			if err != nil {
				return n, err
			}
			n++
		}
	}
	secrets, err := s.Store.List(ctx, KindSecret, "")
	if err != nil {
		return n, err
	}
	for _, r := range secrets {
		k, err := read[Secret](r)
		if err != nil {
			return n, err
		}
		if k.Value.Sealed == nil || k.Value.Until.After(now) {
			continue
		}
		k.Value.Sealed = nil
		if err := put(ctx, s, Platform, KeepSecret, "erased", k); errors.Is(err, ErrChanged) {
			continue // its team has just put another in its place
		} else if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
