package edm_test

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
)

// A message tells by itself which line it speaks.
func ExampleDecode() {
	src, err := os.ReadFile("testdata/v2.0/first-request.xml")
	if err != nil {
		panic(err)
	}
	m, err := edm.Decode(src)
	if err != nil {
		panic(err)
	}
	request := m.(*edm.Request)
	fmt.Println(request.Line, request.Kind())
	fmt.Printf("%s asks %s for: %s\n", sdg.Name(request.Requester().Names, "EN"),
		sdg.Name(request.Provider.Names, "EN"), sdg.Name(request.Evidence.Titles, "EN"))
	// Output:
	// oots-edm:v2.0 ExecuteQueryRequest
	// Demo College asks Demo Board of Schools for: School leaving certificate (demo)
}

// What is wrong with a message comes as the exception to answer with.
func ExampleDecode_refused() {
	_, err := edm.Decode([]byte(`<query:QueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0" id="1"/>`))
	var x *edm.Exception
	if errors.As(err, &x) {
		fmt.Println(x.Code, x.Code.Type())
		fmt.Println(x.Detail)
	}
	// Output:
	// EDM:ERR:0003 rs:InvalidRequestExceptionType
	// line 1, column 1: the slot SpecificationIdentifier is missing: the line of the message is not known (/query:QueryRequest)
}

// A provider that has nothing answers in the line of the request.
func ExampleEncode() {
	answer := &edm.ErrorResponse{
		ID:        "0d7f1d52-3c5e-4b7c-9f43-5d2f6a1c0b11",
		RequestID: "urn:uuid:9a1de2b0-51c4-4b7e-8a60-0c3f1f5d7e01",
		Provider: sdg.Agent{
			Identifier:     sdg.Identifier{Scheme: "urn:cef.eu:names:identifier:EAS:0212", Value: "0000000-7"},
			Names:          []sdg.Text{{Lang: "EN", Value: "Demo Board of Schools"}},
			Address:        &sdg.Address{AdminUnitLevel1: "FI"},
			Classification: "ERRP",
		},
		Exceptions: []edm.Exception{{Code: edm.ObjectNotFound, At: time.Date(2026, 11, 2, 10, 0, 30, 0, time.UTC)}},
	}
	b, err := edm.Encode(answer, edm.V20)
	if err != nil {
		panic(err)
	}
	m, err := edm.Decode(b)
	fmt.Println(m.Kind(), m.Spoken(), err)
	fmt.Println(m.(*edm.ErrorResponse).Exceptions[0].Error())
	// Output:
	// ExceptionResponse oots-edm:v2.0 <nil>
	// EDM:ERR:0004 Object not found
}

// The requester picks a line from what the directory says of the provider,
// and fits its request to it.
func ExampleNegotiate() {
	line, err := edm.Negotiate([]string{"oots-edm:v1.0", "oots-edm:v1.2"}, []edm.Line{edm.V20, edm.V12})
	fmt.Println(line, err)

	request := &edm.Request{Evidence: sdg.DataServiceEvidenceType{DistributedAs: []sdg.Distribution{
		{Formats: []string{"application/pdf"}, Languages: []string{"FI"}}, {Formats: []string{"image/png"}},
	}}}
	_, notes := edm.Fit(request, line)
	for _, n := range notes {
		fmt.Println("-", n)
	}
	// Output:
	// oots-edm:v1.2 <nil>
	// - only the first distribution was kept
	// - the first language was moved to the root
}
