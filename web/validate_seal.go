package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
)

// A kept message is sealed with a key that only the link carries: whoever reads
// the store alone finds a digest and a cipher text.

// newLinkID is 128 bits of randomness, in 26 letters and digits.
func newLinkID() string { return rand.Text() }

func linkDigest(id string) [32]byte { return sha256.Sum256([]byte("validation link " + id)) }

func linkCipher(id string) (cipher.AEAD, error) {
	key := sha256.Sum256([]byte("validation key " + id))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sealMessage encrypts what the reader gave under the link's id.
func sealMessage(id string, m judged) ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	c, err := linkCipher(id)
	if err != nil {
		return nil, err
	}
	return c.Seal(nil, nil, raw, nil), nil
}

// openMessage reverses sealMessage.
func openMessage(id string, sealed []byte, m *judged) error {
	c, err := linkCipher(id)
	if err != nil {
		return err
	}
	raw, err := c.Open(nil, nil, sealed, nil)
	if err != nil {
		return errors.New("the link does not open this message")
	}
	return json.Unmarshal(raw, m)
}
