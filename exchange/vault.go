package exchange

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

// KeySize is the size of a node's key in octets.
const KeySize = 32

// vault seals what is personal before it reaches a store: AES-256-GCM, each
// sealing bound to what it belongs to, so that no row can stand in for another.
type vault struct {
	aead  cipher.AEAD
	blind []byte
}

func newVault(key []byte) (*vault, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("exchange: the key has %d octets; it needs %d random ones", len(key), KeySize)
	}
	sealing, err := hkdf.Key(sha256.New, key, nil, "oots exchange sealing", 32)
	if err != nil {
		return nil, err
	}
	blind, err := hkdf.Key(sha256.New, key, nil, "oots exchange index", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &vault{aead, blind}, err
}

// seal encrypts; of names what the octets belong to.
func (v *vault) seal(of string, plain []byte) []byte {
	nonce := make([]byte, v.aead.NonceSize(), v.aead.NonceSize()+len(plain)+v.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return v.aead.Seal(nonce, nonce, plain, []byte(of))
}

var errSealed = errors.New("exchange: what is kept cannot be opened: another key, or changed octets")

func (v *vault) open(of string, sealed []byte) ([]byte, error) {
	n := v.aead.NonceSize()
	if len(sealed) < n {
		return nil, errSealed
	}
	plain, err := v.aead.Open(nil, sealed[:n], sealed[n:], []byte(of))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// index is a key under which something personal is found again without being
// told by it.
func (v *vault) index(words ...string) string {
	mac := hmac.New(sha256.New, v.blind)
	for _, w := range words {
		fmt.Fprintf(mac, "%d:%s", len(w), w)
	}
	return "blind:" + hex.EncodeToString(mac.Sum(nil))
}

// sealJSON and openJSON are how bodies of rows are kept.
func (v *vault) sealJSON(of string, value any) ([]byte, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return v.seal(of, plain), nil
}

func (v *vault) openJSON(of string, sealed []byte, into any) error {
	plain, err := v.open(of, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// cellar keeps evidence: sealed files.
type cellar struct {
	*vault
	files as4.Files
}

func (c cellar) put(ctx context.Context, key string, data []byte) error {
	return c.files.Put(ctx, key, bytes.NewReader(c.seal(key, data)))
}

func (c cellar) get(ctx context.Context, key string) ([]byte, error) {
	content, err := c.files.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	sealed, err := ebms.ReadAll(content)
	if err != nil {
		return nil, err
	}
	return c.open(key, sealed)
}

func (c cellar) remove(ctx context.Context, key string) error { return c.files.Remove(ctx, key) }
