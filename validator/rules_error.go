package validator

import "github.com/once-only/oots/codelist"

// Places in an Error Response.
const (
	exception      = response + "/rs:Exception"
	errorProvider  = response + "/rim:Slot[ErrorProvider]/rim:SlotValue"
	errorRequester = response + "/rim:Slot[EvidenceRequester]/rim:SlotValue"
)

func inException(name string) Path { return Path(exception + "/rim:Slot[" + name + "]/rim:SlotValue") }

// Literals of exceptions (TDD 4.5.3, list ErrorSeverity).
const (
	edmError       = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"
	edmPreview     = "urn:sr.oots.tech.ec.europa.eu:codes:ErrorSeverity:EDMErrorResponse:PreviewRequired"
	missingConsent = "rs:AuthorizationExceptionType"
	previewCode    = "EDM:ERR:0002"
	invalidRequest = "rs:InvalidRequestExceptionType"
)

// errorRules are the rules R-EDM-ERR.
var errorRules = Table{
	Name: "Error Response", On: EDMError, Cites: "TDD 4.5.3 §3",
	Rules: []Rule{
		{ID: "R-EDM-ERR-S001", At: "*", Check: Local("QueryResponse")},
		{ID: "R-EDM-ERR-S002", At: "*", Check: In(nsQuery)},
		{ID: "R-EDM-ERR-S003", At: response, Severity: Caution, Check: When(not(excused), HasAttr("requestId"))},
		{ID: "R-EDM-ERR-S004", At: response, Lines: Since11, Check: NormAttr("requestId", urnUUID), Mend: requestIDMend},
		{ID: "R-EDM-ERR-S004", At: response, Lines: V10, Check: NormAttr("requestID", bareUUID), Mend: requestIDMend},
		{ID: "R-EDM-ERR-S006", At: response, Lines: Since11, Check: Must("status", Is(statusPrefix+"Failure"))},
		{ID: "R-EDM-ERR-S006", At: response, Lines: V10, Check: Must("status", Among(statusPrefix+"Failure", statusPrefix+"Unavailable"))},
		{ID: "R-EDM-ERR-S007", At: response, Lines: Since11, Check: None("rim:RegistryObjectList")},
		{ID: "R-EDM-ERR-S008", At: response, Check: Has("rs:Exception")},
		{ID: "R-EDM-ERR-S009", At: response, Check: OneSlot("SpecificationIdentifier")},
		{ID: "R-EDM-ERR-S010", At: response, Check: OneSlot("EvidenceResponseIdentifier")},
		{ID: "R-EDM-ERR-S011", At: response, Check: OneSlot("ErrorProvider")},
		{ID: "R-EDM-ERR-S012", At: response, Severity: Caution, Check: When(not(excused), OneSlot("EvidenceRequester")), Mend: "Name the requester, unless the request could not be read."},
		{ID: "R-EDM-ERR-S013", At: exception, Check: OneSlot("Timestamp")},
		{ID: "R-EDM-ERR-S014", At: exception, Severity: Caution, Check: MostOneSlot("PreviewLocation")},
		{ID: "R-EDM-ERR-S015", At: exception, Lines: Since11, Severity: Caution, Check: MostOneSlot("PreviewDescription")},
		{ID: "R-EDM-ERR-S015", At: exception, Lines: V10, Check: MostOneSlot("PreviewDescription")},
		{ID: "R-EDM-ERR-S016", At: exception, Lines: V11 | V12, Severity: Caution, Check: MostOneSlot("PreviewMethod")},
		{ID: "R-EDM-ERR-S016", At: exception, Lines: V10, Check: MostOneSlot("PreviewMethod")},
		{ID: "R-EDM-ERR-S017", At: response + "/rim:Slot", Check: SlotNamed("SpecificationIdentifier", "EvidenceResponseIdentifier", "ErrorProvider", "EvidenceRequester"), Mend: "Remove the slot; the time of an error stands in the Timestamp of its exception."},
		{ID: "R-EDM-ERR-S018", At: inAnswer("SpecificationIdentifier"), Check: ValueType("StringValueType")},
		{ID: "R-EDM-ERR-S019", At: inAnswer("EvidenceResponseIdentifier"), Check: ValueType("StringValueType")},
		{ID: "R-EDM-ERR-S020", At: errorProvider, Check: ValueType("AnyValueType")},
		{ID: "R-EDM-ERR-S021", At: errorRequester, Check: ValueType("AnyValueType")},
		{ID: "R-EDM-ERR-S022", At: inException("Timestamp"), Lines: Since11, Check: ValueType("DateTimeValueType")},
		{ID: "R-EDM-ERR-S022", At: inAnswer("IssueDateTime"), Lines: V10, Check: ValueType("DateTimeValueType")},
		{ID: "R-EDM-ERR-S023", At: inException("PreviewLocation"), Check: ValueType("StringValueType")},
		{ID: "R-EDM-ERR-S024", At: inException("PreviewDescription"), Check: ValueType("InternationalStringValueType")},
		{ID: "R-EDM-ERR-S025", At: inException("PreviewMethod"), Lines: V1x, Check: ValueType("StringValueType")},
		{ID: "R-EDM-ERR-S026", At: errorProvider, Lines: Since11, Check: Exactly(1, "sdg:Agent")},
		{ID: "R-EDM-ERR-S026", At: errorProvider, Lines: V10, Check: Has("sdg:Agent")},
		{ID: "R-EDM-ERR-S027", At: exception + "/rim:Slot", Lines: V20, Check: SlotNamed("Timestamp", "PreviewLocation", "PreviewDescription"), Mend: "Remove the slot. Line 2.0 has no PreviewMethod: the browser is sent with GET."},
		{ID: "R-EDM-ERR-S027", At: exception + "/rim:Slot", Lines: V1x, Check: SlotNamed("Timestamp", "PreviewLocation", "PreviewDescription", "PreviewMethod")},
		{ID: "R-EDM-ERR-S028", At: "//rim:Slot", Lines: Since11, Advice: V10, Check: Exactly(1, "rim:SlotValue")},
		{ID: "R-EDM-ERR-S029", At: "//rim:SlotValue", Lines: Since11, Advice: V10, Check: HasElement()},
		{ID: "R-EDM-ERR-S030", At: "//*", Lines: Since11, Advice: V10, Check: When(hasAttr("lang"), That("no sibling of the same name with the same lang", "Write one text for each language.", sameLanguage))},
		{ID: "R-EDM-ERR-S031", At: exception, Lines: V11 | V12, Check: When(both(withSlot("PreviewLocation"), not(withSlot("PreviewMethod"))), OneSlot("PreviewMethod")), Mend: "Before line 2.0 a PreviewLocation needs a PreviewMethod, such as GET."},

		{ID: "R-EDM-ERR-C001", At: inAnswer("SpecificationIdentifier"), Check: Child("rim:Value", Raw(TheLine("oots-edm")))},
		{ID: "R-EDM-ERR-C002", At: inAnswer("EvidenceResponseIdentifier") + "/rim:Value", Check: Norm(bareUUID)},
		{ID: "R-EDM-ERR-C003", At: errorProvider + "/sdg:Agent/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-ERR-C004", At: errorProvider + "/sdg:Agent/sdg:Identifier", Lines: Since11, Check: organisation()},
		{ID: "R-EDM-ERR-C004", At: errorProvider + "/sdg:Agent/sdg:Identifier", Lines: V10, Check: organisation10()},
		{ID: "R-EDM-ERR-C005", At: errorProvider + "/sdg:Agent/sdg:Address/sdg:AdminUnitLevel1", Check: Raw(OneOf(codelist.WorldCountry)), Mend: countryMend},
		{ID: "R-EDM-ERR-C006", At: errorProvider + "/sdg:Agent/sdg:Address/sdg:AdminUnitLevel2", Lines: V20, Check: Raw(nuts)},
		{ID: "R-EDM-ERR-C007", At: errorProvider + "/sdg:Agent", Check: FilledChild("sdg:Classification"), Mend: "Say what the answering agent is; ERRP when in doubt."},
		{ID: "R-EDM-ERR-C008", At: errorProvider + "/sdg:Agent/sdg:Classification", Check: Raw(Among("EP", "IP", "ERRP"))},
		{ID: "R-EDM-ERR-C009", At: errorRequester + "/sdg:Agent/sdg:Identifier", Check: HasAttr("schemeID")},
		{ID: "R-EDM-ERR-C010", At: errorRequester + "/sdg:Agent/sdg:Identifier", Lines: Since11, Check: organisation()},
		{ID: "R-EDM-ERR-C010", At: errorRequester + "/sdg:Agent/sdg:Identifier", Lines: V10, Check: organisation10()},
		{ID: "R-EDM-ERR-C011", At: response, Lines: Since11, Check: When(failed, AtLeast(1, "rs:Exception"))},
		{ID: "R-EDM-ERR-C011", At: response, Lines: V10, Check: When(failed, Exactly(1, "rs:Exception")), Mend: "Before release 1.1.2 an error carries exactly one exception."},
		{ID: "R-EDM-ERR-C012", At: exception, Check: HasAttr("xsi:type")},
		{ID: "R-EDM-ERR-C013", At: exception, Check: Attr("xsi:type", edmExceptionType), Mend: "Write the type with its customary prefix, such as rs:ObjectNotFoundExceptionType; the published rule compares it as text."},
		{ID: "R-EDM-ERR-C014", At: exception, Check: Attr("severity", Among(edmError, edmPreview))},
		{ID: "R-EDM-ERR-C015", At: exception, Check: When(otherCode, Must("severity", Is(edmError)))},
		{ID: "R-EDM-ERR-C016", At: exception, Check: HasAttr("message")},
		{ID: "R-EDM-ERR-C017", At: exception, Check: Attr("code", OneOf(codelist.EDMErrorCodes))},
		{ID: "R-EDM-ERR-C018", At: inException("Timestamp") + "/rim:Value", Check: Norm(dateTime)},
		{ID: "R-EDM-ERR-C019", At: inException("PreviewLocation"), Check: Child("rim:Value", Norm(anyCaseHTTPS))},
		{ID: "R-EDM-ERR-C020", At: inException("PreviewDescription") + "/rim:Value/rim:LocalizedString", Check: Attr("xml:lang", OneOf(codelist.Language))},
		{ID: "R-EDM-ERR-C021", At: inException("PreviewMethod"), Lines: V10, Check: Child("rim:Value", Norm(Among("GET", "POST")))},
		{ID: "R-EDM-ERR-C021", At: inException("PreviewMethod"), Lines: V11 | V12, Check: Child("rim:Value", Norm(Among("GET", "POST", "PUT")))},
		{ID: "R-EDM-ERR-C022", At: exception, Check: When(withSlot("PreviewLocation"), Check{"severity PreviewRequired, type " + missingConsent + " and code " + previewCode, "A PreviewLocation goes with EDM:ERR:0002 alone: write its type, code and severity, or drop the slot.", previewTriple})},
		{ID: "R-EDM-ERR-C023", At: errorProvider, Lines: Since11, Advice: V10, Check: Exactly(1, "sdg:Agent")},
		{ID: "R-EDM-ERR-C024", At: errorProvider + "/sdg:Agent", Lines: V20, Check: Check{"exactly one Address with exactly one AdminUnitLevel1", "Give the answering agent one address with its country.", oneAddress}},
		{ID: "R-EDM-ERR-C024", At: errorProvider + "/sdg:Agent/sdg:Address", Lines: V11 | V12, Check: Exactly(1, "sdg:AdminUnitLevel1")},
		{ID: "R-EDM-ERR-C025", At: response, Lines: Since11, Advice: V10, Check: When(not(hasAttr("requestId")), That("requestId, or an exception of type "+invalidRequest, requestIDMend, notExcused))},
		{ID: "R-EDM-ERR-C026", At: exception, Lines: Since11, Advice: V10, Check: HasAttr("code")},
		{ID: "R-EDM-ERR-C027", At: wordings, Lines: Since11, Advice: V10, Check: wording("LocatorDesignator")},
		{ID: "R-EDM-ERR-C028", At: errorRequester + "/sdg:Agent/sdg:Name", Lines: Since11, Advice: V10, Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-ERR-C029", At: errorRequester + "/sdg:Agent/sdg:Name", Lines: Since11, Advice: V10, Check: HasAttr("lang")},
		{ID: "R-EDM-ERR-C030", At: errorProvider + "/sdg:Agent/sdg:Name", Lines: Since11, Advice: V10, Check: Attr("lang", OneOf(codelist.Language))},
		{ID: "R-EDM-ERR-C031", At: errorProvider + "/sdg:Agent/sdg:Name", Lines: Since11, Advice: V10, Check: HasAttr("lang")},

		{ID: "H-22", Cites: "TDD 4.5.3, list EDMErrorCodes", Severity: Warning, At: exception, Check: Check{"type and message that the list EDMErrorCodes has for the code", "Write type and message as the list pairs them with the code; receivers decide on the code.", couple}},
	},
}

// edmExceptionType wants one of the eight types, with the customary prefix.
var edmExceptionType = Want{
	Words: "one of the eight exception types", Mend: "Write one of the types of the list EDMErrorCodes.",
	Is: func(m *Message, v string) bool {
		for row := range m.lists.List(codelist.EDMErrorCodes).Rows() {
			if row.Get("type") == v {
				return true
			}
		}
		return false
	},
}

func failed(_ *Message, n *Node) bool { return status(n, "Failure") }

func hasAttr(name string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { _, ok := attr(n, name); return ok }
}

func withSlot(name string) func(*Message, *Node) bool {
	return func(_ *Message, n *Node) bool { return slot(n, name) != nil }
}

// excused: an exception says that the request could not be read, so that its id
// and its requester may be missing.
func excused(_ *Message, n *Node) bool {
	for e := range n.Each(nsRS, "Exception") {
		if v, _ := attr(e, "xsi:type"); v == invalidRequest {
			return true
		}
	}
	return false
}

func notExcused(m *Message, n *Node) string {
	if excused(m, n) {
		return ""
	}
	return "neither"
}

func otherCode(_ *Message, n *Node) bool {
	v, ok := attr(n, "code")
	return ok && v != previewCode
}

func previewTriple(_ *Message, n *Node) *Fault {
	for _, want := range [...]struct{ attr, value string }{{"severity", edmPreview}, {"xsi:type", missingConsent}, {"code", previewCode}} {
		v, ok := attr(n, want.attr)
		switch {
		case !ok:
			return &Fault{Found: "no attribute " + want.attr}
		case v != want.value:
			return &Fault{Attr: want.attr, Found: want.attr + " " + quote(v)}
		}
	}
	return nil
}

func oneAddress(_ *Message, n *Node) *Fault {
	if k := count(n, "sdg:Address"); k != 1 {
		return &Fault{Found: counted(k, "sdg:Address", "sdg:Address")}
	}
	a := child(n, "sdg:Address")
	if k := count(a, "sdg:AdminUnitLevel1"); k != 1 {
		return &Fault{At: a, Found: counted(k, "sdg:AdminUnitLevel1", "sdg:AdminUnitLevel1")}
	}
	return nil
}

// sameLanguage: an earlier sibling has the same name and language, so that the
// finding stands at the second.
func sameLanguage(m *Message, n *Node) string {
	if n.Parent() == nil {
		return ""
	}
	lang := n.Attr("", "lang")
	if m.firstInLang(n.Parent(), langKey{n.Local(), lang}) == n {
		return ""
	}
	return "a second " + n.Local() + " in " + quote(lang)
}

func couple(m *Message, n *Node) *Fault {
	row, ok := m.lists.List(codelist.EDMErrorCodes).Lookup(n.Attr("", "code"))
	if !ok {
		return nil
	}
	if v, ok := attr(n, "xsi:type"); ok && v != row.Get("type") && edmExceptionType.Is(m, v) {
		return &Fault{Attr: "xsi:type", Found: quote(v), Expect: row.Get("type")}
	}
	return nil
}
