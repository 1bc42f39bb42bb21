package web

import (
	"strings"
	"testing"
)

// TestAPageWaitsForTheNextSnapshot: only where the site is told to, and only a
// page of the present.
func TestAPageWaitsForTheNextSnapshot(t *testing.T) {
	for _, c := range []struct {
		follow bool
		path   string
		waits  bool
	}{{true, "/en/", true}, {true, "/en/?at=2025-Q1", false}, {true, "/en/countries/fi", true}, {false, "/en/", false}, {true, "/en/nothing", false}} {
		_, page := get(t, newSite(t, func(s *Config) { s.Follow = c.follow }), c.path)
		if !strings.Contains(page, "</html>") {
			t.Errorf("follow %v, %s is not whole", c.follow, c.path)
		}
		if got := strings.Contains(page, "data-newest="); got != c.waits {
			t.Errorf("follow %v, %s: waits %v", c.follow, c.path, got)
		}
	}
}
