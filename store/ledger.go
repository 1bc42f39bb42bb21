package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"github.com/once-only/oots/ledger"
)

// Ledger is the ledger's store in this database.
func (db *DB) Ledger() ledger.Store { return ledgerStore{db} }

type ledgerStore struct{ db *DB }

// querier is a database or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

const (
	headColumns = "SELECT size, root, note FROM ledger_head "
	factColumns = "SELECT position, id, kind, country, recorded_at, leaf FROM fact "
)

func (s ledgerStore) Head(ctx context.Context) (ledger.Head, error) { return lastHead(ctx, s.db) }

func lastHead(ctx context.Context, q querier) (ledger.Head, error) {
	heads, err := readHeads(ctx, q, headColumns+"ORDER BY size DESC LIMIT 1")
	if err != nil || len(heads) == 0 {
		return ledger.Head{}, err
	}
	return heads[0], nil
}

func (s ledgerStore) Heads(ctx context.Context, size int64, n int) ([]ledger.Head, error) {
	return readHeads(ctx, s.db, headColumns+"WHERE size >= $1 ORDER BY size LIMIT $2", size, n)
}

func readHeads(ctx context.Context, q querier, query string, args ...any) ([]ledger.Head, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var heads []ledger.Head
	for rows.Next() {
		var h ledger.Head
		var root []byte
		if err := rows.Scan(&h.Size, &root, &h.Note); err != nil {
			return nil, err
		}
		copy(h.Root[:], root)
		heads = append(heads, h)
	}
	return heads, rows.Err()
}

// Leaves lets the database put the lines together: one row out of it costs as
// much as hundreds of lines.
func (s ledgerStore) Leaves(ctx context.Context, from int64, n int) ([]byte, error) {
	return s.lines(ctx, "leaf", from, n)
}

func (s ledgerStore) Index(ctx context.Context, from int64, n int) ([]byte, error) {
	return s.lines(ctx, "CAST(position AS TEXT) || ' ' || id || ' ' || kind || ' ' || country || ' ' || CAST(recorded_at AS TEXT)", from, n)
}

func (s ledgerStore) lines(ctx context.Context, line string, from int64, n int) ([]byte, error) {
	var lines sql.NullString
	err := s.db.QueryRowContext(ctx, "SELECT string_agg(line, $1) FROM (SELECT "+line+" AS line FROM fact WHERE position >= $2 AND position < $3 ORDER BY position) AS run",
		"\n", from, from+int64(n)).Scan(&lines)
	return []byte(lines.String), err
}

func (s ledgerStore) Find(ctx context.Context, ids []string) (map[string]ledger.Row, error) {
	return find(ctx, s.db, ids)
}

func find(ctx context.Context, q querier, ids []string) (map[string]ledger.Row, error) {
	found := make(map[string]ledger.Row, 8)
	const atOnce = 500
	for len(ids) > 0 {
		some := ids[:min(atOnce, len(ids))]
		ids = ids[len(some):]
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = id
		}
		rows, err := readFacts(ctx, q, factColumns+"WHERE id IN ("+places(1, len(some))+")", args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			found[r.ID] = r
		}
	}
	return found, nil
}

func (s ledgerStore) Select(ctx context.Context, f ledger.Filter, n int) ([]ledger.Row, error) {
	args := []any{f.From, n}
	query := factColumns + "WHERE position >= $1"
	if f.Country != "" {
		args = append(args, f.Country)
		query += " AND country = $" + strconv.Itoa(len(args))
	}
	if f.Kind != "" {
		args = append(args, string(f.Kind))
		query += " AND kind = $" + strconv.Itoa(len(args))
	}
	if !f.Since.IsZero() {
		args = append(args, f.Since.UnixMilli())
		query += " AND recorded_at >= $" + strconv.Itoa(len(args))
	}
	return readFacts(ctx, s.db, query+" ORDER BY position LIMIT $2", args...)
}

