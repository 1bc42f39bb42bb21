package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/validator"
)

// Requester is what the pages of a portal, and the API for portals, ask of an
// Evidence Requester; *exchange.Requester is one.
type Requester interface {
	Plan(ctx context.Context, w exchange.Wish) (*exchange.Plan, error)
	Request(ctx context.Context, conversation string, p *exchange.Plan, choices []exchange.Choice) (*exchange.Conversation, error)
	Conversation(ctx context.Context, id string) (*exchange.Conversation, error)
	Exchange(ctx context.Context, id string) (*exchange.Exchange, error)
	Redirect(ctx context.Context, exchange string) (*exchange.Redirect, error)
	Returned(ctx context.Context, token string) (*exchange.Exchange, error)
	GiveUp(ctx context.Context, exchange string) (*exchange.Exchange, error)
	Collect(ctx context.Context, exchange string) ([]exchange.Content, error)
	Erase(ctx context.Context, exchange string) error
}

// PortalConfig of the demonstration portal. BaseURL and Offices are required.
type PortalConfig struct {
	// BaseURL is where browsers reach the portal, without a final slash. Return
	// addresses are this, or what Browser makes it of, + "/return/" + token.
	BaseURL string
	Offices []Office
	// Countries are those whose people can sign in and whose registers answer;
	// the others are shown as not yet possible.
	Countries []string
	// Model finds a data model of structured evidence by name. Optional.
	Model func(name string) *exchange.Model
	// Browser turns an address of the wire into the one that a browser opens.
	// Optional.
	Browser func(wire string) string
	Now     func() time.Time
	Log     *slog.Logger
}

// Office is an authority that takes applications for one procedure online.
type Office struct {
	Key       string // in addresses and texts: study, business, pension
	Name      string
	Country   string
	Procedure string
	// Organisation says that the procedure is for legal persons, for whom a
	// representative signs in.
	Organisation bool
	Requester    Requester
	Identity     IdentitySource
	// Messages are the log entries of a conversation, for looking under the hood.
	// Optional.
	Messages func(ctx context.Context, conversation string) ([]exchange.Entry, error)
}

type portal struct {
	*place
	c     PortalConfig
	base  *url.URL
	ins   signIns
	judge *validator.Validator

	mu    sync.Mutex
	all   map[string]*application
	talks map[string]string // applications by their conversation
}

// application is one person's way through the seven steps. It lives in memory:
// what must survive a restart is kept by the Evidence Requester.
type application struct {
	sync.Mutex
	id, cookie string
	office     *Office
	began      time.Time
	identity   string // country whose sign-in was chosen
	who        *SignedIn
	country    string // where the documents are
	answers    map[string]string
	plan       *exchange.Plan
	choices    []exchange.Choice
	chosen     bool
	uploads    []int // needs that the person brings the document for
	uploaded   map[int]upload
	conversed  string // id of the conversation
	returned   map[string]bool
	confirmed  bool
	receipt    *receipt
}

// upload is a file that the person brought: the demonstration keeps no octets.
type upload struct {
	Name string
	Size int64
}

// receipt is the end of an application.
type receipt struct {
	Number    string
	At        time.Time
	Documents []exchange.Document
	Uploads   []upload
}

const (
	applicationTime  = 3 * time.Hour
	mostApplications = 5_000
)

