package edm

import (
	"net/url"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
)

// Encode writes a message in a line: the first part of the exchange, media
// type MediaType. What the line cannot say is an error; Fit removes it.
func Encode(m Message, line Line) ([]byte, error) {
	p := profileOf(line)
	if p == nil {
		return nil, cannot("the line %q is not spoken here", string(line))
	}
	switch m := m.(type) {
	case *Request:
		return p.writeRequest(m)
	case *Response:
		return p.writeResponse(m)
	case *ErrorResponse:
		return p.writeFailure(m)
	}
	return nil, cannot("%T is no message", m)
}

func (p *profile) writeRequest(r *Request) ([]byte, error) {
	for _, check := range []func(*Request) string{
		bareRequirements, bareEvidence,
		func(r *Request) string { return bareAgent(&r.Provider) },
		func(r *Request) string { return noJurisdiction(r.Requesters) },
	} {
		if wrong := check(r); wrong != "" {
			return nil, cannot("%s", wrong)
		}
	}
	switch {
	case r.ID == "":
		return nil, cannot("the request has no id")
	case r.Lang != "" && !p.rootLang:
		return nil, cannot("xml:lang cannot be said in %s; name the languages in each distribution", p.line)
	case (r.NaturalPerson == nil) == (r.LegalPerson == nil):
		return nil, cannot("a request is about exactly one natural or legal person")
	case !p.packaged && len(r.Evidence.DistributedAs) > 1:
		return nil, cannot("%s", oneDistribution(r))
	}
	q := regrep.QueryRequest{ID: r.ID, Lang: r.Lang, ReturnType: returnType, Definition: queryDefinition}
	var err error
	if q.Slots, err = writeSlots(p, r, func(p *profile) []slot[Request] { return p.request }); err != nil {
		return nil, err
	}
	if q.Query, err = writeSlots(p, r, func(p *profile) []slot[Request] { return p.query }); err != nil {
		return nil, err
	}
	return q.Encode()
}

func (p *profile) writeResponse(r *Response) ([]byte, error) {
	if r.RequestID == "" {
		return nil, cannot("the response has no request id")
	}
	if wrong := bareAgent(&r.Requester) + noJurisdiction(r.Providers); wrong != "" {
		return nil, cannot("%s", wrong)
	}
	q := regrep.QueryResponse{RequestID: r.RequestID, Status: regrep.Success, Objects: &regrep.Objects{}}
	if r.Deferred() {
		q.Status = regrep.Unavailable
	}
	var err error
	if q.Slots, err = writeSlots(p, r, func(p *profile) []slot[Response] { return p.response }); err != nil {
		return nil, err
	}
	for i := range r.Packages {
		o, err := p.writePackage(&r.Packages[i])
		if err != nil {
			return nil, err
		}
		*q.Objects = append(*q.Objects, o)
	}
	return q.Encode()
}

func (p *profile) writePackage(pack *Package) (regrep.Object, error) {
	main := pack.Main()
	if main == nil {
		return regrep.Object{}, cannot("a piece of evidence has no main document")
	}
	if !p.packaged {
		switch {
		case len(pack.Documents) > 1:
			return regrep.Object{}, cannot("a %s cannot be sent in %s", pack.Documents[1].Kind, p.line)
		case pack.ID != "" || main.ClassificationID != "":
			return regrep.Object{}, cannot("the ids of packages and classifications cannot be said in %s", p.line)
		}
		return p.writeDocument(main)
	}
	out := regrep.Object{Kind: regrep.Package, ID: pack.ID, Objects: &regrep.Objects{}}
	if pack.ID == "" {
		return out, cannot("a package has no id")
	}
	var ties regrep.Objects
	for i := range pack.Documents {
		d := &pack.Documents[i]
		o, err := p.writeDocument(d)
		if err != nil {
			return out, err
		}
		*out.Objects = append(*out.Objects, o)
		if d.Kind == MainEvidence {
			continue
		}
		if d.Of == "" || d.AssociationID == "" {
			return out, cannot("a supplement (%s) is tied to no main document", d.Kind)
		}
		ties = append(ties, regrep.Object{Kind: regrep.Association, ID: d.AssociationID,
			Type: regrep.AssociationType + string(d.Kind), Source: d.ID, Target: d.Of})
	}
	*out.Objects = append(*out.Objects, ties...)
	return out, nil
}

func (p *profile) writeDocument(d *Document) (regrep.Object, error) {
	switch {
	case d.ID == "" || d.ContentID == "":
		return regrep.Object{}, cannot("a document has no id or no content id")
	case p.packaged && d.ClassificationID == "":
		return regrep.Object{}, cannot("the classification of a document has no id")
	}
	o := regrep.Object{Kind: regrep.Extrinsic, ID: d.ID,
		Slots: regrep.Slots{{Name: "EvidenceMetadata", Value: sdg.Value(&d.Evidence, p.words)}},
		Item:  &regrep.RepositoryItem{Href: "cid:" + url.PathEscape(d.ContentID), Title: d.Title},
	}
	if p.packaged {
		o.Classifications = []regrep.Classification{{ID: d.ClassificationID, Scheme: classificationScheme, Node: string(d.Kind)}}
	}
	return o, nil
}

func (p *profile) writeFailure(e *ErrorResponse) ([]byte, error) {
	if len(e.Exceptions) == 0 {
		return nil, cannot("an Error Response has no exception")
	}
	if wrong := bareAgent(e.Requester) + noJurisdiction([]sdg.Agent{e.Provider}); wrong != "" {
		return nil, cannot("%s", wrong)
	}
	q := regrep.QueryResponse{RequestID: e.RequestID, Status: regrep.Failure}
	var err error
	if q.Slots, err = writeSlots(p, e, func(p *profile) []slot[ErrorResponse] { return p.failure }); err != nil {
		return nil, err
	}
	for i := range e.Exceptions {
		x := &e.Exceptions[i]
		out := regrep.Exception{Type: x.Code.Type(), Severity: x.Severity(), Message: x.Message, Code: string(x.Code), Detail: x.Detail}
		if out.Type == "" {
			return nil, cannot("%q is no code of the list EDMErrorCodes", string(x.Code))
		}
		if out.Message == "" {
			out.Message = x.Code.Message()
		}
		if out.Slots, err = writeSlots(p, x, func(p *profile) []slot[Exception] { return p.exception }); err != nil {
			return nil, err
		}
		q.Exceptions = append(q.Exceptions, out)
	}
	return q.Encode()
}
