package acceleratormeter

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Hash is the SHA-256 of the snapshot's JSON document without ContentHash and
// Signature, in lower-case hexadecimal.
func (s Snapshot) Hash() (string, error) {
	s.ContentHash, s.Signature = "", ""
	doc, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:]), nil
}

// Signer signs a text as a signed note (golang.org/x/mod/sumdb/note);
// *ledger.Key is one.
type Signer interface {
	Sign(text string) ([]byte, error)
}

// statement is the text of the signed note: origin, sequence, hash.
func statement(s *Snapshot) string {
	return fmt.Sprintf("oots acceleratormeter snapshot\n%d\n%s\n", s.Sequence, s.ContentHash)
}

// seal numbers, chains, hashes and signs.
func seal(s Snapshot, latest *Snapshot, key Signer) (Snapshot, error) {
	s.State, s.Sequence, s.Proposals = Published, 1, nil
	if latest != nil {
		s.Sequence, s.PreviousHash = latest.Sequence+1, latest.ContentHash
	}
	var err error
	if s.ContentHash, err = s.Hash(); err != nil {
		return Snapshot{}, err
	}
	signed, err := key.Sign(statement(&s))
	s.Signature = string(signed)
	return s, err
}

// VerifySnapshots checks number, chain, hash and signature of all published
// snapshots, oldest first. Its error is an *Error SignatureBroken that names the
// first one that does not fit.
func VerifySnapshots(list []Snapshot, keys note.Verifiers) error {
	previous := ""
	for i := range list {
		s := &list[i]
		broken := func(why string) error {
			return &Error{Code: SignatureBroken, Found: fmt.Sprintf("snapshot %d: %s", s.Sequence, why),
				Hint: "it was changed behind the meter's back; restore it from a backup"}
		}
		hash, err := s.Hash()
		switch {
		case err != nil:
			return err
		case s.Sequence != i+1:
			return broken(fmt.Sprintf("its number should be %d", i+1))
		case s.PreviousHash != previous:
			return broken("it is not chained to the one before")
		case s.ContentHash != hash:
			return broken("its content does not fit its hash")
		}
		n, err := note.Open([]byte(s.Signature), keys)
		if err != nil {
			return broken("its signature does not verify: " + strings.TrimSpace(err.Error()))
		}
		if n.Text != statement(s) {
			return broken("its signature belongs to another snapshot")
		}
		previous = s.ContentHash
	}
	return nil
}
