package official

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// samples finds the folder of real files beside the project, or skips.
func samples(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	found := filepath.Join(dir, "..", "shared", "samples")
	if _, err := os.Stat(found); err != nil {
		t.Skip("the folder ../shared/samples is not here")
	}
	return found
}

func load(t testing.TB, dir string) *Set {
	t.Helper()
	s, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func judge(t testing.TB, s *Set, raw string, transaction Transaction) *Verdict {
	t.Helper()
	v, err := s.Judge(t.Context(), []byte(raw), transaction)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func fixture(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// folderOf writes files into a fresh folder.
func folderOf(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func rules(v *Verdict) []string {
	var out []string
	for _, f := range v.Findings {
		out = append(out, fmt.Sprintf("%s %s %d", f.Rule, f.Severity, f.Line))
	}
	return out
}

func TestOneDefectOneFinding(t *testing.T) {
	s := load(t, "testdata/release")
	if p := s.Problems(); len(p) > 0 {
		t.Fatalf("problems with our own release: %v", p)
	}
	good := fixture(t, "request.xml")
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"nothing wrong", "", "", nil},
		{"id is no UUID", "urn:uuid:4ff", "urn:uuid:xff", []string{"R-EDM-REQ-S004 FATAL 1"}},
		{"upper case is let through", "4ffb5281", "4FFB5281", nil},
		{"no preview location", `"PreviewLocation"`, `"Other"`, []string{"R-EDM-REQ-S008 CAUTION 1"}},
		{"first rule takes the node", `"rim:InternationalStringValueType"`, `"rim:StringValueType"`, []string{"XSD FATAL 4", "R-EDM-REQ-S022 WARNING 3"}},
		{"a language of no list", `lang="EN">Proof`, `lang="XX">Proof`, []string{"R-EDM-REQ-C009 FATAL 14"}},
		{"four slots", `<rim:Slot name="Requirements">`, `<rim:Slot name="X"><rim:SlotValue xsi:type="rim:StringValueType"><rim:Value/></rim:SlotValue></rim:Slot><rim:Slot name="Requirements">`, []string{"R-EDM-REQ-S019 WARNING 1"}},
		{"sdg element misspelt", "sdg:Identifier>", "sdg:Identifierr>", []string{"XSD FATAL 13"}},
		{"sdg element misplaced", "<sdg:Requirement>", "<sdg:Requirement><sdg:Name>x</sdg:Name>", []string{"XSD FATAL 12"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := strings.ReplaceAll(good, c.old, c.new)
			if c.old == "" {
				raw = good
			} else if raw == good {
				t.Fatal("the defect changed nothing")
			}
			v := judge(t, s, raw, EvidenceRequest)
			if d := cmp.Diff(c.want, rules(v)); d != "" {
				t.Errorf("findings (-want +got):\n%s\n%+v", d, v.Findings)
			}
			if len(v.NotEvaluated) > 0 || !v.Schema {
				t.Errorf("not evaluated: %v", v.NotEvaluated)
			}
		})
	}
}

func TestMessageShowsTheValue(t *testing.T) {
	s := load(t, "testdata/release")
	v := judge(t, s, strings.Replace(fixture(t, "request.xml"), "urn:uuid:4ffb5281", "urn:uuid:zz", 1), EvidenceRequest)
	want := Finding{Rule: "R-EDM-REQ-S004", Severity: "FATAL", Role: "ERROR", File: "rules/request.sch", Line: 1,
		Node: "/query:QueryRequest/@id", Message: "The id urn:uuid:zz-179d-4578-adf2-39fd13ccc797 is a UUID."}
	if d := cmp.Diff([]Finding{want}, v.Findings); d != "" {
		t.Error(d)
	}
}

func TestAnAssertionWithoutIDIsNamedByItsPlace(t *testing.T) {
	s := load(t, "testdata/release")
	v := judge(t, s, `<query:QueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0" id="urn:uuid:4ffb5281-179d-4578-adf2-39fd13ccc797"/>`, EvidenceRequest)
	if !slices.Contains(rules(v), "rules/request.sch:26 FATAL 1") {
		t.Errorf("got %v", rules(v))
	}
}

func TestWhatIsMissingIsNotEvaluated(t *testing.T) {
	s := load(t, "testdata/release")
	v := judge(t, s, `<x:y xmlns:x="urn:unknown"/>`, LCMError)
	want := []string{"no usable XML Schema of the namespace urn:unknown is in the folder", "no Schematron file for LCM-ERR is in the folder"}
	if d := cmp.Diff(want, v.NotEvaluated); d != "" || v.Schema || len(v.Findings) > 0 {
		t.Errorf("%s%+v", d, v)
	}
}

func TestHostileBytesAreRefused(t *testing.T) {
	s := load(t, "testdata/release")
	for name, raw := range map[string]string{
		"empty":              "",
		"zip":                "PK\x03\x04\x00\x00",
		"truncated":          "<a><b>",
		"doctype":            `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>`,
		"doctype behind":     "<?xml version='1.0'?><!-- <a/> --><?x y?>\n<!DOCTYPE a><a/>",
		"utf-16":             "\xff\xfe<\x00a\x00/\x00>\x00",
		"another encoding":   `<?xml version="1.0" encoding="UTF-7"?><a/>`,
		"latin 1":            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe4</a>",
		"undeclared entity":  "<a>&e;</a>",
		"nested too deep":    strings.Repeat("<a>", 300) + strings.Repeat("</a>", 300),
		"two root elements":  "<a/><b/>",
		"unbound prefix":     "<p:a/>",
		"duplicate attribut": `<a b="1" b="2"/>`,
	} {
		if v, err := s.Judge(t.Context(), []byte(raw), EvidenceRequest); err == nil {
			t.Errorf("%s: accepted: %+v", name, v)
		}
	}
}

// Every construct that we do not support is named with its line.
func TestUnsupportedConstructsAreNamed(t *testing.T) {
	const head = `<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" queryBinding="xslt2">` + "\n"
	const good = `<sch:pattern><sch:rule context="a"><sch:assert id="R-EDM-REQ-S001" test="b">x</sch:assert></sch:rule></sch:pattern>`
	for _, c := range []struct{ text, want string }{
		{head + `<sch:phase id="p"/>` + good, "x.sch:2: sch:phase: this construct is not supported"},
		{head + `<xsl:function name="f"/>` + good, "x.sch:2: xsl:function: this construct is not supported"},
		{head + `<sch:include href="other.sch"/>` + good, "x.sch:2: sch:include: this construct is not supported"},
		{head + `<sch:diagnostics/>` + good, "x.sch:2: sch:diagnostics: this construct is not supported"},
		{head + `<sch:pattern abstract="true"/>`, "x.sch:2: sch:pattern: the attribute abstract is not supported"},
		{head + `<sch:pattern is-a="p"/>`, "x.sch:2: sch:pattern: the attribute is-a is not supported"},
		{head + `<sch:pattern><sch:rule abstract="true" id="r"/></sch:pattern>`, "x.sch:2: sch:rule: the attribute abstract is not supported"},
		{head + `<sch:pattern><sch:rule context="a"><sch:extends rule="r"/></sch:rule></sch:pattern>`, "x.sch:2: sch:extends: this construct is not supported"},
		{head + `<sch:pattern><sch:rule id="r"/></sch:pattern>`, "x.sch:2: sch:rule: the rule has no context"},
		{head + `<sch:pattern><sch:rule context="a["/></sch:pattern>`, `x.sch:2: sch:rule: the expression "//a["`},
		{head + `<sch:pattern><sch:rule context="rim:a"/></sch:pattern>`, `x.sch:2: sch:rule: the expression "//rim:a": XPST0081: undeclared namespace prefix: rim`},
		{head + `<sch:pattern><sch:rule context="a"><sch:assert test="$x = 1"/></sch:rule></sch:pattern>`, `uses the variable $x, which no let above it declares`},
		{head + `<sch:pattern><sch:rule context="a"><sch:assert test="current()/b"/></sch:rule></sch:pattern>`, `calls current(), which is not supported`},
		{head + `<sch:pattern><sch:rule context="a"><sch:assert test="doc('http://x.example/')"/></sch:rule></sch:pattern>`, `calls doc(), which is not supported`},
		{head + `<sch:pattern><sch:rule context="a"><sch:assert id="x"/></sch:rule></sch:pattern>`, "the assert has no test"},
		{head + `<sch:pattern><sch:rule context="a"><sch:assert test="b" diagnostics="d"/></sch:rule></sch:pattern>`, "the attribute diagnostics is not supported"},
		{head + `<sch:let name="x">1</sch:let>` + good, "a let without name or value is not supported"},
		{strings.Replace(head, "xslt2", "stx", 1) + good, "query binding stx is not supported"},
		{strings.Replace(head, "queryBinding", "defaultPhase='p' queryBinding", 1) + good, "defaultPhase is not supported"},
		{head + `<sch:pattern/>`, "no rule id says for which message the file is"},
		{`<schema/>`, "the root element is not sch:schema"},
		{`<!DOCTYPE x><schema/>`, "DOCTYPE"},
		{head, "XML"},
	} {
		text := c.text
		if strings.HasPrefix(text, head[:20]) && c.want != "XML" {
			text += "</sch:schema>"
		}
		s := load(t, folderOf(t, map[string]string{"x.sch": text, "good.sch": head + good + "</sch:schema>"}))
		if p := s.Problems(); len(p) != 1 || c.want != "XML" && !strings.Contains(p[0].String(), c.want) || p[0].Warning {
			t.Errorf("want the problem %q, got %v", c.want, p)
		}
		if d := cmp.Diff([]string{"good.sch"}, s.Files()); d != "" {
			t.Error(d)
		}
	}
}

func TestAFolderWithoutArtefactsIsAnError(t *testing.T) {
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no .xsd, .sch or .gc file") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there was loaded")
	}
}

