package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/commonservices/lcm"
)

// Clerk is who is signed in: somebody who changes one country's tables.
type Clerk struct {
	Party   string // as the history names it; no person's name
	Country string
}

// Clerks tells who is signed in, and lets people in and out. It knows how: by a
// token today, by OpenID Connect in another implementation.
type Clerks interface {
	// Clerk is who sent the request; ok is false for a visitor.
	Clerk(r *http.Request) (c Clerk, ok bool)
	// Enter signs in with what the form's field "token" holds; the error's text
	// is shown to whoever tried.
	Enter(w http.ResponseWriter, r *http.Request, token string) error
	// Leave signs out.
	Leave(w http.ResponseWriter, r *http.Request)
}

// TokenClerks lets clerks in with an API token of the scope lcm:CC: the sign-in
// of development and test networks. Sessions live in memory, eight hours at
// most, and end with their token.
type TokenClerks struct {
	Tokens access.Store
	Now    func() time.Time // optional; time.Now
	Secure bool             // the site is reached by https

	mu       sync.Mutex
	sessions map[[32]byte]clerkSession
}

type clerkSession struct {
	token string
	until time.Time
}

const (
	clerkCookie   = "clerk"
	clerkSessions = 8 * time.Hour
	mostSessions  = 10_000
)

func (c *TokenClerks) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// who reads a token as a clerk.
func (c *TokenClerks) who(ctx context.Context, token string) (Clerk, error) {
	t, err := access.Who(ctx, c.Tokens, c.now(), token)
	if err != nil {
		return Clerk{}, err
	}
	i := slices.IndexFunc(t.Scopes, func(s access.Scope) bool { return strings.HasPrefix(string(s), "lcm:") })
	if i < 0 {
		return Clerk{}, &access.Refusal{Reason: "this token opens no country's tables: create one with the scope lcm: and the country's code"}
	}
	return Clerk{Party: t.Owner, Country: strings.TrimPrefix(string(t.Scopes[i]), "lcm:")}, nil
}

// Clerk looks the session up, and its token.
func (c *TokenClerks) Clerk(r *http.Request) (Clerk, bool) {
	cookie, err := r.Cookie(clerkCookie)
	if err != nil {
		return Clerk{}, false
	}
	c.mu.Lock()
	s, ok := c.sessions[sha256.Sum256([]byte(cookie.Value))]
	c.mu.Unlock()
	if !ok || !c.now().Before(s.until) {
		return Clerk{}, false
	}
	who, err := c.who(r.Context(), s.token)
	return who, err == nil
}

// Enter begins a session under a fresh name.
func (c *TokenClerks) Enter(w http.ResponseWriter, r *http.Request, token string) error {
	if _, err := c.who(r.Context(), token); err != nil {
		return err
	}
	name := rand.Text() + rand.Text()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions == nil || len(c.sessions) >= mostSessions {
		c.sessions = map[[32]byte]clerkSession{}
	}
	for k, s := range c.sessions {
		if !c.now().Before(s.until) {
			delete(c.sessions, k)
		}
	}
	c.sessions[sha256.Sum256([]byte(name))] = clerkSession{token, c.now().Add(clerkSessions)}
	http.SetCookie(w, &http.Cookie{Name: clerkCookie, Value: name, Path: "/", MaxAge: int(clerkSessions.Seconds()), HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteStrictMode})
	return nil
}

// Leave ends the session.
func (c *TokenClerks) Leave(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(clerkCookie); err == nil {
		c.mu.Lock()
		delete(c.sessions, sha256.Sum256([]byte(cookie.Value)))
		c.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: clerkCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteStrictMode})
}

// clerk is who is signed in; the pages that ask are only shown to clerks.
func (v *visit) clerk() Clerk {
	c, _ := v.Value(clerkKey{}).(Clerk)
	return c
}

// own is the data set that the clerk changes.
func (d *directory) own(v *visit) (*lcm.LifecycleManager, error) {
	return d.cfg.Own(v, v.clerk().Country)
}

// author is the clerk as the history names them.
func (v *visit) author(how lcm.How) lcm.Author {
	return lcm.Author{Party: v.clerk().Party, How: how}
}

// clerkPage is GET /{lang}/clerk: the door, or the country's tables.
type clerkPage struct {
	Wrong    string // why nobody was let in
	Country  string
	Tables   []clerkTableRow
	Revision int
	Latest   []lcm.Revision
	Refused  []lcm.Attempt
}

type clerkTableRow struct {
	Name string
	N    int
}

func (p *clerkPage) refused() bool { return p.Wrong != "" }

func (d *directory) clerkHome(v *visit) (any, error) {
	p := &clerkPage{Country: v.clerk().Country}
	if p.Country == "" {
		return p, nil
	}
	m, err := d.own(v)
	if err != nil {
		return nil, err
	}
	part := m.Part(p.Country)
	for _, t := range lcm.Tables() {
		p.Tables = append(p.Tables, clerkTableRow{t.Name, len(t.Keys(part))})
	}
	p.Revision = m.DataSet().Revision
	if p.Latest, err = m.Revisions(v, p.Country, 0, 5); err != nil {
		return nil, err
	}
	p.Refused, err = m.Attempts(v, p.Country, 5)
	return p, err
}

// clerkEnter is POST /{lang}/clerk.
func (d *directory) clerkEnter(v *visit) (any, error) {
	if d.cfg.Clerks == nil {
		return nil, &problem{Status: http.StatusNotFound, Message: "error.404"}
	}
	v.r.Body = http.MaxBytesReader(nil, v.r.Body, 4<<10)
	err := d.cfg.Clerks.Enter(v.Value(writerKey{}).(http.ResponseWriter), v.r, trim(v.r.PostFormValue("token")))
	var refused *access.Refusal
	switch {
	case errors.As(err, &refused):
		return &clerkPage{Wrong: refused.Reason}, nil
	case err != nil:
		return nil, err
	}
	return nil, &redirect{To: "/" + v.Lang.Code + "/clerk", Status: http.StatusSeeOther}
}

// clerkLeave is POST /{lang}/clerk/leave.
func (d *directory) clerkLeave(v *visit) (any, error) {
	if d.cfg.Clerks != nil {
		d.cfg.Clerks.Leave(v.Value(writerKey{}).(http.ResponseWriter), v.r)
	}
	return nil, &redirect{To: "/" + v.Lang.Code + "/directory", Status: http.StatusSeeOther}
}