// NewPortal returns the handler of the demonstration portal: /{lang}/demo and
// below, /return/{token}, and the sign-in's callback.
func NewPortal(c PortalConfig) (http.Handler, error) {
	p, base, err := newPlace("portal", c.BaseURL, c.Browser, c.Now, c.Log)
	if err != nil {
		return nil, err
	}
	if len(c.Offices) == 0 {
		return nil, errors.New("web: a portal needs an office with a procedure")
	}
	for _, o := range c.Offices {
		if o.Requester == nil || o.Identity == nil || o.Key == "" || o.Country == "" {
			return nil, fmt.Errorf("web: the office %q needs Key, Country, Requester and Identity", o.Key)
		}
	}
	if c.Model == nil {
		c.Model = func(string) *exchange.Model { return nil }
	}
	s := &portal{place: p, c: c, base: base, ins: signIns{now: p.now}, judge: validator.New(validator.Config{}), all: map[string]*application{}, talks: map[string]string{}}
	mux := http.NewServeMux()
	for _, l := range s.langs {
		for _, row := range []struct {
			pattern string
			handle  func(w http.ResponseWriter, r *http.Request, l *lang)
		}{
			{"GET /%s/demo", s.home},
			{"POST /%s/demo/apply", s.apply},
			{"GET /%s/demo/apply/{id}/step/{step}", s.step},
			{"POST /%s/demo/apply/{id}/step/{step}", s.take},
			{"GET /%s/demo/apply/{id}/signin", s.signIn},
			{"POST /%s/demo/apply/{id}/go/{exchange}", s.leave},
			{"GET /%s/demo/apply/{id}/document/{exchange}/{document}", s.document},
			{"GET /%s/demo/apply/{id}/file/{exchange}/{document}", s.file},
		} {
			mux.HandleFunc(fmt.Sprintf(row.pattern, l.Code), func(w http.ResponseWriter, r *http.Request) { row.handle(w, r, l) })
		}
	}
	for _, r := range []route{
		{"GET /demo", s.choose},
		{"GET /{$}", s.choose},
		{"GET /return/{token}", s.back},
		{"GET /demo/signin/callback", s.signedIn},
		{"GET /assets/{name}", s.asset},
		{"GET /robots.txt", s.robots},
		{"/", s.nowhere},
	} {
		mux.HandleFunc(r.pattern, r.handle)
	}
	return s.guard(mux), nil
}

func (s *portal) choose(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/"+s.language(w, r).Code+"/demo", http.StatusSeeOther)
}

// homePage is GET /{lang}/demo.
type homePage struct {
	Offices []Office
	Action  string
}

func (s *portal) home(w http.ResponseWriter, r *http.Request, l *lang) {
	s.show(w, r, http.StatusOK, &leaf{Lang: l, Name: "portal", Brand: l.Text("portal.brand"), Demo: true,
		Data: &homePage{Offices: s.c.Offices, Action: "/" + l.Code + "/demo/apply"}})
}

// apply begins an application, bound to this browser.
func (s *portal) apply(w http.ResponseWriter, r *http.Request, l *lang) {
	at := slices.IndexFunc(s.c.Offices, func(o Office) bool { return o.Key == r.PostFormValue("office") })
	if at < 0 {
		s.refuse(w, r, l, http.StatusBadRequest, "journey.nowhere")
		return
	}
	a := &application{id: secret(), cookie: secret(), office: &s.c.Offices[at], began: s.now(), answers: map[string]string{},
		uploaded: map[int]upload{}, returned: map[string]bool{}}
	s.mu.Lock()
	s.sweep()
	s.all[a.id] = a
	s.mu.Unlock()
	s.setCookie(w, "apply_"+a.id[:12], "/", a.cookie, int(applicationTime/time.Second))
	http.Redirect(w, r, s.stepPath(l, a, 1), http.StatusSeeOther)
}

// sweep forgets applications that are over, and the oldest beyond the bound.
func (s *portal) sweep() {
	if len(s.all) < mostApplications {
		return
	}
	oldest := ""
	for id, a := range s.all {
		if s.now().Sub(a.began) > applicationTime {
			delete(s.all, id)
		} else if oldest == "" || a.began.Before(s.all[oldest].began) {
			oldest = id
		}
	}
	if len(s.all) >= mostApplications {
		delete(s.all, oldest)
	}
	for conversation, id := range s.talks {
		if s.all[id] == nil {
			delete(s.talks, conversation)
		}
	}
}

func (s *portal) path(l *lang, a *application, rest string) string {
	return "/" + l.Code + "/demo/apply/" + a.id + "/" + rest
}

