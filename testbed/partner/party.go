package partner

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/sdg"
)

// MaxMail bounds one message that a party keeps, in octets of all its parts.
const MaxMail = 16 << 20

// Keys are the certificates of the parties of a test network.
type Keys struct {
	CA      *pki.CA
	Parties map[string]*pki.Party
}

// NewKeys makes an authority and what each party needs. Making RSA keys takes a
// moment: share them between runs.
func NewKeys(now func() time.Time, names ...string) (*Keys, error) {
	ca, err := pki.NewCA(pki.CAConfig{Name: "OOTS testbed authority", Now: now})
	if err != nil {
		return nil, err
	}
	var wanted []pki.Request
	for _, name := range names {
		wanted = append(wanted, pki.Request{Name: name, Use: pki.Sign}, pki.Request{Name: name, Use: pki.Encrypt},
			pki.Request{Name: name, Use: pki.TLSServer, Key: pki.P256, Hosts: []string{"127.0.0.1"}})
	}
	made, err := ca.IssueAll(wanted...)
	if err != nil {
		return nil, err
	}
	k := &Keys{CA: ca, Parties: map[string]*pki.Party{}}
	for i, name := range names {
		k.Parties[name] = &pki.Party{Name: name, Sign: made[3*i], Encrypt: made[3*i+1], TLS: made[3*i+2]}
	}
	return k, nil
}

// Peer is what one access point knows of another.
type Peer struct {
	ID      ebms.PartyID
	URL     string
	Sign    []*x509.Certificate
	Encrypt *x509.Certificate
}

// File is one part of a message, in the clear.
type File struct {
	ID, Type string
	Data     []byte
}

// Mail is one AS4 message as a corner sees it, sent or received.
type Mail struct {
	Sent     bool // by the party that keeps it
	Header   ebms.UserMessage
	Files    []File
	Envelope []byte // as it travelled
	Receipt  []byte // of a sent one: the signed envelope that acknowledged it
	// State is where a sent message stands; Tries how often it was pushed.
	State  as4.State
	Code   ebms.Code
	Tries  int
	At     time.Time
	Lead   edm.Message // of an evidence exchange, nil where it cannot be decoded
	wire   []byte      // of a raw one: what travelled, to be repeated
	kind   string      // its Content-Type
	Broken error       // why it cannot
	// Answer is the HTTP of what a directory answered to the platform; nil of an
	// AS4 message.
	Answer *http.Response
}

// Body is the first part, nil when there is none.
func (m *Mail) Body() []byte {
	if len(m.Files) == 0 {
		return nil
	}
	return m.Files[0].Data
}

// PartyConfig says who a party is.
type PartyConfig struct {
	Name  string // of the access point: its party id
	Host  string // under which it stands on the wire, or its whole address
	Keys  *pki.Party
	Peers []Peer
	HTTP  *http.Client
	Clock *Clock
	NewID func() string
	Retry as4.Retry
	// Record is told every message that came in; optional.
	Record func(*Mail)
	// Deliver sees every message before the receipt goes out; an error refuses
	// it. Optional.
	Deliver func(*Mail) error
}

// Party is a simulated access point with a corner behind it that keeps
// everything that comes and goes.
type Party struct {
	PartyConfig
	ap    *as4.AccessPoint
	store *as4.Memory

	mu    sync.Mutex
	mail  []*Mail
	codes []ebms.Code
	came  chan struct{} // told of every arrival, never blocks
	down  atomic.Bool
	stand map[string]*Mail
}

// PartyID is the customary identifier of an access point.
func PartyID(name string) ebms.PartyID {
	return ebms.PartyID{Type: as4.OOTSPartyType, Value: name}
}

