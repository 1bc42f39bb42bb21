package edm

import (
	"net/url"
	"strings"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// Decode reads a message. It recognises the line by the slot
// SpecificationIdentifier and refuses what that line does not know. The
// error, if any, is an *Exception with the code InvalidRequest, whose cause
// is an *xmltree.Error or a *regrep.ContentError.
func Decode(src []byte) (Message, error) {
	doc, err := regrep.Parse(src)
	if err != nil {
		return nil, refusal(err)
	}
	return DecodeTree(doc)
}

// DecodeTree is Decode of a document that was parsed already.
func DecodeTree(doc *xmltree.Document) (Message, error) {
	m, err := decode(doc.Root)
	if err != nil {
		return nil, refusal(err)
	}
	return m, nil
}

// KindOf tells which message a root element begins, "" when it is none.
func KindOf(root *xmltree.Element) Kind {
	switch {
	case root.Is(regrep.Query, "QueryRequest"):
		return KindRequest
	case root.Is(regrep.Query, "QueryResponse"):
		if xmltree.NormalizeSpace(root.Attr("", "status")) == regrep.Failure {
			return KindException
		}
		return KindResponse
	}
	return ""
}

// LineOf reads the slot SpecificationIdentifier of a root element as it
// stands, white space trimmed; "" when there is none. The value need not be a
// line that is known.
func LineOf(root *xmltree.Element) Line {
	for s := range root.Each(regrep.RIM, "Slot") {
		if s.Attr("", "name") == "SpecificationIdentifier" {
			return Line(s.Find(regrep.RIM, "SlotValue", "Value").Norm())
		}
	}
	return ""
}

func decode(root *xmltree.Element) (Message, error) {
	kind := KindOf(root)
	if kind == "" {
		return nil, regrep.Refuse(root, "%s is no message of the Exchange Data Model", root.Name())
	}
	line := LineOf(root)
	p := profileOf(line)
	switch {
	case line == "":
		return nil, regrep.Refuse(root, "the slot SpecificationIdentifier is missing: the line of the message is not known")
	case p == nil:
		return nil, regrep.Refuse(root, "the line %.40q is not spoken here; spoken are v2.0, v1.2, v1.1 and v1.0", string(line))
	case kind == KindRequest:
		return p.readRequest(root)
	case kind == KindException:
		return p.readFailure(root)
	}
	return p.readResponse(root)
}

func absent(at *xmltree.Element) func(string) error {
	return func(name string) error { return regrep.Refuse(at, "the slot %s is missing", name) }
}

func (p *profile) readRequest(root *xmltree.Element) (*Request, error) {
	q, err := regrep.ReadQueryRequest(root)
	if err != nil {
		return nil, err
	}
	r := &Request{ID: q.ID, Lang: q.Lang}
	if err := readSlots(p, p.request, r, q.Slots, absent(root)); err != nil {
		return nil, err
	}
	if err := readSlots(p, p.query, r, q.Query, absent(root.Child(regrep.Query, "Query"))); err != nil {
		return nil, err
	}
	switch {
	case r.Lang != "" && !p.rootLang:
		return nil, regrep.Refuse(root, "xml:lang does not belong on a request of %s (R-EDM-REQ-S059)", p.line)
	case q.ReturnType != returnType || q.Definition != queryDefinition:
		return nil, regrep.Refuse(root, "the query is not a %s that returns %s", queryDefinition, returnType)
	case (r.NaturalPerson == nil) == (r.LegalPerson == nil):
		return nil, regrep.Refuse(root, "a request is about exactly one natural or legal person (R-EDM-REQ-S016)")
	}
	return r, nil
}

const (
	returnType      = "LeafClassWithRepositoryItem"
	queryDefinition = "DocumentQuery"
)

func (p *profile) readResponse(root *xmltree.Element) (*Response, error) {
	q, err := regrep.ReadQueryResponse(root)
	if err != nil {
		return nil, err
	}
	if len(q.Exceptions) > 0 {
		return nil, regrep.Refuse(q.Exceptions[0].At, "an exception does not belong into a response that is no failure")
	}
	if q.Objects == nil {
		return nil, regrep.Refuse(root, "rim:RegistryObjectList is missing; an empty one must be written too")
	}
	r := &Response{RequestID: q.RequestID}
	if r.RequestID == "" {
		return nil, regrep.Refuse(root, "requestId is missing")
	}
	if err := readSlots(p, p.response, r, q.Slots, absent(root)); err != nil {
		return nil, err
	}
	switch {
	case q.Status != regrep.Success && q.Status != regrep.Unavailable:
		return nil, regrep.Refuse(root, "the status is neither Success, Unavailable nor Failure")
	case (q.Status == regrep.Unavailable) != r.Deferred():
		return nil, regrep.Refuse(root, "the status Unavailable and the slot ResponseAvailableDateTime go together")
	}
	for _, o := range *q.Objects {
		pack, err := p.readPackage(o)
		if err != nil {
			return nil, err
		}
		r.Packages = append(r.Packages, pack)
	}
	return r, nil
}

func (p *profile) readPackage(o regrep.Object) (pack Package, err error) {
	if !p.packaged {
		d, err := p.readDocument(o)
		return Package{Documents: []Document{d}}, err
	}
	pack.ID = o.ID
	if o.Kind != regrep.Package || o.Objects == nil {
		return pack, regrep.Refuse(o.At, "a piece of evidence of %s is a rim:RegistryPackageType with a list of objects (R-EDM-RESP-S066)", p.line)
	}
	if len(o.Slots) > 0 || len(o.Classifications) > 0 {
		return pack, regrep.Refuse(o.At, "a package holds a list of objects only")
	}
	var ties []regrep.Object
	for _, in := range *o.Objects {
		if in.Kind == regrep.Association {
			if len(in.Slots) > 0 || len(in.Classifications) > 0 {
				return pack, regrep.Refuse(in.At, "an association has neither slots nor classifications")
			}
			ties = append(ties, in)
			continue
		}
		d, err := p.readDocument(in)
		if err != nil {
			return pack, err
		}
		pack.Documents = append(pack.Documents, d)
	}
	if pack.Main() == nil {
		return pack, regrep.Refuse(o.At, "a package has a main evidence (R-EDM-RESP-S047)")
	}
	return pack, pack.tie(ties, o.At)
}

// tie joins each supplement to its main document.
func (p *Package) tie(ties []regrep.Object, at *xmltree.Element) error {
	find := func(id string) *Document {
		for i := range p.Documents {
			if p.Documents[i].ID == id {
				return &p.Documents[i]
			}
		}
		return nil
	}
	for i := range p.Documents {
		if find(p.Documents[i].ID) != &p.Documents[i] {
			return regrep.Refuse(at, "two documents of a package have the same id")
		}
	}
	for _, t := range ties {
		from, to := find(t.Source), find(t.Target)
		switch {
		case from == nil || to == nil:
			return regrep.Refuse(t.At, "an association names an object that is not in its package")
		case from.Kind == MainEvidence || to.Kind != MainEvidence:
			return regrep.Refuse(t.At, "an association leads from a supplement to the main evidence")
		case t.Type != regrep.AssociationType+string(from.Kind):
			return regrep.Refuse(t.At, "the type of an association is that of its supplement, %s", from.Kind)
		case from.Of != "":
			return regrep.Refuse(t.At, "a supplement has two associations")
		}
		from.Of, from.AssociationID = to.ID, t.ID
	}
	for i := range p.Documents {
		if d := &p.Documents[i]; d.Kind != MainEvidence && d.Of == "" {
			return regrep.Refuse(at, "a supplement (%s) has no association with the main evidence", d.Kind)
		}
	}
	return nil
}

// classificationScheme is that of the documents of a response.
const classificationScheme = "urn:fdc:oots:classification:edm"

func (p *profile) readDocument(o regrep.Object) (Document, error) {
	d := Document{ID: o.ID, Kind: MainEvidence}
	if o.Kind != regrep.Extrinsic {
		return d, regrep.Refuse(o.At, "a document is a rim:ExtrinsicObjectType")
	}
	if o.Item == nil {
		return d, regrep.Refuse(o.At, "a document has no rim:RepositoryItemRef")
	}
	if err := o.Slots.Closed("EvidenceMetadata"); err != nil {
		return d, err
	}
	s := o.Slots.Get("EvidenceMetadata")
	if s == nil {
		return d, regrep.Refuse(o.At, "the slot EvidenceMetadata is missing")
	}
	e, err := readRecord[sdg.Evidence](p, s)
	if err != nil {
		return d, err
	}
	d.Evidence = *e
	cid, ok := strings.CutPrefix(o.Item.Href, "cid:")
	if !ok {
		return d, regrep.Refuse(o.At, "the xlink:href of rim:RepositoryItemRef does not begin with cid: (R-EDM-RESP-C042)")
	}
	if plain, err := url.PathUnescape(cid); err == nil {
		cid = plain
	}
	d.ContentID, d.Title = cid, o.Item.Title
	switch {
	case !p.packaged && len(o.Classifications) > 0:
		return d, regrep.Refuse(o.At, "a document of %s has no classification", p.line)
	case !p.packaged:
		return d, nil
	case len(o.Classifications) != 1 || o.Classifications[0].Scheme != classificationScheme:
		return d, regrep.Refuse(o.At, "a document has one classification, of the scheme %s", classificationScheme)
	}
	d.ClassificationID, d.Kind = o.Classifications[0].ID, DocumentKind(o.Classifications[0].Node)
	switch d.Kind {
	case MainEvidence, Annex, HumanReadableVersion, Translation:
		return d, nil
	}
	return d, regrep.Refuse(o.At, "a document is MainEvidence, Annex, HumanReadableVersion or Translation")
}

func (p *profile) readFailure(root *xmltree.Element) (*ErrorResponse, error) {
	q, err := regrep.ReadQueryResponse(root)
	if err != nil {
		return nil, err
	}
	if q.Objects != nil {
		return nil, regrep.Refuse(root.Child(regrep.RIM, "RegistryObjectList"), "an Error Response has no rim:RegistryObjectList (R-EDM-ERR-S007)")
	}
	if len(q.Exceptions) == 0 {
		return nil, regrep.Refuse(root, "an Error Response has an exception")
	}
	e := &ErrorResponse{RequestID: q.RequestID}
	if err := readSlots(p, p.failure, e, q.Slots, absent(root)); err != nil {
		return nil, err
	}
	for _, x := range q.Exceptions {
		out := Exception{Code: Code(x.Code), Message: x.Message, Detail: x.Detail}
		if out.Code == "" {
			out.Code = codeOfType(x.Type)
		}
		if out.Code.Type() == "" {
			return nil, regrep.Refuse(x.At, "the exception has no code of the list EDMErrorCodes (R-EDM-ERR-C017)")
		}
		if out.Message == out.Code.Message() {
			out.Message = ""
		}
		if err := readSlots(p, p.exception, &out, x.Slots, absent(x.At)); err != nil {
			return nil, err
		}
		e.Exceptions = append(e.Exceptions, out)
	}
	return e, nil
}
