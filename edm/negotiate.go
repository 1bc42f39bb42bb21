package edm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/sdg"
)

// NoCommonLine tells that a provider announces no line that is spoken here.
type NoCommonLine struct{ Announced []string }

func (e *NoCommonLine) Error() string {
	return fmt.Sprintf("edm: the provider announces %s, none of which is spoken here", strings.Join(e.Announced, ", "))
}

// Negotiate picks the newest line that a provider announces in its access
// service (sdg:ConformsTo, TDD 4.7 §2.6) and that is spoken here. Without
// spoken lines all of Lines are.
func Negotiate(announced []string, spoken []Line) (Line, error) {
	if len(spoken) == 0 {
		spoken = Lines()
	}
	for _, line := range Lines() {
		if slices.Contains(spoken, line) && slices.ContainsFunc(announced, func(a string) bool { return strings.TrimSpace(a) == string(line) }) {
			return line, nil
		}
	}
	return "", &NoCommonLine{announced}
}

// Fit returns a copy of a message that a line can say, and in words what was
// left out or moved for it. Nothing is left out of a message that was decoded
// from the same line. Of what the vocabulary lost between 2.0 and 1.x only
// the parts of requests, responses and exceptions are handled that TDD 2.0
// changed; a person's newer attributes are not dropped for 1.0.
func Fit(m Message, line Line) (Message, []string) {
	p := profileOf(line)
	if p == nil {
		return m, nil
	}
	f := fitting{p: p}
	switch m := m.(type) {
	case *Request:
		return f.request(*m), f.notes
	case *Response:
		return f.response(*m), f.notes
	case *ErrorResponse:
		return f.failure(*m), f.notes
	}
	return m, nil
}

type fitting struct {
	p     *profile
	notes []string
}

func (f *fitting) note(text string) {
	if !slices.Contains(f.notes, text) {
		f.notes = append(f.notes, text)
	}
}

func (f *fitting) request(r Request) *Request {
	r.Line = ""
	dists := slices.Clone(r.Evidence.DistributedAs)
	if f.p.packaged { // to 2.0
		for i := range dists {
			if r.Lang != "" && len(dists[i].Languages) == 0 {
				dists[i].Languages = []string{r.Lang}
				f.note("the preferred language was moved into each distribution")
			}
			if dists[i].Transformation != "" {
				dists[i].Transformation = ""
				f.note("the transformation was left out")
			}
		}
		r.Lang = ""
	} else { // to 1.x
		if len(dists) > 1 {
			dists = dists[:1]
			f.note("only the first distribution was kept")
		}
		for i := range dists {
			if r.Lang == "" && len(dists[i].Languages) > 0 {
				r.Lang = dists[i].Languages[0]
				f.note("the first language was moved to the root")
			}
			if len(dists[i].Associated) > 0 {
				f.note("the requests for associated documents were left out")
			}
			dists[i].Languages, dists[i].Associated = nil, nil
		}
		if r.ReturnLocation != "" {
			r.ReturnLocation = ""
			f.note("the return location was left out; append it to the preview address")
		}
	}
	r.Evidence.DistributedAs = dists
	return &r
}

func (f *fitting) response(r Response) *Response {
	r.Line = ""
	if len(r.Packages) == 0 {
		return &r
	}
	packs := make([]Package, len(r.Packages))
	for i, pack := range r.Packages {
		docs := slices.Clone(pack.Documents)
		if !f.p.packaged {
			main := pack.Main()
			if main == nil {
				packs[i] = pack
				continue
			}
			if len(docs) > 1 {
				f.note("annexes, translations and human-readable versions were left out")
			}
			docs, pack.ID = []Document{*main}, ""
			docs[0].ClassificationID, docs[0].Of, docs[0].AssociationID = "", "", ""
		}
		for j := range docs {
			if f.p.packaged && docs[j].Evidence.Distribution.Transformation != "" {
				docs[j].Evidence.Distribution.Transformation = ""
				f.note("the transformation was left out")
			}
		}
		packs[i] = Package{ID: pack.ID, Documents: docs}
	}
	r.Packages = packs
	return &r
}

func (f *fitting) failure(e ErrorResponse) *ErrorResponse {
	e.Line = ""
	e.Exceptions = slices.Clone(e.Exceptions)
	for i := range e.Exceptions {
		x := &e.Exceptions[i]
		switch {
		case f.p.packaged && x.PreviewMethod != "":
			x.PreviewMethod = ""
			f.note("the preview method was left out")
		case !f.p.packaged && x.PreviewLocation != "" && x.PreviewMethod == "":
			x.PreviewMethod = "GET"
			f.note("the preview method GET was added")
		}
	}
	return &e
}

// SameIdentifier compares two identifiers as TDD 4.5 asks: value and scheme,
// white space aside.
func SameIdentifier(a, b sdg.Identifier) bool {
	return strings.TrimSpace(a.Value) == strings.TrimSpace(b.Value) && strings.TrimSpace(a.Scheme) == strings.TrimSpace(b.Scheme)
}