// NewParty makes an access point that knows its peers.
func NewParty(c PartyConfig) (*Party, error) {
	p := &Party{PartyConfig: c, store: &as4.Memory{}, came: make(chan struct{}, 1), stand: map[string]*Mail{}}
	sets, err := as4.PropertySets(string(edm.V20), string(edm.V12))
	if err != nil {
		return nil, err
	}
	mode := &as4.PMode{Self: as4.Partner{ID: PartyID(c.Name)}, Legs: as4.OOTSLegs(), Retry: c.Retry}
	for _, peer := range c.Peers {
		mode.Partners = append(mode.Partners, &as4.Partner{Name: strings.ToLower(peer.ID.Value), ID: peer.ID, URL: peer.URL,
			Sign: peer.Sign, Encrypt: peer.Encrypt, Properties: sets})
	}
	p.ap, err = as4.New(as4.Config{PMode: mode, Sign: c.Keys.Sign, Decrypt: []*pki.Identity{c.Keys.Encrypt}, Store: p.store, Files: p.store,
		Handler: p, Domain: strings.ToLower(strings.ReplaceAll(c.Name, "_", "-")) + ".test.example", Client: c.HTTP, Now: c.Clock.Now, NewID: c.NewID,
		Count: func(e as4.Event) {
			if e.Kind == "refused" {
				p.mu.Lock()
				p.codes = append(p.codes, e.Code)
				p.mu.Unlock()
			}
		}})
	return p, err
}

// Peer is what others must know of this party.
func (p *Party) Peer() Peer {
	address := p.Host
	if !strings.Contains(address, "://") {
		address = "https://" + address + "/as4"
	}
	return Peer{ID: PartyID(p.Name), URL: address, Sign: []*x509.Certificate{p.Keys.Sign.Cert()}, Encrypt: p.Keys.Encrypt.Cert()}
}

// ServeHTTP receives.
func (p *Party) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	p.ap.ServeHTTP(w, r)
}

// Down stops receiving, until it is told otherwise.
func (p *Party) Down(yes bool) { p.down.Store(yes) }

// Deliver keeps a message that came in.
func (p *Party) Deliver(_ context.Context, m *as4.Message) error {
	mail := &Mail{Header: *m.Header, Envelope: m.Envelope, At: m.ReceivedAt}
	total := int64(0)
	for _, part := range m.Parts {
		if total += part.Content.Size(); total > MaxMail {
			return ebms.Errorf(ebms.Other, nil, "the message has more than %d octets", MaxMail)
		}
		data, err := ebms.ReadAll(part.Content)
		if err != nil {
			return err
		}
		mail.Files = append(mail.Files, File{part.ID, part.Type, data})
	}
	mail.read()
	if p.PartyConfig.Deliver != nil {
		if err := p.PartyConfig.Deliver(mail); err != nil {
			return err
		}
	}
	p.keep(mail)
	return nil
}

func (m *Mail) read() {
	if m.Header.Service.Value == as4.QueryManager && len(m.Files) > 0 {
		m.Lead, m.Broken = edm.Decode(m.Files[0].Data)
	}
}

func (p *Party) keep(m *Mail) {
	p.mu.Lock()
	p.mail = append(p.mail, m)
	p.mu.Unlock()
	if p.Record != nil {
		p.Record(m)
	}
	select {
	case p.came <- struct{}{}:
	default:
	}
}

// Settled keeps what became of a message that was sent.
func (p *Party) Settled(_ context.Context, o as4.Outgoing) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.stand[o.MessageID]; m != nil {
		m.State, m.Code, m.Receipt, m.Tries = o.State, o.Code, o.Receipt, o.Tries
	}
	return nil
}

// Mail is everything that came and went, in that order.
func (p *Party) Mail() []*Mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Mail(nil), p.mail...)
}

// Refused are the errors with which messages were refused so far.
func (p *Party) Refused() []ebms.Code {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]ebms.Code(nil), p.codes...)
}

// Came is told when a message came in.
func (p *Party) Came() <-chan struct{} { return p.came }

// Letter is a message to send.
type Letter struct {
	To           ebms.PartyID
	Service      string // QueryManager unless said otherwise
	Action       string
	Conversation string // a new one when empty
	MessageID    string
	RefTo        string
	Sender       sdg.Identifier
	Recipient    sdg.Identifier
	ExchangeID   string
	Line         edm.Line
	Files        []File
	WithoutFour  bool // leave the message properties to Properties
	Properties   []ebms.Property
}

