package lcm

import (
	"fmt"
	"strings"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/xmltree"
)

// Code is a code of the list LCMErrorCodes.
type Code string

const (
	BadObject      Code = "LCM:ERR:0001" // a registry object does not comply
	BadAssociation Code = "LCM:ERR:0002" // an association does not comply
	BadSubmission  Code = "LCM:ERR:0003" // the submission as a whole fails: unresolved references, another country, unreadable
)

// labels are the short @message of each code (TDD 3.6.3).
var labels = map[Code]string{
	BadObject:      "Invalid registry object",
	BadAssociation: "Invalid association",
	BadSubmission:  "Invalid data set",
}

// Rules that no published list numbers; they are ours.
const (
	RuleReadable   = "X-LCM-READ-01" // the document can be read
	RuleReferences = "X-LCM-CHK-01"  // checkReferences is true and references resolve
	RuleCountry    = "X-LCM-MS-01"   // own country only
	RuleWhole      = "X-LCM-ATOM-01" // the country's data hold together afterwards
	RuleVersion    = "MS-CLASS-SUB"  // versions of code lists
)

// Fault is one thing that is wrong with a submission.
type Fault struct {
	Code   Code
	Rule   string // id of the rule, such as R-EB-SUB-S038
	Object string // @id of the registry object, or the key of a table's row; "" for the submission itself
	Line   int    // where it stands, from 1; 0 when it came by no document
	Column int
	Text   string // what was found and what to do
}

func (f Fault) String() string {
	var b strings.Builder
	if f.Object != "" {
		b.WriteString(f.Object + ": ")
	}
	b.WriteString(f.Text)
	if f.Rule != "" && !strings.Contains(f.Text, f.Rule) {
		b.WriteString(" (" + f.Rule + ")")
	}
	if f.Line > 0 {
		fmt.Fprintf(&b, ", line %d, column %d", f.Line, f.Column)
	}
	return b.String()
}

// Refusal is why a submission changes nothing. The zero RequestID stands for
// one that could not be read.
type Refusal struct {
	RequestID string
	Faults    []Fault // one at least; bounded by mostFaults
	More      int     // faults beyond those
	Foreign   bool    // an object belongs to another country
}

// mostFaults bounds what a refusal names.
const mostFaults = 1000

func (r *Refusal) Error() string {
	n := len(r.Faults) + r.More
	return fmt.Sprintf("the submission is refused for %d reason(s), the first: %s", n, r.Faults[0])
}

// add keeps a fault, up to the bound.
func (r *Refusal) add(f Fault) {
	if len(r.Faults) >= mostFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, f)
}

// at is a fault at an element.
func at(code Code, rule, object string, e *xmltree.Element, format string, args ...any) Fault {
	f := Fault{Code: code, Rule: rule, Object: object, Text: fmt.Sprintf(format, args...)}
	if e != nil {
		p := e.Pos()
		f.Line, f.Column = p.Line, p.Column
	}
	return f
}

// Success is the answer to an accepted submission (R-LCM-SUC).
func Success(requestID string) ([]byte, error) {
	return (&regrep.RegistryResponse{RequestID: requestID, Status: regrep.Success}).Encode()
}

// Failure is the answer to a refused one (R-LCM-ERR): one exception for each
// fault.
func Failure(r *Refusal) ([]byte, error) {
	out := &regrep.RegistryResponse{RequestID: r.RequestID, Status: regrep.Failure}
	for _, f := range r.Faults {
		out.Exceptions = append(out.Exceptions, exception(f.Code, f.String()))
	}
	if r.More > 0 {
		out.Exceptions = append(out.Exceptions, exception(BadSubmission, fmt.Sprintf("%d further faults are not listed; mend these first", r.More)))
	}
	return out.Encode()
}

func exception(code Code, detail string) regrep.Exception {
	return regrep.Exception{Type: "rs:InvalidRequestExceptionType", Severity: regrep.SeverityError, Message: labels[code], Code: string(code), Detail: printable(detail)}
}

// printable drops what XML 1.0 cannot hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == '\uFFFE' || r == '\uFFFF' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
