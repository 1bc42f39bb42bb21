package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
)

// forge makes the store that somebody with all access but the key would leave:
// other facts, sound hashes, heads that fit.
func forge(t *testing.T, sign func(*ledger.Head)) *ledger.Memory {
	t.Helper()
	m := new(ledger.Memory)
	l := ledger.New(ledger.Config{Store: m, Now: func() time.Time { return ledgertest.Now }})
	for i := range 5 {
		if _, err := l.Append(t.Context(), ledgertest.Nomination(fmt.Sprint("forged", i), "AT")); err != nil {
			t.Fatal(err)
		}
	}
	head, err := m.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sign != nil {
		sign(&head)
		if err := m.Update(t.Context(), func(tx ledger.Tx) error { return tx.PutHead(t.Context(), head) }); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestNothingIsBuiltOnAForgedHead(t *testing.T) {
	honest := ledgertest.New(t, new(ledger.Memory))
	if _, err := honest.Append(t.Context(), ledgertest.Nomination("a", "AT")); err != nil {
		t.Fatal(err)
	}
	real, err := honest.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	private, err := ledger.NewKey(strings.NewReader(strings.Repeat("x", 64)), "ledger.example")
	if err != nil {
		t.Fatal(err)
	}
	other, err := ledger.ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, sign := range map[string]func(*ledger.Head){
		"unsigned":             nil,
		"signature of another": func(h *ledger.Head) { h.Note = real },
		"signed by another key": func(h *ledger.Head) {
			h.Note, _ = other.Sign(fmt.Sprintf("ledger.example\n%d\n%s\n", h.Size, h.Root))
		},
		"no note at all": func(h *ledger.Head) { h.Note = []byte("trust me") },
		"text changed":   func(h *ledger.Head) { h.Note = bytes.Replace(real, []byte("\n1\n"), []byte("\n5\n"), 1) },
	} {
		m := forge(t, sign)
		l := ledgertest.New(t, m)
		var broken *ledger.Broken
		if _, err := l.Verify(t.Context(), ledger.VerifyOptions{}); !errors.As(err, &broken) {
			t.Errorf("%s: Verify = %v", name, err)
		}
		if _, err := l.Append(t.Context(), ledgertest.Nomination("b", "AT")); !errors.As(err, &broken) {
			t.Errorf("%s: Append = %v", name, err)
		}
		if _, err := l.Checkpoint(t.Context()); !errors.As(err, &broken) {
			t.Errorf("%s: Checkpoint = %v", name, err)
		}
		if _, err := l.VerifySince(t.Context(), ledger.Head{}); !errors.As(err, &broken) {
			t.Errorf("%s: VerifySince = %v", name, err)
		}
	}
}

// A proof is checked by whoever holds it: each of its parts counts.
func TestProofsAreChecked(t *testing.T) {
	l := ledgertest.New(t, new(ledger.Memory))
	for i := range 9 {
		if _, err := l.Append(t.Context(), ledgertest.Nomination(fmt.Sprint("f", i), "AT")); err != nil {
			t.Fatal(err)
		}
	}
	public := ledgertest.Key(t).Public()
	good, err := l.Proof(t.Context(), "f3", 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*ledger.Proof){
		"leaf":       func(p *ledger.Proof) { p.Leaf += " " },
		"position":   func(p *ledger.Proof) { p.Position++ },
		"size":       func(p *ledger.Proof) { p.Size++ },
		"root":       func(p *ledger.Proof) { p.Root[0]++ },
		"path":       func(p *ledger.Proof) { p.Path[0][0]++ },
		"short path": func(p *ledger.Proof) { p.Path = p.Path[1:] },
		"checkpoint": func(p *ledger.Proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n9\n", "\n8\n", 1) },
		"none":       func(p *ledger.Proof) { p.Checkpoint = "" },
	} {
		p := *good
		p.Path = append([]ledger.Hash(nil), good.Path...)
		spoil(&p)
		if p.Check(public) == nil {
			t.Errorf("a proof with another %s holds", name)
		}
	}
	if err := good.Check(public); err != nil {
		t.Error(err)
	}
	if f, err := good.Fact(); err != nil || f.ID != "f3" {
		t.Errorf("the proof is about %v, %v", f.ID, err)
	}
}

// The tree is RFC 6962's: tlog itself comes to the same root.
func TestRootIsTlogs(t *testing.T) {
	l := ledgertest.New(t, new(ledger.Memory))
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		hs := make([]tlog.Hash, len(at))
		for i, n := range at {
			hs[i] = stored[n]
		}
		return hs, nil
	})
	for i := range int64(300) {
		if _, err := l.Append(t.Context(), ledgertest.Nomination(fmt.Sprint("f", i), "AT")); err != nil {
			t.Fatal(err)
		}
		e, err := l.Fact(t.Context(), fmt.Sprint("f", i))
		if err != nil {
			t.Fatal(err)
		}
		more, err := tlog.StoredHashes(i, ledger.AppendLine(nil, &e.Fact), reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		want, err := tlog.TreeHash(i+1, reader)
		if err != nil {
			t.Fatal(err)
		}
		if head, err := l.Head(t.Context()); err != nil || head.Root != want || head.Size != i+1 {
			t.Fatalf("root of %d entries is %s, tlog says %s (%v)", head.Size, head.Root, want, err)
		}
	}
}
