package edm

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodeFile[M Message](t testing.TB, file string) M {
	t.Helper()
	m, err := Decode(read(t, file))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	typed, ok := m.(M)
	if !ok {
		t.Fatalf("%s is a %T", file, m)
	}
	return typed
}

// again encodes a message in its own line and decodes it.
func again(t testing.TB, m Message, line Line) Message {
	t.Helper()
	b, err := Encode(m, line)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Decode(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return n
}

func TestFixtures(t *testing.T) {
	files, _ := filepath.Glob("testdata/v*/*.xml")
	if len(files) != 12 {
		t.Fatalf("%d fixtures", len(files))
	}
	for _, f := range files {
		t.Run(strings.TrimPrefix(f, "testdata/"), func(t *testing.T) {
			m, err := Decode(read(t, f))
			if err != nil {
				t.Fatal(err)
			}
			if want := Line("oots-edm:" + filepath.Base(filepath.Dir(f))); m.Spoken() != want {
				t.Errorf("the line is %s", m.Spoken())
			}
			if d := cmp.Diff(m, again(t, m, m.Spoken())); d != "" {
				t.Errorf("the message changes: %s", d)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	for _, line := range []string{"v2.0", "v1.2"} {
		r := decodeFile[*Request](t, "testdata/"+line+"/second-request.xml")
		if r.Procedure != "T2" || !r.Second() || !r.PossibilityForPreview || r.Requester().Identifier.Value != "00000077000000000007" ||
			len(r.Requesters) != 2 || r.NaturalPerson.FamilyName != "Example" || r.Answers[0].Values.Strings[0] != "R03" {
			t.Errorf("%s reads %+v", line, r)
		}
		if !r.IssuedAt.Equal(time.Date(2026, 11, 2, 10, 1, 0, 0, time.UTC)) {
			t.Errorf("issued at %v", r.IssuedAt)
		}
	}
}

func TestResponse(t *testing.T) {
	r := decodeFile[*Response](t, "testdata/v2.0/response.xml")
	docs := r.Documents()
	if len(docs) != 2 || docs[0].ContentID != "doc1@evidence.example.org" || docs[1].Of != docs[0].ID || docs[1].Kind != HumanReadableVersion {
		t.Errorf("documents %+v", docs)
	}
	if r.Provider().Names[0].Value != "Demo Board of Schools" || r.Deferred() {
		t.Error("the head of the response is wrong")
	}
	if d := decodeFile[*Response](t, "testdata/v1.2/deferred.xml"); !d.Deferred() || len(d.Packages) != 0 {
		t.Error("the deferred response is wrong")
	}
}

func TestErrorResponse(t *testing.T) {
	for line, method := range map[string]string{"v2.0": "", "v1.2": "GET"} {
		e := decodeFile[*ErrorResponse](t, "testdata/"+line+"/preview-required.xml")
		x := e.Exceptions[0]
		if x.Code != AuthorizationMissing || x.PreviewLocation == "" || x.PreviewMethod != method || x.Severity() != PreviewRequired || x.Message != "" {
			t.Errorf("%s reads %+v", line, x)
		}
		if x.Error() != "EDM:ERR:0002 Missing Authorization: Preview first" {
			t.Error(x.Error())
		}
	}
}

func TestAllEightExceptions(t *testing.T) {
	base := decodeFile[*ErrorResponse](t, "testdata/v2.0/not-found.xml")
	for _, c := range []Code{AuthenticationFailed, AuthorizationMissing, InvalidRequest, ObjectNotFound, Timeout, UnresolvedReference, Unsupported, QueryFailed} {
		base.Exceptions[0].Code = c
		got := again(t, base, V20).(*ErrorResponse).Exceptions[0]
		if got.Code != c || c.Type() == "" || c.Message() == "" {
			t.Errorf("%s becomes %+v", c, got)
		}
	}
	base.Exceptions[0].Code = "EDM:ERR:0009"
	if _, err := Encode(base, V20); err == nil {
		t.Error("an unknown code is written")
	}
}

// mutations are one defect each; a message with it is refused.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, file, old, new, want string }{
		{"unknown line", "first-request", "oots-edm:v2.0", "oots-edm:v3.0", "is not spoken here"},
		{"no line", "first-request", `name="SpecificationIdentifier"`, `name="Specification"`, "SpecificationIdentifier is missing"},
		{"unknown slot", "first-request", `name="Procedure"`, `name="Procedures"`, "does not belong into this message"},
		{"slot twice", "first-request", `name="ExplicitRequestGiven"`, `name="PossibilityForPreview"`, "stands twice"},
		{"slot missing", "second-request", `name="PossibilityForPreview"`, `name="EvidenceProviderClassification_"`, "does not belong"},
		{"wrong type", "first-request", `rim:BooleanValueType`, `rim:StringValueType`, "of type StringValueType, not BooleanValueType"},
		{"procedure of 1.2", "first-request", `xsi:type="rim:StringValueType"><rim:Value>T2</rim:Value>`,
			`xsi:type="rim:InternationalStringValueType"><rim:Value><rim:LocalizedString xml:lang="EN" value="T2"/></rim:Value>`, "not StringValueType"},
		{"root language", "first-request", ` id="urn`, ` xml:lang="EN" id="urn`, "R-EDM-REQ-S059"},
		{"another record", "first-request", "sdg:Person>", "sdg:NaturalPerson>", "stands where sdg:Person must stand"},
		{"unknown element", "first-request", "<sdg:FamilyName>", "<sdg:Nickname>x</sdg:Nickname><sdg:FamilyName>", "sdg:Nickname does not belong"},
		{"two subjects", "first-request", `<rim:Slot name="EvidenceRequest">`,
			`<rim:Slot name="LegalPerson"><rim:SlotValue xsi:type="rim:AnyValueType"><sdg:LegalPerson><sdg:LegalName>x</sdg:LegalName></sdg:LegalPerson></rim:SlotValue></rim:Slot><rim:Slot name="EvidenceRequest">`, "R-EDM-REQ-S016"},
		{"other query", "first-request", `"DocumentQuery"`, `"AdhocQuery"`, "not a DocumentQuery"},
		{"provider with class", "first-request", `Demo Board of Schools</sdg:Name>`, `Demo Board of Schools</sdg:Name><sdg:Classification>EP</sdg:Classification>`, "R-EDM-REQ-S043"},
		{"framework", "first-request", `(demo)</sdg:Name>`, `(demo)</sdg:Name><sdg:ReferenceFramework><sdg:Identifier>1</sdg:Identifier></sdg:ReferenceFramework>`, "R-EDM-REQ-S038"},
		{"assurance level", "first-request", `</sdg:DataServiceEvidenceType>`, `<sdg:AuthenticationLevelOfAssurance>Low</sdg:AuthenticationLevelOfAssurance></sdg:DataServiceEvidenceType>`, "R-EDM-REQ-S045"},
		{"no list", "deferred", "<rim:RegistryObjectList/>", "", "RegistryObjectList is missing"},
		{"status", "deferred", ":Unavailable", ":Success", "go together"},
		{"odd status", "deferred", ":Unavailable", ":Partial", "neither Success"},
		{"flat", "response", "rim:RegistryPackageType", "rim:ExtrinsicObjectType", "does not belong here"},
		{"no main", "response", `"MainEvidence"`, `"Annex"`, "R-EDM-RESP-S047"},
		{"unknown node", "response", `"HumanReadableVersion"`, `"Summary"`, "is MainEvidence, Annex"},
		{"wrong association", "response", `AssociationType:HumanReadableVersion`, `AssociationType:Annex`, "that of its supplement"},
		{"lost target", "response", `targetObject="urn:uuid:1b`, `targetObject="urn:uuid:2b`, "not in its package"},
		{"no content id", "response", `cid:doc1`, `doc1`, "does not begin with cid:"},
		{"list in a failure", "not-found", "</rs:Exception>", "</rs:Exception><rim:RegistryObjectList/>", "R-EDM-ERR-S007"},
		{"unknown code", "not-found", "EDM:ERR:0004", "EDM:ERR:0099", "no code of the list"},
		{"method in 2.0", "preview-required", `name="PreviewDescription"`, `name="PreviewMethod"`, "does not belong into this message"},
		{"issue time in a failure", "not-found", `name="EvidenceRequester"`, `name="IssueDateTime"`, "does not belong into this message"},
		{"another root", "first-request", "query:QueryRequest", "query:Request", "is no message"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := string(read(t, "testdata/v2.0/"+c.file+".xml"))
			if !strings.Contains(src, c.old) {
				t.Fatalf("%s does not hold %q", c.file, c.old)
			}
			_, err := Decode([]byte(strings.ReplaceAll(src, c.old, c.new)))
			var x *Exception
			if !errors.As(err, &x) || x.Code != InvalidRequest || !strings.Contains(x.Detail, c.want) {
				t.Fatalf("error is %v, want %q", err, c.want)
			}
			var place *regrep.ContentError
			if !errors.As(err, &place) || place.Line == 0 {
				t.Errorf("the error has no place: %v", err)
			}
		})
	}
	_, err := Decode([]byte("PK\x03\x04"))
	var x *xmltree.Error
	if !errors.As(err, &x) || x.Reason != xmltree.NotXML {
		t.Errorf("error is %v", err)
	}
}

// A refusal may be sent to another Member State: it must not tell who the
// message is about.
func TestRefusalsNameNobody(t *testing.T) {
	src := string(read(t, "testdata/v2.0/first-request.xml"))
	for _, old := range []string{"2004-05-06", "<sdg:FamilyName>", "rim:BooleanValueType", "</sdg:Person>"} {
		_, err := Decode([]byte(strings.Replace(src, old, "Testa<x/>", 1)))
		if err == nil || strings.Contains(err.Error(), "Testa") || strings.Contains(err.Error(), "Example") {
			t.Errorf("error is %v", err)
		}
	}
}

func TestWhatALineCannotSay(t *testing.T) {
	request := decodeFile[*Request](t, "testdata/v2.0/second-request.xml")
	response := decodeFile[*Response](t, "testdata/v2.0/response.xml")
	failure := decodeFile[*ErrorResponse](t, "testdata/v1.2/preview-required.xml")
	for name, c := range map[string]struct {
		m    Message
		line Line
	}{
		"several distributions": {request, V12}, "packages": {response, V12}, "preview method": {failure, V20},
	} {
		if _, err := Encode(c.m, c.line); err == nil {
			t.Errorf("%s can be said in %s", name, c.line)
		}
		fitted, notes := Fit(c.m, c.line)
		if len(notes) == 0 {
			t.Errorf("%s: nothing is noted", name)
		}
		if _, err := Encode(fitted, c.line); err != nil {
			t.Errorf("%s: fitted, but %v", name, err)
		}
	}
	if request.ReturnLocation == "" || len(request.Evidence.DistributedAs) != 2 || len(response.Packages[0].Documents) != 2 {
		t.Error("Fit changes the original")
	}
	representative := *decodeFile[*Request](t, "testdata/v1.2/first-request.xml")
	representative.RepresentativeOrganisation = &sdg.LegalPerson{LegalName: "Demo Ltd"}
	if _, err := Encode(&representative, V10); err == nil || !strings.Contains(err.Error(), "AuthorizedRepresentativeLegalPerson") {
		t.Errorf("error is %v", err)
	}
}

func TestFitKeepsWhatTheLineCanSay(t *testing.T) {
	files, _ := filepath.Glob("testdata/v*/*.xml")
	for _, f := range files {
		m, err := Decode(read(t, f))
		if err != nil {
			t.Fatal(err)
		}
		fitted, notes := Fit(m, m.Spoken())
		opts := cmpopts.IgnoreFields(Request{}, "Line")
		if d := cmp.Diff(m, fitted, opts, cmpopts.IgnoreFields(Response{}, "Line"), cmpopts.IgnoreFields(ErrorResponse{}, "Line")); d != "" || len(notes) > 0 {
			t.Errorf("%s changes: %s %v", f, d, notes)
		}
		for _, line := range Lines() {
			other, _ := Fit(m, line)
			if r, ok := other.(*Response); ok && line == V20 {
				n := 0
				r.AssignIDs(func() string { n++; return time.Unix(int64(n), 0).Format("20060102150405") })
			}
			if _, err := Encode(other, line); err != nil && line != V10 {
				t.Errorf("%s in %s: %v", f, line, err)
			}
		}
	}
}

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		announced []string
		spoken    []Line
		want      Line
	}{
		{[]string{"oots-edm:v1.2", "oots-edm:v2.0"}, nil, V20},
		{[]string{" oots-edm:v1.2\n", "oots-edm:v9.9"}, nil, V12},
		{[]string{"oots-edm:v1.0", "oots-edm:v1.2", "oots-edm:v2.0"}, []Line{V12, V10}, V12},
		{[]string{"oots-edm:v3.0"}, nil, ""},
		{nil, nil, ""},
	} {
		got, err := Negotiate(c.announced, c.spoken)
		var none *NoCommonLine
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !errors.As(err, &none) {
			t.Errorf("%v and %v give %q, %v", c.announced, c.spoken, got, err)
		}
	}
}

