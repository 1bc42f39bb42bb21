package acceleratormeter

import (
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
)

// Events are the public facts that had happened, or were recorded, by an
// instant; newest first.
func (e *Engine) Events(at time.Time) []Event {
	var out []Event
	for i := range e.events {
		f := e.told(&e.events[i], at)
		if f == nil || f.HappenedAt.After(at) && f.RecordedAt.After(at) {
			continue
		}
		b := &f.Body
		v := Event{
			Fact: f.ID, ID: b.Event, Sort: Notice, Title: b.Title, At: f.HappenedAt, Ends: b.Ends, Place: b.Place,
			Theme: b.Theme, Source: b.Source, URL: b.URL, Claim: b.Claim, Totals: b.Totals, Countries: b.Taking,
			Note: b.Note, Sample: f.Sample,
		}
		if v.URL == "" {
			v.URL = b.Link
		}
		switch {
		case b.Event != "":
			v.Sort = TestEvent
		case len(b.Totals) > 0:
			v.Sort = Totals
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b Event) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(a.Fact, b.Fact)
	})
	return out
}

// told is a public event as it stands: itself, its latest correction, or nil
// when it was withdrawn.
func (e *Engine) told(f *ledger.Fact, at time.Time) *ledger.Fact {
	now := at.UnixMicro()
	commission := func(by string) bool { return ledger.PartyClass(by) == "commission" }
	for i := range e.taken[f.ID] {
		t := &e.taken[f.ID][i]
		who := e.words.text[t.asserter]
		if t.kind == withdrawal && t.recorded <= now && (who == f.Asserter || commission(who)) {
			return nil
		}
	}
	last := f
	for i := range e.retold[f.ID] {
		c := &e.retold[f.ID][i]
		if c.RecordedAt.After(at) || c.Asserter != f.Asserter && !commission(c.Asserter) {
			continue
		}
		if e.withdrawn(&rec{id: c.ID, asserter: e.words.find(c.Asserter)}, now) {
			continue
		}
		if last == f || c.RecordedAt.After(last.RecordedAt) || c.RecordedAt.Equal(last.RecordedAt) && c.ID > last.ID {
			last = c
		}
	}
	return last
}

// Statistics are the published figures of Events, one each.
func Statistics(events []Event) []Statistic {
	var out []Statistic
	for _, v := range events {
		keys := make([]string, 0, len(v.Totals))
		for k := range v.Totals {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			out = append(out, Statistic{v.Fact, k, v.Totals[k], v.At, v.ID, v.Title, v.Source, v.Claim, v.Sample})
		}
	}
	return out
}
