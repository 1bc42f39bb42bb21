package web_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/web"
)

// nodeAPI is the API before a real node, or before nothing but a store.
type nodeAPI struct {
	t     testing.TB
	h     http.Handler
	hooks *web.NodeHooks
	store exchange.Store
	now   time.Time
	token string
}

func tokenDigest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

var hookKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, ed25519.SeedSize))

func newNodeAPI(t testing.TB, r web.Requester, store exchange.Store, client *http.Client) *nodeAPI {
	t.Helper()
	a := &nodeAPI{t: t, store: store, now: time.Now(), token: "token of one"}
	var err error
	if a.hooks, err = web.NewNodeHooks(web.NodeHooksConfig{Store: store, Key: hookKey, Client: client, Now: func() time.Time { return a.now }}); err != nil {
		t.Fatal(err)
	}
	if a.h, err = web.NewNodeAPI(web.NodeAPIConfig{Requester: r, Store: store, Hooks: a.hooks, BaseURL: "https://node.example", Version: "test",
		Portals: map[string]string{tokenDigest("token of one"): "one", tokenDigest("token of two"): "two"}, Now: func() time.Time { return a.now }}); err != nil {
		t.Fatal(err)
	}
	return a
}

// call is one call; into, where given, gets the answer's body.
func (a *nodeAPI) call(method, path, body string, want int, into any, header ...string) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	if w.Code != want {
		a.t.Fatalf("%s %s answers %d, want %d: %s", method, path, w.Code, want, w.Body)
	}
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			a.t.Fatal(err)
		}
	}
	return w
}

const wishForAlpha = `{"procedure":"T2","country":"FI","preview":%t,"explicit":%t,"languages":["en"],"person":{"familyName":"Alpha","givenName":"Demo",
	"dateOfBirth":"1999-04-17","levelOfAssurance":"Substantial","identifier":"FI/NL/DEMO-ALPHA-01"}}`

// A portal gets a document without a line of XML; another portal sees nothing of
// it; a repeated call sends nothing again.
func TestAPortalAsksOverTheAPI(t *testing.T) {
	w := newWorld(t, "FI", "NL")
	nl := w.Node("NL")
	a := newNodeAPI(t, nl.Requester, nl.Store, nil)
	var plan web.PlanOut
	a.call("POST", "/v1/plans", fmt.Sprintf(wishForAlpha, true, false), 200, &plan)
	if len(plan.Needs) != 1 || len(plan.Needs[0].Alternatives) != 1 || plan.Needs[0].Alternatives[0].Offers[0].Providers[0].Line != "oots-edm:v2.0" {
		t.Fatalf("the plan is %+v", plan)
	}
	start := func(explicit bool) string {
		return fmt.Sprintf(`{"plan":%q,"choices":[{"need":0,"alternative":0,"offer":0,"provider":0,"formats":["application/pdf"]}],"wish":%s}`,
			plan.Plan, fmt.Sprintf(wishForAlpha, true, explicit))
	}
	key := []string{"Idempotency-Key", "key-0001"}
	a.call("POST", "/v1/conversations", start(false), 422, nil, key...)
	a.call("POST", "/v1/conversations", start(true), 422, nil) // without a key
	a.call("POST", "/v1/conversations", strings.Replace(start(true), plan.Plan, "0000", 1), 409, nil, key...)
	var c, again web.ConversationOut
	a.call("POST", "/v1/conversations", start(true), 201, &c, key...)
	replayed := a.call("POST", "/v1/conversations", start(true), 201, &again, key...)
	if again.ID != c.ID || len(again.Exchanges) != 1 || replayed.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("repeated: %s with %d exchanges, want %s with one", again.ID, len(again.Exchanges), c.ID)
	}
	a.call("POST", "/v1/conversations", strings.Replace(start(true), "1999-04-17", "1999-04-18", 1), 422, nil, key...)

	id := c.Exchanges[0].ID
	if _, err := nl.Await(t.Context(), id, exchange.PreviewRequired); err != nil {
		t.Fatal(err)
	}
	a.token = "token of two"
	for _, path := range []string{"/v1/conversations/" + c.ID, "/v1/exchanges/" + id} {
		a.call("GET", path, "", 404, nil)
	}
	a.call("POST", "/v1/exchanges/"+id+"/redirect", "", 404, nil)
	for _, wrong := range []string{"", "token of nobody"} {
		a.token = wrong
		a.call("GET", "/v1/exchanges/"+id, "", 401, nil)
	}
	a.token = "token of one"
	var to web.RedirectOut
	a.call("POST", "/v1/exchanges/"+id+"/redirect", "", 200, &to)
	if !strings.HasPrefix(to.Location, "https://") || to.Method != "GET" {
		t.Errorf("the person goes to %+v", to)
	}
	if err := w.Preview(t.Context(), nl, id, network.Visitor(network.Natural("Alpha", "NL")), true); err != nil {
		t.Fatal(err)
	}
	if _, err := nl.Await(t.Context(), id, exchange.Delivered); err != nil {
		t.Fatal(err)
	}
	var x web.ExchangeOut
	a.call("GET", "/v1/exchanges/"+id, "", 200, &x)
	if len(x.Documents) != 1 {
		t.Fatalf("%d documents arrived: %+v", len(x.Documents), x)
	}
	d := x.Documents[0]
	got := a.call("GET", "/v1/exchanges/"+id+"/documents/"+d.ID, "", 200, nil)
	sum := sha256.Sum256(got.Body.Bytes())
	if !bytes.HasPrefix(got.Body.Bytes(), []byte("%PDF-")) || hex.EncodeToString(sum[:]) != d.SHA256 || got.Header().Get("Content-Type") != "application/pdf" {
		t.Errorf("the document is %.10q, %s", got.Body, got.Header())
	}
	a.call("DELETE", "/v1/exchanges/"+id+"/documents", "", 204, nil)
	a.call("GET", "/v1/exchanges/"+id+"/documents/"+d.ID, "", 409, nil)
}

