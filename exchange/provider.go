package exchange

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/xmltree"
)

// ProviderConfig of the Evidence Provider. Services is required.
type ProviderConfig struct {
	Services []Service
	Lines    []edm.Line // spoken here; none means 2.0 and 1.2
	Clocks   Clocks     // zero fields: ProviderClocks
	Matching Matching
	Models   []*Model // of structured evidence
	// PreviewBase is the https address under which the preview space opens links,
	// e.g. "https://preview.example/p/"; required unless every service is a
	// Previewer or exempt.
	PreviewBase string
	// PreviewText is told to the person by the portal, one text per language.
	PreviewText []sdg.Text
	// Idle is how long a preview stays open without a sign of its visitor; 0 means
	// 15 minutes. Extend moves it, up to T3.
	Idle time.Duration
	// Allowed judges whether an access point may act for a requester.
	// Optional; every partner of the P-Mode may.
	Allowed func(partner ebms.PartyID, requester sdg.Identifier) bool
}

// Service is an evidence provider (EP) with what it issues.
type Service struct {
	Provider sdg.Agent // with an address
	Types    []ServedType
}

// ServedType is an evidence type of a service.
type ServedType struct {
	Classification string   // EvidenceTypeClassification
	Procedures     []string // it is issued for; none means all
	// LevelOfAssurance is the least the user must have been identified with.
	LevelOfAssurance string
	Data             DataService
}

// Provider is an Evidence Provider: what a base register and a preview space
// stand behind.
type Provider struct {
	*core
	c ProviderConfig
}

const (
	inquiryKind = "inquiry"
	replayKind  = "request"
)

// inquiry is an exchange as the provider keeps it, under the id of its first
// request.
type inquiry struct {
	ID           string // bare
	Exchange     string // ExchangeId; "" in 1.x
	Conversation string
	State        State
	Line         edm.Line
	From         ebms.PartyID
	ReceivedAt   time.Time
	SentAt       time.Time // eb:Timestamp of the first request: T1 is counted from it
	Deadline     time.Time // T1

	First, FirstHeader   []byte `json:",omitempty"`
	Second, SecondHeader []byte `json:",omitempty"`
	Refusal              []byte `json:",omitempty"` // the exception with the link

	Preview *PreviewSession `json:",omitempty"`
	Visitor string          `json:",omitempty"` // token of who was identified
	Tries   int             `json:",omitempty"` // identifications that failed
	Outcome string          `json:",omitempty"`
}

func newProvider(k *core, c ProviderConfig) (*Provider, error) {
	if len(c.Services) == 0 {
		return nil, errors.New("exchange: a provider needs Services")
	}
	for _, s := range c.Services {
		if s.Provider.Identifier.Value == "" || s.Provider.Address == nil {
			return nil, errors.New("exchange: the provider of a service needs an identifier and an address")
		}
		for _, t := range s.Types {
			if t.Data == nil {
				return nil, errors.New("exchange: the evidence type " + t.Classification + " has no data service")
			}
		}
	}
	if c.PreviewBase != "" && !strings.HasPrefix(c.PreviewBase, "https://") {
		return nil, errors.New("exchange: PreviewBase must be an https address (R-EDM-ERR)")
	}
	if len(c.Lines) == 0 {
		c.Lines = []edm.Line{edm.V20, edm.V12}
	}
	if c.Idle == 0 {
		c.Idle = 15 * time.Minute
	}
	c.Clocks = c.Clocks.or(ProviderClocks)
	p := &Provider{k, c}
	k.work["serve"] = p.serve
	k.work["late"] = p.late
	k.work["preview"] = p.previewEnds
	k.work["clear"] = p.clear
	return p, nil
}

// service finds who issues an evidence type.
func (p *Provider) service(provider sdg.Identifier, classification string) (*Service, *ServedType) {
	for i := range p.c.Services {
		s := &p.c.Services[i]
		if !edm.SameIdentifier(s.Provider.Identifier, provider) {
			continue
		}
		for j := range s.Types {
			if s.Types[j].Classification == classification {
				return s, &s.Types[j]
			}
		}
		return s, nil
	}
	return nil, nil
}

