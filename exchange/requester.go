package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/validator"
)

// RequesterConfig of the Evidence Requester. Agent and Directory are required.
type RequesterConfig struct {
	// Agent is the evidence requester, with an address; Platforms are
	// intermediary platforms named beside it.
	Agent     sdg.Agent
	Platforms []sdg.Agent
	Directory Directory
	Lines     []edm.Line // spoken here; none means 2.0 and 1.2
	Clocks    Clocks     // zero fields: RequesterClocks
	// ReturnBase is an https address under which Returned's tokens come back,
	// e.g. "https://portal.example/return/"; required for previews.
	ReturnBase string
	// Keep is how long evidence waits for the portal; 0 means 24 hours.
	Keep time.Duration
	// AskAgain is how often a deferred answer is asked for; 0 means 5.
	AskAgain int
	// Changed is told every change of an exchange, in its transaction, before
	// anybody else sees it: the place to queue a webhook. Optional.
	Changed func(ctx context.Context, x *Exchange) error
}

// Requester is an Evidence Requester: what a procedure portal talks to.
type Requester struct {
	*core
	c RequesterConfig
}

const (
	conversationKind = "conversation"
	exchangeKind     = "exchange"
)

// asked is an exchange as it is kept.
type asked struct {
	Exchange
	Subject Subject      `json:"subject"`
	To      ebms.PartyID `json:"to"`
	// First and Second are the requests as they were sent, with their headers;
	// Refusal is the exception that led to the preview.
	First, FirstHeader   []byte `json:",omitempty"`
	Second, SecondHeader []byte `json:",omitempty"`
	Refusal              []byte `json:",omitempty"`
	// Return is the token of the return address; Back that it was used.
	Return string `json:",omitempty"`
	Back   bool   `json:",omitempty"`
}

func newRequester(k *core, c RequesterConfig) (*Requester, error) {
	if c.Directory == nil || c.Agent.Identifier.Value == "" || c.Agent.Address == nil {
		return nil, errors.New("exchange: a requester needs a Directory and an Agent with identifier and address")
	}
	if c.ReturnBase != "" && !strings.HasPrefix(c.ReturnBase, "https://") {
		return nil, errors.New("exchange: ReturnBase must be an https address (R-EDM-REQ-S062)")
	}
	c.Agent.Classification = "ER"
	if len(c.Lines) == 0 {
		c.Lines = []edm.Line{edm.V20, edm.V12}
	}
	c.Clocks = c.Clocks.or(RequesterClocks)
	if c.Keep == 0 {
		c.Keep = 24 * time.Hour
	}
	if c.AskAgain == 0 {
		c.AskAgain = 5
	}
	r := &Requester{k, c}
	k.work["t1"] = func(ctx context.Context, id string) error { return r.ranOut(ctx, id, Sent, TimedOutT1) }
	k.work["t2"] = func(ctx context.Context, id string) error { return r.ranOut(ctx, id, PreviewRequired, TimedOutT2) }
	k.work["t3"] = func(ctx context.Context, id string) error { return r.ranOut(ctx, id, PreviewOpen, TimedOutT3) }
	k.work["again"] = r.again
	k.work["erase"] = r.Erase
	return r, nil
}

// In is this requester in another environment: it plans by other directories,
// and is the same node in everything else.
func (r *Requester) In(d Directory) *Requester {
	other := *r
	other.c.Directory = d
	return &other
}

