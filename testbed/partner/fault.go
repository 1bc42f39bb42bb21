package partner

import (
	"slices"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

// Fault is one deviation of a system under test from what the specification
// asks. A practice system carries at most one.
type Fault struct {
	Name  string
	About string

	// edits are made to messages that leave, by their action.
	edits map[string]string
	// wire is the deviation of every AS4 message that leaves; on limits it to
	// one action.
	wire, on string
	// masks are the refusals that it answers with a receipt instead.
	masks []ebms.Code
	// lax are rules of validator it does not look at; "*" for all.
	lax []string
}

// Temper is what a partner may do and still conform (within the specification).
type Temper struct {
	Shuffle bool   // reorder slots: their order carries no meaning (TDD 4.5)
	Indent  bool   // white space between elements
	Prefix  string // another prefix for the sdg namespace
	// Every n-th message is sent twice, which duplicate elimination must bear; 0
	// never.
	Duplicate int
	// Delay moves the clock before each answer; stays under T1 (TDD 4.4).
	DelaySeconds int
}

// Actions in short.
const (
	request   = as4.ActionRequest
	response  = as4.ActionResponse
	exception = as4.ActionException
	submit    = as4.ActionSubmit
)

const anywhere = "" // of Fault.on

var everyCode = []ebms.Code{ebms.ValueNotRecognized, ebms.ValueInconsistent, ebms.MimeInconsistency, ebms.InvalidHeader, ebms.ProcessingModeMismatch,
	ebms.ExternalPayloadError, ebms.BadProperties, ebms.FailedAuthentication, ebms.FailedDecryption, ebms.PolicyNoncompliance, ebms.DecompressionFailure, ebms.Other, ebms.FeatureNotSupported}

// Faults are all that a practice system can have, each under its name. Those
// without a mechanism in the row are asked for where they act.
var Faults = []Fault{
	// Reading.
	{Name: "accepts-anything", About: "answers every request it gets, whatever is wrong with it", lax: []string{"*"}},
	{Name: "ignores-header", About: "does not compare the body with the ebMS header", lax: []string{"X-01", "X-02", "X-03", "X-05"}},
	{Name: "accepts-replays", About: "answers a request id that was used before"},
	{Name: "accepts-foreign-preview", About: "takes a preview address that it never issued"},
	{Name: "accepts-used-preview", About: "answers a second time on a preview address that was answered"},
	{Name: "accepts-changed-request", About: "does not compare the second request with the first"},
	{Name: "refuses-shuffled", About: "wants slots in the order it writes them itself"},
	{Name: "refuses-prefixes", About: "wants the customary namespace prefixes"},
	{Name: "never-answers", About: "acknowledges requests and answers none"},
	{Name: "answers-twice", About: "sends every answer twice, with new ids"},
	{Name: "wrong-code", About: "answers every failure with EDM:ERR:0001"},
	{Name: "no-detail", About: "refuses without naming the rule", edits: map[string]string{exception: "remove //rs:Exception/@detail"}},
	{Name: "hides-no-match", About: "delivers somebody's evidence when nobody matches"},
	{Name: "ignores-assurance", About: "answers users of any level of assurance"},
	{Name: "ignores-format", About: "sends PDF whatever was asked"},
	{Name: "delivers-without-preview", About: "delivers at once although the user must see the evidence"},
	{Name: "delivers-before-decision", About: "answers the second request before the user decided"},
	{Name: "delivers-refused", About: "delivers what the user refused"},
	{Name: "ignores-timeouts", About: "keeps previews open for ever"},
	{Name: "plain-preview", About: "issues preview addresses without TLS", edits: map[string]string{exception: "set //rim:Slot[PreviewLocation]//x http"}},
	{Name: "guessable-preview", About: "numbers its preview addresses"},
	{Name: "no-reauthentication", About: "shows the preview to whoever has the link"},
	{Name: "no-return", About: "does not send the user back"},
	{Name: "link-stays-open", About: "the preview address works after the decision"},
	{Name: "forgets-early-decision", About: "forgets a decision that comes before the second request"},
	{Name: "loses-second", About: "delivers one of two pieces of evidence"},
	{Name: "loses-supplements", About: "leaves out annex and translation"},
	{Name: "no-deferral", About: "answers that there is no evidence when it only needs time"},
	{Name: "refuses-warnings", About: "refuses what the rules only warn of"},
	{Name: "refuses-reminders", About: "refuses a slot that the rules only remind of"},
	{Name: "refuses-representatives", About: "refuses requests of somebody who acts for the person"},
	{Name: "ignores-structure", About: "does not hold requests to the schema", lax: []string{"STR-04", "decode"}},
	{Name: "previews-again", About: "answers the second request with another preview address"},
	{Name: "unasked-supplements", About: "joins documents that nobody asked for"},
	{Name: "preview-down", About: "its preview space does not work"},
	{Name: "stays-cut", About: "does not answer again when its base register is back"},
	{Name: "legal-persons-unsupported", About: "refuses legal persons as invalid"},

	// Writing an Evidence Response.
	{Name: "response-without-time", About: "the slot IssueDateTime is missing", edits: map[string]string{response: "remove //rim:Slot[IssueDateTime]"}},
	{Name: "response-without-id", About: "the slot EvidenceResponseIdentifier is missing", edits: map[string]string{response: "remove //rim:Slot[EvidenceResponseIdentifier]"}},
	{Name: "response-with-urn", About: "EvidenceResponseIdentifier is no bare UUID", edits: map[string]string{response: "set //rim:Slot[EvidenceResponseIdentifier]/rim:SlotValue/rim:Value response-1"}},
	{Name: "response-without-provider", About: "the slot EvidenceProvider is missing", edits: map[string]string{response: "remove //rim:Slot[EvidenceProvider]"}},
	{Name: "response-without-requester", About: "the slot EvidenceRequester is missing", edits: map[string]string{response: "remove //rim:Slot[EvidenceRequester]"}},
	{Name: "response-without-list", About: "RegistryObjectList is missing", edits: map[string]string{response: "remove query:QueryResponse/rim:RegistryObjectList"}},
	{Name: "response-without-authority", About: "the evidence has no issuing authority", edits: map[string]string{response: "remove //sdg:IssuingAuthority"}},
	{Name: "response-without-subject", About: "the evidence is about nobody", edits: map[string]string{response: "remove //sdg:IsAbout"}},
	{Name: "response-without-format", About: "the distribution has no format", edits: map[string]string{response: "remove //sdg:Distribution/sdg:Format"}},
	{Name: "response-bad-language", About: "the language is none of the list", edits: map[string]string{response: "set //sdg:Distribution/sdg:Language Finnish"}},
	{Name: "response-bad-country", About: "the country of the provider is none of the list", edits: map[string]string{response: "set //rim:Slot[EvidenceProvider]/rim:SlotValue/rim:Element/sdg:Agent/sdg:Address/sdg:AdminUnitLevel1 XX"}},
	{Name: "response-without-title", About: "the repository item has no title", edits: map[string]string{response: "remove //rim:RepositoryItemRef/@xlink:title"}},
	{Name: "response-flat", About: "documents stand outside of packages (line 2.0)", edits: map[string]string{response: "rename query:QueryResponse/rim:RegistryObjectList/rim:RegistryObject[1] rim:ExtrinsicObject"}},
	{Name: "response-wrong-status", About: "the status is none of the list", edits: map[string]string{response: "set query:QueryResponse/@status urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Perfect"}},
	{Name: "response-bad-date", About: "the issuing date is no date", edits: map[string]string{response: "set //sdg:IssuingDate 30.05.2020"}},
	{Name: "deferred-without-date", About: "a deferred response does not say when to ask again", edits: map[string]string{response: "remove //rim:Slot[ResponseAvailableDateTime]"}},
	// Writing an Error Response.
	{Name: "exception-without-time", About: "the slot Timestamp is missing", edits: map[string]string{exception: "remove //rim:Slot[Timestamp]"}},
	{Name: "exception-wrong-type", About: "xsi:type does not go with the code", edits: map[string]string{exception: "set //rs:Exception/@xsi:type rs:ObjectExistsExceptionType"}},
	{Name: "exception-wrong-severity", About: "the severity is none of the list", edits: map[string]string{exception: "set //rs:Exception/@severity urn:example:severe"}},
	{Name: "exception-without-message", About: "the exception has no message", edits: map[string]string{exception: "remove //rs:Exception/@message"}},
	{Name: "exception-without-provider", About: "the slot ErrorProvider is missing", edits: map[string]string{exception: "remove //rim:Slot[ErrorProvider]"}},
	{Name: "exception-without-request", About: "requestId is missing", edits: map[string]string{exception: "remove query:QueryResponse/@requestId"}},
	{Name: "exception-unknown-code", About: "the code is none of EDMErrorCodes", edits: map[string]string{exception: "set //rs:Exception/@code EDM:ERR:0099"}},
	{Name: "preview-without-location", About: "EDM:ERR:0002 without PreviewLocation", edits: map[string]string{exception: "remove //rim:Slot[PreviewLocation]"}},
	{Name: "preview-plain-severity", About: "EDM:ERR:0002 with the severity of an error", edits: map[string]string{exception: "set //rs:Exception/@severity urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"}},
	// Answer and request do not fit.
	{Name: "answers-other-request", About: "requestId names another request", edits: both("set query:QueryResponse/@requestId urn:uuid:99999999-9999-4999-8999-999999999997")},
	{Name: "answers-other-line", About: "the answer speaks another line than the request", edits: both("set //rim:Slot[SpecificationIdentifier]/rim:SlotValue/rim:Value oots-edm:v1.1")},
	{Name: "answers-other-requester", About: "the answer is for another requester", edits: map[string]string{response: "set //rim:Slot[EvidenceRequester]/rim:SlotValue/sdg:Agent/sdg:Identifier SOMEBODY-ELSE"}},
	{Name: "answers-as-other-provider", About: "the answer comes from another provider", edits: map[string]string{response: "set //rim:Slot[EvidenceProvider]/rim:SlotValue/rim:Element/sdg:Agent/sdg:Identifier SOMEBODY-ELSE"}},
	{Name: "answers-other-type", About: "the evidence is of another type", edits: map[string]string{response: "set //sdg:IsConformantTo/sdg:EvidenceTypeClassification https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/FI/99999999-9999-4999-8999-999999999996"}},
	{Name: "answers-about-other", About: "the evidence is about another person", edits: map[string]string{response: "set //sdg:IsAbout/sdg:NaturalPerson/sdg:FamilyName Somebody"}},
	{Name: "answers-before-asked", About: "the answer was issued before the request", edits: map[string]string{response: "set //rim:Slot[IssueDateTime]/rim:SlotValue/rim:Value 2020-01-01T00:00:00.000Z"}},
	{Name: "wrong-content-id", About: "the document is referenced by another content id", edits: map[string]string{response: "set //rim:RepositoryItemRef/@xlink:href cid:nothing@test.example"}},
	{Name: "wrong-part-type", About: "the part has another type than the metadata say"},
	{Name: "wrong-bytes", About: "the document is not what its type says"},
	{Name: "same-response-id", About: "every response has the same identifier"},

	// Access point: sending.
	{Name: "as4-wrong-action", About: "the action does not fit the message", wire: "wrong-action"},
	{Name: "as4-wrong-role", About: "the sender's role is not the gateway's", wire: "wrong-role"},
	{Name: "as4-wrong-service", About: "the service is not QueryManager", wire: "unknown-service"},
	{Name: "as4-wrong-service-type", About: "the service has another type", wire: "wrong-service-type"},
	{Name: "as4-other-party-type", About: "the party id has another type", wire: "other-party-type"},
	{Name: "as4-unsigned", About: "messages are not signed", wire: "unsigned"},
	{Name: "as4-unencrypted", About: "messages are not encrypted", wire: "unencrypted"},
	{Name: "as4-foreign-key", About: "signs with a certificate nobody was given", wire: "foreign-key"},
	{Name: "as4-old-encryption", About: "encrypts for a certificate that is no longer ours", wire: "astray"},
	{Name: "as4-broken-signature", About: "changes the header after signing", wire: "forged-header"},
	{Name: "as4-no-exchange-id", About: "ExchangeId is missing", wire: "no-exchange-id"},
	{Name: "as4-no-specification-id", About: "SpecificationId is missing", wire: "no-specification-id"},
	{Name: "as4-no-original-sender", About: "originalSender is missing", wire: "no-original-sender"},
	{Name: "as4-no-final-recipient", About: "finalRecipient is missing", wire: "no-final-recipient"},
	{Name: "as4-extra-property", About: "a message property nobody agreed on", wire: "extra-property"},
	{Name: "as4-new-conversation", About: "answers in another conversation", wire: "new-conversation"},
	{Name: "as4-new-exchange", About: "answers in another exchange", wire: "new-exchange"},
	{Name: "as4-other-corners", About: "originalSender is not the agent of the message", wire: "other-corners"},
	{Name: "as4-unswapped-corners", About: "does not swap the corners in an answer", wire: "unswapped-corners"},
	{Name: "as4-no-mime-type", About: "the part property MimeType is missing", wire: "no-mime-type"},
	{Name: "as4-broken-gzip", About: "compressed parts do not inflate", wire: "broken-gzip"},
	{Name: "as4-missing-part", About: "a part that the header names does not travel", wire: "missing-part"},
	{Name: "as4-old-clock", About: "its clock is ten minutes slow", wire: "old-clock"},
	{Name: "as4-future-clock", About: "its clock is an hour fast", wire: "from-the-future"},
	{Name: "as4-no-retry", About: "does not send again when no receipt came"},
	// Access point: receiving.
	{Name: "acknowledges-anything", About: "sends a receipt for whatever comes", masks: everyCode},
	{Name: "acknowledges-unsigned", About: "takes messages without signature or encryption", masks: []ebms.Code{ebms.PolicyNoncompliance}},
	{Name: "acknowledges-forged", About: "does not verify signatures", masks: []ebms.Code{ebms.FailedAuthentication}},
	{Name: "acknowledges-undecryptable", About: "sends the receipt before it decrypts", masks: []ebms.Code{ebms.FailedDecryption}},
	{Name: "acknowledges-unknown", About: "takes any service and action", masks: []ebms.Code{ebms.ValueNotRecognized}},
	{Name: "acknowledges-strangers", About: "takes any party and role", masks: []ebms.Code{ebms.ValueInconsistent, ebms.ProcessingModeMismatch}},
	{Name: "acknowledges-properties", About: "takes any message properties", masks: []ebms.Code{ebms.ProcessingModeMismatch, ebms.BadProperties}},
	{Name: "acknowledges-broken-parts", About: "does not look at parts", masks: []ebms.Code{ebms.DecompressionFailure, ebms.MimeInconsistency, ebms.ExternalPayloadError}},
	{Name: "acknowledges-malformed", About: "takes envelopes it cannot read", masks: []ebms.Code{ebms.InvalidHeader, ebms.MimeInconsistency}},
	{Name: "no-receipt", About: "takes messages without a receipt"},
	{Name: "unsigned-receipt", About: "its receipts are not signed"},
	{Name: "receipt-for-another", About: "its receipts name another message"},
	{Name: "receipt-with-other-digests", About: "its receipts repeat other digests than were signed"},
	{Name: "refuses-test-service", About: "does not know the test service"},
	{Name: "delivers-duplicates", About: "delivers a message id as often as it comes"},
	{Name: "refuses-uncompressed", About: "refuses parts that are not compressed"},
	{Name: "unreachable", About: "its access point does not answer"},
	{Name: "html-answers", About: "a proxy answers with a page"},
}

func both(edit string) map[string]string {
	return map[string]string{response: edit, exception: edit}
}

// AllFaults are all that there are.
func AllFaults() []Fault {
	return slices.Concat(Faults, requesterFaults, directoryFaults, instanceFaults, lcmFaults, logFaults)
}

// FindFault is the fault of a name, nil when there is none.
func FindFault(name string) *Fault {
	for _, list := range [][]Fault{Faults, requesterFaults, directoryFaults, instanceFaults, lcmFaults, logFaults} {
		if i := slices.IndexFunc(list, func(f Fault) bool { return f.Name == name }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}
