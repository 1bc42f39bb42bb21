package store_test

import (
	"testing"

	"github.com/once-only/oots/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
