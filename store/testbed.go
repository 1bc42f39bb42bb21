package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/once-only/oots/testbed"
)

// Testbed keeps the runs of test cases, and the jobs in which they are played.
func (db *DB) Testbed() testbed.Store { return testbedStore{db} }

type testbedStore struct{ db *DB }

func (s testbedStore) Save(ctx context.Context, r *testbed.Run) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	short := *r
	short.Steps, short.Messages = nil, nil
	head, err := json.Marshal(&short)
	if err != nil {
		return err
	}
	outline, err := json.Marshal(r.Outline())
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO testbed_run (id, country, system, suite, test_case, job, started_at, head, outline, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING`,
			r.ID, r.Country, r.System, r.Suite, r.Case, r.Job, millis(r.Started), string(head), string(outline), string(body))
		if err != nil {
			return fmt.Errorf("store: run %s: %w", r.ID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 1 {
			return errors.Join(err, index(ctx, tx, r))
		}
		var kept string
		if err := tx.QueryRowContext(ctx, "SELECT body FROM testbed_run WHERE id = $1", r.ID).Scan(&kept); err != nil {
			return fmt.Errorf("store: run %s: %w", r.ID, err)
		}
		if kept != string(body) {
			return testbed.ErrKnown
		}
		return nil
	})
}

// index makes the messages of a run findable.
func index(ctx context.Context, tx *sql.Tx, r *testbed.Run) error {
	for _, m := range r.Messages {
		if _, err := tx.ExecContext(ctx, "INSERT INTO testbed_message (sha256, run) VALUES ($1, $2) ON CONFLICT DO NOTHING", m.SHA256, r.ID); err != nil {
			return fmt.Errorf("store: messages of run %s: %w", r.ID, err)
		}
	}
	return nil
}

func (s testbedStore) Holding(ctx context.Context, sha256 string) (ids []string, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT run FROM testbed_message WHERE sha256 = $1 ORDER BY run LIMIT 100", sha256)
	if err != nil {
		return nil, fmt.Errorf("store: runs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (s testbedStore) Run(ctx context.Context, id string) (*testbed.Run, error) {
	var body string
	err := s.db.QueryRowContext(ctx, "SELECT body FROM testbed_run WHERE id = $1", id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, testbed.ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("store: run %s: %w", id, err)
	}
	var r testbed.Run
	return &r, json.Unmarshal([]byte(body), &r)
}

func (s testbedStore) Runs(ctx context.Context, f testbed.Filter) ([]*testbed.Run, error) {
	column := "head"
	if f.Outline { // a run that is older than outlines has none
		column = "CASE WHEN outline = '' THEN head ELSE outline END"
	}
	query, args := "SELECT "+column+" FROM testbed_run WHERE 1 = 1", []any{}
	for _, c := range []struct{ column, value string }{{"country", f.Country}, {"system", f.System}, {"suite", f.Suite}, {"test_case", f.Case}, {"job", f.Job}} {
		if c.value != "" {
			args = append(args, c.value)
			query += fmt.Sprintf(" AND %s = $%d", c.column, len(args))
		}
	}
	if f.Job != "" { // so that the index of jobs, which leaves out the runs of none, is used
		query += " AND job <> ''"
	}
	args = append(args, f.AtMost())
	rows, err := s.db.QueryContext(ctx, query+fmt.Sprintf(" ORDER BY started_at DESC, id DESC LIMIT $%d", len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("store: runs: %w", err)
	}
	defer rows.Close()
	var out []*testbed.Run
	for rows.Next() {
		var head string
		var r testbed.Run
		if err := rows.Scan(&head); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(head), &r); err != nil {
			return nil, err
		}
		out = append(out, &r)
	}
	return out, rows.Err()
}
