package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/xmltree"
)

// issue makes a preview session and sends EDM:ERR:0002 with its link.
func (p *Provider) issue(ctx context.Context, i *inquiry, request *edm.Request) error {
	now := p.Now().UTC()
	clocks := p.c.Clocks.times(len(request.Requirements))
	_, t := p.service(request.Provider.Identifier, request.Evidence.Classification)
	s := &PreviewSession{ID: p.NewID(), Exchange: i.Exchange, Conversation: i.Conversation, State: Issued, Line: i.Line,
		Requester: named(*request.Requester()), Provider: request.Provider, Procedure: request.Procedure, Evidence: request.Evidence,
		Subject:  (&Query{Request: request}).Subject(),
		IssuedAt: now, Expires: now.Add(clocks.T2), Until: now.Add(clocks.T2 + clocks.T3)}
	s.Location = p.c.PreviewBase + s.ID
	var err error
	if own, ok := t.Data.(Previewer); ok {
		s.Location, err = own.PreviewLocation(ctx, s)
	}
	if err != nil || !httpsLocation(s.Location) {
		i.State, i.Outcome = Answered, string(edm.QueryFailed)
		return p.except(ctx, i.replyTo(request), edm.Exception{Code: edm.QueryFailed, Detail: "no preview can be offered", Cause: err}, "")
	}
	i.State, i.Preview = LinkIssued, s
	x := edm.Exception{Code: edm.AuthorizationMissing, PreviewLocation: s.Location, PreviewDescription: p.c.PreviewText, PreviewMethod: "GET"}
	w, err := p.sendException(ctx, i.replyTo(request), x, s.Location)
	if err != nil {
		return err
	}
	i.Refusal = w.body
	return p.schedule(ctx, "preview", i.ID, s.Expires)
}

// second takes the second request of a preview: the link must be ours, of the
// same exchange and requester, not answered, not expired, and the content that
// of the first request.
func (p *Provider) second(ctx context.Context, q *requestMail) (*edm.Exception, error) {
	id, err := p.locate(ctx, inquiryKind, p.index("link", xmltree.NormalizeSpace(q.request.PreviewLocation)))
	if errors.Is(err, ErrUnknown) {
		return refuse(edm.InvalidRequest, "X-32: the PreviewLocation was not issued here"), nil
	} else if err != nil {
		return nil, err
	}
	var x *edm.Exception
	err = p.change(ctx, id, func(ctx context.Context, i *inquiry) error {
		if x = p.belongs(i, q); x != nil {
			return nil
		}
		s := i.Preview
		switch i.State {
		case Expired:
			x = refuse(edm.Timeout, "X-35: the preview has expired (TDD 4.4.3)")
			return nil
		case LinkIssued:
		default:
			x = refuse(edm.InvalidRequest, "X-35: the preview has a second request already")
			return nil
		}
		i.State, i.Second, i.SecondHeader = Held, q.raw, q.Envelope
		s.ReturnLocation = q.request.ReturnLocation
		s.Until = q.Header.Timestamp.UTC().Add(p.c.Clocks.times(len(q.request.Requirements)).T3)
		if s.State == Decided {
			return p.answerDecision(ctx, i)
		}
		return p.schedule(ctx, "preview", i.ID, s.Expires)
	})
	return x, err
}

// belongs holds a second request to the first one.
func (p *Provider) belongs(i *inquiry, q *requestMail) *edm.Exception {
	if q.Partner.ID != i.From {
		return refuse(edm.InvalidRequest, "X-35: the PreviewLocation was issued to another requester")
	}
	line := q.body.Lines
	step := &validator.Step{Message: q.body.Message, Header: q.header.Message,
		First:       p.judged("first request", i.First, validator.EDMRequest, 0),
		FirstHeader: p.judged("first header", i.FirstHeader, validator.EBMSHeader, line),
		Exception:   p.judged("exception", i.Refusal, validator.EDMError, 0)}
	if why := refusal(p.Judge.Compare(validator.Conversation{Steps: []*validator.Step{step}})); why != "" {
		return refuse(edm.InvalidRequest, why)
	}
	return nil
}

