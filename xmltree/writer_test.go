package xmltree

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWriter(t *testing.T) {
	w := NewWriter()
	w.Indent = "  "
	w.Open("query:QueryRequest")
	w.Declare("query", "rim", "xsi")
	w.Attr("id", `a"<b`)
	w.Open("rim:Slot", "name", "X")
	w.Leaf("rim:Value", "1 < 2 & 3", "xsi:type", "rim:T")
	w.Open("rim:Empty")
	w.Close()
	w.Close()
	w.Close()
	got, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<query:QueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="a&quot;&lt;b">
  <rim:Slot name="X">
    <rim:Value xsi:type="rim:T">1 &lt; 2 &amp; 3</rim:Value>
    <rim:Empty/>
  </rim:Slot>
</query:QueryRequest>`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWriterRefuses(t *testing.T) {
	for name, write := range map[string]func(w *Writer){
		"nothing":                           func(w *Writer) {},
		"open element":                      func(w *Writer) { w.Open("a") },
		"undeclared prefix":                 func(w *Writer) { w.Leaf("p:a", "") },
		"undeclared prefix of an attribute": func(w *Writer) { w.Leaf("a", "", "p:x", "1") },
		"prefix out of scope": func(w *Writer) {
			w.Open("a")
			w.Open("b")
			w.Declare("rim")
			w.Close()
			w.Leaf("rim:c", "")
			w.Close()
		},
		"control character": func(w *Writer) { w.Leaf("a", "\x01") },
		"not UTF-8":         func(w *Writer) { w.Leaf("a", "\xff") },
		"late attribute":    func(w *Writer) { w.Open("a"); w.Text("x"); w.Attr("b", "c"); w.Close() },
		"second root":       func(w *Writer) { w.Leaf("a", ""); w.Leaf("b", "") },
		"stray end":         func(w *Writer) { w.Leaf("a", ""); w.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			w := NewFragment()
			write(w)
			if b, err := w.Bytes(); err == nil {
				t.Errorf("wrote %s", b)
			}
		})
	}
}

// What is written is read back, whatever the characters.
func TestWriterRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		value := rapid.String().Draw(t, "value")
		w := NewWriter()
		w.Leaf("a", text, "b", value)
		b, err := w.Bytes()
		if err != nil {
			if strings.ContainsFunc(text+value, func(r rune) bool {
				return r < 0x20 && !strings.ContainsRune("\t\n\r", r) || r == 0xFFFE || r == 0xFFFF
			}) {
				return
			}
			t.Fatal(err)
		}
		d, err := Parse(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d.Root.Text() != text || d.Root.Attr("", "b") != value {
			t.Fatalf("read %q and %q", d.Root.Text(), d.Root.Attr("", "b"))
		}
	})
}
