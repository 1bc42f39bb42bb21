package validator

// Tables lists every rule there is, in the order of the specification. A new
// table is one line here.
func Tables() []Table {
	return append([]Table{requestSlots, requestContent, requestPersons,
		responseSlots, responsePackages, responseContent,
		errorRules,
		headerRules,
	}, csTables()...)
}