// A change is told signed, until the portal takes it, and for two days at most.
func TestWebhooksAreSignedAndRetried(t *testing.T) {
	var bodies [][]byte
	status := 500
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		signature, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Webhook-Signature"), "v1a,"))
		public, _ := hookKey.Public().(ed25519.PublicKey)
		if !ed25519.Verify(public, []byte(r.Header.Get("Webhook-Id")+"."+r.Header.Get("Webhook-Timestamp")+"."+b.String()), signature) {
			t.Error("the signature does not verify")
		}
		bodies = append(bodies, b.Bytes())
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	a := newNodeAPI(t, twin{}, &exchange.Memory{}, receiver.Client())
	a.call("POST", "/v1/webhooks", `{"url":"http://portal.example/"}`, 422, nil)
	var hook web.HookOut
	a.call("POST", "/v1/webhooks", `{"url":"`+receiver.URL+`"}`, 201, &hook)
	var c web.ConversationOut
	a.call("POST", "/v1/conversations", fmt.Sprintf(`{"wish":%s}`, fmt.Sprintf(wishForAlpha, true, true)), 201, &c, "Idempotency-Key", "key-0001")
	changed := func() {
		t.Helper()
		if err := a.hooks.Changed(t.Context(), &exchange.Exchange{ID: "x", Conversation: c.ID, State: exchange.Failed, Problem: &exchange.Problem{Code: "T1"}}); err != nil {
			t.Fatal(err)
		}
	}
	step := func(want int) {
		t.Helper()
		got, err := a.hooks.Step(context.Background())
		if err != nil || got != want {
			t.Errorf("%d told (%v), want %d", got, err, want)
		}
	}
	changed()
	step(0) // the portal fails
	step(0) // not tried again at once
	if len(bodies) != 1 {
		t.Errorf("%d attempts, want 1", len(bodies))
	}
	status, a.now = 204, a.now.Add(time.Minute)
	step(1)
	step(0)
	var e web.HookEvent
	if err := json.Unmarshal(bodies[len(bodies)-1], &e); err != nil || e.State != "failed" || e.Problem.Code != "T1" || e.Conversation != c.ID {
		t.Errorf("told %+v (%v)", e, err)
	}
	if strings.Contains(string(bodies[0]), "Alpha") {
		t.Error("the event names a person")
	}
	status = 500
	changed()
	for range 100 {
		a.now = a.now.Add(time.Hour)
		step(0)
	}
	before := len(bodies)
	a.now, status = a.now.Add(time.Hour), 204
	step(0)
	if len(bodies) != before {
		t.Error("told after two days")
	}
	a.token = "token of two"
	a.call("DELETE", "/v1/webhooks/"+hook.ID, "", 404, nil)
	a.token = "token of one"
	a.call("DELETE", "/v1/webhooks/"+hook.ID, "", 204, nil)
	changed()
	step(0)
}

// Hooks never reach addresses inside.
func TestWebhooksReachPublicAddressesAlone(t *testing.T) {
	called := false
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer inside.Close()
	a := newNodeAPI(t, twin{}, &exchange.Memory{}, nil)
	a.call("POST", "/v1/webhooks", `{"url":"`+inside.URL+`"}`, 201, nil)
	var c web.ConversationOut
	a.call("POST", "/v1/conversations", fmt.Sprintf(`{"wish":%s}`, fmt.Sprintf(wishForAlpha, true, true)), 201, &c, "Idempotency-Key", "key-0001")
	if err := a.hooks.Changed(t.Context(), &exchange.Exchange{ID: "x", Conversation: c.ID}); err != nil {
		t.Fatal(err)
	}
	if n, err := a.hooks.Step(t.Context()); n != 0 || err != nil || called {
		t.Errorf("%d told, %v, called %t", n, err, called)
	}
}

