package web

import (
	"fmt"
	"strings"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/web/opendata"
)

// mostEntries bounds a feed.
const mostEntries = 100

// movesFeed is GET /feed.atom: every change of level.
func (s *site) movesFeed(a *ask) (*document, error) {
	return s.feed(a, "moves", a.Lang.Text("feed.moves"), "/feed.atom", "/history", s.moveEntries(a, "")), nil
}

// countryFeed is GET /countries/{cc}/feed.atom.
func (s *site) countryFeed(a *ask) (*document, error) {
	c, err := s.drawnCountry(a.value("cc"))
	if err != nil {
		return nil, err
	}
	page := "/countries/" + asciiLower(c.Code)
	return s.feed(a, "moves/"+c.Code, a.Lang.Text("feed.country", "country", a.Lang.Country(c.Code)), page+"/feed.atom", page, s.moveEntries(a, c.Code)), nil
}

// newsFeed is GET /news.atom.
func (s *site) newsFeed(a *ask) (*document, error) {
	var entries []opendata.FeedEntry
	for _, n := range s.newsItems(a.visit) {
		entries = append(entries, opendata.FeedEntry{ID: s.tag("news/" + n.Slug), Title: plainText(n.Title), At: n.At,
			Link: s.absolute("/" + a.Lang.Code + "/news/" + n.Slug), Summary: sampled(a, n.Sample, plainText(n.Text))})
	}
	return s.feed(a, "news", a.Lang.Text("news.title"), "/news.atom", "/news", entries), nil
}

func (s *site) feed(a *ask, id, title, self, page string, entries []opendata.FeedEntry) *document {
	if len(entries) > mostEntries {
		entries = entries[:mostEntries]
	}
	f := opendata.Feed{ID: s.tag(id), Title: a.Lang.Text("site.name") + ": " + title, Lang: a.Lang.Code, Author: s.publisher(),
		Self: s.absolute(self) + a.search(), Page: s.absolute("/" + a.Lang.Code + page), Entries: entries}
	if a.Snap != nil {
		f.Updated = a.Snap.PublishedAt
	}
	return &document{"application/atom+xml; charset=utf-8", f.Atom()}
}

// moveEntries are the moves of a country, or of all, newest first.
func (s *site) moveEntries(a *ask, country string) []opendata.FeedEntry {
	var out []opendata.FeedEntry
	for _, m := range a.State.moves {
		if country != "" && m.Member != country {
			continue
		}
		at := m.At
		if x := a.State.number(m.Sequence); x != nil {
			at = x.PublishedAt
		}
		why := m.Reason
		if m.Basis != am.ByDecision {
			why = string(a.Lang.T("moves.criteria")) + " " + strings.Join(m.Criteria, ", ")
		}
		out = append(out, opendata.FeedEntry{
			ID:      s.tag(fmt.Sprintf("move/%s/%d", m.Member, m.Sequence)),
			Title:   a.Lang.Text("feed.move", "country", a.Lang.Country(m.Member), "from", m.From, "to", m.To, "name", plainText(a.Lang.level(m.To))),
			Link:    s.absolute(fmt.Sprintf("/%s/countries/%s#move-%d", a.Lang.Code, asciiLower(m.Member), m.Sequence)),
			At:      at,
			Summary: sampled(a, m.Sample || s.Sample, why),
		})
	}
	return out
}

// sampled marks invented data in plain text.
func sampled(a *ask, sample bool, text string) string {
	if sample {
		return a.Lang.Text("sample.tag") + ". " + text
	}
	return text
}

// tag is an id that never changes (RFC 4151).
func (s *site) tag(what string) string {
	return "tag:" + s.base.Hostname() + ",2026:" + what
}
