package as4

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// Handler is the corner behind an access point: C4 for a request, C1 for a
// response (TDD 4.7).
type Handler interface {
	// Deliver hands over one message. A nil error says that it is kept durably
	// and lets the receipt go out. What Deliver writes through the same store
	// under ctx is committed together with the receipt, so it sees each
	// eb:MessageId once; other effects may be repeated after a crash and must
	// be idempotent by message id. The parts end when Deliver returns.
	Deliver(ctx context.Context, m *Message) error
}

// Producer is a Handler that wants to know what became of the messages it
// submitted.
type Producer interface {
	// Settled tells the end of a message, once: acknowledged, or undelivered
	// with the reason (EBMS:0301 for a missing receipt, EBMS:0005 when nobody
	// could be reached, or the partner's own refusal). It takes part in the
	// transaction of the store, as Deliver does.
	Settled(ctx context.Context, m Outgoing) error
}

// Message is a user message as a corner sees it: verified, decrypted, inflated.
type Message struct {
	Header  *ebms.UserMessage
	Partner *Partner // the access point that sent it
	Parts   []Part   // in the order of the header; the first one leads
	// Envelope is the signed envelope as it travelled.
	Envelope []byte
	// References are the digests that the sender signed and our receipt repeats.
	References []ebms.Reference
	ReceivedAt time.Time
}

// Part is one payload.
type Part struct {
	ID         string          // content id, without brackets; text of the sender
	Type       string          // media type
	Properties []ebms.Property // without CompressionType
	Content    ebms.Content
}

// Config of an access point.
type Config struct {
	PMode *PMode
	// Sign signs our messages and receipts; Decrypt are our encryption
	// identities, the current one first.
	Sign    *pki.Identity
	Decrypt []*pki.Identity
	Store   Store
	Files   Files
	Spool   ebms.Spool // optional; ebms.Disk
	Handler Handler
	// Domain ends the ids of our messages, e.g. "ap.example.fi".
	Domain string
	// Client pushes messages; it must not follow redirects. Optional: see
	// NewClient.
	Client *http.Client
	// Trusted judges a certificate of a partner at the moment of use, with what
	// came beside it: revocation, length of keys; for instance Check of a
	// pki.Policy. Optional; the validity period is always checked.
	Trusted func(use pki.Use, c *x509.Certificate, chain ...*x509.Certificate) error
	// Later are codes of a partner's refusal that mean "try again": EBMS:0005,
	// 0202 and 0054 when nil.
	Later []ebms.Code
	// Skew is how far a timestamp may lie in the future; 0 means 5 minutes.
	Skew time.Duration
	// Pushes is how many messages are pushed at once; 0 means 8.
	Pushes int
	// Lease is how long a push may take before another worker, perhaps after a
	// crash of this one, tries again; 0 means 11 minutes.
	Lease time.Duration
	// Receptions is how many messages are received at once; 0 means 64.
	Receptions int
	// Idle is how long a sender may pause in the middle of a message; 0 means a
	// minute.
	Idle    time.Duration
	Limits  ebms.Limits
	Inflate ebms.Inflater
	Now     func() time.Time // optional; time.Now
	NewID   func() string    // optional; random UUIDs
	Log     *slog.Logger     // optional; discards
	// Count is told every event for metrics; optional.
	Count func(Event)
}

// Event is what an access point counts: no id, no party.
type Event struct {
	Kind string    // "pushed", "acknowledged", "undelivered", "received", "duplicate", "refused", "pinged"
	Code ebms.Code // of a refusal
	Took time.Duration
}

// AccessPoint sends and receives AS4 messages.
type AccessPoint struct {
	Config
	signer  wssec.Signer
	wake    chan struct{}
	receive chan struct{} // a place for each reception under way
}

// New checks the configuration and makes an access point. Run sends its queue;
// as an http.Handler it receives.
func New(c Config) (*AccessPoint, error) {
	switch {
	case c.PMode == nil || c.Store == nil || c.Files == nil || c.Handler == nil:
		return nil, errors.New("as4: an access point needs a P-Mode, a store, files and a handler")
	case c.Sign == nil || len(c.Decrypt) == 0:
		return nil, errors.New("as4: an access point needs identities to sign and to decrypt with")
	}
	if err := c.PMode.Check(); err != nil {
		return nil, err
	}
	if c.Spool == nil {
		c.Spool = ebms.Disk{}
	}
	if c.Domain == "" {
		c.Domain = "oots.invalid"
	}
	if c.Client == nil {
		c.Client = NewClient(nil)
	}
	if c.Later == nil {
		c.Later = []ebms.Code{ebms.ConnectionFailure, ebms.DeliveryFailure, ebms.OutOfStorageSpace}
	}
	if c.Skew == 0 {
		c.Skew = 5 * time.Minute
	}
	if c.Pushes == 0 {
		c.Pushes = 8
	}
	if c.Lease == 0 {
		c.Lease = 11 * time.Minute
	}
	if c.Receptions == 0 {
		c.Receptions = 64
	}
	if c.Idle == 0 {
		c.Idle = time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = NewUUID
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Count == nil {
		c.Count = func(Event) {}
	}
	return &AccessPoint{Config: c, wake: make(chan struct{}, 1), receive: make(chan struct{}, c.Receptions),
		signer: wssec.Signer{Identity: c.Sign, Suite: c.PMode.Suite, NewID: c.NewID}}, nil
}

// NewUUID is a random UUID (RFC 9562, version 4).
func NewUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// believe judges a partner's certificate at the moment of use.
func (ap *AccessPoint) believe(use pki.Use, c *x509.Certificate, chain ...*x509.Certificate) error {
	now := ap.Now()
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return errors.New("the certificate is not valid now")
	}
	if ap.Trusted != nil {
		return ap.Trusted(use, c, chain...)
	}
	return nil
}

// Reply is the header of an answer to a message, by reverse routing: to the
// access point and the corner that asked, in the same service, conversation and
// exchange. It refers to the request, which makes the two a two-way exchange
// (push and push); in OOTS, where both are one-way, clear RefToMessageID.
func Reply(m *Message, action string) *ebms.UserMessage {
	asked := m.Header
	reply := &ebms.UserMessage{To: asked.From, Service: asked.Service, Action: action, Agreement: asked.Agreement, MPC: asked.MPC,
		ConversationID: asked.ConversationID, RefToMessageID: asked.MessageID}
	for _, p := range asked.Properties {
		switch {
		case strings.EqualFold(p.Name, ebms.OriginalSender):
			p.Name = ebms.FinalRecipient
		case strings.EqualFold(p.Name, ebms.FinalRecipient):
			p.Name = ebms.OriginalSender
		}
		reply.Properties = append(reply.Properties, p)
	}
	return reply
}
