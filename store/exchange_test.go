package store_test

import (
	"testing"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/exchange/exchangetest"
	"github.com/once-only/oots/store/storetest"
)

func TestExchangeKeepsThePromises(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		exchangetest.Run(t, func(t *testing.T) exchange.Store { return storetest.Open(t, data(t)).Exchange() })
	})
}
