package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"time"

	pj "github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/testbed"
)

// labRun is GET /{lang}/lab/runs/{id}: a job, live while it is played.
type labRun struct {
	Job      *testbed.Job
	Sentence template.HTML
	Counts   []labCount
	Results  []*testbed.Run
	Rest     int  // cases without a result
	Mine     bool // the reader may stop it
	Again    bool // and play it again: its system is attached here
	Inside   bool // the reader sees messages and what was found
	Before   []testbed.Job
	With     *testbed.Job // compared with
	Changes  []testbed.Change
	Share    string
}

// job finds the run of the address, as far as the reader may know of it.
func (s *lab) job(r *http.Request, who pj.Account, id string) (*testbed.Job, error) {
	if s.c.Tests == nil {
		return nil, pj.ErrUnknown
	}
	if err := who.May(pj.ReadRuns); err != nil {
		return nil, err
	}
	j, err := s.c.Tests.Store.Job(r.Context(), id)
	if err != nil {
		return nil, err
	}
	return j, who.MayFor(pj.ReadRuns, j.System, j.Country)
}

// withheld is a run for those who see results and nothing of what was sent.
func withheld(run *testbed.Run) *testbed.Run {
	out := *run
	out.Why, out.Messages, out.Steps = "", nil, slices.Clone(run.Steps)
	for i := range out.Steps {
		out.Steps[i].Found = ""
	}
	return &out
}

// reportOf is the report of a job as the reader may have it.
func (s *lab) reportOf(r *http.Request, who pj.Account, j *testbed.Job, whole bool) (*testbed.Report, error) {
	inside := who.MayFor(pj.ReadMessages, j.System, j.Country) == nil
	report, err := s.c.Tests.Report(r.Context(), j, whole && inside)
	if err != nil || inside {
		return report, err
	}
	for i, run := range report.Runs {
		report.Runs[i] = withheld(run)
	}
	return report, nil
}

func (s *lab) run(r *reading) (string, any, string, error) {
	j, err := s.job(r.Request, r.who, r.PathValue("id"))
	if err != nil {
		return "", nil, "", err
	}
	report, err := s.reportOf(r.Request, r.who, j, false)
	if err != nil {
		return "", nil, "", err
	}
	by := map[testbed.Result]int{}
	for _, run := range report.Runs {
		by[run.Result]++
	}
	p := &labRun{Job: j, Sentence: sentence(r.lang, j), Counts: counted(by), Results: report.Runs, Rest: len(j.Cases) - len(report.Runs),
		Mine: r.who.MayFor(pj.PlaySuites, j.System, j.Country) == nil, Inside: r.who.MayFor(pj.ReadMessages, j.System, j.Country) == nil,
		Share: s.base.String() + "/" + r.lang.Code + "/lab/runs/" + j.ID}
	if p.Mine {
		switch system, err := s.c.Tests.System(r.Context(), j.System); {
		case err == nil:
			p.Again = system.Country == j.Country
		case !errors.Is(err, testbed.ErrUnknown):
			return "", nil, "", err
		}
	}
	if p.Before, err = s.c.Tests.Before(r.Context(), j, 20); err != nil {
		return "", nil, "", err
	}
	if with := r.URL.Query().Get("with"); with != "" {
		if p.With, err = s.job(r.Request, r.who, with); err != nil {
			return "", nil, "", err
		}
		before, err := s.reportOf(r.Request, r.who, p.With, false)
		if err != nil {
			return "", nil, "", err
		}
		p.Changes = testbed.Compare(before, report)
	}
	live := ""
	if j.Open() {
		live = fmt.Sprintf("/lab/runs/%s/events?lang=%s&after=%d.%d", j.ID, r.lang.Code, len(report.Runs), len(j.Notes))
	}
	return "run", p, live, nil
}

// sentence says how far a job is: "14 of 52 checks, about 2 minutes left".
func sentence(l *lang, j *testbed.Job) template.HTML {
	pairs := []any{"done", j.Done, "n", len(j.Cases)}
	left := j.Left()
	switch {
	case j.State == testbed.Queued:
		return l.T("lab.run.waits", pairs...)
	case !j.Open():
		return l.T("lab.run.over", pairs...)
	case left == 0:
		return l.T("lab.run.begins", pairs...)
	case left < time.Minute:
		return l.T("lab.run.seconds", pairs...)
	}
	return l.T("lab.run.minutes", append(pairs, "minutes", int(left.Round(time.Minute)/time.Minute))...)
}

