package edm

import "github.com/once-only/oots/sdg"

// v20 is oots-edm:v2.0 (TDD 2.0.1). Against 1.2: packages in responses,
// languages and associated documents in each distribution, ReturnLocation in
// the second request, a plain Procedure, two more message properties; no
// PreviewMethod, no root language, no Transformation.
var v20 = profile{
	line:     V20,
	words:    sdg.V20,
	packaged: true,
	header:   []string{OriginalSender, FinalRecipient, ExchangeID, SpecificationID},
	request: []slot[Request]{
		requestSpecification, requestIssued, procedure, previewLocation, returnLocation, possibility, explicit,
		requirements, requesters, provider, answers,
	},
	query:     []slot[Request]{naturalPerson, legalPerson, evidence, representative, representativeO},
	response:  []slot[Response]{responseSpecification, responseID, responseIssued, responseAvailable, responseProviders, responseRequester},
	failure:   []slot[ErrorResponse]{failureSpecification, failureID, failureProvider, failureRequester},
	exception: []slot[Exception]{exceptionTime, exceptionLocation, exceptionDescription},
}
