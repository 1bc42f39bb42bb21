package passkey_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/access/passkey"
	"github.com/once-only/oots/access/passkey/passkeytest"
)

const (
	site  = "https://lab.example"
	party = "monitor:AT-7f3a"
	visit = "session 1"
)

func TestMemory(t *testing.T) {
	passkeytest.Run(t, func(*testing.T) passkey.Store { return &passkey.Memory{} })
}

// bench is a desk with its clock and its trail.
type bench struct {
	*passkey.Desk
	now   time.Time
	trail []string
	mute  error // of the trail
}

func newBench(t testing.TB, required bool) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	d, err := passkey.New(passkey.Config{Origin: site, Name: "Test platform", Store: &passkey.Memory{}, Required: required, Now: func() time.Time { return b.now },
		Note: func(_ context.Context, party string, what passkey.Deed, _ string) error {
			if b.mute == nil {
				b.trail = append(b.trail, party+" "+string(what))
			}
			return b.mute
		}})
	if err != nil {
		t.Fatal(err)
	}
	b.Desk = d
	return b
}

// register gives an account a passkey.
func (b *bench) register(t testing.TB, party, name string) *passkeytest.Authenticator {
	t.Helper()
	a := passkeytest.NewAuthenticator(t, site, "lab.example")
	options, err := b.AskNew(t.Context(), party, visit)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Finish(t.Context(), party, visit, name, a.Create(t, options)); err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) ask(t testing.TB) []byte {
	t.Helper()
	options, err := b.AskUse(t.Context(), party, visit)
	if err != nil {
		t.Fatal(err)
	}
	return options
}

func refusedAs(t *testing.T, what string, err error, code passkey.Code) {
	t.Helper()
	var r *passkey.Refusal
	if !errors.As(err, &r) || r.Code != code {
		t.Errorf("%s gives %v, not %q", what, err, code)
	}
}

func TestAPasskeyIsRegisteredAndUsed(t *testing.T) {
	b := newBench(t, true)
	a := b.register(t, party, " Key ring ")
	a.Counts = true
	for range 3 {
		if err := b.Finish(t.Context(), party, visit, "", a.Get(t, b.ask(t))); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := b.Store.Of(t.Context(), party)
	if err != nil || len(keys) != 1 || keys[0].Name != "Key ring" || keys[0].SignCount != 3 || !keys[0].UsedAt.Equal(b.now) || len(keys[0].Handle) != 32 || strings.Contains(string(keys[0].Handle), "monitor") {
		t.Errorf("kept: %+v, %v", keys, err)
	}
	want := fmt.Sprint([]string{party + " register a passkey", party + " use a passkey", party + " use a passkey", party + " use a passkey"})
	if fmt.Sprint(b.trail) != want {
		t.Errorf("the trail is %v", b.trail)
	}
	// A second passkey of the account is another credential under the same handle.
	second := b.register(t, party, "Telephone")
	if string(second.Handle) != string(a.Handle) {
		t.Error("the account has two handles")
	}
	if err := b.Finish(t.Context(), party, visit, "", second.Get(t, b.ask(t))); err != nil {
		t.Error(err)
	}
}

// Each row is one defect in an otherwise good use.
func TestBadUsesCountForNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		code passkey.Code
		bend func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte
	}{
		{"another origin", passkey.Wrong, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			a.Origin = "https://lab.example.evil"
			return a.Get(t, b.ask(t))
		}},
		{"another port", passkey.Wrong, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			a.Origin = site + ":8443"
			return a.Get(t, b.ask(t))
		}},
		{"another relying party", passkey.Wrong, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			a.RPID = "example"
			return a.Get(t, b.ask(t))
		}},
		{"a challenge of the attacker's", passkey.Expired, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			b.ask(t)
			return a.Get(t, []byte(`{"challenge":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}`))
		}},
		{"no challenge", passkey.Expired, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			b.ask(t)
			return a.Get(t, []byte(`{}`))
		}},
		{"a replay", passkey.Expired, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			answer := a.Get(t, b.ask(t))
			if err := b.Finish(t.Context(), party, visit, "", answer); err != nil {
				t.Fatal(err)
			}
			return answer
		}},
		{"too late", passkey.Expired, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			answer := a.Get(t, b.ask(t))
			b.now = b.now.Add(passkey.Lifetime)
			return answer
		}},
		{"the question of another session", passkey.Expired, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			options, err := b.AskUse(t.Context(), party, "session 2")
			if err != nil {
				t.Fatal(err)
			}
			return a.Get(t, options)
		}},
		{"a counter that goes back", passkey.Cloned, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			a.Count = 40
			if err := b.Finish(t.Context(), party, visit, "", a.Get(t, b.ask(t))); err != nil {
				t.Fatal(err)
			}
			a.Count = 39
			return a.Get(t, b.ask(t))
		}},
		{"a counter that stands still", passkey.Cloned, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			a.Count = 40
			if err := b.Finish(t.Context(), party, visit, "", a.Get(t, b.ask(t))); err != nil {
				t.Fatal(err)
			}
			return a.Get(t, b.ask(t))
		}},
		{"somebody else's passkey", passkey.Foreign, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			other := b.register(t, "monitor:BE-11aa", "theirs")
			return other.Get(t, b.ask(t))
		}},
		{"another key under the passkey's id", passkey.Wrong, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			other := passkeytest.NewAuthenticator(t, site, "lab.example")
			other.ID, other.Handle = a.ID, a.Handle
			return other.Get(t, b.ask(t))
		}},
		{"another handle", passkey.Wrong, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			a.Handle = []byte("somebody")
			return a.Get(t, b.ask(t))
		}},
		{"nobody was verified", passkey.Wrong, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			a.Flags = 0x01
			return a.Get(t, b.ask(t))
		}},
		{"nobody was there", passkey.Wrong, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			a.Flags = 0x04
			return a.Get(t, b.ask(t))
		}},
		{"a registration in its place", passkey.Wrong, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			return a.Create(t, b.ask(t))
		}},
		{"a passkey that was removed meanwhile", passkey.Foreign, func(t *testing.T, b *bench, a *passkeytest.Authenticator) []byte {
			answer := a.Get(t, b.ask(t))
			keys, err := b.Store.Of(t.Context(), party)
			if err != nil {
				t.Fatal(err)
			}
			b.register(t, party, "second")
			if err := b.Remove(t.Context(), party, keys[0].ID); err != nil {
				t.Fatal(err)
			}
			return answer
		}},
		{"rubbish", passkey.Wrong, func(t *testing.T, b *bench, _ *passkeytest.Authenticator) []byte { return []byte("{{") }},
		{"more than any browser sends", passkey.Wrong, func(t *testing.T, b *bench, _ *passkeytest.Authenticator) []byte {
			return []byte(`{"x":"` + strings.Repeat("a", 40_000) + `"}`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, true)
			a := b.register(t, party, "mine")
			answer := c.bend(t, b, a)
			before := len(b.trail)
			refusedAs(t, c.name, b.Finish(t.Context(), party, visit, "", answer), c.code)
			if len(b.trail) != before {
				t.Errorf("the trail tells of a use: %v", b.trail)
			}
		})
	}
}

