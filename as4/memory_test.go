package as4_test

import (
	"testing"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/as4test"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	as4test.Run(t, func(*testing.T) as4.Store { return &as4.Memory{} })
}
