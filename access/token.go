// Package access tells who may write: scoped API tokens that people create,
// list and revoke.
//
// A token is 32 random bytes behind the prefix "oots_", shown once; only its
// SHA-256 is stored. It belongs to an owner, who is one person or one machine,
// and ends by itself. The package knows no HTTP (see web) and no database (see
// store).
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Scope is one thing that a token's owner may do.
type Scope string

const (
	WriteFacts      Scope = "facts:write"       // append facts that the owner asserts
	ImportFacts     Scope = "facts:import"      // append facts of any asserter
	DraftSnapshot   Scope = "snapshots:draft"   // draft and correct
	ApproveSnapshot Scope = "snapshots:approve" // approve what another owner drafted
	PublishSnapshot Scope = "snapshots:publish" // publish what two owners agreed on
	ManageWebhooks  Scope = "webhooks:manage"   // who is told of a publication
	// DecideCorrections reads what readers ask to have corrected, and decides.
	DecideCorrections Scope = "corrections:decide"
	// HandInReports hands in reports of test runs that a team's own pipeline has
	// signed with the key of the token.
	HandInReports Scope = "reports:write"
)

// Scopes are all scopes, in the order in which they are shown.
func Scopes() []Scope {
	return []Scope{WriteFacts, ImportFacts, DraftSnapshot, ApproveSnapshot, PublishSnapshot, ManageWebhooks, DecideCorrections, HandInReports}
}

// SubmitFor is the scope of who changes one country's part of the Common
// Services: "lcm:FI". It is in no list; there is one for each country.
func SubmitFor(country string) Scope { return Scope("lcm:" + country) }

var countryScope = regexp.MustCompile(`^lcm:[A-Z]{2}$`)

// Prefix begins every token, so that people and secret scanners know one when
// they see it.
const Prefix = "oots_"

// Longest is the most time that a token may live.
const Longest = 366 * 24 * time.Hour

// Token is what is known about a token; never the token itself.
type Token struct {
	ID        string // twelve hexadecimal digits
	Owner     string // a party: "commission:7f3a", "ms:AT", "team:AT/portal"
	Scopes    []Scope
	Key       string // public key (of a signed note) of who signs reports; empty for none
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time // zero while it is not revoked
}

// May tells whether the token carries the scope.
func (t Token) May(s Scope) bool { return slices.Contains(t.Scopes, s) }

// Asserts tells whether the owner may assert facts as this party: as itself,
// or as the body that it belongs to ("commission:7f3a" as "commission").
func (t Token) Asserts(party string) bool {
	return party != "" && (t.Owner == party || strings.HasPrefix(t.Owner, party+"/") || strings.HasPrefix(t.Owner, party+":"))
}

// Store keeps tokens by the digest of their text.
type Store interface {
	// AddToken stores a new token. A digest or id stored already is an error.
	AddToken(ctx context.Context, t Token, digest [32]byte) error
	// TokenByDigest returns ErrUnknown when there is none.
	TokenByDigest(ctx context.Context, digest [32]byte) (Token, error)
	// Tokens lists all tokens, the oldest first; revoked ones too.
	Tokens(ctx context.Context) ([]Token, error)
	// RevokeToken ends a token for good. It returns ErrUnknown when there is
	// none; revoking twice keeps the first time.
	RevokeToken(ctx context.Context, id string, at time.Time) error
}

// ErrUnknown is what a Store returns for a token that it does not have.
var ErrUnknown = errors.New("no such token")

// Refusal is why a token does not open the door; its text may be shown to
// whoever sent the token.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return r.Reason }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

var ownerForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$`)

// Create makes and stores a token and returns its text, which nobody can show
// again. random is nil for crypto/rand.
func Create(ctx context.Context, s Store, random io.Reader, now time.Time, owner string, lifetime time.Duration, scopes ...Scope) (Token, string, error) {
	return CreateFor(ctx, s, random, now, owner, "", lifetime, scopes...)
}

var reporter = regexp.MustCompile(`^team:[A-Z]{2}/.`)

// wrongReporter says why a token cannot hand in reports with a key; empty for
// one that can, and for one that does not.
func wrongReporter(owner, key string, scopes []Scope) string {
	hands := slices.Contains(scopes, HandInReports)
	_, err := note.NewVerifier(key)
	switch {
	case !hands && key == "":
	case !hands:
		return fmt.Sprintf("a key is for the scope %s alone", HandInReports)
	case key == "":
		return fmt.Sprintf("the scope %s needs the public key that signs the reports; \"oots keys report\" makes one", HandInReports)
	case err != nil || len(key) > 500:
		return "the key cannot be read: give the public key, one line such as team-fi+5d1c2b3a+AV…, as \"oots keys report\" prints it"
	case !reporter.MatchString(owner):
		return fmt.Sprintf("reports are a team's, such as team:AT/portal, not %q's", owner)
	}
	return ""
}

// CreateFor is Create with the public key that signs what the owner hands in.
func CreateFor(ctx context.Context, s Store, random io.Reader, now time.Time, owner, key string, lifetime time.Duration, scopes ...Scope) (Token, string, error) {
	if !ownerForm.MatchString(owner) {
		return Token{}, "", fmt.Errorf("owner %q: name one person or machine as a party, 1 to 128 letters, digits, . _ : / or -, such as commission:7f3a or team:AT/portal", owner)
	}
	if lifetime <= 0 || lifetime > Longest {
		return Token{}, "", fmt.Errorf("lifetime %v: choose more than none and at most %d days", lifetime, Longest/(24*time.Hour))
	}
	if len(scopes) == 0 {
		return Token{}, "", fmt.Errorf("no scope: choose from %s", choices())
	}
	for _, sc := range scopes {
		if !slices.Contains(Scopes(), sc) && !countryScope.MatchString(string(sc)) {
			return Token{}, "", fmt.Errorf("scope %q does not exist: choose from %s", sc, choices())
		}
	}
	if why := wrongReporter(owner, key, scopes); why != "" {
		return Token{}, "", errors.New(why)
	}
	if random == nil {
		random = rand.Reader
	}
	var secret [32]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return Token{}, "", fmt.Errorf("random bytes for a token: %w", err)
	}
	text := Prefix + base64.RawURLEncoding.EncodeToString(secret[:])
	digest := sha256.Sum256([]byte(text))
	id := sha256.Sum256(digest[:]) // the id tells nothing about what is looked up
	t := Token{ID: hex.EncodeToString(id[:6]), Owner: owner, Key: key, Scopes: slices.Compact(slices.Sorted(slices.Values(scopes))),
		CreatedAt: now.UTC().Truncate(time.Millisecond), ExpiresAt: now.Add(lifetime).UTC().Truncate(time.Millisecond)}
	if err := s.AddToken(ctx, t, digest); err != nil {
		return Token{}, "", fmt.Errorf("store a token for %s: %w", owner, err)
	}
	return t, text, nil
}

// Who returns the token behind a text, or a *Refusal that says why there is
// none that counts now.
func Who(ctx context.Context, s Store, now time.Time, text string) (Token, error) {
	secret, ok := strings.CutPrefix(text, Prefix)
	if raw, err := base64.RawURLEncoding.DecodeString(secret); !ok || err != nil || len(raw) != 32 {
		return Token{}, refuse("this is no token of ours: one begins with %s and has 43 more letters, digits, - or _", Prefix)
	}
	t, err := s.TokenByDigest(ctx, sha256.Sum256([]byte(text)))
	switch {
	case errors.Is(err, ErrUnknown):
		return Token{}, refuse("this token is not known here: it may belong to another site; create one with \"oots token create\"")
	case err != nil:
		return Token{}, fmt.Errorf("look up a token: %w", err)
	case !t.RevokedAt.IsZero() && !now.Before(t.RevokedAt):
		return Token{}, refuse("token %s was revoked on %s: create a new one", t.ID, t.RevokedAt.UTC().Format(time.DateOnly))
	case !now.Before(t.ExpiresAt):
		return Token{}, refuse("token %s ended on %s: create a new one", t.ID, t.ExpiresAt.UTC().Format(time.DateOnly))
	}
	return t, nil
}

func choices() string {
	var names []string
	for _, s := range Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ") + ", lcm:CC with a country's code"
}
