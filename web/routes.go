package web

import (
	"net/http"
)

// page is one address for people, served below every language's prefix.
type page struct {
	path  string                      // below /{lang}/, in the mux's pattern language
	name  string                      // the template, templates/{name}.html
	query []string                    // the parameters that change the page; all others are ignored
	data  func(v *visit) (any, error) // reads, asks one thing
}

// pages is the table of everything a reader can open: one line a page.
func (s *site) pages() []page {
	return []page{
		{"{$}", "board", []string{"at", "compare", "view"}, s.board},
		{"history", "history", []string{"at", "country", "level"}, s.history},
		{"countries", "countries", []string{"at", "sort", "find"}, s.countries},
		{"countries/{cc}", "country", []string{"at"}, s.country},
		{"matrix", "matrix", []string{"at", "sort", "pair"}, s.matrix},
		{"events", "events", nil, s.events},
		{"events/{id}", "event", nil, s.event},
		{"news", "news", []string{"page"}, s.news},
		{"news/{slug}", "story", nil, s.story},
		{"methodology", "methodology", nil, s.methodology},
		{"recomputed", "recomputed", []string{"at", "criteria"}, s.recomputed},
		{"snapshots/{n}", "snapshot", nil, s.snapshot},
		{"facts/{id...}", "fact", nil, s.fact},
		{"data", "data", nil, s.data},
		{"embed", "embed", []string{"what", "country", "lang", "theme", "at"}, s.embedBuilder},
		{"corrections", "corrections", []string{"where"}, s.corrections},
		{"validate", "validate", nil, s.validate},
		{"accessibility", "accessibility", nil, s.plain},
		{"privacy", "privacy", nil, s.plain},
		{"status", "status", nil, s.status},
		{"about", "about", nil, s.plain},
	}
}

// route is one address for machines and forms, without language prefix.
type route struct {
	pattern string
	handle  http.HandlerFunc
}

// routes is the table of everything else: files, feeds, badges, embeds, forms.
func (s *site) routes() []route {
	return []route{
		{"GET /{$}", s.chooseLanguage},
		{"GET /assets/{name}", s.asset},
		{"GET /robots.txt", s.robots},
		{"POST /theme", s.theme},
		{"GET /data/{file}", s.open("", s.dataFile)},
		{"GET /data/snapshots/{file}", s.forever("", s.snapshotFile)},
		{"GET /feed.atom", s.open("lang", s.movesFeed)},
		{"GET /countries/{cc}/feed.atom", s.open("lang", s.countryFeed)},
		{"GET /news.atom", s.open("lang", s.newsFeed)},
		{"GET /badge/{file}", ownStyle(s.open("lang at", s.badge))},
		{"GET /embed/board", s.open("lang at theme", s.boardFrame)},
		{"GET /embed/country/{cc}", s.open("lang at theme", s.countryFrame)},
		{"GET /embed/matrix", s.open("lang at theme", s.matrixFrame)},
		{"GET /oembed", s.open("url maxwidth maxheight format", s.oembed)},
		{"GET /og/{file}", s.open("lang at", s.picture)},
		{"/api/", s.api.ServeHTTP},
		{"GET /openapi.json", s.api.ServeHTTP},
		{"GET /openapi-3.0.json", s.api.ServeHTTP},
		{"GET /docs", s.api.ServeHTTP},
		{"/", s.nowhere},
	}
}

// handler puts both tables on one mux. A wildcard /{lang}/ would collide with
// /data/ and its neighbours, so each language has its own patterns.
func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	for _, p := range s.pages() {
		for _, l := range s.langs {
			mux.HandleFunc("GET /"+l.Code+"/"+p.path, s.serve(p, l))
		}
		if p.path != "{$}" { // an address without language leads to the reader's own
			mux.HandleFunc("GET /"+p.path, s.chooseLanguage)
		}
	}
	for _, l := range s.langs {
		mux.HandleFunc("POST /"+l.Code+"/corrections", s.ask(l))
		mux.HandleFunc("POST /"+l.Code+"/validate", s.validateForm(l))
		mux.HandleFunc("GET /"+l.Code+"/validate/{id}", s.keptValidation(l))
	}
	for _, r := range s.routes() {
		mux.HandleFunc(r.pattern, r.handle)
	}
	return s.guard(mux)
}
