package web

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	pj "github.com/once-only/oots/projectathon"
)

// errForm says that a form asks for something that no page offers.
var errForm = errors.New("this form is not known here; go back and reload the page")

// labHome is GET /{lang}/lab: my work today.
type labHome struct {
	Events []labWork
}

// labWork is an event with what the reader has in it.
type labWork struct {
	Event pj.Event
	Tests []pj.Brief
	Queue int
}

func (s *lab) home(r *reading) (string, any, string, error) {
	events, err := s.c.Events.Events(r.Context())
	if err != nil {
		return "", nil, "", err
	}
	p := &labHome{}
	for _, e := range events {
		if e.State == pj.Draft && r.who.Post != pj.Manager {
			continue
		}
		w := labWork{Event: e}
		if r.who.Country != "" && r.who.Post != pj.Monitor {
			b, err := s.c.Events.Board(r.Context(), e.ID)
			if err != nil {
				return "", nil, "", err
			}
			w.Tests = b.Of(r.who)
			w.Tests = w.Tests[:min(200, len(w.Tests))]
		}
		if r.who.Post == pj.Monitor {
			queue, err := s.c.Events.Queue(r.Context(), r.who, e.ID)
			if err != nil {
				return "", nil, "", err
			}
			w.Queue = len(queue)
		}
		p.Events = append(p.Events, w)
	}
	return "home", p, "", nil
}

// labEvent is GET /{lang}/lab/events/{id}.
type labEvent struct {
	Report        pj.Report
	Registrations []pj.Registration
	Next          pj.EventState
	Chart         template.HTML
}

func (s *lab) event(r *reading) (string, any, string, error) {
	id := r.PathValue("id")
	report, err := s.c.Events.Report(r.Context(), id)
	if err != nil {
		return "", nil, "", err
	}
	p := &labEvent{Report: report, Chart: burnUp(r.lang, report.BurnUp)}
	if report.Event.State == pj.Draft && r.who.Post != pj.Manager {
		return "", nil, "", pj.ErrUnknown
	}
	if r.who.Post == pj.Manager {
		p.Next = report.Event.Next()
	}
	if r.who.May(pj.ReadEvent) == nil {
		if p.Registrations, err = s.c.Events.Registrations(r.Context(), id); err != nil {
			return "", nil, "", err
		}
	}
	live := ""
	if report.Event.State == pj.Live && r.who.May(pj.ReadEvent) == nil {
		live = "/lab/events/" + id + "/changes"
	}
	return "event", p, live, nil
}

// burnUp draws tests planned, run and verified; the table beside it says the same.
func burnUp(l *lang, points []pj.Point) template.HTML {
	if len(points) < 2 {
		return ""
	}
	const wide, high = 600.0, 160.0
	top := max(points[len(points)-1].Planned, 1)
	line := func(class string, of func(pj.Point) int) string {
		var b strings.Builder
		for i, p := range points {
			fmt.Fprintf(&b, "%.1f,%.1f ", 4+(wide-8)*float64(i)/float64(len(points)-1), 4+(high-8)*(1-float64(of(p))/float64(top)))
		}
		return `<polyline class="` + class + `" points="` + strings.TrimSpace(b.String()) + `"/>`
	}
	return template.HTML(`<svg class="burnup" viewBox="0 0 600 160" role="img" aria-label="` + html.EscapeString(l.Text("lab.burnup")) + `">` +
		line("planned", func(p pj.Point) int { return p.Planned }) + line("run", func(p pj.Point) int { return p.Run }) +
		line("verified", func(p pj.Point) int { return p.Verified }) + `</svg>`)
}

