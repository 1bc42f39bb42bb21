package as4

import (
	"context"
	"time"

	"github.com/once-only/oots/as4/ebms"
)

// Pinged is the result of a test message.
type Pinged struct {
	Partner *Partner
	Took    time.Duration
	Status  int       // of HTTP; 0 when nobody answered
	Code    ebms.Code // empty when the partner acknowledged
	Detail  string
	Signed  bool // the partner's refusal carries its signature
}

// Ping sends one test message (AS4 profile 3.1.8) with the security of real
// traffic, past the queue, and judges the answer. sender and recipient fill the
// four-corner properties.
func (ap *AccessPoint) Ping(ctx context.Context, partner *Partner, sender, recipient string) (Pinged, error) {
	m := ebms.UserMessage{MessageID: ap.NewID() + "@" + ap.Domain, Timestamp: ap.Now(), ConversationID: ap.NewID(),
		From: ebms.Party{ID: ap.PMode.Self.ID, Role: roleOf(&ap.PMode.Self)}, To: ebms.Party{ID: partner.ID, Role: roleOf(partner)},
		Properties: []ebms.Property{{Name: ebms.OriginalSender, Value: sender}, {Name: ebms.FinalRecipient, Value: recipient}}}
	m.Test()
	if _, _, err := ap.PMode.MatchOutgoing(&m); err != nil {
		return Pinged{Partner: partner}, err
	}
	signed, err := ap.signerFor(partner).Sign(&ebms.Header{User: &m}, nil)
	if err != nil {
		return Pinged{Partner: partner}, err
	}
	started := time.Now()
	t, _, final := ap.push(ctx, Outgoing{MessageID: m.MessageID, To: partner.ID, Envelope: signed.Envelope})
	return Pinged{Partner: partner, Took: time.Since(started), Status: t.Status, Code: t.Code, Detail: t.Detail, Signed: final}, nil
}
