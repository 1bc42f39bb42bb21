package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/validator/official"
)

// sample reads a file of the folder beside the project, or skips.
func sample(b *testing.B, name string) []byte {
	b.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "shared", "samples", filepath.FromSlash(name)))
	if err != nil {
		b.Skip("the folder ../shared/samples is not here")
	}
	return raw
}

// BenchmarkOfficial judges Evidence Requests of line 1.0 by our structure and
// rules, and by the published schema and Schematron through official: a sound
// one of ours, and a published one with the defects of its time. Ours is to be
// at least 15 times faster.
func BenchmarkOfficial(b *testing.B) {
	published := sample(b, "edm-1.0/messages/Request-Response_Samples_Birth_Certificate_oots_request.xml")
	set, err := official.Load(filepath.Join("..", "..", "shared", "samples"))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		raw  []byte
	}{{"sound", soundRequest(b)}, {"published", published}} {
		b.Run("ours "+c.name, func(b *testing.B) {
			v := validator.New(validator.Config{})
			b.SetBytes(int64(len(c.raw)))
			b.ReportAllocs()
			for b.Loop() {
				if v.Validate(c.raw, validator.Options{}).Message == nil {
					b.Fatal("not read")
				}
			}
		})
		b.Run("tdd "+c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := set.Judge(b.Context(), c.raw, official.EvidenceRequest); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("load the folder", func(b *testing.B) {
		for b.Loop() {
			if _, err := official.Load(filepath.Join("..", "..", "shared", "samples")); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func soundRequest(b *testing.B) []byte {
	for _, s := range validator.Specimens() {
		if s.Kind == validator.EDMRequest && s.Line == validator.V10 {
			return []byte(s.XML)
		}
	}
	b.Fatal("no specimen of an Evidence Request of line 1.0")
	return nil
}

// directoryAnswer repeats the one requirement of a fixture, with 13 reference
// frameworks each as in a real answer, until there are size bytes.
func directoryAnswer(b *testing.B, size int) []byte {
	raw, err := os.ReadFile("../validator/testdata/cs/eb-req-2.0.xml")
	if err != nil {
		b.Fatal(err)
	}
	text := string(raw)
	cut := func(name string) (from, to int) {
		from = strings.Index(text, "<"+name+">")
		if from < 0 {
			from = strings.Index(text, "<"+name+" ")
		}
		return from, strings.Index(text, "</"+name+">") + len(name) + 3
	}
	from, to := cut("sdg:ReferenceFramework")
	text = text[:from] + strings.Repeat(text[from:to]+"\n            ", 13) + text[to:]
	from, to = cut("rim:RegistryObject")
	object := text[from:to]
	return []byte(text[:from] + strings.Repeat(object, size/len(object)) + text[to:])
}

// BenchmarkDirectoryAnswer reads and judges an answer of the Evidence Broker of
// 3.6 MB. It is to take less than 120 ms, and less memory than 12 times its size.
func BenchmarkDirectoryAnswer(b *testing.B) {
	raw := directoryAnswer(b, 3_600_000)
	v := validator.New(validator.Config{})
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if r := v.Validate(raw, validator.Options{}); r.Refused() || len(r.Passed) < 20 {
			b.Fatalf("%+v", r.Findings[:min(3, len(r.Findings))])
		}
	}
}