func TestBadRegistrationsCountForNothing(t *testing.T) {
	for _, c := range []struct {
		name, label string
		code        passkey.Code
		bend        func(t *testing.T, b *bench, a *passkeytest.Authenticator, options []byte) []byte
	}{
		{"another origin", "x", passkey.Wrong, func(t *testing.T, _ *bench, a *passkeytest.Authenticator, options []byte) []byte {
			a.Origin = "http://lab.example"
			return a.Create(t, options)
		}},
		{"nobody was verified", "x", passkey.Wrong, func(t *testing.T, _ *bench, a *passkeytest.Authenticator, options []byte) []byte {
			a.Flags = 0x01
			return a.Create(t, options)
		}},
		{"no name", " ", passkey.Unnamed, func(t *testing.T, _ *bench, a *passkeytest.Authenticator, options []byte) []byte {
			return a.Create(t, options)
		}},
		{"the id of a passkey of somebody else", "x", passkey.Known, func(t *testing.T, b *bench, a *passkeytest.Authenticator, options []byte) []byte {
			a.ID = b.register(t, "monitor:BE-11aa", "theirs").ID
			return a.Create(t, options)
		}},
		{"another first passkey came between", "x", passkey.Expired, func(t *testing.T, b *bench, a *passkeytest.Authenticator, options []byte) []byte {
			b.register(t, party, "the owner's")
			return a.Create(t, options)
		}},
		{"a use in its place", "x", passkey.Wrong, func(t *testing.T, _ *bench, a *passkeytest.Authenticator, options []byte) []byte {
			return a.Get(t, options)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, true)
			options, err := b.AskNew(t.Context(), party, visit)
			if err != nil {
				t.Fatal(err)
			}
			a := passkeytest.NewAuthenticator(t, site, "lab.example")
			refusedAs(t, c.name, b.Finish(t.Context(), party, visit, c.label, c.bend(t, b, a, options)), c.code)
			if keys, err := b.Store.Of(t.Context(), party); err != nil || len(keys) > 1 || len(keys) == 1 && keys[0].Name == c.label {
				t.Errorf("kept: %+v, %v", keys, err)
			}
		})
	}
}

