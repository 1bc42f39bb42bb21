package web

import (
	"strings"
	"time"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// The shapes of the API for portals. They say in JSON what packages exchange and
// sdg say for the wire, and stay as they are when those move on.

// TextOut is a text in one language.
type TextOut struct {
	Language string `json:"language" doc:"code in lower case" example:"en"`
	Text     string `json:"text"`
}

func textsOut(all []sdg.Text) []TextOut {
	out := make([]TextOut, 0, len(all))
	for _, t := range all {
		out = append(out, TextOut{strings.ToLower(t.Lang), t.Value})
	}
	return out
}

// PersonIn is a natural person as the national identity scheme vouched for them.
type PersonIn struct {
	FamilyName       string `json:"familyName" minLength:"1" maxLength:"300"`
	GivenName        string `json:"givenName" minLength:"1" maxLength:"300"`
	DateOfBirth      string `json:"dateOfBirth" format:"date"`
	LevelOfAssurance string `json:"levelOfAssurance" enum:"Low,Substantial,High"`
	Identifier       string `json:"identifier,omitempty" maxLength:"300" doc:"eIDAS person identifier, such as FI/NL/123"`
	Gender           string `json:"gender,omitempty" enum:"Male,Female,Unspecified"`
	BirthName        string `json:"birthName,omitempty" maxLength:"300"`
	PlaceOfBirth     string `json:"placeOfBirth,omitempty" maxLength:"300"`
}

func (p *PersonIn) person() *sdg.Person {
	if p == nil {
		return nil
	}
	return &sdg.Person{LevelOfAssurance: p.LevelOfAssurance, FamilyName: p.FamilyName, GivenName: p.GivenName, DateOfBirth: p.DateOfBirth,
		Gender: p.Gender, BirthName: p.BirthName, PlaceOfBirth: p.PlaceOfBirth, Identifier: eidas(p.Identifier)}
}

func eidas(value string) *sdg.Identifier {
	if value == "" {
		return nil
	}
	return &sdg.Identifier{Scheme: "eidas", Value: value}
}

// OrganisationIn is a legal person.
type OrganisationIn struct {
	Name             string `json:"name" minLength:"1" maxLength:"300"`
	Identifier       string `json:"identifier" minLength:"1" maxLength:"300" doc:"eIDAS legal person identifier"`
	LevelOfAssurance string `json:"levelOfAssurance" enum:"Low,Substantial,High"`
}

func (o *OrganisationIn) organisation() *sdg.LegalPerson {
	if o == nil {
		return nil
	}
	return &sdg.LegalPerson{LegalName: o.Name, LegalIdentifier: eidas(o.Identifier), LevelOfAssurance: o.LevelOfAssurance}
}

// WishIn is what a portal wants for a person.
type WishIn struct {
	Procedure                  string            `json:"procedure" minLength:"1" maxLength:"10" doc:"code of the list Procedures" example:"T2"`
	Country                    string            `json:"country" pattern:"^[A-Z]{2}$" doc:"where the evidence is; EL for Greece" example:"FI"`
	Requirements               []string          `json:"requirements,omitempty" maxItems:"100" doc:"addresses in the Semantic Repository; none means all that the procedure has"`
	Person                     *PersonIn         `json:"person,omitempty" doc:"the subject; give either person or organisation"`
	Organisation               *OrganisationIn   `json:"organisation,omitempty" doc:"the subject; give either person or organisation"`
	Representative             *PersonIn         `json:"representative,omitempty" doc:"who acts for the subject"`
	RepresentativeOrganisation *OrganisationIn   `json:"representativeOrganisation,omitempty" doc:"the organisation that acts for the subject"`
	Answers                    map[string]string `json:"answers,omitempty" doc:"by the id of the question"`
	Languages                  []string          `json:"languages,omitempty" maxItems:"24" doc:"that the person reads, best first"`
	Preview                    bool              `json:"preview" doc:"false only where law dispenses with the preview (SDGR Art. 14(5))"`
	Explicit                   bool              `json:"explicit" doc:"the person explicitly asked for the exchange (SDGR Art. 14(4))"`
	Associated                 []string          `json:"associated,omitempty" doc:"supplements that are welcome" enum:"Annex,HumanReadableVersion,Translation"`
}

func (w *WishIn) wish() exchange.Wish {
	out := exchange.Wish{Procedure: w.Procedure, Country: w.Country, Requirements: w.Requirements, Answers: w.Answers, Preview: w.Preview, Explicit: w.Explicit,
		Associated: w.Associated, Subject: exchange.Subject{NaturalPerson: w.Person.person(), LegalPerson: w.Organisation.organisation(),
			Representative: w.Representative.person(), RepresentativeOrganisation: w.RepresentativeOrganisation.organisation()}}
	for _, l := range w.Languages {
		out.Languages = append(out.Languages, strings.ToUpper(l))
	}
	return out
}

// PlanOut is what the directories say about a wish.
type PlanOut struct {
	Plan      string        `json:"plan" doc:"names this plan: send it along when starting, so that indexes still mean the same"`
	Needs     []NeedOut     `json:"needs"`
	Questions []QuestionOut `json:"questions" doc:"to be answered by the person first"`
}

// NeedOut is one requirement of the procedure.
type NeedOut struct {
	Requirement  string           `json:"requirement"`
	Names        []TextOut        `json:"names"`
	Alternatives []AlternativeOut `json:"alternatives" doc:"one of them is enough"`
	NoMatch      []TextOut        `json:"noMatch,omitempty" doc:"why the country issues nothing for this"`
	Problem      *ProblemOut      `json:"problem,omitempty"`
}

// AlternativeOut is a list of evidence types that are needed together.
type AlternativeOut struct {
	Names  []TextOut  `json:"names"`
	Offers []OfferOut `json:"offers" doc:"all of them are needed"`
}

// OfferOut is one evidence type with who can deliver it.
type OfferOut struct {
	Classification string        `json:"classification"`
	Titles         []TextOut     `json:"titles"`
	Providers      []ProviderOut `json:"providers"`
	Problem        *ProblemOut   `json:"problem,omitempty"`
}

// ProviderOut is an evidence provider.
type ProviderOut struct {
	Identifier       string      `json:"identifier"`
	Names            []TextOut   `json:"names"`
	Formats          []string    `json:"formats"`
	LevelOfAssurance string      `json:"levelOfAssurance" doc:"that the person must be identified with"`
	Line             string      `json:"line,omitempty" doc:"empty when it speaks none of ours"`
	Problem          *ProblemOut `json:"problem,omitempty"`
}

// QuestionOut is one of the directory's questions.
type QuestionOut struct {
	ID      string    `json:"id"`
	Type    string    `json:"type" enum:"string,boolean,codelist"`
	Texts   []TextOut `json:"texts"`
	Options []string  `json:"options,omitempty"`
	List    string    `json:"list,omitempty" doc:"where the code list is published"`
}

// ProblemOut says what stands in the way. It carries no personal data.
type ProblemOut struct {
	Code   string `json:"code" doc:"EDM:ERR, EB:ERR, DSD:ERR or EBMS code, or a word of ours"`
	Detail string `json:"detail,omitempty"`
}

func problemOut(p *exchange.Problem) *ProblemOut {
	if p == nil {
		return nil
	}
	return &ProblemOut{p.Code, p.Detail}
}

func planOut(p *exchange.Plan) PlanOut {
	out := PlanOut{Plan: planDigest(p), Needs: []NeedOut{}, Questions: []QuestionOut{}}
	for _, q := range p.Questions() {
		out.Questions = append(out.Questions, QuestionOut{q.ID, q.Type, textsOut(q.Text), q.Options, q.ValueExpression})
	}
	for _, n := range p.Needs {
		need := NeedOut{Requirement: n.Requirement.ID, Names: textsOut(n.Requirement.Names), Alternatives: []AlternativeOut{}, NoMatch: textsOut(n.NoMatch), Problem: problemOut(n.Problem)}
		for _, alternative := range n.Alternatives {
			alt := AlternativeOut{Names: textsOut(alternative.Names), Offers: []OfferOut{}}
			for _, o := range alternative.Offers {
				offer := OfferOut{Classification: o.Type.Classification, Titles: textsOut(o.Type.Titles), Providers: []ProviderOut{}, Problem: problemOut(o.Problem)}
				for _, c := range o.Providers {
					provider := ProviderOut{Identifier: c.Service.Publisher.Identifier.Value, Names: textsOut(c.Service.Publisher.Names), Formats: []string{},
						LevelOfAssurance: c.Record.LevelOfAssurance, Line: string(c.Line), Problem: problemOut(c.Problem)}
					for _, d := range c.Record.DistributedAs {
						provider.Formats = append(provider.Formats, d.Formats...)
					}
					offer.Providers = append(offer.Providers, provider)
				}
				alt.Offers = append(alt.Offers, offer)
			}
			need.Alternatives = append(need.Alternatives, alt)
		}
		out.Needs = append(out.Needs, need)
	}
	return out
}

// ChoiceIn is one evidence to ask for, by its place in the plan.
type ChoiceIn struct {
	Need        int      `json:"need" minimum:"0"`
	Alternative int      `json:"alternative" minimum:"0"`
	Offer       int      `json:"offer" minimum:"0"`
	Provider    int      `json:"provider" minimum:"0"`
	Also        []int    `json:"also,omitempty" doc:"further needs that the same evidence proves"`
	Formats     []string `json:"formats,omitempty" doc:"media types wanted, best first; none means all"`
}

// StartIn asks for evidence.
type StartIn struct {
	Wish         WishIn     `json:"wish"`
	Plan         string     `json:"plan,omitempty" doc:"as planning named it; refused with 409 when the directories have changed since"`
	Choices      []ChoiceIn `json:"choices,omitempty" maxItems:"50" doc:"none: for every need the first that can be delivered"`
	Conversation string     `json:"conversation,omitempty" format:"uuid" doc:"to go on in a conversation of yours"`
}

// ConversationOut is the person's session.
type ConversationOut struct {
	ID        string        `json:"id" format:"uuid"`
	StartedAt time.Time     `json:"startedAt"`
	Ended     bool          `json:"ended"`
	Exchanges []ExchangeOut `json:"exchanges"`
}

func conversationOut(c *exchange.Conversation) ConversationOut {
	out := ConversationOut{c.ID, c.StartedAt, c.Ended(), []ExchangeOut{}}
	for _, x := range c.Exchanges {
		out.Exchanges = append(out.Exchanges, exchangeOut(x))
	}
	return out
}

// ExchangeOut is one request and its answer.
type ExchangeOut struct {
	ID           string        `json:"id" format:"uuid"`
	Conversation string        `json:"conversation" format:"uuid"`
	State        string        `json:"state" enum:"sent,preview_required,preview_open,delivered,deferred,failed"`
	Line         string        `json:"line" example:"oots-edm:v2.0"`
	Procedure    string        `json:"procedure"`
	Requirements []string      `json:"requirements"`
	Evidence     string        `json:"evidence" doc:"EvidenceTypeClassification"`
	Titles       []TextOut     `json:"titles"`
	Provider     string        `json:"provider" doc:"identifier of the evidence provider"`
	Country      string        `json:"country"`
	CreatedAt    time.Time     `json:"createdAt"`
	ChangedAt    time.Time     `json:"changedAt"`
	Deadline     *time.Time    `json:"deadline,omitempty" doc:"when the clock that runs now ends the exchange"`
	PreviewText  []TextOut     `json:"previewText,omitempty" doc:"what the provider tells the person before the preview"`
	Documents    []DocumentOut `json:"documents" doc:"none in delivered: there is nothing, or the person sent nothing"`
	Doubts       []string      `json:"doubts,omitempty" doc:"checks because of which a clerk should look first"`
	Erased       bool          `json:"erased"`
	AvailableAt  *time.Time    `json:"availableAt,omitempty" doc:"when a deferred answer is asked for again"`
	Next         string        `json:"next,omitempty" doc:"the exchange that asked again"`
	Problem      *ProblemOut   `json:"problem,omitempty"`
}

// DocumentOut is a document without its octets.
type DocumentOut struct {
	ID        string   `json:"id" format:"uuid"`
	Piece     int      `json:"piece" doc:"documents of one piece belong together"`
	Kind      string   `json:"kind"`
	Title     string   `json:"title"`
	MediaType string   `json:"mediaType"`
	Languages []string `json:"languages"`
	Model     string   `json:"model,omitempty" doc:"data model of structured evidence"`
	IssuedOn  string   `json:"issuedOn,omitempty"`
	Size      int64    `json:"size"`
	SHA256    string   `json:"sha256"`
}

func exchangeOut(x *exchange.Exchange) ExchangeOut {
	out := ExchangeOut{ID: x.ID, Conversation: x.Conversation, State: string(x.State), Line: string(x.Line), Procedure: x.Procedure, Requirements: []string{},
		Evidence: x.Evidence.Classification, Titles: textsOut(x.Evidence.Titles), Provider: x.Provider.Identifier.Value, Country: x.Country,
		CreatedAt: x.CreatedAt, ChangedAt: x.ChangedAt, Deadline: given(x.Deadline), Documents: []DocumentOut{}, Doubts: x.Doubts, Erased: x.Erased,
		AvailableAt: given(x.AvailableAt), Next: x.Next, Problem: problemOut(x.Problem)}
	for _, q := range x.Requirements {
		out.Requirements = append(out.Requirements, q.ID)
	}
	if x.Preview != nil {
		out.PreviewText = textsOut(x.Preview.Description)
	}
	for _, d := range x.Documents {
		languages := make([]string, 0, len(d.Languages))
		for _, l := range d.Languages {
			languages = append(languages, strings.ToLower(l))
		}
		out.Documents = append(out.Documents, DocumentOut{d.ID, d.Piece, string(d.Kind), d.Title, d.MediaType, languages, d.Model, d.Evidence.IssuingDate, d.Size, d.SHA256})
	}
	return out
}

// given is a time, nil for the zero one.
func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// RedirectOut is where the person's browser goes.
type RedirectOut struct {
	Location string            `json:"location" format:"uri"`
	Method   string            `json:"method" enum:"GET,POST,PUT"`
	Form     map[string]string `json:"form,omitempty" doc:"to be sent as a form, in line 1.x"`
}
