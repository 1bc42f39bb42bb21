package web

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/sdg"
)

// newUUID is a random UUID in lower case (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// clerkHistoryPage is GET and POST /{lang}/clerk/history: the country's
// revisions, or what one of them changed (?n=, ?with= to compare).
type clerkHistoryPage struct {
	Revisions []lcm.Revision
	Older     int // number to ask for what came before
	Newest    int

	One     *lcm.Revision
	With    int
	Changes []lcm.Change
	Faults  []lcm.Fault // why it cannot be restored
	Done    bool
}

func (p *clerkHistoryPage) refused() bool { return len(p.Faults) > 0 }

const revisionsShown = 50

func (d *directory) clerkHistory(v *visit) (any, error) {
	m, err := d.own(v)
	if err != nil {
		return nil, err
	}
	country := v.clerk().Country
	p := &clerkHistoryPage{Done: v.Query.Get("done") != ""}
	before, _ := strconv.Atoi(v.Query.Get("before"))
	if p.Revisions, err = m.Revisions(v, country, max(before, 0), revisionsShown); err != nil {
		return nil, err
	}
	if len(p.Revisions) == revisionsShown {
		p.Older = p.Revisions[revisionsShown-1].Number
	}
	if newest, err := m.Revisions(v, country, 0, 1); err == nil && len(newest) > 0 {
		p.Newest = newest[0].Number
	}
	if !v.Query.Has("n") {
		return p, nil
	}
	n, _ := strconv.Atoi(v.Query.Get("n"))
	return p, d.compare(v, m, p, n, v.Query.Get("with"))
}

// compare fills the page with one revision and what it changed.
func (d *directory) compare(v *visit, m *lcm.LifecycleManager, p *clerkHistoryPage, n int, with string) (err error) {
	country := v.clerk().Country
	p.One, err = m.At(v, country, n)
	if errors.Is(err, lcm.ErrNoRevision) || err == nil && p.One.Number != n {
		return &problem{Status: http.StatusNotFound, Message: "error.404"}
	}
	if err != nil {
		return err
	}
	if p.With, err = strconv.Atoi(with); err != nil || p.With < 0 {
		p.With = n - 1
	}
	p.Changes, err = m.Compare(v, country, p.With, n)
	return err
}

// clerkRestore is POST /{lang}/clerk/history: the revision n again.
func (d *directory) clerkRestore(v *visit) (any, error) {
	m, err := d.own(v)
	if err != nil {
		return nil, err
	}
	v.r.Body = http.MaxBytesReader(nil, v.r.Body, 4<<10)
	n, err := strconv.Atoi(v.r.PostFormValue("n"))
	if err != nil {
		return nil, &problem{Status: http.StatusBadRequest, Message: "error.form", Cause: err}
	}
	_, err = m.Restore(v, v.author(lcm.ByRestore), v.clerk().Country, n)
	var refused *lcm.Refusal
	switch {
	case errors.As(err, &refused):
		p := &clerkHistoryPage{Faults: refused.Faults}
		return p, d.compare(v, m, p, n, "")
	case errors.Is(err, lcm.ErrNoRevision):
		return nil, &problem{Status: http.StatusNotFound, Message: "error.404"}
	case err != nil:
		return nil, err
	}
	return nil, &redirect{To: "/" + v.Lang.Code + "/clerk/history?done=1", Status: http.StatusSeeOther}
}

// clerkFilesPage is GET and POST /{lang}/clerk/files: export and import.
type clerkFilesPage struct {
	Tables []lcm.Table
	Lines  []lcm.Line
	Based  int
	What   string
	Faults []lcm.Fault
	More   int
	Trial  []lcm.Change // what the file would change
	Tried  bool
	Done   *lcm.Revision
	Wrong  string // message key
}

func (p *clerkFilesPage) refused() bool { return len(p.Faults) > 0 || p.Wrong != "" }

func (d *directory) clerkFiles(v *visit) (any, error) {
	m, err := d.own(v)
	if err != nil {
		return nil, err
	}
	return &clerkFilesPage{Tables: lcm.Tables(), Lines: lcm.Lines(), Based: m.DataSet().Revision}, nil
}

