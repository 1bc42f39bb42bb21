package ledger

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// VerifyOptions of Verify.
type VerifyOptions struct {
	// Checkpoint, signed and kept outside the store, has to be a beginning of
	// this ledger: the only way to see that the newest entries were cut off
	// together with everything that names them.
	Checkpoint []byte
	Public     string               // key of checkpoints; empty: the Config's Key
	Progress   func(n, total int64) // called now and then
}

// Verify reads the whole ledger and checks that every entry is where and what
// it was when it was appended: leaf against leaf hash, look-up fields against
// leaf, leaf hashes against the tree, the tree against every head, heads
// against their signatures. What does not fit is a *Broken that names the first
// such entry. It returns the head that was verified.
func (l *Ledger) Verify(ctx context.Context, o VerifyOptions) (Head, error) {
	v, err := l.verifier(o.Public)
	if err != nil {
		return Head{}, err
	}
	head, err := l.store.Head(ctx)
	if err != nil {
		return Head{}, fmt.Errorf("ledger: verify: %w", err)
	}
	var outside Head
	if len(o.Checkpoint) > 0 {
		if v == nil {
			return Head{}, fmt.Errorf("ledger: verify: a checkpoint needs the public key that it is signed with")
		}
		if outside, err = openCheckpoint(o.Checkpoint, v); err != nil {
			return Head{}, &Broken{Position: -1, Reason: err.Error()}
		}
		if outside.Size > head.Size {
			return Head{}, &Broken{Position: head.Size, Reason: fmt.Sprintf("is missing: the checkpoint vouches for %d entries, the ledger has %d", outside.Size, head.Size)}
		}
	}
	g := &growing{}
	if err := l.verifyFrom(ctx, g, head, outside, v, o.Progress); err != nil {
		return Head{}, err
	}
	// Nothing may follow the last entry.
	beyond, err := l.store.Index(ctx, head.Size, 1)
	if err != nil {
		return Head{}, fmt.Errorf("ledger: verify: %w", err)
	}
	if now, err := l.store.Head(ctx); err != nil {
		return Head{}, fmt.Errorf("ledger: verify: %w", err)
	} else if len(beyond) > 0 && now.Size == head.Size {
		return Head{}, &Broken{Position: head.Size, Reason: "follows the last entry that was ever appended; it was put in by hand"}
	}
	return head, nil
}

// VerifySince is the cheap check for a process that verified the ledger before
// and remembers the head: that tree is still the beginning of the present one,
// and the entries after it fit. It does not look at older entries again.
func (l *Ledger) VerifySince(ctx context.Context, known Head) (Head, error) {
	v, err := l.verifier("")
	if err != nil {
		return Head{}, err
	}
	head, err := l.store.Head(ctx)
	if err != nil {
		return Head{}, fmt.Errorf("ledger: verify: %w", err)
	}
	if head.Size < known.Size {
		return Head{}, &Broken{Position: head.Size, Reason: fmt.Sprintf("is missing: the ledger had %d entries and has %d", known.Size, head.Size)}
	}
	g, err := grow(ctx, l.store, Head{Size: known.Size, Root: known.Root})
	if err != nil {
		if _, ok := err.(*Broken); ok {
			return Head{}, &Broken{Position: -1, Reason: fmt.Sprintf("the first %d entries have another root than when they were verified; verify the whole ledger to find the entry", known.Size)}
		}
		return Head{}, err
	}
	return head, l.verifyFrom(ctx, g, head, Head{}, v, nil)
}

func (l *Ledger) verifier(public string) (note.Verifier, error) {
	switch {
	case public != "":
		v, err := note.NewVerifier(public)
		if err != nil {
			return nil, fmt.Errorf("this is no public key of a signed note; it reads name+hash+key")
		}
		return v, nil
	case l.key != nil:
		return l.key.verifier, nil
	}
	return nil, nil
}

// verifyFrom checks the entries from the tree g on up to head.
func (l *Ledger) verifyFrom(ctx context.Context, g *growing, head, outside Head, v note.Verifier, progress func(n, total int64)) error {
	heads := headWalk{l: l, v: v, next: g.size + 1}
	stored := storedWalk{r: l.store, ctx: ctx, at: tlog.StoredHashCount(g.size)}
	for run, err := range inOrder(ctx, g.size, head.Size, l.hashPage) {
		if err != nil {
			return err
		}
		for i, h := range run.result.hashes {
			at := run.from + int64(i)
			ok := true
			var fault error
			first := true
			g.addHash(h, func(h tlog.Hash) {
				if fault != nil || !ok {
					return
				}
				var was tlog.Hash
				if was, fault = stored.next(); fault == nil && was != h {
					ok = false
					if first {
						fault = &Broken{Position: at, ID: idIn(run.result.leaves, i), Reason: "is not the entry that was appended there: its hash differs from the one in the tree"}
					} else {
						fault = &Broken{Position: at, ID: idIn(run.result.leaves, i), Reason: "closes a part of the tree whose hash differs: the hashes of the tree were changed by hand"}
					}
				}
				first = false
			})
			if fault != nil {
				return fault
			}
			if outside.Size == g.size && outside.Root != g.root() {
				return &Broken{Position: -1, Reason: fmt.Sprintf("the first %d entries are not those that the given checkpoint vouches for; every entry fits its hash, so the hashes were rewritten too", g.size)}
			}
			if err := heads.pass(ctx, g); err != nil {
				return err
			}
		}
		if run.result.broken != nil {
			return run.result.broken
		}
		if progress != nil {
			progress(g.size, head.Size)
		}
	}
	if head.Size == 0 {
		return nil
	}
	if g.root() != head.Root {
		return &Broken{Position: -1, Reason: fmt.Sprintf("the %d entries do not give the root hash that the ledger's head names", head.Size)}
	}
	if v != nil {
		if why := unsigned(head, v); why != "" {
			return &Broken{Position: -1, Reason: why}
		}
	}
	return nil
}

