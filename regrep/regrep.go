// Package regrep reads and writes the part of OASIS ebXML RegRep 4.0 that
// OOTS uses: slots with their values, query requests and responses,
// exceptions, registry objects, SubmitObjects and its answer.
//
// Reading is closed: an element, attribute or slot value type that the profile
// (TDD 4.5, 3.2, 3.5, 3.6) does not use is refused with its place. Writing
// keeps the customary prefixes and the order of the RegRep schema. What stands
// in a slot of type AnyValueType is the business of sdg; which slots a message
// has is that of edm and commonservices.
package regrep

import (
	"fmt"
	"strings"

	"github.com/once-only/oots/xmltree"
)

// Namespaces of RegRep 4.0.
const (
	Query = "urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0"
	RIM   = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0"
	RS    = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:4.0"
	LCM   = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:4.0"
	XLink = "http://www.w3.org/1999/xlink"
)

// MediaType is that of every RegRep document of OOTS.
const MediaType = "application/x-ebrs+xml"

// Statuses of a response, all with the prefix of StatusType.
const (
	StatusType  = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
	Success     = StatusType + "Success"
	Failure     = StatusType + "Failure"
	Unavailable = StatusType + "Unavailable"
)

// SeverityError is the severity of every exception that asks for nothing.
const SeverityError = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"

// AssociationType is the beginning of every association's type.
const AssociationType = "urn:oasis:names:tc:ebxml-regrep:AssociationType:"

// Set is the collection type that must be written; Bag is the schema's
// default.
const Set = "urn:oasis:names:tc:ebxml-regrep:CollectionType:Set"

// ContentError refuses something in a well-formed document. Its text names
// elements, attributes and slots, never what a person or organisation is
// called.
type ContentError struct {
	xmltree.Position
	Path string // of the element, as xmltree.Element.Path
	Text string
}

func (e *ContentError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s (%s)", e.Line, e.Column, e.Text, e.Path)
}

// Refuse makes a ContentError at an element.
func Refuse(e *xmltree.Element, format string, args ...any) error {
	return &ContentError{Position: e.Pos(), Path: e.Path(), Text: fmt.Sprintf(format, args...)}
}

// Closed refuses attributes other than the named ones ("xml:lang",
// "xlink:href", "id") and xsi:schemaLocation, and text between the elements.
func Closed(e *xmltree.Element, attrs ...string) error {
	for i := range e.Attrs() {
		a := &e.Attrs()[i]
		if !listed(a, attrs) {
			return &ContentError{a.Pos(), a.Path(), "the attribute " + a.Name() + " does not belong here"}
		}
	}
	if e.Len() > 0 && !e.Blank() {
		return Refuse(e, "text stands between the elements of %s", e.Name())
	}
	return nil
}

func listed(a *xmltree.Attr, names []string) bool {
	if a.Space == xmltree.XSISpace && (a.Local == "schemaLocation" || a.Local == "noNamespaceSchemaLocation") {
		return true
	}
	for _, n := range names {
		prefix, local, found := strings.Cut(n, ":")
		if !found {
			prefix, local = "", n
		}
		if a.Local == local && a.Space == xmltree.Customary(prefix) {
			return true
		}
	}
	return false
}

// Leaf refuses an element with elements in it, or with attributes.
func Leaf(e *xmltree.Element, attrs ...string) error {
	if c := e.First(); c != nil {
		return Refuse(c, "%s does not belong into %s", c.Name(), e.Name())
	}
	return Closed(e, attrs...)
}

// xsiType gives the resolved type of an element, ok false when xsi:type is
// missing or of another namespace than the wanted ones.
func xsiType(e *xmltree.Element, spaces ...string) (space, local string, ok bool) {
	a := e.FindAttr(xmltree.XSISpace, "type")
	if a == nil {
		return "", "", false
	}
	space, local, ok = e.ResolveQName(a.Value)
	if !ok {
		return "", "", false
	}
	for _, s := range spaces {
		if s == space {
			return space, local, true
		}
	}
	return "", "", false
}

// QueryRequest is query:QueryRequest.
type QueryRequest struct {
	ID         string
	Lang       string // xml:lang, "" for none
	Slots      Slots
	ReturnType string // query:ResponseOption/@returnType
	Definition string // query:Query/@queryDefinition
	Query      Slots  // the slots of query:Query
	At         *xmltree.Element
}

// QueryResponse is query:QueryResponse.
type QueryResponse struct {
	RequestID  string // "" when the attribute is absent
	Status     string
	Slots      Slots
	Exceptions []Exception
	Objects    *Objects // nil when there is no rim:RegistryObjectList
	At         *xmltree.Element
}

// Exception is rs:Exception.
type Exception struct {
	Type     string // as written with the customary prefix, such as rs:ObjectNotFoundExceptionType
	Severity string
	Message  string
	Code     string
	Detail   string
	Slots    Slots
	At       *xmltree.Element
}

// SubmitObjectsRequest is lcm:SubmitObjectsRequest.
type SubmitObjectsRequest struct {
	ID              string
	CheckReferences bool
	Mode            string // "" for the default CreateOrReplace
	Comment         string
	Slots           Slots
	Objects         Objects
	At              *xmltree.Element
}

// RegistryResponse is rs:RegistryResponse, the answer to a submission.
type RegistryResponse struct {
	RequestID  string
	Status     string
	Slots      Slots
	Exceptions []Exception
	At         *xmltree.Element
}
