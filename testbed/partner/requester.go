package partner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/validator"
)

// requesterFaults are those of a system that asks for evidence.
var requesterFaults = []Fault{
	{Name: "asks-nobody", About: "takes the order and sends nothing"},
	{Name: "no-lookups", About: "asks providers without asking the directories"},
	{Name: "other-provider", About: "asks another provider than the directory names", edits: asked("set //rim:Slot[EvidenceProvider]/rim:SlotValue/sdg:Agent/sdg:Identifier SOMEBODY-ELSE")},
	{Name: "other-requirement", About: "names a requirement that the Evidence Broker did not", edits: asked("set //sdg:Requirement/sdg:Identifier https://sr.oots.tech.ec.europa.eu/requirements/99999999-9999-4999-8999-999999999995")},
	{Name: "other-record", About: "names another record than the directory", edits: asked("set //sdg:DataServiceEvidenceType/sdg:Identifier 99999999-9999-4999-8999-999999999994")},
	{Name: "request-without-id", About: "the request's id is no urn:uuid", edits: asked("set query:QueryRequest/@id request-1")},
	{Name: "request-without-time", About: "the slot IssueDateTime is missing", edits: asked("remove //rim:Slot[IssueDateTime]")},
	{Name: "request-without-procedure", About: "the slot Procedure is missing", edits: asked("remove //rim:Slot[Procedure]")},
	{Name: "request-without-consent", About: "the slot ExplicitRequestGiven is missing", edits: asked("remove //rim:Slot[ExplicitRequestGiven]")},
	{Name: "request-without-requirement", About: "the slot Requirements is missing", edits: asked("remove //rim:Slot[Requirements]")},
	{Name: "request-without-preview-wish", About: "the slot PossibilityForPreview is missing", edits: asked("remove //rim:Slot[PossibilityForPreview]")},
	{Name: "request-without-country", About: "the requester has no country", edits: asked("remove //rim:Slot[EvidenceRequester]/rim:SlotValue/rim:Element/sdg:Agent/sdg:Address")},
	{Name: "request-bad-country", About: "the requester's country is none of the list", edits: asked("set //rim:Slot[EvidenceRequester]/rim:SlotValue/rim:Element/sdg:Agent/sdg:Address/sdg:AdminUnitLevel1 XX")},
	{Name: "request-without-format", About: "no format is asked for", edits: asked("remove //sdg:DistributedAs/sdg:Format")},
	{Name: "request-bad-scheme", About: "the requester's identifier has no scheme", edits: asked("remove //rim:Slot[EvidenceRequester]/rim:SlotValue/rim:Element/sdg:Agent/sdg:Identifier/@schemeID")},
	{Name: "no-second-request", About: "does nothing with a preview address"},
	{Name: "second-same-id", About: "the second request has the id of the first"},
	{Name: "second-without-return", About: "the second request has no ReturnLocation", edits: asked("remove //rim:Slot[ReturnLocation]")},
	{Name: "second-other-location", About: "the second request names another preview address", edits: asked("set //rim:Slot[PreviewLocation]/rim:SlotValue/rim:Value https://preview.test.example/other")},
	{Name: "second-other-conversation", About: "the second request begins another conversation"},
	{Name: "second-other-exchange", About: "the second request begins another exchange"},
	{Name: "second-other-subject", About: "the second request is about somebody else"},
	{Name: "accepts-any-answer", About: "uses every answer, whatever is wrong with it", lax: []string{"*"}},
	{Name: "takes-foreign-answers", About: "takes answers to requests it never made for its own"},
	{Name: "takes-answers-twice", About: "processes a second answer to the same request"},
	{Name: "empty-as-failure", About: "reports a failure when there is no evidence"},
	{Name: "exception-as-delivery", About: "reports evidence when the provider refuses"},
	{Name: "exception-without-code", About: "does not say why the provider refused"},
	{Name: "exception-without-detail", About: "keeps the detail of a refusal from the user"},
	{Name: "request-same-id", About: "gives every request the same id"},
	{Name: "deferral-as-failure", About: "reports a failure when evidence needs time"},
	{Name: "waits-for-ever", About: "does not count T1"},
	{Name: "loses-documents", About: "takes one document of several"},
	{Name: "loses-structured", About: "takes no structured evidence"},
	{Name: "identity-without-assurance", About: "leaves out the level of assurance", edits: asked("remove //sdg:Person/sdg:LevelOfAssurance")},
	{Name: "identity-without-birth", About: "leaves out the date of birth", edits: asked("remove //sdg:Person/sdg:DateOfBirth")},
	{Name: "identity-changed-name", About: "writes the name otherwise than the identity says"},
	{Name: "identity-kept", About: "sends the identity of the request before"},
	{Name: "classification-without-scheme", About: "does not say which code list the user's answer is from", edits: asked("remove //sdg:EvidenceProviderClassification/sdg:Identifier/@schemeID")},
	{Name: "forgets-classification", About: "does not tell the provider what the user answered to the directory"},
	{Name: "identity-raised-assurance", About: "raises the level of assurance"},
	{Name: "identity-other-identifier", About: "sends another identifier than the identity has", edits: asked("set //sdg:Person/sdg:Identifier FI/NL/SOMEBODY-0009")},
	{Name: "identity-bad-identifier", About: "sends an identifier without its scheme", edits: asked("remove //sdg:Person/sdg:Identifier/@schemeID")},
}

