package store_test

import (
	"testing"

	"github.com/once-only/oots/correction"
	"github.com/once-only/oots/correction/correctiontest"
	"github.com/once-only/oots/store/storetest"
)

func TestCorrectionsKeepThePromises(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		correctiontest.Run(t, func(t *testing.T) correction.Store { return storetest.Open(t, data(t)).Corrections() })
	})
}
