package exchange

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
)

// SmallNumber is the fewest requests with one partner in a month that are told
// by themselves: what is rarer is told together, for it could lead to a person.
const SmallNumber = 5

// counted are the requests of a month and how many of them were answered.
type counted struct{ sent, answered int }

func (c *counted) add(o *counted) { c.sent, c.answered = c.sent+o.sent, c.answered+o.answered }

// AttestMonth is the monthly aggregate of a side of the node ("2026-03"): how
// many requests it sent or received and how many of them were answered, one
// statement for each partner country with SmallNumber of them or more, and one
// without a partner for all others together. When those are fewer than
// SmallNumber too, the statement says so instead of a number. Real users are
// counted without system checks. There is a statement for a month of nothing: the
// duty is to report. A month that is not over is told as far as it has come,
// under an id of its own.
func (l *Log) AttestMonth(ctx context.Context, a Attester, side, month string) ([]*Attestation, error) {
	from, err := time.Parse("2006-01", month)
	if err != nil {
		return nil, &Error{Reason: BadWish, Detail: "a month is written 2026-03"}
	}
	counts, err := l.countMonth(ctx, a, side, from)
	if err != nil {
		return nil, err
	}
	rest := &counted{}
	var all []*Attestation
	for partner, c := range counts {
		if c.sent < SmallNumber || partner == "" {
			rest.add(c)
			continue
		}
		signed, err := a.month(side, partner, from, l.Now().Add(-a.Ahead), c)
		if err != nil {
			return nil, err
		}
		all = append(all, signed)
	}
	if rest.sent > 0 || len(all) == 0 {
		signed, err := a.month(side, "", from, l.Now().Add(-a.Ahead), rest)
		if err != nil {
			return nil, err
		}
		all = append(all, signed)
	}
	slices.SortFunc(all, func(a, b *Attestation) int { return strings.Compare(a.Fact.ID, b.Fact.ID) })
	return all, nil
}

// month is one statement of the aggregate.
func (a Attester) month(side, partner string, from, now time.Time, c *counted) (*Attestation, error) {
	month := from.Format("2006-01")
	id := []string{"attestation", side, month, ledger.PartyCountry(a.Party), partner}
	if partner == "" {
		id[4] = "others"
	}
	f := a.fact(strings.Join(id, ":"), side, partner)
	f.HappenedAt = from.AddDate(0, 1, 0)
	if now.Before(f.HappenedAt) {
		f.HappenedAt = now.UTC().Truncate(time.Minute)
		f.ID += ":until-" + f.HappenedAt.Format("20060102T1504")
	}
	f.Body.Period, f.Body.RealUser = month, a.RealUser
	if partner == "" && c.sent > 0 && c.sent < SmallNumber {
		f.Body.Note = fmt.Sprintf("fewer than %d requests", SmallNumber)
	} else {
		f.Body.Sent, f.Body.Answered = c.sent, c.answered
	}
	return a.sign(f)
}

// countMonth counts a side's requests by partner country. An answer counts for
// the month of its request, also when it came in the next one.
func (l *Log) countMonth(ctx context.Context, a Attester, side string, from time.Time) (map[string]*counted, error) {
	counts := map[string]*counted{}
	open := map[string]string{} // request, partner
	end := from.AddDate(0, 1, 0)
	err := l.Store.Each(ctx, logKind, from, end.Add(lateAnswer), func(r Row) error {
		var e Entry
		if err := l.openJSON(r.Kind+"/"+r.ID, r.Body, &e); err != nil || e.Side != side {
			return err
		}
		switch e.Event {
		case RequestSent, RequestReceived:
			if !e.At.Before(end) || !a.covers(&e) || a.RealUser && e.Procedure == systemCheck {
				return nil
			}
			if counts[e.Country] == nil {
				counts[e.Country] = &counted{}
			}
			counts[e.Country].sent++
			open[bare(e.Request)] = e.Country
		case AnswerSent, AnswerReceived:
			if partner, ok := open[bare(e.Request)]; ok {
				counts[partner].answered++
				delete(open, bare(e.Request))
			}
		}
		return nil
	})
	return counts, err
}

// lateAnswer is how long after the end of a month its last answers come: longer
// than every clock.
const lateAnswer = 24 * time.Hour
