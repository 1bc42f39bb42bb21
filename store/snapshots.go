package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/once-only/oots/acceleratormeter"
)

// Snapshots keeps the board's snapshots. A published one is never changed.
func (db *DB) Snapshots() acceleratormeter.Store { return snapshots{db} }

type snapshots struct{ db *DB }

func (s snapshots) Create(ctx context.Context, snap acceleratormeter.Snapshot) error {
	doc, err := json.Marshal(snap)
	if err != nil {
		return err
	}
	return s.db.WriteAlone(ctx, "snapshots", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO snapshot (id, created, state, sequence, published_at, document)
			SELECT $1, COALESCE(MAX(created), 0) + 1, $2, 0, 0, $3 FROM snapshot WHERE true ON CONFLICT (id) DO NOTHING`,
			snap.ID, string(snap.State), string(doc))
		if err != nil {
			return fmt.Errorf("store: snapshot %s: %w", snap.ID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, &acceleratormeter.Error{Code: acceleratormeter.WrongState, Found: "there is a snapshot " + snap.ID + " already"})
		}
		return nil
	})
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// one reads a snapshot; missing is the refusal when there is none.
func (s snapshots) one(ctx context.Context, q queryer, missing *acceleratormeter.Error, where string, args ...any) (snap acceleratormeter.Snapshot, err error) {
	var doc string
	err = q.QueryRowContext(ctx, "SELECT document FROM snapshot WHERE "+where, args...).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return snap, missing
	}
	if err == nil {
		err = json.Unmarshal([]byte(doc), &snap)
	}
	if err != nil {
		return snap, fmt.Errorf("store: snapshot: %w", err)
	}
	return snap, nil
}

func unknown(id string) *acceleratormeter.Error {
	return &acceleratormeter.Error{Code: acceleratormeter.UnknownSnapshot, Found: id}
}

func (s snapshots) Get(ctx context.Context, id string) (acceleratormeter.Snapshot, error) {
	return s.one(ctx, s.db, unknown(id), "id = $1", id)
}

func (s snapshots) Sequence(ctx context.Context, n int) (acceleratormeter.Snapshot, error) {
	return s.one(ctx, s.db, unknown(strconv.Itoa(n)), "sequence = $1 AND sequence > 0", n)
}

func (s snapshots) Latest(ctx context.Context, at time.Time) (acceleratormeter.Snapshot, error) {
	none := &acceleratormeter.Error{Code: acceleratormeter.BeforeFirst, Found: at.UTC().Format(time.DateOnly)}
	return s.one(ctx, s.db, none, "sequence > 0 AND published_at <= $1 ORDER BY sequence DESC LIMIT 1", at.UnixMilli())
}

func (s snapshots) All(ctx context.Context) ([]acceleratormeter.Snapshot, error) {
	return s.list(ctx, "sequence > 0 ORDER BY sequence")
}

func (s snapshots) Open(ctx context.Context) ([]acceleratormeter.Snapshot, error) {
	return s.list(ctx, "sequence = 0 ORDER BY created")
}

func (s snapshots) list(ctx context.Context, where string) (out []acceleratormeter.Snapshot, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT document FROM snapshot WHERE "+where)
	if err != nil {
		return nil, fmt.Errorf("store: snapshots: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var doc []byte
		var snap acceleratormeter.Snapshot
		if err := rows.Scan(&doc); err != nil {
			return nil, fmt.Errorf("store: snapshots: %w", err)
		}
		if err := json.Unmarshal(doc, &snap); err != nil {
			return nil, fmt.Errorf("store: snapshots: %w", err)
		}
		out = append(out, snap)
	}
	return out, rows.Err()
}

func (s snapshots) Approve(ctx context.Context, id, by string) error {
	return s.step(ctx, id, acceleratormeter.Draft, func(_ *sql.Tx, snap *acceleratormeter.Snapshot) error {
		snap.State, snap.ApprovedBy = acceleratormeter.Approved, by
		return nil
	})
}

func (s snapshots) Publish(ctx context.Context, id string, seal func(acceleratormeter.Snapshot, *acceleratormeter.Snapshot) (acceleratormeter.Snapshot, error)) (out acceleratormeter.Snapshot, err error) {
	err = s.step(ctx, id, acceleratormeter.Approved, func(tx *sql.Tx, snap *acceleratormeter.Snapshot) error {
		none := &acceleratormeter.Error{Code: acceleratormeter.BeforeFirst}
		last, err := s.one(ctx, tx, none, "sequence > 0 ORDER BY sequence DESC LIMIT 1")
		latest := &last
		if err == error(none) {
			latest, err = nil, nil
		}
		if err != nil {
			return err
		}
		if *snap, err = seal(*snap, latest); err != nil {
			return err
		}
		out = *snap
		return nil
	})
	return out, err
}

// step changes a snapshot that is in a state, in a transaction that runs alone.
func (s snapshots) step(ctx context.Context, id string, from acceleratormeter.SnapshotState, change func(*sql.Tx, *acceleratormeter.Snapshot) error) error {
	return s.db.WriteAlone(ctx, "snapshots", func(tx *sql.Tx) error {
		snap, err := s.one(ctx, tx, unknown(id), "id = $1", id)
		if err != nil {
			return err
		}
		if snap.State != from {
			return acceleratormeter.NotA(from, snap)
		}
		if err := change(tx, &snap); err != nil {
			return err
		}
		doc, err := json.Marshal(snap)
		if err != nil {
			return err
		}
		published := int64(0)
		if snap.State == acceleratormeter.Published {
			published = snap.PublishedAt.UnixMilli()
		}
		if _, err := tx.ExecContext(ctx, "UPDATE snapshot SET state = $1, sequence = $2, published_at = $3, document = $4 WHERE id = $5 AND state = $6",
			string(snap.State), snap.Sequence, published, string(doc), id, string(from)); err != nil {
			return fmt.Errorf("store: snapshot %s: %w", id, err)
		}
		return nil
	})
}
