package commonservices

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Store keeps data sets, one for each environment. What led from one revision
// to the next is the affair of package lcm.
type Store interface {
	// Load gives the newest revision of an environment's data set; ErrNoDataSet
	// when there is none. Nobody may change what it gives.
	Load(ctx context.Context, environment string) (*DataSet, error)
	// Save keeps a data set that follows the stored one by one revision; any
	// other revision is ErrConflict. The first one may have any.
	Save(ctx context.Context, d *DataSet) error
}

var (
	ErrNoDataSet = errors.New("there is no data set of this environment")
	ErrConflict  = errors.New("somebody else changed the data set; load it again")
)

// Memory is a Store that forgets when the process ends.
type Memory struct {
	mu   sync.Mutex
	sets map[string]*DataSet
}

// Load gives the stored value itself.
func (m *Memory) Load(_ context.Context, environment string) (*DataSet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.sets[environment]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("%s: %w", environment, ErrNoDataSet)
}

// Save keeps the value itself.
func (m *Memory) Save(_ context.Context, d *DataSet) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.sets[d.Environment]; old != nil && d.Revision != old.Revision+1 {
		return fmt.Errorf("%s, revision %d after %d: %w", d.Environment, d.Revision, old.Revision, ErrConflict)
	}
	if m.sets == nil {
		m.sets = map[string]*DataSet{}
	}
	m.sets[d.Environment] = d
	return nil
}
