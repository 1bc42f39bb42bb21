package exchange

import (
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
)

// State is where an exchange stands. The requester's and the provider's states
// are two machines that share the words below (TDD 4.4, 4.9).
type State string

// States of the requester.
const (
	Sent            State = "sent"             // the first request is with the access point
	PreviewRequired State = "preview_required" // EDM:ERR:0002 came; the person has not followed the link
	PreviewOpen     State = "preview_open"     // the second request is sent; the person decides
	Delivered       State = "delivered"        // with or without evidence; an end
	Deferred        State = "deferred"         // asked again at its time, in a new exchange; an end
	Failed          State = "failed"           // an end
)

// States of the provider.
const (
	Received   State = "received"    // valid; the data service is asked
	LinkIssued State = "link_issued" // the preview link went out
	Held       State = "held"        // the second request waits for the decision
	Answered   State = "answered"    // an end
	Refused    State = "refused"     // exception sent, or logged only; an end
	Expired    State = "expired"     // T2 or T3 ran out; an end
)

// Ended tells that nothing more happens in this state.
func (s State) Ended() bool {
	switch s {
	case Delivered, Deferred, Failed, Answered, Refused, Expired:
		return true
	}
	return false
}

// Clocks are the time-outs of TDD 4.4.3. Each is multiplied by the number of
// requirements in the request.
type Clocks struct {
	T1 time.Duration // first round trip, from the timestamp of the first request
	T2 time.Duration // the person follows the link, from its issuing
	T3 time.Duration // the person views and decides, from the timestamp of the second request
}

// ProviderClocks and RequesterClocks are the usual values: a requester waits
// one minute longer than a provider works.
var (
	ProviderClocks  = Clocks{5 * time.Minute, 15 * time.Minute, 40 * time.Minute}
	RequesterClocks = Clocks{6 * time.Minute, 16 * time.Minute, 41 * time.Minute}
)

// or takes the values of other where c has none.
func (c Clocks) or(other Clocks) Clocks {
	for _, f := range []struct{ mine, theirs *time.Duration }{{&c.T1, &other.T1}, {&c.T2, &other.T2}, {&c.T3, &other.T3}} {
		if *f.mine == 0 {
			*f.mine = *f.theirs
		}
	}
	return c
}

// times multiplies by a number of requirements, at least one.
func (c Clocks) times(n int) Clocks {
	d := time.Duration(max(n, 1))
	return Clocks{c.T1 * d, c.T2 * d, c.T3 * d}
}

// Subject is whom the evidence is about, and who acts for them: exactly one of
// the first two, at most one of the others (TDD 4.5.1).
type Subject struct {
	NaturalPerson              *sdg.Person      `json:"naturalPerson,omitempty"`
	LegalPerson                *sdg.LegalPerson `json:"legalPerson,omitempty"`
	Representative             *sdg.Person      `json:"representative,omitempty"`
	RepresentativeOrganisation *sdg.LegalPerson `json:"representativeOrganisation,omitempty"`
}

// Conversation is the person's session at a portal (ConversationId): one or
// more exchanges, perhaps with several providers.
type Conversation struct {
	ID        string      `json:"id"` // bare UUID
	StartedAt time.Time   `json:"startedAt"`
	Exchanges []*Exchange `json:"exchanges"` // in the order in which they were started
}

// Ended tells that every exchange has.
func (c *Conversation) Ended() bool {
	for _, x := range c.Exchanges {
		if !x.State.Ended() {
			return false
		}
	}
	return true
}

