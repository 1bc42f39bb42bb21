package projectathon

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Kind is what a record holds.
type Kind string

const (
	KindEvent        Kind = "event"
	KindRegistration Kind = "registration"
	KindTest         Kind = "test"
	KindPlan         Kind = "plan"         // one per event, under its id
	KindConnectivity Kind = "connectivity" // one per event, under its id
	KindSecret       Kind = "secret"
)

// Record is one thing that the store keeps: its current text, and which change
// of the store made it so.
type Record struct {
	Kind  Kind
	ID    string
	Event string // the event that it belongs to; empty for none
	// Seq numbers the changes of the whole store; the store sets it.
	Seq int64
	// Version counts the changes of this record. Who writes gives one more than
	// what he read: 1 for a new one.
	Version int
	Owed    bool   // it has facts that the ledger does not hold yet
	Doc     []byte // JSON
}

// Entry is a line of the audit trail.
type Entry struct {
	N     int64 // counts the lines; the store sets it
	At    time.Time
	By    string // party
	As    Post
	Event string
	What  Action
	On    string // id of the record
	Note  string
}

// Sealed are octets under the digest of what they were before they were sealed.
type Sealed struct {
	Digest [32]byte
	Octets []byte
	Test   string // to which they belong
}

// AuditFilter chooses lines of the trail; its zero value lets all through.
type AuditFilter struct {
	Event  string
	What   Action
	By, On string    // how party and record begin
	From   time.Time // the first instant
	Until  time.Time // after the last instant
	Before int64     // only lines with a smaller number: where an earlier answer ended
	Limit  int       // at most; 0 means 500
}

// AtMost is the number of lines that a filter lets through at most.
func (f AuditFilter) AtMost() int {
	if f.Limit <= 0 {
		return 500
	}
	return f.Limit
}

func (f AuditFilter) lets(e Entry) bool {
	return (f.Event == "" || f.Event == e.Event) && (f.What == "" || f.What == e.What) &&
		strings.HasPrefix(e.By, f.By) && strings.HasPrefix(e.On, f.On) && (f.Before == 0 || e.N < f.Before) &&
		!e.At.Before(f.From) && (f.Until.IsZero() || e.At.Before(f.Until))
}

// ErrUnknown says that there is no such record, ErrChanged that somebody else
// wrote it meanwhile.
var (
	ErrUnknown = errors.New("projectathon: no such record")
	ErrChanged = errors.New("somebody else changed this meanwhile; read it again")
)

// Store keeps everything of the events. Package projectathontest holds its
// promises.
type Store interface {
	// Get reads a record; ErrUnknown.
	Get(ctx context.Context, kind Kind, id string) (Record, error)
	// List reads the records of a kind in an event, in the order of their ids;
	// an empty event means all.
	List(ctx context.Context, kind Kind, event string) ([]Record, error)
	// Since reads the records of an event that were written after a change,
	// in the order of their last change, at most limit.
	Since(ctx context.Context, event string, seq int64, limit int) ([]Record, error)
	// Owed reads records that owe facts, oldest change first.
	Owed(ctx context.Context, limit int) ([]Record, error)
	// Put writes all records with their line of the audit trail, or nothing;
	// ErrChanged. Without records it writes the line alone.
	Put(ctx context.Context, audit Entry, records ...Record) error
	// Audit reads the trail, newest first.
	Audit(ctx context.Context, f AuditFilter) ([]Entry, error)
	// Keep stores octets, all or none; what is there already stays, and belongs to
	// one more test.
	Keep(ctx context.Context, pieces ...Sealed) error
	// Holding are the tests that octets belong to, in their order, at most 100.
	Holding(ctx context.Context, digest [32]byte) (tests []string, err error)
	// Kept gives them; ErrUnknown.
	Kept(ctx context.Context, digest [32]byte) ([]byte, error)
}