// session finds a preview by its id and lets f change it. Nothing tells whether
// a session that may not be seen exists.
func (p *Provider) session(ctx context.Context, id string, f func(ctx context.Context, i *inquiry) error) (*PreviewSession, error) {
	at, err := p.locate(ctx, inquiryKind, "session:"+id)
	if err != nil {
		return nil, notFound(err)
	}
	var s *PreviewSession
	var told error
	err = p.change(ctx, at, func(ctx context.Context, i *inquiry) error {
		s = i.Preview
		if i.State.Ended() && s.State != Decided || !p.Now().Before(s.Expires) && s.State != Decided {
			return &Error{Reason: NotFound}
		}
		// What f tells the visitor is kept from undoing what it wrote.
		err := f(ctx, i)
		var e *Error
		if errors.As(err, &e) {
			told = err
			return nil
		}
		return err
	})
	if err == nil {
		err = told
	}
	if err != nil {
		return nil, notFound(err)
	}
	copied := *s
	if s.State == Issued || s.State == Visited {
		copied.Subject = Subject{} // for nobody's eyes yet
	}
	return &copied, nil
}

// Open follows a link: the first visit must come within T2.
func (p *Provider) Open(ctx context.Context, session string) (*PreviewSession, error) {
	return p.session(ctx, session, func(ctx context.Context, i *inquiry) error {
		s := i.Preview
		if s.State != Issued {
			return nil
		}
		s.State = Visited
		p.prolong(s)
		if err := p.schedule(ctx, "preview", i.ID, s.Expires); err != nil {
			return err
		}
		return p.told(ctx, i, "visited", "")
	})
}

// prolong moves the end of a session, as far as the clocks allow.
func (p *Provider) prolong(s *PreviewSession) {
	if at := p.Now().UTC().Add(p.c.Idle); at.After(s.Expires) || s.Expires.After(s.Until) {
		s.Expires = at
	}
	if s.Expires.After(s.Until) {
		s.Expires = s.Until
	}
}

// told writes what happens in a preview into the log.
func (p *Provider) told(ctx context.Context, i *inquiry, what, source string) error {
	request, err := i.open()
	if err != nil {
		return err
	}
	e := p.entry(i.replyTo(request), PreviewEvent)
	e.Outcome, e.PreviewLocation, e.Identified = what, i.Preview.Location, source
	return p.log.write(ctx, e)
}

// maxTries is how many wrong persons end a preview.
const maxTries = 5

