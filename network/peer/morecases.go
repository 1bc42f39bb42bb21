package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
)

// nextEdition counts a name on: "Registry", "Registry, edition 2", and so on.
func nextEdition(name string) string {
	plain, number, _ := strings.Cut(name, ", edition ")
	n, err := strconv.Atoi(number)
	if err != nil {
		n = 1
	}
	return fmt.Sprintf("%s, edition %d", plain, n+1)
}

// invalid is TC20: the requester's node is made to send a request without a
// mandatory slot; the refusal names the rule.
func invalid(ctx context.Context, p *playing) error {
	p.bent = true
	x, err := p.ask(spoil(ctx, func(body []byte) []byte {
		return bytes.Replace(body, []byte(`name="Procedure"`), []byte(`name="Procedur"`), 1)
	}), p.check("Check"), pdf)
	if err != nil {
		return err
	}
	if x, err = p.ends(ctx, x, failed("EDM:ERR:0003")); err != nil {
		return err
	}
	if !strings.Contains(x.Problem.Detail, "R-EDM-REQ-") {
		return &blame{p.answerer, "answer", "A-RULE", "the refusal does not name the rule: " + x.Problem.Detail}
	}
	p.holds(p.answerer, "A-RULE")
	return p.came(ctx, request, exception)
}

// replayed is TC21: the requester's access point sends its request once more, in
// a new message.
func replayed(ctx context.Context, p *playing) error {
	p.bent = true
	if err := onePDF(ctx, p); err != nil {
		return err
	}
	all, err := p.bench.crossed(ctx, p.conversation, 2)
	if err != nil {
		return err
	}
	m := all[0].Header
	m.MessageID, m.Timestamp, m.Parts = "", time.Time{}, nil
	if _, err := p.asks.AP.Submit(ctx, &m, []as4.Part{{Type: edm.MediaType, Content: ebms.Bytes(all[0].Body)}}); err != nil {
		return &blame{p.asker, "request", "A-REQUEST", err.Error()}
	}
	if all, err = p.bench.crossed(ctx, p.conversation, 4); err != nil {
		return &blame{p.answerer, "answer", "A-REPLAY", "the repeated request is not answered"}
	}
	last := all[3]
	if last.Action != exception || !bytes.Contains(last.Body, []byte("EDM:ERR:0003")) {
		return &blame{p.answerer, "answer", "A-REPLAY", "the repeated request is answered with " + last.Action + "; expected: EDM:ERR:0003"}
	}
	p.holds(p.answerer, "A-REPLAY")
	return nil
}

// unknown is TC22: evidence that nobody issues.
func unknown(ctx context.Context, p *playing) error {
	p.bent = true
	x, err := p.ask(spoil(ctx, func(body []byte) []byte {
		message, err := edm.Decode(body)
		r, ok := message.(*edm.Request)
		if err != nil || !ok {
			return body
		}
		return bytes.ReplaceAll(body, []byte(r.Evidence.Classification), []byte(cs.ClassificationAddress(p.answers.Country, as4.NewUUID())))
	}), p.check("Check"), pdf)
	if err != nil {
		return err
	}
	if _, err := p.ends(ctx, x, failed("EDM:ERR:0004", "EDM:ERR:0006")); err != nil {
		return err
	}
	return p.came(ctx, request, exception)
}

