package passkey

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	// Lifetime is how long a challenge waits for its answer.
	Lifetime    = 5 * time.Minute
	mostWaiting = 10_000   // challenges; beyond it the oldest goes
	mostAnswer  = 32 << 10 // octets of what a browser sends
)

// Code says in one word why an answer counts for nothing.
type Code string

const (
	Expired Code = "expired" // its challenge is over, used, or of another visit
	Foreign Code = "foreign" // the passkey is not the account's
	Cloned  Code = "cloned"  // the counter went back: there may be a copy
	Known   Code = "known"   // registered already, or too many
	Wrong   Code = "wrong"   // anything else: origin, signature, form
	Last    Code = "last"    // the last passkey stays
	Unnamed Code = "unnamed" // a name has 1 to 60 characters
)

// Refusal is why an answer counts for nothing. Its cause is for the log.
type Refusal struct {
	Code  Code
	Cause error
}

func (r *Refusal) Error() string {
	if r.Cause == nil {
		return "passkey: " + string(r.Code)
	}
	return "passkey: " + string(r.Code) + ": " + r.Cause.Error()
}

func (r *Refusal) Unwrap() error { return r.Cause }

// Deed is what is done with a passkey, as the audit trail calls it.
type Deed string

const (
	Register Deed = "register a passkey"
	Use      Deed = "use a passkey"
	Rename   Deed = "rename a passkey"
	Remove   Deed = "remove a passkey"
)

// Config of a Desk; all but Now is required.
type Config struct {
	// Origin is where browsers reach the site, without a final slash. Its host is
	// the relying party's id (§5.1.2), which cannot be an IP address.
	Origin string
	Name   string // of the site, as authenticators show it
	Store  Store
	// Note writes the line of the audit trail; it is called before the store is
	// changed, and nothing is changed without it.
	Note func(ctx context.Context, party string, what Deed, id string) error
	// Required keeps the last passkey of an account.
	Required bool
	Now      func() time.Time // optional; time.Now
}

// Desk registers passkeys and judges their use. It is safe for concurrent use;
// an answer goes to the process that asked.
type Desk struct {
	Config
	w       *webauthn.WebAuthn
	mu      sync.Mutex
	waiting map[string]ceremony // by challenge
}

// ceremony is a question that a browser was sent away with.
type ceremony struct {
	visit   string // the session that asked
	account account
	create  bool
	session webauthn.SessionData
	until   time.Time
}

// New checks the configuration.
func New(c Config) (*Desk, error) {
	if c.Store == nil || c.Note == nil || c.Name == "" {
		return nil, errors.New("passkey: Store, Note and Name are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	u, err := url.Parse(c.Origin)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("passkey: %q is no address of a site", c.Origin)
	}
	if err := protocol.ValidateRPID(u.Hostname()); err != nil {
		return nil, fmt.Errorf("passkey: %s: passkeys belong to a name, never to a number: use localhost, or the name of the site", u.Host)
	}
	if u.Scheme != "https" && u.Hostname() != "localhost" {
		return nil, fmt.Errorf("passkey: %s: browsers offer passkeys over https only, but for localhost", c.Origin)
	}
	w, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: c.Name, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired},
		Timeouts: webauthn.TimeoutsConfig{Login: webauthn.TimeoutConfig{Timeout: Lifetime}, Registration: webauthn.TimeoutConfig{Timeout: Lifetime}}})
	if err != nil {
		return nil, err
	}
	return &Desk{Config: c, w: w, waiting: map[string]ceremony{}}, nil
}

// account is webauthn.User.
type account struct {
	party  string
	handle []byte
	keys   []Passkey
}

func (a account) WebAuthnID() []byte          { return a.handle }
func (a account) WebAuthnName() string        { return a.party }
func (a account) WebAuthnDisplayName() string { return a.party }

