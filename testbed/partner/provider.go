package partner

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/xmltree"
)

// Time-outs of a provider (TDD 4.4.3).
const (
	T1 = 5 * time.Minute
	T2 = 15 * time.Minute
	T3 = 40 * time.Minute
)

// provider is the data service and its preview space.
type provider struct {
	*Practice
	seen     map[string]bool // request ids
	previews map[string]*preview
	cut      bool // the base register is cut off
}

// preview is one preview session, from the exception that issued its address
// to the answer.
type preview struct {
	location string
	first    *Mail
	issued   time.Time
	visited  bool
	second   *Mail
	opened   time.Time // ebMS time of the second request
	decided  bool
	accepted bool
	done     bool // answered or expired
	known    bool // the user re-authenticated
}

// reply is an answer before it travels.
type reply struct {
	message edm.Message
	files   []File
}

// request answers one Evidence Request. A nil reply says nothing now.
func (p *provider) request(m *Mail) *reply {
	body := m.Body()
	report := p.validator.Validate(body, validator.Options{Kind: validator.EDMRequest})
	req, readable := m.Lead.(*edm.Request)
	if why := p.refusal(m, req, report); why != "" {
		return p.refuse(m, req, edm.InvalidRequest, why)
	}
	if !readable {
		req = p.guess(body)
	}
	p.seen[req.ID] = true
	switch {
	case p.is("refuses-prefixes") && !strings.Contains(string(body), "<sdg:"):
		return p.refuse(m, req, edm.InvalidRequest, "the namespace prefix is unknown")
	case p.is("refuses-shuffled") && strings.Index(string(body), `"SpecificationIdentifier"`) > strings.Index(string(body), `"Procedure"`):
		return p.refuse(m, req, edm.InvalidRequest, "the slots are out of order")
	case p.is("refuses-reminders") && len(req.Answers) > 0:
		return p.refuse(m, req, edm.InvalidRequest, "the slot EvidenceProviderClassification is unknown")
	case p.is("refuses-representatives") && (req.Representative != nil || req.RepresentativeOrganisation != nil):
		return p.refuse(m, req, edm.InvalidRequest, "nobody may act for somebody else")
	case p.is("legal-persons-unsupported") && req.LegalPerson != nil:
		return p.refuse(m, req, edm.InvalidRequest, "no natural person")
	}
	if req.Second() {
		return p.second(m, req)
	}
	if code, why := p.unservable(req); code != "" {
		return p.refuse(m, req, code, why)
	}
	if req.PossibilityForPreview && !p.is("delivers-without-preview") {
		return p.openPreview(m, req)
	}
	return p.evidence(m, req, true)
}

// refusal is the rule that a request breaks, "" when it is sound.
func (p *provider) refusal(m *Mail, req *edm.Request, report *validator.Report) string {
	for _, f := range report.Findings {
		if (f.Refuses() || f.Severity == validator.Warning && !f.Advice && p.is("refuses-warnings")) && !p.laxOn(f.Rule) {
			return fmt.Sprintf("%s: %s", f.Rule, f.Expected)
		}
	}
	if m.Broken != nil && !p.laxOn("decode") {
		return "the request cannot be read: " + m.Broken.Error()
	}
	if rule := p.headerRule(m, report.Message); rule != "" {
		return rule
	}
	if req != nil && p.seen[req.ID] && !p.is("accepts-replays") && !p.laxOn("replay") {
		return "X-10: this request id was used before (TDD 4.5.1)"
	}
	return ""
}

// headerRule is the rule between body and header that a request breaks.
func (p *provider) headerRule(m *Mail, body *validator.Message) string {
	header := p.validator.Validate(m.Envelope, validator.Options{Kind: validator.EBMSHeader})
	if body == nil || header.Message == nil {
		return ""
	}
	for _, c := range validator.Assemble([]*validator.Message{body}, validator.Related{Headers: []*validator.Message{header.Message}}) {
		for _, f := range p.validator.Compare(c).Findings {
			if f.Refuses() && !p.laxOn(f.Rule) {
				return f.Rule + ": " + f.Expected
			}
		}
	}
	return ""
}