func (s *portal) stepPath(l *lang, a *application, step int) string {
	return s.path(l, a, fmt.Sprintf("step/%d", step))
}

// mine gives the application of the address if this browser began it.
func (s *portal) mine(r *http.Request) *application {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.all[r.PathValue("id")]
	if a == nil || s.cookie(r, "apply_"+a.id[:12]) != a.cookie || s.now().Sub(a.began) > applicationTime {
		return nil
	}
	return a
}

// with runs f on the application of the address, one request at a time.
func (s *portal) with(w http.ResponseWriter, r *http.Request, l *lang, f func(a *application) error) {
	a := s.mine(r)
	if a == nil {
		s.refuse(w, r, l, http.StatusNotFound, "portal.gone")
		return
	}
	a.Lock()
	defer a.Unlock()
	if err := f(a); err != nil {
		s.broken(w, r, l, "application", err)
	}
}

func (s *portal) leaf(l *lang, a *application, step int, name string, data any) *leaf {
	return &leaf{Lang: l, Name: name, Brand: a.office.Name, Where: a.office.Country, Back: "/" + l.Code + "/demo", Step: step, Demo: true, Data: data}
}

// signIn begins a sign-in: national, or with the identity of another country.
func (s *portal) signIn(w http.ResponseWriter, r *http.Request, l *lang) {
	s.with(w, r, l, func(a *application) error {
		a.identity = a.office.Country
		if cc := r.URL.Query().Get("country"); slices.Contains(s.c.Countries, cc) {
			a.identity = cc
		}
		s.begin(w, r, l, &s.ins, a.office.Identity, s.base.String()+"/demo/signin/callback", l.Code+" "+a.id, a.identity)
		return nil
	})
}

func (s *portal) signedIn(w http.ResponseWriter, r *http.Request) {
	who, forWhat, err := s.finish(w, r, &s.ins)
	l := s.language(w, r)
	if err != nil {
		s.refuse(w, r, l, http.StatusForbidden, "portal.notsignedin")
		return
	}
	code, id, _ := strings.Cut(forWhat, " ")
	for _, known := range s.langs {
		if known.Code == code {
			l = known
		}
	}
	r.SetPathValue("id", id)
	s.with(w, r, l, func(a *application) error {
		if a.conversed != "" { // asked already, for whoever signed in then
			http.Redirect(w, r, s.stepPath(l, a, 4), http.StatusSeeOther)
			return nil
		}
		if _, ok := who.Subject(a.office.Organisation); !ok {
			s.show(w, r, http.StatusForbidden, s.leaf(l, a, 1, "refused", "portal.noorganisation"))
			return nil
		}
		a.who, a.plan, a.chosen = who, nil, false
		if a.country == "" {
			a.country = a.identity
		}
		http.Redirect(w, r, s.stepPath(l, a, 2), http.StatusSeeOther)
		return nil
	})
}

// reached is the step that an application stands at, with its exchanges.
func (s *portal) reached(ctx context.Context, a *application) (int, []*exchange.Exchange, error) {
	switch {
	case a.who == nil:
		return 1, nil, nil
	case a.conversed == "" && !a.chosen:
		return 2, nil, nil
	case a.conversed == "" && len(a.choices) > 0:
		return 3, nil, nil
	}
	var all []*exchange.Exchange
	if a.conversed != "" {
		c, err := a.office.Requester.Conversation(ctx, a.conversed)
		if err != nil {
			return 0, nil, err
		}
		all = c.Exchanges
	}
	step := 6
	for _, x := range all {
		switch {
		case x.State == exchange.Sent, x.State == exchange.PreviewRequired:
			return 4, all, nil
		case x.State == exchange.PreviewOpen && !a.returned[x.ID]:
			step = 5
		}
	}
	if a.confirmed && step == 6 {
		step = 7
	}
	return step, all, nil
}

