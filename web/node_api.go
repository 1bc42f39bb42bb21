package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"golang.org/x/time/rate"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
)

// NodeAPIConfig of the API for national portals. Requester, Store, Portals and
// BaseURL are required.
type NodeAPIConfig struct {
	Requester Requester
	// Store is the node's: idempotency keys and owners of conversations are kept
	// in the transaction of the request itself.
	Store exchange.Store
	// Portals are who may call: the name of each by the SHA-256 of its bearer
	// token, hexadecimal. A portal sees its own conversations alone.
	Portals map[string]string
	Hooks   *NodeHooks // nil: nobody is told of changes
	BaseURL string     // public address without a final slash
	Version string     // of the program, for the OpenAPI document
	Now     func() time.Time
	NewID   func() string // optional; random UUIDs
	Log     *slog.Logger
}

// Kinds of the rows that the API keeps. Their bodies hold identifiers, digests
// and addresses of portals: nothing about a person.
const (
	idempotencyKind = "api_key"
	ownerKind       = "api_conversation"
)

type nodeAPI struct {
	NodeAPIConfig
	mu       sync.Mutex
	limiters map[string]*rate.Limiter
}

type portalKey struct{}

// NewNodeAPI makes the handler of /v1/…, /openapi.json (3.1) and
// /openapi-3.0.json: everything that a national portal needs, so that it never
// touches XML.
func NewNodeAPI(c NodeAPIConfig) (http.Handler, error) {
	if c.Requester == nil || c.Store == nil || c.BaseURL == "" {
		return nil, errors.New("web: the API for portals needs Requester, Store and BaseURL")
	}
	if len(c.Portals) == 0 {
		return nil, errors.New("web: the API for portals knows no portal: configure the SHA-256 of at least one bearer token")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = as4.NewUUID
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &nodeAPI{NodeAPIConfig: c, limiters: map[string]*rate.Limiter{}}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("OOTS node for portals", c.Version)
	config.DocsPath, config.CreateHooks = "", nil // no page from elsewhere, no links to schemas
	config.Info.Description = "Evidence from other countries for an online procedure (SDGR Art. 14): say what is wished, get a plan from the directories, " +
		"start, send the person to the preview, collect the documents. Changes are told by signed webhooks."
	config.Servers = []*huma.Server{{URL: c.BaseURL}}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"portal": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"portal": {}}}
	h := humago.New(mux, config)
	h.UseMiddleware(a.admit(h))
	a.plans(h)
	a.exchanges(h)
	a.webhooks(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	}), nil
}

// admit lets known portals in, each at most fifty times a second.
func (a *nodeAPI) admit(h huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		token, _ := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(token))
		portal, ok := a.Portals[hex.EncodeToString(sum[:])] // a digest is compared: its time tells nothing
		if !ok || token == "" {
			ctx.SetHeader("WWW-Authenticate", "Bearer")
			_ = huma.WriteErr(h, ctx, http.StatusUnauthorized, "no portal has this token; send Authorization: Bearer and the token that the operator of the node gave you")
			return
		}
		if !a.limiter(portal).AllowN(a.Now(), 1) {
			ctx.SetHeader("Retry-After", "1")
			_ = huma.WriteErr(h, ctx, http.StatusTooManyRequests, "more than 50 calls a second; wait a second and go on")
			return
		}
		next(huma.WithValue(ctx, portalKey{}, portal))
	}
}

func (a *nodeAPI) limiter(portal string) *rate.Limiter {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limiters[portal] == nil {
		a.limiters[portal] = rate.NewLimiter(50, 200)
	}
	return a.limiters[portal]
}

func callingPortal(ctx context.Context) string {
	name, _ := ctx.Value(portalKey{}).(string)
	return name
}

// refusals are the HTTP statuses of the exchange's reasons.
var refusals = map[exchange.Reason]int{
	exchange.NotFound: http.StatusNotFound, exchange.WrongState: http.StatusConflict, exchange.BadWish: http.StatusUnprocessableEntity,
	exchange.Unavailable: http.StatusServiceUnavailable, exchange.NotThisPerson: http.StatusForbidden,
}

