// Package edm implements the OOTS Exchange Data Model: Evidence Request,
// Evidence Response and Error Response as RegRep 4.0 documents, and what the
// message says in its ebMS header (TDD 4.4 to 4.7).
//
// There is one model without a version. Each line of the wire has a profile:
// oots-edm:v2.0 and v1.2 in full, v1.1 as v1.2 and v1.0 as far as its schema
// is known. Decode recognises the line in the message, Encode is told it (see
// Negotiate and Fit). What a line does not know is refused on the way in and
// out. The package knows no transport (see as4) and judges no business rule
// (see validator).
package edm

import (
	"time"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
)

// Line is a specification identifier, as on the wire.
type Line string

const (
	V20 Line = "oots-edm:v2.0"
	V12 Line = "oots-edm:v1.2"
	V11 Line = "oots-edm:v1.1"
	V10 Line = "oots-edm:v1.0"
)

// Lines are all lines, the newest first.
func Lines() []Line { return []Line{V20, V12, V11, V10} }

// Kind is one of the three messages, named by its ebMS action.
type Kind string

const (
	KindRequest   Kind = "ExecuteQueryRequest"
	KindResponse  Kind = "ExecuteQueryResponse"
	KindException Kind = "ExceptionResponse"
)

// Message is a *Request, a *Response or an *ErrorResponse.
type Message interface {
	Kind() Kind
	// Spoken is the line that the message was decoded from, "" for one that
	// was made.
	Spoken() Line
}

// Request is an Evidence Request (TDD 4.5.1).
type Request struct {
	Line Line // set by Decode, ignored by Encode

	// ID is query:QueryRequest/@id, "urn:uuid:" and a UUID (R-EDM-REQ-S004),
	// new in every request.
	ID string
	// Lang is the language the user prefers, the root's xml:lang; 1.x only. In
	// 2.0 the languages stand in the distributions.
	Lang string
	// IssuedAt is the slot IssueDateTime. The zero time is an error.
	IssuedAt time.Time
	// Procedure is a code of the list Procedures, or codelist.SystemCheck.
	Procedure string
	// PreviewLocation is the address received in EDM:ERR:0002, in a second
	// request only (TDD 4.9).
	PreviewLocation string
	// ReturnLocation is where the provider sends the user back; 2.0 only, and
	// there together with PreviewLocation.
	ReturnLocation string
	// PossibilityForPreview tells that the provider must show the evidence
	// before it delivers.
	PossibilityForPreview bool
	// ExplicitRequestGiven tells that the user asked for the exchange.
	ExplicitRequestGiven bool
	// Requirements are what the evidence must prove; at least one.
	Requirements []sdg.Requirement
	// Requesters are the evidence requester (ER) and any intermediary
	// platforms (IP).
	Requesters []sdg.Agent
	// Provider is the evidence provider, with identifier and names only.
	Provider sdg.Agent
	// Answers are the user's answers to the directory's questions.
	Answers []sdg.ClassificationConcept

	// NaturalPerson or LegalPerson is the subject: exactly one of the two.
	NaturalPerson *sdg.Person
	LegalPerson   *sdg.LegalPerson
	// Evidence is what is asked, copied from the Data Service Directory.
	Evidence sdg.DataServiceEvidenceType
	// Representative acts for the subject; RepresentativeOrganisation
	// likewise, but not in 1.0.
	Representative             *sdg.Person
	RepresentativeOrganisation *sdg.LegalPerson
}

// Response is an Evidence Response (TDD 4.5.2).
type Response struct {
	Line Line // set by Decode, ignored by Encode

	// ID is the slot EvidenceResponseIdentifier, a bare UUID.
	ID string
	// RequestID is the id of the request, "urn:uuid:" included.
	RequestID string
	IssuedAt  time.Time
	// AvailableAt is when to ask again; not zero makes this a deferred
	// response (status Unavailable).
	AvailableAt time.Time
	// Providers are the evidence provider (EP) and any intermediary platforms.
	Providers []sdg.Agent
	// Requester is the evidence requester, with identifier and names only.
	Requester sdg.Agent
	// Packages are the pieces of evidence; none is a valid answer.
	Packages []Package
}

