package testbed_test

import (
	"testing"

	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/testbedtest"
)

func TestMemory(t *testing.T) {
	testbedtest.Run(t, func(*testing.T) testbed.Store { return &testbed.Memory{} })
}
