package edm

import (
	"errors"
	"fmt"
	"time"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
)

// Code is a code of the list EDMErrorCodes (TDD 4.5.3).
type Code string

const (
	AuthenticationFailed Code = "EDM:ERR:0001" // or the level of assurance is too low
	AuthorizationMissing Code = "EDM:ERR:0002" // the user must visit the preview space
	InvalidRequest       Code = "EDM:ERR:0003"
	ObjectNotFound       Code = "EDM:ERR:0004" // no unique match, or no evidence
	Timeout              Code = "EDM:ERR:0005"
	UnresolvedReference  Code = "EDM:ERR:0006"
	Unsupported          Code = "EDM:ERR:0007" // no format or model that could be served
	QueryFailed          Code = "EDM:ERR:0008"
)

// PreviewRequired is the severity of an exception that carries a preview
// location; every other one has regrep.SeverityError.
const PreviewRequired = "urn:sr.oots.tech.ec.europa.eu:codes:ErrorSeverity:EDMErrorResponse:PreviewRequired"

// Type is the xsi:type that goes with a code, "" for an unknown code.
func (c Code) Type() string { return c.column("type") }

// Message is the fixed text that goes with a code, "" for an unknown code.
func (c Code) Message() string { return c.column("message") }

func (c Code) column(name string) string {
	row, _ := codelist.BuiltIn().List(codelist.EDMErrorCodes).Lookup(string(c))
	return row.Get(name)
}

// codeOfType finds the code that goes with an xsi:type: line 1.0 did not ask
// for the code itself.
func codeOfType(kind string) Code {
	for row := range codelist.BuiltIn().List(codelist.EDMErrorCodes).Rows() {
		if row.Get("type") == kind {
			return Code(row.Code())
		}
	}
	return ""
}

// Exception is the rs:Exception of an Error Response (TDD 4.5.3), and the
// error of this package.
type Exception struct {
	Code    Code
	Message string    // "" means the text of the list
	Detail  string    // for whoever debugs in the other Member State; no personal data
	At      time.Time // slot Timestamp
	// PreviewLocation is an https address, with AuthorizationMissing only.
	PreviewLocation    string
	PreviewDescription []sdg.Text
	PreviewMethod      string // GET, POST or PUT; 1.x only, and there required with a location

	Cause error // never encoded, only logged
}

func (x *Exception) Error() string {
	text := x.Message
	if text == "" {
		text = x.Code.Message()
	}
	if x.Detail != "" {
		text += ": " + x.Detail
	}
	return string(x.Code) + " " + text
}

func (x *Exception) Unwrap() error { return x.Cause }

// Severity is the severity that is written.
func (x *Exception) Severity() string {
	if x.PreviewLocation != "" {
		return PreviewRequired
	}
	return regrep.SeverityError
}

// refusal turns what is wrong with a document into an exception that may be
// sent back.
func refusal(err error) error {
	var x *Exception
	if err == nil || errors.As(err, &x) {
		return err
	}
	return &Exception{Code: InvalidRequest, Detail: err.Error(), Cause: err}
}

func cannot(format string, args ...any) error { return fmt.Errorf("edm: "+format, args...) }
