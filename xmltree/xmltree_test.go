package xmltree

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var lenient = Options{KeepProcessing: true}

func parse(t *testing.T, s string) *Document {
	t.Helper()
	d, err := Parse([]byte(s), lenient)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return d
}

func TestNavigation(t *testing.T) {
	d := parse(t, "\uFEFF"+`<?xml version="1.0" encoding="utf-8" standalone='yes'?>
<!-- before --><a:root xmlns:a="urn:a" xmlns="urn:d" id="1" a:id="2">
  text<!-- no split --> goes<![CDATA[ <on> & ]]>on
  <leaf x="&lt;&#65;&quot;">one &amp; two</leaf>
  <leaf>é<b/>€</leaf><a:leaf xmlns:a="urn:b"/>
</a:root>
`)
	r := d.Root
	if !r.Is("urn:a", "root") || r.Name() != "a:root" || r.Len() != 3 {
		t.Fatalf("root is %s in %q with %d children", r.Name(), r.Space(), r.Len())
	}
	if got := r.Norm(); got != "text goes <on> & on" {
		t.Errorf("Norm = %q", got)
	}
	if r.Attr("", "id") != "1" || r.Attr("urn:a", "id") != "2" || r.HasAttr("urn:d", "id") {
		t.Error("attributes are mixed up")
	}
	leaf := r.Child("urn:d", "leaf")
	if leaf.Text() != "one & two" || leaf.Attr("", "x") != `<A"` {
		t.Errorf("leaf holds %q and %q", leaf.Text(), leaf.Attr("", "x"))
	}
	second := leaf.Next()
	if second.Text() != "é€" || second.StringValue() != "é€" {
		t.Errorf("second holds %q", second.Text())
	}
	if got := second.First().Path(); got != "/a:root/leaf[2]/b" {
		t.Errorf("Path = %q", got)
	}
	if got := second.First().Pos(); got.Line != 5 || got.Column != 10 {
		t.Errorf("b stands at %v", got)
	}
	if got := leaf.FindAttr("", "x"); got.Pos().Column != 9 || got.ValuePos().Column != 12 || got.Path() != "/a:root/leaf[1]/@x" {
		t.Errorf("attribute at %v, value at %v, path %s", got.Pos(), got.ValuePos(), got.Path())
	}
	if got := leaf.Source(); got != `<leaf x="&lt;&#65;&quot;">one &amp; two</leaf>` {
		t.Errorf("Source = %q", got)
	}
	if !second.Next().Is("urn:b", "leaf") {
		t.Error("the inner declaration does not hold")
	}
	if r.Pos().String() != "2:16" {
		t.Errorf("root at %v", r.Pos())
	}
	if d.Line(4) != `  <leaf x="&lt;&#65;&quot;">one &amp; two</leaf>` {
		t.Errorf("line 4 is %q", d.Line(4))
	}
	if n := len(slices.Collect(r.FindAll("urn:d", "leaf"))); n != 2 {
		t.Errorf("FindAll finds %d", n)
	}
	if n := len(slices.Collect(r.Descendants())); n != 4 {
		t.Errorf("Descendants finds %d", n)
	}
	if sp, local, ok := r.ResolveQName(" a:thing "); !ok || sp != "urn:a" || local != "thing" {
		t.Errorf("ResolveQName = %q %q %v", sp, local, ok)
	}
	if _, _, ok := r.ResolveQName("z:thing"); ok {
		t.Error("an unknown prefix resolves")
	}
	var none *Element
	if none.Find("x", "y").Text() != "" || none.Path() != "" || none.Pos() != (Position{}) {
		t.Error("nil is not empty")
	}
}

func TestLineEndsAndWhiteSpace(t *testing.T) {
	d := parse(t, "<r a=' x\r\n\ty&#10;z '>one\r\ntwo\rthree&#13;</r>")
	if got := d.Root.Text(); got != "one\ntwo\nthree\r" {
		t.Errorf("text is %q", got)
	}
	if got := d.Root.Attr("", "a"); got != " x  y\nz " {
		t.Errorf("attribute is %q", got)
	}
}

func TestProcessingInstructions(t *testing.T) {
	const s = "<?one?>\n<r>a<?two  data?>b</r>\n<?three x?>"
	d := parse(t, s)
	if len(d.Notes) != 3 || d.Root.Len() != 0 || d.Root.Text() != "ab" {
		t.Errorf("notes %v, text %q", d.Notes, d.Root.Text())
	}
	if got := canonical(t, d); got != "<?one?>\n<r>a<?two data?>b</r>\n<?three x?>" {
		t.Errorf("canonical form %q", got)
	}
	_, err := Parse([]byte(s), Options{})
	reason(t, err, Processing)
}

