package regrep

import (
	"slices"

	"github.com/once-only/oots/xmltree"
)

// Parse reads the bytes of a RegRep document. Processing instructions are
// passed over with a note: official samples carry one.
func Parse(src []byte) (*xmltree.Document, error) {
	return xmltree.Parse(src, xmltree.Options{KeepProcessing: true})
}

// ReadQueryRequest reads query:QueryRequest.
func ReadQueryRequest(e *xmltree.Element) (*QueryRequest, error) {
	if !e.Is(Query, "QueryRequest") {
		return nil, Refuse(e, "the root is %s, not query:QueryRequest", e.Name())
	}
	err := Closed(e, "id", "xml:lang", "comment", "federated", "federation", "format", "startIndex", "maxResults", "depth", "matchOlderVersions")
	if err != nil {
		return nil, err
	}
	q := &QueryRequest{ID: e.Attr("", "id"), Lang: e.Attr(xmltree.XMLSpace, "lang"), At: e}
	if q.ID == "" {
		return nil, Refuse(e, "the request has no id")
	}
	slots, c, err := readSlots(e)
	if err != nil {
		return nil, err
	}
	q.Slots = slots
	if !c.Is(Query, "ResponseOption") {
		return nil, missing(e, c, "query:ResponseOption")
	}
	if err := Leaf(c, "returnType", "returnComposedObjects"); err != nil {
		return nil, err
	}
	q.ReturnType = c.Attr("", "returnType")
	if c = c.Next(); !c.Is(Query, "Query") {
		return nil, missing(e, c, "query:Query")
	}
	if err := Closed(c, "queryDefinition"); err != nil {
		return nil, err
	}
	q.Definition = c.Attr("", "queryDefinition")
	var rest *xmltree.Element
	if q.Query, rest, err = readSlots(c); err != nil {
		return nil, err
	}
	if rest != nil {
		return nil, Refuse(rest, "%s does not belong into query:Query", rest.Name())
	}
	if c = c.Next(); c != nil {
		return nil, Refuse(c, "%s stands after query:Query", c.Name())
	}
	return q, nil
}

func missing(parent, found *xmltree.Element, want string) error {
	if found == nil {
		return Refuse(parent, "%s is missing in %s", want, parent.Name())
	}
	return Refuse(found, "%s stands where %s must stand", found.Name(), want)
}

// ReadQueryResponse reads query:QueryResponse.
func ReadQueryResponse(e *xmltree.Element) (*QueryResponse, error) {
	if !e.Is(Query, "QueryResponse") {
		return nil, Refuse(e, "the root is %s, not query:QueryResponse", e.Name())
	}
	if err := Closed(e, "requestId", "status", "startIndex", "totalResultCount"); err != nil {
		return nil, err
	}
	r := &QueryResponse{RequestID: e.Attr("", "requestId"), Status: e.Attr("", "status"), At: e}
	if r.Status == "" {
		return nil, Refuse(e, "the response has no status")
	}
	slots, c, err := readSlots(e)
	if err != nil {
		return nil, err
	}
	r.Slots = slots
	if r.Exceptions, c, err = readExceptions(c); err != nil {
		return nil, err
	}
	if c.Is(RIM, "RegistryObjectList") {
		list, err := readObjects(c)
		if err != nil {
			return nil, err
		}
		r.Objects = &list
		c = c.Next()
	}
	if c != nil {
		return nil, Refuse(c, "%s does not belong here in query:QueryResponse", c.Name())
	}
	return r, nil
}

// exceptionTypes are the types of rs:Exception that RegRep defines.
var exceptionTypes = []string{
	"rs:AuthenticationExceptionType", "rs:AuthorizationExceptionType", "rs:InvalidRequestExceptionType",
	"rs:ObjectExistsExceptionType", "rs:ObjectNotFoundExceptionType", "rs:QuotaExceededExceptionType",
	"rs:ReferencesExistExceptionType", "rs:TimeoutExceptionType", "rs:UnresolvedReferenceExceptionType",
	"rs:UnsupportedCapabilityExceptionType", "query:QueryExceptionType",
}

func readExceptions(c *xmltree.Element) (list []Exception, next *xmltree.Element, err error) {
	for ; c.Is(RS, "Exception"); c = c.Next() {
		if err := Closed(c, "xsi:type", "severity", "message", "code", "detail"); err != nil {
			return nil, nil, err
		}
		space, local, _ := xsiType(c, RS, Query)
		kind := "rs:" + local
		if space == Query {
			kind = "query:" + local
		}
		if !slices.Contains(exceptionTypes, kind) {
			return nil, nil, Refuse(c, "the exception has no xsi:type that RegRep defines")
		}
		x := Exception{Type: kind, Severity: c.Attr("", "severity"), Message: c.Attr("", "message"),
			Code: c.Attr("", "code"), Detail: c.Attr("", "detail"), At: c}
		var rest *xmltree.Element
		if x.Slots, rest, err = readSlots(c); err != nil {
			return nil, nil, err
		}
		if rest != nil {
			return nil, nil, Refuse(rest, "%s does not belong into rs:Exception", rest.Name())
		}
		list = append(list, x)
	}
	return list, c, nil
}

