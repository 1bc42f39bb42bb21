package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
)

// script is how a case is played.
type script struct {
	// needs says why the sides of a test cannot play it; nil: any can.
	needs func(p *playing) error
	// alone: it moves the clock or takes something away, so that only tests of the
	// same case may be under way.
	alone bool
	play  func(ctx context.Context, p *playing) error
}

// scripts by case. What is not here takes hands, or what the network does not
// have: TC30 needs access points that change their certificates while they run,
// TC33 a bridge.
var scripts = map[string]script{
	"TC01":   {play: onePDF},
	"TC02":   {play: noMatch},
	"TC03":   {play: registerFails, alone: true},
	"TC04":   {play: unreachable, alone: true},
	"TC04_b": {play: backInTime, alone: true},
	"TC05":   {play: dialogue, needs: need(asksBack, "no evidence with a question")},
	"TC06":   {play: preview(who)},
	"TC06_b": {play: preview(elsewhere)},
	"TC07":   {play: twoProviders(who)},
	"TC07_b": {play: twoProviders(elsewhere)},
	"TC08":   {play: refusal(who)},
	"TC08_b": {play: refusal(elsewhere)},
	"TC09":   {play: previewLeft, alone: true},
	"TC10":   {play: xml(who), needs: need(asData, "no structured evidence about people")},
	"TC10_b": {play: xml(elsewhere), needs: need(asData, "no structured evidence about people")},
	"TC11":   {play: changed((*playing).byScreen), alone: true},
	"TC12":   {play: changed((*playing).bySubmission), alone: true},
	"TC20":   {play: invalid},
	"TC21":   {play: replayed},
	"TC22":   {play: unknown},
	"TC23":   {play: timeOuts, alone: true},
	"TC24":   {play: packaged, needs: newestLine},
	"TC25":   {play: deferred},
	"TC26":   {play: classified, needs: need(asksBack, "no evidence whose provider a classification tells")},
	"TC27":   {play: legalPerson},
	"TC28":   {play: mixedLines, needs: twoLines},
	"TC29":   {play: badSignature, alone: true},
	"TC31":   {play: backInTime, alone: true},
	"TC32":   {play: logs},
	"TC34":   {play: alternatives, needs: need(several, "no evidence with an alternative")},
}

const (
	request   = as4.ActionRequest
	response  = as4.ActionResponse
	exception = as4.ActionException
)

// onePDF is TC01.
func onePDF(ctx context.Context, p *playing) error {
	x, err := p.ask(ctx, p.check("Check"), pdf)
	if err != nil {
		return err
	}
	all, err := p.uses(ctx, x, delivered(1))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(all[0].Data, []byte("%PDF-")) {
		return &blame{p.answerer, "answer", "A-FORMAT", "the document is no PDF"}
	}
	return p.came(ctx, request, response)
}

// noMatch is TC02: nobody of that name, and two that cannot be told apart.
func noMatch(ctx context.Context, p *playing) error {
	for i, name := range []string{network.NobodyName, network.TwinName} {
		x, err := p.ask(ctx, p.check(name), pdf)
		if err != nil {
			return err
		}
		if _, err := p.ends(ctx, x, failed("EDM:ERR:0004")); err != nil {
			return err
		}
		if err := p.came(ctx, slices.Repeat([]string{request, exception}, i+1)...); err != nil {
			return err
		}
	}
	return nil
}

// registerFails is TC03.
func registerFails(ctx context.Context, p *playing) error {
	p.answers.Cut(errors.New("cut by the test"))
	defer p.answers.Cut(nil)
	x, err := p.ask(ctx, p.check("Check"), pdf)
	if err != nil {
		return err
	}
	if _, err := p.ends(ctx, x, failed("EDM:ERR:0008", "EDM:ERR:0005")); err != nil {
		return err
	}
	return p.came(ctx, request, exception)
}

// down takes the provider's access point off until the function it returns is
// called; calling that twice is fine.
func (p *playing) down() (up func()) {
	p.answers.Down(true)
	taken := true
	return func() {
		if taken {
			p.answers.Down(false)
			taken = false
		}
	}
}

