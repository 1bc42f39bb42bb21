package web

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/webhook"
)

// NodeHooksConfig of the webhooks of a node. Store and Key are required.
type NodeHooksConfig struct {
	Store exchange.Store
	// Key signs what is sent. Portals read its public half at
	// /v1/webhooks/key; the node keeps no secret of theirs.
	Key ed25519.PrivateKey
	// Client sends; nil: one that reaches public addresses alone, follows no
	// redirect and waits ten seconds.
	Client *http.Client
	Now    func() time.Time
	NewID  func() string
	Log    *slog.Logger
}

// NodeHooks tells portals of every change of their exchanges: signed as Standard
// Webhooks sign with Ed25519 (v1a), at least once, in the order of the changes as
// long as nothing fails, for two days.
type NodeHooks struct {
	NodeHooksConfig
	wake chan struct{}
}

const (
	hookKind  = "hook"
	tellKind  = "hook_event"
	tellFor   = 48 * time.Hour
	mostHooks = 20 // of one portal
	waiting   = "waiting"
)

// NewNodeHooks checks the configuration. Give Changed to the Evidence Requester
// and let Run work.
func NewNodeHooks(c NodeHooksConfig) (*NodeHooks, error) {
	if c.Store == nil || len(c.Key) != ed25519.PrivateKeySize {
		return nil, errors.New("web: webhooks need Store and an Ed25519 Key")
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
	if c.Client == nil {
		c.Client = publicOnly()
	}
	return &NodeHooks{c, make(chan struct{}, 1)}, nil
}

// publicOnly refuses addresses inside: whoever registers a webhook must not
// reach what only this machine can.
func publicOnly() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !webhook.Public(at.Addr()) {
			return fmt.Errorf("webhook: %s is no public address", address)
		}
		return nil
	}}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConns: 20},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// hook is where a portal wants to be told.
type hook struct {
	ID     string    `json:"id"`
	URL    string    `json:"url"`
	Portal string    `json:"portal"`
	MadeAt time.Time `json:"madeAt"`
}

// told is an event on its way to one hook.
type told struct {
	Hook    string          `json:"hook"`
	Event   json.RawMessage `json:"event"`
	Born    time.Time       `json:"born"`
	Due     time.Time       `json:"due"`
	Attempt int             `json:"attempt"`
}

// HookEvent is the body of a webhook. It carries no personal data: ask for the
// exchange.
type HookEvent struct {
	Type         string      `json:"type" enum:"exchange.changed"`
	At           time.Time   `json:"at"`
	Conversation string      `json:"conversation"`
	Exchange     string      `json:"exchange"`
	State        string      `json:"state"`
	Problem      *ProblemOut `json:"problem,omitempty"`
}

// Changed queues what the owner of an exchange is to be told, in the transaction
// of the change (exchange.RequesterConfig.Changed).
func (h *NodeHooks) Changed(ctx context.Context, x *exchange.Exchange) error {
	owner, err := h.Store.Get(ctx, ownerKind, x.Conversation)
	if errors.Is(err, exchange.ErrUnknown) { // not asked over the API
		return nil
	} else if err != nil {
		return err
	}
	hooks, err := h.of(ctx, owner.State)
	if err != nil || len(hooks) == 0 {
		return err
	}
	now := h.Now().UTC()
	event, err := json.Marshal(HookEvent{"exchange.changed", now, x.Conversation, x.ID, string(x.State), problemOut(x.Problem)})
	if err != nil {
		return err
	}
	for _, to := range hooks {
		body, err := json.Marshal(told{Hook: to.ID, Event: event, Born: now, Due: now})
		if err != nil {
			return err
		}
		if err := h.Store.Create(ctx, exchange.Row{Kind: tellKind, ID: h.NewID(), State: waiting, MadeAt: now, Keys: []string{waiting}, Body: body}); err != nil {
			return err
		}
	}
	h.Wake()
	return nil
}