// header is the ebMS header of a letter.
func (p *Party) header(l *Letter) *ebms.UserMessage {
	if l.Service == "" {
		l.Service = as4.QueryManager
	}
	if l.Conversation == "" {
		l.Conversation = p.NewID()
	}
	m := &ebms.UserMessage{MessageID: l.MessageID, RefToMessageID: l.RefTo, To: ebms.Party{ID: l.To, Role: as4.GatewayRole},
		Service: ebms.Service{Type: as4.BindingType, Value: l.Service}, Action: l.Action, ConversationID: l.Conversation, Properties: l.Properties}
	m.Properties = append([]ebms.Property{{Name: ebms.OriginalSender, Type: l.Sender.Scheme, Value: l.Sender.Value},
		{Name: ebms.FinalRecipient, Type: l.Recipient.Scheme, Value: l.Recipient.Value}}, m.Properties...)
	if l.Line == edm.V20 && l.Service == as4.QueryManager {
		m.Properties = append(m.Properties, ebms.Property{Name: ebms.ExchangeID, Value: l.ExchangeID},
			ebms.Property{Name: ebms.SpecificationID, Value: string(l.Line)})
	}
	return m
}

// Send gives a letter to the access point and pushes it once. A partner that
// does not acknowledge is no error: see Mail.State.
func (p *Party) Send(ctx context.Context, l Letter) (*Mail, error) {
	m := p.header(&l)
	if m.MessageID == "" {
		m.MessageID = p.NewID() + "@" + p.ap.Domain
	}
	mail := &Mail{Sent: true, Header: *m, Files: l.Files, State: as4.Queued, At: p.Clock.Now()}
	mail.Header.From = ebms.Party{ID: PartyID(p.Name), Role: as4.GatewayRole}
	mail.Header.Timestamp = mail.At
	m.Timestamp = mail.At
	mail.read()
	p.mu.Lock()
	p.stand[m.MessageID] = mail
	p.mail = append(p.mail, mail)
	p.mu.Unlock()
	var parts []as4.Part
	for _, f := range l.Files {
		parts = append(parts, as4.Part{ID: f.ID, Type: f.Type, Content: ebms.Bytes(f.Data)})
	}
	id, err := p.ap.Submit(ctx, m, parts)
	if err != nil {
		return mail, err
	}
	if out, _, err := p.store.Sent(ctx, id); err == nil {
		mail.Envelope = out.Envelope
	}
	for _, part := range parts {
		mail.Header.Parts = append(mail.Header.Parts, ebms.PartInfo{ContentID: part.ID, Properties: []ebms.Property{{Name: ebms.MimeType, Value: part.Type}}})
	}
	return mail, p.Push(ctx)
}

// Push tries every message that is due.
func (p *Party) Push(ctx context.Context) error {
	_, err := p.ap.SendDue(ctx)
	return err
}

// Tries are the attempts to deliver a message that was sent.
func (p *Party) Tries(ctx context.Context, m *Mail) ([]as4.Try, error) {
	_, tries, err := p.store.Sent(ctx, m.Header.MessageID)
	if errors.Is(err, as4.ErrUnknown) {
		return nil, nil
	}
	return tries, err
}

// Waiting tells whether messages are still to be delivered.
func (p *Party) Waiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.mail {
		if m.Sent && m.State == as4.Queued {
			return true
		}
	}
	return false
}

// Ping sends a test message to a peer.
func (p *Party) Ping(ctx context.Context, to ebms.PartyID) (as4.Pinged, error) {
	peer := p.ap.PMode.Partner(to)
	if peer == nil {
		return as4.Pinged{}, fmt.Errorf("%s is no peer of %s", to.Value, p.Name)
	}
	return p.ap.Ping(ctx, peer, p.Name, to.Value)
}
