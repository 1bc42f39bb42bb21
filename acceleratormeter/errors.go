package acceleratormeter

import (
	"fmt"
	"strings"
)

// Code names what went wrong, for the edge to turn into an exit code, a problem
// document or a page.
type Code string

const (
	UnknownCountry   Code = "unknown-country"
	UnknownCriteria  Code = "unknown-criteria-set"
	UnknownSnapshot  Code = "unknown-snapshot"
	BeforeFirst      Code = "before-first-snapshot"
	BadDate          Code = "bad-date"
	SamePerson       Code = "same-person"        // the two-person rule
	WrongState       Code = "wrong-state"        // of a snapshot: draft, approved, published
	ReasonNeeded     Code = "reason-needed"      // an unscheduled or correcting snapshot without one
	LedgerBroken     Code = "ledger-broken"      // the ledger does not verify, so nothing is published
	SignatureBroken  Code = "signature-broken"   // a stored snapshot does not fit its hash, chain or signature
	OutdatedSnapshot Code = "outdated-snapshot"  // a draft is older than the latest published snapshot
	NobodyNamed      Code = "nobody-named"       // a writing step without a person
	InvalidLine      Code = "invalid-facts-file" // of the embedded files
)

// Error is what this package returns for everything a person can mend. Error()
// says what was found and what to do next.
type Error struct {
	Code  Code
	Found string   // what was given
	Valid []string // the valid choices, if they can be listed
	Hint  string   // what to do next
	Cause error    // for the log
}

func (e *Error) Error() string {
	var b strings.Builder
	switch e.Code {
	case UnknownCountry:
		fmt.Fprintf(&b, "unknown country %q", e.Found)
	case UnknownCriteria:
		fmt.Fprintf(&b, "unknown criteria set %q", e.Found)
	case UnknownSnapshot:
		fmt.Fprintf(&b, "there is no snapshot %q", e.Found)
	case BeforeFirst:
		fmt.Fprintf(&b, "no snapshot had been published by %s", e.Found)
	case BadDate:
		fmt.Fprintf(&b, "%q is not a date", e.Found)
	default:
		b.WriteString(e.Found)
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	if len(e.Valid) > 0 {
		b.WriteString("; valid are " + strings.Join(e.Valid, ", "))
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }
