package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
)

// LCM keeps the data sets of the Common Services with their history.
func (db *DB) LCM() lcm.Store { return lifecycle{db} }

type lifecycle struct{ db *DB }

func (s lifecycle) Load(ctx context.Context, environment string) (*cs.DataSet, error) {
	// One statement, so that head and parts are of one moment.
	rows, err := s.db.QueryContext(ctx, `SELECT d.revision, d.head, COALESCE(r.country, ''), COALESCE(r.part, 'null')
		FROM lcm_dataset d LEFT JOIN lcm_revision r ON r.environment = d.environment AND r.number =
			(SELECT MAX(n.number) FROM lcm_revision n WHERE n.environment = r.environment AND n.country = r.country)
		WHERE d.environment = $1`, environment)
	if err != nil {
		return nil, fmt.Errorf("store: data set %s: %w", environment, err)
	}
	defer rows.Close()
	var d *cs.DataSet
	for rows.Next() {
		var revision int
		var head, country, part string
		if err := rows.Scan(&revision, &head, &country, &part); err != nil {
			return nil, fmt.Errorf("store: data set %s: %w", environment, err)
		}
		if d == nil {
			d = &cs.DataSet{}
			if err := json.Unmarshal([]byte(head), d); err != nil {
				return nil, fmt.Errorf("store: data set %s: %w", environment, err)
			}
			d.Environment, d.Revision, d.Contributions = environment, revision, map[string]*cs.Contribution{}
		}
		c, err := partOf(part)
		if err != nil {
			return nil, fmt.Errorf("store: data set %s, %s: %w", environment, country, err)
		}
		if c != nil {
			d.Contributions[country] = c
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: data set %s: %w", environment, err)
	}
	if d == nil {
		return nil, fmt.Errorf("%s: %w", environment, cs.ErrNoDataSet)
	}
	return d, nil
}

func partOf(text string) (c *cs.Contribution, err error) {
	err = json.Unmarshal([]byte(text), &c)
	return c, err
}

func (s lifecycle) Newest(ctx context.Context, environment string) (n int, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT revision FROM lcm_dataset WHERE environment = $1", environment).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("store: data set %s: %w", environment, err)
	}
	return n, nil
}

func (s lifecycle) Keep(ctx context.Context, next *cs.DataSet, revisions []lcm.Revision) error {
	head := *next
	head.Contributions = nil
	text, err := json.Marshal(&head)
	if err != nil {
		return fmt.Errorf("store: data set %s: %w", next.Environment, err)
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO lcm_dataset (environment, revision, head) VALUES ($1, $2, $3)
			ON CONFLICT (environment) DO UPDATE SET revision = excluded.revision, head = excluded.head
			WHERE lcm_dataset.revision = excluded.revision - 1`, next.Environment, next.Revision, string(text))
		if err != nil {
			return fmt.Errorf("store: data set %s: %w", next.Environment, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("%s, revision %d: %w", next.Environment, next.Revision, cs.ErrConflict))
		}
		for i := range revisions {
			r := &revisions[i]
			part, err := json.Marshal(r.Part)
			if err != nil {
				return fmt.Errorf("store: revision %d of %s: %w", r.Number, r.Country, err)
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO lcm_revision (`+revisionColumns+`, environment, country, part)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
				r.Number, r.Party, string(r.How), r.Message, millis(r.At), r.RequestID, r.Restores, r.Added, r.Changed, r.Removed, r.Environment, r.Country, string(part))
			if err != nil {
				return fmt.Errorf("store: revision %d of %s: %w", r.Number, r.Country, err)
			}
		}
		return nil
	})
}

const revisionColumns = "number, party, how, message, at, request, restores, added, changed, removed"

func scanRevision(row interface{ Scan(...any) error }, environment, country string, more ...any) (lcm.Revision, error) {
	r := lcm.Revision{Environment: environment, Country: country}
	var how string
	var at int64
	err := row.Scan(append([]any{&r.Number, &r.Party, &how, &r.Message, &at, &r.RequestID, &r.Restores, &r.Added, &r.Changed, &r.Removed}, more...)...)
	r.How, r.At = lcm.How(how), instant(at)
	return r, err
}

func (s lifecycle) Revisions(ctx context.Context, environment, country string, before, limit int) ([]lcm.Revision, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+revisionColumns+` FROM lcm_revision
		WHERE environment = $1 AND country = $2 AND ($3 = 0 OR number < $3) ORDER BY number DESC LIMIT $4`, environment, country, before, limit)
	if err != nil {
		return nil, fmt.Errorf("store: revisions of %s: %w", country, err)
	}
	defer rows.Close()
	var out []lcm.Revision
	for rows.Next() {
		r, err := scanRevision(rows, environment, country)
		if err != nil {
			return nil, fmt.Errorf("store: revisions of %s: %w", country, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func (s lifecycle) At(ctx context.Context, environment, country string, number int) (*lcm.Revision, error) {
	var part string
	r, err := scanRevision(s.db.QueryRowContext(ctx, "SELECT "+revisionColumns+`, part FROM lcm_revision
		WHERE environment = $1 AND country = $2 AND number <= $3 ORDER BY number DESC LIMIT 1`, environment, country, number), environment, country, &part)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, lcm.ErrNoRevision
	}
	if err == nil {
		r.Part, err = partOf(part)
	}
	if err != nil {
		return nil, fmt.Errorf("store: revision %d of %s: %w", number, country, err)
	}
	return &r, nil
}

func (s lifecycle) Refuse(ctx context.Context, a lcm.Attempt) error {
	faults, err := json.Marshal(a.Faults)
	if err != nil {
		return fmt.Errorf("store: refusal of %s: %w", a.Country, err)
	}
	return s.db.WriteAlone(ctx, "lcm_attempt", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO lcm_attempt (id, environment, country, party, how, message, at, request, is_foreign, faults)
			VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM lcm_attempt), $1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			a.Environment, a.Country, a.Party, string(a.How), a.Message, millis(a.At), a.RequestID, whole(a.Foreign), string(faults))
		if err != nil {
			return fmt.Errorf("store: refusal of %s: %w", a.Country, err)
		}
		return nil
	})
}

func whole(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s lifecycle) Attempts(ctx context.Context, environment, country string, limit int) ([]lcm.Attempt, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT party, how, message, at, request, is_foreign, faults FROM lcm_attempt
		WHERE environment = $1 AND country = $2 ORDER BY id DESC LIMIT $3`, environment, country, limit)
	if err != nil {
		return nil, fmt.Errorf("store: refusals of %s: %w", country, err)
	}
	defer rows.Close()
	var out []lcm.Attempt
	for rows.Next() {
		a := lcm.Attempt{Environment: environment, Country: country}
		var how, faults string
		var at int64
		var foreign int
		if err := rows.Scan(&a.Party, &how, &a.Message, &at, &a.RequestID, &foreign, &faults); err != nil {
			return nil, fmt.Errorf("store: refusals of %s: %w", country, err)
		}
		a.How, a.At, a.Foreign = lcm.How(how), instant(at), foreign == 1
		if err := json.Unmarshal([]byte(faults), &a.Faults); err != nil {
			return nil, fmt.Errorf("store: refusals of %s: %w", country, err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}
