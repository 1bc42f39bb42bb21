package store_test

import (
	"testing"

	"github.com/once-only/oots/store/storetest"
	"github.com/once-only/oots/webhook"
	"github.com/once-only/oots/webhook/webhooktest"
)

func TestWebhooks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		webhooktest.Run(t, func(t *testing.T) webhook.Store { return storetest.Open(t, data(t)).Webhooks() })
	})
}
