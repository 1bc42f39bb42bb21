package validator_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/once-only/oots/xmltree"
)

// mutation is a message with one defect.
type mutation struct {
	name string // "twice /query:QueryRequest/rim:Slot[Procedure]"
	raw  string
}

// mutate makes every message with one defect that the document gives rise to,
// in document order: each element missing, twice, out of order, under another
// name, empty; each text and each attribute missing, empty, with something
// before or behind it, in another case, of another type. Siblings that look
// alike are varied once.
func mutate(t testing.TB, raw string) []mutation {
	t.Helper()
	doc, err := xmltree.Parse([]byte(raw), xmltree.Options{KeepProcessing: true})
	if err != nil {
		t.Fatal(err)
	}
	raw = doc.Source()
	var out []mutation
	seen := map[string]bool{}
	add := func(name, mutated string) {
		if mutated != raw {
			out = append(out, mutation{name, mutated})
		}
	}
	var walk func(e *xmltree.Element, above string)
	walk = func(e *xmltree.Element, above string) {
		path := above + "/" + e.Name()
		if n := e.Attr("", "name"); n != "" {
			path += "[" + n + "]"
		}
		for c := range e.Children() {
			walk(c, path)
		}
		if seen[path] {
			return
		}
		seen[path] = true
		from, to := e.Start(), e.End()
		inner, close := e.Inner()
		if e.Parent() != nil {
			add("missing "+path, raw[:from]+raw[to:])
			add("twice "+path, raw[:to]+raw[from:to]+raw[to:])
			if next := e.Next(); next != nil && next.Name() != e.Name() {
				add("order "+path, raw[:from]+raw[next.Start():next.End()]+raw[to:next.Start()]+raw[from:to]+raw[next.End():])
			}
		}
		for _, x := range extras[e.Local()] {
			if close < to {
				add("extra "+x[0]+" in "+path, raw[:inner]+x[1]+raw[inner:])
				add("last "+x[0]+" in "+path, raw[:close]+x[1]+raw[close:])
			} else {
				add("extra "+x[0]+" in "+path, raw[:inner-2]+">"+x[1]+"</"+e.Name()+">"+raw[to:])
			}
		}
		tag := raw[from:inner]
		renamed := strings.Replace(tag, "<"+e.Name(), "<"+e.Name()+"X", 1)
		if close < to {
			add("renamed "+path, raw[:from]+renamed+raw[inner:close]+strings.Replace(raw[close:to], e.Name(), e.Name()+"X", 1)+raw[to:])
			add("empty "+path, raw[:inner]+raw[close:])
		} else {
			add("renamed "+path, raw[:from]+renamed+raw[to:])
		}
		if e.Len() == 0 && close < to {
			for _, v := range values(raw[inner:close]) {
				add(v[0]+" text "+path, raw[:inner]+v[1]+raw[close:])
			}
		}
		for _, a := range e.Attrs() {
			attribute := regexp.MustCompile(`\s` + regexp.QuoteMeta(a.Name()) + `\s*=\s*("[^"]*"|'[^']*')`)
			at := attribute.FindStringIndex(tag)
			if at == nil {
				t.Fatalf("%s: no attribute %s", path, a.Name())
			}
			place := path + "/@" + a.Name()
			put := func(name, v string) {
				add(name+" "+place, raw[:from]+tag[:at[0]]+" "+a.Name()+`="`+v+`"`+tag[at[1]:]+raw[inner:])
			}
			add("missing "+place, raw[:from]+tag[:at[0]]+tag[at[1]:]+raw[inner:])
			for _, v := range values(a.Value) {
				put(v[0], v[1])
			}
			if a.Local == "type" && a.Space == xmltree.XSISpace {
				_, local, _ := strings.Cut(a.Value, ":")
				put("unprefixed", local)
				for _, other := range []string{"AnyValueType", "StringValueType", "CollectionValueType"} {
					if other != local {
						put("type "+other, "rim:"+other)
					}
				}
			}
		}
		if e.Parent() == nil {
			for _, n := range e.Namespaces() {
				if n.Prefix == e.Prefix() {
					add("namespace "+path, strings.Replace(raw, n.URI, n.URI+"x", 1))
				}
			}
		}
	}
	walk(doc.Root, "")
	return out
}

