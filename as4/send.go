package as4

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// compressed are media types that gzip does not make smaller.
var compressed = []string{"application/zip", "application/gzip", "image/jpeg", "image/png"}

// Submit takes a message from a corner: it completes the header, compresses,
// signs and encrypts the parts, and keeps the result in the queue. When it
// returns, the message will be sent, whatever happens to this process. The
// header names partner, service, action, conversation and properties; ids and
// times that are empty are filled in. The parts are read, not closed. The error
// is an *ebms.Error where the P-Mode refuses.
func (ap *AccessPoint) Submit(ctx context.Context, m *ebms.UserMessage, parts []Part) (messageID string, err error) {
	header := *m
	if header.MessageID == "" {
		header.MessageID = ap.NewID() + "@" + ap.Domain
	}
	if header.Timestamp.IsZero() {
		header.Timestamp = ap.Now()
	}
	header.From = ebms.Party{ID: ap.PMode.Self.ID, Role: roleOf(&ap.PMode.Self)}
	if partner := ap.PMode.Partner(header.To.ID); partner != nil && header.To.Role == "" {
		header.To.Role = roleOf(partner)
	}
	partner, leg, err := ap.PMode.MatchOutgoing(&header)
	if err != nil {
		return "", err
	}
	if err := ap.believe(pki.Encrypt, partner.Encrypt); err != nil {
		return "", ebms.Errorf(ebms.FailedAuthentication, err, "the partner's encryption certificate cannot be used")
	}
	if len(parts) > wssec.MaxAttachments {
		return "", ebms.Errorf(ebms.ValueInconsistent, nil, "%d parts; %d at most", len(parts), wssec.MaxAttachments)
	}

	var travelling []ebms.Part
	defer func() {
		for _, p := range travelling {
			p.Content.Close()
		}
	}()
	header.Parts = nil
	for _, part := range parts {
		info, content, err := ap.pack(part, leg.Compress)
		if err != nil {
			return "", err
		}
		header.Parts = append(header.Parts, info)
		travelling = append(travelling, content)
	}
	signed, err := ap.signerFor(partner).Sign(&ebms.Header{User: &header}, travelling)
	if err != nil {
		return "", fmt.Errorf("as4: sign: %w", err)
	}
	encrypter := wssec.Encrypter{Recipient: partner.Encrypt, Suite: ap.PMode.Suite, Token: partner.Token, NewID: ap.NewID}
	envelope, sealed, err := encrypter.Encrypt(signed.Envelope, travelling)
	if err != nil {
		return "", fmt.Errorf("as4: encrypt: %w", err)
	}

	out := Outgoing{MessageID: header.MessageID, To: partner.ID, Conversation: header.ConversationID, Envelope: envelope,
		State: Queued, CreatedAt: ap.Now(), Due: ap.Now()}
	// The keys are this submission's own: a repeated one, encrypted afresh, must
	// not touch the parts of the first.
	folder := ap.NewID()
	for i, p := range sealed {
		stored := StoredPart{ContentID: p.ID, Type: p.Type, Key: fmt.Sprintf("%s/%d", folder, i)}
		if err := ap.Files.Put(ctx, stored.Key, p.Content.NewReader()); err != nil {
			ap.drop(ctx, out)
			return "", fmt.Errorf("as4: keep part %d: %w", i+1, err)
		}
		out.Parts = append(out.Parts, stored)
	}
	if err := ap.Store.Enqueue(ctx, out); err != nil {
		ap.drop(ctx, out)
		return "", err
	}
	ap.Wake()
	return header.MessageID, nil
}

// signerFor names our certificate in the form that a partner wants.
func (ap *AccessPoint) signerFor(p *Partner) *wssec.Signer {
	signer := ap.signer
	signer.Token = p.Token
	return &signer
}

func roleOf(p *Partner) string {
	if p.Role == "" {
		return GatewayRole
	}
	return p.Role
}

// pack makes one part ready to sign: compressed where the leg says so and the
// type allows it.
func (ap *AccessPoint) pack(part Part, compress bool) (ebms.PartInfo, ebms.Part, error) {
	info := ebms.PartInfo{ContentID: part.ID}
	if info.ContentID == "" {
		info.ContentID = strings.ReplaceAll(ap.NewID(), "-", "") + "@" + ap.Domain
	}
	for _, p := range part.Properties {
		if p.Name != ebms.MimeType && p.Name != ebms.CompressionType {
			info.Properties = append(info.Properties, p)
		}
	}
	info.Properties = append(info.Properties, ebms.Property{Name: ebms.MimeType, Value: part.Type})
	out := ebms.Part{ID: info.ContentID, Type: "application/octet-stream", Content: borrowed{part.Content}}
	if compress && !slices.Contains(compressed, part.Type) {
		content, err := ebms.Compress(part.Content, 0, ap.Spool)
		if err != nil {
			return info, out, fmt.Errorf("as4: compress: %w", err)
		}
		out.Type, out.Content = ebms.Gzip, content
		info.Properties = append(info.Properties, ebms.Property{Name: ebms.CompressionType, Value: ebms.Gzip})
	}
	return info, out, nil
}

