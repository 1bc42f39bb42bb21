package testbed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/xmltree"
)

// player is one case on its way.
type player struct {
	*Runner
	k    *Case
	run  *Run
	me   *partner.Party
	from int // mail of the platform that belongs to this run begins here
	seen func() []*partner.Mail
	// actors are the systems of a peer case.
	actors map[string]*Target

	mail         map[string]*partner.Mail // by name in the case
	received     int                      // how much of the mail was looked at
	last         *partner.Mail            // received last
	fresh        bool                     // the target dropped what it kept of directories
	heard        []*partner.Mail          // answers of the target's directories
	signal       *partner.Signal
	actor        string
	outcomes     map[string]*Outcome // by actor
	ordered      map[string]Order    // what each was told last
	ids          map[string]string
	conversation string
	exchange     string
	began        time.Time
}

// visit is what came of the user's visit to a preview space.
type visit struct {
	status   int    // of HTTP
	returned string // where the user is sent back to
}

// verdict is what came of a step.
type verdict struct {
	Result
	found string
}

func pass(format string, a ...any) verdict { return verdict{Pass, fmt.Sprintf(format, a...)} }
func fail(format string, a ...any) verdict { return verdict{Fail, fmt.Sprintf(format, a...)} }
func broken(format string, a ...any) verdict {
	return verdict{Broken, fmt.Sprintf(format, a...)}
}

func newPlayer(r *Runner, k *Case, run *Run) *player {
	p := &player{Runner: r, k: k, run: run, mail: map[string]*partner.Mail{}, ids: map[string]string{}, outcomes: map[string]*Outcome{}, ordered: map[string]Order{},
		conversation: r.NewID(), exchange: r.NewID(), began: r.Clock.Now()}
	if r.Platform != nil {
		p.me = r.Platform.Party
		p.seen = p.current
		p.from = len(p.seen())
		p.received = p.from
		r.Platform.Reset()
	}
	return p
}

// current is the mail of the platform without what belongs to runs that are
// over: a late answer is none to the case that is played now.
func (p *player) current() []*partner.Mail {
	return slices.DeleteFunc(p.me.Mail(), func(m *partner.Mail) bool { return p.past[m.Header.ConversationID] })
}

// close ends the conversations of a run.
func (p *player) close() {
	if p.seen != nil {
		for _, m := range p.seen()[p.from:] {
			p.past[m.Header.ConversationID] = true
		}
	}
	p.past[p.conversation] = true
}

// play takes the steps one after the other, up to the first that decides.
func (p *player) play(ctx context.Context) {
	p.run.Result = Pass
	for i := range p.k.Steps {
		s := p.k.Steps[i]
		if p.actor = s.Actor; p.actors[s.Actor] != nil {
			p.Target = *p.actors[s.Actor]
		}
		v := p.step(ctx, s, i)
		if p.signal != nil && v.Result == Pass && !p.signalComes(i) {
			if why := p.unacknowledged(); why != "" {
				v = fail("%s", why)
			}
			p.signal = nil
		}
		p.run.Steps = append(p.run.Steps, Played{s.Line, s.String(), v.Result, v.found})
		if weight[v.Result] > weight[p.run.Result] {
			p.run.Result, p.run.Why = v.Result, fmt.Sprintf("line %d, %s: %s", s.Line, s, v.found)
		}
		if weight[v.Result] >= weight[Unsupported] {
			break
		}
	}
	if p.seen != nil {
		for _, m := range p.seen()[p.from:] {
			p.keep(p.nameOf(m), m)
		}
	}
	for _, m := range p.heard {
		p.keep(p.nameOf(m), m)
	}
}

func (p *player) step(ctx context.Context, s Step, i int) (v verdict) {
	defer func() {
		if bug := recover(); bug != nil {
			v = broken("the platform failed in this step: %v", bug)
		}
	}()
	if err := ctx.Err(); err != nil {
		return verdict{Fail, "the time for this case is over"}
	}
	v = verbs[s.Verb].do(ctx, p, s.Args)
	if v.Result == Fail && p.fromCache() {
		return verdict{Unsupported, v.found + "; no query came, so that the system may have answered from what it keeps of directories: let it offer the order forget"}
	}
	if slices.Contains(told, s.Verb) && p.doubted() && weight[v.Result] < weight[NeedsReview] {
		return verdict{NeedsReview, v.found + "; " + p.probed.Warning}
	}
	return v
}