// Exchange is one request and its answer, in the preview flow also the second
// ones, as the requester sees it.
type Exchange struct {
	ID           string   `json:"id"` // ExchangeId, a bare UUID; in 1.x known here only
	Conversation string   `json:"conversation"`
	Number       int      `json:"number"` // in the conversation, from 0
	State        State    `json:"state"`
	Line         edm.Line `json:"line"`
	Procedure    string   `json:"procedure"`

	Requirements []sdg.Requirement           `json:"requirements"`
	Evidence     sdg.DataServiceEvidenceType `json:"evidence"`
	Provider     sdg.Agent                   `json:"provider"`
	Country      string                      `json:"country"` // of the provider

	CreatedAt time.Time `json:"createdAt"`
	ChangedAt time.Time `json:"changedAt"`
	// Deadline is when the clock that runs now (T1, T2, T3) ends the exchange;
	// zero once it has ended.
	Deadline time.Time `json:"deadline,omitzero"`

	// Requests are the ids of the first and, after a preview, the second request;
	// Messages the ids of the AS4 messages sent, in the same order.
	Requests []string `json:"requests"`
	Messages []string `json:"messages"`
	// Response is the id of the answer that settled the exchange.
	Response string `json:"response,omitempty"`

	// Preview, in PreviewRequired and PreviewOpen, is where the person decides.
	Preview *PreviewLink `json:"preview,omitempty"`
	// Documents are what arrived; none in Delivered means that there is no
	// evidence, or that the person chose to send none.
	Documents []Document `json:"documents,omitempty"`
	// Doubts are reasons not to use the documents before a clerk has looked
	// (X-16, X-18 …), as ids of checks.
	Doubts []string `json:"doubts,omitempty"`
	// Erased tells that the documents were handed to the portal and are no longer
	// here.
	Erased bool `json:"erased,omitempty"`
	// AvailableAt is when a deferred answer is asked for again, Next the id of
	// that exchange, and Again how often it was deferred before.
	AvailableAt time.Time `json:"availableAt,omitzero"`
	Next        string    `json:"next,omitempty"`
	Again       int       `json:"again,omitempty"`
	// Problem says why the exchange failed, or was answered without evidence.
	Problem *Problem `json:"problem,omitempty"`
}

// PreviewLink is what EDM:ERR:0002 brought (TDD 4.9).
type PreviewLink struct {
	Location    string     `json:"location"` // https
	Description []sdg.Text `json:"description,omitempty"`
	Method      string     `json:"method,omitempty"` // GET, POST or PUT; 1.x only
}

// Problem tells the end of an exchange to people and programs. It carries no
// personal data.
type Problem struct {
	// Code is an EDM:ERR code of the provider, an EBMS code of the access points,
	// or one of the words below.
	Code string `json:"code"`
	// Detail is for whoever debugs.
	Detail string `json:"detail,omitempty"`
}

// Codes of problems that no message carries.
const (
	TimedOutT1    = "T1"            // the provider did not answer in time
	TimedOutT2    = "T2"            // the person did not follow the link in time
	TimedOutT3    = "T3"            // no decision came in time
	GivenUp       = "given_up"      // the person gave up
	InvalidAnswer = "invalid_reply" // the answer failed the checks and was dropped
	AskedTooOften = "deferred_long" // deferred more often than we ask again
)

// Document is one document that arrived or is shown, without its octets.
type Document struct {
	ID        string           `json:"id"` // Identifier of the evidence, a bare UUID
	Piece     int              `json:"piece"`
	Kind      edm.DocumentKind `json:"kind"`
	Title     string           `json:"title"`
	MediaType string           `json:"mediaType"`
	Languages []string         `json:"languages,omitempty"`
	Model     string           `json:"model,omitempty"` // ConformsTo
	Size      int64            `json:"size"`
	SHA256    string           `json:"sha256"` // hexadecimal
	// Evidence is the metadata as the provider wrote it.
	Evidence sdg.Evidence `json:"evidence"`
}

// Content is a document with its octets.
type Content struct {
	Document
	Data []byte `json:"data"`
}

// Error is what portal and preview space are refused with.
type Error struct {
	Reason Reason
	Detail string // no personal data
	Cause  error  // for the log of the operator only
}

// Reason is the kind of a refusal.
type Reason string

const (
	// NotFound is also said of what exists but is not for whoever asks.
	NotFound Reason = "not found"
	// WrongState refuses what the state does not allow: deciding twice, a second
	// redirect, a wish that the plan does not cover.
	WrongState Reason = "not possible now"
	BadWish    Reason = "cannot be asked like this"
	// NotThisPerson refuses a visitor who is not the subject.
	NotThisPerson Reason = "not this person"
	Unavailable   Reason = "unavailable"
	// Unproven is what a Witness says of attestations that prove nothing.
	Unproven Reason = "not proven"
)

func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Reason)
	}
	return string(e.Reason) + ": " + e.Detail
}

// Unwrap gives the private cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is compares reasons: errors.Is(err, &Error{Reason: NotFound}).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && t.Detail == ""
}
