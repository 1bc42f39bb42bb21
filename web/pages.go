package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/correction"
	"github.com/once-only/oots/web/opendata"
)

func itoa(n int) string { return strconv.Itoa(n) }

// atoi reads a small number; anything else is 0.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n > 1_000_000 || n < 0 {
		return 0
	}
	return n
}

// redirect is how a page sends the reader on.
type redirect struct {
	Status int
	To     string
}

func (r *redirect) Error() string { return "redirect to " + r.To }

// methodologyPage is GET /{lang}/methodology.
type methodologyPage struct {
	Set     am.Criteria
	ByLevel [7][]am.Criterion
	Policy  []field
	Shadows []shadow
	Sets    []am.Criteria
}

// shadow is another set that runs beside the official one.
type shadow struct {
	Set   am.Criteria
	Diff  []am.Difference
	Total int
}

func (s *site) methodology(v *visit) (any, error) {
	p := &methodologyPage{Sets: am.Sets()}
	id := ""
	if x := v.State.latest(); x != nil {
		id = x.CriteriaSet
	}
	var err error
	if p.Set, err = am.FindCriteria(id); err != nil {
		return nil, err
	}
	for _, c := range p.Set.List {
		p.ByLevel[c.Level] = append(p.ByLevel[c.Level], c)
	}
	y := p.Set.Policy
	p.Policy = []field{
		{"lines", y.Lines},
		{"component_share", []string{itoa(y.ShareOf[0]) + "/" + itoa(y.ShareOf[1])}},
		{"self_declared", []string{strconv.FormatBool(y.SelfDeclared)}},
		{"plan_months", []string{itoa(y.PlanMonths)}},
		{"partners", []string{itoa(y.Partners)}},
		{"event_bound", []string{strconv.FormatBool(y.EventBound)}},
		{"conditions_count", []string{strconv.FormatBool(y.ConditionsCount)}},
		{"system_check_counts", []string{strconv.FormatBool(y.SystemCheckCounts)}},
		{"tolerance", []string{time.Duration(y.Tolerance).String()}},
		{"l6_requires_real_user", []string{strconv.FormatBool(y.RequiresRealUser)}},
		{"activity_days", []string{itoa(y.ActivityDays)}},
		{"both_roles", []string{strconv.FormatBool(y.BothRoles)}},
		{"grace_days", []string{itoa(y.GraceDays)}},
		{"probe_grace_days", []string{itoa(y.ProbeGraceDays)}},
		{"line_grace_days", []string{itoa(y.LineGraceDays)}},
	}
	for _, other := range p.Sets {
		x := v.State.latest()
		if other.ID == p.Set.ID || x == nil {
			continue
		}
		diff, err := s.Meter.Shadow(p.Set.ID, other.ID, x.AsOf)
		if err != nil {
			return nil, err
		}
		sh := shadow{Set: other}
		for _, d := range diff {
			if s.draws(d.Country) {
				sh.Diff = append(sh.Diff, d)
			}
		}
		p.Shadows = append(p.Shadows, sh)
	}
	return p, nil
}

// statusPage is GET /{lang}/status.
type statusPage struct {
	Facts      int
	Checkpoint string
	Snap       *am.Snapshot
	Snapshots  int
	Stale      bool
	VerifiedAt time.Time
	Broken     bool
	Now        time.Time
}

func (s *site) status(v *visit) (any, error) {
	p := &statusPage{Facts: int(v.State.size), Snap: v.State.latest(), Snapshots: len(v.State.snapshots), Now: v.now}
	p.Stale = p.Snap != nil && v.now.Sub(p.Snap.PublishedAt) > s.Promise
	note, err := s.Ledger.Checkpoint(v)
	if err != nil {
		return nil, err
	}
	p.Checkpoint = string(note)
	if s.Verified != nil {
		p.VerifiedAt, err = s.Verified()
		p.Broken = err != nil
	}
	return p, nil
}

// embedPage is GET /{lang}/embed: the builder.
type embedPage struct {
	moment
	What, Country, Speak, Theme, Date string
	Address                           string // of the widget
	Height                            int
	Countries                         []string
	Whats                             []string
	Dates                             []link
}

func (s *site) embedBuilder(v *visit) (any, error) {
	p := &embedPage{Whats: []string{"board", "country", "matrix"}, What: "board", Country: s.drawn[0].Code, Speak: v.Lang.Code, Height: 520,
		Countries: s.order(v.Lang, "name", nil)}
	for _, w := range p.Whats {
		if v.Query.Get("what") == w {
			p.What = w
		}
	}
	if c := v.Query.Get("country"); s.draws(c) {
		p.Country = c
	}
	for _, l := range s.langs {
		if v.Query.Get("lang") == l.Code {
			p.Speak = l.Code
		}
	}
	if t := v.Query.Get("theme"); t == "light" || t == "dark" {
		p.Theme = t
	}
	m, err := s.moment(v, "at")
	if err != nil {
		return nil, err
	}
	p.moment, p.Date = m, m.Asked
	p.Address = "/embed/" + p.What
	if p.What == "country" {
		p.Address += "/" + asciiLower(p.Country)
		p.Height = 260
	}
	p.Address += "?lang=" + p.Speak
	if p.Theme != "" {
		p.Address += "&theme=" + p.Theme
	}
	if p.Date != "" {
		p.Address += "&at=" + p.Date
	}
	return p, nil
}

// dataPage is GET /{lang}/data.
type dataPage struct {
	Snap      *am.Snapshot
	Files     []dataFile
	Tables    []dataTable
	Snapshots []am.Snapshot // newest first
	Schema    map[string]any
}

