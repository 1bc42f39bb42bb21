// Package projectathon runs testing events: countries register systems and
// capabilities, a plan pairs them, peer tests run under the eyes of monitors,
// and verdicts become facts of the ledger.
//
// Service is the whole of it over a Store; who may do what stands in the table
// of account.go. The package knows no protocol: what a test does is a Driver's
// business or that of people, what a verdict means for a country's level is
// acceleratormeter's.
package projectathon
