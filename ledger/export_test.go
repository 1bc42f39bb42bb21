package ledger

// TableSizes tells how many rows the tables of fields have.
func TableSizes() (fact, subject, body int) { return len(factRows), len(subjectRows), len(bodyRows) }