func canonical(t *testing.T, d *Document, prefixes ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.Canonical(&b, prefixes...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func reason(t *testing.T, err error, want Reason) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("no *Error but %v, want %s", err, want)
	}
	if e.Reason != want || e.Text == "" || e.Line < 1 || e.Column < 1 {
		t.Errorf("refused as %s (%v), want %s", e.Reason, e, want)
	}
}

func TestRefused(t *testing.T) {
	utf16 := func(s string) string {
		b := "\xff\xfe"
		for _, c := range []byte(s) {
			b += string([]byte{c, 0})
		}
		return b
	}
	for _, c := range []struct {
		name, doc string
		want      Reason
	}{
		{"empty", "", Empty},
		{"white space only", " \n ", Empty},
		{"byte order mark only", "\uFEFF", Empty},
		{"declaration only", `<?xml version="1.0"?>`, Empty},
		{"comment only", `<!-- x -->`, Empty},
		{"ZIP", "PK\x03\x04\x14\x00\x08", NotXML},
		{"gzip", "\x1f\x8b\x08", NotXML},
		{"PDF", "%PDF-1.7", NotXML},
		{"JSON", `{"a":1}`, NotXML},
		{"binary", "\x01\x02\x03", NotXML},
		{"UTF-16", utf16("<r/>"), Encoding},
		{"UTF-16 without a mark", "<\x00r\x00/\x00>\x00", Encoding},
		{"Latin-1", "<r>caf\xe9</r>", Encoding},
		{"Latin-1 announced", `<?xml version="1.0" encoding="ISO-8859-1"?><r/>`, Encoding},
		{"surrogate in UTF-8", "<r>\xed\xa0\x80</r>", Encoding},
		{"XML 1.1", `<?xml version="1.1"?><r/>`, Malformed},
		{"DOCTYPE", `<!DOCTYPE r><r/>`, Doctype},
		{"entity bomb", `<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>`, Doctype},
		{"external entity", `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>`, Doctype},
		{"undeclared entity", `<r>&nbsp;</r>`, Doctype},
		{"lone ampersand", `<r>a & b</r>`, Malformed},
		{"lone ampersand in attribute", `<r a="a&b"/>`, Malformed},
		{"NUL reference", `<r>&#0;</r>`, Malformed},
		{"huge reference", `<r>&#x110000;</r>`, Malformed},
		{"surrogate reference", `<r>&#xD800;</r>`, Malformed},
		{"control character", "<r>\x01</r>", Malformed},
		{"NUL in text", "<r>\x00</r>", Malformed},
		{"NUL in comment", "<r><!--\x00--></r>", Malformed},
		{"U+FFFE", "<r>\uFFFE</r>", Malformed},
		{"U+FFFF in attribute", "<r a='\uFFFF'/>", Malformed},
		{"duplicate attribute", `<r a="1" a="2"/>`, Malformed},
		{"duplicate attribute by namespace", `<r xmlns:p="u" xmlns:q="u" p:a="1" q:a="2"/>`, Malformed},
		{"duplicate declaration", `<r xmlns:p="u" xmlns:p="v"/>`, Malformed},
		{"less-than in attribute", `<r a="<"/>`, Malformed},
		{"no quotation marks", `<r a=1/>`, Malformed},
		{"no white space", `<r a="1"b="2"/>`, Malformed},
		{"wrong end", `<a><b></a></b>`, Malformed},
		{"end of a longer name", `<a></ab>`, Malformed},
		{"second root", `<a/><b/>`, Malformed},
		{"text after root", `<a/>x`, Malformed},
		{"text before root", ` x<a/>`, Malformed},
		{"CDATA outside", `<![CDATA[x]]><a/>`, Malformed},
		{"CDATA end in text", `<a>]]></a>`, Malformed},
		{"hyphens in comment", `<a><!-- a -- b --></a>`, Malformed},
		{"late declaration", ` <?xml version="1.0"?><a/>`, Malformed},
		{"stray end", `</a>`, Malformed},
		{"name with a digit", `<1/>`, Malformed},
		{"unbound element", `<p:a/>`, Unbound},
		{"unbound attribute", `<a p:x="1"/>`, Unbound},
		{"prefix out of scope", `<a><b xmlns:p="u"/><p:c/></a>`, Unbound},
		{"two colons", `<a:b:c xmlns:a="u"/>`, Unbound},
		{"empty local name", `<a: xmlns:a="u"/>`, Unbound},
		{"prefix bound to nothing", `<a xmlns:p=""/>`, Unbound},
		{"xml rebound", `<a xmlns:xml="urn:x"/>`, Unbound},
		{"xmlns declared", `<a xmlns:xmlns="urn:x"/>`, Unbound},
		{"xml namespace under another prefix", `<a xmlns:p="` + XMLSpace + `"/>`, Unbound},
		{"processing instruction with colon", `<a><?p:q x?></a>`, Unbound},
		{"deep", strings.Repeat("<a>", 101), TooLarge},
		{"many attributes of one element", "<a " + manyAttributes(1_000_000) + "/>", TooLarge},
		{"many elements", "<a>" + strings.Repeat("<a/>", 600_000) + "</a>", TooLarge},
		{"many instructions", "<a>" + strings.Repeat("<?a?>", 600_000) + "</a>", TooLarge},
		{"many prefixes", manyPrefixes(90), TooLarge},
		{"too long", "<a>" + strings.Repeat(" ", 16<<20) + "</a>", TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.doc), lenient)
			reason(t, err, c.want)
		})
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d=''", i)
	}
	return b.String()
}

