package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/access"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/webhook"
)

var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// meter is a Meter of three published snapshots that keeps the two-person rule.
type meter struct {
	published []acceleratormeter.Snapshot
	open      map[string]acceleratormeter.Snapshot
	refreshed int
	broken    error // what publishing is refused with
}

func newMeter() *meter {
	m := &meter{open: map[string]acceleratormeter.Snapshot{}}
	for i, levels := range [][2]int{{0, 1}, {3, 4}, {4, 4}} {
		at := time.Date(2026, time.Month(2+3*i), 1, 0, 0, 0, 0, time.UTC)
		s := acceleratormeter.Snapshot{Schema: 1, ID: fmt.Sprintf("s%d", i+1), State: acceleratormeter.Published, Sequence: i + 1, AsOf: at, PublishedAt: at, CriteriaSet: "AM-1",
			Entries: []acceleratormeter.Entry{{Member: "EL", Level: levels[0], Since: at}, {Member: "AT", Level: levels[1], Since: at}, {Member: "NO", Level: 6}}}
		if i == 2 {
			s.Corrects = 2
		}
		m.published = append(m.published, s)
	}
	return m
}

func (m *meter) Refresh(context.Context) error { m.refreshed++; return nil }
func (m *meter) Snapshots(context.Context) ([]acceleratormeter.Snapshot, error) {
	return m.published, nil
}
func (m *meter) Standing(set, country string, _ time.Time) (acceleratormeter.Standing, error) {
	s := acceleratormeter.Standing{Country: country, Set: set, Role: ledger.Provider}
	s.Provider = acceleratormeter.RoleStanding{Role: ledger.Provider, Level: 4, Results: []acceleratormeter.Result{
		{Criterion: "AM5.2", Level: 5, State: acceleratormeter.Missing, Needs: []acceleratormeter.Need{{Key: "x", Supplier: acceleratormeter.ByCountry}}},
		{Criterion: "AM5.4", Level: 5, State: acceleratormeter.Missing, Optional: true},
		{Criterion: "AM6.2", Level: 6, State: acceleratormeter.Missing},
	}}
	return s, nil
}
func (m *meter) Events(time.Time) []acceleratormeter.Event {
	return []acceleratormeter.Event{{ID: "projectathon-5", Title: "Projectathon 5", At: now}}
}
func (m *meter) Statistics(time.Time) []acceleratormeter.Statistic          { return nil }
func (m *meter) Milestones(time.Time) ([]acceleratormeter.Milestone, error) { return nil, nil }
func (m *meter) Get(_ context.Context, id string) (acceleratormeter.Snapshot, error) {
	for _, s := range m.published {
		if s.ID == id || fmt.Sprint(s.Sequence) == id {
			return s, nil
		}
	}
	if s, ok := m.open[id]; ok {
		return s, nil
	}
	return acceleratormeter.Snapshot{}, &acceleratormeter.Error{Code: acceleratormeter.UnknownSnapshot, Found: id}
}
func (m *meter) Open(context.Context) ([]acceleratormeter.Snapshot, error) {
	var out []acceleratormeter.Snapshot
	for _, s := range m.open {
		out = append(out, s)
	}
	return out, nil
}
func (m *meter) Draft(_ context.Context, o acceleratormeter.DraftOrder) (acceleratormeter.Snapshot, error) {
	if o.Corrects > 0 && o.Reason == "" {
		return acceleratormeter.Snapshot{}, &acceleratormeter.Error{Code: acceleratormeter.ReasonNeeded, Found: "a correction needs a reason"}
	}
	s := acceleratormeter.Snapshot{ID: "d1", State: acceleratormeter.Draft, DraftedBy: o.By, Corrects: o.Corrects,
		Proposals: []acceleratormeter.Proposal{{Member: "EL", Published: 4, Computed: 5}}}
	m.open[s.ID] = s
	return s, nil
}
func (m *meter) Approve(ctx context.Context, id, by string) (acceleratormeter.Snapshot, error) {
	s, err := m.Get(ctx, id)
	if err == nil && s.DraftedBy == by {
		err = &acceleratormeter.Error{Code: acceleratormeter.SamePerson, Found: by + " drafted it"}
	}
	s.State, s.ApprovedBy = acceleratormeter.Approved, by
	if err == nil {
		m.open[id] = s
	}
	return s, err
}
func (m *meter) Publish(ctx context.Context, id, by string) (acceleratormeter.Snapshot, error) {
	s, err := m.Get(ctx, id)
	if m.broken != nil {
		return s, m.broken
	}
	if err == nil && s.ApprovedBy == by {
		err = &acceleratormeter.Error{Code: acceleratormeter.SamePerson, Found: by + " approved it"}
	}
	if err != nil {
		return s, err
	}
	s.State, s.PublishedBy, s.Sequence, s.PublishedAt = acceleratormeter.Published, by, len(m.published)+1, now
	m.published = append(m.published, s)
	delete(m.open, id)
	return s, nil
}