func TestMissingSchemaIsNamed(t *testing.T) {
	release := "testdata/release/schemas/"
	read := func(name string) string {
		raw, err := os.ReadFile(release + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	s := load(t, folderOf(t, map[string]string{"sdg.xsd": read("SDG-Demo-v1.0.0.xsd"), "xml.xsd": read("xml.xsd")}))
	if p := s.Problems(); len(p) != 1 || p[0].File != "sdg.xsd" || !strings.Contains(p[0].Text, "add rim.xsd") {
		t.Errorf("got %v", p)
	}
	s = load(t, folderOf(t, map[string]string{"rim.xsd": read("rim.xsd"), "x.xsd": `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"/>`}))
	if p := s.Problems(); len(p) != 1 || p[0].File != "rim.xsd" || !strings.Contains(p[0].Text, "published as xml.xsd") {
		t.Errorf("got %v", p)
	}
	_, err := Load(folderOf(t, map[string]string{
		"y.xsd": `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:y"><xs:element name="e" type="xs:noSuchType"/></xs:schema>`}))
	if err == nil || !strings.Contains(err.Error(), "y.xsd:1: ") || !strings.Contains(err.Error(), "noSuchType") {
		t.Errorf("a schema with an unknown type is no problem: %v", err)
	}
}

func TestEditedRegRepIsDoubted(t *testing.T) {
	raw, err := os.ReadFile("testdata/release/schemas/rim.xsd")
	if err != nil {
		t.Fatal(err)
	}
	xml, _ := os.ReadFile("testdata/release/schemas/xml.xsd")
	for want, edited := range map[string]string{
		"LocalizedStringType without lang":              strings.Replace(string(raw), `<xs:attribute ref="xml:lang"/>`, "", 1),
		"RegistryObjectListType without RegistryObject": strings.Replace(string(raw), "</xs:schema>", `<xs:complexType name="RegistryObjectListType"/></xs:schema>`, 1),
	} {
		s := load(t, folderOf(t, map[string]string{"rim.xsd": edited, "xml.xsd": string(xml)}))
		if p := s.Problems(); len(p) != 1 || !p[0].Warning || p[0].Construct != want {
			t.Errorf("want a doubt about %s, got %v", want, p)
		}
	}
}

func TestALinkOutOfTheFolderIsNotFollowed(t *testing.T) {
	dir := folderOf(t, map[string]string{"x.xsd": `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"/>`})
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "secret.sch")); err != nil {
		t.Skip(err)
	}
	s := load(t, dir)
	if p := s.Problems(); len(p) != 1 || p[0].Construct != "symbolic link" {
		t.Errorf("got %v", p)
	}
}

