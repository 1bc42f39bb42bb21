package web

import (
	"context"
	"encoding/gob"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/projectathon"
)

// Sign-in of people who work here: OpenID Connect says who somebody is, our own
// list says what they may do. A session lives eight hours, one hour when idle.

// ErrNoAccount says that somebody has signed in whom the platform does not know.
var ErrNoAccount = errors.New("web: there is no account for this person")

// Accounts finds what somebody who has signed in may do; ErrNoAccount.
type Accounts func(ctx context.Context, who *SignedIn) (projectathon.Account, error)

const (
	sessionLife = 8 * time.Hour
	sessionIdle = time.Hour
	accountKey  = "account"
)

func newSessions(store scs.Store, name string, secure bool) *scs.SessionManager {
	gob.Register(projectathon.Account{})
	m := scs.New()
	m.Lifetime, m.IdleTimeout = sessionLife, sessionIdle
	if store != nil {
		m.Store = store
	}
	m.HashTokenInStore = true
	m.Cookie.Name, m.Cookie.Path = name, "/"
	m.Cookie.HttpOnly, m.Cookie.Secure, m.Cookie.SameSite = true, secure, http.SameSiteLaxMode
	return m
}

// account of the session; the zero account for nobody.
func (s *lab) account(r *http.Request) projectathon.Account {
	a, _ := s.sessions.Get(r.Context(), accountKey).(projectathon.Account)
	if a.Post == "" {
		a.Post = projectathon.Public
	}
	return a
}

// signIn sends the browser to the identity provider, to come back to where the
// reader was.
func (s *lab) signIn(w http.ResponseWriter, r *http.Request, l *lang) {
	s.begin(w, r, l, &s.ins, s.c.Identity, s.base.String()+"/lab/signin/callback", localPath(r.URL.Query().Get("back")), "")
}

func (s *lab) signedIn(w http.ResponseWriter, r *http.Request) {
	l := s.language(w, r)
	who, back, err := s.finish(w, r, &s.ins)
	if err != nil {
		s.problem(w, r, l, http.StatusForbidden, "lab.signin.failed")
		return
	}
	a, err := s.c.Accounts(r.Context(), who)
	switch {
	case errors.Is(err, ErrNoAccount):
		s.problem(w, r, l, http.StatusForbidden, "lab.signin.unknown")
		return
	case err != nil:
		s.log.Error("an account cannot be read", "err", err)
		s.problem(w, r, l, http.StatusServiceUnavailable, "lab.signin.failed")
		return
	case (a.Post == projectathon.Monitor || a.Post == projectathon.Reviewer) && who.LevelOfAssurance != "High":
		s.problem(w, r, l, http.StatusForbidden, "lab.signin.weak")
		return
	}
	if err := s.sessions.RenewToken(r.Context()); err != nil { // a session of before is worth nothing now
		s.problem(w, r, l, http.StatusServiceUnavailable, "lab.signin.failed")
		return
	}
	if err := s.c.Events.Note(r.Context(), a, projectathon.SignIn, a.Party, who.LevelOfAssurance); err != nil {
		s.log.Error("the audit trail cannot be written", "err", err)
		s.problem(w, r, l, http.StatusServiceUnavailable, "lab.signin.failed")
		return
	}
	s.sessions.Put(r.Context(), accountKey, a)
	s.sessions.Remove(r.Context(), provenKey) // of whoever was signed in before
	if back == "" || back == "/" {
		back = "/" + l.Code + "/lab"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (s *lab) signOut(w http.ResponseWriter, r *http.Request, l *lang) {
	if a := s.account(r); a.Party != "" {
		if err := s.c.Events.Note(r.Context(), a, projectathon.SignOut, a.Party, ""); err != nil {
			s.log.Error("the audit trail cannot be written", "err", err) // who wants to leave leaves
		}
	}
	if err := s.sessions.Destroy(r.Context()); err != nil {
		s.log.Error("a session cannot be ended", "err", err)
	}
	http.Redirect(w, r, "/"+l.Code+"/lab", http.StatusSeeOther)
}

// DemoAccounts are the built-in accounts of a demonstration for these countries,
// with the people of the test identity provider that they belong to.
func DemoAccounts(countries ...string) ([]seed.Person, Accounts) {
	var people []seed.Person
	known := map[string]projectathon.Account{}
	add := func(given, family string, a projectathon.Account) {
		id := "demo/" + given + "-" + family
		people = append(people, seed.Person{Role: "natural", Given: given, Family: family, Born: "1980-01-01", Level: "High", Identifier: id, Country: a.Country})
		known[id] = a
	}
	add("Manager", "Event", projectathon.Account{Party: "manager:demo1", Post: projectathon.Manager})
	add("Auditor", "Independent", projectathon.Account{Party: "commission:audit1", Post: projectathon.Auditor})
	add("Reviewer", "Commission", projectathon.Account{Party: "commission:review1", Post: projectathon.Reviewer})
	for _, cc := range countries {
		add("Coordinator", cc, projectathon.Account{Party: "coordinator:" + cc, Post: projectathon.Coordinator, Country: cc})
		add("Team", cc, projectathon.Account{Party: "team:" + cc + "/demo", Post: projectathon.Contact, Country: cc})
		add("Monitor", cc, projectathon.Account{Party: "monitor:" + cc + "-demo", Post: projectathon.Monitor, Country: cc,
			Expertise: []string{"eDelivery", "Common Services", "specifications", "eID"}})
	}
	return people, func(_ context.Context, who *SignedIn) (projectathon.Account, error) {
		a, ok := known[who.Identifier]
		if !ok {
			return a, ErrNoAccount
		}
		return a, nil
	}
}