// requestMail is a request on its way through the checks.
type requestMail struct {
	*mail
	exchange, conversation string
	requester              *sdg.Agent
	id                     string // of the request, as written; "" when it has none that can be repeated
	line                   edm.Line
	provider               sdg.Agent
	request                *edm.Request
}

// take judges a request in the order of TDD 4.5.3: what cannot be answered is
// logged, what can is answered with the first thing that is wrong, and what is
// right is kept to be served.
func (p *Provider) take(ctx context.Context, m *as4.Message) error {
	drop := func(why string) error { return p.log.dropped(ctx, providerSide, m, why) }
	in, err := p.read(m)
	if err != nil {
		return drop("the request cannot be read: " + err.Error())
	}
	root := in.body.Message.Doc.Root
	if edm.KindOf(root) != edm.KindRequest {
		return drop("the root is no QueryRequest")
	}
	q := &requestMail{mail: in, conversation: xmltree.NormalizeSpace(m.Header.ConversationID), exchange: xmltree.NormalizeSpace(m.Header.Property(edm.ExchangeID))}
	if !isUUID(q.conversation) || q.exchange != "" && !isUUID(q.exchange) {
		return drop("ConversationId or ExchangeId is no UUID: it could not be copied back (R-EDM-ebMS-017, -037)")
	}
	if q.requester = p.requesterOf(root); q.requester == nil {
		return drop("there is no single, readable ER agent to answer")
	}
	q.provider = providerOf(root)
	x := p.check(q)
	if err := p.received(ctx, q, x); err != nil {
		return err
	}
	if x == nil {
		x, err = p.accept(ctx, q)
		if err != nil {
			return err
		}
	}
	if x == nil {
		return nil
	}
	return p.except(ctx, q.reply(), *x, "")
}

// requesterOf reads the one ER agent of a request without trusting the rest.
func (p *Provider) requesterOf(root *xmltree.Element) *sdg.Agent {
	var found []*sdg.Agent
	for s := range root.Each(regrep.RIM, "Slot") {
		if s.Attr("", "name") != "EvidenceRequester" {
			continue
		}
		for e := range s.Find(regrep.RIM, "SlotValue").Each(regrep.RIM, "Element") {
			a, err := sdg.Read[sdg.Agent](e.Child(sdg.Space, "Agent"), sdg.All)
			if err == nil && a.Classification == "ER" {
				found = append(found, a)
			}
		}
	}
	if len(found) != 1 || found[0].Identifier.Value == "" || found[0].Identifier.Scheme == "" || len(found[0].Names) == 0 || len(found[0].Identifier.Value) > 256 {
		return nil
	}
	for _, n := range found[0].Names {
		if n.Value == "" || len(n.Lang) != 2 {
			return nil
		}
	}
	return found[0]
}

// providerOf reads the agent that was asked, as far as it can be read.
func providerOf(root *xmltree.Element) sdg.Agent {
	for s := range root.Each(regrep.RIM, "Slot") {
		if s.Attr("", "name") == "EvidenceProvider" {
			if a, err := sdg.Read[sdg.Agent](s.Find(regrep.RIM, "SlotValue").Child(sdg.Space, "Agent"), sdg.All); err == nil {
				return *a
			}
		}
	}
	return sdg.Agent{}
}

// refuse makes an exception.
func refuse(code edm.Code, detail string) *edm.Exception {
	return &edm.Exception{Code: code, Detail: detail}
}

