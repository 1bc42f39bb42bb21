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

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/store/storetest"
)

const (
	victimEnv   = "OOTS_TEST_VICTIM" // address of the store, blank, first seed
	perImport   = 600                // more than one batch
	killsSQLite = 100
	killsServer = 20
)

// victim imports and appends without end and says what it has finished; it is
// killed meanwhile.
func victim() int {
	var first uint64
	data, seed, _ := strings.Cut(os.Getenv(victimEnv), " ")
	fmt.Sscan(seed, &first)
	ctx := context.Background()
	db, err := store.Open(ctx, data, store.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	key, err := db.LedgerKey(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	l := ledger.New(ledger.Config{Store: db.Ledger(), Key: key})
	fmt.Println("ready")
	for seed := first; ; seed++ {
		var file bytes.Buffer
		if err := ledgertest.WriteFacts(&file, perImport, seed); err != nil {
			return 1
		}
		if _, err := l.Import(ctx, &file, ledger.ImportOptions{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println("imported", seed)
		if _, err := l.Append(ctx, ledgertest.Nomination(fmt.Sprint("one/", seed), "AT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println("appended", seed)
	}
}

// TestKilledAtAnyInstant kills a process that imports and appends, 100 times,
// and finds each time a whole ledger: what was reported is there, an import is
// there as a whole or not at all.
func TestKilledAtAnyInstant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, data func(*testing.T) string) {
		kills := killsSQLite
		if strings.Contains(t.Name(), "PostgreSQL") {
			kills = killsServer
		}
		r := rand.New(rand.NewPCG(1, 2))
		survived := 0
		for done := 0; done < kills; {
			address := data(t)
			reported := map[string]int{} // what has to be there
			seed := uint64(1)
			for range min(10, kills-done) {
				done++
				seed = kill(t, address, seed, time.Duration(r.Int64N(int64(40*time.Millisecond))), r.IntN(5) == 0, reported)
				survived += inspect(t, address, reported)
				seed++
			}
		}
		t.Logf("%d kills: %d transactions survived whole, none in part", kills, survived)
	})
}

// kill lets a victim work for a while, kills it and returns the last seed it
// may have touched.
func kill(t *testing.T, address string, seed uint64, after time.Duration, atStart bool, reported map[string]int) uint64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", victimEnv, address, seed))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(map[bool]time.Duration{true: after, false: time.Minute}[atStart], func() { cmd.Process.Kill() })
	last := seed
	for lines := bufio.NewScanner(out); lines.Scan(); {
		what, number, _ := strings.Cut(lines.Text(), " ")
		if what == "ready" {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
			continue
		}
		reported[what+" "+number]++
		if what == "appended" {
			fmt.Sscan(number, &last)
			last++ // the next one may be under way
		}
	}
	cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatalf("the victim failed before it was killed: %s", &stderr)
	}
	return last
}

// inspect verifies the store and compares it with what was reported. It counts
// the transactions that are there.
func inspect(t *testing.T, address string, reported map[string]int) int {
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
	l := ledger.New(ledger.Config{Store: db.Ledger(), Key: key})
	head, err := l.Verify(t.Context(), ledger.VerifyOptions{})
	if err != nil {
		t.Fatalf("after a kill the ledger does not verify: %v", err)
	}
	found := map[string]int{}
	n := int64(0)
	for e, err := range l.Facts(t.Context(), ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if seed, ok := strings.CutPrefix(e.Fact.ID, "one/"); ok {
			found["appended "+seed]++
			continue
		}
		tail := e.Fact.ID[strings.LastIndexByte(e.Fact.ID, '/')+1:]
		seed, _, _ := strings.Cut(tail, "-")
		found["imported "+seed]++
	}
	if n != head.Size {
		t.Fatalf("%d facts, the head says %d", n, head.Size)
	}
	for what, count := range found {
		want := 1
		if strings.HasPrefix(what, "imported") {
			want = perImport
		}
		if count != want {
			t.Fatalf("%s: %d of %d facts are there", what, count, want)
		}
	}
	for what := range reported {
		if found[what] == 0 {
			t.Fatalf("%s was reported, but is not there", what)
		}
	}
	return len(found)
}
