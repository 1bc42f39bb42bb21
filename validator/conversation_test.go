package validator

import (
	"slices"
	"strings"
	"testing"
)

// talk is a sound conversation on line 2.0: a first request, the exception that
// leads to the preview, the second request, the response, each with its header,
// a receipt for the response, and the directory answers the request came from.
type talk map[string]string

var talkOrder = []string{"first", "exception", "second", "response"}

const firstID = "0f0f0f0f-8d3e-4f0a-9a51-1c2d3e4f5a60"

func soundTalk() talk {
	s := specimens{V20}
	second := s.request(s.naturalPerson())
	firstRequest := strings.Replace(second, specimenRequestID, firstID, 1)
	firstRequest, _ = dropSlot("PreviewLocation")(firstRequest)
	firstRequest, _ = dropSlot("ReturnLocation")(firstRequest)
	firstRequest = strings.Replace(firstRequest, "2026-11-02T09:15:24", "2026-11-02T09:15:00", 1)
	exceptionMessage := strings.Replace(s.preview(), specimenRequestID, firstID, 1)
	response := s.response(s.aboutPerson())
	response, _ = swap("T09:31:42", "T09:31:42")(response)
	// The request asks for two kinds of supplements; the annex is left out.
	response, _ = inAnnex(drop)(response)
	response, _ = inLink(drop)(response)
	header := func(action, id string) string {
		return strings.Replace(s.header(action), "40000000-0000-4000-8000-000000000001", id, 1)
	}
	responseHeader := header("ExecuteQueryResponse", "40000000-0000-4000-8000-000000000004")
	responseHeader, _ = swap(headerPart("annex0001@evidence.sample.example", "application/pdf"), "")(responseHeader)
	return talk{
		"first": firstRequest, "exception": exceptionMessage, "second": second, "response": response,
		"first header":     header("ExecuteQueryRequest", "40000000-0000-4000-8000-000000000001"),
		"exception header": header("ExceptionResponse", "40000000-0000-4000-8000-000000000002"),
		"second header":    header("ExecuteQueryRequest", "40000000-0000-4000-8000-000000000003"),
		"response header":  responseHeader,
		"receipt": `<eb:Messaging xmlns:eb="` + nsEB + `"><eb:SignalMessage><eb:MessageInfo><eb:Timestamp>2026-11-02T09:31:44.000Z</eb:Timestamp><eb:MessageId>r1@ap.sample.example</eb:MessageId><eb:RefToMessageId>40000000-0000-4000-8000-000000000004@ap.sample.example</eb:RefToMessageId></eb:MessageInfo>
<eb:Receipt><ebbp:NonRepudiationInformation xmlns:ebbp="http://docs.oasis-open.org/ebxml-bp/ebbp-signals-2.0">` + strings.Repeat("<ebbp:MessagePartNRInformation/>", 5) + `</ebbp:NonRepudiationInformation></eb:Receipt></eb:SignalMessage></eb:Messaging>`,
		"broker": `<query:QueryResponse` + specimenNamespaces + ` status="` + statusPrefix + `Success"><rim:RegistryObjectList><rim:RegistryObject id="urn:uuid:1"><rim:Slot name="Requirement"><rim:SlotValue xsi:type="rim:AnyValueType"><sdg:Requirement>
<sdg:Identifier>https://sr.oots.tech.ec.europa.eu/requirements/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d</sdg:Identifier><sdg:Name lang="EN">Proof of completed secondary education (sample)</sdg:Name>
<sdg:ReferenceFramework><sdg:Identifier>1</sdg:Identifier><sdg:RelatedTo><sdg:Identifier>T2</sdg:Identifier></sdg:RelatedTo><sdg:Jurisdiction><sdg:AdminUnitLevel1>NL</sdg:AdminUnitLevel1></sdg:Jurisdiction></sdg:ReferenceFramework>
<sdg:EvidenceTypeList><sdg:Identifier>2</sdg:Identifier><sdg:EvidenceType><sdg:EvidenceTypeClassification>` + specimenType + `</sdg:EvidenceTypeClassification><sdg:Title lang="EN">T</sdg:Title></sdg:EvidenceType><sdg:Jurisdiction><sdg:AdminUnitLevel1>FI</sdg:AdminUnitLevel1></sdg:Jurisdiction></sdg:EvidenceTypeList>
</sdg:Requirement></rim:SlotValue></rim:Slot></rim:RegistryObject></rim:RegistryObjectList></query:QueryResponse>`,
		"directory": `<query:QueryResponse` + specimenNamespaces + ` status="` + statusPrefix + `Success"><rim:RegistryObjectList><rim:RegistryObject id="urn:uuid:1"><rim:Slot name="DataServiceEvidenceType"><rim:SlotValue xsi:type="rim:AnyValueType"><sdg:DataServiceEvidenceType>
<sdg:Identifier>5f6a7b8c-9d0e-4f1a-8b2c-3d4e5f6a7b8c</sdg:Identifier><sdg:EvidenceTypeClassification>` + specimenType + `</sdg:EvidenceTypeClassification><sdg:Title lang="EN">Secondary school certificate (sample)</sdg:Title>
<sdg:DistributedAs><sdg:Format>application/xml</sdg:Format><sdg:ConformsTo>` + specimenModel + `</sdg:ConformsTo></sdg:DistributedAs><sdg:DistributedAs><sdg:Format>application/pdf</sdg:Format></sdg:DistributedAs>
<sdg:AccessService><sdg:Identifier schemeID="` + partyTypeBase + `">AP_FI_99</sdg:Identifier><sdg:ConformsTo>oots-edm:v1.2</sdg:ConformsTo><sdg:ConformsTo>oots-edm:v2.0</sdg:ConformsTo><sdg:Publisher>` + providerID + `</sdg:Publisher></sdg:AccessService>
<sdg:AuthenticationLevelOfAssurance>Substantial</sdg:AuthenticationLevelOfAssurance>
</sdg:DataServiceEvidenceType></rim:SlotValue></rim:Slot></rim:RegistryObject></rim:RegistryObjectList></query:QueryResponse>`,
		"question": `<query:QueryResponse` + specimenNamespaces + ` status="` + statusPrefix + `Failure"><rs:Exception code="DSD:ERR:0005" message="x"><rim:Slot name="EvidenceProviderClassification"><rim:SlotValue xsi:type="rim:CollectionValueType"><rim:Element xsi:type="rim:AnyValueType"><sdg:EvidenceProviderClassification><sdg:Identifier>7d9f0b1a-2c3d-4e4f-8a5b-6c7d8e9f0a1b</sdg:Identifier></sdg:EvidenceProviderClassification></rim:Element></rim:SlotValue></rim:Slot></rs:Exception></query:QueryResponse>`,
	}
}

