package store_test

import (
	"testing"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
	"github.com/once-only/oots/store/storetest"
)

func TestLedger(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		ledgertest.Run(t, func(t *testing.T) ledger.Store { return storetest.Open(t, data(t)).Ledger() })
	})
}
