package dataservice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/webhook"
)

// Callback asks a national system by an HTTP POST that is signed, and takes an
// answer that is signed with the same secret (the scheme of package webhook:
// headers Webhook-Id, Webhook-Timestamp and Webhook-Signature). The id is that
// of the request: the same question may come twice after a crash and wants the
// same answer.
type Callback struct {
	URL    string // https, or http on a loopback address
	Secret string
	Client *http.Client     // optional; follows no redirects, 30 s
	Now    func() time.Time // optional; time.Now
}

// CallbackQuestion is the body of the POST.
type CallbackQuestion struct {
	Request       string                      `json:"request"`
	Conversation  string                      `json:"conversation"`
	Exchange      string                      `json:"exchange,omitempty"`
	Procedure     string                      `json:"procedure"`
	EvidenceType  string                      `json:"evidenceType"`
	Requester     *sdg.Agent                  `json:"requester"`
	Provider      sdg.Agent                   `json:"provider"`
	Subject       exchange.Subject            `json:"subject"`
	Answers       []sdg.ClassificationConcept `json:"answers,omitempty"`
	Distributions []sdg.Distribution          `json:"distributions"`
	Deadline      time.Time                   `json:"deadline"`
}

// CallbackAnswer is the body of the answer. Error is one of the codes
// EDM:ERR:0001, 0004, 0005, 0007 and 0008, instead of records.
type CallbackAnswer struct {
	Records     []exchange.Record `json:"records"`
	AvailableAt time.Time         `json:"availableAt,omitzero"`
	Error       edm.Code          `json:"error,omitempty"`
}

// skew is how far the clocks of both systems may be apart.
const skew = 5 * time.Minute

// Records asks.
func (c Callback) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	r := q.Request
	body, err := json.Marshal(CallbackQuestion{Request: r.ID, Conversation: q.Conversation, Exchange: q.Exchange, Procedure: r.Procedure,
		EvidenceType: r.Evidence.Classification, Requester: r.Requester(), Provider: r.Provider, Subject: q.Subject(), Answers: r.Answers,
		Distributions: r.Evidence.DistributedAs, Deadline: q.Deadline})
	if err != nil {
		return nil, err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("callback: %w", err)
	}
	at := strconv.FormatInt(now().Unix(), 10)
	post.Header.Set("Content-Type", "application/json")
	post.Header.Set("Webhook-Id", r.ID)
	post.Header.Set("Webhook-Timestamp", at)
	post.Header.Set("Webhook-Signature", webhook.Signature(c.Secret, r.ID, at, body))
	status, header, answered, err := do(c.Client, post)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("callback: status %d", status)
	}
	if err := c.verify(header, r.ID, answered, now()); err != nil {
		return nil, err
	}
	var a CallbackAnswer
	if err := json.Unmarshal(answered, &a); err != nil {
		return nil, errors.New("callback: the answer is no JSON of the described form")
	}
	if a.Error != "" {
		if a.Error.Type() == "" {
			return nil, errors.New("callback: the answer has an unknown error code")
		}
		return nil, &edm.Exception{Code: a.Error}
	}
	if len(a.Records) > MaxRecords {
		return nil, errTooMuch
	}
	return &exchange.Records{All: a.Records, AvailableAt: a.AvailableAt}, nil
}

// verify holds an answer to its signature.
func (c Callback) verify(h http.Header, id string, body []byte, now time.Time) error {
	at := h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > skew {
		return errors.New("callback: the answer's Webhook-Timestamp is missing or too far from our clock")
	}
	if !hmac.Equal([]byte(h.Get("Webhook-Signature")), []byte(webhook.Signature(c.Secret, id, at, body))) {
		return errors.New("callback: the answer is not signed with the secret that was agreed")
	}
	return nil
}
