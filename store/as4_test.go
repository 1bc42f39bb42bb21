package store_test

import (
	"testing"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/as4test"
	"github.com/once-only/oots/store/storetest"
)

func TestAS4KeepsThePromises(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		as4test.Run(t, func(t *testing.T) as4.Store { return storetest.Open(t, data(t)).AS4() })
	})
}