// What the trail cannot tell does not happen.
func TestNothingHappensWithoutItsLine(t *testing.T) {
	b := newBench(t, false)
	a := b.register(t, party, "mine")
	keys, err := b.Store.Of(t.Context(), party)
	if err != nil {
		t.Fatal(err)
	}
	b.mute = errors.New("the trail is away")
	if err := b.Finish(t.Context(), party, visit, "", a.Get(t, b.ask(t))); !errors.Is(err, b.mute) {
		t.Errorf("a use without its line gives %v", err)
	}
	if err := b.Rename(t.Context(), party, keys[0].ID, "other"); !errors.Is(err, b.mute) {
		t.Errorf("a name without its line gives %v", err)
	}
	if err := b.Remove(t.Context(), party, keys[0].ID); !errors.Is(err, b.mute) {
		t.Errorf("a removal without its line gives %v", err)
	}
	if after, err := b.Store.Of(t.Context(), party); err != nil || len(after) != 1 || after[0].Name != "mine" || !after[0].UsedAt.IsZero() {
		t.Errorf("kept: %+v, %v", after, err)
	}
}

func TestTheLastPasskeyStaysWhereOneIsRequired(t *testing.T) {
	for _, required := range []bool{true, false} {
		b := newBench(t, required)
		b.register(t, party, "mine")
		keys, err := b.Store.Of(t.Context(), party)
		if err != nil {
			t.Fatal(err)
		}
		refusedAs(t, "removing a foreign one", b.Remove(t.Context(), "monitor:BE-11aa", keys[0].ID), passkey.Foreign)
		refusedAs(t, "renaming a foreign one", b.Rename(t.Context(), "monitor:BE-11aa", keys[0].ID, "x"), passkey.Foreign)
		err = b.Remove(t.Context(), party, keys[0].ID)
		if required {
			refusedAs(t, "removing the last one", err, passkey.Last)
		} else if err != nil {
			t.Error(err)
		}
	}
}

func TestADeskNeedsANameForItsSite(t *testing.T) {
	note := func(context.Context, string, passkey.Deed, string) error { return nil }
	for origin, fine := range map[string]bool{"https://lab.example": true, "http://localhost:8080": true, "http://127.0.0.1:8080": false, "https://[::1]": false,
		"http://lab.example": false, "lab.example": false, "": false} {
		if _, err := passkey.New(passkey.Config{Origin: origin, Name: "x", Store: &passkey.Memory{}, Note: note}); (err == nil) != fine {
			t.Errorf("%q gives %v", origin, err)
		}
	}
}

// FuzzFinish: whatever a browser sends for a question that waits, nothing
// panics and nothing counts. What is fuzzed stands around the challenge.
func FuzzFinish(f *testing.F) {
	b := newBench(f, true)
	a := b.register(f, party, "mine")
	const marked = `{"challenge":"CHALLENGE"}`
	f.Add(a.Get(f, []byte(marked)), false)
	f.Add(passkeytest.NewAuthenticator(f, site, "lab.example").Create(f, []byte(marked)), true)
	f.Add([]byte(`{"response":{"clientDataJSON":"e30"}}`), false)
	f.Fuzz(func(t *testing.T, answer []byte, create bool) {
		ask := b.AskUse
		if create {
			ask = b.AskNew
		}
		options, err := ask(t.Context(), party, visit)
		if err != nil {
			t.Fatal(err)
		}
		var o struct{ Challenge string }
		if err := json.Unmarshal(options, &o); err != nil {
			t.Fatal(err)
		}
		before := len(b.trail)
		err = b.Finish(t.Context(), party, visit, "fuzz", withChallenge(answer, o.Challenge))
		if err == nil && (!create || len(b.trail) == before) {
			t.Error("an answer that nobody signed counts")
		}
	})
}

// withChallenge puts a challenge into the client data of an answer.
func withChallenge(answer []byte, challenge string) []byte {
	var whole map[string]json.RawMessage
	var response map[string]json.RawMessage
	var data string
	if json.Unmarshal(answer, &whole) != nil || json.Unmarshal(whole["response"], &response) != nil || json.Unmarshal(response["clientDataJSON"], &data) != nil {
		return answer
	}
	raw, err := base64.RawURLEncoding.DecodeString(data)
	if err != nil {
		return answer
	}
	response["clientDataJSON"], _ = json.Marshal(base64.RawURLEncoding.EncodeToString(bytes.ReplaceAll(raw, []byte("CHALLENGE"), []byte(challenge))))
	whole["response"], _ = json.Marshal(response)
	out, _ := json.Marshal(whole)
	return out
}
