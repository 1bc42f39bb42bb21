package validator

import (
	"slices"

	"github.com/once-only/oots/xmltree"
)

// Step is one message of a conversation with what it can be compared with. A
// field that is nil leaves the checks that need it unevaluated.
type Step struct {
	Message *Message
	Header  *Message // its ebMS header
	Receipt *Message // the signed receipt that came back for it

	Request       *Message // of an answer: the request it answers
	RequestHeader *Message

	First       *Message // of a second request: the first one …
	FirstHeader *Message
	Exception   *Message   // … and the exception that led to the preview
	Rivals      []*Message // other second requests with the same PreviewLocation

	Directory []*Message // of a request: the directory answers it came from
}

// Conversation is a row of steps in the order in which they happened.
type Conversation struct{ Steps []*Step }

// Related tells what the caller knows beyond the messages themselves.
type Related struct {
	// Request is the request that every answer given is an answer to, whatever
	// its requestId says.
	Request *Message
	// Headers belong to the requests and answers given, in their order.
	Headers []*Message
	// Directory are answers of the Evidence Broker and the Data Service Directory.
	Directory []*Message
}

// Assemble sorts messages into conversations: an answer follows the request
// whose id it names, a second request the exception whose PreviewLocation it
// repeats. Directory answers and headers among the messages are attached where
// they fit. Messages that relate to nothing are conversations of one step.
func Assemble(messages []*Message, known Related) []Conversation {
	var requests, answers []*Step
	headers, directory := known.Headers, known.Directory
	var loose []*Message
	for _, m := range messages {
		switch {
		case m == nil:
		case m.Kind == EDMRequest:
			requests = append(requests, &Step{Message: m})
		case m.Kind&EDM != 0:
			answers = append(answers, &Step{Message: m})
		case m.Kind&(EBRequirements|EBEvidenceTypes|DSDResponse|DSDError) != 0:
			directory = append(directory, m)
		case m.Kind == EBMSHeader:
			loose = append(loose, m)
		}
	}
	if known.Request != nil && !slices.ContainsFunc(requests, func(s *Step) bool { return s.Message == known.Request }) {
		requests = append([]*Step{{Message: known.Request}}, requests...)
	}
	steps := append(slices.Clone(requests), answers...)
	attachHeaders(steps, messages, headers, loose)
	for _, a := range answers {
		a.Request = known.Request
		for _, r := range requests {
			if a.Request == nil && requestID(r.Message) != "" && requestID(r.Message) == requestID(a.Message) {
				a.Request = r.Message
			}
		}
		for _, r := range requests {
			if r.Message == a.Request {
				a.RequestHeader = r.Header
			}
		}
	}
	for _, r := range requests {
		r.Directory = directory
		tieSecond(r, requests, answers)
	}
	return order(requests, answers)
}

// requestID is the id of a request, or the one that an answer names.
func requestID(m *Message) string {
	name := "requestId"
	if m.Kind == EDMRequest {
		name = "id"
	}
	return xmltree.NormalizeSpace(m.Root().Attr("", name))
}

// previewOf is the PreviewLocation of a second request or of an exception.
func previewOf(m *Message) string {
	if m == nil {
		return ""
	}
	if m.Kind == EDMRequest {
		return xmltree.NormalizeSpace(slotText(m.Root(), "PreviewLocation"))
	}
	for e := range m.Root().Each(nsRS, "Exception") {
		if v := xmltree.NormalizeSpace(slotText(e, "PreviewLocation")); v != "" {
			return v
		}
	}
	return ""
}

// tieSecond finds what came before a second request.
func tieSecond(r *Step, requests, answers []*Step) {
	preview := previewOf(r.Message)
	if preview == "" {
		return
	}
	for _, a := range answers {
		// With a single exception at hand it is the one, be the address wrong.
		if a.Message.Kind == EDMError && previewOf(a.Message) != "" && a.Request != r.Message && (r.Exception == nil || previewOf(a.Message) == preview) {
			r.Exception = a.Message
			r.First = a.Request
		}
	}
	for _, other := range requests {
		switch {
		case other == r:
		case previewOf(other.Message) == "" && r.First == nil:
			r.First = other.Message
		case previewOf(other.Message) == preview:
			r.Rivals = append(r.Rivals, other.Message)
		}
	}
	for _, other := range requests {
		if other.Message == r.First {
			r.FirstHeader = other.Header
		}
	}
}

// attachHeaders gives each step its header: those the caller named go to the
// messages in their order, loose ones to the first step that they fit, and
// receipts to the header whose MessageId they name.
func attachHeaders(steps []*Step, messages, named, loose []*Message) {
	i := 0
	for _, m := range messages {
		for _, s := range steps {
			if s.Message == m && i < len(named) {
				s.Header = named[i]
				i++
			}
		}
	}
	var receipts []*Message
	for _, h := range loose {
		if signal(h) != nil {
			receipts = append(receipts, h)
			continue
		}
		for _, s := range steps {
			if s.Header == nil && fits(h, s.Message) {
				s.Header = h
				break
			}
		}
	}
	for _, r := range receipts {
		attachReceipt(r, steps)
	}
}

