package validator

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Result is the judgement of several messages and of what lies between them.
type Result struct {
	Messages      []*Report `json:"messages"`
	Conversations []*Report `json:"conversations,omitempty"`
}

// Refused tells whether anything was refused.
func (r *Result) Refused() bool {
	for _, rep := range r.all() {
		if rep.Refused() {
			return true
		}
	}
	return false
}

func (r *Result) all() []*Report {
	return append(append([]*Report{}, r.Messages...), r.Conversations...)
}

// SourceLine is a line of the message that a finding is about, "" when it is
// not at hand.
func (r *Report) SourceLine(f *Finding) string {
	if m := r.messages[f.File]; m != nil {
		return m.Doc.Line(f.Line)
	}
	if r.Message != nil {
		return r.Message.Doc.Line(f.Line)
	}
	return ""
}

// Verdict is the outcome in a few words: "accepted, 1 warning, 113 rules
// passed".
func (r *Report) Verdict() string {
	refusing, warnings, advice := r.Count()
	words := []string{"accepted"}
	if r.Refused() {
		words[0] = "refused"
	}
	for _, c := range []struct {
		n         int
		one, many string
	}{{refusing + r.More, "error", "errors"}, {warnings, "warning", "warnings"}, {advice, "piece of advice", "pieces of advice"}} {
		if c.n > 0 {
			words = append(words, counted(c.n, c.one, c.many))
		}
	}
	if n := len(r.Passed); n > 0 {
		words = append(words, fmt.Sprintf("%d rules passed", n))
	}
	if n := len(r.NotEvaluated); n > 0 {
		words = append(words, fmt.Sprintf("%d not evaluated", n))
	}
	return strings.Join(words, ", ")
}

// Title names the message: its file, its kind and its line.
func (r *Report) Title() string {
	kind := r.Kind.Words()
	if r.messages != nil {
		kind = "between the messages"
	}
	if r.Specification != "" {
		kind += ", " + r.Specification
	}
	if r.Name == "" {
		return kind
	}
	return r.Name + ": " + kind
}

// label is the severity as people read it.
func (f *Finding) label() string {
	if f.Advice {
		return "advice"
	}
	return f.Severity.String()
}

// WriteText writes a report for people: the verdict, then each finding with the
// line it is about and a caret below the place.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Title(), r.Verdict())
	for i := range r.Findings {
		f := &r.Findings[i]
		where := ""
		if f.File != "" {
			where = " in " + f.File
		}
		if f.Line > 0 {
			where += fmt.Sprintf(", line %d, column %d", f.Line, f.Column)
		}
		fmt.Fprintf(&b, "\n  %s %s%s (%s)\n", f.label(), f.Rule, where, f.Cites)
		if line := r.SourceLine(f); line != "" {
			text, caret := excerpt(line, f.Column)
			fmt.Fprintf(&b, "    %5d | %s\n          | %s^\n", f.Line, text, strings.Repeat(" ", caret))
		}
		fmt.Fprintf(&b, "    found     %s\n    expected  %s\n    mend      %s\n", f.Found, f.Expected, f.Mend)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "\n  and %d more findings\n", r.More)
	}
	if len(r.NotEvaluated) > 0 {
		b.WriteString("\n  not evaluated:\n")
		for _, n := range r.NotEvaluated {
			fmt.Fprintf(&b, "    %s: %s\n", n.Rule, n.Why)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "  note, line %d: %s\n", n.Line, n.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// excerpt cuts a long line around the column and tells where the caret goes.
// Control characters are shown as dots, so that a message cannot steer a
// terminal.
func excerpt(line string, column int) (text string, caret int) {
	const width = 100
	runes := []rune(line)
	from := max(0, min(column-1-width/2, len(runes)-width))
	to := min(len(runes), from+width)
	out := runes[from:to:to]
	for i, c := range out {
		switch {
		case c == '\t':
			out[i] = ' '
		case c < ' ' || c >= 0x7f && c < 0xa0:
			out[i] = '·'
		}
	}
	return string(out), max(0, column-1-from)
}

// WriteJSON writes the result as one JSON document.
func (r *Result) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Refused bool `json:"refused"`
		*Result
	}{r.Refused(), r})
}

