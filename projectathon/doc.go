// Package projectathon runs testing events: countries register systems and
// capabilities, a plan pairs them, peer tests run under the eyes of monitors,
// and verdicts become facts of the ledger.
//
// It knows no protocol: what a test does is testbed's business, what a verdict
// means for a country's level is acceleratormeter's.
package projectathon
