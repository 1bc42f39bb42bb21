package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"net/http"
	"testing"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
)

// testNow is the instant of every test: twelve quarters have ended before it.
var testNow = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// facts lets the meter read the ledger.
type facts struct{ *ledger.Ledger }

func (f facts) Since(ctx context.Context, from int64) iter.Seq2[ledger.Fact, error] {
	return func(yield func(ledger.Fact, error) bool) {
		for e, err := range f.Facts(ctx, ledger.Filter{From: from}) {
			if !yield(e.Fact, err) {
				return
			}
		}
	}
}

// newConfig is a site with thirty countries and twelve snapshots.
func newConfig(t testing.TB) Config {
	t.Helper()
	now := func() time.Time { return testNow }
	private, err := ledger.NewKey(rand.Reader, "meter.example")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New(ledger.Config{Store: &ledger.Memory{}, Key: key, Now: now})
	store := &am.Memory{}
	m, err := am.New(am.Config{Facts: facts{l}, Store: store, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for i, c := range am.Countries() {
		if c.Code == "NO" {
			continue
		}
		at := time.Date(2024, 1, 1+i%28, 9, 0, 0, 0, time.UTC)
		_, err := l.AppendHistory(ctx, ledger.Fact{ID: "nomination-" + c.Code, Kind: ledger.Nomination, Subject: ledger.Subject{Country: c.Code},
			Asserter: "ms:" + c.Code, HappenedAt: at, RecordedAt: at, Sample: true, Body: ledger.Body{Function: "coordinator"},
			Evidence: []ledger.Evidence{{SHA256: fmt.Sprintf("%064x", i), MediaType: "application/pdf", Size: 1234}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	levels := map[string]int{}
	for q := range 12 {
		as := time.Date(2024, time.Month(q*3+4), 1, 0, 0, 0, 0, time.UTC).Add(-time.Hour)
		if as.After(testNow) {
			as = testNow.Add(-24 * time.Hour)
		}
		s := am.Snapshot{Schema: 1, ID: fmt.Sprint("s", q), State: am.Draft, AsOf: as, CriteriaSet: "AM-1", Sample: true, DraftedBy: "operator/1"}
		for i, c := range am.Countries() {
			old := levels[c.Code]
			level := min(6, 1+(q*(i%5+3)+i)/11)
			if c.Code == "NO" {
				level = 0
			}
			if c.Code == "DK" && q == 8 {
				level--
			}
			levels[c.Code] = level
			e := am.Entry{Member: c.Code, Group: c.Group, Level: level, PreviousLevel: old, Since: as, Basis: am.Computed,
				Roles: am.RoleLevels{Requester: level, Provider: max(0, level-1)}}
			if level > 0 {
				e.Proof = []am.Proof{{Criterion: "AM1.1", Facts: []string{"nomination-" + c.Code}}}
			}
			if c.Code == "FI" {
				e.Basis, e.Reason = am.ByDecision, "A reason of the sample."
			}
			s.Entries = append(s.Entries, e)
		}
		if err := store.Create(ctx, s); err != nil {
			t.Fatal(err)
		}
		if err := store.Approve(ctx, s.ID, "operator/2"); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Publish(ctx, s.ID, func(x am.Snapshot, latest *am.Snapshot) (am.Snapshot, error) {
			x.State, x.Sequence, x.PublishedAt, x.PublishedBy, x.ContentHash = am.Published, q+1, as.Add(time.Minute), "operator/3", fmt.Sprint("hash", q)
			if latest != nil {
				x.PreviousHash = latest.ContentHash
			}
			return x, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	return Config{Ports: Ports{Meter: m, Ledger: l, Requests: &RequestsFile{Path: t.TempDir() + "/corrections.jsonl"}},
		BaseURL: "http://meter.example", Board: am.BoardEUEEA, Sample: true, Now: now}
}

func newSite(t testing.TB) http.Handler {
	t.Helper()
	h, err := New(newConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	return h
}
