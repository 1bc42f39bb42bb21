package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/xmltree"
)

// take settles an answer. What fails the checks is logged and dropped: nobody
// sees it, and nothing is sent back (TDD 4.4.3, 4.10).
func (r *Requester) take(ctx context.Context, m *as4.Message) error {
	drop := func(why string) error { return r.log.dropped(ctx, requesterSide, m, why) }
	in, err := r.read(m)
	if err != nil {
		return drop("the answer cannot be read: " + err.Error())
	}
	root := in.body.Message.Doc.Root
	id := xmltree.NormalizeSpace(root.Attr("", "requestId"))
	at, err := r.locate(ctx, exchangeKind, bare(id))
	if id == "" || errors.Is(err, ErrUnknown) {
		return drop("X-10: it answers no request of ours")
	} else if err != nil {
		return err
	}
	_, err = r.change(ctx, at, func(ctx context.Context, x *asked) error {
		switch open := x.State == Sent || x.State == PreviewOpen; {
		case m.Partner.ID != x.To:
			return drop("the answer comes from another access point than the one asked")
		case x.State == PreviewOpen && id == x.Requests[0], x.State == PreviewRequired:
			return drop("X-10: the first request is answered already")
		case !open:
			return drop("X-10: late or repeated: the exchange is " + string(x.State))
		case id != x.Requests[len(x.Requests)-1]:
			return drop("X-10: it answers no open request")
		}
		return r.settle(ctx, x, in)
	})
	return err
}

// settle judges the answer to an open exchange and moves it on.
func (r *Requester) settle(ctx context.Context, x *asked, in *mail) error {
	step, findings := r.compare(x, in)
	why := refusal(in.body, in.header)
	if why == "" {
		why = refusal(findings)
	}
	var message edm.Message
	if why == "" {
		var err error
		if message, err = edm.DecodeTree(step.Message.Doc); err != nil {
			why = err.Error()
		}
	}
	entry := x.entry(AnswerReceived, nil)
	entry.Message, entry.SentAt, entry.Document, entry.MediaType = in.Header.MessageID, in.Header.Timestamp, in.raw, edm.MediaType
	if why != "" {
		entry.Outcome, entry.Detail = InvalidAnswer, why
		x.State, x.Problem = Failed, &Problem{Code: InvalidAnswer, Detail: why}
		return r.log.write(ctx, entry)
	}
	switch a := message.(type) {
	case *edm.ErrorResponse:
		return r.refused(ctx, x, in, a, entry)
	case *edm.Response:
		return r.answered(ctx, x, in, a, findings, entry)
	}
	return r.log.dropped(ctx, requesterSide, in.Message, "a request is no answer")
}

// compare runs the checks of an answer against its request.
func (r *Requester) compare(x *asked, in *mail) (*validator.Step, *validator.Report) {
	line := in.body.Lines
	request, header := x.First, x.FirstHeader
	if len(x.Requests) > 1 {
		request, header = x.Second, x.SecondHeader
	}
	step := &validator.Step{Message: in.body.Message, Header: in.header.Message,
		Request:       r.judged("request", request, validator.EDMRequest, 0),
		RequestHeader: r.judged("request header", header, validator.EBMSHeader, line)}
	return step, r.Judge.Compare(validator.Conversation{Steps: []*validator.Step{step}})
}

// refused takes an Error Response: a preview to visit, or the end.
func (r *Requester) refused(ctx context.Context, x *asked, in *mail, a *edm.ErrorResponse, entry Entry) error {
	entry.Response = a.ID
	var e *edm.Exception
	for i := range a.Exceptions {
		if e == nil || a.Exceptions[i].PreviewLocation != "" {
			e = &a.Exceptions[i]
		}
	}
	entry.Outcome, entry.Detail, entry.PreviewLocation = string(e.Code), e.Detail, e.PreviewLocation
	if err := r.log.write(ctx, entry); err != nil {
		return err
	}
	if e.Code != edm.AuthorizationMissing || e.PreviewLocation == "" || x.State != Sent {
		x.State, x.Response, x.Problem = Failed, a.ID, &Problem{Code: string(e.Code), Detail: e.Detail}
		return nil
	}
	x.State, x.Refusal = PreviewRequired, in.raw
	x.Preview = &PreviewLink{Location: e.PreviewLocation, Description: e.PreviewDescription, Method: e.PreviewMethod}
	x.Deadline = r.Now().Add(r.c.Clocks.times(len(x.Requirements)).T2)
	return r.schedule(ctx, "t2", x.ID, x.Deadline)
}