// guess makes the best of a request that cannot be read, for those who answer
// anything.
func (p *provider) guess(body []byte) *edm.Request {
	r := p.Data.ask(p.NewID(), p.Clock)
	r.NaturalPerson = &sdg.Person{FamilyName: UsualName, GivenName: "Testa", DateOfBirth: "2001-02-03"}
	r.Line = edm.V20
	if doc, err := xmltree.Parse(body, xmltree.Options{}); err == nil {
		if id := doc.Root.Attr("", "id"); strings.HasPrefix(id, "urn:uuid:") {
			r.ID = id
		}
		if line := edm.LineOf(doc.Root); slices.Contains(edm.Lines(), line) {
			r.Line = line
		}
	}
	return r
}

// unservable is why a sound request cannot be served.
func (p *provider) unservable(req *edm.Request) (edm.Code, string) {
	if p.laxOn("content") {
		return "", ""
	}
	person := req.NaturalPerson
	formats := map[string]bool{}
	for _, d := range req.Evidence.DistributedAs {
		for _, f := range d.Formats {
			formats[f] = true
		}
	}
	assurance := ""
	if person != nil {
		assurance = person.LevelOfAssurance
	} else if req.LegalPerson != nil {
		assurance = req.LegalPerson.LevelOfAssurance
	}
	switch {
	case req.Evidence.Classification != p.Data.Evidence.Classification:
		return edm.ObjectNotFound, "this evidence type is not served here"
	case !edm.SameIdentifier(req.Provider.Identifier, p.Data.Provider.Identifier):
		return edm.ObjectNotFound, "this provider is not served here"
	case len(formats) > 0 && !formats["application/pdf"] && !formats["application/xml"] && !p.is("ignores-format"):
		return edm.Unsupported, "none of the formats asked is available"
	case (assurance == "Low" || assurance == "") && !p.is("ignores-assurance"):
		return edm.AuthenticationFailed, "the level of assurance is below Substantial"
	}
	return "", ""
}

func subjectName(r *edm.Request) string {
	switch {
	case r.NaturalPerson != nil:
		return r.NaturalPerson.FamilyName
	case r.LegalPerson != nil:
		return r.LegalPerson.LegalName
	}
	return ""
}

// evidence answers with what is found about the subject.
func (p *provider) evidence(m *Mail, req *edm.Request, accepted bool) *reply {
	name := subjectName(req)
	switch {
	case p.cut || name == BrokenName:
		return p.refuse(m, req, edm.QueryFailed, "the base register fails")
	case name == SlowName:
		return p.refuse(m, req, edm.Timeout, "the base register does not answer in time")
	case (name == NobodyName || name == TwinName) && !p.is("hides-no-match"):
		return p.refuse(m, req, edm.ObjectNotFound, "no unique match, or no evidence")
	}
	a := &edm.Response{ID: p.NewID(), RequestID: req.ID, IssuedAt: p.Clock.Now(), Providers: []sdg.Agent{p.agent("EP")}, Requester: p.asker(req)}
	if p.is("same-response-id") {
		a.ID = "00000000-0000-4000-8000-000000000001"
	}
	out := &reply{message: a}
	switch {
	case name == LaterName && p.is("no-deferral"):
		return p.refuse(m, req, edm.ObjectNotFound, "not there yet")
	case name == LaterName:
		a.AvailableAt = p.Clock.Now().Add(48 * time.Hour)
	case !accepted && !p.is("delivers-refused"):
	default:
		pieces := 1
		if name == SeveralName && !p.is("loses-second") {
			pieces = 2
		}
		for range pieces {
			p.piece(out, a, req, name == CompleteName && !p.is("loses-supplements"))
		}
	}
	a.AssignIDs(p.NewID)
	return out
}

var documents = map[string][]byte{
	"application/pdf":  []byte("%PDF-1.4\n% invented evidence of a test\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"),
	"application/xml":  []byte(`<?xml version="1.0" encoding="UTF-8"?><diploma xmlns="https://sr.oots.tech.ec.europa.eu/datamodels/demo"><holder>Invented</holder></diploma>`),
	"application/json": []byte(`{"invented":true}`),
}

