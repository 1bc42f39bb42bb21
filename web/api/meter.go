package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
)

// forever is the lifetime of what never changes.
const forever = "public, max-age=31536000, immutable"

// output is any answer with its lifetime.
type output[T any] struct {
	CacheControl string `header:"Cache-Control"`
	Link         string `header:"Link"`
	Body         T
}

func body[T any](v T) *output[T] { return &output[T]{Body: v} }

// MeterView is the board of one snapshot, with the counts over the countries
// drawn.
type MeterView struct {
	Schema      int                       `json:"schema" doc:"version of this form: 1"`
	Board       acceleratormeter.Board    `json:"board" doc:"groups that are counted"`
	Countries   int                       `json:"countries" doc:"countries that are counted"`
	ByLevel     [6]int                    `json:"by_level" doc:"countries in levels 1 to 6"`
	NotAssessed int                       `json:"not_assessed"`
	Ready       int                       `json:"ready" doc:"countries in level 4 or above"`
	Live        int                       `json:"live" doc:"countries in level 5 or above"`
	Snapshot    acceleratormeter.Snapshot `json:"snapshot" doc:"the published document, as it is hashed and signed"`
}

func (a *api) view(s acceleratormeter.Snapshot) MeterView {
	v := MeterView{Schema: 1, Board: a.Board, Countries: len(a.drawn), Snapshot: s}
	for _, c := range a.drawn {
		switch e := entry(&s, c.Code); {
		case e.Level == 0:
			v.NotAssessed++
		default:
			v.ByLevel[e.Level-1]++
			v.Ready += one(e.Level >= acceleratormeter.TechnicallyReady)
			v.Live += one(e.Level >= acceleratormeter.Live)
		}
	}
	return v
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// entry is the row of a country in a snapshot; level 0 where it has none.
func entry(s *acceleratormeter.Snapshot, code string) acceleratormeter.Entry {
	for _, e := range s.Entries {
		if e.Member == code {
			return e
		}
	}
	return acceleratormeter.Entry{Member: code}
}

// DiffView are the moves between two snapshots.
type DiffView struct {
	Schema int                     `json:"schema"`
	From   SnapshotRef             `json:"from"`
	To     SnapshotRef             `json:"to"`
	Up     int                     `json:"up"`
	Down   int                     `json:"down"`
	Moves  []acceleratormeter.Move `json:"moves" nullable:"false"`
}

// SnapshotRef names a snapshot.
type SnapshotRef struct {
	Sequence    int       `json:"sequence"`
	AsOf        time.Time `json:"as_of"`
	PublishedAt time.Time `json:"published_at"`
	CriteriaSet string    `json:"criteria_set"`
	ContentHash string    `json:"content_hash,omitempty"`
	Corrects    int       `json:"corrects,omitempty" doc:"number of the snapshot that this one repairs"`
	CorrectedBy int       `json:"corrected_by,omitempty" doc:"number of the snapshot that repairs this one; only in the list"`
}

func refer(s *acceleratormeter.Snapshot) SnapshotRef {
	return SnapshotRef{s.Sequence, s.AsOf, s.PublishedAt, s.CriteriaSet, s.ContentHash, s.Corrects, 0}
}

// MemberView is where a country stands and what it still needs.
type MemberView struct {
	Schema    int                      `json:"schema"`
	Country   acceleratormeter.Country `json:"country"`
	Snapshot  SnapshotRef              `json:"snapshot"`
	LevelName string                   `json:"level_name,omitempty"`
	Displayed acceleratormeter.Entry   `json:"displayed" doc:"the row of the snapshot, as displayed then"`
	NextLevel int                      `json:"next_level,omitempty"`
	Needs     []NeedView               `json:"needs" nullable:"false" doc:"what the country still needed for the next level when the snapshot was made"`
}

// NeedView is one criterion that is not met yet.
type NeedView struct {
	Criterion string                    `json:"criterion"`
	Role      ledger.Role               `json:"role"`
	Text      string                    `json:"text"`
	Supplier  acceleratormeter.Supplier `json:"supplier"`
}

// HistoryView is one country through all snapshots.
type HistoryView struct {
	Schema  int                             `json:"schema"`
	Country acceleratormeter.Country        `json:"country"`
	Points  []acceleratormeter.HistoryPoint `json:"points" nullable:"false"`
}

// ListView is a plain list.
type ListView[T any] struct {
	Schema int `json:"schema"`
	Items  []T `json:"items" nullable:"false"`
}

func listed[T any](items []T) *output[ListView[T]] {
	if items == nil {
		items = []T{}
	}
	return body(ListView[T]{1, items})
}

// Needed names generic lists for the OpenAPI document.
type (
	LevelList     = ListView[acceleratormeter.Level]
	CriteriaList  = ListView[acceleratormeter.Criteria]
	MilestoneList = ListView[acceleratormeter.Milestone]
	EventList     = ListView[acceleratormeter.Event]
	SnapshotList  = ListView[SnapshotRef]
	StatisticList = ListView[acceleratormeter.Statistic]
)

type AtInput struct {
	At string `query:"at" maxLength:"40" doc:"as known on a date (2026-06-30), a quarter (2026-Q2) or at a time; empty: now" example:"2026-06-30"`
}

type CodeInput struct {
	Code string `path:"code" maxLength:"10" doc:"EU country code, such as EL for Greece" example:"EL"`
}

// readMeter registers what is read of the meter.
func (a *api) readMeter(h huma.API) {
	huma.Register(h, operation("GET", "/meter", "getMeter", "The board now, or as people saw it on a date", "Meter"),
		func(ctx context.Context, in *AtInput) (*output[MeterView], error) {
			s, _, err := a.displayed(ctx, in.At)
			if err != nil {
				return nil, a.fail(err)
			}
			return body(a.view(*s)), nil
		})
	huma.Register(h, operation("GET", "/meter/{snapshot}", "getSnapshot", "One published snapshot, by its number or a date", "Meter"),
		func(ctx context.Context, in *struct {
			Snapshot string `path:"snapshot" maxLength:"40" doc:"number, or date such as 2026-06-30 or 2026-Q2" example:"12"`
		}) (*output[MeterView], error) {
			s, _, err := a.displayed(ctx, in.Snapshot)
			if err != nil {
				return nil, a.fail(err)
			}
			out := body(a.view(*s))
			if strconv.Itoa(s.Sequence) == in.Snapshot {
				out.CacheControl = forever
			}
			return out, nil
		})
	huma.Register(h, operation("GET", "/snapshots", "listSnapshots", "All published snapshots, oldest first", "Meter"),
		func(ctx context.Context, _ *struct{}) (*output[SnapshotList], error) {
			all, err := a.published(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			refs := make([]SnapshotRef, len(all))
			for i := range all {
				refs[i] = refer(&all[i])
				for k := range refs[:i] {
					if refs[k].Sequence == all[i].Corrects {
						refs[k].CorrectedBy = all[i].Sequence
					}
				}
			}
			return listed(refs), nil
		})
	huma.Register(h, operation("GET", "/meter/diff", "getDiff", "Who moved between two snapshots", "Meter"),
		func(ctx context.Context, in *struct {
			From string `query:"from" maxLength:"40" required:"true" doc:"number or date of the earlier snapshot" example:"2025-Q2"`
			To   string `query:"to" maxLength:"40" doc:"number or date of the later one; empty: the latest" example:"2026-Q2"`
		}) (*output[DiffView], error) {
			from, _, err := a.displayed(ctx, in.From)
			if err != nil {
				return nil, a.fail(err)
			}
			to, _, err := a.displayed(ctx, in.To)
			if err != nil {
				return nil, a.fail(err)
			}
			d := DiffView{Schema: 1, From: refer(from), To: refer(to), Moves: []acceleratormeter.Move{}}
			for _, m := range acceleratormeter.Moves(*from, *to) {
				if !slices.ContainsFunc(a.drawn, func(c acceleratormeter.Country) bool { return c.Code == m.Member }) {
					continue
				}
				d.Moves = append(d.Moves, m)
				d.Up += one(m.To > m.From)
				d.Down += one(m.To < m.From)
			}
			return body(d), nil
		})
	huma.Register(h, operation("GET", "/members/{code}", "getMember", "Where a country stands and what it still needs", "Members"),
		func(ctx context.Context, in *struct {
			CodeInput
			AtInput
		}) (*output[MemberView], error) {
			v, err := a.member(ctx, in.Code, in.At)
			if err != nil {
				return nil, a.fail(err)
			}
			return body(*v), nil
		})
	huma.Register(h, operation("GET", "/members/{code}/history", "getMemberHistory", "A country through all snapshots", "Members"),
		func(ctx context.Context, in *CodeInput) (*output[HistoryView], error) {
			c, err := a.country(in.Code)
			if err != nil {
				return nil, a.fail(err)
			}
			all, err := a.published(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			v := HistoryView{Schema: 1, Country: c, Points: []acceleratormeter.HistoryPoint{}}
			for i := range all {
				v.Points = append(v.Points, acceleratormeter.HistoryPoint{Sequence: all[i].Sequence, AsOf: all[i].AsOf, PublishedAt: all[i].PublishedAt, Entry: entry(&all[i], c.Code)})
			}
			return body(v), nil
		})
	huma.Register(h, operation("GET", "/levels", "listLevels", "The six levels", "Meter"),
		func(context.Context, *struct{}) (*output[LevelList], error) {
			return listed(acceleratormeter.Levels()), nil
		})
	huma.Register(h, operation("GET", "/criteria", "listCriteria", "All sets of criteria that this program knows", "Meter"),
		func(context.Context, *struct{}) (*output[CriteriaList], error) {
			return listed(acceleratormeter.Sets()), nil
		})
	huma.Register(h, operation("GET", "/criteria/{set}", "getCriteria", "One set of criteria with its policy", "Meter"),
		func(_ context.Context, in *struct {
			Set string `path:"set" maxLength:"40" doc:"id of the set" example:"AM-1"`
		}) (*output[acceleratormeter.Criteria], error) {
			c, err := acceleratormeter.FindCriteria(in.Set)
			if err != nil {
				return nil, a.fail(err)
			}
			return body(c), nil
		})
	huma.Register(h, operation("GET", "/milestones", "listMilestones", "First exchanges; a partner is named when both countries agreed", "Meter"),
		func(ctx context.Context, in *AtInput) (*output[MilestoneList], error) {
			at, err := a.instant(ctx, in.At)
			if err != nil {
				return nil, a.fail(err)
			}
			list, err := a.Meter.Milestones(at)
			if err != nil {
				return nil, a.fail(err)
			}
			return listed(list), nil
		})
	huma.Register(h, operation("GET", "/events", "listEvents", "Test events and other dated public facts, newest first", "Events"),
		func(ctx context.Context, in *AtInput) (*output[EventList], error) {
			at, err := a.instant(ctx, in.At)
			if err != nil {
				return nil, a.fail(err)
			}
			return listed(a.Meter.Events(at)), nil
		})
	huma.Register(h, operation("GET", "/stats", "listStatistics", "Published figures with their sources, newest first", "Events"),
		func(ctx context.Context, in *AtInput) (*output[StatisticList], error) {
			at, err := a.instant(ctx, in.At)
			if err != nil {
				return nil, a.fail(err)
			}
			return listed(a.Meter.Statistics(at)), nil
		})
}

// instant reads a date and lets the meter see the newest facts. The zero time
// is now.
func (a *api) instant(ctx context.Context, text string) (time.Time, error) {
	if err := a.Meter.Refresh(ctx); err != nil {
		return time.Time{}, err
	}
	if text == "" {
		return time.Time{}, nil
	}
	return acceleratormeter.ParseInstant(text)
}

// published are the snapshots that everybody may see now, oldest first.
func (a *api) published(ctx context.Context) ([]acceleratormeter.Snapshot, error) {
	all, err := a.Meter.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	all = slices.DeleteFunc(slices.Clone(all), func(s acceleratormeter.Snapshot) bool { return s.PublishedAt.After(now) })
	for i := range all {
		all[i].Proposals = nil // candidate levels are not for everybody
	}
	return all, nil
}

// displayed is the snapshot with a number, or the one that people saw at a
// date; empty: the latest.
func (a *api) displayed(ctx context.Context, asked string) (*acceleratormeter.Snapshot, []acceleratormeter.Snapshot, error) {
	all, err := a.published(ctx)
	if err != nil {
		return nil, nil, err
	}
	if len(all) == 0 {
		return nil, nil, problem(http.StatusNotFound, string(acceleratormeter.UnknownSnapshot), "nothing has been published yet")
	}
	asked = strings.TrimSpace(asked)
	if asked == "" {
		return &all[len(all)-1], all, nil
	}
	if _, err := strconv.Atoi(asked); err == nil {
		s, err := numbered(all, asked)
		return s, all, err
	}
	at, err := acceleratormeter.ParseInstant(asked)
	if err != nil {
		return nil, nil, err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].PublishedAt.After(at) {
			return &all[i], all, nil
		}
	}
	return nil, nil, &acceleratormeter.Error{Code: acceleratormeter.BeforeFirst, Found: asked,
		Hint: "the first snapshot was published on " + all[0].PublishedAt.UTC().Format(time.DateOnly), Valid: dates(all)}
}

// numbered finds a snapshot by its number.
func numbered(all []acceleratormeter.Snapshot, text string) (*acceleratormeter.Snapshot, error) {
	var valid []string
	for i := range all {
		n := strconv.Itoa(all[i].Sequence)
		if n == text {
			return &all[i], nil
		}
		valid = append(valid, n)
	}
	return nil, &acceleratormeter.Error{Code: acceleratormeter.UnknownSnapshot, Found: text, Valid: valid}
}

// dates are the days of publications, each once.
func dates(all []acceleratormeter.Snapshot) []string {
	var out []string
	for _, s := range all {
		out = append(out, s.PublishedAt.UTC().Format(time.DateOnly))
	}
	return slices.Compact(out)
}

// country finds one of the countries drawn.
func (a *api) country(code string) (acceleratormeter.Country, error) {
	c, err := acceleratormeter.FindCountry(code)
	if err != nil {
		return c, err
	}
	if !slices.ContainsFunc(a.drawn, func(d acceleratormeter.Country) bool { return d.Code == c.Code }) {
		var valid []string
		for _, d := range a.drawn {
			valid = append(valid, d.Code)
		}
		return c, &acceleratormeter.Error{Code: acceleratormeter.UnknownCountry, Found: code, Hint: "this board draws the group " + string(a.Board), Valid: valid}
	}
	return c, nil
}

// member puts a country's row beside what it needed for the next level by the
// facts and the criteria of the same snapshot: one data cut.
func (a *api) member(ctx context.Context, code, at string) (*MemberView, error) {
	c, err := a.country(code)
	if err != nil {
		return nil, err
	}
	s, _, err := a.displayed(ctx, at)
	if err != nil {
		return nil, err
	}
	v := &MemberView{Schema: 1, Country: c, Snapshot: refer(s), Displayed: entry(s, c.Code), Needs: []NeedView{}}
	for _, l := range acceleratormeter.Levels() {
		if l.Number == v.Displayed.Level {
			v.LevelName = l.Label
		}
	}
	if v.Displayed.Level == 6 {
		return v, nil
	}
	v.NextLevel = v.Displayed.Level + 1
	if err := a.Meter.Refresh(ctx); err != nil {
		return nil, err
	}
	standing, err := a.Meter.Standing(s.CriteriaSet, c.Code, s.AsOf)
	if err != nil {
		return nil, err
	}
	lead := standing.Lead()
	for _, r := range lead.Results {
		if r.Level != v.NextLevel || r.State != acceleratormeter.Missing || r.Optional {
			continue
		}
		for _, n := range r.Needs {
			v.Needs = append(v.Needs, NeedView{r.Criterion, lead.Role, n.String(), n.Supplier})
		}
	}
	return v, nil
}
