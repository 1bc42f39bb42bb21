package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/once-only/oots/exchange"
)

// Exchange is the store of a node's exchanges in this database.
func (db *DB) Exchange() exchange.Store { return exchangeStore{db} }

type exchangeStore struct{ db *DB }

func (s exchangeStore) Atomically(ctx context.Context, f func(ctx context.Context) error) error {
	return s.db.Atomically(ctx, f)
}

func (s exchangeStore) Create(ctx context.Context, r exchange.Row) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO exchange_row (kind, id, state, made_at, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (kind, id) DO NOTHING`, r.Kind, r.ID, r.State, millis(r.MadeAt), octets(r.Body))
		if err := expect(done, err, exchange.ErrKnown); err != nil {
			return err
		}
		return insertKeys(ctx, tx, r)
	})
}

func insertKeys(ctx context.Context, tx *sql.Tx, r exchange.Row) error {
	for _, key := range r.Keys {
		if _, err := tx.ExecContext(ctx, `INSERT INTO exchange_key (kind, name, made_at, id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			r.Kind, key, millis(r.MadeAt), r.ID); err != nil {
			return err
		}
	}
	return nil
}

const exchangeColumns = "kind, id, state, made_at, body"

func scanExchangeRow(row scanner) (r exchange.Row, err error) {
	var made int64
	err = row.Scan(&r.Kind, &r.ID, &r.State, &made, &r.Body)
	r.MadeAt = instant(made)
	return r, err
}

const keysOfRow = "SELECT name FROM exchange_key WHERE kind = $1 AND id = $2 ORDER BY name"

// keysOf gives the keys of a row, in their order.
func keysOf(ctx context.Context, q querier, kind, id string) (keys []string, err error) {
	rows, err := q.QueryContext(ctx, keysOfRow, kind, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

func (s exchangeStore) Get(ctx context.Context, kind, id string) (exchange.Row, error) {
	lock := ""
	if s.db.joined(ctx) != nil {
		lock = s.db.dialect.lockRow
	}
	r, err := scanExchangeRow(s.db.on(ctx).QueryRowContext(ctx, "SELECT "+exchangeColumns+" FROM exchange_row WHERE kind = $1 AND id = $2"+lock, kind, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, exchange.ErrUnknown
	} else if err != nil {
		return r, err
	}
	r.Keys, err = keysOf(ctx, s.db.on(ctx), kind, id)
	return r, err
}

func (s exchangeStore) Update(ctx context.Context, r exchange.Row) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var made int64
		err := tx.QueryRowContext(ctx, "UPDATE exchange_row SET state = $1, body = $2 WHERE kind = $3 AND id = $4 RETURNING made_at",
			r.State, octets(r.Body), r.Kind, r.ID).Scan(&made)
		if errors.Is(err, sql.ErrNoRows) {
			return exchange.ErrUnknown
		} else if err != nil {
			return err
		}
		r.MadeAt = instant(made)
		return replaceKeys(ctx, tx, r)
	})
}

// replaceKeys writes what is different: a row is saved often, its keys hardly
// ever change.
func replaceKeys(ctx context.Context, tx *sql.Tx, r exchange.Row) error {
	old, err := keysOf(ctx, tx, r.Kind, r.ID)
	if err != nil {
		return err
	}
	for _, key := range old {
		if slices.Contains(r.Keys, key) {
			continue
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM exchange_key WHERE kind = $1 AND id = $2 AND name = $3", r.Kind, r.ID, key); err != nil {
			return err
		}
	}
	r.Keys = slices.DeleteFunc(slices.Clone(r.Keys), func(key string) bool { return slices.Contains(old, key) })
	return insertKeys(ctx, tx, r)
}

// query reads rows with their keys; the rows are closed before keys are asked,
// for a transaction has one connection.
func (s exchangeStore) query(ctx context.Context, text string, args ...any) (found []exchange.Row, err error) {
	rows, err := s.db.on(ctx).QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanExchangeRow(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for i := range found {
		if found[i].Keys, err = keysOf(ctx, s.db.on(ctx), found[i].Kind, found[i].ID); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s exchangeStore) Find(ctx context.Context, kind, key string, n int) ([]exchange.Row, error) {
	return s.query(ctx, `SELECT r.kind, r.id, r.state, r.made_at, r.body FROM exchange_key k
		JOIN exchange_row r ON r.kind = k.kind AND r.id = k.id
		WHERE k.kind = $1 AND k.name = $2 ORDER BY k.made_at, k.id LIMIT $3`, kind, key, n)
}

func (s exchangeStore) Remove(ctx context.Context, kind, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM exchange_key WHERE kind = $1 AND id = $2", kind, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM exchange_row WHERE kind = $1 AND id = $2", kind, id)
		return err
	})
}

func (s exchangeStore) Forget(ctx context.Context, kind string, before time.Time) (n int, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM exchange_key WHERE kind = $1 AND made_at < $2", kind, millis(before)); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, "DELETE FROM exchange_row WHERE kind = $1 AND made_at < $2", kind, millis(before))
		if err != nil {
			return err
		}
		gone, err := done.RowsAffected()
		n = int(gone)
		return err
	})
	return n, err
}

// pageOfRows bounds what Each holds at once.
const pageOfRows = 200

func (s exchangeStore) Each(ctx context.Context, kind string, from, until time.Time, f func(exchange.Row) error) error {
	at, after := millis(from), ""
	for {
		page, err := s.query(ctx, "SELECT "+exchangeColumns+` FROM exchange_row
			WHERE kind = $1 AND (made_at > $2 OR made_at = $2 AND id > $3) AND made_at < $4 ORDER BY made_at, id LIMIT $5`, kind, at, after, millis(until), pageOfRows)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := f(r); err != nil {
				return err
			}
		}
		if len(page) < pageOfRows {
			return nil
		}
		at, after = millis(page[len(page)-1].MadeAt), page[len(page)-1].ID
	}
}

func (s exchangeStore) Schedule(ctx context.Context, t exchange.Task) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO exchange_task (id, due, attempt) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET due = excluded.due, attempt = excluded.attempt`, t.ID, millis(t.Due), t.Attempt)
		return err
	})
}

func (s exchangeStore) Lease(ctx context.Context, now, until time.Time, n int) (leased []exchange.Task, err error) {
	// A look without the write lock first: nothing is due most of the time.
	var due int
	if err := s.db.on(ctx).QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM exchange_task WHERE due <= $1 LIMIT 1) AS due", millis(now)).Scan(&due); err != nil || due == 0 {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `UPDATE exchange_task SET due = $1, attempt = attempt + 1 WHERE id IN (
			SELECT id FROM exchange_task WHERE due <= $2 ORDER BY due, id LIMIT $3`+s.db.dialect.forUpdate+`)
			RETURNING id, due, attempt`, millis(until), millis(now), n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t exchange.Task
			var due int64
			if err := rows.Scan(&t.ID, &due, &t.Attempt); err != nil {
				return err
			}
			t.Due = instant(due)
			leased = append(leased, t)
		}
		return rows.Err()
	})
	return leased, err
}

func (s exchangeStore) Done(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM exchange_task WHERE id = $1", id)
		return err
	})
}
