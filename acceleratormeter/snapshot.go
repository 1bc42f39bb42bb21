package acceleratormeter

import (
	"time"

	"github.com/once-only/oots/ledger"
)

// SnapshotState is draft, approved or published; only a published snapshot is
// numbered, chained and visible.
type SnapshotState string

const (
	Draft     SnapshotState = "draft"
	Approved  SnapshotState = "approved"
	Published SnapshotState = "published"
)

// Snapshot is the state of the whole board that people saw from PublishedAt on.
type Snapshot struct {
	Schema int           `json:"schema"` // 1; later fields are only added
	ID     string        `json:"id"`
	State  SnapshotState `json:"state"`
	// Sequence is 1, 2, 3 … without gaps; 0 until published.
	Sequence    int       `json:"sequence"`
	AsOf        time.Time `json:"as_of"` // facts recorded up to here were seen
	PublishedAt time.Time `json:"published_at,omitzero"`
	CriteriaSet string    `json:"criteria_set"`
	Catalogue   string    `json:"catalogue_version,omitempty"`
	Entries     []Entry   `json:"entries"` // all countries, in protocol order
	// Proposals are level changes that the snapshot does not make; they are for
	// the officers who decide, and left out when it is published.
	Proposals  []Proposal `json:"proposals,omitempty"`
	Supersedes int        `json:"supersedes,omitempty"` // sequence of the snapshot before
	Corrects   int        `json:"corrects,omitempty"`   // sequence of the snapshot that it repairs
	Note       string     `json:"note,omitempty"`
	Reason     string     `json:"reason,omitempty"` // of an unscheduled or correcting one
	Sample     bool       `json:"sample,omitempty"`

	DraftedBy   string `json:"drafted_by"` // owners of tokens: functions, not names
	ApprovedBy  string `json:"approved_by,omitempty"`
	PublishedBy string `json:"published_by,omitempty"`

	// ContentHash is the SHA-256 of the JSON document without ContentHash and
	// Signature, PreviousHash the ContentHash of the snapshot before, both in
	// lower-case hexadecimal. Signature is a signed note over the hash.
	PreviousHash string `json:"previous_hash,omitempty"`
	ContentHash  string `json:"content_hash,omitempty"`
	Signature    string `json:"signature,omitempty"`
}

// Entry is the row of one country in a snapshot.
type Entry struct {
	Member        string      `json:"member"`
	Group         Group       `json:"group"`
	Level         int         `json:"level"` // 0: not assessed
	Roles         RoleLevels  `json:"role_levels"`
	Since         time.Time   `json:"since,omitzero"` // as_of of the snapshot in which the level began
	PreviousLevel int         `json:"previous_level"`
	Movement      Movement    `json:"movement"`
	Basis         Basis       `json:"basis"`
	Decision      string      `json:"decision,omitempty"` // fact id of the override, the freeze or the confirmed demotion
	Reason        string      `json:"reason,omitempty"`   // of an override; that of a freeze is confidential
	Breadth       Breadth     `json:"breadth"`
	Milestones    []Milestone `json:"milestones,omitempty"`
	Missing       []string    `json:"missing,omitempty"` // criteria that the level before lacks, when moved down
	Proof         []Proof     `json:"proof,omitempty"`   // of the role that carries the level
}

// RoleLevels are the two role levels beside the headline.
type RoleLevels struct {
	Requester int `json:"requester"`
	Provider  int `json:"provider"`
}

// Proof names the facts that carried a criterion when the snapshot was drafted.
type Proof struct {
	Criterion string      `json:"criterion"`
	Role      ledger.Role `json:"role"`
	Facts     []string    `json:"facts"`
}

// Movement since the snapshot before.
type Movement string

const (
	MovedUp   Movement = "up"
	Stayed    Movement = "same"
	MovedDown Movement = "down"
	Entered   Movement = "new"
)

// Basis says what an entry rests on.
type Basis string

const (
	Computed    Basis = "computed"
	ByDecision  Basis = "decision"
	Frozen      Basis = "frozen"
	Documentary Basis = "documentary" // typed by hand from a source, for history
)

// Proposal is a difference between the computed and the published level that
// needs a decision: a level is never lost automatically, and a promotion may be
// held by the country.
type Proposal struct {
	Member    string    `json:"member"`
	Published int       `json:"published"`
	Computed  int       `json:"computed"`
	Why       Why       `json:"why"`
	Missing   []string  `json:"missing,omitempty"`  // criteria that the published level lacks
	AnswerBy  time.Time `json:"answer_by,omitzero"` // a demotion: 15 working days
}

// Why a proposal was not carried out.
type Why string

const (
	Held       Why = "held"       // promotion held by a decision
	Demotion   Why = "demotion"   // waits for a confirmation
	Kept       Why = "kept"       // activity lapsed; level 5 or 6 stays, its milestone is dormant
	FrozenWhy  Why = "frozen"     //
	Overridden Why = "overridden" //
)

// Move is a country's change of level between two snapshots.
type Move struct {
	Member   string    `json:"member"`
	From     int       `json:"from"`
	To       int       `json:"to"`
	Sequence int       `json:"sequence"` // of the snapshot that shows it first
	At       time.Time `json:"at"`       // its as_of
	Basis    Basis     `json:"basis"`
	Reason   string    `json:"reason,omitempty"`
	Criteria []string  `json:"criteria"` // of the levels gained (up), or missing (down)
	Facts    []string  `json:"facts"`    // that carry them, or the decision (down)
	Sample   bool      `json:"sample,omitempty"`
}
