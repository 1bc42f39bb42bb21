package projectathon

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Item is one piece of captured evidence. Its octets stand in the store under
// its digest, sealed.
type Item struct {
	SHA256          string // 64 hexadecimal digits
	Size            int64
	Kind            string // of EvidenceKinds
	MediaType       string
	Producer        string // the system that made it, or "platform"
	Country         string // of the producer; empty for the platform
	At              time.Time
	Step            string // of the case; empty for the whole test
	Direction       string // sent, received, or empty
	Confidentiality string // public, shared or own
}

// EvidenceKinds are the sorts of evidence.
var EvidenceKinds = []string{"envelope", "receipt", "regrep", "document", "validator-report", "log", "screenshot", "recording", "note", "link"}

// mostEvidence bounds an item, mostItems the items of a test.
const (
	mostEvidence = 8 << 20
	mostItems    = 200
)

// Screened says why an upload is refused.
type Screened struct{ Found, Do string }

func (e *Screened) Error() string { return e.Found + "; " + e.Do }

// SyntheticMarker stands in every document about invented people.
const SyntheticMarker = "SYNTHETIC"

// screens are what no upload may hold.
var screens = []struct {
	pattern *regexp.Regexp
	found   string
	do      string
}{
	{regexp.MustCompile(`-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----`), "the file holds a private key", "take it out, and replace that key: it has left its place"},
	{regexp.MustCompile(`(?i)["']?(?:password|passwd|passwort|mot de passe|client_secret|api[_-]?key)["']?\s*[:=]\s*["']?[^\s"'<*]{4,}`), "the file holds a password", "take it out; secrets of test accounts belong into the event's vault"},
	{regexp.MustCompile(`(?i)\bauthorization:\s*(?:bearer|basic)\s+[a-z0-9+/_.=-]{16,}`), "the file holds a log-in of an HTTP request", "cut the Authorization header out"},
	{regexp.MustCompile(`(?i)\b[a-z]{2}/[a-z]{2}/[0-9]{6}[-+A][0-9A-Z]{4}\b`), "the file holds what looks like a real person's identifier", "use only invented people from the registry of test persons"},
}

// personal are elements that speak about a person.
var personal = regexp.MustCompile(`<(?:\w+:)?(?:FamilyName|GivenName|DateOfBirth)>`)

// Screen refuses what must never be stored. Text about a person must say that
// the person is invented.
func Screen(octets []byte) error {
	for _, s := range screens {
		if s.pattern.Match(octets) {
			return &Screened{s.found, s.do}
		}
	}
	if personal.Match(octets) && !strings.Contains(strings.ToUpper(string(octets)), SyntheticMarker) {
		return &Screened{"the file speaks about a person and does not say that the person is invented",
			"use test data that carry the marker " + SyntheticMarker}
	}
	return nil
}

// Attach adds evidence to a test for a side of it.
func (s *Service) Attach(ctx context.Context, who Account, test string, it Item, octets []byte) error {
	if err := Screen(octets); err != nil {
		return err
	}
	return s.change(ctx, who, TakePart, test, "evidence "+it.Kind, func(t *PeerTest) error {
		side, err := who.side(t)
		if err != nil {
			return err
		}
		it.Producer, it.Country = side.System, side.Country
		return s.attach(ctx, t, it, octets)
	})
}

// attach keeps the octets and names them in the test; the caller saves it.
func (s *Service) attach(ctx context.Context, t *PeerTest, it Item, octets []byte) error {
	if len(octets) == 0 || len(octets) > mostEvidence {
		return fmt.Errorf("a piece of evidence has 1 to %d octets, this one %d", mostEvidence, len(octets))
	}
	it, piece, err := s.sealed(t.ID, it, octets)
	if err != nil {
		return err
	}
	if err := t.hold(it); err != nil {
		return err
	}
	return s.Store.Keep(ctx, piece)
}

// sealed is a piece of evidence as the store and as the test hold it.
func (s *Service) sealed(test string, it Item, octets []byte) (Item, Sealed, error) {
	sum := sha256.Sum256(octets)
	it.SHA256, it.Size, it.At = hex.EncodeToString(sum[:]), int64(len(octets)), s.Now().UTC()
	text, err := s.seal(octets, sum[:])
	return it, Sealed{sum, text, test}, err
}

// hold adds a piece of evidence to the test.
func (p *PeerTest) hold(it Item) error {
	switch {
	case p.State.graded():
		return fmt.Errorf("the test is %s; evidence is closed", p.State)
	case len(p.Evidence) >= mostItems:
		return fmt.Errorf("a test holds at most %d pieces of evidence", mostItems)
	case !slices.Contains(EvidenceKinds, it.Kind):
		return fmt.Errorf("%q is no kind of evidence; use one of %s", it.Kind, strings.Join(EvidenceKinds, ", "))
	case !slices.Contains([]string{"public", "shared", "own"}, it.Confidentiality):
		return fmt.Errorf("%q is no confidentiality; use public, shared or own", it.Confidentiality)
	}
	p.Evidence = append(p.Evidence, it)
	return nil
}

