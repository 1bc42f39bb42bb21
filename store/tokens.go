package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/once-only/oots/access"
)

// Tokens keeps API tokens by the digest of their text.
func (db *DB) Tokens() access.Store { return tokens{db} }

type tokens struct{ db *DB }

const tokenColumns = "id, owner, scopes, public_key, created, expires, revoked"

func (s tokens) AddToken(ctx context.Context, t access.Token, digest [32]byte) error {
	var scopes []string
	for _, sc := range t.Scopes {
		scopes = append(scopes, string(sc))
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO token (id, digest, owner, scopes, public_key, created, expires, revoked)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
			t.ID, digest[:], t.Owner, strings.Join(scopes, " "), t.Key, millis(t.CreatedAt), millis(t.ExpiresAt), millis(t.RevokedAt))
		if err != nil {
			return fmt.Errorf("store: token %s: %w", t.ID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("store: token %s is stored already", t.ID))
		}
		return nil
	})
}

func (s tokens) TokenByDigest(ctx context.Context, digest [32]byte) (access.Token, error) {
	t, err := scanToken(s.db.QueryRowContext(ctx, "SELECT "+tokenColumns+" FROM token WHERE digest = $1", digest[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return t, access.ErrUnknown
	}
	if err != nil {
		return t, fmt.Errorf("store: token: %w", err)
	}
	return t, nil
}

func (s tokens) Tokens(ctx context.Context) ([]access.Token, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+tokenColumns+" FROM token ORDER BY created, id")
	if err != nil {
		return nil, fmt.Errorf("store: tokens: %w", err)
	}
	defer rows.Close()
	var out []access.Token
	for rows.Next() {
		t, err := scanToken(rows)
		if err != nil {
			return nil, fmt.Errorf("store: tokens: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

func (s tokens) RevokeToken(ctx context.Context, id string, at time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE token SET revoked = CASE WHEN revoked = 0 THEN $1 ELSE revoked END WHERE id = $2", millis(at), id)
		if err != nil {
			return fmt.Errorf("store: token %s: %w", id, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, access.ErrUnknown)
		}
		return nil
	})
}

func scanToken(row interface{ Scan(...any) error }) (t access.Token, err error) {
	var scopes string
	var made, expires, revoked int64
	if err := row.Scan(&t.ID, &t.Owner, &scopes, &t.Key, &made, &expires, &revoked); err != nil {
		return t, err
	}
	for _, sc := range strings.Fields(scopes) {
		t.Scopes = append(t.Scopes, access.Scope(sc))
	}
	t.CreatedAt, t.ExpiresAt, t.RevokedAt = instant(made), instant(expires), instant(revoked)
	return t, nil
}
