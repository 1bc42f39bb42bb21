package projectathon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Test reads a peer test without its confidential evidence.
func (s *Service) Test(ctx context.Context, who Account, id string) (PeerTest, error) {
	k, err := get[PeerTest](ctx, s, KindTest, id)
	if err != nil {
		return PeerTest{}, err
	}
	if err := who.May(ReadTest, k.Value.countries()...); err != nil {
		return PeerTest{}, err
	}
	k.Value.Evidence = slices.DeleteFunc(k.Value.Evidence, func(it Item) bool { return mayOpen(who, &k.Value, it) != nil })
	return k.Value, nil
}

func (p *PeerTest) countries() (all []string) {
	for _, s := range p.Sides {
		all = append(all, s.Country)
	}
	return all
}

// change reads a test, lets f change it and writes it. f runs again when
// somebody else was faster.
func (s *Service) change(ctx context.Context, who Account, do Action, id, note string, f func(*PeerTest) error) error {
	return s.changeAll(ctx, who, do, note, []string{id}, func(t *PeerTest) error {
		if err := who.May(do, t.countries()...); err != nil {
			return err
		}
		return f(t)
	})
}

// changeAll changes several tests, whoever may do so: all are written, with one
// line of the audit trail, or none.
func (s *Service) changeAll(ctx context.Context, who Account, do Action, note string, ids []string, f func(*PeerTest) error) error {
	return retry(func() error {
		events := map[string]Event{}
		records := make([]Record, 0, len(ids))
		for _, id := range ids {
			k, err := get[PeerTest](ctx, s, KindTest, id)
			if err != nil {
				return err
			}
			if err := f(&k.Value); err != nil {
				return err
			}
			e, ok := events[k.Event]
			if !ok {
				if e, err = s.Event(ctx, k.Event); err != nil {
					return err
				}
				events[k.Event] = e
			}
			k.Owed = owes(&k.Value, e)
			r, err := k.write()
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		if len(records) == 0 {
			return nil
		}
		line := s.entry(who, do, records[0], note)
		if len(records) > 1 {
			line.On, line.Note = line.Event, fmt.Sprintf("%d tests: %s", len(records), note)
		}
		return s.Store.Put(ctx, line, records...)
	})
}

// owes tells whether the ledger does not hold every fact of a test yet.
func owes(t *PeerTest, e Event) bool { return len(Told(t, e)) > t.Told }

// newTest makes a proposed test of a case between registered systems: the
// requester first.
func (s *Service) newTest(ctx context.Context, e Event, kase string, systems ...string) (PeerTest, error) {
	c, ok := s.Case(kase)
	if !ok {
		return PeerTest{}, fmt.Errorf("%q is no case of the catalogue", kase)
	}
	if len(systems) != c.Providers+1 {
		return PeerTest{}, fmt.Errorf("%s takes %d systems", kase, c.Providers+1)
	}
	t := PeerTest{ID: s.NewID(), Event: e.ID, Case: kase, Line: e.Line, Catalogue: e.Catalogue, State: Proposed, Mode: "automated"}
	if base, variant, ok := strings.Cut(kase, "_"); ok && base != "" {
		t.Variant = variant
	}
	for i, name := range systems {
		r, err := get[Registration](ctx, s, KindRegistration, e.ID+":"+name)
		if err != nil {
			return t, fmt.Errorf("%s is not registered for the event: %w", name, err)
		}
		role := Provider
		if i == 0 {
			role = Requester
		}
		switch {
		case r.Value.State != Admitted:
			return t, fmt.Errorf("the registration of %s is %s, not accepted", name, r.Value.State)
		case !slices.Contains(r.Value.Roles(), role):
			return t, fmt.Errorf("%s has not registered as %s", name, role)
		case slices.Contains(t.countries(), r.Value.Country):
			return t, errors.New("a test has sides of different countries")
		}
		if r.Value.Mode != "automated" {
			t.Mode = r.Value.Mode
		}
		t.Sides = append(t.Sides, Side{System: name, Country: r.Value.Country, Role: role})
	}
	for _, step := range c.Steps {
		step.Marks = nil
		t.Steps = append(t.Steps, step)
	}
	return t, nil
}

// Propose invites partners to a test; the account's own side has accepted by
// that.
func (s *Service) Propose(ctx context.Context, who Account, event, kase string, systems ...string) (PeerTest, error) {
	e, err := s.Event(ctx, event)
	if err != nil {
		return PeerTest{}, err
	}
	if e.State != Live && e.State != Preparation {
		return PeerTest{}, fmt.Errorf("the event is %s; tests are proposed while it is in preparation or live", e.State)
	}
	t, err := s.newTest(ctx, e, kase, systems...)
	if err != nil {
		return t, err
	}
	if err := who.May(Propose, t.countries()...); err != nil {
		return t, err
	}
	t.History = []PeerStep{{At: s.Now().UTC(), To: Proposed, By: who.Party, As: actorOf(who)}}
	if side, err := who.side(&t); err == nil {
		if err := t.Accept(side.System, s.step(who, "")); err != nil {
			return t, err
		}
	}
	return t, put(ctx, s, who, Propose, kase, fresh(KindTest, t.ID, event, t))
}

func actorOf(who Account) Actor {
	switch who.Post {
	case Manager:
		return ByManager
	case Monitor:
		return ByMonitor
	}
	return ByParticipant
}

func (s *Service) step(who Account, note string) PeerStep {
	return PeerStep{At: s.Now().UTC(), By: who.Party, As: actorOf(who), Note: note}
}

// Accept says yes for the account's side.
func (s *Service) Accept(ctx context.Context, who Account, id string) error {
	return s.change(ctx, who, TakePart, id, "accepts", func(t *PeerTest) error {
		side, err := who.side(t)
		if err != nil {
			return err
		}
		return t.Accept(side.System, s.step(who, ""))
	})
}

// Advance takes a test on as a participant: declined, running, paused, to be
// verified, or aborted with its cause.
func (s *Service) Advance(ctx context.Context, who Account, id string, to PeerState, cause Cause, note string) error {
	if !slices.Contains([]PeerState{Declined, Running, Paused, ToBeVerified, Aborted}, to) {
		return fmt.Errorf("%q is nothing that a team sets", to)
	}
	if cause != "" && !slices.Contains([]Cause{CauseOwn, CausePartner, CauseInfrastructure, CauseSpecification}, cause) {
		return fmt.Errorf("%q is no cause; use own, partner, infrastructure or specification", cause)
	}
	return s.change(ctx, who, TakePart, id, string(to), func(t *PeerTest) error {
		if _, err := who.side(t); err != nil {
			return err
		}
		step := s.step(who, note)
		step.Cause = cause
		return t.advance(to, step)
	})
}

// advance moves and notes when the test began and ended.
func (p *PeerTest) advance(to PeerState, step PeerStep) error {
	if err := p.Move(to, step); err != nil {
		return err
	}
	switch {
	case to == Running && p.Started.IsZero():
		p.Started = step.At
	case to == ToBeVerified && p.Ended.IsZero(), to == Aborted:
		p.Ended = step.At
	}
	return nil
}

// MarkStep says for the account's side how a step went.
func (s *Service) MarkStep(ctx context.Context, who Account, id, step, state string) error {
	if !slices.Contains([]string{"completed", "failed", "skipped"}, state) {
		return fmt.Errorf("%q is no state of a step; use completed, failed or skipped", state)
	}
	return s.change(ctx, who, TakePart, id, step+" "+state, func(t *PeerTest) error {
		side, err := who.side(t)
		if err != nil {
			return err
		}
		if t.State != Running && t.State != Paused {
			return fmt.Errorf("steps are marked while the test is running; it is %s", t.State)
		}
		return t.mark(side.System, step, Mark{State: state, At: s.Now().UTC(), By: who.Party})
	})
}

func (p *PeerTest) mark(system, step string, m Mark) error {
	i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.ID == step })
	if i < 0 {
		return fmt.Errorf("%s has no step %q", p.Case, step)
	}
	if p.Steps[i].Marks == nil {
		p.Steps[i].Marks = map[string]Mark{}
	}
	p.Steps[i].Marks[system] = m
	return nil
}

