package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/store/storetest"
)

func TestLedger(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		ledgertest.Run(t, func(t *testing.T) ledger.Store { return storetest.Open(t, data(t)).Ledger() })
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, data := range []string{"", "mysql://host/db", "https://example.eu"} {
		if db, err := store.Open(t.Context(), data, store.Options{}); err == nil {
			db.Close()
			t.Errorf("%q was opened", data)
		}
	}
	empty := filepath.Join(t.TempDir(), "none")
	if _, err := store.Open(t.Context(), empty, store.Options{MustExist: true}); !errors.Is(err, store.ErrNoStore) {
		t.Errorf("an absent store: %v, want ErrNoStore", err)
	}
	if _, err := os.Stat(empty); !errors.Is(err, fs.ErrNotExist) {
		t.Error("looking for a store made its folder")
	}
	file := filepath.Join(t.TempDir(), store.File)
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if db, err := store.Open(t.Context(), filepath.Dir(file), store.Options{}); err == nil {
		db.Close()
		t.Error("a file that is no database was opened")
	}
	_, err := store.Open(t.Context(), "postgres://user:secret@127.0.0.1:1/none?connect_timeout=1", store.Options{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("no server: %v; want an error without the password", err)
	}
}

func TestFolderNamesAreTakenAsTheyAre(t *testing.T) {
	for _, name := range []string{"a b", "what?", "50%", "c#d", "été", "x&_pragma=journal_mode(OFF)"} {
		dir := filepath.Join(t.TempDir(), name)
		storetest.Open(t, dir)
		if _, err := os.Stat(filepath.Join(dir, store.File)); err != nil {
			t.Error(err)
		}
	}
}

// Several processes may open a fresh store at the same moment.
func TestOpenedByManyAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		address := data(t)
		var wg sync.WaitGroup
		keys := make([]string, 8)
		for i := range keys {
			wg.Go(func() {
				db, err := store.Open(t.Context(), address, store.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				key, err := db.LedgerKey(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				keys[i] = key.Public()
			})
		}
		wg.Wait()
		if keys[0] == "" || slices.ContainsFunc(keys, func(k string) bool { return k != keys[0] }) {
			t.Errorf("one store, several keys: %v", keys)
		}
	})
}

func TestSecretIsMadeOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		address := data(t)
		first, err := storetest.Open(t, address).Secret(t.Context(), "cookie", store.RandomSecret)
		if err != nil || len(first) != 64 {
			t.Fatal(first, err)
		}
		again, err := storetest.Open(t, address).Secret(t.Context(), "cookie", func() (string, error) { return "another", nil })
		if err != nil || again != first {
			t.Errorf("the second time it was %q, %v", again, err)
		}
		boom := errors.New("no randomness")
		if _, err := storetest.Open(t, address).Secret(t.Context(), "new", func() (string, error) { return "", boom }); !errors.Is(err, boom) {
			t.Errorf("%v", err)
		}
	})
}
