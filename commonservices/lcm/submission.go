package lcm

import (
	"errors"
	"regexp"
	"strings"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// Line is a version of the submission interface (TDD 3.6.3).
type Line string

const (
	V20 Line = "oots-lcm:v2.0"
	V12 Line = "oots-lcm:v1.2"
	V11 Line = "oots-lcm:v1.1"
	V10 Line = "oots-lcm:v1.0"
)

// Lines are all lines, the newest first.
func Lines() []Line { return []Line{V20, V12, V11, V10} }

// Classification schemes of the objects. The third is ours (see Lists).
const (
	SchemeEB   = "urn:fdc:oots:classification:eb"
	SchemeDSD  = "urn:fdc:oots:classification:dsd"
	SchemeList = "urn:fdc:oots:classification:ms"
)

// Submission is a SubmitObjectsRequest taken apart: its objects by node, its
// associations, and what is wrong with either. Nothing in it is resolved yet.
type Submission struct {
	ID      string
	Line    Line // "" when the request does not name one
	Objects []Object
	Links   []Link
	faults  *Refusal
	root    *xmltree.Element
}

// Object is one registry object with its content.
type Object struct {
	ID    string
	Node  string
	Value any // *sdg.EvidenceType, *sdg.EvidenceTypeList, *sdg.Requirement, *sdg.ReferenceFramework, *sdg.Publisher, *sdg.AccessService, *sdg.DataServiceEvidenceType or *commonservices.CodeList
	at    *xmltree.Element
}

// Link is one association.
type Link struct {
	ID, Type       string // the type without the customary beginning
	Source, Target string
	at             *xmltree.Element
}

// node is one row: a classification node, its scheme, and how its content is
// read.
type node struct {
	name, scheme string
	rule         string // that the slot holds this content
	read         func(e *xmltree.Element, l Lists) (any, error)
}

func reads[T any, P sdg.Record[T]](e *xmltree.Element, _ Lists) (any, error) {
	return sdg.Read[T, P](e, sdg.All)
}

// nodes is the table of what may be submitted (TDD 3.2.5, 3.1.5).
var nodes = []node{
	{"EvidenceType", SchemeEB, "R-EB-SUB-S022", reads[sdg.EvidenceType]},
	{"EvidenceTypeList", SchemeEB, "R-EB-SUB-S023", reads[sdg.EvidenceTypeList]},
	{"Requirement", SchemeEB, "R-EB-SUB-S024", reads[sdg.Requirement]},
	{"ReferenceFramework", SchemeEB, "R-EB-SUB-S025", reads[sdg.ReferenceFramework]},
	{"EvidenceProvider", SchemeDSD, "R-DSD-SUB-S018", readProvider},
	{"AccessService", SchemeDSD, "R-DSD-SUB-S018", reads[sdg.AccessService]},
	{"DataServiceEvidenceType", SchemeDSD, "R-DSD-SUB-S019", reads[sdg.DataServiceEvidenceType]},
	{"CodeList", SchemeList, RuleVersion, func(e *xmltree.Element, l Lists) (any, error) { return l.Read(e) }},
}

// readProvider reads a publisher, or the access service with a publisher that
// line 1.0 has in its place.
func readProvider(e *xmltree.Element, _ Lists) (any, error) {
	if e.Is(sdg.Space, "AccessService") {
		return sdg.Read[sdg.AccessService](e, sdg.All)
	}
	return sdg.Read[sdg.Publisher](e, sdg.All)
}

var urnUUID = regexp.MustCompile(`^urn:uuid:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// mostObjects bounds the objects of one submission.
const mostObjects = 50_000

// Read takes a submission apart. It goes on after a bad object, so that one
// answer names them all; the error, if any, is a *Refusal.
func Read(raw []byte, lists Lists) (*Submission, error) {
	s := read(raw, lists)
	if len(s.faults.Faults) > 0 {
		return s, s.faults
	}
	return s, nil
}

func read(raw []byte, lists Lists) *Submission {
	if lists == nil {
		lists = Genericode{}
	}
	s := &Submission{faults: &Refusal{}}
	doc, err := regrep.Parse(raw)
	if err != nil {
		s.faults.add(unreadable(err))
		return s
	}
	s.root = doc.Root
	if !s.root.Is(regrep.LCM, "SubmitObjectsRequest") {
		s.faults.add(at(BadSubmission, RuleReadable, "", s.root, "the root is %.60q; write lcm:SubmitObjectsRequest", s.root.Name()))
		return s
	}
	s.head()
	s.list(lists)
	return s
}

func unreadable(err error) Fault {
	f := Fault{Code: BadSubmission, Rule: RuleReadable, Text: err.Error()}
	var x *xmltree.Error
	if errors.As(err, &x) {
		f.Line, f.Column = x.Line, x.Column
	}
	return f
}

// head reads what the request says of itself.
func (s *Submission) head() {
	id := s.root.Attr("", "id")
	if requestForm.MatchString(id) {
		s.ID, s.faults.RequestID = id, id
	}
	if err := regrep.Closed(s.root, "id", "comment", "checkReferences", "mode"); err != nil {
		s.faults.add(contentFault(BadSubmission, RuleReadable, "", s.root, err))
	}
	if c := s.root.Attr("", "checkReferences"); c != "true" && c != "1" {
		s.faults.add(at(BadSubmission, RuleReferences, "", s.root, "checkReferences is not true; write checkReferences=\"true\""))
	}
	if m := s.root.Attr("", "mode"); m != "" && m != "CreateOrReplace" {
		s.faults.add(at(BadSubmission, RuleReadable, "", s.root, "the mode is not CreateOrReplace; leave the attribute away"))
	}
	for slot := range s.root.Each(regrep.RIM, "Slot") {
		text := xmltree.NormalizeSpace(slot.Find(regrep.RIM, "SlotValue", "Value").Text())
		switch name := slot.Attr("", "name"); {
		case name != "SpecificationIdentifier":
			s.faults.add(at(BadSubmission, "R-EB-SUB-S042", "", slot, "the slot %.40q does not belong on the request", name))
		case s.Line != "":
			s.faults.add(at(BadSubmission, "R-EB-SUB-S042", "", slot, "the slot SpecificationIdentifier stands twice"))
		default:
			for _, l := range Lines() {
				if text == string(l) {
					s.Line = l
				}
			}
			if s.Line == "" {
				s.faults.add(at(BadSubmission, RuleReadable, "", slot, "the specification %.40q is not known; write one of %s, %s, %s, %s", text, V20, V12, V11, V10))
			}
		}
	}
	if s.ID == "" || !urnUUID.MatchString(id) && s.Line != "" && s.Line != V10 {
		s.faults.add(at(BadSubmission, "R-EB-SUB-S004", "", s.root, "the request's id is not urn:uuid: and a UUID"))
	}
}

// requestForm is the id of a request; line 1.0 has it without urn:uuid: too.
var requestForm = regexp.MustCompile(`^(?:urn:uuid:)?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// list reads the registry objects.
func (s *Submission) list(lists Lists) {
	n := 0
	for c := range s.root.Children() {
		switch {
		case c.Is(regrep.RIM, "Slot"):
		case c.Is(regrep.RIM, "RegistryObjectList"):
			n++
			s.objects(c, lists)
		default:
			s.faults.add(at(BadSubmission, RuleReadable, "", c, "%.60q does not belong into the request", c.Name()))
		}
	}
	if n != 1 {
		s.faults.add(at(BadSubmission, "R-EB-SUB-S005", "", s.root, "there are %d lists of registry objects; write one", n))
	} else if len(s.Objects)+len(s.Links) == 0 && len(s.faults.Faults) == 0 {
		s.faults.add(at(BadSubmission, "R-EB-SUB-S005", "", s.root, "the list of registry objects is empty; a submission replaces what was there"))
	}
}

func (s *Submission) objects(list *xmltree.Element, lists Lists) {
	if list.Len() > mostObjects {
		s.faults.add(at(BadSubmission, RuleReadable, "", list, "there are more than %d objects", mostObjects))
		return
	}
	seen := make(map[string]bool, list.Len())
	for e := range list.Children() {
		id := e.Attr("", "id")
		o, err := regrep.ReadObject(e)
		switch {
		case err != nil:
			s.faults.add(contentFault(BadObject, RuleReadable, id, e, err))
			continue
		case !urnUUID.MatchString(id):
			s.faults.add(at(BadObject, "R-EB-SUB-S043", shorten(id), e, "the id is not urn:uuid: and a UUID"))
			continue
		case seen[strings.ToLower(id)]:
			s.faults.add(at(BadObject, "R-EB-SUB-S006", id, e, "the id stands twice; give each object its own"))
			continue
		}
		seen[strings.ToLower(id)] = true
		if o.Kind == regrep.Association {
			typ, _ := strings.CutPrefix(o.Type, regrep.AssociationType)
			s.Links = append(s.Links, Link{ID: id, Type: typ, Source: strings.ToLower(o.Source), Target: strings.ToLower(o.Target), at: e})
			continue
		}
		if f, ok := s.object(o, lists); !ok {
			s.faults.add(f)
		}
	}
}

// object reads one object by its node.
func (s *Submission) object(o regrep.Object, lists Lists) (Fault, bool) {
	if o.Kind != regrep.Plain || len(o.Classifications) != 1 {
		return at(BadObject, "R-EB-SUB-S007", o.ID, o.At, "an object has one rim:Classification and no xsi:type"), false
	}
	c := o.Classifications[0]
	var row *node
	for i := range nodes {
		if nodes[i].name == c.Node {
			row = &nodes[i]
		}
	}
	switch {
	case row == nil:
		return at(BadObject, "R-EB-SUB-S013", o.ID, o.At, "the classification node %.40q is not known", c.Node), false
	case row.scheme != c.Scheme:
		return at(BadObject, "R-EB-SUB-S012", o.ID, o.At, "the classification scheme of %s is %s, not %.60q", row.name, row.scheme, c.Scheme), false
	case len(o.Slots) != 1 || o.Slots[0].Name != row.name:
		return at(BadObject, row.rule, o.ID, o.At, "the object has not the slot %s alone; name the slot as the classification node", row.name), false
	}
	v, err := regrep.As[regrep.Any](&o.Slots[0])
	if err == nil {
		var value any
		if value, err = row.read(v.Element, lists); err == nil {
			s.Objects = append(s.Objects, Object{ID: strings.ToLower(o.ID), Node: row.name, Value: value, at: o.At})
			return Fault{}, true
		}
	}
	return contentFault(BadObject, row.rule, o.ID, o.At, err), false
}

// contentFault says an error of regrep or sdg at its place.
func contentFault(code Code, rule, object string, e *xmltree.Element, err error) Fault {
	f := at(code, rule, shorten(object), e, "%s", err)
	var c *regrep.ContentError
	if errors.As(err, &c) {
		f.Line, f.Column, f.Text = c.Line, c.Column, c.Text
	}
	return f
}

func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// keyOf is the identifier by which the data set knows an object, with the kind
// that commonservices.Problem names.
func keyOf(v any) string {
	switch v := v.(type) {
	case *sdg.EvidenceType:
		return v.Classification
	case *sdg.EvidenceTypeList:
		return v.ID
	case *sdg.ReferenceFramework:
		return v.ID
	case *sdg.DataServiceEvidenceType:
		return v.ID
	case *sdg.AccessService:
		if v.Publisher != nil {
			return v.Publisher.Identifier.Scheme + "::" + v.Publisher.Identifier.Value
		}
		return v.Identifier.Value
	case *sdg.Publisher:
		return v.Identifier.Scheme + "::" + v.Identifier.Value
	case *sdg.Requirement:
		return v.ID
	case *cs.CodeList:
		return v.Name
	}
	return ""
}

// requestID is the id of a request, "" when it cannot be read or is none.
func requestID(raw []byte) string {
	doc, err := regrep.Parse(raw)
	if err != nil || !requestForm.MatchString(doc.Root.Attr("", "id")) {
		return ""
	}
	return doc.Root.Attr("", "id")
}
