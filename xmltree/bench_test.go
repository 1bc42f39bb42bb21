package xmltree

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// request has about 5 kB and the density of an Evidence Request.
func request() []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>
<query:QueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0" xmlns:sdg="http://data.europa.eu/p4s" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="urn:uuid:3b0c7a52-8d3e-4f0a-9a51-1c2d3e4f5a60">
` + strings.Repeat(record(1), 9) + "</query:QueryRequest>\n")
}

func record(n int) string {
	return fmt.Sprintf(`  <rim:Slot name="Requirements">
    <rim:SlotValue xsi:type="rim:AnyValueType">
      <sdg:Agent>
        <sdg:Identifier schemeID="urn:cef.eu:names:identifier:EAS:0190">%020d</sdg:Identifier>
        <sdg:Name lang="EN">Sample University &amp; College</sdg:Name>
        <sdg:Address>
          <sdg:PostCode>1000 AA</sdg:PostCode>
          <sdg:AdminUnitLevel1>NL</sdg:AdminUnitLevel1>
        </sdg:Address>
      </sdg:Agent>
    </rim:SlotValue>
  </rim:Slot>
`, n)
}

// directory has about 3.6 MB.
func directory() []byte {
	var b strings.Builder
	b.WriteString(`<query:QueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0" xmlns:sdg="http://data.europa.eu/p4s" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`)
	for n := 0; b.Len() < 3_600_000; n++ {
		b.WriteString(record(n))
	}
	b.WriteString("</query:QueryResponse>")
	return []byte(b.String())
}

func benchmarkParse(b *testing.B, src []byte) {
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(src, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseRequest(b *testing.B)   { benchmarkParse(b, request()) }
func BenchmarkParseDirectory(b *testing.B) { benchmarkParse(b, directory()) }

func BenchmarkCanonicalRequest(b *testing.B) {
	d, err := Parse(request(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(d.Source())))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Canonical(sha256.New()); err != nil {
			b.Fatal(err)
		}
	}
}