// world is a running API.
type world struct {
	http.Handler
	t      testing.TB
	meter  *meter
	ledger *ledger.Ledger
	tokens *access.Memory
}

func start(t testing.TB, change ...func(*Config)) *world {
	private, err := ledger.NewKey(nil, "meter.example")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, meter: newMeter(), tokens: &access.Memory{},
		ledger: ledger.New(ledger.Config{Store: &ledger.Memory{}, Key: key, Now: func() time.Time { return now }})}
	c := Config{Meter: w.meter, Ledger: w.ledger, Tokens: w.tokens, Webhooks: &webhook.Memory{}, BaseURL: "https://meter.example", Board: acceleratormeter.BoardEUEEA, Now: func() time.Time { return now }}
	for _, f := range change {
		f(&c)
	}
	if w.Handler, err = New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// token makes a token for an owner.
func (w *world) token(owner string, scopes ...access.Scope) string {
	w.t.Helper()
	_, text, err := access.Create(context.Background(), w.tokens, nil, now, owner, time.Hour, scopes...)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// call makes a request; header is name, value, name, value.
func (w *world) call(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

func decode[T any](t testing.TB, rec *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, rec.Body)
	}
	return v
}

const event = `{"id":"ev/1","kind":"public_event","subject":{},"asserter":"operator","happened_at":"2024-11-20T00:00:00Z","body":{"title":"Projectathon 5","source":"news"}}`
const nomination = `{"id":"n:1","kind":"nomination","subject":{"country":"EL"},"asserter":"ms:EL","happened_at":"2026-11-01T00:00:00Z","body":{"function":"coordinator"}}`
const blocker = `{"id":"b1","kind":"blocker","subject":{"country":"EL"},"asserter":"ms:EL","happened_at":"2026-11-01T00:00:00Z","body":{"severity":"blocking","reason":"secret"}}`

func (w *world) filled() *world {
	w.t.Helper()
	tok := w.token("operator", access.ImportFacts)
	if rec := w.call("POST", "/api/v1/facts", "["+event+","+nomination+","+blocker+"]", "Authorization", "Bearer "+tok); rec.Code != 201 {
		w.t.Fatalf("append: %d %s", rec.Code, rec.Body)
	}
	return w
}

func TestEveryReadingAddressAnswers(t *testing.T) {
	w := start(t).filled()
	for path, want := range map[string]string{
		"/meter": `"ready":3,"live":1`, "/meter/2": `"sequence":2`, "/meter/2026-Q2": `"sequence":2`, "/meter?at=2026-06-30": `"sequence":2`,
		"/snapshots": `"corrected_by":3`, "/meter/diff?from=1&to=2": `"up":2`,
		"/members/EL": `"AM5.2"`, "/members/el/history": `"points":[{"sequence":1`, "/levels": "Technically ready", "/criteria": `"AM-1"`, "/criteria/AM-1": `"AM4.2"`,
		"/milestones": `"items":[]`, "/events": "projectathon-5", "/stats": `"items":[]`,
		"/facts": `"n:1"`, "/facts/ev%2F1": `"Projectathon 5"`, "/facts/ev/1": `"Projectathon 5"`, "/facts/ev/1/proof": `"id":"ev/1"`, "/facts/ev%2F1/proof": `"id":"ev/1"`, "/facts/n:1/proof": `"leaf":"{`, "/checkpoint": `"size":3`, "/checkpoint/consistency?from=1": `"to":3`,
	} {
		rec := w.call("GET", "/api/v1"+path, "")
		if rec.Code != 200 || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %d, want %s in %.400s", path, rec.Code, want, rec.Body)
		}
		h := rec.Header()
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Etag") == "" || !strings.Contains(h.Get("Content-Type"), "json") {
			t.Errorf("%s: headers %v", path, h)
		}
		if strings.HasPrefix(h.Get("Etag"), "W/") {
			t.Errorf("%s: the entity tag is weak", path)
		}
		if rec := w.call("GET", "/api/v1"+path, "", "If-None-Match", h.Get("Etag")); rec.Code != 304 || rec.Body.Len() != 0 {
			t.Errorf("%s: %d with its own entity tag, want 304", path, rec.Code)
		}
		if rec := w.call("HEAD", "/api/v1"+path, ""); rec.Code != 200 || rec.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d with %d octets", path, rec.Code, rec.Body.Len())
		}
	}
}

