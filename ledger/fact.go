// Package ledger keeps what was proven, by whom, about whom and when.
//
// A Fact is typed, append-only and names who asserted and who verified it. A
// correction, a withdrawal or a verdict is a new fact that points at an old
// one. Every fact is a leaf of a Merkle tree with signed checkpoints, so that
// nothing can be changed or taken out unseen. The package judges no level (see
// acceleratormeter) and knows no database (see store).
package ledger

import "time"

// Fact is one entry of the ledger, and one line of a facts file (JSON Lines).
// Times are UTC; the zero time means "not given". A fact never holds personal
// data.
type Fact struct {
	// ID is chosen by the asserter and makes import idempotent: 1 to 128
	// characters of A–Z a–z 0–9 . _ : / and -.
	ID      string  `json:"id"`
	Kind    Kind    `json:"kind"`
	Subject Subject `json:"subject"`

	// Asserter and Verifier are parties: "platform", "commission", "operator",
	// "ms:AT" (a Member State), "team:AT/portal", "monitor:7f3a" … Verifier is
	// empty until the kind's own rule or a verdict fills the role.
	Asserter string `json:"asserter"`
	Verifier string `json:"verifier,omitempty"`

	Environment   Environment `json:"environment,omitempty"`
	Specification string      `json:"specification,omitempty"` // line on the wire, e.g. "oots-edm:v2.0"

	HappenedAt time.Time `json:"happened_at,omitzero"`
	// RecordedAt is set by the ledger when it appends; an import may carry it
	// for history. A level as of T sees only facts recorded up to T.
	RecordedAt time.Time `json:"recorded_at,omitzero"`
	ValidFrom  time.Time `json:"valid_from,omitzero"`  // zero: HappenedAt
	ValidUntil time.Time `json:"valid_until,omitzero"` // zero: the kind's default validity

	// PointsAt is the id of the fact that a verdict, withdrawal or correction
	// speaks about.
	PointsAt string     `json:"points_at,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"`
	Sample   bool       `json:"sample,omitempty"` // invented data
	Body     Body       `json:"body,omitzero"`
}

// Subject is what a fact is about. Country is required for every kind but
// public_event, where it may be empty.
type Subject struct {
	Country   string `json:"country,omitempty"` // OOTS code: EL, never GR
	Role      Role   `json:"role,omitempty"`
	System    string `json:"system,omitempty"`
	Component string `json:"component,omitempty"` // a code of Components
	Authority string `json:"authority,omitempty"`
	Partner   string `json:"partner,omitempty"` // the other country of a pair
}

// Role is the side of an exchange.
type Role string

const (
	Requester Role = "requester"
	Provider  Role = "provider"
)

// Evidence is a document behind a fact, known by its digest only.
type Evidence struct {
	SHA256          string `json:"sha256"` // 64 lower-case hexadecimal digits
	MediaType       string `json:"media_type"`
	Size            int64  `json:"size"`                      // octets
	Confidentiality string `json:"confidentiality,omitempty"` // public, shared, own; empty means own
}

// Environment is where a fact was observed (the OOTS environments).
type Environment string

const (
	Testing       Environment = "testing"
	Projectathon  Environment = "projectathon"
	Acceptance    Environment = "acceptance"
	Training      Environment = "training"
	UserAccept    Environment = "uat"
	ProductionEnv Environment = "production"
)

// Kind names what sort of fact it is; Kinds tells each one's fields.
type Kind string

const (
	Nomination             Kind = "nomination"
	Component              Kind = "component"
	Conformance            Kind = "conformance"
	PeerTest               Kind = "p2p"
	ReadinessCheck         Kind = "readiness_check"
	Probe                  Kind = "probe"
	DirectoryObservation   Kind = "directory_observation"
	AuthorityConnection    Kind = "authority_connection"
	TransactionAttestation Kind = "transaction_attestation"
	Blocker                Kind = "blocker"
	Incident               Kind = "incident"
	Decision               Kind = "decision"
	PublicationConsent     Kind = "publication_consent"
	PublicEvent            Kind = "public_event"
	Verdict                Kind = "verdict"
	Withdrawal             Kind = "withdrawal"
	Correction             Kind = "correction"
)