// mayOpen tells who reads an item: public everybody, shared both sides, own the
// producer's country; the monitor who has claimed the test, and auditors, all.
func mayOpen(who Account, t *PeerTest, it Item) error {
	own := who.Post == Contact || who.Post == Coordinator
	switch {
	case it.Confidentiality == "public",
		who.Post == Auditor,
		who.Post == Monitor && t.Monitor == who.Party && who.Party != "",
		own && who.Country == it.Country && it.Country != "",
		own && it.Confidentiality == "shared" && slices.ContainsFunc(t.Sides, func(s Side) bool { return s.Country == who.Country }):
		return nil
	}
	return &Denied{ReadEvidence, who.Post}
}

// Open reads a piece of evidence of a test, as far as its confidentiality lets
// the account.
func (s *Service) Open(ctx context.Context, who Account, test, digest string) (Item, []byte, error) {
	k, err := get[PeerTest](ctx, s, KindTest, test)
	if err != nil {
		return Item{}, nil, err
	}
	denied := error(&Denied{ReadEvidence, who.Post})
	for _, it := range k.Value.Evidence {
		if it.SHA256 != digest {
			continue
		}
		if denied = mayOpen(who, &k.Value, it); denied == nil {
			octets, err := s.octets(ctx, digest)
			return it, octets, err
		}
	}
	return Item{}, nil, denied
}

// Find reads a piece of evidence by its digest alone, in whichever test the
// account may open it, and gives that test. ErrUnknown says that no test holds
// it, a Denied that none of those that do lets the account.
func (s *Service) Find(ctx context.Context, who Account, digest string) (PeerTest, Item, []byte, error) {
	raw, err := hex.DecodeString(digest)
	if err != nil || len(raw) != 32 {
		return PeerTest{}, Item{}, nil, ErrUnknown
	}
	tests, err := s.Store.Holding(ctx, [32]byte(raw))
	if err != nil {
		return PeerTest{}, Item{}, nil, err
	}
	found := ErrUnknown
	for _, id := range tests {
		it, octets, err := s.Open(ctx, who, id, digest)
		if err == nil {
			k, err := get[PeerTest](ctx, s, KindTest, id)
			return k.Value, it, octets, err
		}
		found = err
	}
	return PeerTest{}, Item{}, nil, found
}

func (s *Service) octets(ctx context.Context, digest string) ([]byte, error) {
	raw, err := hex.DecodeString(digest)
	if err != nil || len(raw) != 32 {
		return nil, ErrUnknown
	}
	sealed, err := s.Store.Kept(ctx, [32]byte(raw))
	if err != nil {
		return nil, err
	}
	return s.unseal(sealed, raw)
}

func (s *Service) cipher() (cipher.AEAD, error) {
	if s.Key == nil {
		return nil, errors.New("projectathon: there is no key to seal with; evidence is not kept here")
	}
	block, err := aes.NewCipher(s.Key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts octets, bound to where they belong.
func (s *Service) seal(octets, place []byte) ([]byte, error) {
	c, err := s.cipher()
	if err != nil {
		return nil, err
	}
	return c.Seal(nil, nil, octets, place), nil
}

func (s *Service) unseal(sealed, place []byte) ([]byte, error) {
	c, err := s.cipher()
	if err != nil {
		return nil, err
	}
	return c.Open(nil, nil, sealed, place)
}

// Secret is a log-in of a test identity in the vault.
type Secret struct {
	Event, System, Country string
	Sealed                 []byte
	Until                  time.Time
}

// KeepSecret puts a system's log-in into the vault until a time.
func (s *Service) KeepSecret(ctx context.Context, who Account, event, system, text string, until time.Time) error {
	r, err := get[Registration](ctx, s, KindRegistration, event+":"+system)
	if err != nil {
		return err
	}
	if err := who.May(KeepSecret, r.Value.Country); err != nil || !who.operates(system, r.Value.Country) {
		return &Denied{KeepSecret, who.Post}
	}
	if len(text) == 0 || len(text) > 4096 || !until.After(s.Now()) || until.After(s.Now().AddDate(0, 3, 0)) {
		return errors.New("a secret has 1 to 4096 octets and ends within three months")
	}
	sealed, err := s.seal([]byte(text), []byte(r.ID))
	if err != nil {
		return err
	}
	k := fresh(KindSecret, r.ID, event, Secret{event, system, r.Value.Country, sealed, until.UTC()})
	if old, err := s.Store.Get(ctx, KindSecret, r.ID); err == nil {
		k.Version = old.Version
	}
	return put(ctx, s, who, KeepSecret, "", k)
}

// Reveal reads a secret: its own team, and teams with a test to play with that
// system.
func (s *Service) Reveal(ctx context.Context, who Account, event, system string) (string, error) {
	denied := &Denied{KeepSecret, who.Post}
	if who.Post != Contact && who.Post != Coordinator {
		return "", denied
	}
	k, err := get[Secret](ctx, s, KindSecret, event+":"+system)
	if err != nil {
		return "", denied // whoever may not read it does not learn that it exists
	}
	if !k.Value.Until.After(s.Now()) {
		return "", denied
	}
	if !who.operates(system, k.Value.Country) {
		b, err := s.Board(ctx, event)
		if err != nil {
			return "", err
		}
		if !b.paired(who, system) {
			return "", denied
		}
	}
	text, err := s.unseal(k.Value.Sealed, []byte(k.ID))
	return string(text), err
}
