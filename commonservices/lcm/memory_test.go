package lcm_test

import (
	"testing"

	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/lcm/lcmtest"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	lcmtest.Run(t, func(*testing.T) lcm.Store { return &lcm.Memory{} })
}
