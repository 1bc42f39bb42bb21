package ebms

import (
	"errors"
	"fmt"
)

// Code is an ebMS error code.
type Code string

// The codes of ebMS 3.0 Core 6.7, the AS4 profile and ebMS 3.0 Part 2, and one
// of phase4's own.
const (
	ValueNotRecognized        Code = "EBMS:0001"
	FeatureIgnored            Code = "EBMS:0002" // FeatureNotSupported, as a warning
	ValueInconsistent         Code = "EBMS:0003"
	Other                     Code = "EBMS:0004"
	ConnectionFailure         Code = "EBMS:0005"
	EmptyChannel              Code = "EBMS:0006"
	MimeInconsistency         Code = "EBMS:0007"
	FeatureNotSupported       Code = "EBMS:0008"
	InvalidHeader             Code = "EBMS:0009"
	ProcessingModeMismatch    Code = "EBMS:0010"
	ExternalPayloadError      Code = "EBMS:0011"
	RoutingFailure            Code = "EBMS:0020"
	MPCCapacityExceeded       Code = "EBMS:0021"
	MessagePersistenceTimeout Code = "EBMS:0022"
	MessageExpired            Code = "EBMS:0023"
	BundlingError             Code = "EBMS:0030"
	RelatedMessageFailed      Code = "EBMS:0031"
	BadFragmentGroup          Code = "EBMS:0040"
	DuplicateMessageSize      Code = "EBMS:0041"
	DuplicateFragmentCount    Code = "EBMS:0042"
	DuplicateMessageHeader    Code = "EBMS:0043"
	DuplicateAction           Code = "EBMS:0044"
	DuplicateCompressionInfo  Code = "EBMS:0045"
	DuplicateFragment         Code = "EBMS:0046"
	BadFragmentStructure      Code = "EBMS:0047"
	BadFragmentNum            Code = "EBMS:0048"
	BadFragmentCount          Code = "EBMS:0049"
	FragmentSizeExceeded      Code = "EBMS:0050"
	ReceiveIntervalExceeded   Code = "EBMS:0051"
	BadProperties             Code = "EBMS:0052"
	HeaderMismatch            Code = "EBMS:0053"
	OutOfStorageSpace         Code = "EBMS:0054"
	DecompressionError        Code = "EBMS:0055"
	AlternateMEP              Code = "EBMS:0060"
	FailedAuthentication      Code = "EBMS:0101"
	FailedDecryption          Code = "EBMS:0102"
	PolicyNoncompliance       Code = "EBMS:0103"
	DysfunctionalReliability  Code = "EBMS:0201"
	DeliveryFailure           Code = "EBMS:0202"
	MissingReceipt            Code = "EBMS:0301"
	InvalidReceipt            Code = "EBMS:0302"
	DecompressionFailure      Code = "EBMS:0303"
	DuplicateDetected         Code = "EBMS:4001" // phase4; not standard
)

// Kind is what the specifications fix about a code.
type Kind struct {
	Short    string // @shortDescription
	Warning  bool   // @severity is warning, not failure
	Category string // @category
	Origin   string // @origin: ebMS, security or reliability
}