func manyPrefixes(depth int) string {
	var b strings.Builder
	for i := range depth {
		fmt.Fprintf(&b, "<a xmlns:p%d='u' xmlns:q%d='u' xmlns:r%d='u'>", i, i, i)
	}
	return b.String()
}

// Every beginning of a document is refused, most as truncated, none with a panic.
func TestEveryTruncation(t *testing.T) {
	const whole = `<?xml version="1.0"?><!-- c --><p:a xmlns:p="urn:p" x='1&amp;'>t&#x41;<![CDATA[d]]><?pi d?><b/>é</p:a>`
	for i := range len(whole) {
		if _, err := Parse([]byte(whole[:i]), lenient); err == nil {
			t.Errorf("%q is accepted", whole[:i])
		}
	}
	_, err := Parse([]byte(whole[:len(whole)-1]), lenient)
	reason(t, err, Truncated)
}

// Many pieces of one text must not be joined again and again.
func TestManyPiecesOfText(t *testing.T) {
	d := parse(t, "<a>"+strings.Repeat("x<!---->&amp;", 200_000)+"</a>")
	if n := len(d.Root.Text()); n != 400_000 {
		t.Errorf("%d characters", n)
	}
}

func TestPlaceOfAnError(t *testing.T) {
	_, err := Parse([]byte("<r>\r\n  <é x='1' x='2'/>\r\n</r>"), Options{})
	if err == nil || err.Error() != "line 2, column 12: the attribute x stands twice" {
		t.Errorf("error is %v", err)
	}
}

