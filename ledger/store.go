package ledger

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Store is where a ledger keeps its entries. It keeps octets and judges
// nothing: the Ledger over it does. Entries are numbered from 0 without gaps
// and are never changed. package store implements it on SQLite and PostgreSQL,
// Memory keeps it in memory, and package ledgertest holds its promises.
type Store interface {
	// Head is the last head written; the zero Head for an empty ledger.
	Head(ctx context.Context) (Head, error)
	// Heads lists the heads in order of size, from the first one of at least
	// that size, n at most.
	Heads(ctx context.Context, size int64, n int) ([]Head, error)
	// Leaves reads the leaves at positions from ≤ p < from+n in order, a leaf a
	// line, the last line without an end: a database hands out one long text
	// much faster than rows. What is not there is left out.
	Leaves(ctx context.Context, from int64, n int) ([]byte, error)
	// Index reads the look-up fields of the same entries, a line each as
	// Row.AppendIndex writes it.
	Index(ctx context.Context, from int64, n int) ([]byte, error)
	// Find reads entries by id; ids that are not there are left out.
	Find(ctx context.Context, ids []string) (map[string]Row, error)
	// Select reads at most n entries that the filter lets through, in order
	// of position.
	Select(ctx context.Context, f Filter, n int) ([]Row, error)
	// Hashes reads a page of the tree's stored hashes (HashesPerPage times 32
	// octets, the last page shorter); nil when there is none.
	Hashes(ctx context.Context, page int64) ([]byte, error)
	// Update runs f in a transaction of its own. No other Update of the same
	// ledger runs meanwhile, in this process or another. When f fails,
	// nothing of it remains and Update returns f's error.
	Update(ctx context.Context, f func(Tx) error) error
}

// Tx is a transaction that may append.
type Tx interface {
	Head(ctx context.Context) (Head, error)
	Find(ctx context.Context, ids []string) (map[string]Row, error)
	Hashes(ctx context.Context, page int64) ([]byte, error)

	Append(ctx context.Context, rows []Row) error
	PutHashes(ctx context.Context, page int64, hashes []byte) error
	// PutHead takes the place of a head of the same size.
	PutHead(ctx context.Context, h Head) error
}

// Row is an entry as a Store keeps it. The fields beside Leaf repeat what the
// leaf says, for look-ups; Verify compares them.
type Row struct {
	Position   int64
	ID         string
	Kind       Kind
	Country    string
	RecordedAt int64 // milliseconds of Unix time
	Leaf       []byte
}

// AppendIndex appends position, id, kind, country and recorded_at in
// milliseconds, separated by blanks: the row's line of Store.Index.
func (r *Row) AppendIndex(dst []byte) []byte {
	dst = strconv.AppendInt(dst, r.Position, 10)
	dst = append(append(dst, ' '), r.ID...)
	dst = append(append(dst, ' '), r.Kind...)
	dst = append(append(dst, ' '), r.Country...)
	return strconv.AppendInt(append(dst, ' '), r.RecordedAt, 10)
}

// Head is the state of the Merkle tree after an append.
type Head struct {
	Size int64
	Root tlog.Hash
	Note []byte // signed checkpoint; empty when there was no key
}

// HashesPerPage is how many stored hashes of the tree one page holds.
const HashesPerPage = 256

// Filter chooses entries; its zero value lets all through.
type Filter struct {
	Country string    // Subject.Country
	Kind    Kind      //
	Since   time.Time // RecordedAt is not before
	From    int64     // position is at least
	Limit   int       // entries at most; 0: no limit
}

// ErrNotFound: no fact has that id.
var ErrNotFound = errors.New("no such fact")