// borrowed is content that belongs to the caller and stays open.
type borrowed struct{ ebms.Content }

func (borrowed) Close() error { return nil }

// drop removes the parts of a message that is not, or no longer, to be sent.
func (ap *AccessPoint) drop(ctx context.Context, m Outgoing) {
	for _, p := range m.Parts {
		if err := ap.Files.Remove(context.WithoutCancel(ctx), p.Key); err != nil {
			ap.Log.Warn("part not removed", "message", m.MessageID, "error", err)
		}
	}
}

// Wake lets Run look at the queue now, for instance after the commit of a
// transaction that submitted a message.
func (ap *AccessPoint) Wake() {
	select {
	case ap.wake <- struct{}{}:
	default:
	}
}

// Run sends what is due until ctx ends: at once when woken, and every quarter of
// a second besides. A slow partner holds up one of the workers only. Once a day
// it forgets what is older than the record of duplicates must reach.
func (ap *AccessPoint) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	workers.Go(func() {
		for day := time.NewTicker(24 * time.Hour); ; {
			if err := ap.Forget(ctx); err != nil && ctx.Err() == nil {
				ap.Log.Error("old messages not forgotten", "error", err)
			}
			select {
			case <-ctx.Done():
				day.Stop()
				return
			case <-day.C:
			}
		}
	})
	for range ap.Pushes {
		workers.Go(func() {
			tick := time.NewTicker(250 * time.Millisecond)
			defer tick.Stop()
			for {
				if sent, err := ap.next(ctx); err != nil && ctx.Err() == nil {
					ap.Log.Error("queue not worked off", "error", err)
				} else if sent {
					continue
				}
				select {
				case <-ctx.Done():
					return
				case <-ap.wake:
				case <-tick.C:
				}
			}
		})
	}
	workers.Wait()
	return ctx.Err()
}

// Forget drops the record of messages that are so old that a repetition would be
// refused for its timestamp, and the parts that a crash left without a message
// to send.
func (ap *AccessPoint) Forget(ctx context.Context) error {
	if err := ap.Store.Forget(ctx, ap.Now().Add(-ap.window()-ap.Skew)); err != nil {
		return err
	}
	keys, err := ap.Store.Keys(ctx)
	if err != nil {
		return err
	}
	return ap.Files.Sweep(ctx, keys, time.Now().Add(-sweepAfter))
}

// sweepAfter is the age at which a part is surely not one that is being
// submitted: files are dated by the machine's clock.
const sweepAfter = time.Hour

// SendDue pushes every message that is due now, one after the other, and
// returns how many tries it made: for tests and one-off commands.
func (ap *AccessPoint) SendDue(ctx context.Context) (tries int, err error) {
	for {
		sent, err := ap.next(ctx)
		if !sent || err != nil {
			return tries, err
		}
		tries++
	}
}

// next leases one due message and tries it.
func (ap *AccessPoint) next(ctx context.Context) (sent bool, err error) {
	now := ap.Now()
	due, err := ap.Store.Lease(ctx, now, now.Add(ap.Lease), 1)
	if err != nil || len(due) == 0 {
		return false, err
	}
	ap.Wake() // another worker may find more
	return true, ap.try(ctx, due[0])
}

