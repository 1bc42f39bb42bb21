package store_test

import (
	"testing"

	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/projectathon/projectathontest"
	"github.com/once-only/oots/store/storetest"
)

func TestProjectathon(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		projectathontest.Run(t, func(t *testing.T) projectathon.Store { return storetest.Open(t, data(t)).Projectathon() })
	})
}