// check finds the first thing that is wrong with the message by itself.
func (p *Provider) check(q *requestMail) *edm.Exception {
	root := q.body.Message.Doc.Root
	id := xmltree.NormalizeSpace(root.Attr("", "id"))
	if !strings.HasPrefix(id, "urn:uuid:") || !isUUID(bare(id)) {
		q.line = p.lineToAnswer(edm.LineOf(root))
		return refuse(edm.InvalidRequest, "R-EDM-REQ-S004: the id of a request is urn:uuid: and a UUID")
	}
	q.id = id
	line := edm.LineOf(root)
	if q.line = p.lineToAnswer(line); q.line != line && q.exchange == "" {
		q.exchange = p.NewID() // our line may want one, and there is none to copy
	}
	if !slices.Contains(p.c.Lines, line) {
		return refuse(edm.InvalidRequest, "the line "+clip(string(line))+" is not spoken here (TDD 4.7 §2.6)")
	}
	if (q.exchange != "") != modern(line) {
		return refuse(edm.InvalidRequest, "R-EDM-ebMS-018, -019: ExchangeId does not belong to this line, or is missing")
	}
	if why := refusal(q.body, q.header); why != "" {
		return refuse(edm.InvalidRequest, why)
	}
	step := &validator.Step{Message: q.body.Message, Header: q.header.Message}
	if why := refusal(p.Judge.Compare(validator.Conversation{Steps: []*validator.Step{step}})); why != "" {
		return refuse(edm.InvalidRequest, why)
	}
	message, err := edm.DecodeTree(q.body.Message.Doc)
	if err != nil {
		var x *edm.Exception
		if errors.As(err, &x) {
			return refuse(edm.InvalidRequest, x.Detail)
		}
		return refuse(edm.InvalidRequest, "")
	}
	q.request = message.(*edm.Request)
	q.provider = q.request.Provider
	return nil
}

// lineToAnswer is the line of a reply: that of the request, in which it is
// refused too where it is not spoken here; ours for a line that does not exist.
func (p *Provider) lineToAnswer(line edm.Line) edm.Line {
	if slices.Contains(edm.Lines(), line) {
		return line
	}
	return p.c.Lines[0]
}

// received writes the log entry of a request.
func (p *Provider) received(ctx context.Context, q *requestMail, x *edm.Exception) error {
	e := Entry{Side: providerSide, Event: RequestReceived, Request: q.id, Message: q.Header.MessageID, Conversation: q.conversation, Exchange: q.exchange,
		Line: q.line, Partner: q.Partner.ID, Country: countryOf(q.requester), Requester: q.requester, SentAt: q.Header.Timestamp, MediaType: edm.MediaType, Document: q.raw}
	if r := q.request; r != nil {
		s := (&Query{Request: r}).Subject()
		e.Provider, e.Procedure, e.EvidenceType, e.IssuedAt, e.PreviewLocation, e.Subject = &r.Provider, r.Procedure, r.Evidence.Classification, r.IssuedAt, r.PreviewLocation, &s
	}
	if x != nil {
		e.Outcome, e.Detail = string(x.Code), x.Detail
	}
	return p.log.write(ctx, e)
}

// accept keeps a request that is right by itself: as the beginning of an
// inquiry, or as the second request of one.
func (p *Provider) accept(ctx context.Context, q *requestMail) (*edm.Exception, error) {
	now := p.Now().UTC()
	err := p.Store.Create(ctx, Row{Kind: replayKind, ID: strings.ToLower(bare(q.id)), MadeAt: now})
	if errors.Is(err, ErrKnown) {
		return refuse(edm.InvalidRequest, "R-EDM-REQ-S004: a request with this id was received before (TDD 4.10)"), nil
	} else if err != nil {
		return nil, err
	}
	s, t := p.service(q.provider.Identifier, q.request.Evidence.Classification)
	switch {
	case s == nil:
		return refuse(edm.UnresolvedReference, "X-47: the provider is not one of ours"), nil
	case t == nil:
		return refuse(edm.UnresolvedReference, "X-47: the provider does not issue this evidence type"), nil
	case p.c.Allowed != nil && !p.c.Allowed(q.Partner.ID, q.requester.Identifier):
		return refuse(edm.AuthenticationFailed, "X-48: the access point may not act for this requester"), nil
	case len(t.Procedures) > 0 && !slices.Contains(t.Procedures, q.request.Procedure):
		return refuse(edm.ObjectNotFound, "the evidence is not issued for this procedure"), nil
	case !reaches((&Query{Request: q.request}).Subject().level(), t.LevelOfAssurance):
		return refuse(edm.AuthenticationFailed, "X-46: the evidence type asks for the level of assurance "+t.LevelOfAssurance), nil
	}
	if q.request.Second() {
		return p.second(ctx, q)
	}
	i := &inquiry{ID: strings.ToLower(bare(q.id)), Exchange: q.exchange, Conversation: q.conversation, State: Received, Line: q.line, From: q.Partner.ID,
		ReceivedAt: now, SentAt: q.Header.Timestamp, First: q.raw, FirstHeader: q.Envelope}
	i.Deadline = i.SentAt.Add(p.c.Clocks.times(len(q.request.Requirements)).T1)
	if err := p.keep(ctx, true, i); err != nil {
		return nil, err
	}
	if err := p.schedule(ctx, "serve", i.ID, now); err != nil {
		return nil, err
	}
	return nil, p.schedule(ctx, "late", i.ID, i.Deadline)
}

