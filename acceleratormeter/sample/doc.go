// Package sample holds what the demo shows: an invented, seeded history of
// twelve quarters for 30 countries, every fact of it marked as sample data, and
// the dated public facts, which are real and carry no level. No level is written
// here: all of them follow from the facts.
package sample
