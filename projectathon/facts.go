package projectathon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
)

// Told are all facts of a test, in the order in which they came to be: what
// each side reports when the test is over, then each verdict that counts. Ids
// follow from the test, so that telling twice adds nothing.
func Told(t *PeerTest, e Event) []ledger.Fact {
	var out []ledger.Fact
	if t.Ended.IsZero() || t.State == Aborted {
		return nil
	}
	for i, side := range t.Sides {
		f := ledger.Fact{ID: "peer:" + t.ID + ":" + side.System, Kind: ledger.PeerTest, Subject: subject(t, i), Asserter: "team:" + side.Country + "/" + side.System,
			Environment: ledger.Projectathon, Specification: t.Line, HappenedAt: t.Ended, Sample: e.Sample,
			Body: ledger.Body{Case: t.Case, Outcome: "pass", Mode: t.Mode, Catalogue: t.Catalogue, Event: e.ID}}
		for _, it := range t.Evidence {
			if len(f.Evidence) < 20 && (it.Country == side.Country || it.Confidentiality != "own") && it.At.Compare(t.Ended) <= 0 {
				f.Evidence = append(f.Evidence, ledger.Evidence{SHA256: it.SHA256, MediaType: it.MediaType, Size: it.Size, Confidentiality: it.Confidentiality})
			}
		}
		out = append(out, f)
	}
	if t.SecondLook || t.State == Disputed && slices.ContainsFunc(t.Verdicts, func(v Verdict) bool { return v.Second }) {
		return out // the verdicts do not count before another monitor agrees
	}
	for n, v := range t.Verdicts {
		i := slices.IndexFunc(t.Sides, func(s Side) bool { return s.System == v.System })
		if i < 0 || v.Second || t.overruled(n) {
			continue
		}
		f := ledger.Fact{ID: fmt.Sprintf("verdict:%s:%s:%d", t.ID, v.System, n), Kind: ledger.Verdict, Subject: subject(t, i), Asserter: v.Monitor,
			PointsAt: out[i].ID, HappenedAt: v.At, Sample: e.Sample, Body: ledger.Body{Outcome: string(v.Outcome), Case: t.Case, Event: e.ID}}
		for _, fail := range v.Failing {
			if !slices.Contains(f.Body.Causes, string(fail.Cause)) {
				f.Body.Causes = append(f.Body.Causes, string(fail.Cause))
			}
		}
		slices.Sort(f.Body.Causes)
		if j := slices.IndexFunc(t.Verdicts[n:], func(w Verdict) bool { return w.Second && w.System == v.System && w.Outcome == v.Outcome }); j >= 0 {
			f.Verifier = t.Verdicts[n+j].Monitor
		}
		out = append(out, f)
	}
	return out
}

// overruled tells whether a first verdict was never told because a second look
// disagreed and a third monitor gave new ones.
func (p *PeerTest) overruled(n int) bool {
	v := p.Verdicts[n]
	second := slices.IndexFunc(p.Verdicts, func(w Verdict) bool { return w.Second })
	if second < 0 || n > second || p.State != Regraded {
		return false
	}
	return slices.ContainsFunc(p.Verdicts[second:], func(w Verdict) bool { return w.Second && w.Outcome != v.Outcome })
}

func subject(t *PeerTest, i int) ledger.Subject {
	s := t.Sides[i]
	partner := t.Sides[0].Country
	if i == 0 {
		partner = t.Sides[1].Country
	}
	return ledger.Subject{Country: s.Country, Role: ledger.Role(s.Role), System: s.System, Partner: partner}
}

// told hands what is owed to the ledger after a change. A ledger that cannot
// take it now gets it from Settle: the change itself is safe.
func (s *Service) told(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	if _, err := s.Settle(ctx); err != nil {
		s.Log.Error("facts are owed to the ledger", "err", err)
	}
	return nil
}

// settledAtOnce is how many tests are told together.
const settledAtOnce = 200