// logFaults are those of the log.
var logFaults = []Fault{
	{Name: "no-log", About: "keeps no log"},
	{Name: "log-without-received", About: "logs only what it sends"},
	{Name: "log-without-sent", About: "logs only what it receives"},
	{Name: "log-without-digest", About: "logs no digest of messages"},
	{Name: "log-other-digest", About: "logs digests of something else"},
	{Name: "log-without-time", About: "logs no times"},
	{Name: "log-without-party", About: "does not log who the other side was"},
	{Name: "log-without-receipt", About: "does not log whether a message was acknowledged"},
	{Name: "log-without-refusals", About: "does not log what it refused"},
	{Name: "log-with-evidence", About: "keeps the evidence in the log"},
	{Name: "log-with-person", About: "logs who the evidence is about"},
}

func asked(edit string) map[string]string { return map[string]string{request: edit} }

// order is something the system was told to do that takes time.
type order struct {
	id, state, code, detail string
	request                 *edm.Request
	conversation, exchange  string
	location                string
	to                      ebms.PartyID
	since                   time.Time
	documents               int
	answered                bool
	submission              string // id of a submission
	spoil                   bool   // send it without the slot Procedure, for a provider to refuse
}

// request is the order "request": ask a provider for evidence. Its arguments
// are country, family, given, born, assurance, identifier, legal, preview (yes),
// format and answer, what the user answers when the directory asks back.
func (p *Practice) request(ctx context.Context, args map[string]string) (Told, error) {
	or := func(key, value string) string {
		if v := args[key]; v != "" {
			return v
		}
		return value
	}
	r := p.Data.ask(p.NewID(), p.Clock)
	if p.is("request-same-id") {
		r.ID = "urn:uuid:00000000-0000-4000-8000-000000000002"
	}
	r.PossibilityForPreview = args["preview"] == "yes"
	if f := args["format"]; f != "" {
		r.Evidence = p.Data.asked(f)
	}
	if name := args["legal"]; name != "" {
		r.LegalPerson = &sdg.LegalPerson{LevelOfAssurance: or("assurance", "High"), LegalName: name,
			LegalIdentifier: &sdg.Identifier{Scheme: "eidas", Value: or("identifier", "FI/NL/SPECIMEN-ORG-1")}}
	} else {
		r.NaturalPerson = &sdg.Person{LevelOfAssurance: or("assurance", "High"), FamilyName: or("family", UsualName), GivenName: or("given", "Testa"),
			DateOfBirth: or("born", "2001-02-03"), Identifier: &sdg.Identifier{Scheme: "eidas", Value: or("identifier", "FI/NL/SPECIMEN-0001")}}
		if p.is("identity-changed-name") {
			r.NaturalPerson.FamilyName = strings.ToUpper(r.NaturalPerson.FamilyName)
		}
		if p.is("identity-kept") && len(p.orders) > 0 && p.orders[0].request != nil {
			r.NaturalPerson = p.orders[0].request.NaturalPerson
		}
		if p.is("identity-raised-assurance") {
			r.NaturalPerson.LevelOfAssurance = "High"
		}
	}
	if t := args["type"]; t != "" {
		r.Evidence.Classification = t
	}
	o := &order{id: fmt.Sprint(len(p.orders) + 1), state: "sent", request: r, conversation: p.NewID(), exchange: p.NewID(), since: p.Clock.Now(), to: p.Peers[0].ID}
	p.orders = append(p.orders, o)
	line := p.line
	if !p.is("no-lookups") && p.client != nil {
		spoken, err := p.lookUp(ctx, o, args["answer"])
		if err != nil {
			o.state, o.detail = "failed", err.Error()
			return o.tell(), nil
		}
		line = spoken
	}
	r.Line = line
	if p.is("asks-nobody") {
		return o.tell(), nil
	}
	o.spoil = args["invalid"] == "yes"
	return o.tell(), p.ask(ctx, o, r)
}

