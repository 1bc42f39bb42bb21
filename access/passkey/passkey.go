// Package passkey is the second factor of people who decide: passkeys as W3C
// Web Authentication Level 3 describes them, registered after a sign-in and
// shown again before a decision.
//
// A Desk makes the options that a browser asks an authenticator with, and judges
// what comes back. The package knows no HTTP and no page (see web), no database
// (see store), and no person: an account is a party's sign, and the user handle
// in the authenticator is random.
package passkey

import (
	"context"
	"errors"
	"time"
)

// Passkey is a credential of an account, never its private key.
type Passkey struct {
	ID         string // credential id in base64url without padding
	Party      string // whose it is: "monitor:AT-7f3a"
	Handle     []byte // user handle of the account (§5.4.3): 32 random octets
	Name       string // as its owner calls it, 1 to 60 characters
	PublicKey  []byte // COSE key
	Flags      byte   // of the authenticator data (§6.1) when it was registered
	SignCount  uint32 // of the last use; stays 0 with an authenticator that counts nothing
	Transports []string
	AddedAt    time.Time
	UsedAt     time.Time // zero before the first use
}

// Most is how many passkeys an account can have.
const Most = 20

// Errors of a Store.
var (
	ErrUnknown = errors.New("there is no such passkey")
	ErrTaken   = errors.New("this passkey is registered already, or the account has too many")
	ErrLast    = errors.New("this is the last passkey of the account")
	ErrChanged = errors.New("the passkey was used somewhere else meanwhile")
)

// Store keeps passkeys. Package passkeytest holds its promises.
type Store interface {
	// Of are the passkeys of an account, the oldest first.
	Of(ctx context.Context, party string) ([]Passkey, error)
	// Add keeps a new one; ErrTaken when its id is known, of whatever account, or
	// when the account has Most. All of an account have one handle: another one is
	// ErrChanged.
	Add(ctx context.Context, k Passkey) error
	// Used notes a use with the counter that came with it; ErrChanged when the
	// counter kept is not was, ErrUnknown.
	Used(ctx context.Context, id string, was, now uint32, at time.Time) error
	// Rename gives one of the account's another name; ErrUnknown.
	Rename(ctx context.Context, party, id, name string) error
	// Remove forgets one of the account's; ErrUnknown, and ErrLast for its last
	// one unless last allows that.
	Remove(ctx context.Context, party, id string, last bool) error
}
