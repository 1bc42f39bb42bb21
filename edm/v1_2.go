package edm

import "github.com/once-only/oots/sdg"

// v12 is oots-edm:v1.2 (TDD 1.2.5): one document per piece of evidence, one
// distribution per request, the language at the root, the method of the
// preview named in the exception.
var v12 = profile{
	line:     V12,
	words:    sdg.V12,
	rootLang: true,
	header:   []string{OriginalSender, FinalRecipient},
	request: []slot[Request]{
		requestSpecification, requestIssued, procedureOf1x, previewLocation, possibility, explicit,
		requirements, requesters, provider, answers,
	},
	query:     []slot[Request]{naturalPerson, legalPerson, evidence.also(oneDistribution), representative, representativeO},
	response:  []slot[Response]{responseSpecification, responseID, responseIssued, responseAvailable, responseProviders, responseRequester},
	failure:   []slot[ErrorResponse]{failureSpecification, failureID, failureProvider, failureRequester},
	exception: []slot[Exception]{exceptionTime, exceptionLocation, exceptionDescription, exceptionMethod},
}

func oneDistribution(r *Request) string {
	if len(r.Evidence.DistributedAs) > 1 {
		return "a request of line 1.x names one distribution (R-EDM-REQ-C032)"
	}
	return ""
}
