package ledger_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
	"github.com/once-only/oots/store"
)

// size is how many facts the ledger benchmarks work on: OOTS_BENCH_FACTS, or
// 1,000,000.
func size(b *testing.B) int {
	if s := os.Getenv("OOTS_BENCH_FACTS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			b.Fatalf("OOTS_BENCH_FACTS=%q is no number of facts", s)
		}
		return n
	}
	return 1_000_000
}

var file struct {
	sync.Mutex
	dir string
}

// factsFile is a facts file of n generated facts.
func factsFile(b *testing.B, n int) string {
	b.Helper()
	name := filepath.Join(benchDir(b), fmt.Sprintf("facts-%d.jsonl", n))
	if _, err := os.Stat(name); err == nil {
		return name
	}
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := ledgertest.WriteFacts(w, n, 1); err != nil {
		b.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return name
}

// benchDir is a folder for this run, shared by the benchmarks.
func benchDir(b *testing.B) string {
	b.Helper()
	file.Lock()
	defer file.Unlock()
	if file.dir == "" {
		dir, err := os.MkdirTemp("", "oots-bench-")
		if err != nil {
			b.Fatal(err)
		}
		file.dir = dir
	}
	return file.dir
}

// TestMain takes the shared folder away at the end.
func TestMain(m *testing.M) {
	code := m.Run()
	if file.dir != "" {
		os.RemoveAll(file.dir)
	}
	os.Exit(code)
}

// data is the store to import into: OOTS_BENCH_DATA (an empty PostgreSQL
// database), or a fresh folder.
func data(b *testing.B) string {
	if s := os.Getenv("OOTS_BENCH_DATA"); s != "" {
		return s
	}
	dir, err := os.MkdirTemp(benchDir(b), "data-")
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

func openLedger(b *testing.B, data string) (*store.DB, *ledger.Ledger) {
	b.Helper()
	db, err := store.Open(b.Context(), data, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return db, ledgertest.New(b, db.Ledger())
}

// filled is a store with n facts, made once a run.
var filled = map[int]string{}

func filledStore(b *testing.B, n int) string {
	b.Helper()
	if dir := filled[n]; dir != "" {
		return dir
	}
	dir := data(b)
	importInto(b, dir, n)
	filled[n] = dir
	return dir
}

func importInto(b *testing.B, dir string, n int) {
	b.Helper()
	db, l := openLedger(b, dir)
	defer db.Close()
	in, err := os.Open(factsFile(b, n))
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	if r, err := l.Import(b.Context(), in, ledger.ImportOptions{}); err != nil || r.Size != int64(n) {
		b.Fatal(r, err)
	}
}

// BenchmarkLedgerImport: a facts file into a fresh store, one transaction.
func BenchmarkLedgerImport(b *testing.B) {
	n := min(size(b), 200_000)
	factsFile(b, n)
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		dir := data(b)
		b.StartTimer()
		importInto(b, dir, n)
	}
	perSecond(b, n)
}

// BenchmarkLedgerImportLarge: the same with all the facts.
func BenchmarkLedgerImportLarge(b *testing.B) {
	n := size(b)
	factsFile(b, n)
	b.ResetTimer()
	for b.Loop() {
		filled[n] = data(b)
		importInto(b, filled[n], n)
	}
	perSecond(b, n)
}

// BenchmarkLedgerVerify: the whole chain.
func BenchmarkLedgerVerify(b *testing.B) {
	n := size(b)
	dir := filledStore(b, n)
	b.ResetTimer()
	for b.Loop() {
		db, l := openLedger(b, dir)
		if h, err := l.Verify(b.Context(), ledger.VerifyOptions{}); err != nil || h.Size != int64(n) {
			b.Fatal(h, err)
		}
		db.Close()
	}
	perSecond(b, n)
}

// BenchmarkLedgerRead: open, read and decode every fact, keep none.
func BenchmarkLedgerRead(b *testing.B) {
	n := size(b)
	dir := filledStore(b, n)
	b.ResetTimer()
	for b.Loop() {
		db, l := openLedger(b, dir)
		read := 0
		for _, err := range l.Facts(b.Context(), ledger.Filter{}) {
			if err != nil {
				b.Fatal(err)
			}
			read++
		}
		if read != n {
			b.Fatal(read)
		}
		db.Close()
	}
	perSecond(b, n)
	b.ReportMetric(peak(), "peak-MB")
}

// BenchmarkColdStart: what stands between the start of a server and its first
// page: open the store, read every fact into the meter, assess every country.
func BenchmarkColdStart(b *testing.B) {
	n := size(b)
	dir := filledStore(b, n)
	b.ResetTimer()
	for b.Loop() {
		db, l := openLedger(b, dir)
		m, err := acceleratormeter.New(acceleratormeter.Config{Facts: l, Store: db.Snapshots(), Signer: ledgertest.Key(b)})
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
		if s, err := m.Standings("", time.Time{}); err != nil || len(s) == 0 {
			b.Fatal(len(s), err)
		}
		db.Close()
	}
	perSecond(b, n)
	b.ReportMetric(peak(), "peak-MB")
}

// BenchmarkLedgerExport: the whole ledger as a facts file.
func BenchmarkLedgerExport(b *testing.B) {
	n := size(b)
	db, l := openLedger(b, filledStore(b, n))
	defer db.Close()
	b.ResetTimer()
	for b.Loop() {
		if err := l.Export(b.Context(), io.Discard, ledger.Filter{}); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, n)
}

// BenchmarkLedgerAppend: one fact at a time, each in a transaction of its own
// with a signed checkpoint.
func BenchmarkLedgerAppend(b *testing.B) {
	db, l := openLedger(b, data(b))
	defer db.Close()
	i := 0
	for b.Loop() {
		i++
		if _, err := l.Append(b.Context(), ledgertest.Nomination(fmt.Sprint("n", i, "/", time.Now().UnixNano()), "AT")); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLedgerProof: an inclusion proof in a large tree.
func BenchmarkLedgerProof(b *testing.B) {
	n := size(b)
	db, l := openLedger(b, filledStore(b, n))
	defer db.Close()
	var ids []string
	for e, err := range l.Facts(b.Context(), ledger.Filter{From: int64(n / 2), Limit: 100}) {
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, e.Fact.ID)
	}
	i := 0
	for b.Loop() {
		i++
		if _, err := l.Proof(b.Context(), ids[i%len(ids)], 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFactDecode: one line, with encoding/json's figure beside it in
// bench/ledger.md.
func BenchmarkFactDecode(b *testing.B) {
	lines := sampleLines(1000)
	var octets int
	for _, l := range lines {
		octets += len(l)
	}
	b.SetBytes(int64(octets / len(lines)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if _, err := ledger.DecodeLine(lines[i%len(lines)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFactEncode: the canonical form.
func BenchmarkFactEncode(b *testing.B) {
	var facts []ledger.Fact
	for f := range ledgertest.Facts(1000, 1) {
		facts = append(facts, f)
	}
	b.ReportAllocs()
	var line []byte
	i := 0
	for b.Loop() {
		i++
		line = ledger.AppendLine(line[:0], &facts[i%len(facts)])
	}
}

// BenchmarkFactCheck: the table of kinds.
func BenchmarkFactCheck(b *testing.B) {
	var facts []ledger.Fact
	for f := range ledgertest.Facts(1000, 1) {
		facts = append(facts, f)
	}
	i := 0
	for b.Loop() {
		i++
		if err := ledger.Check(facts[i%len(facts)]); err != nil {
			b.Fatal(err)
		}
	}
}

func sampleLines(n int) [][]byte {
	var lines [][]byte
	for f := range ledgertest.Facts(n, 1) {
		lines = append(lines, ledger.AppendLine(nil, &f))
	}
	return lines
}

func perSecond(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "facts/s")
}

// peak is the most memory the process ever held (VmHWM), in megabytes; 0 where
// the system does not tell.
func peak() float64 {
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1000
		}
	}
	return 0
}