// fail turns an error into the problem document that goes out.
func (a *nodeAPI) fail(err error) error {
	var own huma.StatusError
	if errors.As(err, &own) {
		return own
	}
	var e *exchange.Error
	if errors.As(err, &e) && refusals[e.Reason] != 0 {
		if e.Reason == exchange.NotFound {
			return unknownHere()
		}
		return huma.NewError(refusals[e.Reason], e.Error())
	}
	ref := a.NewID()
	a.Log.Error("call failed", "reference", ref, "error", err)
	return huma.Error500InternalServerError("something went wrong on our side; tell the operator the reference " + ref)
}

// unknownHere is also said of what belongs to another portal.
func unknownHere() error {
	return huma.Error404NotFound("there is nothing with this id, or it belongs to another portal")
}

// owned gives a conversation of the calling portal.
func (a *nodeAPI) owned(ctx context.Context, conversation string) error {
	row, err := a.Store.Get(ctx, ownerKind, conversation)
	switch {
	case errors.Is(err, exchange.ErrUnknown), err == nil && row.State != callingPortal(ctx):
		return unknownHere()
	}
	return err
}

// mine gives an exchange of the calling portal.
func (a *nodeAPI) mine(ctx context.Context, id string) (*exchange.Exchange, error) {
	x, err := a.Requester.Exchange(ctx, id)
	if err == nil {
		err = a.owned(ctx, x.Conversation)
	}
	return x, err
}

// plans registers planning and starting.
func (a *nodeAPI) plans(h huma.API) {
	huma.Register(h, huma.Operation{OperationID: "plan", Method: http.MethodPost, Path: "/v1/plans", Summary: "What a wish takes",
		Description: "Asks the Evidence Broker and the Data Service Directory. Nothing is sent to an evidence provider. While questions are open, put them to the person and plan again with the answers.",
		Tags:        []string{"ask"}},
		func(ctx context.Context, in *struct{ Body WishIn }) (*struct{ Body PlanOut }, error) {
			p, err := a.Requester.Plan(ctx, in.Body.wish())
			if err != nil {
				return nil, a.fail(err)
			}
			return &struct{ Body PlanOut }{planOut(p)}, nil
		})
	huma.Register(h, huma.Operation{OperationID: "start", Method: http.MethodPost, Path: "/v1/conversations", Summary: "Ask for evidence",
		Description:   "Sends one request for each choice, all or none, in one conversation. The same Idempotency-Key with the same body gives the same conversation and sends nothing again.",
		DefaultStatus: http.StatusCreated, Tags: []string{"ask"}}, a.start)
	huma.Register(h, huma.Operation{OperationID: "get-conversation", Method: http.MethodGet, Path: "/v1/conversations/{id}", Summary: "How a conversation stands", Tags: []string{"follow"}},
		func(ctx context.Context, in *struct {
			ID string `path:"id" format:"uuid"`
		}) (*conversationAnswer, error) {
			if err := a.owned(ctx, in.ID); err != nil {
				return nil, a.fail(err)
			}
			return a.conversation(ctx, in.ID)
		})
}

type conversationAnswer struct {
	Replayed bool `header:"Idempotency-Replayed" doc:"true when the key was used before"`
	Body     ConversationOut
}

func (a *nodeAPI) conversation(ctx context.Context, id string) (*conversationAnswer, error) {
	c, err := a.Requester.Conversation(ctx, id)
	if err != nil {
		return nil, a.fail(err)
	}
	return &conversationAnswer{Body: conversationOut(c)}, nil
}

// usedKey is what is kept of an idempotency key.
type usedKey struct {
	Digest       string `json:"digest"` // of the body that came with it
	Conversation string `json:"conversation"`
}

