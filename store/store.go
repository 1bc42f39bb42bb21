// Package store implements the ports that the ledger and the streets declare,
// on SQLite (embedded, one file, the default) and on PostgreSQL.
//
// One SQL text serves both: $1 parameters, ids as TEXT, times as BIGINT (Unix
// milliseconds, UTC; 0 for none), truth as BIGINT 0 or 1, JSON as TEXT that is
// decoded in Go. The few differences stand in dialect.
//
// A port has one file here, named after it, with a small type over *DB:
//
//	func (db *DB) Ledger() ledger.Store { return ledgerStore{db} }
//
// It reads with db.QueryContext, db.QueryRowContext and writes with db.Write
// (or db.WriteAlone where only one writer may run). Its tables are a migration:
// the next number in migrations/, plain SQL, with "{{blob}}" for the type of
// octets and "{{key}}" for that of a whole number that is the primary key.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // driver "sqlite"
)

// Options of Open. Its zero value creates what is missing.
type Options struct {
	// MustExist refuses a folder in which there is no database yet.
	MustExist bool
}

// ErrNoStore: Options.MustExist was set and there is no database in the folder.
var ErrNoStore = errors.New("there is no store here")

// DB is an open database whose tables are up to date. It is safe for
// concurrent use and by several processes at once.
type DB struct {
	*sql.DB
	dialect dialect
	dir     string
}

// dialect is all that differs between the two databases.
type dialect struct {
	name      string
	goose     goose.Dialect
	blob      string // type of octets
	key       string // type of a whole number that is the primary key
	forUpdate string // appended to a SELECT that claims rows
	lockRow   string // appended to a SELECT of one row that is to be changed
}

var (
	sqlite   = dialect{name: "sqlite", goose: goose.DialectSQLite3, blob: "BLOB", key: "INTEGER"}
	postgres = dialect{name: "postgres", goose: goose.DialectPostgres, blob: "BYTEA", key: "BIGINT", forUpdate: " FOR UPDATE SKIP LOCKED", lockRow: " FOR UPDATE"}
)

// File is the name of the SQLite database in a data folder.
const File = "oots.db"

// Open opens the store at data, a folder or a postgres:// address, and brings
// its tables up to date. A folder that is missing is made.
func Open(ctx context.Context, data string, o Options) (*DB, error) {
	db, err := connect(data, o)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("store %s: %w", redact(data), err)
	}
	return db, nil
}

func connect(data string, o Options) (*DB, error) {
	if IsPostgres(data) {
		pool, err := sql.Open("pgx", data)
		if err != nil {
			return nil, fmt.Errorf("store %s: %w", redact(data), err)
		}
		pool.SetMaxOpenConns(16)
		pool.SetConnMaxIdleTime(5 * time.Minute)
		return &DB{DB: pool, dialect: postgres}, nil
	}
	if scheme, _, ok := strings.Cut(data, "://"); ok {
		return nil, fmt.Errorf("%s:// is no store; give a folder or a postgres:// address", scheme)
	}
	if data == "" {
		return nil, errors.New("no store is named; give a folder or a postgres:// address")
	}
	dir, err := filepath.Abs(data)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, File)
	if o.MustExist {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s has no %s", ErrNoStore, data, File)
		}
	} else if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	dsn := (&url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: "_pragma=busy_timeout(5000)" +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&_txlock=immediate"}).String()
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", data, err)
	}
	pool.SetMaxOpenConns(8)
	pool.SetMaxIdleConns(8)
	return &DB{DB: pool, dialect: sqlite, dir: dir}, nil
}

// IsPostgres tells whether data names a PostgreSQL database and not a folder.
func IsPostgres(data string) bool {
	return strings.HasPrefix(data, "postgres://") || strings.HasPrefix(data, "postgresql://")
}

// redact takes the password out of an address.
func redact(data string) string {
	if u, err := url.Parse(data); err == nil && IsPostgres(data) {
		return u.Redacted()
	}
	return data
}

// Dir is the folder of an SQLite store, for what is spooled beside the
// database; empty for PostgreSQL.
func (db *DB) Dir() string { return db.dir }

// Write runs f in a transaction that writes, and commits when f succeeds. On
// SQLite it holds the one write lock from the beginning. Under a context of
// Atomically it takes part in that transaction.
func (db *DB) Write(ctx context.Context, f func(*sql.Tx) error) error {
	if tx := db.joined(ctx); tx != nil {
		return f(tx)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// WriteAlone is Write with the promise that no other WriteAlone of the same
// name runs meanwhile, in this process or another.
func (db *DB) WriteAlone(ctx context.Context, name string, f func(*sql.Tx) error) error {
	return db.Write(ctx, func(tx *sql.Tx) error {
		if err := db.alone(ctx, tx, name); err != nil {
			return err
		}
		return f(tx)
	})
}

// alone waits until no other transaction holds that name. In SQLite a
// transaction that writes is alone anyway.
func (db *DB) alone(ctx context.Context, tx *sql.Tx, name string) error {
	if db.dialect.name != postgres.name {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", "oots "+name)
	return err
}

// Secret is the text kept under a name; when there is none yet, it is made and
// kept. Two processes that ask at once get the same text.
func (db *DB) Secret(ctx context.Context, name string, make func() (string, error)) (string, error) {
	var text string
	err := db.QueryRowContext(ctx, "SELECT text FROM secret WHERE name=$1", name).Scan(&text)
	if !errors.Is(err, sql.ErrNoRows) {
		return text, err
	}
	fresh, err := make()
	if err != nil {
		return "", err
	}
	err = db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO secret (name, text) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, fresh); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT text FROM secret WHERE name=$1", name).Scan(&text)
	})
	if err != nil {
		return "", fmt.Errorf("store: secret %s: %w", name, err)
	}
	return text, nil
}

// RandomSecret is a make function for Secret: 32 random octets in hexadecimal.
func RandomSecret() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", b), nil
}

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date. A migration is a file NNNN_name.sql,
// run in a transaction; a published one is never changed.
func (db *DB) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	var steps []*goose.Migration
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return fmt.Errorf("migration %s: its name begins with a number", file)
		}
		text, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if err := db.step(ctx, tx, version, string(text)); err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
			return nil
		}}, nil))
	}
	p, err := goose.NewProvider(db.dialect.goose, db.DB, nil,
		goose.WithGoMigrations(steps...), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	if pending, err := p.HasPending(ctx); err == nil && !pending {
		return nil
	}
	_, err = p.Up(ctx)
	return err
}

// step runs one migration, unless another process that opened the store at the
// same moment has just done so.
func (db *DB) step(ctx context.Context, tx *sql.Tx, version int64, text string) error {
	if err := db.alone(ctx, tx, "migration"); err != nil {
		return err
	}
	var done int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM goose_db_version WHERE version_id = $1", version).Scan(&done); err != nil || done > 0 {
		return err
	}
	_, err := tx.ExecContext(ctx, strings.NewReplacer("{{blob}}", db.dialect.blob, "{{key}}", db.dialect.key).Replace(text))
	return err
}
