package bench

import (
	"fmt"
	"testing"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
)

// lcmManager holds the large catalogue: 27 countries, 60 requirements, 1,500
// providers.
func lcmManager(b *testing.B) (*lcm.LifecycleManager, []byte) {
	b.Helper()
	m, err := lcm.New(b.Context(), lcm.Config{Store: &lcm.Memory{}, Baseline: seed.Large()})
	if err != nil {
		b.Fatal(err)
	}
	part := *m.Part("DE")
	for n := len(part.EvidenceTypes); n < 1000; n++ {
		t := part.EvidenceTypes[0]
		t.Classification = cs.ClassificationAddress("DE", cs.NameUUID("0d4c9b0a-5f1b-5e0e-9a5e-8f8f2f6d1c11", fmt.Sprint(n)))
		part.EvidenceTypes = append(part.EvidenceTypes, t)
	}
	raw, _, err := lcm.Encode(&part, lcm.EncodeOptions{ID: "urn:uuid:2d2f9a3e-0b1c-4d5e-8f60-718293a4b5c6"})
	if err != nil {
		b.Fatal(err)
	}
	return m, raw
}

// BenchmarkLCMSubmit is a submission of more than a thousand objects, from its
// bytes to the answers of a server over the large catalogue.
func BenchmarkLCMSubmit(b *testing.B) {
	m, raw := lcmManager(b)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := m.Submit(b.Context(), lcm.Author{Party: "ms:DE", How: lcm.ByAPI}, "DE", raw); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLCMTry is the same without the exchange of the catalogue.
func BenchmarkLCMTry(b *testing.B) {
	m, raw := lcmManager(b)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := m.Try("DE", raw); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLCMReplace is a clerk's change of one row, in the same catalogue.
func BenchmarkLCMReplace(b *testing.B) {
	m, _ := lcmManager(b)
	table := lcm.TableNamed("providers")
	key := table.Keys(m.Part("DE"))[0]
	for n := 0; b.Loop(); n++ {
		row := table.Row(m.Part("DE"), key)
		row["street"] = fmt.Sprintf("Demo Street %d", n)
		next, err := table.Put(m.Part("DE"), key, row)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Replace(b.Context(), lcm.Author{Party: "clerk:DE", How: lcm.ByScreen}, m.DataSet().Revision, next); err != nil {
			b.Fatal(err)
		}
	}
}
