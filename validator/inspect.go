package validator

import (
	"fmt"
	"strings"

	"github.com/once-only/oots/codelist"
)

// Describe tells in plain words what a message is, who asks whom for what, a
// sentence a line. The words quote the message: show them to whoever brought it,
// never log them.
func Describe(m *Message) []string {
	out := []string{sentence(first(m.Name, "This"), "is", article(m.Kind.Words()), "on line", specification(m.Kind, m.Line))}
	switch {
	case m.Kind == EDMRequest:
		return append(out, describeRequest(m)...)
	case m.Kind == EDMResponse:
		return append(out, describeResponse(m)...)
	case m.Kind == EDMError:
		return append(out, describeError(m)...)
	case m.Kind == EBMSHeader:
		return append(out, describeHeader(m)...)
	case m.Kind&(EBRequirements|EBEvidenceTypes) != 0:
		return append(out, describeBroker(m)...)
	case m.Kind == DSDResponse:
		return append(out, describeDirectory(m)...)
	case m.Kind&(EBError|DSDError|LCMError) != 0:
		return append(out, describeExceptions(m)...)
	case m.Kind&(EBSubmission|DSDSubmission) != 0:
		return append(out, describeSubmission(m)...)
	}
	return out
}

func sentence(words ...string) string {
	var kept []string
	for _, w := range words {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ") + "."
}

func article(noun string) string {
	if noun != "" && strings.ContainsRune("AEIOUaeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// partyWords name an agent: "Sample University (NL)".
func partyWords(agent *Node) string {
	name := child(agent, "sdg:Name").Norm()
	if name == "" {
		name = child(agent, "sdg:Identifier").Norm()
	}
	if name == "" {
		return "an unnamed party"
	}
	if c := countryOf(agent); c != "" {
		return clip(name) + " (" + c + ")"
	}
	return clip(name)
}

func describeRequest(m *Message) (out []string) {
	asked := askedFor(m)
	out = append(out, sentence(partyWords(requesterOf(m)), "asks", partyWords(providerOf(m)), "for", quote(first(child(asked, "sdg:Title").Norm(), "an evidence type without a title"))))
	if p := procedureOf(m); p != "" {
		name := m.lists.List(codelist.Procedures).NameOf(p)
		if p == codelist.SystemCheck {
			name = "a check of the system"
		}
		out = append(out, sentence("The procedure is", p+parenthesis(name)))
	}
	for _, r := range requirementsOf(m) {
		out = append(out, sentence("It is to prove", quote(child(r, "sdg:Name").Norm())))
	}
	subject, natural := subjectOf(m)
	if level := child(subject, "sdg:LevelOfAssurance").Norm(); subject != nil {
		who := "a natural person"
		if !natural {
			who = "an organisation"
		}
		out = append(out, sentence("It is about", who, "who signed in with level of assurance", first(level, "unknown")))
	}
	q := child(m.Root(), "query:Query")
	if slot(q, "AuthorizedRepresentative") != nil || slot(q, "AuthorizedRepresentativeLegalPerson") != nil {
		out = append(out, "Somebody acts for the subject.")
	}
	var formats []string
	for d := range asked.Each(nsSDG, "DistributedAs") {
		formats = append(formats, child(d, "sdg:Format").Norm())
	}
	if len(formats) > 0 {
		out = append(out, sentence("It may come as", strings.Join(formats, " or ")))
	}
	switch {
	case previewOf(m) != "":
		out = append(out, "It is the second request, sent while the user looks at the evidence in the preview space.")
	case truth(slotText(m.Root(), "PossibilityForPreview")):
		out = append(out, "The user must see the evidence first: the provider answers with the way to its preview space.")
	default:
		out = append(out, "The evidence is wanted without a preview.")
	}
	return append(out, issued(m)...)
}

func parenthesis(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func issued(m *Message) []string {
	if t := find(slot(m.Root(), "IssueDateTime"), "rim:SlotValue", "rim:Value").Norm(); t != "" {
		return []string{sentence("It was issued at", clip(t))}
	}
	return nil
}

func describeResponse(m *Message) (out []string) {
	from, to := partyWords(answering(m)), partyWords(answeredTo(m))
	found := evidences(m)
	switch {
	case status(m.Root(), "Unavailable"):
		out = append(out, sentence(from, "tells", to, "that the evidence will be available at", first(slotText(m.Root(), "ResponseAvailableDateTime"), "a time it does not name")))
	case len(found) == 0:
		out = append(out, sentence(from, "answers", to, "that there is nothing to give: nothing was found, or the user chose nothing"))
	default:
		out = append(out, sentence(from, "gives", to, counted(len(found), "piece of evidence", "pieces of evidence"), "in", counted(len(items(m)), "document", "documents")))
	}
	for _, e := range found {
		out = append(out, sentence(quote(find(e, "sdg:IsConformantTo", "sdg:Title").Norm()), "as", first(find(e, "sdg:Distribution", "sdg:Format").Norm(), "an unnamed format")+",", "issued by", partyWords(child(e, "sdg:IssuingAuthority")), "on", first(child(e, "sdg:IssuingDate").Norm(), "an unknown day")))
	}
	return append(out, issued(m)...)
}

func describeError(m *Message) []string {
	out := []string{sentence(partyWords(answering(m)), "answers", partyWords(answeredTo(m)), "with an error")}
	return append(out, describeExceptions(m)...)
}

func describeExceptions(m *Message) (out []string) {
	for e := range m.Root().Each(nsRS, "Exception") {
		code, message := e.Attr("", "code"), e.Attr("", "message")
		out = append(out, sentence("The error is", first(code, "without a code")+parenthesis(clip(first(message, e.Attr("", "detail"))))))
		if p := slotText(e, "PreviewLocation"); p != "" {
			out = append(out, "It leads the user to the preview space; a second request must follow.")
		}
	}
	return out
}

func describeHeader(m *Message) (out []string) {
	if s := signal(m); s != nil {
		what := "a signal"
		if s.Child(nsEB, "Receipt") != nil {
			what = "a receipt"
		}
		return append(out, sentence("It carries", what, "for the message", quote(refersTo(m))))
	}
	u := userOf(m)
	out = append(out,
		sentence("Access point", first(find(u, "eb:PartyInfo", "eb:From", "eb:PartyId").Norm(), "unnamed"), "sends", first(find(u, "eb:CollaborationInfo", "eb:Action").Norm(), "a message without action"), "to", first(find(u, "eb:PartyInfo", "eb:To", "eb:PartyId").Norm(), "nobody named")),
		sentence("It travels from", first(propertyOf(m, "originalSender").Norm(), "nobody named"), "to", first(propertyOf(m, "finalRecipient").Norm(), "nobody named")),
		sentence("It has", counted(child(u, "eb:PayloadInfo").Count(nsEB, "PartInfo"), "part", "parts"), "and belongs to conversation", first(find(u, "eb:CollaborationInfo", "eb:ConversationId").Norm(), "none")))
	return out
}

func describeBroker(m *Message) (out []string) {
	requirements := listed([]*Message{m}, "sdg:Requirement")
	out = append(out, sentence("It names", counted(len(requirements), "requirement", "requirements")))
	types := listed([]*Message{m}, "sdg:EvidenceType")
	if len(types) > 0 {
		out = append(out, sentence("It lists", counted(len(types), "evidence type", "evidence types"), "that can prove them"))
	}
	return out
}

func describeDirectory(m *Message) (out []string) {
	for i, r := range listed([]*Message{m}, "sdg:DataServiceEvidenceType") {
		if i == 5 {
			return append(out, "There are more records.")
		}
		var who []string
		for p := range r.FindAll(nsSDG, "AccessService", "Publisher") {
			who = append(who, partyWords(p))
		}
		out = append(out, sentence(quote(child(r, "sdg:Title").Norm()), "can be had from", first(strings.Join(who, ", "), "nobody named")))
	}
	return out
}

func describeSubmission(m *Message) []string {
	return []string{sentence("It submits", counted(child(m.Root(), "rim:RegistryObjectList").Count(nsRIM, "RegistryObject"), "object", "objects"))}
}

// Story draws a conversation as a list of steps, a line each.
func Story(c Conversation) (out []string) {
	for i, s := range c.Steps {
		m := s.Message
		from, to, what := partyWords(answering(m)), partyWords(answeredTo(m)), ""
		switch m.Kind {
		case EDMRequest:
			from, to = partyWords(requesterOf(m)), partyWords(providerOf(m))
			what = "asks for " + quote(child(askedFor(m), "sdg:Title").Norm())
			if s.First != nil || previewOf(m) != "" {
				what = "asks again, with the preview location, while the user looks at the evidence"
			}
		case EDMError:
			e := child(m.Root(), "rs:Exception")
			what = "refuses with " + first(e.Attr("", "code"), "an error without a code")
			if previewOf(m) != "" {
				what = "sends the user to its preview space first"
			}
		default:
			switch found := evidences(m); {
			case status(m.Root(), "Unavailable"):
				what = "promises the evidence for " + first(slotText(m.Root(), "ResponseAvailableDateTime"), "later")
			case len(found) == 0:
				what = "answers that there is nothing to give"
			default:
				what = "gives " + counted(len(found), "piece of evidence", "pieces of evidence")
			}
		}
		line := fmt.Sprintf("%d. %s → %s: %s", i+1, from, to, what)
		if m.Name != "" {
			line += "  [" + m.Name + "]"
		}
		out = append(out, line)
	}
	return out
}