// manage is POST /{lang}/lab/events/{id}: the manager's and the coordinators'
// buttons.
func (s *lab) manage(r *reading) (string, error) {
	id := r.PathValue("id")
	back := "/lab/events/" + id
	var err error
	switch do := r.PostFormValue("do"); do {
	case "advance":
		_, err = s.c.Events.AdvanceEvent(r.Context(), r.who, id, pj.EventState(r.PostFormValue("to")))
	case "move":
		_, err = s.c.Events.Move(r.Context(), r.who, id+":"+r.PostFormValue("system"), pj.RegistrationState(r.PostFormValue("to")))
	case "plan":
		_, err = s.c.Events.MakePlan(r.Context(), r.who, id, strings.Fields(r.PostFormValue("cases")), max(1, min(10, atoi(r.PostFormValue("partners")))), max(0, atoi(r.PostFormValue("from"))))
	case "propose":
		var t pj.PeerTest
		if t, err = s.c.Events.Propose(r.Context(), r.who, id, r.PostFormValue("case"), strings.Fields(r.PostFormValue("systems"))...); err == nil {
			back = "/lab/sessions/" + t.ID
		}
	default:
		err = errForm
	}
	return back, err
}

// labMatrix is GET /{lang}/lab/events/{id}/matrix.
type labMatrix struct {
	Event    pj.Event
	Table    template.HTML
	Updated  time.Time
	Pair     [2]string
	Tests    []pj.Brief // of the chosen pair
	Cases    []pj.Case
	Case     string
	OnlyMine bool
	States   []string
}

func (s *lab) matrix(r *reading) (string, any, string, error) {
	if err := r.who.May(pj.ReadEvent); err != nil {
		return "", nil, "", err
	}
	id := r.PathValue("id")
	e, err := s.c.Events.Event(r.Context(), id)
	if err != nil {
		return "", nil, "", err
	}
	b, err := s.c.Events.Board(r.Context(), id)
	if err != nil {
		return "", nil, "", err
	}
	regs, err := s.c.Events.Registrations(r.Context(), id)
	if err != nil {
		return "", nil, "", err
	}
	p := &labMatrix{Event: e, Updated: s.now(), Cases: s.c.Events.Cases, Case: r.URL.Query().Get("case"), OnlyMine: r.URL.Query().Get("mine") != "" && r.who.Country != "",
		States: []string{"verified", "partly", "failed", "running", "waiting", "planned"}}
	var countries []string
	for _, g := range regs {
		if g.State == pj.Admitted && !slices.Contains(countries, g.Country) {
			countries = append(countries, g.Country)
		}
	}
	slices.Sort(countries)
	if a, c, ok := strings.Cut(r.URL.Query().Get("pair"), "-"); ok && slices.Contains(countries, a) && slices.Contains(countries, c) {
		p.Pair, p.Tests = [2]string{a, c}, b.Between(a, c)
	}
	rows := countries
	if p.OnlyMine {
		rows = []string{r.who.Country}
	}
	p.Table = s.eventTable(r.lang, "/"+r.lang.Code+"/lab/events/"+id+"/matrix?case="+template.URLQueryEscaper(p.Case)+"&pair=", b.Matrix(p.Case), rows, countries)
	return "matrix", p, "/lab/events/" + id + "/changes", nil
}

// labLook is how a cell appears: a class for the fill and a glyph.
var labLook = map[string][2]string{"verified": {"y", "✓"}, "partly": {"h", "½"}, "failed": {"x", "✕"}, "running": {"r", "●"}, "waiting": {"w", "?"}, "planned": {"p", "+"}}

