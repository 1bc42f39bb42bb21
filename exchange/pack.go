package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/xmltree"
)

// found is the evidence of one person in the form in which it may be sent.
type found struct {
	contents    []Content
	availableAt time.Time
}

// find asks the data service, decides who is meant, and packs. Nobody, several
// and somebody without evidence are one and the same to the outside.
func (p *Provider) find(ctx context.Context, i *inquiry, request *edm.Request, deadline time.Time) (*found, *edm.Exception) {
	s, t := p.service(request.Provider.Identifier, request.Evidence.Classification)
	if t == nil {
		return nil, refuse(edm.UnresolvedReference, "X-47: the evidence type is no longer issued")
	}
	if left := deadline.Sub(p.Now()); left > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, left)
		defer stop()
	}
	q := &Query{Exchange: i.Exchange, Conversation: i.Conversation, Request: request, Deadline: deadline}
	records, err := ask(ctx, t.Data, q)
	var x *edm.Exception
	switch {
	case errors.As(err, &x):
		return nil, x
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &edm.Exception{Code: edm.Timeout, Detail: "the data service did not answer in time", Cause: err}
	case err != nil:
		return nil, &edm.Exception{Code: edm.QueryFailed, Detail: "the data service failed", Cause: err}
	}
	subject := q.Subject()
	mine := p.c.Matching.unique(subject, records.All)
	if !mayAct(subject, mine, request.Procedure) {
		mine = nil
	}
	if len(mine) == 0 && records.AvailableAt.IsZero() {
		return nil, refuse(edm.ObjectNotFound, "")
	}
	if records.AvailableAt.After(p.Now()) {
		return &found{availableAt: records.AvailableAt.UTC()}, nil
	}
	out := &found{}
	for n, r := range mine {
		contents, x := p.pack(n, s, request, r)
		if x != nil {
			return nil, x
		}
		out.contents = append(out.contents, contents...)
	}
	return out, nil
}

