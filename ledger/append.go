package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// batch is how many facts go to the store at a time.
const batch = 500

// incoming is a fact on its way in.
type incoming struct {
	Fact Fact
	Line int // in a facts file; 0: none
}

// append takes facts in, all or none, in one transaction.
func (l *Ledger) append(ctx context.Context, history bool, facts iter.Seq2[*incoming, error]) (Receipt, error) {
	var done Receipt
	err := l.store.Update(ctx, func(tx Tx) error {
		done = Receipt{}
		a, err := l.begin(ctx, tx, history)
		if err != nil {
			return err
		}
		for in, err := range facts {
			if err != nil {
				return err
			}
			a.waiting = append(a.waiting, *in)
			if len(a.waiting) == batch {
				if err := a.flush(ctx); err != nil {
					return err
				}
			}
		}
		if err := a.flush(ctx); err != nil {
			return err
		}
		done = Receipt{Added: a.added, Known: a.known, Size: a.tree.size}
		if a.added == 0 {
			return nil
		}
		return a.finish(ctx, l.key)
	})
	if err != nil {
		if r := refusalOf(err); r != nil {
			return Receipt{}, r
		}
		var broken *Broken
		if errors.As(err, &broken) {
			return Receipt{}, broken
		}
		return Receipt{}, fmt.Errorf("ledger: appending facts: %w", err)
	}
	return done, nil
}

// appending is one append under way.
type appending struct {
	tx      Tx
	history bool
	ledger  *Ledger
	tree    *growing
	waiting []incoming
	rows    []Row
	leaf    []byte

	added, known int
}

func (l *Ledger) begin(ctx context.Context, tx Tx, history bool) (*appending, error) {
	head, err := tx.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.trust(head); err != nil {
		return nil, err
	}
	tree, err := grow(ctx, tx, head)
	if err != nil {
		return nil, err
	}
	return &appending{tx: tx, history: history, ledger: l, tree: tree}, nil
}

// trust refuses a head that the ledger's key did not sign: what is appended to
// it would be signed, and with it everything before.
func (l *Ledger) trust(h Head) error {
	if l.key == nil || h.Size == 0 {
		return nil
	}
	if good := l.good.Load(); good != nil && bytes.Equal(*good, h.Note) {
		return nil
	}
	if why := unsigned(h, l.key.verifier); why != "" {
		return &Broken{Position: -1, Reason: why}
	}
	l.good.Store(&h.Note)
	return nil
}

