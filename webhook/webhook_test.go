package webhook_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/webhook"
	"github.com/once-only/oots/webhook/webhooktest"
)

func TestMemory(t *testing.T) {
	webhooktest.Run(t, func(*testing.T) webhook.Store { return &webhook.Memory{} })
}

// street is a sender, its clock and one subscriber.
type street struct {
	*webhook.Sender
	now       time.Time
	published []webhook.Publication
	store     webhook.Memory
	status    int
	got       []int // numbers of the snapshots told
	t         *testing.T
	secret    string
}

func start(t *testing.T) *street {
	s := &street{now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), status: 204, t: t, published: []webhook.Publication{{Sequence: 1}, {Sequence: 2}}}
	server := httptest.NewTLSServer(http.HandlerFunc(s.receive))
	t.Cleanup(server.Close)
	h, err := webhook.New(server.URL+"/in", "operator", s.now, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.secret = h.Secret
	if err := s.store.AddHook(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	s.Sender = webhook.NewSender(webhook.Config{Store: &s.store, Client: server.Client(), Now: func() time.Time { return s.now },
		Published: func(context.Context) ([]webhook.Publication, error) { return s.published, nil }})
	return s
}

func (s *street) receive(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	if want := webhook.Signature(s.secret, r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), raw); r.Header.Get("Webhook-Signature") != want || !strings.HasPrefix(want, "v1,") {
		s.t.Errorf("signature %q, want %q", r.Header.Get("Webhook-Signature"), want)
	}
	var body struct {
		Event    string
		Snapshot webhook.Publication
	}
	if err := json.Unmarshal(raw, &body); err != nil || body.Event != "snapshot.published" {
		s.t.Errorf("%s: %v", raw, err)
	}
	s.got = append(s.got, body.Snapshot.Sequence)
	w.WriteHeader(s.status)
}

func (s *street) work() (steps int) {
	for {
		worked, err := s.Step(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if !worked {
			return steps
		}
		steps++
	}
}

func TestEverySnapshotIsToldInOrder(t *testing.T) {
	s := start(t)
	s.published = append(s.published, webhook.Publication{Sequence: 3})
	s.work()
	s.work()
	if len(s.got) != 2 || s.got[0] != 2 || s.got[1] != 3 {
		t.Errorf("told %v, want 2 and 3 once each: 1 was published before the hook", s.got)
	}
}

func TestARefusalIsTriedAgainForTwoDays(t *testing.T) {
	s := start(t)
	s.status = 500
	begin := s.now
	for range 8 {
		if n := s.work(); n != 1 {
			t.Fatalf("%d attempts at %v", n, s.now.Sub(begin))
		}
		hooks, _ := s.store.Hooks(t.Context())
		if !strings.Contains(hooks[0].LastError, "answered 500") {
			t.Errorf("last error %q", hooks[0].LastError)
		}
		s.now = hooks[0].Due
	}
	hooks, _ := s.store.Hooks(t.Context())
	if hooks[0].Told != 2 || !strings.Contains(hooks[0].LastError, "given up") {
		t.Errorf("after the last attempt: %+v", hooks[0])
	}
	if d := s.now.Sub(begin); d < 40*time.Hour || d > 50*time.Hour {
		t.Errorf("given up after %v, want about two days", d)
	}
	s.status, s.published = 200, append(s.published, webhook.Publication{Sequence: 3})
	s.work()
	if last := s.got[len(s.got)-1]; last != 3 {
		t.Errorf("the next snapshot is not told: %v", s.got)
	}
}

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	for _, bad := range []string{"http://example.org/", "https://", "ftp://example.org", "https://user:pw@example.org/", "https://example.org/#x", "example.org", "https://example.org/" + strings.Repeat("x", 1000)} {
		if _, err := webhook.New(bad, "operator", time.Time{}, 0); err == nil {
			t.Errorf("%.60s is taken", bad)
		}
	}
	for address, want := range map[string]bool{
		"127.0.0.1": false, "10.1.2.3": false, "169.254.169.254": false, "::1": false, "fd00::1": false, "::ffff:127.0.0.1": false, "100.64.0.1": false, "0.0.0.0": false,
		"64:ff9b::7f00:1": false, "224.0.0.1": false, "8.8.8.8": true, "2a00:1450:4001::1": true,
	} {
		if got := webhook.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %v", address, got)
		}
	}
	called := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	var store webhook.Memory
	h, err := webhook.New(server.URL, "operator", time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.AddHook(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	s := webhook.NewSender(webhook.Config{Store: &store, Published: func(context.Context) ([]webhook.Publication, error) { return []webhook.Publication{{Sequence: 1}}, nil }})
	if _, err := s.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	hooks, _ := store.Hooks(t.Context())
	if called || !strings.Contains(hooks[0].LastError, "not public") {
		t.Errorf("an address of this machine was called: %v, %q", called, hooks[0].LastError)
	}
}
