package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/once-only/oots/browsertest"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/web"
)

// shelf is a preview space of one session with documents of every kind, on
// virtual time.
type shelf struct {
	s        exchange.PreviewSession
	contents []exchange.Content
	now      time.Time
	down     bool
}

const shelfID = "5d1c7a90-2f43-4a0e-8f57-0e6a4b7d2c31"

func newShelf(contents ...exchange.Content) *shelf {
	now := time.Date(2026, 11, 20, 10, 42, 0, 0, time.UTC)
	s := &shelf{now: now, contents: contents, s: exchange.PreviewSession{ID: shelfID, Line: edm.V20, State: exchange.Issued, Procedure: "T2", IssuedAt: now,
		Expires: now.Add(15 * time.Minute), Until: now.Add(40 * time.Minute), ReturnLocation: "https://portal.example/return/1",
		Requester: sdg.Agent{Names: []sdg.Text{{Lang: "EN", Value: "University of B"}}, Address: &sdg.Address{AdminUnitLevel1: "NL"}}}}
	for _, c := range contents {
		s.s.Documents = append(s.s.Documents, c.Document)
	}
	return s
}

func (s *shelf) find(id, visitor string) (*exchange.PreviewSession, error) {
	if id != shelfID || visitor != "visitor" || !s.now.Before(s.s.Expires) && s.s.State != exchange.Decided {
		return nil, &exchange.Error{Reason: exchange.NotFound}
	}
	c := s.s
	return &c, nil
}

func (s *shelf) Open(_ context.Context, id string) (*exchange.PreviewSession, error) {
	return s.find(id, "visitor")
}

func (s *shelf) Identify(_ context.Context, id string, who exchange.Identity) (*exchange.PreviewSession, string, error) {
	if s.down {
		return nil, "", &exchange.Error{Reason: exchange.Unavailable}
	}
	if who.FamilyName != "Alpha" {
		return nil, "", &exchange.Error{Reason: exchange.NotThisPerson}
	}
	s.s.State = exchange.Identified
	x, err := s.find(id, "visitor")
	return x, "visitor", err
}

func (s *shelf) Session(_ context.Context, id, visitor string) (*exchange.PreviewSession, error) {
	return s.find(id, visitor)
}

func (s *shelf) Extend(_ context.Context, id, visitor string) (*exchange.PreviewSession, error) {
	s.s.Expires = s.now.Add(15 * time.Minute)
	if s.s.Expires.After(s.s.Until) {
		s.s.Expires = s.s.Until
	}
	return s.find(id, visitor)
}

func (s *shelf) Show(_ context.Context, id, visitor, document string) (*exchange.Content, error) {
	if _, err := s.find(id, visitor); err != nil {
		return nil, err
	}
	at := slices.IndexFunc(s.contents, func(c exchange.Content) bool { return c.ID == document })
	if at < 0 {
		return nil, &exchange.Error{Reason: exchange.NotFound}
	}
	return &s.contents[at], nil
}

func (s *shelf) Decide(_ context.Context, id, visitor string, d exchange.Decision) (*exchange.PreviewSession, error) {
	s.s.State, s.s.Chosen = exchange.Decided, d.Pieces
	return s.find(id, visitor)
}

func (s *shelf) Model(name string) *exchange.Model {
	if name != "DemoDiploma" {
		return nil
	}
	return &exchange.Model{Name: name, Root: "Diploma", Fields: []exchange.Field{
		{Path: "Family", Labels: map[string]string{"EN": "Family name", "EL": "Επώνυμο", "DE": "Familienname"}},
		{Path: "Awarded", Type: exchange.DateField, Labels: map[string]string{"EN": "Awarded on", "EL": "Ημερομηνία απονομής"}}}}
}

func document(id string, piece int, title, media, model, data string) exchange.Content {
	return exchange.Content{Data: []byte(data), Document: exchange.Document{ID: id, Piece: piece, Title: title, MediaType: media, Model: model, Languages: []string{"FI"},
		Size: int64(len(data)), SHA256: strings.Repeat("ab", 32), Evidence: sdg.Evidence{ID: id, IssuingDate: "2024-07-01",
			IssuingAuthority: &sdg.Agent{Names: []sdg.Text{{Lang: "EN", Value: "Registry of Examples"}}}}}}
}