// clerkExport is GET /clerk/export/{file}: {table}.csv or lcm.xml?line=.
func (d *directory) clerkExport(w http.ResponseWriter, r *http.Request) {
	var who Clerk
	ok := false
	if d.cfg.Clerks != nil {
		who, ok = d.cfg.Clerks.Clerk(r)
	}
	if !ok {
		d.fail(w, r, &problem{Status: http.StatusForbidden, Message: "clerk.out"})
		return
	}
	m, err := d.cfg.Own(r.Context(), who.Country)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	part, file := m.Part(who.Country), r.PathValue("file")
	var raw []byte
	media := "text/csv; charset=utf-8"
	if name, is := strings.CutSuffix(file, ".csv"); is && lcm.TableNamed(name) != nil {
		raw, err = lcm.TableNamed(name).CSV(part)
	} else if file == "lcm.xml" {
		line := lcm.Line(r.URL.Query().Get("line"))
		if !slices.Contains(lcm.Lines(), line) {
			line = lcm.V20
		}
		media = "application/x-ebrs+xml"
		raw, _, err = lcm.Encode(part, lcm.EncodeOptions{ID: "urn:uuid:" + newUUID(), Line: line, Label: m.DataSet().Label})
	} else {
		err = &problem{Status: http.StatusNotFound, Message: "error.404"}
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Disposition", `attachment; filename="`+who.Country+"-"+file+`"`)
	newBody(media, raw).send(w, r)
}

// clerkImport is POST /{lang}/clerk/files: a file as the clerk's next part; do
// is try or import.
func (d *directory) clerkImport(v *visit) (any, error) {
	m, err := d.own(v)
	if err != nil {
		return nil, err
	}
	v.r.Body = http.MaxBytesReader(v.Value(writerKey{}).(http.ResponseWriter), v.r.Body, 17<<20)
	if err := v.r.ParseMultipartForm(17 << 20); err != nil {
		return nil, &problem{Status: http.StatusRequestEntityTooLarge, Message: "clerk.files.toolarge", Cause: err}
	}
	p := &clerkFilesPage{Tables: lcm.Tables(), Lines: lcm.Lines(), What: v.r.FormValue("what")}
	p.Based, _ = strconv.Atoi(v.r.FormValue("based"))
	raw, err := fileOf(v.r)
	if err != nil || len(raw) == 0 {
		p.Wrong = "clerk.files.nothing"
		return p, nil
	}
	country := v.clerk().Country
	part := m.Part(country)
	try := v.r.FormValue("do") != "import"
	var next *cs.Contribution
	var refused *lcm.Refusal
	if t := lcm.TableNamed(p.What); t != nil {
		if next, p.Faults = t.ReplaceCSV(part, raw); len(p.Faults) > 0 {
			return p, nil
		}
		refused = m.Examine(next)
	} else if next, err = m.Try(country, raw); !errors.As(err, &refused) && err != nil {
		return nil, err
	}
	if refused != nil {
		p.Faults, p.More = refused.Faults, refused.More
		return p, nil
	}
	if try {
		p.Tried, p.Trial = true, lcm.Diff(part, next)
		return p, nil
	}
	p.Done, err = m.Replace(v, v.author(lcm.ByImport), p.Based, next)
	switch {
	case errors.As(err, &refused):
		p.Faults, p.More = refused.Faults, refused.More
	case errors.Is(err, cs.ErrConflict):
		p.Wrong = "clerk.conflict"
	case err != nil:
		return nil, err
	}
	p.Based = m.DataSet().Revision
	return p, nil
}

func fileOf(r *http.Request) ([]byte, error) {
	f, _, err := r.FormFile("file")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, f)
	return b.Bytes(), err
}

// clerkAnswersPage is GET /{lang}/clerk/answers: what the directories answer
// about this country, as served.
type clerkAnswersPage struct {
	Line         string
	Lines        []cs.Line
	Procedures   []clerkOption
	Requirements []clerkOption
	Types        []clerkOption
	Answers      []clerkAnswer
}

// clerkAnswer is one answer in full.
type clerkAnswer struct {
	Path string
	XML  string
	Cut  int // octets that are not shown
}

const mostAnswer = 100 << 10

