package sdg

import (
	stdcmp "cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/xmltree"
)

// anyElements yields the records in the slots of a RegRep document.
func anyElements(root *xmltree.Element) (list []*xmltree.Element) {
	for e := range root.Descendants() {
		if (e.Is(regrep.RIM, "SlotValue") || e.Is(regrep.RIM, "Element")) &&
			strings.HasSuffix(e.Attr(xmltree.XSISpace, "type"), "AnyValueType") {
			list = append(list, e.First())
		}
	}
	return list
}

func roundTrip(t *testing.T, v any, g Generation) {
	t.Helper()
	w := xmltree.NewFragment()
	w.Open("rim:Any")
	w.Declare("rim", "sdg")
	WriteAny(w, v, g)
	w.Close()
	b, err := w.Bytes()
	if err != nil {
		t.Errorf("%T is not written: %v", v, err)
		return
	}
	doc, err := xmltree.Parse(b, xmltree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadAny(doc.Root.First(), g)
	if err != nil {
		t.Errorf("%T is not read again: %v\n%s", v, err, b)
		return
	}
	if d := cmp.Diff(v, again); d != "" {
		t.Errorf("%T changes on its way: %s", v, d)
	}
}

// refusedSamples are the records that break the schema of their time; the
// reason is part of the error.
var refusedSamples = map[string]string{
	"LCM_DSD-LCM-Bulk-SubmitObjects.xml": "Identifier does not belong into sdg:AccessService",
	"LCM_LCM_DSDRegistryObjectEP.xml":    "AccessService is not of the namespace " + Space,
}

func TestSamples(t *testing.T) {
	files, _ := filepath.Glob("../../shared/samples/edm-*/messages/*.xml")
	more, _ := filepath.Glob("../../shared/samples/edm-1.2/*.xml")
	files = append(files, more...)
	if len(files) == 0 {
		t.Skip("../shared/samples is not here")
	}
	records := 0
	for _, f := range files {
		name := filepath.Base(f)
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := regrep.Parse(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var refused error
		for _, e := range anyElements(doc.Root) {
			v, err := ReadAny(e, All)
			if err != nil {
				refused = stdcmp.Or(refused, err)
				continue
			}
			records++
			roundTrip(t, v, All)
		}
		switch want := refusedSamples[name]; {
		case want == "" && refused != nil:
			t.Errorf("%s: %v", name, refused)
		case want != "" && (refused == nil || !strings.Contains(refused.Error(), want)):
			t.Errorf("%s: refused with %v, want %s", name, refused, want)
		}
	}
	t.Logf("%d records in %d files", records, len(files))
}

func read(t *testing.T, xml string, g Generation) (any, error) {
	t.Helper()
	doc, err := xmltree.Parse([]byte(`<x xmlns:sdg="`+Space+`" xmlns:o="urn:o">`+xml+`</x>`), xmltree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return ReadAny(doc.Root.First(), g)
}

const agentStart = `<sdg:Agent><sdg:Identifier schemeID="s">1</sdg:Identifier>`

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		xml  string
		g    Generation
		want string
	}{
		"unknown record":        {`<sdg:Thing/>`, All, "no record"},
		"other namespace":       {`<o:Agent/>`, All, "not of the namespace"},
		"missing":               {agentStart + `</sdg:Agent>`, All, "sdg:Name is missing"},
		"twice":                 {agentStart + `<sdg:Identifier>2</sdg:Identifier></sdg:Agent>`, All, "stands twice"},
		"order":                 {agentStart + `<sdg:Name>a</sdg:Name><sdg:Classification>ER</sdg:Classification><sdg:Address><sdg:AdminUnitLevel1>FI</sdg:AdminUnitLevel1></sdg:Address></sdg:Agent>`, All, "too late"},
		"unknown element":       {agentStart + `<sdg:Name>a</sdg:Name><sdg:Extra/></sdg:Agent>`, All, "sdg:Extra does not belong"},
		"foreign element":       {agentStart + `<o:Name>a</o:Name></sdg:Agent>`, All, "o:Name does not belong"},
		"unknown attribute":     {agentStart + `<sdg:Name language="EN">a</sdg:Name></sdg:Agent>`, All, "attribute language"},
		"text between":          {agentStart + `x<sdg:Name>a</sdg:Name></sdg:Agent>`, All, "text stands between"},
		"element in text":       {agentStart + `<sdg:Name>a<sdg:b/></sdg:Name></sdg:Agent>`, All, "does not belong"},
		"language in 1.2":       {distributed(`<sdg:Format>f</sdg:Format><sdg:Language>FI</sdg:Language>`), V12, "does not exist in this version"},
		"transformation in 2.0": {distributed(`<sdg:Format>f</sdg:Format><sdg:Transformation>t</sdg:Transformation>`), V20, "does not exist in this version"},
		"no date":               {`<sdg:Person><sdg:FamilyName>a</sdg:FamilyName><sdg:GivenName>b</sdg:GivenName><sdg:DateOfBirth>2001-02-30</sdg:DateOfBirth></sdg:Person>`, All, "is not a date"},
		"two subjects": {`<sdg:Evidence><sdg:Identifier>1</sdg:Identifier><sdg:IsAbout><sdg:NaturalPerson><sdg:FamilyName>a</sdg:FamilyName><sdg:GivenName>b</sdg:GivenName><sdg:DateOfBirth>2001-02-03</sdg:DateOfBirth></sdg:NaturalPerson>
			<sdg:LegalPerson><sdg:LegalName>c</sdg:LegalName></sdg:LegalPerson></sdg:IsAbout></sdg:Evidence>`, V20, "one kind of value, not 2"},
		"evidence of 1.x without subject": {`<sdg:Evidence><sdg:Identifier>1</sdg:Identifier><sdg:Distribution><sdg:Format>f</sdg:Format></sdg:Distribution></sdg:Evidence>`, V12, "sdg:IsAbout is missing"},
		"two kinds of values":             {`<sdg:EvidenceProviderClassification><sdg:Identifier>1</sdg:Identifier><sdg:SupportedValue><sdg:StringValue>a</sdg:StringValue><sdg:BooleanValue>true</sdg:BooleanValue></sdg:SupportedValue></sdg:EvidenceProviderClassification>`, V20, "one kind of value"},
		"no boolean":                      {`<sdg:EvidenceProviderClassification><sdg:Identifier>1</sdg:Identifier><sdg:SupportedValue><sdg:BooleanValue>yes</sdg:BooleanValue></sdg:SupportedValue></sdg:EvidenceProviderClassification>`, V20, "neither true nor false"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, c.xml, c.g)
			var e *regrep.ContentError
			if !errors.As(err, &e) || !strings.Contains(e.Text, c.want) || e.Path == "" || e.Line == 0 {
				t.Errorf("error is %v, want %q", err, c.want)
			}
		})
	}
}