func TestANumberedSnapshotNeverChanges(t *testing.T) {
	w := start(t)
	for path, want := range map[string]string{
		"/meter/1": "public, max-age=31536000, immutable", "/meter": "public, max-age=60", "/meter/2026-Q2": "public, max-age=60",
	} {
		if got := w.call("GET", "/api/v1"+path, "").Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", path, got, want)
		}
	}
}

func TestAWrongQuestionGetsTheValidChoices(t *testing.T) {
	w := start(t).filled()
	for _, c := range []struct {
		path   string
		status int
		code   string
		want   []string
	}{
		{"/members/GR", 404, "unknown-country", []string{"use EL", `"valid":["BE","BG"`}},
		{"/members/XX/history", 404, "unknown-country", []string{`"EL"`}},
		{"/criteria/AM-9", 404, "unknown-criteria-set", []string{`"AM-1"`}},
		{"/meter/99", 404, "unknown-snapshot", []string{`"valid":["1","2","3"]`}},
		{"/meter/2020-Q1", 404, "before-first-snapshot", []string{"2026-02-01"}},
		{"/meter/yesterday", 400, "bad-date", nil},
		{"/facts?kind=rumour", 400, "unknown-kind", []string{`"nomination"`}},
		{"/facts/none", 404, "unknown-fact", []string{"/api/v1/facts"}},
		{"/facts/n:1/proof?size=99", 422, "refused-fact", []string{"3 entries"}},
		{"/checkpoint/consistency?from=9", 422, "refused-fact", []string{"1 to 3"}},
		{"/facts?limit=0", 422, "", []string{"query.limit"}},
		{"/facts?colour=red", 422, "", []string{"colour"}},
		{"/nothing", 404, "unknown-address", []string{"/openapi.json"}},
	} {
		rec := w.call("GET", "/api/v1"+c.path, "")
		p := decode[Problem](t, rec)
		if rec.Code != c.status || p.Status != c.status || p.Code != c.code || p.Detail == "" || rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %s", c.path, rec.Code, rec.Header().Get("Content-Type"), rec.Body)
		}
		if rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: an error may be kept: %q", c.path, rec.Header().Get("Cache-Control"))
		}
		for _, want := range c.want {
			if !strings.Contains(rec.Body.String(), want) {
				t.Errorf("%s: %s is not in %s", c.path, want, rec.Body)
			}
		}
	}
}

// Two publications on one day are one choice.
func TestADayIsOfferedOnce(t *testing.T) {
	w := start(t)
	w.meter.published = slices.Insert(w.meter.published, 1, w.meter.published[0])
	day := w.meter.published[0].PublishedAt.Format(`"2006-01-02"`)
	if body := w.call("GET", "/api/v1/meter/2020-Q1", "").Body.String(); strings.Count(body, day) != 1 {
		t.Errorf("%s should stand once in %s", day, body)
	}
}