// of are the hooks of a portal.
func (h *NodeHooks) of(ctx context.Context, portal string) (all []hook, err error) {
	rows, err := h.Store.Find(ctx, hookKind, "portal:"+portal, mostHooks)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		var one hook
		if err := json.Unmarshal(r.Body, &one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// Wake lets Run look now.
func (h *NodeHooks) Wake() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run tells until ctx ends.
func (h *NodeHooks) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := h.Step(ctx); err != nil && ctx.Err() == nil {
			h.Log.Error("webhooks cannot be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-h.wake:
		}
	}
}

// Step tells what is due now and returns how many were told.
func (h *NodeHooks) Step(ctx context.Context) (done int, err error) {
	rows, err := h.Store.Find(ctx, tellKind, waiting, 500)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		var e told
		if err := json.Unmarshal(row.Body, &e); err != nil {
			return done, err
		}
		if e.Due.After(h.Now()) {
			continue
		}
		to, err := h.Store.Get(ctx, hookKind, e.Hook)
		if errors.Is(err, exchange.ErrUnknown) { // the portal no longer wants it
			if err := h.Store.Remove(ctx, tellKind, row.ID); err != nil {
				return done, err
			}
			continue
		} else if err != nil {
			return done, err
		}
		var at hook
		if err := json.Unmarshal(to.Body, &at); err != nil {
			return done, err
		}
		failed := h.send(ctx, at.URL, row.ID, e.Event)
		switch {
		case ctx.Err() != nil:
			return done, ctx.Err()
		case failed == nil:
			done++
			err = h.Store.Remove(ctx, tellKind, row.ID)
		case h.Now().Sub(e.Born) > tellFor:
			h.Log.Warn("webhook given up", "hook", at.ID, "error", failed)
			err = h.Store.Remove(ctx, tellKind, row.ID)
		default:
			h.Log.Info("webhook failed", "hook", at.ID, "attempt", e.Attempt, "error", failed)
			e.Due = h.Now().Add(min(5*time.Second<<min(e.Attempt, 10), time.Hour)).UTC()
			e.Attempt++
			if row.Body, err = json.Marshal(e); err == nil {
				err = h.Store.Update(ctx, row)
			}
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// send posts one event: webhook-id stays the same at every attempt, so that a
// portal can tell what it knows already.
func (h *NodeHooks) send(ctx context.Context, address, id string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(h.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", stamp)
	r.Header.Set("Webhook-Signature", "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(h.Key, signedHook(id, stamp, body))))
	a, err := h.Client.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	_, _ = io.CopyN(io.Discard, a.Body, 64<<10) // so that the connection can be used again
	if a.StatusCode < 200 || a.StatusCode > 299 {
		return fmt.Errorf("the portal answers %d", a.StatusCode)
	}
	return nil
}

func signedHook(id, stamp string, body []byte) []byte {
	return append([]byte(id+"."+stamp+"."), body...)
}

// HookIn is where a portal wants to be told.
type HookIn struct {
	URL string `json:"url" format:"uri" maxLength:"500" doc:"https address that answers with a status from 200 to 299"`
}

// HookOut is a webhook of the portal.
type HookOut struct {
	ID     string    `json:"id" format:"uuid"`
	URL    string    `json:"url"`
	MadeAt time.Time `json:"madeAt"`
}

// HookKeyOut is the key that webhooks are signed with.
type HookKeyOut struct {
	Algorithm string `json:"algorithm" enum:"Ed25519"`
	PublicKey string `json:"publicKey" doc:"32 octets in base64; the signature is over Webhook-Id, Webhook-Timestamp and body with full stops between them"`
}

// webhooks registers the webhooks of the calling portal.
func (a *nodeAPI) webhooks(h huma.API) {
	if a.Hooks == nil {
		return
	}
	store := a.Hooks.Store
	huma.Register(h, huma.Operation{OperationID: "create-webhook", Method: http.MethodPost, Path: "/v1/webhooks", Summary: "Be told of changes",
		Description:   "Every change of your exchanges is posted there as " + `{"type":"exchange.changed",…}` + ", signed, at least once, retried for two days.",
		DefaultStatus: http.StatusCreated, Tags: []string{"webhooks"}},
		func(ctx context.Context, in *struct{ Body HookIn }) (*struct{ Body HookOut }, error) {
			u, err := url.Parse(in.Body.URL)
			if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
				return nil, huma.Error422UnprocessableEntity("a webhook needs an https address without a password in it")
			}
			known, err := a.Hooks.of(ctx, callingPortal(ctx))
			if err != nil {
				return nil, a.fail(err)
			}
			if len(known) >= mostHooks {
				return nil, huma.Error409Conflict(fmt.Sprintf("a portal has at most %d webhooks; remove one first", mostHooks))
			}
			one := hook{a.NewID(), u.String(), callingPortal(ctx), a.Now().UTC()}
			body, err := json.Marshal(one)
			if err == nil {
				err = store.Create(ctx, exchange.Row{Kind: hookKind, ID: one.ID, State: "active", MadeAt: one.MadeAt, Keys: []string{"portal:" + one.Portal}, Body: body})
			}
			if err != nil {
				return nil, a.fail(err)
			}
			return &struct{ Body HookOut }{HookOut{one.ID, one.URL, one.MadeAt}}, nil
		})
	huma.Register(h, huma.Operation{OperationID: "list-webhooks", Method: http.MethodGet, Path: "/v1/webhooks", Summary: "Your webhooks", Tags: []string{"webhooks"}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body []HookOut }, error) {
			all, err := a.Hooks.of(ctx, callingPortal(ctx))
			if err != nil {
				return nil, a.fail(err)
			}
			out := &struct{ Body []HookOut }{[]HookOut{}}
			for _, one := range all {
				out.Body = append(out.Body, HookOut{one.ID, one.URL, one.MadeAt})
			}
			return out, nil
		})
	huma.Register(h, huma.Operation{OperationID: "delete-webhook", Method: http.MethodDelete, Path: "/v1/webhooks/{id}", Summary: "No longer be told",
		DefaultStatus: http.StatusNoContent, Tags: []string{"webhooks"}},
		func(ctx context.Context, in *oneExchange) (*struct{}, error) {
			all, err := a.Hooks.of(ctx, callingPortal(ctx))
			if err != nil {
				return nil, a.fail(err)
			}
			for _, one := range all {
				if one.ID == in.ID {
					if err := store.Remove(ctx, hookKind, one.ID); err != nil {
						return nil, a.fail(err)
					}
					return nil, nil
				}
			}
			return nil, unknownHere()
		})
	huma.Register(h, huma.Operation{OperationID: "get-webhook-key", Method: http.MethodGet, Path: "/v1/webhooks/key", Summary: "The key that signs", Tags: []string{"webhooks"}},
		func(context.Context, *struct{}) (*struct{ Body HookKeyOut }, error) {
			public, _ := a.Hooks.Key.Public().(ed25519.PublicKey)
			return &struct{ Body HookKeyOut }{HookKeyOut{"Ed25519", base64.StdEncoding.EncodeToString(public)}}, nil
		})
}