func (k talk) compare(t *testing.T) *Report {
	t.Helper()
	v := New(Config{})
	read := func(name string) *Message {
		r := v.Validate([]byte(k[name]), Options{Name: name})
		if r.Message == nil {
			t.Fatalf("%s cannot be read: %+v", name, r.Findings)
		}
		return r.Message
	}
	var messages []*Message
	var known Related
	for _, name := range talkOrder {
		messages = append(messages, read(name))
		known.Headers = append(known.Headers, read(name+" header"))
	}
	messages = append(messages, read("receipt"))
	for _, name := range []string{"broker", "directory", "question"} {
		known.Directory = append(known.Directory, read(name))
	}
	conversations := Assemble(messages, known)
	out := &Report{}
	for _, c := range conversations {
		r := v.Compare(c)
		out.Findings = append(out.Findings, r.Findings...)
		out.Passed = append(out.Passed, r.Passed...)
	}
	return out
}

func TestSoundConversation(t *testing.T) {
	r := soundTalk().compare(t)
	for _, f := range r.Findings {
		t.Errorf("%s in %s, line %d: found %s, expected %s", f.Rule, f.File, f.Line, f.Found, f.Expected)
	}
	for _, rule := range conversationRules {
		if !slices.Contains(r.Passed, rule.ID) {
			t.Errorf("%s was not judged", rule.ID)
		}
	}
}

