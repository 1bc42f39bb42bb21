package web

import "context"

// Ports are what the site asks of the rest of the house.
type Ports struct {
	// Version names the present state of the ledger and its snapshots: pages
	// are kept until it changes. It must be cheap; nil means a constant state.
	Version func(ctx context.Context) (string, error)
}

func (p Ports) check() error { return nil }

// generation names the state that pages are rendered from.
func (s *site) generation(ctx context.Context) (string, error) {
	if s.Ports.Version == nil {
		return "", nil
	}
	return s.Ports.Version(ctx)
}
