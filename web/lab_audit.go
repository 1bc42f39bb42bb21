package web

import (
	"net/url"
	"strconv"
	"time"

	pj "github.com/once-only/oots/projectathon"
)

// labAudit is GET /{lang}/lab/audit: who did what, on what, when; newest first.
type labAudit struct {
	Lines   []pj.Entry
	Asked   url.Values // the filters as they were asked for
	Filters []auditFilter
	Older   string // address of the lines before these; empty for none
	BadDate string // a date that cannot be read
}

// auditFilter is a field of the page's form.
type auditFilter struct{ Name, Type string }

// auditFilters are the fields, and the parameters of the address.
var auditFilters = []auditFilter{{"by", "text"}, {"what", "text"}, {"on", "text"}, {"event", "text"}, {"from", "date"}, {"until", "date"}}

const auditLines = 200 // on a page

func (s *lab) audit(r *reading) (string, any, string, error) {
	q := r.URL.Query()
	p := &labAudit{Asked: url.Values{}, Filters: auditFilters}
	for _, f := range auditFilters {
		if v := trim(q.Get(f.Name)); v != "" && len(v) <= 200 {
			p.Asked.Set(f.Name, v)
		}
	}
	day := func(name string, add int) time.Time {
		text := p.Asked.Get(name)
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			if text != "" {
				p.BadDate = text
			}
			return time.Time{}
		}
		return at.AddDate(0, 0, add)
	}
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64) // anything else is the first page
	lines, err := s.c.Events.Audit(r.Context(), r.who, pj.AuditFilter{By: p.Asked.Get("by"), What: pj.Action(p.Asked.Get("what")), On: p.Asked.Get("on"), Event: p.Asked.Get("event"),
		From: day("from", 0), Until: day("until", 1), Before: max(0, before), Limit: auditLines + 1})
	if err != nil {
		return "", nil, "", err
	}
	p.Lines = lines[:min(len(lines), auditLines)]
	if len(lines) > auditLines {
		older, _ := url.ParseQuery(p.Asked.Encode())
		older.Set("before", strconv.FormatInt(p.Lines[auditLines-1].N, 10))
		p.Older = "?" + older.Encode()
	}
	return "audit", p, "", nil
}