func (a account) WebAuthnCredentials() []webauthn.Credential {
	out := make([]webauthn.Credential, len(a.keys))
	for i, k := range a.keys {
		id, _ := base64.RawURLEncoding.DecodeString(k.ID) // written by Finish
		out[i] = webauthn.Credential{ID: id, PublicKey: k.PublicKey, Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(k.Flags)),
			Authenticator: webauthn.Authenticator{SignCount: k.SignCount}}
		for _, t := range k.Transports {
			out[i].Transport = append(out[i].Transport, protocol.AuthenticatorTransport(t))
		}
	}
	return out
}

func (d *Desk) account(ctx context.Context, party string) (account, error) {
	keys, err := d.Store.Of(ctx, party)
	a := account{party: party, keys: keys}
	if len(keys) > 0 {
		a.handle = keys[0].Handle
	}
	return a, err
}

// AskNew begins a registration: the options of navigator.credentials.create
// (§5.4) as JSON. Whoever calls it has made sure that an account with passkeys
// has just used one.
func (d *Desk) AskNew(ctx context.Context, party, visit string) ([]byte, error) {
	a, err := d.account(ctx, party)
	if err != nil {
		return nil, err
	}
	if a.handle == nil {
		a.handle = make([]byte, 32)
		if _, err := rand.Read(a.handle); err != nil {
			return nil, err
		}
	}
	var known []protocol.CredentialDescriptor
	for _, c := range a.WebAuthnCredentials() {
		known = append(known, c.Descriptor())
	}
	options, session, err := d.w.BeginRegistration(a, webauthn.WithExclusions(known))
	if err != nil {
		return nil, err
	}
	d.wait(ceremony{visit: visit, account: a, create: true, session: *session})
	return json.Marshal(options.Response)
}

// AskUse begins a use: the options of navigator.credentials.get (§5.5) as JSON.
func (d *Desk) AskUse(ctx context.Context, party, visit string) ([]byte, error) {
	a, err := d.account(ctx, party)
	if err != nil {
		return nil, err
	}
	options, session, err := d.w.BeginLogin(a)
	if err != nil {
		return nil, err
	}
	d.wait(ceremony{visit: visit, account: a, session: *session})
	return json.Marshal(options.Response)
}

func (d *Desk) wait(c ceremony) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now()
	c.until = now.Add(Lifetime)
	if len(d.waiting) >= mostWaiting {
		oldest := ""
		for k, w := range d.waiting {
			if !now.Before(w.until) {
				delete(d.waiting, k)
			} else if oldest == "" || w.until.Before(d.waiting[oldest].until) {
				oldest = k
			}
		}
		if len(d.waiting) >= mostWaiting {
			delete(d.waiting, oldest)
		}
	}
	d.waiting[c.session.Challenge] = c
}

// take gives a ceremony once, to the visit that began it.
func (d *Desk) take(challenge, party, visit string) (ceremony, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.waiting[challenge]
	if !ok || c.account.party != party || c.visit != visit {
		return ceremony{}, false
	}
	delete(d.waiting, challenge)
	return c, d.Now().Before(c.until)
}

// challengeOf reads which question a browser answers (§5.8.1).
func challengeOf(answer []byte) (string, error) {
	var a struct {
		Response struct {
			ClientData protocol.URLEncodedBase64 `json:"clientDataJSON"`
		} `json:"response"`
	}
	var data struct {
		Challenge string `json:"challenge"`
	}
	if len(answer) > mostAnswer {
		return "", fmt.Errorf("%d octets", len(answer))
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return "", err
	}
	err := json.Unmarshal(a.Response.ClientData, &data)
	return data.Challenge, err
}

// Finish judges what the browser brought for a question of this visit: a new
// passkey is kept under the name, a known one is noted as used. The error is a
// *Refusal, or the store's or trail's.
func (d *Desk) Finish(ctx context.Context, party, visit, name string, answer []byte) error {
	challenge, err := challengeOf(answer)
	if err != nil {
		return &Refusal{Wrong, err}
	}
	c, ok := d.take(challenge, party, visit)
	if !ok {
		return &Refusal{Expired, nil}
	}
	if c.create {
		return d.registered(ctx, c, name, answer)
	}
	return d.used(ctx, c, answer)
}

