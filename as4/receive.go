package as4

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// ServeHTTP receives a message. The response carries a signed receipt, or an
// error signal; nothing else (eDelivery AS4 1.15). The work is done in the order
// of growing cost and growing trust.
func (ap *AccessPoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "This is an AS4 access point; it takes POST only.", http.StatusMethodNotAllowed)
		return
	}
	select {
	case ap.receive <- struct{}{}:
		defer func() { <-ap.receive }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Too many messages at once; try again later.", http.StatusServiceUnavailable)
		return
	}
	started := time.Now()
	in := reception{ap: ap}
	receipt, err := in.take(r, patient{r.Body, http.NewResponseController(w), ap.Idle, started.Add(longest)})
	if err == nil {
		ap.Count(Event{Kind: in.outcome, Took: time.Since(started)})
		write(w, receipt)
		return
	}
	code := ebms.CodeOf(err)
	ap.Count(Event{Kind: "refused", Code: code, Took: time.Since(started)})
	ap.Log.Warn("message refused", "message", in.id(), "party", in.party(), "code", string(code), "error", err)
	write(w, in.refuse(err))
}

// longest is how long a message may take to arrive, however steadily it comes.
const longest = 30 * time.Minute

// patient reads a body whose sender may pause, but not for longer than idle, and
// not beyond an end.
type patient struct {
	io.Reader
	connection *http.ResponseController
	idle       time.Duration
	end        time.Time
}

func (p patient) Read(b []byte) (int, error) {
	until := time.Now().Add(p.idle)
	if until.After(p.end) {
		until = p.end
	}
	// Not every writer has a connection with deadlines; a server's has.
	_ = p.connection.SetReadDeadline(until)
	return p.Reader.Read(b)
}