// replay is the order "replay": the last request once more, under its old id.
func (p *Practice) replay(ctx context.Context) (Told, error) {
	if len(p.orders) == 0 {
		return Told{}, fmt.Errorf("nothing was asked before")
	}
	o := p.orders[len(p.orders)-1]
	return o.tell(), p.ask(ctx, o, o.request)
}

// lookUp asks the three questions of a requester and takes over what the
// directories say (TDD 3.1.4, 3.2.4, 4.7 §2.6).
func (p *Practice) lookUp(ctx context.Context, o *order, answer string) (edm.Line, error) {
	r := o.request
	home := p.Data.Requester.Address.AdminUnitLevel1
	requirements, _, err := p.client.Requirements(ctx, r.Procedure, home)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(requirements, func(q sdg.Requirement) bool { return q.ID == p.Data.Requirement.ID })
	if i < 0 {
		return "", fmt.Errorf("the procedure %s does not need this", r.Procedure)
	}
	r.Requirements = []sdg.Requirement{{ID: requirements[i].ID, Names: requirements[i].Names}}
	if _, _, err := p.client.EvidenceTypes(ctx, requirements[i].ID, p.Data.Country); err != nil {
		return "", err
	}
	query := cs.DataServiceQuery{Classification: p.Data.Evidence.Classification, Country: p.Data.Country, Specification: string(p.line), Answers: map[string]string{}}
	got, err := p.client.DataServices(ctx, query)
	if err != nil {
		return "", err
	}
	for _, question := range got.Questions { // the user answers each alike
		query.Answers[question.ID] = answer
		concept := question.Concept
		concept.Values = &sdg.SupportedValue{Strings: []string{answer}}
		if !p.is("forgets-classification") {
			r.Answers = append(r.Answers, concept)
		}
	}
	if len(got.Questions) > 0 {
		if got, err = p.client.DataServices(ctx, query); err != nil {
			return "", err
		}
	}
	if len(got.Records) == 0 || len(got.Records[0].AccessServices) == 0 {
		return "", fmt.Errorf("nobody offers this")
	}
	service := got.Records[0].AccessServices[0]
	line, err := edm.Negotiate(service.ConformsTo, []edm.Line{p.line})
	if err != nil {
		return "", err
	}
	r.Provider = sdg.Agent{Identifier: service.Publisher.Identifier, Names: service.Publisher.Names}
	o.to = ebms.PartyID{Type: service.Identifier.Scheme, Value: service.Identifier.Value}
	return line, nil
}

// ask sends a request.
func (p *Practice) ask(ctx context.Context, o *order, r *edm.Request) error {
	fit, _ := edm.Fit(r, r.Line)
	body, err := edm.Encode(fit, r.Line)
	if err != nil {
		return err
	}
	if o.spoil {
		spoiled, err := draft.Edit(string(body), "remove //rim:Slot[Procedure]")
		if err != nil {
			return err
		}
		body = []byte(spoiled)
	}
	return p.send(ctx, Letter{To: o.to, Action: request, Conversation: o.conversation, ExchangeID: o.exchange, Line: r.Line,
		Sender: r.Requester().Identifier, Recipient: r.Provider.Identifier, Files: []File{{Type: edm.MediaType, Data: body}}})
}

