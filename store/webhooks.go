package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/once-only/oots/webhook"
)

// Webhooks keeps who is told of publications.
func (db *DB) Webhooks() webhook.Store { return webhooks{db} }

type webhooks struct{ db *DB }

const webhookColumns = "id, owner, url, secret, created, told, attempt, due, last_error"

func (s webhooks) AddHook(ctx context.Context, h webhook.Hook) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "INSERT INTO webhook ("+webhookColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
			h.ID, h.Owner, h.URL, h.Secret, millis(h.CreatedAt), h.Told, h.Attempt, millis(h.Due), h.LastError)
		if err != nil {
			return fmt.Errorf("store: webhook %s: %w", h.ID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("store: webhook %s is stored already", h.ID))
		}
		return nil
	})
}

func (s webhooks) Hooks(ctx context.Context) ([]webhook.Hook, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+webhookColumns+" FROM webhook ORDER BY created, id")
	if err != nil {
		return nil, fmt.Errorf("store: webhooks: %w", err)
	}
	defer rows.Close()
	var out []webhook.Hook
	for rows.Next() {
		h, err := scanWebhook(rows)
		if err != nil {
			return nil, fmt.Errorf("store: webhooks: %w", err)
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

func (s webhooks) RemoveHook(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM webhook WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("store: webhook %s: %w", id, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, webhook.ErrUnknown)
		}
		return nil
	})
}

func (s webhooks) ClaimHook(ctx context.Context, now, lease time.Time, latest int) (h webhook.Hook, err error) {
	// Most looks find nothing to do and need no lock for that.
	var waiting bool
	if err := s.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM webhook WHERE told < $1 AND due <= $2)", latest, millis(now)).Scan(&waiting); err != nil {
		return h, fmt.Errorf("store: webhook: %w", err)
	}
	if !waiting {
		return h, webhook.ErrUnknown
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		h, err = scanWebhook(tx.QueryRowContext(ctx, "UPDATE webhook SET due = $1, attempt = attempt + 1 WHERE id = ("+
			"SELECT id FROM webhook WHERE told < $2 AND due <= $3 ORDER BY due, id LIMIT 1"+s.db.dialect.forUpdate+") RETURNING "+webhookColumns,
			millis(lease), latest, millis(now)))
		if errors.Is(err, sql.ErrNoRows) {
			return webhook.ErrUnknown
		}
		return err
	})
	if err != nil && !errors.Is(err, webhook.ErrUnknown) {
		err = fmt.Errorf("store: webhook: %w", err)
	}
	return h, err
}

func (s webhooks) SettleHook(ctx context.Context, h webhook.Hook) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE webhook SET told = $1, attempt = $2, due = $3, last_error = $4 WHERE id = $5",
			h.Told, h.Attempt, millis(h.Due), h.LastError, h.ID); err != nil {
			return fmt.Errorf("store: webhook %s: %w", h.ID, err)
		}
		return nil
	})
}

func scanWebhook(row interface{ Scan(...any) error }) (h webhook.Hook, err error) {
	var made, due int64
	err = row.Scan(&h.ID, &h.Owner, &h.URL, &h.Secret, &made, &h.Told, &h.Attempt, &due, &h.LastError)
	h.CreatedAt, h.Due = instant(made), instant(due)
	return h, err
}