// Identify says who came. It must be the subject of the request, or who acts
// for it; then the evidence is fetched, as it will be shown and sent. The token
// is the visitor's and goes with every further step.
func (p *Provider) Identify(ctx context.Context, session string, who Identity) (s *PreviewSession, visitor string, err error) {
	var request *edm.Request
	var before inquiry
	_, err = p.session(ctx, session, func(ctx context.Context, i *inquiry) (err error) {
		if request, err = i.open(); err != nil {
			return err
		}
		if i.Preview.State == Decided {
			return &Error{Reason: WrongState, Detail: "the decision was made"}
		}
		_, t := p.service(request.Provider.Identifier, request.Evidence.Classification)
		if p.c.Matching.visitor(who, i.Preview.Subject) && t != nil && reaches(who.LevelOfAssurance, t.LevelOfAssurance) {
			before = *i
			return p.told(ctx, i, "identified", who.Source+": family name, given name, date of birth"+also(who))
		}
		i.Tries++
		if err := p.told(ctx, i, "not identified", who.Source); err != nil {
			return err
		}
		if i.Tries >= maxTries {
			if err := p.end(ctx, i, request, *refuse(edm.AuthenticationFailed, "")); err != nil {
				return err
			}
		}
		return &Error{Reason: NotThisPerson}
	})
	if err != nil {
		return nil, "", err
	}
	found, x := p.find(ctx, &before, request, before.Preview.Until)
	if x != nil && x.Code == edm.QueryFailed {
		return nil, "", &Error{Reason: Unavailable, Detail: "the register does not answer; try again", Cause: x}
	}
	visitor = strings.ReplaceAll(p.NewID()+p.NewID(), "-", "")
	s, err = p.session(ctx, session, func(ctx context.Context, i *inquiry) error {
		if i.Preview.State == Decided || i.State.Ended() {
			return &Error{Reason: WrongState, Detail: "the decision was made"}
		}
		i.Preview.State, i.Visitor = Identified, visitor
		before.Preview.Documents, i.Preview.Documents = i.Preview.Documents, nil
		if x == nil {
			for _, c := range found.contents {
				if err := p.put(ctx, previewKey(session, c.ID), c.Data); err != nil {
					return err
				}
				i.Preview.Documents = append(i.Preview.Documents, c.Document)
			}
		}
		p.prolong(i.Preview)
		return p.schedule(ctx, "preview", i.ID, i.Preview.Expires)
	})
	if err != nil {
		return nil, "", err
	}
	return s, visitor, p.drop(ctx, session, before.Preview.Documents)
}

// drop erases documents of a preview.
func (p *Provider) drop(ctx context.Context, session string, all []Document) (err error) {
	for _, d := range all {
		err = errors.Join(err, p.remove(ctx, previewKey(session, d.ID)))
	}
	return err
}

func also(who Identity) string {
	if who.Identifier == "" {
		return ""
	}
	return ", identifier"
}

// previewKey names a document of a preview: each fetch has documents of its own,
// so that what one visitor saw is never changed by the next.
func previewKey(session, document string) string { return "preview/" + session + "/" + document }

// visit is session for whoever was identified.
func (p *Provider) visit(ctx context.Context, session, visitor string, f func(ctx context.Context, i *inquiry) error) (*PreviewSession, error) {
	return p.session(ctx, session, func(ctx context.Context, i *inquiry) error {
		if visitor == "" || i.Visitor != visitor {
			return &Error{Reason: NotFound}
		}
		return f(ctx, i)
	})
}

// Session is the session as its visitor may see it, after the decision too.
func (p *Provider) Session(ctx context.Context, session, visitor string) (*PreviewSession, error) {
	return p.visit(ctx, session, visitor, func(context.Context, *inquiry) error { return nil })
}

// Extend gives the visitor more time, up to T3.
func (p *Provider) Extend(ctx context.Context, session, visitor string) (*PreviewSession, error) {
	return p.visit(ctx, session, visitor, func(_ context.Context, i *inquiry) error {
		if i.Preview.State == Decided {
			return &Error{Reason: WrongState, Detail: "the decision was made"}
		}
		p.prolong(i.Preview) // the clock finds the new end when the old one comes
		return nil
	})
}