// ask keeps a data service that panics, or never comes back, from taking the
// node down with it.
func ask(ctx context.Context, d DataService, q *Query) (*Records, error) {
	type answer struct {
		*Records
		error
	}
	came := make(chan answer, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				came <- answer{nil, fmt.Errorf("data service: %v", v)}
			}
		}()
		r, err := d.Records(ctx, q)
		if err == nil && r == nil {
			r = &Records{}
		}
		came <- answer{r, err}
	}()
	select {
	case a := <-came:
		return a.Records, a.error
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// mayAct judges a representative: whom the record names, and the scope of the
// power, where either is given.
func mayAct(s Subject, mine []Record, procedure string) bool {
	r := s.Representative
	if r == nil {
		return true
	}
	for _, a := range r.Attributes {
		if a.Name == "PowerOfRepresentationScope" && !slices.Contains(strings.Split(strings.ReplaceAll(a.Value, " ", ""), ","), procedure) {
			return false
		}
	}
	for _, m := range mine {
		if named := m.Subject.Representative; named != nil && !(Matching{}).samePerson(r, named) {
			return false
		}
	}
	return true
}

// pack chooses the form of one piece that the request accepts, checks it, and
// joins the supplements that are welcome (TDD 4.5.1, 4.5.2).
func (p *Provider) pack(n int, s *Service, request *edm.Request, r Record) ([]Content, *edm.Exception) {
	form, wanted := choose(request, r.Piece.Forms)
	if form == nil {
		return nil, refuse(edm.Unsupported, "none of the formats and data models asked for can be served")
	}
	model, err := p.verify(form)
	if err != nil {
		return nil, &edm.Exception{Code: edm.QueryFailed, Detail: "the data service gave a document that is not what it says", Cause: err}
	}
	authority := r.Piece.Authority
	if authority == nil {
		authority = &sdg.Agent{Identifier: s.Provider.Identifier, Names: s.Provider.Names}
	}
	issued := r.Piece.IssuedOn
	if issued == "" {
		issued = p.Now().UTC().Format(time.DateOnly)
	}
	main := sdg.Evidence{ID: p.NewID(), About: about(r.Subject, request), IssuingAuthority: authority,
		Type:        &sdg.EvidenceType{Classification: request.Evidence.Classification, Titles: request.Evidence.Titles, Descriptions: request.Evidence.Descriptions},
		IssuingDate: issued, Validity: r.Piece.Validity, Distribution: distributed(form, wanted.ConformsTo)}
	title := form.Title
	if title == "" {
		title = r.Piece.Title
	}
	if title == "" {
		title = sdg.Name(request.Evidence.Titles, "EN")
	}
	contents := []Content{content(n, edm.MainEvidence, title, main, form.Data)}
	if !modern(request.Line) {
		return contents, nil
	}
	readable := false
	for _, f := range r.Piece.Supplements {
		if !slices.Contains(wanted.Associated, string(f.Kind)) {
			continue
		}
		if _, err := p.verify(&f); err != nil {
			return nil, &edm.Exception{Code: edm.QueryFailed, Detail: "the data service gave a supplement that is not what it says", Cause: err}
		}
		readable = readable || f.Kind == edm.HumanReadableVersion
		name := f.Title
		if name == "" {
			name = title
		}
		contents = append(contents, content(n, f.Kind, name, sdg.Evidence{ID: p.NewID(), Distribution: distributed(&f, "")}, f.Data))
	}
	// Structured evidence is made readable where that is asked for, or must be
	// because no data model was agreed on.
	asked := slices.Contains(wanted.Associated, string(edm.HumanReadableVersion))
	if !readable && model != nil && (asked || wanted.ConformsTo == "") {
		pdf, err := model.Render(form.MediaType, form.Data, title, p.languageOf(wanted))
		if err != nil {
			return nil, &edm.Exception{Code: edm.QueryFailed, Detail: "the evidence cannot be made readable", Cause: err}
		}
		f := &File{MediaType: "application/pdf", Language: p.languageOf(wanted)}
		contents = append(contents, content(n, edm.HumanReadableVersion, title, sdg.Evidence{ID: p.NewID(), Distribution: distributed(f, "")}, pdf))
	}
	return contents, nil
}

func (p *Provider) languageOf(d sdg.Distribution) string {
	if len(d.Languages) > 0 {
		return d.Languages[0]
	}
	return "EN"
}

func distributed(f *File, conformsTo string) sdg.Distribution {
	d := sdg.Distribution{Formats: []string{f.MediaType}, ConformsTo: conformsTo}
	if f.Language != "" {
		d.Languages = []string{f.Language}
	}
	return d
}

func content(piece int, kind edm.DocumentKind, title string, e sdg.Evidence, data []byte) Content {
	return Content{describe(piece, edm.Document{Kind: kind, Title: title, Evidence: e}, data), data}
}

// choose finds the first distribution of the request that some form serves, and
// of these forms the one in the best language: a language that cannot be served
// is no error.
func choose(request *edm.Request, forms []File) (*File, sdg.Distribution) {
	wanted := request.Evidence.DistributedAs
	if len(wanted) == 0 && len(forms) > 0 { // 1.x may leave the choice to us
		return &forms[0], sdg.Distribution{}
	}
	for _, d := range wanted {
		languages := d.Languages
		if len(languages) == 0 && request.Lang != "" {
			languages = []string{strings.ToUpper(request.Lang)}
		}
		var best *File
		rank := len(languages) + 1
		for i := range forms {
			f := &forms[i]
			if !slices.Contains(d.Formats, f.MediaType) || d.ConformsTo != "" && f.Model != "" && path.Base(f.Model) != path.Base(d.ConformsTo) {
				continue
			}
			at := slices.Index(languages, f.Language)
			if at < 0 {
				at = len(languages)
			}
			if at < rank {
				best, rank = f, at
			}
		}
		if best != nil {
			return best, d
		}
	}
	return nil, sdg.Distribution{}
}

// about repeats of the subject what lets the requester recognise it, as the
// register has it.
func about(holder Subject, request *edm.Request) *sdg.Subject {
	if l := holder.LegalPerson; l != nil {
		id := l.LegalIdentifier
		if request.LegalPerson != nil && request.LegalPerson.LegalIdentifier != nil {
			id = request.LegalPerson.LegalIdentifier
		}
		return &sdg.Subject{LegalPerson: &sdg.LegalPerson{LegalIdentifier: id, LegalName: l.LegalName}}
	}
	n := holder.NaturalPerson
	p := &sdg.Person{FamilyName: n.FamilyName, GivenName: n.GivenName, DateOfBirth: n.DateOfBirth, PlaceOfBirth: n.PlaceOfBirth}
	if r := request.NaturalPerson; r != nil {
		p.Identifier = r.Identifier // the same person, by the identifier the requester knows
	}
	return &sdg.Subject{NaturalPerson: p}
}

// verify holds a document to what it says it is: format, and data model where we
// know that. It gives the model of structured evidence.
func (p *Provider) verify(f *File) (*Model, error) {
	if len(f.Data) == 0 {
		return nil, errors.New("the document is empty")
	}
	if want := signatures[f.MediaType]; !bytes.HasPrefix(f.Data, []byte(want)) {
		return nil, fmt.Errorf("the octets are no %s", f.MediaType)
	}
	switch f.MediaType {
	case "application/xml", "text/xml":
		if _, err := xmltree.Parse(f.Data, xmltree.Options{}); err != nil {
			return nil, err
		}
	case "application/json":
		if !json.Valid(f.Data) {
			return nil, errors.New("the octets are no JSON")
		}
	default:
		return nil, nil
	}
	m := p.Model(f.Model)
	if m == nil {
		return nil, nil
	}
	_, err := m.Read(f.MediaType, f.Data)
	return m, err
}

// Model finds a data model by its name or address; nil for one that is unknown.
func (p *Provider) Model(name string) *Model {
	for _, m := range p.c.Models {
		if name != "" && m.Name == path.Base(name) {
			return m
		}
	}
	return nil
}

// respond sends an Evidence Response with the contents; none is the legal way
// to say that nothing comes.
func (p *Provider) respond(ctx context.Context, i *inquiry, request *edm.Request, contents []Content, availableAt time.Time) error {
	r := i.replyTo(request)
	a := &edm.Response{ID: p.NewID(), RequestID: request.ID, IssuedAt: p.Now().UTC(), AvailableAt: availableAt,
		Providers: []sdg.Agent{p.agent(r, "EP")}, Requester: named(r.requester)}
	e := p.entry(r, AnswerSent)
	e.Response, e.IssuedAt, e.Outcome = a.ID, a.IssuedAt, Success
	switch {
	case !availableAt.IsZero():
		e.Outcome = Later
	case len(contents) == 0:
		e.Outcome = NoEvidence
	}
	if i.Preview != nil {
		e.PreviewLocation = i.Preview.Location
	}
	var data [][]byte
	piece := -1
	for _, c := range contents {
		if c.Piece != piece {
			piece = c.Piece
			a.Packages = append(a.Packages, edm.Package{})
		}
		pkg := &a.Packages[len(a.Packages)-1]
		id := p.contentID()
		pkg.Documents = append(pkg.Documents, edm.Document{Kind: c.Kind, Evidence: c.Evidence, ContentID: id, Title: c.Title})
		data = append(data, c.Data)
		e.Evidence = append(e.Evidence, LoggedPart{ID: c.ID, ContentID: id, MediaType: c.MediaType, Size: c.Size, SHA256: c.SHA256})
	}
	a.AssignIDs(p.NewID)
	message, _ := edm.Fit(a, i.Line)
	w, err := p.write(letter{message: message, line: i.Line, exchange: i.Exchange, conversation: i.Conversation, to: i.From, contents: data})
	if err == nil {
		if why := refusal(p.Judge.Validate(w.body, validator.Options{Name: "response"})); why != "" {
			err = errors.New("the response would not conform: " + why)
		}
	}
	if err != nil {
		x := edm.Exception{Code: edm.QueryFailed, Detail: "the evidence cannot be put into a response", Cause: err}
		i.Outcome = string(x.Code)
		return p.except(ctx, r, x, "")
	}
	return p.unsendable(ctx, r, p.post(ctx, w, e))
}
