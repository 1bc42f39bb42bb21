package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/webhook"
)

// WebhookView is an address that is told of publications.
type WebhookView struct {
	ID        string    `json:"id"`
	Owner     string    `json:"owner"`
	URL       string    `json:"url"`
	CreatedAt time.Time `json:"created_at"`
	Told      int       `json:"told" doc:"number of the last snapshot that is settled"`
	LastError string    `json:"last_error,omitempty"`
	Secret    string    `json:"secret,omitempty" doc:"key of the signature; shown when the webhook is made, and never again"`
}

// WebhookList names the generic list for the OpenAPI document.
type WebhookList = ListView[WebhookView]

func viewOf(h webhook.Hook) WebhookView {
	return WebhookView{ID: h.ID, Owner: h.Owner, URL: h.URL, CreatedAt: h.CreatedAt, Told: h.Told, LastError: h.LastError}
}

// webhooks registers who is told of a publication. Everybody manages their own.
func (a *api) webhooks(h huma.API) {
	if a.Webhooks == nil {
		return
	}
	op := protected("POST", "/webhooks", "addWebhook", "Be told of every publication", "Publication", access.ManageWebhooks)
	op.Description += " Each snapshot is told at least once, in order, as a POST with the headers webhook-id, webhook-timestamp and webhook-signature: " +
		"\"v1,\" and the base64 of an HMAC-SHA-256 over id, timestamp and body with full stops between, under the key behind \"whsec_\". Any 2xx is a yes; otherwise it is tried again for two days."
	op.DefaultStatus = http.StatusCreated
	huma.Register(h, op, func(ctx context.Context, in *struct {
		Bearer
		Body struct {
			URL string `json:"url" maxLength:"1000" doc:"a public https address"`
		}
	}) (*created[WebhookView], error) {
		t, err := a.who(ctx, in.Authorization, access.ManageWebhooks)
		if err != nil {
			return nil, a.fail(err)
		}
		all, err := a.published(ctx)
		if err != nil {
			return nil, a.fail(err)
		}
		latest := 0
		if len(all) > 0 {
			latest = all[len(all)-1].Sequence
		}
		hook, err := webhook.New(in.Body.URL, t.Owner, a.Now(), latest)
		if err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "bad-webhook", "%v", err)
		}
		if err := a.note(ctx, t, "addWebhook", hook.ID); err != nil {
			return nil, err
		}
		if err := a.Webhooks.AddHook(ctx, hook); err != nil {
			return nil, a.fail(err)
		}
		v := viewOf(hook)
		v.Secret = hook.Secret
		return &created[WebhookView]{http.StatusCreated, v}, nil
	})
	huma.Register(h, protected("GET", "/webhooks", "listWebhooks", "Your webhooks", "Publication", access.ManageWebhooks),
		func(ctx context.Context, in *Bearer) (*output[WebhookList], error) {
			t, err := a.who(ctx, in.Authorization, access.ManageWebhooks)
			if err != nil {
				return nil, a.fail(err)
			}
			hooks, err := a.Webhooks.Hooks(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			var own []WebhookView
			for _, hook := range hooks {
				if hook.Owner == t.Owner {
					own = append(own, viewOf(hook))
				}
			}
			out := listed(own)
			out.CacheControl = "private, no-store"
			return out, nil
		})
	op = protected("DELETE", "/webhooks/{id}", "removeWebhook", "Be told no more", "Publication", access.ManageWebhooks)
	op.DefaultStatus = http.StatusNoContent
	huma.Register(h, op, func(ctx context.Context, in *struct {
		Bearer
		ID string `path:"id" maxLength:"40" doc:"id of the webhook"`
	}) (*struct{}, error) {
		t, err := a.who(ctx, in.Authorization, access.ManageWebhooks)
		if err != nil {
			return nil, a.fail(err)
		}
		hooks, err := a.Webhooks.Hooks(ctx)
		if err != nil {
			return nil, a.fail(err)
		}
		for _, hook := range hooks {
			if hook.ID == in.ID && hook.Owner == t.Owner {
				if err := a.note(ctx, t, "removeWebhook", hook.ID); err != nil {
					return nil, err
				}
				if err := a.Webhooks.RemoveHook(ctx, hook.ID); err != nil && !errors.Is(err, webhook.ErrUnknown) {
					return nil, a.fail(err)
				}
				return nil, nil
			}
		}
		return nil, problem(http.StatusNotFound, "unknown-webhook", "you have no webhook %q; GET /api/v1/webhooks lists yours", in.ID)
	})
}
