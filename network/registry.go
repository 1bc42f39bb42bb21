package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/regrep"
)

// RegistryParty and ProductionParty are the access points of the Common Services
// in the two environments, where countries submit what they change (TDD 3.6.3).
var (
	RegistryParty   = ebms.PartyID{Type: as4.OOTSPartyType, Value: "AP_EU_DEMO_CS"}
	ProductionParty = ebms.PartyID{Type: as4.OOTSPartyType, Value: "AP_EU_DEMO_CS_PROD"}
)

// registry is such an access point.
type registry struct {
	id    ebms.PartyID
	party *pki.Party
	as4   string
	mux   http.ServeMux
	ap    *as4.AccessPoint
}

func (e *Environment) prepareRegistry(ctx context.Context) (err error) {
	r := e.registry
	if r.party, err = e.network.CA.Party(r.id.Value, "127.0.0.1", "localhost"); err != nil {
		return err
	}
	r.as4, err = e.network.listen(ctx, &r.mux, r.party.TLS)
	return err
}

// openRegistry lets the nodes' access points submit, each for its own country.
func (e *Environment) openRegistry(ctx context.Context) (err error) {
	n, r := e.network, e.registry
	mode := &as4.PMode{Self: as4.Partner{ID: r.id}, Legs: as4.OOTSLegs()}
	countries := map[ebms.PartyID]string{}
	for _, cc := range n.Countries {
		p, err := n.Nodes[cc].partner()
		if err != nil {
			return err
		}
		mode.Partners = append(mode.Partners, p)
		countries[p.ID] = cc
	}
	memory := &as4.Memory{}
	handler := &lcm.Handler{
		Country: func(p ebms.PartyID) string { return countries[p] },
		Of:      func(context.Context, string) (*lcm.LifecycleManager, error) { return e.Lifecycle, nil },
		Send: func(ctx context.Context, m *ebms.UserMessage, parts []as4.Part) (string, error) {
			return r.ap.Submit(ctx, m, parts)
		},
	}
	r.ap, err = as4.New(as4.Config{PMode: mode, Sign: r.party.Sign, Decrypt: []*pki.Identity{r.party.Encrypt}, Store: memory, Files: memory,
		Handler: handler, Domain: "cs.demo.example", Client: as4.NewClient(&tls.Config{RootCAs: n.roots}), Pushes: 2, Now: n.plan.Now, Log: n.plan.Log})
	if err != nil {
		return fmt.Errorf("network: access point of the Common Services: %w", err)
	}
	r.mux.Handle("/as4", r.ap)
	n.group.Go(func() error { return r.ap.Run(ctx) })
	return nil
}

// partner is the registry as a node's P-Mode has it.
func (r *registry) partner() (*as4.Partner, error) {
	sets, err := as4.PropertySets("oots-edm:v1.2")
	return &as4.Partner{Name: strings.ToLower(r.id.Value), ID: r.id, URL: r.as4 + "/as4", Sign: []*x509.Certificate{r.party.Sign.Cert()},
		Encrypt: r.party.Encrypt.Cert(), Properties: sets}, err
}

// Submissions are those of a country whose answer is awaited, by conversation:
// the last mostAwaited, since a registry may never answer. Its zero value is
// ready.
type Submissions struct {
	mu      sync.Mutex
	waiting map[string]chan []byte
	made    []string // conversations, the oldest first
}

const mostAwaited = 1000

func (s *Submissions) await(conversation string) chan []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = map[string]chan []byte{}
	}
	c := make(chan []byte, 1)
	s.waiting[conversation] = c
	if s.made = append(s.made, conversation); len(s.made) > mostAwaited {
		delete(s.waiting, s.made[0])
		s.made = slices.Delete(s.made, 0, 1)
	}
	return c
}

// Deliver hands an answer to whoever waits for it.
func (s *Submissions) Deliver(m *as4.Message) error {
	if len(m.Parts) != 1 {
		return &ebms.Error{Code: ebms.ValueInconsistent, Detail: "an answer to a submission has one part"}
	}
	answer, err := ebms.ReadAll(m.Parts[0].Content)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.waiting[m.Header.ConversationID]; c != nil {
		delete(s.waiting, m.Header.ConversationID)
		c <- answer
	}
	return nil
}

// Submit sends a SubmitObjectsRequest to the Common Services of the tests.
func (node *Node) Submit(ctx context.Context, raw []byte) (answer []byte, err error) {
	return node.SubmitTo(ctx, node.network.Acceptance, raw)
}

// SubmitTo sends a SubmitObjectsRequest to the Common Services of an environment
// over AS4 and waits for the answer.
func (node *Node) SubmitTo(ctx context.Context, e *Environment, raw []byte) (answer []byte, err error) {
	came, err := node.submit(ctx, e.registry.id, raw)
	if err != nil {
		return nil, err
	}
	select {
	case answer := <-came:
		return answer, nil
	case <-ctx.Done():
		return nil, errors.Join(errors.New("network: the Common Services do not answer the submission"), ctx.Err())
	}
}

// submit sends a SubmitObjectsRequest and tells where the answer will come.
func (node *Node) submit(ctx context.Context, to ebms.PartyID, raw []byte) (answer <-chan []byte, err error) {
	return node.submissions.Send(ctx, node.AP, node.Country, to, raw)
}

// Send submits for a country to an access point, over another, and tells where
// the answer will come.
func (s *Submissions) Send(ctx context.Context, over *as4.AccessPoint, country string, to ebms.PartyID, raw []byte) (answer <-chan []byte, err error) {
	conversation := as4.NewUUID()
	came := s.await(conversation)
	m := &ebms.UserMessage{To: ebms.Party{ID: to}, Service: ebms.Service{Type: as4.BindingType, Value: as4.LifecycleMgmt}, Action: as4.ActionSubmit,
		ConversationID: conversation, Properties: []ebms.Property{{Name: ebms.OriginalSender, Type: PartyOf(country).Type, Value: country + "METADATA01"},
			{Name: ebms.FinalRecipient, Type: as4.OOTSPartyType, Value: "EUCOMMONSERVICES01"}}}
	_, err = over.Submit(ctx, m, []as4.Part{{Type: regrep.MediaType, Content: ebms.Bytes(raw)}})
	return came, err
}

// countryOf is the country in the party id of a demo gateway.
func countryOf(p ebms.PartyID) string {
	cc, _, _ := strings.Cut(strings.TrimPrefix(p.Value, "AP_"), "_")
	return cc
}
