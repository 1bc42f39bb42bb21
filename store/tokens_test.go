package store_test

import (
	"testing"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/access/accesstest"
	"github.com/once-only/oots/store/storetest"
)

func TestTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		accesstest.Run(t, func(t *testing.T) access.Store { return storetest.Open(t, data(t)).Tokens() })
	})
}
