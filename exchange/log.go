package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
)

// Log is the exchange log of Article 17 of Regulation (EU) 2022/1463 (TDD 4.8):
// who asked whom for what, when, with which end. Each entry is written before
// the effect that it tells of, in the same transaction. An entry is sealed as a
// whole; it is found again by identifiers, and by a person through a blind
// index, which is recorded.
type Log struct {
	*core
	count atomic.Uint32
}

// LogKept is how long entries are kept: the twelve months that the Regulation
// asks, no longer.
const LogKept = 365 * 24 * time.Hour

// Sides of an entry.
const (
	requesterSide = "requester"
	providerSide  = "provider"
)

// Event is what an entry tells of.
type Event string

const (
	RequestSent     Event = "request_sent"
	RequestReceived Event = "request_received"
	AnswerSent      Event = "answer_sent"
	AnswerReceived  Event = "answer_received"
	Dropped         Event = "dropped" // received, and refused without an answer
	Undelivered     Event = "undelivered"
	ClockRanOut     Event = "clock_ran_out"
	PreviewEvent    Event = "preview"     // a visit, an identification, a decision
	HandedOver      Event = "handed_over" // evidence to the portal, and erased here
	PersonGaveUp    Event = "given_up"
)

// Entry is one line of the log. The evidence itself is never part of it.
type Entry struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Side  string    `json:"side"` // requester, provider
	Event Event     `json:"event"`

	Request      string `json:"request,omitempty"`  // QueryRequest/@id
	Response     string `json:"response,omitempty"` // EvidenceResponseIdentifier
	Message      string `json:"message,omitempty"`  // eb:MessageId
	Conversation string `json:"conversation,omitempty"`
	Exchange     string `json:"exchange,omitempty"`

	Line         edm.Line     `json:"line,omitempty"`
	Partner      ebms.PartyID `json:"partner,omitzero"`  // access point of the other side
	Country      string       `json:"country,omitempty"` // of the other side
	Requester    *sdg.Agent   `json:"requester,omitempty"`
	Provider     *sdg.Agent   `json:"provider,omitempty"`
	Procedure    string       `json:"procedure,omitempty"`
	EvidenceType string       `json:"evidenceType,omitempty"` // EvidenceTypeClassification
	Evidence     []LoggedPart `json:"evidence,omitempty"`

	IssuedAt time.Time `json:"issuedAt,omitzero"` // of the body
	SentAt   time.Time `json:"sentAt,omitzero"`   // of the ebMS header
	// Outcome is success, no_evidence, deferred, an EDM:ERR or EBMS code, T1 to T3.
	Outcome string `json:"outcome,omitempty"`
	Detail  string `json:"detail,omitempty"`

	Subject         *Subject `json:"subject,omitempty"`
	PreviewLocation string   `json:"previewLocation,omitempty"`
	// Identified is the identity source of a preview, and the attributes that
	// were compared.
	Identified string `json:"identified,omitempty"`
	MediaType  string `json:"mediaType,omitempty"`
	Document   []byte `json:"document,omitempty"` // the whole first part
}

// LoggedPart is a document by its identifiers and digest.
type LoggedPart struct {
	ID        string `json:"id"`
	ContentID string `json:"contentId"`
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"` // hexadecimal
}

// Outcomes that are no code.
const (
	Success    = "success"
	NoEvidence = "no_evidence"
	Later      = "deferred"
)

const (
	logKind    = "log"
	accessKind = "log_access"
)

// write keeps an entry.
func (l *Log) write(ctx context.Context, e Entry) error {
	e.At = l.Now().UTC()
	// Entries of one instant stay in their order.
	e.ID = fmt.Sprintf("%015d-%08x-%s", e.At.UnixMilli(), l.count.Add(1), l.NewID())
	var keys []string
	for _, id := range []string{e.Request, e.Response, e.Message, e.Conversation, e.Exchange} {
		if id != "" {
			keys = append(keys, bare(id))
		}
	}
	for _, p := range e.Evidence {
		keys = append(keys, p.ID)
	}
	if e.Subject != nil {
		keys = append(keys, l.persons(*e.Subject)...)
	}
	slices.Sort(keys)
	return l.save(ctx, true, Row{Kind: logKind, ID: e.ID, State: string(e.Event), MadeAt: e.At, Keys: slices.Compact(keys)}, e)
}

// persons are the blind indexes of everybody that a subject names.
func (l *Log) persons(s Subject) (keys []string) {
	for _, p := range []*sdg.Person{s.NaturalPerson, s.Representative} {
		if p == nil {
			continue
		}
		keys = append(keys, l.index("person", plain(p.FamilyName), plain(p.GivenName), p.DateOfBirth))
		if p.Identifier != nil {
			keys = append(keys, l.index("eidas", eidasPerson(p.Identifier.Value)))
		}
	}
	for _, o := range []*sdg.LegalPerson{s.LegalPerson, s.RepresentativeOrganisation} {
		if o != nil && o.LegalIdentifier != nil {
			keys = append(keys, l.index("eidas", eidasPerson(o.LegalIdentifier.Value)))
		}
	}
	return keys
}

