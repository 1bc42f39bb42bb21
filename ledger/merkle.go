package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// growing is the right edge of the Merkle tree: what is needed to add leaves.
type growing struct {
	size  int64
	edge  [63]tlog.Hash // at each level whose bit is set in size: the complete subtree there
	page  int64         // page of stored hashes being filled
	tail  []byte        // its hashes so far
	full  map[int64][]byte
	fresh bool // tail has hashes that are not stored yet
}

type hashReader interface {
	Hashes(ctx context.Context, page int64) ([]byte, error)
}

// grow loads the right edge of the tree of that head, and refuses a head that
// the stored hashes do not give.
func grow(ctx context.Context, r hashReader, head Head) (*growing, error) {
	g := &growing{size: head.Size, full: map[int64][]byte{}}
	pages := pageReader{ctx: ctx, r: r}
	for level := range 63 {
		if head.Size>>level&1 == 1 {
			at := tlog.StoredHashIndex(level, head.Size>>level-1)
			hs, err := pages.ReadHashes([]int64{at})
			if err != nil {
				return nil, err
			}
			g.edge[level] = hs[0]
		}
	}
	if head.Size > 0 && g.root() != head.Root {
		return nil, &Broken{Position: -1, Reason: "the stored hashes do not give the root of the tree; nothing is appended (verify the ledger to find the entry)"}
	}
	count := tlog.StoredHashCount(head.Size)
	g.page = count / HashesPerPage
	if n := count % HashesPerPage; n > 0 {
		tail, err := r.Hashes(ctx, g.page)
		if err != nil {
			return nil, err
		}
		if int64(len(tail)) < n*tlog.HashSize {
			return nil, &Broken{Position: -1, Reason: "stored hashes are missing; nothing is appended (verify the ledger to find the entry)"}
		}
		g.tail = append([]byte(nil), tail[:n*tlog.HashSize]...)
	}
	return g, nil
}

// add appends a leaf.
func (g *growing) add(leaf []byte) { g.addHash(tlog.RecordHash(leaf), nil) }

// addHash appends a leaf's hash and hands each hash that has to be stored to
// keep, in order, or to the pages when keep is nil.
func (g *growing) addHash(h tlog.Hash, keep func(tlog.Hash)) {
	if keep == nil {
		keep = g.keep
	}
	keep(h)
	level := bits.TrailingZeros64(^uint64(g.size))
	for l := range level {
		h = tlog.NodeHash(g.edge[l], h)
		keep(h)
	}
	g.edge[level] = h
	g.size++
}

func (g *growing) keep(h tlog.Hash) {
	g.tail = append(g.tail, h[:]...)
	g.fresh = true
	if len(g.tail) == HashesPerPage*tlog.HashSize {
		g.full[g.page] = g.tail
		g.tail = make([]byte, 0, HashesPerPage*tlog.HashSize)
		g.page++
		g.fresh = false
	}
}

// root is the hash of the whole tree.
func (g *growing) root() tlog.Hash {
	var h tlog.Hash
	first := true
	for level := range 63 {
		if g.size>>level&1 == 1 {
			if first {
				h, first = g.edge[level], false
			} else {
				h = tlog.NodeHash(g.edge[level], h)
			}
		}
	}
	if first {
		return sha256.Sum256(nil)
	}
	return h
}

// flush stores the full pages and, at the end, the last one.
func (g *growing) flush(ctx context.Context, tx Tx, last bool) error {
	for page, hashes := range g.full {
		if err := tx.PutHashes(ctx, page, hashes); err != nil {
			return err
		}
		delete(g.full, page)
	}
	if last && g.fresh {
		g.fresh = false
		return tx.PutHashes(ctx, g.page, g.tail)
	}
	return nil
}