// signalComes tells whether the next step judges the signal itself.
func (p *player) signalComes(i int) bool {
	return i+1 < len(p.k.Steps) && p.k.Steps[i+1].Verb == "signal"
}

func (p *player) unacknowledged() string {
	if s := p.signal; s.Kind != partner.SignalReceipt || !s.Signed || !s.Matches {
		return "the message was not acknowledged: " + s.String()
	}
	return ""
}

func (p *player) nameOf(m *partner.Mail) string {
	for name, known := range p.mail {
		if known == m {
			return name
		}
	}
	return ""
}

// values are the placeholders of this run.
func (p *player) values(name string) (string, bool) {
	if v, ok := p.Target.Data.Values()[name]; ok {
		return v, true
	}
	head, rest, dotted := strings.Cut(name, ".")
	switch {
	case name == "uuid":
		return p.NewID(), true
	case strings.HasPrefix(name, "uuid:"):
		if p.ids[name] == "" {
			p.ids[name] = p.NewID()
		}
		return p.ids[name], true
	case name == "line":
		return p.Line, true
	case name == "conversation":
		return p.conversation, true
	case name == "exchange":
		return p.exchange, true
	case strings.HasPrefix(name, "now"):
		at := p.Clock.Now()
		if name != "now" {
			d, err := time.ParseDuration(name[3:])
			if err != nil {
				return "", false
			}
			at = at.Add(d)
		}
		return stamp(at), true
	}
	if m := p.mail[head]; dotted && m != nil {
		switch rest {
		case "conversation":
			return m.Header.ConversationID, true
		case "message":
			return m.Header.MessageID, true
		case "exchange":
			return m.Header.Property(ebms.ExchangeID), true
		}
		path := map[string]string{"id": "query:QueryRequest/@id", "requestId": "query:QueryResponse/@requestId", "submission": "lcm:SubmitObjectsRequest/@id",
			"preview": "//rim:Slot[PreviewLocation]/rim:SlotValue/rim:Value", "return": "//rim:Slot[ReturnLocation]/rim:SlotValue/rim:Value"}[rest]
		if path != "" {
			if found, err := p.find(head, path); err == nil && len(found) > 0 {
				return found[0], true
			}
		}
	}
	return "", false
}

// expand makes a file of the case into a message.
func (p *player) expand(file string) (string, error) {
	return draft.Expand(p.k.Files[file], p.Catalogue.baseOf(p.k, p.Line), p.values)
}

// find gives the values at a path in a message by its name in the case;
// NAME.header looks into its ebMS header.
func (p *player) find(name, path string) ([]string, error) {
	name, header := strings.CutSuffix(name, ".header")
	m := p.mail[name]
	if m == nil {
		return nil, fmt.Errorf("no message of this run is called %q", name)
	}
	src := m.Body()
	if header {
		src = m.Envelope
	}
	doc, err := xmltree.Parse(src, xmltree.Options{KeepProcessing: !header})
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	return draft.Find(doc.Root, path)
}

// next waits for the next message that the platform receives.
func (p *player) next(ctx context.Context, limit time.Duration) (*partner.Mail, string) {
	if p.seen == nil {
		return nil, "the platform has no access point for this target"
	}
	if p.Target.Settle == nil {
		limit = min(time.Duration(float64(limit)/p.Scale)+time.Second, p.Patience)
	}
	deadline := time.NewTimer(max(limit, time.Second))
	defer deadline.Stop()
	for {
		for _, m := range p.seen()[p.received:] {
			p.received++
			if !m.Sent {
				p.last = m
				return m, ""
			}
		}
		if p.Target.Settle != nil {
			before := p.refused()
			worked, err := p.Target.Settle(ctx)
			if err != nil {
				return nil, "the system failed: " + err.Error()
			}
			if worked {
				if after := p.refused(); len(after) > len(before) && p.quiet() {
					return nil, fmt.Sprintf("a message came and had to be refused with %s", after[len(after)-1])
				}
				continue
			}
			if p.quiet() {
				return nil, "nothing came"
			}
			continue
		}
		select {
		case <-p.me.Came():
		case <-deadline.C:
			if refused := p.refused(); len(refused) > 0 {
				return nil, fmt.Sprintf("nothing came in time; the last message was refused with %s", refused[len(refused)-1])
			}
			return nil, "nothing came in time"
		case <-ctx.Done():
			return nil, "the time for this case is over"
		}
	}
}

