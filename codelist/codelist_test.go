package codelist

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/once-only/oots/xmltree"
)

func TestBuiltIn(t *testing.T) {
	for name, want := range map[string]int{
		Procedures: 29, AgentClassification: 4, EDMErrorCodes: 8, EBErrorCodes: 7, DSDErrorCodes: 6, LCMErrorCodes: 3,
		ErrorSeverity: 3, LevelsOfAssurance: 3, Gender: 11, IdentifierSchemes: 7, OOTSMediaTypes: 7, EAS: 98,
		Country: 31, WorldCountry: 249, Language: 184, ClassificationNode: 4, AssociatedDocumentRequest: 3,
		EvidenceProviderClassificationType: 3, ResponseStatus: 3, JurisdictionLevel: 5,
	} {
		l := BuiltIn().List(name)
		if l.Len() != want || l.Edition == "" {
			t.Errorf("%s %q has %d entries, want %d", name, l.Edition, l.Len(), want)
		}
	}
	if n := len(BuiltIn().Names()); n != 20 {
		t.Errorf("%d lists: %v", n, BuiltIn().Names())
	}
}

func TestMembershipIsExact(t *testing.T) {
	s := BuiltIn()
	for _, c := range []struct {
		list, code string
		want       bool
	}{
		{Country, "EL", true}, {Country, "GR", false}, {WorldCountry, "GR", false}, {WorldCountry, "EL", true},
		{Language, "FR", true}, {Language, "fr", false}, {Language, " FR ", false}, {Procedures, "X8", false},
		{Procedures, SystemCheck, false}, {Procedures, "AM1", true}, {OOTSMediaTypes, "image/jpg", false},
		{EAS, "9901", false}, {EAS, "0158", true}, {NUTS, "AT11", false},
	} {
		if got := s.Contains(c.list, c.code); got != c.want {
			t.Errorf("%s contains %q: %v", c.list, c.code, got)
		}
	}
	old := Edition2022()
	if old.Contains(Procedures, "V5") || !old.Contains(Procedures, "V4") || old.List(Procedures).Len() != 21 {
		t.Error("the procedures of 2022 are wrong")
	}
	if !old.Contains(EAS, "9901") || old.Contains(EAS, "0158") {
		t.Error("the EAS codes of 2022 are wrong")
	}
	if s.List(NUTS) != nil {
		t.Error("NUTS is built in")
	}
	if n := len(s.List(OOTSMediaTypes).Codes()); n != 6 {
		t.Errorf("%d media types", n)
	}
	row, _ := s.List(EDMErrorCodes).Lookup("EDM:ERR:0004")
	if row.Get("type") != "rs:ObjectNotFoundExceptionType" || row.Get("message") != "Object not found" || row.Get("none") != "" {
		t.Error("EDM:ERR:0004 is wrong")
	}
}

