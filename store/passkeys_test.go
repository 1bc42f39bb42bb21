package store_test

import (
	"testing"

	"github.com/once-only/oots/access/passkey"
	"github.com/once-only/oots/access/passkey/passkeytest"
	"github.com/once-only/oots/store/storetest"
)

func TestPasskeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		passkeytest.Run(t, func(t *testing.T) passkey.Store { return storetest.Open(t, data(t)).Passkeys() })
	})
}
