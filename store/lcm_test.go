package store_test

import (
	"testing"

	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/lcm/lcmtest"
	"github.com/once-only/oots/store/storetest"
)

func TestLCMKeepsThePromises(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		lcmtest.Run(t, func(t *testing.T) lcm.Store { return storetest.Open(t, data(t)).LCM() })
	})
}