type dataFile struct {
	Family   string // levels, moves, pairs
	Address  string
	From, To time.Time
	Rows     int
	Size     int
	Sum      string // SHA-256
}

type dataTable struct {
	Family  string
	Columns []opendata.Column
}

func (s *site) data(v *visit) (any, error) {
	p := &dataPage{Snap: v.State.latest(), Tables: []dataTable{{"levels", opendata.LevelColumns}, {"moves", opendata.MoveColumns}, {"pairs", opendata.PairColumns}}}
	p.Snapshots = slices.Clone(v.State.snapshots)
	slices.Reverse(p.Snapshots)
	if p.Snap == nil {
		return p, nil
	}
	first := v.State.snapshots[0].AsOf
	var distributions []map[string]any
	for _, f := range families() {
		table := f.table(s, v.State)
		for _, ending := range []string{"csv", "json"} {
			d, err := form(table, ending)
			if err != nil {
				return nil, err
			}
			sum := sha256.Sum256(d.Bytes)
			file := dataFile{Family: f.name, Address: "/data/" + f.name + "." + ending, From: first, To: p.Snap.AsOf,
				Rows: len(table.Rows), Size: len(d.Bytes), Sum: hex.EncodeToString(sum[:])}
			if f.name == "pairs" {
				file.From = p.Snap.AsOf
			}
			p.Files = append(p.Files, file)
			media, _, _ := strings.Cut(d.Type, ";")
			distributions = append(distributions, map[string]any{"@type": "DataDownload", "encodingFormat": media, "contentUrl": s.absolute(file.Address)})
		}
	}
	p.Schema = map[string]any{
		"@context": "https://schema.org", "@type": "Dataset", "name": v.Lang.Text("data.cite.text"), "description": v.Lang.Text("board.description"),
		"url": s.absolute("/" + v.Lang.Code + "/data"), "license": opendata.Licence, "isAccessibleForFree": true, "inLanguage": v.Lang.Code,
		"dateModified": p.Snap.PublishedAt.UTC().Format(time.RFC3339), "temporalCoverage": first.Format(time.DateOnly) + "/" + p.Snap.AsOf.Format(time.DateOnly),
		"creator": map[string]any{"@type": "Organization", "name": s.publisher()}, "distribution": distributions,
	}
	return p, nil
}

// correctionsPage is GET and POST /{lang}/corrections.
type correctionsPage struct {
	Store  bool
	Asked  correction.Request
	Wrong  []string // fields with an error
	Sent   string   // id of the request just stored
	Log    []correction.Request
	Fixed  []am.Snapshot // snapshots that correct another one
	Failed bool
}

func (s *site) correctionsData(ctx context.Context, st *state) (*correctionsPage, error) {
	p := &correctionsPage{Store: s.Corrections != nil}
	for i := len(st.snapshots) - 1; i >= 0; i-- {
		if st.snapshots[i].Corrects > 0 {
			p.Fixed = append(p.Fixed, st.snapshots[i])
		}
	}
	var err error
	if p.Store {
		p.Log, err = s.Corrections.List(ctx)
	}
	return p, err
}

func (s *site) corrections(v *visit) (any, error) {
	p, err := s.correctionsData(v, v.State)
	if err != nil {
		return nil, err
	}
	p.Asked.Where = v.Query.Get("where")
	return p, nil
}

// ask is POST /{lang}/corrections.
func (s *site) ask(l *lang) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.Corrections == nil {
			s.fail(w, r, &problem{Status: http.StatusServiceUnavailable, Message: "error.nostore"})
			return
		}
		if !s.asks.Allow() {
			w.Header().Set("Retry-After", "60")
			s.fail(w, r, &problem{Status: http.StatusTooManyRequests, Message: "error.429"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 32<<10)
		if err := r.ParseForm(); err != nil {
			var big *http.MaxBytesError
			status := http.StatusBadRequest
			if errors.As(err, &big) {
				status = http.StatusRequestEntityTooLarge
			}
			s.fail(w, r, &problem{Status: status, Message: "error.form", Cause: err})
			return
		}
		st, err := s.present(r.Context())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		p, err := s.correctionsData(r.Context(), st)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		field := func(name string, least, most int) string {
			x := trim(r.PostForm.Get(name))
			if n := len([]rune(x)); n < least || n > most {
				p.Wrong = append(p.Wrong, name)
			}
			return x
		}
		p.Asked = correction.Request{At: s.Now().UTC(), What: field("what", 10, 4000), Where: field("where", 0, 500), Evidence: field("evidence", 0, 2000), Email: field("email", 0, 200)}
		if p.Asked.Email != "" && !looksLikeEmail(p.Asked.Email) {
			p.Wrong = append(p.Wrong, "email")
		}
		status := http.StatusOK
		if len(p.Wrong) > 0 {
			status = http.StatusUnprocessableEntity
		} else {
			p.Asked.ID = newID()
			if err := s.Corrections.Add(r.Context(), p.Asked); err != nil {
				s.Log.Error("request for correction not stored", "err", err)
				p.Failed, status = true, http.StatusServiceUnavailable
			} else {
				p.Sent, p.Asked = p.Asked.ID, correction.Request{}
				if p.Log, err = s.Corrections.List(r.Context()); err != nil {
					s.Log.Error("requests not read", "err", err)
				}
			}
		}
		v := &visit{Context: r.Context(), Lang: l, Path: "/corrections", r: r, now: s.Now(), State: st}
		b, err := s.render(&view{visit: v, Name: "corrections", Theme: themeOf(r), Data: p, Robots: "noindex"})
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		b.sendStatus(w, r, status)
	}
}