// The part of JUnit's report format that build servers read.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Skipped *junitSkipped `xml:"skipped,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes a suite for each message and a case for each rule. Only what
// refuses is a failure; warnings and advice are written beside a passed case.
func (r *Result) WriteJUnit(w io.Writer) error {
	var out junitSuites
	for _, rep := range r.all() {
		s := junitSuite{Name: rep.Title()}
		class := rep.Kind.String()
		for i := range rep.Findings {
			f := &rep.Findings[i]
			text := fmt.Sprintf("line %d, column %d %s\nfound: %s\nexpected: %s\nmend: %s\n%s", f.Line, f.Column, f.Path, f.Found, f.Expected, f.Mend, f.Cites)
			c := junitCase{Name: f.Rule, Class: class}
			if f.Refuses() {
				c.Failure = &junitFailure{f.label(), clean(f.Found + "; expected " + f.Expected), clean(text)}
				s.Failures++
			} else {
				c.Output = clean(f.label() + ": " + text)
			}
			s.Cases = append(s.Cases, c)
		}
		for _, n := range rep.NotEvaluated {
			s.Cases = append(s.Cases, junitCase{Name: n.Rule, Class: class, Skipped: &junitSkipped{n.Why}})
			s.Skipped++
		}
		for _, id := range rep.Passed {
			s.Cases = append(s.Cases, junitCase{Name: id, Class: class})
		}
		s.Tests = len(s.Cases)
		out.Suites = append(out.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// clean drops what XML 1.0 cannot hold.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c == 0xFFFE || c == 0xFFFF {
			return '·'
		}
		return c
	}, s)
}

// WriteSARIF writes the findings in SARIF 2.1.0, for editors and code hosts.
func (r *Result) WriteSARIF(w io.Writer) error {
	type text struct {
		Text string `json:"text"`
	}
	type rule struct {
		ID               string `json:"id"`
		ShortDescription text   `json:"shortDescription"`
		Help             text   `json:"help"`
	}
	type region struct {
		StartLine   int `json:"startLine,omitempty"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	type artifact struct {
		URI string `json:"uri"`
	}
	type physical struct {
		ArtifactLocation artifact `json:"artifactLocation"`
		Region           *region  `json:"region,omitempty"`
	}
	type location struct {
		PhysicalLocation physical `json:"physicalLocation"`
	}
	type result struct {
		RuleID    string     `json:"ruleId"`
		Level     string     `json:"level"`
		Message   text       `json:"message"`
		Locations []location `json:"locations"`
	}
	rules, results, known := []rule{}, []result{}, map[string]bool{}
	for _, rep := range r.all() {
		for i := range rep.Findings {
			f := &rep.Findings[i]
			if !known[f.Rule] {
				known[f.Rule] = true
				rules = append(rules, rule{f.Rule, text{f.Expected}, text{f.Mend + " (" + f.Cites + ")"}})
			}
			level := "note"
			switch {
			case f.Refuses():
				level = "error"
			case f.Severity == Warning && !f.Advice:
				level = "warning"
			}
			loc := location{physical{ArtifactLocation: artifact{first(f.File, rep.Name, "message.xml")}}}
			if f.Line > 0 {
				loc.PhysicalLocation.Region = &region{f.Line, f.Column}
			}
			results = append(results, result{f.Rule, level, text{"Found " + f.Found + "; expected " + f.Expected + ". " + f.Mend}, []location{loc}})
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs": []any{map[string]any{
			"tool":    map[string]any{"driver": map[string]any{"name": "oots validate", "rules": rules}},
			"results": results,
		}},
	})
}