func (p *Provider) keep(ctx context.Context, create bool, i *inquiry) error {
	keys := []string{i.Conversation}
	if i.Exchange != "" {
		keys = append(keys, i.Exchange)
	}
	if i.Preview != nil {
		keys = append(keys, "session:"+i.Preview.ID, p.index("link", i.Preview.Location))
	}
	return p.save(ctx, create, Row{Kind: inquiryKind, ID: i.ID, State: string(i.State), MadeAt: i.ReceivedAt, Keys: keys}, i)
}

// change reads an inquiry, lets f change it and saves it, in one transaction.
func (p *Provider) change(ctx context.Context, id string, f func(ctx context.Context, i *inquiry) error) error {
	return p.Store.Atomically(ctx, func(ctx context.Context) error {
		var i inquiry
		if err := p.load(ctx, inquiryKind, id, &i); err != nil {
			return err
		}
		if err := f(ctx, &i); err != nil {
			return err
		}
		return p.keep(ctx, false, &i)
	})
}

// reply is what an answer needs to know of its request.
type reply struct {
	request, exchange, conversation string
	line                            edm.Line
	to                              ebms.PartyID
	requester                       sdg.Agent
	provider                        sdg.Agent
	about                           *edm.Request // nil when it could not be read
}

func (q *requestMail) reply() reply {
	return reply{q.id, q.exchange, q.conversation, q.line, q.Partner.ID, *q.requester, q.provider, q.request}
}

// replyTo the first or the second request of an inquiry.
func (i *inquiry) replyTo(r *edm.Request) reply {
	return reply{r.ID, i.Exchange, i.Conversation, i.Line, i.From, *r.Requester(), r.Provider, r}
}

// open decodes the request that is to be answered now.
func (i *inquiry) open() (*edm.Request, error) {
	src := i.First
	if i.Second != nil {
		src = i.Second
	}
	m, err := edm.Decode(src)
	if err != nil {
		return nil, err
	}
	return m.(*edm.Request), nil
}

// named is the requester as an answer repeats it: identifier and names.
func named(a sdg.Agent) sdg.Agent { return sdg.Agent{Identifier: a.Identifier, Names: a.Names} }

// agent is the provider of a reply with its address, ours where it is known,
// classified; the first of ours stands for one that could not be read.
func (p *Provider) agent(r reply, classification string) sdg.Agent {
	a := p.c.Services[0].Provider
	for _, s := range p.c.Services {
		if edm.SameIdentifier(s.Provider.Identifier, r.provider.Identifier) {
			a = s.Provider
		}
	}
	a.Classification = classification
	return a
}

// except sends an Error Response.
func (p *Provider) except(ctx context.Context, r reply, x edm.Exception, preview string) error {
	_, err := p.sendException(ctx, r, x, preview)
	return err
}

