package sample

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
)

// publicFacts are the dated public facts: events, figures and legal dates with
// their sources. They are real, name no level and are no sample data.
//
//go:embed public-facts.jsonl
var publicFacts []byte

// PublicFacts is the facts file of the dated public facts (JSON Lines).
func PublicFacts() []byte { return bytes.Clone(publicFacts) }

// leaveOut drops the facts about some countries, and what points at them.
func leaveOut(facts []ledger.Fact, countries []string) []ledger.Fact {
	gone := map[string]bool{}
	return slices.DeleteFunc(facts, func(f ledger.Fact) bool {
		out := slices.Contains(countries, f.Subject.Country) || f.PointsAt != "" && gone[f.PointsAt]
		gone[f.ID] = out
		return out
	})
}

// Load fills a fresh store: the public facts, the invented history and its
// quarterly snapshots, drafted, approved and published by three invented
// functions. A store that has snapshots already is left as it is. The meter's
// Store, Signer and Verify come from cfg; its clock is set back while history is
// written. Countries named in without have no invented facts.
func Load(ctx context.Context, l *ledger.Ledger, cfg acceleratormeter.Config, now time.Time, without ...string) error {
	_, err := cfg.Store.Latest(ctx, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	var none *acceleratormeter.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &none) || none.Code != acceleratormeter.BeforeFirst:
		return err
	}
	if _, err := l.Import(ctx, bytes.NewReader(publicFacts), ledger.ImportOptions{}); err != nil {
		return fmt.Errorf("sample: public facts: %w", err)
	}
	facts, snapshots := History(now)
	facts = leaveOut(facts, without)
	if _, err := l.AppendHistory(ctx, facts...); err != nil {
		return fmt.Errorf("sample: history: %w", err)
	}
	if cfg.Verify != nil {
		if err := cfg.Verify(ctx); err != nil {
			return err
		}
	}
	// The whole ledger was verified just now and nothing is appended below.
	cfg.Verify = func(context.Context) error { return nil }
	cfg.Facts = l
	var clock time.Time
	cfg.Now = func() time.Time { return clock }
	meter, err := acceleratormeter.New(cfg)
	if err != nil {
		return err
	}
	for i, at := range snapshots {
		clock = at
		s, err := meter.Draft(ctx, acceleratormeter.DraftOrder{
			By: "sample-drafter", AsOf: at, Reason: "Quarterly snapshot of the sample history",
			Note: fmt.Sprintf("Sample data, quarter %d of %d. Nothing on this board is a statement about a country.", i+1, len(snapshots)),
		})
		if err != nil {
			return err
		}
		if _, err := meter.Approve(ctx, s.ID, "sample-approver"); err != nil {
			return err
		}
		if _, err := meter.Publish(ctx, s.ID, "sample-publisher"); err != nil {
			return err
		}
	}
	return nil
}
