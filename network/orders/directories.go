package orders

import (
	"context"
	"sync"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/sdg"
)

// Directories are what a node under test asks: a client whose memory can be
// emptied, for each case begins with directories that are as they should be.
type Directories struct {
	make func() (*cs.Client, error)
	mu   sync.Mutex
	now  *cs.Client
}

// NewDirectories keeps how a client is made, and makes the first.
func NewDirectories(client func() (*cs.Client, error)) (*Directories, error) {
	d := &Directories{make: client}
	return d, d.Forget()
}

// Forget drops everything that directories said, and where they were found.
func (d *Directories) Forget() error {
	c, err := d.make()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = c
	return nil
}

func (d *Directories) client() *cs.Client {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// Requirements, EvidenceTypes and DataServices are exchange.Directory.
func (d *Directories) Requirements(ctx context.Context, procedure, country string) ([]sdg.Requirement, error) {
	return d.directory().Requirements(ctx, procedure, country)
}

func (d *Directories) EvidenceTypes(ctx context.Context, requirement, country string) ([]sdg.EvidenceTypeList, error) {
	return d.directory().EvidenceTypes(ctx, requirement, country)
}

func (d *Directories) DataServices(ctx context.Context, classification, country string, answers []sdg.ClassificationConcept) ([]sdg.DataServiceEvidenceType, error) {
	return d.directory().DataServices(ctx, classification, country, answers)
}

func (d *Directories) directory() exchange.Directory { return network.Directory(d.client()) }
