// Package partner plays every part of the Once-Only Technical System for tests:
// evidence requester, evidence provider with preview, access point, directories
// and their client, metadata updater and registry, identity and log. It stands
// straight on as4, edm and commonservices.
//
// A partner may be awkward within the specification (Temper) and wrong on
// purpose (Fault): one fault is one deviation. Practice is the same machinery
// as a whole system under test, honest or with one fault, so that a test case
// can be shown to pass what is right and to find what it exists to find.
//
// All persons, authorities and evidence here are invented.
package partner
