package store_test

import (
	"os"
	"testing"

	"github.com/once-only/oots/store/storetest"
)

func TestMain(m *testing.M) {
	if os.Getenv(victimEnv) != "" {
		os.Exit(victim())
	}
	storetest.Main(m)
}
