package exchange

import (
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
)

// Identity is a person as an identity source vouches for them: what is compared
// with the subject of a request.
type Identity struct {
	// Source names the identity provider, for the log.
	Source string `json:"source"`
	// LevelOfAssurance is Low, Substantial or High.
	LevelOfAssurance string `json:"levelOfAssurance"`
	// Identifier is a person identifier such as the eIDAS one; may be empty.
	Identifier  string `json:"identifier,omitempty"`
	FamilyName  string `json:"familyName"`
	GivenName   string `json:"givenName"`
	DateOfBirth string `json:"dateOfBirth"` // YYYY-MM-DD
	// Organisation is the eIDAS identifier of a legal person that this person
	// acts for; empty for none.
	Organisation string `json:"organisation,omitempty"`
}

// PreviewState is where a preview stands.
type PreviewState string

const (
	Issued     PreviewState = "issued"     // nobody came yet
	Visited    PreviewState = "visited"    // the link was followed
	Identified PreviewState = "identified" // by the right person; documents may be shown
	Decided    PreviewState = "decided"    // final
	TimedOut   PreviewState = "expired"
)

// PreviewSession is one preview: bound to an exchange, its subject, its
// requester and a time (TDD 4.9).
type PreviewSession struct {
	// ID is random and stands in the link.
	ID           string       `json:"id"`
	Exchange     string       `json:"exchange"`
	Conversation string       `json:"conversation"`
	State        PreviewState `json:"state"`
	Line         edm.Line     `json:"line"`

	Location  string                      `json:"location"`
	Requester sdg.Agent                   `json:"requester"`
	Provider  sdg.Agent                   `json:"provider"`
	Procedure string                      `json:"procedure"`
	Evidence  sdg.DataServiceEvidenceType `json:"evidence"`
	Subject   Subject                     `json:"subject"`

	IssuedAt time.Time `json:"issuedAt"`
	// Expires is when the session ends: T2 until the second request is here, T3
	// of that one afterwards.
	Expires time.Time `json:"expires"`
	// Until is how far Extend may move Expires.
	Until time.Time `json:"until"`
	// ReturnLocation is where the person goes in the end; empty until the second
	// request is here, and always in 1.x, where the link brings the address.
	ReturnLocation string `json:"returnLocation,omitempty"`
	// Documents may be shown and chosen, by piece.
	Documents []Document `json:"documents"`
	// Chosen are the indexes of the pieces that the person lets go; nil before the
	// decision.
	Chosen []int `json:"chosen,omitempty"`
	// Answered tells that the decision left as an answer.
	Answered bool `json:"answered,omitempty"`
}

// Decision is what the person chose: indexes of pieces (Document.Piece); none
// means that nothing is sent.
type Decision struct {
	Pieces []int `json:"pieces"`
}
