package access

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Memory is a Store that forgets everything when the program ends.
type Memory struct {
	mu     sync.Mutex
	tokens []Token
	places map[[32]byte]int
}

func (m *Memory) AddToken(_ context.Context, t Token, digest [32]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.places == nil {
		m.places = map[[32]byte]int{}
	}
	_, known := m.places[digest]
	if known || slices.ContainsFunc(m.tokens, func(o Token) bool { return o.ID == t.ID }) {
		return fmt.Errorf("token %s is stored already", t.ID)
	}
	m.places[digest] = len(m.tokens)
	m.tokens = append(m.tokens, t)
	return nil
}

func (m *Memory) TokenByDigest(_ context.Context, digest [32]byte) (Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.places[digest]
	if !ok {
		return Token{}, ErrUnknown
	}
	return m.tokens[i], nil
}

func (m *Memory) Tokens(context.Context) ([]Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Clone(m.tokens)
	slices.SortStableFunc(out, func(a, b Token) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}

func (m *Memory) RevokeToken(_ context.Context, id string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.tokens {
		if m.tokens[i].ID == id {
			if m.tokens[i].RevokedAt.IsZero() {
				m.tokens[i].RevokedAt = at
			}
			return nil
		}
	}
	return ErrUnknown
}
