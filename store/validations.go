package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Validations keeps sealed messages of the validator until their time is over.
func (db *DB) Validations() Validations { return Validations{db} }

// Validations implements the port of that name of package web.
type Validations struct{ db *DB }

// Keep stores a sealed message until that time, and erases those whose time is
// over now.
func (s Validations) Keep(ctx context.Context, digest [32]byte, sealed []byte, now, until time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM validation WHERE until <= $1`, millis(now)); err != nil {
			return fmt.Errorf("store: validation: %w", err)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO validation (digest, sealed, until) VALUES ($1, $2, $3)`, digest[:], sealed, millis(until))
		if err != nil {
			return fmt.Errorf("store: validation: %w", err)
		}
		return nil
	})
}

// Kept gives a sealed message; nil when there is none or its time is over. It
// erases what is over.
func (s Validations) Kept(ctx context.Context, digest [32]byte, now time.Time) (sealed []byte, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM validation WHERE until <= $1`, millis(now)); err != nil {
			return fmt.Errorf("store: validation: %w", err)
		}
		err := tx.QueryRowContext(ctx, `SELECT sealed FROM validation WHERE digest = $1`, digest[:]).Scan(&sealed)
		if errors.Is(err, sql.ErrNoRows) {
			sealed, err = nil, nil
		}
		if err != nil {
			return fmt.Errorf("store: validation: %w", err)
		}
		return nil
	})
	return sealed, err
}