// Body holds the fields that belong to a kind. It is one flat struct so that a
// facts file, the JSON Schema and the criteria speak the same words; Kinds says
// which fields each kind requires and allows, and Check refuses the rest.
type Body struct {
	// nomination: coordinator or technical-contact-point.
	Function string `json:"function,omitempty"`

	// component
	Mode       string    `json:"mode,omitempty"`       // manual, test-tool, automated
	Lines      []string  `json:"lines,omitempty"`      // specification lines spoken
	Version    string    `json:"version,omitempty"`    // component version declared or tested
	PlannedFor time.Time `json:"planned_for,omitzero"` // a missing component's planned date
	Exempt     bool      `json:"exempt,omitempty"`     // PRV: every evidence type offered is exempt from preview

	// conformance, p2p
	Suite     string   `json:"suite,omitempty"` // e.g. AS4-CONN
	Case      string   `json:"case,omitempty"`  // e.g. TC01; empty in a fact about a whole suite
	Variant   string   `json:"variant,omitempty"`
	Outcome   string   `json:"outcome,omitempty"` // pass, pass_with_warnings, fail, …; verdict: verified, partially_verified, failed
	Catalogue string   `json:"catalogue,omitempty"`
	Event     string   `json:"event,omitempty"`
	Causes    []string `json:"causes,omitempty"` // own, partner, infrastructure, specification

	// readiness_check, probe, directory_observation, publication_consent
	Item   string `json:"item,omitempty"`   // readiness item number or "session"; probe: as4-ping, cs-reachability, naptr, public-link, support-link …; observation: see Kinds
	Count  int    `json:"count,omitempty"`  // how many were seen
	Target string `json:"target,omitempty"` // link or address probed; public addresses only

	// authority_connection, transaction_attestation
	State         string   `json:"state,omitempty"`
	Procedures    []string `json:"procedures,omitempty"`
	EvidenceTypes []string `json:"evidence_types,omitempty"`
	Link          string   `json:"link,omitempty"`
	SupportLink   string   `json:"support_link,omitempty"`
	RequestHash   string   `json:"request_hash,omitempty"` // salted SHA-256 of the request id
	MessageHash   string   `json:"message_hash,omitempty"` // salted SHA-256 of the AS4 message id
	RealUser      bool     `json:"real_user,omitempty"`
	Period        string   `json:"period,omitempty"` // monthly aggregate: 2026-03
	Sent          int      `json:"sent,omitempty"`
	Answered      int      `json:"answered,omitempty"`

	// blocker, incident, decision
	Severity string    `json:"severity,omitempty"` // blocker: blocking, hindering
	Owner    string    `json:"owner,omitempty"`
	Due      time.Time `json:"due,omitzero"`
	Closed   bool      `json:"closed,omitempty"`
	Action   string    `json:"action,omitempty"` // decision: confirm, hold, freeze, override, correct
	Level    int       `json:"level,omitempty"`  // decision override, confirm
	Until    time.Time `json:"until,omitzero"`
	Reason   string    `json:"reason,omitempty"`

	// public_event
	Title  string         `json:"title,omitempty"`
	Source string         `json:"source,omitempty"`
	URL    string         `json:"url,omitempty"`
	Place  string         `json:"place,omitempty"`
	Ends   time.Time      `json:"ends,omitzero"`
	Theme  string         `json:"theme,omitempty"`
	Claim  bool           `json:"claim,omitempty"` // a single national source
	Totals map[string]int `json:"totals,omitempty"`
	Taking []string       `json:"countries,omitempty"` // countries that took part

	Note string `json:"note,omitempty"`
}