// Request asks for the choices made out of a plan, all in one conversation; ""
// starts a new one. Either all requests are sent or none.
func (r *Requester) Request(ctx context.Context, conversation string, p *Plan, choices []Choice) (*Conversation, error) {
	if len(choices) == 0 {
		return nil, &Error{Reason: BadWish, Detail: "nothing is chosen"}
	}
	if conversation != "" && !isUUID(conversation) {
		return nil, &Error{Reason: BadWish, Detail: "a conversation id is a UUID"}
	}
	fresh := conversation == ""
	if fresh {
		conversation = r.NewID()
	}
	var all []*asked
	var letters []*written
	for _, c := range choices {
		x, request, err := r.compose(conversation, p, c)
		if err != nil {
			return nil, err
		}
		w, err := r.prepare(x, request)
		if err != nil {
			return nil, err
		}
		all, letters = append(all, x), append(letters, w)
	}
	err := r.Store.Atomically(ctx, func(ctx context.Context) error {
		started := Conversation{ID: conversation, StartedAt: r.Now().UTC()}
		err := r.save(ctx, true, Row{Kind: conversationKind, ID: conversation, MadeAt: started.StartedAt}, started)
		if err != nil && (fresh || !errors.Is(err, ErrKnown)) {
			return err
		}
		for i, x := range all {
			if err := r.start(ctx, x, letters[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("exchange: request: %w", err)
	}
	r.access.Wake()
	return r.Conversation(ctx, conversation)
}

// maxExchanges bounds a conversation.
const maxExchanges = 200

// start keeps a new exchange and sends its first request.
func (r *Requester) start(ctx context.Context, x *asked, w *written) error {
	x.First, x.FirstHeader = w.body, w.header
	x.Requests, x.Messages = []string{w.message.(*edm.Request).ID}, []string{w.messageID}
	x.Deadline = w.sentAt.Add(r.c.Clocks.times(len(x.Requirements)).T1)
	before, err := r.Store.Find(ctx, exchangeKind, x.Conversation, maxExchanges)
	if err != nil {
		return err
	}
	if x.Number = len(before); x.Number == maxExchanges {
		return &Error{Reason: BadWish, Detail: "the conversation has too many exchanges; start another one"}
	}
	if err := r.keep(ctx, true, x); err != nil {
		return err
	}
	if err := r.schedule(ctx, "t1", x.ID, x.Deadline); err != nil {
		return err
	}
	if err := r.post(ctx, w, x.entry(RequestSent, w.message.(*edm.Request))); err != nil {
		return err
	}
	return r.tell(ctx, x)
}

// entry begins a log entry about an exchange.
func (x *asked) entry(e Event, request *edm.Request) Entry {
	entry := Entry{Side: requesterSide, Event: e, Conversation: x.Conversation, Exchange: x.ID, Line: x.Line, Partner: x.To, Country: x.Country,
		Provider: &x.Provider, Procedure: x.Procedure, EvidenceType: x.Evidence.Classification, Subject: &x.Subject}
	if len(x.Requests) > 0 {
		entry.Request = x.Requests[len(x.Requests)-1]
	}
	if request != nil {
		entry.Request, entry.IssuedAt, entry.Requester, entry.PreviewLocation = request.ID, request.IssuedAt, request.Requester(), request.PreviewLocation
	}
	return entry
}

// compose makes an exchange and its first request out of a choice.
func (r *Requester) compose(conversation string, p *Plan, c Choice) (*asked, *edm.Request, error) {
	candidate, needs, err := p.pick(c)
	if err != nil {
		return nil, nil, err
	}
	if candidate.Line == "" {
		return nil, nil, &Error{Reason: BadWish, Detail: "the provider speaks no line that is spoken here"}
	}
	wish, record := &p.Wish, candidate.Record
	if needed := record.LevelOfAssurance; !reaches(wish.Subject.level(), needed) {
		return nil, nil, &Error{Reason: BadWish, Detail: "the provider asks for the level of assurance " + needed + " (X-46, TDD 3.1.4): let the person sign in again with it"}
	}
	provider := sdg.Agent{Identifier: candidate.Service.Publisher.Identifier, Names: candidate.Service.Publisher.Names}
	now := r.Now().UTC()
	request := &edm.Request{ID: "urn:uuid:" + r.NewID(), IssuedAt: now, Procedure: wish.Procedure,
		PossibilityForPreview: wish.Preview, ExplicitRequestGiven: wish.Explicit,
		Requesters: append([]sdg.Agent{r.c.Agent}, r.c.Platforms...), Provider: provider, Answers: candidate.Answers,
		NaturalPerson: wish.Subject.NaturalPerson, LegalPerson: wish.Subject.LegalPerson,
		Representative: wish.Subject.Representative, RepresentativeOrganisation: wish.Subject.RepresentativeOrganisation,
		Evidence: sdg.DataServiceEvidenceType{ID: record.ID, Classification: record.Classification, Titles: record.Titles, Descriptions: record.Descriptions}}
	for _, n := range needs {
		request.Requirements = append(request.Requirements, sdg.Requirement{ID: n.Requirement.ID, Names: n.Requirement.Names, Descriptions: n.Requirement.Descriptions})
	}
	request.Evidence.DistributedAs = distributions(record, c.Formats, wish)
	if len(request.Evidence.DistributedAs) == 0 {
		return nil, nil, &Error{Reason: BadWish, Detail: "the provider offers none of the formats " + strings.Join(c.Formats, ", ")}
	}
	x := &asked{Subject: wish.Subject, To: ebms.PartyID{Type: candidate.Service.Identifier.Scheme, Value: candidate.Service.Identifier.Value},
		Exchange: Exchange{ID: r.NewID(), Conversation: conversation, State: Sent, Line: candidate.Line, Procedure: wish.Procedure,
			Requirements: request.Requirements, Provider: provider, Country: wish.Country, CreatedAt: now,
			Evidence: sdg.DataServiceEvidenceType{ID: record.ID, Classification: record.Classification, Titles: record.Titles, Descriptions: record.Descriptions}}}
	return x, request, nil
}

// distributions are what the record offers, as far as it is wanted, in the
// order of the wish.
func distributions(record sdg.DataServiceEvidenceType, formats []string, wish *Wish) (out []sdg.Distribution) {
	add := func(want string) {
		for _, d := range record.DistributedAs {
			for _, f := range d.Formats {
				if want == "" || f == want {
					out = append(out, sdg.Distribution{Formats: []string{f}, ConformsTo: d.ConformsTo, Transformation: d.Transformation,
						Languages: wish.Languages, Associated: wish.Associated})
				}
			}
		}
	}
	if len(formats) == 0 {
		add("")
	}
	for _, f := range formats {
		add(f)
	}
	return out
}

// prepare fits a request to the line, writes it and judges it: what our own
// rules refuse is not sent to anybody.
func (r *Requester) prepare(x *asked, request *edm.Request) (*written, error) {
	fitted, _ := edm.Fit(request, x.Line)
	w, err := r.write(letter{message: fitted, line: x.Line, exchange: x.ID, conversation: x.Conversation, to: x.To})
	if err != nil {
		return nil, &Error{Reason: BadWish, Detail: "the request cannot be written in " + string(x.Line), Cause: err}
	}
	body := r.Judge.Validate(w.body, validator.Options{Name: "request", Kind: validator.EDMRequest})
	if why := refusal(body); why != "" {
		return nil, &Error{Reason: BadWish, Detail: why}
	}
	return w, nil
}

// keep saves an exchange.
func (r *Requester) keep(ctx context.Context, create bool, x *asked) error {
	x.ChangedAt = r.Now().UTC()
	if x.State.Ended() {
		x.Deadline = time.Time{}
	}
	keys := []string{x.Conversation}
	for _, id := range x.Requests {
		keys = append(keys, bare(id))
	}
	keys = append(keys, x.Messages...)
	if x.Return != "" {
		keys = append(keys, r.index("return", x.Return))
	}
	return r.save(ctx, create, Row{Kind: exchangeKind, ID: x.ID, State: string(x.State), MadeAt: x.CreatedAt, Keys: keys}, x)
}

// tell the portal of a change.
func (r *Requester) tell(ctx context.Context, x *asked) error {
	if r.c.Changed == nil {
		return nil
	}
	return r.c.Changed(ctx, &x.Exchange)
}

// Conversation gives a conversation with its exchanges.
func (r *Requester) Conversation(ctx context.Context, id string) (*Conversation, error) {
	var c Conversation
	if err := r.load(ctx, conversationKind, id, &c); err != nil {
		return nil, notFound(err)
	}
	rows, err := r.Store.Find(ctx, exchangeKind, id, maxExchanges)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		var x asked
		if err := r.openJSON(row.Kind+"/"+row.ID, row.Body, &x); err != nil {
			return nil, err
		}
		c.Exchanges = append(c.Exchanges, &x.Exchange)
	}
	slices.SortStableFunc(c.Exchanges, func(a, b *Exchange) int { return a.Number - b.Number })
	return &c, nil
}

// Exchange gives one exchange.
func (r *Requester) Exchange(ctx context.Context, id string) (*Exchange, error) {
	x, err := r.exchange(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}

func (r *Requester) exchange(ctx context.Context, id string) (*asked, error) {
	var x asked
	if err := r.load(ctx, exchangeKind, id, &x); err != nil {
		return nil, notFound(err)
	}
	return &x, nil
}

// notFound is ErrUnknown as callers see it.
func notFound(err error) error {
	if errors.Is(err, ErrUnknown) {
		return &Error{Reason: NotFound}
	}
	return err
}

// clockOf is the task that ends a state when nothing else does.
var clockOf = map[State]string{Sent: "t1", PreviewRequired: "t2", PreviewOpen: "t3"}

// change reads an exchange, lets f change it and saves it, in one transaction.
func (r *Requester) change(ctx context.Context, id string, f func(ctx context.Context, x *asked) error) (*Exchange, error) {
	var x *asked
	err := r.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if x, err = r.exchange(ctx, id); err != nil {
			return err
		}
		before := x.State
		if err := f(ctx, x); err != nil {
			return err
		}
		if err := r.keep(ctx, false, x); err != nil || x.State == before {
			return err
		}
		if err := r.Store.Done(ctx, clockOf[before]+":"+x.ID); err != nil {
			return err
		}
		return r.tell(ctx, x)
	})
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}

// Redirect is where to send the person's browser.
type Redirect struct {
	Location string `json:"location"`
	// Method is GET, or in 1.x what the provider asks for; Form then is to be
	// sent as a form.
	Method string            `json:"method"`
	Form   map[string]string `json:"form,omitempty"`
}

// Redirect sends the second request, without waiting for the person's decision,
// and tells where the person goes now (TDD 4.9). Called again while the preview
// is open it tells the same once more and sends nothing.
func (r *Requester) Redirect(ctx context.Context, exchange string) (*Redirect, error) {
	var to *Redirect
	_, err := r.change(ctx, exchange, func(ctx context.Context, x *asked) (err error) {
		if x.State == PreviewRequired {
			if err := r.second(ctx, x); err != nil {
				return err
			}
		}
		if x.State != PreviewOpen {
			return &Error{Reason: WrongState, Detail: "the exchange is " + string(x.State)}
		}
		to, err = x.redirect(r.c.ReturnBase + x.Return)
		return err
	})
	if err == nil {
		r.access.Wake()
	}
	return to, err
}

// second builds the second request from the stored first one: id, time, preview
// and return address alone change.
func (r *Requester) second(ctx context.Context, x *asked) error {
	if r.c.ReturnBase == "" {
		return &Error{Reason: WrongState, Detail: "no return address is configured"}
	}
	m, err := edm.Decode(x.First)
	if err != nil {
		return err
	}
	request := m.(*edm.Request)
	request.ID, request.IssuedAt = "urn:uuid:"+r.NewID(), r.Now().UTC()
	request.PreviewLocation = x.Preview.Location
	x.Return = strings.ReplaceAll(r.NewID()+r.NewID(), "-", "")
	if modern(x.Line) {
		request.ReturnLocation = r.c.ReturnBase + x.Return
	}
	w, err := r.prepare(x, request)
	if err != nil {
		return err
	}
	x.State, x.Second, x.SecondHeader = PreviewOpen, w.body, w.header
	x.Requests, x.Messages = append(x.Requests, request.ID), append(x.Messages, w.messageID)
	x.Deadline = w.sentAt.Add(r.c.Clocks.times(len(x.Requirements)).T3)
	if err := r.schedule(ctx, "t3", x.ID, x.Deadline); err != nil {
		return err
	}
	return r.post(ctx, w, x.entry(RequestSent, request))
}

// redirect adds the return address where the line has no slot for it.
func (x *asked) redirect(back string) (*Redirect, error) {
	to := &Redirect{Location: x.Preview.Location, Method: "GET"}
	if modern(x.Line) {
		return to, nil
	}
	if x.Preview.Method != "" {
		to.Method = x.Preview.Method
	}
	if to.Method != "GET" {
		to.Form = map[string]string{"returnurl": back, "returnmethod": "GET"}
		return to, nil
	}
	u, err := url.Parse(to.Location)
	if err != nil {
		return nil, &Error{Reason: Unavailable, Detail: "the preview address cannot be read", Cause: err}
	}
	q := u.Query()
	q.Set("returnurl", back)
	q.Set("returnmethod", "GET")
	u.RawQuery = q.Encode()
	to.Location = u.String()
	return to, nil
}

// Returned takes the person back at the return address with this token. An
// address is good for one return, while the preview is open and shortly after.
func (r *Requester) Returned(ctx context.Context, token string) (*Exchange, error) {
	id, err := r.locate(ctx, exchangeKind, r.index("return", token))
	if err != nil {
		return nil, notFound(err)
	}
	return r.change(ctx, id, func(ctx context.Context, x *asked) error {
		if x.Back || x.Return != token || r.Now().After(x.CreatedAt.Add(24*time.Hour)) {
			return &Error{Reason: NotFound}
		}
		x.Back = true
		return nil
	})
}

// GiveUp ends an exchange whose person does not go on. Nothing is sent
// (TDD 4.4.3): an answer that comes later is dropped.
func (r *Requester) GiveUp(ctx context.Context, exchange string) (*Exchange, error) {
	return r.change(ctx, exchange, func(ctx context.Context, x *asked) error {
		if x.State.Ended() {
			return &Error{Reason: WrongState, Detail: "the exchange is " + string(x.State)}
		}
		return r.fail(ctx, x, PersonGaveUp, Problem{Code: GivenUp})
	})
}

// fail ends an exchange without evidence.
func (r *Requester) fail(ctx context.Context, x *asked, e Event, p Problem) error {
	entry := x.entry(e, nil)
	entry.Outcome, entry.Detail = p.Code, p.Detail
	x.State, x.Problem = Failed, &p
	return r.log.write(ctx, entry)
}

// ranOut is the end of a clock: nothing is sent, the exchange failed here.
func (r *Requester) ranOut(ctx context.Context, id string, in State, code string) error {
	_, err := r.change(ctx, id, func(ctx context.Context, x *asked) error {
		if x.State != in {
			return nil
		}
		if r.Now().Before(x.Deadline) {
			return &postponed{x.Deadline}
		}
		return r.fail(ctx, x, ClockRanOut, Problem{Code: code})
	})
	if errors.Is(err, &Error{Reason: NotFound}) {
		return nil
	}
	return err
}

// undelivered ends the exchange whose request the access point gave up.
func (r *Requester) undelivered(ctx context.Context, o as4.Outgoing) (known bool, err error) {
	id, err := r.locate(ctx, exchangeKind, o.MessageID)
	if errors.Is(err, ErrUnknown) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	_, err = r.change(ctx, id, func(ctx context.Context, x *asked) error {
		if x.State.Ended() {
			return nil
		}
		return r.fail(ctx, x, Undelivered, Problem{Code: string(o.Code), Detail: o.Detail})
	})
	return true, err
}

// again asks once more for what was deferred: a new exchange in the same
// conversation (TDD 4.5.2).
func (r *Requester) again(ctx context.Context, id string) error {
	_, err := r.change(ctx, id, func(ctx context.Context, x *asked) error {
		if x.State != Deferred || x.Next != "" {
			return nil
		}
		m, err := edm.Decode(x.First)
		if err != nil {
			return err
		}
		request := m.(*edm.Request)
		request.ID, request.IssuedAt = "urn:uuid:"+r.NewID(), r.Now().UTC()
		next := &asked{Subject: x.Subject, To: x.To, Exchange: Exchange{ID: r.NewID(), Conversation: x.Conversation, State: Sent, Line: x.Line,
			Procedure: x.Procedure, Requirements: x.Requirements, Provider: x.Provider, Country: x.Country, Evidence: x.Evidence,
			CreatedAt: request.IssuedAt, Again: x.Again + 1}}
		w, err := r.prepare(next, request)
		if err != nil {
			return err
		}
		x.Next = next.ID
		return r.start(ctx, next, w)
	})
	if err == nil {
		r.access.Wake()
	}
	return err
}

// Agent is the evidence requester, as requests name it.
func (r *Requester) Agent() sdg.Agent { return r.c.Agent }
