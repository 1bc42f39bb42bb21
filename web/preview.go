package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
)

// PreviewSpace is what the pages ask of an Evidence Provider;
// *exchange.Provider is one.
type PreviewSpace interface {
	Open(ctx context.Context, session string) (*exchange.PreviewSession, error)
	Identify(ctx context.Context, session string, who exchange.Identity) (s *exchange.PreviewSession, visitor string, err error)
	Session(ctx context.Context, session, visitor string) (*exchange.PreviewSession, error)
	Extend(ctx context.Context, session, visitor string) (*exchange.PreviewSession, error)
	Show(ctx context.Context, session, visitor, document string) (*exchange.Content, error)
	Decide(ctx context.Context, session, visitor string, d exchange.Decision) (*exchange.PreviewSession, error)
	Model(name string) *exchange.Model
}

// PreviewConfig of a preview space (TDD 4.9): the provider's own site, under its
// own host name. BaseURL, Space, Identity, Name and Country are required.
type PreviewConfig struct {
	// BaseURL is where browsers reach the site, without a final slash. Links are
	// BaseURL + "/preview/" + session.
	BaseURL  string
	Space    PreviewSpace
	Identity IdentitySource
	Name     string // of the provider, as people know it
	Country  string
	Contact  string // how people reach the provider: a telephone number, an address
	Demo     bool   // says on every page that nothing is real
	// Browser turns an address of the wire into the one that a browser opens, for
	// networks whose https names only machines know. Nil: the same.
	Browser func(wire string) string
	Now     func() time.Time
	Log     *slog.Logger
}

type preview struct {
	*place
	c    PreviewConfig
	base *url.URL
	ins  signIns
}

// NewPreview returns the handler of a preview space.
//
// Whoever opens a link, right or wrong, sees the same page, which asks to sign
// in; whoever then is not the person of an open preview sees the same refusal,
// whether the link was guessed, used, expired or somebody else's.
func NewPreview(c PreviewConfig) (http.Handler, error) {
	if c.Space == nil || c.Identity == nil || c.Name == "" || c.Country == "" {
		return nil, errors.New("web: a preview space needs Space, Identity, Name and Country")
	}
	p, base, err := newPlace("preview", c.BaseURL, c.Browser, c.Now, c.Log)
	if err != nil {
		return nil, err
	}
	s := &preview{place: p, c: c, base: base, ins: signIns{now: p.now}}
	mux := http.NewServeMux()
	for _, r := range []route{
		{"GET /preview/{id}", s.documents},
		{"POST /preview/{id}", s.decide},
		{"GET /preview/{id}/signin", s.signIn},
		{"GET /preview/{id}/document/{document}", s.document},
		{"GET /preview/{id}/file/{document}", s.file},
		{"GET /preview/{id}/done", s.done},
		{"GET /signin/callback", s.signedIn},
		{"GET /assets/{name}", s.asset},
		{"GET /robots.txt", s.robots},
		{"/", s.nowhere},
	} {
		mux.HandleFunc(r.pattern, r.handle)
	}
	return s.guard(mux), nil
}

func (s *preview) leaf(l *lang, name string, data any) *leaf {
	return &leaf{Lang: l, Name: name, Brand: s.c.Name, Where: s.c.Country, Help: "#help", Demo: s.c.Demo, Data: data}
}

// path of a session, for links and cookies.
func (s *preview) path(r *http.Request, rest string) string {
	return "/preview/" + url.PathEscape(r.PathValue("id")) + rest
}

// gone is the one refusal.
func (s *preview) gone(w http.ResponseWriter, r *http.Request, l *lang) {
	v := s.leaf(l, "refused", "preview.gone")
	v.Quiet, v.Help = true, ""
	s.show(w, r, http.StatusNotFound, v)
}

// failed turns an error of the space into a page.
func (s *preview) failed(w http.ResponseWriter, r *http.Request, l *lang, doing string, err error) {
	var e *exchange.Error
	switch {
	case errors.As(err, &e) && e.Reason != exchange.Unavailable:
		s.gone(w, r, l)
	default:
		s.log.Error("preview failed", "doing", doing, "error", err)
		s.show(w, r, http.StatusServiceUnavailable, s.leaf(l, "refused", "preview.unavailable"))
	}
}

// visit gives the session of whoever was identified in this browser.
func (s *preview) visit(r *http.Request) (*exchange.PreviewSession, string, error) {
	visitor := s.cookie(r, "visitor")
	if visitor == "" {
		return nil, "", &exchange.Error{Reason: exchange.NotFound}
	}
	session, err := s.c.Space.Session(r.Context(), r.PathValue("id"), visitor)
	return session, visitor, err
}

// signInPage is what everybody sees who has not signed in here.
type signInPage struct {
	SignIn string
	Name   string
}

