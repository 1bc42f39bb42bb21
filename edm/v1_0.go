package edm

import "github.com/once-only/oots/sdg"

// v10 is oots-edm:v1.0 (schema 1.0.0): as 1.2, with a smaller vocabulary and
// without a representative organisation.
var v10 = profile{
	line:      V10,
	words:     sdg.V10,
	rootLang:  true,
	header:    []string{OriginalSender, FinalRecipient},
	request:   v12.request,
	query:     []slot[Request]{naturalPerson, legalPerson, evidence.also(oneDistribution), representative},
	response:  v12.response,
	failure:   v12.failure,
	exception: v12.exception,
}
