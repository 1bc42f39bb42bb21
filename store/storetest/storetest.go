// Package storetest opens fresh stores for tests: SQLite in a folder of the
// test's own, and a real PostgreSQL server that the test starts.
//
// PostgreSQL runs once per test binary, as another user where the test runs as
// root (initdb refuses root), listens on a socket in its own folder and dies
// with the test binary. Every test gets a database of its own.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/once-only/oots/store"
)

// Each runs a test on SQLite and on PostgreSQL. data gives the address of a
// fresh, empty store each time it is called.
func Each(t *testing.T, test func(t *testing.T, data func(*testing.T) string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, SQLite) })
	t.Run("PostgreSQL", func(t *testing.T) {
		Postgres(t) // skip the whole group at once
		test(t, Postgres)
	})
}

// Open opens a store and closes it when the test ends.
func Open(t testing.TB, data string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), data, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// SQLite is the folder of a fresh store.
func SQLite(t *testing.T) string { return t.TempDir() }

// Postgres is the address of a fresh database in a running server. Without
// PostgreSQL on the machine the test is skipped, or fails when OOTS_TEST_ALL=1.
func Postgres(t *testing.T) string {
	t.Helper()
	s, err := server()
	if err != nil {
		if os.Getenv("OOTS_TEST_ALL") == "1" {
			t.Fatal("PostgreSQL: ", err)
		}
		t.Skip("PostgreSQL: ", err)
	}
	name := fmt.Sprintf("t%d", s.count.Add(1))
	admin, err := sql.Open("pgx", s.address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return s.address(name)
}

// Main runs the tests of a binary and stops the server, if one was started:
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
// Without it the server ends with the test binary (Linux), and its folder stays.
func Main(m *testing.M) {
	code := m.Run()
	if s, err := running(); s != nil && err == nil {
		s.stop()
	}
	os.Exit(code)
}

type postgres struct {
	dir   string
	cmd   *exec.Cmd
	count atomic.Int64
}

func (s *postgres) address(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"oots"}, "sslmode": {"disable"}}
	return "postgres:///" + database + "?" + q.Encode()
}

func (s *postgres) stop() {
	s.cmd.Process.Signal(syscall.SIGINT) // fast shutdown
	s.cmd.Wait()
	os.RemoveAll(s.dir)
}

var started atomic.Bool

// server starts PostgreSQL the first time it is asked for.
var server = sync.OnceValues(func() (*postgres, error) {
	started.Store(true)
	return start()
})

func running() (*postgres, error) {
	if !started.Load() {
		return nil, nil
	}
	return server()
}

func start() (*postgres, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	who, err := credential()
	if err != nil {
		return nil, err
	}
	// A short path: a socket's address has room for about a hundred octets.
	dir, err := os.MkdirTemp("", "oots-pg-")
	if err != nil {
		return nil, err
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir = dir
		c.SysProcAttr = &syscall.SysProcAttr{Credential: who}
		c.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C", "TZ=UTC")
		dieWithParent(c.SysProcAttr)
		return c
	}
	if out, err := command("initdb", "-D", data, "-U", "oots", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := command("postgres", "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB")
	cmd.Stdout, cmd.Stderr = log, log
	if err := startFromMain(cmd); err != nil {
		return nil, err
	}
	s := &postgres{dir: dir, cmd: cmd}
	if err := s.answers(); err != nil {
		out, _ := os.ReadFile(log.Name())
		s.stop()
		return nil, fmt.Errorf("the server does not answer: %w: %s", err, out)
	}
	return s, nil
}

// answers waits until the server takes connections.
func (s *postgres) answers() error {
	db, err := sql.Open("pgx", s.address("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// binaries is the folder that holds both initdb and postgres: Debian's version
// folders, newest first, then the path.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for v := 99; v > 8; v-- {
		for _, dir := range found {
			if filepath.Base(filepath.Dir(dir)) == strconv.Itoa(v) && executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
				return dir, nil
			}
		}
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("initdb is neither in /usr/lib/postgresql nor on the path; install postgresql")
	}
	return filepath.Dir(initdb), nil
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode()&0o111 != 0
}

// credential is the user that PostgreSQL runs as when the test runs as root:
// postgres, else nobody. Nil for any other user.
func credential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("the test runs as root and there is no user postgres or nobody to start the server as")
}
