package wssec

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"sync"

	"github.com/once-only/oots/as4/ebms"
)

// AES-GCM (SP 800-38D) over content of any size in constant memory. The
// standard library seals and opens whole buffers only; here the counter mode
// comes from it directly, and GHASH comes out of its GCM: sealing nothing with
// a window of ciphertext as additional data reveals GHASH of that window, up to
// a factor and a constant that are known (see ghash). So both run at the speed
// of the processor's instructions. Tests compare with crypto/cipher.

const (
	nonceSize = 12
	tagSize   = 16
	overhead  = nonceSize + tagSize
	window    = 256 << 10
	// maxPlain keeps the 32-bit counter of GCM from wrapping.
	maxPlain = 1<<36 - 32
	// small parts are sealed and opened in one go.
	small = 1 << 20
)

var errTag = errors.New("authentication failed")

var windows = sync.Pool{New: func() any { return new([window]byte) }}

// field is an element of GF(2^128) in GCM's bit order: hi holds the first
// eight octets, whose most significant bit is the coefficient of x^0.
type field struct{ hi, lo uint64 }

func load(b []byte) field {
	return field{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (a field) xor(b field) field { return field{a.hi ^ b.hi, a.lo ^ b.lo} }

func (a field) store(b []byte) {
	binary.BigEndian.PutUint64(b, a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
}

// mul multiplies in the field, without branches on its operands.
func (a field) mul(b field) (z field) {
	for i := range 128 {
		word := a.hi
		if i >= 64 {
			word = a.lo
		}
		bit := -(word >> (63 - i&63) & 1)
		z.hi ^= b.hi & bit
		z.lo ^= b.lo & bit
		carry := -(b.lo & 1)
		b.lo = b.lo>>1 | b.hi<<63
		b.hi = b.hi>>1 ^ carry&0xe1<<56
	}
	return z
}

// inverse is a^(2^128-2).
func (a field) inverse() field {
	r := field{1 << 63, 0} // one
	for range 127 {
		a = a.mul(a)
		r = r.mul(a)
	}
	return r
}

// ghash hashes windows of ciphertext. With T = GMAC(zero nonce, A) = E(J0) ⊕
// (Y ⊕ L)·H, where Y is GHASH of the padded A and L its length block, the state
// is Y = (T ⊕ E(J0))·H⁻¹ ⊕ L. GHASH of a continued message is that of the next
// window with Y added to its first block.
type ghash struct {
	aead    cipher.AEAD
	h, hinv field
	ej0     field
	y       field
	n       uint64
	nonce   [nonceSize]byte
	tag     [tagSize]byte
}

func newGHASH(block cipher.Block) (*ghash, error) {
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	var b [16]byte
	g := &ghash{aead: aead}
	block.Encrypt(b[:], b[:])
	g.h = load(b[:])
	g.hinv = g.h.inverse()
	b = [16]byte{15: 1}
	block.Encrypt(b[:], b[:])
	g.ej0 = load(b[:])
	return g, nil
}

// write takes a window, which it changes meanwhile: all but the last are
// multiples of 16 long.
func (g *ghash) write(p []byte) {
	if len(p) == 0 {
		return
	}
	g.n += uint64(len(p))
	var first [16]byte
	copy(first[:], p)
	load(first[:]).xor(g.y).store(first[:])
	if len(p) >= 16 {
		var saved [16]byte
		copy(saved[:], p)
		copy(p, first[:])
		g.sum(p)
		copy(p, saved[:])
	} else {
		g.sum(first[:]) // a short last window, padded with zeros
	}
}

func (g *ghash) sum(p []byte) {
	t := load(g.aead.Seal(g.tag[:0], g.nonce[:], nil, p))
	g.y = t.xor(g.ej0).mul(g.hinv).xor(field{uint64(len(p)) * 8, 0})
}

// final is the tag for the nonce whose first counter block encrypts to ej0.
func (g *ghash) final(block cipher.Block, nonce []byte) [tagSize]byte {
	y := g.y.xor(field{0, g.n * 8}).mul(g.h)
	var b [16]byte
	copy(b[:], nonce)
	b[15] = 1
	block.Encrypt(b[:], b[:])
	load(b[:]).xor(y).store(b[:])
	return b
}

// counter is the key stream of GCM from the first plaintext octet on.
func counter(block cipher.Block, nonce []byte) cipher.Stream {
	var iv [16]byte
	copy(iv[:], nonce)
	iv[15] = 2
	return cipher.NewCTR(block, iv[:])
}

// sealed is the encrypted form of a part, made while it is read:
// nonce ‖ ciphertext ‖ tag. Every reader gives the same octets.
type sealed struct {
	clear ebms.Content
	key   []byte
	nonce [nonceSize]byte
}

func (s *sealed) Size() int64  { return s.clear.Size() + overhead }
func (s *sealed) Close() error { return nil } // clear stays its owner's

func (s *sealed) NewReader() io.Reader {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		return failing{err}
	}
	if s.clear.Size() <= small {
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return failing{err}
		}
		plain, err := ebms.ReadAll(s.clear)
		if err != nil {
			return failing{err}
		}
		out := append(make([]byte, 0, len(plain)+overhead), s.nonce[:]...)
		return ebms.Bytes(aead.Seal(out, s.nonce[:], plain, nil)).NewReader()
	}
	g, err := newGHASH(block)
	if err != nil {
		return failing{err}
	}
	return &sealing{s: s, block: block, ghash: g, stream: counter(block, s.nonce[:]), in: s.clear.NewReader(), out: s.nonce[:]}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type sealing struct {
	s      *sealed
	block  cipher.Block
	ghash  *ghash
	stream cipher.Stream
	in     io.Reader
	buf    *[window]byte
	out    []byte // not yet handed out
	done   bool
}

func (r *sealing) Read(p []byte) (int, error) {
	if len(r.out) == 0 {
		if r.done {
			return 0, io.EOF
		}
		if r.buf == nil {
			r.buf = new([window]byte)
		}
		n, err := io.ReadFull(r.in, r.buf[:])
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			r.done = true
		default:
			return 0, err
		}
		r.stream.XORKeyStream(r.buf[:n], r.buf[:n])
		r.ghash.write(r.buf[:n])
		r.out = r.buf[:n]
		if r.done {
			if r.ghash.n != uint64(r.s.clear.Size()) {
				return 0, errors.New("wssec: the content of a part changed its size")
			}
			tag := r.ghash.final(r.block, r.s.nonce[:])
			r.out = append(r.out[:n:n], tag[:]...)
		}
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// open authenticates an encrypted part and gives a view of its clear octets. If
// plain is not nil, the clear octets are written to it on the way; what it
// learned must not be used on an error.
func open(c ebms.Content, key []byte, plain hash.Hash) (ebms.Content, error) {
	size := c.Size() - overhead
	if size < 0 || size > maxPlain {
		return nil, errTag
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if size <= small {
		return openWhole(c, block, plain)
	}
	return openStream(c, block, plain)
}

// openWhole decrypts into memory.
func openWhole(c ebms.Content, block cipher.Block, plain hash.Hash) (ebms.Content, error) {
	all, err := ebms.ReadAll(c)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	clear, err := aead.Open(make([]byte, 0, len(all)-overhead), all[:nonceSize], all[nonceSize:], nil)
	if err != nil {
		return nil, errTag
	}
	if plain != nil {
		plain.Write(clear)
	}
	return &owned{ebms.Bytes(clear), c}, nil
}

// openStream authenticates in one pass. The octets stay encrypted where they
// are; the view decrypts them as they are read.
func openStream(c ebms.Content, block cipher.Block, plain hash.Hash) (ebms.Content, error) {
	size := c.Size() - overhead
	in := c.NewReader()
	var nonce [nonceSize]byte
	if _, err := io.ReadFull(in, nonce[:]); err != nil {
		return nil, err
	}
	g, err := newGHASH(block)
	if err != nil {
		return nil, err
	}
	stream := counter(block, nonce[:])
	buf := windows.Get().(*[window]byte)
	defer windows.Put(buf)
	defer clear(buf[:])
	for left := size; left > 0; {
		b := buf[:min(window, left)]
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, err
		}
		left -= int64(len(b))
		g.write(b)
		if plain != nil {
			stream.XORKeyStream(b, b)
			plain.Write(b)
		}
	}
	var tag [tagSize]byte
	if _, err := io.ReadFull(in, tag[:]); err != nil {
		return nil, err
	}
	want := g.final(block, nonce[:])
	if subtle.ConstantTimeCompare(tag[:], want[:]) != 1 {
		return nil, errTag
	}
	return &opened{cipher: c, block: block, nonce: nonce, size: size}, nil
}

// owned is clear content in memory that took the place of an encrypted one.
type owned struct {
	ebms.Bytes
	cipher ebms.Content
}

func (o *owned) Close() error { return o.cipher.Close() }

// opened is the clear view of an authenticated part.
type opened struct {
	cipher ebms.Content
	block  cipher.Block
	nonce  [nonceSize]byte
	size   int64
}

func (o *opened) Size() int64  { return o.size }
func (o *opened) Close() error { return o.cipher.Close() }

func (o *opened) NewReader() io.Reader {
	in := o.cipher.NewReader()
	var nonce [nonceSize]byte
	if _, err := io.ReadFull(in, nonce[:]); err != nil {
		return failing{err}
	}
	if nonce != o.nonce {
		return failing{errTag}
	}
	return &cipher.StreamReader{S: counter(o.block, o.nonce[:]), R: io.LimitReader(in, o.size)}
}