func everyKind() []exchange.Content {
	return []exchange.Content{
		document("d0", 0, "Diploma", "application/xml", "DemoDiploma", `<Diploma><Family>Älpha &lt;b&gt;</Family><Awarded>2018-06-02</Awarded></Diploma>`),
		document("d1", 0, "Diploma, readable", "application/pdf", "", "%PDF-1.7 …"),
		document("d2", 1, "Page", "text/html", "", `<script>alert(1)</script>`),
		document("d3", 2, "List", "application/json", "", `{"a":1}`),
	}
}

// known signs anybody in at once, by the name that its address carries.
type known struct{}

func (known) Begin(_ context.Context, callback string, _ web.SignInHint) (*web.SignIn, error) {
	return &web.SignIn{Location: callback + "?state=s", State: "s"}, nil
}

func (known) Finish(context.Context, *web.SignIn, url.Values) (*web.SignedIn, error) {
	return &web.SignedIn{Identity: exchange.Identity{FamilyName: "Alpha"}}, nil
}

// opens is a person who signed in at the preview of a shelf.
func (s *shelf) opens(t testing.TB, lang string) *person {
	t.Helper()
	l := listen(t)
	l.is(t)(web.NewPreview(web.PreviewConfig{BaseURL: l.server.URL, Space: s, Identity: known{}, Name: "Registry of Examples", Country: "FI", Contact: "358 0 000 000",
		Now: func() time.Time { return s.now }}))
	p := newPerson(t)
	p.lang = lang
	return p.get(l.server.URL + "/preview/" + shelfID).get("/preview/" + shelfID + "/signin")
}

// Structured evidence is readable in the reader's words: names of fields are
// translated, values never, and nothing in them becomes markup.
func TestStructuredEvidenceIsReadable(t *testing.T) {
	p := newShelf(everyKind()...).opens(t, "el").shows(200, "Επώνυμο", "Älpha &lt;b&gt;", "Ημερομηνία απονομής", "2 Ιουνίου 2018", "University of B", "Diploma, readable")
	p.get(p.at.Path+"/document/d0").shows(200, "Επώνυμο", "Älpha &lt;b&gt;")
}

// Whatever a register sends, no page and no answer lets it run.
func TestDocumentsCannotRun(t *testing.T) {
	p := newShelf(everyKind()...).opens(t, "en")
	base := p.at.Path
	for id, media := range map[string]string{"d0": "application/octet-stream", "d1": "application/pdf", "d2": "application/octet-stream", "d3": "application/octet-stream"} {
		p.get(base + "/file/" + id)
		if p.header.Get("Content-Type") != media || !strings.Contains(p.header.Get("Content-Security-Policy"), "sandbox") || strings.Contains(p.header.Get("Content-Security-Policy"), "allow-scripts") ||
			p.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s travels as %v", id, p.header)
		}
		if inline := strings.HasPrefix(p.header.Get("Content-Disposition"), "inline"); inline != (media == "application/pdf") {
			t.Errorf("%s: %s", id, p.header.Get("Content-Disposition"))
		}
	}
	p.get(base+"/document/d2").shows(200, "&lt;script&gt;")
	p.get(base+"/document/d3").shows(200, "made for machines")
	p.get(base + "/document/d9").shows(404)
}

// Only what was chosen goes, once, and only in full: an open choice is asked for.
func TestChoicesAreCounted(t *testing.T) {
	s := newShelf(everyKind()...)
	p := s.opens(t, "en")
	p.post(p.at.Path, url.Values{"do": {"send"}, "piece-0": {"send"}, "piece-1": {"keep"}}).shows(422, "Please choose first", `value="send" checked`)
	p.post(p.at.Path, url.Values{"do": {"send"}, "piece-0": {"keep"}, "piece-1": {"keep"}, "piece-2": {"keep"}}).shows(422)
	p.post(p.at.Path, url.Values{"do": {"other"}}).shows(422)
	if s.s.State == exchange.Decided {
		t.Fatal("decided without a decision")
	}
	p.post(p.at.Path, url.Values{"do": {"send"}, "piece-0": {"send"}, "piece-1": {"keep"}, "piece-2": {"send"}}).shows(200, "This is your receipt", "Not sent")
	if !slices.Equal(s.s.Chosen, []int{0, 2}) {
		t.Errorf("chosen are %v, want 0 and 2", s.s.Chosen)
	}
	p.post("/preview/"+shelfID, url.Values{"do": {"nothing"}}).shows(200, "This is your receipt")
	if len(s.s.Chosen) != 2 {
		t.Error("a decision was changed")
	}
}

// Time can be had up to the hard end, and then nothing is there any more.
func TestTimeCanBeExtendedToTheEnd(t *testing.T) {
	s := newShelf(everyKind()...)
	p := s.opens(t, "en").shows(200, "I need more time")
	s.now = s.now.Add(14 * time.Minute)
	p.post(p.at.Path, url.Values{"do": {"more"}}).shows(200, "I need more time")
	s.now = s.now.Add(14 * time.Minute)
	p.post(p.at.Path, url.Values{"do": {"more"}}).shows(200, "More is not possible", "until 11:22")
	s.now = s.now.Add(13 * time.Minute)
	p.post(p.at.Path, url.Values{"do": {"send"}, "piece-0": {"send"}, "piece-1": {"keep"}, "piece-2": {"keep"}}).shows(404, "its time is over")
	p.get("/preview/"+shelfID).shows(404, "its time is over")
}

// Nothing found: contact of the provider and a way back, and no document to
// decide about.
func TestNothingIsFound(t *testing.T) {
	p := newShelf().opens(t, "de").shows(200, "Für Sie wurde nichts gefunden", "Zurückgehen", "358 0 000 000")
	if strings.Contains(p.body, `value="send"`) {
		t.Error("something can be sent")
	}
	s := newShelf()
	s.down = true
	s.opens(t, "en").shows(503, "does not answer just now")
}

// A way back that came with a link of line 1.x is followed only over https.
func TestTheWayBackOfLine1(t *testing.T) {
	for back, want := range map[string]string{"https://portal.example/return/7": "https://portal.example/return/7", "javascript:alert(1)": "", "http://portal.example/": "", "https://a:b@evil.example/": ""} {
		s := newShelf(everyKind()...)
		s.s.Line, s.s.ReturnLocation = edm.V12, ""
		p := s.opens(t, "en")
		p = newPerson(t).get(p.at.Scheme + "://" + p.at.Host + "/preview/" + shelfID + "?" + url.Values{"returnurl": {back}, "returnmethod": {"GET"}}.Encode())
		p.get("/preview/" + shelfID + "/signin")
		p.post(p.at.Path, url.Values{"do": {"nothing"}}).shows(200)
		if got := strings.Contains(p.body, `href="`+want+`"`); want != "" && !got || strings.Contains(p.body, "javascript:") || strings.Contains(p.body, "evil") {
			t.Errorf("%s leads on as it should not:\n%s", back, web.Visible(p.body))
		}
	}
}

// The preview of several documents, what structured evidence looks like, nothing
// found and the refusal: axe finds nothing.
func TestPreviewsAreAccessible(t *testing.T) {
	c := browsertest.NewCritic(t)
	w := &walker{t, c}
	s, none := newShelf(everyKind()...), newShelf()
	for name, shelf := range map[string]*shelf{"several": s, "none": none} {
		l := listen(t)
		l.is(t)(web.NewPreview(web.PreviewConfig{BaseURL: l.server.URL, Space: shelf, Identity: known{}, Name: "Μητρώο παραδειγμάτων με ένα πολύ μεγάλο όνομα", Country: "EL",
			Now: func() time.Time { return shelf.now }}))
		for _, path := range []string{"", "/signin", "/document/d0", "/document/d3", "/document/d9"} {
			if err := chromedp.Do(w.critic.Tab, chromedp.Navigate(l.server.URL+"/preview/"+shelfID+path+"?lang=el")); err != nil {
				t.Fatal(err)
			}
			w.look(name + strings.ReplaceAll(path, "/", "-"))
		}
	}
}

// BenchmarkPreviewPage renders the page with two documents that were identified
// for already, one of them read through its data model.
func BenchmarkPreviewPage(b *testing.B) {
	s := newShelf(everyKind()...)
	s.s.State = exchange.Identified
	h, err := web.NewPreview(web.PreviewConfig{BaseURL: "http://preview.example", Space: s, Identity: known{}, Name: "Registry of Examples", Country: "FI", Now: func() time.Time { return s.now }})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/preview/"+shelfID, nil)
	r.AddCookie(&http.Cookie{Name: "oots_preview__visitor", Value: "visitor"})
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "piece-0") {
			b.Fatal(w.Code)
		}
	}
}
