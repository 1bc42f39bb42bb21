package partner

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/xmltree"
)

// instanceFaults are those of an own instance of the Common Services: of its
// directories, and of the registry that takes submissions.
var instanceFaults = []Fault{
	{Name: "directory-unsigned", About: "its answers carry no signature"},
	{Name: "directory-unsigned-refusals", About: "it signs what it answers and not what it refuses"},
	{Name: "directory-changes-signed", About: "it changes answers after they were signed"},
	{Name: "directory-foreign-root", About: "it signs under another root than it published"},
	{Name: "directory-plain-status", About: "it refuses by the HTTP status"},
	{Name: "directory-empty-success", About: "it answers an empty success where there is nothing"},
	{Name: "directory-answers-anything", About: "it answers queries that are wrong"},
	{Name: "directory-all-countries", About: "it answers for every country, whichever was asked"},
	{Name: "directory-one-line", About: "it answers in one line, whichever was asked"},
	{Name: "directory-nameless-line", About: "its answers do not say their line"},
	{Name: "directory-ignores-specification", About: "it gives access services that do not speak the line asked for"},
	{Name: "directory-decides-itself", About: "it chooses a provider where the user must be asked"},
	{Name: "directory-ignores-answers", About: "it asks again whatever the user answered"},

	{Name: "registry-silent", About: "it acknowledges submissions and answers none"},
	{Name: "registry-accepts-anything", About: "it says success to every submission"},
	{Name: "registry-forgets", About: "it accepts submissions and serves the old data"},
	{Name: "registry-spoils", About: "a submission that it refuses takes away what was there"},
	{Name: "registry-other-request", About: "its answers name another submission", edits: map[string]string{
		as4.ActionSubmitDone: "set rs:RegistryResponse/@requestId urn:uuid:99999999-9999-4999-8999-999999999992"}},
	{Name: "registry-refuses-without-code", About: "it does not say why it refuses", edits: map[string]string{exception: "remove //rs:Exception/@code"}},
	{Name: "registry-refuses-all", About: "it refuses sound submissions"},
}

// Instance is an own instance of the Common Services: what a platform must know
// of it to ask it.
type Instance struct {
	Base  string              // its address, ending in a slash; eb/ and dsd/ stand below
	Roots []*x509.Certificate // under which it signs
	HTTP  http.RoundTripper   // how it is reached; nil for the network
}

// instance is that of the practice system: the real server over the real
// life-cycle management, with its fault between them and the world.
type instance struct {
	*Practice
	signer, foreign *cs.Signer
	root            *x509.Certificate
	// open makes server and registry when they are first needed, since many a
	// case needs neither.
	open func() (*opened, error)
}

type opened struct {
	server   *cs.Server
	registry *lcm.LifecycleManager
}

func newInstance(p *Practice) (*instance, error) {
	in := &instance{Practice: p}
	var err error
	if in.signer, in.root, err = newSigner(p.Clock.Now, 0); err != nil {
		return nil, err
	}
	if in.foreign, _, err = newSigner(p.Clock.Now, 0); err != nil {
		return nil, err
	}
	in.open = sync.OnceValues(func() (*opened, error) {
		registry, err := lcm.New(context.Background(), lcm.Config{Store: &lcm.Memory{}, Baseline: Demo(), Now: p.Clock.Now})
		if err != nil {
			return nil, err
		}
		server, err := cs.NewServer(cs.ServerConfig{Catalogue: registry.Catalogue(), Signer: in.signer})
		return &opened{server, registry}, err
	})
	return in, nil
}

// Instance is the practice system's own instance of the Common Services.
func (p *Practice) Instance(wire http.RoundTripper) *Instance {
	return &Instance{Base: "https://" + p.Host + instancePath, Roots: []*x509.Certificate{p.instance.root}, HTTP: wire}
}

const instancePath = "/cs/"

// ServeHTTP answers queries below instancePath.
func (in *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o, err := in.open()
	if err != nil {
		http.Error(w, "the directories cannot be opened", http.StatusServiceUnavailable)
		return
	}
	asked := r.Clone(r.Context())
	asked.URL.Path = "/" + strings.TrimPrefix(r.URL.Path, instancePath)
	in.bend(asked)
	var a recorder
	o.server.ServeHTTP(&a, asked)
	if in.is("directory-answers-anything") && failed(&a) && !strings.Contains(a.body.String(), "DSD:ERR:0005\"") {
		a = recorder{}
		o.server.ServeHTTP(&a, in.something(asked))
	}
	if in.is("directory-decides-itself") && strings.Contains(a.body.String(), "UserRequestedClassificationConcepts") {
		q := asked.URL.Query()
		q.Set("e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55", "HAMBURG")
		asked.URL.RawQuery = q.Encode()
		a = recorder{}
		o.server.ServeHTTP(&a, asked)
	}
	in.deviate(&a)
	a.copyTo(w)
}

