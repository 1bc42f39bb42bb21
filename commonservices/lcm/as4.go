package lcm

import (
	"context"
	"errors"
	"fmt"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/regrep"
)

// Handler is the corner behind an access point that takes submissions: service
// LifecycleManager, action SubmitObjectsRequest. The answer goes out as a new
// message, SubmitObjectsResponse or ExceptionResponse (TDD 4.7, 3.6.3).
type Handler struct {
	// Country is the Member State for which a party submits; "" for none. The
	// party is the one whose signature was verified.
	Country func(party ebms.PartyID) string
	// Of is the data set that a country changes.
	Of func(ctx context.Context, country string) (*LifecycleManager, error)
	// Send submits the answer; the method Submit of the access point.
	Send func(ctx context.Context, m *ebms.UserMessage, parts []as4.Part) (string, error)
}

// Deliver judges a submission and queues its answer. The receipt goes out when
// both are kept.
func (h *Handler) Deliver(ctx context.Context, m *as4.Message) error {
	if m.Header.Service.Value != as4.LifecycleMgmt || m.Header.Action != as4.ActionSubmit {
		return &ebms.Error{Code: ebms.ValueNotRecognized, Detail: "this corner takes submissions only"}
	}
	answer, action, err := h.answer(ctx, m)
	if err != nil {
		return err
	}
	back := &ebms.UserMessage{
		To: ebms.Party{ID: m.Partner.ID, Role: m.Header.From.Role}, Service: m.Header.Service, Action: action, ConversationID: m.Header.ConversationID,
		Properties: turned(m.Header.Properties),
	}
	_, err = h.Send(ctx, back, []as4.Part{{Type: regrep.MediaType, Content: ebms.Bytes(answer)}})
	return err
}

func (h *Handler) answer(ctx context.Context, m *as4.Message) (answer []byte, action string, err error) {
	raw, err := document(m)
	if err != nil {
		return nil, "", err
	}
	party := m.Partner.ID
	country := h.Country(party)
	if country == "" {
		answer, err = Failure(&Refusal{RequestID: requestID(raw), Faults: []Fault{{Code: BadSubmission, Rule: RuleCountry,
			Text: "the access point " + party.Value + " submits for no country here; have it registered first"}}})
		return answer, as4.ActionException, err
	}
	lm, err := h.Of(ctx, country)
	if err != nil {
		return nil, "", err
	}
	answer, _, err = lm.Answer(ctx, Author{Party: party.Value, How: ByAS4, Message: m.Header.MessageID}, country, raw)
	var refused *Refusal
	if errors.As(err, &refused) {
		return answer, as4.ActionException, nil
	}
	return answer, as4.ActionSubmitDone, err
}

// document reads the leading part.
func document(m *as4.Message) ([]byte, error) {
	if len(m.Parts) != 1 {
		return nil, &ebms.Error{Code: ebms.ValueInconsistent, Detail: "a submission has one part, the SubmitObjectsRequest"}
	}
	if n := m.Parts[0].Content.Size(); n > mostSubmitted {
		return nil, &ebms.Error{Code: ebms.ValueInconsistent, Detail: fmt.Sprintf("a submission of more than %d octets", mostSubmitted)}
	}
	return ebms.ReadAll(m.Parts[0].Content)
}

// turned exchanges original sender and final recipient.
func turned(list []ebms.Property) []ebms.Property {
	out := make([]ebms.Property, len(list))
	for i, p := range list {
		switch p.Name {
		case ebms.OriginalSender:
			p.Name = ebms.FinalRecipient
		case ebms.FinalRecipient:
			p.Name = ebms.OriginalSender
		}
		out[i] = p
	}
	return out
}