// second sends the second request of a preview.
func (p *Practice) second(ctx context.Context, o *order) error {
	r := *o.request
	r.PreviewLocation, r.IssuedAt = o.location, p.Clock.Now()
	if !p.is("second-same-id") {
		r.ID = "urn:uuid:" + p.NewID()
	}
	if r.Line == edm.V20 {
		r.ReturnLocation = "https://portal.test.example/return/" + p.NewID()
	}
	if p.is("second-other-conversation") {
		o.conversation = p.NewID()
	}
	if p.is("second-other-exchange") {
		o.exchange = p.NewID()
	}
	if p.is("second-other-subject") && r.NaturalPerson != nil {
		other := *r.NaturalPerson
		other.FamilyName = "Somebody"
		r.NaturalPerson = &other
	}
	o.request, o.since = &r, p.Clock.Now()
	return p.ask(ctx, o, &r)
}

// settled takes an answer to a request or to a submission. It runs under the
// lock; what is to be sent comes back.
func (p *Practice) settled(m *Mail) (then func(context.Context) error) {
	if m.Header.Service.Value == as4.LifecycleMgmt {
		p.submissionAnswered(m)
		return nil
	}
	report := p.validator.Validate(m.Body(), validator.Options{})
	var requestID string
	switch a := m.Lead.(type) {
	case *edm.Response:
		requestID = a.RequestID
	case *edm.ErrorResponse:
		requestID = a.RequestID
	}
	i := slices.IndexFunc(p.orders, func(o *order) bool { return o.request != nil && o.request.ID == requestID })
	if i < 0 && (p.is("takes-foreign-answers") || p.laxOn("X-10")) {
		i = len(p.orders) - 1
	}
	if i < 0 {
		return nil // an answer to nothing that we asked
	}
	o := p.orders[i]
	switch {
	case o.answered && !p.is("takes-answers-twice"):
		return nil
	case (report.Refused() || m.Broken != nil) && !p.laxOn("valid"), !p.fits(o, m) && !p.laxOn("fits"):
		o.state, o.detail, o.answered = "failed", "the answer breaks a rule", true
		return nil
	}
	switch a := m.Lead.(type) {
	case *edm.Response:
		p.arrived(o, a, len(m.Files)-1)
	case *edm.ErrorResponse:
		x := a.Exceptions[0]
		if x.Code == edm.AuthorizationMissing && x.PreviewLocation != "" && o.location == "" {
			o.state, o.location = "preview", x.PreviewLocation
			if !p.is("no-second-request") {
				return func(ctx context.Context) error { return p.second(ctx, o) }
			}
			return nil
		}
		o.state, o.code, o.detail, o.answered = "refused", string(x.Code), x.Detail, true
		if p.is("exception-without-code") {
			o.code = ""
		}
		if p.is("exception-without-detail") {
			o.detail = ""
		}
		if p.is("exception-as-delivery") {
			o.state, o.documents = "delivered", 1
		}
	default:
		o.state, o.answered = "delivered", true
	}
	return nil
}

func (p *Practice) arrived(o *order, a *edm.Response, documents int) {
	o.answered = true
	if p.is("loses-documents") {
		documents = min(documents, 1)
	}
	if all := a.Documents(); p.is("loses-structured") && len(all) > 0 && all[0].Evidence.Distribution.Format() == "application/xml" {
		documents = 0
	}
	switch o.documents += documents; {
	case a.Deferred() && p.is("deferral-as-failure"), !a.Deferred() && documents == 0 && p.is("empty-as-failure"):
		o.state = "failed"
	case a.Deferred():
		o.state = "deferred"
	case documents == 0:
		o.state = "nothing"
	default:
		o.state = "delivered"
	}
}

