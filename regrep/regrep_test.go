package regrep

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/once-only/oots/xmltree"
)

const spaces = ` xmlns:query="` + Query + `" xmlns:rim="` + RIM + `" xmlns:rs="` + RS + `" xmlns:lcm="` + LCM + `" xmlns:xsi="` + xmltree.XSISpace + `" xmlns:xlink="` + XLink + `"`

// readRoot reads whatever RegRep message the root announces.
func readRoot(e *xmltree.Element) (message, error) {
	switch e.Local() {
	case "QueryRequest":
		return ReadQueryRequest(e)
	case "QueryResponse":
		return ReadQueryResponse(e)
	case "SubmitObjectsRequest":
		return ReadSubmitObjectsRequest(e)
	case "RegistryResponse":
		return ReadRegistryResponse(e)
	}
	return nil, Refuse(e, "no RegRep message")
}

type message interface{ Encode() ([]byte, error) }

// samplesBroken names what is refused, and why.
var samplesBroken = map[string]string{
	"LCM_DSD-LCM-Bulk-SubmitObjects.xml":                    "rim:Slot does not belong here in a registry object",
	"DSD_Regrep-DSD-exception_more_provider_attributes.xml": "sdg:DataServiceEvidenceType stands where rim:Element must stand",
	"EDM_Ferst_Request.xml":                                 "the attribute xsi:lang does not belong here",
	"EDM_Second_Request.xml":                                "the attribute xsi:lang does not belong here",
	"EDM_Ferst_Response.xml":                                "the attribute xsi:lang does not belong here",
}

func TestSamples(t *testing.T) {
	files, _ := filepath.Glob("../../shared/samples/edm-*/messages/*.xml")
	more, _ := filepath.Glob("../../shared/samples/edm-1.2/*.xml")
	files = append(files, more...)
	if len(files) == 0 {
		t.Skip("../shared/samples is not here")
	}
	read := 0
	for _, f := range files {
		name := filepath.Base(f)
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		switch doc.Root.Space() {
		case Query, RS, LCM:
		case RIM:
			if _, err := ReadObject(doc.Root); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		default:
			continue
		}
		_, err = readRoot(doc.Root)
		switch want := samplesBroken[name]; {
		case want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: refused with %v, want %s", name, err, want)
		}
		read++
	}
	t.Logf("%d of %d files are RegRep messages", read, len(files))
}

func slot(name, kind, inner string) string {
	return `<rim:Slot name="` + name + `"><rim:SlotValue xsi:type="rim:` + kind + `">` + inner + `</rim:SlotValue></rim:Slot>`
}

func response(inner string) string {
	return `<query:QueryResponse` + spaces + ` status="` + Success + `">` + inner + `</query:QueryResponse>`
}

func TestRefused(t *testing.T) {
	value := `<rim:Value>a</rim:Value>`
	for name, c := range map[string]struct{ doc, want string }{
		"no status":               {`<query:QueryResponse` + spaces + `/>`, "no status"},
		"slot without value":      {response(`<rim:Slot name="a"/>`), "has no value"},
		"slot without name":       {response(`<rim:Slot>` + value + `</rim:Slot>`), "has no name"},
		"two values":              {response(strings.Replace(slot("a", "StringValueType", value), "</rim:Slot>", `<rim:SlotValue xsi:type="rim:StringValueType"/></rim:Slot>`, 1)), "more than one value"},
		"empty value":             {response(slot("a", "StringValueType", "")), "the value is empty"},
		"no type":                 {response(`<rim:Slot name="a"><rim:SlotValue>` + value + `</rim:SlotValue></rim:Slot>`), "no xsi:type"},
		"unknown type":            {response(slot("a", "IntegerValueType", value)), "uses no slot value of type"},
		"unbound type":            {response(strings.Replace(slot("a", "StringValueType", value), "rim:String", "zz:String", 1)), "no xsi:type"},
		"no boolean":              {response(slot("a", "BooleanValueType", value)), "neither true nor false"},
		"no date and time":        {response(slot("a", "DateTimeValueType", value)), "not a date and time"},
		"empty collection":        {response(slot("a", "CollectionValueType", "")), "collection is empty"},
		"strings in one":          {response(slot("a", "CollectionValueType", `<rim:Element xsi:type="rim:StringValueType">`+value+`</rim:Element>`)), "of type AnyValueType, not"},
		"no LocalizedString":      {response(slot("a", "InternationalStringValueType", value)), "stands between|empty"},
		"unknown attribute":       {response(strings.Replace(slot("a", "StringValueType", value), "<rim:Slot ", `<rim:Slot extra="1" `, 1)), "attribute extra"},
		"slot after list":         {response(`<rim:RegistryObjectList/>` + slot("a", "StringValueType", value)), "does not belong here"},
		"object without id":       {response(`<rim:RegistryObjectList><rim:RegistryObject/></rim:RegistryObjectList>`), "no id"},
		"bare association":        {response(`<rim:RegistryObjectList><rim:RegistryObject id="1" xsi:type="rim:AssociationType"/></rim:RegistryObjectList>`), "needs type"},
		"item in plain object":    {response(`<rim:RegistryObjectList><rim:RegistryObject id="1"><rim:RepositoryItemRef xlink:href="cid:a@b"/></rim:RegistryObject></rim:RegistryObjectList>`), "does not belong here"},
		"untyped exception":       {response(`<rs:Exception severity="a" message="b"/>`), "no xsi:type"},
		"wrong root":              {`<a/>`, "no RegRep message"},
		"request without query":   {`<query:QueryRequest` + spaces + ` id="1"><query:ResponseOption/></query:QueryRequest>`, "query:Query is missing"},
		"submission without list": {`<lcm:SubmitObjectsRequest` + spaces + ` id="1"/>`, "RegistryObjectList is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := Parse([]byte(c.doc))
			if err != nil {
				t.Fatal(err)
			}
			_, err = readRoot(doc.Root)
			var e *ContentError
			if !errors.As(err, &e) || e.Line == 0 || e.Path == "" {
				t.Fatalf("error is %v", err)
			}
			for _, want := range strings.Split(c.want, "|") {
				if strings.Contains(e.Text, want) {
					return
				}
			}
			t.Errorf("error is %v, want %q", err, c.want)
		})
	}
}

