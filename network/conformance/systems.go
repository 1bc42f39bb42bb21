package conformance

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
)

// Systems are the nodes of a network as the test platform finds them: it is the
// testbed.Systems of a demonstration. Each run gets a node of its own, alone with
// the platform, in the state in which the country's nodes are then.
type Systems struct {
	// State is what is different about a country's node now, and its version,
	// which counts the changes made to it.
	State     func(country string) (network.Member, string)
	Countries []string
	Catalogue *testbed.Catalogue
	Judge     *validator.Validator

	once sync.Once
	keys *partner.Keys // of the platform
	err  error
}

// Systems is testbed.Systems.
func (s *Systems) Systems(context.Context) (all []testbed.System, err error) {
	for _, cc := range s.Countries {
		m, version := s.State(cc)
		all = append(all, testbed.System{Name: Name(cc), Country: cc, Components: m.Components(), Lines: linesOf(cc, m), Version: version,
			Mode: "automated", Environment: ledger.Testing, Sample: true})
	}
	return all, nil
}

func linesOf(country string, m network.Member) (all []string) {
	for _, l := range m.Speaks(country) {
		all = append(all, string(l))
	}
	return all
}

// Open is testbed.Systems.
func (s *Systems) Open(ctx context.Context, system, line string) (*testbed.Runner, error) {
	i := slices.IndexFunc(s.Countries, func(cc string) bool { return Name(cc) == system })
	if i < 0 {
		return nil, fmt.Errorf("there is no system %.80q", system)
	}
	s.once.Do(func() { s.keys, s.err = partner.NewKeys(nil, testbed.PlatformName) })
	if s.err != nil {
		return nil, s.err
	}
	m, version := s.State(s.Countries[i])
	return Open(ctx, Config{Country: s.Countries[i], Member: m, Catalogue: s.Catalogue, Keys: s.keys, Judge: s.Judge, Line: line, Version: version})
}
