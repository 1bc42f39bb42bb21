package web

import (
	"net/http/httptest"
	"testing"

	"github.com/once-only/oots/browsertest"
)

// TestFramesAreAccessible opens every frame and the API's page in both themes,
// from 320 to 1200 px: axe finds nothing, and nothing scrolls sideways.
func TestFramesAreAccessible(t *testing.T) {
	c := browsertest.NewCritic(t)
	server := httptest.NewServer(newSite(t))
	defer server.Close()
	for s := range c.Settings(1200, 800, 320) {
		for _, frame := range []string{"/embed/board?", "/embed/board?lang=el&", "/embed/country/el?lang=de&", "/embed/country/no?", "/embed/matrix?lang=fr&", "/docs?"} {
			c.Visit(frame, server.URL+frame+"theme="+s.Scheme)
		}
	}
}