func (p *Provider) sendException(ctx context.Context, r reply, x edm.Exception, preview string) (*written, error) {
	requester := named(r.requester)
	x.At = p.Now().UTC()
	if r.request == "" && x.Code == "" {
		x.Code = edm.InvalidRequest
	}
	a := &edm.ErrorResponse{ID: p.NewID(), RequestID: r.request, Provider: p.agent(r, "ERRP"), Requester: &requester, Exceptions: []edm.Exception{x}}
	message, _ := edm.Fit(a, r.line)
	w, err := p.write(letter{message: message, line: r.line, exchange: r.exchange, conversation: r.conversation, to: r.to, sender: r.provider.Identifier})
	if err == nil {
		e := p.entry(r, AnswerSent)
		e.Response, e.Outcome, e.Detail, e.PreviewLocation = a.ID, string(x.Code), x.Detail, preview
		err = p.post(ctx, w, e)
	}
	if x.Cause != nil {
		p.Logger.Warn("exception sent", "conversation", r.conversation, "exchange", r.exchange, "code", string(x.Code), "error", x.Cause)
	}
	return w, p.unsendable(ctx, r, err)
}

func (p *Provider) entry(r reply, event Event) Entry {
	e := Entry{Side: providerSide, Event: event, Request: r.request, Conversation: r.conversation, Exchange: r.exchange, Line: r.line, Partner: r.to, Country: countryOf(&r.requester), Requester: &r.requester}
	if r.provider.Identifier.Value != "" {
		e.Provider = &r.provider
	}
	if r.about != nil {
		s := (&Query{Request: r.about}).Subject()
		e.Procedure, e.EvidenceType, e.Subject = r.about.Procedure, r.about.Evidence.Classification, &s
	}
	return e
}

// countryOf an agent, "" when it has no address.
func countryOf(a *sdg.Agent) string {
	if a.Address == nil {
		return ""
	}
	return a.Address.AdminUnitLevel1
}

// unsendable logs an answer that the access point would never take, so that the
// request is not taken again and again.
func (p *Provider) unsendable(ctx context.Context, r reply, err error) error {
	if err == nil || !refusedByAccessPoint(err) {
		return err
	}
	e := p.entry(r, Undelivered)
	e.Detail = err.Error()
	p.Logger.Error("answer cannot be sent", "conversation", r.conversation, "exchange", r.exchange, "error", err)
	return p.log.write(ctx, e)
}

// serve asks the data service for a request that was kept, and answers it.
func (p *Provider) serve(ctx context.Context, id string) error {
	var i inquiry
	if err := p.load(ctx, inquiryKind, id, &i); err != nil {
		if errors.Is(err, ErrUnknown) {
			return nil
		}
		return err
	}
	if i.State != Received {
		return nil
	}
	request, err := i.open()
	if err != nil {
		return err
	}
	found, x := p.find(ctx, &i, request, i.Deadline)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = p.change(ctx, id, func(ctx context.Context, i *inquiry) error {
		if i.State != Received {
			return nil // T1 was faster
		}
		if err := p.Store.Done(ctx, "late:"+id); err != nil {
			return err
		}
		if !p.Now().Before(i.Deadline) {
			x = refuse(edm.Timeout, "T1 ran out (TDD 4.4.3)")
		}
		switch {
		case x != nil:
			i.State, i.Outcome = Answered, string(x.Code)
			return p.except(ctx, i.replyTo(request), *x, "")
		case !found.availableAt.IsZero():
			i.State, i.Outcome = Answered, Later
			return p.respond(ctx, i, request, nil, found.availableAt)
		case request.PossibilityForPreview:
			return p.issue(ctx, i, request)
		}
		i.State, i.Outcome = Answered, Success
		return p.respond(ctx, i, request, found.contents, time.Time{})
	})
	if err == nil {
		p.access.Wake()
	}
	return err
}

// late is T1 at the provider: an answer in time is worth more than a good one.
func (p *Provider) late(ctx context.Context, id string) error {
	err := p.change(ctx, id, func(ctx context.Context, i *inquiry) error {
		if i.State != Received {
			return nil
		}
		request, err := i.open()
		if err != nil {
			return err
		}
		i.State, i.Outcome = Answered, string(edm.Timeout)
		return p.except(ctx, i.replyTo(request), *refuse(edm.Timeout, "T1 ran out (TDD 4.4.3)"), "")
	})
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	p.access.Wake()
	return err
}

// httpsLocation tells whether a preview address may be sent.
func httpsLocation(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != ""
}