// fits compares an answer with the request.
func (p *Practice) fits(o *order, m *Mail) bool {
	if m.Header.ConversationID != o.conversation {
		return false
	}
	if x := m.Header.Property(ebms.ExchangeID); x != "" && x != o.exchange {
		return false
	}
	a, ok := m.Lead.(*edm.Response)
	if !ok {
		return true
	}
	if a.Line != o.request.Line || !edm.SameIdentifier(a.Requester.Identifier, o.request.Requester().Identifier) {
		return false
	}
	if ep := a.Provider(); ep == nil || !edm.SameIdentifier(ep.Identifier, o.request.Provider.Identifier) {
		return false
	}
	for _, d := range a.Documents() {
		if !slices.ContainsFunc(m.Files[1:], func(f File) bool { return f.ID == d.ContentID }) {
			return false
		}
		if d.Evidence.Type != nil && d.Evidence.Type.Classification != o.request.Evidence.Classification {
			return false
		}
		if n := o.request.NaturalPerson; n != nil && d.Evidence.About != nil && d.Evidence.About.NaturalPerson != nil && d.Evidence.About.NaturalPerson.FamilyName != n.FamilyName {
			return false
		}
	}
	return true
}

// tire ends orders that took too long: the requester's times are a minute longer
// than the provider's (TDD 4.4.3).
func (p *Practice) tire() {
	for _, o := range p.orders {
		limit := T1 + time.Minute
		if o.state == "preview" {
			limit = T3 + T2 + 2*time.Minute
		}
		if !o.answered && o.request != nil && (o.state == "sent" || o.state == "preview") && p.Clock.Now().Sub(o.since) > limit && !p.is("waits-for-ever") {
			o.state, o.detail, o.answered = "failed", "no answer came in time", true
		}
	}
}

func (o *order) tell() Told {
	return Told{State: o.state, Code: o.code, Detail: o.detail, Fields: map[string]string{"order": o.id, "documents": strconv.Itoa(o.documents), "preview": o.location}}
}

// outcomeOf is the order "outcome".
func (p *Practice) outcomeOf(args map[string]string) (Told, error) {
	i, err := strconv.Atoi(args["order"])
	if err != nil || i < 1 || i > len(p.orders) {
		return Told{}, fmt.Errorf("there is no order %q", args["order"])
	}
	return p.orders[i-1].tell(), nil
}

// logOf is the order "log": what the log of Article 17 says about a
// conversation.
func (p *Practice) logOf(args map[string]string) (Told, error) {
	var rows []map[string]string
	for _, m := range p.Mail() {
		if m.Header.ConversationID != args["conversation"] || p.is("no-log") || p.is("log-without-sent") && m.Sent || p.is("log-without-received") && !m.Sent {
			continue
		}
		if m.Header.Action == exception && p.is("log-without-refusals") {
			continue
		}
		sum := sha256.Sum256(m.Body())
		row := map[string]string{"event": "received", "action": m.Header.Action, "message": m.Header.MessageID, "conversation": m.Header.ConversationID,
			"party": m.Header.From.ID.Value, "at": m.At.UTC().Format("2006-01-02T15:04:05.000Z"), "digest": hex.EncodeToString(sum[:]), "receipt": "yes"}
		if m.Sent {
			row["event"], row["party"] = "sent", m.Header.To.ID.Value
			if m.State != as4.Acknowledged {
				row["receipt"] = "no"
			}
		}
		if r, ok := m.Lead.(*edm.Request); ok && p.is("log-with-person") {
			row["subject"] = subjectName(r)
		}
		if p.is("log-with-evidence") && len(m.Files) > 1 {
			row["document"] = string(m.Files[1].Data)
		}
		for fault, key := range map[string]string{"log-without-digest": "digest", "log-without-time": "at", "log-without-party": "party", "log-without-receipt": "receipt"} {
			if p.is(fault) {
				delete(row, key)
			}
		}
		if p.is("log-other-digest") {
			row["digest"] = strings.Repeat("0", 64)
		}
		rows = append(rows, row)
	}
	return Told{State: "log", Fields: map[string]string{"count": strconv.Itoa(len(rows))}, Rows: rows}, nil
}