type startRequest struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"100" doc:"chosen by the portal, new for each request"`
	Body StartIn
}

// start keeps the key, the owner and the requests in one transaction.
func (a *nodeAPI) start(ctx context.Context, in *startRequest) (*conversationAnswer, error) {
	portal := callingPortal(ctx)
	raw, err := json.Marshal(in.Body)
	if err != nil {
		return nil, a.fail(err)
	}
	body, id := digestOf(raw), digestOf([]byte(portal+"\x00"+in.Key))
	if c, err := a.replay(ctx, id, body); c != nil || err != nil {
		return c, err
	}
	if in.Body.Conversation != "" {
		if err := a.owned(ctx, in.Body.Conversation); err != nil {
			return nil, a.fail(err)
		}
	}
	if !in.Body.Wish.Explicit {
		return nil, huma.Error422UnprocessableEntity("explicit is false: nothing is asked without the person's explicit request (SDGR Art. 14(4)); put the question and say explicit: true")
	}
	p, err := a.Requester.Plan(ctx, in.Body.Wish.wish())
	if err != nil {
		return nil, a.fail(err)
	}
	if now := planDigest(p); in.Body.Plan != "" && in.Body.Plan != now {
		return nil, huma.Error409Conflict("the directories say something else now than in the plan " + in.Body.Plan + "; plan again and choose again")
	}
	choices := make([]exchange.Choice, 0, len(in.Body.Choices))
	for _, c := range in.Body.Choices {
		choices = append(choices, exchange.Choice(c))
	}
	if len(choices) == 0 {
		choices = p.First()
	}
	conversation := in.Body.Conversation
	if conversation == "" {
		conversation = a.NewID()
	}
	now := a.Now().UTC()
	err = a.Store.Atomically(ctx, func(ctx context.Context) error {
		kept, err := json.Marshal(usedKey{body, conversation})
		if err != nil {
			return err
		}
		if err := a.Store.Create(ctx, exchange.Row{Kind: idempotencyKind, ID: id, State: "used", MadeAt: now, Body: kept}); err != nil {
			return err
		}
		if in.Body.Conversation == "" {
			if err := a.Store.Create(ctx, exchange.Row{Kind: ownerKind, ID: conversation, State: portal, MadeAt: now}); err != nil {
				return err
			}
		}
		_, err = a.Requester.Request(ctx, conversation, p, choices)
		return err
	})
	if errors.Is(err, exchange.ErrKnown) { // the same call, at the same time
		if c, err := a.replay(ctx, id, body); c != nil || err != nil {
			return c, err
		}
	}
	if err != nil {
		return nil, a.fail(err)
	}
	return a.conversation(ctx, conversation)
}

// replay answers a key that was used before; nil when it was not.
func (a *nodeAPI) replay(ctx context.Context, id, body string) (*conversationAnswer, error) {
	row, err := a.Store.Get(ctx, idempotencyKind, id)
	if errors.Is(err, exchange.ErrUnknown) {
		return nil, nil
	}
	var used usedKey
	if err == nil {
		err = json.Unmarshal(row.Body, &used)
	}
	if err != nil {
		return nil, a.fail(err)
	}
	if used.Digest != body {
		return nil, huma.Error422UnprocessableEntity("this Idempotency-Key was used with another body; choose a new key for a new request")
	}
	c, err := a.conversation(ctx, used.Conversation)
	if c != nil {
		c.Replayed = true
	}
	return c, err
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

type oneExchange struct {
	ID string `path:"id" format:"uuid"`
}

// exchanges registers following, previewing and collecting.
func (a *nodeAPI) exchanges(h huma.API) {
	huma.Register(h, huma.Operation{OperationID: "get-exchange", Method: http.MethodGet, Path: "/v1/exchanges/{id}", Summary: "How an exchange stands", Tags: []string{"follow"}},
		func(ctx context.Context, in *oneExchange) (*struct{ Body ExchangeOut }, error) {
			x, err := a.mine(ctx, in.ID)
			if err != nil {
				return nil, a.fail(err)
			}
			return &struct{ Body ExchangeOut }{exchangeOut(x)}, nil
		})
	huma.Register(h, huma.Operation{OperationID: "redirect", Method: http.MethodPost, Path: "/v1/exchanges/{id}/redirect", Summary: "Send the person to the preview",
		Description: "For an exchange in the state preview_required. Sends the second request and tells where the browser goes now; called again it tells the same.", Tags: []string{"preview"}},
		func(ctx context.Context, in *oneExchange) (*struct{ Body RedirectOut }, error) {
			if _, err := a.mine(ctx, in.ID); err != nil {
				return nil, a.fail(err)
			}
			to, err := a.Requester.Redirect(ctx, in.ID)
			if err != nil {
				return nil, a.fail(err)
			}
			return &struct{ Body RedirectOut }{RedirectOut(*to)}, nil
		})
	huma.Register(h, huma.Operation{OperationID: "returned", Method: http.MethodPost, Path: "/v1/returns/{token}", Summary: "The person came back",
		Description: "For the token at the end of the return address. It is good once. The answer may still be on its way: see the exchange's state.", Tags: []string{"preview"}},
		func(ctx context.Context, in *struct {
			Token string `path:"token" maxLength:"200"`
		}) (*struct{ Body ExchangeOut }, error) {
			x, err := a.Requester.Returned(ctx, in.Token)
			if err == nil {
				err = a.owned(ctx, x.Conversation)
			}
			if err != nil {
				return nil, a.fail(err)
			}
			return &struct{ Body ExchangeOut }{exchangeOut(x)}, nil
		})
	huma.Register(h, huma.Operation{OperationID: "give-up", Method: http.MethodPost, Path: "/v1/exchanges/{id}/give-up", Summary: "The person does without", Tags: []string{"follow"}},
		func(ctx context.Context, in *oneExchange) (*struct{ Body ExchangeOut }, error) {
			x, err := a.mine(ctx, in.ID)
			if err == nil {
				x, err = a.Requester.GiveUp(ctx, in.ID)
			}
			if err != nil {
				return nil, a.fail(err)
			}
			return &struct{ Body ExchangeOut }{exchangeOut(x)}, nil
		})
	huma.Register(h, huma.Operation{OperationID: "get-document", Method: http.MethodGet, Path: "/v1/exchanges/{id}/documents/{document}", Summary: "The octets of a document",
		Description: "As the provider sent them and as the person saw them. Compare Digest with what you read.", Tags: []string{"collect"},
		Responses: map[string]*huma.Response{"200": {Description: "The document in its own format", Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}},
		func(ctx context.Context, in *struct {
			ID       string `path:"id" format:"uuid"`
			Document string `path:"document" format:"uuid"`
		}) (*documentAnswer, error) {
			if _, err := a.mine(ctx, in.ID); err != nil {
				return nil, a.fail(err)
			}
			all, err := a.Requester.Collect(ctx, in.ID)
			if err != nil {
				return nil, a.fail(err)
			}
			for _, c := range all {
				if c.ID == in.Document {
					return &documentAnswer{c.MediaType, "sha-256=" + c.SHA256, `attachment; filename="` + fileName(&c.Document) + `"`, c.Data}, nil
				}
			}
			return nil, unknownHere()
		})
	huma.Register(h, huma.Operation{OperationID: "erase-documents", Method: http.MethodDelete, Path: "/v1/exchanges/{id}/documents", Summary: "Erase what was collected",
		Description: "Call it once the portal holds the documents; it is also done by itself after a day.", DefaultStatus: http.StatusNoContent, Tags: []string{"collect"}},
		func(ctx context.Context, in *oneExchange) (*struct{}, error) {
			_, err := a.mine(ctx, in.ID)
			if err == nil {
				err = a.Requester.Erase(ctx, in.ID)
			}
			if err != nil {
				return nil, a.fail(err)
			}
			return nil, nil
		})
}

type documentAnswer struct {
	Type        string `header:"Content-Type"`
	Digest      string `header:"Digest" doc:"sha-256= and the digest, hexadecimal"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// planDigest names what the directories said for a wish, whether or not the
// person has asked explicitly since.
func planDigest(p *exchange.Plan) string {
	plain := *p
	plain.Wish.Explicit = false
	raw, err := json.Marshal(plain)
	if err != nil {
		return fmt.Sprintf("unreadable: %T", err)
	}
	return digestOf(raw)
}