// unreachable is TC04: every try of the policy is made, then the portal hears of
// the failure, and nothing comes later.
func unreachable(ctx context.Context, p *playing) error {
	up := p.down()
	defer up()
	x, err := p.ask(ctx, p.check("Check"), pdf)
	if err != nil {
		return err
	}
	for tries := 1; tries <= 5; tries++ {
		if err := p.tried(ctx, x, tries); err != nil {
			return err
		}
		if err := p.forward(ctx, retryPause); err != nil {
			return err
		}
	}
	x, err = p.asks.Await(ctx, x.ID)
	if err != nil || x.State != exchange.Failed || x.Problem == nil {
		return &blame{p.asker, "use", "A-FAILURE", fmt.Sprintf("the exchange is %s although nobody could be reached", x.State)}
	}
	p.holds(p.asker, "A-FAILURE")
	m, err := p.asks.Sent(ctx, x.Messages[0])
	if err != nil || m.State != as4.Undelivered || m.Tries != 5 {
		return &blame{p.asker, "request", "A-RETRY", fmt.Sprintf("the message is %s after %d tries; expected: undelivered after 5", m.State, m.Tries)}
	}
	p.holds(p.asker, "A-RETRY")
	if err := p.forward(ctx, 0); err != nil { // all others have seen theirs fail
		return err
	}
	up()
	if err := p.forward(ctx, 10*time.Minute); err != nil {
		return err
	}
	return p.came(ctx)
}

// backInTime is TC04_b, and TC31: queued while the provider is away, delivered
// once when it is back.
func backInTime(ctx context.Context, p *playing) error {
	up := p.down()
	defer up()
	x, err := p.ask(ctx, p.check("Check"), pdf)
	if err != nil {
		return err
	}
	if err := p.tried(ctx, x, 1); err != nil {
		return err
	}
	up()
	if err := p.forward(ctx, retryPause); err != nil {
		return err
	}
	if _, err := p.uses(ctx, x, delivered(1)); err != nil {
		return err
	}
	return p.came(ctx, request, response)
}

// asksBack: the directory needs an answer of the person.
func asksBack(o offer) bool { return len(o.record.ProviderQuestions) > 0 }

// answered is the wish for an offer with a question, with the answers that lead
// to a provider, one after the other.
func (p *playing) answered(ctx context.Context) (w exchange.Wish, question string, options []string, err error) {
	o := p.offers(asksBack)[0]
	w = p.wish(o.procedure, o.requirement, network.Natural("Check", ""))
	plan, err := p.plan(ctx, w)
	if err != nil {
		return w, "", nil, err
	}
	open := plan.Questions()
	if len(open) == 0 || len(open[0].Options) == 0 {
		return w, "", nil, &blame{p.answerer, "lookup", "A-DIALOGUE", "the directory asks nothing for " + o.requirement}
	}
	for _, option := range open[0].Options {
		w.Answers = map[string]string{open[0].ID: option}
		if plan, err = p.asks.Requester.Plan(ctx, w); err == nil && len(plan.First()) > 0 {
			options = append(options, option)
		}
	}
	if len(options) == 0 {
		return w, "", nil, &blame{p.answerer, "lookup", "A-DIALOGUE", "no answer leads to a provider"}
	}
	p.holds(p.answerer, "A-DIALOGUE")
	return w, open[0].ID, options, nil
}

// dialogue is TC05.
func dialogue(ctx context.Context, p *playing) error {
	w, question, options, err := p.answered(ctx)
	if err != nil {
		return err
	}
	w.Answers = map[string]string{question: options[0]}
	x, err := p.ask(ctx, w, pdf)
	if err != nil {
		return err
	}
	if _, err := p.uses(ctx, x, delivered(1)); err != nil {
		return err
	}
	return p.came(ctx, request, response)
}

// preview is TC06 and TC06_b: nothing but the link comes before the decision.
func preview(by func(exchange.Subject) exchange.Identity) func(context.Context, *playing) error {
	return func(ctx context.Context, p *playing) error {
		w := previewed(p.check("Check"))
		x, err := p.ask(ctx, w, pdf)
		if err != nil {
			return err
		}
		if x, err = p.linked(ctx, x); err != nil {
			return err
		}
		if err := p.came(ctx, request, exception); err != nil {
			return err
		}
		if err := p.decides(ctx, x, by(w.Subject), true); err != nil {
			return err
		}
		if _, err := p.uses(ctx, x, delivered(1)); err != nil {
			return err
		}
		return p.came(ctx, request, exception, request, response)
	}
}

