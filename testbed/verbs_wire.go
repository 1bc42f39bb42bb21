package testbed

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/xmltree"
)

func checkSend(c *Case, args []string) string {
	rest, given := options(args, "with", "as", "action")
	if len(rest) != 1 {
		return "write send FILE [with DEVIATION] [as NAME]"
	}
	if _, ok := c.Files[rest[0]]; !ok {
		return fmt.Sprintf("the case has no file %q", rest[0])
	}
	if d := given["with"]; d != "" && partner.FindDeviation(d) == nil {
		return fmt.Sprintf("no deviation is called %q (oots test list --deviations shows them)", d)
	}
	return ""
}

func doSend(ctx context.Context, p *player, args []string) verdict {
	rest, given := options(args, "with", "as", "action")
	if p.me == nil || p.Target.Peer.URL == "" {
		return verdict{Unsupported, "the target has no access point"}
	}
	body, err := p.expand(rest[0])
	if err != nil {
		return broken("%s: %v", rest[0], err)
	}
	l := p.letter(body, given["action"])
	name := given["with"]
	if name == "" {
		name = "usual"
	}
	d := partner.FindDeviation(name)
	m, signal, err := p.me.PushRaw(ctx, l, d)
	if err != nil {
		return broken("the message cannot be sent: %v", err)
	}
	if given["as"] == "" {
		given["as"] = strings.TrimSuffix(rest[0], ".xml")
	}
	p.mail[given["as"]], p.signal = m, &signal
	return pass("%s", signal)
}

func doRepeat(ctx context.Context, p *player, args []string) verdict {
	m := p.mail[args[0]]
	if m == nil {
		return broken("no message of this run is called %q", args[0])
	}
	p.settle(ctx)
	signal, err := p.me.Repeat(ctx, m)
	if err != nil {
		return broken("%v", err)
	}
	p.signal = &signal
	return pass("%s", signal)
}

func checkSignal(_ *Case, args []string) string {
	if !slices.Contains([]string{partner.SignalReceipt, partner.SignalError, partner.SignalNone}, args[0]) {
		return "signal is receipt, error or none"
	}
	return ""
}

func doSignal(_ context.Context, p *player, args []string) verdict {
	s := p.signal
	p.signal = nil
	switch {
	case s == nil:
		return broken("nothing was sent before")
	case s.Kind != args[0]:
		return fail("%s came instead", s)
	case s.Kind == partner.SignalReceipt && !s.Signed:
		return fail("the receipt is not signed by the target's certificate")
	case s.Kind == partner.SignalReceipt && !s.Matches:
		return fail("the receipt does not repeat what was sent")
	case s.Kind == partner.SignalError && len(args) > 1 && !slices.Contains(args[1:], string(s.Code)):
		return fail("the error is %s", s.Code)
	case s.Kind == partner.SignalError && !s.Signed && len(args) > 1:
		return verdict{Warnings, fmt.Sprintf("%s; a signed error would be worth more", s)}
	}
	return pass("%s", s)
}

func doPing(ctx context.Context, p *player, _ []string) verdict {
	if p.me == nil || p.Target.Peer.URL == "" {
		return verdict{Unsupported, "the target has no access point"}
	}
	got, err := p.me.Ping(ctx, p.Target.Peer.ID)
	if err != nil {
		return broken("%v", err)
	}
	if got.Code != "" {
		return fail("HTTP %d, %s: %s", got.Status, got.Code, got.Detail)
	}
	return pass("acknowledged with a signed receipt")
}

// setDown stops the platform's access point, or starts it again.
func setDown(yes bool) func(context.Context, *player, []string) verdict {
	return func(_ context.Context, p *player, _ []string) verdict {
		if p.me == nil {
			return verdict{Unsupported, "the platform has no access point for this target"}
		}
		p.me.Down(yes)
		return pass("")
	}
}

func checkExpect(_ *Case, args []string) string {
	known := []string{as4.ActionRequest, as4.ActionResponse, as4.ActionException, as4.ActionSubmit, as4.ActionSubmitDone}
	for _, a := range strings.Split(args[0], "|") {
		if !slices.Contains(known, a) && a != silence {
			return fmt.Sprintf("no action is called %q; there are %s", a, strings.Join(known, ", "))
		}
	}
	_, given := options(args[1:], "within", "as")
	if w := given["within"]; w != "" {
		if _, ok := span(w); !ok {
			return fmt.Sprintf("%q is no time: T1, T2, T3 or a duration such as 30s", w)
		}
	}
	return ""
}

// silence among the actions of expect says that nothing need come: a provider
// cannot answer what names no requester (TDD 4.5.3).
const silence = "nothing"