// unsigned says why a head's note is not the signature of this head; empty when
// it is.
func unsigned(h Head, v note.Verifier) string {
	if len(h.Note) == 0 {
		return fmt.Sprintf("the head at %d entries is not signed, so anybody may have written it", h.Size)
	}
	signed, err := openCheckpoint(h.Note, v)
	if err != nil {
		return fmt.Sprintf("the head at %d entries: %v", h.Size, err)
	}
	if signed.Size != h.Size || signed.Root != h.Root {
		return fmt.Sprintf("the checkpoint at %d entries vouches for another tree: the head was rewritten by hand", h.Size)
	}
	return ""
}

// hashed is a page of leaves with their hashes; broken says what ended it early.
type hashed struct {
	leaves []byte
	hashes []tlog.Hash
	broken *Broken
}

// hashPage reads and hashes a page, and compares the look-up fields.
func (l *Ledger) hashPage(ctx context.Context, d *decoder, from int64, n int) (hashed, error) {
	leaves, err := l.store.Leaves(ctx, from, n)
	if err != nil {
		return hashed{}, fmt.Errorf("ledger: verify: reading entries from %d: %w", from, err)
	}
	index, err := l.store.Index(ctx, from, n)
	if err != nil {
		return hashed{}, fmt.Errorf("ledger: verify: reading entries from %d: %w", from, err)
	}
	out := hashed{leaves: leaves, hashes: make([]tlog.Hash, 0, n)}
	var line []byte
	for at := from; at < from+int64(n); at++ {
		var leaf, look []byte
		leaf, leaves, _ = bytes.Cut(leaves, []byte("\n"))
		look, index, _ = bytes.Cut(index, []byte("\n"))
		if place, _, _ := bytes.Cut(look, []byte(" ")); string(place) != string(appendInt(nil, at)) {
			out.broken = &Broken{Position: at, Reason: "is missing; it was taken out by hand"}
			return out, nil
		}
		var key keyFields
		if !key.read(d, leaf) {
			// The hash will not fit either; if it does, the entry never was a fact.
			out.broken = &Broken{Position: at, Reason: "is no fact any more"}
		}
		out.hashes = append(out.hashes, tlog.RecordHash(leaf))
		row := Row{Position: at, ID: key.id, Kind: Kind(key.kind), Country: key.country, RecordedAt: key.recorded}
		if line = row.AppendIndex(line[:0]); out.broken == nil && !bytes.Equal(line, look) {
			out.broken = &Broken{Position: at, ID: key.id, Reason: fmt.Sprintf("has look-up fields that its fact does not have (%s)", look)}
		}
		if out.broken != nil {
			return out, nil
		}
	}
	return out, nil
}

// keyFields are what a Row repeats of its leaf.
type keyFields struct {
	id, kind, country string
	recorded          int64
}

func (k *keyFields) read(d *decoder, leaf []byte) bool {
	var f Fact
	if d.decode(leaf, &f) != nil {
		return false
	}
	*k = keyFields{f.ID, string(f.Kind), f.Subject.Country, f.RecordedAt.UnixMilli()}
	return true
}

// idIn is the id of the i-th leaf as far as it can be read.
func idIn(leaves []byte, i int) string {
	for leaf := range bytes.SplitSeq(leaves, []byte("\n")) {
		if i == 0 {
			var k keyFields
			k.read(new(decoder), leaf)
			return k.id
		}
		i--
	}
	return ""
}

// storedWalk reads the stored hashes in order.
type storedWalk struct {
	ctx  context.Context
	r    hashReader
	at   int64
	page []byte
	num  int64
}

func (s *storedWalk) next() (tlog.Hash, error) {
	var h tlog.Hash
	if num := s.at / HashesPerPage; s.page == nil || num != s.num {
		page, err := s.r.Hashes(s.ctx, num)
		if err != nil {
			return h, fmt.Errorf("ledger: verify: %w", err)
		}
		s.page, s.num = page, num
	}
	off := s.at % HashesPerPage * tlog.HashSize
	if off+tlog.HashSize > int64(len(s.page)) {
		return h, &Broken{Position: -1, Reason: fmt.Sprintf("stored hash %d of the tree is missing", s.at)}
	}
	copy(h[:], s.page[off:])
	s.at++
	return h, nil
}

// headWalk compares every head of the store with the tree as it grows.
type headWalk struct {
	l     *Ledger
	v     note.Verifier
	next  int64 // smallest size not looked at yet
	heads []Head
	done  bool
}

func (w *headWalk) pass(ctx context.Context, g *growing) error {
	if len(w.heads) == 0 && !w.done {
		heads, err := w.l.store.Heads(ctx, w.next, 1000)
		if err != nil {
			return fmt.Errorf("ledger: verify: %w", err)
		}
		w.heads, w.done = heads, len(heads) == 0
		if !w.done {
			w.next = heads[len(heads)-1].Size + 1
		}
	}
	if w.done || w.heads[0].Size != g.size {
		return nil
	}
	h := w.heads[0]
	w.heads = w.heads[1:]
	if h.Root != g.root() {
		return &Broken{Position: -1, Reason: fmt.Sprintf("the first %d entries are not those of which the head at that size was written; every entry fits its hash, so the hashes were rewritten too", h.Size)}
	}
	if w.v == nil || len(h.Note) == 0 {
		return nil
	}
	if why := unsigned(h, w.v); why != "" {
		return &Broken{Position: -1, Reason: why}
	}
	return nil
}