// twoProviders is TC07: both in one conversation; the refusal of one does not
// lose the other.
func twoProviders(by func(exchange.Subject) exchange.Identity) func(context.Context, *playing) error {
	return func(ctx context.Context, p *playing) error {
		for i := 1; i < len(p.nodes); i++ {
			p.answers, p.answerer = p.nodes[i], p.test.Sides[i].System
			w := previewed(p.check("Check"))
			x, err := p.ask(ctx, w, pdf)
			if err != nil {
				return err
			}
			send := i > 1
			if err := p.decides(ctx, x, by(w.Subject), send); err != nil {
				return err
			}
			if !send {
				if _, err := p.ends(ctx, x, delivered(0)); err != nil {
					return err
				}
			} else if _, err := p.uses(ctx, x, delivered(1)); err != nil {
				return err
			}
		}
		return nil
	}
}

// refusal is TC08: the document never leaves the provider.
func refusal(by func(exchange.Subject) exchange.Identity) func(context.Context, *playing) error {
	return func(ctx context.Context, p *playing) error {
		w := previewed(p.check("Check"))
		x, err := p.ask(ctx, w, pdf)
		if err != nil {
			return err
		}
		if err := p.decides(ctx, x, by(w.Subject), false); err != nil {
			return err
		}
		if _, err := p.ends(ctx, x, delivered(0)); err != nil {
			return err
		}
		all, _ := p.bench.crossed(ctx, p.conversation, 4)
		if len(all) < 4 || len(all[3].Types) != 1 {
			return &blame{p.answerer, "answer", "A-NOTHING", "the answer to a refusal carries a document"}
		}
		p.holds(p.answerer, "A-NOTHING")
		return p.came(ctx, request, exception, request, response)
	}
}

// previewLeft is TC09.
func previewLeft(ctx context.Context, p *playing) error {
	x, err := p.ask(ctx, previewed(p.check("Check")), pdf)
	if err != nil {
		return err
	}
	session, err := p.follows(ctx, x)
	if err != nil {
		return err
	}
	if err := p.forward(ctx, 40*time.Minute+10*time.Second); err != nil {
		return err
	}
	if _, err := p.ends(ctx, x, failed("EDM:ERR:0005")); err != nil {
		return err
	}
	if _, err := p.answers.Provider.Open(ctx, session); !errors.Is(err, &exchange.Error{Reason: exchange.NotFound}) {
		return &blame{p.answerer, "decide", "A-DEAD", "the link still opens"}
	}
	p.holds(p.answerer, "A-DEAD")
	return p.came(ctx, request, exception, request, exception)
}

// asData: evidence about a person that follows a data model.
func asData(o offer) bool {
	m := modelOf(o)
	return m != nil && slices.ContainsFunc(m.Fields, func(f exchange.Field) bool { return f.Path == "holder/familyName" })
}

// modelOf is the data model of an offer in XML; nil when it has none.
func modelOf(o offer) *exchange.Model {
	for _, d := range o.record.DistributedAs {
		for _, m := range network.Models() {
			if slices.Contains(d.Formats, structured) && d.ConformsTo == cs.DataModelAddress(m.Name) {
				return m
			}
		}
	}
	return nil
}

// xml is TC10: valid to its model, in the newest line with a version for people.
func xml(by func(exchange.Subject) exchange.Identity) func(context.Context, *playing) error {
	return func(ctx context.Context, p *playing) error {
		o := p.offers(asData)[0]
		w := previewed(p.wish(o.procedure, o.requirement, network.Natural("Check", "")))
		w.Associated = []string{"HumanReadableVersion"}
		x, err := p.ask(ctx, w, structured)
		if err != nil {
			return err
		}
		if err := p.decides(ctx, x, by(w.Subject), true); err != nil {
			return err
		}
		want := delivered(1)
		if modern(x.Line) {
			want.documents = 2
		}
		all, err := p.uses(ctx, x, want)
		if err != nil {
			return err
		}
		if _, err := modelOf(o).Read(all[0].MediaType, all[0].Data); err != nil {
			return &blame{p.answerer, "answer", "A-MODEL", err.Error()}
		}
		p.holds(p.answerer, "A-MODEL")
		return p.came(ctx, request, exception, request, response)
	}
}