func TestOldQueryBindingConverts(t *testing.T) {
	// XPath 1.0 takes the first of several nodes where 2.0 refuses to.
	const rule = `<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron"%s><sch:pattern><sch:rule context="/a">
		<sch:assert id="R-EDM-REQ-S001" test="starts-with(b, '1')">x</sch:assert></sch:rule></sch:pattern></sch:schema>`
	old := load(t, folderOf(t, map[string]string{"x.sch": fmt.Sprintf(rule, "")}))
	if v := judge(t, old, "<a><b>1</b><b>2</b></a>", EvidenceRequest); len(v.Findings) > 0 {
		t.Errorf("got %+v", v.Findings)
	}
	if v := judge(t, old, "<a><b>2</b><b>1</b></a>", EvidenceRequest); len(v.Findings) != 1 {
		t.Errorf("got %+v", v)
	}
	now := load(t, folderOf(t, map[string]string{"x.sch": fmt.Sprintf(rule, ` queryBinding="xslt2"`)}))
	v := judge(t, now, "<a><b>1</b><b>2</b></a>", EvidenceRequest)
	if len(v.Findings) > 0 || len(v.NotEvaluated) != 2 || !strings.Contains(v.NotEvaluated[1], "R-EDM-REQ-S001: ") {
		t.Errorf("an expression that fails must be named as not evaluated: %+v", v)
	}
}