func write(w http.ResponseWriter, envelope []byte) {
	w.Header().Set("Content-Type", ebms.SOAPType+"; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(envelope)))
	_, _ = w.Write(envelope)
}

// reception is one message on its way in.
type reception struct {
	ap       *AccessPoint
	verified *wssec.Verified
	header   *ebms.Header // believed only once partner is set
	partner  *Partner
	outcome  string // of the counted event
}

// take receives one message and returns its receipt.
func (in *reception) take(r *http.Request, body io.Reader) (receipt []byte, err error) {
	ap, ctx := in.ap, r.Context()
	reader, err := ebms.NewReader(body, r.Header.Get("Content-Type"), ap.Limits, ap.Spool)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	raw, err := reader.Root()
	if err != nil {
		return nil, err
	}
	env, err := ebms.ReadEnvelope(raw)
	if err != nil {
		return nil, err
	}
	if in.verified, err = wssec.Verify(env, ap.rules(ap.PMode.Partners...)); err != nil {
		return nil, err
	}
	if in.header, err = in.verified.Header(); err != nil {
		return nil, err
	}
	m := in.header.User
	if m == nil {
		return nil, ebms.Errorf(ebms.FeatureNotSupported, nil, "signals are expected in responses only")
	}
	if err := in.identify(m); err != nil {
		return nil, err
	}
	if _, _, err := ap.PMode.MatchIncoming(m); err != nil {
		return nil, err
	}
	if err := in.timely(m); err != nil {
		return nil, err
	}
	known, err := ap.Store.Receipt(ctx, m.From.ID, m.MessageID)
	if err != nil {
		return nil, ebms.Errorf(ebms.DeliveryFailure, err, "the message cannot be taken now")
	}
	if known != nil {
		in.outcome = "duplicate"
		return known, nil
	}
	parts, closeParts, err := in.open(reader, m)
	if err != nil {
		return nil, err
	}
	defer closeParts()
	receipt, err = in.sign(&ebms.SignalMessage{RefToMessageID: m.MessageID, Receipt: in.verified.Receipt()})
	if err != nil {
		return nil, ebms.Errorf(ebms.DysfunctionalReliability, err, "the receipt cannot be signed")
	}
	if m.IsTest() {
		in.outcome = "pinged"
		return receipt, nil
	}
	return in.deliver(ctx, &Message{Header: m, Partner: in.partner, Parts: parts, Envelope: raw,
		References: in.verified.References, ReceivedAt: ap.Now()}, receipt)
}

// identify believes the header only if the configured certificate of the party
// it names has signed.
func (in *reception) identify(m *ebms.UserMessage) error {
	partner := in.ap.PMode.Partner(m.From.ID)
	if partner == nil {
		return ebms.Errorf(ebms.ProcessingModeMismatch, nil, "no agreement with this sender")
	}
	if err := in.verified.SignedBy(partner.Sign...); err != nil {
		return err
	}
	if err := in.ap.believe(pki.Sign, in.verified.Signer, in.verified.Chain...); err != nil {
		return ebms.Errorf(ebms.FailedAuthentication, err, "the signature cannot be trusted")
	}
	in.partner = partner
	return nil
}

// timely refuses timestamps of the future and those so old that the record of
// duplicates no longer reaches back to them.
func (in *reception) timely(m *ebms.UserMessage) error {
	age := in.ap.Now().Sub(m.Timestamp)
	if age < -in.ap.Skew || age > in.ap.window() {
		return ebms.Errorf(ebms.ValueInconsistent, nil, "the timestamp is out of the accepted window")
	}
	return nil
}

// window is how old a message may be, and how long its id is remembered.
func (ap *AccessPoint) window() time.Duration {
	return cmp.Or(ap.PMode.Duplicates, 365*24*time.Hour)
}

// open decrypts, verifies and inflates the parts into the spool.
func (in *reception) open(reader *ebms.Reader, m *ebms.UserMessage) (out []Part, done func(), err error) {
	var contents []ebms.Content
	closeAll := func() {
		for _, c := range contents {
			c.Close()
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	travelling, err := reader.Parts()
	if err != nil {
		return nil, nil, err
	}
	clear, err := in.verified.Open(m, travelling, wssec.Need{Encrypted: true, Keys: in.ap.Decrypt})
	if err != nil {
		return nil, nil, err
	}
	for _, p := range clear {
		contents = append(contents, p.Content)
	}
	inflate := in.ap.Inflate // limits of one message
	for i, p := range clear {
		info := &m.Parts[i]
		part := Part{ID: p.ID, Type: info.Property(ebms.MimeType), Content: p.Content}
		if info.Compressed() {
			if part.Type == "" {
				return nil, nil, ebms.Errorf(ebms.DecompressionFailure, nil, "a compressed part names no MimeType")
			}
			if part.Content, err = ebms.Store(in.ap.Spool, inflate.Open(p, info)); err != nil {
				return nil, nil, err
			}
			contents = append(contents, part.Content)
		}
		for _, property := range info.Properties {
			if property.Name != ebms.CompressionType {
				part.Properties = append(part.Properties, property)
			}
		}
		out = append(out, part)
	}
	return out, closeAll, nil
}

// deliver hands the message to the corner and keeps the receipt, in one
// transaction; a duplicate that came meanwhile gets the receipt that was kept.
func (in *reception) deliver(ctx context.Context, m *Message, receipt []byte) ([]byte, error) {
	// A sender that hangs up does not undo a delivery that has begun.
	ctx = context.WithoutCancel(ctx)
	kept, duplicate, err := in.ap.Store.Receive(ctx, Received{From: m.Header.From.ID, MessageID: m.Header.MessageID,
		At: m.ReceivedAt, Envelope: m.Envelope, Receipt: receipt},
		func(ctx context.Context) error { return in.ap.Handler.Deliver(ctx, m) })
	if err != nil {
		var coded *ebms.Error
		if errors.As(err, &coded) {
			return nil, coded
		}
		return nil, ebms.Errorf(ebms.DeliveryFailure, err, "the message could not be delivered")
	}
	in.outcome = "received"
	if duplicate {
		in.outcome = "duplicate"
	} else {
		in.ap.Wake() // the corner may have submitted an answer in the transaction
	}
	in.ap.Log.Info("message received", "message", m.Header.MessageID, "conversation", m.Header.ConversationID,
		"party", m.Header.From.ID.Value, "outcome", in.outcome)
	return kept, nil
}

// refuse is the error signal for err, signed once the sender is known.
func (in *reception) refuse(err error) []byte {
	var coded *ebms.Error
	if !errors.As(err, &coded) {
		coded = ebms.Errorf(ebms.Other, err, "the message could not be processed")
	}
	wire := *coded
	if ebms.Kinds[wire.Code].Origin == "security" {
		wire.Detail = "" // the code says enough, and all that may be said
	}
	signal := &ebms.SignalMessage{RefToMessageID: in.id(), Errors: []*ebms.Error{&wire}}
	if in.partner != nil {
		if envelope, err := in.sign(signal); err == nil {
			return envelope
		}
	}
	h := in.complete(signal)
	messaging, err := h.Encode("m-" + in.ap.NewID())
	if err != nil {
		in.ap.Log.Error("error signal not written", "error", err)
		return nil
	}
	return ebms.BuildEnvelope(messaging, nil, ebms.EmptyBody("b-"+in.ap.NewID()))
}

func (in *reception) complete(s *ebms.SignalMessage) *ebms.Header {
	s.Timestamp, s.MessageID = in.ap.Now(), in.ap.NewID()+"@"+in.ap.Domain
	return &ebms.Header{Signal: s}
}

func (in *reception) sign(s *ebms.SignalMessage) ([]byte, error) {
	signed, err := in.ap.signerFor(in.partner).Sign(in.complete(s), nil)
	if err != nil {
		return nil, err
	}
	return signed.Envelope, nil
}

// id and party name the message in logs once its signature verified.
func (in *reception) id() string {
	if in.partner == nil {
		return ""
	}
	return in.header.User.MessageID
}

func (in *reception) party() string {
	if in.partner == nil {
		return ""
	}
	return in.partner.ID.Value
}