// extras are elements that have no business below others, by the local name of
// the one above: name and markup.
var extras = map[string][][2]string{
	"QueryRequest":                   {extraSlot},
	"Query":                          {extraSlot},
	"QueryResponse":                  {extraSlot, extraTime, extraException, extraList},
	"RegistryResponse":               {extraSlot, extraException, extraList},
	"SubmitObjectsRequest":           {extraSlot},
	"Exception":                      {extraSlot},
	"RegistryObject":                 {extraSlot},
	"Requirement":                    {{"EvidenceTypeList", `<s:EvidenceTypeList xmlns:s="http://data.europa.eu/p4s"><s:Identifier>0f8d1c02-55c1-4c1b-8d4b-1b0f6b1f7a01</s:Identifier></s:EvidenceTypeList>`}},
	"EvidenceType":                   {{"Distribution", `<s:Distribution xmlns:s="http://data.europa.eu/p4s"><s:Format>application/pdf</s:Format></s:Distribution>`}},
	"EvidenceProviderClassification": {{"SupportedValue", `<s:SupportedValue xmlns:s="http://data.europa.eu/p4s"><s:StringValue>x</s:StringValue></s:SupportedValue>`}},
}

var (
	extraSlot      = [2]string{"Slot", `<r:Slot xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="Other"><r:SlotValue xsi:type="r:StringValueType"><r:Value>x</r:Value></r:SlotValue></r:Slot>`}
	extraTime      = [2]string{"IssueDateTime", `<r:Slot xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="IssueDateTime"><r:SlotValue xsi:type="r:StringValueType"><r:Value>2026-11-02T09:15:00Z</r:Value></r:SlotValue></r:Slot>`}
	extraException = [2]string{"Exception", `<e:Exception xmlns:e="urn:oasis:names:tc:ebxml-regrep:xsd:rs:4.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="e:ObjectNotFoundExceptionType" code="EB:ERR:0001" message="x" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"/>`}
	extraList      = [2]string{"RegistryObjectList", `<r:RegistryObjectList xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0"/>`}
)

// values are defects of a value, each with its name.
func values(v string) [][2]string {
	out := [][2]string{{"junk", "x" + v}, {"tail", v + "x"}, {"space", " " + v + " "}, {"gone", ""},
		{"upper", strings.ToUpper(v)}, {"lower", strings.ToLower(v)}}
	if bare, ok := strings.CutPrefix(v, "urn:uuid:"); ok {
		out = append(out, [2]string{"bare", bare})
	} else if len(v) == 36 {
		out = append(out, [2]string{"urn", "urn:uuid:" + v})
	}
	if strings.HasSuffix(v, ":Success") {
		out = append(out, [2]string{"failure", strings.Replace(v, ":Success", ":Failure", 1)})
	} else if strings.HasSuffix(v, ":Failure") {
		out = append(out, [2]string{"success", strings.Replace(v, ":Failure", ":Success", 1)})
	}
	if strings.HasPrefix(v, "20") && strings.Contains(v, "-") {
		out = append(out, [2]string{"day", strings.Replace(v, "-", "/", 1)})
	}
	return out
}

func TestMutationsAreOneDefectEachAndTheSameEveryTime(t *testing.T) {
	const raw = `<a xmlns="urn:a" id="urn:uuid:1"><b name="x">T</b><b name="x">U</b><c/></a>`
	first, again := map[string]string{}, map[string]string{}
	for _, m := range mutate(t, raw) {
		first[m.name] = m.raw
	}
	for _, m := range mutate(t, raw) {
		again[m.name] = m.raw
	}
	for name, want := range map[string]string{
		"missing /a/b[x]":       `<a xmlns="urn:a" id="urn:uuid:1"><b name="x">U</b><c/></a>`,
		"twice /a/c":            `<a xmlns="urn:a" id="urn:uuid:1"><b name="x">T</b><b name="x">U</b><c/><c/></a>`,
		"renamed /a/c":          `<a xmlns="urn:a" id="urn:uuid:1"><b name="x">T</b><b name="x">U</b><cX/></a>`,
		"empty /a/b[x]":         `<a xmlns="urn:a" id="urn:uuid:1"><b name="x"></b><b name="x">U</b><c/></a>`,
		"space text /a/b[x]":    `<a xmlns="urn:a" id="urn:uuid:1"><b name="x"> T </b><b name="x">U</b><c/></a>`,
		"missing /a/b[x]/@name": `<a xmlns="urn:a" id="urn:uuid:1"><b>T</b><b name="x">U</b><c/></a>`,
		"bare /a/@id":           `<a xmlns="urn:a" id="1"><b name="x">T</b><b name="x">U</b><c/></a>`,
		"namespace /a":          `<a xmlns="urn:ax" id="urn:uuid:1"><b name="x">T</b><b name="x">U</b><c/></a>`,
	} {
		if first[name] != want || again[name] != want {
			t.Errorf("%s: got %s", name, first[name])
		}
	}
	if _, ok := first["order /a/b[x]"]; ok || len(first) != len(again) {
		t.Error("the mutations change from run to run, or swap what is alike")
	}
}