// dropped tells of a message that is not answered.
func (l *Log) dropped(ctx context.Context, side string, m *as4.Message, why string) error {
	e := Entry{Side: side, Event: Dropped, Message: m.Header.MessageID, Conversation: clip(m.Header.ConversationID), Exchange: clip(m.Header.Property("ExchangeId")),
		Partner: m.Partner.ID, SentAt: m.Header.Timestamp, Detail: why}
	for _, p := range m.Parts {
		if p.Content.Size() <= maxDocument && p.Type == edm.MediaType {
			e.MediaType = p.Type
			if b, err := io.ReadAll(io.LimitReader(p.Content.NewReader(), maxDocument)); err == nil {
				e.Document = b
			}
			break
		}
	}
	l.Logger.Warn("message dropped", "message", m.Header.MessageID, "party", m.Partner.ID.Value, "side", side, "reason", why)
	return l.write(ctx, e)
}

// clip bounds foreign text that becomes a key.
func clip(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return s
}

// Find gives the entries with an identifier: of a request, response, message,
// conversation, exchange or evidence; at most 500.
func (l *Log) Find(ctx context.Context, identifier string) ([]Entry, error) {
	rows, err := l.Store.Find(ctx, logKind, bare(identifier), 500)
	if err != nil {
		return nil, err
	}
	return l.entries(rows)
}

func (l *Log) entries(rows []Row) ([]Entry, error) {
	all := make([]Entry, len(rows))
	for i, r := range rows {
		if err := l.openJSON(r.Kind+"/"+r.ID, r.Body, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Access is a look into the log that is itself recorded.
type Access struct {
	At  time.Time `json:"at"`
	Who string    `json:"who"` // an account or an authority, as the caller knows it
	Why string    `json:"why"` // a case number, a request of another authority
	// What was asked: identifiers, or "person".
	What    []string `json:"what"`
	Entries int      `json:"entries"`
}

// Person gives the entries about a person. Who asks, and why, is recorded
// first.
func (l *Log) Person(ctx context.Context, a Access, s Subject) (found []Entry, err error) {
	keys := l.persons(s)
	if len(keys) == 0 {
		return nil, &Error{Reason: BadWish, Detail: "name a person by family name, given name and date of birth, or by an identifier"}
	}
	seen := map[string]bool{}
	for _, key := range keys {
		rows, err := l.Store.Find(ctx, logKind, key, 500)
		if err != nil {
			return nil, err
		}
		entries, err := l.entries(rows)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !seen[e.ID] {
				seen[e.ID] = true
				found = append(found, e)
			}
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return a.At.Compare(b.At) })
	a.What = []string{"person"}
	return found, l.accessed(ctx, a, len(found))
}

// Export writes the entries with any of the identifiers for another authority
// (Art. 17(5)), a JSON object a line, in the order of time. It is recorded.
func (l *Log) Export(ctx context.Context, a Access, identifiers []string, w io.Writer) error {
	seen := map[string]bool{}
	var found []Entry
	for _, id := range identifiers {
		entries, err := l.Find(ctx, id)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !seen[e.ID] {
				seen[e.ID] = true
				found = append(found, e)
			}
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return a.At.Compare(b.At) })
	a.What = identifiers
	if err := l.accessed(ctx, a, len(found)); err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	for i := range found {
		if err := enc.Encode(&found[i]); err != nil {
			return err
		}
	}
	return nil
}

// accessed records a look, and refuses one that nobody answers for.
func (l *Log) accessed(ctx context.Context, a Access, entries int) error {
	if a.Who == "" || a.Why == "" {
		return &Error{Reason: BadWish, Detail: "say who looks into the log, and why"}
	}
	a.At, a.Entries = l.Now().UTC(), entries
	return l.save(ctx, true, Row{Kind: accessKind, ID: l.NewID(), State: "access", MadeAt: a.At}, a)
}

// Accesses are the looks recorded in [from, until).
func (l *Log) Accesses(ctx context.Context, from, until time.Time) (all []Access, err error) {
	err = l.Store.Each(ctx, accessKind, from, until, func(r Row) error {
		var a Access
		err := l.openJSON(r.Kind+"/"+r.ID, r.Body, &a)
		all = append(all, a)
		return err
	})
	return all, err
}

// Purge forgets entries older than LogKept, and everything else that was kept
// for them.
func (l *Log) Purge(ctx context.Context) (entries int, err error) {
	before := l.Now().Add(-LogKept)
	entries, err = l.Store.Forget(ctx, logKind, before)
	for _, kind := range []string{accessKind, exchangeKind, conversationKind, inquiryKind, replayKind} {
		_, e := l.Store.Forget(ctx, kind, before)
		err = errors.Join(err, e)
	}
	return entries, err
}

// purge is Purge once a day.
func (l *Log) purge(ctx context.Context, _ string) error {
	if _, err := l.Purge(ctx); err != nil {
		return err
	}
	return &postponed{l.Now().Add(24 * time.Hour)}
}
