package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows that a fact is in the tree that a checkpoint vouches for. It
// carries all that Check needs: no store, no network.
type Proof struct {
	ID       string `json:"id"`
	Position int64  `json:"position"` // from 0
	// Leaf is the fact's canonical line, a text and not an object, because
	// its very octets are hashed.
	Leaf string `json:"leaf"`
	Size int64  `json:"tree_size"`
	Root Hash   `json:"root_hash"`
	Path []Hash `json:"path"` // RFC 6962 audit path, from the leaf upwards
	// Checkpoint is the signed note over size and root; empty in a ledger
	// without a key.
	Checkpoint string `json:"checkpoint,omitempty"`
}

// Consistency shows that the tree of To entries begins with the tree of From
// entries, unchanged.
type Consistency struct {
	From       int64  `json:"from"`
	To         int64  `json:"to"`
	FromRoot   Hash   `json:"from_root"`
	ToRoot     Hash   `json:"to_root"`
	Path       []Hash `json:"path"`
	Checkpoint string `json:"checkpoint,omitempty"` // over To, when one was signed at that size
}

// Hash is a SHA-256 of the tree, in base64 in JSON.
type Hash tlog.Hash

func (h Hash) String() string { return tlog.Hash(h).String() }

// MarshalText writes base64.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads base64.
func (h *Hash) UnmarshalText(b []byte) error {
	parsed, err := tlog.ParseHash(string(b))
	*h = Hash(parsed)
	return err
}

// Checkpoint is the signed note over the ledger's present head.
func (l *Ledger) Checkpoint(ctx context.Context) ([]byte, error) {
	if l.key == nil {
		return nil, errors.New("ledger: there is no key to sign a checkpoint with")
	}
	head, err := l.store.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("ledger: checkpoint: %w", err)
	}
	if head.Size == 0 {
		return l.key.sign(Head{Root: (&growing{}).root()})
	}
	return head.Note, l.trust(head)
}

// Proof proves that the fact with that id is in the tree of size entries; size
// 0 means the present tree. ErrNotFound when the id is not known.
func (l *Ledger) Proof(ctx context.Context, id string, size int64) (*Proof, error) {
	rows, err := l.store.Find(ctx, []string{id})
	if err != nil {
		return nil, fmt.Errorf("ledger: proof of %s: %w", id, err)
	}
	row, ok := rows[id]
	if !ok {
		return nil, fmt.Errorf("%q: %w", id, ErrNotFound)
	}
	head, err := l.headAt(ctx, size)
	if err != nil {
		return nil, err
	}
	if row.Position >= head.Size {
		return nil, &Refusal{Field: "tree_size", Reason: fmt.Sprintf("the tree of %d entries does not yet hold entry %d", head.Size, row.Position)}
	}
	path, err := tlog.ProveRecord(head.Size, row.Position, &pageReader{ctx: ctx, r: l.store})
	if err != nil {
		return nil, fmt.Errorf("ledger: proof of %s: %w", id, err)
	}
	p := &Proof{
		ID: id, Position: row.Position, Leaf: string(row.Leaf),
		Size: head.Size, Root: Hash(head.Root), Path: hashes(path), Checkpoint: string(head.Note),
	}
	if err := p.Check(""); err != nil {
		return nil, &Broken{Position: row.Position, ID: id, Reason: "no longer fits the tree"}
	}
	return p, nil
}

// Consistency proves that the tree of to entries grew out of that of from
// entries; to 0 means the present tree.
func (l *Ledger) Consistency(ctx context.Context, from, to int64) (*Consistency, error) {
	head, err := l.headAt(ctx, to)
	if err != nil {
		return nil, err
	}
	if from < 1 || from > head.Size {
		return nil, &Refusal{Field: "from", Reason: fmt.Sprintf("%d is out of range; it is from 1 to %d", from, head.Size)}
	}
	old, err := l.headAt(ctx, from)
	if err != nil {
		return nil, err
	}
	path, err := tlog.ProveTree(head.Size, from, &pageReader{ctx: ctx, r: l.store})
	if err != nil {
		return nil, fmt.Errorf("ledger: consistency from %d to %d: %w", from, head.Size, err)
	}
	c := &Consistency{From: from, To: head.Size, FromRoot: Hash(old.Root), ToRoot: Hash(head.Root), Path: hashes(path), Checkpoint: string(head.Note)}
	if err := c.Check(""); err != nil {
		return nil, &Broken{Position: -1, Reason: fmt.Sprintf("the stored hashes do not prove that %d entries grew out of %d", c.To, c.From)}
	}
	return c, nil
}

// headAt is the head at a size, with its checkpoint where one was written
// there. 0 is the present.
func (l *Ledger) headAt(ctx context.Context, size int64) (Head, error) {
	last, err := l.store.Head(ctx)
	if err != nil {
		return Head{}, fmt.Errorf("ledger: %w", err)
	}
	if size == 0 || size == last.Size {
		return last, nil
	}
	if size < 0 || size > last.Size {
		return Head{}, &Refusal{Field: "tree_size", Reason: fmt.Sprintf("%d is out of range; the ledger has %d entries", size, last.Size)}
	}
	heads, err := l.store.Heads(ctx, size, 1)
	if err != nil {
		return Head{}, fmt.Errorf("ledger: %w", err)
	}
	if len(heads) == 1 && heads[0].Size == size {
		return heads[0], nil
	}
	root, err := tlog.TreeHash(size, &pageReader{ctx: ctx, r: l.store})
	if err != nil {
		return Head{}, fmt.Errorf("ledger: root of %d entries: %w", size, err)
	}
	return Head{Size: size, Root: root}, nil
}

// Check verifies the proof by itself. With a public key it also checks that
// the checkpoint is signed with it and vouches for this tree.
func (p *Proof) Check(public string) error {
	if err := tlog.CheckRecord(tlog.RecordProof(unhash(p.Path)), p.Size, tlog.Hash(p.Root), p.Position, tlog.RecordHash([]byte(p.Leaf))); err != nil {
		return fmt.Errorf("the path does not lead from the fact to the root: %w", err)
	}
	return vouched(p.Checkpoint, public, p.Size, p.Root)
}

// Check verifies the proof by itself, and with a public key its checkpoint.
func (c *Consistency) Check(public string) error {
	if err := tlog.CheckTree(tlog.TreeProof(unhash(c.Path)), c.To, tlog.Hash(c.ToRoot), c.From, tlog.Hash(c.FromRoot)); err != nil {
		return fmt.Errorf("the path does not lead from the older root to the newer: %w", err)
	}
	return vouched(c.Checkpoint, public, c.To, c.ToRoot)
}

func vouched(checkpoint, public string, size int64, root Hash) error {
	if public == "" {
		return nil
	}
	head, err := OpenCheckpoint([]byte(checkpoint), public)
	if err != nil {
		return err
	}
	if head.Size != size || Hash(head.Root) != root {
		return errors.New("the checkpoint vouches for another tree")
	}
	return nil
}

// Fact is the fact that the proof is about.
func (p *Proof) Fact() (Fact, error) { return DecodeLine([]byte(p.Leaf)) }

// String is the proof as JSON.
func (p *Proof) String() string {
	b, _ := json.Marshal(p)
	return string(b)
}

func hashes(hs []tlog.Hash) []Hash {
	out := make([]Hash, len(hs))
	for i, h := range hs {
		out[i] = Hash(h)
	}
	return out
}

func unhash(hs []Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(hs))
	for i, h := range hs {
		out[i] = tlog.Hash(h)
	}
	return out
}
