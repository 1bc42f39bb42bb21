package acceleratormeter

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// DraftOrder asks for a new draft.
type DraftOrder struct {
	By   string    // owner of the token
	AsOf time.Time // zero: now
	Set  string    // empty: the official one
	Note string    // shown to the public
	// Reason is needed for an unscheduled snapshot (see Scheduled).
	Reason string
	// Corrects is the sequence of the snapshot that this one repairs; then a
	// reason is needed too.
	Corrects int
}

// Draft computes a draft from the facts and the decisions in force.
func (m *Meter) Draft(ctx context.Context, o DraftOrder) (Snapshot, error) {
	if o.By == "" {
		return Snapshot{}, nobody("drafts")
	}
	c, err := m.set(o.Set)
	if err != nil {
		return Snapshot{}, err
	}
	if err := m.Refresh(ctx); err != nil {
		return Snapshot{}, err
	}
	if o.Corrects != 0 {
		if _, err := m.Snapshot(ctx, o.Corrects); err != nil {
			return Snapshot{}, err
		}
		if o.Reason == "" {
			return Snapshot{}, &Error{Code: ReasonNeeded, Found: "a correction needs a reason", Hint: "say what was wrong"}
		}
	}
	at := m.or(o.AsOf).UTC().Truncate(time.Millisecond)
	if at.After(m.cfg.Now()) {
		return Snapshot{}, &Error{Code: BadDate, Found: at.Format(time.RFC3339), Hint: "a snapshot cannot show the future"}
	}
	if o.Reason == "" && !scheduled(at, m.Events(at)) {
		return Snapshot{}, &Error{Code: ReasonNeeded,
			Found: at.Format(time.DateOnly) + " is neither the first Tuesday of a month nor within three weeks after an event",
			Hint:  "give a reason for an unscheduled snapshot, or wait until " + Scheduled(at).Format(time.DateOnly)}
	}
	published, err := m.cfg.Store.All(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{
		Schema: 1, ID: m.cfg.NewID(), State: Draft, AsOf: at, CriteriaSet: c.ID, Catalogue: m.cfg.Catalogue,
		Corrects: o.Corrects, Note: o.Note, Reason: o.Reason, DraftedBy: o.By,
	}
	if n := len(published); n > 0 {
		latest := &published[n-1]
		s.Supersedes = latest.Sequence
		if at.Before(latest.AsOf) {
			return Snapshot{}, outdated(latest)
		}
	}
	m.fill(&s, &c, published)
	return s, m.cfg.Store.Create(ctx, s)
}

// fill computes the entries; published are all snapshots before, oldest first.
func (m *Meter) fill(s *Snapshot, c *Criteria, published []Snapshot) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for i, country := range countries {
		standing := m.engine.standing(c, i, s.AsOf)
		freeze, override, last := m.engine.rulings(i, s.AsOf)
		var prev *Entry
		used := 0
		for k := range published {
			prev = published[k].entry(country.Code)
			if prev != nil && override != nil && prev.Decision == override.fact {
				used++
			}
		}
		entry, proposal := propose(prev, &standing, freeze, override, last, used, s.AsOf)
		entry.Group = country.Group
		s.Entries = append(s.Entries, entry)
		s.Sample = s.Sample || standing.Sample
		if proposal != nil {
			s.Proposals = append(s.Proposals, *proposal)
		}
	}
}

// Proposals are what the last published snapshot did not do, until the next one.
// They are for the countries concerned and their reviewers, so that the public
// document lacks them: they are computed again as of its instant.
func (m *Meter) Proposals(ctx context.Context) ([]Proposal, error) {
	published, err := m.cfg.Store.All(ctx)
	if err != nil || len(published) == 0 {
		return nil, err
	}
	last := published[len(published)-1]
	c, err := m.set(last.CriteriaSet)
	if err != nil {
		return nil, err
	}
	s := Snapshot{AsOf: last.AsOf}
	m.fill(&s, &c, published[:len(published)-1])
	return s.Proposals, nil
}

func (s *Snapshot) entry(code string) *Entry {
	for i := range s.Entries {
		if s.Entries[i].Member == code {
			return &s.Entries[i]
		}
	}
	return nil
}

