package wssec

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/once-only/oots/as4/ebms"
)

// standard seals with the standard library, nonce first.
func standard(t testing.TB, key, nonce, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead.Seal(bytes.Clone(nonce), nonce, plain, nil)
}

func TestGCMEqualsStandardLibrary(t *testing.T) {
	sizes := []int{0, 1, 15, 16, 17, small - 1, small, small + 1, small + 15, small + 16, 4 * window, 4*window + 5, 5*window - 1, 5*window + 16}
	for _, size := range sizes {
		key, plain := make([]byte, 16), make([]byte, size)
		rand.Read(key)
		rand.Read(plain)
		s := &sealed{clear: ebms.Bytes(plain), key: key}
		rand.Read(s.nonce[:])
		got, err := io.ReadAll(s.NewReader())
		if err != nil {
			t.Fatal(err)
		}
		want := standard(t, key, s.nonce[:], plain)
		if !bytes.Equal(got, want) || int64(len(got)) != s.Size() {
			t.Fatalf("size %d: the sealed octets differ from those of crypto/cipher", size)
		}
		h := sha256.New()
		c, err := open(ebms.Bytes(want), key, h)
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		back, err := io.ReadAll(c.NewReader())
		if err != nil || !bytes.Equal(back, plain) || c.Size() != int64(size) {
			t.Fatalf("size %d: not what was sealed (%v)", size, err)
		}
		if sum := sha256.Sum256(plain); !bytes.Equal(h.Sum(nil), sum[:]) {
			t.Fatalf("size %d: digest of other octets", size)
		}
		for _, at := range []int{0, nonceSize, len(want) / 2, len(want) - 1} {
			bad := bytes.Clone(want)
			bad[at] ^= 0x10
			if _, err := open(ebms.Bytes(bad), key, nil); err == nil {
				t.Fatalf("size %d: changed octet %d went unnoticed", size, at)
			}
		}
	}
}

// The streaming construction alone, at every length and split.
func TestGHASHEqualsStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")
		nonce := rapid.SliceOfN(rapid.Byte(), nonceSize, nonceSize).Draw(t, "nonce")
		plain := rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "plain")
		step := 16 * rapid.IntRange(1, 9).Draw(t, "step")
		block, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		aead, _ := cipher.NewGCM(block)
		want := aead.Seal(nil, nonce, plain, nil)
		g, err := newGHASH(block)
		if err != nil {
			t.Fatal(err)
		}
		ct := bytes.Clone(plain)
		counter(block, nonce).XORKeyStream(ct, ct)
		for rest := ct; len(rest) > 0; {
			n := min(step, len(rest))
			g.write(rest[:n])
			rest = rest[n:]
		}
		tag := g.final(block, nonce)
		if !bytes.Equal(append(ct, tag[:]...), want) {
			t.Fatal("differs from crypto/cipher")
		}
	})
}

func TestFieldInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := field{rapid.Uint64Min(1).Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
		if a.mul(a.inverse()) != (field{1 << 63, 0}) {
			t.Fatal("a·a⁻¹ is not one")
		}
	})
}

func BenchmarkSealLarge(b *testing.B) {
	plain := make([]byte, 64<<20)
	s := &sealed{clear: ebms.Bytes(plain), key: make([]byte, 16)}
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		io.Copy(io.Discard, s.NewReader())
	}
}

func BenchmarkOpenLarge(b *testing.B) {
	plain := make([]byte, 64<<20)
	s := &sealed{clear: ebms.Bytes(plain), key: make([]byte, 16)}
	ct, _ := io.ReadAll(s.NewReader())
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		if _, err := open(ebms.Bytes(ct), s.key, sha256.New()); err != nil {
			b.Fatal(err)
		}
	}
}