// arrive explains the second sign-in. The visit is told to the space, whose
// answer changes nothing on the page.
func (s *preview) arrive(w http.ResponseWriter, r *http.Request, l *lang) {
	if _, err := s.c.Space.Open(r.Context(), r.PathValue("id")); err != nil {
		s.log.Info("preview link refused", "error", err)
	}
	if back := httpsAddress(r.FormValue("returnurl")); back != "" { // 1.x (TDD 4.9)
		s.setCookie(w, "return", s.path(r, ""), url.QueryEscape(back), 3600)
	}
	s.show(w, r, http.StatusOK, s.leaf(l, "preview_signin", &signInPage{SignIn: s.path(r, "/signin"), Name: s.c.Name}))
}

// httpsAddress is an address that a browser may be sent to; empty for others.
func httpsAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(address) > 2000 || strings.ContainsAny(address, "\r\n\t\\") {
		return ""
	}
	return address
}

func (s *preview) signIn(w http.ResponseWriter, r *http.Request) {
	s.begin(w, r, s.language(w, r), &s.ins, s.c.Identity, s.base.String()+"/signin/callback", r.PathValue("id"), s.c.Country)
}

// signedIn compares who signed in with whom the request is about.
func (s *preview) signedIn(w http.ResponseWriter, r *http.Request) {
	l := s.language(w, r)
	who, id, err := s.finish(w, r, &s.ins)
	if err != nil {
		v := s.leaf(l, "refused", "preview.notsignedin")
		v.Quiet = true
		s.show(w, r, http.StatusForbidden, v)
		return
	}
	_, visitor, err := s.c.Space.Identify(r.Context(), id, who.Identity)
	if err != nil {
		s.failed(w, r, l, "identify", err)
		return
	}
	to := "/preview/" + url.PathEscape(id)
	s.setCookie(w, "visitor", to, visitor, 0)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// previewPage is the list of documents with the choice.
type previewPage struct {
	Session *exchange.PreviewSession
	Name    string
	Contact string
	Cards   []docCard
	Sending int // documents chosen so far
	Missing bool
	Action  string
	Left    int // whole minutes
	CanMore bool
}

// docCard is one piece of evidence.
type docCard struct {
	Piece  int
	Main   exchange.Document
	Values []readable
	More   []exchange.Document
	Choice string // send, keep, or nothing yet
	Path   string // of the session
}

// readable is one field of structured evidence with its name in the reader's
// language: names are translated, values never.
type readable struct{ Label, Text string }

func (s *preview) documents(w http.ResponseWriter, r *http.Request) {
	l := s.language(w, r)
	session, visitor, err := s.visit(r)
	switch {
	case err != nil && s.cookie(r, "visitor") != "": // signed in here before, and it is over
		s.setCookie(w, "visitor", s.path(r, ""), "", -1)
		s.failed(w, r, l, "open", err)
	case err != nil:
		s.arrive(w, r, l)
	case session.State == exchange.Decided:
		http.Redirect(w, r, s.path(r, "/done"), http.StatusSeeOther)
	default:
		s.choose(w, r, l, http.StatusOK, session, visitor, nil)
	}
}

func (s *preview) choose(w http.ResponseWriter, r *http.Request, l *lang, status int, session *exchange.PreviewSession, visitor string, choices map[int]string) {
	page := &previewPage{Session: session, Name: s.c.Name, Contact: s.c.Contact, Action: s.path(r, ""), Missing: status == http.StatusUnprocessableEntity,
		Left: max(0, int(session.Expires.Sub(s.now())/time.Minute)), CanMore: session.Expires.Before(session.Until)}
	for _, d := range session.Documents {
		at := slices.IndexFunc(page.Cards, func(c docCard) bool { return c.Piece == d.Piece })
		if at < 0 {
			page.Cards = append(page.Cards, docCard{Piece: d.Piece, Main: d, Choice: choices[d.Piece], Path: s.path(r, "")})
			at = len(page.Cards) - 1
			if choices[d.Piece] == "send" {
				page.Sending++
			}
		} else {
			page.Cards[at].More = append(page.Cards[at].More, d)
		}
		if card := &page.Cards[at]; card.Values == nil && d.Model != "" {
			card.Values, _ = s.read(r, l, visitor, d)
		}
	}
	s.show(w, r, status, s.leaf(l, "preview", page))
}

// read makes structured evidence readable.
func (s *preview) read(r *http.Request, l *lang, visitor string, d exchange.Document) ([]readable, *exchange.Content) {
	c, err := s.c.Space.Show(r.Context(), r.PathValue("id"), visitor, d.ID)
	if err != nil {
		return nil, nil
	}
	return readContent(l, s.c.Space.Model(d.Model), c), c
}

func readContent(l *lang, m *exchange.Model, c *exchange.Content) (all []readable) {
	if m == nil {
		return nil
	}
	values, err := m.Read(c.MediaType, c.Data)
	if err != nil {
		return nil
	}
	for _, v := range values {
		text := v.Text
		if v.Field.Type == exchange.DateField {
			text = l.day(text)
		}
		all = append(all, readable{v.Label(strings.ToUpper(l.Code)), text})
	}
	return all
}

// decide takes the form: more time, nothing, or what was chosen.
func (s *preview) decide(w http.ResponseWriter, r *http.Request) {
	l := s.language(w, r)
	session, visitor, err := s.visit(r)
	if err != nil {
		s.failed(w, r, l, "open", err)
		return
	}
	choices, sending, open := map[int]string{}, []int{}, false
	for _, d := range session.Documents {
		switch choice := r.PostFormValue("piece-" + strconv.Itoa(d.Piece)); choice {
		case "send":
			if choices[d.Piece] == "" {
				sending = append(sending, d.Piece)
			}
			choices[d.Piece] = choice
		case "keep":
			choices[d.Piece] = choice
		default:
			open = true
		}
	}
	do := r.PostFormValue("do")
	switch {
	case session.State == exchange.Decided: // the button twice, or another tab
	case do == "more":
		if session, err = s.c.Space.Extend(r.Context(), session.ID, visitor); err == nil {
			s.choose(w, r, l, http.StatusOK, session, visitor, choices)
			return
		}
	case do == "nothing":
		_, err = s.c.Space.Decide(r.Context(), session.ID, visitor, exchange.Decision{Pieces: []int{}})
	case do == "send" && !open && len(sending) > 0:
		_, err = s.c.Space.Decide(r.Context(), session.ID, visitor, exchange.Decision{Pieces: sending})
	default:
		s.choose(w, r, l, http.StatusUnprocessableEntity, session, visitor, choices)
		return
	}
	if err != nil {
		s.failed(w, r, l, "decide", err)
		return
	}
	http.Redirect(w, r, s.path(r, "/done"), http.StatusSeeOther)
}

// documentPage is one document in full.
type documentPage struct {
	Document exchange.Document
	Values   []readable
	Text     string // of structured evidence without a model
	File     string
	Back     string
	Frame    bool
	Image    bool
}

func (s *preview) document(w http.ResponseWriter, r *http.Request) {
	l := s.language(w, r)
	session, visitor, err := s.visit(r)
	if err == nil && session.State == exchange.Decided {
		err = &exchange.Error{Reason: exchange.NotFound}
	}
	if err != nil {
		s.failed(w, r, l, "open", err)
		return
	}
	c, err := s.c.Space.Show(r.Context(), session.ID, visitor, r.PathValue("document"))
	if err != nil {
		s.failed(w, r, l, "show", err)
		return
	}
	page := newDocumentPage(l, s.c.Space.Model(c.Model), c, s.path(r, "/file/"+url.PathEscape(c.ID)), s.path(r, ""))
	s.show(w, r, http.StatusOK, s.leaf(l, "document", page))
}

const mostText = 200 << 10 // octets of a document shown as text

func newDocumentPage(l *lang, m *exchange.Model, c *exchange.Content, file, back string) *documentPage {
	page := &documentPage{Document: c.Document, File: file, Back: back, Values: readContent(l, m, c)}
	switch {
	case c.MediaType == "application/pdf":
		page.Frame = true
	case c.MediaType == "image/png", c.MediaType == "image/jpeg":
		page.Image = true
	case page.Values == nil && (strings.HasSuffix(c.MediaType, "xml") || strings.HasSuffix(c.MediaType, "json") || strings.HasPrefix(c.MediaType, "text/")):
		page.Text = strings.ToValidUTF8(string(c.Data[:min(len(c.Data), mostText)]), "�")
	}
	return page
}

func (s *preview) file(w http.ResponseWriter, r *http.Request) {
	l := s.language(w, r)
	session, visitor, err := s.visit(r)
	if err != nil {
		s.failed(w, r, l, "open", err)
		return
	}
	c, err := s.c.Space.Show(r.Context(), session.ID, visitor, r.PathValue("document"))
	if err != nil {
		s.failed(w, r, l, "show", err)
		return
	}
	sendDocument(w, c, r.URL.Query().Has("download"))
}

// donePage is the receipt.
type donePage struct {
	Session *exchange.PreviewSession
	Name    string
	Sent    []exchange.Document
	Kept    []exchange.Document
	Return  string // where the person goes; empty until it is known
	Host    string
}

func (s *preview) done(w http.ResponseWriter, r *http.Request) {
	l := s.language(w, r)
	session, _, err := s.visit(r)
	if err == nil && session.State != exchange.Decided {
		http.Redirect(w, r, s.path(r, ""), http.StatusSeeOther)
		return
	}
	if err != nil {
		s.failed(w, r, l, "open", err)
		return
	}
	page := &donePage{Session: session, Name: s.c.Name}
	for _, d := range session.Documents {
		if slices.Contains(session.Chosen, d.Piece) {
			page.Sent = append(page.Sent, d)
		} else {
			page.Kept = append(page.Kept, d)
		}
	}
	back := session.ReturnLocation
	if back == "" && session.Line != edm.V20 {
		kept, _ := url.QueryUnescape(s.cookie(r, "return"))
		back = httpsAddress(kept)
	}
	switch {
	case back != "":
		page.Return = s.browser(back)
		if u, err := url.Parse(back); err == nil {
			page.Host = u.Hostname()
		}
	case session.Line == edm.V20: // the second request brings it at any moment
		w.Header().Set("Refresh", "2")
	}
	s.show(w, r, http.StatusOK, s.leaf(l, "preview_done", page))
}
