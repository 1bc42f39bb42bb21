package access_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/access/accesstest"
)

var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func TestMemory(t *testing.T) {
	accesstest.Run(t, func(*testing.T) access.Store { return &access.Memory{} })
}

func TestATokenOpensUntilItEndsOrIsRevoked(t *testing.T) {
	var s access.Memory
	tok, text, err := access.Create(t.Context(), &s, nil, now, "commission:7f3a", time.Hour, access.PublishSnapshot, access.WriteFacts, access.WriteFacts)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "oots_") || len(text) != 48 {
		t.Errorf("token text of %d characters, want oots_ and 43 more", len(text))
	}
	if len(tok.Scopes) != 2 || !tok.May(access.WriteFacts) || tok.May(access.ApproveSnapshot) {
		t.Errorf("scopes %v", tok.Scopes)
	}
	for _, c := range []struct {
		name, text string
		at         time.Time
		want       string // part of the refusal; empty: opens
	}{
		{"at once", text, now, ""},
		{"a moment before its end", text, now.Add(time.Hour - time.Millisecond), ""},
		{"at its end", text, now.Add(time.Hour), "ended on 2026-11-20"},
		{"without its prefix", strings.TrimPrefix(text, "oots_"), now, "no token of ours"},
		{"one letter short", text[:47], now, "no token of ours"},
		{"empty", "", now, "no token of ours"},
		{"somebody else's", "oots_" + strings.Repeat("A", 43), now, "not known here"},
	} {
		got, err := access.Who(t.Context(), &s, c.at, c.text)
		if c.want == "" && (err != nil || got.ID != tok.ID) {
			t.Errorf("%s: %v", c.name, err)
		}
		var refusal *access.Refusal
		if c.want != "" && (!errors.As(err, &refusal) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want a refusal with %q", c.name, err, c.want)
		}
		if err != nil && len(c.text) > 20 && strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: the refusal repeats the token", c.name)
		}
	}
	if err := s.RevokeToken(t.Context(), tok.ID, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := access.Who(t.Context(), &s, now.Add(time.Minute), text); err == nil || !strings.Contains(err.Error(), "was revoked") {
		t.Errorf("a revoked token: %v", err)
	}
}

func TestCreateRefuses(t *testing.T) {
	for _, c := range []struct {
		owner    string
		lifetime time.Duration
		scopes   []access.Scope
		want     string
	}{
		{"", time.Hour, []access.Scope{access.WriteFacts}, "owner"},
		{"two words", time.Hour, []access.Scope{access.WriteFacts}, "owner"},
		{"ms:AT", 0, []access.Scope{access.WriteFacts}, "lifetime"},
		{"ms:AT", 367 * 24 * time.Hour, []access.Scope{access.WriteFacts}, "366 days"},
		{"ms:AT", time.Hour, nil, "choose from facts:write"},
		{"ms:AT", time.Hour, []access.Scope{"everything"}, `"everything" does not exist`},
	} {
		if _, _, err := access.Create(t.Context(), &access.Memory{}, nil, now, c.owner, c.lifetime, c.scopes...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %v with %v: %v, want %q", c.owner, c.lifetime, c.scopes, err, c.want)
		}
	}
	if _, _, err := access.Create(t.Context(), &access.Memory{}, bytes.NewReader(nil), now, "ms:AT", time.Hour, access.WriteFacts); err == nil {
		t.Error("a token was made without random bytes")
	}
}

func TestAnOwnerAssertsAsItselfOrItsBody(t *testing.T) {
	if !(access.Token{Owner: "ms:AT/registry"}).Asserts("ms:AT") {
		t.Error("ms:AT/registry does not assert as ms:AT")
	}
	tok := access.Token{Owner: "commission:7f3a"}
	for party, want := range map[string]bool{
		"commission:7f3a": true, "commission": true, "comm": false, "commission:7": false, "ms:AT": false, "": false, "commission:": false,
	} {
		if tok.Asserts(party) != want {
			t.Errorf("commission:7f3a asserts as %q: %v", party, !want)
		}
	}
}

func TestReportsAreATeamsWithAKey(t *testing.T) {
	_, key, err := note.GenerateKey(rand.Reader, "team-fi")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := access.CreateFor(t.Context(), &access.Memory{}, nil, now, "team:FI/portal", key, time.Hour, access.HandInReports); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		owner, key string
		scopes     []access.Scope
		want       string
	}{
		{"team:FI/portal", "", []access.Scope{access.HandInReports}, "needs the public key"},
		{"team:FI/portal", "nonsense", []access.Scope{access.HandInReports}, "cannot be read"},
		{"team:FI/portal", "PRIVATE+KEY+team+00000000+AAAA", []access.Scope{access.HandInReports}, "cannot be read"},
		{"team:FI/portal", key, []access.Scope{access.WriteFacts}, "alone"},
		{"ms:FI", key, []access.Scope{access.HandInReports}, "are a team's"},
		{"team:FI/", key, []access.Scope{access.HandInReports}, "are a team's"},
	} {
		if _, _, err := access.CreateFor(t.Context(), &access.Memory{}, nil, now, c.owner, c.key, time.Hour, c.scopes...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
