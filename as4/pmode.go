package as4

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
)

// Values of the OOTS legs (TDD 4.7.1, 4.7.2).
const (
	GatewayRole   = "http://sdg.europa.eu/edelivery/gateway" // of From and of To
	BindingType   = "urn:oasis:names:tc:ebcore:ebrs:ebms:binding:1.0"
	QueryManager  = "QueryManager"     // evidence exchange
	LifecycleMgmt = "LifecycleManager" // submissions to the Common Services

	ActionRequest    = "ExecuteQueryRequest"
	ActionResponse   = "ExecuteQueryResponse"
	ActionException  = "ExceptionResponse"
	ActionSubmit     = "SubmitObjectsRequest"
	ActionSubmitDone = "SubmitObjectsResponse"

	// OOTSPartyType is the customary type of access point identifiers.
	OOTSPartyType = "urn:oasis:names:tc:ebcore:partyid-type:unregistered:oots"
)

// PMode is what this access point has agreed with its partners: who they are,
// what may be sent, how often it is repeated.
type PMode struct {
	Self     Partner    // URL, Sign and Encrypt are not needed here
	Partners []*Partner // unique by ID
	Legs     []Leg      // unique by service and action
	// Suite signs and encrypts; nil means the common RSA profile. The suites of
	// eDelivery AS4 2.0 are experimental, and do not mix with it.
	Suite *wssec.Suite
	Retry Retry
	// Duplicates is how long a MessageId is remembered; 0 means 365 days, as
	// long as the record of the exchange must be kept.
	Duplicates time.Duration
}

// Partner is an access point that we know: static configuration now, a look-up
// in an SMP could fill it later.
type Partner struct {
	Name string // a short name for commands and logs
	ID   ebms.PartyID
	Role string // empty means GatewayRole
	// URL is where its messages go: https, or http on a loopback address.
	URL string
	// Sign are the certificates it may sign with; two while it changes its key.
	Sign []*x509.Certificate
	// Encrypt is the certificate its messages are encrypted for.
	Encrypt *x509.Certificate
	// Token is how our messages to it name certificates. The common profile, and
	// OOTS, want the certificate itself.
	Token wssec.TokenForm
	// Properties are the sets of message properties it understands: one for each
	// specification line it speaks. A message must fit one of them.
	Properties []ebms.PropertySet
}

// Leg is one kind of message: a service with an action.
type Leg struct {
	Service  ebms.Service
	Action   string
	Compress bool // gzip its parts, unless they are compressed already
	// Properties, where given, replaces the partner's sets on this leg.
	Properties []ebms.PropertySet
}

// Retry is how often a message without a receipt is sent, all tries spread
// evenly over a time (Domibus: "12;4;CONSTANT").
type Retry struct {
	Attempts int           // tries after the first; 0 means 4
	Within   time.Duration // 0 means 12 minutes
}

// Pause is the time between two tries.
func (r Retry) Pause() time.Duration {
	r = r.orDefault()
	return r.Within / time.Duration(r.Attempts)
}

func (r Retry) orDefault() Retry {
	if r.Attempts == 0 {
		r.Attempts = 4
	}
	if r.Within == 0 {
		r.Within = 12 * time.Minute
	}
	return r
}

// OOTSLegs are the legs of the OOTS: evidence exchange, life-cycle management,
// and the test service. Responses with evidence are not compressed.
func OOTSLegs() []Leg {
	exchange := ebms.Service{Type: BindingType, Value: QueryManager}
	lifecycle := ebms.Service{Type: BindingType, Value: LifecycleMgmt}
	two := []ebms.PropertySet{ebms.FourCorner}
	either := []ebms.PropertySet{ebms.FourCorner, ebms.FourCornerTwo}
	return []Leg{
		{Service: exchange, Action: ActionRequest, Compress: true},
		{Service: exchange, Action: ActionResponse},
		{Service: exchange, Action: ActionException, Compress: true},
		{Service: lifecycle, Action: ActionSubmit, Compress: true, Properties: two},
		{Service: lifecycle, Action: ActionSubmitDone, Compress: true, Properties: two},
		{Service: lifecycle, Action: ActionException, Properties: two},
		{Service: ebms.Service{Value: ebms.TestService}, Action: ebms.TestAction, Compress: true, Properties: either},
	}
}

// PropertySets are the message properties of specification lines: four corners
// in oots-edm:v1.x, two more from v2.0 on (R-EDM-ebMS-018, -019).
func PropertySets(lines ...string) ([]ebms.PropertySet, error) {
	var sets []ebms.PropertySet
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "oots-edm:v1."):
			sets = append(sets, ebms.FourCorner)
		case strings.HasPrefix(line, "oots-edm:v2."):
			sets = append(sets, ebms.FourCornerTwo)
		default:
			return nil, fmt.Errorf("the line %q is not known; use oots-edm:v1.2 or oots-edm:v2.0", line)
		}
	}
	return sets, nil
}