func TestJudgeIsSafeForConcurrentUse(t *testing.T) {
	s := load(t, "testdata/release")
	raw := strings.Replace(fixture(t, "request.xml"), `lang="EN">Proof`, `lang="XX">Proof`, 1)
	want := rules(judge(t, s, raw, EvidenceRequest))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				v, err := s.Judge(t.Context(), []byte(raw), EvidenceRequest)
				if err != nil || !slices.Equal(rules(v), want) {
					t.Errorf("got %v %v", rules(v), err)
				}
			}
		})
	}
	wg.Wait()
}

// The sample folder is a folder as a user has one: two releases of the SDG
// schema, schemas with missing parts, eleven Schematron files.
func TestSamplesLoad(t *testing.T) {
	dir := samples(t)
	s := load(t, dir)
	var broken, doubted []string
	for _, p := range s.Problems() {
		if p.Warning {
			doubted = append(doubted, p.File)
		} else {
			broken = append(broken, p.File)
		}
	}
	if d := cmp.Diff([]string{"schemas/ebms3/ebbp-signals-2.0.4.xsd", "schemas/ebms3/ebms-header-3_0-200704.xsd"}, broken); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"edm-1.0/SDG-GenericMetadataProfile-v0.99-SNAPSHOT.xsd"}, doubted); d != "" {
		t.Error(d)
	}
	if len(s.Files()) != 11 {
		t.Errorf("%d Schematron files, not 11: %v", len(s.Files()), s.Files())
	}
	messages, err := filepath.Glob(filepath.Join(dir, "edm-1.0/messages/*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var invalid, foreign []string
	for _, file := range messages {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v := judge(t, s, string(raw), EvidenceRequest)
		if !v.Schema {
			foreign = append(foreign, filepath.Base(file))
		}
		if slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Rule == RuleXSD }) {
			invalid = append(invalid, filepath.Base(file))
		}
	}
	if d := cmp.Diff([]string{"DSD_Regrep-DSD-exception_more_provider_attributes.xml", "LCM_DSD-LCM-Bulk-SubmitObjects.xml"}, invalid); d != "" {
		t.Errorf("files that break their own schema:\n%s", d)
	}
	if len(foreign) != 7 {
		t.Errorf("%d files with a root outside of RegRep, not 7: %v", len(foreign), foreign)
	}

	// The version trap: with the schema compiled for XML Schema 1.0 this passes.
	raw, err := os.ReadFile(filepath.Join(dir, "edm-1.0/messages/Request-Response_Samples_Birth_Certificate_oots_request.xml"))
	if err != nil {
		t.Fatal(err)
	}
	misspelt := strings.ReplaceAll(string(raw), "sdg:Identifier", "sdg:Identifierr")
	if v := judge(t, s, misspelt, EvidenceRequest); !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Rule == RuleXSD }) {
		t.Error("a misspelt element of the SDG schema is accepted")
	}
}

func FuzzJudge(f *testing.F) {
	s := load(f, "testdata/release")
	f.Add([]byte(fixture(f, "request.xml")))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if v, err := s.Judge(t.Context(), raw, EvidenceRequest); err == nil && v == nil {
			t.Error("neither verdict nor error")
		}
	})
}
