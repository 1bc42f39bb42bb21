package store_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/store/storetest"
	"golang.org/x/mod/sumdb/note"
)

const publisherEnv = "OOTS_TEST_PUBLISHER" // address of the store

// TestPublisher is the process that TestKilledWhilePublishing kills: it drafts,
// approves and publishes without end and says what it has finished.
func TestPublisher(t *testing.T) {
	data := os.Getenv(publisherEnv)
	if data == "" {
		return // it works only as a process of TestKilledWhilePublishing
	}
	ctx := context.Background()
	db, err := store.Open(ctx, data, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := db.LedgerKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New(ledger.Config{Store: db.Ledger(), Key: key})
	m, err := acceleratormeter.New(acceleratormeter.Config{Facts: l, Store: db.Snapshots(), Signer: key,
		Verify: func(ctx context.Context) error { _, err := l.Verify(ctx, ledger.VerifyOptions{}); return err }})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	for {
		d, err := m.Draft(ctx, acceleratormeter.DraftOrder{By: "one", Reason: "test"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Approve(ctx, d.ID, "two"); err != nil {
			t.Fatal(err)
		}
		s, err := m.Publish(ctx, d.ID, "three")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("published", s.Sequence, s.ContentHash)
	}
}

// TestKilledWhilePublishing kills a publisher at random instants and finds each
// time a whole chain: what was reported is there, nothing is half published.
func TestKilledWhilePublishing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		r := rand.New(rand.NewPCG(3, 4))
		address := data(t)
		reported := map[string]bool{}
		kills := killsSQLite
		if strings.Contains(t.Name(), "PostgreSQL") {
			kills = killsServer
		}
		for range kills {
			cmd := exec.Command(os.Args[0], "-test.run=^TestPublisher$", "-test.v")
			cmd.Env = append(os.Environ(), publisherEnv+"="+address)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			after := time.Duration(r.Int64N(int64(40 * time.Millisecond)))
			limit := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
			for lines := bufio.NewScanner(out); lines.Scan(); {
				switch line := lines.Text(); {
				case line == "ready":
					time.AfterFunc(after, func() { cmd.Process.Kill() })
				case strings.HasPrefix(line, "published "):
					reported[line] = true
				case strings.HasPrefix(line, "--- FAIL"), strings.Contains(line, "_test.go:"):
					t.Fatalf("the publisher failed before it was killed: %s", line)
				}
			}
			cmd.Wait()
			limit.Stop()
			checkChain(t, address, reported)
		}
		t.Logf("%d kills, %d snapshots reported", kills, len(reported))
	})
}

func checkChain(t *testing.T, address string, reported map[string]bool) {
	t.Helper()
	db, err := store.Open(t.Context(), address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	key, err := db.LedgerKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	list, err := db.Snapshots().All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := acceleratormeter.VerifySnapshots(list, note.VerifierList(verifier)); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, s := range list {
		there[fmt.Sprintln("published", s.Sequence, s.ContentHash)] = true
	}
	for line := range reported {
		if !there[line+"\n"] {
			t.Fatalf("%q was reported, but is not there", line)
		}
	}
	open, err := db.Snapshots().Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range open {
		if s.State == acceleratormeter.Published || s.Sequence != 0 {
			t.Fatalf("%s is half published: %s, number %d", s.ID, s.State, s.Sequence)
		}
	}
}