// Document is an invented document of a type.
func Document(mediaType string) []byte {
	if d := documents[mediaType]; d != nil {
		return d
	}
	return documents["application/pdf"]
}

// piece adds one piece of evidence in the first format that was asked.
func (p *provider) piece(out *reply, a *edm.Response, req *edm.Request, complete bool) {
	format, model := "application/pdf", ""
	var wanted []string // documents beside the evidence
	for _, d := range req.Evidence.DistributedAs {
		if f := d.Format(); f == "application/xml" || f == "application/pdf" {
			format, model, wanted = f, d.ConformsTo, d.Associated
			break
		}
	}
	if p.is("ignores-format") {
		format, model = "application/pdf", ""
	}
	if format != "application/xml" {
		model = ""
	}
	pack := edm.Package{}
	add := func(kind edm.DocumentKind, format, model, title string) {
		e := sdg.Evidence{ID: p.NewID(), Distribution: sdg.Distribution{Formats: []string{format}, Languages: []string{"EN"}, ConformsTo: model}}
		if kind == edm.MainEvidence {
			e.About = about(req)
			e.IssuingAuthority = &sdg.Agent{Identifier: p.Data.Provider.Identifier, Names: p.Data.Provider.Names}
			e.Type = &sdg.EvidenceType{Classification: req.Evidence.Classification, Titles: req.Evidence.Titles}
			e.IssuingDate = "2020-05-30"
		}
		cid := strings.ReplaceAll(p.NewID(), "-", "") + "@test.example"
		pack.Documents = append(pack.Documents, edm.Document{Kind: kind, Evidence: e, ContentID: cid, Title: title})
		file := File{ID: cid, Type: format, Data: documents[format]}
		if p.is("wrong-part-type") {
			file.Type = "image/png"
		}
		if p.is("wrong-bytes") {
			file.Data = []byte("this is not what it says")
		}
		out.files = append(out.files, file)
	}
	add(edm.MainEvidence, format, model, "Evidence")
	for _, kind := range supplements {
		has := complete || format == "application/xml" && kind == string(edm.HumanReadableVersion)
		needed := kind == string(edm.HumanReadableVersion) && format == "application/xml" && model == "" // TDD 4.5.2
		if (needed || has && slices.Contains(wanted, kind)) && req.Line == edm.V20 || req.Line == edm.V20 && p.is("unasked-supplements") {
			add(edm.DocumentKind(kind), "application/pdf", "", kind)
		}
	}
	a.Packages = append(a.Packages, pack)
}

func about(req *edm.Request) *sdg.Subject {
	if l := req.LegalPerson; l != nil {
		return &sdg.Subject{LegalPerson: &sdg.LegalPerson{LegalIdentifier: l.LegalIdentifier, LegalName: l.LegalName}}
	}
	n := req.NaturalPerson
	return &sdg.Subject{NaturalPerson: &sdg.Person{Identifier: n.Identifier, FamilyName: n.FamilyName, GivenName: n.GivenName, DateOfBirth: n.DateOfBirth}}
}

// openPreview issues a preview address (TDD 4.9).
func (p *provider) openPreview(m *Mail, req *edm.Request) *reply {
	if name := subjectName(req); name == NobodyName || name == TwinName || name == BrokenName || name == SlowName || name == LaterName {
		return p.evidence(m, req, true) // nothing to show
	}
	id := p.NewID()
	if p.is("guessable-preview") {
		id = fmt.Sprint(len(p.previews) + 1)
	}
	scheme := "https://"
	if p.is("plain-preview") {
		scheme = "http://"
	}
	v := &preview{location: scheme + p.Host + "/preview/" + id, first: m, issued: p.Clock.Now()}
	p.previews[id] = v
	x := edm.Exception{Code: edm.AuthorizationMissing, At: p.Clock.Now(), PreviewLocation: v.location,
		PreviewDescription: []sdg.Text{{Lang: "EN", Value: "Look at your evidence, then decide."}}}
	if req.Line != edm.V20 {
		x.PreviewMethod = "GET"
	}
	return &reply{message: p.failure(req, x)}
}