func TestABoardOfTheEUDoesNotCountNorway(t *testing.T) {
	w := start(t, func(c *Config) { c.Board = acceleratormeter.BoardEU })
	if v := decode[MeterView](t, w.call("GET", "/api/v1/meter", "")); v.Countries != 27 || v.Live != 0 || v.Ready != 2 || v.NotAssessed != 25 {
		t.Errorf("%+v", v)
	}
	if rec := w.call("GET", "/api/v1/members/NO", ""); rec.Code != 404 || strings.Contains(rec.Body.String(), `"NO"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestFactsTurnPages(t *testing.T) {
	w := start(t).filled()
	v := decode[FactsView](t, w.call("GET", "/api/v1/facts?country=EL&limit=1", ""))
	if len(v.Facts) != 1 || v.Facts[0].Fact.ID != "n:1" || v.Next == nil || *v.Next != 2 {
		t.Fatalf("first page %+v", v)
	}
	v = decode[FactsView](t, w.call("GET", fmt.Sprintf("/api/v1/facts?country=EL&limit=1&from=%d", *v.Next), ""))
	if len(v.Facts) != 1 || v.Facts[0].Fact.ID != "b1" || v.Next != nil {
		t.Fatalf("second page %+v", v)
	}
}

func TestABlockerShowsAsExistingOnly(t *testing.T) {
	w := start(t).filled()
	for _, path := range []string{"/facts", "/facts/b1", "/facts/b1/proof"} {
		if rec := w.call("GET", "/api/v1"+path, ""); rec.Code != 200 || strings.Contains(rec.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	p := decode[ProofView](t, w.call("GET", "/api/v1/facts/b1/proof", ""))
	leaf, err := tlog.ParseHash(p.LeafHash)
	if err != nil || p.Leaf != "" {
		t.Fatalf("leaf %q, hash %v", p.Leaf, err)
	}
	var path tlog.RecordProof
	for _, h := range p.Path {
		path = append(path, tlog.Hash(h))
	}
	if err := tlog.CheckRecord(path, p.TreeSize, tlog.Hash(p.RootHash), p.Position, leaf); err != nil {
		t.Errorf("the proof of a withheld fact does not hold: %v", err)
	}
}

func TestABatchIsAllOrNothingAndIdempotent(t *testing.T) {
	w := start(t)
	auth := "Bearer " + w.token("operator", access.ImportFacts)
	bad := strings.Replace(nomination, `"EL"`, `"GR"`, 1)
	rec := w.call("POST", "/api/v1/facts", "["+event+","+bad+"]", "Authorization", auth)
	p := decode[Problem](t, rec)
	if rec.Code != 422 || p.Code != "refused-fact" || len(p.Errors) != 1 || p.Errors[0].Location != "body[1].subject.country" || !strings.Contains(p.Detail, "EL") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if v := decode[CheckpointView](t, w.call("GET", "/api/v1/checkpoint", "")); v.Size != 0 {
		t.Errorf("%d facts were appended by a refused batch", v.Size)
	}
	for i, want := range []string{`"added":1,"known":0`, `"added":0,"known":1`} {
		if rec := w.call("POST", "/api/v1/facts", event+"\n\n", "Authorization", auth, "Content-Type", "application/x-ndjson"); rec.Code != 201-i || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("time %d: %d %s", i, rec.Code, rec.Body)
		}
	}
	changed := strings.Replace(event, "Projectathon 5", "Projectathon 6", 1)
	if rec := w.call("POST", "/api/v1/facts", "["+changed+"]", "Authorization", auth); rec.Code != 422 {
		t.Errorf("a known id with other content: %d %s", rec.Code, rec.Body)
	}
	for _, c := range []struct {
		body, kind string
		status     int
	}{
		{"{", "application/json", 400}, {"[] []", "application/json", 400}, {"[]", "application/json", 422}, {"[1]", "application/json", 422},
		{event, "text/csv", 415}, {"", "application/json", 400}, {"\n\n", "application/jsonl", 422},
	} {
		if rec := w.call("POST", "/api/v1/facts", c.body, "Authorization", auth, "Content-Type", c.kind); rec.Code != c.status {
			t.Errorf("%q as %s: %d, want %d: %s", c.body, c.kind, rec.Code, c.status, rec.Body)
		}
	}
	if rec := w.call("POST", "/api/v1/facts", "["+strings.Repeat(" ", mostBody)+"]", "Authorization", auth, "Content-Type", "application/json"); rec.Code != 413 {
		t.Errorf("a body over the limit: %d", rec.Code)
	}
}

func TestATokenOpensOnlyItsOwnDoors(t *testing.T) {
	w := start(t)
	greece := "Bearer " + w.token("ms:EL", access.WriteFacts)
	officer := "Bearer " + w.token("commission:1", access.ApproveSnapshot)
	for _, c := range []struct {
		name, auth, path, body string
		status                 int
		code                   string
	}{
		{"no token", "", "/facts", "[" + nomination + "]", 401, "token"},
		{"no bearer", "Basic abc", "/facts", "[" + nomination + "]", 401, "token"},
		{"nonsense", "Bearer oots_x", "/facts", "[" + nomination + "]", 401, "token"},
		{"unknown", "Bearer oots_" + strings.Repeat("A", 43), "/facts", "[" + nomination + "]", 401, "token"},
		{"wrong scope", officer, "/facts", "[" + nomination + "]", 403, "scope"},
		{"own fact", greece, "/facts", "[" + nomination + "]", 201, ""},
		{"another country's fact", greece, "/facts", "[" + strings.ReplaceAll(nomination, "EL", "AT") + "]", 403, "foreign-asserter"},
		{"a verification of its own", greece, "/facts", "[" + strings.Replace(strings.Replace(nomination, `"asserter"`, `"verifier":"commission","asserter"`, 1), "n:1", "n:2", 1) + "]", 403, "foreign-verifier"},
		{"its own time of record", greece, "/facts", "[" + strings.Replace(strings.Replace(nomination, `"asserter"`, `"recorded_at":"2020-01-01T00:00:00Z","asserter"`, 1), "n:1", "n:3", 1) + "]", 422, "refused-fact"},
		{"a draft without scope", officer, "/snapshots", "{}", 403, "scope"},
	} {
		rec := w.call("POST", "/api/v1"+c.path, c.body, "Authorization", c.auth, "Content-Type", "application/json")
		p := decode[Problem](t, rec)
		if rec.Code != c.status || c.code != "" && p.Code != c.code {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
		if c.status == 401 && rec.Header().Get("Www-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", c.name)
		}
	}
	if v := decode[CheckpointView](t, w.call("GET", "/api/v1/checkpoint", "")); v.Size != 1 {
		t.Errorf("the ledger has %d facts, want one", v.Size)
	}
	silent := start(t, func(c *Config) { c.Tokens = nil })
	if rec := silent.call("POST", "/api/v1/facts", "["+event+"]"); rec.Code != 403 || !strings.Contains(rec.Body.String(), "oots facts import") {
		t.Errorf("a site that takes nothing in: %d %s", rec.Code, rec.Body)
	}
}

func TestPublishingTakesTwoOwners(t *testing.T) {
	w := start(t)
	all := []access.Scope{access.DraftSnapshot, access.ApproveSnapshot, access.PublishSnapshot}
	first, second := "Bearer "+w.token("commission:1", all...), "Bearer "+w.token("commission:2", all...)
	again := "Bearer " + w.token("commission:1", all...) // another token of the same owner
	for _, c := range []struct {
		name, auth, path, body string
		status                 int
		want                   string
	}{
		{"draft", first, "/snapshots", `{"note":"second half"}`, 201, `"proposals":[{"member":"EL"`},
		{"approve by the drafter", first, "/snapshots/d1/approve", "", 403, "same-person"},
		{"approve by the drafter's other token", again, "/snapshots/d1/approve", "", 403, "same-person"},
		{"approve", second, "/snapshots/d1/approve", "", 200, `"approved"`},
		{"publish by the approver", second, "/snapshots/d1/publish", "", 403, "same-person"},
		{"publish", first, "/snapshots/d1/publish", "", 200, `"sequence":4`},
		{"correct without a reason", first, "/snapshots/4/correct", "{}", 422, "reason-needed"},
		{"correct", first, "/snapshots/4/correct", `{"reason":"a wrong date"}`, 201, `"corrects":4`},
		{"correct a draft", first, "/snapshots/d1/correct", `{"reason":"x"}`, 201, `"corrects":4`}, // d1 was published as 4
		{"approve what is not there", second, "/snapshots/zz/approve", "", 404, "unknown-snapshot"},
		{"a field that does not exist", first, "/snapshots", `{"level":6}`, 422, "level"},
	} {
		rec := w.call("POST", "/api/v1"+c.path, c.body, "Authorization", c.auth, "Content-Type", "application/json")
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s: %d, want %d and %s: %s", c.name, rec.Code, c.status, c.want, rec.Body)
		}
	}
	rec := w.call("GET", "/api/v1/drafts", "", "Authorization", second)
	if rec.Code != 200 || rec.Header().Get("Cache-Control") != "private, no-store" {
		t.Errorf("drafts: %d %v", rec.Code, rec.Header())
	}
	if rec := w.call("GET", "/api/v1/drafts", ""); rec.Code != 401 {
		t.Errorf("drafts are open to everybody: %d", rec.Code)
	}
	if rec := w.call("GET", "/api/v1/meter", ""); strings.Contains(rec.Body.String(), "proposals") {
		t.Error("the public document tells proposals")
	}
}

// Nothing is published over a ledger that was changed by hand, and the answer
// names the entry.
func TestNothingIsPublishedOverABrokenLedger(t *testing.T) {
	w := start(t)
	w.meter.broken = &acceleratormeter.Error{Code: acceleratormeter.LedgerBroken, Found: "the ledger does not verify: entry 7 is missing"}
	rec := w.call("POST", "/api/v1/snapshots/d1/publish", "", "Authorization", "Bearer "+w.token("commission:1", access.PublishSnapshot))
	if body := rec.Body.String(); rec.Code != 409 || !strings.Contains(body, `"ledger-broken"`) || !strings.Contains(body, "entry 7 is missing") {
		t.Errorf("%d %s", rec.Code, body)
	}
}

func TestEverybodyManagesTheirOwnWebhooks(t *testing.T) {
	w := start(t)
	mine, theirs := "Bearer "+w.token("operator", access.ManageWebhooks), "Bearer "+w.token("ms:EL", access.ManageWebhooks)
	rec := w.call("POST", "/api/v1/webhooks", `{"url":"https://else.example/in"}`, "Authorization", mine, "Content-Type", "application/json")
	made := decode[WebhookView](t, rec)
	if rec.Code != 201 || !strings.HasPrefix(made.Secret, "whsec_") || made.Told != 3 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	for _, c := range []struct {
		name, method, path, body, auth string
		status                         int
		want, not                      string
	}{
		{"mine, without its secret", "GET", "/webhooks", "", mine, 200, made.ID, "whsec_"},
		{"theirs", "GET", "/webhooks", "", theirs, 200, `"items":[]`, made.ID},
		{"somebody else's", "DELETE", "/webhooks/" + made.ID, "", theirs, 404, "unknown-webhook", ""},
		{"no token", "DELETE", "/webhooks/" + made.ID, "", "", 401, "token", ""},
		{"not https", "POST", "/webhooks", `{"url":"http://else.example/in"}`, mine, 422, "https://", ""},
		{"mine is removed", "DELETE", "/webhooks/" + made.ID, "", mine, 204, "", ""},
		{"twice", "DELETE", "/webhooks/" + made.ID, "", mine, 404, "unknown-webhook", ""},
	} {
		rec := w.call(c.method, "/api/v1"+c.path, c.body, "Authorization", c.auth, "Content-Type", "application/json")
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) || c.not != "" && strings.Contains(rec.Body.String(), c.not) {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
}

func TestTooManyRequestsWait(t *testing.T) {
	w := start(t, func(c *Config) { c.ReadRate, c.ReadBurst, c.WriteRate, c.WriteBurst = 1, 3, 1, 2 })
	for i := range 4 {
		rec := w.call("GET", "/api/v1/levels", "")
		if want := map[bool]int{true: 200, false: 429}[i < 3]; rec.Code != want {
			t.Errorf("call %d: %d, want %d", i, rec.Code, want)
		}
		if rec.Code == 429 && (rec.Header().Get("Retry-After") != "1" || decode[Problem](t, rec).Code != "too-many-requests") {
			t.Errorf("%v %s", rec.Header(), rec.Body)
		}
	}
	r := httptest.NewRequest("GET", "/api/v1/levels", nil)
	r.RemoteAddr = "[2001:db8::1]:999"
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if rec.Code != 200 {
		t.Errorf("another address: %d", rec.Code)
	}
}

func TestPreflightAllowsReadingOnly(t *testing.T) {
	rec := start(t).call("OPTIONS", "/api/v1/meter", "", "Origin", "https://else.example", "Access-Control-Request-Method", "GET")
	if rec.Code != 204 || rec.Header().Get("Access-Control-Allow-Methods") != "GET, HEAD" || strings.Contains(rec.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	if rec := start(t).call("POST", "/api/v1/facts", "[]"); rec.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("writing is open to other sites")
	}
}

func TestDocumentsDescribeWhatThereIs(t *testing.T) {
	w := start(t)
	for path, version := range map[string]string{"/openapi.json": "3.1.", "/openapi-3.0.json": "3.0."} {
		rec := w.call("GET", path, "")
		doc := decode[struct {
			OpenAPI string
			Paths   map[string]map[string]any
		}](t, rec)
		if !strings.HasPrefix(doc.OpenAPI, version) || len(doc.Paths) < 20 {
			t.Errorf("%s: version %s with %d paths", path, doc.OpenAPI, len(doc.Paths))
		}
		for _, want := range []string{"meter", "meter/{snapshot}", "meter/diff", "members/{code}", "members/{code}/history", "levels", "criteria/{set}", "milestones",
			"events", "stats", "facts", "facts/{id}", "facts/{id}/proof", "checkpoint", "checkpoint/consistency", "snapshots/{id}/approve", "snapshots/{id}/publish", "snapshots/{id}/correct"} {
			if doc.Paths["/api/v1/"+want] == nil {
				t.Errorf("%s lacks /api/v1/%s", path, want)
			}
		}
	}
	page := w.call("GET", "/docs", "").Body.String()
	for _, want := range []string{"GET /api/v1/members/{code}", `href="/api/v1/members/EL"`, "POST /api/v1/facts", "facts:write"} {
		if !strings.Contains(page, want) {
			t.Errorf("/docs lacks %s", want)
		}
	}
	for _, foreign := range []string{"<script", "http://", "cdn", "unpkg"} {
		if strings.Contains(page, foreign) {
			t.Errorf("/docs has %s", foreign)
		}
	}
}

func TestSpecReferencesResolve(t *testing.T) {
	raw := start(t).call("GET", "/openapi.json", "").Body.Bytes()
	var doc struct {
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for _, part := range bytes.Split(raw, []byte(`"$ref":"#/components/schemas/`))[1:] {
		name, _, _ := strings.Cut(string(part), `"`)
		if doc.Components.Schemas[name] == nil {
			t.Errorf("the schema %s is referred to and not there", name)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"at=2026-Q2", "from=1&to=2", "limit=5&country=el", "at=%ff&at=", "since=2026-01-01T00:00:00Z&from=-1", "kind=p2p;x"} {
		f.Add(s)
	}
	w := start(f, func(c *Config) { c.ReadRate, c.ReadBurst = 1e9, 1<<30 })
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/meter", "/meter/diff", "/members/EL", "/facts", "/checkpoint/consistency"} {
			r := httptest.NewRequest("GET", "/api/v1"+path, nil)
			r.URL.RawQuery = query
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, r)
			if rec.Code >= 500 || !json.Valid(rec.Body.Bytes()) {
				t.Errorf("%s?%q: %d %s", path, query, rec.Code, rec.Body)
			}
		}
	})
}

