package validator

import (
	"cmp"
	"slices"
)

// Finding is one thing that is not as a rule asks, where it is and how to mend
// it. Found and Path may carry personal data of the message: show them to whoever
// brought the message, never log them.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// Advice tells that the rule is uncertain for this line: the finding refuses
	// nothing, whatever its severity.
	Advice bool `json:"advice,omitempty"`
	// File is the name of the message, for findings of a conversation.
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`   // from 1; 0 when the finding is about no place
	Column   int    `json:"column,omitempty"` // in characters, from 1
	Path     string `json:"path,omitempty"`   // such as /query:QueryRequest/rim:Slot[3]
	Found    string `json:"found"`
	Expected string `json:"expected"`
	Mend     string `json:"mend"`
	Cites    string `json:"cites"`
}

// Refuses tells whether this finding alone makes the message unacceptable.
func (f *Finding) Refuses() bool { return f.Severity == Fatal && !f.Advice }

// NotEvaluated is a rule that could not be judged, and why.
type NotEvaluated struct {
	Rule string `json:"rule"`
	Why  string `json:"why"`
}

// Note is something about the message that is no finding.
type Note struct {
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
}

// Report is the judgement of one message, or of one conversation.
type Report struct {
	Name string `json:"name,omitempty"` // of the message, as its caller calls it
	// Kind and Line are those the message was judged by, detected or told.
	Kind  Kinds `json:"kind"`
	Lines Lines `json:"line,omitempty"`
	// Specification is the identifier of the line, such as "oots-edm:v1.2".
	Specification string `json:"specification,omitempty"`
	// Findings are sorted: what refuses first, then by place.
	Findings []Finding `json:"findings"`
	// More counts findings beyond Config.MaxFindings, which are not listed.
	More         int            `json:"more,omitempty"`
	NotEvaluated []NotEvaluated `json:"notEvaluated,omitempty"`
	Notes        []Note         `json:"notes,omitempty"`
	// Passed are the rules that found their context and nothing wrong in it.
	Passed []string `json:"passed,omitempty"`

	// Message is what was judged; nil when it could not be read.
	Message *Message `json:"-"`
	// messages are those of a conversation, by name.
	messages map[string]*Message
}

// Refused tells whether any finding makes the message unacceptable.
func (r *Report) Refused() bool {
	if r.More > 0 {
		return true
	}
	for i := range r.Findings {
		if r.Findings[i].Refuses() {
			return true
		}
	}
	return false
}

// Has tells whether a rule of that id found something.
func (r *Report) Has(rule string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Rule == rule })
}

// Count returns the findings that refuse, the warnings (WARNING and CAUTION)
// and the advice.
func (r *Report) Count() (refusing, warnings, advice int) {
	for i := range r.Findings {
		switch f := &r.Findings[i]; {
		case f.Advice:
			advice++
		case f.Severity == Fatal:
			refusing++
		default:
			warnings++
		}
	}
	return
}

// rank orders findings: what refuses, then warnings, cautions, advice.
func (f *Finding) rank() int {
	if f.Advice {
		return 4
	}
	return int(f.Severity)
}

func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule))
	})
}