// second takes the second request of a preview.
func (p *provider) second(m *Mail, req *edm.Request) *reply {
	id := req.PreviewLocation[strings.LastIndexByte(req.PreviewLocation, '/')+1:]
	v := p.previews[id]
	switch {
	case v == nil && p.is("accepts-foreign-preview"):
		return p.evidence(m, req, true)
	case v == nil || v.location != xmltree.NormalizeSpace(req.PreviewLocation):
		return p.refuse(m, req, edm.InvalidRequest, "X-32: this preview address was not issued here")
	case v.done && p.is("accepts-used-preview"):
		return p.evidence(m, req, true)
	case v.done && !v.decided:
		return p.refuse(m, req, edm.Timeout, "X-35: the preview has expired")
	case v.done || v.second != nil:
		return p.refuse(m, req, edm.InvalidRequest, "X-35: this preview was answered already")
	case !p.is("accepts-changed-request") && !same(v.first, req):
		return p.refuse(m, req, edm.InvalidRequest, "X-34: the second request differs from the first")
	case !v.visited && p.Clock.Now().Sub(v.issued) > T2 && !p.is("ignores-timeouts"):
		v.done = true
		return p.refuse(m, req, edm.Timeout, "X-35: the preview has expired")
	}
	if p.is("previews-again") {
		return p.openPreview(m, req)
	}
	v.second, v.opened = m, m.Header.Timestamp
	if p.is("delivers-before-decision") {
		v.done = true
		return p.evidence(m, req, true)
	}
	return p.decide(v)
}

// same compares the slots of the second request with the first.
func same(first *Mail, req *edm.Request) bool {
	a, ok := first.Lead.(*edm.Request)
	return ok && a.Procedure == req.Procedure && subjectName(a) == subjectName(req) && a.Evidence.Classification == req.Evidence.Classification &&
		edm.SameIdentifier(a.Provider.Identifier, req.Provider.Identifier) && len(a.Requirements) == len(req.Requirements) &&
		a.Requirements[0].ID == req.Requirements[0].ID && a.PossibilityForPreview == req.PossibilityForPreview
}

// decide answers the second request once the user has decided.
func (p *provider) decide(v *preview) *reply {
	if v.second == nil || !v.decided || v.done {
		return nil
	}
	v.done = true
	return p.evidence(v.second, v.second.Lead.(*edm.Request), v.accepted)
}

// expire ends what took too long (T2, T3).
func (p *provider) expire() (out []*Mail, replies []*reply) {
	if p.is("ignores-timeouts") {
		return nil, nil
	}
	now := p.Clock.Now()
	for _, id := range sortedKeys(p.previews) {
		v := p.previews[id]
		if v.done || v.decided {
			continue
		}
		late := v.second == nil && !v.visited && now.Sub(v.issued) > T2 || v.second != nil && !v.visited && now.Sub(v.issued) > T2 ||
			v.second != nil && now.Sub(v.opened) > T3
		if !late {
			continue
		}
		v.done = true
		if v.second != nil {
			out = append(out, v.second)
			replies = append(replies, p.refuse(v.second, v.second.Lead.(*edm.Request), edm.Timeout, "the user took too long"))
		}
	}
	return out, replies
}