func distributed(inner string) string {
	return `<sdg:DataServiceEvidenceType><sdg:Identifier>1</sdg:Identifier><sdg:EvidenceTypeClassification>c</sdg:EvidenceTypeClassification><sdg:Title>t</sdg:Title><sdg:DistributedAs>` +
		inner + `</sdg:DistributedAs></sdg:DataServiceEvidenceType>`
}

func TestPlacesThatNoSourceSettlesAreFree(t *testing.T) {
	const list = `<sdg:EvidenceTypeList><sdg:Identifier>1</sdg:Identifier><sdg:Jurisdiction><sdg:AdminUnitLevel1>FI</sdg:AdminUnitLevel1></sdg:Jurisdiction><sdg:MatchDescription lang="EN">none</sdg:MatchDescription><sdg:MatchType>NoMatch</sdg:MatchType></sdg:EvidenceTypeList>`
	v, err := read(t, list, V20)
	if err != nil {
		t.Fatal(err)
	}
	if l := v.(*EvidenceTypeList); l.MatchType != "NoMatch" || Name(l.MatchDescriptions, "fi") != "none" {
		t.Errorf("read %+v", l)
	}
	roundTrip(t, v, V20)
	const person = `<sdg:Person><sdg:FamilyName>a</sdg:FamilyName><sdg:GivenName>b</sdg:GivenName><sdg:DateOfBirth>2001-02-03</sdg:DateOfBirth>%<sdg:PlaceOfBirth>c</sdg:PlaceOfBirth></sdg:Person>`
	if _, err := read(t, strings.Replace(person, "%", "<sdg:Gender>Male</sdg:Gender>", 1), V20); err != nil {
		t.Error(err)
	}
	if _, err := read(t, strings.Replace(person, "%", "<sdg:Gender>Male</sdg:Gender>", 1), V10); err == nil {
		t.Error("line 1.0 has a settled order")
	}
}

func TestWritingRefusesWhatAVersionCannotSay(t *testing.T) {
	d := &DataServiceEvidenceType{ID: "1", Classification: "c", Titles: []Text{{Lang: "EN", Value: "t"}},
		DistributedAs: []Distribution{{Formats: []string{"application/pdf"}, Languages: []string{"FI"}}}}
	for g, want := range map[Generation]bool{V20: true, V12: false, V10: false} {
		w := xmltree.NewFragment()
		w.Open("rim:Any")
		w.Declare("rim", "sdg")
		Write(w, d, g)
		w.Close()
		if _, err := w.Bytes(); (err == nil) != want {
			t.Errorf("generation %d: %v", g, err)
		}
	}
	w := xmltree.NewFragment()
	w.Open("rim:Any")
	w.Declare("rim", "sdg")
	Write(w, &Agent{}, V20)
	w.Close()
	if _, err := w.Bytes(); err == nil {
		t.Error("an agent without identifier is written")
	}
}
