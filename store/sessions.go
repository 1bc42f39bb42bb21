package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Sessions keeps the sessions of people who have signed in; it is a store of
// package scs. Tokens come here as digests.
type Sessions struct {
	db  *DB
	now func() time.Time
}

// Sessions keeps sessions by a clock; nil: time.Now.
func (db *DB) Sessions(now func() time.Time) Sessions {
	if now == nil {
		now = time.Now
	}
	return Sessions{db, now}
}

// FindCtx reads a session that is not over.
func (s Sessions) FindCtx(ctx context.Context, token string) (b []byte, found bool, err error) {
	err = s.db.on(ctx).QueryRowContext(ctx, "SELECT data FROM session WHERE token = $1 AND until > $2", token, millis(s.now())).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return b, err == nil, err
}

// CommitCtx writes a session, and erases those that are over.
func (s Sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM session WHERE until <= $1", millis(s.now())); err != nil {
			return fmt.Errorf("store: session: %w", err)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO session (token, data, until) VALUES ($1, $2, $3) ON CONFLICT (token) DO UPDATE SET data = excluded.data, until = excluded.until", token, b, millis(expiry))
		return err
	})
}

// DeleteCtx ends a session.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM session WHERE token = $1", token)
		return err
	})
}

// Find, Commit and Delete are the same without a context.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s Sessions) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