// timeOuts is TC23: T1 while the provider does not answer, T2 while nobody
// follows the link, T3 while nobody decides.
func timeOuts(ctx context.Context, p *playing) error {
	notFollowed, err := p.ask(ctx, previewed(p.check("Check")), pdf)
	if err != nil {
		return err
	}
	if notFollowed, err = p.linked(ctx, notFollowed); err != nil {
		return err
	}
	notDecided, err := p.ask(ctx, previewed(p.check("Check")), pdf)
	if err != nil {
		return err
	}
	if _, err := p.follows(ctx, notDecided); err != nil {
		return err
	}
	if err := p.forward(ctx, 0); err != nil { // nobody is in the middle of something
		return err
	}
	up := p.down()
	defer up()
	notAnswered, err := p.ask(ctx, p.check("Check"), pdf)
	if err != nil {
		return err
	}
	if err := p.tried(ctx, notAnswered, 1); err != nil {
		return err
	}
	if err := p.forward(ctx, 7*time.Minute); err != nil {
		return err
	}
	for _, clock := range []struct {
		x     *exchange.Exchange
		until time.Duration // from the time-out before
		end   end
	}{
		{notAnswered, 10 * time.Minute, end{state: exchange.Failed, codes: []string{exchange.TimedOutT1}, of: p.asker}},
		{notFollowed, 25 * time.Minute, end{state: exchange.Failed, codes: []string{exchange.TimedOutT2}, of: p.asker}},
		{notDecided, 0, end{state: exchange.Failed, codes: []string{"EDM:ERR:0005", exchange.TimedOutT3}}},
	} {
		if _, err := p.ends(ctx, clock.x, clock.end); err != nil {
			return err
		}
		up()
		if err := p.forward(ctx, clock.until); err != nil {
			return err
		}
	}
	return nil
}

// newestLine: packages with supplements exist from line 2.0 on.
func newestLine(p *playing) error {
	if !slices.ContainsFunc(p.answers.Announces(), modern) || !slices.ContainsFunc(p.asks.Speaks(), modern) {
		return errors.New("a side does not speak a line with supplements")
	}
	return nil
}

// modern tells whether a line has supplements: those that have the message
// property ExchangeId.
func modern(l edm.Line) bool { return slices.Contains(edm.PropertyNames(l), edm.ExchangeID) }

// packaged is TC24: the document with an annex and a translation, and where the
// document is data, a version for people.
func packaged(ctx context.Context, p *playing) error {
	w, format, want := p.check("Check"), pdf, 3
	if all := p.offers(asData); len(all) > 0 {
		w, format, want = p.wish(all[0].procedure, all[0].requirement, w.Subject), structured, 4
	}
	w.Associated = []string{string(edm.Annex), string(edm.Translation), string(edm.HumanReadableVersion)}
	x, err := p.ask(ctx, w, format)
	if err != nil {
		return err
	}
	if _, err := p.uses(ctx, x, delivered(want)); err != nil {
		return err
	}
	return p.came(ctx, request, response)
}

// deferred is TC25: the evidence exists, but only later.
func deferred(ctx context.Context, p *playing) error {
	x, err := p.ask(ctx, p.check(network.LaterName), pdf)
	if err != nil {
		return err
	}
	if x, err = p.ends(ctx, x, end{state: exchange.Deferred}); err != nil {
		return err
	}
	if !x.AvailableAt.After(p.bench.Clock.Now()) {
		return &blame{p.answerer, "answer", "A-LATER", "the answer does not say when the evidence will be there"}
	}
	p.holds(p.answerer, "A-LATER")
	return p.came(ctx, request, response)
}

// classified is TC26: another answer, another provider.
func classified(ctx context.Context, p *playing) error {
	w, question, options, err := p.answered(ctx)
	if err != nil {
		return err
	}
	var providers []string
	for _, option := range []string{options[0], options[len(options)-1]} {
		w.Answers = map[string]string{question: option}
		x, err := p.ask(ctx, w, pdf)
		if err != nil {
			return err
		}
		if _, err := p.uses(ctx, x, delivered(1)); err != nil {
			return err
		}
		providers = append(providers, x.Provider.Identifier.Value)
	}
	if len(options) > 1 && providers[0] == providers[1] {
		return &blame{p.answerer, "lookup", "A-CLASS", fmt.Sprintf("%s and %s lead to the same provider %s", options[0], options[len(options)-1], providers[0])}
	}
	p.holds(p.answerer, "A-CLASS")
	return p.came(ctx, request, response, request, response)
}

// legalPerson is TC27: a company, with somebody who acts for it.
func legalPerson(ctx context.Context, p *playing) error {
	w := p.check("Check")
	w.Subject = network.Company(p.asks.Country)
	x, err := p.ask(ctx, w, pdf)
	if err != nil {
		return err
	}
	if _, err := p.uses(ctx, x, delivered(1)); err != nil {
		return err
	}
	return p.came(ctx, request, response)
}