// attachReceipt looks for the message that the receipt names; one that names
// none is laid beside the last message, so that the difference shows.
func attachReceipt(r *Message, steps []*Step) {
	var last *Step
	for _, s := range steps {
		switch {
		case s.Header == nil || s.Receipt != nil:
		case refersTo(r) == messageID(s.Header):
			s.Receipt = r
			return
		default:
			last = s
		}
	}
	if last != nil {
		last.Receipt = r
	}
}

// fits tells whether a header could belong to a message: action, originalSender
// and finalRecipient.
func fits(h, m *Message) bool {
	u := userOf(h)
	sender, recipient := senderAndRecipient(m)
	return actionFits(find(u, "eb:CollaborationInfo", "eb:Action").Norm(), m) &&
		property(child(u, "eb:MessageProperties"), "originalSender").Norm() == sender.Norm() &&
		property(child(u, "eb:MessageProperties"), "finalRecipient").Norm() == recipient.Norm()
}

func userOf(h *Message) *Node     { return messaging(h.Root()).Child(nsEB, "UserMessage") }
func signal(h *Message) *Node     { return messaging(h.Root()).Child(nsEB, "SignalMessage") }
func messageID(h *Message) string { return find(userOf(h), "eb:MessageInfo", "eb:MessageId").Norm() }
func refersTo(h *Message) string {
	return find(signal(h), "eb:MessageInfo", "eb:RefToMessageId").Norm()
}

// order lays the steps out: a request, its answer, the second request, its
// answer; one conversation for each first request.
func order(requests, answers []*Step) []Conversation {
	var out []Conversation
	done := map[*Step]bool{}
	var follow func(c *Conversation, r *Step)
	follow = func(c *Conversation, r *Step) {
		if done[r] {
			return
		}
		done[r] = true
		c.Steps = append(c.Steps, r)
		for _, a := range answers {
			if !done[a] && a.Request == r.Message {
				done[a] = true
				c.Steps = append(c.Steps, a)
			}
		}
		for _, second := range requests {
			if second.First == r.Message {
				follow(c, second)
			}
		}
	}
	for _, pass := range []func(*Step) bool{func(s *Step) bool { return s.First == nil }, func(*Step) bool { return true }} {
		for _, r := range requests {
			if pass(r) && !done[r] {
				var c Conversation
				follow(&c, r)
				out = append(out, c)
			}
		}
	}
	for _, a := range answers {
		if !done[a] {
			out = append(out, Conversation{[]*Step{a}})
		}
	}
	return out
}

// Related tells whether anything in the conversation can be compared.
func (c *Conversation) Related() bool {
	for _, s := range c.Steps {
		if s.Header != nil || s.Request != nil || s.First != nil || s.Exception != nil || s.Receipt != nil || len(s.Directory) > 0 {
			return true
		}
	}
	return false
}

// Compare judges what no single message can show: the checks X-nn between the
// messages of a conversation.
func (v *Validator) Compare(c Conversation) *Report {
	rep := &Report{Name: "conversation", Findings: []Finding{}, messages: map[string]*Message{}}
	seen := map[string]uint8{}
	var ids []string
	for _, s := range c.Steps {
		rep.Kind |= s.Message.Kind
		for _, m := range []*Message{s.Message, s.Header, s.Receipt, s.Request} {
			if m != nil {
				rep.messages[m.Name] = m
			}
		}
		rep.Lines = s.Message.Line
		for i := range conversationRules {
			r := &conversationRules[i]
			if r.lines()&s.Message.Line == 0 || !r.Needs(s) {
				continue
			}
			if _, ok := seen[r.ID]; !ok {
				ids = append(ids, r.ID)
			}
			seen[r.ID] |= rulePassed
			f := r.Check(s)
			if f == nil {
				continue
			}
			seen[r.ID] |= ruleFailed
			rep.Findings = append(rep.Findings, r.finding(s, f))
		}
	}
	for _, id := range ids {
		if seen[id]&ruleFailed == 0 {
			rep.Passed = append(rep.Passed, id)
		}
	}
	rep.Specification = specification(EDM, rep.Lines)
	rep.sort()
	return rep
}

// PairRule is one check between messages.
type PairRule struct {
	ID       string // X-nn, ours: no published rule sees two messages
	Cites    string
	Severity Severity
	Lines    Lines // zero: all
	Needs    func(*Step) bool
	Check    func(*Step) *Mismatch
	Mend     string
}

// Mismatch is a difference between two messages, told at one of them.
type Mismatch struct {
	In     *Message // the message to point at; nil means the step's own
	At     *Node
	Attr   string
	Found  string
	Expect string
}

func (r *PairRule) lines() Lines {
	if r.Lines == 0 {
		return AllLine
	}
	return r.Lines
}

func (r *PairRule) finding(s *Step, f *Mismatch) Finding {
	m := f.In
	if m == nil {
		m = s.Message
	}
	out := Finding{Rule: r.ID, Severity: r.Severity, File: m.Name, Found: clip(f.Found), Expected: clip(f.Expect), Mend: r.Mend, Cites: r.Cites}
	at := f.At
	if at == nil {
		at = m.Root()
	}
	pos := at.Pos()
	out.Path = at.Path()
	if f.Attr != "" {
		space, local := "", f.Attr
		if p, l, ok := cut(f.Attr, ':'); ok {
			space, local = namespaceOf(p), l
		}
		if a := at.FindAttr(space, local); a != nil {
			pos, out.Path = a.Pos(), a.Path()
		}
	}
	out.Line, out.Column = pos.Line, pos.Column
	return out
}
