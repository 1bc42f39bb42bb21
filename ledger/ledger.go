package ledger

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Config of a Ledger.
type Config struct {
	Store Store // required
	// Key signs a checkpoint after every append and is what stored checkpoints
	// are checked with. Without it nothing is signed. A ledger that has a key
	// refuses to build on a head that this key did not sign, so the first
	// append decides: another key later, or one after none, is refused.
	Key *Key
	Now func() time.Time // optional; time.Now
}

// Ledger appends facts and hands them out. It is safe for concurrent use.
type Ledger struct {
	store Store
	key   *Key
	now   func() time.Time

	good atomic.Pointer[[]byte] // note of the last head whose signature held
}

// New makes a Ledger over a store. Several may share one store.
func New(c Config) *Ledger {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Ledger{store: c.Store, key: c.Key, now: c.Now}
}

// Entry is a fact with its place in the ledger, counted from 0.
type Entry struct {
	Position int64
	Fact     Fact
}

// Receipt tells what an append did.
type Receipt struct {
	Added int   // facts that are new
	Known int   // facts that were there already, with the same content
	Size  int64 // entries of the ledger now
}

// Append records facts, all or none. RecordedAt is the ledger's clock; a fact
// that brings its own is refused. A fact whose id is known is passed over when
// its content is the same and refused when it is not. A refusal is a *Refusal.
func (l *Ledger) Append(ctx context.Context, facts ...Fact) (Receipt, error) {
	return l.appendAll(ctx, facts, false)
}

// AppendHistory is Append for an operator who seeds or restores history: a fact
// may bring a RecordedAt in the past, out of order too. Its position in the
// tree still shows when it really came.
func (l *Ledger) AppendHistory(ctx context.Context, facts ...Fact) (Receipt, error) {
	return l.appendAll(ctx, facts, true)
}

func (l *Ledger) appendAll(ctx context.Context, facts []Fact, history bool) (Receipt, error) {
	return l.append(ctx, history, func(yield func(*incoming, error) bool) {
		for _, f := range facts {
			normalise(&f)
			if !yield(&incoming{Fact: f}, nil) {
				return
			}
		}
	})
}

// ImportOptions of Import.
type ImportOptions struct {
	// Progress is called now and then with the lines read so far.
	Progress func(lines int)
}

// Import reads a facts file (JSON Lines; blank lines are passed over) and
// appends all of it or nothing, like AppendHistory. A wrong line ends it with a
// *Refusal that names line, field and reason.
func (l *Ledger) Import(ctx context.Context, r io.Reader, o ImportOptions) (Receipt, error) {
	return l.append(ctx, true, readLines(ctx, r, o.Progress))
}

// Fact is the entry with that id, or ErrNotFound.
func (l *Ledger) Fact(ctx context.Context, id string) (Entry, error) {
	rows, err := l.store.Find(ctx, []string{id})
	if err != nil {
		return Entry{}, fmt.Errorf("ledger: fact %s: %w", id, err)
	}
	row, ok := rows[id]
	if !ok {
		return Entry{}, fmt.Errorf("%q: %w", id, ErrNotFound)
	}
	return row.entry()
}

func (r *Row) entry() (Entry, error) {
	f, err := DecodeLine(r.Leaf)
	if err != nil {
		return Entry{}, &Broken{Position: r.Position, ID: r.ID, Reason: "is no fact any more: " + err.Error()}
	}
	return Entry{r.Position, f}, nil
}

// Facts yields entries in order. An error ends the sequence. Entries that are
// appended meanwhile are not seen.
func (l *Ledger) Facts(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	if f.Country == "" && f.Kind == "" && f.Since.IsZero() {
		return l.all(ctx, f.From, f.Limit)
	}
	return func(yield func(Entry, error) bool) {
		head, err := l.store.Head(ctx)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for left := f.Limit; ; {
			n := 500
			if f.Limit > 0 {
				n = min(n, left)
			}
			rows, err := l.store.Select(ctx, f, n)
			if err != nil {
				yield(Entry{}, fmt.Errorf("ledger: reading facts: %w", err))
				return
			}
			for i := range rows {
				if rows[i].Position >= head.Size {
					return
				}
				e, err := rows[i].entry()
				if !yield(e, err) || err != nil {
					return
				}
			}
			left -= len(rows)
			if len(rows) < n || f.Limit > 0 && left == 0 {
				return
			}
			f.From = rows[len(rows)-1].Position + 1
		}
	}
}

// Export writes the canonical lines that the filter lets through.
func (l *Ledger) Export(ctx context.Context, w io.Writer, f Filter) error {
	var line []byte
	for e, err := range l.Facts(ctx, f) {
		if err != nil {
			return err
		}
		line = append(AppendLine(line[:0], &e.Fact), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// Head is the ledger's present size and root hash.
func (l *Ledger) Head(ctx context.Context) (Head, error) { return l.store.Head(ctx) }

// Tree is the head in tlog's words.
func (h Head) Tree() tlog.Tree { return tlog.Tree{N: h.Size, Hash: h.Root} }

// Broken names the first entry that no longer fits the Merkle tree, or says
// what else was changed behind the ledger's back (Position is then -1).
type Broken struct {
	Position int64
	ID       string // as far as it can still be told
	Reason   string
}

func (b *Broken) Error() string {
	switch {
	case b.Position < 0:
		return b.Reason
	case b.ID == "":
		return fmt.Sprintf("entry %d %s", b.Position, b.Reason)
	}
	return fmt.Sprintf("entry %d (fact %s) %s", b.Position, b.ID, b.Reason)
}