// twoLines: one side at least speaks more than one line, or an older one.
func twoLines(p *playing) error {
	if len(p.answers.Announces()) == 1 && modern(p.answers.Announces()[0]) {
		return fmt.Errorf("%s announces one line only, the newest", p.answers.Country)
	}
	return nil
}

// mixedLines is TC28: the requester picks the newest line that the provider
// announces and it speaks itself.
func mixedLines(ctx context.Context, p *playing) error {
	x, err := p.ask(ctx, p.check("Check"), pdf)
	if err != nil {
		return err
	}
	if _, err := p.uses(ctx, x, delivered(1)); err != nil {
		return err
	}
	if want, err := edm.Negotiate(names(p.answers.Announces()), p.asks.Speaks()); err != nil || x.Line != want {
		return &blame{p.asker, "request", "A-LINE", fmt.Sprintf("the requester speaks %s; expected: %s", x.Line, want)}
	}
	p.holds(p.asker, "A-LINE")
	return p.came(ctx, request, response)
}

// badSignature is TC29: what the directories say arrives changed; nothing is
// sent on the strength of it.
func badSignature(ctx context.Context, p *playing) error {
	if err := p.forward(ctx, 61*time.Minute); err != nil { // nothing kept is fresh
		return err
	}
	if plan, err := p.asks.Requester.Plan(tamper(ctx), p.check("Check")); err == nil && len(plan.First()) > 0 {
		return &blame{p.asker, "lookup", "A-SIGNATURE", "the requester believes a directory answer whose signature does not hold"}
	}
	p.holds(p.asker, "A-SIGNATURE")
	if err := p.forward(ctx, 0); err != nil { // all others were refused theirs
		return err
	}
	return onePDF(ctx, p)
}

// logs is TC32: what both sides say about the exchange (TDD 4.8).
func logs(ctx context.Context, p *playing) error {
	x, err := p.ask(ctx, p.check("Check"), pdf)
	if err != nil {
		return err
	}
	if x, err = p.ends(ctx, x, delivered(1)); err != nil {
		return err
	}
	var said [2]string
	for i, n := range []*network.Node{p.asks, p.answers} {
		entries, err := n.Log.Find(ctx, x.Requests[0])
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Event == exchange.AnswerSent || e.Event == exchange.AnswerReceived {
				var sums []string
				for _, part := range e.Evidence {
					sums = append(sums, part.SHA256)
				}
				said[i] = fmt.Sprint(e.Request, e.Conversation, e.Procedure, e.EvidenceType, e.Outcome, sums)
			}
		}
	}
	switch {
	case said[0] == "":
		return &blame{p.asker, "use", "A-LOG", "its log knows no answer"}
	case said[1] == "":
		return &blame{p.answerer, "use", "A-LOG", "its log knows no answer"}
	case said[0] != said[1]:
		return &blame{p.answerer, "use", "A-LOG", "the two extracts differ"}
	}
	p.holds(p.asker, "A-LOG")
	p.holds(p.answerer, "A-LOG")
	return nil
}

// several: more than one list proves the requirement.
func several(o offer) bool { return o.alternatives > 1 }

// alternatives is TC34: the person takes the last one.
func alternatives(ctx context.Context, p *playing) error {
	o := p.offers(several)[0]
	plan, err := p.plan(ctx, p.wish(o.procedure, o.requirement, network.Natural("Check", "")))
	if err != nil {
		return err
	}
	n := len(plan.Needs[0].Alternatives)
	if n < 2 {
		return &blame{p.asker, "lookup", "A-CHOICE", "the portal is offered no choice"}
	}
	last := plan.Needs[0].Alternatives[n-1]
	x, err := p.request(ctx, plan, []exchange.Choice{{Alternative: n - 1}}, pdf)
	if err != nil {
		return err
	}
	if x.Evidence.Classification != last.Offers[0].Type.Classification {
		return &blame{p.asker, "request", "A-CHOICE", "the portal asks for another evidence than was chosen"}
	}
	p.holds(p.asker, "A-CHOICE")
	if _, err := p.uses(ctx, x, delivered(1)); err != nil {
		return err
	}
	return p.came(ctx, request, response)
}
