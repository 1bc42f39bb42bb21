// Package ledgertest holds the promises of ledger.Store, which every
// implementation runs, and generates facts for tests and benchmarks.
package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/ledger"
)

// Now is the instant of Clock.
var Now = time.Date(2027, time.February, 2, 12, 0, 0, 0, time.UTC)

// New makes a ledger with a frozen clock and a fixed key over a store.
func New(t testing.TB, s ledger.Store) *ledger.Ledger {
	t.Helper()
	return ledger.New(ledger.Config{Store: s, Key: Key(t), Now: func() time.Time { return Now }})
}

// Key is the same signing key in every test.
func Key(t testing.TB) *ledger.Key {
	t.Helper()
	private, err := ledger.NewKey(zeros{}, "ledger.example")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Nomination is the simplest valid fact.
func Nomination(id, country string) ledger.Fact {
	return ledger.Fact{
		ID: id, Kind: ledger.Nomination, Subject: ledger.Subject{Country: country}, Asserter: "ms:" + country,
		HappenedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Body: ledger.Body{Function: "coordinator"},
	}
}

// Run checks the promises; open makes a fresh, empty store each time.
func Run(t *testing.T, open func(t *testing.T) ledger.Store) {
	for _, promise := range []struct {
		name string
		test func(*testing.T, ledger.Store)
	}{
		{"an empty ledger is whole", empty},
		{"what goes in comes out, in order", inAndOut},
		{"the same fact again changes nothing", again},
		{"the same id with other content is refused", conflict},
		{"one bad fact keeps all out", allOrNothing},
		{"filters let through what they say", filters},
		{"every fact can be proven, and every growth", proofs},
		{"appends of many at once all arrive, once", concurrent},
		{"history keeps its times", history},
		{"a failed update leaves nothing", failedUpdate},
		{"entries that are pointed at must be there", pointing},
		{"runs of lines give what rows give", lines},
	} {
		t.Run(strings.ReplaceAll(promise.name, " ", "_"), func(t *testing.T) { promise.test(t, open(t)) })
	}
}

func empty(t *testing.T, s ledger.Store) {
	l := New(t, s)
	ctx := t.Context()
	head, err := l.Verify(ctx, ledger.VerifyOptions{})
	if err != nil || head.Size != 0 {
		t.Errorf("Verify = %v, %v", head, err)
	}
	for e, err := range l.Facts(ctx, ledger.Filter{}) {
		t.Errorf("an entry out of nothing: %v %v", e, err)
	}
	if _, err := l.Fact(ctx, "x"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Fact = %v, want ErrNotFound", err)
	}
	if r, err := l.Append(ctx); err != nil || r != (ledger.Receipt{}) {
		t.Errorf("Append of nothing = %v, %v", r, err)
	}
	note, err := l.Checkpoint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := ledger.OpenCheckpoint(note, Key(t).Public()); err != nil || h.Size != 0 {
		t.Errorf("checkpoint of nothing = %v, %v", h, err)
	}
}

func fill(t *testing.T, l *ledger.Ledger, n int) []ledger.Fact {
	t.Helper()
	facts := slices.Collect(Facts(n, 1))
	r, err := l.AppendHistory(t.Context(), facts...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Added != n || r.Size != int64(n) {
		t.Fatalf("receipt %+v, want %d added", r, n)
	}
	return facts
}

func inAndOut(t *testing.T, s ledger.Store) {
	l := New(t, s)
	facts := fill(t, l, 1300)
	n := 0
	for e, err := range l.Facts(t.Context(), ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if want := ledger.AppendLine(nil, &facts[n]); e.Position != int64(n) || !bytes.Equal(ledger.AppendLine(nil, &e.Fact), want) {
			t.Fatalf("entry %d is %s\nwant %s", e.Position, ledger.AppendLine(nil, &e.Fact), want)
		}
		n++
	}
	if n != len(facts) {
		t.Errorf("%d facts came out of %d", n, len(facts))
	}
	e, err := l.Fact(t.Context(), facts[700].ID)
	if err != nil || e.Position != 700 || e.Fact.ID != facts[700].ID {
		t.Errorf("Fact = %v %v", e, err)
	}
	head, err := l.Verify(t.Context(), ledger.VerifyOptions{})
	if err != nil || head.Size != 1300 {
		t.Errorf("Verify = %v %v", head.Size, err)
	}
	for e, err := range l.Facts(t.Context(), ledger.Filter{From: 600, Limit: 5}) {
		if err != nil || e.Position != 600 {
			t.Errorf("from 600: %d %v", e.Position, err)
		}
		break // leaving early must not hang
	}
}

func again(t *testing.T, s ledger.Store) {
	l := New(t, s)
	facts := fill(t, l, 40)
	more := append(slices.Clone(facts), Nomination("new", "AT"))
	r, err := l.AppendHistory(t.Context(), more...)
	if err != nil || r != (ledger.Receipt{Added: 1, Known: 40, Size: 41}) {
		t.Errorf("receipt %+v %v", r, err)
	}
	bare := facts[3]
	bare.RecordedAt = time.Time{} // the ledger set it; the asserter says the same again
	if r, err := l.Append(t.Context(), bare, Nomination("new", "AT")); err != nil || r.Known != 2 || r.Size != 41 {
		t.Errorf("receipt %+v %v", r, err)
	}
	if r, err := l.Append(t.Context(), Nomination("twin", "AT"), Nomination("twin", "AT")); err != nil || r.Added != 1 || r.Known != 1 {
		t.Errorf("twice in one append: %+v %v", r, err)
	}
}

func refusal(t *testing.T, err error, field string) {
	t.Helper()
	var r *ledger.Refusal
	if !errors.As(err, &r) || r.Field != field || r.Reason == "" {
		t.Errorf("error %v, want a refusal of %s", err, field)
	}
}

func conflict(t *testing.T, s ledger.Store) {
	l := New(t, s)
	if _, err := l.Append(t.Context(), Nomination("a", "AT")); err != nil {
		t.Fatal(err)
	}
	other := Nomination("a", "AT")
	other.Body.Function = "technical-contact-point"
	_, err := l.Append(t.Context(), other)
	refusal(t, err, "id")
	moved := Nomination("a", "AT")
	moved.RecordedAt = Now.Add(-time.Hour)
	_, err = l.AppendHistory(t.Context(), moved)
	refusal(t, err, "id")
}

func allOrNothing(t *testing.T, s ledger.Store) {
	l := New(t, s)
	bad := Nomination("bad", "AT")
	bad.Subject.Country = "GR"
	var facts []ledger.Fact
	for i := range 1200 {
		facts = append(facts, Nomination(fmt.Sprint("n", i), "AT"))
	}
	_, err := l.Append(t.Context(), append(facts, bad)...)
	refusal(t, err, "subject.country")
	if !strings.Contains(err.Error(), `use "EL"`) {
		t.Errorf("the refusal does not say what to write: %v", err)
	}
	if head, err := l.Verify(t.Context(), ledger.VerifyOptions{}); err != nil || head.Size != 0 {
		t.Errorf("after a refusal: %v %v", head, err)
	}
	var file bytes.Buffer
	if err := WriteFacts(&file, 700, 3); err != nil {
		t.Fatal(err)
	}
	file.WriteString("\n{\"id\":\"x\",\"knid\":\"probe\"}\n")
	_, err = l.Import(t.Context(), &file, ledger.ImportOptions{})
	var r *ledger.Refusal
	if !errors.As(err, &r) || r.Line != 702 || r.Field != "knid" {
		t.Errorf("import: %v, want line 702, knid", err)
	}
	if head, err := l.Head(t.Context()); err != nil || head.Size != 0 {
		t.Errorf("after a refused import: %v %v", head, err)
	}
}

func filters(t *testing.T, s ledger.Store) {
	l := New(t, s)
	facts := fill(t, l, 2500)
	since := facts[1200].RecordedAt
	for _, f := range []ledger.Filter{
		{Country: "EL"},
		{Kind: ledger.Probe},
		{Country: "AT", Kind: ledger.Conformance},
		{Since: since},
		{Country: "FI", Since: since, From: 1500},
		{Kind: ledger.Probe, Limit: 7},
		{Kind: ledger.Probe, Limit: 510},
		{From: 2400},
		{Limit: 3},
		{Country: "XX"},
	} {
		var want, got []string
		for i, x := range facts {
			if (f.Country == "" || x.Subject.Country == f.Country) && (f.Kind == "" || x.Kind == f.Kind) &&
				!x.RecordedAt.Before(f.Since) && int64(i) >= f.From && (f.Limit == 0 || len(want) < f.Limit) {
				want = append(want, x.ID)
			}
		}
		for e, err := range l.Facts(t.Context(), f) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Fact.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d facts, want %d", f, len(got), len(want))
		}
	}
}

func proofs(t *testing.T, s ledger.Store) {
	l := New(t, s)
	ctx := t.Context()
	public := Key(t).Public()
	var notes [][]byte
	for i := range 70 {
		if _, err := l.Append(ctx, Nomination(fmt.Sprint("f", i), "BE")); err != nil {
			t.Fatal(err)
		}
		note, err := l.Checkpoint(ctx)
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, note)
	}
	for i := 0; i < 70; i += 7 {
		for size := int64(i + 1); size <= 70; size += 13 {
			p, err := l.Proof(ctx, fmt.Sprint("f", i), size)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(public); err != nil || p.Size != size {
				t.Errorf("proof of %d in %d: %v", i, size, err)
			}
			p.Leaf = strings.Replace(p.Leaf, "BE", "DE", 1)
			if p.Check(public) == nil {
				t.Error("a proof of a changed fact holds")
			}
		}
		for to := int64(i + 1); to <= 70; to += 11 {
			c, err := l.Consistency(ctx, int64(i+1), to)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(public); err != nil {
				t.Errorf("consistency %d to %d: %v", i+1, to, err)
			}
			if h, err := ledger.OpenCheckpoint(notes[i], public); err != nil || ledger.Hash(h.Root) != c.FromRoot {
				t.Errorf("consistency begins at another root than was signed: %v", err)
			}
		}
	}
	if _, err := l.Proof(ctx, "nobody", 0); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("proof of nothing: %v", err)
	}
	_, err := l.Proof(ctx, "f1", 71)
	refusal(t, err, "tree_size")
	_, err = l.Proof(ctx, "f9", 4)
	refusal(t, err, "tree_size")
	_, err = l.Consistency(ctx, 0, 5)
	refusal(t, err, "from")
	if _, err := l.Verify(ctx, ledger.VerifyOptions{Checkpoint: notes[30], Public: public}); err != nil {
		t.Errorf("verify against an old checkpoint: %v", err)
	}
	old, err := ledger.OpenCheckpoint(notes[30], public)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := l.VerifySince(ctx, old); err != nil || h.Size != 70 {
		t.Errorf("VerifySince = %d %v", h.Size, err)
	}
	old.Root[0]++
	var broken *ledger.Broken
	if _, err := l.VerifySince(ctx, old); !errors.As(err, &broken) {
		t.Errorf("VerifySince another past = %v", err)
	}
}