func (d *Desk) registered(ctx context.Context, c ceremony, name string, answer []byte) error {
	name, err := properName(name)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return &Refusal{Wrong, detail(err)}
	}
	made, err := d.w.CreateCredential(c.account, c.session, parsed)
	if err != nil {
		return &Refusal{Wrong, detail(err)}
	}
	k := Passkey{ID: base64.RawURLEncoding.EncodeToString(made.ID), Party: c.account.party, Handle: c.account.handle, Name: name, PublicKey: made.PublicKey,
		Flags: byte(made.Flags.ProtocolValue()), SignCount: made.Authenticator.SignCount, AddedAt: d.Now().UTC().Truncate(time.Millisecond)}
	for _, t := range made.Transport {
		if len(k.Transports) < 8 && transports[t] {
			k.Transports = append(k.Transports, string(t))
		}
	}
	if err := d.Note(ctx, k.Party, Register, k.ID); err != nil {
		return err
	}
	return refused(d.Store.Add(ctx, k))
}

// transports that a browser may name (§5.8.4).
var transports = map[protocol.AuthenticatorTransport]bool{protocol.USB: true, protocol.NFC: true, protocol.BLE: true, protocol.SmartCard: true,
	protocol.Hybrid: true, protocol.Internal: true}

func (d *Desk) used(ctx context.Context, c ceremony, answer []byte) error {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return &Refusal{Wrong, detail(err)}
	}
	// The passkeys of now: one that was removed meanwhile is worth nothing.
	now, err := d.account(ctx, c.account.party)
	if err != nil {
		return err
	}
	id := base64.RawURLEncoding.EncodeToString(parsed.RawID)
	var was *Passkey
	for i := range now.keys {
		if now.keys[i].ID == id {
			was = &now.keys[i]
		}
	}
	if was == nil {
		return &Refusal{Foreign, nil}
	}
	c.account.keys = now.keys
	c.session.AllowedCredentialIDs = nil // the look-up above is stricter
	found, err := d.w.ValidateLogin(c.account, c.session, parsed)
	if err != nil {
		return &Refusal{Wrong, detail(err)}
	}
	if found.Authenticator.CloneWarning {
		return &Refusal{Cloned, nil}
	}
	if err := d.Note(ctx, was.Party, Use, id); err != nil {
		return err
	}
	return refused(d.Store.Used(ctx, id, was.SignCount, found.Authenticator.SignCount, d.Now()))
}

// Rename and Remove change a passkey of the account.
func (d *Desk) Rename(ctx context.Context, party, id, name string) error {
	name, err := properName(name)
	if err != nil {
		return err
	}
	return d.change(ctx, party, Rename, id, func() error { return d.Store.Rename(ctx, party, id, name) })
}

func (d *Desk) Remove(ctx context.Context, party, id string) error {
	return d.change(ctx, party, Remove, id, func() error { return d.Store.Remove(ctx, party, id, !d.Required) })
}

// change notes and makes a change of a passkey that the account has.
func (d *Desk) change(ctx context.Context, party string, what Deed, id string, do func() error) error {
	own, err := d.Store.Of(ctx, party)
	if err != nil {
		return err
	}
	known := false
	for _, k := range own {
		known = known || k.ID == id
	}
	switch {
	case !known:
		return &Refusal{Foreign, nil}
	case what == Remove && d.Required && len(own) == 1:
		return &Refusal{Last, nil}
	}
	if err := d.Note(ctx, party, what, id); err != nil {
		return err
	}
	return refused(do())
}

// refused gives an error of the store its code.
func refused(err error) error {
	for was, code := range map[error]Code{ErrTaken: Known, ErrChanged: Expired, ErrUnknown: Foreign, ErrLast: Last} {
		if errors.Is(err, was) {
			return &Refusal{code, err}
		}
	}
	return err
}

// detail is an error of the library with the reason that it keeps aside.
func detail(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %s", e.Details, e.DevInfo)
	}
	return err
}

func properName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 60 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", &Refusal{Unnamed, nil}
	}
	return name, nil
}