func note(text string) Any {
	return Any{Write: func(w *xmltree.Writer) { w.Leaf("sdg:Note", text) }}
}

func TestRoundTrip(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 15, 0, 250_000_000, time.UTC)
	slots := Slots{
		{Name: "s", Value: String("a & b")}, {Name: "t", Value: DateTime(at)}, {Name: "b", Value: Boolean(true)},
		{Name: "i", Value: International{{"EN", "one"}, {"FI", "yksi"}}},
		{Name: "a", Value: note("x")}, {Name: "c", Value: Collection{Kind: Set, Elements: []Any{note("y"), note("z")}}},
	}
	inner := Objects{
		{Kind: Extrinsic, ID: "urn:uuid:2", Slots: slots[:1], Classifications: []Classification{{"urn:uuid:3", "s", "MainEvidence"}}, Item: &RepositoryItem{"cid:a@b", "title"}},
		{Kind: Association, ID: "urn:uuid:4", Type: AssociationType + "Annex", Source: "urn:uuid:5", Target: "urn:uuid:2"},
	}
	objects := Objects{{Kind: Package, ID: "urn:uuid:1", Objects: &inner}, {ID: "urn:uuid:6", Slots: slots[:2]}}
	exceptions := []Exception{{Type: "query:QueryExceptionType", Severity: SeverityError, Message: "m", Code: "c", Detail: "d", Slots: slots[:2]}}
	for _, m := range []message{
		&QueryRequest{ID: "urn:uuid:1", Lang: "EN", Slots: slots, ReturnType: "LeafClassWithRepositoryItem", Definition: "DocumentQuery", Query: slots[:3]},
		&QueryResponse{RequestID: "urn:uuid:1", Status: Success, Slots: slots, Exceptions: exceptions, Objects: &objects},
		&QueryResponse{Status: Success, Objects: &Objects{}},
		&SubmitObjectsRequest{ID: "urn:uuid:1", CheckReferences: true, Mode: "CreateOnly", Comment: "c", Slots: slots[:1], Objects: objects},
		&RegistryResponse{RequestID: "urn:uuid:1", Status: Failure, Exceptions: exceptions},
	} {
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readRoot(doc.Root)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		opts := cmp.Options{
			cmpopts.IgnoreTypes(&xmltree.Element{}),
			cmp.Comparer(func(a, b DateTime) bool { return time.Time(a).Equal(time.Time(b)) }),
			cmp.Transformer("note", func(a Any) string {
				if a.Element != nil {
					return a.Element.Text()
				}
				w := xmltree.NewFragment()
				w.Open("rim:x")
				w.Declare("rim", "sdg")
				a.Write(w)
				w.Close()
				b, _ := w.Bytes()
				d, _ := Parse(b)
				return d.Root.StringValue()
			}),
		}
		if d := cmp.Diff(m, again, opts, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%T changes: %s", m, d)
		}
	}
}

func TestSlots(t *testing.T) {
	s := Slots{{Name: "a", Value: String("x")}, {Name: "b", Value: Boolean(true)}}
	if err := s.Closed("a", "b", "c"); err != nil {
		t.Error(err)
	}
	if err := s.Closed("a"); err == nil {
		t.Error("an unknown slot is let through")
	}
	if err := append(s, s[0]).Closed("a", "b"); err == nil {
		t.Error("a slot that stands twice is let through")
	}
	if v, err := As[Boolean](s.Get("b")); err != nil || !bool(v) {
		t.Error(err)
	}
	if _, err := As[Boolean](s.Get("a")); err == nil {
		t.Error("a string is a boolean")
	}
}

func TestDateTime(t *testing.T) {
	want := time.Date(2026, 11, 2, 8, 15, 0, 0, time.UTC)
	for s, ok := range map[string]bool{
		"2026-11-02T08:15:00Z": true, "2026-11-02T09:15:00+01:00": true, "2026-11-02T08:15:00": true, "2026-11-02T08:15:00.000Z": true,
		"2026-11-02": false, "2026-11-02 08:15:00Z": false, "2026-11-02T08:15Z": false, "2026-13-02T08:15:00Z": false, "": false,
	} {
		got, read := ParseDateTime(s)
		if read != ok || ok && !got.Equal(want) {
			t.Errorf("%q reads as %v %v", s, got, read)
		}
	}
	if got := FormatDateTime(want); got != "2026-11-02T08:15:00.000Z" {
		t.Error(got)
	}
}
