package commonservices_test

import (
	"strings"
	"testing"

	"github.com/once-only/oots/browsertest"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
)

// TestRepositoryIsAccessible opens the pages of the Semantic Repository in light
// and dark, wide and narrow: axe finds nothing, and nothing scrolls sideways.
func TestRepositoryIsAccessible(t *testing.T) {
	c := browsertest.NewCritic(t)
	d := newDirectory(t, seed.DataSet())
	classification, _ := seed.EvidenceType("FI", "sec-diploma")
	pages := []string{"/search", "/search?q=birth&type=Requirement", "/search?country=GR", "/codelists/DE/DemoRegistryTown", "/codelists/procedures", "/nothing"}
	for _, address := range []string{seed.Requirement("birth"), classification} {
		pages = append(pages, "/"+strings.TrimPrefix(address, cs.Repository))
	}
	for range c.Settings(1360, 820, 320) {
		for _, page := range pages {
			c.Visit(page, d.http.URL+page)
		}
	}
}