func (d *directory) clerkAnswers(v *visit) (any, error) {
	m, err := d.own(v)
	if err != nil {
		return nil, err
	}
	country := v.clerk().Country
	part := m.Part(country)
	p := &clerkAnswersPage{Lines: cs.Lines(), Line: v.Query.Get("line")}
	if !slices.Contains(cs.Lines(), cs.Line(p.Line)) {
		p.Line = string(cs.V20)
	}
	choose := func(name string, c lcm.Column) []clerkOption {
		out := d.references(v, m, part, c)
		for i := range out {
			out[i].On = out[i].Value == v.Query.Get(name)
		}
		return out
	}
	p.Requirements = choose("requirement", lcm.Column{List: lcm.RequirementTable})
	p.Types = choose("type", lcm.Column{List: "evidence-types"})
	for _, f := range part.Frameworks {
		for _, code := range f.Procedures {
			if !slices.ContainsFunc(p.Procedures, func(o clerkOption) bool { return o.Value == code }) {
				p.Procedures = append(p.Procedures, clerkOption{code, code, code == v.Query.Get("procedure")})
			}
		}
	}
	for _, ask := range []struct{ value, kind string }{{v.Query.Get("procedure"), "procedures"}, {v.Query.Get("requirement"), "requirements"}, {v.Query.Get("type"), "data-services"}} {
		if ask.value != "" {
			p.Answers = append(p.Answers, answer(m.Catalogue(), cs.Line(p.Line), country, ask.kind, ask.value))
		}
	}
	return p, nil
}

// answer asks a catalogue one of the three queries about a country.
func answer(c *cs.Catalogue, line cs.Line, country, kind, value string) clerkAnswer {
	q := url.Values{"country-code": {country}}
	service := cs.EvidenceBroker
	if label := c.DataSet().Label; label != "" && line == cs.V20 {
		value = strings.Replace(value, "https://sr.", "https://sr."+label+".", 1)
	}
	switch kind {
	case "procedures":
		q.Set("queryId", cs.QueryRequirements)
		q.Set("procedure-id", value)
	case "requirements":
		q.Set("queryId", cs.QueryEvidenceTypes)
		q.Set("requirement-id", value)
	default:
		service = cs.DataServiceDirectory
		q.Set("queryId", cs.QueryDataServices)
		q.Set("evidence-type-classification", value)
	}
	body := c.Answer(service, string(line), q.Encode())
	a := clerkAnswer{Path: "/" + string(service) + "/rest/search?" + q.Encode()}
	if over := len(body) - mostAnswer; over > 0 {
		a.Cut, body = over, body[:mostAnswer]
	}
	a.XML = strings.ToValidUTF8(string(body), "")
	return a
}

// answersOf are the answers in which a row stands, as they would be with the
// clerk's draft.
func (d *directory) answersOf(v *visit, m *lcm.LifecycleManager, t *lcm.Table, next *cs.Contribution, row lcm.Row) []clerkAnswer {
	draft, err := cs.NewCatalogue(m.DataSet().With(next))
	if err != nil {
		return nil
	}
	country := v.clerk().Country
	var out []clerkAnswer
	ask := func(kind, value string) {
		if value != "" && len(out) < 4 {
			out = append(out, answer(draft, cs.V20, country, kind, value))
		}
	}
	types := func(records []string) {
		for _, id := range records {
			for _, r := range next.Records {
				if r.ID == id {
					ask("data-services", r.Classification)
				}
			}
		}
	}
	lines := func(s string) []string { return strings.Split(s, "\n") }
	switch t.Name {
	case "procedures":
		ask("procedures", row["procedure"])
	case "requirements":
		for _, r := range lines(row["requirements"]) {
			ask("requirements", r)
		}
	case "evidence-types":
		for _, l := range next.Lists {
			if slices.ContainsFunc(l.Types, func(a string) bool { return a == row["id"] || strings.HasSuffix(a, "/"+row["id"]) }) {
				ask("requirements", l.Requirements[0])
			}
		}
	case "data-services":
		ask("data-services", row["type"])
	case "providers", "questions":
		types(lines(row["services"]))
	case "access-points":
		for _, p := range next.Providers {
			if slices.ContainsFunc(p.AccessServices, func(s sdg.Identifier) bool { return s.Value == row["identifier"] }) {
				types(p.Records)
			}
		}
	}
	return out
}
