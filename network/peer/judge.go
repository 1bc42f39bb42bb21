package peer

import (
	"context"
	"fmt"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/validator"
)

// messages judges what crossed, each message with its header and receipt and all
// of them as a conversation, and keeps it as evidence that both sides may open.
func (p *playing) messages(ctx context.Context) {
	crossed := p.bench.take(p.conversation)
	var bodies, headers []*validator.Message
	senders := map[string]string{} // system, by the name of a message
	fair := true
	for i, c := range crossed {
		from, to := p.systemOf(c.From), p.systemOf(c.To)
		receipt := p.receipt(ctx, c, to)
		p.keep(c, p.step(crossed, i), from, to, receipt)
		if p.bent && c.From == p.asks.Country {
			continue // the case made it so
		}
		name := fmt.Sprintf("message %d", i+1)
		body := p.judge.Validate(c.Body, validator.Options{Name: name})
		header := p.judge.Validate(c.Envelope, validator.Options{Name: "header of " + name, Kind: validator.EBMSHeader, Line: body.Lines})
		sound := p.sound("EDM-MSG:"+c.Action, from, body, header)
		fair = fair && sound
		senders[name], senders["header of "+name] = from, from
		bodies, headers = append(bodies, body.Message), append(headers, header.Message)
	}
	if p.bent || !fair {
		return // what does not conform by itself cannot be compared
	}
	for _, c := range validator.Assemble(bodies, validator.Related{Headers: headers}) {
		together := p.judge.Compare(c)
		for i := range together.Findings {
			if f := &together.Findings[i]; f.Refuses() {
				p.out.Findings = append(p.out.Findings, projectathon.Finding{Assertion: "EDM-XVAL:" + f.Rule, System: senders[f.File], Text: f.Found + "; " + f.Mend})
				fair = false
			}
		}
	}
	if fair && len(crossed) > 0 {
		p.holds(p.asker, "EDM-XVAL")
		p.holds(p.answerer, "EDM-XVAL")
	}
}

// sound says of a message and its header whether they conform.
func (p *playing) sound(assertion, system string, reports ...*validator.Report) bool {
	for _, r := range reports {
		if !r.Refused() {
			continue
		}
		text := "the message is refused"
		for i := range r.Findings {
			if f := &r.Findings[i]; f.Refuses() {
				text = f.Rule + ": " + f.Mend
				break
			}
		}
		p.out.Findings = append(p.out.Findings, projectathon.Finding{Assertion: assertion, System: system, Text: text})
		return false
	}
	p.holds(system, assertion)
	return true
}

// receipt waits for the signed receipt of a message; who took the message owes
// it.
func (p *playing) receipt(ctx context.Context, c network.Crossing, to string) []byte {
	m, err := p.network.Node(c.From).Sent(ctx, c.Header.MessageID)
	if err != nil || m.State != as4.Acknowledged {
		p.out.Findings = append(p.out.Findings, projectathon.Finding{Assertion: "A-RECEIPT", System: to, Text: "no signed receipt came for " + c.Action})
		return nil
	}
	p.holds(to, "A-RECEIPT")
	return m.Receipt
}

func (p *playing) systemOf(country string) string {
	for _, s := range p.test.Sides {
		if s.Country == country {
			return s.System
		}
	}
	return ""
}

// step is the step of the case in which a message was sent.
func (p *playing) step(all []network.Crossing, i int) string {
	requests := 0
	for _, c := range all[:i+1] {
		if c.Action == as4.ActionRequest && c.To == all[i].To {
			requests++
		}
	}
	preview := len(p.test.Steps) > 4
	switch action := all[i].Action; {
	case action == as4.ActionRequest && preview && requests == 2:
		return "again"
	case action == as4.ActionRequest:
		return "request"
	case action == as4.ActionException && preview && i+1 < len(all):
		return "exception"
	}
	return "answer"
}

// keep holds on to a message as evidence, with its receipt.
func (p *playing) keep(c network.Crossing, step, from, to string, receipt []byte) {
	direction := "sent"
	if c.From != p.asks.Country {
		direction = "received"
	}
	add := func(kind, producer, country string, octets []byte) {
		if len(octets) > 0 {
			p.out.Evidence = append(p.out.Evidence, projectathon.Captured{Octets: octets, Item: projectathon.Item{Kind: kind, MediaType: "application/xml",
				Producer: producer, Country: country, Step: step, Direction: direction, Confidentiality: "shared"}})
		}
	}
	add("envelope", from, c.From, c.Envelope)
	add("regrep", from, c.From, c.Body)
	add("receipt", to, c.To, receipt)
}