// refused are the errors with which the platform refused messages.
func (p *player) refused() []ebms.Code {
	if p.me == nil {
		return nil
	}
	return p.me.Refused()
}

func (p *player) quiet() bool {
	for _, m := range p.seen()[p.received:] {
		if !m.Sent {
			return false
		}
	}
	return true
}

// pause lets time pass.
func (p *player) pause(ctx context.Context, d time.Duration) error {
	if p.Target.Settle != nil {
		for left := d; left > 0; left -= time.Minute { // in steps, so that nothing is passed over
			p.Clock.Add(min(left, time.Minute))
			if _, err := p.Target.Settle(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	return p.rest(ctx, time.Duration(float64(d)/p.Scale))
}

// rest waits in real time.
func (p *player) rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle lets a system in this process do what it has to.
func (p *player) settle(ctx context.Context) {
	if p.Target.Settle != nil {
		_, _ = p.Target.Settle(ctx)
	}
}

// span reads T1, T2, T3 or a duration.
func span(word string) (time.Duration, bool) {
	switch word {
	case "T1":
		return partner.T1, true
	case "T2":
		return partner.T2, true
	case "T3":
		return partner.T3, true
	}
	d, err := time.ParseDuration(word)
	return d, err == nil && d >= 0 && d <= 24*time.Hour
}

// letter is a message of the case on its way to the target: the corners are
// those that its body names.
func (p *player) letter(body, action string) partner.Letter {
	d := p.Target.Data
	l := partner.Letter{To: p.Target.Peer.ID, Action: action, Conversation: p.conversation, ExchangeID: p.exchange, Line: edm.Line(p.Line),
		Sender: d.Requester.Identifier, Recipient: d.Provider.Identifier, Files: []partner.File{{Type: edm.MediaType, Data: []byte(body)}}}
	doc, err := xmltree.Parse([]byte(body), xmltree.Options{KeepProcessing: true})
	if err != nil {
		return l
	}
	if line := edm.LineOf(doc.Root); slices.Contains(edm.Lines(), line) {
		l.Line = line
	}
	switch doc.Root.Local() {
	case "SubmitObjectsRequest":
		l.Service, l.Action = as4.LifecycleMgmt, as4.ActionSubmit
	case "RegistryResponse":
		l.Service, l.Action = as4.LifecycleMgmt, as4.ActionSubmitDone
		if strings.HasSuffix(doc.Root.Attr("", "status"), "Failure") {
			l.Action = as4.ActionException
		}
	}
	if m, err := edm.DecodeTree(doc); err == nil {
		switch m := m.(type) {
		case *edm.Request:
			if r := m.Requester(); r != nil {
				l.Sender = r.Identifier
			}
			l.Recipient = m.Provider.Identifier
		case *edm.Response:
			if r := m.Provider(); r != nil {
				l.Sender = r.Identifier
			}
			l.Recipient = m.Requester.Identifier
		case *edm.ErrorResponse:
			l.Sender = m.Provider.Identifier
			if m.Requester != nil {
				l.Recipient = m.Requester.Identifier
			}
		}
		if l.Action == "" {
			l.Action = string(m.Kind())
		}
	}
	if l.Action == "" {
		l.Action = string(edm.KindOf(doc.Root))
	}
	return l
}

// browse is the user's browser at an address.
func (p *player) browse(ctx context.Context, method, address, form string) (*visit, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return nil, errors.New("the address cannot be used")
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.Target.Browser.Do(req)
	if err != nil {
		return nil, errors.New("the address does not answer")
	}
	resp.Body.Close()
	return &visit{resp.StatusCode, resp.Header.Get("Location")}, nil
}

func number(word string) (int, bool) {
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 0
}

func identifierOf(prop ebms.Property) sdg.Identifier {
	return sdg.Identifier{Scheme: prop.Type, Value: prop.Value}
}