// changed is TC11 and TC12: a requester sees what a provider changed in the
// directory when what it keeps has run out, not before.
func changed(by func(*playing, context.Context) error) func(context.Context, *playing) error {
	return func(ctx context.Context, p *playing) error {
		old, err := p.sees(ctx)
		if err != nil {
			return err
		}
		if err := by(p, ctx); err != nil {
			return err
		}
		now, err := p.sees(ctx)
		if err != nil {
			return err
		}
		if now != old {
			return &blame{p.asker, "lookup", "A-CACHE", "the requester asks again although what it keeps is fresh"}
		}
		if err := p.forward(ctx, 61*time.Minute); err != nil {
			return err
		}
		if now, err = p.sees(ctx); err != nil {
			return err
		}
		if want := p.published(); now != want || now == old {
			return &blame{p.asker, "use", "A-CACHE", fmt.Sprintf("the requester sees %q after an hour; published is %q", now, want)}
		}
		p.holds(p.asker, "A-CACHE")
		return nil
	}
}

// sees is the name of the provider of the system check as the requester knows it.
func (p *playing) sees(ctx context.Context) (string, error) {
	plan, err := p.plan(ctx, p.check("Check"))
	if err != nil {
		return "", err
	}
	for _, n := range plan.Needs {
		for _, a := range n.Alternatives {
			for _, o := range a.Offers {
				for _, c := range o.Providers {
					return c.Service.Publisher.Names[0].Value, nil
				}
			}
		}
	}
	return "", &blame{p.answerer, "lookup", "A-LOOKUP", "the directories name no provider of the system check"}
}

// renamed is the provider's part of the directory with another edition in the
// name of who issues the system check.
func (p *playing) renamed() *cs.Contribution {
	next := *p.network.Lifecycle.Part(p.answers.Country)
	next.Providers = slices.Clone(next.Providers)
	for i := range next.Providers {
		if v := &next.Providers[i]; slices.Contains(v.Records, syscheck(&next)) {
			v.Names = slices.Clone(v.Names)
			v.Names[0].Value = nextEdition(v.Names[0].Value)
		}
	}
	return &next
}

func (p *playing) published() string {
	part := p.network.Lifecycle.Part(p.answers.Country)
	for _, v := range part.Providers {
		if slices.Contains(v.Records, syscheck(part)) {
			return v.Names[0].Value
		}
	}
	return ""
}

// syscheck is the record of the system check in a country's part.
func syscheck(part *cs.Contribution) string {
	for _, l := range part.Lists {
		for _, r := range part.Records {
			if slices.Contains(l.Requirements, seed.Requirement("test-0")) && slices.Contains(l.Types, r.Classification) {
				return r.ID
			}
		}
	}
	return ""
}

// byScreen changes the directory as a clerk does.
func (p *playing) byScreen(ctx context.Context) error {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	_, err := p.network.Lifecycle.Replace(ctx, lcm.Author{Party: "clerk", How: lcm.ByScreen}, p.network.Lifecycle.DataSet().Revision, p.renamed())
	if err != nil {
		return &blame{p.answerer, "answer", "A-CHANGE", err.Error()}
	}
	p.holds(p.answerer, "A-CHANGE")
	return nil
}

// bySubmission changes it over AS4; the same from another country is refused.
func (p *playing) bySubmission(ctx context.Context) error {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	for _, try := range []struct {
		from *network.Node
		says string
	}{{p.answers, "StatusType:Success"}, {p.asks, "StatusType:Failure"}} {
		before := p.published()
		raw, _, err := lcm.Encode(p.renamed(), lcm.EncodeOptions{ID: "urn:uuid:" + as4.NewUUID()})
		if err != nil {
			return err
		}
		answer, err := try.from.Submit(ctx, raw)
		if err != nil {
			return &blame{p.answerer, "answer", "A-CHANGE", err.Error()}
		}
		if !bytes.Contains(answer, []byte(try.says)) || (p.published() == before) != (try.from == p.asks) {
			return &blame{p.answerer, "answer", "A-CHANGE", fmt.Sprintf("the submission of %s is not answered with %s", try.from.Country, try.says)}
		}
	}
	p.holds(p.answerer, "A-CHANGE")
	return nil
}
