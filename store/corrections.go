package store

import (
	"context"
	"database/sql"

	"github.com/once-only/oots/correction"
)

// Corrections keeps what readers ask to have corrected.
func (db *DB) Corrections() correction.Store { return corrections{db} }

type corrections struct{ db *DB }

const correctionColumns = "id, at, what, place, evidence, email, decided_at, decided_by, outcome, answer"

func (s corrections) Add(ctx context.Context, r correction.Request) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO correction ("+correctionColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			r.ID, millis(r.At), r.What, r.Where, r.Evidence, r.Email, millis(r.DecidedAt), r.DecidedBy, r.Outcome, r.Answer)
		return err
	})
}

func (s corrections) List(ctx context.Context) ([]correction.Request, error) {
	rows, err := s.db.on(ctx).QueryContext(ctx, "SELECT "+correctionColumns+" FROM correction ORDER BY at DESC, id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []correction.Request
	for rows.Next() {
		var r correction.Request
		var at, decided int64
		if err := rows.Scan(&r.ID, &at, &r.What, &r.Where, &r.Evidence, &r.Email, &decided, &r.DecidedBy, &r.Outcome, &r.Answer); err != nil {
			return nil, err
		}
		r.At, r.DecidedAt = instant(at), instant(decided)
		list = append(list, r)
	}
	return list, rows.Err()
}

func (s corrections) Decide(ctx context.Context, id string, d correction.Decision) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE correction SET email = '', decided_at = $1, decided_by = $2, outcome = $3, answer = $4
			WHERE id = $5 AND outcome = ''`, millis(d.At), d.By, d.Outcome, d.Answer, id)
		if err := expect(done, err, correction.ErrDecided); err != correction.ErrDecided {
			return err
		}
		var known int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM correction WHERE id = $1", id).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return correction.ErrUnknown
		}
		return correction.ErrDecided
	})
}
