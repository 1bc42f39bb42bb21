// Package correction keeps what readers ask to have corrected on the public
// board, and what was decided of it. Texts and addresses are confidential; the
// address goes with the decision. It knows no page (see web) and no database
// (see store).
package correction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Request is what a reader asks.
type Request struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	What     string    `json:"what"`
	Where    string    `json:"where,omitempty"`
	Evidence string    `json:"evidence,omitempty"`
	Email    string    `json:"email,omitempty"` // erased with the decision

	// Of the decision; zero while it is under review.
	DecidedAt time.Time `json:"decided_at,omitzero"`
	DecidedBy string    `json:"decided_by,omitempty"`
	Outcome   string    `json:"outcome,omitempty"`
	Answer    string    `json:"answer,omitempty"` // public
}

// Outcomes are how a request may end.
var Outcomes = []string{"upheld", "rejected", "withdrawn"}

// ErrUnknown says that there is no such request, ErrDecided that it has ended.
var (
	ErrUnknown = errors.New("no such request")
	ErrDecided = errors.New("the request is decided already")
)

// Store keeps requests. Package correctiontest holds its promises.
type Store interface {
	Add(ctx context.Context, r Request) error
	// List returns all requests, newest first.
	List(ctx context.Context) ([]Request, error)
	// Decide ends a request and erases the asker's address: ErrUnknown,
	// ErrDecided.
	Decide(ctx context.Context, id string, d Decision) error
}

// Decision ends a request.
type Decision struct {
	At                  time.Time
	By, Outcome, Answer string
}

// Check holds a decision to its form.
func (d Decision) Check() error {
	if !slices.Contains(Outcomes, d.Outcome) {
		return fmt.Errorf("%q is no outcome; use upheld, rejected or withdrawn", d.Outcome)
	}
	if n := len([]rune(d.Answer)); n < 10 || n > 2000 {
		return errors.New("give the public answer in 10 to 2000 characters")
	}
	return nil
}

// Memory is a Store that forgets everything when the program ends.
type Memory struct {
	mu   sync.Mutex
	kept []Request
}

func (m *Memory) Add(_ context.Context, r Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = append(m.kept, r)
	return nil
}

func (m *Memory) List(context.Context) ([]Request, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.Clone(m.kept)
	slices.SortStableFunc(list, func(a, b Request) int { return b.At.Compare(a.At) })
	return list, nil
}

func (m *Memory) Decide(_ context.Context, id string, d Decision) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.kept, func(r Request) bool { return r.ID == id })
	switch {
	case i < 0:
		return ErrUnknown
	case m.kept[i].Outcome != "":
		return ErrDecided
	}
	r := &m.kept[i]
	r.Email, r.DecidedAt, r.DecidedBy, r.Outcome, r.Answer = "", d.At, d.By, d.Outcome, d.Answer
	return nil
}
