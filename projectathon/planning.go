package projectathon

import (
	"context"
	"errors"
	"slices"
)

// demandOf says what an event's accepted systems still need: partners distinct
// countries for each case and role, less what is verified.
func (s *Service) demandOf(ctx context.Context, e Event, cases []string, partners int, monitors []Account) (Demand, error) {
	d := Demand{Slots: e.Slots, Verified: map[string][]Pair{}, Failed: map[string][]Pair{}}
	regs, err := s.Registrations(ctx, e.ID)
	if err != nil {
		return d, err
	}
	for _, id := range cases {
		c, ok := s.Case(id)
		if !ok {
			return d, errors.New(id + " is no case of the catalogue")
		}
		d.Cases = append(d.Cases, PlannedCase{ID: id, Providers: c.Providers, Expertise: c.Expertise})
	}
	b, err := s.Board(ctx, e.ID)
	if err != nil {
		return d, err
	}
	met := map[needKey]int{}
	for _, t := range b.Tests() {
		pair := Pair{t.Systems[0], t.Systems[1]}
		switch t.shows() {
		case "verified":
			d.Verified[t.Case] = append(d.Verified[t.Case], pair)
			met[needKey{pair.Requester, t.Case, Requester}]++
			met[needKey{pair.Provider, t.Case, Provider}]++
		case "failed":
			d.Failed[t.Case] = append(d.Failed[t.Case], pair)
		}
	}
	for _, r := range regs {
		if r.State != Admitted {
			continue
		}
		d.Systems = append(d.Systems, Participant{System: r.System, Country: r.Country, Roles: r.Roles(), Lines: r.Lines, Cases: r.Cases,
			Capacity: r.Capacity, Absent: r.Absent, Zone: r.Zone, Newcomer: r.Newcomer})
		for _, role := range r.Roles() {
			for _, c := range d.Cases {
				k, _ := s.Case(c.ID)
				d.Needs = append(d.Needs, Need{System: r.System, Case: c.ID, Role: role, Missing: partners - met[needKey{r.System, c.ID, role}], Blocking: k.Level > 0})
			}
		}
	}
	for _, m := range monitors {
		d.Monitors = append(d.Monitors, MonitorSlot{ID: m.Party, Country: m.Country, Expertise: m.Expertise})
	}
	c, err := s.Connectivity(ctx, e.ID)
	if err != nil {
		return d, err
	}
	if c.Found != nil {
		d.Connected = c.Green
	}
	return d, nil
}

// MakePlan computes the event's timetable and makes its tests. from is the
// first slot that may change: 0 plans anew, a later one keeps what lies before
// and fills the holes that a no-show or a withdrawal left.
func (s *Service) MakePlan(ctx context.Context, who Account, event string, cases []string, partners, from int, monitors ...Account) (Timetable, error) {
	if err := who.May(Plan); err != nil {
		return Timetable{}, err
	}
	e, err := s.Event(ctx, event)
	if err != nil {
		return Timetable{}, err
	}
	if e.State != Preparation && e.State != Live {
		return Timetable{}, errors.New("an event is planned while it is in preparation or live")
	}
	d, err := s.demandOf(ctx, e, cases, max(partners, 1), monitors)
	if err != nil {
		return Timetable{}, err
	}
	k, err := get[Timetable](ctx, s, KindPlan, event)
	switch {
	case errors.Is(err, ErrUnknown):
		k = fresh(KindPlan, event, event, Schedule(d))
	case err != nil:
		return Timetable{}, err
	default:
		k.Value = Replan(d, k.Value, from)
	}
	var records []Record
	add := func(r Record, err error) error {
		records = append(records, r)
		return err
	}
	if err := add(k.write()); err != nil {
		return k.Value, err
	}
	b, err := s.Board(ctx, event)
	if err != nil {
		return k.Value, err
	}
	made := map[string]bool{}
	for _, t := range b.Tests() {
		if t.State != Declined && t.State != NoShow && t.State != Expired && t.State != Aborted {
			made[meetingKey(t.Case, t.Slot, t.Systems)] = true
		}
	}
	wanted := map[string]bool{}
	for _, m := range k.Value.Meetings {
		key := meetingKey(m.Case, m.Slot, m.systems())
		wanted[key] = true
		if m.Slot < from || made[key] {
			continue
		}
		t, err := s.newTest(ctx, e, m.Case, m.systems()...)
		if err != nil {
			return k.Value, err
		}
		s.scheduled(&t, m)
		if err := add(fresh(KindTest, t.ID, event, t).write()); err != nil {
			return k.Value, err
		}
	}
	// A test of the old plan that has lost its place expires.
	for _, t := range b.Tests() {
		if t.State != Scheduled || t.Slot < from || wanted[meetingKey(t.Case, t.Slot, t.Systems)] {
			continue
		}
		old, err := get[PeerTest](ctx, s, KindTest, t.ID)
		if err != nil {
			return k.Value, err
		}
		if err := old.Value.Move(Expired, PeerStep{At: s.Now().UTC(), By: Platform.Party, As: ByPlatform, Note: "the plan has changed"}); err != nil {
			return k.Value, err
		}
		if err := add(old.write()); err != nil {
			return k.Value, err
		}
	}
	return k.Value, s.Store.Put(ctx, s.entry(who, Plan, k.Record, ""), records...)
}

func meetingKey(kase string, slot int, systems []string) string {
	key := kase + "\x00" + string(rune(slot+1))
	for _, s := range systems {
		key += "\x00" + s
	}
	return key
}

// Timetable reads the event's plan.
func (s *Service) Timetable(ctx context.Context, event string) (Timetable, error) {
	k, err := get[Timetable](ctx, s, KindPlan, event)
	if errors.Is(err, ErrUnknown) {
		return Timetable{}, nil
	}
	return k.Value, err
}

// Due are the tests of a slot that wait to be played.
func (b *Board) Due(slot int) []Brief {
	return b.alive(func(t Brief) bool {
		return t.Slot == slot && slices.Contains([]PeerState{Accepted, Scheduled}, t.State)
	})
}
