package validator

import "strings"

// Severity is how the official rules grade a finding.
type Severity uint8

const (
	Fatal   Severity = iota // FATAL: the message is refused
	Warning                 // WARNING: it should be otherwise
	Caution                 // CAUTION: a reminder, refuses nothing
)

func (s Severity) String() string {
	return [...]string{"FATAL", "WARNING", "CAUTION"}[min(s, Caution)]
}

// MarshalText writes the severity in the words of the rule tables.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Severity) UnmarshalText(b []byte) error {
	switch strings.ToUpper(string(b)) {
	case "FATAL":
		*s = Fatal
	case "WARNING":
		*s = Warning
	default:
		*s = Caution
	}
	return nil
}

// Lines is a set of wire lines. The Exchange Data Model (oots-edm:vN.N) and the
// Common Services (oots-cs:vN.N) number their lines alike.
type Lines uint8

const (
	V10 Lines = 1 << iota
	V11
	V12
	V20
	// NoLine in Rule.Lines says that the rule is certain on no line; the zero
	// value means every line that Advice does not name.
	NoLine

	V1x     = V10 | V11 | V12
	Since11 = V11 | V12 | V20 // 1.1 follows 1.2, TDD change log
	AllLine = V10 | V11 | V12 | V20
)

// lineNames are the numbers of the lines, in the order of their bits.
var lineNames = [...]string{"1.0", "1.1", "1.2", "2.0"}

// Names lists the lines of the set, such as "1.0", "1.2".
func (l Lines) Names() []string {
	var out []string
	for i, n := range lineNames {
		if l&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

func (l Lines) String() string { return strings.Join(l.Names(), " ") }

// ParseLine reads "1.2", "v1.2" or a specification identifier such as
// "oots-edm:v1.2". It returns zero for a line nobody knows.
func ParseLine(s string) Lines {
	s = s[strings.LastIndexByte(s, ':')+1:]
	s = strings.TrimPrefix(s, "v")
	for i, n := range lineNames {
		if n == s {
			return 1 << i
		}
	}
	return 0
}

// Rule is one entry: what must hold where, who says so, and how to mend it.
type Rule struct {
	// ID is the public identifier, such as "R-EDM-REQ-S004". Ids outlive the
	// lines; a rule that reads differently on two lines has two entries of one
	// ID with disjoint Lines. Ids beginning with STR, H and X are ours.
	ID string
	// Cites is the section of the specification; empty takes that of the Table.
	Cites string
	// On holds the kinds of message; empty takes that of the Table.
	On Kinds
	// Severity of a finding. The zero value is Fatal.
	Severity Severity
	// Lines for which the rule is certain; zero means all four, NoLine none.
	Lines Lines
	// Advice are the lines for which the rule is uncertain: a finding is
	// advice and refuses nothing, whatever the Severity.
	Advice Lines
	// At is the context: see Path.
	At Path
	// Check looks at every element that At finds.
	Check Check
	// Mend says what to change. Empty takes the Check's own advice.
	Mend string
	// Content marks a rule that judges values and so needs a sound structure
	// around it. It follows from the ID for published rules (…-Cnnn).
	Content bool
}

// Table is a group of rules of one message and one part of it.
type Table struct {
	Name  string // for people: "Evidence Request, slots"
	On    Kinds  // kinds of message, for rows that name none
	Cites string // section, for rows that name none
	Rules []Rule
}

// certain and advice resolve the zero values of a row.
func (r *Rule) certain() Lines {
	if r.Lines == 0 {
		return AllLine &^ r.Advice
	}
	return r.Lines &^ NoLine
}

// isContent tells published content rules by their number, ours by their mark.
func (r *Rule) isContent() bool {
	if r.Content {
		return true
	}
	i := strings.LastIndexByte(r.ID, '-')
	return strings.HasPrefix(r.ID, "R-") && i >= 0 && i+1 < len(r.ID) && r.ID[i+1] == 'C'
}

// Fault is what a Check found wrong at one place.
type Fault struct {
	At     *Node  // the element to point at; nil means the context element
	Attr   string // the attribute to point at, as written in rules: "xsi:type"
	Found  string // what stands there, raw
	Expect string // what should; empty takes the Check's
}

// Check is one test of one context element, with its words for people.
type Check struct {
	Expect string // "one of the 31 codes of OOTS_Country"
	Mend   string // "Write …"
	// Test returns nil when everything is as it should be.
	Test func(m *Message, n *Node) *Fault
}