// back takes a person who comes from a preview space (TDD 4.9).
func (s *portal) back(w http.ResponseWriter, r *http.Request) {
	l := s.language(w, r)
	for i := range s.c.Offices {
		x, err := s.c.Offices[i].Requester.Returned(r.Context(), r.PathValue("token"))
		if err != nil {
			continue
		}
		s.mu.Lock()
		id := s.talks[x.Conversation]
		s.mu.Unlock()
		r.SetPathValue("id", id)
		s.with(w, r, l, func(a *application) error {
			a.returned[x.ID] = true
			http.Redirect(w, r, s.stepPath(l, a, 6), http.StatusSeeOther)
			return nil
		})
		return
	}
	s.refuse(w, r, l, http.StatusNotFound, "portal.noreturn")
}

// handoverPage sends the person on by a form, as line 1.x may ask.
type handoverPage struct {
	To    *exchange.Redirect
	Where string
}

// leave sends the second request and the person to the preview space.
func (s *portal) leave(w http.ResponseWriter, r *http.Request, l *lang) {
	s.with(w, r, l, func(a *application) error {
		_, all, err := s.reached(r.Context(), a)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(x *exchange.Exchange) bool { return x.ID == r.PathValue("exchange") })
		if at < 0 {
			s.refuse(w, r, l, http.StatusNotFound, "portal.gone")
			return nil
		}
		if r.PostFormValue("do") == "giveup" {
			_, err = a.office.Requester.GiveUp(r.Context(), all[at].ID)
		} else {
			var to *exchange.Redirect
			if to, err = a.office.Requester.Redirect(r.Context(), all[at].ID); err == nil {
				address := s.browser(to.Location)
				w.Header().Set("Content-Security-Policy", contentRules(origin(address)))
				if to.Method == http.MethodGet {
					http.Redirect(w, r, address, http.StatusSeeOther)
					return nil
				}
				s.show(w, r, http.StatusOK, s.leaf(l, a, 4, "portal_handover", &handoverPage{To: to, Where: address}))
				return nil
			}
		}
		var refused *exchange.Error
		if err != nil && !errors.As(err, &refused) {
			return err
		}
		http.Redirect(w, r, s.stepPath(l, a, 6), http.StatusSeeOther) // its step, whatever that is now
		return nil
	})
}

// received finds a document that arrived for the application.
func (s *portal) received(r *http.Request, a *application) (*exchange.Content, error) {
	_, all, err := s.reached(r.Context(), a)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(x *exchange.Exchange) bool { return x.ID == r.PathValue("exchange") }) {
		return nil, nil
	}
	contents, err := a.office.Requester.Collect(r.Context(), r.PathValue("exchange"))
	var refused *exchange.Error
	if errors.As(err, &refused) && refused.Reason != exchange.Unavailable {
		return nil, nil
	}
	for i := range contents {
		if contents[i].ID == r.PathValue("document") {
			return &contents[i], nil
		}
	}
	return nil, err
}

func (s *portal) document(w http.ResponseWriter, r *http.Request, l *lang) {
	s.with(w, r, l, func(a *application) error {
		c, err := s.received(r, a)
		if err != nil {
			return err
		}
		if c == nil {
			s.refuse(w, r, l, http.StatusNotFound, "portal.gone")
			return nil
		}
		file := s.path(l, a, "file/"+url.PathEscape(r.PathValue("exchange"))+"/"+url.PathEscape(c.ID))
		s.show(w, r, http.StatusOK, s.leaf(l, a, 6, "document", newDocumentPage(l, s.c.Model(c.Model), c, file, s.stepPath(l, a, 6))))
		return nil
	})
}

func (s *portal) file(w http.ResponseWriter, r *http.Request, l *lang) {
	s.with(w, r, l, func(a *application) error {
		c, err := s.received(r, a)
		if err != nil {
			return err
		}
		if c == nil {
			s.refuse(w, r, l, http.StatusNotFound, "portal.gone")
			return nil
		}
		sendDocument(w, c, r.URL.Query().Has("download"))
		return nil
	})
}