// Settle appends every fact that is owed and returns how many were new. It is
// safe to run at any time and by several processes. A test whose facts the
// ledger refuses keeps no other from being told.
func (s *Service) Settle(ctx context.Context) (added int, err error) {
	for {
		owed, err := s.Store.Owed(ctx, settledAtOnce)
		if err != nil || len(owed) == 0 {
			return added, err
		}
		n, err := s.settle(ctx, owed)
		if added += n; err == nil {
			continue
		}
		if len(owed) == 1 || ctx.Err() != nil {
			return added, err
		}
		var refused error
		for _, r := range owed {
			n, err := s.settle(ctx, []Record{r})
			if added += n; err != nil {
				refused = errors.Join(refused, fmt.Errorf("test %s: %w", r.ID, err))
			}
		}
		if refused != nil {
			return added, refused
		}
	}
}

// settle tells the ledger what some tests owe, all together.
func (s *Service) settle(ctx context.Context, owed []Record) (added int, err error) {
	var facts []ledger.Fact
	var ids []string
	told := map[string]int{}
	events := map[string]Event{}
	for _, r := range owed {
		k, err := read[PeerTest](r)
		if err != nil {
			return 0, err
		}
		e, ok := events[k.Event]
		if !ok {
			if e, err = s.Event(ctx, k.Event); err != nil {
				return 0, err
			}
			events[k.Event] = e
		}
		all := Told(&k.Value, e)
		facts = append(facts, all[min(k.Value.Told, len(all)):]...)
		ids, told[r.ID] = append(ids, r.ID), len(all)
	}
	if len(facts) > 0 {
		done, err := s.Facts.Append(ctx, facts...)
		if err != nil {
			return 0, err
		}
		added = done.Added
	}
	return added, s.changeAll(ctx, Platform, TakePart, "told the ledger", ids, func(t *PeerTest) error {
		t.Told = max(t.Told, told[t.ID])
		return nil
	})
}

// Publish tells the public that a reported event took place, with its totals
// and the countries that took part; once, however often it is called.
func (s *Service) Publish(ctx context.Context, who Account, event string) error {
	if err := who.May(ManageEvent); err != nil {
		return err
	}
	r, err := s.Report(ctx, event)
	if err != nil {
		return err
	}
	if r.Event.State != Reported {
		return fmt.Errorf("the event is %s; it is published when it is %s", r.Event.State, Reported)
	}
	began := r.Event.Since[Live]
	if !r.Event.Starts.IsZero() {
		began = r.Event.Starts
	}
	ends := r.Event.Ends
	if ends.IsZero() {
		ends = r.Event.Since[Grading]
	}
	if ends.Before(began) {
		ends = time.Time{}
	}
	c := r.Counts
	_, err = s.Facts.Append(ctx, ledger.Fact{ID: idOf("event", r.Event.ID), Kind: ledger.PublicEvent, Asserter: "operator", HappenedAt: began, Sample: r.Event.Sample,
		Body: ledger.Body{Title: r.Event.Name, Source: "test platform of this site", Event: r.Event.ID, Theme: r.Event.Theme, Ends: ends, Taking: r.Countries,
			Totals: map[string]int{"systems": c.Accepted, "tests_completed": c.Completed, "tests_verified": c.Verified, "tests_partly_verified": c.Partly, "tests_failed": c.Fail, "pairs_tested": c.Pairs}}})
	return err
}

// Run settles what is owed until ctx ends; a ledger that was away is asked
// again after a while. Once an hour it ends what has expired.
func (s *Service) Run(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(cmp.Or(every, 10*time.Second))
	defer tick.Stop()
	var swept time.Time
	for {
		if _, err := s.Settle(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("facts are owed to the ledger", "err", err)
		}
		if now := s.Now(); now.Sub(swept) >= time.Hour {
			swept = now
			if _, err := s.Expire(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("what has expired cannot be ended", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// idOf joins parts to a fact's id.
func idOf(parts ...string) string { return strings.Join(parts, ":") }
