package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/once-only/oots/testbed"
)

func (s testbedStore) PutJob(ctx context.Context, j testbed.Job) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return putJob(ctx, tx, &j) })
}

func putJob(ctx context.Context, tx *sql.Tx, j *testbed.Job) error {
	doc, err := json.Marshal(j)
	if err != nil {
		return err
	}
	owed := 0
	if j.Owed {
		owed = 1
	}
	var done sql.Result
	if j.Rev == 1 {
		done, err = tx.ExecContext(ctx, `INSERT INTO testbed_job (id, country, system, state, owed, due, made_at, rev, doc)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) ON CONFLICT DO NOTHING`,
			j.ID, j.Country, j.System, string(j.State), owed, millis(j.Due), millis(j.Made), string(doc))
	} else {
		done, err = tx.ExecContext(ctx, "UPDATE testbed_job SET state = $1, owed = $2, due = $3, rev = $4, doc = $5 WHERE id = $6 AND rev = $7",
			string(j.State), owed, millis(j.Due), j.Rev, string(doc), j.ID, j.Rev-1)
	}
	return expect(done, err, testbed.ErrChanged)
}

func (s testbedStore) Job(ctx context.Context, id string) (*testbed.Job, error) {
	j, err := scanJob(s.db.on(ctx).QueryRowContext(ctx, "SELECT doc FROM testbed_job WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, testbed.ErrUnknown
	}
	return j, err
}

func scanJob(row scanner) (*testbed.Job, error) {
	var doc string
	if err := row.Scan(&doc); err != nil {
		return nil, err
	}
	var j testbed.Job
	return &j, json.Unmarshal([]byte(doc), &j)
}

func (s testbedStore) Jobs(ctx context.Context, f testbed.JobFilter) ([]testbed.Job, error) {
	query, args := "SELECT doc FROM testbed_job WHERE made_at >= $1", []any{millis(f.Since)}
	for _, c := range []struct{ column, value string }{{"country", f.Country}, {"system", f.System}} {
		if c.value != "" {
			args = append(args, c.value)
			query += fmt.Sprintf(" AND %s = $%d", c.column, len(args))
		}
	}
	if f.Open {
		query += " AND state IN ('queued', 'running')"
	}
	if f.Owed {
		query += " AND owed = 1"
	}
	args = append(args, f.AtMost())
	rows, err := s.db.on(ctx).QueryContext(ctx, query+fmt.Sprintf(" ORDER BY made_at DESC, id DESC LIMIT $%d", len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("store: jobs: %w", err)
	}
	defer rows.Close()
	var out []testbed.Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, fmt.Errorf("store: jobs: %w", err)
		}
		out = append(out, *j)
	}
	return out, rows.Err()
}

// LeaseJob runs alone, so that two who ask at once do not both find a system at
// rest.
func (s testbedStore) LeaseJob(ctx context.Context, now, until time.Time, holder string) (leased *testbed.Job, err error) {
	// A look without the write lock first: there is nothing to do most of the time.
	var due int
	if err := s.db.on(ctx).QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM testbed_job
		WHERE state IN ('queued', 'running') AND due <= $1 LIMIT 1) AS due`, millis(now)).Scan(&due); err != nil || due == 0 {
		return nil, err
	}
	err = s.db.WriteAlone(ctx, "testbed jobs", func(tx *sql.Tx) error {
		j, err := scanJob(tx.QueryRowContext(ctx, `SELECT doc FROM testbed_job AS j WHERE state IN ('queued', 'running') AND due <= $1
			AND NOT EXISTS (SELECT 1 FROM testbed_job AS k WHERE k.state = 'running'
				AND k.due > $1 AND k.system = j.system AND k.id <> j.id)
			ORDER BY made_at, id LIMIT 1`+s.db.dialect.lockRow, millis(now)))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		j.Lease(now, until, holder)
		if err := putJob(ctx, tx, j); err != nil {
			return err
		}
		leased = j
		return nil
	})
	if errors.Is(err, testbed.ErrChanged) { // somebody has just stopped it
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return leased, nil
}