func genericodeFile(columns, rows string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<gc:CodeList xmlns:gc="` + GenericodeSpace + `">
  <Identification><ShortName>NUTS2024</ShortName><Version>2024</Version><CanonicalUri>urn:x</CanonicalUri><CanonicalVersionUri>urn:x:1</CanonicalVersionUri></Identification>
  <ColumnSet>` + columns + `</ColumnSet>
  <SimpleCodeList>` + rows + `</SimpleCodeList>
</gc:CodeList>`
}

const codeAndName = `<Column Id="code" Use="required"><ShortName>code</ShortName><Data Type="string"/></Column>
<Column Id="name-EN" Use="optional"><ShortName>n</ShortName><Data Type="string"/></Column>
<Key Id="k"><ShortName>k</ShortName><ColumnRef Ref="code"/></Key>`

func value(column, v string) string {
	return fmt.Sprintf(`<Value ColumnRef="%s"><SimpleValue>%s</SimpleValue></Value>`, column, v)
}

func TestGenericode(t *testing.T) {
	l, err := ReadGenericode([]byte(genericodeFile(codeAndName,
		"<Row>"+value("code", " AT11\n")+value("name-EN", "Burgen\n land")+"</Row><Row><Value><SimpleValue>AT</SimpleValue></Value></Row>")))
	if err != nil {
		t.Fatal(err)
	}
	if l.Name != NUTS || l.Edition != "2024" || l.URI != "urn:x" || l.Len() != 2 || !l.Contains("AT") {
		t.Errorf("read %+v", l)
	}
	row, _ := l.Lookup("AT11")
	if row.Name("en") != "Burgen land" || row.Name("fr") != "" {
		t.Errorf("name is %q", row.Name("en"))
	}
	s := BuiltIn().With(l)
	if !s.Contains(NUTS, "AT11") || BuiltIn().Contains(NUTS, "AT11") {
		t.Error("With changes the wrong set")
	}
	// the key may have another name
	l, err = ReadGenericode([]byte(genericodeFile(strings.ReplaceAll(codeAndName, `"code"`, `"id"`), "<Row>"+value("id", "X")+"</Row>")))
	if err != nil || !l.Contains("X") {
		t.Errorf("another key: %v", err)
	}
}

func TestGenericodeRefuses(t *testing.T) {
	row := "<Row>" + value("code", "A") + "</Row>"
	for name, c := range map[string]struct{ doc, want string }{
		"twice":           {genericodeFile(codeAndName, row+row), `the code "A" stands twice`},
		"no code":         {genericodeFile(codeAndName, "<Row>"+value("name-EN", "A")+"</Row>"), "lacks the required Column"},
		"empty code":      {genericodeFile(codeAndName, "<Row>"+value("code", " ")+"</Row>"), "has no code"},
		"unknown column":  {genericodeFile(codeAndName, "<Row>"+value("x", "A")+"</Row>"), "belongs to no Column"},
		"value twice":     {genericodeFile(codeAndName, "<Row>"+value("code", "A")+value("code", "B")+"</Row>"), "two Values"},
		"complex value":   {genericodeFile(codeAndName, `<Row><Value ColumnRef="code"><ComplexValue/></Value></Row>`), "ComplexValue is not understood in Value"},
		"no key":          {genericodeFile(`<Column Id="a" Use="required"/>`, row), "no Column has the Id code"},
		"unknown element": {genericodeFile(codeAndName+"<ColumnSetRef/>", row), "ColumnSetRef is not understood"},
		"text":            {genericodeFile(codeAndName, "x"+row), "text stands in SimpleCodeList"},
		"wrong root":      {"<CodeList/>", "the root is CodeList"},
		"no column set":   {`<g:CodeList xmlns:g="` + GenericodeSpace + `"><Identification><ShortName>a</ShortName><Version>1</Version></Identification><SimpleCodeList/></g:CodeList>`, "lacks ColumnSet"},
		"broken end tag":  {strings.Replace(genericodeFile(codeAndName, row), "</SimpleValue>", "</SimpleValu>", 1), "closes SimpleValue"},
		"empty":           {"", "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadGenericode([]byte(c.doc))
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
		})
	}
	_, err := ReadGenericode([]byte("<!DOCTYPE a><a/>"))
	var x *xmltree.Error
	if !errors.As(err, &x) || x.Reason != xmltree.Doctype {
		t.Errorf("cause is %v", err)
	}
}

func FuzzReadGenericode(f *testing.F) {
	f.Add([]byte(genericodeFile(codeAndName, "<Row>"+value("code", "A")+"</Row>")))
	f.Add([]byte(genericodeFile(`<Column Id="a" Use="optional"/>`, "")))
	f.Fuzz(func(t *testing.T, src []byte) {
		l, err := ReadGenericode(src)
		if err != nil {
			return
		}
		for r := range l.Rows() {
			if r.Code() == "" || !l.Contains(r.Code()) {
				t.Fatal("a row without a code")
			}
		}
	})
}
