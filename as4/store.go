package as4

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/once-only/oots/as4/ebms"
)

// State is where an outgoing message stands.
type State string

const (
	Queued       State = "queued"       // to be sent, or sent again
	Acknowledged State = "acknowledged" // its receipt verified
	Undelivered  State = "undelivered"  // given up; the producer was told
)

// Outgoing is a message to send, in the form in which it travels: signed,
// encrypted, every try with identical octets.
type Outgoing struct {
	MessageID string
	To        ebms.PartyID
	// Conversation is kept for reports; it is no personal data.
	Conversation string
	Envelope     []byte
	Parts        []StoredPart
	State        State
	CreatedAt    time.Time
	Due          time.Time // when to try next
	Tries        int       // made so far
	// Code and Detail say why it is Undelivered.
	Code   ebms.Code
	Detail string
	// Receipt is the signed envelope that acknowledged it.
	Receipt []byte
}

// StoredPart is an encrypted part beside an outgoing envelope.
type StoredPart struct {
	ContentID string `json:"id"`
	Type      string `json:"type"`
	Key       string `json:"key"` // in Files
}

// Try is one attempt to deliver a message: domain data, shown on pages.
type Try struct {
	At     time.Time
	Status int       // of HTTP; 0 when there was no answer
	Code   ebms.Code // empty when it was acknowledged
	Detail string    // for operators; no addresses, no personal data
}

// Received is a message that came in: what makes a duplicate recognisable.
type Received struct {
	From      ebms.PartyID
	MessageID string
	At        time.Time
	// Envelope and Receipt are kept as they travelled: the non-repudiation
	// evidence of both sides.
	Envelope, Receipt []byte
}

// ErrKnown says that a message of this id is in the store already.
var ErrKnown = errors.New("as4: a message with this id is known")

// Store keeps what an access point must not lose. Package as4test holds its
// promises. A call with a context that comes from Receive takes part in that
// transaction.
type Store interface {
	// Enqueue keeps a message to send; ErrKnown for an id that is there.
	Enqueue(ctx context.Context, m Outgoing) error
	// Lease takes up to n queued messages that are due, earliest first, and puts
	// them off until then: whoever leased them has this long to work on them.
	Lease(ctx context.Context, now, until time.Time, n int) ([]Outgoing, error)
	// Settle records a try and the state that follows, and runs tell in the same
	// transaction. The state Queued puts the message off to m.Due.
	Settle(ctx context.Context, m Outgoing, t Try, tell func(ctx context.Context) error) error
	// Sent is an outgoing message with its tries, or ErrUnknown.
	Sent(ctx context.Context, messageID string) (Outgoing, []Try, error)
	// Keys are the keys of the parts of all messages that are still queued.
	Keys(ctx context.Context) ([]string, error)
	// Receipt is the receipt of a message that was received before, nil for a
	// new one.
	Receipt(ctx context.Context, from ebms.PartyID, messageID string) ([]byte, error)
	// Receive keeps a message and runs deliver in one transaction, once for each
	// sender and id. For a known message it runs nothing and returns the kept
	// receipt. When deliver fails nothing is kept.
	Receive(ctx context.Context, r Received, deliver func(ctx context.Context) error) (receipt []byte, duplicate bool, err error)
	// Inbound is a message that was received, or ErrUnknown.
	Inbound(ctx context.Context, from ebms.PartyID, messageID string) (Received, error)
	// Forget drops what was received or settled before a time.
	Forget(ctx context.Context, before time.Time) error
}

// ErrUnknown says that the store has no such message.
var ErrUnknown = errors.New("as4: no such message")

// Files keeps the encrypted parts of outgoing messages until they are settled.
type Files interface {
	// Put keeps what r yields under a key, durably, replacing an earlier one.
	Put(ctx context.Context, key string, r io.Reader) error
	// Open gives access to it.
	Open(ctx context.Context, key string) (ebms.Content, error)
	// Remove forgets it; removing what is not there is no error.
	Remove(ctx context.Context, key string) error
	// Sweep forgets everything that was kept before a time, but for the keys
	// named.
	Sweep(ctx context.Context, keep []string, before time.Time) error
}