// flush judges the waiting facts and gives them to the store.
func (a *appending) flush(ctx context.Context) error {
	if len(a.waiting) == 0 {
		return nil
	}
	now := Milli(a.ledger.now())
	ids := make([]string, 0, len(a.waiting))
	for i := range a.waiting {
		f := &a.waiting[i].Fact
		ids = append(ids, f.ID)
		if f.PointsAt != "" {
			ids = append(ids, f.PointsAt)
		}
	}
	slices.Sort(ids)
	there, err := a.tx.Find(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	a.rows = a.rows[:0]
	for i := range a.waiting {
		in := &a.waiting[i]
		f := &in.Fact
		if known, ok := there[f.ID]; ok {
			if r := a.same(f, &known); r != nil {
				return r.at(f, in.Line)
			}
			a.known++
			continue
		}
		if f.RecordedAt.IsZero() {
			f.RecordedAt = now
		} else if !a.history {
			return (&Refusal{Field: "recorded_at", Reason: "is set by the ledger; leave it out"}).at(f, in.Line)
		} else if f.RecordedAt.After(now) {
			return (&Refusal{Field: "recorded_at", Reason: "lies in the future; the ledger's clock says " + stamp(now)}).at(f, in.Line)
		}
		r, err := judge(f, there)
		if err != nil {
			return err
		}
		if r != nil {
			return r.at(f, in.Line)
		}
		leaf := AppendLine(make([]byte, 0, 512), f)
		if len(leaf) > MaxLine {
			return (&Refusal{Reason: fmt.Sprintf("is %d octets long; the most are %d", len(leaf), MaxLine)}).at(f, in.Line)
		}
		row := Row{
			Position: a.tree.size, ID: f.ID, Kind: f.Kind, Country: f.Subject.Country,
			RecordedAt: f.RecordedAt.UnixMilli(), Leaf: leaf,
		}
		a.tree.add(leaf)
		a.rows = append(a.rows, row)
		there[f.ID] = row
	}
	a.waiting = a.waiting[:0]
	if len(a.rows) == 0 {
		return nil
	}
	a.added += len(a.rows)
	if err := a.tx.Append(ctx, a.rows); err != nil {
		return err
	}
	return a.tree.flush(ctx, a.tx, false)
}

// same refuses a fact whose id is known with other content. A fact that does
// not say when it was recorded is compared without that.
func (a *appending) same(f *Fact, known *Row) *Refusal {
	g := *f
	if g.RecordedAt.IsZero() || !a.history {
		old, err := DecodeLine(known.Leaf)
		if err != nil {
			return refusalOf(err)
		}
		g.RecordedAt = old.RecordedAt
	}
	a.leaf = AppendLine(a.leaf[:0], &g)
	if bytes.Equal(a.leaf, known.Leaf) {
		return nil
	}
	return &Refusal{Field: "id", Reason: fmt.Sprintf("%q is in the ledger already, with other content; nothing is ever changed: append a correction that points at it", f.ID)}
}

// judge checks a fact by itself and against the fact it points at.
func judge(f *Fact, there map[string]Row) (*Refusal, error) {
	rule := RuleOf(f.Kind)
	if f.PointsAt == "" || rule == nil {
		return check(f, rule), nil
	}
	if r := check(f, rule); r != nil {
		return r, nil
	}
	row, ok := there[f.PointsAt]
	if !ok {
		return &Refusal{Field: "points_at", Reason: fmt.Sprintf("no fact %q is in the ledger; the fact that is spoken about comes first", f.PointsAt)}, nil
	}
	target, err := DecodeLine(row.Leaf)
	if err != nil {
		return nil, &Broken{Position: row.Position, ID: row.ID, Reason: "is no fact any more: " + err.Error()}
	}
	return checkPointing(f, &target), nil
}

// checkPointing judges a fact against the one it points at.
func checkPointing(f, target *Fact) *Refusal {
	theirs := RuleOf(target.Kind)
	if theirs == nil {
		return &Refusal{Field: "points_at", Reason: fmt.Sprintf("points at a %q, which is no kind of fact", target.Kind)}
	}
	if f.Subject.Country != target.Subject.Country {
		return &Refusal{Field: "subject.country", Reason: fmt.Sprintf("is %q, but the fact it points at is about %q", f.Subject.Country, target.Subject.Country)}
	}
	switch f.Kind {
	case Verdict:
		if !slices.Contains(theirs.Verifiers, PartyClass(f.Asserter)) {
			who := "nobody does"
			if len(theirs.Verifiers) > 0 {
				who = oneOf(theirs.Verifiers) + " may"
			}
			return &Refusal{Field: "asserter", Reason: fmt.Sprintf("%q may not verify a %s; %s", f.Asserter, target.Kind, who)}
		}
		if f.Asserter == target.Asserter && f.Asserter != "platform" {
			return &Refusal{Field: "asserter", Reason: "asserted the fact; nobody verifies what they said themselves"}
		}
	case Withdrawal, Correction:
		if f.Asserter != target.Asserter && PartyClass(f.Asserter) != "commission" {
			return &Refusal{Field: "asserter", Reason: fmt.Sprintf("%q did not assert the fact; %q or the Commission takes it back or corrects it", f.Asserter, target.Asserter)}
		}
		if f.Kind == Withdrawal {
			break
		}
		if target.Kind == Correction || target.Kind == Withdrawal {
			return &Refusal{Field: "points_at", Reason: fmt.Sprintf("points at a %s; a correction points at the first fact, also when that was corrected before", target.Kind)}
		}
		return check(f, correcting(theirs))
	case Blocker, Incident:
		if target.Kind != f.Kind {
			return &Refusal{Field: "points_at", Reason: fmt.Sprintf("points at a %s; a %s points at the %s that it closes", target.Kind, f.Kind, f.Kind)}
		}
	}
	return nil
}

// correcting is the rule of a kind as a correction has to keep it: the
// asserter is judged apart.
func correcting(r *Rule) *Rule {
	c := *r
	c.Asserters = nil
	return &c
}
