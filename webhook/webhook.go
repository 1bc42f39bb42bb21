// Package webhook tells subscribers that a snapshot was published: signed,
// at least once, retried for two days.
//
// There is no queue beside the snapshots. A hook remembers the number of the
// last snapshot that it was told of; whatever was published after it is still
// to be told, by whatever way it was published and however often the process
// was killed. The signature is that of Standard Webhooks: HMAC-SHA-256 over
// id, timestamp and body. The package keeps nothing itself (see store).
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// Hook is an address that wants to be told.
type Hook struct {
	ID        string    // sixteen hexadecimal digits
	Owner     string    // party of the token that made it
	URL       string    // https
	Secret    string    // key of the signature, "whsec_" and base64
	CreatedAt time.Time //
	Told      int       // number of the last snapshot that is settled
	Attempt   int       // attempts for the next one so far
	Due       time.Time // when it may be tried again
	LastError string    // of the last attempt; empty when it went well
}

// Store keeps hooks.
type Store interface {
	AddHook(ctx context.Context, h Hook) error
	// Hooks lists all hooks, the oldest first.
	Hooks(ctx context.Context) ([]Hook, error)
	// RemoveHook returns ErrUnknown when there is none.
	RemoveHook(ctx context.Context, id string) error
	// ClaimHook takes a hook that has not been told of snapshot latest and is
	// due, the one due first; it moves Due to lease and counts the attempt. No
	// other claim takes it before lease. ErrUnknown: none is due.
	ClaimHook(ctx context.Context, now, lease time.Time, latest int) (Hook, error)
	// SettleHook writes Told, Attempt, Due and LastError of a hook. A hook
	// that was removed meanwhile is no error.
	SettleHook(ctx context.Context, h Hook) error
}

// ErrUnknown is what a Store returns for a hook that it does not have.
var ErrUnknown = errors.New("no such webhook")

// Publication is what is told.
type Publication struct {
	Sequence    int       `json:"sequence"`
	AsOf        time.Time `json:"as_of"`
	PublishedAt time.Time `json:"published_at"`
	ContentHash string    `json:"content_hash"`
	Corrects    int       `json:"corrects,omitempty"`
	URL         string    `json:"url"`
	Sample      bool      `json:"sample,omitempty"`
}

// New makes a hook for an owner. latest is the number of the newest snapshot:
// only later ones are told. Its error says what is wrong with the address.
func New(address, owner string, now time.Time, latest int) (Hook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > 1000 {
		return Hook{}, fmt.Errorf("the address of a webhook begins with https://, has no name or password in it, and at most 1000 characters")
	}
	b := make([]byte, 40)
	if _, err := rand.Read(b); err != nil {
		return Hook{}, fmt.Errorf("random bytes for a webhook: %w", err)
	}
	now = now.UTC().Truncate(time.Millisecond)
	return Hook{ID: hex.EncodeToString(b[:8]), Owner: owner, URL: address, Secret: "whsec_" + base64.StdEncoding.EncodeToString(b[8:]),
		CreatedAt: now, Told: latest, Due: now}, nil
}

// Config of a Sender.
type Config struct {
	Store Store // required
	// Published are the snapshots that everybody may see, oldest first.
	// Required.
	Published func(context.Context) ([]Publication, error)
	// Client sends; nil: one that reaches public addresses alone, follows no
	// redirect and waits ten seconds.
	Client *http.Client
	Every  time.Duration // pause between looks; 0 means 5 s
	Now    func() time.Time
	Log    *slog.Logger
}

// Sender tells hooks what was published.
type Sender struct{ Config }

// NewSender makes a Sender; Run sets it to work.
func NewSender(c Config) *Sender {
	if c.Client == nil {
		c.Client = publicClient()
	}
	if c.Every == 0 {
		c.Every = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return &Sender{c}
}

// pauses are the waits after each failed attempt: two days in all. After the
// last one the snapshot is given up for this hook.
var pauses = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// lease is how long an attempt may take before another process may try.
const lease = time.Minute

// Run works until the context ends.
func (s *Sender) Run(ctx context.Context) {
	for {
		for {
			worked, err := s.Step(ctx)
			if err != nil && ctx.Err() == nil {
				s.Log.Error("webhooks not worked off", "err", err)
			}
			if err != nil || !worked {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.Every):
		}
	}
}

// Step makes at most one attempt and tells whether there was one to make.
func (s *Sender) Step(ctx context.Context) (bool, error) {
	if hooks, err := s.Store.Hooks(ctx); err != nil || len(hooks) == 0 {
		return false, err // as a rule; then nothing else is read
	}
	list, err := s.Published(ctx)
	if err != nil || len(list) == 0 {
		return false, err
	}
	now := s.Now()
	h, err := s.Store.ClaimHook(ctx, now, now.Add(lease), list[len(list)-1].Sequence)
	if errors.Is(err, ErrUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	next := list[len(list)-1]
	for _, p := range list {
		if p.Sequence > h.Told {
			next = p
			break
		}
	}
	err = s.send(ctx, h, next)
	if ctx.Err() != nil {
		return false, ctx.Err() // the lease runs out and somebody tries again
	}
	switch {
	case err == nil:
		h.Told, h.Attempt, h.Due, h.LastError = next.Sequence, 0, now, ""
	case h.Attempt > len(pauses):
		s.Log.Warn("webhook given up", "hook", h.ID, "sequence", next.Sequence)
		h.Told, h.Attempt, h.Due, h.LastError = next.Sequence, 0, now, fmt.Sprintf("snapshot %d was given up: %v", next.Sequence, err)
	default:
		h.Due, h.LastError = now.Add(pauses[h.Attempt-1]), err.Error()
	}
	return true, s.Store.SettleHook(ctx, h)
}

// send makes one attempt. Any status from 200 to 299 is a yes.
func (s *Sender) send(ctx context.Context, h Hook, p Publication) error {
	body, err := json.Marshal(struct {
		Schema   int         `json:"schema"`
		Event    string      `json:"event"`
		Snapshot Publication `json:"snapshot"`
	}{1, "snapshot.published", p})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address cannot be called")
	}
	id, at := fmt.Sprintf("snapshot-%d-%s", p.Sequence, h.ID), strconv.FormatInt(s.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "oots-webhook")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", Signature(h.Secret, id, at, body))
	answer, err := s.Client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which may hold a secret
		}
		return fmt.Errorf("no answer: %w", err)
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 4<<10)
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("answered %d", answer.StatusCode)
	}
	return nil
}

// Signature is the header Webhook-Signature: "v1," and the base64 of the
// HMAC-SHA-256 over id, timestamp and body with full stops between them.
func Signature(secret, id, timestamp string, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(secret[min(len(secret), len("whsec_")):])
	if err != nil {
		key = []byte(secret)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// publicClient reaches public addresses alone: what a name resolves to is
// judged when the connection is made, so that no name can point inside.
func publicClient() *http.Client {
	d := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !Public(to.Addr()) {
			return errors.New("the address is not public")
		}
		return nil
	}}
	return &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{DialContext: d.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConns: 10, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// inside are ranges beside those that net/netip knows: shared, benchmarking,
// documentation, reserved, translated.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// Public tells whether an address is one of the open network.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range inside {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
