package edm

import (
	"time"

	"github.com/once-only/oots/sdg"
)

// The slots that the profiles choose from (TDD 4.5.1 to 4.5.3).

var (
	requestSpecification = specification(func(r *Request, l Line) { r.Line = l })
	requestIssued        = moment("IssueDateTime", func(r *Request) *time.Time { return &r.IssuedAt })
	procedure            = text("Procedure", func(r *Request) *string { return &r.Procedure })
	procedureOf1x        = code("Procedure", func(r *Request) *string { return &r.Procedure })
	previewLocation      = text("PreviewLocation", func(r *Request) *string { return &r.PreviewLocation }).optional()
	returnLocation       = text("ReturnLocation", func(r *Request) *string { return &r.ReturnLocation }).optional()
	possibility          = flag("PossibilityForPreview", func(r *Request) *bool { return &r.PossibilityForPreview })
	explicit             = flag("ExplicitRequestGiven", func(r *Request) *bool { return &r.ExplicitRequestGiven })
	requirements         = records("Requirements", func(r *Request) *[]sdg.Requirement { return &r.Requirements }).also(bareRequirements)
	requesters           = records("EvidenceRequester", func(r *Request) *[]sdg.Agent { return &r.Requesters }).also(func(r *Request) string {
		return noJurisdiction(r.Requesters)
	})
	provider = record("EvidenceProvider", func(r *Request) *sdg.Agent { return &r.Provider }).also(func(r *Request) string {
		return bareAgent(&r.Provider)
	})
	answers = records("EvidenceProviderClassification", func(r *Request) *[]sdg.ClassificationConcept { return &r.Answers }).optional()

	naturalPerson   = pointer("NaturalPerson", func(r *Request) **sdg.Person { return &r.NaturalPerson })
	legalPerson     = pointer("LegalPerson", func(r *Request) **sdg.LegalPerson { return &r.LegalPerson })
	evidence        = record("EvidenceRequest", func(r *Request) *sdg.DataServiceEvidenceType { return &r.Evidence }).also(bareEvidence)
	representative  = pointer("AuthorizedRepresentative", func(r *Request) **sdg.Person { return &r.Representative })
	representativeO = pointer("AuthorizedRepresentativeLegalPerson", func(r *Request) **sdg.LegalPerson { return &r.RepresentativeOrganisation })
)

var (
	responseSpecification = specification(func(r *Response, l Line) { r.Line = l })
	responseID            = text("EvidenceResponseIdentifier", func(r *Response) *string { return &r.ID })
	responseIssued        = moment("IssueDateTime", func(r *Response) *time.Time { return &r.IssuedAt })
	responseAvailable     = moment("ResponseAvailableDateTime", func(r *Response) *time.Time { return &r.AvailableAt }).optional()
	responseProviders     = records("EvidenceProvider", func(r *Response) *[]sdg.Agent { return &r.Providers }).also(func(r *Response) string {
		return noJurisdiction(r.Providers)
	})
	responseRequester = record("EvidenceRequester", func(r *Response) *sdg.Agent { return &r.Requester }).also(func(r *Response) string {
		return bareAgent(&r.Requester)
	})
)

var (
	failureSpecification = specification(func(e *ErrorResponse, l Line) { e.Line = l })
	failureID            = text("EvidenceResponseIdentifier", func(e *ErrorResponse) *string { return &e.ID })
	failureProvider      = record("ErrorProvider", func(e *ErrorResponse) *sdg.Agent { return &e.Provider }).also(func(e *ErrorResponse) string {
		return noJurisdiction([]sdg.Agent{e.Provider})
	})
	failureRequester = pointer("EvidenceRequester", func(e *ErrorResponse) **sdg.Agent { return &e.Requester }).also(func(e *ErrorResponse) string {
		return bareAgent(e.Requester)
	})
)

var (
	exceptionTime        = moment("Timestamp", func(x *Exception) *time.Time { return &x.At })
	exceptionLocation    = text("PreviewLocation", func(x *Exception) *string { return &x.PreviewLocation }).optional()
	exceptionDescription = texts("PreviewDescription", func(x *Exception) *[]sdg.Text { return &x.PreviewDescription }).optional()
	exceptionMethod      = text("PreviewMethod", func(x *Exception) *string { return &x.PreviewMethod }).optional()
)

// The checks below are the closed lists of elements: what the vocabulary
// knows and a place in a message does not.

func bareRequirements(r *Request) string {
	for _, q := range r.Requirements {
		if len(q.Frameworks) > 0 || len(q.EvidenceTypeLists) > 0 {
			return "a requirement in a request holds Identifier, Name and Description only (R-EDM-REQ-S038)"
		}
	}
	return ""
}

func bareEvidence(r *Request) string {
	e := &r.Evidence
	if len(e.AccessServices) > 0 || e.LevelOfAssurance != "" || len(e.Notes) > 0 || e.JurisdictionAsked != nil || len(e.ProviderQuestions) > 0 {
		return "the evidence type in a request holds Identifier, EvidenceTypeClassification, Title, Description and DistributedAs only (R-EDM-REQ-S045)"
	}
	for _, d := range e.DistributedAs {
		if len(d.Formats) > 1 {
			return "a distribution in a request has one Format"
		}
	}
	return ""
}

func bareAgent(a *sdg.Agent) string {
	if a != nil && (a.Address != nil || a.Classification != "" || a.Jurisdiction != nil) {
		return "this agent holds Identifier and Name only (R-EDM-REQ-S043, R-EDM-RESP-S028)"
	}
	return ""
}

func noJurisdiction(agents []sdg.Agent) string {
	for _, a := range agents {
		if a.Jurisdiction != nil {
			return "an agent holds Identifier, Name, Address and Classification only (R-EDM-REQ-S040)"
		}
	}
	return ""
}