func concurrent(t *testing.T, s ledger.Store) {
	l := New(t, s)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 10 {
				// Each fact comes from two workers.
				if _, err := l.Append(t.Context(), Nomination(fmt.Sprintf("c%d-%d", w/2, i), "FR")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	head, err := l.Verify(t.Context(), ledger.VerifyOptions{})
	if err != nil || head.Size != 40 {
		t.Errorf("Verify = %d %v, want 40", head.Size, err)
	}
}

func history(t *testing.T, s ledger.Store) {
	l := New(t, s)
	f := Nomination("h", "AT")
	f.RecordedAt = f.HappenedAt.Add(time.Hour)
	_, err := l.Append(t.Context(), f)
	refusal(t, err, "recorded_at")
	if _, err := l.AppendHistory(t.Context(), Nomination("now", "AT"), f); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]time.Time{"now": Now, "h": f.RecordedAt} {
		if e, err := l.Fact(t.Context(), id); err != nil || !e.Fact.RecordedAt.Equal(want) {
			t.Errorf("%s recorded at %v, want %v (%v)", id, e.Fact.RecordedAt, want, err)
		}
	}
	f.ID, f.RecordedAt = "later", Now.Add(time.Minute)
	_, err = l.AppendHistory(t.Context(), f)
	refusal(t, err, "recorded_at")
	ahead := Nomination("ahead", "AT")
	ahead.HappenedAt = Now.Add(time.Hour)
	_, err = l.Append(t.Context(), ahead)
	refusal(t, err, "happened_at")
}

func failedUpdate(t *testing.T, s ledger.Store) {
	l := New(t, s)
	fill(t, l, 300)
	before, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err = s.Update(t.Context(), func(tx ledger.Tx) error {
		ctx := t.Context()
		if err := tx.Append(ctx, []ledger.Row{{Position: 300, ID: "z", Kind: "probe", Leaf: []byte("{}")}}); err != nil {
			return err
		}
		if err := tx.PutHashes(ctx, 0, []byte("nonsense")); err != nil {
			return err
		}
		if err := tx.PutHead(ctx, ledger.Head{Size: 301}); err != nil {
			return err
		}
		if h, err := tx.Head(ctx); err != nil || h.Size != 301 {
			t.Errorf("a transaction does not see its own head: %v %v", h.Size, err)
		}
		if rows, err := tx.Find(ctx, []string{"z"}); err != nil || len(rows) != 1 {
			t.Errorf("a transaction does not see its own rows: %v %v", rows, err)
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("Update = %v, want the error of its function", err)
	}
	after, err := l.Verify(t.Context(), ledger.VerifyOptions{})
	if err != nil || after.Size != before.Size || after.Root != before.Root {
		t.Errorf("after a failed update: %d entries, %v", after.Size, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(ctx, Nomination("late", "AT")); err == nil {
		// Memory asks nobody; what matters is that nothing is half done.
		if _, err := l.Verify(t.Context(), ledger.VerifyOptions{}); err != nil {
			t.Error(err)
		}
	}
}

func pointing(t *testing.T, s ledger.Store) {
	l := New(t, s)
	ctx := t.Context()
	verdict := ledger.Fact{
		ID: "v", Kind: ledger.Verdict, Subject: ledger.Subject{Country: "AT"}, Asserter: "commission:2",
		HappenedAt: Now.Add(-time.Hour), PointsAt: "n", Body: ledger.Body{Outcome: "verified"},
	}
	_, err := l.Append(ctx, verdict)
	refusal(t, err, "points_at")
	if _, err := l.Append(ctx, Nomination("n", "AT"), verdict); err != nil {
		t.Errorf("both together: %v", err)
	}
	wrong := verdict
	wrong.ID, wrong.Asserter = "v2", "monitor:1" // monitors do not verify nominations
	_, err = l.Append(ctx, wrong)
	refusal(t, err, "asserter")
	wrong = verdict
	wrong.ID, wrong.Subject.Country = "v3", "DE"
	_, err = l.Append(ctx, wrong)
	refusal(t, err, "subject.country")

	take := ledger.Fact{ID: "w", Kind: ledger.Withdrawal, Subject: ledger.Subject{Country: "AT"}, Asserter: "coordinator:AT", HappenedAt: Now, PointsAt: "n"}
	_, err = l.Append(ctx, take)
	refusal(t, err, "asserter")
	take.Asserter = "ms:AT"
	mend := Nomination("m", "AT")
	mend.Kind, mend.PointsAt, mend.Body.Function = ledger.Correction, "n", "technical-contact-point"
	half := mend
	half.ID, half.Body = "half", ledger.Body{Note: "forgot the rest"}
	_, err = l.Append(ctx, half)
	refusal(t, err, "body.function")
	if _, err := l.Append(ctx, mend, take); err != nil {
		t.Errorf("correction and withdrawal: %v", err)
	}
	mend.ID, mend.PointsAt = "mm", "m"
	_, err = l.Append(ctx, mend)
	refusal(t, err, "points_at")
}

func lines(t *testing.T, s ledger.Store) {
	l := New(t, s)
	fill(t, l, 30)
	for _, span := range [][2]int64{{0, 30}, {5, 10}, {28, 10}, {30, 5}, {7, 1}} {
		gotLeaves, err := s.Leaves(t.Context(), span[0], int(span[1]))
		if err != nil {
			t.Fatal(err)
		}
		gotIndex, err := s.Index(t.Context(), span[0], int(span[1]))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := s.Select(t.Context(), ledger.Filter{From: span[0]}, int(span[1]))
		if err != nil {
			t.Fatal(err)
		}
		var leaves, index [][]byte
		for _, r := range rows {
			leaves = append(leaves, r.Leaf)
			index = append(index, r.AppendIndex(nil))
		}
		if want := bytes.Join(leaves, []byte("\n")); !bytes.Equal(gotLeaves, want) {
			t.Errorf("leaves of %v differ", span)
		}
		if want := bytes.Join(index, []byte("\n")); !bytes.Equal(gotIndex, want) {
			t.Errorf("index of %v:\n%s\nwant\n%s", span, gotIndex, want)
		}
	}
}
