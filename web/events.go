package web

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
)

// eventsPage is GET /{lang}/events: gatherings, and the dates and figures
// around them.
type eventsPage struct {
	Coming  []am.Event
	Past    []am.Event
	Notices []am.Event
	Figures []am.Statistic
}

func (s *site) events(v *visit) (any, error) {
	p := &eventsPage{Figures: s.Meter.Statistics(v.now)}
	for _, e := range s.Meter.Events(v.now) {
		switch {
		case e.Sort != am.TestEvent:
			p.Notices = append(p.Notices, e)
		case e.At.After(v.now):
			p.Coming = append(p.Coming, e)
		default:
			p.Past = append(p.Past, e)
		}
	}
	return p, nil
}

// eventPage is GET /{lang}/events/{id}.
type eventPage struct {
	am.Event
	Totals  []total
	Figures []am.Statistic
	Moves   []moveCard // changes of level in the half year after it
	Before  *am.Event
	After   *am.Event
}

type total struct {
	Key   string
	Value int
}

func (s *site) event(v *visit) (any, error) {
	var list []am.Event
	for _, e := range s.Meter.Events(v.now) {
		if e.Sort == am.TestEvent && e.ID != "" {
			list = append(list, e)
		}
	}
	i := slices.IndexFunc(list, func(e am.Event) bool { return e.ID == v.value("id") })
	if i < 0 {
		p := &problem{Status: http.StatusNotFound, Message: "error.event", Args: []any{"found", cut(v.value("id"), 40)}}
		for _, e := range list {
			p.Choices = append(p.Choices, link{"/" + v.Lang.Code + "/events/" + e.ID, e.Title})
		}
		return nil, p
	}
	p := &eventPage{Event: list[i], Totals: totals(list[i].Totals)}
	if i > 0 {
		p.After = &list[i-1]
	}
	if i+1 < len(list) {
		p.Before = &list[i+1]
	}
	for _, f := range s.Meter.Statistics(v.now) {
		if f.Event == p.ID && f.Fact != p.Fact {
			p.Figures = append(p.Figures, f)
		}
	}
	for _, mv := range v.State.moves {
		if mv.At.After(p.At) && mv.At.Before(p.At.AddDate(0, 6, 0)) && slices.Contains(p.Countries, mv.Member) {
			p.Moves = append(p.Moves, newMoveCard(mv))
		}
	}
	return p, nil
}

func totals(m map[string]int) []total {
	var out []total
	for k, n := range m {
		out = append(out, total{k, n})
	}
	slices.SortFunc(out, func(a, b total) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// newsItem is a dated item: a publication with its moves, or a public fact.
type newsItem struct {
	Slug   string
	At     time.Time
	Title  template.HTML
	Text   template.HTML
	Snap   *am.Snapshot
	Moves  []moveCard
	Event  *am.Event
	Sample bool
}

// newsItems are all items, newest first: written from snapshots and public
// facts, never by hand.
func (s *site) newsItems(v *visit) []newsItem {
	var out []newsItem
	for i := range v.State.snapshots {
		x := &v.State.snapshots[i]
		n := newsItem{Slug: "snapshot-" + itoa(x.Sequence), At: x.PublishedAt, Snap: x, Sample: x.Sample || s.Sample}
		up := 0
		for _, mv := range v.State.moves {
			if mv.Sequence == x.Sequence {
				n.Moves = append(n.Moves, newMoveCard(mv))
				up += btoi(mv.To > mv.From)
			}
		}
		switch {
		case x.Corrects > 0:
			n.Title = v.Lang.T("news.corrects", "number", x.Sequence, "corrected", x.Corrects)
		case i == 0:
			n.Title = v.Lang.T("news.first")
		case len(n.Moves) == 0:
			n.Title = v.Lang.T("news.still", "number", x.Sequence)
		default:
			n.Title = v.Lang.T("news.moved", "n", up)
		}
		counts := s.counts(x)
		n.Text = v.Lang.T("news.state", "ready", counts[4]+counts[5]+counts[6], "count", len(s.drawn), "date", v.Lang.Date(x.AsOf))
		out = append(out, n)
	}
	for _, e := range s.Meter.Events(v.now) {
		slug := e.ID
		if slug == "" {
			slug = slugOf(e.Fact)
		}
		out = append(out, newsItem{Slug: slug, At: e.At, Title: template.HTML(template.HTMLEscapeString(e.Title)), Event: &e, Sample: e.Sample})
	}
	slices.SortStableFunc(out, func(a, b newsItem) int { return b.At.Compare(a.At) })
	return out
}

// slugOf makes a fact's id fit for an address part.
func slugOf(id string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, id), "-")
}

// newsPage is GET /{lang}/news.
type newsPage struct {
	Items []newsItem
	Page  int
	Next  bool
}

const newsPerPage = 20

func (s *site) news(v *visit) (any, error) {
	p := &newsPage{Page: max(1, atoi(v.Query.Get("page")))}
	all := s.newsItems(v)
	from := min(len(all), (min(p.Page, 10_000)-1)*newsPerPage)
	to := min(len(all), from+newsPerPage)
	p.Items, p.Next = all[from:to], to < len(all)
	if len(p.Items) == 0 && p.Page > 1 {
		return nil, &problem{Status: http.StatusNotFound, Message: "error.404", Choices: []link{{"/" + v.Lang.Code + "/news", v.Lang.Text("nav.news")}}}
	}
	return p, nil
}

// story is GET /{lang}/news/{slug}.
func (s *site) story(v *visit) (any, error) {
	all := s.newsItems(v)
	for i := range all {
		if all[i].Slug == v.value("slug") {
			return &all[i], nil
		}
	}
	p := &problem{Status: http.StatusNotFound, Message: "error.404"}
	for i := range min(5, len(all)) {
		p.Choices = append(p.Choices, link{"/" + v.Lang.Code + "/news/" + all[i].Slug, string(all[i].Title)})
	}
	return nil, p
}
