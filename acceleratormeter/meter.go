package acceleratormeter

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Config says where a Meter reads and writes.
type Config struct {
	Facts  Facts       // required
	Store  Store       // required
	Signer note.Signer // signs snapshots; required for Publish

	// Verify checks the whole ledger; Publish is refused when it fails.
	// Required for Publish.
	Verify func(context.Context) error

	Criteria string           // id of the official set; empty: AM-1
	Now      func() time.Time // optional; time.Now
	NewID    func() string    // optional; random
	Log      *slog.Logger     // optional; discards
}

// Meter answers where countries stand, now and then, and publishes snapshots.
// It is safe for concurrent use.
type Meter struct{ cfg Config }

var errNotYet = errors.New("acceleratormeter: being built")

// New makes a Meter; call Refresh before the first question.
func New(cfg Config) *Meter { return &Meter{cfg} }

// Refresh reads the facts that were appended since the last call.
func (m *Meter) Refresh(ctx context.Context) error { return errNotYet }

// Standings computes where every country stands: the view "recomputed", never to
// be mixed with what a snapshot displays. An empty set means the official one, a
// zero instant now.
func (m *Meter) Standings(set string, at time.Time) ([]Standing, error) { return nil, errNotYet }

// Standing is Standings for one country.
func (m *Meter) Standing(set, country string, at time.Time) (Standing, error) {
	return Standing{}, errNotYet
}

// Shadow computes two sets side by side and gives the countries that differ.
func (m *Meter) Shadow(set, other string, at time.Time) ([]Difference, error) { return nil, errNotYet }

// Pairs is the matrix of all ordered pairs at an instant (zero: now).
func (m *Meter) Pairs(at time.Time) Matrix { return Matrix{} }

// Events are the public facts known at an instant (zero: now), newest first.
func (m *Meter) Events(at time.Time) []Event { return nil }

// Statistics are the published figures known at an instant, newest first.
func (m *Meter) Statistics(at time.Time) []Statistic { return nil }

// Milestones are the first exchanges of all countries, newest first.
func (m *Meter) Milestones(at time.Time) []Milestone { return nil }

// Displayed is the snapshot that people saw at an instant (zero: now): the view
// "as displayed then". *Error BeforeFirst names the first date.
func (m *Meter) Displayed(ctx context.Context, at time.Time) (Snapshot, error) {
	return Snapshot{}, errNotYet
}

// Snapshot finds a published snapshot by its number.
func (m *Meter) Snapshot(ctx context.Context, sequence int) (Snapshot, error) {
	return Snapshot{}, errNotYet
}

// Snapshots are all published snapshots, oldest first.
func (m *Meter) Snapshots(ctx context.Context) ([]Snapshot, error) { return nil, errNotYet }

// Moves are the changes of level between two snapshots, in protocol order.
func Moves(from, to Snapshot) []Move { return nil }

// AllMoves are the moves between every two neighbouring snapshots, newest first.
func (m *Meter) AllMoves(ctx context.Context) ([]Move, error) { return nil, errNotYet }

// HistoryPoint is one country in one snapshot.
type HistoryPoint struct {
	Sequence    int       `json:"sequence"`
	AsOf        time.Time `json:"as_of"`
	PublishedAt time.Time `json:"published_at"`
	Entry
}

// History is one country through all published snapshots, oldest first.
func (m *Meter) History(ctx context.Context, country string) ([]HistoryPoint, error) {
	return nil, errNotYet
}

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
	return Snapshot{}, errNotYet
}

// Approve is the second person's step; the drafter is refused.
func (m *Meter) Approve(ctx context.Context, id, by string) (Snapshot, error) {
	return Snapshot{}, errNotYet
}

// Publish numbers, chains and signs; the approver is refused.
func (m *Meter) Publish(ctx context.Context, id, by string) (Snapshot, error) {
	return Snapshot{}, errNotYet
}

// Get finds a snapshot by id or, if the text is a number, by its sequence.
func (m *Meter) Get(ctx context.Context, idOrSequence string) (Snapshot, error) {
	return Snapshot{}, errNotYet
}

// Open are the drafts and approved snapshots.
func (m *Meter) Open(ctx context.Context) ([]Snapshot, error) { return nil, errNotYet }

// VerifySnapshots checks number, chain, hash and signature of all published
// snapshots.
func VerifySnapshots(list []Snapshot, keys note.Verifiers) error { return errNotYet }

// ParseInstant reads a date (its end, UTC), a quarter such as 2025-Q2 (the end
// of its last day) or an RFC 3339 time.
func ParseInstant(s string) (time.Time, error) { return time.Time{}, errNotYet }