// Say adds a line to the discussion of a step; an empty step is the whole test.
func (s *Service) Say(ctx context.Context, who Account, id, step, text string) error {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n < 1 || n > 2000 {
		return errors.New("write 1 to 2000 characters")
	}
	if err := Screen([]byte(text)); err != nil {
		return err
	}
	do := TakePart
	if who.Post == Monitor {
		do = Verify
	}
	return s.change(ctx, who, do, id, "says", func(t *PeerTest) error {
		if len(t.Talk) >= 500 {
			return errors.New("the discussion is full; 500 lines are its end")
		}
		t.Talk = append(t.Talk, Remark{At: s.Now().UTC(), By: who.Party, Step: step, Text: text})
		return nil
	})
}

// NoShow notes that a side did not come.
func (s *Service) NoShow(ctx context.Context, who Account, id, system string) error {
	return s.change(ctx, who, ReportAbsent, id, system, func(t *PeerTest) error {
		return t.Move(NoShow, s.step(who, system))
	})
}

// scheduled gives a planned test its slot: who registered has accepted the
// plan, and may still decline to play by not coming.
func (s *Service) scheduled(t *PeerTest, m Meeting) {
	at := s.Now().UTC()
	for i := range t.Sides {
		t.Sides[i].Accepted = true
	}
	t.Slot, t.Why, t.State = m.Slot, m.Why, Scheduled
	t.History = append(t.History, PeerStep{At: at, From: Proposed, To: Scheduled, By: Platform.Party, As: ByPlatform, Note: cmp.Or(strings.Join(m.Why, "; "), "planned")})
}
