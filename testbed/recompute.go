package testbed

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
)

// recomputable are the verbs whose steps follow from the messages of a run
// alone. A true one is judged again; a false one is the platform's own act,
// which proves nothing by itself. Every other verb rests on what only whoever
// played the case has seen: acknowledgements, waiting times, queries, logs, a
// browser.
var recomputable = map[string]bool{"expect": true, "valid": true, "have": true, "every": true, "refers": true, "lack": true, "count": true, "same": true, "differ": true,
	"send": false, "reply": false, "do": false, "wait": false, "directory": false, "names": false}

// Recompute plays a run of somebody else's again from its messages and notes
// what the validator finds in each. It tells whether every step of the run was
// proved that way; the error says which step comes out otherwise.
func (c *Catalogue) Recompute(run *Run, judge *validator.Validator) (proved bool, err error) {
	k := c.Case(run.Case)
	if k == nil {
		return false, fmt.Errorf("the catalogue has no case %s", run.Case)
	}
	var sent, came []*partner.Mail
	for i := range run.Messages {
		kept := &run.Messages[i]
		kept.Findings = findings(judge.Validate(kept.Body, validator.Options{Name: kept.Name}))
		m, err := kept.mail()
		if err != nil {
			return false, fmt.Errorf("%s: message %d: %w", run.Case, i+1, err)
		}
		if kept.Sent {
			sent = append(sent, m)
		} else {
			came = append(came, m)
		}
	}
	p := &player{Runner: &Runner{Catalogue: c, Judge: judge, Line: run.Line, Target: Target{Data: partner.DefaultData()}}, k: k, run: run, mail: map[string]*partner.Mail{}, seen: func() []*partner.Mail { return came }}
	proved = len(run.Steps) > 0
	judged := 0
	for i, claimed := range run.Steps {
		s := k.Steps[i] // OpenReport has compared them
		again, known := recomputable[s.Verb]
		if !known || s.Actor != "" || !p.knows(s.Args) || again && !p.has(s) {
			proved = false
			if s.Verb == "repeat" { // what was sent can no more be told apart
				return false, nil
			}
			continue
		}
		switch s.Verb {
		case "send", "reply":
			if claimed.Result != Pass || len(sent) == 0 {
				return false, nil
			}
			rest, given := options(s.Args, "with", "as", "action")
			name := given["as"]
			if name == "" {
				name = strings.TrimSuffix(rest[0], ".xml")
			}
			p.mail[name], sent = sent[0], sent[1:]
			continue
		case "expect":
			if p.received >= len(came) {
				return false, nil // nothing came: that cannot be seen in what came
			}
		}
		if !again {
			continue
		}
		v := p.step(context.Background(), s, i)
		if v.Result != claimed.Result {
			return false, fmt.Errorf("%s, line %d, %s: the report says %s, its messages say %s: %s", run.Case, s.Line, s, claimed.Result, v.Result, v.found)
		}
		judged++
	}
	return proved && judged > 0, nil
}

// has tells whether the messages that a judging step names are among those of
// the run: an answer of a directory is not.
func (p *player) has(s Step) bool {
	switch s.Verb {
	case "expect":
		return true
	case "same", "differ":
		return p.mail[s.Args[0]] != nil && p.mail[s.Args[2]] != nil
	}
	return p.mail[s.Args[0]] != nil
}

// mail reads a kept message as it came; what an envelope says wins over what is
// said about it.
func (m *Message) mail() (*partner.Mail, error) {
	out := &partner.Mail{Sent: m.Sent, Envelope: m.Envelope, Files: []partner.File{{Data: m.Body}}}
	out.Header.Action = m.Action
	if len(m.Envelope) == 0 {
		return out, nil
	}
	h, err := header(m.Envelope)
	switch {
	case m.Sent && err != nil: // sent wrong on purpose
		return out, nil
	case err != nil:
		return nil, fmt.Errorf("its envelope cannot be read: %w", err)
	case !m.Sent && h.User.Action != m.Action:
		return nil, fmt.Errorf("it is said to be a %.40q, its envelope says %.40q", m.Action, h.User.Action)
	}
	out.Header = *h.User
	return out, nil
}

func header(envelope []byte) (*ebms.Header, error) {
	e, err := ebms.ReadEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	h, err := e.Decode()
	if err == nil && h.User == nil {
		err = errors.New("it carries no user message")
	}
	return h, err
}

var placeholder = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// knows tells whether the arguments of a step name nothing but the line and
// messages that were read already.
func (p *player) knows(args []string) bool {
	for _, m := range placeholder.FindAllStringSubmatch(strings.Join(args, "\n"), -1) {
		head, _, dotted := strings.Cut(m[1], ".")
		if m[1] != "line" && (!dotted || p.mail[head] == nil) {
			return false
		}
	}
	return true
}
