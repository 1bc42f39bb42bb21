package store_test

import (
	"testing"

	"github.com/once-only/oots/store/storetest"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/testbedtest"
)

func TestTestbed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		testbedtest.Run(t, func(t *testing.T) testbed.Store { return storetest.Open(t, data(t)).Testbed() })
	})
}
