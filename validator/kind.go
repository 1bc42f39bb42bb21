package validator

import (
	"fmt"
	"strings"
)

// Kinds is a set of kinds of message. A single bit is one kind.
type Kinds uint32

const (
	EDMRequest  Kinds = 1 << iota // query:QueryRequest of an Evidence Request
	EDMResponse                   // query:QueryResponse with status Success or Unavailable and evidence slots
	EDMError                      // query:QueryResponse with status Failure, from an Evidence Provider
	EBMSHeader                    // eb:Messaging, bare or in a SOAP envelope
	EBRequirements
	EBEvidenceTypes
	EBError
	EBSubmission
	DSDResponse
	DSDError
	DSDSubmission
	LCMSuccess
	LCMError

	EDM                  = EDMRequest | EDMResponse | EDMError
	CommonServices       = EBRequirements | EBEvidenceTypes | EBError | DSDResponse | DSDError
	LCM                  = EBSubmission | DSDSubmission | LCMSuccess | LCMError
	Unknown        Kinds = 0
)

// kindNames gives each kind the name used on the command line and in reports,
// and the words for people.
var kindNames = [...]struct {
	kind        Kinds
	name, words string
}{
	{EDMRequest, "EDM-REQ", "Evidence Request"},
	{EDMResponse, "EDM-RESP", "Evidence Response"},
	{EDMError, "EDM-ERR", "Error Response"},
	{EBMSHeader, "EBMS", "ebMS header"},
	{EBRequirements, "EB-REQ", "Evidence Broker answer with requirements"},
	{EBEvidenceTypes, "EB-EVI", "Evidence Broker answer with evidence types"},
	{EBError, "EB-ERR", "Evidence Broker error"},
	{EBSubmission, "EB-SUB", "submission to the Evidence Broker"},
	{DSDResponse, "DSD-RESP", "Data Service Directory answer"},
	{DSDError, "DSD-ERR", "Data Service Directory error"},
	{DSDSubmission, "DSD-SUB", "submission to the Data Service Directory"},
	{LCMSuccess, "LCM-SUC", "answer to an accepted submission"},
	{LCMError, "LCM-ERR", "answer to a refused submission"},
}

// String is the name of the kind, or the names of the set joined by "+".
func (k Kinds) String() string {
	var out []string
	for _, n := range kindNames {
		if k&n.kind != 0 {
			out = append(out, n.name)
		}
	}
	if out == nil {
		return "unknown"
	}
	return strings.Join(out, "+")
}

// Words names the kind for people.
func (k Kinds) Words() string {
	var out []string
	for _, n := range kindNames {
		if k&n.kind != 0 {
			out = append(out, n.words)
		}
	}
	if out == nil {
		return "unknown kind of message"
	}
	return strings.Join(out, " and ")
}

// ParseKind reads a name such as "EDM-REQ" in any case; "auto" and "" are
// Unknown with ok, which means: detect.
func ParseKind(s string) (k Kinds, ok bool) {
	if s == "" || strings.EqualFold(s, "auto") {
		return Unknown, true
	}
	for _, n := range kindNames {
		if strings.EqualFold(n.name, s) {
			return n.kind, true
		}
	}
	return Unknown, false
}

// KindNames lists the names that ParseKind knows.
func KindNames() []string {
	var out []string
	for _, n := range kindNames {
		out = append(out, n.name)
	}
	return out
}

// MarshalText writes the kind by its name.
func (k Kinds) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name; "unknown" is the empty set.
func (k *Kinds) UnmarshalText(b []byte) error {
	if string(b) == "unknown" {
		*k = Unknown
		return nil
	}
	got, ok := ParseKind(string(b))
	if !ok {
		return fmt.Errorf("no kind of message is called %q", b)
	}
	*k = got
	return nil
}

// MarshalText writes the line by its number.
func (l Lines) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads one line.
func (l *Lines) UnmarshalText(b []byte) error {
	if *l = ParseLine(string(b)); *l == 0 && len(b) > 0 {
		return fmt.Errorf("no line is called %q", b)
	}
	return nil
}