func TestHeader(t *testing.T) {
	r := decodeFile[*Response](t, "testdata/v2.0/response.xml")
	h, err := HeaderFor(r, V20, "exchange-1", "regrep@ap.example.org")
	if err != nil {
		t.Fatal(err)
	}
	h.Timestamp, h.MessageID, h.ConversationID = time.Date(2026, 11, 2, 10, 7, 1, 0, time.UTC), "m@ap.example.org", "c"
	h.From.ID, h.From.Type, h.To.ID, h.To.Type = "AP_FI_7", UnregisteredPartyOOTS, "AP_NL_7", UnregisteredPartyOOTS
	if len(h.Properties) != 4 || h.Line() != V20 || h.Identifier(OriginalSender) != r.Provider().Identifier || h.Action != KindResponse {
		t.Errorf("properties %+v", h.Properties)
	}
	if len(h.Parts) != 3 || h.Parts[2].ContentID != "doc2@evidence.example.org" || h.Parts[2].MimeType != "application/pdf" {
		t.Errorf("parts %+v", h.Parts)
	}
	b, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := xmltree.Parse(b, xmltree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadHeader(doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(h, got); d != "" {
		t.Errorf("the header changes: %s", d)
	}
	q := decodeFile[*Request](t, "testdata/v1.2/first-request.xml")
	if h, err = HeaderFor(q, V12, "", "x@y"); err != nil || len(h.Properties) != 2 || len(h.Parts) != 1 {
		t.Errorf("a header of 1.2: %+v, %v", h, err)
	}
	if _, err = HeaderFor(q, V20, "", "x@y"); err == nil {
		t.Error("a header of 2.0 without ExchangeId is made")
	}
}

// samplesRefused says why a published message is not read.
var samplesRefused = map[string]string{
	"EDM_Ferst_Request.xml":  "the attribute xsi:lang does not belong here",
	"EDM_Second_Request.xml": "the attribute xsi:lang does not belong here",
	"EDM_Ferst_Response.xml": "the attribute xsi:lang does not belong here",
}

func sampleFiles(t *testing.T) []string {
	files, _ := filepath.Glob("../../shared/samples/edm-1.0/messages/Request-Response*oots_*.xml")
	more, _ := filepath.Glob("../../shared/samples/edm-1.2/*.xml")
	files = append(files, more...)
	if len(files) == 0 {
		t.Skip("../shared/samples is not here")
	}
	return files
}

func TestSamples(t *testing.T) {
	for _, f := range sampleFiles(t) {
		name := filepath.Base(f)
		src := read(t, f)
		if strings.HasSuffix(name, "_header.xml") {
			doc, err := xmltree.Parse(src, xmltree.Options{})
			if err != nil {
				t.Fatal(err)
			}
			h, err := ReadHeader(doc.Root)
			if err != nil || h.Service != Service || len(h.Parts) == 0 || len(h.Properties) != 2 {
				t.Errorf("%s: %+v, %v", name, h, err)
			}
			continue
		}
		m, err := Decode(src)
		if want := samplesRefused[name]; want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want %s", name, err, want)
			}
			// with that defect mended it is read
			m, err = Decode(bytes.ReplaceAll(src, []byte("xsi:lang"), []byte("xml:lang")))
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(m, again(t, m, m.Spoken())); d != "" {
			t.Errorf("%s changes: %s", name, d)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/v*/*.xml")
	for _, file := range files {
		f.Add(read(f, file))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := Decode(src)
		if err != nil {
			var x *Exception
			if !errors.As(err, &x) || x.Code != InvalidRequest {
				t.Fatalf("error is %v", err)
			}
			return
		}
		b, err := Encode(m, m.Spoken())
		if err != nil {
			return // empty values that are read are not written
		}
		n, err := Decode(b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if d := cmp.Diff(m, n, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkDecodeRequest(b *testing.B) {
	src := read(b, "testdata/v2.0/second-request.xml")
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRequest(b *testing.B) {
	r := decodeFile[*Request](b, "testdata/v2.0/second-request.xml")
	b.ReportAllocs()
	for b.Loop() {
		out, err := Encode(r, V20)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(out)))
	}
}