// Kinds are all known codes.
var Kinds = map[Code]Kind{
	ValueNotRecognized:        {"ValueNotRecognized", false, "Content", "ebMS"},
	FeatureIgnored:            {"FeatureNotSupported", true, "Content", "ebMS"},
	ValueInconsistent:         {"ValueInconsistent", false, "Content", "ebMS"},
	Other:                     {"Other", false, "Content", "ebMS"},
	ConnectionFailure:         {"ConnectionFailure", false, "Communication", "ebMS"},
	EmptyChannel:              {"EmptyMessagePartitionChannel", true, "Communication", "ebMS"},
	MimeInconsistency:         {"MimeInconsistency", false, "Unpackaging", "ebMS"},
	FeatureNotSupported:       {"FeatureNotSupported", false, "Unpackaging", "ebMS"},
	InvalidHeader:             {"InvalidHeader", false, "Unpackaging", "ebMS"},
	ProcessingModeMismatch:    {"ProcessingModeMismatch", false, "Processing", "ebMS"},
	ExternalPayloadError:      {"ExternalPayloadError", false, "Content", "ebMS"},
	RoutingFailure:            {"RoutingFailure", false, "Processing", "ebMS"},
	MPCCapacityExceeded:       {"MPCCapacityExceeded", false, "Processing", "ebMS"},
	MessagePersistenceTimeout: {"MessagePersistenceTimeout", false, "Processing", "ebMS"},
	MessageExpired:            {"MessageExpired", true, "Processing", "ebMS"},
	BundlingError:             {"BundlingError", false, "Content", "ebMS"},
	RelatedMessageFailed:      {"RelatedMessageFailed", false, "Processing", "ebMS"},
	BadFragmentGroup:          {"BadFragmentGroup", false, "Content", "ebMS"},
	DuplicateMessageSize:      {"DuplicateMessageSize", false, "Content", "ebMS"},
	DuplicateFragmentCount:    {"DuplicateFragmentCount", false, "Content", "ebMS"},
	DuplicateMessageHeader:    {"DuplicateMessageHeader", false, "Content", "ebMS"},
	DuplicateAction:           {"DuplicateAction", false, "Content", "ebMS"},
	DuplicateCompressionInfo:  {"DuplicateCompressionInfo", false, "Content", "ebMS"},
	DuplicateFragment:         {"DuplicateFragment", false, "Content", "ebMS"},
	BadFragmentStructure:      {"BadFragmentStructure", false, "Unpackaging", "ebMS"},
	BadFragmentNum:            {"BadFragmentNum", false, "Content", "ebMS"},
	BadFragmentCount:          {"BadFragmentCount", false, "Content", "ebMS"},
	FragmentSizeExceeded:      {"FragmentSizeExceeded", true, "Unpackaging", "ebMS"},
	ReceiveIntervalExceeded:   {"ReceiveIntervalExceeded", false, "Unpackaging", "ebMS"},
	BadProperties:             {"BadProperties", true, "Unpackaging", "ebMS"},
	HeaderMismatch:            {"HeaderMismatch", false, "Unpackaging", "ebMS"},
	OutOfStorageSpace:         {"OutOfStorageSpace", false, "Unpackaging", "ebMS"},
	DecompressionError:        {"DecompressionError", false, "Processing", "ebMS"},
	AlternateMEP:              {"ResponseUsing-AlternateMEP", true, "Processing", "ebMS"},
	FailedAuthentication:      {"FailedAuthentication", false, "Processing", "security"},
	FailedDecryption:          {"FailedDecryption", false, "Processing", "security"},
	PolicyNoncompliance:       {"PolicyNoncompliance", false, "Processing", "security"},
	DysfunctionalReliability:  {"DysfunctionalReliability", false, "Processing", "reliability"},
	DeliveryFailure:           {"DeliveryFailure", false, "Communication", "reliability"},
	MissingReceipt:            {"MissingReceipt", false, "Communication", "reliability"},
	InvalidReceipt:            {"InvalidReceipt", false, "Communication", "reliability"},
	DecompressionFailure:      {"DecompressionFailure", false, "Communication", "ebMS"},
	DuplicateDetected:         {"DuplicateDetected", false, "Content", "ebMS"},
}

// Error is an eb:Error and at the same time the Go error of this layer. Code
// and Detail go over the wire; Cause never does.
type Error struct {
	Code   Code
	Detail string // eb:ErrorDetail: no secrets, no names of files, hosts or people
	// RefToMessageID is @refToMessageInError.
	RefToMessageID string
	// Warning is the severity that came or goes over the wire.
	Warning bool
	Cause   error
}

// Errorf makes an Error of code with the severity that the code has.
func Errorf(code Code, cause error, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...), Warning: Kinds[code].Warning, Cause: cause}
}

func (e *Error) Error() string {
	s := string(e.Code) + " " + Kinds[e.Code].Short
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Cause != nil {
		s += " (" + e.Cause.Error() + ")"
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

// CodeOf is the code of err, Other when it has none, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Other
}
