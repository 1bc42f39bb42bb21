package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/web/api"
	"github.com/once-only/oots/web/opendata"
	"github.com/once-only/oots/web/social"
)

// badge is GET /badge/{file}: a country's level as a picture, or in the
// endpoint form of shields.io.
func (s *site) badge(a *ask) (*document, error) {
	code, ending, _ := strings.Cut(a.value("file"), ".")
	c, err := s.drawnCountry(code)
	if err != nil {
		return nil, err
	}
	name, level := a.Lang.Country(c.Code), entry(a.Snap, c.Code).Level
	b := opendata.Badge{Label: name, Message: a.Lang.Text("badge.none"), Level: level}
	if level > 0 {
		b.Message = a.Lang.Text("badge.level", "number", level, "name", plainText(a.Lang.level(level)))
	}
	if s.Sample {
		b.Message += " · " + a.Lang.Text("sample.tag")
	}
	b.Title = name + ": " + b.Message
	if a.Snap != nil {
		b.Title += ", " + a.Lang.Date(a.Snap.AsOf)
	}
	switch ending {
	case "svg":
		return &document{"image/svg+xml", b.SVG()}, nil
	case "json":
		return &document{"application/json", b.Shields()}, nil
	}
	return nil, &api.Problem{Status: http.StatusNotFound, Code: "unknown-form", Detail: "a badge exists in two forms", Valid: []string{asciiLower(c.Code) + ".svg", asciiLower(c.Code) + ".json"}}
}

// ownStyle lets a drawing that is opened alone use the style inside it. It
// still runs and loads nothing.
func ownStyle(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		next(w, r)
	}
}

// picture is GET /og/{file}: the social image of a page.
func (s *site) picture(a *ask) (*document, error) {
	name, ending, _ := strings.Cut(a.value("file"), ".")
	words := s.pictureWords(a, name)
	if words == "" || ending != "png" {
		return nil, &api.Problem{Status: http.StatusNotFound, Code: "unknown-picture", Detail: "there is no such picture", Valid: s.pictures()}
	}
	card := social.Card{Brand: a.Lang.Text("site.name"), Headline: words, Right: a.Lang.Text("share.independent")}
	if s.Operator != "" {
		card.Right = s.Operator
	}
	for i := range card.Levels {
		card.Levels[i] = a.Lang.Text("level.which", "number", i+1)
	}
	if a.Snap != nil {
		n := s.counts(a.Snap)
		copy(card.Counts[:], n[1:])
		card.Left = a.Lang.Text("board.asof") + " " + a.Lang.Date(a.Snap.AsOf)
		if s.Sample || a.Snap.Sample {
			card.Left += ", " + a.Lang.Text("sample.tag")
		}
	}
	png, err := card.PNG()
	if err != nil {
		return nil, err
	}
	return &document{"image/png", png}, nil
}

// titled are the pages whose picture says their title.
var titled = []string{"history", "countries", "matrix", "events", "news", "data", "methodology"}

// pictures are the valid file names.
func (s *site) pictures() []string {
	out := []string{"board.png"}
	for _, t := range titled {
		out = append(out, t+".png")
	}
	for _, c := range s.drawn {
		out = append(out, asciiLower(c.Code)+".png")
	}
	return out
}

// pictureWords are the headline of a page; empty for one without picture.
func (s *site) pictureWords(a *ask, name string) string {
	switch {
	case name == "board" && a.Snap == nil:
		return a.Lang.Text("board.headline.none")
	case name == "board":
		n := s.counts(a.Snap)
		return a.Lang.Text("board.headline", "ready", n[4]+n[5]+n[6], "count", len(s.drawn))
	case slices.Contains(titled, name):
		return a.Lang.Text("nav." + name)
	}
	c, err := am.FindCountry(name)
	if err != nil || asciiLower(c.Code) != name || !s.draws(c.Code) {
		return ""
	}
	level := entry(a.Snap, c.Code).Level
	if level == 0 {
		return a.Lang.Country(c.Code) + ": " + a.Lang.Text("badge.none")
	}
	return a.Lang.Country(c.Code) + ": " + a.Lang.Text("badge.level", "number", level, "name", plainText(a.Lang.level(level)))
}

// Picture is the address of the view's social image.
func (v *view) Picture() string {
	name := "board"
	part, rest, _ := strings.Cut(strings.TrimPrefix(v.Path, "/"), "/")
	switch {
	case part == "countries" && rest != "":
		name = rest
	case slices.Contains(titled, part):
		name = part
	}
	q := url.Values{"lang": {v.Lang.Code}}
	if at := v.Query.Get("at"); at != "" {
		q.Set("at", at)
	}
	return v.Absolute("/og/" + name + ".png?" + q.Encode())
}

// oembed is GET /oembed: how to embed the page at url (the oEmbed
// specification §2).
func (s *site) oembed(a *ask) (*document, error) {
	if f := a.Query.Get("format"); f != "" && f != "json" {
		return nil, &api.Problem{Status: http.StatusNotImplemented, Code: "unknown-format", Detail: "only JSON is offered", Valid: []string{"json"}}
	}
	asked := a.Query.Get("url")
	u, err := url.Parse(asked)
	unknown := &api.Problem{Status: http.StatusNotFound, Code: "unknown-page", Detail: "url is no page of this site that can be embedded",
		Valid: []string{s.absolute("/en/"), s.absolute("/en/countries/at"), s.absolute("/en/matrix")}}
	if err != nil || asked == "" || u.Host != s.base.Host {
		return nil, unknown
	}
	path := strings.TrimPrefix(u.Path, s.base.Path)
	for _, l := range s.langs {
		if rest, ok := strings.CutPrefix(path, "/"+l.Code+"/"); ok {
			a.Lang, path = l, "/"+rest
			break
		}
	}
	o := opendata.OEmbed{Provider: a.Lang.Text("site.name"), Base: s.base.String(), Width: 800, Height: 520}
	frame := ""
	switch path = strings.TrimSuffix(path, "/"); {
	case path == "":
		frame, o.Title = "/embed/board", a.Lang.Text("board.title")
	case path == "/matrix":
		frame, o.Title = "/embed/matrix", a.Lang.Text("matrix.title")
	default:
		code, ok := strings.CutPrefix(path, "/countries/")
		c, err := am.FindCountry(code)
		if !ok || err != nil || !s.draws(c.Code) {
			return nil, unknown
		}
		frame, o.Title, o.Height = "/embed/country/"+asciiLower(c.Code), a.Lang.Country(c.Code), 260
	}
	for _, bound := range []struct {
		name string
		size *int
	}{{"maxwidth", &o.Width}, {"maxheight", &o.Height}} {
		text := a.Query.Get(bound.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, &api.Problem{Status: http.StatusBadRequest, Code: "bad-size", Detail: fmt.Sprintf("%s is a number of pixels, from 1", bound.name)}
		}
		*bound.size = min(*bound.size, n)
	}
	q := url.Values{"lang": {a.Lang.Code}}
	if at := u.Query().Get("at"); at != "" && len(at) <= 40 {
		q.Set("at", at)
	}
	o.Frame = s.absolute(frame + "?" + q.Encode())
	return &document{"application/json+oembed", o.JSON()}, nil
}