// try pushes a message once and settles what follows.
func (ap *AccessPoint) try(ctx context.Context, m Outgoing) error {
	started := time.Now()
	t, receipt, final := ap.push(ctx, m)
	if ctx.Err() != nil {
		return nil // stopped in the middle: the lease brings it back
	}
	m.Tries++
	ap.Count(Event{Kind: "pushed", Code: t.Code, Took: time.Since(started)})
	switch {
	case t.Code == "":
		m.State, m.Receipt = Acknowledged, receipt
	case final || m.Tries > ap.PMode.Retry.orDefault().Attempts:
		m.State, m.Code, m.Detail = Undelivered, t.Code, t.Detail
		if !final && t.Code != ebms.ConnectionFailure {
			m.Code = ebms.MissingReceipt
		}
	default:
		m.Due = ap.Now().Add(ap.PMode.Retry.Pause())
	}
	err := ap.Store.Settle(ctx, m, t, func(ctx context.Context) error {
		if producer, ok := ap.Handler.(Producer); ok && m.State != Queued {
			return producer.Settled(ctx, m)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("as4: settle %s: %w", m.MessageID, err)
	}
	if m.State != Queued {
		ap.drop(ctx, m)
		ap.Count(Event{Kind: string(m.State), Code: m.Code})
	}
	ap.Log.Info("message pushed", "message", m.MessageID, "conversation", m.Conversation, "party", m.To.Value,
		"state", string(m.State), "try", m.Tries, "code", string(t.Code))
	return nil
}

// push sends a message and judges the answer by its content, not its status.
// final is set when the partner refused in a way that can be trusted.
func (ap *AccessPoint) push(ctx context.Context, m Outgoing) (t Try, receipt []byte, final bool) {
	t.At = ap.Now()
	miss := func(code ebms.Code, detail string) (Try, []byte, bool) {
		t.Code, t.Detail = code, detail
		return t, nil, false
	}
	partner := ap.PMode.Partner(m.To)
	if partner == nil {
		return miss(ebms.ProcessingModeMismatch, "the partner is no longer configured")
	}
	var parts []ebms.Part
	for _, p := range m.Parts {
		content, err := ap.Files.Open(ctx, p.Key)
		if err != nil {
			return miss(ebms.Other, "a stored part cannot be read")
		}
		defer content.Close()
		parts = append(parts, ebms.Part{ID: p.ContentID, Type: p.Type, Content: content})
	}
	pack := ebms.NewPackage(m.Envelope, parts, strings.ReplaceAll(ap.NewID(), "-", ""))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, partner.URL, io.NopCloser(pack.NewReader()))
	if err != nil {
		return miss(ebms.ConnectionFailure, "the partner's address cannot be used")
	}
	req.ContentLength = pack.Size()
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(pack.NewReader()), nil }
	req.Header.Set("Content-Type", pack.ContentType())
	req.Header.Set("Accept", ebms.SOAPType)
	resp, err := ap.Client.Do(req)
	if err != nil {
		ap.Log.Debug("push failed", "message", m.MessageID, "error", err)
		return miss(ebms.ConnectionFailure, "no connection, or no answer in time")
	}
	defer resp.Body.Close()
	t.Status = resp.StatusCode
	header, raw, signed, err := ap.answer(resp, partner)
	switch {
	case err != nil:
		return miss(ebms.MissingReceipt, fmt.Sprintf("HTTP %d without a readable signal", resp.StatusCode))
	case header.Signal == nil:
		return miss(ebms.MissingReceipt, "the answer is not a signal")
	case header.Signal.Receipt != nil && signed:
		sent, err := wssec.ReadReferences(m.Envelope)
		if err == nil {
			err = ebms.MatchReceipt(sent, header.Signal, m.MessageID)
		}
		if err != nil {
			return miss(ebms.InvalidReceipt, "the receipt is not for what was sent")
		}
		return t, raw, false
	case header.Signal.Receipt != nil:
		return miss(ebms.InvalidReceipt, "the receipt is not signed by the partner")
	}
	refusal := header.Signal.Errors[0]
	t.Code, t.Detail = refusal.Code, "the partner refuses"
	if !signed {
		t.Detail = "somebody refuses without the partner's signature"
	}
	// An unsigned refusal could be forged by anyone on the path.
	final = signed && !refusal.Warning && !slices.Contains(ap.Later, refusal.Code) && header.Signal.RefToMessageID == m.MessageID
	return t, nil, final
}

// answer reads the signal out of an HTTP response and tells whether the partner
// signed it.
func (ap *AccessPoint) answer(resp *http.Response, partner *Partner) (h *ebms.Header, raw []byte, signed bool, err error) {
	reader, err := ebms.NewReader(resp.Body, resp.Header.Get("Content-Type"), ebms.Limits{Parts: 1, Part: 1, Message: 1}, ap.Spool)
	if err != nil {
		return nil, nil, false, err
	}
	defer reader.Close()
	if raw, err = reader.Root(); err != nil {
		return nil, nil, false, err
	}
	env, err := ebms.ReadEnvelope(raw)
	if err != nil {
		return nil, nil, false, err
	}
	if env.Security != nil {
		verified, err := wssec.Verify(env, ap.rules(partner))
		if err == nil {
			err = verified.SignedBy(partner.Sign...)
		}
		if err == nil {
			err = ap.believe(pki.Sign, verified.Signer, verified.Chain...)
		}
		signed = err == nil
	}
	h, err = env.Decode()
	if err == nil && h.Signal != nil && h.Signal.Receipt == nil && len(h.Signal.Errors) == 0 {
		err = errors.New("an empty signal")
	}
	return h, raw, signed, err
}

// rules accept our suite, and certificates that a message may name without
// carrying them.
func (ap *AccessPoint) rules(partners ...*Partner) wssec.Rules {
	rules := wssec.Rules{}
	if ap.PMode.Suite != nil {
		rules.Suites = []*wssec.Suite{ap.PMode.Suite}
	}
	for _, p := range partners {
		rules.Known = append(rules.Known, p.Sign...)
	}
	return rules
}
