package acceleratormeter

import (
	"context"
	"iter"
	"time"

	"github.com/once-only/oots/ledger"
)

// Facts is where the meter reads the ledger from; *ledger.Ledger is one.
type Facts interface {
	Facts(ctx context.Context, f ledger.Filter) iter.Seq2[ledger.Entry, error]
}

// Store keeps snapshots. Every method is atomic and durable when it returns; a
// published snapshot never changes.
type Store interface {
	// Create adds a draft; its id must be new.
	Create(ctx context.Context, s Snapshot) error
	// Get finds a snapshot by id, in any state, or an *Error UnknownSnapshot.
	Get(ctx context.Context, id string) (Snapshot, error)
	// Approve moves a draft to approved, if and only if it still is a draft.
	Approve(ctx context.Context, id, by string) error
	// Publish moves an approved snapshot to published in one transaction: seal
	// gets the approved snapshot and the latest published one (nil if none) and
	// returns the numbered, chained and signed document.
	Publish(ctx context.Context, id string, seal func(approved Snapshot, latest *Snapshot) (Snapshot, error)) (Snapshot, error)

	// Latest is the published snapshot with the highest sequence among those
	// published at or before an instant; *Error BeforeFirst if there is none.
	Latest(ctx context.Context, at time.Time) (Snapshot, error)
	// Sequence finds a published snapshot by its number.
	Sequence(ctx context.Context, n int) (Snapshot, error)
	// All are the published snapshots, in order.
	All(ctx context.Context) ([]Snapshot, error)
	// Open are the drafts and approved snapshots, oldest first.
	Open(ctx context.Context) ([]Snapshot, error)
}