// answered takes an Evidence Response: evidence, none, or later.
func (r *Requester) answered(ctx context.Context, x *asked, in *mail, a *edm.Response, findings *validator.Report, entry Entry) error {
	entry.Response, entry.IssuedAt = a.ID, a.IssuedAt
	x.Response = a.ID
	contents, doubts, err := contentsOf(a, in.Parts)
	if err != nil {
		entry.Outcome, entry.Detail = InvalidAnswer, err.Error()
		x.State, x.Problem = Failed, &Problem{Code: InvalidAnswer, Detail: err.Error()}
		return r.log.write(ctx, entry)
	}
	for _, rep := range []*validator.Report{findings} {
		for _, f := range rep.Findings {
			if !f.Advice {
				doubts = append(doubts, f.Rule)
			}
		}
	}
	slices.Sort(doubts)
	x.Doubts = slices.Compact(doubts)
	for _, c := range contents {
		entry.Evidence = append(entry.Evidence, LoggedPart{ID: c.ID, ContentID: c.contentID, MediaType: c.MediaType, Size: c.Size, SHA256: c.SHA256})
	}
	switch {
	case a.Deferred():
		entry.Outcome = Later
		x.State, x.AvailableAt = Deferred, a.AvailableAt
		if x.Again+1 > r.c.AskAgain {
			x.State, x.Problem = Failed, &Problem{Code: AskedTooOften}
			break
		}
		// Not before it is ready, and never in a hurry.
		at := a.AvailableAt
		if soonest := r.Now().Add(time.Minute); at.Before(soonest) {
			at = soonest
		}
		if err := r.schedule(ctx, "again", x.ID, at); err != nil {
			return err
		}
	case len(contents) == 0:
		entry.Outcome = NoEvidence
		x.State = Delivered
	default:
		entry.Outcome = Success
		x.State = Delivered
	}
	if err := r.log.write(ctx, entry); err != nil {
		return err
	}
	for i, c := range contents {
		if err := r.put(ctx, evidenceKey(x.ID, i), c.Data); err != nil {
			return err
		}
		x.Documents = append(x.Documents, c.Document)
	}
	if len(contents) > 0 {
		return r.schedule(ctx, "erase", x.ID, r.Now().Add(r.c.Keep))
	}
	return nil
}

func evidenceKey(exchange string, i int) string { return fmt.Sprintf("evidence/%s/%d", exchange, i) }

// arrived is a document with the part it came in.
type arrived struct {
	Content
	contentID string
}

// signatures are the first octets of formats, by media type.
var signatures = map[string]string{
	"application/pdf": "%PDF-", "image/png": "\x89PNG", "image/jpeg": "\xff\xd8\xff", "image/tiff": "", "application/zip": "PK",
}

// contentsOf joins the documents of a response with the parts that hold them.
func contentsOf(a *edm.Response, parts []as4.Part) (all []arrived, doubts []string, err error) {
	for i, p := range a.Packages {
		for _, d := range p.Documents {
			at := slices.IndexFunc(parts, func(p as4.Part) bool { return p.ID == d.ContentID })
			if at < 0 {
				return nil, nil, fmt.Errorf("X-06: no part for a document")
			}
			data, err := ebms.ReadAll(parts[at].Content)
			if err != nil {
				return nil, nil, fmt.Errorf("a part cannot be read: %w", err)
			}
			media := d.Evidence.Distribution.Format()
			if !strings.HasPrefix(string(data[:min(8, len(data))]), signatures[media]) {
				doubts = append(doubts, "X-08")
			}
			c := arrived{Content{describe(i, d, data), data}, d.ContentID}
			all = append(all, c)
		}
	}
	return all, doubts, nil
}

// describe is a document without its octets.
func describe(piece int, d edm.Document, data []byte) Document {
	sum := sha256.Sum256(data)
	return Document{ID: d.Evidence.ID, Piece: piece, Kind: d.Kind, Title: d.Title, MediaType: d.Evidence.Distribution.Format(),
		Languages: d.Evidence.Distribution.Languages, Model: d.Evidence.Distribution.ConformsTo,
		Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]), Evidence: d.Evidence}
}

// Collect gives the documents of a delivered exchange to the portal. Call Erase
// once it has them.
func (r *Requester) Collect(ctx context.Context, exchange string) ([]Content, error) {
	x, err := r.exchange(ctx, exchange)
	if err != nil {
		return nil, err
	}
	if x.Erased || x.State != Delivered && x.State != Deferred {
		return nil, &Error{Reason: WrongState, Detail: "there is nothing to collect"}
	}
	all := make([]Content, len(x.Documents))
	for i, d := range x.Documents {
		data, err := r.get(ctx, evidenceKey(x.ID, i))
		if err != nil {
			return nil, &Error{Reason: Unavailable, Detail: "a document cannot be read", Cause: err}
		}
		all[i] = Content{d, data}
	}
	return all, nil
}

// Erase removes the evidence of an exchange; it is also done when the portal
// does not collect it in time.
func (r *Requester) Erase(ctx context.Context, exchange string) error {
	x, err := r.change(ctx, exchange, func(ctx context.Context, x *asked) error {
		if x.Erased || len(x.Documents) == 0 {
			return nil
		}
		x.Erased = true
		entry := x.entry(HandedOver, nil)
		entry.Response = x.Response
		return r.log.write(ctx, entry)
	})
	if errors.Is(err, &Error{Reason: NotFound}) {
		return nil
	} else if err != nil {
		return err
	}
	for i := range x.Documents {
		err = errors.Join(err, r.remove(ctx, evidenceKey(x.ID, i)))
	}
	return err
}