// bend changes a query as a faulty directory would understand it.
func (in *instance) bend(r *http.Request) {
	q := r.URL.Query()
	switch in.fault.Name {
	case "directory-all-countries":
		if strings.HasPrefix(r.URL.Path, "/eb/") {
			q.Del("country-code")
		}
	case "directory-ignores-specification":
		q.Del("specification")
	case "directory-one-line":
		r.Header.Set(cs.HeaderAcceptVersion, string(cs.V20))
	case "directory-ignores-answers":
		for name := range q {
			if len(name) == 36 {
				q.Del(name)
			}
		}
	}
	r.URL.RawQuery = q.Encode()
}

// something is a query to the same directory that has an answer.
func (in *instance) something(r *http.Request) *http.Request {
	q := map[string]string{"queryId": cs.QueryRequirements, "procedure-id": in.Data.Procedure}
	if strings.HasPrefix(r.URL.Path, "/dsd/") {
		q = map[string]string{"queryId": cs.QueryDataServices, "evidence-type-classification": in.Data.Evidence.Classification, "country-code": in.Data.Country}
	}
	other := r.Clone(r.Context())
	other.Header.Set(cs.HeaderAcceptVersion, string(cs.V20))
	values := other.URL.Query()
	clear(values)
	for name, v := range q {
		values.Set(name, v)
	}
	other.URL.RawQuery = values.Encode()
	return other
}

func failed(a *recorder) bool { return strings.Contains(a.body.String(), "ResponseStatusType:Failure") }

// deviate changes an answer as a faulty directory would give it.
func (in *instance) deviate(a *recorder) {
	body := a.body.String()
	switch in.fault.Name {
	case "directory-unsigned":
		a.Header().Del(cs.HeaderSignature)
	case "directory-unsigned-refusals":
		if failed(a) {
			a.Header().Del(cs.HeaderSignature)
		}
	case "directory-changes-signed":
		a.setBody(body + "\n")
	case "directory-foreign-root":
		a.sign(in.foreign)
	case "directory-plain-status":
		if failed(a) {
			a.status = http.StatusNotFound
		}
	case "directory-empty-success":
		if failed(a) {
			empty, err := draft.Edit(strings.ReplaceAll(body, "ResponseStatusType:Failure", "ResponseStatusType:Success"),
				"remove //rs:Exception\nadd query:QueryResponse <rim:RegistryObjectList/>")
			if err == nil {
				a.setBody(empty)
				a.sign(in.signer)
			}
		}
	case "directory-nameless-line":
		if nameless, err := draft.Edit(body, "remove query:QueryResponse/rim:Slot[SpecificationIdentifier]"); err == nil {
			a.setBody(nameless)
			a.sign(in.signer)
		}
	}
}

// take judges a submission and sends the answer. The platform submits for the
// country of the test data.
func (in *instance) take(ctx context.Context, m *Mail) error {
	if in.is("registry-silent") {
		return nil
	}
	o, err := in.open()
	if err != nil {
		return err
	}
	country, by := in.Data.Country, lcm.Author{Party: m.Header.From.ID.Value, How: lcm.ByAS4, Message: m.Header.MessageID}
	before := o.registry.DataSet()
	action, answer, err := in.judge(ctx, o.registry, by, country, m.Body())
	if err != nil {
		return err
	}
	switch {
	case in.is("registry-forgets"):
		err = o.registry.Catalogue().Publish(before)
	case in.is("registry-spoils") && action == exception:
		err = o.registry.Catalogue().Publish(before.With(&cs.Contribution{Country: country}))
	}
	if err != nil {
		return err
	}
	l := Letter{To: m.Header.From.ID, Service: as4.LifecycleMgmt, Action: action, Conversation: m.Header.ConversationID,
		Files: []File{{Type: regrep.MediaType, Data: answer}}}
	for _, prop := range m.Header.Properties {
		switch prop.Name {
		case ebms.OriginalSender:
			l.Recipient.Scheme, l.Recipient.Value = prop.Type, prop.Value
		case ebms.FinalRecipient:
			l.Sender.Scheme, l.Sender.Value = prop.Type, prop.Value
		}
	}
	return in.send(ctx, l)
}

func (in *instance) judge(ctx context.Context, registry *lcm.LifecycleManager, by lcm.Author, country string, raw []byte) (action string, answer []byte, err error) {
	switch id := submissionID(raw); {
	case in.is("registry-accepts-anything") && id != "":
		answer, err = lcm.Success(id)
		return as4.ActionSubmitDone, answer, err
	case in.is("registry-refuses-all"):
		answer, err = lcm.Failure(&lcm.Refusal{RequestID: id, Faults: []lcm.Fault{{Code: lcm.BadSubmission, Text: "not today"}}})
		return exception, answer, err
	}
	answer, revision, err := registry.Answer(ctx, by, country, raw)
	switch {
	case revision != nil:
		return as4.ActionSubmitDone, answer, nil
	case answer != nil:
		return exception, answer, nil
	}
	return "", nil, fmt.Errorf("partner: the registry fails: %w", err)
}

// submissionID is the id of a submission, "" when there is none to repeat.
func submissionID(raw []byte) string {
	doc, err := xmltree.Parse(raw, xmltree.Options{})
	if err != nil {
		return ""
	}
	return doc.Root.Attr("", "id")
}