// finish writes the last page and the new head, signed where there is a key.
func (a *appending) finish(ctx context.Context, key *Key) error {
	if err := a.tree.flush(ctx, a.tx, true); err != nil {
		return err
	}
	head := Head{Size: a.tree.size, Root: a.tree.root()}
	if key != nil {
		var err error
		if head.Note, err = key.sign(head); err != nil {
			return err
		}
	}
	return a.tx.PutHead(ctx, head)
}

// pageReader reads single stored hashes out of pages, for tlog.
type pageReader struct {
	ctx   context.Context
	r     hashReader
	pages map[int64][]byte
}

func (p *pageReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	if p.pages == nil {
		p.pages = map[int64][]byte{}
	}
	hs := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		n := at / HashesPerPage
		page, ok := p.pages[n]
		if !ok {
			var err error
			if page, err = p.r.Hashes(p.ctx, n); err != nil {
				return nil, err
			}
			p.pages[n] = page
		}
		off := at % HashesPerPage * tlog.HashSize
		if off+tlog.HashSize > int64(len(page)) {
			return nil, &Broken{Position: -1, Reason: fmt.Sprintf("stored hash %d of the tree is missing", at)}
		}
		copy(hs[i][:], page[off:])
	}
	return hs, nil
}

// Key signs checkpoints (a signed note, Ed25519).
type Key struct {
	signer   note.Signer
	verifier note.Verifier
	public   string
}

// NewKey makes a key of that name and returns its private text, which ParseKey
// reads. The name is the origin of the log in every checkpoint: no blanks and
// no plus sign.
func NewKey(random io.Reader, name string) (string, error) {
	private, _, err := note.GenerateKey(random, name)
	return private, err
}

// ParseKey reads a private key as NewKey writes it.
func ParseKey(private string) (*Key, error) {
	private = strings.TrimSpace(private)
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, errors.New("this is no private key of a signed note; it reads PRIVATE+KEY+name+hash+key")
	}
	parts := strings.Split(private, "+") // PRIVATE KEY name hash key; base64 may hold a + too
	raw, err := base64.StdEncoding.DecodeString(strings.Join(parts[4:], "+"))
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errors.New("this private key is damaged")
	}
	seed := ed25519.NewKeyFromSeed(raw[1:])
	public, err := note.NewEd25519VerifierKey(signer.Name(), seed.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return nil, err
	}
	return &Key{signer, verifier, public}, nil
}

// Public is the text of the verifier key, to be published: name+hash+key.
func (k *Key) Public() string { return k.public }

// Sign signs any text that ends in a new line, as a note.
func (k *Key) Sign(text string) ([]byte, error) { return note.Sign(&note.Note{Text: text}, k.signer) }

// sign makes a checkpoint: origin, size and root, a line each (C2SP
// tlog-checkpoint), and the signature.
func (k *Key) sign(h Head) ([]byte, error) {
	return k.Sign(fmt.Sprintf("%s\n%d\n%s\n", k.signer.Name(), h.Size, h.Root))
}

// OpenCheckpoint checks the signature of a checkpoint with a public key and
// returns the head it vouches for.
func OpenCheckpoint(signed []byte, public string) (Head, error) {
	v, err := note.NewVerifier(strings.TrimSpace(public))
	if err != nil {
		return Head{}, errors.New("this is no public key of a signed note; it reads name+hash+key")
	}
	return openCheckpoint(signed, v)
}

func openCheckpoint(signed []byte, v note.Verifier) (Head, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		var unknown *note.UnverifiedNoteError
		if errors.As(err, &unknown) {
			return Head{}, fmt.Errorf("the checkpoint is not signed with the key %s+%08x", v.Name(), v.KeyHash())
		}
		return Head{}, fmt.Errorf("the checkpoint's signature does not hold (%w)", err)
	}
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) < 4 || lines[0] != v.Name() {
		return Head{}, fmt.Errorf("the checkpoint is of another log than %s", v.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Head{}, errors.New("the checkpoint names no size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Head{}, errors.New("the checkpoint names no root hash")
	}
	return Head{Size: size, Root: root, Note: signed}, nil
}