// steer is POST /{lang}/lab/runs/{id}: stop, or play again.
func (s *lab) steer(r *reading) (string, error) {
	j, err := s.job(r.Request, r.who, r.PathValue("id"))
	if err != nil {
		return "", err
	}
	switch r.PostFormValue("do") {
	case "stop":
		if err := r.who.MayFor(pj.PlaySuites, j.System, j.Country); err != nil {
			return "", err
		}
		if !j.Open() {
			return "", errors.New("this run is over already")
		}
		if err := s.c.Events.Note(r.Context(), r.who, pj.PlaySuites, j.ID, "stopped"); err != nil {
			return "", err
		}
		return "/lab/runs/" + j.ID, s.c.Tests.Stop(r.Context(), j.ID)
	case "again":
		return s.start(r, testbed.JobOrder{System: j.System, Line: j.Line, What: j.Cases, Of: j.ID}, j.Country)
	}
	return "", errors.New("this form is not known here; go back and reload the page")
}

// reportForms are the files of a report by their names in the address.
var reportForms = map[string]struct {
	media string
	write func(*testbed.Report, http.ResponseWriter) error
}{
	"report.html": {"text/html; charset=utf-8", func(r *testbed.Report, w http.ResponseWriter) error { return r.WriteHTML(w) }},
	"report.json": {"application/json", func(r *testbed.Report, w http.ResponseWriter) error { return r.WriteJSON(w) }},
	"report.xml":  {"application/xml", func(r *testbed.Report, w http.ResponseWriter) error { return r.WriteJUnit(w) }},
}

// runFile is GET /{lang}/lab/runs/{id}/{file}: the report, always a download.
func (s *lab) runFile(w http.ResponseWriter, r *http.Request, l *lang) {
	who := s.account(r)
	j, err := s.job(r, who, r.PathValue("id"))
	form, known := reportForms[r.PathValue("file")]
	if err == nil && !known {
		err = pj.ErrUnknown
	}
	var report *testbed.Report
	if err == nil {
		report, err = s.reportOf(r, who, j, r.PathValue("file") != "report.xml")
	}
	if err != nil {
		s.failed(w, r, l, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", form.media)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h.Set("Content-Disposition", `attachment; filename="`+safeName(j.System+"-"+j.ID)+"-"+r.PathValue("file")+`"`)
	_ = form.write(report, w) // the reader may be gone
}

// safeName keeps of a text what every file system takes.
func safeName(s string) string {
	out := []byte(cut(s, 80))
	for i, c := range out {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-') {
			out[i] = '_'
		}
	}
	return string(out)
}

// runEvents is GET /lab/runs/{id}/events, the stream of a job: step, progress,
// note and done, each with an id after which a reader who comes back goes on; a
// comment every 15 seconds. It ends with the job, and says 204 to a reader who
// has seen the end.
func (s *lab) runEvents(w http.ResponseWriter, r *http.Request) {
	l := s.langs[0]
	for _, x := range s.langs {
		if x.Code == r.URL.Query().Get("lang") {
			l = x
		}
	}
	j, err := s.job(r, s.account(r), r.PathValue("id"))
	var denied *pj.Denied
	switch {
	case errors.As(err, &denied):
		http.Error(w, "you may not watch this run", http.StatusForbidden)
		return
	case err != nil:
		http.NotFound(w, r)
		return
	}
	last := r.URL.Query().Get("after")
	if seen := r.Header.Get("Last-Event-ID"); seen != "" {
		last = seen
	}
	events, err := s.c.Tests.Since(r.Context(), j.ID, last)
	if err != nil {
		http.Error(w, "the run cannot be read just now", http.StatusServiceUnavailable)
		return
	}
	if len(events) == 0 && !j.Open() {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.stream(w, r, func() (text string, more bool) {
		if events == nil {
			if events, err = s.c.Tests.Since(r.Context(), j.ID, last); err != nil {
				return "", false
			}
		}
		more = true
		for _, e := range events {
			last, more = e.ID, e.Name != "done"
			text += "id: " + e.ID + "\nevent: " + e.Name + "\ndata: " + eventData(l, e) + "\n\n"
		}
		events = nil
		return text, more
	})
}

// eventData is what an event says, as JSON on one line: numbers for machines,
// and the sentence for people.
func eventData(l *lang, e testbed.Event) string {
	data := map[string]any{"done": e.Job.Done, "of": len(e.Job.Cases), "state": e.Job.State, "text": plainText(sentence(l, e.Job))}
	switch {
	case e.Run != nil:
		data = map[string]any{"case": e.Run.Case, "result": e.Run.Result, "took_ms": e.Run.Took.Milliseconds()}
	case e.Note != nil:
		data = map[string]any{"note": e.Note.What, "text": l.Text("lab.note." + e.Note.What)}
	}
	raw, err := json.Marshal(data)
	if err != nil { // strings and numbers only
		return "{}"
	}
	return string(raw)
}
