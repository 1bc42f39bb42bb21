package validator

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
)

// Bytes that are no message are refused with the reason.
func TestHostileInputIsRefusedWithTheReason(t *testing.T) {
	request := specimen(t, EDMRequest, V20, "request for a natural person")
	v := New(Config{})
	for _, c := range []struct{ name, input, rule string }{
		{"empty file", "", "XML-empty"},
		{"white space", " \n\t ", "XML-empty"},
		{"ZIP", "PK\x03\x04\x14\x00\x00\x00\x08\x00", "XML-not-xml"},
		{"PDF", "%PDF-1.7\n", "XML-not-xml"},
		{"binary", "\x00\x01\x02\xff\xfe", ""},
		{"UTF-16", "\xff\xfe<\x00a\x00/\x00>\x00", "XML-encoding"},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, "XML-encoding"},
		{"bytes that are not UTF-8", "<a>\xe9</a>", "XML-encoding"},
		{"entity bomb", `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><a>&b;</a>`, "XML-doctype"},
		{"external entity", `<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`, "XML-doctype"},
		{"unknown entity", `<a>&secret;</a>`, "XML-doctype"},
		{"deep nesting", strings.Repeat("<a>", 1_000_000), "XML-limit"},
		{"many attributes", "<a " + attributes(1_000_000) + "/>", "XML-limit"},
		{"many elements", "<a>" + strings.Repeat("<b/>", 1_000_000) + "</a>", "XML-limit"},
		{"too large", "<a>" + strings.Repeat("x", 17<<20) + "</a>", "XML-limit"},
		{"truncated", request[:len(request)-len("</query:QueryRequest>\n")], "XML-truncated"},
		{"truncated in a tag", request[:300], "XML-truncated"},
		{"not well-formed", "<a><b></a>", "XML-malformed"},
		{"prefix not declared", "<rim:Slot/>", "XML-namespace"},
		{"another document", "<certificate/>", "STR-09"},
		{"a processing instruction in an envelope", `<S12:Envelope xmlns:S12="` + nsSOAP + `"><S12:Header><?x y?><eb:Messaging xmlns:eb="` + nsEB + `"/></S12:Header></S12:Envelope>`, "XML-processing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := v.Validate([]byte(c.input), Options{})
			if !r.Refused() || len(r.Findings) != 1 {
				t.Fatalf("findings %+v", r.Findings)
			}
			f := r.Findings[0]
			if c.rule != "" && f.Rule != c.rule {
				t.Errorf("refused as %s, want %s: %s", f.Rule, c.rule, f.Found)
			}
			if f.Found == "" || f.Mend == "" || len(f.Found) > 500 {
				t.Errorf("the reason does not help: %+v", f)
			}
		})
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d='' ", i)
	}
	return b.String()
}

// A message with more defects than a report may list is still refused, and
// counts what it leaves out.
func TestReportsAreBounded(t *testing.T) {
	request := specimen(t, EDMRequest, V20, "request for a natural person")
	flood := strings.Replace(request, "<query:ResponseOption", strings.Repeat(`<rim:Slot name="x"/>`, 50_000)+"<query:ResponseOption", 1)
	r := New(Config{MaxFindings: 40}).Validate([]byte(flood), Options{})
	if len(r.Findings) != 40 || r.More < 50_000 || !r.Refused() {
		t.Errorf("%d findings, %d more", len(r.Findings), r.More)
	}
}

// A message whose siblings all refer to each other costs time in proportion to
// its size, not to its square: these would take hours otherwise.
func TestSiblingsAreNotScannedForEach(t *testing.T) {
	if testing.Short() {
		t.Skip("large messages")
	}
	v := New(Config{MaxFindings: 10})
	response := specimen(t, EDMResponse, V20, "response with evidence")
	links := strings.Repeat(strings.Replace(association("13", "03", "HumanReadableVersion"), "-000000000003", "-999999999999", 1), 40_000)
	many, ok := before("</rim:RegistryObjectList>\n</rim:RegistryObject>\n</rim:RegistryObjectList>", links)(response)
	if !ok {
		t.Fatal("nothing changed")
	}
	if r := v.Validate([]byte(many), Options{}); r.Message == nil || r.More < 39_000 {
		t.Errorf("%d more findings: %+v", r.More, r.Findings)
	}
	errorMessage := specimen(t, EDMError, V20, "error")
	names := strings.Repeat(`<sdg:Name lang="EN">Sample University</sdg:Name>`, 150_000)
	many, _ = inside("EvidenceRequester", after("</sdg:Name>", names))(errorMessage)
	if r := v.Validate([]byte(many), Options{}); r.Message == nil || r.More < 100_000 {
		t.Errorf("%d more findings: %+v", r.More, r.Findings)
	}
}

// The default logger hears nothing: not of names, not of values.
func TestNothingIsLogged(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	v := New(Config{})
	for _, d := range personDefects {
		text, s := d.spoil(t)
		v.Validate([]byte(text), Options{Kind: s.Kind, Line: s.Line})
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log.String())
	}
}

// FuzzValidate: nothing panics, every finding is complete, the text of a report
// is clean, and judging twice gives the same.
func FuzzValidate(f *testing.F) {
	for _, s := range Specimens() {
		f.Add([]byte(s.XML))
	}
	for _, d := range allDefects() {
		if text, _ := d.spoil(f); len(text) < 9000 && strings.HasPrefix(d.rule, "R-EDM-RESP-S05") {
			f.Add([]byte(text))
		}
	}
	f.Add([]byte(soundTalk()["broker"]))
	f.Add([]byte(soundTalk()["receipt"]))
	v := New(Config{MaxFindings: 50})
	f.Fuzz(func(t *testing.T, src []byte) {
		r := v.Validate(src, Options{Name: "fuzz"})
		for i := range r.Findings {
			if x := &r.Findings[i]; x.Rule == "" || x.Found == "" || x.Expected == "" || x.Mend == "" {
				t.Errorf("an incomplete finding: %+v", x)
			}
		}
		var out bytes.Buffer
		if err := r.WriteText(&out); err != nil || !utf8.Valid(out.Bytes()) {
			t.Errorf("text: %v", err)
		}
		if r.Message == nil {
			return
		}
		Describe(r.Message)
		for _, c := range Assemble([]*Message{r.Message, r.Message}, Related{}) {
			Story(c)
			v.Compare(c)
		}
		again := v.Validate(src, Options{Name: "fuzz"})
		if len(again.Findings) != len(r.Findings) || len(again.Passed) != len(r.Passed) {
			t.Errorf("judged differently the second time")
		}
	})
}
