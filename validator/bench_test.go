package validator

import (
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