// Entry is the row of a country.
func (s *Snapshot) Entry(code string) (Entry, bool) {
	if e := s.entry(code); e != nil {
		return *e, true
	}
	return Entry{}, false
}

// Approve is the second person's step; the drafter is refused.
func (m *Meter) Approve(ctx context.Context, id, by string) (Snapshot, error) {
	if by == "" {
		return Snapshot{}, nobody("approves")
	}
	s, err := m.cfg.Store.Get(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	if s.State != Draft {
		return Snapshot{}, NotA(Draft, s)
	}
	if s.DraftedBy == by {
		return Snapshot{}, &Error{Code: SamePerson, Found: by + " drafted snapshot " + id, Hint: "a second person approves it"}
	}
	if err := m.cfg.Store.Approve(ctx, id, by); err != nil {
		return Snapshot{}, err
	}
	return m.cfg.Store.Get(ctx, id)
}

// Publish numbers, chains and signs an approved snapshot. It is refused to the
// person who approved it, over a ledger that does not verify, and when another
// snapshot was published since the draft.
func (m *Meter) Publish(ctx context.Context, id, by string) (Snapshot, error) {
	if by == "" {
		return Snapshot{}, nobody("publishes")
	}
	if m.cfg.Signer == nil || m.cfg.Verify == nil {
		return Snapshot{}, errors.New("meter: no signing key or no ledger check is configured; nothing can be published")
	}
	refuse := func(s *Snapshot) error {
		switch {
		case s.State != Approved:
			return NotA(Approved, *s)
		case s.ApprovedBy == by:
			return &Error{Code: SamePerson, Found: by + " approved snapshot " + id, Hint: "another person publishes it"}
		case s.ApprovedBy == s.DraftedBy:
			return &Error{Code: SamePerson, Found: by + " drafted and approved snapshot " + id, Hint: "draft it again"}
		}
		return nil
	}
	s, err := m.cfg.Store.Get(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	if err := refuse(&s); err != nil {
		return Snapshot{}, err
	}
	if err := m.cfg.Verify(ctx); err != nil {
		return Snapshot{}, &Error{Code: LedgerBroken, Found: "the ledger does not verify: " + err.Error(),
			Hint: "nothing is published over it; see oots facts verify", Cause: err}
	}
	return m.cfg.Store.Publish(ctx, id, func(s Snapshot, latest *Snapshot) (Snapshot, error) {
		if err := refuse(&s); err != nil {
			return Snapshot{}, err
		}
		if latest != nil && latest.Sequence != s.Supersedes {
			return Snapshot{}, outdated(latest)
		}
		s.PublishedBy, s.PublishedAt = by, m.cfg.Now().UTC().Truncate(time.Millisecond)
		if latest != nil && !s.PublishedAt.After(latest.PublishedAt) {
			s.PublishedAt = latest.PublishedAt.Add(time.Millisecond)
		}
		return seal(s, latest, m.cfg.Signer)
	})
}

// Get finds a snapshot by id or, if the text is a number, by its sequence.
func (m *Meter) Get(ctx context.Context, idOrSequence string) (Snapshot, error) {
	if n, err := strconv.Atoi(idOrSequence); err == nil {
		return m.Snapshot(ctx, n)
	}
	s, err := m.cfg.Store.Get(ctx, idOrSequence)
	return s, m.withNumbers(ctx, err)
}

// Open are the drafts and approved snapshots, oldest first.
func (m *Meter) Open(ctx context.Context) ([]Snapshot, error) { return m.cfg.Store.Open(ctx) }

func nobody(does string) error {
	return &Error{Code: NobodyNamed, Found: "nobody is named who " + does + " the snapshot", Hint: "use a token of your own"}
}

func outdated(latest *Snapshot) error {
	return &Error{Code: OutdatedSnapshot,
		Found: "snapshot " + strconv.Itoa(latest.Sequence) + " (as of " + latest.AsOf.Format(time.DateOnly) + ") was published in the meantime or shows a later day",
		Hint:  "draft a new one"}
}