func FuzzFactsBody(f *testing.F) {
	f.Add("application/json", []byte("["+event+"]"))
	f.Add("application/x-ndjson", []byte(event+"\n"+nomination))
	f.Add("application/json", []byte(`[{"id":1}]`))
	f.Fuzz(func(t *testing.T, kind string, raw []byte) {
		facts, err := readFacts(kind, raw)
		if (err == nil) != (len(facts) > 0) {
			t.Errorf("%d facts and %v", len(facts), err)
		}
		for _, fact := range facts {
			if ledger.Check(fact) != nil {
				t.Errorf("a fact came through that the ledger refuses: %+v", fact)
			}
		}
	})
}

func BenchmarkMeter(b *testing.B)  { benchmark(b, "/api/v1/meter") }
func BenchmarkMember(b *testing.B) { benchmark(b, "/api/v1/members/EL") }
func BenchmarkProof(b *testing.B)  { benchmark(b, "/api/v1/facts/n:1/proof") }
func BenchmarkLevels(b *testing.B) { benchmark(b, "/api/v1/levels") }

func benchmark(b *testing.B, path string) {
	w := start(b, func(c *Config) { c.ReadRate, c.ReadBurst = 1e9, 1<<30 }).filled()
	r := httptest.NewRequest("GET", path, nil)
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code != 200 {
			b.Fatal(rec.Code, rec.Body)
		}
	}
}
