package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/once-only/oots/access/passkey"
)

// Passkeys keeps the second factor of people who decide.
func (db *DB) Passkeys() passkey.Store { return passkeys{db} }

type passkeys struct{ db *DB }

func (s passkeys) Of(ctx context.Context, party string) ([]passkey.Passkey, error) {
	return passkeysOf(ctx, s.db.on(ctx), party)
}

func passkeysOf(ctx context.Context, q querier, party string) ([]passkey.Passkey, error) {
	rows, err := q.QueryContext(ctx, "SELECT id, party, handle, name, public_key, flags, sign_count, transports, added, used FROM passkey WHERE party = $1 ORDER BY added, id", party)
	if err != nil {
		return nil, fmt.Errorf("store: passkeys: %w", err)
	}
	defer rows.Close()
	var out []passkey.Passkey
	for rows.Next() {
		var k passkey.Passkey
		var transports string
		var added, used int64
		if err := rows.Scan(&k.ID, &k.Party, &k.Handle, &k.Name, &k.PublicKey, &k.Flags, &k.SignCount, &transports, &added, &used); err != nil {
			return nil, fmt.Errorf("store: passkeys: %w", err)
		}
		if transports != "" {
			k.Transports = strings.Fields(transports)
		}
		k.AddedAt, k.UsedAt = instant(added), instant(used)
		out = append(out, k)
	}
	return out, rows.Err()
}

// Add runs alone, so that what an account has is counted truly.
func (s passkeys) Add(ctx context.Context, k passkey.Passkey) error {
	return s.db.WriteAlone(ctx, "passkeys", func(tx *sql.Tx) error {
		own, err := passkeysOf(ctx, tx, k.Party)
		switch {
		case err != nil:
			return err
		case len(own) >= passkey.Most:
			return passkey.ErrTaken
		case len(own) > 0 && !bytes.Equal(own[0].Handle, k.Handle):
			return passkey.ErrChanged
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO passkey (id, party, handle, name, public_key, flags, sign_count, transports, added, used)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			k.ID, k.Party, k.Handle, k.Name, k.PublicKey, int64(k.Flags), int64(k.SignCount), strings.Join(k.Transports, " "), millis(k.AddedAt), millis(k.UsedAt))
		return expect(done, err, passkey.ErrTaken)
	})
}

func (s passkeys) Used(ctx context.Context, id string, was, now uint32, at time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE passkey SET sign_count = $1, used = $2 WHERE id = $3 AND sign_count = $4", int64(now), millis(at), id, int64(was))
		if err := expect(done, err, passkey.ErrChanged); err != passkey.ErrChanged {
			return err
		}
		var known int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM passkey WHERE id = $1", id).Scan(&known); err != nil {
			return fmt.Errorf("store: passkey: %w", err)
		}
		if known == 0 {
			return passkey.ErrUnknown
		}
		return passkey.ErrChanged
	})
}

func (s passkeys) Rename(ctx context.Context, party, id, name string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE passkey SET name = $1 WHERE party = $2 AND id = $3", name, party, id)
		return expect(done, err, passkey.ErrUnknown)
	})
}

// Remove runs alone, so that of two removals at once one sees the other.
func (s passkeys) Remove(ctx context.Context, party, id string, last bool) error {
	return s.db.WriteAlone(ctx, "passkeys", func(tx *sql.Tx) error {
		own, err := passkeysOf(ctx, tx, party)
		if err != nil {
			return err
		}
		if !last && len(own) == 1 && own[0].ID == id {
			return passkey.ErrLast
		}
		done, err := tx.ExecContext(ctx, "DELETE FROM passkey WHERE party = $1 AND id = $2", party, id)
		return expect(done, err, passkey.ErrUnknown)
	})
}