// ReadSubmitObjectsRequest reads lcm:SubmitObjectsRequest.
func ReadSubmitObjectsRequest(e *xmltree.Element) (*SubmitObjectsRequest, error) {
	if !e.Is(LCM, "SubmitObjectsRequest") {
		return nil, Refuse(e, "the root is %s, not lcm:SubmitObjectsRequest", e.Name())
	}
	if err := Closed(e, "id", "comment", "checkReferences", "mode"); err != nil {
		return nil, err
	}
	s := &SubmitObjectsRequest{ID: e.Attr("", "id"), Mode: e.Attr("", "mode"), Comment: e.Attr("", "comment"), At: e}
	if s.ID == "" {
		return nil, Refuse(e, "the submission has no id")
	}
	switch e.Attr("", "checkReferences") {
	case "true", "1":
		s.CheckReferences = true
	case "", "false", "0":
	default:
		return nil, Refuse(e, "checkReferences is neither true nor false")
	}
	slots, c, err := readSlots(e)
	if err != nil {
		return nil, err
	}
	s.Slots = slots
	if !c.Is(RIM, "RegistryObjectList") {
		return nil, missing(e, c, "rim:RegistryObjectList")
	}
	if s.Objects, err = readObjects(c); err != nil {
		return nil, err
	}
	if c = c.Next(); c != nil {
		return nil, Refuse(c, "%s stands after rim:RegistryObjectList", c.Name())
	}
	return s, nil
}

// ReadRegistryResponse reads rs:RegistryResponse.
func ReadRegistryResponse(e *xmltree.Element) (*RegistryResponse, error) {
	if !e.Is(RS, "RegistryResponse") {
		return nil, Refuse(e, "the root is %s, not rs:RegistryResponse", e.Name())
	}
	if err := Closed(e, "requestId", "status"); err != nil {
		return nil, err
	}
	r := &RegistryResponse{RequestID: e.Attr("", "requestId"), Status: e.Attr("", "status"), At: e}
	if r.Status == "" {
		return nil, Refuse(e, "the response has no status")
	}
	slots, c, err := readSlots(e)
	if err != nil {
		return nil, err
	}
	r.Slots = slots
	if r.Exceptions, c, err = readExceptions(c); err != nil {
		return nil, err
	}
	if c != nil {
		return nil, Refuse(c, "%s does not belong into rs:RegistryResponse", c.Name())
	}
	return r, nil
}

// Encode writes the request as a document.
func (q *QueryRequest) Encode() ([]byte, error) {
	w := xmltree.NewWriter()
	w.Open("query:QueryRequest")
	w.Declare("query", "rim", "sdg", "xlink", "xsi")
	if q.Lang != "" {
		w.Attr("xml:lang", q.Lang)
	}
	w.Attr("id", q.ID)
	writeSlots(w, q.Slots)
	w.Open("query:ResponseOption", "returnType", q.ReturnType)
	w.Close()
	w.Open("query:Query", "queryDefinition", q.Definition)
	writeSlots(w, q.Query)
	w.Close()
	w.Close()
	return w.Bytes()
}

// Encode writes the response as a document.
func (r *QueryResponse) Encode() ([]byte, error) {
	w := xmltree.NewWriter()
	w.Open("query:QueryResponse")
	w.Declare("query", "rim", "rs", "sdg", "xlink", "xsi")
	writeAnswer(w, r.RequestID, r.Status)
	writeSlots(w, r.Slots)
	writeExceptions(w, r.Exceptions)
	if r.Objects != nil {
		r.Objects.write(w)
	}
	w.Close()
	return w.Bytes()
}

// Encode writes the submission as a document.
func (s *SubmitObjectsRequest) Encode() ([]byte, error) {
	w := xmltree.NewWriter()
	w.Open("lcm:SubmitObjectsRequest")
	w.Declare("lcm", "rim", "sdg", "xlink", "xsi")
	w.Attr("id", s.ID)
	if s.Comment != "" {
		w.Attr("comment", s.Comment)
	}
	if s.CheckReferences {
		w.Attr("checkReferences", "true")
	}
	if s.Mode != "" {
		w.Attr("mode", s.Mode)
	}
	writeSlots(w, s.Slots)
	s.Objects.write(w)
	w.Close()
	return w.Bytes()
}

// Encode writes the answer as a document.
func (r *RegistryResponse) Encode() ([]byte, error) {
	w := xmltree.NewWriter()
	w.Open("rs:RegistryResponse")
	w.Declare("rs", "rim", "query", "sdg", "xsi")
	writeAnswer(w, r.RequestID, r.Status)
	writeSlots(w, r.Slots)
	writeExceptions(w, r.Exceptions)
	w.Close()
	return w.Bytes()
}

func writeAnswer(w *xmltree.Writer, requestID, status string) {
	if requestID != "" {
		w.Attr("requestId", requestID)
	}
	w.Attr("status", status)
}

func writeExceptions(w *xmltree.Writer, list []Exception) {
	for i := range list {
		x := &list[i]
		w.Open("rs:Exception", "xsi:type", x.Type, "severity", x.Severity, "message", x.Message)
		if x.Code != "" {
			w.Attr("code", x.Code)
		}
		if x.Detail != "" {
			w.Attr("detail", x.Detail)
		}
		writeSlots(w, x.Slots)
		w.Close()
	}
}
