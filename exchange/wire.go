package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/validator"
)

// modern tells whether a line has the message property ExchangeId, and with it
// what TDD 2.0 brought along: the return address as a slot, packages with
// supplements. No line is named here: package edm knows them.
func modern(line edm.Line) bool { return slices.Contains(edm.PropertyNames(line), edm.ExchangeID) }

// letter is a message to send.
type letter struct {
	message      edm.Message
	line         edm.Line
	exchange     string // ExchangeId; not sent in 1.x
	conversation string
	to           ebms.PartyID
	// sender is the provider asked: originalSender of an Error Response, whoever
	// made that. The zero value leaves it to the message.
	sender   sdg.Identifier
	contents [][]byte // of the documents of a response, in their order
}

// written is a letter as it will travel.
type written struct {
	letter
	messageID string
	sentAt    time.Time
	body      []byte // first part
	header    []byte // eb:Messaging
	user      *ebms.UserMessage
	parts     []as4.Part
}

// write encodes a letter.
func (c *core) write(l letter) (*written, error) {
	body, err := edm.Encode(l.message, l.line)
	if err != nil {
		return nil, err
	}
	first := c.contentID()
	h, err := edm.HeaderFor(l.message, l.line, l.exchange, first)
	if err != nil {
		return nil, err
	}
	h.Timestamp, h.MessageID, h.ConversationID = c.Now().UTC(), c.messageID(), l.conversation
	h.From.ID, h.From.Type = c.Party.Value, c.Party.Type
	h.To.ID, h.To.Type = l.to.Value, l.to.Type
	for i, p := range h.Properties {
		if p.Name == edm.OriginalSender && l.sender.Value != "" {
			h.Properties[i].Type, h.Properties[i].Value = l.sender.Scheme, l.sender.Value
		}
	}
	w := &written{letter: l, messageID: h.MessageID, sentAt: h.Timestamp, body: body}
	if w.header, err = h.Encode(); err != nil {
		return nil, err
	}
	w.user = &ebms.UserMessage{MessageID: h.MessageID, Timestamp: h.Timestamp, To: ebms.Party{ID: l.to},
		Service: ebms.Service{Type: h.ServiceType, Value: h.Service}, Action: string(h.Action), ConversationID: h.ConversationID}
	for _, p := range h.Properties {
		w.user.Properties = append(w.user.Properties, ebms.Property(p))
	}
	w.parts = append(w.parts, as4.Part{ID: first, Type: edm.MediaType, Content: ebms.Bytes(body)})
	if len(h.Parts)-1 != len(l.contents) {
		return nil, fmt.Errorf("exchange: %d documents for %d references", len(l.contents), len(h.Parts)-1)
	}
	for i, data := range l.contents {
		w.parts = append(w.parts, as4.Part{ID: h.Parts[i+1].ContentID, Type: h.Parts[i+1].MimeType, Content: ebms.Bytes(data)})
	}
	return w, nil
}

// post hands a letter to the access point, in the transaction of ctx: it leaves
// when that is committed. The log entry comes first.
func (c *core) post(ctx context.Context, w *written, e Entry) error {
	e.Message, e.SentAt, e.Document, e.MediaType = w.messageID, w.sentAt, w.body, edm.MediaType
	e.Conversation, e.Exchange, e.Line, e.Partner = w.conversation, w.exchange, w.line, w.to
	if err := c.log.write(ctx, e); err != nil {
		return err
	}
	_, err := c.access.Submit(ctx, w.user, w.parts)
	return err
}

// refusedByAccessPoint tells that a message cannot be sent as it is, however
// often it is tried.
func refusedByAccessPoint(err error) bool {
	var e *ebms.Error
	return errors.As(err, &e)
}

// mail is a message that came in, read and judged.
type mail struct {
	*as4.Message
	raw    []byte            // first RegRep part
	body   *validator.Report // of it
	header *validator.Report // of the envelope
	lead   int               // index of the part
}

// maxDocument bounds the RegRep part.
const maxDocument = 1 << 20

// read takes the RegRep part out of a message and judges it with the header.
func (c *core) read(m *as4.Message) (*mail, error) {
	in := &mail{Message: m, lead: -1}
	for i, p := range m.Parts {
		if ebms.MediaType(p.Type) == edm.MediaType {
			in.lead = i
			break
		}
	}
	if in.lead < 0 {
		return nil, errors.New("no part of type " + edm.MediaType)
	}
	lead := m.Parts[in.lead].Content
	if lead.Size() > maxDocument {
		return nil, fmt.Errorf("the document has %d octets; %d at most", lead.Size(), maxDocument)
	}
	var err error
	if in.raw, err = ebms.ReadAll(lead); err != nil {
		return nil, err
	}
	in.body = c.Judge.Validate(in.raw, validator.Options{Name: "message"})
	if in.body.Message == nil {
		return nil, errors.New("the document is no XML that could be read")
	}
	in.header = c.Judge.Validate(m.Envelope, validator.Options{Name: "header", Kind: validator.EBMSHeader, Line: in.body.Lines})
	return in, nil
}

// refusal is the first finding of reports that refuses, as detail for whoever
// debugs: rule and section, not the value found, which may be personal.
func refusal(reports ...*validator.Report) string {
	for _, r := range reports {
		if r == nil {
			continue
		}
		for i := range r.Findings {
			if f := &r.Findings[i]; f.Refuses() {
				return detailOf(f)
			}
		}
	}
	return ""
}

func detailOf(f *validator.Finding) string {
	s := f.Rule + " (" + f.Cites + "): " + f.Mend
	if f.Path != "" {
		s += " At " + f.Path + "."
	}
	return s
}

// judged reads a message of our own that was kept, for comparing.
func (c *core) judged(name string, src []byte, kind validator.Kinds, line validator.Lines) *validator.Message {
	if len(src) == 0 {
		return nil
	}
	return c.Judge.Validate(src, validator.Options{Name: name, Kind: kind, Line: line}).Message
}
