package store_test

import (
	"testing"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/metertest"
	"github.com/once-only/oots/store/storetest"
)

func TestSnapshots(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		metertest.Run(t, func(t *testing.T) acceleratormeter.Store { return storetest.Open(t, data(t)).Snapshots() })
	})
}