func doExpect(ctx context.Context, p *player, args []string) verdict {
	codes, given := options(args[1:], "within", "as")
	limit := partner.T1
	if w := given["within"]; w != "" {
		limit, _ = span(w)
	}
	m, why := p.next(ctx, limit)
	switch {
	case m == nil && slices.Contains(strings.Split(args[0], "|"), silence):
		return pass("nothing came")
	case m == nil:
		return fail("%s", why)
	}
	if given["as"] == "" {
		given["as"] = "answer"
	}
	p.mail[given["as"]] = m
	if p.declined(given["as"]) && !slices.Contains(codes, string(edm.Unsupported)) {
		return verdict{Unsupported, "the system answers that it does not offer this (" + string(edm.Unsupported) + ")"}
	}
	if !slices.Contains(strings.Split(args[0], "|"), m.Header.Action) {
		return fail("%s came instead%s", m.Header.Action, p.codeOf(given["as"]))
	}
	if len(codes) > 0 && m.Header.Action == as4.ActionException {
		found, err := p.find(given["as"], "//rs:Exception/@code")
		switch {
		case err != nil:
			return fail("%v", err)
		case len(found) == 0 || !slices.Contains(codes, found[0]):
			return fail("the exception is %s", strings.Join(found, ", "))
		}
		return pass("%s %s", m.Header.Action, found[0])
	}
	return pass("%s", m.Header.Action)
}

// declined tells whether a system says of an optional case that it is not
// offered there: "optional feature or capability is not supported".
func (p *player) declined(name string) bool {
	found, err := p.find(name, "//rs:Exception/@code")
	return err == nil && p.k.Optional && slices.Contains(found, string(edm.Unsupported))
}

func (p *player) codeOf(name string) string {
	if found, err := p.find(name, "//rs:Exception/@code"); err == nil && len(found) > 0 {
		return " with " + strings.Join(found, ", ")
	}
	return ""
}

func doNothing(ctx context.Context, p *player, args []string) verdict {
	limit := partner.T1 / 10
	if len(args) == 2 {
		limit, _ = span(args[1])
	}
	m, _ := p.next(ctx, limit)
	if m == nil {
		return pass("nothing came")
	}
	p.mail["unexpected"] = m
	return fail("%s came%s", m.Header.Action, p.codeOf("unexpected"))
}

// doReply answers the last message that came: in its conversation and exchange,
// with the documents that the answer refers to.
func doReply(ctx context.Context, p *player, args []string) verdict {
	rest, given := options(args, "with", "as", "action")
	body, err := p.expand(rest[0])
	if err != nil {
		return broken("%s: %v", rest[0], err)
	}
	if given["as"] == "" {
		given["as"] = strings.TrimSuffix(rest[0], ".xml")
	}
	return p.respond(ctx, body, given)
}

// doRegister has the platform's registry judge the submission that came last.
func doRegister(ctx context.Context, p *player, args []string) verdict {
	_, given := options(args, "as")
	switch {
	case p.Platform == nil || p.Platform.Directories == nil:
		return verdict{Unsupported, "the platform has no registry for this target"}
	case p.last == nil || p.last.Header.Action != as4.ActionSubmit:
		return broken("no submission came that could be judged")
	}
	action, answer, err := p.Platform.Directories.Take(ctx, p.last.Header.From.ID.Value, p.Target.Data.Country, p.last.Body())
	if err != nil {
		return broken("the platform's registry fails: %v", err)
	}
	if given["as"] == "" {
		given["as"] = "judged"
	}
	given["action"] = action
	return p.respond(ctx, string(answer), given)
}

// respond sends an answer to the message that came last; given holds the
// options of the step.
func (p *player) respond(ctx context.Context, body string, given map[string]string) verdict {
	if p.last == nil {
		return broken("nothing came that could be answered")
	}
	l := p.letter(body, given["action"])
	h := p.last.Header
	l.Conversation, l.ExchangeID, l.To = h.ConversationID, h.Property(ebms.ExchangeID), h.From.ID
	for _, prop := range h.Properties {
		switch prop.Name {
		case ebms.OriginalSender:
			l.Recipient = identifierOf(prop)
		case ebms.FinalRecipient:
			l.Sender = identifierOf(prop)
		}
	}
	l.Files = append(l.Files, documentsOf(body)...)
	name := given["with"]
	if name == "" {
		name = "usual"
	}
	m, signal, err := p.me.PushRaw(ctx, l, partner.FindDeviation(name))
	if err != nil {
		return broken("the answer cannot be sent: %v", err)
	}
	p.mail[given["as"]], p.signal = m, &signal
	return pass("%s%s", signal, p.codeOf(given["as"]))
}

// documentsOf are the documents that a response refers to, invented in the
// format that it says.
func documentsOf(body string) []partner.File {
	doc, err := xmltree.Parse([]byte(body), xmltree.Options{})
	if err != nil {
		return nil
	}
	var out []partner.File
	for e := range doc.Root.Descendants() {
		if e.Local() != "RepositoryItemRef" {
			continue
		}
		format := "application/pdf"
		for s := range e.Parent().Descendants() {
			if s.Local() == "Format" {
				format = s.Norm()
			}
		}
		id := strings.TrimPrefix(e.Attr(xmltree.Customary("xlink"), "href"), "cid:")
		out = append(out, partner.File{ID: id, Type: format, Data: partner.Document(format)})
	}
	return out
}