// ServePreview is the preview space: GET shows, POST with decision=accept or
// refuse decides. The user says who they are by the parameter as, the family
// name of their identity: what stands in for the eIDAS sign-in.
func (p *provider) ServePreview(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.is("preview-down") {
		http.Error(w, "Try again later.", http.StatusServiceUnavailable)
		return
	}
	v := p.previews[strings.TrimPrefix(r.URL.Path, "/preview/")]
	expired := v != nil && (v.done && !p.is("link-stays-open") || !p.is("ignores-timeouts") && !v.visited && p.Clock.Now().Sub(v.issued) > T2)
	if v == nil || expired {
		http.Error(w, "This link leads nowhere (any more). Go back to the procedure and ask again.", http.StatusGone)
		return
	}
	req := v.first.Lead.(*edm.Request)
	if !v.known && !p.is("no-reauthentication") {
		switch as := r.FormValue("as"); as {
		case "":
			http.Error(w, "Sign in first.", http.StatusUnauthorized)
			return
		case subjectName(req):
			v.known = true
		default:
			http.Error(w, "This evidence is about somebody else.", http.StatusForbidden)
			return
		}
	}
	v.visited = true
	if r.Method == http.MethodPost {
		if v.decided {
			http.Error(w, "You have decided already.", http.StatusConflict)
			return
		}
		if v.decided, v.accepted = true, r.FormValue("decision") == "accept"; v.second == nil && p.is("forgets-early-decision") {
			v.decided = false
		}
		if a := p.decide(v); a != nil {
			p.outbox = append(p.outbox, outgoing{v.second, a})
		}
		back := ""
		if v.second != nil && !p.is("no-return") {
			back = v.second.Lead.(*edm.Request).ReturnLocation
		}
		if back != "" {
			http.Redirect(w, r, back, http.StatusSeeOther)
			return
		}
		fmt.Fprint(w, "<!doctype html><title>Done</title><p>Your decision is kept.")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Preview</title><main><h1>%s</h1><form method="post"><button name="decision" value="accept">Use</button><button name="decision" value="refuse">Do not use</button></form></main></html>`,
		html.EscapeString(sdg.Name(req.Evidence.Titles, "EN")))
}

func (p *provider) agent(classification string) sdg.Agent {
	a := p.Data.Provider
	a.Address = &sdg.Address{FullAddress: "Example street 1", AdminUnitLevel1: p.Data.Country}
	a.Classification = classification
	return a
}

func (p *provider) asker(req *edm.Request) sdg.Agent {
	if r := req.Requester(); r != nil {
		return sdg.Agent{Identifier: r.Identifier, Names: r.Names}
	}
	return sdg.Agent{Identifier: p.Data.Requester.Identifier, Names: p.Data.Requester.Names}
}

// refuse is an Error Response with one exception.
func (p *provider) refuse(m *Mail, req *edm.Request, code edm.Code, detail string) *reply {
	if p.is("wrong-code") {
		if code = edm.AuthenticationFailed; strings.Contains(detail, "level of assurance") {
			code = edm.QueryFailed
		}
	}
	if req == nil {
		req = p.guess(m.Body())
	}
	return &reply{message: p.failure(req, edm.Exception{Code: code, Detail: detail, At: p.Clock.Now()})}
}

func (p *provider) failure(req *edm.Request, x edm.Exception) *edm.ErrorResponse {
	asker := p.asker(req)
	return &edm.ErrorResponse{ID: p.NewID(), RequestID: req.ID, Provider: p.agent("ERRP"), Requester: &asker, Exceptions: []edm.Exception{x}}
}

// letter addresses an answer to who asked.
func (p *provider) letter(m *Mail, a *reply) (Letter, error) {
	line := edm.V20
	if doc, err := xmltree.Parse(m.Body(), xmltree.Options{}); err == nil && slices.Contains(edm.Lines(), edm.LineOf(doc.Root)) {
		line = edm.LineOf(doc.Root)
	}
	message, _ := edm.Fit(a.message, line)
	body, err := edm.Encode(message, line)
	if err != nil {
		return Letter{}, err
	}
	l := Letter{To: m.Header.From.ID, Action: string(message.Kind()), Conversation: m.Header.ConversationID, Line: line,
		ExchangeID: m.Header.Property(ebms.ExchangeID), Files: append([]File{{Type: edm.MediaType, Data: body}}, a.files...)}
	if l.ExchangeID == "" {
		l.ExchangeID = p.NewID()
	}
	for _, prop := range m.Header.Properties {
		switch prop.Name {
		case ebms.OriginalSender:
			l.Recipient = sdg.Identifier{Scheme: prop.Type, Value: prop.Value}
		case ebms.FinalRecipient:
			l.Sender = sdg.Identifier{Scheme: prop.Type, Value: prop.Value}
		}
	}
	return l, nil
}
