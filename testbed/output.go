package testbed

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

func openNote(signed []byte, public string) (string, error) {
	v, err := note.NewVerifier(public)
	if err != nil {
		return "", fmt.Errorf("the public key cannot be read: %w", err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return "", fmt.Errorf("the report is not signed with this key: %w", err)
	}
	return n.Text, nil
}

// words say a result to people.
var words = map[Result]string{Pass: "passed", Warnings: "passed with warnings", Fail: "failed", Broken: "platform error", Unsupported: "not supported",
	NotApplicable: "not applicable", NeedsReview: "needs review", Cancelled: "stopped", Running: "running", Waiting: "waiting"}

// WriteText writes a report for people: a line a case, more for what did not
// pass, and the sum.
func (r *Report) WriteText(w io.Writer) error {
	for _, run := range r.Runs {
		if run.Result == NotApplicable {
			continue
		}
		fmt.Fprintf(w, "%-12s %-22s %s\n", run.Case, words[run.Result], run.Title)
		if run.Why != "" && run.Result != Pass {
			fmt.Fprintf(w, "%13s%s\n", "", run.Why)
		}
	}
	for _, o := range r.Outcomes() {
		fmt.Fprintf(w, "%s: %s\n", o.Suite, words[o.Result])
	}
	for _, text := range r.Warnings {
		fmt.Fprintf(w, "Warning: %s\n", text)
	}
	_, err := fmt.Fprintf(w, "%d passed, %d failed, %d not supported, %d to review, %d platform errors, %d not applicable (%s, catalogue %s)\n",
		r.Count(Pass, Warnings), r.Count(Fail), r.Count(Unsupported), r.Count(NeedsReview), r.Count(Broken), r.Count(NotApplicable), r.Line, r.Catalogue)
	return err
}

// WriteJSON writes the whole report.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
	Warnings string      `xml:"system-err,omitempty"`
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	Time    string     `xml:"time,attr"`
	Failure *junitText `xml:"failure"`
	Error   *junitText `xml:"error"`
	Skipped *junitText `xml:"skipped"`
	Output  string     `xml:"system-out,omitempty"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report for build pipelines: a fail is a failure, a
// platform error an error, what was not judged is skipped.
func (r *Report) WriteJUnit(w io.Writer) error {
	var doc junitSuites
	for _, o := range r.Outcomes() {
		s := junitSuite{Name: o.Suite, Tests: len(o.Runs), Warnings: clean(strings.Join(r.Warnings, "\n"))}
		var took time.Duration
		for _, run := range o.Runs {
			took += run.Took
			c := junitCase{Name: run.Case + " " + run.Title, Class: o.Suite, Time: seconds(run.Took), Output: steps(run)}
			text := &junitText{Message: clean(run.Why), Text: clean(steps(run))}
			switch run.Result {
			case Fail:
				c.Failure = text
				s.Failures++
			case Broken, Cancelled:
				c.Error = text
				s.Errors++
			case Unsupported, NotApplicable, NeedsReview, Waiting:
				c.Skipped = &junitText{Message: words[run.Result] + ": " + clean(run.Why)}
				s.Skipped++
			}
			s.Cases = append(s.Cases, c)
		}
		s.Time = seconds(took)
		doc.Suites = append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// clean leaves out what XML cannot say.
func clean(s string) string { return strings.ToValidUTF8(s, "?") }

func steps(run *Run) string {
	var b strings.Builder
	for _, s := range run.Steps {
		fmt.Fprintf(&b, "%s: %s %s\n", s.Step, s.Result, s.Found)
	}
	return clean(b.String())
}

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"words": func(r Result) string { return words[r] },
	"text":  func(b []byte) string { return strings.ToValidUTF8(string(b), "?") },
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Test report: {{.System}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d5d9de;vertical-align:top}pre{overflow:auto;background:#f3f4f6;padding:.6rem;font-size:13px}.fail,.error{color:#a4161a;font-weight:600}.pass,.pass_with_warnings{color:#1a6334}@media(prefers-color-scheme:dark){body{color:#e7e9ec;background:#14171a}pre{background:#1f2429}td,th{border-color:#3a4149}.fail,.error{color:#ff8f8f}.pass,.pass_with_warnings{color:#7fd69b}}</style></head>
<body><main><h1>{{.System}}</h1>
<p>{{if .Country}}{{.Country}}, {{end}}component {{.Component}} {{.Version}}, {{.Line}}, catalogue {{.Catalogue}}, data set {{.DataSet}}, {{.Made.Format "2006-01-02 15:04"}} UTC</p>
{{range .Warnings}}<p class="fail">Warning: {{.}}</p>
{{end}}<table><thead><tr><th scope="col">Suite</th><th scope="col">Result</th><th scope="col">Cases</th></tr></thead><tbody>
{{range .Outcomes}}<tr><th scope="row">{{.Suite}}</th><td class="{{.Result}}">{{words .Result}}</td><td>{{len .Runs}}</td></tr>
{{end}}</tbody></table>
{{range .Runs}}{{if ne .Result "not_applicable"}}<section><h2>{{.Case}} {{.Title}}</h2><p class="{{.Result}}">{{words .Result}}{{if .Why}}: {{.Why}}{{end}}</p>
<details><summary>Steps and messages</summary><ol>{{range .Steps}}<li><code>{{.Step}}</code> <span class="{{.Result}}">{{words .Result}}</span> {{.Found}}</li>{{end}}</ol>
{{range .Messages}}<h3>{{if .Sent}}The platform sent{{else}}The system sent{{end}} {{.Action}} {{.Name}}</h3><p><code>SHA-256 {{.SHA256}}</code>, {{.Size}} octets, {{.At}}</p>{{if .Findings}}<ul>{{range .Findings}}<li>{{.}}</li>{{end}}</ul>{{end}}<pre>{{text .Body}}</pre>{{end}}
</details></section>
{{end}}{{end}}</main></body></html>
`))

// WriteHTML writes the report as one page that needs nothing else.
func (r *Report) WriteHTML(w io.Writer) error { return page.Execute(w, r) }