// talkDefects spoils one message of the conversation for each check.
var talkDefects = []struct {
	rule, message string
	edit          edit1
	also          string
}{
	{"X-01", "first header", swap("oots-edm:v2.0", "oots-edm:v1.2"), ""},
	{"X-02", "first header", swap(">00000099000000000001<", ">00000099000000000002<"), ""},
	{"X-03", "first header", swap(">0000000-1<", ">0000000-9<"), ""},
	{"X-04", "response header", swap(">0000000-1<", ">0000000-9<"), ""},
	{"X-04", "exception header", swap(">0000000-1<", ">0000000-9<"), ""},
	{"X-05", "exception header", setTag("eb:Action", "ExecuteQueryResponse"), ""},
	{"X-06", "response header", swap("cid:human0001@", "cid:human0002@"), ""},
	{"X-07", "response header", swap(">application/pdf<", ">image/png<"), ""},
	{"X-11", "response", inside("SpecificationIdentifier", swap("v2.0", "v1.2")), ""},
	{"X-12", "response header", swap(">50000000-", ">50000001-"), ""},
	{"X-12", "response header", swap(">60000000-", ">60000001-"), ""},
	{"X-13", "response", inside("EvidenceRequester", swap("00000099000000000001", "00000099000000000002")), "X-04"},
	{"X-14", "response", inside("EvidenceProvider", swap(">0000000-1<", ">0000000-9<")), "X-04"},
	{"X-15", "response", swap("1f2e3d4c-5b6a", "1f2e3d4c-5b6b"), ""},
	{"X-16", "response", swap(">"+specimenModel+"<", ">"+specimenModel+".1<"), ""},
	{"X-18", "response", swap("<sdg:FamilyName>Specimen<", "<sdg:FamilyName>Somebody<"), ""},
	{"X-18", "response", within("<sdg:NaturalPerson>", "</sdg:NaturalPerson>", func(string) (string, bool) { return specimens{V20}.aboutOrganisation(), true }), ""},
	{"X-19", "second", swapAll("<sdg:AssociatedDocumentRequest>Translation</sdg:AssociatedDocumentRequest>", ""), "X-34"},
	{"X-20", "response", swap(specimenRequestID, firstID), ""},
	{"X-21", "exception", swap(firstID, specimenRequestID), ""},
	{"X-22", "response", swap("2026-11-02T09:31:42", "2026-11-01T09:31:42"), ""},
	{"X-30", "second", swap(specimenRequestID, firstID), ""},
	{"X-31", "second header", swap(">60000000-", ">60000001-"), "X-12"},
	{"X-32", "second", inside("PreviewLocation", swap("a998", "a999")), ""},
	{"X-33", "second", dropSlot("ReturnLocation"), ""},
	{"X-34", "second", inside("ExplicitRequestGiven", swap("true", "false")), ""},
	{"X-35", "second", inside("EvidenceRequester", swap("00000099000000000001", "00000099000000000002")), "X-02 X-13 X-34"},
	{"X-40", "broker", swap("0a1b2c3d-", "0a1b2c3e-"), "X-41"},
	{"X-40", "broker", swap(">T2<", ">T1<"), ""},
	{"X-41", "broker", swap("1f2e3d4c", "1f2e3d4d"), ""},
	{"X-42", "directory", swap(">application/pdf<", ">image/png<"), ""},
	{"X-43", "directory", swap(">AP_FI_99<", ">AP_FI_98<"), ""},
	{"X-43", "directory", swap(">0000000-1<", ">0000000-2<"), ""},
	{"X-44", "directory", swap("<sdg:ConformsTo>oots-edm:v2.0</sdg:ConformsTo>", ""), ""},
	{"X-45", "question", swap("7d9f0b1a", "7d9f0b1b"), ""},
	{"X-46", "directory", swap(">Substantial<", ">High<"), ""},
	{"X-50", "receipt", swap("000000000004@", "000000000005@"), ""},
	{"X-51", "receipt", swap("2026-11-02", "2026-11-01"), ""},
	{"X-52", "receipt", swap("<ebbp:MessagePartNRInformation/><ebbp:MessagePartNRInformation/>", ""), ""},
}

// Each defect between the messages is found as exactly its check.
func TestConversationDefects(t *testing.T) {
	shown := map[string]bool{"X-10": true} // TestForcedRequest
	for _, d := range talkDefects {
		shown[d.rule] = true
		t.Run(d.rule+" "+d.message, func(t *testing.T) {
			k := soundTalk()
			text, ok := d.edit(k[d.message])
			if !ok {
				t.Fatal("nothing to change")
			}
			k[d.message] = text
			ids, _ := rulesOf(k.compare(t))
			want := append(strings.Fields(d.also), d.rule)
			slices.Sort(want)
			if !slices.Equal(ids, want) {
				t.Errorf("found %v, want %v", ids, want)
			}
		})
	}
	for _, r := range conversationRules {
		if !shown[r.ID] {
			t.Errorf("%s: no conversation fails on it", r.ID)
		}
	}
}

// A request that the caller names is the one answered, whatever the answer says.
func TestForcedRequest(t *testing.T) {
	k, v := soundTalk(), New(Config{})
	answer := v.Validate([]byte(k["exception"]), Options{Name: "answer"}).Message
	request := v.Validate([]byte(k["second"]), Options{Name: "request"}).Message
	conversations := Assemble([]*Message{answer}, Related{Request: request})
	if len(conversations) != 1 {
		t.Fatalf("%d conversations", len(conversations))
	}
	r := v.Compare(conversations[0])
	if !r.Has("X-10") || !r.Has("X-21") || !r.Refused() {
		t.Errorf("found %+v", r.Findings)
	}
}

// Messages that have nothing to do with each other stay apart.
func TestStrangersStayApart(t *testing.T) {
	v := New(Config{})
	var messages []*Message
	for _, text := range []string{soundTalk()["first"], strings.ReplaceAll(soundTalk()["response"], specimenRequestID, "99999999-8d3e-4f0a-9a51-1c2d3e4f5a60")} {
		messages = append(messages, v.Validate([]byte(text), Options{}).Message)
	}
	for _, c := range Assemble(messages, Related{}) {
		if len(c.Steps) != 1 || c.Related() {
			t.Errorf("a conversation of %d steps", len(c.Steps))
		}
	}
}
