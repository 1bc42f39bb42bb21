package exchange_test

import (
	"testing"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/exchange/exchangetest"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	exchangetest.Run(t, func(*testing.T) exchange.Store { return &exchange.Memory{} })
}