// Package is one piece of evidence. A piece of 1.x is its main document alone,
// and the package has no ID.
type Package struct {
	ID        string // "urn:uuid:" and a UUID
	Documents []Document
}

// DocumentKind is the classification node of a document.
type DocumentKind string

const (
	MainEvidence         DocumentKind = "MainEvidence"
	Annex                DocumentKind = "Annex"
	HumanReadableVersion DocumentKind = "HumanReadableVersion"
	Translation          DocumentKind = "Translation"
)

// Document is a registry object of type ExtrinsicObjectType: the metadata of
// one document and the content id of the MIME part that holds it.
type Document struct {
	ID        string // "urn:uuid:" and a UUID
	Kind      DocumentKind
	Evidence  sdg.Evidence
	ContentID string // of the part, without "cid:" and angle brackets
	Title     string // xlink:title

	ClassificationID string // "urn:uuid:" and a UUID; 2.0 only
	// Of is the ID of the main document that a supplement belongs to, and
	// AssociationID the id of the object that says so; 2.0 only.
	Of            string
	AssociationID string
}

// ErrorResponse is an Error Response (TDD 4.5.3).
type ErrorResponse struct {
	Line Line // set by Decode, ignored by Encode

	ID string // slot EvidenceResponseIdentifier, a bare UUID
	// RequestID may be empty only when the request could not be read.
	RequestID string
	// Provider is the slot ErrorProvider; classification ERRP, EP or IP.
	Provider sdg.Agent
	// Requester may be nil only when the request could not be read.
	Requester  *sdg.Agent
	Exceptions []Exception // at least one
}

func (*Request) Kind() Kind       { return KindRequest }
func (*Response) Kind() Kind      { return KindResponse }
func (*ErrorResponse) Kind() Kind { return KindException }

func (r *Request) Spoken() Line       { return r.Line }
func (r *Response) Spoken() Line      { return r.Line }
func (e *ErrorResponse) Spoken() Line { return e.Line }

// Requester is the agent classified ER, nil unless there is exactly one.
func (r *Request) Requester() *sdg.Agent { return only(r.Requesters, "ER") }

// Second tells that this is the second request of a preview.
func (r *Request) Second() bool { return r.PreviewLocation != "" }

// Provider is the agent classified EP, nil unless there is exactly one.
func (r *Response) Provider() *sdg.Agent { return only(r.Providers, "EP") }

// Deferred tells that the evidence comes later.
func (r *Response) Deferred() bool { return !r.AvailableAt.IsZero() }

func only(agents []sdg.Agent, class string) (found *sdg.Agent) {
	for i := range agents {
		if agents[i].Classification == class {
			if found != nil {
				return nil
			}
			found = &agents[i]
		}
	}
	return found
}

// Main is the first main document, nil when there is none.
func (p *Package) Main() *Document {
	for i := range p.Documents {
		if p.Documents[i].Kind == MainEvidence {
			return &p.Documents[i]
		}
	}
	return nil
}

// Documents are the documents of all packages, in the order of their parts.
func (r *Response) Documents() (all []*Document) {
	for i := range r.Packages {
		for j := range r.Packages[i].Documents {
			all = append(all, &r.Packages[i].Documents[j])
		}
	}
	return all
}

// AssignIDs gives an id to every package, document, classification and
// association that has none, and ties each supplement without one to the main
// document of its package. newID makes a bare UUID.
func (r *Response) AssignIDs(newID func() string) {
	assign := func(id *string) {
		if *id == "" {
			*id = "urn:uuid:" + newID()
		}
	}
	for i := range r.Packages {
		p := &r.Packages[i]
		assign(&p.ID)
		for j := range p.Documents {
			assign(&p.Documents[j].ID)
			assign(&p.Documents[j].ClassificationID)
		}
		for j := range p.Documents {
			d := &p.Documents[j]
			if d.Kind == MainEvidence {
				continue
			}
			assign(&d.AssociationID)
			if main := p.Main(); d.Of == "" && main != nil {
				d.Of = main.ID
			}
		}
	}
}

// MediaType is that of the first part of every message.
const MediaType = regrep.MediaType