func TestExclusiveCanonicalForm(t *testing.T) {
	for _, c := range []struct{ name, in, prefixes, want string }{
		{"unused declarations go, used ones come down",
			`<a xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><p:b q:x="1"/><p:c/></a>`, "",
			`<a xmlns="urn:d"><p:b xmlns:p="urn:p" xmlns:q="urn:q" q:x="1"></p:b><p:c xmlns:p="urn:p"></p:c></a>`},
		{"PrefixList",
			`<a xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><p:b q:x="1"/></a>`, "p zz",
			`<a xmlns="urn:d" xmlns:p="urn:p"><p:b xmlns:q="urn:q" q:x="1"></p:b></a>`},
		{"PrefixList with the default namespace",
			`<p:a xmlns="urn:d" xmlns:p="urn:p"><p:b xmlns=""/></p:a>`, "#default",
			`<p:a xmlns="urn:d" xmlns:p="urn:p"><p:b xmlns=""></p:b></p:a>`},
		{"the default namespace undone", `<a xmlns="urn:d"><b xmlns=""><c xmlns="urn:d"/></b></a>`, "",
			`<a xmlns="urn:d"><b xmlns=""><c xmlns="urn:d"></c></b></a>`},
		{"order of attributes", `<a xmlns:z="urn:a" xmlns:b="urn:z" z:y="1" b:a="2" n="3" m="4"/>`, "",
			`<a xmlns:b="urn:z" xmlns:z="urn:a" m="4" n="3" z:y="1" b:a="2"></a>`},
		{"escapes", "<a x='&lt;&gt;&amp;&quot;&apos;&#9;&#10;&#13;'>&lt;&gt;&amp;\"'&#13;\t</a>", "",
			"<a x=\"&lt;>&amp;&quot;'&#x9;&#xA;&#xD;\">&lt;&gt;&amp;\"'&#xD;\t</a>"},
		{"xml:lang needs no declaration", `<a xmlns:xml="` + XMLSpace + `" xml:lang="EN"/>`, "", `<a xml:lang="EN"></a>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := parse(t, c.in)
			if got := canonical(t, d, strings.Fields(c.prefixes)...); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestCanonicalFormOfAnElementInItsDocument(t *testing.T) {
	d := parse(t, `<e:env xmlns:e="urn:e" xmlns:x="urn:x" xmlns="urn:d"><e:head><x:b xml:id="1"><c/></x:b></e:head></e:env>`)
	b := d.Root.First().First()
	var got bytes.Buffer
	if err := b.Canonical(&got, "e"); err != nil {
		t.Fatal(err)
	}
	const want = `<x:b xmlns:e="urn:e" xmlns:x="urn:x" xml:id="1"><c xmlns="urn:d"></c></x:b>`
	if got.String() != want {
		t.Errorf("got  %s\nwant %s", got.String(), want)
	}
}

// TestAgainstXMLLint compares with libxml2, which keeps comments: documents
// with comments or processing instructions are left out.
func TestAgainstXMLLint(t *testing.T) {
	tool, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("OOTS_TEST_ALL") == "1" {
			t.Fatal("xmllint is missing")
		}
		t.Skip("xmllint is missing")
	}
	dir := t.TempDir()
	own := map[string]string{
		"prefixes":  `<a xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><p:b q:x="1" p:y='2'/><b xmlns=""><p:c/></b></a>`,
		"text":      "<a x=' 1\r\n2&#10;&lt;&quot;'>\r\n]] &gt; &#13;<![CDATA[<&]]>é€😀</a>",
		"redeclare": `<p:a xmlns:p="urn:u"><p:b xmlns:p="urn:v"><p:c xmlns:p="urn:u" p:x="1"/></p:b><p:d/></p:a>`,
	}
	var files []string
	for name, s := range own {
		f := filepath.Join(dir, name+".xml")
		if err := os.WriteFile(f, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	files = append(files, samples(t)...)
	compared := 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(src, []byte("<!--")) {
			continue
		}
		d, err := Parse(src, lenient)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
			continue
		}
		if len(d.Notes) > 0 {
			continue
		}
		want, err := exec.Command(tool, "--nonet", "--exc-c14n", f).Output()
		if err != nil {
			t.Errorf("%s: xmllint: %v", filepath.Base(f), err)
			continue
		}
		if got := canonical(t, d); got != string(want) {
			t.Errorf("%s: the canonical forms differ", filepath.Base(f))
		}
		compared++
	}
	if compared < len(own) {
		t.Errorf("only %d documents compared", compared)
	}
	t.Logf("%d of %d documents compared", compared, len(files))
}

// samples lists the XML files of ../shared/samples, none when it is absent.
func samples(t testing.TB) []string {
	root := filepath.Join("..", "..", "shared", "samples")
	var files []string
	filepath.WalkDir(root, func(f string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".xml", ".xsd", ".sch"}, filepath.Ext(f)) {
			files = append(files, f)
		}
		return nil
	})
	return files
}

// Every sample is read, but for the one file that carries a DOCTYPE.
func TestSamples(t *testing.T) {
	files := samples(t)
	if len(files) == 0 {
		t.Skip("../shared/samples is not here")
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(src, lenient)
		if bytes.Contains(src, []byte("<!DOCTYPE")) {
			reason(t, err, Doctype)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
			continue
		}
		once := canonical(t, d)
		if twice := canonical(t, parse(t, once)); twice != once {
			t.Errorf("%s: the canonical form is not stable", filepath.Base(f))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<a/>`, `<?xml version="1.0"?><p:a xmlns:p="u" b='1'>t&amp;<![CDATA[x]]><!-- c --><?p i?></p:a>`,
		`<a xmlns="u"><b xmlns=""/></a>`, `<!DOCTYPE a><a/>`, "\uFEFF<a>\r\n</a>", "<a>&#x1F600;\uFFFD</a>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := Parse(src, Options{KeepProcessing: true, Limits: Limits{Size: 1 << 20}})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		var once, twice bytes.Buffer
		if err := d.Canonical(&once); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(once.Bytes(), lenient)
		if err != nil {
			t.Fatalf("the canonical form is refused: %v\n%q", err, once.Bytes())
		}
		if err := again.Canonical(&twice); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatalf("unstable:\n%q\n%q", once.Bytes(), twice.Bytes())
		}
		for e := range d.Root.Descendants() {
			if e.Source()[0] != '<' || e.End() <= e.Start() {
				t.Fatal("an element without a place")
			}
		}
	})
}
