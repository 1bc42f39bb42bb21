package ledger_test

import (
	"testing"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
)

func TestMemory(t *testing.T) {
	ledgertest.Run(t, func(*testing.T) ledger.Store { return new(ledger.Memory) })
}
