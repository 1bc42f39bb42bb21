package partner

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/validator"
)

// PracticeConfig says what a practice system is and what is wrong with it.
type PracticeConfig struct {
	PartyConfig
	Fault  string // name of a Fault; "" is honest
	Temper Temper
	Data   Data
	Line   edm.Line             // that it asks in; oots-edm:v2.0 when empty
	Part   *cs.Contribution     // its own metadata; nil: it submits none
	Judge  *validator.Validator // made when nil; share one, it is costly
	// Directory is what it needs to ask directories; nil for a system that does
	// not.
	Directory *DirectoryAccess
}

// Practice is a whole system under test in one value: access point, evidence
// requester and provider, directory client, metadata updater and registry,
// log. Nothing happens behind anybody's back: it works when Settle is called.
type Practice struct {
	*Party
	Data      Data
	Temper    Temper
	fault     *Fault
	validator *validator.Validator

	mu       sync.Mutex
	todo     []*Mail
	outbox   []outgoing
	provider *provider
	instance *instance
	sent     int
	access   *DirectoryAccess
	client   *cs.Client // nil without access
	orders   []*order
	stopped  atomic.Bool
	line     edm.Line
	metadata Metadata // to submit
}

// outgoing is an answer that waits to be sent.
type outgoing struct {
	to *Mail
	a  *reply
}

// NewPractice makes a practice system.
func NewPractice(c PracticeConfig) (*Practice, error) {
	p := &Practice{Data: c.Data, metadata: Metadata{Part: c.Part, sameVersion: c.Fault == "submission-same-version"}, line: cmp.Or(c.Line, edm.V20), Temper: c.Temper, validator: c.Judge, fault: &Fault{}}
	if p.validator == nil {
		p.validator = validator.New(validator.Config{})
	}
	if c.Fault != "" {
		if p.fault = FindFault(c.Fault); p.fault == nil {
			return nil, fmt.Errorf("there is no fault %q; oots test list --faults shows them", c.Fault)
		}
	}
	p.provider = &provider{Practice: p, seen: map[string]bool{}, previews: map[string]*preview{}}
	party := c.PartyConfig
	if c.Fault == "as4-no-retry" {
		party.Retry = as4.Retry{Attempts: -1, Within: time.Minute}
	}
	party.Deliver = func(m *Mail) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.todo = append(p.todo, m)
		return nil
	}
	var err error
	if p.Party, err = NewParty(party); err != nil {
		return nil, err
	}
	if p.instance, err = newInstance(p); err != nil {
		return nil, err
	}
	p.access = c.Directory
	return p, p.forget()
}

// forget is the order "forget": what is kept of directories is dropped.
func (p *Practice) forget() (err error) {
	if p.access != nil {
		p.client, err = p.newClient(p.access)
	}
	return err
}

// is tells whether the system has this fault.
func (p *Practice) is(fault string) bool { return p.fault.Name == fault }

func (p *Practice) laxOn(rule string) bool {
	return slices.Contains(p.fault.lax, "*") || slices.Contains(p.fault.lax, rule)
}

// ServeHTTP is everything that others see of it.
func (p *Practice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/preview/"):
		p.provider.ServePreview(w, r)
	case strings.HasPrefix(r.URL.Path, instancePath):
		p.instance.ServeHTTP(w, r)
	default:
		p.receive(w, r)
	}
}

// receive is the access point, with its faults.
func (p *Practice) receive(w http.ResponseWriter, r *http.Request) {
	body, err := readBounded(r.Context(), r.Body, MaxMail)
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if p.stopped.Load() {
		http.Error(w, "stopped", http.StatusServiceUnavailable)
		return
	}
	switch p.fault.Name {
	case "unreachable":
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case "html-answers":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><body>Welcome to the proxy</body></html>")
		return
	case "no-receipt":
		defer w.WriteHeader(http.StatusAccepted)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	sent := rootOf(body, r.Header.Get("Content-Type"))
	var m ebms.UserMessage
	if env, err := ebms.ReadEnvelope(sent); err == nil {
		if h, err := env.Decode(); err == nil && h.User != nil {
			m = *h.User
		}
	}
	var again *Mail
	if p.is("delivers-duplicates") {
		again = p.delivered(m.MessageID)
	}
	var rec recorder
	p.Party.ServeHTTP(&rec, r)
	if again != nil {
		p.mu.Lock()
		p.todo = append(p.todo, again)
		p.mu.Unlock()
	}
	var s Signal
	s.read(rec.body.Bytes(), rec.Header().Get("Content-Type"), sent, p.Peer().Sign)
	if answer := p.otherSignal(&m, sent, s); answer != nil {
		rec = recorder{}
		rec.Header().Set("Content-Type", ebms.SOAPType+"; charset=UTF-8")
		_, _ = rec.Write(answer)
	}
	if p.is("no-receipt") {
		return
	}
	rec.copyTo(w)
}

// otherSignal is what a faulty access point answers instead; nil: what is right.
func (p *Practice) otherSignal(m *ebms.UserMessage, sent []byte, s Signal) []byte {
	refs, _ := wssec.ReadReferences(sent)
	signal := &ebms.SignalMessage{Timestamp: p.Clock.Now(), MessageID: p.NewID() + "@test.example", RefToMessageID: m.MessageID,
		Receipt: &ebms.Receipt{References: refs}}
	header := &ebms.Header{Signal: signal}
	if len(refs) == 0 {
		signal.Receipt.References = []ebms.Reference{inventedReference}
	}
	unsigned := false
	switch {
	case s.Kind == SignalError && slices.Contains(p.fault.masks, s.Code):
		if m.MessageID == "" {
			signal.RefToMessageID = "unknown@test.example"
		}
	case s.Kind == SignalReceipt && p.is("unsigned-receipt"):
		unsigned = true
	case s.Kind == SignalReceipt && p.is("receipt-for-another"):
		signal.RefToMessageID = "another@test.example"
	case s.Kind == SignalReceipt && p.is("receipt-with-other-digests"):
		signal.Receipt.References = []ebms.Reference{inventedReference}
	case s.Kind == SignalReceipt && (p.is("refuses-test-service") && m.IsTest() ||
		p.is("refuses-uncompressed") && len(m.Parts) > 0 && !m.Parts[0].Compressed()):
		signal.Receipt = nil
		signal.Errors = []*ebms.Error{ebms.Errorf(ebms.ValueNotRecognized, nil, "not supported")}
	default:
		return nil
	}
	if unsigned {
		b, err := header.Encode("messaging")
		if err != nil {
			return nil
		}
		return ebms.BuildEnvelope(b, nil, ebms.EmptyBody("body"))
	}
	signer := wssec.Signer{Identity: p.Keys.Sign, NewID: p.NewID}
	signed, err := signer.Sign(header, nil)
	if err != nil {
		return nil
	}
	return signed.Envelope
}

// inventedReference is what a receipt repeats that repeats nothing.
var inventedReference = ebms.Reference{URI: "#nothing", Digest: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	XML: `<ds:Reference xmlns:ds="http://www.w3.org/2000/09/xmldsig#" URI="#nothing"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ds:DigestValue></ds:Reference>`}

func (p *Practice) delivered(id string) *Mail {
	for _, m := range p.Mail() {
		if !m.Sent && m.Header.MessageID == id {
			return m
		}
	}
	return nil
}

func rootOf(body []byte, contentType string) []byte {
	reader, err := ebms.NewReader(bytes.NewReader(body), contentType, ebms.Limits{}, ebms.Disk{})
	if err != nil {
		return nil
	}
	defer reader.Close()
	root, _ := reader.Root()
	return root
}

// Settle does everything that is to be done now, and tells whether that was
// anything.
func (p *Practice) Settle(ctx context.Context) (worked bool, err error) {
	for range 50 { // a bound on how long it may keep itself busy
		p.mu.Lock()
		todo, outbox := p.todo, p.outbox
		p.todo, p.outbox = nil, nil
		late, replies := p.provider.expire()
		for i, m := range late {
			outbox = append(outbox, outgoing{m, replies[i]})
		}
		var then []func(context.Context) error
		for _, m := range todo {
			if m.Header.Service.Value == as4.LifecycleMgmt && m.Header.Action == submit {
				then = append(then, func(ctx context.Context) error { return p.instance.take(ctx, m) })
				continue
			}
			if m.Header.Action != as4.ActionRequest {
				if f := p.settled(m); f != nil {
					then = append(then, f)
				}
				continue
			}
			if a := p.work(m); a != nil {
				outbox = append(outbox, outgoing{m, a})
			}
		}
		p.tire()
		p.mu.Unlock()
		for _, f := range then {
			if err := f(ctx); err != nil {
				return true, err
			}
		}
		if len(todo)+len(outbox) == 0 {
			return worked, p.Push(ctx)
		}
		worked = true
		for _, o := range outbox {
			if err := p.dispatch(ctx, o); err != nil {
				return true, err
			}
		}
	}
	return worked, nil
}

// work looks at one message that came in.
func (p *Practice) work(m *Mail) *reply {
	if m.Header.Service.Value == as4.QueryManager && m.Header.Action == as4.ActionRequest {
		return p.provider.request(m)
	}
	return nil
}

// dispatch sends an answer.
func (p *Practice) dispatch(ctx context.Context, o outgoing) error {
	p.Clock.Add(time.Duration(p.Temper.DelaySeconds) * time.Second)
	l, err := p.provider.letter(o.to, o.a)
	if err != nil {
		return err
	}
	if p.is("never-answers") {
		return nil
	}
	times := 1
	if p.is("answers-twice") {
		times = 2
	}
	for range times {
		if err := p.send(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// send is Party.Send with temper and fault.
func (p *Practice) send(ctx context.Context, l Letter) error {
	if len(l.Files) > 0 {
		body := string(l.Files[0].Data)
		if edit := p.fault.edits[l.Action]; edit != "" {
			if changed, err := draft.Edit(body, edit); err == nil {
				body = changed
			}
		}
		l.Files = slices.Clone(l.Files)
		l.Files[0].Data = []byte(p.Temper.Apply(body))
	}
	p.sent++
	if p.fault.wire != "" && (p.fault.on == anywhere || p.fault.on == l.Action) {
		_, _, err := p.PushRaw(ctx, l, FindDeviation(p.fault.wire))
		return err
	}
	if n := p.Temper.Duplicate; n > 0 && p.sent%n == 0 && l.MessageID == "" {
		l.MessageID = p.NewID() + "@test.example"
		if _, _, err := p.PushRaw(ctx, l, FindDeviation("usual")); err != nil {
			return err
		}
	}
	_, err := p.Send(ctx, l)
	return err
}

// Drive does what the system is told, as its portal would.
func (p *Practice) Drive(ctx context.Context, do string, args map[string]string) (Told, error) {
	switch do {
	case "query":
		return p.query(ctx, args)
	case "forget":
		return Told{State: "done"}, p.forget()
	case "request":
		return p.request(ctx, args)
	case "replay":
		return p.replay(ctx)
	case "outcome":
		return p.outcomeOf(args)
	case "submit":
		return p.submitMetadata(ctx, args)
	case "log":
		return p.logOf(args)
	case "stop", "start": // its access point
		p.stopped.Store(do == "stop")
		return Told{State: "done"}, nil
	case "cut", "mend": // the line to its base register
		p.mu.Lock()
		defer p.mu.Unlock()
		p.provider.cut = do == "cut" || p.is("stays-cut")
		return Told{State: "done"}, nil
	}
	return Told{}, ErrUnsupported
}

// Apply gives a message another look that means the same.
func (t Temper) Apply(body string) string {
	script := ""
	if t.Prefix != "" {
		script += "prefix sdg " + t.Prefix + "\n"
	}
	if t.Indent {
		script += "indent\n"
	}
	if script != "" {
		if changed, err := draft.Edit(body, script); err == nil {
			body = changed
		}
	}
	if t.Shuffle {
		body = shuffle(body)
	}
	return body
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