func readFacts(ctx context.Context, q querier, query string, args ...any) ([]ledger.Row, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var facts []ledger.Row
	for rows.Next() {
		var r ledger.Row
		if err := rows.Scan(&r.Position, &r.ID, &r.Kind, &r.Country, &r.RecordedAt, &r.Leaf); err != nil {
			return nil, err
		}
		facts = append(facts, r)
	}
	return facts, rows.Err()
}

func (s ledgerStore) Hashes(ctx context.Context, page int64) ([]byte, error) {
	return hashes(ctx, s.db, page)
}

func hashes(ctx context.Context, q querier, page int64) ([]byte, error) {
	var h []byte
	err := q.QueryRowContext(ctx, "SELECT hashes FROM ledger_hashes WHERE page = $1", page).Scan(&h)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return h, err
}

func (s ledgerStore) Update(ctx context.Context, f func(ledger.Tx) error) error {
	return s.db.WriteAlone(ctx, "ledger", func(tx *sql.Tx) error { return f(&ledgerTx{tx: tx}) })
}

type ledgerTx struct {
	tx *sql.Tx

	many *sql.Stmt // inserts rowsAtOnce entries
}

func (t *ledgerTx) Head(ctx context.Context) (ledger.Head, error) { return lastHead(ctx, t.tx) }

func (t *ledgerTx) Find(ctx context.Context, ids []string) (map[string]ledger.Row, error) {
	return find(ctx, t.tx, ids)
}

func (t *ledgerTx) Hashes(ctx context.Context, page int64) ([]byte, error) {
	return hashes(ctx, t.tx, page)
}

// rowsAtOnce is how many entries one INSERT brings.
const rowsAtOnce = 50

func (t *ledgerTx) Append(ctx context.Context, rows []ledger.Row) error {
	for len(rows) > 0 {
		n := min(rowsAtOnce, len(rows))
		args := make([]any, 0, n*6)
		for _, r := range rows[:n] {
			args = append(args, r.Position, r.ID, string(r.Kind), r.Country, r.RecordedAt, string(r.Leaf))
		}
		rows = rows[n:]
		if n < rowsAtOnce {
			_, err := t.tx.ExecContext(ctx, insertFacts(n), args...)
			return err
		}
		if t.many == nil {
			var err error
			if t.many, err = t.tx.PrepareContext(ctx, insertFacts(n)); err != nil {
				return err
			}
		}
		if _, err := t.many.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func insertFacts(n int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO fact (position, id, kind, country, recorded_at, leaf) VALUES ")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("(" + places(i*6+1, 6) + ")")
	}
	return b.String()
}

// places writes n parameters: $1,$2,$3.
func places(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("$" + strconv.Itoa(first+i))
	}
	return b.String()
}

func (t *ledgerTx) PutHashes(ctx context.Context, page int64, h []byte) error {
	_, err := t.tx.ExecContext(ctx, `INSERT INTO ledger_hashes (page, hashes) VALUES ($1, $2)
		ON CONFLICT (page) DO UPDATE SET hashes = excluded.hashes`, page, h)
	return err
}

func (t *ledgerTx) PutHead(ctx context.Context, h ledger.Head) error {
	note := h.Note
	if note == nil {
		note = []byte{}
	}
	_, err := t.tx.ExecContext(ctx, `INSERT INTO ledger_head (size, root, note) VALUES ($1, $2, $3)
		ON CONFLICT (size) DO UPDATE SET root = excluded.root, note = excluded.note`, h.Size, h.Root[:], note)
	return err
}

// LedgerKey is the key that signs the checkpoints of this store. It is made
// when it is first asked for.
func (db *DB) LedgerKey(ctx context.Context) (*ledger.Key, error) {
	private, err := db.Secret(ctx, "ledger key", func() (string, error) { return ledger.NewKey(rand.Reader, LogName) })
	if err != nil {
		return nil, err
	}
	return ledger.ParseKey(private)
}

// LogName is the origin in the checkpoints of a key that a store made itself.
const LogName = "oots-ledger"
