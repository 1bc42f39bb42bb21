package exchange

import (
	"context"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
)

// Directory asks the Common Services (TDD 3.2, 3.5). Answers may be cached.
type Directory interface {
	// Requirements of a procedure in the country of the portal, each with its
	// reference frameworks.
	Requirements(ctx context.Context, procedure, country string) ([]sdg.Requirement, error)
	// EvidenceTypes that prove a requirement in a country: alternatives.
	EvidenceTypes(ctx context.Context, requirement, country string) ([]sdg.EvidenceTypeList, error)
	// DataServices that issue an evidence type in a country. With questions left
	// to answer the error is a *Asked; with a directory's error a *Problem.
	DataServices(ctx context.Context, classification, country string, answers []sdg.ClassificationConcept) ([]sdg.DataServiceEvidenceType, error)
}

// Asked is the directory's refusal DSD:ERR:0005: the person must answer first.
type Asked struct{ Questions []sdg.ClassificationConcept }

func (a *Asked) Error() string { return "DSD:ERR:0005: the directory asks for more" }

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Code
	}
	return p.Code + ": " + p.Detail
}

// AccessPoint sends messages; *as4.AccessPoint is one. What Submit keeps is
// committed with the transaction that ctx carries.
type AccessPoint interface {
	Submit(ctx context.Context, m *ebms.UserMessage, parts []as4.Part) (messageID string, err error)
	Wake()
}

// DataService is a base register, or what stands for one: it owns the evidence.
type DataService interface {
	// Records are the candidates for a query: everything of the evidence type
	// asked for whose holder could be the subject. Who of them is meant is
	// decided by Matching, not here. An *edm.Exception is sent as it is; an error
	// that is a context's deadline becomes EDM:ERR:0005, any other EDM:ERR:0008.
	Records(ctx context.Context, q *Query) (*Records, error)
}

// Previewer is a DataService with a preview space of its own, where its users
// see the evidence first (TDD 4.9). It tells the decision by Provider.Decide.
type Previewer interface {
	DataService
	// PreviewLocation is where the person goes: an https address that holds the
	// session's id.
	PreviewLocation(ctx context.Context, s *PreviewSession) (string, error)
}

// Query is what a data service is asked.
type Query struct {
	Exchange, Conversation string
	Request                *edm.Request
	// Deadline is when the answer comes too late (T1, or T3 after a preview).
	Deadline time.Time
}

// Subject of the query.
func (q *Query) Subject() Subject {
	r := q.Request
	return Subject{r.NaturalPerson, r.LegalPerson, r.Representative, r.RepresentativeOrganisation}
}

// Records are a data service's answer.
type Records struct {
	All []Record
	// AvailableAt, when it lies ahead, defers: there is evidence, but only then.
	AvailableAt time.Time
}

// Record is one holder with one piece of evidence.
type Record struct {
	// Holder tells two people of the same name apart; empty means that the
	// subject's attributes do.
	Holder  string  `json:"holder,omitempty"`
	Subject Subject `json:"subject"`
	Piece   Piece   `json:"piece"`
}

// Piece is one piece of evidence: the main document in every form there is, and
// what may go with it.
type Piece struct {
	Title string `json:"title"`
	// Forms are the main evidence in its formats and languages; the first that
	// the request accepts is sent.
	Forms []File `json:"forms"`
	// Supplements are annexes, translations and human-readable versions.
	Supplements []File      `json:"supplements,omitempty"`
	Authority   *sdg.Agent  `json:"authority,omitempty"` // nil: the provider
	IssuedOn    string      `json:"issuedOn"`            // YYYY-MM-DD
	Validity    *sdg.Period `json:"validity,omitempty"`
}

// File is one document of a data service.
type File struct {
	Kind      edm.DocumentKind `json:"kind,omitempty"` // empty: main evidence
	Title     string           `json:"title,omitempty"`
	MediaType string           `json:"mediaType"`
	Language  string           `json:"language,omitempty"` // upper case
	Model     string           `json:"model,omitempty"`    // name of its data model
	Data      []byte           `json:"data"`
}

// Store keeps what must survive. Bodies are sealed; what stands beside them is
// no personal data. A call under a context of Atomically takes part in its
// transaction. Package exchangetest holds its promises.
type Store interface {
	// Atomically runs f in one transaction that writes.
	Atomically(ctx context.Context, f func(ctx context.Context) error) error

	// Create keeps a new row, or ErrKnown.
	Create(ctx context.Context, r Row) error
	// Get reads a row, or ErrUnknown. Under Atomically it is locked till the end.
	Get(ctx context.Context, kind, id string) (Row, error)
	// Update replaces state, body and keys, or ErrUnknown.
	Update(ctx context.Context, r Row) error
	// Find gives the rows of a kind that have a key, by time and id, at most n.
	Find(ctx context.Context, kind, key string, n int) ([]Row, error)
	// Remove forgets a row; one that is not there is no error.
	Remove(ctx context.Context, kind, id string) error
	// Forget drops the rows of a kind that were made before a time.
	Forget(ctx context.Context, kind string, before time.Time) (int, error)
	// Each walks through the rows of a kind made in [from, until), by time
	// and id.
	Each(ctx context.Context, kind string, from, until time.Time, f func(Row) error) error

	// Schedule keeps a task, in place of one with the same id.
	Schedule(ctx context.Context, t Task) error
	// Lease takes up to n tasks that are due, earliest first, and puts them off.
	Lease(ctx context.Context, now, until time.Time, n int) ([]Task, error)
	// Done forgets a task.
	Done(ctx context.Context, id string) error
}

// Row is a record of one kind: an exchange, a preview session, a log entry.
type Row struct {
	Kind, ID string
	State    string
	MadeAt   time.Time
	// Keys find it again: identifiers of messages and blind indexes, never a
	// name.
	Keys []string
	Body []byte // sealed
}

// Task is work to do at its time: a clock, an answer to give. Due is also the
// lease: whoever dies with it, it comes back.
type Task struct {
	ID      string // "kind:reference"
	Due     time.Time
	Attempt int // leases so far
}
