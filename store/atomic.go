package store

import (
	"context"
	"database/sql"
)

// running is the key of the transaction that a context carries for a database.
type running struct{ db *DB }

// Atomically runs f in one transaction that writes: whatever any port of this
// database writes under the context given to f is committed together, or not at
// all. Within a transaction it joins that one.
func (db *DB) Atomically(ctx context.Context, f func(ctx context.Context) error) error {
	return db.Write(ctx, func(tx *sql.Tx) error { return f(context.WithValue(ctx, running{db}, tx)) })
}

// joined is the transaction that ctx carries, nil for none.
func (db *DB) joined(ctx context.Context) *sql.Tx {
	tx, _ := ctx.Value(running{db}).(*sql.Tx)
	return tx
}

// on is where a port reads: the transaction that ctx carries, or the database.
func (db *DB) on(ctx context.Context) querier {
	if tx := db.joined(ctx); tx != nil {
		return tx
	}
	return db
}
