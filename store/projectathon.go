package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/once-only/oots/projectathon"
)

// Projectathon keeps everything of testing events.
func (db *DB) Projectathon() projectathon.Store { return projectathons{db} }

type projectathons struct{ db *DB }

const recordColumns = "kind, id, event, seq, version, owed, doc"

func (s projectathons) Get(ctx context.Context, kind projectathon.Kind, id string) (projectathon.Record, error) {
	all, err := s.records(ctx, "kind = $1 AND id = $2", kind, id)
	if err == nil && len(all) == 0 {
		err = projectathon.ErrUnknown
	}
	if err != nil {
		return projectathon.Record{}, err
	}
	return all[0], nil
}

func (s projectathons) List(ctx context.Context, kind projectathon.Kind, event string) ([]projectathon.Record, error) {
	if event == "" {
		return s.records(ctx, "kind = $1 ORDER BY id", kind)
	}
	return s.records(ctx, "event = $1 AND kind = $2 ORDER BY id", event, kind)
}

func (s projectathons) Since(ctx context.Context, event string, seq int64, limit int) ([]projectathon.Record, error) {
	return s.records(ctx, "event = $1 AND seq > $2 ORDER BY seq LIMIT $3", event, seq, limit)
}

func (s projectathons) Owed(ctx context.Context, limit int) ([]projectathon.Record, error) {
	return s.records(ctx, "owed = 1 ORDER BY seq LIMIT $1", limit)
}

func (s projectathons) records(ctx context.Context, where string, args ...any) ([]projectathon.Record, error) {
	rows, err := s.db.on(ctx).QueryContext(ctx, "SELECT "+recordColumns+" FROM projectathon_record WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("store: projectathon: %w", err)
	}
	defer rows.Close()
	var out []projectathon.Record
	for rows.Next() {
		var r projectathon.Record
		var owed int
		var doc string
		if err := rows.Scan(&r.Kind, &r.ID, &r.Event, &r.Seq, &r.Version, &owed, &doc); err != nil {
			return nil, fmt.Errorf("store: projectathon: %w", err)
		}
		r.Owed, r.Doc = owed != 0, []byte(doc)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Put runs alone, so that the numbers of changes are committed in their order:
// whoever reads after a number misses nothing.
func (s projectathons) Put(ctx context.Context, audit projectathon.Entry, records ...projectathon.Record) error {
	return s.db.WriteAlone(ctx, "projectathon", func(tx *sql.Tx) error {
		var seq, line int64
		if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(seq), 0) FROM projectathon_record").Scan(&seq); err != nil {
			return fmt.Errorf("store: projectathon: %w", err)
		}
		for _, r := range records {
			seq++
			owed := 0
			if r.Owed {
				owed = 1
			}
			var done sql.Result
			var err error
			if r.Version == 1 {
				done, err = tx.ExecContext(ctx, "INSERT INTO projectathon_record ("+recordColumns+") VALUES ($1, $2, $3, $4, 1, $5, $6) ON CONFLICT DO NOTHING",
					r.Kind, r.ID, r.Event, seq, owed, string(r.Doc))
			} else {
				done, err = tx.ExecContext(ctx, "UPDATE projectathon_record SET event = $1, seq = $2, version = $3, owed = $4, doc = $5 WHERE kind = $6 AND id = $7 AND version = $8",
					r.Event, seq, r.Version, owed, string(r.Doc), r.Kind, r.ID, r.Version-1)
			}
			if err := expect(done, err, projectathon.ErrChanged); err != nil {
				return err
			}
		}
		if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(n), 0) FROM projectathon_trail").Scan(&line); err != nil {
			return fmt.Errorf("store: projectathon: %w", err)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO projectathon_trail (n, at, party, post, event, what, subject, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			line+1, millis(audit.At), audit.By, audit.As, audit.Event, audit.What, audit.On, audit.Note)
		if err != nil {
			return fmt.Errorf("store: projectathon: %w", err)
		}
		return nil
	})
}

func (s projectathons) Audit(ctx context.Context, f projectathon.AuditFilter) ([]projectathon.Entry, error) {
	query, args := "SELECT n, at, party, post, event, what, subject, note FROM projectathon_trail WHERE 1 = 1", []any{}
	for _, c := range []struct {
		asked bool
		where string
		value any
	}{
		{f.Event != "", "event = $%d", f.Event}, {f.What != "", "what = $%d", string(f.What)}, {f.Before != 0, "n < $%d", f.Before},
		{f.By != "", "SUBSTR(party, 1, LENGTH($%[1]d)) = $%[1]d", f.By}, {f.On != "", "SUBSTR(subject, 1, LENGTH($%[1]d)) = $%[1]d", f.On},
		{!f.From.IsZero(), "at >= $%d", millis(f.From)}, {!f.Until.IsZero(), "at < $%d", millis(f.Until)},
	} {
		if c.asked {
			args = append(args, c.value)
			query += " AND " + fmt.Sprintf(c.where, len(args))
		}
	}
	args = append(args, f.AtMost())
	rows, err := s.db.on(ctx).QueryContext(ctx, query+fmt.Sprintf(" ORDER BY n DESC LIMIT $%d", len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("store: projectathon: %w", err)
	}
	defer rows.Close()
	var out []projectathon.Entry
	for rows.Next() {
		var e projectathon.Entry
		var at int64
		if err := rows.Scan(&e.N, &at, &e.By, &e.As, &e.Event, &e.What, &e.On, &e.Note); err != nil {
			return nil, fmt.Errorf("store: projectathon: %w", err)
		}
		e.At = instant(at)
		out = append(out, e)
	}
	return out, rows.Err()
}

func (s projectathons) Keep(ctx context.Context, pieces ...projectathon.Sealed) error {
	if len(pieces) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, p := range pieces {
			if _, err := tx.ExecContext(ctx, "INSERT INTO projectathon_octets (digest, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING", p.Digest[:], p.Octets); err != nil {
				return fmt.Errorf("store: projectathon: %w", err)
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO projectathon_holder (digest, test) VALUES ($1, $2) ON CONFLICT DO NOTHING", p.Digest[:], p.Test); err != nil {
				return fmt.Errorf("store: projectathon: %w", err)
			}
		}
		return nil
	})
}

func (s projectathons) Holding(ctx context.Context, digest [32]byte) (tests []string, err error) {
	rows, err := s.db.on(ctx).QueryContext(ctx, "SELECT test FROM projectathon_holder WHERE digest = $1 ORDER BY test LIMIT 100", digest[:])
	if err != nil {
		return nil, fmt.Errorf("store: projectathon: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var test string
		if err := rows.Scan(&test); err != nil {
			return nil, fmt.Errorf("store: projectathon: %w", err)
		}
		tests = append(tests, test)
	}
	return tests, rows.Err()
}

func (s projectathons) Kept(ctx context.Context, digest [32]byte) (sealed []byte, err error) {
	err = s.db.on(ctx).QueryRowContext(ctx, "SELECT sealed FROM projectathon_octets WHERE digest = $1", digest[:]).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		err = projectathon.ErrUnknown
	}
	return sealed, err
}
