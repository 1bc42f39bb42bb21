package validator

import (
	"os"
	"strings"
	"testing"

	"github.com/once-only/oots/xmltree"
)

func specimen(t testing.TB, kind Kinds, line Lines, name string) string {
	t.Helper()
	for _, s := range Specimens() {
		if s.Kind == kind && s.Line == line && s.Name == name {
			return s.XML
		}
	}
	t.Fatalf("no specimen %q of %v on line %v", name, kind, line)
	return ""
}

// BenchmarkRequest reads and judges an Evidence Request, structure and every
// rule. The target is 0.15 ms for 5 kB.
func BenchmarkRequest(b *testing.B) {
	for _, l := range []Lines{V12, V20} {
		src := []byte(specimen(b, EDMRequest, l, "request for a natural person"))
		b.Run("read and judge "+l.String(), func(b *testing.B) {
			v := New(Config{})
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if v.Validate(src, Options{}).Refused() {
					b.Fatal("refused")
				}
			}
		})
		b.Run("judge "+l.String(), func(b *testing.B) {
			v := New(Config{})
			doc, err := xmltree.Parse(src, xmltree.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				v.ValidateDocument(doc, Options{})
			}
		})
	}
}

// directoryAnswer is an answer of the Data Service Directory of about that many
// bytes: the fixture's record over and over, each with its own id.
func directoryAnswer(b testing.TB, size int) []byte {
	b.Helper()
	src, err := os.ReadFile("testdata/cs/dsd-resp-2.0.xml")
	if err != nil {
		b.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(src), "<rim:RegistryObject ")
	end := strings.LastIndex(rest, "</rim:RegistryObject>") + len("</rim:RegistryObject>")
	record, tail := "<rim:RegistryObject "+rest[:end], rest[end:]
	var out strings.Builder
	out.WriteString(head)
	for out.Len() < size {
		out.WriteString(record)
	}
	out.WriteString(tail)
	return []byte(out.String())
}

// BenchmarkDirectoryAnswer reads and judges 3.6 MB. The target is 120 ms, and
// less than 12 times the message in memory.
func BenchmarkDirectoryAnswer(b *testing.B) {
	src := directoryAnswer(b, 3_600_000)
	v := New(Config{})
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		v.Validate(src, Options{Kind: DSDResponse})
	}
}

// BenchmarkDirectoryParse is the reading alone.
func BenchmarkDirectoryParse(b *testing.B) {
	src := directoryAnswer(b, 3_600_000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := xmltree.Parse(src, xmltree.Options{KeepProcessing: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstRequest is a validator's first message: the rules of its kind
// and line are compiled on the way.
func BenchmarkFirstRequest(b *testing.B) {
	src := []byte(specimen(b, EDMRequest, V20, "request for a natural person"))
	b.ReportAllocs()
	for b.Loop() {
		New(Config{}).Validate(src, Options{})
	}
}