// Partner finds a partner by its party id; nil when there is none.
func (p *PMode) Partner(id ebms.PartyID) *Partner {
	for _, partner := range p.Partners {
		if partner.ID == id {
			return partner
		}
	}
	return nil
}

// Named finds a partner by its short name or by the value of its party id.
func (p *PMode) Named(name string) *Partner {
	for _, partner := range p.Partners {
		if partner.Name == name || partner.ID.Value == name {
			return partner
		}
	}
	return nil
}

// Leg finds the leg of a service and an action; nil when there is none.
func (p *PMode) Leg(service ebms.Service, action string) *Leg {
	for i := range p.Legs {
		if p.Legs[i].Service == service && p.Legs[i].Action == action {
			return &p.Legs[i]
		}
	}
	return nil
}

// MatchIncoming holds a received header to what was agreed with the partner
// that sent it: EBMS:0003 for the wrong addressee or role, EBMS:0001 for an
// unknown service, action or channel, EBMS:0010 and 0052 for its properties.
func (p *PMode) MatchIncoming(m *ebms.UserMessage) (*Partner, *Leg, error) {
	from := p.Partner(m.From.ID)
	switch {
	case from == nil:
		return nil, nil, ebms.Errorf(ebms.ProcessingModeMismatch, nil, "no agreement with this sender")
	case m.To.ID != p.Self.ID:
		return nil, nil, ebms.Errorf(ebms.ValueInconsistent, nil, "the message is addressed to another party")
	}
	leg, err := p.match(m, from, m.From.Role, from.Role)
	return from, leg, err
}

// MatchOutgoing holds a header that a corner wants to send to what was agreed
// with its addressee.
func (p *PMode) MatchOutgoing(m *ebms.UserMessage) (*Partner, *Leg, error) {
	to := p.Partner(m.To.ID)
	if to == nil {
		return nil, nil, ebms.Errorf(ebms.ProcessingModeMismatch, nil, "no agreement with the party %s", m.To.ID.Value)
	}
	leg, err := p.match(m, to, m.To.Role, to.Role)
	return to, leg, err
}

func (p *PMode) match(m *ebms.UserMessage, partner *Partner, role, want string) (*Leg, error) {
	if want == "" {
		want = GatewayRole
	}
	leg := p.Leg(m.Service, m.Action)
	switch {
	case role != want:
		return nil, ebms.Errorf(ebms.ValueInconsistent, nil, "the role of the party is not the agreed one")
	case leg == nil:
		return nil, ebms.Errorf(ebms.ValueNotRecognized, nil, "no agreement on this service and action")
	case m.MPC != "" && m.MPC != ebms.DefaultMPC:
		return nil, ebms.Errorf(ebms.ValueNotRecognized, nil, "the message partition channel is not known")
	case m.Agreement != nil && m.Agreement.Value != "":
		return nil, ebms.Errorf(ebms.ProcessingModeMismatch, nil, "no such agreement")
	}
	sets := leg.Properties
	if len(sets) == 0 {
		sets = partner.Properties
	}
	var first error
	for _, set := range sets {
		err := set.Check(m.Properties)
		if err == nil {
			return leg, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = ebms.Errorf(ebms.ProcessingModeMismatch, nil, "no property set is agreed with this party")
	}
	return nil, first
}

// Check finds what makes a P-Mode unusable; the errors are for whoever wrote it.
func (p *PMode) Check() error {
	if p.Self.ID.Value == "" {
		return fmt.Errorf("P-Mode: the own party has no id")
	}
	for i, partner := range p.Partners {
		name := partner.Name
		if name == "" {
			name = partner.ID.Value
		}
		u, err := url.Parse(partner.URL)
		switch {
		case partner.ID.Value == "":
			return fmt.Errorf("P-Mode: partner %d has no id", i+1)
		case p.Partner(partner.ID) != partner:
			return fmt.Errorf("P-Mode: two partners are called %s", partner.ID.Value)
		case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
			return fmt.Errorf("P-Mode: partner %s: %q is not an https address", name, partner.URL)
		case len(partner.Sign) == 0:
			return fmt.Errorf("P-Mode: partner %s: no certificate to verify its signatures with", name)
		case partner.Encrypt == nil:
			return fmt.Errorf("P-Mode: partner %s: no certificate to encrypt for", name)
		case len(partner.Properties) == 0:
			return fmt.Errorf("P-Mode: partner %s: name the specification lines it speaks", name)
		}
	}
	for i, leg := range p.Legs {
		if slices.ContainsFunc(p.Legs[:i], func(l Leg) bool { return l.Service == leg.Service && l.Action == leg.Action }) {
			return fmt.Errorf("P-Mode: the leg %s %s stands there twice", leg.Service.Value, leg.Action)
		}
	}
	if len(p.Legs) == 0 {
		return fmt.Errorf("P-Mode: no legs; nothing could be sent")
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}