// Show gives one document, with the octets that would be sent.
func (p *Provider) Show(ctx context.Context, session, visitor, document string) (*Content, error) {
	at := -1
	s, err := p.visit(ctx, session, visitor, func(_ context.Context, i *inquiry) error {
		at = slices.IndexFunc(i.Preview.Documents, func(d Document) bool { return d.ID == document })
		if at < 0 || i.Preview.State == Decided {
			return &Error{Reason: NotFound}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	data, err := p.get(ctx, previewKey(session, document))
	if err != nil {
		return nil, &Error{Reason: Unavailable, Detail: "the document cannot be read", Cause: err}
	}
	return &Content{s.Documents[at], data}, nil
}

// Decide is the person's decision. It is final, and the answer to the second
// request leaves with it, or as soon as that request is here.
func (p *Provider) Decide(ctx context.Context, session, visitor string, d Decision) (*PreviewSession, error) {
	s, err := p.visit(ctx, session, visitor, func(ctx context.Context, i *inquiry) error {
		s := i.Preview
		if s.State != Identified {
			return &Error{Reason: WrongState, Detail: "the decision was made"}
		}
		chosen := []int{}
		for _, n := range d.Pieces {
			if !slices.ContainsFunc(s.Documents, func(doc Document) bool { return doc.Piece == n }) {
				return &Error{Reason: BadWish, Detail: "there is no such document"}
			}
			chosen = append(chosen, n)
		}
		slices.Sort(chosen)
		s.State, s.Chosen = Decided, slices.Compact(chosen)
		if err := p.told(ctx, i, fmt.Sprintf("decided: %d of %d", len(s.Chosen), pieces(s.Documents)), ""); err != nil {
			return err
		}
		if i.State != Held {
			s.Expires = s.Until
			return p.schedule(ctx, "preview", i.ID, s.Until)
		}
		return p.answerDecision(ctx, i)
	})
	if err == nil {
		p.access.Wake()
	}
	return s, err
}

func pieces(all []Document) (n int) {
	for _, d := range all {
		n = max(n, d.Piece+1)
	}
	return n
}

// answerDecision sends all and only the chosen pieces, with the octets shown.
func (p *Provider) answerDecision(ctx context.Context, i *inquiry) error {
	s := i.Preview
	request, err := i.open()
	if err != nil {
		return err
	}
	var contents []Content
	for _, d := range s.Documents {
		if !slices.Contains(s.Chosen, d.Piece) {
			continue
		}
		data, err := p.get(ctx, previewKey(s.ID, d.ID))
		if err != nil {
			return err
		}
		contents = append(contents, Content{d, data})
	}
	i.State, i.Outcome, s.Answered = Answered, Success, true
	if len(contents) == 0 {
		i.Outcome = NoEvidence
	}
	if err := p.respond(ctx, i, request, contents, time.Time{}); err != nil {
		return err
	}
	if err := p.Store.Done(ctx, "preview:"+i.ID); err != nil {
		return err
	}
	return p.schedule(ctx, "clear", i.ID, p.Now())
}

// end closes a preview with an exception: now where the second request waits,
// and to it when it comes otherwise.
func (p *Provider) end(ctx context.Context, i *inquiry, request *edm.Request, x edm.Exception) error {
	held := i.State == Held
	i.State, i.Outcome, i.Preview.State = Expired, string(x.Code), TimedOut
	if x.Code != edm.Timeout {
		i.State = Refused
	}
	if err := p.schedule(ctx, "clear", i.ID, p.Now()); err != nil {
		return err
	}
	if !held {
		return p.told(ctx, i, "ended: "+string(x.Code), "")
	}
	return p.except(ctx, i.replyTo(request), x, i.Preview.Location)
}

// previewEnds is T2 and T3 at the provider.
func (p *Provider) previewEnds(ctx context.Context, id string) error {
	err := p.change(ctx, id, func(ctx context.Context, i *inquiry) error {
		if i.State.Ended() || i.Preview == nil {
			return nil
		}
		if p.Now().Before(i.Preview.Expires) {
			return &postponed{i.Preview.Expires}
		}
		request, err := i.open()
		if err != nil {
			return err
		}
		return p.end(ctx, i, request, *refuse(edm.Timeout, "the preview has expired (TDD 4.4.3)"))
	})
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err == nil {
		p.access.Wake()
	}
	return err
}

// clear erases the documents of a preview that has ended.
func (p *Provider) clear(ctx context.Context, id string) error {
	var i inquiry
	if err := p.load(ctx, inquiryKind, id, &i); err != nil || i.Preview == nil {
		return notGone(err)
	}
	return p.drop(ctx, i.Preview.ID, i.Preview.Documents)
}

// notGone is an error unless it says that there is nothing.
func notGone(err error) error {
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	return err
}
