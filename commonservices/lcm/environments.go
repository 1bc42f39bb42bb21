package lcm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	cs "github.com/once-only/oots/commonservices"
)

// Environment is one row: an instance of the Common Services and how it may be
// changed.
type Environment struct {
	Code  string
	Label string // of addresses on line 2.0
	Ways  []How  // nil for every way
	// Sandboxes: each country sees its own changes on top of the baseline, and
	// nobody else does.
	Sandboxes bool
	// Resets: the operator may go back to the baseline.
	Resets bool
}

// Environments are the instances that exist, one data set each.
func Environments() []Environment {
	return []Environment{
		{Code: "testing", Sandboxes: true, Resets: true},
		{Code: "projectathon", Resets: true},
		{Code: "acceptance", Label: "acc"},
		{Code: "training", Resets: true},
		{Code: "uat"},
		{Code: "production", Ways: []How{ByAS4, ByScreen, ByImport, ByRestore, ByBaseline}},
	}
}

// Instances are the data sets of one server.
type Instances struct {
	cfg   Config // without a baseline
	bases map[string]*cs.DataSet
	mu    sync.Mutex
	open  map[string]*LifecycleManager
}

// NewInstances opens one data set for each baseline. The baselines' codes must
// be those of Environments.
func NewInstances(ctx context.Context, cfg Config, baselines ...*cs.DataSet) (*Instances, error) {
	in := &Instances{cfg: cfg, bases: map[string]*cs.DataSet{}, open: map[string]*LifecycleManager{}}
	for _, b := range baselines {
		if _, ok := environment(b.Environment); !ok {
			return nil, fmt.Errorf("lcm: there is no environment %q; there are %s", b.Environment, strings.Join(codesOf(), ", "))
		}
		in.bases[b.Environment] = b
		if _, err := in.get(ctx, b.Environment, b.Environment); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func environment(code string) (Environment, bool) {
	i := slices.IndexFunc(Environments(), func(e Environment) bool { return e.Code == code })
	if i < 0 {
		return Environment{}, false
	}
	return Environments()[i], true
}

func codesOf() (out []string) {
	for _, e := range Environments() {
		out = append(out, e.Code)
	}
	return out
}

// Codes lists the environments of this server.
func (in *Instances) Codes() []string { return slices.Sorted(maps.Keys(in.bases)) }

// Of is the data set of an environment as a country sees and changes it: its
// own sandbox where there are any, else the one of all. country may be "" for
// the baseline of a sandbox.
func (in *Instances) Of(ctx context.Context, code, country string) (*LifecycleManager, error) {
	e, known := environment(code)
	if _, here := in.bases[code]; !known || !here {
		return nil, fmt.Errorf("lcm: there is no data set %q here; there are %s", code, strings.Join(in.Codes(), ", "))
	}
	if !e.Sandboxes || country == "" {
		return in.get(ctx, code, code)
	}
	if !countries.Contains(country) {
		return nil, fmt.Errorf("lcm: %.10q is no code of the list OOTS_Country (Greece is EL)", country)
	}
	return in.get(ctx, code, code+"/"+country)
}

func (in *Instances) get(ctx context.Context, code, name string) (*LifecycleManager, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if m := in.open[name]; m != nil {
		return m, nil
	}
	e, _ := environment(code)
	cfg, base := in.cfg, *in.bases[code]
	base.Environment = name
	if base.Label == "" {
		base.Label = e.Label
	}
	cfg.Baseline, cfg.Ways = &base, e.Ways
	m, err := New(ctx, cfg)
	if err == nil {
		in.open[name] = m
	}
	return m, err
}

// Reset brings an environment back to its baseline: of a sandbox that of one
// country, else everything.
func (in *Instances) Reset(ctx context.Context, by Author, code, country string) error {
	e, known := environment(code)
	if !known || !e.Resets {
		return fmt.Errorf("lcm: the environment %q does not go back to a baseline", code)
	}
	m, err := in.Of(ctx, code, country)
	if err != nil {
		return err
	}
	return m.Reset(ctx, by)
}