// eventTable writes the matrix by hand, as the public one is: rows ask, columns
// answer.
func (s *lab) eventTable(l *lang, href string, cells map[[2]string]pj.Cell, rows, columns []string) template.HTML {
	words := map[string]string{}
	for state := range labLook {
		words[state] = html.EscapeString(l.Text("lab.cell." + state))
	}
	var b strings.Builder
	b.Grow(200 * (len(rows) + 1) * (len(columns) + 1))
	b.WriteString(`<table class="mx"><caption class="vh">` + html.EscapeString(l.Text("lab.matrix.caption")) + `</caption><thead><tr><td></td>`)
	for _, c := range columns {
		b.WriteString(`<th scope="col"><span aria-hidden="true">` + string(s.assets.flag(c)) + c + `</span><span class="vh">` + html.EscapeString(l.Country(c)) + `</span></th>`)
	}
	b.WriteString("</tr></thead><tbody>\n")
	for _, a := range rows {
		b.WriteString(`<tr><th scope="row">` + string(s.assets.flag(a)) + ` ` + html.EscapeString(l.Country(a)) + `</th>`)
		for _, c := range columns {
			if a == c {
				b.WriteString(`<td class="s"></td>`)
				continue
			}
			cell, ok := cells[[2]string{a, c}]
			look := labLook[cell.State]
			if !ok || look[0] == "" {
				b.WriteString(`<td>·</td>`)
				continue
			}
			b.WriteString(`<td class="` + look[0] + `"><a href="` + html.EscapeString(href) + a + `-` + c + `#pair" aria-label="` + a + ` – ` + c + `: ` + words[cell.State] + ` ` + itoa(cell.Verified) + `/` + itoa(cell.All) + `">` + look[1] + `</a></td>`)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString(`</tbody></table>`)
	return template.HTML(b.String())
}

// labQueue is GET /{lang}/lab/events/{id}/verify.
type labQueue struct {
	Event pj.Event
	Tests []pj.Waiting
}

func (s *lab) queue(r *reading) (string, any, string, error) {
	e, err := s.c.Events.Event(r.Context(), r.PathValue("id"))
	if err != nil {
		return "", nil, "", err
	}
	tests, err := s.c.Events.Queue(r.Context(), r.who, e.ID)
	if err != nil {
		return "", nil, "", err
	}
	return "queue", &labQueue{e, tests[:min(len(tests), 200)]}, "/lab/events/" + e.ID + "/changes", nil
}

// labSession is GET /{lang}/lab/sessions/{id}, and what a verification shows.
type labSession struct {
	Test      pj.PeerTest
	Case      pj.Case
	Event     pj.Event
	Mine      bool // the reader acts for a side
	Suggested []pj.Verdict
	Causes    []pj.Cause
	Kinds     []string
}

func (s *lab) readSession(r *reading) (*labSession, error) {
	t, err := s.c.Events.Test(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	p := &labSession{Test: t, Suggested: pj.Suggest(&t), Causes: []pj.Cause{pj.CauseOwn, pj.CausePartner, pj.CauseInfrastructure, pj.CauseSpecification}, Kinds: pj.EvidenceKinds}
	p.Case, _ = s.c.Events.Case(t.Case)
	if p.Event, err = s.c.Events.Event(r.Context(), t.Event); err != nil {
		return nil, err
	}
	for _, side := range t.Sides {
		p.Mine = p.Mine || (r.who.Post == pj.Contact || r.who.Post == pj.Coordinator) && side.Country == r.who.Country
	}
	return p, nil
}

func (s *lab) session(r *reading) (string, any, string, error) {
	p, err := s.readSession(r)
	if err != nil {
		return "", nil, "", err
	}
	return "session", p, "/lab/events/" + p.Test.Event + "/changes", nil
}

// act is POST /{lang}/lab/sessions/{id}: what a team does in a test.
func (s *lab) act(r *reading) (string, error) {
	id, ctx, ev := r.PathValue("id"), r.Context(), s.c.Events
	text := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	back := "/lab/sessions/" + id
	switch text("do") {
	case "accept":
		return back, ev.Accept(ctx, r.who, id)
	case "advance":
		return back, ev.Advance(ctx, r.who, id, pj.PeerState(text("to")), pj.Cause(text("cause")), text("note"))
	case "mark":
		return back, ev.MarkStep(ctx, r.who, id, text("step"), text("state"))
	case "say":
		return back, ev.Say(ctx, r.who, id, text("step"), text("text"))
	case "noshow":
		return back, ev.NoShow(ctx, r.who, id, text("system"))
	case "appeal":
		return back, ev.Appeal(ctx, r.who, id, text("reasons"))
	case "attach":
		file, head, err := r.FormFile("file")
		if err != nil {
			return back, errors.New("choose a file first")
		}
		defer file.Close()
		octets, err := io.ReadAll(io.LimitReader(file, 8<<20+1))
		if err != nil {
			return back, err
		}
		media := head.Header.Get("Content-Type")
		if len(media) > 100 || media == "" {
			media = "application/octet-stream"
		}
		return back, ev.Attach(ctx, r.who, id, pj.Item{Kind: text("kind"), MediaType: media, Step: text("step"), Confidentiality: text("confidentiality")}, octets)
	}
	return back, errForm
}

// evidence is GET …/evidence/{digest}: always a download, so that nothing in it
// can run.
func (s *lab) evidence(w http.ResponseWriter, r *http.Request, l *lang) {
	it, octets, err := s.c.Events.Open(r.Context(), s.account(r), r.PathValue("id"), r.PathValue("digest"))
	if err != nil {
		s.failed(w, r, l, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Disposition", `attachment; filename="`+it.Kind+"-"+it.SHA256[:12]+`"`)
	_, _ = w.Write(octets) // the reader may be gone
}

func (s *lab) verification(r *reading) (string, any, string, error) {
	if err := r.who.May(pj.ReadQueue); err != nil {
		return "", nil, "", err
	}
	p, err := s.readSession(r)
	return "verify", p, "", err
}

// verify is POST /{lang}/lab/verify/{id}: what a monitor does.
func (s *lab) verify(r *reading) (string, error) {
	id, ctx, ev := r.PathValue("id"), r.Context(), s.c.Events
	back := "/lab/verify/" + id
	var verdicts []pj.Verdict
	for i := range 3 {
		n := itoa(i)
		system := r.PostFormValue("system" + n)
		if system == "" {
			continue
		}
		v := pj.Verdict{System: system, Outcome: pj.PeerState(r.PostFormValue("outcome" + n))}
		for j, a := range strings.Fields(r.PostFormValue("failing" + n)) {
			if v.Outcome != pj.Verified && j < 50 && len(a) <= 80 {
				v.Failing = append(v.Failing, pj.Failing{Assertion: a, Cause: pj.Cause(r.PostFormValue("cause" + n))})
			}
		}
		verdicts = append(verdicts, v)
	}
	switch r.PostFormValue("do") {
	case "claim":
		return back, ev.Claim(ctx, r.who, id)
	case "back":
		return back, ev.GiveBack(ctx, r.who, id)
	case "grade":
		return back, ev.Grade(ctx, r.who, id, verdicts)
	case "second":
		return back, ev.SecondLook(ctx, r.who, id, verdicts)
	case "resolve":
		return back, ev.Resolve(ctx, r.who, id, verdicts)
	case "confirm":
		return back, ev.Resolve(ctx, r.who, id, nil)
	case "say":
		return back, ev.Say(ctx, r.who, id, r.PostFormValue("step"), r.PostFormValue("text"))
	}
	return back, errForm
}

func (s *lab) publicReport(r *http.Request) (pj.Report, error) {
	report, err := s.c.Events.Report(r.Context(), r.PathValue("id"))
	if err == nil && report.Event.State != pj.Closed && report.Event.State != pj.Reported {
		err = s.account(r).May(pj.ReadDraft)
	}
	return report, err
}

func (s *lab) report(r *reading) (string, any, string, error) {
	report, err := s.publicReport(r.Request)
	return "report", &report, "", err
}

func (s *lab) countryReport(r *reading) (string, any, string, error) {
	report, err := s.c.Events.ReportFor(r.Context(), r.who, r.PathValue("id"), strings.ToUpper(r.PathValue("cc")))
	return "country", &report, "", err
}

// labVault is a secret of the vault.
type labVault struct{ Event, System, Text string }

func (s *lab) vault(r *reading) (string, any, string, error) {
	text, err := s.c.Events.Reveal(r.Context(), r.who, r.PathValue("id"), r.PathValue("system"))
	return "vault", &labVault{r.PathValue("id"), r.PathValue("system"), text}, "", err
}

func (s *lab) keepSecret(r *reading) (string, error) {
	days := max(1, min(90, atoi(r.PostFormValue("days"))))
	return "/lab/events/" + r.PathValue("id") + "/vault/" + r.PathValue("system"),
		s.c.Events.KeepSecret(r.Context(), r.who, r.PathValue("id"), r.PathValue("system"), r.PostFormValue("text"), s.now().AddDate(0, 0, days))
}

// CauseOf is the cause that a suggested verdict names, for the form.
func (p *labSession) CauseOf(v pj.Verdict) string {
	if len(v.Failing) == 0 {
		return string(pj.CauseOwn)
	}
	return string(v.Failing[0].Cause)
}
