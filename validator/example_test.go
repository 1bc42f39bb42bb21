package validator_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/once-only/oots/validator"
)

// A message goes in, findings come out: what was found, where, and how to mend it.
func ExampleValidator_Validate() {
	request := validator.Specimens()[0].XML
	spoiled := strings.Replace(request, "<rim:Value>T2</rim:Value>", "<rim:Value>X8</rim:Value>", 1)

	v := validator.New(validator.Config{})
	report := v.Validate([]byte(spoiled), validator.Options{Name: "request.xml"})
	for _, f := range report.Findings {
		fmt.Printf("%s %s line %d: found %s, expected %s\n", f.Severity, f.Rule, f.Line, f.Found, f.Expected)
		fmt.Println(f.Mend)
	}
	// Output:
	// FATAL R-EDM-REQ-C003 line 10: found “X8”, expected a code of Procedures or 00
	// Write the code exactly as the list has it, in its case and without anything around it.
}

// Messages that belong together are compared with each other too.
func ExampleValidator_Compare() {
	v := validator.New(validator.Config{})
	var messages []*validator.Message
	for _, s := range validator.Specimens() {
		if s.Line == validator.V20 && (s.Name == "request for a natural person" || s.Name == "response with evidence") {
			text := strings.Replace(s.XML, "EAS:0190\">00000099000000000001", "EAS:0190\">"+s.Kind.String(), 1)
			messages = append(messages, v.Validate([]byte(text), validator.Options{Name: s.Name}).Message)
		}
	}
	for _, c := range validator.Assemble(messages, validator.Related{}) {
		for _, f := range v.Compare(c).Findings {
			if f.Refuses() {
				fmt.Println(f.Rule, "in the", f.File+":", f.Mend)
			}
		}
	}
	// Output:
	// X-13 in the response with evidence: Copy identifier and scheme of the request's ER agent.
}

// Describe tells what a message is.
func ExampleDescribe() {
	v := validator.New(validator.Config{})
	report := v.Validate([]byte(validator.Specimens()[0].XML), validator.Options{Name: "request.xml"})
	for _, line := range validator.Describe(report.Message)[:2] {
		fmt.Println(line)
	}
	// Output:
	// request.xml is an Evidence Request on line oots-edm:v2.0.
	// Sample University (NL) asks Sample Board of Education for “Secondary school certificate (sample)”.
}

// A report in words has the line of the message and a caret below the place.
func ExampleReport_WriteText() {
	v := validator.New(validator.Config{})
	report := v.Validate([]byte("<certificate/>"), validator.Options{Name: "evidence.xml"})
	_ = report.WriteText(os.Stdout)
	// Output:
	// evidence.xml: unknown kind of message: refused, 1 error
	//
	//   FATAL STR-09, line 1, column 1 (TDD 4.5, 3.6)
	//         1 | <certificate/>
	//           | ^
	//     found     certificate
	//     expected  query:QueryRequest, query:QueryResponse, lcm:SubmitObjectsRequest, rs:RegistryResponse or eb:Messaging
	//     mend      Give a message of the Once-Only Technical System, or say with --kind which one this should be.
}
