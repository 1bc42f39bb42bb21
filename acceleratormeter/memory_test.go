package acceleratormeter_test

import (
	"testing"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/metertest"
)

func TestMemory(t *testing.T) {
	metertest.Run(t, func(*testing.T) acceleratormeter.Store { return &acceleratormeter.Memory{} })
}
