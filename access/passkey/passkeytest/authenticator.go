package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// Authenticator answers as a browser with an authenticator does: ES256, no
// attestation. Its fields are what a test bends.
type Authenticator struct {
	Origin string
	RPID   string // of the site it thinks it is at
	Count  uint32 // of the last use; 0 in one that counts nothing
	Counts bool
	Flags  byte // of the authenticator data: 0x05 is a user who is there and verified
	ID     []byte
	Handle []byte // that it gives with a use; nil: that of the registration
	key    *ecdsa.PrivateKey
}

// NewAuthenticator has a key of its own for the site at origin.
func NewAuthenticator(t testing.TB, origin, rpID string) *Authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Authenticator{Origin: origin, RPID: rpID, Flags: 0x05, ID: []byte(rand.Text()), key: key}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// clientData is §5.8.1.
func (a *Authenticator) clientData(kind, challenge string) []byte {
	out, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	return out
}

// data is the authenticator data of §6.1.
func (a *Authenticator) data(flags byte, more ...byte) []byte {
	sum := sha256.Sum256([]byte(a.RPID))
	return append(binary.BigEndian.AppendUint32(append(sum[:], flags), a.Count), more...)
}

// octets is a CBOR byte string, text and length of which stay under 64 KiB.
func octets(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0x59}, uint16(len(b))), b...)
}

// Create answers the options of a registration.
func (a *Authenticator) Create(t testing.TB, options []byte) []byte {
	t.Helper()
	var o struct {
		Challenge string
		User      struct{ ID string }
	}
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	handle, err := base64.RawURLEncoding.DecodeString(o.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	a.Handle = handle
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cose := []byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21} // EC2, ES256, P-256
	cose = append(append(append(cose, octets(point[1:33])...), 0x22), octets(point[33:])...)
	more := binary.BigEndian.AppendUint16(make([]byte, 16), uint16(len(a.ID)))
	more = append(append(more, a.ID...), cose...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData"), octets(a.data(a.Flags|0x40, more...))...)
	return a.answer(map[string]any{"clientDataJSON": b64(a.clientData("webauthn.create", o.Challenge)), "attestationObject": b64(object), "transports": []string{"internal"}})
}

// Get answers the options of a use.
func (a *Authenticator) Get(t testing.TB, options []byte) []byte {
	t.Helper()
	var o struct{ Challenge string }
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	if a.Counts {
		a.Count++
	}
	client, data := a.clientData("webauthn.get", o.Challenge), a.data(a.Flags)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(data, hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(a.Handle)})
}

func (a *Authenticator) answer(response map[string]any) []byte {
	out, _ := json.Marshal(map[string]any{"id": b64(a.ID), "rawId": b64(a.ID), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	return out
}