// twin stands for a requester where only the API is looked at.
type twin struct{ web.Requester }

func (twin) Plan(_ context.Context, w exchange.Wish) (*exchange.Plan, error) {
	return &exchange.Plan{Wish: w}, nil
}

func (twin) Request(_ context.Context, id string, _ *exchange.Plan, _ []exchange.Choice) (*exchange.Conversation, error) {
	return &exchange.Conversation{ID: id}, nil
}

func (twin) Conversation(_ context.Context, id string) (*exchange.Conversation, error) {
	return &exchange.Conversation{ID: id}, nil
}

func (twin) Exchange(context.Context, string) (*exchange.Exchange, error) {
	return nil, errors.New("the name Alpha and more that nobody should read")
}

// What goes wrong inside is told by a reference alone.
func TestTheAPIKeepsCausesToItself(t *testing.T) {
	a := newNodeAPI(t, twin{}, &exchange.Memory{}, nil)
	w := a.call("GET", "/v1/exchanges/00000000-0000-4000-8000-000000000000", "", 500, nil)
	if strings.Contains(w.Body.String(), "Alpha") || !strings.Contains(w.Body.String(), "reference") {
		t.Errorf("the answer is %s", w.Body)
	}
	for _, bad := range []string{`{`, `{"procedure":"T2"}`, `{"procedure":"T2","country":"greece","preview":true,"explicit":true}`, `[]`} {
		if got := a.call("POST", "/v1/plans", bad, 422+btoi(bad == `{`)*(400-422), nil); !strings.Contains(got.Header().Get("Content-Type"), "problem+json") {
			t.Errorf("%s is refused as %s", bad, got.Header().Get("Content-Type"))
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// clientOfPortals uses the generated client as a portal's programmer would.
const clientOfPortals = `package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
)

func main() {
	c, err := NewClientWithResponses(os.Args[1], WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer token of one")
		return nil
	}))
	if err != nil {
		panic(err)
	}
	k, err := c.GetWebhookKeyWithResponse(context.Background())
	if err != nil || k.JSON200 == nil {
		panic(fmt.Sprint(err, k))
	}
	p, err := c.PlanWithResponse(context.Background(), WishIn{Procedure: "T2", Country: "FI", Preview: true})
	if err != nil || p.JSON200 == nil {
		panic(fmt.Sprint(err, p))
	}
	s, err := c.StartWithResponse(context.Background(), &StartParams{IdempotencyKey: "key-from-client"}, StartIn{Wish: WishIn{Procedure: "T2", Country: "FI", Preview: true, Explicit: true}})
	if err != nil || s.JSON201 == nil {
		panic(fmt.Sprint(err, s))
	}
	fmt.Println(k.JSON200.Algorithm, len(p.JSON200.Plan), len(s.JSON201.Id.String()))
}
`

// A client is generated from the document, built, and asks.
func TestAGeneratedClientUnderstandsTheNode(t *testing.T) {
	a := newNodeAPI(t, twin{}, &exchange.Memory{}, nil)
	a.token = ""
	for path, version := range map[string]string{"/openapi.json": `"openapi":"3.1.0"`, "/openapi-3.0.json": `"openapi":"3.0.3"`} {
		if got := a.call("GET", path, "", 200, nil).Body.String(); !strings.Contains(got, version) {
			t.Errorf("%s is no %s: %.80s", path, version, got)
		}
	}
	if os.Getenv("OOTS_TEST_CLIENT") != "1" && os.Getenv("OOTS_TEST_ALL") != "1" {
		t.Skip("building the generator takes a minute; OOTS_TEST_CLIENT=1 runs this test")
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"openapi.json": a.call("GET", "/openapi-3.0.json", "", 200, nil).Body.Bytes(), "main.go": []byte(clientOfPortals)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(in, name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = in
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		if err := c.Run(); err != nil {
			t.Fatalf("%s %v: %v\n%s%s", name, args, err, out.Bytes(), errs.Bytes())
		}
		return out.String()
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	run(root, "go", "tool", "-modfile=tools/go.mod", "oapi-codegen", "-generate", "types,client", "-package", "main",
		"-o", filepath.Join(dir, "client.go"), filepath.Join(dir, "openapi.json"))
	run(dir, "go", "mod", "init", "client.example")
	run(dir, "go", "get", "github.com/oapi-codegen/runtime@v1.8.0")
	run(dir, "go", "build", "-mod=mod", "-o", "client", ".")
	server := httptest.NewServer(a.h)
	defer server.Close()
	if got, want := run(dir, filepath.Join(dir, "client"), server.URL), "Ed25519 64 36\n"; got != want {
		t.Errorf("the client says %q, want %q", got, want)
	}
}
